/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Rings of copied frames. What a lcore copies in a turn is seen by the reader at the end of it, so
 * until then the lcore can say what became of a frame: mbufs of this turn are remembered beside
 * their records.
 */
#include "dp_capture.h"

#include <errno.h>
#include <stdlib.h>

#include "base_wall.h"
#include "dp_capture_priv.h"

/* dp.capture and dp_lcore.capture: 0, or what is to be copied. */
#define CAPTURE_ON	    (UINT64_C(1) << 32)
#define CAPTURE_IF(word)    ((uint16_t)((word) >> 16))
#define CAPTURE_SNAP(word)  ((uint32_t)(uint16_t)(word))
#define CAPTURE_WORD(i, sn) (CAPTURE_ON | (uint64_t)(i) << 16 | (sn))

/* Frames of a turn of which it is remembered where they are. */
#define NOTED_MAX 2048

struct record {
	uint32_t size; /* with the bytes, rounded up; 0: the rest of the ring is not used */
	uint32_t len;
	uint64_t wall_ns;
	uint32_t captured;
	uint16_t if_index, port_id;
	uint8_t outbound, fate;
	uint16_t why;
	uint32_t unused;
	uint8_t bytes[];
};
_Static_assert(sizeof(struct record) % 8 == 0, "records are aligned");
_Static_assert(sizeof(struct record) + DP_CAPTURE_SNAP_MAX + 8 < DP_CAPTURE_RING / 4, "they fit");

struct noted {
	const struct rte_mbuf *m; /* NULL: what became of it is known */
	struct record *record;
};

struct dp_capture {
	uint8_t *buf;
	/* The lcore's. */
	uint64_t write; /* where the next record goes; positions only grow */
	uint32_t n_noted;
	struct noted noted[NOTED_MAX];
	/* Written by the lcore, read by the reader, and the other way round. */
	_Atomic uint64_t published __rte_cache_aligned;
	_Atomic uint64_t lost[DP_IF_MAX + 1]; /* at the end those of no interface */
	_Atomic uint64_t taken __rte_cache_aligned;
	/* The reader's. */
	uint64_t lost_before[DP_IF_MAX + 1];
};

static struct dp_capture *
ring_of(const struct dp *dp, uint16_t ring)
{
	return atomic_load_explicit(&dp->lcores[ring]->capture_ring, memory_order_acquire);
}

static struct record *
record_at(const struct dp_capture *c, uint64_t at)
{
	return (struct record *)(void *)(c->buf + at % DP_CAPTURE_RING);
}

/* Room for size bytes in one piece. @return NULL: there is none */
static struct record *
room(struct dp_capture *c, uint32_t size)
{
	uint64_t taken = atomic_load_explicit(&c->taken, memory_order_acquire);
	uint32_t to_end = DP_CAPTURE_RING - (uint32_t)(c->write % DP_CAPTURE_RING);
	uint32_t skip = size > to_end ? to_end : 0;

	if (c->write + skip + size - taken > DP_CAPTURE_RING)
		return NULL;
	if (skip != 0) {
		record_at(c, c->write)->size = 0;
		c->write += skip;
	}
	return record_at(c, c->write);
}

/* A tag that is not in the frame but beside it: the device took it out, or is to put it in. */
static bool
tag_beside(const struct rte_mbuf *m, bool outbound)
{
	return (m->ol_flags & (outbound ? RTE_MBUF_F_TX_VLAN : RTE_MBUF_F_RX_VLAN_STRIPPED)) != 0;
}

/* The interface that a frame of a device belongs to, by the tag that it has on the wire. */
static uint16_t
if_of(const struct dp_port *p, const struct rte_mbuf *m, bool outbound)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(m, const uint8_t *);
	uint16_t vlan = 0;
	uint8_t i;

	if (tag_beside(m, outbound))
		vlan = m->vlan_tci & WIRE_VLAN_ID;
	else if (m->data_len >= WIRE_ETH_LEN + WIRE_VLAN_TAG_LEN &&
		base_load_be16(bytes + 2 * BASE_MAC_LEN) == WIRE_ETHERTYPE_VLAN)
		vlan = base_load_be16(bytes + WIRE_ETH_LEN) & WIRE_VLAN_ID;
	if (p->vlans == NULL)
		return vlan == 0 ? p->if_index : DP_NONE;
	i = p->vlans[vlan];
	return i == DP_IF_NONE ? DP_NONE : i;
}

