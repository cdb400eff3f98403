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
#include "fib_nbr_key_priv.h"
#include "fib_nbr_priv.h"

#define NAME_MAX_BYTES 15
#define ENTRIES_MAX    (UINT32_C(1) << 20)

static inline uint32_t
slot_of(int32_t pos, uint32_t first)
{
	return pos < 0 ? NBR_NONE : first + (uint32_t)pos;
}

static inline uint32_t
slot_find4(const struct fib_nbr_table *t, uint16_t if_index, uint32_t ip)
{
	struct nbr_key k = nbr_key4(if_index, ip);

	return slot_of(rte_hash_lookup_with_hash(t->hash[NBR_IP4], &k, nbr_sig4(t, &k)), 0);
}

static inline uint32_t
slot_find6(const struct fib_nbr_table *t, uint16_t if_index, const uint8_t ip[16])
{
	struct nbr_key k = nbr_key6(if_index, ip);

	return slot_of(rte_hash_lookup_with_hash(t->hash[NBR_IP6], &k, nbr_sig6(t, &k)), t->first6);
}

uint32_t
fib_nbr_slot_find(const struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr)
{
	return addr->family == BASE_FAMILY_IP4 ? slot_find4(t, if_index, base_addr_ip4(addr))
					       : slot_find6(t, if_index, addr->bytes);
}

/* The key was written before its index was published by a store-release, and is not written again
 * before the workers' quiescence; but both happen in librte_hash, where TSan cannot see them. */
__attribute__((no_sanitize("thread"))) static int
key4_differs(const void *a, const void *b, size_t len)
{
	(void)len;
	return *(const uint64_t *)a != *(const uint64_t *)b;
}

__attribute__((no_sanitize("thread"))) static int
key6_differs(const void *pa, const void *pb, size_t len)
{
	const uint64_t *a = pa;
	const uint64_t *b = pb;

	(void)len;
	return a[2] != b[2] || a[1] != b[1] || a[0] != b[0];
}

