/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The host thread: frames from the workers' rings to the taps, paced; frames from the taps to the
 * ring of the first worker, as long as that has room; and the VIPs in the kernel as the groups'
 * states are. What waits for it is bounded by the rings, what it may take by the rate, so that a
 * flood costs the box a known part of one CPU that no lcore needs.
 */
#include "host.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <rte_mbuf.h>

#include "dp.h"
#include "host_priv.h"
#include "host_vips_priv.h"

#define POLL_MIN_NS  (50 * BASE_NS_PER_US)
#define POLL_MAX_NS  (2 * BASE_NS_PER_MS)
#define CREDIT_NS    (10 * BASE_NS_PER_MS) /* what may be taken at once, in time */
#define SEGMENTS_MAX 64

struct host {
	struct dp *dp;
	struct rte_mempool *pool;
	uint16_t n_workers;
	int net;
	uint16_t n_ifs;
	struct host_if *ifs;
	struct pollfd *fds;
	struct host_vips vips;
	struct host_vips *next; /* atomic: of who asks for others, until they are in place */
	uint16_t n_groups;	/* slots */
	bool *master;		/* by group: as the kernel was told */
	bool started;
	struct compat_thread thread;
	bool stop; /* atomic */
};

bool
host_wanted(const struct conf *conf)
{
	for (uint16_t i = 0; i < conf->n_ifs; i++)
		if (conf->ifs[i].host.on)
			return true;
	return false;
}

static void
count(uint64_t *c, uint64_t n)
{
	__atomic_store_n(c, *c + n, __ATOMIC_RELAXED);
}

static void
note(struct host_if *f, int ret)
{
	if (ret == 0)
		return;
	count(&f->refused, 1);
	__atomic_store_n(&f->last_error, -ret, __ATOMIC_RELAXED);
}

/*
 * The address goes last in and first out: the kernel must not have it without the rule by which its
 * answers leave.
 */
static void
vip_set(void *arg, struct host_if *f, const struct base_addr *addr, bool there)
{
	const struct host *h = arg;
	uint8_t bits = addr->family == BASE_FAMILY_IP4 ? 32 : 128;

	__atomic_store_n(&f->vips, there ? f->vips + 1 : f->vips - 1, __ATOMIC_RELAXED);
	if (there)
		note(f, host_net_rule(h->net, addr, f->table, true));
	note(f, host_net_address(h->net, f->netdev, addr, bits, true, there));
	if (!there)
		note(f, host_net_rule(h->net, addr, f->table, false));
}

static void
states_follow(struct host *h)
{
	bool any = false;

	for (uint16_t g = 0; g < h->n_groups; g++) {
		bool now = dp_answers(h->dp, g);

		any |= now != h->master[g];
		h->master[g] = now;
	}
	if (any)
		host_vips_follow(&h->vips, h->master, vip_set, h);
}

/* A rule that was left by a koi that did not end by itself leads to a table that is gone. */
static void
forget_rules(const struct host *h, const struct base_addr *addr)
{
	while (host_net_rule(h->net, addr, 0, false) == 0)
		;
}

/* Others are wanted: with the states that were followed last. */
static void
vips_take(struct host *h)
{
	struct host_vips *next = __atomic_load_n(&h->next, __ATOMIC_ACQUIRE), was = h->vips;

	if (next == NULL)
		return;
	for (uint32_t i = 0; i < next->n; i++) {
		next->vip[i].there = h->master[next->vip[i].group];
		if (!host_vips_know(&was, &next->vip[i].addr))
			forget_rules(h, &next->vip[i].addr);
	}
	host_vips_replace(&was, next, vip_set, h);
	h->vips = *next;
	*next = was;
	__atomic_store_n(&h->next, NULL, __ATOMIC_RELEASE);
}

/* Daemons see on the tap what the device sees: routing protocols leave at once. */
static void
link_follows(struct host *h, struct host_if *f)
{
	int now = dp_has_link(h->dp, f->if_index);

	if (now == f->carrier)
		return;
	f->carrier = now;
	host_tap_carrier(f, now);
}

/* A frame in however many segments. */
static void
tap_write(struct host_if *f, const struct rte_mbuf *m)
{
	struct iovec v[SEGMENTS_MAX];
	int n = 0;

	for (const struct rte_mbuf *s = m; s != NULL && n < SEGMENTS_MAX; s = s->next)
		v[n++] = (struct iovec){rte_pktmbuf_mtod(s, void *), s->data_len};
	if (m->nb_segs <= SEGMENTS_MAX && writev(f->fd, v, n) == (ssize_t)m->pkt_len)
		count(&f->written, 1);
	else
		count(&f->write_failed, 1);
}

