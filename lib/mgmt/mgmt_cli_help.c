/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What the commands are, as cli_cmds.def says it. */
#include "mgmt_cli_priv.h"

#include <ctype.h>
#include <string.h>

#define BLANK " \t"

/* A name or a value stands for itself in the grammar: whatever was typed there may be meant. */
static bool
word_begins(const char *word, size_t len, const char *typed, size_t n)
{
	return !islower((unsigned char)*word) || (n <= len && memcmp(word, typed, n) == 0);
}

static bool
row_begins(const char *grammar, const char *about)
{
	for (about += strspn(about, BLANK); *about != '\0'; about += strspn(about, BLANK)) {
		const size_t len = strcspn(grammar, BLANK), n = strcspn(about, BLANK);

		if (len == 7 && memcmp(grammar, "COMMAND", len) == 0)
			return true;
		if (len == 0 || !word_begins(grammar, len, about, n))
			return false;
		grammar += len;
		grammar += strspn(grammar, BLANK);
		about += n;
	}
	return true;
}

bool
mgmt_cli_help(const char *about, FILE *to)
{
	const bool list = about[strspn(about, BLANK)] == '\0';
	bool any = false;
	char usage[128];

	for (unsigned int i = 0; i < mgmt_cli_n_rows; i++) {
		const struct mgmt_cli_row *row = &mgmt_cli_rows[i];

		if (!row_begins(row->grammar, about))
			continue;
		any = true;
		mgmt_cli_usage(row->grammar, usage, sizeof(usage));
		if (list)
			fprintf(to, "%-45s %s\n", usage, row->help);
		else
			fprintf(to, "%s\n\t%s\n\texample: %s\n", usage, row->help, row->example);
	}
	return any;
}
