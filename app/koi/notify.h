/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include "base_time.h"

/**
 * @file
 * What koi tells the service manager that started it (sd_notify(3), a datagram per message):
 * READY=1 when everything runs, WATCHDOG=1 while the control lcore turns, STATUS= with the roles,
 * RELOADING=1 until the next READY=1, STOPPING=1. A manager with a full socket gets the last three,
 * and a changed STATUS=, when it has room again. Without NOTIFY_SOCKET in the environment all of it
 * does nothing.
 * @thread main
 */

/** What the control lcore published last. */
struct notify_state {
	base_ns_t beat; /**< when; a control lcore that stands still leaves it as it is */
	uint16_t masters, backups, inits;
	uint32_t demotion;
};

struct notify {
	int fd; /**< -1: nobody is told */
	struct sockaddr_un addr;
	unsigned int addr_len;
	base_ns_t every; /**< the watchdog is fed so often; 0 = it is not asked for */
	base_ns_t fed_at, fed_beat;
	bool ready;
	struct notify_state told;
	/** @name What the manager has had no room for yet, told in this order. @{ */
	long long reloading_usec; /**< 0: nothing */
	bool owes_ready, owes_stopping;
	/** @} */
};

/**
 * Read the environment and take what is for us out of it, as children are not the service.
 * @return 0, or -errno when the socket cannot be had; n is good for the other calls all the same
 */
int notify_open(struct notify *n);
/** Everything runs, or does again after notify_reloading(). */
void notify_ready(struct notify *n, base_ns_t now, const struct notify_state *s);
/**
 * Call this often: feeds the watchdog if the control lcore has published since it was fed last, and
 * tells changed roles.
 */
void notify_turn(struct notify *n, base_ns_t now, const struct notify_state *s);
/** Another configuration is being applied; notify_ready() says that it is, or was refused. */
void notify_reloading(struct notify *n);
/** The end begins; once is enough, more do no harm. */
void notify_stopping(struct notify *n);
void notify_close(struct notify *n);

#endif
