/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "fib_nbr.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_random.h>

#include "base_assert.h"
#include "compat_rcu.h"
#include "fib_nbr_priv.h"

#define NAME_MAX_BYTES 15
#define ENTRIES_MAX    (UINT32_C(1) << 20)

static uint64_t
key_of(uint16_t if_index, uint32_t ip)
{
	return (uint64_t)if_index << 32 | ip;
}

/* Multiply-shift with a random odd factor (Dietzfelbinger et al. 1997): a host on the LAN picks
 * the addresses, so the hash must not let it pick the bucket. The hash keeps these 32 bits with
 * the key and never asks for them again. */
static hash_sig_t
sig_of(const struct fib_nbr_table *t, uint64_t key)
{
	return (hash_sig_t)(key * t->hash_mult >> 32);
}

/* The key was written before its index was published by a store-release, and is not written again
 * before the workers' quiescence; but both happen in librte_hash, where TSan cannot see them. */
__attribute__((no_sanitize("thread"))) static int
key_differs(const void *a, const void *b, size_t len)
{
	(void)len;
	return *(const uint64_t *)a != *(const uint64_t *)b;
}

static int
hash_make(struct fib_nbr_table *t, const char *name, struct rte_rcu_qsbr *qsbr, int socket_id)
{
	char hash_name[RTE_HASH_NAMESIZE];
	struct rte_hash_parameters params = {
		.name = hash_name,
		/* Twice what it may hold: removed entries that wait for the workers keep
		 * their positions, and buckets at most half full always take a key. */
		.entries = RTE_MAX(2 * t->max, 8U),
		.key_len = sizeof(uint64_t),
		.socket_id = socket_id,
		.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF,
	};

	(void)snprintf(hash_name, sizeof(hash_name), "nbr_%s", name);
	rte_errno = 0;
	t->hash = rte_hash_create(&params);
	if (t->hash == NULL)
		return rte_errno != 0 ? -rte_errno : -ENOMEM;
	rte_hash_set_cmp_func(t->hash, key_differs);
	t->n_slots = (uint32_t)rte_hash_max_key_id(t->hash) + 1;
	if (qsbr == NULL)
		return 0;
	t->reclaims = true;
	return compat_hash_rcu_qsbr_add(t->hash, qsbr);
}

