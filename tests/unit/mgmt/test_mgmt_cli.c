/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Every row of cli_cmds.def, completion, and what is said to what no row matches. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <cmdline.h>

#include "mgmt_capture_priv.h"
#include "mgmt_cli_priv.h"
#include "mgmt_fake.h"
#include "mgmt_json_priv.h"
#include "mgmt_marks_priv.h"
#include "mgmt_priv.h"

static struct mgmt_cli *cli;
static struct mgmt_session session;

static int
setup(void **state)
{
	(void)state;
	fake_setup();
	cli = mgmt_cli_new();
	fake.config.file = mgmt_file_new(&fake.config);
	fake.config.capture = mgmt_capture_new(&fake.config);
	session = (struct mgmt_session){
		.cli = cli,
		.config = &fake.config,
		.out_fd = -1,
		.may_watch = true,
	};
	return cli ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	mgmt_cli_clear(&session);
	mgmt_cli_free(cli);
	mgmt_file_free(fake.config.file);
	mgmt_capture_free(fake.config.capture);
	fake_teardown();
	return 0;
}

static void
each_example_reaches_its_handler(void **state)
{
	(void)state;
	fake.step = BASE_NS_PER_MS; /* some wait */
	for (unsigned int i = 0; i < mgmt_cli_n_rows; i++) {
		const struct mgmt_cli_row *row = &mgmt_cli_rows[i];

		assert_int_equal(mgmt_cli_match(cli, &fake.config, row->example), i);
		/* makes a file, which must be new: tests of its own */
		if (strstr(row->grammar, "capture") == row->grammar)
			continue;
		fake.n_requests = 0;
		session.json = row->view != NULL;
		mgmt_cli_run(&session, row->example);
		if (strncmp(row->grammar, "reload", 6) == 0 ||
			strncmp(row->grammar, "save", 4) == 0) {
			assert_int_equal(session.status, MGMT_CLI_REFUSED);
			assert_non_null(strstr(session.text, "the file cannot be opened"));
			continue;
		}
		if (session.status != MGMT_CLI_DONE)
			fail_msg("%s: %s", row->example, session.text);
		if (row->view) {
			assert_non_null(session.view);
			assert_true(json_is_object(session.view));
		}
		if (row->request >= 0) {
			assert_int_equal(fake.n_requests, 1);
			assert_int_equal(fake.request.type, row->request);
		}
		/* the same, as text */
		session.json = false;
		mgmt_cli_run(&session, row->example);
		assert_int_equal(session.status, MGMT_CLI_DONE);
		assert_null(session.view);
	}
}

