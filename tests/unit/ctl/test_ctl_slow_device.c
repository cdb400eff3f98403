/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Devices that refuse, fail or take a second for each operation in turn, in the middle of a
 * take-over too, below the real lib/port and the real control plane: no advert may be late by more
 * than a millisecond of simulated time because of it.
 *
 * The port thread is a thread of its own here, and runs only when it is handed the baton. An
 * operation that takes long keeps what it wants to do to itself until simulated time has passed,
 * while the control plane goes on. On any other thread it would hold up that thread's time.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../port/fake_dev.h"
#include "ctl_fake.h"

#define S	BASE_NS_PER_S
#define MS	BASE_NS_PER_MS
#define DELAY	S
#define LATE	MS
#define TROUBLE (3 * S) /* so long it lasts, then all is well */
/* Shorter than what the election takes for a stall. */
#define TURN (750 * BASE_NS_PER_US)
#define LOOK (30 * MS)

enum mode { REFUSES, FAILS, DELAYS, MODES };
static const char *const mode_name[MODES] = {"refuses", "fails", "delays"};

/* The trouble of this run. */
static struct {
	enum fake_op op;
	enum mode mode;
	base_ns_t from, to;
	unsigned int hits;   /* calls of op meanwhile */
	unsigned int strays; /* calls that were not the port thread's */
} trouble;

/* Whose turn it is. */
static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool port_runs, quits;
	base_ns_t busy_until; /* an operation of the port thread takes so long; 0 = none does */
	struct port_set *ports;
} baton = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};

static struct rig rig;
static base_ns_t port_at; /* the port thread looks at its links next */

static void
hand_over(bool to_port)
{
	pthread_mutex_lock(&baton.lock);
	baton.port_runs = to_port;
	pthread_cond_broadcast(&baton.cond);
	while (baton.port_runs == to_port && (to_port || !baton.quits))
		pthread_cond_wait(&baton.cond, &baton.lock);
	pthread_mutex_unlock(&baton.lock);
}

static void *
port_main(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&baton.lock);
	while (!baton.port_runs)
		pthread_cond_wait(&baton.cond, &baton.lock);
	pthread_mutex_unlock(&baton.lock);
	while (!baton.quits) {
		port_set_turn(baton.ports, fake.now);
		hand_over(false);
	}
	pthread_mutex_lock(&baton.lock);
	baton.port_runs = false;
	pthread_cond_broadcast(&baton.cond);
	pthread_mutex_unlock(&baton.lock);
	return NULL;
}

static void
take_long(void)
{
	baton.busy_until = fake.now + DELAY;
	while (fake.now < baton.busy_until && !baton.quits)
		hand_over(false);
	baton.busy_until = 0;
}

static int
hook(uint16_t id, enum fake_op op)
{
	(void)id;
	if (!pthread_equal(pthread_self(), baton.thread)) {
		trouble.strays++;
		fake.now += DELAY;
		return 0;
	}
	if (op != trouble.op || fake.now < trouble.from || fake.now >= trouble.to)
		return 0;
	trouble.hits++;
	switch (trouble.mode) {
	case REFUSES:
		return -ENOTSUP;
	case FAILS:
		return -EIO;
	case DELAYS:
		take_long();
		break;
	case MODES:
		break;
	}
	return 0;
}

/* The port thread's turn, if it has anything to do. */
static void
port_turn(void)
{
	if (baton.busy_until != 0 ? fake.now < baton.busy_until : fake.now < port_at)
		return;
	port_at = fake.now + LOOK;
	hand_over(true);
}

static void
run_to(base_ns_t until)
{
	while (fake.now < until) {
		fake.now += TURN;
		port_turn();
		rig_turn(&rig);
	}
}

static void
rig_start(const char *json)
{
	static void *const no_pools[PORT_MAX];
	struct port_config c[2];
	char err[256] = "";

	fake_reset();
	memset(&trouble, 0, sizeof(trouble));
	c[0] = fake_config(0);
	c[1] = fake_config(1);
	rig_ports = port_set_start_ops(&fake_ops, c, 2, no_pools, err, sizeof(err));
	if (rig_ports == NULL)
		fail_msg("%s", err);
	rig = rig_make(json);
	fake.detached = true;
	baton.ports = rig_ports;
	baton.port_runs = false;
	baton.quits = false;
	baton.busy_until = 0;
	port_at = 0;
	assert_int_equal(pthread_create(&baton.thread, NULL, port_main, NULL), 0);
	fake_hook = hook;
}

static void
rig_end(void)
{
	baton.quits = true;
	hand_over(true);
	pthread_join(baton.thread, NULL);
	fake_hook = NULL;
	rig_free(&rig);
	port_set_stop(rig_ports);
	rig_ports = NULL;
}

