/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef ELECTION_NET_H
#define ELECTION_NET_H

#include "base_rand.h"
#include "election_test.h"

/**
 * @file
 * Boxes joined by a wire, with a moved clock. Group g of every box is on the same segment. The wire
 * loses, delays and doubles as told; boxes freeze (nothing runs), go deaf (their workers do not
 * run) and die.
 */

#define NET_BOXES 4
#define NET_QUEUE 1024

struct net_frame {
	base_ns_t at;
	unsigned int from, to;
	uint16_t group;
	uint8_t family;
	struct election_priority prio;
};

struct net_box {
	struct box *box;
	bool dead;
	bool frozen, deaf;
	base_ns_t frozen_at, frozen_until;
	base_ns_t deaf_at, deaf_until;
};

struct net {
	base_ns_t now;
	unsigned int n;
	struct net_box at[NET_BOXES];
	bool cut[NET_BOXES][NET_BOXES];	    /* from, to */
	uint8_t lost[NET_BOXES][NET_BOXES]; /* families that do not arrive: from, to */
	unsigned int loss_percent, double_percent;
	base_ns_t delay_min, delay_max;
	struct base_rand rand;
	struct net_frame queue[NET_QUEUE];
	unsigned int queued;
	bool anonymous;	      /* boxes have no address: all send from the same one */
	bool frames;	      /* boxes are told of frames */
	bool horizons;	      /* boxes have a horizon; without, it is always up to date */
	base_ns_t last_state; /* when any group changed its state last */
	unsigned int adverts;
};

/** An empty net at T0 with a perfect wire of 50 us. */
void net_init(struct net *net, uint64_t seed);
/** Join a box at its place; the net frees it. */
void net_add(struct net *net, struct box *b);
void net_free(struct net *net);

/** Move the clock to t. */
void net_run(struct net *net, base_ns_t t);
/** A turn of box i now, with an event first. */
int net_feed(struct net *net, unsigned int i, const struct election_event *ev);
/** The same with a group configured; g NULL: ended. */
int net_set(struct net *net, unsigned int i, uint16_t group, const struct election_group_config *g);
/** Nothing of box i runs for d. */
void net_freeze(struct net *net, unsigned int i, base_ns_t d);
/** The workers of box i do not run for d. */
void net_deafen(struct net *net, unsigned int i, base_ns_t d);

/** How many boxes that are alive are MASTER of group, and how many own its address. */
unsigned int net_masters(const struct net *net, uint16_t group);
unsigned int net_owners(const struct net *net, uint16_t group);

/** A box of this seed with one group for each row of base and skew, an interface each. */
struct box *net_box(const uint8_t (*groups)[2], uint16_t n, bool preempt, uint64_t seed);

/** What else a box may have; zero is none of it. */
struct net_knobs {
	uint8_t families;
	enum election_family_timers family_timers;
	base_ns_t startup_hold, linkup_hold, preempt_delay, refresh;
};
struct box *net_box_with(const uint8_t (*groups)[2], uint16_t n, bool preempt, uint64_t seed,
	const struct net_knobs *k);

#endif
