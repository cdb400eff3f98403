/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef AUTH_REPLAY_H
#define AUTH_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "auth.h"
#include "base_addr.h"
#include "base_time.h"

/**
 * @file
 * The guard of one group against replayed adverts, after their digest was found right. Pure: fixed
 * memory, time is an argument. A digest covers the counter and not the priority (protocol note 0),
 * so an advert is known again by its counter, whatever priority it carries now.
 *
 * **Default mode** accepts all that NetBSD, FreeBSD, OpenBSD, ucarp and koi send. OpenBSD repeats
 * one counter for as long as it runs. NetBSD, FreeBSD and ucarp send random counters until they
 * have heard a valid advert, then the last one heard or sent plus one; so they repeat counters
 * when they hear an older one, and two of them may send the same. koi's are always random.
 *
 * A source is CHANGING, and never anything else as long as it is remembered, once three counters
 * new to us came from it, or two of which the second follows on a known one, within three
 * master-down times; an OpenBSD that restarts has two at most. It is CONSTANT once it repeated its
 * own counter twice over half a master-down time and was not CHANGING before; that stays as well,
 * so that a restart is not taken for change (MIXED where it does change). Only counters first
 * heard from a CHANGING source are guarded, and those that we sent ourselves. A guarded counter
 * that comes again is taken
 *   - when an advert was taken since with a counter up to AUTH_REPLAY_GAP lower, or ever with one
 *     that is not guarded: then its sender may have counted on from there;
 *   - from another source than the last time, within two master-down times, when the first to
 *     send it is known to count (what it sent followed on a known counter at least once): two
 *     backups that answered one advert. Only with the same advbase and demotion; as a bow-out
 *     only right after one with the counter before: a box bows out in both families, and a backup
 *     may answer between the two.
 * Ours is never taken.
 * Otherwise, with the same priority from the same source within a third of the master-down time it
 * is a DUPLICATE, else a REPLAY. Neither is to reach the election, and neither is remembered.
 *
 * A counting peer that heard an older counter which this box missed is refused for a while: until
 * it counts past what is known, or hears an advert of ours, the latest when we take over. And where
 * three boxes change places within milliseconds, one may repeat one advert; the next counts on.
 * Measured on modelled peers: 2 in 100,000 adverts, 1 in 2,000 with 10 % lost.
 *
 * What this cannot see: adverts that this box never heard or has forgotten (the last
 * AUTH_REPLAY_KEPT are kept), and a counting peer's advert sent on at once under another address.
 * What an attacker without the key cannot do: fill the memory or drive a source out of it, for
 * only counters not known before enter it, and a source that is not UNKNOWN goes last. A box
 * replaced by an OpenBSD under the same address is refused; auth_replay_forget() helps.
 *
 * **Strict mode** is for groups of koi boxes whose clocks agree within AUTH_STRICT_WINDOW_NS.
 * Counters carry the time; each is taken once, whoever sends it, and from a source only newer ones,
 * but for a third of the master-down time that reordering may take.
 * @thread one thread per object: the control lcore
 */

/** How many counters of a group are remembered: over eight minutes of one advert a second. */
#define AUTH_REPLAY_KEPT 512
/** How many sources. */
#define AUTH_REPLAY_SOURCES 16
/** How many adverts of a counting peer may be lost before a counter of its is not explained. */
#define AUTH_REPLAY_GAP 16
/** How far the clocks of a strict group may be apart. */
#define AUTH_STRICT_WINDOW_NS (5 * BASE_NS_PER_S)

enum auth_replay_verdict {
#define AUTH_REPLAY(sym, name) AUTH_REPLAY_##sym,
#include "auth_replay.def"
#undef AUTH_REPLAY
	AUTH_REPLAY_COUNT
};
const char *auth_replay_name(enum auth_replay_verdict v);

enum auth_replay_class {
#define AUTH_REPLAY_CLASS(sym, name, text) AUTH_REPLAY_CLASS_##sym,
#include "auth_replay_class.def"
#undef AUTH_REPLAY_CLASS
	AUTH_REPLAY_CLASS_COUNT
};
const char *auth_replay_class_name(enum auth_replay_class c);
const char *auth_replay_class_text(enum auth_replay_class c);

