/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Other vMACs and multicast addresses for devices that run. */
#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_dev.h"

#define VMAC(vhid)                                 \
	{                                          \
		0x00, 0x00, 0x5e, 0x00, 0x01, vhid \
	}

static void *const no_pools[PORT_MAX];
static struct port_set *s;
static char err[256];

static const uint8_t m1[BASE_MAC_LEN] = VMAC(1);

/* The group of vhid 1 stays through all changes: at no time is it deaf. */
static _Atomic unsigned int deaf;
static _Atomic bool watch;
static sem_t begun, go_on;
static _Atomic enum fake_op slow = FAKE_OPS;

static int
hook(uint16_t id, enum fake_op op)
{
	const struct fake_dev *d = &fake_devs[id];
	bool hears = d->promiscuous;

	if (op == FAKE_OP_LINK)
		return 0;
	for (unsigned int i = 0; i < d->n_macs; i++)
		hears = hears || memcmp(d->macs[i], m1, sizeof(m1)) == 0;
	if (atomic_load(&watch) && !hears)
		atomic_fetch_add(&deaf, 1);
	if (op == atomic_load(&slow)) {
		atomic_store(&slow, FAKE_OPS);
		sem_post(&begun);
		sem_wait(&go_on);
	}
	return 0;
}

static void
start(uint32_t max_macs, enum port_vmac_policy policy)
{
	struct port_config c;

	fake_reset();
	if (max_macs != 0) {
		fake_devs[0].max_macs = max_macs;
		fake_devs[0].mac_room = max_macs - 1;
	}
	c = fake_config(0);
	c.vmac_policy = policy;
	s = port_set_start_ops(&fake_ops, &c, 1, no_pools, err, sizeof(err));
	if (s == NULL)
		fail_msg("%s", err);
	assert_int_equal(port_set_watch(s, 1), 0);
	atomic_store(&deaf, 0);
	fake_hook = hook;
	atomic_store(&watch, true);
}

static void
stop(void)
{
	atomic_store(&watch, false);
	port_set_stop(s);
	s = NULL;
	fake_hook = NULL;
	assert_int_equal(atomic_load(&deaf), 0);
	assert_int_equal(fake_devs[0].n_macs, 0);
	assert_false(fake_devs[0].promiscuous);
	assert_false(fake_devs[0].allmulticast);
	assert_false(fake_devs[0].multicast);
}

/* vMACs by their vhids, and as many multicast addresses as told. */
static int
change(const uint8_t *vhids, uint16_t n, uint16_t n_mcasts)
{
	static const uint8_t mcasts[4][BASE_MAC_LEN] = {{1, 0, 0x5e, 0, 0, 0x12},
		{1, 0, 0x5e, 0, 0, 1}, {0x33, 0x33, 0, 0, 0, 0x12}, {0x33, 0x33, 0, 0, 0, 1}};
	uint8_t vmacs[8][BASE_MAC_LEN];
	struct port_addresses a = {.n_vmacs = n,
		.vmacs = (const uint8_t(*)[BASE_MAC_LEN])vmacs,
		.n_mcasts = n_mcasts,
		.mcasts = mcasts};

	for (uint16_t i = 0; i < n; i++)
		base_vmac(vhids[i], vmacs[i]);
	err[0] = '\0';
	return port_set_addresses(s, 0, &a, err, sizeof(err));
}
#define CHANGE(n_mcasts, ...) \
	change((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), n_mcasts)

static void
expect_filter(bool ok)
{
	struct port_event ev;

	assert_true(fake_next_event(s, &ev));
	assert_int_equal(ev.type, PORT_EV_FILTER);
	assert_int_equal(ev.filter_ok, ok);
}

static void
expect_nothing(void)
{
	struct port_event ev;

	assert_false(port_set_event(s, &ev));
}

/* The device has these vMACs and no others. */
static void
has(const uint8_t *vhids, unsigned int n)
{
	const struct fake_dev *d = &fake_devs[0];

	assert_int_equal(d->n_macs, n);
	for (unsigned int i = 0; i < n; i++) {
		uint8_t mac[BASE_MAC_LEN];
		unsigned int k = 0;

		base_vmac(vhids[i], mac);
		while (k < n && memcmp(d->macs[k], mac, sizeof(mac)) != 0)
			k++;
		assert_int_not_equal(k, n);
	}
}
#define HAS(...) has((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void
expect_info(uint16_t n_vmacs, enum port_vmac_mode mode, const char *reason)
{
	struct port_info i;

	assert_int_equal(port_set_info(s, 0, &i), 0);
	assert_int_equal(i.n_vmacs, n_vmacs);
	assert_int_equal(i.vmac_mode, mode);
	assert_string_equal(i.vmac_reason, reason);
	assert_int_equal(fake_devs[0].promiscuous, mode == PORT_VMAC_PROMISCUOUS);
}

