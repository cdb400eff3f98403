/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_pace_priv.h"
#include "mgmt_tel_priv.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_telemetry.h>

#include "compat_tel.h"

#include "mgmt_json_priv.h"
#include "mgmt_priv.h"

enum {
	NONE = 0,
	GROUP = 1,
	GROUP_OPT = 2,
	IF = 4,
	OFFSET = 8,
	PREFIX = 16,
};

struct tel_command {
	const char *name;
	json_t *(*view)(const struct mgmt_config *, const struct mgmt_args *);
	unsigned int params;
	const char *list;
	const char *help;
};

static const struct tel_command commands[] = {
#define MGMT_TEL(name, view, params, list, help) {name, mgmt_view_##view, params, list, help},
#include "tel_cmds.def"
#undef MGMT_TEL
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* More than a page can ever hold, so that a table of any size is not read for one page. */
#define PAGE_ELEMENTS (RTE_TEL_MAX_DICT_ENTRIES - 1)

/* Handlers run on DPDK's threads, several at once; stop must not free under them. */
static pthread_rwlock_t current_lock = PTHREAD_RWLOCK_INITIALIZER;
static const struct mgmt_config *current;

static json_t *fit_value(const json_t *v, uint64_t offset);

/* Set a string, the rest of a long one under key_2, key_3, …, never cutting a UTF-8 character. */
static void
fit_string(json_t *o, const char *key, const char *s)
{
	char part[RTE_TEL_MAX_STRING_LEN], name[RTE_TEL_MAX_STRING_LEN];
	size_t left = strlen(s), n;

	snprintf(name, sizeof(name), "%s", key);
	for (unsigned int i = 2;; i++) {
		n = left < sizeof(part) ? left : sizeof(part) - 1;
		while (n < left && n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
			n--;
		memcpy(part, s, n);
		part[n] = '\0';
		put_str(o, name, part);
		s += n;
		left -= n;
		if (left == 0 || n == 0)
			return;
		snprintf(name, sizeof(name), "%.100s_%u", key, i);
	}
}

static void
element_key(char *buf, size_t len, const json_t *element, uint64_t i)
{
	const json_t *seq = json_object_get(element, "seq");

	snprintf(buf, len, "e%llu",
		(unsigned long long)(seq ? (uint64_t)json_integer_value(seq) : i));
}

static void
fit_member(json_t *o, const char *key, const json_t *v)
{
	if (json_object_size(o) >= RTE_TEL_MAX_DICT_ENTRIES)
		return;
	if (json_is_string(v))
		fit_string(o, key, json_string_value(v));
	else
		json_object_set_new(o, key, fit_value(v, 0));
}

static json_t *
fit_array(const json_t *v, uint64_t offset)
{
	const bool of_objects = json_is_object(json_array_get(v, 0));
	json_t *out = of_objects ? json_object() : json_array(), *item;
	char key[32];
	size_t i;

	json_array_foreach (v, i, item) {
		if (of_objects) {
			element_key(key, sizeof(key), item, offset + i);
			fit_member(out, key, item);
		} else if (i < RTE_TEL_MAX_ARRAY_ENTRIES) {
			if (json_is_string(item) &&
				json_string_length(item) >= RTE_TEL_MAX_STRING_LEN)
				json_array_append_new(out,
					json_stringn_nocheck(json_string_value(item),
						RTE_TEL_MAX_STRING_LEN - 1));
			else
				json_array_append_new(out, fit_value(item, 0));
		}
	}
	return out;
}

static json_t *
fit_value(const json_t *v, uint64_t offset)
{
	json_t *out, *item;
	const char *key;

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		out = json_object();
		json_object_foreach ((json_t *)(uintptr_t)v, key, item)
			fit_member(out, key, item);
		return out;
	case JSON_ARRAY:
		return fit_array(v, offset);
	case JSON_STRING:
		return json_string(json_string_value(v));
	case JSON_INTEGER:
		return json_integer(json_integer_value(v));
	case JSON_TRUE:
	case JSON_FALSE:
		return json_integer(json_is_true(v));
	case JSON_REAL:
		return json_integer((json_int_t)json_real_value(v));
	case JSON_NULL:
		break;
	}
	return json_string("");
}

static size_t
dumped_size(const json_t *v)
{
	return json_dumpb(v, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
}

/* How many elements of the list fit, and what "next" is then. */
static size_t
page_size(const json_t *elements, size_t room)
{
	size_t n = 0, used = 0;
	json_t *item, *fitted;

	json_array_foreach (elements, n, item) {
		if (n == (json_is_object(item) ? PAGE_ELEMENTS : RTE_TEL_MAX_ARRAY_ENTRIES))
			break;
		fitted = fit_value(item, 0);
		/* key "e<20 digits>": and a comma */
		used += dumped_size(fitted) + (json_is_object(item) ? 25 : 1);
		json_decref(fitted);
		if (used > room)
			break;
	}
	return n;
}

json_t *
mgmt_tel_fit(const json_t *view, const char *list, uint64_t offset)
{
	json_t *out, *elements, *page, *last, *seq;
	size_t n, total;

	elements = list[0] != '\0' ? json_object_get(view, list) : NULL;
	if (!json_is_array(elements))
		return fit_value(view, 0);

	page = json_copy((json_t *)(uintptr_t)view);
	json_object_set_new(page, list, json_array());
	out = fit_value(page, 0);
	json_decref(page);
	total = json_array_size(elements);
	n = page_size(elements, MGMT_TEL_REPLY_MAX - dumped_size(out));
	page = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append(page, json_array_get(elements, i));
	json_object_set_new(out, list, fit_value(page, offset));
	if (n < total) {
		last = n ? json_array_get(page, n - 1) : NULL;
		seq = json_object_get(last, "seq");
		put_u64(out, "next", seq ? (uint64_t)json_integer_value(seq) : offset + n);
	}
	json_decref(page);
	return out;
}

static json_t *
error_reply(const char *what, const char *name)
{
	json_t *o = json_object();
	char text[RTE_TEL_MAX_STRING_LEN];

	snprintf(text, sizeof(text), "%s%s%.60s%s", what, name ? " \"" : "", name ? name : "",
		name ? "\"" : "");
	put_str(o, "error", text);
	return o;
}

static bool
all_digits(const char *s)
{
	if (*s == '\0')
		return false;
	while (isdigit((unsigned char)*s))
		s++;
	return *s == '\0';
}

/* NAME and OFFSET, each where the command takes it. @return NULL or an error reply */
static json_t *
parse_params(const struct mgmt_config *c, const struct tel_command *t, const char *params,
	struct mgmt_args *a)
{
	char buf[128] = "", *name = NULL, *offset = NULL, *comma;

	if (params && strlen(params) >= sizeof(buf))
		return error_reply("parameters too long", NULL);
	snprintf(buf, sizeof(buf), "%s", params ? params : "");
	if (t->params & PREFIX)
		return mgmt_prefix_parse(buf, strlen(buf), a)
			? NULL
			: error_reply("an address or prefix is needed", NULL);
	if (buf[0] != '\0') {
		comma = strchr(buf, ',');
		if (comma)
			*comma = '\0';
		if (all_digits(buf) && !comma)
			offset = buf; /* no name starts with a digit */
		else
			name = buf;
		if (comma)
			offset = comma + 1;
	}
	if (name && !(t->params & (GROUP | GROUP_OPT | IF)))
		return error_reply("unexpected parameter", name);
	if (offset && (!(t->params & OFFSET) || !all_digits(offset)))
		return error_reply("unexpected parameter", offset);
	if (!name && t->params & GROUP)
		return error_reply("the name of a group is needed", NULL);
	if (!name && t->params & IF)
		return error_reply("the name of an interface is needed", NULL);
	if (offset)
		a->offset = strtoull(offset, NULL, 10);
	if (name && t->params & IF) {
		a->if_index = mgmt_if_find(c, name, strlen(name));
		a->has_if = true;
		if (a->if_index == UINT16_MAX)
			return error_reply("unknown interface", name);
	} else if (name) {
		a->group = mgmt_group_find(c, name, strlen(name));
		a->has_group = true;
		if (a->group == UINT16_MAX)
			return error_reply("unknown group", name);
	}
	return NULL;
}

json_t *
mgmt_tel_reply(const struct mgmt_config *c, const char *cmd, const char *params)
{
	const struct tel_command *t = NULL;
	struct mgmt_args a = {.limit = RTE_TEL_MAX_ARRAY_ENTRIES};
	json_t *view, *fitted;

	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i].name, cmd) == 0)
			t = &commands[i];
	if (!t)
		return NULL;
	fitted = parse_params(c, t, params, &a);
	if (fitted)
		return fitted;
	view = t->view(c, &a);
	if (!view)
		return NULL;
	fitted = mgmt_tel_fit(view, t->list, a.offset);
	json_decref(view);
	return fitted;
}

