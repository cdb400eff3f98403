/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Router advertisements of an interface: "ra", its prefixes, name servers and search list. */
#include <stdlib.h>
#include <string.h>

#include "conf_addr_priv.h"
#include "conf_check_priv.h"
#include "conf_net_priv.h"
#include "conf_parts_priv.h"
#include "conf_stage.h"

#define AUTONOMOUS_PLEN 64 /* RFC 4862 5.5.3, with the interface identifiers of Ethernet */
#define LIFETIMES	3  /* a lifetime not given, in intervals */

/* Whoever writes numbers of his own must keep them apart; see RFC 4861 6.2.1. */
static void
set_number(struct conf_ra *ra, enum conf_key_id key, json_int_t v)
{
	if (key == CONF_KEY_RA_MIN_INTERVAL_S)
		ra->min_interval_s = (uint16_t)v;
	else if (key == CONF_KEY_RA_LIFETIME_S)
		ra->msg.lifetime_s = (uint16_t)v;
	else if (key == CONF_KEY_RA_MTU)
		ra->msg.mtu = (uint32_t)v;
	else
		ra->msg.dns_lifetime_s = (uint32_t)v;
}

void
conf_part_ra_number(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	json_int_t v = json_integer_value(at.v);

	if (!json_is_integer(at.v) || v < k->min || v > k->max) {
		conf_expected(r, k, at.node);
		o->refused[k - conf_keys] = true;
		return;
	}
	set_number(o->base, (enum conf_key_id)(k - conf_keys), v);
}

void
conf_part_ra_prefix(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct wire_ra_prefix *out = o->base;
	struct base_prefix p = {0}, net;
	char a[CONF_ADDR_STR], b[CONF_ADDR_STR];

	out->plen = UINT8_MAX; /* not a prefix, until it is one */
	if (!json_is_string(at.v)) {
		conf_expected(r, k, at.node);
		return;
	}
	if (!conf_read_prefix(r, at, 1, &p))
		return;
	net = base_prefix_network(&p);
	if (p.addr.family != BASE_FAMILY_IP6)
		conf_error(r, at.node, "%s is no IPv6 prefix", conf_prefix_str(&p, a));
	else if (conf_addr_compare(&net.addr, &p.addr) != 0)
		conf_error(r, at.node, "%s has bits set after its prefix length, expected %s",
			conf_prefix_str(&p, a), conf_prefix_str(&net, b));
	else if (conf_addr_link_local(&p.addr) || conf_addr_unfit(&p.addr) != NULL)
		conf_error(r, at.node, "%s is %s, expected a prefix of hosts",
			conf_prefix_str(&p, a),
			conf_addr_link_local(&p.addr) ? "link-local" : conf_addr_unfit(&p.addr));
	else {
		memcpy(out->prefix, p.addr.bytes, sizeof(out->prefix));
		out->plen = p.plen;
	}
}

/* What of one prefix goes together, and that it is no earlier one again. */
static void
check_prefix(struct conf_reader *r, struct conf_ra *ra, uint16_t i, struct conf_at at,
	const struct conf_object_at *o)
{
	struct wire_ra_prefix *p = &ra->msg.prefix[i];

	if (o->member[CONF_KEY_RA_PREFIX_PREFERRED_S].v == NULL && p->preferred_s > p->valid_s)
		p->preferred_s = p->valid_s;
	if (p->preferred_s > p->valid_s)
		conf_error(r, conf_member_node(r, at.node, "preferred-s"),
			"preferred-s %u is more than valid-s %u", p->preferred_s, p->valid_s);
	if (p->autonomous && p->plen != AUTONOMOUS_PLEN)
		conf_error(r, conf_member_node(r, at.node, "prefix"),
			"hosts make addresses of their own from prefixes of length %d only: give "
			"\"autonomous\": false for length %u",
			AUTONOMOUS_PLEN, p->plen);
	for (uint16_t n = 0; n < i; n++)
		if (ra->msg.prefix[n].plen == p->plen &&
			memcmp(ra->msg.prefix[n].prefix, p->prefix, sizeof(p->prefix)) == 0)
			conf_error(r, conf_member_node(r, at.node, "prefix"),
				"the prefix is given already");
}

