/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef WIRE_UP_H
#define WIRE_UP_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "ctl.h"
#include "lcore_plan.h"

/** @file Everything that runs, in the order in which it is made. */

struct wire_up;

struct wire_up_config {
	const struct conf *conf;
	const struct lcore_plan *plan;
	const char *cli_socket;
	const char *drained_path; /**< when this file exists, start drained */
	int hook_fd;		  /**< of mgmt_hook_fork(); -1: no hooks */
	bool syslog_prefix;
	/** The operator typed quit at the interactive prompt. @thread the prompt's */
	void (*on_quit)(void *arg);
	void *arg;
};

/**
 * Devices, tables, data plane, control lcore, management: all started, or nothing.
 * @param err  the reason on failure
 * @return NULL on failure. @thread main, after EAL init
 */
struct wire_up *wire_up_start(const struct wire_up_config *config, char *err, unsigned int err_len);

/** Run the prompt on stdin until quit or end of input. @thread any one */
void wire_up_prompt(struct wire_up *w);
/** Make wire_up_prompt() put the terminal back and return. @thread any */
void wire_up_prompt_end(struct wire_up *w);

/** Apply the file that koi was started with, as it is now; says on stderr what came of it. */
void wire_up_reload(struct wire_up *w);

/** Bow out and hand over; wire_up_finished() turns true when that is done. @thread any */
void wire_up_shutdown(struct wire_up *w);
bool wire_up_finished(const struct wire_up *w);

/** What the control lcore published last. @thread any */
void wire_up_view(const struct wire_up *w, struct ctl_box_view *out);

/** Undo everything backwards. @thread main, once finished */
void wire_up_stop(struct wire_up *w);

#endif
