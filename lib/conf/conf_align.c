/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The numbers of interfaces and groups stay while koi runs, whatever their order in the file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base_assert.h"
#include "conf_plan.h"

#define NONE UINT16_MAX

/* @return 0 or -ENOMEM, and nothing is changed */
static int
align_ifs(struct conf *next, const struct conf *now)
{
	struct conf_if *ifs = calloc(now->n_ifs, sizeof(*ifs));
	uint16_t to[CONF_IF_MAX];

	if (ifs == NULL)
		return -ENOMEM;
	BASE_ASSERT(next->n_ifs == now->n_ifs);
	for (uint16_t i = 0; i < next->n_ifs; i++) {
		const struct conf_if *f = conf_if_find(now, next->ifs[i].name);

		BASE_ASSERT(f != NULL);
		to[i] = (uint16_t)(f - now->ifs);
		ifs[to[i]] = next->ifs[i];
		ifs[to[i]].device_index = now->ifs[to[i]].device_index;
	}
	free(next->ifs);
	next->ifs = ifs;
	next->n_devices = now->n_devices;
	memcpy(next->device_if, now->device_if, sizeof(next->device_if));
	for (uint16_t i = 0; i < next->n_groups; i++)
		next->groups[i].if_index = to[next->groups[i].if_index];
	for (uint32_t i = 0; i < next->n_routes; i++)
		for (uint8_t h = 0; h < next->routes[i].n_hops; h++)
			next->routes[i].hops[h].if_index = to[next->routes[i].hops[h].if_index];
	return 0;
}

bool
conf_group_same(const struct conf_group *a, const struct conf_group *b)
{
	return strcmp(a->name, b->name) == 0 && a->if_index == b->if_index && a->vhid == b->vhid;
}

/* The slot that is this group's already. */
static uint16_t
slot_of(const struct conf *now, const struct conf_group *g, bool unused)
{
	for (uint16_t s = 0; s < now->n_groups; s++)
		if (now->groups[s].unused == unused && conf_group_same(&now->groups[s], g))
			return s;
	return NONE;
}

/*
 * Who asks for the events of the past wants their names for as long as can be, so a slot is used
 * again only by the same group or when there is no other.
 */
static uint16_t
slot_new(const struct conf *now, const struct conf_group *g, const bool *taken, uint16_t *n)
{
	uint16_t s = slot_of(now, g, true);

	if (s != NONE && !taken[s])
		return s;
	if (*n < now->group_room)
		return (*n)++;
	for (s = 0; s < now->n_groups; s++)
		if (now->groups[s].unused && !taken[s])
			return s;
	return NONE;
}

static struct conf_group
group_gone(const struct conf_group *g)
{
	struct conf_group gone = {.unused = true, .if_index = g->if_index, .vhid = g->vhid};

	memcpy(gone.name, g->name, sizeof(gone.name));
	return gone;
}

/* @return 0, -ENOMEM or -ENOSPC, and nothing is changed */
static int
align_groups(struct conf *next, const struct conf *now)
{
	uint16_t n = now->n_groups, room = now->group_room;
	struct conf_group *groups = calloc(room + 1u, sizeof(*groups));
	bool *taken = calloc(room + 1u, sizeof(*taken));
	uint16_t *to = calloc(next->n_groups + 1u, sizeof(*to));
	int ret = groups != NULL && taken != NULL && to != NULL ? 0 : -ENOMEM;

	/* those that stay first: nobody takes their slots */
	for (uint16_t i = 0; ret == 0 && i < next->n_groups; i++) {
		to[i] = slot_of(now, &next->groups[i], false);
		if (to[i] != NONE)
			taken[to[i]] = true;
	}
	for (uint16_t i = 0; ret == 0 && i < next->n_groups; i++) {
		if (to[i] == NONE)
			to[i] = slot_new(now, &next->groups[i], taken, &n);
		if (to[i] == NONE)
			ret = -ENOSPC;
		else
			taken[to[i]] = true;
	}
	if (ret == 0) {
		for (uint16_t s = 0; s < now->n_groups; s++)
			if (!taken[s])
				groups[s] = group_gone(&now->groups[s]);
		for (uint16_t i = 0; i < next->n_groups; i++)
			groups[to[i]] = next->groups[i];
		explicit_bzero(next->groups, next->n_groups * sizeof(*groups));
		free(next->groups);
		next->groups = groups;
		next->n_groups = n;
		next->group_room = room;
		groups = NULL;
	}
	free(groups);
	free(taken);
	free(to);
	return ret;
}

int
conf_align(struct conf *next, const struct conf *now)
{
	int ret = align_ifs(next, now);

	return ret != 0 ? ret : align_groups(next, now);
}
