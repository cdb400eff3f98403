/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "base_assert.h"
#include "election_priv.h"

/* A demoted box advertises this advskew at least (note 4.1). */
#define DEMOTED_ADVSKEW 240

static uint8_t
fast_units(uint8_t advskew)
{
	return advskew ? advskew : 1;
}

base_ns_t
election_interval(uint8_t advbase, uint8_t configured_advskew, uint8_t effective_advskew)
{
	if (advbase == 0)
		return fast_units(configured_advskew) * BASE_NS_PER_SKEW;
	return advbase * BASE_NS_PER_S + effective_advskew * BASE_NS_PER_SKEW;
}

base_ns_t
election_master_down(uint8_t advbase, uint8_t configured_advskew)
{
	if (advbase == 0)
		return 3 * fast_units(configured_advskew) * BASE_NS_PER_SKEW;
	return 3 * (advbase * BASE_NS_PER_S) + configured_advskew * BASE_NS_PER_SKEW;
}

struct election_priority
election_effective(uint8_t advbase, uint8_t advskew, uint32_t demotion)
{
	struct election_priority p = {.advbase = advbase, .advskew = advskew};

	p.demotion = demotion > UINT8_MAX ? UINT8_MAX : (uint8_t)demotion;
	if (demotion > 0 && advskew < DEMOTED_ADVSKEW)
		p.advskew = DEMOTED_ADVSKEW;
	return p;
}

/* Timing as one number, in 1/256 s: lower is better. */
static uint32_t
rank(const struct election_priority *p)
{
	return (uint32_t)p->advbase * 256 + p->advskew;
}

/*
 * Note 5.2: (own >= ch and d <= D) or d < D, ties included. A peer that says good-bye is no one to
 * yield to, however healthy it is.
 */
bool
election_master_yields(const struct election_priority *own, const struct election_priority *peer,
	enum election_cause *cause)
{
	uint32_t mine = rank(own), theirs = rank(peer);

	if (is_bow_out(peer))
		return false;
	if (peer->demotion <= own->demotion && mine > theirs)
		*cause = ELECTION_CAUSE_BETTER_PEER;
	else if (peer->demotion <= own->demotion && mine == theirs)
		*cause = ELECTION_CAUSE_TIE;
	else if (peer->demotion < own->demotion)
		*cause = ELECTION_CAUSE_PEER_HEALTHIER;
	else
		return false;
	return true;
}

/* Note 5.2, and 255/255 as a bow-out whatever our advbase. */
bool
election_backup_claims(const struct election_priority *own, const struct election_priority *peer,
	bool preempt, enum election_cause *cause)
{
	uint32_t mine = rank(own), theirs = rank(peer);

	if (is_bow_out(peer))
		*cause = ELECTION_CAUSE_BOW_OUT;
	else if (peer->demotion > own->demotion)
		*cause = ELECTION_CAUSE_PEER_DEMOTED;
	else if (preempt && mine < theirs && peer->demotion >= own->demotion)
		*cause = ELECTION_CAUSE_PREEMPT;
	else if (own->advbase > 0 && 3u * 256 * own->advbase + own->advskew < theirs)
		*cause = ELECTION_CAUSE_SLOW_PEER;
	else
		return false;
	return true;
}

const char *
election_state_name(enum election_state s)
{
	static const char *const names[] = {"INIT", "BACKUP", "MASTER"};

	BASE_ASSERT(s <= ELECTION_MASTER);
	return names[s];
}

const char *
election_cause_text(enum election_cause c)
{
	static const char *const texts[] = {
#define ELECTION_CAUSE(sym, text) text,
#include "causes.def"
#undef ELECTION_CAUSE
	};

	BASE_ASSERT(c < ELECTION_CAUSE_COUNT);
	return texts[c];
}

const char *
election_demotion_source_name(enum election_demotion_source s)
{
	static const char *const names[] = {"link", "send-error", "worker-stalled", "operator"};

	BASE_ASSERT(s < ELECTION_DEMOTION_SOURCE_COUNT);
	return names[s];
}
