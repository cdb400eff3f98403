/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * What dp_four_priv.h does to four frames, for eight, by the vectors of 256 bits of AVX2.
 * Packages are built for older processors, so this file alone is compiled for newer ones, and is
 * asked only where there is one.
 */
#include "dp_eight_priv.h"

#ifdef DP_HAVE_EIGHT
#include <immintrin.h>

#include <rte_cpuflags.h>
#include <rte_prefetch.h>

#include "dp_four_priv.h"

#define AVX2 __attribute__((target("avx2")))

/*
 * Constants in memory: compilers that know them make them again for each eight, by three
 * instructions each.
 */
#define ALL(x)             \
	{                  \
		x, x, x, x \
	}
struct constants {
	__m256i bias, one, bias_of_ten, low, headers, eth, ttl_min, first_mask, first_max,
		first_169, first_127, carry_from, be16_at_2, be32, headers6, hop_min, first6_max,
		be16_at_0;
};
static const struct constants constants = {
	.bias = ALL(INT64_C(-0x7fff7fff7fff8000)), /* 0x8000 */
	.one = ALL(INT64_C(0x0001000100010001)),
	.bias_of_ten = ALL(INT64_C(0x0005000000050000)),
	.low = ALL(INT64_C(0x0000ffff0000ffff)),
	.headers = ALL(INT64_C(0x0000002200000022)), /* WIRE_ETH_LEN + WIRE_IP4_LEN */
	.eth = ALL(INT64_C(0x0000000e0000000e)),     /* WIRE_ETH_LEN */
	.ttl_min = ALL(INT64_C(0x0000000200000002)),
	.first_mask = ALL(INT64_C(0x00ff00ff00ff00ff)),
	.first_max = ALL(INT64_C(0x00de00de00de00de)), /* 223, less by one as the others */
	.first_169 = ALL(INT64_C(0x00a800a800a800a8)),
	.first_127 = ALL(INT64_C(0x007e007e007e007e)),
	.carry_from = ALL(INT64_C(-0x0001ffff00020000)), /* 0xfffe0000 */
	.be16_at_2 = {INT64_C(-0x7f7ff9f87f7ffdfd), INT64_C(-0x7f7ff1f07f7ff5f5),
		INT64_C(-0x7f7ff9f87f7ffdfd), INT64_C(-0x7f7ff1f07f7ff5f5)},
	.be32 = {INT64_C(0x0405060700010203), INT64_C(0x0c0d0e0f08090a0b),
		INT64_C(0x0405060700010203), INT64_C(0x0c0d0e0f08090a0b)},
	.headers6 = ALL(INT64_C(0x0000003600000036)), /* WIRE_ETH_LEN + WIRE_IP6_LEN */
	.hop_min = ALL(INT64_C(0x0200000002000000)),
	.first6_max = ALL(INT64_C(0x00fc00fc00fc00fc)), /* 0xfd, less by one */
	.be16_at_0 = {INT64_C(-0x7f7ffbfa7f7fffff), INT64_C(-0x7f7ff3f27f7ff7f7),
		INT64_C(-0x7f7ffbfa7f7fffff), INT64_C(-0x7f7ff3f27f7ff7f7)},
};

/* What is known of a burst's frames before one is read. */
struct heads {
	uint32_t len[DP_BURST] __rte_aligned(32);
	const uint8_t *p[DP_BURST];
};

bool
dp_eight_usable(void)
{
	return rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX2) == 1;
}

/* @return number of segments */
static inline unsigned int
head_find(const struct rte_mbuf *m, struct heads *h, uint32_t i)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);

	rte_prefetch0(p);
	h->p[i] = p;
	h->len[i] = m->pkt_len;
	return m->nb_segs;
}

/* @param n  a multiple of eight. @return false when one of them has several segments */
static inline bool
heads_find(struct rte_mbuf *const *pkts, uint32_t n, struct heads *h)
{
	unsigned int segs = 0;

	for (uint32_t i = 0; i < n; i += 4)
		segs |= head_find(pkts[i], h, i) | head_find(pkts[i + 1], h, i + 1) |
			head_find(pkts[i + 2], h, i + 2) | head_find(pkts[i + 3], h, i + 3);
	return segs == 1;
}

