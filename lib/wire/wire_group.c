/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "wire_group.h"

#include <string.h>

#include "base_bytes.h"

#define PROTO_IGMP 2
#define HOP_LIMIT  1

/* Internetwork control, as RFC 3376 4 wants it. */
#define TOS_CONTROL 0xc0

#define OPTION4_END	     0
#define OPTION4_NOP	     1
#define OPTION4_ROUTER_ALERT 0x94
#define OPTION4_LEN	     4

#define OPTION6_PAD1	     0
#define OPTION6_PADN	     1
#define OPTION6_ROUTER_ALERT 5
#define HOPOPTS_LEN	     8

/* Types of group records, RFC 3376 4.2.12. */
#define RECORD_IS_EXCLUDE 2
#define RECORD_TO_INCLUDE 3
#define RECORD_TO_EXCLUDE 4

#define RECORDS_LEN 8 /* before the records */
#define RECORD_LEN  4 /* before its group */

/* Versions 1 to newest - 1 have one group in a message, the newest has records. */
#define VERSIONS_MAX 3

/** What the two protocols do not have in common. */
struct family {
	uint16_t ethertype;
	uint8_t addr_len;
	uint8_t ip_len; /* of the header that we send */
	uint8_t newest;
	uint8_t old_len;		       /* bytes of an old message before its group */
	uint8_t old_query_len;		       /* of a query that is not of the newest version */
	uint8_t new_query_len;		       /* and of one that is, before its sources */
	uint8_t query;			       /* types of messages */
	uint8_t report[VERSIONS_MAX];	       /* by version - 1 */
	uint8_t leave;			       /* in version newest - 1 */
	uint8_t to_all[WIRE_IP6_ADDR_LEN];     /* where queries go, */
	uint8_t to_routers[WIRE_IP6_ADDR_LEN]; /* old leaves, */
	uint8_t to_records[WIRE_IP6_ADDR_LEN]; /* reports of the newest version */
	void (*ip_encode)(const uint8_t *src, const uint8_t *dst, uint16_t len, uint8_t *out);
	/* What the checksum starts from. */
	uint32_t (*sum)(const uint8_t *src, const uint8_t *dst, uint32_t len);
	/* In milliseconds, of a message of this version. */
	uint32_t (*max_resp)(const uint8_t *p, uint8_t version);
	void (*mac)(const uint8_t *group, uint8_t mac[WIRE_MAC_LEN]);
};

static void
ip4_encode(const uint8_t *src, const uint8_t *dst, uint16_t len, uint8_t *out)
{
	struct wire_ip4 ip = {
		.tos = TOS_CONTROL,
		.total_len = (uint16_t)(WIRE_IP4_LEN + OPTION4_LEN + len),
		.frag = WIRE_IP4_DF,
		.ttl = HOP_LIMIT,
		.proto = PROTO_IGMP,
		.src = base_load_be32(src),
		.dst = base_load_be32(dst),
	};
	const uint8_t router_alert[OPTION4_LEN] = {OPTION4_ROUTER_ALERT, OPTION4_LEN};
	const size_t header_len = WIRE_IP4_LEN + OPTION4_LEN;

	wire_ip4_encode(&ip, out);
	memcpy(out + WIRE_IP4_LEN, router_alert, OPTION4_LEN);
	out[0] = (uint8_t)(0x40 | header_len / 4);
	base_store_be16(out + 10, 0);
	base_store_be16(out + 10, wire_sum_fold(wire_sum(out, header_len, 0)));
}

static void
ip6_encode(const uint8_t *src, const uint8_t *dst, uint16_t len, uint8_t *out)
{
	struct wire_ip6 ip = {
		.payload_len = (uint16_t)(HOPOPTS_LEN + len),
		.next = WIRE_PROTO_HOPOPTS,
		.hop_limit = HOP_LIMIT,
	};
	/* Next header and length, padding, router alert with value 0: MLD (RFC 2711). */
	const uint8_t hopopts[HOPOPTS_LEN] = {
		WIRE_PROTO_ICMP6, 0, OPTION6_PADN, 0, OPTION6_ROUTER_ALERT, 2, 0, 0};

	memcpy(ip.src, src, WIRE_IP6_ADDR_LEN);
	memcpy(ip.dst, dst, WIRE_IP6_ADDR_LEN);
	wire_ip6_encode(&ip, out);
	memcpy(out + WIRE_IP6_LEN, hopopts, HOPOPTS_LEN);
}

