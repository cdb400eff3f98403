/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* How adverts are signed, and which of those that verify are believed. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>

#include "ctl_fake.h"

static const char *const hmac_words[] = {"auto", "orig", "nov6ll"};

/* A group with a link-local VIP, where the variants of the digest differ. */
static struct rig
make_link_local(const char *hmac)
{
	char json[512];

	snprintf(json, sizeof(json),
		"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\",\"addresses\":"
		"[\"192.0.2.2/24\"]}],\"carp\":{\"groups\":[{\"name\":\"carp0\",\"carpdev\":\"em0\","
		"\"vhid\":1,\"pass\":\"lanpasswd\",\"hmac\":\"%s\",\"addresses\":[\"192.0.2.1/24\","
		"\"fe80::1/64\"]}]}}",
		hmac);
	return rig_make(json);
}

static void
digest(const char *pass, bool with_link_local, uint64_t counter, uint8_t md[AUTH_DIGEST_LEN])
{
	struct base_addr vips[2] = {base_addr_from_ip4(RIG_VIP),
		{.family = BASE_FAMILY_IP6, .bytes = {0xfe, 0x80, [15] = 1}}};
	uint8_t key[AUTH_KEY_LEN];

	assert_int_equal(auth_key_from_pass(pass, key), 0);
	struct auth_group *g = auth_group_create(key, 1, vips, 2);

	assert_non_null(g);
	auth_group_send_orig(g, with_link_local);
	assert_int_equal(auth_group_sign(g, counter, md), 0);
	auth_group_destroy(g);
}

static void
assert_sent(const char *pass, bool with_link_local)
{
	uint8_t md[AUTH_DIGEST_LEN];
	struct wire_carp carp;

	assert_non_null(sent_advert(0, &carp));
	digest(pass, with_link_local, carp.counter, md);
	assert_memory_equal(carp.digest, md, sizeof(md));
	digest(pass, !with_link_local, carp.counter, md);
	assert_memory_not_equal(carp.digest, md, sizeof(md));
}

static void
adverts_are_signed_as_configured(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hmac_words) / sizeof(hmac_words[0]); i++) {
		bool orig = strcmp(hmac_words[i], "orig") == 0;
		struct rig r = make_link_local(hmac_words[i]);
		struct ctl_request req = {.type = CTL_REQ_KEY, .group = 0};
		char note[160];

		rig_to_master(&r);
		assert_sent("lanpasswd", orig);
		/* a new key changes nothing about it */
		assert_int_equal(auth_key_from_pass("newpasswd", req.key), 0);
		assert_int_equal(rig_request(&r, &req, note, sizeof(note)), 0);
		fake.n_frames = 0;
		rig_run(&r, fake.now + BASE_NS_PER_S);
		assert_sent("newpasswd", orig);
		rig_free(&r);
	}
}

/* An advert of RIG_PEER. */
static void
advert(const struct wire_carp *carp)
{
	struct wire_carp4_envelope env = {.ip_src = RIG_PEER, .ip_dst = WIRE_CARP_GROUP_IP4};
	uint8_t frame[WIRE_CARP4_FRAME_LEN];

	memcpy(env.eth_dst, wire_carp_mac4, sizeof(env.eth_dst));
	wire_carp4_frame_encode(&env, carp, frame);
	fake.advert[fake.n_adverts++] = (struct dp_punt){
		.m = rig_mbuf(frame, sizeof(frame)), .group = 0, .known_source = true};
}

/* 49: link-local VIP; peer sends ORIG, then NOV6LL: both accepted, whatever is sent here. */
static void
both_variants_are_accepted_whatever_is_sent(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hmac_words) / sizeof(hmac_words[0]); i++) {
		struct rig r = make_link_local(hmac_words[i]);

		for (unsigned int with = 0; with < 2; with++) {
			struct wire_carp carp = {.version = WIRE_CARP_VERSION,
				.type = WIRE_CARP_TYPE,
				.vhid = 1,
				.authlen = WIRE_CARP_AUTHLEN,
				.advbase = 1,
				.advskew = (uint8_t)(10 + with),
				.counter = 100 + with};
			struct ctl_group_view v;

			digest("lanpasswd", with == 1, carp.counter, carp.digest);
			advert(&carp);
			rig_turn(&r);
			ctl_group_view(r.ctl, 0, &v);
			assert_int_equal(v.stats[CTL_STAT_BADAUTH], 0);
			assert_int_equal(v.info.heard.advskew, 10 + with);
		}
		rig_free(&r);
	}
}

