/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Ping and traceroute. Traceroute uses echo requests as well: their answers are told from others'
 * by the same identifier, they need no port that nobody listens on, and filters let them pass where
 * they let pings pass. A probe is sent once its next hop's MAC is known, so that the time it takes
 * to ask for that is not in the times shown, and who does not answer is named.
 */
#include "ctl_ping_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_mbuf.h>

#include "base_bytes.h"
#include "dp_probe.h"
#include "wire_echo.h"

#define OPEN_WAIT_NS  (2 * BASE_NS_PER_S)
#define OPEN_PAUSE_NS (200 * BASE_NS_PER_US)
/* How often it is looked whether a next hop is known, and for how long: more than it is asked. */
#define LOOK_NS	   BASE_NS_PER_MS
#define GIVE_UP_NS ((FIB_NBR_RETRIES + 1) * FIB_NBR_RETRY_NS)
#define PING_TTL   64

_Static_assert(CTL_PINGS_MAX == DP_PROBES_MAX, "answers are expected by run");

enum run_state {
	RUN_FREE = 0,
	RUN_FILLING,
	RUN_POSTED, /* who asked may take it back */
	RUN_TAKEN,  /* by the control lcore, which begins or refuses it */
	RUN_GOING,
	RUN_REFUSED,   /* why is in note */
	RUN_ENDED,     /* sum is what came of it */
	RUN_ABANDONED, /* while taken or going: who asked has gone, the control lcore frees it */
};

struct ctl_ping_run {
	uint32_t state; /* enum run_state, atomic */
	uint32_t stop;	/* atomic: by who asked */
	struct ctl_ping_ask ask;
	int result; /* REFUSED */
	char note[160];
	struct base_addr src;
	uint16_t id;
	base_ns_t look_at;    /* before that the next hop is not looked for again */
	base_ns_t look_until; /* 0: it is not waited for */
	struct ctl_probe probe;
	uint32_t head;	 /* atomic: lines written; control lcore */
	uint32_t tail;	 /* atomic: lines read; who asked */
	uint32_t missed; /* lines without room */
	struct ctl_ping_line line[CTL_PING_LINES];
};

#define SAY(r, ...) snprintf((r)->note, sizeof((r)->note), __VA_ARGS__)

int
ctl_ping_create(struct ctl *c)
{
	c->pings = calloc(CTL_PINGS_MAX, sizeof(*c->pings));
	c->ping_at = BASE_NS_NEVER;
	return c->pings != NULL ? 0 : -ENOMEM;
}

static uint32_t
state_of(const struct ctl_ping_run *r)
{
	return __atomic_load_n(&r->state, __ATOMIC_ACQUIRE);
}

/* Served by the control lcore, whoever may or may not wait for what comes of it. */
static bool
is_going(const struct ctl_ping_run *r)
{
	return state_of(r) == RUN_GOING || state_of(r) == RUN_ABANDONED;
}

static void
slot_free(struct ctl *c, struct ctl_ping_run *r)
{
	__atomic_store_n(&r->state, RUN_FREE, __ATOMIC_RELEASE);
	__atomic_fetch_sub(&c->n_pings, 1, __ATOMIC_RELEASE);
}

static void
line_write(struct ctl_ping_run *r, const struct ctl_ping_line *line)
{
	uint32_t tail = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);

	if (r->head - tail == CTL_PING_LINES) {
		r->missed++;
		return;
	}
	r->line[r->head % CTL_PING_LINES] = *line;
	__atomic_store_n(&r->head, r->head + 1, __ATOMIC_RELEASE);
}

static uint8_t
ttl_of(const struct ctl_ping_run *r, uint16_t seq)
{
	return r->probe.plan.trace ? ctl_probe_ttl(&r->probe, seq) : PING_TTL;
}

static void
unsent(struct ctl_ping_run *r, enum ctl_ping_why why, const struct ctl_ping_way *way, base_ns_t now)
{
	struct ctl_ping_line line = {
		.what = CTL_PING_UNSENT,
		.why = why,
		.seq = r->probe.next,
		.hops = ttl_of(r, r->probe.next),
	};

	if (way != NULL) {
		line.if_index = way->if_index;
		line.next_hop = way->next_hop;
	}
	r->look_until = 0;
	ctl_probe_unsent(&r->probe, now);
	line_write(r, &line);
}

/* The answer of this box to itself. */
static void
answer_here(struct ctl_ping_run *r, base_ns_t now)
{
	struct ctl_ping_line line = {
		.what = CTL_PING_REPLY,
		.seq = r->probe.next,
		.hops = ttl_of(r, r->probe.next),
		.from = r->ask.dst,
		.here = true,
		.ttl = PING_TTL,
		.bytes = (uint16_t)(WIRE_ICMP_LEN + r->ask.payload),
	};

	ctl_probe_sent(&r->probe, now);
	(void)ctl_probe_answer(&r->probe, line.seq, true, true, now, &line.rtt);
	line_write(r, &line);
}