static uint32_t
igmp_sum(const uint8_t *src, const uint8_t *dst, uint32_t len)
{
	(void)src;
	(void)dst;
	(void)len;
	return 0;
}

static uint32_t
mld_sum(const uint8_t *src, const uint8_t *dst, uint32_t len)
{
	return wire_ip6_pseudo_sum(src, dst, len, WIRE_PROTO_ICMP6);
}

/* Code in tenths of a second; from 128 on a floating-point number (RFC 3376 4.1.1). */
static uint32_t
igmp_max_resp(const uint8_t *p, uint8_t version)
{
	uint32_t code = p[1];

	if (version == 1)
		return 10000;
	if (version == WIRE_GROUP_IGMP_NEWEST && code >= 0x80)
		code = ((code & 0x0f) | 0x10) << ((code >> 4 & 7) + 3);
	return code * 100;
}

/* Code in milliseconds; from 32768 on a floating-point number (RFC 3810 5.1.3). */
static uint32_t
mld_max_resp(const uint8_t *p, uint8_t version)
{
	uint32_t code = base_load_be16(p + 4);

	if (version == WIRE_GROUP_MLD_NEWEST && code >= 0x8000)
		code = ((code & 0x0fff) | 0x1000) << ((code >> 12 & 7) + 3);
	return code;
}

static void
ip4_group_mac(const uint8_t *group, uint8_t mac[WIRE_MAC_LEN])
{
	mac[0] = 0x01;
	mac[1] = 0x00;
	mac[2] = 0x5e;
	mac[3] = group[1] & 0x7f;
	mac[4] = group[2];
	mac[5] = group[3];
}

static const struct family igmp = {
	.ethertype = WIRE_ETHERTYPE_IP4,
	.addr_len = 4,
	.ip_len = WIRE_IP4_LEN + OPTION4_LEN,
	.newest = WIRE_GROUP_IGMP_NEWEST,
	.old_len = 4,
	.old_query_len = 8,
	.new_query_len = 12,
	.query = 0x11,
	.report = {0x12, 0x16, 0x22},
	.leave = 0x17,
	.to_all = {224, 0, 0, 1},
	.to_routers = {224, 0, 0, 2},
	.to_records = {224, 0, 0, 22},
	.ip_encode = ip4_encode,
	.sum = igmp_sum,
	.max_resp = igmp_max_resp,
	.mac = ip4_group_mac,
};

static const struct family mld = {
	.ethertype = WIRE_ETHERTYPE_IP6,
	.addr_len = WIRE_IP6_ADDR_LEN,
	.ip_len = WIRE_IP6_LEN + HOPOPTS_LEN,
	.newest = WIRE_GROUP_MLD_NEWEST,
	.old_len = 8,
	.old_query_len = 24,
	.new_query_len = 28,
	.query = 130,
	.report = {131, 143},
	.leave = 132,
	.to_all = {0xff, 0x02, [15] = 0x01},
	.to_routers = {0xff, 0x02, [15] = 0x02},
	.to_records = {0xff, 0x02, [15] = 0x16},
	.ip_encode = ip6_encode,
	.sum = mld_sum,
	.max_resp = mld_max_resp,
	.mac = wire_ip6_group_mac,
};

void
wire_group_mac(const struct base_addr *group, uint8_t mac[WIRE_MAC_LEN])
{
	const struct family *f = group->family == BASE_FAMILY_IP6 ? &mld : &igmp;

	f->mac(group->bytes, mac);
}

