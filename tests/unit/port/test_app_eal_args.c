/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "eal_args.h"

#define ARGS_MAX 16

struct args_case {
	const char *name;
	const char *conf; /* words */
	const char *cli;
	const char *expect; /* words after the program's name */
	bool lcores_given;
};

static const struct args_case args_cases[] = {
	{"nothing given", "", "", "--lcores 0@0,1@1,2@1 --file-prefix koi-fw1", false},
	{"the file's, then the command line's", "--no-pci --vdev=net_tap0", "-m 128",
		"--lcores 0@0,1@1,2@1 --file-prefix koi-fw1 --no-pci --vdev=net_tap0 -m 128",
		false},
	{"file prefix in the file", "--file-prefix=x", "", "--lcores 0@0,1@1,2@1 --file-prefix=x",
		false},
	{"file prefix on the command line", "--no-pci", "--file-prefix x",
		"--lcores 0@0,1@1,2@1 --no-pci --file-prefix x", false},
	{"both: the command line's", "--file-prefix x --no-pci", "--file-prefix=y",
		"--lcores 0@0,1@1,2@1 --no-pci --file-prefix=y", false},
	{"-l in the file", "-l 0-2", "", "--file-prefix koi-fw1 -l 0-2", true},
	{"-l with its value", "-l0-2", "", "--file-prefix koi-fw1 -l0-2", true},
	{"-c on the command line", "", "-c 7", "--file-prefix koi-fw1 -c 7", true},
	{"--lcores on the command line", "", "--lcores=(0-2)@1",
		"--file-prefix koi-fw1 --lcores=(0-2)@1", true},
	{"cut short", "", "--lc 0-2", "--file-prefix koi-fw1 --lc 0-2", true},
	{"behind a letter without a value", "", "-vl 0-2", "--file-prefix koi-fw1 -vl 0-2", true},
	{"lcores in both: EAL takes one", "-l 0-2 --no-pci", "-c 7",
		"--file-prefix koi-fw1 --no-pci -c 7", true},
	{"a value that looks like it", "-d -l", "",
		"--lcores 0@0,1@1,2@1 --file-prefix koi-fw1 -d -l", false},
	{"other options that begin alike", "--log-level=8 --legacy-mem", "",
		"--lcores 0@0,1@1,2@1 --file-prefix koi-fw1 --log-level=8 --legacy-mem", false},
	{"one device twice: the command line's", "--vdev=net_tap0,iface=a --vdev net_tap1,iface=b",
		"--vdev net_tap0,iface=c",
		"--lcores 0@0,1@1,2@1 --file-prefix koi-fw1 --vdev net_tap1,iface=b --vdev net_tap0,iface=c",
		false},
	{"a name is not its beginning", "--vdev=net_tap0", "--vdev=net_tap01",
		"--lcores 0@0,1@1,2@1 --file-prefix koi-fw1 --vdev=net_tap0 --vdev=net_tap01",
		false},
	{"plugins: the command line's come first", "--no-pci -d /a", "-m 64 -d /b -vd/c",
		"--lcores 0@0,1@1,2@1 --file-prefix koi-fw1 -d /b -vd/c --no-pci -d /a -m 64",
		false},
	{"a value that is missing", "--vdev", "",
		"--lcores 0@0,1@1,2@1 --file-prefix koi-fw1 --vdev", false},
};

