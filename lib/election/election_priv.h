/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef ELECTION_PRIV_H
#define ELECTION_PRIV_H

#include "base_assert.h"
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

/** Announcements during a duel: their distance doubles up to this. */
#define DUEL_WAIT_MAX_NS (64 * BASE_NS_PER_S)
/** Last words of who bows out come within this, and an announcement after it. */
#define LAST_WORDS_NS (10 * BASE_NS_PER_MS)
/** The next announcement because of others is not before this, nor before an interval. */
#define LAST_WORDS_REST_NS BASE_NS_PER_S
/** So many signs of one kind in a row are no accident. */
#define SIGN_STREAK 3
/** A sign is forgotten, and no frame is deafness, after this at least. */
#define QUIET_MIN_NS (10 * BASE_NS_PER_S)
/** A warning about a peer ends when it was not heard for so long. */
#define WARN_KEEP_NS (60 * BASE_NS_PER_S)

/** What a group waits for in the timer heap; its id there is kind * group_count + group. */
enum timer_kind {
	TIMER_ADVERT = 0,
	TIMER_HANDOVER,
	TIMER_SEND_ERROR,
	TIMER_ANNOUNCE, /* after a duel or a bow-out of others, or to refresh */
	TIMER_WATCH,	/* when what is suspected must be looked at again */
	TIMER_KINDS
};

/** Signs of a split that only mean something when they come in a row; bits of the mask. */
enum sign_kind { SIGN_DUEL = 0, SIGN_TIE, SIGN_AUTH, SIGN_KINDS };

struct sign {
	base_ns_t last;
	uint8_t n; /* in a row, saturating at SIGN_STREAK */
};

struct family {
	base_ns_t from;	    /* where its master-down time begins, tie-break delay included */
	base_ns_t heard_at; /* BASE_NS_NEVER = nothing since INIT */
	struct base_addr heard_from;
	bool present; /* heard from the master that is waited on */
	bool fresh;   /* the last advert came after a silence: it may be of a new master */
};

/** A group that is in no heap of an interface. */
#define NO_SLOT UINT16_MAX

struct group {
	bool used; /* there is one */
	uint16_t if_id;
	uint16_t slot;	     /* id in the interface's master-down heap, or NO_SLOT */
	base_ns_t down_kept; /* its deadline there, while slots are dealt out */
	uint8_t advbase;
	uint8_t advskew;
	bool has_vip;
	bool admin_up;
	bool claim_at_start;
	uint8_t families;
	enum election_family_timers family_timers;
	base_ns_t preempt_delay;

	enum election_state state;
	enum election_cause cause;
	base_ns_t state_since;
	uint64_t transitions;

	base_ns_t advert_last; /* last one asked for as MASTER */
	uint8_t adverts;       /* since MASTER, saturating at ANNOUNCE_AGAIN_AT */
	base_ns_t late_max;

	struct family family[ELECTION_FAMILIES];
	base_ns_t down_extra; /* tie-break delay in use */
	bool tied;	      /* stepped down on a tie, and no master was settled on since */
	base_ns_t crowd_at;   /* several masters were heard then, none settled on since; or NEVER */
	enum election_cause put_off; /* of a claim that waits for a tie-break or a hold; or NONE */
	enum election_hold held;     /* what was reported to put a take-over off; or NONE */
	enum election_cause held_cause;

	base_ns_t heard_at;
	struct election_priority heard;
	struct base_addr heard_from;
	bool peer_is_master; /* heard_from is the master we wait on */

	bool owned;
	bool handing_over;
	base_ns_t successor_at; /* handing over: when the new master was heard */

	uint64_t duels;
	base_ns_t duel_at;    /* last one as MASTER; BASE_NS_NEVER if none */
	base_ns_t duel_wait;  /* distance of announcements now */
	base_ns_t duel_next;  /* none before, while it goes on */
	base_ns_t duel_due;   /* announcement that is owed, or BASE_NS_NEVER */
	base_ns_t extra_at;   /* last advert sent because of one */
	base_ns_t words_due;  /* announcement owed after a bow-out, or BASE_NS_NEVER */
	base_ns_t words_next; /* none before */
	base_ns_t refresh_at; /* BASE_NS_NEVER unless MASTER and wanted */

	struct sign sign[SIGN_KINDS];
	uint8_t split; /* ELECTION_SPLIT_*, as reported */
	base_ns_t split_since;
	struct base_addr auth_failed_from;
	enum election_warn warn; /* as reported */
	base_ns_t warn_since, warn_at;
	struct election_priority warn_peer;
	struct base_addr warn_src;

