/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * OpenMetrics, and Prometheus' older text format, which differs by the family's name of a counter
 * and by what it leaves out. A family's samples stand together, so that the loop is families
 * outside, objects inside.
 */
#include "mgmt_metrics_priv.h"

#include <inttypes.h>
#include <string.h>

#include "conf.h"
#include "ctl.h"
#include "dp.h"

#include "mgmt_json_priv.h"

enum subject { BOX, HOOKS, CAPTURE, FWD, GROUP, IF, PORT, LCORE, SUBJECTS };
enum type { COUNTER, GAUGE, INFO, HISTOGRAM };

static const char *const type_names[] = {
	[COUNTER] = "counter",
	[GAUGE] = "gauge",
	[INFO] = "info",
	[HISTOGRAM] = "histogram",
};

struct metric {
	enum subject subject;
	const char *key, *name;
	enum type type;
	const char *unit;
	uint32_t divisor;
	const char *help;
};

static const struct metric metrics[] = {
#define MGMT_METRIC(subject, key, name, type, unit, divisor, help) \
	{subject, key, name, type, unit, divisor, help},
#include "metrics.def"
#undef MGMT_METRIC
};

/* Where the objects of a subject are, and which of their members name them. */
static const struct subject_info {
	json_t *(*view)(const struct mgmt_config *, const struct mgmt_args *);
	const char *list; /* NULL: the view is the only object */
	struct {
		const char *label, *key;
	} labels[3];
} subjects[SUBJECTS] = {
	[BOX] = {mgmt_view_info, NULL, {{0}}},
	[HOOKS] = {mgmt_view_hooks, NULL, {{0}}},
	[CAPTURE] = {mgmt_view_capture, NULL, {{0}}},
	[FWD] = {mgmt_view_fwd_stats, NULL, {{0}}},
	[GROUP] = {mgmt_view_carp_all, "groups",
		{{"group", "name"}, {"vhid", "vhid"}, {"interface", "carpdev"}}},
	[IF] = {mgmt_view_if_all, "interfaces", {{"interface", "name"}}},
	[PORT] = {mgmt_view_port_stats, "ports", {{"device", "device"}}},
	[LCORE] = {mgmt_view_lcores, "lcores", {{"lcore", "lcore"}, {"role", "role"}}},
};

struct writer {
	const struct mgmt_config *config;
	enum mgmt_metrics_format format;
	FILE *to;
	json_t *objects[SUBJECTS]; /* an array for each */
	char family[96];	   /* what is being written, without _total */
	enum type type;
	unsigned int n_labels; /* of the sample that is being written */
};

const char *
mgmt_metrics_type(enum mgmt_metrics_format format)
{
	return format == MGMT_METRICS_OPENMETRICS
		? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		: "text/plain; version=0.0.4; charset=utf-8";
}

enum mgmt_metrics_format
mgmt_metrics_accept(const char *accept)
{
	return accept && strstr(accept, "application/openmetrics-text") ? MGMT_METRICS_OPENMETRICS
									: MGMT_METRICS_TEXT;
}

static const char *
suffix(const struct writer *w)
{
	return w->type == COUNTER ? "_total" : w->type == INFO ? "_info" : "";
}

/* The text format knows no units and no info, and its families are named as their samples. */
static void
family(struct writer *w, const char *name, enum type type, const char *unit, const char *help)
{
	const bool open = w->format == MGMT_METRICS_OPENMETRICS;
	const char *type_name = type_names[!open && type == INFO ? GAUGE : type];

	snprintf(
		w->family, sizeof(w->family), "koi_%s%s%s", name, unit[0] != '\0' ? "_" : "", unit);
	w->type = type;
	fprintf(w->to, "# TYPE %s%s %s\n", w->family, open ? "" : suffix(w), type_name);
	if (open && unit[0] != '\0')
		fprintf(w->to, "# UNIT %s %s\n", w->family, unit);
	fprintf(w->to, "# HELP %s%s %s\n", w->family, open ? "" : suffix(w), help);
}

