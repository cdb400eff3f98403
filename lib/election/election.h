/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef ELECTION_H
#define ELECTION_H

#include <stddef.h>

#include "election_types.h"

/**
 * @file
 * CARP's election (protocol note 4 and 5): a pure function of state, event and time
 * that returns actions. No clock, no I/O, no allocation, no lock, no randomness but
 * the seed given at init. The same object code runs in the appliance and in tests.
 *
 * Time. `now` never goes backwards from one call to the next. Advert deadlines are
 * served against `now`; master-down deadlines against min(now, rx horizon of the
 * interface), where the horizon says up to when received frames are known to have
 * been handed over: adverts that lie unread are not silence.
 *
 * Actions. Each call appends to the given list and may be called with room for
 * ELECTION_ACTIONS_MIN actions at least; election_tick() says when more is due.
 *
 * @thread the control lcore (or one simulator thread); one object, one thread
 */

struct election;

/** Room that every call needs in its action list. */
#define ELECTION_ACTIONS_MIN 64

/** Bytes needed for this many interfaces, and groups or the room for them. */
size_t election_size(uint16_t if_count, uint16_t group_count);

/**
 * Make an election in mem, which has election_size() bytes aligned to 16. Every group starts in
 * INIT; runnable ones go to BACKUP with the first tick.
 * @return the election, or NULL when the configuration is out of bounds: an advskew over 254, an
 *         interface id that does not exist, an unknown family, over 255 groups on an interface.
 */
struct election *election_init(void *mem, const struct election_config *config, base_ns_t now);

/**
 * Feed one event.
 * @return 0; -EINVAL when a group or interface id, or a value, is out of bounds (nothing changed);
 *         -EAGAIN for FORCE_* on a group in INIT and for anything but ADVERT, LINK, SENT, STALL,
 *         FRAME_SEEN and AUTH_FAILED after SHUTDOWN (nothing changed); -ENOSPC when the list has
 *         less room than election_input_room() (nothing changed).
 */
int election_input(struct election *e, const struct election_event *ev, base_ns_t now,
	struct election_actions *out);

/** Room that election_input() may need: events about the whole box act on every group. */
uint32_t election_input_room(const struct election *e, enum election_event_type type);

/**
 * @name Another configuration, while all others go on.
 * They need room for ELECTION_ACTIONS_MIN actions, and fail with -EAGAIN after SHUTDOWN. Nothing is
 * changed when they fail. @{
 */
/**
 * Configure a group in place, or begin one in a slot that has none, in INIT and runnable at once.
 * One that is there keeps its interface and state, and what its operator made of admin_up; a MASTER
 * whose families changed announces again.
 * @return 0; -EINVAL out of bounds as in election_init(), or another interface
 */
int election_group_set(struct election *e, uint16_t group, const struct election_group_config *g,
	base_ns_t now, struct election_actions *out);
/**
 * End a group: its slot has none from now on.
 * @return 0; -EINVAL there is none; -EBUSY it is not in INIT, or still hands over: ELECTION_EV_DOWN
 *         comes first, so that a MASTER bows out
 */
int election_group_remove(
	struct election *e, uint16_t group, base_ns_t now, struct election_actions *out);
/** Of an interface; a hold that runs goes on as it began. @return 0 or -EINVAL */
int election_if_set(struct election *e, uint16_t if_id, bool track, base_ns_t linkup_hold_ns,
	base_ns_t now, struct election_actions *out);
/** The time of a MASTER's next announcement counts from now. */
int election_refresh_set(struct election *e, base_ns_t announce_refresh_ns, base_ns_t now);
/** @} */

/**
 * The oldest time up to which received frames of this interface are known to have been
 * handed over. Never goes backwards; a smaller value is ignored. Without any call the
 * horizon is BASE_NS_NEVER: always up to date. Read it before draining what it speaks of.
 */
void election_set_rx_horizon(struct election *e, uint16_t if_id, base_ns_t horizon);
/**
 * When the receive side of this interface was last seen at work: a queue that is never empty keeps
 * the horizon behind, but who reads it does not stand still. A receive side that stood for longer
 * than the interface's shortest master-down time, counted from election_init() at the earliest and
 * without the gaps of ELECTION_EV_STALL, demotes. Never goes backwards, and is the horizon where
 * that is later.
 */
void election_set_rx_alive(struct election *e, uint16_t if_id, base_ns_t at);

/**
 * Serve every deadline that is due.
 * @return true when the list is full and more is due: carry out the actions and call again with
 *         the same now.
 */
bool election_tick(struct election *e, base_ns_t now, struct election_actions *out);

/**
 * The next time at which election_tick() has work; BASE_NS_NEVER when idle. It lies in the past
 * while a master-down waits for the horizon of its interface: what comes next is
 * election_set_rx_horizon(), so poll. A hand-over may also end earlier, when the horizon passes
 * the successor's advert.
 */
base_ns_t election_deadline(const struct election *e);

/** What the group shows; -EINVAL for an id out of bounds. */
int election_group_info(
	const struct election *e, uint16_t group, base_ns_t now, struct election_group_info *out);

/** Active ledger entries from the i-th on: fills *out and returns true, or false at the end. */
bool election_demotion_entry(
	const struct election *e, uint32_t i, struct election_demotion_entry *out);
/** Sum of the ledger. */
uint32_t election_demotion_total(const struct election *e);
bool election_preempt(const struct election *e);
bool election_allow(const struct election *e);
bool election_drained(const struct election *e);

/** True while any group is owned without being MASTER; SIGTERM waits for this to end. */
bool election_handing_over(const struct election *e);

const char *election_state_name(enum election_state s);
const char *election_cause_text(enum election_cause c);
const char *election_demotion_source_name(enum election_demotion_source s);
/** The rule of note 5 behind a cause, in the words of its formula. */
const char *election_cause_rule(enum election_cause c);
const char *election_hold_name(enum election_hold h);
const char *election_warn_text(enum election_warn w);
/** Of one bit of ELECTION_SPLIT_*. */
const char *election_split_text(unsigned int bit);

/** @name The protocol's arithmetic, for the core and for those who explain it. @{ */
/** Advertisement interval: advbase + effective advskew/256 s; fast groups max(advskew,1)/256 s. */
base_ns_t election_interval(uint8_t advbase, uint8_t configured_advskew, uint8_t effective_advskew);
/**
 * Master-down time from the configured values: 3*advbase + advskew/256 s; fast
 * 3*max(advskew,1)/256 s.
 */
base_ns_t election_master_down(uint8_t advbase, uint8_t configured_advskew);
/** What a group with this advskew advertises under this total demotion (note 4.1). */
struct election_priority election_effective(uint8_t advbase, uint8_t advskew, uint32_t demotion);
/** MASTER with priority own hears peer: step down? Sets *cause when true. */
bool election_master_yields(const struct election_priority *own,
	const struct election_priority *peer, enum election_cause *cause);
/** BACKUP with priority own hears peer: take over at once? Sets *cause when true. */
bool election_backup_claims(const struct election_priority *own,
	const struct election_priority *peer, bool preempt, enum election_cause *cause);
/** Does the interval that peer advertises fit a group configured like this? */
enum election_warn election_timing_fit(
	uint8_t advbase, uint8_t advskew, const struct election_priority *peer);
/** @} */

#endif
