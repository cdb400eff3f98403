/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_dev.h"

static char err[256];
static void *const no_pools[PORT_MAX];

static int
reset(void **state)
{
	(void)state;
	fake_reset();
	err[0] = '\0';
	return 0;
}

static struct port_set *
start_one(const struct port_config *c)
{
	return port_set_start_ops(&fake_ops, c, 1, no_pools, err, sizeof(err));
}

struct plan_case {
	const char *name, *driver;
	uint16_t max_rx, max_tx, n_rxq, n_workers;
	struct port_queues expect[PORT_QUEUE_TRIES];
};

static const struct plan_case plan_cases[] = {
	{"one worker, own queue for control", "net_x", 8, 8, 1, 1, {{1, 1, true}, {1, 1, false}}},
	{"four workers", "net_x", 8, 8, 4, 4, {{4, 4, true}, {4, 4, false}}},
	{"only as many as workers", "net_x", 8, 4, 4, 4, {{4, 4, false}}},
	{"fewer than workers: hand-off for all", "net_x", 8, 2, 4, 4,
		{{4, 2, false}, {2, 2, false}}},
	{"fewer to receive from", "net_x", 1, 8, 4, 4,
		{{1, 4, true}, {1, 4, false}, {1, 1, false}}},
	{"nothing asked for", "net_x", 8, 8, 0, 0, {{1, 1, true}, {1, 1, false}}},
	{"tap: pairs, none for control", "net_tap", 16, 16, 1, 1, {{1, 1, false}}},
	{"tap: pairs by the larger", "net_tap", 16, 16, 1, 2, {{2, 2, false}}},
	{"af_packet, one pair", "net_af_packet", 1, 1, 2, 2, {{1, 1, false}}},
	{"af_packet: the whole fanout, the spare for control", "net_af_packet", 2, 2, 1, 1,
		{{2, 1, true}}},
	{"af_packet: as many as workers", "net_af_packet", 2, 2, 2, 2, {{2, 2, false}}},
	{"af_packet: more than twice", "net_af_packet", 4, 4, 1, 1, {{4, 3, true}}},
	{"pcap: every file", "net_pcap", 3, 1, 1, 1, {{3, 1, false}, {1, 1, false}}},
	{"virtio", "net_virtio", 4, 4, 2, 2, {{2, 2, false}}},
	{"e1000: one queue, whatever it says", "net_e1000_em", 2, 2, 1, 1, {{1, 1, false}}},
	{"e1000, two workers", "net_e1000_em", 2, 2, 2, 2, {{1, 1, false}}},
};

static void
test_queue_plan(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(plan_cases) / sizeof(plan_cases[0]); i++) {
		const struct plan_case *c = &plan_cases[i];
		const struct rte_eth_dev_info info = {
			.max_rx_queues = c->max_rx,
			.max_tx_queues = c->max_tx,
		};
		struct port_queues got[PORT_QUEUE_TRIES] = {0};
		const unsigned int n = port_queue_plan(
			&info, port_driver_find(c->driver), c->n_rxq, c->n_workers, got);

		for (unsigned int k = 0; k < PORT_QUEUE_TRIES; k++) {
			if (got[k].n_rxq != c->expect[k].n_rxq ||
				got[k].n_txq != c->expect[k].n_txq ||
				got[k].control_txq != c->expect[k].control_txq)
				fail_msg("%s: try %u is %u/%u/%d", c->name, k, got[k].n_rxq,
					got[k].n_txq, got[k].control_txq);
			assert_int_equal(k < n, c->expect[k].n_rxq != 0);
		}
	}
}

