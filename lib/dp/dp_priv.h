/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DP_PRIV_H
#define DP_PRIV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_config.h>
#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>

#include "base_addr.h"
#include "base_bytes.h"
#include "base_time.h"
#include "dp.h"
#include "dp_capture.h"
#include "dp_probe.h"
#include "dp_roster_priv.h"
#include "fib.h"
#include "fib_nbr.h"
#include "wire.h"
#include "wire6.h"

/*
 * Ring sizes in slots; a ring holds one entry less. With their heads the three rings of a group
 * take 3,968 bytes, so that 1,024 groups take 4.1 MB per worker.
 */
#define DP_KNOWN_RING_SLOTS   256 /* adverts of a group from known sources */
#define DP_UNKNOWN_RING_SLOTS 64  /* adverts of a group from others, or of an interface */
#define DP_GROUP_RING_SLOTS   32
#define DP_IF_PUNT_RINGS      4
#define DP_IF_RING_SLOTS      256 /* each of those */
#define DP_HANDOFF_RING_SLOTS 1024
/** Frames that a worker takes from its hand-off ring in one turn, at most. */
#define DP_HANDOFF_BUDGET 256

/** Headers that stages may read and write in place: Ethernet, IPv4 with options, and a bit. */
#define DP_HEADERS_MAX 128

/** What a frame that leaves the common path carries along, in the mempool's private area. */
enum dp_kind {
	DP_KIND_ORIGINATED = 0, /**< built here */
	DP_KIND_FORWARDED,	/**< routed through; counts as such once sent */
	DP_KIND_ADVERT,		/**< advert of .group: a failure is counted to it */
	DP_KIND_ASK,		/**< RESOLVE: no packet, only the wish to know the next hop */
};
struct dp_meta {
	struct base_addr next_hop; /**< RESOLVE; its family is the packet's */
	uint16_t group;		   /**< ADVERT */
	/** Leaves with this group's vMAC as source; DP_NONE: with the interface's MAC. */
	uint16_t src_group;
	uint8_t kind; /**< enum dp_kind */
};

/* Private area of a packet from a mempool that dp_create() or its caller vouched for. */
static inline struct dp_meta *
dp_meta(struct rte_mbuf *m)
{
	return rte_mbuf_to_priv(m);
}

/** @name Configuration: constant after dp_create(), but for the atomics. @{ */
#define DP_IF_NONE UINT8_MAX
struct dp_port {
	uint16_t port_id;
	uint16_t n_txq;
	uint16_t if_index; /**< the untagged interface; DP_NONE: such frames belong to nobody */
	bool control_txq;
	bool vlan_insert, nudge;
	/** Interface by tag, the untagged one at 0; DP_IF_NONE. NULL: none has a tag. */
	const uint8_t *vlans;
	_Atomic bool link_up;  /**< control lcore: wo, workers: ro */
	_Atomic bool detached; /**< the same; it is not polled */
	uint64_t detach_token; /**< control lcore: workers that were quiescent since have seen it */
};

/** Out of service: neither asked for frames nor given any. */
static inline bool
dp_port_detached(const struct dp_port *p)
{
	return atomic_load_explicit(&p->detached, memory_order_acquire);
}

struct dp_if {
	uint16_t index;
	uint16_t slot; /**< of its port in dp->ports */
	uint16_t vlan; /**< its tag, 0: none */
	uint16_t mtu;
	uint8_t mac[BASE_MAC_LEN];
	bool host;	   /**< see dp_if_config */
	_Atomic bool down; /**< by dp_if_set(); control lcore: wo, others: ro */
	uint64_t mac_word; /**< mac as dp_mac_word() reads it */
	/** By vhid, whatever slot its group has; control lcore: wo, workers: ro. */
	_Atomic uint64_t owned[4];
} __rte_cache_aligned;

/** An operator took it down. */
static inline bool
dp_if_down(const struct dp_if *i)
{
	return atomic_load_explicit(&i->down, memory_order_acquire);
}

