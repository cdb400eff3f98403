/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Echo and ICMP errors: who is answered, by which addresses, and who never is (RFC 1122 3.2.2).
 */
#include "dp_rig.h"

#include <string.h>

#include "base_bytes.h"

#define IP_AT	WIRE_ETH_LEN
#define ICMP_AT (WIRE_ETH_LEN + WIRE_IP4_LEN)

static void
ip_set_ttl(struct frame *f, uint8_t ttl)
{
	f->b[IP_AT + 8] = ttl;
	frame_sum(f);
}

static void
assert_macs(const struct frame *f, const uint8_t dst[6], const uint8_t src[6])
{
	assert_memory_equal(f->b, dst, 6);
	assert_memory_equal(f->b + 6, src, 6);
	assert_int_equal(base_load_be16(f->b + 12), WIRE_ETHERTYPE_IP4);
}

/* The reply to req, whatever options req had. */
static void
assert_reply(const struct frame *req, const struct frame *f)
{
	uint32_t req_header = (uint32_t)(req->b[IP_AT] & 0x0f) * 4;
	uint32_t icmp_len = base_load_be16(req->b + IP_AT + 2) - req_header;
	const uint8_t *icmp = req->b + IP_AT + req_header;
	struct wire_ip4 ip;

	assert_int_equal(f->len, ICMP_AT + icmp_len);
	assert_int_equal(wire_ip4_decode(f->b + IP_AT, f->len - IP_AT, &ip), WIRE_IP4_OK);
	assert_int_equal(ip.header_len, 20);
	assert_int_equal(ip.ttl, 64);
	assert_int_equal(ip.proto, WIRE_PROTO_ICMP);
	assert_int_equal(ip.src, base_load_be32(req->b + IP_AT + 16));
	assert_int_equal(ip.dst, base_load_be32(req->b + IP_AT + 12));
	assert_int_equal(f->b[ICMP_AT], WIRE_ICMP_ECHO_REPLY);
	assert_int_equal(f->b[ICMP_AT + 1], 0);
	assert_memory_equal(f->b + ICMP_AT + 4, icmp + 4, icmp_len - 4);
	assert_int_equal(wire_sum_fold(wire_sum(f->b + ICMP_AT, icmp_len, 0)), 0);
}

struct echo_case {
	const char *what;
	int in;
	const uint8_t *mac; /* dst of the request */
	uint32_t src, dst;
	int out;
	const uint8_t *reply_dst, *reply_src;
};

static void
echo_is_answered(void **state)
{
	struct rig *r = *state;
	const struct echo_case cases[] = {
		{"own address", LAN, lan_mac, CLIENT, LAN_OWN, LAN, client_mac, lan_mac},
		{"VIP by the vMAC", LAN, vmac1, CLIENT, LAN_VIP, LAN, client_mac, vmac1},
		{"VIP by our own MAC", LAN, lan_mac, CLIENT, LAN_VIP, LAN, client_mac, vmac1},
		{"own address by the vMAC", LAN, vmac1, CLIENT, LAN_OWN, LAN, client_mac, lan_mac},
		{"own address of the other side", LAN, vmac1, CLIENT, WAN_OWN, LAN, client_mac,
			lan_mac},
		/* The LAN's vMAC would be another group's on the WAN. */
		{"VIP of the other side", WAN, wan_mac, SERVER, LAN_VIP, WAN, router_mac, wan_mac},
		{"by a router", LAN, vmac1, IP(10, 9, 9, 9), LAN_VIP, LAN, lan_router_mac, vmac1},
	};

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (uint16_t payload = 0; payload < 1300; payload = (uint16_t)(payload * 3 + 1)) {
			const struct echo_case *c = &cases[i];
			struct frame req = frame_echo(c->mac, c->src, c->dst, payload), reply;
			struct rte_mbuf *m;

			if (payload % 2 != 0)
				frame_options(&req, 4 + 4 * (payload % UINT32_C(10)));
			if (payload % 4 == 0)
				rig_rx_segments(r, c->in, &req, 37, 41);
			else
				rig_rx(r, c->in, &req);
			rig_turn(r);
			m = rig_tx(r, c->out);
			if (m == NULL)
				fail_msg("%s: no reply", c->what);
			reply = frame_of(m);
			assert_reply(&req, &reply);
			assert_macs(&reply, c->reply_dst, c->reply_src);
			rig_assert_silent(r);
		}
	}
	assert_int_equal(rig_drops_all(r), 0);
	assert_int_equal(rig_stats(r).forwarded, 0);
	assert_int_equal(rig_stats(r).echo_replies, rig_stats(r).tx_frames);
}