static void
test_plain(void **state)
{
	const struct port_config c[] = {fake_config(0), fake_config(1)};
	struct port_set *s;
	struct port_info i;

	(void)state;
	fake_devs[1].max_desc = 512;
	s = port_set_start_ops(&fake_ops, c, 2, no_pools, err, sizeof(err));
	assert_non_null(s);
	assert_int_equal(port_set_count(s), 2);
	assert_int_equal(port_set_info(s, 2, &i), -EINVAL);
	assert_int_equal(port_set_info(s, 1, &i), 0);
	assert_int_equal(i.port_id, 1);
	assert_string_equal(i.device, "net_fake1");
	assert_string_equal(i.driver, "net_fake");
	assert_int_equal(i.mac[5], 1);
	assert_int_equal(i.mtu, 1500);
	assert_int_equal(i.n_rxq, 1);
	assert_int_equal(i.n_txq, 1);
	assert_true(i.control_txq);
	assert_int_equal(fake_devs[1].n_txq, 2);
	assert_int_equal(i.n_rx_desc, 512);
	assert_int_equal(i.vmac_mode, PORT_VMAC_FILTER);
	assert_string_equal(i.vmac_reason, "");
	assert_string_equal(i.multicast_mode, "list");
	assert_string_equal(i.link_source, "poll");
	assert_true(i.link_up);
	assert_int_equal(i.link_speed_mbps, 10000);
	assert_int_equal(i.link_changes, 0);
	port_set_stop(s);
	for (unsigned int k = 0; k < 2; k++) {
		assert_true(fake_devs[k].closed);
		assert_false(fake_devs[k].started);
		assert_int_equal(fake_devs[k].n_macs, 0);
		assert_false(fake_devs[k].multicast);
	}
	port_set_stop(NULL);
}

static void
test_control_queue_refused_at_configure(void **state)
{
	struct port_config c = fake_config(0);
	struct port_set *s;
	struct port_info i;

	(void)state;
	fake_devs[0].want_pairs = true;
	s = start_one(&c);
	assert_non_null(s);
	port_set_info(s, 0, &i);
	assert_false(i.control_txq);
	assert_int_equal(fake_devs[0].n_txq, 1);
	port_set_stop(s);

	/* More workers than receive queues: the counts become equal. */
	fake_reset();
	fake_devs[0].want_pairs = true;
	fake_devs[0].max_rxq = 2;
	c.n_rxq = 4;
	c.n_workers = 4;
	s = start_one(&c);
	assert_non_null(s);
	port_set_info(s, 0, &i);
	assert_int_equal(i.n_rxq, 2);
	assert_int_equal(i.n_txq, 2);
	port_set_stop(s);
}

static void
test_control_queue_refused_at_setup(void **state)
{
	struct port_config c = fake_config(0);
	struct port_set *s;
	struct port_info i;

	(void)state;
	fake_devs[0].max_txq_setup = 1;
	s = start_one(&c);
	assert_non_null(s);
	port_set_info(s, 0, &i);
	assert_false(i.control_txq);
	assert_int_equal(i.n_txq, 1);
	port_set_stop(s);
}

static void
test_rss(void **state)
{
	struct port_config c = fake_config(0);
	struct port_set *s;

	(void)state;
	fake_devs[0].rss = RTE_ETH_RSS_IP;
	s = start_one(&c);
	assert_false(fake_devs[0].rss_on); /* one queue */
	port_set_stop(s);

	c.n_rxq = 2;
	c.n_workers = 2;
	s = start_one(&c);
	assert_non_null(s);
	assert_true(fake_devs[0].rss_on);
	port_set_stop(s);

	fake_devs[0].refuse_rss = true;
	s = start_one(&c);
	assert_non_null(s);
	assert_false(fake_devs[0].rss_on);
	assert_int_equal(fake_devs[0].n_rxq, 2);
	assert_int_equal(fake_devs[0].n_txq, 3);
	port_set_stop(s);
}

struct mtu_case {
	const char *name;
	uint16_t has, wanted, max_mtu;
	uint32_t max_rx_pktlen;
	int ret;
	const char *says; /* NULL: starts */
};

