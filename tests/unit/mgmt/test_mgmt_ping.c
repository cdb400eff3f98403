/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* ping and traceroute as commands: what is asked for, and how people and programs are shown it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt_cli_priv.h"
#include "mgmt_fake.h"
#include "mgmt_session.h"
#include "wire6.h"

#define MS BASE_NS_PER_MS

static char shown[8192];
static bool gone;
static int fds[2]; /* 0 is the session's end */

static bool
show_text(void *arg, const char *text)
{
	(void)arg;
	strncat(shown, text, sizeof(shown) - strlen(shown) - 1);
	return !gone;
}

static bool
show_object(void *arg, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	json_decref(o);
	show_text(arg, text);
	free(text);
	return show_text(arg, "\n");
}

/* Begin, and show it all. */
static bool
run(const char *command, bool json)
{
	const struct mgmt_ping_sink sink = {.json = json, .text = show_text, .object = show_object};

	shown[0] = '\0';
	session_run(command, MGMT_CLI_DONE, "");
	assert_true(session.ping.on);
	return mgmt_ping_run(&session, fds[0], &sink);
}

/* As one that is served on the CLI's socket. */
static int
before(void **state)
{
	int rc = session_before(state);

	session.may_watch = true;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 ? rc : -1;
}

static int
after(void **state)
{
	close(fds[0]);
	close(fds[1]);
	return session_after(state);
}

static void
what_is_asked_for(void **state)
{
	static const struct {
		const char *line;
		enum mgmt_cli_status status;
		const char *text;
	} bad[] = {
		{"ping 224.0.0.1", MGMT_CLI_REFUSED,
			"refused: 224.0.0.1 is not the address of a host\n"},
		{"ping 127.0.0.1", MGMT_CLI_REFUSED,
			"refused: 127.0.0.1 is not the address of a host\n"},
		{"ping ff02::1", MGMT_CLI_REFUSED,
			"refused: ff02::1 is not the address of a host\n"},
		{"ping fe80::1", MGMT_CLI_REFUSED,
			"refused: fe80::1 is link-local: say on which link, by \"interface\"\n"},
		{"ping 192.0.2.9 interface lan", MGMT_CLI_REFUSED,
			"refused: \"interface\" is for link-local addresses; the way to 192.0.2.9 is "
			"that of its route\n"},
		{"ping 192.0.2.9 source 2001:db8::1", MGMT_CLI_REFUSED,
			"refused: the source is not of the same family as 192.0.2.9\n"},
		{"traceroute fe80::1", MGMT_CLI_REFUSED,
			"refused: fe80::1 is link-local: no router is on the way\n"},
		{"ping 192.0.2.9 size 9201", MGMT_CLI_USAGE,
			"\"9201\" is not a number from 0 to 9200\n"},
		{"ping 192.0.2.9 cuont 1", MGMT_CLI_USAGE,
			"unknown word \"cuont\" after \"ping 192.0.2.9\" (did you mean \"count\"?): "
			"expected count, size, interval-ms, source, interface\n"},
		{"ping 192.0.2.9 count 1 count 2", MGMT_CLI_USAGE,
			"unknown word \"count\" after \"ping 192.0.2.9 count 1\": expected size, "
			"interval-ms, source, interface\n"},
		{"ping 192.0.2.9 size 1 interface", MGMT_CLI_USAGE,
			"incomplete command: after \"ping 192.0.2.9 size 1 interface\" expected a "
			"name (interfaces are lan, wan)\n"},
		{"ping 192.0.2.9 source 300.1.1.1", MGMT_CLI_USAGE,
			"\"300.1.1.1\": expected an IPv4 or IPv6 address\n"},
		{"traceroute 192.0.2.9 probes 11", MGMT_CLI_USAGE,
			"\"11\" is not a number from 1 to 10\n"},
	};
	const struct ctl_ping_ask *ask = &fake.ping.ask;

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		session_run(bad[i].line, bad[i].status, bad[i].text);
	assert_int_equal(fake.ping.n_opened, 0);
	session_run("ping 192.0.2.9", MGMT_CLI_DONE, "");
	assert_int_equal(base_addr_ip4(&ask->dst), 0xc0000209);
	assert_int_equal(ask->plan.count, 5);
	assert_int_equal(ask->payload, 56);
	assert_int_equal(ask->plan.interval_ns, 1000 * MS);
	assert_int_equal(ask->src.family, BASE_FAMILY_NONE);
	assert_int_equal(ask->if_index, ELECTION_NONE);
	session_run("ping fe80::9 interface wan size 0 source fe80::2 interval-ms 10 count 7 # so",
		MGMT_CLI_DONE, "");
	assert_int_equal(ask->plan.count, 7);
	assert_int_equal(ask->payload, 0);
	assert_int_equal(ask->plan.interval_ns, 10 * MS);
	assert_int_equal(ask->src.bytes[15], 2);
	assert_int_equal(ask->dst.bytes[15], 9);
	assert_int_equal(ask->if_index, 1);
	session_run("traceroute 192.0.2.9 probes 2 max-hops 4", MGMT_CLI_DONE, "");
	assert_true(ask->plan.trace);
	assert_int_equal(ask->plan.max_hops, 4);
	assert_int_equal(ask->plan.per_hop, 2);
	/* what the control lcore says, and who has no socket to show it on */
	fake.ping.rc = -EHOSTUNREACH;
	fake.note = "there is no route to 192.0.2.9";
	session_run(
		"ping 192.0.2.9", MGMT_CLI_REFUSED, "refused: there is no route to 192.0.2.9\n");
	session.may_watch = false;
	session_run("ping 192.0.2.9", MGMT_CLI_REFUSED,
		"refused: only on the CLI's socket: koictl ping\n");
}