/* 16 bytes of two frames. */
static inline AVX2 __m256i
two(const uint8_t *a, const uint8_t *b)
{
	return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const void *)a)),
		_mm_loadu_si128((const void *)b), 1);
}

/* The words of eight headers, each of eight packets in their order. */
static inline AVX2 void
words_read(const uint8_t *const p[8], __m256i w[5])
{
	const unsigned int at = WIRE_ETH_LEN, rest = WIRE_ETH_LEN + 4;
	const __m256i v0 = two(p[0] + rest, p[4] + rest), v1 = two(p[1] + rest, p[5] + rest);
	const __m256i v2 = two(p[2] + rest, p[6] + rest), v3 = two(p[3] + rest, p[7] + rest);
	const __m256i low01 = _mm256_unpacklo_epi32(v0, v1), low23 = _mm256_unpacklo_epi32(v2, v3);
	const __m256i high01 = _mm256_unpackhi_epi32(v0, v1),
		      high23 = _mm256_unpackhi_epi32(v2, v3);

	w[0] = _mm256_set_epi32(dp_four_word(p[7] + at), dp_four_word(p[6] + at),
		dp_four_word(p[5] + at), dp_four_word(p[4] + at), dp_four_word(p[3] + at),
		dp_four_word(p[2] + at), dp_four_word(p[1] + at), dp_four_word(p[0] + at));
	w[1] = _mm256_unpacklo_epi64(low01, low23);
	w[2] = _mm256_unpackhi_epi64(low01, low23);
	w[3] = _mm256_unpacklo_epi64(high01, high23);
	w[4] = _mm256_unpackhi_epi64(high01, high23);
}

/* The 16-bit words of a row of headers, added up in pairs. */
static inline AVX2 __m256i
pairs(const struct constants *c, __m256i w)
{
	return _mm256_madd_epi16(_mm256_xor_si256(w, c->bias), c->one);
}

/* As dp_four_ip4_faults(). */
static inline AVX2 __m256i
faults(const struct constants *c, const __m256i w[5], __m256i len, __m256i has)
{
	__m256i sum, first, bad;

	sum = _mm256_add_epi32(pairs(c, w[0]), pairs(c, w[1]));
	sum = _mm256_add_epi32(sum, _mm256_add_epi32(pairs(c, w[2]), pairs(c, w[3])));
	sum = _mm256_add_epi32(sum, _mm256_add_epi32(pairs(c, w[4]), c->bias_of_ten));
	sum = _mm256_add_epi32(_mm256_and_si256(sum, c->low), _mm256_srli_epi32(sum, 16));
	bad = _mm256_xor_si256(sum, c->low);
	bad = _mm256_or_si256(bad, _mm256_cmpgt_epi32(c->headers, len));
	bad = _mm256_or_si256(bad, _mm256_cmpgt_epi32(len, has));
	bad = _mm256_or_si256(bad, _mm256_subs_epu8(c->ttl_min, w[2]));
	first = _mm256_blend_epi16(w[3], _mm256_slli_epi32(w[4], 16), 0xaa);
	first = _mm256_sub_epi16(_mm256_and_si256(first, c->first_mask), c->one);
	bad = _mm256_or_si256(bad, _mm256_subs_epu16(first, c->first_max));
	bad = _mm256_or_si256(bad, _mm256_cmpeq_epi16(first, c->first_169));
	return _mm256_or_si256(bad, _mm256_cmpeq_epi16(first, c->first_127));
}

/* As dp_ttl_less(). */
static inline AVX2 __m256i
ttl_less(const struct constants *c, __m256i v)
{
	const __m256i carries = _mm256_cmpeq_epi32(_mm256_max_epu32(v, c->carry_from), v);

	return _mm256_add_epi32(v, _mm256_or_si256(_mm256_srli_epi32(carries, 15), c->low));
}

static inline AVX2 bool
is_zero(__m256i v)
{
	return _mm256_testz_si256(v, v) != 0;
}

