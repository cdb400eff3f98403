/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Out of service and back. A device that asks for a reset, or goes, first loses its link for
 * everybody; then the lcores leave it alone and say so; then it is reset, or let go of and probed
 * until it is there again, brought up as it was, given its addresses, and handed back.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_pause.h>

#include "port_priv.h"

/* The next try comes after a second, then twice as long each time, up to about a minute. */
#define REPAIR_NS	 BASE_NS_PER_S
#define REPAIR_DOUBLINGS 6

#define EVENT_LSC   1u
#define EVENT_RMV   2u
#define EVENT_RESET 4u
static const struct {
	uint8_t bit;
	enum rte_eth_event_type type;
} events[] = {
	{EVENT_LSC, RTE_ETH_EVENT_INTR_LSC},
	{EVENT_RMV, RTE_ETH_EVENT_INTR_RMV},
	{EVENT_RESET, RTE_ETH_EVENT_INTR_RESET},
};

int
port_device_event(uint16_t port_id, enum rte_eth_event_type type, void *set, void *ret_param)
{
	struct port_set *s = set;
	uint32_t bit = 0;

	(void)ret_param;
	for (uint16_t i = 0; i < s->n; i++)
		if (s->dev[i].id == port_id)
			bit |= UINT32_C(1) << i;
	if (type == RTE_ETH_EVENT_INTR_RMV)
		atomic_fetch_or_explicit(&s->removed, bit, memory_order_release);
	else if (type == RTE_ETH_EVENT_INTR_RESET)
		atomic_fetch_or_explicit(&s->reset, bit, memory_order_release);
	port_set_wake(s);
	return 0;
}

void
port_events_register(struct port_set *s, struct port_dev *d)
{
	for (unsigned int i = 0; i < RTE_DIM(events); i++) {
		if (events[i].bit == EVENT_LSC && !d->lsc)
			continue;
		if (s->ops->event_register(d->id, events[i].type, port_device_event, s) == 0)
			d->events |= events[i].bit;
	}
	d->lsc = (d->events & EVENT_LSC) != 0;
}

void
port_events_unregister(struct port_set *s, struct port_dev *d)
{
	for (unsigned int i = 0; i < RTE_DIM(events); i++)
		/* It is refused while the callback runs, which takes no time. */
		while (d->events & events[i].bit &&
			s->ops->event_unregister(d->id, events[i].type, port_device_event, s) ==
				-EAGAIN)
			rte_pause();
	d->events = 0;
}

static bool
take_bit(_Atomic uint32_t *bits, uint16_t i)
{
	const uint32_t bit = UINT32_C(1) << i;

	if ((atomic_load_explicit(bits, memory_order_relaxed) & bit) == 0)
		return false;
	return (atomic_fetch_and_explicit(bits, ~bit, memory_order_acquire) & bit) != 0;
}

void
port_life_leave(struct port_set *s, uint16_t i, base_ns_t now)
{
	struct port_dev *d = &s->dev[i];
	struct port_info *info = &d->now.info;
	const bool had_link = info->link_up;
	bool removed, reset;

	if (d->job != PORT_JOB_NONE)
		return;
	removed = take_bit(&s->removed, i);
	reset = take_bit(&s->reset, i);
	d->removed = d->removed || removed;
	if (d->phase != PORT_PHASE_SERVES || (!removed && !reset))
		return;
	d->phase = PORT_PHASE_LEAVES;
	snprintf(info->out_of_service, sizeof(info->out_of_service), "%s",
		removed ? "the device was removed" : "the device asked for a reset");
	info->n_outages++;
	d->now.service_at = now;
	if (had_link) {
		info->link_up = false;
		info->link_speed_mbps = 0;
		info->link_changes++;
		d->now.link_at = now;
	}
	port_box_write(&d->box, &d->now);
	if (had_link)
		port_tell(s, i, PORT_EV_LINK);
	port_tell(s, i, PORT_EV_DEVICE);
}

void
port_set_detached(struct port_set *s, uint16_t port_id)
{
	for (uint16_t i = 0; i < s->n; i++)
		if (s->dev[i].id == port_id)
			atomic_fetch_or_explicit(
				&s->detached, UINT32_C(1) << i, memory_order_release);
	port_set_wake(s);
}

