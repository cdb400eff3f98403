/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef COMPAT_VERSION_H
#define COMPAT_VERSION_H

/** @file Which DPDK runs, for what no probe can find out: faults of drivers. */

/** Release of the library in use as year * 100 + month: 2211 is 22.11. @thread any */
unsigned int compat_dpdk_release(void);
/** Point release of its stable series: 11 of 22.11.11, 0 of 22.11. @thread any */
unsigned int compat_dpdk_point(void);

#endif
