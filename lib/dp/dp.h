/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DP_H
#define DP_H

#include <stdbool.h>
#include <stdint.h>

#include "base_addr.h"
#include "base_time.h"

/**
 * @file
 * The data plane: what worker lcores do, and what the control lcore may ask of them.
 *
 * A worker polls its receive queues, proves each frame's length, classifies it, punts
 * CARP, ARP and ND to the control lcore through bounded rings and forwards the rest, run
 * to completion. It never allocates from the heap, locks, logs or makes a system call
 * while traffic flows. Each frame has exactly one fate: sent, punted, or freed with a
 * named reason (drops.def).
 */

struct rte_mbuf;
struct rte_mempool;
struct rte_rcu_qsbr;
struct fib;
struct fib_gateway;
struct fib_nbr_table;

#define DP_WORKER_MAX 16
#define DP_PORT_MAX   32
#define DP_IF_MAX     128
#define DP_GROUP_MAX  1024
#define DP_VLAN_MAX   4094
#define DP_NONE	      UINT16_MAX
#define DP_BURST      32
/** Sources of a group's adverts that dp_group_sources() can make known. */
#define DP_KNOWN_MAX 8

enum dp_drop {
#define DP_DROP(sym, name, text) DP_DROP_##sym,
#include "drops.def"
#undef DP_DROP
	DP_DROP_COUNT
};
const char *dp_drop_name(enum dp_drop d);
const char *dp_drop_text(enum dp_drop d);

enum dp_idle { DP_IDLE_ADAPTIVE = 0, DP_IDLE_POLL };

struct dp_queue {
	uint16_t port_id, queue, n_desc;
};

struct dp_worker_config {
	uint16_t n_rxq;
	const struct dp_queue *rxq; /**< the receive queues that this worker polls */
	int socket_id;
};

struct dp_port_config {
	uint16_t port_id;
	/** Worker w uses TX queue w when w < n_txq, else it hands over to worker w mod n_txq. */
	uint16_t n_txq;
	bool control_txq; /**< one more TX queue, number n_txq, belongs to the control lcore */
	bool vlan_insert; /**< the device puts tags in (RTE_MBUF_F_TX_VLAN); else koi does */
	/**
	 * The driver has frames of its own to send (LACP), which go when it is given others, or
	 * none: it is called each 50 ms.
	 */
	bool nudge;
};

/** Whether packets are let in whose source the route table does not look for there (RFC 3704). */
enum dp_rp_filter {
	DP_RP_OFF = 0,
	DP_RP_LOOSE, /**< there is a route to it, by whatever interface, the default one included */
	DP_RP_STRICT, /**< the best route to it leaves by the interface */
};

struct dp_if_config {
	uint16_t port_id;
	/**
	 * 802.1Q tag of its frames, 1 to DP_VLAN_MAX; 0: untagged, and priority-tagged ones.
	 * Whether the device takes tags out is told by each frame.
	 */
	uint16_t vlan;
	uint8_t mac[BASE_MAC_LEN];
	uint16_t mtu;
	/**
	 * Forwarded frames leave with the vMAC of a group that is MASTER on the interface, of
	 * several that of the lowest vhid; else, and when there is none, with mac.
	 */
	bool source_vmac;
	enum dp_rp_filter rp_filter;
	bool host; /**< what is to its addresses and nobody else handles goes to dp_host_poll() */
	uint16_t n_ip4, n_ip6;
	const uint32_t *ip4; /**< own addresses; copied. The first is the source of ICMP errors */
	/**
	 * Own IPv6 addresses, link-local ones included; copied. The first of each kind is the
	 * source of ICMPv6 errors.
	 */
	const uint8_t (*ip6)[16];
};