/* What differs from what is wanted in the first bytes of two frames. */
static inline AVX2 __m128i
differ(__m128i want, const uint8_t *a, const uint8_t *b)
{
	return _mm_or_si128(_mm_xor_si128(_mm_loadu_si128((const void *)a), want),
		_mm_xor_si128(_mm_loadu_si128((const void *)b), want));
}

/*
 * Whether all eight begin as plain frames do in what counts of it, and none comes from an address
 * like one of ours, by the last byte of the source.
 */
static inline AVX2 bool
begin_plain(
	const bool *own, const uint8_t *const p[8], __m128i want, __m128i mask, unsigned int last)
{
	const __m128i d =
		_mm_or_si128(_mm_or_si128(differ(want, p[0], p[1]), differ(want, p[2], p[3])),
			_mm_or_si128(differ(want, p[4], p[5]), differ(want, p[6], p[7])));

	return _mm_test_all_zeros(d, mask) != 0 &&
		!(own[p[0][last]] | own[p[1][last]] | own[p[2][last]] | own[p[3][last]] |
			own[p[4][last]] | own[p[5][last]] | own[p[6][last]] | own[p[7][last]]);
}

/* Cut off Ethernet padding. */
static __rte_noinline void
trim(struct rte_mbuf *const *m, const uint32_t *len)
{
	for (unsigned int i = 0; i < 8; i++) {
		m[i]->data_len = (uint16_t)len[i];
		m[i]->pkt_len = len[i];
	}
}

static inline AVX2 uint64_t
total(__m256i sum)
{
	uint32_t words[8];
	uint64_t n = 0;

	_mm256_storeu_si256((void *)words, sum);
	for (unsigned int k = 0; k < RTE_DIM(words); k++)
		n += words[k];
	return n;
}

/* What is looked at of eight headers of IPv6. */
struct ip6 {
	__m256i to[4];	       /* destinations, each of packets k and k + 4 */
	__m256i len, src, dst; /* words with the length and hop limit, and the first of addresses */
};

static inline AVX2 void
ip6_read(const uint8_t *const p[8], struct ip6 *h)
{
	const unsigned int len = WIRE_ETH_LEN + 4, dst = WIRE_ETH_LEN + 24;
	const __m256i low01 =
		_mm256_unpacklo_epi32(two(p[0] + len, p[4] + len), two(p[1] + len, p[5] + len));
	const __m256i low23 =
		_mm256_unpacklo_epi32(two(p[2] + len, p[6] + len), two(p[3] + len, p[7] + len));

	h->to[0] = two(p[0] + dst, p[4] + dst);
	h->to[1] = two(p[1] + dst, p[5] + dst);
	h->to[2] = two(p[2] + dst, p[6] + dst);
	h->to[3] = two(p[3] + dst, p[7] + dst);
	h->len = _mm256_unpacklo_epi64(low01, low23);
	h->src = _mm256_unpackhi_epi64(low01, low23);
	h->dst = _mm256_unpacklo_epi64(_mm256_unpacklo_epi32(h->to[0], h->to[1]),
		_mm256_unpacklo_epi32(h->to[2], h->to[3]));
}

/* What is wrong with them, as dp_four_ip6() has it. */
static inline AVX2 __m256i
faults6(const struct constants *c, const struct ip6 *h, __m256i len, __m256i has)
{
	__m256i first, bad;

	bad = _mm256_or_si256(_mm256_cmpgt_epi32(len, has), _mm256_subs_epu8(c->hop_min, h->len));
	first = _mm256_blend_epi16(h->src, _mm256_slli_epi32(h->dst, 16), 0xaa);
	first = _mm256_sub_epi16(_mm256_and_si256(first, c->first_mask), c->one);
	return _mm256_or_si256(bad, _mm256_subs_epu16(first, c->first6_max));
}

static inline AVX2 void
two_store(uint8_t (*dst)[16], __m256i to)
{
	_mm_storeu_si128((void *)dst[0], _mm256_castsi256_si128(to));
	_mm_storeu_si128((void *)dst[4], _mm256_extracti128_si256(to, 1));
}

