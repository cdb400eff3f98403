/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef FIB_TRIE6_PRIV_H
#define FIB_TRIE6_PRIV_H

#include <stdint.h>

#include "base_addr.h"

/**
 * @file
 * Longest prefixes of IPv6: a trie that is looked up by the first 16 bits and then eight at a time,
 * made once. An entry is a number, or the node to go on with; a node is as full of numbers as its
 * prefixes say, so that no lookup ever goes back.
 *
 * Why not the library's: rte_fib6 and rte_lpm6 begin with 2^24 entries, 34 and 67 MB where a box
 * has ten routes, of the 128 MB that it may have in all; and rte_fib6 reserves a group for each
 * byte of each prefix, shared or not. This one takes 256 KiB and 1 KiB for each node.
 */

#define FIB_TRIE6_ROOT_BITS 16
#define FIB_TRIE6_NODE	    UINT32_C(0x80000000) /**< the rest is the number of a node */

struct fib_trie6 {
	uint32_t n_nodes, max_nodes;
	uint32_t root[1 << FIB_TRIE6_ROOT_BITS];
	uint32_t node[][256];
};

/**
 * @param max_nodes  prefixes of 16, 24, ... 120 bits that hold longer ones
 * @return NULL: no memory
 */
struct fib_trie6 *fib_trie6_create(uint32_t max_nodes, int socket_id);
void fib_trie6_free(struct fib_trie6 *t);
/** Host bits are zero; prefixes that hold this one were added before, none that it holds. */
void fib_trie6_add(struct fib_trie6 *t, const struct base_prefix *p, uint32_t value);

/** The value of the longest prefix that holds an address; 0 for none. */
static inline uint32_t
fib_trie6_get(const struct fib_trie6 *t, const uint8_t ip[16])
{
	uint32_t e = t->root[(uint32_t)ip[0] << 8 | ip[1]];

	for (unsigned int i = FIB_TRIE6_ROOT_BITS / 8; e & FIB_TRIE6_NODE; i++)
		e = t->node[e & ~FIB_TRIE6_NODE][ip[i]];
	return e;
}

#endif
