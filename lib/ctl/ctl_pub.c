/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Published views. */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "ctl_priv.h"

_Static_assert(sizeof(struct ctl_group_view) % sizeof(ctl_word) == 0, "copied by words");
_Static_assert(sizeof(struct ctl_peer) % sizeof(ctl_word) == 0, "copied by words");
_Static_assert(sizeof(struct ctl_box_view) % sizeof(ctl_word) == 0, "copied by words");
_Static_assert(sizeof(struct election_demotion_entry) % sizeof(ctl_word) == 0, "copied by words");

static void
publish_group(struct ctl *c, uint16_t i)
{
	struct ctl_group *g = &c->groups[i];
	struct ctl_group_pub *pub = &c->group_pub[i];
	struct ctl_group_body copy = {0};

	election_group_info(c->election, i, c->now, &copy.view.info);
	memcpy(copy.view.stats, g->stats, sizeof(g->stats));
	copy.view.vip_fingerprint = g->id != NULL ? g->id->fingerprint : 0;
	copy.view.unheard_if = g->unheard_if;
	for (uint16_t o = 0; g->unheard_if != ELECTION_NONE && o < c->n_groups; o++)
		if (c->groups[o].conf->if_index == g->unheard_if && !c->groups[o].conf->unused)
			copy.view.unheard_src = c->groups[o].peers[0].addr;
	copy.view.takeover_ns = g->takeover_ns;
	copy.view.ra_next = g->ra_at;
	memcpy(copy.view.refused, g->refused, sizeof(g->refused));
	copy.view.key_set = g->id != NULL && g->id->key_set;
	copy.view.stage = g->stage;
	copy.view.by_reload = g->by_reload;
	copy.view.reloads = g->reloads;
	copy.view.other_key_set = g->other != NULL && g->other->key_set;
	copy.view.published_at = c->now;
	memcpy(copy.peers, g->peers, sizeof(g->peers));
	ctl_seq_write(&pub->seq, &pub->body, &copy, sizeof(copy));
	c->dirty[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

static void
publish_box(struct ctl *c)
{
	struct ctl_box_body copy = {0};
	struct ctl_box_view *v = &copy.view;

	v->allow = election_allow(c->election);
	v->drained = election_drained(c->election);
	v->preempt = election_preempt(c->election);
	v->arpbalance = c->arpbalance;
	v->log = c->log;
	v->demotion = election_demotion_total(c->election);
	memcpy(v->stats, c->box_stats, sizeof(v->stats));
	memcpy(v->no_group, c->box_stats, sizeof(v->no_group));
	for (uint16_t i = 0; i < c->n_groups; i++) {
		const struct ctl_group *g = &c->groups[i];

		v->masters = (uint16_t)(v->masters + (g->state == ELECTION_MASTER));
		v->backups = (uint16_t)(v->backups + (g->state == ELECTION_BACKUP));
		v->inits = (uint16_t)(v->inits + (g->state == ELECTION_INIT && !g->conf->unused));
		for (unsigned int s = 0; s < CTL_STAT_COUNT; s++)
			v->stats[s] += g->stats[s];
	}
	v->turns = c->turns;
	v->sleeps = c->sleeps;
	v->stalls = c->stalls;
	v->longest_turn_ns = c->longest_turn_ns;
	memcpy(v->late, c->late, sizeof(v->late));
	v->late_max = c->late_max;
	v->late_sum = c->late_sum;
	v->started_at = c->started_at;
	v->published_at = c->now;
	uint32_t n = 0;

	while (n < CTL_DEMOTIONS_SHOWN &&
		election_demotion_entry(c->election, n, &copy.demotion[n]))
		n++;
	if (n < CTL_DEMOTIONS_SHOWN)
		copy.demotion[n] = (struct election_demotion_entry){0};
	ctl_seq_write(&c->box_pub->seq, &c->box_pub->body, &copy, sizeof(copy));
	c->box_dirty = false;
}

void
ctl_publish(struct ctl *c)
{
	for (uint16_t word = 0; word < RTE_DIM(c->dirty); word++)
		while (c->dirty[word] != 0)
			publish_group(c, (uint16_t)(word * 64 + __builtin_ctzll(c->dirty[word])));
	/* What changes by time alone is brought up to date in turn, one group at a time. */
	if (c->n_groups > 0) {
		c->publish_next = (uint16_t)((c->publish_next + 1) % c->n_groups);
		publish_group(c, c->publish_next);
	}
	if (c->box_dirty || c->now - c->published_at >= CTL_PUBLISH_NS) {
		publish_box(c);
		c->published_at = c->now;
	}
}

int
ctl_group_view(const struct ctl *c, uint16_t group, struct ctl_group_view *out)
{
	if (group >= c->group_room)
		return -EINVAL;
	const struct ctl_group_pub *pub = &c->group_pub[group];

	ctl_seq_read(&pub->seq, out, &pub->body.view, sizeof(*out));
	return 0;
}

uint32_t
ctl_peers(const struct ctl *c, uint16_t group, struct ctl_peer out[CTL_PEERS_MAX])
{
	if (group >= c->group_room)
		return 0;
	const struct ctl_group_pub *pub = &c->group_pub[group];

	ctl_seq_read(&pub->seq, out, pub->body.peers, sizeof(pub->body.peers));
	uint32_t n = 0;

	while (n < CTL_PEERS_MAX && out[n].addr.family != BASE_FAMILY_NONE)
		n++;
	return n;
}

void
ctl_box_view(const struct ctl *c, struct ctl_box_view *out)
{
	ctl_seq_read(&c->box_pub->seq, out, &c->box_pub->body.view, sizeof(*out));
}

uint32_t
ctl_demotion_view(const struct ctl *c, struct election_demotion_entry *out, uint32_t cap)
{
	struct election_demotion_entry all[CTL_DEMOTIONS_SHOWN];
	uint32_t n = 0;

	ctl_seq_read(&c->box_pub->seq, all, c->box_pub->body.demotion, sizeof(all));
	/* an entry that is not used has no amount */
	while (n < CTL_DEMOTIONS_SHOWN && all[n].amount > 0)
		n++;
	for (uint32_t i = 0; i < n && i < cap; i++)
		out[i] = all[i];
	return n;
}