/* An advert of RIG_PEER to the one group of rig_bare, or a bow-out. */
static void
from_peer(struct rig *r, uint64_t counter, uint8_t advbase, uint8_t advskew)
{
	struct base_addr vip = base_addr_from_ip4(RIG_VIP);
	struct wire_carp carp = {.version = WIRE_CARP_VERSION,
		.type = WIRE_CARP_TYPE,
		.vhid = 1,
		.authlen = WIRE_CARP_AUTHLEN,
		.advbase = advbase,
		.advskew = advskew,
		.counter = counter};
	uint8_t key[AUTH_KEY_LEN];

	assert_int_equal(auth_key_from_pass("lanpasswd", key), 0);
	struct auth_group *g = auth_group_create(key, 1, &vip, 1);

	assert_non_null(g);
	assert_int_equal(auth_group_sign(g, counter, carp.digest), 0);
	auth_group_destroy(g);
	advert(&carp);
	rig_turn(r);
}

static uint64_t
replays(struct rig *r)
{
	struct ctl_group_view v;

	ctl_group_view(r->ctl, 0, &v);
	return v.stats[CTL_STAT_REPLAY];
}

static int
request(struct rig *r, enum ctl_request_type type, char note[160])
{
	struct ctl_request req = {.type = type, .group = 0};

	return rig_request(r, &req, note, 160);
}

/* Counters that say nothing of one another. */
#define COUNTER(i) (UINT64_C(0x9e3779b97f4a7c15) * ((i) + 1))

static void
count_for_a_while(struct rig *r)
{
	for (uint64_t i = 0; i < 5; i++) {
		from_peer(r, COUNTER(i), 1, 50);
		rig_run(r, fake.now + BASE_NS_PER_S);
	}
}

/*
 * Who kept adverts must not profit from routine: a replay is refused after down and up as before,
 * and what it was is on record.
 */
static void
down_and_up_forget_nothing(void **state)
{
	struct rig r = rig_make(rig_bare);
	struct ctl_group_view v;
	char note[160];

	(void)state;
	count_for_a_while(&r);
	assert_int_equal(request(&r, CTL_REQ_DOWN, note), 0);
	rig_run(&r, fake.now + BASE_NS_PER_S);
	assert_int_equal(request(&r, CTL_REQ_UP, note), 0);
	rig_run(&r, fake.now + BASE_NS_PER_S);
	from_peer(&r, COUNTER(1), 255, 255);
	assert_int_equal(replays(&r), 1);
	assert_int_equal(rig_state(&r, 0), ELECTION_BACKUP);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.refused[0].at, fake.now);
	assert_int_equal(base_addr_ip4(&v.refused[0].src), RIG_PEER);
	assert_int_equal(base_addr_ip4(&v.refused[0].why.first), RIG_PEER);
	assert_int_equal(v.refused[0].why.cls, AUTH_REPLAY_CLASS_CHANGING);
	assert_int_equal(v.refused[0].prio.advbase, 255);
	assert_in_range(v.refused[0].why.age, 5 * BASE_NS_PER_S, 7 * BASE_NS_PER_S);
	rig_free(&r);
}

