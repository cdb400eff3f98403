/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Router advertisements: who sends them when, and the last one of who gives up. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_fake.h"
#include "wire_ra.h"

static const char ra_rig[] =
	"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\",\"addresses\":["
	"\"2001:db8:1::2/64\"],\"ra\":{\"max-interval-s\":60,\"min-interval-s\":30}}],"
	"\"carp\":{\"preempt\":true,\"groups\":[{\"name\":\"carp0\",\"carpdev\":\"em0\",\"vhid\":1,"
	"\"pass\":\"lanpasswd\",\"addresses\":[\"2001:db8:1::1/64\"]}]}}";

static const uint8_t router[16] = {
	0xfe, 0x80, [8] = 0x02, [10] = 0x5e, 0xff, 0xfe, 0x00, 0x01, 0x01};

static uint32_t
sent_ras(void)
{
	struct wire_ra ra;
	struct wire_ip6 ip;
	uint32_t n = 0;

	while (sent_ra(n, &ra, &ip) != NULL)
		n++;
	return n;
}

static uint64_t
counted(struct rig *r, enum ctl_stat s)
{
	return rig_group(r, 0).stats[s];
}

static void
ask(struct rig *r, enum ctl_request_type type)
{
	struct ctl_request req = {.type = type, .group = 0};
	char note[160];

	assert_int_equal(rig_request(r, &req, note, sizeof(note)), 0);
}

/* Nothing as BACKUP; as MASTER at once, in the vMAC's name, with what the configuration says. */
static void
the_master_advertises(void **state)
{
	struct rig r = rig_make(ra_rig);
	struct wire_ra ra;
	struct wire_ip6 ip;
	const struct fake_frame *f;

	(void)state;
	rig_run(&r, RIG_START + RIG_DOWN - BASE_NS_PER_MS);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	assert_int_equal(sent_ras(), 0);
	rig_to_master(&r);
	f = sent_ra(0, &ra, &ip);
	assert_non_null(f);
	assert_int_equal(sent_ras(), 1);
	assert_memory_equal(f->bytes + 6, rig_vmac, 6);
	assert_memory_equal(ip.src, router, 16);
	assert_true(ra.has_lladdr);
	assert_memory_equal(ra.lladdr, rig_vmac, 6);
	assert_int_equal(ra.lifetime_s, 180);
	assert_int_equal(ra.hop_limit, 64);
	assert_int_equal(ra.mtu, 1500);
	assert_false(ra.managed || ra.other);
	assert_int_equal(ra.n_prefixes, 1);
	assert_int_equal(ra.prefix[0].plen, 64);
	assert_true(ra.prefix[0].on_link && ra.prefix[0].autonomous);
	assert_memory_equal(ra.prefix[0].prefix, rig_vip6, 8);
	rig_free(&r);
}

/* Three at most 16 s apart, then one in 30 to 60 s. */
static void
intervals_are_those_of_the_standard(void **state)
{
	struct rig r = rig_make(ra_rig);
	struct wire_ra ra;
	struct wire_ip6 ip;
	base_ns_t at[8] = {0};
	uint32_t n = 0;

	(void)state;
	rig_to_master(&r);
	for (; n < 8; n++) {
		const struct fake_frame *f = sent_ra(0, &ra, &ip);

		while (f == NULL) {
			rig_run(&r, fake.now + BASE_NS_PER_S / 2);
			f = sent_ra(0, &ra, &ip);
			if (f == NULL)
				fake.n_frames = 0;
		}
		at[n] = f->at;
		fake.n_frames = 0;
	}
	assert_in_range(at[1] - at[0], 3 * BASE_NS_PER_S, 16 * BASE_NS_PER_S);
	assert_in_range(at[2] - at[1], 3 * BASE_NS_PER_S, 16 * BASE_NS_PER_S);
	for (n = 3; n < 8; n++)
		assert_in_range(at[n] - at[n - 1], 30 * BASE_NS_PER_S - BASE_NS_PER_MS,
			60 * BASE_NS_PER_S + BASE_NS_PER_MS);
	assert_int_equal(counted(&r, CTL_STAT_RA_SENT), 8);
	rig_free(&r);
}

