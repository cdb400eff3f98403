/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef FIB_BUILDER_H
#define FIB_BUILDER_H

#include "fib.h"

/**
 * @file
 * The builder thread: it alone changes the routes while workers look them up. Who wants a change
 * waits for its answer; whoever reads the list keeps the builder waiting, so in pages. No lcore
 * waits for either.
 */

struct fib_builder;

/** Routes read at once, at most. */
#define FIB_PAGE_MAX 256

/** Start it, at a lower priority than whatever else wants its CPU. @return NULL with errno
 * @param f  borrowed, until fib_builder_stop() changed and read by these calls only
 * @thread main */
struct fib_builder *fib_builder_start(struct fib *f);
/** Changes that wait are refused. NULL is fine. @thread main, when no worker runs any more */
void fib_builder_stop(struct fib_builder *b);

/**
 * fib_change(), fib_replace() and fib_undo() by the builder thread, and wait for them. What several
 * threads want at once is done in one go.
 * @return also -ECANCELED: it was stopped first
 * @thread any that may wait; none that looks up
 */
int fib_builder_change(struct fib_builder *b, const struct fib_change *c, uint32_t n, char *err,
	unsigned int err_len);
int fib_builder_replace(struct fib_builder *b, const struct fib_route *routes, uint32_t n,
	bool only_count, struct fib_replaced *done, struct fib_undo **undo, char *err,
	unsigned int err_len);
int fib_builder_undo(
	struct fib_builder *b, struct fib_undo *u, bool back, char *err, unsigned int err_len);

/** The routes as they are, until fib_builder_read_end(). @thread any that may wait */
const struct fib *fib_builder_read(struct fib_builder *b);
void fib_builder_read_end(struct fib_builder *b);

struct fib_builder_stats {
	uint64_t changes; /**< routes set and removed */
	uint64_t batches; /**< times that it went to work */
	uint64_t refused; /**< requests */
	uint64_t longest_ns;
};
void fib_builder_stats(struct fib_builder *b, struct fib_builder_stats *out);

#endif
