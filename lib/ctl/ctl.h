/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth.h"
#include "auth_replay.h"
#include "auth_stage.h"
#include "base_addr.h"
#include "base_time.h"
#include "election_types.h"

/**
 * @file
 * The control lcore: sole owner of the election. Each turn it reads the clock once, drains
 * advert rings, then punts and requests, ticks the election, carries out its actions and publishes.
 * It never blocks. Everybody else reads published views and posts requests.
 */

struct conf;
struct dp;
struct dp_roster;
struct fib_nbr_table;
struct port_set;
struct ctl;

enum ctl_stat {
#define CTL_STAT(sym, name, text) CTL_STAT_##sym,
#include "ctl_stats.def"
#undef CTL_STAT
	CTL_STAT_COUNT
};
const char *ctl_stat_name(enum ctl_stat s);
const char *ctl_stat_text(enum ctl_stat s);

struct ctl_config {
	const struct conf *conf; /**< borrowed until another one was loaded: ctl_reload() */
	struct dp *dp;
	struct fib_nbr_table *nbr;
	struct port_set *ports;
	const uint16_t *if_port; /**< port id of each interface of conf */
	const uint8_t (*if_mac)[BASE_MAC_LEN];
	bool poll;    /**< never sleep */
	bool drained; /**< begin as after CTL_REQ_DRAIN */
	uint64_t seed;
};

/** @return NULL with errno on failure. @thread main, before the lcores run */
struct ctl *ctl_create(const struct ctl_config *config);
void ctl_destroy(struct ctl *c);

/** The control loop; returns 0 once a shutdown is complete. @thread control lcore */
int ctl_run(struct ctl *c);

/** One turn of the loop without the sleep, for tests and benchmarks. @thread as ctl_run() */
void ctl_turn(struct ctl *c, base_ns_t now);

/**
 * Bow out on every group, hand over (at most 50 ms), then make ctl_run() return.
 * @thread any, also a signal handler
 */
void ctl_shutdown(struct ctl *c);

/** @name Views: consistent copies of what the control lcore published last. @thread any @{ */
/** An advert that the guard against replays refused. */
struct ctl_refusal {
	base_ns_t at; /**< 0: there was none */
	struct auth_replay_report why;
	struct base_addr src;
	struct election_priority prio;
};
/** Kinds of refusals: REPLAY, NOT_STRICT, STALE, in this order. */
#define CTL_REFUSALS (AUTH_REPLAY_COUNT - AUTH_REPLAY_REPLAY)

struct ctl_group_view {
	struct election_group_info info; /**< times are of dp_clock() */
	uint64_t stats[CTL_STAT_COUNT];
	uint64_t vip_fingerprint;
	/**
	 * MASTER, frames arrive, and no peer was ever heard, though this one is master on another
	 * interface and should be here; ELECTION_NONE: no reason to think so.
	 */
	uint16_t unheard_if;
	struct base_addr unheard_src;
	/** Last takeover: from the decision until the first advert was handed to the device. */
	base_ns_t takeover_ns;
	struct ctl_refusal refused[CTL_REFUSALS]; /**< the last of each kind */
	bool key_set;		 /**< the key is not the configuration's any more */
	bool other_key_set;	 /**< the same of the second identity while a change is staged */
	struct auth_stage stage; /**< a change of password or VIPs */
	/**
	 * The configuration has both identities of it: a reload has staged it. Which one of the
	 * two runs, or ran at its end.
	 */
	bool by_reload;
	enum auth_identity reloads;
	base_ns_t ra_next; /**< next router advertisement; BASE_NS_NEVER: it sends none now */
	base_ns_t published_at;
};
/** @return 0, or -EINVAL for an id out of bounds. */
int ctl_group_view(const struct ctl *c, uint16_t group, struct ctl_group_view *out);

#define CTL_LATE_BUCKETS 16
struct ctl_box_view {
	bool allow, preempt, arpbalance, drained;
	uint8_t log;
	uint32_t demotion;
	uint16_t masters, backups, inits;
	uint64_t stats[CTL_STAT_COUNT]; /**< sum over groups and what belongs to none */
	/** Of these what belongs to no group, or to one that is not there any more. */
	uint64_t no_group[CTL_STAT_COUNT];
	uint64_t turns, sleeps, stalls;
	base_ns_t longest_turn_ns;
	/** Lateness of adverts: bucket i counts those under 2^i * 4 us, the last the rest. */
	uint64_t late[CTL_LATE_BUCKETS];
	base_ns_t late_max, late_sum;
	base_ns_t started_at, published_at;
};
void ctl_box_view(const struct ctl *c, struct ctl_box_view *out);

/** Active ledger entries; at most cap. @return how many there are in all */
uint32_t ctl_demotion_view(const struct ctl *c, struct election_demotion_entry *out, uint32_t cap);

