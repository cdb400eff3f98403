/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "dp_priv.h"

#include "base_assert.h"

const char *
dp_drop_name(enum dp_drop d)
{
	static const char *const names[] = {
#define DP_DROP(sym, name, text) [DP_DROP_##sym] = name,
#include "drops.def"
#undef DP_DROP
	};

	return d < DP_DROP_COUNT ? names[d] : "";
}

const char *
dp_drop_text(enum dp_drop d)
{
	static const char *const texts[] = {
#define DP_DROP(sym, name, text) [DP_DROP_##sym] = text,
#include "drops.def"
#undef DP_DROP
	};

	return d < DP_DROP_COUNT ? texts[d] : "";
}

_Static_assert(sizeof(struct dp_stats) % sizeof(uint64_t) == 0, "counters only");

static void
stats_add(struct dp_stats *out, const struct dp_stats *c)
{
	uint64_t *to = (uint64_t *)out;
	const uint64_t *from = (const uint64_t *)c;

	for (size_t i = 0; i < sizeof(*c) / sizeof(uint64_t); i++)
		to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

void
dp_stats_sum(const struct dp *dp, struct dp_stats *out)
{
	memset(out, 0, sizeof(*out));
	for (uint16_t w = 0; w <= dp->n_workers; w++)
		stats_add(out, &dp->lcores[w]->c);
}

void
dp_stats_worker(const struct dp *dp, uint16_t worker, struct dp_stats *out)
{
	BASE_ASSERT(worker < dp->n_workers);
	memset(out, 0, sizeof(*out));
	stats_add(out, &dp->lcores[worker]->c);
}

void
dp_worker_info(const struct dp *dp, uint16_t worker, struct dp_worker_info *out)
{
	const struct dp_worker_info *i;

	BASE_ASSERT(worker < dp->n_workers);
	i = &dp->lcores[worker]->info;
	out->n_rxq = i->n_rxq;
	out->turns = __atomic_load_n(&i->turns, __ATOMIC_RELAXED);
	out->empty_turns = __atomic_load_n(&i->empty_turns, __ATOMIC_RELAXED);
	out->sleeps = __atomic_load_n(&i->sleeps, __ATOMIC_RELAXED);
	out->busy_ns = __atomic_load_n(&i->busy_ns, __ATOMIC_RELAXED);
	out->idle_ns = __atomic_load_n(&i->idle_ns, __ATOMIC_RELAXED);
	for (unsigned int b = 0; b < DP_BURST_SIZES; b++)
		out->bursts[b] = __atomic_load_n(&i->bursts[b], __ATOMIC_RELAXED);
	out->longest_turn_ns = __atomic_load_n(&i->longest_turn_ns, __ATOMIC_RELAXED);
	out->last_turn = __atomic_load_n(&i->last_turn, __ATOMIC_RELAXED);
}

uint16_t
dp_worker_count(const struct dp *dp)
{
	return dp->n_workers;
}

void
dp_longest_turn_forget(struct dp *dp)
{
	atomic_fetch_add_explicit(&dp->forget, 1, memory_order_relaxed);
}

uint32_t
dp_longest_turn_asked(const struct dp *dp)
{
	return atomic_load_explicit(&dp->forget, memory_order_relaxed);
}
