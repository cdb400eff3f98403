/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Classification: the length first, then the Ethernet destination (the ownership gate), then what
 * is inside. The common frame, unicast IP in one segment, is let through by a few compares;
 * everything else goes the long way, which alone knows the reasons to refuse one.
 */
#include "dp_eight_priv.h"
#include "dp_four_priv.h"
#include "dp_host_priv.h"
#include "dp_ttl_priv.h"

#include <rte_prefetch.h>

#define PREFETCH_AHEAD 4

#define PROTO_IGMP     2
#define IGMP_LEN       8 /* a query of version 1 or 2; one of 3 is longer */
#define IGMP_QUERY     0x11
#define IGMP_ALL_HOSTS UINT32_C(0xe0000001) /* 224.0.0.1 */

/* Whom a frame is for, by its Ethernet destination. */
enum l2_class {
	L2_OURS = 0,   /* the interface's MAC, or the vMAC of a group that we own */
	L2_GROUP,      /* broadcast or multicast */
	L2_NOT_MASTER, /* the vMAC of a group that we do not own */
	L2_OTHER,
};

const bool dp_ip4_plain[256] = {[1 ... 126] = true, [128 ... 168] = true, [170 ... 223] = true};

/* The vMAC of some vhid, as dp_mac_word() reads it. */
static inline bool
mac_is_vmac(uint64_t word)
{
	static const uint8_t first[8] = {0x00, 0x00, 0x5e, 0x00, 0x01, 0x00, 0, 0};
	static const uint8_t five[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0};
	uint64_t fixed, mask;

	memcpy(&fixed, first, sizeof(fixed));
	memcpy(&mask, five, sizeof(mask));
	return (word & mask) == fixed;
}

static inline enum l2_class
l2_classify(const struct dp_lcore *lc, const uint8_t *dst)
{
	const struct dp_if *in = lc->in;
	uint64_t word = dp_mac_word(dst);
	unsigned int i = dst[5] / 64, bit = dst[5] % 64;

	/* Most frames of a firewall come through the shared address. */
	if (mac_is_vmac(word)) {
		if (likely(atomic_load_explicit(&in->owned[i], memory_order_acquire) >> bit & 1))
			return L2_OURS;
		if (dp_addrs(lc, in)->vhids[i] >> bit & 1)
			return L2_NOT_MASTER;
	}
	if (word == in->mac_word)
		return L2_OURS;
	return dst[0] & 1 ? L2_GROUP : L2_OTHER;
}

/*
 * The IPv4 header checksum verifies, 20 bytes without options. 2^16 is 1 modulo 65535, and so are
 * 2^32 and 2^64: any sum of words of any width, carries added in, has the same remainder, and 0 is
 * that of a header whose ones' complement sum is all ones (it is not all zero, its version is 4).
 */
static inline bool
ip4_sum_ok(const uint8_t *ip)
{
	uint64_t a, b, sum;
	uint32_t c;
	bool carry;

	memcpy(&a, ip, sizeof(a));
	memcpy(&b, ip + 8, sizeof(b));
	memcpy(&c, ip + 16, sizeof(c));
	carry = __builtin_add_overflow(a, b, &sum);
	carry = __builtin_add_overflow(sum, (uint64_t)c + carry, &sum);
	return (sum + carry) % 65535 == 0;
}

/*
 * True for the frame that needs nothing but routing. It never says why not: what it does not let
 * through, frame_classify() looks at from the start.
 * @param ours  a destination of this burst that was found to be ours, as dp_mac_word() reads it;
 *              the next frame mostly has it too
 */
static inline bool
frame_is_plain(const struct dp_lcore *lc, struct rte_mbuf *m, uint64_t *ours, uint32_t *dst)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *), *ip = p + WIRE_ETH_LEN;
	uint32_t len = m->data_len, payload, room;
	uint64_t mac;

	if (unlikely(len < WIRE_ETH_LEN + WIRE_IP4_LEN || m->nb_segs != 1))
		return false;
	if (unlikely(base_load_be16(p + 12) != WIRE_ETHERTYPE_IP4 || ip[0] != 0x45))
		return false;
	mac = dp_mac_word(p);
	if (unlikely(mac != *ours)) {
		if (l2_classify(lc, p) != L2_OURS)
			return false;
		*ours = mac;
	}
	/* A total length below that of the header wraps, and is too much as well. */
	payload = (uint32_t)base_load_be16(ip + 2) - WIRE_IP4_LEN;
	room = len - (WIRE_ETH_LEN + WIRE_IP4_LEN);
	if (unlikely(payload > room || !ip4_sum_ok(ip)))
		return false;
	if (unlikely(!dp_ip4_plain[ip[12]] || !dp_ip4_plain[ip[16]]) || dp_sender_own4(lc, ip))
		return false;
	*dst = base_load_be32(ip + 16);
	/* Ethernet padding is not part of the packet. */
	if (unlikely(payload != room)) {
		len -= room - payload;
		m->data_len = (uint16_t)len;
		m->pkt_len = len;
	}
	return true;
}