static struct rte_tel_data *
encode_container(const json_t *v)
{
	struct rte_tel_data *d = rte_tel_data_alloc();

	if (d && mgmt_tel_encode(d, v) != 0) {
		rte_tel_data_free(d);
		d = NULL;
	}
	return d;
}

static int
encode_array(struct rte_tel_data *d, const json_t *v)
{
	const bool strings = json_is_string(json_array_get(v, 0));
	json_t *item;
	size_t i;
	int rc = strings ? rte_tel_data_start_array(d, RTE_TEL_STRING_VAL)
			 : compat_tel_start_uints(d);

	json_array_foreach (v, i, item) {
		if (rc < 0)
			break;
		rc = strings ? rte_tel_data_add_array_string(d, json_string_value(item))
			     : compat_tel_add_uint(d, (uint64_t)json_integer_value(item));
	}
	return rc < 0 ? rc : 0;
}

int
mgmt_tel_encode(struct rte_tel_data *d, const json_t *fitted)
{
	struct rte_tel_data *sub;
	json_t *item;
	const char *key;
	json_int_t n;
	int rc;

	if (json_is_array(fitted))
		return encode_array(d, fitted);
	rc = rte_tel_data_start_dict(d);
	json_object_foreach ((json_t *)(uintptr_t)fitted, key, item) {
		if (rc < 0)
			return rc;
		if (json_is_string(item)) {
			rc = rte_tel_data_add_dict_string(d, key, json_string_value(item));
		} else if (json_is_integer(item)) {
			n = json_integer_value(item);
			rc = n <= INT32_MAX ? rte_tel_data_add_dict_int(d, key, (int)n)
					    : compat_tel_dict_uint(d, key, (uint64_t)n);
		} else {
			sub = encode_container(item);
			rc = sub ? rte_tel_data_add_dict_container(d, key, sub, 0) : -ENOMEM;
			if (sub && rc < 0)
				rte_tel_data_free(sub);
		}
	}
	return rc < 0 ? rc : 0;
}

