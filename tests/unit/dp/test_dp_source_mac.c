/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* "source-mac": "vmac": forwarded frames leave with the MAC of a group that is MASTER. */
#include "dp_rig.h"

#include <string.h>

#include "base_bytes.h"

static const struct rig_options by_vmac = {.source_vmac = true};

/* The frame is forwarded from the LAN to the WAN with this source. */
static void
assert_source(struct rig *r, const struct frame *f, const uint8_t src[6])
{
	struct rte_mbuf *m;

	rig_take(r, LAN, f);
	m = rig_tx(r, WAN);
	assert_non_null(m);
	assert_memory_equal(frame_of(m).b, router_mac, 6);
	assert_memory_equal(frame_of(m).b + 6, src, 6);
	rig_assert_silent(r);
}

/* All within a millisecond: what a worker remembers of next hops must not outlast the state. */
static void
follow_the_states(struct rig *r, const struct frame *f)
{
	assert_source(r, f, wan_mac);
	rig_master(r, WAN_VHID9);
	assert_source(r, f, vmac9);
	rig_master(r, WAN_VHID1);
	assert_source(r, f, vmac1);
	rig_handing_over(r, WAN_VHID1);
	assert_source(r, f, vmac9);
	rig_backup(r, WAN_VHID1);
	assert_source(r, f, vmac9);
	rig_backup(r, WAN_VHID9);
	assert_source(r, f, wan_mac);
	/* The other interface's groups have no say. */
	rig_master(r, LAN_VHID7);
	assert_source(r, f, wan_mac);
	assert_true(r->now < BASE_NS_PER_S + BASE_NS_PER_MS);
}

static void
the_source_is_the_vmac_of_the_lowest_master(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(lan_mac, CLIENT, SERVER);

	rig_configure(r, &by_vmac);
	follow_the_states(r, &f);
}

static void
so_it_is_with_ipv6(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_ip6(lan_mac, client6, server6, 17, 100);

	rig_configure(r, &by_vmac);
	follow_the_states(r, &f);
}

static void
without_the_knob_it_is_the_interfaces(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(lan_mac, CLIENT, SERVER);

	rig_master(r, WAN_VHID1);
	assert_source(r, &f, wan_mac);
}

/* By what is known when it is sent, not when it was received. */
static void
a_packet_that_waited_has_it_too(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(lan_mac, CLIENT, STRANGER);
	struct dp_punt p;
	struct rte_mbuf *m;

	rig_configure(r, &by_vmac);
	rig_take(r, LAN, &f);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	rig_master(r, WAN_VHID9);
	dp_ctl_send_resolved(r->dp, WAN, p.m, other_mac);
	rig_turn(r);
	m = rig_tx(r, WAN);
	assert_non_null(m);
	assert_memory_equal(frame_of(m).b + 6, vmac9, 6);
}

/* What koi says itself comes from whose address it has. */
static void
own_packets_have_their_own_source(void **state)
{
	struct rig *r = *state;
	struct frame own = frame_echo(lan_mac, CLIENT, LAN_OWN, 8);
	struct frame vip = frame_echo(vmac7, CLIENT, LAN_VIP7, 8);
	struct frame last = frame_udp(lan_mac, CLIENT, SERVER);
	const struct {
		const struct frame *f;
		const uint8_t *src;
	} cases[] = {{&own, lan_mac}, {&vip, vmac7}, {&last, lan_mac}};

	rig_configure(r, &by_vmac);
	rig_master(r, LAN_VHID1);
	rig_master(r, LAN_VHID7);
	last.b[WIRE_ETH_LEN + 8] = 1;
	frame_sum(&last);
	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		struct rte_mbuf *m;

		rig_take(r, LAN, cases[i].f);
		m = rig_tx(r, LAN);
		assert_non_null(m);
		assert_memory_equal(frame_of(m).b, client_mac, 6);
		assert_memory_equal(frame_of(m).b + 6, cases[i].src, 6);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

/* Another roster has it, and where packets may come from: from the next turn on. */
static void
rules_of_an_interface_change(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(lan_mac, CLIENT, SERVER);
	struct frame spoofed = frame_udp(lan_mac, SERVER, SERVER);
	struct rig_roster c;
	struct dp_roster *n;
	struct rte_mbuf *m;

	rig_roster(r, &c);
	rig_master(r, WAN_VHID9);
	for (unsigned int i = 0; i < 3; i++) {
		bool on = i == 1;

		rig_take(r, LAN, &f);
		m = rig_tx(r, WAN);
		assert_non_null(m);
		assert_memory_equal(frame_of(m).b + 6, on ? vmac9 : wan_mac, 6);
		rig_take(r, LAN, &spoofed);
		assert_int_equal(rig_tx_count(r, WAN), !on);
		assert_int_equal(rig_drops(r, DP_DROP_RP_FILTER), i > 0);
		c.ifs[WAN].source_vmac = !on;
		c.ifs[LAN].rp_filter = on ? DP_RP_OFF : DP_RP_STRICT;
		n = dp_roster_prepare(r->dp, c.ifs, c.groups, RIG_SLOTS);
		assert_non_null(n);
		dp_roster_free(r->dp, dp_roster_publish(r->dp, n));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_source_is_the_vmac_of_the_lowest_master),
		T(so_it_is_with_ipv6),
		T(rules_of_an_interface_change),
		T(without_the_knob_it_is_the_interfaces),
		T(a_packet_that_waited_has_it_too),
		T(own_packets_have_their_own_source),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
