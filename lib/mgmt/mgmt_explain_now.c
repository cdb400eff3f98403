/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What a group is now: its state and why, whom it heard, its timers, what is suspected. */
#include "mgmt_explain_priv.h"

#include <stdio.h>
#include <string.h>

#define DEMOTIONS_SHOWN 16

static void
put_priority(json_t *o, const char *key, const struct election_priority *p)
{
	json_t *sub = json_object();

	put_u64(sub, "advbase", p->advbase);
	put_u64(sub, "advskew", p->advskew);
	put_u64(sub, "demotion", p->demotion);
	json_object_set_new(o, key, sub);
}

static bool
dual_stack(const struct mgmt_explain *x)
{
	return x->v.info.families == (ELECTION_IP4 | ELECTION_IP6);
}

#define DOWN_STR (MGMT_SPAN_STR + 48)

/* "3.391 s = 3 * 1 s + 100/256 s" */
static const char *
down_formula(const struct election_group_info *info, char buf[DOWN_STR])
{
	char span[MGMT_SPAN_STR];

	mgmt_span_str(info->master_down, span);
	if (info->advbase == 0)
		snprintf(buf, DOWN_STR, "%s = 3 * max(%u, 1)/256 s", span, info->advskew);
	else
		snprintf(buf, DOWN_STR, "%s = 3 * %u s + %u/256 s", span, info->advbase,
			info->advskew);
	return buf;
}

/* The numbers that the rule was fed with. */
static void
explain_numbers(struct mgmt_explain *x)
{
	const struct ctl_event *e = &x->last;
	char own[MGMT_PRIORITY_STR], peer[MGMT_PRIORITY_STR], addr[CONF_ADDR_STR];
	char span[MGMT_SPAN_STR], down[DOWN_STR];

	switch (e->cause) {
	case ELECTION_CAUSE_TIMEOUT:
		down_formula(&x->v.info, down);
		if (e->since_heard == BASE_NS_NEVER)
			mgmt_explain_say(x, "Numbers: no advert at all for %s.", down);
		else
			mgmt_explain_say(x,
				"Numbers: the last advert, of %s, was %s old; it waits %s.",
				conf_addr_str(&e->src, addr), mgmt_span_str(e->since_heard, span),
				down);
		if (dual_stack(x) && e->family != BASE_FAMILY_NONE)
			mgmt_explain_say(x, "The %s timer decided (family-timers any).",
				mgmt_family_name(e->family));
		break;
	case ELECTION_CAUSE_BOW_OUT:
		mgmt_explain_say(x, "Numbers: %s sent 255/255.", conf_addr_str(&e->src, addr));
		break;
	case ELECTION_CAUSE_PREEMPT:
	case ELECTION_CAUSE_PEER_DEMOTED:
	case ELECTION_CAUSE_SLOW_PEER:
	case ELECTION_CAUSE_BETTER_PEER:
	case ELECTION_CAUSE_TIE:
	case ELECTION_CAUSE_PEER_HEALTHIER:
		mgmt_explain_say(x, "Numbers: own %s against %s of %s.",
			mgmt_priority_str(&e->own, own), mgmt_priority_str(&e->peer, peer),
			conf_addr_str(&e->src, addr));
		break;
	case ELECTION_CAUSE_NONE:
	case ELECTION_CAUSE_RUNNABLE:
	case ELECTION_CAUSE_FORCED:
	case ELECTION_CAUSE_DRAINED:
	case ELECTION_CAUSE_ADMIN_DOWN:
	case ELECTION_CAUSE_LINK_DOWN:
	case ELECTION_CAUSE_IF_DOWN:
	case ELECTION_CAUSE_NO_VIP:
	case ELECTION_CAUSE_DISALLOWED:
	case ELECTION_CAUSE_SHUTDOWN:
	case ELECTION_CAUSE_STALLED:
	case ELECTION_CAUSE_COUNT:
		break;
	}
	if (e->text[0] != '\0')
		mgmt_explain_say(x, "The command was: %s.", e->text);
	if (e->hold != ELECTION_HOLD_NONE)
		mgmt_explain_say(x, "It had been put off by %s.", election_hold_name(e->hold));
	if (e->to == ELECTION_MASTER && e->takeover_ns > 0)
		mgmt_explain_say(x, "The first advert went out %s after the decision.",
			mgmt_span_str(e->takeover_ns, span));
	if (e->late > 0)
		mgmt_explain_say(
			x, "The decision came %s after its time.", mgmt_span_str(e->late, span));
}

