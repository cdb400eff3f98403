/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The host path: what goes to the kernel, and what it may send. */
#include "dp_rig_host.h"

#include <string.h>

#include "base_bytes.h"

static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t ospf_mac[6] = {0x01, 0x00, 0x5e, 0, 0, 5};
static const uint8_t ospf6_mac[6] = {0x33, 0x33, 0, 0, 0, 5};
static const uint8_t ospf6[16] = {0xff, 0x02, [15] = 5};
static const uint8_t site6[16] = {0xff, 0x05, [15] = 5};

static void
what_is_to_own_addresses_goes_up(void **state)
{
	struct rig *r = *state;
	struct frame lan = frame_ip4(lan_mac, CLIENT, LAN_OWN, TCP, 40);
	struct frame wan = frame_ip4(lan_mac, CLIENT, WAN_OWN, TCP, 40);
	struct frame six = frame_ip6(lan_mac, client6, lan_own6, TCP, 40);
	struct frame wan_six = frame_ip6(lan_mac, client6, wan_own6, TCP, 40);
	struct frame local = frame_ip6(lan_mac, client_ll6, own_ll6, TCP, 40);
	struct dp_host_stats s;

	rig_take(r, LAN, &lan);
	assert_kernel_gets(r, LAN, &lan, lan_mac);
	/* By the tap that has the address, whatever way it came. */
	rig_take(r, LAN, &wan);
	assert_kernel_gets(r, WAN, &wan, wan_mac);
	rig_take(r, LAN, &six);
	assert_kernel_gets(r, LAN, &six, lan_mac);
	rig_take(r, LAN, &wan_six);
	assert_kernel_gets(r, WAN, &wan_six, wan_mac);
	rig_take(r, LAN, &local);
	assert_kernel_gets(r, LAN, &local, lan_mac);
	assert_kernel_gets_nothing(r);
	assert_int_equal(rig_drops_all(r), 0);
	dp_host_stats(r->dp, LAN, &s);
	assert_int_equal(s.to_host, 3);
	assert_int_equal(rig_stats(r).to_host, 5);
	rig_assert_silent(r);
}

static void
without_a_tap_they_are_dropped(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(lan_mac, CLIENT, LAN_OWN, TCP, 40);
	struct rte_mbuf *m;

	rig_configure(r, &(struct rig_options){.n_workers = 1});
	rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_LOCAL);
	assert_int_equal(dp_host_poll(r->dp, LAN, 0, &m, 1), 0);
}

static void
what_koi_answers_itself_stays(void **state)
{
	struct rig *r = *state;
	struct frame echo = frame_echo(lan_mac, CLIENT, LAN_OWN, 8);
	struct frame echo6 = frame_echo6(lan_mac, client6, lan_own6, 8);
	struct frame carp = frame_carp(lan_mac, CLIENT, LAN_OWN, 1);
	struct dp_punt p;

	rig_take(r, LAN, &echo);
	rig_take(r, LAN, &echo6);
	assert_int_equal(rig_tx_count(r, LAN), 2);
	rig_take(r, LAN, &carp);
	assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 1), 1);
	rte_pktmbuf_free(p.m);
	assert_kernel_gets_nothing(r);
}

/* Answers to the kernel's own pings, and what routers tell it. */
static void
other_icmp_goes_up(void **state)
{
	struct rig *r = *state;
	struct frame reply = frame_echo(lan_mac, CLIENT, LAN_OWN, 8);
	struct frame too_big = frame_icmp6(lan_mac, client6, lan_own6, WIRE_ICMP6_TOO_BIG, 64);

	reply.b[IP_AT + 20] = WIRE_ICMP_ECHO_REPLY;
	base_store_be16(
		reply.b + IP_AT + 22, (uint16_t)(base_load_be16(reply.b + IP_AT + 22) + 0x0800));
	rig_take(r, LAN, &reply);
	assert_kernel_gets(r, LAN, &reply, lan_mac);
	rig_take(r, LAN, &too_big);
	assert_kernel_gets(r, LAN, &too_big, lan_mac);
	rig_assert_silent(r);
}