/** A counter that was taken. Private to auth_replay.c, as all of struct auth_replay. */
struct auth_replay_seen {
	uint64_t counter;
	uint64_t order;	     /**< of when it was taken last, but for collisions; 0: empty */
	base_ns_t at;	     /**< the same as a time */
	uint16_t next;	     /**< with the same hash */
	uint8_t first, last; /**< who sent it */
	uint8_t advbase, advskew, demotion;
	bool bow_out : 1;
	bool guarded : 1; /**< although its source was forgotten */
};

struct auth_replay_peer {
	struct base_addr addr; /**< family NONE: empty */
	uint8_t cls;	       /**< enum auth_replay_class */
	bool counts;	       /**< sent a counter that follows on a known one */
	uint8_t fresh;	       /**< new counters, up to three */
	uint8_t same;	       /**< how often the last counter of its own came, up to three */
	uint64_t counter;      /**< strict: the newest; else the last of its own */
	base_ns_t counter_at;  /**< when that came first */
	base_ns_t fresh_at[2]; /**< when the last two new ones came, newest first */
	base_ns_t heard;
};

struct auth_replay {
	bool strict;
	base_ns_t master_down_ns;
	uint64_t order;
	uint64_t floor; /**< strict: newest counter that was forgotten */
	uint16_t next_slot;
	uint16_t head[256];
	struct auth_replay_seen seen[AUTH_REPLAY_KEPT];
	struct auth_replay_peer peers[AUTH_REPLAY_SOURCES];
};

/**
 * Start with nothing heard; again after a change of key or VIPs.
 * @param master_down_ns  the group's master-down time, 3 * advbase + advskew/256; not 0
 */
void auth_replay_init(struct auth_replay *r, bool strict, base_ns_t master_down_ns);
/** The group's timing was changed. */
void auth_replay_set_timing(struct auth_replay *r, base_ns_t master_down_ns);

/** An authenticated advert. */
struct auth_replay_advert {
	struct base_addr src;
	/**
	 * Several boxes may send from src: it is a VIP. Such sources are not told apart and count
	 * as UNKNOWN for ever; the unspecified address is one without being said.
	 */
	bool shared_src;
	uint64_t counter;
	uint8_t advbase, advskew, demotion;
	bool bow_out;
};
/** Why, for the log and explain. */
struct auth_replay_report {
	enum auth_replay_class cls; /**< of the source, after this advert; UNKNOWN in strict mode */
	bool ours;		    /**< a counter that we sent */
	struct base_addr first; /**< who sent the counter first; family NONE: new, or forgotten */
	base_ns_t age;		/**< since it was taken last; 0 when new */
	/** Strict: our clock less the counter's time; negative: theirs is ahead. */
	int64_t clock_diff_ms;
};
/**
 * Judge an advert, and remember it when it is taken.
 * @param now      monotonic
 * @param unix_ns  wall clock; used in strict mode only
 * @param why      may be NULL
 * @return OK: let it reach the election. DUPLICATE: drop it, it is no one's fault. Else: drop it
 *         and say so. NOT_STRICT and STALE in strict mode only
 * @cost a hash look-up; AUTH_REPLAY_GAP more for a guarded counter that comes again
 */
enum auth_replay_verdict auth_replay_check(struct auth_replay *r,
	const struct auth_replay_advert *a, base_ns_t now, uint64_t unix_ns,
	struct auth_replay_report *why);

/** Remember a counter that we sent: nobody else has it from anywhere but us. */
void auth_replay_sent(struct auth_replay *r, uint64_t counter, base_ns_t now);

/** What is known of a source; UNKNOWN also when nothing is. */
enum auth_replay_class auth_replay_class_of(
	const struct auth_replay *r, const struct base_addr *src);

/**
 * Forget how the sources count: an operator says that a box is another one now. What was guarded
 * stays guarded, but for the last counter of each source, which an OpenBSD repeats from now on.
 * @return how many sources were known
 */
unsigned int auth_replay_forget(struct auth_replay *r);

/** @name Counters that carry time @{ */
/**
 * The counter of a time: microseconds since 1970 above 12 bits that follow from them, so that a
 * peer that counts on from it is found out at once.
 */
uint64_t auth_strict_counter(uint64_t unix_ns);
/** The time in a counter. @return false, *unix_us untouched, when it carries none */
bool auth_strict_time(uint64_t counter, uint64_t *unix_us);
/**
 * The next counter of a strict group, remembered as ours: the time, or a microsecond more than the
 * last where the clock stood still or went back by no more than the window.
 */
uint64_t auth_counters_next_strict(struct auth_counters *c, uint64_t unix_ns);
/** @} */

#endif
