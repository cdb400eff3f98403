/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Runs of ping in the control lcore's turns: what is sent, what is believed, how they end. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base_bytes.h"
#include "ctl_fake.h"
#include "ctl_ping.h"
#include "wire_echo.h"

#define MS BASE_NS_PER_MS

struct opener {
	struct rig *r;
	const struct ctl_ping_ask *ask;
	struct base_addr src;
	char note[160];
	int run;
};

static void
open_run(void *arg)
{
	struct opener *o = arg;

	o->run = ctl_ping_open(o->r->ctl, o->ask, &o->src, o->note, sizeof(o->note));
}

/* From another thread, while turns go on. */
static struct opener
begin(struct rig *r, const struct ctl_ping_ask *ask)
{
	struct opener o = {.r = r, .ask = ask};

	rig_beside(r, open_run, &o, false);
	return o;
}

static struct ctl_ping_ask
ask4(uint16_t count)
{
	return (struct ctl_ping_ask){
		.dst = base_addr_from_ip4(RIG_ASKER),
		.if_index = ELECTION_NONE,
		.payload = 56,
		.plan = {.count = count, .interval_ns = 10 * MS, .timeout_ns = 2000 * MS},
	};
}

static struct rig
known_world(const char *json)
{
	struct rig r = rig_make(json);

	fake.way = (struct dp_way){.type = FIB_NH_CONNECTED, .group = FIB_GROUP_NONE};
	fake.nbr_known = true;
	return r;
}

/* What came of the run that was looked at last. */
static struct ctl_probe_sum sum;
static uint32_t missed;

static bool
ended(const struct rig *r, int run)
{
	sum = (struct ctl_probe_sum){0};
	missed = 0;
	return ctl_ping_ended(r->ctl, run, &sum, &missed);
}

/* The n-th echo request that was sent; without length when there is none. */
static const struct fake_frame *
sent_echo(uint32_t n)
{
	static const struct fake_frame none;

	for (uint32_t i = 0; i < fake.n_frames && i < FAKE_FRAMES; i++)
		if (base_load_be16(fake.frame[i].bytes + 12) == WIRE_ETHERTYPE_IP4 &&
			fake.frame[i].bytes[WIRE_ETH_LEN + 9] == WIRE_PROTO_ICMP && n-- == 0)
			return &fake.frame[i];
	return &none;
}

/* The reply to a request, with its headers turned round. */
static void
reply_to(const struct fake_frame *f, uint32_t from, uint16_t id_more)
{
	uint8_t b[160];

	memcpy(b, f->bytes, f->len);
	memcpy(b + WIRE_ETH_LEN + 16, f->bytes + WIRE_ETH_LEN + 12, 4);
	base_store_be32(b + WIRE_ETH_LEN + 12, from);
	b[WIRE_ETH_LEN + WIRE_IP4_LEN] = WIRE_ICMP_ECHO_REPLY;
	base_store_be16(
		b + WIRE_ETH_LEN + 24, (uint16_t)(base_load_be16(b + WIRE_ETH_LEN + 24) + id_more));
	base_store_be16(b + WIRE_ETH_LEN + 10, 0);
	base_store_be16(
		b + WIRE_ETH_LEN + 10, wire_sum_fold(wire_sum(b + WIRE_ETH_LEN, WIRE_IP4_LEN, 0)));
	rig_punt(DP_PUNT_PROBE, DP_NONE, b, f->len);
}

