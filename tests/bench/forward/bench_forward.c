/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * What the stages of a worker cost without a device: bursts of frames to an owned vMAC, replayed in
 * process in three ways that take turns in short rounds, so that a busy machine slows all alike:
 *
 *   bare      prefetch, read, write a MAC, send: what any forwarder does
 *   classify  dp_classify(), then the bare forwarder
 *   forward   what a worker does with a burst: take over the tables, classify, forward, send
 *
 * Sending is handing the burst to a net_ring device, which costs all three the same. A round is
 * some 10 us, so that most rounds are whole: the figures are of the median round, and "quiet" of the
 * tenth percentile of each way. Prints one JSON object.
 *
 *   bench_forward EAL... --vdev=net_ring0 --vdev=net_ring1 -- [--routes N] [--destinations N]
 *                                                            [--rounds N] [--ip6]
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "base_rand.h"
#include "dp_priv.h"

#define IN	   0 /* ports, and interfaces */
#define OUT	   1
#define N_PORTS	   2
#define BURSTS	   16 /* of a round */
#define FRAMES	   (BURSTS * DP_BURST)
#define FRAME_LEN  60
#define ROUNDS_MAX 20001
#define WARM_UP	   100
#define PREFETCHED 4
#define N_DESC	   512
#define NEIGHBOURS 64
#define BURST_NS   1000
#define ROUTER	   UINT32_C(0xac100001)

enum way { BARE, CLASSIFY, FORWARD, WAYS };

struct options {
	uint32_t routes, destinations, rounds;
	bool ip6;
};

static struct rte_mbuf *frames[FRAMES];
static struct rte_mbuf *burst[DP_BURST];
static struct base_addr *destinations;
static volatile uint64_t read_sum; /* so that what is read is not left out */

static struct dp *
dp_build(struct rte_mempool *pool)
{
	static const struct dp_queue queue = {IN, 0, N_DESC};
	static const struct dp_port_config ports[N_PORTS] = {
		{IN, 1, false, false, false}, {OUT, 1, false, false, false}};
	static const struct dp_if_config ifs[N_PORTS] = {
		{.port_id = IN, .mac = {2, 0, 0, 0, 0, 1}, .mtu = 1500},
		{.port_id = OUT, .mac = {2, 0, 0, 0, 0, 2}, .mtu = 1500},
	};
	static const struct dp_group_config group = {.if_index = IN, .vhid = 1};
	const struct dp_worker_config worker = {1, &queue, SOCKET_ID_ANY};
	const struct dp_config config = {
		.n_workers = 1,
		.n_ports = N_PORTS,
		.n_ifs = N_PORTS,
		.n_groups = 1,
		.workers = &worker,
		.ports = ports,
		.ifs = ifs,
		.groups = &group,
		.pool = pool,
	};

	return dp_create(&config);
}

static int
ports_start(struct rte_mempool *pool)
{
	static const struct rte_eth_conf conf;
	int ret = rte_eth_dev_count_avail() == N_PORTS ? 0 : -1;

	for (uint16_t p = 0; p < N_PORTS && ret == 0; p++) {
		ret = rte_eth_dev_configure(p, 1, 1, &conf);
		if (ret == 0)
			ret = rte_eth_rx_queue_setup(p, 0, N_DESC, rte_socket_id(), NULL, pool);
		if (ret == 0)
			ret = rte_eth_tx_queue_setup(p, 0, N_DESC, rte_socket_id(), NULL);
		if (ret == 0)
			ret = rte_eth_dev_start(p);
	}
	return ret;
}

/*
 * A prefix between 16/8 and 216/8, more than half of them a /24 and the others from /16 to /28, as
 * in tables of the Internet.
 */
static struct base_prefix
prefix4(struct base_rand *rng)
{
	static const uint8_t plens[16] = {
		24, 24, 24, 24, 24, 24, 24, 24, 24, 23, 22, 22, 20, 19, 16, 28};
	uint32_t top = 16 + (uint32_t)base_rand_below(rng, 200);
	uint8_t plen = plens[base_rand_below(rng, RTE_DIM(plens))];
	uint32_t ip = (top + (top >= 127)) << 24 | (uint32_t)base_rand_below(rng, 1 << 24);

	return (struct base_prefix){base_addr_from_ip4(ip & base_ip4_mask(plen)), plen};
}