/* The same of IPv6. Addresses that begin with 00, fe or ff may be special ones. */
static inline bool
frame_is_plain6(const struct dp_lcore *lc, struct rte_mbuf *m, uint64_t *ours)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *), *ip = p + WIRE_ETH_LEN;
	uint32_t len = m->data_len, total;
	uint64_t mac;

	if (unlikely(len < WIRE_ETH_LEN + WIRE_IP6_LEN || m->nb_segs != 1))
		return false;
	if (base_load_be16(p + 12) != WIRE_ETHERTYPE_IP6 || unlikely(ip[0] >> 4 != 6))
		return false;
	mac = dp_mac_word(p);
	if (unlikely(mac != *ours)) {
		if (l2_classify(lc, p) != L2_OURS)
			return false;
		*ours = mac;
	}
	if (unlikely((uint8_t)(ip[8] - 1) >= 0xfd || (uint8_t)(ip[24] - 1) >= 0xfd))
		return false;
	total = WIRE_IP6_LEN + (uint32_t)base_load_be16(ip + 4);
	if (unlikely(WIRE_ETH_LEN + total > len) || dp_sender_own6(lc, ip))
		return false;
	if (unlikely(WIRE_ETH_LEN + total != len)) {
		m->data_len = (uint16_t)(WIRE_ETH_LEN + total);
		m->pkt_len = WIRE_ETH_LEN + total;
	}
	return true;
}

/* Of one whom we asked, or know, to us alone; who makes addresses up waits with the others. */
static bool
arp_is_answer(const struct dp_lcore *lc, struct rte_mbuf *m, const struct wire_arp *arp)
{
	return arp->op == WIRE_ARP_REPLY && (*rte_pktmbuf_mtod(m, const uint8_t *) & 1) == 0 &&
		lc->nbr != NULL && fib_nbr_has(lc->nbr, lc->in->index, arp->sender_ip);
}

static void
arp_classify(struct dp_lcore *lc, struct rte_mbuf *m)
{
	const struct fib_nh *nh;
	struct wire_arp arp;

	if (!wire_arp_decode(rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN),
		    (size_t)(m->data_len - WIRE_ETH_LEN), &arp)) {
		dp_drop(lc, m, DP_DROP_ARP_MALFORMED);
		return;
	}
	if (arp_is_answer(lc, m, &arp)) {
		dp_punt_answer(lc, m);
		return;
	}
	if (lc->fib != NULL) {
		fib_lookup(lc->fib, &arp.target_ip, &nh, 1);
		if (nh->type == FIB_NH_LOCAL && nh->group < lc->dp->n_groups &&
			lc->roster->groups[nh->group].vhid != 0 && nh->if_index == lc->in->index) {
			dp_punt_group_arp(lc, m, nh->group);
			return;
		}
	}
	dp_punt_if_arp(lc, m);
}

/* The same decisions as wire_ip4_decode(), which a test holds it to. */
enum dp_drop
dp_ip4_header_check(const uint8_t *ip, size_t in_segment, size_t in_packet)
{
	size_t header_len, total_len;

	if (in_packet < WIRE_IP4_LEN)
		return DP_DROP_IP4_TRUNCATED;
	if (ip[0] >> 4 != 4)
		return DP_DROP_IP4_VERSION;
	header_len = (size_t)(ip[0] & 0x0f) * 4;
	total_len = base_load_be16(ip + 2);
	if (header_len < WIRE_IP4_LEN || total_len < header_len)
		return DP_DROP_IP4_HEADER;
	if (in_packet < total_len || in_segment < header_len)
		return DP_DROP_IP4_TRUNCATED;
	if (wire_sum_fold(wire_sum(ip, header_len, 0)) != 0)
		return DP_DROP_IP4_CHECKSUM;
	return DP_DROP_COUNT;
}

static void
carp_classify(struct dp_lcore *lc, struct rte_mbuf *m, const uint8_t *ip)
{
	uint32_t header_len = (uint32_t)(ip[0] & 0x0f) * 4;

	/* The second byte tells the group; what else is wrong is the control lcore's to find. */
	if (base_load_be16(ip + 2) < header_len + 2 ||
		(base_load_be16(ip + 6) & (WIRE_IP4_MF | WIRE_IP4_OFFSET)) != 0) {
		dp_drop(lc, m, DP_DROP_CARP_MALFORMED);
		return;
	}
	dp_punt_advert(lc, m, ip[header_len + 1], dp_known_ip4(base_load_be32(ip + 12)));
}

