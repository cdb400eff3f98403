/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Rings from workers to the control lcore: one per producer, group and class, but two for adverts
 * of a group, from known and from unknown sources, and three of an interface: for ARP and ND that
 * anybody sends, for answers to ours, so that no flood of requests keeps us from neighbours, and
 * for answers to our pings, which must not keep us from anything; all of a producer in one block of
 * memory (memzones would run out at 2,560). A producer sets the ready bit of a ring, or of a
 * group's two, after it enqueued, control clears it before it dequeues: whatever control does not
 * see in the ring has its bit set again.
 */
#include "dp_priv.h"

#include <assert.h>
#include <errno.h>

#include <rte_malloc.h>

/* What an interface has punt rings for. */
enum if_ring {
	IF_RING_ASKED = 0, /* what anybody sends: requests, announcements, queries */
	IF_RING_ANSWERS,   /* of neighbours that are in the table, to us alone */
	IF_RING_PROBE,	   /* answers to our own echo requests */
	IF_RING_RESOLVE,   /* packets that leave by it and have no MAC */
};
static_assert(IF_RING_RESOLVE + 1 == DP_IF_PUNT_RINGS, "one of each");

static uint32_t
if_ring(const struct dp *dp, enum if_ring kind, uint16_t if_index)
{
	return dp->n_groups + (uint32_t)kind * dp->n_ifs + if_index;
}

/* For packets that wait for a next hop. */
static bool
ring_resolves(const struct dp *dp, enum dp_set_id set, uint32_t ring)
{
	return set == DP_SET_PUNTS && ring >= if_ring(dp, IF_RING_RESOLVE, 0);
}

static uint32_t
ring_slots(const struct dp *dp, enum dp_set_id set, uint32_t ring)
{
	if (set == DP_SET_ADVERTS)
		return ring < dp->n_groups ? DP_KNOWN_RING_SLOTS : DP_UNKNOWN_RING_SLOTS;
	return ring < dp->n_groups ? DP_GROUP_RING_SLOTS : DP_IF_RING_SLOTS;
}

/* Control's own source has only the rings that it can be a producer of. */
static bool
ring_wanted(const struct dp *dp, bool all, enum dp_set_id set, uint32_t ring)
{
	return all || ring_resolves(dp, set, ring);
}

int
dp_source_init(struct dp *dp, struct dp_source *s, bool all, int socket_id)
{
	size_t at = 0;
	char *block;

	for (int pass = 0; pass < 2; pass++) {
		block = s->block;
		at = 0;
		for (unsigned int set = 0; set < DP_SET_COUNT; set++) {
			if (pass == 1) {
				s->set[set].ready = (void *)(block + at);
			}
			at += RTE_ALIGN_CEIL(
				dp->n_words[set] * sizeof(uint64_t), (size_t)RTE_CACHE_LINE_SIZE);
			if (pass == 1)
				s->set[set].rings = (void *)(block + at);
			at += RTE_ALIGN_CEIL(dp->n_rings[set] * sizeof(struct rte_ring *),
				(size_t)RTE_CACHE_LINE_SIZE);
			if (set == DP_SET_ADVERTS && all) {
				if (pass == 1)
					s->set[set].owed = (void *)(block + at);
				at += RTE_ALIGN_CEIL(dp->n_rings[set] * sizeof(uint16_t),
					(size_t)RTE_CACHE_LINE_SIZE);
			}
			for (uint32_t r = 0; r < dp->n_rings[set]; r++) {
				uint32_t slots = ring_slots(dp, set, r);

				if (!ring_wanted(dp, all, set, r))
					continue;
				if (pass == 1) {
					struct rte_ring *ring = (void *)(block + at);

					if (rte_ring_init(ring, "koi_punt", slots,
						    RING_F_SP_ENQ | RING_F_SC_DEQ) != 0)
						return -EINVAL;
					s->set[set].rings[r] = ring;
				}
				at += (size_t)rte_ring_get_memsize(slots);
			}
		}
		if (pass == 0) {
			s->block =
				rte_zmalloc_socket("koi_rings", at, RTE_CACHE_LINE_SIZE, socket_id);
			if (s->block == NULL)
				return -ENOMEM;
		}
	}
	return 0;
}

