/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef COMPAT_TEL_H
#define COMPAT_TEL_H

#include <stdint.h>

/**
 * @file
 * Unsigned numbers in replies of rte_telemetry: "u64" until 22.11, "uint" since 23.03, when
 * the old names were deprecated. Meaning, errors and threads as of the functions they stand for.
 */

struct rte_tel_data;

int compat_tel_start_uints(struct rte_tel_data *d);
int compat_tel_add_uint(struct rte_tel_data *d, uint64_t value);
int compat_tel_dict_uint(struct rte_tel_data *d, const char *name, uint64_t value);

#endif
