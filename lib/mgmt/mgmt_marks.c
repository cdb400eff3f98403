/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_marks_priv.h"

#include <pthread.h>
#include <stdlib.h>

struct worker_mark {
	struct dp_worker_info info;
	uint64_t rx_frames;
};

struct mgmt_marks {
	pthread_mutex_t lock;
	uint64_t drops[DP_DROP_COUNT];
	struct worker_mark worker[DP_WORKER_MAX];
	uint64_t turns, sleeps, stalls; /* of the control lcore */
	struct port_stats port[DP_PORT_MAX];
};

struct mgmt_marks *
mgmt_marks_new(void)
{
	struct mgmt_marks *m = calloc(1, sizeof(*m));

	if (m != NULL)
		pthread_mutex_init(&m->lock, NULL);
	return m;
}

void
mgmt_marks_free(struct mgmt_marks *m)
{
	if (m == NULL)
		return;
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static void
worker_read(const struct mgmt_config *c, uint16_t worker, struct worker_mark *w)
{
	struct dp_stats s;

	dp_worker_info(c->dp, worker, &w->info);
	dp_stats_worker(c->dp, worker, &s);
	w->rx_frames = s.rx_frames;
}

void
mgmt_clear_drops(const struct mgmt_config *c)
{
	struct dp_stats s;

	dp_stats_sum(c->dp, &s);
	pthread_mutex_lock(&c->marks->lock);
	for (unsigned int d = 0; d < DP_DROP_COUNT; d++)
		c->marks->drops[d] = s.drops[d];
	pthread_mutex_unlock(&c->marks->lock);
}

void
mgmt_clear_lcores(const struct mgmt_config *c)
{
	struct mgmt_marks *m = c->marks;
	struct ctl_box_view box;

	ctl_box_view(c->ctl, &box);
	pthread_mutex_lock(&m->lock);
	for (uint16_t w = 0; w < dp_worker_count(c->dp); w++)
		worker_read(c, w, &m->worker[w]);
	m->turns = box.turns;
	m->sleeps = box.sleeps;
	m->stalls = box.stalls;
	dp_longest_turn_forget(c->dp);
	pthread_mutex_unlock(&m->lock);
}

int
mgmt_clear_port(const struct mgmt_config *c, uint16_t i)
{
	struct port_stats s;
	int ret = port_set_stats(c->ports, i, &s);

	if (ret != 0)
		return ret;
	pthread_mutex_lock(&c->marks->lock);
	c->marks->port[i] = s;
	pthread_mutex_unlock(&c->marks->lock);
	return 0;
}

/* A device that was reset counts from zero again. */
static void
subtract(uint64_t *counter, uint64_t mark)
{
	*counter = *counter >= mark ? *counter - mark : *counter;
}

void
mgmt_since_drops(const struct mgmt_config *c, uint64_t drops[DP_DROP_COUNT])
{
	struct dp_stats s;

	dp_stats_sum(c->dp, &s);
	pthread_mutex_lock(&c->marks->lock);
	for (unsigned int d = 0; d < DP_DROP_COUNT; d++) {
		drops[d] = s.drops[d];
		subtract(&drops[d], c->marks->drops[d]);
	}
	pthread_mutex_unlock(&c->marks->lock);
}

void
mgmt_since_worker(const struct mgmt_config *c, uint16_t worker, struct dp_worker_info *info,
	uint64_t *rx_frames)
{
	const struct worker_mark *mark = &c->marks->worker[worker];
	struct worker_mark now;

	pthread_mutex_lock(&c->marks->lock);
	worker_read(c, worker, &now);
	subtract(&now.info.turns, mark->info.turns);
	subtract(&now.info.empty_turns, mark->info.empty_turns);
	subtract(&now.info.sleeps, mark->info.sleeps);
	subtract(&now.info.busy_ns, mark->info.busy_ns);
	subtract(&now.info.idle_ns, mark->info.idle_ns);
	for (unsigned int b = 0; b < DP_BURST_SIZES; b++)
		subtract(&now.info.bursts[b], mark->info.bursts[b]);
	subtract(&now.rx_frames, mark->rx_frames);
	pthread_mutex_unlock(&c->marks->lock);
	*info = now.info;
	*rx_frames = now.rx_frames;
}

void
mgmt_since_box(const struct mgmt_config *c, struct ctl_box_view *box)
{
	ctl_box_view(c->ctl, box);
	pthread_mutex_lock(&c->marks->lock);
	subtract(&box->turns, c->marks->turns);
	subtract(&box->sleeps, c->marks->sleeps);
	subtract(&box->stalls, c->marks->stalls);
	pthread_mutex_unlock(&c->marks->lock);
}

int
mgmt_since_port(const struct mgmt_config *c, uint16_t i, struct port_stats *out)
{
	const struct port_stats *mark = &c->marks->port[i];
	int ret = port_set_stats(c->ports, i, out);

	if (ret != 0)
		return ret;
	pthread_mutex_lock(&c->marks->lock);
	subtract(&out->rx_frames, mark->rx_frames);
	subtract(&out->tx_frames, mark->tx_frames);
	subtract(&out->rx_bytes, mark->rx_bytes);
	subtract(&out->tx_bytes, mark->tx_bytes);
	subtract(&out->rx_missed, mark->rx_missed);
	subtract(&out->rx_errors, mark->rx_errors);
	subtract(&out->tx_errors, mark->tx_errors);
	subtract(&out->rx_nombuf, mark->rx_nombuf);
	pthread_mutex_unlock(&c->marks->lock);
	return 0;
}