static int
handle(const char *cmd, const char *params, struct rte_tel_data *d)
{
	json_t *reply = NULL;
	int rc = -ENODEV;

	/* DPDK has a thread for each of its ten clients */
	mgmt_pace(-1);
	pthread_rwlock_rdlock(&current_lock);
	if (current) {
		mgmt_file_read(current);
		reply = mgmt_tel_reply(current, cmd, params);
		mgmt_file_read_end(current);
	}
	pthread_rwlock_unlock(&current_lock);
	if (reply)
		rc = mgmt_tel_encode(d, reply);
	json_decref(reply);
	/* many a client asks once */
	mgmt_pace_spent();
	return rc;
}

int
mgmt_tel_start(const struct mgmt_config *c)
{
	static bool registered;
	int rc = 0;

	pthread_rwlock_wrlock(&current_lock);
	for (size_t i = 0; !registered && rc == 0 && i < N_COMMANDS; i++)
		rc = rte_telemetry_register_cmd(commands[i].name, handle, commands[i].help);
	if (rc == 0) {
		registered = true;
		current = c;
	}
	pthread_rwlock_unlock(&current_lock);
	return rc;
}

void
mgmt_tel_stop(void)
{
	pthread_rwlock_wrlock(&current_lock);
	current = NULL;
	pthread_rwlock_unlock(&current_lock);
}