/* A prefix in one of 256 nets of /32, half of them a /48 and the others from /32 to /64. */
static struct base_prefix
prefix6(struct base_rand *rng)
{
	static const uint8_t plens[16] = {
		48, 48, 48, 48, 48, 48, 48, 48, 32, 36, 40, 44, 46, 47, 56, 64};
	struct base_prefix p = {{BASE_FAMILY_IP6, {0x2a}}, plens[base_rand_below(rng, 16)]};

	p.addr.bytes[3] = (uint8_t)base_rand_below(rng, 256);
	for (unsigned int bit = 32; bit < p.plen; bit++)
		p.addr.bytes[bit / 8] |= (uint8_t)(base_rand_below(rng, 2) << (7 - bit % 8));
	return p;
}

/* An address in a prefix. */
static struct base_addr
address_in(const struct base_prefix *p, struct base_rand *rng)
{
	struct base_addr a = p->addr;

	for (unsigned int bit = p->plen; bit < (a.family == BASE_FAMILY_IP4 ? 32 : 128); bit++)
		a.bytes[bit / 8] |= (uint8_t)(base_rand_below(rng, 2) << (7 - bit % 8));
	return a;
}

/* Routes, and destinations in routes drawn at random. */
static struct fib *
routes_build(const struct options *opt)
{
	struct fib_route *routes = calloc(opt->routes, sizeof(*routes));
	char err[128] = "out of memory";
	struct base_rand rng;
	struct fib *f;

	destinations = calloc(opt->destinations, sizeof(*destinations));
	if (routes == NULL || destinations == NULL)
		return NULL;
	base_rand_init(&rng, 1);
	for (uint32_t i = 0; i < opt->routes; i++) {
		routes[i] = (struct fib_route){
			.prefix = opt->ip6 ? prefix6(&rng) : prefix4(&rng),
			.nh = {.type = FIB_NH_GATEWAY,
				.if_index = OUT,
				.group = FIB_GROUP_NONE,
				.gateway6 = {0xfe, 0x80, [15] = (uint8_t)(i % NEIGHBOURS)}},
		};
		if (!opt->ip6)
			routes[i].nh.gateway = ROUTER + i % NEIGHBOURS;
	}
	for (uint32_t i = 0; i < opt->destinations; i++)
		destinations[i] =
			address_in(&routes[base_rand_below(&rng, opt->routes)].prefix, &rng);
	f = fib_build(routes, opt->routes, NULL, SOCKET_ID_ANY, err, sizeof(err));
	if (f == NULL)
		fprintf(stderr, "bench_forward: %s\n", err);
	free(routes);
	return f;
}

static void
no_action(void *arg, const struct fib_nbr_action *a)
{
	(void)arg;
	(void)a;
}

static struct fib_nbr_table *
neighbours_build(struct dp *dp)
{
	struct fib_nbr_table *nbr =
		fib_nbr_create("bench", 1024, N_PORTS, dp_qsbr(dp), SOCKET_ID_ANY);

	for (uint32_t i = 0; i < NEIGHBOURS && nbr != NULL; i++) {
		const uint8_t mac[6] = {2, 0, 0, 1, 0, (uint8_t)i};
		const struct base_addr four = base_addr_from_ip4(ROUTER + i);
		const struct base_addr six = {BASE_FAMILY_IP6, {0xfe, 0x80, [15] = (uint8_t)i}};

		fib_nbr_set(nbr, OUT, &four, mac, dp_clock(), no_action, NULL);
		fib_nbr_set(nbr, OUT, &six, mac, dp_clock(), no_action, NULL);
	}
	return nbr;
}

