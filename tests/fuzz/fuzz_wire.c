/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Every decoder of wire on any bytes, and what is decoded encodes to the same bytes again. */
#include "fuzz.h"

#include <string.h>

#include "base_assert.h"
#include "base_bytes.h"
#include "wire_echo.h"
#include "wire_group.h"
#include "wire_ra.h"

/* Two checksums that mean the same: zero has two forms in ones' complement. */
static bool
same_sum(uint16_t a, uint16_t b)
{
	return a == b || (a == 0 && b == UINT16_MAX) || (a == UINT16_MAX && b == 0);
}

static bool
all_zero(const uint8_t *p, size_t len)
{
	while (len > 0 && p[len - 1] == 0)
		len--;
	return len == 0;
}

/*
 * Received data verifies exactly when its checksum is the one we would compute. The exception is
 * nothing but zeros: that sums to plus zero, which no checksum makes verify.
 */
static void
check_sum(const uint8_t *p, size_t len, uint16_t received, uint16_t computed)
{
	bool ok = wire_sum_fold(wire_sum(p, len, 0)) == 0;

	BASE_ASSERT(ok == (same_sum(received, computed) && !all_zero(p, len)));
}

static void
fuzz_sum(const uint8_t *p, size_t len)
{
	size_t cut = len ? (p[0] % (len + 1)) & ~(size_t)1 : 0;
	uint16_t whole = wire_sum_fold(wire_sum(p, len, 0));

	BASE_ASSERT(wire_sum_fold(wire_sum(p + cut, len - cut, wire_sum(p, cut, 0))) == whole);
}

static void
fuzz_carp(const uint8_t *p, size_t len)
{
	struct wire_carp h;
	uint8_t again[WIRE_CARP_LEN];

	if (!wire_carp_decode(p, len, &h)) {
		BASE_ASSERT(len < WIRE_CARP_LEN);
		return;
	}
	wire_carp_encode(&h, again);
	BASE_ASSERT(wire_carp_sum_ok(again));
	BASE_ASSERT(memcmp(again, p, 6) == 0);
	BASE_ASSERT(memcmp(again + 8, p + 8, WIRE_CARP_LEN - 8) == 0);
	BASE_ASSERT(wire_carp_sum_ok(p) == (wire_sum_fold(wire_sum(p, WIRE_CARP_LEN, 0)) == 0));
	check_sum(p, WIRE_CARP_LEN, h.checksum, base_load_be16(again + 6));
	BASE_ASSERT(wire_carp_is_bow_out(&h) == (p[2] == 255 && p[5] == 255));
}

static void
fuzz_icmp(const uint8_t *p, size_t len)
{
	struct wire_icmp h;
	uint8_t again[WIRE_ICMP_LEN];

	if (!wire_icmp_decode(p, len, &h)) {
		BASE_ASSERT(len < WIRE_ICMP_LEN);
		return;
	}
	wire_icmp_encode(&h, p + WIRE_ICMP_LEN, len - WIRE_ICMP_LEN, again);
	BASE_ASSERT(memcmp(again, p, 2) == 0);
	BASE_ASSERT(memcmp(again + 4, p + 4, 4) == 0);
	check_sum(p, len, h.checksum, base_load_be16(again + 2));
}

static void
fuzz_ip4(const uint8_t *p, size_t len)
{
	struct wire_ip4 h;
	uint8_t again[WIRE_IP4_LEN];

	switch (wire_ip4_decode(p, len, &h)) {
	case WIRE_IP4_TRUNCATED:
		BASE_ASSERT(len < WIRE_IP4_LEN || len < base_load_be16(p + 2));
		return;
	case WIRE_IP4_BAD_VERSION:
		BASE_ASSERT(p[0] >> 4 != 4);
		return;
	case WIRE_IP4_BAD_HEADER:
	case WIRE_IP4_BAD_CHECKSUM:
		return;
	case WIRE_IP4_OK:
		break;
	}
	BASE_ASSERT(h.header_len >= WIRE_IP4_LEN && h.header_len <= 60);
	BASE_ASSERT(h.header_len <= h.total_len && h.total_len <= len);
	if (h.header_len == WIRE_IP4_LEN) {
		wire_ip4_encode(&h, again);
		BASE_ASSERT(memcmp(again, p, 10) == 0);
		BASE_ASSERT(same_sum(base_load_be16(again + 10), h.checksum));
		BASE_ASSERT(memcmp(again + 12, p + 12, 8) == 0);
	}
	fuzz_carp(p + h.header_len, (size_t)(h.total_len - h.header_len));
	fuzz_icmp(p + h.header_len, (size_t)(h.total_len - h.header_len));
}

