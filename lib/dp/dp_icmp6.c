/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * ICMPv6: echo replies, and errors about packets that cannot be forwarded (RFC 4443). As with IPv4,
 * replies and errors get headers of their own.
 */
#include "dp_hop_priv.h"
#include "dp_host_priv.h"
#include "dp_probe_priv.h"

#define HOP_LIMIT     64
#define ERROR_TCLASS  0xc0 /* internetwork control, as the errors of IPv4 */
#define ERROR_LEN     1280 /* the whole error at most, RFC 4443 2.4 (c) */
#define EXTENSION_LEN 8	   /* a fragment header, and the unit of the others */

/*
 * The reply in place of the request. Its checksum is the request's, which was verified, less type
 * and code (RFC 1624); the addresses change places, which leaves the pseudo-header's sum as it is.
 */
static void
echo_reply_build(struct rte_mbuf *m, const struct wire_ip6 *req)
{
	uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, WIRE_ETH_LEN);
	uint8_t *icmp = ip + WIRE_IP6_LEN;
	struct wire_ip6 reply = {
		.tclass = req->tclass,
		.payload_len = req->payload_len,
		.next = WIRE_PROTO_ICMP6,
		.hop_limit = HOP_LIMIT,
	};
	uint32_t sum;

	memcpy(reply.src, req->dst, WIRE_IP6_ADDR_LEN);
	memcpy(reply.dst, req->src, WIRE_IP6_ADDR_LEN);
	sum = (uint16_t)~base_load_be16(icmp + 2);
	sum += (uint16_t)~base_load_be16(icmp);
	sum += (uint16_t)(WIRE_ICMP6_ECHO_REPLY << 8);
	sum = (sum & 0xffff) + (sum >> 16);
	icmp[0] = WIRE_ICMP6_ECHO_REPLY;
	icmp[1] = 0;
	base_store_be16(icmp + 2, (uint16_t) ~((sum & 0xffff) + (sum >> 16)));
	wire_ip6_encode(&reply, ip);
}

