/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "port_priv.h"

/*
 * Release on each word and acquire on the reader's side do what fences would, and the thread
 * sanitizer understands them: who sees a word of this write sees its sequence number as well.
 */
static void
box_store(struct port_box *b, uint32_t seq, const uint64_t words[PORT_STATE_WORDS])
{
	/* From now on readers use the other copy. */
	atomic_store_explicit(&b->seq, seq, memory_order_release);
	for (unsigned int i = 0; i < PORT_STATE_WORDS; i++)
		atomic_store_explicit(&b->words[(seq & 1) ^ 1][i], words[i], memory_order_release);
}

void
port_box_write(struct port_box *b, const struct port_state *s)
{
	const uint32_t seq = atomic_load_explicit(&b->seq, memory_order_relaxed);
	uint64_t words[PORT_STATE_WORDS] = {0};

	memcpy(words, s, sizeof(*s));
	box_store(b, seq + 1, words);
	box_store(b, seq + 2, words);
}

void
port_box_read(const struct port_box *b, struct port_state *s)
{
	uint64_t words[PORT_STATE_WORDS];
	uint32_t before, after;

	do {
		before = atomic_load_explicit(&b->seq, memory_order_acquire);
		for (unsigned int i = 0; i < PORT_STATE_WORDS; i++)
			words[i] = atomic_load_explicit(
				&b->words[before & 1][i], memory_order_acquire);
		after = atomic_load_explicit(&b->seq, memory_order_relaxed);
	} while (before != after);
	memcpy(s, words, sizeof(*s));
}

bool
port_has_mac(uint8_t (*macs)[BASE_MAC_LEN], uint16_t n, const uint8_t mac[BASE_MAC_LEN])
{
	for (uint16_t i = 0; i < n; i++)
		if (memcmp(macs[i], mac, BASE_MAC_LEN) == 0)
			return true;
	return false;
}

int
port_copy_macs(const uint8_t (*macs)[BASE_MAC_LEN], uint16_t n, uint8_t (**out)[BASE_MAC_LEN])
{
	uint16_t kept = 0;

	if (n == 0)
		return 0;
	*out = calloc(n, sizeof(**out));
	if (*out == NULL)
		return -ENOMEM;
	for (uint16_t i = 0; i < n; i++)
		if (!port_has_mac(*out, kept, macs[i]))
			memcpy((*out)[kept++], macs[i], BASE_MAC_LEN);
	return kept;
}

static int
copy_filters(struct port_dev *d, const struct port_config *c)
{
	int vmacs = port_copy_macs(c->vmacs, c->n_vmacs, &d->vmacs);
	int mcasts = port_copy_macs(c->mcasts, c->n_mcasts, &d->mcasts);

	if (vmacs < 0 || mcasts < 0)
		return -ENOMEM;
	d->n_vmacs = (uint16_t)vmacs;
	d->n_mcasts = (uint16_t)mcasts;
	return 0;
}

/* Sockets belong to the network namespace that they were made in, so they are made once, here. */
static void
open_netdev(struct port_set *s, const struct port_dev *d)
{
	if (d->if_index == 0)
		return;
	if (s->netdev_fd < 0)
		s->netdev_fd = s->ops->netdev_open();
	if (s->watch_fd < 0)
		s->watch_fd = s->ops->netdev_watch_open();
}

static int
start_one(struct port_set *s, uint16_t i, const struct port_config *c, void *pool, char *err,
	unsigned int err_len)
{
	struct port_dev *d = &s->dev[i];
	struct port_info *info = &d->now.info;
	int ret;

	ret = s->ops->find(c->device, &d->id);
	if (ret != 0) {
		char have[256];

		s->ops->list(have, sizeof(have));
		snprintf(err, err_len, "%s: no such device; there are: %s", c->device, have);
		return ret;
	}
	for (uint16_t k = 0; k < i; k++) {
		if (s->dev[k].id == d->id) {
			snprintf(err, err_len, "%s: named twice", c->device);
			return -EEXIST;
		}
	}
	ret = copy_filters(d, c);
	if (ret != 0) {
		snprintf(err, err_len, "%s: out of memory", c->device);
		return ret;
	}
	ret = port_dev_start(s, d, c, pool, err, err_len);
	if (ret != 0)
		return ret;
	info->vmac_policy = c->vmac_policy;
	info->n_vmacs = d->n_vmacs;
	info->n_mcasts = d->n_mcasts;
	info->vmac_slots = port_facts_slots(&d->facts);
	open_netdev(s, d);
	ret = port_filter_apply(s, d, err, err_len);
	if (ret != 0)
		return ret;
	snprintf(info->link_source, sizeof(info->link_source), "%s",
		d->if_index != 0 ? "netdev"
			: d->lsc ? "interrupt"
				 : "poll");
	/* The election starts from what is true now, without an event. */
	port_link_read(s, d, 0);
	info->link_changes = 0;
	port_box_write(&d->box, &d->now);
	return 0;
}