static int
hash_make(struct fib_nbr_table *t, unsigned int family, const char *name, struct rte_rcu_qsbr *qsbr,
	int socket_id)
{
	char hash_name[RTE_HASH_NAMESIZE];
	struct rte_hash_parameters params = {
		.name = hash_name,
		/* Twice what it may hold: removed entries that wait for the workers keep
		 * their positions, and buckets at most half full always take a key. */
		.entries = RTE_MAX(2 * t->max, 8U),
		.key_len = family == NBR_IP4 ? sizeof(uint64_t) : sizeof(struct nbr_key),
		.socket_id = socket_id,
		.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF,
	};

	(void)snprintf(hash_name, sizeof(hash_name), "nbr%u_%s", family == NBR_IP4 ? 4 : 6, name);
	rte_errno = 0;
	t->hash[family] = rte_hash_create(&params);
	if (t->hash[family] == NULL)
		return rte_errno == EEXIST ? -EEXIST : -ENOMEM; /* or what else it stumbled over */
	rte_hash_set_cmp_func(t->hash[family], family == NBR_IP4 ? key4_differs : key6_differs);
	t->first6 = t->n_slots;
	t->n_slots += (uint32_t)rte_hash_max_key_id(t->hash[family]) + 1;
	if (qsbr == NULL)
		return 0;
	t->reclaims = true;
	return compat_hash_rcu_qsbr_add(t->hash[family], qsbr);
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
	t->part = RTE_MAX(t->share / 4, 1U);
	t->floor = max / if_count / 2;
	for (unsigned int f = 0; f < NBR_FAMILIES; f++)
		t->promised[f] = t->floor * if_count;
	t->n_ifs = if_count;
	t->hash_mult = rte_rand() | 1;
	for (uint16_t i = 0; i < FIB_NBR_HOLD_TOTAL; i++)
		t->hold[i].next = i + 1 < FIB_NBR_HOLD_TOTAL ? (uint16_t)(i + 1) : NBR_HOLD_NONE;

	for (unsigned int i = 0; i < RTE_DIM(t->hash_mult6); i++)
		t->hash_mult6[i] = rte_rand();

	ret = hash_make(t, NBR_IP4, name, qsbr, socket_id);
	if (ret == 0)
		ret = hash_make(t, NBR_IP6, name, qsbr, socket_id);
	if (ret < 0)
		goto fail;
	ret = -ENOMEM;
	t->seen = rte_zmalloc_socket(
		"fib_nbr", t->n_slots * sizeof(*t->seen), RTE_CACHE_LINE_SIZE, socket_id);
	t->entry = rte_zmalloc_socket(
		"fib_nbr", t->n_slots * sizeof(*t->entry), RTE_CACHE_LINE_SIZE, socket_id);
	t->ifs = rte_zmalloc_socket("fib_nbr", if_count * sizeof(*t->ifs), 0, socket_id);
	t->warm = rte_zmalloc_socket("fib_nbr", if_count * sizeof(*t->warm), 0, socket_id);
	t->heap_mem = rte_zmalloc_socket("fib_nbr", base_heap_size(t->n_slots), 0, socket_id);
	if (t->seen == NULL || t->entry == NULL || t->ifs == NULL || t->warm == NULL ||
		t->heap_mem == NULL || fib_nbr_macs_init(&t->macs[NBR_IP4], max, socket_id) != 0 ||
		fib_nbr_macs_init(&t->macs[NBR_IP6], max, socket_id) != 0)
		goto fail;
	for (uint16_t i = 0; i < if_count; i++)
		for (unsigned int f = 0; f < NBR_FAMILIES; f++)
			t->ifs[i][f].oldest = t->ifs[i][f].newest = NBR_NONE;
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
	rte_hash_free(t->hash[NBR_IP4]);
	rte_hash_free(t->hash[NBR_IP6]);
	fib_nbr_macs_free(&t->macs[NBR_IP4]);
	fib_nbr_macs_free(&t->macs[NBR_IP6]);
	rte_free(t->seen);
	rte_free(t->entry);
	rte_free(t->ifs);
	rte_free(t->warm);
	rte_free(t->heap_mem);
	rte_free(t);
}

static inline bool
slot_mac(const struct fib_nbr_table *t, uint32_t slot, uint8_t mac[BASE_MAC_LEN])
{
	struct nbr_seen *seen;
	uint64_t word;

	if (slot == NBR_NONE)
		return false;
	seen = &t->seen[slot];
	/* The slot may have been emptied since; see fib_nbr_priv.h for why that does no harm. */
	word = __atomic_load_n(&seen->word, __ATOMIC_RELAXED);
	if (!nbr_state_usable(nbr_word_state(word)))
		return false;
	/* Looked at first: workers that use the same neighbour share the cache line. */
	if (__atomic_load_n(&seen->used, __ATOMIC_RELAXED) == 0)
		__atomic_store_n(&seen->used, 1, __ATOMIC_RELAXED);
	nbr_word_mac(word, mac);
	return true;
}

bool
fib_nbr_lookup(
	const struct fib_nbr_table *t, uint16_t if_index, uint32_t ip, uint8_t mac[BASE_MAC_LEN])
{
	return slot_mac(t, slot_find4(t, if_index, ip), mac);
}

bool
fib_nbr_lookup6(const struct fib_nbr_table *t, uint16_t if_index, const uint8_t ip[16],
	uint8_t mac[BASE_MAC_LEN])
{
	return slot_mac(t, slot_find6(t, if_index, ip), mac);
}

bool
fib_nbr_has(const struct fib_nbr_table *t, uint16_t if_index, uint32_t ip)
{
	return slot_find4(t, if_index, ip) != NBR_NONE;
}

bool
fib_nbr_has6(const struct fib_nbr_table *t, uint16_t if_index, const uint8_t ip[16])
{
	return slot_find6(t, if_index, ip) != NBR_NONE;
}

static uint64_t
mac_key(uint16_t if_index, uint64_t word)
{
	return (uint64_t)if_index << NBR_STATE_SHIFT | (word & NBR_MAC_MASK);
}