static const struct base_addr router = {BASE_FAMILY_IP4, {192, 0, 2, 254}};
static const struct base_addr host = {BASE_FAMILY_IP4, {192, 0, 2, 9}};

static void
lines(const struct ctl_ping_line *from, uint32_t n)
{
	memcpy(fake.ping.lines, from, n * sizeof(*from));
	fake.ping.n_lines = n;
	fake.ping.src = (struct base_addr){BASE_FAMILY_IP4, {192, 0, 2, 2}};
}

static void
a_ping_line_by_line(void **state)
{
	static const struct ctl_ping_line all[] = {
		{.what = CTL_PING_REPLY, .from = host, .bytes = 64, .ttl = 64, .rtt = 214000},
		{.what = CTL_PING_DUPLICATE, .from = host, .bytes = 64, .ttl = 64, .rtt = 300000},
		{.what = CTL_PING_REPLY,
			.from = host,
			.bytes = 64,
			.ttl = 64,
			.here = true,
			.seq = 1},
		{.what = CTL_PING_ERROR, .from = router, .seq = 2, .type = 3, .code = 1},
		{.what = CTL_PING_ERROR,
			.from = router,
			.seq = 3,
			.type = 3,
			.code = 4,
			.mtu = 1400},
		{.what = CTL_PING_LOST, .seq = 4},
		{.what = CTL_PING_UNSENT,
			.seq = 5,
			.why = CTL_PING_NO_NEIGHBOR,
			.if_index = 1,
			.next_hop = router},
		{.what = CTL_PING_UNSENT, .seq = 6, .why = CTL_PING_NO_LINK},
		{.what = CTL_PING_UNSENT, .seq = 7, .why = CTL_PING_TOO_LONG, .if_index = 1},
	};

	(void)state;
	lines(all, 9);
	fake.ping.sum = (struct ctl_probe_sum){.sent = 7,
		.received = 2,
		.duplicates = 1,
		.errors = 2,
		.min = 1000,
		.max = 214000,
		.total = 215000};
	assert_true(run("ping 192.0.2.9 count 7", false));
	assert_string_equal(shown,
		"ping 192.0.2.9 from 192.0.2.2: 56 bytes of data\n"
		"64 bytes from 192.0.2.9: seq=0 ttl=64 time=0.214 ms\n"
		"64 bytes from 192.0.2.9: seq=0 ttl=64 time=0.300 ms (duplicate)\n"
		"64 bytes from 192.0.2.9: seq=1 ttl=64 time=0.000 ms (this box)\n"
		"from 192.0.2.254: seq=2 destination host unreachable\n"
		"from 192.0.2.254: seq=3 fragmentation needed, MTU 1400\n"
		"seq=4: no answer within 2 s\n"
		"seq=5: next hop 192.0.2.254 on wan does not answer ARP\n"
		"seq=6: lan is down\n"
		"seq=7: too long for the MTU of wan, which is the way now\n");
	assert_string_equal(session.text,
		"7 packets transmitted, 2 received, 2 errors, 1 duplicates, 71% loss; min/avg/max "
		"0.001/0.107/0.214 ms\n");
	assert_int_equal(session.status, MGMT_CLI_DONE);
	assert_int_equal(fake.ping.n_closed, 1);

	session.json = true;
	fake.ping.n_lines = 1;
	assert_true(run("ping 192.0.2.9 count 7", true));
	assert_string_equal(shown,
		"{\"kind\":\"begin\",\"address\":\"192.0.2.9\",\"source\":\"192.0.2.2\",\"size\":56}\n"
		"{\"kind\":\"reply\",\"seq\":0,\"hops\":0,\"from\":\"192.0.2.9\",\"bytes\":64,"
		"\"ttl\":64,\"ms\":0.214,\"this_box\":false}\n");
	assert_int_equal(json_integer_value(json_object_get(session.view, "received")), 2);
	/* nobody answered: a status that scripts see */
	session.json = false;
	fake.ping.n_lines = 0;
	fake.ping.sum = (struct ctl_probe_sum){.sent = 1};
	assert_true(run("ping 192.0.2.9 count 1", false));
	assert_string_equal(session.text, "1 packets transmitted, 0 received, 100% loss\n");
	assert_int_equal(session.status, MGMT_CLI_REFUSED);
}

