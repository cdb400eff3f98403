/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef PORT_H
#define PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base_addr.h"
#include "base_time.h"

/**
 * @file
 * Devices: DPDK ethdevs by name, their queues, MTU, address filters and link. Everything
 * slow about them happens before start or on the port thread, never on the control lcore.
 */

#define PORT_NAME_MAX	64
#define PORT_MAX	32
#define PORT_REASON_MAX 192
#define PORT_FILE_MAX	128
#define PORT_OUT_MAX	96

/** How frames to the group's shared MAC reach us. */
enum port_vmac_mode {
	PORT_VMAC_FILTER = 0,  /**< the device has a filter slot for each vMAC */
	PORT_VMAC_PROMISCUOUS, /**< promiscuous; the software gate decides */
	PORT_VMAC_UNFILTERED,  /**< nothing there filters; the software gate decides */
};
const char *port_vmac_mode_name(enum port_vmac_mode m);

/** Which of them may be used. Frames that nobody would deliver refuse the start, always. */
enum port_vmac_policy {
	PORT_VMAC_AUTO = 0,	/**< filter slots; where they do not do, promiscuous */
	PORT_VMAC_REQUIRE,	/**< filter slots; a driver known to filter nothing is fine too */
	PORT_VMAC_NEVER_FILTER, /**< promiscuous, the filter is not touched */
};

/** What koi asks of one device. */
struct port_config {
	char device[PORT_NAME_MAX];
	uint16_t mtu; /**< largest packet in frames without a tag; 0: what the device has */
	/**
	 * Largest packet in frames with an 802.1Q tag, 0: there are none. The device is asked for
	 * an MTU of 4 bytes more, and to take tags out and put them in if it can.
	 */
	uint16_t vlan_mtu;
	/**
	 * Wanted; fewer are given when the device has fewer, more when frames in a queue that
	 * nobody reads would be lost (af_packet's fanout spreads over all that its arguments ask
	 * for).
	 */
	uint16_t n_rxq;
	uint16_t n_workers; /**< a TX queue for each wanted, plus one for the control lcore */
	uint16_t n_rx_desc, n_tx_desc;
	int socket_id; /**< of the workers, SOCKET_ID_ANY when mixed */
	enum port_vmac_policy vmac_policy;
	uint16_t n_vmacs;
	const uint8_t (*vmacs)[BASE_MAC_LEN]; /**< copied; one that is named twice counts once */
	/**
	 * Multicast addresses to receive: of CARP, and what its neighbour discovery needs. Where
	 * the all-nodes group of IPv6 is among them, who asks for the link-local address of the
	 * device's MAC is received as well.
	 */
	uint16_t n_mcasts;
	const uint8_t (*mcasts)[BASE_MAC_LEN]; /**< copied; duplicates count once */
};

/** Frames that get a receive queue of their own where the device can tell them (rte_flow). */
enum port_steer {
	PORT_STEER_CARP4 = 0,
	PORT_STEER_CARP6,
	PORT_STEER_ARP,
	PORT_STEER_NS, /**< neighbour solicitations */
	PORT_STEER_NA, /**< neighbour advertisements */
	PORT_STEER_COUNT
};
/** Bit of a kind in a set of them: of untagged frames, or of those with an 802.1Q tag. */
#define PORT_STEER_BIT(what, tagged) (1U << ((unsigned int)(what) + ((tagged) ? 8U : 0U)))

/** What it got; constant after port_set_start(), but for link, vmac*, mcasts and multicast_mode. */
struct port_info {
	uint16_t port_id;
	char device[PORT_NAME_MAX];
	char driver[32];
	char driver_file[PORT_FILE_MAX]; /**< that it was loaded from; "" when it is not known */
	uint8_t mac[BASE_MAC_LEN];
	uint16_t mtu;	  /**< of the device, room for a tag included */
	bool vlan_strip;  /**< it takes tags out */
	bool vlan_insert; /**< it puts tags in */
	bool nudge;	  /**< the driver sends frames of its own whenever it is given some */
	uint16_t n_rxq;
	/** The last of them gets the frames of steered alone. */
	bool control_rxq;
	uint16_t steered; /**< set of PORT_STEER_BIT() */
	/** Why there is none, or not for all; "" else. */
	char steer_reason[PORT_OUT_MAX];
	uint16_t n_txq; /**< TX queues of the workers, numbers 0 to n_txq - 1 */
	uint16_t n_rx_desc, n_tx_desc;
	bool control_txq; /**< one more TX queue, number n_txq, belongs to the control lcore */
	int socket_id;
	enum port_vmac_mode vmac_mode;
	enum port_vmac_policy vmac_policy;
	char vmac_reason[PORT_REASON_MAX]; /**< why not a filter; "" when it is one */
	uint16_t n_vmacs, n_mcasts;	   /**< different ones that are wanted */
	uint32_t vmac_slots; /**< what the device has beside its own MAC: max_mac_addrs - 1 */
	char multicast_mode
		[24]; /**< "list", "allmulticast", "promiscuous", "unfiltered", "none" (failed), ""
			 not wanted */
	char link_source[24]; /**< "interrupt", "poll", "netdev" */
	bool link_up;
	uint32_t link_speed_mbps; /**< 0 = unknown */
	uint64_t link_changes;
	/** Why nobody may touch it now, reset or gone; "" in service. Without link then. */
	char out_of_service[PORT_OUT_MAX];
	uint32_t n_outages; /**< how often that was */
};

