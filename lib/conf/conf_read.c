/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_parts_priv.h"

#include <string.h>

static conf_part_reader *const part_readers[CONF_KEY_N] = {
	[CONF_KEY_ROOT_NODE] = conf_part_node,
	[CONF_KEY_ROOT_EAL] = conf_part_eal,
	[CONF_KEY_ROOT_LCORES] = conf_part_lcores,
	[CONF_KEY_ROOT_INTERFACES] = conf_part_interfaces,
	[CONF_KEY_ROOT_CARP] = conf_part_carp,
	[CONF_KEY_ROOT_ROUTES] = conf_part_routes,
	[CONF_KEY_ROOT_CLI] = conf_part_cli,
	[CONF_KEY_CLI_MODE] = conf_part_cli_mode,
	[CONF_KEY_CLI_GROUP] = conf_part_cli_group,
	[CONF_KEY_ROOT_METRICS] = conf_part_metrics,
	[CONF_KEY_METRICS_LISTEN] = conf_part_listen,
	[CONF_KEY_LCORES_CONTROL] = conf_part_control,
	[CONF_KEY_LCORES_WORKERS] = conf_part_workers,
	[CONF_KEY_IF_NAME] = conf_part_name,
	[CONF_KEY_IF_DEVICE] = conf_part_device,
	[CONF_KEY_IF_ADDRESSES] = conf_part_if_addresses,
	[CONF_KEY_IF_HOST] = conf_part_host,
	[CONF_KEY_HOST_TAP] = conf_part_tap,
	[CONF_KEY_CARP_ON_CHANGE] = conf_part_on_change,
	[CONF_KEY_CARP_ON_CHANGE_USER] = conf_part_on_change_user,
	[CONF_KEY_IF_NEIGHBORS] = conf_part_neighbors,
	[CONF_KEY_NEIGHBOR_ADDRESS] = conf_part_neighbor_address,
	[CONF_KEY_NEIGHBOR_MAC] = conf_part_neighbor_mac,
	[CONF_KEY_IF_RA] = conf_part_ra,
	[CONF_KEY_RA_MIN_INTERVAL_S] = conf_part_ra_number,
	[CONF_KEY_RA_LIFETIME_S] = conf_part_ra_number,
	[CONF_KEY_RA_MTU] = conf_part_ra_number,
	[CONF_KEY_RA_DNS_LIFETIME_S] = conf_part_ra_number,
	[CONF_KEY_RA_PREFIXES] = conf_part_ra_prefixes,
	[CONF_KEY_RA_PREFIX_PREFIX] = conf_part_ra_prefix,
	[CONF_KEY_RA_DNS] = conf_part_ra_dns,
	[CONF_KEY_RA_DOMAINS] = conf_part_ra_domains,
	[CONF_KEY_CARP_GROUPS] = conf_part_groups,
	[CONF_KEY_GROUP_NAME] = conf_part_name,
	[CONF_KEY_GROUP_CARPDEV] = conf_part_carpdev,
	[CONF_KEY_GROUP_ADVBASE] = conf_part_advbase,
	[CONF_KEY_GROUP_PASS] = conf_part_pass,
	[CONF_KEY_GROUP_PASS_FILE] = conf_part_pass_file,
	[CONF_KEY_GROUP_ADDRESSES] = conf_part_vips,
	[CONF_KEY_GROUP_PEER] = conf_part_peer,
	[CONF_KEY_GROUP_PEER6] = conf_part_peer6,
	[CONF_KEY_ROUTE_PREFIX] = conf_part_prefix,
	[CONF_KEY_ROUTE_VIA] = conf_part_via,
	[CONF_KEY_ROUTE_INTERFACE] = conf_part_route_interface,
};

void
conf_expected(struct conf_reader *r, const struct conf_key *k, uint32_t node)
{
	char phrase[CONF_PHRASE], buf[CONF_ECHO];

	conf_unexpected(
		r, node, conf_key_allowed(k, phrase, sizeof(phrase)), conf_found(r, node, buf));
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
		uint32_t v = (uint32_t)value; /* or an enum */

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
unknown_word(struct conf_reader *r, const struct conf_key *k, struct conf_at at)
{
	char phrase[CONF_PHRASE], buf[CONF_ECHO], near[CONF_WORD_MAX];
	const char *allowed = conf_key_allowed(k, phrase, sizeof(phrase));

	if (!conf_word_near(k->words, json_string_value(at.v), near)) {
		conf_unexpected(r, at.node, allowed, conf_echo(r, at.node, buf));
		return;
	}
	conf_error(r, at.node, "expected %s, found %s, did you mean \"%s\"?", allowed,
		conf_echo(r, at.node, buf), near);
	conf_issues_hint(r->issues, allowed, near);
}

/** @return true, else it was reported */
static bool
read_value(struct conf_reader *r, const struct conf_key *k, struct conf_at at, void *base)
{
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
			unknown_word(r, k, at);
			return false;
		}
		break;
	case CONF_TYPE_PART:
		return true;
	}
	if (good)
		store(k, base, value);
	else
		conf_expected(r, k, at.node);
	return good;
}

