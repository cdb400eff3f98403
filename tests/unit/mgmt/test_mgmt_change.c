/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Addresses and passwords of a file that are staged: what is told, and what is applied when. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "compat_thread.h"
#include "conf_stage.h"
#include "mgmt_change_priv.h"
#include "mgmt_fake.h"
#include "mgmt_priv.h"
#include "mgmt_session.h"

#define FILE_TEXT(pass, vips, more)                                                             \
	"{\"node\": \"fw1\", \"eal\": [\"--no-pci\"], \"interfaces\": [{\"name\": \"lan\", "    \
	"\"device\": \"net_null0\", \"addresses\": [\"192.0.2.2/24\"]}, {\"name\": \"wan\", "   \
	"\"device\": \"net_null1\", \"addresses\": [\"198.51.100.2/24\"]}], \"carp\": {"        \
	"\"preempt\": true, \"window-s\": 60, \"groups\": [{\"name\": \"carp0\", \"carpdev\": " \
	"\"lan\", \"vhid\": 1, \"pass\": \"" pass "\", \"addresses\": [" vips "]" more          \
	"}, {\"name\": \"carp1\", \"vhid\": 2, \"pass\": \"wanpasswd\", \"advskew\": 100, "     \
	"\"addresses\": [\"198.51.100.1/24\"]}]}, \"routes\": [{\"prefix\": \"0.0.0.0/0\", "    \
	"\"via\": \"198.51.100.254\"}]}"
#define OLD  "\"192.0.2.1/24\""
#define NEW  "\"192.0.2.9/24\""
#define TAIL "routes: 1 kept, 0 changed, 1 added, 0 removed\n"

/* What the control lcore makes of it. */
static void
staged(bool open, enum auth_identity runs)
{
	struct ctl_group_view *v = &fake.groups[0];

	v->by_reload = open;
	v->reloads = runs;
	v->stage.phase = open ? AUTH_STAGE_STAGED : AUTH_STAGE_NONE;
	v->stage.running = runs;
	v->stage.until = fake.now + 50 * BASE_NS_PER_S;
}

static void
assert_vip(const char *want)
{
	char buf[CONF_ADDR_STR];

	assert_int_equal(fake.config.conf->groups[0].n_addresses, 1);
	assert_string_equal(
		conf_addr_str(&fake.config.conf->groups[0].addresses[0].addr, buf), want);
}

static void
stage(void)
{
	session_reload("reload", FILE_TEXT("y", NEW, ""), MGMT_CLI_DONE);
	staged(true, AUTH_OLD);
}

#define KEPT ": box, lcores, interface lan, interface wan, group carp1\n"

