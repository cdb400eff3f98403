/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef ELECTION_TEST_H
#define ELECTION_TEST_H

#include "election.h"

/**
 * @file
 * A box under test: an election, its clock and a record of what it asked for. Every call checks
 * the invariants that hold whatever a test does, see election_test.c.
 */

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/** Zero means nothing on koi's clock: tests start anywhere. */
#define T0	 (1000 * BASE_NS_PER_S)
#define SKEW(n)	 ((n)*BASE_NS_PER_SKEW)
#define SECS(n)	 ((n)*BASE_NS_PER_S)
#define MSECS(n) ((n)*BASE_NS_PER_MS)

/** An action with the time at which it was asked for. */
struct step {
	base_ns_t at;
	struct election_action act;
};

/** What the actions so far say about a group. */
struct seen {
	enum election_state state;
	bool owned;
	bool claiming;		   /* between OWN and the STATE that goes with it */
	enum election_cause cause; /* of the last STATE */
	enum election_warn warn;
	uint8_t split;
	bool gone; /* a slot without a group */
};

struct box {
	struct election *e;
	void *mem;
	base_ns_t now;
	uint16_t if_count, group_count; /* slots of groups */
	struct step *log;
	uint32_t n, cap, read;
	struct election_actions list;
	struct seen *seen;
	base_ns_t startup_until;
	bool lagging; /* a horizon was set: deadlines may wait for it */
};

/** A box with this configuration at T0, nothing ticked yet; NULL when it is refused. */
struct box *box_new(const struct election_config *config);
/** One interface with one runnable group, started: BACKUP since T0, nothing on record. */
struct box *box_one(uint8_t advbase, uint8_t advskew, bool preempt);
/** The same for n groups on an interface each. */
struct box *box_many(uint16_t n, uint8_t advbase, uint8_t advskew, bool preempt);
void box_free(struct box *b);

/** Feed an event without ticking. */
int box_input(struct box *b, const struct election_event *ev);
void box_tick(struct box *b);
/** One turn: feed an event, tick. */
int box_feed(struct box *b, const struct election_event *ev);
/** Move the clock to t, stopping at every deadline on the way, t included. */
void box_run(struct box *b, base_ns_t t);
/** Move the clock by d without serving anything: the next call is late. */
void box_sleep(struct box *b, base_ns_t d);

/** @name One turn with an event. @{ */
/** An advert by IPv4 from 192.0.2.3. */
int box_advert(struct box *b, uint16_t group, uint8_t advbase, uint8_t advskew, uint8_t demotion);
/** The same from host n of the test's segment, family 4 or 6. */
int box_advert_from(
	struct box *b, uint16_t group, uint8_t family, uint8_t host, struct election_priority prio);
int box_bow_out(struct box *b, uint16_t group);
int box_group(struct box *b, enum election_event_type type, uint16_t group);
int box_switch(struct box *b, enum election_event_type type, bool on);
int box_link(struct box *b, uint16_t if_id, bool up);
int box_vips(struct box *b, uint16_t group, bool any);
int box_sent(struct box *b, uint16_t group, bool ok);
int box_timing(struct box *b, uint16_t group, uint8_t advbase, uint8_t advskew);
int box_demote(struct box *b, uint8_t amount);
int box_stall(struct box *b, base_ns_t gap);
int box_frame(struct box *b, uint16_t if_id);
int box_auth_failed(struct box *b, uint16_t group, uint8_t host);
/** Configure a group, in its slot or anew; or end one, which is down. */
int box_set(struct box *b, uint16_t group, const struct election_group_config *g);
int box_remove(struct box *b, uint16_t group);
/** @} */
void box_horizon(struct box *b, uint16_t if_id, base_ns_t horizon);

/** Address n of the test's segment: 192.0.2.n or fe80::n. */
struct base_addr box_host(uint8_t family, uint8_t n);

struct election_group_info box_info(const struct box *b, uint16_t group);
enum election_state box_state(const struct box *b, uint16_t group);

/** @name The record, in order. @{ */
/** The next action: asserts its type and group, and that it was asked for at time at. */
const struct election_action *box_take(
	struct box *b, enum election_action_type type, uint16_t group, base_ns_t at);
/** An ADVERT with this priority. */
const struct election_action *box_take_advert(struct box *b, uint16_t group, uint8_t advbase,
	uint8_t advskew, uint8_t demotion, base_ns_t at);
const struct election_action *box_take_state(struct box *b, uint16_t group, enum election_state to,
	enum election_cause cause, base_ns_t at);
/** All of a take-over, in its order; returns the STATE. */
const struct election_action *box_take_claim(
	struct box *b, uint16_t group, enum election_cause cause, base_ns_t at);
const struct election_action *box_take_demotion(struct box *b, enum election_demotion_source source,
	uint16_t amount, uint32_t total, base_ns_t at);
/** A SPLIT to these reasons. */
const struct election_action *box_take_split(
	struct box *b, uint16_t group, uint8_t reasons, base_ns_t at);
const struct election_action *box_take_warn(
	struct box *b, uint16_t group, enum election_warn kind, base_ns_t at);
/** A DECISION: cause is put off by hold. */
const struct election_action *box_take_put_off(struct box *b, uint16_t group,
	enum election_cause cause, enum election_hold hold, base_ns_t at);
/** Nothing more is on record. */
void box_quiet(const struct box *b);
void box_forget(struct box *b);
/** @} */

/** Wait for the group to become MASTER, and forget how. */
void box_make_master(struct box *b, uint16_t group);

#endif
