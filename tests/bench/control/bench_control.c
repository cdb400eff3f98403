/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Adverts from the receive queue to the election, in process: one worker's and the control lcore's
 * turns by turns, on devices made of rings.
 *
 *   bench_control EAL... -- capacity | flood RATE unknown|spoofed | overload PERCENT one|own
 *
 * capacity: 1,024 groups hear a master 256 times a second each. flood: RATE forged adverts a second
 * for one group of four, from a source never heard or in the master's name. overload: packets to
 * forward come at so many percent of what the worker can, while the box sends adverts for two
 * groups and hears a master in two others, by the same receive queue or by one of their own.
 *
 * Time is counted, not waited for: each step takes what the busier of the two lcores needed of its
 * CPU, but at least STEP_NS (overload: a tenth of it), and what arrives meanwhile waits in the
 * queue of the next step. So the figures are those of two lcores with CPUs of their own, however
 * busy this machine is: shares of a CPU, and latencies from arrival to the end of the turn that
 * heard the advert. Prints one JSON object. Ends with 1 when an advert of a group that is not
 * attacked was lost, or a group changed its state; overload: when one was sent late by an interval.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "base_bytes.h"
#include "bench_control_box.h"

#define STEP_NS		 (50 * BASE_NS_PER_US)
#define INTERVAL_NS	 (BASE_NS_PER_S / 256)
#define SECONDS		 3
#define TURNS_MAX	 128 /* of the worker in a step */
#define OVERLOAD_STEP_NS (5 * BASE_NS_PER_US)
#define CALIBRATE	 (1 << 20) /* packets */

static base_ns_t
cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (base_ns_t)ts.tv_sec * BASE_NS_PER_S + (base_ns_t)ts.tv_nsec;
}

/* As a device does: what finds its queue full is lost. */
static void
receive_in(uint16_t if_index, uint16_t queue, const uint8_t *frame, uint16_t len)
{
	struct rte_mbuf *m;
	char *p;

	if (rte_ring_full(bench.rx[if_index][queue])) {
		bench.queue_full++;
		return;
	}
	m = rte_pktmbuf_alloc(bench.pool);
	p = m != NULL ? rte_pktmbuf_append(m, len) : NULL;
	must(p != NULL, "mempool is empty");
	memcpy(p, frame, len);
	m->port = bench.port[if_index];
	must(rte_ring_enqueue(bench.rx[if_index][queue], m) == 0, "ring");
}

static void
receive(uint16_t if_index, const uint8_t *frame)
{
	receive_in(if_index, (uint16_t)(bench.n_rxq - 1), frame, WIRE_CARP4_FRAME_LEN);
}

static void
advert_build(const struct peer *p, uint32_t src, const uint8_t *digest, uint64_t counter,
	uint8_t frame[WIRE_CARP4_FRAME_LEN])
{
	struct wire_carp4_envelope env = {.eth_src = {0, 0, 0x5e, 0, 1, p->vhid},
		.ip_src = src,
		.ip_dst = WIRE_CARP_GROUP_IP4};
	struct wire_carp carp = {
		.version = 2, .type = 1, .vhid = p->vhid, .authlen = 7, .counter = counter};

	memcpy(env.eth_dst, wire_carp_mac4, sizeof(env.eth_dst));
	if (digest != NULL)
		memcpy(carp.digest, digest, sizeof(carp.digest));
	else
		must(auth_group_sign(p->auth, counter, carp.digest) == 0, "signature");
	wire_carp4_frame_encode(&env, &carp, frame);
}

static void
forge(bool spoofed)
{
	for (unsigned int i = 0; i < FORGED; i++) {
		uint8_t digest[AUTH_DIGEST_LEN];

		for (size_t k = 0; k < sizeof(digest); k++)
			digest[k] = (uint8_t)base_rand_next(&bench.rand);
		advert_build(&bench.peers[0], source_of(0) + (spoofed ? 0 : 1 + i % 200), digest,
			base_rand_next(&bench.rand), bench.forged[i]);
	}
}

