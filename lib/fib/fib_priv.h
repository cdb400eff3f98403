/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef FIB_PRIV_H
#define FIB_PRIV_H

#include <stdarg.h>
#include <stdio.h>

#include "fib.h"
#include "fib_nhs_priv.h"
#include "fib_rib_priv.h"
#include "fib_trie_priv.h"

/** @file The tables of routes: a list, from which two tries are kept, and next hops by number. */

/** Nodes more than are needed, beside a quarter, when a trie is made. */
#define FIB_NODES_SPARE 64

struct fib {
	/** By family; changed by a release store. NULL: no route of IPv6 was ever there. */
	struct fib_trie *trie[FIB_FAMILIES];
	struct fib_nhs nhs;
	struct fib_rib rib;
	int socket_id;
	uint32_t n_runtime;
	uint32_t rebuilt;
	uint32_t stamp; /**< of the last fib_replace() */
};

/** A next hop with room for its paths. */
struct fib_nh_room {
	struct fib_nh nh;
	struct fib_nh path[FIB_PATHS_MAX];
};

void __attribute__((format(printf, 3, 4)))
fib_complain(char *err, unsigned int err_len, const char *fmt, ...);
/** Words for -E2BIG and -ENOMEM. @return ret */
int fib_failed(int ret, uint32_t n, char *err, unsigned int err_len);
/** @param i  for the message */
bool fib_route_ok(const struct fib_route *r, uint32_t i, char *err, unsigned int err_len);
/** What counts of a next hop, in bytes that can be compared. */
void fib_nh_normal(const struct fib_nh *nh, unsigned int family, struct fib_nh_room *out);
uint32_t fib_with_headroom(uint32_t nodes);

#endif
