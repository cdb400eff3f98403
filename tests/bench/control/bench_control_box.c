/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "bench_control_box.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "port.h"

#define PASS   "lanpasswd"
#define ROUTER (UINT32_C(10) << 24 | 1 << 16 | 0xff09) /* on the second interface */

struct bench bench = {.n_rxq = 1};

/* What ctl asks of the devices: all have link, nothing happens. */
uint16_t
port_set_count(const struct port_set *s)
{
	(void)s;
	return bench.n_ifs;
}

int
port_set_info(const struct port_set *s, uint16_t i, struct port_info *out)
{
	(void)s;
	*out = (struct port_info){.port_id = bench.port[i], .link_up = true};
	return 0;
}

bool
port_set_event(struct port_set *s, struct port_event *out)
{
	(void)s;
	(void)out;
	return false;
}

void
port_set_detached(struct port_set *s, uint16_t port_id)
{
	(void)s;
	(void)port_id;
}

static uint32_t
vip_of(uint16_t if_index, uint8_t vhid)
{
	return UINT32_C(10) << 24 | (uint32_t)if_index << 16 | vhid;
}

uint32_t
source_of(uint16_t if_index)
{
	return UINT32_C(10) << 24 | (uint32_t)if_index << 16 | 0xff02;
}

static void
conf_build(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct conf_issues issues;

	must(f != NULL, "out of memory");
	fprintf(f, "{\"node\":\"bench\",\"interfaces\":[");
	for (uint16_t i = 0; i < bench.n_ifs; i++)
		fprintf(f,
			"%s{\"name\":\"em%u\",\"device\":\"d%u\",\"addresses\":[\"10.%u.255.1/16\"]}",
			i ? "," : "", i, i, i);
	fprintf(f, "],\"carp\":{\"groups\":[");
	for (uint16_t g = 0; g < bench.n_groups; g++) {
		const struct peer *p = &bench.peers[g];

		fprintf(f,
			"%s{\"name\":\"carp%u\",\"carpdev\":\"em%u\",\"vhid\":%u,\"pass\":\"" PASS
			"\",\"fast\":true,\"advbase\":0,\"advskew\":%u,\"addresses\":[\"10.%u.0."
			"%u/16\"]}",
			g ? "," : "", g, p->if_index, p->vhid, p->silent ? 1 : 100, p->if_index,
			p->vhid);
	}
	fprintf(f, "]}}");
	fclose(f);
	bench.conf = conf_parse(text, len, "bench", 0, &issues);
	if (bench.conf == NULL)
		conf_issues_print(&issues, stderr);
	must(bench.conf != NULL, "configuration");
	conf_issues_free(&issues);
	free(text);
}