struct dp_group_config {
	uint16_t if_index;
	uint8_t vhid; /**< 0: the slot has no group, nor addresses */
	uint16_t n_ip4, n_ip6;
	/**
	 * IPv4 VIPs; copied. The first one is the source of ICMP errors where the interface has no
	 * address. Of one that several groups of an interface have, each serves the frames to its
	 * own vMAC.
	 */
	const uint32_t *ip4;
	/** IPv6 VIPs; copied. One of several groups of an interface is the first one's. */
	const uint8_t (*ip6)[16];
};

struct dp_config {
	uint16_t n_workers, n_ports, n_ifs; /**< one interface per port and tag */
	/**
	 * Slots of groups, those that have none yet included: as many rings are made. A group's
	 * number everywhere is that of its slot.
	 */
	uint16_t n_groups;
	const struct dp_worker_config *workers;
	const struct dp_port_config *ports;
	const struct dp_if_config *ifs;
	const struct dp_group_config *groups;
	struct rte_mempool *pool; /**< for packets of our own; as every pool, see dp_meta_size() */
	enum dp_idle idle;
	/**
	 * Rate limit of ICMP errors, 0 = 100; at most 50 in one burst. Each worker, and in it each
	 * family and cause (unreachable, TTL, too big, header), has that rate to itself.
	 */
	uint32_t icmp_errors_per_s;
	/**
	 * Of the hash that chooses among several next hops: another one in each box and at each
	 * start, so that boxes in a row choose independently and nobody foresees the choice.
	 */
	uint64_t flow_seed;
};

struct dp;

/** Bytes of private area that every mempool used with dp must have. */
uint16_t dp_meta_size(void);

/**
 * @return the data plane, or NULL with errno: EINVAL for a configuration out of bounds, ENOMEM.
 * @thread main, after EAL init, before the lcores run
 */
struct dp *dp_create(const struct dp_config *config);
/** Free, packets in rings included. @thread main, after every worker has returned */
void dp_destroy(struct dp *dp);

/** RCU state in which the workers report quiescence; for fib_nbr_create() and fib_build(). */
struct rte_rcu_qsbr *dp_qsbr(struct dp *dp);

/**
 * Publish the tables that the workers read; borrowed. Their if_index and group numbers are those of
 * the dp_config. A table that was replaced may go once every thread of dp_qsbr() was quiescent.
 * @thread main before start, or control lcore
 */
void dp_set_tables(struct dp *dp, const struct fib *fib, const struct fib_nbr_table *nbr);

/**
 * @name The roster: which groups there are and which addresses, while workers run.
 * What interfaces do with packets for that (dp_if_config.source_vmac, rp_filter) is part of it.
 * One object that workers take over as a whole at their next turn. First it is prepared, then the
 * control lcore publishes it, then the one that was before is freed: by one asker at a time, who
 * knows which it is.
 *
 * A slot that keeps its interface and vhid keeps all that belongs to its group, whatever becomes of
 * the addresses: ownership, known sources, what waits in its rings. Any other starts clean, neither
 * owned nor answering: a group that is removed is to bow out before. What workers put into a ring
 * of it during the turn in which it changes still finds its new group, unless it was left empty in
 * a roster between; who has none any more is dropped (group_gone).
 *
 * Routes to the addresses are not in it. Nothing is answered for an address unless both have it.
 * @{
 */
struct dp_roster;
/**
 * Packets from the addresses that it has will not be let in, those from a VIP while its group
 * answers here.
 * @param ifs  as many as at dp_create(); their addresses, source_vmac and rp_filter are copied, the
 *             rest is not looked at
 * @param n    at most as many as there are slots; the rest has no groups
 * @return NULL with errno: EINVAL for what is out of bounds, ENOMEM @thread any
 */
struct dp_roster *dp_roster_prepare(const struct dp *dp, const struct dp_if_config *ifs,
	const struct dp_group_config *groups, uint16_t n);
/**
 * Have workers use it from their next turn on. Neither allocates nor waits; frees what waits in
 * rings of slots that change.
 * @return the one before, to be freed @thread control lcore
 */
