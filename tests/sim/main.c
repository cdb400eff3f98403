/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * sim --seeds N [--first S] [--jobs J] [--scenario NAME] [--check NAME[,NAME...]] [--failures N]
 * sim --seed S [--scenario NAME] [--verbose]
 * sim --regress FILE
 * sim --list
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "commit.h"
#include "sim.h"

#define JOBS_MAX 64

struct options {
	uint64_t seeds, first;
	unsigned int jobs;
	uint64_t failures; /* stop after this many */
	int scenario;	   /* or -1: each seed's own */
	uint64_t checks;
	bool one, verbose;
	const char *regress;
};

static void
usage(void)
{
	fputs("usage: sim --seeds N [--first S] [--jobs J] [--scenario NAME] [--check NAME[,NAME]]\n"
	      "           [--failures N]\n"
	      "       sim --seed S [--scenario NAME] [--check NAME[,NAME]] [--verbose]\n"
	      "       sim --regress FILE\n"
	      "       sim --list\n",
		stderr);
	exit(2);
}

static void
list(void)
{
	static const char *const scenarios[] = {
#define SCENARIO(sym, name, weight, text) text,
#include "scenarios.def"
#undef SCENARIO
	};
	static const char *const checks[] = {
#define CHECK(sym, name, text) text,
#include "checks.def"
#undef CHECK
	};

	for (unsigned int i = 0; i < SCENARIO_COUNT; i++)
		printf("scenario %-14s %s\n", sim_scenario_name((enum scenario)i), scenarios[i]);
	for (unsigned int i = 0; i < CHECK_COUNT; i++)
		printf("check    %-14s %s\n", sim_check_name((enum check_id)i), checks[i]);
}

static int
scenario_by_name(const char *name)
{
	for (int i = 0; i < SCENARIO_COUNT; i++)
		if (strcmp(sim_scenario_name((enum scenario)i), name) == 0)
			return i;
	fprintf(stderr, "sim: no scenario is called %s; see --list\n", name);
	exit(2);
}

static uint64_t
checks_by_name(char *names)
{
	uint64_t bits = 0;
	char *save = NULL;

	for (char *name = strtok_r(names, ",", &save); name != NULL;
		name = strtok_r(NULL, ",", &save)) {
		unsigned int i = 0;

		while (i < CHECK_COUNT && strcmp(sim_check_name((enum check_id)i), name) != 0)
			i++;
		if (i == CHECK_COUNT) {
			fprintf(stderr, "sim: no check is called %s; see --list\n", name);
			exit(2);
		}
		bits |= UINT64_C(1) << i;
	}
	return bits;
}

static uint64_t
number(const char *text)
{
	char *end;

	errno = 0;
	uint64_t n = strtoull(text, &end, 0);

	if (errno != 0 || end == text || *end != '\0') {
		fprintf(stderr, "sim: %s is not a number\n", text);
		exit(2);
	}
	return n;
}

static bool
run_one(struct sim *s, uint64_t seed, int scenario)
{
	enum scenario c = scenario >= 0 ? (enum scenario)scenario : sim_scenario_of(seed);

	if (sim_run(s, seed, c))
		return true;
	printf("sim --seed 0x%" PRIx64 " --scenario %s: %s (%s)\n", seed, sim_scenario_name(c),
		s->failure, SIM_COMMIT);
	fflush(stdout);
	return false;
}

static void
worker(const struct options *o, unsigned int job, struct sim_stats *all)
{
	struct sim *s = sim_new();

	s->checks = o->checks;
	s->stats = &all[job];
	for (uint64_t i = job; i < o->seeds; i += o->jobs) {
		uint64_t failed = 0;

		for (unsigned int j = 0; j < o->jobs; j++)
			failed += __atomic_load_n(&all[j].failed, __ATOMIC_RELAXED);
		if (failed >= o->failures)
			break;
		(void)run_one(s, o->first + i, o->scenario);
	}
	sim_free(s);
}

static void
add(struct sim_stats *sum, const struct sim_stats *x)
{
	sum->seeds += x->seeds;
	sum->simulated_ns += x->simulated_ns;
	sum->events += x->events;
	sum->adverts += x->adverts;
	sum->heard += x->heard;
	sum->lost += x->lost;
	sum->takeovers += x->takeovers;
	sum->duels += x->duels;
	sum->forged += x->forged;
	sum->truncated += x->truncated;
	sum->foreign += x->foreign;
	sum->looped += x->looped;
	sum->replayed += x->replayed;
	sum->replays_accepted += x->replays_accepted;
	sum->good_refused += x->good_refused;
	sum->strict_collisions += x->strict_collisions;
	sum->stalls += x->stalls;
	sum->crashes += x->crashes;
	sum->partitions += x->partitions;
	sum->link_flaps += x->link_flaps;
	sum->operator_acts += x->operator_acts;
	sum->reloads += x->reloads;
	sum->stagings += x->stagings;
	sum->campaigns += x->campaigns;
	sum->clean += x->clean;
	sum->peers += x->peers;
	sum->failed += x->failed;
	for (unsigned int i = 0; i < 2; i++)
		sim_worst(&sum->overlap[i], &x->overlap[i]);
	sim_worst(&sum->gap, &x->gap);
}

static double
wall_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
print_worst(const char *what, const struct sim_worst *w)
{
	printf("  longest with %s: %.3f ms, bound there %.3f ms (seed 0x%" PRIx64 ")\n", what,
		(double)w->ns / 1e6, (double)w->bound_ns / 1e6, w->seed);
}

