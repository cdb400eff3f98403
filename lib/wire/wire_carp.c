/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "wire.h"

#include <string.h>

#include "base_bytes.h"
#include "wire6.h"

/* Where the fields stand, protocol note 1.4. */
#define OFF_VERSION_TYPE 0
#define OFF_VHID	 1
#define OFF_ADVSKEW	 2
#define OFF_AUTHLEN	 3
#define OFF_DEMOTION	 4
#define OFF_ADVBASE	 5
#define OFF_CHECKSUM	 6
#define OFF_COUNTER	 8
#define OFF_DIGEST	 16

bool
wire_carp_decode(const uint8_t *p, size_t len, struct wire_carp *out)
{
	if (len < WIRE_CARP_LEN)
		return false;
	out->version = p[OFF_VERSION_TYPE] >> 4;
	out->type = p[OFF_VERSION_TYPE] & 0x0f;
	out->vhid = p[OFF_VHID];
	out->advskew = p[OFF_ADVSKEW];
	out->authlen = p[OFF_AUTHLEN];
	out->demotion = p[OFF_DEMOTION];
	out->advbase = p[OFF_ADVBASE];
	out->checksum = base_load_be16(p + OFF_CHECKSUM);
	out->counter = base_load_be64(p + OFF_COUNTER);
	memcpy(out->digest, p + OFF_DIGEST, WIRE_CARP_DIGEST_LEN);
	return true;
}

bool
wire_carp_sum_ok(const uint8_t p[WIRE_CARP_LEN])
{
	return wire_sum_fold(wire_sum(p, WIRE_CARP_LEN, 0)) == 0;
}

/* Encode with a checksum that goes on from a partial sum. */
static void
carp_encode_from(const struct wire_carp *h, uint32_t sum, uint8_t out[WIRE_CARP_LEN])
{
	out[OFF_VERSION_TYPE] = (uint8_t)(h->version << 4 | (h->type & 0x0f));
	out[OFF_VHID] = h->vhid;
	out[OFF_ADVSKEW] = h->advskew;
	out[OFF_AUTHLEN] = h->authlen;
	out[OFF_DEMOTION] = h->demotion;
	out[OFF_ADVBASE] = h->advbase;
	base_store_be16(out + OFF_CHECKSUM, 0);
	base_store_be64(out + OFF_COUNTER, h->counter);
	memcpy(out + OFF_DIGEST, h->digest, WIRE_CARP_DIGEST_LEN);
	base_store_be16(out + OFF_CHECKSUM, wire_sum_fold(wire_sum(out, WIRE_CARP_LEN, sum)));
}

void
wire_carp_encode(const struct wire_carp *h, uint8_t out[WIRE_CARP_LEN])
{
	carp_encode_from(h, 0, out);
}

static void
carp_eth_encode(const uint8_t dst[WIRE_MAC_LEN], const uint8_t src[WIRE_MAC_LEN], uint16_t type,
	uint8_t out[WIRE_ETH_LEN])
{
	struct wire_eth eth = {.type = type};

	memcpy(eth.dst, dst, WIRE_MAC_LEN);
	memcpy(eth.src, src, WIRE_MAC_LEN);
	wire_eth_encode(&eth, out);
}

void
wire_carp4_frame_encode(const struct wire_carp4_envelope *env, const struct wire_carp *carp,
	uint8_t out[WIRE_CARP4_FRAME_LEN])
{
	struct wire_ip4 ip = {
		.tos = env->tos,
		.total_len = WIRE_IP4_LEN + WIRE_CARP_LEN,
		.id = env->ip_id,
		.frag = WIRE_IP4_DF,
		.ttl = WIRE_CARP_TTL,
		.proto = WIRE_PROTO_CARP,
		.src = env->ip_src,
		.dst = env->ip_dst,
	};

	carp_eth_encode(env->eth_dst, env->eth_src, WIRE_ETHERTYPE_IP4, out);
	wire_ip4_encode(&ip, out + WIRE_ETH_LEN);
	wire_carp_encode(carp, out + WIRE_ETH_LEN + WIRE_IP4_LEN);
}

static uint32_t
carp6_pseudo_sum(const uint8_t src[WIRE_IP6_ADDR_LEN], const uint8_t dst[WIRE_IP6_ADDR_LEN])
{
	/* Of the 36 bytes that are summed, whatever follows them in the packet (note 1.5). */
	return wire_ip6_pseudo_sum(src, dst, WIRE_CARP_LEN, WIRE_PROTO_CARP);
}

enum wire_carp_sum
wire_carp6_sum_ok(const uint8_t p[WIRE_CARP_LEN], const uint8_t src[WIRE_IP6_ADDR_LEN],
	const uint8_t dst[WIRE_IP6_ADDR_LEN])
{
	uint32_t sum = wire_sum(p, WIRE_CARP_LEN, carp6_pseudo_sum(src, dst));
	bool pseudo = wire_sum_fold(sum) == 0;

	if (wire_carp_sum_ok(p))
		return pseudo ? WIRE_CARP_SUM_BOTH : WIRE_CARP_SUM_PLAIN;
	return pseudo ? WIRE_CARP_SUM_PSEUDO : WIRE_CARP_SUM_BAD;
}

void
wire_carp6_frame_encode(const struct wire_carp6_envelope *env, const struct wire_carp *carp,
	uint8_t out[WIRE_CARP6_FRAME_LEN])
{
	struct wire_ip6 ip = {
		.tclass = env->tclass,
		.payload_len = WIRE_CARP_LEN,
		.next = WIRE_PROTO_CARP,
		.hop_limit = WIRE_CARP_TTL,
	};
	uint32_t sum = 0;

	memcpy(ip.src, env->ip_src, WIRE_IP6_ADDR_LEN);
	memcpy(ip.dst, env->ip_dst, WIRE_IP6_ADDR_LEN);
	if (env->sum == WIRE_CARP_SUM_PSEUDO)
		sum = carp6_pseudo_sum(ip.src, ip.dst);
	carp_eth_encode(env->eth_dst, env->eth_src, WIRE_ETHERTYPE_IP6, out);
	wire_ip6_encode(&ip, out + WIRE_ETH_LEN);
	carp_encode_from(carp, sum, out + WIRE_ETH_LEN + WIRE_IP6_LEN);
}
