/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Another configuration of an interface, loaded while groups run. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_fake.h"

/* rig_dual with other addresses, or more */
#define DUAL(own, more)                                                                \
	"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\","        \
	"\"addresses\":[" own "]" more "}],\"carp\":{\"groups\":[{\"name\":\"carp0\"," \
	"\"carpdev\":\"em0\",\"vhid\":1,\"pass\":\"lanpasswd\",\"addresses\":["        \
	"\"192.0.2.1/24\",\"2001:db8:1::1/64\"]}]}}"
#define OWN		  "\"192.0.2.2/24\",\"2001:db8:1::2/64\""
#define NEIGHBOR(ip, mac) "{\"address\":\"" ip "\",\"mac\":\"02:00:00:00:00:" mac "\"}"
#define NEIGHBORS(list)	  ",\"neighbors\":[" list "]"
#define FIRST		  NEIGHBOR("192.0.2.10", "0a")

static uint32_t
source_of_next_advert(struct rig *r)
{
	const struct fake_frame *f;
	struct wire_carp carp;

	fake.n_frames = 0;
	rig_run(r, fake.now + BASE_NS_PER_S);
	f = sent_advert(0, &carp);
	assert_non_null(f);
	return (uint32_t)f->bytes[26] << 24 | (uint32_t)f->bytes[27] << 16 |
		(uint32_t)f->bytes[28] << 8 | f->bytes[29];
}

/* Who asks for an address of the interface; whether he is answered. */
static bool
answered(struct rig *r, uint32_t ip)
{
	struct wire_arp ask = {.op = WIRE_ARP_REQUEST, .sender_ip = RIG_ASKER, .target_ip = ip};
	struct wire_arp arp;

	memcpy(ask.sender_mac, rig_asker_mac, BASE_MAC_LEN);
	fake.n_frames = 0;
	rig_arp(r, DP_PUNT_IF_ARP, DP_NONE, wire_broadcast_mac, &ask);
	rig_turn(r);
	return sent_arp(0, &arp) != NULL && arp.sender_ip == ip &&
		memcmp(arp.sender_mac, rig_if_mac, BASE_MAC_LEN) == 0;
}

static bool
answered6(struct rig *r, const uint8_t ip[16])
{
	rig_solicit(DP_PUNT_IF_ARP, ip);
	rig_turn(r);
	return sent_ip6s() > 0;
}

/* The group is MASTER all the time, and speaks from the new address with its next advert. */
static void
own_addresses_change_under_a_master(void **state)
{
	static const uint8_t new6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 9};
	struct rig r = rig_make(rig_dual);
	struct ctl_group_view before, after;

	(void)state;
	rig_to_master(&r);
	before = rig_group(&r, 0);
	assert_int_equal(source_of_next_advert(&r), RIG_OWN);
	assert_true(answered(&r, RIG_OWN) && answered6(&r, rig_own6));
	rig_load(&r, DUAL("\"192.0.2.9/24\",\"192.0.2.2/24\",\"2001:db8:1::9/64\"", ""));
	assert_true(answered(&r, RIG_OWN) && answered(&r, UINT32_C(0xc0000209)));
	assert_true(answered6(&r, new6) && !answered6(&r, rig_own6));
	assert_int_equal(source_of_next_advert(&r), UINT32_C(0xc0000209));
	rig_load(&r, DUAL("\"192.0.2.9/24\"", ""));
	assert_false(answered(&r, RIG_OWN) || answered6(&r, new6));
	/* without one it speaks from its VIP */
	rig_load(&r, DUAL("", ""));
	assert_int_equal(source_of_next_advert(&r), RIG_VIP);
	rig_load(&r, rig_dual);
	assert_int_equal(source_of_next_advert(&r), RIG_OWN);
	after = rig_group(&r, 0);
	assert_int_equal(after.info.state, ELECTION_MASTER);
	assert_int_equal(after.info.transitions, before.info.transitions);
	assert_int_equal(fake.n_rosters, 4);
	rig_free(&r);
}

