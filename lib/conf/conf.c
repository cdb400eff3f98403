/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "conf_read_priv.h"
#include "conf_stage.h"

/* Deeper than they go: 22 KiB were seen. */
#define STACK_WIPE_BYTES (64u << 10)

static void
wipe_free(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void
conf_json_wipe(void)
{
	json_set_alloc_funcs(malloc, wipe_free);
}

bool
conf_name_reserved(const char *name)
{
	const char *w = CONF_RESERVED;
	size_t len = strlen(name);

	while (*w != '\0') {
		size_t n = strcspn(w, " ");

		if (n == len && memcmp(w, name, n) == 0)
			return true;
		w += n;
		w += strspn(w, " ");
	}
	return false;
}

bool
conf_name_valid(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > CONF_NAME_MAX || !isalpha((unsigned char)name[0]))
		return false;
	for (size_t i = 1; i < n; i++) {
		if (!isalnum((unsigned char)name[i]) && strchr("_.-", name[i]) == NULL)
			return false;
	}
	return !conf_name_reserved(name);
}

void
conf_error(struct conf_reader *r, uint32_t node, const char *fmt, ...)
{
	const struct conf_pos_node *n = &r->pos->node[node];
	va_list ap;

	va_start(ap, fmt);
	conf_issues_addv(
		r->issues, CONF_ERROR, n->line, n->column, conf_pos_pointer(r->pos, node), fmt, ap);
	va_end(ap);
}

void
conf_unexpected(struct conf_reader *r, uint32_t node, const char *allowed, const char *found)
{
	conf_error(r, node, "expected %s, found %s", allowed, found);
	conf_issues_hint(r->issues, allowed, NULL);
}

void
conf_warning(struct conf_reader *r, uint32_t node, const char *fmt, ...)
{
	const struct conf_pos_node *n = &r->pos->node[node];
	va_list ap;

	va_start(ap, fmt);
	conf_issues_addv(r->issues, CONF_WARNING, n->line, n->column,
		conf_pos_pointer(r->pos, node), fmt, ap);
	va_end(ap);
}

void *
conf_calloc(struct conf_reader *r, size_t n, size_t size)
{
	void *p = calloc(n == 0 ? 1 : n, size);

	if (p == NULL)
		r->out_of_memory = true;
	return p;
}

uint32_t
conf_member_node(const struct conf_reader *r, uint32_t object, const char *key)
{
	uint32_t node = conf_pos_member(r->pos, object, key);

	return node == CONF_POS_NONE ? object : node;
}

uint32_t
conf_line(const struct conf_reader *r, uint32_t node)
{
	return r->pos->node[node].line;
}

const char *
conf_echo(const struct conf_reader *r, uint32_t node, char buf[CONF_ECHO])
{
	const struct conf_pos_node *n = &r->pos->node[node];
	FILE *f = fmemopen(buf, CONF_ECHO, "w");

	buf[0] = '\0';
	if (f == NULL)
		return "another value";
	conf_text_print(r->pos->text + n->start, n->end - n->start, 40, f);
	fclose(f);
	return buf;
}

const char *
conf_found(const struct conf_reader *r, uint32_t node, char buf[CONF_ECHO])
{
	size_t n;

	switch ((enum conf_pos_type)r->pos->node[node].type) {
	case CONF_POS_OBJECT:
		return "an object";
	case CONF_POS_ARRAY:
		return "an array";
	case CONF_POS_STRING:
		return "a string";
	case CONF_POS_INTEGER:
		return conf_echo(r, node, buf);
	case CONF_POS_REAL:
		n = strlen(conf_echo(r, node, buf));
		snprintf(buf + n, CONF_ECHO - n, " (a fraction or exponent)");
		return buf;
	case CONF_POS_TRUE:
		return "true";
	case CONF_POS_FALSE:
		return "false";
	case CONF_POS_NULL:
		return "null";
	}
	return "?";
}

