/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The election's actions, carried out (design "Taking over, in order"). */

#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

#include "ctl_priv.h"
#include "wire.h"

static void
stat_add(struct ctl *c, uint16_t group, enum ctl_stat s)
{
	c->groups[group].stats[s]++;
	c->groups[group].dirty = true;
}

/* Only queues the event: the action list may be the one being carried out. */
static void
feed_sent(struct ctl *c, uint16_t group, bool ok)
{
	struct election_event ev = {.type = ELECTION_EV_SENT, .group = group, .on = ok};

	/* The list has room for every group; at its end the outcome of this one advert is lost. */
	(void)election_input(c->election, &ev, c->now, &c->out);
}

/* What became of the advert before: a worker may have failed to send it. */
static void
settle_outcome(struct ctl *c, uint16_t group)
{
	struct ctl_group *g = &c->groups[group];
	uint32_t failures = dp_advert_send_failures(c->dp, group);

	if (!g->outcome_open)
		return;
	g->outcome_open = false;
	if (failures != g->send_failures)
		stat_add(c, group, CTL_STAT_SENDERR);
	feed_sent(c, group, failures == g->send_failures);
	g->send_failures = failures;
}

static int
send_frame(struct ctl *c, uint16_t if_id, const void *frame, uint16_t len, uint16_t group)
{
	struct rte_mbuf *m = dp_ctl_alloc(c->dp);

	if (m == NULL)
		return -ENOMEM;
	char *p = rte_pktmbuf_append(m, len);

	if (p == NULL) {
		rte_pktmbuf_free(m);
		return -ENOMEM;
	}
	memcpy(p, frame, len);
	return dp_ctl_send(c->dp, if_id, m, group);
}

static void
act_advert(struct ctl *c, const struct election_action *a)
{
	struct ctl_group *g = &c->groups[a->group];
	const struct ctl_if *f = &c->ifs[g->conf->if_index];
	uint8_t frame[WIRE_CARP4_FRAME_LEN];
	struct wire_carp carp = {
		.version = WIRE_CARP_VERSION,
		.type = WIRE_CARP_TYPE,
		.vhid = g->conf->vhid,
		.advskew = a->advert.prio.advskew,
		.authlen = WIRE_CARP_AUTHLEN,
		.demotion = a->advert.prio.demotion,
		.advbase = a->advert.prio.advbase,
		.counter = auth_counters_next(&g->counters, &c->rand),
	};
	struct wire_carp4_envelope env = {
		.ip_src = f->ip4 ? f->ip4 : g->vips[0],
		.ip_dst = WIRE_CARP_GROUP_IP4,
		.tos = WIRE_CARP_TOS,
	};

	settle_outcome(c, a->group);
	if (a->advert.late != BASE_NS_NEVER) {
		unsigned int bucket = 0;

		while (bucket < CTL_LATE_BUCKETS - 1 &&
			a->advert.late >= (4 * BASE_NS_PER_US) << bucket)
			bucket++;
		c->late[bucket]++;
		if (a->advert.late > c->late_max)
			c->late_max = a->advert.late;
	}
	memcpy(env.eth_dst, wire_carp_mac4, sizeof(env.eth_dst));
	memcpy(env.eth_src, g->vmac, sizeof(env.eth_src));
	int ret = auth_group_sign(c->auth[a->group], carp.counter, carp.digest);

	if (ret == 0) {
		wire_carp4_frame_encode(&env, &carp, frame);
		ret = send_frame(c, g->conf->if_index, frame, sizeof(frame), a->group);
	}
	stat_add(c, a->group, CTL_STAT_OPACKETS);
	if (ret == 0) {
		g->outcome_open = true;
		return;
	}
	stat_add(c, a->group, ret == -ENOMEM ? CTL_STAT_ONOMEM : CTL_STAT_SENDERR);
	feed_sent(c, a->group, false);
}

static void
act_announce(struct ctl *c, uint16_t group)
{
	struct ctl_group *g = &c->groups[group];

	if (g->garp_next == g->n_vips)
		c->garps_pending++;
	g->garp_next = 0;
	if (g->n_vips == 0)
		c->garps_pending--;
}

static void
stop_announcing(struct ctl *c, struct ctl_group *g)
{
	if (g->garp_next < g->n_vips)
		c->garps_pending--;
	g->garp_next = g->n_vips;
}