/* Switches learn of the solicited-node group of a new address, and of no other again. */
static void
a_switch_is_told_of_new_addresses(void **state)
{
	struct rig r = rig_make(rig_dual);
	uint64_t told;
	struct ctl_box_view box;

	(void)state;
	rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
	ctl_box_view(r.ctl, &box);
	told = box.stats[CTL_STAT_MEMBERSHIP];
	rig_load(&r, DUAL(OWN ",\"2001:db8:1::99\\/64\"", ""));
	rig_run(&r, fake.now + 2 * BASE_NS_PER_S);
	ctl_box_view(r.ctl, &box);
	assert_int_equal(box.stats[CTL_STAT_MEMBERSHIP], told + 2);
	rig_free(&r);
}

static void
assert_set(uint32_t n, uint8_t ip, uint8_t mac)
{
	assert_int_equal(fake.n_nbr_set, n);
	assert_int_equal(base_addr_ip4(&fake.nbr_set.addr), UINT32_C(0xc0000200) | ip);
	assert_int_equal(fake.nbr_set.mac[5], mac);
}

/* What is in both files alike is left alone, whatever a command made of it. */
static void
static_neighbours_follow_the_file(void **state)
{
	struct rig r = rig_make(DUAL(OWN, NEIGHBORS(FIRST)));

	(void)state;
	assert_set(1, 10, 0x0a);
	rig_load(&r, DUAL(OWN, NEIGHBORS(FIRST)));
	assert_int_equal(fake.n_nbr_set, 1);
	/* a new one: once when room for it is made sure of, once with the rest */
	rig_load(&r, DUAL(OWN, NEIGHBORS(NEIGHBOR("192.0.2.11", "0b") "," FIRST)));
	assert_set(3, 11, 0x0b);
	/* it is there already, by a command: with its MAC until all is sure */
	fake.nbr_static = true;
	rig_load(&r, DUAL(OWN, NEIGHBORS(NEIGHBOR("192.0.2.11", "0c") "," FIRST)));
	assert_set(4, 11, 0x0c);
	assert_int_equal(fake.n_nbr_forgotten, 0);
	rig_load(&r, DUAL(OWN, NEIGHBORS(NEIGHBOR("192.0.2.11", "0c"))));
	assert_int_equal(fake.n_nbr_forgotten, 1);
	assert_int_equal(base_addr_ip4(&fake.nbr_set.addr), UINT32_C(0xc000020a));
	/* what a command took away and somebody learnt since stays */
	fake.nbr_static = false;
	rig_load(&r, rig_dual);
	assert_int_equal(fake.n_nbr_forgotten, 1);
	rig_free(&r);
}

/* All of them or none, and nothing else of the file either. */
static void
neighbours_without_room_refuse_the_file(void **state)
{
	struct rig r = rig_make(rig_dual);
	char note[160];

	(void)state;
	fake.nbr_room = 2;
	assert_int_equal(rig_reload(&r,
				 DUAL("\"192.0.2.9/24\",\"2001:db8:1::2/64\"",
					 NEIGHBORS(FIRST "," NEIGHBOR("192.0.2.11",
						 "0b") "," NEIGHBOR("2001:db8:1::c", "0c"))),
				 note, sizeof(note)),
		-ENOSPC);
	assert_string_equal(note, "an interface has no room for so many neighbours");
	assert_int_equal(fake.n_nbr_forgotten, 2);
	assert_int_equal(fake.n_rosters, 0);
	assert_true(answered(&r, RIG_OWN));
	rig_free(&r);
}

static bool
told(uint32_t n, struct wire_ra *ra)
{
	struct wire_ip6 ip;

	return sent_ra(n, ra, &ip) != NULL;
}

static void
load_and_turn(struct rig *r, const char *json)
{
	fake.n_frames = 0;
	rig_load(r, json);
	rig_turn(r);
}

