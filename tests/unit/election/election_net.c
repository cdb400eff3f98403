/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "election_net.h"

#include <string.h>

/* A box that waits for a horizon polls. */
#define POLL_NS MSECS(1)

void
net_init(struct net *net, uint64_t seed)
{
	memset(net, 0, sizeof(*net));
	net->now = T0;
	net->delay_min = net->delay_max = 50 * BASE_NS_PER_US;
	base_rand_init(&net->rand, seed);
}

void
net_add(struct net *net, struct box *b)
{
	assert_in_range(net->n, 0, NET_BOXES - 1);
	net->at[net->n++] = (struct net_box){.box = b};
}

void
net_free(struct net *net)
{
	for (unsigned int i = 0; i < net->n; i++)
		box_free(net->at[i].box);
}

struct box *
net_box(const uint8_t (*groups)[2], uint16_t n, bool preempt, uint64_t seed)
{
	return net_box_with(groups, n, preempt, seed, &(struct net_knobs){0});
}

struct box *
net_box_with(const uint8_t (*groups)[2], uint16_t n, bool preempt, uint64_t seed,
	const struct net_knobs *k)
{
	struct election_if_config ifs[8];
	struct election_group_config g[8];
	struct election_config config = {.if_count = n,
		.group_count = n,
		.ifs = ifs,
		.groups = g,
		.preempt = preempt,
		.allow = true,
		.seed = seed,
		.startup_hold_ns = k->startup_hold,
		.announce_refresh_ns = k->refresh};

	assert_in_range(n, 1, 8);
	for (uint16_t i = 0; i < n; i++) {
		ifs[i] = (struct election_if_config){
			.link_up = true, .linkup_hold_ns = k->linkup_hold};
		g[i] = (struct election_group_config){.if_id = i,
			.advbase = groups[i][0],
			.advskew = groups[i][1],
			.has_vip = true,
			.admin_up = true,
			.families = k->families,
			.family_timers = k->family_timers,
			.preempt_delay_ns = k->preempt_delay};
	}
	return box_new(&config);
}

static void
put_family(struct net *net, unsigned int from, const struct election_action *a, uint8_t family)
{
	unsigned int bit = family == BASE_FAMILY_IP6 ? ELECTION_IP6 : ELECTION_IP4;

	for (unsigned int to = 0; to < net->n; to++) {
		unsigned int copies = 1;

		if (to == from || net->at[to].dead || net->cut[from][to] ||
			net->lost[from][to] & bit)
			continue;
		if (base_rand_below(&net->rand, 100) < net->loss_percent)
			continue;
		if (base_rand_below(&net->rand, 100) < net->double_percent)
			copies++;
		for (; copies > 0; copies--) {
			assert_in_range(net->queued, 0, NET_QUEUE - 1);
			net->queue[net->queued++] = (struct net_frame){
				.at = net->now + net->delay_min +
					base_rand_below(
						&net->rand, net->delay_max - net->delay_min + 1),
				.from = from,
				.to = to,
				.group = a->group,
				.family = family,
				.prio = a->advert.prio,
			};
		}
	}
}

static void
put(struct net *net, unsigned int from, const struct election_action *a)
{
	if (a->families & ELECTION_IP4)
		put_family(net, from, a, BASE_FAMILY_IP4);
	if (a->families & ELECTION_IP6)
		put_family(net, from, a, BASE_FAMILY_IP6);
}

/* The earliest frame for box i, or NET_QUEUE. */
static unsigned int
first_frame(const struct net *net, unsigned int i)
{
	unsigned int first = NET_QUEUE;

	for (unsigned int f = 0; f < net->queued; f++)
		if (net->queue[f].to == i &&
			(first == NET_QUEUE || net->queue[f].at < net->queue[first].at))
			first = f;
	return first;
}

static void
deliver(struct net *net, unsigned int i)
{
	for (;;) {
		unsigned int f = first_frame(net, i);

		if (f == NET_QUEUE || net->queue[f].at > net->now)
			return;
		struct election_event ev = {
			.type = ELECTION_EV_ADVERT, .group = net->queue[f].group};
		struct election_event frame = {
			.type = ELECTION_EV_FRAME_SEEN, .if_id = net->queue[f].group};

		if (net->frames)
			assert_int_equal(box_input(net->at[i].box, &frame), 0);
		ev.advert.prio = net->queue[f].prio;
		ev.advert.src = box_host(net->queue[f].family,
			(uint8_t)(net->anonymous ? 1 : 2 + net->queue[f].from));
		net->queue[f] = net->queue[--net->queued];
		/* of a group that is not there nobody is told */
		if (!net->at[i].box->seen[ev.group].gone)
			assert_int_equal(box_input(net->at[i].box, &ev), 0);
	}
}

