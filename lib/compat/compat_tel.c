/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "compat_tel.h"

#include <rte_telemetry.h>

#ifdef COMPAT_HAVE_TEL_UINT
#define UINT_VAL	       RTE_TEL_UINT_VAL
#define add_array_uint(d, v)   rte_tel_data_add_array_uint(d, v)
#define add_dict_uint(d, n, v) rte_tel_data_add_dict_uint(d, n, v)
#else
#define UINT_VAL	       RTE_TEL_U64_VAL
#define add_array_uint(d, v)   rte_tel_data_add_array_u64(d, v)
#define add_dict_uint(d, n, v) rte_tel_data_add_dict_u64(d, n, v)
#endif

int
compat_tel_start_uints(struct rte_tel_data *d)
{
	return rte_tel_data_start_array(d, UINT_VAL);
}

int
compat_tel_add_uint(struct rte_tel_data *d, uint64_t value)
{
	return add_array_uint(d, value);
}

int
compat_tel_dict_uint(struct rte_tel_data *d, const char *name, uint64_t value)
{
	return add_dict_uint(d, name, value);
}