/* How late the latest advert or decision was. */
static base_ns_t
worst(void)
{
	static struct ctl_event ev[CTL_EVENTS_KEPT];
	struct ctl_box_view box;
	base_ns_t late;
	uint64_t last = 0;
	uint32_t n = ctl_events(rig.ctl, ELECTION_NONE, 0, ev, CTL_EVENTS_KEPT, &last);

	ctl_box_view(rig.ctl, &box);
	late = box.late_max;
	for (uint32_t i = 0; i < n; i++)
		if (ev[i].kind == CTL_EVENT_STATE && ev[i].late > late)
			late = ev[i].late;
	return box.stalls > 0 ? BASE_NS_NEVER : late;
}

/* Frames to the vMAC and to the multicast group come in. */
static bool
hears(const struct fake_dev *d)
{
	const bool promiscuous = d->promiscuous || d->netdev_promiscuous;

	return d->started && (d->n_macs > 0 || promiscuous) &&
		(d->multicast || d->allmulticast || promiscuous);
}

enum scenario {
	SET_AGAIN_AS_MASTER,
	SET_AGAIN_IN_TAKEOVER,
	SET_AGAIN_BY_THE_LINK,
	RESET_AS_MASTER,
	RESET_IN_TAKEOVER,
	GOES_IN_TAKEOVER,
	SCENARIOS
};
static const char *const scenario_name[SCENARIOS] = {
	"set again as master",
	"set again in a take-over",
	"set again as its link comes back",
	"reset as master",
	"reset in a take-over",
	"removed in a take-over",
};

static void
begin(enum scenario sc)
{
	switch (sc) {
	case SET_AGAIN_AS_MASTER:
	case SET_AGAIN_IN_TAKEOVER:
		port_set_reprogram(rig_ports, 0);
		break;
	case SET_AGAIN_BY_THE_LINK:
		fake_devs[0].link_up = false;
		port_at = 0;
		run_to(fake.now + MS);
		fake_devs[0].link_up = true;
		break;
	case RESET_AS_MASTER:
	case RESET_IN_TAKEOVER:
		fake_event(0, RTE_ETH_EVENT_INTR_RESET);
		break;
	case GOES_IN_TAKEOVER:
		fake_event(0, RTE_ETH_EVENT_INTR_RMV);
		break;
	case SCENARIOS:
		break;
	}
	port_at = 0;
}

static bool
in_takeover(enum scenario sc)
{
	return sc == SET_AGAIN_IN_TAKEOVER || sc == RESET_IN_TAKEOVER || sc == GOES_IN_TAKEOVER;
}

/* With the paths that were there before or with promiscuous mode. */
static bool
well(void)
{
	return rig_state(&rig, 0) == ELECTION_MASTER && rig_state(&rig, 1) == ELECTION_MASTER &&
		hears(&fake_devs[0]) && fake.link_up[0] && fake.attached[0];
}

static void
one_run(enum scenario sc, enum fake_op op, enum mode mode)
{
	const base_ns_t at = RIG_START + (in_takeover(sc) ? RIG_DOWN - 5 * MS : RIG_DOWN + S / 2);
	char what[128];

	snprintf(what, sizeof(what), "%s, operation %d %s", scenario_name[sc], op, mode_name[mode]);
	rig_start(rig_pair);
	if (op == FAKE_OP_STOP)
		fake_devs[0].reset_ret = -ENOTSUP;
	if (op == FAKE_OP_ALLMULTICAST_SET)
		fake_devs[0].multicast_ret = -ENOTSUP;
	run_to(at);
	trouble.op = op;
	trouble.mode = mode;
	trouble.from = fake.now;
	trouble.to = fake.now + TROUBLE;
	begin(sc);
	do {
		run_to(fake.now + 100 * MS);
		/* Who cannot hear is not master: it would answer for what it never receives. */
		if (baton.busy_until == 0 && !hears(&fake_devs[0]) &&
			rig_state(&rig, 0) == ELECTION_MASTER)
			fail_msg("%s: master and deaf after %llu ms", what,
				(unsigned long long)((fake.now - at) / MS));
	} while (fake.now < trouble.to + S || (!well() && fake.now < trouble.to + 15 * S));
	if (worst() > LATE)
		fail_msg("%s: late by %llu us", what, (unsigned long long)(worst() / 1000));
	assert_int_equal(trouble.strays, 0);
	if (!well())
		fail_msg("%s: %d/%d, hears %d, link %d, attached %d", what, rig_state(&rig, 0),
			rig_state(&rig, 1), hears(&fake_devs[0]), fake.link_up[0],
			fake.attached[0]);
	rig_end();
}

