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
#include "wire_group.h"

/*
 * ARP, neighbour discovery, echoes over IPv6 and group membership in the captures of NetBSD,
 * FreeBSD and ucarp: all of it decodes and encodes again, and the announcements have the fields
 * that protocol note 7 gives for their system. The adverts of the same files are the matter of the
 * tests of auth.
 */

#define SENDERS_MAX 16

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
	assert_int_equal(i, 47);
	assert_int_equal(total, 243);
	assert_int_equal(total_gratuitous, 49);
}

/* The addresses of a capture's vhid, to tell VIPs from others. */
static bool
is_vip6(const json_t *capture, const uint8_t ip[WIRE_IP6_ADDR_LEN])
{
	size_t g;
	json_t *group;

	json_array_foreach (support_get(capture, "groups"), g, group) {
		struct base_addr vips[8];
		uint16_t n = support_addrs_of(group, "vips", vips, 0, 8);

		for (uint16_t i = 0; i < n; i++)
			if (vips[i].family == BASE_FAMILY_IP6 &&
				memcmp(vips[i].bytes, ip, WIRE_IP6_ADDR_LEN) == 0)
				return true;
	}
	return false;
}

/* An unsolicited advertisement of a VIP; ours differs in the Ethernet source alone (note 7.5). */
static void
check_announcement(const uint8_t *frame, const struct wire_eth *eth, const struct wire_ip6 *ip,
	const struct wire_nd *nd)
{
	uint8_t vmac[WIRE_MAC_LEN], ours[WIRE_ND_FRAME_LEN];

	base_vmac(6, vmac);
	assert_string_equal(system_of(eth->src), "netbsd");
	wire_na_announce_frame_encode(vmac, ip->src, nd->target, false, ours);
	assert_memory_equal(ours, frame, WIRE_MAC_LEN);
	assert_memory_equal(ours + WIRE_MAC_LEN, vmac, WIRE_MAC_LEN);
	assert_memory_equal(
		ours + 2 * WIRE_MAC_LEN, frame + 2 * WIRE_MAC_LEN, sizeof(ours) - 2 * WIRE_MAC_LEN);
}

static void
check_nd(const json_t *capture, const struct support_pcap *pcap, const struct wire_eth *eth,
	const struct wire_ip6 *ip, unsigned int *announcements)
{
	struct wire_nd_envelope env;
	struct wire_nd nd;
	uint8_t again[WIRE_ND_FRAME_MAX];

	assert_int_equal(
		wire_nd_decode(ip, pcap->frame + WIRE_ETH_LEN + WIRE_IP6_LEN, &nd), WIRE_ND_OK);
	memcpy(env.eth_dst, eth->dst, WIRE_MAC_LEN);
	memcpy(env.eth_src, eth->src, WIRE_MAC_LEN);
	memcpy(env.ip_src, ip->src, WIRE_IP6_ADDR_LEN);
	memcpy(env.ip_dst, ip->dst, WIRE_IP6_ADDR_LEN);
	assert_int_equal(wire_nd_frame_encode(&env, &nd, again), pcap->len);
	assert_memory_equal(again, pcap->frame, pcap->len);
	if (nd.type == WIRE_ICMP6_NA && wire_ip6_is_multicast(ip->dst)) {
		assert_true(is_vip6(capture, nd.target));
		check_announcement(pcap->frame, eth, ip, &nd);
		(*announcements)++;
	} else if (nd.type == WIRE_ICMP6_NS && wire_ip6_is_multicast(ip->dst)) {
		uint8_t group[WIRE_IP6_ADDR_LEN], mac[WIRE_MAC_LEN];

		wire_ip6_solicited_node(nd.target, group);
		assert_memory_equal(ip->dst, group, sizeof(group));
		wire_ip6_group_mac(group, mac);
		assert_memory_equal(eth->dst, mac, sizeof(mac));
	}
}

static void
check_echo6(const struct support_pcap *pcap, const struct wire_ip6 *ip)
{
	const uint8_t *p = pcap->frame + WIRE_ETH_LEN + WIRE_IP6_LEN;
	uint8_t ip_again[WIRE_IP6_LEN], again[WIRE_ICMP6_LEN];
	struct wire_icmp6 icmp;

	wire_ip6_encode(ip, ip_again);
	assert_memory_equal(ip_again, pcap->frame + WIRE_ETH_LEN, sizeof(ip_again));
	assert_true(wire_icmp6_decode(p, ip->payload_len, &icmp));
	assert_true(wire_icmp6_sum_ok(p, ip->payload_len, ip->src, ip->dst));
	wire_icmp6_encode(&icmp, ip->src, ip->dst, p + WIRE_ICMP6_LEN,
		(size_t)ip->payload_len - WIRE_ICMP6_LEN, again);
	assert_memory_equal(again, p, sizeof(again));
}

/* A report of IGMPv3 or MLDv1, in which these systems speak, from its known fields. */
static void
check_membership(const struct support_pcap *pcap, const struct wire_eth *eth)
{
	const uint8_t *ip = pcap->frame + WIRE_ETH_LEN;
	uint8_t again[WIRE_GROUP_FRAME_MAX];
	struct wire_group_query query;
	struct wire_group_report r = {0};

	memcpy(r.eth_src, eth->src, WIRE_MAC_LEN);
	if (eth->type == WIRE_ETHERTYPE_IP4) {
		r.version = WIRE_GROUP_IGMP_NEWEST;
		r.change = ip[32] == 4 ? WIRE_GROUP_JOIN : WIRE_GROUP_LEAVE;
		r.src.family = r.group.family = BASE_FAMILY_IP4;
		memcpy(r.src.bytes, ip + 12, 4);
		memcpy(r.group.bytes, ip + 36, 4);
		assert_int_equal(base_addr_ip4(&r.group), WIRE_CARP_GROUP_IP4);
	} else {
		r.version = 1;
		r.change = WIRE_GROUP_JOIN;
		r.src.family = r.group.family = BASE_FAMILY_IP6;
		memcpy(r.src.bytes, ip + 8, 16);
		memcpy(r.group.bytes, ip + 56, 16);
	}
	assert_int_equal(wire_group_frame_encode(&r, again), pcap->len);
	assert_memory_equal(again, pcap->frame, pcap->len);
	assert_int_equal(
		wire_group_query_decode(ip, pcap->len - WIRE_ETH_LEN, &query), WIRE_GROUP_OTHER);
}

