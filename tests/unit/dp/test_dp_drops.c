/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Every drop reason is reached, by the frame or the state that it is named after, and nothing else
 * happens then. The last test looks whether a row of drops.def was forgotten.
 */
#include "dp_rig.h"

#include <errno.h>
#include <string.h>

#include <rte_mempool.h>

#include "base_bytes.h"

#define IP_AT WIRE_ETH_LEN

/* Frames to a LAN whose group 1 is MASTER here and whose group 7 is not. */
struct drop_case {
	enum dp_drop why;
	const char *what;
	struct frame (*make)(void);
};

static struct frame
udp(void)
{
	return frame_udp(vmac1, CLIENT, SERVER);
}

static struct frame
short_eth(void)
{
	struct frame f = udp();

	f.len = WIRE_ETH_LEN - 1;
	return f;
}

static struct frame
empty(void)
{
	struct frame f = udp();

	f.len = 0;
	return f;
}

static struct frame
ip6(void)
{
	struct frame f = udp();

	base_store_be16(f.b + 12, WIRE_ETHERTYPE_IP6);
	return f;
}

static struct frame
length_field(void)
{
	struct frame f = udp();

	base_store_be16(f.b + 12, 0x0040);
	return f;
}

static struct frame
other(void)
{
	return frame_udp(other_mac, CLIENT, SERVER);
}

static struct frame
unconfigured_vhid(void)
{
	return frame_udp((const uint8_t[6]){0, 0, 0x5e, 0, 1, 8}, CLIENT, SERVER);
}

static struct frame
vrrp6_vmac(void)
{
	return frame_udp((const uint8_t[6]){0, 0, 0x5e, 0, 2, 1}, CLIENT, SERVER);
}

static struct frame
vmac_not_owned(void)
{
	return frame_udp(vmac7, CLIENT, SERVER);
}

static struct frame
arp_not_owned(void)
{
	return frame_arp(vmac7, WIRE_ARP_REQUEST, CLIENT, LAN_VIP7);
}

static struct frame
echo_vip_not_owned(void)
{
	return frame_echo(lan_mac, CLIENT, LAN_VIP7, 10);
}

static struct frame
arp_short(void)
{
	struct frame f = frame_arp(wire_broadcast_mac, WIRE_ARP_REQUEST, CLIENT, LAN_OWN);

	f.len--;
	return f;
}

static struct frame
arp_token_ring(void)
{
	struct frame f = frame_arp(wire_broadcast_mac, WIRE_ARP_REQUEST, CLIENT, LAN_OWN);

	base_store_be16(f.b + WIRE_ETH_LEN, 6);
	return f;
}

static struct frame
carp_short(void)
{
	return frame_ip4(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, WIRE_PROTO_CARP, 1);
}

static struct frame
carp_fragment(void)
{
	struct frame f = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 1);

	base_store_be16(f.b + IP_AT + 6, 5);
	frame_sum(&f);
	return f;
}

static struct frame
carp_unicast_short(void)
{
	return frame_ip4(lan_mac, CLIENT, LAN_OWN, WIRE_PROTO_CARP, 1);
}

static struct frame
ip_no_header(void)
{
	struct frame f = udp();

	f.len = IP_AT + WIRE_IP4_LEN - 1;
	return f;
}

static struct frame
ip_cut(void)
{
	struct frame f = udp();

	f.len--;
	return f;
}

static struct frame
ip_options_cut(void)
{
	struct frame f = udp();

	frame_options(&f, 40);
	f.len = IP_AT + 30;
	return f;
}

static struct frame
ip_version(void)
{
	struct frame f = udp();

	f.b[IP_AT] = 0x65;
	return f;
}

static struct frame
ip_ihl(void)
{
	struct frame f = udp();

	f.b[IP_AT] = 0x44;
	frame_sum(&f);
	return f;
}

static struct frame
ip_total_len(void)
{
	struct frame f = udp();

	base_store_be16(f.b + IP_AT + 2, 19);
	frame_sum(&f);
	return f;
}

