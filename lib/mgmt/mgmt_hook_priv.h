/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_HOOK_PRIV_H
#define MGMT_HOOK_PRIV_H

#include <stdint.h>

#include "mgmt.h"

/**
 * @file
 * Hooks: a thread of koi's follows the events and sends changes of state, one at a time, to the
 * process that runs the hook and answers with how that went.
 */

/** A change of state, as it goes to the process; all texts end with a NUL. */
struct mgmt_hook_event {
	uint64_t seq;
	uint32_t vhid;
	char node[32], group[16], interface[16];
	char state[16], old_state[16];
	char reason[160], time[32];
};

enum mgmt_hook_end {
	MGMT_HOOK_EXITED,  /**< value: exit code */
	MGMT_HOOK_KILLED,  /**< value: signal that ended it */
	MGMT_HOOK_TIMEOUT, /**< was killed, with all that it had started */
	MGMT_HOOK_NOT_RUN, /**< value: errno of fork or exec */
};
struct mgmt_hook_result {
	uint64_t seq;
	enum mgmt_hook_end end;
	int32_t value;
};

/** How a hook is run. */
struct mgmt_hook_plan {
	char *const *argv;
	unsigned int timeout_ms;
};

/** The process' life: run the hook for each event until the other end closes. */
void mgmt_hook_serve(const struct mgmt_hook_plan *plan, int fd);

/** Changes of state that wait at most; the oldest give way. */
#define MGMT_HOOK_QUEUE 64

struct mgmt_hook_counts {
	uint64_t run, failed, timed_out, not_run, dropped;
	uint32_t waiting;
	uint64_t last_seq; /**< of the event whose hook ended last */
};

/** Follow events from now on. @param log_fd  where to tell failures. @return NULL without a hook */
struct mgmt_hooks *mgmt_hooks_start(const struct mgmt_config *c, int log_fd);
/** Hand over what waits, stop. */
void mgmt_hooks_stop(struct mgmt_hooks *h);
/** @thread any */
void mgmt_hooks_counts(struct mgmt_hooks *h, struct mgmt_hook_counts *out);

#endif
