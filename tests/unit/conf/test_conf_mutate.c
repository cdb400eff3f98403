/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Ten thousand damaged configuration files, the same ones in each run: each is accepted, or
 * refused with at least one finding that points into the file. Most damage is what an editor's
 * hand does (a value of another kind, a lost line, a key that is there twice); some is of bytes.
 */
#include "conf_cases.h"

#include <jansson.h>

#include "base_rand.h"

#define MUTANTS	 10000
#define TEXT_MAX 8192
#define SEED	 20260101

static const char *const sources[] = {
	CONFIG_DIR "/koi.json",
	CONFIG_DIR "/fw1.json",
	CONFIG_DIR "/fw2.json",
	TEST_DATA "/../fuzz/corpus/conf/every-key.json",
	TEST_DATA "/../fuzz/corpus/conf/shared-addresses.json",
};
#define N_SOURCES (sizeof(sources) / sizeof(sources[0]))

/* What replaces a value, or is put somewhere. */
static const char *const scraps[] = {"0", "1", "-1", "255", "256", "65536", "1e9", "0.5",
	"99999999999999999999", "true", "false", "null", "\"\"", "\"lan\"", "\"wan\"", "\"auto\"",
	"\"192.0.2.2/24\"", "\"192.0.2.1/32\"", "\"fe80::1/64\"", "\"2001:db8:1::9/64\"",
	"\"10.0.0.0/8\"", "\"224.0.0.18\"", "\"hex:00\"", "\"\\u0000\"", "\"\\ud800\"", "\"\xff\"",
	"[]", "{}", "[[]]", "{\"name\": 1}", ",", ":", "\"", "}", "]", "\n", "\t", "\xef\xbb\xbf",
	"\"vlan\": 1,", "\"mtu\": 67,", "\"fast\": true,", "\"vhid\": 0,"};
#define N_SCRAPS (sizeof(scraps) / sizeof(scraps[0]))

struct text {
	size_t len;
	char s[TEXT_MAX];
};

static struct text originals[N_SOURCES];

static void
read_originals(void)
{
	for (size_t i = 0; i < N_SOURCES; i++) {
		FILE *f = fopen(sources[i], "re");

		if (f == NULL)
			fail_msg("%s: cannot be opened", sources[i]);
		originals[i].len = fread(originals[i].s, 1, TEXT_MAX / 2, f);
		assert_true(originals[i].len > 0 && originals[i].len < TEXT_MAX / 2);
		fclose(f);
	}
}

/** Put a piece in the place of len bytes at an offset; left as it is when there is no room. */
static void
splice(struct text *t, size_t at, size_t len, const char *piece, size_t piece_len)
{
	if (t->len - len + piece_len > TEXT_MAX)
		return;
	memmove(t->s + at + piece_len, t->s + at + len, t->len - at - len);
	memcpy(t->s + at, piece, piece_len);
	t->len = t->len - len + piece_len;
}

/** A number, word or string of the text: from a random place to the next that begins one. */
static void
find_scalar(const struct text *t, struct base_rand *r, size_t *at, size_t *len)
{
	size_t i = base_rand_below(r, t->len), end;

	while (i < t->len && strchr(" \n\t,:[]{}", t->s[i]) != NULL)
		i++;
	end = i;
	if (i < t->len && t->s[i] == '"') {
		for (end++; end < t->len && t->s[end] != '"'; end++)
			;
		end += end < t->len;
	} else {
		while (end < t->len && strchr(" \n\t,:[]{}\"", t->s[end]) == NULL)
			end++;
	}
	*at = i;
	*len = end - i;
}

