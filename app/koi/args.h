/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef ARGS_H
#define ARGS_H

#include <stdbool.h>
#include <stdio.h>

/**
 * @file
 * The command line (design 4.1): koi [EAL options] -- [options], or koi [options].
 */

#define ARGS_CONFIG_DEFAULT "/etc/koi/koi.json"
#define ARGS_SOCKET_MAX	    107 /**< bytes of a Unix socket's path */

/** Exit codes of koi. */
enum args_exit {
	ARGS_EXIT_OK = 0,
	ARGS_EXIT_USAGE = 1, /**< usage or configuration */
	ARGS_EXIT_EAL = 2,   /**< EAL or device */
	ARGS_EXIT_INTERNAL = 3,
};

/** Everything points into argv. */
struct args {
	const char *program;
	int n_eal; /**< arguments before "--", the program's name not among them */
	char **eal;
	const char *config;
	const char *cli_socket; /**< NULL = the default */
	const char *state_dir;	/**< the same */
	const char *root;	/**< of --doctor: where /sys and /proc are; NULL = here */
	bool check, doctor, json, interactive, version, help;
};

/**
 * Take the command line apart.
 * @param err  one line per mistake, naming the option, and where to find help
 * @return 0, or -EINVAL when there was a mistake: exit with ARGS_EXIT_USAGE.
 */
int args_parse(int argc, char **argv, struct args *out, FILE *err);

/** The text of --help. */
void args_help(const struct args *a, FILE *to);

#endif
