/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * What may take a device seconds, or a minute, is done on a thread of its own, one at a time, so
 * that the port thread goes on to see the links of all others. A device with a job belongs to that
 * thread until the port thread has seen its end, and only then are the results told.
 */
#include <errno.h>
#include <unistd.h>

#include "port_priv.h"

static void
run(struct port_set *s, struct port_dev *d)
{
	d->job_err[0] = '\0';
	if (d->job == PORT_JOB_CHANGE) {
		d->job_ret = port_filter_change(s, d, d->change, d->job_err, sizeof(d->job_err));
	} else if (d->job == PORT_JOB_REPAIR) {
		pthread_mutex_lock(&d->driver);
		d->job_ret = port_life_bring_back(s, d, d->job_err, sizeof(d->job_err));
		pthread_mutex_unlock(&d->driver);
	} else {
		d->job_ret = port_filter_refresh(s, d, d->job_err, sizeof(d->job_err));
	}
}

static void
finish(struct port_set *s, uint16_t i, base_ns_t now)
{
	struct port_dev *d = &s->dev[i];
	const enum port_job job = d->job;

	d->job = PORT_JOB_NONE;
	if (job == PORT_JOB_CHANGE)
		port_change_finish(s, i, now);
	else if (job == PORT_JOB_REPAIR)
		port_life_repaired(s, i, now);
	else
		port_filter_refreshed(s, i, job == PORT_JOB_FILTER, now);
}

void
port_job_start(struct port_set *s, uint16_t i, enum port_job job, base_ns_t now)
{
	const uint64_t one = 1;

	s->dev[i].job = job;
	if (!s->watching) {
		run(s, &s->dev[i]);
		finish(s, i, now);
		return;
	}
	atomic_fetch_or_explicit(&s->jobs, UINT32_C(1) << i, memory_order_release);
	while (write(s->job_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void
port_job_finish(struct port_set *s, uint16_t i, base_ns_t now)
{
	if (s->dev[i].job != PORT_JOB_NONE &&
		(atomic_load_explicit(&s->jobs, memory_order_acquire) & UINT32_C(1) << i) == 0)
		finish(s, i, now);
}

void
port_job_thread(void *arg)
{
	struct port_set *s = arg;
	uint64_t count;

	while (!atomic_load_explicit(&s->stop, memory_order_acquire)) {
		const uint32_t jobs = atomic_load_explicit(&s->jobs, memory_order_acquire);

		if (jobs == 0) {
			if (read(s->job_fd, &count, sizeof(count)) < 0 && errno != EINTR)
				return;
			continue;
		}
		run(s, &s->dev[__builtin_ctz(jobs)]);
		atomic_fetch_and_explicit(&s->jobs, ~(jobs & -jobs), memory_order_release);
		port_set_wake(s);
	}
}
