/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_H
#define MGMT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * @file
 * Management: CLI on stdin and on a Unix socket, telemetry, event log. Reads published views, posts
 * requests to the control lcore, owns nothing of the election.
 */

struct conf;
struct conf_hop;
struct conf_route;
struct ctl;
struct dp;
struct fib_builder;
struct fib_nh;
struct fib_route;
struct fib_nbr_table;
struct fib_replaced;
struct host;
struct port_set;
struct mgmt_marks;

struct mgmt_lcore {
	const char *role; /**< "main", "control", "worker 0", … */
	unsigned int lcore_id;
	int cpu; /**< CPU asked for; -1 = any */
	int numa_node;
	const char *note; /**< why there, and what is wrong with it */
};

/**
 * How another configuration is applied, by who put all parts together. Management plans first, and
 * then sees to it that everybody looks at either the one or the other.
 */
struct mgmt_load;
struct mgmt_loader {
	void *arg;
	/** What would become of routes. @return 0, or -1 with err filled */
	int (*plan)(void *arg, const struct conf *next, struct fib_replaced *routes, char *err,
		unsigned int err_len);
	/**
	 * Make ready whatever may fail.
	 * @param next  aligned to now; both are there until end()
	 * @return NULL with err filled, and nothing was changed
	 */
	struct mgmt_load *(*begin)(void *arg, const struct conf *now, const struct conf *next,
		struct fib_replaced *routes, char *err, unsigned int err_len);
	/** Change over; nobody looks at a configuration meanwhile. @return 0, or not: err filled */
	int (*apply)(void *arg, struct mgmt_load *l, char *err, unsigned int err_len);
	/** Free what is not used any more; put back what begin() changed, if it was not applied. */
	void (*end)(void *arg, struct mgmt_load *l, bool applied);
};

struct mgmt_hooks;
struct mgmt_capture;

/** The process that runs hooks, for mgmt_start(). */
struct mgmt_hook_process {
	int pid; /**< 0: there is none */
	int fd;	 /**< our end of the socket to it; -1: there is none */
};

/**
 * Fork the process that runs the hook of "on-change", as an unprivileged user and with none of our
 * descriptors and secrets: see docs/monitoring.md. Does nothing where no hook is configured.
 * @param err  reason on failure, e.g. that the user is not known
 * @return 0 or -1. @thread main, before any other thread and before EAL
 */
int mgmt_hook_fork(
	const struct conf *conf, struct mgmt_hook_process *p, char *err, unsigned int err_len);
/** Let it finish what it was given, for at most 2 s, then leave it to itself. */
void mgmt_hook_end(struct mgmt_hook_process *p);
struct mgmt_file;

struct mgmt_config {
	const struct conf *conf;
	struct ctl *ctl;
	struct dp *dp;
	struct fib_builder *routes;
	struct mgmt_file *file; /**< made by mgmt_start() */
	const struct mgmt_loader *loader;
	const struct fib_nbr_table *nbr;
	struct port_set *ports;
	const struct host *host; /**< NULL: no interface has a host path */
	const uint16_t *if_port; /**< index into the port set of each interface of conf */
	const struct mgmt_lcore *lcores;
	uint16_t n_lcores;
	uint64_t tsc_hz;	      /**< cycles that lcores are shown to have spent, per second */
	struct mgmt_marks *marks;     /**< of mgmt_start() itself */
	const char *cli_socket;	      /**< path */
	const char *drained_path;     /**< file whose presence makes koi start drained */
	int hook_fd;		      /**< of mgmt_hook_fork(); -1: no hooks */
	struct mgmt_hooks *hooks;     /**< set by mgmt_start() */
	struct mgmt_capture *capture; /**< of mgmt_start() itself */
	bool syslog_prefix;	      /**< log lines start with <N>, as systemd reads them */
	void (*on_quit)(void *arg);   /**< the operator typed quit on stdin */
	void *arg;
};

struct mgmt;

/**
 * Register telemetry, open the CLI socket, start the threads for clients and for the event log.
 * A stale socket that nobody answers is unlinked; a live one is an error.
 * @param err  reason on failure
 * @return NULL on failure. @thread main, after the lcores run
 */
struct mgmt *mgmt_start(const struct mgmt_config *config, char *err, unsigned int err_len);

/**
 * Apply a configuration file, all of it or nothing: SIGHUP, or "reload". What was done, or all that
 * is wrong, is written to `to`.
 * @param path  NULL: the file that koi was started with
 * @return whether it was applied @thread any that may wait
 */
bool mgmt_reload(struct mgmt *m, const char *path, FILE *to);

/**
 * The route to build of one of a configuration.
 * @param paths  room for its next hops, CONF_HOPS_MAX, where it has several
 */
void mgmt_route_make(const struct conf_route *r, struct fib_nh *paths, struct fib_route *out);

/** Run the CLI on stdin until quit, EOF or mgmt_interrupt(). @thread any, one at a time */
void mgmt_interactive(struct mgmt *m);

/** Make mgmt_interactive() put the terminal back and return. @thread any, also a signal handler */
void mgmt_interrupt(struct mgmt *m);

/** Close clients and socket, write the remaining events, stop the threads, free. @thread main */
void mgmt_stop(struct mgmt *m);

#endif
