/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>

/**
 * @file
 * Capabilities (capabilities(7)): koi needs many to open devices and few to run them.
 */

/**
 * Give up, in every thread of the process, all capabilities that running koi does not need, those
 * in the bounding set included, so that nothing that is started later gets them back. A process
 * that has fewer keeps those of them that it has.
 * @param physical  devices are given physical addresses (EAL's IOVA mode is PA), which the kernel
 *                  tells only to CAP_SYS_ADMIN; memory may be added while koi runs
 * @return 0, or -errno: some thread kept what it had
 * @thread main, once everything runs; each other thread is interrupted for some microseconds
 */
int privileges_drop(bool physical);

/** The set that privileges_drop() leaves of a full one: bit N is capability N. */
uint64_t privileges_kept(bool physical);

#endif
