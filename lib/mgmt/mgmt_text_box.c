/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_text_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#include "dp.h"

#include "mgmt_json_priv.h"

void
mgmt_text_drops(FILE *to, const json_t *v)
{
	/* What did happen first; the names that never did follow, so that all can be found. */
	for (unsigned int zero = 0; zero < 2; zero++) {
		for (unsigned int i = 0; i < DP_DROP_COUNT; i++) {
			const char *name = dp_drop_name((enum dp_drop)i);
			uint64_t n = get_u64(v, name);

			if ((n == 0) == (zero == 1))
				fprintf(to, "%12" PRIu64 " %-18s %s\n", n, name,
					dp_drop_text((enum dp_drop)i));
		}
	}
}

void
mgmt_text_lcores(FILE *to, const json_t *v)
{
	const json_t *list = json_object_get(v, "lcores"), *l;
	size_t i;

	json_array_foreach (list, i, l) {
		const json_int_t cpu = json_integer_value(json_object_get(l, "cpu"));
		const char *note = get_str(l, "note");

		fprintf(to, "lcore %" PRIu64 ": %s, ", get_u64(l, "lcore"), get_str(l, "role"));
		if (cpu < 0)
			fputs("any cpu", to);
		else
			fprintf(to, "cpu %" JSON_INTEGER_FORMAT, cpu);
		fprintf(to, ", numa %" JSON_INTEGER_FORMAT "%s%s\n",
			json_integer_value(json_object_get(l, "numa_node")),
			note[0] != '\0' ? ", " : "", note);
		if (json_object_get(l, "rx_queues") == NULL)
			continue;
		fprintf(to,
			"\trx queues %" PRIu64 ", turns %" PRIu64 ", empty %" PRIu64
			", sleeps %" PRIu64 "\n",
			get_u64(l, "rx_queues"), get_u64(l, "turns"), get_u64(l, "empty_turns"),
			get_u64(l, "sleeps"));
		fprintf(to,
			"\tbusy %.1f s, idle %.1f s, longest turn %" PRIu64
			" us, last turn %" PRIu64 " us ago\n",
			(double)get_u64(l, "busy_ms") / 1000.0,
			(double)get_u64(l, "idle_ms") / 1000.0, get_u64(l, "longest_turn_us"),
			get_u64(l, "last_turn_us_ago"));
	}
}

void
mgmt_text_info(FILE *to, const json_t *v)
{
	fprintf(to, "koi %s (%s), node %s, pid %" PRIu64 ", up %.1f s\n", get_str(v, "version"),
		get_str(v, "dpdk"), get_str(v, "node"), get_u64(v, "pid"),
		(double)get_u64(v, "uptime_ms") / 1000.0);
}

void
mgmt_text_config_diff(FILE *to, const json_t *v)
{
	const json_t *changes = json_object_get(v, "changes"), *line;
	size_t i;

	if (json_array_size(changes) == 0)
		fputs("as in the file\n", to);
	json_array_foreach (changes, i, line)
		fprintf(to, "%s\n", json_string_value(line));
}

void
mgmt_text_config(FILE *to, const json_t *v)
{
	char *text = json_dumps(v, JSON_INDENT(2));

	fprintf(to, "%s\n", text ? text : "");
	free(text);
}
