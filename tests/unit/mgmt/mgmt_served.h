/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_SERVED_H
#define MGMT_SERVED_H

#include <jansson.h>

/** @file The CLI socket of the fake box, served, and clients of it or of another socket. */

/** A wait for an answer that should come at once; only a failure takes so long. */
#define SERVED_DEADLINE_MS 20000

extern char served_dir[]; /**< a test may put more in it, and takes that away */
extern char served_path[108];
extern struct mgmt_server *served; /**< a test may stop it, and set another one or NULL */

/** @name Fixtures: the fake box with its socket served. @{ */
int served_before(void **state);
int served_after(void **state);
/** @} */

/** As mgmt_server_start(), for the fake box. */
struct mgmt_server *served_start(unsigned int send_timeout_ms, char *err, unsigned int err_len);
/** @return a connection */
int served_dial(void);
/** Leave a socket there that nobody answers; the server is stopped. */
void served_stale(void);
void served_say(int fd, const char *text);
/**
 * Read until the text ends with tail.
 * @param tail  "": all, until the end of the stream
 * @return to be freed
 */
char *served_hear(int fd, const char *tail);
/** A framed request. @return its reply, to be released */
json_t *served_ask(int fd, const char *request);
void served_expect(int fd, const char *request, int status, const char *output);

#endif