/* Take the entry as it is into the sums that the limits are about, or out of them. */
static void
account(struct fib_nbr_table *t, uint32_t slot, bool in)
{
	const struct nbr_entry *e = &t->entry[slot];
	unsigned int family = nbr_slot_family(t, slot);
	uint16_t if_index = nbr_id_if(e->id);
	struct nbr_use *use = &t->ifs[if_index][family];
	uint64_t word = t->seen[slot].word;
	uint32_t one = in ? 1 : UINT32_MAX;

	if (nbr_state_pending(nbr_word_state(word)))
		use->pending += one;
	if (e->unproven)
		use->unproven += one;
	if (!nbr_state_usable(nbr_word_state(word)))
		return;
	if (in)
		fib_nbr_macs_add(&t->macs[family], mac_key(if_index, word), e->unproven);
	else
		fib_nbr_macs_sub(&t->macs[family], mac_key(if_index, word), e->unproven);
}

/* The pending of an interface in the order in which they began: entries begin so or never are. */
static void
pending_in(struct fib_nbr_table *t, uint32_t slot)
{
	struct nbr_entry *e = &t->entry[slot];
	struct nbr_use *use = &t->ifs[nbr_id_if(e->id)][nbr_slot_family(t, slot)];

	e->older = use->newest;
	e->newer = NBR_NONE;
	if (e->older != NBR_NONE)
		t->entry[e->older].newer = slot;
	else
		use->oldest = slot;
	use->newest = slot;
}

static void
pending_out(struct fib_nbr_table *t, uint32_t slot)
{
	const struct nbr_entry *e = &t->entry[slot];
	struct nbr_use *use = &t->ifs[nbr_id_if(e->id)][nbr_slot_family(t, slot)];

	if (e->older != NBR_NONE)
		t->entry[e->older].newer = e->newer;
	else
		use->oldest = e->newer;
	if (e->newer != NBR_NONE)
		t->entry[e->newer].older = e->older;
	else
		use->newest = e->older;
}

uint32_t
fib_nbr_slot_oldest(const struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	base_ns_t now)
{
	unsigned int family = addr->family == BASE_FAMILY_IP4 ? NBR_IP4 : NBR_IP6;
	const struct nbr_entry *e;
	const struct nbr_use *use;

	if (if_index >= t->n_ifs)
		return NBR_NONE;
	use = &t->ifs[if_index][family];
	if (use->pending < t->part)
		return NBR_NONE;
	e = &t->entry[use->oldest];
	/* Of those that failed the requests are counted still. */
	return e->asked > 1 || base_ns_since(now, e->updated) >= FIB_NBR_YIELD_NS ? use->oldest
										  : NBR_NONE;
}

void
fib_nbr_slot_publish(struct fib_nbr_table *t, uint32_t slot, enum fib_nbr_state state,
	const uint8_t mac[BASE_MAC_LEN], base_ns_t now)
{
	struct nbr_entry *e = &t->entry[slot];
	enum fib_nbr_state before = nbr_word_state(t->seen[slot].word);
	uint64_t word = (uint64_t)state << NBR_STATE_SHIFT | (t->seen[slot].word & NBR_MAC_MASK);

	if (nbr_state_pending(before) && !nbr_state_pending(state))
		pending_out(t, slot);
	else if (!nbr_state_pending(before) && nbr_state_pending(state))
		pending_in(t, slot);
	if (mac != NULL)
		word = nbr_word(state, mac);
	account(t, slot, false);
	/* Confirmed, or vouched for by the operator. */
	if (state == FIB_NBR_REACHABLE || state == FIB_NBR_STATIC)
		e->unproven = false;
	__atomic_store_n(&t->seen[slot].used, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&e->updated, now, __ATOMIC_RELEASE);
	__atomic_store_n(&t->seen[slot].word, word, __ATOMIC_RELEASE);
	account(t, slot, true);
}

