/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Capabilities belong to threads, and EAL's threads exist by the time that koi needs them no more.
 * Each thread can change its own only, so each is sent a signal whose handler does that, as the C
 * library does it for setuid(). A thread made meanwhile inherits from one that has dropped already,
 * or is found by the next look at the list of threads.
 */
#include "privileges.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 512
#define WAIT_MS	    2000

#define BIT(capability) (UINT64_C(1) << (capability))

static uint64_t keep;
static uint32_t answered; /* atomic: threads that have dropped */
static int32_t failed;	  /* atomic: the last -errno, or 0 */

uint64_t
privileges_kept(bool physical)
{
	/* promiscuous mode, MTU, links and taps of the kernel's netdevs */
	uint64_t set = BIT(CAP_NET_ADMIN);

	/* packet sockets of a device that is started again */
	set |= BIT(CAP_NET_RAW);
	/* memory that a driver maps for DMA is locked */
	set |= BIT(CAP_IPC_LOCK);
	/* "rt-priority": each lcore sets its own when it starts */
	set |= BIT(CAP_SYS_NICE);
	/* the physical addresses of new memory, and the I/O ports of virtio's older devices */
	if (physical)
		set |= BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_RAWIO);
	return set;
}

/* In the handler of a signal: system calls only. @return 0 or -errno */
static int
drop_own(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) != 0)
		return -errno;
	/* without CAP_SETPCAP this is refused; then the set was bounded by whoever started us */
	for (unsigned int c = 0; c <= CAP_LAST_CAP; c++)
		if ((keep & BIT(c)) == 0)
			(void)prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
	for (unsigned int i = 0; i < 2; i++) {
		uint32_t word = (uint32_t)(keep >> (32 * i));

		data[i].permitted &= word;
		data[i].effective = data[i].permitted;
		data[i].inheritable &= data[i].permitted;
	}
	return syscall(SYS_capset, &header, data) == 0 ? 0 : -errno;
}

static void
on_signal(int sig)
{
	int saved = errno, ret = drop_own();

	(void)sig;
	if (ret != 0)
		__atomic_store_n(&failed, ret, __ATOMIC_RELAXED);
	__atomic_add_fetch(&answered, 1, __ATOMIC_RELEASE);
	errno = saved;
}

/** The other threads of the process. @return how many, or -errno */
static int
other_threads(pid_t *out)
{
	DIR *d = opendir("/proc/self/task");
	const struct dirent *e;
	int n = 0;

	if (d == NULL)
		return -errno;
	while ((e = readdir(d)) != NULL && n < THREADS_MAX) {
		pid_t tid = (pid_t)atoi(e->d_name);

		if (tid > 0 && tid != gettid())
			out[n++] = tid;
	}
	closedir(d);
	return n;
}

static bool
known(const pid_t *set, int n, pid_t tid)
{
	for (int i = 0; i < n; i++)
		if (set[i] == tid)
			return true;
	return false;
}

static int
wait_for(uint32_t n)
{
	const struct timespec ms = {.tv_nsec = 1000000};

	for (unsigned int i = 0; i < WAIT_MS; i++) {
		if (__atomic_load_n(&answered, __ATOMIC_ACQUIRE) >= n)
			return 0;
		nanosleep(&ms, NULL);
	}
	return -ETIMEDOUT;
}

/** Until a look at the list finds nobody new. */
static int
drop_others(int sig)
{
	static pid_t done[THREADS_MAX], found[THREADS_MAX];
	int n_done = 0, n;
	uint32_t sent = 0;
	bool new;

	do {
		new = false;
		n = other_threads(found);
		if (n < 0)
			return n;
		for (int i = 0; i < n; i++) {
			if (known(done, n_done, found[i]))
				continue;
			if (n_done == THREADS_MAX)
				return -E2BIG;
			done[n_done++] = found[i];
			/* one that has ended needs nothing */
			if (syscall(SYS_tgkill, getpid(), found[i], sig) != 0)
				continue;
			sent++;
			new = true;
		}
		int ret = wait_for(sent);

		if (ret != 0)
			return ret;
	} while (new);
	return 0;
}

int
privileges_drop(bool physical)
{
	const int sig = SIGRTMAX;
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, old;
	int ret;

	keep = privileges_kept(physical);
	answered = 0;
	failed = 0;
	if (sigaction(sig, &action, &old) != 0)
		return -errno;
	/* ours first: whoever we start from now on has no more */
	ret = drop_own();
	if (ret == 0)
		ret = drop_others(sig);
	sigaction(sig, &old, NULL);
	return ret != 0 ? ret : __atomic_load_n(&failed, __ATOMIC_RELAXED);
}
