/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "ctl_advert.h"

#include <string.h>

#include "base_bytes.h"
#include "wire6.h"

/** What an IP header says that matters here. */
struct packet {
	struct base_addr src;
	uint8_t dst[WIRE_IP6_ADDR_LEN]; /* of IPv6 */
	uint8_t ttl;			/* or hop limit */
	const uint8_t *p;		/* payload */
	size_t len;
};

static bool
packet4_decode(const uint8_t *p, size_t len, struct packet *out)
{
	struct wire_ip4 ip;

	if (wire_ip4_decode(p, len, &ip) != WIRE_IP4_OK || ip.proto != WIRE_PROTO_CARP ||
		(ip.frag & (WIRE_IP4_MF | WIRE_IP4_OFFSET)) != 0)
		return false;
	out->src = base_addr_from_ip4(ip.src);
	out->ttl = ip.ttl;
	out->p = p + ip.header_len;
	out->len = (size_t)(ip.total_len - ip.header_len);
	return true;
}

static bool
packet6_decode(const uint8_t *p, size_t len, struct packet *out)
{
	struct wire_ip6 ip;

	if (wire_ip6_decode(p, len, &ip) != WIRE_IP6_OK || ip.next != WIRE_PROTO_CARP ||
		wire_ip6_is_multicast(ip.src))
		return false;
	if (wire_ip6_is_multicast(ip.dst) &&
		memcmp(ip.dst, wire_carp_group_ip6, WIRE_IP6_ADDR_LEN) != 0)
		return false;
	out->src.family = BASE_FAMILY_IP6;
	memcpy(out->src.bytes, ip.src, WIRE_IP6_ADDR_LEN);
	memcpy(out->dst, ip.dst, WIRE_IP6_ADDR_LEN);
	out->ttl = ip.hop_limit;
	out->p = p + WIRE_IP6_LEN;
	out->len = ip.payload_len;
	return true;
}

static enum wire_carp_sum
sum4(const struct packet *k)
{
	return wire_carp_sum_ok(k->p) ? WIRE_CARP_SUM_PLAIN : WIRE_CARP_SUM_BAD;
}

static enum wire_carp_sum
sum6(const struct packet *k)
{
	return wire_carp6_sum_ok(k->p, k->src.bytes, k->dst);
}

static bool
own4(const struct ctl_advert_scope *scope, const struct base_addr *a)
{
	for (uint16_t i = 0; i < scope->n_own_ip4; i++)
		if (scope->own_ip4[i] == base_addr_ip4(a))
			return true;
	return false;
}

static bool
own6(const struct ctl_advert_scope *scope, const struct base_addr *a)
{
	for (uint16_t i = 0; i < scope->n_own_ip6; i++)
		if (memcmp(scope->own_ip6[i], a->bytes, WIRE_IP6_ADDR_LEN) == 0)
			return true;
	return false;
}

/** What differs between the families; the check is one. */
static const struct family {
	uint16_t ethertype;
	uint8_t bit; /* ELECTION_IP4 or 6 */
	bool (*decode)(const uint8_t *p, size_t len, struct packet *out);
	enum wire_carp_sum (*sum)(const struct packet *k);
	bool (*own)(const struct ctl_advert_scope *scope, const struct base_addr *a);
} families[] = {
	{WIRE_ETHERTYPE_IP4, ELECTION_IP4, packet4_decode, sum4, own4},
	{WIRE_ETHERTYPE_IP6, ELECTION_IP6, packet6_decode, sum6, own6},
};

/* The family of a frame and where its IP header starts, or NULL when it is of neither. */
static const struct family *
family_of(const uint8_t *frame, size_t len, size_t *off)
{
	struct wire_eth eth;

	if (!wire_eth_decode(frame, len, &eth))
		return NULL;
	*off = WIRE_ETH_LEN;
	if (eth.type == WIRE_ETHERTYPE_VLAN && len >= WIRE_ETH_LEN + WIRE_VLAN_TAG_LEN) {
		eth.type = base_load_be16(frame + WIRE_ETH_LEN + 2);
		*off += WIRE_VLAN_TAG_LEN;
	}
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (families[i].ethertype == eth.type)
			return &families[i];
	return NULL;
}

/* Only the vhid says whether the TTL matters, and only a whole header has one. */
static bool
ttl_matters(
	const struct ctl_advert_scope *scope, const struct family *family, bool whole, uint8_t vhid)
{
	uint16_t group;

	if (scope->unicast == NULL || !whole)
		return true;
	group = scope->vhid_group[vhid];
	return group == ELECTION_NONE || !(scope->unicast[group] & family->bit);
}

static enum ctl_stat
whose(const struct auth_counters *counters, uint64_t counter)
{
	return auth_counters_own(counters, counter) ? CTL_STAT_LOOP : CTL_STAT_IPACKETS;
}

enum ctl_stat
ctl_advert_check(const uint8_t *frame, size_t len, const struct ctl_advert_scope *scope,
	struct ctl_advert *out)
{
	const struct family *family;
	struct packet k = {0};
	struct wire_carp carp = {0};
	size_t off;
	uint16_t group;
	bool whole;

	memset(out, 0, sizeof(*out));
	out->group = ELECTION_NONE;

	if (!scope->allow)
		return CTL_STAT_DISALLOWED;
	if (scope->vhid_group == NULL)
		return CTL_STAT_BADIF;

	family = family_of(frame, len, &off);
	if (family == NULL || !family->decode(frame + off, len - off, &k))
		return CTL_STAT_HDROPS;
	out->src = k.src;

	whole = wire_carp_decode(k.p, k.len, &carp);
	if (k.ttl != WIRE_CARP_TTL && ttl_matters(scope, family, whole, carp.vhid))
		return CTL_STAT_BADTTL;
	if (!whole)
		return CTL_STAT_BADLEN;
	out->vhid = carp.vhid;
	out->sum = family->sum(&k);
	if (out->sum == WIRE_CARP_SUM_BAD)
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

	if (family->own(scope, &k.src))
		return CTL_STAT_SELF;
	if (carp.version != WIRE_CARP_VERSION)
		return CTL_STAT_BADVER;
	if (auth_group_verify(scope->auth[group], carp.counter, carp.digest))
		return whose(scope->counters[group], carp.counter);
	if (scope->other_auth == NULL || scope->other_auth[group] == NULL ||
		!auth_group_verify(scope->other_auth[group], carp.counter, carp.digest))
		return CTL_STAT_BADAUTH;
	out->other = true;
	return whose(scope->other_counters[group], carp.counter);
}
