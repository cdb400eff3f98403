/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_pos_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scan {
	struct conf_pos *p;
	const uint8_t *text;
	size_t len, at;
	uint32_t line, column;
	uint32_t depth;
	struct conf_pos_error *err;
};

/** A key, or the place where one would be. */
struct key {
	uint32_t start, len, hash, line, column;
};

__attribute__((format(printf, 2, 3))) static int
fail(struct scan *s, const char *fmt, ...)
{
	va_list ap;

	s->err->line = s->line;
	s->err->column = s->column;
	va_start(ap, fmt);
	vsnprintf(s->err->text, sizeof(s->err->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

size_t
conf_utf8_len(const uint8_t *p, size_t left)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (n == 0 || n > left || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	/* overlong forms, surrogates, beyond U+10FFFF */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

uint32_t
conf_utf8_code(const uint8_t *p, size_t n)
{
	uint32_t code = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		code = code << 6 | (p[i] & 0x3fu);
	return code;
}

/** What stands at the scanner, for "found ...". */
static const char *
found(const struct scan *s, char buf[32])
{
	size_t n;

	if (s->at >= s->len)
		return "the end of the file";
	n = conf_utf8_len(s->text + s->at, s->len - s->at);
	if (n == 0)
		snprintf(buf, 32, "invalid UTF-8 (byte 0x%02x)", s->text[s->at]);
	else if (s->text[s->at] == 0)
		snprintf(buf, 32, "a NUL byte");
	else if (s->text[s->at] > ' ' && s->text[s->at] < 0x7f)
		snprintf(buf, 32, "'%c'", s->text[s->at]);
	else
		snprintf(buf, 32, "the character U+%04X", conf_utf8_code(s->text + s->at, n));
	return buf;
}

static int
fail_expected(struct scan *s, const char *expected)
{
	char buf[32];
	const char *what = found(s, buf);

	return fail(s, "expected %s, found %s%s", expected, what,
		strcmp(what, "'/'") == 0	   ? " (JSON has no comments)"
			: strcmp(what, "'''") == 0 ? " (strings stand in double quotes)"
						   : "");
}

static void
skip_blanks(struct scan *s)
{
	for (; s->at < s->len; s->at++) {
		uint8_t c = s->text[s->at];

		if (c == '\n') {
			s->line++;
			s->column = 1;
		} else if (c == ' ' || c == '\t' || c == '\r') {
			s->column++;
		} else {
			return;
		}
	}
}

static bool
at_char(const struct scan *s, char c)
{
	return s->at < s->len && s->text[s->at] == (uint8_t)c;
}

static void
step(struct scan *s)
{
	s->at++;
	s->column++;
}

static bool
hex4(const struct scan *s, size_t at, uint32_t *code)
{
	*code = 0;
	for (size_t i = at; i < at + 4; i++) {
		uint8_t c = i < s->len ? s->text[i] : 0;

		if (c >= '0' && c <= '9')
			*code = *code << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			*code = *code << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	return true;
}

static int
scan_escape(struct scan *s)
{
	uint8_t c = s->at + 1 < s->len ? s->text[s->at + 1] : 0;
	uint32_t code, low;
	uint32_t n = 2;

	if (c == 'u') {
		n = 6;
		if (!hex4(s, s->at + 2, &code))
			return fail(s, "expected four hexadecimal digits after \\u");
		if (code == 0)
			return fail(s, "\\u0000 is not allowed in a string");
		if (code >= 0xd800 && code <= 0xdbff) {
			if (s->at + 7 >= s->len || s->text[s->at + 6] != '\\' ||
				s->text[s->at + 7] != 'u' || !hex4(s, s->at + 8, &low) ||
				low < 0xdc00 || low > 0xdfff)
				return fail(s, "half of a surrogate pair without its other half");
			n = 12;
		} else if (code >= 0xdc00 && code <= 0xdfff) {
			return fail(s, "half of a surrogate pair without its other half");
		}
	} else if (c == 0 || strchr("\"\\/bfnrt", c) == NULL) {
		return fail(s,
			"unknown escape in a string, allowed are "
			"\\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX");
	}
	s->at += n;
	s->column += n;
	return 0;
}

/** A string; the scanner stands on its opening quote, afterwards behind the closing one. */
static int
scan_string(struct scan *s)
{
	uint32_t column = s->column;
	int err;

	step(s);
	while (s->at < s->len) {
		uint8_t c = s->text[s->at];
		size_t n = 1;

		if (c == '"') {
			step(s);
			return 0;
		}
		if (c == '\\') {
			err = scan_escape(s);
			if (err != 0)
				return err;
			continue;
		}
		if (c == '\n' || c == '\r')
			break;
		if (c < ' ') {
			if (c == 0)
				return fail(s, "a NUL byte inside a string");
			return fail(s,
				"the control character U+%04X inside a string, write it as "
				"\\u%04x",
				c, c);
		}
		if (c >= 0x80) {
			n = conf_utf8_len(s->text + s->at, s->len - s->at);
			if (n == 0)
				return fail(s, "invalid UTF-8 (byte 0x%02x) inside a string", c);
		}
		s->at += n;
		s->column++;
	}
	s->column = column;
	return fail(s, "this string has no closing quote on its line");
}

static bool
is_digit(const struct scan *s)
{
	return s->at < s->len && s->text[s->at] >= '0' && s->text[s->at] <= '9';
}

static int
scan_digits(struct scan *s)
{
	if (!is_digit(s))
		return fail_expected(s, "a digit");
	while (is_digit(s))
		step(s);
	return 0;
}

static int
scan_number(struct scan *s, struct conf_pos_node *node)
{
	int err;

	node->type = CONF_POS_INTEGER;
	if (at_char(s, '-'))
		step(s);
	if (at_char(s, '0')) {
		step(s);
		if (is_digit(s))
			return fail(s, "a number may not begin with 0");
	} else {
		err = scan_digits(s);
		if (err != 0)
			return err;
	}
	if (at_char(s, '.')) {
		node->type = CONF_POS_REAL;
		step(s);
		err = scan_digits(s);
		if (err != 0)
			return err;
	}
	if (at_char(s, 'e') || at_char(s, 'E')) {
		node->type = CONF_POS_REAL;
		step(s);
		if (at_char(s, '+') || at_char(s, '-'))
			step(s);
		return scan_digits(s);
	}
	return 0;
}

static int
scan_word(struct scan *s, struct conf_pos_node *node)
{
	static const struct {
		const char *word;
		uint8_t type;
	} words[] = {
		{"true", CONF_POS_TRUE},
		{"false", CONF_POS_FALSE},
		{"null", CONF_POS_NULL},
	};
	size_t n = 0;

	while (s->at + n < s->len && ((s->text[s->at + n] | 0x20) >= 'a') &&
		((s->text[s->at + n] | 0x20) <= 'z'))
		n++;
	for (unsigned int i = 0; i < 3; i++) {
		if (n == strlen(words[i].word) && memcmp(s->text + s->at, words[i].word, n) == 0) {
			node->type = words[i].type;
			s->at += n;
			s->column += (uint32_t)n;
			return 0;
		}
	}
	if (n > 1)
		return fail(s,
			"expected a value, found %.*s (words stand in double quotes, but "
			"for true, false and null)",
			n > 20 ? 20 : (int)n, (const char *)s->text + s->at);
	return fail_expected(s, "a value");
}

static int
scan_key(struct scan *s, struct key *key)
{
	const char *raw;
	char *plain;
	int err;

	key->line = s->line;
	key->column = s->column;
	key->start = (uint32_t)s->at + 1;
	err = scan_string(s);
	if (err != 0)
		return err;
	key->len = (uint32_t)s->at - 1 - key->start;
	if (key->len > CONF_POS_MAX_KEY) {
		s->column = key->column;
		return fail(s, "a key of more than %d bytes", CONF_POS_MAX_KEY);
	}
	raw = (const char *)s->text + key->start;
	plain = conf_pos_decode(raw, key->len);
	if (plain == NULL)
		return -ENOMEM;
	key->hash = conf_pos_hash(plain, strlen(plain));
	free(plain);
	skip_blanks(s);
	if (!at_char(s, ':'))
		return fail_expected(s, "':' after the key");
	step(s);
	skip_blanks(s);
	return 0;
}

static int
add_node(struct scan *s, uint32_t parent, const struct key *key, uint32_t *added)
{
	struct conf_pos *p = s->p;
	struct conf_pos_node *node;

	if (p->n == CONF_POS_MAX_NODES)
		return fail(s, "more than %u values", CONF_POS_MAX_NODES);
	if (p->n == p->cap) {
		uint32_t cap = p->cap == 0 ? 64 : p->cap * 2;

		node = realloc(p->node, cap * sizeof(*node));
		if (node == NULL)
			return -ENOMEM;
		p->node = node;
		p->cap = cap;
	}
	*added = p->n++;
	node = &p->node[*added];
	*node = (struct conf_pos_node){
		.parent = parent,
		.first = CONF_POS_NONE,
		.last = CONF_POS_NONE,
		.next = CONF_POS_NONE,
		.start = (uint32_t)s->at,
		.line = s->line,
		.column = s->column,
	};
	if (key != NULL) {
		node->key = key->start;
		node->key_len = key->len;
		node->key_hash = key->hash;
		node->key_line = key->line;
		node->key_column = key->column;
	}
	if (parent != CONF_POS_NONE) {
		struct conf_pos_node *up = &p->node[parent];

		if (up->last == CONF_POS_NONE)
			up->first = *added;
		else
			p->node[up->last].next = *added;
		up->last = *added;
		node->index = up->n++;
	}
	return 0;
}

/** A value; of an object or array the opening bracket alone. */
static int
scan_value(struct scan *s, uint32_t parent, const struct key *key, uint32_t *added)
{
	struct conf_pos_node *node;
	int err = add_node(s, parent, key, added);

	if (err != 0)
		return err;
	node = &s->p->node[*added];
	if (at_char(s, '{') || at_char(s, '[')) {
		node->type = at_char(s, '{') ? CONF_POS_OBJECT : CONF_POS_ARRAY;
		if (++s->depth > CONF_POS_MAX_DEPTH)
			return fail(s, "nested more than %d deep", CONF_POS_MAX_DEPTH);
		step(s);
		return 0;
	}
	if (at_char(s, '"')) {
		node->type = CONF_POS_STRING;
		err = scan_string(s);
	} else if (at_char(s, '-') || is_digit(s)) {
		err = scan_number(s, node);
	} else {
		err = scan_word(s, node);
	}
	node->end = (uint32_t)s->at;
	return err;
}

/**
 * Behind a value or an opening bracket: close what closes here, and go on to the next value.
 * @param container  in: where the scanner is; out: where the next value belongs, or
 *                   CONF_POS_NONE when the document is complete
 * @param key        the next value's, when container is an object
 */
static int
scan_between(struct scan *s, uint32_t *container, bool opened, struct key *key)
{
	while (*container != CONF_POS_NONE) {
		struct conf_pos_node *c = &s->p->node[*container];
		bool object = c->type == CONF_POS_OBJECT;

		skip_blanks(s);
		if (at_char(s, object ? '}' : ']')) {
			step(s);
			s->depth--;
			c->end = (uint32_t)s->at;
			*container = c->parent;
			opened = false;
			continue;
		}
		if (!opened) {
			if (!at_char(s, ','))
				return fail_expected(s, object ? "',' or '}'" : "',' or ']'");
			step(s);
			skip_blanks(s);
			if (at_char(s, object ? '}' : ']'))
				return fail(s, "a comma before '%c' is not allowed",
					object ? '}' : ']');
		}
		if (!object)
			return 0;
		if (!at_char(s, '"'))
			return fail_expected(s,
				opened ? "a key in double quotes or '}'"
				       : "a key in double quotes");
		return scan_key(s, key);
	}
	return 0;
}

static int
scan_document(struct scan *s)
{
	uint32_t container = CONF_POS_NONE, node;
	struct key key = {0};
	int err;

	if (s->len >= 3 && memcmp(s->text, "\xef\xbb\xbf", 3) == 0)
		return fail(
			s, "the file begins with a byte order mark, save it as UTF-8 without one");
	skip_blanks(s);
	if (s->at == s->len) {
		s->line = s->column = 1;
		return fail(s, "the file is empty, expected an object in braces");
	}
	do {
		bool member =
			container != CONF_POS_NONE && s->p->node[container].type == CONF_POS_OBJECT;

		err = scan_value(s, container, member ? &key : NULL, &node);
		if (err != 0)
			return err;
		bool opened = s->p->node[node].type <= CONF_POS_ARRAY;

		err = scan_between(s, opened ? &node : &container, opened, &key);
		if (err != 0)
			return err;
		if (opened)
			container = node;
	} while (container != CONF_POS_NONE);
	skip_blanks(s);
	if (s->at < s->len)
		return fail_expected(s, "nothing after the end of the document");
	return 0;
}

int
conf_pos_scan(struct conf_pos *p, const char *text, size_t len, struct conf_pos_error *err)
{
	struct scan s = {
		.p = p,
		.text = (const uint8_t *)text,
		.len = len,
		.line = 1,
		.column = 1,
		.err = err,
	};
	int ret;

	*p = (struct conf_pos){.text = text, .len = len};
	ret = scan_document(&s);
	if (ret == -ENOMEM)
		*err = (struct conf_pos_error){.line = 1, .column = 1, .text = "out of memory"};
	return ret;
}
