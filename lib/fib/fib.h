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
 * Routes: longest-prefix tables of IPv4 (rte_fib) and IPv6 (a trie of our own), made together once
 * and then only read. A bare IPv4 address is in host order, an IPv6 address is 16 bytes.
 */

enum fib_nh_type {
	FIB_NH_NONE = 0,  /**< no route; id 0 always has this type */
	FIB_NH_LOCAL,	  /**< an address of ours: an interface's own, or a VIP */
	FIB_NH_CONNECTED, /**< the destination itself is the next hop */
	FIB_NH_GATEWAY,	  /**< through a router */
	FIB_NH_DROP,	  /**< network, broadcast or anycast address of a connected subnet */
};

#define FIB_GROUP_NONE UINT16_MAX

/** A next hop. Routes with equal next hops share one. */
struct fib_nh {
	uint8_t type;	   /**< enum fib_nh_type */
	uint16_t if_index; /**< interface it leaves by, or of the local address */
	uint16_t group; /**< group whose VIP a LOCAL address is; FIB_GROUP_NONE for own addresses */
	uint32_t gateway;     /**< GATEWAY of an IPv4 route: the router's address */
	uint8_t gateway6[16]; /**< GATEWAY of an IPv6 route */
};

/** A route to build from; when two have the same prefix, the earlier in the list wins. */
struct fib_route {
	struct base_prefix prefix; /**< host bits are ignored */
	struct fib_nh nh;
};

struct fib;

/**
 * Build the tables. IPv4 takes 16 MiB or more, IPv6 256 KiB or more where it has routes.
 * @param name       unique among live tables, at most 20 bytes
 * @param err        filled on failure
 * @return the table, or NULL with the reason in err: out of memory, over 32,767 distinct next hops,
 *         a name in use or too long, a prefix length over 32 or 128.
 * @thread main or builder thread
 */
struct fib *fib_build(const char *name, const struct fib_route *routes, uint32_t n, int socket_id,
	char *err, unsigned int err_len);
/** NULL is fine. @thread main or builder thread, when nobody looks up any more */
void fib_free(struct fib *f);

/**
 * Look up n destinations.
 * @param nhs  one pointer per destination, never NULL: FIB_NH_NONE where there is no route
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

/** The routes, IPv4 first, by prefix then length, host bits cleared; NULL past the end.
 * @thread any */
uint32_t fib_route_count(const struct fib *f);
const struct fib_route *fib_route_get(const struct fib *f, uint32_t i);

#endif
