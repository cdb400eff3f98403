/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "fib_nhs_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_malloc.h>

int
fib_nhs_init(struct fib_nhs *s, int socket_id)
{
	*s = (struct fib_nhs){.socket_id = socket_id};
	s->uses = calloc(FIB_NH_MAX + 1, sizeof(*s->uses));
	s->next = calloc(FIB_NH_MAX + 1, sizeof(*s->next));
	s->bucket = calloc(FIB_NH_BUCKETS, sizeof(*s->bucket));
	s->nh = rte_zmalloc_socket(
		"fib_nh", (FIB_NH_MAX + 1) * sizeof(*s->nh), RTE_CACHE_LINE_SIZE, socket_id);
	if (s->uses == NULL || s->next == NULL || s->bucket == NULL || s->nh == NULL ||
		fib_places_init(&s->places, FIB_NH_MAX + 1, NULL) != 0)
		return -ENOMEM;
	(void)fib_places_take(&s->places); /* number 0 */
	s->nh[0].group = FIB_GROUP_NONE;
	return 0;
}

static bool
has_paths(const struct fib_nh *nh)
{
	return nh->type == FIB_NH_MULTI;
}

/* What a number was used for is kept until it is used again. */
static void
paths_free(struct fib_nh *nh)
{
	if (has_paths(nh))
		rte_free((void *)(uintptr_t)nh->paths);
}

void
fib_nhs_fini(struct fib_nhs *s)
{
	for (uint32_t i = 0; s->nh != NULL && s->places.place != NULL && i < s->places.fresh; i++)
		paths_free(&s->nh[i]);
	fib_places_fini(&s->places);
	rte_free(s->nh);
	free(s->bucket);
	free(s->next);
	free(s->uses);
}

uint32_t
fib_nhs_end(const struct fib_nhs *s)
{
	return __atomic_load_n(&s->places.fresh, __ATOMIC_RELAXED);
}

const struct fib_nh *
fib_nhs_used(const struct fib_nhs *s, uint32_t number)
{
	return __atomic_load_n(&s->uses[number], __ATOMIC_ACQUIRE) != 0 ? &s->nh[number] : NULL;
}

bool
fib_nh_same(const struct fib_nh *a, const struct fib_nh *b)
{
	if (a->type != b->type || a->if_index != b->if_index || a->group != b->group ||
		a->n_paths != b->n_paths || a->family != b->family)
		return false;
	if (!has_paths(a))
		return memcmp(a->gateway6, b->gateway6, sizeof(a->gateway6)) == 0;
	for (unsigned int i = 0; i < a->n_paths; i++)
		if (!fib_nh_same(&a->paths[i], &b->paths[i]))
			return false;
	return true;
}

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint64_t
hash_of(const struct fib_nh *nh)
{
	uint64_t h = mix(0, (uint64_t)nh->type << 32 | (uint32_t)nh->if_index << 16 | nh->group);
	uint64_t w[2];

	if (has_paths(nh)) {
		for (unsigned int i = 0; i < nh->n_paths; i++)
			h = mix(h, hash_of(&nh->paths[i]));
		return h;
	}
	memcpy(w, nh->gateway6, sizeof(w));
	return mix(mix(h, w[0]), w[1]);
}

static uint32_t *
bucket_of(struct fib_nhs *s, const struct fib_nh *nh)
{
	return &s->bucket[hash_of(nh) >> 52];
}

/* The paths of a next hop as workers see them: each with its own serial number. */
static int
paths_make(struct fib_nhs *s, const struct fib_nh *nh, struct fib_nh *out)
{
	struct fib_nh *paths = rte_malloc_socket(
		"fib_paths", nh->n_paths * sizeof(*paths), RTE_CACHE_LINE_SIZE, s->socket_id);
	uint32_t number[FIB_PATHS_MAX];
	unsigned int n = 0;
	int ret = paths != NULL ? 0 : -ENOMEM;

	for (; ret == 0 && n < nh->n_paths; n++) {
		ret = fib_nhs_get(s, &nh->paths[n], &number[n]);
		if (ret != 0)
			break;
		paths[n] = s->nh[number[n]];
	}
	if (ret != 0) {
		while (n > 0)
			fib_nhs_put(s, number[--n]);
		rte_free(paths);
		return ret;
	}
	out->paths = paths;
	return 0;
}

static uint32_t
find(struct fib_nhs *s, const struct fib_nh *nh)
{
	uint32_t i = *bucket_of(s, nh);

	while (i != 0 && !fib_nh_same(&s->nh[i], nh))
		i = s->next[i];
	return i;
}

static void
paths_put(struct fib_nhs *s, const struct fib_nh *nh)
{
	for (unsigned int p = 0; has_paths(nh) && p < nh->n_paths; p++)
		fib_nhs_put(s, find(s, &nh->paths[p]));
}

/* @return 0 and the place, -E2BIG, -ENOMEM */
static int
make(struct fib_nhs *s, const struct fib_nh *nh, uint32_t *place)
{
	uint32_t *bucket = bucket_of(s, nh);
	struct fib_nh made = *nh;
	int ret = has_paths(nh) ? paths_make(s, nh, &made) : 0;

	if (ret != 0)
		return ret;
	*place = fib_places_take(&s->places);
	if (*place == FIB_PLACE_NONE) {
		paths_put(s, &made);
		paths_free(&made);
		return -E2BIG;
	}
	paths_free(&s->nh[*place]);
	made.serial = ++s->serial;
	s->nh[*place] = made;
	s->next[*place] = *bucket;
	*bucket = *place;
	return 0;
}

/* The first use shows a next hop to fib_nhs_used(), the last one hides it. */
static void
uses_set(struct fib_nhs *s, uint32_t number, uint32_t n)
{
	__atomic_store_n(&s->uses[number], n, __ATOMIC_RELEASE);
}

int
fib_nhs_get(struct fib_nhs *s, const struct fib_nh *nh, uint32_t *number)
{
	int ret;

	*number = 0;
	if (nh->type == FIB_NH_NONE)
		return 0;
	*number = find(s, nh);
	ret = *number == 0 ? make(s, nh, number) : 0;
	if (ret == 0)
		uses_set(s, *number, s->uses[*number] + 1);
	return ret;
}

void
fib_nhs_hold(struct fib_nhs *s, uint32_t number)
{
	if (number != 0)
		uses_set(s, number, s->uses[number] + 1);
}

void
fib_nhs_put(struct fib_nhs *s, uint32_t number)
{
	const struct fib_nh *nh = &s->nh[number];
	uint32_t *link;

	if (number == 0)
		return;
	uses_set(s, number, s->uses[number] - 1);
	if (s->uses[number] != 0)
		return;
	for (link = bucket_of(s, nh); *link != number;)
		link = &s->next[*link];
	*link = s->next[number];
	paths_put(s, nh);
	/* Before the grace period: after it every worker begins with having seen this. */
	__atomic_store_n(&s->retired, s->retired + 1, __ATOMIC_RELEASE);
	fib_places_retire(&s->places, number);
}