/* The message of a report; returns its length and where it goes to, 0 if there is no such. */
static size_t
message_encode(
	const struct family *f, const struct wire_group_report *r, uint8_t *p, const uint8_t **dst)
{
	bool leave = r->change == WIRE_GROUP_LEAVE;
	size_t len;

	if (r->version < 1 || r->version > f->newest)
		return 0;
	if (r->version == f->newest) {
		uint8_t record = leave		       ? RECORD_TO_INCLUDE
			: r->change == WIRE_GROUP_JOIN ? RECORD_TO_EXCLUDE
						       : RECORD_IS_EXCLUDE;

		len = RECORDS_LEN + RECORD_LEN + f->addr_len;
		memset(p, 0, len);
		p[0] = f->report[r->version - 1];
		base_store_be16(p + 6, 1); /* number of records */
		p[RECORDS_LEN] = record;
		memcpy(p + RECORDS_LEN + RECORD_LEN, r->group.bytes, f->addr_len);
		*dst = f->to_records;
		return len;
	}
	if (leave && r->version != f->newest - 1)
		return 0;
	len = (size_t)f->old_len + f->addr_len;
	memset(p, 0, len);
	p[0] = leave ? f->leave : f->report[r->version - 1];
	memcpy(p + f->old_len, r->group.bytes, f->addr_len);
	*dst = leave ? f->to_routers : r->group.bytes;
	return len;
}

size_t
wire_group_frame_encode(const struct wire_group_report *r, uint8_t out[WIRE_GROUP_FRAME_MAX])
{
	const struct family *f = r->group.family == BASE_FAMILY_IP6 ? &mld : &igmp;
	uint8_t *p = out + WIRE_ETH_LEN + f->ip_len;
	struct wire_eth eth = {.type = f->ethertype};
	const uint8_t *dst;
	size_t len = message_encode(f, r, p, &dst);
	uint32_t sum;

	if (len == 0)
		return 0;
	sum = wire_sum(p, len, f->sum(r->src.bytes, dst, (uint32_t)len));
	base_store_be16(p + 2, wire_sum_fold(sum));
	f->mac(dst, eth.dst);
	memcpy(eth.src, r->eth_src, WIRE_MAC_LEN);
	wire_eth_encode(&eth, out);
	f->ip_encode(r->src.bytes, dst, (uint16_t)len, out + WIRE_ETH_LEN);
	return WIRE_ETH_LEN + f->ip_len + len;
}

/** A packet that may be a query, down to its message. */
struct packet {
	const struct family *family;
	const uint8_t *p; /* the message */
	size_t len;
	uint8_t src[WIRE_IP6_ADDR_LEN];
	uint8_t dst[WIRE_IP6_ADDR_LEN];
	uint8_t hop_limit;
	bool router_alert;
};

static bool
options4_alert(const uint8_t *p, size_t len)
{
	while (len > 0 && p[0] != OPTION4_END) {
		size_t option_len = 1;

		if (p[0] != OPTION4_NOP) {
			if (len < 2 || p[1] < 2 || p[1] > len)
				return false;
			option_len = p[1];
			if (p[0] == OPTION4_ROUTER_ALERT && option_len == OPTION4_LEN)
				return true;
		}
		p += option_len;
		len -= option_len;
	}
	return false;
}

static bool
packet4_decode(const uint8_t *p, size_t len, struct packet *out)
{
	struct wire_ip4 ip;

	if (wire_ip4_decode(p, len, &ip) != WIRE_IP4_OK || ip.proto != PROTO_IGMP ||
		(ip.frag & (WIRE_IP4_MF | WIRE_IP4_OFFSET)) != 0)
		return false;
	out->family = &igmp;
	out->p = p + ip.header_len;
	out->len = (size_t)(ip.total_len - ip.header_len);
	base_store_be32(out->src, ip.src);
	base_store_be32(out->dst, ip.dst);
	out->hop_limit = ip.ttl;
	out->router_alert =
		options4_alert(p + WIRE_IP4_LEN, (size_t)(ip.header_len - WIRE_IP4_LEN));
	return true;
}

static bool
options6_alert(const uint8_t *p, size_t len)
{
	while (len > 0) {
		size_t option_len = 1;

		if (p[0] != OPTION6_PAD1) {
			if (len < 2 || (size_t)p[1] + 2 > len)
				return false;
			option_len = (size_t)p[1] + 2;
			if (p[0] == OPTION6_ROUTER_ALERT && p[1] == 2)
				return true;
		}
		p += option_len;
		len -= option_len;
	}
	return false;
}

