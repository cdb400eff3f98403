/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Groups and addresses that change while workers run: whoever stays keeps all that it is, whoever
 * goes is gone at the next turn, and who comes into a slot starts clean.
 */
#include "dp_rig.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "dp_priv.h"

#define FREE_SLOT RIG_GROUPS
#define PEER	  IP(192, 0, 2, 3)
#define NEW_VIP	  IP(192, 0, 2, 40)

static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
static const uint8_t vmac40[6] = {0, 0, 0x5e, 0, 1, 40};

static struct dp_roster *
prepare(struct rig *r, const struct rig_roster *c)
{
	struct dp_roster *n = dp_roster_prepare(r->dp, c->ifs, c->groups, RIG_SLOTS);

	assert_non_null(n);
	return n;
}

/* Publish, and free what was before: no worker is in a turn. */
static void
swap(struct rig *r, const struct rig_roster *c)
{
	dp_roster_free(r->dp, dp_roster_publish(r->dp, prepare(r, c)));
}

/* Routes in which the address is a VIP of the group, or nobody's. */
static struct fib *
fib_with(uint32_t ip, uint16_t group)
{
	struct fib_route *routes = calloc(rig_route_count + 1, sizeof(*routes));
	uint32_t n = 0;
	struct fib *fib;
	char err[128];

	assert_non_null(routes);
	if (group != DP_NONE)
		routes[n++] = (struct fib_route){
			.prefix = {base_addr_from_ip4(ip), 32},
			.nh = {.type = FIB_NH_LOCAL, .if_index = LAN, .group = group},
		};
	for (unsigned int i = 0; i < rig_route_count; i++)
		if (rig_routes[i].prefix.plen != 32 ||
			base_addr_ip4(&rig_routes[i].prefix.addr) != ip)
			routes[n++] = rig_routes[i];
	fib = fib_build(routes, n, NULL, SOCKET_ID_ANY, err, sizeof(err));
	assert_non_null(fib);
	free(routes);
	return fib;
}

/* The group that a solicitation for an address is given to. */
static uint16_t
group_asked(struct rig *r, const uint8_t target[16])
{
	struct frame f = frame_nd(all_nodes_mac, WIRE_ICMP6_NS, NULL, target);
	struct dp_punt p;

	rig_take(r, LAN, &f);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	assert_int_equal(p.if_index, LAN);
	assert_int_equal(p.cls, p.group == DP_NONE ? DP_PUNT_IF_ARP : DP_PUNT_GROUP_ARP);
	rte_pktmbuf_free(p.m);
	return p.group;
}

/* An advert of a vhid: the group that it is given to, and whether its source is known there. */
static uint16_t
group_advertised(struct rig *r, uint8_t vhid, bool *known)
{
	struct frame f = frame_carp(wire_carp_mac4, PEER, WIRE_CARP_GROUP_IP4, vhid);
	struct dp_punt p;

	rig_take(r, LAN, &f);
	assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 1), 1);
	rte_pktmbuf_free(p.m);
	*known = p.known_source;
	return p.group;
}

static void
assert_echo(struct rig *r, const struct frame *req, bool answered)
{
	uint64_t refused = rig_drops(r, DP_DROP_NOT_MASTER) + rig_drops(r, DP_DROP_OTHER_MAC);

	rig_take(r, LAN, req);
	assert_int_equal(rig_tx_count(r, LAN), answered);
	assert_int_equal(
		rig_drops(r, DP_DROP_NOT_MASTER) + rig_drops(r, DP_DROP_OTHER_MAC) - refused,
		!answered);
}