static void
each(const enum scenario *sc, size_t n_sc, const enum fake_op *op, size_t n_op)
{
	for (size_t i = 0; i < n_sc; i++)
		for (size_t k = 0; k < n_op; k++) {
			unsigned int hits = 0;

			for (unsigned int m = 0; m < MODES; m++) {
				one_run(sc[i], op[k], m);
				hits += trouble.hits;
			}
			/* A table that troubles what is never called would prove nothing. */
			if (hits == 0)
				fail_msg("%s: operation %d was not called", scenario_name[sc[i]],
					op[k]);
		}
}

#define EACH(sc, op) each(sc, sizeof(sc) / sizeof((sc)[0]), op, sizeof(op) / sizeof((op)[0]))

static void
filters_are_set_again(void **state)
{
	static const enum scenario sc[] = {
		SET_AGAIN_AS_MASTER, SET_AGAIN_IN_TAKEOVER, SET_AGAIN_BY_THE_LINK};
	static const enum fake_op op[] = {FAKE_OP_MAC_ADD, FAKE_OP_MAC_REMOVE,
		FAKE_OP_MULTICAST_SET, FAKE_OP_PROMISCUOUS_SET, FAKE_OP_ALLMULTICAST_SET,
		FAKE_OP_LINK};

	(void)state;
	EACH(sc, op);
}

static void
the_device_is_reset(void **state)
{
	static const enum scenario sc[] = {RESET_AS_MASTER, RESET_IN_TAKEOVER};
	static const enum fake_op op[] = {FAKE_OP_RESET, FAKE_OP_STOP, FAKE_OP_INFO,
		FAKE_OP_CONFIGURE, FAKE_OP_MTU_SET, FAKE_OP_DESC_ADJUST, FAKE_OP_RXQ_SETUP,
		FAKE_OP_TXQ_SETUP, FAKE_OP_START, FAKE_OP_MAC_ADD, FAKE_OP_MULTICAST_SET};

	(void)state;
	EACH(sc, op);
}

static void
the_device_goes(void **state)
{
	static const enum scenario sc[] = {GOES_IN_TAKEOVER};
	static const enum fake_op op[] = {
		FAKE_OP_REMOVE, FAKE_OP_PROBE, FAKE_OP_START, FAKE_OP_PROMISCUOUS_SET};

	(void)state;
	EACH(sc, op);
}

/* Fast groups, whose adverts are 3.9 ms apart. */
static void
fast_groups_keep_their_pace(void **state)
{
	static const char fast[] =
		"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\"},"
		"{\"name\":\"em1\",\"device\":\"d1\"}],\"carp\":{\"preempt\":true,\"groups\":["
		"{\"name\":\"carp0\",\"carpdev\":\"em0\",\"vhid\":1,\"pass\":\"x\",\"fast\":true,"
		"\"addresses\":[\"192.0.2.1/24\"]},"
		"{\"name\":\"carp1\",\"carpdev\":\"em1\",\"vhid\":2,\"pass\":\"x\",\"fast\":true,"
		"\"addresses\":[\"198.51.100.1/24\"]}]}}";
	uint64_t before;
	struct ctl_group_view v;

	(void)state;
	rig_start(fast);
	run_to(RIG_START + S);
	trouble.op = FAKE_OP_MAC_ADD;
	trouble.mode = DELAYS;
	trouble.to = BASE_NS_NEVER;
	ctl_group_view(rig.ctl, 0, &v);
	before = v.stats[CTL_STAT_OPACKETS];
	port_set_reprogram(rig_ports, 0);
	port_at = 0;
	run_to(fake.now + S);
	ctl_group_view(rig.ctl, 0, &v);
	assert_int_equal(trouble.hits, 1);
	assert_in_range(v.stats[CTL_STAT_OPACKETS] - before, 254, 257);
	assert_in_range(worst(), 0, LATE);
	rig_end();
}

/* That the measure is one: an operation on the control lcore's own thread is seen. */
static void
a_call_on_the_wrong_thread_would_be_seen(void **state)
{
	(void)state;
	rig_start(rig_pair);
	run_to(RIG_START + RIG_DOWN + S / 2);
	assert_in_range(worst(), 0, LATE);
	fake_ops.promiscuous_set(0, true);
	run_to(fake.now + S);
	assert_int_equal(trouble.strays, 1);
	assert_true(worst() > LATE);
	rig_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_on_the_wrong_thread_would_be_seen),
		cmocka_unit_test(filters_are_set_again),
		cmocka_unit_test(the_device_is_reset),
		cmocka_unit_test(the_device_goes),
		cmocka_unit_test(fast_groups_keep_their_pace),
	};

	return cmocka_run_group_tests(tests, fake_eal_setup, fake_eal_teardown);
}
