/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_SESSION_H
#define MGMT_SESSION_H

#include "mgmt_cli_priv.h"

/** @file The session of an operator at the fake box, for tests of commands. */

extern struct mgmt_session session;

/** @name Box and session as fixtures of a test. @{ */
int session_before(void **state);
int session_after(void **state);
/** @} */

/** @name The same with a configuration file that can be reloaded. @{ */
int session_file_before(void **state);
int session_file_after(void **state);
/** @} */

/** Run a command, whose status is to be this. @return what it said */
const char *session_say(const char *line, enum mgmt_cli_status status);
/** Run a command on a file with this text. @return what it said; after session_file_before() */
const char *session_reload(const char *command, const char *text, enum mgmt_cli_status status);
/** Run a command, whose text and status are to be these. */
void session_run(const char *line, enum mgmt_cli_status status, const char *text);

#endif
