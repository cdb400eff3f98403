/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_view_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf.h"
#include "ctl.h"
#include "dp.h"
#include "election.h"
#include "port.h"
#include "wire6.h"

#include "mgmt_json_priv.h"

/* Interface flags as the BSDs number them, so that flags=8843<…> reads as on a carp(4) box. */
#define FLAG_UP	       0x1u
#define FLAG_BROADCAST 0x2u
#define FLAG_RUNNING   0x40u
#define FLAG_SIMPLEX   0x800u
#define FLAG_MULTICAST 0x8000u

const char *
mgmt_addr_str(const struct base_addr *a, char buf[CONF_ADDR_STR])
{
	return a->family == BASE_FAMILY_NONE ? "" : conf_addr_str(a, buf);
}

/* The source of our own adverts: notes 1.2 and 1.3; IPv4 is shown where there are both. */
static struct base_addr
own_source(const struct mgmt_config *c, const struct conf_group *g)
{
	const struct conf_if *ifc = &c->conf->ifs[g->if_index];
	struct base_addr link_local = {.family = BASE_FAMILY_IP6};
	const struct base_addr *vip4 = NULL;
	struct port_info p = {0};

	for (uint16_t i = 0; i < g->n_addresses && !vip4; i++)
		if (g->addresses[i].addr.family == BASE_FAMILY_IP4)
			vip4 = &g->addresses[i].addr;
	for (uint16_t i = 0; i < ifc->n_addresses && vip4; i++)
		if (ifc->addresses[i].addr.family == BASE_FAMILY_IP4)
			return ifc->addresses[i].addr;
	if (vip4)
		return *vip4;
	port_set_info(c->ports, c->if_port[g->if_index], &p);
	wire_ip6_link_local(p.mac, link_local.bytes);
	return link_local;
}

static void
put_addresses(json_t *o, const struct base_prefix *p, uint16_t n)
{
	json_t *list = json_array();
	char buf[CONF_ADDR_STR];

	for (uint16_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(conf_prefix_str(&p[i], buf)));
	json_object_set_new(o, "addresses", list);
}

static const char *
families_name(uint8_t families)
{
	static const char *const names[] = {"", "inet", "inet6", "inet inet6"};

	return names[families & (ELECTION_IP4 | ELECTION_IP6)];
}

/* What is wrong, or looks so, about the others. */
static void
put_suspicions(json_t *o, const struct election_group_info *info, base_ns_t now)
{
	char split[MGMT_SPLIT_STR], warn[MGMT_WARN_STR], addr[CONF_ADDR_STR];

	put_bool(o, "split_brain_suspected", info->split != 0);
	put_str(o, "split_reasons", mgmt_split_str(info->split, split));
	if (info->split != 0)
		put_u64(o, "split_since_ms",
			base_ns_since(now, info->split_since) / BASE_NS_PER_MS);
	put_str(o, "warn", mgmt_warn_str(info->warn, &info->warn_peer, &info->warn_src, warn));
	if (info->warn != ELECTION_WARN_NONE)
		put_u64(o, "warn_since_ms", base_ns_since(now, info->warn_since) / BASE_NS_PER_MS);
	put_u64(o, "duels", info->duels);
	put_str(o, "auth_failed_from", mgmt_addr_str(&info->auth_failed_from, addr));
	if (info->auth_failed_at != BASE_NS_NEVER)
		put_u64(o, "auth_failed_ms_ago",
			base_ns_since(now, info->auth_failed_at) / BASE_NS_PER_MS);
}

