/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The metrics listener from outside: requests, bad ones, slow ones, too many, a port in use. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt_fake.h"
#include "mgmt_metrics_priv.h"
#include "mgmt_served.h"

static struct mgmt_http *http;

/* A port that nobody has: the kernel gives one, and it is let go again. */
static uint16_t
free_port(int family)
{
	struct sockaddr_in6 sa = {.sin6_family = (sa_family_t)family};
	socklen_t len = sizeof(sa);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	close(fd);
	return ntohs(sa.sin6_port); /* at the same place for both families */
}

static void
listen_at(const struct base_addr *addr, int family)
{
	fake.conf->metrics.addr = *addr;
	fake.conf->metrics.port = free_port(family);
}

static struct mgmt_http *
start(unsigned int timeout_ms)
{
	char err[256] = "";
	struct mgmt_http *h = mgmt_http_start(&fake.config, timeout_ms, err, sizeof(err));

	if (!h)
		fail_msg("%s", err);
	return h;
}

static int
setup(void **state)
{
	const struct base_addr loopback = base_addr_from_ip4(INADDR_LOOPBACK);

	(void)state;
	fake_setup();
	listen_at(&loopback, AF_INET);
	http = NULL;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	mgmt_http_stop(http);
	fake_teardown();
	return 0;
}