/** What a slot keeps while other groups are taken in or out. */
struct dp_slot {
	_Atomic bool answering;		/**< control lcore: wo, workers: ro */
	_Atomic uint32_t send_failures; /**< adverts lost between hand-off ring and device */
	/** Known sources of adverts, by dp_known_ip4() or 6(); 0: none. control: wo, workers: ro */
	_Atomic uint64_t known[DP_KNOWN_MAX];
};
/** @} */

/** Two classes of rings, so that punts can never delay adverts. */
enum dp_set_id {
	/** Rings: groups, interfaces (vhids that are not configured), groups' unknown sources. */
	DP_SET_ADVERTS = 0,
	DP_SET_PUNTS, /**< rings: groups, interfaces' ARP, answers to them, packets to resolve */
	DP_SET_COUNT
};
struct dp_set {
	struct rte_ring **rings;
	/** Set by the producer, cleared by control: one bit per ring, but for a group's two. */
	_Atomic uint64_t *ready;
	/** Adverts only, control lcore: what of the last mark is still in each ring. */
	uint16_t *owed;
};
/** The rings of one producer. Control has one of its own, for what it has to resolve itself. */
struct dp_source {
	struct dp_set set[DP_SET_COUNT];
	void *block;
};
/** Where control continues its round. @thread control lcore */
struct dp_cursor {
	uint32_t word, bit;
};

struct dp_rxq {
	uint16_t port_id, queue, slot;
	uint32_t n_desc;
	uint32_t since_mark; /**< frames read since mark, at most about n_desc */
	/** Start of a turn: what was in the queue then has been read n_desc frames later. */
	base_ns_t mark;
	base_ns_t horizon;
};

/** Frames waiting for the end of the turn, per port. */
struct dp_txbuf {
	uint16_t n;
	uint32_t originated; /**< bit i: m[i] was built here */
	uint32_t bytes;
	struct rte_mbuf *m[DP_BURST];
};

/**
 * What a next hop makes of a frame: its Ethernet addresses as they go there, destination and first
 * two bytes of the source, then the rest of the source; how long it may be; and where it leaves.
 * The key is epoch and next hop, so that an entry of an earlier epoch is no match.
 */
struct dp_hop {
	uint64_t key;
	uint64_t l2_head;
	uint32_t l2_tail;
	uint32_t len_max; /**< bytes of a frame, without a tag */
	uint16_t out;	  /**< interface */
} __rte_aligned(32);
/** An IPv6 address on a link; the key is epoch and interface. */
struct dp_hop6 {
	struct dp_hop hop;
	uint64_t hi, lo;
};
#define DP_HOP_CACHE_BITS 10
#define DP_HOP_EPOCH_BITS 15
/** The rest: the serial number of a gateway, of 48 bits; or this bit, 7 of DP_IF_MAX and 32 of an
 * address. */
#define DP_HOP_ADDRESS	(UINT64_C(1) << (63 - DP_HOP_EPOCH_BITS))
#define DP_HOP_EPOCH_NS BASE_NS_PER_MS

/** Rate limit, as the generic cell rate algorithm: one number. */
struct dp_bucket {
	base_ns_t cost, burst, next;
};

/** What an ICMP error is about; none of these takes the rate of another. */
enum dp_error {
	DP_ERROR_UNREACHABLE = 0,
	DP_ERROR_EXCEEDED,
	DP_ERROR_TOO_BIG,
	DP_ERROR_HEADER,
	DP_ERROR_COUNT
};

/**
 * All that one lcore writes. The control lcore has one too, for its sends and drops; that one
 * polls nothing.
 */