static void
requests_carry_group_and_value(void **state)
{
	uint64_t drops[DP_DROP_COUNT];
	struct port_stats since;
	static const struct {
		const char *line;
		enum ctl_request_type type;
		uint16_t group;
		int64_t value;
	} cases[] = {
		{"carp carp0 up", CTL_REQ_UP, 0, 0},
		{"carp carp1 down", CTL_REQ_DOWN, 1, 0},
		{"carp carp1 state init", CTL_REQ_STATE_INIT, 1, 0},
		{"carp carp1 state backup", CTL_REQ_STATE_BACKUP, 1, 0},
		{"carp carp0 state master", CTL_REQ_STATE_MASTER, 0, 0},
		{"set carp carp0 advbase 255", CTL_REQ_ADVBASE, 0, 255},
		{"set carp carp1 advskew 254", CTL_REQ_ADVSKEW, 1, 254},
		{"set carp preempt 0", CTL_REQ_PREEMPT, ELECTION_NONE, 0},
		{"set carp allow 1", CTL_REQ_ALLOW, ELECTION_NONE, 1},
		{"set carp arpbalance 1", CTL_REQ_ARPBALANCE, ELECTION_NONE, 1},
		{"set carp log 2", CTL_REQ_LOG, ELECTION_NONE, 2},
		{"set carp demotion 255", CTL_REQ_DEMOTION, ELECTION_NONE, 255},
		{"clear carp stats", CTL_REQ_CLEAR_STATS, ELECTION_NONE, 0},
		{"  set\tcarp  log 1   # louder", CTL_REQ_LOG, ELECTION_NONE, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *line = cases[i].line;
		char *no_tab = strdup(line), *tab = strchr(no_tab, '\t');

		if (tab)
			*tab = ' '; /* tabs are for completion, and refused in a framed command */
		mgmt_cli_run(&session, no_tab);
		assert_int_equal(session.status, MGMT_CLI_DONE);
		assert_int_equal(session.text_len, 0);
		assert_int_equal(fake.request.type, cases[i].type);
		assert_int_equal(fake.request.group, cases[i].group);
		assert_int_equal(fake.request.value, cases[i].value);
		free(no_tab);
	}
	mgmt_cli_run(&session, "clear lcores");
	assert_int_equal(fake.n_forgets, 1);
	fake.port_stats[1].rx_missed = 7;
	mgmt_cli_run(&session, "clear interface lan");
	mgmt_since_port(&fake.config, 1, &since);
	assert_int_equal(since.rx_missed, 7);
	mgmt_cli_run(&session, "clear interface wan");
	mgmt_since_port(&fake.config, 1, &since);
	assert_int_equal(since.rx_missed, 0);
	fake.port_stats[1].rx_missed = 8;
	mgmt_cli_run(&session, "clear port stats all");
	mgmt_since_port(&fake.config, 1, &since);
	assert_int_equal(since.rx_missed, 0);
	fake.dp.drops[DP_DROP_TTL] = 5;
	mgmt_cli_run(&session, "clear drops");
	mgmt_since_drops(&fake.config, drops);
	assert_int_equal(drops[DP_DROP_TTL], 0);
}

/* Address, MAC and interface reach control, and none of them where none was given. */
static void
requests_about_neighbours(void **state)
{
	static const uint8_t mac[BASE_MAC_LEN] = {2, 0, 0xab, 0, 0, 9};
	const struct base_addr host = base_addr_from_ip4(UINT32_C(0xc0000209));

	(void)state;
	mgmt_cli_run(&session, "neighbor wan add 192.0.2.9 02:00:AB:00:00:09");
	assert_int_equal(session.status, MGMT_CLI_DONE);
	assert_int_equal(fake.request.type, CTL_REQ_NBR_SET);
	assert_int_equal(fake.request.if_index, 1);
	assert_memory_equal(&fake.request.addr, &host, sizeof(host));
	assert_memory_equal(fake.request.mac, mac, sizeof(mac));
	mgmt_cli_run(&session, "clear neighbor");
	assert_int_equal(fake.request.type, CTL_REQ_NBR_CLEAR);
	assert_int_equal(fake.request.if_index, ELECTION_NONE);
	assert_int_equal(fake.request.addr.family, BASE_FAMILY_NONE);
	mgmt_cli_run(&session, "clear neighbor interface lan 2001:db8::9");
	assert_int_equal(fake.request.if_index, 0);
	assert_int_equal(fake.request.addr.family, BASE_FAMILY_IP6);
	mgmt_cli_run(&session, "neighbor lan del 192.0.2.9");
	assert_int_equal(fake.request.type, CTL_REQ_NBR_FORGET);
}

static void
answers_of_control(void **state)
{
	static const struct {
		int rc;
		const char *note, *text;
		enum mgmt_cli_status status;
	} cases[] = {
		{0, "preemption will undo this", "preemption will undo this\n", MGMT_CLI_DONE},
		{-EINVAL, "advbase 0 is out of range: allowed is 1 to 255",
			"refused: advbase 0 is out of range: allowed is 1 to 255\n",
			MGMT_CLI_REFUSED},
		{-ENOTSUP, "", "refused: not supported\n", MGMT_CLI_REFUSED},
		{-EINVAL, "", "refused: value out of range\n", MGMT_CLI_REFUSED},
		{-EAGAIN, "", "refused: the group is in INIT\n", MGMT_CLI_REFUSED},
		{-EBUSY, "", "refused: too many requests at once, try again\n", MGMT_CLI_REFUSED},
		{-ETIMEDOUT, "",
			"refused: the control lcore did not answer within 2 "
			"s; it may still do it\n",
			MGMT_CLI_REFUSED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake.request_rc = cases[i].rc;
		fake.note = cases[i].note;
		mgmt_cli_run(&session, "carp carp0 state backup");
		assert_int_equal(session.status, cases[i].status);
		assert_string_equal(session.text, cases[i].text);
	}
	fake.port_stats_rc = -ENOTSUP;
	mgmt_cli_run(&session, "clear port stats all");
	assert_int_equal(session.status, MGMT_CLI_REFUSED);
	assert_string_equal(session.text,
		"refused: net_null0: Operation not supported\n"
		"refused: net_null1: Operation not supported\n");
}

static void
keys_from_file_and_hex(void **state)
{
	char path[] = "/tmp/koi-pass-XXXXXX", line[128], refused[160];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "sesame\n", 7), 7);
	close(fd);
	snprintf(line, sizeof(line), "set carp carp1 pass-file %s", path);
	mgmt_cli_run(&session, line);
	assert_int_equal(session.status, MGMT_CLI_DONE);
	assert_int_equal(fake.request.type, CTL_REQ_KEY);
	assert_int_equal(fake.request.group, 1);
	assert_memory_equal(fake.request.key, "sesame\0\0\0\0\0\0\0\0\0\0\0\0\0\0", AUTH_KEY_LEN);

	fake.n_requests = 0;
	assert_int_equal(chmod(path, 0644), 0);
	mgmt_cli_run(&session, line);
	assert_int_equal(session.status, MGMT_CLI_REFUSED);
	snprintf(refused, sizeof(refused),
		"refused: \"%s\" is open to group or others (mode 0644), allowed is 0600 or "
		"stricter\n",
		path);
	assert_string_equal(session.text, refused);
	unlink(path);
	mgmt_cli_run(&session, line);
	assert_int_equal(session.status, MGMT_CLI_REFUSED);
	assert_int_equal(fake.n_requests, 0);

	mgmt_cli_run(
		&session, "set carp carp0 pass-file hex:000102030405060708090A0b0c0d0e0f10111213");
	assert_int_equal(session.status, MGMT_CLI_DONE);
	for (uint8_t i = 0; i < AUTH_KEY_LEN; i++)
		assert_int_equal(fake.request.key[i], i);
}

