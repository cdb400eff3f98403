/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "wire_echo.h"

#include <string.h>

#include "base_bytes.h"
#include "wire.h"
#include "wire6.h"

size_t
wire_echo_overhead(uint8_t family)
{
	return family == BASE_FAMILY_IP4 ? WIRE_IP4_LEN + WIRE_ICMP_LEN
					 : WIRE_IP6_LEN + WIRE_ICMP6_LEN;
}

static size_t
encode4(const struct wire_echo *e, const uint8_t *payload, uint8_t *out)
{
	const struct wire_icmp icmp = {
		.type = WIRE_ICMP_ECHO_REQUEST,
		.rest = (uint32_t)e->id << 16 | e->seq,
	};
	const struct wire_ip4 ip = {
		.header_len = WIRE_IP4_LEN,
		.total_len = (uint16_t)(WIRE_IP4_LEN + WIRE_ICMP_LEN + e->payload),
		.frag = WIRE_IP4_DF,
		.ttl = e->ttl,
		.proto = WIRE_PROTO_ICMP,
		.src = base_addr_ip4(&e->src),
		.dst = base_addr_ip4(&e->dst),
	};

	wire_ip4_encode(&ip, out);
	wire_icmp_encode(&icmp, payload, e->payload, out + WIRE_IP4_LEN);
	return ip.total_len;
}

static size_t
encode6(const struct wire_echo *e, const uint8_t *payload, uint8_t *out)
{
	const struct wire_icmp6 icmp = {
		.type = WIRE_ICMP6_ECHO_REQUEST,
		.rest = (uint32_t)e->id << 16 | e->seq,
	};
	struct wire_ip6 ip = {
		.payload_len = (uint16_t)(WIRE_ICMP6_LEN + e->payload),
		.next = WIRE_PROTO_ICMP6,
		.hop_limit = e->ttl,
	};

	memcpy(ip.src, e->src.bytes, sizeof(ip.src));
	memcpy(ip.dst, e->dst.bytes, sizeof(ip.dst));
	wire_ip6_encode(&ip, out);
	wire_icmp6_encode(&icmp, ip.src, ip.dst, payload, e->payload, out + WIRE_IP6_LEN);
	return (size_t)WIRE_IP6_LEN + ip.payload_len;
}

size_t
wire_echo_encode(const struct wire_echo *e, uint8_t *out)
{
	uint8_t *payload = out + wire_echo_overhead(e->dst.family);

	for (size_t i = 0; i < e->payload; i++)
		payload[i] = (uint8_t)i;
	return e->dst.family == BASE_FAMILY_IP4 ? encode4(e, payload, out)
						: encode6(e, payload, out);
}

/* What is told of the request. */
static void
request(struct wire_echo_answer *a, struct base_addr src, struct base_addr dst, uint32_t rest)
{
	a->src = src;
	a->dst = dst;
	a->id = (uint16_t)(rest >> 16);
	a->seq = (uint16_t)rest;
}

/* The request that an error quotes; its lengths may be those of the whole. */
static bool
quoted4(const uint8_t *p, size_t len, struct wire_echo_answer *a)
{
	size_t header;
	struct wire_icmp icmp;

	if (len < WIRE_IP4_LEN || p[0] >> 4 != 4)
		return false;
	header = (size_t)(p[0] & 0x0f) * 4;
	if (header < WIRE_IP4_LEN || header > len || p[9] != WIRE_PROTO_ICMP ||
		(base_load_be16(p + 6) & WIRE_IP4_OFFSET) != 0)
		return false;
	if (!wire_icmp_decode(p + header, len - header, &icmp) ||
		icmp.type != WIRE_ICMP_ECHO_REQUEST)
		return false;
	request(a, base_addr_from_ip4(base_load_be32(p + 12)),
		base_addr_from_ip4(base_load_be32(p + 16)), icmp.rest);
	return true;
}

static bool
quoted6(const uint8_t *p, size_t len, struct wire_echo_answer *a)
{
	struct wire_icmp6 icmp;

	if (len < WIRE_IP6_LEN || p[0] >> 4 != 6 || p[6] != WIRE_PROTO_ICMP6)
		return false;
	if (!wire_icmp6_decode(p + WIRE_IP6_LEN, len - WIRE_IP6_LEN, &icmp) ||
		icmp.type != WIRE_ICMP6_ECHO_REQUEST)
		return false;
	request(a, base_addr_from_ip6(p + 8), base_addr_from_ip6(p + 24), icmp.rest);
	return true;
}

