/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef HOST_PRIV_H
#define HOST_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base_addr.h"
#include "base_time.h"
#include "compat_thread.h"
#include "host.h"

struct rte_mbuf;

/** @name Telling the kernel (host_net.c). All return 0 or -errno. @{ */
#define HOST_RULE_PRIORITY 5112 /**< before the table main, 32766 */

/** @return a netlink socket, or -errno */
int host_net_open(void);
/**
 * @param deprecated  of IPv6: answered for, but no source that the kernel chooses itself
 */
int host_net_address(int fd, unsigned int netdev, const struct base_addr *a, uint8_t plen,
	bool deprecated, bool add);
/** A table with one route: everything leaves by the netdev. It goes with the netdev. */
int host_net_table(int fd, unsigned int netdev, uint8_t family, uint32_t table);
/** What has this source is routed by the table. Of a rule to remove the table may be 0: any. */
int host_net_rule(int fd, const struct base_addr *from, uint32_t table, bool add);
/** @} */

/** @name Settings of a netdev, net.<family>.conf.<netdev>.<key> @{ */
#define HOST_VALUE_MAX 16
struct host_setting {
	const char *family, *key, *value;
};
/** @param old  what it was, with room for HOST_VALUE_MAX; or NULL @return 0 or -errno */
int host_setting_write(
	const struct host_setting *s, const char *netdev, const char *value, char *old);
/** @} */

/** What a netdev beside koi must leave to the tap, and what that was set to before. */
#define HOST_QUIET_MAX 3
struct host_quiet {
	bool changed[HOST_QUIET_MAX];
	char old[HOST_QUIET_MAX][HOST_VALUE_MAX];
};
void host_quiet(const char *netdev, struct host_quiet *q);
void host_quiet_undo(const char *netdev, const struct host_quiet *q);

/** An interface with a tap. */
struct host_if {
	uint16_t if_index;
	const struct conf_if *conf;
	int fd;
	unsigned int netdev; /**< number of the tap's */
	uint32_t table;
	bool ip6;		     /**< the kernel has IPv6 on it */
	uint8_t link_local[16];	     /**< of its MAC */
	char below[HOST_NETDEV_MAX]; /**< netdev of the device itself, "" for none */
	struct host_quiet quiet;
	/** Own addresses that the kernel has: those of two configurations during a change. */
	struct base_prefix own[2 * CONF_ADDRESS_MAX];
	uint16_t n_own;
	/* of the host thread */
	struct rte_mbuf *m; /**< to read into; with bytes in it, it waits for room */
	base_ns_t cost_ns, credit_ns, credit_max_ns, credit_at;
	uint16_t next_worker;
	int carrier; /* as the kernel was told */
	/* written by the host thread, read by anyone, by relaxed atomics */
	uint64_t written, write_failed, read, refused;
	uint32_t vips;
	int last_error;
};

/**
 * Make the tap of an interface: MAC, MTU, own addresses, up. Nothing of it is left on failure.
 * @param net  from host_net_open()
 * @return 0 or -1 with err filled @thread main
 */
int host_tap_open(struct host_if *f, const uint8_t mac[BASE_MAC_LEN], int net, char *err,
	unsigned int err_len);
/** An own address, with the rule that its answers go by. @return 0 or -1 with err filled */
int host_tap_give(
	struct host_if *f, int net, const struct base_prefix *p, char *err, unsigned int err_len);
/** Take the i-th of its own addresses away; the last one has its place then. */
void host_tap_take(struct host_if *f, int net, uint16_t i);
/** The kernel sees a carrier or none; one before Linux 5.0 always sees one. */
void host_tap_carrier(const struct host_if *f, int on);
void host_tap_close(struct host_if *f, int net);

#endif
