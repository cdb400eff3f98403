/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What is said to a line that no row matches: the bad word, and what was expected. */
#include "mgmt_cli_grammar_priv.h"

#include <ctype.h>
#include <string.h>

#include "auth.h"
#include "conf.h"

/* Names listed in an error; a box with a thousand groups must not fill the screen. */
#define NAMES_SHOWN 16

/* What could have stood at a place of the line. */
struct expected {
	char words[320];
	bool group, ifname, number, key, prefix, hops, file, end;
	bool address, mac;
	int64_t min, max;
};

static void
expect_token(struct expected *e, const struct mgmt_token *t)
{
	size_t len = strlen(e->words);
	char padded[20], have[sizeof(e->words) + 2];

	switch (t->kind) {
	case MGMT_KIND_WORD:
		/* each word once, though many rows share it */
		snprintf(padded, sizeof(padded), " %s,", t->word);
		snprintf(have, sizeof(have), " %s,", e->words);
		if (!strstr(have, padded))
			snprintf(e->words + len, sizeof(e->words) - len, "%s%s", len ? ", " : "",
				t->word);
		break;
	case MGMT_KIND_GROUP:
		e->group = true;
		break;
	case MGMT_KIND_IF:
		e->ifname = true;
		break;
	case MGMT_KIND_NUMBER:
		e->number = true;
		e->min = t->min;
		e->max = t->max;
		break;
	case MGMT_KIND_KEY:
		e->key = true;
		break;
	case MGMT_KIND_ADDRESS:
		e->address = true;
		break;
	case MGMT_KIND_MAC:
		e->mac = true;
		break;
	case MGMT_KIND_PREFIX:
		e->prefix = true;
		break;
	case MGMT_KIND_HOPS:
		e->hops = true;
		break;
	case MGMT_KIND_FILE:
		e->file = true;
		break;
	case MGMT_KIND_COMMAND: /* "help" alone is a command too */
	case MGMT_KIND_OPTIONS:
	case MGMT_KIND_OPTION_NAME:
	case MGMT_KIND_OPTION_VALUE:
	case MGMT_KIND_HELP:
	case MGMT_KIND_ANY_LINE:
		break;
	}
}

static void
expect(struct expected *e, const struct mgmt_row_tokens *row, unsigned int at)
{
	if (at == row->n)
		e->end = true;
	else
		expect_token(e, &row->token[at]);
}

/* All other words match: where options of the row go wrong. @return there */
static const char *
expect_option(struct expected *e, const struct mgmt_row_tokens *row, const struct mgmt_config *c,
	const char *rest)
{
	struct mgmt_args a = {0};
	unsigned int which;
	const char *bad = mgmt_cli_options_match(row, c, rest, &a, &which);

	if (bad == NULL)
		return rest;
	if (which < row->n_options)
		expect_token(e, &row->option[which].value);
	for (unsigned int i = 0; which == row->n_options && i < row->n_options; i++)
		if (!a.option[i].given)
			expect_token(e, &row->option[i].name);
	return bad;
}

static void
print_names(FILE *to, const struct mgmt_config *c, bool groups)
{
	unsigned int n = groups ? mgmt_group_count(c) : c->conf->n_ifs;
	const char *what = groups ? "groups" : "interfaces";

	if (n == 0) {
		fprintf(to, "there are no %s", what);
		return;
	}
	fprintf(to, "%s are ", what);
	for (unsigned int i = 0; i < n && i < NAMES_SHOWN; i++)
		fprintf(to, "%s%s", i ? ", " : "",
			groups ? mgmt_group_name(c, mgmt_group_nth(c, i))
			       : mgmt_if_name(c, (uint16_t)i));
	if (n > NAMES_SHOWN)
		fprintf(to, " and %u more", n - NAMES_SHOWN);
}

static void
print_expected(FILE *to, const struct mgmt_config *c, const struct expected *e)
{
	const char *sep = "";

	if (e->words[0] != '\0') {
		fprintf(to, "%s", e->words);
		sep = ", ";
	}
	if (e->group || e->ifname) {
		fprintf(to, "%sa name (", sep);
		print_names(to, c, e->group);
		fputc(')', to);
		sep = ", ";
	}
	if (e->number) {
		fprintf(to, "%sa number from %lld to %lld", sep, (long long)e->min,
			(long long)e->max);
		sep = ", ";
	}
	if (e->address || e->mac) {
		fprintf(to, "%s%s", sep,
			e->address ? "an IPv4 or IPv6 address"
				   : "a MAC address such as 02:00:5e:10:00:01");
		sep = ", ";
	}
	if (e->prefix) {
		fprintf(to, "%san address, or a prefix such as 192.0.2.0/24", sep);
		sep = ", ";
	}
	if (e->hops) {
		fprintf(to, "%sthe address of a next hop, or several with commas between", sep);
		sep = ", ";
	}
	if (e->file) {
		fprintf(to, "%san absolute path", sep);
		sep = ", ";
	}
	if (e->key)
		fprintf(to, "%san absolute path, or hex: and %d digits", sep, 2 * AUTH_KEY_LEN);
}

