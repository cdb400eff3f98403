/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef ELECTION_TYPES_H
#define ELECTION_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "base_addr.h"
#include "base_time.h"

/** @file What goes into the election and what comes out of it. Plain data. */

enum election_state {
	ELECTION_INIT = 0,
	ELECTION_BACKUP,
	ELECTION_MASTER,
};

enum election_cause {
#define ELECTION_CAUSE(sym, text) ELECTION_CAUSE_##sym,
#include "causes.def"
#undef ELECTION_CAUSE
	ELECTION_CAUSE_COUNT
};

/** Named sources of demotion; each active entry of the ledger has one. */
enum election_demotion_source {
	ELECTION_DEMOTION_LINK = 0,   /**< a tracked interface is down; one entry per interface */
	ELECTION_DEMOTION_SEND_ERROR, /**< three adverts in a row not sent; one entry per group */
	ELECTION_DEMOTION_WORKER_STALLED, /**< receive side stalled; one entry per interface */
	ELECTION_DEMOTION_OPERATOR,	  /**< "set carp demotion N"; one entry */
	ELECTION_DEMOTION_DRAIN,	  /**< "drain"; one entry, of ELECTION_DRAIN_DEMOTION */
	ELECTION_DEMOTION_SOURCE_COUNT
};

/** As much as the BSDs take for an interface that is down: worse than whoever is not drained. */
#define ELECTION_DRAIN_DEMOTION 240

#define ELECTION_NONE UINT16_MAX

/** @name Address families: bits of a mask, and how many places an array of them has. @{ */
#define ELECTION_IP4	  1u /**< place 0 */
#define ELECTION_IP6	  2u /**< place 1 */
#define ELECTION_FAMILIES 2
/** @} */

/** When the master-down timers of a group's families take over (note 4). */
enum election_family_timers {
	ELECTION_FAMILY_TIMERS_ALL = 0, /**< when every family that was heard is silent */
	ELECTION_FAMILY_TIMERS_ANY,	/**< when one with VIPs is silent: as the BSDs */
};

/** What can put off a take-over; ELECTION_EV_FORCE_MASTER waits for none of them. */
enum election_hold {
	ELECTION_HOLD_NONE = 0,
	/** The box has just started. Only a master's bow-out takes over before the end. */
	ELECTION_HOLD_STARTUP,
	/** The link has just come up; ends with the first frame received. */
	ELECTION_HOLD_LINKUP,
	/** Not long enough able and BACKUP to preempt; other causes do not wait for it. */
	ELECTION_HOLD_PREEMPT_DELAY,
	/** Random delay after a tie. */
	ELECTION_HOLD_TIE,
	ELECTION_HOLD_COUNT
};

/** How the interval that a peer advertises does not fit a group's own timing. */
enum election_warn {
	ELECTION_WARN_NONE = 0,
	ELECTION_WARN_PEER_NOT_FAST, /**< we are fast, it counts in seconds */
	ELECTION_WARN_PEER_FAST,     /**< it is fast, we count in seconds */
	ELECTION_WARN_PEER_SLOW,     /**< its interval is no shorter than our master-down time */
	ELECTION_WARN_SELF_SLOW,     /**< our interval is no shorter than its master-down time */
	ELECTION_WARN_COUNT
};

/** @name What suggests that another MASTER is alive which cannot be agreed with: a mask. @{ */
#define ELECTION_SPLIT_DUELS 1u /**< as MASTER another one heard, three times in a row */
#define ELECTION_SPLIT_TIES  2u /**< as MASTER an equal claim heard, three times in a row */
#define ELECTION_SPLIT_AUTH  4u /**< adverts that fail authentication, three in a row */
#define ELECTION_SPLIT_DEAF  8u /**< MASTER, and no frame of any kind is received */
#define ELECTION_SPLIT_COUNT 4	/**< how many bits there are */
/** @} */

