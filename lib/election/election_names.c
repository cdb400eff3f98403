/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Words for what the election says in numbers. */

#include "base_assert.h"
#include "election.h"

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
election_cause_rule(enum election_cause c)
{
	static const char *const rules[] = {
		[ELECTION_CAUSE_NONE] = "",
		[ELECTION_CAUSE_RUNNABLE] = "up, with link, address and allow",
		[ELECTION_CAUSE_TIMEOUT] = "no advert for 3 * advbase + advskew/256 s",
		[ELECTION_CAUSE_PREEMPT] =
			"preempt, our timing is better and the peer is not less demoted",
		[ELECTION_CAUSE_PEER_DEMOTED] = "the peer is more demoted than we are",
		[ELECTION_CAUSE_BOW_OUT] = "the peer said that it leaves (255/255)",
		[ELECTION_CAUSE_SLOW_PEER] =
			"the peer's interval is longer than our master-down time",
		[ELECTION_CAUSE_BETTER_PEER] =
			"the peer's timing is better and it is not more demoted",
		[ELECTION_CAUSE_TIE] = "the peer's timing is equal and it is not more demoted",
		[ELECTION_CAUSE_PEER_HEALTHIER] = "the peer is less demoted than we are",
		[ELECTION_CAUSE_FORCED] = "the operator said so",
		[ELECTION_CAUSE_DRAINED] = "the operator drains the box",
		[ELECTION_CAUSE_ADMIN_DOWN] = "the operator took it down",
		[ELECTION_CAUSE_LINK_DOWN] = "the interface has no link",
		[ELECTION_CAUSE_IF_DOWN] = "the operator took the interface down",
		[ELECTION_CAUSE_NO_VIP] = "there is no address to share",
		[ELECTION_CAUSE_DISALLOWED] = "allow is 0",
		[ELECTION_CAUSE_SHUTDOWN] = "the process ends",
		[ELECTION_CAUSE_STALLED] = "silent for longer than a peer waits",
	};

	_Static_assert(sizeof(rules) / sizeof(rules[0]) == ELECTION_CAUSE_COUNT, "one each");
	BASE_ASSERT(c < ELECTION_CAUSE_COUNT);
	return rules[c];
}

const char *
election_demotion_source_name(enum election_demotion_source s)
{
	static const char *const names[] = {
		"link", "send-error", "worker-stalled", "operator", "drain"};

	BASE_ASSERT(s < ELECTION_DEMOTION_SOURCE_COUNT);
	return names[s];
}

const char *
election_hold_name(enum election_hold h)
{
	static const char *const names[] = {
		"none", "startup-hold", "linkup-hold", "preempt-delay", "tie-break"};

	_Static_assert(sizeof(names) / sizeof(names[0]) == ELECTION_HOLD_COUNT, "one each");
	BASE_ASSERT(h < ELECTION_HOLD_COUNT);
	return names[h];
}

const char *
election_warn_text(enum election_warn w)
{
	static const char *const texts[] = {
		[ELECTION_WARN_NONE] = "timing fits",
		[ELECTION_WARN_PEER_NOT_FAST] = "fast group, but the peer counts in seconds",
		[ELECTION_WARN_PEER_FAST] = "the peer is fast, this group counts in seconds",
		[ELECTION_WARN_PEER_SLOW] = "the peer's interval reaches our master-down time",
		[ELECTION_WARN_SELF_SLOW] = "our interval reaches the peer's master-down time",
	};

	_Static_assert(sizeof(texts) / sizeof(texts[0]) == ELECTION_WARN_COUNT, "one each");
	BASE_ASSERT(w < ELECTION_WARN_COUNT);
	return texts[w];
}

const char *
election_split_text(unsigned int bit)
{
	switch (bit) {
	case ELECTION_SPLIT_DUELS:
		return "another master is heard again and again";
	case ELECTION_SPLIT_TIES:
		return "our adverts are answered by an equal claim again and again";
	case ELECTION_SPLIT_AUTH:
		return "a peer's adverts fail authentication";
	case ELECTION_SPLIT_DEAF:
		return "master, and no frame at all is received";
	default:
		return "none";
	}
}
