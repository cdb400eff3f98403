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

#include "advert_node_priv.h"

/* What other systems sent, through the check. */

static json_t *vectors;

static int
load(void **state)
{
	(void)state;
	vectors = support_json(TEST_DATA "/carp-hmac.json");
	return 0;
}

static int
unload(void **state)
{
	(void)state;
	json_decref(vectors);
	return 0;
}

static void
conformance_03_frames_of_netbsd_and_ucarp(void **state)
{
	static const struct {
		const char *list;
		size_t n;
	} lists[] = {{"netbsd_wire", 11}, {"ucarp_wire", 14}};

	(void)state;
	for (size_t l = 0; l < COUNT(lists); l++) {
		size_t i;
		json_t *c;

		json_array_foreach (support_get(vectors, lists[l].list), i, c) {
			struct node n;
			struct ctl_advert a;
			struct base_addr vips[VIPS_MAX];
			uint8_t key[AUTH_KEY_LEN], frame[WIRE_CARP4_FRAME_LEN];
			uint16_t n_vips = 1;

			if (json_object_get(c, "addr") != NULL)
				vips[0] = support_addr(support_str(c, "addr"));
			else
				n_vips = support_addrs_of(c, "addrs4", vips, 0, VIPS_MAX);
			if (json_object_get(c, "key_hex") != NULL)
				support_hex_of(c, "key_hex", key, sizeof(key));
			else
				assert_int_equal(
					auth_key_from_pass(support_str(c, "pass"), key), 0);
			node_init(&n);
			node_add_group(&n, key, (uint8_t)support_int(c, "vhid"), vips, n_vips);
			support_hex_of(c, "frame", frame, sizeof(frame));
			if (check(&n, frame, sizeof(frame), &a) != CTL_STAT_IPACKETS)
				fail_msg("%s is not accepted", support_str(c, "id"));
			assert_int_equal(
				base_addr_ip4(&a.src), support_ip4(support_str(c, "ip_source")));
			assert_int_equal(a.prio.advbase, support_int(c, "advbase"));
			assert_int_equal(a.prio.advskew, support_int(c, "advskew"));
			assert_int_equal(a.prio.demotion, 0);
			node_fini(&n);
		}
		assert_int_equal(i, lists[l].n);
	}
}

static void
conformance_04_receive_rows(void **state)
{
	static const struct {
		const char *name;
		enum ctl_stat stat;
	} names[] = {
		{"ok", CTL_STAT_IPACKETS},
		{"badttl", CTL_STAT_BADTTL},
		{"badsum", CTL_STAT_BADSUM},
		{"badver", CTL_STAT_BADVER},
		{"badvhid", CTL_STAT_BADVHID},
		{"badauth", CTL_STAT_BADAUTH},
		{"badlen", CTL_STAT_BADLEN},
	};
	struct node n;
	size_t i;
	json_t *c;

	(void)state;
	node_init_lan(&n);
	json_array_foreach (support_get(vectors, "receive"), i, c) {
		const char *want = support_str(support_get(c, "expect"), "recommended");
		uint8_t frame[FRAME_MAX];
		size_t len = support_hex(support_str(c, "frame"), frame, sizeof(frame));
		enum ctl_stat got = check(&n, frame, len, NULL);
		bool known = false;

		for (size_t k = 0; k < COUNT(names); k++) {
			if (strcmp(names[k].name, want) != 0)
				continue;
			known = true;
			if (got != names[k].stat)
				fail_msg("%s: %d, not %s", support_str(c, "id"), (int)got, want);
		}
		assert_true(known);
	}
	assert_int_equal(i, 13);
	node_fini(&n);
}

static void
vectors_over_ipv6(void **state)
{
	static const struct {
		const char *key;
		enum wire_carp_sum sum;
		unsigned int n;
	} kinds[] = {
		{"frame6", WIRE_CARP_SUM_PLAIN, 8},
		{"frame6_pseudo", WIRE_CARP_SUM_PSEUDO, 8},
		{"frame6_openbsd", WIRE_CARP_SUM_PLAIN, 3},
	};

	(void)state;
	for (size_t k = 0; k < COUNT(kinds); k++) {
		unsigned int found = 0;
		size_t i;
		json_t *c;

		json_array_foreach (support_get(vectors, "cases"), i, c) {
			const json_t *f = json_object_get(c, kinds[k].key);
			struct node n;
			struct ctl_advert a;
			struct base_addr vips[VIPS_MAX];
			uint8_t key[AUTH_KEY_LEN], frame[WIRE_CARP6_FRAME_LEN];
			uint16_t n_vips;
			enum wire_carp_sum want = kinds[k].sum;

			if (f == NULL)
				continue;
			found++;
			n_vips = support_addrs_of(c, "addrs4", vips, 0, VIPS_MAX);
			n_vips = support_addrs_of(c, "addrs6", vips, n_vips, VIPS_MAX);
			support_hex_of(c, "key_hex", key, sizeof(key));
			node_init(&n);
			node_add_group(&n, key, (uint8_t)support_int(c, "vhid"), vips, n_vips);
			support_hex_of(f, "hex", frame, sizeof(frame));
			if (check(&n, frame, sizeof(frame), &a) != CTL_STAT_IPACKETS)
				fail_msg("%s: %s", support_str(c, "id"), kinds[k].key);
			if (json_is_true(support_get(c, "v6_checksums_equal")))
				want = WIRE_CARP_SUM_BOTH;
			assert_int_equal(a.sum, want);
			assert_int_equal(a.src.family, BASE_FAMILY_IP6);
			assert_true(a.counter == support_counter_of(c, "counter"));
			node_fini(&n);
		}
		assert_int_equal(found, kinds[k].n);
	}
}

