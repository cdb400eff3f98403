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
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "auth.h"
#include "base_bytes.h"
#include "base_rand.h"
#include "conf.h"
#include "ctl.h"
#include "dp.h"
#include "fib.h"
#include "fib_nbr.h"
#include "port.h"
#include "wire.h"

#define STEP_NS		 (50 * BASE_NS_PER_US)
#define INTERVAL_NS	 (BASE_NS_PER_S / 256)
#define N_DESC		 1024
#define IFS_MAX		 8
#define FORGED		 4096
#define LAT_MAX		 (1 << 16)
#define SECONDS		 3
#define PASS		 "lanpasswd"
#define TURNS_MAX	 128					 /* of the worker in a step */
#define ROUTER		 (UINT32_C(10) << 24 | 1 << 16 | 0xff09) /* on the second interface */
#define DATA_LEN	 60
#define OVERLOAD_STEP_NS (5 * BASE_NS_PER_US)
#define CALIBRATE	 (1 << 20) /* packets */

struct peer {
	struct auth_group *auth;
	uint64_t counter;
	base_ns_t due, waits_since; /* 0: nothing under way */
	uint64_t sent, heard, heard_before;
	uint16_t if_index, group;
	uint8_t vhid;
	bool silent;	     /* this box is to become master */
	base_ns_t last_sent; /* by this box; 0: never */
};

struct latency {
	uint32_t n;
	double us[LAT_MAX];
};

static struct {
	uint16_t n_ifs, n_groups;
	struct conf *conf;
	struct dp *dp;
	struct fib_nbr_table *nbr;
	struct ctl *ctl;
	struct rte_mempool *pool;
	uint16_t port[IFS_MAX];
	uint16_t n_rxq; /* of each port; the last one is for adverts */
	base_ns_t step_ns;
	struct rte_ring *rx[IFS_MAX][2], *tx[IFS_MAX][2];
	struct peer peers[DP_GROUP_MAX];
	uint8_t forged[FORGED][WIRE_CARP4_FRAME_LEN];
	struct base_rand rand;
	base_ns_t now, worker_ns, control_ns;
	uint64_t queue_full;
	struct latency attacked, others;
	/* Of adverts that this box sent: how much later than an interval after the one before. */
	struct latency late;
	uint8_t data[DATA_LEN];
	struct fib *fib;
} b = {.n_rxq = 1, .step_ns = STEP_NS};

/* What ctl asks of the devices: all have link, nothing happens. */
uint16_t
port_set_count(const struct port_set *s)
{
	(void)s;
	return b.n_ifs;
}

int
port_set_info(const struct port_set *s, uint16_t i, struct port_info *out)
{
	(void)s;
	*out = (struct port_info){.port_id = b.port[i], .link_up = true};
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

static void
must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "bench_control: %s\n", what);
		exit(1);
	}
}

static base_ns_t
cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (base_ns_t)ts.tv_sec * BASE_NS_PER_S + (base_ns_t)ts.tv_nsec;
}

static uint32_t
vip_of(uint16_t if_index, uint8_t vhid)
{
	return UINT32_C(10) << 24 | (uint32_t)if_index << 16 | vhid;
}

