/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The loop of a worker lcore: take over what others handed to it, poll, classify, forward, send,
 * tell how far in time it has read, idle.
 */
#include "dp_capture_priv.h"
#include "dp_host_priv.h"
#include "dp_priv.h"

#include <time.h>

#include <rte_ethdev.h>
#include <rte_pause.h>

#include "base_clock.h"
#include "compat_thread.h"

#define EMPTY_BEFORE_SLEEP    32
#define SLEEP_NS	      (50 * BASE_NS_PER_US)
#define SLEEPS_BEFORE_BACKOFF 2000
#define SLEEP_MAX_NS	      (500 * BASE_NS_PER_US)
#define TIMER_SLACK_NS	      1000

base_ns_t
dp_clock(void)
{
	return base_clock_ns(CLOCK_MONOTONIC);
}

/*
 * A burst that was not full emptied the queue: all that came before this turn was read. A queue
 * that never empties holds n_desc frames at most: once that many were read since a mark, all that
 * came before the mark was.
 */
static void
rxq_note(struct dp_rxq *q, uint16_t n, base_ns_t now)
{
	if (n < DP_BURST) {
		q->horizon = now;
		q->since_mark = 0;
		q->mark = now;
		return;
	}
	if (q->mark == 0)
		q->mark = now;
	q->since_mark += n;
	if (q->since_mark >= q->n_desc) {
		q->horizon = q->mark;
		q->mark = now;
		q->since_mark = n;
	}
}

static void
horizon_publish(struct dp_lcore *lc)
{
	base_ns_t oldest[DP_PORT_MAX];

	for (uint16_t slot = 0; slot < lc->dp->n_ports; slot++)
		oldest[slot] = BASE_NS_NEVER;
	for (uint16_t i = 0; i < lc->n_rxq; i++)
		oldest[lc->rxq[i].slot] = RTE_MIN(oldest[lc->rxq[i].slot], lc->rxq[i].horizon);
	/* Release: who sees the horizon also sees the frames in the rings. */
	for (uint16_t slot = 0; slot < lc->dp->n_ports; slot++)
		if (oldest[slot] != BASE_NS_NEVER)
			atomic_store_explicit(
				&lc->horizon[slot], oldest[slot], memory_order_release);
}

base_ns_t
dp_rx_horizon(const struct dp *dp, uint16_t if_index)
{
	uint16_t slot = dp->ifs[if_index].slot;
	base_ns_t oldest = BASE_NS_NEVER;

	for (uint16_t w = 0; w < dp->n_workers; w++) {
		const struct dp_lcore *lc = dp->lcores[w];

		if (lc->polls >> slot & 1) {
			base_ns_t h =
				atomic_load_explicit(&lc->horizon[slot], memory_order_acquire);

			oldest = RTE_MIN(oldest, h);
		}
	}
	return oldest == BASE_NS_NEVER ? 0 : oldest;
}

base_ns_t
dp_rx_alive(const struct dp *dp, uint16_t if_index)
{
	uint16_t slot = dp->ifs[if_index].slot;
	base_ns_t oldest = BASE_NS_NEVER;

	for (uint16_t w = 0; w < dp->n_workers; w++) {
		const struct dp_lcore *lc = dp->lcores[w];

		if (lc->polls >> slot & 1)
			oldest = RTE_MIN(
				oldest, __atomic_load_n(&lc->info.last_turn, __ATOMIC_RELAXED));
	}
	return oldest == BASE_NS_NEVER ? 0 : oldest;
}

base_ns_t
dp_last_frame(const struct dp *dp, uint16_t if_index)
{
	base_ns_t last = 0;

	for (uint16_t w = 0; w < dp->n_workers; w++) {
		base_ns_t t = atomic_load_explicit(
			&dp->lcores[w]->last_frame[if_index], memory_order_relaxed);

		last = RTE_MAX(last, t);
	}
	return last;
}

static_assert(1 << (DP_BURST_SIZES - 2) == DP_BURST, "a full burst has a size of its own");

static void
burst_note(struct dp_lcore *lc, uint16_t n)
{
	dp_count(&lc->info.bursts[n == 0 ? 0 : rte_fls_u32(n)], 1);
}

/* Frames that no interface takes. */
static __rte_noinline void
burst_drop(struct dp_lcore *lc, struct rte_mbuf **pkts, uint16_t n, enum dp_drop why)
{
	uint64_t bytes = 0;

	for (uint16_t i = 0; i < n; i++)
		bytes += pkts[i]->pkt_len;
	dp_count(&lc->c.rx_frames, n);
	dp_count(&lc->c.rx_bytes, bytes);
	dp_count(&lc->c.drops[why], n);
	dp_capture_dropped(lc, pkts, n, why);
	rte_pktmbuf_free_bulk(pkts, n);
}

static void
burst_handle(struct dp_lcore *lc, uint16_t if_index, struct rte_mbuf **pkts, uint16_t n)
{
	lc->in = &lc->dp->ifs[if_index];
	if (unlikely(dp_if_down(lc->in))) {
		burst_drop(lc, pkts, n, DP_DROP_IF_DOWN);
		return;
	}
	n = dp_classify(lc, pkts, n);
	if (unlikely(dp_addrs(lc, lc->in)->rp_filter != DP_RP_OFF)) {
		n = dp_rp_filter4(lc, pkts, n);
		dp_rp_filter6(lc);
	}
	if (n != 0)
		dp_forward(lc, pkts, n);
	if (lc->n6 != 0)
		dp_forward6(lc);
}

