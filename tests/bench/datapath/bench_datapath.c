/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Workers on two devices that receive without end:
 *
 *   bench_datapath EAL... -- --rules FILE [--workers N] [--neighbours N]
 *
 * The devices are ports 0 and 1, usually net_pcap with infinite_rx=1, with a queue for each worker.
 * Frames received by port p are expected to be sent to the vMAC of vhid p + 1. FILE has a route of
 * either family per line as l3fwd reads it, "R10.0.0.0/24 1"; those of a port lie behind N routers
 * there. Who measures reads the devices' counters by telemetry and the CPU time of the process:
 * this program prints a JSON object when the workers run, and another, with what became of the
 * frames, after the end of its standard input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "base_bytes.h"
#include "dp.h"
#include "fib.h"
#include "fib_nbr.h"

#define N_PORTS	       2
#define WORKERS_MAX    2
#define N_MBUFS	       65535
#define MBUF_CACHE     256
#define N_DESC	       512
#define NEIGHBOURS_MAX 128
#define RULES_MAX      1024

struct options {
	const char *rules;
	unsigned int workers, neighbours;
};

struct worker {
	struct dp *dp;
	uint16_t number;
};

static int
worker_main(void *arg)
{
	const struct worker *w = arg;

	return dp_worker_run(w->dp, w->number);
}

static int
port_start(uint16_t port, uint16_t queues, struct rte_mempool *pool)
{
	static const struct rte_eth_conf conf;
	int ret = rte_eth_dev_configure(port, queues, queues, &conf);

	for (uint16_t q = 0; q < queues && ret == 0; q++) {
		ret = rte_eth_rx_queue_setup(port, q, N_DESC, rte_socket_id(), NULL, pool);
		if (ret == 0)
			ret = rte_eth_tx_queue_setup(port, q, N_DESC, rte_socket_id(), NULL);
	}
	return ret == 0 ? rte_eth_dev_start(port) : ret;
}

static void
no_action(void *arg, const struct fib_nbr_action *a)
{
	(void)arg;
	(void)a;
}

static uint32_t
router4(uint16_t port, uint32_t i)
{
	return UINT32_C(0xac100001) + ((uint32_t)port << 8) + i;
}

static void
router6(uint16_t port, uint32_t i, uint8_t ip[16])
{
	memcpy(ip, (const uint8_t[16]){0xfe, 0x80, [14] = (uint8_t)port, [15] = (uint8_t)i}, 16);
}

/* A line "R<address>/<length> <port>"; number i of its file. */
static bool
route_parse(char *line, uint32_t i, const struct options *opt, struct fib_route *r)
{
	char *address = line + 1, *slash = strchr(line, '/'), *end;
	unsigned long plen, port;
	uint8_t ip[16];

	if (line[0] != 'R' || slash == NULL)
		return false;
	*slash = '\0';
	plen = strtoul(slash + 1, &end, 10);
	port = strtoul(end, &end, 10);
	if (*end != '\n' || port >= N_PORTS || plen > 128)
		return false;
	*r = (struct fib_route){.nh = {.type = FIB_NH_GATEWAY,
					.if_index = (uint16_t)port,
					.group = FIB_GROUP_NONE}};
	i = i / N_PORTS % opt->neighbours;
	if (inet_pton(AF_INET, address, ip) == 1) {
		r->prefix.addr = base_addr_from_ip4(base_load_be32(ip));
		r->nh.gateway = router4((uint16_t)port, i);
	} else if (inet_pton(AF_INET6, address, ip) == 1) {
		r->prefix.addr = base_addr_from_ip6(ip);
		router6((uint16_t)port, i, r->nh.gateway6);
	} else {
		return false;
	}
	r->prefix.plen = (uint8_t)plen;
	return true;
}

static struct fib *
routes_build(const struct options *opt)
{
	static struct fib_route routes[RULES_MAX];
	FILE *f = fopen(opt->rules, "r");
	char line[128], err[128] = "no route";
	struct fib *fib = NULL;
	uint32_t n = 0;

	if (f == NULL) {
		fprintf(stderr, "bench_datapath: %s: %s\n", opt->rules, strerror(errno));
		return NULL;
	}
	while (n < RULES_MAX && fgets(line, sizeof(line), f) != NULL) {
		if (!route_parse(line, n, opt, &routes[n])) {
			snprintf(err, sizeof(err), "line %" PRIu32 " is no route to port 0 or 1",
				n + 1);
			n = 0;
			break;
		}
		n++;
	}
	fclose(f);
	if (n > 0)
		fib = fib_build(routes, n, NULL, SOCKET_ID_ANY, err, sizeof(err));
	if (fib == NULL)
		fprintf(stderr, "bench_datapath: %s: %s\n", opt->rules, err);
	return fib;
}

static struct dp *
dp_build(uint16_t n_workers, struct rte_mempool *pool)
{
	static struct dp_queue queues[WORKERS_MAX][N_PORTS];
	static const struct dp_if_config ifs[N_PORTS] = {
		{.port_id = 0, .mac = {2, 0, 0, 0, 0, 1}, .mtu = 1500},
		{.port_id = 1, .mac = {2, 0, 0, 0, 0, 2}, .mtu = 1500},
	};
	static const struct dp_group_config groups[N_PORTS] = {
		{.if_index = 0, .vhid = 1},
		{.if_index = 1, .vhid = 2},
	};
	const struct dp_port_config ports[N_PORTS] = {
		{0, n_workers, false, false, false}, {1, n_workers, false, false, false}};
	struct dp_worker_config workers[WORKERS_MAX];
	const struct dp_config config = {
		.n_workers = n_workers,
		.n_ports = N_PORTS,
		.n_ifs = N_PORTS,
		.n_groups = N_PORTS,
		.workers = workers,
		.ports = ports,
		.ifs = ifs,
		.groups = groups,
		.pool = pool,
		.idle = DP_IDLE_POLL,
	};

	for (uint16_t w = 0; w < n_workers; w++) {
		for (uint16_t p = 0; p < N_PORTS; p++)
			queues[w][p] = (struct dp_queue){p, w, N_DESC};
		workers[w] = (struct dp_worker_config){N_PORTS, queues[w], (int)rte_socket_id()};
	}
	return dp_create(&config);
}

