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

/* Bytes, cycles: what comes to billions soon, with three or four digits. */
static void
print_large(FILE *to, double v)
{
	static const char units[] = " kMGT";
	unsigned int u = 0;

	while (v >= 1000 && u < sizeof(units) - 2) {
		v /= 1000;
		u++;
	}
	if (u == 0)
		fprintf(to, "%.0f", v);
	else
		fprintf(to, "%.2f %c", v, units[u]);
}

static void
print_bursts(FILE *to, const json_t *l)
{
	static const char *const sizes[DP_BURST_SIZES] = {
		"0", "1", "2-3", "4-7", "8-15", "16-31", "32"};
	const json_t *bursts = json_object_get(l, "bursts");
	uint64_t packets = get_u64(l, "packets"), full = 0, n[DP_BURST_SIZES];

	for (unsigned int b = 0; b < DP_BURST_SIZES; b++) {
		n[b] = (uint64_t)json_integer_value(json_array_get(bursts, b));
		full += b > 0 ? n[b] : 0;
	}
	fprintf(to, "\tpackets %" PRIu64 ", %.1f in a burst that had any; bursts of", packets,
		full ? (double)packets / (double)full : 0);
	for (unsigned int b = 0; b < DP_BURST_SIZES; b++)
		fprintf(to, "%s %s: %" PRIu64, b > 0 ? "," : "", sizes[b], n[b]);
	fputc('\n', to);
}

static void
print_worker(FILE *to, const json_t *l)
{
	uint64_t packets = get_u64(l, "packets");
	double busy = (double)get_u64(l, "busy_cycles");

	fprintf(to,
		"\trx queues %" PRIu64 ", turns %" PRIu64 ", empty %" PRIu64 ", sleeps %" PRIu64
		"\n\tbusy %.1f s (",
		get_u64(l, "rx_queues"), get_u64(l, "turns"), get_u64(l, "empty_turns"),
		get_u64(l, "sleeps"), (double)get_u64(l, "busy_ms") / 1000.0);
	print_large(to, busy);
	fprintf(to, " cycles, %.0f a packet), idle %.1f s (", packets ? busy / (double)packets : 0,
		(double)get_u64(l, "idle_ms") / 1000.0);
	print_large(to, (double)get_u64(l, "idle_cycles"));
	fprintf(to, " cycles)\n\tlongest turn %" PRIu64 " us, last turn %" PRIu64 " us ago\n",
		get_u64(l, "longest_turn_us"), get_u64(l, "last_turn_us_ago"));
	print_bursts(to, l);
}

void
mgmt_text_fwd_stats(FILE *to, const json_t *v)
{
	const char *name;
	json_t *n;

	json_object_foreach ((json_t *)(uintptr_t)v, name, n)
		fprintf(to, "%12" JSON_INTEGER_FORMAT " %s\n", json_integer_value(n), name);
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
		if (json_object_get(l, "rx_queues") != NULL)
			print_worker(to, l);
		else if (json_object_get(l, "turns") != NULL)
			fprintf(to,
				"\tturns %" PRIu64 ", sleeps %" PRIu64 ", stalls %" PRIu64
				", longest turn %" PRIu64 " us\n",
				get_u64(l, "turns"), get_u64(l, "sleeps"), get_u64(l, "stalls"),
				get_u64(l, "longest_turn_us"));
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

void
mgmt_text_hooks(FILE *to, const json_t *v)
{
	if (!get_bool(v, "configured")) {
		fputs("no hook is configured (\"on-change\" of \"carp\")\n", to);
		return;
	}
	fprintf(to, "%s, at most %" PRIu64 " s\n", get_str(v, "program"), get_u64(v, "timeout_s"));
	fprintf(to, "%12" PRIu64 " run, the last one for event %" PRIu64 "\n", get_u64(v, "run"),
		get_u64(v, "last_seq"));
	fprintf(to, "%12" PRIu64 " of them failed\n", get_u64(v, "failed"));
	fprintf(to, "%12" PRIu64 " of them killed after their time\n", get_u64(v, "timed_out"));
	fprintf(to, "%12" PRIu64 " could not be run\n", get_u64(v, "not_run"));
	fprintf(to, "%12" PRIu64 " dropped: too many changes at once\n", get_u64(v, "dropped"));
	fprintf(to, "%12" PRIu64 " waiting\n", get_u64(v, "waiting"));
}