static void
a_run_from_begin_to_end(void **state)
{
	struct rig r = known_world(rig_pair);
	struct ctl_ping_ask ask = ask4(2);
	struct opener o = begin(&r, &ask);
	struct ctl_ping_line line[4];
	const struct fake_frame *f;

	(void)state;
	assert_int_equal(o.run, 0);
	assert_int_equal(base_addr_ip4(&o.src), RIG_OWN);
	assert_memory_equal(&fake.probe[0].dst, &ask.dst, sizeof(ask.dst));
	f = sent_echo(0);
	assert_int_equal(f->len, 14 + 28 + 56);
	assert_int_equal(f->if_index, 0);
	assert_int_equal(f->group, DP_NONE);
	assert_memory_equal(f->bytes, rig_asker_mac, 6);
	assert_memory_equal(f->bytes + 6, rig_if_mac, 6);
	assert_int_equal(base_load_be16(f->bytes + WIRE_ETH_LEN + 24), fake.probe[0].id);
	assert_int_equal(sent_echo(1)->len, 0);

	/* Not believed: another identifier, another sender. */
	reply_to(f, RIG_ASKER, 1);
	reply_to(f, RIG_PEER, 0);
	rig_turn(&r);
	assert_int_equal(ctl_ping_read(r.ctl, 0, line, 4), 0);
	fake.now += MS / 2;
	reply_to(f, RIG_ASKER, 0);
	reply_to(f, RIG_ASKER, 0);
	rig_turn(&r);
	assert_int_equal(ctl_ping_read(r.ctl, 0, line, 4), 2);
	assert_int_equal(line[0].what, CTL_PING_REPLY);
	assert_int_equal(line[0].rtt, MS / 2);
	assert_int_equal(line[0].bytes, 64);
	assert_int_equal(line[1].what, CTL_PING_DUPLICATE);

	rig_run(&r, fake.now + 10 * MS);
	assert_int_not_equal(sent_echo(1)->len, 0);
	assert_false(ended(&r, 0));
	/* the second one is lost */
	rig_run(&r, fake.now + 2000 * MS);
	assert_true(ended(&r, 0));
	assert_int_equal(ctl_ping_read(r.ctl, 0, line, 4), 1);
	assert_int_equal(line[0].what, CTL_PING_LOST);
	assert_int_equal(line[0].seq, 1);
	assert_int_equal(sum.sent, 2);
	assert_int_equal(sum.received, 1);
	assert_int_equal(sum.duplicates, 1);
	assert_int_equal(fake.probe[0].dst.family, BASE_FAMILY_NONE);
	ctl_ping_close(r.ctl, 0);
	rig_free(&r);
}

static void
refused(struct rig *r, const struct ctl_ping_ask *ask, int result, const char *note)
{
	struct opener o = begin(r, ask);

	assert_int_equal(o.run, result);
	assert_non_null(strstr(o.note, note));
	assert_int_equal(sent_echo(0)->len, 0);
}

static void
what_makes_no_sense_is_refused(void **state)
{
	struct rig r = known_world(rig_pair);
	struct ctl_ping_ask ask = ask4(1);

	(void)state;
	fake.way.type = FIB_NH_NONE;
	refused(&r, &ask, -EHOSTUNREACH, "there is no route to 192.0.2.100");
	fake.way.type = FIB_NH_BLACKHOLE;
	refused(&r, &ask, -EHOSTUNREACH, "blackhole");
	fake.way.type = FIB_NH_DROP;
	refused(&r, &ask, -EHOSTUNREACH, "not a host");
	fake.way.type = FIB_NH_CONNECTED;
	ask.payload = 1473;
	refused(&r, &ask, -EMSGSIZE, "the MTU of em0 is 1500: at most size 1472");
	ask.payload = 8;
	ask.src = base_addr_from_ip4(RIG_PEER);
	refused(&r, &ask, -EADDRNOTAVAIL, "no address of this box");
	/* never the VIP of somebody else's */
	ask.src = base_addr_from_ip4(RIG_VIP);
	refused(&r, &ask, -EADDRNOTAVAIL, "not MASTER here");
	rig_free(&r);
	/* nor where there is nothing else */
	r = known_world(rig_bare);
	ask.src.family = BASE_FAMILY_NONE;
	refused(&r, &ask, -EADDRNOTAVAIL, "em0 has no IPv4 address of its own");
	rig_to_master(&r);
	fake.n_frames = 0;
	struct opener o = begin(&r, &ask);

	assert_int_equal(o.run, 0);
	assert_int_equal(base_addr_ip4(&o.src), RIG_VIP);
	assert_memory_equal(sent_echo(0)->bytes + 6, rig_vmac, 6);
	ctl_ping_close(r.ctl, o.run);
	rig_turn(&r);
	rig_free(&r);
}

/* The VIP: of another MASTER by its vMAC, without asking; as MASTER this box answers itself. */
static void
a_vip_is_the_masters(void **state)
{
	struct rig r = known_world(rig_pair);
	struct ctl_ping_ask ask = ask4(1);
	struct ctl_ping_line line;
	struct opener o;

	(void)state;
	fake.nbr_known = false;
	fake.way = (struct dp_way){.type = FIB_NH_LOCAL, .group = 0};
	ask.dst = base_addr_from_ip4(RIG_VIP);
	o = begin(&r, &ask);
	assert_int_equal(o.run, 0);
	assert_memory_equal(sent_echo(0)->bytes, rig_vmac, 6);
	ctl_ping_close(r.ctl, o.run);
	rig_turn(&r);
	rig_to_master(&r);
	fake.n_frames = 0;
	o = begin(&r, &ask);
	assert_int_equal(sent_echo(0)->len, 0);
	assert_true(ended(&r, o.run));
	assert_int_equal(ctl_ping_read(r.ctl, o.run, &line, 1), 1);
	assert_true(line.here);
	assert_int_equal(sum.received, 1);
	ctl_ping_close(r.ctl, o.run);
	rig_free(&r);
}