/* A peer's advert if it is time, unless the one before is still under way: then it is lost. */
static void
peer_speak(struct peer *p)
{
	uint8_t frame[WIRE_CARP4_FRAME_LEN];

	if (p->due > bench.now || p->silent)
		return;
	advert_build(p, source_of(p->if_index), NULL, p->counter++, frame);
	receive(p->if_index, frame);
	p->waits_since = p->due;
	p->sent++;
	while (p->due <= bench.now)
		p->due += INTERVAL_NS;
}

static void
peer_look(struct peer *p, struct latency *l)
{
	struct ctl_peer known[CTL_PEERS_MAX];
	uint32_t n;

	if (p->waits_since == 0)
		return;
	n = ctl_peers(bench.ctl, p->group, known);
	for (uint32_t i = 0; i < n; i++) {
		if (base_addr_ip4(&known[i].addr) != source_of(p->if_index) ||
			known[i].adverts == p->heard)
			continue;
		p->heard = known[i].adverts;
		if (l->n < LAT_MAX)
			l->us[l->n++] = (double)(bench.now - p->waits_since) / 1e3;
		p->waits_since = 0;
	}
}

/* An advert of this box is on the wire. */
static void
sent_note(const struct rte_mbuf *m, uint16_t if_index)
{
	const uint8_t *f = rte_pktmbuf_mtod(m, const uint8_t *);

	if (base_load_be16(f + 12) != WIRE_ETHERTYPE_IP4 || f[WIRE_ETH_LEN + 9] != WIRE_PROTO_CARP)
		return;
	for (uint16_t g = 0; g < bench.n_groups; g++) {
		struct peer *p = &bench.peers[g];
		base_ns_t gap = bench.now - p->last_sent;

		if (p->if_index != if_index || p->vhid != f[WIRE_ETH_LEN + WIRE_IP4_LEN + 1])
			continue;
		if (p->last_sent != 0 && bench.late.n < LAT_MAX)
			bench.late.us[bench.late.n++] =
				gap > INTERVAL_NS ? (double)(gap - INTERVAL_NS) / 1e3 : 0;
		p->last_sent = bench.now;
	}
}

static void
flood_one(bool data)
{
	if (data)
		receive_in(0, 0, bench.data, DATA_LEN);
	else
		receive(0, bench.forged[base_rand_below(&bench.rand, FORGED)]);
}

/* Adverts come somewhere among what comes since the last step. */
static void
step(base_ns_t *last, uint64_t flood_pps, bool data, double *owed)
{
	base_ns_t t0, t1, t2, took;
	unsigned int turns = 0;
	struct rte_mbuf *m;
	uint32_t n, at;

	*owed += (double)flood_pps * (double)(bench.now - *last) / 1e9;
	*last = bench.now;
	n = (uint32_t)*owed;
	*owed -= n;
	at = (uint32_t)base_rand_below(&bench.rand, n + UINT64_C(1));
	for (uint32_t i = 0; i < at; i++)
		flood_one(data);
	for (uint16_t g = 0; g < bench.n_groups; g++)
		peer_speak(&bench.peers[g]);
	for (uint32_t i = at; i < n; i++)
		flood_one(data);
	t0 = cpu_ns();
	while (dp_worker_turn(bench.dp, 0, bench.now) != 0 && ++turns < TURNS_MAX)
		;
	t1 = cpu_ns();
	ctl_turn(bench.ctl, bench.now);
	t2 = cpu_ns();
	bench.worker_ns += t1 - t0;
	bench.control_ns += t2 - t1;
	took = RTE_MAX(t1 - t0, t2 - t1);
	bench.now += RTE_MAX(took, bench.step_ns);
	for (uint16_t i = 0; i < bench.n_ifs; i++)
		for (unsigned int q = 0; q < 2; q++)
			while (rte_ring_dequeue(bench.tx[i][q], (void **)&m) == 0) {
				sent_note(m, i);
				rte_pktmbuf_free(m);
			}
	for (uint16_t g = 0; g < bench.n_groups; g++)
		peer_look(&bench.peers[g], g == 0 && !data ? &bench.attacked : &bench.others);
}

