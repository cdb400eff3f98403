/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Frames written to files: "capture dump". */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt_capture_priv.h"
#include "mgmt_fake.h"
#include "mgmt_session.h"
#include "pcapng.h"

#define WALL UINT64_C(1767225600000000000)

static char dir[64], path[96];

static int
setup(void **state)
{
	int ret = session_before(state);

	snprintf(dir, sizeof(dir), "/tmp/koi-capture-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	fake.frames = calloc(CTL_FRAMES_KEPT, sizeof(*fake.frames));
	return fake.frames ? ret : -1;
}

static int
teardown(void **state)
{
	free(fake.frames);
	unlink(path);
	assert_int_equal(rmdir(dir), 0); /* nothing else was made */
	return session_after(state);
}

/* Run a command about the path, and expect a text that has it in its middle. */
static void
run(const char *line, enum mgmt_cli_status status, const char *before, const char *after)
{
	char buf[256], want[256];

	snprintf(buf, sizeof(buf), "%s %s", line, path);
	mgmt_cli_run(&session, buf);
	snprintf(want, sizeof(want), "%s%s%s", before, path, after);
	assert_string_equal(session.text, want);
	assert_int_equal(session.status, status);
}

static struct ctl_frame *
add_frame(uint16_t if_id, uint16_t group, uint16_t len, enum ctl_verdict v)
{
	struct ctl_frame *f = &fake.frames[fake.n_frames++];

	*f = (struct ctl_frame){
		.seq = fake.n_frames,
		.wall_ns = WALL + fake.n_frames,
		.if_id = if_id,
		.group = group,
		.len = len,
		.captured = len < CTL_FRAME_BYTES ? len : CTL_FRAME_BYTES,
		.verdict = (uint8_t)v,
		.stat = CTL_STAT_COUNT,
		.from = ELECTION_BACKUP,
		.to = ELECTION_BACKUP,
	};
	for (uint16_t i = 0; i < f->captured; i++)
		f->bytes[i] = (uint8_t)(i + fake.n_frames);
	return f;
}

static void
a_dump_has_interfaces_frames_and_verdicts(void **state)
{
	static const char *const names[] = {"lan", "wan"};
	static const char *const comments[] = {
		"carp0: accepted, stays BACKUP",
		"carp0: refused: badauth, digest does not match: password or VIP list differs",
		"carp1: accepted, BACKUP -> MASTER (master timed out)",
		"carp1: sent",
		"shown to the neighbour table",
	};
	struct pcapng_block b;
	struct ctl_frame *f;
	struct stat st;
	struct pcapng p;
	uint8_t *bytes;

	(void)state;
	add_frame(0, 0, 70, CTL_VERDICT_ACCEPTED);
	add_frame(0, 0, 71, CTL_VERDICT_REFUSED)->stat = CTL_STAT_BADAUTH;
	f = add_frame(1, 1, 72, CTL_VERDICT_ACCEPTED);
	f->to = ELECTION_MASTER;
	f->cause = ELECTION_CAUSE_TIMEOUT;
	add_frame(1, 1, 300, CTL_VERDICT_SENT)->sent = true;
	add_frame(1, ELECTION_NONE, 60, CTL_VERDICT_NEIGHBOR);
	run("capture dump", MGMT_CLI_DONE, "5 frames in ", "\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	bytes = pcapng_file(path, &p);
	assert_true(pcapng_next(&p, &b));
	assert_int_equal(b.type, PCAPNG_SECTION);
	assert_memory_equal(b.application, "koi ", 4);
	for (unsigned int i = 0; i < 4; i++) {
		assert_true(pcapng_next(&p, &b));
		assert_int_equal(b.type, PCAPNG_INTERFACE);
		if (i < 2)
			assert_string_equal(b.name, names[i]);
		assert_int_equal(b.tsresol, 9);
	}
	for (unsigned int i = 0; i < 5; i++) {
		f = &fake.frames[i];
		assert_true(pcapng_next(&p, &b));
		assert_int_equal(b.type, PCAPNG_PACKET);
		assert_int_equal(b.interface, f->if_id);
		assert_true(b.time == f->wall_ns);
		assert_int_equal(b.len, f->len);
		assert_int_equal(b.captured, f->captured);
		assert_memory_equal(b.bytes, f->bytes, f->captured);
		assert_int_equal(b.flags, f->sent ? 2 : 1);
		assert_string_equal(b.comment, comments[i]);
	}
	for (unsigned int i = 0; i < 4; i++) {
		assert_true(pcapng_next(&p, &b));
		assert_int_equal(b.type, PCAPNG_STATISTICS);
		assert_int_equal(b.interface, i);
		assert_int_equal(b.received, i == 0 ? 2 : i == 1 ? 3 : 0);
		assert_int_equal(b.dropped, 0);
	}
	assert_false(pcapng_next(&p, &b));
	free(bytes);
}

/* The control lcore sees frames without the tag, the wire has one. */
static void
a_tagged_interface_has_its_tag_again(void **state)
{
	static const uint8_t tag[] = {0x81, 0x00, 0x00, 0x1e};
	struct pcapng_block b;
	struct pcapng p;
	uint8_t *bytes;

	(void)state;
	fake.conf->ifs[1].vlan = 30;
	add_frame(1, 1, 70, CTL_VERDICT_ACCEPTED);
	add_frame(1, 1, 1000, CTL_VERDICT_ACCEPTED);
	run("capture dump", MGMT_CLI_DONE, "2 frames in ", "\n");
	bytes = pcapng_file(path, &p);
	for (unsigned int i = 0; i < 6; i++)
		assert_true(pcapng_next(&p, &b));
	for (unsigned int i = 0; i < 2; i++) {
		const struct ctl_frame *f = &fake.frames[i];

		assert_int_equal(b.type, PCAPNG_PACKET);
		assert_int_equal(b.len, f->len + 4);
		assert_int_equal(b.captured, f->captured + 4);
		assert_memory_equal(b.bytes, f->bytes, 12);
		assert_memory_equal(b.bytes + 12, tag, sizeof(tag));
		assert_memory_equal(b.bytes + 16, f->bytes + 12, f->captured - 12u);
		assert_true(pcapng_next(&p, &b));
	}
	free(bytes);
}

static void
a_full_ring_is_dumped_whole(void **state)
{
	struct pcapng_block b;
	uint32_t n = 0;
	struct pcapng p;
	uint8_t *bytes;

	(void)state;
	for (uint32_t i = 0; i < CTL_FRAMES_KEPT; i++)
		add_frame(i % 2, 0, (uint16_t)(60 + i % 300), CTL_VERDICT_ACCEPTED);
	run("capture dump", MGMT_CLI_DONE, "4096 frames in ", "\n");
	bytes = pcapng_file(path, &p);
	while (pcapng_next(&p, &b)) {
		if (b.type != PCAPNG_PACKET)
			continue;
		assert_int_equal(b.len, fake.frames[n].len);
		assert_memory_equal(b.bytes, fake.frames[n].bytes, fake.frames[n].captured);
		n++;
	}
	assert_int_equal(n, CTL_FRAMES_KEPT);
	free(bytes);
}

static void
only_a_new_file_is_written(void **state)
{
	char other[128];
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT, 0640);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "mine", 4), 4);
	close(fd);
	run("capture dump", MGMT_CLI_REFUSED, "refused, no file was made: ", ": File exists\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 4);
	unlink(path);
	/* nor what a link leads to */
	snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(symlink(other, path), 0);
	run("capture dump", MGMT_CLI_REFUSED, "refused, no file was made: ", ": File exists\n");
	assert_int_equal(access(other, F_OK), -1);
	unlink(path);
	mgmt_cli_run(&session, "capture dump file");
	assert_int_equal(session.status, MGMT_CLI_USAGE);
	assert_string_equal(
		session.text, "\"file\" is not expected here: expected an absolute path\n");
	mgmt_cli_run(&session, "capture dump /nonexistent/file");
	assert_int_equal(session.status, MGMT_CLI_REFUSED);
	assert_string_equal(session.text,
		"refused, no file was made: /nonexistent/file: No such file or directory\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_dump_has_interfaces_frames_and_verdicts, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_tagged_interface_has_its_tag_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_ring_is_dumped_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(only_a_new_file_is_written, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
