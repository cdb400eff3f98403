/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

/**
 * @file
 * What is asserted of the boxes of sim.h, which includes this.
 */

/** @name check.c: what the whole must hold to. @{ */
void check_init(struct sim *s);
/** A node advertises and will again after this long. */
void check_promise(struct node *n, uint16_t group, base_ns_t interval);
/** A node's group changed its state. */
void check_state(struct sim *s, struct node *n, uint16_t group, enum election_state to);
void check_touch_group(struct sim *s, uint16_t group);
void check_touch_node(struct sim *s, struct node *n);
/** A frame of from did not get to node to in time. */
void check_lost(struct sim *s, uint16_t group, uint8_t from, uint8_t to);
/** Everything about every group, now and then. */
void check_sweep(struct sim *s);
/** Each group may take this long to settle. */
base_ns_t check_bound(const struct sim *s, uint16_t group);
/** What a node's group would advertise now. */
struct election_priority check_priority(const struct sim *s, const struct node *n, uint16_t group);
bool check_runnable(const struct node *n, const struct group *g, uint16_t group);
/** @} */

/** @name oracle*.c: what one box must hold to, by the protocol note alone. @{ */
#define ORACLE_DEMOTED_SKEW  240
#define ORACLE_WORDS_NS	     (10 * BASE_NS_PER_MS) /* an announcement after a bow-out */
#define ORACLE_WORDS_REST_NS BASE_NS_PER_S
#define ORACLE_TIE_MAX_NS    (100 * BASE_NS_PER_MS)
/** A timer may be served this late, a little short of what counts as a stall included. */
#define ORACLE_PACE_SLACK_NS (BASE_NS_PER_MS + BASE_NS_PER_MS / 2)
struct oracle_call {
	enum election_state before[SIM_GROUPS];
};
void oracle_start(struct sim *s, struct node *n);
void oracle_before(
	struct sim *s, struct node *n, const struct election_event *ev, struct oracle_call *c);
void oracle_action(struct sim *s, struct node *n, const struct election_action *a);
void oracle_after(
	struct sim *s, struct node *n, const struct election_event *ev, struct oracle_call *c);
void oracle_sent(struct sim *s, struct node *n, uint16_t group, bool ok);
/** The verdict about a frame; before and after are digests of everything the box shows. */
void oracle_verdict(struct sim *s, struct node *n, const struct frame *f, enum ctl_stat verdict,
	uint64_t before, uint64_t after);
void oracle_turn_end(struct sim *s, struct node *n);
/** A MASTER hears a bow-out. */
void oracle_last_words(struct node *n, uint16_t g);
/** @name oracle_stage.c: staged changes. @{ */
void oracle_staged(struct node *n, uint16_t group, bool behind, base_ns_t window);
void oracle_decided(struct node *n, uint16_t group);
/** It is over; now: an operator ended it. */
void oracle_stage_over(struct sim *s, struct node *n, uint16_t group, bool now);
/** An advert was sent with these keys, the last of them last. */
void oracle_sent_keys(struct sim *s, struct node *n, uint16_t group, uint8_t keys, uint8_t last);
/** A good advert was heard, and the election was told or not. */
void oracle_told(struct sim *s, struct node *n, const struct frame *f, const struct ctl_advert *a,
	bool told);
/** @} */
uint64_t oracle_digest(const struct node *n);
/** Of one group. */
uint64_t oracle_digest_group(const struct node *n, uint16_t group);
/** A group is new on a box, or gone from it. */
void oracle_group_new(struct node *n, uint16_t group);
/** A group's timing became another one, or, with the same, what its families' silence means. */
void oracle_retimed(struct shadow *sh, base_ns_t down_was, base_ns_t down);
/** Frames of this kind must leave no trace. */
bool oracle_harmless(const struct sim *s, const struct node *n, const struct frame *f);
/** Since when a BACKUP has heard nothing that it counts (local). */
base_ns_t oracle_silent_since(const struct group *g, const struct node *n, uint16_t group);
uint32_t oracle_rank(const struct election_priority *p);
bool oracle_is_bow_out(const struct election_priority *p);
struct election_priority oracle_effective(uint8_t base, uint8_t skew, uint32_t demotion);
base_ns_t oracle_interval(uint8_t base, uint8_t skew, uint8_t eff);
base_ns_t oracle_master_down(uint8_t base, uint8_t skew);
/** @} */

#endif
