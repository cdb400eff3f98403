/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The worker loop on two devices that receive without end, one lcore, for some seconds:
 *
 *   bench_datapath EAL... -- [--seconds N] [--neighbours N] [--warmup N]
 *
 * The devices are ports 0 and 1, usually net_pcap with infinite_rx=1. Frames received by port p
 * are expected to be sent to the vMAC of vhid p + 1 and to destinations in 10.(1 - p).0.0/16, which
 * lie behind N routers on the other port. Prints one JSON object.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_pause.h>

#include "dp.h"
#include "fib.h"
#include "fib_nbr.h"

#define N_MBUFS	       16383
#define MBUF_CACHE     256
#define N_DESC	       512
#define NEIGHBOURS_MAX 128
#define WINDOW_MS      20

struct options {
	unsigned int seconds, warmup_ms, neighbours;
};

static _Atomic bool worker_started;
static clockid_t worker_clock;

static int
worker_main(void *arg)
{
	pthread_getcpuclockid(pthread_self(), &worker_clock);
	worker_started = true;
	return dp_worker_run(arg, 0);
}

/* CPU time that the worker had: on a machine that others use too, wall time says little. */
static uint64_t
worker_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(worker_clock, &ts);
	return (uint64_t)ts.tv_sec * BASE_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static int
port_start(uint16_t port, struct rte_mempool *pool)
{
	static const struct rte_eth_conf conf;
	int ret = rte_eth_dev_configure(port, 1, 1, &conf);

	if (ret == 0)
		ret = rte_eth_rx_queue_setup(port, 0, N_DESC, rte_socket_id(), NULL, pool);
	if (ret == 0)
		ret = rte_eth_tx_queue_setup(port, 0, N_DESC, rte_socket_id(), NULL);
	return ret == 0 ? rte_eth_dev_start(port) : ret;
}

static void
no_action(void *arg, const struct fib_nbr_action *a)
{
	(void)arg;
	(void)a;
}

/* 10.p.0.0/16 in as many parts as there are routers, 172.16.p.(1 + i), on port p. */
static struct fib *
routes_build(unsigned int neighbours)
{
	struct fib_route routes[2 * 256];
	uint32_t n = 0;
	char err[128];
	struct fib *f;

	for (uint32_t p = 0; p < 2; p++) {
		for (uint32_t i = 0; i < 256; i++) {
			routes[n++] = (struct fib_route){
				.prefix = {base_addr_from_ip4(
						   UINT32_C(10) << 24 | p << 16 | i << 8),
					24},
				.nh = {.type = FIB_NH_GATEWAY,
					.if_index = (uint16_t)p,
					.group = FIB_GROUP_NONE,
					.gateway =
						UINT32_C(0xac100001) + (p << 8) + i % neighbours},
			};
		}
	}
	f = fib_build("bench", routes, n, SOCKET_ID_ANY, err, sizeof(err));
	if (f == NULL)
		fprintf(stderr, "bench_datapath: %s\n", err);
	return f;
}

static struct dp *
dp_build(struct rte_mempool *pool)
{
	static const struct dp_queue queues[2] = {{0, 0, N_DESC}, {1, 0, N_DESC}};
	const struct dp_worker_config worker = {2, queues, (int)rte_socket_id()};
	static const struct dp_port_config ports[2] = {{0, 1, false}, {1, 1, false}};
	static const struct dp_if_config ifs[2] = {
		{.port_id = 0, .mac = {2, 0, 0, 0, 0, 1}, .mtu = 1500},
		{.port_id = 1, .mac = {2, 0, 0, 0, 0, 2}, .mtu = 1500},
	};
	static const struct dp_group_config groups[2] = {
		{.if_index = 0, .vhid = 1},
		{.if_index = 1, .vhid = 2},
	};
	const struct dp_config config = {
		.n_workers = 1,
		.n_ports = 2,
		.n_ifs = 2,
		.n_groups = 2,
		.workers = &worker,
		.ports = ports,
		.ifs = ifs,
		.groups = groups,
		.pool = pool,
		.idle = DP_IDLE_POLL,
	};

	return dp_create(&config);
}

