/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The process that runs hooks. It is forked before koi has threads, devices or a terminal's
 * attention, gives up root and everything it does not need, and only ever reads one socket.
 */
#include "mgmt_hook_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf.h"

#define HOOK_FILES  64
#define END_WAIT_MS 2000

static void
limit(int what, rlim_t to)
{
	const struct rlimit r = {.rlim_cur = to, .rlim_max = to};

	setrlimit((__rlimit_resource_t)what, &r);
}

/* Descriptors 0 to 2 lead nowhere, the one that is kept is 3 and closes with exec; no others. */
static void
bare_descriptors(int kept)
{
	int null;

	if (kept != 3)
		dup3(kept, 3, O_CLOEXEC);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	close_range(4, ~0U, 0);
}

static char **
environment(const struct mgmt_hook_event *e)
{
	static char text[10][192];
	static char *env[11];
	unsigned int n = 0;

	snprintf(text[n++], sizeof(text[0]), "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	snprintf(text[n++], sizeof(text[0]), "KOI_NODE=%s", e->node);
	snprintf(text[n++], sizeof(text[0]), "KOI_GROUP=%s", e->group);
	snprintf(text[n++], sizeof(text[0]), "KOI_VHID=%u", e->vhid);
	snprintf(text[n++], sizeof(text[0]), "KOI_INTERFACE=%s", e->interface);
	snprintf(text[n++], sizeof(text[0]), "KOI_STATE=%s", e->state);
	snprintf(text[n++], sizeof(text[0]), "KOI_OLD_STATE=%s", e->old_state);
	snprintf(text[n++], sizeof(text[0]), "KOI_REASON=%s", e->reason);
	snprintf(text[n++], sizeof(text[0]), "KOI_TIME=%s", e->time);
	snprintf(text[n++], sizeof(text[0]), "KOI_SEQ=%llu", (unsigned long long)e->seq);
	for (unsigned int i = 0; i < n; i++)
		env[i] = text[i];
	env[n] = NULL;
	return env;
}

/* In the child: become the hook, or write why not. */
static void __attribute__((noreturn))
become(const struct mgmt_hook_plan *plan, const struct mgmt_hook_event *e, int error_fd)
{
	int why;

	setpgid(0, 0);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, HOOK_FILES);
	limit(RLIMIT_CPU, plan->timeout_ms / 1000 + 1);
	bare_descriptors(error_fd);
	if (chdir("/") == 0)
		execve(plan->argv[0], plan->argv, environment(e));
	why = errno;
	if (write(3, &why, sizeof(why)) < 0)
		_exit(126);
	_exit(127);
}

/* Wait for the end, or for the time to be over. @return false for the latter */
static bool
wait_end(pid_t pid, unsigned int timeout_ms)
{
	struct pollfd p = {.fd = pidfd_open(pid, 0), .events = POLLIN};
	int rc;

	do
		rc = poll(&p, 1, (int)timeout_ms);
	while (rc < 0 && errno == EINTR);
	if (p.fd >= 0)
		close(p.fd);
	return rc > 0;
}

static struct mgmt_hook_result
run(const struct mgmt_hook_plan *plan, const struct mgmt_hook_event *e)
{
	struct mgmt_hook_result r = {.seq = e->seq, .end = MGMT_HOOK_NOT_RUN};
	int error[2], why = 0, status = 0;
	bool in_time;
	pid_t pid;

	if (pipe2(error, O_CLOEXEC) != 0) {
		r.value = errno;
		return r;
	}
	pid = fork();
	if (pid == 0)
		become(plan, e, error[1]);
	close(error[1]);
	if (pid < 0) {
		r.value = errno;
		close(error[0]);
		return r;
	}
	setpgid(pid, pid); /* here as well: whichever is first */
	if (read(error[0], &why, sizeof(why)) != (ssize_t)sizeof(why))
		why = 0;
	close(error[0]);
	in_time = wait_end(pid, plan->timeout_ms);
	/* All of its group, also what it left behind: the next one begins from nothing. */
	kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* orphans of the group have become our children */
	while (waitpid(-pid, NULL, 0) > 0 || waitpid(-1, NULL, WNOHANG) > 0)
		;
	if (why != 0) {
		r.value = why;
	} else if (!in_time) {
		r.end = MGMT_HOOK_TIMEOUT;
	} else if (WIFEXITED(status)) {
		r.end = MGMT_HOOK_EXITED;
		r.value = WEXITSTATUS(status);
	} else {
		r.end = MGMT_HOOK_KILLED;
		r.value = WTERMSIG(status);
	}
	return r;
}