static void
vips_are_the_masters(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(vmac1, CLIENT, LAN_VIP, TCP, 40);
	struct frame six = frame_ip6(vmac1, client6, lan_vip6, TCP, 40);

	rig_take(r, LAN, &f);
	assert_int_equal(rig_drops(r, DP_DROP_NOT_MASTER), 1);
	rig_master(r, LAN_VHID1);
	rig_take(r, LAN, &f);
	assert_kernel_gets(r, LAN, &f, lan_mac);
	rig_take(r, LAN, &six);
	assert_kernel_gets(r, LAN, &six, lan_mac);
	rig_handing_over(r, LAN_VHID1);
	rig_take(r, LAN, &f);
	rig_take(r, LAN, &six);
	assert_int_equal(rig_drops(r, DP_DROP_NOT_MASTER), 3);
	assert_kernel_gets_nothing(r);
}

static void
groups_of_the_link_go_up(void **state)
{
	struct rig *r = *state;
	const struct frame up[] = {
		frame_ip4(ospf_mac, CLIENT, IP(224, 0, 0, 5), 89, 40),
		frame_ip4(all, 0, IP(255, 255, 255, 255), 17, 40),
		frame_ip4(all, CLIENT, IP(255, 255, 255, 255), 17, 40),
		frame_ip4(all, CLIENT, IP(192, 0, 2, 255), 17, 40),
		frame_ip6(ospf6_mac, client_ll6, ospf6, 89, 40),
	};
	const struct {
		struct frame f;
		enum dp_drop why;
	} not_up[] = {
		{frame_ip4(ospf_mac, CLIENT, IP(239, 0, 0, 5), 17, 40), DP_DROP_MULTICAST},
		{frame_ip4(ospf_mac, 0, IP(224, 0, 0, 5), 17, 40), DP_DROP_IP4_SOURCE},
		{frame_ip4(all, CLIENT, IP(198, 51, 100, 255), 17, 40), DP_DROP_L2_BROADCAST},
		{frame_ip4(all, CLIENT, SERVER, 17, 40), DP_DROP_L2_BROADCAST},
		{frame_ip4(lan_mac, CLIENT, IP(224, 0, 0, 5), 17, 40), DP_DROP_MULTICAST},
		{frame_ip6(ospf6_mac, client_ll6, site6, 17, 40), DP_DROP_IP6_UNHANDLED},
	};

	for (unsigned int i = 0; i < RTE_DIM(up); i++) {
		rig_take(r, LAN, &up[i]);
		assert_kernel_gets(r, LAN, &up[i], up[i].b);
	}
	assert_int_equal(rig_drops_all(r), 0);
	for (unsigned int i = 0; i < RTE_DIM(not_up); i++) {
		uint64_t n = rig_drops(r, not_up[i].why);

		rig_take(r, LAN, &not_up[i].f);
		assert_int_equal(rig_drops(r, not_up[i].why), n + 1);
	}
	assert_kernel_gets_nothing(r);
}

/* However many come, so many wait and no more; what koi itself does goes on. */
static void
a_flood_is_bounded(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(lan_mac, CLIENT, LAN_OWN, TCP, 40);
	struct frame wan = frame_ip4(lan_mac, CLIENT, WAN_OWN, TCP, 40);
	struct frame got;
	struct dp_host_stats s;
	uint32_t n = 0;

	for (unsigned int i = 0; i < 3 * DP_HOST_RING_SLOTS; i++)
		rig_take(r, LAN, &f);
	dp_host_stats(r->dp, LAN, &s);
	assert_int_equal(s.to_host, DP_HOST_RING_SLOTS - 1);
	assert_int_equal(s.to_host + s.paced, 3 * DP_HOST_RING_SLOTS);
	assert_int_equal(rig_drops(r, DP_DROP_HOST_PACED), s.paced);
	/* Another interface's place is its own. */
	rig_take(r, LAN, &wan);
	assert_kernel_gets(r, WAN, &wan, wan_mac);
	while (kernel_gets(r, LAN, &got))
		n++;
	assert_int_equal(n, DP_HOST_RING_SLOTS - 1);
	rig_turn(r);
	rig_take(r, LAN, &f);
	assert_kernel_gets(r, LAN, &f, lan_mac);
}