	uint8_t send_failed, send_ok; /* streaks, saturating at SEND_STREAK */
	bool send_error;	      /* ledger entry */
	base_ns_t send_error_since;
};

struct iface {
	bool link_up;
	bool track;
	uint16_t first, n; /* its groups: slot_group[first .. first+n) */
	base_ns_t horizon;
	base_ns_t alive;    /* last sign of the receive side, where it is later than the horizon */
	base_ns_t min_down; /* shortest master-down time of its groups */
	struct base_heap down;
	bool link_entry, stall_entry; /* ledger entries */
	base_ns_t link_since, stall_since;
	base_ns_t hold;	      /* after link up */
	base_ns_t hold_until; /* BASE_NS_NEVER: not holding */
	base_ns_t frame_at;   /* last frame of another host; BASE_NS_NEVER: never told */
	bool told;	      /* of every frame, from the start */
	base_ns_t listen_at;  /* told: since when it could have heard one; else BASE_NS_NEVER */
	uint16_t deaf;	      /* groups that are suspected deaf */
};

struct election {
	uint16_t if_count;
	uint16_t group_count; /* there is room for */
	bool preempt;
	bool allow;
	bool shutdown;
	uint16_t started; /* groups below this were looked at by the first ticks */
	uint16_t handing; /* groups handing over */
	base_ns_t born;	  /* init: a horizon is not judged by what was before */
	base_ns_t startup_until;
	base_ns_t refresh;
	base_ns_t health_since; /* when the ledger became empty, or ceased to be */
	uint8_t operator_amount;
	base_ns_t operator_since;
	bool drained;
	base_ns_t drained_since;
	uint32_t demotion; /* sum of the ledger */
	struct base_rand rand;
	struct base_heap timers;
	struct iface *ifs;
	struct group *groups;
	uint16_t *slot_group; /* interface slot -> group id */
	void *down_mem;	      /* of the interfaces' heaps */
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
	BASE_ASSERT(out->n < out->cap);
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

static inline struct election_priority
group_priority(const struct election *e, const struct group *g)
{
	return election_effective(g->advbase, g->advskew, e->demotion);
}

static inline base_ns_t
group_interval(const struct election *e, const struct group *g)
{
	return election_interval(g->advbase, g->advskew, group_priority(e, g).advskew);
}

/** Place of an address in arrays of families. */
static inline unsigned int
family_of(const struct base_addr *a)
{
	return a->family == BASE_FAMILY_IP6;
}

/** @name Transitions (election_state.c). @{ */
/** INIT to BACKUP when nothing stands in the way any more. */
void group_start_if_runnable(
	struct election *e, struct group *g, base_ns_t now, struct election_actions *out);
/** By the timer that was due at deadline, or BASE_NS_NEVER when by none. */
void group_become_master(struct election *e, struct group *g, enum election_cause cause,
	base_ns_t deadline, base_ns_t now, struct election_actions *out);
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
/** The advert that is due as MASTER; the third one is followed by an announcement. */
void group_advert_due(struct election *e, struct group *g, base_ns_t late, base_ns_t now,
	struct election_actions *out);
/** Begin the master-down time of every family anew. */
void group_arm_down(struct election *e, struct group *g, base_ns_t extra, base_ns_t now);
/** The same begin as before, with what changed since. A forced claim waits on. */
void group_arm_down_again(struct election *e, struct group *g);
/** The family whose silence ends at the group's deadline, as far as it is one. */
uint8_t group_silent_family(const struct group *g);
/** Master-down deadline of one family for show. */
base_ns_t group_family_deadline(const struct group *g, unsigned int family);
/** A BACKUP hears what makes it claim: at once, or after a tie a little later. */
void group_claim(struct election *e, struct group *g, enum election_cause cause, base_ns_t now,
	struct election_actions *out);
/**
 * A BACKUP hears by one family a master that it leaves in place, other_ago after one of another
 * address.
 */
void group_master_heard(struct election *e, struct group *g, unsigned int family,
	base_ns_t other_ago, base_ns_t now);
/** Hand-over: the new master was heard. */
void group_successor_heard(
	struct election *e, struct group *g, base_ns_t now, struct election_actions *out);
/** End a hand-over that is complete or too old. */
void group_handover_check(
	struct election *e, struct group *g, base_ns_t now, struct election_actions *out);
/** Stop owning at once. */
void group_disown(struct election *e, struct group *g, struct election_actions *out);
/** @} */

/** @name Holds (election_hold.c). @{ */
/** What holds a take-over of this group back that nobody asked for, and until when. */
enum election_hold hold_now(
	const struct election *e, const struct group *g, base_ns_t now, base_ns_t *until);
/** From when on the group may preempt. */
base_ns_t hold_preempt_until(const struct election *e, const struct group *g);
/** Report that a take-over is put off, unless that hold was reported already. */
void hold_put_off(struct election *e, struct group *g, enum election_cause cause,
	enum election_hold hold, base_ns_t until, struct election_actions *out);
/** The master-down time, or a claim that was put off, is over: false when a hold is not. */
bool hold_is_over(struct election *e, struct group *g, base_ns_t now, struct election_actions *out);
/** Something was received on the interface. */
void hold_frame_seen(
	struct election *e, uint16_t if_id, base_ns_t now, struct election_actions *out);
void hold_expire(struct election *e, uint16_t if_id, base_ns_t now, struct election_actions *out);
/** @} */

/** @name Announcements and duels: MASTER against MASTER (election_duel.c). @{ */
void duel_start(struct group *g);
void duel_end(struct election *e, struct group *g);
/** A MASTER that stays hears another one. */
void duel_heard(struct election *e, struct group *g, base_ns_t now, struct election_actions *out);
/** A MASTER hears a bow-out: what follows it has the vMAC as source, too. */
void duel_last_words(struct election *e, struct group *g, base_ns_t now);
void duel_announce(
	struct election *e, struct group *g, base_ns_t now, struct election_actions *out);
/** The next announcement without a reason counts from now. */
void duel_refresh(struct election *e, struct group *g, base_ns_t now);
/** TIMER_ANNOUNCE. */
void duel_serve(struct election *e, struct group *g, base_ns_t now, struct election_actions *out);
/** @} */

/** @name What is suspected of others (election_watch.c). @{ */
/** A sign of a split. @return false when it is one with the sign before. */
bool watch_sign(struct election *e, struct group *g, enum sign_kind kind, base_ns_t now,
	struct election_actions *out);
/** A peer's timing was heard. */
void watch_timing(struct election *e, struct group *g, const struct election_priority *peer,
	const struct base_addr *src, base_ns_t now, struct election_actions *out);
/** The state changed. */
void watch_state(struct election *e, struct group *g, base_ns_t now, struct election_actions *out);
/** A frame was received; the tick of this turn acts on it. */
void watch_frame(struct election *e, uint16_t if_id, bool told, base_ns_t now);
/** TIMER_WATCH. */
void watch_serve(struct election *e, struct group *g, base_ns_t now, struct election_actions *out);
/** @} */

/** @name Configuration (election_set.c). @{ */
/** Bounds of election_init(). */
bool group_config_valid(const struct election *e, const struct election_group_config *g);
/** A group that nothing has happened to yet. */
void group_begin(const struct election *e, struct group *g,
	const struct election_group_config *config, base_ns_t now);
/** Deal out slots of interfaces to the groups that are there; their deadlines stay. */
void groups_place(struct election *e);
/** The operator's: timing of a group that goes on. */
void group_set_timing(
	struct election *e, struct group *g, uint8_t advbase, uint8_t advskew, base_ns_t now);
/** Families that have VIPs; any: at least one. */
void group_set_families(struct election *e, struct group *g, bool any, uint8_t families,
	base_ns_t now, struct election_actions *out);
/** @} */

void demotion_link(struct election *e, uint16_t if_id, base_ns_t now, struct election_actions *out);
void demotion_stall(
	struct election *e, uint16_t if_id, base_ns_t now, struct election_actions *out);
/** From when on the receive side of an interface counts as stalled; BASE_NS_NEVER if it cannot. */
base_ns_t demotion_stall_at(const struct election *e, const struct iface *i);
/** We did not run for so long before now: no receive side is blamed for that time. */
void demotion_absent(struct election *e, base_ns_t gap, base_ns_t now);
void demotion_drain(struct election *e, bool on, base_ns_t now, struct election_actions *out);
void demotion_operator(
	struct election *e, uint8_t amount, base_ns_t now, struct election_actions *out);
void demotion_send_error(struct election *e, struct group *g, bool active, base_ns_t now,
	struct election_actions *out);
/** Count an interface that is down from the beginning, without any action. */
void demotion_init(struct election *e, base_ns_t now);

#endif
