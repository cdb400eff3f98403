/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "fib_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

/* Numbers of next hops that one call of fib_gateways() looks at. */
#define GATEWAY_LOOKS 256

/** Addresses that are looked up at once before their next hops are found by number. */
#define AT_ONCE 32

void
fib_complain(char *err, unsigned int err_len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(err, err_len, fmt, ap);
	va_end(ap);
}

/* Only what the type and the family use, so that equal ones have equal bytes. */
static struct fib_nh
nh_clean(const struct fib_nh *nh, unsigned int family)
{
	struct fib_nh out;

	memset(&out, 0, sizeof(out));
	out.type = nh->type;
	out.if_index = nh->if_index;
	out.group = nh->group;
	if (nh->type != FIB_NH_GATEWAY)
		return out;
	out.family = family == FIB_IP4 ? BASE_FAMILY_IP4 : BASE_FAMILY_IP6;
	if (family == FIB_IP4)
		out.gateway = nh->gateway;
	else
		memcpy(out.gateway6, nh->gateway6, sizeof(out.gateway6));
	return out;
}

void
fib_nh_normal(const struct fib_nh *nh, unsigned int family, struct fib_nh_room *out)
{
	out->nh = nh_clean(nh, family);
	if (nh->type != FIB_NH_MULTI)
		return;
	for (unsigned int i = 0; i < nh->n_paths; i++)
		out->path[i] = nh_clean(&nh->paths[i], family);
	out->nh.paths = out->path;
	out->nh.n_paths = nh->n_paths;
}

static bool
paths_ok(const struct fib_nh *nh)
{
	if (nh->n_paths < 2 || nh->n_paths > FIB_PATHS_MAX)
		return false;
	for (unsigned int i = 0; i < nh->n_paths; i++)
		if (nh->paths[i].type != FIB_NH_GATEWAY)
			return false;
	return true;
}

bool
fib_route_ok(const struct fib_route *r, uint32_t i, char *err, unsigned int err_len)
{
	const struct base_prefix *p = &r->prefix;
	unsigned int bits = p->addr.family == BASE_FAMILY_IP4 ? 32 : 128;

	if (p->addr.family != BASE_FAMILY_IP4 && p->addr.family != BASE_FAMILY_IP6)
		fib_complain(err, err_len, "route %u: no address family is %u", i, p->addr.family);
	else if (p->plen > bits)
		fib_complain(
			err, err_len, "route %u: prefix length %u is over %u", i, p->plen, bits);
	else if (r->nh.type > FIB_NH_PROHIBIT)
		fib_complain(err, err_len, "route %u: no next hop has type %u", i, r->nh.type);
	else if (r->nh.type == FIB_NH_MULTI && !paths_ok(&r->nh))
		fib_complain(err, err_len, "route %u: several next hops are 2 to %d gateways", i,
			FIB_PATHS_MAX);
	else
		return true;
	return false;
}

int
fib_failed(int ret, uint32_t n, char *err, unsigned int err_len)
{
	if (ret == -E2BIG)
		fib_complain(err, err_len, "over %d distinct next hops", FIB_NH_MAX);
	else if (ret == -ENOMEM)
		fib_complain(err, err_len, "out of memory for %u routes", n);
	return ret;
}

/* The routes in order, once to count what they need and once to put them in. */
struct filling {
	struct fib_trie_count count;
	struct fib_trie *trie;
	uint32_t nodes;
};

static void
count_one(void *arg, struct fib_rib_node *n)
{
	struct filling *w = arg;

	w->nodes += fib_trie_missing(NULL, &w->count, &n->prefix);
}

static void
fill_one(void *arg, struct fib_rib_node *n)
{
	struct filling *w = arg;

	fib_trie_fill(w->trie, &n->prefix, n->nh);
}

uint32_t
fib_with_headroom(uint32_t nodes)
{
	return nodes + nodes / 4 + FIB_NODES_SPARE;
}

static int
trie_build(struct fib *f, unsigned int family)
{
	struct filling w = {0};
	uint32_t max;
	uint8_t width = sizeof(uint32_t);

	if (family == FIB_IP6 && fib_rib_count(&f->rib, family) == 0)
		return 0;
	fib_rib_walk(&f->rib, family, count_one, &w);
	max = fib_with_headroom(w.nodes);
	if (family == FIB_IP4) {
		/* a small box keeps its small table as long as the contents allow */
		max = w.nodes <= 0x80 ? RTE_MIN(max, 0x80U) : max;
		width = fib_trie_width(RTE_MAX(f->nhs.places.fresh, max));
	}
	w.trie = fib_trie_create(family, width, max, f->nhs.places.qsbr, f->socket_id);
	if (w.trie == NULL)
		return -ENOMEM;
	fib_rib_walk(&f->rib, family, fill_one, &w);
	f->trie[family] = w.trie;
	return 0;
}

