/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* "capture start" and "stop": what is in the file, in what order, and what ends it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt_capture_priv.h"
#include "mgmt_fake.h"
#include "mgmt_metrics_priv.h"
#include "mgmt_session.h"
#include "pcapng.h"

#define WALL UINT64_C(1767225600000000000)
#define MANY 2000

static char dir[64], path[96];
static uint8_t bytes[1500];

static int
setup(void **state)
{
	int ret = session_file_before(state);

	fake.config.capture = mgmt_capture_new(&fake.config);
	snprintf(dir, sizeof(dir), "/tmp/koi-capture-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	fake.frames = calloc(CTL_FRAMES_KEPT, sizeof(*fake.frames));
	for (unsigned int i = 0; i < 2; i++)
		fake.data[i] = calloc(MANY, sizeof(*fake.data[i]));
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	return fake.frames && fake.config.capture ? ret : -1;
}

static int
teardown(void **state)
{
	mgmt_capture_free(fake.config.capture);
	free(fake.frames);
	free(fake.data[0]);
	free(fake.data[1]);
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
	return session_file_after(state);
}

static void
start(const char *scope)
{
	char line[256];

	snprintf(line, sizeof(line), "capture start %s%s", path, scope);
	session_run(line, MGMT_CLI_DONE, "");
	assert_int_equal(fake.request.type, CTL_REQ_NOTE);
	assert_int_equal(fake.request.value, 0);
	snprintf(line, sizeof(line), "started: %s", path);
	assert_string_equal(fake.request.text, line);
}

/* It ended by itself. */
static struct mgmt_capture_status
wait_end(void)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct mgmt_capture_status now;

	do {
		nanosleep(&pause, NULL);
		mgmt_capture_status(fake.config.capture, &now);
	} while (now.running);
	return now;
}

static void
add_control(uint64_t at, uint16_t if_id, bool sent)
{
	struct ctl_frame *f = &fake.frames[fake.n_frames];

	*f = (struct ctl_frame){
		.seq = fake.n_frames + 1,
		.wall_ns = WALL + at,
		.if_id = if_id,
		.group = ELECTION_NONE,
		.len = 60,
		.captured = 60,
		.sent = sent,
		.verdict = sent ? CTL_VERDICT_SENT : CTL_VERDICT_NEIGHBOR,
		.stat = CTL_STAT_COUNT,
	};
	memcpy(f->bytes, bytes, 60);
	__atomic_store_n(&fake.n_frames, fake.n_frames + 1, __ATOMIC_RELEASE);
}

static void
add_data(uint16_t ring, uint64_t at, uint16_t if_index, enum dp_capture_fate fate, uint32_t len)
{
	fake.data[ring][fake.n_data[ring]] = (struct dp_capture_frame){
		.wall_ns = WALL + at,
		.if_index = if_index,
		.port_id = 1,
		.outbound = (at & 1) != 0,
		.fate = fate,
		.why = DP_DROP_TTL,
		.len = len,
		.captured = len,
		.bytes = bytes,
	};
	__atomic_store_n(&fake.n_data[ring], fake.n_data[ring] + 1, __ATOMIC_RELEASE);
}

/* The next packet of the file. @return false: there is none */
static bool
packet(struct pcapng *p, struct pcapng_block *b)
{
	while (pcapng_next(p, b))
		if (b->type == PCAPNG_PACKET)
			return true;
	return false;
}

