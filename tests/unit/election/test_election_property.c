/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Random boxes on a random wire. The harness checks every action against the state it comes from
 * (election_test.c) and that a served deadline moves on; here: once the wire is whole and nobody
 * meddles, each group has exactly one MASTER, and that is the end of it.
 */
#include "election_net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS 2000

struct chaos {
	struct net net;
	uint16_t groups;
	bool fast;
	base_ns_t second; /* what takes a second with advbase 1 */
	/* Of a generator of its own, so that what it adds leaves a seed's run as it was. */
	struct base_rand more, load;
	bool reloads;
	struct net_knobs knobs;
};

static uint64_t
dice_more(struct chaos *c, uint64_t bound)
{
	return base_rand_below(&c->more, bound);
}

static uint64_t
dice_load(struct chaos *c, uint64_t bound)
{
	return base_rand_below(&c->load, bound);
}

/* Two families, holds, refreshed announcements: each in a part of the runs. */
static void
build_knobs(struct chaos *c, uint64_t seed)
{
	struct net_knobs *k = &c->knobs;

	base_rand_init(&c->more, ~seed);
	base_rand_init(&c->load, seed ^ UINT64_C(0x5eed0000));
	c->reloads = dice_load(c, 2) != 0;
	*k = (struct net_knobs){0};
	if (dice_more(c, 4) == 0)
		return;
	k->families = (uint8_t)(1 + dice_more(c, 3));
	if (dice_more(c, 4) == 0)
		k->family_timers = ELECTION_FAMILY_TIMERS_ANY;
	if (dice_more(c, 2))
		k->startup_hold = dice_more(c, 6 * c->second);
	if (dice_more(c, 2))
		k->linkup_hold = dice_more(c, 6 * c->second);
	if (dice_more(c, 2))
		k->preempt_delay = dice_more(c, 6 * c->second);
	if (dice_more(c, 4) == 0)
		k->refresh = c->second + dice_more(c, 10 * c->second);
	c->net.frames = dice_more(c, 2);
	c->net.anonymous = dice_more(c, 4) == 0;
}

/* One family is lost on the way from one box to another, or an advert fails authentication. */
static void
meddle_more(struct chaos *c)
{
	unsigned int i = (unsigned int)dice_more(c, c->net.n);
	unsigned int j = (unsigned int)dice_more(c, c->net.n);

	if (c->knobs.families == 0)
		return;
	if (dice_more(c, 2)) {
		c->net.lost[i][j] = (uint8_t)dice_more(c, 3);
	} else if (!c->net.at[i].frozen) {
		struct election_event ev = {.type = ELECTION_EV_AUTH_FAILED,
			.group = (uint16_t)dice_more(c, c->groups)};

		ev.advert.src = box_host(BASE_FAMILY_IP4, 99);
		(void)net_feed(&c->net, i, &ev);
	}
}

static uint64_t
dice(struct chaos *c, uint64_t bound)
{
	return base_rand_below(&c->net.rand, bound);
}

static uint8_t
some_skew(struct chaos *c)
{
	static const uint8_t skews[] = {0, 0, 1, 100, 100, 200, 240, 250, 254};

	/* a fast group's peers must be of one speed: a third of an interval is a master-down */
	return c->fast ? (uint8_t)dice(c, 3) : skews[dice(c, sizeof(skews))];
}

static void
build(struct chaos *c, uint64_t seed, bool knobs)
{
	unsigned int boxes;

	net_init(&c->net, seed);
	c->fast = dice(c, 4) == 0;
	c->second = c->fast ? SKEW(1) : SECS(1);
	c->groups = (uint16_t)(1 + dice(c, 2));
	c->net.horizons = dice(c, 2);
	c->net.delay_min = dice(c, 20) * BASE_NS_PER_US;
	c->net.delay_max = c->net.delay_min + dice(c, c->fast ? 200 : 2000) * BASE_NS_PER_US;
	boxes = 2 + (unsigned int)dice(c, 3);
	c->knobs = (struct net_knobs){0};
	c->reloads = false;
	if (knobs)
		build_knobs(c, seed);
	for (unsigned int i = 0; i < boxes; i++) {
		uint8_t groups[2][2];

		for (unsigned int g = 0; g < 2; g++) {
			groups[g][0] = !c->fast;
			groups[g][1] = some_skew(c);
		}
		net_add(&c->net,
			net_box_with((const uint8_t(*)[2])groups, c->groups, dice(c, 2),
				seed * NET_BOXES + i, &c->knobs));
	}
}

