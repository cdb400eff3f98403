/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "support.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PCAP_MAGIC	UINT32_C(0xa1b2c3d4)
#define PCAP_HEADER_LEN 24
#define PCAP_ETHERNET	1

size_t
support_hex(const char *hex, uint8_t *out, size_t cap)
{
	size_t n = strlen(hex) / 2;

	if (strlen(hex) % 2 != 0 || n > cap)
		fail_msg("bad length of hexadecimal text: %s", hex);
	for (size_t i = 0; i < n; i++) {
		unsigned int byte;
		char two[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
		char extra;

		if (sscanf(two, "%2x%c", &byte, &extra) != 1)
			fail_msg("not hexadecimal: %s", hex);
		out[i] = (uint8_t)byte;
	}
	return n;
}

struct base_addr
support_addr(const char *text)
{
	struct base_addr a = {.family = BASE_FAMILY_NONE};

	if (inet_pton(AF_INET, text, a.bytes) == 1)
		a.family = BASE_FAMILY_IP4;
	else if (inet_pton(AF_INET6, text, a.bytes) == 1)
		a.family = BASE_FAMILY_IP6;
	else
		fail_msg("not an address: %s", text);
	return a;
}

uint32_t
support_ip4(const char *text)
{
	struct base_addr a = support_addr(text);

	assert_int_equal(a.family, BASE_FAMILY_IP4);
	return base_addr_ip4(&a);
}

void
support_mac(const char *text, uint8_t mac[BASE_MAC_LEN])
{
	char extra;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &mac[0], &mac[1], &mac[2],
		    &mac[3], &mac[4], &mac[5], &extra) != BASE_MAC_LEN)
		fail_msg("not a MAC: %s", text);
}

json_t *
support_json(const char *path)
{
	json_error_t err;
	json_t *j = json_load_file(path, JSON_REJECT_DUPLICATES, &err);

	if (j == NULL)
		fail_msg("%s:%d: %s", path, err.line, err.text);
	return j;
}

json_t *
support_get(const json_t *obj, const char *key)
{
	json_t *v = json_object_get(obj, key);

	if (v == NULL)
		fail_msg("no member \"%s\"", key);
	return v;
}

const char *
support_str(const json_t *obj, const char *key)
{
	const char *s = json_string_value(support_get(obj, key));

	if (s == NULL)
		fail_msg("member \"%s\" is not a string", key);
	return s;
}

long
support_int(const json_t *obj, const char *key)
{
	const json_t *v = support_get(obj, key);

	if (!json_is_integer(v))
		fail_msg("member \"%s\" is not an integer", key);
	return (long)json_integer_value(v);
}

void
support_hex_of(const json_t *obj, const char *key, uint8_t *out, size_t len)
{
	assert_int_equal(support_hex(support_str(obj, key), out, len), len);
}

uint64_t
support_counter_of(const json_t *obj, const char *key)
{
	uint8_t b[8];
	uint64_t counter = 0;

	support_hex_of(obj, key, b, sizeof(b));
	for (size_t i = 0; i < sizeof(b); i++)
		counter = counter << 8 | b[i];
	return counter;
}

uint16_t
support_addrs_of(
	const json_t *obj, const char *key, struct base_addr *out, uint16_t n, uint16_t cap)
{
	size_t i;
	json_t *v;

	json_array_foreach (support_get(obj, key), i, v) {
		assert_true(n < cap);
		out[n++] = support_addr(json_string_value(v));
	}
	return n;
}

void
support_pcap_open(struct support_pcap *p, const char *path)
{
	uint32_t header[PCAP_HEADER_LEN / 4];

	p->file = fopen(path, "rb");
	if (p->file == NULL)
		fail_msg("cannot open %s", path);
	if (fread(header, sizeof(header), 1, p->file) != 1 || header[0] != PCAP_MAGIC ||
		header[5] != PCAP_ETHERNET)
		fail_msg("%s is not a pcap file of Ethernet frames in this byte order", path);
}

bool
support_pcap_next(struct support_pcap *p)
{
	/* Seconds, microseconds, bytes kept, bytes on the wire. */
	uint32_t record[4];

	if (fread(record, 1, sizeof(record), p->file) == 0) {
		fclose(p->file);
		p->file = NULL;
		return false;
	}
	if (record[2] != record[3] || record[2] > sizeof(p->frame) ||
		fread(p->frame, 1, record[2], p->file) != record[2])
		fail_msg("a record is cut short");
	p->us = (uint64_t)record[0] * 1000000 + record[1];
	p->len = record[2];
	return true;
}
