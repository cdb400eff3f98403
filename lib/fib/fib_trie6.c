/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "fib_trie6_priv.h"

#include <rte_common.h>
#include <rte_malloc.h>

#include "base_assert.h"

struct fib_trie6 *
fib_trie6_create(uint32_t max_nodes, int socket_id)
{
	struct fib_trie6 *t = rte_zmalloc_socket("fib_trie6",
		sizeof(*t) + max_nodes * sizeof(t->node[0]), RTE_CACHE_LINE_SIZE, socket_id);

	if (t != NULL)
		t->max_nodes = max_nodes;
	return t;
}

void
fib_trie6_free(struct fib_trie6 *t)
{
	rte_free(t);
}

/* The node behind an entry; where there is none, one that says the same as the entry did. */
static uint32_t *
node_of(struct fib_trie6 *t, uint32_t *entry)
{
	uint32_t *node;

	if (*entry & FIB_TRIE6_NODE)
		return t->node[*entry & ~FIB_TRIE6_NODE];
	BASE_ASSERT(t->n_nodes < t->max_nodes);
	node = t->node[t->n_nodes];
	for (unsigned int i = 0; i < 256; i++)
		node[i] = *entry;
	*entry = FIB_TRIE6_NODE | t->n_nodes++;
	return node;
}

void
fib_trie6_add(struct fib_trie6 *t, const struct base_prefix *p, uint32_t value)
{
	const uint8_t *ip = p->addr.bytes;
	unsigned int bits = FIB_TRIE6_ROOT_BITS; /* up to here the table at hand tells apart */
	uint32_t *table = t->root;
	uint32_t at = (uint32_t)ip[0] << 8 | ip[1];

	for (; p->plen > bits; bits += 8) {
		table = node_of(t, &table[at]);
		at = ip[bits / 8];
	}
	for (uint32_t n = UINT32_C(1) << (bits - p->plen); n > 0; n--)
		table[at++] = value;
}
