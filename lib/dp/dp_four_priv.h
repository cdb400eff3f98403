/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DP_FOUR_PRIV_H
#define DP_FOUR_PRIV_H

#include "dp_priv.h"

/**
 * @file
 * Classification of four frames at once, by the vectors of 128 bits that every x86 processor of
 * DPDK has (SSE 4.1). It lets through what frame_is_plain() and frame_is_plain6() of dp_classify.c
 * let through, and does to it what they do. When one of the four is not plain, or not of the
 * others' family, it lets none through, and they are looked at one by one. A test holds the two
 * ways to the same results. Elsewhere there is only the one.
 */

/** What four frames are, all of them. */
enum dp_four {
	DP_FOUR_NOT = 0,
	DP_FOUR_IP4,
	DP_FOUR_IP6,
};

#ifdef __SSE4_1__
#define DP_HAVE_FOUR 1

#include <smmintrin.h>

/** The first 16 bytes of plain frames of each family: destination, type, version. */
struct dp_heads {
	__m128i ip4, ip6;
};

/** @param ours  destination of plain frames, as dp_mac_word() reads it */
static inline struct dp_heads
dp_heads_of(uint64_t ours)
{
	return (struct dp_heads){
		.ip4 = _mm_set_epi64x(INT64_C(0x0045000800000000), (int64_t)ours),
		.ip6 = _mm_set_epi64x(INT64_C(0x0060dd8600000000), (int64_t)ours),
	};
}

/*
 * Loops over the four would be loops at -O2, so they are written out.
 */
/** 16 bytes of each frame. */
static inline void
dp_four_read(const uint8_t *const p[4], unsigned int off, __m128i v[4])
{
	v[0] = _mm_loadu_si128((const void *)(p[0] + off));
	v[1] = _mm_loadu_si128((const void *)(p[1] + off));
	v[2] = _mm_loadu_si128((const void *)(p[2] + off));
	v[3] = _mm_loadu_si128((const void *)(p[3] + off));
}

