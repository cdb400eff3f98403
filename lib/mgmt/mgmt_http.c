/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * GET /metrics. libmicrohttpd does the HTTP; it is run from a thread of ours, which takes no
 * signals, is scheduled as an ordinary one and gives way to all others. So a scraper that is slow,
 * or a flood of them, costs what is left over, and no memory beyond a few connections and texts.
 */
#include "mgmt_metrics_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base_clock.h"
#include "compat_thread.h"
#include "conf.h"
#include "dp.h"

#include "mgmt_priv.h"

#define MEMORY_BYTES 16384 /* of a connection, request and headers */

/* A connection that is open, by the slot that libmicrohttpd keeps for us. */
struct open_connection {
	int fd; /* -1: free */
	base_ns_t since;
};

struct mgmt_http {
	const struct mgmt_config *config;
	unsigned int timeout_ms;
	struct MHD_Daemon *daemon;
	int stop_fd;
	pthread_t thread;
	struct open_connection open[MGMT_HTTP_CONNECTIONS];
	bool room; /* a place became free: who waits in the backlog is seen by the next run only */
	/* the text that was made last of each format, and when; NULL: none yet */
	struct MHD_Response *fresh[MGMT_METRICS_FORMATS];
	base_ns_t made[MGMT_METRICS_FORMATS];
};

/* It is the kernel's clock that connections and texts age by, not the views'. */
static base_ns_t
clock_now(void)
{
	return base_clock_ns(CLOCK_MONOTONIC);
}

static struct MHD_Response *
response(const char *text, size_t len, enum MHD_ResponseMemoryMode mode, const char *type)
{
	struct MHD_Response *r =
		MHD_create_response_from_buffer(len, (void *)(uintptr_t)text, mode);

	if (!r)
		return NULL;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	/* One request a connection: then the limit on its life is one on the request. */
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	return r;
}

/* The metrics, made anew when the last text has become too old. @return NULL without memory */
static struct MHD_Response *
metrics(struct mgmt_http *h, enum mgmt_metrics_format format)
{
	const base_ns_t now = clock_now();
	char *text = NULL;
	size_t len = 0;
	FILE *f;

	if (h->fresh[format] &&
		base_ns_since(now, h->made[format]) < MGMT_HTTP_FRESH_MS * BASE_NS_PER_MS)
		return h->fresh[format];
	f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	mgmt_file_read(h->config);
	mgmt_metrics_write(h->config, format, f);
	mgmt_file_read_end(h->config);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	if (h->fresh[format])
		MHD_destroy_response(h->fresh[format]);
	h->fresh[format] = response(text, len, MHD_RESPMEM_MUST_FREE, mgmt_metrics_type(format));
	h->made[format] = now;
	if (!h->fresh[format])
		free(text);
	return h->fresh[format];
}

static enum MHD_Result
answer_text(struct MHD_Connection *c, unsigned int status, const char *text)
{
	struct MHD_Response *r =
		response(text, strlen(text), MHD_RESPMEM_PERSISTENT, "text/plain; charset=utf-8");
	enum MHD_Result rc;

	if (!r)
		return MHD_NO;
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	rc = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return rc;
}

/* Called when the headers are there; a body is never read, the connection is closed instead. */
static enum MHD_Result
on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
	const char *version, const char *data, size_t *size, void **request)
{
	struct mgmt_http *h = arg;
	struct MHD_Response *r;

	(void)version;
	(void)data;
	(void)size;
	(void)request;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_text(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (strcmp(url, "/metrics") != 0)
		return answer_text(
			c, MHD_HTTP_NOT_FOUND, "koi: what there is to see is /metrics\n");
	r = metrics(h,
		mgmt_metrics_accept(
			MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT)));
	return r ? MHD_queue_response(c, MHD_HTTP_OK, r) : MHD_NO;
}

static void
on_connection(
	void *arg, struct MHD_Connection *c, void **slot, enum MHD_ConnectionNotificationCode what)
{
	struct mgmt_http *h = arg;
	struct open_connection *o = *slot;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (o)
			o->fd = -1;
		h->room = true;
		return;
	}
	for (unsigned int i = 0; i < MGMT_HTTP_CONNECTIONS; i++) {
		if (h->open[i].fd >= 0)
			continue;
		h->open[i].fd =
			MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		h->open[i].since = clock_now();
		*slot = &h->open[i];
		return;
	}
}

/*
 * libmicrohttpd's own time-out begins anew with every byte, so that a scraper who sends one now and
 * then would keep its place for ever. @return ms until there is something to do here; -1: never
 */
