/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Router advertisements: what is sent, by which group, and when next. */
#include "mgmt_view_priv.h"

#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "ctl.h"
#include "dp.h"
#include "election.h"
#include "wire6.h"
#include "wire_ra.h"

#include "mgmt_json_priv.h"

static const char *
prefix_str(const struct wire_ra_prefix *p, char buf[CONF_ADDR_STR])
{
	const struct base_prefix prefix = {.addr = base_addr_from_ip6(p->prefix), .plen = p->plen};

	return conf_prefix_str(&prefix, buf);
}

static const char *
preference_name(enum wire_ra_preference p)
{
	return p == WIRE_RA_HIGH ? "high" : p == WIRE_RA_LOW ? "low" : "medium";
}

static json_t *
dns_list(const struct wire_ra *ra)
{
	json_t *list = json_array();

	for (uint16_t i = 0; i < ra->n_dns; i++) {
		const struct base_addr a = base_addr_from_ip6(ra->dns[i]);
		char buf[CONF_ADDR_STR];

		json_array_append_new(list, json_string(conf_addr_str(&a, buf)));
	}
	return list;
}

/* Names as they are sent: labels, each with its length before it, and a zero. */
static json_t *
domain_list(const struct wire_ra *ra)
{
	json_t *list = json_array();
	char name[WIRE_RA_DOMAINS_MAX];
	size_t n = 0;

	for (uint16_t at = 0; at < ra->domains_len; at = (uint16_t)(at + 1 + ra->domains[at])) {
		uint8_t label = ra->domains[at];

		if (label == 0) {
			json_array_append_new(list, json_stringn(name, n));
			n = 0;
			continue;
		}
		if (n > 0)
			name[n++] = '.';
		memcpy(name + n, &ra->domains[at + 1], label);
		n += label;
	}
	return list;
}

json_t *
mgmt_ra_json(const struct conf_ra *conf)
{
	const struct wire_ra *ra = &conf->msg;
	json_t *o = json_object(), *prefixes = json_array();
	char buf[CONF_ADDR_STR];

	put_u64(o, "max-interval-s", conf->max_interval_s);
	put_u64(o, "min-interval-s", conf->min_interval_s);
	put_u64(o, "lifetime-s", ra->lifetime_s);
	put_str(o, "preference", preference_name(ra->preference));
	put_bool(o, "managed", ra->managed);
	put_bool(o, "other", ra->other);
	put_u64(o, "hop-limit", ra->hop_limit);
	put_u64(o, "reachable-ms", ra->reachable_ms);
	put_u64(o, "retrans-ms", ra->retrans_ms);
	put_u64(o, "mtu", ra->mtu);
	for (uint16_t i = 0; i < ra->n_prefixes; i++) {
		json_t *p = json_object();

		put_str(p, "prefix", prefix_str(&ra->prefix[i], buf));
		put_u64(p, "valid-s", ra->prefix[i].valid_s);
		put_u64(p, "preferred-s", ra->prefix[i].preferred_s);
		put_bool(p, "on-link", ra->prefix[i].on_link);
		put_bool(p, "autonomous", ra->prefix[i].autonomous);
		json_array_append_new(prefixes, p);
	}
	json_object_set_new(o, "prefixes", prefixes);
	json_object_set_new(o, "dns", dns_list(ra));
	json_object_set_new(o, "domains", domain_list(ra));
	put_u64(o, "dns-lifetime-s", ra->dns_lifetime_s);
	return o;
}

/* In one string: telemetry takes no lists in a list's elements. */
static void
put_prefixes(json_t *o, const struct wire_ra *ra)
{
	char text[WIRE_RA_PREFIX_MAX * (CONF_ADDR_STR + 24)] = "", buf[CONF_ADDR_STR];
	size_t n = 0;

	for (uint16_t i = 0; i < ra->n_prefixes; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s%s%s", i > 0 ? ", " : "",
			prefix_str(&ra->prefix[i], buf), ra->prefix[i].on_link ? " on-link" : "",
			ra->prefix[i].autonomous ? " autonomous" : "");
	put_str(o, "prefixes", text);
}

static json_t *
router_json(const struct mgmt_config *c, uint16_t group)
{
	const struct conf_group *g = &c->conf->groups[group];
	const struct conf_ra *conf = c->conf->ifs[g->if_index].ra;
	uint8_t vmac[BASE_MAC_LEN], router[16];
	char mac[MGMT_MAC_STR], addr[CONF_ADDR_STR];
	struct ctl_group_view v;
	struct base_addr from;
	json_t *o = json_object();

	memset(&v, 0, sizeof(v));
	ctl_group_view(c->ctl, group, &v);
	base_vmac(g->vhid, vmac);
	wire_ip6_link_local(vmac, router);
	from = base_addr_from_ip6(router);
	put_str(o, "group", g->name);
	put_str(o, "interface", mgmt_if_name(c, g->if_index));
	put_str(o, "state", election_state_name(v.info.state));
	put_str(o, "address", conf_addr_str(&from, addr));
	put_str(o, "mac", mgmt_mac_str(vmac, mac));
	put_u64(o, "lifetime_s", conf->msg.lifetime_s);
	put_str(o, "preference", preference_name(conf->msg.preference));
	put_u64(o, "min_interval_s", conf->min_interval_s);
	put_u64(o, "max_interval_s", conf->max_interval_s);
	put_prefixes(o, &conf->msg);
	put_bool(o, "sending", v.ra_next != BASE_NS_NEVER);
	if (v.ra_next != BASE_NS_NEVER)
		put_u64(o, "next_ms", base_ns_since(v.ra_next, dp_clock()) / BASE_NS_PER_MS);
	put_u64(o, "sent", v.stats[CTL_STAT_RA_SENT]);
	put_u64(o, "final", v.stats[CTL_STAT_RA_FINAL]);
	put_u64(o, "repeated", v.stats[CTL_STAT_RA_REPEATED]);
	put_u64(o, "solicitations", v.stats[CTL_STAT_RS_HEARD]);
	return o;
}

static bool
sends(const struct mgmt_config *c, uint16_t group)
{
	const struct conf_group *g = &c->conf->groups[group];

	if (c->conf->ifs[g->if_index].ra == NULL)
		return false;
	for (uint16_t i = 0; i < g->n_addresses; i++)
		if (g->addresses[i].addr.family == BASE_FAMILY_IP6)
			return true;
	return false;
}

json_t *
mgmt_view_ra(const struct mgmt_config *c, const struct mgmt_args *a)
{
	json_t *o = json_object(), *list = json_array();
	uint64_t n = 0, shown = 0, next = 0;

	for (uint16_t i = 0; i < c->conf->n_groups; i++) {
		if (!sends(c, i) || n++ < a->offset)
			continue;
		if (a->limit != 0 && shown == a->limit) {
			next = a->offset + shown;
			break;
		}
		shown++;
		json_array_append_new(list, router_json(c, i));
	}
	json_object_set_new(o, "routers", list);
	put_u64(o, "next", next);
	return o;
}
