/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The forwarding stage of IPv6, as that of IPv4: route lookup for the burst, then per packet hop
 * limit, MTU, next hop's MAC, new Ethernet header, TX buffer. Extension headers are none of a
 * router's business, hop-by-hop options included (RFC 8200 4.8), and pass as they are.
 */
#include "dp_priv.h"

static const struct fib_nh no_route = {.type = FIB_NH_NONE, .group = FIB_GROUP_NONE};

static __rte_noinline bool
hop6_fill(struct dp_lcore *lc, struct dp_hop6 *h, uint64_t key, const struct dp_if *out,
	const uint8_t *ip)
{
	uint8_t l2[2 * BASE_MAC_LEN];

	if (lc->nbr == NULL || !fib_nbr_lookup6(lc->nbr, out->index, ip, l2))
		return false;
	memcpy(l2 + BASE_MAC_LEN, out->mac, BASE_MAC_LEN);
	memcpy(&h->l2_head, l2, sizeof(h->l2_head));
	memcpy(&h->l2_tail, l2 + sizeof(h->l2_head), sizeof(h->l2_tail));
	memcpy(&h->hi, ip, sizeof(h->hi));
	memcpy(&h->lo, ip + sizeof(h->hi), sizeof(h->lo));
	h->key = key;
	return true;
}

/* As hop_write() of IPv4. */
static inline bool
hop6_write(struct dp_lcore *lc, const struct dp_if *out, const uint8_t *ip, uint8_t *p)
{
	uint64_t key = lc->hop_epoch | (uint64_t)out->index << 32, hi, lo, mix;
	struct dp_hop6 *h;

	memcpy(&hi, ip, sizeof(hi));
	memcpy(&lo, ip + sizeof(hi), sizeof(lo));
	mix = (hi ^ out->index) * UINT64_C(0xc2b2ae3d27d4eb4f) + lo;
	h = &lc->hops6[mix * UINT64_C(0x9e3779b97f4a7c15) >> (64 - DP_HOP_CACHE_BITS)];
	if (unlikely(h->key != key || h->hi != hi || h->lo != lo) &&
		unlikely(!hop6_fill(lc, h, key, out, ip)))
		return false;
	memcpy(p, &h->l2_head, sizeof(h->l2_head));
	memcpy(p + sizeof(h->l2_head), &h->l2_tail, sizeof(h->l2_tail));
	return true;
}

bool
dp_hop6_write(struct dp_lcore *lc, const struct dp_if *out, const uint8_t hop[16], uint8_t *frame)
{
	return hop6_write(lc, out, hop, frame);
}

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
	if (nh->type == FIB_NH_LOCAL)
		dp_ip6_local(lc, m, nh->if_index, nh->group);
	else
		refuse(lc, m, DP_DROP_NO_ROUTE, WIRE_ICMP6_UNREACHABLE, WIRE_ICMP6_UNREACH_ROUTE,
			0);
}

static __rte_noinline void
unresolved6(struct dp_lcore *lc, struct rte_mbuf *m, const struct dp_if *out, const uint8_t *hop)
{
	const struct base_addr next_hop = base_addr_from_ip6(hop);

	*dp_meta(m) =
		(struct dp_meta){.kind = DP_KIND_FORWARDED, .group = DP_NONE, .src_group = DP_NONE};
	dp_punt_resolve(lc, m, out, &next_hop);
}

static void
routes_get(const struct dp_lcore *lc, const struct fib_nh **nhs)
{
	const uint8_t(*dst)[16] = (const uint8_t(*)[16])lc->dst6;

	if (likely(lc->fib != NULL)) {
		fib_lookup6(lc->fib, dst, nhs, lc->n6);
		return;
	}
	for (uint16_t i = 0; i < lc->n6; i++)
		nhs[i] = &no_route;
}

void
dp_forward6(struct dp_lcore *lc)
{
	const struct fib_nh *nhs[DP_BURST];
	struct rte_mbuf
		*run[DP_BURST]; /* frames that leave by the same port, one after the other */
	uint16_t n = lc->n6, n_run = 0, slot = 0;
	uint32_t bytes = 0;

	routes_get(lc, nhs);
	lc->n6 = 0;
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = lc->pkts6[i];
		const struct fib_nh *nh = nhs[i];
		uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *), *ip = p + WIRE_ETH_LEN;
		const struct dp_if *out;
		const uint8_t *hop;

		if (likely(nh->type == FIB_NH_GATEWAY)) {
			hop = nh->gateway6;
		} else if (likely(nh->type == FIB_NH_CONNECTED)) {
			hop = lc->dst6[i];
		} else {
			unrouted6_handle(lc, m, nh);
			continue;
		}
		out = &lc->dp->ifs[nh->if_index];
		if (unlikely(wire_ip6_is_link_local(ip + 8))) {
			refuse(lc, m, DP_DROP_IP6_SCOPE, WIRE_ICMP6_UNREACHABLE,
				WIRE_ICMP6_UNREACH_SCOPE, 0);
			continue;
		}
		if (unlikely(ip[7] <= 1)) {
			refuse(lc, m, DP_DROP_TTL, WIRE_ICMP6_TIME_EXCEEDED, 0, 0);
			continue;
		}
		if (unlikely(m->pkt_len > (uint32_t)WIRE_ETH_LEN + out->mtu)) {
			refuse(lc, m, DP_DROP_TOO_BIG, WIRE_ICMP6_TOO_BIG, 0, out->mtu);
			continue;
		}
		ip[7]--;
		if (unlikely(!hop6_write(lc, out, hop, p))) {
			unresolved6(lc, m, out, hop);
			continue;
		}
		if (out->slot != slot && n_run != 0) {
			dp_tx_forwarded(lc, slot, run, n_run, bytes);
			n_run = 0;
			bytes = 0;
		}
		slot = out->slot;
		bytes += m->pkt_len;
		run[n_run++] = m;
	}
	if (n_run != 0)
		dp_tx_forwarded(lc, slot, run, n_run, bytes);
}

bool
dp_route_get6(struct dp_lcore *lc, const uint8_t dst[16], struct dp_route *r, enum dp_drop *why)
{
	const struct fib_nh *nh = &no_route;

	if (wire_ip6_is_link_local(dst)) {
		/* The control lcore has no burst, and so no link. */
		if (lc->in == NULL || dp_ip6_find(lc->in, dst) != NULL) {
			*why = lc->in == NULL ? DP_DROP_IP6_SCOPE : DP_DROP_LOCAL;
			return false;
		}
		r->out = lc->in;
		r->hop = base_addr_from_ip6(dst);
		return true;
	}
	if (lc->fib != NULL)
		fib_lookup6(lc->fib, (const uint8_t(*)[16])(uintptr_t)dst, &nh, 1);
	switch ((enum fib_nh_type)nh->type) {
	case FIB_NH_CONNECTED:
		r->hop = base_addr_from_ip6(dst);
		break;
	case FIB_NH_GATEWAY:
		r->hop = base_addr_from_ip6(nh->gateway6);
		break;
	case FIB_NH_LOCAL:
		*why = DP_DROP_LOCAL;
		return false;
	case FIB_NH_DROP:
	case FIB_NH_NONE:
	default:
		*why = DP_DROP_NO_ROUTE;
		return false;
	}
	r->out = &lc->dp->ifs[nh->if_index];
	return true;
}
