/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_cli_priv.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "conf.h"

#define TOKENS_MAX 9
/* Names listed in an error; a box with a thousand groups must not fill the screen. */
#define NAMES_SHOWN 16

enum kind {
	KIND_WORD,
	KIND_GROUP,
	KIND_IF,
	KIND_NUMBER,
	KIND_KEY,
	KIND_PREFIX,
	KIND_ADDRESS,
	KIND_MAC,
	KIND_HOPS,
	KIND_FILE,
	KIND_COMMAND, /* all that is left of the line */
	KIND_HELP,    /* the word, in front of other commands, for completion only */
	KIND_ANY_LINE,
};

struct token {
	struct cmdline_token_hdr hdr; /* first: cmdline knows a token by it */
	enum kind kind;
	char word[16];
	int64_t min, max;
	const struct mgmt_cli *cli;
};

struct row_tokens {
	unsigned int n;
	struct token token[TOKENS_MAX];
};

struct mgmt_cli {
	struct row_tokens *rows;
	struct token any_line, help;
	/* an instance per row, one for it after "help", one for any other line, NULL */
	cmdline_parse_inst_t **ctx;
};

static const char *
skip_blank(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* Unlike cmdline's, a word goes on over '#': "ab#cd" must not silently become "ab". */
static size_t
word_len(const char *p)
{
	return strcspn(p, " \t\r\n");
}

/* No further word: the end, or a comment. */
static bool
at_end(const char *p)
{
	return *p == '\0' || *p == '\r' || *p == '\n' || *p == '#';
}

static size_t
line_len(const char *p)
{
	size_t n = strcspn(p, "\r\n#");

	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return n;
}

static size_t
token_len(const struct token *t, const char *p)
{
	return t->kind == KIND_COMMAND ? line_len(p) : word_len(p);
}

static bool
key_valid(const char *p, size_t n)
{
	if (n >= MGMT_TEXT_MAX)
		return false;
	if (*p == '/')
		return true;
	if (n != 4 + 2 * AUTH_KEY_LEN || memcmp(p, "hex:", 4) != 0)
		return false;
	for (size_t i = 4; i < n; i++)
		if (!isxdigit((unsigned char)p[i]))
			return false;
	return true;
}

static bool
number_parse(const char *p, size_t n, int64_t *out)
{
	*out = 0;
	if (n == 0 || n > 9)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)p[i]))
			return false;
		*out = *out * 10 + (p[i] - '0');
	}
	return true;
}

static bool
text_take(struct mgmt_args *a, const char *p, size_t n)
{
	if (n >= sizeof(a->text))
		return false;
	memcpy(a->text, p, n);
	a->text[n] = '\0';
	return true;
}

static bool
token_matches(const struct token *t, const struct mgmt_config *c, const char *p, size_t n,
	struct mgmt_args *a)
{
	switch (t->kind) {
	case KIND_WORD:
		return strlen(t->word) == n && memcmp(t->word, p, n) == 0;
	case KIND_GROUP:
		a->group = mgmt_group_find(c, p, n);
		a->has_group = a->group != UINT16_MAX;
		return a->has_group;
	case KIND_IF:
		a->if_index = mgmt_if_find(c, p, n);
		a->has_if = a->if_index != UINT16_MAX;
		return a->has_if;
	case KIND_NUMBER:
		return number_parse(p, n, &a->value) && a->value >= t->min && a->value <= t->max;
	case KIND_PREFIX:
		if (!mgmt_prefix_parse(p, n, a))
			return false;
		snprintf(a->prefix_text, sizeof(a->prefix_text), "%.*s", (int)n, p);
		return true;
	case KIND_ADDRESS:
		return mgmt_addr_parse(p, n, &a->addr);
	case KIND_MAC:
		return mgmt_mac_parse(p, n, a->mac);
	case KIND_HOPS:
		return strspn(p, "0123456789abcdefABCDEF:.,") == n && text_take(a, p, n);
	case KIND_FILE:
		return *p == '/' && text_take(a, p, n);
	case KIND_COMMAND:
		return text_take(a, p, n);
	case KIND_KEY:
		return key_valid(p, n) && text_take(a, p, n);
	case KIND_HELP:
	case KIND_ANY_LINE:
		break;
	}
	return false;
}