static void
stop_one(struct port_set *s, struct port_dev *d)
{
	if (d->started) {
		port_filter_undo(s, d);
		s->ops->stop(d->id);
		d->started = false;
	}
	port_events_unregister(s, d);
}

static void
free_set(struct port_set *s)
{
	for (uint16_t i = 0; s->dev != NULL && i < s->n; i++) {
		free(s->dev[i].vmacs);
		free(s->dev[i].mcasts);
		pthread_mutex_destroy(&s->dev[i].driver);
	}
	if (s->netdev_fd >= 0)
		close(s->netdev_fd);
	if (s->watch_fd >= 0)
		close(s->watch_fd);
	if (s->wake_fd >= 0)
		close(s->wake_fd);
	if (s->job_fd >= 0)
		close(s->job_fd);
	free(s->dev);
	free(s);
}

struct port_set *
port_set_start_ops(const struct port_ops *ops, const struct port_config *configs, uint16_t n,
	void *const *mempools, char *err, unsigned int err_len)
{
	struct port_set *s;
	uint16_t i;

	if (n == 0 || n > PORT_MAX) {
		snprintf(err, err_len, "%u devices: 1 to %d are possible", n, PORT_MAX);
		return NULL;
	}
	s = aligned_alloc(_Alignof(struct port_set), sizeof(*s));
	if (s == NULL) {
		snprintf(err, err_len, "out of memory");
		return NULL;
	}
	memset(s, 0, sizeof(*s));
	s->ops = ops;
	s->n = n;
	s->netdev_fd = -1;
	s->watch_fd = -1;
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->job_fd = eventfd(0, EFD_CLOEXEC);
	s->dev = calloc(n, sizeof(*s->dev));
	for (i = 0; s->dev != NULL && i < n; i++)
		pthread_mutex_init(&s->dev[i].driver, NULL);
	if (s->wake_fd < 0 || s->job_fd < 0 || s->dev == NULL) {
		snprintf(err, err_len, "devices: %s",
			s->dev == NULL ? "out of memory" : "no eventfd");
		free_set(s);
		return NULL;
	}
	for (i = 0; i < n; i++) {
		if (start_one(s, i, &configs[i], mempools[i], err, err_len) != 0)
			goto undo;
	}
	return s;

undo:
	do
		stop_one(s, &s->dev[i]);
	while (i-- > 0);
	free_set(s);
	return NULL;
}

struct port_set *
port_set_start(const struct port_config *configs, uint16_t n, void *const *mempools, char *err,
	unsigned int err_len)
{
	return port_set_start_ops(&port_ops_real, configs, n, mempools, err, err_len);
}

void
port_set_stop(struct port_set *s)
{
	if (s == NULL)
		return;
	port_thread_stop(s);
	for (uint16_t i = s->n; i-- > 0;) {
		stop_one(s, &s->dev[i]);
		if (!s->dev[i].gone)
			s->ops->close(s->dev[i].id);
	}
	free_set(s);
}

uint16_t
port_set_count(const struct port_set *s)
{
	return s->n;
}

int
port_set_info(const struct port_set *s, uint16_t i, struct port_info *out)
{
	struct port_state st;

	if (i >= s->n)
		return -EINVAL;
	port_box_read(&s->dev[i].box, &st);
	*out = st.info;
	return 0;
}

/*
 * A device that is brought back may take a minute. Nobody waits so long for counters, least of all
 * an operator who wants to see what is wrong.
 */
static bool
driver_lock(struct port_dev *d)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec++;
	return pthread_mutex_clocklock(&d->driver, CLOCK_MONOTONIC, &t) == 0;
}

int
port_set_stats(struct port_set *s, uint16_t i, struct port_stats *out)
{
	struct rte_eth_stats st;
	int ret;

	if (i >= s->n)
		return -EINVAL;
	if (!driver_lock(&s->dev[i]))
		return -EBUSY;
	ret = s->ops->stats(s->dev[i].id, &st);
	pthread_mutex_unlock(&s->dev[i].driver);
	if (ret != 0)
		return ret;
	*out = (struct port_stats){
		.rx_frames = st.ipackets,
		.tx_frames = st.opackets,
		.rx_bytes = st.ibytes,
		.tx_bytes = st.obytes,
		.rx_missed = st.imissed,
		.rx_errors = st.ierrors,
		.tx_errors = st.oerrors,
		.rx_nombuf = st.rx_nombuf,
	};
	return 0;
}
