/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef TEST_FIB_EAL_H
#define TEST_FIB_EAL_H

#include <rte_eal.h>
#include <rte_log.h>

/** Group set-up: an EAL of 128 MB as on the smallest box, alone, without devices. */
static inline int
eal_setup(void **state)
{
	static char args[][16] = {"test", "--no-huge", "--no-pci", "-m", "128", "--no-shconf",
		"--no-telemetry", "-l", "0", "--log-level=3"};
	char *argv[sizeof(args) / sizeof(args[0])];
	int argc = sizeof(args) / sizeof(args[0]);

	(void)state;
	for (int i = 0; i < argc; i++)
		argv[i] = args[i];
	return rte_eal_init(argc, argv) < 0 ? -1 : 0;
}

static inline int
eal_teardown(void **state)
{
	(void)state;
	return rte_eal_cleanup();
}

#endif