struct dp_lcore {
	struct dp *dp;
	uint16_t id;	 /**< worker number; dp->n_workers is the control lcore */
	uint32_t forgot; /**< dp.forget when the longest turn was last forgotten */
	uint16_t n_rxq;
	bool eights;   /**< frames are classified eight at a time, see dp_eights() */
	base_ns_t now; /**< start of the turn */
	base_ns_t hop_epoch_end;
	base_ns_t
		nudge_at; /**< dp_tx_nudge() is due; BASE_NS_NEVER: no port wants it of this one */
	uint64_t hop_epoch;    /**< from 1, in place for the key */
	uint64_t capture;      /**< of dp, as this epoch has seen it */
	uint32_t states;       /**< of dp, as this epoch has seen it */
	uint32_t retired;      /**< of fib, the same */
	const struct fib *fib; /**< snapshots of this turn */
	const struct fib_nbr_table *nbr;
	const struct dp_roster *roster;
	const struct dp_if *in; /**< interface of the burst at hand */
	struct dp_source *src;
	struct rte_ring *handoff;
	struct dp_host *host; /**< NULL: no interface has a host path */
	struct dp_rxq *rxq;
	struct dp_txbuf *tx; /**< one per port */
	uint64_t flow_seed;  /**< as it was configured; here, where all that a worker reads is */
	struct dp_bucket icmp[DP_ERROR_COUNT], icmp6[DP_ERROR_COUNT];
	struct dp_bucket asks; /**< for next hops that packets go around */
	struct dp_capture
		*_Atomic capture_ring; /**< NULL until somebody captured; see dp_capture.c */
	uint64_t polls;		       /**< bit per port slot */
	/** @name Of each packet of IPv4 that classification let through. @{ */
	uint32_t dst[DP_BURST] __rte_aligned(32); /**< destination */
	uint32_t need[DP_BURST]; /**< frame bytes its way out must take; UINT32_MAX: no TTL left */
	uint32_t ttl[DP_BURST];	 /**< TTL, protocol and checksum as they leave, as in memory */
	/** @} */
	struct dp_hop *routers; /**< by number of the next hop; the control lcore has none */
	struct dp_hop hops[1 << DP_HOP_CACHE_BITS]; /**< addresses on links, and paths */
	uint16_t n6; /**< packets of IPv6 that it let through, these: */
	struct rte_mbuf *pkts6[DP_BURST] __rte_aligned(32);
	uint32_t need6[DP_BURST]; /**< as need; UINT32_MAX: something else is in its way */
	uint8_t dst6[DP_BURST][16];
	struct dp_hop6 hops6[1 << DP_HOP_CACHE_BITS];

	/* Written by this lcore, read by anyone, by relaxed atomics. */
	struct dp_stats c __rte_cache_aligned;
	struct dp_worker_info info;
	_Atomic base_ns_t horizon[DP_PORT_MAX]; /**< worker: wo by release, others: ro by acquire */
	_Atomic base_ns_t last_frame[DP_IF_MAX]; /**< worker: wo, others: ro */
} __rte_cache_aligned;

struct dp {
	uint16_t n_workers, n_ports, n_ifs;
	uint16_t n_groups; /**< slots */
	enum dp_idle idle;
	struct rte_mempool *pool;
	struct rte_rcu_qsbr *qsbr;
	uint32_t n_rings[DP_SET_COUNT];
	uint32_t n_bits[DP_SET_COUNT]; /**< ring n_bits + i shares the ready bit of ring i */
	uint32_t n_words[DP_SET_COUNT];
	struct rte_ring *host_down; /**< from the host thread to worker 0; m->port: interface */
	uint8_t slot_of_port[RTE_MAX_ETHPORTS];	    /**< UINT8_MAX: not ours */
	struct dp_lcore *lcores[DP_WORKER_MAX + 1]; /**< workers, then control */
	struct dp_source sources[DP_WORKER_MAX + 1];
	struct dp_slot *slots; /**< of groups */
	struct dp_if *ifs;
	uint8_t *vlans;			       /**< the tables of all ports */
	uint64_t seed;			       /**< of the fingerprints of IPv6 addresses */
	struct dp_cursor cursor[DP_SET_COUNT]; /**< control lcore */
	uint32_t adverts_owed;		       /**< control lcore: sum of dp_set.owed */
	_Atomic bool stopping;
	_Atomic uint64_t capture; /**< 0, or which frames to copy; management: wo, lcores: ro */
	_Atomic uint32_t forget;  /**< management: wo, lcores: ro */
	/** Answers that control waits for, see dp_probe.c; 0: none. control: wo, workers: ro */
	_Atomic uint64_t probes[DP_PROBES_MAX];
	_Atomic uint32_t states; /**< dp_own() and dp_answer() so far; control lcore: wo */
	/* Written by control or main, read by every worker once per turn. */
	const struct fib *_Atomic fib;
	const struct fib_nbr_table *_Atomic nbr;
	struct dp_roster *_Atomic roster;
	struct dp_port ports[DP_PORT_MAX];
};

