/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The forwarding stage of IPv4: route lookup for the burst, then per packet TTL, MTU, next hop's
 * MAC, new Ethernet header, TX buffer. Also the way out for packets of our own, of both families.
 */
#include "dp_hop_priv.h"
#include "dp_host_priv.h"

static const struct fib_nh no_route = {.type = FIB_NH_NONE, .group = FIB_GROUP_NONE};

/* A packet to an address of this box. */
static __rte_noinline void
local_handle(struct dp_lcore *lc, struct rte_mbuf *m, const struct fib_nh *nh)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN);
	bool vip = nh->group < lc->dp->n_groups;
	uint32_t header_len = (uint32_t)(ip[0] & 0x0f) * 4;
	uint16_t group = nh->group;

	if (vip)
		group = dp_share_group(
			lc, rte_pktmbuf_mtod(m, const uint8_t *), base_load_be32(ip + 16), group);
	if (vip && !dp_group_owned(lc, group)) {
		dp_drop(lc, m, DP_DROP_NOT_MASTER);
		return;
	}
	if (ip[9] == WIRE_PROTO_CARP && !vip && nh->if_index == lc->in->index) {
		/* A unicast peer's advert (note 1.2). */
		if (m->pkt_len < WIRE_ETH_LEN + header_len + 2 ||
			(base_load_be16(ip + 6) & (WIRE_IP4_MF | WIRE_IP4_OFFSET)) != 0)
			dp_drop(lc, m, DP_DROP_CARP_MALFORMED);
		else
			dp_punt_advert(
				lc, m, ip[header_len + 1], dp_known_ip4(base_load_be32(ip + 12)));
		return;
	}
	if (ip[9] == WIRE_PROTO_ICMP)
		dp_echo(lc, m, nh->if_index, group);
	else
		dp_host_up(lc, m, nh->if_index, group);
}

/* A packet that the route table has no way out for. */
static __rte_noinline void
unrouted_handle(struct dp_lcore *lc, struct rte_mbuf *m, const struct fib_nh *nh)
{
	enum dp_drop why = dp_no_path(nh, true);

	if (nh->type == FIB_NH_LOCAL) {
		local_handle(lc, m, nh);
	} else {
		dp_icmp_no_path(lc, m, why);
		dp_drop(lc, m, why);
	}
}

static __rte_noinline void
ttl_exceeded(struct dp_lcore *lc, struct rte_mbuf *m)
{
	dp_icmp_error(lc, m, WIRE_ETH_LEN, WIRE_ICMP_TIME_EXCEEDED, 0, 0);
	dp_drop(lc, m, DP_DROP_TTL);
}

/* Cut a packet, its TTL counted down; with DF its sender is told. @return fragments */
static uint32_t
too_big(struct dp_lcore *lc, struct rte_mbuf *m, uint16_t mtu, struct rte_mbuf **fragments)
{
	uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, WIRE_ETH_LEN);

	if (base_load_be16(ip + 6) & WIRE_IP4_DF) {
		dp_icmp_error(
			lc, m, WIRE_ETH_LEN, WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_FRAG, mtu);
		dp_drop(lc, m, DP_DROP_TOO_BIG);
		return 0;
	}
	dp_ttl_decrement(ip);
	return dp_fragment(lc, m, mtu, fragments);
}

static __rte_noinline void
too_big_for_hop(struct dp_lcore *lc, struct rte_mbuf *m, const struct dp_hop *hop)
{
	struct rte_mbuf *fragments[DP_FRAGMENTS_MAX];
	uint32_t n = too_big(lc, m, (uint16_t)(hop->len_max - WIRE_ETH_LEN), fragments);

	for (uint32_t i = 0; i < n; i++) {
		dp_hop_write(hop, rte_pktmbuf_mtod(fragments[i], uint8_t *));
		dp_tx_forwarded(lc, hop->out, &fragments[i], 1, fragments[i]->pkt_len);
	}
}