/* The same as fields. */
static void
put_decision(json_t *out, const struct ctl_event *e)
{
	json_t *o = json_object();
	char addr[CONF_ADDR_STR], wall[MGMT_WALL_STR];

	put_u64(o, "seq", e->seq);
	put_str(o, "wall", mgmt_wall_str(e->wall_ns, wall));
	put_str(o, "from", election_state_name(e->from));
	put_priority(o, "own", &e->own);
	put_priority(o, "peer", &e->peer);
	put_str(o, "source", mgmt_addr_str(&e->src, addr));
	if (e->since_heard != BASE_NS_NEVER)
		put_us(o, "since_heard_us", e->since_heard);
	if (e->family != BASE_FAMILY_NONE)
		put_str(o, "family", mgmt_family_name(e->family));
	put_str(o, "hold", e->hold == ELECTION_HOLD_NONE ? "" : election_hold_name(e->hold));
	put_us(o, "late_us", e->late);
	if (e->to == ELECTION_MASTER)
		put_us(o, "takeover_us", e->takeover_ns);
	put_str(o, "command", e->text);
	json_object_set_new(out, "decision", o);
}

void
mgmt_explain_state(struct mgmt_explain *x)
{
	const struct election_group_info *info = &x->v.info;
	base_ns_t age = base_ns_since(x->now, info->state_since);
	char span[MGMT_SPAN_STR], wall[MGMT_WALL_STR];
	const bool known = x->last.seq != 0;

	put_str(x->out, "name", x->name);
	put_str(x->out, "carpdev", x->ifname);
	put_u64(x->out, "vhid", x->conf->vhid);
	put_str(x->out, "state", election_state_name(info->state));
	put_u64(x->out, "state_since_ms", age / BASE_NS_PER_MS);
	put_str(x->out, "cause", election_cause_text(info->cause));
	put_str(x->out, "rule", election_cause_rule(info->cause));
	put_priority(x->out, "own", &info->sent);
	put_bool(x->out, "preempt", x->box.preempt);
	if (known)
		put_decision(x->out, &x->last);

	mgmt_explain_say(x, "%s (%s vhid %u) has been %s for %s%s%s.", x->name, x->ifname,
		x->conf->vhid, election_state_name(info->state), mgmt_span_str(age, span),
		known ? ", since " : "", known ? mgmt_wall_str(x->last.wall_ns, wall) : "");
	if (info->cause == ELECTION_CAUSE_NONE)
		mgmt_explain_say(x, "Cause: none, it has been so since koi started.");
	else
		mgmt_explain_say(x, "Cause: %s; rule: %s.", election_cause_text(info->cause),
			election_cause_rule(info->cause));
	if (known)
		explain_numbers(x);
	if (info->handing_over)
		mgmt_explain_say(x,
			"It is handing over: it forwards on until the new master is heard, 50 ms at "
			"most.");
}

/* Families tell apart what one of them alone cannot: both have VIPs, or one without is heard. */
static bool
families_matter(const struct election_group_info *info)
{
	if (info->families == (ELECTION_IP4 | ELECTION_IP6))
		return true;
	return info->family[info->families == ELECTION_IP6 ? 0 : 1].heard_at != BASE_NS_NEVER;
}