struct ipv6_counts {
	unsigned int nd, echo, igmp, mld, announcements;
};

static void
check_frame(const json_t *capture, const struct support_pcap *pcap, struct ipv6_counts *n)
{
	struct wire_eth eth;
	struct wire_ip6 ip;

	assert_true(wire_eth_decode(pcap->frame, pcap->len, &eth));
	if (eth.type == WIRE_ETHERTYPE_IP4 && pcap->frame[WIRE_ETH_LEN + 9] == 2) {
		check_membership(pcap, &eth);
		n->igmp++;
	}
	if (eth.type != WIRE_ETHERTYPE_IP6)
		return;
	assert_int_equal(wire_ip6_decode(pcap->frame + WIRE_ETH_LEN, pcap->len - WIRE_ETH_LEN, &ip),
		WIRE_IP6_OK);
	if (ip.next == WIRE_PROTO_HOPOPTS) {
		check_membership(pcap, &eth);
		n->mld++;
	} else if (ip.next == WIRE_PROTO_ICMP6 &&
		pcap->frame[WIRE_ETH_LEN + WIRE_IP6_LEN] <= WIRE_ICMP6_ECHO_REPLY) {
		check_echo6(pcap, &ip);
		n->echo++;
	} else if (ip.next == WIRE_PROTO_ICMP6) {
		check_nd(capture, pcap, &eth, &ip, &n->announcements);
		n->nd++;
	}
}

static void
nd_and_membership_of_every_capture(void **state)
{
	struct ipv6_counts total = {0};
	size_t i;
	json_t *capture;

	(void)state;
	json_array_foreach (support_get(captures, "captures"), i, capture) {
		char path[512];
		struct support_pcap pcap;
		struct ipv6_counts n = {0};

		snprintf(path, sizeof(path), TEST_DATA "/pcap/%s", support_str(capture, "file"));
		support_pcap_open(&pcap, path);
		while (support_pcap_next(&pcap))
			check_frame(capture, &pcap, &n);
		assert_int_equal(n.nd, support_int(capture, "nd"));
		assert_int_equal(n.echo, support_int(capture, "echo6"));
		assert_int_equal(n.igmp, support_int(capture, "igmp"));
		assert_int_equal(n.mld, support_int(capture, "mld"));
		total.nd += n.nd;
		total.echo += n.echo;
		total.igmp += n.igmp;
		total.mld += n.mld;
		total.announcements += n.announcements;
	}
	assert_int_equal(total.nd, 17);
	assert_int_equal(total.echo, 12);
	assert_int_equal(total.igmp, 14);
	assert_int_equal(total.mld, 5);
	assert_int_equal(total.announcements, 4);
}

static void
bsds_answer_a_solicitation_as_we_do(void **state)
{
	static const char *const files[] = {"netbsd-patched-v6-ns-reply", "freebsd-v6-ns-reply"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char path[512];
		struct support_pcap pcap;
		struct wire_eth eth, asker = {0};
		struct wire_ip6 ip, ns_ip = {0};
		struct wire_nd nd, ns = {0};
		unsigned int answers = 0;

		snprintf(path, sizeof(path), TEST_DATA "/pcap/%s.pcap", files[i]);
		support_pcap_open(&pcap, path);
		while (support_pcap_next(&pcap)) {
			const uint8_t *p = pcap.frame + WIRE_ETH_LEN;
			uint8_t vmac[WIRE_MAC_LEN], ours[WIRE_ND_FRAME_LEN];

			assert_true(wire_eth_decode(pcap.frame, pcap.len, &eth));
			assert_int_equal(
				wire_ip6_decode(p, pcap.len - WIRE_ETH_LEN, &ip), WIRE_IP6_OK);
			if (wire_nd_decode(&ip, p + WIRE_IP6_LEN, &nd) != WIRE_ND_OK ||
				memcmp(nd.target, support_addr("fd00::100").bytes, 16) != 0)
				continue;
			if (nd.type == WIRE_ICMP6_NS) {
				asker = eth;
				ns_ip = ip;
				ns = nd;
				continue;
			}
			base_vmac(6, vmac);
			wire_na_answer_frame_encode(
				&ns_ip, &ns, asker.src, vmac, ip.src, false, ours);
			assert_memory_equal(ours, pcap.frame, WIRE_MAC_LEN);
			/* FreeBSD answers from the vMAC, NetBSD from the parent's MAC. */
			if (i == 1)
				assert_memory_equal(eth.src, vmac, WIRE_MAC_LEN);
			assert_int_equal(pcap.len, sizeof(ours));
			assert_memory_equal(ours + 2 * WIRE_MAC_LEN, pcap.frame + 2 * WIRE_MAC_LEN,
				sizeof(ours) - 2 * WIRE_MAC_LEN);
			answers++;
		}
		assert_int_equal(answers, 1);
	}
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
		cmocka_unit_test(nd_and_membership_of_every_capture),
		cmocka_unit_test(bsds_answer_a_solicitation_as_we_do),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
