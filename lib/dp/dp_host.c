/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The host path: packets to and from the kernel of the box, for its daemons. A thread on the
 * kernel's side reads and writes taps; here are the rings between it and the workers, and what a
 * worker makes of a packet that comes from there.
 *
 * Each ring has one producer and one consumer, so that nobody waits for whom the scheduler took off
 * its CPU. For the same reason that thread does not free into the workers' pools, nor do they
 * allocate from its own: what went up comes back to the worker that had it.
 */
#include "dp_hop_priv.h"
#include "dp_host_priv.h"
#include "wire_group.h"

#include <errno.h>

#include <rte_malloc.h>

#define BROADCAST4   UINT32_MAX
#define IS_GROUP4(a) ((a) >> 28 == 0xe)
#define IS_LINK4(a)  ((a) >> 8 == 0xe00000) /* 224.0.0.0/24, never routed (RFC 5771 4) */

/* What one worker has of it; counters are its own. */
struct dp_host {
	struct rte_ring
		*up[DP_IF_MAX]; /* to the kernel, by interface; NULL where there is no tap */
	struct rte_ring *done;	/* those that it has: to be freed */
	struct dp_host_stats c[DP_IF_MAX];
};

static struct rte_ring *
ring_make(uint32_t slots, int socket_id)
{
	struct rte_ring *r = rte_zmalloc_socket(
		"koi_host", (size_t)rte_ring_get_memsize(slots), RTE_CACHE_LINE_SIZE, socket_id);

	if (r != NULL && rte_ring_init(r, "koi_host", slots, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0) {
		rte_free(r);
		return NULL;
	}
	return r;
}

static void
ring_free(struct rte_ring *r)
{
	void *m;

	while (r != NULL && rte_ring_sc_dequeue(r, &m) == 0)
		rte_pktmbuf_free(m);
	rte_free(r);
}

static int
worker_init(struct dp_lcore *lc, uint32_t n_taps, int socket_id)
{
	struct dp_host *h =
		rte_zmalloc_socket("koi_host", sizeof(*h), RTE_CACHE_LINE_SIZE, socket_id);

	lc->host = h;
	if (h == NULL)
		return -ENOMEM;
	/* All that can be up at once, and a burst for each. */
	h->done = ring_make(
		rte_align32pow2(n_taps * (DP_HOST_RING_SLOTS + DP_HOST_BURST) + 1), socket_id);
	if (h->done == NULL)
		return -ENOMEM;
	for (uint16_t i = 0; i < lc->dp->n_ifs; i++) {
		if (!lc->dp->ifs[i].host)
			continue;
		h->up[i] = ring_make(DP_HOST_RING_SLOTS, socket_id);
		if (h->up[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

int
dp_host_init(struct dp *dp, const struct dp_config *c)
{
	uint32_t n_taps = 0;
	int ret = 0;

	for (uint16_t i = 0; i < c->n_ifs; i++)
		n_taps += dp->ifs[i].host;
	if (n_taps == 0)
		return 0;
	dp->host_down = ring_make(DP_HOST_RING_SLOTS, c->workers[0].socket_id);
	if (dp->host_down == NULL)
		return -ENOMEM;
	for (uint16_t w = 0; ret == 0 && w < c->n_workers; w++)
		ret = worker_init(dp->lcores[w], n_taps, c->workers[w].socket_id);
	return ret;
}

void
dp_host_free(struct dp *dp)
{
	for (uint16_t w = 0; w < dp->n_workers; w++) {
		struct dp_host *h = dp->lcores[w] != NULL ? dp->lcores[w]->host : NULL;

		if (h == NULL)
			continue;
		for (uint16_t i = 0; i < dp->n_ifs; i++)
			ring_free(h->up[i]);
		ring_free(h->done);
		rte_free(h);
	}
	ring_free(dp->host_down);
}

/* To the kernel, as it is. */
static void
push(struct dp_lcore *lc, struct rte_mbuf *m, const struct dp_if *f)
{
	struct dp_host_stats *c = &lc->host->c[f->index];

	if (rte_ring_sp_enqueue(lc->host->up[f->index], m) != 0) {
		dp_count(&c->paced, 1);
		dp_drop(lc, m, DP_DROP_HOST_PACED);
		return;
	}
	dp_count(&c->to_host, 1);
	dp_count(&lc->c.to_host, 1);
}

void
dp_host_up(struct dp_lcore *lc, struct rte_mbuf *m, uint16_t if_index, uint16_t group)
{
	const struct dp_if *f = &lc->dp->ifs[if_index];

	if (!f->host || lc->host == NULL) {
		dp_drop(lc, m, DP_DROP_LOCAL);
		return;
	}
	/* Handing over: silent in the VIPs' name, so the kernel does not have them any more. */
	if (group < lc->dp->n_groups && !dp_group_answering(lc->dp, group)) {
		dp_drop(lc, m, DP_DROP_NOT_MASTER);
		return;
	}
	memcpy(rte_pktmbuf_mtod(m, uint8_t *), f->mac, BASE_MAC_LEN);
	push(lc, m, f);
}

/* The broadcast address of the interface's subnet. */
static bool
is_subnet_broadcast(const struct dp_lcore *lc, const struct dp_if *f, uint32_t dst)
{
	const struct fib_nh *nh;

	if (lc->fib == NULL)
		return false;
	fib_lookup(lc->fib, &dst, &nh, 1);
	return nh->type == FIB_NH_DROP && nh->if_index == f->index;
}

bool
dp_host_up_group4(struct dp_lcore *lc, struct rte_mbuf *m, uint32_t src, uint32_t dst)
{
	if (likely(!lc->in->host) || lc->host == NULL)
		return false;
	/* A host without an address asks for one from 0.0.0.0 (RFC 2131 4.1). */
	if (src == 0 ? dst != BROADCAST4 : !dp_ip4_is_unicast(src))
		return false;
	if (!IS_LINK4(dst) && dst != BROADCAST4 && !is_subnet_broadcast(lc, lc->in, dst))
		return false;
	push(lc, m, lc->in);
	return true;
}

bool
dp_host_up_group6(struct dp_lcore *lc, struct rte_mbuf *m, const uint8_t dst[16])
{
	/* Of the scope of the link (RFC 4291 2.7). */
	if (likely(!lc->in->host) || lc->host == NULL || (dst[1] & 0x0f) != 2)
		return false;
	push(lc, m, lc->in);
	return true;
}

static void
refuse(struct dp_lcore *lc, struct rte_mbuf *m, enum dp_drop why)
{
	dp_count(&lc->host->c[lc->in->index].refused, 1);
	dp_drop(lc, m, why);
}

/* May the kernel say this? *group is whose VIP the source is; DP_NONE for an own address. */
static bool
source_ok(const struct dp_lcore *lc, const struct fib_nh *nh, uint16_t *group)
{
	if (nh->type != FIB_NH_LOCAL)
		return false;
	*group = nh->group < lc->dp->n_groups ? nh->group : DP_NONE;
	return *group == DP_NONE ||
		(dp_group_owned(lc, *group) && dp_group_answering(lc->dp, *group));
}

static bool
source4_ok(const struct dp_lcore *lc, struct rte_mbuf *m, uint32_t src, uint16_t *group)
{
	const struct fib_nh *nh;
	struct fib_nh meant;

	if (lc->fib == NULL)
		return false;
	fib_lookup(lc->fib, &src, &nh, 1);
	meant = *nh;
	if (meant.type == FIB_NH_LOCAL && meant.group < lc->dp->n_groups)
		meant.group =
			dp_share_group(lc, rte_pktmbuf_mtod(m, const uint8_t *), src, meant.group);
	return source_ok(lc, &meant, group);
}

static bool
source6_ok(const struct dp_lcore *lc, const uint8_t *src, uint16_t *group)
{
	const struct fib_nh *nh;
	struct fib_nh link_local = {.type = FIB_NH_LOCAL};
	const struct dp_ip6 *e;

	if (wire_ip6_is_link_local(src)) {
		e = dp_ip6_find(dp_addrs(lc, lc->in), src);
		link_local.group = e != NULL ? e->group : DP_NONE;
		return e != NULL && source_ok(lc, &link_local, group);
	}
	if (lc->fib == NULL)
		return false;
	fib_lookup6(lc->fib, (const uint8_t(*)[16])(uintptr_t)src, &nh, 1);
	return source_ok(lc, nh, group);
}

/* Its vMAC is the source only where the group is: elsewhere it would be another group's. */
static uint16_t
source_group(const struct dp_lcore *lc, uint16_t group, const struct dp_if *out)
{
	return group != DP_NONE && lc->roster->groups[group].if_index == out->index ? group
										    : DP_NONE;
}

/* Out of an interface, to a MAC that needs no asking. */
static void
send_to(struct dp_lcore *lc, struct rte_mbuf *m, const struct dp_if *out, const uint8_t *mac,
	uint16_t group)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	uint16_t src_group = source_group(lc, group, out);

	if (m->pkt_len > (uint32_t)WIRE_ETH_LEN + out->mtu) {
		refuse(lc, m, DP_DROP_TOO_BIG);
		return;
	}
	memcpy(p, mac, BASE_MAC_LEN);
	if (src_group != DP_NONE)
		base_vmac(lc->roster->groups[src_group].vhid, p + BASE_MAC_LEN);
	else
		memcpy(p + BASE_MAC_LEN, out->mac, BASE_MAC_LEN);
	dp_count(&lc->host->c[lc->in->index].from_host, 1);
	dp_count(&lc->c.from_host, 1);
	dp_tx_originated(lc, out, m);
}

/* By the route that was found; with none the kernel is told. */
static void
send_by(struct dp_lcore *lc, struct rte_mbuf *m, const struct dp_route *r, uint16_t group)
{
	dp_count(&lc->host->c[lc->in->index].from_host, 1);
	dp_count(&lc->c.from_host, 1);
	dp_originate(lc, m, r, source_group(lc, group, r->out));
}

/*
 * To an address of this box that its kernel does not have: a VIP that another box is MASTER of is
 * reached by its vMAC, which needs no asking.
 */
static void
send_local(struct dp_lcore *lc, struct rte_mbuf *m, const struct fib_nh *nh, uint16_t group)
{
	uint8_t vmac[BASE_MAC_LEN];

	if (nh->group >= lc->dp->n_groups || dp_group_owned(lc, nh->group)) {
		refuse(lc, m, DP_DROP_LOCAL);
		return;
	}
	base_vmac(lc->roster->groups[nh->group].vhid, vmac);
	send_to(lc, m, &lc->dp->ifs[nh->if_index], vmac, group);
}

static void
take4(struct dp_lcore *lc, struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN);
	enum dp_drop why = dp_ip4_header_check(
		ip, (size_t)(m->data_len - WIRE_ETH_LEN), (size_t)(m->pkt_len - WIRE_ETH_LEN));
	const struct fib_nh *nh = NULL;
	uint16_t group = DP_NONE;
	struct dp_route route;
	uint32_t src, dst;

	if (why != DP_DROP_COUNT) {
		refuse(lc, m, why);
		return;
	}
	dp_frame_trim(m, WIRE_ETH_LEN + (uint32_t)base_load_be16(ip + 2));
	src = base_load_be32(ip + 12);
	dst = base_load_be32(ip + 16);
	if (ip[9] == WIRE_PROTO_CARP) {
		refuse(lc, m, DP_DROP_HOST_REFUSED); /* that is spoken by us alone */
		return;
	}
	if (!(src == 0 && dst == BROADCAST4) && !source4_ok(lc, m, src, &group)) {
		refuse(lc, m, DP_DROP_HOST_SOURCE);
		return;
	}
	/* A raw socket may have made them; who cuts the packet goes by their lengths. */
	if ((ip[0] & 0x0f) != WIRE_IP4_LEN / 4 && !dp_ip4_options(lc, m)) {
		dp_count(&lc->host->c[lc->in->index].refused, 1);
		return;
	}
	if (IS_GROUP4(dst)) {
		const struct base_addr to = base_addr_from_ip4(dst);
		uint8_t mac[BASE_MAC_LEN];

		wire_group_mac(&to, mac);
		send_to(lc, m, lc->in, mac, group);
	} else if (dst == BROADCAST4 || is_subnet_broadcast(lc, lc->in, dst)) {
		send_to(lc, m, lc->in, wire_broadcast_mac, group);
	} else if (!dp_ip4_is_unicast(dst)) {
		refuse(lc, m, DP_DROP_IP4_DESTINATION);
	} else if (!dp_route_get(lc, dst, &route, &why)) {
		if (why == DP_DROP_LOCAL)
			fib_lookup(lc->fib, &dst, &nh, 1);
		if (nh != NULL) {
			send_local(lc, m, nh, group);
			return;
		}
		dp_icmp_no_path(lc, m, why);
		refuse(lc, m, why);
	} else if (route.host) {
		refuse(lc, m, DP_DROP_LOCAL); /* it has that address itself */
	} else if (m->pkt_len > (uint32_t)WIRE_ETH_LEN + route.out->mtu &&
		(base_load_be16(ip + 6) & WIRE_IP4_DF) != 0) {
		dp_icmp_error(lc, m, WIRE_ETH_LEN, WIRE_ICMP_UNREACHABLE, WIRE_ICMP_UNREACH_FRAG,
			route.out->mtu);
		refuse(lc, m, DP_DROP_TOO_BIG);
	} else {
		send_by(lc, m, &route, group);
	}
}

/* Neighbours and routers are found and answered by us alone. */
static bool
is_nd(const struct rte_mbuf *m, const struct wire_ip6 *ip)
{
	const uint8_t *type =
		rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN + WIRE_IP6_LEN);

	return ip->next == WIRE_PROTO_ICMP6 && m->data_len > WIRE_ETH_LEN + WIRE_IP6_LEN &&
		*type >= WIRE_ICMP6_RS && *type <= WIRE_ICMP6_REDIRECT;
}

static void
route6(struct dp_lcore *lc, struct rte_mbuf *m, const struct wire_ip6 *ip, uint16_t group)
{
	const uint8_t *dst = ip->dst;
	/* Elsewhere another host has such an address (RFC 4291 2.5.6). */
	bool link_local = wire_ip6_is_link_local(ip->src);
	const struct fib_nh *nh = NULL;
	struct fib_nh near = {.type = FIB_NH_LOCAL, .if_index = lc->in->index};
	struct dp_route route;
	enum dp_drop why;

	if (!dp_route_get6(lc, dst, &route, &why)) {
		if (why == DP_DROP_LOCAL && wire_ip6_is_link_local(dst)) {
			near.group = dp_ip6_find(dp_addrs(lc, lc->in), dst)->group;
			nh = &near;
		} else if (why == DP_DROP_LOCAL) {
			fib_lookup6(lc->fib, (const uint8_t(*)[16])(uintptr_t)dst, &nh, 1);
		}
		if (nh != NULL && link_local && nh->if_index != lc->in->index) {
			refuse(lc, m, DP_DROP_IP6_SCOPE);
			return;
		}
		if (nh != NULL) {
			send_local(lc, m, nh, group);
			return;
		}
		dp_icmp6_no_path(lc, m, why);
		refuse(lc, m, why);
	} else if (route.host) {
		refuse(lc, m, DP_DROP_LOCAL);
	} else if (link_local && route.out != lc->in) {
		refuse(lc, m, DP_DROP_IP6_SCOPE);
	} else if (m->pkt_len > (uint32_t)WIRE_ETH_LEN + route.out->mtu) {
		dp_icmp6_error(lc, m, WIRE_ETH_LEN, WIRE_ICMP6_TOO_BIG, 0, route.out->mtu);
		refuse(lc, m, DP_DROP_TOO_BIG);
	} else {
		send_by(lc, m, &route, group);
	}
}

static void
take6(struct dp_lcore *lc, struct rte_mbuf *m)
{
	const uint8_t *ip6 = rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN);
	uint16_t group = DP_NONE;
	uint8_t mac[BASE_MAC_LEN];
	struct wire_ip6 ip;

	if (m->data_len < WIRE_ETH_LEN + WIRE_IP6_LEN ||
		wire_ip6_decode(ip6, (size_t)(m->pkt_len - WIRE_ETH_LEN), &ip) != WIRE_IP6_OK) {
		refuse(lc, m, DP_DROP_IP6_TRUNCATED);
		return;
	}
	dp_frame_trim(m, WIRE_ETH_LEN + WIRE_IP6_LEN + (uint32_t)ip.payload_len);
	if (ip.next == WIRE_PROTO_CARP || is_nd(m, &ip)) {
		refuse(lc, m, DP_DROP_HOST_REFUSED);
	} else if (!source6_ok(lc, ip.src, &group)) {
		refuse(lc, m, DP_DROP_HOST_SOURCE);
	} else if (wire_ip6_is_multicast(ip.dst)) {
		wire_ip6_group_mac(ip.dst, mac);
		send_to(lc, m, lc->in, mac, group);
	} else if (base_load_be64(ip.dst) == 0) {
		refuse(lc, m, DP_DROP_IP6_DESTINATION);
	} else {
		route6(lc, m, &ip, group);
	}
}

uint32_t
dp_host_turn(struct dp_lcore *lc)
{
	struct rte_mbuf *pkts[DP_HOST_BURST];
	unsigned int n;

	while ((n = rte_ring_sc_dequeue_burst(
			lc->host->done, (void **)pkts, DP_HOST_BURST, NULL)) != 0)
		rte_pktmbuf_free_bulk(pkts, n);
	if (lc->id != 0)
		return 0;
	n = rte_ring_sc_dequeue_burst(lc->dp->host_down, (void **)pkts, DP_HOST_BURST, NULL);
	for (unsigned int i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i];
		uint16_t type = 0;

		lc->in = &lc->dp->ifs[m->port];
		if (m->data_len >= WIRE_ETH_LEN)
			type = base_load_be16(rte_pktmbuf_mtod_offset(m, const uint8_t *, 12));
		if (type == WIRE_ETHERTYPE_IP4)
			take4(lc, m);
		else if (type == WIRE_ETHERTYPE_IP6)
			take6(lc, m);
		else
			refuse(lc, m, DP_DROP_HOST_REFUSED);
	}
	return n;
}

