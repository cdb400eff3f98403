/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef FIB_NHS_PRIV_H
#define FIB_NHS_PRIV_H

#include "fib.h"
#include "fib_places_priv.h"

/**
 * @file
 * Next hops by number, each once. Number 0 is none. Workers read them by the numbers in the tries.
 */

/** What a stored number can name beside none. */
#define FIB_NH_MAX     (FIB_NUMBERS - 1)
#define FIB_NH_BUCKETS 4096

struct fib_nhs {
	struct fib_nh *nh; /**< by number; never moves */
	uint32_t *uses;	   /**< atomic: routes and next hops of several paths that have it */
	uint32_t *next;	   /**< of the same bucket; 0 ends */
	uint32_t *bucket;  /**< first number; 0: none */
	struct fib_places places;
	uint64_t serial;  /**< of the last one made */
	uint32_t retired; /**< see fib_retired() */
	int socket_id;
};

/** @return 0 or -ENOMEM */
int fib_nhs_init(struct fib_nhs *s, int socket_id);
void fib_nhs_fini(struct fib_nhs *s);

/**
 * The number of a next hop, with one more use.
 * @return 0 and the number, -E2BIG there are too many, -ENOMEM
 */
int fib_nhs_get(struct fib_nhs *s, const struct fib_nh *nh, uint32_t *number);
/** One use more of one that has some; 0 has none. */
void fib_nhs_hold(struct fib_nhs *s, uint32_t number);
/** One use less. */
void fib_nhs_put(struct fib_nhs *s, uint32_t number);
/** Numbers from here on are of no next hop yet. @thread any */
uint32_t fib_nhs_end(const struct fib_nhs *s);
/** The next hop with a number, or NULL when there is none now. @thread as fib_gateways() */
const struct fib_nh *fib_nhs_used(const struct fib_nhs *s, uint32_t number);
/** They lead the same way. */
bool fib_nh_same(const struct fib_nh *a, const struct fib_nh *b);

#endif
