/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_read_priv.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_pass_priv.h"

#define PHRASE 200

/** What the reader of one object knows. */
struct object {
	void *base;	/**< struct that the values go to */
	uint32_t index; /**< of the object in its array */
	uint32_t node;
	struct conf_at member[CONF_KEY_N];
	bool misspelt[CONF_KEY_N]; /**< an unknown key was taken for this one */
};

typedef void part_reader(
	struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o);

static part_reader read_node, read_eal, read_lcores, read_interfaces, read_carp, read_routes;
static part_reader read_control, read_workers, read_name, read_device, read_if_addresses;
static part_reader read_groups, read_carpdev, read_advbase, read_pass, read_pass_file, read_vips;
static part_reader read_prefix, read_via;

static part_reader *const part_readers[CONF_KEY_N] = {
	[CONF_KEY_ROOT_NODE] = read_node,
	[CONF_KEY_ROOT_EAL] = read_eal,
	[CONF_KEY_ROOT_LCORES] = read_lcores,
	[CONF_KEY_ROOT_INTERFACES] = read_interfaces,
	[CONF_KEY_ROOT_CARP] = read_carp,
	[CONF_KEY_ROOT_ROUTES] = read_routes,
	[CONF_KEY_LCORES_CONTROL] = read_control,
	[CONF_KEY_LCORES_WORKERS] = read_workers,
	[CONF_KEY_IF_NAME] = read_name,
	[CONF_KEY_IF_DEVICE] = read_device,
	[CONF_KEY_IF_ADDRESSES] = read_if_addresses,
	[CONF_KEY_CARP_GROUPS] = read_groups,
	[CONF_KEY_GROUP_NAME] = read_name,
	[CONF_KEY_GROUP_CARPDEV] = read_carpdev,
	[CONF_KEY_GROUP_ADVBASE] = read_advbase,
	[CONF_KEY_GROUP_PASS] = read_pass,
	[CONF_KEY_GROUP_PASS_FILE] = read_pass_file,
	[CONF_KEY_GROUP_ADDRESSES] = read_vips,
	[CONF_KEY_ROUTE_PREFIX] = read_prefix,
	[CONF_KEY_ROUTE_VIA] = read_via,
};

static void
expected(struct conf_reader *r, const struct conf_key *k, uint32_t node)
{
	char phrase[PHRASE], buf[CONF_ECHO];

	conf_error(r, node, "expected %s, found %s", conf_key_allowed(k, phrase, sizeof(phrase)),
		conf_found(r, node, buf));
}

static void
store(const struct conf_key *k, void *base, int64_t value)
{
	char *field = (char *)base + k->offset;

	if (k->type == CONF_TYPE_BOOL || k->type == CONF_TYPE_SWITCH) {
		bool b = value != 0;

		memcpy(field, &b, sizeof(b));
	} else if (k->size == sizeof(uint8_t)) {
		uint8_t v = (uint8_t)value;

		memcpy(field, &v, sizeof(v));
	} else if (k->size == sizeof(uint16_t)) {
		uint16_t v = (uint16_t)value;

		memcpy(field, &v, sizeof(v));
	} else {
		uint32_t v = (uint32_t)value; /* an enum */

		memcpy(field, &v, sizeof(v));
	}
}

static bool
word_index(const char *words, const char *s, int64_t *index)
{
	size_t len = strlen(s);

	for (*index = 0; *words != '\0'; (*index)++) {
		size_t n = strcspn(words, " ");

		if (n == len && memcmp(words, s, n) == 0)
			return true;
		words += n;
		words += strspn(words, " ");
	}
	return false;
}

