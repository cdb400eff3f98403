/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "wire6.h"

#include <string.h>

#include "base_bytes.h"

#define HOP_LIMIT 255

/* The flags are in the word after the checksum, which a solicitation leaves zero. */
#define FLAG_ROUTER    UINT32_C(0x80000000)
#define FLAG_SOLICITED UINT32_C(0x40000000)
#define FLAG_OVERRIDE  UINT32_C(0x20000000)

#define OFF_TARGET 8

/* Options: type, length in units of eight bytes, six bytes here. */
#define OPTION_LEN	     8
#define OPTION_SOURCE_LLADDR 1
#define OPTION_TARGET_LLADDR 2
#define OPTION_NONCE	     14

/* Which link-layer option a message carries, RFC 4861 4.3 and 4.4. */
static uint8_t
lladdr_option(uint8_t type)
{
	return type == WIRE_ICMP6_NS ? OPTION_SOURCE_LLADDR : OPTION_TARGET_LLADDR;
}

/* Keep the option if it is one that we know and this is the first of its kind. */
static void
keep_option(const uint8_t *p, struct wire_nd *nd)
{
	if (p[0] == lladdr_option(nd->type) && !nd->has_lladdr) {
		memcpy(nd->lladdr, p + 2, WIRE_MAC_LEN);
		nd->has_lladdr = true;
	} else if (p[0] == OPTION_NONCE && !nd->has_nonce) {
		memcpy(nd->nonce, p + 2, WIRE_ND_NONCE_LEN);
		nd->has_nonce = true;
	}
}

static bool
options_decode(const uint8_t *p, size_t len, struct wire_nd *nd)
{
	while (len > 0) {
		size_t option_len;

		if (len < 2 || p[1] == 0)
			return false;
		option_len = (size_t)p[1] * OPTION_LEN;
		if (option_len > len)
			return false;
		/* Addresses of other lengths are not Ethernet's, other nonces not looked at. */
		if (option_len == OPTION_LEN)
			keep_option(p, nd);
		p += option_len;
		len -= option_len;
	}
	return true;
}

/* RFC 4861 7.1.1: who has no address yet may probe for one, and nothing else. */
static bool
source_allowed(const struct wire_ip6 *ip, const struct wire_nd *nd)
{
	return nd->type != WIRE_ICMP6_NS || !wire_ip6_is_unspecified(ip->src) ||
		(wire_ip6_is_solicited_node(ip->dst) && !nd->has_lladdr);
}

enum wire_nd_result
wire_nd_decode(const struct wire_ip6 *ip, const uint8_t *p, struct wire_nd *out)
{
	struct wire_icmp6 icmp;
	struct wire_nd nd = {0};
	size_t len = ip->payload_len;

	if (ip->next != WIRE_PROTO_ICMP6 || !wire_icmp6_decode(p, len, &icmp) ||
		(icmp.type != WIRE_ICMP6_NS && icmp.type != WIRE_ICMP6_NA))
		return WIRE_ND_OTHER;
	if (len < WIRE_ND_LEN)
		return WIRE_ND_TRUNCATED;
	if (ip->hop_limit != HOP_LIMIT)
		return WIRE_ND_BAD_HOP_LIMIT;
	if (!wire_icmp6_sum_ok(p, len, ip->src, ip->dst))
		return WIRE_ND_BAD_CHECKSUM;
	if (icmp.code != 0)
		return WIRE_ND_BAD_CODE;

	nd.type = icmp.type;
	memcpy(nd.target, p + OFF_TARGET, WIRE_IP6_ADDR_LEN);
	if (nd.type == WIRE_ICMP6_NA) {
		nd.router = (icmp.rest & FLAG_ROUTER) != 0;
		nd.solicited = (icmp.rest & FLAG_SOLICITED) != 0;
		nd.override = (icmp.rest & FLAG_OVERRIDE) != 0;
	}
	if (wire_ip6_is_multicast(nd.target))
		return WIRE_ND_BAD_TARGET;
	if (!options_decode(p + WIRE_ND_LEN, len - WIRE_ND_LEN, &nd))
		return WIRE_ND_BAD_OPTION;
	if (!source_allowed(ip, &nd))
		return WIRE_ND_BAD_SOURCE;
	if (nd.solicited && wire_ip6_is_multicast(ip->dst))
		return WIRE_ND_BAD_FLAGS;
	*out = nd;
	return WIRE_ND_OK;
}

static size_t
option_encode(uint8_t type, const uint8_t value[OPTION_LEN - 2], uint8_t *out)
{
	out[0] = type;
	out[1] = 1;
	memcpy(out + 2, value, OPTION_LEN - 2);
	return OPTION_LEN;
}