struct dp_roster *dp_roster_publish(struct dp *dp, struct dp_roster *r);
/** Wait until no worker looks at it any more, and free it. NULL is fine. @thread any but lcores */
void dp_roster_free(struct dp *dp, struct dp_roster *r);
/** @} */

/** A worker's loop; returns 0 after dp_stop(). @thread the worker's lcore */
int dp_worker_run(struct dp *dp, uint16_t worker);
/** Ask every worker to return. @thread any */
void dp_stop(struct dp *dp);
/** One turn of a worker's loop without idling, for tests and benchmarks. @return frames received */
uint32_t dp_worker_turn(struct dp *dp, uint16_t worker, base_ns_t now);

/** @name Ownership and link: written by the control lcore, read by every worker. @{ */
/** Own a group's vMAC: accept and forward frames sent to it. One release store. */
void dp_own(struct dp *dp, uint16_t group, bool owned);
/** Answer for the group's VIPs (echo, ICMP errors from a VIP); true only while MASTER. */
void dp_answer(struct dp *dp, uint16_t group, bool answering);
/** A port without link is never sent to. Ports have link until told otherwise. */
void dp_link(struct dp *dp, uint16_t port_id, bool up);
/**
 * What an operator wants of an interface; up at first. Nothing comes in or goes out by one that is
 * down, from the next turn of each worker on (`if_down`); its device, and other interfaces on that,
 * go on.
 */
void dp_if_set(struct dp *dp, uint16_t if_index, bool up);
/** @thread any */
bool dp_if_is_up(const struct dp *dp, uint16_t if_index);
/**
 * Leave a port alone, or use it again; ports are used until told otherwise. It loses its link with
 * the first, and has none until told after the second.
 * @thread control lcore
 */
void dp_attach(struct dp *dp, uint16_t port_id, bool attached);
/** No lcore touches the port any more, since dp_attach() said so. Never waits. @thread as it */
bool dp_detached(struct dp *dp, uint16_t port_id);
/**
 * Publish which source addresses valid adverts of a group were heard from. Adverts from them go
 * into a ring of their own, so that a flood from others cannot push them out. None at first.
 * A worker may see some of the addresses earlier than others, but each of them whole.
 * @param n  at most DP_KNOWN_MAX; of more, the first ones are taken
 * @thread control lcore
 */
void dp_group_sources(struct dp *dp, uint16_t group, const struct base_addr *known, uint16_t n);
/** @} */

/** @name Punts: called by the control lcore only. @{ */
enum dp_punt_class {
	DP_PUNT_ADVERT = 0, /**< protocol 112 of either family; data at Ethernet header */
	DP_PUNT_GROUP_ARP,  /**< ARP or ND about a VIP of a group, whatever its state */
	DP_PUNT_IF_ARP,	    /**< other ARP, ND, IGMP and MLD queries of an interface */
	DP_PUNT_PROBE,	    /**< answer to an echo request of ours, see dp_probe.h */
	DP_PUNT_RESOLVE,    /**< packet to send whose next hop has no MAC; data at IP header */
};
struct dp_punt {
	/**
	 * Owned by the caller from now on; its first segment holds 128 bytes of the frame, Ethernet
	 * header included where it is gone, or all of it. NULL of a RESOLVE that is only to ask.
	 */
	struct rte_mbuf *m;
	enum dp_punt_class cls;
	uint16_t if_index;	   /**< received by; RESOLVE: leaves by */
	uint16_t group;		   /**< DP_NONE when cls is about an interface */
	struct base_addr next_hop; /**< RESOLVE; else family NONE */
	/** ADVERT of a group: from a source that dp_group_sources() named when it was received */
	bool known_source;
};
/**
 * Adverts waiting, visiting only groups with something in their rings, at most per_group of each.
 * Of a group, those from known sources come first, but a visit that takes more than one takes one
 * from an unknown source if there is any: a new peer must be heard beside busy known ones.
 * CARP frames of an interface for a vhid that is not configured come with group DP_NONE.
 * @return how many were written to out, at most cap
 */