/* A box was replaced by one that repeats one counter, as OpenBSD does. */
static void
a_replaced_box_is_heard_after_the_command(void **state)
{
	struct rig r = rig_make(rig_bare);
	struct ctl_peer peers[CTL_PEERS_MAX];
	struct ctl_event ev[32];
	struct ctl_group_view v;
	uint64_t last;
	char note[160];

	(void)state;
	count_for_a_while(&r);
	from_peer(&r, 77, 1, 60);
	rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
	from_peer(&r, 77, 1, 60);
	assert_int_equal(replays(&r), 1);

	assert_int_equal(request(&r, CTL_REQ_CLEAR_SOURCES, note), 0);
	assert_string_equal(note, "sources forgotten: 1");
	uint32_t n = ctl_events(r.ctl, 0, 0, ev, 32, &last);

	assert_int_equal(ev[n - 1].kind, CTL_EVENT_REQUEST);
	assert_string_equal(ev[n - 1].text, "clear sources");
	assert_true(ctl_peers(r.ctl, 0, peers) > 0);
	assert_int_equal(peers[0].counters, AUTH_REPLAY_CLASS_UNKNOWN);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.refused[0].at, 0);

	for (unsigned int i = 0; i < 5; i++) {
		from_peer(&r, 77, 1, (uint8_t)(60 + i));
		rig_run(&r, fake.now + BASE_NS_PER_S);
		ctl_group_view(r.ctl, 0, &v);
		assert_int_equal(v.info.heard.advskew, 60 + i);
	}
	assert_int_equal(replays(&r), 1);
	/* what the box before had sent stays refused */
	from_peer(&r, COUNTER(2), 255, 255);
	assert_int_equal(replays(&r), 2);
	rig_free(&r);
}

static void
strict_groups_have_nothing_to_forget(void **state)
{
	static const char json[] =
		"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\"}],\"carp\":"
		"{\"groups\":[{\"name\":\"carp0\",\"carpdev\":\"em0\",\"vhid\":1,\"pass\":\"lanpasswd\","
		"\"strict\":true,\"addresses\":[\"192.0.2.1/24\"]}]}}";
	struct rig r = rig_make(json);
	struct ctl_group_view v;
	char note[160];

	(void)state;
	assert_int_equal(request(&r, CTL_REQ_CLEAR_SOURCES, note), -ENOTSUP);
	assert_string_equal(note, "carp0 is strict: how a source counts means nothing there");
	from_peer(&r, COUNTER(0), 1, 0);
	ctl_group_view(r.ctl, 0, &v);
	assert_int_equal(v.stats[CTL_STAT_NOT_STRICT] + v.stats[CTL_STAT_STALE], 1);
	assert_true(v.refused[1].at == fake.now || v.refused[2].at == fake.now);
	rig_free(&r);
}

/* Which command led to a state stands with it; what others do to it has none. */
static void
commands_stand_with_the_states_they_make(void **state)
{
	static const struct {
		struct ctl_request req;
		const char *text;
		enum election_state to;
	} cases[] = {
		{{.type = CTL_REQ_DOWN}, "down", ELECTION_INIT},
		{{.type = CTL_REQ_UP}, "up", ELECTION_BACKUP},
		{{.type = CTL_REQ_STATE_MASTER}, "state master", ELECTION_MASTER},
		{{.type = CTL_REQ_STATE_BACKUP}, "state backup", ELECTION_BACKUP},
		{{.type = CTL_REQ_ALLOW, .value = 0}, "allow 0", ELECTION_INIT},
		{{.type = CTL_REQ_ALLOW, .value = 1}, "allow 1", ELECTION_BACKUP},
	};
	struct rig r = rig_make(rig_bare);
	struct ctl_event ev[64];
	uint64_t last = 0, before;
	char note[160];

	(void)state;
	assert_true(ctl_events(r.ctl, 0, 0, ev, 64, &last) > 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		before = last;
		assert_int_equal(rig_request(&r, &cases[i].req, note, sizeof(note)), 0);
		assert_true(ctl_events(r.ctl, 0, before, ev, 64, &last) > 0);
		assert_int_equal(ev[0].kind, CTL_EVENT_STATE);
		assert_int_equal(ev[0].to, cases[i].to);
		assert_string_equal(ev[0].text, cases[i].text);
	}
	before = last;
	rig_to_master(&r);
	assert_true(ctl_events(r.ctl, 0, before, ev, 64, &last) > 0);
	assert_int_equal(ev[0].to, ELECTION_MASTER);
	assert_string_equal(ev[0].text, "");
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adverts_are_signed_as_configured),
		cmocka_unit_test(both_variants_are_accepted_whatever_is_sent),
		cmocka_unit_test(down_and_up_forget_nothing),
		cmocka_unit_test(a_replaced_box_is_heard_after_the_command),
		cmocka_unit_test(strict_groups_have_nothing_to_forget),
		cmocka_unit_test(commands_stand_with_the_states_they_make),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