/* A packet whose next hop has no MAC. */
static __rte_noinline void
unresolved(struct dp_lcore *lc, struct rte_mbuf *m, const struct fib_nh *nh, uint32_t dst)
{
	const struct base_addr next_hop =
		base_addr_from_ip4(nh->type == FIB_NH_GATEWAY ? nh->gateway : dst);
	const struct dp_if *out = &lc->dp->ifs[nh->if_index];
	struct rte_mbuf *fragments[DP_FRAGMENTS_MAX];
	uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, WIRE_ETH_LEN);

	if (ip[8] <= 1) {
		ttl_exceeded(lc, m);
	} else if (m->pkt_len > (uint32_t)WIRE_ETH_LEN + out->mtu) {
		uint32_t n = too_big(lc, m, out->mtu, fragments);

		for (uint32_t i = 0; i < n; i++)
			dp_forward_later(lc, fragments[i], out, &next_hop);
	} else {
		dp_ttl_decrement(ip);
		dp_forward_later(lc, m, out, &next_hop);
	}
}

/*
 * A packet that does not leave as it is.
 * @param hop  its next hop; NULL: that has no MAC, or there is none
 */
static __rte_noinline void
stay(struct dp_lcore *lc, struct rte_mbuf *m, const struct fib_nh *nh, uint32_t dst,
	const struct dp_hop *hop)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN);

	if (nh->type != FIB_NH_GATEWAY && nh->type != FIB_NH_CONNECTED)
		unrouted_handle(lc, m, nh);
	else if (hop == NULL)
		unresolved(lc, m, nh, dst);
	else if (ip[8] <= 1)
		ttl_exceeded(lc, m);
	else
		too_big_for_hop(lc, m, hop);
}

/* The next hop by a number that is not that of a known router. */
static __rte_noinline struct dp_found
hop_find(struct dp_lcore *lc, const struct rte_mbuf *m, uint32_t number, uint32_t dst)
{
	const struct fib_nh *nh = lc->fib != NULL ? &fib_next_hops(lc->fib)[number] : &no_route;
	uint64_t key = dp_hop_router_key(lc, nh->if_index);
	struct dp_hop *h = &lc->routers[number];

	if (likely(nh->type == FIB_NH_CONNECTED))
		return (struct dp_found){dp_hop_of_ip4(lc, &lc->dp->ifs[nh->if_index], dst), nh};
	if (nh->type == FIB_NH_MULTI) {
		nh = dp_path4(lc, m, nh);
		return (struct dp_found){dp_hop_of_gateway4(lc, nh), nh};
	}
	if (nh->type == FIB_NH_GATEWAY &&
		(h->key == key ||
			dp_hop_fill4(lc, h, key, &lc->dp->ifs[nh->if_index], nh->gateway)))
		return (struct dp_found){h, nh};
	return (struct dp_found){NULL, nh};
}

static __rte_noinline uint32_t
run_write(const struct dp_lcore *lc, struct rte_mbuf *const *pkts, const uint32_t *numbers,
	uint32_t i, uint32_t n, struct dp_run *run)
{
	return dp_run_write(lc, pkts, numbers, lc->need, lc->ttl, i, n, run);
}

void
dp_forward(struct dp_lcore *lc, struct rte_mbuf **pkts, uint16_t n)
{
	struct dp_run run = {.pkts = pkts};
	uint32_t numbers[DP_BURST];

	if (likely(lc->fib != NULL))
		fib_numbers(lc->fib, lc->dst, numbers, n);
	else
		memset(numbers, 0, sizeof(numbers));
	/* Mostly all of a burst leave by one interface, and it is that of the first. */
	run.out = lc->routers[numbers[0]].out;
	for (uint32_t i = 0; (i = run_write(lc, pkts, numbers, i, n, &run)) < n; i++) {
		struct dp_found f = hop_find(lc, pkts[i], numbers[i], lc->dst[i]);

		if (unlikely(f.hop == NULL || lc->need[i] > f.hop->len_max)) {
			dp_run_skip(lc, &run, &pkts[i]);
			stay(lc, pkts[i], f.nh, lc->dst[i], f.hop);
			continue;
		}
		dp_run_pass(lc, &run, &pkts[i], f.hop, lc->need[i], &lc->ttl[i]);
	}
	dp_run_end(lc, &run, &pkts[n]);
}

