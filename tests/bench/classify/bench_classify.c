/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * What classification costs a frame that is no control traffic: bursts from 256 frames to an owned
 * vMAC, replayed in process through a bare forwarder (prefetch, read, write a MAC), and through
 * dp_classify() and the same forwarder. Both take turns in short rounds, so that a busy machine
 * slows both alike. A round is some 10 us, so that most rounds are whole: the figures are of the
 * median round, and "quiet" of the tenth percentile of each way. Prints one JSON object.
 *
 *   bench_classify EAL...
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "dp_priv.h"

#define FRAMES	   256
#define FRAME_LEN  60
#define BURSTS	   16 /* of a round */
#define ROUNDS	   20001
#define WARM_UP	   100
#define PREFETCHED 4

static struct rte_mbuf *frames[FRAMES];
static struct rte_mbuf *burst[DP_BURST];

static struct dp *
dp_build(struct rte_mempool *pool)
{
	static const struct dp_queue queue = {0, 0, 512};
	const struct dp_worker_config worker = {1, &queue, SOCKET_ID_ANY};
	static const struct dp_port_config port = {0, 1, false};
	static const struct dp_if_config ifc = {
		.port_id = 0, .mac = {2, 0, 0, 0, 0, 1}, .mtu = 1500};
	static const struct dp_group_config group = {.if_index = 0, .vhid = 1};
	const struct dp_config config = {
		.n_workers = 1,
		.n_ports = 1,
		.n_ifs = 1,
		.n_groups = 1,
		.workers = &worker,
		.ports = &port,
		.ifs = &ifc,
		.groups = &group,
		.pool = pool,
	};

	return dp_create(&config);
}

static struct rte_mbuf *
frame_make(struct rte_mempool *pool, uint32_t i)
{
	struct wire_eth eth = {.dst = {0, 0, 0x5e, 0, 1, 1},
		.src = {2, 0, 0, 0, 9, 9},
		.type = WIRE_ETHERTYPE_IP4};
	const struct wire_ip4 ip = {
		.header_len = WIRE_IP4_LEN,
		.total_len = FRAME_LEN - WIRE_ETH_LEN,
		.ttl = 64,
		.proto = 17,
		.src = UINT32_C(0xc6120000) + i,
		.dst = UINT32_C(0x0a010001) + (i << 8),
	};
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *p = m != NULL ? (uint8_t *)rte_pktmbuf_append(m, FRAME_LEN) : NULL;

	if (p == NULL)
		return NULL;
	memset(p, 0, FRAME_LEN);
	wire_eth_encode(&eth, p);
	wire_ip4_encode(&ip, p + WIRE_ETH_LEN);
	return m;
}

/* What any forwarder does to a frame: read its head, write an address. */
static __rte_noinline uint64_t
forward(struct rte_mbuf **pkts, uint16_t n)
{
	static const uint8_t mac[BASE_MAC_LEN] = {2, 0, 0, 0, 9, 9};
	uint64_t sum = 0;

	for (uint16_t i = 0; i < n && i < PREFETCHED; i++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[i], void *));
	for (uint16_t i = 0; i < n; i++) {
		uint8_t *p = rte_pktmbuf_mtod(pkts[i], uint8_t *);

		if (i + PREFETCHED < n)
			rte_prefetch0(rte_pktmbuf_mtod(pkts[i + PREFETCHED], void *));
		sum += pkts[i]->pkt_len + base_load_be32(p);
		memcpy(p + BASE_MAC_LEN, mac, BASE_MAC_LEN);
	}
	return sum;
}

/* @return cycles of a round */
static uint64_t
round_of(struct dp_lcore *lc, bool classify, uint64_t *sum)
{
	uint64_t t0 = rte_rdtsc_precise();

	for (unsigned int b = 0; b < BURSTS; b++) {
		uint16_t n = DP_BURST;

		memcpy(burst, &frames[b * DP_BURST % FRAMES], sizeof(burst));
		if (classify)
			n = dp_classify(lc, burst, n);
		*sum += forward(burst, n);
	}
	return rte_rdtsc_precise() - t0;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
run(void)
{
	static double bare[ROUNDS], with[ROUNDS], more[ROUNDS];
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		"bench", 1023, 0, dp_meta_size(), RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	struct dp *dp = pool != NULL ? dp_build(pool) : NULL;
	const double per_ns = (double)rte_get_tsc_hz() / 1e9 * BURSTS * DP_BURST;
	uint64_t sum_bare = 0, sum_with = 0;
	struct dp_stats s;

	if (dp == NULL) {
		fprintf(stderr, "bench_classify: no data plane\n");
		return 1;
	}
	dp_own(dp, 0, true);
	dp->lcores[0]->in = &dp->ifs[0];
	for (uint32_t i = 0; i < FRAMES; i++)
		if ((frames[i] = frame_make(pool, i)) == NULL)
			return 1;
	for (int r = -WARM_UP; r < ROUNDS; r++) {
		double b = (double)round_of(dp->lcores[0], false, &sum_bare) / per_ns;
		double w = (double)round_of(dp->lcores[0], true, &sum_with) / per_ns;

		if (r < 0)
			continue;
		bare[r] = b;
		with[r] = w;
		more[r] = w - b;
	}
	dp_stats_sum(dp, &s);
	/* Nothing was refused, or what was measured was not this. */
	if (sum_bare != sum_with ||
		s.rx_frames != (uint64_t)(ROUNDS + WARM_UP) * BURSTS * DP_BURST) {
		fprintf(stderr, "bench_classify: not every frame was let through\n");
		return 1;
	}
	qsort(bare, ROUNDS, sizeof(bare[0]), compare);
	qsort(with, ROUNDS, sizeof(with[0]), compare);
	qsort(more, ROUNDS, sizeof(more[0]), compare);
	printf("{\"bench\": \"classify\", \"bare_ns\": %.2f, \"classified_ns\": %.2f, "
	       "\"classification_ns\": %.2f, \"classification_ns_quiet\": %.2f, \"ratio\": %.2f, "
	       "\"limit_ns\": 4.0}\n",
		bare[ROUNDS / 2], with[ROUNDS / 2], more[ROUNDS / 2],
		with[ROUNDS / 10] - bare[ROUNDS / 10], with[ROUNDS / 2] / bare[ROUNDS / 2]);
	rte_pktmbuf_free_bulk(frames, FRAMES);
	dp_destroy(dp);
	rte_mempool_free(pool);
	return 0;
}

int
main(int argc, char **argv)
{
	int ret;

	if (rte_eal_init(argc, argv) < 0)
		return 2;
	ret = run();
	rte_eal_cleanup();
	return ret;
}