static void
port_build(uint16_t i)
{
	static const struct rte_eth_conf conf;
	char name[32];
	int id;

	for (unsigned int q = 0; q < 2; q++) {
		snprintf(name, sizeof(name), "tx%u_%u", i, q);
		bench.tx[i][q] = rte_ring_create(name, N_DESC, SOCKET_ID_ANY, 0);
		snprintf(name, sizeof(name), "rx%u_%u", i, q);
		bench.rx[i][q] =
			rte_ring_create(name, N_DESC, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		must(bench.tx[i][q] != NULL && bench.rx[i][q] != NULL, "rings");
	}
	snprintf(name, sizeof(name), "bench%u", i);
	id = rte_eth_from_rings(name, bench.rx[i], bench.n_rxq, bench.tx[i], 2, 0);
	must(id >= 0, "device");
	bench.port[i] = (uint16_t)id;
	must(rte_eth_dev_configure(bench.port[i], bench.n_rxq, 2, &conf) == 0, "device");
	for (uint16_t q = 0; q < bench.n_rxq; q++)
		must(rte_eth_rx_queue_setup(bench.port[i], q, N_DESC, 0, NULL, bench.pool) == 0,
			"device");
	must(rte_eth_tx_queue_setup(bench.port[i], 0, N_DESC, 0, NULL) == 0 &&
			rte_eth_tx_queue_setup(bench.port[i], 1, N_DESC, 0, NULL) == 0 &&
			rte_eth_dev_start(bench.port[i]) == 0,
		"device");
}

static void
dp_build(void)
{
	struct dp_queue queues[2 * IFS_MAX];
	struct dp_port_config ports[IFS_MAX];
	struct dp_if_config ifs[IFS_MAX];
	static struct dp_group_config groups[DP_GROUP_MAX];
	static uint32_t vips[DP_GROUP_MAX], own[IFS_MAX];
	const struct dp_worker_config worker = {
		(uint16_t)(bench.n_ifs * bench.n_rxq), queues, SOCKET_ID_ANY};
	const struct dp_config config = {
		.n_workers = 1,
		.n_ports = bench.n_ifs,
		.n_ifs = bench.n_ifs,
		.n_groups = bench.n_groups,
		.workers = &worker,
		.ports = ports,
		.ifs = ifs,
		.groups = groups,
		.pool = bench.pool,
	};

	for (uint16_t i = 0; i < bench.n_ifs; i++) {
		for (uint16_t q = 0; q < bench.n_rxq; q++)
			queues[i * bench.n_rxq + q] = (struct dp_queue){bench.port[i], q, N_DESC};
		ports[i] = (struct dp_port_config){
			.port_id = bench.port[i], .n_txq = 1, .control_txq = true};
		own[i] = source_of(i) - 1;
		ifs[i] = (struct dp_if_config){.port_id = bench.port[i],
			.mac = {2, 0, 0, 0, 0, (uint8_t)i},
			.mtu = 1500,
			.n_ip4 = 1,
			.ip4 = &own[i]};
	}
	for (uint16_t g = 0; g < bench.n_groups; g++) {
		vips[g] = vip_of(bench.peers[g].if_index, bench.peers[g].vhid);
		groups[g] = (struct dp_group_config){
			.if_index = bench.peers[g].if_index,
			.vhid = bench.peers[g].vhid,
			.n_ip4 = 1,
			.ip4 = &vips[g],
		};
	}
	bench.dp = dp_create(&config);
	must(bench.dp != NULL, "data plane");
}

static void
no_action(void *arg, const struct fib_nbr_action *a)
{
	(void)arg;
	(void)a;
}

/* Packets from the first network through a router of the second one. */
static void
data_build(void)
{
	static const struct fib_route route = {
		.prefix = {{BASE_FAMILY_IP4, {203, 0, 113}}, 24},
		.nh = {.type = FIB_NH_GATEWAY,
			.if_index = 1,
			.group = FIB_GROUP_NONE,
			.gateway = ROUTER},
	};
	static const struct wire_eth eth = {.dst = {2}, .src = {2, 9}, .type = WIRE_ETHERTYPE_IP4};
	static const struct wire_ip4 ip = {
		.header_len = WIRE_IP4_LEN,
		.total_len = DATA_LEN - WIRE_ETH_LEN,
		.ttl = 64,
		.proto = 17,
		.src = UINT32_C(10) << 24 | 0x4209,
		.dst = UINT32_C(203) << 24 | 113 << 8 | 9,
	};
	static const uint8_t mac[BASE_MAC_LEN] = {2, 7};
	const struct base_addr router = base_addr_from_ip4(ROUTER);
	char err[128] = "";

	wire_eth_encode(&eth, bench.data);
	wire_ip4_encode(&ip, bench.data + WIRE_ETH_LEN);
	bench.fib = fib_build(&route, 1, NULL, SOCKET_ID_ANY, err, sizeof(err));
	must(bench.fib != NULL, err);
	must(fib_nbr_set(bench.nbr, 1, &router, mac, dp_clock(), no_action, NULL) == 0,
		"neighbour");
}

void
bench_build(uint16_t n_ifs, uint16_t n_groups)
{
	uint8_t key[AUTH_KEY_LEN], macs[IFS_MAX][BASE_MAC_LEN];
	struct ctl_config config = {.if_port = bench.port, .if_mac = macs, .seed = 1};

	bench.n_ifs = n_ifs;
	bench.n_groups = n_groups;
	base_rand_init(&bench.rand, 20260101);
	must(auth_key_from_pass(PASS, key) == 0, "key");
	for (uint16_t g = 0; g < n_groups; g++) {
		struct peer *p = &bench.peers[g];
		struct base_addr vip;

		p->group = g;
		p->if_index = g % n_ifs;
		p->vhid = (uint8_t)(1 + g / n_ifs);
		vip = base_addr_from_ip4(vip_of(p->if_index, p->vhid));
		p->auth = auth_group_create(key, p->vhid, &vip, 1);
		p->counter = base_rand_next(&bench.rand);
		must(p->auth != NULL, "group");
	}
	bench.pool = rte_pktmbuf_pool_create(
		"bench", 32767, 0, dp_meta_size(), 512 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	must(bench.pool != NULL, "mempool");
	conf_build();
	for (uint16_t i = 0; i < n_ifs; i++) {
		port_build(i);
		memcpy(macs[i], (const uint8_t[]){2, 0, 0, 0, 0, (uint8_t)i}, BASE_MAC_LEN);
	}
	dp_build();
	bench.nbr = fib_nbr_create("bench", 64, n_ifs, dp_qsbr(bench.dp), SOCKET_ID_ANY);
	must(bench.nbr != NULL, "neighbour table");
	data_build();
	dp_set_tables(bench.dp, bench.fib, bench.nbr);
	config.conf = bench.conf;
	config.dp = bench.dp;
	config.nbr = bench.nbr;
	bench.ctl = ctl_create(&config);
	must(bench.ctl != NULL, "control plane");
}