static void
read_value(struct conf_reader *r, const struct conf_key *k, struct conf_at at, void *base)
{
	char phrase[PHRASE], buf[CONF_ECHO];
	int64_t value = 0;
	bool good = false;

	switch (k->type) {
	case CONF_TYPE_INT:
		value = json_integer_value(at.v);
		good = json_is_integer(at.v) && value >= k->min && value <= k->max;
		break;
	case CONF_TYPE_BOOL:
		value = json_is_true(at.v);
		good = json_is_boolean(at.v);
		break;
	case CONF_TYPE_SWITCH:
		value = json_is_integer(at.v) ? json_integer_value(at.v) : json_is_true(at.v);
		good = json_is_boolean(at.v) || (json_is_integer(at.v) && value >= 0 && value <= 1);
		break;
	case CONF_TYPE_WORD:
		if (json_is_string(at.v)) {
			if (word_index(k->words, json_string_value(at.v), &value)) {
				good = true;
				break;
			}
			conf_error(r, at.node, "expected %s, found %s",
				conf_key_allowed(k, phrase, sizeof(phrase)),
				conf_echo(r, at.node, buf));
			return;
		}
		break;
	case CONF_TYPE_PART:
	case CONF_TYPE_LATER:
		return;
	}
	if (good)
		store(k, base, value);
	else
		expected(r, k, at.node);
}

static void
unknown_key(struct conf_reader *r, enum conf_object object, uint32_t node, const char *key,
	struct object *o)
{
	const struct conf_pos_node *n = &r->pos->node[node];
	const struct conf_key *k = conf_key_find(object, key), *near = conf_key_near(object, key);
	char *shown = NULL, *list = NULL;
	size_t len;
	FILE *f = open_memstream(&shown, &len);

	if (f == NULL)
		return;
	conf_text_print(key, strlen(key), 40, f);
	if (fclose(f) != 0)
		goto out;
	if (k != NULL) {
		conf_issues_add(r->issues, CONF_ERROR, n->key_line, n->key_column,
			conf_pos_pointer(r->pos, node), "\"%s\" is not supported by this version",
			key);
	} else if (near != NULL) {
		o->misspelt[near - conf_keys] = true;
		conf_issues_add(r->issues, CONF_ERROR, n->key_line, n->key_column,
			conf_pos_pointer(r->pos, node), "unknown key \"%s\", did you mean \"%s\"?",
			shown, near->name);
	} else {
		list = conf_key_list(object);
		conf_issues_add(r->issues, CONF_ERROR, n->key_line, n->key_column,
			conf_pos_pointer(r->pos, node), "unknown key \"%s\", allowed are %s", shown,
			list == NULL ? "?" : list);
	}
out:
	free(list);
	free(shown);
}

/** Find each key of an object in the table; then read them in the order of the table. */
static void
read_object(struct conf_reader *r, enum conf_object object, struct conf_at at, struct object *o)
{
	uint32_t i;

	o->node = at.node;
	for (i = r->pos->node[at.node].first; i != CONF_POS_NONE; i = r->pos->node[i].next) {
		char *key = conf_pos_key(r->pos, i);
		const struct conf_key *k = key == NULL ? NULL : conf_key_find(object, key);

		if (k == NULL || k->type == CONF_TYPE_LATER)
			unknown_key(r, object, i, key == NULL ? "?" : key, o);
		else
			o->member[k - conf_keys] =
				(struct conf_at){.v = json_object_get(at.v, key), .node = i};
		free(key);
	}
	for (i = 0; i < CONF_KEY_N; i++) {
		const struct conf_key *k = &conf_keys[i];
		struct conf_at m = o->member[i];
		char phrase[PHRASE];

		if (k->object != object || k->type == CONF_TYPE_LATER)
			continue;
		if (m.v == NULL) {
			bool required = k->type == CONF_TYPE_PART ? k->fallback_text == NULL
								  : k->fallback == CONF_REQUIRED;

			if (required && !o->misspelt[i])
				conf_error(r, at.node, "missing key \"%s\", expected %s", k->name,
					conf_key_allowed(k, phrase, sizeof(phrase)));
			else if (!required && k->type != CONF_TYPE_PART)
				store(k, o->base, k->fallback);
		} else if (k->type == CONF_TYPE_PART) {
			part_readers[i](r, k, m, o);
		} else {
			read_value(r, k, m, o->base);
		}
	}
}