static void
echo_for_a_vip_only_as_master(void **state)
{
	struct rig *r = *state;
	struct frame by_mac = frame_echo(lan_mac, CLIENT, LAN_VIP, 8);
	struct frame by_vmac = frame_echo(vmac1, CLIENT, LAN_VIP, 8);
	struct frame own = frame_echo(lan_mac, CLIENT, LAN_OWN, 8);

	rig_take(r, LAN, &by_mac);
	rig_take(r, LAN, &by_vmac);
	rig_handing_over(r, LAN_VHID1);
	rig_take(r, LAN, &by_mac);
	rig_take(r, LAN, &by_vmac);
	rig_backup(r, LAN_VHID1);
	rig_take(r, LAN, &by_mac);
	assert_int_equal(rig_drops(r, DP_DROP_NOT_MASTER), 5);
	rig_assert_silent(r);
	rig_take(r, LAN, &own);
	assert_int_equal(rig_tx_count(r, LAN), 1);
	/* Another group being MASTER changes nothing. */
	rig_master(r, LAN_VHID7);
	rig_take(r, LAN, &by_mac);
	rig_assert_silent(r);
	rig_master(r, LAN_VHID1);
	rig_take(r, LAN, &by_mac);
	assert_int_equal(rig_tx_count(r, LAN), 1);
}

/*
 * The VIP of two groups: the one whose vMAC was told to the asker is the one that answers,
 * whichever of them the route table names.
 */
static void
echo_to_a_shared_vip_is_of_the_group_that_was_told(void **state)
{
	struct rig *r = *state;
	struct frame to1 = frame_echo(vmac1, CLIENT, LAN_VIP, 8);
	struct frame to7 = frame_echo(vmac7, CLIENT, LAN_VIP, 8);
	struct frame own = frame_echo(lan_mac, CLIENT, LAN_VIP, 8);
	struct frame other = frame_echo(vmac7, CLIENT, LAN_VIP7, 8);
	struct frame udp = frame_udp(vmac7, CLIENT, LAN_VIP);
	struct frame from_wan = frame_echo(vmac1, SERVER, LAN_VIP, 8), f;

	rig_configure(r, &(struct rig_options){.shared_vip = true});
	/* Only the second group is MASTER here. */
	rig_master(r, LAN_VHID7);
	rig_take(r, LAN, &to7);
	f = frame_of(rig_tx(r, LAN));
	assert_reply(&to7, &f);
	assert_macs(&f, client_mac, vmac7);
	rig_take(r, LAN, &to1);
	rig_assert_silent(r);
	rig_take(r, LAN, &own);
	f = frame_of(rig_tx(r, LAN));
	assert_macs(&f, client_mac, vmac7);
	rig_take(r, LAN, &other);
	f = frame_of(rig_tx(r, LAN));
	assert_macs(&f, client_mac, vmac7);
	rig_take(r, LAN, &udp);
	assert_int_equal(rig_drops(r, DP_DROP_LOCAL), 1);

	/* Both: each by its own vMAC. */
	rig_master(r, LAN_VHID1);
	rig_take(r, LAN, &to7);
	f = frame_of(rig_tx(r, LAN));
	assert_macs(&f, client_mac, vmac7);
	rig_take(r, LAN, &to1);
	f = frame_of(rig_tx(r, LAN));
	assert_macs(&f, client_mac, vmac1);
	rig_take(r, LAN, &own);
	f = frame_of(rig_tx(r, LAN));
	assert_macs(&f, client_mac, vmac1);

	/* Only the first. On the WAN its vMAC is that of another group, which has no share. */
	rig_backup(r, LAN_VHID7);
	rig_take(r, LAN, &to7);
	rig_assert_silent(r);
	rig_master(r, WAN_VHID1);
	rig_take(r, WAN, &from_wan);
	f = frame_of(rig_tx(r, WAN));
	assert_reply(&from_wan, &f);

	/* Who hands over is silent, though the other one answers. */
	rig_handing_over(r, LAN_VHID7);
	rig_take(r, LAN, &to7);
	rig_assert_silent(r);
	rig_take(r, LAN, &own);
	f = frame_of(rig_tx(r, LAN));
	assert_macs(&f, client_mac, vmac1);
}

