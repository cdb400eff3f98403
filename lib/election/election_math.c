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

/*
 * Each side counts on its own advbase (note 4), so a peer whose interval reaches our master-down
 * time, or the other way round, is taken for dead between two of its adverts. A skew of 240 may be
 * a demotion: as an interval in seconds that is true all the same, in a fast group it is not.
 */
enum election_warn
election_timing_fit(uint8_t advbase, uint8_t advskew, const struct election_priority *peer)
{
	base_ns_t own = election_interval(advbase, advskew, advskew);
	base_ns_t theirs = election_interval(peer->advbase, peer->advskew, peer->advskew);

	if (is_bow_out(peer))
		return ELECTION_WARN_NONE;
	if (advbase == 0 && peer->advbase > 0)
		return ELECTION_WARN_PEER_NOT_FAST;
	if (advbase > 0 && peer->advbase == 0)
		return ELECTION_WARN_PEER_FAST;
	if (advbase == 0 && peer->demotion > 0)
		return ELECTION_WARN_NONE;
	if (theirs >= election_master_down(advbase, advskew))
		return ELECTION_WARN_PEER_SLOW;
	if (own >= election_master_down(peer->advbase, peer->advskew))
		return ELECTION_WARN_SELF_SLOW;
	return ELECTION_WARN_NONE;
}
