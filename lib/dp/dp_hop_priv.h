/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DP_HOP_PRIV_H
#define DP_HOP_PRIV_H

#include "dp_priv.h"
#include "dp_ttl_priv.h"

/**
 * @file
 * What is known of next hops, by worker. What was looked up is good for a millisecond: a change
 * may as well have been on its way here that long. Each function returns NULL when the next hop
 * has no MAC.
 */

/** @name Look up and remember. @return false when there is no MAC @{ */
bool dp_hop_fill4(
	struct dp_lcore *lc, struct dp_hop *h, uint64_t key, const struct dp_if *out, uint32_t ip);
bool dp_hop_fill6(struct dp_lcore *lc, struct dp_hop *h, uint64_t key, const struct dp_if *out,
	const uint8_t ip[16]);
/** @} */

/**
 * Routers that routes lead to are known by the numbers of the next hops, in lc->routers: before a
 * number is another's there is another epoch. In their key is the interface, so that one look tells
 * that a router is known and that frames to it leave where those before them do.
 */
static inline uint64_t
dp_hop_router_key(const struct dp_lcore *lc, uint16_t out)
{
	return lc->hop_epoch + out;
}

/* By its serial number, which is never another's; another table begins another epoch. */
static inline struct dp_hop *
dp_hop_place(struct dp_lcore *lc, const struct fib_nh *nh, uint64_t *key)
{
	*key = lc->hop_epoch + nh->serial;
	return &lc->hops[nh->serial % RTE_DIM(lc->hops)];
}

/** What was found out of the next hop of a packet. */
struct dp_found {
	const struct dp_hop *hop; /**< NULL: it has no MAC, or there is none */
	const struct fib_nh *nh;  /**< of several the packet's */
};

/** A path of a route of IPv4. */
static inline const struct dp_hop *
dp_hop_of_gateway4(struct dp_lcore *lc, const struct fib_nh *nh)
{
	uint64_t key;
	struct dp_hop *h = dp_hop_place(lc, nh, &key);

	return likely(h->key == key) ||
			dp_hop_fill4(lc, h, key, &lc->dp->ifs[nh->if_index], nh->gateway)
		? h
		: NULL;
}

/** A path of a route of IPv6. */
static inline const struct dp_hop *
dp_hop_of_gateway6(struct dp_lcore *lc, const struct fib_nh *nh)
{
	uint64_t key;
	struct dp_hop *h = dp_hop_place(lc, nh, &key);

	return likely(h->key == key) ||
			dp_hop_fill6(lc, h, key, &lc->dp->ifs[nh->if_index], nh->gateway6)
		? h
		: NULL;
}

static inline const struct dp_hop *
dp_hop_of_ip4(struct dp_lcore *lc, const struct dp_if *out, uint32_t ip)
{
	uint64_t id = DP_HOP_ADDRESS | (uint64_t)out->index << 32 | ip, key = lc->hop_epoch + id;
	struct dp_hop *h = &lc->hops[id * UINT64_C(0x9e3779b97f4a7c15) >> (64 - DP_HOP_CACHE_BITS)];

	return likely(h->key == key) || dp_hop_fill4(lc, h, key, out, ip) ? h : NULL;
}

static inline const struct dp_hop *
dp_hop_of_ip6(struct dp_lcore *lc, const struct dp_if *out, const uint8_t ip[16])
{
	uint64_t key = lc->hop_epoch | (uint64_t)out->index << 32, hi, lo, mix;
	struct dp_hop6 *h;

	memcpy(&hi, ip, sizeof(hi));
	memcpy(&lo, ip + sizeof(hi), sizeof(lo));
	mix = (hi ^ out->index) * UINT64_C(0xc2b2ae3d27d4eb4f) + lo;
	h = &lc->hops6[mix * UINT64_C(0x9e3779b97f4a7c15) >> (64 - DP_HOP_CACHE_BITS)];
	if (likely(h->hop.key == key && h->hi == hi && h->lo == lo))
		return &h->hop;
	if (!dp_hop_fill6(lc, &h->hop, key, out, ip))
		return NULL;
	h->hi = hi;
	h->lo = lo;
	return &h->hop;
}

/* dp_path.c */
/** The path of a packet, headers in its first segment, by a route with several. */
const struct fib_nh *dp_path4(
	struct dp_lcore *lc, const struct rte_mbuf *m, const struct fib_nh *nh);
const struct fib_nh *dp_path6(
	struct dp_lcore *lc, const struct rte_mbuf *m, const struct fib_nh *nh);
