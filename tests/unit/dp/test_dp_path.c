/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Routes with several next hops: flows are spread, each keeps its path, a path that is not usable
 * is gone around. And routes that lead nowhere.
 */
#include "dp_rig.h"

#include <string.h>

#include <rte_rcu_qsbr.h>

#include "base_bytes.h"

#define IP_AT WIRE_ETH_LEN
#define FLOWS 3000

static const uint8_t router2_mac[6] = {0x02, 0, 0, 0, 0x02, 0xfd};
static const uint8_t router3_mac[6] = {0x02, 0, 0, 0, 0x02, 0xfc};
static const uint8_t multi6[16] = {0x20, 0x01, 0x0d, 0xb8, 0xfd, 0x23, [15] = 9};
static const uint8_t router2_6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 2, [15] = 253};
static const uint8_t router3_6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 2, [15] = 252};

/* Flow i of a family: by its source port, or for half of them by the source address. */
static struct frame
flow(unsigned int i, bool ip6)
{
	struct frame f;
	uint32_t l4 = IP_AT + (ip6 ? WIRE_IP6_LEN : WIRE_IP4_LEN);

	if (ip6) {
		f = frame_ip6(vmac1, client6, multi6, WIRE_PROTO_UDP, 32);
		f.b[IP_AT + 8 + 15] = (uint8_t)(16 + i % 2);
	} else {
		f = frame_udp(vmac1, CLIENT + i % 2, IP(203, 0, 123, 9));
	}
	base_store_be16(f.b + l4, (uint16_t)(1024 + i));
	return f;
}

/* Which router a frame goes to, 0 to 2; 3 when it is not sent. */
static unsigned int
path_of(struct rig *r, const struct frame *f)
{
	static const uint8_t *const macs[] = {router_mac, router2_mac, router3_mac};
	const struct rte_mbuf *m;
	unsigned int i = 0;

	rig_take(r, LAN, f);
	m = rig_tx(r, WAN);
	if (m == NULL)
		return 3;
	while (i < 3 && memcmp(rte_pktmbuf_mtod(m, const uint8_t *), macs[i], 6) != 0)
		i++;
	assert_in_range(i, 0, 2);
	return i;
}

static void
learn_all(struct rig *r)
{
	rig_learn(r, WAN, ROUTER2, router2_mac);
	rig_learn(r, WAN, ROUTER3, router3_mac);
	rig_learn6(r, WAN, router2_6, router2_mac);
	rig_learn6(r, WAN, router3_6, router3_mac);
}

static void
flows_are_spread_and_keep_their_path(void **state)
{
	static uint8_t path[FLOWS];
	struct rig *r = *state;

	rig_master(r, LAN_VHID1);
	learn_all(r);
	for (unsigned int ip6 = 0; ip6 < 2; ip6++) {
		unsigned int n[3] = {0};

		for (unsigned int i = 0; i < FLOWS; i++) {
			struct frame f = flow(i, ip6);

			path[i] = (uint8_t)path_of(r, &f);
			n[path[i]]++;
		}
		/* five standard deviations of a fair draw */
		for (unsigned int k = 0; k < 3; k++)
			assert_in_range(n[k], FLOWS / 3 - 130, FLOWS / 3 + 130);
		for (unsigned int i = 0; i < FLOWS; i += 7) {
			struct frame f = flow(i, ip6);

			/* whatever else is in the packet */
			f.b[IP_AT + (ip6 ? 1 : 5)] ^= 0x0f;
			if (!ip6)
				frame_sum(&f);
			assert_int_equal(path_of(r, &f), path[i]);
		}
	}
	assert_int_equal(rig_drops_all(r), 0);
}

