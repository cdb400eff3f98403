/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef HOST_VIPS_PRIV_H
#define HOST_VIPS_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base_addr.h"

/**
 * @file
 * Which VIPs the kernel has: those of groups that are MASTER. One that several groups of an
 * interface have (ARP balancing) is there while one of them is.
 */

struct host_if;

/** A VIP of a group on an interface with a tap. */
struct host_vip {
	uint16_t group;
	bool there; /**< for this group */
	struct host_if *f;
	struct base_addr addr;
};
struct host_vips {
	uint32_t n;
	struct host_vip *vip;
};

/** Give the kernel an address of an interface, or take it away. */
typedef void host_vip_fn(void *arg, struct host_if *f, const struct base_addr *addr, bool there);

/** Put a list in the order that all others here need it in. */
void host_vips_sort(struct host_vips *v);
/**
 * Groups became MASTER, or are not any more. What moves from one to another is not touched.
 * @param master  for each group
 */
void host_vips_follow(struct host_vips *v, const bool *master, host_vip_fn *set, void *arg);
/**
 * Other VIPs in the place of those that were, each with its own state; what is there before and
 * after is not touched. What goes is gone before anything comes.
 * @param now     with there as it is to be
 */
void host_vips_replace(
	const struct host_vips *was, const struct host_vips *now, host_vip_fn *set, void *arg);
/** Some VIP of the list has the address, on whatever interface, there or not. */
bool host_vips_know(const struct host_vips *v, const struct base_addr *addr);

#endif