void
mgmt_hook_serve(const struct mgmt_hook_plan *plan, int fd)
{
	struct mgmt_hook_event e;
	ssize_t n;

	for (;;) {
		n = recv(fd, &e, sizeof(e), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(e))
			return;
		struct mgmt_hook_result r = run(plan, &e);

		/* with koi gone what it has sent is still done */
		send(fd, &r, sizeof(r), MSG_NOSIGNAL);
	}
}

/* @return 0, else err says what does not go */
static int
find_user(const struct conf *conf, uid_t *uid, gid_t *gid, char *err, unsigned int err_len)
{
	const char *name = conf->on_change_user[0] ? conf->on_change_user : "nobody";
	const struct passwd *pw;

	*uid = geteuid();
	*gid = getegid();
	pw = getpwnam(name);
	if (*uid != 0) {
		/* what is not root cannot change, and need not */
		if (!conf->on_change_user[0] || (pw && pw->pw_uid == *uid))
			return 0;
		snprintf(err, err_len, "/carp/on-change-user: only root can run hooks as \"%s\"",
			name);
		return -1;
	}
	if (!pw || pw->pw_uid == 0) {
		snprintf(err, err_len, "/carp/on-change-user: %s \"%s\"",
			pw ? "root has another name here:" : "there is no user", name);
		return -1;
	}
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return 0;
}

static int
give_up_root(uid_t uid, gid_t gid)
{
	if (geteuid() == 0 &&
		(setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
			setresuid(uid, uid, uid) != 0))
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* A copy of the arguments, which outlives the configuration and the secrets in it. */
static char **
copy_argv(const struct conf *conf)
{
	char **argv = calloc(conf->n_on_change + 1u, sizeof(*argv));

	for (uint16_t i = 0; argv && i < conf->n_on_change; i++)
		argv[i] = strdup(conf->on_change[i]);
	return argv;
}

static void __attribute__((noreturn))
helper_main(const struct conf *conf, uid_t uid, gid_t gid, int fd)
{
	struct mgmt_hook_plan plan = {
		.argv = copy_argv(conf),
		.timeout_ms = conf->on_change_timeout_s * 1000u,
	};

	/* not a part of the terminal's job, whose ^C is koi's: it ends after koi */
	setsid();
	prctl(PR_SET_NAME, "koi-hooks");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (uint16_t i = 0; i < conf->n_groups; i++)
		explicit_bzero(conf->groups[i].key, sizeof(conf->groups[i].key));
	bare_descriptors(fd);
	if (give_up_root(uid, gid) == 0 && plan.argv)
		mgmt_hook_serve(&plan, 3);
	_exit(0);
}

int
mgmt_hook_fork(
	const struct conf *conf, struct mgmt_hook_process *p, char *err, unsigned int err_len)
{
	uid_t uid;
	gid_t gid;
	int fd[2];

	*p = (struct mgmt_hook_process){.fd = -1};
	if (conf->n_on_change == 0)
		return 0;
	if (find_user(conf, &uid, &gid, err, err_len) != 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0) {
		snprintf(err, err_len, "hooks: %s", strerror(errno));
		return -1;
	}
	p->pid = fork();
	if (p->pid == 0)
		helper_main(conf, uid, gid, fd[1]);
	close(fd[1]);
	if (p->pid < 0) {
		snprintf(err, err_len, "hooks: %s", strerror(errno));
		close(fd[0]);
		*p = (struct mgmt_hook_process){.fd = -1};
		return -1;
	}
	p->fd = fd[0];
	return 0;
}

void
mgmt_hook_end(struct mgmt_hook_process *p)
{
	if (p->fd >= 0)
		close(p->fd);
	if (p->pid > 0 && wait_end(p->pid, END_WAIT_MS))
		waitpid(p->pid, NULL, 0);
	*p = (struct mgmt_hook_process){.fd = -1};
}