static void
a_vip_moves_to_another_group(void **state)
{
	struct rig *r = *state;
	struct fib *fib = fib_with(LAN_VIP, LAN_VHID7);
	struct frame by1 = frame_echo(vmac1, CLIENT, LAN_VIP, 8);
	struct frame by7 = frame_echo(vmac7, CLIENT, LAN_VIP, 8);
	struct frame at7 = frame_echo(lan_mac, CLIENT, LAN_VIP, 8);
	struct rig_roster c;

	rig_roster(r, &c);
	rig_master(r, LAN_VHID1);
	assert_int_equal(group_asked(r, lan_vip6), LAN_VHID1);
	assert_echo(r, &by1, true);
	assert_echo(r, &by7, false);
	/* the first VIP of either family goes from vhid 1 to vhid 7 */
	c.groups[LAN_VHID1].n_ip4 = 0;
	c.groups[LAN_VHID1].n_ip6 = 1;
	memcpy(c.vip6[LAN_VHID1][0], vip_ll6, 16);
	c.groups[LAN_VHID7].n_ip4 = 2;
	c.groups[LAN_VHID7].n_ip6 = 2;
	memcpy(c.vip6[LAN_VHID7][1], lan_vip6, 16);
	swap(r, &c);
	dp_set_tables(r->dp, fib, r->nbr);
	assert_int_equal(group_asked(r, lan_vip6), LAN_VHID7);
	assert_int_equal(group_asked(r, vip_ll6), LAN_VHID1);
	/* vhid 1 is MASTER still, and that is no help; vhid 7 is not */
	assert_echo(r, &at7, false);
	rig_master(r, LAN_VHID7);
	rig_backup(r, LAN_VHID1);
	assert_echo(r, &by7, true);
	assert_echo(r, &by1, false);
	dp_set_tables(r->dp, r->fib, r->nbr);
	fib_free(fib);
}

static void
a_group_that_stays_keeps_all_that_it_is(void **state)
{
	struct rig *r = *state;
	const struct base_addr peer = base_addr_from_ip4(PEER);
	struct frame advert = frame_carp(wire_carp_mac4, PEER, WIRE_CARP_GROUP_IP4, 1);
	struct frame arp = frame_arp(vmac1, WIRE_ARP_REQUEST, CLIENT, LAN_VIP);
	struct frame f = frame_udp(vmac1, CLIENT, SERVER);
	struct frame echo = frame_echo(vmac1, CLIENT, LAN_VIP, 8);
	struct rig_roster c;
	struct dp_punt p[2];
	bool known;

	rig_roster(r, &c);
	rig_master(r, LAN_VHID1);
	dp_group_sources(r->dp, LAN_VHID1, &peer, 1);
	rig_take(r, LAN, &advert);
	rig_take(r, LAN, &arp);
	dp_adverts_mark(r->dp);
	/* all others go, one comes, and it gets another address */
	memset(&c.groups[LAN_VHID7], 0, 3 * sizeof(c.groups[0]));
	c.groups[FREE_SLOT].vhid = 40;
	c.vip4[LAN_VHID1][1] = NEW_VIP;
	c.groups[LAN_VHID1].n_ip4 = 2;
	swap(r, &c);
	assert_false(dp_adverts_passed(r->dp));
	assert_int_equal(dp_poll_adverts(r->dp, p, 2, 2), 1);
	assert_int_equal(p[0].group, LAN_VHID1);
	assert_true(p[0].known_source);
	rte_pktmbuf_free(p[0].m);
	assert_true(dp_adverts_passed(r->dp));
	assert_int_equal(dp_poll_punts(r->dp, p, 2, 2), 1);
	assert_int_equal(p[0].group, LAN_VHID1);
	rte_pktmbuf_free(p[0].m);
	assert_int_equal(group_advertised(r, 1, &known), LAN_VHID1);
	assert_true(known);
	assert_true(dp_answers(r->dp, LAN_VHID1));
	rig_take(r, LAN, &f);
	assert_int_equal(rig_tx_count(r, WAN), 1);
	assert_echo(r, &echo, true);
	assert_int_equal(rig_drops_all(r), 0);
}

