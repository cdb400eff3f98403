/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_doc.h"

#include <stdlib.h>
#include <string.h>

#define PHRASE_MAX 240

static const struct {
	enum conf_reload reload;
	const char *meaning;
} reloads[] = {
	{CONF_RELOAD_NONE, "a reload applies it on the spot"},
	{CONF_RELOAD_TIMERS, "the group's timers are computed anew"},
	{CONF_RELOAD_DIGEST,
		"all boxes of the group need the same change; addresses and passwords are staged"},
	{CONF_RELOAD_GROUP, "the group leaves and comes back"},
	{CONF_RELOAD_ROUTES, "routes and neighbours are built anew"},
	{CONF_RELOAD_PROCESS, "only a restart of koi applies it"},
};
#define N_RELOADS (sizeof(reloads) / sizeof(reloads[0]))

/** What a key may be, with its unit. */
static const char *
allowed(const struct conf_key *k, char *buf, size_t len)
{
	size_t n = strlen(conf_key_allowed(k, buf, len));

	if (k->unit != NULL && k->unit[0] != '\0')
		snprintf(buf + n, len - n, ", in %s", k->unit);
	return buf;
}

static void
cell(const char *s)
{
	fputs(" ", stdout);
	for (; *s != '\0'; s++) {
		if (*s == '|' || *s == '<')
			putchar('\\');
		putchar(*s);
	}
	fputs(" |", stdout);
}

static void
markdown_object(enum conf_object object)
{
	char phrase[PHRASE_MAX];

	printf("\n## %s\n\nKeys of %s.\n\n", conf_doc_objects[object].title,
		conf_doc_objects[object].where);
	puts("| key | value | default | change | meaning |\n| --- | --- | --- | --- | --- |");
	for (unsigned int i = 0; i < CONF_KEY_N; i++) {
		const struct conf_key *k = &conf_keys[i];
		char *fallback;

		if (k->object != object)
			continue;
		fallback = conf_doc_default(k);
		printf("| `%s` |", k->name);
		cell(allowed(k, phrase, sizeof(phrase)));
		cell(fallback);
		cell(conf_doc_reload(k->reload));
		cell(k->help);
		putchar('\n');
		free(fallback);
	}
}

int
conf_doc_markdown(void)
{
	puts("# The configuration file\n\n"
	     "Every key, from the table of the parser (`lib/conf/conf_keys.def`) by\n"
	     "`ninja -C build docs`; do not edit. The same as a JSON Schema, for editors and other\n"
	     "tools: [config/koi.schema.json](../config/koi.schema.json). Examples:\n"
	     "[config/](../config/README.md).\n\n"
	     "The file is JSON in UTF-8 without comments; a key that is not here is an error.\n"
	     "`koi --check FILE` tells every mistake with its place, `--check --json` tells it to\n"
	     "programs. What a change of a key needs:\n\n"
	     "| change | means |\n| --- | --- |");
	for (unsigned int i = 0; i < N_RELOADS; i++)
		printf("| %s | %s |\n", conf_doc_reload(reloads[i].reload), reloads[i].meaning);
	for (unsigned int i = 0; i < conf_doc_n_objects; i++)
		markdown_object((enum conf_object)i);
	return 0;
}

/** Text that troff leaves as it is. */
static void
roff(const char *s)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", stdout);
	for (; *s != '\0'; s++) {
		if (*s == '\\')
			fputs("\\e", stdout);
		else if (*s == '-')
			fputs("\\-", stdout);
		else if (*s == '"')
			fputs("\\(dq", stdout);
		else
			putchar(*s);
	}
}

static void
man_object(enum conf_object object)
{
	char phrase[PHRASE_MAX];

	fputs(".SS ", stdout);
	roff(conf_doc_objects[object].title);
	fputs("\nKeys of ", stdout);
	roff(conf_doc_objects[object].where);
	puts(".");
	for (unsigned int i = 0; i < CONF_KEY_N; i++) {
		const struct conf_key *k = &conf_keys[i];
		char *fallback;

		if (k->object != object)
			continue;
		fallback = conf_doc_default(k);
		fputs(".TP\n.B ", stdout);
		roff(k->name);
		putchar('\n');
		roff(k->help);
		fputs(".\n.br\nValue: ", stdout);
		roff(allowed(k, phrase, sizeof(phrase)));
		fputs(conf_key_required(k) ? ". " : ". Default: ", stdout);
		roff(conf_key_required(k) ? "Required" : fallback);
		fputs(". Change: ", stdout);
		roff(conf_doc_reload(k->reload));
		puts(".");
		free(fallback);
	}
}

int
conf_doc_man(const char *example)
{
	char line[512];
	FILE *f = fopen(example, "re");

	if (f == NULL)
		return -1;
	puts(".\\\" SPDX-License-Identifier: BSD-3-Clause\n"
	     ".\\\" Copyright (c) 2026 the koi contributors\n"
	     ".\\\" Made from lib/conf/conf_keys.def by ninja -C build docs; do not edit.\n"
	     ".TH KOI.JSON 5 \"\" koi \"File formats\"\n"
	     ".SH NAME\nkoi.json \\- configuration of koi\n"
	     ".SH DESCRIPTION\n"
	     "The file is JSON in UTF\\-8 without comments; a key that is not here is an error.\n"
	     ".B koi \\-\\-check\ntells every mistake with its place and what is allowed there.\n"
	     ".PP\nWhat a change of a key needs:");
	for (unsigned int i = 0; i < N_RELOADS; i++) {
		fputs(".TP\n.I ", stdout);
		puts(conf_doc_reload(reloads[i].reload));
		puts(reloads[i].meaning);
	}
	puts(".SH KEYS");
	for (unsigned int i = 0; i < conf_doc_n_objects; i++)
		if (conf_doc_objects[i].id != NULL)
			man_object((enum conf_object)i);
	puts(".SH EXAMPLES\nThe least that makes a cluster:\n.PP\n.EX");
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		roff(line);
		putchar('\n');
	}
	fclose(f);
	puts(".EE\n"
	     ".SH FILES\n"
	     ".TP\n.I /etc/koi/koi.json\nThe file that is read when none is named.\n"
	     ".TP\n.I /usr/share/doc/koi/examples/\nTwo firewalls, and the JSON Schema.\n"
	     ".SH SEE ALSO\n.BR koi (8),\n.BR koictl (1)");
	return 0;
}