static void
meddle(struct chaos *c)
{
	unsigned int i = (unsigned int)dice(c, c->net.n);
	unsigned int j = (unsigned int)dice(c, c->net.n);
	struct election_event ev = {
		.group = (uint16_t)dice(c, c->groups), .if_id = (uint16_t)dice(c, c->groups)};

	switch (dice(c, 14)) {
	case 13:
		ev.type = ELECTION_EV_DRAIN;
		ev.on = dice(c, 2);
		break;
	case 0:
		ev.type = ELECTION_EV_LINK;
		ev.on = dice(c, 2);
		break;
	case 1:
		ev.type = ELECTION_EV_SET_DEMOTION;
		ev.amount = (uint8_t)dice(c, 3);
		break;
	case 2:
		ev.type = ELECTION_EV_FORCE_BACKUP;
		break;
	case 3:
		ev.type = ELECTION_EV_FORCE_MASTER;
		break;
	case 4:
		ev.type = dice(c, 2) ? ELECTION_EV_UP : ELECTION_EV_DOWN;
		break;
	case 5:
		ev.type = ELECTION_EV_VIPS;
		ev.on = dice(c, 2);
		break;
	case 6:
		ev.type = ELECTION_EV_SET_TIMING;
		ev.timing.advbase = !c->fast;
		ev.timing.advskew = some_skew(c);
		break;
	case 7:
		ev.type = dice(c, 4) ? ELECTION_EV_SET_PREEMPT : ELECTION_EV_SET_ALLOW;
		ev.on = dice(c, 2);
		break;
	case 8:
		c->net.cut[i][j] = !c->net.cut[i][j];
		return;
	case 9:
		c->net.loss_percent = (unsigned int)dice(c, 90);
		c->net.double_percent = (unsigned int)dice(c, 20);
		return;
	case 10:
		net_freeze(&c->net, i, dice(c, 8 * c->second));
		return;
	case 11:
		net_deafen(&c->net, i, dice(c, 8 * c->second));
		return;
	default:
		/* a stray advert, any bytes: accepted by whoever holds the key */
		ev.type = ELECTION_EV_ADVERT;
		ev.advert.prio = (struct election_priority){
			(uint8_t)dice(c, 256), (uint8_t)dice(c, 256), (uint8_t)dice(c, 3)};
		break;
	}
	if (!c->net.at[i].frozen)
		(void)net_feed(&c->net, i, &ev);
}

static void
set_group(struct chaos *c, unsigned int i, uint16_t group)
{
	uint8_t skew = c->fast ? (uint8_t)dice_load(c, 3) : (uint8_t)dice_load(c, 255);
	const struct election_group_config g = {
		.if_id = group,
		.advbase = !c->fast,
		.advskew = skew,
		.has_vip = true,
		.admin_up = true,
		.start_as_master = dice_load(c, 8) == 0,
		.families = c->knobs.families,
		.family_timers = c->knobs.family_timers,
		.preempt_delay_ns = dice_load(c, 2) ? c->knobs.preempt_delay : 0,
	};

	assert_int_equal(net_set(&c->net, i, group, &g), 0);
}

/* A configuration is loaded: groups change in place, go, which hands over first, and come. */
static void
reload(struct chaos *c)
{
	unsigned int i = (unsigned int)dice_load(c, c->net.n);
	uint16_t group = (uint16_t)dice_load(c, c->groups);
	const struct net_box *nb = &c->net.at[i];
	struct election_event down = {.type = ELECTION_EV_DOWN, .group = group};

	if (!c->reloads || nb->frozen || dice_load(c, 3) == 0)
		return;
	if (nb->box->seen[group].gone || dice_load(c, 2)) {
		set_group(c, i, group);
		return;
	}
	net_feed(&c->net, i, &down);
	/* the box may do nothing at all meanwhile */
	net_run(&c->net, c->net.now + MSECS(50));
	if (nb->frozen)
		return;
	struct election_group_info info = box_info(nb->box, group);

	assert_int_equal(net_set(&c->net, i, group, NULL), info.owned ? -EBUSY : 0);
}