void
conf_part_ra_prefixes(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_ra *ra = o->base;

	ra->prefixes_given = true;
	if (!conf_is_array(r, k, at))
		return;
	for (struct conf_at e = conf_first_element(r, at); e.v != NULL;
		e = conf_next_element(r, at, e)) {
		struct wire_ra_prefix *p = &ra->msg.prefix[ra->msg.n_prefixes];
		struct conf_object_at obj = {.base = p};
		uint32_t errors = r->issues->n_errors;

		if (!conf_is_object(r, e))
			continue;
		conf_read_object(r, CONF_OBJECT_RA_PREFIX, e, &obj);
		if (r->issues->n_errors != errors)
			continue;
		check_prefix(r, ra, ra->msg.n_prefixes, e, &obj);
		ra->msg.n_prefixes++;
	}
}

void
conf_part_ra_dns(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_ra *ra = o->base;
	char buf[CONF_ECHO];

	if (!conf_is_array(r, k, at))
		return;
	for (struct conf_at e = conf_first_element(r, at); e.v != NULL;
		e = conf_next_element(r, at, e)) {
		const char *s = json_string_value(e.v);
		struct base_addr a;

		if (s == NULL || conf_addr_parse(s, &a) != 0 || a.family != BASE_FAMILY_IP6 ||
			conf_addr_unfit(&a) != NULL) {
			conf_error(r, e.node, "expected the IPv6 address of a host, found %s",
				s == NULL ? conf_found(r, e.node, buf) : conf_echo(r, e.node, buf));
			continue;
		}
		memcpy(ra->msg.dns[ra->msg.n_dns++], a.bytes, sizeof(ra->msg.dns[0]));
	}
}

void
conf_part_ra_domains(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_ra *ra = o->base;
	char buf[CONF_ECHO];

	if (!conf_is_array(r, k, at))
		return;
	for (struct conf_at e = conf_first_element(r, at); e.v != NULL;
		e = conf_next_element(r, at, e)) {
		const char *s = json_string_value(e.v);

		if (s == NULL || !wire_ra_domain_add(&ra->msg, s))
			conf_error(r, e.node,
				"expected a domain such as \"example.org\", all of them of at most "
				"%d bytes, found %s",
				WIRE_RA_DOMAINS_MAX,
				s == NULL ? conf_found(r, e.node, buf) : conf_echo(r, e.node, buf));
	}
}

/* What was not given, from what was; then whether it fits together (RFC 4861 6.2.1). */
static void
settle(struct conf_reader *r, struct conf_ra *ra, const struct conf_if *ifc,
	const struct conf_object_at *o)
{
	static const enum wire_ra_preference preferences[] = {
		WIRE_RA_MEDIUM, WIRE_RA_HIGH, WIRE_RA_LOW};
	const uint32_t lasting = (uint32_t)LIFETIMES * ra->max_interval_s;

	ra->msg.preference = preferences[ra->preference];
	if (o->member[CONF_KEY_RA_MIN_INTERVAL_S].v == NULL)
		ra->min_interval_s =
			ra->max_interval_s / 3 > 3 ? (uint16_t)(ra->max_interval_s / 3) : 3;
	if (o->member[CONF_KEY_RA_LIFETIME_S].v == NULL)
		ra->msg.lifetime_s = (uint16_t)lasting;
	if (o->member[CONF_KEY_RA_DNS_LIFETIME_S].v == NULL)
		ra->msg.dns_lifetime_s = lasting;
	if (o->member[CONF_KEY_RA_MTU].v == NULL)
		ra->msg.mtu = ifc->mtu;
	if (o->refused[CONF_KEY_RA_MAX_INTERVAL_S])
		return;
	if (o->member[CONF_KEY_RA_MIN_INTERVAL_S].v != NULL &&
		!o->refused[CONF_KEY_RA_MIN_INTERVAL_S] &&
		4 * ra->min_interval_s > 3 * ra->max_interval_s)
		conf_error(r, o->member[CONF_KEY_RA_MIN_INTERVAL_S].node,
			"min-interval-s %u is more than three quarters of max-interval-s %u",
			ra->min_interval_s, ra->max_interval_s);
	if (!o->refused[CONF_KEY_RA_LIFETIME_S] && ra->msg.lifetime_s != 0 &&
		ra->msg.lifetime_s < ra->max_interval_s)
		conf_error(r, o->member[CONF_KEY_RA_LIFETIME_S].node,
			"lifetime-s %u ends before the next advertisement: expected 0, or "
			"max-interval-s %u or more",
			ra->msg.lifetime_s, ra->max_interval_s);
	if (o->member[CONF_KEY_RA_MTU].v != NULL && !o->refused[CONF_KEY_RA_MTU] &&
		ra->msg.mtu != 0 && (ra->msg.mtu < CONF_MTU_MIN_IP6 || ra->msg.mtu > ifc->mtu))
		conf_error(r, o->member[CONF_KEY_RA_MTU].node,
			"expected 0 or %d to %u, the MTU of the interface, found %u",
			CONF_MTU_MIN_IP6, ifc->mtu, ra->msg.mtu);
}