/* The frame as a device would have received it. */
static void
frame_write(struct rte_mbuf *m, const struct base_addr *dst)
{
	struct wire_eth eth = {.dst = {0, 0, 0x5e, 0, 1, 1}, .src = {2, 0, 0, 0, 9, 9}};
	const struct wire_ip4 ip = {
		.header_len = WIRE_IP4_LEN,
		.total_len = FRAME_LEN - WIRE_ETH_LEN,
		.ttl = 64,
		.proto = 17,
		.src = UINT32_C(0xc6120001),
		.dst = base_addr_ip4(dst),
	};
	struct wire_ip6 ip6 = {
		.payload_len = FRAME_LEN - WIRE_ETH_LEN - WIRE_IP6_LEN,
		.next = 17,
		.hop_limit = 64,
		.src = {0x2a, 0xff, [15] = 1},
	};
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);

	eth.type = dst->family == BASE_FAMILY_IP4 ? WIRE_ETHERTYPE_IP4 : WIRE_ETHERTYPE_IP6;
	wire_eth_encode(&eth, p);
	memcpy(ip6.dst, dst->bytes, sizeof(ip6.dst));
	if (dst->family == BASE_FAMILY_IP4)
		wire_ip4_encode(&ip, p + WIRE_ETH_LEN);
	else
		wire_ip6_encode(&ip6, p + WIRE_ETH_LEN);
}

static void
round_prepare(const struct options *opt)
{
	static uint32_t next;

	for (uint32_t i = 0; i < FRAMES; i++) {
		frame_write(frames[i], &destinations[next]);
		next = next + 1 < opt->destinations ? next + 1 : 0;
	}
}

/* Frames come back out of the rings, so that none is ever freed. */
static uint32_t
round_collect(void)
{
	uint32_t n = 0;

	for (uint16_t got = 1; got != 0; n += got)
		got = rte_eth_rx_burst(OUT, 0, &frames[n], (uint16_t)RTE_MIN(FRAMES - n, 256U));
	return n;
}

static void
bare(struct rte_mbuf **pkts, uint16_t n)
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
	read_sum = sum;
	rte_eth_tx_burst(OUT, 0, pkts, n);
}

/* A function for each way, by whose names a profile tells them apart. */
static __rte_noinline void
way_bare(struct dp_lcore *lc, uint16_t n)
{
	(void)lc;
	bare(burst, n);
}

static __rte_noinline void
way_classify(struct dp_lcore *lc, uint16_t n)
{
	n = dp_classify(lc, burst, n);
	bare(burst, n);
	bare(lc->pkts6, lc->n6);
	lc->n6 = 0;
}

static __rte_noinline void
way_forward(struct dp_lcore *lc, uint16_t n)
{
	static base_ns_t now = BASE_NS_PER_S;

	/* A clock of its own: what is done once a millisecond is done as often everywhere. */
	now += BURST_NS;
	dp_snapshot(lc, now);
	n = dp_classify(lc, burst, n);
	if (n != 0)
		dp_forward(lc, burst, n);
	if (lc->n6 != 0)
		dp_forward6(lc);
	dp_tx_flush(lc);
}