/* Two boxes in a row: what the first one sends one way is spread by the second over all. */
static void
another_seed_chooses_independently(void **state)
{
	static uint8_t path[2][FLOWS];
	struct rig *r = *state;

	for (unsigned int ip6 = 0; ip6 < 2; ip6++) {
		unsigned int n[3][3] = {0};

		for (unsigned int box = 0; box < 2; box++) {
			rig_configure(r,
				&(struct rig_options){.n_workers = 1,
					.flow_seed = box ? UINT64_C(0x6a09e667f3bcc908)
							 : UINT64_C(0xbb67ae8584caa73b)});
			rig_master(r, LAN_VHID1);
			learn_all(r);
			for (unsigned int i = 0; i < FLOWS; i++) {
				struct frame f = flow(i, ip6);

				path[box][i] = (uint8_t)path_of(r, &f);
			}
		}
		for (unsigned int i = 0; i < FLOWS; i++)
			n[path[0][i]][path[1][i]]++;
		/* five standard deviations of a fair draw */
		for (unsigned int k = 0; k < 9; k++)
			assert_in_range(n[k / 3][k % 3], FLOWS / 9 - 86, FLOWS / 9 + 86);
	}
}

/* The first fragment has ports and the others have not: all go the same way. */
static void
fragments_stay_together(void **state)
{
	struct rig *r = *state;

	rig_master(r, LAN_VHID1);
	learn_all(r);
	for (unsigned int i = 0; i < 200; i++) {
		struct frame first = flow(i, false), later = flow(i + 1000, false);

		memcpy(later.b + IP_AT + 12, first.b + IP_AT + 12, 8);
		base_store_be16(first.b + IP_AT + 6, WIRE_IP4_MF);
		base_store_be16(later.b + IP_AT + 6, 3);
		frame_sum(&first);
		frame_sum(&later);
		assert_int_equal(path_of(r, &first), path_of(r, &later));
	}
}

/* What control is asked to resolve now. */
static unsigned int
asked(struct rig *r, uint32_t *ip, bool *packets)
{
	struct dp_punt p[8];
	uint32_t n = dp_poll_punts(r->dp, p, 8, 8);

	*packets = false;
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(p[i].cls, DP_PUNT_RESOLVE);
		assert_int_equal(p[i].if_index, WAN);
		if (p[i].next_hop.family == BASE_FAMILY_IP4)
			*ip = base_addr_ip4(&p[i].next_hop);
		*packets |= p[i].m != NULL;
		rte_pktmbuf_free(p[i].m);
	}
	return n;
}

static void
an_unresolved_path_is_gone_around(void **state)
{
	static uint8_t path[FLOWS];
	struct rig *r = *state;
	bool packets;
	uint32_t ip = 0;
	unsigned int n[3] = {0}, asks = 0;

	rig_master(r, LAN_VHID1);
	learn_all(r);
	for (unsigned int i = 0; i < FLOWS; i++) {
		struct frame f = flow(i, false);

		path[i] = (uint8_t)path_of(r, &f);
	}
	/* the same table of neighbours, but for the second router */
	rig_configure(r, &(struct rig_options){.n_workers = 1});
	rig_master(r, LAN_VHID1);
	rig_learn(r, WAN, ROUTER3, router3_mac);
	for (unsigned int i = 0; i < FLOWS; i++) {
		struct frame f = flow(i, false);
		unsigned int now = path_of(r, &f);

		n[now]++;
		if (path[i] != 1)
			assert_int_equal(now, path[i]);
		asks += asked(r, &ip, &packets);
		assert_false(packets);
	}
	/* shared by the others, and asked for now and then without a packet for it */
	assert_in_range(n[0], FLOWS / 2 - 160, FLOWS / 2 + 160);
	assert_int_equal(n[0] + n[2], FLOWS);
	assert_in_range(asks, 1, 100);
	assert_int_equal(ip, ROUTER2);
	/* it is back: everything as it was */
	rig_learn(r, WAN, ROUTER2, router2_mac);
	for (unsigned int i = 0; i < FLOWS; i++) {
		struct frame f = flow(i, false);

		assert_int_equal(path_of(r, &f), path[i]);
	}
}

static void
without_any_path_the_packet_waits_for_its_own(void **state)
{
	struct rig *r = *state;
	const struct fib *fib = r->fib;
	struct frame f = flow(1, false), f6 = flow(1, true);
	struct fib_nbr_table *empty = fib_nbr_create("empty", 64, 2, NULL, 0);
	bool packets;
	uint32_t ip = 0;

	assert_non_null(empty);
	rig_master(r, LAN_VHID1);
	dp_set_tables(r->dp, fib, empty);
	assert_int_equal(path_of(r, &f), 3);
	assert_int_equal(asked(r, &ip, &packets), 1);
	assert_true(packets);
	assert_true(ip == ROUTER || ip == ROUTER2 || ip == ROUTER3);
	assert_int_equal(path_of(r, &f6), 3);
	assert_int_equal(asked(r, &ip, &packets), 1);
	assert_true(packets);
	assert_int_equal(rig_drops_all(r), 0);
	dp_set_tables(r->dp, fib, r->nbr);
	rig_turn(r);
	fib_nbr_destroy(empty);
}