static int
close_overdue(struct mgmt_http *h)
{
	const base_ns_t now = clock_now(), limit = h->timeout_ms * BASE_NS_PER_MS;
	base_ns_t next = BASE_NS_NEVER;

	for (unsigned int i = 0; i < MGMT_HTTP_CONNECTIONS; i++) {
		const base_ns_t age = base_ns_since(now, h->open[i].since);

		if (h->open[i].fd < 0)
			continue;
		if (age >= limit) {
			shutdown(h->open[i].fd, SHUT_RDWR);
			h->open[i].since = now;
		} else if (limit - age < next) {
			next = limit - age;
		}
	}
	return next == BASE_NS_NEVER ? -1 : (int)(next / BASE_NS_PER_MS) + 1;
}

static void *
http_main(void *arg)
{
	struct mgmt_http *h = arg;
	struct pollfd p[2] = {
		{.fd = h->stop_fd, .events = POLLIN},
		{.fd = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
			.events = POLLIN},
	};
	MHD_UNSIGNED_LONG_LONG due;
	int wait;

	(void)compat_thread_nice_set(COMPAT_NICE);
	while (p[0].revents == 0) {
		wait = close_overdue(h);
		if (MHD_get_timeout(h->daemon, &due) == MHD_YES &&
			(wait < 0 || due < (unsigned int)wait))
			wait = (int)due;
		if (h->room)
			wait = 0;
		h->room = false;
		if (poll(p, 2, wait) < 0)
			p[0].revents = 0;
		MHD_run(h->daemon);
	}
	return NULL;
}

/* @return the socket, or -errno */
static int
open_listener(const struct conf_metrics *m)
{
	struct sockaddr_storage ss = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;
	const bool ip6 = m->addr.family == BASE_FAMILY_IP6;
	const int one = 1;
	int fd, rc;

	if (ip6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(m->port);
		memcpy(&in6->sin6_addr, m->addr.bytes, sizeof(in6->sin6_addr));
	} else {
		in->sin_family = AF_INET;
		in->sin_port = htons(m->port);
		memcpy(&in->sin_addr, m->addr.bytes, sizeof(in->sin_addr));
	}
	fd = socket(ip6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* not to wait for connections of the process before; a living listener still is an error */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (ip6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&ss, ip6 ? sizeof(*in6) : sizeof(*in)) == 0 &&
		listen(fd, MGMT_HTTP_CONNECTIONS) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

static const char *
listen_error(int rc)
{
	if (rc == -EADDRINUSE)
		return "the port is in use by another process";
	if (rc == -EADDRNOTAVAIL)
		return "this machine's kernel has no such address (those of koi's interfaces are not "
		       "the kernel's)";
	return strerror(-rc);
}

struct mgmt_http *
mgmt_http_start(
	const struct mgmt_config *c, unsigned int timeout_ms, char *err, unsigned int err_len)
{
	struct mgmt_http *h = calloc(1, sizeof(*h));
	char where[CONF_LISTEN_STR];
	int fd = -1, rc = -ENOMEM;

	if (!h)
		goto fail;
	h->config = c;
	h->timeout_ms = timeout_ms;
	for (unsigned int i = 0; i < MGMT_HTTP_CONNECTIONS; i++)
		h->open[i].fd = -1;
	h->stop_fd = eventfd(0, EFD_CLOEXEC);
	fd = h->stop_fd < 0 ? -errno : open_listener(&c->conf->metrics);
	rc = fd;
	if (fd < 0)
		goto fail;
	rc = -ENOMEM;
	h->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, h,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned int)MGMT_HTTP_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)MEMORY_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)((timeout_ms + 999) / 1000), MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, h, MHD_OPTION_END);
	if (!h->daemon)
		goto fail;
	fd = -1; /* libmicrohttpd closes it */
	rc = -mgmt_thread_start(&h->thread, "koi-metrics", http_main, h);
	if (rc == 0)
		return h;
	MHD_stop_daemon(h->daemon);
fail:
	snprintf(err, err_len, "metrics: %s: %s", conf_listen_str(&c->conf->metrics, where),
		listen_error(rc));
	if (fd >= 0)
		close(fd);
	if (h && h->stop_fd >= 0)
		close(h->stop_fd);
	free(h);
	return NULL;
}

void
mgmt_http_stop(struct mgmt_http *h)
{
	const uint64_t one = 1;

	if (!h)
		return;
	if (write(h->stop_fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		pthread_join(h->thread, NULL);
	MHD_stop_daemon(h->daemon);
	for (unsigned int i = 0; i < MGMT_METRICS_FORMATS; i++)
		if (h->fresh[i])
			MHD_destroy_response(h->fresh[i]);
	close(h->stop_fd);
	free(h);
}
