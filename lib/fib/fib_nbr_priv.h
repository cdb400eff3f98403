/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef FIB_NBR_PRIV_H
#define FIB_NBR_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base_bytes.h"
#include "base_heap.h"
#include "fib_nbr.h"

/**
 * @file
 * The neighbour table as the resolver sees it.
 *
 * Slots. A hash for each family maps a key to a position, and position p of IPv4's owns slot p:
 * word[p], entry[p] and id p of the deadline heap; the positions of IPv6 follow, from first6 on. So
 * the families share all but the hash, and a slot tells its family. The hashes are made with
 * lock-free readers, and a deleted key's position is handed out again only after every worker has
 * reported a quiescent state since. So a worker that looked a position up just before the key was
 * removed finds there either the word as it was or the word of no neighbour, never another
 * neighbour's: it sends one more frame to the old MAC, as it would have done a moment earlier, or
 * finds nothing.
 *
 * Words. All that a worker needs of a neighbour is one 64-bit word, written with one store, so
 * it sees the MAC and the state of one moment, whatever else it sees or does not see. The loads
 * are relaxed: nothing is read through the word. Beside it, in the same cache line, workers leave a
 * mark that they use it, when there is none; the control lcore clears it when it begins to watch
 * anew. A mark that comes late, on a slot that has another user by then, costs one request.
 *
 * Management reads by slot number and reports to no RCU state, so slots may be used again under
 * its eyes. It reads id, word, address, id: each use of a slot has its own generation in the id. A
 * use begins with the store of the id, then of the address, last of the word, all releases; the
 * word and the address are loaded with acquire. Whoever sees a word or an address of a later use
 * than his first id's therefore sees the later id too when he reads it again, and tries again; and
 * whoever sees a word of this use sees its address.
 */

struct rte_hash;
struct rte_mbuf;

#define NBR_NONE	UINT32_MAX
#define NBR_HOLD_NONE	UINT16_MAX
#define NBR_STATE_SHIFT 48
#define NBR_GEN_SHIFT	16
#define NBR_MAC_MASK	((UINT64_C(1) << NBR_STATE_SHIFT) - 1)
/** Entries served by one call of fib_nbr_tick(). */
#define NBR_TICK_MAX 64

/** What workers touch of a slot. */
struct nbr_seen {
	uint64_t word; /**< state, MAC as a number; 0 = no neighbour. control: wo, others: ro */
	uint64_t used; /**< workers: set to 1, control: clears */
};

struct nbr_entry {
	/* written by the control lcore, read by any thread */
	uint64_t id;	  /**< generation and if_index: 48, 16 bits */
	uint64_t addr[2]; /**< IPv4: the first one is the address; IPv6: as two big numbers */
	base_ns_t updated;
	uint16_t held;
	/* control lcore only */
	uint8_t asked;			/**< requests sent in this state */
	bool unproven;			/**< made by who asked us, and not confirmed since */
	uint16_t hold_first, hold_last; /**< of the hold pool; meaningless when held is 0 */
	uint32_t older, newer;		/**< while pending: slots of its interface and family */
};

/** A held packet's place, linked by index so that holding never allocates. */
struct nbr_hold {
	struct rte_mbuf *m;
	uint32_t slot;	       /**< whose it is */
	uint16_t next;	       /**< of the same entry, or the next free place */
	uint16_t older, newer; /**< of all that are held */
};

/** Entries of a family, of one interface or of all. */
struct nbr_use {
	uint32_t entries;
	uint32_t pending; /**< INCOMPLETE or FAILED among them */
	uint32_t unproven;
	uint32_t oldest, newest; /**< slots of the pending, or NBR_NONE */
};

/** Entries of a MAC on an interface, of one family. */
struct nbr_mac {
	uint64_t key; /**< if_index and MAC: 16, 48 bits; 0 = unused, since no station's MAC is 0 */
	uint32_t entries, unproven;
};
struct nbr_macs {
	struct nbr_mac *mac;
	uint32_t mask; /**< of a power of two places, at least two for each MAC that can be */
	uint64_t mult; /**< so that nobody picks his place */
};

/** Families as indices. */
enum { NBR_IP4 = 0, NBR_IP6, NBR_FAMILIES };

struct nbr_counters {
	uint64_t requests, learned, failed, hold_dropped, table_full, mac_full, aged, held_ever;
	uint32_t entries, held;
};

struct fib_nbr_table {
	/* read by workers, constant after create */
	struct rte_hash *hash[NBR_FAMILIES];
	struct nbr_seen *seen; /**< per slot */
	uint64_t hash_mult;
	uint64_t hash_mult6[6];
	uint32_t first6; /**< slots below are of IPv4 */
	uint32_t n_slots;
	/* the control lcore's */
	uint16_t n_ifs;
	bool reclaims;		   /**< the hash frees positions by itself, after a grace period */
	uint32_t max, share, part; /**< part: of the pending, of the unproven */
	uint32_t floor;		   /**< entries that each interface may have, whatever others do */
	uint32_t promised[NBR_FAMILIES]; /**< what is left of that, of all interfaces */
	struct nbr_entry *entry;
	struct nbr_use (*ifs)[NBR_FAMILIES];
	bool *warm; /**< by interface */
	struct nbr_macs macs[NBR_FAMILIES];
	struct nbr_use all[NBR_FAMILIES]; /**< entries only */
	struct base_heap heap;
	void *heap_mem;
	uint16_t hold_free;
	uint16_t hold_oldest, hold_newest; /**< meaningless when none is held */
	struct nbr_hold hold[FIB_NBR_HOLD_TOTAL];
	struct nbr_counters count; /**< read by any thread */
};