/** The control lcore's block; it counts there and nowhere else. */
static inline struct dp_lcore *
dp_control(const struct dp *dp)
{
	return dp->lcores[dp->n_workers];
}

static inline bool
dp_lcore_is_control(const struct dp_lcore *lc)
{
	return lc->id == lc->dp->n_workers;
}

/** Add to a counter of one's own block so that readers never see it torn. */
static inline void
dp_count(uint64_t *c, uint64_t n)
{
	__atomic_store_n(c, *c + n, __ATOMIC_RELAXED);
}

/** What became of a frame that was received in this turn and copied (dp_capture.c). */
void dp_capture_settle(
	struct dp_lcore *lc, const struct rte_mbuf *m, enum dp_capture_fate fate, enum dp_drop why);

/** The fate of a frame that goes nowhere. */
static inline void
dp_drop(struct dp_lcore *lc, struct rte_mbuf *m, enum dp_drop why)
{
	dp_count(&lc->c.drops[why], 1);
	if (unlikely(lc->capture != 0))
		dp_capture_settle(lc, m, DP_CAPTURE_DROPPED, why);
	rte_pktmbuf_free(m);
}

static inline const struct dp_if_addrs *
dp_addrs(const struct dp_lcore *lc, const struct dp_if *f)
{
	return &lc->roster->ifs[f->index];
}

static inline bool
dp_group_owned(const struct dp_lcore *lc, uint16_t group)
{
	const struct dp_group *g = &lc->roster->groups[group];
	const struct dp_if *i = &lc->dp->ifs[g->if_index];

	return atomic_load_explicit(&i->owned[g->vhid / 64], memory_order_acquire) >>
		(g->vhid % 64) &
		1;
}

static inline bool
dp_group_answering(const struct dp *dp, uint16_t group)
{
	return atomic_load_explicit(&dp->slots[group].answering, memory_order_acquire);
}

/** The six bytes of a MAC, from a buffer of eight, as a number to compare. */
static inline uint64_t
dp_mac_word(const uint8_t *p)
{
	static const uint8_t bytes[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0};
	uint64_t v, mask;

	memcpy(&v, p, sizeof(v));
	memcpy(&mask, bytes, sizeof(mask));
	return v & mask;
}

/* dp_classify.c */
/** By an address's first byte: unicast, may be on a wire and be routed: not 0, 127, 169, 224 up. */
extern const bool dp_ip4_plain[256];
/** Unicast, and may be on a wire. */
static inline bool
dp_ip4_is_unicast(uint32_t ip)
{
	return dp_ip4_plain[ip >> 24] || ip >> 24 == 169;
}
/**
 * Give every frame of lc->in that is not to be routed its fate.
 * @return how many were kept, in order, at the front of pkts, with lc->dst[], need[] and ttl[]
 *         filled: IPv4 with a proven header in the first segment, both addresses unicast, no
 *         padding. Those of IPv6 are in lc->pkts6[], with need6[] and dst6[].
 */
uint16_t dp_classify(struct dp_lcore *lc, struct rte_mbuf **pkts, uint16_t n);

/** @return DP_DROP_COUNT, or what is wrong with an IPv4 header */
enum dp_drop dp_ip4_header_check(const uint8_t *ip, size_t in_segment, size_t in_packet);

