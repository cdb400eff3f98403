/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Sending. Worker w has TX queue w of a port, or hands frames over to the worker that has one.
 * A port without link is never sent to: some drivers keep frames until the link is back and then
 * deliver them, stale.
 */
#include "dp_capture_priv.h"
#include "dp_priv.h"

#include <errno.h>

#include <rte_ethdev.h>

#define NUDGE_NS (50 * BASE_NS_PER_MS)

static bool
port_has_link(const struct dp_port *p)
{
	return atomic_load_explicit(&p->link_up, memory_order_acquire);
}

/* Frames that others handed over carry in meta what they are. */
static void
handed_drop(struct dp_lcore *lc, struct rte_mbuf *m, enum dp_drop why)
{
	const struct dp_meta *meta = dp_meta(m);

	if (meta->kind == DP_KIND_ADVERT)
		atomic_fetch_add_explicit(
			&lc->dp->slots[meta->group].send_failures, 1, memory_order_relaxed);
	dp_drop(lc, m, why);
}

static void
buffer_drop(struct dp_lcore *lc, struct dp_txbuf *b, uint16_t from, enum dp_drop why)
{
	dp_count(&lc->c.drops[why], (uint64_t)(b->n - from));
	dp_capture_dropped(lc, &b->m[from], (uint16_t)(b->n - from), why);
	rte_pktmbuf_free_bulk(&b->m[from], (unsigned int)(b->n - from));
}

static void
buffer_hand_over(struct dp_lcore *lc, struct dp_txbuf *b, const struct dp_port *p)
{
	const struct dp *dp = lc->dp;
	struct rte_ring *ring = dp->lcores[lc->id % p->n_txq]->handoff;
	uint16_t n;

	for (uint16_t i = 0; i < b->n; i++) {
		struct dp_meta *meta = dp_meta(b->m[i]);

		b->m[i]->port = p->port_id;
		meta->kind = b->originated >> i & 1 ? DP_KIND_ORIGINATED : DP_KIND_FORWARDED;
	}
	n = (uint16_t)rte_ring_enqueue_burst(ring, (void **)b->m, b->n, NULL);
	dp_count(&lc->c.handed_over, n);
	if (n < b->n)
		buffer_drop(lc, b, n, DP_DROP_HANDOFF_FULL);
}

static void
buffer_send(struct dp_lcore *lc, struct dp_txbuf *b, const struct dp_port *p)
{
	uint16_t n = dp_capture_tx(lc, p, lc->id, b->m, b->n);
	uint32_t originated = b->originated;

	if (unlikely(n < b->n)) {
		originated &= ~(UINT32_MAX << n);
		for (uint16_t i = n; i < b->n; i++)
			b->bytes -= b->m[i]->pkt_len;
		buffer_drop(lc, b, n, DP_DROP_TX_FULL);
	}
	dp_count(&lc->c.tx_frames, n);
	dp_count(&lc->c.tx_bytes, b->bytes);
	dp_count(&lc->c.forwarded, (uint64_t)(n - __builtin_popcount(originated)));
}

void
dp_tx_flush_port(struct dp_lcore *lc, uint16_t slot)
{
	const struct dp_port *p = &lc->dp->ports[slot];
	struct dp_txbuf *b = &lc->tx[slot];

	if (unlikely(!port_has_link(p)))
		buffer_drop(lc, b, 0, DP_DROP_LINK_DOWN);
	else if (likely(lc->id < p->n_txq))
		buffer_send(lc, b, p);
	else
		buffer_hand_over(lc, b, p);
	b->n = 0;
	b->originated = 0;
	b->bytes = 0;
}

void
dp_tx_originated(struct dp_lcore *lc, const struct dp_if *out, struct rte_mbuf *m)
{
	struct dp_txbuf *b = &lc->tx[out->slot];

	if (dp_if_down(out)) {
		dp_drop(lc, m, DP_DROP_IF_DOWN);
		return;
	}
	if (!dp_vlan_put(lc, out, m))
		return;
	if (b->n == DP_BURST)
		dp_tx_flush_port(lc, out->slot);
	b->originated |= UINT32_C(1) << b->n;
	b->bytes += m->pkt_len;
	b->m[b->n++] = m;
}

/* Put the tag in each frame of a run. @return how many had room for it; *bytes with it */
static __rte_noinline uint16_t
run_tag(struct dp_lcore *lc, const struct dp_if *out, struct rte_mbuf **pkts, uint16_t n,
	uint32_t *bytes)
{
	uint16_t kept = 0;

	*bytes = 0;
	for (uint16_t i = 0; i < n; i++) {
		if (!dp_vlan_put(lc, out, pkts[i]))
			continue;
		*bytes += pkts[i]->pkt_len;
		pkts[kept++] = pkts[i];
	}
	return kept;
}

void
dp_tx_forwarded(
	struct dp_lcore *lc, uint16_t out, struct rte_mbuf **pkts, uint16_t n, uint32_t bytes)
{
	const struct dp_if *f = &lc->dp->ifs[out];
	uint16_t slot = f->slot;
	struct dp_txbuf *b = &lc->tx[slot];

