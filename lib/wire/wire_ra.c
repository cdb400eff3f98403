/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "wire_ra.h"

#include <string.h>

#include "base_addr.h"
#include "base_bytes.h"

#define HOP_LIMIT 255
#define RA_LEN	  16
#define RS_LEN	  8

#define FLAG_MANAGED	  0x80
#define FLAG_OTHER	  0x40
#define PREFERENCE_SHIFT  3
#define PREFERENCE_MASK	  3
#define FLAG_ON_LINK	  0x80
#define FLAG_AUTONOMOUS	  0x40
#define OPTION_UNIT	  8
#define OPTION_SOURCE	  1
#define OPTION_PREFIX	  3
#define OPTION_MTU	  5
#define OPTION_DNS	  25
#define OPTION_DOMAINS	  31
#define OPTION_PREFIX_LEN 32
#define LABEL_MAX	  63

const uint8_t wire_ip6_all_routers[WIRE_IP6_ADDR_LEN] = {0xff, 0x02, [15] = 2};

static void
keep_prefix(const uint8_t *p, struct wire_ra *ra)
{
	struct wire_ra_prefix *out = &ra->prefix[ra->n_prefixes];

	/* RFC 4861 4.6.2 has no longer one; whoever says so says nothing. */
	if (ra->n_prefixes == WIRE_RA_PREFIX_MAX || p[2] > 128)
		return;
	out->plen = p[2];
	out->on_link = (p[3] & FLAG_ON_LINK) != 0;
	out->autonomous = (p[3] & FLAG_AUTONOMOUS) != 0;
	out->valid_s = base_load_be32(p + 4);
	out->preferred_s = base_load_be32(p + 8);
	memcpy(out->prefix, p + 16, WIRE_IP6_ADDR_LEN);
	base_addr_mask(out->prefix, out->plen);
	ra->n_prefixes++;
}

static void
keep_dns(const uint8_t *p, size_t len, struct wire_ra *ra)
{
	ra->dns_lifetime_s = base_load_be32(p + 4);
	for (size_t at = 8; at + WIRE_IP6_ADDR_LEN <= len && ra->n_dns < WIRE_RA_DNS_MAX;
		at += WIRE_IP6_ADDR_LEN)
		memcpy(ra->dns[ra->n_dns++], p + at, WIRE_IP6_ADDR_LEN);
}

/* Names one after another, each of labels and a zero; zeroes fill up the option. */
static void
keep_domains(const uint8_t *p, size_t len, struct wire_ra *ra)
{
	size_t at = 8, end = 8;

	while (at < len && p[at] != 0) {
		while (at < len && p[at] != 0 && p[at] <= LABEL_MAX)
			at += 1u + p[at];
		if (at >= len || p[at] != 0)
			break;
		end = ++at;
	}
	if (end == 8 || end - 8 > WIRE_RA_DOMAINS_MAX)
		return;
	ra->dns_lifetime_s = base_load_be32(p + 4);
	ra->domains_len = (uint16_t)(end - 8);
	memset(ra->domains, 0, sizeof(ra->domains));
	memcpy(ra->domains, p + 8, ra->domains_len);
}

/* Shortest length of the kinds that are read. */
static size_t
option_least(uint8_t type)
{
	switch (type) {
	case OPTION_PREFIX:
		return OPTION_PREFIX_LEN;
	case OPTION_DNS:
		return 8 + WIRE_IP6_ADDR_LEN;
	case OPTION_DOMAINS:
		return 2 * OPTION_UNIT;
	default:
		return OPTION_UNIT;
	}
}

static void
keep_option(const uint8_t *p, size_t len, struct wire_ra *ra)
{
	switch (p[0]) {
	case OPTION_SOURCE:
		if (len == OPTION_UNIT && !ra->has_lladdr) {
			memcpy(ra->lladdr, p + 2, WIRE_MAC_LEN);
			ra->has_lladdr = true;
		}
		break;
	case OPTION_PREFIX:
		keep_prefix(p, ra);
		break;
	case OPTION_MTU:
		ra->mtu = base_load_be32(p + 4);
		break;
	case OPTION_DNS:
		keep_dns(p, len, ra);
		break;
	case OPTION_DOMAINS:
		keep_domains(p, len, ra);
		break;
	default:
		break;
	}
}