static void
explain_family(struct mgmt_explain *x, unsigned int f, json_t *list)
{
	const struct election_family_info *fam = &x->v.info.family[f];
	const char *name = mgmt_family_name(f ? BASE_FAMILY_IP6 : BASE_FAMILY_IP4);
	char heard[MGMT_SPAN_STR + CONF_ADDR_STR + 32] = "no advert since it left INIT";
	char timer[MGMT_SPAN_STR + 40] = "", span[MGMT_SPAN_STR], addr[CONF_ADDR_STR];
	json_t *o = json_object();

	put_str(o, "family", name);
	put_str(o, "heard_from", mgmt_addr_str(&fam->heard_from, addr));
	if (fam->heard_at != BASE_NS_NEVER) {
		base_ns_t ago = base_ns_since(x->now, fam->heard_at);

		snprintf(heard, sizeof(heard), "last advert %s ago from %s",
			mgmt_span_str(ago, span), conf_addr_str(&fam->heard_from, addr));
		put_us(o, "heard_us_ago", ago);
	}
	if (fam->deadline != BASE_NS_NEVER) {
		base_ns_t left = mgmt_explain_left(x, fam->deadline);

		put_us(o, "master_down_in_us", left);
		if (left > 0)
			snprintf(timer, sizeof(timer), ", master-down in %s",
				mgmt_span_str(left, span));
		else
			snprintf(timer, sizeof(timer), ", silent: master-down since %s",
				mgmt_span_str(base_ns_since(x->now, fam->deadline), span));
	} else if (x->v.info.state == ELECTION_BACKUP) {
		snprintf(timer, sizeof(timer), ", not waited for");
	}
	mgmt_explain_say(x, "- %s: %s%s.", name, heard, timer);
	json_array_append_new(list, o);
}

static void
explain_families(struct mgmt_explain *x)
{
	json_t *list = json_array();

	if (families_matter(&x->v.info)) {
		for (unsigned int f = 0; f < ELECTION_FAMILIES; f++)
			explain_family(x, f, list);
		if (x->v.info.state == ELECTION_BACKUP)
			mgmt_explain_say(x, "- family-timers %s.",
				x->v.info.family_timers == ELECTION_FAMILY_TIMERS_ANY
					? "any: it takes over when one of them is silent"
					: "all: it takes over when each one waited for is silent");
	}
	json_object_set_new(x->out, "families", list);
}

static bool
named_already(const struct election_group_info *info, const struct base_addr *a)
{
	if (memcmp(&info->heard_from, a, sizeof(*a)) == 0)
		return true;
	if (!families_matter(info))
		return false;
	for (unsigned int f = 0; f < ELECTION_FAMILIES; f++)
		if (memcmp(&info->family[f].heard_from, a, sizeof(*a)) == 0)
			return true;
	return false;
}

static void
explain_peers(struct mgmt_explain *x)
{
	struct ctl_peer peers[CTL_PEERS_MAX];
	uint32_t n = ctl_peers(x->c->ctl, x->group, peers);
	char addr[CONF_ADDR_STR], prio[MGMT_PRIORITY_STR], span[MGMT_SPAN_STR];
	json_t *list = json_array();

	for (uint32_t i = 0; i < n && i < CTL_PEERS_MAX; i++) {
		conf_addr_str(&peers[i].addr, addr);
		json_array_append_new(list, mgmt_peer_json(&peers[i], x->now));
		if (!named_already(&x->v.info, &peers[i].addr))
			mgmt_explain_say(x, "Heard before: %s, %s ago: %s%s.", addr,
				mgmt_span_str(base_ns_since(x->now, peers[i].last_heard), span),
				mgmt_priority_str(&peers[i].prio, prio),
				peers[i].bowed_out ? ", gone" : "");
		if (!x->conf->strict)
			mgmt_explain_say(x, "Counters of %s: %s.", addr,
				auth_replay_class_text(peers[i].counters));
	}
	json_object_set_new(x->out, "peers", list);
}