static uint32_t
credit_of(struct host_if *f, base_ns_t now)
{
	f->credit_ns += base_ns_since(now, f->credit_at);
	f->credit_at = now;
	if (f->credit_ns > f->credit_max_ns)
		f->credit_ns = f->credit_max_ns;
	return (uint32_t)(f->credit_ns / f->cost_ns);
}

/* The workers take turns at being the first, so that none of them can use up the rate. */
static uint32_t
up(struct host *h, struct host_if *f, base_ns_t now)
{
	struct rte_mbuf *pkts[DP_HOST_BURST];
	uint32_t credit = credit_of(f, now), total = 0;

	for (uint16_t k = 0; k < h->n_workers && total < credit; k++) {
		uint16_t w = (uint16_t)((f->next_worker + k) % h->n_workers);
		uint32_t n = dp_host_poll(h->dp, f->if_index, w, pkts,
			RTE_MIN(credit - total, (uint32_t)DP_HOST_BURST));

		for (uint32_t i = 0; i < n; i++)
			tap_write(f, pkts[i]);
		dp_host_done(h->dp, w, pkts, n);
		total += n;
	}
	f->next_worker = (uint16_t)((f->next_worker + 1) % h->n_workers);
	f->credit_ns -= total * f->cost_ns;
	return total;
}

/* @return frames taken; *stuck: there are more, but no room for them */
static uint32_t
down(struct host *h, struct host_if *f, bool *stuck)
{
	uint32_t n = 0;

	while (n < DP_HOST_BURST) {
		ssize_t len;

		if (f->m == NULL)
			f->m = rte_pktmbuf_alloc(h->pool);
		if (f->m == NULL) {
			*stuck = true;
			break;
		}
		if (f->m->pkt_len == 0) {
			len = read(
				f->fd, rte_pktmbuf_mtod(f->m, void *), rte_pktmbuf_tailroom(f->m));
			if (len <= 0)
				break;
			f->m->data_len = (uint16_t)len;
			f->m->pkt_len = (uint32_t)len;
			count(&f->read, 1);
		}
		if (!dp_host_send(h->dp, f->if_index, f->m)) {
			*stuck = true;
			break;
		}
		f->m = NULL;
		n++;
	}
	return n;
}

static void
host_run(void *arg)
{
	struct host *h = arg;
	base_ns_t wait = POLL_MIN_NS;

	while (!__atomic_load_n(&h->stop, __ATOMIC_ACQUIRE)) {
		base_ns_t now = dp_clock();
		bool stuck = false;
		uint32_t n = 0;
		struct timespec ts = {0};

		states_follow(h);
		vips_take(h);
		for (uint16_t i = 0; i < h->n_ifs; i++) {
			link_follows(h, &h->ifs[i]);
			n += up(h, &h->ifs[i], now);
			n += down(h, &h->ifs[i], &stuck);
		}
		wait = n != 0 ? POLL_MIN_NS : RTE_MIN(2 * wait, POLL_MAX_NS);
		ts.tv_nsec = (long)wait;
		/* Where there is no room, that something can be read is no reason to wake up. */
		(void)ppoll(h->fds, stuck ? 0 : h->n_ifs, &ts, NULL);
	}
}

/* Those of a configuration, none of them there. @return 0 or -ENOMEM */
static int
vips_collect(const struct host *h, const struct conf *conf, struct host_vips *out)
{
	uint32_t most = 1;

	for (uint16_t g = 0; g < conf->n_groups; g++)
		most += conf->groups[g].n_addresses;
	*out = (struct host_vips){.vip = calloc(most, sizeof(*out->vip))};
	if (out->vip == NULL)
		return -ENOMEM;
	for (uint16_t g = 0; g < conf->n_groups; g++) {
		for (uint16_t i = 0; i < h->n_ifs; i++) {
			struct host_if *f = &h->ifs[i];

			if (f->if_index != conf->groups[g].if_index)
				continue;
			for (uint16_t a = 0; a < conf->groups[g].n_addresses; a++) {
				const struct base_addr *addr = &conf->groups[g].addresses[a].addr;

				if (addr->family == BASE_FAMILY_IP4 || f->ip6)
					out->vip[out->n++] = (struct host_vip){
						.group = g, .f = f, .addr = *addr};
			}
		}
	}
	host_vips_sort(out);
	return 0;
}