/** The timing that an advert carries. */
struct election_priority {
	uint8_t advbase;
	uint8_t advskew;
	uint8_t demotion;
};

/** An interface as the election sees it; ids are 0 .. if_count-1. */
struct election_if_config {
	bool link_up;
	bool track; /**< demotes when down although it carries no group */
	/**
	 * After its link comes up, and after election_init() with a link that is up: for this long
	 * its groups do not take over and it counts as down for the demotion, as a switch may not
	 * forward yet. The first frame or advert received ends it, and restarts the master-down
	 * times: who was deaf has heard no silence. 0 = none.
	 */
	base_ns_t linkup_hold_ns;
	/**
	 * FRAME_SEEN is fed for this interface, from the start: an interface on which nothing was
	 * ever heard is then deaf too, as of its link.
	 */
	bool frames_told;
};

/** A group; ids are 0 .. group_count-1, and up to group_room-1 for those that come later. */
struct election_group_config {
	uint16_t if_id;
	uint8_t advbase; /**< seconds; 0 is a fast group */
	uint8_t advskew; /**< 0 .. 254 */
	bool has_vip;	 /**< a group without an address is not runnable */
	bool admin_up;
	bool start_as_master; /**< claim once, the first time it becomes runnable */
	uint8_t families;     /**< mask of families that have VIPs; 0 is IPv4 */
	enum election_family_timers family_timers;
	/** Preempt only after having been BACKUP, with the box's health unchanged, for so long. */
	base_ns_t preempt_delay_ns;
};

struct election_config {
	uint16_t if_count;
	uint16_t group_count;
	uint16_t group_room; /**< how many there can be, or 0: as many as there are */
	const struct election_if_config *ifs;
	const struct election_group_config *groups;
	bool preempt;
	bool allow;
	bool drained;  /**< begin as after ELECTION_EV_DRAIN: nobody claims at start */
	uint64_t seed; /**< of the tie-break delay */
	/** No take-over for so long after election_init(), but by a bow-out or the operator. */
	base_ns_t startup_hold_ns;
	/** A MASTER announces again after so long without an announcement; 0 = never. */
	base_ns_t announce_refresh_ns;
};

enum election_event_type {
	/** A decoded, checked and authenticated advert of a peer; family NONE counts as IPv4. */
	ELECTION_EV_ADVERT,
	/** Link of an interface changed, or was read again; repeats are ignored. */
	ELECTION_EV_LINK,
	/** Operator: carp NAME up. */
	ELECTION_EV_UP,
	/** Operator: carp NAME down; bows out. */
	ELECTION_EV_DOWN,
	/** Operator: carp NAME state backup; bows out. */
	ELECTION_EV_FORCE_BACKUP,
	/** Operator: carp NAME state master; holds until a better advert. */
	ELECTION_EV_FORCE_MASTER,
	/** advbase and advskew of a group; keeps the state. */
	ELECTION_EV_SET_TIMING,
	/** The VIP list changed; keeps the state and announces again. */
	ELECTION_EV_VIPS,
	ELECTION_EV_SET_PREEMPT,
	ELECTION_EV_SET_ALLOW,
	/** Amount of the demotion source "operator". */
	ELECTION_EV_SET_DEMOTION,
	/**
	 * Operator: every MASTER bows out and goes on as BACKUP, demoted, so as the last resort;
	 * off ends the demotion and changes nothing else.
	 */
	ELECTION_EV_DRAIN,
	/** Outcome of an ELECTION_ACT_ADVERT: ok when every family's advert went out. */
	ELECTION_EV_SENT,
	/**
	 * The caller was not running: fed before anything else of the turn, with the time
	 * since its last turn, when that is longer than ELECTION_STALL_MIN_NS.
	 */
	ELECTION_EV_STALL,
	/** The process ends: every group bows out and stays down. */
	ELECTION_EV_SHUTDOWN,
	/**
	 * A frame of another host was received on an interface: at most every 100 ms, and not for
	 * 01:80:c2:00:00:00 to 0f, which a switch sends on ports that do not forward too. Deafness
	 * is judged only on interfaces for which this was ever fed, and those with frames_told.
	 */
	ELECTION_EV_FRAME_SEEN,
	/** An advert for this group failed authentication; advert.src is its sender. */
	ELECTION_EV_AUTH_FAILED,
};