/* All that was programmed went with the device. */
static void
forget(struct port_dev *d)
{
	d->started = false;
	d->n_filters = 0;
	d->promiscuous = false;
	d->promiscuous_on = false;
	d->netdev_promiscuous = false;
	d->multicast = false;
	d->allmulticast = false;
}

static int
find_again(struct port_set *s, struct port_dev *d, char *err, unsigned int err_len)
{
	uint16_t id;
	int ret;

	if (!d->gone) {
		port_events_unregister(s, d);
		ret = s->ops->remove(d->id);
		if (ret != 0 && s->ops->find(d->config.device, &id) == 0 && id == d->id) {
			snprintf(err, err_len, "the device was removed and the driver keeps it: %s",
				rte_strerror(-ret));
			return ret;
		}
		forget(d);
		d->gone = true;
	}
	ret = s->ops->probe(d->identity);
	if (ret == 0)
		ret = s->ops->find(d->config.device, &id);
	if (ret != 0) {
		snprintf(err, err_len, "the device was removed and is not back");
		return ret;
	}
	if (id != d->id) {
		/* Each lcore knows it by its number. */
		(void)s->ops->remove(id);
		snprintf(err, err_len, "the device came back as port %u, it was %u: restart koi",
			id, d->id);
		return -EXDEV;
	}
	/* Nor is it hit by what was told of its removal after the first word. */
	(void)take_bit(&s->removed, (uint16_t)(d - s->dev));
	d->gone = false;
	d->removed = false;
	return 0;
}

static int
reset(struct port_set *s, struct port_dev *d, char *err, unsigned int err_len)
{
	int ret = s->ops->reset(d->id);

	if (ret == -ENOTSUP)
		ret = s->ops->stop(d->id);
	if (ret != 0)
		snprintf(err, err_len, "reset: %s", rte_strerror(-ret));
	else
		d->started = false;
	return ret;
}

int
port_life_bring_back(struct port_set *s, struct port_dev *d, char *err, unsigned int err_len)
{
	int ret =
		d->removed || d->gone ? find_again(s, d, err, err_len) : reset(s, d, err, err_len);

	if (ret != 0)
		return ret;
	port_events_unregister(s, d);
	port_events_register(s, d);
	ret = port_dev_restart(s, d, err, err_len);
	if (ret != 0)
		return ret;
	/* One that is deaf serves all the same: its filters are tried again and again. */
	if (port_filter_refresh(s, d, err, err_len) != 0)
		snprintf(d->now.info.vmac_reason, sizeof(d->now.info.vmac_reason), "%.*s",
			(int)sizeof(d->now.info.vmac_reason) - 1, err);
	return 0;
}

void
port_life_repair(struct port_set *s, uint16_t i, base_ns_t now)
{
	struct port_dev *d = &s->dev[i];

	if (d->phase == PORT_PHASE_LEAVES) {
		if (!take_bit(&s->detached, i))
			return;
		d->phase = PORT_PHASE_REPAIR;
		d->n_tries = 0;
		d->repair_at = now;
	}
	if (now >= d->repair_at)
		port_job_start(s, i, PORT_JOB_REPAIR, now);
}

void
port_life_repaired(struct port_set *s, uint16_t i, base_ns_t now)
{
	struct port_dev *d = &s->dev[i];
	struct port_info *info = &d->now.info;

	if (d->job_ret != 0) {
		snprintf(info->out_of_service, sizeof(info->out_of_service), "%.*s",
			(int)sizeof(info->out_of_service) - 1, d->job_err);
		port_box_write(&d->box, &d->now);
		d->repair_at = now + (REPAIR_NS << d->n_tries);
		if (d->n_tries < REPAIR_DOUBLINGS)
			d->n_tries++;
		return;
	}
	d->phase = PORT_PHASE_SERVES;
	info->out_of_service[0] = '\0';
	d->now.service_at = now;
	d->now.filter_at = now;
	d->retry_at = d->now.filter_ok ? 0 : now;
	port_box_write(&d->box, &d->now);
	/* In this order: who is deaf must not look healthy for a moment. The link comes next. */
	port_tell(s, i, PORT_EV_DEVICE);
	port_tell(s, i, PORT_EV_FILTER);
	if (port_link_read(s, d, now))
		port_tell(s, i, PORT_EV_LINK);
}
