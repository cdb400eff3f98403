/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* An interface that an operator took down: nothing comes in, nothing goes out, others go on. */
#include "dp_rig.h"

#include <errno.h>
#include <string.h>

/* A frame is lost by it, and comes again once the interface is up, all within a millisecond. */
static void
lost_and_back(struct rig *r, uint16_t down, const struct frame *f, int in, int out)
{
	uint64_t before = rig_drops(r, DP_DROP_IF_DOWN), all = rig_drops_all(r);

	rig_take(r, in, f);
	assert_int_equal(rig_tx_count(r, out), 1);
	dp_if_set(r->dp, down, false);
	assert_false(dp_if_is_up(r->dp, down));
	rig_take(r, in, f);
	rig_assert_silent(r);
	assert_int_equal(rig_drops(r, DP_DROP_IF_DOWN), before + 1);
	assert_int_equal(rig_drops_all(r), all + 1);
	dp_if_set(r->dp, down, true);
	rig_take(r, in, f);
	assert_int_equal(rig_tx_count(r, out), 1);
	assert_int_equal(rig_drops_all(r), all + 1);
}

static void
nothing_comes_in(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(lan_mac, CLIENT, SERVER);
	struct frame echo = frame_echo(lan_mac, CLIENT, LAN_OWN, 56);
	struct frame f6 = frame_ip6(lan_mac, client6, server6, WIRE_PROTO_UDP, 56);

	lost_and_back(r, LAN, &f, LAN, WAN);
	lost_and_back(r, LAN, &f6, LAN, WAN);
	lost_and_back(r, LAN, &echo, LAN, LAN);
	/* it was seen on the wire, and not heard */
	base_ns_t heard = dp_last_frame(r->dp, LAN);

	dp_if_set(r->dp, LAN, false);
	r->now += BASE_NS_PER_MS;
	rig_take(r, LAN, &f);
	assert_int_equal(dp_last_frame(r->dp, LAN), heard);
}

static void
nothing_goes_out(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(lan_mac, CLIENT, SERVER);
	struct frame f6 = frame_ip6(lan_mac, client6, server6, WIRE_PROTO_UDP, 56);
	struct dp_punt p;

	lost_and_back(r, WAN, &f, LAN, WAN);
	lost_and_back(r, WAN, &f6, LAN, WAN);
	/* whose neighbour is not known is not asked for either */
	f = frame_udp(lan_mac, CLIENT, STRANGER);
	dp_if_set(r->dp, WAN, false);
	rig_take(r, LAN, &f);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 0);
	rig_assert_silent(r);
}

/* The control lcore's own frames as well; the device has link all the time. */
static void
control_sends_nothing(void **state)
{
	struct rig *r = *state;
	struct rte_mbuf *m = dp_ctl_alloc(r->dp);

	assert_non_null(rte_pktmbuf_append(m, 60));
	dp_if_set(r->dp, WAN, false);
	assert_int_equal(dp_ctl_send(r->dp, WAN, m, DP_NONE), -ENETDOWN);
	rig_turn(r);
	rig_assert_silent(r);
	rig_assert_one_drop(r, DP_DROP_IF_DOWN);
	assert_false(dp_has_link(r->dp, WAN));
	assert_true(dp_has_link(r->dp, LAN));
}

/* Of two interfaces on a device one alone. */
static void
one_tag_of_a_device(void **state)
{
	struct rig *r = *state;
	const struct rig_options opt = {.one_port = true, .vlan = {0, 20}};
	struct frame f = frame_udp(lan_mac, CLIENT, SERVER);
	struct frame echo = frame_echo(lan_mac, CLIENT, LAN_OWN, 56);

	rig_configure(r, &opt);
	dp_if_set(r->dp, WAN, false);
	rig_rx(r, LAN, &f);
	rig_turn(r);
	rig_assert_one_drop(r, DP_DROP_IF_DOWN);
	rig_rx(r, LAN, &echo);
	rig_turn(r);
	assert_int_equal(rig_tx_count(r, LAN), 1);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(nothing_comes_in),
		T(nothing_goes_out),
		T(control_sends_nothing),
		T(one_tag_of_a_device),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