static size_t
packet_len(const struct ctl_ping_run *r)
{
	return wire_echo_overhead(r->ask.dst.family) + r->ask.payload;
}

/* @return 0 or as dp_ctl_send() */
static int
packet_send(struct ctl *c, const struct ctl_ping_run *r, const struct ctl_ping_way *way,
	const uint8_t dst_mac[BASE_MAC_LEN], const uint8_t src_mac[BASE_MAC_LEN])
{
	const struct wire_echo echo = {
		.src = r->src,
		.dst = r->ask.dst,
		.id = r->id,
		.seq = r->probe.next,
		.ttl = ttl_of(r, r->probe.next),
		.payload = r->ask.payload,
	};
	struct rte_mbuf *m = ctl_packet(c, WIRE_ETH_LEN + packet_len(r));
	uint8_t *p;

	if (m == NULL)
		return -ENOMEM;
	p = rte_pktmbuf_mtod(m, uint8_t *);
	memcpy(p, dst_mac, BASE_MAC_LEN);
	memcpy(p + BASE_MAC_LEN, src_mac, BASE_MAC_LEN);
	base_store_be16(p + 12,
		echo.dst.family == BASE_FAMILY_IP4 ? WIRE_ETHERTYPE_IP4 : WIRE_ETHERTYPE_IP6);
	wire_echo_encode(&echo, p + WIRE_ETH_LEN);
	return dp_ctl_send(c->dp, way->if_index, m, DP_NONE);
}

/* @return false: it is asked for, and not known yet; or, where that is given up, will not be */
static bool
next_hop_mac(struct ctl *c, struct ctl_ping_run *r, const struct ctl_ping_way *way,
	uint8_t mac[BASE_MAC_LEN], bool *given_up)
{
	*given_up = false;
	if (way->has_mac) {
		memcpy(mac, way->mac, BASE_MAC_LEN);
		return true;
	}
	if (ctl_nbr_mac(c, way->if_index, &way->next_hop, mac))
		return true;
	if (r->look_until == 0)
		r->look_until = c->now + GIVE_UP_NS;
	r->look_at = c->now + LOOK_NS;
	*given_up = c->now >= r->look_until ||
		fib_nbr_state_of(c->nbr, way->if_index, &way->next_hop) == FIB_NBR_FAILED;
	return false;
}

static void
send_next(struct ctl *c, struct ctl_ping_run *r)
{
	uint8_t dst_mac[BASE_MAC_LEN], src_mac[BASE_MAC_LEN];
	const base_ns_t now = dp_clock();
	struct ctl_ping_way way;
	enum ctl_ping_why why;
	bool given_up;
	int ret;

	if (!ctl_ping_way(c, &r->ask, &way, &why)) {
		unsent(r, why, NULL, now);
		return;
	}
	if (way.here) {
		answer_here(r, now);
		return;
	}
	if (!c->ifs[way.if_index].link_up || c->ifs[way.if_index].admin_down) {
		unsent(r, CTL_PING_NO_LINK, &way, now);
		return;
	}
	if (packet_len(r) > c->conf->ifs[way.if_index].mtu) {
		unsent(r, CTL_PING_TOO_LONG, &way, now);
		return;
	}
	if (!ctl_ping_source_ok(c, &way, &r->src, src_mac)) {
		unsent(r, CTL_PING_NO_SOURCE, NULL, now);
		return;
	}
	if (!next_hop_mac(c, r, &way, dst_mac, &given_up)) {
		if (given_up)
			unsent(r, CTL_PING_NO_NEIGHBOR, &way, now);
		return;
	}
	r->look_until = 0;
	ret = packet_send(c, r, &way, dst_mac, src_mac);
	if (ret == 0)
		ctl_probe_sent(&r->probe, now);
	else
		unsent(r, ret == -ENETDOWN ? CTL_PING_NO_LINK : CTL_PING_NO_BUFFER, &way, now);
}

/* In words, before the first probe. */
static void
say_no_way(struct ctl_ping_run *r, enum ctl_ping_why why)
{
	char dst[CONF_ADDR_STR];

	conf_addr_str(&r->ask.dst, dst);
	if (why == CTL_PING_EDGE)
		SAY(r, "%s is the network, broadcast or anycast address of a subnet, not a host",
			dst);
	else if (why == CTL_PING_ROUTE_SAYS)
		SAY(r, "the route to %s is a blackhole, unreachable or prohibit", dst);
	else
		SAY(r, "there is no route to %s", dst);
}

