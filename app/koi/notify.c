/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* As sd_watchdog_enabled(3) advises half of it and less; the manager's own timer has no slack. */
#define FEEDS_PER_PERIOD 4

/** A number of the environment. @return 0 when it is not there or none */
static uint64_t
env_number(const char *name)
{
	const char *s = getenv(name);
	char *end;
	unsigned long long v;

	if (s == NULL || *s < '0' || *s > '9')
		return 0;
	errno = 0;
	v = strtoull(s, &end, 10);
	return errno != 0 || *end != '\0' ? 0 : v;
}

static int
open_socket(struct notify *n, const char *path)
{
	size_t len = strlen(path);

	/* "@" stands for the NUL byte of the abstract namespace */
	if ((path[0] != '/' && path[0] != '@') || len < 2 || len >= sizeof(n->addr.sun_path))
		return -EINVAL;
	n->addr.sun_family = AF_UNIX;
	memcpy(n->addr.sun_path, path, len);
	if (path[0] == '@')
		n->addr.sun_path[0] = '\0';
	n->addr_len = (unsigned int)(offsetof(struct sockaddr_un, sun_path) + len);
	/* a manager that does not read must not hold koi up */
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return n->fd < 0 ? -errno : 0;
}

int
notify_open(struct notify *n)
{
	const char *path = getenv("NOTIFY_SOCKET");
	uint64_t pid = env_number("WATCHDOG_PID"), usec = env_number("WATCHDOG_USEC");
	int ret = 0;

	*n = (struct notify){.fd = -1};
	if (path != NULL)
		ret = open_socket(n, path);
	if (n->fd >= 0 && (pid == 0 || pid == (uint64_t)getpid()))
		n->every = usec * 1000 / FEEDS_PER_PERIOD;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	return ret;
}

/* @return false when the manager has no room for it now */
__attribute__((format(printf, 2, 3))) static bool
tell(const struct notify *n, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int len;

	if (n->fd < 0)
		return true;
	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return sendto(n->fd, text, (size_t)len, MSG_NOSIGNAL, (const struct sockaddr *)&n->addr,
		       n->addr_len) >= 0 ||
		(errno != EAGAIN && errno != ENOBUFS);
}

static bool
tell_status(struct notify *n, const char *first, const struct notify_state *s)
{
	char demoted[32] = "";

	if (s->demotion != 0)
		snprintf(demoted, sizeof(demoted), ", demoted by %u", s->demotion);
	if (!tell(n, "%sSTATUS=%u MASTER, %u BACKUP, %u INIT%s", first, s->masters, s->backups,
		    s->inits, demoted))
		return false;
	n->told = *s;
	return true;
}

/* Whoever waits for one of these waits in vain if it is lost. @return whether nothing is owed */
static bool
pay(struct notify *n, const struct notify_state *s)
{
	if (n->reloading_usec != 0 &&
		!tell(n, "RELOADING=1\nMONOTONIC_USEC=%lld", n->reloading_usec))
		return false;
	n->reloading_usec = 0;
	if (n->owes_ready && !tell_status(n, "READY=1\n", s))
		return false;
	n->owes_ready = false;
	if (n->owes_stopping && !tell(n, "STOPPING=1"))
		return false;
	n->owes_stopping = false;
	return true;
}

void
notify_ready(struct notify *n, base_ns_t now, const struct notify_state *s)
{
	n->ready = true;
	n->fed_at = now;
	n->fed_beat = s->beat;
	n->owes_ready = true;
	(void)pay(n, s);
}

void
notify_turn(struct notify *n, base_ns_t now, const struct notify_state *s)
{
	const struct notify_state *t = &n->told;

	if (!pay(n, s))
		return;
	if (n->every != 0 && s->beat != n->fed_beat && now - n->fed_at >= n->every) {
		/* one that is lost is followed by the next: the watchdog has four tries */
		(void)tell(n, "WATCHDOG=1");
		n->fed_at = now;
		n->fed_beat = s->beat;
	}
	if (s->masters != t->masters || s->backups != t->backups || s->inits != t->inits ||
		s->demotion != t->demotion)
		(void)tell_status(n, "", s);
}

void
notify_reloading(struct notify *n)
{
	struct timespec now;

	/* the time tells the manager which READY=1 is the answer to its signal */
	clock_gettime(CLOCK_MONOTONIC, &now);
	n->reloading_usec = (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	n->owes_ready = false;
	(void)pay(n, &n->told);
}

void
notify_stopping(struct notify *n)
{
	if (n->ready) {
		n->reloading_usec = 0;
		n->owes_ready = false;
		n->owes_stopping = true;
	}
	n->ready = false;
	(void)pay(n, &n->told);
}

void
notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}
