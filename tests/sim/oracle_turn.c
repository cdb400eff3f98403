/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What a koi box must hold to at the end of each of its turns. */

#include "sim.h"

#define HANDOVER_NS (50 * BASE_NS_PER_MS)

static bool
not_hindered(const struct sim *s, const struct node *n, uint16_t g)
{
	return n->has[g] && n->admin_up[g] && n->has_vip[g] && n->allow && !n->stopping &&
		n->port[s->group[g].seg].link_told;
}

/* An interface without groups demotes nobody. */
static bool
has_group(const struct sim *s, const struct node *n, uint16_t seg)
{
	for (uint16_t i = 0; i < s->n_groups; i++)
		if (n->has[i] && s->group[i].seg == seg)
			return true;
	return false;
}

static void
check_ledger(struct sim *s, struct node *n)
{
	struct election_demotion_entry entry;
	uint32_t sum = 0, links = 0, down = 0, operators = 0, drains = 0;
	bool send_error[SIM_GROUPS] = {false};

	for (uint32_t i = 0; election_demotion_entry(n->e, i, &entry); i++) {
		sum += entry.amount;
		switch (entry.source) {
		case ELECTION_DEMOTION_LINK:
			links++;
			break;
		case ELECTION_DEMOTION_OPERATOR:
			operators += entry.amount;
			break;
		case ELECTION_DEMOTION_DRAIN:
			drains += entry.amount;
			break;
		case ELECTION_DEMOTION_SEND_ERROR:
			send_error[entry.group] = true;
			break;
		case ELECTION_DEMOTION_WORKER_STALLED:
			if (!n->worker_stalled &&
				n->now - n->port[entry.if_id].horizon < BASE_NS_PER_MS)
				sim_fail(s, CHECK_LEDGER,
					"box %u is demoted for workers that run again", n->id);
			break;
		case ELECTION_DEMOTION_SOURCE_COUNT:
			break;
		}
	}
	for (uint16_t i = 0; i < s->n_segs; i++)
		down += has_group(s, n, i) &&
			(!n->port[i].link_told || n->port[i].hold_until != BASE_NS_NEVER);
	if (sum != election_demotion_total(n->e) || links != down ||
		operators != n->operator_demotion ||
		drains != (n->drained ? ELECTION_DRAIN_DEMOTION : 0))
		sim_fail(s, CHECK_LEDGER,
			"box %u: sum %u of %u, %u links down of %u, operator %u of %u, drain %u",
			n->id, sum, election_demotion_total(n->e), links, down, operators,
			n->operator_demotion, drains);
	for (uint16_t i = 0; i < s->n_groups; i++) {
		struct shadow *sh = &n->koi[i].sh;

		if (sh->send_error && n->now >= sh->send_error_expires)
			sh->send_error = false;
		if (sh->send_error != send_error[i])
			sim_fail(s, CHECK_LEDGER, "box %u, group %u: send errors %d, entry %d",
				n->id, i, sh->send_error, send_error[i]);
	}
}

/* What it promises at most, as it may be demoted or have been. */
static base_ns_t
longest_interval(const struct node *n, uint16_t g)
{
	return oracle_interval(n->advbase[g], n->skew[g],
		ORACLE_DEMOTED_SKEW > n->skew[g] ? ORACLE_DEMOTED_SKEW : n->skew[g]);
}

static base_ns_t
later(base_ns_t a, base_ns_t b)
{
	return a > b ? a : b;
}

/* The last words of two families, one of which made it MASTER, come one after the other. */
void
oracle_last_words(struct node *n, uint16_t g)
{
	struct shadow *sh = &n->koi[g].sh;

	if (sh->words_due != 0)
		return;
	sh->words_due = later(n->now, sh->words_free) + ORACLE_WORDS_NS;
	sh->words_free = sh->words_due + later(longest_interval(n, g), ORACLE_WORDS_REST_NS);
}

/*
 * Switches follow whoever spoke last: the winner of a duel speaks again once it is over, and who
 * heard a last word soon after that.
 */