static void
begin(struct writer *w, const char *more)
{
	fprintf(w->to, "%s%s%s", w->family, suffix(w), more);
	w->n_labels = 0;
}

static void
label(struct writer *w, const char *name, const char *value)
{
	fprintf(w->to, "%c%s=\"", w->n_labels++ ? ',' : '{', name);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			fputs("\\n", w->to);
		else
			fprintf(w->to, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
	}
	fputc('"', w->to);
}

/* Exact: a counter never seems to go back by rounding. @param divisor a power of ten */
static void
value(struct writer *w, uint64_t v, uint32_t divisor)
{
	int digits = 0;

	for (uint32_t d = divisor; d > 1; d /= 10)
		digits++;
	fprintf(w->to, "%s %" PRIu64, w->n_labels ? "}" : "", v / divisor);
	if (digits > 0)
		fprintf(w->to, ".%0*" PRIu64, digits, v % divisor);
	fputc('\n', w->to);
}

static void
subject_labels(struct writer *w, enum subject s, const json_t *object)
{
	for (unsigned int i = 0; i < 3 && subjects[s].labels[i].label; i++) {
		const json_t *v = json_object_get(object, subjects[s].labels[i].key);
		char number[24];

		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		label(w, subjects[s].labels[i].label,
			json_is_integer(v) ? number : json_string_value(v));
	}
}

static void
member_family(struct writer *w, const struct metric *m)
{
	json_t *object, *v;
	size_t i;

	family(w, m->name, m->type, m->unit, m->help);
	json_array_foreach (w->objects[m->subject], i, object) {
		v = json_object_get(object, m->key);
		/* a device that cannot tell now has not counted back to nothing */
		if (!v || json_is_false(json_object_get(object, "valid")))
			continue;
		begin(w, "");
		subject_labels(w, m->subject, object);
		value(w, json_is_boolean(v) ? json_is_true(v) : (uint64_t)json_integer_value(v),
			m->divisor);
	}
}

static void
build_family(struct writer *w)
{
	const json_t *info = json_array_get(w->objects[BOX], 0);

	family(w, "build", INFO, "", "What runs here.");
	begin(w, "");
	label(w, "version", get_str(info, "version"));
	label(w, "dpdk", get_str(info, "dpdk"));
	label(w, "node", get_str(info, "node"));
	value(w, 1, 1);
}

/* 1 for the state that a group is in, 0 for the others: sums over boxes count masters. */
static void
state_family(struct writer *w)
{
	static const char *const states[] = {"INIT", "BACKUP", "MASTER"};
	json_t *object;
	size_t i;

	family(w, "carp_state", GAUGE, "",
		"1 for the state that the group is in, 0 for the others.");
	json_array_foreach (w->objects[GROUP], i, object) {
		for (unsigned int s = 0; s < 3; s++) {
			begin(w, "");
			subject_labels(w, GROUP, object);
			label(w, "state", states[s]);
			value(w, strcmp(get_str(object, "state"), states[s]) == 0, 1);
		}
	}
}

/*
 * Counters of groups. What belongs to none, such as an advert of an unknown vhid, has empty labels,
 * so that sums are those of the box.
 */
static void
stat_families(struct writer *w)
{
	json_t *all = json_array(), *object, *stats;
	struct mgmt_args a = {.has_group = true};
	struct ctl_box_view box;
	char name[48];
	size_t i;

	ctl_box_view(w->config->ctl, &box);
	json_array_foreach (w->objects[GROUP], i, object) {
		a.group = (uint16_t)i;
		stats = mgmt_view_carp_stats(w->config, &a);
		json_array_append_new(all, stats ? stats : json_object());
	}
	for (unsigned int s = 0; s < CTL_STAT_COUNT; s++) {
		const char *stat = ctl_stat_name((enum ctl_stat)s);

		snprintf(name, sizeof(name), "carp_%s", stat);
		family(w, name, COUNTER, "", ctl_stat_text((enum ctl_stat)s));
		begin(w, "");
		for (unsigned int l = 0; l < 3; l++)
			label(w, subjects[GROUP].labels[l].label, "");
		value(w, box.no_group[s], 1);
		json_array_foreach (w->objects[GROUP], i, object) {
			begin(w, "");
			subject_labels(w, GROUP, object);
			value(w, get_u64(json_array_get(all, i), stat), 1);
		}
	}
	json_decref(all);
}

