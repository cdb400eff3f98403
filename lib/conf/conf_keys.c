/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_keys_priv.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define STRUCT_ROOT	 struct conf
#define STRUCT_LCORES	 struct conf_lcores
#define STRUCT_METRICS	 struct conf_metrics
#define STRUCT_CLI	 struct conf_cli
#define STRUCT_IF	 struct conf_if
#define STRUCT_HOST	 struct conf_host
#define STRUCT_NEIGHBOR	 struct conf_neighbor
#define STRUCT_RA	 struct conf_ra
#define STRUCT_RA_PREFIX struct wire_ra_prefix
#define STRUCT_CARP	 struct conf
#define STRUCT_GROUP	 struct conf_group
#define STRUCT_ROUTE	 struct conf_route

#define CONF_VALUE(obj, id, key, t, field, u, lo, hi, dflt, w, r, h) \
	[CONF_KEY_##obj##_##id] = {                                  \
		.object = CONF_OBJECT_##obj,                         \
		.type = CONF_TYPE_##t,                               \
		.name = key,                                         \
		.offset = offsetof(STRUCT_##obj, field),             \
		.size = sizeof(((STRUCT_##obj *)0)->field),          \
		.unit = u,                                           \
		.min = lo,                                           \
		.max = hi,                                           \
		.fallback = dflt,                                    \
		.words = w,                                          \
		.reload = CONF_RELOAD_##r,                           \
		.help = h,                                           \
	},
#define CONF_PART(obj, id, key, what, lo, hi, dflt, r, h) \
	[CONF_KEY_##obj##_##id] = {                       \
		.object = CONF_OBJECT_##obj,              \
		.type = CONF_TYPE_PART,                   \
		.name = key,                              \
		.min = lo,                                \
		.max = hi,                                \
		.fallback_text = dflt,                    \
		.words = what,                            \
		.reload = CONF_RELOAD_##r,                \
		.help = h,                                \
	},

const struct conf_key conf_keys[CONF_KEY_N] = {
#include "conf_keys.def"
};

bool
conf_key_required(const struct conf_key *k)
{
	if (k->type == CONF_TYPE_PART)
		return k->fallback_text == NULL;
	return k->fallback == CONF_REQUIRED;
}

const struct conf_key *
conf_key_find(enum conf_object object, const char *name)
{
	for (unsigned int i = 0; i < CONF_KEY_N; i++) {
		if (conf_keys[i].object == object && strcmp(conf_keys[i].name, name) == 0)
			return &conf_keys[i];
	}
	return NULL;
}

#define NEAR_MAX_BYTES 32

/*
 * Edit distance with swaps of neighbours as one step (optimal string alignment), so that the
 * commonest slips of the hand count once. "_" and "-" are the same, as is the case of letters.
 */
static unsigned int
edit_distance(const char *a, const char *b)
{
	unsigned int rows[3][NEAR_MAX_BYTES + 1];
	size_t la = strlen(a), lb = strlen(b);

	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned int *row = rows[i % 3], *above = rows[(i - 1) % 3];
		const unsigned int *above2 = rows[(i + 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= lb; j++) {
			int ca = a[i - 1] == '_' ? '-' : tolower((unsigned char)a[i - 1]);
			int cb = b[j - 1] == '_' ? '-' : tolower((unsigned char)b[j - 1]);
			unsigned int best = above[j - 1] + (ca != cb);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				above2[j - 2] + 1 < best)
				best = above2[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[la % 3][lb];
}

bool
conf_words_near(const char *a, const char *b, unsigned int *distance)
{
	size_t la = strlen(a), lb = strlen(b), shorter = la < lb ? la : lb;

	if (la > NEAR_MAX_BYTES || lb > NEAR_MAX_BYTES)
		return false;
	*distance = edit_distance(a, b);
	return *distance <= (shorter < 6 ? 1 : 2) && *distance < shorter;
}

bool
conf_word_near(const char *words, const char *s, char near[CONF_WORD_MAX])
{
	unsigned int best = UINT32_MAX, d;
	char word[CONF_WORD_MAX];

	while (*words != '\0') {
		size_t n = strcspn(words, " ");

		snprintf(word, sizeof(word), "%.*s", (int)n, words);
		if (conf_words_near(s, word, &d) && d < best) {
			best = d;
			memcpy(near, word, sizeof(word));
		}
		words += n;
		words += strspn(words, " ");
	}
	return best != UINT32_MAX;
}

/** True when only the unit is missing: "preempt-delay". */
static bool
lacks_unit(const struct conf_key *k, const char *name)
{
	size_t n = strlen(name);

	return k->unit != NULL && strncmp(k->name, name, n) == 0 && k->name[n] == '-' &&
		strcmp(k->name + n + 1, k->unit) == 0;
}

const struct conf_key *
conf_key_near(enum conf_object object, const char *name)
{
	const struct conf_key *best = NULL;
	unsigned int best_distance = UINT32_MAX;

	for (unsigned int i = 0; i < CONF_KEY_N; i++) {
		const struct conf_key *k = &conf_keys[i];
		unsigned int d;

		if (k->object != object)
			continue;
		if (lacks_unit(k, name))
			return k;
		if (conf_words_near(name, k->name, &d) && d < best_distance) {
			best = k;
			best_distance = d;
		}
	}
	return best;
}

char *
conf_key_list(enum conf_object object)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	const char *sep = "";

	if (f == NULL)
		return NULL;
	for (unsigned int i = 0; i < CONF_KEY_N; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (k->object != object)
			continue;
		fprintf(f, "%s\"%s\"", sep, k->name);
		sep = ", ";
	}
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static void
word_list(const char *words, char *buf, size_t len)
{
	size_t at = (size_t)snprintf(buf, len, "one of");
	const char *sep = "";

	while (*words != '\0' && at < len) {
		int n = (int)strcspn(words, " ");

		at += (size_t)snprintf(buf + at, len - at, "%s \"%.*s\"", sep, n, words);
		sep = ",";
		words += n;
		words += strspn(words, " ");
	}
}

const char *
conf_key_allowed(const struct conf_key *k, char *buf, size_t len)
{
	switch (k->type) {
	case CONF_TYPE_INT:
		if (k->words != NULL)
			snprintf(buf, len, "%s", k->words);
		else
			snprintf(buf, len, "an integer from %" PRId64 " to %" PRId64, k->min,
				k->max);
		break;
	case CONF_TYPE_BOOL:
		snprintf(buf, len, "true or false");
		break;
	case CONF_TYPE_SWITCH:
		snprintf(buf, len, "true or false (also 1 or 0)");
		break;
	case CONF_TYPE_WORD:
		word_list(k->words, buf, len);
		break;
	case CONF_TYPE_PART:
		snprintf(buf, len, "%s", k->words);
		break;
	}
	return buf;
}