/** Gaps between turns up to this long are never a stall: a quarter of the shortest interval. */
#define ELECTION_STALL_MIN_NS (BASE_NS_PER_SKEW / 4)

struct election_event {
	enum election_event_type type;
	uint16_t group; /**< of ADVERT, UP, DOWN, FORCE_*, SET_TIMING, VIPS, SENT, AUTH_FAILED */
	uint16_t if_id; /**< of LINK, FRAME_SEEN */
	union {
		struct {
			struct election_priority prio;
			struct base_addr src;
		} advert;
		bool on; /**< LINK up, SET_PREEMPT, SET_ALLOW, DRAIN, SENT ok, VIPS has any */
		uint8_t amount; /**< SET_DEMOTION */
		base_ns_t gap;	/**< STALL */
		struct {
			uint8_t advbase;
			uint8_t advskew;
		} timing;
	};
	uint8_t families; /**< of VIPS with on: the mask from now on; 0 = as it was */
	bool asked;	  /**< of LINK down: by the operator, so there is link for bow-outs still */
};

enum election_action_type {
	/** Send one advert per family with this priority, IPv4 first. */
	ELECTION_ACT_ADVERT,
	/**
	 * Own the vMAC: accept and forward frames sent to it. Every take-over begins with it,
	 * also one that takes back what was being handed over and is owned still.
	 */
	ELECTION_ACT_OWN,
	/** Stop owning it. */
	ELECTION_ACT_DISOWN,
	/** Gratuitous ARP or unsolicited NA for every VIP, after the adverts. */
	ELECTION_ACT_ANNOUNCE,
	/** The state changed; for the log, telemetry and the answering side of the data plane. */
	ELECTION_ACT_STATE,
	/** A ledger entry came, went or changed. */
	ELECTION_ACT_DEMOTION,
	/** A peer's timing does not fit ours, or fits again: once per change. */
	ELECTION_ACT_WARN,
	/** A split is suspected, for other reasons than before, or not any more. */
	ELECTION_ACT_SPLIT,
	/** A take-over is put off; once per hold, not for every advert or timer. */
	ELECTION_ACT_DECISION,
};

struct election_action {
	enum election_action_type type;
	uint16_t group; /**< of all but DEMOTION; there the group of a SEND_ERROR entry or NONE */
	union {
		struct {
			struct election_priority prio; /**< 255/255 is the bow-out */
			/** How late the advert timer was served; BASE_NS_NEVER if not by timer. */
			base_ns_t late;
		} advert;
		struct {
			enum election_state from;
			enum election_state to;
			enum election_cause cause;
			/** Since the last accepted advert of the group; BASE_NS_NEVER if none. */
			base_ns_t since_heard;
			/** How late the decision came: now - its deadline; 0 if not by timer. */
			base_ns_t late;
			struct election_priority own;  /**< as compared */
			struct election_priority peer; /**< last heard; zero if none */
			struct base_addr peer_src;     /**< family NONE if none */
			/**
			 * Of the timer or the advert that decided; NONE for other causes and for
			 * the silence of all families.
			 */
			uint8_t family;
			enum election_hold hold; /**< what had put it off until now */
			base_ns_t deadline;	 /**< that was served; BASE_NS_NEVER if none was */
		} state;
		struct {
			enum election_demotion_source source;
			uint16_t if_id;	 /**< or ELECTION_NONE */
			uint16_t amount; /**< of the entry now; 0 = gone */
			uint32_t total;	 /**< of the box now */
		} demotion;
		struct {
			enum election_warn kind; /**< NONE: it is over */
			bool silent; /**< NONE: not heard any more, and not heard to fit again */
			struct election_priority peer;
			struct base_addr src;
		} warn;
		struct {
			uint8_t reasons; /**< ELECTION_SPLIT_* now; 0: over */
			uint8_t before;
			base_ns_t since;      /**< of the first reason */
			struct base_addr src; /**< whom we heard last, or who failed for AUTH */
		} split;
		struct {
			enum election_cause cause; /**< of the take-over that waits */
			enum election_hold hold;
			base_ns_t until;
			struct election_priority own, peer;
			struct base_addr peer_src;
		} decision;
	};
	uint8_t families; /**< of ADVERT and ANNOUNCE: mask of the families to send */
};