static void
a_reply_without_a_way_is_dropped(void **state)
{
	struct rig *r = *state;
	struct frame no_route = frame_echo(lan_mac, IP(8, 8, 8, 8), LAN_OWN, 8);
	struct frame from_vip = frame_echo(lan_mac, LAN_VIP7, LAN_OWN, 8); /* of a BACKUP */
	struct frame big = frame_echo(lan_mac, SERVER, LAN_OWN, 1460);

	base_store_be16(big.b + IP_AT + 6, WIRE_IP4_DF);
	frame_sum(&big);

	rig_take(r, LAN, &no_route);
	rig_assert_one_drop(r, DP_DROP_NO_ROUTE);
	rig_take(r, LAN, &from_vip);
	assert_int_equal(rig_drops(r, DP_DROP_LOCAL), 1);
	rig_take(r, LAN, &big);
	assert_int_equal(rig_drops(r, DP_DROP_TOO_BIG), 1);
	rig_assert_silent(r);
}

/* A reply that waits for the asker's MAC leaves in the VIP's name, unless we are MASTER no more. */
static void
a_held_reply_keeps_its_source(void **state)
{
	struct rig *r = *state;
	struct frame req = frame_echo(vmac1, CLIENT2, LAN_VIP, 8), reply;
	struct rte_mbuf *m;
	struct dp_punt p;

	rig_master(r, LAN_VHID1);
	for (unsigned int master = 0; master < 2; master++) {
		rig_take(r, LAN, &req);
		assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
		assert_int_equal(p.cls, DP_PUNT_RESOLVE);
		assert_int_equal(p.if_index, LAN);
		assert_int_equal(base_addr_ip4(&p.next_hop), CLIENT2);
		dp_answer(r->dp, LAN_VHID1, master == 1);
		dp_ctl_send_resolved(r->dp, LAN, p.m, other_mac);
		rig_turn(r);
		dp_answer(r->dp, LAN_VHID1, true);
		m = rig_tx(r, LAN);
		if (master == 0) {
			assert_null(m);
			rig_assert_one_drop(r, DP_DROP_NOT_MASTER);
			continue;
		}
		assert_non_null(m);
		reply = frame_of(m);
		assert_reply(&req, &reply);
		assert_macs(&reply, other_mac, vmac1);
	}
	assert_int_equal(rig_stats(r).forwarded, 0);
}

/* The error about f, which quotes f from its IPv4 header on. */
static void
assert_error(const struct rte_mbuf *m, const struct frame *f, uint8_t type, uint8_t code,
	uint32_t rest, uint32_t src)
{
	uint32_t quoted = base_load_be16(f->b + IP_AT + 2);
	struct frame e;
	struct wire_ip4 ip;

	assert_non_null(m);
	e = frame_of(m);
	if (quoted > 548)
		quoted = 548;
	assert_int_equal(wire_ip4_decode(e.b + IP_AT, e.len - IP_AT, &ip), WIRE_IP4_OK);
	assert_int_equal(e.len, ICMP_AT + WIRE_ICMP_LEN + quoted);
	assert_int_equal(ip.total_len, e.len - IP_AT);
	assert_true(ip.total_len <= 576);
	assert_int_equal(ip.src, src);
	assert_int_equal(ip.dst, base_load_be32(f->b + IP_AT + 12));
	assert_int_equal(ip.proto, WIRE_PROTO_ICMP);
	assert_int_equal(ip.ttl, 64);
	assert_int_equal(e.b[ICMP_AT], type);
	assert_int_equal(e.b[ICMP_AT + 1], code);
	assert_int_equal(base_load_be32(e.b + ICMP_AT + 4), rest);
	assert_int_equal(wire_sum_fold(wire_sum(e.b + ICMP_AT, e.len - ICMP_AT, 0)), 0);
	assert_memory_equal(e.b + ICMP_AT + WIRE_ICMP_LEN, f->b + IP_AT, quoted);
}

