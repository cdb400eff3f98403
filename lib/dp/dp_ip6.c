/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Classification of IPv6, as far as it is not plain, and what is to this box: adverts, neighbour
 * discovery and MLD queries for the control lcore, echo. A link-local address is one of the
 * interface that a packet came by; all others are found by the route table, whatever the interface.
 */
#include "dp_host_priv.h"
#include "dp_priv.h"

#include <stdlib.h>

#define ND_HOP_LIMIT  255
#define ND_OFF_TARGET 8
#define MLD_HOP_LIMIT 1
#define MLD_LEN	      24 /* a query of version 1; one of 2 is longer */
#define MLD_QUERY     130
#define OPTIONS_LEN   8 /* shortest hop-by-hop header */

/* By address; of a VIP of several groups the first one comes first, an own address last. */
static int
ip6_compare(const void *pa, const void *pb)
{
	const struct dp_ip6 *a = pa, *b = pb;

	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	return (a->group > b->group) - (a->group < b->group);
}

static uint32_t
ip6_add(struct dp_ip6 *table, uint32_t n, const uint8_t (*ips)[16], uint16_t n_ips, uint16_t group)
{
	for (uint16_t i = 0; i < n_ips; i++)
		table[n++] = (struct dp_ip6){
			.hi = base_load_be64(ips[i]),
			.lo = base_load_be64(ips[i] + 8),
			.group = group,
		};
	return n;
}

void
dp_ip6_fill(struct dp_roster *r, const struct dp *dp, const struct dp_if_config *ifs,
	const struct dp_group_config *groups, uint16_t n_groups)
{
	struct dp_ip6 *table = r->ip6;

	for (uint16_t i = 0; i < dp->n_ifs; i++) {
		uint32_t n = ip6_add(table, 0, ifs[i].ip6, ifs[i].n_ip6, DP_NONE), kept = 0;

		for (uint16_t g = 0; g < n_groups; g++)
			if (groups[g].if_index == i)
				n = ip6_add(table, n, groups[g].ip6, groups[g].n_ip6, g);
		qsort(table, n, sizeof(*table), ip6_compare);
		for (uint32_t k = 0; k < n; k++)
			if (kept == 0 || table[kept - 1].hi != table[k].hi ||
				table[kept - 1].lo != table[k].lo)
				table[kept++] = table[k];
		r->ifs[i].ip6 = table;
		r->ifs[i].n_ip6 = kept;
		table += kept;
	}
}

const struct dp_ip6 *
dp_ip6_find(const struct dp_if_addrs *in, const uint8_t *ip)
{
	const struct dp_ip6 *from = in->ip6;
	uint64_t hi = base_load_be64(ip), lo = base_load_be64(ip + 8);
	uint32_t n = in->n_ip6;

	while (n != 0) {
		const struct dp_ip6 *e = from + n / 2;

		if (e->hi == hi && e->lo == lo)
			return e;
		if (e->hi < hi || (e->hi == hi && e->lo < lo)) {
			from = e + 1;
			n -= n / 2 + 1;
		} else {
			n /= 2;
		}
	}
	return NULL;
}

/*
 * RFC 4291 2.7, 2.5.3, 2.5.5.2. The unspecified address is a source of multicast only: of DAD
 * probes, of reports and solicitations, and of adverts (a box without an address).
 */
static bool
source_ok(const struct wire_ip6 *ip)
{
	uint64_t hi = base_load_be64(ip->src), lo = base_load_be64(ip->src + 8);

	if (wire_ip6_is_multicast(ip->src))
		return false;
	if (hi != 0)
		return true;
	if (lo == 0)
		return wire_ip6_is_multicast(ip->dst);
	return lo != 1 && lo >> 32 != 0xffff;
}

/* What follows the IPv6 header, and a hop-by-hop header if there is one. */
struct upper {
	const uint8_t *p;
	uint32_t len; /* bytes of it, all of them in the packet */
	uint8_t proto;
	bool options; /* it comes after a hop-by-hop header */
};

static bool
upper_find(const struct rte_mbuf *m, const uint8_t *ip6, const struct wire_ip6 *ip, struct upper *u)
{
	uint32_t skip;

	*u = (struct upper){.p = ip6 + WIRE_IP6_LEN, .len = ip->payload_len, .proto = ip->next};
	if (ip->next != WIRE_PROTO_HOPOPTS)
		return true;
	if (u->len < OPTIONS_LEN || m->data_len < WIRE_ETH_LEN + WIRE_IP6_LEN + OPTIONS_LEN)
		return false;
	skip = ((uint32_t)u->p[1] + 1) * OPTIONS_LEN;
	if (skip > u->len)
		return false;
	u->proto = u->p[0];
	u->options = true;
	u->p += skip;
	u->len -= skip;
	return true;
}

/* That many bytes of it are there, and in the first segment. */
static bool
upper_has(const struct rte_mbuf *m, const struct upper *u, uint32_t n)
{
	return u->len >= n && u->p + n <= rte_pktmbuf_mtod_offset(m, const uint8_t *, m->data_len);
}

