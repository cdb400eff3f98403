/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef WIRE_PCAPNG_H
#define WIRE_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * @file
 * Blocks of a pcapng file (draft-ietf-opsawg-pcapng), written in network byte order, which readers
 * tell by the section's magic. Times are nanoseconds since 1970, link type is Ethernet.
 *
 * Each call writes one whole block to buf and returns its length, a multiple of 4; 0, and nothing
 * of use is in buf, when it does not fit into cap bytes. Texts are UTF-8 and end with a NUL here
 * but not in the file; NULL or "" writes none, what is longer than WIRE_PCAPNG_TEXT_MAX is cut.
 * @thread any; nothing here has state
 */

/** Bytes of a text that are written at most. */
#define WIRE_PCAPNG_TEXT_MAX 1024
/** Bytes of a packet's block beyond those of the frame, without a comment, at most. */
#define WIRE_PCAPNG_PACKET_ROOM 48

/** Section header: the first block of a file. */
size_t wire_pcapng_section(uint8_t *buf, size_t cap, const char *application);

/** The next interface; they are numbered from 0 in the order of their blocks. */
size_t wire_pcapng_interface(
	uint8_t *buf, size_t cap, const char *name, const char *description, uint32_t snap_len);

struct wire_pcapng_packet {
	uint32_t interface;
	uint64_t wall_ns;
	uint32_t captured; /**< bytes that are written */
	uint32_t len;	   /**< bytes that the frame had */
	bool outbound;
	const char *comment;
};
size_t wire_pcapng_packet(
	uint8_t *buf, size_t cap, const struct wire_pcapng_packet *p, const uint8_t *bytes);

/** What an interface received and lost, at the end of a capture. */
struct wire_pcapng_statistics {
	uint32_t interface;
	uint64_t wall_ns, start_ns, end_ns;
	uint64_t captured; /**< packets that are in the file */
	uint64_t lost;	   /**< packets that should be and are not */
	const char *comment;
};
size_t wire_pcapng_statistics(uint8_t *buf, size_t cap, const struct wire_pcapng_statistics *s);

#endif
