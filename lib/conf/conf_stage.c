/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base_assert.h"
#include "conf_addr_priv.h"
#include "conf_check_priv.h"

struct conf_digest
conf_digest_of(const struct conf_group *g)
{
	struct conf_digest d = {
		.pass_file = g->pass_file,
		.n_addresses = g->n_addresses,
		.addresses = g->addresses,
	};

	memcpy(d.key, g->key, sizeof(d.key));
	return d;
}

static void
digest_use(struct conf_group *g, const struct conf_digest *d)
{
	memcpy(g->key, d->key, sizeof(g->key));
	g->pass_file = d->pass_file;
	g->n_addresses = d->n_addresses;
	g->addresses = d->addresses;
}

static void
digest_free(struct conf_digest *d)
{
	explicit_bzero(d->key, sizeof(d->key));
	free(d->pass_file);
	free(d->addresses);
}

void
conf_staged_free(struct conf_staged *s)
{
	if (s == NULL)
		return;
	digest_free(&s->other);
	free(s);
}

static bool
has_address(const struct conf_digest *d, const struct base_addr *addr)
{
	for (uint16_t i = 0; i < d->n_addresses; i++)
		if (memcmp(&d->addresses[i].addr, addr, sizeof(*addr)) == 0)
			return true;
	return false;
}

/* None is twice in a group. */
static bool
same_addresses(const struct conf_digest *a, const struct conf_digest *b)
{
	bool same = a->n_addresses == b->n_addresses;

	for (uint16_t i = 0; same && i < a->n_addresses; i++)
		same = has_address(b, &a->addresses[i].addr);
	return same;
}

bool
conf_digest_same(const struct conf_digest *a, const struct conf_digest *b)
{
	return memcmp(a->key, b->key, sizeof(a->key)) == 0 && same_addresses(a, b);
}

static unsigned int
families(const struct conf_digest *d)
{
	unsigned int mask = 0;

	for (uint16_t i = 0; i < d->n_addresses; i++)
		mask |= 1u << d->addresses[i].addr.family;
	return mask;
}

/*
 * Who has only one of the sets is to hear the other: by all timers one family in common does, by
 * any of them no family may go.
 */
static bool
hears(const struct conf_group *g, const struct conf_digest *now, const struct conf_digest *next)
{
	unsigned int a = families(now), b = families(next);

	return g->family_timers == CONF_FAMILY_TIMERS_ANY ? a == b : (a & b) != 0;
}

/* @return 0 or -ENOMEM */
static int
digest_copy(struct conf_digest *to, const struct conf_digest *d)
{
	*to = *d;
	to->pass_file = d->pass_file != NULL ? strdup(d->pass_file) : NULL;
	to->addresses = calloc(d->n_addresses + 1u, sizeof(*d->addresses));
	if (to->addresses == NULL || (d->pass_file != NULL && to->pass_file == NULL)) {
		digest_free(to);
		return -ENOMEM;
	}
	memcpy(to->addresses, d->addresses, d->n_addresses * sizeof(*d->addresses));
	return 0;
}

/* A copy of d is beside what next says, or in its place, with that beside. */
static enum conf_stage
stage_with(struct conf_group *next, const struct conf_digest *d, bool in_use,
	const struct conf_staged *like)
{
	struct conf_staged *s = malloc(sizeof(*s));

	if (s == NULL)
		return CONF_STAGE_MEMORY;
	*s = *like;
	if (digest_copy(&s->other, d) != 0) {
		free(s);
		return CONF_STAGE_MEMORY;
	}
	if (in_use) {
		struct conf_digest own = conf_digest_of(next);

		digest_use(next, &s->other);
		s->other = own;
	}
	next->staged = s;
	return like->begin ? CONF_STAGE_BEGUN : CONF_STAGE_KEPT;
}

enum conf_stage
conf_stage_group(struct conf_group *next, const struct conf_group *now, bool open)
{
	const struct conf_digest a = conf_digest_of(now), b = conf_digest_of(next);
	const struct conf_staged *s = open ? now->staged : NULL;
	struct conf_staged like = {.begin = true, .file_new = true};

	if (s != NULL) {
		bool as_used = conf_digest_same(&a, &b);

		if (!as_used && !conf_digest_same(&s->other, &b))
			return CONF_STAGE_OTHER;
		like = (struct conf_staged){
			.uses_new = s->uses_new, .file_new = as_used == s->uses_new};
		return stage_with(next, as_used ? &s->other : &a, !as_used, &like);
	}
	if (conf_digest_same(&a, &b))
		return CONF_STAGE_NOTHING;
	return hears(next, &a, &b) ? stage_with(next, &a, true, &like) : CONF_STAGE_FAMILY;
}