/* The first n bytes of a frame, from off on, however its segments lie. */
static void
copy(const struct rte_mbuf *m, uint32_t off, uint32_t n, uint8_t *to)
{
	for (; m != NULL && n > 0; m = m->next) {
		uint32_t here = m->data_len > off ? m->data_len - off : 0;

		here = here < n ? here : n;
		if (here > 0)
			memcpy(to, rte_pktmbuf_mtod_offset(m, const uint8_t *, off), here);
		off -= off < m->data_len ? off : m->data_len;
		to += here;
		n -= here;
	}
}

/* The same as it is on the wire: with a tag that is beside it after the MACs. */
static void
copy_tagged(const struct rte_mbuf *m, bool outbound, uint32_t captured, uint8_t *to)
{
	const uint32_t macs = 2 * BASE_MAC_LEN;
	uint8_t tag[WIRE_VLAN_TAG_LEN];
	uint32_t n;

	if (captured <= macs || m->pkt_len < macs || !tag_beside(m, outbound)) {
		copy(m, 0, captured, to);
		return;
	}
	base_store_be16(tag, WIRE_ETHERTYPE_VLAN);
	base_store_be16(tag + 2, m->vlan_tci);
	n = RTE_MIN(captured - macs, (uint32_t)sizeof(tag));
	copy(m, 0, macs, to);
	memcpy(to + macs, tag, n);
	copy(m, macs, captured - macs - n, to + macs + n);
}

static void
record(struct dp_lcore *lc, const struct dp_port *p, const struct rte_mbuf *m, uint64_t wall_ns,
	bool outbound)
{
	struct dp_capture *c = lc->capture_ring;
	uint16_t if_index = if_of(p, m, outbound), only = CAPTURE_IF(lc->capture);
	uint32_t len = m->pkt_len + (tag_beside(m, outbound) ? WIRE_VLAN_TAG_LEN : 0);
	uint32_t snap = CAPTURE_SNAP(lc->capture), captured = len < snap ? len : snap;
	uint32_t size = ((uint32_t)sizeof(struct record) + captured + 7) & ~UINT32_C(7);
	struct record *r;

	if (only != DP_NONE && only != if_index)
		return;
	r = room(c, size);
	if (r == NULL) {
		uint16_t i = if_index == DP_NONE ? DP_IF_MAX : if_index;

		atomic_fetch_add_explicit(&c->lost[i], 1, memory_order_relaxed);
		return;
	}
	*r = (struct record){
		.size = size,
		.len = len,
		.wall_ns = wall_ns,
		.captured = captured,
		.if_index = if_index,
		.port_id = p->port_id,
		.outbound = outbound,
	};
	copy_tagged(m, outbound, captured, r->bytes);
	c->write += size;
	if (!outbound && c->n_noted < NOTED_MAX)
		c->noted[c->n_noted++] = (struct noted){.m = m, .record = r};
}

void
dp_capture_rx_burst(
	struct dp_lcore *lc, const struct dp_port *p, struct rte_mbuf *const *pkts, uint16_t n)
{
	uint64_t wall_ns = n > 0 ? base_wall_ns() : 0;

	for (uint16_t i = 0; i < n; i++)
		record(lc, p, pkts[i], wall_ns, false);
}

/*
 * Frames are copied before the device has them, since they are its own then. What it does not take
 * is not captured as sent: those records are the last ones.
 */
uint16_t
dp_capture_tx_burst(struct dp_lcore *lc, const struct dp_port *p, uint16_t queue,
	struct rte_mbuf **pkts, uint16_t n)
{
	struct dp_capture *c = lc->capture_ring;
	uint64_t wall_ns = base_wall_ns(), after[DP_BURST + 1];
	uint16_t sent;

	after[0] = c->write;
	for (uint16_t i = 0; i < n; i++) {
		record(lc, p, pkts[i], wall_ns, true);
		after[i + 1] = c->write;
	}
	sent = rte_eth_tx_burst(p->port_id, queue, pkts, n);
	c->write = after[sent];
	/* Their mbufs may be others' before this turn ends. */
	for (uint16_t i = 0; i < sent; i++)
		dp_capture_settle(lc, pkts[i], DP_CAPTURE_PASSED, DP_DROP_COUNT);
	/* the control lcore has no turns here */
	if (dp_lcore_is_control(lc))
		dp_capture_publish(lc);
	return sent;
}

void
dp_capture_settle(
	struct dp_lcore *lc, const struct rte_mbuf *m, enum dp_capture_fate fate, enum dp_drop why)
{
	struct dp_capture *c = lc->capture_ring;

	/* What there was no buffer for, which those are like of which all is known. */
	if (m == NULL)
		return;
	for (uint32_t i = c->n_noted; i-- > 0;) {
		struct noted *n = &c->noted[i];

		if (n->m != m)
			continue;
		n->m = NULL;
		n->record->fate = (uint8_t)fate;
		n->record->why = (uint16_t)why;
		return;
	}
}

