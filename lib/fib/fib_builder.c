/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "fib_builder.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base_clock.h"
#include "base_time.h"
#include "compat_thread.h"

/* On the stack of who waits for it. */
struct job {
	struct job *next;
	int (*run)(struct fib *f, struct job *j);
	const struct fib_change *change;
	const struct fib_route *routes;
	uint32_t n;
	struct fib_replaced *replaced;
	bool only_count, back;
	struct fib_undo **undo;
	char *err;
	unsigned int err_len;
	uint32_t n_changes;
	int ret;
	bool done;
};

struct fib_builder {
	struct fib *fib;
	struct compat_thread thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t work, done;
	struct job *first, **last;
	bool stopping;
	struct fib_builder_stats stats;
	pthread_rwlock_t routes; /* held for writing while routes change */
};

static int
run_change(struct fib *f, struct job *j)
{
	j->n_changes = j->n;
	return fib_change(f, j->change, j->n, j->err, j->err_len);
}

static int
run_replace(struct fib *f, struct job *j)
{
	int ret = fib_replace(
		f, j->routes, j->n, j->only_count, j->replaced, j->undo, j->err, j->err_len);

	if (!j->only_count)
		j->n_changes = j->replaced->changed + j->replaced->added + j->replaced->removed;
	return ret;
}

static int
run_undo(struct fib *f, struct job *j)
{
	return fib_undo(f, *j->undo, j->back, j->err, j->err_len);
}

/* All that waits, in one go. */
static void
batch(struct fib_builder *b, struct job *jobs)
{
	uint64_t changes = 0, refused = 0, t0 = base_clock_ns(CLOCK_MONOTONIC), took;

	pthread_rwlock_wrlock(&b->routes);
	for (struct job *j = jobs; j != NULL; j = j->next) {
		j->ret = j->run(b->fib, j);
		changes += j->ret == 0 ? j->n_changes : 0;
		refused += j->ret != 0;
	}
	pthread_rwlock_unlock(&b->routes);
	took = base_clock_ns(CLOCK_MONOTONIC) - t0;

	pthread_mutex_lock(&b->lock);
	for (struct job *j = jobs, *next; j != NULL; j = next) {
		next = j->next;
		j->done = true; /* it is gone once the lock is */
	}
	b->stats.changes += changes;
	b->stats.refused += refused;
	b->stats.batches++;
	if (took > b->stats.longest_ns)
		b->stats.longest_ns = took;
	pthread_cond_broadcast(&b->done);
	pthread_mutex_unlock(&b->lock);
}

static void
builder_main(void *arg)
{
	struct fib_builder *b = arg;
	struct job *jobs;

	(void)compat_thread_nice_set(COMPAT_NICE);
	pthread_mutex_lock(&b->lock);
	while (!b->stopping) {
		if (b->first == NULL) {
			pthread_cond_wait(&b->work, &b->lock);
			continue;
		}
		jobs = b->first;
		b->first = NULL;
		b->last = &b->first;
		pthread_mutex_unlock(&b->lock);
		batch(b, jobs);
		pthread_mutex_lock(&b->lock);
	}
	for (jobs = b->first; jobs != NULL; jobs = jobs->next) {
		jobs->ret = -ECANCELED;
		jobs->done = true;
	}
	pthread_cond_broadcast(&b->done);
	pthread_mutex_unlock(&b->lock);
}

struct fib_builder *
fib_builder_start(struct fib *f)
{
	struct fib_builder *b = calloc(1, sizeof(*b));
	pthread_rwlockattr_t attr;
	int ret;

	if (b == NULL)
		return NULL;
	b->fib = f;
	b->last = &b->first;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->work, NULL);
	pthread_cond_init(&b->done, NULL);
	/* readers that come one after the other must not keep the builder out */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&b->routes, &attr);
	pthread_rwlockattr_destroy(&attr);
	ret = compat_thread_start(&b->thread, "koi-routes", builder_main, b);
	if (ret == 0)
		return b;
	free(b);
	errno = -ret;
	return NULL;
}

void
fib_builder_stop(struct fib_builder *b)
{
	if (b == NULL)
		return;
	pthread_mutex_lock(&b->lock);
	b->stopping = true;
	pthread_cond_signal(&b->work);
	pthread_mutex_unlock(&b->lock);
	compat_thread_join(&b->thread);
	pthread_rwlock_destroy(&b->routes);
	pthread_cond_destroy(&b->done);
	pthread_cond_destroy(&b->work);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static int
wait_for(struct fib_builder *b, struct job *j)
{
	pthread_mutex_lock(&b->lock);
	if (b->stopping) {
		j->ret = -ECANCELED;
	} else {
		*b->last = j;
		b->last = &j->next;
		pthread_cond_signal(&b->work);
		while (!j->done)
			pthread_cond_wait(&b->done, &b->lock);
	}
	pthread_mutex_unlock(&b->lock);
	if (j->ret == -ECANCELED)
		(void)snprintf(j->err, j->err_len, "koi is stopping");
	return j->ret;
}

int
fib_builder_change(struct fib_builder *b, const struct fib_change *c, uint32_t n, char *err,
	unsigned int err_len)
{
	struct job j = {.run = run_change, .change = c, .n = n, .err = err, .err_len = err_len};

	return wait_for(b, &j);
}

int
fib_builder_replace(struct fib_builder *b, const struct fib_route *routes, uint32_t n,
	bool only_count, struct fib_replaced *done, struct fib_undo **undo, char *err,
	unsigned int err_len)
{
	struct job j = {.run = run_replace,
		.routes = routes,
		.n = n,
		.only_count = only_count,
		.replaced = done,
		.undo = undo,
		.err = err,
		.err_len = err_len};

	return wait_for(b, &j);
}

int
fib_builder_undo(
	struct fib_builder *b, struct fib_undo *u, bool back, char *err, unsigned int err_len)
{
	struct job j = {.run = run_undo, .undo = &u, .back = back, .err = err, .err_len = err_len};

	return u != NULL ? wait_for(b, &j) : 0;
}

const struct fib *
fib_builder_read(struct fib_builder *b)
{
	pthread_rwlock_rdlock(&b->routes);
	return b->fib;
}

void
fib_builder_read_end(struct fib_builder *b)
{
	pthread_rwlock_unlock(&b->routes);
}

void
fib_builder_stats(struct fib_builder *b, struct fib_builder_stats *out)
{
	pthread_mutex_lock(&b->lock);
	*out = b->stats;
	pthread_mutex_unlock(&b->lock);
}
