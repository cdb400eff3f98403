/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CONF_ADDR_PRIV_H
#define CONF_ADDR_PRIV_H

#include "conf.h"

/** Arithmetic and classes of addresses. Unused bytes of an IPv4 address are zero throughout. */

/** 32 or 128. */
unsigned int conf_addr_bits(const struct base_addr *a);
/** Why no host can have this address ("a multicast address"), or NULL. */
const char *conf_addr_unfit(const struct base_addr *a);
/** Why no host of a subnet of this length can have it ("the broadcast address"), or NULL. */
const char *conf_host_unfit(const struct base_addr *a, uint8_t plen);
/** Order by family, then bytes. */
int conf_addr_compare(const struct base_addr *a, const struct base_addr *b);

#endif
