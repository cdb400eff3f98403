/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "dp_rig.h"

#include <stdio.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "base_bytes.h"

#define N_QUEUES   3 /* two workers and control */
#define RING_SLOTS 512
#define N_MBUFS	   8191

const uint8_t lan_mac[6] = {0x02, 0, 0, 0, 0x01, 0x02};
const uint8_t wan_mac[6] = {0x02, 0, 0, 0, 0x02, 0x02};
const uint8_t client_mac[6] = {0x02, 0, 0, 0, 0x01, 0x64};
const uint8_t router_mac[6] = {0x02, 0, 0, 0, 0x02, 0xfe};
const uint8_t lan_router_mac[6] = {0x02, 0, 0, 0, 0x01, 0xfe};
const uint8_t other_mac[6] = {0x02, 0, 0, 0, 0x09, 0x09};
const uint8_t vmac1[6] = {0, 0, 0x5e, 0, 1, 1};
const uint8_t vmac7[6] = {0, 0, 0x5e, 0, 1, 7};
const uint8_t vmac9[6] = {0, 0, 0x5e, 0, 1, 9};

uint64_t rig_seen[DP_DROP_COUNT];

static struct {
	struct rte_mempool *pool;
	struct fib *fib;
	uint16_t port_id[RIG_PORTS];
	struct rte_ring *rx[RIG_PORTS][N_QUEUES], *tx[RIG_PORTS][N_QUEUES];
	struct rig rig;
} g;

static int
port_make(int port)
{
	static const struct rte_eth_conf conf;
	char name[32];
	int id;

	for (unsigned int q = 0; q < N_QUEUES; q++) {
		snprintf(name, sizeof(name), "rx%d_%u", port, q);
		g.rx[port][q] = rte_ring_create(name, RING_SLOTS, SOCKET_ID_ANY, 0);
		snprintf(name, sizeof(name), "tx%d_%u", port, q);
		g.tx[port][q] = rte_ring_create(name, RING_SLOTS, SOCKET_ID_ANY, 0);
		if (g.rx[port][q] == NULL || g.tx[port][q] == NULL)
			return -1;
	}
	snprintf(name, sizeof(name), "rig%d", port);
	id = rte_eth_from_rings(name, g.rx[port], N_QUEUES, g.tx[port], N_QUEUES, 0);
	if (id < 0)
		return -1;
	g.port_id[port] = (uint16_t)id;
	if (rte_eth_dev_configure(g.port_id[port], N_QUEUES, N_QUEUES, &conf) != 0)
		return -1;
	for (uint16_t q = 0; q < N_QUEUES; q++)
		if (rte_eth_rx_queue_setup(g.port_id[port], q, 256, 0, NULL, g.pool) != 0 ||
			rte_eth_tx_queue_setup(g.port_id[port], q, 256, 0, NULL) != 0)
			return -1;
	return rte_eth_dev_start(g.port_id[port]);
}

int
rig_group_setup(void **state)
{
	static char args[][16] = {"test", "--no-huge", "--no-pci", "-m", "128", "--no-shconf",
		"--no-telemetry", "-l", "0", "--log-level=3"};
	char *argv[RTE_DIM(args)], err[128] = "";

	(void)state;
	for (unsigned int i = 0; i < RTE_DIM(args); i++)
		argv[i] = args[i];
	if (rte_eal_init(RTE_DIM(args), argv) < 0)
		return -1;
	g.pool = rte_pktmbuf_pool_create("rig", N_MBUFS, 0, dp_meta_size(), 2176, SOCKET_ID_ANY);
	g.fib = fib_build(rig_routes, rig_route_count, NULL, SOCKET_ID_ANY, err, sizeof(err));
	if (g.pool == NULL || g.fib == NULL) {
		print_error("%s\n", err);
		return -1;
	}
	for (int p = 0; p < RIG_PORTS; p++)
		if (port_make(p) != 0)
			return -1;
	return 0;
}

int
rig_group_teardown(void **state)
{
	(void)state;
	for (int p = 0; p < RIG_PORTS; p++) {
		rte_eth_dev_stop(g.port_id[p]);
		rte_eth_dev_close(g.port_id[p]);
		for (unsigned int q = 0; q < N_QUEUES; q++) {
			rte_ring_free(g.rx[p][q]);
			rte_ring_free(g.tx[p][q]);
		}
	}
	fib_free(g.fib);
	rte_mempool_free(g.pool);
	return rte_eal_cleanup();
}

