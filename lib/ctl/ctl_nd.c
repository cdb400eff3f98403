/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Neighbour discovery: the MASTER answers for its VIPs with the vMAC, in every state the box for
 * its own addresses (note 7.5). No duplicate address detection on VIPs: both boxes hold them. What
 * others say of themselves goes to the neighbour table.
 */

#include <string.h>

#include <rte_common.h>

#include "ctl_priv.h"

bool
ctl_is_vip6(const struct ctl_group *g, const uint8_t ip[16])
{
	for (uint16_t i = 0; i < g->n_vips6; i++)
		if (memcmp(g->vips6[i], ip, 16) == 0)
			return true;
	return g->routes && memcmp(g->router, ip, 16) == 0;
}

bool
ctl_is_own6(const struct ctl_if *f, const uint8_t ip[16])
{
	for (uint16_t i = 0; i < f->lists.n_own6; i++)
		if (memcmp(f->lists.own6[i], ip, 16) == 0)
			return true;
	return false;
}

static void
answer(struct ctl *c, uint16_t if_id, const struct wire_ip6 *ip, const struct wire_nd *ns,
	const uint8_t *asker, const uint8_t *mac)
{
	uint8_t frame[WIRE_ND_FRAME_LEN];

	wire_na_answer_frame_encode(ip, ns, asker, mac, ns->target, true, frame);
	/* A lost answer is asked for again. */
	(void)ctl_send(c, if_id, frame, sizeof(frame), DP_NONE);
}

/* Addresses of ours are never learnt, whoever claims them, nor are MACs of ours. */
static bool
learnable(const struct ctl *c, uint16_t if_id, const uint8_t ip[16], const uint8_t *mac)
{
	if (ctl_is_own6(&c->ifs[if_id], ip) || (mac != NULL && ctl_is_our_mac(&c->ifs[if_id], mac)))
		return false;
	for (uint16_t i = 0; i < c->n_groups; i++)
		if (c->groups[i].conf->if_index == if_id && ctl_is_vip6(&c->groups[i], ip))
			return false;
	return true;
}

/*
 * @return true when the sender should be known: he asked this box, or its master while this box may
 * have to take over
 */
static bool
solicited(struct ctl *c, const struct dp_punt *p, const struct wire_ip6 *ip,
	const struct wire_nd *ns, const uint8_t *asker)
{
	const struct ctl_if *f = &c->ifs[p->if_index];

	if (p->cls == DP_PUNT_GROUP_ARP && ctl_is_vip6(&c->groups[p->group], ns->target)) {
		const struct ctl_group *g = &c->groups[p->group];
		bool master = g->state == ELECTION_MASTER;

		ctl_count(c, p->group, master ? CTL_STAT_ND_ANSWERED : CTL_STAT_ND_NOT_MASTER);
		ctl_frame_say(c, master ? CTL_VERDICT_ANSWERED : CTL_VERDICT_NOT_ANSWERED,
			master ? CTL_STAT_COUNT : CTL_STAT_ND_NOT_MASTER);
		if (master)
			answer(c, p->if_index, ip, ns, asker, g->vmac);
		return g->state != ELECTION_INIT;
	}
	if (!ctl_is_own6(f, ns->target)) {
		const struct base_addr from = base_addr_from_ip6(ip->src);
		const struct base_addr target = base_addr_from_ip6(ns->target);

		if (ns->has_lladdr)
			ctl_warm_asked(c, p->if_index, &from, ns->lladdr, &target);
		return false;
	}
	ctl_frame_say(c, CTL_VERDICT_ANSWERED, CTL_STAT_COUNT);
	answer(c, p->if_index, ip, ns, asker, f->mac);
	return true;
}

/* The sender of a solicitation. A probe for duplicates has none, and no option. */
static void
learn_asker(
	struct ctl *c, const struct dp_punt *p, const struct wire_ip6 *ip, const struct wire_nd *ns)
{
	const struct base_addr from = base_addr_from_ip6(ip->src);

	if (ns->has_lladdr && learnable(c, p->if_index, ip->src, ns->lladdr) &&
		ctl_is_on_link(&c->ifs[p->if_index], &from))
		fib_nbr_asker(c->nbr, p->if_index, &from, ns->lladdr, c->now, ctl_nbr_act, c);
}

