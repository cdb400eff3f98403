/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * What one koi box must hold to, written from the protocol note and not from lib/election: every
 * event and action is followed in a shadow of each group, in the box's own time.
 */

#include <string.h>

#include "sim.h"

#define SEND_KEEP_NS (60 * BASE_NS_PER_S)
#define STREAK	     3
#define ANNOUNCE_AT  3

/* @name The protocol's arithmetic once more (notes 4 and 5.2). @{ */

uint32_t
oracle_rank(const struct election_priority *p)
{
	return p->advbase * 256u + p->advskew;
}

bool
oracle_is_bow_out(const struct election_priority *p)
{
	return p->advbase == 255 && p->advskew == 255;
}

struct election_priority
oracle_effective(uint8_t base, uint8_t skew, uint32_t demotion)
{
	return (struct election_priority){
		.advbase = base,
		.advskew = demotion != 0 && skew < ORACLE_DEMOTED_SKEW ? ORACLE_DEMOTED_SKEW : skew,
		.demotion = (uint8_t)(demotion < 255 ? demotion : 255),
	};
}

base_ns_t
oracle_interval(uint8_t base, uint8_t skew, uint8_t eff)
{
	if (base == 0)
		return (skew > 1 ? skew : 1) * BASE_NS_PER_SKEW;
	return base * BASE_NS_PER_S + eff * BASE_NS_PER_SKEW;
}

base_ns_t
oracle_master_down(uint8_t base, uint8_t skew)
{
	return base == 0 ? 3 * oracle_interval(0, skew, skew)
			 : 3 * (base * BASE_NS_PER_S) + skew * BASE_NS_PER_SKEW;
}

static bool
yields(const struct election_priority *own, const struct election_priority *peer)
{
	if (oracle_is_bow_out(peer))
		return false;
	return (oracle_rank(own) >= oracle_rank(peer) && peer->demotion <= own->demotion) ||
		peer->demotion < own->demotion;
}

/* Does this cause of a take-over hold? */
static bool
claim_holds(enum election_cause cause, const struct election_priority *own,
	const struct election_priority *peer, bool preempt)
{
	if (oracle_is_bow_out(peer))
		return cause == ELECTION_CAUSE_BOW_OUT;
	if (cause == ELECTION_CAUSE_PEER_DEMOTED)
		return peer->demotion > own->demotion;
	if (cause == ELECTION_CAUSE_PREEMPT)
		return preempt && oracle_rank(own) < oracle_rank(peer) &&
			peer->demotion >= own->demotion;
	if (cause == ELECTION_CAUSE_SLOW_PEER)
		return own->advbase > 0 &&
			3u * 256 * own->advbase + own->advskew < oracle_rank(peer);
	return false;
}
/* @} */

static const enum election_cause claim_causes[] = {ELECTION_CAUSE_BOW_OUT,
	ELECTION_CAUSE_PEER_DEMOTED, ELECTION_CAUSE_PREEMPT, ELECTION_CAUSE_SLOW_PEER};

static struct election_priority
own_priority(const struct node *n, uint16_t g)
{
	return oracle_effective(n->advbase[g], n->skew[g], n->demotion);
}

static base_ns_t
own_interval(const struct node *n, uint16_t g)
{
	return oracle_interval(n->advbase[g], n->skew[g], own_priority(n, g).advskew);
}

static base_ns_t
tie_limit(const struct node *n, uint16_t g)
{
	base_ns_t step = own_interval(n, g);

	return step < ORACLE_TIE_MAX_NS ? step : ORACLE_TIE_MAX_NS;
}

void
oracle_start(struct sim *s, struct node *n)
{
	n->ev = NULL;
	n->health_since = 0;
	for (uint16_t i = 0; i < s->n_groups; i++) {
		n->koi[i].sh = (struct shadow){
			.claim_due = BASE_NS_NEVER, .start_claim = n->start_as_master};
		n->koi[i].sh.key[n->key[i]].begun = n->now;
	}
}

void
oracle_group_new(struct node *n, uint16_t group)
{
	n->koi[group].sh = (struct shadow){.claim_due = BASE_NS_NEVER};
	n->koi[group].sh.key[n->key[group]].begun = n->now;
}

