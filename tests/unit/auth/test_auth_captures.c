/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth.h"
#include "support.h"
#include "wire6.h"

/*
 * Every advert of either family in the captures of NetBSD, FreeBSD and ucarp: it decodes, its
 * checksum and digest verify with the parameters of the capture, and what we build from the node's
 * known fields and the counter is the same frame, byte for byte.
 */

#define VIPS_MAX 8

static json_t *captures;

static int
load(void **state)
{
	(void)state;
	captures = support_json(TEST_DATA "/pcap/captures.json");
	return 0;
}

static int
unload(void **state)
{
	(void)state;
	json_decref(captures);
	return 0;
}

static const json_t *
group_by_vhid(const json_t *capture, uint8_t vhid)
{
	size_t i;
	json_t *g;

	json_array_foreach (support_get(capture, "groups"), i, g)
		if (support_int(g, "vhid") == vhid)
			return g;
	fail_msg("vhid %u is not listed", vhid);
	return NULL;
}

static struct auth_group *
auth_with(const json_t *group, const char *pass)
{
	struct base_addr vips[VIPS_MAX];
	uint16_t n = support_addrs_of(group, "vips", vips, 0, VIPS_MAX);
	uint8_t key[AUTH_KEY_LEN];
	struct auth_group *g;

	assert_int_equal(auth_key_from_pass(pass, key), 0);
	g = auth_group_create(key, (uint8_t)support_int(group, "vhid"), vips, n);
	assert_non_null(g);
	return g;
}

/* "1/100" is among the pairs that the node sends in this capture. */
static bool
sends_timing(const json_t *capture, const char *node, const struct wire_carp *carp)
{
	char want[16];
	size_t i;
	json_t *t;

	snprintf(want, sizeof(want), "%u/%u", carp->advbase, carp->advskew);
	json_array_foreach (support_get(support_get(capture, "timings"), node), i, t)
		if (strcmp(json_string_value(t), want) == 0)
			return true;
	return false;
}

/** An advert of a capture, down to its CARP header. */
struct advert {
	const json_t *sender;
	char node[INET6_ADDRSTRLEN];
	uint8_t family; /* enum base_family */
	struct wire_ip4 ip4;
	struct wire_ip6 ip6;
	const uint8_t *p;
	struct wire_carp carp;
};

/* False when the frame is no advert. */
static bool
advert_decode(const uint8_t *frame, size_t len, struct advert *a)
{
	const uint8_t *ip = frame + WIRE_ETH_LEN;
	struct wire_eth eth;
	size_t left, ip_len = len - WIRE_ETH_LEN;

	assert_true(wire_eth_decode(frame, len, &eth));
	if (eth.type == WIRE_ETHERTYPE_IP4) {
		assert_int_equal(wire_ip4_decode(ip, ip_len, &a->ip4), WIRE_IP4_OK);
		if (a->ip4.proto != WIRE_PROTO_CARP)
			return false;
		assert_int_equal(a->ip4.ttl, WIRE_CARP_TTL);
		a->family = BASE_FAMILY_IP4;
		a->p = ip + a->ip4.header_len;
		left = (size_t)(a->ip4.total_len - a->ip4.header_len);
		snprintf(a->node, sizeof(a->node), "%u.%u.%u.%u", a->ip4.src >> 24,
			a->ip4.src >> 16 & 255, a->ip4.src >> 8 & 255, a->ip4.src & 255);
		assert_true(left >= WIRE_CARP_LEN && wire_carp_sum_ok(a->p));
	} else if (eth.type == WIRE_ETHERTYPE_IP6) {
		assert_int_equal(wire_ip6_decode(ip, ip_len, &a->ip6), WIRE_IP6_OK);
		if (a->ip6.next != WIRE_PROTO_CARP)
			return false;
		assert_int_equal(a->ip6.hop_limit, WIRE_CARP_TTL);
		a->family = BASE_FAMILY_IP6;
		a->p = ip + WIRE_IP6_LEN;
		left = a->ip6.payload_len;
		assert_non_null(inet_ntop(AF_INET6, a->ip6.src, a->node, sizeof(a->node)));
		assert_true(left >= WIRE_CARP_LEN);
		assert_int_equal(
			wire_carp6_sum_ok(a->p, a->ip6.src, a->ip6.dst), WIRE_CARP_SUM_PLAIN);
	} else {
		return false;
	}
	assert_true(wire_carp_decode(a->p, left, &a->carp));
	a->sender = support_get(support_get(captures, "senders"), a->node);
	return true;
}

