/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "base_addr.h"

/**
 * @file
 * What several test programs need: test data in JSON, hexadecimal, addresses and pcap files.
 * Everything here fails the running cmocka test on bad data, so callers need not check.
 */

/** Decode all of a hexadecimal string. @return its length in bytes, at most cap */
size_t support_hex(const char *hex, uint8_t *out, size_t cap);

/** Parse an address of either family, the whole text. */
struct base_addr support_addr(const char *text);
/** Parse an IPv4 address, host order. */
uint32_t support_ip4(const char *text);
/** Parse a MAC written with colons. */
void support_mac(const char *text, uint8_t mac[BASE_MAC_LEN]);

/** Load a JSON file. @return a new reference */
json_t *support_json(const char *path);
/** Member of an object; it must be there. Borrowed. */
json_t *support_get(const json_t *obj, const char *key);
const char *support_str(const json_t *obj, const char *key);
long support_int(const json_t *obj, const char *key);
/** Member in hexadecimal, which must have exactly len bytes. */
void support_hex_of(const json_t *obj, const char *key, uint8_t *out, size_t len);
/** A 64-bit member of 16 hexadecimal digits, as on the wire. */
uint64_t support_counter_of(const json_t *obj, const char *key);
/** Append the addresses of an array of strings. @return the new number, at most cap */
uint16_t support_addrs_of(
	const json_t *obj, const char *key, struct base_addr *out, uint16_t n, uint16_t cap);

/** A pcap file of Ethernet frames, read in order; this machine's byte order, microseconds. */
struct support_pcap {
	FILE *file;
	uint64_t us; /**< time of the last frame */
	uint8_t frame[2048];
	size_t len;
};
void support_pcap_open(struct support_pcap *p, const char *path);
/** @return false at the end of the file, which is then closed */
bool support_pcap_next(struct support_pcap *p);

#endif