/* dp_segments.c */
/**
 * Bring the headers of a packet in several segments into the first one. Payload moves only where
 * it stands in the way.
 */
void dp_headers_pull_up(struct rte_mbuf *m);
/** Cut a packet to len bytes, however its segments lie. */
void dp_frame_trim(struct rte_mbuf *m, uint32_t len);

/* dp_ip4.c */
/** Look at IPv4 options of a packet to be routed. @return false when it is gone, with its reason */
bool dp_ip4_options(struct dp_lcore *lc, struct rte_mbuf *m);

/** Fragments of one packet; what needs more is too big. */
#define DP_FRAGMENTS_MAX 64
/**
 * Cut an IPv4 packet without DF into fragments of at most mtu bytes (RFC 791 3.2), each a packet in
 * one segment, its Ethernet header to be written. m, at its Ethernet header, is gone.
 * @return how many; 0: m was dropped with its reason
 */
uint32_t dp_fragment(struct dp_lcore *lc, struct rte_mbuf *m, uint16_t mtu,
	struct rte_mbuf *out[DP_FRAGMENTS_MAX]);

/* dp_sender.c */
/** @name Look whether an address of which own_byte says yes is this box's at the moment. @{ */
bool dp_sender_is_own4(const struct dp_lcore *lc, uint32_t ip);
bool dp_sender_is_own6(const struct dp_lcore *lc, const uint8_t ip[16]);
/** @} */
/** Reverse-path check of what dp_classify() kept of lc->in. @return how many are left */
uint16_t dp_rp_filter4(struct dp_lcore *lc, struct rte_mbuf **pkts, uint16_t n);
void dp_rp_filter6(struct dp_lcore *lc);

static inline bool
dp_sender_own4(const struct dp_lcore *lc, const uint8_t *ip)
{
	return unlikely(lc->roster->own_byte[ip[15]]) &&
		dp_sender_is_own4(lc, base_load_be32(ip + 12));
}

static inline bool
dp_sender_own6(const struct dp_lcore *lc, const uint8_t *ip)
{
	return unlikely(lc->roster->own_byte[ip[23]]) && dp_sender_is_own6(lc, ip + 8);
}

/* dp_ip6.c */
/**
 * Give an IPv6 frame its fate, or keep it for dp_forward6(); its headers are in the first segment.
 * @param in_group  the Ethernet destination is multicast or broadcast
 */
void dp_ip6_classify(struct dp_lcore *lc, struct rte_mbuf *m, bool in_group);
/** Handle a packet to an address of this box; whose it is as in dp_echo6(). */
void dp_ip6_local(struct dp_lcore *lc, struct rte_mbuf *m, uint16_t if_index, uint16_t group);
/** An address of the interface, own or VIP; NULL when it is neither. */
const struct dp_ip6 *dp_ip6_find(const struct dp_if_addrs *in, const uint8_t *ip);

/** Keep a packet for dp_forward6(). */
static inline void
dp_ip6_keep(struct dp_lcore *lc, struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN);

	memcpy(lc->dst6[lc->n6], ip + 24, WIRE_IP6_ADDR_LEN);
	lc->need6[lc->n6] = ip[7] <= 1 || wire_ip6_is_link_local(ip + 8) ? UINT32_MAX : m->pkt_len;
	lc->pkts6[lc->n6++] = m;
}

/* dp_known.c */
/** A source address as dp_group.known has it; never 0. IPv4 addresses never collide. */
static inline uint64_t
dp_known_ip4(uint32_t ip)
{
	return UINT64_C(1) << 63 | ip;
}
uint64_t dp_known_ip6(const struct dp *dp, const uint8_t ip[WIRE_IP6_ADDR_LEN]);
bool dp_group_knows(const struct dp *dp, uint16_t group, uint64_t source);

/* dp_hop.c */
/** Take over the tables as they are now. */
void dp_snapshot(struct dp_lcore *lc, base_ns_t now);
/** Ethernet source of what is forwarded out of an interface, see dp_if_config.source_vmac. */
void dp_source_mac(const struct dp_lcore *lc, const struct dp_if *out, uint8_t mac[BASE_MAC_LEN]);

