/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * IPv4 VIPs that several groups of an interface have (ARP balancing, protocol note 7.3). Each group
 * has its own vMAC, and the asker was told one of them: so the frame says which group is meant, and
 * the route table, which knows an address once, does not.
 */
#include "dp_priv.h"

#include <stdlib.h>

/* By address; groups in their order. */
static int
share_compare(const void *pa, const void *pb)
{
	const struct dp_share *a = pa, *b = pb;

	if (a->ip != b->ip)
		return a->ip < b->ip ? -1 : 1;
	return (a->group > b->group) - (a->group < b->group);
}

/* Keep what stands there more than once. @return how many */
static uint32_t
keep_shared(struct dp_share *table, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && table[to].ip == table[from].ip; to++)
			;
		for (uint32_t i = from; to - from > 1 && i < to; i++)
			table[kept++] = table[i];
	}
	return kept;
}

void
dp_share_fill(struct dp_roster *r, const struct dp *dp, const struct dp_group_config *groups,
	uint16_t n_groups)
{
	struct dp_share *table = r->share;

	for (uint16_t i = 0; i < dp->n_ifs; i++) {
		uint32_t n = 0;

		for (uint16_t g = 0; g < n_groups; g++)
			for (uint16_t a = 0; groups[g].if_index == i && a < groups[g].n_ip4; a++)
				table[n++] = (struct dp_share){groups[g].ip4[a], g};
		qsort(table, n, sizeof(*table), share_compare);
		r->ifs[i].share = table;
		r->ifs[i].n_share = keep_shared(table, n);
		table += r->ifs[i].n_share;
	}
}

/* The first entry of an address, or the end. */
static uint32_t
share_find(const struct dp_if_addrs *f, uint32_t ip)
{
	uint32_t from = 0, n = f->n_share;

	while (n != 0) {
		uint32_t half = n / 2;

		if (f->share[from + half].ip < ip) {
			from += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return from;
}

bool
dp_share_answered(const struct dp_lcore *lc, uint32_t ip, uint16_t group)
{
	const struct dp_if_addrs *f = &lc->roster->ifs[lc->roster->groups[group].if_index];

	for (uint32_t i = share_find(f, ip); i < f->n_share && f->share[i].ip == ip; i++)
		if (!dp_group_answering(lc->dp, f->share[i].group))
			return false;
	return dp_group_answering(lc->dp, group);
}

uint16_t
dp_share_group(const struct dp_lcore *lc, const uint8_t *frame, uint32_t ip, uint16_t group)
{
	const uint16_t if_index = lc->roster->groups[group].if_index;
	const struct dp_if_addrs *f = &lc->roster->ifs[if_index];
	uint8_t vmac[BASE_MAC_LEN];
	uint16_t meant = DP_NONE, answering = DP_NONE;

	if (likely(f->n_share == 0))
		return group;
	base_vmac(frame[BASE_MAC_LEN - 1], vmac);
	if (lc->in->index == if_index && memcmp(frame, vmac, sizeof(vmac)) == 0)
		meant = f->group_of_vhid[vmac[BASE_MAC_LEN - 1]];
	for (uint32_t i = share_find(f, ip); i < f->n_share && f->share[i].ip == ip; i++) {
		if (f->share[i].group == meant)
			return meant;
		if (answering == DP_NONE && dp_group_owned(lc, f->share[i].group) &&
			dp_group_answering(lc->dp, f->share[i].group))
			answering = f->share[i].group;
	}
	return answering != DP_NONE ? answering : group;
}
