/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <errno.h>
#include <unistd.h>

#include "args.h"
#include "check.h"
#include "conf_cases.h"

#define ARGV_MAX 12
#define LONG_PATH                                                                              \
	"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaa"
#define HELP "koi: --help shows what there is\n"

struct args_case {
	const char *argv[ARGV_MAX]; /* after the program's name */
	struct args a;		    /* but for program and eal */
	const char *err;	    /* NULL = accepted */
};

#define D ARGS_CONFIG_DEFAULT

static const struct args_case cases[] = {
	{{NULL}, {.config = D}, NULL},
	{{"--"}, {.config = D}, NULL},
	{{"-l", "0-1", "--no-pci", "--"}, {.n_eal = 3, .config = D}, NULL},
	{{"--version"}, {.config = D, .version = true}, NULL},
	{{"--help"}, {.config = D, .help = true}, NULL},
	/* those two are the EAL's before "--" */
	{{"--help", "--version", "--"}, {.n_eal = 2, .config = D}, NULL},
	{{"--config", "a.json"}, {.config = "a.json"}, NULL},
	{{"--config=a.json", "--interactive"}, {.config = "a.json", .interactive = true}, NULL},
	{{"--config", "-"}, {.config = "-"}, NULL},
	{{"--check"}, {.config = D, .check = true}, NULL},
	{{"--check", "a.json"}, {.config = "a.json", .check = true}, NULL},
	{{"--check=a.json"}, {.config = "a.json", .check = true}, NULL},
	{{"--check", "--json"}, {.config = D, .check = true, .json = true}, NULL},
	{{"--json", "--config", "a.json", "--check"},
		{.config = "a.json", .check = true, .json = true}, NULL},
	{{"--no-huge", "--", "--check", "a.json"}, {.n_eal = 1, .config = "a.json", .check = true},
		NULL},
	{{"--cli-socket", "/run/x.sock"}, {.config = D, .cli_socket = "/run/x.sock"}, NULL},
	{{"--cli-socket=a=b"}, {.config = D, .cli_socket = "a=b"}, NULL},

	{{"--no-huge"}, {0},
		"koi: unknown option --no-huge (options of the EAL stand before \"--\")\n" HELP},
	{{"-m", "64", "--", "--docter"}, {0}, "koi: unknown option --docter\n" HELP},
	{{"--", "--check", "--", "a.json"}, {0},
		"koi: unknown option --\nkoi: unexpected argument \"a.json\"\n" HELP},
	{{"a.json"}, {0}, "koi: unexpected argument \"a.json\"\n" HELP},
	{{"--check", "a.json", "b.json"}, {0}, "koi: unexpected argument \"b.json\"\n" HELP},
	{{"--configs", "a.json"}, {0},
		"koi: unknown option --configs (options of the EAL stand before \"--\")\n"
		"koi: unexpected argument \"a.json\"\n" HELP},
	{{"--config"}, {0}, "koi: option --config: expected a FILE\n" HELP},
	{{"--config", "--check"}, {0}, "koi: option --config: expected a FILE\n" HELP},
	{{"--config="}, {0}, "koi: option --config: expected a FILE, found nothing\n" HELP},
	{{"--config", ""}, {0}, "koi: option --config: expected a FILE, found nothing\n" HELP},
	{{"--config", "a", "--config", "b"}, {0},
		"koi: option --config is given twice\n"
		"koi: option --config: the configuration file is given already (a)\n" HELP},
	{{"--config", "a", "--check", "b"}, {0},
		"koi: option --check: the configuration file is given already (a)\n" HELP},
	{{"--version", "--version"}, {0}, "koi: option --version is given twice\n" HELP},
	{{"--json"}, {0}, "koi: option --json: it goes only with --check or --doctor\n" HELP},
	{{"--check", "--json=yes"}, {0}, "koi: option --json takes no value\n" HELP},
	{{"--check", "--interactive"}, {0},
		"koi: options --check, --doctor and --interactive do not go together\n" HELP},
	{{"--check", "--doctor"}, {0},
		"koi: options --check, --doctor and --interactive do not go together\n" HELP},
	{{"--doctor", "--json", "--root", "/x"},
		{.config = D, .doctor = true, .json = true, .root = "/x"}, NULL},
	{{"--root", "/x"}, {0}, "koi: option --root: it goes only with --doctor\n" HELP},
	{{"--cli-socket"}, {0}, "koi: option --cli-socket: expected a PATH\n" HELP},
	{{"--cli-socket", LONG_PATH}, {0},
		"koi: option --cli-socket: 108 bytes are too long for a socket's path, allowed are "
		"at most 107\n" HELP},
	{{"--config", "a", "--no-pci", "--"}, {0},
		"koi: option --config stands before \"--\", among the EAL's; it belongs "
		"after\n" HELP},
};