static void
errors_tell_the_sender(void **state)
{
	struct rig *r = *state;
	struct frame ttl = frame_ip4(vmac1, CLIENT, SERVER, 17, 1000);
	struct frame no_route = frame_udp(vmac1, CLIENT, IP(8, 8, 8, 8));
	struct frame big = frame_ip4(vmac1, CLIENT, SERVER, 17, 1400);
	struct frame options = frame_udp(vmac1, CLIENT, SERVER);
	struct rte_mbuf *m;
	struct frame e;

	rig_master(r, LAN_VHID1);
	ip_set_ttl(&ttl, 1);
	rig_take(r, LAN, &ttl);
	m = rig_tx(r, LAN);
	assert_error(m, &ttl, WIRE_ICMP_TIME_EXCEEDED, 0, 0, LAN_OWN);
	e = frame_of(m);
	assert_macs(&e, client_mac, lan_mac);

	rig_take(r, LAN, &no_route);
	assert_error(rig_tx(r, LAN), &no_route, WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_NET, 0,
		LAN_OWN);

	base_store_be16(big.b + IP_AT + 6, WIRE_IP4_DF);
	frame_sum(&big);
	rig_take(r, LAN, &big);
	assert_error(
		rig_tx(r, LAN), &big, WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_FRAG, 1400, LAN_OWN);
	assert_int_equal(rig_drops(r, DP_DROP_TOO_BIG), 1);

	frame_options(&options, 40);
	ip_set_ttl(&options, 1);
	rig_rx_segments(r, LAN, &options, 40, 3);
	rig_turn(r);
	assert_error(rig_tx(r, LAN), &options, WIRE_ICMP_TIME_EXCEEDED, 0, 0, LAN_OWN);

	rig_assert_silent(r);
	assert_int_equal(rig_stats(r).icmp_errors, 4);
	assert_int_equal(rig_stats(r).forwarded, 0);
}

static void
an_unreachable_neighbour_is_told(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(vmac1, CLIENT, STRANGER), quoted;
	struct frame echo = frame_echo(vmac1, CLIENT2, LAN_VIP, 8);
	struct frame from_afar = frame_udp(vmac1, CLIENT2, STRANGER);
	struct dp_punt p;

	rig_master(r, LAN_VHID1);
	rig_take(r, LAN, &f);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	dp_ctl_unreachable(r->dp, p.m);
	rig_assert_one_drop(r, DP_DROP_UNREACHABLE);
	rig_turn(r);
	/* It was held with its TTL counted down. */
	quoted = f;
	ip_set_ttl(&quoted, 63);
	assert_error(
		rig_tx(r, LAN), &quoted, WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_HOST, 0, LAN_OWN);
	assert_int_equal(rig_stats(r).icmp_errors, 1);

	/* Nothing is said about a packet of our own. */
	rig_take(r, LAN, &echo);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	dp_ctl_unreachable(r->dp, p.m);
	rig_turn(r);
	rig_assert_silent(r);

	/* The sender's MAC is not known either: the error waits for it, and is given up quietly. */
	rig_take(r, LAN, &from_afar);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	assert_int_equal(base_addr_ip4(&p.next_hop), STRANGER);
	dp_ctl_unreachable(r->dp, p.m);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 1);
	assert_int_equal(p.cls, DP_PUNT_RESOLVE);
	assert_int_equal(base_addr_ip4(&p.next_hop), CLIENT2);
	dp_ctl_unreachable(r->dp, p.m);
	assert_int_equal(dp_poll_punts(r->dp, &p, 1, 1), 0);
	rig_turn(r);
	rig_assert_silent(r);
}

struct silent_case {
	const char *what;
	uint8_t proto;
	uint8_t icmp_type;
	uint16_t frag, payload;
	uint32_t src;
	bool error; /* expected */
};

static void
errors_are_never_sent_about(void **state)
{
	struct rig *r = *state;
	static const struct silent_case cases[] = {
		{"UDP", 17, 0, 0, 20, CLIENT, true},
		{"unreachable", 1, 3, 0, 20, CLIENT, false},
		{"source quench", 1, 4, 0, 20, CLIENT, false},
		{"redirect", 1, 5, 0, 20, CLIENT, false},
		{"time exceeded", 1, 11, 0, 20, CLIENT, false},
		{"parameter problem", 1, 12, 0, 20, CLIENT, false},
		{"echo request", 1, 8, 0, 20, CLIENT, true},
		{"echo reply", 1, 0, 0, 20, CLIENT, true},
		{"ICMP without a type", 1, 0, 0, 0, CLIENT, false},
		{"first fragment", 17, 0, WIRE_IP4_MF, 24, CLIENT, true},
		{"second fragment", 17, 0, WIRE_IP4_MF | 3, 24, CLIENT, false},
		{"last fragment", 17, 0, 100, 24, CLIENT, false},
		{"subnet broadcast source", 17, 0, 0, 20, IP(192, 0, 2, 255), false},
		{"a VIP that is not ours now", 17, 0, 0, 20, LAN_VIP7, false},
		{"source without route", 17, 0, 0, 20, IP(8, 8, 8, 8), false},
	};
	uint64_t withheld = 0;

	rig_master(r, LAN_VHID1);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct silent_case *c = &cases[i];
		struct frame f = frame_ip4(vmac1, c->src, SERVER, c->proto, c->payload);

		if (c->payload != 0)
			f.b[ICMP_AT] = c->icmp_type;
		base_store_be16(f.b + IP_AT + 6, c->frag);
		ip_set_ttl(&f, 1);
		rig_take(r, LAN, &f);
		if ((rig_tx_count(r, LAN) != 0) != c->error)
			fail_msg("%s: error expected: %d", c->what, c->error);
		rig_assert_silent(r);
		assert_int_equal(rig_drops(r, DP_DROP_TTL), i + 1);
		withheld += !c->error;
		assert_int_equal(rig_stats(r).icmp_withheld, withheld);
	}
	assert_int_equal(rig_stats(r).icmp_limited, 0);
}

