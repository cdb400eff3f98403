/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "base_clock.h"
#include "compat_removal.h"
#include "compat_thread.h"
#include "port_priv.h"

/*
 * The real operation table on net_null, and on net_af_packet over a veth pair in a network
 * namespace that this process makes for itself and that ends with it. No packet is sent.
 */

static const uint8_t vmacs[1][BASE_MAC_LEN] = {{0x00, 0x00, 0x5e, 0x00, 0x01, 0x2a}};
static const uint8_t mcast[][BASE_MAC_LEN] = {{0x01, 0, 0x5e, 0, 0, 0x12}};
static struct rte_mempool *pool;
static bool has_netns;

static struct port_config
config(const char *device)
{
	struct port_config c = {
		.mtu = 1500,
		.n_rxq = 1,
		.n_workers = 1,
		.n_rx_desc = 64,
		.n_tx_desc = 64,
		.socket_id = SOCKET_ID_ANY,
		.n_vmacs = 1,
		.vmacs = vmacs,
		.n_mcasts = 1,
		.mcasts = mcast,
	};

	snprintf(c.device, sizeof(c.device), "%s", device);
	return c;
}

/* The thread answers by an event; no time passes here that it does not need. */
static void
wait_event(struct port_set *s, struct port_event *ev)
{
	const base_ns_t end = base_clock_ns(CLOCK_MONOTONIC) + 10 * BASE_NS_PER_S;

	while (!port_set_event(s, ev)) {
		assert_true(base_clock_ns(CLOCK_MONOTONIC) < end);
		sched_yield();
	}
}

static void
gone(void *arg)
{
	(void)arg;
	fail_msg("nothing was removed");
}

/* A virtual device has no bus that would take it away. */
static void
test_no_removal(void **state)
{
	struct compat_removal *w = (struct compat_removal *)(uintptr_t)8;
	struct rte_eth_dev_info info;
	uint16_t id;

	(void)state;
	assert_int_equal(rte_eth_dev_get_port_by_name("net_null0", &id), 0);
	assert_int_equal(rte_eth_dev_info_get(id, &info), 0);
	assert_int_equal(compat_removal_watch(info.device, gone, NULL, &w), -ENOTSUP);
	assert_null(w);
	assert_int_equal(compat_removal_watch(NULL, gone, NULL, &w), -ENOTSUP);
	compat_removal_unwatch(w);
}

static void
test_null(void **state)
{
	const struct port_config c[] = {config("net_null0"), config("net_null1")};
	void *const pools[] = {pool, pool};
	char err[256] = "";
	struct port_set *s = port_set_start(c, 2, pools, err, sizeof(err));
	struct port_info i;
	struct port_event ev;
	struct port_stats st;

	(void)state;
	if (s == NULL)
		fail_msg("%s", err);
	assert_int_equal(port_set_info(s, 1, &i), 0);
	assert_string_equal(i.driver, "net_null");
	assert_int_equal(i.n_rxq, 1);
	assert_int_equal(i.n_txq, 1);
	assert_true(i.control_txq);
	assert_int_equal(i.mtu, 1500);
	assert_int_equal(i.vmac_mode, PORT_VMAC_PROMISCUOUS);
	assert_string_equal(i.vmac_reason, "net_null: 1 vMAC, 0 filter slots (max_mac_addrs 1)");
	assert_string_equal(i.multicast_mode, "allmulticast");
	assert_string_equal(i.link_source, "poll");
	assert_true(i.link_up);

	assert_int_equal(port_set_watch(s, 1), 0);
	assert_int_equal(port_set_watch(s, 1), -EALREADY);
	assert_int_equal(port_set_reprogram(s, 1), 0);
	wait_event(s, &ev);
	assert_int_equal(ev.type, PORT_EV_FILTER);
	assert_int_equal(ev.port_id, i.port_id);
	assert_true(ev.filter_ok);
	assert_int_equal(port_set_stats(s, 0, &st), 0);
	port_set_stop(s);
}

static void
expect_device(struct port_set *s, bool attached)
{
	struct port_event ev;

	do
		wait_event(s, &ev);
	while (ev.type != PORT_EV_DEVICE);
	assert_int_equal(ev.attached, attached);
}