/** The same for a packet of ours, by its destination. */
const struct fib_nh *dp_path_to(
	struct dp_lcore *lc, const struct fib_nh *nh, const uint8_t *dst, bool ip4);
/** Why there is no way out by a next hop that has none. */
enum dp_drop dp_no_path(const struct fib_nh *nh, bool ip4);
/** @name Tell the sender of it, if it is to be told (dp_icmp.c, dp_icmp6.c). @{ */
void dp_icmp_no_path(struct dp_lcore *lc, struct rte_mbuf *m, enum dp_drop why);
void dp_icmp6_no_path(struct dp_lcore *lc, struct rte_mbuf *m, enum dp_drop why);
/** @} */

/** Frames of a burst that leave by one interface, one after the other. */
struct dp_run {
	struct rte_mbuf **pkts; /**< the first */
	uint32_t bytes;
	uint16_t out;
};

/** The run ends before a frame. */
static inline void
dp_run_end(struct dp_lcore *lc, struct dp_run *r, struct rte_mbuf **before)
{
	if (before != r->pkts)
		dp_tx_forwarded(lc, r->out, r->pkts, (uint16_t)(before - r->pkts), r->bytes);
	r->bytes = 0;
}

/** Write the Ethernet addresses of a frame. */
static inline void
dp_hop_write(const struct dp_hop *h, uint8_t *frame)
{
	memcpy(frame, &h->l2_head, sizeof(h->l2_head));
	memcpy(frame + sizeof(h->l2_head), &h->l2_tail, sizeof(h->l2_tail));
}

/**
 * Write the headers of a packet that goes on.
 * @param ttl  NULL: it is of IPv6
 */
static __rte_always_inline void
dp_hop_pass(const struct dp_hop *h, uint8_t *frame, const uint32_t *ttl)
{
	if (ttl != NULL)
		dp_ttl_store(frame + WIRE_ETH_LEN, *ttl);
	else
		frame[WIRE_ETH_LEN + 7]--;
	dp_hop_write(h, frame);
}

/** A frame that goes on, after those of the run: in it, or the first of the next. */
static inline void
dp_run_pass(struct dp_lcore *lc, struct dp_run *r, struct rte_mbuf **at, const struct dp_hop *h,
	uint32_t need, const uint32_t *ttl)
{
	if (h->out != r->out) {
		dp_run_end(lc, r, at);
		r->pkts = at;
		r->out = h->out;
	}
	dp_hop_pass(h, rte_pktmbuf_mtod(*at, uint8_t *), ttl);
	r->bytes += need;
}

/** A frame that does not go on: the run ends before it, and the next begins behind it. */
static inline void
dp_run_skip(struct dp_lcore *lc, struct dp_run *r, struct rte_mbuf **at)
{
	dp_run_end(lc, r, at);
	r->pkts = at + 1;
}

/**
 * Write the headers of packets that go on to known routers by one interface, from packet i. Without
 * a call in it, all that it needs is in registers.
 * @param ttl  NULL: they are of IPv6. @return the first that is none of them
 */
static __rte_always_inline uint32_t
dp_run_write(const struct dp_lcore *lc, struct rte_mbuf *const *pkts, const uint32_t *numbers,
	const uint32_t *needs, const uint32_t *ttl, uint32_t i, uint32_t n, struct dp_run *run)
{
	const uint64_t key = dp_hop_router_key(lc, run->out);
	const struct dp_hop *routers = lc->routers;
	uint32_t bytes = run->bytes;

	for (; i < n; i++) {
		const struct dp_hop *hop = &routers[numbers[i]];
		uint8_t *frame = rte_pktmbuf_mtod(pkts[i], uint8_t *);
		uint32_t need = needs[i];

		if (unlikely(hop->key != key || need > hop->len_max))
			break;
		dp_hop_pass(hop, frame, ttl != NULL ? &ttl[i] : NULL);
		bytes += need;
	}
	run->bytes = bytes;
	return i;
}

/** Leave a packet to be forwarded to control, which sends it when its next hop is known. */
static inline void
dp_forward_later(struct dp_lcore *lc, struct rte_mbuf *m, const struct dp_if *out,
	const struct base_addr *next_hop)
{
	*dp_meta(m) =
		(struct dp_meta){.kind = DP_KIND_FORWARDED, .group = DP_NONE, .src_group = DP_NONE};
	dp_punt_resolve(lc, m, out, next_hop);
}

#endif