uint32_t
dp_host_poll(struct dp *dp, uint16_t if_index, uint16_t worker, struct rte_mbuf **out, uint32_t n)
{
	struct dp_host *h = dp->lcores[worker]->host;

	if (h == NULL || h->up[if_index] == NULL)
		return 0;
	n = RTE_MIN(n, (uint32_t)rte_ring_free_count(h->done));
	return rte_ring_sc_dequeue_burst(h->up[if_index], (void **)out, n, NULL);
}

void
dp_host_done(struct dp *dp, uint16_t worker, struct rte_mbuf *const *pkts, uint32_t n)
{
	/* There is room: dp_host_poll() looked, and nobody else adds to it. */
	(void)rte_ring_sp_enqueue_burst(
		dp->lcores[worker]->host->done, (void *const *)pkts, n, NULL);
}

bool
dp_host_send(struct dp *dp, uint16_t if_index, struct rte_mbuf *m)
{
	m->port = if_index;
	return dp->host_down != NULL && rte_ring_sp_enqueue(dp->host_down, m) == 0;
}

bool
dp_has_link(const struct dp *dp, uint16_t if_index)
{
	return dp_if_is_up(dp, if_index) &&
		atomic_load_explicit(
			&dp->ports[dp->ifs[if_index].slot].link_up, memory_order_acquire);
}

bool
dp_answers(const struct dp *dp, uint16_t group)
{
	return dp_group_answering(dp, group);
}

void
dp_host_stats(const struct dp *dp, uint16_t if_index, struct dp_host_stats *out)
{
	*out = (struct dp_host_stats){0};
	for (uint16_t w = 0; w < dp->n_workers; w++) {
		const struct dp_host_stats *c;

		if (dp->lcores[w]->host == NULL)
			continue;
		c = &dp->lcores[w]->host->c[if_index];
		out->to_host += __atomic_load_n(&c->to_host, __ATOMIC_RELAXED);
		out->paced += __atomic_load_n(&c->paced, __ATOMIC_RELAXED);
		out->from_host += __atomic_load_n(&c->from_host, __ATOMIC_RELAXED);
		out->refused += __atomic_load_n(&c->refused, __ATOMIC_RELAXED);
	}
}
