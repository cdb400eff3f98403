/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef FIB_PLACES_PRIV_H
#define FIB_PLACES_PRIV_H

#include <stdbool.h>
#include <stdint.h>

/**
 * @file
 * Numbered places that workers read, given out and taken back: what was taken back is given out
 * again only after every worker was quiescent. One thread writes.
 */

struct rte_rcu_qsbr;

#define FIB_PLACE_NONE UINT32_MAX

struct fib_place {
	uint64_t token; /**< of the time it was retired */
	uint32_t next;
};

struct fib_places {
	struct rte_rcu_qsbr *qsbr; /**< NULL: nobody reads, and nothing waits */
	struct fib_place *place;
	uint32_t max;
	uint32_t n_used; /**< retired ones not counted */
	uint32_t n_free; /**< the rest, but for the retired ones */
	uint32_t fresh;	 /**< atomic: from here on none was ever given out */
	uint32_t free;	 /**< list of those that were */
	uint32_t retired_first, retired_last;
};

/** @return 0 or -ENOMEM */
int fib_places_init(struct fib_places *p, uint32_t max, struct rte_rcu_qsbr *qsbr);
void fib_places_fini(struct fib_places *p);

/** @return FIB_PLACE_NONE when none is free */
uint32_t fib_places_take(struct fib_places *p);
/** No worker that begins to look now finds the place any more. */
void fib_places_retire(struct fib_places *p, uint32_t place);
/** Free what no worker sees any more. @return true when nothing is left to wait for */
bool fib_places_reclaim(struct fib_places *p);

#endif