static int
routes_take(struct fib *f, const struct fib_route *routes, uint32_t n)
{
	if (!fib_rib_reserve(&f->rib, n))
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct base_prefix p = base_prefix_network(&routes[i].prefix);
		struct fib_nh_room nh;
		uint32_t number;
		int ret;

		if (fib_rib_find(&f->rib, &p) != NULL)
			continue;
		fib_nh_normal(&routes[i].nh, fib_family(&p), &nh);
		ret = fib_nhs_get(&f->nhs, &nh.nh, &number);
		if (ret != 0)
			return ret;
		fib_rib_add(&f->rib, &p)->nh = number;
	}
	fib_rib_trim(&f->rib);
	return 0;
}

struct fib *
fib_build(const struct fib_route *routes, uint32_t n, struct rte_rcu_qsbr *qsbr, int socket_id,
	char *err, unsigned int err_len)
{
	struct fib *f;
	int ret;

	for (uint32_t i = 0; i < n; i++)
		if (!fib_route_ok(&routes[i], i, err, err_len))
			return NULL;
	f = calloc(1, sizeof(*f));
	ret = f == NULL ? -ENOMEM : fib_nhs_init(&f->nhs, socket_id);
	if (ret == 0) {
		f->socket_id = socket_id;
		ret = routes_take(f, routes, n);
		f->nhs.places.qsbr = qsbr;
	}
	for (unsigned int family = 0; ret == 0 && family < FIB_FAMILIES; family++)
		ret = trie_build(f, family);
	if (ret == 0)
		return f;
	(void)fib_failed(ret, n, err, err_len);
	fib_free(f);
	return NULL;
}

void
fib_free(struct fib *f)
{
	if (f == NULL)
		return;
	for (unsigned int family = 0; family < FIB_FAMILIES; family++)
		fib_trie_free(f->trie[family]);
	fib_rib_clear(&f->rib);
	fib_nhs_fini(&f->nhs);
	free(f);
}

/*
 * Entries of one width; `flag` is the highest bit of one. Four addresses at a time, for most need
 * no second look.
 */
#define LOOKUP4(name, type, flag)                                                               \
	static inline uint32_t name##_first(const type *entry, uint32_t dst)                    \
	{                                                                                       \
		return __atomic_load_n(&entry[dst >> 8], __ATOMIC_ACQUIRE);                     \
	}                                                                                       \
                                                                                                \
	static inline uint32_t name##_rest(const type *entry, uint32_t e, uint32_t dst)         \
	{                                                                                       \
		const type *node = entry + (1 << 24);                                           \
                                                                                                \
		if (e & (flag))                                                                 \
			e = __atomic_load_n(                                                    \
				&node[(e & ~(flag)) << 8 | (dst & 0xff)], __ATOMIC_ACQUIRE);    \
		return e;                                                                       \
	}                                                                                       \
                                                                                                \
	static void name(const type *entry, const uint32_t *dst, uint32_t *numbers, uint32_t n) \
	{                                                                                       \
		uint32_t i = 0;                                                                 \
                                                                                                \
		for (; i + 4 <= n; i += 4, dst += 4, numbers += 4) {                            \
			uint32_t any = numbers[0] = name##_first(entry, dst[0]);                \
                                                                                                \
			any |= numbers[1] = name##_first(entry, dst[1]);                        \
			any |= numbers[2] = name##_first(entry, dst[2]);                        \
			any |= numbers[3] = name##_first(entry, dst[3]);                        \
			for (uint32_t k = 0; unlikely(any & (flag)) && k < 4; k++)              \
				numbers[k] = name##_rest(entry, numbers[k], dst[k]);            \
		}                                                                               \
		for (; i < n; i++, dst++, numbers++)                                            \
			*numbers = name##_rest(entry, name##_first(entry, *dst), *dst);         \
	}
LOOKUP4(lookup4_1, uint8_t, UINT32_C(0x80))
LOOKUP4(lookup4_2, uint16_t, UINT32_C(0x8000))
LOOKUP4(lookup4_4, uint32_t, UINT32_C(0x80000000))

void
fib_numbers(const struct fib *f, const uint32_t *dst, uint32_t *numbers, uint32_t n)
{
	const struct fib_trie *t = __atomic_load_n(&f->trie[FIB_IP4], __ATOMIC_ACQUIRE);

	switch (t->width) {
	case 1:
		lookup4_1(t->entry, dst, numbers, n);
		break;
	case 2:
		lookup4_2(t->entry, dst, numbers, n);
		break;
	default:
		lookup4_4(t->entry, dst, numbers, n);
		break;
	}
}

#define ENTRY6_NODE UINT32_C(0x80000000)