/* An address, and who has it. */
struct place {
	struct base_addr addr;
	uint16_t if_index;
	uint16_t group; /* UINT16_MAX: the interface itself */
};
#define INTERFACE UINT16_MAX

static int
place_compare(const void *va, const void *vb)
{
	const struct place *a = va, *b = vb;
	int d = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	/* on another link it is another one */
	if (d == 0 && conf_addr_link_local(&a->addr))
		d = a->if_index - b->if_index;
	return d;
}

static struct place *
places_add(struct place *p, const struct base_prefix *list, uint16_t n, uint16_t if_index,
	uint16_t group)
{
	for (uint16_t i = 0; i < n; i++)
		*p++ = (struct place){list[i].addr, if_index, group};
	return p;
}

/* @return all of the box to free(), or NULL */
static struct place *
places_of(const struct conf *c, size_t *n)
{
	struct place *all, *p;
	size_t room = 1;

	for (uint16_t i = 0; i < c->n_ifs; i++)
		room += c->ifs[i].n_addresses;
	for (uint16_t i = 0; i < c->n_groups; i++)
		room += c->groups[i].n_addresses +
			(c->groups[i].staged != NULL ? c->groups[i].staged->other.n_addresses : 0u);
	all = p = calloc(room, sizeof(*all));
	if (all == NULL)
		return NULL;
	for (uint16_t i = 0; i < c->n_ifs; i++)
		p = places_add(p, c->ifs[i].addresses, c->ifs[i].n_addresses, i, INTERFACE);
	for (uint16_t i = 0; i < c->n_groups; i++) {
		const struct conf_group *g = &c->groups[i];
		const struct conf_staged *s = g->staged;

		p = places_add(p, g->addresses, g->n_addresses, g->if_index, i);
		if (s != NULL)
			p = places_add(p, s->other.addresses, s->other.n_addresses, g->if_index, i);
	}
	*n = (size_t)(p - all);
	return all;
}

static bool
clashes(const struct conf *c, const struct place *a, const struct place *b)
{
	if (a->group == b->group || place_compare(a, b) != 0)
		return false;
	if ((a->group == INTERFACE || c->groups[a->group].staged == NULL) &&
		(b->group == INTERFACE || c->groups[b->group].staged == NULL))
		return false;
	return a->group == INTERFACE || b->group == INTERFACE ||
		conf_sharing_refused(c, &a->addr, a->if_index, b->if_index) != NULL;
}

static const char *
owner(const struct conf *c, const struct place *p)
{
	return p->group == INTERFACE ? c->ifs[p->if_index].name : c->groups[p->group].name;
}

int
conf_stage_check(const struct conf *c, char *err, size_t err_len)
{
	char text[CONF_ADDR_STR];
	struct place *all;
	size_t n = 0;
	int ret = 0;

	all = places_of(c, &n);
	if (all == NULL)
		return -ENOMEM;
	qsort(all, n, sizeof(*all), place_compare);
	for (size_t i = 0; i < n && ret == 0; i++)
		for (size_t k = i + 1; k < n && ret == 0; k++) {
			if (place_compare(&all[i], &all[k]) != 0)
				break;
			if (!clashes(c, &all[i], &all[k]))
				continue;
			snprintf(err, err_len, "%s moves between %s and %s",
				conf_addr_str(&all[i].addr, text), owner(c, &all[i]),
				owner(c, &all[k]));
			ret = -EADDRINUSE;
		}
	free(all);
	return ret;
}

/* What d has and less has not. @return where the text ends */
static size_t
difference(char *buf, size_t at, char sign, const struct conf_digest *d,
	const struct conf_digest *less)
{
	char addr[CONF_ADDR_STR];
	unsigned int more = 0;

	for (uint16_t i = 0; i < d->n_addresses; i++) {
		if (has_address(less, &d->addresses[i].addr))
			continue;
		conf_addr_str(&d->addresses[i].addr, addr);
		/* half of the room for those that come, half for those that go */
		if (at + strlen(addr) > (sign == '+' ? 140 : 280))
			more++;
		else
			at += (size_t)snprintf(buf + at, CONF_STAGE_STR - at, " %c%s", sign, addr);
	}
	if (more > 0)
		at += (size_t)snprintf(buf + at, CONF_STAGE_STR - at, " %c%u more", sign, more);
	return at;
}