static enum wire_echo_kind
decode4(const uint8_t *p, size_t seen, size_t whole, struct wire_echo_answer *a)
{
	struct wire_icmp icmp;
	struct wire_ip4 ip;

	if ((size_t)(p[0] & 0x0f) * 4 > seen || wire_ip4_decode(p, whole, &ip) != WIRE_IP4_OK ||
		ip.proto != WIRE_PROTO_ICMP || (ip.frag & (WIRE_IP4_MF | WIRE_IP4_OFFSET)) != 0)
		return WIRE_ECHO_NONE;
	if (seen > ip.total_len)
		seen = ip.total_len;
	p += ip.header_len;
	seen -= ip.header_len;
	if (!wire_icmp_decode(p, seen, &icmp))
		return WIRE_ECHO_NONE;
	a->from = base_addr_from_ip4(ip.src);
	a->to = base_addr_from_ip4(ip.dst);
	a->ttl = ip.ttl;
	a->bytes = (uint16_t)(ip.total_len - ip.header_len);
	if (icmp.type == WIRE_ICMP_ECHO_REPLY) {
		request(a, a->to, a->from, icmp.rest);
		return WIRE_ECHO_REPLY;
	}
	if ((icmp.type != WIRE_ICMP_UNREACHABLE && icmp.type != WIRE_ICMP_TIME_EXCEEDED &&
		    icmp.type != WIRE_ICMP_PARAMETER) ||
		!quoted4(p + WIRE_ICMP_LEN, seen - WIRE_ICMP_LEN, a))
		return WIRE_ECHO_NONE;
	a->type = icmp.type;
	a->code = icmp.code;
	if (icmp.type == WIRE_ICMP_UNREACHABLE && icmp.code == WIRE_ICMP_UNREACH_FRAG)
		a->mtu = icmp.rest & UINT16_MAX; /* RFC 1191 4 */
	return WIRE_ECHO_ERROR;
}

static enum wire_echo_kind
decode6(const uint8_t *p, size_t seen, size_t whole, struct wire_echo_answer *a)
{
	struct wire_icmp6 icmp;
	struct wire_ip6 ip;

	if (seen < WIRE_IP6_LEN || wire_ip6_decode(p, whole, &ip) != WIRE_IP6_OK ||
		ip.next != WIRE_PROTO_ICMP6)
		return WIRE_ECHO_NONE;
	if (seen > (size_t)WIRE_IP6_LEN + ip.payload_len)
		seen = (size_t)WIRE_IP6_LEN + ip.payload_len;
	p += WIRE_IP6_LEN;
	seen -= WIRE_IP6_LEN;
	if (!wire_icmp6_decode(p, seen, &icmp))
		return WIRE_ECHO_NONE;
	a->from = base_addr_from_ip6(ip.src);
	a->to = base_addr_from_ip6(ip.dst);
	a->ttl = ip.hop_limit;
	a->bytes = ip.payload_len;
	if (icmp.type == WIRE_ICMP6_ECHO_REPLY) {
		request(a, a->to, a->from, icmp.rest);
		return WIRE_ECHO_REPLY;
	}
	if (icmp.type < WIRE_ICMP6_UNREACHABLE || icmp.type > WIRE_ICMP6_PARAMETER ||
		!quoted6(p + WIRE_ICMP6_LEN, seen - WIRE_ICMP6_LEN, a))
		return WIRE_ECHO_NONE;
	a->type = icmp.type;
	a->code = icmp.code;
	if (icmp.type == WIRE_ICMP6_TOO_BIG)
		a->mtu = icmp.rest;
	return WIRE_ECHO_ERROR;
}

enum wire_echo_kind
wire_echo_decode(const uint8_t *p, size_t seen, size_t whole, struct wire_echo_answer *out)
{
	struct wire_echo_answer a = {0};
	enum wire_echo_kind kind = WIRE_ECHO_NONE;

	if (seen >= WIRE_IP4_LEN && p[0] >> 4 == 4)
		kind = decode4(p, seen, whole, &a);
	else if (seen >= WIRE_IP6_LEN && p[0] >> 4 == 6)
		kind = decode6(p, seen, whole, &a);
	if (kind != WIRE_ECHO_NONE)
		*out = a;
	return kind;
}
