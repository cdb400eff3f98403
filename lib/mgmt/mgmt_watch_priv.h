/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_WATCH_PRIV_H
#define MGMT_WATCH_PRIV_H

#include "mgmt_view_priv.h"

/** @file The event stream of the CLI socket. */

/** What a client asked to see. */
struct mgmt_watch {
	bool on; /**< the command was given: the stream begins after its reply */
	bool has_group, has_after;
	uint16_t group;
	uint64_t after; /**< events with a higher seq; else those from now on */
};

/** Watchers at once: others find a place on the socket still. */
#define MGMT_WATCHERS_MAX 8

/**
 * Write events to a client as they happen, until it speaks, goes away, or did not read for
 * timeout_ms.
 * Lines beside events: "hello" first, "lost" for events that are not kept any more, "cut_off" last.
 * @param fd  a Unix stream socket
 * @thread the client's
 */
void mgmt_watch_run(const struct mgmt_config *c, const struct mgmt_watch *what, int fd,
	unsigned int timeout_ms);

#endif
