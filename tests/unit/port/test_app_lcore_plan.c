/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lcore_plan.h"

#define AUTO CONF_CPU_AUTO

/* A machine in one string: each CPU as its number's position, '-' not allowed, 'o' ordinary, 'i'
 * isolated; upper case: on NUMA node 1 instead of 0. After a slash the number
 * of cores: CPU n is on core n modulo that. */
static uint16_t
make_cpus(const char *text, struct lcore_cpu *out)
{
	const char *slash = strchr(text, '/');
	const uint16_t cores = slash != NULL ? (uint16_t)atoi(slash + 1) : 64;
	uint16_t n = 0;

	for (uint16_t cpu = 0; text[cpu] != '\0' && text[cpu] != '/'; cpu++) {
		if (text[cpu] == '-')
			continue;
		out[n++] = (struct lcore_cpu){
			.cpu = cpu,
			.core = cpu % cores,
			.node = text[cpu] == 'O' || text[cpu] == 'I',
			.isolated = text[cpu] == 'i' || text[cpu] == 'I',
		};
	}
	return n;
}

struct plan_case {
	const char *name;
	const char *cpus;
	struct conf_lcores conf;
	uint16_t n_devices;
	int device_node;
	const char *lcores; /* expected; NULL: refused */
	const char *says;   /* the error, or a warning */
};

static const struct plan_case plan_cases[] = {
	/* auto */
	{"1 CPU: all on it", "o", {.control = AUTO}, 2, -1, "(0-2)@(0)", NULL},
	{"2 CPUs: fewer than roles, so they float", "oo", {.control = AUTO}, 2, -1, "(0-2)@(0-1)",
		NULL},
	{"2 CPUs with a hole", "-o-o", {.control = AUTO}, 2, -1, "(0-2)@(1,3)", NULL},
	{"3 CPUs: one each", "ooo", {.control = AUTO}, 2, -1, "0@0,1@1,2@2", NULL},
	{"4 CPUs: two workers for two devices", "oooo", {.control = AUTO}, 2, -1, "0@0,1@1,2@2,3@3",
		NULL},
	{"4 CPUs, one device: one worker", "oooo", {.control = AUTO}, 1, -1, "0@0,1@1,2@2", NULL},
	{"many devices: what CPUs are left", "ooooo", {.control = AUTO}, 9, -1,
		"0@0,1@1,2@2,3@3,4@4", NULL},
	{"real-time priority floats as well", "oo", {.control = AUTO, .rt_priority = 40}, 2, -1,
		"(0-2)@(0-1)", NULL},
	{"isolated CPUs first, main outside", "ooii", {.control = AUTO}, 2, -1, "0@0,1@2,2@3",
		NULL},
	{"workers as many as isolated CPUs carry", "ooooiii", {.control = AUTO}, 4, -1,
		"0@0,1@4,2@5,3@6", NULL},
	{"one isolated CPU is control's", "oooi", {.control = AUTO}, 2, -1, "0@0,1@3,2@1,3@2",
		NULL},
	{"all isolated", "iiii", {.control = AUTO}, 2, -1, "0@0,1@1,2@2,3@3", NULL},
	{"2 isolated CPUs: the kernel would move nobody between them", "ii", {.control = AUTO}, 2,
		-1, "0@1,1@1,2@0", NULL},
	{"nor between an isolated one and another", "oi", {.control = AUTO}, 2, -1, "0@1,1@1,2@0",
		NULL},
	{"the devices' node", "ooooOOOO", {.control = AUTO}, 2, 1, "0@0,1@4,2@5,3@6", NULL},
	{"hyperthreads: each its own core", "oooooooo/4", {.control = AUTO}, 1, -1, "0@0,1@1,2@2",
		NULL},
	{"hyperthreads: cores before threads", "oooooooo/4", {.control = AUTO}, 4, -1,
		"0@0,1@1,2@2,3@3,4@4,5@5",
		"CPUs 1 and 5, control and worker, are hyperthreads of one core"},
	/* by number */
	{"all by number", "oooo", {.control = 1, .n_workers = 2, .workers = {2, 3}}, 2, -1,
		"0@0,1@1,2@2,3@3", NULL},
	{"one CPU, two roles", "oo", {.control = 1, .n_workers = 1, .workers = {1}}, 2, -1,
		"0@0,1@1,2@1", NULL},
	{"nothing left for main: beside control", "oo",
		{.control = 0, .n_workers = 1, .workers = {1}}, 2, -1, "0@0,1@0,2@1", NULL},
	{"control by number, workers not", "oooo", {.control = 3}, 2, -1, "0@0,1@3,2@1,3@2", NULL},
	{"workers by number, control not", "oooo",
		{.control = AUTO, .n_workers = 2, .workers = {2, 3}}, 2, -1, "0@0,1@1,2@2,3@3",
		NULL},
	{"control keeps off workers on isolated CPUs", "ooii",
		{.control = AUTO, .n_workers = 2, .workers = {2, 3}}, 2, -1, "0@0,1@1,2@2,3@3",
		NULL},
	{"control on a CPU that is not ours", "oo--", {.control = 3}, 2, -1, NULL,
		"lcores: control: CPU 3 is not one that koi may use (0-1)"},
	{"a worker on a CPU that is not ours", "oo-o",
		{.control = 0, .n_workers = 2, .workers = {1, 2}}, 2, -1, NULL,
		"lcores: workers: CPU 2 is not one that koi may use (0-1,3)"},
	{"no CPUs", "", {.control = AUTO}, 2, -1, NULL, "lcores: 0 CPUs to use, 1 to 1024"},
	/* poll */
	{"poll, 1 CPU", "o", {.control = AUTO, .idle = CONF_IDLE_POLL}, 2, -1, NULL,
		"lcores: \"idle\": \"poll\": control and worker would share a CPU"},
	{"poll, 2 CPUs: main visits control", "oo", {.control = AUTO, .idle = CONF_IDLE_POLL}, 2,
		-1, "0@1,1@1,2@0", "CPU 1: main and control share it"},
	{"poll, 3 CPUs", "ooo", {.control = AUTO, .idle = CONF_IDLE_POLL}, 2, -1, "0@0,1@1,2@2",
		NULL},
	{"poll, two workers on one CPU", "oooo",
		{.control = 1, .n_workers = 2, .workers = {2, 2}, .idle = CONF_IDLE_POLL}, 2, -1,
		NULL, "lcores: \"idle\": \"poll\": worker and worker would share a CPU"},
	{"adaptive, two workers on one CPU", "oooo",
		{.control = 1, .n_workers = 2, .workers = {2, 2}}, 2, -1, "0@0,1@1,2@2,3@2", NULL},
	{"poll and real-time beside main", "oo",
		{.control = AUTO, .idle = CONF_IDLE_POLL, .rt_priority = 40}, 2, -1, NULL,
		"\"poll\" with \"rt-priority\": main and control would share a CPU"},
	{"poll and real-time, each alone", "ooo",
		{.control = AUTO, .idle = CONF_IDLE_POLL, .rt_priority = 40}, 2, -1, "0@0,1@1,2@2",
		NULL},
};