static json_t *
group_view(const struct mgmt_config *c, uint16_t id)
{
	const struct conf_group *g = &c->conf->groups[id];
	const struct election_group_info *info;
	struct base_addr master;
	struct ctl_group_view v;
	base_ns_t now = dp_clock();
	uint8_t vmac[BASE_MAC_LEN];
	unsigned int flags = FLAG_BROADCAST | FLAG_SIMPLEX | FLAG_MULTICAST;
	char mac[MGMT_MAC_STR], addr[CONF_ADDR_STR], hex[17];
	json_t *o = json_object();

	if (ctl_group_view(c->ctl, id, &v) != 0) {
		json_decref(o);
		return NULL;
	}
	info = &v.info;
	if (info->admin_up)
		flags |= FLAG_UP;
	if (info->state != ELECTION_INIT)
		flags |= FLAG_RUNNING;
	base_vmac(g->vhid, vmac);

	put_str(o, "name", g->name);
	put_str(o, "carpdev", c->conf->ifs[g->if_index].name);
	put_u64(o, "vhid", g->vhid);
	put_str(o, "state", election_state_name(info->state));
	put_u64(o, "advbase", info->advbase);
	put_u64(o, "advskew", info->advskew);
	put_u64(o, "demotion", info->sent.demotion);
	put_u64(o, "sent_advskew", info->sent.advskew);
	put_str(o, "vmac", mgmt_mac_str(vmac, mac));
	put_addresses(o, g->addresses, g->n_addresses);
	master = info->state == ELECTION_MASTER ? own_source(c, g) : info->master;
	put_str(o, "master_ip", mgmt_addr_str(&master, addr));
	put_str(o, "last_cause", election_cause_text(info->cause));
	put_u64(o, "transitions", info->transitions);
	put_u64(o, "state_since_ms", base_ns_since(now, info->state_since) / BASE_NS_PER_MS);
	put_u64(o, "takeover_us", v.takeover_ns / BASE_NS_PER_US);
	snprintf(hex, sizeof(hex), "%016" PRIx64, v.vip_fingerprint);
	put_str(o, "vip_fingerprint", hex);
	put_bool(o, "admin_up", info->admin_up);
	put_bool(o, "owned", info->owned);
	put_bool(o, "handing_over", info->handing_over);
	put_u64(o, "flags", flags);
	put_u64(o, "mtu", c->conf->ifs[g->if_index].mtu);
	put_u64(o, "interval_us", info->interval / BASE_NS_PER_US);
	put_u64(o, "master_down_us", info->master_down / BASE_NS_PER_US);
	put_u64(o, "late_max_us", info->late_max / BASE_NS_PER_US);
	put_str(o, "heard_from", mgmt_addr_str(&info->heard_from, addr));
	put_u64(o, "heard_advbase", info->heard.advbase);
	put_u64(o, "heard_advskew", info->heard.advskew);
	put_u64(o, "heard_demotion", info->heard.demotion);
	if (info->heard_at != BASE_NS_NEVER)
		put_u64(o, "heard_ms_ago", base_ns_since(now, info->heard_at) / BASE_NS_PER_MS);
	put_str(o, "families", families_name(info->families));
	mgmt_stage_put(o, c, id, &v, now);
	put_suspicions(o, info, now);
	return o;
}

json_t *
mgmt_view_carp_group(const struct mgmt_config *c, const struct mgmt_args *a)
{
	return group_view(c, a->group);
}

json_t *
mgmt_view_carp_all(const struct mgmt_config *c, const struct mgmt_args *a)
{
	json_t *o = json_object(), *list = json_array();

	(void)a;
	for (uint16_t i = 0; i < c->conf->n_groups; i++)
		if (!c->conf->groups[i].unused)
			json_array_append_new(list, group_view(c, i));
	json_object_set_new(o, "groups", list);
	return o;
}

json_t *
mgmt_view_carp_list(const struct mgmt_config *c, const struct mgmt_args *a)
{
	json_t *o = json_object(), *list = json_array();
	uint64_t i = a->offset, n = mgmt_group_count(c);

	for (; i < n && (a->limit == 0 || i - a->offset < a->limit); i++)
		json_array_append_new(list, json_string(mgmt_group_name(c, mgmt_group_nth(c, i))));
	json_object_set_new(o, "groups", list);
	put_u64(o, "count", n);
	put_u64(o, "next", i < n ? i : 0);
	return o;
}

json_t *
mgmt_view_carp_stats(const struct mgmt_config *c, const struct mgmt_args *a)
{
	struct ctl_group_view group;
	struct ctl_box_view box;
	const uint64_t *stats;
	json_t *o;

	if (a->has_group) {
		if (ctl_group_view(c->ctl, a->group, &group) != 0)
			return NULL;
		stats = group.stats;
	} else {
		ctl_box_view(c->ctl, &box);
		stats = box.stats;
	}
	o = json_object();
	if (a->has_group)
		put_str(o, "name", mgmt_group_name(c, a->group));
	for (unsigned int i = 0; i < CTL_STAT_COUNT; i++)
		put_u64(o, ctl_stat_name((enum ctl_stat)i), stats[i]);
	return o;
}