static bool
source_choose(struct ctl *c, struct ctl_ping_run *r, const struct ctl_ping_way *way)
{
	char addr[CONF_ADDR_STR];
	uint8_t mac[BASE_MAC_LEN];

	r->src = r->ask.src;
	if (r->src.family == BASE_FAMILY_NONE) {
		if (ctl_ping_source(c, way, &r->ask.dst, &r->src))
			return true;
		SAY(r, "%s has no IPv%u address of its own, and no VIP that is MASTER here",
			c->conf->ifs[way->if_index].name, r->ask.dst.family);
		return false;
	}
	if (ctl_ping_source_ok(c, way, &r->src, mac))
		return true;
	SAY(r, "source %s is no address of this box, or a VIP that is not MASTER here",
		conf_addr_str(&r->src, addr));
	return false;
}

/* Choose a way and a source. @return 0, or as ctl_ping_open() with the reason in note */
static int
prepare(struct ctl *c, struct ctl_ping_run *r)
{
	const size_t len = packet_len(r);
	struct ctl_ping_way way;
	enum ctl_ping_why why;
	uint16_t mtu;

	if (!ctl_ping_way(c, &r->ask, &way, &why)) {
		say_no_way(r, why);
		return -EHOSTUNREACH;
	}
	if (!source_choose(c, r, &way))
		return -EADDRNOTAVAIL;
	mtu = c->conf->ifs[way.if_index].mtu;
	if (len <= mtu)
		return 0;
	SAY(r, "size %u makes a packet of %zu bytes, the MTU of %s is %u: at most size %zu",
		r->ask.payload, len, c->conf->ifs[way.if_index].name, mtu,
		(size_t)mtu - wire_echo_overhead(r->ask.dst.family));
	return -EMSGSIZE;
}

/* Of a run that is taken, so that nobody else has its place until this is done. */
static void
begin(struct ctl *c, struct ctl_ping_run *r)
{
	r->result = prepare(c, r);
	if (r->result != 0) {
		if (!ctl_slot_move(&r->state, RUN_TAKEN, RUN_REFUSED))
			slot_free(c, r);
		return;
	}
	r->id = (uint16_t)base_rand_next(&c->rand);
	r->look_at = 0;
	r->look_until = 0;
	ctl_probe_begin(&r->probe, &r->ask.plan, c->now);
	dp_probe_expect(c->dp, (uint16_t)(r - c->pings), &r->ask.dst, r->id);
	/* where that fails the run is abandoned, and ends as one that goes on */
	(void)ctl_slot_move(&r->state, RUN_TAKEN, RUN_GOING);
}

static void
end(struct ctl *c, struct ctl_ping_run *r)
{
	dp_probe_expect(c->dp, (uint16_t)(r - c->pings), NULL, 0);
	if (!ctl_slot_move(&r->state, RUN_GOING, RUN_ENDED))
		slot_free(c, r);
}

static void
serve(struct ctl *c, struct ctl_ping_run *r)
{
	struct ctl_ping_line line = {.what = CTL_PING_LOST};

	if (state_of(r) == RUN_ABANDONED || __atomic_load_n(&r->stop, __ATOMIC_ACQUIRE))
		ctl_probe_stop(&r->probe);
	while (ctl_probe_expire(&r->probe, c->now, &line.seq)) {
		line.hops = ttl_of(r, line.seq);
		line_write(r, &line);
	}
	if (ctl_probe_due(&r->probe, c->now) && c->now >= r->look_at)
		send_next(c, r);
	if (ctl_probe_over(&r->probe))
		end(c, r);
}

static base_ns_t
deadline(const struct ctl_ping_run *r)
{
	base_ns_t at = ctl_probe_deadline(&r->probe);

	return r->look_until != 0 && at < r->look_at ? r->look_at : at;
}

void
ctl_ping_tick(struct ctl *c)
{
	if (__atomic_load_n(&c->n_pings, __ATOMIC_ACQUIRE) == 0)
		return;
	c->ping_at = BASE_NS_NEVER;
	for (unsigned int i = 0; i < CTL_PINGS_MAX; i++) {
		struct ctl_ping_run *r = &c->pings[i];

		if (ctl_slot_move(&r->state, RUN_POSTED, RUN_TAKEN))
			begin(c, r);
		if (is_going(r))
			serve(c, r);
		if (is_going(r) && deadline(r) < c->ping_at)
			c->ping_at = deadline(r);
	}
}

static bool
is_time_exceeded(const struct wire_echo_answer *a)
{
	return a->type ==
		(a->from.family == BASE_FAMILY_IP4 ? WIRE_ICMP_TIME_EXCEEDED
						   : WIRE_ICMP6_TIME_EXCEEDED);
}