uint32_t dp_poll_adverts(struct dp *dp, struct dp_punt *out, uint32_t cap, uint32_t per_group);
/**
 * Remember which adverts wait in the rings now: whoever is flooded never finds the rings empty, and
 * has still to know when he has read all that a horizon vouches for.
 * @cost  a look at each group's ready bit and at the rings of those that are set
 */
void dp_adverts_mark(struct dp *dp);
/** dp_poll_adverts() has given out every advert that waited at the last mark. */
bool dp_adverts_passed(const struct dp *dp);
/** The same for ARP, ND, membership queries and packets to resolve. */
uint32_t dp_poll_punts(struct dp *dp, struct dp_punt *out, uint32_t cap, uint32_t per_ring);
/** @} */

/** @name Sending from the control lcore. @{ */
/** An empty packet from the data plane's pool; NULL when there is none. */
struct rte_mbuf *dp_ctl_alloc(struct dp *dp);
/**
 * Send a whole frame out of an interface, by the control lcore's own TX queue or the hand-off ring.
 * @param group  of an advert, so that a later failure is counted to it; DP_NONE otherwise
 * @return 0: m is gone; -ENETDOWN no link, -ENOBUFS queue or ring full: m was freed.
 */
int dp_ctl_send(struct dp *dp, uint16_t if_index, struct rte_mbuf *m, uint16_t group);
/**
 * Adverts of this slot's groups that a worker took from the hand-off ring and could not send, ever.
 */
uint32_t dp_advert_send_failures(const struct dp *dp, uint16_t group);
/**
 * Send a held packet to a resolved next hop: writes the Ethernet header (source as the packet was
 * meant to have), sends by dp_ctl_send()'s ways. m from FIB_NBR_ACT_SEND.
 */
void dp_ctl_send_resolved(
	struct dp *dp, uint16_t if_index, struct rte_mbuf *m, const uint8_t mac[BASE_MAC_LEN]);
/** A held packet whose next hop did not answer: ICMP or ICMPv6 error if allowed, and free. */
void dp_ctl_unreachable(struct dp *dp, struct rte_mbuf *m);
/** Free a held packet that made room for a newer one, with its reason. */
void dp_ctl_hold_dropped(struct dp *dp, struct rte_mbuf *m);
/** fib_gateways() of the routes that the workers use. */
uint32_t dp_ctl_gateways(struct dp *dp, uint32_t *cursor, struct fib_gateway *out, uint32_t cap);
/** @} */

/**
 * @name The host path: called by the host thread only, which is no lcore.
 * Nothing is allocated or freed on the other side of a ring than where it came from: frames from
 * the kernel are in a pool that nobody but the host thread allocates from, frames to it come back.
 * @{
 */
#define DP_HOST_BURST	   32
#define DP_HOST_RING_SLOTS 256 /**< frames to the kernel that wait, by worker and interface */
/**
 * Frames for the kernel that a worker has for an interface, at most n. They are to be given back by
 * dp_host_done() with the same worker, before the next call with it.
 */
uint32_t dp_host_poll(
	struct dp *dp, uint16_t if_index, uint16_t worker, struct rte_mbuf **out, uint32_t n);
void dp_host_done(struct dp *dp, uint16_t worker, struct rte_mbuf *const *pkts, uint32_t n);
/**
 * A frame that the kernel sends by the tap of an interface, in one segment. Its Ethernet addresses
 * are not looked at.
 * @return true: m is gone; false: the ring is full and m is still the caller's
 */