void
conf_part_ra(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_if *ifc = o->base;
	struct conf_object_at obj = {.index = o->index};

	(void)k;
	if (!conf_is_object(r, at))
		return;
	ifc->ra = conf_calloc(r, 1, sizeof(*ifc->ra));
	if (ifc->ra == NULL)
		return;
	obj.base = ifc->ra;
	conf_read_object(r, CONF_OBJECT_RA, at, &obj);
	settle(r, ifc->ra, ifc, &obj);
}

/* The subnets of the interface, own and shared addresses', each once. */
static void
add_prefix(struct conf_ra *ra, const struct base_prefix *address)
{
	struct base_prefix net = base_prefix_network(address);
	struct wire_ra_prefix *p = &ra->msg.prefix[ra->msg.n_prefixes];

	if (net.addr.family != BASE_FAMILY_IP6 || conf_addr_link_local(&net.addr) ||
		net.plen == 128 || ra->msg.n_prefixes == WIRE_RA_PREFIX_MAX)
		return;
	for (uint16_t i = 0; i < ra->msg.n_prefixes; i++)
		if (ra->msg.prefix[i].plen == net.plen &&
			memcmp(ra->msg.prefix[i].prefix, net.addr.bytes, 16) == 0)
			return;
	*p = (struct wire_ra_prefix){
		.plen = net.plen,
		.on_link = true,
		.autonomous = net.plen == AUTONOMOUS_PLEN,
		.valid_s = CONF_RA_VALID_S,
		.preferred_s = CONF_RA_PREFERRED_S,
	};
	memcpy(p->prefix, net.addr.bytes, sizeof(p->prefix));
	ra->msg.n_prefixes++;
}

static void
add_prefixes(struct conf_ra *ra, const struct base_prefix *list, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		add_prefix(ra, &list[i]);
}

void
conf_ra_subnets(struct conf *c)
{
	for (uint16_t i = 0; i < c->n_ifs; i++) {
		struct conf_ra *ra = c->ifs[i].ra;

		if (ra == NULL || ra->prefixes_given)
			continue;
		ra->msg.n_prefixes = 0;
		memset(ra->msg.prefix, 0, sizeof(ra->msg.prefix));
		add_prefixes(ra, c->ifs[i].addresses, c->ifs[i].n_addresses);
		for (uint16_t g = 0; g < c->n_groups; g++)
			if (!c->groups[g].unused && c->groups[g].if_index == i)
				add_prefixes(ra, c->groups[g].addresses, c->groups[g].n_addresses);
	}
}

void
conf_check_ra(struct conf_reader *r)
{
	conf_ra_subnets(r->c);
	for (uint16_t i = 0; i < r->c->n_ifs; i++) {
		bool has_group = false;

		if (r->c->ifs[i].ra == NULL)
			continue;
		for (uint32_t n = 0; n < r->n_places; n++) {
			const struct conf_place *p = &r->place[n];

			has_group |= p->vip && conf_place_if(r, p) == i &&
				p->p.addr.family == BASE_FAMILY_IP6;
		}
		if (!has_group && !r->groups_bad)
			conf_error(r, conf_member_node(r, r->if_node[i], "ra"),
				"no group of interface \"%s\" has an IPv6 address, and only the "
				"MASTER of one sends router advertisements",
				r->c->ifs[i].name);
	}
}
