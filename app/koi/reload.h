/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef RELOAD_H
#define RELOAD_H

#include "base_addr.h"
#include "conf.h"
#include "mgmt.h"

struct ctl;
struct dp;
struct fib_builder;
struct host;
struct port_set;

/** @file What a configuration that is loaded while koi runs is to each part, and in which order. */

struct reload {
	struct ctl *ctl;
	struct dp *dp;
	struct fib_builder *routes;
	struct port_set *ports;
	struct host *host; /**< NULL: no interface has a host path */
	const uint8_t (*if_mac)[BASE_MAC_LEN];
	struct mgmt_loader loader; /**< made by reload_loader() */
};

/** For mgmt_config. @param r  borrowed, with all but loader filled in */
const struct mgmt_loader *reload_loader(struct reload *r);

#endif
