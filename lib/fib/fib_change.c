/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Changing routes while workers look up. All that can fail is done first: next hops are numbered,
 * room in the list and in the tries is made. Then nothing can.
 */
#include "fib_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "compat_rcu.h"

/* A change, and what was found out about it. */
struct step {
	struct base_prefix prefix;
	uint32_t nh; /* SET: its number, with a use for the route */
	bool remove, runtime;
	bool fresh; /* there is no such route yet */
};

static const char *
prefix_text(const struct base_prefix *p, char buf[64])
{
	char ip[INET6_ADDRSTRLEN] = "?";

	inet_ntop(p->addr.family == BASE_FAMILY_IP4 ? AF_INET : AF_INET6, p->addr.bytes, ip,
		sizeof(ip));
	snprintf(buf, 64, "%s/%u", ip, p->plen);
	return buf;
}

/* It comes from an address of an interface or group. */
static bool
is_of_address(const struct fib_nh *nh)
{
	return nh->type == FIB_NH_LOCAL || nh->type == FIB_NH_CONNECTED || nh->type == FIB_NH_DROP;
}

static int
step_check(const struct fib *f, const struct fib_change *c, uint32_t i, bool all, struct step *s,
	char *err, unsigned int err_len)
{
	const struct fib_rib_node *n = fib_rib_find(&f->rib, &s->prefix);
	char text[64];

	s->fresh = n == NULL;
	if (n != NULL && !all && is_of_address(&f->nhs.nh[n->nh])) {
		fib_complain(
			err, err_len, "%s is connected, and stays", prefix_text(&s->prefix, text));
		return -EPERM;
	}
	if (s->remove && n == NULL) {
		fib_complain(
			err, err_len, "there is no route to %s", prefix_text(&s->prefix, text));
		return -ENOENT;
	}
	return s->remove || fib_route_ok(&c->route, i, err, err_len) ? 0 : -EINVAL;
}

static void
steps_free(struct fib *f, struct step *s, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!s[i].remove)
			fib_nhs_put(&f->nhs, s[i].nh);
	free(s);
}

static int
step_make(struct fib *f, const struct fib_change *c, uint32_t i, bool all, struct step *s,
	char *err, unsigned int err_len)
{
	const struct base_prefix *p = &c->route.prefix;
	struct fib_nh_room nh;
	int ret;

	*s = (struct step){.remove = c->op == FIB_REMOVE, .runtime = c->runtime};
	if (p->plen > (p->addr.family == BASE_FAMILY_IP4 ? 32 : 128)) {
		(void)fib_route_ok(&c->route, i, err, err_len);
		return -EINVAL;
	}
	s->prefix = base_prefix_network(p);
	ret = step_check(f, c, i, all, s, err, err_len);
	if (ret != 0 || s->remove)
		return ret;
	fib_nh_normal(&c->route.nh, fib_family(p), &nh);
	ret = fib_nhs_get(&f->nhs, &nh.nh, &s->nh);
	if (ret == -E2BIG && !fib_places_reclaim(&f->nhs.places)) {
		compat_rcu_wait(f->nhs.places.qsbr);
		(void)fib_places_reclaim(&f->nhs.places);
		ret = fib_nhs_get(&f->nhs, &nh.nh, &s->nh);
	}
	return ret;
}

/* By prefix, so that what a trie needs is counted exactly. */
static int
step_compare(const void *pa, const void *pb)
{
	const struct base_prefix *a = &((const struct step *)pa)->prefix;
	const struct base_prefix *b = &((const struct step *)pb)->prefix;
	int c = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return c != 0 ? c : (a->plen > b->plen) - (a->plen < b->plen);
}

