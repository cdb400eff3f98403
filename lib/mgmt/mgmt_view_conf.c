/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The configuration in effect, in the file's own keys, defaults written out and what was set at
 * run time in its place. Secrets are masked.
 */
#include "mgmt_view_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "conf_stage.h"
#include "ctl.h"
#include "dp.h"
#include "fib_nbr.h"

#include "mgmt_json_priv.h"

#define NBR_ROWS  64
#define DEMOTIONS (2 * CONF_IF_MAX + 1) /* the operator's comes after those of interfaces */

static json_t *
prefix_list(const struct base_prefix *p, uint16_t n)
{
	json_t *list = json_array();
	char buf[CONF_ADDR_STR];

	for (uint16_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(conf_prefix_str(&p[i], buf)));
	return list;
}

/* CPUs that koi chooses itself are left out, as in the file. */
static json_t *
lcores_json(const struct conf_lcores *l)
{
	json_t *o = json_object(), *workers;

	if (l->control != CONF_CPU_AUTO)
		put_u64(o, "control", l->control);
	if (l->n_workers > 0) {
		workers = json_array();
		for (uint16_t i = 0; i < l->n_workers; i++)
			json_array_append_new(workers, json_integer(l->workers[i]));
		json_object_set_new(o, "workers", workers);
	}
	put_str(o, "idle", l->idle == CONF_IDLE_POLL ? "poll" : "adaptive");
	put_u64(o, "rt-priority", l->rt_priority);
	return o;
}

static void
put_host(json_t *o, const struct conf_host *h)
{
	json_t *host;

	if (!h->on) {
		put_bool(o, "host", false);
		return;
	}
	host = json_object();
	put_str(host, "name", h->tap);
	put_u64(host, "rate-pps", h->rate_pps);
	json_object_set_new(o, "host", host);
}

static json_t *
neighbor_list(const struct conf_if *ifc)
{
	json_t *list = json_array();

	for (uint16_t i = 0; i < ifc->n_neighbors; i++) {
		char addr[CONF_ADDR_STR], mac[MGMT_MAC_STR];
		json_t *n = json_object();

		put_str(n, "address", conf_addr_str(&ifc->neighbors[i].addr, addr));
		put_str(n, "mac", mgmt_mac_str(ifc->neighbors[i].mac, mac));
		json_array_append_new(list, n);
	}
	return list;
}

static json_t *
if_json(const struct conf_if *ifc)
{
	static const char *const vmac_filter[] = {
		[CONF_VMAC_FILTER_AUTO] = "auto",
		[CONF_VMAC_FILTER_REQUIRE] = "require",
		[CONF_VMAC_FILTER_PROMISCUOUS] = "promiscuous",
	};
	static const char *const rp_filter[] = {
		[CONF_RP_FILTER_OFF] = "off",
		[CONF_RP_FILTER_LOOSE] = "loose",
		[CONF_RP_FILTER_STRICT] = "strict",
	};
	json_t *o = json_object();

	put_str(o, "name", ifc->name);
	put_str(o, "device", ifc->device);
	if (ifc->vlan != 0)
		put_u64(o, "vlan", ifc->vlan);
	put_u64(o, "mtu", ifc->mtu);
	put_bool(o, "track", ifc->track);
	put_u64(o, "linkup-hold-ms", ifc->linkup_hold_ms);
	put_str(o, "vmac-filter", vmac_filter[ifc->vmac_filter]);
	put_str(o, "rp-filter", rp_filter[ifc->rp_filter]);
	put_host(o, &ifc->host);
	put_str(o, "source-mac", ifc->source_mac_vmac ? "vmac" : "interface");
	json_object_set_new(o, "addresses", prefix_list(ifc->addresses, ifc->n_addresses));
	if (ifc->n_neighbors > 0)
		json_object_set_new(o, "neighbors", neighbor_list(ifc));
	if (ifc->ra != NULL)
		json_object_set_new(o, "ra", mgmt_ra_json(ifc->ra));
	return o;
}

/* A peer that is not set has no word for it and is left out, as in the file. */
static void
put_peer(json_t *o, const char *key, const struct base_addr *peer)
{
	char buf[CONF_ADDR_STR];

	if (peer->family != BASE_FAMILY_NONE)
		put_str(o, key, conf_addr_str(peer, buf));
}

/* What goes into adverts and which of them count. */
static void
put_adverts(json_t *o, const struct conf_group *g)
{
	static const char *const family_timers[] = {
		[CONF_FAMILY_TIMERS_ALL] = "all",
		[CONF_FAMILY_TIMERS_ANY] = "any",
	};
	static const char *const hmac[] = {
		[CONF_HMAC_AUTO] = "auto",
		[CONF_HMAC_ORIG] = "orig",
		[CONF_HMAC_NOV6LL] = "nov6ll",
	};

	put_peer(o, "peer", &g->peer4);
	put_peer(o, "peer6", &g->peer6);
	put_bool(o, "strict", g->strict);
	put_str(o, "family-timers", family_timers[g->family_timers]);
	put_str(o, "hmac", hmac[g->hmac]);
	put_str(o, "cksum6", g->cksum6 == CONF_CKSUM6_PSEUDO ? "pseudo" : "plain");
	put_str(o, "advert-source", g->advert_source_interface ? "interface" : "vmac");
}

