/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef FIB_TRIE_PRIV_H
#define FIB_TRIE_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "fib_places_priv.h"
#include "fib_rib_priv.h"

/**
 * @file
 * Longest prefixes for workers: a trie that is looked up by the first 24 bits (IPv4) or 16 (IPv6)
 * and then eight at a time, changed in place while they look. An entry is a number, or with its
 * highest bit the node to go on with; a node is as full of numbers as its prefixes say, so that no
 * lookup ever goes back.
 *
 * A change writes each entry that belongs to its prefix once, with one store, and no other: those
 * of longer prefixes in it are found in the list of routes and left alone. So a worker finds the
 * old or the new number for an address of the prefix, and for all others what was there. A node is
 * filled before anything leads to it, and used again only after every worker was quiescent since
 * nothing does.
 *
 * Why not the library's: rte_fib of DPDK 22.11 uses a node again at once, so that it needs two
 * tables that take turns, and with each a list of routes of its own of 128 bytes a node; rte_fib6
 * and rte_lpm6 begin with 34 and 67 MB.
 */

struct fib_trie {
	uint8_t root_bits;
	uint8_t width; /**< bytes of an entry */
	uint32_t flag; /**< the entry is a node */
	struct fib_places places;
	/** Of the first level, then of each node: 256 */
	void *entry;
};

/** Entries of one byte can name 128 numbers and nodes, of two 32,768. */
static inline uint8_t
fib_trie_width(uint32_t numbers)
{
	return numbers <= 0x80 ? 1 : numbers <= 0x8000 ? 2 : 4;
}

/** All entries are 0. @return NULL: no memory */
struct fib_trie *fib_trie_create(unsigned int family, uint8_t width, uint32_t max_nodes,
	struct rte_rcu_qsbr *qsbr, int socket_id);
/** The same contents with wider entries, or more nodes. @return NULL: no memory */
struct fib_trie *fib_trie_copy(
	const struct fib_trie *t, uint8_t width, uint32_t max_nodes, int socket_id);
void fib_trie_free(struct fib_trie *t);
/** Memory of its entries. */
size_t fib_trie_bytes(const struct fib_trie *t);

/** Where fib_trie_missing() is. */
struct fib_trie_count {
	const struct base_prefix *last[16]; /**< by bits / 8 */
};
/**
 * Nodes that a prefix needs and that are not there, nor were counted for an earlier one: exact when
 * prefixes come in order, else more than enough.
 * @param t  NULL: there are none at all
 */
uint32_t fib_trie_missing(
	const struct fib_trie *t, struct fib_trie_count *c, const struct base_prefix *p);

/** Nobody looks up; prefixes that hold this one were put in before, none that it holds. */
void fib_trie_fill(struct fib_trie *t, const struct base_prefix *p, uint32_t number);
/** Give the addresses of a route that are no longer route's a number; enough nodes are free. */
void fib_trie_set(struct fib_trie *t, const struct fib_rib_node *route, uint32_t number);
/** Nodes that a prefix no longer needs are retired; the list has it no more. */
void fib_trie_prune(struct fib_trie *t, const struct fib_rib *rib, const struct base_prefix *p);

#endif