static void
frames_of_all_rings_are_in_the_order_of_their_times(void **state)
{
	static const struct {
		uint64_t at;
		uint32_t interface;
		const char *comment;
	} want[] = {
		{1, 0, ""},
		{2, 0, "shown to the neighbour table"},
		{3, 1, ""},
		{4, 1, "dropped: ttl, TTL or hop limit used up"},
		{5, 3, ""},
		{6, 1, "waits for the MAC of its next hop"},
		{7, 0, ""},
	};
	struct pcapng_block b;
	struct pcapng p;
	uint8_t *file;
	char text[256];

	(void)state;
	start(" all");
	assert_int_equal(fake.capture_if, DP_NONE);
	assert_int_equal(fake.capture_snap, DP_CAPTURE_SNAP_MAX);
	add_control(2, 0, false);
	add_control(4, 0, true); /* seen where it goes to the device */
	add_data(0, 1, 0, DP_CAPTURE_PASSED, 100);
	add_data(0, 2, 0, DP_CAPTURE_CONTROL, 60); /* the control lcore's has the verdict */
	add_data(0, 4, 1, DP_CAPTURE_DROPPED, 1500);
	add_data(0, 6, 1, DP_CAPTURE_RESOLVE, 61);
	add_data(1, 3, 1, DP_CAPTURE_PASSED, 62);
	add_data(1, 5, DP_NONE, DP_CAPTURE_PASSED, 63);
	add_data(1, 7, 0, DP_CAPTURE_PASSED, 64);
	fake.capture_lost[1] = 5;
	fake.capture_lost[2] = 2;
	mgmt_cli_run(&session, "capture stop");
	assert_int_equal(session.status, MGMT_CLI_DONE);
	assert_int_equal(fake.capture_snap, 0);
	file = pcapng_file(path, &p);
	snprintf(text, sizeof(text), "7 frames, %zu bytes in %s, 7 not captured\n", p.len, path);
	assert_string_equal(session.text, text);
	snprintf(text, sizeof(text), "ended, by command: %s", path);
	assert_string_equal(fake.request.text, text);
	for (unsigned int i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(packet(&p, &b));
		assert_true(b.time == WALL + want[i].at);
		assert_int_equal(b.interface, want[i].interface);
		if (want[i].comment[0] != 'd')
			assert_string_equal(b.comment, want[i].comment);
		else
			assert_memory_equal(b.comment, "dropped: ttl, ", 14);
		assert_memory_equal(b.bytes, bytes, b.captured);
		assert_int_equal(b.flags, (want[i].at & 1) != 0 ? 2 : 1);
	}
	assert_true(pcapng_next(&p, &b));
	assert_int_equal(b.type, PCAPNG_STATISTICS);
	assert_string_equal(b.comment, "ended: by command; 7 frames not captured");
	assert_int_equal(b.received, 3);
	assert_true(pcapng_next(&p, &b));
	assert_int_equal(b.received, 3 + 5);
	assert_int_equal(b.dropped, 5);
	free(file);
}

static void
groups_are_control_frames_of_interfaces_with_groups(void **state)
{
	struct pcapng_block b;
	struct pcapng p;
	uint8_t *file;

	(void)state;
	/* carp1 is on the LAN too */
	fake.conf->groups[1].if_index = 0;
	add_control(1, 0, false); /* before it began */
	start("");
	assert_int_equal(fake.capture_snap, 0);
	add_control(2, 0, false);
	add_control(3, 1, false);
	add_control(5, 0, true);
	add_data(0, 4, 0, DP_CAPTURE_PASSED, 60);
	mgmt_cli_run(&session, "capture stop");
	file = pcapng_file(path, &p);
	assert_true(packet(&p, &b));
	assert_true(b.time == WALL + 2);
	assert_true(packet(&p, &b));
	assert_true(b.time == WALL + 5);
	assert_string_equal(b.comment, "sent");
	assert_false(packet(&p, &b));
	free(file);
}

/* Bytes of the file, once it has so many. */
static void
wait_bytes(uint64_t more_than)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct mgmt_capture_status now;

	do {
		nanosleep(&pause, NULL);
		mgmt_capture_status(fake.config.capture, &now);
		assert_true(now.running);
	} while (now.bytes <= more_than);
}

/* A configuration like the one that is there, but for the groups' interface. */
#define FILE_WITH(groups)                                                                     \
	"{\"node\": \"fw1\", \"eal\": [\"--no-pci\"], \"interfaces\": [{\"name\": \"lan\", "  \
	"\"device\": \"net_null0\", \"addresses\": [\"192.0.2.2/24\"]}, {\"name\": \"wan\", " \
	"\"device\": \"net_null1\", \"addresses\": [\"198.51.100.2/24\"]}], \"carp\": "       \
	"{\"groups\": [" groups "]}}"