bool
dp_route_get(struct dp_lcore *lc, uint32_t dst, struct dp_route *r, enum dp_drop *why)
{
	const struct base_addr to = base_addr_from_ip4(dst);
	const struct fib_nh *nh = &no_route;

	r->host = false;
	if (lc->fib != NULL)
		fib_lookup(lc->fib, &dst, &nh, 1);
	if (nh->type == FIB_NH_MULTI)
		nh = dp_path_to(lc, nh, to.bytes, true);
	if (nh->type != FIB_NH_CONNECTED && nh->type != FIB_NH_GATEWAY) {
		*why = dp_no_path(nh, true);
		r->host = nh->type == FIB_NH_LOCAL && dp_host_has(lc, nh);
		if (!r->host)
			return false;
	}
	r->hop = nh->type != FIB_NH_GATEWAY ? to : base_addr_from_ip4(nh->gateway);
	r->out = &lc->dp->ifs[nh->if_index];
	return true;
}

/* Too long for its way out: IPv4 goes in fragments, unless it says that it must not. */
static __rte_noinline void
originate_long(
	struct dp_lcore *lc, struct rte_mbuf *m, const struct dp_route *r, uint16_t src_group)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN);
	struct rte_mbuf *fragments[DP_FRAGMENTS_MAX];
	uint32_t n;

	if (r->hop.family != BASE_FAMILY_IP4 || (base_load_be16(ip + 6) & WIRE_IP4_DF)) {
		dp_drop(lc, m, DP_DROP_TOO_BIG);
		return;
	}
	n = dp_fragment(lc, m, r->out->mtu, fragments);
	for (uint32_t i = 0; i < n; i++)
		dp_originate(lc, fragments[i], r, src_group);
}

void
dp_originate(struct dp_lcore *lc, struct rte_mbuf *m, const struct dp_route *r, uint16_t src_group)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	bool ip4 = r->hop.family == BASE_FAMILY_IP4;
	const struct dp_hop *hop;

	if (m->pkt_len > (uint32_t)WIRE_ETH_LEN + r->out->mtu) {
		originate_long(lc, m, r, src_group);
		return;
	}
	base_store_be16(p + 12, ip4 ? WIRE_ETHERTYPE_IP4 : WIRE_ETHERTYPE_IP6);
	if (unlikely(r->host)) {
		memcpy(p + BASE_MAC_LEN, r->out->mac, BASE_MAC_LEN);
		dp_host_up(lc, m, r->out->index, DP_NONE);
		return;
	}
	*dp_meta(m) = (struct dp_meta){
		.kind = DP_KIND_ORIGINATED, .group = DP_NONE, .src_group = src_group};
	hop = ip4 ? dp_hop_of_ip4(lc, r->out, base_addr_ip4(&r->hop))
		  : dp_hop_of_ip6(lc, r->out, r->hop.bytes);
	if (hop == NULL) {
		dp_punt_resolve(lc, m, r->out, &r->hop);
		return;
	}
	dp_hop_write(hop, p);
	/* What the hop has is the source of forwarded frames. */
	if (src_group != DP_NONE)
		base_vmac(lc->roster->groups[src_group].vhid, p + BASE_MAC_LEN);
	else
		memcpy(p + BASE_MAC_LEN, r->out->mac, BASE_MAC_LEN);
	if (dp_lcore_is_control(lc))
		dp_ctl_output(lc, r->out, m);
	else
		dp_tx_originated(lc, r->out, m);
}