static void
check_announcing(struct sim *s, struct node *n, uint16_t g)
{
	const struct shadow *sh = &n->koi[g].sh;
	base_ns_t own = longest_interval(n, g);
	base_ns_t longer = own > sh->duel_theirs ? own : sh->duel_theirs;
	/* less sure the longer it has gone on */
	base_ns_t backoff = own + 2 * (sh->duel_at - sh->duel_first);
	backoff = backoff < 16 * BASE_NS_PER_S ? backoff : 16 * BASE_NS_PER_S;
	base_ns_t wait = longer * 3 / 2 > backoff ? longer * 3 / 2 : backoff;

	if (sh->state != ELECTION_MASTER || sh->may_late)
		return;
	if (sh->duel_at != 0 && sh->announced_at <= sh->duel_at &&
		n->now > sh->duel_at + wait + ORACLE_PACE_SLACK_NS)
		sim_fail(s, CHECK_DUEL,
			"box %u won group %u %.6f s ago and has not announced since", n->id, g,
			(double)(n->now - sh->duel_at) / 1e9);
	if (sh->words_due != 0 && n->now > sh->words_due + ORACLE_PACE_SLACK_NS)
		sim_fail(s, CHECK_ANNOUNCE,
			"box %u heard a last word about group %u and has not announced since",
			n->id, g);
	if (n->refresh != 0 && n->now > sh->announced_at + n->refresh + ORACLE_PACE_SLACK_NS)
		sim_fail(s, CHECK_ANNOUNCE, "box %u has not announced group %u for %.6f s", n->id,
			g, (double)(n->now - sh->announced_at) / 1e9);
}

/* Who has listened long enough is MASTER. */
static void
check_overdue(struct sim *s, struct node *n, uint16_t i)
{
	const struct group *g = &s->group[i];
	const struct shadow *sh = &n->koi[i].sh;
	const struct port *p = &n->port[g->seg];
	base_ns_t due =
		oracle_silent_since(g, n, i) + oracle_master_down(n->advbase[i], n->skew[i]);
	/* of a tie, drawn perhaps before the timing was changed */
	base_ns_t delay = g->advbase > 0 ? ORACLE_TIE_MAX_NS
					 : oracle_interval(0, (uint8_t)(2 * g->fast_min + 2), 0);

	due = later(due, sh->listen_until) + delay;
	due = later(due, later(p->hold_ended, n->started + n->startup_hold));
	due += ORACLE_PACE_SLACK_NS;
	/* a claim that is put off replaces the timer */
	if (sh->state == ELECTION_BACKUP && sh->claim_due == BASE_NS_NEVER &&
		p->hold_until == BASE_NS_NEVER && n->now > due && p->horizon > due)
		sim_fail(s, CHECK_OVERDUE, "box %u should be MASTER of group %u for %.6f s", n->id,
			i, (double)(n->now - due) / 1e9);
}

void
oracle_turn_end(struct sim *s, struct node *n)
{
	struct election_group_info info;

	for (uint16_t i = 0; i < s->n_segs; i++)
		if (n->now >= n->port[i].hold_until) {
			n->port[i].hold_ended = n->port[i].hold_until;
			n->port[i].hold_until = BASE_NS_NEVER;
		}
	check_ledger(s, n);
	for (uint16_t i = 0; i < s->n_groups; i++) {
		struct shadow *sh = &n->koi[i].sh;
		base_ns_t horizon = n->port[s->group[i].seg].horizon;

		(void)election_group_info(n->e, i, n->now, &info);
		if (info.owned != sh->owned || info.state != sh->state ||
			(info.state == ELECTION_MASTER && !info.owned) ||
			info.handing_over != (info.owned && info.state != ELECTION_MASTER))
			sim_fail(s, CHECK_OWN, "box %u, group %u in %s: owned %d, handing over %d",
				n->id, i, election_state_name(info.state), info.owned,
				info.handing_over);
		if (info.handing_over && n->now - sh->handing_since >= HANDOVER_NS)
			sim_fail(s, CHECK_HANDOVER, "box %u hands group %u over for %.6f s", n->id,
				i, (double)(n->now - sh->handing_since) / 1e9);
		if ((info.state != ELECTION_INIT) != not_hindered(s, n, i))
			sim_fail(s, CHECK_RUNNABLE, "box %u, group %u in %s", n->id, i,
				election_state_name(info.state));
		if (info.state == ELECTION_MASTER &&
			n->now - sh->advert_at > sh->promise + ORACLE_PACE_SLACK_NS)
			sim_fail(s, CHECK_PACE, "box %u has not advertised group %u for %.6f s",
				n->id, i, (double)(n->now - sh->advert_at) / 1e9);
		check_announcing(s, n, i);
		check_overdue(s, n, i);
		if (info.state == ELECTION_BACKUP && n->now >= sh->claim_due &&
			horizon >= sh->claim_due && n->now >= n->started + n->startup_hold)
			sim_fail(s, CHECK_RULE, "box %u puts off its claim to group %u for ever",
				n->id, i);
	}
}