/* A trie with room for some more nodes, of a width for all numbers of next hops. */
static int
trie_prepare(struct fib *f, unsigned int family, const struct step *s, uint32_t n)
{
	struct fib_trie *t = f->trie[family], *larger;
	struct fib_trie_count count = {0};
	uint32_t more = 0, max, sets = 0;
	uint8_t width = sizeof(uint32_t);

	for (uint32_t i = 0; i < n; i++) {
		if (s[i].remove || fib_family(&s[i].prefix) != family)
			continue;
		more += fib_trie_missing(t, &count, &s[i].prefix);
		sets++;
	}
	if (sets == 0)
		return 0;
	if (t != NULL && more > t->places.n_free && !fib_places_reclaim(&t->places)) {
		compat_rcu_wait(t->places.qsbr);
		(void)fib_places_reclaim(&t->places);
	}
	max = t == NULL			   ? fib_with_headroom(more)
		: more <= t->places.n_free ? t->places.max
					   : fib_with_headroom(t->places.n_used + more);
	/* those that wait have their places, too */
	if (t != NULL)
		max = RTE_MAX(max, t->places.max);
	if (family == FIB_IP4) {
		width = fib_trie_width(RTE_MAX(f->nhs.places.fresh, max));
		if (width < t->width)
			width = t->width;
	}
	if (t != NULL && width == t->width && max == t->places.max)
		return 0;
	larger = t != NULL ? fib_trie_copy(t, width, max, f->socket_id)
			   : fib_trie_create(family, width, max, f->nhs.places.qsbr, f->socket_id);
	if (larger == NULL)
		return -ENOMEM;
	__atomic_store_n(&f->trie[family], larger, __ATOMIC_RELEASE);
	f->rebuilt++;
	if (t != NULL)
		compat_rcu_wait(t->places.qsbr);
	fib_trie_free(t);
	return 0;
}

static void
step_set(struct fib *f, const struct step *s)
{
	struct fib_rib_node *n = fib_rib_find(&f->rib, &s->prefix);
	uint32_t before = n != NULL ? n->nh : 0;

	if (n != NULL)
		f->n_runtime -= n->runtime;
	else
		n = fib_rib_add(&f->rib, &s->prefix);
	n->runtime = s->runtime;
	f->n_runtime += n->runtime;
	n->nh = s->nh;
	fib_trie_set(f->trie[fib_family(&s->prefix)], n, n->nh);
	fib_nhs_put(&f->nhs, before);
}

static void
step_remove(struct fib *f, const struct step *s)
{
	struct fib_trie *t = f->trie[fib_family(&s->prefix)];
	const struct fib_rib_node *n = fib_rib_find(&f->rib, &s->prefix);
	const struct fib_rib_node *parent = fib_rib_parent(&f->rib, &s->prefix);
	uint32_t before;

	if (n == NULL) /* the same prefix twice */
		return;
	before = n->nh;
	f->n_runtime -= n->runtime;
	fib_trie_set(t, n, parent != NULL ? parent->nh : 0);
	fib_rib_remove(&f->rib, &s->prefix);
	fib_trie_prune(t, &f->rib, &s->prefix);
	fib_nhs_put(&f->nhs, before);
}

static void
reclaim(struct fib *f)
{
	(void)fib_places_reclaim(&f->nhs.places);
	for (unsigned int family = 0; family < FIB_FAMILIES; family++)
		if (f->trie[family] != NULL)
			(void)fib_places_reclaim(&f->trie[family]->places);
}

/* All of them, and the list is gone; or an error, and it is not. */
static int
carry_out(struct fib *f, struct step *s, uint32_t n)
{
	uint32_t fresh = 0;
	int ret = 0;

	for (uint32_t i = 0; i < n; i++)
		fresh += s[i].fresh;
	if (n > 1)
		qsort(s, n, sizeof(*s), step_compare);
	if (!fib_rib_reserve(&f->rib, fresh))
		ret = -ENOMEM;
	for (unsigned int family = 0; ret == 0 && family < FIB_FAMILIES; family++)
		ret = trie_prepare(f, family, s, n);
	if (ret != 0) {
		fib_rib_trim(&f->rib);
		return ret;
	}
	/* what is new first, so that nothing is without a route that had one and keeps one */
	for (uint32_t i = 0; i < n; i++)
		if (!s[i].remove)
			step_set(f, &s[i]);
	for (uint32_t i = 0; i < n; i++)
		if (s[i].remove)
			step_remove(f, &s[i]);
	fib_rib_trim(&f->rib);
	free(s);
	return 0;
}

/* @param all  routes of addresses too */
static int
change(struct fib *f, const struct fib_change *c, uint32_t n, bool all, char *err,
	unsigned int err_len)
{
	struct step *s = calloc(n + UINT64_C(1), sizeof(*s));
	uint32_t made = 0;
	int ret = s != NULL ? 0 : -ENOMEM;

	reclaim(f);
	for (; ret == 0 && made < n; made++) {
		ret = step_make(f, &c[made], made, all, &s[made], err, err_len);
		if (ret != 0)
			break;
	}
	if (ret == 0)
		ret = carry_out(f, s, n);
	if (ret == 0)
		return 0;
	if (s != NULL)
		steps_free(f, s, made);
	return fib_failed(ret, n, err, err_len);
}