/* dp_forward.c */
/** Route what dp_classify() kept. */
void dp_forward(struct dp_lcore *lc, struct rte_mbuf **pkts, uint16_t n);
/** Where a packet to a destination goes. */
struct dp_route {
	const struct dp_if *out;
	struct base_addr hop;
	bool host; /**< to the kernel of this box, which has the address on the tap of out */
};
/** @return true and fills r, or false and the drop reason of a packet that we send ourselves */
bool dp_route_get(struct dp_lcore *lc, uint32_t dst, struct dp_route *r, enum dp_drop *why);
/** The same for IPv6; a link-local address is one of the link of the burst at hand. */
bool dp_route_get6(
	struct dp_lcore *lc, const uint8_t dst[16], struct dp_route *r, enum dp_drop *why);
/**
 * Send a packet of ours, its IP header complete at WIRE_ETH_LEN; the Ethernet header is written
 * here, from src_group's vMAC or the interface's MAC.
 */
void dp_originate(
	struct dp_lcore *lc, struct rte_mbuf *m, const struct dp_route *r, uint16_t src_group);

/* dp_forward6.c */
/** Route what dp_classify() kept of IPv6. */
void dp_forward6(struct dp_lcore *lc);

/* dp_icmp.c */
void dp_bucket_init(struct dp_bucket *b, uint32_t per_s);
/** Whether the rate allows one more; counts it if so. */
bool dp_bucket_take(struct dp_bucket *b, base_ns_t now);
/**
 * True when the checksum over len bytes from off verifies, continued from a partial sum, however
 * the segments lie.
 */
bool dp_packet_sum_ok(const struct rte_mbuf *m, uint32_t off, uint32_t len, uint32_t sum);
/**
 * Handle an echo request to an address of ours; m is gone.
 * @param if_index  whose address it is
 * @param group     whose VIP it is, DP_NONE or beyond when it is none
 */
void dp_echo(struct dp_lcore *lc, struct rte_mbuf *m, uint16_t if_index, uint16_t group);
/**
 * Send an ICMP error about m, whose IPv4 header is at ip_off, if RFC 1122 and the rate allow.
 * m stays the caller's.
 */
void dp_icmp_error(struct dp_lcore *lc, struct rte_mbuf *m, uint32_t ip_off, uint8_t type,
	uint8_t code, uint32_t rest);

/**
 * Whether an error of a cause may be sent, now that it is known whether there is a way for it;
 * counts it if not.
 * @param rates  lc->icmp or lc->icmp6
 */
bool dp_error_allowed(
	struct dp_lcore *lc, struct dp_bucket *rates, enum dp_error cause, bool possible);

/* dp_icmp6.c */
/**
 * Handle ICMPv6 to an address of ours, right after the IPv6 header; m is gone.
 * @param if_index  whose address it is
 * @param group     whose VIP it is, DP_NONE or beyond when it is none
 */
void dp_echo6(struct dp_lcore *lc, struct rte_mbuf *m, uint16_t if_index, uint16_t group);
/** As dp_icmp_error(), by RFC 4443; the IPv6 header is at ip_off. */
void dp_icmp6_error(struct dp_lcore *lc, struct rte_mbuf *m, uint32_t ip_off, uint8_t type,
	uint8_t code, uint32_t rest);

/* dp_roster.c */
/** The one that workers take over at their next turn. @thread control lcore or main */
static inline struct dp_roster *
dp_roster_now(const struct dp *dp)
{
	return atomic_load_explicit(&dp->roster, memory_order_acquire);
}

/* dp_punt.c */
/** Free what waits for the group of a slot. @thread control lcore */
void dp_group_flush(struct dp *dp, uint16_t group);
int dp_source_init(struct dp *dp, struct dp_source *s, bool all, int socket_id);
void dp_source_free(struct dp *dp, struct dp_source *s);
/** Hand m to control by a ring of lc's own; on a full ring m is freed with the reason. */
bool dp_punt(struct dp_lcore *lc, enum dp_set_id set, uint32_t ring, struct rte_mbuf *m,
	enum dp_drop full);
