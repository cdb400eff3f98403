/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Time, events, one run. */

#include "sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sweeps look at what no event would show: nobody advertises, somebody does not. */
#define SWEEPS_PER_UNIT 3
/* A send-error entry of a box that no longer sends ends by itself after 60 s (election). */
#define LEDGER_WAIT_NS (62 * BASE_NS_PER_S)
/* Two windows of the longest, begun as late as can be, and a while to be sure. */
#define STAGES_MAX_NS (200 * BASE_NS_PER_S)

const char *
sim_scenario_name(enum scenario c)
{
	static const char *const names[] = {
#define SCENARIO(sym, name, weight, text) name,
#include "scenarios.def"
#undef SCENARIO
	};

	return names[c];
}

const char *
sim_check_name(enum check_id c)
{
	static const char *const names[] = {
#define CHECK(sym, name, text) name,
#include "checks.def"
#undef CHECK
	};

	return names[c];
}

enum scenario
sim_scenario_of(uint64_t seed)
{
	static const uint8_t weights[] = {
#define SCENARIO(sym, name, weight, text) weight,
#include "scenarios.def"
#undef SCENARIO
	};
	struct base_rand r;
	unsigned int sum = 0, at;

	for (unsigned int i = 0; i < SCENARIO_COUNT; i++)
		sum += weights[i];
	base_rand_init(&r, ~seed);
	at = (unsigned int)base_rand_below(&r, sum);
	for (unsigned int i = 0; i < SCENARIO_COUNT; i++) {
		if (at < weights[i])
			return (enum scenario)i;
		at -= weights[i];
	}
	return SCENARIO_MIX;
}

base_ns_t
sim_local(const struct node *n, base_ns_t global)
{
	return n->offset + global + (base_ns_t)((int64_t)global * n->ppb / 1000000000);
}

base_ns_t
sim_global(const struct node *n, base_ns_t local)
{
	if (local == BASE_NS_NEVER)
		return BASE_NS_NEVER;
	if (local <= n->offset)
		return 0;
	int64_t x = (int64_t)(local - n->offset);
	base_ns_t t = (base_ns_t)(x - x / 1000000000 * n->ppb);

	/* the first guess is off by the square of the rate, and by the rounding */
	for (unsigned int i = 0; i < 2; i++)
		t = (base_ns_t)((int64_t)t + (int64_t)(local - sim_local(n, t)));
	while (sim_local(n, t) < local)
		t++;
	while (t > 0 && sim_local(n, t - 1) >= local)
		t--;
	return t;
}

base_ns_t
sim_global_span(const struct node *n, base_ns_t local)
{
	return local + (base_ns_t)((int64_t)local * (n->ppb < 0 ? -n->ppb : n->ppb) / 999000000) +
		1;
}

void
sim_at(struct sim *s, unsigned int id, base_ns_t t)
{
	base_heap_set(&s->heap, id, t != BASE_NS_NEVER && t < s->now ? s->now : t);
}

uint64_t
sim_draw(struct sim *s, uint64_t bound)
{
	return base_rand_below(&s->rand, bound);
}

bool
sim_chance(struct sim *s, unsigned int percent)
{
	return sim_draw(s, 100) < percent;
}

static void
print_time(base_ns_t t)
{
	printf("%10.6f ", (double)(int64_t)(t - T0) / 1e9);
}