static void
a_path_without_link_is_not_taken(void **state)
{
	struct rig *r = *state;
	struct frame f = flow(1, false);

	rig_master(r, LAN_VHID1);
	learn_all(r);
	/* all three leave by the WAN, so that there is no other */
	dp_link(r->dp, r->port_id[WAN], false);
	assert_int_equal(path_of(r, &f), 3);
	rig_assert_one_drop(r, DP_DROP_LINK_DOWN);
	dp_link(r->dp, r->port_id[WAN], true);
	assert_in_range(path_of(r, &f), 0, 2);
}

static void
routes_to_nowhere_say_so_or_not(void **state)
{
	static const struct {
		uint8_t net, net6, code, code6;
		enum dp_drop why;
	} cases[] = {
		{121, 0x21, WIRE_ICMP_UNREACH_HOST, WIRE_ICMP6_UNREACH_ROUTE,
			DP_DROP_ROUTE_UNREACHABLE},
		{122, 0x22, WIRE_ICMP_UNREACH_ADMIN, WIRE_ICMP6_UNREACH_ADMIN,
			DP_DROP_ROUTE_PROHIBIT},
		{120, 0x20, 0, 0, DP_DROP_BLACKHOLE},
	};
	struct rig *r = *state;

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < 3; i++) {
		uint8_t dst6[16] = {0x20, 0x01, 0x0d, 0xb8, 0xfd, cases[i].net6, [15] = 1};
		struct frame f = frame_udp(vmac1, CLIENT, IP(203, 0, cases[i].net, 9));
		struct frame f6 = frame_ip6(vmac1, client6, dst6, WIRE_PROTO_UDP, 16);
		const struct rte_mbuf *m;
		struct frame e;

		rig_take(r, LAN, &f);
		m = rig_tx(r, LAN);
		if (cases[i].why == DP_DROP_BLACKHOLE) {
			assert_null(m);
		} else {
			assert_non_null(m);
			e = frame_of(m);
			assert_int_equal(e.b[IP_AT + 20], WIRE_ICMP_UNREACHABLE);
			assert_int_equal(e.b[IP_AT + 21], cases[i].code);
		}
		rig_take(r, LAN, &f6);
		m = rig_tx(r, LAN);
		if (cases[i].why == DP_DROP_BLACKHOLE) {
			assert_null(m);
		} else {
			assert_non_null(m);
			e = frame_of(m);
			assert_int_equal(e.b[IP_AT + 40], WIRE_ICMP6_UNREACHABLE);
			assert_int_equal(e.b[IP_AT + 41], cases[i].code6);
		}
		assert_int_equal(rig_drops(r, cases[i].why), 2);
	}
	assert_int_equal(rig_drops_all(r), 6);
}

/* What we send ourselves takes one of the paths too: an answer to somebody behind them. */
static void
answers_take_a_path(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_echo(wan_mac, IP(203, 0, 123, 9), WAN_OWN, 8);
	struct frame f6 = frame_echo6(wan_mac, multi6, wan_own6, 8);
	struct frame lost = frame_echo(wan_mac, IP(203, 0, 120, 9), WAN_OWN, 8);

	learn_all(r);
	rig_take(r, WAN, &f);
	assert_int_equal(rig_tx_count(r, WAN), 1);
	rig_take(r, WAN, &f6);
	assert_int_equal(rig_tx_count(r, WAN), 1);
	rig_take(r, WAN, &lost);
	rig_assert_silent(r);
	rig_assert_one_drop(r, DP_DROP_BLACKHOLE);
}

