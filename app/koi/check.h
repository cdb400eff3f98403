/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CHECK_H
#define CHECK_H

#include "args.h"

/**
 * koi --check: validate the configuration file without EAL, root, hugepages or devices. Findings
 * go to stderr, "FILE: valid" to stdout; with --json one JSON object goes to stdout instead.
 * @return the exit code: ARGS_EXIT_OK valid (warnings or not), ARGS_EXIT_USAGE not.
 */
int check_run(const struct args *a);

#endif