/*
 * The first frame after link up proves the link, and that no silence was heard before it.
 * @return true when that ended the hold
 */
static bool
trusted(struct sim *s, struct node *n, uint16_t seg)
{
	struct port *p = &n->port[seg];

	if (p->hold_until == BASE_NS_NEVER)
		return false;
	p->hold_until = BASE_NS_NEVER;
	for (uint16_t i = 0; i < s->n_groups; i++)
		for (uint8_t f = 0; f < SIM_FAMILIES && s->group[i].seg == seg; f++)
			n->koi[i].sh.armed[f] = n->now;
	return true;
}

/* A MASTER answers a worse one at once, but not twice within half an interval. */
static void
before_advert(struct node *n, const struct election_event *ev, bool released)
{
	struct shadow *sh = &n->koi[ev->group].sh;
	base_ns_t step = own_interval(n, ev->group);

	/* the hold after link up was a demotion too */
	uint32_t demotion = n->demotion - released;
	base_ns_t healthy = released && demotion == 0 ? n->now : n->health_since;
	base_ns_t able = sh->since > healthy ? sh->since : healthy;

	n->own = oracle_effective(n->advbase[ev->group], n->skew[ev->group], demotion);
	n->may_preempt = n->preempt && n->now >= able + n->preempt_delay;
	if (sh->state != ELECTION_MASTER || oracle_is_bow_out(&ev->advert.prio) ||
		yields(&n->own, &ev->advert.prio))
		return;
	sh->duel_theirs = oracle_interval(
		ev->advert.prio.advbase, ev->advert.prio.advskew, ev->advert.prio.advskew);
	sh->duel_at = n->now;
	if (sh->duel_first == 0)
		sh->duel_first = n->now;
	if (sh->extra_at != 0 && n->now - sh->extra_at < step / 2)
		return;
	sh->extra_at = n->now;
	sh->extra_due = sh->may_early = true;
}

void
oracle_before(struct sim *s, struct node *n, const struct election_event *ev, struct oracle_call *c)
{
	for (uint16_t i = 0; i < s->n_groups; i++) {
		struct shadow *sh = &n->koi[i].sh;

		c->before[i] = sh->state;
		sh->need_master = sh->need_leave = sh->announced = sh->bowed = false;
		sh->owes_announce = sh->extra_due = false;
	}
	n->demotion = election_demotion_total(n->e);
	n->ev = ev;
	if (ev == NULL)
		return;
	if (ev->type == ELECTION_EV_FRAME_SEEN)
		(void)trusted(s, n, ev->if_id);
	else if (ev->type == ELECTION_EV_AUTH_FAILED)
		(void)trusted(s, n, s->group[ev->group].seg);
	else if (ev->type == ELECTION_EV_ADVERT)
		before_advert(n, ev, trusted(s, n, s->group[ev->group].seg));
}

/* @name Actions. @{ */