void
rig_learn(struct rig *r, uint16_t if_index, uint32_t ip, const uint8_t mac[6])
{
	const struct base_addr addr = base_addr_from_ip4(ip);

	fib_nbr_set(r->nbr, if_index, &addr, mac, r->now, NULL, NULL);
}

void
rig_learn6(struct rig *r, uint16_t if_index, const uint8_t ip[16], const uint8_t mac[6])
{
	const struct base_addr addr = base_addr_from_ip6(ip);

	fib_nbr_set(r->nbr, if_index, &addr, mac, r->now, NULL, NULL);
}

void
rig_roster(const struct rig *r, struct rig_roster *out)
{
	const uint32_t own4[2] = {LAN_OWN, WAN_OWN};

	memset(out, 0, sizeof(*out));
	for (int i = LAN; i <= WAN; i++) {
		/* without addresses: none but the link-local one */
		memcpy(out->own6[i][0], i == LAN ? lan_own6 : wan_own6, 16);
		memcpy(out->own6[i][1], own_ll6, 16);
		out->own4[i] = own4[i];
		out->ifs[i] = (struct dp_if_config){
			.n_ip4 = !r->opt.no_addresses,
			.ip4 = &out->own4[i],
			.n_ip6 = r->opt.no_addresses ? 1 : 2,
			.ip6 = (const uint8_t(*)[16])out->own6[i] + r->opt.no_addresses,
			.rp_filter = r->opt.rp_filter,
			.source_vmac = r->opt.source_vmac,
		};
	}
	for (int i = 0; i < RIG_SLOTS; i++)
		out->groups[i] = (struct dp_group_config){
			.ip4 = out->vip4[i], .ip6 = (const uint8_t(*)[16])out->vip6[i]};
	out->vip4[LAN_VHID1][0] = LAN_VIP;
	out->vip4[LAN_VHID7][0] = LAN_VIP7;
	out->vip4[LAN_VHID7][1] = LAN_VIP;
	out->vip4[WAN_VHID1][0] = WAN_VIP;
	memcpy(out->vip6[LAN_VHID1][0], lan_vip6, 16);
	memcpy(out->vip6[LAN_VHID1][1], vip_ll6, 16);
	memcpy(out->vip6[LAN_VHID7][0], lan_vip7_6, 16);
	memcpy(out->vip6[WAN_VHID1][0], vip_ll6, 16);
	memcpy(out->vip6[WAN_VHID1][1], wan_vip6, 16);
	out->groups[LAN_VHID1].vhid = 1;
	out->groups[LAN_VHID1].n_ip4 = 1;
	out->groups[LAN_VHID1].n_ip6 = 2;
	out->groups[LAN_VHID7].vhid = 7;
	out->groups[LAN_VHID7].n_ip4 = r->opt.shared_vip ? 2 : 1;
	out->groups[LAN_VHID7].n_ip6 = 1;
	out->groups[WAN_VHID1].vhid = 1;
	out->groups[WAN_VHID1].n_ip4 = 1;
	out->groups[WAN_VHID1].n_ip6 = 2;
	out->groups[WAN_VHID1].if_index = WAN;
	out->groups[WAN_VHID9].vhid = 9;
	out->groups[WAN_VHID9].if_index = WAN;
}