static int
compare_doubles(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * Windows of 20 ms each, by CPU time of the worker. The median is the figure; the tenth percentile
 * is what the machine gives when nobody else is in its caches.
 */
static void
measure(struct dp *dp, const struct options *opt)
{
	static double cycles[3600 * 1000 / WINDOW_MS];
	unsigned int windows = opt->seconds * 1000 / WINDOW_MS, n = 0;
	uint64_t frames = 0, cpu_ns = 0, drops = 0;
	struct dp_stats before, after;
	base_ns_t t0;

	while (!worker_started)
		rte_pause();
	usleep(opt->warmup_ms * 1000);
	t0 = dp_clock();
	for (unsigned int w = 0; w < windows; w++) {
		uint64_t cpu0, cpu1;

		dp_stats_sum(dp, &before);
		cpu0 = worker_cpu_ns();
		usleep(WINDOW_MS * 1000);
		dp_stats_sum(dp, &after);
		cpu1 = worker_cpu_ns();
		frames += after.rx_frames - before.rx_frames;
		cpu_ns += cpu1 - cpu0;
		if (after.rx_frames != before.rx_frames)
			cycles[n++] = (double)(cpu1 - cpu0) * (double)rte_get_tsc_hz() / 1e9 /
				(double)(after.rx_frames - before.rx_frames);
	}
	for (unsigned int d = 0; d < DP_DROP_COUNT; d++)
		drops += after.drops[d];
	qsort(cycles, n, sizeof(cycles[0]), compare_doubles);
	printf("{\"seconds\": %.3f, \"cpu_seconds\": %.3f, \"frames\": %" PRIu64
	       ", \"received\": %" PRIu64 ", \"forwarded\": %" PRIu64 ", \"drops\": %" PRIu64
	       ", \"tsc_hz\": %" PRIu64 ", \"cycles\": %.1f, \"cycles_quiet\": %.1f}\n",
		(double)(dp_clock() - t0) / 1e9, (double)cpu_ns / 1e9, frames, after.rx_frames,
		after.forwarded, drops, rte_get_tsc_hz(), n ? cycles[n / 2] : 0.0,
		n ? cycles[n / 10] : 0.0);
}

static int
run(const struct options *opt)
{
	unsigned int lcore = rte_get_next_lcore(UINT_MAX, 1, 0);
	struct fib *fib = routes_build(opt->neighbours);
	struct fib_nbr_table *nbr;
	struct rte_mempool *pool;
	struct dp *dp;

	pool = rte_pktmbuf_pool_create("bench", N_MBUFS, MBUF_CACHE, dp_meta_size(),
		RTE_MBUF_DEFAULT_BUF_SIZE, (int)rte_socket_id());
	if (pool == NULL || fib == NULL || lcore >= RTE_MAX_LCORE ||
		rte_eth_dev_count_avail() != 2) {
		fprintf(stderr, "bench_datapath: needs memory, two devices and two lcores\n");
		return 1;
	}
	for (uint16_t p = 0; p < 2; p++) {
		int ret = port_start(p, pool);

		if (ret != 0) {
			fprintf(stderr, "bench_datapath: port %u: %s\n", p, strerror(-ret));
			return 1;
		}
	}
	dp = dp_build(pool);
	nbr = dp != NULL ? fib_nbr_create("bench", 1024, 2, dp_qsbr(dp), SOCKET_ID_ANY) : NULL;
	if (nbr == NULL) {
		fprintf(stderr, "bench_datapath: %s\n", strerror(errno));
		return 1;
	}
	for (uint16_t p = 0; p < 2; p++)
		for (uint32_t i = 0; i < opt->neighbours; i++)
			fib_nbr_learn(nbr, p, UINT32_C(0xac100001) + (uint32_t)(p << 8) + i,
				(const uint8_t[6]){2, 0, 0, 1, (uint8_t)p, (uint8_t)i}, true,
				dp_clock(), no_action, NULL);
	dp_set_tables(dp, fib, nbr);
	dp_own(dp, 0, true);
	dp_own(dp, 1, true);
	rte_eal_remote_launch(worker_main, dp, lcore);
	measure(dp, opt);
	dp_stop(dp);
	rte_eal_wait_lcore(lcore);
	dp_destroy(dp);
	fib_nbr_destroy(nbr);
	fib_free(fib);
	return 0;
}

static int
options_parse(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {
		{"seconds", required_argument, NULL, 's'},
		{"warmup", required_argument, NULL, 'w'},
		{"neighbours", required_argument, NULL, 'n'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		unsigned long v;
		char *end;

		if (c == '?')
			return -1;
		v = strtoul(optarg, &end, 10);
		if (*end != '\0' || v > 3600)
			return -1;
		if (c == 's')
			opt->seconds = (unsigned int)v;
		else if (c == 'w')
			opt->warmup_ms = (unsigned int)v;
		else
			opt->neighbours = (unsigned int)v;
	}
	return optind == argc && opt->neighbours >= 1 && opt->neighbours <= NEIGHBOURS_MAX ? 0 : -1;
}

int
main(int argc, char **argv)
{
	struct options opt = {.seconds = 5, .warmup_ms = 500, .neighbours = 16};
	int n = rte_eal_init(argc, argv), ret;

	if (n < 0)
		return 2;
	if (options_parse(argc - n, argv + n, &opt) != 0) {
		fprintf(stderr,
			"usage: bench_datapath EAL... -- [--seconds N] [--warmup MS] "
			"[--neighbours 1..128]\n");
		return 1;
	}
	ret = run(&opt);
	rte_eal_cleanup();
	return ret;
}
