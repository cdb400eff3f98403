/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The roster: groups and addresses as one object that is never changed, only replaced. What a group
 * is at the moment (owned, answering, known sources, rings) is kept by slot beside it, so that
 * nothing of a group that stays is touched.
 */
#include "dp_priv.h"

#include <errno.h>

#include <rte_malloc.h>

#include "compat_rcu.h"

static bool
addresses_ok(uint16_t n_ip4, const uint32_t *ip4, uint16_t n_ip6, const uint8_t (*ip6)[16])
{
	return (n_ip4 == 0 || ip4 != NULL) && (n_ip6 == 0 || ip6 != NULL);
}

static bool
config_ok(const struct dp *dp, const struct dp_if_config *ifs, const struct dp_group_config *groups,
	uint16_t n_groups)
{
	uint64_t seen[DP_IF_MAX][4] = {{0}};

	if (n_groups > dp->n_groups)
		return false;
	for (uint16_t i = 0; i < dp->n_ifs; i++)
		if (!addresses_ok(ifs[i].n_ip4, ifs[i].ip4, ifs[i].n_ip6, ifs[i].ip6))
			return false;
	for (uint16_t i = 0; i < n_groups; i++) {
		const struct dp_group_config *g = &groups[i];
		uint64_t bit = UINT64_C(1) << (g->vhid % 64);

		if (g->vhid == 0 && g->n_ip4 == 0 && g->n_ip6 == 0)
			continue;
		if (g->vhid == 0 || g->if_index >= dp->n_ifs ||
			(seen[g->if_index][g->vhid / 64] & bit) != 0 ||
			!addresses_ok(g->n_ip4, g->ip4, g->n_ip6, g->ip6))
			return false;
		seen[g->if_index][g->vhid / 64] |= bit;
	}
	return true;
}

/* One block. */
static struct dp_roster *
roster_alloc(const struct dp *dp, uint64_t n_ip6, uint64_t n_share)
{
	const size_t line = RTE_CACHE_LINE_SIZE;
	size_t ifs = RTE_ALIGN_CEIL(sizeof(struct dp_roster), line);
	size_t groups = ifs + RTE_ALIGN_CEIL(sizeof(struct dp_if_addrs) * dp->n_ifs, line);
	size_t ip6 = groups + RTE_ALIGN_CEIL(sizeof(struct dp_group) * dp->n_groups, line);
	size_t share = ip6 + RTE_ALIGN_CEIL(sizeof(struct dp_ip6) * n_ip6, line);
	struct dp_roster *r =
		rte_zmalloc("koi_roster", share + sizeof(struct dp_share) * n_share, line);

	if (r == NULL)
		return NULL;
	r->ifs = (void *)((char *)r + ifs);
	r->groups = (void *)((char *)r + groups);
	r->ip6 = (void *)((char *)r + ip6);
	r->share = (void *)((char *)r + share);
	return r;
}

/* The first of some addresses that is link-local, or is not. */
static bool
first_of_kind(const uint8_t (*ips)[16], uint16_t n, bool link_local, uint8_t out[16])
{
	for (uint16_t i = 0; i < n; i++) {
		if (wire_ip6_is_link_local(ips[i]) == link_local) {
			memcpy(out, ips[i], sizeof(ips[i]));
			return true;
		}
	}
	return false;
}

/* Link-local addresses are another host's on each link: packets from them are not judged so. */
static void
own_bytes_add(struct dp_roster *r, uint16_t n_ip4, const uint32_t *ip4, uint16_t n_ip6,
	const uint8_t (*ip6)[16])
{
	for (uint16_t i = 0; i < n_ip4; i++)
		r->own_byte[ip4[i] & 0xff] = true;
	for (uint16_t i = 0; i < n_ip6; i++)
		if (!wire_ip6_is_link_local(ip6[i]))
			r->own_byte[ip6[i][15]] = true;
}

