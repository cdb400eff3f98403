/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef ADVERT_NODE_PRIV_H
#define ADVERT_NODE_PRIV_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth.h"
#include "base_bytes.h"
#include "ctl_advert.h"
#include "support.h"
#include "wire6.h"

/** @file A receiving node for tests of ctl_advert_check(), and a peer's adverts to it. */

#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define VIPS_MAX   8
#define GROUPS_MAX 4
#define FRAME_MAX  128

#define OFF_IP	  WIRE_ETH_LEN
#define OFF_CARP  (WIRE_ETH_LEN + WIRE_IP4_LEN)
#define OFF_CARP6 (WIRE_ETH_LEN + WIRE_IP6_LEN)

/* A receiving node: one interface and its groups. Allow is on, all groups listen. */
struct node {
	uint16_t vhid_group[256];
	bool listening[GROUPS_MAX];
	struct auth_group *auth[GROUPS_MAX];
	struct auth_counters own[GROUPS_MAX];
	const struct auth_counters *counters[GROUPS_MAX];
	uint16_t n_groups;
	uint8_t unicast[GROUPS_MAX];
	uint32_t own_ip4[2];
	uint8_t own_ip6[2][WIRE_IP6_ADDR_LEN];
	struct ctl_advert_scope scope;
};

static inline void
node_init(struct node *n)
{
	memset(n, 0, sizeof(*n));
	for (unsigned int v = 0; v < 256; v++)
		n->vhid_group[v] = ELECTION_NONE;
	n->scope = (struct ctl_advert_scope){
		.allow = true,
		.vhid_group = n->vhid_group,
		.listening = n->listening,
		.auth = n->auth,
		.counters = n->counters,
		.unicast = n->unicast,
		.own_ip4 = n->own_ip4,
		.own_ip6 = (const uint8_t(*)[WIRE_IP6_ADDR_LEN])n->own_ip6,
	};
}

static inline uint16_t
node_add_group(struct node *n, const uint8_t key[AUTH_KEY_LEN], uint8_t vhid,
	const struct base_addr *vips, uint16_t n_vips)
{
	uint16_t g = n->n_groups++;

	assert_true(g < GROUPS_MAX);
	n->vhid_group[vhid] = g;
	n->listening[g] = true;
	n->counters[g] = &n->own[g];
	n->auth[g] = auth_group_create(key, vhid, vips, n_vips);
	assert_non_null(n->auth[g]);
	return g;
}

static inline void
node_fini(struct node *n)
{
	for (uint16_t g = 0; g < n->n_groups; g++)
		auth_group_destroy(n->auth[g]);
}

/* The example's LAN side: vhid 1, password lanpasswd, 192.168.1.1. */
static inline void
node_init_lan(struct node *n)
{
	struct base_addr vip = support_addr("192.168.1.1");
	uint8_t key[AUTH_KEY_LEN];

	node_init(n);
	assert_int_equal(auth_key_from_pass("lanpasswd", key), 0);
	node_add_group(n, key, 1, &vip, 1);
}

/* A peer's advert for the first group of a node. Returns its length. */
static inline size_t
make_advert(struct node *n, uint8_t vhid, uint32_t src, uint64_t counter, uint8_t out[FRAME_MAX])
{
	struct wire_carp carp = {
		.version = WIRE_CARP_VERSION,
		.type = WIRE_CARP_TYPE,
		.vhid = vhid,
		.advskew = 100,
		.authlen = WIRE_CARP_AUTHLEN,
		.demotion = 3,
		.advbase = 1,
		.counter = counter,
	};
	struct wire_carp4_envelope env = {
		.ip_src = src, .ip_dst = WIRE_CARP_GROUP_IP4, .tos = WIRE_CARP_TOS};

	memcpy(env.eth_dst, wire_carp_mac4, WIRE_MAC_LEN);
	base_vmac(vhid, env.eth_src);
	assert_int_equal(auth_group_sign(n->auth[0], counter, carp.digest), 0);
	wire_carp4_frame_encode(&env, &carp, out);
	return WIRE_CARP4_FRAME_LEN;
}

/* The same over IPv6, to ff02::12. */
static inline size_t
make_advert6(struct node *n, uint8_t vhid, const char *src, uint64_t counter,
	enum wire_carp_sum sum, uint8_t out[FRAME_MAX])
{
	struct wire_carp carp = {
		.version = WIRE_CARP_VERSION,
		.type = WIRE_CARP_TYPE,
		.vhid = vhid,
		.advskew = 100,
		.authlen = WIRE_CARP_AUTHLEN,
		.demotion = 3,
		.advbase = 1,
		.counter = counter,
	};
	struct wire_carp6_envelope env = {.sum = sum};
	struct base_addr from = support_addr(src);

	memcpy(env.eth_dst, wire_carp_mac6, WIRE_MAC_LEN);
	base_vmac(vhid, env.eth_src);
	memcpy(env.ip_src, from.bytes, sizeof(env.ip_src));
	memcpy(env.ip_dst, wire_carp_group_ip6, sizeof(env.ip_dst));
	assert_int_equal(auth_group_sign(n->auth[0], counter, carp.digest), 0);
	wire_carp6_frame_encode(&env, &carp, out);
	return WIRE_CARP6_FRAME_LEN;
}

/* Checksums of a frame whose header fields were changed by hand. */
static inline void
fix_ip_sum(uint8_t *frame)
{
	size_t header_len = (size_t)(frame[OFF_IP] & 15) * 4;

	base_store_be16(frame + OFF_IP + 10, 0);
	base_store_be16(
		frame + OFF_IP + 10, wire_sum_fold(wire_sum(frame + OFF_IP, header_len, 0)));
}

static inline void
fix_carp_sum(uint8_t *frame)
{
	base_store_be16(frame + OFF_CARP + 6, 0);
	base_store_be16(
		frame + OFF_CARP + 6, wire_sum_fold(wire_sum(frame + OFF_CARP, WIRE_CARP_LEN, 0)));
}

/* Check a copy of exactly len bytes, so that a sanitizer sees a read past them. */
static inline enum ctl_stat
check(const struct node *n, const uint8_t *frame, size_t len, struct ctl_advert *out)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct ctl_advert none;
	enum ctl_stat got;

	assert_non_null(copy);
	memcpy(copy, frame, len);
	got = ctl_advert_check(copy, len, &n->scope, out ? out : &none);
	assert_memory_equal(copy, frame, len);
	free(copy);
	return got;
}

#endif
