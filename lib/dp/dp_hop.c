/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "dp_hop_priv.h"

#include <limits.h>

void
dp_snapshot(struct dp_lcore *lc, base_ns_t now)
{
	const struct dp *dp = lc->dp;
	const struct fib_nbr_table *nbr = atomic_load_explicit(&dp->nbr, memory_order_acquire);
	const struct fib *fib = atomic_load_explicit(&dp->fib, memory_order_acquire);
	const struct dp_roster *roster = dp_roster_now(dp);
	uint32_t states = atomic_load_explicit(&dp->states, memory_order_acquire);

	lc->now = now;
	if (now < lc->hop_epoch_end && nbr == lc->nbr && fib == lc->fib && roster == lc->roster &&
		states == lc->states)
		return;
	lc->states = states;
	lc->capture = atomic_load_explicit(&dp->capture, memory_order_acquire);
	lc->nbr = nbr;
	lc->fib = fib;
	lc->roster = roster;
	lc->hop_epoch_end = now + DP_HOP_EPOCH_NS;
	lc->hop_epoch += UINT64_C(1) << (64 - DP_HOP_EPOCH_BITS);
	if (lc->hop_epoch == 0) {
		memset(lc->hops, 0, sizeof(lc->hops));
		memset(lc->hops6, 0, sizeof(lc->hops6));
		lc->hop_epoch = UINT64_C(1) << (64 - DP_HOP_EPOCH_BITS);
	}
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