static bool
options_decode(const uint8_t *p, size_t len, struct wire_ra *ra)
{
	while (len > 0) {
		size_t option_len;

		if (len < 2 || p[1] == 0)
			return false;
		option_len = (size_t)p[1] * OPTION_UNIT;
		if (option_len > len || option_len < option_least(p[0]))
			return false;
		keep_option(p, option_len, ra);
		p += option_len;
		len -= option_len;
	}
	return true;
}

/* What is the same of both messages. */
static enum wire_ra_result
head_check(const struct wire_ip6 *ip, const uint8_t *p, uint8_t type, size_t least)
{
	struct wire_icmp6 icmp;

	if (ip->next != WIRE_PROTO_ICMP6 || !wire_icmp6_decode(p, ip->payload_len, &icmp) ||
		icmp.type != type)
		return WIRE_RA_OTHER;
	if (ip->payload_len < least)
		return WIRE_RA_TRUNCATED;
	if (ip->hop_limit != HOP_LIMIT)
		return WIRE_RA_BAD_HOP_LIMIT;
	if (!wire_icmp6_sum_ok(p, ip->payload_len, ip->src, ip->dst))
		return WIRE_RA_BAD_CHECKSUM;
	return icmp.code == 0 ? WIRE_RA_OK : WIRE_RA_BAD_CODE;
}

enum wire_ra_result
wire_ra_decode(const struct wire_ip6 *ip, const uint8_t *p, struct wire_ra *out)
{
	enum wire_ra_result ret = head_check(ip, p, WIRE_ICMP6_RA, RA_LEN);
	struct wire_ra ra = {0};
	unsigned int preference;

	if (ret != WIRE_RA_OK)
		return ret;
	if (!wire_ip6_is_link_local(ip->src))
		return WIRE_RA_BAD_SOURCE;
	ra.hop_limit = p[4];
	ra.managed = (p[5] & FLAG_MANAGED) != 0;
	ra.other = (p[5] & FLAG_OTHER) != 0;
	preference = p[5] >> PREFERENCE_SHIFT & PREFERENCE_MASK;
	ra.preference = preference == 1 ? WIRE_RA_HIGH
		: preference == 3	? WIRE_RA_LOW
					: WIRE_RA_MEDIUM;
	ra.lifetime_s = base_load_be16(p + 6);
	ra.reachable_ms = base_load_be32(p + 8);
	ra.retrans_ms = base_load_be32(p + 12);
	if (!options_decode(p + RA_LEN, (size_t)ip->payload_len - RA_LEN, &ra))
		return WIRE_RA_BAD_OPTION;
	*out = ra;
	return WIRE_RA_OK;
}

enum wire_ra_result
wire_rs_decode(const struct wire_ip6 *ip, const uint8_t *p, struct wire_rs *out)
{
	enum wire_ra_result ret = head_check(ip, p, WIRE_ICMP6_RS, RS_LEN);
	struct wire_ra options = {0};

	if (ret != WIRE_RA_OK)
		return ret;
	if (!options_decode(p + RS_LEN, (size_t)ip->payload_len - RS_LEN, &options))
		return WIRE_RA_BAD_OPTION;
	if (wire_ip6_is_unspecified(ip->src) && options.has_lladdr)
		return WIRE_RA_BAD_SOURCE;
	out->has_lladdr = options.has_lladdr;
	memcpy(out->lladdr, options.lladdr, WIRE_MAC_LEN);
	return WIRE_RA_OK;
}

static size_t
prefix_encode(const struct wire_ra_prefix *x, uint8_t *p)
{
	memset(p, 0, OPTION_PREFIX_LEN);
	p[0] = OPTION_PREFIX;
	p[1] = OPTION_PREFIX_LEN / OPTION_UNIT;
	p[2] = x->plen;
	p[3] = (uint8_t)((x->on_link ? FLAG_ON_LINK : 0) | (x->autonomous ? FLAG_AUTONOMOUS : 0));
	base_store_be32(p + 4, x->valid_s);
	base_store_be32(p + 8, x->preferred_s);
	memcpy(p + 16, x->prefix, WIRE_IP6_ADDR_LEN);
	return OPTION_PREFIX_LEN;
}

/* An option with a lifetime, filled up with zeroes. */
static size_t
lasting_encode(uint8_t type, uint32_t lifetime_s, const void *body, size_t len, uint8_t *p)
{
	size_t units = (8 + len + OPTION_UNIT - 1) / OPTION_UNIT;

	memset(p, 0, units * OPTION_UNIT);
	p[0] = type;
	p[1] = (uint8_t)units;
	base_store_be32(p + 4, lifetime_s);
	memcpy(p + 8, body, len);
	return units * OPTION_UNIT;
}

