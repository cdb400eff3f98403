/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_text_priv.h"

#include <inttypes.h>
#include <string.h>

#include "mgmt_json_priv.h"

int
mgmt_text_width(const json_t *list, const char *key, size_t least)
{
	const json_t *row;
	size_t i;

	json_array_foreach (list, i, row)
		if (strlen(get_str(row, key)) > least)
			least = strlen(get_str(row, key));
	return (int)least;
}

static const char *
or_dash(const json_t *row, const char *key)
{
	const char *text = get_str(row, key);

	return text[0] != '\0' ? text : "-";
}

void
mgmt_text_routes(FILE *to, const json_t *v)
{
	const json_t *list = json_object_get(v, "routes"), *r;
	int prefix = mgmt_text_width(list, "prefix", 18);
	int via = mgmt_text_width(list, "via", 15);
	size_t i;

	fprintf(to, "%-*s %-11s %-9s %-*s %-15s %s\n", prefix, "prefix", "type", "origin", via,
		"via", "interface", "group");
	json_array_foreach (list, i, r)
		fprintf(to, "%-*s %-11s %-9s %-*s %-15s %s\n", prefix, get_str(r, "prefix"),
			get_str(r, "type"), get_str(r, "origin"), via, or_dash(r, "via"),
			or_dash(r, "interface"), or_dash(r, "group"));
	if (get_str(v, "next_prefix")[0] != '\0')
		fprintf(to, "(of %" PRIu64 " routes; go on with: show route from %s)\n",
			get_u64(v, "count"), get_str(v, "next_prefix"));
}

void
mgmt_text_route_one(FILE *to, const json_t *v)
{
	const json_t *paths = json_object_get(v, "paths"), *p;
	size_t i;

	if (get_str(v, "prefix")[0] == '\0') {
		fprintf(to, "no route to %s\n", get_str(v, "asked"));
		return;
	}
	fprintf(to, "%s: %s, %s", get_str(v, "prefix"), get_str(v, "type"), get_str(v, "origin"));
	if (get_str(v, "interface")[0] != '\0')
		fprintf(to, ", interface %s", get_str(v, "interface"));
	if (get_str(v, "group")[0] != '\0')
		fprintf(to, ", group %s", get_str(v, "group"));
	fputc('\n', to);
	json_array_foreach (paths, i, p)
		fprintf(to, "\tvia %s interface %s: neighbor %s%s\n", get_str(p, "via"),
			get_str(p, "interface"), get_str(p, "neighbor"),
			get_bool(p, "link_up") ? "" : ", link down");
}

void
mgmt_text_route_summary(FILE *to, const json_t *v)
{
	fprintf(to,
		"routes %" PRIu64 ", set at run time %" PRIu64 "\n"
		"\tnext hops %" PRIu64 " trie nodes IPv4 %" PRIu64 " IPv6 %" PRIu64
		" memory %" PRIu64 " KiB, made larger %" PRIu64 " times\n"
		"\tchanges %" PRIu64 " in %" PRIu64 " batches, refused %" PRIu64
		", longest batch %" PRIu64 " us\n",
		get_u64(v, "routes"), get_u64(v, "runtime"), get_u64(v, "next_hops"),
		get_u64(v, "nodes4"), get_u64(v, "nodes6"), get_u64(v, "table_bytes") / 1024,
		get_u64(v, "rebuilt"), get_u64(v, "changes"), get_u64(v, "batches"),
		get_u64(v, "refused"), get_u64(v, "longest_batch_us"));
}