/** Counters and gauges have one writer: no read-modify-write is needed, only no torn reads. */
#define NBR_ADD(field, n) __atomic_store_n(&(field), (field) + (n), __ATOMIC_RELAXED)
#define NBR_SUB(field, n) __atomic_store_n(&(field), (field) - (n), __ATOMIC_RELAXED)

/** Slot of a neighbour or NBR_NONE. */
uint32_t fib_nbr_slot_find(
	const struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr);
/**
 * Make an entry in state INCOMPLETE (or STALE or STATIC, with its MAC).
 * @return its slot or NBR_NONE when a limit forbids it; then it was counted
 */
uint32_t fib_nbr_slot_add(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	enum fib_nbr_state state, const uint8_t mac[BASE_MAC_LEN], base_ns_t now);
/** Forget an entry; it holds no packets any more. */
void fib_nbr_slot_remove(struct fib_nbr_table *t, uint32_t slot);
/** Change state and MAC (NULL: keep it) in one store. */
void fib_nbr_slot_publish(struct fib_nbr_table *t, uint32_t slot, enum fib_nbr_state state,
	const uint8_t mac[BASE_MAC_LEN], base_ns_t now);

/** @name Packets held for an entry: send them, its MAC is known now; or give them up. @{ */
void fib_nbr_slot_flush(
	struct fib_nbr_table *t, uint32_t slot, base_ns_t now, fib_nbr_act_fn act, void *arg);
void fib_nbr_slot_fail(
	struct fib_nbr_table *t, uint32_t slot, base_ns_t now, fib_nbr_act_fn act, void *arg);
/** @} */
/** Whether an entry may have this MAC; when not, that was counted. */
bool fib_nbr_slot_mac_fits(struct fib_nbr_table *t, uint32_t slot, const uint8_t mac[BASE_MAC_LEN]);

/** @name Entries by MAC (fib_nbr_mac.c). @{ */
/** @return 0 or -ENOMEM */
int fib_nbr_macs_init(struct nbr_macs *m, uint32_t max, int socket_id);
void fib_nbr_macs_free(struct nbr_macs *m);
/** What a MAC has; zeroes when it has nothing. */
struct nbr_mac fib_nbr_macs_get(const struct nbr_macs *m, uint64_t key);
/** One entry more of a MAC, or one less. */
void fib_nbr_macs_add(struct nbr_macs *m, uint64_t key, bool unproven);
void fib_nbr_macs_sub(struct nbr_macs *m, uint64_t key, bool unproven);
/** @} */

/** Take a place in the hold pool for the newest packet; NBR_HOLD_NONE when all are taken. */
uint16_t fib_nbr_hold_take(struct fib_nbr_table *t, uint32_t slot);
void fib_nbr_hold_give(struct fib_nbr_table *t, uint16_t place);
/**
 * Who has to go so that one more can be asked for: where a limit on the pending forbids it, the one
 * that is pending longest, if that is FIB_NBR_YIELD_NS and more.
 * @return its slot or NBR_NONE
 */
uint32_t fib_nbr_slot_oldest(const struct fib_nbr_table *t, uint16_t if_index,
	const struct base_addr *addr, base_ns_t now);

static inline enum fib_nbr_state
nbr_word_state(uint64_t word)
{
	return (enum fib_nbr_state)(word >> NBR_STATE_SHIFT);
}

static inline void
nbr_word_mac(uint64_t word, uint8_t mac[BASE_MAC_LEN])
{
	for (unsigned int i = 0; i < BASE_MAC_LEN; i++)
		mac[i] = (uint8_t)(word >> (8 * (BASE_MAC_LEN - 1 - i)));
}

static inline uint64_t
nbr_word(enum fib_nbr_state state, const uint8_t mac[BASE_MAC_LEN])
{
	uint64_t w = (uint64_t)state;

	for (unsigned int i = 0; i < BASE_MAC_LEN; i++)
		w = w << 8 | mac[i];
	return w;
}

static inline bool
nbr_state_usable(enum fib_nbr_state s)
{
	return s == FIB_NBR_REACHABLE || s == FIB_NBR_STALE || s == FIB_NBR_PROBE ||
		s == FIB_NBR_STATIC;
}

static inline bool
nbr_state_pending(enum fib_nbr_state s)
{
	return s == FIB_NBR_INCOMPLETE || s == FIB_NBR_FAILED;
}

static inline bool
nbr_is_station(const uint8_t mac[BASE_MAC_LEN])
{
	return (mac[0] & 1) == 0 && nbr_word(FIB_NBR_ABSENT, mac) != 0;
}

/**
 * 0.0.0.0 is the sender of an ARP probe (RFC 5227), :: of a duplicate address probe; 224.0.0.0 and
 * above and ff00::/8 belong to no host.
 */
static inline bool
nbr_is_host(const struct base_addr *addr)
{
	if (addr->family == BASE_FAMILY_IP4)
		return base_addr_ip4(addr) != 0 && addr->bytes[0] < 0xe0;
	return addr->bytes[0] != 0xff &&
		(base_load_be64(addr->bytes) | base_load_be64(addr->bytes + 8)) != 0;
}

static inline uint16_t
nbr_id_if(uint64_t id)
{
	return (uint16_t)id;
}

static inline unsigned int
nbr_slot_family(const struct fib_nbr_table *t, uint32_t slot)
{
	return slot < t->first6 ? NBR_IP4 : NBR_IP6;
}

/** The address that an entry's words are. */
static inline struct base_addr
nbr_addr(unsigned int family, const uint64_t words[2])
{
	uint8_t ip[16];

	if (family == NBR_IP4)
		return base_addr_from_ip4((uint32_t)words[0]);
	base_store_be64(ip, words[0]);
	base_store_be64(ip + 8, words[1]);
	return base_addr_from_ip6(ip);
}

#endif