size_t
wire_nd_frame_encode(const struct wire_nd_envelope *env, const struct wire_nd *nd,
	uint8_t out[WIRE_ND_FRAME_MAX])
{
	struct wire_eth eth = {.type = WIRE_ETHERTYPE_IP6};
	struct wire_ip6 ip = {.next = WIRE_PROTO_ICMP6, .hop_limit = HOP_LIMIT};
	struct wire_icmp6 icmp = {
		.type = nd->type,
		.rest = (nd->router ? FLAG_ROUTER : 0) | (nd->solicited ? FLAG_SOLICITED : 0) |
			(nd->override ? FLAG_OVERRIDE : 0),
	};
	uint8_t *p = out + WIRE_ETH_LEN + WIRE_IP6_LEN;
	size_t len = WIRE_ND_LEN;

	memcpy(p + OFF_TARGET, nd->target, WIRE_IP6_ADDR_LEN);
	if (nd->has_lladdr)
		len += option_encode(lladdr_option(nd->type), nd->lladdr, p + len);
	if (nd->has_nonce)
		len += option_encode(OPTION_NONCE, nd->nonce, p + len);

	memcpy(eth.dst, env->eth_dst, WIRE_MAC_LEN);
	memcpy(eth.src, env->eth_src, WIRE_MAC_LEN);
	memcpy(ip.src, env->ip_src, WIRE_IP6_ADDR_LEN);
	memcpy(ip.dst, env->ip_dst, WIRE_IP6_ADDR_LEN);
	ip.payload_len = (uint16_t)len;
	wire_eth_encode(&eth, out);
	wire_ip6_encode(&ip, out + WIRE_ETH_LEN);
	wire_icmp6_encode(&icmp, ip.src, ip.dst, p + WIRE_ICMP6_LEN, len - WIRE_ICMP6_LEN, p);
	return WIRE_ETH_LEN + WIRE_IP6_LEN + len;
}

/* A message with its link-layer option, from the MAC that the option names. */
static void
frame_with_lladdr(const uint8_t eth_dst[WIRE_MAC_LEN], const uint8_t mac[WIRE_MAC_LEN],
	const uint8_t ip_src[WIRE_IP6_ADDR_LEN], const uint8_t ip_dst[WIRE_IP6_ADDR_LEN],
	struct wire_nd nd, uint8_t out[WIRE_ND_FRAME_LEN])
{
	struct wire_nd_envelope env;
	uint8_t frame[WIRE_ND_FRAME_MAX];

	memcpy(env.eth_dst, eth_dst, WIRE_MAC_LEN);
	memcpy(env.eth_src, mac, WIRE_MAC_LEN);
	memcpy(env.ip_src, ip_src, WIRE_IP6_ADDR_LEN);
	memcpy(env.ip_dst, ip_dst, WIRE_IP6_ADDR_LEN);
	nd.has_lladdr = true;
	memcpy(nd.lladdr, mac, WIRE_MAC_LEN);
	wire_nd_frame_encode(&env, &nd, frame);
	memcpy(out, frame, WIRE_ND_FRAME_LEN);
}

void
wire_ns_frame_encode(const uint8_t mac[WIRE_MAC_LEN], const uint8_t ip_src[WIRE_IP6_ADDR_LEN],
	const uint8_t target[WIRE_IP6_ADDR_LEN], const uint8_t *eth_dst,
	uint8_t out[WIRE_ND_FRAME_LEN])
{
	struct wire_nd nd = {.type = WIRE_ICMP6_NS};
	uint8_t group[WIRE_IP6_ADDR_LEN], group_mac[WIRE_MAC_LEN];

	memcpy(nd.target, target, WIRE_IP6_ADDR_LEN);
	if (eth_dst != NULL) {
		frame_with_lladdr(eth_dst, mac, ip_src, target, nd, out);
		return;
	}
	wire_ip6_solicited_node(target, group);
	wire_ip6_group_mac(group, group_mac);
	frame_with_lladdr(group_mac, mac, ip_src, group, nd, out);
}

void
wire_na_answer_frame_encode(const struct wire_ip6 *ns_ip, const struct wire_nd *ns,
	const uint8_t eth_src[WIRE_MAC_LEN], const uint8_t mac[WIRE_MAC_LEN],
	const uint8_t ip_src[WIRE_IP6_ADDR_LEN], bool router, uint8_t out[WIRE_ND_FRAME_LEN])
{
	struct wire_nd nd = {
		.type = WIRE_ICMP6_NA, .router = router, .solicited = true, .override = true};

	if (wire_ip6_is_unspecified(ns_ip->src)) {
		wire_na_announce_frame_encode(mac, ip_src, ns->target, router, out);
		return;
	}
	memcpy(nd.target, ns->target, WIRE_IP6_ADDR_LEN);
	frame_with_lladdr(ns->has_lladdr ? ns->lladdr : eth_src, mac, ip_src, ns_ip->src, nd, out);
}

void
wire_na_announce_frame_encode(const uint8_t vmac[WIRE_MAC_LEN],
	const uint8_t ip_src[WIRE_IP6_ADDR_LEN], const uint8_t vip[WIRE_IP6_ADDR_LEN], bool router,
	uint8_t out[WIRE_ND_FRAME_LEN])
{
	struct wire_nd nd = {.type = WIRE_ICMP6_NA, .router = router, .override = true};
	uint8_t group_mac[WIRE_MAC_LEN];

	memcpy(nd.target, vip, WIRE_IP6_ADDR_LEN);
	wire_ip6_group_mac(wire_ip6_all_nodes, group_mac);
	frame_with_lladdr(group_mac, vmac, ip_src, wire_ip6_all_nodes, nd, out);
}
