/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * lab_watch: when did the machine itself stand still, or crawl?
 *
 *   lab_watch PRIORITY
 *
 * On each CPU a SCHED_FIFO thread of the given priority, above every other, wakes up each
 * millisecond. When it is late, nothing of that priority could run there: the hypervisor took
 * the CPU, or the kernel did not let go of it. Prints {"event":"ready"}, {"event":"pause"} for
 * each time that it was late by PAUSE_NS or more, with CLOCK_REALTIME in seconds. A hypervisor that
 * takes a CPU away in small slices makes nobody late, but everything slow: so each wake-up also
 * times some arithmetic, and prints {"event":"slow"} when that took SLOW_TIMES its shortest time.
 * On SIGINT or SIGTERM {"event":"summary"} with a histogram: late[i] counts wake-ups late by less
 * than limit[i] ms, the last one the rest.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S   1000000000LL
#define PERIOD_NS  1000000LL
#define PAUSE_NS   3000000LL /* about an interval of the fastest group */
#define CPU_MAX	   64
#define WORK	   1500 /* dependent multiplications, about 2 us */
#define SLOW_TIMES 16

static const double limit_ms[] = {0.1, 0.25, 0.5, 1, 2, 3.9, 7.8, 11.7};
#define N_LIMITS (sizeof(limit_ms) / sizeof(limit_ms[0]))

struct watch {
	pthread_t thread;
	unsigned int cpu;
	uint64_t late[N_LIMITS + 1];
	int64_t max_ns;
	int64_t paused_ns;
	int64_t fastest_ns;
	uint64_t slow;
};

static int priority;
static atomic_bool stopping;

static int64_t
clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void
note(struct watch *w, int64_t late)
{
	size_t i = 0;

	while (i < N_LIMITS && (double)late / 1e6 >= limit_ms[i])
		i++;
	w->late[i]++;
	if (late > w->max_ns)
		w->max_ns = late;
	if (late >= PAUSE_NS) {
		double to = (double)clock_ns(CLOCK_REALTIME) / 1e9;

		w->paused_ns += late;
		printf("{\"event\":\"pause\",\"cpu\":%u,\"from\":%.6f,\"to\":%.6f,\"ms\":%.3f}\n",
			w->cpu, to - (double)late / 1e9, to, (double)late / 1e6);
	}
}

/* Touches no memory and calls nobody: only the CPU's own speed counts. */
static void
speed_note(struct watch *w)
{
	static volatile uint64_t sink;
	int64_t from = clock_ns(CLOCK_MONOTONIC), took;
	uint64_t x = (uint64_t)from;

	for (int i = 0; i < WORK; i++)
		x = x * UINT64_C(6364136223846793005) + 1;
	sink = x;
	(void)sink;
	took = clock_ns(CLOCK_MONOTONIC) - from;
	if (w->fastest_ns == 0 || took < w->fastest_ns)
		w->fastest_ns = took;
	if (took < SLOW_TIMES * w->fastest_ns)
		return;
	w->slow++;
	printf("{\"event\":\"slow\",\"cpu\":%u,\"at\":%.6f,\"times\":%.1f}\n", w->cpu,
		(double)clock_ns(CLOCK_REALTIME) / 1e9, (double)took / (double)w->fastest_ns);
}

static void *
watch_main(void *arg)
{
	const struct sched_param param = {.sched_priority = priority};
	struct watch *w = arg;
	int64_t due;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(w->cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set) != 0 ||
		pthread_setschedparam(pthread_self(), SCHED_FIFO, &param) != 0) {
		fprintf(stderr, "lab_watch: no SCHED_FIFO %d on CPU %u\n", priority, w->cpu);
		exit(1);
	}
	(void)prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
	due = clock_ns(CLOCK_MONOTONIC);
	while (!atomic_load_explicit(&stopping, memory_order_relaxed)) {
		struct timespec ts;
		int64_t late;

		due += PERIOD_NS;
		ts = (struct timespec){.tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S};
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
			;
		late = clock_ns(CLOCK_MONOTONIC) - due;
		note(w, late);
		speed_note(w);
		/* A late one does not make the next ones late too. */
		due += late / PERIOD_NS * PERIOD_NS;
	}
	return NULL;
}

static void
summary(const struct watch *w, int n)
{
	uint64_t late[N_LIMITS + 1] = {0};
	int64_t max = 0, paused = 0;
	uint64_t slow = 0;

	for (int c = 0; c < n; c++) {
		for (size_t i = 0; i <= N_LIMITS; i++)
			late[i] += w[c].late[i];
		max = w[c].max_ns > max ? w[c].max_ns : max;
		paused += w[c].paused_ns;
		slow += w[c].slow;
	}
	printf("{\"event\":\"summary\",\"cpus\":%d,\"max_ms\":%.3f,\"paused_ms\":%.1f,\"slow\":%ju,"
	       "\"limit_ms\":[",
		n, (double)max / 1e6, (double)paused / 1e6, (uintmax_t)slow);
	for (size_t i = 0; i < N_LIMITS; i++)
		printf("%s%g", i ? "," : "", limit_ms[i]);
	printf("],\"late\":[");
	for (size_t i = 0; i <= N_LIMITS; i++)
		printf("%s%ju", i ? "," : "", (uintmax_t)late[i]);
	printf("]}\n");
}

int
main(int argc, char **argv)
{
	static struct watch w[CPU_MAX];
	cpu_set_t allowed;
	sigset_t set;
	int sig, n = 0;

	priority = argc == 2 ? atoi(argv[1]) : 0;
	if (priority < 1 || priority > 98) {
		fprintf(stderr, "usage: lab_watch PRIORITY (1 to 98)\n");
		return 2;
	}
	setlinebuf(stdout);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return 1;
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE && n < CPU_MAX; cpu++) {
		if (!CPU_ISSET(cpu, &allowed))
			continue;
		w[n].cpu = cpu;
		if (pthread_create(&w[n].thread, NULL, watch_main, &w[n]) != 0)
			return 1;
		n++;
	}
	printf("{\"event\":\"ready\"}\n");
	(void)sigwait(&set, &sig);
	atomic_store(&stopping, true);
	for (int c = 0; c < n; c++)
		pthread_join(w[c].thread, NULL);
	summary(w, n);
	return 0;
}
