/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_PING_PRIV_H
#define MGMT_PING_PRIV_H

#include <stdbool.h>

#include <jansson.h>

#include "ctl_ping.h"
#include "mgmt_view_priv.h"

/** @file Ping and traceroute as commands: a run of the control lcore, shown line by line. */

struct mgmt_session;

/** A run that a client asked for. */
struct mgmt_ping {
	bool on; /**< it was begun: who serves the session shows it after the command */
	int run;
	struct ctl_ping_ask ask;
	struct base_addr src;
};

/** Check what was asked for and begin it; or say why not. */
void mgmt_ping_begin(struct mgmt_session *s, const struct mgmt_args *a, bool trace);

/** Where lines go: text with its newline, or an object, of which a reference passes. */
struct mgmt_ping_sink {
	bool json;
	/** @return false: the client is gone */
	bool (*text)(void *arg, const char *text);
	bool (*object)(void *arg, json_t *o);
	void *arg;
};
/**
 * Show it until it is over, or the client speaks or goes away, and forget it.
 * @param last  what is left to say, in the session's text or view; its status is set
 * @return false: the client is gone
 * @thread the client's
 */
bool mgmt_ping_run(struct mgmt_session *s, int fd, const struct mgmt_ping_sink *sink);

/** @name What lines look like (mgmt_ping_text.c). @{ */
/** A line of a ping, with its newline. */
void mgmt_ping_line_text(const struct mgmt_config *c, const struct mgmt_ping *p,
	const struct ctl_ping_line *line, char *buf, size_t len);
json_t *mgmt_ping_line_json(const struct mgmt_config *c, const struct ctl_ping_line *line);
/** What a probe of a traceroute found, behind the hop's number: " 192.0.2.1 0.3 ms". */
void mgmt_trace_probe_text(const struct mgmt_config *c, const struct ctl_ping_line *line,
	const struct base_addr *before, char *buf, size_t len);
void mgmt_ping_sum_text(const struct ctl_probe_sum *sum, uint32_t missed, char *buf, size_t len);
json_t *mgmt_ping_sum_json(const struct ctl_probe_sum *sum, uint32_t missed);
/** @} */

#endif