/* A query that is about the group of adverts, or about all groups (RFC 3376 4.1.12). */
static bool
igmp_is_query(const struct rte_mbuf *m, const uint8_t *ip, uint32_t dst)
{
	size_t header_len = (size_t)(ip[0] & 0x0f) * 4;

	return (dst == IGMP_ALL_HOSTS || dst == WIRE_CARP_GROUP_IP4) && ip[8] == 1 &&
		(base_load_be16(ip + 6) & (WIRE_IP4_MF | WIRE_IP4_OFFSET)) == 0 &&
		base_load_be16(ip + 2) >= header_len + IGMP_LEN &&
		m->data_len >= WIRE_ETH_LEN + header_len + IGMP_LEN && ip[header_len] == IGMP_QUERY;
}

/* RFC 3927 2.7: never forwarded, whatever the TTL. */
static bool
is_link_local(uint32_t ip)
{
	return ip >> 16 == 0xa9fe;
}

/* Whose an address of ours is; NULL when it is none. */
static const struct fib_nh *
local_find(const struct dp_lcore *lc, uint32_t ip)
{
	const struct fib_nh *nh;

	if (lc->fib == NULL)
		return NULL;
	fib_lookup(lc->fib, &ip, &nh, 1);
	return nh->type == FIB_NH_LOCAL ? nh : NULL;
}

/* An advert to an own address, which control has to know of whoever it is from. */
static bool
is_unicast_advert(const struct dp_lcore *lc, const uint8_t *ip, uint32_t dst)
{
	const struct fib_nh *nh = ip[9] == WIRE_PROTO_CARP ? local_find(lc, dst) : NULL;

	return nh != NULL && nh->group >= lc->dp->n_groups && nh->if_index == lc->in->index;
}

static bool
ip4_classify(struct dp_lcore *lc, struct rte_mbuf *m, enum l2_class l2, uint32_t *dst)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN);
	enum dp_drop why = dp_ip4_header_check(
		ip, (size_t)(m->data_len - WIRE_ETH_LEN), (size_t)(m->pkt_len - WIRE_ETH_LEN));
	uint32_t src;

	if (why != DP_DROP_COUNT) {
		dp_drop(lc, m, why);
		return false;
	}
	src = base_load_be32(ip + 12);
	*dst = base_load_be32(ip + 16);
	/* Before the source is judged: a box without an address sends from 0.0.0.0 (note 1.2). */
	if (*dst == WIRE_CARP_GROUP_IP4 && ip[9] == WIRE_PROTO_CARP) {
		carp_classify(lc, m, ip);
		return false;
	}
	/* A switch that asks for others has no address either (RFC 4541 2.1.1). */
	if (ip[9] == PROTO_IGMP && igmp_is_query(m, ip, *dst)) {
		dp_punt_if_arp(lc, m);
		return false;
	}
	dp_frame_trim(m, WIRE_ETH_LEN + (uint32_t)base_load_be16(ip + 2));
	if (l2 == L2_GROUP && !dp_sender_own4(lc, ip) && dp_host_up_group4(lc, m, src, *dst))
		return false;
	if (!dp_ip4_is_unicast(src))
		why = DP_DROP_IP4_SOURCE;
	else if ((*dst >= UINT32_C(0xe0000000) && *dst < UINT32_C(0xf0000000)) ||
		*dst == UINT32_MAX)
		why = DP_DROP_MULTICAST;
	else if (!dp_ip4_is_unicast(*dst))
		why = DP_DROP_IP4_DESTINATION;
	else if (l2 == L2_GROUP)
		why = DP_DROP_L2_BROADCAST;
	else if (dp_sender_own4(lc, ip) && !is_unicast_advert(lc, ip, *dst))
		why = DP_DROP_OWN_SOURCE;
	else if ((is_link_local(src) || is_link_local(*dst)) && local_find(lc, *dst) == NULL)
		why = DP_DROP_IP4_SCOPE;
	if (why != DP_DROP_COUNT) {
		dp_drop(lc, m, why);
		return false;
	}
	return (ip[0] & 0x0f) == WIRE_IP4_LEN / 4 || dp_ip4_options(lc, m);
}

static bool frame_classify(struct dp_lcore *lc, struct rte_mbuf *m, uint32_t *dst);