static void
the_kernel_sends_by_our_routes(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(lan_mac, LAN_OWN, SERVER, TCP, 40);
	struct frame six = frame_ip6(lan_mac, lan_own6, server6, TCP, 40);
	struct frame near = frame_ip4(lan_mac, LAN_OWN, CLIENT, TCP, 40);
	struct frame local = frame_ip6(lan_mac, own_ll6, client_ll6, TCP, 40);
	struct dp_host_stats s;

	f.b[IP_AT + 8] = 1;
	frame_sum(&f);
	kernel_sends(r, LAN, &f);
	assert_sent(r, WAN, &f, router_mac, wan_mac);
	kernel_sends(r, LAN, &six);
	assert_sent(r, WAN, &six, router_mac, wan_mac);
	kernel_sends(r, WAN, &near);
	assert_sent(r, LAN, &near, client_mac, lan_mac);
	/* What is of a link leaves by that of the tap. */
	kernel_sends(r, WAN, &local);
	assert_sent(r, WAN, &local, client_mac, wan_mac);
	dp_host_stats(r->dp, LAN, &s);
	assert_int_equal(s.from_host, 2);
	assert_int_equal(rig_stats(r).from_host, 4);
	assert_int_equal(rig_stats(r).forwarded, 0);
	assert_int_equal(rig_drops_all(r), 0);
}

/* From a VIP only as MASTER, and then with its vMAC where that is its own. */
static void
who_is_not_master_says_nothing_as_one(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(lan_mac, LAN_VIP, CLIENT, TCP, 40);
	struct frame six = frame_ip6(lan_mac, lan_vip6, client6, TCP, 40);
	struct frame local = frame_ip6(lan_mac, vip_ll6, client_ll6, TCP, 40);
	struct frame far = frame_ip4(lan_mac, LAN_VIP, SERVER, TCP, 40);
	const struct frame *const near[] = {&f, &six, &local};

	for (unsigned int i = 0; i < RTE_DIM(near); i++)
		assert_refused(r, LAN, near[i], DP_DROP_HOST_SOURCE);
	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < RTE_DIM(near); i++) {
		kernel_sends(r, LAN, near[i]);
		assert_sent(r, LAN, near[i], client_mac, vmac1);
	}
	kernel_sends(r, LAN, &far);
	assert_sent(r, WAN, &far, router_mac, wan_mac);
	rig_handing_over(r, LAN_VHID1);
	for (unsigned int i = 0; i < RTE_DIM(near); i++)
		assert_refused(r, LAN, near[i], DP_DROP_HOST_SOURCE);
	/* Another group's state is none of its. */
	rig_backup(r, LAN_VHID1);
	rig_master(r, LAN_VHID7);
	assert_refused(r, LAN, &f, DP_DROP_HOST_SOURCE);
}

/* Balanced: any of the groups that have it. */
static void
a_shared_vip_is_that_of_whoever_is_master(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(lan_mac, LAN_VIP, CLIENT, TCP, 40);

	rig_configure(r, &(struct rig_options){.host = true, .shared_vip = true});
	assert_refused(r, LAN, &f, DP_DROP_HOST_SOURCE);
	rig_master(r, LAN_VHID7);
	kernel_sends(r, LAN, &f);
	assert_sent(r, LAN, &f, client_mac, vmac7);
}

/* A packet from a VIP that waited for a neighbour for longer than the state. */
static void
the_state_counts_when_it_leaves(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(lan_mac, LAN_VIP, CLIENT2, TCP, 40);
	struct dp_punt p;

	rig_master(r, LAN_VHID1);
	kernel_sends(r, LAN, &f);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	assert_int_equal(p.cls, DP_PUNT_RESOLVE);
	rig_backup(r, LAN_VHID1);
	dp_ctl_send_resolved(r->dp, LAN, p.m, other_mac);
	rig_assert_one_drop(r, DP_DROP_NOT_MASTER);
	rig_turn(r);
	rig_assert_silent(r);
}

