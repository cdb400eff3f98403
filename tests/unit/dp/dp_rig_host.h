/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DP_RIG_HOST_H
#define DP_RIG_HOST_H

#include "dp_rig.h"

/** @file The rig with a tap on each interface, and the kernel at their other ends. */

#define TCP   6
#define IP_AT WIRE_ETH_LEN
#define DUMMY IP(192, 0, 0, 8)

/** A test's fixture; rig_teardown() ends it. */
int host_setup(void **state);
/** The next frame for the kernel by an interface; false when there is none. */
bool kernel_gets(struct rig *r, uint16_t if_index, struct frame *f);
void assert_kernel_gets(
	struct rig *r, uint16_t if_index, const struct frame *want, const uint8_t dst[6]);
void assert_kernel_gets_nothing(struct rig *r);
/** The kernel sends a frame by the tap of an interface. */
void kernel_sends(struct rig *r, uint16_t if_index, const struct frame *f);
/** It leaves by an interface with these MACs, else as it was. */
void assert_sent(
	struct rig *r, int port, const struct frame *f, const uint8_t dst[6], const uint8_t src[6]);
void assert_refused(struct rig *r, uint16_t if_index, const struct frame *f, enum dp_drop why);

#endif