static uint32_t
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
	for (uint16_t i = 0; i < b.n_ifs; i++)
		fprintf(f,
			"%s{\"name\":\"em%u\",\"device\":\"d%u\",\"addresses\":[\"10.%u.255.1/16\"]}",
			i ? "," : "", i, i, i);
	fprintf(f, "],\"carp\":{\"groups\":[");
	for (uint16_t g = 0; g < b.n_groups; g++) {
		const struct peer *p = &b.peers[g];

		fprintf(f,
			"%s{\"name\":\"carp%u\",\"carpdev\":\"em%u\",\"vhid\":%u,\"pass\":\"" PASS
			"\",\"fast\":true,\"advbase\":0,\"advskew\":%u,\"addresses\":[\"10.%u.0."
			"%u/16\"]}",
			g ? "," : "", g, p->if_index, p->vhid, p->silent ? 1 : 100, p->if_index,
			p->vhid);
	}
	fprintf(f, "]}}");
	fclose(f);
	b.conf = conf_parse(text, len, "bench", 0, &issues);
	if (b.conf == NULL)
		conf_issues_print(&issues, stderr);
	must(b.conf != NULL, "configuration");
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
		b.tx[i][q] = rte_ring_create(name, N_DESC, SOCKET_ID_ANY, 0);
		snprintf(name, sizeof(name), "rx%u_%u", i, q);
		b.rx[i][q] =
			rte_ring_create(name, N_DESC, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		must(b.tx[i][q] != NULL && b.rx[i][q] != NULL, "rings");
	}
	snprintf(name, sizeof(name), "bench%u", i);
	id = rte_eth_from_rings(name, b.rx[i], b.n_rxq, b.tx[i], 2, 0);
	must(id >= 0, "device");
	b.port[i] = (uint16_t)id;
	must(rte_eth_dev_configure(b.port[i], b.n_rxq, 2, &conf) == 0, "device");
	for (uint16_t q = 0; q < b.n_rxq; q++)
		must(rte_eth_rx_queue_setup(b.port[i], q, N_DESC, 0, NULL, b.pool) == 0, "device");
	must(rte_eth_tx_queue_setup(b.port[i], 0, N_DESC, 0, NULL) == 0 &&
			rte_eth_tx_queue_setup(b.port[i], 1, N_DESC, 0, NULL) == 0 &&
			rte_eth_dev_start(b.port[i]) == 0,
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
		(uint16_t)(b.n_ifs * b.n_rxq), queues, SOCKET_ID_ANY};
	const struct dp_config config = {
		.n_workers = 1,
		.n_ports = b.n_ifs,
		.n_ifs = b.n_ifs,
		.n_groups = b.n_groups,
		.workers = &worker,
		.ports = ports,
		.ifs = ifs,
		.groups = groups,
		.pool = b.pool,
	};

	for (uint16_t i = 0; i < b.n_ifs; i++) {
		for (uint16_t q = 0; q < b.n_rxq; q++)
			queues[i * b.n_rxq + q] = (struct dp_queue){b.port[i], q, N_DESC};
		ports[i] = (struct dp_port_config){
			.port_id = b.port[i], .n_txq = 1, .control_txq = true};
		own[i] = source_of(i) - 1;
		ifs[i] = (struct dp_if_config){.port_id = b.port[i],
			.mac = {2, 0, 0, 0, 0, (uint8_t)i},
			.mtu = 1500,
			.n_ip4 = 1,
			.ip4 = &own[i]};
	}
	for (uint16_t g = 0; g < b.n_groups; g++) {
		vips[g] = vip_of(b.peers[g].if_index, b.peers[g].vhid);
		groups[g] = (struct dp_group_config){
			.if_index = b.peers[g].if_index,
			.vhid = b.peers[g].vhid,
			.n_ip4 = 1,
			.ip4 = &vips[g],
		};
	}
	b.dp = dp_create(&config);
	must(b.dp != NULL, "data plane");
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

	wire_eth_encode(&eth, b.data);
	wire_ip4_encode(&ip, b.data + WIRE_ETH_LEN);
	b.fib = fib_build(&route, 1, NULL, SOCKET_ID_ANY, err, sizeof(err));
	must(b.fib != NULL, err);
	must(fib_nbr_set(b.nbr, 1, &router, mac, dp_clock(), no_action, NULL) == 0, "neighbour");
}