/* An interface without an address speaks as a VIP, and only while MASTER. */
static void
errors_come_from_a_vip_only_as_master(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(lan_mac, CLIENT, SERVER), e;
	struct rte_mbuf *m;

	ip_set_ttl(&f, 1);
	rig_configure(r, &(struct rig_options){.no_addresses = true});
	rig_take(r, LAN, &f);
	rig_assert_silent(r);
	rig_handing_over(r, LAN_VHID1);
	rig_take(r, LAN, &f);
	rig_assert_silent(r);
	rig_master(r, WAN_VHID1);
	rig_take(r, LAN, &f);
	rig_assert_silent(r);
	assert_int_equal(rig_stats(r).icmp_errors, 0);

	rig_master(r, LAN_VHID7);
	rig_take(r, LAN, &f);
	m = rig_tx(r, LAN);
	assert_error(m, &f, WIRE_ICMP_TIME_EXCEEDED, 0, 0, LAN_VIP7);
	e = frame_of(m);
	assert_macs(&e, client_mac, vmac7);
	/* Two groups: the first one. */
	rig_master(r, LAN_VHID1);
	rig_take(r, LAN, &f);
	m = rig_tx(r, LAN);
	assert_error(m, &f, WIRE_ICMP_TIME_EXCEEDED, 0, 0, LAN_VIP);
	e = frame_of(m);
	assert_macs(&e, client_mac, vmac1);
}

static void
errors_are_rate_limited(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(lan_mac, CLIENT, SERVER);
	uint32_t n = 0;

	ip_set_ttl(&f, 1);
	rig_configure(r, &(struct rig_options){.icmp_per_s = 200});
	for (unsigned int i = 0; i < 400; i++) {
		rig_take(r, LAN, &f);
		n += rig_tx_count(r, LAN);
	}
	/* 400 us later: the burst and nothing more. */
	assert_int_equal(n, 50);
	for (unsigned int i = 0; i < 1000; i++) {
		r->now += BASE_NS_PER_MS;
		rig_take(r, LAN, &f);
		n += rig_tx_count(r, LAN);
	}
	assert_in_range(n, 50 + 199, 50 + 201);
	assert_int_equal(rig_drops(r, DP_DROP_TTL), 1400);
	assert_int_equal(rig_drops_all(r), 1400);

	/* After a long silence no more than one burst either. */
	r->now += 3600 * BASE_NS_PER_S;
	for (n = 0; rig_take(r, LAN, &f), rig_tx_count(r, LAN) != 0;)
		n++;
	assert_int_equal(n, 50);
}

static void
one_a_second_is_one_a_second(void **state)
{
	struct rig *r = *state;
	struct frame f = frame_udp(lan_mac, CLIENT, SERVER);

	ip_set_ttl(&f, 1);
	rig_configure(r, &(struct rig_options){.icmp_per_s = 1});
	rig_take(r, LAN, &f);
	assert_int_equal(rig_tx_count(r, LAN), 1);
	r->now += BASE_NS_PER_S / 2;
	rig_take(r, LAN, &f);
	assert_int_equal(rig_tx_count(r, LAN), 0);
	r->now += BASE_NS_PER_S / 2;
	rig_take(r, LAN, &f);
	assert_int_equal(rig_tx_count(r, LAN), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(echo_is_answered),
		T(echo_for_a_vip_only_as_master),
		T(echo_to_a_shared_vip_is_of_the_group_that_was_told),
		T(a_reply_without_a_way_is_dropped),
		T(a_held_reply_keeps_its_source),
		T(errors_tell_the_sender),
		T(an_unreachable_neighbour_is_told),
		T(errors_are_never_sent_about),
		T(errors_come_from_a_vip_only_as_master),
		T(errors_are_rate_limited),
		T(one_a_second_is_one_a_second),
	};

	return cmocka_run_group_tests_name("dp_icmp", tests, rig_group_setup, rig_group_teardown);
}
