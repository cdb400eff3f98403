/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "routes.h"

#include <stdlib.h>

struct list {
	struct fib_route *route;
	uint32_t n;
};

static void
add(struct list *l, uint32_t prefix, uint8_t plen, enum fib_nh_type type, uint16_t if_index,
	uint16_t group, uint32_t gateway)
{
	struct fib_route *r = &l->route[l->n++];

	r->prefix.addr = base_addr_from_ip4(prefix);
	r->prefix.plen = plen;
	r->nh.type = (uint8_t)type;
	r->nh.if_index = if_index;
	r->nh.group = group;
	r->nh.gateway = gateway;
}

/* Each address calls this once per pass, so that a more certain kind of route comes first. */
enum pass { PASS_LOCAL, PASS_EDGE, PASS_CONNECTED, PASS_COUNT };

static void
add_address(struct list *l, const struct base_prefix *p, uint16_t if_index, uint16_t group,
	enum pass pass)
{
	if (p->addr.family != BASE_FAMILY_IP4)
		return;
	uint32_t ip = base_addr_ip4(&p->addr);
	uint32_t mask = base_ip4_mask(p->plen);

	switch (pass) {
	case PASS_LOCAL:
		add(l, ip, 32, FIB_NH_LOCAL, if_index, group, 0);
		break;
	case PASS_EDGE:
		/* RFC 3021: a /31 has neither */
		if (p->plen > 30)
			break;
		add(l, ip & mask, 32, FIB_NH_DROP, if_index, FIB_GROUP_NONE, 0);
		add(l, ip | ~mask, 32, FIB_NH_DROP, if_index, FIB_GROUP_NONE, 0);
		break;
	case PASS_CONNECTED:
		if (p->plen < 32)
			add(l, ip, p->plen, FIB_NH_CONNECTED, if_index, FIB_GROUP_NONE, 0);
		break;
	case PASS_COUNT:
		break;
	}
}

struct fib_route *
routes_from_conf(const struct conf *conf, uint32_t *n)
{
	/* at most four routes an address: itself, two edges, the subnet */
	size_t cap = conf->n_routes;
	struct list l = {0};

	for (uint16_t i = 0; i < conf->n_ifs; i++)
		cap += 4u * conf->ifs[i].n_addresses;
	for (uint16_t i = 0; i < conf->n_groups; i++)
		cap += 4u * conf->groups[i].n_addresses;
	l.route = calloc(cap + 1, sizeof(*l.route));
	if (l.route == NULL)
		return NULL;
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
	for (uint32_t i = 0; i < conf->n_routes; i++) {
		const struct conf_route *r = &conf->routes[i];

		if (r->prefix.addr.family == BASE_FAMILY_IP4)
			add(&l, base_addr_ip4(&r->prefix.addr), r->prefix.plen, FIB_NH_GATEWAY,
				r->if_index, FIB_GROUP_NONE, base_addr_ip4(&r->via));
	}
	*n = l.n;
	return l.route;
}
