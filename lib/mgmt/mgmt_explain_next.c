/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What would have to change for another role: the rules of note 5.2 with this box's numbers. */
#include "mgmt_explain_priv.h"

#include <stdio.h>
#include <string.h>

#include "dp.h"
#include "port.h"

static void
obstacle(struct mgmt_explain *x, json_t *list, const char *what, const char *remedy)
{
	json_array_append_new(list, json_string(what));
	mgmt_explain_say(x, "In the way: %s. To do: %s.", what, remedy);
}

/* The control lcore takes an interface for down also when its address filters failed. */
static void
obstacle_link(struct mgmt_explain *x, json_t *list)
{
	char what[256], remedy[80];
	struct port_info p = {0};

	port_set_info(x->c->ports, x->c->if_port[x->conf->if_index], &p);
	snprintf(remedy, sizeof(remedy), "show interface %s", x->ifname);
	if (!dp_if_is_up(x->c->dp, x->conf->if_index)) {
		snprintf(what, sizeof(what), "%s is administratively down", x->ifname);
		snprintf(remedy, sizeof(remedy), "interface %s up", x->ifname);
		obstacle(x, list, what, remedy);
		snprintf(remedy, sizeof(remedy), "show interface %s", x->ifname);
	}
	if (p.out_of_service[0] != '\0') {
		snprintf(what, sizeof(what), "%s is out of service: %s", x->ifname,
			p.out_of_service);
		obstacle(x, list, what, remedy);
	} else if (!p.link_up) {
		snprintf(what, sizeof(what), "%s has no link", x->ifname);
		/* a netdev that the kernel has down looks like a cable that is out */
		snprintf(remedy, sizeof(remedy), "check cable and switch port of %s%s", x->ifname,
			strcmp(p.link_source, "netdev") == 0 ? ", and that its netdev is up" : "");
		obstacle(x, list, what, remedy);
	} else if (x->v.info.cause == ELECTION_CAUSE_LINK_DOWN && json_array_size(list) == 0) {
		snprintf(what, sizeof(what), "%s has link, but not yet for the election: %s",
			x->ifname,
			p.vmac_reason[0] != '\0' ? p.vmac_reason : "it was down until just now");
		obstacle(x, list, what, remedy);
	}
}

void
mgmt_explain_obstacles(struct mgmt_explain *x)
{
	const struct election_group_info *info = &x->v.info;
	json_t *list = json_array();
	char remedy[64], down[MGMT_SPAN_STR];

	json_object_set_new(x->out, "obstacles", list);
	if (info->state != ELECTION_INIT)
		return;
	if (info->cause == ELECTION_CAUSE_SHUTDOWN)
		obstacle(x, list, "koi is shutting down", "start koi again");
	if (!info->admin_up) {
		snprintf(remedy, sizeof(remedy), "carp %s up", x->name);
		obstacle(x, list, "it is administratively down", remedy);
	}
	if (!x->box.allow)
		obstacle(x, list, "allow is 0", "set carp allow 1");
	if (x->conf->n_addresses == 0)
		obstacle(x, list, "it has no shared address",
			"give it \"addresses\" in the configuration");
	obstacle_link(x, list);
	if (json_array_size(list) == 0)
		mgmt_explain_say(x, "Nothing is in the way now: it goes to BACKUP at once.");
	mgmt_explain_say(x, "After that it is BACKUP, and MASTER after %s of silence.",
		mgmt_span_str(info->master_down, down));
}

static unsigned int
rank(const struct election_priority *p)
{
	return p->advbase * 256u + p->advskew;
}

/* The hold that a claim would wait for now. */
static enum election_hold
hold_of(const struct mgmt_explain *x, enum election_cause cause)
{
	const base_ns_t *until = x->v.info.hold_until;

	if (cause == ELECTION_CAUSE_BOW_OUT)
		return ELECTION_HOLD_NONE;
	for (unsigned int h = ELECTION_HOLD_STARTUP; h < ELECTION_HOLD_COUNT; h++)
		if (until[h] > x->now &&
			(h != ELECTION_HOLD_PREEMPT_DELAY || cause == ELECTION_CAUSE_PREEMPT))
			return (enum election_hold)h;
	return ELECTION_HOLD_NONE;
}

static const char *
why_backup(const struct election_priority *own, const struct election_priority *peer)
{
	if (rank(peer) < rank(own))
		return "the master is better";
	if (rank(peer) == rank(own))
		return "the master is as good and was first";
	if (peer->demotion < own->demotion)
		return "the master is less demoted";
	return "the master is worse, but preempt is 0 and it is alive";
}