const char *
conf_stage_str(const struct conf_group *g, char buf[CONF_STAGE_STR])
{
	struct conf_digest used = conf_digest_of(g);
	const struct conf_digest *other = &g->staged->other;
	const struct conf_digest *new = g->staged->uses_new ? &used : other;
	const struct conf_digest *old = g->staged->uses_new ? other : &used;
	bool pass = memcmp(old->key, new->key, sizeof(old->key)) != 0;
	size_t at = 0;

	buf[0] = '\0';
	if (!same_addresses(old, new)) {
		at = (size_t)snprintf(buf, CONF_STAGE_STR, "addresses");
		at = difference(buf, at, '+', new, old);
		at = difference(buf, at, '-', old, new);
	}
	if (pass)
		snprintf(buf + at, CONF_STAGE_STR - at, "%spass", at > 0 ? ", " : "");
	return buf;
}

const char *
conf_stage_keys(const struct conf_group *g)
{
	const struct conf_digest used = conf_digest_of(g);
	const struct conf_digest *other = &g->staged->other;

	if (same_addresses(&used, other))
		return "pass";
	return memcmp(used.key, other->key, sizeof(used.key)) != 0 ? "addresses, pass"
								   : "addresses";
}

static void
turn_group(struct conf_group *g, struct conf_staged *s)
{
	struct conf_digest own = conf_digest_of(g);

	*s = *g->staged;
	s->uses_new = !s->uses_new;
	s->begin = false;
	digest_use(g, &s->other);
	s->other = own;
	g->staged = s;
}

/* Router advertisements follow the addresses, so each of the two has its own. */
static bool
copy_ifs(struct conf *c)
{
	const struct conf_if *from = c->ifs;
	bool ok;

	c->ifs = calloc(c->n_ifs, sizeof(*c->ifs));
	ok = c->ifs != NULL;
	for (uint16_t i = 0; ok && i < c->n_ifs; i++) {
		c->ifs[i] = from[i];
		if (from[i].ra == NULL)
			continue;
		c->ifs[i].ra = malloc(sizeof(*from[i].ra));
		if (c->ifs[i].ra != NULL)
			*c->ifs[i].ra = *from[i].ra;
		ok = c->ifs[i].ra != NULL;
	}
	return ok;
}

struct conf *
conf_stage_turn(const struct conf *now, const bool *turn)
{
	struct conf *c = malloc(sizeof(*c));
	bool ok = c != NULL;

	if (!ok)
		return NULL;
	*c = *now;
	c->groups = calloc(now->group_room + 1u, sizeof(*c->groups));
	ok = copy_ifs(c) && c->groups != NULL;
	if (ok)
		memcpy(c->groups, now->groups, now->n_groups * sizeof(*c->groups));
	else
		c->n_groups = 0;
	for (uint16_t i = 0; ok && i < now->n_groups; i++) {
		struct conf_staged *s;

		if (!turn[i])
			continue;
		BASE_ASSERT(now->groups[i].staged != NULL);
		s = malloc(sizeof(*s));
		ok = s != NULL;
		if (ok)
			turn_group(&c->groups[i], s);
		else
			c->n_groups = i; /* those are to be left */
	}
	if (ok) {
		conf_ra_subnets(c);
		return c;
	}
	conf_stage_leave(c, turn);
	return NULL;
}

void
conf_stage_leave(struct conf *c, const bool *turn)
{
	for (uint16_t i = 0; c->groups != NULL && i < c->n_groups; i++) {
		if (!turn[i])
			continue;
		explicit_bzero(c->groups[i].staged, sizeof(*c->groups[i].staged));
		free(c->groups[i].staged);
	}
	if (c->groups != NULL)
		explicit_bzero(c->groups, c->n_groups * sizeof(*c->groups));
	free(c->groups);
	for (uint16_t i = 0; c->ifs != NULL && i < c->n_ifs; i++)
		free(c->ifs[i].ra);
	free(c->ifs);
	free(c);
}

void
conf_stage_over(struct conf_group *g)
{
	if (g->staged->uses_new == g->staged->file_new) {
		conf_staged_free(g->staged);
		g->staged = NULL;
		return;
	}
	g->staged->over = true;
	g->staged->begin = false;
}
