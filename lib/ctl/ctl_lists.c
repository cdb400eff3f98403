/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What is made of a configuration as a whole, by whoever loads it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_priv.h"

static int
own_make(const struct conf_if *f, const uint8_t link_local[16], struct ctl_if_lists *l)
{
	l->own = calloc(f->n_addresses + 1u, sizeof(*l->own));
	l->own_mask = calloc(f->n_addresses + 1u, sizeof(*l->own_mask));
	l->own6 = calloc(f->n_addresses + 1u, sizeof(*l->own6));
	if (l->own == NULL || l->own_mask == NULL || l->own6 == NULL)
		return -ENOMEM;
	memcpy(l->own6[l->n_own6++], link_local, sizeof(l->own6[0]));
	for (uint16_t i = 0; i < f->n_addresses; i++) {
		const struct base_prefix *p = &f->addresses[i];

		if (p->addr.family == BASE_FAMILY_IP6) {
			memcpy(l->own6[l->n_own6++], p->addr.bytes, sizeof(l->own6[0]));
			continue;
		}
		l->own[l->n_own] = base_addr_ip4(&p->addr);
		l->own_mask[l->n_own++] = base_ip4_mask(p->plen);
	}
	l->ip4 = l->n_own > 0 ? l->own[0] : 0;
	return 0;
}

static int
subnets_make(const struct conf *conf, uint16_t if_id, struct ctl_if_lists *l)
{
	const struct conf_if *f = &conf->ifs[if_id];
	size_t most = f->n_addresses;

	for (uint16_t g = 0; g < conf->n_groups; g++)
		if (conf->groups[g].if_index == if_id)
			most += conf->groups[g].n_addresses;
	l->on_link = calloc(most + 1, sizeof(*l->on_link));
	if (l->on_link == NULL)
		return -ENOMEM;
	for (uint16_t i = 0; i < f->n_addresses; i++)
		l->on_link[l->n_on_link++] = f->addresses[i];
	for (uint16_t g = 0; g < conf->n_groups; g++) {
		const struct conf_group *group = &conf->groups[g];

		for (uint16_t i = 0; group->if_index == if_id && i < group->n_addresses; i++)
			l->on_link[l->n_on_link++] = group->addresses[i];
	}
	return 0;
}

int
ctl_lists_make(const struct conf *conf, uint16_t if_id, const uint8_t link_local[16],
	struct ctl_if_lists *l)
{
	*l = (struct ctl_if_lists){0};
	for (unsigned int v = 0; v < 256; v++)
		l->group_of_vhid[v] = ELECTION_NONE;
	for (uint16_t i = 0; i < conf->n_groups; i++) {
		if (conf->groups[i].if_index != if_id || conf->groups[i].unused)
			continue;
		l->has_groups = true;
		l->group_of_vhid[conf->groups[i].vhid] = i;
	}
	return own_make(&conf->ifs[if_id], link_local, l) != 0 ||
			subnets_make(conf, if_id, l) != 0 ||
			ctl_member_make(conf, if_id, link_local, l) != 0
		? -ENOMEM
		: 0;
}

void
ctl_lists_free(struct ctl_if_lists *l)
{
	free(l->own);
	free(l->own_mask);
	free(l->own6);
	free(l->on_link);
	free(l->members);
	*l = (struct ctl_if_lists){0};
}
