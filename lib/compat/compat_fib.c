/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "compat_fib.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>

#include <rte_errno.h>
#include <rte_fib.h>

/* struct compat_fib is never defined: its pointer is the library's own, so a lookup pays one
 * call and no further load. */
static struct rte_fib *
to_rte(const struct compat_fib *f)
{
	return (struct rte_fib *)(uintptr_t)f;
}

struct compat_fib *
compat_fib_create(const char *name, uint32_t max_routes, uint8_t nh_bytes, uint32_t num_tbl8,
	uint64_t default_nh, int socket_id)
{
	struct rte_fib_conf conf = {
		.type = RTE_FIB_DIR24_8,
		.default_nh = default_nh,
	};
	struct rte_fib *fib;

	if (max_routes == 0 || max_routes > INT_MAX || num_tbl8 == 0) {
		errno = EINVAL;
		return NULL;
	}
	switch (nh_bytes) {
	case 1:
		conf.dir24_8.nh_sz = RTE_FIB_DIR24_8_1B;
		break;
	case 2:
		conf.dir24_8.nh_sz = RTE_FIB_DIR24_8_2B;
		break;
	case 4:
		conf.dir24_8.nh_sz = RTE_FIB_DIR24_8_4B;
		break;
	case 8:
		conf.dir24_8.nh_sz = RTE_FIB_DIR24_8_8B;
		break;
	default:
		errno = EINVAL;
		return NULL;
	}
	conf.max_routes = (int)max_routes;
	conf.dir24_8.num_tbl8 = num_tbl8;
	fib = rte_fib_create(name, socket_id, &conf);
	if (fib == NULL)
		errno = rte_errno;
	return (struct compat_fib *)fib;
}

void
compat_fib_free(struct compat_fib *f)
{
	rte_fib_free(to_rte(f));
}

int
compat_fib_add(struct compat_fib *f, uint32_t prefix, uint8_t plen, uint64_t nh)
{
	return rte_fib_add(to_rte(f), prefix, plen, nh);
}

int
compat_fib_lookup(const struct compat_fib *f, const uint32_t *ips, uint64_t *nhs, unsigned int n)
{
	/* The library's prototype lacks the const; it only reads. */
	return rte_fib_lookup_bulk(to_rte(f), (uint32_t *)(uintptr_t)ips, nhs, (int)n);
}
