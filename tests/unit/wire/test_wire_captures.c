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

#include "base_addr.h"
#include "support.h"
#include "wire.h"

/*
 * ARP in the captures of NetBSD, FreeBSD and ucarp: all of it decodes and encodes again, and the
 * announcements have the fields that protocol note 7 gives for their system. The adverts of the
 * same files are the matter of the tests of auth.
 */

#define SENDERS_MAX 8

static json_t *captures;
static struct {
	const char *system;
	uint8_t mac[WIRE_MAC_LEN];
} senders[SENDERS_MAX];
static size_t n_senders;

static int
load(void **state)
{
	const char *ip;
	json_t *s;

	(void)state;
	captures = support_json(TEST_DATA "/pcap/captures.json");
	json_object_foreach (support_get(captures, "senders"), ip, s) {
		assert_true(n_senders < SENDERS_MAX);
		senders[n_senders].system = support_str(s, "system");
		support_mac(support_str(s, "mac"), senders[n_senders].mac);
		n_senders++;
	}
	return 0;
}

static int
unload(void **state)
{
	(void)state;
	json_decref(captures);
	return 0;
}

static const char *
system_of(const uint8_t mac[WIRE_MAC_LEN])
{
	for (size_t i = 0; i < n_senders; i++)
		if (memcmp(senders[i].mac, mac, WIRE_MAC_LEN) == 0)
			return senders[i].system;
	fail_msg("an announcement of a node that is not listed");
	return "";
}

/* The vMAC of the first group of a capture with this VIP; false when it is nobody's VIP. */
static bool
vmac_of(const json_t *capture, uint32_t ip, uint8_t vmac[WIRE_MAC_LEN])
{
	size_t g;
	json_t *group;

	json_array_foreach (support_get(capture, "groups"), g, group) {
		struct base_addr vips[8];
		uint16_t n = support_addrs_of(group, "vips", vips, 0, 8);

		for (uint16_t i = 0; i < n; i++) {
			if (vips[i].family != BASE_FAMILY_IP4 || base_addr_ip4(&vips[i]) != ip)
				continue;
			base_vmac((uint8_t)support_int(group, "vhid"), vmac);
			return true;
		}
	}
	return false;
}

static void
check_gratuitous(const json_t *capture, const uint8_t *frame, const struct wire_eth *eth,
	const struct wire_arp *arp)
{
	static const uint8_t zero[WIRE_MAC_LEN];
	uint8_t vmac[WIRE_MAC_LEN], ours[WIRE_ARP_FRAME_LEN];
	const char *system = system_of(eth->src);

	assert_memory_equal(eth->dst, wire_broadcast_mac, WIRE_MAC_LEN);
	if (!vmac_of(capture, arp->sender_ip, vmac)) {
		/* A node's own address at its start. */
		assert_memory_equal(arp->sender_mac, eth->src, WIRE_MAC_LEN);
		return;
	}
	if (strcmp(system, "ucarp") == 0) {
		assert_memory_equal(arp->sender_mac, eth->src, WIRE_MAC_LEN);
		assert_memory_equal(arp->target_mac, eth->src, WIRE_MAC_LEN);
		return;
	}
	assert_memory_equal(arp->sender_mac, vmac, WIRE_MAC_LEN);
	assert_memory_equal(arp->target_mac, zero, WIRE_MAC_LEN);
	/* Ours differs in the Ethernet source alone: theirs is the parent's MAC (note 7.1). */
	wire_garp_frame_encode(vmac, arp->sender_ip, ours);
	assert_memory_equal(ours, frame, WIRE_MAC_LEN);
	assert_memory_equal(
		ours + 2 * WIRE_MAC_LEN, frame + 2 * WIRE_MAC_LEN, sizeof(ours) - 2 * WIRE_MAC_LEN);
}

static void
arp_of_every_capture(void **state)
{
	size_t i;
	json_t *capture;
	unsigned int total = 0, total_gratuitous = 0;

	(void)state;
	json_array_foreach (support_get(captures, "captures"), i, capture) {
		char path[512];
		struct support_pcap pcap;
		unsigned int n = 0, gratuitous = 0;

		snprintf(path, sizeof(path), TEST_DATA "/pcap/%s", support_str(capture, "file"));
		support_pcap_open(&pcap, path);
		while (support_pcap_next(&pcap)) {
			uint8_t again[WIRE_ARP_FRAME_LEN];
			struct wire_eth eth;
			struct wire_arp arp;

			assert_true(wire_eth_decode(pcap.frame, pcap.len, &eth));
			if (eth.type != WIRE_ETHERTYPE_ARP)
				continue;
			n++;
			assert_true(wire_arp_decode(
				pcap.frame + WIRE_ETH_LEN, pcap.len - WIRE_ETH_LEN, &arp));
			wire_arp_frame_encode(eth.dst, eth.src, &arp, again);
			assert_memory_equal(again, pcap.frame, sizeof(again));
			if (arp.op == WIRE_ARP_REQUEST && arp.sender_ip == arp.target_ip) {
				gratuitous++;
				check_gratuitous(capture, pcap.frame, &eth, &arp);
			}
		}
		assert_int_equal(n, support_int(capture, "arp"));
		assert_int_equal(gratuitous, support_int(capture, "gratuitous_arp_requests"));
		total += n;
		total_gratuitous += gratuitous;
	}
	assert_int_equal(i, 42);
	assert_int_equal(total, 242);
	assert_int_equal(total_gratuitous, 48);
}

static void
stock_netbsd_answers_from_the_vmac(void **state)
{
	struct support_pcap pcap;
	uint8_t vmac[WIRE_MAC_LEN];
	unsigned int replies = 0;

	(void)state;
	base_vmac(1, vmac);
	support_pcap_open(&pcap, TEST_DATA "/pcap/netbsd-v4-arp-reply.pcap");
	while (support_pcap_next(&pcap)) {
		struct wire_eth eth;
		struct wire_arp arp;

		assert_true(wire_eth_decode(pcap.frame, pcap.len, &eth));
		if (eth.type != WIRE_ETHERTYPE_ARP ||
			!wire_arp_decode(
				pcap.frame + WIRE_ETH_LEN, pcap.len - WIRE_ETH_LEN, &arp) ||
			arp.op != WIRE_ARP_REPLY || arp.sender_ip != support_ip4("10.0.0.100"))
			continue;
		assert_memory_equal(eth.src, vmac, WIRE_MAC_LEN);
		assert_memory_equal(arp.sender_mac, vmac, WIRE_MAC_LEN);
		assert_memory_equal(eth.dst, arp.target_mac, WIRE_MAC_LEN);
		replies++;
	}
	assert_true(replies > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arp_of_every_capture),
		cmocka_unit_test(stock_netbsd_answers_from_the_vmac),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