static void
a_next_hop_that_is_silent_is_named(void **state)
{
	struct rig r = known_world(rig_pair);
	struct ctl_ping_ask ask = ask4(1);
	struct ctl_ping_line line;
	struct opener o;

	(void)state;
	fake.nbr_known = false;
	o = begin(&r, &ask);
	rig_run(&r, fake.now + 500 * MS);
	assert_int_equal(sent_echo(0)->len, 0);
	assert_int_equal(ctl_ping_read(r.ctl, o.run, &line, 1), 0);
	fake.nbr_state = FIB_NBR_FAILED;
	rig_run(&r, fake.now + 2 * MS);
	assert_int_equal(ctl_ping_read(r.ctl, o.run, &line, 1), 1);
	assert_int_equal(line.what, CTL_PING_UNSENT);
	assert_int_equal(line.why, CTL_PING_NO_NEIGHBOR);
	assert_int_equal(line.if_index, 0);
	assert_int_equal(base_addr_ip4(&line.next_hop), RIG_ASKER);
	assert_true(ended(&r, o.run));
	ctl_ping_close(r.ctl, o.run);
	/* Where there is no room to ask it ends by time. */
	fake.nbr_state = FIB_NBR_ABSENT;
	o = begin(&r, &ask);
	rig_run(&r, fake.now + 4001 * MS);
	assert_true(ended(&r, o.run));
	ctl_ping_close(r.ctl, o.run);
	rig_free(&r);
}

static void
a_run_that_nobody_wants_ends(void **state)
{
	struct rig r = known_world(rig_pair);
	struct ctl_ping_ask ask = ask4(1000);
	struct opener o;

	(void)state;
	for (int i = 0; i < CTL_PINGS_MAX; i++)
		assert_int_equal(begin(&r, &ask).run, i);
	o = begin(&r, &ask);
	assert_int_equal(o.run, -EBUSY);
	assert_non_null(strstr(o.note, "4 of them run already"));
	ctl_ping_stop(r.ctl, 0);
	ctl_ping_close(r.ctl, 1);
	rig_turn(&r);
	assert_true(ended(&r, 0));
	assert_int_equal(fake.probe[0].dst.family, BASE_FAMILY_NONE);
	assert_int_equal(fake.probe[1].dst.family, BASE_FAMILY_NONE);
	assert_int_equal(fake.probe[2].dst.family, BASE_FAMILY_IP4);
	/* the place of the second one is free, that of the first one is its reader's still */
	assert_int_equal(begin(&r, &ask).run, 1);
	assert_int_equal(begin(&r, &ask).run, -EBUSY);
	/* Nobody reads: lines are missed, nothing else happens. */
	rig_run(&r, fake.now + 10000 * MS);
	assert_false(ended(&r, 1));
	ctl_ping_stop(r.ctl, 1);
	rig_turn(&r);
	assert_true(ended(&r, 1));
	assert_true(missed > 0);
	for (int i = 0; i < CTL_PINGS_MAX; i++)
		ctl_ping_close(r.ctl, i);
	rig_turn(&r);
	rig_free(&r);
}

static void
what_cannot_be_sent_is_told(void **state)
{
	struct rig r = known_world(rig_pair);
	struct ctl_ping_ask ask = ask4(3);
	struct ctl_ping_line line[3];
	struct opener o;

	(void)state;
	fake.send_error = -ENETDOWN;
	o = begin(&r, &ask);
	fake.send_error = -ENOBUFS;
	rig_run(&r, fake.now + 10 * MS);
	fake.way.type = FIB_NH_NONE;
	rig_run(&r, fake.now + 10 * MS);
	assert_int_equal(ctl_ping_read(r.ctl, o.run, line, 3), 3);
	assert_int_equal(line[0].why, CTL_PING_NO_LINK);
	assert_int_equal(line[1].why, CTL_PING_NO_BUFFER);
	assert_int_equal(line[2].why, CTL_PING_NO_ROUTE);
	ctl_ping_close(r.ctl, o.run);
	rig_free(&r);
}

