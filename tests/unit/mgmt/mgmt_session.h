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

/** Run a command, whose text and status are to be these. */
void session_run(const char *line, enum mgmt_cli_status status, const char *text);

#endif
