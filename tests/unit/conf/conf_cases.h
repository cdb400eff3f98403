/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CONF_CASES_H
#define CONF_CASES_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "conf.h"

#define CONFIG_DIR TEST_DATA "/../../config"

/** Mistakes in a configuration, each with every line that it gives. */

struct conf_case {
	const char *name;
	const char *text;
	const char *lines;
	size_t len; /**< of a text with NUL bytes in it; 0 = strlen() */
};

/* The frames put what a case is about on line 4, 5 or, for interfaces, 2. */
#define IFS                                                                                   \
	"\"interfaces\": [\n"                                                                 \
	"{\"name\": \"lan\", \"device\": \"net_tap0\", \"addresses\": [\"192.0.2.2/24\"]},\n" \
	"{\"name\": \"wan\", \"device\": \"net_tap1\", \"addresses\": [\"198.51.100.2/24\"]}]"
#define ROOT(x)	  "{" IFS ",\n" x "}"
#define IF(x)	  "{\"interfaces\": [\n" x "]}"
#define CARP(x)	  "{" IFS ",\n\"carp\": {" x "}}"
#define GROUPS(x) "{" IFS ",\n\"carp\": {\"groups\": [\n" x "]}}"
#define GROUP(x)  GROUPS("{\"name\": \"carp0\", \"pass\": \"x\", " x "}")
#define VIPS(x)	  GROUP("\"vhid\": 1, \"carpdev\": \"lan\", \"addresses\": [" x "]")
#define ROUTES(x) "{" IFS ",\n\"routes\": [\n" x "]}"

/** What conf_issues_print() writes. @return malloced */
static inline char *
conf_case_lines(const struct conf_issues *issues)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	conf_issues_print(issues, f);
	assert_int_equal(fclose(f), 0);
	return text;
}

/** A configuration that is good. */
static inline struct conf *
conf_case_good(const char *text)
{
	struct conf_issues issues;
	struct conf *c = conf_parse(text, strlen(text), "t", 0, &issues);

	if (c == NULL)
		fail_msg("%s", conf_case_lines(&issues));
	conf_issues_free(&issues);
	return c;
}

/** Every case, from an exact copy of its text so that a sanitizer sees a read past its end. */
static inline void
conf_cases_run(const struct conf_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct conf_case *t = &cases[i];
		size_t len = t->len != 0 ? t->len : strlen(t->text);
		char *copy = malloc(len == 0 ? 1 : len), *lines;
		struct conf_issues issues;
		struct conf *c;

		assert_non_null(copy);
		memcpy(copy, t->text, len);
		c = conf_parse(copy, len, "t", 0, &issues);
		lines = conf_case_lines(&issues);
		if (strcmp(lines, t->lines) != 0)
			fail_msg("%s:\n%sexpected:\n%s", t->name, lines, t->lines);
		/* warnings alone do not refuse */
		assert_int_equal(c != NULL, issues.n_errors == 0);
		assert_int_equal(issues.n, issues.n_errors + issues.n_warnings);
		free(lines);
		free(copy);
		conf_free(c);
		conf_issues_free(&issues);
	}
}

#define CONF_CASES_RUN(cases) conf_cases_run(cases, sizeof(cases) / sizeof((cases)[0]))

#endif
