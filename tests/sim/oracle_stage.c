/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What a koi box must send, and tell its election, while a change is staged: docs/change.md. */

#include <string.h>

#include "sim.h"

/* So many adverts in a row with one digest alone: who speaks uses no other. */
#define ROW 3

void
oracle_staged(struct node *n, uint16_t group, bool behind, base_ns_t window)
{
	struct shadow *sh = &n->koi[group].sh;

	sh->staged = n->now;
	sh->window = window;
	sh->decided = false;
	/* who is behind a master has heard the old one */
	sh->last = n->key[group];
	sh->row = behind ? ROW : 0;
	memset(sh->told, 0, sizeof(sh->told));
}

void
oracle_decided(struct node *n, uint16_t group)
{
	struct shadow *sh = &n->koi[group].sh;

	sh->decided = true;
	if (n->state[group] != ELECTION_BACKUP)
		sh->row = 0;
}

void
oracle_stage_over(struct sim *s, struct node *n, uint16_t group, bool now)
{
	const struct shadow *sh = &n->koi[group].sh;

	if (!now && n->now - sh->staged < 2 * sh->window)
		sim_fail(s, CHECK_DIGESTS,
			"box %u drops a digest of group %u after %.6f s, may after %.6f", n->id,
			group, (double)(n->now - sh->staged) / 1e9, (double)sh->window * 2 / 1e9);
}

void
oracle_sent_keys(struct sim *s, struct node *n, uint16_t group, uint8_t keys, uint8_t last)
{
	const struct shadow *sh = &n->koi[group].sh;
	uint8_t want = (uint8_t)(1u << n->key[group]);

	/* both, until it is decided; then while others are heard that use the other one alone */
	if (n->other[group] != KEY_NONE &&
		(!sh->decided || (sh->row >= ROW && sh->last != n->key[group])))
		want |= (uint8_t)(1u << n->other[group]);
	if (keys != want || last != n->key[group])
		sim_fail(s, CHECK_DIGESTS,
			"box %u sends adverts of group %u with digests %#x, not %#x", n->id, group,
			keys, want);
}

/* Told of one like this by its sender, within the time in which two are one. */
static bool
is_fresh(const struct node *n, const struct frame *f, const struct ctl_advert *a)
{
	const struct shadow_told *t = n->koi[f->group].sh.told[f->from][f->family];
	base_ns_t interval =
		oracle_interval(n->advbase[f->group], n->skew[f->group], n->skew[f->group]);

	for (unsigned int i = 0; i < SHADOW_TOLD; i++)
		if (t[i].at != 0 && n->now - t[i].at < interval / 2 &&
			memcmp(&t[i].prio, &a->prio, sizeof(a->prio)) == 0)
			return true;
	return false;
}

void
oracle_told(
	struct sim *s, struct node *n, const struct frame *f, const struct ctl_advert *a, bool told)
{
	struct shadow *sh = &n->koi[f->group].sh;
	struct shadow_told *last = sh->told[f->from][f->family];
	bool known = s->told[f->pair] >> n->id & 1, twice = s->taken[f->id] >> n->id & 1;
	bool again = last->at != 0 && last->pair == f->pair && last->id != f->id && !twice;

	if (n->other[f->group] == KEY_NONE)
		return;
	if (!told || sh->last != f->key)
		sh->row = 0;
	sh->last = f->key;
	sh->row = (uint8_t)(sh->row + (told && sh->row < UINT8_MAX));
	/* boxes without an address of their own all speak from one, and cannot be told apart */
	if (f->family == 0 && s->seg[s->group[f->group].seg].no_address)
		return;
	if (!told && !known && !is_fresh(n, f, a))
		sim_fail(s, CHECK_TWICE,
			"box %u does not tell the election of an advert of group %u", n->id,
			f->group);
	/* where one overtakes another either may stand for both, but only once */
	if (!told && !known)
		sh->owed[f->from][f->family]++;
	else if (told && again && s->friendly && is_fresh(n, f, a) &&
		sh->owed[f->from][f->family]-- == 0)
		sim_fail(s, CHECK_TWICE,
			"box %u tells the election of an advert of group %u a second time", n->id,
			f->group);
	if (!told)
		return;
	s->told[f->pair] |= (uint8_t)(1u << n->id);
	memmove(last + 1, last, (SHADOW_TOLD - 1) * sizeof(*last));
	*last = (struct shadow_told){f->id, f->pair, n->now, a->prio};
}