static void
spoke(struct sim *s, struct node *n, const struct election_action *a)
{
	struct shadow *sh = &n->koi[a->group].sh;
	struct election_priority want = own_priority(n, a->group);

	if (oracle_is_bow_out(&a->advert.prio)) {
		if (sh->state != ELECTION_MASTER || sh->bowed)
			sim_fail(s, CHECK_BOW_OUT, "box %u bows out of group %u in %s", n->id,
				a->group, election_state_name(sh->state));
		sh->bowed = sh->need_leave = true;
		return;
	}
	if (memcmp(&want, &a->advert.prio, sizeof(want)) != 0)
		sim_fail(s, CHECK_WIRE, "box %u advertises group %u as %u/%u/%u, not %u/%u/%u",
			n->id, a->group, a->advert.prio.advbase, a->advert.prio.advskew,
			a->advert.prio.demotion, want.advbase, want.advskew, want.demotion);
	if (a->families != s->group[a->group].families)
		sim_fail(s, CHECK_WIRE, "box %u advertises group %u with families %u, not %u",
			n->id, a->group, a->families, s->group[a->group].families);
	if (sh->state != ELECTION_MASTER) {
		sh->need_master = true;
		sh->adverts = 0;
		sh->extra_at = sh->duel_first = sh->duel_at = 0;
		sh->words_due = sh->words_free = 0;
		sh->fails = sh->oks = 0;
		sh->may_early = sh->may_late = true;
	}
	base_ns_t gap = n->now - sh->advert_at;

	if (!sh->may_early && gap + sh->advert_late < sh->promise)
		sim_fail(s, CHECK_PACE,
			"box %u advertises group %u after %.6f s, too soon for %.6f", n->id,
			a->group, (double)gap / 1e9, (double)sh->promise / 1e9);
	if (!sh->may_late && gap > sh->promise + ORACLE_PACE_SLACK_NS)
		sim_fail(s, CHECK_PACE, "box %u advertises group %u after %.6f s, late for %.6f",
			n->id, a->group, (double)gap / 1e9, (double)sh->promise / 1e9);
	sh->promise =
		oracle_interval(n->advbase[a->group], n->skew[a->group], a->advert.prio.advskew);
	check_promise(n, a->group, sim_global_span(n, sh->promise));
	sh->advert_at = n->now;
	sh->advert_late = a->advert.late != BASE_NS_NEVER && a->advert.late < sh->promise
		? a->advert.late
		: 0;
	sh->may_early = sh->may_late = false;
	sh->announced = false;
	if (sh->extra_due) { /* beyond the timer's */
		sh->extra_due = false;
		return;
	}
	if (sh->adverts < UINT8_MAX)
		sh->adverts++;
	sh->owes_announce = sh->adverts == ANNOUNCE_AT;
}

/* "all": every family is silent; "any": one with VIPs is (note 4). */
base_ns_t
oracle_silent_since(const struct group *g, const struct node *n, uint16_t group)
{
	const struct shadow *sh = &n->koi[group].sh;

	if (n->timers[group] == ELECTION_FAMILY_TIMERS_ALL)
		return sh->armed[0] > sh->armed[1] ? sh->armed[0] : sh->armed[1];
	if (g->families == (ELECTION_IP4 | ELECTION_IP6))
		return sh->armed[0] < sh->armed[1] ? sh->armed[0] : sh->armed[1];
	return sh->armed[g->families == ELECTION_IP6];
}

static bool
held_by_link(const struct sim *s, const struct node *n, uint16_t g)
{
	base_ns_t until = n->port[s->group[g].seg].hold_until;

	return until != BASE_NS_NEVER && n->now < until;
}

static void
took_over(struct sim *s, struct node *n, uint16_t g, enum election_cause cause)
{
	struct shadow *sh = &n->koi[g].sh;
	base_ns_t armed = oracle_silent_since(&s->group[g], n, g);
	base_ns_t due = armed + oracle_master_down(n->advbase[g], n->skew[g]);
	bool by_operator = n->ev != NULL && n->ev->type == ELECTION_EV_FORCE_MASTER;
	bool ok;

	if (cause != ELECTION_CAUSE_BOW_OUT && !by_operator &&
		(n->now < n->started + n->startup_hold || held_by_link(s, n, g)))
		sim_fail(s, CHECK_HOLD, "box %u took over group %u (%s) while it had to wait",
			n->id, g, election_cause_text(cause));

	switch ((unsigned int)cause) {
	case ELECTION_CAUSE_TIMEOUT:
		if (n->now < due)
			sim_fail(s, CHECK_CAUSE,
				"box %u took over group %u after %.6f s of silence", n->id, g,
				(double)(n->now - armed) / 1e9);
		else if (n->port[s->group[g].seg].horizon < due)
			sim_fail(s, CHECK_UNREAD,
				"box %u took over group %u, adverts of the last %.6f s unread",
				n->id, g,
				(double)(n->now - n->port[s->group[g].seg].horizon) / 1e9);
		else if (n->now < sh->listen_until)
			sim_fail(s, CHECK_LISTEN,
				"box %u took over group %u %.6f s before it had listened", n->id, g,
				(double)(sh->listen_until - n->now) / 1e9);
		ok = sh->state == ELECTION_BACKUP;
		break;
	case ELECTION_CAUSE_BOW_OUT:
	case ELECTION_CAUSE_PEER_DEMOTED:
	case ELECTION_CAUSE_PREEMPT:
	case ELECTION_CAUSE_SLOW_PEER:
		ok = sh->state == ELECTION_BACKUP &&
			((n->ev != NULL && n->ev->type == ELECTION_EV_ADVERT && n->ev->group == g &&
				 claim_holds(
					 cause, &n->own, &n->ev->advert.prio, n->may_preempt)) ||
				(sh->claim_due != BASE_NS_NEVER && sh->evidence[cause] != 0));
		break;
	case ELECTION_CAUSE_FORCED:
		ok = (by_operator && n->ev->group == g) || sh->start_claim;
		break;
	default:
		ok = false;
	}
	if (!ok)
		sim_fail(s, CHECK_CAUSE, "box %u took over group %u: \"%s\" is not so", n->id, g,
			election_cause_text(cause));
}