/* The control lcore reads the routers of all routes, a few at a time. */
static void
the_control_lcore_knows_all_routers(void **state)
{
	static const uint32_t want[] = {ROUTER, ROUTER2, ROUTER3, LAN_ROUTER};
	struct rig *r = *state;
	struct fib_gateway gw[3];
	uint32_t cursor = 0, n4 = 0, n6 = 0;
	unsigned int seen[4] = {0};

	do {
		uint32_t n = dp_ctl_gateways(r->dp, &cursor, gw, 3);

		for (uint32_t i = 0; i < n; i++) {
			bool ip4 = gw[i].addr.family == BASE_FAMILY_IP4;

			n4 += ip4;
			n6 += !ip4;
			for (unsigned int k = 0; ip4 && k < 4; k++)
				seen[k] += base_addr_ip4(&gw[i].addr) == want[k] &&
					gw[i].if_index == (k < 3 ? WAN : LAN);
		}
	} while (cursor != 0);
	for (unsigned int k = 0; k < 4; k++)
		assert_int_equal(seen[k], 1);
	assert_int_equal(n4, 4);
	assert_int_equal(n6, 4);
	/* and holds up nobody: it is not on line but while it reads */
	assert_int_equal(
		rte_rcu_qsbr_check(dp_qsbr(r->dp), rte_rcu_qsbr_start(dp_qsbr(r->dp)), false), 1);
}

/* The server's network is behind one of three routers. */
static void
via(struct fib *f, bool ip6, unsigned int router)
{
	static const uint32_t routers[] = {ROUTER, ROUTER2, ROUTER3};
	const uint8_t *const routers6[] = {router6, router2_6, router3_6};
	struct fib_change c = {
		.route = {.prefix = {base_addr_from_ip4(SERVER), 24},
			.nh = {.type = FIB_NH_GATEWAY, .if_index = WAN, .group = FIB_GROUP_NONE}}};
	char err[128];

	c.route.nh.gateway = routers[router];
	if (ip6) {
		c.route.prefix = (struct base_prefix){base_addr_from_ip6(server6), 48};
		memcpy(c.route.nh.gateway6, routers6[router], WIRE_IP6_ADDR_LEN);
	}
	assert_int_equal(fib_change(f, &c, 1, err, sizeof(err)), 0);
}

static uint32_t
number_of(const struct fib *f, bool ip6)
{
	uint32_t dst = SERVER, number;

	if (ip6)
		fib_numbers6(f, (const uint8_t(*)[16])(uintptr_t)server6, &number, 1);
	else
		fib_numbers(f, &dst, &number, 1);
	return number;
}

/* What a worker remembers by the number of a next hop is forgotten before that is another's. */
static void
a_number_that_is_used_again_is_another_router(void **state)
{
	const struct frame frames[2] = {frame_udp(vmac1, CLIENT, SERVER),
		frame_ip6(vmac1, client6, server6, WIRE_PROTO_UDP, 32)};
	struct rig *r = *state;

	rig_master(r, LAN_VHID1);
	learn_all(r);
	for (unsigned int ip6 = 0; ip6 < 2; ip6++) {
		char err[128];
		struct fib *f = fib_build(NULL, 0, dp_qsbr(r->dp), SOCKET_ID_ANY, err, sizeof(err));
		uint32_t number;

		assert_non_null(f);
		dp_set_tables(r->dp, f, r->nbr);
		via(f, ip6, 0);
		number = number_of(f, ip6);
		assert_int_equal(path_of(r, &frames[ip6]), 0);
		via(f, ip6, 1);
		assert_int_not_equal(number_of(f, ip6), number);
		via(f, ip6, 2);
		assert_int_equal(number_of(f, ip6), number);
		assert_int_equal(path_of(r, &frames[ip6]), 2);
		dp_set_tables(r->dp, r->fib, r->nbr);
		rig_turn(r);
		fib_free(f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
		T(flows_are_spread_and_keep_their_path),
		T(another_seed_chooses_independently),
		T(a_number_that_is_used_again_is_another_router),
		T(fragments_stay_together),
		T(an_unresolved_path_is_gone_around),
		T(without_any_path_the_packet_waits_for_its_own),
		T(a_path_without_link_is_not_taken),
		T(routes_to_nowhere_say_so_or_not),
		T(answers_take_a_path),
		T(the_control_lcore_knows_all_routers),
#undef T
	};

	return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
