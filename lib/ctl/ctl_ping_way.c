/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Where probes go, and whose name they bear: never that of a VIP unless MASTER. */
#include <string.h>

#include "ctl_ping_priv.h"
#include "dp_probe.h"
#include "fib.h"

static bool
has_vip(const struct ctl_group *g, const struct base_addr *a)
{
	return a->family == BASE_FAMILY_IP6 ? ctl_is_vip6(g, a->bytes)
					    : ctl_is_vip4(g, base_addr_ip4(a));
}

static bool
is_own(const struct ctl_if *f, const struct base_addr *a)
{
	return a->family == BASE_FAMILY_IP6 ? ctl_is_own6(f, a->bytes)
					    : ctl_is_own4(f, base_addr_ip4(a));
}

/*
 * A group with a VIP, MASTER rather than any other.
 * @param if_index  of a link-local address the interface
 */
static uint16_t
group_of(const struct ctl *c, const struct base_addr *a, uint16_t if_index)
{
	uint16_t found = ELECTION_NONE;

	for (uint16_t g = 0; g < c->n_groups; g++) {
		const struct ctl_group *group = &c->groups[g];

		if (group->conf->unused || !has_vip(group, a) ||
			(conf_addr_link_local(a) && group->conf->if_index != if_index))
			continue;
		if (group->state == ELECTION_MASTER)
			return g;
		found = g;
	}
	return found;
}

/* To an address of this box: answered here, or by the box that is MASTER. */
static void
way_to_us(const struct ctl *c, const struct ctl_ping_ask *ask, struct ctl_ping_way *way)
{
	uint16_t group = group_of(c, &ask->dst, ask->if_index);
	const struct ctl_group *g;

	way->here = true;
	if (group == ELECTION_NONE || is_own(&c->ifs[way->if_index], &ask->dst))
		return;
	g = &c->groups[group];
	way->if_index = g->conf->if_index;
	way->here = g->state == ELECTION_MASTER;
	way->has_mac = !way->here;
	way->next_hop = ask->dst;
	memcpy(way->mac, g->vmac, sizeof(way->mac));
}

bool
ctl_ping_way(struct ctl *c, const struct ctl_ping_ask *ask, struct ctl_ping_way *way,
	enum ctl_ping_why *why)
{
	struct dp_way w = {
		.type = FIB_NH_CONNECTED, .if_index = ask->if_index, .next_hop = ask->dst};

	if (!conf_addr_link_local(&ask->dst))
		dp_probe_way(c->dp, &ask->dst, &w);
	else if (is_own(&c->ifs[ask->if_index], &ask->dst) ||
		group_of(c, &ask->dst, ask->if_index) != ELECTION_NONE)
		w.type = FIB_NH_LOCAL;
	*way = (struct ctl_ping_way){.if_index = w.if_index, .next_hop = w.next_hop};
	switch ((enum fib_nh_type)w.type) {
	case FIB_NH_LOCAL:
		way_to_us(c, ask, way);
		return true;
	case FIB_NH_CONNECTED:
	case FIB_NH_GATEWAY:
		return true;
	case FIB_NH_DROP:
		*why = CTL_PING_EDGE;
		return false;
	case FIB_NH_BLACKHOLE:
	case FIB_NH_UNREACHABLE:
	case FIB_NH_PROHIBIT:
		*why = CTL_PING_ROUTE_SAYS;
		return false;
	case FIB_NH_NONE:
	case FIB_NH_MULTI:
		break;
	}
	*why = CTL_PING_NO_ROUTE;
	return false;
}

/* Own addresses of the interface: of the next hop's network, else the first one. */
static bool
own_source(const struct ctl_if *f, const struct ctl_ping_way *way, const struct base_addr *dst,
	struct base_addr *src)
{
	const uint8_t *best = NULL;

	if (dst->family == BASE_FAMILY_IP4) {
		*src = base_addr_from_ip4(ctl_own_ip4(f, base_addr_ip4(&way->next_hop)));
		return f->lists.n_own > 0;
	}
	if (conf_addr_link_local(dst))
		best = f->link_local;
	for (uint16_t i = 0; i < f->lists.n_own6 && !conf_addr_link_local(dst); i++) {
		if (wire_ip6_is_link_local(f->lists.own6[i]))
			continue;
		if (best == NULL || memcmp(f->lists.own6[i], way->next_hop.bytes, 8) == 0)
			best = f->lists.own6[i];
	}
	if (best != NULL)
		*src = base_addr_from_ip6(best);
	return best != NULL;
}

static bool
vip_source(const struct ctl_group *g, const struct base_addr *dst, struct base_addr *src)
{
	if (dst->family == BASE_FAMILY_IP4) {
		if (g->n_vips > 0)
			*src = base_addr_from_ip4(g->vips[0]);
		return g->n_vips > 0;
	}
	for (uint16_t i = 0; i < g->n_vips6; i++) {
		if (wire_ip6_is_link_local(g->vips6[i]))
			continue;
		*src = base_addr_from_ip6(g->vips6[i]);
		return true;
	}
	return false;
}

bool
ctl_ping_source(const struct ctl *c, const struct ctl_ping_way *way, const struct base_addr *dst,
	struct base_addr *src)
{
	if (way->here) {
		*src = *dst;
		return true;
	}
	if (own_source(&c->ifs[way->if_index], way, dst, src))
		return true;
	for (uint16_t g = 0; g < c->n_groups; g++)
		if (c->groups[g].conf->if_index == way->if_index &&
			c->groups[g].state == ELECTION_MASTER &&
			vip_source(&c->groups[g], dst, src))
			return true;
	return false;
}

bool
ctl_ping_source_ok(const struct ctl *c, const struct ctl_ping_way *way, const struct base_addr *src,
	uint8_t mac[BASE_MAC_LEN])
{
	uint16_t group;

	memcpy(mac, c->ifs[way->if_index].mac, BASE_MAC_LEN);
	for (uint16_t i = 0; i < c->n_ifs; i++)
		if (is_own(&c->ifs[i], src) && (!conf_addr_link_local(src) || i == way->if_index))
			return true;
	group = group_of(c, src, way->if_index);
	if (group == ELECTION_NONE || c->groups[group].state != ELECTION_MASTER)
		return false;
	/* On another segment the group's vMAC would be another group's. */
	if (c->groups[group].conf->if_index == way->if_index)
		memcpy(mac, c->groups[group].vmac, BASE_MAC_LEN);
	return true;
}