static void
build(uint16_t n_ifs, uint16_t n_groups)
{
	uint8_t key[AUTH_KEY_LEN], macs[IFS_MAX][BASE_MAC_LEN];
	struct ctl_config config = {.if_port = b.port, .if_mac = macs, .seed = 1};

	b.n_ifs = n_ifs;
	b.n_groups = n_groups;
	base_rand_init(&b.rand, 20260101);
	must(auth_key_from_pass(PASS, key) == 0, "key");
	for (uint16_t g = 0; g < n_groups; g++) {
		struct peer *p = &b.peers[g];
		struct base_addr vip;

		p->group = g;
		p->if_index = g % n_ifs;
		p->vhid = (uint8_t)(1 + g / n_ifs);
		vip = base_addr_from_ip4(vip_of(p->if_index, p->vhid));
		p->auth = auth_group_create(key, p->vhid, &vip, 1);
		p->counter = base_rand_next(&b.rand);
		must(p->auth != NULL, "group");
	}
	b.pool = rte_pktmbuf_pool_create(
		"bench", 32767, 0, dp_meta_size(), 512 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	must(b.pool != NULL, "mempool");
	conf_build();
	for (uint16_t i = 0; i < n_ifs; i++) {
		port_build(i);
		memcpy(macs[i], (const uint8_t[]){2, 0, 0, 0, 0, (uint8_t)i}, BASE_MAC_LEN);
	}
	dp_build();
	b.nbr = fib_nbr_create("bench", 64, n_ifs, dp_qsbr(b.dp), SOCKET_ID_ANY);
	must(b.nbr != NULL, "neighbour table");
	data_build();
	dp_set_tables(b.dp, b.fib, b.nbr);
	config.conf = b.conf;
	config.dp = b.dp;
	config.nbr = b.nbr;
	b.ctl = ctl_create(&config);
	must(b.ctl != NULL, "control plane");
}

/* As a device does: what finds its queue full is lost. */
static void
receive_in(uint16_t if_index, uint16_t queue, const uint8_t *frame, uint16_t len)
{
	struct rte_mbuf *m;
	char *p;

	if (rte_ring_full(b.rx[if_index][queue])) {
		b.queue_full++;
		return;
	}
	m = rte_pktmbuf_alloc(b.pool);
	p = m != NULL ? rte_pktmbuf_append(m, len) : NULL;
	must(p != NULL, "mempool is empty");
	memcpy(p, frame, len);
	m->port = b.port[if_index];
	must(rte_ring_enqueue(b.rx[if_index][queue], m) == 0, "ring");
}

static void
receive(uint16_t if_index, const uint8_t *frame)
{
	receive_in(if_index, (uint16_t)(b.n_rxq - 1), frame, WIRE_CARP4_FRAME_LEN);
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
			digest[k] = (uint8_t)base_rand_next(&b.rand);
		advert_build(&b.peers[0], source_of(0) + (spoofed ? 0 : 1 + i % 200), digest,
			base_rand_next(&b.rand), b.forged[i]);
	}
}

/* A peer's advert if it is time, unless the one before is still under way: then it is lost. */
static void
peer_speak(struct peer *p)
{
	uint8_t frame[WIRE_CARP4_FRAME_LEN];

	if (p->due > b.now || p->silent)
		return;
	advert_build(p, source_of(p->if_index), NULL, p->counter++, frame);
	receive(p->if_index, frame);
	p->waits_since = p->due;
	p->sent++;
	while (p->due <= b.now)
		p->due += INTERVAL_NS;
}

