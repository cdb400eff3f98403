/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What comes up from the workers, as ctl_rx.c and ctl_guard.c. */

#include <string.h>

#include "sim.h"

/* A worker that is idle sleeps; its horizon is that old. */
#define HORIZON_LAG_NS	    (300 * BASE_NS_PER_US)
#define HORIZON_LAG_FAST_NS (50 * BASE_NS_PER_US)

/* As ctl_guard.c. */
static enum ctl_stat
guard(struct sim *s, struct node *n, const struct ctl_advert *a)
{
	struct auth_replay_advert advert = {
		.src = a->src,
		.shared_src = memcmp(&a->src,
				      &s->group[a->group].vip[a->src.family == BASE_FAMILY_IP6][0],
				      sizeof(a->src)) == 0,
		.counter = a->counter,
		.advbase = a->prio.advbase,
		.advskew = a->prio.advskew,
		.demotion = a->prio.demotion,
		.bow_out = a->bow_out,
	};
	enum auth_replay_verdict v =
		auth_replay_check(&box_identity(s, n, a->group, a->other)->replay, &advert, n->now,
			n->wall + s->now, NULL);

	switch (v) {
	case AUTH_REPLAY_OK:
		return CTL_STAT_IPACKETS;
	case AUTH_REPLAY_DUPLICATE:
		return CTL_STAT_DUPLICATE;
	case AUTH_REPLAY_REPLAY:
		return CTL_STAT_REPLAY;
	case AUTH_REPLAY_NOT_STRICT:
		return CTL_STAT_NOT_STRICT;
	case AUTH_REPLAY_STALE:
	case AUTH_REPLAY_COUNT:
		break;
	}
	return CTL_STAT_STALE;
}

static bool
is_known(const struct koi_group *g, const struct base_addr *src)
{
	for (uint8_t i = 0; i < g->n_known; i++)
		if (memcmp(&g->known[i], src, sizeof(*src)) == 0)
			return true;
	return false;
}

static void
remember_source(struct koi_group *g, const struct base_addr *src)
{
	if (is_known(g, src))
		return;
	if (g->n_known < KNOWN_MAX)
		g->n_known++;
	memmove(&g->known[1], &g->known[0], (g->n_known - 1u) * sizeof(*src));
	g->known[0] = *src;
}

static struct base_addr
source_of(const struct frame *f)
{
	const uint8_t *ip = f->bytes + WIRE_ETH_LEN;
	struct base_addr a = {.family = f->family ? BASE_FAMILY_IP6 : BASE_FAMILY_IP4};

	memcpy(a.bytes, ip + (f->family ? 8 : 12), f->family ? 16 : 4);
	return a;
}

static void
one_advert(struct sim *s, struct node *n, uint16_t delivery)
{
	const struct frame *f = &s->frame[s->delivery[delivery].frame];
	uint8_t seg = s->group[f->group].seg;
	const struct base_addr *own = n->port[seg].addr;
	uint32_t own4 = base_addr_ip4(&own[0]);
	struct ctl_advert_scope scope = {
		.allow = election_allow(n->e),
		.vhid_group = s->seg[seg].vhid_group,
		.listening = n->listening,
		.auth = n->auth,
		.counters = n->counters,
		.other_auth = n->other_auth,
		.other_counters = n->other_counters,
		.own_ip4 = &own4,
		.n_own_ip4 = own[0].family != BASE_FAMILY_NONE,
		.own_ip6 = &own[1].bytes,
		.n_own_ip6 = own[1].family != BASE_FAMILY_NONE,
	};
	/* any frame ends the hold after link up, whatever is in it */
	bool harmless = oracle_harmless(s, n, f), held = n->port[seg].hold_until != BASE_NS_NEVER;
	bool traceless = !held && (harmless || !box_accepts(n, f->group, f->key));
	uint64_t before = traceless ? oracle_digest(n) : 0;
	struct ctl_advert advert;
	enum ctl_stat verdict = ctl_advert_check(f->bytes, f->len, &scope, &advert);

	if (verdict == CTL_STAT_IPACKETS)
		verdict = guard(s, n, &advert);
	if (verdict == CTL_STAT_IPACKETS) {
		struct election_event ev = {.type = ELECTION_EV_ADVERT, .group = advert.group};

		ev.advert.prio = advert.prio;
		ev.advert.src = advert.src;
		s->stats->heard++;
		remember_source(&n->koi[advert.group], &advert.src);
		if (f->kind == FRAME_REPLAY || f->from == n->id)
			check_touch_group(s, advert.group);
		TRACE(s, n, "group %u hears %u/%u/%u of %s%u", advert.group, advert.prio.advbase,
			advert.prio.advskew, advert.prio.demotion,
			f->kind == FRAME_GENUINE ? "box " : "attacker as box ", f->from);
		bool told = stage_heard(n, &advert);

		oracle_told(s, n, f, &advert, told);
		if (told)
			(void)box_feed(s, n, &ev);
	} else if (verdict == CTL_STAT_BADAUTH) {
		struct election_event ev = {.type = ELECTION_EV_AUTH_FAILED, .group = advert.group};

		ev.advert.src = advert.src;
		(void)box_feed(s, n, &ev);
	}
	if (!harmless || !held)
		oracle_verdict(s, n, f, verdict, before, traceless ? oracle_digest(n) : 0);
}