static void
command_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct args_case *t = &cases[i];
		char words[ARGV_MAX][160], *argv[ARGV_MAX + 2] = {words[0]}, *err = NULL;
		int argc = 1, ret;
		struct args a;
		size_t len;
		FILE *f = open_memstream(&err, &len);

		strcpy(words[0], "koi");
		for (int k = 0; k + 1 < ARGV_MAX && t->argv[k] != NULL; k++) {
			strcpy(words[argc], t->argv[k]);
			argv[argc] = words[argc];
			argc++;
		}
		ret = args_parse(argc, argv, &a, f);
		assert_int_equal(fclose(f), 0);
		if (strcmp(err, t->err == NULL ? "" : t->err) != 0)
			fail_msg("case %zu:\n%s", i, err);
		assert_int_equal(ret, t->err == NULL ? 0 : -EINVAL);
		free(err);
		if (ret != 0)
			continue;
		assert_string_equal(a.program, "koi");
		assert_int_equal(a.n_eal, t->a.n_eal);
		for (int k = 0; k < a.n_eal; k++)
			assert_string_equal(a.eal[k], t->argv[k]);
		assert_string_equal(a.config, t->a.config);
		if (t->a.cli_socket == NULL)
			assert_null(a.cli_socket);
		else
			assert_string_equal(a.cli_socket, t->a.cli_socket);
		assert_int_equal(a.check, t->a.check);
		assert_int_equal(a.json, t->a.json);
		assert_int_equal(a.interactive, t->a.interactive);
		assert_int_equal(a.version, t->a.version);
		assert_int_equal(a.help, t->a.help);
	}
}

static void
help_names_every_option(void **state)
{
	static const char *const names[] = {"--config FILE", "--check [FILE]", "--json",
		"--interactive", "--cli-socket PATH", "--version", "--help"};
	struct args a = {.program = "koi"};
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	args_help(&a, f);
	fclose(f);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_non_null(strstr(text, names[i]));
	free(text);
}

/** Run check_run() with stdout and stderr in files. */
static int
check(const char *file, bool json, char out[4096], char err[4096])
{
	struct args a = {.program = "koi", .config = file, .check = true, .json = json};
	FILE *f[2] = {tmpfile(), tmpfile()};
	char *buf[2] = {out, err};
	int saved[2], ret;

	fflush(stdout);
	fflush(stderr);
	for (int i = 0; i < 2; i++) {
		saved[i] = dup(i + 1);
		assert_non_null(f[i]);
		assert_true(dup2(fileno(f[i]), i + 1) >= 0);
	}
	ret = check_run(&a);
	fflush(stdout);
	fflush(stderr);
	for (int i = 0; i < 2; i++) {
		size_t n;

		dup2(saved[i], i + 1);
		close(saved[i]);
		rewind(f[i]);
		n = fread(buf[i], 1, 4095, f[i]);
		buf[i][n] = '\0';
		fclose(f[i]);
	}
	return ret;
}

static void
check_reports(void **state)
{
	static const char bad[] = IF("{\"name\": \"lan\", \"device\": \"d\", \"mtu\": 1}");
	char path[] = "/tmp/koi-check-XXXXXX", out[4096], err[4096], expected[256];
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(check(CONFIG_DIR "/koi.json", false, out, err), 0);
	assert_string_equal(out, CONFIG_DIR "/koi.json: valid\n");
	assert_string_equal(err, "");
	/* warnings refuse nothing */
	assert_int_equal(check(CONFIG_DIR "/fw1.json", false, out, err), 0);
	assert_string_equal(out, CONFIG_DIR "/fw1.json: valid\n");
	assert_string_equal(err, "");
	assert_int_equal(check(CONFIG_DIR "/fw1.json", true, out, err), 0);
	assert_non_null(strstr(out, "\"valid\": true"));
	assert_string_equal(err, "");

	assert_int_equal(write(fd, bad, strlen(bad)), (ssize_t)strlen(bad));
	assert_int_equal(close(fd), 0);
	assert_int_equal(check(path, false, out, err), 1);
	snprintf(expected, sizeof(expected),
		"%s:2:39: /interfaces/0/mtu: expected an integer from 68 to 9216, found 1\n", path);
	assert_string_equal(out, "");
	assert_string_equal(err, expected);
	assert_int_equal(check(path, true, out, err), 1);
	assert_non_null(strstr(out, "\"valid\": false"));
	assert_non_null(strstr(out, "\"pointer\": \"/interfaces/0/mtu\""));
	assert_string_equal(err, "");
	assert_int_equal(unlink(path), 0);

	assert_int_equal(check(path, false, out, err), 1);
	snprintf(expected, sizeof(expected),
		"%s:1:1: the file cannot be opened: No such file or directory\n", path);
	assert_string_equal(err, expected);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines),
		cmocka_unit_test(help_names_every_option),
		cmocka_unit_test(check_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
