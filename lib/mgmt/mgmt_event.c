/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_view_priv.h"

#include <stdio.h>
#include <time.h>

#include "conf.h"
#include "ctl.h"
#include "election.h"

static double
ms(base_ns_t ns)
{
	return (double)ns / (double)BASE_NS_PER_MS;
}

/* "lan vhid 1", "lan", or "" when neither is known */
static void
subject(const struct mgmt_config *c, const struct ctl_event *e, char *buf, size_t len)
{
	if (e->group < c->conf->n_groups) {
		const struct conf_group *g = &c->conf->groups[e->group];

		snprintf(buf, len, "%s vhid %u: ", c->conf->ifs[g->if_index].name, g->vhid);
	} else if (e->if_id < c->conf->n_ifs) {
		snprintf(buf, len, "%s: ", c->conf->ifs[e->if_id].name);
	} else {
		buf[0] = '\0';
	}
}

static void
demotion_text(const struct mgmt_config *c, const struct ctl_event *e, char buf[MGMT_EVENT_TEXT])
{
	const char *what = mgmt_demotion_words(e->source);
	const char *of = e->group < c->conf->n_groups ? mgmt_group_name(c, e->group)
						      : mgmt_if_name(c, e->if_id);
	const char *sep = of[0] != '\0' ? ": " : "";

	if (e->amount > 0)
		snprintf(buf, MGMT_EVENT_TEXT, "carp: demoted by %u to %u (%s%s%s)", e->amount,
			e->total, what, sep, of);
	else
		snprintf(buf, MGMT_EVENT_TEXT, "carp: demotion ended: now %u (%s%s%s)", e->total,
			what, sep, of);
}

static void
state_text(const char *who, const struct ctl_event *e, char buf[MGMT_EVENT_TEXT])
{
	char after[48] = "", took[48] = "", by[sizeof(e->text) + 16] = "";

	/* how long the silence was says something of what silence caused, and of nothing else */
	if (e->cause == ELECTION_CAUSE_TIMEOUT && e->since_heard != BASE_NS_NEVER)
		snprintf(after, sizeof(after), " after %.1f ms", ms(e->since_heard));
	if (e->to == ELECTION_MASTER)
		snprintf(took, sizeof(took), ", took %llu us",
			(unsigned long long)(e->takeover_ns / BASE_NS_PER_US));
	if (e->text[0] != '\0')
		snprintf(by, sizeof(by), " by command: %.*s", (int)sizeof(e->text), e->text);
	snprintf(buf, MGMT_EVENT_TEXT, "carp: %s%s -> %s (%s)%s%s%s", who,
		election_state_name(e->from), election_state_name(e->to),
		election_cause_text(e->cause), after, took, by);
}

static void
warn_text(const char *who, const struct ctl_event *e, char buf[MGMT_EVENT_TEXT])
{
	char warn[MGMT_WARN_STR], addr[CONF_ADDR_STR], every[MGMT_SPAN_STR];

	if (e->warn == ELECTION_WARN_NONE && e->warn_silent)
		snprintf(buf, MGMT_EVENT_TEXT,
			"carp: %stiming warning over: %s is not heard any more", who,
			conf_addr_str(&e->src, addr));
	else if (e->warn == ELECTION_WARN_NONE)
		snprintf(buf, MGMT_EVENT_TEXT, "carp: %stiming fits again: %s advertises every %s",
			who, conf_addr_str(&e->src, addr),
			mgmt_span_str(election_interval(
					      e->peer.advbase, e->peer.advskew, e->peer.advskew),
				every));
	else
		snprintf(buf, MGMT_EVENT_TEXT, "carp: %s%s", who,
			mgmt_warn_str(e->warn, &e->peer, &e->src, warn));
}

static void
split_text(const char *who, const struct ctl_event *e, char buf[MGMT_EVENT_TEXT])
{
	char reasons[MGMT_SPLIT_STR], addr[CONF_ADDR_STR];

	if (e->split == 0)
		snprintf(buf, MGMT_EVENT_TEXT, "carp: %ssplit brain no longer suspected", who);
	else if (e->src.family == BASE_FAMILY_NONE)
		snprintf(buf, MGMT_EVENT_TEXT, "carp: %ssplit brain suspected: %s", who,
			mgmt_split_str(e->split, reasons));
	else
		snprintf(buf, MGMT_EVENT_TEXT, "carp: %ssplit brain suspected: %s (%s)", who,
			mgmt_split_str(e->split, reasons), conf_addr_str(&e->src, addr));
}