static void
test_plan(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(plan_cases) / sizeof(plan_cases[0]); i++) {
		const struct plan_case *c = &plan_cases[i];
		struct lcore_cpu cpus[64];
		int nodes[16];
		struct lcore_machine m = {
			.n_cpus = make_cpus(c->cpus, cpus),
			.cpus = cpus,
			.n_devices = c->n_devices,
			.device_node = nodes,
		};
		struct lcore_plan plan;
		char err[256] = "";
		int ret;

		for (unsigned int k = 0; k < 16; k++)
			nodes[k] = c->device_node;
		ret = lcore_plan_make(&plan, &c->conf, &m, err, sizeof(err));
		if ((ret == 0) != (c->lcores != NULL))
			fail_msg("%s: returned %d: %s %s", c->name, ret, plan.lcores, err);
		if (ret != 0) {
			if (strstr(err, c->says) == NULL)
				fail_msg("%s: says %s", c->name, err);
			continue;
		}
		if (strcmp(plan.lcores, c->lcores) != 0)
			fail_msg("%s: %s, not %s", c->name, plan.lcores, c->lcores);
		assert_int_equal(plan.n, plan.n_workers + 2);
		assert_int_equal(plan.seat[0].role, LCORE_MAIN);
		assert_int_equal(plan.seat[1].role, LCORE_CONTROL);
		assert_int_equal(plan.control_lcore, 1);
		for (uint16_t w = 0; w < plan.n_workers; w++) {
			assert_int_equal(plan.seat[2 + w].role, LCORE_WORKER);
			assert_int_equal(plan.seat[2 + w].worker, w);
			assert_int_equal(plan.worker_lcore[w], 2 + w);
		}
		if (plan.n_warnings != (c->says != NULL) ||
			(c->says != NULL && strstr(plan.warning[0], c->says) == NULL))
			fail_msg("%s: %u warnings, %s", c->name, plan.n_warnings, plan.warning[0]);
	}
}

static void
test_seats_of_floating_lcores(void **state)
{
	const struct conf_lcores conf = {.control = AUTO};
	struct lcore_cpu cpus[4];
	struct lcore_machine m = {.cpus = cpus, .n_devices = 1};
	struct lcore_plan plan;
	char err[256];

	(void)state;
	m.n_cpus = make_cpus("oO", cpus);
	assert_int_equal(lcore_plan_make(&plan, &conf, &m, err, sizeof(err)), 0);
	assert_int_equal(plan.seat[2].cpu, LCORE_CPU_FLOAT);
	assert_int_equal(plan.seat[2].node, LCORE_NODE_ANY);
	m.n_cpus = make_cpus("OO", cpus);
	assert_int_equal(lcore_plan_make(&plan, &conf, &m, err, sizeof(err)), 0);
	assert_int_equal(plan.seat[2].node, 1);
}

