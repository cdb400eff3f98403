/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef HOST_PATH_H
#define HOST_PATH_H

#include <stdint.h>

#include "base_addr.h"
#include "conf.h"

/** The host path of a box, and the packets that come by it. */

struct dp;
struct host;
struct rte_mempool;

struct host_path {
	struct host *host; /**< NULL: no interface has one */
	struct rte_mempool *pool;
};

/**
 * Start it where an interface asks for it; p is all zero.
 * @param if_port_id  DPDK's number of the device of each interface, if_mac its MAC
 * @param data_room   of a packet, bytes
 * @return 0 or -1 with err filled @thread main, before the lcores run
 */
int host_path_start(struct host_path *p, const struct conf *conf, struct dp *dp,
	const uint16_t *if_port_id, const uint8_t (*if_mac)[BASE_MAC_LEN], uint16_t data_room,
	char *err, unsigned int err_len);
/** Stop it. @thread main, while the dp lives */
void host_path_stop(struct host_path *p);
/** Free its packets. @thread main, when neither dp nor devices have any more */
void host_path_free(struct host_path *p);

#endif
