/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Other addresses for a device that runs: who asks waits, the port thread hands it to the job's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "port_priv.h"

/* For so long a device may do something else first. */
#define BEGIN_S 2

bool
port_change_begin(struct port_set *s, uint16_t i, base_ns_t now)
{
	struct port_dev *d = &s->dev[i];

	if (atomic_load_explicit(&d->asked, memory_order_relaxed) == NULL)
		return false;
	d->change = atomic_exchange_explicit(&d->asked, NULL, memory_order_acquire);
	if (d->change == NULL)
		return false; /* taken back */
	port_job_start(s, i, PORT_JOB_CHANGE, now);
	return true;
}

void
port_change_finish(struct port_set *s, uint16_t i, base_ns_t now)
{
	struct port_dev *d = &s->dev[i];
	struct port_change *c = d->change;

	d->change = NULL;
	d->now.info.n_vmacs = d->n_vmacs;
	d->now.info.n_mcasts = d->n_mcasts;
	c->ret = d->job_ret;
	if (c->ret != 0)
		memcpy(c->err, d->job_err, sizeof(c->err));
	if (d->phase == PORT_PHASE_SERVES && !c->same) {
		/* An error is the asker's; what counts here is whether frames reach us. */
		d->job_ret = d->now.filter_ok ? 0 : -EIO;
		port_filter_refreshed(s, i, true, now);
	} else {
		port_box_write(&d->box, &d->now);
	}
	sem_post(&c->done);
}

static void
wait_for(struct port_set *s, struct port_dev *d, struct port_change *c)
{
	struct port_change *mine = c;
	struct timespec t;

	atomic_store_explicit(&d->asked, c, memory_order_release);
	port_set_wake(s);
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += BEGIN_S;
	while (sem_clockwait(&c->done, CLOCK_MONOTONIC, &t) != 0) {
		if (errno != ETIMEDOUT)
			continue;
		if (atomic_compare_exchange_strong_explicit(
			    &d->asked, &mine, NULL, memory_order_relaxed, memory_order_relaxed)) {
			c->ret = -EBUSY;
			snprintf(
				c->err, sizeof(c->err), "%s: the device is busy", d->config.device);
			return;
		}
		/* It has begun: now it comes to an end. */
		while (sem_wait(&c->done) != 0)
			;
		return;
	}
}

int
port_set_addresses(struct port_set *s, uint16_t i, const struct port_addresses *a, char *err,
	unsigned int err_len)
{
	struct port_change c = {0};
	int vmacs, mcasts;

	if (i >= s->n || !s->watching) {
		snprintf(err, err_len, "no device %u", i);
		return -EINVAL;
	}
	vmacs = port_copy_macs(a->vmacs, a->n_vmacs, &c.vmacs);
	mcasts = port_copy_macs(a->mcasts, a->n_mcasts, &c.mcasts);
	if (vmacs < 0 || mcasts < 0) {
		c.ret = -ENOMEM;
		snprintf(c.err, sizeof(c.err), "%s: out of memory", s->dev[i].config.device);
	} else {
		c.n_vmacs = (uint16_t)vmacs;
		c.n_mcasts = (uint16_t)mcasts;
		sem_init(&c.done, 0, 0);
		wait_for(s, &s->dev[i], &c);
		sem_destroy(&c.done);
	}
	if (c.ret != 0)
		snprintf(err, err_len, "%s", c.err);
	free(c.vmacs);
	free(c.mcasts);
	return c.ret;
}