#define LAN_GROUP                                                                            \
	"{\"name\": \"carp0\", \"carpdev\": \"lan\", \"vhid\": 1, \"pass\": \"lanpasswd\", " \
	"\"addresses\": [\"192.0.2.1/24\"]}"
#define WAN_GROUP                                                                            \
	"{\"name\": \"carp1\", \"carpdev\": \"wan\", \"vhid\": 2, \"pass\": \"wanpasswd\", " \
	"\"addresses\": [\"198.51.100.1/24\"]}"

/* The first group of an interface comes while a capture runs, and the last one of another goes. */
static void
groups_are_those_of_now(void **state)
{
	struct mgmt_capture_status now;
	struct pcapng_block b;
	struct pcapng p;
	uint8_t *file;

	(void)state;
	session_reload("reload", FILE_WITH(LAN_GROUP), MGMT_CLI_DONE);
	start(" groups");
	mgmt_capture_status(fake.config.capture, &now);
	add_control(1, 1, false); /* of an interface without a group */
	add_control(2, 0, false);
	wait_bytes(now.bytes);
	session_reload("reload", FILE_WITH(WAN_GROUP), MGMT_CLI_DONE);
	add_control(3, 0, false);
	add_control(4, 1, false);
	mgmt_cli_run(&session, "capture stop");
	assert_int_equal(session.status, MGMT_CLI_DONE);
	file = pcapng_file(path, &p);
	assert_true(packet(&p, &b));
	assert_true(b.time == WALL + 2);
	assert_true(packet(&p, &b));
	assert_true(b.time == WALL + 4);
	assert_int_equal(b.interface, 1);
	assert_false(packet(&p, &b));
	free(file);
}

/* The descriptor of the capture's file. */
static int
descriptor(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	char link[300], name[PATH_MAX];
	int found = -1;

	assert_non_null(d);
	while (found < 0 && (e = readdir(d)) != NULL) {
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%s", e->d_name);
		n = readlink(link, name, sizeof(name) - 1);
		name[n > 0 ? n : 0] = '\0';
		if (strcmp(name, path) == 0)
			found = atoi(e->d_name);
	}
	closedir(d);
	assert_true(found >= 0);
	return found;
}

static pid_t stopper_tid;

static void *
stop_main(void *arg)
{
	__atomic_store_n(&stopper_tid, gettid(), __ATOMIC_RELEASE);
	mgmt_cli_run(arg, "capture stop");
	return NULL;
}

static void
wait_asleep(const pid_t *tid)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	char file[64], state = '\0';

	while (state != 'S') {
		FILE *f;

		nanosleep(&pause, NULL);
		snprintf(file, sizeof(file), "/proc/self/task/%d/stat",
			(int)__atomic_load_n(tid, __ATOMIC_ACQUIRE));
		f = fopen(file, "r");
		if (f != NULL && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			state = '\0';
		if (f != NULL)
			fclose(f);
	}
}

static void *
read_main(void *arg)
{
	char buf[4096];

	while (read(*(int *)arg, buf, sizeof(buf)) > 0)
		;
	return NULL;
}

/*
 * A pipe that nobody reads is where the capture writes to. Whoever wants the configuration has it
 * all the same: commands, also while somebody waits for the end of the capture, and a reload.
 */
