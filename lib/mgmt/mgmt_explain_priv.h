/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_EXPLAIN_PRIV_H
#define MGMT_EXPLAIN_PRIV_H

#include <stdbool.h>

#include "ctl.h"
#include "dp.h"
#include "election.h"

#include "mgmt_json_priv.h"
#include "mgmt_view_priv.h"

/**
 * @file
 * The parts of mgmt_view_carp_explain(). Each adds sentences to lines and what they say as
 * fields to out. Times in fields are whole us.
 */

struct mgmt_explain {
	const struct mgmt_config *c;
	const struct conf_group *conf;
	const char *name, *ifname;
	uint16_t group;
	base_ns_t now;
	struct ctl_group_view v;
	struct ctl_box_view box;
	struct ctl_event last; /**< the transition into the present state; seq 0 if not kept */
	json_t *out, *lines;
};

/** Longest line in bytes: what telemetry carries in one string. */
#define MGMT_EXPLAIN_LINE 127

/** Add a sentence; a long one goes on in further lines, indented. */
void mgmt_explain_say(struct mgmt_explain *x, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** @name What is (mgmt_explain_now.c). @{ */
void mgmt_explain_state(struct mgmt_explain *x);
void mgmt_explain_heard(struct mgmt_explain *x);
void mgmt_explain_timers(struct mgmt_explain *x);
void mgmt_explain_demotion(struct mgmt_explain *x);
void mgmt_explain_holds(struct mgmt_explain *x);
void mgmt_explain_suspicions(struct mgmt_explain *x);
void mgmt_explain_refused(struct mgmt_explain *x);
/** @} */

void mgmt_explain_stage(struct mgmt_explain *x); /**< mgmt_stage.c */

/** @name What would have to change for another role (mgmt_explain_next.c). @{ */
/** INIT: what stands in the way, and what to do about it. */
void mgmt_explain_obstacles(struct mgmt_explain *x);
/** BACKUP: how this box compares with what it heard. */
void mgmt_explain_verdict(struct mgmt_explain *x);
void mgmt_explain_changes(struct mgmt_explain *x);
/** @} */

/** What is left until t, 0 when it has passed. */
static inline base_ns_t
mgmt_explain_left(const struct mgmt_explain *x, base_ns_t t)
{
	return base_ns_since(t, x->now);
}

static inline void
put_us(json_t *o, const char *key, base_ns_t ns)
{
	put_u64(o, key, ns / BASE_NS_PER_US);
}

#endif
