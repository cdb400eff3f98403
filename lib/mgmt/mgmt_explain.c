/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Why a group is what it is, in sentences: gathering, and the order of the parts. */
#include "mgmt_explain_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A view older than this says that the control lcore does not run. */
#define STALE_NS BASE_NS_PER_S

static void
add_wrapped(json_t *lines, const char *text)
{
	char line[MGMT_EXPLAIN_LINE + 1];
	const char *indent = "";

	while (*text != '\0') {
		const size_t left = strlen(text), room = MGMT_EXPLAIN_LINE - strlen(indent);
		size_t n = left;

		if (left > room)
			for (n = room; n > 0 && text[n] != ' ';)
				n--;
		if (n == 0)
			n = room;
		snprintf(line, sizeof(line), "%s%.*s", indent, (int)n, text);
		json_array_append_new(lines, json_string(line));
		text += n;
		text += strspn(text, " ");
		indent = "  ";
	}
}

void
mgmt_explain_say(struct mgmt_explain *x, const char *fmt, ...)
{
	char text[768];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	add_wrapped(x->lines, text);
}

/* The decision that led to the present state, unless newer ones have pushed it out. */
static void
find_transition(struct mgmt_explain *x)
{
	struct ctl_event *e = calloc(CTL_DECISIONS_KEPT, sizeof(*e));
	const struct election_group_info *info = &x->v.info;
	uint64_t last;
	uint32_t n = 0;

	if (e)
		n = ctl_events(x->c->ctl, x->group, 0, e, CTL_DECISIONS_KEPT, &last);
	while (n-- > 0) {
		if (e[n].kind != CTL_EVENT_STATE)
			continue;
		if (e[n].to == info->state && e[n].cause == info->cause)
			x->last = e[n];
		break;
	}
	free(e);
}

static void
explain_staleness(struct mgmt_explain *x)
{
	base_ns_t age = base_ns_since(x->now, x->v.published_at);
	char span[MGMT_SPAN_STR];

	if (age > STALE_NS)
		mgmt_explain_say(x,
			"All this is %s old: the control lcore has not run since (show lcores).",
			mgmt_span_str(age, span));
}

/* @return the lines from offset on, at most limit, and "next" */
static void
put_lines(json_t *o, const json_t *lines, const struct mgmt_args *a)
{
	json_t *page = json_array();
	uint64_t i = a->offset, n = json_array_size(lines);

	for (; i < n && (a->limit == 0 || i - a->offset < a->limit); i++)
		json_array_append(page, json_array_get(lines, i));
	json_object_set_new(o, "lines", page);
	put_u64(o, "count", n);
	put_u64(o, "next", i < n ? i : 0);
}

json_t *
mgmt_view_carp_explain(const struct mgmt_config *c, const struct mgmt_args *a)
{
	struct mgmt_explain x = {
		.c = c,
		.group = a->group,
		.conf = &c->conf->groups[a->group],
		.name = mgmt_group_name(c, a->group),
		.now = dp_clock(),
	};

	if (ctl_group_view(c->ctl, a->group, &x.v) != 0)
		return NULL;
	ctl_box_view(c->ctl, &x.box);
	x.ifname = mgmt_if_name(c, x.conf->if_index);
	x.out = json_object();
	x.lines = json_array();
	find_transition(&x);

	mgmt_explain_state(&x);
	mgmt_explain_obstacles(&x);
	mgmt_explain_heard(&x);
	mgmt_explain_timers(&x);
	mgmt_explain_demotion(&x);
	mgmt_explain_holds(&x);
	mgmt_explain_stage(&x);
	mgmt_explain_suspicions(&x);
	mgmt_explain_refused(&x);
	mgmt_explain_verdict(&x);
	mgmt_explain_changes(&x);
	explain_staleness(&x);

	put_lines(x.out, x.lines, a);
	json_decref(x.lines);
	return x.out;
}