json_t *
mgmt_peer_json(const struct ctl_peer *peer, base_ns_t now)
{
	json_t *o = json_object();
	char addr[CONF_ADDR_STR];

	put_str(o, "address", mgmt_addr_str(&peer->addr, addr));
	put_u64(o, "advbase", peer->prio.advbase);
	put_u64(o, "advskew", peer->prio.advskew);
	put_u64(o, "demotion", peer->prio.demotion);
	put_u64(o, "heard_ms_ago", base_ns_since(now, peer->last_heard) / BASE_NS_PER_MS);
	put_u64(o, "adverts", peer->adverts);
	put_bool(o, "bowed_out", peer->bowed_out);
	put_str(o, "counters", auth_replay_class_name(peer->counters));
	if (mgmt_stage_peer(peer)[0] != '\0')
		put_str(o, "digest", mgmt_stage_peer(peer));
	return o;
}

json_t *
mgmt_view_carp_peers(const struct mgmt_config *c, const struct mgmt_args *a)
{
	struct ctl_peer peers[CTL_PEERS_MAX];
	uint32_t n = ctl_peers(c->ctl, a->group, peers);
	json_t *o = json_object(), *list = json_array();
	base_ns_t now = dp_clock();

	put_str(o, "name", mgmt_group_name(c, a->group));
	put_bool(o, "strict", c->conf->groups[a->group].strict);
	for (uint32_t i = 0; i < n && i < CTL_PEERS_MAX; i++)
		json_array_append_new(list, mgmt_peer_json(&peers[i], now));
	json_object_set_new(o, "peers", list);
	return o;
}

json_t *
mgmt_demotion_json(
	const struct mgmt_config *c, const struct election_demotion_entry *e, base_ns_t now)
{
	json_t *o = json_object();

	put_str(o, "source", election_demotion_source_name(e->source));
	put_str(o, "interface", mgmt_if_name(c, e->if_id));
	put_str(o, "group", mgmt_group_name(c, e->group));
	put_u64(o, "amount", e->amount);
	put_u64(o, "since_ms", base_ns_since(now, e->since) / BASE_NS_PER_MS);
	if (e->expires != BASE_NS_NEVER)
		put_u64(o, "ends_in_ms", base_ns_since(e->expires, now) / BASE_NS_PER_MS);
	return o;
}

json_t *
mgmt_view_carp_demotion(const struct mgmt_config *c, const struct mgmt_args *a)
{
	/* One entry per interface and source, one per group, one operator (election_types.h). */
	const uint32_t cap = 2 * CONF_IF_MAX + CONF_GROUP_MAX + 1;
	struct election_demotion_entry *e = calloc(cap, sizeof(*e));
	json_t *o = json_object(), *list = json_array();
	base_ns_t now = dp_clock();
	struct ctl_box_view box;
	uint32_t n;

	(void)a;
	ctl_box_view(c->ctl, &box);
	put_u64(o, "total", box.demotion);
	n = e ? ctl_demotion_view(c->ctl, e, cap) : 0;
	for (uint32_t i = 0; i < n && i < cap; i++)
		json_array_append_new(list, mgmt_demotion_json(c, &e[i], now));
	json_object_set_new(o, "entries", list);
	free(e);
	return o;
}

static void
put_priority(json_t *o, const char *key, const struct election_priority *p)
{
	char text[16];

	snprintf(text, sizeof(text), "%u/%u/%u", p->advbase, p->advskew, p->demotion);
	put_str(o, key, text);
}