static int
taps_open(struct host *h, const struct host_config *c, char *err, unsigned int err_len)
{
	const base_ns_t now = dp_clock();

	for (uint16_t i = 0; i < c->conf->n_ifs; i++) {
		const struct conf_if *ifc = &c->conf->ifs[i];
		struct host_if *f = &h->ifs[h->n_ifs];

		if (!ifc->host.on)
			continue;
		f->if_index = i;
		f->conf = ifc;
		snprintf(f->below, sizeof(f->below), "%s", c->if_netdev[i]);
		f->cost_ns = BASE_NS_PER_S / ifc->host.rate_pps;
		f->credit_max_ns = RTE_MAX(CREDIT_NS, DP_HOST_BURST * f->cost_ns);
		f->credit_at = now;
		f->carrier = 1;
		if (host_tap_open(f, c->if_mac[i], h->net, err, err_len) != 0)
			return -1;
		h->fds[h->n_ifs++] = (struct pollfd){.fd = f->fd, .events = POLLIN};
		fprintf(stderr,
			"koi: %s: host path by tap %s, at most %u frames/s to the kernel%s%s%s\n",
			ifc->name, ifc->host.tap, ifc->host.rate_pps,
			f->below[0] != '\0' ? "; its " : "", f->below,
			f->below[0] != '\0' ? " is kept out of it" : "");
	}
	return 0;
}

/* Of each thread its own: answers on it are that thread's. @return it, or -1 with err filled */
static int
net_open(char *err, unsigned int err_len)
{
	int net = host_net_open();

	if (net >= 0)
		return net;
	snprintf(err, err_len, "host: no netlink socket to be had: %s", strerror(-net));
	return -1;
}

struct host *
host_start(const struct host_config *c, char *err, unsigned int err_len)
{
	struct host *h = calloc(1, sizeof(*h));
	int ret;

	snprintf(err, err_len, "out of memory");
	if (h == NULL)
		return NULL;
	h->dp = c->dp;
	h->pool = c->pool;
	h->n_workers = dp_worker_count(c->dp);
	h->ifs = calloc(c->conf->n_ifs + 1u, sizeof(*h->ifs));
	h->fds = calloc(c->conf->n_ifs + 1u, sizeof(*h->fds));
	h->net = net_open(err, err_len);
	if (h->ifs == NULL || h->fds == NULL || h->net < 0 || taps_open(h, c, err, err_len) != 0)
		goto fail;
	snprintf(err, err_len, "out of memory");
	h->n_groups =
		c->conf->group_room > c->conf->n_groups ? c->conf->group_room : c->conf->n_groups;
	h->master = calloc(h->n_groups + 1u, sizeof(*h->master));
	if (h->master == NULL || vips_collect(h, c->conf, &h->vips) != 0)
		goto fail;
	for (uint32_t i = 0; i < h->vips.n; i++)
		forget_rules(h, &h->vips.vip[i].addr);
	ret = compat_thread_start(&h->thread, "koi-host", host_run, h);
	if (ret != 0) {
		snprintf(err, err_len, "host: no thread to be had: %s", strerror(-ret));
		goto fail;
	}
	h->started = true;
	return h;
fail:
	host_stop(h);
	return NULL;
}

void
host_stop(struct host *h)
{
	if (h == NULL)
		return;
	if (h->started) {
		__atomic_store_n(&h->stop, true, __ATOMIC_RELEASE);
		compat_thread_join(&h->thread);
	}
	host_vips_replace(&h->vips, &(struct host_vips){0}, vip_set, h);
	for (uint16_t i = 0; i < h->n_ifs; i++) {
		host_tap_close(&h->ifs[i], h->net);
		rte_pktmbuf_free(h->ifs[i].m);
	}
	if (h->net >= 0)
		close(h->net);
	free(h->master);
	free(h->vips.vip);
	free(h->fds);
	free(h->ifs);
	free(h);
}

/* @return where an address stands in a list, whatever its length; n when it does not */
static uint16_t
place(const struct base_prefix *list, uint16_t n, const struct base_prefix *p)
{
	uint16_t i = 0;

	while (i < n && memcmp(&list[i].addr, &p->addr, sizeof(p->addr)) != 0)
		i++;
	return i;
}