static void
a_group_that_goes_is_gone(void **state)
{
	struct rig *r = *state;
	struct frame advert = frame_carp(wire_carp_mac4, PEER, WIRE_CARP_GROUP_IP4, 7);
	struct frame arp = frame_arp(vmac7, WIRE_ARP_REQUEST, CLIENT, LAN_VIP7);
	struct frame f = frame_udp(vmac7, CLIENT, SERVER);
	const struct base_addr peer = base_addr_from_ip4(PEER);
	struct rig_roster c;
	struct dp_punt p;
	bool known;

	rig_roster(r, &c);
	rig_master(r, LAN_VHID7);
	rig_take(r, LAN, &f);
	assert_int_equal(rig_tx_count(r, WAN), 1);
	/* one of each ring waits */
	rig_take(r, LAN, &advert);
	dp_group_sources(r->dp, LAN_VHID7, &peer, 1);
	rig_take(r, LAN, &advert);
	rig_take(r, LAN, &arp);
	dp_adverts_mark(r->dp);
	c.groups[LAN_VHID7] = (struct dp_group_config){0};
	swap(r, &c);
	assert_int_equal(rig_drops(r, DP_DROP_GROUP_GONE), 3);
	assert_true(dp_adverts_passed(r->dp));
	assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 1), 0);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 0);
	assert_false(dp_answers(r->dp, LAN_VHID7));
	/* its vMAC is somebody else's, its adverts are of no group */
	rig_take(r, LAN, &f);
	assert_int_equal(rig_drops(r, DP_DROP_OTHER_MAC), 1);
	assert_int_equal(group_advertised(r, 7, &known), DP_NONE);
	assert_int_equal(group_asked(r, lan_vip7_6), DP_NONE);
	/* the route is there still: the address is nobody's for the time being */
	memcpy(arp.b, (const uint8_t[6]){0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 6);
	rig_take(r, LAN, &arp);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	assert_int_equal(p.group, DP_NONE);
	rte_pktmbuf_free(p.m);
	/* what is said of a slot without a group has no effect, for vhid 0 neither */
	rig_master(r, LAN_VHID7);
	rig_take(r, LAN, &f);
	assert_int_equal(rig_drops(r, DP_DROP_OTHER_MAC), 2);
	memcpy(f.b, (const uint8_t[6]){0, 0, 0x5e, 0, 1, 0}, 6);
	rig_take(r, LAN, &f);
	assert_int_equal(rig_drops(r, DP_DROP_OTHER_MAC), 3);
	rig_assert_silent(r);
}

/* By a worker that is in the middle of a turn, and knows the group still. */
static void
what_comes_late_for_a_group_that_went(void **state)
{
	struct rig *r = *state;
	struct dp_lcore *lc = r->dp->lcores[0];
	struct frame f = frame_carp(wire_carp_mac4, PEER, WIRE_CARP_GROUP_IP4, 7);
	struct rig_roster c;
	struct dp_punt p;

	rig_roster(r, &c);
	c.groups[LAN_VHID7] = (struct dp_group_config){0};
	swap(r, &c);
	for (unsigned int i = 0; i < 2; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(r->pool);

		memcpy(rte_pktmbuf_append(m, (uint16_t)f.len), f.b, f.len);
		assert_true(dp_punt(
			lc, i == 0 ? DP_SET_ADVERTS : DP_SET_PUNTS, LAN_VHID7, m, DP_DROP_COUNT));
	}
	dp_adverts_mark(r->dp);
	assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 1), 0);
	assert_true(dp_adverts_passed(r->dp));
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 0);
	assert_int_equal(rig_drops(r, DP_DROP_GROUP_GONE), 2);
}