/* A checksum over what comes before as well verifies exactly when it is the one we would send. */
static void
check_pseudo_sum(
	const uint8_t *p, size_t len, uint32_t before, uint16_t received, uint16_t computed)
{
	bool ok = wire_sum_fold(wire_sum(p, len, before)) == 0;

	/* A pseudo-header is never all zeros, so nothing sums to plus zero here. */
	BASE_ASSERT(ok == same_sum(received, computed));
}

static void
fuzz_carp6(const struct wire_ip6 *ip, const uint8_t *p)
{
	static const enum wire_carp_sum kinds[] = {WIRE_CARP_SUM_PLAIN, WIRE_CARP_SUM_PSEUDO};
	struct wire_carp6_envelope env = {.tclass = ip->tclass};
	enum wire_carp_sum received;
	struct wire_carp h;

	if (!wire_carp_decode(p, ip->payload_len, &h))
		return;
	received = wire_carp6_sum_ok(p, ip->src, ip->dst);
	BASE_ASSERT(((received & WIRE_CARP_SUM_PLAIN) != 0) == wire_carp_sum_ok(p));
	memcpy(env.ip_src, ip->src, sizeof(env.ip_src));
	memcpy(env.ip_dst, ip->dst, sizeof(env.ip_dst));
	for (size_t i = 0; i < 2; i++) {
		uint8_t frame[WIRE_CARP6_FRAME_LEN];
		const uint8_t *again = frame + WIRE_ETH_LEN + WIRE_IP6_LEN;
		struct wire_ip6 ip_again;

		env.sum = kinds[i];
		wire_carp6_frame_encode(&env, &h, frame);
		BASE_ASSERT(wire_ip6_decode(frame + WIRE_ETH_LEN, sizeof(frame) - WIRE_ETH_LEN,
				    &ip_again) == WIRE_IP6_OK);
		BASE_ASSERT(memcmp(ip_again.src, ip->src, 16) == 0);
		BASE_ASSERT(memcmp(ip_again.dst, ip->dst, 16) == 0);
		BASE_ASSERT(ip_again.hop_limit == 255 && ip_again.payload_len == WIRE_CARP_LEN);
		BASE_ASSERT(memcmp(again, p, 6) == 0);
		BASE_ASSERT(memcmp(again + 8, p + 8, WIRE_CARP_LEN - 8) == 0);
		BASE_ASSERT((wire_carp6_sum_ok(again, ip->src, ip->dst) & kinds[i]) != 0);
	}
}

static void
fuzz_icmp6(const struct wire_ip6 *ip, const uint8_t *p)
{
	struct wire_icmp6 h;
	uint8_t again[WIRE_ICMP6_LEN];
	size_t len = ip->payload_len;

	if (!wire_icmp6_decode(p, len, &h)) {
		BASE_ASSERT(len < WIRE_ICMP6_LEN);
		return;
	}
	wire_icmp6_encode(&h, ip->src, ip->dst, p + WIRE_ICMP6_LEN, len - WIRE_ICMP6_LEN, again);
	BASE_ASSERT(memcmp(again, p, 2) == 0);
	BASE_ASSERT(memcmp(again + 4, p + 4, 4) == 0);
	check_pseudo_sum(p, len,
		wire_ip6_pseudo_sum(ip->src, ip->dst, (uint32_t)len, WIRE_PROTO_ICMP6), h.checksum,
		base_load_be16(again + 2));
}