static void
conformance_49_link_local_vip_in_both_variants(void **state)
{
	size_t i;
	json_t *c;
	unsigned int n_cases = 0;

	(void)state;
	/* frame6 is ORIG, as NetBSD and FreeBSD send it, frame6_openbsd NOV6LL; one receiver. */
	json_array_foreach (support_get(vectors, "cases"), i, c) {
		const char *const keys[] = {"frame6", "frame6_openbsd", "frame6"};
		struct node n;
		struct base_addr vips[VIPS_MAX];
		uint8_t key[AUTH_KEY_LEN], frame[WIRE_CARP6_FRAME_LEN];
		uint16_t n_vips;

		if (json_object_get(c, "frame6_openbsd") == NULL)
			continue;
		n_cases++;
		n_vips = support_addrs_of(c, "addrs4", vips, 0, VIPS_MAX);
		n_vips = support_addrs_of(c, "addrs6", vips, n_vips, VIPS_MAX);
		support_hex_of(c, "key_hex", key, sizeof(key));
		node_init(&n);
		node_add_group(&n, key, (uint8_t)support_int(c, "vhid"), vips, n_vips);
		for (size_t k = 0; k < COUNT(keys); k++) {
			support_hex_of(support_get(c, keys[k]), "hex", frame, sizeof(frame));
			assert_int_equal(check(&n, frame, sizeof(frame), NULL), CTL_STAT_IPACKETS);
		}
		node_fini(&n);
	}
	assert_int_equal(n_cases, 3);
}

static void
adverts_of_every_capture(void **state)
{
	json_t *captures = support_json(TEST_DATA "/pcap/captures.json");
	unsigned int accepted = 0, accepted6 = 0, badauth = 0;
	size_t i;
	json_t *capture;

	(void)state;
	json_array_foreach (support_get(captures, "captures"), i, capture) {
		char path[512];
		struct support_pcap pcap;
		struct node n;
		size_t k;
		json_t *g;

		node_init(&n);
		json_array_foreach (support_get(capture, "groups"), k, g) {
			struct base_addr vips[VIPS_MAX];
			uint16_t n_vips = support_addrs_of(g, "vips", vips, 0, VIPS_MAX);
			uint8_t key[AUTH_KEY_LEN];

			assert_int_equal(auth_key_from_pass(support_str(g, "pass"), key), 0);
			node_add_group(&n, key, (uint8_t)support_int(g, "vhid"), vips, n_vips);
		}
		snprintf(path, sizeof(path), TEST_DATA "/pcap/%s", support_str(capture, "file"));
		support_pcap_open(&pcap, path);
		while (support_pcap_next(&pcap)) {
			struct ctl_advert a;

			switch ((int)check(&n, pcap.frame, pcap.len, &a)) {
			case CTL_STAT_IPACKETS:
				if (a.src.family == BASE_FAMILY_IP6)
					accepted6++;
				else
					accepted++;
				assert_int_equal(a.sum, WIRE_CARP_SUM_PLAIN);
				break;
			case CTL_STAT_BADAUTH:
				assert_string_equal(support_str(capture, "file"),
					"netbsd-v4-badauth-dual-master.pcap");
				badauth++;
				break;
			case CTL_STAT_HDROPS:
				/* ARP, neighbour discovery and what else was on the wire. */
				break;
			default:
				fail_msg("%s", path);
			}
		}
		node_fini(&n);
	}
	assert_int_equal(i, 47);
	/* The node with the wrong password sent some of the 303 over IPv4. */
	assert_int_equal(accepted + badauth, 303);
	assert_int_equal(accepted6, 37);
	assert_true(badauth > 0 && badauth < 9);
	json_decref(captures);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_03_frames_of_netbsd_and_ucarp),
		cmocka_unit_test(conformance_04_receive_rows),
		cmocka_unit_test(vectors_over_ipv6),
		cmocka_unit_test(conformance_49_link_local_vip_in_both_variants),
		cmocka_unit_test(adverts_of_every_capture),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
