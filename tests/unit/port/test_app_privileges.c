/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Every thread of a process has what running koi needs, and nothing else. */
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "privileges.h"

#define THREADS 8

static uint32_t stop; /* atomic */
static pthread_barrier_t started;

static void *
spin(void *arg)
{
	volatile uint64_t turns = 0;

	(void)arg;
	pthread_barrier_wait(&started);
	while (__atomic_load_n(&stop, __ATOMIC_ACQUIRE) == 0) {
		if (turns++ % 2 == 0)
			usleep(100);
	}
	return NULL;
}

/** A set of a thread by its name in /proc/.../status. */
static uint64_t
set_of(const char *task, const char *name)
{
	char path[320], line[256];
	uint64_t set = UINT64_MAX;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%s/status", task);
	f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			set = strtoull(line + strlen(name), NULL, 16);
	if (f != NULL)
		fclose(f);
	return set;
}

/** In a child: 0 when all threads have exactly what is kept of what there was. */
static int
child(bool physical)
{
	uint64_t before, kept;
	char self[24];
	pthread_t t[THREADS];
	const struct dirent *e;
	int n = 0;
	DIR *d;

	snprintf(self, sizeof(self), "%d", (int)getpid());
	before = set_of(self, "CapPrm:");
	kept = privileges_kept(physical) & before;
	if (pthread_barrier_init(&started, NULL, THREADS + 1) != 0)
		return 2;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, spin, NULL) != 0)
			return 3;
	pthread_barrier_wait(&started);
	if (privileges_drop(physical) != 0)
		return 4;
	d = opendir("/proc/self/task");
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		if (set_of(e->d_name, "CapEff:") != kept || set_of(e->d_name, "CapPrm:") != kept)
			return 5;
		if (before >> 8 & 1 && (set_of(e->d_name, "CapBnd:") & ~kept) != 0)
			return 6;
	}
	closedir(d);
	if (n != THREADS + 1)
		return 7;
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	/* again is no mistake */
	return privileges_drop(physical) == 0 ? 0 : 8;
}

static void
every_thread_drops(void **state)
{
	(void)state;
	for (int physical = 0; physical < 2; physical++) {
		pid_t pid = fork();
		int status = 0;

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(child(physical != 0));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

/* Capability numbers of capabilities(7): what could undo the rest is never kept. */
static void
what_is_kept(void **state)
{
	const uint64_t dac_override = 1 << 1, setuid = 1 << 7, setpcap = 1 << 8;
	const uint64_t net_admin = 1 << 12, net_raw = 1 << 13, sys_admin = 1 << 21;

	(void)state;
	assert_int_equal(privileges_kept(false) & (dac_override | setuid | setpcap | sys_admin), 0);
	assert_int_equal(privileges_kept(false) & (net_admin | net_raw), net_admin | net_raw);
	assert_int_equal(privileges_kept(true) & sys_admin, sys_admin);
	assert_int_equal(privileges_kept(true) & (dac_override | setuid | setpcap), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_thread_drops),
		cmocka_unit_test(what_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