/* What is taken obeys RFC 4861, and says the same after a round trip. */
static void
fuzz_nd(const struct wire_ip6 *ip, const uint8_t *p)
{
	struct wire_nd_envelope env = {0};
	struct wire_ip6 ip_again;
	struct wire_nd nd, again;
	uint8_t frame[WIRE_ND_FRAME_MAX];
	size_t len;

	/* Padding of structs is compared, too. */
	memset(&nd, 0, sizeof(nd));
	memset(&again, 0, sizeof(again));
	if (wire_nd_decode(ip, p, &nd) != WIRE_ND_OK)
		return;
	BASE_ASSERT(ip->hop_limit == 255 && ip->payload_len >= WIRE_ND_LEN && p[1] == 0);
	BASE_ASSERT(wire_icmp6_sum_ok(p, ip->payload_len, ip->src, ip->dst));
	BASE_ASSERT(!wire_ip6_is_multicast(nd.target));
	BASE_ASSERT(nd.type == WIRE_ICMP6_NA || !(nd.router || nd.solicited || nd.override));
	BASE_ASSERT(!nd.solicited || !wire_ip6_is_multicast(ip->dst));
	BASE_ASSERT(nd.type == WIRE_ICMP6_NA || !wire_ip6_is_unspecified(ip->src) ||
		(!nd.has_lladdr && wire_ip6_is_solicited_node(ip->dst)));
	memcpy(env.ip_src, ip->src, sizeof(env.ip_src));
	memcpy(env.ip_dst, ip->dst, sizeof(env.ip_dst));
	len = wire_nd_frame_encode(&env, &nd, frame);
	BASE_ASSERT(wire_ip6_decode(frame + WIRE_ETH_LEN, len - WIRE_ETH_LEN, &ip_again) ==
		WIRE_IP6_OK);
	BASE_ASSERT(wire_nd_decode(&ip_again, frame + WIRE_ETH_LEN + WIRE_IP6_LEN, &again) ==
		WIRE_ND_OK);
	BASE_ASSERT(memcmp(&nd, &again, sizeof(nd)) == 0);
	if (nd.type == WIRE_ICMP6_NS) {
		uint8_t answer[WIRE_ND_FRAME_LEN];

		wire_na_answer_frame_encode(
			ip, &nd, env.eth_src, env.eth_src, nd.target, true, answer);
		BASE_ASSERT(wire_ip6_decode(answer + WIRE_ETH_LEN, sizeof(answer) - WIRE_ETH_LEN,
				    &ip_again) == WIRE_IP6_OK);
		/* The only thing wrong with it may be where the asker says it is. */
		BASE_ASSERT(wire_nd_decode(&ip_again, answer + WIRE_ETH_LEN + WIRE_IP6_LEN,
				    &again) == WIRE_ND_OK ||
			wire_ip6_is_multicast(ip->src));
	}
}

/* The same of routers and of who asks for them. */
static void
fuzz_ra(const struct wire_ip6 *ip, const uint8_t *p)
{
	static const uint8_t mac[WIRE_MAC_LEN];
	struct wire_ip6 ip_again;
	struct wire_ra ra, again;
	struct wire_rs rs;
	uint8_t frame[WIRE_RA_FRAME_MAX];
	size_t len;

	if (wire_rs_decode(ip, p, &rs) == WIRE_RA_OK)
		BASE_ASSERT(ip->hop_limit == 255 && p[0] == WIRE_ICMP6_RS &&
			!(rs.has_lladdr && wire_ip6_is_unspecified(ip->src)));
	/* Padding of structs is compared, too. */
	memset(&ra, 0, sizeof(ra));
	memset(&again, 0, sizeof(again));
	if (wire_ra_decode(ip, p, &ra) != WIRE_RA_OK)
		return;
	BASE_ASSERT(ip->hop_limit == 255 && wire_ip6_is_link_local(ip->src));
	BASE_ASSERT(ra.n_prefixes <= WIRE_RA_PREFIX_MAX && ra.n_dns <= WIRE_RA_DNS_MAX);
	len = wire_ra_frame_encode(mac, ip->src, &ra, frame);
	BASE_ASSERT(len <= sizeof(frame));
	BASE_ASSERT(wire_ip6_decode(frame + WIRE_ETH_LEN, len - WIRE_ETH_LEN, &ip_again) ==
		WIRE_IP6_OK);
	BASE_ASSERT(wire_ra_decode(&ip_again, frame + WIRE_ETH_LEN + WIRE_IP6_LEN, &again) ==
		WIRE_RA_OK);
	if (ra.n_dns == 0 && ra.domains_len == 0)
		again.dns_lifetime_s = ra.dns_lifetime_s;
	BASE_ASSERT(memcmp(&ra, &again, sizeof(ra)) == 0);
}

static void
fuzz_ip6(const uint8_t *p, size_t len)
{
	struct wire_ip6 h;
	uint8_t again[WIRE_IP6_LEN];

	switch (wire_ip6_decode(p, len, &h)) {
	case WIRE_IP6_TRUNCATED:
		BASE_ASSERT(len < WIRE_IP6_LEN || len - WIRE_IP6_LEN < base_load_be16(p + 4));
		return;
	case WIRE_IP6_BAD_VERSION:
		BASE_ASSERT(p[0] >> 4 != 6);
		return;
	case WIRE_IP6_OK:
		break;
	}
	wire_ip6_encode(&h, again);
	BASE_ASSERT(memcmp(again, p, sizeof(again)) == 0);
	fuzz_carp6(&h, p + WIRE_IP6_LEN);
	fuzz_icmp6(&h, p + WIRE_IP6_LEN);
	fuzz_nd(&h, p + WIRE_IP6_LEN);
	fuzz_ra(&h, p + WIRE_IP6_LEN);
}