void
dp_source_free(struct dp *dp, struct dp_source *s)
{
	void *m;

	if (s->block == NULL)
		return;
	for (unsigned int set = 0; set < DP_SET_COUNT; set++) {
		for (uint32_t r = 0; r < dp->n_rings[set]; r++) {
			if (s->set[set].rings == NULL || s->set[set].rings[r] == NULL)
				continue;
			while (rte_ring_sc_dequeue(s->set[set].rings[r], &m) == 0)
				rte_pktmbuf_free(m);
		}
	}
	rte_free(s->block);
	s->block = NULL;
}

bool
dp_punt(struct dp_lcore *lc, enum dp_set_id set, uint32_t ring, struct rte_mbuf *m,
	enum dp_drop full)
{
	struct dp_set *s = &lc->src->set[set];
	uint32_t n_bits = lc->dp->n_bits[set], bit = ring < n_bits ? ring : ring - n_bits;

	if (unlikely(rte_ring_sp_enqueue(s->rings[ring], m) != 0)) {
		dp_drop(lc, m, full);
		return false;
	}
	if (unlikely(lc->capture != 0))
		dp_capture_settle(lc, m,
			ring_resolves(lc->dp, set, ring) ? DP_CAPTURE_RESOLVE : DP_CAPTURE_CONTROL,
			DP_DROP_COUNT);
	atomic_fetch_or_explicit(
		&s->ready[bit / 64], UINT64_C(1) << (bit % 64), memory_order_release);
	return true;
}

void
dp_punt_advert(struct dp_lcore *lc, struct rte_mbuf *m, uint8_t vhid, uint64_t source)
{
	const struct dp *dp = lc->dp;
	uint16_t group = dp_addrs(lc, lc->in)->group_of_vhid[vhid];
	enum dp_drop full = DP_DROP_ADVERT_RING_FULL;
	uint32_t ring = group;

	if (group == DP_NONE) {
		ring = (uint32_t)dp->n_groups + lc->in->index;
	} else if (!dp_group_knows(dp, group, source)) {
		ring = dp->n_bits[DP_SET_ADVERTS] + group;
		full = DP_DROP_ADVERT_UNKNOWN_RING_FULL;
	}
	if (dp_punt(lc, DP_SET_ADVERTS, ring, m, full))
		dp_count(&lc->c.punted_adverts, 1);
}

void
dp_punt_group_arp(struct dp_lcore *lc, struct rte_mbuf *m, uint16_t group)
{
	if (dp_punt(lc, DP_SET_PUNTS, group, m, DP_DROP_PUNT_RING_FULL))
		dp_count(&lc->c.punted_arp, 1);
}

void
dp_punt_if_arp(struct dp_lcore *lc, struct rte_mbuf *m)
{
	if (dp_punt(lc, DP_SET_PUNTS, if_ring(lc->dp, IF_RING_ASKED, lc->in->index), m,
		    DP_DROP_PUNT_RING_FULL))
		dp_count(&lc->c.punted_arp, 1);
}

void
dp_punt_answer(struct dp_lcore *lc, struct rte_mbuf *m)
{
	if (dp_punt(lc, DP_SET_PUNTS, if_ring(lc->dp, IF_RING_ANSWERS, lc->in->index), m,
		    DP_DROP_ANSWER_RING_FULL))
		dp_count(&lc->c.punted_arp, 1);
}

void
dp_punt_probe(struct dp_lcore *lc, struct rte_mbuf *m)
{
	if (dp_punt(lc, DP_SET_PUNTS, if_ring(lc->dp, IF_RING_PROBE, lc->in->index), m,
		    DP_DROP_PUNT_RING_FULL))
		dp_count(&lc->c.punted_probe, 1);
}

void
dp_punt_resolve(struct dp_lcore *lc, struct rte_mbuf *m, const struct dp_if *out,
	const struct base_addr *next_hop)
{
	/* Its neighbours are not looked up: all that would leave by it comes here. */
	if (unlikely(dp_if_down(out))) {
		dp_drop(lc, m, DP_DROP_IF_DOWN);
		return;
	}
	dp_meta(m)->next_hop = *next_hop;
	rte_pktmbuf_adj(m, WIRE_ETH_LEN);
	if (dp_punt(lc, DP_SET_PUNTS, if_ring(lc->dp, IF_RING_RESOLVE, out->index), m,
		    DP_DROP_RESOLVE_RING_FULL))
		dp_count(&lc->c.punted_resolve, 1);
}