	if (unlikely(f->vlan != 0))
		n = run_tag(lc, f, pkts, n, &bytes);
	if (b->n + n > DP_BURST)
		dp_tx_flush_port(lc, slot);
	memcpy(&b->m[b->n], pkts, n * sizeof(pkts[0]));
	b->bytes += bytes;
	b->n = (uint16_t)(b->n + n);
}

void
dp_tx_flush(struct dp_lcore *lc)
{
	for (uint16_t slot = 0; slot < lc->dp->n_ports; slot++)
		if (lc->tx[slot].n != 0)
			dp_tx_flush_port(lc, slot);
}

void
dp_tx_nudge(struct dp_lcore *lc)
{
	lc->nudge_at = lc->now + NUDGE_NS;
	for (uint16_t slot = 0; slot < lc->dp->n_ports; slot++) {
		const struct dp_port *p = &lc->dp->ports[slot];

		/* Without link as well: the driver may need its frames to get one. */
		if (p->nudge && !dp_port_detached(p))
			(void)rte_eth_tx_burst(p->port_id, lc->id, NULL, 0);
	}
}

/* Send a run of handed-over frames that leave by the same port. */
static void
handed_send(struct dp_lcore *lc, struct rte_mbuf **pkts, uint16_t n)
{
	const struct dp *dp = lc->dp;
	const struct dp_port *p = &dp->ports[dp->slot_of_port[pkts[0]->port]];
	uint32_t len[DP_BURST], forwarded = 0;
	uint64_t bytes = 0, n_forwarded = 0;
	uint16_t sent;

	if (!port_has_link(p)) {
		for (uint16_t i = 0; i < n; i++)
			handed_drop(lc, pkts[i], DP_DROP_LINK_DOWN);
		return;
	}
	/* Once sent, a frame is no longer ours to look at. */
	for (uint16_t i = 0; i < n; i++) {
		len[i] = pkts[i]->pkt_len;
		forwarded |= (uint32_t)(dp_meta(pkts[i])->kind == DP_KIND_FORWARDED) << i;
	}
	sent = dp_capture_tx(lc, p, lc->id, pkts, n);
	for (uint16_t i = 0; i < sent; i++) {
		bytes += len[i];
		n_forwarded += forwarded >> i & 1;
	}
	dp_count(&lc->c.tx_frames, sent);
	dp_count(&lc->c.tx_bytes, bytes);
	dp_count(&lc->c.forwarded, n_forwarded);
	for (uint16_t i = sent; i < n; i++)
		handed_drop(lc, pkts[i], DP_DROP_TX_FULL);
}

uint32_t
dp_handoff_drain(struct dp_lcore *lc)
{
	struct rte_mbuf *pkts[DP_BURST];
	uint32_t total = 0;

	while (total < DP_HANDOFF_BUDGET) {
		uint16_t n = (uint16_t)rte_ring_sc_dequeue_burst(
			lc->handoff, (void **)pkts, DP_BURST, NULL);
		uint16_t from = 0;

		for (uint16_t i = 1; i <= n; i++) {
			if (i < n && pkts[i]->port == pkts[from]->port)
				continue;
			handed_send(lc, &pkts[from], (uint16_t)(i - from));
			from = i;
		}
		total += n;
		if (n < DP_BURST)
			break;
	}
	return total;
}

int
dp_ctl_output(struct dp_lcore *lc, const struct dp_if *out, struct rte_mbuf *m)
{
	const struct dp *dp = lc->dp;
	const struct dp_port *p = &dp->ports[out->slot];
	bool forwarded = dp_meta(m)->kind == DP_KIND_FORWARDED;
	uint32_t bytes;

	if (!port_has_link(p)) {
		dp_drop(lc, m, DP_DROP_LINK_DOWN);
		return -ENETDOWN;
	}
	if (dp_if_down(out)) {
		dp_drop(lc, m, DP_DROP_IF_DOWN);
		return -ENETDOWN;
	}
	if (!dp_vlan_put(lc, out, m))
		return -ENOBUFS;
	bytes = m->pkt_len;
	if (p->control_txq) {
		lc->capture = atomic_load_explicit(&dp->capture, memory_order_acquire);
		if (dp_capture_tx(lc, p, p->n_txq, &m, 1) != 1) {
			dp_drop(lc, m, DP_DROP_TX_FULL);
			return -ENOBUFS;
		}
		dp_count(&lc->c.tx_frames, 1);
		dp_count(&lc->c.tx_bytes, bytes);
		dp_count(&lc->c.forwarded, forwarded);
		return 0;
	}
	m->port = p->port_id;
	if (rte_ring_enqueue(dp->lcores[0]->handoff, m) != 0) {
		dp_drop(lc, m, DP_DROP_HANDOFF_FULL);
		return -ENOBUFS;
	}
	dp_count(&lc->c.handed_over, 1);
	return 0;
}