static void
a_disk_that_stands_still_holds_nobody_up(void **state)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct mgmt_session other = {.cli = session.cli, .config = &fake.config, .out_fd = -1};
	pthread_t stopper, reader;
	int ends[2], full, file;

	(void)state;
	start(" all");
	file = descriptor();
	assert_int_equal(pipe(ends), 0);
	full = fcntl(ends[1], F_GETPIPE_SZ);
	assert_int_equal(dup3(ends[1], file, O_CLOEXEC), file);
	for (uint32_t i = 0; i < MANY; i++)
		add_data(0, i, 0, DP_CAPTURE_PASSED, 1000);
	for (int n = 0; n < full; nanosleep(&pause, NULL))
		assert_int_equal(ioctl(ends[0], FIONREAD, &n), 0);
	session_reload("reload", FILE_WITH(LAN_GROUP), MGMT_CLI_DONE);
	assert_int_equal(pthread_create(&stopper, NULL, stop_main, &other), 0);
	wait_asleep(&stopper_tid);
	mgmt_cli_run(&session, "show capture");
	assert_non_null(strstr(session.text, "running since"));
	session_reload("reload", FILE_WITH(LAN_GROUP "," WAN_GROUP), MGMT_CLI_DONE);
	assert_int_equal(pthread_tryjoin_np(stopper, NULL), EBUSY);
	assert_int_equal(pthread_create(&reader, NULL, read_main, &ends[0]), 0);
	assert_int_equal(pthread_join(stopper, NULL), 0);
	assert_int_equal(other.status, MGMT_CLI_DONE);
	assert_memory_equal(other.text, "2000 frames, ", 13);
	mgmt_cli_clear(&other);
	close(ends[1]);
	assert_int_equal(pthread_join(reader, NULL), 0);
	close(ends[0]);
}

static void
metrics_have_its_numbers(void **state)
{
	struct mgmt_capture_status now;
	char *text = NULL, line[64];
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	start(" all");
	mgmt_capture_status(fake.config.capture, &now);
	fake.capture_lost[1] = 5;
	add_data(0, 1, 0, DP_CAPTURE_PASSED, 100);
	wait_bytes(now.bytes);
	mgmt_metrics_write(&fake.config, MGMT_METRICS_OPENMETRICS, f);
	assert_int_equal(fclose(f), 0);
	mgmt_capture_status(fake.config.capture, &now);
	assert_non_null(strstr(text, "\nkoi_capture_running 1\n"));
	assert_non_null(strstr(text, "\nkoi_capture_frames_total 1\n"));
	assert_non_null(strstr(text, "\nkoi_capture_missed_frames_total 5\n"));
	snprintf(line, sizeof(line), "\nkoi_capture_file_bytes_total %llu\n",
		(unsigned long long)now.bytes);
	assert_non_null(strstr(text, line));
	free(text);
}

static void
one_interface_is_asked_for(void **state)
{
	struct pcapng_block b;
	struct pcapng p;
	uint8_t *file;

	(void)state;
	session_run("set capture snap 77", MGMT_CLI_DONE, "");
	start(" interface wan");
	assert_int_equal(fake.capture_if, 1);
	assert_int_equal(fake.capture_snap, 77);
	add_control(1, 0, false);
	add_control(2, 1, false);
	mgmt_cli_run(&session, "capture stop");
	file = pcapng_file(path, &p);
	assert_true(pcapng_next(&p, &b));
	assert_true(pcapng_next(&p, &b));
	assert_int_equal(b.snap_len, 77);
	assert_true(packet(&p, &b));
	assert_true(b.time == WALL + 2);
	assert_false(packet(&p, &b));
	free(file);
}

static void
it_ends_at_its_limits(void **state)
{
	struct mgmt_capture_status now;
	struct pcapng_block b;
	struct pcapng p;
	uint8_t *file;
	uint32_t n = 0;

	(void)state;
	session_run("set capture packets 3", MGMT_CLI_DONE, "");
	start(" all");
	for (uint32_t i = 0; i < 5; i++)
		add_data(0, i, 0, DP_CAPTURE_PASSED, 60);
	now = wait_end();
	assert_int_equal(now.frames, 3);
	assert_int_equal(now.error, 0);
	assert_string_equal(now.ended, "limit of 3 frames reached");
	session_run("capture stop", MGMT_CLI_REFUSED,
		"refused: no capture is running, \"show capture\" tells of the last one\n");
	file = pcapng_file(path, &p);
	while (packet(&p, &b))
		n++;
	assert_int_equal(n, 3);
	free(file);
	unlink(path);
	session_run("set capture packets 0", MGMT_CLI_DONE, "");
	session_run("set capture bytes 65536", MGMT_CLI_DONE, "");
	fake.n_data[0] = fake.n_taken[0] = 0;
	start(" all");
	for (uint32_t i = 0; i < MANY; i++)
		add_data(0, i, 0, DP_CAPTURE_PASSED, 1000);
	now = wait_end();
	assert_string_equal(now.ended, "limit of 65536 bytes reached");
	file = pcapng_file(path, &p);
	assert_int_equal(now.bytes, p.len);
	assert_true(p.len <= 65536 && p.len > 60000);
	for (n = 0; packet(&p, &b); n++)
		assert_true(b.time == WALL + n);
	assert_int_equal(n, now.frames);
	free(file);
}