void
sim_trace(const struct sim *s, const struct node *n, const char *fmt, ...)
{
	va_list ap;

	print_time(s->now);
	if (n != NULL)
		printf("box %u (%s): ", n->id,
			n->kind == NODE_KOI ? "koi" : peer_kind_name(n->kind));
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void
sim_fail(struct sim *s, enum check_id check, const char *fmt, ...)
{
	va_list ap;

	if (s->failed || !(s->checks >> check & 1))
		return;
	s->failed = true;
	s->failed_check = check;
	int n = snprintf(s->failure, sizeof(s->failure), "%s at %.6f s: ", sim_check_name(check),
		(double)(int64_t)(s->now - T0) / 1e9);

	va_start(ap, fmt);
	vsnprintf(s->failure + n, sizeof(s->failure) - (size_t)n, fmt, ap);
	va_end(ap);
	TRACE(s, NULL, "FAILED %s", s->failure);
}

struct sim *
sim_new(void)
{
	struct sim *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->heap_mem = malloc(base_heap_size(HEAP_IDS));
	if (s->heap_mem == NULL)
		abort();
	base_heap_init(&s->heap, HEAP_IDS, s->heap_mem);
	for (unsigned int i = 0; i < SIM_GROUPS; i++) {
		struct group *g = &s->group[i];
		uint8_t key[AUTH_KEY_LEN] = {0};
		struct base_addr vips[SIM_FAMILIES * SIM_VIPS];

		g->vhid = (uint8_t)(1 + i);
		for (unsigned int v = 0; v < SIM_VIPS; v++) {
			g->vip[0][v] = base_addr_from_ip4(UINT32_C(0x0a010000) + i * SIM_VIPS + v);
			g->vip[1][v] = (struct base_addr){BASE_FAMILY_IP6,
				{0x20, 1, 0xd, 0xb8, [14] = (uint8_t)i, (uint8_t)v}};
		}
		for (unsigned int k = 0; k < KEY_COUNT * (1u << SIM_FAMILIES); k++) {
			unsigned int mask = k / KEY_COUNT;
			uint16_t n = 0;

			for (unsigned int v = 0; v < SIM_FAMILIES * SIM_VIPS; v++)
				if (mask >> v / SIM_VIPS & 1 &&
					(k % KEY_COUNT != KEY_VIPS || v % SIM_VIPS < SIM_VIPS - 1))
					vips[n++] = g->vip[v / SIM_VIPS][v % SIM_VIPS];
			key[0] = k % KEY_COUNT == KEY_VIPS ? 'a' : (uint8_t)('a' + k % KEY_COUNT);
			key[1] = g->vhid;
			g->auth_of[mask][k % KEY_COUNT] = auth_group_create(key, g->vhid, vips, n);
			if (g->auth_of[mask][k % KEY_COUNT] == NULL)
				abort();
		}
	}
	for (unsigned int i = 0; i < SIM_NODES; i++) {
		struct node *n = &s->node[i];
		size_t size = (election_size(SIM_SEGS, SIM_GROUPS) + 63) & ~(size_t)63;

		n->e = aligned_alloc(64, size);
		n->out.cap = 2 * (ELECTION_ACTIONS_MIN + SIM_GROUPS * ELECTION_ACTIONS_MIN);
		n->out.act = calloc(n->out.cap, sizeof(*n->out.act));
		if (n->e == NULL || n->out.act == NULL)
			abort();
	}
	s->checks = UINT64_MAX;
	return s;
}

void
sim_free(struct sim *s)
{
	for (unsigned int i = 0; i < SIM_GROUPS; i++)
		for (unsigned int k = 0; k < KEY_COUNT * (1u << SIM_FAMILIES); k++)
			auth_group_destroy(s->group[i].auth_of[k / KEY_COUNT][k % KEY_COUNT]);
	for (unsigned int i = 0; i < SIM_NODES; i++) {
		free(s->node[i].e);
		free(s->node[i].out.act);
	}
	free(s->heap_mem);
	free(s);
}

static void
dispatch(struct sim *s, unsigned int id)
{
	if (id >= HEAP_DELIVERY) {
		net_arrive(s, (uint16_t)(id - HEAP_DELIVERY));
	} else if (id == HEAP_SWEEP) {
		check_sweep(s);
		sim_at(s, HEAP_SWEEP, s->now + s->unit / SWEEPS_PER_UNIT);
	} else if (id == HEAP_RELOAD) {
		if (s->scenario == SCENARIO_STAGE)
			stage_next(s);
		else
			reload_next(s);
	} else if (id >= HEAP_STAGE) {
		id -= HEAP_STAGE;
		stage_step(s, &s->node[id / SIM_GROUPS], (uint16_t)(id % SIM_GROUPS));
	} else if (id == HEAP_MEDDLE) {
		plan_meddle(s);
	} else if (id >= HEAP_PEER_DOWN) {
		id -= HEAP_PEER_DOWN;
		peer_down_timer(s, &s->node[id / SIM_FAMILIES / SIM_GROUPS],
			(uint16_t)(id / SIM_FAMILIES % SIM_GROUPS), (uint8_t)(id % SIM_FAMILIES));
	} else if (id >= HEAP_PEER_ADVERT) {
		id -= HEAP_PEER_ADVERT;
		peer_advert_timer(s, &s->node[id / SIM_GROUPS], (uint16_t)(id % SIM_GROUPS));
	} else if (id >= HEAP_LINK_UP) {
		plan_link(s, &s->node[(id - HEAP_LINK_UP) / SIM_SEGS],
			(uint8_t)((id - HEAP_LINK_UP) % SIM_SEGS), true);
	} else if (id >= HEAP_RESTART) {
		plan_restart(s, &s->node[id - HEAP_RESTART]);
	} else if (id >= HEAP_WORKER_RESUME) {
		box_worker_resume(s, &s->node[id - HEAP_WORKER_RESUME]);
	} else if (id >= HEAP_CTL_RESUME) {
		box_ctl_resume(s, &s->node[id - HEAP_CTL_RESUME]);
	} else {
		box_turn(s, &s->node[id]);
	}
}

static void
run_until(struct sim *s, base_ns_t t)
{
	while (!s->failed) {
		base_ns_t first = base_heap_first(&s->heap);

		if (first > t)
			break;
		unsigned int id = base_heap_first_id(&s->heap);

		base_heap_set(&s->heap, id, BASE_NS_NEVER);
		s->now = first;
		s->stats->events++;
		dispatch(s, id);
	}
	if (!s->failed)
		s->now = t;
}

static bool
all_quiet(const struct sim *s)
{
	for (uint16_t g = 0; g < s->n_groups; g++)
		if (s->group[g].odd_since != BASE_NS_NEVER ||
			s->group[g].owners_odd_since != BASE_NS_NEVER)
			return false;
	return true;
}

static base_ns_t
longest_bound(const struct sim *s)
{
	base_ns_t longest = 0;

	for (uint16_t g = 0; g < s->n_groups; g++) {
		base_ns_t b = check_bound(s, g);

		if (b > longest)
			longest = b;
	}
	return longest;
}

/* Give everything its bound, and those that may take longer what they take. */
static void
settle(struct sim *s)
{
	base_ns_t step = s->unit * 5, end = s->now + 4 * longest_bound(s) + 10 * s->unit;

	run_until(s, s->now + step);
	while (!s->failed && s->now < end && !all_quiet(s))
		run_until(s, s->now + step);
	/* so that "exactly one" was so for a while, and demotions have come and gone */
	run_until(s, s->now + step);
	check_sweep(s);
}

/* Windows end, whatever was decided; who waits for a master's last word hears it. */
static void
finish_stages(struct sim *s)
{
	base_ns_t end = s->now + STAGES_MAX_NS;

	while (!s->failed && s->now < end && stage_busy(s))
		run_until(s, s->now + s->unit);
	stage_end(s);
}

static bool
send_errors(const struct sim *s)
{
	for (uint8_t i = 0; i < s->n_nodes; i++)
		for (uint16_t g = 0; g < s->n_groups; g++)
			if (s->node[i].koi[g].sh.send_error)
				return true;
	return false;
}

bool
sim_run(struct sim *s, uint64_t seed, enum scenario scenario)
{
	while (s->heap.n > 0)
		base_heap_set(&s->heap, base_heap_first_id(&s->heap), BASE_NS_NEVER);
	base_rand_init(&s->rand, seed);
	s->seed = seed;
	s->scenario = scenario;
	s->now = T0;
	s->failed = false;
	s->failure[0] = '\0';
	s->phase = PHASE_CHAOS;
	net_init(s);
	plan_build(s);
	check_init(s);
	sim_at(s, HEAP_SWEEP, s->now + s->unit);
	plan_start(s);
	run_until(s, s->phase_end);
	s->phase = PHASE_WHOLE;
	s->whole_since = s->now;
	plan_heal(s);
	if (scenario == SCENARIO_STAGE)
		finish_stages(s);
	settle(s);
	if (!s->failed && !s->fast && send_errors(s) && sim_chance(s, 30)) {
		run_until(s, s->now + LEDGER_WAIT_NS);
		settle(s);
	}
	if (!s->failed && (scenario == SCENARIO_CALM || sim_chance(s, 30))) {
		s->phase = PHASE_PROBE;
		plan_probe(s);
		settle(s);
		plan_probe_end(s);
	}
	s->stats->seeds++;
	s->stats->simulated_ns += s->now - T0;
	s->stats->failed += s->failed;
	return !s->failed;
}
