/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CTL_PING_PRIV_H
#define CTL_PING_PRIV_H

#include "ctl_ping.h"
#include "ctl_priv.h"

/** @file The parts of ping: the run (ctl_ping.c), and where its probes go (ctl_ping_way.c). */

/** Where a probe goes. */
struct ctl_ping_way {
	bool here; /**< to an address that this box has now: nothing is sent */
	uint16_t if_index;
	struct base_addr next_hop;
	bool has_mac; /**< a VIP of another MASTER: by its vMAC, without asking */
	uint8_t mac[BASE_MAC_LEN];
};
/** @return false with the reason */
bool ctl_ping_way(struct ctl *c, const struct ctl_ping_ask *ask, struct ctl_ping_way *way,
	enum ctl_ping_why *why);
/** The source of what leaves that way. @return false: there is none */
bool ctl_ping_source(const struct ctl *c, const struct ctl_ping_way *way,
	const struct base_addr *dst, struct base_addr *src);
/**
 * Whether an address may be a source of what leaves that way: own, or a VIP while MASTER.
 * @param mac  its Ethernet source
 */
bool ctl_ping_source_ok(const struct ctl *c, const struct ctl_ping_way *way,
	const struct base_addr *src, uint8_t mac[BASE_MAC_LEN]);

#endif