static int
split(const char *text, char *buf, size_t len, char **out)
{
	char *save = NULL;
	int n = 0;

	snprintf(buf, len, "%s", text);
	for (char *w = strtok_r(buf, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		out[n++] = w;
	return n;
}

static void
test_build(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(args_cases) / sizeof(args_cases[0]); i++) {
		const struct args_case *c = &args_cases[i];
		char conf_buf[256], cli_buf[256], got[512] = "", err[128];
		char *conf[ARGS_MAX], *cli[ARGS_MAX];
		const int n_conf = split(c->conf, conf_buf, sizeof(conf_buf), conf);
		const int n_cli = split(c->cli, cli_buf, sizeof(cli_buf), cli);
		struct eal_args a;

		assert_int_equal(eal_args_build(&a, "koi", "0@0,1@1,2@1", "fw1", NULL, 0, conf,
					 n_conf, cli, n_cli, err, sizeof(err)),
			0);
		assert_string_equal(a.argv[0], "koi");
		assert_null(a.argv[a.argc]);
		for (int k = 1; k < a.argc; k++) {
			strcat(got, k > 1 ? " " : "");
			strcat(got, a.argv[k]);
		}
		if (strcmp(got, c->expect) != 0)
			fail_msg("%s: %s, not %s", c->name, got, c->expect);
		assert_int_equal(a.lcores_given, c->lcores_given);
		assert_int_equal(a.lcores_given,
			eal_args_choose_lcores(conf, n_conf) || eal_args_choose_lcores(cli, n_cli));
		/* EAL moves what is not an option to the end. */
		a.argv[0] = a.argv[a.argc - 1];
		eal_args_free(&a);
	}
}

static void
test_no_lcores(void **state)
{
	struct eal_args a;
	char err[128];

	(void)state;
	assert_int_equal(
		eal_args_build(&a, "koi", NULL, "fw1", NULL, 0, NULL, 0, NULL, 0, err, sizeof(err)),
		0);
	assert_int_equal(a.argc, 3);
	assert_string_equal(a.argv[1], "--file-prefix");
	eal_args_free(&a);
}

/* Of the machine's NICs only the interfaces' are EAL's, unless the user knows better. */
static void
test_devices(void **state)
{
	static const struct {
		const char *name, *devices, *conf, *cli, *expect;
	} cases[] = {
		{"NICs", "0000:03:00.0 0000:04:00.1", "-m 64", "",
			"-a 0000:03:00.0 -a 0000:04:00.1 -m 64"},
		{"none", "net_tap0", "--vdev net_tap0", "", "--no-pci --vdev net_tap0"},
		{"one NIC beside others", "net_tap0 0000:03:00.0", "--vdev net_tap0", "",
			"-a 0000:03:00.0 --vdev net_tap0"},
		{"the user's choice", "0000:03:00.0", "-a 0000:03:00.0,x=1", "",
			"-a 0000:03:00.0,x=1"},
		{"the same, written out", "0000:03:00.0", "", "--allow=0000:03:00.0",
			"--allow=0000:03:00.0"},
		{"all but one", "0000:03:00.0", "--block 0000:00:01.0", "", "--block 0000:00:01.0"},
		{"no PCI", "net_tap0", "--no-pci --vdev net_tap0", "", "--no-pci --vdev net_tap0"},
		{"made of NICs", "net_bonding0", "--vdev net_bonding0,slave=0000:03:00.0", "",
			"--vdev net_bonding0,slave=0000:03:00.0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char devices_buf[128], conf_buf[256], cli_buf[256], got[512] = "", err[128];
		char *devices[ARGS_MAX], *conf[ARGS_MAX], *cli[ARGS_MAX];
		const int n_devices =
			split(cases[i].devices, devices_buf, sizeof(devices_buf), devices);
		const int n_conf = split(cases[i].conf, conf_buf, sizeof(conf_buf), conf);
		const int n_cli = split(cases[i].cli, cli_buf, sizeof(cli_buf), cli);
		struct eal_args a;

		assert_int_equal(
			eal_args_build(&a, "koi", NULL, "fw1", (const char *const *)devices,
				n_devices, conf, n_conf, cli, n_cli, err, sizeof(err)),
			0);
		for (int k = 3; k < a.argc; k++) {
			strcat(got, k > 3 ? " " : "");
			strcat(got, a.argv[k]);
		}
		if (strcmp(got, cases[i].expect) != 0)
			fail_msg("%s: %s, not %s", cases[i].name, got, cases[i].expect);
		eal_args_free(&a);
	}
}

static void
test_double_dash(void **state)
{
	char dashes[] = "--";
	char *args[] = {dashes};
	struct eal_args a;
	char err[128];

	(void)state;
	assert_int_equal(
		eal_args_build(&a, "koi", NULL, "fw1", NULL, 0, args, 1, NULL, 0, err, sizeof(err)),
		-EINVAL);
	assert_string_equal(err, "\"--\" among the EAL arguments of the configuration");
	assert_int_equal(
		eal_args_build(&a, "koi", NULL, "fw1", NULL, 0, NULL, 0, args, 1, err, sizeof(err)),
		-EINVAL);
	assert_string_equal(err, "\"--\" among the EAL arguments of the command line");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_no_lcores),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_double_dash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