/** True for an array of a fitting number of elements, else it was reported. */
static bool
is_array(struct conf_reader *r, const struct conf_key *k, struct conf_at at)
{
	char phrase[PHRASE];
	size_t n = json_array_size(at.v);

	if (!json_is_array(at.v)) {
		expected(r, k, at.node);
		return false;
	}
	if ((int64_t)n < k->min || (int64_t)n > k->max) {
		conf_error(r, at.node, "expected %s, found %zu elements",
			conf_key_allowed(k, phrase, sizeof(phrase)), n);
		return false;
	}
	return true;
}

static struct conf_at
first_element(const struct conf_reader *r, struct conf_at array)
{
	return (struct conf_at){json_array_get(array.v, 0), r->pos->node[array.node].first};
}

static struct conf_at
next_element(const struct conf_reader *r, struct conf_at array, struct conf_at e)
{
	uint32_t next = r->pos->node[e.node].next;

	if (next == CONF_POS_NONE)
		return (struct conf_at){NULL, CONF_POS_NONE};
	return (struct conf_at){json_array_get(array.v, r->pos->node[next].index), next};
}

static bool
is_object(struct conf_reader *r, struct conf_at at)
{
	char buf[CONF_ECHO];

	if (json_is_object(at.v))
		return true;
	conf_error(r, at.node, "expected an object, found %s", conf_found(r, at.node, buf));
	return false;
}

/** A string that ok() likes, copied to a field of max bytes and a NUL. */
static void
read_text(struct conf_reader *r, const struct conf_key *k, struct conf_at at, char *field,
	bool (*ok)(const char *))
{
	const char *s = json_string_value(at.v);
	char phrase[PHRASE], buf[CONF_ECHO];

	if (s == NULL) {
		expected(r, k, at.node);
		return;
	}
	if ((int64_t)strlen(s) > k->max || !ok(s)) {
		conf_error(r, at.node, "expected %s, found %s",
			conf_key_allowed(k, phrase, sizeof(phrase)), conf_echo(r, at.node, buf));
		return;
	}
	memcpy(field, s, strlen(s) + 1);
}

static bool
node_ok(const char *s)
{
	if (!isalnum((unsigned char)*s))
		return false;
	while (isalnum((unsigned char)*s) || *s == '_' || *s == '-')
		s++;
	return *s == '\0';
}

static void
read_node(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	read_text(r, k, at, ((struct conf *)o->base)->node, node_ok);
}

static void
read_eal(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	struct conf *c = o->base;
	char buf[CONF_ECHO];

	if (!is_array(r, k, at))
		return;
	c->eal = conf_calloc(r, json_array_size(at.v) + 1, sizeof(*c->eal));
	if (c->eal == NULL)
		return;
	for (struct conf_at e = first_element(r, at); e.v != NULL; e = next_element(r, at, e)) {
		const char *s = json_string_value(e.v);

		if (s == NULL) {
			conf_error(r, e.node, "expected a string, found %s",
				conf_found(r, e.node, buf));
		} else if (s[0] == '\0') {
			conf_error(r, e.node, "an empty string is no argument");
		} else if (strcmp(s, "--") == 0) {
			conf_error(r, e.node,
				"\"--\" ends the EAL's arguments, only such arguments stand here");
		} else if (strcmp(s, "-h") == 0 || strcmp(s, "--help") == 0 ||
			strcmp(s, "-v") == 0 || strcmp(s, "--version") == 0) {
			conf_error(r, e.node,
				"%s makes the EAL print and exit, give it on the "
				"command line",
				s);
		} else {
			c->eal[c->n_eal] = strdup(s);
			if (c->eal[c->n_eal++] == NULL)
				r->out_of_memory = true;
		}
	}
}

