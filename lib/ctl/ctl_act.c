/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The election's actions, carried out (design "Taking over, in order"). */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_mbuf.h>

#include "ctl_priv.h"
#include "wire.h"
#include "wire6.h"

void
ctl_count(struct ctl *c, uint16_t group, enum ctl_stat s)
{
	if (group == ELECTION_NONE) {
		c->box_stats[s]++;
		return;
	}
	c->groups[group].stats[s]++;
	ctl_dirty(c, group);
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
		ctl_count(c, group, CTL_STAT_SENDERR);
	feed_sent(c, group, failures == g->send_failures);
	g->send_failures = failures;
}

struct rte_mbuf *
ctl_packet(struct ctl *c, size_t len)
{
	struct rte_mbuf *m = dp_ctl_alloc(c->dp);

	if (m == NULL || rte_pktmbuf_append(m, (uint16_t)len) != NULL)
		return m;
	rte_pktmbuf_free(m);
	return NULL;
}

static int
send_copy(struct ctl *c, uint16_t if_id, const void *frame, size_t len, uint16_t group)
{
	struct rte_mbuf *m = ctl_packet(c, len);

	if (m == NULL)
		return -ENOMEM;
	memcpy(rte_pktmbuf_mtod(m, void *), frame, len);
	return dp_ctl_send(c->dp, if_id, m, group);
}

int
ctl_send(struct ctl *c, uint16_t if_id, const void *frame, size_t len, uint16_t group)
{
	int ret = send_copy(c, if_id, frame, len, group);

	ctl_frame_sent(c, if_id, frame, len, group, ret);
	return ret;
}

static void
note_lateness(struct ctl *c, base_ns_t late)
{
	unsigned int bucket = 0;

	if (late == BASE_NS_NEVER)
		return;
	while (bucket < CTL_LATE_BUCKETS - 1 && late >= (4 * BASE_NS_PER_US) << bucket)
		bucket++;
	c->late[bucket]++;
	c->late_sum += late;
	if (late > c->late_max)
		c->late_max = late;
}

/*
 * Where a unicast advert goes is resolved like any neighbour. A peer that does not answer is down,
 * which is no send error of ours (note 5.4): the advert then counts as sent.
 */
static bool
peer_mac(struct ctl *c, const struct ctl_group *g, const struct base_addr *peer,
	uint8_t mac[BASE_MAC_LEN])
{
	return ctl_nbr_mac(c, g->conf->if_index, peer, mac);
}

static int
send_advert4(struct ctl *c, uint16_t group, const struct wire_carp *carp)
{
	const struct ctl_group *g = &c->groups[group];
	const struct ctl_if *f = &c->ifs[g->conf->if_index];
	uint8_t frame[WIRE_CARP4_FRAME_LEN];
	struct wire_carp4_envelope env = {
		.ip_src = f->lists.ip4 ? f->lists.ip4 : g->vips[0],
		.ip_dst = WIRE_CARP_GROUP_IP4,
		.tos = (uint8_t)(c->conf->dscp << 2),
	};
	bool unicast = g->conf->peer4.family == BASE_FAMILY_IP4;

	memcpy(env.eth_dst, wire_carp_mac4, sizeof(env.eth_dst));
	memcpy(env.eth_src, unicast || g->conf->advert_source_interface ? f->mac : g->vmac,
		sizeof(env.eth_src));
	if (unicast) {
		env.ip_dst = base_addr_ip4(&g->conf->peer4);
		if (!peer_mac(c, g, &g->conf->peer4, env.eth_dst))
			return 0;
	}
	wire_carp4_frame_encode(&env, carp, frame);
	return ctl_send(c, g->conf->if_index, frame, sizeof(frame), group);
}

static int
send_advert6(struct ctl *c, uint16_t group, const struct wire_carp *carp)
{
	const struct ctl_group *g = &c->groups[group];
	const struct ctl_if *f = &c->ifs[g->conf->if_index];
	uint8_t frame[WIRE_CARP6_FRAME_LEN];
	struct wire_carp6_envelope env = {
		.tclass = (uint8_t)(c->conf->dscp << 2),
		.sum = g->conf->cksum6 == CONF_CKSUM6_PSEUDO ? WIRE_CARP_SUM_PSEUDO
							     : WIRE_CARP_SUM_PLAIN,
	};
	bool unicast = g->conf->peer6.family == BASE_FAMILY_IP6;

	memcpy(env.eth_dst, wire_carp_mac6, sizeof(env.eth_dst));
	memcpy(env.eth_src, unicast || g->conf->advert_source_interface ? f->mac : g->vmac,
		sizeof(env.eth_src));
	memcpy(env.ip_src, f->link_local, sizeof(env.ip_src));
	memcpy(env.ip_dst, wire_carp_group_ip6, sizeof(env.ip_dst));
	if (unicast) {
		if (!peer_mac(c, g, &g->conf->peer6, env.eth_dst))
			return 0;
		memcpy(env.ip_dst, g->conf->peer6.bytes, sizeof(env.ip_dst));
	}
	wire_carp6_frame_encode(&env, carp, frame);
	return ctl_send(c, g->conf->if_index, frame, sizeof(frame), group);
}

