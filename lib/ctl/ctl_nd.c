/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Neighbour discovery: the MASTER answers for its VIPs with the vMAC, in every state the box for
 * its own addresses (note 7.5). No duplicate address detection on VIPs: both boxes hold them. No
 * neighbour table for IPv6 either, but for the MAC of a unicast peer.
 */

#include <string.h>

#include <rte_common.h>

#include "ctl_priv.h"

#define ASK_AGAIN_NS BASE_NS_PER_S

static bool
is_vip(const struct ctl_group *g, const uint8_t ip[16])
{
	for (uint16_t i = 0; i < g->n_vips6; i++)
		if (memcmp(g->vips6[i], ip, 16) == 0)
			return true;
	return false;
}

static bool
is_own(const struct ctl_if *f, const uint8_t ip[16])
{
	for (uint16_t i = 0; i < f->n_own6; i++)
		if (memcmp(f->own6[i], ip, 16) == 0)
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

static void
solicited(struct ctl *c, const struct dp_punt *p, const struct wire_ip6 *ip,
	const struct wire_nd *ns, const uint8_t *asker)
{
	const struct ctl_if *f = &c->ifs[p->if_index];

	if (p->cls == DP_PUNT_GROUP_ARP && is_vip(&c->groups[p->group], ns->target)) {
		const struct ctl_group *g = &c->groups[p->group];
		bool master = g->state == ELECTION_MASTER;

		ctl_count(c, p->group, master ? CTL_STAT_ND_ANSWERED : CTL_STAT_ND_NOT_MASTER);
		if (master)
			answer(c, p->if_index, ip, ns, asker, g->vmac);
	} else if (is_own(f, ns->target)) {
		answer(c, p->if_index, ip, ns, asker, f->mac);
	}
}

/* Only what was asked for is learnt: the MAC of a unicast peer. */
static void
advertised(struct ctl *c, const struct dp_punt *p, const struct wire_nd *na)
{
	for (uint16_t i = 0; i < c->n_groups; i++) {
		struct ctl_group *g = &c->groups[i];

		if (g->conf->if_index != p->if_index || g->conf->peer6.family != BASE_FAMILY_IP6 ||
			memcmp(g->conf->peer6.bytes, na->target, 16) != 0 || !na->has_lladdr ||
			(na->lladdr[0] & 1))
			continue;
		memcpy(g->peer6_mac, na->lladdr, BASE_MAC_LEN);
		g->peer6_known = true;
		g->peer6_ask_at = c->now + 30 * ASK_AGAIN_NS;
	}
}

void
ctl_nd_input(struct ctl *c, const struct dp_punt *p, const uint8_t *frame, size_t len)
{
	struct wire_eth eth;
	struct wire_ip6 ip;
	struct wire_nd nd;

	if (!wire_eth_decode(frame, len, &eth) ||
		wire_ip6_decode(frame + WIRE_ETH_LEN, len - WIRE_ETH_LEN, &ip) != WIRE_IP6_OK)
		return;
	switch (wire_nd_decode(&ip, frame + WIRE_ETH_LEN + WIRE_IP6_LEN, &nd)) {
	case WIRE_ND_OK:
		break;
	case WIRE_ND_OTHER:
		ctl_member_query(c, p->if_index, frame + WIRE_ETH_LEN, len - WIRE_ETH_LEN);
		return;
	case WIRE_ND_TRUNCATED:
	case WIRE_ND_BAD_HOP_LIMIT:
	case WIRE_ND_BAD_CHECKSUM:
	case WIRE_ND_BAD_CODE:
	case WIRE_ND_BAD_TARGET:
	case WIRE_ND_BAD_OPTION:
	case WIRE_ND_BAD_SOURCE:
	case WIRE_ND_BAD_FLAGS:
		ctl_count(c, p->group, CTL_STAT_ND_MALFORMED);
		return;
	}
	if (nd.type == WIRE_ICMP6_NS)
		solicited(c, p, &ip, &nd, eth.src);
	else
		advertised(c, p, &nd);
}

void
ctl_nd_tick(struct ctl *c)
{
	/* Few groups have such a peer, and there may be a thousand groups. */
	if (c->now < c->nd_due)
		return;
	c->nd_due = BASE_NS_NEVER;
	for (uint16_t i = 0; i < c->n_groups; i++) {
		struct ctl_group *g = &c->groups[i];
		const struct ctl_if *f = &c->ifs[g->conf->if_index];
		uint8_t frame[WIRE_ND_FRAME_LEN];

		if (g->conf->peer6.family != BASE_FAMILY_IP6)
			continue;
		if (c->now < g->peer6_ask_at) {
			c->nd_due = RTE_MIN(c->nd_due, g->peer6_ask_at);
			continue;
		}
		wire_ns_frame_encode(f->mac, f->link_local, g->conf->peer6.bytes,
			g->peer6_known ? g->peer6_mac : NULL, frame);
		(void)ctl_send(c, g->conf->if_index, frame, sizeof(frame), DP_NONE);
		/* one unanswered question and the MAC is not trusted any more */
		g->peer6_known = false;
		g->peer6_ask_at = c->now + ASK_AGAIN_NS;
		c->nd_due = RTE_MIN(c->nd_due, g->peer6_ask_at);
	}
}