/* The way out may change to one that takes less. */
static void
what_grows_too_long_is_told(void **state)
{
	struct rig r = known_world(rig_pair);
	struct ctl_ping_ask ask = ask4(2);
	struct ctl_ping_line line[2];
	struct opener o;

	(void)state;
	o = begin(&r, &ask);
	r.conf->ifs[1].mtu = 28 + 55;
	fake.way.if_index = 1;
	fake.n_frames = 0;
	rig_run(&r, fake.now + 10 * MS);
	assert_int_equal(sent_echo(0)->len, 0);
	assert_int_equal(ctl_ping_read(r.ctl, o.run, line, 2), 1);
	assert_int_equal(line[0].what, CTL_PING_UNSENT);
	assert_int_equal(line[0].why, CTL_PING_TOO_LONG);
	assert_int_equal(line[0].if_index, 1);
	ctl_ping_close(r.ctl, o.run);
	rig_turn(&r);
	rig_free(&r);
}

/* Instead of the C library's: who waits for the control lcore counts its pauses, short ones. */
static uint32_t pauses;

int
nanosleep(const struct timespec *wanted, struct timespec *left)
{
	const struct timespec pause = {.tv_nsec = 1000};

	(void)wanted;
	(void)left;
	__atomic_fetch_add(&pauses, 1, __ATOMIC_RELEASE);
	return clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

/* Openers of which each has a thread of its own. */
static struct opener first, second;
static pthread_t first_thread, second_thread;
static bool second_done;

static void *
opener_main(void *arg)
{
	open_run(arg);
	if (arg == &second)
		__atomic_store_n(&second_done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* The control lcore stands still where it looks for a way, until the first opener has gone. */
static void
the_first_gives_up(void)
{
	uint32_t before;

	pthread_join(first_thread, NULL);
	before = __atomic_load_n(&pauses, __ATOMIC_ACQUIRE);
	assert_int_equal(pthread_create(&second_thread, NULL, opener_main, &second), 0);
	while (__atomic_load_n(&pauses, __ATOMIC_ACQUIRE) == before)
		(void)clock_nanosleep(
			CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = 1000}, NULL);
}

/* What was begun for who gave up is nobody else's, though that one asked in the meantime. */
static void
another_asks_meanwhile(uint16_t first_payload, uint16_t second_payload)
{
	struct rig r = known_world(rig_pair);
	struct ctl_ping_ask ask1 = ask4(1000), ask2 = ask4(2);

	ask1.payload = first_payload;
	ask2.payload = second_payload;
	first = (struct opener){.r = &r, .ask = &ask1};
	second = (struct opener){.r = &r, .ask = &ask2};
	second_done = false;
	fake.on_way = the_first_gives_up;
	assert_int_equal(pthread_create(&first_thread, NULL, opener_main, &first), 0);
	while (fake.on_way != NULL)
		rig_turn(&r);
	while (!__atomic_load_n(&second_done, __ATOMIC_ACQUIRE))
		rig_turn(&r);
	pthread_join(second_thread, NULL);
	assert_int_equal(first.run, -ETIMEDOUT);
	assert_string_equal(first.note, "the control lcore did not answer in 2 s");
	for (int i = 0; i < CTL_PINGS_MAX; i++)
		assert_true((fake.probe[i].dst.family != BASE_FAMILY_NONE) == (i == second.run));
	if (second.run >= 0)
		ctl_ping_close(r.ctl, second.run);
	rig_turn(&r);
	/* nothing was left behind: all places are free */
	ask2.payload = 56;
	for (int i = 0; i < CTL_PINGS_MAX; i++)
		assert_int_equal(begin(&r, &ask2).run, i);
	for (int i = 0; i < CTL_PINGS_MAX; i++)
		ctl_ping_close(r.ctl, i);
	rig_turn(&r);
	rig_free(&r);
}

static void
who_gives_up_while_it_is_refused(void **state)
{
	(void)state;
	another_asks_meanwhile(1473, 56);
	assert_true(second.run >= 0);
}

static void
who_gives_up_while_its_run_begins(void **state)
{
	(void)state;
	another_asks_meanwhile(56, 1473);
	assert_int_equal(second.run, -EMSGSIZE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_from_begin_to_end),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(a_vip_is_the_masters),
		cmocka_unit_test(a_next_hop_that_is_silent_is_named),
		cmocka_unit_test(a_run_that_nobody_wants_ends),
		cmocka_unit_test(what_cannot_be_sent_is_told),
		cmocka_unit_test(what_grows_too_long_is_told),
		cmocka_unit_test(who_gives_up_while_its_run_begins),
		cmocka_unit_test(who_gives_up_while_it_is_refused),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