static void
answered(struct ctl_ping_run *r, enum wire_echo_kind kind, const struct wire_echo_answer *a)
{
	const bool reply = kind == WIRE_ECHO_REPLY;
	struct ctl_ping_line line = {
		.what = reply ? CTL_PING_REPLY : CTL_PING_ERROR,
		.seq = a->seq,
		.hops = ttl_of(r, a->seq),
		.from = a->from,
		.ttl = a->ttl,
		.bytes = a->bytes,
		.type = a->type,
		.code = a->code,
		.mtu = a->mtu,
	};
	enum ctl_probe_state was = ctl_probe_answer(
		&r->probe, a->seq, reply, reply || !is_time_exceeded(a), dp_clock(), &line.rtt);

	if (was == CTL_PROBE_NONE)
		return;
	if (was == CTL_PROBE_ANSWERED)
		line.what = CTL_PING_DUPLICATE;
	line_write(r, &line);
}

static bool
same(const struct base_addr *a, const struct base_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

void
ctl_ping_input(struct ctl *c, const struct rte_mbuf *m)
{
	struct wire_echo_answer a;
	enum wire_echo_kind kind =
		wire_echo_decode(rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN),
			(size_t)m->data_len - WIRE_ETH_LEN, (size_t)m->pkt_len - WIRE_ETH_LEN, &a);

	for (unsigned int i = 0; i < CTL_PINGS_MAX && kind != WIRE_ECHO_NONE; i++) {
		struct ctl_ping_run *r = &c->pings[i];

		if (state_of(r) == RUN_GOING && r->id == a.id && same(&r->ask.dst, &a.dst) &&
			same(&r->src, &a.src) && same(&r->src, &a.to))
			answered(r, kind, &a);
	}
}

static struct ctl_ping_run *
slot_claim(struct ctl *c)
{
	for (unsigned int i = 0; i < CTL_PINGS_MAX; i++)
		if (ctl_slot_move(&c->pings[i].state, RUN_FREE, RUN_FILLING))
			return &c->pings[i];
	return NULL;
}

static bool
is_waiting(const struct ctl_ping_run *r)
{
	uint32_t state = state_of(r);

	return state == RUN_POSTED || state == RUN_TAKEN;
}

/* Give up waiting. @return false: it has begun, or was refused, at the last moment */
static bool
abandon(struct ctl *c, struct ctl_ping_run *r)
{
	if (!ctl_slot_move(&r->state, RUN_POSTED, RUN_FILLING))
		return ctl_slot_move(&r->state, RUN_TAKEN, RUN_ABANDONED);
	slot_free(c, r);
	return true;
}

int
ctl_ping_open(struct ctl *c, const struct ctl_ping_ask *ask, struct base_addr *src, char *note,
	size_t note_len)
{
	const struct timespec pause = {.tv_nsec = (long)OPEN_PAUSE_NS};
	struct ctl_ping_run *r = slot_claim(c);
	int ret;

	if (r == NULL) {
		snprintf(note, note_len, "%d of them run already, try again later", CTL_PINGS_MAX);
		return -EBUSY;
	}
	r->ask = *ask;
	r->stop = 0;
	r->head = r->tail = r->missed = 0;
	__atomic_fetch_add(&c->n_pings, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&r->state, RUN_POSTED, __ATOMIC_RELEASE);
	for (base_ns_t waited = 0; is_waiting(r); waited += OPEN_PAUSE_NS) {
		if (waited > OPEN_WAIT_NS && abandon(c, r)) {
			snprintf(note, note_len, "the control lcore did not answer in 2 s");
			return -ETIMEDOUT;
		}
		nanosleep(&pause, NULL);
	}
	if (state_of(r) == RUN_REFUSED) {
		snprintf(note, note_len, "%s", r->note);
		ret = r->result;
		slot_free(c, r);
		return ret;
	}
	*src = r->src;
	return (int)(r - c->pings);
}

uint32_t
ctl_ping_read(struct ctl *c, int run, struct ctl_ping_line *out, uint32_t cap)
{
	struct ctl_ping_run *r = &c->pings[run];
	uint32_t head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE), n = 0;

	while (n < cap && r->tail + n != head) {
		out[n] = r->line[(r->tail + n) % CTL_PING_LINES];
		n++;
	}
	__atomic_store_n(&r->tail, r->tail + n, __ATOMIC_RELEASE);
	return n;
}

bool
ctl_ping_ended(const struct ctl *c, int run, struct ctl_probe_sum *sum, uint32_t *missed)
{
	const struct ctl_ping_run *r = &c->pings[run];

	if (state_of(r) != RUN_ENDED)
		return false;
	*sum = r->probe.sum;
	*missed = r->missed;
	return true;
}

void
ctl_ping_stop(struct ctl *c, int run)
{
	__atomic_store_n(&c->pings[run].stop, 1, __ATOMIC_RELEASE);
}

void
ctl_ping_close(struct ctl *c, int run)
{
	if (!ctl_slot_move(&c->pings[run].state, RUN_GOING, RUN_ABANDONED))
		slot_free(c, &c->pings[run]);
}