static const struct mtu_case mtu_cases[] = {
	{"set", 1500, 9000, 9000, 9018, 0, NULL},
	{"not set, is right", 1500, 1500, 9000, 9018, -ENOTSUP, NULL},
	{"not set, is larger", 1500, 1400, 9000, 9018, -ENOTSUP, NULL},
	{"not set, is smaller", 1500, 9000, 9000, 9018, -ENOTSUP,
		"net_fake0: MTU 9000: driver net_fake says \"Operation not supported\" (it has 1500, and allows 68 to 9000)"},
	{"refused", 1500, 1600, 9000, 9018, -EINVAL,
		"net_fake0: MTU 1600: driver net_fake says \"Invalid argument\" (it has 1500, and allows 68 to 9000)"},
	{"beyond its MTU", 1500, 9001, 9000, 9018, 0,
		"net_fake0: MTU 9001: driver net_fake allows 68 to 9000"},
	{"beyond its frames", 1500, 1501, UINT16_MAX, 1518, 0,
		"net_fake0: MTU 1501: driver net_fake allows 68 to 1500"},
	{"no limit", 1500, 9216, UINT16_MAX, UINT32_MAX, 0, NULL},
	{"overhead of its own", 1500, 9000, 9000, 9026, 0, NULL},
	{"too small", 1500, 60, 9000, 9018, 0,
		"net_fake0: MTU 60: driver net_fake allows 68 to 9000"},
	{"as it is", 1400, 0, 9000, 9018, -EIO, NULL},
};

static void
test_mtu(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mtu_cases) / sizeof(mtu_cases[0]); i++) {
		const struct mtu_case *c = &mtu_cases[i];
		struct port_config pc;
		struct port_info info;
		struct port_set *s;

		fake_reset();
		err[0] = '\0';
		fake_devs[0].mtu = c->has;
		fake_devs[0].max_mtu = c->max_mtu;
		fake_devs[0].max_rx_pktlen = c->max_rx_pktlen;
		fake_devs[0].mtu_ret = c->ret;
		pc = fake_config(0);
		pc.mtu = c->wanted;
		s = start_one(&pc);
		if ((s != NULL) != (c->says == NULL) ||
			(c->says != NULL && strcmp(err, c->says) != 0))
			fail_msg("%s: %s", c->name, err);
		assert_false(s == NULL && fake_devs[0].started);
		if (s != NULL) {
			port_set_info(s, 0, &info);
			assert_int_equal(info.mtu, c->wanted != 0 ? c->wanted : c->has);
		}
		port_set_stop(s);
	}
}

struct vlan_case {
	const char *name, *driver;
	uint16_t mtu, vlan_mtu, max_mtu, expect;
	int ret;
	const char *says; /* NULL: starts */
};

static const struct vlan_case vlan_cases[] = {
	{"room for the tag", "net_fake", 0, 1500, 9000, 1504, 0, NULL},
	{"an untagged one beside it", "net_fake", 1500, 1500, 9000, 1504, 0, NULL},
	{"an untagged one that is larger", "net_fake", 1504, 1500, 9000, 1504, 0, NULL},
	{"the largest", "net_fake", 0, 8996, 9000, 9000, 0, NULL},
	{"too large", "net_fake", 0, 8997, 9000, 0, 0,
		"net_fake0: MTU 9001 (4 of it for a VLAN tag): driver net_fake allows 68 to 9000"},
	{"no word on it", "net_fake", 0, 1500, 9000, 1504, -ENOTSUP, NULL},
	{"no word on it, is smaller", "net_fake", 0, 1501, 9000, 0, -ENOTSUP,
		"net_fake0: MTU 1505 (4 of it for a VLAN tag): driver net_fake says \"Operation not "
		"supported\" (it has 1500, and allows 68 to 9000)"},
	{"a tag beyond the MTU", "net_af_packet", 1500, 1500, 1500, 1500, 0, NULL},
	{"part of a tag beyond the MTU", "net_af_packet", 0, 1500, 1503, 1500, 0, NULL},
	{"no need of it", "net_af_packet", 0, 1500, 1504, 1504, 0, NULL},
	{"not more than that", "net_af_packet", 0, 1501, 1500, 0, 0,
		"net_fake0: MTU 1501: driver net_af_packet allows 68 to 1500"},
};

