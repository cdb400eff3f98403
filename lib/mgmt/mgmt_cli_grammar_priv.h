/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_CLI_GRAMMAR_PRIV_H
#define MGMT_CLI_GRAMMAR_PRIV_H

#include <string.h>

#include "mgmt_cli_priv.h"

/** @file Rows of cli_cmds.def as tokens, and how far a line matches them. */

#define MGMT_TOKENS_MAX 9

enum mgmt_kind {
	MGMT_KIND_WORD,
	MGMT_KIND_GROUP,
	MGMT_KIND_IF,
	MGMT_KIND_NUMBER,
	MGMT_KIND_KEY,
	MGMT_KIND_PREFIX,
	MGMT_KIND_ADDRESS,
	MGMT_KIND_MAC,
	MGMT_KIND_HOPS,
	MGMT_KIND_FILE,
	MGMT_KIND_COMMAND,     /* all that is left of the line */
	MGMT_KIND_OPTIONS,     /* the same, where a command has options */
	MGMT_KIND_OPTION_NAME, /* one word of them, for completion only */
	MGMT_KIND_OPTION_VALUE,
	MGMT_KIND_HELP, /* the word, in front of other commands, for completion only */
	MGMT_KIND_ANY_LINE,
};

struct mgmt_token {
	struct cmdline_token_hdr hdr; /* first: cmdline knows a token by it */
	enum mgmt_kind kind;
	char word[16];
	int64_t min, max;
	const struct mgmt_cli *cli;
	const struct mgmt_row_tokens *row; /* of what has to do with options */
};

struct mgmt_row_tokens {
	unsigned int n;
	struct mgmt_token token[MGMT_TOKENS_MAX];
	unsigned int n_options;
	struct {
		struct mgmt_token name, value;
	} option[MGMT_OPTIONS_MAX];
	struct mgmt_token options;			   /* all of them */
	struct mgmt_token completed[2 * MGMT_OPTIONS_MAX]; /* word by word */
};

struct mgmt_cli {
	struct mgmt_row_tokens *rows;
	struct mgmt_token any_line, help;
	/*
	 * an instance per row, two more where it has options, one for it after "help", one for any
	 * other line, NULL
	 */
	cmdline_parse_inst_t **ctx;
};

static inline const char *
mgmt_cli_skip_blank(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* Unlike cmdline's, a word goes on over '#': "ab#cd" must not silently become "ab". */
static inline size_t
mgmt_cli_word_len(const char *p)
{
	return strcspn(p, " \t\r\n");
}

/* No further word: the end, or a comment. */
static inline bool
mgmt_cli_at_end(const char *p)
{
	return *p == '\0' || *p == '\r' || *p == '\n' || *p == '#';
}

/** How many words of the line match the row; *rest is behind them. */
unsigned int mgmt_cli_row_match(const struct mgmt_row_tokens *row, const struct mgmt_config *c,
	const char *line, const char **rest);

/** A word of n bytes, and what it is for args. */
bool mgmt_cli_token_matches(const struct mgmt_token *t, const struct mgmt_config *c, const char *p,
	size_t n, struct mgmt_args *a);
/**
 * Options from p to the end of the line, to a->option.
 * @param which  filled with the option whose value is bad or missing; n_options: no option is meant
 * @return NULL; or where the line is wrong
 */
const char *mgmt_cli_options_match(const struct mgmt_row_tokens *row, const struct mgmt_config *c,
	const char *line, struct mgmt_args *a, unsigned int *which);

#endif
