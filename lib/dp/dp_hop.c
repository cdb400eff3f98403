/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "dp_hop_priv.h"

#include <limits.h>

static_assert(FIB_NUMBERS <= 1 << DP_HOP_EPOCH_BITS, "each place is forgotten once in a round");

/*
 * Epochs come round again after all others, however short those are. Each forgets one place of each
 * table, so that by then nothing is left of its namesake: a place that was written in that one was
 * forgotten in the one of the place's number. Key 0 is that of an empty place.
 */
static void
epoch_begin(struct dp_lcore *lc)
{
	uint64_t n;

	lc->hop_epoch += UINT64_C(1) << (64 - DP_HOP_EPOCH_BITS);
	if (lc->hop_epoch == 0)
		lc->hop_epoch = UINT64_C(1) << (64 - DP_HOP_EPOCH_BITS);
	n = lc->hop_epoch >> (64 - DP_HOP_EPOCH_BITS);
	if (lc->routers != NULL)
		lc->routers[n % FIB_NUMBERS].key = 0;
	lc->hops[n % RTE_DIM(lc->hops)].key = 0;
	lc->hops6[n % RTE_DIM(lc->hops6)].hop.key = 0;
}

void
dp_snapshot(struct dp_lcore *lc, base_ns_t now)
{
	const struct dp *dp = lc->dp;
	const struct fib_nbr_table *nbr = atomic_load_explicit(&dp->nbr, memory_order_acquire);
	const struct fib *fib = atomic_load_explicit(&dp->fib, memory_order_acquire);
	const struct dp_roster *roster = dp_roster_now(dp);
	uint32_t states = atomic_load_explicit(&dp->states, memory_order_acquire);
	uint32_t retired = fib != NULL ? fib_retired(fib) : 0;

	lc->now = now;
	if (now < lc->hop_epoch_end && nbr == lc->nbr && fib == lc->fib && roster == lc->roster &&
		states == lc->states && retired == lc->retired)
		return;
	lc->retired = retired;
	lc->states = states;
	lc->capture = atomic_load_explicit(&dp->capture, memory_order_acquire);
	lc->nbr = nbr;
	lc->fib = fib;
	lc->roster = roster;
	lc->hop_epoch_end = now + DP_HOP_EPOCH_NS;
	epoch_begin(lc);
}

void
dp_source_mac(const struct dp_lcore *lc, const struct dp_if *out, uint8_t mac[BASE_MAC_LEN])
{
	const struct dp_if_addrs *f = dp_addrs(lc, out);
	const struct dp_group *groups = lc->roster->groups;
	unsigned int vhid = UINT_MAX;

	/* Not while handing over: the switches are to learn the vMAC from the new master. */
	for (uint16_t g = f->source_vmac ? f->first_group : DP_NONE; g != DP_NONE;
		g = groups[g].next_in_if)
		if (groups[g].vhid < vhid && dp_group_owned(lc, g) && dp_group_answering(lc->dp, g))
			vhid = groups[g].vhid;
	if (vhid != UINT_MAX)
		base_vmac((uint8_t)vhid, mac);
	else
		memcpy(mac, out->mac, BASE_MAC_LEN);
}

static void
fill(const struct dp_lcore *lc, struct dp_hop *h, uint64_t key, const struct dp_if *out,
	uint8_t l2[2 * BASE_MAC_LEN])
{
	dp_source_mac(lc, out, l2 + BASE_MAC_LEN);
	memcpy(&h->l2_head, l2, sizeof(h->l2_head));
	memcpy(&h->l2_tail, l2 + sizeof(h->l2_head), sizeof(h->l2_tail));
	h->len_max = (uint32_t)WIRE_ETH_LEN + out->mtu;
	h->out = out->index;
	h->key = key;
}

bool
dp_hop_fill4(
	struct dp_lcore *lc, struct dp_hop *h, uint64_t key, const struct dp_if *out, uint32_t ip)
{
	uint8_t l2[2 * BASE_MAC_LEN];

	if (lc->nbr == NULL || dp_if_down(out) || !fib_nbr_lookup(lc->nbr, out->index, ip, l2))
		return false;
	fill(lc, h, key, out, l2);
	return true;
}

bool
dp_hop_fill6(struct dp_lcore *lc, struct dp_hop *h, uint64_t key, const struct dp_if *out,
	const uint8_t ip[16])
{
	uint8_t l2[2 * BASE_MAC_LEN];

	if (lc->nbr == NULL || dp_if_down(out) || !fib_nbr_lookup6(lc->nbr, out->index, ip, l2))
		return false;
	fill(lc, h, key, out, l2);
	return true;
}