static void
test_only_the_difference(void **state)
{
	(void)state;
	start(0, PORT_VMAC_AUTO);
	assert_int_equal(CHANGE(1, 1, 2, 3, 2), 0);
	expect_filter(true);
	HAS(1, 2, 3);
	assert_int_equal(fake_devs[0].n_mac_adds, 3);
	assert_int_equal(CHANGE(2, 4, 1, 3), 0);
	expect_filter(true);
	HAS(1, 3, 4);
	assert_int_equal(fake_devs[0].n_mac_adds, 4);
	assert_int_equal(fake_devs[0].n_mcasts, 2);
	expect_info(3, PORT_VMAC_FILTER, "");
	/* nothing to be done, and nothing is told */
	assert_int_equal(CHANGE(2, 3, 4, 1), 0);
	expect_nothing();
	/* what is programmed again is what it is to have now */
	assert_int_equal(port_set_reprogram(s, 0), 0);
	expect_filter(true);
	HAS(1, 3, 4);
	stop();
}

static void
test_slots_for_either_alone(void **state)
{
	(void)state;
	start(3, PORT_VMAC_REQUIRE);
	assert_int_equal(CHANGE(1, 1, 2), 0);
	assert_int_equal(CHANGE(1, 1, 3), 0);
	HAS(1, 3);
	expect_info(2, PORT_VMAC_FILTER, "");
	stop();
}

static void
test_more_than_slots_and_back(void **state)
{
	(void)state;
	start(3, PORT_VMAC_AUTO);
	assert_int_equal(CHANGE(1, 1, 2, 3), 0);
	expect_filter(true);
	expect_info(
		3, PORT_VMAC_PROMISCUOUS, "net_fake: 3 vMACs, 2 filter slots (max_mac_addrs 3)");
	assert_int_equal(fake_devs[0].n_macs, 0);
	assert_int_equal(CHANGE(1, 1, 2), 0);
	HAS(1, 2);
	expect_info(2, PORT_VMAC_FILTER, "");
	stop();
}

static void
test_refused_is_as_before(void **state)
{
	(void)state;
	start(3, PORT_VMAC_REQUIRE);
	assert_int_equal(CHANGE(1, 1, 2), 0);
	expect_filter(true);
	assert_int_equal(CHANGE(2, 1, 3, 4), -ENOTSUP);
	assert_string_equal(err,
		"net_fake0: no filter for the groups' MACs, and \"vmac-filter\" is \"require\": "
		"net_fake: 3 vMACs, 2 filter slots (max_mac_addrs 3)");
	expect_filter(true);
	HAS(1, 2);
	assert_int_equal(fake_devs[0].n_mcasts, 1);
	expect_info(2, PORT_VMAC_FILTER, "");
	stop();
}

/* The driver takes the second of two and not the third, and was not known to. */
static void
test_refused_by_the_driver(void **state)
{
	(void)state;
	start(0, PORT_VMAC_AUTO);
	fake_devs[0].mac_room = 2;
	assert_int_equal(CHANGE(1, 1, 2, 3), 0);
	expect_info(3, PORT_VMAC_PROMISCUOUS,
		"net_fake: mac_addr_add: No space left on device after 2 of 3 addresses");
	assert_int_equal(fake_devs[0].n_macs, 0);
	stop();
}

static void
test_the_last_group_goes(void **state)
{
	(void)state;
	start(2, PORT_VMAC_AUTO);
	assert_int_equal(CHANGE(1, 1, 2), 0);
	expect_info(2, PORT_VMAC_PROMISCUOUS, "net_fake: 2 vMACs, 1 filter slot (max_mac_addrs 2)");
	atomic_store(&watch, false);
	assert_int_equal(change(NULL, 0, 0), 0);
	expect_info(0, PORT_VMAC_FILTER, "");
	assert_false(fake_devs[0].multicast);
	assert_int_equal(CHANGE(1, 1), 0);
	HAS(1);
	assert_true(fake_devs[0].multicast);
	stop();
}

/* Where IPv6 is spoken who asks for the link-local address is heard as well: the device has it. */
static void
test_multicast_of_the_link_local_address(void **state)
{
	static const uint8_t head[] = {0x33, 0x33, 0xff};
	struct port_info i;

	(void)state;
	start(0, PORT_VMAC_AUTO);
	assert_int_equal(fake_devs[0].n_mcasts, 1);
	assert_int_equal(CHANGE(4, 1), 0);
	assert_int_equal(fake_devs[0].n_mcasts, 5);
	assert_int_equal(port_set_info(s, 0, &i), 0);
	assert_int_equal(i.n_mcasts, 4);
	assert_memory_equal(fake_devs[0].mcasts[4], head, sizeof(head));
	assert_memory_equal(fake_devs[0].mcasts[4] + 3, i.mac + 3, 3);
	assert_int_equal(CHANGE(3, 1), 0);
	assert_int_equal(fake_devs[0].n_mcasts, 3);
	stop();
}

