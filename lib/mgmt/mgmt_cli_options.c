/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Options of a command: pairs of a word and a value behind its other words, each at most once and
 * in any order. In a grammar they stand in brackets.
 */
#include "mgmt_cli_grammar_priv.h"

/* Which option a word is, of those that were not given yet; n_options: none. */
static unsigned int
option_find(const struct mgmt_row_tokens *row, const struct mgmt_args *a, const char *p, size_t n)
{
	unsigned int i = 0;

	while (i < row->n_options &&
		(a->option[i].given || strlen(row->option[i].name.word) != n ||
			memcmp(row->option[i].name.word, p, n) != 0))
		i++;
	return i;
}

const char *
mgmt_cli_options_match(const struct mgmt_row_tokens *row, const struct mgmt_config *c,
	const char *line, struct mgmt_args *a, unsigned int *which)
{
	const char *p = mgmt_cli_skip_blank(line);

	while (!mgmt_cli_at_end(p)) {
		struct mgmt_args value = {0};
		size_t n = mgmt_cli_word_len(p);

		*which = option_find(row, a, p, n);
		if (*which == row->n_options)
			return p;
		p = mgmt_cli_skip_blank(p + n);
		n = mgmt_cli_word_len(p);
		if (mgmt_cli_at_end(p) ||
			!mgmt_cli_token_matches(&row->option[*which].value, c, p, n, &value))
			return p;
		a->option[*which] = (struct mgmt_option){
			.given = true,
			.value = value.value,
			.addr = value.addr,
			.if_index = value.if_index,
		};
		p = mgmt_cli_skip_blank(p + n);
	}
	return NULL;
}