struct set {
	uint16_t group;
	const struct election_group_config *config; /* NULL: end it */
};

/* In the order of a control turn: stall, what was received, other events, tick. */
static int
turn(struct net *net, unsigned int i, const struct election_event *ev, const struct set *set)
{
	struct net_box *nb = &net->at[i];
	struct box *b = nb->box;
	uint32_t before = b->n;
	int ret = 0;

	b->now = net->now;
	if (nb->frozen) {
		struct election_event stall = {
			.type = ELECTION_EV_STALL, .gap = net->now - nb->frozen_at};

		nb->frozen = false;
		if (stall.gap > ELECTION_STALL_MIN_NS)
			assert_int_equal(box_input(b, &stall), 0);
	}
	if (nb->deaf && net->now >= nb->deaf_until)
		nb->deaf = false;
	if (net->horizons)
		for (uint16_t f = 0; f < b->group_count; f++)
			box_horizon(b, f, nb->deaf ? nb->deaf_at : net->now);
	b->lagging = nb->deaf;
	if (!nb->deaf)
		deliver(net, i);
	if (ev != NULL)
		ret = box_input(b, ev);
	if (set != NULL)
		ret = set->config != NULL ? box_set(b, set->group, set->config)
					  : box_remove(b, set->group);
	box_tick(b);
	for (; before < b->n; before++) {
		const struct election_action *a = &b->log[before].act;

		if (a->type == ELECTION_ACT_STATE)
			net->last_state = net->now;
		if (a->type != ELECTION_ACT_ADVERT)
			continue;
		net->adverts++;
		put(net, i, a);
	}
	return ret;
}

/* When box i has something to do next. */
static base_ns_t
next_turn(const struct net *net, unsigned int i)
{
	const struct net_box *nb = &net->at[i];
	unsigned int f = first_frame(net, i);
	base_ns_t t = election_deadline(nb->box->e);

	if (nb->dead)
		return BASE_NS_NEVER;
	if (nb->frozen)
		return nb->frozen_until;
	if (nb->deaf) {
		if (t <= nb->box->now)
			t = nb->box->now + POLL_NS;
		return t < nb->deaf_until ? t : nb->deaf_until;
	}
	if (f != NET_QUEUE && net->queue[f].at < t)
		t = net->queue[f].at;
	return t > net->now ? t : net->now;
}

void
net_run(struct net *net, base_ns_t t)
{
	for (;;) {
		base_ns_t first = BASE_NS_NEVER;
		unsigned int who = 0;

		for (unsigned int i = 0; i < net->n; i++) {
			base_ns_t next = next_turn(net, i);

			if (next < first) {
				first = next;
				who = i;
			}
		}
		if (first > t)
			break;
		assert_true(first >= net->now);
		net->now = first;
		turn(net, who, NULL, NULL);
	}
	net->now = t;
	/* what a box shows is as of its own last turn */
	for (unsigned int i = 0; i < net->n; i++)
		if (!net->at[i].dead && !net->at[i].frozen)
			turn(net, i, NULL, NULL);
}

int
net_feed(struct net *net, unsigned int i, const struct election_event *ev)
{
	return turn(net, i, ev, NULL);
}

int
net_set(struct net *net, unsigned int i, uint16_t group, const struct election_group_config *g)
{
	return turn(net, i, NULL, &(struct set){group, g});
}

void
net_freeze(struct net *net, unsigned int i, base_ns_t d)
{
	struct net_box *nb = &net->at[i];

	if (!nb->frozen)
		nb->frozen_at = net->now;
	nb->frozen = true;
	nb->frozen_until = net->now + d;
}

void
net_deafen(struct net *net, unsigned int i, base_ns_t d)
{
	struct net_box *nb = &net->at[i];

	if (!nb->deaf)
		nb->deaf_at = net->now;
	nb->deaf = true;
	nb->deaf_until = net->now + d;
}

unsigned int
net_masters(const struct net *net, uint16_t group)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < net->n; i++)
		n += !net->at[i].dead && box_state(net->at[i].box, group) == ELECTION_MASTER;
	return n;
}

unsigned int
net_owners(const struct net *net, uint16_t group)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < net->n; i++)
		n += !net->at[i].dead && box_info(net->at[i].box, group).owned;
	return n;
}
