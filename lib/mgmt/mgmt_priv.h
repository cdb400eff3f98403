/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_PRIV_H
#define MGMT_PRIV_H

#include <pthread.h>

#include "mgmt.h"

/** @file The parts that mgmt_start() puts together. */

struct mgmt_cli;
struct mgmt_server;
struct mgmt_log;

/**
 * Start a thread that takes no signals and is scheduled as an ordinary one, whatever main is.
 * @return 0 or an errno
 */
int mgmt_thread_start(pthread_t *t, const char *name, void *(*fn)(void *), void *arg);

/** @name The CLI socket. @{ */
#define MGMT_CLIENTS_MAX     16
#define MGMT_REQUEST_MAX     4096   /**< bytes of a framed request, newline not counted */
#define MGMT_SEND_TIMEOUT_MS 5000   /**< a client that reads nothing for so long is closed */
#define MGMT_SEND_RATE	     100000 /**< bytes a second: one that reads a reply more slowly, too */

/**
 * Open the socket and serve it. A client's first byte says what it is: '{' a program that sends
 * framed requests, anything else a person, who gets a prompt. When all places are taken, the person
 * that has been idle for the longest makes room; whose command runs is not idle.
 * @return NULL with err filled
 */
struct mgmt_server *mgmt_server_start(const struct mgmt_config *c, struct mgmt_cli *cli,
	unsigned int send_timeout_ms, char *err, unsigned int err_len);
void mgmt_server_stop(struct mgmt_server *s);
/** Wait until a client speaks or goes away: either ends what runs for it. @return whether it did */
bool mgmt_client_spoke(int fd, int timeout_ms);
/** @} */

/**
 * @name The configuration that runs: the file as it was loaded last.
 * Whoever looks at the conf of a mgmt_config, by a view or by itself, holds it meanwhile, and does
 * not wait for others then. A thread may hold it several times.
 * @{
 */
/** @param config  what everybody looks at; its conf is the one of the start */
struct mgmt_file *mgmt_file_new(struct mgmt_config *config);
void mgmt_file_free(struct mgmt_file *f);
const struct conf *mgmt_file_read(const struct mgmt_config *c);
void mgmt_file_read_end(const struct mgmt_config *c);
/**
 * Load, check and compare a file; apply it unless only the plan is wanted. Other addresses or
 * another password of a group that takes part are staged. Who calls does not hold the
 * configuration.
 * @param path  NULL: that of the start
 * @param flags  MGMT_FILE_*
 * @return whether it was, or could be, applied
 */
bool mgmt_file_load(const struct mgmt_config *c, const char *path, unsigned int flags, FILE *to);
#define MGMT_FILE_PLAN 1u /**< only say what it would do */
#define MGMT_FILE_NOW  2u /**< stage nothing */
/**
 * Write what commands changed into a file: into that of the start with path NULL, which koi then
 * runs on. Says what became of it.
 * @return false: refused, and nothing was changed
 */
bool mgmt_file_save(const struct mgmt_config *c, const char *path, FILE *to);
/**
 * The part of it that writes (mgmt_save.c).
 * @param source  the file that koi runs on
 * @param next  what the written file is read as; NULL: refused, or nothing had changed
 * @return false: refused
 */
bool mgmt_save(const struct mgmt_config *c, const char *source, const char *path, FILE *to,
	struct conf **next);
/** @} */

/** @name The event log. @{ */
/** Write events to fd from now on, those that happened before mgmt included. */
struct mgmt_log *mgmt_log_start(const struct mgmt_config *c, int fd);
/** Write what remains, stop. */
void mgmt_log_stop(struct mgmt_log *l);
/** @} */

#endif
