/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * What only some packets of IPv4 have: options, and more bytes than their way out takes.
 */
#include "dp_priv.h"

#define OPTION_END  0
#define OPTION_NOP  1
#define OPTION_LSRR 131
#define OPTION_SSRR 137
#define OPTION_COPY 0x80 /* in the type: goes into each fragment */

/*
 * A packet whose sender chose the route is refused (RFC 7126 4.3, 4.4). What else there is passes
 * as it is, a router alert, a route to be recorded and times to be stamped included, once it is
 * known where each option ends.
 * @param at  where the header is wrong, when it is
 */
static enum dp_drop
options_check(const uint8_t *ip, uint32_t *at)
{
	uint32_t len = (uint32_t)(ip[0] & 0x0f) * 4, o = WIRE_IP4_LEN;

	while (o < len && ip[o] != OPTION_END) {
		if (ip[o] == OPTION_LSRR || ip[o] == OPTION_SSRR)
			return DP_DROP_IP4_SOURCE_ROUTE;
		if (ip[o] == OPTION_NOP) {
			o++;
			continue;
		}
		*at = o;
		if (o + 1 == len)
			return DP_DROP_IP4_OPTIONS;
		(*at)++;
		if (ip[o + 1] < 2 || ip[o + 1] > len - o)
			return DP_DROP_IP4_OPTIONS;
		o += ip[o + 1];
	}
	return DP_DROP_COUNT;
}

/* RFC 1122 3.2.2: of a packet to several hosts nobody is told. */
static bool
is_to_one_host(const struct dp_lcore *lc, uint32_t dst)
{
	const struct fib_nh *nh;

	if (lc->fib == NULL || !dp_ip4_is_unicast(dst))
		return false;
	fib_lookup(lc->fib, &dst, &nh, 1);
	return nh->type != FIB_NH_DROP;
}

bool
dp_ip4_options(struct dp_lcore *lc, struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN);
	uint32_t at = 0;
	enum dp_drop why = options_check(ip, &at);

	if (why == DP_DROP_COUNT)
		return true;
	if (why == DP_DROP_IP4_OPTIONS && is_to_one_host(lc, base_load_be32(ip + 16)))
		dp_icmp_error(lc, m, WIRE_ETH_LEN, WIRE_ICMP_PARAMETER, 0, at << 24);
	dp_drop(lc, m, why);
	return false;
}

/* A header with its options. */
struct header {
	uint8_t b[60];
	uint32_t len;
};

/* The header of the other fragments, without the options that only the first one has. */
static void
header_of_rest(const uint8_t *ip, struct header *h)
{
	uint32_t len = (uint32_t)(ip[0] & 0x0f) * 4, o = WIRE_IP4_LEN;

	memcpy(h->b, ip, WIRE_IP4_LEN);
	h->len = WIRE_IP4_LEN;
	while (o < len && ip[o] != OPTION_END) {
		uint32_t n = ip[o] == OPTION_NOP ? 1 : ip[o + 1];

		if (ip[o] & OPTION_COPY) {
			memcpy(h->b + h->len, ip + o, n);
			h->len += n;
		}
		o += n;
	}
	while (h->len % 4 != 0)
		h->b[h->len++] = OPTION_END;
	h->b[0] = (uint8_t)(0x40 | h->len / 4);
}

/* One fragment: its header, and n bytes of m from off. */
static struct rte_mbuf *
fragment_make(struct dp_lcore *lc, const struct rte_mbuf *m, const struct header *h, uint32_t off,
	uint32_t n, uint16_t frag)
{
	struct rte_mbuf *f = rte_pktmbuf_alloc(lc->dp->pool);
	const void *from;
	uint8_t *ip, *p;

	if (f == NULL)
		return NULL;
	p = (uint8_t *)rte_pktmbuf_append(f, (uint16_t)(WIRE_ETH_LEN + h->len + n));
	if (p == NULL) {
		rte_pktmbuf_free(f);
		return NULL;
	}
	ip = p + WIRE_ETH_LEN;
	memcpy(p, rte_pktmbuf_mtod(m, const uint8_t *), WIRE_ETH_LEN);
	memcpy(ip, h->b, h->len);
	base_store_be16(ip + 2, (uint16_t)(h->len + n));
	base_store_be16(ip + 6, frag);
	base_store_be16(ip + 10, 0);
	base_store_be16(ip + 10, wire_sum_fold(wire_sum(ip, h->len, 0)));
	/* Copied from however many segments the packet has; in place when it has one. */
	from = rte_pktmbuf_read(m, off, n, ip + h->len);
	if (from != ip + h->len)
		memcpy(ip + h->len, from, n);
	return f;
}

uint32_t
dp_fragment(struct dp_lcore *lc, struct rte_mbuf *m, uint16_t mtu,
	struct rte_mbuf *out[DP_FRAGMENTS_MAX])
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN);
	uint32_t header_len = (uint32_t)(ip[0] & 0x0f) * 4, off = WIRE_ETH_LEN + header_len;
	uint32_t room = (uint32_t)rte_pktmbuf_data_room_size(lc->dp->pool) - RTE_PKTMBUF_HEADROOM -
		WIRE_ETH_LEN;
	uint16_t frag = base_load_be16(ip + 6), mf = frag & WIRE_IP4_MF;
	uint32_t at = frag & WIRE_IP4_OFFSET, left = m->pkt_len - off, n = 0;
	enum dp_drop why = DP_DROP_TOO_BIG;
	struct header h = {.len = header_len};

	room = RTE_MIN(room, (uint32_t)mtu);
	memcpy(h.b, ip, header_len);
	/* The last byte of a packet of 65,535 has the last offset. */
	while (left != 0 && n < DP_FRAGMENTS_MAX && at + left / 8 <= WIRE_IP4_OFFSET) {
		uint32_t take = RTE_MIN(left, room - h.len);

		if (take < left)
			take -= take % 8;
		out[n] = fragment_make(
			lc, m, &h, off, take, (uint16_t)(at | (take < left ? WIRE_IP4_MF : mf)));
		if (out[n] == NULL) {
			why = DP_DROP_NO_MBUF;
			break;
		}
		if (n++ == 0)
			header_of_rest(ip, &h);
		at += take / 8;
		off += take;
		left -= take;
	}
	if (left != 0) {
		rte_pktmbuf_free_bulk(out, n);
		dp_drop(lc, m, why);
		return 0;
	}
	dp_count(&lc->c.fragmented, 1);
	dp_count(&lc->c.fragments, n);
	rte_pktmbuf_free(m);
	return n;
}