/* One advert of one family, with a counter of its own (note 2.3). */
static int
send_advert(struct ctl *c, uint16_t group, struct ctl_identity *id, uint8_t family,
	const struct election_priority *prio)
{
	struct ctl_group *g = &c->groups[group];
	struct wire_carp carp = {
		.version = WIRE_CARP_VERSION,
		.type = WIRE_CARP_TYPE,
		.vhid = g->conf->vhid,
		.advskew = prio->advskew,
		.authlen = WIRE_CARP_AUTHLEN,
		.demotion = prio->demotion,
		.advbase = prio->advbase,
		.counter = ctl_next_counter(c, g, id),
	};
	int ret = auth_group_sign(id->auth, carp.counter, carp.digest);

	if (ret == 0)
		ret = family == ELECTION_IP4 ? send_advert4(c, group, &carp)
					     : send_advert6(c, group, &carp);
	ctl_count(c, group, family == ELECTION_IP4 ? CTL_STAT_OPACKETS : CTL_STAT_OPACKETS6);
	if (ret != 0)
		ctl_count(c, group, ret == -ENOMEM ? CTL_STAT_ONOMEM : CTL_STAT_SENDERR);
	return ret;
}

static void
act_advert(struct ctl *c, const struct election_action *a)
{
	static const uint8_t families[] = {ELECTION_IP4, ELECTION_IP6};
	struct ctl_identity *id;
	int ret = 0;

	settle_outcome(c, a->group);
	note_lateness(c, a->advert.late);
	for (unsigned int f = 0; f < RTE_DIM(families); f++) {
		if (!(a->families & families[f]))
			continue;
		for (unsigned int n = 0; (id = ctl_stage_send(&c->groups[a->group], n)); n++) {
			int one = send_advert(c, a->group, id, families[f], &a->advert.prio);

			ret = ret != 0 ? ret : one;
		}
	}
	if (ret == 0)
		c->groups[a->group].outcome_open = true;
	else
		feed_sent(c, a->group, false);
}

void
ctl_announce_begin(struct ctl *c, uint16_t group)
{
	struct ctl_group *g = &c->groups[group];

	if (g->announce_next == g->announce_end && g->announce_end > 0)
		c->announcing++;
	g->announce_next = 0;
}

void
ctl_announce_stop(struct ctl *c, struct ctl_group *g)
{
	if (g->announce_next < g->announce_end)
		c->announcing--;
	g->announce_next = g->announce_end;
}

/* Do the neighbours have other groups' vMACs for this address too (note 7.3)? */
static bool
is_shared(const struct ctl *c, uint16_t group, uint32_t vip)
{
	if (!c->arpbalance)
		return false;
	for (uint16_t i = 0; i < c->n_groups; i++) {
		const struct ctl_group *g = &c->groups[i];

		if (i == group || g->conf->if_index != c->groups[group].conf->if_index)
			continue;
		for (uint16_t v = 0; v < g->n_vips; v++)
			if (g->vips[v] == vip)
				return true;
	}
	return false;
}

/*
 * Gratuitous ARP (note 7.1). For a shared address it would move every neighbour to this group; a
 * probe, which nobody learns from, tells only the switches where the vMAC is now.
 */
static int
announce4(struct ctl *c, uint16_t group, uint32_t vip)
{
	const struct ctl_group *g = &c->groups[group];
	uint8_t frame[WIRE_ARP_FRAME_LEN];
	struct wire_arp probe = {.op = WIRE_ARP_REQUEST, .target_ip = vip};

	memcpy(probe.sender_mac, g->vmac, sizeof(probe.sender_mac));
	if (is_shared(c, group, vip))
		wire_arp_frame_encode(wire_broadcast_mac, g->vmac, &probe, frame);
	else
		wire_garp_frame_encode(g->vmac, vip, frame);
	return ctl_send(c, g->conf->if_index, frame, sizeof(frame), DP_NONE);
}

/* The n-th VIP, IPv4 first: ARP, or unsolicited NA (note 7.5). */
static void
announce_one(struct ctl *c, uint16_t group, uint16_t n)
{
	const struct ctl_group *g = &c->groups[group];
	uint8_t na[WIRE_ND_FRAME_LEN];
	int ret;

	if (n < g->n_vips) {
		ret = announce4(c, group, g->vips[n]);
	} else {
		const uint8_t *vip = g->vips6[n - g->n_vips];

		wire_na_announce_frame_encode(
			g->vmac, c->ifs[g->conf->if_index].link_local, vip, true, na);
		ret = ctl_send(c, g->conf->if_index, na, sizeof(na), DP_NONE);
	}
	if (ret == 0)
		ctl_count(c, group, CTL_STAT_ANNOUNCED);
}

