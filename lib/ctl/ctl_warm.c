/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Neighbours that a take-over would need: the routers of static routes, looked up again and again,
 * which keeps them known and fresh in every state; and where a group is BACKUP the hosts that ask
 * for its VIPs and those that its master asks for, as far as we hear it. All are asked in our own
 * name. So the first packet after a take-over has somewhere to go.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_priv.h"

#define ROUND_NS       (5 * BASE_NS_PER_S)
#define LOOKS_PER_TURN 16

/* The network's own address and the broadcast address are no host's; a /31 has neither. */
static bool
is_edge(const struct base_prefix *p, const struct base_addr *a)
{
	uint32_t mask, ip;

	if (a->family != BASE_FAMILY_IP4 || p->plen > 30)
		return false;
	mask = base_ip4_mask(p->plen);
	ip = base_addr_ip4(a);
	return (ip & ~mask) == 0 || (ip | mask) == UINT32_MAX;
}

bool
ctl_is_on_link(const struct ctl_if *f, const struct base_addr *addr)
{
	if (addr->family == BASE_FAMILY_IP6 && wire_ip6_is_link_local(addr->bytes))
		return true;
	for (uint16_t i = 0; i < f->n_on_link; i++)
		if (base_prefix_holds(&f->on_link[i], addr))
			return !is_edge(&f->on_link[i], addr);
	return false;
}

static int
find_subnets(struct ctl *c, uint16_t if_id)
{
	struct ctl_if *f = &c->ifs[if_id];
	const struct conf_if *conf = &c->conf->ifs[if_id];
	size_t most = conf->n_addresses;

	for (uint16_t g = 0; g < c->n_groups; g++)
		if (c->groups[g].conf->if_index == if_id)
			most += c->groups[g].conf->n_addresses;
	f->on_link = calloc(most + 1, sizeof(*f->on_link));
	if (f->on_link == NULL)
		return -ENOMEM;
	for (uint16_t i = 0; i < conf->n_addresses; i++)
		f->on_link[f->n_on_link++] = conf->addresses[i];
	for (uint16_t g = 0; g < c->n_groups; g++) {
		const struct conf_group *group = c->groups[g].conf;

		for (uint16_t i = 0; group->if_index == if_id && i < group->n_addresses; i++)
			f->on_link[f->n_on_link++] = group->addresses[i];
	}
	return 0;
}

static int
hop_compare(const void *pa, const void *pb)
{
	const struct ctl_hop *a = pa, *b = pb;

	if (a->if_id != b->if_id)
		return a->if_id < b->if_id ? -1 : 1;
	return memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

int
ctl_hops_make(const struct conf *conf, struct ctl_hop **hops, uint32_t *n_hops)
{
	uint32_t n = 0, kept = 0;
	struct ctl_hop *h;

	for (uint32_t i = 0; i < conf->n_routes; i++)
		n += conf->routes[i].n_hops;
	*hops = h = calloc(n + UINT64_C(1), sizeof(*h));
	if (h == NULL)
		return -ENOMEM;
	n = 0;
	for (uint32_t i = 0; i < conf->n_routes; i++)
		for (unsigned int k = 0; k < conf->routes[i].n_hops; k++)
			h[n++] = (struct ctl_hop){.if_id = conf->routes[i].hops[k].if_index,
				.addr = conf->routes[i].hops[k].via};
	qsort(h, n, sizeof(*h), hop_compare);
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || hop_compare(&h[i], &h[kept - 1]) != 0)
			h[kept++] = h[i];
	*n_hops = kept;
	return 0;
}

int
ctl_warm_create(struct ctl *c)
{
	for (uint16_t i = 0; i < c->n_ifs; i++)
		if (find_subnets(c, i) != 0)
			return -ENOMEM;
	return ctl_hops_make(c->conf, &c->hops, &c->n_hops);
}

static bool
is_backup(const struct ctl *c, uint16_t if_id)
{
	for (uint16_t g = 0; g < c->n_groups; g++)
		if (c->groups[g].conf->if_index == if_id && c->groups[g].state == ELECTION_BACKUP)
			return true;
	return false;
}

void
ctl_warm_state(struct ctl *c, uint16_t if_id)
{
	fib_nbr_warm(c->nbr, if_id, is_backup(c, if_id));
}

/* A vMAC of which we are BACKUP, or the address that its master's adverts come from. */
static bool
is_master(const struct ctl_group *g, const struct base_addr *asker, const uint8_t *mac)
{
	if (memcmp(g->vmac, mac, BASE_MAC_LEN) == 0)
		return true;
	for (unsigned int i = 0; i < CTL_PEERS_MAX; i++)
		if (memcmp(&g->peers[i].addr, asker, sizeof(*asker)) == 0)
			return true;
	return false;
}

void
ctl_warm_asked(struct ctl *c, uint16_t if_id, const struct base_addr *asker,
	const uint8_t mac[BASE_MAC_LEN], const struct base_addr *target)
{
	for (uint16_t i = 0; i < c->n_groups; i++) {
		const struct ctl_group *g = &c->groups[i];

		if (g->conf->if_index != if_id || g->state != ELECTION_BACKUP ||
			!is_master(g, asker, mac))
			continue;
		if (ctl_is_on_link(&c->ifs[if_id], target))
			fib_nbr_resolve(c->nbr, if_id, target, NULL, c->now, ctl_nbr_act, c);
		return;
	}
}

/* Looking one up marks it as used. */
static void
look(struct ctl *c, const struct ctl_hop *h)
{
	uint8_t mac[BASE_MAC_LEN];

	if (c->ifs[h->if_id].link_up)
		(void)ctl_nbr_mac(c, h->if_id, &h->addr, mac);
}

void
ctl_warm_tick(struct ctl *c)
{
	if (c->hop_next == 0 && c->now < c->hops_at)
		return;
	if (c->hop_next == 0)
		c->hops_at = c->now + ROUND_NS;
	for (unsigned int n = 0; n < LOOKS_PER_TURN && c->hop_next < c->n_hops; n++)
		look(c, &c->hops[c->hop_next++]);
	if (c->hop_next == c->n_hops)
		c->hop_next = 0;
}