static struct fib_nbr_table *
neighbours_build(struct dp *dp, unsigned int n)
{
	struct fib_nbr_table *nbr =
		fib_nbr_create("bench", 1024, N_PORTS, dp_qsbr(dp), SOCKET_ID_ANY);

	for (uint16_t p = 0; p < N_PORTS && nbr != NULL; p++) {
		for (uint32_t i = 0; i < n; i++) {
			const uint8_t mac[6] = {2, 0, 0, 1, (uint8_t)p, (uint8_t)i};
			const struct base_addr four = base_addr_from_ip4(router4(p, i));
			struct base_addr six = {.family = BASE_FAMILY_IP6};

			router6(p, i, six.bytes);
			fib_nbr_set(nbr, p, &four, mac, dp_clock(), no_action, NULL);
			fib_nbr_set(nbr, p, &six, mac, dp_clock(), no_action, NULL);
		}
	}
	return nbr;
}

/* To the end of the input; then what became of the frames. */
static void
serve(struct dp *dp, unsigned int n_workers)
{
	struct worker workers[WORKERS_MAX];
	unsigned int lcore = UINT_MAX;
	uint64_t drops = 0;
	struct dp_stats s;

	for (uint16_t w = 0; w < n_workers; w++) {
		lcore = rte_get_next_lcore(lcore, 1, 0);
		workers[w] = (struct worker){dp, w};
		rte_eal_remote_launch(worker_main, &workers[w], lcore);
	}
	printf("{\"tsc_hz\": %" PRIu64 "}\n", rte_get_tsc_hz());
	fflush(stdout);
	while (getchar() != EOF)
		;
	dp_stop(dp);
	rte_eal_mp_wait_lcore();
	dp_stats_sum(dp, &s);
	for (unsigned int d = 0; d < DP_DROP_COUNT; d++)
		drops += s.drops[d];
	printf("{\"received\": %" PRIu64 ", \"forwarded\": %" PRIu64 ", \"drops\": %" PRIu64 "}\n",
		s.rx_frames, s.forwarded, drops);
}

static int
run(const struct options *opt)
{
	uint16_t n_workers = (uint16_t)opt->workers;
	struct fib *fib = routes_build(opt);
	struct fib_nbr_table *nbr;
	struct rte_mempool *pool;
	struct dp *dp;

	pool = rte_pktmbuf_pool_create("bench", N_MBUFS, MBUF_CACHE, dp_meta_size(),
		RTE_MBUF_DEFAULT_BUF_SIZE, (int)rte_socket_id());
	if (fib == NULL)
		return 1;
	if (pool == NULL || rte_lcore_count() <= n_workers ||
		rte_eth_dev_count_avail() != N_PORTS) {
		fprintf(stderr,
			"bench_datapath: needs memory, two devices and an lcore per worker beside the "
			"main one\n");
		return 1;
	}
	for (uint16_t p = 0; p < N_PORTS; p++) {
		int ret = port_start(p, n_workers, pool);

		if (ret != 0) {
			fprintf(stderr, "bench_datapath: port %u: %s\n", p, strerror(-ret));
			return 1;
		}
	}
	dp = dp_build(n_workers, pool);
	nbr = dp != NULL ? neighbours_build(dp, opt->neighbours) : NULL;
	if (nbr == NULL) {
		fprintf(stderr, "bench_datapath: %s\n", strerror(errno));
		return 1;
	}
	dp_set_tables(dp, fib, nbr);
	dp_own(dp, 0, true);
	dp_own(dp, 1, true);
	serve(dp, n_workers);
	dp_destroy(dp);
	fib_nbr_destroy(nbr);
	fib_free(fib);
	return 0;
}

static int
number_parse(const char *text, unsigned int max, unsigned int *n)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || v < 1 || v > max)
		return -1;
	*n = (unsigned int)v;
	return 0;
}

static int
options_parse(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {
		{"rules", required_argument, NULL, 'r'},
		{"workers", required_argument, NULL, 'w'},
		{"neighbours", required_argument, NULL, 'n'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'r')
			opt->rules = optarg;
		else if (c == 'w' ? number_parse(optarg, WORKERS_MAX, &opt->workers) != 0
				  : c != 'n' ||
					number_parse(optarg, NEIGHBOURS_MAX, &opt->neighbours) != 0)
			return -1;
	}
	return optind == argc && opt->rules != NULL ? 0 : -1;
}

int
main(int argc, char **argv)
{
	struct options opt = {.workers = 1, .neighbours = 16};
	int n = rte_eal_init(argc, argv), ret;

	if (n < 0)
		return 2;
	if (options_parse(argc - n, argv + n, &opt) != 0) {
		fprintf(stderr,
			"usage: bench_datapath EAL... -- --rules FILE [--workers 1..2] "
			"[--neighbours 1..128]\n");
		return 1;
	}
	ret = run(&opt);
	rte_eal_cleanup();
	return ret;
}