static void
stepped_down(struct sim *s, struct node *n, uint16_t g, enum election_cause cause)
{
	const struct shadow *sh = &n->koi[g].sh;
	enum election_event_type type = n->ev != NULL ? n->ev->type : ELECTION_EV_SENT;
	bool says_so = false, ok = false;

	switch ((unsigned int)cause) {
	case ELECTION_CAUSE_BETTER_PEER:
	case ELECTION_CAUSE_TIE:
	case ELECTION_CAUSE_PEER_HEALTHIER:
		ok = type == ELECTION_EV_ADVERT && n->ev->group == g;
		break;
	case ELECTION_CAUSE_STALLED:
		ok = type == ELECTION_EV_STALL;
		break;
	case ELECTION_CAUSE_LINK_DOWN:
		ok = !n->port[s->group[g].seg].link_told;
		break;
	case ELECTION_CAUSE_IF_DOWN: /* the simulator's operators leave interfaces alone */
		break;
	case ELECTION_CAUSE_DISALLOWED:
		ok = !n->allow;
		break;
	case ELECTION_CAUSE_FORCED:
		ok = type == ELECTION_EV_FORCE_BACKUP;
		says_so = true;
		break;
	case ELECTION_CAUSE_DRAINED:
		ok = type == ELECTION_EV_DRAIN && n->drained;
		says_so = true;
		break;
	case ELECTION_CAUSE_ADMIN_DOWN:
		ok = !n->admin_up[g];
		says_so = true;
		break;
	case ELECTION_CAUSE_NO_VIP:
		ok = !n->has_vip[g];
		says_so = true;
		break;
	case ELECTION_CAUSE_SHUTDOWN:
		ok = n->stopping;
		says_so = true;
		break;
	default:
		break;
	}
	if (!ok)
		sim_fail(s, CHECK_CAUSE, "box %u gave up group %u: \"%s\" is not so", n->id, g,
			election_cause_text(cause));
	if (sh->bowed != says_so)
		sim_fail(s, CHECK_BOW_OUT, "box %u gave up group %u (%s) %s a bow-out", n->id, g,
			election_cause_text(cause), sh->bowed ? "with" : "without");
}

static void
changed(struct sim *s, struct node *n, const struct election_action *a)
{
	struct shadow *sh = &n->koi[a->group].sh;

	if (a->state.from != sh->state)
		sim_fail(s, CHECK_CAUSE, "box %u left %s of group %u, it was in %s", n->id,
			election_state_name(a->state.from), a->group,
			election_state_name(sh->state));
	sh->claim_due = a->state.to == ELECTION_MASTER ? sh->claim_due : BASE_NS_NEVER;
	if (a->state.to == ELECTION_MASTER) {
		took_over(s, n, a->group, a->state.cause);
		if (!sh->need_master || !sh->owned || !sh->announced)
			sim_fail(s, CHECK_ANNOUNCE,
				"box %u took over group %u, owned %d, advertised %d, announced %d",
				n->id, a->group, sh->owned, sh->need_master, sh->announced);
		sh->need_master = sh->start_claim = false;
		sh->send_error_expires = BASE_NS_NEVER;
	} else {
		if (sh->state == ELECTION_MASTER) {
			stepped_down(s, n, a->group, a->state.cause);
			sh->need_leave = false;
			sh->handing = sh->owned;
			sh->handing_since = n->now;
			sh->from_tie = a->state.cause == ELECTION_CAUSE_TIE;
			sh->send_error_expires = n->now + SEND_KEEP_NS;
		} else {
			sh->from_tie = false;
		}
		sh->armed[0] = sh->armed[1] = n->now;
		sh->listen_until = sh->listens = 0;
	}
	sh->since = n->now;
	memset(sh->evidence, 0, sizeof(sh->evidence));
	sh->claim_due = BASE_NS_NEVER;
	sh->state = a->state.to;
}

