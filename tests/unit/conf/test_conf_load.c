/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_cases.h"

static char dir[] = "/tmp/koi-conf-XXXXXX";
static char path[64];

static int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void
write_file(const char *text, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

/** Load path, and hold what is printed against the lines without the path at their beginning. */
static void
assert_load(const char *expected, unsigned int flags)
{
	struct conf_issues issues;
	struct conf *c = conf_load(path, flags, &issues);
	char *lines = conf_case_lines(&issues);
	size_t n = strlen(path);

	if (expected[0] == '\0') {
		assert_string_equal(lines, "");
	} else {
		assert_memory_equal(lines, path, n);
		assert_string_equal(lines + n, expected);
	}
	assert_int_equal(c != NULL, issues.n_errors == 0);
	if (c != NULL)
		assert_string_equal(c->path, path);
	free(lines);
	conf_free(c);
	conf_issues_free(&issues);
}

static void
files(void **state)
{
	static const char good[] = IF("{\"name\": \"lan\", \"device\": \"d\"}");

	(void)state;
	assert_load(":1:1: the file cannot be opened: No such file or directory\n", 0);

	write_file(good, strlen(good), 0600);
	assert_load("", 0);
	assert_int_equal(truncate(path, 0), 0);
	assert_load(":1:1: the file is empty, expected an object in braces\n", 0);
	/* a hole, so that nothing is written */
	assert_int_equal(truncate(path, (off_t)CONF_FILE_MAX_BYTES + 1), 0);
	assert_load(":1:1: the file is too large, allowed are at most 268435456 bytes\n", 0);
	assert_int_equal(unlink(path), 0);

	assert_int_equal(mkdir(path, 0700), 0);
	assert_load(":1:1: this is a directory, expected a regular file\n", 0);
	assert_int_equal(rmdir(path), 0);

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_load(":1:1: this is not a regular file\n", 0);
	assert_int_equal(unlink(path), 0);
}

struct pass_case {
	const char *name, *text;
	size_t len; /* 0 = strlen() */
	mode_t mode;
	int ret;
	const char *err; /* or the key */
};

static const struct pass_case pass_cases[] = {
	{"text", "lanpasswd", 0, 0600, 0, "lanpasswd"},
	{"newline", "lanpasswd\n", 0, 0400, 0, "lanpasswd"},
	{"19 bytes", "1234567890123456789\n", 0, 0600, 0, "1234567890123456789"},
	{"blanks are part of it", " a b \n", 0, 0600, 0, " a b "},
	{"exact key", "hex:6c616e7061737377640000000000000000000000\n", 0, 0600, 0, "lanpasswd"},
	{"20 bytes", "12345678901234567890\n", 0, 0600, -EINVAL,
		"the passphrase has 20 bytes, allowed are at most 19 (or \"hex:\" and 40 "
		"hexadecimal "
		"digits)"},
	{"short exact key", "hex:00\n", 0, 0600, -EINVAL,
		"\"hex:\" must be followed by exactly 40 hexadecimal digits, found 2 characters"},
	{"nothing", "", 0, 0600, -EINVAL, "is empty, expected the passphrase on one line"},
	{"a newline alone", "\n", 0, 0600, -EINVAL,
		"is empty, expected the passphrase on one line"},
	{"two lines", "a\nb\n", 0, 0600, -EINVAL,
		"has more than one line, expected the passphrase alone"},
	{"an empty line after it", "a\n\n", 0, 0600, -EINVAL,
		"has more than one line, expected the passphrase alone"},
	{"carriage return", "a\r\n", 0, 0600, -EINVAL,
		"holds a carriage return, expected the passphrase on one line"},
	{"NUL byte", "a\0b", 3, 0600, -EINVAL,
		"holds a NUL byte, expected the passphrase on one line"},
	{"group may read", "a\n", 0, 0640, -EPERM,
		"is open to group or others (mode 0640), allowed is 0600 or stricter"},
	{"others may read", "a\n", 0, 0604, -EPERM,
		"is open to group or others (mode 0604), allowed is 0600 or stricter"},
	{"group may write", "a\n", 0, 0620, -EPERM,
		"is open to group or others (mode 0620), allowed is 0600 or stricter"},
};

static void
pass_files(void **state)
{
	char err[200];

	(void)state;
	for (size_t i = 0; i < sizeof(pass_cases) / sizeof(pass_cases[0]); i++) {
		const struct pass_case *t = &pass_cases[i];
		uint8_t key[AUTH_KEY_LEN], expected[AUTH_KEY_LEN] = {0};
		int ret;

		write_file(t->text, t->len != 0 ? t->len : strlen(t->text), t->mode);
		memset(key, 0xee, sizeof(key));
		err[0] = '\0';
		ret = conf_pass_file_read(path, key, err, sizeof(err));
		assert_int_equal(unlink(path), 0);
		if (ret != t->ret)
			fail_msg("%s: returned %d (%s)", t->name, ret, err);
		if (ret == 0) {
			memcpy(expected, t->err, strlen(t->err));
		} else {
			assert_string_equal(err, t->err);
			memset(expected, 0xee, sizeof(expected));
		}
		assert_memory_equal(key, expected, sizeof(key));
	}
}

static void
pass_file_that_is_none(void **state)
{
	char err[200], text[300];
	uint8_t key[AUTH_KEY_LEN];

	(void)state;
	assert_int_equal(conf_pass_file_read(path, key, err, sizeof(err)), -ENOENT);
	assert_string_equal(err, "cannot be opened: No such file or directory");

	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(conf_pass_file_read(path, key, err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "is not a regular file");
	assert_int_equal(rmdir(path), 0);

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(conf_pass_file_read(path, key, err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "is not a regular file");
	assert_int_equal(unlink(path), 0);

	memset(text, 'a', sizeof(text));
	write_file(text, sizeof(text), 0600);
	assert_int_equal(conf_pass_file_read(path, key, err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "has more than 256 bytes, expected the passphrase on one line");
	assert_int_equal(unlink(path), 0);
}

static void
become(uid_t user)
{
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(seteuid(user), 0);
}

static void
pass_file_of_another_user(void **state)
{
	char err[200], expected[200];
	uint8_t key[AUTH_KEY_LEN];

	(void)state;
	if (geteuid() != 0)
		skip();
	write_file("a\n", 2, 0600);
	assert_int_equal(chown(path, 12345, 0), 0);
	assert_int_equal(conf_pass_file_read(path, key, err, sizeof(err)), -EPERM);
	snprintf(expected, sizeof(expected), "belongs to user 12345, allowed are root and user %u",
		geteuid());
	assert_string_equal(err, expected);
	/* who runs as its owner may read it, and root's too */
	assert_int_equal(chmod(dir, 0755), 0);
	become(12345);
	assert_int_equal(conf_pass_file_read(path, key, err, sizeof(err)), 0);
	become(54321);
	assert_int_equal(conf_pass_file_read(path, key, err, sizeof(err)), -EPERM);
	assert_string_equal(err, "belongs to user 12345, allowed are root and user 54321");
	/* root's own file, which this user cannot open: unreadable, but as safe as it looks */
	become(0);
	assert_int_equal(chown(path, 0, 0), 0);
	become(54321);
	assert_int_equal(conf_pass_file_read(path, key, err, sizeof(err)), -EACCES);
	assert_string_equal(err, "cannot be opened: Permission denied");
	/* unsafe is reported even so */
	become(0);
	assert_int_equal(chmod(path, 0620), 0);
	become(54321);
	assert_int_equal(conf_pass_file_read(path, key, err, sizeof(err)), -EPERM);
	become(0);
	assert_int_equal(unlink(path), 0);
}

/** A configuration whose only group has this pass-file. @return what is printed, malloced */
static char *
with_pass_file(unsigned int flags, struct conf **c)
{
	char text[1024];
	struct conf_issues issues;
	char *lines;

	snprintf(text, sizeof(text), "%s%s%s",
		"{" IFS
		",\n\"carp\": {\"groups\": [{\"name\": \"carp0\", \"vhid\": 1, \"pass-file\": \"",
		path, "\", \"addresses\": [\"192.0.2.1/24\"]}]}}");
	*c = conf_parse(text, strlen(text), "t", flags, &issues);
	lines = conf_case_lines(&issues);
	conf_issues_free(&issues);
	return lines;
}

static void
pass_file_in_a_configuration(void **state)
{
	char expected[300], *lines;
	struct conf *c;

	(void)state;
	/* missing: refused, but for who only checks a warning */
	lines = with_pass_file(0, &c);
	snprintf(expected, sizeof(expected),
		"t:4:63: /carp/groups/0/pass-file: \"%s\" cannot be opened: No such file or "
		"directory\n",
		path);
	assert_null(c);
	assert_string_equal(lines, expected);
	free(lines);
	lines = with_pass_file(CONF_CHECK_ONLY, &c);
	snprintf(expected, sizeof(expected),
		"t:4:63: /carp/groups/0/pass-file: warning: \"%s\" cannot be opened: No "
		"such file or "
		"directory\n",
		path);
	assert_non_null(c);
	assert_string_equal(lines, expected);
	free(lines);
	conf_free(c);

	/* unsafe: refused in any case */
	write_file("wanpasswd\n", 10, 0644);
	lines = with_pass_file(CONF_CHECK_ONLY, &c);
	snprintf(expected, sizeof(expected),
		"t:4:63: /carp/groups/0/pass-file: \"%s\" is open to group or others (mode 0644), "
		"allowed is 0600 or stricter\n",
		path);
	assert_null(c);
	assert_string_equal(lines, expected);
	free(lines);

	assert_int_equal(chmod(path, 0600), 0);
	lines = with_pass_file(0, &c);
	assert_string_equal(lines, "");
	assert_non_null(c);
	assert_string_equal(c->groups[0].pass_file, path);
	assert_memory_equal(c->groups[0].key, "wanpasswd\0\0\0\0\0\0\0\0\0\0\0", AUTH_KEY_LEN);
	free(lines);
	conf_free(c);
	assert_int_equal(unlink(path), 0);
}

/* Every example is valid without a warning. */
static void
examples(void **state)
{
	char file[512];
	unsigned int n = 0;
	DIR *d = opendir(CONFIG_DIR);
	struct dirent *e;

	(void)state;
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		struct conf_issues issues;
		struct conf *c;
		size_t len = strlen(e->d_name);

		/* "koi.schema.json" tells of configurations and is none */
		if (len < 5 || strcmp(e->d_name + len - 5, ".json") != 0 ||
			strchr(e->d_name, '.') != e->d_name + len - 5)
			continue;
		snprintf(file, sizeof(file), "%s/%s", CONFIG_DIR, e->d_name);
		c = conf_load(file, CONF_CHECK_ONLY, &issues);
		if (c == NULL || issues.n > 0)
			fail_msg("%s", conf_case_lines(&issues));
		conf_free(c);
		conf_issues_free(&issues);
		n++;
	}
	closedir(d);
	assert_true(n >= 3);
}

static void
example_firewalls(void **state)
{
	struct conf_issues issues;
	struct conf *fw[2];

	(void)state;
	fw[0] = conf_load(CONFIG_DIR "/fw1.json", 0, &issues);
	conf_issues_free(&issues);
	fw[1] = conf_load(CONFIG_DIR "/fw2.json", 0, &issues);
	conf_issues_free(&issues);
	assert_non_null(fw[0]);
	assert_non_null(fw[1]);
	for (int i = 0; i < 2; i++) {
		assert_true(fw[i]->preempt);
		assert_string_equal(fw[i]->ifs[0].name, "em0");
		assert_string_equal(fw[i]->ifs[1].name, "em1");
		for (uint16_t g = 0; g < 2; g++) {
			assert_int_equal(fw[i]->groups[g].if_index, g);
			assert_int_equal(fw[i]->groups[g].vhid, g + 1);
			assert_int_equal(fw[i]->groups[g].advskew, i == 0 ? 0 : 128);
			assert_memory_equal(
				fw[0]->groups[g].key, fw[i]->groups[g].key, AUTH_KEY_LEN);
			assert_int_equal(fw[i]->groups[g].n_addresses, 2);
			assert_memory_equal(fw[0]->groups[g].addresses, fw[i]->groups[g].addresses,
				2 * sizeof(struct base_prefix));
			assert_int_equal(fw[i]->ifs[g].n_addresses, 2);
			for (uint16_t a = 0; a < 2; a++)
				assert_memory_not_equal(&fw[i]->ifs[g].addresses[a],
					&fw[1 - i]->ifs[g].addresses[a],
					sizeof(struct base_prefix));
		}
	}
	assert_memory_equal(fw[0]->groups[0].key, "lanpasswd", 10);
	assert_memory_equal(fw[0]->groups[1].key, "wanpasswd", 10);
	conf_free(fw[0]);
	conf_free(fw[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),
		cmocka_unit_test(pass_files),
		cmocka_unit_test(pass_file_that_is_none),
		cmocka_unit_test(pass_file_of_another_user),
		cmocka_unit_test(pass_file_in_a_configuration),
		cmocka_unit_test(examples),
		cmocka_unit_test(example_firewalls),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