static void
errors_name_the_bad_word(void **state)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{"shw",
			"unknown command \"shw\" (did you mean \"show\"?): expected show, explain, "
			"carp, set, commit, abort, drain, undrain, clear, interface, route, neighbor, ping, traceroute, "
			"watch, metrics, capture, reload, save, help, quit\n"},
		{"interface lan",
			"incomplete command: after \"interface lan\" expected down, up\n"},
		{"interface em0 up", "unknown interface \"em0\": interfaces are lan, wan\n"},
		{"interface lan dwon",
			"unknown word \"dwon\" after \"interface lan\" (did you mean \"down\"?): "
			"expected down, up\n"},
		{"help xyzzy",
			"unknown command \"xyzzy\": expected show, explain, carp, set, commit, "
			"abort, drain, undrain, clear, interface, route, neighbor, ping, "
			"traceroute, watch, metrics, capture, reload, save, "
			"help, quit\n"},
		{"help show crap",
			"unknown word \"crap\" after \"show\" (did you mean \"carp\"?): expected "
			"carp, interface, port, route, neighbor, host, ra, drops, lcores, config, "
			"forwarding, hooks, version, capture\n"},
		{"show neighbor 192.0.2.300",
			"\"192.0.2.300\": expected interface, an IPv4 or IPv6 address\n"},
		{"clear neighbor interface em0",
			"unknown interface \"em0\": interfaces are lan, wan\n"},
		{"neighbor lan add 192.0.2.9 2:0:0:0:0:9",
			"\"2:0:0:0:0:9\": expected a MAC address such as 02:00:5e:10:00:01\n"},
		{"neighbor lan add",
			"incomplete command: after \"neighbor lan add\" expected an IPv4 or IPv6 "
			"address\n"},
		{"show carp carp9",
			"unknown group \"carp9\": groups are carp0, carp1; other words here: "
			"all, stats, peers, events, demotion\n"},
		{"carp carp9 up", "unknown group \"carp9\": groups are carp0, carp1\n"},
		{"carp carp0#1 up", "unknown group \"carp0#1\": groups are carp0, carp1\n"},
		{"explain carp",
			"incomplete command: after \"explain carp\" expected a name (groups are carp0, carp1)\n"},
		{"explain carp carp9", "unknown group \"carp9\": groups are carp0, carp1\n"},
		{"explain carp0",
			"unknown word \"carp0\" after \"explain\" (did you mean \"carp\"?): "
			"expected carp\n"},
		{"show interface em0",
			"unknown interface \"em0\": interfaces are lan, wan; "
			"other words here: all\n"},
		{"show carp",
			"incomplete command: after \"show carp\" expected all, stats, peers, "
			"events, demotion, a name (groups are carp0, carp1)\n"},
		{"carp carp0",
			"incomplete command: after \"carp carp0\" expected up, down, state, commit, abort\n"},
		{"set carp carp0 advskew",
			"incomplete command: after \"set carp carp0 advskew\" "
			"expected a number from 0 "
			"to 254\n"},
		{"set carp carp0 advskew 255", "\"255\" is not a number from 0 to 254\n"},
		{"set carp carp0 advskew -1", "\"-1\" is not a number from 0 to 254\n"},
		{"set carp log 3", "\"3\" is not a number from 0 to 2\n"},
		{"set carp log 99999999999999999999",
			"\"99999999999999999999\" is not a number from 0 to 2\n"},
		{"set carp carp0 pass-file secret",
			"expected an absolute path, or hex: and 40 digits\n"},
		{"set carp carp0 pass-file hex:00",
			"expected an absolute path, or hex: and 40 digits\n"},
		{"set carp carp0 pass-file",
			"incomplete command: after \"set carp carp0 "
			"pass-file\" expected an absolute "
			"path, or hex: and 40 digits\n"},
		{"show carp all now", "unexpected \"now\" after \"show carp all\"\n"},
		{"show carp demotion now", "unexpected \"now\" after \"show carp demotion\"\n"},
		{"carp carp0 state up",
			"unknown word \"up\" after \"carp carp0 state\": "
			"expected init, backup, master\n"},
		{"", "empty command\n"},
		{"   ", "empty command\n"},
		{"# nothing", "empty command\n"},
		{"show\ncarp", "a command is one line of ASCII characters\n"},
		{"show carp k\303\266i", "a command is one line of ASCII characters\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mgmt_cli_run(&session, cases[i].line);
		assert_string_equal(session.text, cases[i].text);
		assert_int_equal(session.status, MGMT_CLI_USAGE);
		assert_int_equal(fake.n_requests, 0);
	}
}

