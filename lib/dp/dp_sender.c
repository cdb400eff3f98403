/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Where packets may come from: never from an address of this box, and where an interface asks for
 * it, only from where the route back leads (RFC 3704). Whether a source is this box's is asked for
 * every packet: its last byte is looked up in a small table, and only one that an address of ours
 * has in the route table, which knows them all.
 */
#include "dp_priv.h"

bool
dp_sender_is_own4(const struct dp_lcore *lc, uint32_t ip)
{
	const struct fib_nh *nh;

	if (lc->fib == NULL)
		return false;
	fib_lookup(lc->fib, &ip, &nh, 1);
	if (nh->type != FIB_NH_LOCAL)
		return false;
	return nh->group >= lc->dp->n_groups || dp_share_answered(lc, ip, nh->group);
}

bool
dp_sender_is_own6(const struct dp_lcore *lc, const uint8_t ip[16])
{
	const struct fib_nh *nh;

	if (lc->fib == NULL)
		return false;
	fib_lookup6(lc->fib, (const uint8_t(*)[16])(uintptr_t)ip, &nh, 1);
	if (nh->type != FIB_NH_LOCAL)
		return false;
	return nh->group >= lc->dp->n_groups || dp_group_answering(lc->dp, nh->group);
}

/*
 * Whether a packet from where this next hop leads may come by an interface. One from a VIP of a
 * group that another box is MASTER of comes from the group's segment.
 */
static bool
may_come_by(const struct dp_lcore *lc, const struct fib_nh *nh)
{
	if (nh->type == FIB_NH_MULTI) {
		for (unsigned int i = 0; i < nh->n_paths; i++)
			if (may_come_by(lc, &nh->paths[i]))
				return true;
		return false;
	}
	if (nh->type != FIB_NH_CONNECTED && nh->type != FIB_NH_GATEWAY && nh->type != FIB_NH_LOCAL)
		return false;
	return dp_addrs(lc, lc->in)->rp_filter == DP_RP_LOOSE || nh->if_index == lc->in->index;
}

uint16_t
dp_rp_filter4(struct dp_lcore *lc, struct rte_mbuf **pkts, uint16_t n)
{
	const struct fib_nh *nhs[DP_BURST];
	uint32_t src[DP_BURST];
	uint16_t kept = 0;

	if (lc->fib == NULL || n == 0)
		return n; /* without routes nothing is forwarded */
	for (uint16_t i = 0; i < n; i++)
		src[i] = base_load_be32(
			rte_pktmbuf_mtod_offset(pkts[i], const uint8_t *, WIRE_ETH_LEN + 12));
	fib_lookup(lc->fib, src, nhs, n);
	for (uint16_t i = 0; i < n; i++) {
		if (!may_come_by(lc, nhs[i])) {
			dp_drop(lc, pkts[i], DP_DROP_RP_FILTER);
			continue;
		}
		lc->dst[kept] = lc->dst[i];
		lc->need[kept] = lc->need[i];
		lc->ttl[kept] = lc->ttl[i];
		pkts[kept++] = pkts[i];
	}
	return kept;
}

void
dp_rp_filter6(struct dp_lcore *lc)
{
	const struct fib_nh *nhs[DP_BURST];
	uint8_t src[DP_BURST][WIRE_IP6_ADDR_LEN];
	uint16_t kept = 0;

	if (lc->fib == NULL || lc->n6 == 0)
		return;
	for (uint16_t i = 0; i < lc->n6; i++)
		memcpy(src[i],
			rte_pktmbuf_mtod_offset(lc->pkts6[i], const uint8_t *, WIRE_ETH_LEN + 8),
			WIRE_IP6_ADDR_LEN);
	fib_lookup6(lc->fib, (const uint8_t(*)[16])src, nhs, lc->n6);
	for (uint16_t i = 0; i < lc->n6; i++) {
		/* A link-local source is one of this link; it is not forwarded anyway. */
		if (!wire_ip6_is_link_local(src[i]) && !may_come_by(lc, nhs[i])) {
			dp_drop(lc, lc->pkts6[i], DP_DROP_RP_FILTER);
			continue;
		}
		memcpy(lc->dst6[kept], lc->dst6[i], WIRE_IP6_ADDR_LEN);
		lc->need6[kept] = lc->need6[i];
		lc->pkts6[kept++] = lc->pkts6[i];
	}
	lc->n6 = kept;
}