/*
 * Of a port without tagged interfaces, where tags were not looked for. A tag means another
 * interface, so that this one's MACs say nothing about it; but a priority alone does not.
 */
static bool
tagged_classify(struct dp_lcore *lc, struct rte_mbuf *m, uint32_t *dst)
{
	uint16_t vlan;
	enum dp_drop why = dp_vlan_take(m, &vlan);

	if (why == DP_DROP_COUNT && vlan != 0)
		why = DP_DROP_VLAN_UNKNOWN;
	if (why == DP_DROP_COUNT)
		return frame_classify(lc, m, dst);
	dp_drop(lc, m, why);
	return false;
}

/* The long way; true when the packet is to be routed. */
static __rte_noinline bool
frame_classify(struct dp_lcore *lc, struct rte_mbuf *m, uint32_t *dst)
{
	const uint8_t *p;
	enum l2_class l2;
	uint16_t type;

	if (m->pkt_len < WIRE_ETH_LEN) {
		dp_drop(lc, m, DP_DROP_TRUNCATED_ETH);
		return false;
	}
	if (m->nb_segs > 1)
		dp_headers_pull_up(m);
	if (m->data_len < WIRE_ETH_LEN) {
		dp_drop(lc, m, DP_DROP_TRUNCATED_ETH);
		return false;
	}
	p = rte_pktmbuf_mtod(m, const uint8_t *);
	type = base_load_be16(p + 12);
	if (type == WIRE_ETHERTYPE_VLAN || type == WIRE_ETHERTYPE_QINQ)
		return tagged_classify(lc, m, dst);
	l2 = l2_classify(lc, p);
	if (l2 == L2_NOT_MASTER || l2 == L2_OTHER) {
		dp_drop(lc, m, l2 == L2_OTHER ? DP_DROP_OTHER_MAC : DP_DROP_NOT_MASTER);
		return false;
	}
	if (type == WIRE_ETHERTYPE_IP4)
		return ip4_classify(lc, m, l2, dst);
	if (type == WIRE_ETHERTYPE_ARP)
		arp_classify(lc, m);
	else if (type == WIRE_ETHERTYPE_IP6)
		dp_ip6_classify(lc, m, l2 == L2_GROUP);
	else
		dp_drop(lc, m, DP_DROP_ETHERTYPE);
	return false;
}

/* A frame that another host sent to somebody on this interface; see dp_last_frame(). */
static inline bool
frame_is_foreign(const struct dp_lcore *lc, const struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	unsigned int vhid;
	uint64_t src;

	if (m->data_len < WIRE_ETH_LEN)
		return false;
	src = dp_mac_word(p + BASE_MAC_LEN);
	vhid = p[2 * BASE_MAC_LEN - 1];
	if (src == lc->in->mac_word ||
		(mac_is_vmac(src) &&
			(dp_addrs(lc, lc->in)->vhids[vhid / 64] >> (vhid % 64) & 1) != 0))
		return false;
	if (base_load_be32(p) == 0x0180c200 && p[4] == 0 && p[5] < 0x10)
		return false;
	return base_load_be16(p + 12) != WIRE_ETHERTYPE_VLAN ||
		(m->data_len >= WIRE_ETH_LEN + WIRE_VLAN_TAG_LEN &&
			(base_load_be16(p + WIRE_ETH_LEN) & WIRE_VLAN_ID) == 0);
}

/* At most one store per burst: mostly the first frame settles it. */
static inline void
foreign_note(struct dp_lcore *lc, struct rte_mbuf *const *pkts, uint16_t n)
{
	_Atomic base_ns_t *last = &lc->last_frame[lc->in->index];

	for (uint16_t i = 0; i < n; i++) {
		if (likely(frame_is_foreign(lc, pkts[i]))) {
			atomic_store_explicit(last, lc->now, memory_order_relaxed);
			return;
		}
	}
}

/* What is known of a burst so far. */
struct burst {
	uint64_t bytes;
	/* A destination that is ours, as dp_mac_word() reads it: at first the interface's MAC, then
	 * what was found last, which the next frame mostly has too. */
	uint64_t ours;
	uint32_t kept;
};

static inline void
classify_one(struct dp_lcore *lc, struct rte_mbuf **pkts, struct rte_mbuf *m, struct burst *b)
{
	b->bytes += m->pkt_len;
	if (!likely(frame_is_plain(lc, m, &b->ours, &lc->dst[b->kept]))) {
		if (frame_is_plain6(lc, m, &b->ours)) {
			dp_ip6_keep(lc, m);
			return;
		}
		if (!frame_classify(lc, m, &lc->dst[b->kept]))
			return;
	}
	dp_ttl_note(lc, b->kept, m);
	pkts[b->kept++] = m;
}

