/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* A group as a configuration has it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_priv.h"

static int
addresses_make(const struct conf_group *conf, struct ctl_group *g)
{
	g->vips = calloc(conf->n_addresses + 1u, sizeof(*g->vips));
	g->vips6 = calloc(conf->n_addresses + 1u, sizeof(*g->vips6));
	if (g->vips == NULL || g->vips6 == NULL)
		return -ENOMEM;
	for (uint16_t a = 0; a < conf->n_addresses; a++) {
		const struct base_addr *vip = &conf->addresses[a].addr;

		if (vip->family == BASE_FAMILY_IP4)
			g->vips[g->n_vips++] = base_addr_ip4(vip);
		else
			memcpy(g->vips6[g->n_vips6++], vip->bytes, sizeof(g->vips6[0]));
	}
	g->families =
		(uint8_t)((g->n_vips > 0 ? ELECTION_IP4 : 0) | (g->n_vips6 > 0 ? ELECTION_IP6 : 0));
	g->announce_end = (uint16_t)(g->n_vips + g->n_vips6);
	g->announce_next = g->announce_end;
	return 0;
}

int
ctl_group_make(const struct conf *conf, uint16_t group, bool keys, struct ctl_group *g)
{
	const struct conf_group *cg = &conf->groups[group];
	int ret;

	memset(g, 0, sizeof(*g));
	g->conf = cg;
	g->advbase = cg->advbase;
	g->advskew = cg->advskew;
	base_vmac(cg->vhid, g->vmac);
	ctl_hear_init(g);
	ctl_ra_make(conf, g);
	ret = addresses_make(cg, g);
	if (ret == 0 && keys) {
		g->id = ctl_identity_new(cg, cg->key);
		ret = g->id != NULL ? 0 : -errno;
	}
	if (ret != 0)
		ctl_group_free(g);
	return ret;
}

void
ctl_group_free(struct ctl_group *g)
{
	ctl_identity_free(g->id);
	ctl_identity_free(g->other);
	free(g->vips);
	free(g->vips6);
	g->id = g->other = NULL;
	g->vips = NULL;
	g->vips6 = NULL;
}

void
ctl_group_peers(struct ctl *c, uint16_t group)
{
	const struct conf_group *conf = c->groups[group].conf;

	c->unicast[group] = (uint8_t)((conf->peer4.family != BASE_FAMILY_NONE ? ELECTION_IP4 : 0) |
		(conf->peer6.family != BASE_FAMILY_NONE ? ELECTION_IP6 : 0));
}

void
ctl_group_begin(struct ctl *c, uint16_t group)
{
	c->groups[group].send_failures = dp_advert_send_failures(c->dp, group);
	ctl_identity_use(c, group);
	ctl_group_peers(c, group);
}

#define SWAP(a, b)                        \
	do {                              \
		__typeof__(a) swap = (a); \
		(a) = (b);                \
		(b) = swap;               \
	} while (0)

void
ctl_group_take(struct ctl *c, uint16_t group, struct ctl_group *made)
{
	struct ctl_group *g = &c->groups[group];

	ctl_announce_stop(c, g);
	ctl_ra_set(c, group, made->routes);
	SWAP(g->vips, made->vips);
	SWAP(g->vips6, made->vips6);
	g->n_vips = made->n_vips;
	g->n_vips6 = made->n_vips6;
	g->families = made->families;
	g->announce_end = g->announce_next = made->announce_end;
	if (made->id != NULL)
		ctl_identity_replace(c, group, made->id);
	made->id = NULL;
}

void
ctl_group_end(struct ctl *c, uint16_t group, struct ctl_group *left)
{
	struct ctl_group *g = &c->groups[group];

	SWAP(g->vips, left->vips);
	SWAP(g->vips6, left->vips6);
	ctl_stage_drop(c, group);
	SWAP(g->id, left->id);
	g->n_vips = g->n_vips6 = 0;
	g->families = 0;
	g->announce_next = g->announce_end = 0;
	g->routes = false;
	g->ra_at = BASE_NS_NEVER;
	g->outcome_open = false;
	g->heard = false;
	ctl_hear_init(g);
	memset(g->peers, 0, sizeof(g->peers));
	/* what was counted stays in the sums of the box */
	for (unsigned int s = 0; s < CTL_STAT_COUNT; s++)
		c->box_stats[s] += g->stats[s];
	memset(g->stats, 0, sizeof(g->stats));
	ctl_identity_use(c, group);
	c->unicast[group] = 0;
	c->listening[group] = false;
}