void
ctl_announce(struct ctl *c)
{
	uint32_t left = CTL_GARPS_PER_TURN;

	for (uint16_t i = 0; i < c->n_groups && c->garps_pending > 0 && left > 0; i++) {
		struct ctl_group *g = &c->groups[i];

		if (g->garp_next >= g->n_vips)
			continue;
		while (left > 0 && g->garp_next < g->n_vips) {
			uint8_t frame[WIRE_ARP_FRAME_LEN];

			wire_garp_frame_encode(g->vmac, g->vips[g->garp_next], frame);
			if (send_frame(c, g->conf->if_index, frame, sizeof(frame), DP_NONE) == 0)
				stat_add(c, i, CTL_STAT_ANNOUNCED);
			g->garp_next++;
			left--;
		}
		if (g->garp_next == g->n_vips)
			c->garps_pending--;
	}
}

/* Who is in INIT but still hands over must hear the new master. */
static void
set_listening(struct ctl *c, uint16_t group)
{
	const struct ctl_group *g = &c->groups[group];

	c->listening[group] = g->state != ELECTION_INIT || g->owned;
}

static void
set_owned(struct ctl *c, uint16_t group, bool owned)
{
	c->groups[group].owned = owned;
	c->groups[group].dirty = true;
	set_listening(c, group);
}

static void
act_state(struct ctl *c, const struct election_action *a)
{
	struct ctl_group *g = &c->groups[a->group];
	struct ctl_event ev = ctl_event_new(CTL_EVENT_STATE);

	g->state = a->state.to;
	set_listening(c, a->group);
	dp_answer(c->dp, a->group, g->state == ELECTION_MASTER);
	if (g->state == ELECTION_MASTER)
		stat_add(c, a->group, CTL_STAT_PREEMPT);
	else
		stop_announcing(c, g);
	ev.group = a->group;
	ev.if_id = g->conf->if_index;
	ev.from = a->state.from;
	ev.to = a->state.to;
	ev.cause = a->state.cause;
	ev.since_heard = a->state.since_heard;
	ev.takeover_ns = g->takeover_ns;
	ev.own = a->state.own;
	ev.peer = a->state.peer;
	ev.src = a->state.peer_src;
	ctl_event_write(c, &ev);
	g->dirty = true;
	c->box_dirty = true;
}

static void
act_demotion(struct ctl *c, const struct election_action *a)
{
	struct ctl_event ev = ctl_event_new(CTL_EVENT_DEMOTION);

	ev.group = a->group;
	ev.if_id = a->demotion.if_id;
	ev.source = a->demotion.source;
	ev.amount = a->demotion.amount;
	ev.total = a->demotion.total;
	ctl_event_write(c, &ev);
	c->box_dirty = true;
	for (uint16_t i = 0; i < c->n_groups; i++)
		c->groups[i].dirty = true;
}

static void
act(struct ctl *c, const struct election_action *a)
{
	switch (a->type) {
	case ELECTION_ACT_OWN:
		dp_own(c->dp, a->group, true);
		dp_answer(c->dp, a->group, true);
		set_owned(c, a->group, true);
		c->groups[a->group].takeover_ns = 0;
		break;
	case ELECTION_ACT_DISOWN:
		dp_own(c->dp, a->group, false);
		set_owned(c, a->group, false);
		break;
	case ELECTION_ACT_ADVERT:
		act_advert(c, a);
		if (c->groups[a->group].takeover_ns == 0)
			c->groups[a->group].takeover_ns = base_ns_since(dp_clock(), c->now);
		break;
	case ELECTION_ACT_ANNOUNCE:
		act_announce(c, a->group);
		break;
	case ELECTION_ACT_STATE:
		act_state(c, a);
		break;
	case ELECTION_ACT_DEMOTION:
		act_demotion(c, a);
		break;
	case ELECTION_ACT_WARN:
	case ELECTION_ACT_SPLIT:
	case ELECTION_ACT_DECISION:
		break;
	}
}

/* Carrying out one action may append more (the outcome of an advert). */
static void
carry_out(struct ctl *c)
{
	for (uint32_t i = 0; i < c->out.n; i++) {
		struct election_action a = c->out.act[i];

		act(c, &a);
	}
	c->out.n = 0;
}

int
ctl_feed(struct ctl *c, const struct election_event *ev)
{
	int ret = election_input(c->election, ev, c->now, &c->out);

	carry_out(c);
	return ret;
}

void
ctl_tick(struct ctl *c)
{
	bool more;

	do {
		more = election_tick(c->election, c->now, &c->out);
		carry_out(c);
	} while (more);
}