static void
rig_open(struct rig *r)
{
	uint16_t n_txq = r->opt.n_txq ? r->opt.n_txq : r->opt.n_workers;
	struct dp_queue queues[DP_WORKER_MAX][RIG_PORTS];
	struct dp_worker_config workers[DP_WORKER_MAX];
	struct dp_port_config ports[RIG_PORTS];
	struct rig_roster addresses;
	struct dp_if_config *ifs = addresses.ifs;
	struct dp_config c = {
		.n_workers = r->opt.n_workers,
		.n_ports = RIG_PORTS,
		.n_ifs = 2,
		.n_groups = RIG_SLOTS,
		.workers = workers,
		.ports = ports,
		.ifs = ifs,
		.groups = addresses.groups,
		.pool = g.pool,
		.icmp_errors_per_s = r->opt.icmp_per_s,
		.flow_seed = r->opt.flow_seed,
	};

	rig_roster(r, &addresses);
	ifs[LAN].mtu = 1500;
	ifs[WAN].mtu = 1400;
	for (int i = LAN; i <= WAN; i++) {
		ifs[i].port_id = g.port_id[r->opt.one_port ? LAN : i];
		ifs[i].vlan = r->opt.vlan[i];
	}
	ifs[WAN].mtu = r->opt.wan_mtu ? r->opt.wan_mtu : ifs[WAN].mtu;
	memcpy(ifs[LAN].mac, lan_mac, 6);
	memcpy(ifs[WAN].mac, wan_mac, 6);
	ifs[LAN].host = ifs[WAN].host = r->opt.host;
	for (uint16_t p = 0; p < RIG_PORTS; p++)
		ports[p] = (struct dp_port_config){
			g.port_id[p], n_txq, r->opt.control_txq, r->opt.vlan_insert, r->opt.nudge};
	for (uint16_t w = 0; w < c.n_workers; w++) {
		for (uint16_t p = 0; p < RIG_PORTS; p++)
			queues[w][p] = (struct dp_queue){
				g.port_id[p], w, r->opt.n_desc ? r->opt.n_desc : 256};
		workers[w] = (struct dp_worker_config){RIG_PORTS, queues[w], SOCKET_ID_ANY};
	}
	r->dp = dp_create(&c);
	assert_non_null(r->dp);
	/* Addresses were copied. */
	memset(&addresses, 0xff, sizeof(addresses));
	r->nbr = fib_nbr_create("rig", 64, 2, dp_qsbr(r->dp), SOCKET_ID_ANY);
	assert_non_null(r->nbr);
	dp_set_tables(r->dp, r->fib, r->nbr);
	rig_learn(r, LAN, CLIENT, client_mac);
	rig_learn(r, LAN, LAN_ROUTER, lan_router_mac);
	rig_learn(r, WAN, ROUTER, router_mac);
	rig_learn6(r, LAN, client6, client_mac);
	rig_learn6(r, LAN, client_ll6, client_mac);
	rig_learn6(r, WAN, client_ll6, client_mac);
	rig_learn6(r, WAN, router6, router_mac);
}

static void
rig_close(struct rig *r)
{
	struct dp_stats s;
	void *m;

	dp_stats_sum(r->dp, &s);
	for (unsigned int d = 0; d < DP_DROP_COUNT; d++)
		rig_seen[d] += s.drops[d];
	dp_destroy(r->dp);
	fib_nbr_destroy(r->nbr);
	rte_pktmbuf_free(r->kept);
	r->kept = NULL;
	for (int p = 0; p < RIG_PORTS; p++) {
		for (unsigned int q = 0; q < N_QUEUES; q++) {
			while (rte_ring_dequeue(g.rx[p][q], &m) == 0)
				rte_pktmbuf_free(m);
			while (rte_ring_dequeue(g.tx[p][q], &m) == 0)
				rte_pktmbuf_free(m);
		}
	}
}

int
rig_setup(void **state)
{
	struct rig *r = &g.rig;

	memset(r, 0, sizeof(*r));
	r->opt.n_workers = 1;
	r->now = BASE_NS_PER_S;
	r->pool = g.pool;
	r->fib = g.fib;
	memcpy(r->port_id, g.port_id, sizeof(r->port_id));
	rig_open(r);
	*state = r;
	return 0;
}

int
rig_teardown(void **state)
{
	struct rig *r = *state;

	rig_close(r);
	if (rte_mempool_avail_count(g.pool) != N_MBUFS) {
		print_error("%u mbufs leaked\n", N_MBUFS - rte_mempool_avail_count(g.pool));
		return -1;
	}
	return 0;
}

void
rig_configure(struct rig *r, const struct rig_options *opt)
{
	rig_close(r);
	r->opt = *opt;
	if (r->opt.n_workers == 0)
		r->opt.n_workers = 1;
	rig_open(r);
}

static struct rte_mbuf *
mbuf_of(struct rig *r, const struct frame *f, uint32_t first, uint32_t seg)
{
	struct rte_mbuf *head = NULL;
	uint32_t at = 0;

	do {
		uint32_t n = RTE_MIN(head == NULL ? first : seg, f->len - at);
		struct rte_mbuf *m = rte_pktmbuf_alloc(r->pool);

		assert_non_null(m);
		memset(rte_mbuf_to_priv(m), 0xa5, dp_meta_size());
		memcpy(rte_pktmbuf_append(m, (uint16_t)n), f->b + at, n);
		at += n;
		if (head == NULL)
			head = m;
		else
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
	} while (at < f->len);
	return head;
}