static void
others_names_and_protocols_are_refused(void **state)
{
	struct rig *r = *state;
	struct frame short_one = {.len = 10};
	struct frame broken = frame_ip4(lan_mac, LAN_OWN, CLIENT, TCP, 40);
	struct frame f;

	f = frame_ip4(lan_mac, CLIENT, SERVER, TCP, 40);
	assert_refused(r, LAN, &f, DP_DROP_HOST_SOURCE);
	f = frame_ip4(lan_mac, 0, SERVER, TCP, 40);
	assert_refused(r, LAN, &f, DP_DROP_HOST_SOURCE);
	f = frame_ip6(lan_mac, client6, server6, TCP, 40);
	assert_refused(r, LAN, &f, DP_DROP_HOST_SOURCE);
	f = frame_ip6(lan_mac, client_ll6, server6, TCP, 40);
	assert_refused(r, LAN, &f, DP_DROP_HOST_SOURCE);
	f = frame_ip6(lan_mac, (const uint8_t[16]){0}, ospf6, TCP, 40);
	assert_refused(r, LAN, &f, DP_DROP_HOST_SOURCE);
	f = frame_carp(lan_mac, LAN_OWN, CLIENT, 1);
	assert_refused(r, LAN, &f, DP_DROP_HOST_REFUSED);
	f = frame_carp6(lan_mac, lan_own6, client6, 1);
	assert_refused(r, LAN, &f, DP_DROP_HOST_REFUSED);
	f = frame_arp(all, WIRE_ARP_REQUEST, LAN_OWN, CLIENT);
	assert_refused(r, LAN, &f, DP_DROP_HOST_REFUSED);
	f = frame_icmp6(lan_mac, lan_own6, client6, WIRE_ICMP6_NS, 32);
	assert_refused(r, LAN, &f, DP_DROP_HOST_REFUSED);
	f = frame_icmp6(lan_mac, own_ll6, ospf6, 134, 16);
	assert_refused(r, LAN, &f, DP_DROP_HOST_REFUSED);
	assert_refused(r, LAN, &short_one, DP_DROP_HOST_REFUSED);
	broken.b[IP_AT + 10] ^= 1;
	assert_refused(r, LAN, &broken, DP_DROP_IP4_CHECKSUM);
	f = frame_ip6(lan_mac, lan_own6, client6, TCP, 40);
	f.len -= 10;
	assert_refused(r, LAN, &f, DP_DROP_IP6_TRUNCATED);
	/* To what it has itself, or nobody can have. */
	f = frame_ip4(lan_mac, LAN_OWN, WAN_OWN, TCP, 40);
	assert_refused(r, LAN, &f, DP_DROP_LOCAL);
	f = frame_ip4(lan_mac, LAN_OWN, IP(127, 0, 0, 1), TCP, 40);
	assert_refused(r, LAN, &f, DP_DROP_IP4_DESTINATION);
	f = frame_ip6(lan_mac, lan_own6, wan_own6, TCP, 40);
	assert_refused(r, LAN, &f, DP_DROP_LOCAL);
	f = frame_ip6(lan_mac, own_ll6, own_ll6, TCP, 40);
	assert_refused(r, LAN, &f, DP_DROP_LOCAL);
	/* From an address of one link to another. */
	f = frame_ip6(lan_mac, own_ll6, server6, TCP, 40);
	assert_refused(r, LAN, &f, DP_DROP_IP6_SCOPE);
	f = frame_ip6(lan_mac, own_ll6, wan_vip6, TCP, 40);
	assert_refused(r, LAN, &f, DP_DROP_IP6_SCOPE);
}

static void
groups_and_broadcasts_leave_by_the_tap_they_came_by(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(lan_mac, LAN_OWN, IP(224, 128, 0, 5), 89, 40);
	const uint8_t mac[6] = {0x01, 0x00, 0x5e, 0, 0, 5};

	kernel_sends(r, LAN, &f);
	assert_sent(r, LAN, &f, mac, lan_mac);
	f = frame_ip4(lan_mac, LAN_OWN, IP(192, 0, 2, 255), 17, 40);
	kernel_sends(r, LAN, &f);
	assert_sent(r, LAN, &f, all, lan_mac);
	f = frame_ip4(lan_mac, 0, IP(255, 255, 255, 255), 17, 40);
	kernel_sends(r, WAN, &f);
	assert_sent(r, WAN, &f, all, wan_mac);
	f = frame_ip6(lan_mac, own_ll6, ospf6, 89, 40);
	kernel_sends(r, WAN, &f);
	assert_sent(r, WAN, &f, ospf6_mac, wan_mac);
	f = frame_ip4(lan_mac, WAN_OWN, IP(224, 0, 0, 5), 89, 1381);
	assert_refused(r, WAN, &f, DP_DROP_TOO_BIG);
}

