/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Neighbours as operators want them: set, forgotten, cleared. */
#include <errno.h>
#include <string.h>

#include "ctl_priv.h"

int
ctl_nbr_create(struct ctl *c)
{
	for (uint16_t i = 0; i < c->n_ifs; i++) {
		const struct conf_if *f = &c->conf->ifs[i];

		for (uint16_t n = 0; n < f->n_neighbors; n++)
			if (fib_nbr_set(c->nbr, i, &f->neighbors[n].addr, f->neighbors[n].mac,
				    c->now, ctl_nbr_act, c) != 0)
				return -ENOSPC;
	}
	return 0;
}

/* An address of this box on the interface: own, or a VIP of any group there. */
static bool
is_ours(const struct ctl *c, uint16_t if_id, const struct base_addr *addr)
{
	const struct ctl_if *f = &c->ifs[if_id];

	for (uint16_t i = 0; i < f->lists.n_on_link; i++)
		if (memcmp(&f->lists.on_link[i].addr, addr, sizeof(*addr)) == 0)
			return true;
	return addr->family == BASE_FAMILY_IP6 &&
		memcmp(f->link_local, addr->bytes, sizeof(f->link_local)) == 0;
}

static int
set(struct ctl *c, struct ctl_request_slot *s)
{
	const struct ctl_request *r = &s->req;
	const char *ifname = c->conf->ifs[r->if_index].name;
	int ret;

	if (is_ours(c, r->if_index, &r->addr)) {
		CTL_SAY(s, "this is an address of this box");
		return -EINVAL;
	}
	if (!ctl_is_on_link(&c->ifs[r->if_index], &r->addr)) {
		CTL_SAY(s, "the address is that of no host on a subnet of %s", ifname);
		return -EINVAL;
	}
	if (ctl_is_our_mac(&c->ifs[r->if_index], r->mac)) {
		CTL_SAY(s, "this is a MAC address of this box");
		return -EINVAL;
	}
	ret = fib_nbr_set(c->nbr, r->if_index, &r->addr, r->mac, c->now, ctl_nbr_act, c);
	if (ret == -ENOSPC)
		CTL_SAY(s, "%s has as many neighbours as it may have", ifname);
	else if (ret != 0)
		CTL_SAY(s, "this is no MAC address of a host");
	return ret;
}

/* One that was learnt, wherever it is known. */
static int
clear_one(struct ctl *c, struct ctl_request_slot *s)
{
	const struct ctl_request *r = &s->req;
	unsigned int found = 0, kept = 0;

	for (uint16_t i = 0; i < c->n_ifs; i++) {
		if (r->if_index != ELECTION_NONE && r->if_index != i)
			continue;
		if (fib_nbr_is_static(c->nbr, i, &r->addr))
			kept++;
		else if (fib_nbr_forget(c->nbr, i, &r->addr, c->now, ctl_nbr_act, c) == 0)
			found++;
	}
	if (found > 0)
		return 0;
	CTL_SAY(s, "%s",
		kept > 0 ? "it is static: take it away with \"neighbor\" and \"del\""
			 : "there is no such neighbour");
	return -ENOENT;
}

int
ctl_nbr_request(struct ctl *c, struct ctl_request_slot *s)
{
	const struct ctl_request *r = &s->req;
	int ret;

	if (r->if_index >= c->n_ifs &&
		(r->type != CTL_REQ_NBR_CLEAR || r->if_index != ELECTION_NONE)) {
		CTL_SAY(s, "there is no interface with this number");
		return -EINVAL;
	}
	if (r->type == CTL_REQ_NBR_SET)
		return set(c, s);
	if (r->type == CTL_REQ_NBR_FORGET) {
		ret = fib_nbr_forget(c->nbr, r->if_index, &r->addr, c->now, ctl_nbr_act, c);
		if (ret != 0)
			CTL_SAY(s, "there is no such neighbour");
		return ret;
	}
	if (r->addr.family != BASE_FAMILY_NONE)
		return clear_one(c, s);
	/* One for another interface before this one ended: then all of them. */
	c->clear_if = c->clearing && c->clear_if != r->if_index ? ELECTION_NONE : r->if_index;
	c->clear_cursor = 0;
	c->clearing = true;
	return 0;
}

void
ctl_nbr_clear_tick(struct ctl *c)
{
	if (c->clearing)
		c->clearing = fib_nbr_clear(c->nbr,
			c->clear_if == ELECTION_NONE ? FIB_NBR_IF_ALL : c->clear_if,
			&c->clear_cursor);
}