static int
compare(const void *x, const void *y)
{
	const double *p = x, *q = y;

	return (*p > *q) - (*p < *q);
}

static void
print_latency(const char *name, struct latency *l)
{
	qsort(l->us, l->n, sizeof(l->us[0]), compare);
	printf(", \"%s_us\": {\"n\": %u, \"median\": %.1f, \"p99\": %.1f, \"max\": %.1f}", name,
		l->n, l->n ? l->us[l->n / 2] : 0.0, l->n ? l->us[l->n * 99 / 100] : 0.0,
		l->n ? l->us[l->n - 1] : 0.0);
}

/* @return the exit code */
static int
report(const char *what, uint64_t rate, bool spoofed, base_ns_t began)
{
	uint64_t sent = 0, heard = 0, changes = 0;
	double took = (double)(bench.now - began);
	struct ctl_group_view v;
	struct dp_stats s;

	for (uint16_t g = 0; g < bench.n_groups; g++) {
		ctl_group_view(bench.ctl, g, &v);
		changes += v.info.transitions + (v.info.state != ELECTION_BACKUP);
		if (g == 0)
			continue;
		sent += bench.peers[g].sent;
		heard += bench.peers[g].heard;
	}
	ctl_group_view(bench.ctl, 0, &v);
	dp_stats_sum(bench.dp, &s);
	printf("{\"bench\": \"%s\", \"seconds\": %.3f, \"groups\": %u, \"forged_pps\": %" PRIu64
	       ", \"source\": \"%s\", \"worker_share\": %.3f, \"control_share\": %.3f",
		what, took / 1e9, bench.n_groups, rate, spoofed ? "spoofed" : "unknown",
		(double)bench.worker_ns / took, (double)bench.control_ns / took);
	printf(", \"attacked\": {\"sent\": %" PRIu64 ", \"heard\": %" PRIu64
	       "}, \"others\": {\"sent\": %" PRIu64 ", \"heard\": %" PRIu64 "}",
		bench.peers[0].sent, bench.peers[0].heard, sent, heard);
	print_latency("attacked", &bench.attacked);
	print_latency("others", &bench.others);
	printf(", \"policed\": %" PRIu64 ", \"badauth\": %" PRIu64 ", \"ring_full\": %" PRIu64
	       ", \"unknown_ring_full\": %" PRIu64 ", \"queue_full\": %" PRIu64
	       ", \"transitions\": %" PRIu64 "}\n",
		v.stats[CTL_STAT_POLICED], v.stats[CTL_STAT_BADAUTH],
		s.drops[DP_DROP_ADVERT_RING_FULL], s.drops[DP_DROP_ADVERT_UNKNOWN_RING_FULL],
		bench.queue_full, changes);
	/* The last ones may be under way. */
	return changes != 0 || heard + bench.n_groups < sent ? 1 : 0;
}

/* What the worker forwards of its CPU's time, when packets come as fast as it takes them. */
static uint64_t
forwarding_pps(void)
{
	const base_ns_t before = bench.worker_ns;
	base_ns_t t0, took = 0;
	struct rte_mbuf *m;

	for (uint32_t n = 0; n < CALIBRATE; n += N_DESC / 2) {
		for (unsigned int i = 0; i < N_DESC / 2; i++)
			receive_in(0, 0, bench.data, DATA_LEN);
		t0 = cpu_ns();
		while (dp_worker_turn(bench.dp, 0, bench.now) != 0)
			;
		took += cpu_ns() - t0;
		while (rte_ring_dequeue(bench.tx[1][0], (void **)&m) == 0)
			rte_pktmbuf_free(m);
	}
	bench.worker_ns = before;
	return (uint64_t)(CALIBRATE * 1e9 / (double)took);
}