static void
unknown_key(struct conf_reader *r, enum conf_object object, uint32_t node, const char *key,
	struct conf_object_at *o)
{
	const struct conf_pos_node *n = &r->pos->node[node];
	const struct conf_key *near = conf_key_near(object, key);
	char *shown = NULL, *list = conf_key_list(object);
	size_t len;
	FILE *f = open_memstream(&shown, &len);

	if (f == NULL)
		goto out;
	conf_text_print(key, strlen(key), 40, f);
	if (fclose(f) != 0)
		goto out;
	if (near != NULL) {
		o->misspelt[near - conf_keys] = true;
		conf_issues_add(r->issues, CONF_ERROR, n->key_line, n->key_column,
			conf_pos_pointer(r->pos, node), "unknown key \"%s\", did you mean \"%s\"?",
			shown, near->name);
	} else {
		conf_issues_add(r->issues, CONF_ERROR, n->key_line, n->key_column,
			conf_pos_pointer(r->pos, node), "unknown key \"%s\", allowed are %s", shown,
			list == NULL ? "?" : list);
	}
	conf_issues_hint(r->issues, list, near == NULL ? NULL : near->name);
out:
	free(list);
	free(shown);
}

void
conf_read_object(
	struct conf_reader *r, enum conf_object object, struct conf_at at, struct conf_object_at *o)
{
	uint32_t i;

	o->node = at.node;
	for (i = r->pos->node[at.node].first; i != CONF_POS_NONE; i = r->pos->node[i].next) {
		char *key = conf_pos_key(r->pos, i);
		const struct conf_key *k = key == NULL ? NULL : conf_key_find(object, key);

		if (k == NULL)
			unknown_key(r, object, i, key == NULL ? "?" : key, o);
		else
			o->member[k - conf_keys] =
				(struct conf_at){.v = json_object_get(at.v, key), .node = i};
		free(key);
	}
	for (i = 0; i < CONF_KEY_N; i++) {
		const struct conf_key *k = &conf_keys[i];
		struct conf_at m = o->member[i];
		char phrase[CONF_PHRASE];

		if (k->object != object)
			continue;
		if (m.v == NULL) {
			if (conf_key_required(k) && !o->misspelt[i]) {
				conf_key_allowed(k, phrase, sizeof(phrase));
				conf_error(r, at.node, "missing key \"%s\", expected %s", k->name,
					phrase);
				conf_issues_hint(r->issues, phrase, k->name);
			} else if (!conf_key_required(k) && k->type != CONF_TYPE_PART) {
				store(k, o->base, k->fallback);
			}
		} else if (k->type == CONF_TYPE_PART) {
			part_readers[i](r, k, m, o);
		} else {
			o->refused[i] = !read_value(r, k, m, o->base);
		}
	}
}

bool
conf_is_array(struct conf_reader *r, const struct conf_key *k, struct conf_at at)
{
	char phrase[CONF_PHRASE], found[40];
	size_t n = json_array_size(at.v);

	if (!json_is_array(at.v)) {
		conf_expected(r, k, at.node);
		return false;
	}
	if ((int64_t)n < k->min || (int64_t)n > k->max) {
		snprintf(found, sizeof(found), "%zu elements", n);
		conf_unexpected(r, at.node, conf_key_allowed(k, phrase, sizeof(phrase)), found);
		return false;
	}
	return true;
}

struct conf_at
conf_first_element(const struct conf_reader *r, struct conf_at array)
{
	return (struct conf_at){json_array_get(array.v, 0), r->pos->node[array.node].first};
}

struct conf_at
conf_next_element(const struct conf_reader *r, struct conf_at array, struct conf_at e)
{
	uint32_t next = r->pos->node[e.node].next;

	if (next == CONF_POS_NONE)
		return (struct conf_at){NULL, CONF_POS_NONE};
	return (struct conf_at){json_array_get(array.v, r->pos->node[next].index), next};
}

bool
conf_is_object(struct conf_reader *r, struct conf_at at)
{
	char buf[CONF_ECHO];

	if (json_is_object(at.v))
		return true;
	conf_unexpected(r, at.node, "an object", conf_found(r, at.node, buf));
	return false;
}

void
conf_read_text(struct conf_reader *r, const struct conf_key *k, struct conf_at at, char *field,
	bool (*ok)(const char *))
{
	const char *s = json_string_value(at.v);
	char phrase[CONF_PHRASE], buf[CONF_ECHO];

	if (s == NULL) {
		conf_expected(r, k, at.node);
		return;
	}
	if ((int64_t)strlen(s) > k->max || !ok(s)) {
		conf_unexpected(r, at.node, conf_key_allowed(k, phrase, sizeof(phrase)),
			conf_echo(r, at.node, buf));
		return;
	}
	memcpy(field, s, strlen(s) + 1);
}

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
	struct conf_object_at root = {.base = r->c};
	struct conf_at at = {.v = document, .node = 0};

	r->c->lcores.control = CONF_CPU_AUTO;
	r->c->cli.mode = 0660;
	carp_defaults(r->c);
	if (conf_is_object(r, at))
		conf_read_object(r, CONF_OBJECT_ROOT, at, &root);
}
