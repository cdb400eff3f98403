/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

/**
 * @file
 * What happens to the boxes of sim.h, which includes this: faults, operators, attackers.
 */

/** @name plan.c and faults.c: who is where and what happens. @{ */
void plan_build(struct sim *s);
/** Switch the boxes on. */
void plan_start(struct sim *s);
void plan_restart(struct sim *s, struct node *n);
void plan_link(struct sim *s, struct node *n, uint8_t seg, bool up);
void plan_meddle(struct sim *s);
/** A box that was asked to stop has handed over. */
void plan_stopped(struct sim *s, struct node *n);
/** Repair everything. */
void plan_heal(struct sim *s);
/** One event on a whole and settled network. */
void plan_probe(struct sim *s);
/** An advskew that a group may have on a box. */
uint8_t plan_skew(struct sim *s, const struct node *n, uint16_t group);
/** What must have come of it. */
void plan_probe_end(struct sim *s);
/** @} */

/** @name reload.c: configurations, and boxes that load them. @{ */
/** While boxes have different advbases, no interval comes near the shortest master-down time. */
#define RELOAD_SKEWS 200
/** What all boxes begin with. */
void reload_init(struct sim *s);
/** An operator goes to the next box, or has a new idea. */
void reload_next(struct sim *s);
/** Have this box load the newest configuration, now or with its next start. */
void reload_box(struct sim *s, struct node *n);
/** Go on with it in each turn. */
void reload_tick(struct sim *s, struct node *n);
/** A box that ends before it has loaded it begins with it. */
void reload_crashed(struct node *n);
/** @} */

/** @name stage.c: changes that are staged on box after box. @{ */
void stage_init(struct sim *s);
/** Operators have another idea. */
void stage_next(struct sim *s);
/** The next step of a campaign on a box. */
void stage_step(struct sim *s, struct node *n, uint16_t group);
/** Windows end. */
void stage_tick(struct sim *s, struct node *n);
/** A good advert was heard. @return false: the election knows it already */
bool stage_heard(struct node *n, const struct ctl_advert *a);
/** A box ended: what was staged is forgotten. */
void stage_crashed(struct sim *s, struct node *n);
/** Some change is staged somewhere, or will be, and need not wait for its group to go up. */
bool stage_busy(const struct sim *s);
/** Operators end what is left, and give all boxes one key again. */
void stage_end(struct sim *s);
/** @} */

/** @name attack.c @{ */
void attack_capture(struct sim *s, uint16_t frame);
void attack_meddle(struct sim *s);
/** @} */

#endif