static void
the_plan_tells_what_is_staged(void **state)
{
	static const struct {
		const char *command, *text, *plan;
	} rows[] = {
		{"reload plan", FILE_TEXT("lanpasswd", NEW, ""),
			"carp: changed: window-s\ngroup carp0: staged for 60 s: addresses\n"
			"5 of 7 objects kept" KEPT TAIL},
		{"reload --plan", FILE_TEXT("y", OLD, ", \"advskew\": 3"),
			"carp: changed: window-s\ngroup carp0: staged for 60 s: pass\n"
			"group carp0: changed: advskew\n5 of 7 objects kept" KEPT TAIL},
		{"reload plan now", FILE_TEXT("y", NEW, ""),
			"carp: changed: window-s\n"
			"group carp0: changed: pass, addresses (the same on all boxes)\n"
			"5 of 7 objects kept" KEPT TAIL},
		{"reload plan", FILE_TEXT("lanpasswd", "\"192.0.2.1/25\"", ""),
			"carp: changed: window-s\n"
			"group carp0: changed: addresses (the same on all boxes)\n"
			"5 of 7 objects kept" KEPT TAIL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(
			session_reload(rows[i].command, rows[i].text, MGMT_CLI_DONE), rows[i].plan);
	assert_int_equal(fake.n_reloads, 0);
	/* who takes no part is heard by nobody */
	fake.groups[0].info.admin_up = false;
	assert_null(strstr(
		session_reload("reload plan", FILE_TEXT("y", NEW, ""), MGMT_CLI_DONE), "staged"));
}

static void
a_person_commits(void **state)
{
	(void)state;
	stage();
	assert_vip("192.0.2.1");
	assert_string_equal(session_say("show config diff", MGMT_CLI_DONE),
		"# carp0: staged: addresses +192.0.2.9 -192.0.2.1, pass\n");
	assert_non_null(strstr(session_say("show carp carp0", MGMT_CLI_DONE),
		"\tchange staged: addresses +192.0.2.9 -192.0.2.1, pass; the old digest and the "
		"new one are accepted, and sent as MASTER; commit or abort within 50 s\n"));
	assert_non_null(strstr(session_say("save", MGMT_CLI_REFUSED), "refused"));
	staged(true, AUTH_NEW);
	assert_string_equal(session_say("carp carp0 commit", MGMT_CLI_DONE),
		"carp0: the new one is used: addresses +192.0.2.9 -192.0.2.1, pass\n");
	assert_vip("192.0.2.9");
	assert_string_equal(session_say("show config diff", MGMT_CLI_DONE), "as in the file\n");
	/* and once that is over, nothing is left of the old one */
	staged(false, AUTH_NEW);
	assert_true(mgmt_change_settle(fake.config.file, NULL));
	assert_null(fake.config.conf->groups[0].staged);
	assert_int_equal(fake.n_reloads, 2);
	assert_int_equal(fake.n_loads, 0);
}

static void
what_could_not_be_applied_is_tried_again(void **state)
{
	(void)state;
	stage();
	staged(true, AUTH_NEW);
	fake.change_error = -ENOSPC;
	assert_string_equal(session_say("commit", MGMT_CLI_REFUSED),
		"decided, but not applied yet: no room in the table; it is tried again\n");
	assert_vip("192.0.2.1");
	assert_non_null(strstr(session_say("show carp carp0", MGMT_CLI_DONE),
		"\t\tnot applied yet: no room in the table; it is tried again\n"));
	fake.change_error = 0;
	assert_true(mgmt_change_settle(fake.config.file, NULL));
	assert_vip("192.0.2.9");
	assert_null(strstr(session_say("show carp carp0", MGMT_CLI_DONE), "not applied"));
}

/* The window ends, and it went there and back. */
static void
nobody_commits(void **state)
{
	(void)state;
	stage();
	staged(true, AUTH_NEW);
	assert_true(mgmt_change_settle(fake.config.file, NULL));
	assert_vip("192.0.2.9");
	staged(false, AUTH_OLD);
	assert_true(mgmt_change_settle(fake.config.file, NULL));
	assert_vip("192.0.2.1");
	assert_string_equal(session_say("show config diff", MGMT_CLI_DONE),
		"# carp0: not committed: addresses +192.0.2.9 -192.0.2.1, pass\n");
	/* a password that is staged by a command since is no news of it */
	staged(false, AUTH_OLD);
	fake.groups[0].stage.phase = AUTH_STAGE_STAGED;
	fake.groups[0].stage.running = AUTH_NEW;
	assert_true(mgmt_change_settle(fake.config.file, NULL));
	assert_vip("192.0.2.1");
	fake.groups[0].stage.phase = AUTH_STAGE_NONE;
	/* the same file stages it again, the old one ends it */
	assert_non_null(strstr(
		session_reload("reload", FILE_TEXT("y", NEW, ""), MGMT_CLI_DONE), "staged for"));
	assert_true(mgmt_change_settle(fake.config.file, NULL));
	session_reload("reload", FILE_TEXT("lanpasswd", OLD, ""), MGMT_CLI_DONE);
	assert_string_equal(session_say("show config diff", MGMT_CLI_DONE), "as in the file\n");
}

static void
another_reload_meanwhile(void **state)
{
	(void)state;
	stage();
	assert_string_equal(
		session_reload("reload", FILE_TEXT("y", NEW, ", \"advskew\": 3"), MGMT_CLI_DONE),
		"group carp0: what is staged goes on: addresses +192.0.2.9 -192.0.2.1, pass\n"
		"group carp0: changed: advskew\n6 of 7 objects kept: box, carp, lcores, "
		"interface lan, interface wan, group carp1\n" TAIL);
	assert_vip("192.0.2.1");
	assert_false(fake.config.conf->groups[0].staged->begin);
	assert_non_null(strstr(session_reload("reload", FILE_TEXT("z", NEW, ""), MGMT_CLI_REFUSED),
		"refused: a change of carp0 is staged, and the file has neither the old nor"));
	assert_non_null(strstr(
		session_reload("reload now", FILE_TEXT("z", NEW, ""), MGMT_CLI_REFUSED),
		"refused: a change of carp0 is staged, and the file has neither the old nor"));
	/* with the old one in the file it goes on as well, and is not lost by a commit */
	session_reload("reload", FILE_TEXT("lanpasswd", OLD, ""), MGMT_CLI_DONE);
	staged(true, AUTH_NEW);
	session_say("commit", MGMT_CLI_DONE);
	assert_vip("192.0.2.9");
	assert_string_equal(session_say("show config diff", MGMT_CLI_DONE),
		"# carp0: committed, but the file has the old one: addresses +192.0.2.9 "
		"-192.0.2.1, pass\n");
	/* decided before the reload, not yet applied: the reload does it */
	staged(true, AUTH_OLD);
	session_reload("reload", FILE_TEXT("y", NEW, ""), MGMT_CLI_DONE);
	assert_vip("192.0.2.1");
}

/* The thread looks by itself. */
static void
the_thread_applies_what_time_decides(void **state)
{
	const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
	bool done = false;

	(void)state;
	/* before the thread begins: the fake has no view of what a reload staged until we say so */
	stage();
	assert_int_equal(mgmt_change_start(fake.config.file), 0);
	staged(true, AUTH_NEW);
	for (unsigned int i = 0; i < 2000 && !done; i++) {
		const struct conf *c = mgmt_file_read(&fake.config);

		done = c->groups[0].staged->uses_new;
		mgmt_file_read_end(&fake.config);
		nanosleep(&pause, NULL);
	}
	assert_true(done);
}

/* How nice the thread is that goes by this name; -1: there is none. */
static int
nice_of(const char *name)
{
	char path[300], comm[32] = "";
	const struct dirent *e;
	DIR *tasks = opendir("/proc/self/task");
	int nice = -1;

	assert_non_null(tasks);
	while ((e = readdir(tasks)) != NULL) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", e->d_name);
		f = fopen(path, "r");
		if (f == NULL)
			continue;
		if (fgets(comm, sizeof(comm), f) != NULL && strncmp(comm, name, strlen(name)) == 0)
			nice = getpriority(PRIO_PROCESS, (id_t)atoi(e->d_name));
		fclose(f);
	}
	closedir(tasks);
	return nice;
}

/* It is tried again ever more rarely, by a thread that leaves the CPU to lcores, and told once. */
static void
the_thread_does_not_press(void **state)
{
	const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
	char *said = NULL;
	size_t len;
	FILE *was = stderr;

	(void)state;
	stage();
	staged(true, AUTH_NEW);
	fake.change_error = -ENOSPC;
	fake.n_begins = 0;
	stderr = open_memstream(&said, &len);
	assert_non_null(stderr);
	assert_int_equal(mgmt_change_start(fake.config.file), 0);
	while (__atomic_load_n(&fake.n_begins, __ATOMIC_ACQUIRE) < 4)
		nanosleep(&pause, NULL);
	fclose(stderr);
	stderr = was;
	assert_int_equal(nice_of("koi-change"), COMPAT_NICE);
	for (unsigned int i = 1; i < 4; i++)
		assert_true(fake.begun_at[i] - fake.begun_at[i - 1] >=
			(100 * BASE_NS_PER_MS << i) - BASE_NS_PER_MS);
	assert_string_equal(said,
		"koi: a staged change is decided, but not applied: no room in the table: tried "
		"again\n");
	free(said);
}

/* Decided, and the thread that looks is about to apply it. */
static void
decide_and_wait_for_a_look(void)
{
	const struct timespec pause = {.tv_nsec = 1000 * 1000};

	staged(true, AUTH_NEW);
	while (pthread_mutex_trylock(&fake.config.file->loading) == 0) {
		pthread_mutex_unlock(&fake.config.file->loading);
		nanosleep(&pause, NULL);
	}
}

static void
a_person_hears_of_it_whoever_applies_it(void **state)
{
	(void)state;
	stage();
	assert_int_equal(mgmt_change_start(fake.config.file), 0);
	fake.on_request = decide_and_wait_for_a_look;
	assert_string_equal(session_say("carp carp0 commit", MGMT_CLI_DONE),
		"carp0: the new one is used: addresses +192.0.2.9 -192.0.2.1, pass\n");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, session_file_before, session_file_after)
	const struct CMUnitTest tests[] = {
		T(the_plan_tells_what_is_staged),
		T(a_person_commits),
		T(what_could_not_be_applied_is_tried_again),
		T(nobody_commits),
		T(another_reload_meanwhile),
		T(the_thread_applies_what_time_decides),
		T(a_person_hears_of_it_whoever_applies_it),
		T(the_thread_does_not_press),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
