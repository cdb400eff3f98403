/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base_addr.h"
#include "conf.h"

/**
 * @file
 * The kernel's side of the host path: a tap for each interface that asks for it, with the
 * interface's MAC, MTU and addresses, and with the VIPs of groups that are MASTER. A thread of its
 * own, named koi-host, carries frames between taps and workers, so that no lcore makes a system
 * call, and keeps the kernel's addresses as the groups' states are.
 */

struct dp;
struct rte_mempool;
struct host;

#define HOST_NETDEV_MAX 16 /**< bytes of a netdev's name with its NUL, as IFNAMSIZ */

struct host_config {
	const struct conf *conf; /**< its interfaces are borrowed for the life of the host */
	struct dp *dp;		 /**< made with dp_if_config.host as conf says; borrowed as well */
	const uint8_t (*if_mac)[BASE_MAC_LEN];
	/**
	 * Name of the netdev that the kernel has of an interface's device beside koi, "" for none:
	 * it must not take part in what is the tap's now.
	 */
	const char (*if_netdev)[HOST_NETDEV_MAX];
	struct rte_mempool *pool; /**< nobody else allocates from it; lives longer than the dp */
};

/** Frames in such a pool, and bytes that each must have room for. */
#define HOST_POOL_FRAMES 2047

/** Some interface has a host path. */
bool host_wanted(const struct conf *conf);

/**
 * Make the taps and start the thread.
 * @param err  the reason, naming interface and key
 * @return NULL with err filled @thread main, before the lcores run
 */
struct host *host_start(const struct host_config *config, char *err, unsigned int err_len);
/**
 * Stop the thread, remove the taps and what else the kernel was told. NULL is fine.
 * @thread main, while the dp lives
 */
void host_stop(struct host *h);
/**
 * @name Another configuration, with interfaces and groups by the same numbers.
 * Addresses that the kernel had before and is to have stay with it all the time. A host that is
 * NULL is fine, and a configuration is not looked at afterwards.
 * @thread any that may wait, one at a time, until host_stop() @{
 */
/**
 * Give the kernel the interfaces' addresses of the next one, beside those that it has.
 * @return 0, or -1 with err filled; host_change_end() with what runs undoes it in either case
 */
int host_change_begin(struct host *h, const struct conf *next, char *err, unsigned int err_len);
/**
 * This one runs now, the next one or still the one before: other addresses are taken away, and the
 * VIPs of groups that answer are the kernel's when it returns, some ms later.
 * @return 0, or -1 with err filled: what there was no memory or room for is not there
 */
int host_change_end(struct host *h, const struct conf *conf, char *err, unsigned int err_len);
/** @} */

/** What there is of one interface. */
struct host_if_view {
	char tap[CONF_NAME_MAX + 1];
	char netdev[HOST_NETDEV_MAX]; /**< as in host_config */
	uint32_t rate_pps;
	uint64_t written;      /**< frames that the kernel took */
	uint64_t write_failed; /**< that it refused */
	uint64_t read;	       /**< frames that it sent */
	uint32_t vips;	       /**< VIPs that it has now */
	uint64_t refused;      /**< addresses and rules that it did not take */
	int last_error;	       /**< why, an errno; 0: none was refused */
};
/** @return false: the interface has no host path @thread any */
bool host_if_view(const struct host *h, uint16_t if_index, struct host_if_view *out);

#endif