/* How many words of the line match the row; *rest is behind them. */
static unsigned int
row_match(const struct row_tokens *row, const struct mgmt_config *c, const char *line,
	const char **rest)
{
	const char *p = skip_blank(line);
	struct mgmt_args scratch = {0};
	unsigned int i;

	for (i = 0; i < row->n && !at_end(p); i++) {
		size_t n = token_len(&row->token[i], p);

		if (!token_matches(&row->token[i], c, p, n, &scratch))
			break;
		p = skip_blank(p + n);
	}
	*rest = p;
	return i;
}

int
mgmt_cli_match(const struct mgmt_cli *cli, const struct mgmt_config *c, const char *line)
{
	const char *rest;

	for (unsigned int r = 0; r < mgmt_cli_n_rows; r++)
		if (row_match(&cli->rows[r], c, line, &rest) == cli->rows[r].n && at_end(rest))
			return (int)r;
	return -1;
}

/* What could have stood at a place of the line. */
struct expected {
	char words[320];
	bool group, ifname, number, key, prefix, hops, file, end;
	bool address, mac;
	int64_t min, max;
};

static void
expect(struct expected *e, const struct row_tokens *row, unsigned int at)
{
	const struct token *t = &row->token[at];
	size_t len = strlen(e->words);
	char padded[20], have[sizeof(e->words) + 2];

	if (at == row->n) {
		e->end = true;
		return;
	}
	switch (t->kind) {
	case KIND_WORD:
		/* each word once, though many rows share it */
		snprintf(padded, sizeof(padded), " %s,", t->word);
		snprintf(have, sizeof(have), " %s,", e->words);
		if (!strstr(have, padded))
			snprintf(e->words + len, sizeof(e->words) - len, "%s%s", len ? ", " : "",
				t->word);
		break;
	case KIND_GROUP:
		e->group = true;
		break;
	case KIND_IF:
		e->ifname = true;
		break;
	case KIND_NUMBER:
		e->number = true;
		e->min = t->min;
		e->max = t->max;
		break;
	case KIND_KEY:
		e->key = true;
		break;
	case KIND_ADDRESS:
		e->address = true;
		break;
	case KIND_MAC:
		e->mac = true;
		break;
	case KIND_PREFIX:
		e->prefix = true;
		break;
	case KIND_HOPS:
		e->hops = true;
		break;
	case KIND_FILE:
		e->file = true;
		break;
	case KIND_COMMAND: /* "help" alone is a command too */
	case KIND_HELP:
	case KIND_ANY_LINE:
		break;
	}
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
	const size_t n = word_len(bad);
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

	line = skip_blank(line);
	for (unsigned int r = 0; r < mgmt_cli_n_rows; r++) {
		n = row_match(&cli->rows[r], c, line, &rest);
		if (n < best)
			continue;
		if (n > best)
			memset(&e, 0, sizeof(e));
		best = n;
		bad = rest;
		expect(&e, &cli->rows[r], n);
	}
	if (!at_end(bad)) {
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

static int
token_parse(cmdline_parse_token_hdr_t *hdr, const char *buf, void *res, unsigned int size)
{
	const struct token *t = (const struct token *)(const void *)hdr;
	struct mgmt_session *s = mgmt_cli_current();
	struct mgmt_args scratch = {0};
	const size_t n = token_len(t, buf);

	(void)size;
	if (t->kind == KIND_HELP) /* what follows it is no command when the line is run */
		return !res && n == strlen(t->word) && memcmp(buf, t->word, n) == 0 ? (int)n : -1;
	if (t->kind == KIND_ANY_LINE) {
		/* Never takes part in completion (res NULL), nor in lines that a row matches. */
		s->line = buf;
		if (!res || mgmt_cli_match(t->cli, s->config, buf) >= 0)
			return -1;
		return (int)strcspn(buf, "\r\n");
	}
	return n > 0 && token_matches(t, s->config, buf, n, res ? res : &scratch) ? (int)n : -1;
}

static int
token_complete_count(cmdline_parse_token_hdr_t *hdr)
{
	const struct token *t = (const struct token *)(const void *)hdr;
	const struct mgmt_config *c = mgmt_cli_current()->config;

	switch (t->kind) {
	case KIND_WORD:
	case KIND_HELP:
	case KIND_ANY_LINE: /* one that is never given: cmdline lists a token without choices */
		return 1;
	case KIND_GROUP:
		return mgmt_group_count(c);
	case KIND_IF:
		return c->conf->n_ifs;
	case KIND_NUMBER:
	case KIND_KEY:
	case KIND_ADDRESS:
	case KIND_MAC:
	case KIND_PREFIX:
	case KIND_HOPS:
	case KIND_FILE:
	case KIND_COMMAND:
		break;
	}
	return 0;
}

static int
token_complete_get(cmdline_parse_token_hdr_t *hdr, int i, char *dst, unsigned int size)
{
	const struct token *t = (const struct token *)(const void *)hdr;
	const struct mgmt_config *c = mgmt_cli_current()->config;

	if (t->kind == KIND_ANY_LINE)
		return -1;
	snprintf(dst, size, "%s",
		t->kind == KIND_WORD || t->kind == KIND_HELP ? t->word
			: t->kind == KIND_GROUP ? mgmt_group_name(c, mgmt_group_nth(c, (uint64_t)i))
						: mgmt_if_name(c, (uint16_t)i));
	return 0;
}

static int
token_help(cmdline_parse_token_hdr_t *hdr, char *dst, unsigned int size)
{
	const struct token *t = (const struct token *)(const void *)hdr;

	switch (t->kind) {
	case KIND_WORD:
	case KIND_HELP:
	case KIND_ANY_LINE:
		snprintf(dst, size, "%s", t->word);
		break;
	case KIND_GROUP:
		snprintf(dst, size, "group");
		break;
	case KIND_IF:
		snprintf(dst, size, "interface");
		break;
	case KIND_NUMBER:
		snprintf(dst, size, "%lld-%lld", (long long)t->min, (long long)t->max);
		break;
	case KIND_KEY:
		snprintf(dst, size, "PATH|hex:DIGITS");
		break;
	case KIND_ADDRESS:
	case KIND_MAC:
		snprintf(dst, size, "%s", t->kind == KIND_MAC ? "MAC" : "ADDRESS");
		break;
	case KIND_PREFIX:
		snprintf(dst, size, "PREFIX|ADDRESS");
		break;
	case KIND_HOPS:
		snprintf(dst, size, "NEXTHOP,...");
		break;
	case KIND_FILE:
		snprintf(dst, size, "FILE");
		break;
	case KIND_COMMAND:
		snprintf(dst, size, "COMMAND");
		break;
	}
	return 0;
}

/* not const: cmdline wants it so */
static struct cmdline_token_ops token_ops = {
	.parse = token_parse,
	.complete_get_nb = token_complete_count,
	.complete_get_elt = token_complete_get,
	.get_help = token_help,
};

static void
token_init(struct token *t, const struct mgmt_cli *cli, const char *p, size_t n)
{
	t->hdr.ops = &token_ops;
	t->hdr.offset = 0; /* every token writes to the one struct mgmt_args */
	t->cli = cli;
	snprintf(t->word, sizeof(t->word), "%.*s", (int)n, p);
	if (strcmp(t->word, "GROUP") == 0) {
		t->kind = KIND_GROUP;
	} else if (strcmp(t->word, "IF") == 0) {
		t->kind = KIND_IF;
	} else if (strcmp(t->word, "KEY") == 0) {
		t->kind = KIND_KEY;
	} else if (strcmp(t->word, "ADDRESS") == 0) {
		t->kind = KIND_ADDRESS;
	} else if (strcmp(t->word, "MAC") == 0) {
		t->kind = KIND_MAC;
	} else if (strcmp(t->word, "PREFIX") == 0) {
		t->kind = KIND_PREFIX;
	} else if (strcmp(t->word, "HOPS") == 0) {
		t->kind = KIND_HOPS;
	} else if (strcmp(t->word, "FILE") == 0) {
		t->kind = KIND_FILE;
	} else if (strcmp(t->word, "COMMAND") == 0) {
		t->kind = KIND_COMMAND;
	} else if (isdigit((unsigned char)*p)) {
		char *dash;

		t->kind = KIND_NUMBER;
		t->min = strtoll(t->word, &dash, 10);
		t->max = strtoll(dash + 1, NULL, 10);
	} else {
		t->kind = KIND_WORD;
	}
}

/* first: a token before the others, or NULL. */
static cmdline_parse_inst_t *
inst_new(const struct mgmt_cli_row *row, struct token *first, struct token *tokens, unsigned int n)
{
	cmdline_parse_inst_t *inst = calloc(1, sizeof(*inst) + (n + 2) * sizeof(inst->tokens[0]));
	unsigned int at = 0;

	if (!inst)
		return NULL;
	inst->f = mgmt_cli_dispatch;
	inst->data = (void *)(uintptr_t)row;
	inst->help_str = row ? row->help : "";
	if (first)
		inst->tokens[at++] = (cmdline_parse_token_hdr_t *)(void *)first;
	for (unsigned int i = 0; i < n; i++)
		inst->tokens[at++] = (cmdline_parse_token_hdr_t *)(void *)&tokens[i];
	return inst;
}

static bool
row_init(struct mgmt_cli *cli, unsigned int r, unsigned int *n)
{
	const struct mgmt_cli_row *row = &mgmt_cli_rows[r];
	struct row_tokens *t = &cli->rows[r];
	const char *p = row->grammar;

	for (; *p != '\0' && t->n < TOKENS_MAX; p = skip_blank(p + word_len(p)))
		token_init(&t->token[t->n++], cli, p, word_len(p));
	cli->ctx[*n] = inst_new(row, NULL, t->token, t->n);
	if (!cli->ctx[(*n)++])
		return false;
	if (strcmp(t->token[0].word, cli->help.word) == 0)
		return true;
	cli->ctx[*n] = inst_new(row, &cli->help, t->token, t->n);
	return cli->ctx[(*n)++] != NULL;
}

struct mgmt_cli *
mgmt_cli_new(void)
{
	struct mgmt_cli *cli = calloc(1, sizeof(*cli));
	unsigned int n = 0;

	if (!cli)
		return NULL;
	cli->rows = calloc(mgmt_cli_n_rows, sizeof(*cli->rows));
	cli->ctx = calloc(2 * mgmt_cli_n_rows + 2, sizeof(*cli->ctx));
	if (!cli->rows || !cli->ctx)
		goto fail;
	cli->help = (struct token){
		.hdr = {.ops = &token_ops}, .kind = KIND_HELP, .word = "help", .cli = cli};
	for (unsigned int r = 0; r < mgmt_cli_n_rows; r++)
		if (!row_init(cli, r, &n))
			goto fail;
	/* It sees every line whole, before the command of the line runs. */
	cli->any_line =
		(struct token){.hdr = {.ops = &token_ops}, .kind = KIND_ANY_LINE, .cli = cli};
	cli->ctx[n] = inst_new(NULL, NULL, &cli->any_line, 1);
	if (!cli->ctx[n])
		goto fail;
	return cli;
fail:
	mgmt_cli_free(cli);
	return NULL;
}

void
mgmt_cli_free(struct mgmt_cli *cli)
{
	if (!cli)
		return;
	for (unsigned int i = 0; cli->ctx && cli->ctx[i]; i++)
		free(cli->ctx[i]);
	free(cli->ctx);
	free(cli->rows);
	free(cli);
}

cmdline_parse_ctx_t *
mgmt_cli_ctx(struct mgmt_cli *cli)
{
	return cli->ctx;
}

void
mgmt_cli_usage(const char *grammar, char *buf, size_t len)
{
	size_t used = 0;

	buf[0] = '\0';
	for (const char *p = grammar; *p != '\0' && used < len; p = skip_blank(p + word_len(p))) {
		struct token t = {0};
		const char *shown = t.word;

		token_init(&t, NULL, p, word_len(p));
		if (t.kind == KIND_GROUP || t.kind == KIND_IF)
			shown = "NAME";
		else if (t.kind == KIND_KEY)
			shown = "PATH|hex:DIGITS";
		else if (t.kind == KIND_HOPS)
			shown = "NEXTHOP,...";
		used += (size_t)snprintf(buf + used, len - used, "%s%s", used ? " " : "", shown);
	}
}