void
mgmt_explain_heard(struct mgmt_explain *x)
{
	const struct election_group_info *info = &x->v.info;
	char addr[CONF_ADDR_STR], prio[MGMT_PRIORITY_STR], span[MGMT_SPAN_STR];
	base_ns_t ago = base_ns_since(x->now, info->heard_at);

	put_str(x->out, "heard_from", "");
	if (info->state == ELECTION_INIT)
		return;
	if (info->heard_at == BASE_NS_NEVER) {
		mgmt_explain_say(x, "Heard last: no advert since it left INIT%s.",
			info->state == ELECTION_MASTER ? "; backups are silent" : "");
	} else {
		mgmt_explain_say(x, "Heard last: %s, %s ago by %s: %s.",
			conf_addr_str(&info->heard_from, addr), mgmt_span_str(ago, span),
			mgmt_family_name(info->heard_from.family),
			mgmt_priority_str(&info->heard, prio));
		put_str(x->out, "heard_from", addr);
		put_us(x->out, "heard_us_ago", ago);
		put_priority(x->out, "heard", &info->heard);
	}
	explain_families(x);
	explain_peers(x);
}

static void
explain_adverts(struct mgmt_explain *x)
{
	const struct election_group_info *info = &x->v.info;
	base_ns_t left = mgmt_explain_left(x, info->advert_deadline);
	char every[MGMT_SPAN_STR], next[MGMT_SPAN_STR + 8] = "now", span[MGMT_SPAN_STR];
	char prio[MGMT_PRIORITY_STR], late[MGMT_SPAN_STR];

	put_us(x->out, "interval_us", info->interval);
	put_us(x->out, "advert_in_us", left);
	if (left > 0)
		snprintf(next, sizeof(next), "in %s", mgmt_span_str(left, span));
	mgmt_explain_say(x, "It advertises %s every %s; the next %s, the latest yet by %s.",
		mgmt_priority_str(&info->sent, prio), mgmt_span_str(info->interval, every), next,
		mgmt_span_str(info->late_max, late));
	if (info->announce_deadline != BASE_NS_NEVER)
		mgmt_explain_say(x, "It announces its addresses again in %s.",
			mgmt_span_str(mgmt_explain_left(x, info->announce_deadline), span));
}

static void
explain_master_down(struct mgmt_explain *x)
{
	const struct election_group_info *info = &x->v.info;
	base_ns_t left = mgmt_explain_left(x, info->master_down_deadline);
	char down[DOWN_STR], over[MGMT_SPAN_STR + 16] = "is over", span[MGMT_SPAN_STR];

	put_us(x->out, "master_down_us", info->master_down);
	put_us(x->out, "master_down_in_us", left);
	if (left > 0)
		snprintf(over, sizeof(over), "ends in %s", mgmt_span_str(left, span));
	mgmt_explain_say(x, "Master-down time: %s; it %s.", down_formula(info, down), over);
}

void
mgmt_explain_timers(struct mgmt_explain *x)
{
	switch (x->v.info.state) {
	case ELECTION_MASTER:
		explain_adverts(x);
		break;
	case ELECTION_BACKUP:
		explain_master_down(x);
		break;
	case ELECTION_INIT:
		break;
	}
}

static const char *
demotion_end(enum election_demotion_source s)
{
	if (s == ELECTION_DEMOTION_OPERATOR)
		return ", until \"set carp demotion 0\"";
	return s == ELECTION_DEMOTION_DRAIN ? ", until \"undrain\"" : "";
}

static void
explain_ledger_entry(struct mgmt_explain *x, const struct election_demotion_entry *e)
{
	const char *of = e->group != ELECTION_NONE ? mgmt_group_name(x->c, e->group)
						   : mgmt_if_name(x->c, e->if_id);
	char since[MGMT_SPAN_STR], ends[MGMT_SPAN_STR + 16] = "", span[MGMT_SPAN_STR];

	if (e->expires != BASE_NS_NEVER)
		snprintf(ends, sizeof(ends), ", ends in %s",
			mgmt_span_str(mgmt_explain_left(x, e->expires), span));
	mgmt_explain_say(x, "- %u by %s%s%s for %s%s%s.", e->amount, mgmt_demotion_words(e->source),
		of[0] != '\0' ? ": " : "", of,
		mgmt_span_str(base_ns_since(x->now, e->since), since), ends,
		demotion_end(e->source));
}