static void
advertised(struct ctl *c, const struct dp_punt *p, const struct wire_nd *na)
{
	const struct base_addr target = base_addr_from_ip6(na->target);
	const uint8_t *mac = na->has_lladdr ? na->lladdr : NULL;

	if (!learnable(c, p->if_index, na->target, mac)) {
		ctl_frame_say(c, CTL_VERDICT_OWN_ADDRESS, CTL_STAT_COUNT);
		return;
	}
	ctl_frame_say(c, CTL_VERDICT_NEIGHBOR, CTL_STAT_COUNT);
	fib_nbr_advertised(c->nbr, p->if_index, &target, mac, na->solicited, na->override, c->now,
		ctl_nbr_act, c);
}

static void
malformed(struct ctl *c, uint16_t group)
{
	ctl_count(c, group, CTL_STAT_ND_MALFORMED);
	ctl_frame_say(c, CTL_VERDICT_REFUSED, CTL_STAT_ND_MALFORMED);
}

/* Neither solicitation nor advertisement of a neighbour: router discovery, or a query. */
static void
other_input(struct ctl *c, const struct dp_punt *p, const uint8_t *frame, size_t len,
	const struct wire_ip6 *ip)
{
	const uint8_t *payload = frame + WIRE_ETH_LEN + WIRE_IP6_LEN;
	enum wire_ra_result ret;
	struct wire_ra ra;
	struct wire_rs rs;

	ret = wire_rs_decode(ip, payload, &rs);
	if (ret == WIRE_RA_OK) {
		ctl_frame_say(c, CTL_VERDICT_ROUTERS, CTL_STAT_COUNT);
		ctl_ra_solicited(c, p->if_index);
		return;
	}
	if (ret == WIRE_RA_OTHER) {
		ret = wire_ra_decode(ip, payload, &ra);
		if (ret == WIRE_RA_OK)
			ctl_ra_heard(c, p->if_index, ip, &ra);
	}
	if (ret == WIRE_RA_OTHER)
		ctl_member_query(c, p->if_index, frame + WIRE_ETH_LEN, len - WIRE_ETH_LEN);
	else if (ret != WIRE_RA_OK)
		malformed(c, p->group);
	else
		ctl_frame_say(c, CTL_VERDICT_ROUTERS, CTL_STAT_COUNT);
}

void
ctl_nd_input(struct ctl *c, const struct dp_punt *p, const uint8_t *frame, size_t len)
{
	struct wire_eth eth;
	struct wire_ip6 ip;
	struct wire_nd nd;

	if (!wire_eth_decode(frame, len, &eth) ||
		wire_ip6_decode(frame + WIRE_ETH_LEN, len - WIRE_ETH_LEN, &ip) != WIRE_IP6_OK) {
		/* It is longer than what is looked at. */
		malformed(c, p->group);
		return;
	}
	switch (wire_nd_decode(&ip, frame + WIRE_ETH_LEN + WIRE_IP6_LEN, &nd)) {
	case WIRE_ND_OK:
		break;
	case WIRE_ND_OTHER:
		other_input(c, p, frame, len, &ip);
		return;
	case WIRE_ND_TRUNCATED:
	case WIRE_ND_BAD_HOP_LIMIT:
	case WIRE_ND_BAD_CHECKSUM:
	case WIRE_ND_BAD_CODE:
	case WIRE_ND_BAD_TARGET:
	case WIRE_ND_BAD_OPTION:
	case WIRE_ND_BAD_SOURCE:
	case WIRE_ND_BAD_FLAGS:
		malformed(c, p->group);
		return;
	}
	/* One for an address that we do not answer for is discarded, RFC 4861 7.2.3. */
	if (nd.type == WIRE_ICMP6_NA)
		advertised(c, p, &nd);
	else if (solicited(c, p, &ip, &nd, eth.src))
		learn_asker(c, p, &ip, &nd);
}

/*
 * From the interface's link-local address, which it has in every state, whoever the packet is from
 * that made us ask: an answer comes back to it on this link.
 */
void
ctl_nd_request(struct ctl *c, const struct fib_nbr_action *a)
{
	const struct ctl_if *f = &c->ifs[a->if_index];
	uint8_t frame[WIRE_ND_FRAME_LEN];

	wire_ns_frame_encode(
		f->mac, f->link_local, a->addr.bytes, a->has_mac ? a->mac : NULL, frame);
	/* A lost one is asked again. */
	(void)ctl_send(c, a->if_index, frame, sizeof(frame), DP_NONE);
}