/** @param source  by dp_known_ip4() or dp_known_ip6() */
void dp_punt_advert(struct dp_lcore *lc, struct rte_mbuf *m, uint8_t vhid, uint64_t source);
void dp_punt_group_arp(struct dp_lcore *lc, struct rte_mbuf *m, uint16_t group);
void dp_punt_if_arp(struct dp_lcore *lc, struct rte_mbuf *m);
void dp_punt_answer(struct dp_lcore *lc, struct rte_mbuf *m);
void dp_punt_probe(struct dp_lcore *lc, struct rte_mbuf *m);
/** m still has an Ethernet header; its meta's src_group and kind are set by the caller. */
void dp_punt_resolve(struct dp_lcore *lc, struct rte_mbuf *m, const struct dp_if *out,
	const struct base_addr *next_hop);

/* dp_share.c */
/**
 * The group in whose name a frame to a VIP is handled: of those that share the VIP the one whose
 * vMAC the frame was sent to; for a frame to another MAC the first that answers.
 * @param group  the one that the route table names, for a VIP that is not shared
 */
uint16_t dp_share_group(
	const struct dp_lcore *lc, const uint8_t *frame, uint32_t ip, uint16_t group);
/** Whether no other box answers for a VIP of a group: all groups that have it answer here. */
bool dp_share_answered(const struct dp_lcore *lc, uint32_t ip, uint16_t group);

/*
 * dp_vlan.c: between here and the device, frames are as if there were no tags. They are taken out
 * at the one end and put in at the other.
 */
/** @return 0 or -ENOMEM */
int dp_vlan_init(struct dp *dp, const struct dp_config *c);
/**
 * Take the tag out of a frame that has one; *vlan is 0 where it has none, or a priority alone.
 * @return DP_DROP_COUNT, or why the frame cannot be used
 */
enum dp_drop dp_vlan_take(struct rte_mbuf *m, uint16_t *vlan);
/**
 * Take the tags out of a burst of a port that has interfaces with tags; those of no interface go.
 * @param ifs  the interface of each frame that stays, these in order at the front of pkts
 * @return how many stay
 */
uint16_t dp_vlan_sort(struct dp_lcore *lc, const struct dp_port *p, struct rte_mbuf **pkts,
	uint16_t n, uint8_t ifs[DP_BURST]);
/** Put the tag of the interface, if it has one, in. @return false: no room, m was dropped */
bool dp_vlan_insert(struct dp_lcore *lc, const struct dp_if *out, struct rte_mbuf *m);
static inline bool
dp_vlan_put(struct dp_lcore *lc, const struct dp_if *out, struct rte_mbuf *m)
{
	return likely(out->vlan == 0) || dp_vlan_insert(lc, out, m);
}

/* dp_tx.c */
/** Put a whole frame of our own in the buffer of its port. Workers only. */
void dp_tx_originated(struct dp_lcore *lc, const struct dp_if *out, struct rte_mbuf *m);
/** The same for up to DP_BURST forwarded frames, bytes long together. */
void dp_tx_forwarded(
	struct dp_lcore *lc, uint16_t out, struct rte_mbuf **pkts, uint16_t n, uint32_t bytes);
void dp_tx_flush_port(struct dp_lcore *lc, uint16_t slot);
void dp_tx_flush(struct dp_lcore *lc);
/** Give the drivers that want it a burst of nothing. */
void dp_tx_nudge(struct dp_lcore *lc);
/** Send what others handed over. @return frames taken from the ring */
uint32_t dp_handoff_drain(struct dp_lcore *lc);
/** Send from the control lcore; meta is set unless the port has a queue for control. */
int dp_ctl_output(struct dp_lcore *lc, const struct dp_if *out, struct rte_mbuf *m);

#endif
