/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef EAL_ARGS_H
#define EAL_ARGS_H

#include <stdbool.h>
#include <stddef.h>

/**
 * @file
 * The argument vector for rte_eal_init(): what koi derives, then the configuration's "eal", then
 * the command line's EAL arguments, which win (design 4.1).
 */

struct eal_args {
	int argc;
	char **argv;	   /**< argc strings and a NULL; EAL may reorder it */
	bool lcores_given; /**< the user chose lcores: lcore_plan_adopt() tells their roles */
	int n_strings;	   /**< private: as many as were allocated, whatever EAL did to argv */
	char **strings;	   /**< private */
};

/** True when one of the arguments chooses lcores: -l, -c, --lcores. */
bool eal_args_choose_lcores(char *const *args, int n);

/**
 * Build the vector.
 *
 * EAL itself refuses some options that come twice (lcores, a device of the same name), so where the
 * command line has such, the configuration's is left out. Its plugins (-d) come first: EAL takes
 * the first of two drivers that have one name.
 *
 * @param lcores  for --lcores, left out when the user chose lcores; NULL for none
 * @param node    makes "--file-prefix koi-<node>", left out when the user gave one
 * @param devices of the interfaces: EAL takes these PCI devices and no other, unless the user says
 *                which himself (-a, -b, --no-pci) or gives a virtual device that is made of some.
 *                NULL: as EAL does by itself
 * @param conf    the configuration's "eal", n_conf strings
 * @param cli     EAL arguments of the command line, without the program's name, n_cli strings
 * @param err     what is wrong
 * @return 0; -EINVAL when an argument is "--"; -ENOMEM
 */
int eal_args_build(struct eal_args *out, const char *program, const char *lcores, const char *node,
	const char *const *devices, int n_devices, char *const *conf, int n_conf, char *const *cli,
	int n_cli, char *err, size_t err_len);
/** After rte_eal_cleanup(): EAL keeps pointers into the strings. */
void eal_args_free(struct eal_args *a);

#endif