static struct frame
ip_checksum(void)
{
	struct frame f = udp();

	f.b[IP_AT + 11] ^= 1;
	return f;
}

static struct frame
carp_checksum(void)
{
	struct frame f = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 1);

	f.b[IP_AT + 10] ^= 1;
	return f;
}

static struct frame
source_multicast(void)
{
	return frame_udp(vmac1, IP(224, 0, 0, 1), SERVER);
}

static struct frame
source_broadcast(void)
{
	return frame_udp(vmac1, UINT32_MAX, SERVER);
}

static struct frame
source_loopback(void)
{
	return frame_udp(vmac1, IP(127, 0, 0, 1), SERVER);
}

static struct frame
source_zero(void)
{
	return frame_udp(vmac1, 0, SERVER);
}

static struct frame
destination_loopback(void)
{
	return frame_udp(vmac1, CLIENT, IP(127, 1, 2, 3));
}

static struct frame
destination_zero(void)
{
	return frame_udp(vmac1, CLIENT, 0);
}

static struct frame
destination_class_e(void)
{
	return frame_udp(vmac1, CLIENT, IP(240, 0, 0, 1));
}

static struct frame
unicast_in_broadcast(void)
{
	return frame_udp(wire_broadcast_mac, CLIENT, SERVER);
}

static struct frame
echo_in_multicast(void)
{
	return frame_echo((const uint8_t[6]){1, 0, 0x5e, 0, 1, 1}, CLIENT, LAN_VIP, 4);
}

static struct frame
multicast(void)
{
	return frame_udp((const uint8_t[6]){1, 0, 0x5e, 0, 0, 5}, CLIENT, IP(224, 0, 0, 5));
}

static struct frame
limited_broadcast(void)
{
	return frame_udp(wire_broadcast_mac, CLIENT, UINT32_MAX);
}

static struct frame
not_carp(void)
{
	return frame_udp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4);
}

static struct frame
ttl_one(void)
{
	struct frame f = udp();

	f.b[IP_AT + 8] = 1;
	frame_sum(&f);
	return f;
}

static struct frame
ttl_zero(void)
{
	struct frame f = udp();

	f.b[IP_AT + 8] = 0;
	frame_sum(&f);
	return f;
}

static struct frame
unrouted(void)
{
	return frame_udp(vmac1, CLIENT, IP(8, 8, 8, 8));
}

static struct frame
subnet_broadcast(void)
{
	return frame_udp(vmac1, CLIENT, IP(192, 0, 2, 255));
}

static struct frame
big(void)
{
	return frame_ip4(vmac1, CLIENT, SERVER, 17, 1381);
}

static struct frame
local_udp(void)
{
	return frame_udp(lan_mac, CLIENT, LAN_OWN);
}

static struct frame
local_vip_tcp(void)
{
	return frame_ip4(vmac1, CLIENT, LAN_VIP, 6, 20);
}

static struct frame
local_echo_reply(void)
{
	struct frame f = frame_echo(lan_mac, CLIENT, LAN_OWN, 0);
	uint8_t *icmp = f.b + IP_AT + WIRE_IP4_LEN;
	const struct wire_icmp h = {.type = WIRE_ICMP_ECHO_REPLY};

	wire_icmp_encode(&h, NULL, 0, icmp);
	return f;
}

static struct frame
carp_to_vip(void)
{
	return frame_carp(vmac1, CLIENT, LAN_VIP, 1);
}

static struct frame
echo_short(void)
{
	return frame_ip4(lan_mac, CLIENT, LAN_OWN, WIRE_PROTO_ICMP, 7);
}

static struct frame
echo_fragment(void)
{
	struct frame f = frame_echo(lan_mac, CLIENT, LAN_OWN, 32);

	base_store_be16(f.b + IP_AT + 6, WIRE_IP4_MF);
	frame_sum(&f);
	return f;
}

static struct frame
echo_checksum(void)
{
	struct frame f = frame_echo(lan_mac, CLIENT, LAN_OWN, 32);

	f.b[f.len - 1] ^= 1;
	return f;
}