/* @return the exit code: 1 when an advert was late by an interval, or lost in a queue of its own */
static int
report_overload(uint64_t rate, uint64_t percent, base_ns_t began)
{
	double took = (double)(bench.now - began);
	uint64_t sent = 0, heard = 0;
	struct ctl_group_view v;
	struct dp_stats s;
	bool masters = true;

	for (uint16_t g = 0; g < bench.n_groups; g++) {
		const struct peer *p = &bench.peers[g];

		ctl_group_view(bench.ctl, g, &v);
		masters = masters && (v.info.state == ELECTION_MASTER) == p->silent;
		sent += p->sent;
		heard += p->heard - p->heard_before;
	}
	dp_stats_sum(bench.dp, &s);
	printf("{\"bench\": \"overload\", \"seconds\": %.3f, \"percent\": %" PRIu64
	       ", \"offered_pps\": %" PRIu64 ", \"queue\": \"%s\", \"worker_share\": %.3f, "
	       "\"control_share\": %.3f, \"forwarded\": %" PRIu64 ", \"rx_missed\": %" PRIu64,
		took / 1e9, percent, rate, bench.n_rxq == 2 ? "own" : "one",
		(double)bench.worker_ns / took, (double)bench.control_ns / took, s.forwarded,
		bench.queue_full);
	printf(", \"peers_sent\": %" PRIu64 ", \"heard\": %" PRIu64, sent, heard);
	print_latency("heard", &bench.others);
	print_latency("late", &bench.late);
	printf("}\n");
	if (!masters || bench.late.n == 0 ||
		bench.late.us[bench.late.n - 1] >= (double)INTERVAL_NS / 1e3)
		return 1;
	return bench.n_rxq == 2 && heard + bench.n_groups < sent;
}

static int
run(int argc, char **argv)
{
	bool flood = argc == 4 && strcmp(argv[1], "flood") == 0;
	bool overload = argc == 4 && strcmp(argv[1], "overload") == 0;
	bool spoofed = flood && strcmp(argv[3], "spoofed") == 0;
	uint64_t percent = overload ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t rate = flood ? strtoull(argv[2], NULL, 10) : 0;
	base_ns_t began, last;
	double owed = 0;

	if (!flood && !overload && (argc != 2 || strcmp(argv[1], "capacity") != 0)) {
		fprintf(stderr,
			"usage: bench_control EAL... -- capacity | flood RATE unknown|spoofed | "
			"overload PERCENT one|own\n");
		return 2;
	}
	/* In a step no more comes than the queue holds, unless the worker cannot keep up. */
	bench.step_ns = overload ? OVERLOAD_STEP_NS : STEP_NS;
	bench.n_rxq = overload && strcmp(argv[3], "own") == 0 ? 2 : 1;
	bench.peers[2].silent = bench.peers[3].silent = overload;
	bench_build(flood || overload ? 2 : IFS_MAX, flood || overload ? 4 : DP_GROUP_MAX);
	forge(spoofed);
	bench.now = began = last = dp_clock();
	for (uint16_t g = 0; g < bench.n_groups; g++)
		bench.peers[g].due = began + INTERVAL_NS * g / bench.n_groups;
	/* Everybody is known before the flood begins. */
	while (bench.now < began + BASE_NS_PER_S / 4)
		step(&last, 0, false, &owed);
	if (overload)
		rate = forwarding_pps() * percent / 100;
	bench.worker_ns = bench.control_ns = 0;
	bench.attacked.n = bench.others.n = bench.late.n = 0;
	for (uint16_t g = 0; g < bench.n_groups; g++)
		bench.peers[g].sent = 0, bench.peers[g].heard_before = bench.peers[g].heard;
	bench.queue_full = 0;
	last = began = bench.now;
	while (bench.now < began + (overload ? 1 : SECONDS) * BASE_NS_PER_S)
		step(&last, rate, overload, &owed);
	if (overload)
		return report_overload(rate, percent, began);
	return report(flood ? "flood" : "capacity", rate, spoofed, began);
}

int
main(int argc, char **argv)
{
	int n = rte_eal_init(argc, argv), ret;

	if (n < 0)
		return 2;
	ret = run(argc - n, argv + n);
	fflush(stdout);
	return ret;
}
