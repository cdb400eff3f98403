/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef ROUTES_H
#define ROUTES_H

#include <stddef.h>

#include "conf.h"
#include "fib.h"

/**
 * The routing table that a configuration means: own addresses and VIPs are local, their prefixes
 * connected but for network and broadcast address, then the static routes. Earlier entries win.
 * @param n      how many
 * @param paths  what some of them point to; to free() with them
 * @return routes to free(), or NULL when out of memory
 */
struct fib_route *routes_from_conf(const struct conf *conf, uint32_t *n, struct fib_nh **paths);

#endif