struct fib_nbr_table *
fib_nbr_create(
	const char *name, uint32_t max, uint16_t if_count, struct rte_rcu_qsbr *qsbr, int socket_id)
{
	struct fib_nbr_table *t;
	uint64_t share;
	int ret;

	if (max == 0 || max > ENTRIES_MAX || if_count == 0 || strlen(name) > NAME_MAX_BYTES) {
		errno = EINVAL;
		return NULL;
	}
	t = rte_zmalloc_socket("fib_nbr", sizeof(*t), RTE_CACHE_LINE_SIZE, socket_id);
	if (t == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	share = (uint64_t)(max / if_count) * 2;
	t->max = max;
	t->share = (uint32_t)RTE_MIN(RTE_MAX(share, 1U), max);
	t->pending_max = RTE_MAX(t->share / 4, 1U);
	t->n_ifs = if_count;
	t->hash_mult = rte_rand() | 1;
	for (uint16_t i = 0; i < FIB_NBR_HOLD_TOTAL; i++)
		t->hold[i].next = i + 1 < FIB_NBR_HOLD_TOTAL ? (uint16_t)(i + 1) : NBR_HOLD_NONE;

	ret = hash_make(t, name, qsbr, socket_id);
	if (ret < 0)
		goto fail;
	ret = -ENOMEM;
	t->word = rte_zmalloc_socket(
		"fib_nbr", t->n_slots * sizeof(*t->word), RTE_CACHE_LINE_SIZE, socket_id);
	t->entry = rte_zmalloc_socket(
		"fib_nbr", t->n_slots * sizeof(*t->entry), RTE_CACHE_LINE_SIZE, socket_id);
	t->ifs = rte_zmalloc_socket("fib_nbr", if_count * sizeof(*t->ifs), 0, socket_id);
	t->heap_mem = rte_zmalloc_socket("fib_nbr", base_heap_size(t->n_slots), 0, socket_id);
	if (t->word == NULL || t->entry == NULL || t->ifs == NULL || t->heap_mem == NULL)
		goto fail;
	base_heap_init(&t->heap, t->n_slots, t->heap_mem);
	return t;
fail:
	fib_nbr_destroy(t);
	errno = -ret;
	return NULL;
}

void
fib_nbr_destroy(struct fib_nbr_table *t)
{
	if (t == NULL)
		return;
	for (uint32_t i = 0; t->entry != NULL && i < t->n_slots; i++) {
		uint16_t at = t->entry[i].held > 0 ? t->entry[i].hold_first : NBR_HOLD_NONE;

		for (; at != NBR_HOLD_NONE; at = t->hold[at].next)
			rte_pktmbuf_free(t->hold[at].m);
	}
	rte_hash_free(t->hash);
	rte_free(t->word);
	rte_free(t->entry);
	rte_free(t->ifs);
	rte_free(t->heap_mem);
	rte_free(t);
}

uint32_t
fib_nbr_slot_find(const struct fib_nbr_table *t, uint16_t if_index, uint32_t ip)
{
	uint64_t key = key_of(if_index, ip);
	int32_t pos = rte_hash_lookup_with_hash(t->hash, &key, sig_of(t, key));

	return pos < 0 ? NBR_NONE : (uint32_t)pos;
}

bool
fib_nbr_lookup(
	const struct fib_nbr_table *t, uint16_t if_index, uint32_t ip, uint8_t mac[BASE_MAC_LEN])
{
	uint32_t slot = fib_nbr_slot_find(t, if_index, ip);
	uint64_t word;

	if (slot == NBR_NONE)
		return false;
	/* The slot may have been emptied since; see fib_nbr_priv.h for why that does no harm. */
	word = __atomic_load_n(&t->word[slot], __ATOMIC_RELAXED);
	if (!nbr_state_usable(nbr_word_state(word)))
		return false;
	nbr_word_mac(word, mac);
	return true;
}

void
fib_nbr_slot_publish(struct fib_nbr_table *t, uint32_t slot, enum fib_nbr_state state,
	const uint8_t mac[BASE_MAC_LEN], base_ns_t now)
{
	struct nbr_entry *e = &t->entry[slot];
	struct nbr_if *ifc = &t->ifs[nbr_id_if(e->id)];
	uint64_t old = t->word[slot];
	uint64_t word = (uint64_t)state << NBR_STATE_SHIFT | (old & NBR_MAC_MASK);

	if (mac != NULL)
		word = nbr_word(state, mac);
	if (nbr_state_pending(nbr_word_state(old)))
		ifc->pending--;
	if (nbr_state_pending(state))
		ifc->pending++;
	__atomic_store_n(&e->updated, now, __ATOMIC_RELEASE);
	__atomic_store_n(&t->word[slot], word, __ATOMIC_RELEASE);
}

uint32_t
fib_nbr_slot_add(struct fib_nbr_table *t, uint16_t if_index, uint32_t ip, enum fib_nbr_state state,
	const uint8_t mac[BASE_MAC_LEN], base_ns_t now)
{
	static const uint8_t no_mac[BASE_MAC_LEN];
	uint64_t key = key_of(if_index, ip);
	uint64_t generation;
	struct nbr_entry *e;
	int32_t pos = -1;

	if (if_index < t->n_ifs && t->count.entries < t->max &&
		t->ifs[if_index].entries < t->share &&
		(!nbr_state_pending(state) || t->ifs[if_index].pending < t->pending_max))
		pos = rte_hash_add_key_with_hash(t->hash, &key, sig_of(t, key));
	if (pos < 0) {
		NBR_ADD(t->count.table_full, 1);
		return NBR_NONE;
	}
	/* A worker may find the position from here on; its word is still that of no neighbour. */
	BASE_ASSERT((uint32_t)pos < t->n_slots && t->word[pos] == 0);
	e = &t->entry[pos];
	generation = (e->id >> NBR_GEN_SHIFT) + 1;
	e->asked = 0;
	__atomic_store_n(&e->id, generation << NBR_GEN_SHIFT | key, __ATOMIC_RELEASE);
	__atomic_store_n(&e->held, 0, __ATOMIC_RELEASE);
	t->ifs[if_index].entries++;
	NBR_ADD(t->count.entries, 1);
	fib_nbr_slot_publish(t, (uint32_t)pos, state, mac != NULL ? mac : no_mac, now);
	return (uint32_t)pos;
}

void
fib_nbr_slot_remove(struct fib_nbr_table *t, uint32_t slot)
{
	struct nbr_entry *e = &t->entry[slot];
	uint64_t key = e->id & ((UINT64_C(1) << NBR_GEN_SHIFT) - 1);
	struct nbr_if *ifc = &t->ifs[nbr_id_if(e->id)];
	int32_t pos;

	BASE_ASSERT(e->held == 0);
	if (nbr_state_pending(nbr_word_state(t->word[slot])))
		ifc->pending--;
	ifc->entries--;
	NBR_SUB(t->count.entries, 1);
	base_heap_set(&t->heap, slot, BASE_NS_NEVER);
	/* Empty first, then delete: once the grace period begins no worker can take the MAC from
	 * here any more, and the next user of the position finds it empty. */
	__atomic_store_n(&t->word[slot], 0, __ATOMIC_RELEASE);
	pos = rte_hash_del_key_with_hash(t->hash, &key, sig_of(t, key));
	BASE_ASSERT(pos == (int32_t)slot);
	if (!t->reclaims)
		rte_hash_free_key_with_position(t->hash, pos);
}

uint16_t
fib_nbr_hold_take(struct fib_nbr_table *t)
{
	uint16_t place = t->hold_free;

	if (place == NBR_HOLD_NONE)
		return NBR_HOLD_NONE;
	t->hold_free = t->hold[place].next;
	NBR_ADD(t->count.held, 1);
	return place;
}

void
fib_nbr_hold_give(struct fib_nbr_table *t, uint16_t place)
{
	t->hold[place].m = NULL;
	t->hold[place].next = t->hold_free;
	t->hold_free = place;
	NBR_SUB(t->count.held, 1);
}

/* False when the slot is empty, or so busy that no moment of it was seen. */
static bool
row_read(const struct fib_nbr_table *t, uint32_t slot, struct fib_nbr_row *row)
{
	const struct nbr_entry *e = &t->entry[slot];

	for (unsigned int tries = 0; tries < 8; tries++) {
		uint64_t id = __atomic_load_n(&e->id, __ATOMIC_ACQUIRE);
		uint64_t word = __atomic_load_n(&t->word[slot], __ATOMIC_ACQUIRE);

		row->updated = __atomic_load_n(&e->updated, __ATOMIC_ACQUIRE);
		row->held = __atomic_load_n(&e->held, __ATOMIC_ACQUIRE);
		if (__atomic_load_n(&e->id, __ATOMIC_RELAXED) != id)
			continue;
		row->if_index = nbr_id_if(id);
		row->ip = (uint32_t)id;
		row->state = nbr_word_state(word);
		nbr_word_mac(word, row->mac);
		return row->state != FIB_NBR_ABSENT;
	}
	return false;
}

uint32_t
fib_nbr_rows(
	const struct fib_nbr_table *t, uint32_t *cursor, struct fib_nbr_row *rows, uint32_t cap)
{
	uint32_t n = 0;

	for (; n < cap && *cursor < t->n_slots; ++*cursor) {
		if (row_read(t, *cursor, &rows[n]))
			n++;
	}
	return n;
}

void
fib_nbr_stats(const struct fib_nbr_table *t, struct fib_nbr_stats *out)
{
	const struct nbr_counters *c = &t->count;

	out->requests = __atomic_load_n(&c->requests, __ATOMIC_RELAXED);
	out->learned = __atomic_load_n(&c->learned, __ATOMIC_RELAXED);
	out->failed = __atomic_load_n(&c->failed, __ATOMIC_RELAXED);
	out->hold_dropped = __atomic_load_n(&c->hold_dropped, __ATOMIC_RELAXED);
	out->table_full = __atomic_load_n(&c->table_full, __ATOMIC_RELAXED);
	out->entries = __atomic_load_n(&c->entries, __ATOMIC_RELAXED);
	out->held = __atomic_load_n(&c->held, __ATOMIC_RELAXED);
}

const char *
fib_nbr_state_name(enum fib_nbr_state s)
{
	switch (s) {
	case FIB_NBR_ABSENT:
		return "absent";
	case FIB_NBR_INCOMPLETE:
		return "incomplete";
	case FIB_NBR_REACHABLE:
		return "reachable";
	case FIB_NBR_PROBE:
		return "probe";
	case FIB_NBR_FAILED:
		return "failed";
	}
	return "?";
}
