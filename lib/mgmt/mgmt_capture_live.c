/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Live capture: a thread that takes frames from the rings of the lcores and writes them to a file,
 * in the order of their times. Control frames that were received come from the control lcore's own
 * ring, which has the verdicts; the workers' copies of those are left out.
 */
#include "mgmt_capture_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base_wall.h"
#include "conf.h"
#include "ctl_frame.h"
#include "dp_capture.h"
#include "port.h"

#include "mgmt_cli_priv.h"
#include "mgmt_json_priv.h"
#include "mgmt_pcap_priv.h"
#include "mgmt_priv.h"
#include "mgmt_text_priv.h"

#define POLL_MS 5
/* For so long frames wait for older ones of other lcores: longer than any turn is to take. */
#define HOLD_NS (5 * BASE_NS_PER_MS)
/* After so long no lcore copies any more. */
#define QUIET_MS 3
/* Somebody may look at the file while it grows. */
#define FLUSH_NS (100 * BASE_NS_PER_MS)
#define BATCH	 64

struct mgmt_capture {
	const struct mgmt_config *config;
	uint16_t n_ifs;		 /* as many as there are, whatever is loaded */
	pthread_mutex_t command; /* one start or stop at a time */
	pthread_t thread;
	bool has_thread; /* command: to be joined */
	int stop_fd;

	/* The thread's, while there is one. */
	struct mgmt_pcap *pcap;
	bool *wanted; /* by interface: its control frames; of groups, as they are now */
	uint64_t seen, control_lost;
	struct ctl_frame batch[BATCH];
	uint32_t n, at; /* of batch */
	uint64_t last_wall;
	base_ns_t flushed_at;

	pthread_mutex_t lock; /* of what follows */
	struct mgmt_capture_limits limits;
	struct mgmt_capture_status now;
	bool quiet; /* koi stops: nobody is there to write an event */
};

struct mgmt_capture *
mgmt_capture_new(const struct mgmt_config *config)
{
	struct mgmt_capture *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->config = config;
	c->limits = (struct mgmt_capture_limits){
		.bytes = MGMT_CAPTURE_BYTES, .snap = DP_CAPTURE_SNAP_MAX};
	c->n_ifs = config->conf->n_ifs;
	c->wanted = calloc(c->n_ifs + 1u, sizeof(*c->wanted));
	c->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->wanted == NULL || c->stop_fd < 0) {
		if (c->stop_fd >= 0)
			close(c->stop_fd);
		free(c->wanted);
		free(c);
		return NULL;
	}
	pthread_mutex_init(&c->command, NULL);
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

/* The control lcore's next frame that belongs into the file. @return NULL: none now */
static const struct ctl_frame *
control_peek(struct mgmt_capture *c)
{
	bool all = c->now.scope != MGMT_CAPTURE_GROUPS;

	for (;; c->at++) {
		const struct ctl_frame *f;

		if (c->at == c->n) {
			uint64_t last, before = c->seen;

			c->at = 0;
			c->n = ctl_frames(c->config->ctl, before, c->batch, BATCH, &last);
			c->seen = last;
			/* what was pushed out before it was read */
			c->control_lost += last - before - c->n;
			if (c->n == 0)
				return NULL;
		}
		f = &c->batch[c->at];
		/* with data frames, what is sent is seen where it goes to the device */
		if (c->wanted[f->if_id] && !(all && f->sent))
			return f;
	}
}

/* The next frame of a worker that belongs into the file. @return false: none now */
static bool
data_peek(struct mgmt_capture *c, uint16_t ring, struct dp_capture_frame *f)
{
	while (dp_capture_peek(c->config->dp, ring, f)) {
		if (f->fate != DP_CAPTURE_CONTROL)
			return true;
		dp_capture_next(c->config->dp, ring);
	}
	return false;
}

static uint32_t
interface_of(const struct mgmt_config *c, const struct dp_capture_frame *f)
{
	struct port_info info;

	if (f->if_index != DP_NONE)
		return f->if_index;
	for (uint16_t i = 0; i < port_set_count(c->ports); i++)
		if (port_set_info(c->ports, i, &info) == 0 && info.port_id == f->port_id)
			return (uint32_t)c->conf->n_ifs + i;
	return 0;
}