void
ctl_announce(struct ctl *c)
{
	uint32_t left = CTL_ANNOUNCE_PER_TURN;

	for (uint16_t i = 0; i < c->n_groups && c->announcing > 0 && left > 0; i++) {
		struct ctl_group *g = &c->groups[i];

		if (g->announce_next == g->announce_end)
			continue;
		for (; left > 0 && g->announce_next < g->announce_end; left--)
			announce_one(c, i, g->announce_next++);
		if (g->announce_next == g->announce_end)
			c->announcing--;
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
	ctl_dirty(c, group);
	set_listening(c, group);
}

static struct ctl_event
group_event(const struct ctl *c, enum ctl_event_kind kind, uint16_t group)
{
	struct ctl_event ev = ctl_event_new(kind);

	ev.group = group;
	ev.if_id = c->groups[group].conf->if_index;
	return ev;
}

/* Who takes part will speak to unicast peers: their MACs must be there before the first advert. */
static void
meet_peers(struct ctl *c, const struct ctl_group *g)
{
	uint8_t mac[BASE_MAC_LEN];

	if (g->conf->peer4.family == BASE_FAMILY_IP4)
		(void)peer_mac(c, g, &g->conf->peer4, mac);
	if (g->conf->peer6.family == BASE_FAMILY_IP6)
		(void)peer_mac(c, g, &g->conf->peer6, mac);
}

static void
act_state(struct ctl *c, const struct election_action *a)
{
	struct ctl_group *g = &c->groups[a->group];
	struct ctl_event ev = group_event(c, CTL_EVENT_STATE, a->group);

	if (a->state.from == ELECTION_INIT)
		meet_peers(c, g);
	g->state = a->state.to;
	ctl_frame_state(c, a->group, a->state.to, a->state.cause);
	set_listening(c, a->group);
	ctl_hear_state(c, a->group, a->state.cause);
	ctl_warm_state(c, g->conf->if_index);
	ctl_ra_state(c, a->group, a->state.from);
	dp_answer(c->dp, a->group, g->state == ELECTION_MASTER);
	if (g->state == ELECTION_MASTER)
		ctl_count(c, a->group, CTL_STAT_PREEMPT);
	else
		ctl_announce_stop(c, g);
	ev.from = a->state.from;
	ev.to = a->state.to;
	ev.cause = a->state.cause;
	ev.since_heard = a->state.since_heard;
	ev.takeover_ns = g->takeover_ns;
	ev.own = a->state.own;
	ev.peer = a->state.peer;
	ev.src = a->state.peer_src;
	ev.hold = a->state.hold;
	ev.family = a->state.family;
	ev.late = a->state.late;
	if (c->asked != NULL)
		snprintf(ev.text, sizeof(ev.text), "%s", c->asked);
	ctl_event_write(c, &ev);
	ctl_dirty(c, a->group);
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
		ctl_dirty(c, i);
}

static void
act_warn(struct ctl *c, const struct election_action *a)
{
	struct ctl_event ev = group_event(c, CTL_EVENT_WARN, a->group);

	ev.warn = a->warn.kind;
	ev.warn_silent = a->warn.silent;
	ev.peer = a->warn.peer;
	ev.src = a->warn.src;
	ctl_event_write(c, &ev);
	ctl_dirty(c, a->group);
}

static void
act_split(struct ctl *c, const struct election_action *a)
{
	struct ctl_event ev = group_event(c, CTL_EVENT_SPLIT, a->group);

	ev.split = a->split.reasons;
	ev.split_before = a->split.before;
	ev.src = a->split.src;
	ctl_event_write(c, &ev);
	ctl_dirty(c, a->group);
}

static void
act_decision(struct ctl *c, const struct election_action *a)
{
	struct ctl_event ev = group_event(c, CTL_EVENT_DECISION, a->group);

	ev.cause = a->decision.cause;
	ev.hold = a->decision.hold;
	ev.hold_ns = base_ns_since(a->decision.until, c->now);
	ev.own = a->decision.own;
	ev.peer = a->decision.peer;
	ev.src = a->decision.peer_src;
	ctl_event_write(c, &ev);
	ctl_dirty(c, a->group);
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
		ctl_announce_begin(c, a->group);
		break;
	case ELECTION_ACT_STATE:
		act_state(c, a);
		break;
	case ELECTION_ACT_DEMOTION:
		act_demotion(c, a);
		break;
	case ELECTION_ACT_WARN:
		act_warn(c, a);
		break;
	case ELECTION_ACT_SPLIT:
		act_split(c, a);
		break;
	case ELECTION_ACT_DECISION:
		act_decision(c, a);
		break;
	}
}

/* Carrying out one action may append more (the outcome of an advert). */
void
ctl_carry_out(struct ctl *c)
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

	ctl_carry_out(c);
	return ret;
}

void
ctl_tick(struct ctl *c)
{
	bool more;

	do {
		more = election_tick(c->election, c->now, &c->out);
		ctl_carry_out(c);
	} while (more);
}