static void
mutate(struct text *t, struct base_rand *r)
{
	const char *scrap = scraps[base_rand_below(r, N_SCRAPS)];
	const struct text *other = &originals[base_rand_below(r, N_SOURCES)];
	size_t at = base_rand_below(r, t->len), len = base_rand_below(r, t->len - at) % 80, from;
	char piece[80];

	switch (base_rand_below(r, 9)) {
	case 0: /* a byte, any */
		t->s[at] = (char)base_rand_next(r);
		break;
	case 1: /* a bit */
		t->s[at] = (char)(t->s[at] ^ (1 << base_rand_below(r, 8)));
		break;
	case 2: /* less */
		splice(t, at, len, "", 0);
		break;
	case 3: /* twice */
		memcpy(piece, t->s + at, len);
		splice(t, at, 0, piece, len);
		break;
	case 4: /* something in between */
		splice(t, at, 0, scrap, strlen(scrap));
		break;
	case 5: /* something of another file */
		from = base_rand_below(r, other->len);
		len = base_rand_below(r, other->len - from) % sizeof(piece);
		splice(t, at, 0, other->s + from, len);
		break;
	case 6: /* cut off */
		if (base_rand_below(r, 8) == 0)
			t->len = at;
		break;
	default: /* another value */
		find_scalar(t, r, &at, &len);
		splice(t, at, len, scrap, strlen(scrap));
		break;
	}
}

static uint32_t
lines_of(const struct text *t)
{
	uint32_t n = 1;

	for (size_t i = 0; i < t->len; i++)
		n += t->s[i] == '\n';
	return n;
}

/** What a program reads of it says the same as what a person does. */
static void
check_printed(const struct conf_issues *issues)
{
	char *out = NULL, *lines = conf_case_lines(issues);
	size_t len, n = 0;
	FILE *f = open_memstream(&out, &len);
	json_t *o;

	assert_non_null(f);
	conf_issues_print_json(issues, f);
	assert_int_equal(fclose(f), 0);
	o = json_loadb(out, len, 0, NULL);
	assert_non_null(o);
	assert_int_equal(json_array_size(json_object_get(o, "errors")), issues->n_errors);
	assert_int_equal(json_array_size(json_object_get(o, "warnings")), issues->n_warnings);
	for (const char *s = lines; *s != '\0'; s++)
		n += *s == '\n';
	assert_int_equal(n, issues->n);
	json_decref(o);
	free(out);
	free(lines);
}

static bool
accepted(const struct text *t)
{
	/* an exact copy, so that a sanitizer sees a read past its end */
	char *copy = malloc(t->len == 0 ? 1 : t->len);
	struct conf_issues issues;
	uint32_t lines = lines_of(t);
	struct conf *c;

	assert_non_null(copy);
	memcpy(copy, t->s, t->len);
	c = conf_parse(copy, t->len, "t", CONF_CHECK_ONLY, &issues);
	assert_int_equal(c == NULL, issues.n_errors > 0);
	assert_int_equal(issues.n, issues.n_errors + issues.n_warnings);
	for (uint32_t i = 0; i < issues.n; i++) {
		const struct conf_issue *is = &issues.issue[i];

		assert_in_range(is->line, 1, lines);
		assert_in_range(is->column, 1, t->len + 1);
		assert_true(is->text[0] != '\0' && strchr(is->text, '\n') == NULL);
		assert_true(is->pointer[0] == '\0' || is->pointer[0] == '/');
	}
	check_printed(&issues);
	conf_free(c);
	conf_issues_free(&issues);
	free(copy);
	return c != NULL;
}

static void
each_is_accepted_or_refused_with_a_place(void **state)
{
	uint32_t n_accepted = 0;
	struct base_rand r;
	struct text t;

	(void)state;
	read_originals();
	for (size_t i = 0; i < N_SOURCES; i++)
		if (!accepted(&originals[i]))
			fail_msg("%s is refused as it is", sources[i]);
	base_rand_init(&r, SEED);
	for (uint32_t i = 0; i < MUTANTS; i++) {
		uint64_t n = 1 + base_rand_below(&r, 3);

		t = originals[base_rand_below(&r, N_SOURCES)];
		while (n-- > 0 && t.len > 0)
			mutate(&t, &r);
		n_accepted += accepted(&t);
	}
	print_message("# %u of %u accepted\n", n_accepted, MUTANTS);
	/* both happen, or the damage is of no use */
	assert_in_range(n_accepted, MUTANTS / 100, MUTANTS / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_accepted_or_refused_with_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
