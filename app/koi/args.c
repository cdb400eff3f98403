/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "args.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum value { VALUE_NONE = 0, VALUE_NEEDED, VALUE_OPTIONAL };

/** One option; --check's optional value goes where that of --config does. */
struct option {
	const char *name;
	enum value value;
	const char *value_name;
	size_t flag; /**< offset of the bool that it sets; NO_FLAG = none */
	const char *help;
};

#define NO_FLAG SIZE_MAX

static const struct option options[] = {
	{"--config", VALUE_NEEDED, "FILE", NO_FLAG, "configuration file (" ARGS_CONFIG_DEFAULT ")"},
	{"--check", VALUE_OPTIONAL, "FILE", offsetof(struct args, check),
		"check the configuration and exit: 0 valid, 1 not"},
	{"--doctor", VALUE_NONE, NULL, offsetof(struct args, doctor),
		"what the machine lacks for it, and what to do: 0 nothing, 2 something"},
	{"--json", VALUE_NONE, NULL, offsetof(struct args, json),
		"findings of --check or --doctor as JSON"},
	{"--root", VALUE_NEEDED, "DIR", NO_FLAG,
		"with --doctor: copies of /sys and /proc of another machine are below it"},
	{"--interactive", VALUE_NONE, NULL, offsetof(struct args, interactive),
		"command line on the terminal"},
	{"--cli-socket", VALUE_NEEDED, "PATH", NO_FLAG,
		"socket of the command line (/run/koi/<node>/cli.sock)"},
	{"--state-dir", VALUE_NEEDED, "DIR", NO_FLAG,
		"directory of what outlives a restart (/var/lib/koi/<node>)"},
	{"--version", VALUE_NONE, NULL, offsetof(struct args, version),
		"show the version and exit"},
	{"--help", VALUE_NONE, NULL, offsetof(struct args, help), "show this text and exit"},
};

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

struct parse {
	struct args *a;
	FILE *err;
	unsigned int mistakes;
	bool split; /**< there is a "--" */
	bool seen[N_OPTIONS];
};

__attribute__((format(printf, 2, 3))) static void
mistake(struct parse *p, const char *fmt, ...)
{
	va_list ap;

	p->mistakes++;
	fprintf(p->err, "%s: ", p->a->program);
	va_start(ap, fmt);
	vfprintf(p->err, fmt, ap);
	va_end(ap);
	fputc('\n', p->err);
}

/** The option that an argument names, without or with "=VALUE". */
static const struct option *
find_option(const char *arg, const char **value)
{
	size_t n = strcspn(arg, "=");

	*value = arg[n] == '=' ? arg + n + 1 : NULL;
	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (strlen(options[i].name) == n && strncmp(options[i].name, arg, n) == 0)
			return &options[i];
	}
	return NULL;
}

static void
take_value(struct parse *p, const struct option *o, const char *value)
{
	if (value[0] == '\0') {
		mistake(p, "option %s: expected a %s, found nothing", o->name, o->value_name);
	} else if (strcmp(o->name, "--cli-socket") == 0) {
		if (strlen(value) > ARGS_SOCKET_MAX)
			mistake(p,
				"option --cli-socket: %zu bytes are too long for a socket's path, "
				"allowed are at most %d",
				strlen(value), ARGS_SOCKET_MAX);
		p->a->cli_socket = value;
	} else if (strcmp(o->name, "--state-dir") == 0) {
		p->a->state_dir = value;
	} else if (strcmp(o->name, "--root") == 0) {
		p->a->root = value;
	} else if (p->a->config != NULL) {
		mistake(p, "option %s: the configuration file is given already (%s)", o->name,
			p->a->config);
	} else {
		p->a->config = value;
	}
}

/** One argument of koi's part. @return how many arguments it took */
static int
take_option(struct parse *p, int n, char **argv)
{
	const char *value;
	const struct option *o = find_option(argv[0], &value);
	int taken = 1;

	if (o == NULL) {
		if (argv[0][0] != '-')
			mistake(p, "unexpected argument \"%s\"", argv[0]);
		else
			mistake(p, "unknown option %s%s", argv[0],
				p->split ? "" : " (options of the EAL stand before \"--\")");
		return 1;
	}
	if (p->seen[o - options])
		mistake(p, "option %s is given twice", o->name);
	p->seen[o - options] = true;
	if (o->flag != NO_FLAG)
		*(bool *)((char *)p->a + o->flag) = true;
	if (o->value == VALUE_NONE) {
		if (value != NULL)
			mistake(p, "option %s takes no value", o->name);
		return 1;
	}
	if (value == NULL && n > 1 && (o->value == VALUE_NEEDED || argv[1][0] != '-') &&
		strncmp(argv[1], "--", 2) != 0) {
		value = argv[1];
		taken = 2;
	}
	if (value != NULL)
		take_value(p, o, value);
	else if (o->value == VALUE_NEEDED)
		mistake(p, "option %s: expected a %s", o->name, o->value_name);
	return taken;
}

/** koi's own options before "--" would reach the EAL, which does not know them. */
static void
check_eal(struct parse *p)
{
	const char *value;

	for (int i = 0; i < p->a->n_eal; i++) {
		const struct option *o = find_option(p->a->eal[i], &value);

		if (o != NULL && o->flag != offsetof(struct args, version) &&
			o->flag != offsetof(struct args, help))
			mistake(p,
				"option %s stands before \"--\", among the EAL's; it belongs after",
				o->name);
	}
}

int
args_parse(int argc, char **argv, struct args *out, FILE *err)
{
	struct parse p = {.a = out, .err = err};
	int own = 1;

	*out = (struct args){.program = argc > 0 ? argv[0] : "koi"};
	for (int i = 1; i < argc && !p.split; i++) {
		if (strcmp(argv[i], "--") == 0) {
			p.split = true;
			out->eal = argv + 1;
			out->n_eal = i - 1;
			own = i + 1;
		}
	}
	check_eal(&p);
	while (own < argc)
		own += take_option(&p, argc - own, argv + own);
	if (out->json && !out->check && !out->doctor)
		mistake(&p, "option --json: it goes only with --check or --doctor");
	if (out->root != NULL && !out->doctor)
		mistake(&p, "option --root: it goes only with --doctor");
	if (out->check + out->doctor + out->interactive > 1)
		mistake(&p, "options --check, --doctor and --interactive do not go together");
	if (out->config == NULL)
		out->config = ARGS_CONFIG_DEFAULT;
	if (p.mistakes == 0)
		return 0;
	fprintf(err, "%s: --help shows what there is\n", out->program);
	return -EINVAL;
}

void
args_help(const struct args *a, FILE *to)
{
	fprintf(to,
		"usage: %s [EAL options] -- [options]\n"
		"       %s [options]\n\n",
		a->program, a->program);
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option *o = &options[i];
		char left[40];

		snprintf(left, sizeof(left), "%s%s%s%s", o->name,
			o->value == VALUE_OPTIONAL	   ? " ["
				: o->value == VALUE_NEEDED ? " "
							   : "",
			o->value_name == NULL ? "" : o->value_name,
			o->value == VALUE_OPTIONAL ? "]" : "");
		fprintf(to, "  %-20s  %s\n", left, o->help);
	}
	fprintf(to,
		"\nexit codes: 0 clean, 1 usage or configuration, 2 EAL or device, 3 internal\n");
}