/* Whether the limits allow one more of a MAC. */
static bool
mac_has_room(struct fib_nbr_table *t, uint16_t if_index, unsigned int family,
	const uint8_t mac[BASE_MAC_LEN], bool unproven)
{
	struct nbr_mac m = fib_nbr_macs_get(
		&t->macs[family], mac_key(if_index, nbr_word(FIB_NBR_ABSENT, mac)));

	if (m.entries < RTE_MAX(t->share / 2, 1U) &&
		(!unproven || m.unproven < FIB_NBR_MAC_UNPROVEN))
		return true;
	NBR_ADD(t->count.mac_full, 1);
	return false;
}

bool
fib_nbr_slot_mac_fits(struct fib_nbr_table *t, uint32_t slot, const uint8_t mac[BASE_MAC_LEN])
{
	const struct nbr_entry *e = &t->entry[slot];
	uint64_t word = t->seen[slot].word;

	/* It is counted there already. */
	if (nbr_state_usable(nbr_word_state(word)) &&
		((word ^ nbr_word(FIB_NBR_ABSENT, mac)) & NBR_MAC_MASK) == 0)
		return true;
	return mac_has_room(t, nbr_id_if(e->id), nbr_slot_family(t, slot), mac, e->unproven);
}

/* Whether the limits allow one more that begins in this state. */
static bool
has_room(const struct fib_nbr_table *t, uint16_t if_index, unsigned int family,
	enum fib_nbr_state state)
{
	const struct nbr_use *use = &t->ifs[if_index][family];

	if (use->entries >= t->floor && t->all[family].entries + t->promised[family] >= t->max)
		return false;
	return use->entries < t->share && (!nbr_state_pending(state) || use->pending < t->part) &&
		(state != FIB_NBR_STALE || use->unproven < t->part);
}

uint32_t
fib_nbr_slot_add(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	enum fib_nbr_state state, const uint8_t mac[BASE_MAC_LEN], base_ns_t now)
{
	static const uint8_t no_mac[BASE_MAC_LEN];
	unsigned int family = addr->family == BASE_FAMILY_IP4 ? NBR_IP4 : NBR_IP6;
	struct nbr_key k = family == NBR_IP4 ? nbr_key4(if_index, base_addr_ip4(addr))
					     : nbr_key6(if_index, addr->bytes);
	uint64_t generation;
	struct nbr_entry *e;
	int32_t pos = -1;
	uint32_t slot;

	if (if_index < t->n_ifs && state == FIB_NBR_STALE &&
		!mac_has_room(t, if_index, family, mac, true))
		return NBR_NONE;
	if (if_index < t->n_ifs && has_room(t, if_index, family, state))
		pos = rte_hash_add_key_with_hash(
			t->hash[family], &k, family == NBR_IP4 ? nbr_sig4(t, &k) : nbr_sig6(t, &k));
	if (pos < 0) {
		NBR_ADD(t->count.table_full, 1);
		return NBR_NONE;
	}
	slot = slot_of(pos, family == NBR_IP4 ? 0 : t->first6);
	/* A worker may find the position from here on; its word is still that of no neighbour. */
	BASE_ASSERT(slot < t->n_slots && t->seen[slot].word == 0);
	e = &t->entry[slot];
	generation = (e->id >> NBR_GEN_SHIFT) + 1;
	e->asked = 0;
	e->unproven = state == FIB_NBR_STALE;
	__atomic_store_n(&e->id, generation << NBR_GEN_SHIFT | if_index, __ATOMIC_RELEASE);
	__atomic_store_n(
		&e->addr[0], family == NBR_IP4 ? base_addr_ip4(addr) : k.w[1], __ATOMIC_RELEASE);
	__atomic_store_n(&e->addr[1], k.w[2], __ATOMIC_RELEASE);
	__atomic_store_n(&e->held, 0, __ATOMIC_RELEASE);
	if (t->ifs[if_index][family].entries++ < t->floor)
		t->promised[family]--;
	t->all[family].entries++;
	NBR_ADD(t->count.entries, 1);
	account(t, slot, true);
	fib_nbr_slot_publish(t, slot, state, mac != NULL ? mac : no_mac, now);
	return slot;
}

