/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * koi's side of hooks: a thread that follows the ring of events, as the log does. The process gets
 * one event and answers before it gets the next, so hooks never run side by side, and what waits is
 * counted here: the oldest give way, because it is the last state of a group that matters.
 */
#include "mgmt_hook_priv.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf.h"
#include "ctl.h"
#include "election.h"

#include "mgmt_json_priv.h"
#include "mgmt_priv.h"
#include "mgmt_view_priv.h"

#define HOOK_POLL_MS 20
#define HOOK_BATCH   64

struct mgmt_hooks {
	const struct mgmt_config *config;
	int log_fd, stop_fd;
	pthread_t thread;
	uint64_t seen;
	bool busy, gone;
	struct ctl_event batch[HOOK_BATCH];
	struct mgmt_hook_event queue[MGMT_HOOK_QUEUE]; /* a ring */
	unsigned int first;
	/* written by the thread, read by views: rarely, so a lock is no matter */
	pthread_mutex_t lock;
	struct mgmt_hook_counts counts;
};

static void
tell(const struct mgmt_hooks *h, const char *what, int value, const char *more)
{
	char number[16] = "", line[512];
	int n;

	if (value >= 0)
		snprintf(number, sizeof(number), " %d", value);
	/* The path is an operator's, of any length; the rest fits. */
	n = snprintf(line, sizeof(line), "%scarp: hook %.256s: %s%s%s\n",
		h->config->syslog_prefix ? "<4>" : "", h->config->conf->on_change[0], what, number,
		more);
	if (n > 0 && write(h->log_fd, line, (size_t)n) < 0)
		return;
}

static void
enqueue(struct mgmt_hooks *h, const struct ctl_event *e)
{
	const struct conf *conf = h->config->conf;
	const struct conf_group *g = &conf->groups[e->group];
	struct mgmt_hook_event *q;

	if (h->counts.waiting == MGMT_HOOK_QUEUE) {
		h->first = (h->first + 1) % MGMT_HOOK_QUEUE;
		h->counts.waiting--;
		h->counts.dropped++;
		if (h->counts.dropped == 1)
			tell(h, "too many changes wait for it, the oldest are dropped", -1, "");
	}
	q = &h->queue[(h->first + h->counts.waiting++) % MGMT_HOOK_QUEUE];
	*q = (struct mgmt_hook_event){.seq = e->seq, .vhid = g->vhid};
	snprintf(q->node, sizeof(q->node), "%s", conf->node);
	snprintf(q->group, sizeof(q->group), "%s", g->name);
	snprintf(q->interface, sizeof(q->interface), "%s", conf->ifs[g->if_index].name);
	snprintf(q->state, sizeof(q->state), "%s", election_state_name(e->to));
	snprintf(q->old_state, sizeof(q->old_state), "%s", election_state_name(e->from));
	snprintf(q->reason, sizeof(q->reason), "%s", election_cause_text(e->cause));
	mgmt_wall_str(e->wall_ns, q->time);
}

/* Queue what is new; events that are lost, thousands at once, count as dropped. */
static void
follow(struct mgmt_hooks *h)
{
	uint64_t last = h->seen;
	uint32_t n;

	do {
		n = ctl_events(h->config->ctl, ELECTION_NONE, h->seen, h->batch, HOOK_BATCH, &last);
		for (uint32_t i = 0; i < n; i++) {
			const struct ctl_event *e = &h->batch[i];

			h->counts.dropped += e->seq - h->seen - 1;
			h->seen = e->seq;
			if (e->kind == CTL_EVENT_STATE && e->group < h->config->conf->n_groups)
				enqueue(h, e);
		}
	} while (n > 0);
}