/* What a traceroute of two probes a hop shows of these lines, below its first one. */
static void
assert_hops(const struct ctl_ping_line *all, uint32_t n, struct ctl_probe_sum sum, const char *hops)
{
	char want[512];

	lines(all, n);
	fake.ping.sum = sum;
	assert_true(run("traceroute 192.0.2.9 probes 2", false));
	snprintf(want, sizeof(want), "traceroute to 192.0.2.9 from 192.0.2.2, 30 hops at most\n%s",
		hops);
	assert_string_equal(shown, want);
}

static void
a_traceroute_hop_by_hop(void **state)
{
	static const struct ctl_ping_line all[] = {
		{.what = CTL_PING_ERROR,
			.from = router,
			.hops = 1,
			.seq = 0,
			.type = 11,
			.rtt = MS},
		{.what = CTL_PING_LOST, .hops = 1, .seq = 1},
		{.what = CTL_PING_ERROR,
			.from = router,
			.hops = 2,
			.seq = 2,
			.type = 3,
			.code = 13,
			.rtt = MS},
		{.what = CTL_PING_ERROR,
			.from = router,
			.hops = 1,
			.seq = 1,
			.type = 11}, /* late */
		{.what = CTL_PING_ERROR,
			.from = host,
			.hops = 2,
			.seq = 3,
			.type = 3,
			.code = 0,
			.rtt = 2 * MS},
		{.what = CTL_PING_REPLY, .from = host, .hops = 3, .seq = 5, .rtt = 3 * MS},
		{.what = CTL_PING_REPLY, .from = host, .hops = 3, .seq = 4, .rtt = 4 * MS},
	};

	(void)state;
	assert_hops(all, 7, (struct ctl_probe_sum){.sent = 6, .received = 2},
		" 1  192.0.2.254  1.000 ms  *\n"
		" 2  192.0.2.254  1.000 ms !X  192.0.2.9  2.000 ms !N\n"
		" 3  192.0.2.9  3.000 ms  4.000 ms\n");
	assert_string_equal(session.text, "");
	assert_int_equal(session.status, MGMT_CLI_DONE);
	fake.ping.n_lines = 2;
	fake.ping.sum.received = 0;
	assert_true(run("traceroute 192.0.2.9 probes 2", false));
	assert_string_equal(session.text, "the host was not reached\n");
	assert_int_equal(session.status, MGMT_CLI_REFUSED);
}

/* Its hop was shown with stars, and nothing of the next one is there yet. */
static void
a_late_answer_hides_no_hop(void **state)
{
	static const struct ctl_ping_line all[] = {
		{.what = CTL_PING_LOST, .hops = 1, .seq = 0},
		{.what = CTL_PING_LOST, .hops = 1, .seq = 1},
		{.what = CTL_PING_ERROR, .from = router, .hops = 1, .seq = 0, .type = 11},
		{.what = CTL_PING_REPLY, .from = host, .hops = 2, .seq = 2, .rtt = 3 * MS},
		{.what = CTL_PING_REPLY, .from = host, .hops = 2, .seq = 3, .rtt = 4 * MS},
	};

	(void)state;
	assert_hops(all, 5, (struct ctl_probe_sum){.sent = 4, .received = 2},
		" 1  *  *\n"
		" 2  192.0.2.9  3.000 ms  4.000 ms\n");
}

/* Who reads too slowly misses lines, and no more than those. */
static void
a_hop_with_missed_lines_hides_no_other(void **state)
{
	static const struct ctl_ping_line all[] = {
		{.what = CTL_PING_ERROR,
			.from = router,
			.hops = 1,
			.seq = 0,
			.type = 11,
			.rtt = MS},
		{.what = CTL_PING_REPLY, .from = host, .hops = 3, .seq = 4, .rtt = 3 * MS},
		/* late, of a hop that was missed altogether */
		{.what = CTL_PING_ERROR, .from = router, .hops = 2, .seq = 3, .type = 11},
		{.what = CTL_PING_REPLY, .from = host, .hops = 3, .seq = 5, .rtt = 4 * MS},
	};

	(void)state;
	assert_hops(all, 4, (struct ctl_probe_sum){.sent = 6, .received = 2},
		" 1  192.0.2.254  1.000 ms\n"
		" 3  192.0.2.9  3.000 ms  4.000 ms\n");
}

/* Whoever presses a key has the sum; whoever went away has nothing, and costs nothing. */
static void
it_ends_with_who_asked(void **state)
{
	(void)state;
	fake.ping.endless = true;
	assert_int_equal(write(fds[1], "q", 1), 1);
	assert_true(run("ping 192.0.2.9", false));
	assert_true(fake.ping.stopped);
	assert_non_null(session.text);
	assert_int_equal(fake.ping.n_closed, 1);
	gone = true;
	assert_false(run("ping 192.0.2.9", false));
	gone = false;
	assert_int_equal(fake.ping.n_closed, 2);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, before, after)
	const struct CMUnitTest tests[] = {
		T(what_is_asked_for),
		T(a_ping_line_by_line),
		T(a_traceroute_hop_by_hop),
		T(a_late_answer_hides_no_hop),
		T(a_hop_with_missed_lines_hides_no_other),
		T(it_ends_with_who_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
