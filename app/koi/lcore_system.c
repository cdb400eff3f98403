/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <ctype.h>
#include <errno.h>
#include <numa.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lcore_plan.h"

/* A list such as "2-5,8"; an empty file is an empty set. */
static void
read_cpu_list(const char *path, cpu_set_t *set)
{
	char line[4096];
	FILE *f = fopen(path, "re");
	char *at = line;

	CPU_ZERO(set);
	if (f == NULL)
		return;
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	fclose(f);
	while (isdigit((unsigned char)*at)) {
		unsigned long first = strtoul(at, &at, 10), last = first;

		if (*at == '-')
			last = strtoul(at + 1, &at, 10);
		for (; first <= last && first < LCORE_CPU_MAX; first++)
			CPU_SET(first, set);
		if (*at == ',')
			at++;
	}
}

/*
 * isolcpus takes CPUs out of every process's affinity, so the admin who set them aside for koi
 * would not find them used. They count as ours where the rest of the affinity is untouched (all
 * that the cpuset has, less the isolated ones): a taskset or CPUAffinity= that says otherwise is
 * obeyed.
 */
static void
add_isolated(cpu_set_t *allowed, const cpu_set_t *isolated)
{
	cpu_set_t all, ours, untouched;

	memset(&all, 0xff, sizeof(all));
	/* The kernel cuts what we ask for to what our cpuset has. */
	if (sched_setaffinity(0, sizeof(all), &all) != 0)
		return;
	if (sched_getaffinity(0, sizeof(ours), &ours) == 0) {
		CPU_AND(&untouched, &ours, isolated);
		CPU_XOR(&untouched, &ours, &untouched);
		if (CPU_EQUAL(&untouched, allowed)) {
			sched_setaffinity(0, sizeof(*allowed), allowed);
			*allowed = ours;
			return;
		}
	}
	sched_setaffinity(0, sizeof(*allowed), allowed);
}

/* The lowest CPU among the hyperthreads of one core. */
static uint16_t
core_of(uint16_t cpu)
{
	char path[96];
	cpu_set_t siblings;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list",
		cpu);
	read_cpu_list(path, &siblings);
	for (uint16_t i = 0; i < cpu; i++) {
		if (CPU_ISSET(i, &siblings))
			return i;
	}
	return cpu;
}

int
lcore_system_cpus(struct lcore_cpu out[LCORE_CPU_MAX])
{
	const bool has_numa = numa_available() >= 0;
	cpu_set_t allowed, isolated;
	int n = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return -errno;
	read_cpu_list("/sys/devices/system/cpu/isolated", &isolated);
	if (CPU_COUNT(&isolated) > 0)
		add_isolated(&allowed, &isolated);
	for (uint16_t cpu = 0; cpu < LCORE_CPU_MAX; cpu++) {
		if (!CPU_ISSET(cpu, &allowed))
			continue;
		out[n++] = (struct lcore_cpu){
			.cpu = cpu,
			.core = core_of(cpu),
			.node = has_numa ? numa_node_of_cpu(cpu) : LCORE_NODE_ANY,
			.isolated = CPU_ISSET(cpu, &isolated),
		};
	}
	return n;
}

int
lcore_system_device_node(const char *device)
{
	char path[160];
	int node = LCORE_NODE_ANY;
	FILE *f;

	/* The names of virtual devices have no dot, and no device has a slash. */
	if (strchr(device, '/') != NULL || strchr(device, '.') == NULL)
		return LCORE_NODE_ANY;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/numa_node", device);
	f = fopen(path, "re");
	if (f == NULL)
		return LCORE_NODE_ANY;
	if (fscanf(f, "%d", &node) != 1 || node < 0)
		node = LCORE_NODE_ANY;
	fclose(f);
	return node;
}