/* A word of the operator in quotes, cut and made printable. */
static void
print_word(FILE *to, const char *p, size_t n)
{
	const size_t shown = n > 60 ? 60 : n;

	fputc('"', to);
	for (size_t i = 0; i < shown; i++)
		fputc(isprint((unsigned char)p[i]) ? p[i] : '?', to);
	fputs(n > shown ? "…\"" : "\"", to);
}

/* Of words with commas between, the one that was probably meant. */
static void
print_near(FILE *to, const char *words, const char *bad, size_t n)
{
	char typed[32], word[32], near[32] = "";
	unsigned int best = UINT32_MAX, d;

	if (n >= sizeof(typed))
		return;
	memcpy(typed, bad, n);
	typed[n] = '\0';
	for (const char *p = words; *p != '\0'; p += strspn(p, ", ")) {
		const size_t len = strcspn(p, ",");

		snprintf(word, sizeof(word), "%.*s", (int)len, p);
		if (conf_words_near(typed, word, &d) && d < best) {
			best = d;
			memcpy(near, word, sizeof(near));
		}
		p += len;
	}
	if (near[0] != '\0')
		fprintf(to, " (did you mean \"%s\"?)", near);
}

static void
explain_word(FILE *to, const struct mgmt_config *c, const struct expected *e, const char *line,
	const char *bad)
{
	const size_t n = mgmt_cli_word_len(bad);
	const char *end = bad;

	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (e->group || e->ifname) {
		fprintf(to, "unknown %s ", e->group ? "group" : "interface");
		print_word(to, bad, n);
		fputs(": ", to);
		print_names(to, c, e->group);
		if (e->words[0] != '\0')
			fprintf(to, "; other words here: %s", e->words);
	} else if (e->number) {
		print_word(to, bad, n);
		fprintf(to, " is not a number from %lld to %lld", (long long)e->min,
			(long long)e->max);
	} else if (e->address || e->mac) {
		print_word(to, bad, n);
		fputs(": expected ", to);
		print_expected(to, c, e);
	} else if (e->prefix || e->hops || e->file) {
		print_word(to, bad, n);
		fputs(" is not expected here: expected ", to);
		print_expected(to, c, e);
	} else if (e->key) {
		/* not repeated: it may be a secret */
		fputs("expected ", to);
		print_expected(to, c, e);
	} else if (e->words[0] != '\0') {
		fputs(end == line ? "unknown command " : "unknown word ", to);
		print_word(to, bad, n);
		if (end != line) {
			fputs(" after ", to);
			print_word(to, line, (size_t)(end - line));
		}
		print_near(to, e->words, bad, n);
		fprintf(to, ": expected %s", e->words);
	} else {
		fputs("unexpected ", to);
		print_word(to, bad, n);
		fputs(" after ", to);
		print_word(to, line, (size_t)(end - line));
	}
	fputc('\n', to);
}

void
mgmt_cli_explain(
	const struct mgmt_cli *cli, const struct mgmt_config *c, const char *line, FILE *to)
{
	struct expected e = {0};
	const char *rest, *bad = line;
	unsigned int best = 0, n;

	line = mgmt_cli_skip_blank(line);
	for (unsigned int r = 0; r < mgmt_cli_n_rows; r++) {
		n = mgmt_cli_row_match(&cli->rows[r], c, line, &rest);
		if (n < best)
			continue;
		if (n > best)
			memset(&e, 0, sizeof(e));
		best = n;
		bad = rest;
		if (n == cli->rows[r].n && cli->rows[r].n_options > 0)
			bad = expect_option(&e, &cli->rows[r], c, rest);
		else
			expect(&e, &cli->rows[r], n);
	}
	if (!mgmt_cli_at_end(bad)) {
		explain_word(to, c, &e, line, bad);
		return;
	}
	n = (unsigned int)(bad - line);
	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	if (n == 0) {
		fputs("empty command\n", to);
		return;
	}
	fputs("incomplete command: after ", to);
	print_word(to, line, n);
	fputs(" expected ", to);
	print_expected(to, c, &e);
	fputc('\n', to);
}