json_t *
mgmt_event_json(const struct mgmt_config *c, const struct ctl_event *e)
{
	char text[MGMT_EVENT_TEXT], wall[MGMT_WALL_STR], addr[CONF_ADDR_STR];
	char split[MGMT_SPLIT_STR];
	json_t *o = json_object();

	put_u64(o, "seq", e->seq);
	put_str(o, "wall", mgmt_wall_str(e->wall_ns, wall));
	put_str(o, "kind", mgmt_event_kind(e));
	put_str(o, "group", mgmt_group_name(c, e->group));
	put_str(o, "interface", mgmt_if_name(c, e->if_id));
	put_str(o, "text", mgmt_event_text(c, e, text));
	switch (e->kind) {
	case CTL_EVENT_STATE:
		put_str(o, "from", election_state_name(e->from));
		put_str(o, "to", election_state_name(e->to));
		put_str(o, "cause", election_cause_text(e->cause));
		if (e->since_heard != BASE_NS_NEVER)
			put_u64(o, "since_heard_us", e->since_heard / BASE_NS_PER_US);
		if (e->to == ELECTION_MASTER)
			put_u64(o, "takeover_us", e->takeover_ns / BASE_NS_PER_US);
		put_priority(o, "own", &e->own);
		put_priority(o, "peer", &e->peer);
		put_str(o, "source", mgmt_addr_str(&e->src, addr));
		if (e->family != BASE_FAMILY_NONE)
			put_str(o, "family", mgmt_family_name(e->family));
		if (e->hold != ELECTION_HOLD_NONE)
			put_str(o, "hold", election_hold_name(e->hold));
		put_u64(o, "late_us", e->late / BASE_NS_PER_US);
		put_str(o, "command", e->text);
		break;
	case CTL_EVENT_DEMOTION:
		put_str(o, "reason", election_demotion_source_name(e->source));
		put_u64(o, "amount", e->amount);
		put_u64(o, "total", e->total);
		break;
	case CTL_EVENT_LINK:
		put_bool(o, "link_up", e->link_up);
		break;
	case CTL_EVENT_BAD_ADVERT:
		put_str(o, "counter", ctl_stat_name(e->stat));
		put_u64(o, "suppressed", e->suppressed);
		put_str(o, "source", mgmt_addr_str(&e->src, addr));
		break;
	case CTL_EVENT_STALL:
		put_u64(o, "gap_us", e->gap / BASE_NS_PER_US);
		break;
	case CTL_EVENT_WARN:
		put_str(o, "warn", election_warn_text(e->warn));
		if (e->warn == ELECTION_WARN_NONE)
			put_bool(o, "silent", e->warn_silent);
		put_priority(o, "peer", &e->peer);
		put_str(o, "source", mgmt_addr_str(&e->src, addr));
		break;
	case CTL_EVENT_SPLIT:
		put_bool(o, "split_brain_suspected", e->split != 0);
		put_str(o, "split_reasons", mgmt_split_str(e->split, split));
		put_str(o, "split_before", mgmt_split_str(e->split_before, split));
		put_str(o, "source", mgmt_addr_str(&e->src, addr));
		break;
	case CTL_EVENT_DECISION:
		put_str(o, "cause", election_cause_text(e->cause));
		put_str(o, "hold", election_hold_name(e->hold));
		put_u64(o, "hold_us", e->hold_ns / BASE_NS_PER_US);
		put_priority(o, "own", &e->own);
		put_priority(o, "peer", &e->peer);
		put_str(o, "source", mgmt_addr_str(&e->src, addr));
		break;
	case CTL_EVENT_UNHEARD:
		put_bool(o, "peer_heard", e->link_up);
		put_str(o, "source", mgmt_addr_str(&e->src, addr));
		put_str(o, "peer_interface", mgmt_if_name(c, e->peer_if));
		break;
	case CTL_EVENT_DEVICE:
		put_bool(o, "in_service", e->link_up);
		put_str(o, "reason", e->text);
		break;
	case CTL_EVENT_FILTER:
		put_bool(o, "filter_ok", e->link_up);
		put_str(o, "reason", e->text);
		break;
	case CTL_EVENT_STAGE:
		put_str(o, "step", auth_stage_step_name(e->stage));
		put_str(o, "source", mgmt_addr_str(&e->src, addr));
		break;
	case CTL_EVENT_REQUEST:
	case CTL_EVENT_CAPTURE:
		break;
	}
	return o;
}

json_t *
mgmt_view_carp_events(const struct mgmt_config *c, const struct mgmt_args *a)
{
	uint32_t kept = a->has_group ? CTL_DECISIONS_KEPT : CTL_EVENTS_KEPT;
	uint32_t cap = a->limit && a->limit < kept ? a->limit : kept;
	struct ctl_event *e = calloc(cap, sizeof(*e));
	json_t *o = json_object(), *list = json_array();
	uint64_t last = a->offset;
	uint32_t n = 0;

	if (e)
		n = ctl_events(
			c->ctl, a->has_group ? a->group : ELECTION_NONE, a->offset, e, cap, &last);
	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(list, mgmt_event_json(c, &e[i]));
	json_object_set_new(o, "events", list);
	put_u64(o, "next", last);
	free(e);
	return o;
}
