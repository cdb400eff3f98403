/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The CLI socket: one thread accepts, one thread per client serves. */
#include "mgmt_priv.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmdline.h>

#include "base_clock.h"
#include "conf.h"

#include "mgmt_cli_priv.h"
#include "mgmt_json_priv.h"
#include "mgmt_pace_priv.h"
#include "mgmt_socket_priv.h"

struct client {
	struct mgmt_server *server;
	pthread_t thread;
	int fd;
	bool used, leaving; /* of the accepting thread; leaving: its place was given to another */
	atomic_bool done;   /* set by the client's thread as its last act */
	/* When it was heard last, in server->heard. */
	atomic_ullong heard;
};
/* Of a program, which may be silent, and of a person whose command runs. */
#define NOT_IDLE ULLONG_MAX
/* Threads of those whose place was taken may take a moment to end. */
#define LEAVING_MAX MGMT_CLIENTS_MAX
#define SLOTS	    (MGMT_CLIENTS_MAX + LEAVING_MAX)

struct mgmt_server {
	const struct mgmt_config *config;
	struct mgmt_cli *cli;
	unsigned int send_timeout_ms;
	struct mgmt_socket socket;
	int stop_fd;
	pthread_t thread;
	atomic_uint watchers;
	atomic_ullong heard; /* counts how often anybody was heard: order is all that matters */
	struct client clients[SLOTS];
};

/* When a reply of n bytes must have been taken; what it is made of is kept until then. */
static base_ns_t
deadline(const struct client *cl, size_t n)
{
	return base_clock_ns(CLOCK_MONOTONIC) + cl->server->send_timeout_ms * BASE_NS_PER_MS +
		n * (BASE_NS_PER_S / MGMT_SEND_RATE);
}

/* @return false when the client is gone or does not read; until: see deadline() */
static bool
send_until(int fd, const char *p, size_t n, base_ns_t until)
{
	while (n > 0) {
		ssize_t did = send(fd, p, n, MSG_NOSIGNAL);

		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0 && errno != EAGAIN)
			return false;
		if (did <= 0 || base_clock_ns(CLOCK_MONOTONIC) > until) {
			mgmt_client_count(MGMT_CLIENT_CUT);
			return false;
		}
		p += did;
		n -= (size_t)did;
	}
	return true;
}

static bool
send_all(const struct client *cl, const char *p, size_t n)
{
	return send_until(cl->fd, p, n, deadline(cl, n));
}

/* Send what cmdline and the commands wrote to the session's memory file, and empty it. */
static bool
flush(int mem, const struct client *cl)
{
	off_t size = lseek(mem, 0, SEEK_END);
	const base_ns_t until = deadline(cl, (size_t)size);
	char buf[4096];

	for (off_t at = 0; at < size;) {
		ssize_t n = pread(mem, buf, sizeof(buf), at);

		if (n <= 0 || !send_until(cl->fd, buf, (size_t)n, until))
			return false;
		at += n;
	}
	return ftruncate(mem, 0) == 0 && lseek(mem, 0, SEEK_SET) == 0;
}

/* From now on it is idle. */
static void
note_heard(struct client *cl)
{
	atomic_store(&cl->heard, atomic_fetch_add(&cl->server->heard, 1));
}

bool
mgmt_client_spoke(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) != 0 && p.revents != 0;
}

/* After a "watch" was answered. @return false when there are too many; text says so */
static bool
take_watcher(struct client *cl)
{
	if (atomic_fetch_add(&cl->server->watchers, 1) < MGMT_WATCHERS_MAX)
		return true;
	atomic_fetch_sub(&cl->server->watchers, 1);
	return false;
}

static void
watch(struct client *cl, struct mgmt_session *s)
{
	mgmt_watch_run(s->config, &s->watch, cl->fd, cl->server->send_timeout_ms);
	atomic_fetch_sub(&cl->server->watchers, 1);
	s->watch.on = false;
}

static const char too_many_watchers[] = "refused: too many watchers\n";

/* Watch until a key is pressed, which is no part of a command. @return false when it is gone */
static bool
watch_person(struct client *cl, struct mgmt_session *s)
{
	static const char bye[] = "\r\n";
	char keys[64];

	if (!take_watcher(cl)) {
		s->watch.on = false;
		return send_all(cl, too_many_watchers, sizeof(too_many_watchers) - 1);
	}
	watch(cl, s);
	return recv(cl->fd, keys, sizeof(keys), MSG_DONTWAIT) > 0 &&
		send_all(cl, bye, sizeof(bye) - 1);
}