/* Really removed from its bus, and probed again with what it was made from; then reset. */
static void
test_removed_and_reset(void **state)
{
	const struct port_config c[] = {config("net_null2"), config("net_null3")};
	void *const pools[] = {pool, pool};
	char err[256] = "";
	struct port_set *s;
	struct port_info i;
	struct port_stats st;

	(void)state;
	assert_int_equal(rte_eal_hotplug_add("vdev", "net_null3", "size=128"), 0);
	s = port_set_start(c, 2, pools, err, sizeof(err));
	if (s == NULL)
		fail_msg("%s", err);
	assert_string_equal(s->dev[1].identity, "net_null3,size=128");
	assert_int_equal(port_set_watch(s, 1), 0);
	assert_int_equal(port_set_info(s, 1, &i), 0);

	port_device_event(i.port_id, RTE_ETH_EVENT_INTR_RMV, s, NULL);
	expect_device(s, false);
	port_set_info(s, 1, &i);
	assert_string_equal(i.out_of_service, "the device was removed");
	assert_false(i.link_up);
	assert_int_equal(port_set_stats(s, 1, &st), 0); /* until the lcores have left it */
	port_set_detached(s, i.port_id);
	expect_device(s, true);
	port_set_info(s, 1, &i);
	assert_string_equal(i.out_of_service, "");
	assert_int_equal(i.n_outages, 1);
	assert_int_equal(port_set_stats(s, 1, &st), 0);

	/* The driver has no reset: it is stopped and started. */
	port_device_event(i.port_id, RTE_ETH_EVENT_INTR_RESET, s, NULL);
	expect_device(s, false);
	port_set_detached(s, i.port_id);
	expect_device(s, true);
	port_set_info(s, 1, &i);
	assert_int_equal(i.n_outages, 2);
	assert_string_equal(i.multicast_mode, "allmulticast");
	port_set_stop(s);
}

static void
test_refusals(void **state)
{
	struct port_config c = config("net_nul");
	void *const pools[] = {pool};
	struct rte_mempool *small;
	void *small_pools[1];
	char err[256] = "";

	(void)state;
	assert_null(port_set_start(&c, 1, pools, err, sizeof(err)));
	assert_non_null(strstr(err, "net_nul: no such device; there are: net_null"));

	small = rte_pktmbuf_pool_create("small", 63, 0, 0, 1024, SOCKET_ID_ANY);
	assert_non_null(small);
	small_pools[0] = small;
	c = config("net_null2");
	assert_null(port_set_start(&c, 1, small_pools, err, sizeof(err)));
	assert_string_equal(
		err, "net_null2: MTU 1500: a frame of 1518 bytes does not fit a buffer of 896");
	rte_mempool_free(small);
}

static int
count_promiscuous(const char *netdev)
{
	char cmd[64], text[4096];
	const char *at;
	size_t n;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "ip -d link show dev %s", netdev);
	f = popen(cmd, "r"); /* NOLINT(cert-env33-c): a constant command */
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	pclose(f);
	at = strstr(text, "promiscuity ");
	assert_non_null(at);
	return (int)strtol(at + strlen("promiscuity "), NULL, 10);
}

static void
expect_link(struct port_set *s, bool up, base_ns_t since)
{
	struct port_event ev;

	wait_event(s, &ev);
	assert_int_equal(ev.type, PORT_EV_LINK);
	assert_int_equal(ev.link_up, up);
	printf("# link %s seen %.1f ms after the command that did it began\n", up ? "up" : "down",
		(double)(ev.at - since) / 1e6);
}

static void
run(const char *cmd)
{
	assert_int_equal(system(cmd), 0); /* NOLINT(cert-env33-c): constant commands */
}