#ifdef DP_HAVE_FOUR
/* Frames that are kept move to the front, over those that are gone. */
static inline void
mbufs_move(struct rte_mbuf **to, struct rte_mbuf *const *from)
{
	struct rte_mbuf *m[4];

	memcpy(m, from, sizeof(m));
	memcpy(to, m, sizeof(m));
}

/*
 * By eights from the beginning, as far as that goes.
 * @return how many were let through; all of the family of *kept or of *kept6, whose number it is
 */
static inline uint32_t
classify_eights(struct dp_lcore *lc, struct rte_mbuf **pkts, uint32_t n, struct burst *b,
	uint32_t *kept, uint32_t *kept6)
{
#ifdef DP_HAVE_EIGHT
	const struct rte_mbuf *m = pkts[0];
	uint16_t type;

	if (!lc->eights || n < 8 || m->data_len < WIRE_ETH_LEN)
		return 0;
	type = base_load_be16(rte_pktmbuf_mtod(m, const uint8_t *) + 12);
	if (type == WIRE_ETHERTYPE_IP4)
		return *kept = dp_eights(lc, pkts, n, b->ours, &b->bytes);
	if (type == WIRE_ETHERTYPE_IP6)
		return *kept6 = dp_eights6(lc, pkts, n, b->ours, &b->bytes);
#endif
	return 0;
}

/* @return how many frames were looked at: all but less than four at the end */
static inline uint32_t
classify_fours(struct dp_lcore *lc, struct rte_mbuf **pkts, uint32_t n, struct burst *b)
{
	const uint8_t *first = rte_pktmbuf_mtod(pkts[0], const uint8_t *);
	__m128i bytes = _mm_setzero_si128();
	uint32_t i, kept = 0, kept6 = 0, words[4];
	struct dp_heads heads;

	if (pkts[0]->data_len >= WIRE_ETH_LEN && l2_classify(lc, first) == L2_OURS)
		b->ours = dp_mac_word(first);
	heads = dp_heads_of(b->ours);
	i = classify_eights(lc, pkts, n, b, &kept, &kept6);
	for (; i + 4 <= n; i += 4) {
		struct rte_mbuf **at = pkts + i;

		if (likely(i + 8 <= n)) {
			rte_prefetch0(rte_pktmbuf_mtod(at[4], void *));
			rte_prefetch0(rte_pktmbuf_mtod(at[5], void *));
			rte_prefetch0(rte_pktmbuf_mtod(at[6], void *));
			rte_prefetch0(rte_pktmbuf_mtod(at[7], void *));
		}
		switch (dp_four(&heads, lc, at, kept, kept6, &bytes)) {
		case DP_FOUR_IP4:
			if (unlikely(kept != i))
				mbufs_move(&pkts[kept], at);
			kept += 4;
			continue;
		case DP_FOUR_IP6:
			memcpy(&lc->pkts6[kept6], at, 4 * sizeof(pkts[0]));
			kept6 += 4;
			continue;
		case DP_FOUR_NOT:
		default:
			break;
		}
		b->kept = kept;
		lc->n6 = (uint16_t)kept6;
		for (uint32_t k = i; k < i + 4; k++)
			classify_one(lc, pkts, pkts[k], b);
		kept = b->kept;
		kept6 = lc->n6;
		heads = dp_heads_of(b->ours);
	}
	b->kept = kept;
	lc->n6 = (uint16_t)kept6;
	memcpy(words, &bytes, sizeof(words));
	b->bytes += (uint64_t)words[0] + words[1] + words[2] + words[3];
	return i;
}
#endif

uint16_t
dp_classify(struct dp_lcore *lc, struct rte_mbuf **pkts, uint16_t n)
{
	struct burst b = {.ours = lc->in->mac_word};
	uint32_t i = 0;

	for (uint32_t k = 0; k < n && k < PREFETCH_AHEAD; k++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[k], void *));
	foreign_note(lc, pkts, n);
#ifdef DP_HAVE_FOUR
	if (likely(n >= 4))
		i = classify_fours(lc, pkts, n, &b);
#endif
	for (; i < n; i++) {
		struct rte_mbuf *m = pkts[i];

		if (i + PREFETCH_AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(pkts[i + PREFETCH_AHEAD], void *));
		classify_one(lc, pkts, m, &b);
	}
	dp_count(&lc->c.rx_frames, n);
	dp_count(&lc->c.rx_bytes, b.bytes);
	return (uint16_t)b.kept;
}