void
dp_capture_publish(struct dp_lcore *lc)
{
	struct dp_capture *c = lc->capture_ring;

	c->n_noted = 0;
	atomic_store_explicit(&c->published, c->write, memory_order_release);
}

static struct dp_capture *
capture_new(void)
{
	struct dp_capture *c = aligned_alloc(RTE_CACHE_LINE_SIZE,
		RTE_ALIGN_CEIL(sizeof(struct dp_capture), RTE_CACHE_LINE_SIZE));

	if (c == NULL)
		return NULL;
	memset(c, 0, sizeof(*c));
	c->buf = malloc(DP_CAPTURE_RING);
	if (c->buf == NULL) {
		free(c);
		return NULL;
	}
	/* So that no lcore has to wait for the kernel to find a page. */
	memset(c->buf, 0, DP_CAPTURE_RING);
	return c;
}

void
dp_capture_free(struct dp *dp)
{
	for (uint16_t i = 0; i <= dp->n_workers; i++) {
		struct dp_capture *c = dp->lcores[i] != NULL ? ring_of(dp, i) : NULL;

		if (c != NULL)
			free(c->buf);
		free(c);
	}
}

/* Forget what a ring holds, and what it has lost. */
static void
ring_clear(struct dp_capture *c)
{
	atomic_store_explicit(&c->taken, atomic_load_explicit(&c->published, memory_order_acquire),
		memory_order_release);
	for (unsigned int i = 0; i <= DP_IF_MAX; i++)
		c->lost_before[i] = atomic_load_explicit(&c->lost[i], memory_order_relaxed);
}

int
dp_capture_start(struct dp *dp, uint16_t if_index, uint32_t snap_len)
{
	if ((if_index != DP_NONE && if_index >= dp->n_ifs) || snap_len == 0 ||
		snap_len > DP_CAPTURE_SNAP_MAX)
		return -EINVAL;
	for (uint16_t i = 0; i <= dp->n_workers; i++) {
		struct dp_capture *c = ring_of(dp, i);

		if (c == NULL)
			c = capture_new();
		if (c == NULL)
			return -ENOMEM;
		ring_clear(c);
		atomic_store_explicit(&dp->lcores[i]->capture_ring, c, memory_order_release);
	}
	atomic_store_explicit(&dp->capture, CAPTURE_WORD(if_index, snap_len), memory_order_release);
	return 0;
}

void
dp_capture_stop(struct dp *dp)
{
	atomic_store_explicit(&dp->capture, 0, memory_order_release);
}

uint16_t
dp_capture_rings(const struct dp *dp)
{
	return (uint16_t)(dp->n_workers + 1);
}

bool
dp_capture_peek(struct dp *dp, uint16_t ring, struct dp_capture_frame *out)
{
	struct dp_capture *c = ring_of(dp, ring);
	uint64_t taken, published;
	const struct record *r;

	if (c == NULL)
		return false;
	taken = atomic_load_explicit(&c->taken, memory_order_relaxed);
	published = atomic_load_explicit(&c->published, memory_order_acquire);
	if (taken == published)
		return false;
	r = record_at(c, taken);
	if (r->size == 0) {
		taken += DP_CAPTURE_RING - taken % DP_CAPTURE_RING;
		atomic_store_explicit(&c->taken, taken, memory_order_release);
		if (taken == published)
			return false;
		r = record_at(c, taken);
	}
	*out = (struct dp_capture_frame){
		.wall_ns = r->wall_ns,
		.if_index = r->if_index,
		.port_id = r->port_id,
		.outbound = r->outbound != 0,
		.fate = (enum dp_capture_fate)r->fate,
		.why = (enum dp_drop)r->why,
		.len = r->len,
		.captured = r->captured,
		.bytes = r->bytes,
	};
	return true;
}

void
dp_capture_next(struct dp *dp, uint16_t ring)
{
	struct dp_capture *c = ring_of(dp, ring);
	uint64_t taken = atomic_load_explicit(&c->taken, memory_order_relaxed);

	atomic_store_explicit(&c->taken, taken + record_at(c, taken)->size, memory_order_release);
}

uint64_t
dp_capture_lost(const struct dp *dp, uint16_t if_index)
{
	uint16_t at = if_index == DP_NONE ? DP_IF_MAX : if_index;
	uint64_t n = 0;

	for (uint16_t i = 0; i <= dp->n_workers; i++) {
		const struct dp_capture *c = ring_of(dp, i);

		if (c != NULL)
			n += atomic_load_explicit(&c->lost[at], memory_order_relaxed) -
				c->lost_before[at];
	}
	return n;
}