void
mgmt_explain_verdict(struct mgmt_explain *x)
{
	const struct election_group_info *info = &x->v.info;
	char own[MGMT_PRIORITY_STR], peer[MGMT_PRIORITY_STR], addr[CONF_ADDR_STR];
	enum election_hold hold;
	enum election_cause cause;

	if (info->state != ELECTION_BACKUP)
		return;
	if (info->master.family == BASE_FAMILY_NONE) {
		mgmt_explain_say(x, "It stays BACKUP while it waits: no master is known.");
		return;
	}
	mgmt_priority_str(&info->sent, own);
	mgmt_priority_str(&info->heard, peer);
	conf_addr_str(&info->master, addr);
	if (!election_backup_claims(&info->sent, &info->heard, x->box.preempt, &cause)) {
		mgmt_explain_say(x, "It stays BACKUP: %s: own %s against %s of %s.",
			why_backup(&info->sent, &info->heard), own, peer, addr);
		return;
	}
	hold = hold_of(x, cause);
	if (hold != ELECTION_HOLD_NONE)
		mgmt_explain_say(x, "It stays BACKUP while %s lasts: own %s against %s of %s.",
			election_hold_name(hold), own, peer, addr);
	else
		mgmt_explain_say(x,
			"It takes over with the next such advert: own %s against %s of %s.", own,
			peer, addr);
}

static void
master_changes(struct mgmt_explain *x)
{
	const struct election_priority *own = &x->v.info.sent;
	const struct election_priority demoted =
		election_effective(x->v.info.advbase, x->v.info.advskew, 1);

	mgmt_explain_say(x, "It stays MASTER until one of these:");
	mgmt_explain_say(x, "- an advert of %u.000 s + %u/256 or less, with a demotion of %u%s.",
		own->advbase, own->advskew, own->demotion, own->demotion > 0 ? " or less" : "");
	if (own->demotion > 0)
		mgmt_explain_say(x, "- any other advert with a demotion below %u.", own->demotion);
	else
		mgmt_explain_say(x,
			"- a demotion of this box, which then sends advskew %u demotion 1: any "
			"advert with demotion 0.",
			demoted.advskew);
	mgmt_explain_say(x, "- the link of %s goes down.", x->ifname);
	mgmt_explain_say(x, "- koi does not run for longer than a peer waits.");
	mgmt_explain_say(x,
		"- by command: carp %s down, carp %s state backup, set carp allow 0, or the end of "
		"koi.",
		x->name, x->name);
}

static void
change_silence(struct mgmt_explain *x)
{
	const struct election_group_info *info = &x->v.info;
	base_ns_t end = info->master_down_deadline, left;
	const char *whose = "";
	char span[MGMT_SPAN_STR];

	for (unsigned int h = ELECTION_HOLD_STARTUP; h <= ELECTION_HOLD_LINKUP; h++)
		if (info->hold_until[h] > end)
			end = info->hold_until[h];
	if (info->families == (ELECTION_IP4 | ELECTION_IP6))
		whose = info->family_timers == ELECTION_FAMILY_TIMERS_ANY
			? " of IPv4 or of IPv6"
			: " of each family waited for";
	left = mgmt_explain_left(x, end);
	put_us(x->out, "takeover_in_us", left);
	if (left > 0)
		mgmt_explain_say(
			x, "- silence%s for another %s.", whose, mgmt_span_str(left, span));
	else
		mgmt_explain_say(x, "- silence%s: it has lasted long enough.", whose);
}

static void
backup_changes(struct mgmt_explain *x)
{
	const struct election_group_info *info = &x->v.info;
	const struct election_priority *own = &info->sent;

	mgmt_explain_say(x, "It becomes MASTER by one of these:");
	change_silence(x);
	mgmt_explain_say(x, "- a bow-out (255/255).");
	if (own->demotion < UINT8_MAX)
		mgmt_explain_say(x, "- an advert with a demotion above %u.", own->demotion);
	if (x->box.preempt)
		mgmt_explain_say(x,
			"- an advert of more than %u.000 s + %u/256 with a demotion of %u or more, as "
			"preempt is 1.",
			own->advbase, own->advskew, own->demotion);
	else
		mgmt_explain_say(
			x, "- not by a worse advert, as preempt is 0 (set carp preempt 1).");
	if (own->advbase > 0 && 3u * own->advbase <= UINT8_MAX)
		mgmt_explain_say(x,
			"- an advert of more than %u.000 s + %u/256: too slow to wait for the next.",
			3u * own->advbase, own->advskew);
	mgmt_explain_say(x, "- by command: carp %s state master.", x->name);
}

void
mgmt_explain_changes(struct mgmt_explain *x)
{
	switch (x->v.info.state) {
	case ELECTION_MASTER:
		master_changes(x);
		break;
	case ELECTION_BACKUP:
		backup_changes(x);
		break;
	case ELECTION_INIT:
		break;
	}
}