/* Look at eight, and note what is known of them. @return false: not all are plain */
static inline AVX2 bool
take4(const struct constants *c, struct dp_lcore *lc, const uint8_t *const p[8], uint32_t i,
	__m256i has, __m256i *len)
{
	__m256i w[5];

	words_read(p, w);
	*len = _mm256_add_epi32(_mm256_shuffle_epi8(w[0], c->be16_at_2), c->eth);
	if (unlikely(!is_zero(faults(c, w, *len, has))))
		return false;
	_mm256_store_si256((void *)&lc->dst[i], _mm256_shuffle_epi8(w[4], c->be32));
	_mm256_store_si256((void *)&lc->ttl[i], ttl_less(c, w[2]));
	return true;
}

static inline AVX2 bool
take6(const struct constants *c, struct dp_lcore *lc, const uint8_t *const p[8], uint32_t i,
	__m256i has, __m256i *len)
{
	struct ip6 ip;

	ip6_read(p, &ip);
	*len = _mm256_add_epi32(_mm256_shuffle_epi8(ip.len, c->be16_at_0), c->headers6);
	if (unlikely(!is_zero(faults6(c, &ip, *len, has))))
		return false;
	for (uint32_t k = 0; k < RTE_DIM(ip.to); k++)
		two_store(&lc->dst6[i + k], ip.to[k]);
	return true;
}

/* Of either family, made anew for each: ip6 is known where this is called. */
static __rte_always_inline AVX2 uint32_t
eights(struct dp_lcore *lc, struct rte_mbuf *const *pkts, uint32_t n, bool ip6, __m128i want,
	__m128i mask, uint64_t *bytes)
{
	const unsigned int src_end = WIRE_ETH_LEN + (ip6 ? 23 : 15);
	const struct constants *c = &constants;
	uint32_t i = 0, *need = ip6 ? lc->need6 : lc->need;
	__m256i sum = _mm256_setzero_si256();
	struct heads h;

	__asm__("" : "+r"(c)); /* it may point anywhere */
	n -= n % 8;
	if (!heads_find(pkts, n, &h))
		return 0;
	for (; i < n; i += 8) {
		const __m256i has = _mm256_load_si256((const void *)&h.len[i]);
		const __m256i lacks = _mm256_cmpgt_epi32(ip6 ? c->headers6 : c->headers, has);
		__m256i len;

		if (unlikely(!is_zero(lacks) ||
			    !begin_plain(lc->roster->own_byte, &h.p[i], want, mask, src_end)))
			break;
		if (!(ip6 ? take6(c, lc, &h.p[i], i, has, &len)
			  : take4(c, lc, &h.p[i], i, has, &len)))
			break;
		_mm256_storeu_si256((void *)&need[i], len);
		sum = _mm256_add_epi32(sum, has);
		if (unlikely(!is_zero(_mm256_xor_si256(len, has))))
			trim(&pkts[i], &need[i]);
	}
	*bytes += total(sum);
	return i;
}

AVX2 uint32_t
dp_eights(struct dp_lcore *lc, struct rte_mbuf *const *pkts, uint32_t n, uint64_t ours,
	uint64_t *bytes)
{
	return eights(lc, pkts, n, false,
		_mm_set_epi64x(INT64_C(0x0045000800000000), (int64_t)ours),
		_mm_set_epi64x(INT64_C(0x00ffffff00000000), INT64_C(0xffffffffffff)), bytes);
}

AVX2 uint32_t
dp_eights6(struct dp_lcore *lc, struct rte_mbuf *const *pkts, uint32_t n, uint64_t ours,
	uint64_t *bytes)
{
	uint32_t kept = eights(lc, pkts, n, true,
		_mm_set_epi64x(INT64_C(0x0060dd8600000000), (int64_t)ours),
		_mm_set_epi64x(INT64_C(0x00f0ffff00000000), INT64_C(0xffffffffffff)), bytes);

	memcpy(lc->pkts6, pkts, kept * sizeof(pkts[0]));
	return kept;
}
#endif
