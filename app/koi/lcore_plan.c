/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "lcore_plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NO_CPU UINT16_MAX

/* Work in progress: who sits where, by index into machine->cpus. */
struct draft {
	const struct conf_lcores *conf;
	const struct lcore_machine *m;
	int node;	    /* that the devices are on, or LCORE_NODE_ANY */
	bool isolated_only; /* control and workers stay on isolated CPUs */
	uint16_t main, control;
	uint16_t n_workers;
	uint16_t workers[CONF_WORKER_MAX];
	uint16_t load[LCORE_CPU_MAX];	   /* control and workers per CPU */
	uint16_t core_load[LCORE_CPU_MAX]; /* the same per physical core, by lcore_cpu.core */
};

const char *
lcore_role_name(enum lcore_role r)
{
	switch (r) {
	case LCORE_MAIN:
		return "main";
	case LCORE_CONTROL:
		return "control";
	case LCORE_WORKER:
		return "worker";
	}
	return "?";
}

static void warn(struct lcore_plan *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
warn(struct lcore_plan *p, const char *fmt, ...)
{
	va_list ap;

	if (p->n_warnings == LCORE_WARNING_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(p->warning[p->n_warnings++], sizeof(p->warning[0]), fmt, ap);
	va_end(ap);
}

const char *
lcore_cpu_list(const struct lcore_cpu *cpus, uint16_t n, char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = '\0';
	for (uint16_t i = 0; i < n && at < len; i++) {
		const uint16_t first = i;
		int k;

		while (i + 1 < n && cpus[i + 1].cpu == cpus[i].cpu + 1)
			i++;
		k = snprintf(buf + at, len - at, i > first ? "%s%u-%u" : "%s%u", at ? "," : "",
			cpus[first].cpu, cpus[i].cpu);
		at += k > 0 ? (size_t)k : 0;
	}
	return buf;
}

/* The node most devices are on. */
static int
common_node(const struct lcore_machine *m)
{
	int best = LCORE_NODE_ANY;
	unsigned int best_count = 0;

	for (uint16_t i = 0; m->device_node != NULL && i < m->n_devices; i++) {
		unsigned int count = 0;

		for (uint16_t k = 0; k < m->n_devices; k++)
			count += m->device_node[k] == m->device_node[i];
		if (m->device_node[i] != LCORE_NODE_ANY && count > best_count) {
			best = m->device_node[i];
			best_count = count;
		}
	}
	return best;
}

static uint16_t
find_cpu(const struct lcore_machine *m, uint16_t cpu)
{
	for (uint16_t i = 0; i < m->n_cpus; i++) {
		if (m->cpus[i].cpu == cpu)
			return i;
	}
	return NO_CPU;
}

/*
 * Where a role that does work goes: first of all to a CPU with little else to do, then to an
 * isolated one, then to the devices' node, then to a core whose other hyperthread has nothing of
 * ours, and to the first CPU only when nothing else is left: interrupts and whatever else the
 * machine does gather there.
 */
static bool
better_for_work(const struct draft *d, uint16_t a, uint16_t b)
{
	const struct lcore_cpu *x = &d->m->cpus[a], *y = &d->m->cpus[b];

	if (d->load[a] != d->load[b])
		return d->load[a] < d->load[b];
	if (x->isolated != y->isolated)
		return x->isolated;
	if (d->node != LCORE_NODE_ANY && (x->node == d->node) != (y->node == d->node))
		return x->node == d->node;
	if (d->core_load[x->core] != d->core_load[y->core])
		return d->core_load[x->core] < d->core_load[y->core];
	if ((a == 0) != (b == 0))
		return b == 0;
	return a < b;
}

static void
take(struct draft *d, uint16_t at)
{
	d->load[at]++;
	d->core_load[d->m->cpus[at].core]++;
}

static uint16_t
pick_for_work(struct draft *d)
{
	uint16_t best = NO_CPU;

	for (uint16_t i = 0; i < d->m->n_cpus; i++) {
		if (d->isolated_only && !d->m->cpus[i].isolated)
			continue;
		if (best == NO_CPU || better_for_work(d, i, best))
			best = i;
	}
	take(d, best);
	return best;
}

/*
 * Main serves the operator and sleeps: it keeps off isolated CPUs and off the others' as far as it
 * can. Where it cannot, it is the control lcore that it disturbs least: that has deadlines of
 * milliseconds, a worker's queue overflows in microseconds.
 */
static uint16_t
pick_for_main(const struct draft *d)
{
	uint16_t best = NO_CPU;

	for (uint16_t i = 0; i < d->m->n_cpus; i++) {
		if (d->load[i] != 0)
			continue;
		if (best == NO_CPU || (d->m->cpus[best].isolated && !d->m->cpus[i].isolated))
			best = i;
	}
	return best == NO_CPU ? d->control : best;
}

static uint16_t
count_isolated(const struct lcore_machine *m)
{
	uint16_t n = 0;

	for (uint16_t i = 0; i < m->n_cpus; i++)
		n = (uint16_t)(n + m->cpus[i].isolated);
	return n;
}

/*
 * One worker forwards millions of frames a second; more are worth their wake-ups only where CPUs
 * are left over besides main and control, and no more than there are devices, since devices with
 * one queue would leave the others idle.
 */
static uint16_t
count_workers(const struct draft *d)
{
	uint16_t room = d->m->n_cpus, n;

	if (d->conf->n_workers != 0)
		return d->conf->n_workers;
	/* Main sits outside them. */
	if (d->isolated_only && count_isolated(d->m) < room)
		room = (uint16_t)(count_isolated(d->m) + 1);
	if (room < 4)
		return 1;
	n = (uint16_t)(room - 2);
	if (n > d->m->n_devices)
		n = d->m->n_devices;
	if (n > CONF_WORKER_MAX)
		n = CONF_WORKER_MAX;
	return n > 0 ? n : 1;
}

static int
place_given(
	struct draft *d, const char *what, uint16_t cpu, uint16_t *out, char *err, size_t err_len)
{
	char list[128];

	*out = find_cpu(d->m, cpu);
	if (*out == NO_CPU) {
		snprintf(err, err_len, "lcores: %s: CPU %u is not one that koi may use (%s)", what,
			cpu, lcore_cpu_list(d->m->cpus, d->m->n_cpus, list, sizeof(list)));
		return -EINVAL;
	}
	take(d, *out);
	return 0;
}

static int
place(struct draft *d, char *err, size_t err_len)
{
	int ret;

	/* What was asked for by number has its place before anything is chosen around it. */
	if (d->conf->control != CONF_CPU_AUTO) {
		ret = place_given(d, "control", d->conf->control, &d->control, err, err_len);
		if (ret != 0)
			return ret;
	}
	for (uint16_t i = 0; i < d->conf->n_workers; i++) {
		ret = place_given(d, "workers", d->conf->workers[i], &d->workers[i], err, err_len);
		if (ret != 0)
			return ret;
	}
	/* Two isolated CPUs are enough for an admin to have meant them for us. */
	d->isolated_only = d->conf->control == CONF_CPU_AUTO && d->conf->n_workers == 0 &&
		count_isolated(d->m) >= 2;
	d->n_workers = count_workers(d);
	/* Control first: it is only one, and a failover waits for nobody else. */
	if (d->conf->control == CONF_CPU_AUTO)
		d->control = pick_for_work(d);
	for (uint16_t i = d->conf->n_workers; i < d->n_workers; i++)
		d->workers[i] = pick_for_work(d);
	d->main = pick_for_main(d);
	return 0;
}

/*
 * Threads that never sleep starve each other where they share a CPU: two such on one make gaps of
 * a scheduler's slice, many milliseconds, in both. And a real-time one that never sleeps starves
 * everything, also the main lcore that should stop it.
 */
static int
check_sharing(struct lcore_plan *p, const struct conf_lcores *conf, char *err, size_t err_len)
{
	if (conf->idle != CONF_IDLE_POLL)
		return 0;
	for (uint16_t i = 0; i < p->n; i++) {
		const struct lcore_seat *a = &p->seat[i];

		for (uint16_t k = 0; k < i; k++) {
			const struct lcore_seat *b = &p->seat[k];
			const bool with_main = b->role == LCORE_MAIN;

			if (a->cpu != b->cpu && a->cpu != LCORE_CPU_FLOAT &&
				b->cpu != LCORE_CPU_FLOAT)
				continue;
			if (with_main && conf->rt_priority == 0) {
				if (a->cpu == b->cpu)
					warn(p, "CPU %d: main and %s share it, and with \"idle\": \"poll\" each command takes time from the other",
						a->cpu, lcore_role_name(a->role));
				continue;
			}
			snprintf(err, err_len,
				"lcores: \"idle\": \"poll\"%s: %s and %s would share %s; give each its own, or use \"adaptive\"",
				with_main ? " with \"rt-priority\"" : "", lcore_role_name(b->role),
				lcore_role_name(a->role),
				a->cpu == LCORE_CPU_FLOAT || b->cpu == LCORE_CPU_FLOAT ? "CPUs"
										       : "a CPU");
			return -EINVAL;
		}
	}
	return 0;
}

static struct lcore_seat *
seat(struct lcore_plan *p, enum lcore_role role, uint16_t lcore, int cpu, int node)
{
	struct lcore_seat *s = &p->seat[p->n++];

	*s = (struct lcore_seat){
		.role = role,
		.worker = p->n_workers,
		.lcore = lcore,
		.cpu = cpu,
		.node = node,
	};
	if (role == LCORE_CONTROL)
		p->control_lcore = lcore;
	else if (role == LCORE_WORKER)
		p->worker_lcore[p->n_workers++] = lcore;
	return s;
}

/* The first seat is main's, the second control's. */
static enum lcore_role
role_of(uint16_t i)
{
	return i == 0 ? LCORE_MAIN : i == 1 ? LCORE_CONTROL : LCORE_WORKER;
}

/* Append a reason. */
static void
because(struct lcore_seat *s, const char *why)
{
	const size_t at = strlen(s->why);

	snprintf(s->why + at, sizeof(s->why) - at, "%s%s", at > 0 ? ", " : "", why);
}

static void
seat_on(struct lcore_plan *p, const struct draft *d, enum lcore_role role, uint16_t at, bool given)
{
	const struct lcore_cpu *c = &d->m->cpus[at];
	const bool work = role != LCORE_MAIN;
	struct lcore_seat *s = seat(p, role, p->n, c->cpu, c->node);

	if (given)
		because(s, "as configured");
	if (c->isolated)
		because(s, "isolated");
	if (work && d->node != LCORE_NODE_ANY)
		because(s,
			c->node == d->node ? "the devices' NUMA node"
					   : "not the devices' NUMA node");
	if (d->load[at] > work)
		because(s, "shares the CPU");
	else if (d->core_load[c->core] > work)
		because(s, "shares the core with another hyperthread");
	else
		because(s, "nothing else of koi there");
	/* Main sleeps; of two that work each slows the other. */
	for (uint16_t i = 1; work && i + 1 < p->n; i++) {
		const struct lcore_seat *o = &p->seat[i];

		if (o->cpu != s->cpu &&
			d->m->cpus[find_cpu(d->m, (uint16_t)o->cpu)].core == c->core)
			warn(p, "CPUs %d and %d, %s and %s, are hyperthreads of one core: each runs at about half speed while both work",
				o->cpu, s->cpu, lcore_role_name(o->role), lcore_role_name(role));
	}
}

static void
seat_pinned(struct lcore_plan *p, const struct draft *d)
{
	size_t at = 0;

	seat_on(p, d, LCORE_MAIN, d->main, false);
	seat_on(p, d, LCORE_CONTROL, d->control, d->conf->control != CONF_CPU_AUTO);
	for (uint16_t i = 0; i < d->n_workers; i++)
		seat_on(p, d, LCORE_WORKER, d->workers[i], i < d->conf->n_workers);
	for (uint16_t i = 0; i < p->n; i++) {
		int k = snprintf(p->lcores + at, sizeof(p->lcores) - at, "%s%u@%d", i ? "," : "",
			p->seat[i].lcore, p->seat[i].cpu);

		at += k > 0 ? (size_t)k : 0;
	}
}

/*
 * Fewer CPUs than roles, and nobody asked for a particular one: the kernel's scheduler moves
 * sleeping threads to whichever CPU is free better than a fixed table could. Not to isolated ones:
 * a thread stays there, or outside, where it was started.
 */
static void
seat_floating(struct lcore_plan *p, const struct draft *d)
{
	const struct lcore_machine *m = d->m;
	const int cpu = m->n_cpus == 1 ? m->cpus[0].cpu : LCORE_CPU_FLOAT;
	int node = m->cpus[0].node;
	char list[128], why[64];

	for (uint16_t i = 1; i < m->n_cpus; i++) {
		if (m->cpus[i].node != node)
			node = LCORE_NODE_ANY;
	}
	snprintf(why, sizeof(why), "%u CPU%s for %u lcores", m->n_cpus, m->n_cpus == 1 ? "" : "s",
		d->n_workers + 2u);
	for (uint16_t i = 0; i < d->n_workers + 2u; i++)
		because(seat(p, role_of(i), i, cpu, node), why);
	snprintf(p->lcores, sizeof(p->lcores), "(0-%d)@(%s)", p->n - 1,
		lcore_cpu_list(m->cpus, m->n_cpus, list, sizeof(list)));
}

int
lcore_plan_make(struct lcore_plan *plan, const struct conf_lcores *conf,
	const struct lcore_machine *machine, char *err, size_t err_len)
{
	struct draft d = {.conf = conf, .m = machine, .node = common_node(machine)};
	int ret;

	memset(plan, 0, sizeof(*plan));
	if (machine->n_cpus == 0 || machine->n_cpus > LCORE_CPU_MAX) {
		snprintf(err, err_len, "lcores: %u CPUs to use, 1 to %d are possible",
			machine->n_cpus, LCORE_CPU_MAX);
		return -EINVAL;
	}
	ret = place(&d, err, err_len);
	if (ret != 0)
		return ret;
	if (conf->control == CONF_CPU_AUTO && conf->n_workers == 0 &&
		machine->n_cpus < d.n_workers + 2 && conf->idle != CONF_IDLE_POLL &&
		(machine->n_cpus == 1 || count_isolated(machine) == 0))
		seat_floating(plan, &d);
	else
		seat_pinned(plan, &d);
	return check_sharing(plan, conf, err, err_len);
}

int
lcore_plan_adopt(struct lcore_plan *plan, const struct conf_lcores *conf,
	const struct lcore_given *given, uint16_t n, char *err, size_t err_len)
{
	memset(plan, 0, sizeof(*plan));
	if (n < 3 || n > LCORE_ROLE_MAX) {
		snprintf(err, err_len,
			"EAL was given %u lcores; koi needs one for main, one for control and 1 to %d for workers",
			n, CONF_WORKER_MAX);
		return -EINVAL;
	}
	for (uint16_t i = 0; i < n; i++)
		because(seat(plan, role_of(i), given[i].lcore, given[i].cpu, given[i].node),
			"by EAL's options");
	return check_sharing(plan, conf, err, err_len);
}

void
lcore_plan_check_numa(
	struct lcore_plan *plan, const char *const *device, const int *device_node, uint16_t n)
{
	for (uint16_t i = 0; i < plan->n; i++) {
		const struct lcore_seat *s = &plan->seat[i];

		if (s->role != LCORE_WORKER || s->node == LCORE_NODE_ANY)
			continue;
		for (uint16_t k = 0; k < n; k++) {
			if (device_node[k] != LCORE_NODE_ANY && device_node[k] != s->node)
				warn(plan,
					"worker %u on CPU %d, NUMA node %d, polls %s of node %d: each frame crosses nodes",
					s->worker, s->cpu, s->node, device[k], device_node[k]);
		}
	}
}