void
mgmt_explain_demotion(struct mgmt_explain *x)
{
	const struct election_group_info *info = &x->v.info;
	struct election_demotion_entry e[DEMOTIONS_SHOWN];
	uint32_t n = ctl_demotion_view(x->c->ctl, e, DEMOTIONS_SHOWN);
	json_t *list = json_array();

	if (info->sent.demotion == 0)
		mgmt_explain_say(x, "Demotion: none, advskew is %u as configured.", info->advskew);
	else if (info->sent.advskew == info->advskew)
		mgmt_explain_say(x, "Demotion: %u; advskew is %u as configured.",
			info->sent.demotion, info->advskew);
	else
		mgmt_explain_say(x, "Demotion: %u, therefore advskew %u instead of %u.",
			info->sent.demotion, info->sent.advskew, info->advskew);
	for (uint32_t i = 0; i < n && i < DEMOTIONS_SHOWN; i++) {
		explain_ledger_entry(x, &e[i]);
		json_array_append_new(list, mgmt_demotion_json(x->c, &e[i], x->now));
	}
	if (n > DEMOTIONS_SHOWN)
		mgmt_explain_say(
			x, "- and %u more: show carp demotion.", (unsigned int)n - DEMOTIONS_SHOWN);
	json_object_set_new(x->out, "demotions", list);
}

void
mgmt_explain_holds(struct mgmt_explain *x)
{
	static const char *const what[ELECTION_HOLD_COUNT] = {
		[ELECTION_HOLD_STARTUP] = "it takes over only from who bows out, or by command",
		[ELECTION_HOLD_LINKUP] =
			"it takes over only from who bows out, or by command; a frame ends it",
		[ELECTION_HOLD_PREEMPT_DELAY] = "it preempts no living master",
		[ELECTION_HOLD_TIE] = "its claim waits, so that equals do not move together",
	};
	const struct election_group_info *info = &x->v.info;
	json_t *list = json_array(), *o;
	char span[MGMT_SPAN_STR];

	for (unsigned int h = 0; h < ELECTION_HOLD_COUNT; h++) {
		base_ns_t left = mgmt_explain_left(x, info->hold_until[h]);

		if (info->state != ELECTION_BACKUP || left == 0 || !what[h])
			continue;
		mgmt_explain_say(x, "Hold: %s for another %s: %s.",
			election_hold_name((enum election_hold)h), mgmt_span_str(left, span),
			what[h]);
		o = json_object();
		put_str(o, "hold", election_hold_name((enum election_hold)h));
		put_us(o, "ends_in_us", left);
		json_array_append_new(list, o);
	}
	if (info->state == ELECTION_BACKUP && info->put_off != ELECTION_CAUSE_NONE)
		mgmt_explain_say(x, "A take-over waits: %s.", election_cause_text(info->put_off));
	json_object_set_new(x->out, "holds", list);
}