static void
test_multicast_finds_its_way(void **state)
{
	struct port_info i;

	(void)state;
	start(0, PORT_VMAC_AUTO);
	fake_devs[0].multicast_ret = -ENOSPC;
	assert_int_equal(CHANGE(3, 1), 0);
	assert_true(fake_devs[0].allmulticast);
	fake_devs[0].multicast_ret = 0;
	assert_int_equal(CHANGE(2, 1), 0);
	assert_false(fake_devs[0].allmulticast);
	/* by nothing at all: refused, and as before */
	fake_devs[0].multicast_ret = -ENOSPC;
	fake_devs[0].allmulticast_ret = -EIO;
	fake_devs[0].promiscuous_ret = -EIO;
	assert_int_equal(CHANGE(4, 1, 2), -EIO);
	assert_string_equal(err,
		"net_fake0: no way to receive multicast: all multicast: Input/output error; "
		"promiscuous mode: Input/output error");
	HAS(1);
	assert_int_equal(port_set_info(s, 0, &i), 0);
	assert_int_equal(i.n_mcasts, 2);
	/* that the old list is refused as well is told, and tried again */
	expect_filter(true);
	expect_filter(true);
	expect_filter(false);
	fake_devs[0].multicast_ret = 0;
	fake_devs[0].allmulticast_ret = 0;
	fake_devs[0].promiscuous_ret = 0;
	expect_filter(true);
	stop();
}

/* Deaf already: other addresses are taken all the same. */
static void
test_filters_that_failed(void **state)
{
	(void)state;
	start(0, PORT_VMAC_REQUIRE);
	atomic_store(&watch, false);
	fake_devs[0].mac_room = 0;
	assert_int_equal(port_set_reprogram(s, 0), 0);
	expect_filter(false);
	assert_int_equal(CHANGE(1, 2, 3), 0);
	expect_filter(false);
	fake_devs[0].mac_room = 8;
	assert_int_equal(CHANGE(1, 2, 4), 0);
	expect_filter(true);
	HAS(2, 4);
	stop();
}

static void
test_out_of_service(void **state)
{
	struct port_event ev;

	(void)state;
	start(0, PORT_VMAC_AUTO);
	atomic_store(&watch, false);
	fake_event(0, RTE_ETH_EVENT_INTR_RMV);
	assert_true(fake_next_event(s, &ev) && ev.type == PORT_EV_LINK);
	assert_true(fake_next_event(s, &ev) && ev.type == PORT_EV_DEVICE && !ev.attached);
	assert_int_equal(CHANGE(2, 1, 5), 0);
	expect_nothing();
	port_set_detached(s, 0);
	assert_true(fake_next_event(s, &ev) && ev.type == PORT_EV_DEVICE && ev.attached);
	expect_filter(true);
	HAS(1, 5);
	expect_info(2, PORT_VMAC_FILTER, "");
	assert_int_equal(fake_devs[0].n_mcasts, 2);
	stop();
}

/* Not even by an operator who waits is something else done to it at once. */
static void
test_busy(void **state)
{
	(void)state;
	start(0, PORT_VMAC_AUTO);
	sem_init(&begun, 0, 0);
	sem_init(&go_on, 0, 0);
	atomic_store(&slow, FAKE_OP_MAC_ADD);
	port_set_reprogram(s, 0);
	sem_wait(&begun);
	assert_int_equal(CHANGE(1, 1, 2), -EBUSY);
	assert_string_equal(err, "net_fake0: the device is busy");
	sem_post(&go_on);
	expect_filter(true);
	HAS(1);
	/* and then it is */
	assert_int_equal(CHANGE(1, 1, 2), 0);
	expect_filter(true);
	HAS(1, 2);
	sem_destroy(&begun);
	sem_destroy(&go_on);
	assert_int_equal(
		port_set_addresses(s, 1, &(struct port_addresses){0}, err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "no device 1");
	stop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_the_difference),
		cmocka_unit_test(test_slots_for_either_alone),
		cmocka_unit_test(test_more_than_slots_and_back),
		cmocka_unit_test(test_refused_is_as_before),
		cmocka_unit_test(test_refused_by_the_driver),
		cmocka_unit_test(test_the_last_group_goes),
		cmocka_unit_test(test_multicast_of_the_link_local_address),
		cmocka_unit_test(test_multicast_finds_its_way),
		cmocka_unit_test(test_filters_that_failed),
		cmocka_unit_test(test_out_of_service),
		cmocka_unit_test(test_busy),
	};

	return cmocka_run_group_tests(tests, fake_eal_start, fake_eal_stop);
}