static void
a_slot_that_is_used_again_starts_clean(void **state)
{
	struct rig *r = *state;
	const struct base_addr peer = base_addr_from_ip4(PEER);
	struct frame advert = frame_carp(wire_carp_mac4, PEER, WIRE_CARP_GROUP_IP4, 7);
	struct frame f = frame_udp(vmac40, CLIENT, SERVER);
	struct frame to7 = frame_udp(vmac7, CLIENT, SERVER);
	struct rig_roster c;
	struct dp_punt p;
	bool known;

	for (unsigned int between = 0; between < 2; between++) {
		rig_configure(r, &(struct rig_options){.n_workers = 1});
		rig_roster(r, &c);
		rig_master(r, LAN_VHID7);
		dp_group_sources(r->dp, LAN_VHID7, &peer, 1);
		rig_take(r, LAN, &advert);
		/* another vhid in its slot, at once or by way of an empty one */
		c.groups[LAN_VHID7].vhid = 0;
		c.groups[LAN_VHID7].n_ip4 = c.groups[LAN_VHID7].n_ip6 = 0;
		if (between)
			swap(r, &c);
		c.groups[LAN_VHID7].vhid = 40;
		c.groups[LAN_VHID7].n_ip4 = 1;
		swap(r, &c);
		assert_int_equal(rig_drops(r, DP_DROP_GROUP_GONE), 1);
		assert_int_equal(dp_poll_adverts(r->dp, &p, 1, 1), 0);
		assert_false(dp_answers(r->dp, LAN_VHID7));
		rig_take(r, LAN, &f);
		assert_int_equal(rig_drops(r, DP_DROP_NOT_MASTER), 1);
		assert_int_equal(group_advertised(r, 40, &known), LAN_VHID7);
		assert_false(known);
		assert_int_equal(group_advertised(r, 7, &known), DP_NONE);
		rig_master(r, LAN_VHID7);
		rig_take(r, LAN, &f);
		assert_int_equal(rig_tx_count(r, WAN), 1);
		rig_take(r, LAN, &to7);
		assert_int_equal(rig_drops(r, DP_DROP_OTHER_MAC), 1);
	}
}

/* The same interface and vhid, in another slot: another group. */
static void
a_group_does_not_take_its_state_to_another_slot(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(vmac7, CLIENT, SERVER);
	struct rig_roster c;
	bool known;

	rig_roster(r, &c);
	rig_master(r, LAN_VHID7);
	c.groups[FREE_SLOT] = c.groups[LAN_VHID7];
	c.groups[LAN_VHID7] = (struct dp_group_config){0};
	swap(r, &c);
	rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_NOT_MASTER);
	assert_int_equal(group_advertised(r, 7, &known), FREE_SLOT);
	rig_master(r, FREE_SLOT);
	rig_take(r, LAN, &f);
	assert_int_equal(rig_tx_count(r, WAN), 1);
}

/* Packets from a new address are refused from the next turn on, those from an old one let in. */
static void
who_may_not_send_changes_too(void **state)
{
	struct rig *r = *state;
	struct fib *fib = fib_with(NEW_VIP, LAN_VHID1);
	struct frame f = frame_udp(vmac1, NEW_VIP, SERVER);
	struct rig_roster c;

	rig_roster(r, &c);
	rig_master(r, LAN_VHID1);
	dp_set_tables(r->dp, fib, r->nbr);
	rig_take(r, LAN, &f);
	assert_int_equal(rig_tx_count(r, WAN), 1);
	c.vip4[LAN_VHID1][1] = NEW_VIP;
	c.groups[LAN_VHID1].n_ip4 = 2;
	swap(r, &c);
	rig_take(r, LAN, &f);
	rig_assert_one_drop(r, DP_DROP_OWN_SOURCE);
	c.groups[LAN_VHID1].n_ip4 = 1;
	swap(r, &c);
	rig_take(r, LAN, &f);
	assert_int_equal(rig_tx_count(r, WAN), 1);
	dp_set_tables(r->dp, r->fib, r->nbr);
	fib_free(fib);
}

/* Within a millisecond: what is remembered of a next hop has the source in it. */
static void
frames_leave_with_a_vmac_that_is_there(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(lan_mac, CLIENT, SERVER);
	struct rig_roster c;
	struct rte_mbuf *m;

	rig_configure(r, &(struct rig_options){.source_vmac = true});
	rig_roster(r, &c);
	rig_master(r, WAN_VHID9);
	rig_take(r, LAN, &f);
	m = rig_tx(r, WAN);
	assert_memory_equal(frame_of(m).b + 6, vmac9, 6);
	c.groups[WAN_VHID9] = (struct dp_group_config){0};
	swap(r, &c);
	rig_take(r, LAN, &f);
	m = rig_tx(r, WAN);
	assert_memory_equal(frame_of(m).b + 6, wan_mac, 6);
}

