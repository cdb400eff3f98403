/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef FIB_H
#define FIB_H

#include <stdbool.h>
#include <stdint.h>

#include "base_addr.h"

/**
 * @file
 * Routes: longest-prefix tables of IPv4 and IPv6, looked up by workers while one thread changes
 * them. A bare IPv4 address is in host order, an IPv6 address is 16 bytes.
 */

struct rte_rcu_qsbr;

enum fib_nh_type {
	FIB_NH_NONE = 0,    /**< no route; number 0 always has this type */
	FIB_NH_LOCAL,	    /**< an address of ours: an interface's own, or a VIP */
	FIB_NH_CONNECTED,   /**< the destination itself is the next hop */
	FIB_NH_GATEWAY,	    /**< through a router */
	FIB_NH_DROP,	    /**< network, broadcast or anycast address of a subnet */
	FIB_NH_MULTI,	    /**< through one of several routers, by flow */
	FIB_NH_BLACKHOLE,   /**< dropped without a word */
	FIB_NH_UNREACHABLE, /**< dropped, and the sender is told that it is unreachable */
	FIB_NH_PROHIBIT,    /**< dropped, and the sender is told that it is forbidden */
};

#define FIB_GROUP_NONE UINT16_MAX
/** Routers of one route. */
#define FIB_PATHS_MAX 16

/** A next hop. Routes with equal next hops share one. */
struct fib_nh {
	uint8_t type;	   /**< enum fib_nh_type */
	uint16_t if_index; /**< interface it leaves by, or of the local address */
	uint16_t group; /**< group whose VIP a LOCAL address is; FIB_GROUP_NONE for own addresses */
	uint8_t n_paths; /**< of MULTI: 2 to FIB_PATHS_MAX */
	uint8_t family;	 /**< of a GATEWAY that is in a table: the route's */
	union {
		uint32_t gateway;	    /**< GATEWAY of an IPv4 route: the router's address */
		uint8_t gateway6[16];	    /**< GATEWAY of an IPv6 route */
		const struct fib_nh *paths; /**< MULTI: GATEWAYs, each another */
	};
	/** Of one that was looked up: never that of another, however often its place is used. */
	uint64_t serial;
};

/** The router of a GATEWAY that is in a table. */
static inline struct base_addr
fib_nh_gateway(const struct fib_nh *nh)
{
	return nh->family == BASE_FAMILY_IP4 ? base_addr_from_ip4(nh->gateway)
					     : base_addr_from_ip6(nh->gateway6);
}

/** A route to build from; when two have the same prefix, the earlier in the list wins. */
struct fib_route {
	struct base_prefix prefix; /**< host bits are ignored */
	struct fib_nh nh;
};

/** Numbers of next hops are below this. */
#define FIB_NUMBERS 32768

struct fib;

/**
 * Build the tables. IPv4 takes 16 MiB or more, IPv6 256 KiB or more where it has routes, next hops
 * 1 MiB.
 * @param qsbr       RCU state in which every thread that looks up reports; NULL when nobody looks
 *                   up while routes are changed
 * @param err        filled on failure
 * @return the table, or NULL with the reason in err: out of memory, over 32,767 distinct next hops,
 *         a prefix length over 32 or 128, a next hop that is none.
 * @thread main or builder thread
 */
struct fib *fib_build(const struct fib_route *routes, uint32_t n, struct rte_rcu_qsbr *qsbr,
	int socket_id, char *err, unsigned int err_len);
/** NULL is fine. @thread main or builder thread, when nobody looks up any more */
void fib_free(struct fib *f);

/**
 * Look up n destinations.
 * @param nhs  one pointer per destination, never NULL: FIB_NH_NONE where there is no route; good
 *             until the thread reports that it is quiescent
 * @thread any number of workers at once
 * @cost one memory read per address, two for prefixes over /24
 */
void fib_lookup(const struct fib *f, const uint32_t *dst, const struct fib_nh **nhs, uint32_t n);

/**
 * The same for IPv6.
 * @cost one memory read per address, and one for each eight bits over 16 of what is longest there
 */
void fib_lookup6(
	const struct fib *f, const uint8_t (*dst)[16], const struct fib_nh **nhs, uint32_t n);