static int
data_put(struct mgmt_capture *c, const struct dp_capture_frame *f)
{
	char text[MGMT_FRAME_TEXT] = "";
	const struct wire_pcapng_packet packet = {
		.interface = interface_of(c->config, f),
		.wall_ns = f->wall_ns,
		.captured = f->captured,
		.len = f->len,
		.outbound = f->outbound,
		.comment = text,
	};

	if (f->fate == DP_CAPTURE_DROPPED)
		snprintf(text, sizeof(text), "dropped: %s, %s", dp_drop_name(f->why),
			dp_drop_text(f->why));
	else if (f->fate == DP_CAPTURE_RESOLVE)
		snprintf(text, sizeof(text), "waits for the MAC of its next hop");
	return mgmt_pcap_put(c->pcap, &packet, f->bytes, 0);
}

/*
 * The oldest frame there is, if it is not younger than until.
 * @return 0; 1: there was one; or a negative errno
 */
static int
take_one(struct mgmt_capture *c, uint64_t until)
{
	const struct mgmt_config *config = c->config;
	const struct ctl_frame *control = control_peek(c);
	struct dp_capture_frame f, oldest = {0};
	int ring = -1, ret;

	for (uint16_t i = 0;
		c->now.scope != MGMT_CAPTURE_GROUPS && i < dp_capture_rings(config->dp); i++)
		if (data_peek(c, i, &f) && (ring < 0 || f.wall_ns < oldest.wall_ns)) {
			ring = i;
			oldest = f;
		}
	if (control != NULL && (ring < 0 || control->wall_ns <= oldest.wall_ns)) {
		if (control->wall_ns > until)
			return 0;
		ret = mgmt_capture_put(config, c->pcap, control);
		if (ret != 0)
			return ret;
		c->at++;
		return 1;
	}
	if (ring < 0 || oldest.wall_ns > until)
		return 0;
	ret = data_put(c, &oldest);
	if (ret != 0)
		return ret;
	dp_capture_next(config->dp, (uint16_t)ring);
	return 1;
}

/* Whose control frames are wanted: a reload may have given an interface its first group. */
static void
want(struct mgmt_capture *c)
{
	const struct conf *conf = c->config->conf;

	for (uint16_t i = 0; i < c->n_ifs; i++)
		c->wanted[i] = c->now.scope == MGMT_CAPTURE_ALL ||
			(c->now.scope == MGMT_CAPTURE_INTERFACE && i == c->now.if_index);
	for (uint16_t g = 0; c->now.scope == MGMT_CAPTURE_GROUPS && g < conf->n_groups; g++)
		if (!conf->groups[g].unused)
			c->wanted[conf->groups[g].if_index] = true;
}

/*
 * What fits into memory. The configuration is held: names of groups and interfaces are its own.
 * @return 0, -EAGAIN when memory is full, -EFBIG when a limit is reached, or another negative errno
 */
static int
take_some(struct mgmt_capture *c, uint64_t until)
{
	uint64_t packets = c->now.limits.packets;
	int ret;

	want(c);
	do {
		if (packets != 0 && mgmt_pcap_frames(c->pcap) == packets)
			return -EFBIG;
		ret = take_one(c, until);
	} while (ret == 1);
	return ret;
}

/* A reload does not wait for a disk that is slow. @return 0, -EFBIG, or another negative errno */
static int
take(struct mgmt_capture *c, uint64_t until)
{
	int ret;

	do {
		mgmt_file_read(c->config);
		ret = take_some(c, until);
		mgmt_file_read_end(c->config);
	} while (ret == -EAGAIN && (ret = mgmt_pcap_flush(c->pcap)) == 0);
	return ret;
}

