/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef FAKE_DEV_H
#define FAKE_DEV_H

#include <stdbool.h>
#include <stdint.h>

#include "port_priv.h"

/** @file Devices that refuse, fail and lose things, behind lib/port's operation table. */

#define FAKE_DEVS 3
#define FAKE_MACS 64

struct fake_dev {
	const char *name; /* NULL: there is no such device */
	const char *driver;
	uint16_t max_rxq, max_txq;
	uint16_t min_mtu, max_mtu;
	uint32_t max_rx_pktlen;
	uint64_t rss, rx_offloads, tx_offloads; /* that it can */
	uint32_t dev_flags;
	unsigned int if_index;
	uint16_t max_desc;
	uint32_t max_macs;

	/* What it refuses; 0 is fine. */
	/*
	 * As net_bonding it tells no limits until it was configured once; members that refused
	 * that configuration are never configured again.
	 */
	bool late;
	bool want_pairs;	/* configure: -EINVAL unless RX = TX */
	uint16_t max_txq_setup; /* transmit queue setup: -EIO from this one on; 0: never */
	bool refuse_rss;
	uint16_t steer_kinds;	/* that it says it can put into a queue, PORT_STEER_BIT() */
	uint16_t steer_refused; /* of those, that it then cannot */
	bool refuse_last_queue; /* configure: -ENOSPC with max_rxq queues */
	int start_ret, mtu_ret, lsc_ret, info_ret;
	int mac_ret;
	unsigned int mac_room; /* addresses that it takes before mac_ret */
	int multicast_ret, allmulticast_ret, promiscuous_ret;
	int reset_ret, probe_ret;
	int netdev_promiscuous_ret;

	/* What it is. */
	uint16_t n_rxq, n_txq, n_rx_desc, mtu;
	bool asked, spoilt; /* late: configured once, and whether its members refused */
	bool configured, started, closed, rss_on, lsc_on;
	uint16_t steered; /* kinds */
	uint16_t steer_queue;
	uint16_t rss_first; /* flows are spread over so many queues; 0: all */
	uint64_t rx_offloads_on, tx_offloads_on;
	bool promiscuous, allmulticast, multicast, netdev_promiscuous;
	unsigned int n_macs;
	uint16_t n_mcasts;
	uint8_t mcasts[FAKE_MACS][BASE_MAC_LEN];
	uint8_t macs[FAKE_MACS][BASE_MAC_LEN];
	bool link_up;
	uint32_t speed;
	bool netdev_up;
	int netdev_ret;

	/* What happened. */
	unsigned int n_mac_adds, n_gaps; /* moments without filter and without promiscuous mode */
	bool filtered;			 /* was given all it needs; from then on gaps count */
	unsigned int n_resets, n_removes, n_probes;
	rte_eth_dev_cb_fn lsc_cb, event_cb;
	void *event_arg;
	unsigned int n_events;	    /* that were asked for */
	unsigned int callback_runs; /* so often the callback cannot be taken back */
};

/** The operations that a device could refuse, fail or take long for. */
enum fake_op {
	FAKE_OP_INFO = 0,
	FAKE_OP_CONFIGURE,
	FAKE_OP_DESC_ADJUST,
	FAKE_OP_RXQ_SETUP,
	FAKE_OP_TXQ_SETUP,
	FAKE_OP_MTU_SET,
	FAKE_OP_START,
	FAKE_OP_STOP,
	FAKE_OP_RESET,
	FAKE_OP_REMOVE,
	FAKE_OP_PROBE,
	FAKE_OP_MAC_ADD,
	FAKE_OP_MAC_REMOVE,
	FAKE_OP_MULTICAST_SET,
	FAKE_OP_PROMISCUOUS_SET,
	FAKE_OP_ALLMULTICAST_SET,
	FAKE_OP_LINK,
	FAKE_OPS
};
/** Called first by each of them; what is not 0 is its result. NULL at first. */
extern int (*fake_hook)(uint16_t id, enum fake_op op);

extern struct fake_dev fake_devs[FAKE_DEVS];
extern const struct port_ops fake_ops;

/** Two plain devices, net_fake0 and net_fake1, that can everything. */
void fake_reset(void);
/** The device reports an event, as DPDK's interrupt thread would. */
void fake_event(uint16_t id, enum rte_eth_event_type type);
/** A configuration for device i with one vMAC. */
struct port_config fake_config(uint16_t i);

#define FAKE_LONG_S 20 /**< only a failing test waits so long */
/** The next event, when it comes. @return false: none came */
bool fake_next_event(struct port_set *s, struct port_event *ev);

/** Group fixtures: a small EAL without devices, for jobs that have threads. */
int fake_eal_start(void **state);
int fake_eal_stop(void **state);

#endif
