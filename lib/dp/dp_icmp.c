/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * ICMP: echo replies, and errors about packets that cannot be forwarded (RFC 792, 1122 3.2.2, 1812
 * 4.3). Replies and errors get headers of their own; nothing of the request's headers is sent back
 * but what is copied here by name.
 */
#include "dp_hop_priv.h"
#include "dp_host_priv.h"
#include "dp_probe_priv.h"

#include <rte_byteorder.h>

#define ICMP_TTL	64
#define ICMP_ERROR_TOS	0xc0 /* internetwork control, RFC 1812 4.3.2.5 */
#define ICMP_ERROR_LEN	576  /* the whole error at most, RFC 1812 4.3.2.3 */
#define ICMP_SRC_QUENCH 4
#define BUCKET_BURST	50

void
dp_bucket_init(struct dp_bucket *b, uint32_t per_s)
{
	if (per_s == 0)
		per_s = 100;
	b->cost = BASE_NS_PER_S / per_s;
	b->burst = b->cost * (RTE_MIN(per_s, (uint32_t)BUCKET_BURST) - 1);
	b->next = 0;
}

bool
dp_bucket_take(struct dp_bucket *b, base_ns_t now)
{
	if (b->next > base_ns_add(now, b->burst))
		return false;
	b->next = RTE_MAX(b->next, now) + b->cost;
	return true;
}

/*
 * The reply in place of the request: payload stays where it is, the headers before it are written
 * anew. Its checksum is the request's, which was verified, less the type (RFC 1624).
 */
static void
echo_reply_build(struct rte_mbuf *m, const struct wire_ip4 *req)
{
	uint8_t *ip = rte_pktmbuf_mtod_offset(
		m, uint8_t *, WIRE_ETH_LEN + req->header_len - WIRE_IP4_LEN);
	uint8_t *icmp = ip + WIRE_IP4_LEN;
	uint32_t rest = base_load_be32(icmp + 4), sum;
	struct wire_ip4 reply = {
		.header_len = WIRE_IP4_LEN,
		.tos = req->tos,
		.total_len = (uint16_t)(req->total_len - req->header_len + WIRE_IP4_LEN),
		.id = req->id,
		.frag = req->frag & WIRE_IP4_DF,
		.ttl = ICMP_TTL,
		.proto = WIRE_PROTO_ICMP,
		.src = req->dst,
		.dst = req->src,
	};

	sum = (uint16_t)~base_load_be16(icmp + 2);
	sum += (uint16_t)~base_load_be16(icmp); /* type and code, both 0 in the reply */
	sum = (sum & 0xffff) + (sum >> 16);
	wire_ip4_encode(&reply, ip);
	icmp[0] = WIRE_ICMP_ECHO_REPLY;
	icmp[1] = 0;
	base_store_be16(icmp + 2, (uint16_t) ~((sum & 0xffff) + (sum >> 16)));
	base_store_be32(icmp + 4, rest);
	rte_pktmbuf_adj(m, (uint16_t)(req->header_len - WIRE_IP4_LEN));
}

/*
 * Not rte_raw_cksum_mbuf(): in 22.11 it cuts the sum of a segment to 16 bits when that begins at an
 * odd place.
 */
bool
dp_packet_sum_ok(const struct rte_mbuf *m, uint32_t off, uint32_t len, uint32_t sum)
{
	uint32_t done = 0;

	for (; m != NULL && done < len; m = m->next) {
		uint32_t n = m->data_len > off ? RTE_MIN(m->data_len - off, len - done) : 0;
		uint16_t part;

		if (n == 0) {
			off -= m->data_len;
			continue;
		}
		part = (uint16_t)~wire_sum_fold(
			wire_sum(rte_pktmbuf_mtod_offset(m, const uint8_t *, off), n, 0));
		sum += done % 2 == 0 ? part : rte_bswap16(part);
		done += n;
		off = 0;
	}
	return done == len && wire_sum_fold(sum) == 0;
}

/* A whole ICMP message that verifies. */
static bool
icmp_ok(const struct rte_mbuf *m, const struct wire_ip4 *ip)
{
	uint32_t len = (uint32_t)(ip->total_len - ip->header_len);

	return len >= WIRE_ICMP_LEN &&
		dp_packet_sum_ok(m, WIRE_ETH_LEN + (uint32_t)ip->header_len, len, 0);
}

