/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef ADDRESSES_H
#define ADDRESSES_H

#include "conf.h"

/** @file What the configuration's addresses mean to devices and data plane. */

/**
 * The address that a group's router advertisements come from: the link-local one of its vMAC.
 * @return false when it sends none
 */
bool addresses_router(const struct conf *conf, uint16_t group, uint8_t out[16]);

/**
 * The multicast MACs that an interface must hear: of adverts, of what asks for its addresses, and
 * of snooping switches' queries.
 * @param list  to free(); NULL when out of memory
 * @return how many
 */
uint16_t addresses_mcast_list(
	const struct conf *conf, uint16_t if_index, uint8_t (**list)[BASE_MAC_LEN]);

#endif