static struct frame
vlan(void)
{
	struct frame f = udp();

	memmove(f.b + 16, f.b + 12, f.len - 12);
	base_store_be16(f.b + 12, WIRE_ETHERTYPE_VLAN);
	base_store_be16(f.b + 14, 30);
	f.len += 4;
	return f;
}

static const struct drop_case cases[] = {
	{DP_DROP_TRUNCATED_ETH, "13 bytes", short_eth},
	{DP_DROP_TRUNCATED_ETH, "no byte", empty},
	{DP_DROP_ETHERTYPE, "IPv6", ip6},
	{DP_DROP_ETHERTYPE, "802.3 length", length_field},
	{DP_DROP_OTHER_MAC, "foreign MAC", other},
	{DP_DROP_OTHER_MAC, "vMAC of no group", unconfigured_vhid},
	{DP_DROP_OTHER_MAC, "VRRP's IPv6 MAC", vrrp6_vmac},
	{DP_DROP_NOT_MASTER, "vMAC of a backup", vmac_not_owned},
	{DP_DROP_NOT_MASTER, "ARP to the vMAC of a backup", arp_not_owned},
	{DP_DROP_NOT_MASTER, "echo to the VIP of a backup by our own MAC", echo_vip_not_owned},
	{DP_DROP_ARP_MALFORMED, "ARP cut", arp_short},
	{DP_DROP_ARP_MALFORMED, "ARP for another hardware", arp_token_ring},
	{DP_DROP_CARP_MALFORMED, "no vhid", carp_short},
	{DP_DROP_CARP_MALFORMED, "fragment", carp_fragment},
	{DP_DROP_CARP_MALFORMED, "unicast, no vhid", carp_unicast_short},
	{DP_DROP_IP4_TRUNCATED, "19 bytes of header", ip_no_header},
	{DP_DROP_IP4_TRUNCATED, "last byte missing", ip_cut},
	{DP_DROP_IP4_TRUNCATED, "options cut", ip_options_cut},
	{DP_DROP_IP4_VERSION, "version 6", ip_version},
	{DP_DROP_IP4_HEADER, "header of 16 bytes", ip_ihl},
	{DP_DROP_IP4_HEADER, "total length 19", ip_total_len},
	{DP_DROP_IP4_CHECKSUM, "checksum", ip_checksum},
	{DP_DROP_IP4_CHECKSUM, "checksum of an advert", carp_checksum},
	{DP_DROP_IP4_SOURCE, "from multicast", source_multicast},
	{DP_DROP_IP4_SOURCE, "from broadcast", source_broadcast},
	{DP_DROP_IP4_SOURCE, "from loopback", source_loopback},
	{DP_DROP_IP4_SOURCE, "from zero", source_zero},
	{DP_DROP_IP4_DESTINATION, "to loopback", destination_loopback},
	{DP_DROP_IP4_DESTINATION, "to zero", destination_zero},
	{DP_DROP_IP4_DESTINATION, "to class E", destination_class_e},
	{DP_DROP_L2_BROADCAST, "unicast in broadcast", unicast_in_broadcast},
	{DP_DROP_L2_BROADCAST, "echo to a VIP in multicast", echo_in_multicast},
	{DP_DROP_MULTICAST, "OSPF's group", multicast},
	{DP_DROP_MULTICAST, "limited broadcast", limited_broadcast},
	{DP_DROP_MULTICAST, "UDP to CARP's group", not_carp},
	{DP_DROP_TTL, "TTL 1", ttl_one},
	{DP_DROP_TTL, "TTL 0", ttl_zero},
	{DP_DROP_NO_ROUTE, "no route", unrouted},
	{DP_DROP_SUBNET_BROADCAST, "subnet broadcast", subnet_broadcast},
	{DP_DROP_TOO_BIG, "one byte over the MTU", big},
	{DP_DROP_LOCAL, "UDP to us", local_udp},
	{DP_DROP_LOCAL, "TCP to a VIP", local_vip_tcp},
	{DP_DROP_LOCAL, "echo reply to us", local_echo_reply},
	{DP_DROP_LOCAL, "unicast advert to a VIP", carp_to_vip},
	{DP_DROP_ECHO_MALFORMED, "seven bytes of ICMP", echo_short},
	{DP_DROP_ECHO_MALFORMED, "fragment", echo_fragment},
	{DP_DROP_ECHO_MALFORMED, "ICMP checksum", echo_checksum},
	{DP_DROP_NO_INTERFACE, "VLAN tag", vlan},
};

