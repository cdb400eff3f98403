/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "eal_args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* EAL's short options that take a value. */
#define SHORT_WITH_VALUE "abcdlmnrsS"

enum option_kind {
	OPTION_OTHER = 0,
	OPTION_LCORES,
	OPTION_FILE_PREFIX,
	OPTION_VDEV,
	OPTION_PLUGIN,
	OPTION_PCI /* which PCI devices EAL takes */
};

/* One option as getopt_long() would read it. */
struct option_read {
	enum option_kind kind;
	const char *value; /* of the kinds that we know, or NULL */
	int n_args;	   /* 2 when the value is an argument of its own */
};

/* Long options may be cut short as long as it is clear which is meant. */
static bool
is_long(const char *arg, const char *name, size_t shortest, const char **value)
{
	const char *eq = strchr(arg, '=');
	const size_t len = eq != NULL ? (size_t)(eq - arg) : strlen(arg);

	if (len < shortest || len > strlen(name) || strncmp(arg, name, len) != 0)
		return false;
	*value = eq != NULL ? eq + 1 : NULL;
	return true;
}

static struct option_read
read_long(const char *name)
{
	struct option_read o = {.n_args = 1};

	/* The shortest forms that EAL's other options leave free: --legacy-mem and --log-level,
	 * --force-max-simd-bitwidth, --version, --vfio-... and --vmware-... */
	if (is_long(name, "lcores", 2, &o.value))
		o.kind = OPTION_LCORES;
	else if (is_long(name, "file-prefix", 2, &o.value))
		o.kind = OPTION_FILE_PREFIX;
	else if (is_long(name, "vdev", 2, &o.value))
		o.kind = OPTION_VDEV;
	else if (is_long(name, "allow", 1, &o.value) || is_long(name, "block", 2, &o.value))
		o.kind = OPTION_PCI;
	if (o.kind != OPTION_OTHER && o.value == NULL)
		o.n_args = 2;
	if (is_long(name, "no-pci", 4, &o.value))
		o.kind = OPTION_PCI;
	return o;
}

static struct option_read
read_short(const char *letters)
{
	struct option_read o = {.n_args = 1};

	for (; *letters != '\0'; letters++) {
		if (strchr(SHORT_WITH_VALUE, *letters) == NULL)
			continue;
		if (*letters == 'l' || *letters == 'c')
			o.kind = OPTION_LCORES;
		if (*letters == 'd')
			o.kind = OPTION_PLUGIN;
		if (*letters == 'a' || *letters == 'b')
			o.kind = OPTION_PCI;
		if (letters[1] == '\0')
			o.n_args = 2;
		break;
	}
	return o;
}

static struct option_read
read_option(char *const *args, int n, int at)
{
	struct option_read o = {.n_args = 1};

	if (strncmp(args[at], "--", 2) == 0 && args[at][2] != '\0')
		o = read_long(args[at] + 2);
	else if (args[at][0] == '-' && args[at][1] != '\0' && args[at][1] != '-')
		o = read_short(args[at] + 1);
	if (o.n_args > n - at)
		o.n_args = n - at;
	if (o.n_args == 2)
		o.value = args[at + 1];
	return o;
}

static bool
has(char *const *args, int n, enum option_kind kind)
{
	for (int i = 0; i < n;) {
		const struct option_read o = read_option(args, n, i);

		if (o.kind == kind)
			return true;
		i += o.n_args;
	}
	return false;
}

bool
eal_args_choose_lcores(char *const *args, int n)
{
	return has(args, n, OPTION_LCORES);
}

static bool
has_vdev(char *const *args, int n, const char *spec)
{
	const size_t len = strcspn(spec, ",");

	for (int i = 0; i < n;) {
		const struct option_read o = read_option(args, n, i);

		if (o.kind == OPTION_VDEV && o.value != NULL && strcspn(o.value, ",") == len &&
			strncmp(o.value, spec, len) == 0)
			return true;
		i += o.n_args;
	}
	return false;
}

static bool
is_overruled(const struct option_read *o, char *const *cli, int n_cli)
{
	switch (o->kind) {
	case OPTION_LCORES:
	case OPTION_FILE_PREFIX:
		return has(cli, n_cli, o->kind);
	case OPTION_VDEV:
		return o->value != NULL && has_vdev(cli, n_cli, o->value);
	case OPTION_PLUGIN:
	case OPTION_PCI:
	case OPTION_OTHER:
		break;
	}
	return false;
}

static int
add(struct eal_args *a, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return -ENOMEM;
	a->strings[a->n_strings] = copy;
	a->argv[a->n_strings] = copy;
	a->n_strings++;
	a->argc = a->n_strings;
	return 0;
}

static int
add_pair(struct eal_args *a, const char *option, const char *value)
{
	int ret = add(a, option);

	return ret != 0 ? ret : add(a, value);
}