/* The other box has the VIP: its kernel is reached as any host would reach it. */
static void
the_masters_vip_is_reached_by_the_vmac(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(lan_mac, LAN_OWN, LAN_VIP, TCP, 40);
	struct frame six = frame_ip6(lan_mac, lan_own6, lan_vip6, TCP, 40);
	struct frame local = frame_ip6(lan_mac, own_ll6, vip_ll6, TCP, 40);

	kernel_sends(r, LAN, &f);
	assert_sent(r, LAN, &f, vmac1, lan_mac);
	kernel_sends(r, LAN, &six);
	assert_sent(r, LAN, &six, vmac1, lan_mac);
	kernel_sends(r, LAN, &local);
	assert_sent(r, LAN, &local, vmac1, lan_mac);
	rig_master(r, LAN_VHID1);
	assert_refused(r, LAN, &f, DP_DROP_LOCAL);
	assert_refused(r, LAN, &six, DP_DROP_LOCAL);
	assert_refused(r, LAN, &local, DP_DROP_LOCAL);
}

/* As any sender's: without DF it goes in fragments. */
static void
what_is_long_is_cut(void **state)
{
	struct rig *r = *state;
	struct frame big = frame_ip4(lan_mac, LAN_OWN, SERVER, 17, 1381);

	kernel_sends(r, LAN, &big);
	assert_int_equal(rig_tx_count(r, WAN), 2);
	assert_int_equal(rig_stats(r).fragments, 2);
	assert_int_equal(rig_drops_all(r), 0);
	assert_kernel_gets_nothing(r);
}

/* It keeps what there is no room for, and nothing is lost. */
static void
a_full_ring_is_told(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(lan_mac, LAN_OWN, CLIENT, TCP, 40);
	struct rte_mbuf *m = NULL;
	uint32_t n = 0;

	for (;; n++) {
		m = rte_pktmbuf_alloc(r->pool);
		memcpy(rte_pktmbuf_append(m, (uint16_t)f.len), f.b, f.len);
		if (!dp_host_send(r->dp, LAN, m))
			break;
	}
	assert_int_equal(n, DP_HOST_RING_SLOTS - 1);
	rig_turn(r);
	/* So many in one turn, that receiving goes on. */
	assert_int_equal(rig_tx_count(r, LAN), DP_HOST_BURST);
	assert_true(dp_host_send(r->dp, LAN, m));
	for (unsigned int i = 0; i < DP_HOST_RING_SLOTS / DP_HOST_BURST; i++)
		rig_turn(r);
	assert_int_equal(rig_tx_count(r, LAN), n + 1 - DP_HOST_BURST);
}

/* With several workers each has its own rings, and the first sends. */
static void
workers_have_rings_of_their_own(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip4(lan_mac, CLIENT, LAN_OWN, TCP, 40);
	struct frame out = frame_ip4(lan_mac, LAN_OWN, CLIENT, TCP, 40);
	struct rte_mbuf *m;

	rig_configure(r, &(struct rig_options){.host = true, .n_workers = 2});
	rig_rx_queue(r, LAN, 1, &f);
	rig_turn(r);
	assert_int_equal(dp_host_poll(r->dp, LAN, 0, &m, 1), 0);
	assert_int_equal(dp_host_poll(r->dp, LAN, 1, &m, 1), 1);
	dp_host_done(r->dp, 1, &m, 1);
	kernel_sends(r, LAN, &out);
	assert_non_null(rig_tx_queue(r, LAN, 0));
	rig_assert_silent(r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, host_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_to_own_addresses_goes_up),
		T(without_a_tap_they_are_dropped),
		T(what_koi_answers_itself_stays),
		T(other_icmp_goes_up),
		T(vips_are_the_masters),
		T(groups_of_the_link_go_up),
		T(a_flood_is_bounded),
		T(the_kernel_sends_by_our_routes),
		T(who_is_not_master_says_nothing_as_one),
		T(a_shared_vip_is_that_of_whoever_is_master),
		T(the_state_counts_when_it_leaves),
		T(others_names_and_protocols_are_refused),
		T(groups_and_broadcasts_leave_by_the_tap_they_came_by),
		T(the_masters_vip_is_reached_by_the_vmac),
		T(what_is_long_is_cut),
		T(a_full_ring_is_told),
		T(workers_have_rings_of_their_own),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