static bool
read_cpu(struct conf_reader *r, struct conf_at at, uint16_t *cpu)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);
	char buf[CONF_ECHO];
	json_int_t v = json_integer_value(at.v);

	if (!json_is_integer(at.v) || v < 0 || v > CONF_CPU_MAX) {
		conf_error(r, at.node, "expected a CPU number from 0 to %d, found %s", CONF_CPU_MAX,
			conf_found(r, at.node, buf));
		return false;
	}
	/* a file is often checked on another machine than it is for */
	if (v >= n && r->flags & CONF_CHECK_ONLY)
		conf_warning(r, at.node, "there is no CPU %d here, this machine has 0 to %ld",
			(int)v, n - 1);
	else if (v >= n)
		conf_error(
			r, at.node, "there is no CPU %d, this machine has 0 to %ld", (int)v, n - 1);
	*cpu = (uint16_t)v;
	return true;
}

static void
read_control(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	(void)k;
	read_cpu(r, at, &((struct conf_lcores *)o->base)->control);
}

static void
read_workers(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	struct conf_lcores *l = o->base;

	if (!is_array(r, k, at))
		return;
	for (struct conf_at e = first_element(r, at); e.v != NULL; e = next_element(r, at, e)) {
		if (read_cpu(r, e, &l->workers[l->n_workers]))
			l->n_workers++;
	}
}

/** A CPU with more than one role, or -1. */
static int
shared_cpu(const struct conf_lcores *l)
{
	for (unsigned int i = 0; i < l->n_workers; i++) {
		if (l->workers[i] == l->control)
			return l->control;
		for (unsigned int j = 0; j < i; j++) {
			if (l->workers[i] == l->workers[j])
				return l->workers[i];
		}
	}
	return -1;
}

static void
read_lcores(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	struct conf_lcores *l = &((struct conf *)o->base)->lcores;
	struct object lcores = {.base = l};
	char buf[CONF_ECHO];

	if (json_is_string(at.v)) {
		if (strcmp(json_string_value(at.v), "auto") != 0)
			conf_error(r, at.node, "expected \"auto\" or an object, found %s",
				conf_echo(r, at.node, buf));
		return;
	}
	if (!json_is_object(at.v)) {
		expected(r, k, at.node);
		return;
	}
	read_object(r, CONF_OBJECT_LCORES, at, &lcores);
	if (l->idle == CONF_IDLE_POLL && l->rt_priority > 0 && shared_cpu(l) >= 0)
		conf_error(r, conf_member_node(r, at.node, "rt-priority"),
			"rt-priority with idle \"poll\" needs a CPU for each role, but CPU %d has "
			"several: one would starve the others",
			shared_cpu(l));
}

static void
read_interfaces(
	struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	struct conf *c = o->base;
	uint32_t errors = r->issues->n_errors;
	uint16_t i = 0;

	r->ifs_bad = true;
	if (!is_array(r, k, at))
		return;
	c->ifs = conf_calloc(r, json_array_size(at.v), sizeof(*c->ifs));
	r->if_node = conf_calloc(r, json_array_size(at.v), sizeof(*r->if_node));
	if (c->ifs == NULL || r->if_node == NULL)
		return;
	c->n_ifs = (uint16_t)json_array_size(at.v);
	for (struct conf_at e = first_element(r, at); e.v != NULL; e = next_element(r, at, e)) {
		struct object obj = {.base = &c->ifs[i], .index = i};

		r->if_node[i++] = e.node;
		if (is_object(r, e))
			read_object(r, CONF_OBJECT_IF, e, &obj);
	}
	r->ifs_bad = r->issues->n_errors != errors;
}

static void
read_name(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	const char *s = json_string_value(at.v);
	char *field = k->object == CONF_OBJECT_IF ? ((struct conf_if *)o->base)->name
						  : ((struct conf_group *)o->base)->name;

	if (s != NULL && conf_name_reserved(s))
		conf_error(r, at.node,
			"\"%s\" is a word of the command line and no name; such "
			"words are %s",
			s, CONF_RESERVED);
	else
		read_text(r, k, at, field, conf_name_valid);
}