/** A peer heard on a group, newest first by ctl_peers(). */
#define CTL_PEERS_MAX 8
struct ctl_peer {
	struct base_addr addr;
	struct election_priority prio;
	base_ns_t last_heard;
	uint64_t adverts;
	enum auth_replay_class counters; /**< how it counts: whether replays can be told */
	bool bowed_out;
	/** While a change is staged: when it was heard last with each digest; 0: not yet. */
	base_ns_t identity[AUTH_IDENTITIES];
};
uint32_t ctl_peers(const struct ctl *c, uint16_t group, struct ctl_peer out[CTL_PEERS_MAX]);
/** @} */

/** @name Events. @{ */
enum ctl_event_kind {
	CTL_EVENT_STATE,      /**< a group changed state */
	CTL_EVENT_DEMOTION,   /**< a ledger entry changed */
	CTL_EVENT_LINK,	      /**< an interface's link changed */
	CTL_EVENT_BAD_ADVERT, /**< a refused advert (log 2), rate-limited */
	CTL_EVENT_REQUEST,    /**< an operator's request was carried out */
	CTL_EVENT_STALL,      /**< no turn for longer than a fast group's master-down time */
	CTL_EVENT_WARN,	      /**< a peer's timing does not fit ours, or that is over */
	CTL_EVENT_SPLIT,      /**< a split is suspected, or not any more */
	CTL_EVENT_DECISION,   /**< a take-over is put off */
	CTL_EVENT_UNHEARD,    /**< a peer of another interface was never heard here, or is now */
	CTL_EVENT_DEVICE,     /**< a device went out of service, or came back; text says why */
	CTL_EVENT_FILTER,     /**< a device's address filters were programmed again */
	CTL_EVENT_STAGE,      /**< the end of a window of a staged change */
	CTL_EVENT_CAPTURE,    /**< a capture began, or ended; text says which and why */
};
struct ctl_event {
	uint64_t seq;	  /**< from 1, no gaps */
	uint64_t wall_ns; /**< CLOCK_REALTIME */
	base_ns_t at;	  /**< dp_clock() */
	enum ctl_event_kind kind;
	uint16_t group; /**< or ELECTION_NONE */
	uint16_t if_id; /**< or ELECTION_NONE */
	enum election_state from, to;
	enum election_cause cause;
	enum election_demotion_source source;
	uint32_t amount, total; /**< DEMOTION */
	/**
	 * LINK; FILTER: frames to the vMACs reach us; DEVICE: in service; UNHEARD: heard now;
	 * CAPTURE: it did not fail
	 */
	bool link_up;
	enum ctl_stat stat;    /**< BAD_ADVERT: its counter */
	uint32_t suppressed;   /**< BAD_ADVERT, STALL: how many since the last such event */
	base_ns_t since_heard; /**< STATE: BASE_NS_NEVER if nothing was heard */
	base_ns_t takeover_ns; /**< STATE to MASTER */
	base_ns_t gap;	       /**< STALL */
	struct election_priority own, peer;
	struct base_addr src;	     /**< peer or sender; family NONE if none */
	uint16_t peer_if;	     /**< UNHEARD: where src is heard */
	base_ns_t hold_ns;	     /**< DECISION: for so long */
	enum auth_stage_step stage;  /**< STAGE: what became of it */
	base_ns_t late;		     /**< STATE: how late a deadline was served */
	enum election_hold hold;     /**< DECISION; STATE: what had put it off */
	enum election_warn warn;     /**< WARN: NONE it is over */
	bool warn_silent;	     /**< WARN NONE: not heard any more; else it fits again */
	uint8_t family;		     /**< STATE: of the timer or advert that decided */
	uint8_t split, split_before; /**< SPLIT: ELECTION_SPLIT_* now and before */
	/**
	 * REQUEST: what was asked. STATE: the same where that led to it, else empty. FILTER and
	 * DEVICE: why, as the port says.
	 */
	char text[96];
};
/**
 * How many of the newest events are kept, and how many of each group; those do not hold adverts
 * that were refused, which would push decisions out.
 */
#define CTL_EVENTS_KEPT	   4096
#define CTL_DECISIONS_KEPT 256
/**
 * Copy events with seq > after, oldest first.
 * @param group  only of this group, from the CTL_DECISIONS_KEPT that are kept for it; or
 *               ELECTION_NONE for all
 * @return how many were written, at most cap; *last is the newest seq looked at
 */
uint32_t ctl_events(const struct ctl *c, uint16_t group, uint64_t after, struct ctl_event *out,
	uint32_t cap, uint64_t *last);
/** The seq of the newest event, 0 if there is none. */
uint64_t ctl_event_newest(const struct ctl *c);
/** @} */