static uint64_t
lost(const struct mgmt_capture *c)
{
	uint64_t n = c->control_lost;

	if (c->now.scope == MGMT_CAPTURE_GROUPS)
		return n;
	for (uint16_t i = 0; i < c->n_ifs; i++)
		n += dp_capture_lost(c->config->dp, i);
	return n + dp_capture_lost(c->config->dp, DP_NONE);
}

static void
publish(struct mgmt_capture *c)
{
	pthread_mutex_lock(&c->lock);
	c->now.frames = mgmt_pcap_frames(c->pcap);
	c->now.bytes = mgmt_pcap_bytes(c->pcap);
	c->now.lost = lost(c);
	pthread_mutex_unlock(&c->lock);
}

/* What has been there for a while; where the clock was set back, all there is. */
static int
turn(struct mgmt_capture *c)
{
	uint64_t wall = base_wall_ns();
	int ret = take(c, wall < c->last_wall ? UINT64_MAX : wall - HOLD_NS);
	base_ns_t now = dp_clock();

	c->last_wall = wall;
	if (ret == 0 && base_ns_since(now, c->flushed_at) >= FLUSH_NS) {
		ret = mgmt_pcap_flush(c->pcap);
		c->flushed_at = now;
	}
	publish(c);
	return ret;
}

static void
say_why(const struct mgmt_capture *c, int error, char *why, size_t len)
{
	uint64_t packets = c->now.limits.packets;

	if (error == 0)
		snprintf(why, len, "by command");
	else if (error != -EFBIG)
		snprintf(why, len, "it cannot be written: %s", strerror(-error));
	else if (packets != 0 && mgmt_pcap_frames(c->pcap) == packets)
		snprintf(why, len, "limit of %" PRIu64 " frames reached", packets);
	else
		snprintf(why, len, "limit of %" PRIu64 " bytes reached", c->now.limits.bytes);
}

/* An event: what happened, and the file; a long path is cut. */
static void
tell(struct mgmt_capture *c, bool failed, const char *what)
{
	struct ctl_request note = {
		.type = CTL_REQ_NOTE,
		.value = failed,
		.group = ELECTION_NONE,
		.if_index = ELECTION_NONE,
	};
	char ignored[8];
	int n = snprintf(note.text, sizeof(note.text), "%s: %s", what, c->now.path);

	if (n >= (int)sizeof(note.text))
		memcpy(note.text + sizeof(note.text) - 4, "...", 4);
	/* Where the control lcore does not answer there is no event; "show capture" says the same. */
	(void)ctl_request(c->config->ctl, &note, ignored, sizeof(ignored));
}

static void
end(struct mgmt_capture *c, int error)
{
	char why[64], last[160];
	uint64_t bytes;
	bool quiet;
	int closed;

	publish(c);
	say_why(c, error, why, sizeof(why));
	snprintf(
		last, sizeof(last), "ended: %s; %" PRIu64 " frames not captured", why, c->now.lost);
	for (uint16_t i = 0; c->now.scope != MGMT_CAPTURE_GROUPS && i < c->n_ifs; i++)
		mgmt_pcap_lost(c->pcap, i, dp_capture_lost(c->config->dp, i));
	closed = mgmt_pcap_close(c->pcap, last, &bytes);
	error = error == -EFBIG ? 0 : error;
	if (closed != 0 && error == 0) {
		error = closed;
		snprintf(why, sizeof(why), "it cannot be written: %s", strerror(-error));
	}
	pthread_mutex_lock(&c->lock);
	c->pcap = NULL;
	c->now.running = false;
	c->now.error = error;
	c->now.bytes = bytes;
	snprintf(c->now.ended, sizeof(c->now.ended), "%s", why);
	quiet = c->quiet;
	pthread_mutex_unlock(&c->lock);
	snprintf(last, sizeof(last), "ended, %s", why);
	if (!quiet)
		tell(c, error != 0, last);
}

static void *
capture_main(void *arg)
{
	struct mgmt_capture *c = arg;
	struct pollfd p = {.fd = c->stop_fd, .events = POLLIN};
	int ret = 0;

	while (ret == 0 && poll(&p, 1, POLL_MS) <= 0)
		ret = turn(c);
	dp_capture_stop(c->config->dp);
	poll(NULL, 0, QUIET_MS);
	if (ret == 0)
		ret = take(c, UINT64_MAX);
	end(c, ret);
	return NULL;
}

