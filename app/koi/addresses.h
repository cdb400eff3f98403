/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef ADDRESSES_H
#define ADDRESSES_H

#include "conf.h"

/** @file What the configuration's addresses mean to devices and data plane. */

/** The first IPv4 address among these, or 0. */
uint32_t addresses_primary_ip4(const struct base_prefix *addresses, uint16_t n);

/** The IPv4 addresses among these. @param list  room for n @return how many */
uint16_t addresses_ip4_list(const struct base_prefix *addresses, uint16_t n, uint32_t *list);

/**
 * The IPv6 addresses among these.
 * @param link_local  comes first; NULL for none
 * @param list        to free(); NULL when out of memory
 * @return how many
 */
uint16_t addresses_ip6_list(const struct base_prefix *addresses, uint16_t n,
	const uint8_t *link_local, uint8_t (**list)[16]);

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
