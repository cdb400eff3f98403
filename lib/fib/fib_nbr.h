/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef FIB_NBR_H
#define FIB_NBR_H

#include <stdbool.h>
#include <stdint.h>

#include "base_addr.h"
#include "base_time.h"

/**
 * @file
 * Neighbours: (interface, address of either family) -> MAC. Written by the control lcore only,
 * read by every worker without a lock. The resolver below it (requests by ARP or ND, retries, held
 * packets) is plain code driven by events and time, like the election.
 */

struct rte_mbuf;
struct rte_rcu_qsbr;

/**
 * Packets held per unresolved next hop: a box that takes over knows few neighbours and must not
 * lose what comes while it asks, tens of ms where lcores share a CPU.
 */
#define FIB_NBR_HOLD_MAX     64
#define FIB_NBR_HOLD_TOTAL   1024 /**< packets held in all */
#define FIB_NBR_RETRIES	     3	  /**< requests, 1 s apart, before it is unreachable */
#define FIB_NBR_RETRY_NS     BASE_NS_PER_S
#define FIB_NBR_YIELD_NS     (250 * BASE_NS_PER_MS) /**< then it may make room for another */
#define FIB_NBR_REACHABLE_NS (60 * BASE_NS_PER_S)   /**< then asked again or left to age */
#define FIB_NBR_STALE_NS     (5 * BASE_NS_PER_S) /**< how often it is looked whether one is used */
#define FIB_NBR_IDLE_NS	     (1200 * BASE_NS_PER_S) /**< STALE and unused so long: forgotten */
#define FIB_NBR_UNPROVEN_NS  (60 * BASE_NS_PER_S)   /**< the same of one that never answered */
#define FIB_NBR_FAILED_NS    (3 * BASE_NS_PER_S)    /**< negative entry: dropped, not held */
/** Entries that one MAC may make known on an interface without being asked about any of them. */
#define FIB_NBR_MAC_UNPROVEN 32

enum fib_nbr_state {
	FIB_NBR_ABSENT = 0,
	FIB_NBR_INCOMPLETE, /**< asked, no answer yet; packets are held */
	FIB_NBR_REACHABLE,
	FIB_NBR_STALE,	/**< old, or said by itself, unasked; usable, and asked about once used */
	FIB_NBR_PROBE,	/**< used and old, asked again; still used */
	FIB_NBR_FAILED, /**< did not answer; forgotten after FIB_NBR_FAILED_NS */
	FIB_NBR_STATIC, /**< set by the operator; nothing that is heard changes it */
};

struct fib_nbr_table;

/**
 * The families have a part each, of the same size. In it an interface may hold at most its share
 * of the entries, max / if_count * 2 and never more than max; but max / if_count / 2 are kept for
 * each, so that whoever fills one interface's share leaves the others room. Of a share at most a
 * quarter may be INCOMPLETE or FAILED: a scan of a subnet uses up this part and no more, so it
 * neither evicts a live neighbour nor keeps one from being learned. Another quarter at most is of
 * hosts that nobody heard from but by their requests and solicitations, under addresses as they
 * please; of those at most FIB_NBR_MAC_UNPROVEN have the same MAC. One MAC has at most half the
 * share: whoever answers for every address that is scanned leaves the other half to the others.
 *
 * @param name   unique among live tables, at most 15 bytes
 * @param max    entries of each family, 1 to 1,048,576
 * @param qsbr   RCU state in which every worker reports; the place of a removed entry is used
 *               again only after it. NULL when nothing but the control lcore looks up.
 * @return the table, or NULL with errno: EINVAL, EEXIST (name), ENOMEM.
 * @thread main
 */
struct fib_nbr_table *fib_nbr_create(const char *name, uint32_t max, uint16_t if_count,
	struct rte_rcu_qsbr *qsbr, int socket_id);
/** Frees held packets too. @thread main, when nobody looks up any more */
void fib_nbr_destroy(struct fib_nbr_table *t);

/**
 * MAC of a neighbour for transmit, which marks it as used.
 * @return true and fills mac when it is known: REACHABLE, STALE, PROBE or STATIC; else false and
 *         mac is kept.
 * @thread any number of workers at once, each reporting to the table's qsbr; control lcore
 * @cost a hash lookup and two loads of one cache line; a store the first time since it was cleared
 */
bool fib_nbr_lookup(
	const struct fib_nbr_table *t, uint16_t if_index, uint32_t ip, uint8_t mac[BASE_MAC_LEN]);
/**
 * An entry of whatever state, one that was asked and has not answered too; marks nothing.
 * @thread as fib_nbr_lookup()
 */
bool fib_nbr_has(const struct fib_nbr_table *t, uint16_t if_index, uint32_t ip);
/** The same of IPv6. */
bool fib_nbr_has6(const struct fib_nbr_table *t, uint16_t if_index, const uint8_t ip[16]);
/** fib_nbr_lookup() of IPv6. */
bool fib_nbr_lookup6(const struct fib_nbr_table *t, uint16_t if_index, const uint8_t ip[16],
	uint8_t mac[BASE_MAC_LEN]);

/** What the resolver wants done. */
enum fib_nbr_action_type {
	FIB_NBR_ACT_REQUEST, /**< ask by ARP or solicitation; unicast to mac when has_mac */
	FIB_NBR_ACT_SEND,    /**< send this held packet to mac (Ethernet header not yet written) */
	FIB_NBR_ACT_FAIL,    /**< next hop unreachable: answer or free this packet */
	FIB_NBR_ACT_DROP,    /**< no room to hold this packet, or for its next hop: free it */
};
struct fib_nbr_action {
	enum fib_nbr_action_type type;
	uint16_t if_index;
	struct base_addr addr;
	bool has_mac;
	uint8_t mac[BASE_MAC_LEN];
	struct rte_mbuf *m; /**< SEND, FAIL, DROP: owned by the callee now */
};
/** Carries one action out at once; must not call back into the table. */
typedef void (*fib_nbr_act_fn)(void *arg, const struct fib_nbr_action *a);