static void
explain_split(struct mgmt_explain *x)
{
	static const char *const remedy[ELECTION_SPLIT_COUNT] = {
		"it does not hear us; check the way from here to it",
		"give one of the two another advskew",
		"compare passwords and VIP lists",
		"check cable, switch port and receive queues",
	};
	const struct election_group_info *info = &x->v.info;
	char span[MGMT_SPAN_STR], reasons[MGMT_SPLIT_STR];

	put_bool(x->out, "split_brain_suspected", info->split != 0);
	put_str(x->out, "split_reasons", mgmt_split_str(info->split, reasons));
	if (info->split == 0)
		return;
	mgmt_explain_say(x, "Split brain suspected for %s:",
		mgmt_span_str(base_ns_since(x->now, info->split_since), span));
	for (unsigned int i = 0; i < ELECTION_SPLIT_COUNT; i++)
		if (info->split & (1u << i))
			mgmt_explain_say(x, "- %s: %s.", election_split_text(1u << i), remedy[i]);
	if (info->split & ELECTION_SPLIT_DEAF && info->frame_at != BASE_NS_NEVER)
		mgmt_explain_say(x, "- the last frame on %s came %s ago.", x->ifname,
			mgmt_span_str(base_ns_since(x->now, info->frame_at), span));
	else if (info->split & ELECTION_SPLIT_DEAF)
		mgmt_explain_say(x, "- no frame ever came on %s.", x->ifname);
}

/* Not a split yet: both could be right, if the peer has no group here. */
static void
explain_unheard(struct mgmt_explain *x)
{
	char addr[CONF_ADDR_STR];

	if (x->v.unheard_if == ELECTION_NONE)
		return;
	mgmt_explain_say(x,
		"No peer was ever heard on %s, though %s is master on %s and should be here too: "
		"check that multicast passes on this segment, and that the peer has this group.",
		x->ifname, mgmt_addr_str(&x->v.unheard_src, addr),
		mgmt_if_name(x->c, x->v.unheard_if));
}

void
mgmt_explain_suspicions(struct mgmt_explain *x)
{
	const struct election_group_info *info = &x->v.info;
	char warn[MGMT_WARN_STR], span[MGMT_SPAN_STR], addr[CONF_ADDR_STR], ago[64] = "";

	put_str(x->out, "warn", mgmt_warn_str(info->warn, &info->warn_peer, &info->warn_src, warn));
	if (warn[0] != '\0')
		mgmt_explain_say(x, "Timing does not fit: %s; for %s now.", warn,
			mgmt_span_str(base_ns_since(x->now, info->warn_since), span));
	explain_split(x);
	explain_unheard(x);
	put_u64(x->out, "duels", info->duels);
	if (info->duel_at != BASE_NS_NEVER)
		snprintf(ago, sizeof(ago), ", the last time %s ago",
			mgmt_span_str(base_ns_since(x->now, info->duel_at), span));
	if (info->duels > 0)
		mgmt_explain_say(x, "As MASTER it heard another one %llu %s%s.",
			(unsigned long long)info->duels, info->duels == 1 ? "time" : "times", ago);
	if (info->auth_failed_at == BASE_NS_NEVER)
		return;
	mgmt_explain_say(x, "Authentication fails: %s, %s ago: password or VIP list differs.",
		conf_addr_str(&info->auth_failed_from, addr),
		mgmt_span_str(base_ns_since(x->now, info->auth_failed_at), span));
	mgmt_explain_say(x,
		"- compare the fingerprint of \"show carp %s\" on both boxes; here it is %016llx.",
		x->name, (unsigned long long)x->v.vip_fingerprint);
}

/* What speaks against an advert that the guard refused, with the numbers. */
static void
refusal_reason(const struct ctl_refusal *r, enum auth_replay_verdict v, char *buf, size_t len)
{
	char span[MGMT_SPAN_STR], addr[CONF_ADDR_STR];
	const long long off = r->why.clock_diff_ms;

	if (v == AUTH_REPLAY_STALE)
		snprintf(buf, len, "its time is %lld ms %s ours, %u ms are allowed",
			off < 0 ? -off : off, off < 0 ? "ahead of" : "behind",
			(unsigned int)(AUTH_STRICT_WINDOW_NS / BASE_NS_PER_MS));
	else if (v == AUTH_REPLAY_NOT_STRICT)
		snprintf(buf, len, "its counter carries no time");
	else if (r->why.ours)
		snprintf(buf, len, "its counter is one that this box sent %s before",
			mgmt_span_str(r->why.age, span));
	else if (r->why.first.family == BASE_FAMILY_NONE && r->why.age == 0)
		snprintf(buf, len, "a later one of that source was heard before");
	else if (r->why.first.family == BASE_FAMILY_NONE)
		snprintf(buf, len, "its counter was heard %s before",
			mgmt_span_str(r->why.age, span));
	else
		snprintf(buf, len, "its counter came first from %s and was heard %s before",
			conf_addr_str(&r->why.first, addr), mgmt_span_str(r->why.age, span));
}

