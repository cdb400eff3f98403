/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Neighbours as operators want them: set, forgotten, cleared. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_priv.h"

static int
put(struct ctl *c, uint16_t if_index, const struct conf_neighbor *n)
{
	return fib_nbr_set(c->nbr, if_index, &n->addr, n->mac, c->now, ctl_nbr_act, c);
}

int
ctl_nbr_create(struct ctl *c)
{
	for (uint16_t i = 0; i < c->n_ifs; i++) {
		const struct conf_if *f = &c->conf->ifs[i];

		for (uint16_t n = 0; n < f->n_neighbors; n++)
			if (put(c, i, &f->neighbors[n]) != 0)
				return -ENOSPC;
	}
	return 0;
}

/* Both lists are sorted by address. */
static void
compare(uint16_t if_index, const struct conf_if *a, const struct conf_if *b,
	struct ctl_nbr_changes *out)
{
	uint32_t i = 0, k = 0;

	while (i < a->n_neighbors || k < b->n_neighbors) {
		const struct conf_neighbor *was = i < a->n_neighbors ? &a->neighbors[i] : NULL;
		const struct conf_neighbor *is = k < b->n_neighbors ? &b->neighbors[k] : NULL;
		int order = was == NULL ? 1
			: is == NULL	? -1
					: memcmp(&was->addr, &is->addr, sizeof(is->addr));

		i += order <= 0;
		k += order >= 0;
		if (order == 0 && memcmp(was->mac, is->mac, sizeof(is->mac)) == 0)
			continue;
		out->change[out->n++] = (struct ctl_nbr_change){
			.if_index = if_index, .gone = order < 0, .n = order < 0 ? was : is};
	}
}

int
ctl_nbr_changes_make(const struct conf *now, const struct conf *next, struct ctl_nbr_changes *out)
{
	size_t most = 1;

	for (uint16_t i = 0; i < next->n_ifs; i++)
		most += (size_t)now->ifs[i].n_neighbors + next->ifs[i].n_neighbors;
	*out = (struct ctl_nbr_changes){.change = calloc(most, sizeof(*out->change))};
	if (out->change == NULL)
		return -ENOMEM;
	for (uint16_t i = 0; i < next->n_ifs; i++)
		compare(i, &now->ifs[i], &next->ifs[i], out);
	return 0;
}

void
ctl_nbr_changes_free(struct ctl_nbr_changes *l)
{
	free(l->change);
	l->change = NULL;
}

/* What a command set has its place already, and keeps its MAC for as long as nothing is sure. */
int
ctl_nbr_changes_begin(struct ctl *c, struct ctl_nbr_changes *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		struct ctl_nbr_change *k = &l->change[i];

		if (k->gone || fib_nbr_is_static(c->nbr, k->if_index, &k->n->addr))
			continue;
		k->made = put(c, k->if_index, k->n) == 0;
		if (k->made)
			continue;
		while (i-- > 0)
			if (l->change[i].made)
				(void)fib_nbr_forget(c->nbr, l->change[i].if_index,
					&l->change[i].n->addr, c->now, ctl_nbr_act, c);
		return -ENOSPC;
	}
	return 0;
}

/* What a command took away, or another one learnt in its place, is none of the file's. */
void
ctl_nbr_changes_apply(struct ctl *c, const struct ctl_nbr_changes *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const struct ctl_nbr_change *k = &l->change[i];

		if (!k->gone)
			(void)put(c, k->if_index, k->n);
		else if (fib_nbr_is_static(c->nbr, k->if_index, &k->n->addr))
			(void)fib_nbr_forget(
				c->nbr, k->if_index, &k->n->addr, c->now, ctl_nbr_act, c);
	}
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