/* Whatever the disk does, the file is one that can be read, and somebody is told. */
static void
a_full_disk_ends_it(void **state)
{
	struct rlimit was, small = {.rlim_cur = 200000};
	struct mgmt_capture_status now;
	struct pcapng_block b;
	struct pcapng p;
	uint8_t *file;
	uint32_t n = 0;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	start(" all");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (uint32_t i = 0; i < MANY; i++)
		add_data(0, i, 0, DP_CAPTURE_PASSED, 1000);
	now = wait_end();
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(now.error, -ENOSPC);
	assert_string_equal(now.ended, "it cannot be written: No space left on device");
	assert_int_equal(fake.capture_snap, 0);
	file = pcapng_file(path, &p);
	assert_int_equal(now.bytes, p.len);
	assert_true(p.len <= 200000 && p.len > 198000);
	for (; packet(&p, &b); n++)
		assert_true(b.time == WALL + n);
	assert_true(n > 150);
	free(file);
	/* the event is written after the end is seen: a new start waits for it */
	session_run("capture stop", MGMT_CLI_REFUSED,
		"refused: no capture is running, \"show capture\" tells of the last one\n");
}

static void
one_at_a_time_and_shown(void **state)
{
	char line[256], text[512];

	(void)state;
	session_run("show capture", MGMT_CLI_DONE,
		"no capture since the start of koi\n"
		"limits: 67108864 bytes, 65535 bytes of each frame\n");
	session_run("capture stop", MGMT_CLI_REFUSED, "refused: no capture is running\n");
	start(" interface lan");
	snprintf(line, sizeof(line), "capture start %s-2", path);
	snprintf(text, sizeof(text),
		"refused: a capture is running, to %s: \"capture stop\" ends it\n", path);
	session_run(line, MGMT_CLI_REFUSED, text);
	session_run("set capture packets 9", MGMT_CLI_DONE, ""); /* of the next one */
	mgmt_cli_run(&session, "show capture");
	snprintf(text, sizeof(text), "%s: interface lan, running since ", path);
	assert_memory_equal(session.text, text, strlen(text));
	assert_non_null(
		strstr(session.text, "limits: 67108864 bytes, 65535 bytes of each frame\n"));
	mgmt_cli_run(&session, "capture stop");
	assert_int_equal(session.status, MGMT_CLI_DONE);
	mgmt_cli_run(&session, "show capture");
	assert_non_null(strstr(session.text, ", ended: by command\n"));
	assert_non_null(strstr(session.text, "limits: 67108864 bytes, 9 packets, 65535"));
	snprintf(line, sizeof(line), "capture start %s", path);
	snprintf(text, sizeof(text), "refused, no file was made: %s: File exists\n", path);
	session_run(line, MGMT_CLI_REFUSED, text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			frames_of_all_rings_are_in_the_order_of_their_times, setup, teardown),
		cmocka_unit_test_setup_teardown(
			groups_are_control_frames_of_interfaces_with_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(groups_are_those_of_now, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_disk_that_stands_still_holds_nobody_up, setup, teardown),
		cmocka_unit_test_setup_teardown(metrics_have_its_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(one_interface_is_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(it_ends_at_its_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_disk_ends_it, setup, teardown),
		cmocka_unit_test_setup_teardown(one_at_a_time_and_shown, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