static void
every_bad_frame_is_dropped_with_its_reason(void **state)
{
	struct rig *r = *state;

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct drop_case *c = &cases[i];
		struct frame f = c->make();
		struct dp_punt p;

		rig_configure(r, &(struct rig_options){.n_workers = 1});
		rig_master(r, LAN_VHID1);
		rig_take(r, LAN, &f);
		if (rig_drops(r, c->why) != 1 || rig_drops_all(r) != 1)
			print_error("case: %s\n", c->what);
		rig_assert_one_drop(r, c->why);
		assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 1), 0);
		assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 0);
		/* Only these three may be answered, by an ICMP error. */
		if (c->why != DP_DROP_TTL && c->why != DP_DROP_NO_ROUTE)
			rig_assert_silent(r);
		assert_int_equal(rig_stats(r).rx_frames, 1);
		assert_int_equal(rig_stats(r).rx_bytes, f.len);
	}
}

static void
a_port_without_interface_takes_nothing(void **state)
{
	struct rig *r = *state;
	struct frame f = udp();

	rig_take(r, BARE, &f);
	rig_assert_one_drop(r, DP_DROP_NO_INTERFACE);
}

static void
no_frame_is_sent_to_a_port_without_link(void **state)
{
	struct rig *r = *state;
	struct frame f = udp();
	struct rte_mbuf *m;

	rig_master(r, LAN_VHID1);
	dp_link(r->dp, r->port_id[WAN], false);
	rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_LINK_DOWN);
	rig_assert_silent(r);

	m = dp_ctl_alloc(r->dp);
	assert_int_equal(dp_ctl_send(r->dp, WAN, m, DP_NONE), -ENETDOWN);
	assert_int_equal(rig_drops(r, DP_DROP_LINK_DOWN), 2);

	dp_link(r->dp, r->port_id[WAN], true);
	rig_take(r, LAN, &f);
	assert_int_equal(rig_tx_count(r, WAN), 1);
}

static void
a_full_transmit_queue_drops_the_rest(void **state)
{
	struct rig *r = *state;
	struct frame f = udp();
	uint64_t sent;
	unsigned int n;

	rig_master(r, LAN_VHID1);
	for (n = 0; n < 600; n++)
		rig_take(r, LAN, &f);
	sent = rig_stats(r).tx_frames;
	assert_int_equal(rig_drops(r, DP_DROP_TX_FULL), n - sent);
	assert_true(sent < n);
	assert_int_equal(rig_stats(r).forwarded, sent);
	assert_int_equal(rig_stats(r).tx_bytes, sent * f.len);
	assert_int_equal(rig_tx_count(r, WAN), sent);
}

static void
a_full_hand_off_ring_refuses(void **state)
{
	struct rig *r = *state;
	struct rte_mbuf *m;
	unsigned int n;

	for (n = 0; n < 2000; n++) {
		m = dp_ctl_alloc(r->dp);
		if (dp_ctl_send(r->dp, WAN, m, DP_NONE) != 0)
			break;
	}
	rig_assert_one_drop(r, DP_DROP_HANDOFF_FULL);
	assert_true(n >= 512 && n < 2000);
	assert_int_equal(rig_stats(r).handed_over, n);
}

static void
a_full_advert_ring_drops(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 7);

	for (unsigned int i = 0; i < 64; i++)
		rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_ADVERT_RING_FULL);
	assert_int_equal(rig_stats(r).punted_adverts, 63);
}

