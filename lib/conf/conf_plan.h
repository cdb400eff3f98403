/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CONF_PLAN_H
#define CONF_PLAN_H

#include "conf.h"

/**
 * @file
 * What differs between the configuration that runs and another one, object by object: made from the
 * table of keys, of which each has a class that says what applies it.
 */

enum conf_plan_action {
	CONF_PLAN_KEPT = 0,
	CONF_PLAN_CHANGED,
	CONF_PLAN_ADDED,
	CONF_PLAN_REMOVED,
};

/** What a change asks for beside being applied; of several the greatest. */
enum conf_plan_need {
	CONF_PLAN_NOTHING = 0,
	CONF_PLAN_ALL_BOXES, /**< the same change on all boxes of the group */
	CONF_PLAN_LEAVES,    /**< the group leaves and comes back as another one */
	CONF_PLAN_RESTART,   /**< only a restart applies it */
};

struct conf_plan_item {
	const char *object;	      /**< "node", "interface", "group", ... */
	char name[CONF_NODE_MAX + 1]; /**< of the object; "" where there is one only */
	enum conf_plan_action action;
	enum conf_plan_need need;
	char keys[240]; /**< of one that was changed: those that differ, with commas between */
};

/** Routes are not in it: what differs there is known to who has the running ones. */
struct conf_plan {
	uint32_t n, n_kept;
	bool restart; /**< one of them needs it */
	struct conf_plan_item *item;
};

/** @return 0 or -ENOMEM; free with conf_plan_free() in either case @thread any */
int conf_plan_make(struct conf_plan *p, const struct conf *now, const struct conf *next);
void conf_plan_free(struct conf_plan *p);
const char *conf_plan_action_name(enum conf_plan_action a);
/** "needs a restart"; "" for nothing. */
const char *conf_plan_need_name(enum conf_plan_need n);
/** The interface of a name, or NULL. */
const struct conf_if *conf_if_find(const struct conf *c, const char *name);
/** The group of a name, of those that are used, or NULL. */
const struct conf_group *conf_group_find(const struct conf *c, const char *name);
/** Addresses are the same, in the same order. */
bool conf_prefixes_same(
	const struct base_prefix *a, uint16_t n_a, const struct base_prefix *b, uint16_t n_b);

/**
 * Number a configuration that was just loaded as the running one is, so that whoever counts by
 * interfaces and groups finds the same ones under the same numbers: interfaces and devices as they
 * run; a group by its name in its slot, unless its interface or vhid is another one, which makes it
 * another group; new groups in slots that were never used, else in unused ones; slots of groups
 * that are gone unused. What refers to an interface is renumbered.
 * @param next  its interfaces are those of now, in any order; its groups are only where they were
 *              when it fails
 * @return 0, -ENOMEM, or -ENOSPC: more groups than now->group_room
 */
int conf_align(struct conf *next, const struct conf *now);
/** Whether two groups, or one and what is left of one in its slot, are the same one by that. */
bool conf_group_same(const struct conf_group *a, const struct conf_group *b);

#endif
