/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* How adverts are signed, and which of those that verify are believed. */

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adverts_are_signed_as_configured),
		cmocka_unit_test(both_variants_are_accepted_whatever_is_sent),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
