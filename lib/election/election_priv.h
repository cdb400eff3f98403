/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef ELECTION_PRIV_H
#define ELECTION_PRIV_H

#include "base_heap.h"
#include "base_rand.h"
#include "election.h"

/** A bow-out or a yield keeps the vMAC at most this long (design, "Handing over"). */
#define HANDOVER_NS (50 * BASE_NS_PER_MS)
/** Errors, then successes, in a row that set and clear the send-error demotion (note 5.4). */
#define SEND_STREAK 3
/** A group that no longer sends cannot prove itself: its send-error entry ends by itself. */
#define SEND_ERROR_KEEP_NS (60 * BASE_NS_PER_S)
/** Longest random delay after a tie (note 5.2). */
#define TIE_DELAY_MAX_NS (100 * BASE_NS_PER_MS)
/** The repeated announcement follows this advert since taking over (note 5.3). */
#define ANNOUNCE_AGAIN_AT 3
/** Most actions that one event about a group, or serving it once, can append. */
#define GROUP_ACTIONS_MAX 8

/** What a group waits for in the timer heap; its id there is kind * group_count + group. */
enum timer_kind { TIMER_ADVERT = 0, TIMER_HANDOVER, TIMER_SEND_ERROR, TIMER_KINDS };

struct group {
	uint16_t if_id;
	uint16_t slot; /* id in the interface's master-down heap */
	uint8_t advbase;
	uint8_t advskew;
	bool has_vip;
	bool admin_up;
	bool claim_at_start;

	enum election_state state;
	enum election_cause cause;
	base_ns_t state_since;
	uint64_t transitions;

	base_ns_t advert_last; /* last one asked for as MASTER */
	uint8_t adverts;       /* since MASTER, saturating at ANNOUNCE_AGAIN_AT */
	base_ns_t late_max;

	base_ns_t down_from;  /* when the master-down timer was armed */
	base_ns_t down_extra; /* tie-break delay in it, or what a stalled box listens longer */
	bool tied;	      /* stepped down on a tie, and no master was settled on since */
	base_ns_t crowd_at;   /* several masters were heard then, none settled on since; or NEVER */
	enum election_cause put_off; /* of a claim that waits for its tie-break delay; or NONE */

	base_ns_t heard_at;
	struct election_priority heard;
	struct base_addr heard_from;
	bool peer_is_master; /* heard_from is the master we wait on */

	bool owned;
	bool handing_over;
	base_ns_t successor_at; /* handing over: when the new master was heard */

	uint8_t send_failed, send_ok; /* streaks, saturating at SEND_STREAK */
	bool send_error;	      /* ledger entry */
	base_ns_t send_error_since;
};

struct iface {
	bool link_up;
	bool track;
	uint16_t first, n; /* its groups: slot_group[first .. first+n) */
	base_ns_t horizon;
	base_ns_t min_down; /* shortest master-down time of its groups */
	struct base_heap down;
	bool link_entry, stall_entry; /* ledger entries */
	base_ns_t link_since, stall_since;
};

struct election {
	uint16_t if_count;
	uint16_t group_count;
	bool preempt;
	bool allow;
	bool shutdown;
	uint16_t started; /* groups below this were looked at by the first ticks */
	uint16_t handing; /* groups handing over */
	base_ns_t born;	  /* init: a horizon is not judged by what was before */
	uint8_t operator_amount;
	base_ns_t operator_since;
	uint32_t demotion; /* sum of the ledger */
	struct base_rand rand;
	struct base_heap timers;
	struct iface *ifs;
	struct group *groups;
	uint16_t *slot_group; /* interface slot -> group id */
};

/** 255/255 gives up the address; it is never a priority to compare with (note 5.2). */
static inline bool
is_bow_out(const struct election_priority *p)
{
	return p->advbase == 255 && p->advskew == 255;
}

static inline struct election_action *
action_add(struct election_actions *out, enum election_action_type type, uint16_t group)
{
	struct election_action *a = &out->act[out->n++];

	*a = (struct election_action){.type = type, .group = group};
	return a;
}

static inline uint16_t
group_id(const struct election *e, const struct group *g)
{
	return (uint16_t)(g - e->groups);
}

static inline void
timer_set(struct election *e, const struct group *g, enum timer_kind kind, base_ns_t at)
{
	base_heap_set(&e->timers, (uint32_t)kind * e->group_count + group_id(e, g), at);
}

static inline base_ns_t
timer_get(const struct election *e, const struct group *g, enum timer_kind kind)
{
	return base_heap_get(&e->timers, (uint32_t)kind * e->group_count + group_id(e, g));
}

/** Timing of a group changed: find the interface's shortest master-down time again. */
void if_timing_changed(struct election *e, uint16_t if_id);

/** @name Transitions (election_state.c). @{ */
/** INIT to BACKUP when nothing stands in the way any more. */
void group_start_if_runnable(
	struct election *e, struct group *g, base_ns_t now, struct election_actions *out);
void group_become_master(struct election *e, struct group *g, enum election_cause cause,
	base_ns_t late, base_ns_t now, struct election_actions *out);
/** How a MASTER gives up. */
enum leave_how {
	LEAVE_BOW_OUT, /* say so, then hand over */
	LEAVE_YIELD,   /* the successor was just heard: hand over */
	LEAVE_SILENT,  /* neither */
};
/** To BACKUP or INIT, from any state; nothing when it is there already. */
void group_leave(struct election *e, struct group *g, enum election_state to,
	enum election_cause cause, enum leave_how how, base_ns_t now, struct election_actions *out);
void group_send_advert(struct election *e, struct group *g, base_ns_t late, base_ns_t now,
	struct election_actions *out);
void group_arm_down(struct election *e, struct group *g, base_ns_t extra, base_ns_t now);
/** A BACKUP hears what makes it claim: at once, or after a tie a little later. */
void group_claim(struct election *e, struct group *g, enum election_cause cause, base_ns_t now,
	struct election_actions *out);
/** A BACKUP hears a master that it leaves in place, other_ago after one of another address. */
void group_master_heard(struct election *e, struct group *g, base_ns_t other_ago, base_ns_t now);
/** Hand-over: the new master was heard. */
void group_successor_heard(
	struct election *e, struct group *g, base_ns_t now, struct election_actions *out);
/** End a hand-over that is complete or too old. */
void group_handover_check(
	struct election *e, struct group *g, base_ns_t now, struct election_actions *out);
/** Stop owning at once. */
void group_disown(struct election *e, struct group *g, struct election_actions *out);
/** @} */

void demotion_link(struct election *e, uint16_t if_id, base_ns_t now, struct election_actions *out);
void demotion_stall(
	struct election *e, uint16_t if_id, base_ns_t now, struct election_actions *out);
/** From when on the receive side of an interface counts as stalled; BASE_NS_NEVER if it cannot. */
base_ns_t demotion_stall_at(const struct election *e, const struct iface *i);
void demotion_operator(
	struct election *e, uint8_t amount, base_ns_t now, struct election_actions *out);
void demotion_send_error(struct election *e, struct group *g, bool active, base_ns_t now,
	struct election_actions *out);
/** Count an interface that is down from the beginning, without any action. */
void demotion_init(struct election *e, base_ns_t now);

#endif