static void
drop_family(struct writer *w)
{
	json_t *drops = mgmt_view_drops(w->config, &(struct mgmt_args){0}), *v;
	const char *reason;

	family(w, "dropped_frames", COUNTER, "", "Frames freed by the data plane, by reason.");
	json_object_foreach (drops, reason, v) {
		begin(w, "");
		label(w, "reason", reason);
		value(w, (uint64_t)json_integer_value(v), 1);
	}
	json_decref(drops);
}

/* The amount of an entry says how much, its age how long. */
static void
demotion_families(struct writer *w)
{
	static const struct {
		const char *name, *unit, *key, *help;
		uint32_t divisor;
	} rows[] = {
		{"carp_demotion_entry", "", "amount", "Amount of an entry of the demotion ledger.",
			1},
		{"carp_demotion_entry_age", "seconds", "since_ms",
			"Time since an entry of the demotion ledger was made.", 1000},
	};
	json_t *view = mgmt_view_carp_demotion(w->config, &(struct mgmt_args){0}), *entry;
	size_t i;

	for (unsigned int r = 0; r < 2; r++) {
		family(w, rows[r].name, GAUGE, rows[r].unit, rows[r].help);
		json_array_foreach (json_object_get(view, "entries"), i, entry) {
			begin(w, "");
			label(w, "source", get_str(entry, "source"));
			label(w, "interface", get_str(entry, "interface"));
			label(w, "group", get_str(entry, "group"));
			value(w, get_u64(entry, rows[r].key), rows[r].divisor);
		}
	}
	json_decref(view);
}

/* The buckets of /koi/info, made cumulative. */
static void
lateness_family(struct writer *w)
{
	const json_t *info = json_array_get(w->objects[BOX], 0);
	const json_t *late = json_object_get(info, "late_buckets");
	char le[32];
	uint64_t sum = 0, bound_us;
	json_t *count;
	size_t i;

	family(w, "carp_advert_lateness", HISTOGRAM, "seconds",
		"How long after their deadline adverts were served.");
	json_array_foreach (late, i, count) {
		sum += (uint64_t)json_integer_value(count);
		bound_us = UINT64_C(4) << i;
		snprintf(le, sizeof(le), "%" PRIu64 ".%06" PRIu64, bound_us / 1000000,
			bound_us % 1000000);
		begin(w, "_bucket");
		label(w, "le", i + 1 < CTL_LATE_BUCKETS ? le : "+Inf");
		value(w, sum, 1);
	}
	begin(w, "_count");
	value(w, sum, 1);
	begin(w, "_sum");
	value(w, get_u64(info, "late_sum_us"), 1000000);
}

void
mgmt_metrics_write(const struct mgmt_config *c, enum mgmt_metrics_format format, FILE *to)
{
	struct writer w = {.config = c, .format = format, .to = to};
	const struct mgmt_args none = {0};

	for (unsigned int s = 0; s < SUBJECTS; s++) {
		json_t *view = subjects[s].view(c, &none);

		w.objects[s] = subjects[s].list
			? json_incref(json_object_get(view, subjects[s].list))
			: json_array();
		if (!subjects[s].list)
			json_array_append(w.objects[s], view);
		json_decref(view);
	}
	build_family(&w);
	state_family(&w);
	lateness_family(&w);
	demotion_families(&w);
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		member_family(&w, &metrics[i]);
	stat_families(&w);
	drop_family(&w);
	if (format == MGMT_METRICS_OPENMETRICS)
		fputs("# EOF\n", to);
	for (unsigned int s = 0; s < SUBJECTS; s++)
		json_decref(w.objects[s]);
}
