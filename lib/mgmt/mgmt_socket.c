/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_socket_priv.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"

#include "mgmt_priv.h"

static int
make_parents(const char *path)
{
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];

	snprintf(dir, sizeof(dir), "%s", path);
	for (char *slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		/* The umask is about files: who may use the socket must get to it. */
		if (mkdir(dir, 0755) == 0 ? chmod(dir, 0755) != 0 : errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

/* Take away a socket that nobody answers. @return 0, -EADDRINUSE when somebody does, or -errno */
static int
remove_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, rc = 0;

	if (lstat(addr->sun_path, &st) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* EAGAIN: somebody listens, with a full backlog */
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 || errno == EAGAIN)
		rc = -EADDRINUSE;
	else if (errno != ECONNREFUSED)
		rc = -errno;
	close(fd);
	if (rc == 0 && unlink(addr->sun_path) != 0)
		rc = -errno;
	return rc;
}

/* @return what is wrong, or NULL */
static const char *
give_away(const struct mgmt_socket *s, const struct conf_cli *cli)
{
	const char *path = s->addr.sun_path;
	const struct group *g;

	if (cli->group[0] != '\0') {
		errno = 0;
		g = getgrnam(cli->group);
		if (!g)
			return errno != 0 ? strerror(errno) : "there is no such group";
		if (chown(path, (uid_t)-1, g->gr_gid) != 0)
			return strerror(errno);
	}
	return chmod(path, cli->mode) != 0 ? strerror(errno) : NULL;
}

/* bind() makes the file under this umask: until its group is right it is the owner's alone. */
static int
bind_socket(struct mgmt_socket *s)
{
	struct stat st;
	mode_t old = umask(0177);
	int rc = bind(s->fd, (const struct sockaddr *)&s->addr, sizeof(s->addr));

	if (rc != 0)
		rc = -errno;
	umask(old);
	if (rc == 0 && lstat(s->addr.sun_path, &st) == 0) {
		s->dev = st.st_dev;
		s->ino = st.st_ino;
	}
	return rc;
}

void
mgmt_socket_unlink(const struct mgmt_socket *s)
{
	struct stat st;

	if (s->ino != 0 && lstat(s->addr.sun_path, &st) == 0 && st.st_dev == s->dev &&
		st.st_ino == s->ino)
		unlink(s->addr.sun_path);
}

static const char *
open_error(int rc)
{
	if (rc == -EADDRINUSE)
		return "another koi answers there";
	if (rc == -EEXIST)
		return "exists and is not a socket";
	return strerror(-rc);
}

int
mgmt_socket_open(struct mgmt_socket *s, const char *path, const struct conf_cli *cli, char *err,
	unsigned int err_len)
{
	const char *wrong = NULL;
	int rc = -ENAMETOOLONG;

	*s = (struct mgmt_socket){.fd = -1, .addr.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(s->addr.sun_path))
		goto fail;
	snprintf(s->addr.sun_path, sizeof(s->addr.sun_path), "%s", path);
	rc = make_parents(s->addr.sun_path);
	if (rc == 0)
		rc = remove_stale(&s->addr);
	if (rc != 0)
		goto fail;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	rc = s->fd < 0 ? -errno : bind_socket(s);
	if (rc != 0)
		goto fail;
	wrong = give_away(s, cli);
	if (wrong)
		goto fail;
	if (listen(s->fd, MGMT_CLIENTS_MAX) == 0)
		return 0;
	rc = -errno;
fail:
	if (wrong && cli->group[0] != '\0')
		snprintf(err, err_len, "CLI socket %s: /cli/group \"%s\": %s", path, cli->group,
			wrong);
	else
		snprintf(err, err_len, "CLI socket %s: %s", path, wrong ? wrong : open_error(rc));
	mgmt_socket_unlink(s);
	if (s->fd >= 0)
		close(s->fd);
	return -1;
}