/** Room for actions; the core never writes past cap. */
struct election_actions {
	struct election_action *act;
	uint32_t n;
	uint32_t cap; /**< at least ELECTION_ACTIONS_MIN */
};

/** What a group heard by one family. */
struct election_family_info {
	base_ns_t heard_at; /**< BASE_NS_NEVER = no advert since it left INIT */
	/** Master-down of this family; BASE_NS_NEVER when it is not waited for, or not BACKUP. */
	base_ns_t deadline;
	struct base_addr heard_from;
};

/** What a group shows to the outside. */
struct election_group_info {
	uint16_t if_id;
	enum election_state state;
	enum election_cause cause; /**< of the last transition */
	bool admin_up;
	bool owned;	   /**< vMAC owned: MASTER or handing over */
	bool handing_over; /**< owned without being MASTER */
	uint8_t advbase;
	uint8_t advskew;	       /**< configured */
	struct election_priority sent; /**< as it would go out now, demotion included */
	base_ns_t state_since;
	uint64_t transitions; /**< into MASTER */
	base_ns_t interval;
	base_ns_t master_down;
	base_ns_t advert_deadline;	/**< BASE_NS_NEVER unless MASTER */
	base_ns_t master_down_deadline; /**< BASE_NS_NEVER unless BACKUP */
	base_ns_t heard_at;		/**< BASE_NS_NEVER = no advert yet */
	struct election_priority heard;
	struct base_addr heard_from;
	struct base_addr master; /**< known master other than us; family NONE if not known */
	base_ns_t late_max;	 /**< worst lateness of a served advert deadline */
	uint8_t families;	 /**< mask of those with VIPs */
	enum election_family_timers family_timers;
	struct election_family_info family[ELECTION_FAMILIES];
	/** BACKUP: until when each hold puts off; 0 = it does not. */
	base_ns_t hold_until[ELECTION_HOLD_COUNT];
	enum election_cause put_off; /**< of the take-over that waits for a hold; or NONE */
	enum election_warn warn;     /**< about a peer's timing, with who and since when */
	struct election_priority warn_peer;
	struct base_addr warn_src;
	base_ns_t warn_since;
	uint64_t duels;		     /**< how often another MASTER was heard while MASTER */
	base_ns_t duel_at;	     /**< the last of this time as MASTER; BASE_NS_NEVER = none */
	base_ns_t announce_deadline; /**< after others spoke, or to refresh; BASE_NS_NEVER = none */
	uint8_t split;		     /**< ELECTION_SPLIT_*: why a split is suspected */
	base_ns_t split_since;
	struct base_addr auth_failed_from; /**< family NONE if none */
	base_ns_t auth_failed_at;	   /**< BASE_NS_NEVER = none since it left INIT */
	base_ns_t frame_at; /**< last frame on its interface; BASE_NS_NEVER = never told */
};

/** One active entry of the demotion ledger. */
struct election_demotion_entry {
	enum election_demotion_source source;
	uint16_t if_id; /**< or ELECTION_NONE */
	uint16_t group; /**< or ELECTION_NONE */
	uint16_t amount;
	base_ns_t since;
	base_ns_t expires; /**< BASE_NS_NEVER: ends with its reason */
};

#endif
