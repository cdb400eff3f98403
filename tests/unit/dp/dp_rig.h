/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DP_RIG_H
#define DP_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rte_mbuf.h>

#include "dp.h"
#include "fib.h"
#include "fib_nbr.h"
#include "wire.h"
#include "wire6.h"

/**
 * @file
 * A data plane on devices made of rings, with two networks, their groups, routes and neighbours:
 *
 *   client 192.0.2.100 --- LAN .2, vhid 1 with .1, vhid 7 with .7
 *   router 198.51.100.254 --- WAN .2, vhid 1 with .1, vhid 9 without an address
 *
 * 203.0.113.0/24 lies behind the router, 10.0.0.0/8 behind 192.0.2.254, a third port has no
 * interface. 2001:db8:1::/64 is the LAN's, 2001:db8:2::/64 the WAN's, hosts with the same numbers;
 * both interfaces have fe80::2, and fe80::1 is a VIP of vhid 1 on both. 2001:db8:ff00::/40 lies
 * behind the WAN's router, 2001:db8:fe00::/40 behind fe80::64 on the LAN.
 *
 * 203.0.120.0/24 is a blackhole, .121 unreachable, .122 prohibited, and .123 lies behind the WAN's
 * 254, 253 and 252; 2001:db8:fd20::/48 and those after it are the same.
 */

enum { LAN = 0, WAN = 1, BARE = 2, RIG_PORTS = 3 };
enum { LAN_VHID1 = 0, LAN_VHID7 = 1, WAN_VHID1 = 2, WAN_VHID9 = 3, RIG_GROUPS = 4 };
#define RIG_SLOTS (RIG_GROUPS + 2) /**< of groups: two have none */

#define IP(a, b, c, d) \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
#define CLIENT	   IP(192, 0, 2, 100)
#define CLIENT2	   IP(192, 0, 2, 101)
#define LAN_OWN	   IP(192, 0, 2, 2)
#define LAN_VIP	   IP(192, 0, 2, 1)
#define LAN_VIP7   IP(192, 0, 2, 7)
#define LAN_ROUTER IP(192, 0, 2, 254)
#define WAN_OWN	   IP(198, 51, 100, 2)
#define WAN_VIP	   IP(198, 51, 100, 1)
#define ROUTER	   IP(198, 51, 100, 254)
#define ROUTER2	   IP(198, 51, 100, 253) /**< without a MAC until one is learned */
#define ROUTER3	   IP(198, 51, 100, 252)
#define SERVER	   IP(203, 0, 113, 10)	/**< behind ROUTER */
#define STRANGER   IP(198, 51, 100, 77) /**< on the WAN, without a MAC */

extern const uint8_t lan_mac[6], wan_mac[6], client_mac[6], router_mac[6], lan_router_mac[6];
extern const uint8_t other_mac[6];
extern const uint8_t vmac1[6], vmac7[6], vmac9[6];

extern const uint8_t lan_own6[16], lan_vip6[16], lan_vip7_6[16], wan_own6[16], wan_vip6[16];
extern const uint8_t client6[16], server6[16], router6[16];
extern const uint8_t far6[16];	    /**< behind client_ll6 */
extern const uint8_t stranger6[16]; /**< on the WAN, without a MAC */
extern const uint8_t own_ll6[16], vip_ll6[16], client_ll6[16];

struct rig_options {
	uint16_t n_workers; /**< worker w polls queue w of each port; default 1 */
	uint16_t n_txq;	    /**< default n_workers */
	bool control_txq;
	bool no_addresses; /**< interfaces without an address of their own but fe80::2 */
	bool host;	   /**< both interfaces have a tap */
	bool source_vmac;  /**< of both interfaces */
	bool shared_vip;   /**< vhid 7 has LAN_VIP too */
	uint16_t n_desc;   /**< default 256 */
	uint32_t icmp_per_s;
	enum dp_rp_filter rp_filter; /**< of both interfaces */
	uint16_t wan_mtu;	     /**< default 1400 */
	uint16_t vlan[2];	     /**< tags of the LAN and of the WAN */
	bool one_port;		     /**< the WAN is on the LAN's port */
	bool vlan_insert;	     /**< the devices put tags in */
	bool nudge;		     /**< the drivers are to be given bursts of nothing */
	uint64_t flow_seed;
};

struct rig {
	struct dp *dp;
	const struct fib *fib;
	struct fib_nbr_table *nbr;
	struct rte_mempool *pool;
	struct rig_options opt;
	base_ns_t now;
	uint16_t port_id[RIG_PORTS];
	struct rte_mbuf *kept; /**< what rig_tx() gave last; freed by the next call */
};

extern const struct fib_route rig_routes[];
extern const unsigned int rig_route_count;
/** What dp_roster_prepare() takes; points into itself. */
struct rig_roster {
	struct dp_if_config ifs[2];
	struct dp_group_config groups[RIG_SLOTS];
	uint32_t own4[2], vip4[RIG_SLOTS][4];
	uint8_t own6[2][2][16], vip6[RIG_SLOTS][4][16];
};
/** The addresses and groups that the rig begins with. */
void rig_roster(const struct rig *r, struct rig_roster *out);