static void
test_vlan_mtu(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vlan_cases) / sizeof(vlan_cases[0]); i++) {
		const struct vlan_case *c = &vlan_cases[i];
		struct port_config pc;
		struct port_info info;
		struct port_set *s;

		fake_reset();
		err[0] = '\0';
		fake_devs[0].driver = c->driver;
		fake_devs[0].max_mtu = c->max_mtu;
		fake_devs[0].max_rx_pktlen = c->max_mtu + 18u;
		fake_devs[0].mtu_ret = c->ret;
		pc = fake_config(0);
		pc.mtu = c->mtu;
		pc.vlan_mtu = c->vlan_mtu;
		s = start_one(&pc);
		if ((s != NULL) != (c->says == NULL) ||
			(c->says != NULL && strcmp(err, c->says) != 0))
			fail_msg("%s: %s", c->name, err);
		if (s != NULL) {
			port_set_info(s, 0, &info);
			assert_int_equal(info.mtu, c->expect);
		}
		port_set_stop(s);
	}
}

/* Asked for where they are needed and can be had, each of them. */
static void
test_vlan_offloads(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		struct port_config pc;
		struct port_info info;
		struct port_set *s;
		bool strip = i & 1, insert = i & 2, tagged = i & 4;

		fake_reset();
		fake_devs[0].rx_offloads =
			RTE_ETH_RX_OFFLOAD_CHECKSUM | (strip ? RTE_ETH_RX_OFFLOAD_VLAN_STRIP : 0);
		fake_devs[0].tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS |
			(insert ? RTE_ETH_TX_OFFLOAD_VLAN_INSERT : 0);
		pc = fake_config(0);
		pc.vlan_mtu = tagged ? 1500 : 0;
		s = start_one(&pc);
		assert_non_null(s);
		port_set_info(s, 0, &info);
		assert_int_equal(info.vlan_strip, tagged && strip);
		assert_int_equal(info.vlan_insert, tagged && insert);
		assert_int_equal((fake_devs[0].rx_offloads_on & RTE_ETH_RX_OFFLOAD_VLAN_STRIP) != 0,
			tagged && strip);
		assert_int_equal(
			(fake_devs[0].tx_offloads_on & RTE_ETH_TX_OFFLOAD_VLAN_INSERT) != 0,
			tagged && insert);
		port_set_stop(s);
	}
}

/* A bond knows nothing of its members at first, and never forgives what they refuse. */
static void
test_bond(void **state)
{
	struct port_config c = fake_config(0);
	struct port_info i;
	struct port_set *s;

	(void)state;
	fake_devs[0].driver = "net_bonding";
	fake_devs[0].late = true;
	fake_devs[0].max_rxq = 1;
	fake_devs[0].max_txq = 1;
	c.n_rxq = 2;
	c.n_workers = 2;
	s = start_one(&c);
	if (s == NULL)
		fail_msg("%s", err);
	port_set_info(s, 0, &i);
	assert_int_equal(i.n_rxq, 1);
	assert_int_equal(i.n_txq, 1);
	assert_false(i.control_txq);
	assert_true(i.nudge);
	port_set_stop(s);
	fake_reset();
	c = fake_config(0);
	s = start_one(&c);
	assert_non_null(s);
	port_set_info(s, 0, &i);
	assert_false(i.nudge);
	port_set_stop(s);
}