/* A better master is heard, as after its preemption. */
static void
better_master(struct rig *r)
{
	struct ctl_request req = {.type = CTL_REQ_ADVSKEW, .group = 0, .value = 100};
	static const uint8_t peer[16] = {0xfe, 0x80, [15] = 3};
	struct base_addr vip = base_addr_from_ip6(rig_vip6);
	struct wire_carp carp = {
		.version = 2, .type = 1, .vhid = 1, .authlen = 7, .advbase = 1, .counter = 7};
	struct wire_carp6_envelope env = {0};
	uint8_t key[AUTH_KEY_LEN], frame[WIRE_CARP6_FRAME_LEN];
	struct auth_group *g;
	char note[160];

	assert_int_equal(rig_request(r, &req, note, sizeof(note)), 0);
	memcpy(env.eth_dst, wire_carp_mac6, 6);
	memcpy(env.ip_src, peer, 16);
	memcpy(env.ip_dst, wire_carp_group_ip6, 16);
	assert_int_equal(auth_key_from_pass("lanpasswd", key), 0);
	g = auth_group_create(key, 1, &vip, 1);
	assert_int_equal(auth_group_sign(g, carp.counter, carp.digest), 0);
	auth_group_destroy(g);
	wire_carp6_frame_encode(&env, &carp, frame);
	fake.advert[fake.n_adverts++] = (struct dp_punt){
		.m = rig_mbuf(frame, sizeof(frame)), .group = 0, .known_source = true};
	rig_turn(r);
	assert_int_equal(rig_state(r, 0), ELECTION_BACKUP);
}

/* Whoever gives up says so once, whatever the reason; the BACKUP that it is then says nothing. */
static void
giving_up_is_said(void **state)
{
	(void)state;
	for (unsigned int why = 0; why < 4; why++) {
		struct rig r = rig_make(ra_rig);
		struct wire_ra ra;
		struct wire_ip6 ip;

		rig_to_master(&r);
		fake.n_frames = 0;
		if (why == 0) {
			ask(&r, CTL_REQ_DOWN);
		} else if (why == 1) {
			ask(&r, CTL_REQ_STATE_BACKUP);
		} else if (why == 2) {
			ctl_shutdown(r.ctl);
			fake.step = BASE_NS_PER_MS;
			assert_int_equal(ctl_run(r.ctl), 0);
		} else {
			better_master(&r);
		}
		assert_int_equal(sent_ras(), 1);
		assert_non_null(sent_ra(0, &ra, &ip));
		assert_int_equal(ra.lifetime_s, 0);
		assert_memory_equal(ip.src, router, 16);
		assert_int_equal(ra.n_prefixes, 1);
		if (why == 2) {
			fake.step = 0;
			rig_free(&r);
			continue;
		}
		assert_int_equal(counted(&r, CTL_STAT_RA_FINAL), 1);
		fake.n_frames = 0;
		rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
		assert_int_equal(sent_ras(), 0);
		rig_free(&r);
	}
}

static void
solicit(struct rig *r)
{
	uint8_t frame[WIRE_ETH_LEN + WIRE_IP6_LEN + WIRE_ICMP6_LEN];
	struct wire_eth eth = {.type = WIRE_ETHERTYPE_IP6};
	struct wire_ip6 ip = {
		.next = WIRE_PROTO_ICMP6, .hop_limit = 255, .payload_len = WIRE_ICMP6_LEN};
	struct wire_icmp6 icmp = {.type = WIRE_ICMP6_RS};

	memcpy(ip.src, rig_host6, 16);
	memcpy(ip.dst, wire_ip6_all_routers, 16);
	wire_eth_encode(&eth, frame);
	wire_ip6_encode(&ip, frame + WIRE_ETH_LEN);
	wire_icmp6_encode(&icmp, ip.src, ip.dst, NULL, 0, frame + WIRE_ETH_LEN + WIRE_IP6_LEN);
	rig_punt(DP_PUNT_IF_ARP, DP_NONE, frame, sizeof(frame));
	rig_turn(r);
}

/* A solicitation is answered within half a second, but never twice in three; not by a BACKUP. */
static void
solicitations_are_answered(void **state)
{
	struct rig r = rig_make(ra_rig);
	struct wire_ra ra;
	struct wire_ip6 ip;
	base_ns_t last = 0;

	(void)state;
	solicit(&r);
	rig_run(&r, fake.now + BASE_NS_PER_S);
	assert_int_equal(sent_ras(), 0);
	assert_int_equal(counted(&r, CTL_STAT_RS_HEARD), 0);
	rig_to_master(&r);
	for (unsigned int i = 0; i < 60; i++) { /* past the first ones */
		fake.n_frames = 0;
		rig_run(&r, fake.now + BASE_NS_PER_S);
	}
	while (sent_ras() == 0) {
		fake.n_frames = 0;
		rig_run(&r, fake.now + BASE_NS_PER_S / 4);
	}
	fake.n_frames = 0;
	rig_run(&r, fake.now + 5 * BASE_NS_PER_S);
	assert_int_equal(sent_ras(), 0);
	fake.n_frames = 0;
	last = fake.now;
	solicit(&r);
	rig_run(&r, last + BASE_NS_PER_S);
	assert_int_equal(sent_ras(), 1);
	assert_in_range(sent_ra(0, &ra, &ip)->at, last, last + BASE_NS_PER_S / 2 + BASE_NS_PER_MS);
	last = sent_ra(0, &ra, &ip)->at;
	fake.n_frames = 0;
	for (unsigned int i = 0; i < 10; i++)
		solicit(&r);
	rig_run(&r, last + 3 * BASE_NS_PER_S - BASE_NS_PER_MS);
	assert_int_equal(sent_ras(), 0);
	rig_run(&r, last + 4 * BASE_NS_PER_S);
	assert_int_equal(sent_ras(), 1);
	assert_int_equal(counted(&r, CTL_STAT_RS_HEARD), 11);
	rig_free(&r);
}

