/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_cli_grammar_priv.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "conf.h"

static size_t
line_len(const char *p)
{
	size_t n = strcspn(p, "\r\n#");

	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return n;
}

static size_t
token_len(const struct mgmt_token *t, const char *p)
{
	return t->kind == MGMT_KIND_COMMAND ? line_len(p) : mgmt_cli_word_len(p);
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

bool
mgmt_cli_token_matches(const struct mgmt_token *t, const struct mgmt_config *c, const char *p,
	size_t n, struct mgmt_args *a)
{
	switch (t->kind) {
	case MGMT_KIND_WORD:
		return strlen(t->word) == n && memcmp(t->word, p, n) == 0;
	case MGMT_KIND_GROUP:
		a->group = mgmt_group_find(c, p, n);
		a->has_group = a->group != UINT16_MAX;
		return a->has_group;
	case MGMT_KIND_IF:
		a->if_index = mgmt_if_find(c, p, n);
		a->has_if = a->if_index != UINT16_MAX;
		return a->has_if;
	case MGMT_KIND_NUMBER:
		return number_parse(p, n, &a->value) && a->value >= t->min && a->value <= t->max;
	case MGMT_KIND_PREFIX:
		if (!mgmt_prefix_parse(p, n, a))
			return false;
		snprintf(a->prefix_text, sizeof(a->prefix_text), "%.*s", (int)n, p);
		return true;
	case MGMT_KIND_ADDRESS:
		return mgmt_addr_parse(p, n, &a->addr);
	case MGMT_KIND_MAC:
		return mgmt_mac_parse(p, n, a->mac);
	case MGMT_KIND_HOPS:
		return strspn(p, "0123456789abcdefABCDEF:.,") == n && text_take(a, p, n);
	case MGMT_KIND_FILE:
		return *p == '/' && text_take(a, p, n);
	case MGMT_KIND_COMMAND:
		return text_take(a, p, n);
	case MGMT_KIND_KEY:
		return key_valid(p, n) && text_take(a, p, n);
	case MGMT_KIND_OPTIONS:
	case MGMT_KIND_OPTION_NAME:
	case MGMT_KIND_OPTION_VALUE:
	case MGMT_KIND_HELP:
	case MGMT_KIND_ANY_LINE:
		break;
	}
	return false;
}

unsigned int
mgmt_cli_row_match(const struct mgmt_row_tokens *row, const struct mgmt_config *c, const char *line,
	const char **rest)
{
	const char *p = mgmt_cli_skip_blank(line);
	struct mgmt_args scratch = {0};
	unsigned int i;

	for (i = 0; i < row->n && !mgmt_cli_at_end(p); i++) {
		size_t n = token_len(&row->token[i], p);

		if (!mgmt_cli_token_matches(&row->token[i], c, p, n, &scratch))
			break;
		p = mgmt_cli_skip_blank(p + n);
	}
	*rest = p;
	return i;
}

int
mgmt_cli_match(const struct mgmt_cli *cli, const struct mgmt_config *c, const char *line)
{
	const char *rest;

	for (unsigned int r = 0; r < mgmt_cli_n_rows; r++) {
		const struct mgmt_row_tokens *row = &cli->rows[r];
		struct mgmt_args scratch = {0};
		unsigned int which;

		if (mgmt_cli_row_match(row, c, line, &rest) == row->n &&
			mgmt_cli_options_match(row, c, rest, &scratch, &which) == NULL)
			return (int)r;
	}
	return -1;
}

static int
token_parse(cmdline_parse_token_hdr_t *hdr, const char *buf, void *res, unsigned int size)
{
	const struct mgmt_token *t = (const struct mgmt_token *)(const void *)hdr;
	struct mgmt_session *s = mgmt_cli_current();
	struct mgmt_args scratch = {0};
	const size_t n = token_len(t, buf);
	unsigned int which;

	(void)size;
	if (t->kind == MGMT_KIND_HELP) /* what follows it is no command when the line is run */
		return !res && n == strlen(t->word) && memcmp(buf, t->word, n) == 0 ? (int)n : -1;
	if (t->kind == MGMT_KIND_ANY_LINE) {
		/* Never takes part in completion (res NULL), nor in lines that a row matches. */
		s->line = buf;
		if (!res || mgmt_cli_match(t->cli, s->config, buf) >= 0)
			return -1;
		return (int)strcspn(buf, "\r\n");
	}
	if (t->kind == MGMT_KIND_OPTIONS)
		return res && n > 0 &&
				mgmt_cli_options_match(t->row, s->config, buf, res, &which) == NULL
			? (int)line_len(buf)
			: -1;
	if (t->kind == MGMT_KIND_OPTION_NAME || t->kind == MGMT_KIND_OPTION_VALUE)
		return !res && n > 0 ? (int)n : -1;
	return n > 0 && mgmt_cli_token_matches(t, s->config, buf, n, res ? res : &scratch) ? (int)n
											   : -1;
}

static int
token_complete_count(cmdline_parse_token_hdr_t *hdr)
{
	const struct mgmt_token *t = (const struct mgmt_token *)(const void *)hdr;
	const struct mgmt_config *c = mgmt_cli_current()->config;

	switch (t->kind) {
	case MGMT_KIND_WORD:
	case MGMT_KIND_HELP:
	case MGMT_KIND_ANY_LINE: /* never given, but cmdline lists a token without choices */
		return 1;
	case MGMT_KIND_GROUP:
		return mgmt_group_count(c);
	case MGMT_KIND_IF:
		return c->conf->n_ifs;
	case MGMT_KIND_OPTION_NAME:
		return (int)t->row->n_options;
	case MGMT_KIND_OPTION_VALUE:
	case MGMT_KIND_OPTIONS:
	case MGMT_KIND_NUMBER:
	case MGMT_KIND_KEY:
	case MGMT_KIND_ADDRESS:
	case MGMT_KIND_MAC:
	case MGMT_KIND_PREFIX:
	case MGMT_KIND_HOPS:
	case MGMT_KIND_FILE:
	case MGMT_KIND_COMMAND:
		break;
	}
	return 0;
}

static int
token_complete_get(cmdline_parse_token_hdr_t *hdr, int i, char *dst, unsigned int size)
{
	const struct mgmt_token *t = (const struct mgmt_token *)(const void *)hdr;
	const struct mgmt_config *c = mgmt_cli_current()->config;

	if (t->kind == MGMT_KIND_ANY_LINE)
		return -1;
	snprintf(dst, size, "%s",
		t->kind == MGMT_KIND_OPTION_NAME ? t->row->option[i].name.word
			: t->kind == MGMT_KIND_WORD || t->kind == MGMT_KIND_HELP ? t->word
			: t->kind == MGMT_KIND_GROUP
			? mgmt_group_name(c, mgmt_group_nth(c, (uint64_t)i))
			: mgmt_if_name(c, (uint16_t)i));
	return 0;
}

static int
token_help(cmdline_parse_token_hdr_t *hdr, char *dst, unsigned int size)
{
	const struct mgmt_token *t = (const struct mgmt_token *)(const void *)hdr;

	switch (t->kind) {
	case MGMT_KIND_WORD:
	case MGMT_KIND_HELP:
	case MGMT_KIND_ANY_LINE:
		snprintf(dst, size, "%s", t->word);
		break;
	case MGMT_KIND_GROUP:
		snprintf(dst, size, "group");
		break;
	case MGMT_KIND_IF:
		snprintf(dst, size, "interface");
		break;
	case MGMT_KIND_NUMBER:
		snprintf(dst, size, "%lld-%lld", (long long)t->min, (long long)t->max);
		break;
	case MGMT_KIND_KEY:
		snprintf(dst, size, "PATH|hex:DIGITS");
		break;
	case MGMT_KIND_ADDRESS:
	case MGMT_KIND_MAC:
		snprintf(dst, size, "%s", t->kind == MGMT_KIND_MAC ? "MAC" : "ADDRESS");
		break;
	case MGMT_KIND_PREFIX:
		snprintf(dst, size, "PREFIX|ADDRESS");
		break;
	case MGMT_KIND_HOPS:
		snprintf(dst, size, "NEXTHOP,...");
		break;
	case MGMT_KIND_FILE:
		snprintf(dst, size, "FILE");
		break;
	case MGMT_KIND_COMMAND:
		snprintf(dst, size, "COMMAND");
		break;
	case MGMT_KIND_OPTION_VALUE:
		snprintf(dst, size, "VALUE");
		break;
	case MGMT_KIND_OPTIONS:
	case MGMT_KIND_OPTION_NAME:
		snprintf(dst, size, "OPTION");
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
token_init(struct mgmt_token *t, const struct mgmt_cli *cli, const char *p, size_t n)
{
	t->hdr.ops = &token_ops;
	t->hdr.offset = 0; /* every token writes to the one struct mgmt_args */
	t->cli = cli;
	snprintf(t->word, sizeof(t->word), "%.*s", (int)n, p);
	if (strcmp(t->word, "GROUP") == 0) {
		t->kind = MGMT_KIND_GROUP;
	} else if (strcmp(t->word, "IF") == 0) {
		t->kind = MGMT_KIND_IF;
	} else if (strcmp(t->word, "KEY") == 0) {
		t->kind = MGMT_KIND_KEY;
	} else if (strcmp(t->word, "ADDRESS") == 0) {
		t->kind = MGMT_KIND_ADDRESS;
	} else if (strcmp(t->word, "MAC") == 0) {
		t->kind = MGMT_KIND_MAC;
	} else if (strcmp(t->word, "PREFIX") == 0) {
		t->kind = MGMT_KIND_PREFIX;
	} else if (strcmp(t->word, "HOPS") == 0) {
		t->kind = MGMT_KIND_HOPS;
	} else if (strcmp(t->word, "FILE") == 0) {
		t->kind = MGMT_KIND_FILE;
	} else if (strcmp(t->word, "COMMAND") == 0) {
		t->kind = MGMT_KIND_COMMAND;
	} else if (isdigit((unsigned char)*p)) {
		char *dash;

		t->kind = MGMT_KIND_NUMBER;
		t->min = strtoll(t->word, &dash, 10);
		t->max = strtoll(dash + 1, NULL, 10);
	} else {
		t->kind = MGMT_KIND_WORD;
	}
}

/* first: a token before the others, or NULL; last: n_last tokens behind them. */
static cmdline_parse_inst_t *
inst_new(const struct mgmt_cli_row *row, struct mgmt_token *first, struct mgmt_token *tokens,
	unsigned int n, struct mgmt_token *last, unsigned int n_last)
{
	cmdline_parse_inst_t *inst =
		calloc(1, sizeof(*inst) + (n + n_last + 2) * sizeof(inst->tokens[0]));
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
	for (unsigned int i = 0; i < n_last; i++)
		inst->tokens[at++] = (cmdline_parse_token_hdr_t *)(void *)&last[i];
	return inst;
}

/* "[count 1-9]", from behind the bracket on. @return what comes after it */
static const char *
option_init(struct mgmt_cli *cli, struct mgmt_row_tokens *t, const char *p)
{
	const unsigned int i = t->n_options++;
	size_t n = mgmt_cli_word_len(p);

	token_init(&t->option[i].name, cli, p, n);
	p = mgmt_cli_skip_blank(p + n);
	n = strcspn(p, "]");
	token_init(&t->option[i].value, cli, p, n);
	t->completed[2 * i] = t->completed[2 * i + 1] = t->options;
	t->completed[2 * i].kind = MGMT_KIND_OPTION_NAME;
	t->completed[2 * i + 1].kind = MGMT_KIND_OPTION_VALUE;
	return mgmt_cli_skip_blank(p + n + 1);
}

static bool
row_init(struct mgmt_cli *cli, unsigned int r, unsigned int *n)
{
	const struct mgmt_cli_row *row = &mgmt_cli_rows[r];
	struct mgmt_row_tokens *t = &cli->rows[r];
	const char *p = row->grammar;

	t->options = (struct mgmt_token){
		.hdr = {.ops = &token_ops}, .kind = MGMT_KIND_OPTIONS, .cli = cli, .row = t};
	for (; *p != '\0' && *p != '[' && t->n < MGMT_TOKENS_MAX;
		p = mgmt_cli_skip_blank(p + mgmt_cli_word_len(p)))
		token_init(&t->token[t->n++], cli, p, mgmt_cli_word_len(p));
	while (*p == '[' && t->n_options < MGMT_OPTIONS_MAX)
		p = option_init(cli, t, p + 1);
	cli->ctx[*n] = inst_new(row, NULL, t->token, t->n, NULL, 0);
	if (!cli->ctx[(*n)++])
		return false;
	if (t->n_options != 0) {
		cli->ctx[*n] = inst_new(row, NULL, t->token, t->n, &t->options, 1);
		if (!cli->ctx[(*n)++])
			return false;
		cli->ctx[*n] = inst_new(row, NULL, t->token, t->n, t->completed, 2 * t->n_options);
		if (!cli->ctx[(*n)++])
			return false;
	}
	if (strcmp(t->token[0].word, cli->help.word) == 0)
		return true;
	cli->ctx[*n] = inst_new(row, &cli->help, t->token, t->n, NULL, 0);
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
	cli->ctx = calloc(4 * mgmt_cli_n_rows + 2, sizeof(*cli->ctx));
	if (!cli->rows || !cli->ctx)
		goto fail;
	cli->help = (struct mgmt_token){
		.hdr = {.ops = &token_ops}, .kind = MGMT_KIND_HELP, .word = "help", .cli = cli};
	for (unsigned int r = 0; r < mgmt_cli_n_rows; r++)
		if (!row_init(cli, r, &n))
			goto fail;
	/* It sees every line whole, before the command of the line runs. */
	cli->any_line = (struct mgmt_token){
		.hdr = {.ops = &token_ops}, .kind = MGMT_KIND_ANY_LINE, .cli = cli};
	cli->ctx[n] = inst_new(NULL, NULL, &cli->any_line, 1, NULL, 0);
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
	for (const char *p = grammar; *p != '\0' && used < len;
		p = mgmt_cli_skip_blank(p + mgmt_cli_word_len(p))) {
		struct mgmt_token t = {0};
		const char *shown = t.word;
		size_t n = mgmt_cli_word_len(p);
		bool opens = *p == '[', closes = p[n - 1] == ']';

		token_init(&t, NULL, p + opens, n - opens - closes);
		if (t.kind == MGMT_KIND_GROUP || t.kind == MGMT_KIND_IF)
			shown = "NAME";
		else if (t.kind == MGMT_KIND_KEY)
			shown = "PATH|hex:DIGITS";
		else if (t.kind == MGMT_KIND_HOPS)
			shown = "NEXTHOP,...";
		used += (size_t)snprintf(buf + used, len - used, "%s%s%s%s", used ? " " : "",
			opens ? "[" : "", shown, closes ? "]" : "");
	}
}