static void
peer_look(struct peer *p, struct latency *l)
{
	struct ctl_peer known[CTL_PEERS_MAX];
	uint32_t n;

	if (p->waits_since == 0)
		return;
	n = ctl_peers(b.ctl, p->group, known);
	for (uint32_t i = 0; i < n; i++) {
		if (base_addr_ip4(&known[i].addr) != source_of(p->if_index) ||
			known[i].adverts == p->heard)
			continue;
		p->heard = known[i].adverts;
		if (l->n < LAT_MAX)
			l->us[l->n++] = (double)(b.now - p->waits_since) / 1e3;
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
	for (uint16_t g = 0; g < b.n_groups; g++) {
		struct peer *p = &b.peers[g];
		base_ns_t gap = b.now - p->last_sent;

		if (p->if_index != if_index || p->vhid != f[WIRE_ETH_LEN + WIRE_IP4_LEN + 1])
			continue;
		if (p->last_sent != 0 && b.late.n < LAT_MAX)
			b.late.us[b.late.n++] =
				gap > INTERVAL_NS ? (double)(gap - INTERVAL_NS) / 1e3 : 0;
		p->last_sent = b.now;
	}
}

static void
flood_one(bool data)
{
	if (data)
		receive_in(0, 0, b.data, DATA_LEN);
	else
		receive(0, b.forged[base_rand_below(&b.rand, FORGED)]);
}

/* Adverts come somewhere among what comes since the last step. */
static void
step(base_ns_t *last, uint64_t flood_pps, bool data, double *owed)
{
	base_ns_t t0, t1, t2, took;
	unsigned int turns = 0;
	struct rte_mbuf *m;
	uint32_t n, at;

	*owed += (double)flood_pps * (double)(b.now - *last) / 1e9;
	*last = b.now;
	n = (uint32_t)*owed;
	*owed -= n;
	at = (uint32_t)base_rand_below(&b.rand, n + UINT64_C(1));
	for (uint32_t i = 0; i < at; i++)
		flood_one(data);
	for (uint16_t g = 0; g < b.n_groups; g++)
		peer_speak(&b.peers[g]);
	for (uint32_t i = at; i < n; i++)
		flood_one(data);
	t0 = cpu_ns();
	while (dp_worker_turn(b.dp, 0, b.now) != 0 && ++turns < TURNS_MAX)
		;
	t1 = cpu_ns();
	ctl_turn(b.ctl, b.now);
	t2 = cpu_ns();
	b.worker_ns += t1 - t0;
	b.control_ns += t2 - t1;
	took = RTE_MAX(t1 - t0, t2 - t1);
	b.now += RTE_MAX(took, b.step_ns);
	for (uint16_t i = 0; i < b.n_ifs; i++)
		for (unsigned int q = 0; q < 2; q++)
			while (rte_ring_dequeue(b.tx[i][q], (void **)&m) == 0) {
				sent_note(m, i);
				rte_pktmbuf_free(m);
			}
	for (uint16_t g = 0; g < b.n_groups; g++)
		peer_look(&b.peers[g], g == 0 && !data ? &b.attacked : &b.others);
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
	double took = (double)(b.now - began);
	struct ctl_group_view v;
	struct dp_stats s;

	for (uint16_t g = 0; g < b.n_groups; g++) {
		ctl_group_view(b.ctl, g, &v);
		changes += v.info.transitions + (v.info.state != ELECTION_BACKUP);
		if (g == 0)
			continue;
		sent += b.peers[g].sent;
		heard += b.peers[g].heard;
	}
	ctl_group_view(b.ctl, 0, &v);
	dp_stats_sum(b.dp, &s);
	printf("{\"bench\": \"%s\", \"seconds\": %.3f, \"groups\": %u, \"forged_pps\": %" PRIu64
	       ", \"source\": \"%s\", \"worker_share\": %.3f, \"control_share\": %.3f",
		what, took / 1e9, b.n_groups, rate, spoofed ? "spoofed" : "unknown",
		(double)b.worker_ns / took, (double)b.control_ns / took);
	printf(", \"attacked\": {\"sent\": %" PRIu64 ", \"heard\": %" PRIu64
	       "}, \"others\": {\"sent\": %" PRIu64 ", \"heard\": %" PRIu64 "}",
		b.peers[0].sent, b.peers[0].heard, sent, heard);
	print_latency("attacked", &b.attacked);
	print_latency("others", &b.others);
	printf(", \"policed\": %" PRIu64 ", \"badauth\": %" PRIu64 ", \"ring_full\": %" PRIu64
	       ", \"unknown_ring_full\": %" PRIu64 ", \"queue_full\": %" PRIu64
	       ", \"transitions\": %" PRIu64 "}\n",
		v.stats[CTL_STAT_POLICED], v.stats[CTL_STAT_BADAUTH],
		s.drops[DP_DROP_ADVERT_RING_FULL], s.drops[DP_DROP_ADVERT_UNKNOWN_RING_FULL],
		b.queue_full, changes);
	/* The last ones may be under way. */
	return changes != 0 || heard + b.n_groups < sent ? 1 : 0;
}

/* What the worker forwards of its CPU's time, when packets come as fast as it takes them. */
static uint64_t
forwarding_pps(void)
{
	const base_ns_t before = b.worker_ns;
	base_ns_t t0, took = 0;
	struct rte_mbuf *m;

	for (uint32_t n = 0; n < CALIBRATE; n += N_DESC / 2) {
		for (unsigned int i = 0; i < N_DESC / 2; i++)
			receive_in(0, 0, b.data, DATA_LEN);
		t0 = cpu_ns();
		while (dp_worker_turn(b.dp, 0, b.now) != 0)
			;
		took += cpu_ns() - t0;
		while (rte_ring_dequeue(b.tx[1][0], (void **)&m) == 0)
			rte_pktmbuf_free(m);
	}
	b.worker_ns = before;
	return (uint64_t)(CALIBRATE * 1e9 / (double)took);
}

/* @return the exit code: 1 when an advert was late by an interval, or lost in a queue of its own */
static int
report_overload(uint64_t rate, uint64_t percent, base_ns_t began)
{
	double took = (double)(b.now - began);
	uint64_t sent = 0, heard = 0;
	struct ctl_group_view v;
	struct dp_stats s;
	bool masters = true;

	for (uint16_t g = 0; g < b.n_groups; g++) {
		const struct peer *p = &b.peers[g];

		ctl_group_view(b.ctl, g, &v);
		masters = masters && (v.info.state == ELECTION_MASTER) == p->silent;
		sent += p->sent;
		heard += p->heard - p->heard_before;
	}
	dp_stats_sum(b.dp, &s);
	printf("{\"bench\": \"overload\", \"seconds\": %.3f, \"percent\": %" PRIu64
	       ", \"offered_pps\": %" PRIu64 ", \"queue\": \"%s\", \"worker_share\": %.3f, "
	       "\"control_share\": %.3f, \"forwarded\": %" PRIu64 ", \"rx_missed\": %" PRIu64,
		took / 1e9, percent, rate, b.n_rxq == 2 ? "own" : "one", (double)b.worker_ns / took,
		(double)b.control_ns / took, s.forwarded, b.queue_full);
	printf(", \"peers_sent\": %" PRIu64 ", \"heard\": %" PRIu64, sent, heard);
	print_latency("heard", &b.others);
	print_latency("late", &b.late);
	printf("}\n");
	if (!masters || b.late.n == 0 || b.late.us[b.late.n - 1] >= (double)INTERVAL_NS / 1e3)
		return 1;
	return b.n_rxq == 2 && heard + b.n_groups < sent;
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
	if (overload)
		b.step_ns = OVERLOAD_STEP_NS;
	b.n_rxq = overload && strcmp(argv[3], "own") == 0 ? 2 : 1;
	b.peers[2].silent = b.peers[3].silent = overload;
	build(flood || overload ? 2 : IFS_MAX, flood || overload ? 4 : DP_GROUP_MAX);
	forge(spoofed);
	b.now = began = last = dp_clock();
	for (uint16_t g = 0; g < b.n_groups; g++)
		b.peers[g].due = began + INTERVAL_NS * g / b.n_groups;
	/* Everybody is known before the flood begins. */
	while (b.now < began + BASE_NS_PER_S / 4)
		step(&last, 0, false, &owed);
	if (overload)
		rate = forwarding_pps() * percent / 100;
	b.worker_ns = b.control_ns = 0;
	b.attacked.n = b.others.n = b.late.n = 0;
	for (uint16_t g = 0; g < b.n_groups; g++)
		b.peers[g].sent = 0, b.peers[g].heard_before = b.peers[g].heard;
	b.queue_full = 0;
	last = began = b.now;
	while (b.now < began + (overload ? 1 : SECONDS) * BASE_NS_PER_S)
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