/** @name Requests. @{ */
enum ctl_request_type {
	CTL_REQ_UP,
	CTL_REQ_DOWN,
	CTL_REQ_STATE_INIT, /**< accepted, no effect, as in the BSDs */
	CTL_REQ_STATE_BACKUP,
	CTL_REQ_STATE_MASTER,
	CTL_REQ_ADVBASE, /**< value 0..255; 0 only on a group with "fast" */
	CTL_REQ_ADVSKEW, /**< value 0..254 */
	CTL_REQ_KEY,
	CTL_REQ_PREEMPT,    /**< value 0..1 */
	CTL_REQ_ALLOW,	    /**< value 0..1 */
	CTL_REQ_ARPBALANCE, /**< value 0..1 */
	CTL_REQ_LOG,	    /**< value 0..2 */
	CTL_REQ_DEMOTION,   /**< value 0..255 */
	CTL_REQ_DRAIN,	    /**< every master bows out; demoted from then on */
	CTL_REQ_UNDRAIN,
	CTL_REQ_CLEAR_STATS,   /**< group, or ELECTION_NONE for all */
	CTL_REQ_CLEAR_SOURCES, /**< a box was replaced: auth_replay_forget() */
	CTL_REQ_NBR_SET,       /**< if_index, addr, mac: a static neighbour */
	CTL_REQ_NBR_FORGET,    /**< if_index, addr: a neighbour, static or not */
	/** What was learnt: of if_index or ELECTION_NONE for all; addr, or family NONE for all. */
	CTL_REQ_NBR_CLEAR,
	/**
	 * if_index: its groups bow out and stay in INIT, nothing comes in or goes out by it, as if
	 * it had no link, whatever its link does; until IF_UP.
	 */
	CTL_REQ_IF_DOWN,
	CTL_REQ_IF_UP,
	/** group, key: a new password for a group, staged; value: the window, 10 to 86400 s. */
	CTL_REQ_STAGE,
	/**
	 * group, or ELECTION_NONE for all: use what is staged; value 1: that alone and at once,
	 * whoever uses the old one.
	 */
	CTL_REQ_COMMIT,
	CTL_REQ_ABORT,	/**< the same for what ran before */
	CTL_REQ_RELOAD, /**< by ctl_reload() only */
	/** Write an event CAPTURE with text; value 1: of something that failed. */
	CTL_REQ_NOTE,
};
struct ctl_reload;
struct ctl_request {
	enum ctl_request_type type;
	uint16_t group; /**< of UP .. KEY, CLEAR_STATS and CLEAR_SOURCES */
	int64_t value;
	uint8_t key[AUTH_KEY_LEN];
	uint16_t if_index;
	struct base_addr addr;
	uint8_t mac[BASE_MAC_LEN];
	struct ctl_reload *reload;
	char text[96]; /**< NOTE */
};
/**
 * Post a request and wait for the control lcore to have carried it out.
 * @param note  text for the operator, possibly empty, e.g. that preemption will undo "state backup"
 * @return 0; -EINVAL value or id out of range; -EAGAIN the group is in INIT; -ENOTSUP; -ETIMEDOUT
 *         after 2 s (it may still happen); -EBUSY too many requests at once, or a change is staged
 *         already; -EALREADY there is nothing to change. Note says more.
 * @thread any but lcores; it blocks; not while another configuration is loaded
 */
int ctl_request(struct ctl *c, const struct ctl_request *req, char *note, size_t note_len);
/**
 * Free what the control lcore does not need any more and may not free, secrets among it; calls of
 * ctl_request() do so too.
 * @thread any but lcores
 */
void ctl_reap(struct ctl *c);
/** @} */

/**
 * @name Another configuration.
 * What differs from the one that runs is applied in one turn: switches of the box, all that is
 * configured of groups, which groups there are. Groups that are to go bow out and hand over before
 * it. What operators set stays, unless the key is another one in the new configuration. Groups
 * without a difference keep state, timers, counters.
 * @{
 */
/**
 * Make ready all that takes memory.
 * @param next    numbered as the one that runs, by conf_align(); borrowed from ctl_reload() on
 * @param roster  its groups and addresses, published in the same turn; owned on success
 *                Changes that it stages, beside what runs, are staged with it; where the two have
 *                changed places (conf_stage_turn()), addresses are those of what runs from then on
 * @return NULL with errno: ENOMEM, EIO of OpenSSL, or EKEYREJECTED: the addresses or the digest of
 *         a group change, whose password a command had changed: which one is meant is not known;
 *         EBUSY: a change of such a group is staged
 * @thread any but lcores, one at a time
 */
struct ctl_reload *ctl_reload_prepare(
	struct ctl *c, const struct conf *next, struct dp_roster *roster);
/**
 * Apply it, and wait until that is done. Nobody here looks at the configuration before any more.
 * @return 0; or as ctl_request(), and nothing was changed; -EAGAIN: koi is being stopped
 * @thread as ctl_reload_prepare()
 */
int ctl_reload(struct ctl *c, struct ctl_reload *r, char *note, size_t note_len);
/** Also what is not used any more, after ctl_reload(): it waits for workers. NULL is fine. */
void ctl_reload_free(struct ctl_reload *r);
/** @} */

#endif