/* An own address of an interface is where errors come from. */
static void
own_addresses_change(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(lan_mac, CLIENT, IP(8, 8, 8, 8)), error;
	struct rig_roster c;
	struct rte_mbuf *m;

	rig_roster(r, &c);
	for (unsigned int i = 0; i < 2; i++) {
		rig_take(r, LAN, &f);
		m = rig_tx(r, LAN);
		assert_non_null(m);
		error = frame_of(m);
		assert_int_equal(base_load_be32(error.b + WIRE_ETH_LEN + 12), c.own4[LAN]);
		c.own4[LAN] = NEW_VIP;
		swap(r, &c);
	}
}

static void
bad_rosters_are_refused(void **state)
{
	struct rig *r = *state;
	struct rig_roster good, bad;

	rig_roster(r, &good);
	for (unsigned int i = 0; i < 7; i++) {
		uint16_t n = RIG_SLOTS;

		bad = good;
		switch (i) {
		case 0:
			n++;
			break;
		case 1:
			bad.groups[FREE_SLOT].vhid = 7; /* it is slot 1's */
			break;
		case 2:
			bad.groups[LAN_VHID7].vhid = 0; /* with addresses */
			break;
		case 3:
			bad.groups[LAN_VHID7].if_index = 2;
			break;
		case 4:
			bad.groups[LAN_VHID7].ip4 = NULL;
			break;
		case 5:
			bad.ifs[WAN].ip6 = NULL;
			break;
		default:
			bad.ifs[WAN].ip4 = NULL;
			break;
		}
		errno = 0;
		if (dp_roster_prepare(r->dp, bad.ifs, bad.groups, n) != NULL || errno != EINVAL)
			fail_msg("roster %u was taken", i);
	}
	/* fewer than there are slots is fine, and so is one that is never published */
	dp_roster_free(r->dp, dp_roster_prepare(r->dp, good.ifs, good.groups, 1));
	dp_roster_free(r->dp, NULL);
}

#define SWAPS	2000
#define WORKERS 2

struct loop {
	pthread_t thread;
	struct dp *dp;
	uint16_t id;
};

static void *
loop_main(void *arg)
{
	struct loop *l = arg;

	dp_worker_run(l->dp, l->id);
	return NULL;
}

/* Both sides of everything: what is asked for and answered, by groups that come and go. */
static void
feed(struct rig *r, unsigned int i)
{
	const struct frame f[] = {
		frame_nd(all_nodes_mac, WIRE_ICMP6_NS, NULL, lan_vip7_6),
		frame_carp(wire_carp_mac4, PEER, WIRE_CARP_GROUP_IP4, i % 2 ? 7 : 40),
		frame_echo(i % 2 ? vmac7 : vmac40, CLIENT, LAN_VIP7, 8),
		frame_udp(i % 2 ? vmac7 : vmac40, CLIENT, SERVER),
		frame_echo(lan_mac, CLIENT, LAN_VIP7, 8),
		frame_arp(lan_mac, WIRE_ARP_REQUEST, CLIENT, LAN_VIP7),
	};

	for (unsigned int k = 0; k < RTE_DIM(f); k++)
		rig_rx_queue(r, LAN, (uint16_t)(i % WORKERS), &f[k]);
}

static void
drain(struct rig *r)
{
	struct dp_punt p[32];
	uint32_t n;

	while ((n = dp_poll_adverts(r->dp, p, 32, 8)) != 0)
		while (n-- > 0)
			rte_pktmbuf_free(p[n].m);
	while ((n = dp_poll_punts(r->dp, p, 32, 8)) != 0)
		while (n-- > 0)
			rte_pktmbuf_free(p[n].m);
}

