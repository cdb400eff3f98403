/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Telemetry as dpdk-telemetry.py sees it: the real socket of a running EAL. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_eal.h>

#include "mgmt_fake.h"
#include "mgmt_json_priv.h"
#include "mgmt_tel_priv.h"

static char prefix[48];

static int
setup(void **state)
{
	(void)state;
	fake_setup();
	return mgmt_tel_start(&fake.config);
}

static int
teardown(void **state)
{
	(void)state;
	mgmt_tel_stop();
	fake_teardown();
	return 0;
}

static int
dial(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const struct timeval tv = {.tv_sec = 20};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char hello[1024];

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.80s/dpdk_telemetry.v2",
		rte_eal_get_runtime_dir());
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	assert_true(recv(fd, hello, sizeof(hello), 0) > 0);
	return fd;
}

/* The value under the command's name. */
static json_t *
ask(int fd, const char *command)
{
	char *buf = malloc(32768);
	json_t *v, *inner;
	json_error_t err;
	ssize_t n;
	char key[64];

	assert_int_equal(send(fd, command, strlen(command), 0), strlen(command));
	n = recv(fd, buf, 32768, 0);
	assert_true(n > 0 && n < 16384);
	v = json_loadb(buf, (size_t)n, 0, &err);
	if (!v)
		fail_msg("%s: %s: %.*s", command, err.text, (int)n, buf);
	snprintf(key, sizeof(key), "%.*s", (int)strcspn(command, ","), command);
	inner = json_incref(json_object_get(v, key));
	assert_non_null(inner);
	json_decref(v);
	free(buf);
	return inner;
}

static void
every_command_is_listed_with_help(void **state)
{
	static const struct {
		const char *name, *help;
	} rows[] = {
#define MGMT_TEL(name, view, params, list, help) {name, help},
#include "tel_cmds.def"
#undef MGMT_TEL
	};
	int fd = dial();
	json_t *list = ask(fd, "/"), *item;
	char command[80];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool found = false;
		json_t *v;
		size_t n;

		json_array_foreach (list, n, item)
			found = found || strcmp(json_string_value(item), rows[i].name) == 0;
		assert_true(found);
		snprintf(command, sizeof(command), "/help,%s", rows[i].name);
		v = ask(fd, command);
		/* 22.11 answers with the command as key, later versions with a string */
		assert_string_equal(
			json_is_string(v) ? json_string_value(v) : get_str(v, rows[i].name),
			rows[i].help);
		json_decref(v);
	}
	json_decref(list);
	close(fd);
}

static void
replies_arrive_as_they_were_fitted(void **state)
{
	static const char *const commands[] = {"/koi/info", "/koi/lcores", "/koi/drops",
		"/carp/list", "/carp/info,carp0", "/carp/stats", "/carp/stats,carp1",
		"/carp/peers,carp0", "/carp/events", "/carp/events,carp1,3", "/fwd/stats",
		"/interface/list", "/interface/info,wan", "/neighbor/list,lan", "/route/list",
		"/route/list,100", "/carp/explain,carp0", "/carp/explain,carp1,3", "/carp/explain",
		"/carp/info,none", "/carp/info"};
	int fd = dial();

	(void)state;
	fake.dp.drops[DP_DROP_TTL] = UINT64_C(1) << 40;
	fake.n_peers = 2;
	for (int i = 0; i < 300; i++) {
		struct ctl_event *e = fake_event(CTL_EVENT_BAD_ADVERT);

		e->group = 1;
		e->stat = CTL_STAT_BADAUTH;
		e->src = base_addr_from_ip4(0xc0000209);
		e->suppressed = 17;
	}
	fake.n_routes = 1000;
	fake.routes = calloc(fake.n_routes, sizeof(*fake.routes));
	for (uint32_t i = 0; i < fake.n_routes; i++)
		fake.routes[i] = (struct fib_route){{base_addr_from_ip4(i << 8), 24},
			{.type = FIB_NH_GATEWAY, .if_index = 1, .gateway = 0xc63364fe}};
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const char *comma = strchr(commands[i], ',');
		char name[64];
		json_t *got = ask(fd, commands[i]), *want;

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(commands[i], ","), commands[i]);
		want = mgmt_tel_reply(&fake.config, name, comma ? comma + 1 : NULL);
		if (!json_equal(got, want)) {
			json_dumpf(got, stderr, JSON_INDENT(1));
			json_dumpf(want, stderr, JSON_INDENT(1));
			fail_msg("%s", commands[i]);
		}
		json_decref(want);
		json_decref(got);
	}
	close(fd);
}

static void *
ask_often(void *arg)
{
	int fd = dial();

	(void)arg;
	for (int i = 0; i < 200; i++)
		json_decref(ask(fd, i % 2 ? "/carp/info,carp0" : "/interface/info,wan"));
	close(fd);
	return NULL;
}

static void
handlers_run_side_by_side(void **state)
{
	pthread_t t[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, ask_often, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

static void
after_stop_there_is_no_answer(void **state)
{
	int fd = dial();
	json_t *v;

	(void)state;
	mgmt_tel_stop();
	v = ask(fd, "/koi/info");
	assert_true(json_is_null(v));
	json_decref(v);
	close(fd);
}

int
main(void)
{
	char *argv[] = {(char *)(uintptr_t) "test", (char *)(uintptr_t) "--no-huge",
		(char *)(uintptr_t) "--no-pci", (char *)(uintptr_t) "--no-shconf",
		(char *)(uintptr_t) "-m", (char *)(uintptr_t) "64", (char *)(uintptr_t) "-l",
		(char *)(uintptr_t) "0", (char *)(uintptr_t) "--file-prefix", prefix, NULL};
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(every_command_is_listed_with_help),
		T(replies_arrive_as_they_were_fitted),
		T(handlers_run_side_by_side),
		T(after_stop_there_is_no_answer),
#undef T
	};
	char runtime[128], socket_path[160];
	int rc;

	snprintf(prefix, sizeof(prefix), "koi-test-mgmt-%d", getpid());
	if (rte_eal_init(10, argv) < 0)
		return 1;
	snprintf(runtime, sizeof(runtime), "%s", rte_eal_get_runtime_dir());
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	/* leave nothing behind */
	snprintf(socket_path, sizeof(socket_path), "%s/dpdk_telemetry.v2", runtime);
	rte_eal_cleanup();
	unlink(socket_path);
	rmdir(runtime);
	return rc;
}
