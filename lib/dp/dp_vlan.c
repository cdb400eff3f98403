/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * 802.1Q tags. They are taken out of frames before these are classified, and put into frames when
 * their interface is known and they go to the device; nothing in between knows of them. The device
 * does either where it can. Priorities are not kept: koi sends priority 0.
 */
#include "dp_priv.h"

#include <errno.h>

#include <rte_malloc.h>

#define TABLE (DP_VLAN_MAX + 2) /* 4095 is reserved, and nobody's */

_Static_assert(DP_IF_MAX <= DP_IF_NONE, "an interface's index is a byte in the tables");
_Static_assert(TABLE == WIRE_VLAN_ID + 1, "an entry for each id");

int
dp_vlan_init(struct dp *dp, const struct dp_config *c)
{
	size_t n = 0;
	uint8_t *table;
	bool tagged[DP_PORT_MAX] = {false};

	for (uint16_t i = 0; i < c->n_ifs; i++)
		if (c->ifs[i].vlan != 0)
			tagged[dp->ifs[i].slot] = true;
	for (uint16_t slot = 0; slot < dp->n_ports; slot++)
		n += tagged[slot];
	if (n == 0)
		return 0;
	dp->vlans = rte_malloc("koi_vlan", n * TABLE, RTE_CACHE_LINE_SIZE);
	if (dp->vlans == NULL)
		return -ENOMEM;
	memset(dp->vlans, DP_IF_NONE, n * TABLE);
	table = dp->vlans;
	for (uint16_t slot = 0; slot < dp->n_ports; slot++) {
		if (!tagged[slot])
			continue;
		for (uint16_t i = 0; i < c->n_ifs; i++)
			if (dp->ifs[i].slot == slot)
				table[c->ifs[i].vlan] = (uint8_t)i;
		dp->ports[slot].vlans = table;
		table += TABLE;
	}
	return 0;
}

static bool
is_tag(uint16_t type)
{
	return type == WIRE_ETHERTYPE_VLAN || type == WIRE_ETHERTYPE_QINQ;
}

enum dp_drop
dp_vlan_take(struct rte_mbuf *m, uint16_t *vlan)
{
	bool taken = (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0;
	uint16_t type;
	uint8_t *p;

	*vlan = taken ? m->vlan_tci & WIRE_VLAN_ID : 0;
	if (unlikely(m->nb_segs > 1))
		dp_headers_pull_up(m);
	/* What is too short for an Ethernet header is refused by who reads that. */
	if (m->data_len < WIRE_ETH_LEN)
		return DP_DROP_COUNT;
	p = rte_pktmbuf_mtod(m, uint8_t *);
	type = base_load_be16(p + 2 * BASE_MAC_LEN);
	if (!is_tag(type))
		return DP_DROP_COUNT;
	if (taken || type == WIRE_ETHERTYPE_QINQ)
		return DP_DROP_VLAN_DOUBLE;
	if (m->data_len < WIRE_ETH_LEN + WIRE_VLAN_TAG_LEN)
		return DP_DROP_TRUNCATED_ETH;
	if (is_tag(base_load_be16(p + 2 * BASE_MAC_LEN + WIRE_VLAN_TAG_LEN)))
		return DP_DROP_VLAN_DOUBLE;
	*vlan = base_load_be16(p + WIRE_ETH_LEN) & WIRE_VLAN_ID;
	memmove(p + WIRE_VLAN_TAG_LEN, p, 2 * BASE_MAC_LEN);
	rte_pktmbuf_adj(m, WIRE_VLAN_TAG_LEN);
	return DP_DROP_COUNT;
}

uint16_t
dp_vlan_sort(struct dp_lcore *lc, const struct dp_port *p, struct rte_mbuf **pkts, uint16_t n,
	uint8_t ifs[DP_BURST])
{
	uint64_t lost_frames = 0, more_bytes = 0;
	uint16_t kept = 0;

	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i];
		uint32_t bytes = m->pkt_len;
		uint16_t vlan;
		enum dp_drop why = dp_vlan_take(m, &vlan);

		if (why == DP_DROP_COUNT && p->vlans[vlan] == DP_IF_NONE)
			why = vlan != 0 ? DP_DROP_VLAN_UNKNOWN : DP_DROP_NO_INTERFACE;
		if (why != DP_DROP_COUNT) {
			dp_drop(lc, m, why);
			lost_frames++;
			more_bytes += bytes;
			continue;
		}
		more_bytes += bytes - m->pkt_len; /* the rest is counted when it is classified */
		ifs[kept] = p->vlans[vlan];
		pkts[kept++] = m;
	}
	dp_count(&lc->c.rx_frames, lost_frames);
	dp_count(&lc->c.rx_bytes, more_bytes);
	return kept;
}

bool
dp_vlan_insert(struct dp_lcore *lc, const struct dp_if *out, struct rte_mbuf *m)
{
	uint8_t *head;

	if (lc->dp->ports[out->slot].vlan_insert) {
		m->vlan_tci = out->vlan;
		m->ol_flags |= RTE_MBUF_F_TX_VLAN;
		return true;
	}
	head = (uint8_t *)rte_pktmbuf_prepend(m, WIRE_VLAN_TAG_LEN);
	if (unlikely(head == NULL)) {
		dp_drop(lc, m, DP_DROP_NO_HEADROOM);
		return false;
	}
	memmove(head, head + WIRE_VLAN_TAG_LEN, 2 * BASE_MAC_LEN);
	base_store_be16(head + 2 * BASE_MAC_LEN, WIRE_ETHERTYPE_VLAN);
	base_store_be16(head + WIRE_ETH_LEN, out->vlan);
	return true;
}