int
fib_change(struct fib *f, const struct fib_change *c, uint32_t n, char *err, unsigned int err_len)
{
	return change(f, c, n, false, err, err_len);
}

/* What is to be done so that a list is all there is. */
struct replacing {
	struct fib *f;
	struct fib_replaced *done;
	struct fib_change *change;
	uint32_t n, stamp;
	struct fib_undo *undo;
};

static void
remove_unseen(void *arg, struct fib_rib_node *n)
{
	struct replacing *w = arg;

	if (n->stamp == w->stamp)
		return;
	w->done->removed += !is_of_address(&w->f->nhs.nh[n->nh]);
	w->change[w->n++] = (struct fib_change){.op = FIB_REMOVE, .route = {.prefix = n->prefix}};
}

/* One route of the list: kept as it is, or a change. */
static void
compare_one(struct replacing *w, const struct fib_route *r)
{
	const bool told = !is_of_address(&r->nh);
	struct base_prefix p = base_prefix_network(&r->prefix);
	struct fib_rib_node *n = fib_rib_find(&w->f->rib, &p);
	struct fib_nh_room nh;

	if (n != NULL && n->stamp == w->stamp)
		return; /* the earlier one wins */
	if (n != NULL) {
		n->stamp = w->stamp;
		fib_nh_normal(&r->nh, fib_family(&p), &nh);
		if (fib_nh_same(&nh.nh, &w->f->nhs.nh[n->nh])) {
			/* the same in the file now, which no worker cares about */
			w->done->kept += told;
			return;
		}
		w->done->changed += told;
	} else {
		w->done->added += told;
	}
	w->change[w->n++] = (struct fib_change){.op = FIB_SET, .route = *r};
}

/* The routes of before that are others now, or not of a command any more. */
struct fib_undo {
	uint32_t n;
	struct step *step; /* each with a use of its next hop, so that there is room for that */
};

/* One that is kept, and was a command's: the next hop is the same. */
static void
note_runtime(void *arg, struct fib_rib_node *n)
{
	const struct replacing *w = arg;
	struct fib_undo *u = w->undo;

	if (n->stamp != w->stamp || !n->runtime)
		return;
	u->step[u->n++] = (struct step){.prefix = n->prefix, .nh = n->nh, .runtime = true};
	fib_nhs_hold(&w->f->nhs, n->nh);
}

static struct fib_undo *
undo_make(struct replacing *w)
{
	struct fib_undo *u = calloc(1, sizeof(*u));

	w->undo = u;
	if (u != NULL)
		u->step = calloc((size_t)w->n + w->f->n_runtime + 1, sizeof(*u->step));
	if (u == NULL || u->step == NULL) {
		free(u);
		return NULL;
	}
	for (uint32_t i = 0; i < w->n; i++) {
		struct step *s = &u->step[u->n++];
		const struct fib_rib_node *n;

		s->prefix = base_prefix_network(&w->change[i].route.prefix);
		n = fib_rib_find(&w->f->rib, &s->prefix);
		s->remove = n == NULL;
		if (n == NULL)
			continue;
		s->nh = n->nh;
		s->runtime = n->runtime;
		fib_nhs_hold(&w->f->nhs, n->nh);
	}
	/* one that is changed as well is there twice, alike */
	for (unsigned int family = 0; family < FIB_FAMILIES; family++)
		fib_rib_walk(&w->f->rib, family, note_runtime, w);
	return u;
}

int
fib_undo(struct fib *f, struct fib_undo *u, bool back, char *err, unsigned int err_len)
{
	uint32_t n;
	int ret = 0;

	if (u == NULL)
		return 0;
	n = u->n;
	if (back) {
		reclaim(f);
		for (uint32_t i = 0; i < n; i++)
			u->step[i].fresh = !u->step[i].remove &&
				fib_rib_find(&f->rib, &u->step[i].prefix) == NULL;
		ret = carry_out(f, u->step, n);
	}
	if (!back || ret != 0)
		steps_free(f, u->step, n);
	free(u);
	return ret != 0 ? fib_failed(ret, n, err, err_len) : 0;
}