static json_t *
group_json(const struct mgmt_config *c, uint16_t id)
{
	static const char *const states[] = {
		[CONF_STATE_BACKUP] = "backup",
		[CONF_STATE_INIT] = "init",
		[CONF_STATE_MASTER] = "master",
	};
	const struct conf_group *g = &c->conf->groups[id];
	uint8_t advbase = g->advbase, advskew = g->advskew;
	bool key_set = false;
	struct ctl_group_view v;
	json_t *o = json_object();

	if (ctl_group_view(c->ctl, id, &v) == 0) {
		advbase = v.info.advbase;
		advskew = v.info.advskew;
		key_set = v.key_set;
	}
	put_str(o, "name", g->name);
	put_str(o, "carpdev", mgmt_if_name(c, g->if_index));
	put_u64(o, "vhid", g->vhid);
	if (g->pass_file && !key_set)
		put_str(o, "pass-file", g->pass_file);
	else
		put_str(o, "pass", "********");
	put_u64(o, "advbase", advbase);
	put_u64(o, "advskew", advskew);
	put_bool(o, "fast", g->fast);
	put_str(o, "state", states[g->state]);
	json_object_set_new(o, "addresses", prefix_list(g->addresses, g->n_addresses));
	put_adverts(o, g);
	return o;
}

/* Without a hook there is no word for it, as in the file. */
static void
put_hook(json_t *o, const struct conf *conf)
{
	json_t *list;

	if (conf->n_on_change > 0) {
		list = json_array();
		for (uint16_t i = 0; i < conf->n_on_change; i++)
			json_array_append_new(list, json_string(conf->on_change[i]));
		json_object_set_new(o, "on-change", list);
	}
	put_str(o, "on-change-user", conf->on_change_user[0] ? conf->on_change_user : "nobody");
	put_u64(o, "on-change-timeout-s", conf->on_change_timeout_s);
}

static json_t *
metrics_json(const struct conf_metrics *m)
{
	json_t *o = json_object();
	char listen[CONF_LISTEN_STR];

	if (m->addr.family != BASE_FAMILY_NONE)
		put_str(o, "listen", conf_listen_str(m, listen));
	return o;
}

static json_t *
cli_json(const struct conf_cli *cli)
{
	json_t *o = json_object();

	json_object_set_new(o, "mode", json_sprintf("%04o", cli->mode));
	if (cli->group[0] != '\0')
		put_str(o, "group", cli->group);
	return o;
}

json_t *
mgmt_view_config(const struct mgmt_config *c, const struct mgmt_args *a)
{
	const struct conf *conf = c->conf;
	json_t *o = json_object(), *eal = json_array(), *ifs = json_array(), *carp = json_object();
	json_t *groups = json_array(), *routes = json_array();
	uint64_t more;
	struct ctl_box_view box;

	(void)a;
	ctl_box_view(c->ctl, &box);
	put_str(o, "node", conf->node);
	for (uint16_t i = 0; i < conf->n_eal; i++)
		json_array_append_new(eal, json_string(conf->eal[i]));
	json_object_set_new(o, "eal", eal);
	json_object_set_new(o, "lcores", lcores_json(&conf->lcores));
	for (uint16_t i = 0; i < conf->n_ifs; i++)
		json_array_append_new(ifs, if_json(&conf->ifs[i]));
	json_object_set_new(o, "interfaces", ifs);
	put_bool(carp, "allow", box.allow);
	put_bool(carp, "preempt", box.preempt);
	put_u64(carp, "log", box.log);
	put_bool(carp, "arpbalance", box.arpbalance);
	put_str(carp, "arpbalance-order", conf->arpbalance_netbsd_order ? "netbsd" : "vhid");
	put_u64(carp, "startup-hold-ms", conf->startup_hold_ms);
	put_u64(carp, "preempt-delay-ms", conf->preempt_delay_ms);
	put_u64(carp, "announce-refresh-s", conf->announce_refresh_s);
	put_u64(carp, "window-s", conf->window_s);
	put_u64(carp, "dscp", conf->dscp);
	put_hook(carp, conf);
	for (uint16_t i = 0; i < conf->n_groups; i++)
		if (!conf->groups[i].unused)
			json_array_append_new(groups, group_json(c, i));
	json_object_set_new(carp, "groups", groups);
	json_object_set_new(o, "carp", carp);
	more = mgmt_routes_config(c, routes);
	json_object_set_new(o, "routes", routes);
	json_object_set_new(o, "metrics", metrics_json(&conf->metrics));
	json_object_set_new(o, "cli", cli_json(&conf->cli));
	if (more != 0)
		put_u64(o, "routes-not-shown", more);
	return o;
}