/* The entry of an address in the first level. */
static inline uint32_t
entry6_first(const uint32_t *entry, const uint8_t *ip)
{
	return __atomic_load_n(&entry[(uint32_t)ip[0] << 8 | ip[1]], __ATOMIC_ACQUIRE);
}

/*
 * The entry of a byte in the node that e leads to. Places fit into 24 bits, as entries of all nodes
 * into 32, so that shifting leaves nothing of the bit that marks a node.
 */
static inline uint32_t
entry6_next(const uint32_t *node, uint32_t e, uint8_t byte)
{
	return __atomic_load_n(&node[e << 8 | byte], __ATOMIC_ACQUIRE);
}

/* On from e, which is the entry of the bytes before k. */
static inline uint32_t
entry6_rest(const uint32_t *node, uint32_t e, const uint8_t *ip, size_t k)
{
	for (; e & ENTRY6_NODE; k++)
		e = entry6_next(node, e, ip[k]);
	return e;
}

/* Four addresses go down together as long as none of them has arrived. */
static inline void
lookup6_four(
	const uint32_t *entry, const uint32_t *node, const uint8_t (*dst)[16], uint32_t *numbers)
{
	uint32_t a = entry6_first(entry, dst[0]), b = entry6_first(entry, dst[1]);
	uint32_t c = entry6_first(entry, dst[2]), d = entry6_first(entry, dst[3]);
	size_t k = 2;

	for (; a & b & c & d & ENTRY6_NODE; k++) {
		a = entry6_next(node, a, dst[0][k]);
		b = entry6_next(node, b, dst[1][k]);
		c = entry6_next(node, c, dst[2][k]);
		d = entry6_next(node, d, dst[3][k]);
	}
	if ((a | b | c | d) & ENTRY6_NODE) {
		a = entry6_rest(node, a, dst[0], k);
		b = entry6_rest(node, b, dst[1], k);
		c = entry6_rest(node, c, dst[2], k);
		d = entry6_rest(node, d, dst[3], k);
	}
	numbers[0] = a;
	numbers[1] = b;
	numbers[2] = c;
	numbers[3] = d;
}

void
fib_numbers6(const struct fib *f, const uint8_t (*dst)[16], uint32_t *numbers, uint32_t n)
{
	const struct fib_trie *t = __atomic_load_n(&f->trie[FIB_IP6], __ATOMIC_ACQUIRE);
	const uint32_t *entry, *node;
	uint32_t i = 0;

	if (t == NULL) {
		memset(numbers, 0, n * sizeof(*numbers));
		return;
	}
	entry = t->entry;
	node = entry + (1 << 16);
	for (; i + 4 <= n; i += 4)
		lookup6_four(entry, node, &dst[i], &numbers[i]);
	for (; i < n; i++)
		numbers[i] = entry6_rest(node, entry6_first(entry, dst[i]), dst[i], 2);
}

const struct fib_nh *
fib_next_hops(const struct fib *f)
{
	return f->nhs.nh;
}

uint32_t
fib_retired(const struct fib *f)
{
	return __atomic_load_n(&f->nhs.retired, __ATOMIC_ACQUIRE);
}

/* Addresses of one family; by their numbers, found by `find`, some at once. */
#define LOOKUP(name, find, addr)                                                               \
	void name(const struct fib *f, const addr *dst, const struct fib_nh **nhs, uint32_t n) \
	{                                                                                      \
		uint32_t numbers[AT_ONCE];                                                     \
                                                                                               \
		for (uint32_t from = 0; from < n; from += AT_ONCE) {                           \
			uint32_t some = RTE_MIN(n - from, (uint32_t)AT_ONCE);                  \
                                                                                               \
			find(f, &dst[from], numbers, some);                                    \
			for (uint32_t i = 0; i < some; i++)                                    \
				nhs[from + i] = &f->nhs.nh[numbers[i]];                        \
		}                                                                              \
	}
typedef uint8_t addr6[16];
LOOKUP(fib_lookup, fib_numbers, uint32_t)
LOOKUP(fib_lookup6, fib_numbers6, addr6)

uint32_t
fib_gateways(const struct fib *f, uint32_t *cursor, struct fib_gateway *out, uint32_t cap)
{
	uint32_t i = *cursor, end = fib_nhs_end(&f->nhs), stop = RTE_MIN(end, i + GATEWAY_LOOKS);
	uint32_t n = 0;

	for (; i < stop && n < cap; i++) {
		const struct fib_nh *nh = fib_nhs_used(&f->nhs, i);

		if (nh == NULL || nh->type != FIB_NH_GATEWAY)
			continue;
		out[n++] = (struct fib_gateway){
			.if_index = nh->if_index,
			.addr = fib_nh_gateway(nh),
		};
	}
	*cursor = i < end ? i : 0;
	return n;
}