/* Own addresses that a configuration has not. */
static void
own_take(struct host_if *f, int net, const struct conf *conf)
{
	const struct conf_if *ifc = &conf->ifs[f->if_index];

	for (uint16_t i = f->n_own; i-- > 0;)
		if (place(ifc->addresses, ifc->n_addresses, &f->own[i]) == ifc->n_addresses)
			host_tap_take(f, net, i);
}

/* Those that are new. One that is a VIP yet has to wait until that is gone. */
static int
own_begin(const struct host *h, struct host_if *f, int net, const struct conf *conf, char *err,
	unsigned int err_len)
{
	const struct conf_if *ifc = &conf->ifs[f->if_index];

	for (uint16_t a = 0; a < ifc->n_addresses; a++) {
		const struct base_prefix *p = &ifc->addresses[a];

		if (place(f->own, f->n_own, p) == f->n_own && !host_vips_know(&h->vips, &p->addr) &&
			host_tap_give(f, net, p, err, err_len) != 0)
			return -1;
	}
	return 0;
}

/* Whatever is missing, or has another length. */
static int
own_end(struct host_if *f, int net, const struct conf *conf, char *err, unsigned int err_len)
{
	const struct conf_if *ifc = &conf->ifs[f->if_index];
	int ret = 0;

	for (uint16_t a = 0; a < ifc->n_addresses; a++) {
		const struct base_prefix *p = &ifc->addresses[a];
		uint16_t i = place(f->own, f->n_own, p);

		if (i < f->n_own && f->own[i].plen == p->plen)
			continue;
		if (i < f->n_own)
			host_tap_take(f, net, i);
		if (host_tap_give(f, net, p, err, err_len) != 0)
			ret = -1;
	}
	return ret;
}

int
host_change_begin(struct host *h, const struct conf *next, char *err, unsigned int err_len)
{
	int net, ret = 0;

	if (h == NULL)
		return 0;
	net = net_open(err, err_len);
	if (net < 0)
		return -1;
	for (uint16_t i = 0; ret == 0 && i < h->n_ifs; i++)
		ret = own_begin(h, &h->ifs[i], net, next, err, err_len);
	close(net);
	return ret;
}

static int
vips_change(struct host *h, const struct conf *conf)
{
	const struct timespec pause = {.tv_nsec = POLL_MIN_NS};
	struct host_vips vips;

	if (vips_collect(h, conf, &vips) != 0)
		return -ENOMEM;
	__atomic_store_n(&h->next, &vips, __ATOMIC_RELEASE);
	/* It looks every 2 ms, and says no to nothing. */
	while (__atomic_load_n(&h->next, __ATOMIC_ACQUIRE) != NULL)
		nanosleep(&pause, NULL);
	free(vips.vip);
	return 0;
}

int
host_change_end(struct host *h, const struct conf *conf, char *err, unsigned int err_len)
{
	int net, ret = 0;

	if (h == NULL)
		return 0;
	net = net_open(err, err_len);
	for (uint16_t i = 0; net >= 0 && i < h->n_ifs; i++)
		own_take(&h->ifs[i], net, conf);
	if (vips_change(h, conf) != 0) {
		snprintf(err, err_len, "host: no memory for other shared addresses");
		ret = -1;
	}
	for (uint16_t i = 0; net >= 0 && i < h->n_ifs; i++)
		if (own_end(&h->ifs[i], net, conf, err, err_len) != 0)
			ret = -1;
	if (net >= 0)
		close(net);
	return net >= 0 ? ret : -1;
}

bool
host_if_view(const struct host *h, uint16_t if_index, struct host_if_view *out)
{
	for (uint16_t i = 0; h != NULL && i < h->n_ifs; i++) {
		const struct host_if *f = &h->ifs[i];

		if (f->if_index != if_index)
			continue;
		snprintf(out->tap, sizeof(out->tap), "%s", f->conf->host.tap);
		snprintf(out->netdev, sizeof(out->netdev), "%s", f->below);
		out->rate_pps = f->conf->host.rate_pps;
		out->written = __atomic_load_n(&f->written, __ATOMIC_RELAXED);
		out->write_failed = __atomic_load_n(&f->write_failed, __ATOMIC_RELAXED);
		out->read = __atomic_load_n(&f->read, __ATOMIC_RELAXED);
		out->vips = __atomic_load_n(&f->vips, __ATOMIC_RELAXED);
		out->refused = __atomic_load_n(&f->refused, __ATOMIC_RELAXED);
		out->last_error = __atomic_load_n(&f->last_error, __ATOMIC_RELAXED);
		return true;
	}
	return false;
}