struct rte_mbuf *
rig_rx_queue(struct rig *r, int port, uint16_t queue, const struct frame *f)
{
	struct rte_mbuf *m = mbuf_of(r, f, 2048, 2048);

	m->port = g.port_id[port];
	assert_int_equal(rte_ring_enqueue(g.rx[port][queue], m), 0);
	return m;
}

struct rte_mbuf *
rig_rx(struct rig *r, int port, const struct frame *f)
{
	return rig_rx_queue(r, port, 0, f);
}

void
rig_rx_segments(struct rig *r, int port, const struct frame *f, uint16_t first, uint16_t seg)
{
	assert_int_equal(rte_ring_enqueue(g.rx[port][0], mbuf_of(r, f, first, seg)), 0);
}

uint32_t
rig_turn(struct rig *r)
{
	uint32_t n = 0;

	r->now += BASE_NS_PER_US;
	for (uint16_t w = 0; w < r->opt.n_workers; w++)
		n += dp_worker_turn(r->dp, w, r->now);
	return n;
}

void
rig_take(struct rig *r, int port, const struct frame *f)
{
	rig_rx(r, port, f);
	assert_int_equal(rig_turn(r), 1);
}

struct rte_mbuf *
rig_tx_queue(struct rig *r, int port, uint16_t queue)
{
	void *m = NULL;

	rte_pktmbuf_free(r->kept);
	r->kept = NULL;
	if (rte_ring_dequeue(g.tx[port][queue], &m) != 0)
		return NULL;
	r->kept = m;
	return m;
}

struct rte_mbuf *
rig_tx(struct rig *r, int port)
{
	struct rte_mbuf *m = NULL;

	for (uint16_t q = 0; q < N_QUEUES && m == NULL; q++)
		m = rig_tx_queue(r, port, q);
	return m;
}

uint32_t
rig_tx_count(struct rig *r, int port)
{
	uint32_t n = 0;

	while (rig_tx(r, port) != NULL)
		n++;
	return n;
}

struct frame
frame_of(const struct rte_mbuf *m)
{
	struct frame f = {.len = m->pkt_len};
	const void *p;

	assert_true(f.len <= sizeof(f.b));
	rte_mbuf_sanity_check(m, 1);
	p = rte_pktmbuf_read(m, 0, f.len, f.b);
	assert_non_null(p);
	if (p != f.b)
		memcpy(f.b, p, f.len);
	return f;
}

struct dp_stats
rig_stats(const struct rig *r)
{
	struct dp_stats s;

	dp_stats_sum(r->dp, &s);
	return s;
}

uint64_t
rig_drops(const struct rig *r, enum dp_drop d)
{
	return rig_stats(r).drops[d];
}

uint64_t
rig_drops_all(const struct rig *r)
{
	struct dp_stats s = rig_stats(r);
	uint64_t n = 0;

	for (unsigned int d = 0; d < DP_DROP_COUNT; d++)
		n += s.drops[d];
	return n;
}

void
rig_master(struct rig *r, uint16_t group)
{
	dp_own(r->dp, group, true);
	dp_answer(r->dp, group, true);
}

void
rig_handing_over(struct rig *r, uint16_t group)
{
	dp_own(r->dp, group, true);
	dp_answer(r->dp, group, false);
}

void
rig_backup(struct rig *r, uint16_t group)
{
	dp_own(r->dp, group, false);
	dp_answer(r->dp, group, false);
}

void
rig_assert_silent(struct rig *r)
{
	for (int p = 0; p < RIG_PORTS; p++)
		assert_null(rig_tx(r, p));
}

void
rig_assert_one_drop(struct rig *r, enum dp_drop d)
{
	if (rig_drops(r, d) != 1 || rig_drops_all(r) != 1) {
		struct dp_stats s = rig_stats(r);

		for (unsigned int i = 0; i < DP_DROP_COUNT; i++)
			if (s.drops[i] != 0)
				print_error("%s: %ju\n", dp_drop_name(i), (uintmax_t)s.drops[i]);
		fail_msg("expected one drop: %s", dp_drop_name(d));
	}
}
