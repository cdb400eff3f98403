/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_SOCKET_PRIV_H
#define MGMT_SOCKET_PRIV_H

#include <sys/types.h>
#include <sys/un.h>

struct conf_cli;

/** @file The file of the command line's socket. @thread main */

struct mgmt_socket {
	int fd; /**< listens */
	struct sockaddr_un addr;
	dev_t dev; /**< of our file, so that nobody else's is taken away */
	ino_t ino;
};

/**
 * Make the missing folders above it (its own mode guards it, they may be passed through), take away
 * a file that nobody answers, listen, with mode and group of the configuration.
 * @param err  what is wrong, on failure, which leaves nothing behind
 * @return 0 or -1
 */
int mgmt_socket_open(struct mgmt_socket *s, const char *path, const struct conf_cli *cli, char *err,
	unsigned int err_len);
/** Take the file away, if it is ours still. */
void mgmt_socket_unlink(const struct mgmt_socket *s);

#endif
