/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Events as they happen, a JSON object a line. The ring of events is the only buffer besides the
 * socket's own, so that a watcher who does not read costs nobody anything: after a while it is cut
 * off, and the socket is given room for one line more, which says so.
 */
#include "mgmt_watch_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "conf.h"
#include "ctl.h"
#include "dp.h"

#include "mgmt_json_priv.h"
#include "mgmt_priv.h"

#define WATCH_POLL_MS 20
#define WATCH_BATCH   16
/* What waits in the socket at most, and the room that a last line gets beyond. */
#define WATCH_SEND_BYTES 65536
#define WATCH_LAST_BYTES 16384

struct watcher {
	const struct mgmt_config *config;
	const struct mgmt_watch *what;
	int fd;
	unsigned int timeout_ms;
	uint64_t seen; /* seq of the last event looked at */
	struct ctl_event batch[WATCH_BATCH];
};

/* Free v. @return 0, -EAGAIN while there is no room, or another -errno: it is gone */
static int
try_line(int fd, json_t *v)
{
	char *text = json_dumps(v, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0;
	ssize_t did;
	int rc = 0;

	json_decref(v);
	if (!text)
		return -ENOMEM;
	text[len] = '\n'; /* in place of the NUL */
	did = send(fd, text, len + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (did < 0)
		rc = errno == EINTR ? -EAGAIN : -errno;
	else if ((size_t)did < len + 1)
		rc = -EPIPE; /* nothing sensible can follow half a line */
	free(text);
	return rc;
}

static json_t *
line_of(const char *kind, uint64_t seq)
{
	json_t *o = json_object();

	put_u64(o, "seq", seq);
	put_str(o, "kind", kind);
	return o;
}

static void
cut_off(struct watcher *w)
{
	int room = WATCH_SEND_BYTES + WATCH_LAST_BYTES;
	json_t *o = line_of("cut_off", w->seen);

	put_str(o, "text", "events were not read for too long: watch again after this number");
	setsockopt(w->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	try_line(w->fd, o);
}

/* Send, waiting for room for a while. @return false when the watch is over */
static bool
send_line(struct watcher *w, json_t *v)
{
	struct pollfd p = {.fd = w->fd, .events = POLLOUT};
	int rc;

	rc = try_line(w->fd, json_incref(v));
	/* A little room makes it writable before a line fits: so this looks again and again. */
	for (unsigned int waited = 0; rc == -EAGAIN && waited < w->timeout_ms;
		waited += WATCH_POLL_MS) {
		poll(&p, 0, WATCH_POLL_MS);
		if (mgmt_client_spoke(w->fd, 0))
			break;
		rc = try_line(w->fd, json_incref(v));
	}
	json_decref(v);
	if (rc == -EAGAIN)
		cut_off(w);
	return rc == 0;
}

/* An event of a group's interface, or of the box, is one for the group as well. */
static bool
wanted(const struct watcher *w, const struct ctl_event *e)
{
	const struct conf *conf = w->config->conf;

	if (!w->what->has_group || e->group == w->what->group)
		return true;
	return e->group >= conf->n_groups &&
		(e->if_id >= conf->n_ifs || e->if_id == conf->groups[w->what->group].if_index);
}

static bool
send_lost(struct watcher *w, uint64_t n, uint64_t until)
{
	json_t *o = line_of("lost", until);

	put_u64(o, "count", n);
	put_str(o, "text", "events that are not kept any more");
	return send_line(w, o);
}

/* @return false when the watch is over */
static bool
send_event(struct watcher *w, const struct ctl_event *e)
{
	json_t *v = NULL;

	mgmt_file_read(w->config);
	if (wanted(w, e))
		v = mgmt_event_json(w->config, e);
	mgmt_file_read_end(w->config);
	return v == NULL || send_line(w, v);
}

/* Send what is new. @return false when the watch is over */
static bool
follow(struct watcher *w)
{
	uint64_t last;
	uint32_t n;

	do {
		last = w->seen;
		n = ctl_events(
			w->config->ctl, ELECTION_NONE, w->seen, w->batch, WATCH_BATCH, &last);
		for (uint32_t i = 0; i < n; i++) {
			const struct ctl_event *e = &w->batch[i];

			if (e->seq > w->seen + 1 && !send_lost(w, e->seq - w->seen - 1, e->seq - 1))
				return false;
			if (!send_event(w, e))
				return false;
			w->seen = e->seq;
		}
	} while (n > 0);
	return true;
}

/*
 * The first line: which life of koi the numbers are of. A number that was not given out in this
 * life is of an earlier one, and everything since the start is new to who asks with it.
 */
static json_t *
hello(struct watcher *w)
{
	const uint64_t newest = ctl_event_newest(w->config->ctl);
	const bool restarted = w->what->has_after && w->what->after > newest;
	struct ctl_box_view box;
	char wall[MGMT_WALL_STR];
	struct timespec now;
	json_t *o;

	w->seen = !w->what->has_after ? newest : restarted ? 0 : w->what->after;
	o = line_of("hello", w->seen);
	ctl_box_view(w->config->ctl, &box);
	clock_gettime(CLOCK_REALTIME, &now);
	mgmt_file_read(w->config);
	put_str(o, "node", w->config->conf->node);
	put_u64(o, "pid", (uint64_t)getpid());
	put_str(o, "started",
		mgmt_wall_str((uint64_t)now.tv_sec * BASE_NS_PER_S -
				base_ns_since(dp_clock(), box.started_at),
			wall));
	put_u64(o, "newest", newest);
	put_bool(o, "restarted", restarted);
	put_str(o, "group", w->what->has_group ? mgmt_group_name(w->config, w->what->group) : "");
	mgmt_file_read_end(w->config);
	return o;
}

void
mgmt_watch_run(
	const struct mgmt_config *c, const struct mgmt_watch *what, int fd, unsigned int timeout_ms)
{
	struct watcher *w = calloc(1, sizeof(*w));
	const int room = WATCH_SEND_BYTES;

	if (!w)
		return;
	w->config = c;
	w->what = what;
	w->fd = fd;
	w->timeout_ms = timeout_ms;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (send_line(w, hello(w)))
		while (follow(w) && !mgmt_client_spoke(fd, WATCH_POLL_MS))
			;
	free(w);
}