/* Part of an ICMP message to us: only the kernel puts such together. */
static void
fragment_handle(struct dp_lcore *lc, struct rte_mbuf *m, const struct wire_ip4 *ip,
	uint16_t if_index, uint16_t group)
{
	const uint8_t *icmp = rte_pktmbuf_mtod_offset(
		m, const uint8_t *, WIRE_ETH_LEN + (uint32_t)ip->header_len);

	if (!lc->dp->ifs[if_index].host)
		dp_drop(lc, m, DP_DROP_ECHO_MALFORMED);
	else if ((ip->frag & WIRE_IP4_OFFSET) == 0 && ip->total_len > ip->header_len &&
		icmp[0] == WIRE_ICMP_REDIRECT)
		dp_drop(lc, m, DP_DROP_REDIRECT);
	else
		dp_host_up(lc, m, if_index, group);
}

void
dp_echo(struct dp_lcore *lc, struct rte_mbuf *m, uint16_t if_index, uint16_t group)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	bool vip = group < lc->dp->n_groups;
	uint16_t src_group = DP_NONE;
	struct dp_route route;
	struct wire_ip4 ip;
	enum dp_drop why;

	if (wire_ip4_decode(p + WIRE_ETH_LEN, (size_t)(m->pkt_len - WIRE_ETH_LEN), &ip) !=
		WIRE_IP4_OK) {
		dp_drop(lc, m, DP_DROP_ECHO_MALFORMED);
		return;
	}
	if ((ip.frag & (WIRE_IP4_MF | WIRE_IP4_OFFSET)) != 0) {
		fragment_handle(lc, m, &ip, if_index, group);
		return;
	}
	if (!icmp_ok(m, &ip)) {
		dp_drop(lc, m, DP_DROP_ECHO_MALFORMED);
		return;
	}
	if (p[WIRE_ETH_LEN + ip.header_len] != WIRE_ICMP_ECHO_REQUEST) {
		if (p[WIRE_ETH_LEN + ip.header_len] == WIRE_ICMP_REDIRECT)
			dp_drop(lc, m, DP_DROP_REDIRECT);
		else if (!dp_probe_take(lc, m))
			dp_host_up(lc, m, if_index, group);
		return;
	}
	/* Handing over: still forwarding, but silent in the VIPs' name. */
	if (vip && !dp_group_answering(lc->dp, group)) {
		dp_drop(lc, m, DP_DROP_NOT_MASTER);
		return;
	}
	if (!dp_route_get(lc, ip.src, &route, &why)) {
		dp_drop(lc, m, why);
		return;
	}
	/* On another segment the group's vMAC would be another group's address. */
	if (vip && route.out->index == if_index)
		src_group = group;
	echo_reply_build(m, &ip);
	dp_count(&lc->c.echo_replies, 1);
	dp_originate(lc, m, &route, src_group);
}

/* RFC 1122 3.2.2: what an error must not be sent about. */
static bool
error_is_allowed(const struct rte_mbuf *m, uint32_t ip_off, const uint8_t *ip)
{
	uint32_t header_len = (uint32_t)(ip[0] & 0x0f) * 4;
	uint8_t type;

	if ((base_load_be16(ip + 6) & WIRE_IP4_OFFSET) != 0 ||
		!dp_ip4_is_unicast(base_load_be32(ip + 12)))
		return false;
	if (ip[9] != WIRE_PROTO_ICMP)
		return true;
	if (m->data_len <= ip_off + header_len)
		return false;
	type = ip[header_len];
	return type != WIRE_ICMP_UNREACHABLE && type != ICMP_SRC_QUENCH &&
		type != WIRE_ICMP_REDIRECT && type != WIRE_ICMP_TIME_EXCEEDED &&
		type != WIRE_ICMP_PARAMETER;
}

/*
 * Who has no address of its own to speak of (RFC 7600 4.8): to the kernel, which would take no
 * packet that comes from outside with an address of its own as source.
 */
#define DUMMY_IP4 UINT32_C(0xc0000008)

/*
 * The address an error comes from: the interface's, else a VIP that we answer for on it, else none
 * (never a VIP unless MASTER).
 */