static size_t
options_encode(const struct wire_ra *ra, uint8_t *p)
{
	size_t n = 0;

	if (ra->has_lladdr) {
		p[n] = OPTION_SOURCE;
		p[n + 1] = 1;
		memcpy(p + n + 2, ra->lladdr, WIRE_MAC_LEN);
		n += OPTION_UNIT;
	}
	if (ra->mtu != 0) {
		p[n] = OPTION_MTU;
		p[n + 1] = 1;
		base_store_be16(p + n + 2, 0);
		base_store_be32(p + n + 4, ra->mtu);
		n += OPTION_UNIT;
	}
	for (uint16_t i = 0; i < ra->n_prefixes; i++)
		n += prefix_encode(&ra->prefix[i], p + n);
	if (ra->n_dns > 0)
		n += lasting_encode(OPTION_DNS, ra->dns_lifetime_s, ra->dns,
			(size_t)ra->n_dns * WIRE_IP6_ADDR_LEN, p + n);
	if (ra->domains_len > 0)
		n += lasting_encode(
			OPTION_DOMAINS, ra->dns_lifetime_s, ra->domains, ra->domains_len, p + n);
	return n;
}

size_t
wire_ra_frame_encode(const uint8_t mac[WIRE_MAC_LEN], const uint8_t ip_src[WIRE_IP6_ADDR_LEN],
	const struct wire_ra *ra, uint8_t out[WIRE_RA_FRAME_MAX])
{
	struct wire_eth eth = {.type = WIRE_ETHERTYPE_IP6};
	struct wire_ip6 ip = {.next = WIRE_PROTO_ICMP6, .hop_limit = HOP_LIMIT};
	struct wire_icmp6 icmp = {.type = WIRE_ICMP6_RA};
	uint8_t *p = out + WIRE_ETH_LEN + WIRE_IP6_LEN;
	unsigned int flags = (ra->managed ? FLAG_MANAGED : 0u) | (ra->other ? FLAG_OTHER : 0u) |
		(unsigned int)ra->preference << PREFERENCE_SHIFT;
	size_t len = RA_LEN + options_encode(ra, p + RA_LEN);

	icmp.rest = (uint32_t)ra->hop_limit << 24 | flags << 16 | ra->lifetime_s;
	base_store_be32(p + 8, ra->reachable_ms);
	base_store_be32(p + 12, ra->retrans_ms);
	wire_ip6_group_mac(wire_ip6_all_nodes, eth.dst);
	memcpy(eth.src, mac, WIRE_MAC_LEN);
	memcpy(ip.src, ip_src, WIRE_IP6_ADDR_LEN);
	memcpy(ip.dst, wire_ip6_all_nodes, WIRE_IP6_ADDR_LEN);
	ip.payload_len = (uint16_t)len;
	wire_eth_encode(&eth, out);
	wire_ip6_encode(&ip, out + WIRE_ETH_LEN);
	wire_icmp6_encode(&icmp, ip.src, ip.dst, p + WIRE_ICMP6_LEN, len - WIRE_ICMP6_LEN, p);
	return WIRE_ETH_LEN + WIRE_IP6_LEN + len;
}

static bool
is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '-';
}

bool
wire_ra_domain_add(struct wire_ra *ra, const char *name)
{
	const unsigned int room = WIRE_RA_DOMAINS_MAX - ra->domains_len;
	uint8_t out[WIRE_RA_DOMAINS_MAX];
	unsigned int at = 0, label_at = 0;

	/* Each dot becomes the next label's length; one more for the first, and a zero. */
	for (bool end = false; !end; name++) {
		unsigned int label = at > label_at ? at - label_at - 1 : 0;

		if (at + 2 > room)
			return false;
		end = *name == '\0';
		if (at == label_at)
			at++; /* for its length */
		if (end || *name == '.') {
			if (label == 0)
				return false;
			out[label_at] = (uint8_t)label;
			label_at = at;
		} else if (!is_name_byte(*name) || label == LABEL_MAX) {
			return false;
		} else {
			out[at++] = (uint8_t)*name;
		}
	}
	out[at++] = 0;
	memcpy(&ra->domains[ra->domains_len], out, at);
	ra->domains_len = (uint16_t)(ra->domains_len + at);
	return true;
}