/* Those of the command line that name plugins, or the others. */
static int
add_cli(struct eal_args *a, char *const *cli, int n_cli, bool plugins)
{
	int ret = 0;

	for (int i = 0; i < n_cli && ret == 0;) {
		const struct option_read o = read_option(cli, n_cli, i);

		for (int k = 0; k < o.n_args && (o.kind == OPTION_PLUGIN) == plugins && ret == 0;
			k++)
			ret = add(a, cli[i + k]);
		i += o.n_args;
	}
	return ret;
}

/* A virtual device that is made of others names them in its arguments. */
static bool
has_composed_vdev(char *const *args, int n)
{
	for (int i = 0; i < n;) {
		const struct option_read o = read_option(args, n, i);

		if (o.kind == OPTION_VDEV && o.value != NULL && strchr(o.value, ':') != NULL)
			return true;
		i += o.n_args;
	}
	return false;
}

/*
 * Left alone, EAL takes every NIC that is bound to a driver of its kind, also what another program
 * is there for: it gets those of the configuration only.
 */
static int
add_pci(struct eal_args *a, const char *const *devices, int n_devices)
{
	int ret = 0, n_pci = 0;

	for (int i = 0; i < n_devices && ret == 0; i++) {
		/* The names of virtual devices have neither. */
		if (strchr(devices[i], ':') == NULL || strchr(devices[i], '.') == NULL)
			continue;
		ret = add_pair(a, "-a", devices[i]);
		n_pci++;
	}
	return ret == 0 && n_pci == 0 ? add(a, "--no-pci") : ret;
}

static int
add_all(struct eal_args *a, const char *program, const char *lcores, const char *node,
	const char *const *devices, int n_devices, char *const *conf, int n_conf, char *const *cli,
	int n_cli)
{
	char prefix[64];
	int ret = add(a, program);

	a->lcores_given = has(conf, n_conf, OPTION_LCORES) || has(cli, n_cli, OPTION_LCORES);
	if (ret == 0 && lcores != NULL && !a->lcores_given)
		ret = add_pair(a, "--lcores", lcores);
	snprintf(prefix, sizeof(prefix), "koi-%s", node);
	if (ret == 0 && !has(conf, n_conf, OPTION_FILE_PREFIX) &&
		!has(cli, n_cli, OPTION_FILE_PREFIX))
		ret = add_pair(a, "--file-prefix", prefix);
	if (ret == 0 && devices != NULL && !has(conf, n_conf, OPTION_PCI) &&
		!has(cli, n_cli, OPTION_PCI) && !has_composed_vdev(conf, n_conf) &&
		!has_composed_vdev(cli, n_cli))
		ret = add_pci(a, devices, n_devices);
	/* Of two drivers of one name EAL takes that of the plugin that comes first. */
	if (ret == 0)
		ret = add_cli(a, cli, n_cli, true);
	for (int i = 0; i < n_conf && ret == 0;) {
		const struct option_read o = read_option(conf, n_conf, i);
		const bool overruled = is_overruled(&o, cli, n_cli);

		for (int k = 0; k < o.n_args && !overruled && ret == 0; k++)
			ret = add(a, conf[i + k]);
		i += o.n_args;
	}
	return ret != 0 ? ret : add_cli(a, cli, n_cli, false);
}

int
eal_args_build(struct eal_args *out, const char *program, const char *lcores, const char *node,
	const char *const *devices, int n_devices, char *const *conf, int n_conf, char *const *cli,
	int n_cli, char *err, size_t err_len)
{
	/* Program, two options with values, one or a pair for each device, and the NULL. */
	const size_t slots = (size_t)n_conf + (size_t)n_cli + 2 * (size_t)n_devices + 7;
	int ret;

	memset(out, 0, sizeof(*out));
	for (int i = 0; i < n_conf + n_cli; i++) {
		const char *arg = i < n_conf ? conf[i] : cli[i - n_conf];

		if (strcmp(arg, "--") == 0) {
			snprintf(err, err_len, "\"--\" among the EAL arguments %s",
				i < n_conf ? "of the configuration" : "of the command line");
			return -EINVAL;
		}
	}
	out->argv = calloc(slots, sizeof(*out->argv));
	out->strings = calloc(slots, sizeof(*out->strings));
	ret = out->argv == NULL || out->strings == NULL
		? -ENOMEM
		: add_all(out, program, lcores, node, devices, n_devices, conf, n_conf, cli, n_cli);
	if (ret != 0) {
		snprintf(err, err_len, "out of memory");
		eal_args_free(out);
	}
	return ret;
}

void
eal_args_free(struct eal_args *a)
{
	for (int i = 0; i < a->n_strings; i++)
		free(a->strings[i]);
	free(a->strings);
	free(a->argv);
	memset(a, 0, sizeof(*a));
}