void
box_to_ring(struct sim *s, struct node *n, uint16_t delivery)
{
	const struct frame *f = &s->frame[s->delivery[delivery].frame];
	struct koi_group *g = &n->koi[f->group];
	uint8_t seg = s->group[f->group].seg;
	struct base_addr src = source_of(f);
	struct queue *ring = &g->ring[is_known(g, &src)];

	if (ring->n >= RING_SLOTS || (s->now < n->port[seg].flood_until && sim_chance(s, 70))) {
		if (f->kind == FRAME_GENUINE)
			check_lost(s, f->group, f->from, n->id);
		net_delivery_free(s, delivery);
		return;
	}
	n->port[seg].frame_seen = n->port[seg].frame_seen || f->from != n->id;
	net_queue_add(s, ring, delivery);
}

void
box_arrive(struct sim *s, struct node *n, uint16_t delivery)
{
	const struct frame *f = &s->frame[s->delivery[delivery].frame];
	struct port *p = &n->port[s->group[f->group].seg];

	if (!n->worker_stalled) {
		box_to_ring(s, n, delivery);
		box_wake(s, n, box_soon(s));
	} else if (p->nic.n < NIC_SLOTS) {
		net_queue_add(s, &p->nic, delivery);
	} else {
		if (f->kind == FRAME_GENUINE)
			check_lost(s, f->group, f->from, n->id);
		net_delivery_free(s, delivery);
	}
}

static void
drain(struct sim *s, struct node *n)
{
	for (uint16_t i = 0; i < s->n_groups && !s->failed; i++) {
		struct queue *ring = n->koi[i].ring;

		while (ring[0].n + ring[1].n > 0) {
			uint16_t d = net_queue_take(s, &ring[ring[1].n > 0]);

			one_advert(s, n, d);
			net_delivery_free(s, d);
		}
	}
}

void
box_tell_frames(struct sim *s, struct node *n)
{
	for (uint16_t i = 0; i < s->n_segs; i++) {
		struct port *p = &n->port[i];
		struct election_event ev = {.type = ELECTION_EV_FRAME_SEEN, .if_id = i};

		if (s->seg[i].chatter && p->link && s->now >= p->blocked_until &&
			!n->worker_stalled)
			p->frame_seen = true;
		if (!n->tells_frames || !p->frame_seen ||
			(p->frame_told != 0 && n->now - p->frame_told < 100 * BASE_NS_PER_MS))
			continue;
		p->frame_seen = false;
		p->frame_told = n->now;
		(void)box_feed(s, n, &ev);
	}
}

void
box_hear(struct sim *s, struct node *n)
{
	base_ns_t horizon[SIM_SEGS];

	for (uint16_t i = 0; i < s->n_segs; i++) {
		base_ns_t lag = sim_draw(s, s->quick ? HORIZON_LAG_FAST_NS : HORIZON_LAG_NS);

		horizon[i] = n->worker_stalled ? sim_local(n, n->worker_stall_from) : n->now - lag;
		if (horizon[i] < n->started)
			horizon[i] = n->started;
	}
	drain(s, n);
	for (uint16_t i = 0; i < s->n_segs; i++) {
		election_set_rx_horizon(n->e, i, horizon[i]);
		if (n->port[i].horizon == BASE_NS_NEVER || horizon[i] > n->port[i].horizon)
			n->port[i].horizon = horizon[i];
	}
}