static void
punt_describe(const struct dp *dp, enum dp_set_id set, uint32_t ring, struct dp_punt *out)
{
	static const enum dp_punt_class cls[DP_IF_PUNT_RINGS] = {
		[IF_RING_ASKED] = DP_PUNT_IF_ARP,
		[IF_RING_ANSWERS] = DP_PUNT_IF_ARP,
		[IF_RING_PROBE] = DP_PUNT_PROBE,
		[IF_RING_RESOLVE] = DP_PUNT_RESOLVE,
	};

	out->next_hop.family = BASE_FAMILY_NONE;
	out->known_source = set == DP_SET_ADVERTS && ring < dp->n_groups;
	if (ring >= dp->n_bits[set])
		ring -= dp->n_bits[set];
	if (ring < dp->n_groups) {
		out->cls = set == DP_SET_ADVERTS ? DP_PUNT_ADVERT : DP_PUNT_GROUP_ARP;
		out->group = (uint16_t)ring;
		out->if_index = dp_roster_now(dp)->groups[ring].if_index;
		return;
	}
	ring -= dp->n_groups;
	out->group = DP_NONE;
	out->if_index = (uint16_t)(ring % dp->n_ifs);
	out->cls = set == DP_SET_ADVERTS ? DP_PUNT_ADVERT : cls[ring / dp->n_ifs];
	if (out->cls != DP_PUNT_RESOLVE)
		return;
	out->next_hop = dp_meta(out->m)->next_hop;
	if (dp_meta(out->m)->kind == DP_KIND_ASK) {
		rte_pktmbuf_free(out->m);
		out->m = NULL;
	}
}

#define TAKE_MAX 64

/* Take from one ring; *left tells whether something stayed behind. */
static uint32_t
ring_take(struct dp *dp, enum dp_set_id set, struct dp_set *s, uint32_t ring, struct dp_punt *out,
	uint32_t n, bool *left)
{
	struct rte_ring *r = s->rings[ring];
	void *m[TAKE_MAX];
	uint32_t done = 0;
	unsigned int available = 0;

	do {
		uint32_t got = rte_ring_sc_dequeue_burst(
			r, m, RTE_MIN(n - done, (uint32_t)TAKE_MAX), &available);

		for (uint32_t i = 0; i < got; i++) {
			out[done + i].m = m[i];
			punt_describe(dp, set, ring, &out[done + i]);
		}
		done += got;
	} while (available != 0 && done < n);
	*left = available != 0;
	if (s->owed != NULL && s->owed[ring] != 0) {
		uint16_t paid = (uint16_t)RTE_MIN(done, (uint32_t)s->owed[ring]);

		s->owed[ring] = (uint16_t)(s->owed[ring] - paid);
		dp->adverts_owed -= paid;
	}
	return done;
}

static void
ring_flush(struct dp *dp, struct dp_set *s, uint32_t ring)
{
	void *m;

	while (rte_ring_sc_dequeue(s->rings[ring], &m) == 0)
		dp_drop(dp_control(dp), m, DP_DROP_GROUP_GONE);
	if (s->owed != NULL) {
		dp->adverts_owed -= s->owed[ring];
		s->owed[ring] = 0;
	}
}

void
dp_group_flush(struct dp *dp, uint16_t group)
{
	for (uint16_t w = 0; w < dp->n_workers; w++) {
		struct dp_set *s = dp->sources[w].set;

		ring_flush(dp, &s[DP_SET_ADVERTS], group);
		ring_flush(dp, &s[DP_SET_ADVERTS], dp->n_bits[DP_SET_ADVERTS] + group);
		ring_flush(dp, &s[DP_SET_PUNTS], group);
	}
}