#define RA(more) ",\"ra\":{\"max-interval-s\":60,\"min-interval-s\":30" more "}"

/* It starts, says what is new at once, and is the last to say that it ends. */
static void
router_advertisements_come_and_go(void **state)
{
	struct rig r = rig_make(rig_dual);
	struct wire_ra ra;

	(void)state;
	rig_to_master(&r);
	assert_false(told(0, &ra));
	load_and_turn(&r, DUAL(OWN, RA("")));
	assert_true(told(0, &ra));
	assert_int_equal(ra.lifetime_s, 180);
	assert_int_not_equal(rig_group(&r, 0).ra_next, BASE_NS_NEVER);
	load_and_turn(&r, DUAL(OWN, RA("")));
	assert_false(told(0, &ra));
	load_and_turn(&r, DUAL(OWN, RA(",\"managed\":true,\"lifetime-s\":90")));
	assert_true(told(0, &ra) && !told(1, &ra));
	assert_true(ra.managed);
	assert_int_equal(ra.lifetime_s, 90);
	load_and_turn(&r, rig_dual);
	assert_true(told(0, &ra) && !told(1, &ra));
	assert_int_equal(ra.lifetime_s, 0);
	assert_int_equal(rig_group(&r, 0).stats[CTL_STAT_RA_FINAL], 1);
	assert_int_equal(rig_group(&r, 0).ra_next, BASE_NS_NEVER);
	fake.n_frames = 0;
	rig_run(&r, fake.now + 120 * BASE_NS_PER_S);
	assert_false(told(0, &ra));
	assert_int_equal(rig_group(&r, 0).info.transitions, 1);
	rig_free(&r);
}

/* A subnet that goes is over for hosts at once; they are told before what there is now. */
static void
a_prefix_that_goes_is_withdrawn(void **state)
{
	struct rig r = rig_make(DUAL(OWN ",\"2001:db8:7::2/64\"", RA("")));
	struct wire_ra ra;

	(void)state;
	rig_to_master(&r);
	load_and_turn(&r, DUAL(OWN, RA("")));
	assert_true(told(0, &ra));
	assert_int_equal(ra.n_prefixes, 1);
	assert_int_equal(ra.prefix[0].prefix[5], 7);
	assert_int_equal(ra.prefix[0].valid_s, 0);
	assert_int_equal(ra.prefix[0].preferred_s, 0);
	assert_int_equal(ra.lifetime_s, 180);
	assert_true(told(1, &ra) && !told(2, &ra));
	assert_int_equal(ra.n_prefixes, 1);
	assert_int_equal(ra.prefix[0].prefix[5], 1);
	/* one that comes is told, and nothing taken back */
	load_and_turn(&r, DUAL(OWN ",\"2001:db8:7::2/64\"", RA("")));
	assert_true(told(0, &ra) && !told(1, &ra));
	assert_int_equal(ra.n_prefixes, 2);
	rig_free(&r);
}

/* Who is BACKUP has nothing to say, and begins as MASTER with what there is then. */
static void
a_backup_is_no_router(void **state)
{
	struct rig r = rig_make(rig_dual);
	struct wire_ra ra;

	(void)state;
	load_and_turn(&r, DUAL(OWN, RA(",\"other\":true")));
	rig_load(&r, DUAL(OWN, RA(",\"other\":true,\"managed\":true")));
	assert_false(told(0, &ra));
	rig_to_master(&r);
	assert_true(told(0, &ra));
	assert_true(ra.managed && ra.other);
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_addresses_change_under_a_master),
		cmocka_unit_test(a_switch_is_told_of_new_addresses),
		cmocka_unit_test(static_neighbours_follow_the_file),
		cmocka_unit_test(neighbours_without_room_refuse_the_file),
		cmocka_unit_test(router_advertisements_come_and_go),
		cmocka_unit_test(a_prefix_that_goes_is_withdrawn),
		cmocka_unit_test(a_backup_is_no_router),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
