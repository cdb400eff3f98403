/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>

/**
 * @file
 * Addresses. Inside koi an IPv4 address on its own is a uint32_t in host byte
 * order; where either family may stand, struct base_addr.
 * @thread any
 */

enum base_family {
	BASE_FAMILY_NONE = 0,
	BASE_FAMILY_IP4 = 4,
	BASE_FAMILY_IP6 = 6,
};

#define BASE_MAC_LEN 6

/** An address of either family; bytes in network order, an IPv4 address in the first four. */
struct base_addr {
	uint8_t family; /**< enum base_family */
	uint8_t bytes[16];
};

/** An address with its prefix length; host bits are kept. */
struct base_prefix {
	struct base_addr addr;
	uint8_t plen;
};

/** The IPv4 address in host order; only when family is BASE_FAMILY_IP4. */
static inline uint32_t
base_addr_ip4(const struct base_addr *a)
{
	return (uint32_t)a->bytes[0] << 24 | (uint32_t)a->bytes[1] << 16 |
		(uint32_t)a->bytes[2] << 8 | a->bytes[3];
}

/** Make an address of either family from an IPv4 address in host order. */
static inline struct base_addr
base_addr_from_ip4(uint32_t ip)
{
	struct base_addr a = {
		.family = BASE_FAMILY_IP4,
		.bytes = {(uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8),
			(uint8_t)ip},
	};

	return a;
}

/** An address of 16 bytes. */
static inline struct base_addr
base_addr_from_ip6(const uint8_t ip[16])
{
	struct base_addr a = {.family = BASE_FAMILY_IP6};

	for (unsigned int i = 0; i < sizeof(a.bytes); i++)
		a.bytes[i] = ip[i];
	return a;
}

/** Network mask of a prefix length, host order; plen in [0, 32]. */
static inline uint32_t
base_ip4_mask(uint8_t plen)
{
	return plen == 0 ? 0 : UINT32_MAX << (32 - plen);
}

/** The bytes of an address with the bits after the first plen zero. */
static inline void
base_addr_mask(uint8_t bytes[16], uint8_t plen)
{
	for (unsigned int i = 0; i < 16; i++) {
		unsigned int kept = plen > i * 8 ? plen - i * 8 : 0;

		if (kept < 8)
			bytes[i] = (uint8_t)(bytes[i] & (0xff00U >> kept));
	}
}

/** The same prefix with the bits after it zero. */
static inline struct base_prefix
base_prefix_network(const struct base_prefix *p)
{
	struct base_prefix net = *p;

	base_addr_mask(net.addr.bytes, net.plen);
	return net;
}

/** Whether an address is in a prefix; the bits after it do not matter. */
static inline bool
base_prefix_holds(const struct base_prefix *p, const struct base_addr *a)
{
	unsigned int whole = p->plen / 8, rest = p->plen % 8;

	for (unsigned int i = 0; i < whole; i++)
		if (p->addr.bytes[i] != a->bytes[i])
			return false;
	return p->addr.family == a->family &&
		(rest == 0 || ((p->addr.bytes[whole] ^ a->bytes[whole]) >> (8 - rest)) == 0);
}

/** The group's shared MAC, 00:00:5e:00:01:<vhid> (protocol note 3). */
static inline void
base_vmac(uint8_t vhid, uint8_t mac[BASE_MAC_LEN])
{
	static const uint8_t fixed[5] = {0x00, 0x00, 0x5e, 0x00, 0x01};

	for (unsigned int i = 0; i < 5; i++)
		mac[i] = fixed[i];
	mac[5] = vhid;
}

#endif
