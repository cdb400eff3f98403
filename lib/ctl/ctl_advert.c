/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "ctl_advert.h"

#include <string.h>

#include "base_bytes.h"
#include "wire.h"

#define VLAN_TAG_LEN 4

/* Where the IPv4 header starts, or 0 when the frame is not IPv4. */
static size_t
ip4_offset(const uint8_t *frame, size_t len)
{
	struct wire_eth eth;

	if (!wire_eth_decode(frame, len, &eth))
		return 0;
	if (eth.type == WIRE_ETHERTYPE_IP4)
		return WIRE_ETH_LEN;
	if (eth.type == WIRE_ETHERTYPE_VLAN && len >= WIRE_ETH_LEN + VLAN_TAG_LEN &&
		base_load_be16(frame + WIRE_ETH_LEN + 2) == WIRE_ETHERTYPE_IP4)
		return WIRE_ETH_LEN + VLAN_TAG_LEN;
	return 0;
}

static bool
is_own_address(const struct ctl_advert_scope *scope, uint32_t ip)
{
	for (uint16_t i = 0; i < scope->n_own_ip4; i++)
		if (scope->own_ip4[i] == ip)
			return true;
	return false;
}

enum ctl_stat
ctl_advert_check(const uint8_t *frame, size_t len, const struct ctl_advert_scope *scope,
	struct ctl_advert *out)
{
	struct wire_ip4 ip;
	struct wire_carp carp;
	const uint8_t *p;
	size_t off;
	uint16_t group;

	memset(out, 0, sizeof(*out));
	out->group = ELECTION_NONE;

	if (!scope->allow)
		return CTL_STAT_DISALLOWED;
	if (scope->vhid_group == NULL)
		return CTL_STAT_BADIF;

	off = ip4_offset(frame, len);
	if (off == 0 || wire_ip4_decode(frame + off, len - off, &ip) != WIRE_IP4_OK ||
		ip.proto != WIRE_PROTO_CARP || (ip.frag & (WIRE_IP4_MF | WIRE_IP4_OFFSET)) != 0)
		return CTL_STAT_HDROPS;
	out->src = base_addr_from_ip4(ip.src);

	if (ip.ttl != WIRE_CARP_TTL)
		return CTL_STAT_BADTTL;
	p = frame + off + ip.header_len;
	if (!wire_carp_decode(p, (size_t)(ip.total_len - ip.header_len), &carp))
		return CTL_STAT_BADLEN;
	out->vhid = carp.vhid;
	if (!wire_carp_sum_ok(p))
		return CTL_STAT_BADSUM;

	/* Before the version: a wrong version for an unknown vhid counts badvhid (note 6). */
	group = scope->vhid_group[carp.vhid];
	if (group == ELECTION_NONE)
		return CTL_STAT_BADVHID;
	out->group = group;
	out->prio.advbase = carp.advbase;
	out->prio.advskew = carp.advskew;
	out->prio.demotion = carp.demotion;
	out->counter = carp.counter;
	out->bow_out = wire_carp_is_bow_out(&carp);
	if (!scope->listening[group])
		return CTL_STAT_BADVHID;

	if (is_own_address(scope, ip.src))
		return CTL_STAT_SELF;
	if (carp.version != WIRE_CARP_VERSION)
		return CTL_STAT_BADVER;
	if (!auth_group_verify(scope->auth[group], carp.counter, carp.digest))
		return CTL_STAT_BADAUTH;
	if (auth_counters_own(scope->counters[group], carp.counter))
		return CTL_STAT_LOOP;
	return CTL_STAT_IPACKETS;
}
