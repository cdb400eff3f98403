/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_TEL_PRIV_H
#define MGMT_TEL_PRIV_H

#include <jansson.h>

#include "mgmt_view_priv.h"

/**
 * @file
 * Telemetry. The registry of DPDK knows no argument and no way to take a command back, so there
 * is one current mgmt; without one every command answers null.
 */

/** Register the commands (once per process) and answer from this configuration. */
int mgmt_tel_start(const struct mgmt_config *c);
/** Answer no more; waits for handlers that run. */
void mgmt_tel_stop(void);

/** Bytes of JSON that a reply may have; rte_telemetry cuts at 16 KiB without a word. */
#define MGMT_TEL_REPLY_MAX 16000

/**
 * Bring a view into the shape that rte_telemetry 22.11 can carry: a dictionary (or array) of
 * strings, integers, arrays of one kind and dictionaries. Objects in an array become members
 * e<seq> or e<offset + i> of a dictionary; a string over 127 bytes goes on under key_2, key_3, …;
 * booleans become 0 and 1. The paged list is cut to what fits and "next" set accordingly.
 * @param list  name of the paged list in view, "" if none
 * @return a new object
 */
json_t *mgmt_tel_fit(const json_t *view, const char *list, uint64_t offset);

/** The reply to a command as fitted JSON; NULL for an unknown command. */
json_t *mgmt_tel_reply(const struct mgmt_config *c, const char *cmd, const char *params);

struct rte_tel_data;
/** Encode fitted JSON; telemetry frees what is nested once it is sent. @return 0 or -errno */
int mgmt_tel_encode(struct rte_tel_data *d, const json_t *fitted);

#endif