static void
test_why(void **state)
{
	const struct conf_lcores automatic = {.control = AUTO};
	const struct conf_lcores given = {.control = 1, .n_workers = 1, .workers = {1}};
	const int node[] = {1, 1};
	struct lcore_cpu cpus[8];
	struct lcore_machine m = {.cpus = cpus, .n_devices = 2, .device_node = node};
	struct lcore_plan plan;
	char err[256];

	(void)state;
	m.n_cpus = make_cpus("ooOII", cpus);
	assert_int_equal(lcore_plan_make(&plan, &automatic, &m, err, sizeof(err)), 0);
	assert_string_equal(plan.seat[0].why, "nothing else of koi there");
	assert_string_equal(
		plan.seat[1].why, "isolated, the devices' NUMA node, nothing else of koi there");
	assert_string_equal(plan.seat[1].why, plan.seat[2].why);
	assert_int_equal(lcore_plan_make(&plan, &given, &m, err, sizeof(err)), 0);
	assert_string_equal(
		plan.seat[2].why, "as configured, not the devices' NUMA node, shares the CPU");
	m.n_cpus = make_cpus("oO", cpus);
	assert_int_equal(lcore_plan_make(&plan, &automatic, &m, err, sizeof(err)), 0);
	assert_string_equal(plan.seat[2].why, "2 CPUs for 3 lcores");
}

static void
test_numa_warning(void **state)
{
	const struct conf_lcores conf = {.control = 1, .n_workers = 2, .workers = {2, 3}};
	const char *const device[] = {"0000:03:00.0", "0000:83:00.0", "net_tap0"};
	const int node[] = {0, 1, LCORE_NODE_ANY};
	struct lcore_cpu cpus[4];
	struct lcore_machine m = {.cpus = cpus, .n_devices = 3};
	struct lcore_plan plan;
	char err[256];

	(void)state;
	m.n_cpus = make_cpus("oooO", cpus);
	assert_int_equal(lcore_plan_make(&plan, &conf, &m, err, sizeof(err)), 0);
	assert_int_equal(plan.n_warnings, 0);
	lcore_plan_check_numa(&plan, device, node, 3);
	assert_int_equal(plan.n_warnings, 2);
	assert_string_equal(plan.warning[0],
		"worker 0 on CPU 2, NUMA node 0, polls 0000:83:00.0 of node 1: each frame crosses nodes");
	assert_string_equal(plan.warning[1],
		"worker 1 on CPU 3, NUMA node 1, polls 0000:03:00.0 of node 0: each frame crosses nodes");
	for (unsigned int i = 0; i < 20; i++)
		lcore_plan_check_numa(&plan, device, node, 3);
	assert_int_equal(plan.n_warnings, LCORE_WARNING_MAX);
}

static void
test_adopt(void **state)
{
	const struct conf_lcores adaptive = {.control = AUTO};
	const struct conf_lcores poll = {.control = AUTO, .idle = CONF_IDLE_POLL};
	const struct lcore_given given[] = {{.lcore = 4, .cpu = 4}, {.lcore = 2, .cpu = 2},
		{.lcore = 7, .cpu = 7}, {.lcore = 9, .cpu = 9}};
	const struct lcore_given floating[] = {{.lcore = 0, .cpu = 0},
		{.lcore = 1, .cpu = LCORE_CPU_FLOAT}, {.lcore = 2, .cpu = 2}};
	struct lcore_plan plan;
	char err[256];

	(void)state;
	assert_int_equal(lcore_plan_adopt(&plan, &poll, given, 4, err, sizeof(err)), 0);
	assert_string_equal(plan.lcores, "");
	assert_int_equal(plan.seat[0].lcore, 4);
	assert_int_equal(plan.control_lcore, 2);
	assert_int_equal(plan.n_workers, 2);
	assert_int_equal(plan.worker_lcore[0], 7);
	assert_int_equal(plan.worker_lcore[1], 9);

	assert_int_not_equal(lcore_plan_adopt(&plan, &adaptive, given, 2, err, sizeof(err)), 0);
	assert_string_equal(err,
		"EAL was given 2 lcores; koi needs one for main, one for control and 1 to 16 for workers");
	assert_int_equal(lcore_plan_adopt(&plan, &adaptive, floating, 3, err, sizeof(err)), 0);
	assert_int_not_equal(lcore_plan_adopt(&plan, &poll, floating, 3, err, sizeof(err)), 0);
	assert_non_null(strstr(err, "control and worker would share CPUs"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_seats_of_floating_lcores),
		cmocka_unit_test(test_why),
		cmocka_unit_test(test_numa_warning),
		cmocka_unit_test(test_adopt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