/* A query is answered in its version, which is not a query again. */
static void
fuzz_group(const uint8_t *p, size_t len)
{
	struct wire_group_query q;
	struct wire_group_report r = {0};
	uint8_t frame[WIRE_GROUP_FRAME_MAX];
	size_t frame_len;

	if (wire_group_query_decode(p, len, &q) != WIRE_GROUP_OK)
		return;
	BASE_ASSERT(q.version >= 1 && q.version <= 3 && q.max_resp_ms <= 8387584);
	BASE_ASSERT(q.group.family == (p[0] >> 4 == 4 ? BASE_FAMILY_IP4 : BASE_FAMILY_IP6));
	BASE_ASSERT(q.general || q.group.bytes[0] >= 0xe0);
	r.group = q.group;
	r.src.family = q.group.family;
	r.version = q.version;
	frame_len = wire_group_frame_encode(&r, frame);
	BASE_ASSERT(frame_len > 0 && frame_len <= sizeof(frame));
	BASE_ASSERT(wire_group_query_decode(frame + WIRE_ETH_LEN, frame_len - WIRE_ETH_LEN, &q) ==
		WIRE_GROUP_OTHER);
}

/* The beginning of a packet says the same as all of it, or nothing. */
static void
fuzz_echo(const uint8_t *p, size_t len)
{
	struct wire_echo_answer whole = {0}, begun = {0};
	enum wire_echo_kind kind = wire_echo_decode(p, len, len, &whole);

	for (size_t seen = 0; seen < len && seen < 160; seen++) {
		if (wire_echo_decode(p, seen, len, &begun) == WIRE_ECHO_NONE)
			continue;
		BASE_ASSERT(kind != WIRE_ECHO_NONE);
		BASE_ASSERT(begun.id == whole.id && begun.seq == whole.seq);
		BASE_ASSERT(memcmp(&begun.dst, &whole.dst, sizeof(whole.dst)) == 0);
		BASE_ASSERT(memcmp(&begun.src, &whole.src, sizeof(whole.src)) == 0);
	}
	BASE_ASSERT(
		kind != WIRE_ECHO_REPLY || memcmp(&whole.src, &whole.to, sizeof(whole.to)) == 0);
}

static void
fuzz_arp(const struct wire_eth *eth, const uint8_t *p, size_t len)
{
	struct wire_arp h;
	uint8_t again[WIRE_ARP_FRAME_LEN];

	if (!wire_arp_decode(p, len, &h))
		return;
	wire_arp_frame_encode(eth->dst, eth->src, &h, again);
	BASE_ASSERT(memcmp(again + WIRE_ETH_LEN, p, WIRE_ARP_LEN) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct wire_eth nobody;
	struct wire_eth eth;
	uint8_t again[WIRE_ETH_LEN];

	fuzz_sum(data, size);
	/* As a frame, layer by layer. */
	if (wire_eth_decode(data, size, &eth)) {
		wire_eth_encode(&eth, again);
		BASE_ASSERT(memcmp(again, data, WIRE_ETH_LEN) == 0);
		fuzz_arp(&eth, data + WIRE_ETH_LEN, size - WIRE_ETH_LEN);
		fuzz_ip4(data + WIRE_ETH_LEN, size - WIRE_ETH_LEN);
		fuzz_ip6(data + WIRE_ETH_LEN, size - WIRE_ETH_LEN);
		fuzz_group(data + WIRE_ETH_LEN, size - WIRE_ETH_LEN);
		fuzz_echo(data + WIRE_ETH_LEN, size - WIRE_ETH_LEN);
	} else {
		BASE_ASSERT(size < WIRE_ETH_LEN);
	}
	/* And each decoder on the bare bytes. */
	fuzz_arp(&nobody, data, size);
	fuzz_ip4(data, size);
	fuzz_ip6(data, size);
	fuzz_group(data, size);
	fuzz_echo(data, size);
	fuzz_carp(data, size);
	fuzz_icmp(data, size);
	return 0;
}