static void
advert_classify(
	struct dp_lcore *lc, struct rte_mbuf *m, const struct wire_ip6 *ip, const struct upper *u)
{
	if (!upper_has(m, u, 2))
		dp_drop(lc, m, DP_DROP_CARP_MALFORMED);
	else
		dp_punt_advert(lc, m, u->p[1], dp_known_ip6(lc->dp, ip->src));
}

/* A solicitation or advertisement: what it says is for control to judge. */
static void
nd_classify(
	struct dp_lcore *lc, struct rte_mbuf *m, const struct wire_ip6 *ip, const struct upper *u)
{
	const struct dp_ip6 *e;

	if (!upper_has(m, u, WIRE_ND_LEN) || ip->hop_limit != ND_HOP_LIMIT) {
		dp_drop(lc, m, DP_DROP_ND_MALFORMED);
		return;
	}
	if (u->p[0] == WIRE_ICMP6_NA && (*rte_pktmbuf_mtod(m, const uint8_t *) & 1) == 0 &&
		lc->nbr != NULL && fib_nbr_has6(lc->nbr, lc->in->index, u->p + ND_OFF_TARGET)) {
		dp_punt_answer(lc, m);
		return;
	}
	e = dp_ip6_find(dp_addrs(lc, lc->in), u->p + ND_OFF_TARGET);
	if (e != NULL && e->group != DP_NONE)
		dp_punt_group_arp(lc, m, e->group);
	else
		dp_punt_if_arp(lc, m);
}

/* Router discovery; the head of a solicitation is the shortest. */
static void
rd_classify(
	struct dp_lcore *lc, struct rte_mbuf *m, const struct wire_ip6 *ip, const struct upper *u)
{
	if (!upper_has(m, u, WIRE_ICMP6_LEN) || ip->hop_limit != ND_HOP_LIMIT)
		dp_drop(lc, m, DP_DROP_ND_MALFORMED);
	else
		dp_punt_if_arp(lc, m);
}

/* ICMPv6 that control handles, to whatever address of ours; false when it is something else. */
static bool
icmp6_punt(
	struct dp_lcore *lc, struct rte_mbuf *m, const struct wire_ip6 *ip, const struct upper *u)
{
	if (u->proto != WIRE_PROTO_ICMP6 || !upper_has(m, u, 1))
		return false;
	if (!u->options && (u->p[0] == WIRE_ICMP6_NS || u->p[0] == WIRE_ICMP6_NA)) {
		nd_classify(lc, m, ip, u);
		return true;
	}
	if (!u->options && (u->p[0] == WIRE_ICMP6_RS || u->p[0] == WIRE_ICMP6_RA)) {
		rd_classify(lc, m, ip, u);
		return true;
	}
	if (u->p[0] == MLD_QUERY && ip->hop_limit == MLD_HOP_LIMIT && upper_has(m, u, MLD_LEN)) {
		dp_punt_if_arp(lc, m);
		return true;
	}
	return false;
}

static void
multicast_classify(
	struct dp_lcore *lc, struct rte_mbuf *m, const struct wire_ip6 *ip, const struct upper *u)
{
	if (u->proto == WIRE_PROTO_CARP && !u->options &&
		memcmp(ip->dst, wire_carp_group_ip6, WIRE_IP6_ADDR_LEN) == 0)
		advert_classify(lc, m, ip, u);
	else if (!icmp6_punt(lc, m, ip, u) &&
		(dp_sender_own6(lc, rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN)) ||
			!dp_host_up_group6(lc, m, ip->dst)))
		dp_drop(lc, m, DP_DROP_IP6_UNHANDLED);
}

/*
 * Where a routing header of a packet to us has its type, counted from the IPv6 header, when the
 * header would have it sent on (RFC 5095 3, RFC 8200 4.4); else 0.
 */
static uint32_t
routing_find(const struct rte_mbuf *m, const uint8_t *ip6, const struct wire_ip6 *ip)
{
	uint32_t off = WIRE_IP6_LEN, seen = m->data_len - (uint32_t)WIRE_ETH_LEN;
	uint8_t next = ip->next;

	while ((next == WIRE_PROTO_HOPOPTS || next == WIRE_PROTO_DSTOPTS) &&
		off + OPTIONS_LEN <= seen) {
		next = ip6[off];
		off += (ip6[off + 1] + UINT32_C(1)) * OPTIONS_LEN;
	}
	return next == WIRE_PROTO_ROUTING && off + OPTIONS_LEN <= seen && ip6[off + 3] != 0
		? off + 2
		: 0;
}

