/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * What the control lcore sends, answers and gives up.
 */
#include "dp_priv.h"

#include <errno.h>

#include "base_assert.h"

struct rte_mbuf *
dp_ctl_alloc(struct dp *dp)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(dp->pool);

	if (m == NULL)
		dp_count(&dp_control(dp)->c.drops[DP_DROP_NO_MBUF], 1);
	return m;
}

int
dp_ctl_send(struct dp *dp, uint16_t if_index, struct rte_mbuf *m, uint16_t group)
{
	*dp_meta(m) = (struct dp_meta){
		.kind = group != DP_NONE ? DP_KIND_ADVERT : DP_KIND_ORIGINATED,
		.group = group,
		.src_group = DP_NONE,
	};
	return dp_ctl_output(dp_control(dp), &dp->ifs[if_index], m);
}

uint32_t
dp_advert_send_failures(const struct dp *dp, uint16_t group)
{
	return atomic_load_explicit(&dp->slots[group].send_failures, memory_order_relaxed);
}

void
dp_ctl_send_resolved(
	struct dp *dp, uint16_t if_index, struct rte_mbuf *m, const uint8_t mac[BASE_MAC_LEN])
{
	const struct dp_if *out = &dp->ifs[if_index];
	uint16_t src_group = dp_meta(m)->src_group;
	bool ip4 = dp_meta(m)->next_hop.family == BASE_FAMILY_IP4;
	uint8_t *p;

	/* It may have waited for longer than we are MASTER. */
	if (src_group != DP_NONE && !dp_group_answering(dp, src_group)) {
		dp_drop(dp_control(dp), m, DP_DROP_NOT_MASTER);
		return;
	}
	p = (uint8_t *)rte_pktmbuf_prepend(m, WIRE_ETH_LEN);
	BASE_ASSERT(p != NULL); /* where the old header was */
	memcpy(p, mac, BASE_MAC_LEN);
	if (src_group != DP_NONE)
		base_vmac(dp_roster_now(dp)->groups[src_group].vhid, p + BASE_MAC_LEN);
	else if (dp_meta(m)->kind == DP_KIND_FORWARDED)
		dp_source_mac(dp_control(dp), out, p + BASE_MAC_LEN);
	else
		memcpy(p + BASE_MAC_LEN, out->mac, BASE_MAC_LEN);
	base_store_be16(p + 12, ip4 ? WIRE_ETHERTYPE_IP4 : WIRE_ETHERTYPE_IP6);
	dp_ctl_output(dp_control(dp), out, m);
}

void
dp_ctl_unreachable(struct dp *dp, struct rte_mbuf *m)
{
	struct dp_lcore *lc = dp_control(dp);

	if (dp_meta(m)->kind == DP_KIND_FORWARDED) {
		rte_rcu_qsbr_thread_online(dp->qsbr, lc->id);
		dp_snapshot(lc, dp_clock());
		if (dp_meta(m)->next_hop.family == BASE_FAMILY_IP4)
			dp_icmp_error(lc, m, 0, WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_HOST, 0);
		else
			dp_icmp6_error(
				lc, m, 0, WIRE_ICMP6_UNREACHABLE, WIRE_ICMP6_UNREACH_ADDRESS, 0);
		rte_rcu_qsbr_thread_offline(dp->qsbr, lc->id);
	}
	dp_drop(lc, m, DP_DROP_UNREACHABLE);
}

void
dp_ctl_hold_dropped(struct dp *dp, struct rte_mbuf *m)
{
	dp_drop(dp_control(dp), m, DP_DROP_HOLD_FULL);
}

uint32_t
dp_ctl_gateways(struct dp *dp, uint32_t *cursor, struct fib_gateway *out, uint32_t cap)
{
	const struct fib *fib = atomic_load_explicit(&dp->fib, memory_order_acquire);
	uint32_t n;

	if (fib == NULL)
		return 0;
	rte_rcu_qsbr_thread_online(dp->qsbr, dp_control(dp)->id);
	n = fib_gateways(fib, cursor, out, cap);
	rte_rcu_qsbr_thread_offline(dp->qsbr, dp_control(dp)->id);
	return n;
}