/* Of a port with tagged interfaces: the frames of each at once, in the order of their first. */
static __rte_noinline void
burst_part(struct dp_lcore *lc, const struct dp_port *p, struct rte_mbuf **pkts, uint16_t n)
{
	struct rte_mbuf *part[DP_BURST];
	uint8_t ifs[DP_BURST];

	n = dp_vlan_sort(lc, p, pkts, n, ifs);
	while (n != 0) {
		uint16_t n_part = 0, rest = 0;
		uint8_t at = ifs[0];

		for (uint16_t i = 0; i < n; i++) {
			if (ifs[i] == at) {
				part[n_part++] = pkts[i];
			} else {
				pkts[rest] = pkts[i];
				ifs[rest++] = ifs[i];
			}
		}
		burst_handle(lc, at, part, n_part);
		n = rest;
	}
}

static uint32_t
queues_poll(struct dp_lcore *lc)
{
	struct rte_mbuf *pkts[DP_BURST];
	const struct dp *dp = lc->dp;
	uint32_t total = 0;

	for (uint16_t i = 0; i < lc->n_rxq; i++) {
		struct dp_rxq *q = &lc->rxq[i];
		const struct dp_port *p = &dp->ports[q->slot];
		uint16_t n = 0;

		/* From a port out of service nothing is to be heard: its horizon goes on. */
		if (likely(!dp_port_detached(p)))
			n = rte_eth_rx_burst(q->port_id, q->queue, pkts, DP_BURST);

		rxq_note(q, n, lc->now);
		burst_note(lc, n);
		if (n == 0)
			continue;
		total += n;
		dp_capture_rx(lc, p, pkts, n);
		if (unlikely(p->vlans != NULL))
			burst_part(lc, p, pkts, n);
		else if (unlikely(p->if_index == DP_NONE))
			burst_drop(lc, pkts, n, DP_DROP_NO_INTERFACE);
		else
			burst_handle(lc, p->if_index, pkts, n);
	}
	return total;
}

/* @return frames received; *worked when there were any, or frames that others handed over */
static uint32_t
turn(struct dp_lcore *lc, base_ns_t now, bool *worked)
{
	uint32_t received, handed;

	dp_snapshot(lc, now);
	if (unlikely(now >= lc->nudge_at))
		dp_tx_nudge(lc);
	handed = dp_handoff_drain(lc);
	if (unlikely(lc->host != NULL))
		handed += dp_host_turn(lc);
	received = queues_poll(lc);
	dp_tx_flush(lc);
	if (unlikely(lc->capture != 0))
		dp_capture_publish(lc);
	horizon_publish(lc);
	rte_rcu_qsbr_quiescent(lc->dp->qsbr, lc->id);

	*worked = (received | handed) != 0;
	dp_count(&lc->info.turns, 1);
	dp_count(&lc->info.empty_turns, !*worked);
	__atomic_store_n(&lc->info.last_turn, now, __ATOMIC_RELAXED);
	return received;
}

uint32_t
dp_worker_turn(struct dp *dp, uint16_t worker, base_ns_t now)
{
	bool worked;

	return turn(dp->lcores[worker], now, &worked);
}

static void
idle_sleep(struct dp_lcore *lc, base_ns_t ns)
{
	const struct timespec ts = {.tv_nsec = (long)ns};

	/* Nobody who waits for readers waits for one that sleeps. */
	rte_rcu_qsbr_thread_offline(lc->dp->qsbr, lc->id);
	nanosleep(&ts, NULL);
	rte_rcu_qsbr_thread_online(lc->dp->qsbr, lc->id);
	dp_count(&lc->info.sleeps, 1);
}

/* The longest turn since somebody asked to forget it. */
static void
turn_note(struct dp_lcore *lc, base_ns_t took)
{
	uint32_t forget = dp_longest_turn_asked(lc->dp);

	if (took > lc->info.longest_turn_ns || unlikely(forget != lc->forgot)) {
		__atomic_store_n(&lc->info.longest_turn_ns, took, __ATOMIC_RELAXED);
		lc->forgot = forget;
	}
}

int
dp_worker_run(struct dp *dp, uint16_t worker)
{
	struct dp_lcore *lc = dp->lcores[worker];
	uint32_t empty = 0, sleeps = 0;
	base_ns_t start;

	/* Without it the kernel would stretch the shortest sleep by 50 us. */
	(void)compat_thread_timer_slack_set(TIMER_SLACK_NS);
	rte_rcu_qsbr_thread_register(dp->qsbr, lc->id);
	rte_rcu_qsbr_thread_online(dp->qsbr, lc->id);
	start = dp_clock();
	while (!atomic_load_explicit(&dp->stopping, memory_order_acquire)) {
		base_ns_t end;
		bool worked;

		turn(lc, start, &worked);
		end = dp_clock();
		dp_count(worked ? &lc->info.busy_ns : &lc->info.idle_ns, end - start);
		turn_note(lc, end - start);
		start = end;
		if (worked) {
			empty = 0;
			sleeps = 0;
			continue;
		}
		if (dp->idle == DP_IDLE_POLL || ++empty < EMPTY_BEFORE_SLEEP) {
			rte_pause();
			continue;
		}
		/* From 50 us up to 500 us, one more for each sleep over the bound. */
		idle_sleep(lc,
			sleeps < SLEEPS_BEFORE_BACKOFF
				? SLEEP_NS
				: RTE_MIN(SLEEP_NS +
						  (sleeps - SLEEPS_BEFORE_BACKOFF) * BASE_NS_PER_US,
					  SLEEP_MAX_NS));
		sleeps++;
		start = dp_clock();
		dp_count(&lc->info.idle_ns, start - end);
	}
	rte_rcu_qsbr_thread_offline(dp->qsbr, lc->id);
	rte_rcu_qsbr_thread_unregister(dp->qsbr, lc->id);
	return 0;
}

void
dp_stop(struct dp *dp)
{
	atomic_store_explicit(&dp->stopping, true, memory_order_release);
}