static void
ifs_fill(struct dp_roster *r, const struct dp *dp, const struct dp_if_config *ifs)
{
	for (uint16_t i = 0; i < dp->n_ifs; i++) {
		struct dp_if_addrs *f = &r->ifs[i];

		f->ip4 = ifs[i].n_ip4 > 0 ? ifs[i].ip4[0] : 0;
		f->has_own6 = first_of_kind(ifs[i].ip6, ifs[i].n_ip6, false, f->own6);
		f->has_link_local = first_of_kind(ifs[i].ip6, ifs[i].n_ip6, true, f->link_local);
		f->rp_filter = (uint8_t)ifs[i].rp_filter;
		f->source_vmac = ifs[i].source_vmac;
		f->first_group = DP_NONE;
		memset(f->group_of_vhid, UINT8_MAX, sizeof(f->group_of_vhid));
		own_bytes_add(r, ifs[i].n_ip4, ifs[i].ip4, ifs[i].n_ip6, ifs[i].ip6);
	}
}

static void
groups_fill(struct dp_roster *r, const struct dp_group_config *groups, uint16_t n)
{
	/* Backwards, so that the chain of an interface starts with its first group. */
	for (uint16_t i = n; i-- > 0;) {
		const struct dp_group_config *c = &groups[i];
		struct dp_group *g = &r->groups[i];
		struct dp_if_addrs *f;

		if (c->vhid == 0)
			continue;
		f = &r->ifs[c->if_index];
		g->if_index = c->if_index;
		g->vhid = c->vhid;
		g->ip4 = c->n_ip4 > 0 ? c->ip4[0] : 0;
		g->has_ip6 = first_of_kind(c->ip6, c->n_ip6, false, g->ip6);
		g->next_in_if = f->first_group;
		f->first_group = i;
		f->vhids[g->vhid / 64] |= UINT64_C(1) << (g->vhid % 64);
		f->group_of_vhid[g->vhid] = i;
		own_bytes_add(r, c->n_ip4, c->ip4, c->n_ip6, c->ip6);
	}
}

struct dp_roster *
dp_roster_prepare(const struct dp *dp, const struct dp_if_config *ifs,
	const struct dp_group_config *groups, uint16_t n)
{
	uint64_t n_ip6 = 0, n_ip4 = 0;
	struct dp_roster *r;

	if (!config_ok(dp, ifs, groups, n)) {
		errno = EINVAL;
		return NULL;
	}
	for (uint16_t i = 0; i < dp->n_ifs; i++)
		n_ip6 += ifs[i].n_ip6;
	for (uint16_t i = 0; i < n; i++) {
		n_ip6 += groups[i].n_ip6;
		n_ip4 += groups[i].n_ip4;
	}
	r = roster_alloc(dp, n_ip6, n_ip4);
	if (r == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	ifs_fill(r, dp, ifs);
	groups_fill(r, groups, n);
	dp_ip6_fill(r, dp, ifs, groups, n);
	dp_share_fill(r, dp, groups, n);
	return r;
}

static bool
stays(const struct dp_group *a, const struct dp_group *b)
{
	return a->vhid == b->vhid && a->if_index == b->if_index;
}

struct dp_roster *
dp_roster_publish(struct dp *dp, struct dp_roster *r)
{
	struct dp_roster *before = dp_roster_now(dp);

	/* By the roster of before: who has a slot in both is not the one that loses it. */
	for (uint16_t g = 0; g < dp->n_groups; g++) {
		if (stays(&before->groups[g], &r->groups[g]))
			continue;
		dp_own(dp, g, false);
		dp_answer(dp, g, false);
		dp_group_sources(dp, g, NULL, 0);
	}
	atomic_store_explicit(&dp->roster, r, memory_order_release);
	dp_control(dp)->roster = r;
	for (uint16_t g = 0; g < dp->n_groups; g++)
		if (!stays(&before->groups[g], &r->groups[g]))
			dp_group_flush(dp, g);
	return before;
}

void
dp_roster_free(struct dp *dp, struct dp_roster *r)
{
	if (r != NULL)
		compat_rcu_wait(dp->qsbr);
	rte_free(r);
}
