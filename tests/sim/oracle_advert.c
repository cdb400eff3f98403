/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What a koi box may let in, and what it must. */

#include "sim.h"

/* Clocks of strict groups differ by four seconds here, and may by five; fast groups forget. */
#define STALE_AGE_FAST_NS (50 * BASE_NS_PER_MS)
#define STALE_AGE_NS	  (900 * BASE_NS_PER_MS)
#define OWN_KEPT	  100 /* of our own adverts that are surely still known */

static const char *const verdict_names[] = {
#define CTL_STAT(sym, name, text) name,
#include "ctl_stats.def"
#undef CTL_STAT
};

bool
oracle_harmless(const struct sim *s, const struct node *n, const struct frame *f)
{
	const struct shadow *sh = &n->koi[f->group].sh;

	if (f->kind == FRAME_FORGED || f->kind == FRAME_TRUNCATED || f->kind == FRAME_FOREIGN)
		return true;
	if (f->from != n->id || f->life != n->life || sim_local(n, f->sent) < sh->key[f->key].begun)
		return false;
	/* the guard remembers what is heard as well, which in a fast group is much */
	return sh->own_seq - f->seq <
		(s->group[f->group].advbase > 0 ? OWN_KEPT : AUTH_COUNTER_MEMORY);
}

static uint64_t
mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint64_t
mix_group(uint64_t h, const struct election_group_info *g)
{
	h = mix(h, g->state);
	h = mix(h, g->cause);
	h = mix(h, g->admin_up + 2u * g->owned + 4u * g->handing_over);
	h = mix(h, g->advbase * 256u + g->advskew);
	h = mix(h, oracle_rank(&g->sent) << 8 | g->sent.demotion);
	h = mix(h, oracle_rank(&g->heard) << 8 | g->heard.demotion);
	h = mix(h, g->state_since);
	h = mix(h, g->transitions);
	h = mix(h, g->advert_deadline);
	h = mix(h, g->master_down_deadline);
	h = mix(h, g->heard_at);
	h = mix(h, base_addr_ip4(&g->heard_from) ^ g->heard_from.bytes[15]);
	h = mix(h, base_addr_ip4(&g->master) ^ g->master.bytes[15]);
	for (unsigned int f = 0; f < SIM_FAMILIES; f++)
		h = mix(mix(h, g->family[f].heard_at), g->family[f].deadline);
	h = mix(h, g->late_max);
	return mix(h, g->announce_deadline);
}

uint64_t
oracle_digest_group(const struct node *n, uint16_t group)
{
	struct election_group_info info;

	(void)election_group_info(n->e, group, n->now, &info);
	return mix_group(0, &info);
}

uint64_t
oracle_digest(const struct node *n)
{
	struct election_group_info info;
	uint64_t h = mix(election_demotion_total(n->e), n->now);

	for (uint16_t i = 0; election_group_info(n->e, i, n->now, &info) == 0; i++)
		h = mix_group(h, &info);
	return h;
}

/* Who repeats counters before it is known to change them may be an OpenBSD. */
static void
repeated(struct node *n, const struct frame *f)
{
	struct shadow_key *k = &n->koi[f->group].sh.key[f->key];

	if (!k->changing[f->from][f->family])
		k->repeats[f->from][f->family] = true;
}

/* A peer is known to change its counters by three new ones within three master-down times. */
static void
took(struct sim *s, struct node *n, const struct frame *f)
{
	struct shadow_key *k = &n->koi[f->group].sh.key[f->key];
	base_ns_t *at = k->fresh_at[f->from][f->family];
	base_ns_t down = oracle_master_down(n->advbase[f->group], n->skew[f->group]);

	if (s->taken[f->id] >> n->id & 1) {
		repeated(n, f);
		return;
	}
	s->taken[f->id] |= (uint8_t)(1u << n->id);
	at[2] = at[1];
	at[1] = at[0];
	at[0] = n->now;
	if (at[2] != 0 && n->now - at[2] < 3 * down && !k->repeats[f->from][f->family])
		k->changing[f->from][f->family] = true;
}

/* What only its own restart, and no attacker, may make a box forget. */
static bool
must_refuse(const struct sim *s, const struct node *n, const struct frame *f)
{
	const struct group *g = &s->group[f->group];
	const struct shadow_key *k = &n->koi[f->group].sh.key[f->key];
	base_ns_t sent = sim_local(n, f->sent);

	if (s->mixed || !(s->taken[f->id] >> n->id & 1) || n->started >= sent || k->begun > sent)
		return false;
	if (g->strict)
		return true;
	return g->advbase > 0 && !(f->family == 0 && s->seg[g->seg].no_address) &&
		k->changing[f->from][f->family];
}

