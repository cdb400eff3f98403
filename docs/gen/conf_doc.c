/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * What is said elsewhere of the configuration file, from the parser's own table:
 *
 *   conf_doc schema            config/koi.schema.json
 *   conf_doc markdown          docs/config.md
 *   conf_doc man EXAMPLE       koi.json(5)
 *   conf_doc verdicts          for each NUL-terminated file on stdin a line: 1 valid, 0 not
 */
#include "conf_doc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CONF_OBJECT_SHAPE(id, ...)
#define CONF_SHAPE(object, id, ...) [CONF_KEY_##object##_##id] = #__VA_ARGS__,
#define CONF_TERM(name, ...)
static const char *const shapes[CONF_KEY_N] = {
#include "conf_shapes.def"
};
#undef CONF_OBJECT_SHAPE
#undef CONF_SHAPE
#undef CONF_TERM

#define CONF_OBJECT_SHAPE(id, title, where, ...) \
	[CONF_OBJECT_##id] = {#id, title, where, #__VA_ARGS__},
#define CONF_SHAPE(object, id, ...)
#define CONF_TERM(name, ...)
const struct conf_doc_object conf_doc_objects[] = {
#include "conf_shapes.def"
};
#undef CONF_OBJECT_SHAPE
#undef CONF_SHAPE
#undef CONF_TERM
const unsigned int conf_doc_n_objects = sizeof(conf_doc_objects) / sizeof(conf_doc_objects[0]);

#define CONF_OBJECT_SHAPE(id, ...)
#define CONF_SHAPE(object, id, ...)
#define CONF_TERM(name, ...) {#name, #__VA_ARGS__},
static const struct {
	const char *name, *text;
} terms[] = {
#include "conf_shapes.def"
};
#undef CONF_OBJECT_SHAPE
#undef CONF_SHAPE
#undef CONF_TERM

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("conf_doc: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static json_t *
fragment(const char *what, const char *text)
{
	json_error_t e;
	json_t *v = json_loads(text, 0, &e);

	if (!json_is_object(v))
		die("lib/conf/conf_shapes.def: %s: no JSON object: %s", what, e.text);
	return v;
}

/* A key of a new kind must not be left out in silence. */
static void
check_complete(void)
{
	for (unsigned int i = 0; i < CONF_KEY_N; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (k->object >= conf_doc_n_objects || conf_doc_objects[k->object].id == NULL)
			die("the object of key \"%s\" has no CONF_OBJECT_SHAPE in "
			    "lib/conf/conf_shapes.def",
				k->name);
		if ((k->type == CONF_TYPE_PART) != (shapes[i] != NULL))
			die("key \"%s\" of %s %s in lib/conf/conf_shapes.def", k->name,
				conf_doc_objects[k->object].title,
				shapes[i] == NULL ? "is a CONF_PART without a CONF_SHAPE"
						  : "is a plain value and needs no CONF_SHAPE");
	}
}

static json_t *
words_json(const char *words)
{
	json_t *list = json_array();

	while (*words != '\0') {
		size_t n = strcspn(words, " ");

		json_array_append_new(list, json_stringn(words, n));
		words += n;
		words += strspn(words, " ");
	}
	return list;
}

const char *
conf_doc_reload(enum conf_reload r)
{
	static const char *const names[] = {
		[CONF_RELOAD_NONE] = "at once",
		[CONF_RELOAD_TIMERS] = "timers",
		[CONF_RELOAD_DIGEST] = "all boxes",
		[CONF_RELOAD_GROUP] = "group",
		[CONF_RELOAD_ROUTES] = "tables",
		[CONF_RELOAD_PROCESS] = "restart",
	};

	return names[r];
}

/** The default as JSON, or NULL where it is none or not a constant. */
static json_t *
default_json(const struct conf_key *k)
{
	json_t *words, *v;

	if (conf_key_required(k))
		return NULL;
	switch (k->type) {
	case CONF_TYPE_INT:
		/* below what may be given: not given */
		return k->fallback < k->min ? NULL : json_integer(k->fallback);
	case CONF_TYPE_BOOL:
	case CONF_TYPE_SWITCH:
		return json_boolean(k->fallback != 0);
	case CONF_TYPE_WORD:
		words = words_json(k->words);
		v = json_incref(json_array_get(words, (size_t)k->fallback));
		json_decref(words);
		return v;
	case CONF_TYPE_PART:
		return json_loads(k->fallback_text, JSON_DECODE_ANY, NULL);
	}
	return NULL;
}

char *
conf_doc_default(const struct conf_key *k)
{
	json_t *v = default_json(k);
	char *text;

	if (conf_key_required(k))
		return strdup("required");
	if (v == NULL)
		return strdup(k->fallback_text == NULL ? "none" : k->fallback_text);
	text = json_dumps(v, JSON_ENCODE_ANY);
	json_decref(v);
	return text;
}

static void
set_bounds(json_t *o, const struct conf_key *k, const char *low, const char *high)
{
	json_object_set_new(o, low, json_integer(k->min));
	json_object_set_new(o, high, json_integer(k->max));
}

static json_t *
key_schema(const struct conf_key *k)
{
	json_t *o = json_object(), *shape, *v = default_json(k);
	const char *type;

	json_object_set_new(o, "description", json_string(k->help));
	switch (k->type) {
	case CONF_TYPE_INT:
		json_object_set_new(o, "type", json_string("integer"));
		set_bounds(o, k, "minimum", "maximum");
		break;
	case CONF_TYPE_BOOL:
		json_object_set_new(o, "type", json_string("boolean"));
		break;
	case CONF_TYPE_SWITCH:
		json_object_set_new(o, "enum", json_pack("[b,b,i,i]", 1, 0, 1, 0));
		break;
	case CONF_TYPE_WORD:
		json_object_set_new(o, "enum", words_json(k->words));
		break;
	case CONF_TYPE_PART:
		shape = fragment(k->name, shapes[k - conf_keys]);
		json_object_update(o, shape);
		json_decref(shape);
		type = json_string_value(json_object_get(o, "type"));
		if (type != NULL && strcmp(type, "array") == 0)
			set_bounds(o, k, "minItems", "maxItems");
		else if (type != NULL && strcmp(type, "integer") == 0)
			set_bounds(o, k, "minimum", "maximum");
		break;
	}
	if (v != NULL)
		json_object_set_new(o, "default", v);
	if (k->unit != NULL && k->unit[0] != '\0')
		json_object_set_new(o, "x-unit", json_string(k->unit));
	json_object_set_new(o, "x-reload", json_string(conf_doc_reload(k->reload)));
	return o;
}

/** Add what an object may hold to its schema. */
static void
object_schema(json_t *o, enum conf_object object)
{
	json_t *properties = json_object(), *required = json_array();
	json_t *rules = fragment(conf_doc_objects[object].title, conf_doc_objects[object].rules);

	for (unsigned int i = 0; i < CONF_KEY_N; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (k->object != object)
			continue;
		json_object_set_new(properties, k->name, key_schema(k));
		if (conf_key_required(k))
			json_array_append_new(required, json_string(k->name));
	}
	json_object_set_new(o, "type", json_string("object"));
	json_object_set_new(o, "additionalProperties", json_false());
	json_object_set_new(o, "required", required);
	json_object_set_new(o, "properties", properties);
	json_object_update(o, rules);
	json_decref(rules);
}

static int
print_schema(void)
{
	json_t *o = json_object(), *defs = json_object();

	json_object_set_new(
		o, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
	json_object_set_new(o, "title", json_string("configuration of koi"));
	json_object_set_new(o, "$comment",
		json_string("made from lib/conf/conf_keys.def by ninja -C build docs"));
	object_schema(o, CONF_OBJECT_ROOT);
	for (unsigned int i = 0; i < sizeof(terms) / sizeof(terms[0]); i++)
		json_object_set_new(defs, terms[i].name, fragment(terms[i].name, terms[i].text));
	for (unsigned int i = 0; i < conf_doc_n_objects; i++) {
		json_t *def;

		if (i == CONF_OBJECT_ROOT)
			continue;
		def = json_object();
		object_schema(def, (enum conf_object)i);
		json_object_set_new(defs, conf_doc_objects[i].id, def);
	}
	json_object_set_new(o, "$defs", defs);
	json_dumpf(o, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(o);
	return 0;
}

static int
print_verdicts(void)
{
	char *text = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getdelim(&text, &cap, '\0', stdin)) > 0) {
		struct conf_issues issues;
		size_t len = text[n - 1] == '\0' ? (size_t)n - 1 : (size_t)n;
		struct conf *c = conf_parse(text, len, "stdin", CONF_CHECK_ONLY, &issues);

		printf("%d\n", c != NULL);
		conf_free(c);
		conf_issues_free(&issues);
	}
	free(text);
	return 0;
}

int
main(int argc, char **argv)
{
	int ret = -1;

	/* the page alone may be incomplete: it is made by every build */
	if (argc == 2 && strcmp(argv[1], "verdicts") != 0)
		check_complete();
	if (argc == 2 && strcmp(argv[1], "schema") == 0)
		ret = print_schema();
	else if (argc == 2 && strcmp(argv[1], "markdown") == 0)
		ret = conf_doc_markdown();
	else if (argc == 3 && strcmp(argv[1], "man") == 0)
		ret = conf_doc_man(argv[2]);
	else if (argc == 2 && strcmp(argv[1], "verdicts") == 0)
		ret = print_verdicts();
	if (ret < 0)
		die("usage: conf_doc schema|markdown|man EXAMPLE|verdicts");
	return fflush(stdout) == 0 ? ret : 1;
}