void
dp_ip6_local(struct dp_lcore *lc, struct rte_mbuf *m, uint16_t if_index, uint16_t group)
{
	const uint8_t *ip6 = rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN);
	bool vip = group < lc->dp->n_groups;
	struct wire_ip6 ip;
	struct upper u;
	uint32_t routing;

	/* The length was proven when it was classified. */
	(void)wire_ip6_decode(ip6, (size_t)(m->pkt_len - WIRE_ETH_LEN), &ip);
	if (!upper_find(m, ip6, &ip, &u)) {
		dp_drop(lc, m, DP_DROP_IP6_TRUNCATED);
		return;
	}
	if (icmp6_punt(lc, m, &ip, &u))
		return;
	routing = routing_find(m, ip6, &ip);
	if (vip && !dp_group_owned(lc, group)) {
		dp_drop(lc, m, DP_DROP_NOT_MASTER);
	} else if (routing != 0) {
		dp_icmp6_error(lc, m, WIRE_ETH_LEN, WIRE_ICMP6_PARAMETER, 0, routing);
		dp_drop(lc, m, DP_DROP_IP6_ROUTING);
	} else if (u.proto == WIRE_PROTO_CARP && !u.options && !vip && if_index == lc->in->index) {
		advert_classify(lc, m, &ip, &u); /* a unicast peer's (note 1.3) */
	} else if (u.proto == WIRE_PROTO_ICMP6 && !u.options) {
		dp_echo6(lc, m, if_index, group);
	} else {
		dp_host_up(lc, m, if_index, group);
	}
}

/* Whether an address is ours; own: no VIP, and of this interface. */
static bool
is_local(const struct dp_lcore *lc, const uint8_t *ip, bool own)
{
	const struct fib_nh *nh;
	const struct dp_ip6 *e;

	if (wire_ip6_is_link_local(ip)) {
		e = dp_ip6_find(dp_addrs(lc, lc->in), ip);
		return e != NULL && (!own || e->group == DP_NONE);
	}
	if (lc->fib == NULL)
		return false;
	fib_lookup6(lc->fib, (const uint8_t(*)[16])(uintptr_t)ip, &nh, 1);
	return nh->type == FIB_NH_LOCAL &&
		(!own || (nh->group >= lc->dp->n_groups && nh->if_index == lc->in->index));
}

/*
 * What is to us, and may be about an address of ours, so that control has to see it: adverts, NS,
 * NA.
 */
static bool
is_for_control(const struct dp_lcore *lc, const struct rte_mbuf *m, const struct wire_ip6 *ip)
{
	const uint8_t *icmp =
		rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN + WIRE_IP6_LEN);

	if (ip->next == WIRE_PROTO_CARP)
		return is_local(lc, ip->dst, true);
	return ip->next == WIRE_PROTO_ICMP6 && ip->hop_limit == ND_HOP_LIMIT &&
		m->data_len > WIRE_ETH_LEN + WIRE_IP6_LEN &&
		(icmp[0] == WIRE_ICMP6_NS || icmp[0] == WIRE_ICMP6_NA) &&
		is_local(lc, ip->dst, false);
}

/* A packet to one host. */
static void
unicast_classify(struct dp_lcore *lc, struct rte_mbuf *m, const struct wire_ip6 *ip)
{
	const struct dp_ip6 *e;

	dp_frame_trim(m, WIRE_ETH_LEN + WIRE_IP6_LEN + (uint32_t)ip->payload_len);
	if (base_load_be64(ip->dst) == 0) {
		dp_drop(lc, m, DP_DROP_IP6_DESTINATION);
	} else if (dp_sender_own6(lc, rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN)) &&
		!is_for_control(lc, m, ip)) {
		dp_drop(lc, m, DP_DROP_OWN_SOURCE);
	} else if (!wire_ip6_is_link_local(ip->dst)) {
		dp_ip6_keep(lc, m);
	} else {
		e = dp_ip6_find(dp_addrs(lc, lc->in), ip->dst);
		if (e != NULL)
			dp_ip6_local(lc, m, lc->in->index, e->group);
		else
			dp_drop(lc, m, DP_DROP_IP6_SCOPE);
	}
}

static enum dp_drop
header_check(const struct rte_mbuf *m, const uint8_t *ip6, struct wire_ip6 *ip)
{
	if (m->data_len < WIRE_ETH_LEN + WIRE_IP6_LEN)
		return DP_DROP_IP6_TRUNCATED;
	switch (wire_ip6_decode(ip6, (size_t)(m->pkt_len - WIRE_ETH_LEN), ip)) {
	case WIRE_IP6_OK:
		return DP_DROP_COUNT;
	case WIRE_IP6_BAD_VERSION:
		return DP_DROP_IP6_VERSION;
	case WIRE_IP6_TRUNCATED:
	default:
		return DP_DROP_IP6_TRUNCATED;
	}
}

void
dp_ip6_classify(struct dp_lcore *lc, struct rte_mbuf *m, bool in_group)
{
	const uint8_t *ip6 = rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN);
	struct wire_ip6 ip;
	struct upper u;
	enum dp_drop why = header_check(m, ip6, &ip);

	if (why == DP_DROP_COUNT && !source_ok(&ip))
		why = DP_DROP_IP6_SOURCE;
	if (why == DP_DROP_COUNT && in_group && !wire_ip6_is_multicast(ip.dst))
		why = DP_DROP_L2_BROADCAST;
	if (why != DP_DROP_COUNT)
		dp_drop(lc, m, why);
	else if (!wire_ip6_is_multicast(ip.dst))
		unicast_classify(lc, m, &ip);
	else if (!upper_find(m, ip6, &ip, &u))
		dp_drop(lc, m, DP_DROP_IP6_TRUNCATED);
	else
		multicast_classify(lc, m, &ip, &u);
}