static uint32_t
error_source(const struct dp_lcore *lc, const struct dp_route *r, uint16_t *src_group)
{
	const struct dp_if_addrs *out = dp_addrs(lc, r->out);
	const struct dp_group *groups = lc->roster->groups;

	*src_group = DP_NONE;
	if (r->host)
		return DUMMY_IP4;
	if (out->ip4 != 0)
		return out->ip4;
	for (uint16_t g = out->first_group; g != DP_NONE; g = groups[g].next_in_if) {
		if (groups[g].ip4 != 0 && dp_group_owned(lc, g) && dp_group_answering(lc->dp, g)) {
			*src_group = g;
			return groups[g].ip4;
		}
	}
	return 0;
}

bool
dp_error_allowed(struct dp_lcore *lc, struct dp_bucket *rates, enum dp_error cause, bool possible)
{
	if (!possible)
		dp_count(&lc->c.icmp_withheld, 1);
	else if (dp_bucket_take(&rates[cause], lc->now))
		return true;
	else
		dp_count(&lc->c.icmp_limited, 1);
	return false;
}

static enum dp_error
cause_of(uint8_t type, uint8_t code)
{
	if (type == WIRE_ICMP_TIME_EXCEEDED)
		return DP_ERROR_EXCEEDED;
	if (type == WIRE_ICMP_PARAMETER)
		return DP_ERROR_HEADER;
	return code == WIRE_ICMP_UNREACH_FRAG ? DP_ERROR_TOO_BIG : DP_ERROR_UNREACHABLE;
}

void
dp_icmp_error(struct dp_lcore *lc, struct rte_mbuf *m, uint32_t ip_off, uint8_t type, uint8_t code,
	uint32_t rest)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, ip_off);
	uint32_t quoted = RTE_MIN(
		m->pkt_len - ip_off, (uint32_t)(ICMP_ERROR_LEN - WIRE_IP4_LEN - WIRE_ICMP_LEN));
	struct wire_icmp icmp = {.type = type, .code = code, .rest = rest};
	struct wire_ip4 head = {
		.header_len = WIRE_IP4_LEN,
		.tos = ICMP_ERROR_TOS,
		.total_len = (uint16_t)(WIRE_IP4_LEN + WIRE_ICMP_LEN + quoted),
		.frag = WIRE_IP4_DF,
		.ttl = ICMP_TTL,
		.proto = WIRE_PROTO_ICMP,
		.dst = base_load_be32(ip + 12),
	};
	struct dp_route route;
	uint16_t src_group = DP_NONE;
	struct rte_mbuf *e;
	const void *from;
	enum dp_drop why;
	uint8_t *p;

	if (error_is_allowed(m, ip_off, ip) && dp_route_get(lc, head.dst, &route, &why))
		head.src = error_source(lc, &route, &src_group);
	if (!dp_error_allowed(lc, lc->icmp, cause_of(type, code), head.src != 0))
		return;
	e = rte_pktmbuf_alloc(lc->dp->pool);
	p = e != NULL ? (uint8_t *)rte_pktmbuf_append(e, (uint16_t)(WIRE_ETH_LEN + head.total_len))
		      : NULL;
	if (p == NULL) {
		dp_drop(lc, e, DP_DROP_NO_MBUF);
		return;
	}
	wire_ip4_encode(&head, p + WIRE_ETH_LEN);
	p += WIRE_ETH_LEN + WIRE_IP4_LEN;
	/* Copied from however many segments the packet has; in place when it has one. */
	from = rte_pktmbuf_read(m, ip_off, quoted, p + WIRE_ICMP_LEN);
	if (from != p + WIRE_ICMP_LEN)
		memcpy(p + WIRE_ICMP_LEN, from, quoted);
	wire_icmp_encode(&icmp, p + WIRE_ICMP_LEN, quoted, p);
	dp_count(&lc->c.icmp_errors, 1);
	dp_originate(lc, e, &route, src_group);
}

void
dp_icmp_no_path(struct dp_lcore *lc, struct rte_mbuf *m, enum dp_drop why)
{
	if (why != DP_DROP_BLACKHOLE && why != DP_DROP_SUBNET_BROADCAST)
		dp_icmp_error(lc, m, WIRE_ETH_LEN, WIRE_ICMP_UNREACHABLE,
			why == DP_DROP_ROUTE_UNREACHABLE	? WIRE_ICMP_UNREACH_HOST
				: why == DP_DROP_ROUTE_PROHIBIT ? WIRE_ICMP_UNREACH_ADMIN
								: WIRE_ICMP_UNREACH_NET,
			0);
}
