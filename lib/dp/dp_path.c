/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Routes with several next hops, and those that lead nowhere. Packets of a flow take one path: it
 * is chosen by a hash of addresses, protocol and ports, from a seed of this start. A path whose
 * link is down or whose next hop has no MAC is left out, and only the flows that had it go
 * elsewhere, until it is back.
 */
#include "dp_hop_priv.h"

#define ODD UINT64_C(0x9e3779b97f4a7c15)

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * ODD;
	return h ^ h >> 32;
}

/* Ports of TCP and UDP, where they are in what can be seen. */
static uint32_t
ports_of(const struct rte_mbuf *m, uint32_t off, uint8_t proto)
{
	if ((proto != WIRE_PROTO_TCP && proto != WIRE_PROTO_UDP) || m->data_len < off + 4)
		return 0;
	return base_load_be32(rte_pktmbuf_mtod_offset(m, const uint8_t *, off));
}

/* Fragments have no ports but the first, so none counts, and they stay together. */
static uint64_t
flow4(const struct rte_mbuf *m, uint64_t seed)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN);
	bool fragment = (base_load_be16(ip + 6) & (WIRE_IP4_MF | WIRE_IP4_OFFSET)) != 0;
	uint32_t header_len = (uint32_t)(ip[0] & 0x0f) * 4;
	uint32_t ports = fragment ? 0 : ports_of(m, WIRE_ETH_LEN + header_len, ip[9]);

	return mix(mix(seed, base_load_be64(ip + 12)), (uint64_t)ip[9] << 32 | ports);
}

/* A packet with extension headers, a fragment among others, is told by its addresses. */
static uint64_t
flow6(const struct rte_mbuf *m, uint64_t seed)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN);
	uint64_t h = seed;

	for (unsigned int i = 8; i < WIRE_IP6_LEN; i += 8)
		h = mix(h, base_load_be64(ip + i));
	return mix(h, (uint64_t)ip[6] << 32 | ports_of(m, WIRE_ETH_LEN + WIRE_IP6_LEN, ip[6]));
}

static bool
usable(struct dp_lcore *lc, const struct fib_nh *path, bool ip4)
{
	const struct dp *dp = lc->dp;

	return atomic_load_explicit(
		       &dp->ports[dp->ifs[path->if_index].slot].link_up, memory_order_relaxed) &&
		(ip4 ? dp_hop_of_gateway4(lc, path) : dp_hop_of_gateway6(lc, path)) != NULL;
}

/* Have control ask for a next hop, in the place of a packet that now goes another way. */
static void
ask(struct dp_lcore *lc, const struct fib_nh *path)
{
	const struct base_addr next_hop = fib_nh_gateway(path);
	struct rte_mbuf *m;

	if (dp_if_down(&lc->dp->ifs[path->if_index]) || !dp_bucket_take(&lc->asks, lc->now))
		return;
	m = rte_pktmbuf_alloc(lc->dp->pool);
	if (m == NULL || rte_pktmbuf_append(m, WIRE_ETH_LEN) == NULL) {
		dp_drop(lc, m, DP_DROP_NO_MBUF);
		return;
	}
	*dp_meta(m) = (struct dp_meta){.kind = DP_KIND_ASK, .group = DP_NONE, .src_group = DP_NONE};
	dp_punt_resolve(lc, m, &lc->dp->ifs[path->if_index], &next_hop);
}

/*
 * Multiplied once more: with one product after the ports, the consecutive ports of two hosts would
 * be parted alike in a tenth of all boxes, whatever their seeds.
 */
static const struct fib_nh *
choose(struct dp_lcore *lc, const struct fib_nh *nh, uint64_t hash, bool ip4)
{
	const uint64_t flow = hash * ODD;
	const struct fib_nh *first = &nh->paths[(flow >> 32) * nh->n_paths >> 32];
	const struct fib_nh *others[FIB_PATHS_MAX];
	uint64_t n = 0;

	if (likely(usable(lc, first, ip4)))
		return first;
	for (unsigned int i = 0; i < nh->n_paths; i++)
		if (&nh->paths[i] != first && usable(lc, &nh->paths[i], ip4))
			others[n++] = &nh->paths[i];
	if (n == 0)
		return first;
	ask(lc, first);
	return others[(flow & UINT32_MAX) * n >> 32];
}

const struct fib_nh *
dp_path4(struct dp_lcore *lc, const struct rte_mbuf *m, const struct fib_nh *nh)
{
	return choose(lc, nh, flow4(m, lc->flow_seed), true);
}

const struct fib_nh *
dp_path6(struct dp_lcore *lc, const struct rte_mbuf *m, const struct fib_nh *nh)
{
	return choose(lc, nh, flow6(m, lc->flow_seed), false);
}

const struct fib_nh *
dp_path_to(struct dp_lcore *lc, const struct fib_nh *nh, const uint8_t *dst, bool ip4)
{
	const uint64_t seed = lc->flow_seed;
	uint64_t flow = ip4 ? mix(seed, base_load_be32(dst))
			    : mix(mix(seed, base_load_be64(dst)), base_load_be64(dst + 8));

	return choose(lc, nh, flow, ip4);
}

enum dp_drop
dp_no_path(const struct fib_nh *nh, bool ip4)
{
	static const uint8_t why[] = {
		[FIB_NH_LOCAL] = DP_DROP_LOCAL,
		[FIB_NH_DROP] = DP_DROP_SUBNET_BROADCAST,
		[FIB_NH_BLACKHOLE] = DP_DROP_BLACKHOLE,
		[FIB_NH_UNREACHABLE] = DP_DROP_ROUTE_UNREACHABLE,
		[FIB_NH_PROHIBIT] = DP_DROP_ROUTE_PROHIBIT,
		[FIB_NH_NONE] = DP_DROP_NO_ROUTE,
	};

	/* Of IPv4 the addresses at a subnet's ends, of IPv6 that of its routers. */
	if (nh->type == FIB_NH_DROP && !ip4)
		return DP_DROP_SUBNET_ANYCAST;
	return (enum dp_drop)why[nh->type];
}
