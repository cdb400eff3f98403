/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_served.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt_cli_priv.h"
#include "mgmt_fake.h"
#include "mgmt_json_priv.h"
#include "mgmt_priv.h"

char served_dir[] = "/tmp/koi-mgmt-XXXXXX";
char served_path[108];
static struct mgmt_cli *cli;
struct mgmt_server *served;

struct mgmt_server *
served_start(unsigned int send_timeout_ms, char *err, unsigned int err_len)
{
	return mgmt_server_start(&fake.config, cli, send_timeout_ms, err, err_len);
}

int
served_before(void **state)
{
	char err[256] = "";

	(void)state;
	fake_setup();
	memcpy(served_dir + sizeof(served_dir) - 7, "XXXXXX", 6);
	if (!mkdtemp(served_dir))
		return -1;
	snprintf(served_path, sizeof(served_path), "%s/run/fw1/cli.sock", served_dir);
	fake.config.cli_socket = served_path;
	cli = mgmt_cli_new();
	served = served_start(MGMT_SEND_TIMEOUT_MS, err, sizeof(err));
	return served ? 0 : -1;
}

int
served_after(void **state)
{
	char sub[128];

	(void)state;
	mgmt_server_stop(served);
	mgmt_cli_free(cli);
	unlink(served_path);
	snprintf(sub, sizeof(sub), "%s/run/fw1", served_dir);
	rmdir(sub);
	snprintf(sub, sizeof(sub), "%s/run", served_dir);
	rmdir(sub);
	rmdir(served_dir);
	fake_teardown();
	return 0;
}

int
served_dial(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", served_path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

void
served_stale(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", served_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
}

void
served_say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

char *
served_hear(int fd, const char *tail)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t have = 0, cap = 1 << 20;
	char *buf = calloc(1, cap);

	while (have < cap - 1) {
		ssize_t n;

		if (poll(&p, 1, SERVED_DEADLINE_MS) != 1)
			fail_msg("nothing came, have: %s", buf);
		n = recv(fd, buf + have, cap - 1 - have, 0);
		if (n <= 0) {
			if (*tail != '\0')
				fail_msg("closed, have: %s", buf);
			return buf;
		}
		have += (size_t)n;
		if (*tail != '\0' && have >= strlen(tail) &&
			strcmp(buf + have - strlen(tail), tail) == 0)
			return buf;
	}
	fail_msg("too much");
	return buf;
}

json_t *
served_ask(int fd, const char *request)
{
	char *line;
	json_t *v;

	served_say(fd, request);
	served_say(fd, "\n");
	line = served_hear(fd, "\n");
	v = json_loads(line, 0, NULL);
	if (!v)
		fail_msg("no JSON: %s", line);
	free(line);
	return v;
}

void
served_expect(int fd, const char *request, int status, const char *output)
{
	json_t *v = served_ask(fd, request);

	assert_string_equal(get_str(v, "output"), output);
	assert_int_equal(get_u64(v, "status"), status);
	json_decref(v);
}
