/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base_clock.h"

#include "port_priv.h"

/* Filters that the device refused are tried again after so long. */
#define RETRY_NS BASE_NS_PER_S

bool
port_link_read(struct port_set *s, struct port_dev *d, base_ns_t now)
{
	struct port_info *i = &d->now.info;
	bool up = false;
	uint32_t speed = 0;

	if (d->if_index != 0) {
		/* One that is gone is down; the driver's idea of its speed is invented. */
		if (s->netdev_fd < 0 || s->ops->netdev_link(s->netdev_fd, d->if_index, &up) != 0)
			up = false;
	} else {
		struct rte_eth_link link;

		memset(&link, 0, sizeof(link));
		if (s->ops->link(d->id, &link) == 0) {
			up = link.link_status == RTE_ETH_LINK_UP;
			if (up && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
				speed = link.link_speed;
		}
	}
	if (up == i->link_up && speed == i->link_speed_mbps)
		return false;
	i->link_speed_mbps = speed;
	if (up == i->link_up) {
		port_box_write(&d->box, &d->now);
		return false;
	}
	i->link_up = up;
	i->link_changes++;
	d->now.link_at = now;
	port_box_write(&d->box, &d->now);
	return true;
}

static void
make_link_event(const struct port_state *st, struct port_event *ev)
{
	memset(ev, 0, sizeof(*ev));
	ev->type = PORT_EV_LINK;
	ev->port_id = st->info.port_id;
	ev->link_up = st->info.link_up;
	ev->at = st->link_at;
}

static void
make_filter_event(const struct port_state *st, struct port_event *ev)
{
	memset(ev, 0, sizeof(*ev));
	ev->type = PORT_EV_FILTER;
	ev->port_id = st->info.port_id;
	ev->link_up = st->info.link_up;
	ev->filter_ok = st->filter_ok;
	ev->at = st->filter_at;
	memcpy(ev->reason, st->info.vmac_reason, sizeof(ev->reason));
}

static void
make_device_event(const struct port_state *st, struct port_event *ev)
{
	memset(ev, 0, sizeof(*ev));
	ev->type = PORT_EV_DEVICE;
	ev->port_id = st->info.port_id;
	ev->attached = st->info.out_of_service[0] == '\0';
	ev->at = st->service_at;
	memcpy(ev->reason, st->info.out_of_service, sizeof(st->info.out_of_service));
}

static void
make_event(const struct port_state *st, enum port_event_type type, struct port_event *ev)
{
	switch (type) {
	case PORT_EV_LINK:
		make_link_event(st, ev);
		break;
	case PORT_EV_FILTER:
		make_filter_event(st, ev);
		break;
	case PORT_EV_DEVICE:
		make_device_event(st, ev);
		break;
	}
}

static _Atomic uint32_t *
missed_of(struct port_set *s, enum port_event_type type)
{
	return type == PORT_EV_LINK	 ? &s->missed_link
		: type == PORT_EV_FILTER ? &s->missed_filter
					 : &s->missed_device;
}

static bool
push(struct port_set *s, uint16_t i, const struct port_event *ev)
{
	const uint32_t tail = atomic_load_explicit(&s->tail, memory_order_relaxed);

	if (tail - atomic_load_explicit(&s->head, memory_order_acquire) == PORT_EVENTS)
		return false;
	s->slot[tail % PORT_EVENTS] = *ev;
	s->slot_dev[tail % PORT_EVENTS] = i;
	atomic_store_explicit(&s->tail, tail + 1, memory_order_release);
	return true;
}

/* The state was published before: whoever sees the bit finds it, or a later one. */
void
port_tell(struct port_set *s, uint16_t i, enum port_event_type type)
{
	struct port_event ev;

	make_event(&s->dev[i].now, type, &ev);
	if (!push(s, i, &ev))
		atomic_fetch_or_explicit(
			missed_of(s, type), UINT32_C(1) << i, memory_order_release);
}

static bool
take_missed(struct port_set *s, enum port_event_type type, struct port_event *out)
{
	_Atomic uint32_t *missed = missed_of(s, type);
	const uint32_t bits = atomic_load_explicit(missed, memory_order_relaxed);
	struct port_state st;
	unsigned int i;

	if (bits == 0)
		return false;
	i = (unsigned int)__builtin_ctz(bits);
	/* Taken back first: a change that comes while the state is copied sets it again. */
	atomic_fetch_and_explicit(missed, ~(UINT32_C(1) << i), memory_order_acquire);
	port_box_read(&s->dev[i].box, &st);
	make_event(&st, type, out);
	s->told[type][i] = out->at;
	return true;
}

bool
port_set_event(struct port_set *s, struct port_event *out)
{
	uint32_t head = atomic_load_explicit(&s->head, memory_order_relaxed);

	while (head != atomic_load_explicit(&s->tail, memory_order_acquire)) {
		const uint16_t i = s->slot_dev[head % PORT_EVENTS];
		const struct port_event ev = s->slot[head % PORT_EVENTS];

		atomic_store_explicit(&s->head, ++head, memory_order_release);
		/*
		 * The ring may fill up between the look that found it empty and the state read
		 * below: what it then holds is older than what was told.
		 */
		if (ev.at >= s->told[ev.type][i]) {
			*out = ev;
			return true;
		}
	}
	return take_missed(s, PORT_EV_DEVICE, out) || take_missed(s, PORT_EV_LINK, out) ||
		take_missed(s, PORT_EV_FILTER, out);
}

void
port_filter_refreshed(struct port_set *s, uint16_t i, bool asked, base_ns_t now)
{
	struct port_dev *d = &s->dev[i];
	struct port_info *info = &d->now.info;

	if (d->job_ret != 0) {
		d->retry_at = now + RETRY_NS;
		snprintf(info->vmac_reason, sizeof(info->vmac_reason), "%.*s",
			(int)sizeof(info->vmac_reason) - 1, d->job_err);
		/* Told once; then in silence until it works. */
		if (!asked) {
			port_box_write(&d->box, &d->now);
			return;
		}
	} else {
		d->retry_at = 0;
	}
	d->now.filter_at = now;
	port_box_write(&d->box, &d->now);
	port_tell(s, i, PORT_EV_FILTER);
}

/* What is slow about a device, if it is time for something. */
static void
work(struct port_set *s, uint16_t i, bool reprogram, base_ns_t now)
{
	struct port_dev *d = &s->dev[i];

	if (port_change_begin(s, i, now)) {
		if (reprogram) /* when that is done */
			port_set_reprogram(s, i);
		return;
	}
	if (d->phase != PORT_PHASE_SERVES)
		port_life_repair(s, i, now); /* which programs it as well */
	else if (reprogram)
		port_job_start(s, i, PORT_JOB_FILTER, now);
	else if (d->retry_at != 0 && d->retry_at <= now)
		port_job_start(s, i, PORT_JOB_FILTER_RETRY, now);
}

void
port_set_turn(struct port_set *s, base_ns_t now)
{
	uint32_t wanted = atomic_exchange_explicit(&s->reprogram, 0, memory_order_acquire);

	for (uint16_t i = 0; i < s->n; i++)
		port_job_finish(s, i, now);
	/* Before its link is believed: a device that is reset may still say that it has one. */
	for (uint16_t i = 0; i < s->n; i++)
		port_life_leave(s, i, now);
	for (uint16_t i = 0; i < s->n; i++) {
		struct port_dev *d = &s->dev[i];

		if (d->job != PORT_JOB_NONE || d->phase != PORT_PHASE_SERVES ||
			!port_link_read(s, d, now))
			continue;
		port_tell(s, i, PORT_EV_LINK);
		if (d->now.info.link_up && d->n_filters > 0)
			wanted |= UINT32_C(1) << i;
	}
	for (uint16_t i = 0; i < s->n; i++) {
		const uint32_t bit = UINT32_C(1) << i;

		if (s->dev[i].job == PORT_JOB_NONE)
			work(s, i, wanted & bit, now);
		else
			/* When the one that it has now is done, whose end wakes us. */
			atomic_fetch_or_explicit(&s->reprogram, wanted & bit, memory_order_relaxed);
	}
}

void
port_set_wake(struct port_set *s)
{
	const uint64_t one = 1;

	/* It can only fail when the counter is full, and then the thread is awake. */
	if (write(s->wake_fd, &one, sizeof(one)) < 0)
		return;
}

int
port_set_reprogram(struct port_set *s, uint16_t i)
{
	if (i >= s->n)
		return -EINVAL;
	atomic_fetch_or_explicit(&s->reprogram, UINT32_C(1) << i, memory_order_release);
	port_set_wake(s);
	return 0;
}

/* Netlink's messages only say "look again", so a lost one (ENOBUFS) says the same. */
static void
drain(const struct port_set *s, const struct pollfd fds[2])
{
	uint64_t count;
	char buf[4096];

	if (fds[0].revents != 0 && read(s->wake_fd, &count, sizeof(count)) < 0)
		return;
	if (fds[1].revents == 0)
		return;
	while (recv(s->watch_fd, buf, sizeof(buf), MSG_DONTWAIT) > 0 || errno == ENOBUFS)
		errno = 0;
}

static void
thread_run(void *arg)
{
	struct port_set *s = arg;
	struct pollfd fds[2] = {
		{.fd = s->wake_fd, .events = POLLIN},
		{.fd = s->watch_fd, .events = POLLIN}, /* -1 is passed over */
	};

	while (!atomic_load_explicit(&s->stop, memory_order_acquire)) {
		port_set_turn(s, base_clock_ns(CLOCK_MONOTONIC));
		/*
		 * All devices are looked at each time, also those that interrupt: tap only takes
		 * down what it was told, and calls nobody. Reading that costs next to nothing.
		 */
		if (poll(fds, 2, (int)s->poll_ms) > 0)
			drain(s, fds);
	}
}

static void
stop_jobs(struct port_set *s)
{
	const uint64_t one = 1;

	atomic_store_explicit(&s->stop, true, memory_order_release);
	while (write(s->job_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	compat_thread_join(&s->job_thread);
}

int
port_set_watch(struct port_set *s, uint32_t poll_ms)
{
	int ret;

	if (poll_ms == 0 || poll_ms > 60000)
		return -EINVAL;
	if (s->watching)
		return -EALREADY;
	s->poll_ms = poll_ms;
	atomic_store_explicit(&s->stop, false, memory_order_relaxed);
	ret = compat_thread_start(&s->job_thread, "koi-device", port_job_thread, s);
	if (ret != 0)
		return ret;
	/* Before the thread looks at it. */
	s->watching = true;
	ret = compat_thread_start(&s->thread, "koi-port", thread_run, s);
	if (ret != 0) {
		s->watching = false;
		stop_jobs(s);
	}
	return ret;
}

void
port_thread_stop(struct port_set *s)
{
	if (!s->watching)
		return;
	atomic_store_explicit(&s->stop, true, memory_order_release);
	port_set_wake(s);
	compat_thread_join(&s->thread);
	stop_jobs(s);
	s->watching = false;
}
