/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef COMPAT_REMOVAL_H
#define COMPAT_REMOVAL_H

/**
 * @file
 * A device that the kernel takes away, or wants to: DPDK's device events, which are experimental
 * in 22.11. With uio they come from the kernel's uevents, with vfio-pci from its request to let
 * go. While somebody watches, EAL puts memory of zeros where the registers of a uio device were.
 */

/** @thread DPDK's interrupt thread; it may come several times for one removal */
typedef void (*compat_removal_fn)(void *arg);

struct compat_removal;
struct rte_device;

/**
 * Watch a device.
 * @param out  for compat_removal_unwatch()
 * @return 0; -ENOTSUP its bus tells of no removals; -ENOMEM; or EAL's error
 * @thread main, or whoever probed the device
 */
int compat_removal_watch(
	const struct rte_device *dev, compat_removal_fn fn, void *arg, struct compat_removal **out);
/** After this fn is not called any more. NULL is fine. */
void compat_removal_unwatch(struct compat_removal *w);

#endif