static json_t *
refusal_json(const struct mgmt_explain *x, const struct ctl_refusal *r, enum auth_replay_verdict v)
{
	char addr[CONF_ADDR_STR];
	json_t *o = json_object();

	put_str(o, "kind", auth_replay_name(v));
	put_us(o, "us_ago", base_ns_since(x->now, r->at));
	put_str(o, "source", mgmt_addr_str(&r->src, addr));
	put_str(o, "counters", auth_replay_class_name(r->why.cls));
	put_priority(o, "priority", &r->prio);
	if (v == AUTH_REPLAY_STALE) {
		json_object_set_new(o, "clock_diff_ms", json_integer(r->why.clock_diff_ms));
	} else if (v == AUTH_REPLAY_REPLAY) {
		put_bool(o, "ours", r->why.ours);
		put_str(o, "first_source", mgmt_addr_str(&r->why.first, addr));
		put_us(o, "counter_us_before", r->why.age);
	}
	return o;
}

static void
explain_refusals(struct mgmt_explain *x)
{
	char addr[CONF_ADDR_STR], span[MGMT_SPAN_STR], prio[MGMT_PRIORITY_STR], reason[160];
	json_t *list = json_array();

	for (unsigned int i = 0; i < CTL_REFUSALS; i++) {
		const enum auth_replay_verdict v =
			(enum auth_replay_verdict)(AUTH_REPLAY_REPLAY + i);
		const struct ctl_refusal *r = &x->v.refused[i];

		if (r->at == 0)
			continue;
		refusal_reason(r, v, reason, sizeof(reason));
		mgmt_explain_say(x, "- %s, last %s ago from %s, %s: %s.", auth_replay_name(v),
			mgmt_span_str(base_ns_since(x->now, r->at), span),
			conf_addr_str(&r->src, addr), mgmt_priority_str(&r->prio, prio), reason);
		json_array_append_new(list, refusal_json(x, r, v));
	}
	if (x->v.refused[0].at != 0 && !x->conf->strict)
		mgmt_explain_say(x,
			"- if the box at that address was replaced: clear carp sources %s.",
			x->name);
	json_object_set_new(x->out, "refusals", list);
}

/* What was received for the group and not believed. */
void
mgmt_explain_refused(struct mgmt_explain *x)
{
	static const enum ctl_stat stats[] = {CTL_STAT_BADTTL, CTL_STAT_HDROPS, CTL_STAT_BADSUM,
		CTL_STAT_BADVER, CTL_STAT_BADLEN, CTL_STAT_BADAUTH, CTL_STAT_REPLAY,
		CTL_STAT_NOT_STRICT, CTL_STAT_STALE, CTL_STAT_POLICED, CTL_STAT_DISALLOWED};
	char text[400] = "";
	size_t used = 0;

	for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++) {
		uint64_t n = x->v.stats[stats[i]];

		if (n > 0 && used < sizeof(text))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%llu %s",
				used ? ", " : "", (unsigned long long)n, ctl_stat_name(stats[i]));
	}
	if (used > 0)
		mgmt_explain_say(x, "Adverts refused: %s (show carp stats %s).", text, x->name);
	explain_refusals(x);
	if (x->conf->strict)
		mgmt_explain_say(x,
			"The group is strict: each counter is taken once, and only with a time within "
			"%u s of ours.",
			(unsigned int)(AUTH_STRICT_WINDOW_NS / BASE_NS_PER_S));
}
