/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth.h"
#include "support.h"
#include "wire.h"

/*
 * Every IPv4 advert in the captures of NetBSD, FreeBSD and ucarp: it decodes, its checksum and
 * digest verify with the parameters of the capture, and what we build from the node's known fields
 * and the counter is the same frame, byte for byte.
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

/* The frame as the node's system builds it around this priority and counter. */
static void
rebuild(const json_t *sender, const struct wire_ip4 *ip, const struct wire_carp *carp,
	struct auth_group *g, uint8_t out[WIRE_CARP4_FRAME_LEN])
{
	struct wire_carp h = {
		.version = WIRE_CARP_VERSION,
		.type = WIRE_CARP_TYPE,
		.vhid = carp->vhid,
		.advskew = carp->advskew,
		.authlen = WIRE_CARP_AUTHLEN,
		.advbase = carp->advbase,
		.counter = carp->counter,
	};
	struct wire_carp4_envelope env = {
		.ip_src = ip->src,
		.ip_dst = WIRE_CARP_GROUP_IP4,
		.tos = (uint8_t)support_int(sender, "tos"),
	};

	memcpy(env.eth_dst, wire_carp_mac4, WIRE_MAC_LEN);
	base_vmac(carp->vhid, env.eth_src);
	if (strcmp(support_str(sender, "system"), "ucarp") == 0)
		env.eth_src[4] = 0;
	/* A random identification is not known before. */
	env.ip_id =
		json_object_get(sender, "ip_id") ? (uint16_t)support_int(sender, "ip_id") : ip->id;
	assert_int_equal(auth_group_sign(g, carp->counter, h.digest), 0);
	wire_carp4_frame_encode(&env, &h, out);
}

static void
check_advert(const json_t *capture, const uint8_t *frame, size_t len, const struct wire_ip4 *ip)
{
	const uint8_t *p = frame + WIRE_ETH_LEN + ip->header_len;
	const json_t *group, *pass_of;
	struct auth_group *g;
	struct wire_carp carp;
	uint8_t ours[WIRE_CARP4_FRAME_LEN];
	char node[16];
	const char *pass;

	assert_int_equal(ip->ttl, WIRE_CARP_TTL);
	assert_true(wire_carp_decode(p, (size_t)(ip->total_len - ip->header_len), &carp));
	assert_true(wire_carp_sum_ok(p));
	snprintf(node, sizeof(node), "%u.%u.%u.%u", ip->src >> 24, ip->src >> 16 & 255,
		ip->src >> 8 & 255, ip->src & 255);
	assert_true(sends_timing(capture, node, &carp));

	group = group_by_vhid(capture, carp.vhid);
	pass = support_str(group, "pass");
	pass_of = json_object_get(group, "pass_of");
	if (pass_of != NULL && json_object_get(pass_of, node) != NULL) {
		/* A node with the wrong password: the others refuse it. */
		g = auth_with(group, pass);
		assert_false(auth_group_verify(g, carp.counter, carp.digest));
		auth_group_destroy(g);
		pass = support_str(pass_of, node);
	}
	g = auth_with(group, pass);
	assert_true(auth_group_verify(g, carp.counter, carp.digest));
	rebuild(support_get(support_get(captures, "senders"), node), ip, &carp, g, ours);
	assert_int_equal(len, sizeof(ours));
	assert_memory_equal(ours, frame, sizeof(ours));
	auth_group_destroy(g);
}

static void
adverts_of_every_capture(void **state)
{
	size_t i;
	json_t *capture;
	unsigned int total = 0;

	(void)state;
	json_array_foreach (support_get(captures, "captures"), i, capture) {
		char path[512];
		struct support_pcap pcap;
		unsigned int n = 0;

		snprintf(path, sizeof(path), TEST_DATA "/pcap/%s", support_str(capture, "file"));
		support_pcap_open(&pcap, path);
		while (support_pcap_next(&pcap)) {
			struct wire_eth eth;
			struct wire_ip4 ip;

			assert_true(wire_eth_decode(pcap.frame, pcap.len, &eth));
			if (eth.type != WIRE_ETHERTYPE_IP4)
				continue;
			assert_int_equal(wire_ip4_decode(pcap.frame + WIRE_ETH_LEN,
						 pcap.len - WIRE_ETH_LEN, &ip),
				WIRE_IP4_OK);
			if (ip.proto != WIRE_PROTO_CARP)
				continue;
			check_advert(capture, pcap.frame, pcap.len, &ip);
			n++;
		}
		assert_true(n > 0);
		assert_int_equal(n, support_int(capture, "adverts"));
		total += n;
	}
	assert_int_equal(i, 42);
	assert_int_equal(total, 303);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adverts_of_every_capture),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