/* command is held */
static void
thread_end(struct mgmt_capture *c)
{
	const uint64_t one = 1;
	uint64_t was;

	if (!c->has_thread)
		return;
	if (write(c->stop_fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		pthread_join(c->thread, NULL);
	c->has_thread = false;
	if (read(c->stop_fd, &was, sizeof(was)) < 0)
		return;
}

void
mgmt_capture_free(struct mgmt_capture *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	c->quiet = true;
	pthread_mutex_unlock(&c->lock);
	pthread_mutex_lock(&c->command);
	thread_end(c);
	pthread_mutex_unlock(&c->command);
	pthread_mutex_destroy(&c->command);
	pthread_mutex_destroy(&c->lock);
	close(c->stop_fd);
	free(c->wanted);
	free(c);
}

void
mgmt_capture_status(struct mgmt_capture *c, struct mgmt_capture_status *out)
{
	*out = (struct mgmt_capture_status){0};
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	*out = c->now;
	if (!c->now.running)
		out->limits = c->limits;
	pthread_mutex_unlock(&c->lock);
}

/* command is held. @return 0 or a negative errno, and then no file is left */
static int
begin(struct mgmt_capture *c, const char *path, enum mgmt_capture_scope scope, uint16_t if_index)
{
	uint16_t only = scope == MGMT_CAPTURE_INTERFACE ? if_index : DP_NONE;
	struct mgmt_capture_limits limits;
	int ret;

	pthread_mutex_lock(&c->lock);
	limits = c->limits;
	pthread_mutex_unlock(&c->lock);
	c->pcap = mgmt_pcap_create(c->config, path, limits.bytes,
		limits.snap < DP_CAPTURE_SNAP_MAX ? (uint32_t)limits.snap : 0, &ret);
	if (c->pcap == NULL)
		return ret;
	c->seen = ctl_frame_newest(c->config->ctl);
	c->control_lost = 0;
	c->n = c->at = 0;
	c->last_wall = 0;
	pthread_mutex_lock(&c->lock);
	c->now = (struct mgmt_capture_status){
		.running = true,
		.scope = scope,
		.if_index = if_index,
		.limits = limits,
		.started_ns = base_wall_ns(),
	};
	snprintf(c->now.path, sizeof(c->now.path), "%s", path);
	pthread_mutex_unlock(&c->lock);
	if (scope != MGMT_CAPTURE_GROUPS)
		ret = dp_capture_start(c->config->dp, only, (uint32_t)limits.snap);
	if (ret == 0)
		ret = -mgmt_thread_start(&c->thread, "koi-capture", capture_main, c);
	c->has_thread = ret == 0;
	if (ret == 0)
		return 0;
	dp_capture_stop(c->config->dp);
	mgmt_pcap_close(c->pcap, "not begun", NULL);
	c->pcap = NULL;
	pthread_mutex_lock(&c->lock);
	c->now = (struct mgmt_capture_status){0};
	pthread_mutex_unlock(&c->lock);
	unlink(path);
	return ret;
}

void
mgmt_capture_start(
	struct mgmt_session *s, const char *path, enum mgmt_capture_scope scope, uint16_t if_index)
{
	struct mgmt_capture *c = s->config->capture;
	struct mgmt_capture_status now;
	int ret;

	pthread_mutex_lock(&c->command);
	mgmt_capture_status(c, &now);
	if (now.running) {
		s->status = MGMT_CLI_REFUSED;
		fprintf(s->out, "refused: a capture is running, to %s: \"capture stop\" ends it\n",
			now.path);
		goto out;
	}
	thread_end(c);
	ret = begin(c, path, scope, if_index);
	if (ret != 0) {
		s->status = MGMT_CLI_REFUSED;
		fprintf(s->out, "refused, no file was made: %s: %s\n", path, strerror(-ret));
	} else {
		tell(c, false, "started");
	}
out:
	pthread_mutex_unlock(&c->command);
}

void
mgmt_capture_stop(struct mgmt_session *s)
{
	struct mgmt_capture *c = s->config->capture;
	struct mgmt_capture_status now;

	pthread_mutex_lock(&c->command);
	mgmt_capture_status(c, &now);
	if (!now.running) {
		s->status = MGMT_CLI_REFUSED;
		fprintf(s->out, "refused: no capture is running%s\n",
			now.path[0] != '\0' ? ", \"show capture\" tells of the last one" : "");
	} else {
		thread_end(c);
		mgmt_capture_status(c, &now);
		if (now.error != 0)
			s->status = MGMT_CLI_REFUSED;
		fprintf(s->out,
			"%" PRIu64 " frames, %" PRIu64 " bytes in %s, %" PRIu64 " not captured\n",
			now.frames, now.bytes, now.path, now.lost);
		if (now.error != 0)
			fprintf(s->out, "refused: %s\n", now.ended);
	}
	pthread_mutex_unlock(&c->command);
}

void
mgmt_capture_limit(struct mgmt_session *s, const char *which, uint64_t value)
{
	struct mgmt_capture *c = s->config->capture;

	pthread_mutex_lock(&c->lock);
	if (strcmp(which, "bytes") == 0)
		c->limits.bytes = value;
	else if (strcmp(which, "packets") == 0)
		c->limits.packets = value;
	else
		c->limits.snap = value;
	pthread_mutex_unlock(&c->lock);
}

json_t *
mgmt_view_capture(const struct mgmt_config *c, const struct mgmt_args *a)
{
	static const char *const scopes[] = {"groups", "interface", "all"};
	struct mgmt_capture_status now;
	char wall[MGMT_WALL_STR];
	json_t *o = json_object();

	(void)a;
	mgmt_capture_status(c->capture, &now);
	put_bool(o, "running", now.running);
	put_str(o, "file", now.path);
	put_str(o, "scope", now.path[0] != '\0' ? scopes[now.scope] : "");
	put_str(o, "interface",
		now.scope == MGMT_CAPTURE_INTERFACE ? mgmt_if_name(c, now.if_index) : "");
	put_str(o, "started", now.started_ns != 0 ? mgmt_wall_str(now.started_ns, wall) : "");
	put_str(o, "ended", now.ended);
	put_u64(o, "frames", now.frames);
	put_u64(o, "bytes", now.bytes);
	put_u64(o, "not_captured", now.lost);
	put_u64(o, "limit_bytes", now.limits.bytes);
	put_u64(o, "limit_packets", now.limits.packets);
	put_u64(o, "snap", now.limits.snap);
	return o;
}

void
mgmt_text_capture(FILE *to, const json_t *v)
{
	uint64_t packets = get_u64(v, "limit_packets");

	if (get_str(v, "file")[0] == '\0') {
		fputs("no capture since the start of koi\n", to);
	} else {
		fprintf(to, "%s: %s%s%s, %s %s%s%s\n", get_str(v, "file"), get_str(v, "scope"),
			get_str(v, "interface")[0] != '\0' ? " " : "", get_str(v, "interface"),
			get_bool(v, "running") ? "running since" : "started", get_str(v, "started"),
			get_bool(v, "running") ? "" : ", ended: ", get_str(v, "ended"));
		fprintf(to, "%12" PRIu64 " frames\n", get_u64(v, "frames"));
		fprintf(to, "%12" PRIu64 " bytes\n", get_u64(v, "bytes"));
		fprintf(to, "%12" PRIu64 " frames not captured: too many at once\n",
			get_u64(v, "not_captured"));
	}
	fprintf(to, "limits: %" PRIu64 " bytes, ", get_u64(v, "limit_bytes"));
	if (packets != 0)
		fprintf(to, "%" PRIu64 " packets, ", packets);
	fprintf(to, "%" PRIu64 " bytes of each frame\n", get_u64(v, "snap"));
}