void
oracle_action(struct sim *s, struct node *n, const struct election_action *a)
{
	struct shadow *sh = a->group < s->n_groups ? &n->koi[a->group].sh : NULL;

	switch (a->type) {
	case ELECTION_ACT_ADVERT:
		spoke(s, n, a);
		break;
	case ELECTION_ACT_OWN:
		if (sh->owned && !sh->handing)
			sim_fail(s, CHECK_OWN, "box %u owns group %u twice", n->id, a->group);
		sh->owned = true;
		sh->handing = false;
		break;
	case ELECTION_ACT_DISOWN:
		if (!sh->owned)
			sim_fail(s, CHECK_OWN, "box %u disowns group %u twice", n->id, a->group);
		sh->need_leave = sh->state == ELECTION_MASTER;
		sh->owned = sh->handing = false;
		break;
	case ELECTION_ACT_ANNOUNCE:
		sh->announced = true;
		sh->announced_at = n->now;
		sh->owes_announce = false;
		sh->words_due = 0;
		break;
	case ELECTION_ACT_STATE:
		changed(s, n, a);
		break;
	case ELECTION_ACT_DEMOTION:
		if ((n->demotion == 0) != (a->demotion.total == 0)) {
			n->health_since = n->now;
			for (uint16_t i = 0; i < s->n_groups; i++)
				n->koi[i].sh.may_early = true;
		}
		n->demotion = a->demotion.total;
		break;
	case ELECTION_ACT_WARN:
	case ELECTION_ACT_SPLIT:
	case ELECTION_ACT_DECISION:
		break;
	}
}

void
oracle_sent(struct sim *s, struct node *n, uint16_t group, bool ok)
{
	struct shadow *sh = &n->koi[group].sh;

	(void)s;
	if (!sh->need_master && (sh->state != ELECTION_MASTER || sh->need_leave))
		return;
	if (ok) {
		sh->fails = 0;
		if (sh->oks < STREAK && ++sh->oks == STREAK)
			sh->send_error = false;
	} else {
		sh->oks = 0;
		if (sh->fails < STREAK && ++sh->fails == STREAK) {
			sh->send_error = true;
			sh->send_error_expires = BASE_NS_NEVER;
		}
	}
}
/* @} */

/* @name Events. @{ */