static bool
ping_text(void *arg, const char *text)
{
	return send_all(arg, text, strlen(text));
}

/* Until a key is pressed, which is no part of a command. @return false when it is gone */
static bool
ping_person(struct client *cl, struct mgmt_session *s)
{
	const struct mgmt_ping_sink sink = {.text = ping_text, .arg = cl};
	char keys[64];
	bool ok = mgmt_ping_run(s, cl->fd, &sink) && (!s->text || ping_text(cl, s->text));

	mgmt_cli_clear(s);
	return ok && recv(cl->fd, keys, sizeof(keys), MSG_DONTWAIT) != 0;
}

/*
 * A session with prompt and completion. cmdline writes single characters and ignores what write()
 * says, so it writes to memory: the socket sees few, whole sends, and a client that does not read
 * ends the session at the first time-out.
 */
static void
serve_person(struct client *cl)
{
	struct mgmt_session s = {
		.cli = cl->server->cli,
		.config = cl->server->config,
		.out_fd = memfd_create("koi-cli", MFD_CLOEXEC),
		.may_watch = true,
	};
	struct cmdline *c;
	bool first = true;
	char prompt[MGMT_CLI_PROMPT], buf[512];

	if (s.out_fd < 0)
		return;
	mgmt_cli_prompt(s.config, prompt);
	/* cmdline_free() closes the memory file */
	c = cmdline_new(mgmt_cli_ctx(cl->server->cli), prompt, -1, s.out_fd);
	if (!c) {
		close(s.out_fd);
		return;
	}
	while (flush(s.out_fd, cl)) {
		ssize_t n = recv(cl->fd, buf, sizeof(buf), 0);
		const char *p = buf;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		atomic_store(&cl->heard, NOT_IDLE);
		mgmt_pace(cl->server->stop_fd);
		/* koictl's first newline only says that a person is there */
		if (first && *p == '\n') {
			p++;
			n--;
		}
		first = false;
		if (!mgmt_cli_feed(&s, c, p, (size_t)n)) {
			flush(s.out_fd, cl);
			break;
		}
		if (s.ping.on && !ping_person(cl, &s))
			break;
		note_heard(cl);
		if (s.watch.on && !watch_person(cl, &s))
			break;
	}
	cmdline_free(c);
	mgmt_cli_clear(&s);
}

/* One line of a reply: what it has, and the output. */
static bool
reply_line(const struct client *cl, const char *key, json_t *value, json_t *output)
{
	json_t *o = json_object();
	char *text;
	bool ok;

	json_object_set_new(o, key, value);
	json_object_set_new(o, "output", output);
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	ok = text && send_all(cl, text, strlen(text)) && send_all(cl, "\n", 1);
	free(text);
	return ok;
}

static bool
reply(const struct client *cl, enum mgmt_cli_status status, json_t *output)
{
	return reply_line(cl, "status", json_integer((json_int_t)status), output);
}

/* A part of the output, before the reply that says what the command came to. */
static bool
reply_more(void *arg, json_t *output)
{
	return reply_line(arg, "more", json_true(), output);
}

static bool
reply_more_text(void *arg, const char *text)
{
	return reply_more(arg, json_string(text));
}

/* Before the reply. @return false when it is gone */
static bool
ping_program(struct client *cl, struct mgmt_session *s)
{
	const struct mgmt_ping_sink sink = {
		.json = s->json,
		.text = reply_more_text,
		.object = reply_more,
		.arg = cl,
	};

	return mgmt_ping_run(s, cl->fd, &sink);
}

static bool
reply_usage(const struct client *cl, const char *text)
{
	return reply(cl, MGMT_CLI_USAGE, json_string(text));
}

/* @return NULL when the request is good, else what is wrong with it */
static const char *
check_request(const json_t *req)
{
	const char *key;
	json_t *v;

	if (!json_is_object(req))
		return "a request is an object";
	json_object_foreach ((json_t *)(uintptr_t)req, key, v) {
		if (strcmp(key, "cmd") == 0) {
			if (!json_is_string(v))
				return "\"cmd\" must be a string";
		} else if (strcmp(key, "json") == 0) {
			if (!json_is_boolean(v))
				return "\"json\" must be true or false";
		} else {
			return "unknown key: a request has \"cmd\" and \"json\"";
		}
	}
	return json_object_get(req, "cmd") ? NULL : "\"cmd\" is missing";
}

