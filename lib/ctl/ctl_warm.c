/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Neighbours that a take-over would need: the routers that routes lead through, whoever set them,
 * looked up again and again, which keeps them known and fresh in every state; and where a group is
 * BACKUP the hosts that ask for its VIPs and those that its master asks for, as far as we hear it.
 * All are asked in our own name. So the first packet after a take-over has somewhere to go.
 */
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
	if (conf_addr_link_local(addr))
		return true;
	for (uint16_t i = 0; i < f->lists.n_on_link; i++)
		if (base_prefix_holds(&f->lists.on_link[i], addr))
			return !is_edge(&f->lists.on_link[i], addr);
	return false;
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
look(struct ctl *c, const struct fib_gateway *g)
{
	uint8_t mac[BASE_MAC_LEN];

	if (c->ifs[g->if_index].link_up)
		(void)ctl_nbr_mac(c, g->if_index, &g->addr, mac);
}

void
ctl_warm_tick(struct ctl *c)
{
	struct fib_gateway g[LOOKS_PER_TURN];
	uint32_t n;

	if (c->gateway_next == 0 && c->now < c->gateways_at)
		return;
	if (c->gateway_next == 0)
		c->gateways_at = c->now + ROUND_NS;
	n = dp_ctl_gateways(c->dp, &c->gateway_next, g, LOOKS_PER_TURN);
	for (uint32_t i = 0; i < n; i++)
		look(c, &g[i]);
}
