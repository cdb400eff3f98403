/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_issue_priv.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "conf_pos_priv.h"

void
conf_issues_init(struct conf_issues *issues, const char *path)
{
	*issues = (struct conf_issues){.path = strdup(path)};
}

void
conf_issues_addv(struct conf_issues *issues, enum conf_severity severity, uint32_t line,
	uint32_t column, char *pointer, const char *fmt, va_list ap)
{
	char *text;

	if (severity == CONF_ERROR)
		issues->n_errors++;
	else
		issues->n_warnings++;
	if (issues->n == issues->cap) {
		uint32_t cap = issues->cap == 0 ? 16 : issues->cap * 2;
		struct conf_issue *more = realloc(issues->issue, cap * sizeof(*more));

		if (more == NULL) {
			free(pointer);
			return;
		}
		issues->issue = more;
		issues->cap = cap;
	}
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	if (pointer == NULL)
		pointer = strdup("");
	if (pointer == NULL || text == NULL) {
		free(pointer);
		free(text);
		return;
	}
	issues->issue[issues->n++] = (struct conf_issue){
		.severity = severity,
		.line = line,
		.column = column,
		.pointer = pointer,
		.text = text,
	};
}

void
conf_issues_add(struct conf_issues *issues, enum conf_severity severity, uint32_t line,
	uint32_t column, char *pointer, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	conf_issues_addv(issues, severity, line, column, pointer, fmt, ap);
	va_end(ap);
}

void
conf_issues_hint(struct conf_issues *issues, const char *allowed, const char *suggestion)
{
	struct conf_issue *last;

	/* without memory the last one may not be there */
	if (issues->n == 0 || issues->n != issues->n_errors + issues->n_warnings)
		return;
	last = &issues->issue[issues->n - 1];
	if (allowed != NULL && last->allowed == NULL)
		last->allowed = strdup(allowed);
	if (suggestion != NULL && last->suggestion == NULL)
		last->suggestion = strdup(suggestion);
}

static bool
before(const struct conf_issue *a, const struct conf_issue *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/** Merge the sorted runs [lo, mid) and [mid, hi) of from; of equals the left one goes first. */
static void
merge(const struct conf_issue *from, struct conf_issue *to, uint32_t lo, uint32_t mid, uint32_t hi)
{
	uint32_t a = lo, b = mid;

	for (uint32_t i = lo; i < hi; i++) {
		if (b == hi || (a < mid && !before(&from[b], &from[a])))
			to[i] = from[a++];
		else
			to[i] = from[b++];
	}
}

void
conf_issues_sort(struct conf_issues *issues)
{
	struct conf_issue *from = issues->issue, *to;
	uint32_t n = issues->n;

	/* not qsort(), which need not keep the order of equals */
	if (n < 2)
		return;
	to = malloc(n * sizeof(*to));
	if (to == NULL)
		return;
	for (uint32_t run = 1; run < n; run *= 2) {
		struct conf_issue *tmp = from;

		for (uint32_t lo = 0; lo < n; lo += 2 * run)
			merge(from, to, lo, n - lo < run ? n : lo + run,
				n - lo < 2 * run ? n : lo + 2 * run);
		from = to;
		to = tmp;
	}
	free(to);
	issues->issue = from;
	issues->cap = n;
}

/** Control characters, and those that hide or reorder what a terminal shows. */
static bool
is_hidden(uint32_t c)
{
	return c < ' ' || (c >= 0x7f && c <= 0x9f) || (c >= 0x200b && c <= 0x200f) ||
		(c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

void
conf_text_print(const char *s, size_t len, size_t max, FILE *to)
{
	const uint8_t *p = (const uint8_t *)s;

	for (size_t i = 0; i < len; max--) {
		size_t n = conf_utf8_len(p + i, len - i);
		uint32_t c = n == 0 ? '?' : conf_utf8_code(p + i, n);

		if (max == 0) {
			fputs("...", to);
			return;
		}
		if (n == 0) {
			fputc('?', to);
			n = 1;
		} else if (is_hidden(c)) {
			fprintf(to, "\\u%04x", c);
		} else {
			fwrite(s + i, 1, n, to);
		}
		i += n;
	}
}

static const char *
path_of(const struct conf_issues *issues)
{
	return issues->path == NULL ? "?" : issues->path;
}

void
conf_issues_print(const struct conf_issues *issues, FILE *to)
{
	for (uint32_t i = 0; i < issues->n; i++) {
		const struct conf_issue *is = &issues->issue[i];

		fprintf(to, "%s:%u:%u: ", path_of(issues), is->line, is->column);
		if (is->pointer[0] != '\0') {
			conf_text_print(is->pointer, strlen(is->pointer), SIZE_MAX, to);
			fputs(": ", to);
		}
		fprintf(to, "%s%s\n", is->severity == CONF_WARNING ? "warning: " : "", is->text);
	}
	if (issues->n < issues->n_errors + issues->n_warnings)
		fprintf(to, "%s:1:1: out of memory, not all findings are shown\n", path_of(issues));
}

/** A JSON string of any bytes: file names need not be UTF-8. NULL is null. */
static json_t *
text_json(const char *s)
{
	json_t *v = s == NULL ? json_null() : json_string(s);
	char *copy = NULL;
	size_t len;
	FILE *f;

	if (v != NULL)
		return v;
	f = open_memstream(&copy, &len);
	if (f == NULL)
		return NULL;
	conf_text_print(s, strlen(s), SIZE_MAX, f);
	if (fclose(f) == 0)
		v = json_string(copy);
	free(copy);
	return v;
}

static json_t *
issues_json(const struct conf_issues *issues, enum conf_severity severity)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < issues->n; i++) {
		const struct conf_issue *is = &issues->issue[i];

		if (is->severity != severity)
			continue;
		json_t *o = json_object();

		json_object_set_new(o, "file", text_json(path_of(issues)));
		json_object_set_new(o, "line", json_integer(is->line));
		json_object_set_new(o, "column", json_integer(is->column));
		json_object_set_new(o, "pointer", text_json(is->pointer));
		json_object_set_new(o, "message", text_json(is->text));
		json_object_set_new(o, "allowed", text_json(is->allowed));
		json_object_set_new(o, "suggestion", text_json(is->suggestion));
		json_array_append_new(list, o);
	}
	return list;
}

void
conf_issues_print_json(const struct conf_issues *issues, FILE *to)
{
	json_t *o = json_object();

	json_object_set_new(o, "file", text_json(path_of(issues)));
	json_object_set_new(o, "valid", json_boolean(issues->n_errors == 0));
	json_object_set_new(o, "errors", issues_json(issues, CONF_ERROR));
	json_object_set_new(o, "warnings", issues_json(issues, CONF_WARNING));
	if (json_dumpf(o, to, JSON_INDENT(2) | JSON_PRESERVE_ORDER) != 0)
		fprintf(to, "{\"valid\": %s}", issues->n_errors == 0 ? "true" : "false");
	fputc('\n', to);
	json_decref(o);
}

void
conf_issues_free(struct conf_issues *issues)
{
	for (uint32_t i = 0; i < issues->n; i++) {
		free(issues->issue[i].pointer);
		free(issues->issue[i].text);
		free(issues->issue[i].allowed);
		free(issues->issue[i].suggestion);
	}
	free(issues->issue);
	free(issues->path);
	*issues = (struct conf_issues){0};
}
