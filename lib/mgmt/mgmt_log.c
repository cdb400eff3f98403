/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* One line per event on stderr. The control lcore never writes: this thread follows its ring. */
#include "mgmt_priv.h"

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ctl.h"

#include "mgmt_view_priv.h"

#define LOG_POLL_MS 20
#define LOG_BATCH   64
/* On a box that shares its CPUs stalls come many a second: one line in so long tells it all. */
#define STALL_QUIET_NS (10 * BASE_NS_PER_S)

struct mgmt_log {
	const struct mgmt_config *config;
	pthread_t thread;
	int fd;
	int stop_fd;
	uint64_t seen;
	base_ns_t stall_at; /* of the last stall that was written, 0 = none yet */
	uint32_t stalls;    /* not written since */
	struct ctl_event batch[LOG_BATCH];
};

static void
write_line(const struct mgmt_log *l, int priority, const char *text)
{
	char line[MGMT_EVENT_TEXT + 16], prefix[8] = "";
	int n;

	if (l->config->syslog_prefix)
		snprintf(prefix, sizeof(prefix), "<%d>", priority);
	n = snprintf(line, sizeof(line), "%s%s\n", prefix, text);
	/* One write, so that lines of several threads do not mix; a closed stderr loses it. */
	if (n > 0 && write(l->fd, line, (size_t)n) < 0)
		return;
}

/* @return false for a stall soon after another; the next one that is written has their number */
static bool
stall_wanted(struct mgmt_log *l, struct ctl_event *e)
{
	if (l->stall_at != 0 && base_ns_since(e->at, l->stall_at) < STALL_QUIET_NS) {
		l->stalls++;
		return false;
	}
	e->suppressed += l->stalls;
	l->stalls = 0;
	l->stall_at = e->at;
	return true;
}

/* Write what is new. @return false when there was nothing */
static bool
follow(struct mgmt_log *l)
{
	struct ctl_box_view box;
	char text[MGMT_EVENT_TEXT];
	uint64_t last = l->seen;
	uint32_t n;

	n = ctl_events(l->config->ctl, ELECTION_NONE, l->seen, l->batch, LOG_BATCH, &last);
	if (n == 0) {
		l->seen = last;
		return false;
	}
	ctl_box_view(l->config->ctl, &box);
	for (uint32_t i = 0; i < n; i++) {
		struct ctl_event *e = &l->batch[i];

		if (e->seq > l->seen + 1 && box.log > 0) {
			snprintf(text, sizeof(text), "carp: %llu events lost: too many at once",
				(unsigned long long)(e->seq - l->seen - 1));
			write_line(l, 4, text);
		}
		l->seen = e->seq;
		if (mgmt_event_level(e) > box.log ||
			(e->kind == CTL_EVENT_STALL && !stall_wanted(l, e)))
			continue;
		mgmt_file_read(l->config);
		mgmt_event_text(l->config, e, text);
		mgmt_file_read_end(l->config);
		write_line(l, mgmt_event_syslog(e), text);
	}
	l->seen = last > l->seen ? last : l->seen;
	return true;
}

static void *
log_main(void *arg)
{
	struct mgmt_log *l = arg;
	struct pollfd p = {.fd = l->stop_fd, .events = POLLIN};

	while (poll(&p, 1, LOG_POLL_MS) <= 0)
		for (ctl_reap(l->config->ctl); follow(l);)
			;
	while (follow(l))
		;
	return NULL;
}

struct mgmt_log *
mgmt_log_start(const struct mgmt_config *c, int fd)
{
	struct mgmt_log *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->config = c;
	l->fd = fd;
	l->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (l->stop_fd < 0)
		goto fail;
	if (mgmt_thread_start(&l->thread, "koi-log", log_main, l) != 0)
		goto fail;
	return l;
fail:
	if (l->stop_fd >= 0)
		close(l->stop_fd);
	free(l);
	return NULL;
}

void
mgmt_log_stop(struct mgmt_log *l)
{
	const uint64_t one = 1;

	if (!l)
		return;
	if (write(l->stop_fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		pthread_join(l->thread, NULL);
	close(l->stop_fd);
	free(l);
}