static bool
serve_request(struct client *cl, struct mgmt_session *s, const char *line, size_t n)
{
	json_error_t err;
	json_t *req = json_loadb(line, n, JSON_REJECT_DUPLICATES, &err);
	const char *wrong;
	char text[256];
	bool ok;

	if (!req) {
		snprintf(text, sizeof(text), "malformed request at column %d: %s", err.column,
			err.text);
		return reply_usage(cl, text);
	}
	wrong = check_request(req);
	if (wrong) {
		ok = reply_usage(cl, wrong);
	} else {
		s->json = json_is_true(json_object_get(req, "json"));
		mgmt_cli_run(s, get_str(req, "cmd"));
		if (s->watch.on && !take_watcher(cl)) {
			s->watch.on = false;
			mgmt_cli_clear(s);
			json_decref(req);
			return reply(cl, MGMT_CLI_REFUSED, json_string(too_many_watchers));
		}
		ok = (!s->ping.on || ping_program(cl, s)) &&
			reply(cl, s->status,
				s->view ? json_incref(s->view)
					: json_string(s->text ? s->text : ""));
		mgmt_cli_clear(s);
		if (s->watch.on)
			watch(cl, s);
	}
	json_decref(req);
	return ok && !s->quit;
}

/* One request a line, one reply a line. */
static void
serve_program(struct client *cl)
{
	struct mgmt_session s = {
		.cli = cl->server->cli,
		.config = cl->server->config,
		.out_fd = -1,
		.may_watch = true,
	};
	char buf[MGMT_REQUEST_MAX + 1], *nl;
	size_t have = 0, len;
	bool skipping = false, ok = true;

	while (ok) {
		ssize_t n = recv(cl->fd, buf + have, sizeof(buf) - have, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
		while (ok && (nl = memchr(buf, '\n', have)) != NULL) {
			len = (size_t)(nl - buf);
			mgmt_pace(cl->server->stop_fd);
			if (!skipping && len > 0)
				ok = serve_request(cl, &s, buf, len);
			skipping = false;
			have -= len + 1;
			memmove(buf, nl + 1, have);
		}
		if (ok && have == sizeof(buf)) {
			/* answered once, then the rest of the line is dropped */
			if (!skipping)
				ok = reply_usage(cl, "a request is at most 4096 bytes");
			skipping = true;
			have = 0;
		}
	}
	explicit_bzero(buf, sizeof(buf));
}

static void *
client_main(void *arg)
{
	struct client *cl = arg;
	char first;
	ssize_t n;

	/* However long it takes: a prompt in front of a reply would spoil it for a program. */
	do
		n = recv(cl->fd, &first, 1, MSG_PEEK);
	while (n < 0 && errno == EINTR);
	if (n > 0 && first == '{') {
		atomic_store(&cl->heard, NOT_IDLE);
		serve_program(cl);
	} else if (n > 0) {
		serve_person(cl);
	}
	mgmt_pace_spent();
	/* The descriptor is closed by the accepting thread, which may be shutting it down. */
	shutdown(cl->fd, SHUT_RDWR);
	atomic_store_explicit(&cl->done, true, memory_order_release);
	return NULL;
}

static void
reap(struct client *cl)
{
	pthread_join(cl->thread, NULL);
	close(cl->fd);
	cl->used = false;
}

/* @return how many have a place; found: a slot that is free, NULL if none is */
static unsigned int
count_clients(struct mgmt_server *s, struct client **found)
{
	unsigned int n = 0;

	*found = NULL;
	for (unsigned int i = 0; i < SLOTS; i++) {
		struct client *cl = &s->clients[i];

		if (cl->used && atomic_load_explicit(&cl->done, memory_order_acquire))
			reap(cl);
		if (!cl->used)
			*found = cl;
		n += cl->used && !cl->leaving;
	}
	return n;
}

/*
 * People leave sessions open: the one who said nothing for the longest makes room. Nobody waits
 * for its thread, which may have heard something just now.
 * @return false when only programs and busy people are here
 */
static bool
replace_idle(struct mgmt_server *s)
{
	static const char bye[] = "\r\nsession ended: idle, and another client needs its place\r\n";
	unsigned long long oldest = NOT_IDLE;
	struct client *idle = NULL;

	for (unsigned int i = 0; i < SLOTS; i++) {
		struct client *cl = &s->clients[i];
		unsigned long long heard = atomic_load(&cl->heard);

		if (!cl->used || cl->leaving || heard >= oldest)
			continue;
		oldest = heard;
		idle = cl;
	}
	if (!idle)
		return false;
	/* It may not read; and its thread waits for input, so that hardly ever another writes. */
	(void)send(idle->fd, bye, sizeof(bye) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(idle->fd, SHUT_RDWR);
	idle->leaving = true;
	return true;
}

static void
accept_one(struct mgmt_server *s)
{
	static const char full[] = "too many sessions, try again later\n";
	struct timeval tv = {
		.tv_sec = s->send_timeout_ms / 1000,
		.tv_usec = s->send_timeout_ms % 1000 * 1000,
	};
	struct client *cl;
	unsigned int n;
	int fd;

	/* who comes and goes costs as much as who asks */
	mgmt_pace(s->stop_fd);
	fd = accept4(s->socket.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0) {
		struct pollfd p = {.fd = s->stop_fd, .events = POLLIN};

		/* out of descriptors or memory: the listener stays readable, so wait a little */
		if (errno != ECONNABORTED && errno != EINTR)
			poll(&p, 1, 100);
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	n = count_clients(s, &cl);
	if (!cl || (n >= MGMT_CLIENTS_MAX && !replace_idle(s))) {
		mgmt_client_count(MGMT_CLIENT_REFUSED);
		(void)send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		close(fd);
		return;
	}
	cl->server = s;
	cl->fd = fd;
	cl->leaving = false;
	atomic_store_explicit(&cl->done, false, memory_order_relaxed);
	note_heard(cl);
	if (mgmt_thread_start(&cl->thread, "koi-cli-client", client_main, cl) != 0) {
		close(fd);
		return;
	}
	cl->used = true;
}

static void *
accept_main(void *arg)
{
	struct mgmt_server *s = arg;
	struct pollfd p[2] = {
		{.fd = s->stop_fd, .events = POLLIN},
		{.fd = s->socket.fd, .events = POLLIN},
	};

	while (p[0].revents == 0) {
		if (poll(p, 2, -1) < 0) {
			p[0].revents = 0;
			continue;
		}
		if (p[0].revents == 0 && p[1].revents != 0)
			accept_one(s);
	}
	return NULL;
}

struct mgmt_server *
mgmt_server_start(const struct mgmt_config *c, struct mgmt_cli *cli, unsigned int send_timeout_ms,
	char *err, unsigned int err_len)
{
	struct mgmt_server *s = calloc(1, sizeof(*s));
	int rc;

	if (!s) {
		snprintf(err, err_len, "CLI socket: out of memory");
		return NULL;
	}
	s->config = c;
	s->cli = cli;
	s->send_timeout_ms = send_timeout_ms;
	s->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (mgmt_socket_open(&s->socket, c->cli_socket, &c->conf->cli, err, err_len) != 0)
		goto fail;
	rc = s->stop_fd < 0 ? errno : mgmt_thread_start(&s->thread, "koi-cli", accept_main, s);
	if (rc == 0)
		return s;
	snprintf(err, err_len, "CLI socket %s: %s", c->cli_socket, strerror(rc));
	mgmt_socket_unlink(&s->socket);
	close(s->socket.fd);
fail:
	if (s->stop_fd >= 0)
		close(s->stop_fd);
	free(s);
	return NULL;
}

void
mgmt_server_stop(struct mgmt_server *s)
{
	const uint64_t one = 1;

	if (!s)
		return;
	mgmt_socket_unlink(&s->socket);
	if (write(s->stop_fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		pthread_join(s->thread, NULL);
	for (unsigned int i = 0; i < SLOTS; i++) {
		if (!s->clients[i].used)
			continue;
		shutdown(s->clients[i].fd, SHUT_RDWR);
		pthread_join(s->clients[i].thread, NULL);
		close(s->clients[i].fd);
	}
	close(s->socket.fd);
	close(s->stop_fd);
	free(s);
}