/** The short host name with what a node name may not hold replaced, or "koi". */
static void
default_node(char node[CONF_NODE_MAX + 1])
{
	char host[256] = "";
	size_t n = 0;

	if (gethostname(host, sizeof(host) - 1) != 0)
		host[0] = '\0';
	for (const char *h = host; *h != '\0' && *h != '.' && n < CONF_NODE_MAX; h++) {
		bool good = isalnum((unsigned char)*h) || *h == '_' || *h == '-';

		if (n == 0 && !isalnum((unsigned char)*h))
			continue;
		node[n++] = (char)(good ? *h : '-');
	}
	node[n] = '\0';
	if (n == 0)
		memcpy(node, "koi", sizeof("koi"));
}

static void
duplicate_key(void *arg, uint32_t first, uint32_t again)
{
	struct conf_reader *r = arg;
	const struct conf_pos_node *a = &r->pos->node[first], *b = &r->pos->node[again];
	char *shown = NULL;
	size_t len;
	FILE *f = open_memstream(&shown, &len);

	if (f != NULL) {
		conf_text_print(r->pos->text + b->key, b->key_len, 40, f);
		fclose(f);
	}
	conf_issues_add(r->issues, CONF_ERROR, b->key_line, b->key_column,
		conf_pos_pointer(r->pos, again),
		"duplicate key \"%s\", it is given at line %u column %u already",
		shown == NULL ? "?" : shown, a->key_line, a->key_column);
	free(shown);
}

/**
 * A text for Jansson in which every number that no key can take is replaced by one of the same
 * kind that it can store: Jansson gives up at the first integer over 64 bits, and the reader
 * would have no chance to report it with all the rest.
 */
static json_t *
load_json(const struct conf_pos *pos, json_error_t *error)
{
	char *text = malloc(pos->len == 0 ? 1 : pos->len);
	json_t *v;

	if (text == NULL) {
		snprintf(error->text, sizeof(error->text), "out of memory");
		error->line = error->column = 1;
		return NULL;
	}
	memcpy(text, pos->text, pos->len);
	for (uint32_t i = 0; i < pos->n; i++) {
		const struct conf_pos_node *n = &pos->node[i];
		size_t len = n->end - n->start;

		if (n->type == CONF_POS_REAL) {
			memset(text + n->start, ' ', len);
			memcpy(text + n->start, "0.5", 3);
		} else if (n->type == CONF_POS_INTEGER && len >= 19) {
			memset(text + n->start, ' ', len);
			text[n->start] = '-';
			memset(text + n->start + 1, '9', 17);
		}
	}
	v = json_loadb(text, pos->len, JSON_DECODE_ANY, error);
	explicit_bzero(text, pos->len);
	free(text);
	return v;
}

static void
read_and_check(struct conf_reader *r, const char *path)
{
	json_error_t error = {.line = 1, .column = 1};
	json_t *document = load_json(r->pos, &error);

	if (document == NULL) {
		conf_issues_add(r->issues, CONF_ERROR, (uint32_t)(error.line < 1 ? 1 : error.line),
			(uint32_t)(error.column < 1 ? 1 : error.column), NULL, "%s", error.text);
		return;
	}
	r->c = calloc(1, sizeof(*r->c));
	if (r->c == NULL) {
		r->out_of_memory = true;
		goto out;
	}
	r->c->path = strdup(path);
	r->out_of_memory = r->c->path == NULL;
	default_node(r->c->node);
	conf_read(r, document);
	r->c->group_room = (uint16_t)(r->c->n_groups < CONF_GROUP_MAX - CONF_GROUP_SPARE
			? r->c->n_groups + CONF_GROUP_SPARE
			: CONF_GROUP_MAX);
	if (!r->out_of_memory)
		conf_check(r);
	if (conf_pos_duplicates(r->pos, duplicate_key, r) != 0)
		r->out_of_memory = true;
out:
	free(r->if_node);
	free(r->group);
	free(r->route);
	free(r->place);
	json_decref(document);
}

static __attribute__((noinline)) struct conf *
parse(const char *text, size_t len, const char *path, unsigned int flags,
	struct conf_issues *issues)
{
	struct conf_pos pos;
	struct conf_pos_error error;
	struct conf_reader r = {.pos = &pos, .issues = issues, .flags = flags};

