/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef TEST_FIB_ROUTES_H
#define TEST_FIB_ROUTES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base_addr.h"
#include "fib.h"

/** @file Routes to try, and what a scan of their list says that a lookup must find. */

#define IP(a, b, c, d) \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
#define P4(ip, len)                                                                          \
	{                                                                                    \
		.addr = {BASE_FAMILY_IP4,                                                    \
			{(uint8_t)((ip) >> 24), (uint8_t)((ip) >> 16), (uint8_t)((ip) >> 8), \
				(uint8_t)(ip)}},                                             \
		.plen = (len)                                                                \
	}
#define P6(len, ...)                                                    \
	{                                                               \
		.addr = {BASE_FAMILY_IP6, {__VA_ARGS__}}, .plen = (len) \
	}

static inline struct fib_route
gateway(uint32_t prefix, uint8_t plen, uint32_t gw)
{
	return (struct fib_route){.prefix = {base_addr_from_ip4(prefix), plen},
		.nh = {.type = FIB_NH_GATEWAY,
			.if_index = 1,
			.group = FIB_GROUP_NONE,
			.gateway = gw}};
}

/* The gateway of the route that is found; 0 where none leads through one. */
static inline uint32_t
gateway_of(const struct fib *f, uint32_t dst)
{
	const struct fib_nh *nh;

	fib_lookup(f, &dst, &nh, 1);
	return nh->type == FIB_NH_GATEWAY ? nh->gateway : 0;
}

/* What a command changes. */
static inline void
command(struct fib *f, enum fib_op op, struct fib_route r)
{
	const struct fib_change c = {.op = op, .runtime = true, .route = r};
	char err[128];

	if (fib_change(f, &c, 1, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static inline bool
same_way(const struct fib_nh *a, const struct fib_nh *b)
{
	return a->type == b->type && a->if_index == b->if_index && a->group == b->group &&
		memcmp(a->gateway6, b->gateway6, sizeof(a->gateway6)) == 0;
}

static inline const struct fib_nh *
reference(const struct fib_route *routes, uint32_t n, uint32_t dst)
{
	static const struct fib_nh none = {.type = FIB_NH_NONE, .group = FIB_GROUP_NONE};
	const struct fib_route *best = NULL;

	for (uint32_t i = 0; i < n; i++) {
		const struct fib_route *r = &routes[i];

		if (((dst ^ base_addr_ip4(&r->prefix.addr)) & base_ip4_mask(r->prefix.plen)) != 0)
			continue;
		if (best == NULL || r->prefix.plen > best->prefix.plen)
			best = r;
	}
	return best != NULL ? &best->nh : &none;
}

static inline struct fib_route
gateway6(const struct base_prefix *prefix, uint8_t gw)
{
	struct fib_route r = {.prefix = *prefix,
		.nh = {.type = FIB_NH_GATEWAY, .if_index = 1, .group = FIB_GROUP_NONE}};

	r.nh.gateway6[0] = 0xfe;
	r.nh.gateway6[1] = 0x80;
	r.nh.gateway6[15] = gw;
	return r;
}

/* The first and the last address of a prefix. */
static inline void
ends6(const struct base_prefix *p, uint8_t first[16], uint8_t last[16])
{
	for (unsigned int i = 0; i < 16; i++) {
		unsigned int kept = p->plen > i * 8 ? p->plen - i * 8U : 0;
		uint8_t mask = (uint8_t)(kept >= 8 ? 0xff : 0xff00U >> kept);

		first[i] = (uint8_t)(p->addr.bytes[i] & mask);
		last[i] = (uint8_t)(first[i] | (uint8_t)~mask);
	}
}

static inline void
step6(uint8_t ip[16], bool up)
{
	for (unsigned int i = 16; i-- > 0;) {
		ip[i] = (uint8_t)(up ? ip[i] + 1 : ip[i] - 1);
		if (ip[i] != (up ? 0 : 0xff))
			break;
	}
}

static inline const struct fib_nh *
reference6(const struct fib_route *routes, uint32_t n, const uint8_t dst[16])
{
	static const struct fib_nh none = {.type = FIB_NH_NONE, .group = FIB_GROUP_NONE};
	const struct fib_route *best = NULL;

	for (uint32_t i = 0; i < n; i++) {
		uint8_t first[16], last[16];

		ends6(&routes[i].prefix, first, last);
		if (memcmp(dst, first, 16) < 0 || memcmp(dst, last, 16) > 0)
			continue;
		if (best == NULL || routes[i].prefix.plen > best->prefix.plen)
			best = &routes[i];
	}
	return best != NULL ? &best->nh : &none;
}

#endif
