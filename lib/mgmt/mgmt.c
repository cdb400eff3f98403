/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmdline.h>
#include <cmdline_socket.h>

#include "mgmt_capture_priv.h"
#include "mgmt_change_priv.h"
#include "mgmt_cli_priv.h"
#include "mgmt_hook_priv.h"
#include "mgmt_marks_priv.h"
#include "mgmt_metrics_priv.h"
#include "mgmt_priv.h"
#include "mgmt_tel_priv.h"

#include "conf.h"

struct mgmt {
	struct mgmt_config config;
	struct mgmt_cli *cli;
	struct mgmt_server *server;
	struct mgmt_log *log;
	struct mgmt_http *http;
	struct mgmt_hooks *hooks;
	int wake_fd; /* readable: leave mgmt_interactive() */
};

int
mgmt_thread_start(pthread_t *t, const char *name, void *(*fn)(void *), void *arg)
{
	const struct sched_param param = {0};
	pthread_attr_t attr;
	sigset_t all, old;
	int rc;

	/* Signals are main's; real-time priority, where main has it, is not inherited. */
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_OTHER);
	pthread_attr_setschedparam(&attr, &param);
	sigfillset(&all);
	/* but for the one by which the program gives up capabilities in every thread */
	sigdelset(&all, SIGRTMAX);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(t, &attr, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (rc == 0)
		pthread_setname_np(*t, name);
	return rc;
}

struct mgmt *
mgmt_start(const struct mgmt_config *config, char *err, unsigned int err_len)
{
	struct mgmt *m = calloc(1, sizeof(*m));
	int rc;

	snprintf(err, err_len, "out of memory");
	if (!m)
		return NULL;
	m->config = *config;
	m->config.file = mgmt_file_new(&m->config);
	/* A session that went away, or a stderr that nobody reads, must not end the box. */
	signal(SIGPIPE, SIG_IGN);
	m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	m->cli = mgmt_cli_new();
	m->config.marks = mgmt_marks_new();
	m->config.capture = mgmt_capture_new(&m->config);
	if (!m->cli || !m->config.marks || !m->config.capture || !m->config.file || m->wake_fd < 0)
		goto fail;
	if (config->cli_socket && config->cli_socket[0] != '\0') {
		m->server =
			mgmt_server_start(&m->config, m->cli, MGMT_SEND_TIMEOUT_MS, err, err_len);
		if (!m->server)
			goto fail;
	}
	rc = mgmt_tel_start(&m->config);
	if (rc != 0) {
		snprintf(err, err_len, "telemetry: %s", strerror(-rc));
		goto fail;
	}
	rc = mgmt_change_start(m->config.file);
	if (rc != 0) {
		snprintf(err, err_len, "thread for staged changes: %s", strerror(rc));
		goto fail;
	}
	m->log = mgmt_log_start(&m->config, STDERR_FILENO);
	if (!m->log) {
		snprintf(err, err_len, "event log: %s", strerror(errno));
		goto fail;
	}
	m->config.hooks = m->hooks = mgmt_hooks_start(&m->config, STDERR_FILENO);
	if (config->hook_fd >= 0 && !m->hooks) {
		snprintf(err, err_len, "hooks: %s", strerror(errno));
		goto fail;
	}
	if (config->conf->metrics.addr.family != BASE_FAMILY_NONE) {
		m->http = mgmt_http_start(&m->config, MGMT_HTTP_TIMEOUT_MS, err, err_len);
		if (!m->http)
			goto fail;
	}
	return m;
fail:
	mgmt_stop(m);
	return NULL;
}

bool
mgmt_reload(struct mgmt *m, const char *path, FILE *to)
{
	return mgmt_file_load(&m->config, path, 0, to);
}

void
mgmt_interactive(struct mgmt *m)
{
	struct mgmt_session s = {
		.cli = m->cli,
		.config = &m->config,
		.out_fd = STDOUT_FILENO,
	};
	struct pollfd p[2] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = m->wake_fd, .events = POLLIN},
	};
	char prompt[MGMT_CLI_PROMPT], buf[256];
	struct cmdline *cl;
	ssize_t n;

	mgmt_cli_prompt(&m->config, prompt);
	cl = cmdline_stdin_new(mgmt_cli_ctx(m->cli), prompt);
	if (!cl)
		return;
	for (;;) {
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents)
			break;
		n = read(STDIN_FILENO, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || !mgmt_cli_feed(&s, cl, buf, (size_t)n))
			break;
	}
	cmdline_stdin_exit(cl); /* frees it, too */
	mgmt_cli_clear(&s);
	if (s.quit && m->config.on_quit)
		m->config.on_quit(m->config.arg);
}

void
mgmt_interrupt(struct mgmt *m)
{
	const uint64_t one = 1;
	const int saved = errno;

	/* it can only fail when it is readable already */
	if (write(m->wake_fd, &one, sizeof(one)) < 0)
		errno = saved;
}

void
mgmt_stop(struct mgmt *m)
{
	if (!m)
		return;
	mgmt_http_stop(m->http);
	mgmt_tel_stop();
	mgmt_server_stop(m->server);
	mgmt_hooks_stop(m->hooks);
	mgmt_capture_free(m->config.capture);
	mgmt_log_stop(m->log);
	mgmt_cli_free(m->cli);
	mgmt_marks_free(m->config.marks);
	mgmt_file_free(m->config.file);
	if (m->wake_fd >= 0)
		close(m->wake_fd);
	free(m);
}