/* @return cycles of a round */
static uint64_t
round_of(struct dp_lcore *lc, void (*way)(struct dp_lcore *, uint16_t))
{
	uint64_t t0 = rte_rdtsc_precise();

	for (unsigned int b = 0; b < BURSTS; b++) {
		memcpy(burst, &frames[(size_t)b * DP_BURST], sizeof(burst));
		way(lc, DP_BURST);
	}
	return rte_rdtsc_precise() - t0;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
quantile(double *v, uint32_t n, uint32_t percent)
{
	qsort(v, n, sizeof(*v), compare);
	return v[(uint64_t)n * percent / 100];
}

static int
measure(struct dp *dp, const struct options *opt)
{
	static void (*const ways[WAYS])(struct dp_lcore *, uint16_t) = {
		[BARE] = way_bare, [CLASSIFY] = way_classify, [FORWARD] = way_forward};
	static const char *const names[WAYS] = {"bare", "classify", "forward"};
	static double ns[WAYS][ROUNDS_MAX], more[WAYS][ROUNDS_MAX];
	const double per_ns = (double)rte_get_tsc_hz() / 1e9 * FRAMES;
	struct dp_lcore *lc = dp->lcores[0];

	lc->in = &dp->ifs[IN];
	for (uint32_t r = 0; r < opt->rounds + WARM_UP; r++) {
		for (unsigned int w = 0; w < WAYS; w++) {
			uint64_t cycles;

			round_prepare(opt);
			cycles = round_of(lc, ways[w]);
			if (round_collect() != FRAMES) {
				fprintf(stderr, "bench_forward: not every frame was forwarded\n");
				return 1;
			}
			if (r >= WARM_UP)
				ns[w][r - WARM_UP] = (double)cycles / per_ns;
		}
	}
	for (unsigned int w = 0; w < WAYS; w++)
		for (uint32_t r = 0; r < opt->rounds; r++)
			more[w][r] = ns[w][r] - ns[BARE][r];
	printf("{\"bench\": \"forward\", \"family\": %d, \"routes\": %" PRIu32
	       ", \"destinations\": %" PRIu32 ", \"frames_each_way\": %" PRIu32,
		opt->ip6 ? 6 : 4, opt->routes, opt->destinations, (opt->rounds + WARM_UP) * FRAMES);
	for (unsigned int w = 0; w < WAYS; w++)
		printf(", \"%s_ns\": %.2f, \"%s_ns_quiet\": %.2f, \"%s_over_bare_ns\": %.2f",
			names[w], quantile(ns[w], opt->rounds, 50), names[w],
			quantile(ns[w], opt->rounds, 10), names[w],
			quantile(more[w], opt->rounds, 50));
	printf("}\n");
	return 0;
}

static int
run(const struct options *opt)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		"bench", 2047, 0, dp_meta_size(), RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	struct dp *dp = pool != NULL && ports_start(pool) == 0 ? dp_build(pool) : NULL;
	struct fib_nbr_table *nbr = dp != NULL ? neighbours_build(dp) : NULL;
	struct fib *fib = nbr != NULL ? routes_build(opt) : NULL;
	int ret;

	if (fib == NULL || rte_pktmbuf_alloc_bulk(pool, frames, FRAMES) != 0) {
		fprintf(stderr, "bench_forward: needs memory and two net_ring devices\n");
		return 1;
	}
	for (uint32_t i = 0; i < FRAMES; i++)
		memset(rte_pktmbuf_append(frames[i], FRAME_LEN), 0, FRAME_LEN);
	dp_set_tables(dp, fib, nbr);
	dp_own(dp, 0, true);
	ret = measure(dp, opt);
	rte_pktmbuf_free_bulk(frames, FRAMES);
	dp_destroy(dp);
	fib_nbr_destroy(nbr);
	fib_free(fib);
	free(destinations);
	rte_mempool_free(pool);
	return ret;
}

static int
options_parse(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {
		{"routes", required_argument, NULL, 'r'},
		{"destinations", required_argument, NULL, 'd'},
		{"rounds", required_argument, NULL, 'n'},
		{"ip6", no_argument, NULL, '6'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		uint32_t max = c == 'n' ? ROUNDS_MAX : 10 * 1000 * 1000;
		unsigned long v;
		char *end;

		if (c == '?')
			return -1;
		if (c == '6') {
			opt->ip6 = true;
			continue;
		}
		v = strtoul(optarg, &end, 10);
		if (*end != '\0' || v < 1 || v > max)
			return -1;
		*(c == 'r'		   ? &opt->routes
				: c == 'd' ? &opt->destinations
					   : &opt->rounds) = (uint32_t)v;
	}
	return optind == argc ? 0 : -1;
}

int
main(int argc, char **argv)
{
	struct options opt = {.routes = 1000, .destinations = 256, .rounds = ROUNDS_MAX};
	int n = rte_eal_init(argc, argv), ret;

	if (n < 0)
		return 2;
	if (options_parse(argc - n, argv + n, &opt) != 0) {
		fprintf(stderr,
			"usage: bench_forward EAL... -- [--routes N] [--destinations N] "
			"[--rounds 1..%d] [--ip6]\n",
			ROUNDS_MAX);
		return 1;
	}
	ret = run(&opt);
	rte_eal_cleanup();
	return ret;
}