bool dp_host_send(struct dp *dp, uint16_t if_index, struct rte_mbuf *m);
/** @} */
/** The interface's port has link. @thread any */
bool dp_has_link(const struct dp *dp, uint16_t if_index);
/** As dp_answer() said last: its VIPs are the kernel's too. @thread any */
bool dp_answers(const struct dp *dp, uint16_t group);
struct dp_host_stats {
	uint64_t to_host;   /**< frames that wait for the kernel, or waited */
	uint64_t paced;	    /**< dropped since it takes no more of them */
	uint64_t from_host; /**< frames of the kernel that were let through */
	uint64_t refused;   /**< dropped, each with its reason */
};
/** @thread any */
void dp_host_stats(const struct dp *dp, uint16_t if_index, struct dp_host_stats *out);

/**
 * Up to when frames received by this interface are known to have been handed to the rings: the
 * oldest, over the workers that poll it, start of a finished turn that emptied the queue (or read
 * as many frames as the queue has descriptors). 0 before the first turn.
 * @thread any
 */
base_ns_t dp_rx_horizon(const struct dp *dp, uint16_t if_index);
/**
 * Start of the last finished turn of the workers that poll this interface, the oldest of them: who
 * stands still falls behind, who is only busy does not. 0 before the first turn.
 * @thread any
 */
base_ns_t dp_rx_alive(const struct dp *dp, uint16_t if_index);
/**
 * Start of the turn in which the last frame of another host was received on the interface; 0 =
 * never. Not counted: frames to 01:80:c2:00:00:00 to 0f, which bridges send of themselves; frames
 * from a MAC of our own, that is the interface's or the vMAC of a configured group, a peer's
 * adverts among them; frames with the VLAN tag of another interface.
 * @thread any
 */
base_ns_t dp_last_frame(const struct dp *dp, uint16_t if_index);

/** @name Counters, read by management. @{ */
struct dp_stats {
	/** Bytes are those that the device gave and got: with a tag that it does not handle. */
	uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;
	uint64_t forwarded;  /**< routed and sent */
	uint64_t fragmented; /**< IPv4 packets sent on in fragments, and freed */
	uint64_t fragments;  /**< made of them */
	uint64_t echo_replies, icmp_errors;
	uint64_t icmp_limited;	/**< errors not sent: over the rate */
	uint64_t icmp_withheld; /**< errors not sent: not allowed, or without a way or address */
	uint64_t punted_adverts;
	uint64_t punted_arp;   /**< ARP, ND, IGMP and MLD */
	uint64_t punted_probe; /**< answers to echo requests of the control lcore */
	uint64_t punted_resolve;
	uint64_t to_host, from_host; /**< as dp_host_stats */
	uint64_t handed_over;	     /**< frames a worker passed to another worker's TX queue */
	uint64_t drops[DP_DROP_COUNT];
};
/** Sum over workers and control lcore. */
void dp_stats_sum(const struct dp *dp, struct dp_stats *out);
void dp_stats_worker(const struct dp *dp, uint16_t worker, struct dp_stats *out);
/** Bursts of no packet, of one, 2 to 3, 4 to 7, ... and of DP_BURST. */
#define DP_BURST_SIZES 7
struct dp_worker_info {
	uint16_t n_rxq;
	uint64_t turns, empty_turns, sleeps;
	uint64_t busy_ns, idle_ns;
	uint64_t bursts[DP_BURST_SIZES]; /**< by size, what each poll of a queue gave */
	base_ns_t longest_turn_ns;	 /**< since dp_longest_turn_forget() */
	base_ns_t last_turn;
};
void dp_worker_info(const struct dp *dp, uint16_t worker, struct dp_worker_info *out);
uint16_t dp_worker_count(const struct dp *dp);
/** Every worker forgets its longest turn before its next one. @thread management, one at a time */
void dp_longest_turn_forget(struct dp *dp);
/** How often it was asked to: who counts turns elsewhere does the same. @thread any */
uint32_t dp_longest_turn_asked(const struct dp *dp);
/** @} */

/** The clock that workers and control lcore share: CLOCK_MONOTONIC, read without a system call. */
base_ns_t dp_clock(void);

#endif
