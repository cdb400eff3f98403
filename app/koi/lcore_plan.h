/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef LCORE_PLAN_H
#define LCORE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"

/**
 * @file
 * Which lcore does what on which CPU: computed by pure functions from the configuration and from
 * what the machine is like, carried out by main().
 */

#define LCORE_CPU_MAX	  1024
#define LCORE_NODE_ANY	  (-1) /**< NUMA node unknown */
#define LCORE_CPU_FLOAT	  (-1) /**< not bound to one CPU */
#define LCORE_ROLE_MAX	  (2 + CONF_WORKER_MAX)
#define LCORE_WARNING_MAX 16

struct lcore_cpu {
	uint16_t cpu;
	uint16_t core; /**< the lowest CPU of the same physical core: itself without SMT */
	int node;
	bool isolated; /**< the kernel's scheduler puts nothing there by itself (isolcpus) */
};

enum lcore_role { LCORE_MAIN = 0, LCORE_CONTROL, LCORE_WORKER };
const char *lcore_role_name(enum lcore_role r);

/** One lcore of the plan. */
struct lcore_seat {
	enum lcore_role role;
	uint16_t worker; /**< number of a worker, from 0 */
	uint16_t lcore;	 /**< EAL's lcore id */
	int cpu;	 /**< or LCORE_CPU_FLOAT */
	int node;	 /**< of the CPU; LCORE_NODE_ANY when floating over several nodes */
	char why[112];	 /**< why there, for people: "isolated, the devices' NUMA node" */
};

struct lcore_plan {
	uint16_t n; /**< seats: main, control, then the workers */
	uint16_t n_workers;
	uint16_t control_lcore, worker_lcore[CONF_WORKER_MAX]; /**< EAL ids, as in seat */
	struct lcore_seat seat[LCORE_ROLE_MAX];
	char lcores[512]; /**< for EAL's --lcores */
	uint16_t n_warnings;
	char warning[LCORE_WARNING_MAX][160];
};

struct lcore_machine {
	uint16_t n_cpus; /**< that the process may use, in ascending order */
	const struct lcore_cpu *cpus;
	uint16_t n_devices;
	const int *
		device_node; /**< of each device; LCORE_NODE_ANY where unknown. NULL: all unknown */
};

/**
 * Place main, control and workers.
 * @param err  why there is no plan
 * @return 0; -EINVAL a CPU that cannot be used, or roles that may not share one
 */
int lcore_plan_make(struct lcore_plan *plan, const struct conf_lcores *conf,
	const struct lcore_machine *machine, char *err, size_t err_len);

/** An lcore that the user chose by EAL's -l, -c or --lcores. */
struct lcore_given {
	uint16_t lcore;
	int cpu; /**< or LCORE_CPU_FLOAT */
	int node;
};

/**
 * The roles of lcores that the user chose: given[0] is EAL's main lcore, the next the control
 * lcore, the others workers. plan->lcores stays empty.
 * @return 0; -EINVAL fewer than three lcores, more than there can be workers, or shared CPUs
 *         where they may not be
 */
int lcore_plan_adopt(struct lcore_plan *plan, const struct conf_lcores *conf,
	const struct lcore_given *given, uint16_t n, char *err, size_t err_len);

/**
 * Add a warning for each worker that polls a device of another NUMA node; once the devices are
 * known. Every worker is taken to poll every device.
 */
void lcore_plan_check_numa(
	struct lcore_plan *plan, const char *const *device, const int *device_node, uint16_t n);

/** Text of a list of CPUs as EAL reads it, such as 0,2-3. @return buf */
const char *lcore_cpu_list(const struct lcore_cpu *cpus, uint16_t n, char *buf, size_t len);

/** @name What the machine is like (lcore_system.c); these read /proc and /sys. @{ */
/**
 * The CPUs that the process may use, isolated ones included where nobody narrowed its affinity.
 * @return how many, or -errno
 */
int lcore_system_cpus(struct lcore_cpu out[LCORE_CPU_MAX]);
/** NUMA node of a PCI device by its name; LCORE_NODE_ANY for any other. */
int lcore_system_device_node(const char *device);
/** @} */

#endif