static void
make_whole(struct chaos *c)
{
	c->net.loss_percent = c->net.double_percent = 0;
	for (unsigned int i = 0; i < NET_BOXES; i++)
		for (unsigned int j = 0; j < NET_BOXES; j++)
			c->net.cut[i][j] = false;
	/* one family may stay lost: what is left is enough, unless told otherwise */
	if (c->knobs.families != (ELECTION_IP4 | ELECTION_IP6) ||
		c->knobs.family_timers == ELECTION_FAMILY_TIMERS_ANY)
		memset(c->net.lost, 0, sizeof(c->net.lost));
	for (unsigned int i = 0; i < c->net.n; i++) {
		struct election_event ev = {.type = ELECTION_EV_SET_ALLOW, .on = true};

		net_feed(&c->net, i, &ev);
		for (uint16_t g = 0; g < c->groups; g++) {
			if (c->net.at[i].box->seen[g].gone)
				set_group(c, i, g);
			ev.group = ev.if_id = g;
			ev.type = ELECTION_EV_LINK;
			net_feed(&c->net, i, &ev);
			ev.type = ELECTION_EV_VIPS;
			net_feed(&c->net, i, &ev);
			ev.type = ELECTION_EV_UP;
			net_feed(&c->net, i, &ev);
		}
	}
}

/* The last word after a duel is the winner's announcement. */
static bool
announced_since(const struct box *b, uint16_t group, base_ns_t t)
{
	for (uint32_t i = b->n; i > 0; i--)
		if (b->log[i - 1].act.type == ELECTION_ACT_ANNOUNCE &&
			b->log[i - 1].act.group == group)
			return b->log[i - 1].at > t;
	return false;
}

static const char *
check_master(const struct chaos *c, const struct box *b, uint16_t group, base_ns_t whole)
{
	struct election_group_info info = box_info(b, group);

	if (info.state != ELECTION_MASTER || c->fast)
		return NULL;
	if (info.split & ~ELECTION_SPLIT_DEAF)
		return "a split is suspected";
	if (info.duel_at != BASE_NS_NEVER && info.duel_at >= whole &&
		!announced_since(b, group, info.duel_at))
		return "no announcement after a duel";
	return NULL;
}

/* @return NULL, or what went wrong */
static const char *
one_seed(struct chaos *c)
{
	const char *wrong = NULL;

	for (unsigned int i = 0; i < 25; i++) {
		net_run(&c->net, c->net.now + dice(c, c->second));
		meddle(c);
		meddle_more(c);
		reload(c);
		for (unsigned int b = 0; b < c->net.n; b++)
			box_forget(c->net.at[b].box);
	}
	/* longest freeze, ties included: two thirds are ample */
	net_run(&c->net, c->net.now + 8 * c->second);
	make_whole(c);
	base_ns_t whole = c->net.now;

	net_run(&c->net, whole + 45 * c->second);
	for (uint16_t g = 0; g < c->groups; g++) {
		if (net_masters(&c->net, g) != 1)
			wrong = "not exactly one MASTER";
		if (net_owners(&c->net, g) != (net_masters(&c->net, g)) && !c->fast)
			wrong = "an owner too many";
		for (unsigned int i = 0; i < c->net.n && wrong == NULL; i++)
			wrong = check_master(c, c->net.at[i].box, g, whole);
	}
	if (c->net.last_state > whole + 30 * c->second)
		wrong = "still changing";
	return wrong;
}

/* @return how many adverts went out */
static unsigned int
run_seed(uint64_t seed, bool knobs)
{
	static struct chaos c;

	build(&c, seed, knobs);
	const char *wrong = one_seed(&c);

	if (wrong != NULL)
		fail_msg("ELECTION_SEED=%llu%s: %s", (unsigned long long)seed,
			knobs ? "" : " plain", wrong);
	net_free(&c.net);
	return c.net.adverts;
}

static void
a_whole_wire_ends_with_one_master(void **state)
{
	const char *only = getenv("ELECTION_SEED");
	unsigned int adverts = 0;

	(void)state;
	if (only != NULL) {
		run_seed(strtoull(only, NULL, 0), true);
		return;
	}
	for (uint64_t seed = 0; seed < SEEDS; seed++)
		adverts += run_seed(seed, true);
	/* the runs were no empty exercise */
	assert_true(adverts > 50 * SEEDS);
}

/* Seeds that failed once, beyond those that are run anyway. */
static void
what_failed_before(void **state)
{
	static const uint64_t seeds[] = {
		4541,  /* three equals: the second advert of a tie undid the random delay */
		13558, /* two pairs of equals, each a bystander at the tie of the other */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
		run_seed(seeds[i], false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_wire_ends_with_one_master),
		cmocka_unit_test(what_failed_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