/*
 * Workers run while groups come, go, change their slots and vhids and exchange VIPs. What is
 * forwarded for the one group that stays does not suffer: not a frame of it is missing.
 */
static void
workers_run_while_it_changes(void **state)
{
	struct rig *r = *state;
	const struct frame through = frame_udp(vmac1, CLIENT, SERVER);
	const struct frame echo = frame_echo(vmac1, CLIENT, LAN_VIP, 8);
	base_ns_t deadline = dp_clock() + 60 * BASE_NS_PER_S;
	uint64_t sent = 0, got = 0, replies = 0, others = 0;
	struct loop loops[WORKERS];
	struct rig_roster c[4];
	struct dp_stats s;
	unsigned int i;

	rig_configure(r, &(struct rig_options){.n_workers = WORKERS});
	for (i = 0; i < 4; i++)
		rig_roster(r, &c[i]);
	c[1].groups[LAN_VHID7].vhid = 40;		 /* another group with the same VIPs */
	c[2].groups[FREE_SLOT] = c[2].groups[LAN_VHID7]; /* the same in another slot */
	c[2].groups[LAN_VHID7] = (struct dp_group_config){0};
	memset(&c[3].groups[LAN_VHID7], 0, 3 * sizeof(c[3].groups[0]));
	c[3].groups[LAN_VHID1].n_ip6 = 1;
	rig_master(r, LAN_VHID1);
	for (uint16_t w = 0; w < WORKERS; w++) {
		loops[w] = (struct loop){.dp = r->dp, .id = w};
		assert_int_equal(pthread_create(&loops[w].thread, NULL, loop_main, &loops[w]), 0);
	}
	for (i = 0; i < SWAPS && dp_clock() < deadline; i++) {
		struct dp_roster *n = prepare(r, &c[i % 4]), *before;
		base_ns_t fed;

		feed(r, i);
		for (uint16_t w = 0; w < WORKERS; w++) {
			rig_rx_queue(r, LAN, w, &through);
			rig_rx_queue(r, LAN, w, &echo);
			sent++;
		}
		fed = dp_clock();
		before = dp_roster_publish(r->dp, n);
		rig_master(r, LAN_VHID7);
		rig_master(r, FREE_SLOT);
		drain(r);
		dp_roster_free(r->dp, before);
		while (dp_rx_horizon(r->dp, LAN) < fed && dp_clock() < deadline)
			;
		got += rig_tx_count(r, WAN);
		replies += rig_tx_count(r, LAN);
	}
	dp_stop(r->dp);
	for (uint16_t w = 0; w < WORKERS; w++)
		assert_int_equal(pthread_join(loops[w].thread, NULL), 0);
	drain(r);
	assert_int_equal(i, SWAPS);
	s = rig_stats(r);
	others = s.drops[DP_DROP_NOT_MASTER] + s.drops[DP_DROP_OTHER_MAC];
	assert_true(got >= sent);
	assert_int_equal(got, s.forwarded);
	assert_true(replies >= sent);
	assert_int_equal(replies, s.echo_replies);
	/* Each swap has frames of a group that is not there; some came late. */
	assert_true(others > SWAPS / 4);
	assert_int_equal(rig_drops_all(r), others + s.drops[DP_DROP_GROUP_GONE]);
	/* Each frame has one fate. */
	assert_int_equal(s.rx_frames,
		s.forwarded + s.echo_replies + s.punted_adverts + s.punted_arp + others);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_vip_moves_to_another_group),
		T(a_group_that_stays_keeps_all_that_it_is),
		T(a_group_that_goes_is_gone),
		T(what_comes_late_for_a_group_that_went),
		T(a_slot_that_is_used_again_starts_clean),
		T(a_group_does_not_take_its_state_to_another_slot),
		T(who_may_not_send_changes_too),
		T(frames_leave_with_a_vmac_that_is_there),
		T(own_addresses_change),
		T(bad_rosters_are_refused),
		T(workers_run_while_it_changes),
	};

	return cmocka_run_group_tests_name("dp_roster", tests, rig_group_setup, rig_group_teardown);
}