static bool
device_ok(const char *s)
{
	if (*s == '\0')
		return false;
	while (isgraph((unsigned char)*s) && *s != ',')
		s++;
	return *s == '\0';
}

static void
read_device(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	read_text(r, k, at, ((struct conf_if *)o->base)->device, device_ok);
}

static void
read_if_addresses(
	struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	struct conf_if *i = o->base;

	if (is_array(r, k, at))
		conf_read_addresses(
			r, k, at, false, (uint16_t)o->index, &i->addresses, &i->n_addresses);
}

static void
read_carp(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	struct object carp = {.base = o->base};

	(void)k;
	if (!is_object(r, at))
		return;
	read_object(r, CONF_OBJECT_CARP, at, &carp);
	if (((struct conf *)o->base)->arpbalance)
		conf_error(r, conf_member_node(r, at.node, "arpbalance"),
			"arpbalance is not supported by this version, expected false");
}

static void
read_group(struct conf_reader *r, struct conf_at at, uint16_t index)
{
	struct conf_group *g = &r->c->groups[index];
	struct object o = {.base = g, .index = index};
	uint32_t pass, pass_file;

	read_object(r, CONF_OBJECT_GROUP, at, &o);
	if (o.member[CONF_KEY_GROUP_ADVBASE].v == NULL)
		g->advbase = g->fast ? 0 : 1;
	pass = o.member[CONF_KEY_GROUP_PASS].node;
	pass_file = o.member[CONF_KEY_GROUP_PASS_FILE].node;
	if (o.member[CONF_KEY_GROUP_PASS].v != NULL && o.member[CONF_KEY_GROUP_PASS_FILE].v != NULL)
		conf_error(r, pass > pass_file ? pass : pass_file,
			"\"pass\" and \"pass-file\" are both given, allowed is one of them");
	else if (o.member[CONF_KEY_GROUP_PASS].v == NULL &&
		o.member[CONF_KEY_GROUP_PASS_FILE].v == NULL)
		conf_warning(r, at.node,
			"neither \"pass\" nor \"pass-file\": the key is empty and anyone on the "
			"segment can forge adverts");
}

static void
read_groups(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	struct conf *c = o->base;
	uint32_t errors = r->issues->n_errors;
	uint16_t i = 0;

	r->groups_bad = true;
	if (!is_array(r, k, at))
		return;
	c->groups = conf_calloc(r, json_array_size(at.v), sizeof(*c->groups));
	r->group = conf_calloc(r, json_array_size(at.v), sizeof(*r->group));
	if (c->groups == NULL || r->group == NULL)
		return;
	c->n_groups = (uint16_t)json_array_size(at.v);
	for (struct conf_at e = first_element(r, at); e.v != NULL;
		e = next_element(r, at, e), i++) {
		c->groups[i].if_index = CONF_IF_NONE;
		r->group[i].node = e.node;
		if (is_object(r, e))
			read_group(r, e, i);
		else
			r->group[i].carpdev_bad = true;
	}
	r->groups_bad = r->issues->n_errors != errors;
}

static void
read_carpdev(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	struct conf_group_at *g = &r->group[o->index];

	g->carpdev = json_string_value(at.v);
	if (g->carpdev == NULL) {
		g->carpdev_bad = true;
		expected(r, k, at.node);
	}
}

static void
read_advbase(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	struct conf_group *g = o->base;
	json_int_t v = json_integer_value(at.v);

	if (!json_is_integer(at.v) || v < k->min || v > k->max) {
		expected(r, k, at.node);
		return;
	}
	if (v == 0 && !g->fast)
		conf_error(r, at.node,
			"advbase 0 goes only with \"fast\": true, expected an "
			"integer from 1 to 255");
	else if (v != 0 && g->fast)
		conf_error(r, at.node, "\"fast\": true goes only with advbase 0, found %d", (int)v);
	else if (v > 85)
		conf_warning(r, at.node,
			"advbase %d is above 85: three times that does not fit the protocol's one "
			"byte, and peers take this box for down",
			(int)v);
	g->advbase = (uint8_t)v;
}