static void
test_refusals(void **state)
{
	struct port_config c[] = {fake_config(0), fake_config(1)};

	(void)state;
	snprintf(c[0].device, sizeof(c[0].device), "net_tap7");
	assert_null(start_one(c));
	assert_string_equal(err, "net_tap7: no such device; there are: net_fake0, net_fake1");

	assert_null(port_set_start_ops(&fake_ops, c, 0, no_pools, err, sizeof(err)));
	assert_string_equal(err, "0 devices: 1 to 32 are possible");

	c[0] = c[1];
	assert_null(port_set_start_ops(&fake_ops, c, 2, no_pools, err, sizeof(err)));
	assert_string_equal(err, "net_fake1: named twice");
	assert_false(fake_devs[1].started);

	/* The second one fails: the first is stopped again, with nothing left in it. */
	c[0] = fake_config(0);
	fake_devs[0].dev_flags = RTE_ETH_DEV_INTR_LSC;
	fake_devs[1].start_ret = -EIO;
	assert_null(port_set_start_ops(&fake_ops, c, 2, no_pools, err, sizeof(err)));
	assert_string_equal(
		err, "net_fake1: start with 1 receive and 1 transmit queues: Input/output error");
	assert_true(fake_devs[0].configured);
	assert_false(fake_devs[0].started);
	assert_int_equal(fake_devs[0].n_macs, 0);
	assert_null(fake_devs[0].lsc_cb);

	fake_devs[0].max_rxq = 0;
	assert_null(start_one(c));
	assert_string_equal(err, "net_fake0: it cannot receive");
	fake_devs[0].max_rxq = 1;
	fake_devs[0].max_txq = 0;
	assert_null(start_one(c));
	assert_string_equal(err, "net_fake0: it cannot transmit");
	fake_devs[0].info_ret = -ENOTSUP;
	assert_null(start_one(c));
	assert_string_equal(err, "net_fake0: ask the driver: Operation not supported");
}

static void
test_queue_setup_refused(void **state)
{
	struct port_config c = fake_config(0);

	(void)state;
	c.n_workers = 3;
	fake_devs[0].max_txq_setup = 2;
	fake_devs[0].max_rxq = 16;
	c.n_rxq = 3;
	assert_null(start_one(&c));
	assert_string_equal(err, "net_fake0: set up transmit queue 2: Input/output error");
}

static void
test_stats(void **state)
{
	const struct port_config c[] = {fake_config(0), fake_config(1)};
	struct port_set *s = port_set_start_ops(&fake_ops, c, 2, no_pools, err, sizeof(err));
	struct port_stats st;

	(void)state;
	assert_non_null(s);
	assert_int_equal(port_set_stats(s, 0, &st), 0);
	assert_int_equal(st.rx_frames, 1);
	assert_int_equal(st.tx_frames, 2);
	assert_int_equal(st.rx_bytes, 3);
	assert_int_equal(st.tx_bytes, 4);
	assert_int_equal(st.rx_missed, 5);
	assert_int_equal(st.rx_errors, 6);
	assert_int_equal(st.tx_errors, 7);
	assert_int_equal(st.rx_nombuf, 8);
	assert_int_equal(port_set_stats(s, 1, &st), -EIO);
	assert_int_equal(port_set_stats(s, 2, &st), -EINVAL);
	port_set_stop(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queue_plan),
		cmocka_unit_test_setup(test_plain, reset),
		cmocka_unit_test_setup(test_control_queue_refused_at_configure, reset),
		cmocka_unit_test_setup(test_control_queue_refused_at_setup, reset),
		cmocka_unit_test_setup(test_rss, reset),
		cmocka_unit_test_setup(test_mtu, reset),
		cmocka_unit_test_setup(test_vlan_mtu, reset),
		cmocka_unit_test_setup(test_bond, reset),
		cmocka_unit_test_setup(test_vlan_offloads, reset),
		cmocka_unit_test_setup(test_refusals, reset),
		cmocka_unit_test_setup(test_queue_setup_refused, reset),
		cmocka_unit_test_setup(test_stats, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
