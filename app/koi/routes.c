/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "routes.h"

#include <stdlib.h>

#include "mgmt.h"
#include "wire6.h"

struct list {
	struct fib_route *route;
	uint32_t n;
};

static struct fib_route *
add(struct list *l, const struct base_addr *prefix, uint8_t plen, enum fib_nh_type type,
	uint16_t if_index, uint16_t group)
{
	struct fib_route *r = &l->route[l->n++];

	r->prefix.addr = *prefix;
	r->prefix.plen = plen;
	r->nh.type = (uint8_t)type;
	r->nh.if_index = if_index;
	r->nh.group = group;
	return r;
}

/* Each address calls this once per pass, so that a more certain kind of route comes first. */
enum pass { PASS_LOCAL, PASS_EDGE, PASS_CONNECTED, PASS_COUNT };

/*
 * The subnet-router anycast address of IPv6 (RFC 4291 2.6.1), which a /127 has not (RFC 6164): it
 * is no host's, so that nobody is to be asked for it.
 */
static void
add_anycast(struct list *l, const struct base_prefix *p, uint16_t if_index)
{
	const struct base_prefix net = base_prefix_network(p);

	if (p->plen > 126)
		return;
	add(l, &net.addr, 128, FIB_NH_DROP, if_index, FIB_GROUP_NONE);
}

/* Network and broadcast address; a /31 has neither (RFC 3021). */
static void
add_edges(struct list *l, const struct base_prefix *p, uint16_t if_index)
{
	uint32_t ip = base_addr_ip4(&p->addr), mask = base_ip4_mask(p->plen);
	const struct base_addr first = base_addr_from_ip4(ip & mask);
	const struct base_addr last = base_addr_from_ip4(ip | ~mask);

	if (p->plen > 30)
		return;
	add(l, &first, 32, FIB_NH_DROP, if_index, FIB_GROUP_NONE);
	add(l, &last, 32, FIB_NH_DROP, if_index, FIB_GROUP_NONE);
}

static void
add_address(struct list *l, const struct base_prefix *p, uint16_t if_index, uint16_t group,
	enum pass pass)
{
	bool ip4 = p->addr.family == BASE_FAMILY_IP4;
	uint8_t bits = ip4 ? 32 : 128;

	/* It means another host on each link, so that no table for all of them can have it. */
	if (!ip4 && wire_ip6_is_link_local(p->addr.bytes))
		return;
	switch (pass) {
	case PASS_LOCAL:
		add(l, &p->addr, bits, FIB_NH_LOCAL, if_index, group);
		break;
	case PASS_EDGE:
		(ip4 ? add_edges : add_anycast)(l, p, if_index);
		break;
	case PASS_CONNECTED:
		if (p->plen < bits)
			add(l, &p->addr, p->plen, FIB_NH_CONNECTED, if_index, FIB_GROUP_NONE);
		break;
	case PASS_COUNT:
		break;
	}
}

struct fib_route *
routes_from_conf(const struct conf *conf, uint32_t *n, struct fib_nh **paths)
{
	/* at most four routes an address: itself, two edges, the subnet */
	size_t cap = conf->n_routes, n_paths = 0;
	struct list l = {0};

	for (uint16_t i = 0; i < conf->n_ifs; i++)
		cap += 4u * conf->ifs[i].n_addresses;
	for (uint16_t i = 0; i < conf->n_groups; i++)
		cap += 4u * conf->groups[i].n_addresses;
	for (uint32_t i = 0; i < conf->n_routes; i++)
		n_paths += conf->routes[i].n_hops;
	*paths = calloc(n_paths + 1, sizeof(**paths));
	l.route = calloc(cap + 1, sizeof(*l.route));
	if (l.route == NULL || *paths == NULL) {
		free(*paths);
		free(l.route);
		return NULL;
	}
	for (unsigned int pass = 0; pass < PASS_COUNT; pass++) {
		for (uint16_t i = 0; i < conf->n_ifs; i++)
			for (uint16_t a = 0; a < conf->ifs[i].n_addresses; a++)
				add_address(
					&l, &conf->ifs[i].addresses[a], i, FIB_GROUP_NONE, pass);
		for (uint16_t i = 0; i < conf->n_groups; i++)
			for (uint16_t a = 0; a < conf->groups[i].n_addresses; a++)
				add_address(&l, &conf->groups[i].addresses[a],
					conf->groups[i].if_index, i, pass);
	}
	n_paths = 0;
	for (uint32_t i = 0; i < conf->n_routes; i++) {
		mgmt_route_make(&conf->routes[i], &(*paths)[n_paths], &l.route[l.n++]);
		n_paths += conf->routes[i].n_hops;
	}
	*n = l.n;
	return l.route;
}