static void add_change(json_t *list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
add_change(json_t *list, const char *fmt, ...)
{
	char text[96 + CONF_STAGE_STR];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(list, json_string(text));
}

/* Static neighbours that the file has not, or with another MAC; seen: those that it has. */
static void
neighbors_set(const struct mgmt_config *c, json_t *list, bool *seen, const uint32_t *first)
{
	struct fib_nbr_row rows[NBR_ROWS];
	uint32_t cursor = 0, n;

	while ((n = fib_nbr_rows(c->nbr, &cursor, rows, NBR_ROWS)) > 0)
		for (uint32_t i = 0; i < n; i++) {
			const struct fib_nbr_row *r = &rows[i];
			char addr[CONF_ADDR_STR], mac[MGMT_MAC_STR];

			if (r->state != FIB_NBR_STATIC || r->if_index >= c->conf->n_ifs)
				continue;
			const struct conf_if *f = &c->conf->ifs[r->if_index];
			uint32_t k = 0;

			while (k < f->n_neighbors &&
				memcmp(&f->neighbors[k].addr, &r->addr, sizeof(r->addr)) != 0)
				k++;
			if (k < f->n_neighbors)
				seen[first[r->if_index] + k] = true;
			if (k == f->n_neighbors ||
				memcmp(f->neighbors[k].mac, r->mac, sizeof(r->mac)) != 0)
				add_change(list, "neighbor %s add %s %s", f->name,
					conf_addr_str(&r->addr, addr), mgmt_mac_str(r->mac, mac));
		}
}

static void
neighbors_diff(const struct mgmt_config *c, json_t *list)
{
	uint32_t first[CONF_IF_MAX], n = 0;
	char addr[CONF_ADDR_STR];
	bool *seen;

	for (uint16_t i = 0; i < c->conf->n_ifs; i++) {
		first[i] = n;
		n += c->conf->ifs[i].n_neighbors;
	}
	seen = calloc(n + 1, sizeof(*seen));
	if (seen == NULL) {
		add_change(list, "# no memory to compare static neighbours");
		return;
	}
	neighbors_set(c, list, seen, first);
	for (uint16_t i = 0; i < c->conf->n_ifs; i++)
		for (uint32_t k = 0; k < c->conf->ifs[i].n_neighbors; k++)
			if (!seen[first[i] + k])
				add_change(list, "neighbor %s del %s", c->conf->ifs[i].name,
					conf_addr_str(&c->conf->ifs[i].neighbors[k].addr, addr));
	free(seen);
}

/* The file has no word for the operator's demotion, but whoever compares wants to know of it. */
static void
demotion_diff(const struct mgmt_config *c, json_t *list)
{
	struct election_demotion_entry e[DEMOTIONS];
	uint32_t n = ctl_demotion_view(c->ctl, e, DEMOTIONS);

	for (uint32_t i = 0; i < n && i < DEMOTIONS; i++)
		if (e[i].source == ELECTION_DEMOTION_OPERATOR)
			add_change(list, "set carp demotion %u", e[i].amount);
}

/* What differs from the file, as the commands that make it so. */
json_t *
mgmt_view_config_diff(const struct mgmt_config *c, const struct mgmt_args *a)
{
	const struct conf *conf = c->conf;
	json_t *o = json_object(), *list = json_array();
	struct ctl_box_view box;
	struct ctl_group_view v;
	char what[CONF_STAGE_STR];

	(void)a;
	ctl_box_view(c->ctl, &box);
	if (box.allow != conf->allow)
		add_change(list, "set carp allow %d", box.allow);
	if (box.preempt != conf->preempt)
		add_change(list, "set carp preempt %d", box.preempt);
	if (box.log != conf->log)
		add_change(list, "set carp log %u", box.log);
	if (box.arpbalance != conf->arpbalance)
		add_change(list, "set carp arpbalance %d", box.arpbalance);
	demotion_diff(c, list);
	for (uint16_t i = 0; i < conf->n_ifs; i++)
		if (!dp_if_is_up(c->dp, i))
			add_change(list, "interface %s down", conf->ifs[i].name);
	for (uint16_t i = 0; i < conf->n_groups; i++) {
		const struct conf_group *g = &conf->groups[i];

		if (g->unused || ctl_group_view(c->ctl, i, &v) != 0)
			continue;
		if (v.info.advbase != g->advbase)
			add_change(list, "set carp %s advbase %u", g->name, v.info.advbase);
		if (v.info.advskew != g->advskew)
			add_change(list, "set carp %s advskew %u", g->name, v.info.advskew);
		if (v.key_set)
			add_change(list, "set carp %s pass-file ********", g->name);
		if (g->staged != NULL && g->staged->uses_new != g->staged->file_new)
			add_change(list, "# %s: %s: %s", g->name,
				g->staged->uses_new ? "committed, but the file has the old one"
					: g->staged->over ? "not committed"
							  : "staged",
				conf_stage_str(g, what));
	}
	neighbors_diff(c, list);
	mgmt_routes_diff(c, list);
	json_object_set_new(o, "changes", list);
	return o;
}