void
fib_nbr_slot_remove(struct fib_nbr_table *t, uint32_t slot)
{
	struct nbr_entry *e = &t->entry[slot];
	uint16_t if_index = nbr_id_if(e->id);
	unsigned int family = nbr_slot_family(t, slot);
	struct nbr_key k = {{if_index, e->addr[0], e->addr[1]}};
	int32_t pos;

	if (family == NBR_IP4)
		k = nbr_key4(if_index, (uint32_t)e->addr[0]);
	BASE_ASSERT(e->held == 0);
	if (nbr_state_pending(nbr_word_state(t->seen[slot].word)))
		pending_out(t, slot);
	account(t, slot, false);
	e->unproven = false;
	if (--t->ifs[if_index][family].entries < t->floor)
		t->promised[family]++;
	t->all[family].entries--;
	NBR_SUB(t->count.entries, 1);
	base_heap_set(&t->heap, slot, BASE_NS_NEVER);
	/* Empty first, then delete: once the grace period begins no worker can take the MAC from
	 * here any more, and the next user of the position finds it empty. */
	__atomic_store_n(&t->seen[slot].word, 0, __ATOMIC_RELEASE);
	pos = rte_hash_del_key_with_hash(
		t->hash[family], &k, family == NBR_IP4 ? nbr_sig4(t, &k) : nbr_sig6(t, &k));
	BASE_ASSERT(slot_of(pos, family == NBR_IP4 ? 0 : t->first6) == slot);
	if (!t->reclaims)
		rte_hash_free_key_with_position(t->hash[family], pos);
}

uint16_t
fib_nbr_hold_take(struct fib_nbr_table *t, uint32_t slot)
{
	uint16_t place = t->hold_free;
	struct nbr_hold *h;

	if (place == NBR_HOLD_NONE)
		return NBR_HOLD_NONE;
	h = &t->hold[place];
	t->hold_free = h->next;
	h->slot = slot;
	h->older = t->count.held > 0 ? t->hold_newest : NBR_HOLD_NONE;
	h->newer = NBR_HOLD_NONE;
	if (h->older != NBR_HOLD_NONE)
		t->hold[h->older].newer = place;
	else
		t->hold_oldest = place;
	t->hold_newest = place;
	NBR_ADD(t->count.held, 1);
	return place;
}

void
fib_nbr_hold_give(struct fib_nbr_table *t, uint16_t place)
{
	struct nbr_hold *h = &t->hold[place];

	if (h->older != NBR_HOLD_NONE)
		t->hold[h->older].newer = h->newer;
	else
		t->hold_oldest = h->newer;
	if (h->newer != NBR_HOLD_NONE)
		t->hold[h->newer].older = h->older;
	else
		t->hold_newest = h->older;
	h->m = NULL;
	h->next = t->hold_free;
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
		uint64_t word = __atomic_load_n(&t->seen[slot].word, __ATOMIC_ACQUIRE);
		uint64_t addr[2] = {__atomic_load_n(&e->addr[0], __ATOMIC_ACQUIRE),
			__atomic_load_n(&e->addr[1], __ATOMIC_ACQUIRE)};

		row->updated = __atomic_load_n(&e->updated, __ATOMIC_ACQUIRE);
		row->held = __atomic_load_n(&e->held, __ATOMIC_ACQUIRE);
		if (__atomic_load_n(&e->id, __ATOMIC_RELAXED) != id)
			continue;
		row->if_index = nbr_id_if(id);
		row->addr = nbr_addr(nbr_slot_family(t, slot), addr);
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
	out->mac_full = __atomic_load_n(&c->mac_full, __ATOMIC_RELAXED);
	out->aged = __atomic_load_n(&c->aged, __ATOMIC_RELAXED);
	out->held_ever = __atomic_load_n(&c->held_ever, __ATOMIC_RELAXED);
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
	case FIB_NBR_STALE:
		return "stale";
	case FIB_NBR_PROBE:
		return "probe";
	case FIB_NBR_FAILED:
		return "failed";
	case FIB_NBR_STATIC:
		return "static";
	}
	return "?";
}
