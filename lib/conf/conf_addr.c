/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_addr_priv.h"

#include <arpa/inet.h>
#include <string.h>

const char *
conf_addr_str(const struct base_addr *a, char buf[CONF_ADDR_STR])
{
	const char *s = NULL;

	if (a->family == BASE_FAMILY_IP4)
		s = inet_ntop(AF_INET, a->bytes, buf, CONF_ADDR_STR);
	else if (a->family == BASE_FAMILY_IP6)
		s = inet_ntop(AF_INET6, a->bytes, buf, CONF_ADDR_STR);
	if (s == NULL)
		snprintf(buf, CONF_ADDR_STR, "(none)");
	return buf;
}

const char *
conf_prefix_str(const struct base_prefix *p, char buf[CONF_ADDR_STR])
{
	size_t n;

	conf_addr_str(&p->addr, buf);
	n = strlen(buf);
	snprintf(buf + n, CONF_ADDR_STR - n, "/%u", (unsigned int)p->plen);
	return buf;
}

int
conf_addr_parse(const char *s, struct base_addr *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, s, out->bytes) == 1)
		out->family = BASE_FAMILY_IP4;
	else if (inet_pton(AF_INET6, s, out->bytes) == 1)
		out->family = BASE_FAMILY_IP6;
	else
		return -1;
	return 0;
}

unsigned int
conf_addr_bits(const struct base_addr *a)
{
	return a->family == BASE_FAMILY_IP4 ? 32 : 128;
}

bool
conf_addr_link_local(const struct base_addr *a)
{
	return a->family == BASE_FAMILY_IP6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

static const char *
ip4_unfit(uint32_t ip)
{
	if (ip == 0)
		return "the unspecified address";
	if (ip >> 24 == 0)
		return "an address of 0.0.0.0/8, which no host has";
	if (ip >> 24 == 127)
		return "a loopback address";
	if (ip >> 28 == 14)
		return "a multicast address";
	if (ip == UINT32_MAX)
		return "the broadcast address";
	return NULL;
}

static const char *
ip6_unfit(const uint8_t b[16])
{
	static const uint8_t zero[15];

	if (b[0] == 0xff)
		return "a multicast address";
	if (memcmp(b, zero, 15) == 0 && b[15] == 0)
		return "the unspecified address";
	if (memcmp(b, zero, 15) == 0 && b[15] == 1)
		return "the loopback address";
	if (memcmp(b, zero, 10) == 0 && b[10] == 0xff && b[11] == 0xff)
		return "an IPv4-mapped address";
	return NULL;
}

const char *
conf_addr_unfit(const struct base_addr *a)
{
	return a->family == BASE_FAMILY_IP4 ? ip4_unfit(base_addr_ip4(a)) : ip6_unfit(a->bytes);
}

const char *
conf_host_unfit(const struct base_addr *a, uint8_t plen)
{
	struct base_prefix net = {.addr = *a, .plen = plen};

	/* the two addresses of a /31, and of a /127, are both hosts (RFC 3021, RFC 6164) */
	if (plen + 2u > conf_addr_bits(a))
		return NULL;
	net = base_prefix_network(&net);
	if (memcmp(net.addr.bytes, a->bytes, sizeof(a->bytes)) == 0)
		return a->family == BASE_FAMILY_IP4 ? "the network address"
						    : "the subnet-router anycast address";
	if (a->family == BASE_FAMILY_IP4 && (base_addr_ip4(a) | base_ip4_mask(plen)) == UINT32_MAX)
		return "the broadcast address";
	return NULL;
}

int
conf_addr_compare(const struct base_addr *a, const struct base_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}