static inline int
dp_four_word(const void *p)
{
	int v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/** The first words of four vectors, then the second, third and last ones. */
static inline void
dp_four_transpose(const __m128i v[4], __m128i w[4])
{
	const __m128i low01 = _mm_unpacklo_epi32(v[0], v[1]),
		      low23 = _mm_unpacklo_epi32(v[2], v[3]);
	const __m128i high01 = _mm_unpackhi_epi32(v[0], v[1]),
		      high23 = _mm_unpackhi_epi32(v[2], v[3]);

	w[0] = _mm_unpacklo_epi64(low01, low23);
	w[1] = _mm_unpackhi_epi64(low01, low23);
	w[2] = _mm_unpacklo_epi64(high01, high23);
	w[3] = _mm_unpackhi_epi64(high01, high23);
}

/** Whether one of four heads differs from what is wanted, in what counts of it. */
static inline bool
dp_four_differ(const __m128i head[4], __m128i want, __m128i mask)
{
	const __m128i d01 =
		_mm_or_si128(_mm_xor_si128(head[0], want), _mm_xor_si128(head[1], want));
	const __m128i d23 =
		_mm_or_si128(_mm_xor_si128(head[2], want), _mm_xor_si128(head[3], want));

	return !_mm_test_all_zeros(_mm_or_si128(d01, d23), mask);
}

/** First bytes of four source and four destination addresses, in words of 16 bits. */
static inline __m128i
dp_four_first_bytes(__m128i src, __m128i dst)
{
	return _mm_and_si128(
		_mm_blend_epi16(src, _mm_slli_epi32(dst, 16), 0xaa), _mm_set1_epi16(0x00ff));
}

/** Cut off Ethernet padding: len is what a frame should have, has is what it has. */
static inline void
dp_four_trim(struct rte_mbuf *const m[4], __m128i len, __m128i has)
{
	const __m128i cut = _mm_xor_si128(len, has);
	uint32_t n[4];

	if (likely(_mm_test_all_zeros(cut, cut)))
		return;
	memcpy(n, &len, sizeof(n));
	for (unsigned int i = 0; i < 4; i++) {
		m[i]->data_len = (uint16_t)n[i];
		m[i]->pkt_len = n[i];
	}
}

/**
 * What is wrong with four IPv4 headers of 20 bytes; zero where nothing is.
 *
 * The ten 16-bit words of a header that verifies add up to 65535 times a number from 1 to 10, and
 * one carry makes 65535 of that. To be added in pairs they are multiplied by one, which is for
 * signed numbers: each is made less by 32768 first, all ten by 327680.
 * @param w    their words of 32 bits, of four packets each
 * @param len  bytes of the frames, as the headers say
 * @param has  and as they are
 */
static inline __m128i
dp_four_ip4_faults(const __m128i w[5], __m128i len, __m128i has)
{
	const __m128i bias = _mm_set1_epi16(INT16_MIN), one = _mm_set1_epi16(1);
	const __m128i low = _mm_set1_epi32(0xffff);
	__m128i sum = _mm_set1_epi32(327680), first, bad;

	sum = _mm_add_epi32(sum, _mm_madd_epi16(_mm_xor_si128(w[0], bias), one));
	sum = _mm_add_epi32(sum, _mm_madd_epi16(_mm_xor_si128(w[1], bias), one));
	sum = _mm_add_epi32(sum, _mm_madd_epi16(_mm_xor_si128(w[2], bias), one));
	sum = _mm_add_epi32(sum, _mm_madd_epi16(_mm_xor_si128(w[3], bias), one));
	sum = _mm_add_epi32(sum, _mm_madd_epi16(_mm_xor_si128(w[4], bias), one));
	sum = _mm_add_epi32(_mm_and_si128(sum, low), _mm_srli_epi32(sum, 16));
	bad = _mm_xor_si128(sum, low);
	bad = _mm_or_si128(bad, _mm_cmpgt_epi32(_mm_set1_epi32(WIRE_ETH_LEN + WIRE_IP4_LEN), len));
	bad = _mm_or_si128(bad, _mm_cmpgt_epi32(len, has));
	/* A TTL of 2 at least: what is left of 2 when it is taken away. */
	bad = _mm_or_si128(bad, _mm_subs_epu8(_mm_set1_epi32(2), w[2]));
	/* As dp_ip4_plain has it: from 1 to 223, but for 127 and 169. */
	first = _mm_sub_epi16(dp_four_first_bytes(w[3], w[4]), one);
	bad = _mm_or_si128(bad, _mm_subs_epu16(first, _mm_set1_epi16(222)));
	bad = _mm_or_si128(bad, _mm_cmpeq_epi16(first, _mm_set1_epi16(168)));
	return _mm_or_si128(bad, _mm_cmpeq_epi16(first, _mm_set1_epi16(126)));
}

/** dp_ttl_less() of four. */
static inline __m128i
dp_four_ttl_less(__m128i v)
{
	const __m128i carries =
		_mm_cmpeq_epi32(_mm_max_epu32(v, _mm_set1_epi32((int)0xfffe0000)), v);

	return _mm_add_epi32(v, _mm_or_si128(_mm_srli_epi32(carries, 15), _mm_set1_epi32(0xffff)));
}

/** Whether one of four sources, whose last byte is at off, ends as an address of ours does. */
static inline bool
dp_four_own(const bool *own_byte, const uint8_t *const p[4], unsigned int off)
{
	return own_byte[p[0][off]] | own_byte[p[1][off]] | own_byte[p[2][off]] |
		own_byte[p[3][off]];
}

/** The four words at off of four frames. */
static inline __m128i
dp_four_words(const uint8_t *const p[4], unsigned int off)
{
	return _mm_set_epi32(dp_four_word(p[3] + off), dp_four_word(p[2] + off),
		dp_four_word(p[1] + off), dp_four_word(p[0] + off));
}

/** @param at  their place among those that are let through, for what is noted of them */
static inline bool
dp_four_ip4(struct dp_lcore *lc, struct rte_mbuf *const m[4], const uint8_t *const p[4],
	__m128i has, uint32_t at)
{
	const __m128i be16_at_2 =
		_mm_set_epi8(-1, -1, 14, 15, -1, -1, 10, 11, -1, -1, 6, 7, -1, -1, 2, 3);
	const __m128i be32 = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
	__m128i ip[4], w[5], len, bad;

	if (unlikely(dp_four_own(lc->roster->own_byte, p, WIRE_ETH_LEN + 15)))
		return false;
	w[0] = dp_four_words(p, WIRE_ETH_LEN);
	dp_four_read(p, WIRE_ETH_LEN + 4, ip);
	dp_four_transpose(ip, &w[1]);
	len = _mm_add_epi32(_mm_shuffle_epi8(w[0], be16_at_2), _mm_set1_epi32(WIRE_ETH_LEN));
	bad = dp_four_ip4_faults(w, len, has);
	if (unlikely(!_mm_test_all_zeros(bad, bad)))
		return false;
	_mm_storeu_si128((void *)&lc->dst[at], _mm_shuffle_epi8(w[4], be32));
	_mm_storeu_si128((void *)&lc->ttl[at], dp_four_ttl_less(w[2]));
	_mm_storeu_si128((void *)&lc->need[at], len);
	dp_four_trim(m, len, has);
	return true;
}

/** @param at  as in dp_four_ip4() */
static inline bool
dp_four_ip6(struct dp_lcore *lc, struct rte_mbuf *const m[4], const uint8_t *const p[4],
	__m128i has, uint32_t at)
{
	const __m128i be16_at_0 =
		_mm_set_epi8(-1, -1, 12, 13, -1, -1, 8, 9, -1, -1, 4, 5, -1, -1, 0, 1);
	const __m128i headers = _mm_set1_epi32(WIRE_ETH_LEN + WIRE_IP6_LEN);
	__m128i ip[4], to[4], w[4], w_to[4], len, first, bad;

	if (unlikely(_mm_movemask_epi8(_mm_cmplt_epi32(has, headers)) != 0 ||
		    dp_four_own(lc->roster->own_byte, p, WIRE_ETH_LEN + 23)))
		return false;
	dp_four_read(p, WIRE_ETH_LEN, ip);
	dp_four_read(p, WIRE_ETH_LEN + 24, to);
	dp_four_transpose(ip, w);
	dp_four_transpose(to, w_to);
	len = _mm_add_epi32(_mm_shuffle_epi8(w[1], be16_at_0), headers);
	bad = _mm_cmpgt_epi32(len, has);
	/* A hop limit of 2 at least. */
	bad = _mm_or_si128(bad, _mm_subs_epu8(_mm_set1_epi32(0x02000000), w[1]));
	/* None begins with 00, fe or ff. */
	first = _mm_sub_epi16(dp_four_first_bytes(w[2], w_to[0]), _mm_set1_epi16(1));
	bad = _mm_or_si128(bad, _mm_subs_epu16(first, _mm_set1_epi16(0xfc)));
	if (unlikely(!_mm_test_all_zeros(bad, bad)))
		return false;
	memcpy(lc->dst6[at], &to[0], sizeof(to[0]));
	memcpy(lc->dst6[at + 1], &to[1], sizeof(to[1]));
	memcpy(lc->dst6[at + 2], &to[2], sizeof(to[2]));
	memcpy(lc->dst6[at + 3], &to[3], sizeof(to[3]));
	_mm_storeu_si128((void *)&lc->need6[at], len);
	dp_four_trim(m, len, has);
	return true;
}

/**
 * Look at four frames.
 * @param at     place of the first of those of IPv4 that are let through: of DP_FOUR_IP4, lc->dst[]
 *               and what follows it are filled from there
 * @param at6    the same of IPv6: of DP_FOUR_IP6, lc->dst6[] and need6[] are filled from there
 * @param bytes  their lengths as received, added up by four words, when they are not DP_FOUR_NOT
 */
static inline enum dp_four
dp_four(const struct dp_heads *heads, struct dp_lcore *lc, struct rte_mbuf *const m[4], uint32_t at,
	uint32_t at6, __m128i *bytes)
{
	const __m128i mask4 = _mm_set_epi64x(INT64_C(0x00ffffff00000000), INT64_C(0xffffffffffff));
	const __m128i mask6 = _mm_set_epi64x(INT64_C(0x00f0ffff00000000), INT64_C(0xffffffffffff));
	unsigned int segs = m[0]->nb_segs | m[1]->nb_segs | m[2]->nb_segs | m[3]->nb_segs;
	/* The length of a packet in one segment is that of the segment. */
	const __m128i has = _mm_set_epi32(
		(int)m[3]->pkt_len, (int)m[2]->pkt_len, (int)m[1]->pkt_len, (int)m[0]->pkt_len);
	const __m128i lacks = _mm_cmpgt_epi32(_mm_set1_epi32(WIRE_ETH_LEN + WIRE_IP4_LEN), has);
	__m128i head[4];
	enum dp_four which;
	const uint8_t *p[4];

	if (unlikely(segs != 1 || !_mm_test_all_zeros(lacks, lacks)))
		return DP_FOUR_NOT;
	p[0] = rte_pktmbuf_mtod(m[0], const uint8_t *);
	p[1] = rte_pktmbuf_mtod(m[1], const uint8_t *);
	p[2] = rte_pktmbuf_mtod(m[2], const uint8_t *);
	p[3] = rte_pktmbuf_mtod(m[3], const uint8_t *);
	dp_four_read(p, 0, head);
	if (!dp_four_differ(head, heads->ip4, mask4))
		which = dp_four_ip4(lc, m, p, has, at) ? DP_FOUR_IP4 : DP_FOUR_NOT;
	else if (!dp_four_differ(head, heads->ip6, mask6))
		which = dp_four_ip6(lc, m, p, has, at6) ? DP_FOUR_IP6 : DP_FOUR_NOT;
	else
		which = DP_FOUR_NOT;
	if (which != DP_FOUR_NOT)
		*bytes = _mm_add_epi32(*bytes, has);
	return which;
}

#endif
#endif