static void
forget_runtime(void *arg, struct fib_rib_node *n)
{
	struct fib *f = arg;

	f->n_runtime -= n->runtime;
	n->runtime = false;
}

int
fib_replace(struct fib *f, const struct fib_route *routes, uint32_t n, bool only_count,
	struct fib_replaced *done, struct fib_undo **undo, char *err, unsigned int err_len)
{
	struct replacing w = {.f = f, .done = done, .stamp = ++f->stamp};
	int ret = 0;

	*done = (struct fib_replaced){0};
	if (undo != NULL)
		*undo = NULL;
	w.change = calloc((size_t)n + fib_route_count(f) + 1, sizeof(*w.change));
	if (w.change == NULL)
		return fib_failed(-ENOMEM, n, err, err_len);
	for (uint32_t i = 0; i < n; i++) {
		if (!fib_route_ok(&routes[i], i, err, err_len)) {
			free(w.change);
			return -EINVAL;
		}
		compare_one(&w, &routes[i]);
	}
	for (unsigned int family = 0; family < FIB_FAMILIES; family++)
		fib_rib_walk(&f->rib, family, remove_unseen, &w);
	if (!only_count && undo != NULL && (*undo = undo_make(&w)) == NULL)
		ret = fib_failed(-ENOMEM, n, err, err_len);
	if (!only_count && ret == 0)
		ret = change(f, w.change, w.n, true, err, err_len);
	free(w.change);
	if (ret != 0 && undo != NULL) {
		(void)fib_undo(f, *undo, false, err, err_len);
		*undo = NULL;
	}
	for (unsigned int family = 0; !only_count && ret == 0 && family < FIB_FAMILIES; family++)
		fib_rib_walk(&f->rib, family, forget_runtime, f);
	return ret;
}

uint32_t
fib_route_count(const struct fib *f)
{
	return fib_rib_count(&f->rib, FIB_IP4) + fib_rib_count(&f->rib, FIB_IP6);
}

uint32_t
fib_runtime_count(const struct fib *f)
{
	return f->n_runtime;
}

bool
fib_route_get(const struct fib *f, uint32_t i, struct fib_route *out, bool *runtime)
{
	uint32_t n4 = fib_rib_count(&f->rib, FIB_IP4);
	const struct fib_rib_node *n =
		i < n4 ? fib_rib_get(&f->rib, FIB_IP4, i) : fib_rib_get(&f->rib, FIB_IP6, i - n4);

	if (n == NULL)
		return false;
	out->prefix = n->prefix;
	out->nh = f->nhs.nh[n->nh];
	if (runtime != NULL)
		*runtime = n->runtime;
	return true;
}

/* Where a route or the place of one stands. */
static uint32_t
place_of(const struct fib *f, const struct base_prefix *p)
{
	unsigned int family = fib_family(p);

	return fib_rib_rank(&f->rib, p) + (family == FIB_IP6 ? fib_rib_count(&f->rib, FIB_IP4) : 0);
}

uint32_t
fib_route_find(const struct fib *f, const struct base_prefix *p)
{
	struct base_prefix net = base_prefix_network(p);

	return place_of(f, &net);
}

uint32_t
fib_route_match(const struct fib *f, const struct base_addr *a)
{
	struct base_prefix p = {.addr = *a, .plen = a->family == BASE_FAMILY_IP4 ? 32 : 128};
	const struct fib_rib_node *n = fib_rib_find(&f->rib, &p);

	if (n == NULL)
		n = fib_rib_parent(&f->rib, &p);
	return n != NULL ? place_of(f, &n->prefix) : fib_route_count(f);
}

void
fib_memory(const struct fib *f, struct fib_memory *out)
{
	*out = (struct fib_memory){
		.tables = (FIB_NH_MAX + 1) * sizeof(*f->nhs.nh),
		.next_hops = f->nhs.places.n_used - 1,
		.rebuilt = f->rebuilt,
	};
	for (unsigned int family = 0; family < FIB_FAMILIES; family++)
		if (f->trie[family] != NULL)
			out->tables += fib_trie_bytes(f->trie[family]);
	out->nodes4 = f->trie[FIB_IP4]->places.n_used;
	if (f->trie[FIB_IP6] != NULL)
		out->nodes6 = f->trie[FIB_IP6]->places.n_used;
}