/** Group fixtures: EAL, devices, mempool, route table. */
int rig_group_setup(void **state);
int rig_group_teardown(void **state);
/** Test fixtures; a failed check of the mempool fails the test. */
int rig_setup(void **state);
int rig_teardown(void **state);
/** A neighbour with its MAC. */
void rig_learn(struct rig *r, uint16_t if_index, uint32_t ip, const uint8_t mac[6]);
void rig_learn6(struct rig *r, uint16_t if_index, const uint8_t ip[16], const uint8_t mac[6]);
/** Start again with other options. */
void rig_configure(struct rig *r, const struct rig_options *opt);

/** Counters summed over all tests so far; filled by rig_teardown(). */
extern uint64_t rig_seen[DP_DROP_COUNT];

struct frame {
	uint32_t len;
	uint8_t b[4096];
};
/** An IPv4 frame with a payload of counting bytes. */
struct frame frame_ip4(
	const uint8_t dst_mac[6], uint32_t src, uint32_t dst, uint8_t proto, uint16_t payload_len);
struct frame frame_udp(const uint8_t dst_mac[6], uint32_t src, uint32_t dst);
struct frame frame_echo(const uint8_t dst_mac[6], uint32_t src, uint32_t dst, uint16_t payload_len);
struct frame frame_arp(const uint8_t dst_mac[6], uint16_t op, uint32_t sender, uint32_t target);
struct frame frame_carp(const uint8_t dst_mac[6], uint32_t src, uint32_t dst, uint8_t vhid);
/** Insert n bytes of IPv4 options (a multiple of four, NOPs). */
void frame_options(struct frame *f, uint32_t n);
/** Write the IPv4 header checksum again after an edit. */
void frame_sum(struct frame *f);
void frame_pad(struct frame *f, uint32_t len);
/** Put a tag after the MACs: 0x8100 or 0x88a8, then id and priority. */
void frame_tag(struct frame *f, uint16_t type, uint16_t tci);

/** An IPv6 frame with a payload of counting bytes and hop limit 255. */
struct frame frame_ip6(const uint8_t dst_mac[6], const uint8_t src[16], const uint8_t dst[16],
	uint8_t next, uint16_t payload_len);
struct frame frame_carp6(
	const uint8_t dst_mac[6], const uint8_t src[16], const uint8_t dst[16], uint8_t vhid);
/** An ICMPv6 message of len bytes, at least 8, checksum right. */
struct frame frame_icmp6(const uint8_t dst_mac[6], const uint8_t src[16], const uint8_t dst[16],
	uint8_t type, uint16_t len);
struct frame frame_echo6(const uint8_t dst_mac[6], const uint8_t src[16], const uint8_t dst[16],
	uint16_t payload_len);
/** A solicitation or advertisement from client6, with its link-layer option; dst NULL: to all. */
struct frame frame_nd(
	const uint8_t dst_mac[6], uint8_t type, const uint8_t *dst, const uint8_t target[16]);
/** General query, MLDv2. */
struct frame frame_mld_query(void);
/** IGMPv3 query with router alert. */
struct frame frame_igmp_query(uint32_t src, uint32_t dst);
/** Write the ICMPv6 checksum again after an edit. */
void frame_sum6(struct frame *f);

/** Put a frame into a receive queue. @return it, which is the device's until the next turn */
struct rte_mbuf *rig_rx_queue(struct rig *r, int port, uint16_t queue, const struct frame *f);
struct rte_mbuf *rig_rx(struct rig *r, int port, const struct frame *f);
/** The same in segments of seg bytes, the first one of first bytes. */
void rig_rx_segments(struct rig *r, int port, const struct frame *f, uint16_t first, uint16_t seg);
/** One turn of every worker; the clock moves by 1 us. */
uint32_t rig_turn(struct rig *r);
/** Receive one frame by the LAN or WAN and make a turn. */
void rig_take(struct rig *r, int port, const struct frame *f);

/** Next frame sent out of a port by any queue, in the rig's keeping; NULL when there is none. */
struct rte_mbuf *rig_tx(struct rig *r, int port);
struct rte_mbuf *rig_tx_queue(struct rig *r, int port, uint16_t queue);
uint32_t rig_tx_count(struct rig *r, int port); /**< and free them */
/** Copy a frame out of however many segments. */
struct frame frame_of(const struct rte_mbuf *m);

uint64_t rig_drops(const struct rig *r, enum dp_drop d);
uint64_t rig_drops_all(const struct rig *r);
struct dp_stats rig_stats(const struct rig *r);
/** MASTER, handing over, BACKUP. */
void rig_master(struct rig *r, uint16_t group);
void rig_handing_over(struct rig *r, uint16_t group);
void rig_backup(struct rig *r, uint16_t group);
/** Nothing was sent by any port. */
void rig_assert_silent(struct rig *r);
void rig_assert_one_drop(struct rig *r, enum dp_drop d);

/**
 * Frames for a LAN whose group of vhid 1 is MASTER here and whose group of vhid 7 is not, each
 * to be dropped with its reason.
 */
struct bad_frame {
	enum dp_drop why;
	const char *what;
	struct frame (*make)(void);
};
extern const struct bad_frame bad_frames[];
extern const unsigned int bad_frame_count;
extern const struct bad_frame bad_frames6[];
extern const unsigned int bad_frame6_count;
/** To the owned vMAC, to be forwarded. */
struct frame frame_good(void);

#endif
