/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_pace_priv.h"

#include <poll.h>
#include <stdatomic.h>
#include <time.h>

#include "base_clock.h"
#include "base_time.h"
#include "compat_thread.h"

/* Each ns of CPU costs so many of waiting: together clients have a fifth of one CPU. */
#define COST 5
/* So much may be owed before anybody waits: 100 ms of work at once, after a pause. */
#define BURST_NS (500 * BASE_NS_PER_MS)
/* Nobody waits longer at a time, whatever the others have ordered. */
#define WAIT_MAX_NS BASE_NS_PER_S

static atomic_ullong due; /* when all that was spent so far is paid for */
static atomic_ullong counts[MGMT_CLIENT_COUNTS];

void
mgmt_client_count(enum mgmt_client_count what)
{
	atomic_fetch_add_explicit(&counts[what], 1, memory_order_relaxed);
}

uint64_t
mgmt_client_counted(enum mgmt_client_count what)
{
	return atomic_load_explicit(&counts[what], memory_order_relaxed);
}

base_ns_t
mgmt_pace_owe(base_ns_t spent, base_ns_t now)
{
	unsigned long long was = atomic_load(&due), next;

	do {
		next = (was + BURST_NS > now ? was : now - BURST_NS) + COST * spent;
	} while (!atomic_compare_exchange_weak(&due, &was, next));
	if (next <= now)
		return 0;
	return next - now < WAIT_MAX_NS ? next - now : WAIT_MAX_NS;
}

/* Charge what the thread has used since the last time. @return how long to wait */
static base_ns_t
charge(void)
{
	static _Thread_local base_ns_t used;
	const base_ns_t cpu = base_clock_ns(CLOCK_THREAD_CPUTIME_ID), spent = cpu - used;

	used = cpu;
	return mgmt_pace_owe(spent, base_clock_ns(CLOCK_MONOTONIC));
}

void
mgmt_pace_spent(void)
{
	(void)charge();
}

void
mgmt_pace(int stop_fd)
{
	static _Thread_local bool known;
	struct pollfd p = {.fd = stop_fd, .events = POLLIN}; /* -1 is passed over */
	struct timespec left;
	base_ns_t wait;

	if (!known)
		(void)compat_thread_nice_set(COMPAT_NICE);
	known = true;
	wait = charge();
	if (wait == 0)
		return;
	mgmt_client_count(MGMT_CLIENT_PACED);
	left = (struct timespec){
		.tv_sec = (time_t)(wait / BASE_NS_PER_S),
		.tv_nsec = (long)(wait % BASE_NS_PER_S),
	};
	ppoll(&p, 1, &left, NULL);
}