/**
 * A packet whose next hop is not known to the worker that had it; ownership of m passes in and
 * comes back by exactly one SEND, FAIL or DROP, now or later. A full hold queue drops its oldest
 * packet, and so does whoever has the oldest of all when FIB_NBR_HOLD_TOTAL are held. Where as many
 * are asked for as may be, the first of those that did not answer within FIB_NBR_YIELD_NS is given
 * up for the new one; when there is none, or no entry left, the new packet is dropped. A next hop
 * that was found FAILED lately fails at once.
 * @param m  NULL: only ask, if the address is not known; no action but REQUEST follows from it
 * @thread control lcore
 */
void fib_nbr_resolve(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	struct rte_mbuf *m, base_ns_t now, fib_nbr_act_fn act, void *arg);

/**
 * Somebody asked for an address of ours, by ARP request or solicitation, and told his own address
 * and MAC (RFC 826, RFC 4861 7.2.3): what is new is STALE, and so is a MAC that changed. A MAC that
 * is no station's (group bit, all zero) and an address that is no host's change nothing.
 * @thread control lcore
 */
void fib_nbr_asker(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	const uint8_t mac[BASE_MAC_LEN], base_ns_t now, fib_nbr_act_fn act, void *arg);
/**
 * Any other word about who has an address: a neighbour advertisement (RFC 4861 7.2.5), an ARP reply
 * to us (solicited and override) or ARP among others, gratuitous ARP too (override). Nobody becomes
 * known by one; a MAC that is no station's changes nothing.
 * @param mac  NULL when it has none
 * @thread control lcore
 */
void fib_nbr_advertised(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	const uint8_t *mac, bool solicited, bool override, base_ns_t now, fib_nbr_act_fn act,
	void *arg);

/**
 * Keep an interface's neighbours fresh as if all of them were used: this box forwards nothing there
 * now, and may have to at any moment.
 * @thread control lcore
 */
void fib_nbr_warm(struct fib_nbr_table *t, uint16_t if_index, bool warm);

/** @name What operators want. @thread control lcore @{ */
/**
 * Make a STATIC entry, or make a known one STATIC; packets held for it are sent.
 * @return 0; -EINVAL a MAC of no station or an address of no host; -ENOSPC no entry left
 */
int fib_nbr_set(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	const uint8_t mac[BASE_MAC_LEN], base_ns_t now, fib_nbr_act_fn act, void *arg);
/**
 * Forget an entry, STATIC or not; packets held for it fail.
 * @return 0 or -ENOENT
 */
int fib_nbr_forget(struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr,
	base_ns_t now, fib_nbr_act_fn act, void *arg);
bool fib_nbr_is_static(
	const struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr);
/** ABSENT when there is none; marks nothing. */
enum fib_nbr_state fib_nbr_state_of(
	const struct fib_nbr_table *t, uint16_t if_index, const struct base_addr *addr);
#define FIB_NBR_IF_ALL UINT16_MAX
/**
 * Forget some of what was learnt; whoever is being asked for (INCOMPLETE) and STATIC entries stay.
 * Bounded work per call.
 * @param cursor  where to go on, 0 at first
 * @return true when there is more
 */
bool fib_nbr_clear(struct fib_nbr_table *t, uint16_t if_index, uint32_t *cursor);
/** @} */

/** Serve what is due; bounded work per call, the rest stays due. @thread control lcore */
void fib_nbr_tick(struct fib_nbr_table *t, base_ns_t now, fib_nbr_act_fn act, void *arg);
/** When fib_nbr_tick() has something to do next; BASE_NS_NEVER when idle. @thread control lcore */
base_ns_t fib_nbr_deadline(const struct fib_nbr_table *t);

/** A row for show neighbor. */
struct fib_nbr_row {
	uint16_t if_index;
	struct base_addr addr;
	enum fib_nbr_state state;
	uint8_t mac[BASE_MAC_LEN];
	uint16_t held;
	base_ns_t updated; /**< last time it was confirmed or asked */
};
/**
 * Rows from a cursor on (0 to begin); fills up to cap, returns how many, moves *cursor; 0 at the
 * end.
 * A row may be torn between states while it changes, never between MACs.
 * @thread any
 */
uint32_t fib_nbr_rows(
	const struct fib_nbr_table *t, uint32_t *cursor, struct fib_nbr_row *rows, uint32_t cap);
struct fib_nbr_stats {
	uint64_t requests;     /**< requests and solicitations asked for, to all and to one */
	uint64_t learned;      /**< neighbours that became known, or changed their MAC */
	uint64_t failed;       /**< neighbours that did not answer */
	uint64_t hold_dropped; /**< packets dropped for want of room to hold them */
	uint64_t table_full;   /**< next hops and senders refused, no entry left for them */
	uint64_t mac_full;     /**< the same: their MAC has as many as one may have */
	uint64_t aged;	       /**< forgotten because nobody used them */
	uint64_t held_ever;    /**< packets that had to wait for an answer */
	uint32_t entries;      /**< now */
	uint32_t held;	       /**< now, packets */
};
/** Counters, each by itself current. @thread any */
void fib_nbr_stats(const struct fib_nbr_table *t, struct fib_nbr_stats *out);
const char *fib_nbr_state_name(enum fib_nbr_state s);

#endif