/* Send the oldest that waits. @return false when the process does not take it */
static bool
hand_over(struct mgmt_hooks *h)
{
	if (send(h->config->hook_fd, &h->queue[h->first], sizeof(h->queue[0]),
		    MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(h->queue[0]))
		return false;
	h->first = (h->first + 1) % MGMT_HOOK_QUEUE;
	h->counts.waiting--;
	return true;
}

static void
take_result(struct mgmt_hooks *h, const struct mgmt_hook_result *r)
{
	h->counts.last_seq = r->seq;
	h->counts.run += r->end != MGMT_HOOK_NOT_RUN;
	switch (r->end) {
	case MGMT_HOOK_EXITED:
		if (r->value == 0)
			return;
		h->counts.failed++;
		tell(h, "ended with exit code", r->value, "");
		return;
	case MGMT_HOOK_KILLED:
		h->counts.failed++;
		tell(h, "was ended by signal", r->value, "");
		return;
	case MGMT_HOOK_TIMEOUT:
		h->counts.timed_out++;
		tell(h, "killed after", h->config->conf->on_change_timeout_s, " s");
		return;
	case MGMT_HOOK_NOT_RUN:
		h->counts.not_run++;
		tell(h, "cannot be run: ", -1, strerror(r->value));
		return;
	}
}

static void
hear(struct mgmt_hooks *h)
{
	struct mgmt_hook_result r;
	ssize_t n = recv(h->config->hook_fd, &r, sizeof(r), MSG_DONTWAIT);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	h->busy = false;
	if (n == (ssize_t)sizeof(r)) {
		take_result(h, &r);
		return;
	}
	h->gone = true;
	tell(h, "the process that runs it is gone, no more hooks are run", -1, "");
}

static void *
hooks_main(void *arg)
{
	struct mgmt_hooks *h = arg;
	struct pollfd p[2] = {
		{.fd = h->stop_fd, .events = POLLIN},
		{.fd = h->config->hook_fd, .events = POLLIN},
	};

	while (p[0].revents == 0) {
		if (poll(p, h->gone ? 1 : 2, HOOK_POLL_MS) < 0)
			p[0].revents = p[1].revents = 0;
		mgmt_file_read(h->config);
		pthread_mutex_lock(&h->lock);
		if (!h->gone && p[1].revents != 0)
			hear(h);
		follow(h);
		if (!h->busy && !h->gone && h->counts.waiting > 0)
			h->busy = hand_over(h);
		pthread_mutex_unlock(&h->lock);
		mgmt_file_read_end(h->config);
	}
	/* the changes of the shutdown itself: the process does them while koi ends, or after */
	mgmt_file_read(h->config);
	follow(h);
	mgmt_file_read_end(h->config);
	while (!h->gone && h->counts.waiting > 0 && hand_over(h))
		;
	return NULL;
}

struct mgmt_hooks *
mgmt_hooks_start(const struct mgmt_config *c, int log_fd)
{
	struct mgmt_hooks *h;

	if (c->hook_fd < 0)
		return NULL;
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->config = c;
	h->log_fd = log_fd;
	pthread_mutex_init(&h->lock, NULL);
	h->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (h->stop_fd >= 0 && mgmt_thread_start(&h->thread, "koi-hooks", hooks_main, h) == 0)
		return h;
	if (h->stop_fd >= 0)
		close(h->stop_fd);
	free(h);
	return NULL;
}

void
mgmt_hooks_stop(struct mgmt_hooks *h)
{
	const uint64_t one = 1;

	if (!h)
		return;
	if (write(h->stop_fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		pthread_join(h->thread, NULL);
	close(h->stop_fd);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

void
mgmt_hooks_counts(struct mgmt_hooks *h, struct mgmt_hook_counts *out)
{
	*out = (struct mgmt_hook_counts){0};
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	*out = h->counts;
	pthread_mutex_unlock(&h->lock);
}

json_t *
mgmt_view_hooks(const struct mgmt_config *c, const struct mgmt_args *a)
{
	const struct conf *conf = c->conf;
	struct mgmt_hook_counts n;
	json_t *o = json_object();

	(void)a;
	mgmt_hooks_counts(c->hooks, &n);
	put_bool(o, "configured", conf->n_on_change > 0);
	put_str(o, "program", conf->n_on_change > 0 ? conf->on_change[0] : "");
	put_u64(o, "timeout_s", conf->on_change_timeout_s);
	put_u64(o, "run", n.run);
	put_u64(o, "failed", n.failed);
	put_u64(o, "timed_out", n.timed_out);
	put_u64(o, "not_run", n.not_run);
	put_u64(o, "dropped", n.dropped);
	put_u64(o, "waiting", n.waiting);
	put_u64(o, "last_seq", n.last_seq);
	return o;
}