static void
good_refused(struct sim *s, struct node *n, const struct frame *f, enum ctl_stat verdict)
{
	const struct group *g = &s->group[f->group];
	bool guard = verdict == CTL_STAT_DUPLICATE || verdict == CTL_STAT_REPLAY;
	base_ns_t age = sim_local(n, s->now) - sim_local(n, f->sent);

	/* overtaken for longer than reordering takes, or older than the window less the clocks */
	if (g->strict && guard &&
		age > oracle_master_down(n->advbase[f->group], n->skew[f->group]) / 3)
		return;
	if (g->strict && verdict == CTL_STAT_STALE &&
		age > (s->quick ? STALE_AGE_FAST_NS : STALE_AGE_NS))
		return;
	/* the same microsecond on two clocks */
	if (g->strict && (guard || verdict == CTL_STAT_LOOP) && !(s->taken[f->id] >> n->id & 1)) {
		s->stats->strict_collisions++;
		check_lost(s, f->group, f->from, n->id);
		return;
	}
	if (guard && s->taken[f->id] >> n->id & 1)
		return; /* it came twice, or an attacker was faster */
	/*
	 * One that counts on from what we missed is not believed until it is past what we know or
	 * hears us. That is no loss: the group is to settle all the same, and in its time.
	 */
	if (guard && s->node[f->from].kind != NODE_KOI) {
		s->stats->good_refused++;
		return;
	}
	sim_fail(s, CHECK_HEARD, "box %u refuses a good advert of box %u as %s", n->id, f->from,
		verdict_names[verdict]);
}

/* The same with a digest that the box has: what it refuses it does not miss. */
static bool
comes_otherwise(const struct node *n, const struct frame *f)
{
	uint32_t has = 1u << n->key[f->group] | 1u << n->other[f->group];

	return (f->keys & has) != 0 && !box_accepts(n, f->group, f->key);
}

void
oracle_verdict(struct sim *s, struct node *n, const struct frame *f, enum ctl_stat verdict,
	uint64_t before, uint64_t after)
{
	bool accepted = verdict == CTL_STAT_IPACKETS;

	s->stats->forged += f->kind == FRAME_FORGED;
	s->stats->truncated += f->kind == FRAME_TRUNCATED;
	s->stats->foreign += f->kind == FRAME_FOREIGN;
	s->stats->looped += f->kind == FRAME_GENUINE && f->from == n->id;
	s->stats->replayed += f->kind == FRAME_REPLAY;
	if (oracle_harmless(s, n, f)) {
		if (accepted || before != after)
			sim_fail(s, CHECK_COUNTERS_ONLY,
				"box %u, group %u: a frame that is %s was %s, state %s", n->id,
				f->group,
				f->kind == FRAME_FORGED		     ? "forged"
					: f->kind == FRAME_TRUNCATED ? "cut short"
					: f->kind == FRAME_FOREIGN   ? "foreign"
								     : "its own",
				accepted ? "accepted" : "refused",
				before == after ? "the same" : "changed");
		return;
	}
	if (f->kind == FRAME_REPLAY) {
		s->stats->replays_accepted += accepted;
		if (accepted && must_refuse(s, n, f))
			sim_fail(s, CHECK_REPLAYED,
				"box %u, group %u: an advert of box %u heard before was let in as "
				"%u/%u/%u",
				n->id, f->group, f->from, f->prio.advbase, f->prio.advskew,
				f->prio.demotion);
		if (accepted) {
			s->taken[f->id] |= (uint8_t)(1u << n->id);
			repeated(n, f);
		}
		return;
	}
	if (f->from == n->id)
		return;
	if (accepted) {
		if (!box_accepts(n, f->group, f->key))
			sim_fail(s, CHECK_COUNTERS_ONLY, "box %u accepts another key", n->id);
		took(s, n, f);
		return;
	}
	if (before != after)
		sim_fail(s, CHECK_COUNTERS_ONLY,
			"box %u, group %u: an advert with a key that it does not have changes it",
			n->id, f->group);
	if (box_accepts(n, f->group, f->key) && n->allow && n->listening[f->group])
		good_refused(s, n, f, verdict);
	else if (n->state[f->group] != ELECTION_INIT && !comes_otherwise(n, f))
		check_lost(s, f->group, f->from, n->id);
}