/* Whose peer says in the group's name that it is no router says at once that it is; a BACKUP does
 * not, nor does anybody mind what others say of themselves. */
static void
a_last_word_of_the_other_is_answered(void **state)
{
	static const uint8_t other[16] = {0xfe, 0x80, [15] = 9};
	struct rig r = rig_make(ra_rig);
	struct wire_ra final = {.hop_limit = 64}, ra;
	uint8_t frame[WIRE_RA_FRAME_MAX];
	struct wire_ip6 ip;
	size_t len = wire_ra_frame_encode(rig_vmac, router, &final, frame);

	(void)state;
	rig_punt(DP_PUNT_IF_ARP, DP_NONE, frame, (uint16_t)len);
	rig_run(&r, fake.now + BASE_NS_PER_S);
	assert_int_equal(sent_ras(), 0);
	rig_to_master(&r);
	rig_run(&r, fake.now + BASE_NS_PER_S);
	fake.n_frames = 0;
	rig_punt(DP_PUNT_IF_ARP, DP_NONE, frame, (uint16_t)len);
	rig_turn(&r);
	assert_int_equal(sent_ras(), 1);
	assert_non_null(sent_ra(0, &ra, &ip));
	assert_int_equal(ra.lifetime_s, 180);
	assert_int_equal(counted(&r, CTL_STAT_RA_REPEATED), 1);

	fake.n_frames = 0;
	final.lifetime_s = 1800;
	len = wire_ra_frame_encode(rig_vmac, router, &final, frame);
	rig_punt(DP_PUNT_IF_ARP, DP_NONE, frame, (uint16_t)len);
	final.lifetime_s = 0;
	len = wire_ra_frame_encode(rig_asker_mac, other, &final, frame);
	rig_punt(DP_PUNT_IF_ARP, DP_NONE, frame, (uint16_t)len);
	rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
	assert_int_equal(sent_ras(), 0);

	/* a flood of them is answered ten times a second */
	for (unsigned int i = 0; i < 50; i++) {
		len = wire_ra_frame_encode(rig_vmac, router, &final, frame);
		rig_punt(DP_PUNT_IF_ARP, DP_NONE, frame, (uint16_t)len);
		rig_run(&r, fake.now + 10 * BASE_NS_PER_MS);
	}
	assert_in_range(sent_ras(), 4, 6);
	rig_free(&r);
}

/* Hosts ask where the router that they know by its advertisements is. */
static void
the_router_is_answered_for(void **state)
{
	struct rig r = rig_make(ra_rig);
	struct wire_ip6 ip;

	(void)state;
	rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
	rig_solicit(DP_PUNT_GROUP_ARP, router);
	rig_turn(&r);
	assert_int_equal(sent_ip6s(), 0);
	rig_to_master(&r);
	rig_turn(&r);
	rig_solicit(DP_PUNT_GROUP_ARP, router);
	rig_turn(&r);
	assert_int_equal(sent_ip6s(), 1);
	struct wire_nd nd = rig_nd(sent_ip6(0), &ip);

	assert_int_equal(nd.type, WIRE_ICMP6_NA);
	assert_true(nd.router);
	assert_memory_equal(nd.target, router, 16);
	assert_memory_equal(nd.lladdr, rig_vmac, 6);
	rig_free(&r);
}

/* Without the key nothing is sent, and its address is nobody's. */
static void
without_the_key_nothing_is_sent(void **state)
{
	struct rig r = rig_make(rig_dual);

	(void)state;
	rig_to_master(&r);
	solicit(&r);
	rig_run(&r, fake.now + 10 * BASE_NS_PER_S);
	assert_int_equal(sent_ras(), 0);
	rig_solicit(DP_PUNT_GROUP_ARP, router);
	rig_turn(&r);
	assert_int_equal(sent_ip6s(), 0);
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_master_advertises),
		cmocka_unit_test(intervals_are_those_of_the_standard),
		cmocka_unit_test(giving_up_is_said),
		cmocka_unit_test(solicitations_are_answered),
		cmocka_unit_test(a_last_word_of_the_other_is_answered),
		cmocka_unit_test(the_router_is_answered_for),
		cmocka_unit_test(without_the_key_nothing_is_sent),
	};

	return cmocka_run_group_tests_name("ctl_ra", tests, fake_eal_setup, fake_eal_teardown);
}