/* Type into a session and return what it printed. */
static char *
type(const char *keys, bool *alive)
{
	int mem = memfd_create("typed", MFD_CLOEXEC);
	struct mgmt_session s = {.cli = cli, .config = &fake.config, .out_fd = mem};
	char prompt[MGMT_CLI_PROMPT], *out;
	struct cmdline *cl;
	off_t n;

	mgmt_cli_prompt(&fake.config, prompt);
	cl = cmdline_new(mgmt_cli_ctx(cli), prompt, -1, mem);
	assert_non_null(cl);
	*alive = mgmt_cli_feed(&s, cl, keys, strlen(keys));
	n = lseek(mem, 0, SEEK_END);
	out = calloc(1, (size_t)n + 1);
	assert_int_equal(pread(mem, out, (size_t)n, 0), n);
	cmdline_free(cl);
	mgmt_cli_clear(&s);
	return out;
}

static void
prompt_names_the_node(void **state)
{
	char prompt[MGMT_CLI_PROMPT];

	(void)state;
	mgmt_cli_prompt(&fake.config, prompt);
	assert_string_equal(prompt, "fw1> ");
	/* the longest name is cut, not the end of the prompt */
	memset(fake.conf->node, 'n', CONF_NODE_MAX);
	fake.conf->node[CONF_NODE_MAX] = '\0';
	mgmt_cli_prompt(&fake.config, prompt);
	assert_string_equal(prompt, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnn> ");
}

static void
typing(void **state)
{
	static const struct {
		const char *keys;
		const char *shown; /* somewhere in the output */
		bool alive;
	} cases[] = {
		{"carp carp0 down\n", "fw1> carp carp0 down", true},
		{"quit\n", "quit", false},
		{"\004", "fw1> ", false},
		/* completion: words, names, what may follow; names and words side by side */
		{"sh\t", "fw1> sh\033[0Kow ", true},
		{"show interface l\t", "l\033[0Kan ", true},
		{"show carp carp\t", "carp0", true},
		{"interface w\t", "w\033[0Kan ", true},
		{"interface lan \t", "down", true},
		/* the same behind "help" */
		{"he\t", "he\033[0Klp ", true},
		{"help sh\t", "sh\033[0Kow ", true},
		{"help show interface w\t", "w\033[0Kan ", true},
		{"help carp carp0 st\t", "st\033[0Kate ", true},
		{"help show ver\n", "example: show version", true},
		{"show carp s\t", "s\033[0Ktats ", true},
		{"show carp stats \t", "carp1", true},
		{"explain carp \t", "carp1", true},
		{"set carp log \t", "[0-2]: 1: state changes, 2: bad packets too", true},
		{"show carp nix\n", "unknown group \"nix\": groups are carp0, carp1", true},
		{"show carp\n", "incomplete command: after \"show carp\"", true},
		{"set carp log 1\303\266\n",
			"only ASCII characters are understood, nothing was done", true},
	};
	bool alive;
	char *out;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		out = type(cases[i].keys, &alive);
		/* rdline clears to the right before or after what it adds, by version */
		if (strstr(cases[i].shown, "\033[0K")) {
			const char *p = strstr(cases[i].shown, "\033[0K");

			assert_non_null(strstr(out, p + 4));
		} else if (!strstr(out, cases[i].shown)) {
			fail_msg("%s: %s", cases[i].keys, out);
		}
		assert_int_equal(alive, cases[i].alive);
		assert_null(strstr(out, "Bad arguments"));
		assert_null(strstr(out, "Ambiguous"));
		assert_null(strstr(out, "not found"));
		free(out);
	}
	assert_int_equal(fake.n_requests, 1); /* only the first line was a good command */
}