	conf_issues_init(issues, path);
	if (len > CONF_FILE_MAX_BYTES) {
		conf_issues_add(issues, CONF_ERROR, 1, 1, NULL,
			"the file is too large, allowed are at most %zu bytes",
			CONF_FILE_MAX_BYTES);
		return NULL;
	}
	if (conf_pos_scan(&pos, text, len, &error) != 0)
		conf_issues_add(
			issues, CONF_ERROR, error.line, error.column, NULL, "%s", error.text);
	else
		read_and_check(&r, path);
	if (r.out_of_memory)
		conf_issues_add(issues, CONF_ERROR, 1, 1, NULL, "out of memory");
	conf_pos_free(&pos);
	conf_issues_sort(issues);
	if (issues->n_errors != 0) {
		conf_free(r.c);
		return NULL;
	}
	return r.c;
}

/* Parser and reader leave pieces of what they read below the frames of those who called them. */
static __attribute__((noinline)) void
stack_wipe(void)
{
	char dead[STACK_WIPE_BYTES];

	explicit_bzero(dead, sizeof(dead));
}

struct conf *
conf_parse(const char *text, size_t len, const char *path, unsigned int flags,
	struct conf_issues *issues)
{
	struct conf *c = parse(text, len, path, flags, issues);

	stack_wipe();
	return c;
}

static void
load_error(struct conf_issues *issues, const char *what, int err)
{
	conf_issues_add(issues, CONF_ERROR, 1, 1, NULL, "%s%s%s", what, err != 0 ? ": " : "",
		err != 0 ? strerror(err) : "");
}

char *
conf_file_read(const char *path, size_t *len, struct conf_issues *issues)
{
	struct stat st;
	char *text = NULL;
	size_t n = 0, cap;
	ssize_t got;
	int fd;

	conf_issues_init(issues, path);
	/* a FIFO must not hang the start */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		load_error(issues, "the file cannot be opened", errno);
		return NULL;
	}
	if (fstat(fd, &st) != 0) {
		load_error(issues, "the file cannot be read", errno);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		load_error(issues,
			S_ISDIR(st.st_mode) ? "this is a directory, expected a regular file"
					    : "this is not a regular file",
			0);
		goto out;
	}
	/* one byte more than allowed shows that there are too many, also in a file that grows */
	cap = ((size_t)st.st_size > CONF_FILE_MAX_BYTES ? CONF_FILE_MAX_BYTES
							: (size_t)st.st_size) +
		1;
	text = malloc(cap);
	if (text == NULL) {
		load_error(issues, "out of memory", 0);
		goto out;
	}
	while (n < cap && (got = read(fd, text + n, cap - n)) != 0) {
		if (got > 0) {
			n += (size_t)got;
		} else if (errno != EINTR) {
			load_error(issues, "the file cannot be read", errno);
			explicit_bzero(text, n);
			free(text);
			text = NULL;
			goto out;
		}
	}
	*len = n;
out:
	close(fd);
	return text;
}

struct conf *
conf_load(const char *path, unsigned int flags, struct conf_issues *issues)
{
	size_t len;
	char *text = conf_file_read(path, &len, issues);
	struct conf *c;

	if (text == NULL)
		return NULL;
	conf_issues_free(issues);
	c = conf_parse(text, len, path, flags, issues);
	explicit_bzero(text, len);
	free(text);
	return c;
}

void
conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	for (uint16_t i = 0; i < c->n_eal; i++)
		free(c->eal[i]);
	for (uint16_t i = 0; i < c->n_ifs; i++) {
		free(c->ifs[i].addresses);
		free(c->ifs[i].ra);
		free(c->ifs[i].neighbors);
	}
	for (uint16_t i = 0; i < c->n_groups; i++) {
		explicit_bzero(c->groups[i].key, sizeof(c->groups[i].key));
		free(c->groups[i].pass_file);
		free(c->groups[i].addresses);
		conf_staged_free(c->groups[i].staged);
	}
	for (uint16_t i = 0; i < c->n_on_change; i++)
		free(c->on_change[i]);
	free(c->on_change);
	free(c->eal);
	free(c->ifs);
	free(c->groups);
	free(c->routes);
	free(c->hops);
	free(c->path);
	free(c);
}
