/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef COMPAT_THREAD_H
#define COMPAT_THREAD_H

#include <stdint.h>

/**
 * @file
 * How the calling thread is scheduled. Not DPDK's affair, but as dependent on the platform
 * as what stands beside it.
 */

/**
 * Run the calling thread under SCHED_FIFO.
 * @param priority  1..98: 99 is left to the kernel's own threads
 * @return 0; -EINVAL priority out of range; -EPERM without CAP_SYS_NICE (or the rlimit)
 * @thread the one concerned; only for threads that sleep: a FIFO thread that never does is
 *         stopped by the kernel for 50 ms in each second (sched_rt_runtime_us)
 */
int compat_thread_realtime_set(uint8_t priority);

/**
 * Back to the ordinary scheduler. The main lcore does so before it waits for lcores by
 * rte_eal_wait_lcore(), which is a busy loop: at a higher FIFO priority on their CPU it would
 * never let them finish.
 * @return 0 or -errno
 */
int compat_thread_realtime_clear(void);

/** For threads that may need much of a CPU: an lcore that shares it gets ten times as much. */
#define COMPAT_NICE 10
/** Have the calling thread, and no other one, be so nice. @return how nice it was */
int compat_thread_nice_set(int nice);

/**
 * How late the kernel may end a sleep of the calling thread, to merge wake-ups. Linux's default
 * of 50 us would double the shortest sleep of an adaptive lcore. Without effect under SCHED_FIFO,
 * which has no slack.
 * @param slack_ns  at least 1
 * @return 0 or -errno
 */
int compat_thread_timer_slack_set(uint64_t slack_ns);

/** A thread that is no lcore. */
struct compat_thread {
	uintptr_t id;
	void (*run)(void *arg); /**< private */
	void *arg;		/**< private */
};

/**
 * Start a thread on the CPUs that no lcore uses (where there are none, on the main lcore's), after
 * EAL init.
 * @param t     lives until compat_thread_join()
 * @param name  at most 15 bytes
 * @return 0 or -errno
 */
int compat_thread_start(struct compat_thread *t, const char *name, void (*run)(void *), void *arg);

/** Wait for its end. @return 0 or -errno */
int compat_thread_join(struct compat_thread *t);

#endif