static void
read_pass(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	const char *s = json_string_value(at.v);
	char err[160], phrase[PHRASE];

	if (s == NULL) {
		/* never show what may be a secret */
		conf_error(r, at.node, "expected %s, found no string",
			conf_key_allowed(k, phrase, sizeof(phrase)));
		return;
	}
	if (s[0] == '\0')
		conf_warning(r, at.node,
			"the passphrase is empty: anyone on the segment can forge adverts");
	if (conf_pass_key(s, ((struct conf_group *)o->base)->key, err, sizeof(err)) != 0)
		conf_error(r, at.node, "%s", err);
}

static void
read_pass_file(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	struct conf_group *g = o->base;
	const char *s = json_string_value(at.v);
	char err[200], buf[CONF_ECHO];
	int ret;

	if (s == NULL) {
		expected(r, k, at.node);
		return;
	}
	if (s[0] != '/' || strlen(s) > (size_t)k->max) {
		conf_error(r, at.node, "expected an absolute path, found %s",
			conf_echo(r, at.node, buf));
		return;
	}
	g->pass_file = strdup(s);
	if (g->pass_file == NULL)
		r->out_of_memory = true;
	if (o->member[CONF_KEY_GROUP_PASS].v != NULL)
		return; /* refused together, whatever is in it */
	ret = conf_pass_file_read(s, g->key, err, sizeof(err));
	if (ret == 0)
		return;
	if (r->flags & CONF_CHECK_ONLY && ret != -EPERM && ret != -EINVAL)
		conf_warning(r, at.node, "%s %s", conf_echo(r, at.node, buf), err);
	else
		conf_error(r, at.node, "%s %s", conf_echo(r, at.node, buf), err);
}

static void
read_vips(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	struct conf_group *g = o->base;

	if (is_array(r, k, at))
		conf_read_addresses(
			r, k, at, true, (uint16_t)o->index, &g->addresses, &g->n_addresses);
}

static void
read_routes(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	struct conf *c = o->base;
	uint32_t i = 0;

	if (!is_array(r, k, at) || json_array_size(at.v) == 0)
		return;
	c->routes = conf_calloc(r, json_array_size(at.v), sizeof(*c->routes));
	r->route = conf_calloc(r, json_array_size(at.v), sizeof(*r->route));
	if (c->routes == NULL || r->route == NULL)
		return;
	c->n_routes = (uint32_t)json_array_size(at.v);
	for (struct conf_at e = first_element(r, at); e.v != NULL; e = next_element(r, at, e)) {
		struct object obj = {.base = &c->routes[i], .index = i};

		c->routes[i].if_index = CONF_IF_NONE;
		r->route[i++].node = e.node;
		if (is_object(r, e))
			read_object(r, CONF_OBJECT_ROUTE, e, &obj);
	}
}

static void
read_prefix(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	if (json_is_string(at.v))
		conf_read_route_prefix(r, at, o->index);
	else
		expected(r, k, at.node);
}

static void
read_via(struct conf_reader *r, const struct conf_key *k, struct conf_at at, struct object *o)
{
	if (json_is_string(at.v))
		conf_read_route_via(r, at, o->index);
	else
		expected(r, k, at.node);
}

/** What holds when the key "carp" is not there. */
static void
carp_defaults(struct conf *c)
{
	for (unsigned int i = 0; i < CONF_KEY_N; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (k->object == CONF_OBJECT_CARP && k->type < CONF_TYPE_PART)
			store(k, c, k->fallback);
	}
}

void
conf_read(struct conf_reader *r, const json_t *document)
{
	struct object root = {.base = r->c};
	struct conf_at at = {.v = document, .node = 0};

	r->c->lcores.control = CONF_CPU_AUTO;
	carp_defaults(r->c);
	if (is_object(r, at))
		read_object(r, CONF_OBJECT_ROOT, at, &root);
}