/** @name The same, with next hops by number: places in fib_next_hops(), good for as long. @{ */
void fib_numbers(const struct fib *f, const uint32_t *dst, uint32_t *numbers, uint32_t n);
void fib_numbers6(const struct fib *f, const uint8_t (*dst)[16], uint32_t *numbers, uint32_t n);
/** The table never moves. */
const struct fib_nh *fib_next_hops(const struct fib *f);
/**
 * How many numbers were taken out of use. A thread that reports when it is quiescent, and asks
 * this after each time, finds it changed before a number is another next hop's.
 */
uint32_t fib_retired(const struct fib *f);
/** @} */

/** A router that routes lead through. */
struct fib_gateway {
	uint16_t if_index;
	struct base_addr addr;
};
/**
 * Some of the routers that routes lead through: whoever is one during a whole round is told once,
 * however many routes lead there.
 * @param cursor  where to go on: 0 at first, and again after the last one
 * @return how many were written, at most cap; maybe none, though there are more
 * @thread one that reports to the RCU state and does not while it is here; the one that changes
 *         them
 * @cost of 256 next hops at most, and no routes
 */
uint32_t fib_gateways(const struct fib *f, uint32_t *cursor, struct fib_gateway *out, uint32_t cap);

/** @name Changes: one thread at a time, while workers look up. @{ */
enum fib_op {
	FIB_SET = 0, /**< the route is there, whether it was or not */
	FIB_REMOVE,
};
struct fib_change {
	enum fib_op op;
	bool runtime;		/**< SET: by a command, and not in the file */
	struct fib_route route; /**< REMOVE: the prefix alone */
};
/**
 * Change routes, all of them or none. Each address has its old route or its new one at any time,
 * and addresses that no change is about keep theirs. Routes to addresses and subnets of interfaces
 * and groups stay as they were built.
 * @param c  each prefix once
 * @return 0, or with the reason in err: -ENOENT no such route to remove; -EPERM a route that stays;
 *         -EINVAL what fib_build() refuses; -E2BIG next hops; -ENOMEM
 */
int fib_change(
	struct fib *f, const struct fib_change *c, uint32_t n, char *err, unsigned int err_len);
/** What fib_replace() did, in routes but for those to addresses and subnets. */
struct fib_replaced {
	uint32_t kept, changed, added, removed;
};
/** What puts back the routes that were there, those of commands too. */
struct fib_undo;
/**
 * The same of all routes, those to addresses and subnets too, so that the list is all that there
 * is; of a prefix that is in it twice the earlier one wins. Those that are in both are not touched.
 * @param only_count  tell what would be done, and do nothing
 * @param undo        of what was done, for fib_undo(); NULL where nobody wants it
 */
int fib_replace(struct fib *f, const struct fib_route *routes, uint32_t n, bool only_count,
	struct fib_replaced *done, struct fib_undo **undo, char *err, unsigned int err_len);
/**
 * Each prefix that was changed has its route of before again, or none; others, which may have been
 * changed meanwhile, are not touched.
 * @param u     of this table; gone afterwards. NULL is fine
 * @param back  else it is only freed
 * @return as fib_change(): what was there has room there, but for want of memory
 */
int fib_undo(struct fib *f, struct fib_undo *u, bool back, char *err, unsigned int err_len);
/** @} */

/** @name The routes: on the thread that changes them, or while it cannot. @{ */
uint32_t fib_route_count(const struct fib *f);
/** Those that a command set. */
uint32_t fib_runtime_count(const struct fib *f);
/**
 * The i-th route, IPv4 first, by prefix then length, host bits cleared.
 * @param runtime  NULL, or whether a command set it
 * @return false past the end
 */
bool fib_route_get(const struct fib *f, uint32_t i, struct fib_route *out, bool *runtime);
/** Where the first route at or after a prefix stands; fib_route_count() when there is none. */
uint32_t fib_route_find(const struct fib *f, const struct base_prefix *p);
/** The same of the longest route that holds an address; fib_route_count() when none does. */
uint32_t fib_route_match(const struct fib *f, const struct base_addr *a);
struct fib_memory {
	uint64_t tables; /**< bytes of DPDK's memory */
	uint32_t next_hops, nodes4, nodes6;
	uint32_t rebuilt; /**< times that a table had to be made anew, larger */
};
void fib_memory(const struct fib *f, struct fib_memory *out);
/** @} */

#endif
