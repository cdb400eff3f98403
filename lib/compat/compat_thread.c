/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "compat_thread.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef COMPAT_HAVE_CTRL_THREAD
#include <rte_lcore.h>
#else
#include <rte_thread.h>
#endif

#define REALTIME_MAX 98

int
compat_thread_realtime_set(uint8_t priority)
{
	const struct sched_param param = {.sched_priority = priority};

	if (priority == 0 || priority > REALTIME_MAX)
		return -EINVAL;
	return -pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
}

int
compat_thread_realtime_clear(void)
{
	const struct sched_param param = {.sched_priority = 0};

	return -pthread_setschedparam(pthread_self(), SCHED_OTHER, &param);
}

int
compat_thread_nice_set(int nice)
{
	const id_t self = (id_t)gettid();
	int was = getpriority(PRIO_PROCESS, self);

	/* of one thread, as Linux has it */
	(void)setpriority(PRIO_PROCESS, self, nice);
	return was;
}

int
compat_thread_timer_slack_set(uint64_t slack_ns)
{
	/* 0 would mean "back to the default". */
	if (slack_ns == 0 || slack_ns > UINT32_MAX)
		return -EINVAL;
	return prctl(PR_SET_TIMERSLACK, (unsigned long)slack_ns, 0, 0, 0) == 0 ? 0 : -errno;
}

#ifdef COMPAT_HAVE_CTRL_THREAD
/* Until 23.07. */
static void *
thread_main(void *arg)
{
	struct compat_thread *t = arg;

	t->run(t->arg);
	return NULL;
}

int
compat_thread_start(struct compat_thread *t, const char *name, void (*run)(void *), void *arg)
{
	pthread_t id;
	int ret;

	t->run = run;
	t->arg = arg;
	ret = rte_ctrl_thread_create(&id, name, NULL, thread_main, t);
	if (ret == 0)
		t->id = (uintptr_t)id;
	return ret;
}

int
compat_thread_join(struct compat_thread *t)
{
	return -pthread_join((pthread_t)t->id, NULL);
}
#else
static uint32_t
thread_main(void *arg)
{
	struct compat_thread *t = arg;

	t->run(t->arg);
	return 0;
}

int
compat_thread_start(struct compat_thread *t, const char *name, void (*run)(void *), void *arg)
{
	rte_thread_t id;
	int ret;

	t->run = run;
	t->arg = arg;
	ret = rte_thread_create_control(&id, name, thread_main, t);
	if (ret == 0)
		t->id = id.opaque_id;
	return ret < 0 ? ret : -ret;
}

int
compat_thread_join(struct compat_thread *t)
{
	return -rte_thread_join((rte_thread_t){.opaque_id = t->id}, NULL);
}
#endif
