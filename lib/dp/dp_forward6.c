/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The forwarding stage of IPv6, as that of IPv4: route lookup for the burst, then per packet hop
 * limit, MTU, next hop's MAC, new Ethernet header, TX buffer. Extension headers are none of a
 * router's business, hop-by-hop options included (RFC 8200 4.8), and pass as they are.
 */
#include "dp_hop_priv.h"
#include "dp_host_priv.h"

static const struct fib_nh no_route = {.type = FIB_NH_NONE, .group = FIB_GROUP_NONE};

/* Tell the sender why, and drop. */
static __rte_noinline void
refuse(struct dp_lcore *lc, struct rte_mbuf *m, enum dp_drop why, uint8_t type, uint8_t code,
	uint32_t rest)
{
	dp_icmp6_error(lc, m, WIRE_ETH_LEN, type, code, rest);
	dp_drop(lc, m, why);
}

static __rte_noinline void
unrouted6_handle(struct dp_lcore *lc, struct rte_mbuf *m, const struct fib_nh *nh)
{
	enum dp_drop why = dp_no_path(nh, false);

	if (nh->type == FIB_NH_LOCAL) {
		dp_ip6_local(lc, m, nh->if_index, nh->group);
	} else {
		dp_icmp6_no_path(lc, m, why);
		dp_drop(lc, m, why);
	}
}

/* What keeps a packet from leaving, whatever is known of its next hop. @return that there is it */
static inline bool
refused(struct dp_lcore *lc, struct rte_mbuf *m, const uint8_t *ip, uint32_t len_max)
{
	if (unlikely(wire_ip6_is_link_local(ip + 8)))
		refuse(lc, m, DP_DROP_IP6_SCOPE, WIRE_ICMP6_UNREACHABLE, WIRE_ICMP6_UNREACH_SCOPE,
			0);
	else if (unlikely(ip[7] <= 1))
		refuse(lc, m, DP_DROP_TTL, WIRE_ICMP6_TIME_EXCEEDED, 0, 0);
	else if (unlikely(m->pkt_len > len_max))
		refuse(lc, m, DP_DROP_TOO_BIG, WIRE_ICMP6_TOO_BIG, 0, len_max - WIRE_ETH_LEN);
	else
		return false;
	return true;
}

/* A packet whose next hop has no MAC. */
static __rte_noinline void
unresolved6(struct dp_lcore *lc, struct rte_mbuf *m, const struct fib_nh *nh, const uint8_t *dst)
{
	const struct base_addr next_hop =
		base_addr_from_ip6(nh->type == FIB_NH_GATEWAY ? nh->gateway6 : dst);
	const struct dp_if *out = &lc->dp->ifs[nh->if_index];
	uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, WIRE_ETH_LEN);

	if (refused(lc, m, ip, (uint32_t)WIRE_ETH_LEN + out->mtu))
		return;
	ip[7]--;
	dp_forward_later(lc, m, out, &next_hop);
}

/* A packet that does not leave as it is, as in dp_forward.c. */
static __rte_noinline void
stay6(struct dp_lcore *lc, struct rte_mbuf *m, const struct fib_nh *nh, const uint8_t *dst,
	const struct dp_hop *hop)
{
	if (nh->type != FIB_NH_GATEWAY && nh->type != FIB_NH_CONNECTED)
		unrouted6_handle(lc, m, nh);
	else if (hop == NULL)
		unresolved6(lc, m, nh, dst);
	else
		(void)refused(lc, m, rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN),
			hop->len_max);
}

/* As hop_find() in dp_forward.c. */
static __rte_noinline struct dp_found
hop6_find(struct dp_lcore *lc, const struct rte_mbuf *m, uint32_t number, const uint8_t *dst)
{
	const struct fib_nh *nh = lc->fib != NULL ? &fib_next_hops(lc->fib)[number] : &no_route;
	uint64_t key = dp_hop_router_key(lc, nh->if_index);
	struct dp_hop *h = &lc->routers[number];

	if (likely(nh->type == FIB_NH_CONNECTED))
		return (struct dp_found){dp_hop_of_ip6(lc, &lc->dp->ifs[nh->if_index], dst), nh};
	if (nh->type == FIB_NH_MULTI) {
		nh = dp_path6(lc, m, nh);
		return (struct dp_found){dp_hop_of_gateway6(lc, nh), nh};
	}
	if (nh->type == FIB_NH_GATEWAY &&
		(h->key == key ||
			dp_hop_fill6(lc, h, key, &lc->dp->ifs[nh->if_index], nh->gateway6)))
		return (struct dp_found){h, nh};
	return (struct dp_found){NULL, nh};
}

static __rte_noinline uint32_t
run6_write(const struct dp_lcore *lc, const uint32_t *numbers, uint32_t i, uint32_t n,
	struct dp_run *run)
{
	return dp_run_write(lc, lc->pkts6, numbers, lc->need6, NULL, i, n, run);
}

void
dp_forward6(struct dp_lcore *lc)
{
	struct rte_mbuf **pkts = lc->pkts6;
	struct dp_run run = {.pkts = pkts};
	uint32_t numbers[DP_BURST], n = lc->n6;

	if (likely(lc->fib != NULL))
		fib_numbers6(lc->fib, (const uint8_t(*)[16])lc->dst6, numbers, n);
	else
		memset(numbers, 0, sizeof(numbers));
	lc->n6 = 0;
	/* As in dp_forward(). */
	run.out = lc->routers[numbers[0]].out;
	for (uint32_t i = 0; (i = run6_write(lc, numbers, i, n, &run)) < n; i++) {
		struct dp_found f = hop6_find(lc, pkts[i], numbers[i], lc->dst6[i]);

		if (unlikely(f.hop == NULL || lc->need6[i] > f.hop->len_max)) {
			dp_run_skip(lc, &run, &pkts[i]);
			stay6(lc, pkts[i], f.nh, lc->dst6[i], f.hop);
			continue;
		}
		dp_run_pass(lc, &run, &pkts[i], f.hop, lc->need6[i], NULL);
	}
	dp_run_end(lc, &run, &pkts[n]);
}

bool
dp_route_get6(struct dp_lcore *lc, const uint8_t dst[16], struct dp_route *r, enum dp_drop *why)
{
	const struct fib_nh *nh = &no_route;

	r->host = false;
	if (wire_ip6_is_link_local(dst)) {
		/* The control lcore has no burst, and so no link. */
		if (lc->in == NULL || dp_ip6_find(dp_addrs(lc, lc->in), dst) != NULL) {
			*why = lc->in == NULL ? DP_DROP_IP6_SCOPE : DP_DROP_LOCAL;
			return false;
		}
		r->out = lc->in;
		r->hop = base_addr_from_ip6(dst);
		return true;
	}
	if (lc->fib != NULL)
		fib_lookup6(lc->fib, (const uint8_t(*)[16])(uintptr_t)dst, &nh, 1);
	if (nh->type == FIB_NH_MULTI)
		nh = dp_path_to(lc, nh, dst, false);
	if (nh->type != FIB_NH_CONNECTED && nh->type != FIB_NH_GATEWAY) {
		*why = dp_no_path(nh, false);
		r->host = nh->type == FIB_NH_LOCAL && dp_host_has(lc, nh);
		if (!r->host)
			return false;
	}
	r->hop = nh->type != FIB_NH_GATEWAY ? base_addr_from_ip6(dst)
					    : base_addr_from_ip6(nh->gateway6);
	r->out = &lc->dp->ifs[nh->if_index];
	return true;
}
