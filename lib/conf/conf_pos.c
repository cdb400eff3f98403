/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_pos_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

char *
conf_pos_decode(const char *raw, size_t len)
{
	json_t *v;
	char *copy;

	if (memchr(raw, '\\', len) == NULL)
		return strndup(raw, len);
	/* the quotes are part of the text on both sides */
	v = json_loadb(raw - 1, len + 2, JSON_DECODE_ANY, NULL);
	copy = v == NULL ? NULL : strdup(json_string_value(v));
	json_decref(v);
	return copy;
}

uint32_t
conf_pos_hash(const char *s, size_t len)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)s[i]) * 16777619u;
	return h;
}

void
conf_pos_free(struct conf_pos *p)
{
	free(p->node);
	*p = (struct conf_pos){0};
}

char *
conf_pos_key(const struct conf_pos *p, uint32_t node)
{
	return conf_pos_decode(p->text + p->node[node].key, p->node[node].key_len);
}

static bool
key_is(const struct conf_pos *p, uint32_t node, const char *key)
{
	char *own = conf_pos_key(p, node);
	bool same = own != NULL && strcmp(own, key) == 0;

	free(own);
	return same;
}

uint32_t
conf_pos_member(const struct conf_pos *p, uint32_t object, const char *key)
{
	uint32_t hash = conf_pos_hash(key, strlen(key)), last = CONF_POS_NONE;

	for (uint32_t i = p->node[object].first; i != CONF_POS_NONE; i = p->node[i].next) {
		if (p->node[i].key_hash == hash && key_is(p, i, key))
			last = i;
	}
	return last;
}

char *
conf_pos_pointer(const struct conf_pos *p, uint32_t node)
{
	uint32_t path[CONF_POS_MAX_DEPTH + 1];
	unsigned int n = 0;
	char *text = NULL;
	size_t len;
	FILE *f;

	for (; p->node[node].parent != CONF_POS_NONE; node = p->node[node].parent)
		path[n++] = node;
	f = open_memstream(&text, &len);
	if (f == NULL)
		return NULL;
	while (n-- > 0) {
		const struct conf_pos_node *c = &p->node[path[n]];

		fputc('/', f);
		if (p->node[c->parent].type == CONF_POS_ARRAY) {
			fprintf(f, "%u", c->index);
			continue;
		}
		char *key = conf_pos_key(p, path[n]);

		for (const char *k = key == NULL ? "?" : key; *k != '\0'; k++) {
			if (*k == '~' || *k == '/')
				fputs(*k == '~' ? "~0" : "~1", f);
			else
				fputc(*k, f);
		}
		free(key);
	}
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

struct hashed {
	uint32_t hash, node;
};

static int
compare_hashed(const void *va, const void *vb)
{
	const struct hashed *a = va, *b = vb;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->node < b->node ? -1 : a->node > b->node;
}

int
conf_pos_duplicates(const struct conf_pos *p,
	void (*found_one)(void *arg, uint32_t first, uint32_t again), void *arg)
{
	struct hashed *h = NULL;
	uint32_t cap = 0;

	for (uint32_t o = 0; o < p->n; o++) {
		uint32_t n = p->node[o].n, k = 0;

		if (p->node[o].type != CONF_POS_OBJECT || n < 2)
			continue;
		if (n > cap) {
			free(h);
			cap = n;
			h = malloc(cap * sizeof(*h));
			if (h == NULL)
				return -ENOMEM;
		}
		for (uint32_t i = p->node[o].first; i != CONF_POS_NONE; i = p->node[i].next)
			h[k++] = (struct hashed){.hash = p->node[i].key_hash, .node = i};
		qsort(h, n, sizeof(*h), compare_hashed);
		for (uint32_t i = 1, run = 0; i < n; i++) {
			if (h[i].hash != h[run].hash) {
				run = i;
				continue;
			}
			char *key = conf_pos_key(p, h[i].node);

			for (uint32_t j = run; j < i && key != NULL; j++) {
				if (key_is(p, h[j].node, key)) {
					found_one(arg, h[j].node, h[i].node);
					break;
				}
			}
			if (key == NULL) {
				free(h);
				return -ENOMEM;
			}
			free(key);
		}
	}
	free(h);
	return 0;
}