static void
heard(struct sim *s, struct node *n, const struct election_event *ev, enum election_state before)
{
	struct shadow *sh = &n->koi[ev->group].sh;
	const struct election_priority *peer = &ev->advert.prio;
	enum election_state want = before;
	bool claims = false, hold = n->now < n->started + n->startup_hold;

	for (unsigned int i = 0; i < sizeof(claim_causes) / sizeof(claim_causes[0]); i++) {
		if (!claim_holds(claim_causes[i], &n->own, peer, n->may_preempt) ||
			(hold && claim_causes[i] != ELECTION_CAUSE_BOW_OUT))
			continue;
		claims = true;
		if (sh->state == ELECTION_BACKUP)
			sh->evidence[claim_causes[i]] = n->now;
	}
	if (before == ELECTION_MASTER && yields(&n->own, peer))
		want = ELECTION_BACKUP;
	if (before == ELECTION_BACKUP && claims) {
		want = ELECTION_MASTER;
		if (sh->state == ELECTION_BACKUP && sh->from_tie) {
			/* after a tie a claim waits for a random while */
			base_ns_t due = n->now + tie_limit(n, ev->group);

			sh->claim_due = due < sh->claim_due ? due : sh->claim_due;
			want = ELECTION_BACKUP;
		}
	}
	if (before == ELECTION_BACKUP && !claims) {
		sh->armed[ev->advert.src.family == BASE_FAMILY_IP6] = n->now;
		if (n->timers[ev->group] == ELECTION_FAMILY_TIMERS_ALL)
			sh->listen_until = 0;
		sh->claim_due = BASE_NS_NEVER;
	}
	if (before == ELECTION_MASTER && want == ELECTION_MASTER && sh->extra_due)
		sim_fail(s, CHECK_DUEL, "box %u does not answer a worse master of group %u", n->id,
			ev->group);
	if (before == ELECTION_MASTER && oracle_is_bow_out(peer))
		oracle_last_words(n, ev->group);
	sh->heard = n->now;
	if (sh->state != want)
		sim_fail(s, CHECK_RULE,
			"box %u, group %u as %u/%u/%u in %s hears %u/%u/%u: %s, not %s", n->id,
			ev->group, n->own.advbase, n->own.advskew, n->own.demotion,
			election_state_name(before), peer->advbase, peer->advskew, peer->demotion,
			election_state_name(sh->state), election_state_name(want));
}

static void
stalled(struct sim *s, struct node *n, base_ns_t gap, const enum election_state *before)
{
	for (uint16_t i = 0; i < s->n_groups; i++) {
		struct shadow *sh = &n->koi[i].sh;
		uint8_t base = n->advbase[i];
		base_ns_t limit = base > 0
			? 3 * (base * BASE_NS_PER_S)
			: oracle_interval(0, n->skew[i], 0) + 2 * BASE_NS_PER_SKEW;

		sh->may_late = true;
		if (before[i] == ELECTION_MASTER && sh->state == ELECTION_MASTER &&
			(gap > limit || n->now - sh->advert_at > limit))
			sim_fail(s, CHECK_STALLED, "box %u keeps group %u after a stall of %.6f s",
				n->id, i, (double)gap / 1e9);
		if (before[i] == ELECTION_BACKUP && gap > oracle_master_down(base, n->skew[i])) {
			sh->listen_until = sh->listens = n->now + own_interval(n, i);
			sh->claim_due = BASE_NS_NEVER;
		}
	}
}

void
oracle_retimed(struct shadow *sh, base_ns_t down_was, base_ns_t down)
{
	sh->may_early = true;
	sh->claim_due = BASE_NS_NEVER; /* the next advert makes it again */
	if (sh->listens > down_was)
		sh->listens += down - down_was;
	/* the family that was not heard since may count from now on */
	if (sh->state == ELECTION_BACKUP)
		sh->listen_until = sh->listens;
}

void
oracle_after(struct sim *s, struct node *n, const struct election_event *ev, struct oracle_call *c)
{
	for (uint16_t i = 0; i < s->n_groups; i++) {
		const struct shadow *sh = &n->koi[i].sh;

		if (sh->need_master)
			sim_fail(s, CHECK_SPEAKER, "box %u advertises group %u in %s", n->id, i,
				election_state_name(sh->state));
		if (sh->need_leave)
			sim_fail(s, CHECK_OWN, "box %u gives group %u up and stays MASTER", n->id,
				i);
		if (sh->owes_announce)
			sim_fail(s, CHECK_ANNOUNCE,
				"box %u does not announce group %u after the third advert", n->id,
				i);
	}
	if (ev == NULL)
		return;
	if (ev->type == ELECTION_EV_ADVERT)
		heard(s, n, ev, c->before[ev->group]);
	else if (ev->type == ELECTION_EV_STALL)
		stalled(s, n, ev->gap, c->before);
	else if (ev->type == ELECTION_EV_SET_TIMING)
		oracle_retimed(&n->koi[ev->group].sh,
			oracle_master_down(n->advbase[ev->group], n->skew_was),
			oracle_master_down(n->advbase[ev->group], n->skew[ev->group]));
	n->ev = NULL;
}
/* @} */
