/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef WIRE_ECHO_H
#define WIRE_ECHO_H

#include <stddef.h>
#include <stdint.h>

#include "base_addr.h"

/**
 * @file
 * Echo requests of ours (RFC 792, RFC 4443), of both families, and what comes back: the reply, or
 * an error that quotes the request. Contract as in wire.h.
 * @thread any; nothing here has state
 */

/** A request. */
struct wire_echo {
	struct base_addr src, dst; /**< of one family */
	uint16_t id, seq;
	uint8_t ttl;
	uint16_t payload; /**< bytes after the ICMP header */
};
/** Headers in front of the payload: IP and ICMP. @param family  enum base_family */
size_t wire_echo_overhead(uint8_t family);
/**
 * Build the packet, from its IP header on. IPv4 has DF, so that nobody cuts it.
 * @param out  room for wire_echo_overhead() and the payload
 * @return bytes written
 */
size_t wire_echo_encode(const struct wire_echo *e, uint8_t *out);

enum wire_echo_kind {
	WIRE_ECHO_NONE = 0, /**< neither of these, or cut before it can be told */
	WIRE_ECHO_REPLY,
	WIRE_ECHO_ERROR, /**< unreachable, too big, time exceeded, parameter problem */
};
/** What came back. */
struct wire_echo_answer {
	struct base_addr from, to; /**< of the answer itself */
	struct base_addr src, dst; /**< of the request: of an error as quoted, else to and from */
	uint16_t id, seq;	   /**< of the request */
	uint8_t ttl;		   /**< of the answer, as it arrived */
	uint8_t type, code;	   /**< of an error */
	uint16_t bytes;		   /**< of the ICMP message */
	uint32_t mtu;		   /**< of an error that says that it was too big; else 0 */
};
/**
 * Look at a packet. The checksum of an ICMP message is not looked at, as the whole of it need not
 * be seen.
 * @param p      its IP header
 * @param seen   bytes that may be read
 * @param whole  bytes of the packet, padding included; at least seen
 * @return what it is; out is filled unless NONE
 */
enum wire_echo_kind wire_echo_decode(
	const uint8_t *p, size_t seen, size_t whole, struct wire_echo_answer *out);

#endif
