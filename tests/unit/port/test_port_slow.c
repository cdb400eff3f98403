/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* A device that takes long keeps nobody from seeing the links of the others. */
#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "fake_dev.h"

static void *const no_pools[PORT_MAX];
static struct port_set *s;

/* Operations of device 0 that take until they are let go. */
static struct {
	_Atomic enum fake_op op;
	sem_t begun, go_on;
} slow;
static _Atomic bool unplugged[2];

static int
hook(uint16_t id, enum fake_op op)
{
	if (op == FAKE_OP_LINK)
		return atomic_load(&unplugged[id]) ? -EIO : 0;
	if (id == 0 && op == atomic_load(&slow.op)) {
		atomic_store(&slow.op, FAKE_OPS);
		sem_post(&slow.begun);
		sem_wait(&slow.go_on);
	}
	return 0;
}

static int
setup(void **state)
{
	struct port_config c[2];
	char err[256] = "";

	(void)state;
	fake_reset();
	atomic_store(&slow.op, FAKE_OPS);
	atomic_store(&unplugged[0], false);
	atomic_store(&unplugged[1], false);
	sem_init(&slow.begun, 0, 0);
	sem_init(&slow.go_on, 0, 0);
	fake_hook = hook;
	c[0] = fake_config(0);
	c[1] = fake_config(1);
	s = port_set_start_ops(&fake_ops, c, 2, no_pools, err, sizeof(err));
	if (s == NULL)
		fail_msg("%s", err);
	assert_int_equal(port_set_watch(s, 1), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	/* Not even a test that failed leaves a thread behind that waits. */
	sem_post(&slow.go_on);
	port_set_stop(s);
	fake_hook = NULL;
	sem_destroy(&slow.begun);
	sem_destroy(&slow.go_on);
	return 0;
}

static void
wait_begun(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += FAKE_LONG_S;
	assert_int_equal(sem_timedwait(&slow.begun, &t), 0);
}

static struct port_event
next_event(void)
{
	struct port_event ev;

	if (!fake_next_event(s, &ev))
		fail_msg("no event");
	return ev;
}

static void
expect(enum port_event_type type, uint16_t port, bool up)
{
	const struct port_event ev = next_event();

	assert_int_equal(ev.type, type);
	assert_int_equal(ev.port_id, port);
	assert_int_equal(type == PORT_EV_LINK	 ? ev.link_up
			: type == PORT_EV_FILTER ? ev.filter_ok
						 : ev.attached,
		up);
}

static void
other_link_is_seen(void)
{
	atomic_store(&unplugged[1], true);
	expect(PORT_EV_LINK, 1, false);
	atomic_store(&unplugged[1], false);
	expect(PORT_EV_LINK, 1, true);
}

static void
test_filter(void **state)
{
	(void)state;
	atomic_store(&slow.op, FAKE_OP_MAC_ADD);
	port_set_reprogram(s, 0);
	wait_begun();
	atomic_store(&unplugged[1], true);
	expect(PORT_EV_LINK, 1, false);
	/* Asked for once more meanwhile: it comes once more after it. */
	port_set_reprogram(s, 0);
	sem_post(&slow.go_on);
	expect(PORT_EV_FILTER, 0, true);
	expect(PORT_EV_FILTER, 0, true);
	assert_int_equal(fake_devs[0].n_macs, 1);
	assert_int_equal(fake_devs[0].n_mac_adds, 3);
}

static void
test_removal(void **state)
{
	struct port_stats st;

	(void)state;
	atomic_store(&slow.op, FAKE_OP_REMOVE);
	fake_event(0, RTE_ETH_EVENT_INTR_RMV);
	expect(PORT_EV_LINK, 0, false);
	expect(PORT_EV_DEVICE, 0, false);
	port_set_detached(s, 0);
	wait_begun();
	/* Link events of the second alone: filters of one that comes back are set after this. */
	atomic_store(&unplugged[1], true);
	expect(PORT_EV_LINK, 1, false);
	/* Nobody waits who asks for the counters of another one. */
	assert_int_equal(port_set_stats(s, 1, &st), -EIO);
	assert_int_equal(port_set_stats(s, 0, &st), -EBUSY);
	sem_post(&slow.go_on);
	expect(PORT_EV_DEVICE, 0, true);
	expect(PORT_EV_FILTER, 0, true);
	expect(PORT_EV_LINK, 0, true);
}

/* What happens to a device that is busy is seen when it no longer is. */
static void
test_reset_while_busy(void **state)
{
	(void)state;
	atomic_store(&slow.op, FAKE_OP_MAC_ADD);
	port_set_reprogram(s, 0);
	wait_begun();
	fake_event(0, RTE_ETH_EVENT_INTR_RESET);
	sem_post(&slow.go_on);
	expect(PORT_EV_FILTER, 0, true);
	expect(PORT_EV_LINK, 0, false);
	expect(PORT_EV_DEVICE, 0, false);
	port_set_detached(s, 0);
	expect(PORT_EV_DEVICE, 0, true);
	expect(PORT_EV_FILTER, 0, true);
	expect(PORT_EV_LINK, 0, true);
	assert_int_equal(fake_devs[0].n_resets, 1);
}

/* The end does not wait for more than what is being done. */
static void
test_stop_while_busy(void **state)
{
	(void)state;
	atomic_store(&slow.op, FAKE_OP_MAC_ADD);
	port_set_reprogram(s, 0);
	wait_begun();
	other_link_is_seen();
	/* teardown lets it go, stops, and finds no address left */
}

static int
teardown_busy(void **state)
{
	teardown(state);
	assert_int_equal(fake_devs[0].n_macs, 0);
	assert_int_equal(fake_devs[1].n_macs, 0);
	assert_int_equal(fake_devs[0].n_events, 0);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_filter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_removal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_while_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_while_busy, setup, teardown_busy),
	};

	return cmocka_run_group_tests(tests, fake_eal_start, fake_eal_stop);
}