const char *
mgmt_event_text(const struct mgmt_config *c, const struct ctl_event *e, char buf[MGMT_EVENT_TEXT])
{
	char who[48], addr[CONF_ADDR_STR], span[MGMT_SPAN_STR], more[40] = "";

	subject(c, e, who, sizeof(who));
	if (e->suppressed > 0)
		snprintf(more, sizeof(more), ", %u more suppressed", e->suppressed);
	switch (e->kind) {
	case CTL_EVENT_STATE:
		state_text(who, e, buf);
		break;
	case CTL_EVENT_DEMOTION:
		demotion_text(c, e, buf);
		break;
	case CTL_EVENT_LINK:
		snprintf(buf, MGMT_EVENT_TEXT, "interface %s: link %s", mgmt_if_name(c, e->if_id),
			e->link_up ? "up" : "down");
		break;
	case CTL_EVENT_BAD_ADVERT:
		snprintf(buf, MGMT_EVENT_TEXT, "carp: %sadvert from %s refused: %s (%s)%s", who,
			e->src.family == BASE_FAMILY_NONE ? "?" : conf_addr_str(&e->src, addr),
			ctl_stat_name(e->stat), ctl_stat_text(e->stat), more);
		break;
	case CTL_EVENT_REQUEST:
		snprintf(buf, MGMT_EVENT_TEXT, "carp: %soperator: %.*s", who, (int)sizeof(e->text),
			e->text);
		break;
	case CTL_EVENT_STALL:
		snprintf(buf, MGMT_EVENT_TEXT, "carp: control lcore did not run for %.1f ms%s",
			ms(e->gap), more);
		break;
	case CTL_EVENT_WARN:
		warn_text(who, e, buf);
		break;
	case CTL_EVENT_SPLIT:
		split_text(who, e, buf);
		break;
	case CTL_EVENT_DECISION:
		snprintf(buf, MGMT_EVENT_TEXT, "carp: %stake-over (%s) waits %s for %s", who,
			election_cause_text(e->cause), mgmt_span_str(e->hold_ns, span),
			election_hold_name(e->hold));
		break;
	case CTL_EVENT_UNHEARD:
		if (e->link_up)
			snprintf(buf, MGMT_EVENT_TEXT, "carp: %sa peer is heard now (%s)", who,
				conf_addr_str(&e->src, addr));
		else
			snprintf(buf, MGMT_EVENT_TEXT,
				"carp: %sno peer was ever heard here, though %s is master on %s: "
				"adverts do not get through, or it has no such group",
				who, conf_addr_str(&e->src, addr), mgmt_if_name(c, e->peer_if));
		break;
	case CTL_EVENT_STAGE:
		snprintf(buf, MGMT_EVENT_TEXT, "carp: %sstaged change %s%s%s%s", who,
			auth_stage_step_text(e->stage), e->src.family != 0 ? " (heard last: " : "",
			e->src.family != 0 ? conf_addr_str(&e->src, addr) : "",
			e->src.family != 0 ? ")" : "");
		break;
	case CTL_EVENT_DEVICE:
		snprintf(buf, MGMT_EVENT_TEXT, "interface %s: %s%.*s", mgmt_if_name(c, e->if_id),
			e->link_up ? "its device is in service again"
				   : "its device is out of service: ",
			(int)sizeof(e->text), e->link_up ? "" : e->text);
		break;
	case CTL_EVENT_FILTER:
		snprintf(buf, MGMT_EVENT_TEXT, "interface %s: %s%s%.*s", mgmt_if_name(c, e->if_id),
			e->link_up ? "frames to the groups' MACs reach us again"
				   : "address filters failed, frames to the groups' MACs do not "
				     "reach us",
			e->text[0] != '\0' ? ": " : "", (int)sizeof(e->text), e->text);
		break;
	case CTL_EVENT_CAPTURE:
		snprintf(buf, MGMT_EVENT_TEXT, "capture %.*s", (int)sizeof(e->text), e->text);
		break;
	}
	return buf;
}

const char *
mgmt_event_kind(const struct ctl_event *e)
{
	switch (e->kind) {
	case CTL_EVENT_STATE:
		return "state";
	case CTL_EVENT_DEMOTION:
		return "demotion";
	case CTL_EVENT_LINK:
		return "link";
	case CTL_EVENT_BAD_ADVERT:
		return "bad_advert";
	case CTL_EVENT_REQUEST:
		return "request";
	case CTL_EVENT_STALL:
		return "stall";
	case CTL_EVENT_WARN:
		return "warn";
	case CTL_EVENT_SPLIT:
		return "split";
	case CTL_EVENT_DECISION:
		return "decision";
	case CTL_EVENT_UNHEARD:
		return "unheard";
	case CTL_EVENT_DEVICE:
		return "device";
	case CTL_EVENT_FILTER:
		return "filter";
	case CTL_EVENT_STAGE:
		return "stage";
	case CTL_EVENT_CAPTURE:
		return "capture";
	}
	return "";
}

uint8_t
mgmt_event_level(const struct ctl_event *e)
{
	return e->kind == CTL_EVENT_BAD_ADVERT ? 2 : 1;
}

/* Warning for what is wrong, notice for transitions, informational for the rest. */
int
mgmt_event_syslog(const struct ctl_event *e)
{
	switch (e->kind) {
	case CTL_EVENT_STATE:
		return 5;
	case CTL_EVENT_DEMOTION:
		return e->amount > 0 ? 4 : 5;
	case CTL_EVENT_LINK:
	case CTL_EVENT_UNHEARD:
	case CTL_EVENT_DEVICE:
	case CTL_EVENT_FILTER:
	case CTL_EVENT_CAPTURE:
		return e->link_up ? 5 : 4;
	case CTL_EVENT_BAD_ADVERT:
	case CTL_EVENT_STALL:
		return 4;
	case CTL_EVENT_WARN:
		return e->warn == ELECTION_WARN_NONE ? 5 : 4;
	case CTL_EVENT_SPLIT:
		return e->split == 0 ? 5 : 4;
	case CTL_EVENT_STAGE:
		/* what nobody asked for */
		return e->stage == AUTH_STAGE_STEP_END_OLD || e->stage == AUTH_STAGE_STEP_END_NEW
			? 5
			: 4;
	case CTL_EVENT_REQUEST:
	case CTL_EVENT_DECISION:
		return 6;
	}
	return 6;
}

const char *
mgmt_wall_str(uint64_t wall_ns, char buf[MGMT_WALL_STR])
{
	time_t s = (time_t)(wall_ns / BASE_NS_PER_S);
	unsigned int frac = (unsigned int)(wall_ns % BASE_NS_PER_S / BASE_NS_PER_MS);
	struct tm tm;
	size_t n;

	gmtime_r(&s, &tm);
	n = strftime(buf, MGMT_WALL_STR, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, MGMT_WALL_STR - n, ".%03uZ", frac);
	return buf;
}
