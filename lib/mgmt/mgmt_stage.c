/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* A staged change of a group's password or VIPs, in words and fields. */
#include "mgmt_view_priv.h"

#include <stdio.h>

#include "auth_stage.h"
#include "conf_stage.h"
#include "ctl.h"
#include "dp.h"
#include "election.h"

#include "mgmt_change_priv.h"
#include "mgmt_explain_priv.h"
#include "mgmt_json_priv.h"

/* Two digests this much apart, in the peer's intervals, were not sent together. */
#define TOGETHER_HALF_INTERVALS 3

static const char *const words[AUTH_IDENTITIES] = {"old", "new"};

/* What a MASTER sends: "old", "new", "both". */
static const char *
sends(const struct auth_stage *s)
{
	enum auth_identity which;

	return auth_stage_send(s, 1, &which) ? "both" : words[s->running];
}

const char *
mgmt_stage_str(
	const struct auth_stage *s, const char *what, base_ns_t now, char buf[MGMT_STAGE_STR])
{
	const char *run = words[s->running], *other = words[AUTH_NEW - s->running];
	char left[MGMT_SPAN_STR], until[MGMT_SPAN_STR + 48];

	mgmt_span_str(base_ns_since(s->until, now), left);
	if (now < s->until)
		snprintf(until, sizeof(until), "for %s", left);
	else
		snprintf(until, sizeof(until), "as long as the master sends both");
	switch ((enum auth_stage_phase)s->phase) {
	case AUTH_STAGE_NONE:
	case AUTH_STAGE_COUNT:
		buf[0] = '\0';
		break;
	case AUTH_STAGE_STAGED:
		snprintf(buf, MGMT_STAGE_STR,
			"change staged: %s; the old digest and the new one are accepted, and sent "
			"as MASTER; commit or abort within %s",
			what, left);
		break;
	case AUTH_STAGE_DECIDED:
		snprintf(buf, MGMT_STAGE_STR,
			"change %s: %s; the %s digest is used%s; the %s one is accepted %s",
			s->running == AUTH_NEW ? (s->by_operator ? "committed" : "adopted")
					       : (s->by_operator ? "aborted" : "not committed"),
			what, run,
			auth_stage_send(s, 1, &(enum auth_identity){0})
				? ", and both are sent, since others use the old one alone"
				: "",
			other, until);
		break;
	}
	return buf;
}

const char *
mgmt_stage_peer(const struct ctl_peer *p)
{
	base_ns_t old = p->identity[AUTH_OLD], new = p->identity[AUTH_NEW];
	base_ns_t apart = old > new ? old - new : new - old;
	base_ns_t interval = election_interval(p->prio.advbase, p->prio.advskew, p->prio.advskew);

	if (old == 0 && new == 0)
		return "";
	if (old != 0 && new != 0 && apart < TOGETHER_HALF_INTERVALS * interval / 2)
		return "both";
	return words[new > old ? AUTH_NEW : AUTH_OLD];
}

/* What the configuration has of it, or, by command, the only thing that commands stage. */
static const char *
changes(const struct mgmt_config *c, uint16_t group, const struct ctl_group_view *v,
	char buf[CONF_STAGE_STR])
{
	const struct conf_group *g = &c->conf->groups[group];

	return v->by_reload && g->staged != NULL ? conf_stage_str(g, buf) : "pass";
}

/* "192.0.2.3 sends the new digest", for each peer that was heard since the change was staged. */
static json_t *
peers_json(const struct mgmt_config *c, uint16_t group)
{
	struct ctl_peer peers[CTL_PEERS_MAX];
	uint32_t n = ctl_peers(c->ctl, group, peers);
	char addr[CONF_ADDR_STR], text[CONF_ADDR_STR + 48];
	json_t *list = json_array();

	for (uint32_t i = 0; i < n && i < CTL_PEERS_MAX; i++) {
		const char *digest = mgmt_stage_peer(&peers[i]);

		if (digest[0] == '\0')
			continue;
		snprintf(text, sizeof(text), "%s sends %s%s", conf_addr_str(&peers[i].addr, addr),
			digest[0] == 'b' ? "both digests" : "the ",
			digest[0] == 'b'		    ? ""
				: digest == words[AUTH_OLD] ? "old digest"
							    : "new digest");
		json_array_append_new(list, json_string(text));
	}
	return list;
}

void
mgmt_stage_put(json_t *o, const struct mgmt_config *c, uint16_t group,
	const struct ctl_group_view *v, base_ns_t now)
{
	const struct auth_stage *s = &v->stage;
	const bool on = s->phase != AUTH_STAGE_NONE;
	char text[MGMT_STAGE_STR], buf[CONF_STAGE_STR];
	const char *what;

	put_str(o, "stage", auth_stage_name((enum auth_stage_phase)s->phase));
	put_u64(o, "staged_left_ms", on ? base_ns_since(s->until, now) / BASE_NS_PER_MS : 0);
	if (!on)
		return;
	put_str(o, "stage_uses", words[s->running]);
	put_str(o, "stage_sends", sends(s));
	put_bool(o, "stage_by_operator", s->by_operator);
	what = changes(c, group, v, buf);
	put_str(o, "stage_changes", what);
	put_str(o, "stage_text", mgmt_stage_str(s, what, now, text));
	put_str(o, "stage_failed", c->file != NULL ? c->file->failed : "");
	json_object_set_new(o, "stage_peers", peers_json(c, group));
}

void
mgmt_explain_stage(struct mgmt_explain *x)
{
	const char *failed;
	json_t *peer, *list;
	size_t i;

	if (x->v.stage.phase == AUTH_STAGE_NONE)
		return;
	mgmt_stage_put(x->out, x->c, x->group, &x->v, x->now);
	list = json_object_get(x->out, "stage_peers");
	failed = get_str(x->out, "stage_failed");
	mgmt_explain_say(x, "Password or VIPs: %s.", get_str(x->out, "stage_text"));
	if (failed[0] != '\0')
		mgmt_explain_say(x, "- not applied yet: %s; it is tried again.", failed);
	json_array_foreach (list, i, peer)
		mgmt_explain_say(x, "- %s.", json_string_value(peer));
	if (json_array_size(list) == 0)
		mgmt_explain_say(x, "- no peer was heard since; backups are silent.");
}
