/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf_keys_priv.h"

const char *
conf_plan_action_name(enum conf_plan_action a)
{
	static const char *const names[] = {
		[CONF_PLAN_KEPT] = "kept",
		[CONF_PLAN_CHANGED] = "changed",
		[CONF_PLAN_ADDED] = "added",
		[CONF_PLAN_REMOVED] = "removed",
	};

	return names[a];
}

const char *
conf_plan_need_name(enum conf_plan_need n)
{
	static const char *const names[] = {
		[CONF_PLAN_NOTHING] = "",
		[CONF_PLAN_ALL_BOXES] = "the same on all boxes",
		[CONF_PLAN_LEAVES] = "leaves and comes back",
		[CONF_PLAN_RESTART] = "needs a restart",
	};

	return names[n];
}

static bool
same_text(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

bool
conf_prefixes_same(
	const struct base_prefix *a, uint16_t n_a, const struct base_prefix *b, uint16_t n_b)
{
	return n_a == n_b && (n_a == 0 || memcmp(a, b, n_a * sizeof(*a)) == 0);
}

static bool
same_words(char *const *a, uint16_t n_a, char *const *b, uint16_t n_b)
{
	if (n_a != n_b)
		return false;
	for (uint16_t i = 0; i < n_a; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

static bool
same_root_part(unsigned int key, const struct conf *a, const struct conf *b)
{
	switch (key) {
	case CONF_KEY_ROOT_NODE:
		return strcmp(a->node, b->node) == 0;
	case CONF_KEY_ROOT_EAL:
		return same_words(a->eal, a->n_eal, b->eal, b->n_eal);
	case CONF_KEY_ROOT_METRICS:
		return memcmp(&a->metrics, &b->metrics, sizeof(a->metrics)) == 0;
	case CONF_KEY_ROOT_CLI:
		return a->cli.mode == b->cli.mode && strcmp(a->cli.group, b->cli.group) == 0;
	default:
		return false; /* a part that is not known here is not known to be the same */
	}
}

static bool
same_carp_part(unsigned int key, const struct conf *a, const struct conf *b)
{
	switch (key) {
	case CONF_KEY_CARP_ON_CHANGE:
		return same_words(a->on_change, a->n_on_change, b->on_change, b->n_on_change);
	case CONF_KEY_CARP_ON_CHANGE_USER:
		return strcmp(a->on_change_user, b->on_change_user) == 0;
	default:
		return false;
	}
}

static bool
same_lcores_part(unsigned int key, const struct conf_lcores *a, const struct conf_lcores *b)
{
	if (key == CONF_KEY_LCORES_CONTROL)
		return a->control == b->control;
	return a->n_workers == b->n_workers &&
		memcmp(a->workers, b->workers, a->n_workers * sizeof(a->workers[0])) == 0;
}

/* By address, as they are sorted; where they stand in the file does not count. */
static bool
same_neighbors(const struct conf_if *a, const struct conf_if *b)
{
	if (a->n_neighbors != b->n_neighbors)
		return false;
	for (uint16_t i = 0; i < a->n_neighbors; i++)
		if (memcmp(&a->neighbors[i].addr, &b->neighbors[i].addr,
			    sizeof(a->neighbors[i].addr)) != 0 ||
			memcmp(a->neighbors[i].mac, b->neighbors[i].mac, BASE_MAC_LEN) != 0)
			return false;
	return true;
}

/* The subnets of interface and groups follow from those; they are read anew for each message. */
static bool
same_ra(const struct conf_ra *a, const struct conf_ra *b)
{
	struct conf_ra x = *a, y = *b;

	if (!x.prefixes_given && !y.prefixes_given) {
		x.msg.n_prefixes = y.msg.n_prefixes = 0;
		memset(x.msg.prefix, 0, sizeof(x.msg.prefix));
		memset(y.msg.prefix, 0, sizeof(y.msg.prefix));
	}
	return memcmp(&x, &y, sizeof(x)) == 0;
}

static bool
same_if_part(unsigned int key, const struct conf_if *a, const struct conf_if *b)
{
	switch (key) {
	case CONF_KEY_IF_NAME:
		return strcmp(a->name, b->name) == 0;
	case CONF_KEY_IF_DEVICE:
		return strcmp(a->device, b->device) == 0;
	case CONF_KEY_IF_ADDRESSES:
		return conf_prefixes_same(
			a->addresses, a->n_addresses, b->addresses, b->n_addresses);
	case CONF_KEY_IF_HOST:
		return a->host.on == b->host.on && strcmp(a->host.tap, b->host.tap) == 0 &&
			a->host.rate_pps == b->host.rate_pps;
	case CONF_KEY_IF_NEIGHBORS:
		return same_neighbors(a, b);
	case CONF_KEY_IF_RA:
		return (a->ra == NULL) == (b->ra == NULL) &&
			(a->ra == NULL || same_ra(a->ra, b->ra));
	default:
		return false;
	}
}

/* Interfaces are compared by name: their order in the file is none of a group's business. */
static bool
same_group_part(unsigned int key, const struct conf *ca, const struct conf_group *a,
	const struct conf *cb, const struct conf_group *b)
{
	switch (key) {
	case CONF_KEY_GROUP_NAME:
		return strcmp(a->name, b->name) == 0;
	case CONF_KEY_GROUP_CARPDEV:
		return strcmp(ca->ifs[a->if_index].name, cb->ifs[b->if_index].name) == 0;
	case CONF_KEY_GROUP_ADVBASE:
		return a->advbase == b->advbase;
	case CONF_KEY_GROUP_PASS:
		return memcmp(a->key, b->key, sizeof(a->key)) == 0;
	case CONF_KEY_GROUP_PASS_FILE:
		return same_text(a->pass_file, b->pass_file);
	case CONF_KEY_GROUP_ADDRESSES:
		return conf_prefixes_same(
			a->addresses, a->n_addresses, b->addresses, b->n_addresses);
	case CONF_KEY_GROUP_PEER:
		return memcmp(&a->peer4, &b->peer4, sizeof(a->peer4)) == 0;
	case CONF_KEY_GROUP_PEER6:
		return memcmp(&a->peer6, &b->peer6, sizeof(a->peer6)) == 0;
	default:
		return false;
	}
}

/* An object of both configurations. */
struct pair {
	const struct conf *now, *next;
	const void *a, *b;
};

static bool
same_part(unsigned int key, const struct pair *p)
{
	switch (conf_keys[key].object) {
	case CONF_OBJECT_ROOT:
		return same_root_part(key, p->a, p->b);
	case CONF_OBJECT_LCORES:
		return same_lcores_part(key, p->a, p->b);
	case CONF_OBJECT_IF:
		return same_if_part(key, p->a, p->b);
	case CONF_OBJECT_GROUP:
		return same_group_part(key, p->now, p->a, p->next, p->b);
	case CONF_OBJECT_CARP:
		return same_carp_part(key, p->a, p->b);
	/* parts of others */
	case CONF_OBJECT_METRICS:
	case CONF_OBJECT_CLI:
	case CONF_OBJECT_HOST:
	case CONF_OBJECT_NEIGHBOR:
	case CONF_OBJECT_RA:
	case CONF_OBJECT_RA_PREFIX:
	case CONF_OBJECT_ROUTE:
		break;
	}
	return true;
}

/* Parts of the root that are objects of their own. */
static bool
is_object(unsigned int key)
{
	return key == CONF_KEY_ROOT_LCORES || key == CONF_KEY_ROOT_INTERFACES ||
		key == CONF_KEY_ROOT_CARP || key == CONF_KEY_ROOT_ROUTES ||
		key == CONF_KEY_CARP_GROUPS;
}

static enum conf_plan_need
need_of(const struct conf_key *k)
{
	switch (k->reload) {
	case CONF_RELOAD_DIGEST:
		return CONF_PLAN_ALL_BOXES;
	case CONF_RELOAD_GROUP:
		return CONF_PLAN_LEAVES;
	case CONF_RELOAD_PROCESS:
		return CONF_PLAN_RESTART;
	case CONF_RELOAD_NONE:
	case CONF_RELOAD_TIMERS:
	case CONF_RELOAD_ROUTES:
		break;
	}
	return CONF_PLAN_NOTHING;
}

/* The keys of an object that differ. @return how many; *need: the greatest of theirs */
static unsigned int
keys_compare(enum conf_object object, const struct pair *p, char *keys, size_t len,
	enum conf_plan_need *need)
{
	unsigned int n = 0;
	size_t at = 0;

	keys[0] = '\0';
	*need = CONF_PLAN_NOTHING;
	for (unsigned int i = 0; i < CONF_KEY_N; i++) {
		const struct conf_key *k = &conf_keys[i];
		bool same;

		if (k->object != object || is_object(i))
			continue;
		if (k->type == CONF_TYPE_PART)
			same = same_part(i, p);
		else
			same = memcmp((const char *)p->a + k->offset,
				       (const char *)p->b + k->offset, k->size) == 0;
		if (same)
			continue;
		if (need_of(k) > *need)
			*need = need_of(k);
		if (at < len)
			at += (size_t)snprintf(
				keys + at, len - at, "%s%s", n > 0 ? ", " : "", k->name);
		n++;
	}
	return n;
}

static void
item_add(struct conf_plan *p, const char *object, const char *name, enum conf_plan_action action,
	const char *keys, enum conf_plan_need need)
{
	struct conf_plan_item *i = &p->item[p->n++];

	i->object = object;
	snprintf(i->name, sizeof(i->name), "%s", name);
	snprintf(i->keys, sizeof(i->keys), "%s", keys);
	i->action = action;
	i->need = need;
	p->restart |= need == CONF_PLAN_RESTART;
	p->n_kept += action == CONF_PLAN_KEPT;
}

static void
object_compare(struct conf_plan *p, enum conf_object object, const char *what, const char *name,
	const struct pair *pair)
{
	char keys[sizeof(p->item[0].keys)];
	enum conf_plan_need need;
	unsigned int n = keys_compare(object, pair, keys, sizeof(keys), &need);

	item_add(p, what, name, n != 0 ? CONF_PLAN_CHANGED : CONF_PLAN_KEPT, keys, need);
}

const struct conf_if *
conf_if_find(const struct conf *c, const char *name)
{
	for (uint16_t i = 0; i < c->n_ifs; i++)
		if (strcmp(c->ifs[i].name, name) == 0)
			return &c->ifs[i];
	return NULL;
}

const struct conf_group *
conf_group_find(const struct conf *c, const char *name)
{
	for (uint16_t i = 0; i < c->n_groups; i++)
		if (!c->groups[i].unused && strcmp(c->groups[i].name, name) == 0)
			return &c->groups[i];
	return NULL;
}

int
conf_plan_make(struct conf_plan *p, const struct conf *now, const struct conf *next)
{
	struct pair pair = {now, next, now, next};

	*p = (struct conf_plan){0};
	p->item = calloc((size_t)3 + now->n_ifs + next->n_ifs + now->n_groups + next->n_groups,
		sizeof(*p->item));
	if (p->item == NULL)
		return -ENOMEM;
	object_compare(p, CONF_OBJECT_ROOT, "box", "", &pair);
	object_compare(p, CONF_OBJECT_CARP, "carp", "", &pair);
	pair.a = &now->lcores;
	pair.b = &next->lcores;
	object_compare(p, CONF_OBJECT_LCORES, "lcores", "", &pair);
	for (uint16_t i = 0; i < now->n_ifs; i++) {
		pair.a = &now->ifs[i];
		pair.b = conf_if_find(next, now->ifs[i].name);
		if (pair.b != NULL)
			object_compare(p, CONF_OBJECT_IF, "interface", now->ifs[i].name, &pair);
		else
			item_add(p, "interface", now->ifs[i].name, CONF_PLAN_REMOVED, "",
				CONF_PLAN_RESTART);
	}
	for (uint16_t i = 0; i < next->n_ifs; i++)
		if (conf_if_find(now, next->ifs[i].name) == NULL)
			item_add(p, "interface", next->ifs[i].name, CONF_PLAN_ADDED, "",
				CONF_PLAN_RESTART);
	for (uint16_t i = 0; i < now->n_groups; i++) {
		if (now->groups[i].unused)
			continue;
		pair.a = &now->groups[i];
		pair.b = conf_group_find(next, now->groups[i].name);
		if (pair.b != NULL)
			object_compare(p, CONF_OBJECT_GROUP, "group", now->groups[i].name, &pair);
		else
			item_add(p, "group", now->groups[i].name, CONF_PLAN_REMOVED, "",
				CONF_PLAN_NOTHING);
	}
	for (uint16_t i = 0; i < next->n_groups; i++)
		if (!next->groups[i].unused && conf_group_find(now, next->groups[i].name) == NULL)
			item_add(p, "group", next->groups[i].name, CONF_PLAN_ADDED, "",
				CONF_PLAN_NOTHING);
	return 0;
}

void
conf_plan_free(struct conf_plan *p)
{
	free(p->item);
	p->item = NULL;
}
