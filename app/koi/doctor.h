/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <stdbool.h>
#include <stdio.h>

#include "args.h"
#include "conf.h"
#include "lcore_plan.h"

/**
 * @file
 * koi --doctor: what the machine lacks for a configuration, and what to do about each. Nothing is
 * changed, and a koi that runs is not disturbed.
 * @thread main
 */

enum doctor_level {
	DOCTOR_OK = 0,
	DOCTOR_NOTE,  /**< koi does without */
	DOCTOR_WARN,  /**< something is lost: speed, frames, protection */
	DOCTOR_FAILS, /**< koi will not start or not serve */
};

struct doctor_finding {
	enum doctor_level level;
	char topic[16];	  /**< "hugepages", "driver", ... */
	char subject[64]; /**< interface or device; "" for the machine */
	char found[320];
	char advice[320]; /**< what to do; "" when there is nothing */
};

struct doctor {
	const char *root; /**< before "/sys" and "/proc": "" for the machine itself */
	const struct conf *conf;
	char *const *eal; /**< of the command line */
	int n_eal;
	unsigned int n, cap;
	struct doctor_finding *finding;
	bool out_of_memory;
};

/** Add a finding; advice may be NULL. */
void doctor_add(struct doctor *d, enum doctor_level level, const char *topic, const char *subject,
	const char *advice, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/** The worst level of all. */
enum doctor_level doctor_worst(const struct doctor *d);
/** A line for each finding, with its advice on a second one. */
void doctor_print(const struct doctor *d, FILE *to);
/** {"worst":…,"findings":[{"level","topic","subject","found","advice"}]}, advice null for none. */
void doctor_print_json(const struct doctor *d, FILE *to);
void doctor_free(struct doctor *d);

/** True when one of EAL's arguments, of the file or the command line, is this one. */
bool doctor_eal_has(const struct doctor *d, const char *arg);

/** @name What /sys and /proc tell, without EAL. @{ */
void doctor_hugepages(struct doctor *d);
/** Driver bindings, IOMMU and, for virtual devices on kernel netdevs, these. */
void doctor_devices(struct doctor *d);
/** Where the lcores go, isolated or not, and on which NUMA node. */
void doctor_lcores(struct doctor *d);
/** @} */

/**
 * All of it, devices asked by EAL too; prints.
 * @return exit code: ARGS_EXIT_OK, ARGS_EXIT_USAGE the configuration is not valid, ARGS_EXIT_EAL
 *         something fails.
 */
int doctor_run(const struct args *a);

#endif