static void
summary(const struct sim_stats *t, double seconds)
{
	printf("%" PRIu64 " seeds, %" PRIu64 " failed, %.1f simulated hours, %" PRIu64
	       " events in %.1f s\n",
		t->seeds, t->failed, (double)t->simulated_ns / 3.6e12, t->events, seconds);
	printf("  adverts: %" PRIu64 " sent, %" PRIu64 " heard by koi, %" PRIu64
	       " lost or late on the way\n",
		t->adverts, t->heard, t->lost);
	printf("  faults: %" PRIu64 " stalls, %" PRIu64 " crashes and stops, %" PRIu64
	       " partitions, %" PRIu64 " link flaps, %" PRIu64 " acts of operators, %" PRIu64
	       " reloads\n",
		t->stalls, t->crashes, t->partitions, t->link_flaps, t->operator_acts, t->reloads);
	printf("  staged: %" PRIu64 " changes on %" PRIu64 " boxes, %" PRIu64
	       " of them with nothing that may part boxes\n",
		t->campaigns, t->stagings, t->clean);
	printf("  attacks: %" PRIu64 " forged, %" PRIu64 " cut short, %" PRIu64 " foreign, %" PRIu64
	       " looped back, %" PRIu64 " replayed of which %" PRIu64 " accepted\n",
		t->forged, t->truncated, t->foreign, t->looped, t->replayed, t->replays_accepted);
	printf("  %" PRIu64 " take-overs, %" PRIu64 " duels, %" PRIu64
	       " boxes of BSDs and ucarp, %" PRIu64
	       " of their adverts refused by the guard, %" PRIu64
	       " of strict koi for a counter of another\n",
		t->takeovers, t->duels, t->peers, t->good_refused, t->strict_collisions);
	print_worst("two masters on a whole network, koi only", &t->overlap[0]);
	print_worst("two masters on a whole network, mixed", &t->overlap[1]);
	print_worst("no master", &t->gap);
}

static int
run_many(const struct options *o)
{
	size_t size = o->jobs * sizeof(struct sim_stats);
	struct sim_stats sum = {0};
	struct sim_stats *all =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double began = wall_seconds();
	int status, result = 0;

	if (all == MAP_FAILED)
		abort();
	for (unsigned int j = 1; j < o->jobs; j++) {
		pid_t pid = fork();

		if (pid < 0)
			abort();
		if (pid == 0) {
			worker(o, j, all);
			_exit(0);
		}
	}
	worker(o, 0, all);
	while (wait(&status) > 0)
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			result = 1;
	for (unsigned int j = 0; j < o->jobs; j++)
		add(&sum, &all[j]);
	summary(&sum, wall_seconds() - began);
	munmap(all, size);
	return result != 0 || sum.failed != 0;
}

/* Each line: a seed, a scenario or "own", and what it was about. */
static int
run_regress(const struct options *o)
{
	FILE *file = fopen(o->regress, "r");
	struct sim_stats stats = {0};
	struct sim *s = sim_new();
	char line[256];

	if (file == NULL) {
		fprintf(stderr, "sim: %s: %s\n", o->regress, strerror(errno));
		exit(2);
	}
	s->stats = &stats;
	s->verbose = o->verbose;
	while (fgets(line, sizeof(line), file) != NULL) {
		char *save = NULL;
		char *seed = strtok_r(line, " \t\n", &save);
		char *scenario = strtok_r(NULL, " \t\n", &save);

		if (seed == NULL || seed[0] == '#')
			continue;
		(void)run_one(s, number(seed),
			scenario == NULL || strcmp(scenario, "own") == 0
				? -1
				: scenario_by_name(scenario));
	}
	fclose(file);
	sim_free(s);
	printf("%" PRIu64 " seeds that once failed, %" PRIu64 " fail\n", stats.seeds, stats.failed);
	return stats.failed != 0;
}

static int
run_seed(const struct options *o)
{
	struct sim_stats stats = {0};
	struct sim *s = sim_new();

	s->stats = &stats;
	s->checks = o->checks;
	s->verbose = o->verbose;
	bool good = run_one(s, o->first, o->scenario);

	if (good)
		printf("seed 0x%" PRIx64 ": %s, %.3f simulated seconds, nothing wrong\n", o->first,
			sim_scenario_name(s->scenario), (double)stats.simulated_ns / 1e9);
	sim_free(s);
	return !good;
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"seeds", required_argument, NULL, 'n'},
		{"seed", required_argument, NULL, 's'},
		{"first", required_argument, NULL, 'f'},
		{"jobs", required_argument, NULL, 'j'},
		{"scenario", required_argument, NULL, 'c'},
		{"check", required_argument, NULL, 'k'},
		{"failures", required_argument, NULL, 'x'},
		{"regress", required_argument, NULL, 'r'},
		{"verbose", no_argument, NULL, 'v'},
		{"list", no_argument, NULL, 'l'},
		{NULL, 0, NULL, 0},
	};
	struct options o = {.jobs = 2, .failures = 10, .scenario = -1, .checks = UINT64_MAX};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'n':
			o.seeds = number(optarg);
			break;
		case 's':
			o.one = true;
			o.first = number(optarg);
			break;
		case 'f':
			o.first = number(optarg);
			break;
		case 'j':
			o.jobs = (unsigned int)number(optarg);
			break;
		case 'c':
			o.scenario = scenario_by_name(optarg);
			break;
		case 'k':
			o.checks = checks_by_name(optarg);
			break;
		case 'x':
			o.failures = number(optarg);
			break;
		case 'r':
			o.regress = optarg;
			break;
		case 'v':
			o.verbose = true;
			break;
		case 'l':
			list();
			return 0;
		default:
			usage();
		}
	}
	if (optind != argc || o.jobs == 0 || o.jobs > JOBS_MAX ||
		(o.seeds == 0) == (!o.one && o.regress == NULL))
		usage();
	if (o.regress != NULL)
		return run_regress(&o);
	return o.one ? run_seed(&o) : run_many(&o);
}
