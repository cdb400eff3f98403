/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef COMPAT_FIB_H
#define COMPAT_FIB_H

#include <stdint.h>

/**
 * @file
 * DPDK's IPv4 forwarding table, DIR24_8. The library's configuration struct and its constness
 * have moved between releases; only this wrapper sees them. Addresses are in host order.
 */

struct compat_fib;

/**
 * @param name        unique among the process's tables
 * @param max_routes  prefixes that will be added, at least 1
 * @param nh_bytes    size of a stored next hop: 1, 2, 4 or 8; the largest next hop is
 *                    2^(8 * nh_bytes - 1) - 1
 * @param num_tbl8    groups of 256 entries for prefixes longer than /24, at least 1
 * @param default_nh  what a lookup gives where there is no route
 * @return the table, or NULL with errno set
 * @thread main or a builder thread
 */
struct compat_fib *compat_fib_create(const char *name, uint32_t max_routes, uint8_t nh_bytes,
	uint32_t num_tbl8, uint64_t default_nh, int socket_id);

/** Free; NULL is fine. @thread main or a builder thread, when nobody looks up any more */
void compat_fib_free(struct compat_fib *f);

/** Host bits of prefix must be zero. @return 0, or -errno of the library (-ENOSPC, -EINVAL). */
int compat_fib_add(struct compat_fib *f, uint32_t prefix, uint8_t plen, uint64_t nh);

/** Look up n addresses. @return 0 or -EINVAL @thread any number at once */
int compat_fib_lookup(
	const struct compat_fib *f, const uint32_t *ips, uint64_t *nhs, unsigned int n);

#endif