static void
a_full_punt_ring_drops(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_arp(wire_broadcast_mac, WIRE_ARP_REQUEST, CLIENT, LAN_VIP);

	for (unsigned int i = 0; i < 32; i++)
		rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_PUNT_RING_FULL);
	assert_int_equal(rig_stats(r).punted_arp, 31);
}

static void
a_full_resolve_ring_drops(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(vmac1, CLIENT, STRANGER);

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < 256; i++)
		rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_RESOLVE_RING_FULL);
	assert_int_equal(rig_stats(r).punted_resolve, 255);
}

static struct rte_mbuf *
unresolved_packet(struct rig *r)
{
	struct frame f = frame_udp(vmac1, CLIENT, STRANGER);
	struct dp_punt p;

	rig_master(r, LAN_VHID1);
	rig_take(r, LAN, &f);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	assert_int_equal(p.cls, DP_PUNT_RESOLVE);
	return p.m;
}

static void
a_packet_pushed_out_of_the_hold_queue(void **state)
{
	struct rig *r = *state;

	dp_ctl_hold_dropped(r->dp, unresolved_packet(r));
	rig_assert_one_drop(r, DP_DROP_HOLD_FULL);
}

static void
a_packet_whose_next_hop_is_silent(void **state)
{
	struct rig *r = *state;

	dp_ctl_unreachable(r->dp, unresolved_packet(r));
	rig_assert_one_drop(r, DP_DROP_UNREACHABLE);
}

static void
an_empty_mempool_is_counted(void **state)
{
	struct rig *r = *state;
	static struct rte_mbuf *all[8192];
	struct frame f = ttl_one();
	unsigned int n = 0;

	rig_master(r, LAN_VHID1);
	rig_rx(r, LAN, &f);
	while ((all[n] = rte_pktmbuf_alloc(r->pool)) != NULL)
		n++;
	assert_null(dp_ctl_alloc(r->dp));
	assert_int_equal(rig_drops(r, DP_DROP_NO_MBUF), 1);
	/* The error about it is what cannot be made; the packet has its own reason. */
	rig_turn(r);
	assert_int_equal(rig_drops(r, DP_DROP_NO_MBUF), 2);
	assert_int_equal(rig_drops(r, DP_DROP_TTL), 1);
	rte_pktmbuf_free_bulk(all, n);
}

static void
names_and_texts(void **state)
{
	(void)state;
	for (unsigned int d = 0; d < DP_DROP_COUNT; d++) {
		const char *name = dp_drop_name((enum dp_drop)d);

		assert_true(strlen(name) > 0 && strlen(name) < 32);
		assert_int_equal(
			strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
		assert_true(strlen(dp_drop_text((enum dp_drop)d)) > 0);
		for (unsigned int e = 0; e < d; e++)
			assert_string_not_equal(name, dp_drop_name((enum dp_drop)e));
	}
	assert_string_equal(dp_drop_name(DP_DROP_NOT_MASTER), "not_master");
	assert_string_equal(dp_drop_name(DP_DROP_COUNT), "");
}

/* Runs last: each row of drops.def was counted by one of the tests above. */
static void
every_drop_reason_was_reached(void **state)
{
	(void)state;
	for (unsigned int d = 0; d < DP_DROP_COUNT; d++)
		if (rig_seen[d] == 0)
			fail_msg("no test reached %s", dp_drop_name((enum dp_drop)d));
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_bad_frame_is_dropped_with_its_reason),
		T(a_port_without_interface_takes_nothing),
		T(no_frame_is_sent_to_a_port_without_link),
		T(a_full_transmit_queue_drops_the_rest),
		T(a_full_hand_off_ring_refuses),
		T(a_full_advert_ring_drops),
		T(a_full_punt_ring_drops),
		T(a_full_resolve_ring_drops),
		T(a_packet_pushed_out_of_the_hold_queue),
		T(a_packet_whose_next_hop_is_silent),
		T(an_empty_mempool_is_counted),
		cmocka_unit_test(names_and_texts),
		cmocka_unit_test(every_drop_reason_was_reached),
	};

	return cmocka_run_group_tests_name("dp_drops", tests, rig_group_setup, rig_group_teardown);
}