static void
test_af_packet(void **state)
{
	const struct port_config c = config("net_af_packet0");
	void *const pools[] = {pool};
	char err[256] = "";
	struct port_set *s;
	struct port_info i;
	base_ns_t before;

	(void)state;
	if (!has_netns)
		skip();
	s = port_set_start(&c, 1, pools, err, sizeof(err));
	if (s == NULL)
		fail_msg("%s", err);
	port_set_info(s, 0, &i);
	assert_string_equal(i.driver, "net_af_packet");
	assert_non_null(strstr(i.driver_file, "/librte_net_af_packet.so"));
	assert_string_equal(i.link_source, "netdev");
	assert_false(i.link_up); /* the peer is down; the driver would say otherwise */
	assert_false(i.control_txq);
	assert_int_equal(i.vmac_mode, PORT_VMAC_PROMISCUOUS);
	assert_string_equal(
		i.vmac_reason, "net_af_packet: 1 vMAC, 0 filter slots (max_mac_addrs 1)");
	assert_string_equal(i.multicast_mode, "promiscuous");
	assert_int_equal(count_promiscuous("kv0"), 1);

	assert_int_equal(port_set_watch(s, 1), 0);
	/* More often than the kernel's link watch reports, once in a second. */
	for (unsigned int k = 0; k < 3; k++) {
		before = base_clock_ns(CLOCK_MONOTONIC);
		run("ip link set kv1 up");
		expect_link(s, true, before);
		before = base_clock_ns(CLOCK_MONOTONIC);
		run("ip link set kv1 down");
		expect_link(s, false, before);
	}
	before = base_clock_ns(CLOCK_MONOTONIC);
	run("ip link set kv1 up");
	expect_link(s, true, before);
	before = base_clock_ns(CLOCK_MONOTONIC);
	run("ip link set kv0 down"); /* our own end, by an admin */
	expect_link(s, false, before);
	port_set_info(s, 0, &i);
	assert_int_equal(i.link_changes, 8);
	port_set_stop(s);
	assert_int_equal(count_promiscuous("kv0"), 0);
}

static void
thread_look(void *arg)
{
	struct sched_param param;
	int *result = arg;
	int ret;

	result[0] = compat_thread_realtime_set(0);
	result[1] = compat_thread_realtime_set(99);
	ret = compat_thread_realtime_set(5);
	/* Without the right to it nothing changes. */
	result[2] = sched_getscheduler(0) == (ret == 0 ? SCHED_FIFO : SCHED_OTHER);
	result[3] = ret != 0 || (sched_getparam(0, &param) == 0 && param.sched_priority == 5);
	compat_thread_realtime_clear();
	result[4] = sched_getscheduler(0) == SCHED_OTHER;
	result[5] = compat_thread_timer_slack_set(1000);
	result[6] = compat_thread_timer_slack_set(0);
}

static void
test_compat_thread(void **state)
{
	struct compat_thread t;
	int result[7] = {0};

	(void)state;
	assert_int_equal(compat_thread_start(&t, "koi-test", thread_look, result), 0);
	assert_int_equal(compat_thread_join(&t), 0);
	assert_int_equal(result[0], -EINVAL);
	assert_int_equal(result[1], -EINVAL);
	assert_true(result[2]);
	assert_true(result[3]);
	assert_true(result[4]);
	assert_int_equal(result[5], 0);
	assert_int_equal(result[6], -EINVAL);
}

static int
start_eal(void **state)
{
	char args[][48] = {"test_port_eal", "--no-huge", "--no-pci", "-m", "64", "--no-shconf",
		"--no-telemetry", "--lcores", "0", "--log-level=1", "--vdev=net_null0",
		"--vdev=net_null1", "--vdev=net_null2", "--vdev=net_af_packet0,iface=kv0"};
	char *argv[RTE_DIM(args) + 1] = {NULL};
	int n = (int)RTE_DIM(args);

	(void)state;
	has_netns = unshare(CLONE_NEWNET) == 0 &&
		system("ip link add kv0 type veth peer name kv1 && ip link set kv0 up") == 0;
	if (!has_netns)
		n--;
	for (int i = 0; i < n; i++)
		argv[i] = args[i];
	if (rte_eal_init(n, argv) < 0)
		return -1;
	pool = rte_pktmbuf_pool_create("test", 511, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	return pool != NULL ? 0 : -1;
}

static int
stop_eal(void **state)
{
	(void)state;
	return rte_eal_cleanup();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_removal),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_removed_and_reset),
		cmocka_unit_test(test_af_packet),
		cmocka_unit_test(test_compat_thread),
	};

	return cmocka_run_group_tests(tests, start_eal, stop_eal);
}