void
dp_echo6(struct dp_lcore *lc, struct rte_mbuf *m, uint16_t if_index, uint16_t group)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	bool vip = group < lc->dp->n_groups;
	uint16_t src_group = DP_NONE;
	enum dp_drop why = DP_DROP_COUNT;
	struct dp_route route;
	struct wire_ip6 ip;

	if (wire_ip6_decode(p + WIRE_ETH_LEN, (size_t)(m->pkt_len - WIRE_ETH_LEN), &ip) !=
			WIRE_IP6_OK ||
		ip.payload_len < WIRE_ICMP6_LEN)
		why = DP_DROP_ECHO_MALFORMED;
	else if (p[WIRE_ETH_LEN + WIRE_IP6_LEN] == WIRE_ICMP6_REDIRECT)
		why = DP_DROP_REDIRECT;
	else if (p[WIRE_ETH_LEN + WIRE_IP6_LEN] != WIRE_ICMP6_ECHO_REQUEST)
		why = DP_DROP_LOCAL;
	else if (!dp_packet_sum_ok(m, WIRE_ETH_LEN + WIRE_IP6_LEN, ip.payload_len,
			 wire_ip6_pseudo_sum(ip.src, ip.dst, ip.payload_len, WIRE_PROTO_ICMP6)))
		why = DP_DROP_ECHO_MALFORMED;
	else if (vip && !dp_group_answering(lc->dp, group))
		why = DP_DROP_NOT_MASTER; /* handing over: silent in the VIPs' name */
	else
		(void)dp_route_get6(lc, ip.src, &route, &why);
	if (why == DP_DROP_LOCAL) {
		if (!dp_probe_take(lc, m))
			dp_host_up(lc, m, if_index, group);
		return;
	}
	if (why != DP_DROP_COUNT) {
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

/* A header that another one follows. */
static bool
is_extension(uint8_t next)
{
	return next == WIRE_PROTO_HOPOPTS || next == WIRE_PROTO_ROUTING ||
		next == WIRE_PROTO_FRAGMENT || next == WIRE_PROTO_AH || next == WIRE_PROTO_DSTOPTS;
}

static uint32_t
extension_len(uint8_t type, const uint8_t *h)
{
	if (type == WIRE_PROTO_FRAGMENT)
		return EXTENSION_LEN;
	return type == WIRE_PROTO_AH ? (h[1] + UINT32_C(2)) * 4
				     : (h[1] + UINT32_C(1)) * EXTENSION_LEN;
}

/*
 * RFC 4443 2.4 (e): no error about an error or a redirect, nor to what is no single host. The
 * extension headers are gone through; where they lead out of what can be seen, or to a later
 * fragment of an ICMPv6 message, it might be one.
 */
static bool
error_is_allowed(const struct rte_mbuf *m, uint32_t ip_off, const uint8_t *ip)
{
	uint32_t off = ip_off + WIRE_IP6_LEN;
	uint8_t next = ip[6];
	const uint8_t *h;

	if (wire_ip6_is_multicast(ip + 8) || wire_ip6_is_unspecified(ip + 8))
		return false;
	for (;; off += extension_len(next, h), next = h[0]) {
		if (next == WIRE_PROTO_ICMP6)
			return m->data_len > off &&
				*rte_pktmbuf_mtod_offset(m, const uint8_t *, off) >=
				WIRE_ICMP6_INFORMATIONAL &&
				*rte_pktmbuf_mtod_offset(m, const uint8_t *, off) !=
				WIRE_ICMP6_REDIRECT;
		if (!is_extension(next))
			return true;
		if (m->data_len < off + EXTENSION_LEN)
			return false;
		h = rte_pktmbuf_mtod_offset(m, const uint8_t *, off);
		if (next == WIRE_PROTO_FRAGMENT && (base_load_be16(h + 2) & 0xfff8) != 0)
			return h[0] != WIRE_PROTO_ICMP6 && !is_extension(h[0]);
	}
}

/*
 * The address an error comes from: the interface's, else a VIP that we answer for on it, else none
 * (never a VIP unless MASTER). Within a link it is the link-local one.
 */
static const uint8_t *
error_source(const struct dp_lcore *lc, const struct dp_route *r, const uint8_t *dst,
	uint16_t *src_group)
{
	const struct dp_if_addrs *out = dp_addrs(lc, r->out);
	const struct dp_group *groups = lc->roster->groups;

	*src_group = DP_NONE;
	if (wire_ip6_is_link_local(dst))
		return out->has_link_local ? out->link_local : NULL;
	if (out->has_own6)
		return out->own6;
	for (uint16_t g = out->first_group; g != DP_NONE; g = groups[g].next_in_if) {
		if (groups[g].has_ip6 && dp_group_owned(lc, g) && dp_group_answering(lc->dp, g)) {
			*src_group = g;
			return groups[g].ip6;
		}
	}
	return NULL;
}

static enum dp_error
cause_of(uint8_t type)
{
	if (type == WIRE_ICMP6_TIME_EXCEEDED)
		return DP_ERROR_EXCEEDED;
	if (type == WIRE_ICMP6_PARAMETER)
		return DP_ERROR_HEADER;
	return type == WIRE_ICMP6_TOO_BIG ? DP_ERROR_TOO_BIG : DP_ERROR_UNREACHABLE;
}

void
dp_icmp6_error(struct dp_lcore *lc, struct rte_mbuf *m, uint32_t ip_off, uint8_t type, uint8_t code,
	uint32_t rest)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, ip_off), *src = NULL;
	uint32_t quoted =
		RTE_MIN(m->pkt_len - ip_off, (uint32_t)(ERROR_LEN - WIRE_IP6_LEN - WIRE_ICMP6_LEN));
	struct wire_icmp6 icmp = {.type = type, .code = code, .rest = rest};
	struct wire_ip6 head = {
		.tclass = ERROR_TCLASS,
		.payload_len = (uint16_t)(WIRE_ICMP6_LEN + quoted),
		.next = WIRE_PROTO_ICMP6,
		.hop_limit = HOP_LIMIT,
	};
	struct dp_route route;
	uint16_t src_group = DP_NONE;
	struct rte_mbuf *e;
	const void *from;
	enum dp_drop why;
	uint8_t *p;

	memcpy(head.dst, ip + 8, WIRE_IP6_ADDR_LEN);
	if (error_is_allowed(m, ip_off, ip) && dp_route_get6(lc, head.dst, &route, &why))
		src = error_source(lc, &route, head.dst, &src_group);
	if (!dp_error_allowed(lc, lc->icmp6, cause_of(type), src != NULL))
		return;
	memcpy(head.src, src, WIRE_IP6_ADDR_LEN);
	e = rte_pktmbuf_alloc(lc->dp->pool);
	p = e != NULL ? (uint8_t *)rte_pktmbuf_append(
				e, (uint16_t)(WIRE_ETH_LEN + WIRE_IP6_LEN + head.payload_len))
		      : NULL;
	if (p == NULL) {
		dp_drop(lc, e, DP_DROP_NO_MBUF);
		return;
	}
	wire_ip6_encode(&head, p + WIRE_ETH_LEN);
	p += WIRE_ETH_LEN + WIRE_IP6_LEN;
	/* Copied from however many segments the packet has; in place when it has one. */
	from = rte_pktmbuf_read(m, ip_off, quoted, p + WIRE_ICMP6_LEN);
	if (from != p + WIRE_ICMP6_LEN)
		memcpy(p + WIRE_ICMP6_LEN, from, quoted);
	wire_icmp6_encode(&icmp, head.src, head.dst, p + WIRE_ICMP6_LEN, quoted, p);
	dp_count(&lc->c.icmp_errors, 1);
	dp_originate(lc, e, &route, src_group);
}

void
dp_icmp6_no_path(struct dp_lcore *lc, struct rte_mbuf *m, enum dp_drop why)
{
	if (why != DP_DROP_BLACKHOLE && why != DP_DROP_SUBNET_ANYCAST)
		dp_icmp6_error(lc, m, WIRE_ETH_LEN, WIRE_ICMP6_UNREACHABLE,
			why == DP_DROP_ROUTE_PROHIBIT ? WIRE_ICMP6_UNREACH_ADMIN
						      : WIRE_ICMP6_UNREACH_ROUTE,
			0);
}
