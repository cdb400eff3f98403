/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "doctor.h"

static const char *const level_names[] = {"ok", "note", "warning", "FAILS"};

void
doctor_add(struct doctor *d, enum doctor_level level, const char *topic, const char *subject,
	const char *advice, const char *fmt, ...)
{
	struct doctor_finding *f;
	va_list ap;

	if (d->n == d->cap) {
		unsigned int cap = d->cap == 0 ? 32 : d->cap * 2;
		struct doctor_finding *more = realloc(d->finding, cap * sizeof(*more));

		if (more == NULL) {
			d->out_of_memory = true;
			return;
		}
		d->finding = more;
		d->cap = cap;
	}
	f = &d->finding[d->n++];
	*f = (struct doctor_finding){.level = level};
	snprintf(f->topic, sizeof(f->topic), "%s", topic);
	snprintf(f->subject, sizeof(f->subject), "%s", subject);
	snprintf(f->advice, sizeof(f->advice), "%s", advice == NULL ? "" : advice);
	va_start(ap, fmt);
	vsnprintf(f->found, sizeof(f->found), fmt, ap);
	va_end(ap);
}

enum doctor_level
doctor_worst(const struct doctor *d)
{
	/* what could not be written down may have been bad */
	enum doctor_level worst = d->out_of_memory ? DOCTOR_FAILS : DOCTOR_OK;

	for (unsigned int i = 0; i < d->n; i++)
		if (d->finding[i].level > worst)
			worst = d->finding[i].level;
	return worst;
}

void
doctor_print(const struct doctor *d, FILE *to)
{
	for (unsigned int i = 0; i < d->n; i++) {
		const struct doctor_finding *f = &d->finding[i];

		fprintf(to, "%-8s %-12s %s%s%s\n", level_names[f->level], f->topic, f->subject,
			f->subject[0] != '\0' ? ": " : "", f->found);
		if (f->advice[0] != '\0')
			fprintf(to, "%-21s -> %s\n", "", f->advice);
	}
	if (d->out_of_memory)
		fputs("FAILS    memory       out of memory, not all findings are shown\n", to);
}

void
doctor_print_json(const struct doctor *d, FILE *to)
{
	json_t *o = json_object(), *list = json_array();

	for (unsigned int i = 0; i < d->n; i++) {
		const struct doctor_finding *f = &d->finding[i];

		json_array_append_new(list,
			json_pack("{s:s,s:s,s:s,s:s,s:s?}", "level", level_names[f->level], "topic",
				f->topic, "subject", f->subject, "found", f->found, "advice",
				f->advice[0] != '\0' ? f->advice : NULL));
	}
	json_object_set_new(o, "worst", json_string(level_names[doctor_worst(d)]));
	json_object_set_new(o, "findings", list);
	json_dumpf(o, to, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	fputc('\n', to);
	json_decref(o);
}

void
doctor_free(struct doctor *d)
{
	free(d->finding);
	d->finding = NULL;
	d->n = d->cap = 0;
}

static bool
among(char *const *args, int n, const char *arg)
{
	for (int i = 0; i < n; i++)
		if (strcmp(args[i], arg) == 0)
			return true;
	return false;
}

bool
doctor_eal_has(const struct doctor *d, const char *arg)
{
	return among(d->eal, d->n_eal, arg) || among(d->conf->eal, d->conf->n_eal, arg);
}
