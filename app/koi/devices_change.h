/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DEVICES_CHANGE_H
#define DEVICES_CHANGE_H

#include "conf.h"
#include "port.h"

/**
 * Have the devices receive what a configuration needs that is loaded while they run, beside what
 * they receive now: before its groups are there, so that none of them is deaf.
 * @param next  aligned to now
 * @return 0, or -1 with err filled: they receive what they did before @thread any but lcores
 */
int devices_change_begin(struct port_set *ports, const struct conf *now, const struct conf *next,
	char *err, unsigned int err_len);
/**
 * The same, but nothing else: once the groups of another one are gone. What a device refuses now is
 * told by its own events.
 */
void devices_change_end(struct port_set *ports, const struct conf *conf);

#endif