/* Take from the ring or rings of one ready bit. */
static uint32_t
bit_take(struct dp *dp, enum dp_set_id set, struct dp_set *s, uint32_t bit, struct dp_punt *out,
	uint32_t n, bool *left)
{
	uint32_t unknown = dp->n_bits[set] + bit, done;
	bool more;

	if (unlikely(bit < dp->n_groups && dp_roster_now(dp)->groups[bit].vhid == 0)) {
		/* By a worker that had not seen yet that the group is gone. */
		ring_flush(dp, s, bit);
		if (unknown < dp->n_rings[set])
			ring_flush(dp, s, unknown);
		*left = false;
		return 0;
	}
	if (unknown >= dp->n_rings[set])
		return ring_take(dp, set, s, bit, out, n, left);
	/* Known sources first; one place is for the others if they want it. */
	more = n > 1 && !rte_ring_empty(s->rings[unknown]);
	done = ring_take(dp, set, s, bit, out, n - more, left);
	done += ring_take(dp, set, s, unknown, &out[done], n - done, &more);
	*left |= more;
	return done;
}

/*
 * One round over the ready bits of all producers, from where the last round ended, to the bit: a
 * flood on the rings of low numbers must not starve the others when cap is small.
 */
static uint32_t
set_poll(struct dp *dp, enum dp_set_id set, struct dp_punt *out, uint32_t cap, uint32_t per_ring)
{
	struct dp_cursor *cur = &dp->cursor[set];
	uint32_t words = dp->n_words[set], total = words * (dp->n_workers + UINT32_C(1));
	uint32_t at = cur->word, bit = cur->bit, n = 0;

	/* The first step's word comes again as the last one, for the bits before the cursor. */
	for (uint32_t step = 0; step <= total && n < cap && per_ring != 0; step++) {
		uint64_t mask = step == 0 ? UINT64_MAX << bit
			: step == total	  ? ~(UINT64_MAX << bit)
					  : UINT64_MAX;
		struct dp_set *s = &dp->sources[at / words].set[set];
		_Atomic uint64_t *word = &s->ready[at % words];
		uint64_t bits = atomic_load_explicit(word, memory_order_relaxed) & mask;
		uint64_t again = 0;

		if (bits != 0)
			bits = atomic_fetch_and_explicit(word, ~mask, memory_order_acquire) & mask;
		while (bits != 0) {
			uint32_t b = (uint32_t)__builtin_ctzll(bits);
			bool left;

			if (n == cap) {
				atomic_fetch_or_explicit(word, bits | again, memory_order_relaxed);
				*cur = (struct dp_cursor){.word = at, .bit = b};
				return n;
			}
			bits &= bits - 1;
			n += bit_take(dp, set, s, at % words * 64 + b, &out[n],
				RTE_MIN(per_ring, cap - n), &left);
			if (left)
				again |= UINT64_C(1) << b;
		}
		if (again != 0)
			atomic_fetch_or_explicit(word, again, memory_order_relaxed);
		at = (at + 1) % total;
	}
	*cur = (struct dp_cursor){.word = at, .bit = 0};
	return n;
}

uint32_t
dp_poll_adverts(struct dp *dp, struct dp_punt *out, uint32_t cap, uint32_t per_group)
{
	return set_poll(dp, DP_SET_ADVERTS, out, cap, per_group);
}

/* A ring whose bit is not set is empty, or what is in it came after the horizon was published. */
void
dp_adverts_mark(struct dp *dp)
{
	const uint32_t n_bits = dp->n_bits[DP_SET_ADVERTS], n_rings = dp->n_rings[DP_SET_ADVERTS];

	dp->adverts_owed = 0;
	for (uint16_t w = 0; w < dp->n_workers; w++) {
		struct dp_set *s = &dp->sources[w].set[DP_SET_ADVERTS];

		for (uint32_t ring = 0; ring < n_rings; ring++) {
			uint32_t bit = ring < n_bits ? ring : ring - n_bits;
			uint64_t word =
				atomic_load_explicit(&s->ready[bit / 64], memory_order_acquire);

			s->owed[ring] = word >> (bit % 64) & 1
				? (uint16_t)rte_ring_count(s->rings[ring])
				: 0;
			dp->adverts_owed += s->owed[ring];
		}
	}
}

bool
dp_adverts_passed(const struct dp *dp)
{
	return dp->adverts_owed == 0;
}

uint32_t
dp_poll_punts(struct dp *dp, struct dp_punt *out, uint32_t cap, uint32_t per_ring)
{
	return set_poll(dp, DP_SET_PUNTS, out, cap, per_ring);
}
