/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Echo requests of the control lcore. Workers compare an answer with a few words that the control
 * lcore wrote, one for each request that is under way, and look at nothing while all are 0.
 */
#include "dp_probe.h"

#include "dp_hop_priv.h"
#include "dp_probe_priv.h"
#include "wire_echo.h"

/* Never 0; those of IPv4 never collide. */
static uint64_t
probe_key(const struct dp *dp, const struct base_addr *dst, uint16_t id)
{
	if (dst->family == BASE_FAMILY_IP4)
		return dp_known_ip4(base_addr_ip4(dst)) | (uint64_t)id << 32;
	return (dp_known_ip6(dp, dst->bytes) ^ (uint64_t)id << 32) | UINT64_C(1) << 63;
}

void
dp_probe_expect(struct dp *dp, uint16_t n, const struct base_addr *dst, uint16_t id)
{
	atomic_store_explicit(
		&dp->probes[n], dst != NULL ? probe_key(dp, dst, id) : 0, memory_order_release);
}

static bool
is_expected(const struct dp *dp, uint64_t key)
{
	for (unsigned int i = 0; i < DP_PROBES_MAX; i++)
		if (atomic_load_explicit(&dp->probes[i], memory_order_acquire) == key)
			return true;
	return false;
}

static bool
any_expected(const struct dp *dp)
{
	for (unsigned int i = 0; i < DP_PROBES_MAX; i++)
		if (atomic_load_explicit(&dp->probes[i], memory_order_relaxed) != 0)
			return true;
	return false;
}

/* That of IPv4 was looked at by who calls, since it covers no pseudo-header. */
static bool
sum_ok(const struct rte_mbuf *m, const struct wire_echo_answer *a)
{
	return a->from.family == BASE_FAMILY_IP4 ||
		dp_packet_sum_ok(m, WIRE_ETH_LEN + WIRE_IP6_LEN, a->bytes,
			wire_ip6_pseudo_sum(
				a->from.bytes, a->to.bytes, a->bytes, WIRE_PROTO_ICMP6));
}

bool
dp_probe_take(struct dp_lcore *lc, struct rte_mbuf *m)
{
	struct wire_echo_answer a;

	if (likely(!any_expected(lc->dp)) ||
		wire_echo_decode(rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN),
			(size_t)(m->data_len - WIRE_ETH_LEN), (size_t)(m->pkt_len - WIRE_ETH_LEN),
			&a) == WIRE_ECHO_NONE ||
		!is_expected(lc->dp, probe_key(lc->dp, &a.dst, a.id)))
		return false;
	if (sum_ok(m, &a))
		dp_punt_probe(lc, m);
	else
		dp_drop(lc, m, DP_DROP_ECHO_MALFORMED);
	return true;
}

void
dp_probe_way(struct dp *dp, const struct base_addr *dst, struct dp_way *out)
{
	struct dp_lcore *lc = dp_control(dp);
	const bool ip4 = dst->family == BASE_FAMILY_IP4;
	const struct fib_nh *nh = NULL;
	uint32_t dst4 = base_addr_ip4(dst);

	*out = (struct dp_way){.type = FIB_NH_NONE, .group = FIB_GROUP_NONE};
	rte_rcu_qsbr_thread_online(dp->qsbr, lc->id);
	dp_snapshot(lc, dp_clock());
	if (lc->fib != NULL && ip4)
		fib_lookup(lc->fib, &dst4, &nh, 1);
	else if (lc->fib != NULL)
		fib_lookup6(lc->fib, &dst->bytes, &nh, 1);
	if (nh != NULL && nh->type == FIB_NH_MULTI)
		nh = dp_path_to(lc, nh, dst->bytes, ip4);
	if (nh != NULL) {
		out->type = nh->type;
		out->if_index = nh->if_index;
		out->group = nh->group;
		out->next_hop = nh->type == FIB_NH_GATEWAY ? fib_nh_gateway(nh) : *dst;
	}
	rte_rcu_qsbr_thread_offline(dp->qsbr, lc->id);
}