/* The arrow keys bring back commands, but none with a key in it, good or mistyped. */
static void
keys_stay_out_of_the_history(void **state)
{
#define SECRET "000102030405060708090a0b0c0d0e0f10111213"
	static const struct {
		const char *keys;
		unsigned int requests;
	} cases[] = {
		{"set carp carp0 pass-file hex:" SECRET "\n", 1},
		{"set carp carp0 pass-file hex:" SECRET "\r", 1},
		{"set carp carp0 pass-file hex:" SECRET " window 300\n", 1},
		/* the cursor before the key, and at the start of the line */
		{"set carp carp0 pass-file hex:" SECRET "\033[D\033[D\n", 1},
		{"set carp carp0 pass-file hex:" SECRET "\001\n", 1},
		{"set carp carp0 pass-file hex:" SECRET "0\n", 0},
		{"set carp carp0 pass-file sesame" SECRET "\n", 0},
		{"set carp carp0 pass-fil hex:" SECRET "\n", 0},
		{"hex:" SECRET "\n", 0},
		{"set carp carp0 pass-file hex:" SECRET " more\n", 0},
	};
	char keys[256];
	bool alive;
	char *out;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake.n_requests = 0;
		/* the first arrow brings back what was typed last, the second the one before */
		snprintf(keys, sizeof(keys), "show carp demotion\n%s\033[A", cases[i].keys);
		out = type(keys, &alive);
		assert_int_equal(fake.n_requests, cases[i].requests);
		char *end = strrchr(out, '>');

		if (!end || !strstr(end, "show carp demotion") || strstr(end, SECRET))
			fail_msg("%s: %s", cases[i].keys, out);
		free(out);
	}
	/* a path is no secret */
	out = type("set carp carp0 pass-file /nonexistent\n\033[A", &alive);
	assert_non_null(strstr(strrchr(out, '>'), "pass-file /nonexistent"));
	free(out);
}

static void
long_lines_do_nothing(void **state)
{
	char line[700];
	bool alive;
	char *out;

	(void)state;
	/* rdline would cut it to a path of 512 bytes less the words */
	memset(line, 'x', sizeof(line));
	memcpy(line, "set carp carp0 pass-file /", 26);
	line[sizeof(line) - 2] = '\n';
	line[sizeof(line) - 1] = '\0';
	out = type(line, &alive);
	assert_non_null(strstr(out, "the line is too long, nothing was done"));
	assert_int_equal(fake.n_requests, 0);
	free(out);
	line[sizeof(line) - 2] = '\0';
	mgmt_cli_run(&session, line);
	assert_int_equal(session.status, MGMT_CLI_USAGE);
}

/* What the operator took down is shown wherever the interface is. */
static void
an_interface_that_is_down_is_shown(void **state)
{
	(void)state;
	mgmt_cli_run(&session, "interface wan down");
	assert_int_equal(fake.request.type, CTL_REQ_IF_DOWN);
	assert_int_equal(fake.request.if_index, 1);
	mgmt_cli_run(&session, "interface lan up");
	assert_int_equal(fake.request.type, CTL_REQ_IF_UP);
	assert_int_equal(fake.request.if_index, 0);
	fake.if_down[1] = true;
	mgmt_cli_run(&session, "show interface wan");
	assert_ptr_equal(strstr(session.text, "wan: administratively down, link"), session.text);
	mgmt_cli_run(&session, "show config diff");
	assert_non_null(strstr(session.text, "interface wan down\n"));
	fake.if_down[1] = false;
	mgmt_cli_run(&session, "show interface wan");
	assert_ptr_equal(strstr(session.text, "wan: link"), session.text);
	mgmt_cli_run(&session, "show config diff");
	assert_null(strstr(session.text, "interface"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(each_example_reaches_its_handler),
		T(requests_carry_group_and_value),
		T(requests_about_neighbours),
		T(answers_of_control),
		T(keys_from_file_and_hex),
		T(errors_name_the_bad_word),
		T(prompt_names_the_node),
		T(typing),
		T(keys_stay_out_of_the_history),
		T(long_lines_do_nothing),
		T(an_interface_that_is_down_is_shown),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
