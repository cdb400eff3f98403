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
	ELECTION_DEMOTION_SOURCE_COUNT
};

#define ELECTION_NONE UINT16_MAX

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
};

/** A group; ids are 0 .. group_count-1. */
struct election_group_config {
	uint16_t if_id;
	uint8_t advbase; /**< seconds; 0 is a fast group */
	uint8_t advskew; /**< 0 .. 254 */
	bool has_vip;	 /**< a group without an address is not runnable */
	bool admin_up;
	bool start_as_master; /**< claim once, the first time it becomes runnable */
};

struct election_config {
	uint16_t if_count;
	uint16_t group_count;
	const struct election_if_config *ifs;
	const struct election_group_config *groups;
	bool preempt;
	bool allow;
	uint64_t seed; /**< of the tie-break delay */
};

enum election_event_type {
	/** A decoded, checked and authenticated advert of a peer. */
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
	/** Outcome of an ELECTION_ACT_ADVERT. */
	ELECTION_EV_SENT,
	/**
	 * The caller was not running: fed before anything else of the turn, with the time
	 * since its last turn, when that is longer than ELECTION_STALL_MIN_NS.
	 */
	ELECTION_EV_STALL,
	/** The process ends: every group bows out and stays down. */
	ELECTION_EV_SHUTDOWN,
};

/** Gaps between turns up to this long are never a stall: a quarter of the shortest interval. */
#define ELECTION_STALL_MIN_NS (BASE_NS_PER_SKEW / 4)

struct election_event {
	enum election_event_type type;
	uint16_t group; /**< of ADVERT, UP, DOWN, FORCE_*, SET_TIMING, VIPS, SENT */
	uint16_t if_id; /**< of LINK */
	union {
		struct {
			struct election_priority prio;
			struct base_addr src;
		} advert;
		bool on;	/**< LINK up, SET_PREEMPT, SET_ALLOW, SENT ok, VIPS has any */
		uint8_t amount; /**< SET_DEMOTION */
		base_ns_t gap;	/**< STALL */
		struct {
			uint8_t advbase;
			uint8_t advskew;
		} timing;
	};
};

enum election_action_type {
	/** Send one advert per family with this priority. */
	ELECTION_ACT_ADVERT,
	/**
	 * Own the vMAC: accept and forward frames sent to it. Every take-over begins with it,
	 * also one that takes back what was being handed over and is owned still.
	 */
	ELECTION_ACT_OWN,
	/** Stop owning it. */
	ELECTION_ACT_DISOWN,
	/** Gratuitous ARP for every VIP, after the adverts. */
	ELECTION_ACT_ANNOUNCE,
	/** The state changed; for the log, telemetry and the answering side of the data plane. */
	ELECTION_ACT_STATE,
	/** A ledger entry came, went or changed. */
	ELECTION_ACT_DEMOTION,
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
		} state;
		struct {
			enum election_demotion_source source;
			uint16_t if_id;	 /**< or ELECTION_NONE */
			uint16_t amount; /**< of the entry now; 0 = gone */
			uint32_t total;	 /**< of the box now */
		} demotion;
	};
};

/** Room for actions; the core never writes past cap. */
struct election_actions {
	struct election_action *act;
	uint32_t n;
	uint32_t cap; /**< at least ELECTION_ACTIONS_MIN */
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