/* The frame as the node's system builds it around this priority and counter. */
static size_t
rebuild(const struct advert *a, struct auth_group *g, uint8_t out[WIRE_CARP6_FRAME_LEN])
{
	struct wire_carp h = {
		.version = WIRE_CARP_VERSION,
		.type = WIRE_CARP_TYPE,
		.vhid = a->carp.vhid,
		.advskew = a->carp.advskew,
		.authlen = WIRE_CARP_AUTHLEN,
		.advbase = a->carp.advbase,
		.counter = a->carp.counter,
	};
	struct wire_carp4_envelope env4 = {.ip_src = a->ip4.src, .ip_dst = WIRE_CARP_GROUP_IP4};
	struct wire_carp6_envelope env6 = {.sum = WIRE_CARP_SUM_PLAIN};
	uint8_t eth_src[WIRE_MAC_LEN];

	assert_int_equal(auth_group_sign(g, a->carp.counter, h.digest), 0);
	base_vmac(h.vhid, eth_src);
	if (a->family == BASE_FAMILY_IP6) {
		memcpy(env6.eth_dst, wire_carp_mac6, WIRE_MAC_LEN);
		memcpy(env6.eth_src, eth_src, WIRE_MAC_LEN);
		memcpy(env6.ip_src, a->ip6.src, WIRE_IP6_ADDR_LEN);
		memcpy(env6.ip_dst, wire_carp_group_ip6, WIRE_IP6_ADDR_LEN);
		env6.tclass = (uint8_t)support_int(a->sender, "tos");
		wire_carp6_frame_encode(&env6, &h, out);
		return WIRE_CARP6_FRAME_LEN;
	}
	if (strcmp(support_str(a->sender, "system"), "ucarp") == 0)
		eth_src[4] = 0;
	memcpy(env4.eth_dst, wire_carp_mac4, WIRE_MAC_LEN);
	memcpy(env4.eth_src, eth_src, WIRE_MAC_LEN);
	env4.tos = (uint8_t)support_int(a->sender, "tos");
	/* A random identification is not known before. */
	env4.ip_id = json_object_get(a->sender, "ip_id") ? (uint16_t)support_int(a->sender, "ip_id")
							 : a->ip4.id;
	wire_carp4_frame_encode(&env4, &h, out);
	return WIRE_CARP4_FRAME_LEN;
}

static void
check_advert(const json_t *capture, const struct advert *a, const uint8_t *frame, size_t len)
{
	const json_t *group, *pass_of;
	struct auth_group *g;
	uint8_t ours[WIRE_CARP6_FRAME_LEN];
	const char *pass;

	assert_true(sends_timing(capture, a->node, &a->carp));
	group = group_by_vhid(capture, a->carp.vhid);
	pass = support_str(group, "pass");
	pass_of = json_object_get(group, "pass_of");
	if (pass_of != NULL && json_object_get(pass_of, a->node) != NULL) {
		/* A node with the wrong password: the others refuse it. */
		g = auth_with(group, pass);
		assert_false(auth_group_verify(g, a->carp.counter, a->carp.digest));
		auth_group_destroy(g);
		pass = support_str(pass_of, a->node);
	}
	g = auth_with(group, pass);
	assert_true(auth_group_verify(g, a->carp.counter, a->carp.digest));
	assert_int_equal(rebuild(a, g, ours), len);
	assert_memory_equal(ours, frame, len);
	auth_group_destroy(g);
}

static void
adverts_of_every_capture(void **state)
{
	size_t i;
	json_t *capture;
	unsigned int total = 0, total6 = 0;

	(void)state;
	json_array_foreach (support_get(captures, "captures"), i, capture) {
		char path[512];
		struct support_pcap pcap;
		unsigned int n = 0, n6 = 0;

		snprintf(path, sizeof(path), TEST_DATA "/pcap/%s", support_str(capture, "file"));
		support_pcap_open(&pcap, path);
		while (support_pcap_next(&pcap)) {
			struct advert a;

			if (!advert_decode(pcap.frame, pcap.len, &a))
				continue;
			check_advert(capture, &a, pcap.frame, pcap.len);
			if (a.family == BASE_FAMILY_IP6)
				n6++;
			else
				n++;
		}
		assert_true(n + n6 > 0);
		assert_int_equal(n, support_int(capture, "adverts"));
		assert_int_equal(n6, support_int(capture, "adverts6"));
		total += n;
		total6 += n6;
	}
	assert_int_equal(i, 47);
	assert_int_equal(total, 303);
	assert_int_equal(total6, 37);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adverts_of_every_capture),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