/** A change that the control lcore must know of. */
enum port_event_type {
	PORT_EV_LINK,	/**< link_up is the state now; it may repeat what is known */
	PORT_EV_FILTER, /**< address filters were programmed again: the outcome */
	/**
	 * The device is to be left alone, or may be used again. It has no link while it is out of
	 * service. To the first the control lcore answers by port_set_detached().
	 */
	PORT_EV_DEVICE,
};
struct port_event {
	enum port_event_type type;
	uint16_t port_id;
	bool link_up;	/**< LINK */
	bool filter_ok; /**< FILTER: frames to the groups' MACs reach us, filtered or promiscuous */
	bool attached;	/**< DEVICE: it may be used */
	base_ns_t at;	/**< when it was seen, CLOCK_MONOTONIC */
	char reason[PORT_REASON_MAX]; /**< FILTER: as vmac_reason; DEVICE: as out_of_service */
};

struct port_set; /**< all devices of the box */

/**
 * Find, configure and start every device; the vMAC filters of all configured groups are put in
 * here, so that taking over needs no device operation.
 * @param mempools  one per config, struct rte_mempool *, for its receive queues
 * @param err       the reason, naming the device
 * @return the set, or NULL with err filled (devices started so far are stopped again).
 * @thread main lcore, before the lcores run
 */
struct port_set *port_set_start(const struct port_config *configs, uint16_t n,
	void *const *mempools, char *err, unsigned int err_len);

/**
 * Start the port thread, named koi-port: watches links, tells events; and koi-device beside it:
 * slow operations, on one device at a time, whose link is looked at afterwards.
 * @param poll_ms  how often to look at links whose device does not tell by itself, 1 to 60000; a
 *                 netdev costs three ioctls each time, some 10 us
 * @return 0; -EINVAL poll_ms; -EALREADY; or the error of making a thread
 * @thread main
 */
int port_set_watch(struct port_set *s, uint32_t poll_ms);

/**
 * No lcore touches the device any more, nor will until PORT_EV_DEVICE says that it may: it can be
 * reset, or removed and taken back. @thread control lcore
 */
void port_set_detached(struct port_set *s, uint16_t port_id);

/**
 * Program the i-th device's address filters again, for a driver that lost them (the port thread
 * does so by itself when a link with filters comes back). Returns at once; the port thread does it
 * without a moment in which frames to the groups' MACs are lost, where the driver has promiscuous
 * mode, and reports by PORT_EV_FILTER.
 * @return 0, -EINVAL @thread any
 */
int port_set_reprogram(struct port_set *s, uint16_t i);

/** Addresses that a device is to receive beside its own. */
struct port_addresses {
	uint16_t n_vmacs, n_mcasts;
	const uint8_t (*vmacs)[BASE_MAC_LEN];
	const uint8_t (*mcasts)[BASE_MAC_LEN];
};
/**
 * Have the i-th device receive other addresses, and wait for it. Those that it has and is to have
 * are not touched as long as it has slots for old and new ones together; where it has not, or does
 * not filter, promiscuous mode covers the change. Ways and policy are those of port_set_start(). A
 * device that is out of service gets them when it is back, one whose filters failed with the next
 * try. What came of it is told by PORT_EV_FILTER too, unless nothing was to be done.
 * @param a    copied; what is named twice counts once
 * @param err  the reason, naming the device
 * @return 0; -EINVAL; -ENOMEM; -EBUSY the device did not get to it for 2 s; or the driver's error.
 *         After any of them it receives what it did before.
 * @thread any but lcores, one at a time for each device; after port_set_watch()
 */
int port_set_addresses(struct port_set *s, uint16_t i, const struct port_addresses *a, char *err,
	unsigned int err_len);

/**
 * Stop thread and devices, undo filters and promiscuous mode, close the devices, free. The
 * mempools must live until then. NULL is fine. @thread main, after the lcores have returned
 */
void port_set_stop(struct port_set *s);

uint16_t port_set_count(const struct port_set *s);
/** Copy what is known of the i-th device, link included. @thread any @return 0 or -EINVAL */
int port_set_info(const struct port_set *s, uint16_t i, struct port_info *out);

/** How far what a device gives is from what koi needs. */
enum port_check_level {
	PORT_CHECK_OK = 0,
	PORT_CHECK_NOTE, /**< koi does without, or does it itself */
	PORT_CHECK_WARN, /**< something is lost */
	PORT_CHECK_FAIL, /**< the device cannot be used */
};
const char *port_check_level_name(enum port_check_level l);

/** A line of the preflight table: what koi needs, what device and driver give, what follows. */
struct port_check {
	char key[16]; /**< of the need: "vmac", "link", ... */
	char need[96];
	char given[232];
	char consequence[256]; /**< of a known fault: what to do */
	enum port_check_level level;
};
#define PORT_CHECKS_MAX 24
/**
 * The table of the i-th device, with the paths that are in use now.
 * @return how many lines were written to out @thread any
 */
unsigned int port_set_preflight(
	const struct port_set *s, uint16_t i, struct port_check out[PORT_CHECKS_MAX]);
/**
 * The table of a device that is not started; nothing about it is changed. Paths are those that
 * would be tried first.
 * @param c    its configuration
 * @param err  the reason when the device cannot be asked
 * @return how many lines, or -ENODEV, or the driver's error @thread main
 */
int port_preflight(const struct port_config *c, struct port_check out[PORT_CHECKS_MAX], char *err,
	unsigned int err_len);

/** Next event; false when there is none. Never blocks. @thread control lcore only */
bool port_set_event(struct port_set *s, struct port_event *out);

/**
 * Hardware counters by name, straight from the driver. May be slow.
 * @return 0; -EINVAL; -EBUSY the device is reset or brought back, after a second of waiting; or the
 *         driver's error
 * @thread management
 */
struct port_stats {
	uint64_t rx_frames, tx_frames, rx_bytes, tx_bytes, rx_missed, rx_errors, tx_errors,
		rx_nombuf;
};
int port_set_stats(struct port_set *s, uint16_t i, struct port_stats *out);

#endif