static bool
packet6_decode(const uint8_t *p, size_t len, struct packet *out)
{
	struct wire_ip6 ip;
	uint8_t next;
	size_t hopopts_len = 0;

	if (wire_ip6_decode(p, len, &ip) != WIRE_IP6_OK)
		return false;
	next = ip.next;
	p += WIRE_IP6_LEN;
	if (next == WIRE_PROTO_HOPOPTS) {
		if (ip.payload_len < HOPOPTS_LEN)
			return false;
		next = p[0];
		hopopts_len = ((size_t)p[1] + 1) * HOPOPTS_LEN;
		if (hopopts_len > ip.payload_len)
			return false;
		out->router_alert = options6_alert(p + 2, hopopts_len - 2);
	}
	if (next != WIRE_PROTO_ICMP6)
		return false;
	out->family = &mld;
	out->p = p + hopopts_len;
	out->len = ip.payload_len - hopopts_len;
	memcpy(out->src, ip.src, WIRE_IP6_ADDR_LEN);
	memcpy(out->dst, ip.dst, WIRE_IP6_ADDR_LEN);
	out->hop_limit = ip.hop_limit;
	return true;
}

/* By its length, RFC 3376 7.1 and RFC 3810 8.1; 0 for no version. */
static uint8_t
query_version(const struct packet *k)
{
	const struct family *f = k->family;

	if (k->len >= f->new_query_len)
		return f->newest;
	if (k->len != f->old_query_len)
		return 0;
	/* IGMPv1 has no time to answer in. */
	return f == &igmp && k->p[1] == 0 ? 1 : (uint8_t)(f->newest - 1);
}

static bool
envelope_ok(const struct packet *k, const struct wire_group_query *q)
{
	const struct family *f = k->family;
	bool to_all = memcmp(k->dst, f->to_all, f->addr_len) == 0;

	if (f == &mld &&
		(!wire_ip6_is_link_local(k->src) || k->hop_limit != HOP_LIMIT || !k->router_alert))
		return false;
	if (q->general)
		return to_all;
	if (f == &mld ? !wire_ip6_is_multicast(q->group.bytes) : q->group.bytes[0] >> 4 != 0xe)
		return false;
	return to_all || memcmp(k->dst, q->group.bytes, f->addr_len) == 0;
}

enum wire_group_result
wire_group_query_decode(const uint8_t *p, size_t len, struct wire_group_query *out)
{
	static const uint8_t none[WIRE_IP6_ADDR_LEN];
	struct packet k = {0};
	struct wire_group_query q = {0};
	const struct family *f;
	bool whole = false;

	if (len > 0 && p[0] >> 4 == 4)
		whole = packet4_decode(p, len, &k);
	else if (len > 0 && p[0] >> 4 == 6)
		whole = packet6_decode(p, len, &k);
	if (!whole || k.len < 1 || k.p[0] != k.family->query)
		return WIRE_GROUP_OTHER;
	f = k.family;

	q.version = query_version(&k);
	if (q.version == 0)
		return WIRE_GROUP_BAD_LENGTH;
	if (wire_sum_fold(wire_sum(k.p, k.len, f->sum(k.src, k.dst, (uint32_t)k.len))) != 0)
		return WIRE_GROUP_BAD_CHECKSUM;
	if (q.version == f->newest) {
		q.n_sources = base_load_be16(k.p + f->new_query_len - 2);
		if (k.len - f->new_query_len < (size_t)q.n_sources * f->addr_len)
			return WIRE_GROUP_BAD_LENGTH;
	}
	q.group.family = f == &mld ? BASE_FAMILY_IP6 : BASE_FAMILY_IP4;
	memcpy(q.group.bytes, k.p + f->old_len, f->addr_len);
	q.general = memcmp(q.group.bytes, none, f->addr_len) == 0;
	q.max_resp_ms = f->max_resp(k.p, q.version);
	q.router_alert = k.router_alert;
	if (!envelope_ok(&k, &q))
		return WIRE_GROUP_BAD_ENVELOPE;
	*out = q;
	return WIRE_GROUP_OK;
}