static int
dial(void)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(fake.conf->metrics.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(fake.conf->metrics.port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	const bool ip6 = fake.conf->metrics.addr.family == BASE_FAMILY_IP6;
	int fd = socket(ip6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	rc = ip6 ? connect(fd, (struct sockaddr *)&in6, sizeof(in6))
		 : connect(fd, (struct sockaddr *)&in, sizeof(in));
	assert_int_equal(rc, 0);
	return fd;
}

/* Everything until the other side closes. */
static char *
hear(int fd)
{
	char *text = served_hear(fd, "");

	close(fd);
	return text;
}

static char *
ask(const char *request)
{
	int fd = dial();

	served_say(fd, request);
	return hear(fd);
}

static void
expect(const char *request, const char *status, const char *has)
{
	char *text = ask(request);

	if (strncmp(text, status, strlen(status)) != 0 || !strstr(text, has))
		fail_msg("%s: %s", request, text);
	free(text);
}

static void
formats(void **state)
{
	char *text, *body, *end;

	(void)state;
	http = start(MGMT_HTTP_TIMEOUT_MS);
	expect("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\n",
		"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
	text = ask("GET /metrics HTTP/1.1\r\nHost: a\r\n"
		   "Accept: application/openmetrics-text; version=1.0.0\r\n\r\n");
	assert_non_null(strstr(text,
		"Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
	body = strstr(text, "\r\n\r\n");
	assert_non_null(body);
	assert_non_null(strstr(body, "\nkoi_carp_state{group=\"carp0\""));
	end = strstr(body, "\n# EOF\n");
	assert_non_null(end);
	assert_string_equal(end, "\n# EOF\n");
	free(text);
	text = ask("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
	assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
	free(text);
}

static void
bad_requests(void **state)
{
	char *text;
	int fd;

	(void)state;
	http = start(MGMT_HTTP_TIMEOUT_MS);
	expect("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404 ", "/metrics\n");
	expect("GET /metrics/../etc HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404 ", "");
	expect("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
		"HTTP/1.1 405 ", "Allow: GET, HEAD\r\n");
	expect("BREW /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 ", "");
	text = ask("\x16\x03\x01\r\n\r\n"); /* somebody tries TLS */
	assert_null(strstr(text, "200"));
	free(text);
	/* headers without end are cut off at a size, not kept; the box goes on */
	fd = dial();
	served_say(fd, "GET /metrics HTTP/1.1\r\n");
	for (unsigned int i = 0; i < 4096; i++)
		if (send(fd, "X-Header: 0123456789\r\n", 22, MSG_NOSIGNAL) < 0)
			break;
	text = hear(fd);
	assert_null(strstr(text, "200 OK"));
	free(text);
	expect("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 ", "koi_uptime");
}

/* Clients that say nothing, or that dribble, take all places, and lose them after the time. */
static void
slow_clients_lose_their_place(void **state)
{
	int fd[MGMT_HTTP_CONNECTIONS];

	(void)state;
	http = start(300);
	for (unsigned int i = 0; i < MGMT_HTTP_CONNECTIONS; i++) {
		fd[i] = dial();
		if (i % 2)
			served_say(fd[i], "GET /metr");
	}
	/* this one waits in the backlog until a place is free, and is served then */
	expect("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 ", "koi_uptime");
	for (unsigned int i = 0; i < MGMT_HTTP_CONNECTIONS; i++) {
		char *text = hear(fd[i]);

		assert_null(strstr(text, "200 OK"));
		free(text);
	}
}

/* A byte now and then does not keep a place: the limit is on the whole. */
static void
dribbling_is_no_way_out(void **state)
{
	struct pollfd p = {.events = POLLIN};
	unsigned int sent = 0;

	(void)state;
	http = start(300);
	p.fd = dial();
	served_say(p.fd, "GET /metrics HTTP/1.1\r\nX: ");
	while (poll(&p, 1, 20) == 0 && sent++ < SERVED_DEADLINE_MS / 20)
		if (send(p.fd, "x", 1, MSG_NOSIGNAL) < 0)
			break;
	assert_true(sent < SERVED_DEADLINE_MS / 20);
	free(hear(p.fd));
}

/* One who does not read what it asked for, while others are served. */
static void
unread_answer(void **state)
{
	int small = 1, fd;

	(void)state;
	http = start(MGMT_HTTP_TIMEOUT_MS);
	fd = dial();
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	served_say(fd, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
	for (unsigned int i = 0; i < 20; i++)
		expect("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 ", "koi_uptime");
	close(fd);
}

static void
ip6_address(void **state)
{
	const struct base_addr loopback = fake_ip6("::1");
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	const int able = fd >= 0 && bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;

	(void)state;
	if (fd >= 0)
		close(fd);
	if (!able)
		skip(); /* a kernel without IPv6 */
	listen_at(&loopback, AF_INET6);
	http = start(MGMT_HTTP_TIMEOUT_MS);
	expect("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 ", "koi_uptime");
}

static void
errors_are_clear(void **state)
{
	char err[256] = "", want[256];

	(void)state;
	http = start(MGMT_HTTP_TIMEOUT_MS);
	assert_null(mgmt_http_start(&fake.config, MGMT_HTTP_TIMEOUT_MS, err, sizeof(err)));
	snprintf(want, sizeof(want), "metrics: 127.0.0.1:%u: the port is in use by another process",
		fake.conf->metrics.port);
	assert_string_equal(err, want);
	/* TEST-NET-1 is of no machine */
	fake.conf->metrics.addr = base_addr_from_ip4(UINT32_C(0xc0000263));
	assert_null(mgmt_http_start(&fake.config, MGMT_HTTP_TIMEOUT_MS, err, sizeof(err)));
	assert_non_null(strstr(err, "metrics: 192.0.2.99:"));
	assert_non_null(strstr(err, "this machine's kernel has no such address"));
	fake.conf->metrics.addr = base_addr_from_ip4(INADDR_LOOPBACK);
}

/* Stopping does not wait for anybody. */
static void
stop_with_clients(void **state)
{
	int idle, half;
	char *text;

	(void)state;
	http = start(MGMT_HTTP_TIMEOUT_MS);
	idle = dial();
	half = dial();
	served_say(half, "GET /m");
	expect("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 ", "koi_uptime");
	mgmt_http_stop(http);
	http = NULL;
	text = hear(idle);
	free(text);
	text = hear(half);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(formats, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(slow_clients_lose_their_place, setup, teardown),
		cmocka_unit_test_setup_teardown(dribbling_is_no_way_out, setup, teardown),
		cmocka_unit_test_setup_teardown(unread_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(ip6_address, setup, teardown),
		cmocka_unit_test_setup_teardown(errors_are_clear, setup, teardown),
		cmocka_unit_test_setup_teardown(stop_with_clients, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
