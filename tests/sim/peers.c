/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Models of NetBSD, OpenBSD, FreeBSD and ucarp, by the columns of protocol note 2.3 (counters), 4
 * (timers), 4.1 (demotion), 5.1 (events) and 5.2 (election). Interrupts do not wait: they have no
 * turns, rings or stalls.
 */

#include <string.h>

#include "sim.h"

const char *
peer_kind_name(enum node_kind k)
{
	static const char *const names[] = {"koi", "NetBSD", "OpenBSD", "FreeBSD", "ucarp"};

	return names[k];
}

/* What the node compares with, and what but for OpenBSD's byte 4 goes out. */
struct election_priority
peer_priority(const struct sim *s, const struct node *n, uint16_t group)
{
	struct election_priority p = {
		.advbase = s->group[group].advbase, .advskew = n->skew[group]};

	switch (n->kind) {
	case NODE_NETBSD:
		if (n->suppress > 0 && p.advskew < 240)
			p.advskew = 240;
		break;
	case NODE_FREEBSD:
		p.advskew =
			(uint8_t)(p.advskew + n->suppress < 240 ? p.advskew + n->suppress : 240);
		break;
	case NODE_OPENBSD:
		p.demotion = (uint8_t)(n->suppress < 255 ? n->suppress : 255);
		break;
	case NODE_KOI:
	case NODE_UCARP:
	case NODE_KINDS:
		break;
	}
	return p;
}

/* Callouts fire on a tick and one later: 100 Hz but for FreeBSD's 1000. */
static base_ns_t
rounded(const struct node *n, base_ns_t t)
{
	base_ns_t tick = n->kind == NODE_FREEBSD ? BASE_NS_PER_MS : 10 * BASE_NS_PER_MS;

	return n->kind == NODE_UCARP ? t : (t + tick - 1) / tick * tick + tick;
}

base_ns_t
peer_master_down(const struct sim *s, const struct node *n, uint16_t group)
{
	base_ns_t base = s->group[group].advbase * BASE_NS_PER_S;
	base_ns_t skew = n->skew[group] * BASE_NS_PER_SKEW;

	return rounded(n, n->kind == NODE_OPENBSD ? 3 * (base + skew) : 3 * base + skew);
}

static void
arm(struct sim *s, const struct node *n, unsigned int id, base_ns_t after)
{
	sim_at(s, id, after == BASE_NS_NEVER ? after : sim_global(n, sim_local(n, s->now) + after));
}

static void
arm_advert(struct sim *s, const struct node *n, uint16_t group, base_ns_t after)
{
	arm(s, n, HEAP_PEER_ADVERT + n->id * (unsigned int)SIM_GROUPS + group, after);
}

/* Each family has a timer of its own, and any of them takes over. */
static void
arm_family(struct sim *s, const struct node *n, uint16_t group, uint8_t family, base_ns_t after)
{
	arm(s, n,
		HEAP_PEER_DOWN +
			(n->id * (unsigned int)SIM_GROUPS + group) * (unsigned int)SIM_FAMILIES +
			family,
		after);
}

static void
arm_down(struct sim *s, const struct node *n, uint16_t group, base_ns_t after)
{
	for (uint8_t f = 0; f < SIM_FAMILIES; f++)
		arm_family(
			s, n, group, f, s->group[group].families >> f & 1 ? after : BASE_NS_NEVER);
}

static uint64_t
next_counter(struct sim *s, struct node *n, uint16_t group)
{
	struct peer_group *g = &n->peer[group];

	if (n->kind == NODE_OPENBSD)
		return n->cookie;
	if (!g->counter_known)
		return base_rand_next(&s->rand);
	return ++g->counter;
}

static void
advertise(struct sim *s, struct node *n, uint16_t group, bool bow_out)
{
	struct election_priority p = peer_priority(s, n, group);

	if (bow_out)
		p.advbase = p.advskew = 255;
	TRACE(s, n, "group %u advertises %u/%u/%u", group, p.advbase, p.advskew, p.demotion);
	for (uint8_t f = 0; f < SIM_FAMILIES; f++) {
		if (!(s->group[group].families >> f & 1))
			continue;
		uint16_t frame = net_advert(s, group, f, (enum sim_key)n->key[group],
			&n->port[s->group[group].seg].addr[f], &p, next_counter(s, n, group));

		if (frame == NONE)
			return;
		s->frame[frame].from = n->id;
		s->frame[frame].life = n->life;
		net_send(s, n, frame);
	}
}

static void
set_state(struct sim *s, struct node *n, uint16_t group, enum election_state to)
{
	TRACE(s, n, "group %u: %s -> %s", group, election_state_name(n->state[group]),
		election_state_name(to));
	check_state(s, n, group, to);
}

static void
advertise_and_arm(struct sim *s, struct node *n, uint16_t group)
{
	struct election_priority p = peer_priority(s, n, group);
	uint8_t skew = p.advskew;

	/* the run function arms the timer after the first advert with the configured skew */
	if (n->peer[group].first_interval)
		skew = n->skew[group];
	n->peer[group].first_interval = false;
	base_ns_t step = rounded(n, oracle_interval(p.advbase, n->skew[group], skew));

	check_promise(n, group, sim_global_span(n, step));
	advertise(s, n, group, false);
	arm_advert(s, n, group, step);
}

static void
become_master(struct sim *s, struct node *n, uint16_t group)
{
	set_state(s, n, group, ELECTION_MASTER);
	arm_down(s, n, group, BASE_NS_NEVER);
	n->peer[group].first_interval = true;
	advertise_and_arm(s, n, group);
}

static void
become_backup(struct sim *s, struct node *n, uint16_t group)
{
	set_state(s, n, group, ELECTION_BACKUP);
	arm_advert(s, n, group, BASE_NS_NEVER);
	arm_down(s, n, group, peer_master_down(s, n, group));
}

static void
become_init(struct sim *s, struct node *n, uint16_t group)
{
	set_state(s, n, group, ELECTION_INIT);
	arm_advert(s, n, group, BASE_NS_NEVER);
	arm_down(s, n, group, BASE_NS_NEVER);
}

static void
run(struct sim *s, struct node *n, uint16_t group)
{
	if (n->state[group] == ELECTION_INIT && check_runnable(n, &s->group[group], group))
		become_backup(s, n, group);
}

/* A kernel that booted knows nothing of before; one that was cut off for a while goes on. */
static bool
booted(const struct sim *s, const struct node *n)
{
	base_ns_t longest = 0;

	for (uint16_t i = 0; i < s->n_groups; i++) {
		base_ns_t down = peer_master_down(s, n, i);

		longest = down > longest ? down : longest;
	}
	return n->down_since == 0 || s->now - n->down_since > 3 * longest;
}

void
peer_start(struct sim *s, struct node *n)
{
	if (booted(s, n)) {
		memset(n->peer, 0, sizeof(n->peer));
		n->cookie = base_rand_next(&s->rand) | 1;
	}
	n->alive = true;
	n->life++;
	n->suppress = 0;
	check_touch_node(s, n);
	TRACE(s, n, "starts, preempt %d", n->preempt);
	for (uint16_t i = 0; i < s->n_segs; i++) {
		n->port[i].link_told = n->port[i].link;
		n->suppress += n->port[i].link ? 0 : n->kind == NODE_FREEBSD ? 240 : 1;
	}
	for (uint16_t i = 0; i < s->n_groups; i++)
		run(s, n, i);
}

void
peer_crash(struct sim *s, struct node *n)
{
	TRACE(s, n, "stops");
	n->alive = false;
	n->down_since = s->now;
	check_touch_node(s, n);
	for (uint16_t i = 0; i < s->n_groups; i++)
		become_init(s, n, i);
}

void
peer_advert_timer(struct sim *s, struct node *n, uint16_t group)
{
	if (n->state[group] == ELECTION_MASTER)
		advertise_and_arm(s, n, group);
}

void
peer_down_timer(struct sim *s, struct node *n, uint16_t group, uint8_t family)
{
	(void)family;
	if (n->state[group] == ELECTION_BACKUP)
		become_master(s, n, group);
}

static bool
yields(const struct node *n, const struct election_priority *own,
	const struct election_priority *ch, uint32_t own_addr, uint32_t peer_addr)
{
	uint32_t mine = oracle_rank(own), theirs = oracle_rank(ch);

	if (n->kind == NODE_OPENBSD)
		return (mine >= theirs && ch->demotion <= own->demotion) ||
			ch->demotion < own->demotion;
	if (n->kind == NODE_UCARP) /* as in-memory integers: the last octet decides first */
		return mine > theirs ||
			(mine == theirs &&
				__builtin_bswap32(peer_addr) < __builtin_bswap32(own_addr));
	return mine >= theirs;
}

static bool
claims(const struct node *n, const struct election_priority *own,
	const struct election_priority *ch)
{
	uint32_t mine = oracle_rank(own), theirs = oracle_rank(ch);
	bool slow = 3u * 256 * own->advbase + own->advskew < theirs;

	if (n->kind == NODE_OPENBSD)
		return (n->preempt && mine < theirs && ch->demotion >= own->demotion) ||
			ch->demotion > own->demotion || (own->advbase > 0 && slow);
	return (n->preempt && mine < theirs) || slow;
}

void
peer_arrive(struct sim *s, struct node *n, uint16_t frame)
{
	const struct frame *f = &s->frame[frame];
	uint8_t seg = s->group[f->group].seg;
	const struct auth_counters none = {0};
	const struct auth_counters *counters[SIM_GROUPS];
	struct auth_group *auth[SIM_GROUPS];
	bool listening[SIM_GROUPS];
	const struct base_addr *own = n->port[seg].addr;
	uint32_t own4 = base_addr_ip4(&own[0]);
	struct ctl_advert_scope scope = {
		.allow = true,
		.vhid_group = s->seg[seg].vhid_group,
		.listening = listening,
		.auth = auth,
		.counters = counters,
		.own_ip4 = &own4,
		/* ucarp drops by its own source address; the kernels trust a simplex parent */
		.n_own_ip4 = n->kind == NODE_UCARP && own4 != 0,
	};
	struct ctl_advert a;

	for (uint16_t i = 0; i < s->n_groups; i++) {
		counters[i] = &none;
		auth[i] = s->group[i].auth[n->key[i]];
		listening[i] = n->state[i] != ELECTION_INIT;
	}
	if (ctl_advert_check(f->bytes, f->len, &scope, &a) != CTL_STAT_IPACKETS) {
		if (f->kind == FRAME_GENUINE && n->state[f->group] != ELECTION_INIT)
			check_lost(s, f->group, f->from, n->id);
		return;
	}
	if (n->kind == NODE_OPENBSD && a.counter == n->cookie)
		return;
	if (f->kind == FRAME_REPLAY || f->from == n->id) /* nothing in it says so to a BSD */
		check_touch_group(s, f->group);
	n->peer[a.group].counter_known = true;
	n->peer[a.group].counter = a.counter;

	struct election_priority prio = peer_priority(s, n, a.group);

	TRACE(s, n, "group %u hears %u/%u/%u of %u", a.group, a.prio.advbase, a.prio.advskew,
		a.prio.demotion, f->from);
	if (n->state[a.group] == ELECTION_MASTER) {
		if (!yields(n, &prio, &a.prio, own4, base_addr_ip4(&a.src)))
			return;
		if (n->kind == NODE_UCARP) /* one last advert before stepping down */
			advertise(s, n, a.group, false);
		become_backup(s, n, a.group);
	} else if (claims(n, &prio, &a.prio)) {
		become_master(s, n, a.group);
	} else {
		arm_family(s, n, a.group, f->family, peer_master_down(s, n, a.group));
	}
}

void
peer_admin(struct sim *s, struct node *n, uint16_t group, bool up)
{
	check_touch_node(s, n);
	if (!up && n->state[group] == ELECTION_MASTER &&
		(n->kind == NODE_NETBSD || n->kind == NODE_OPENBSD))
		advertise(s, n, group, true);
	n->admin_up[group] = up;
	if (up)
		run(s, n, group);
	else
		become_init(s, n, group);
}

void
peer_suppress(struct sim *s, struct node *n, uint32_t amount)
{
	uint32_t before = n->suppress;

	if (n->kind == NODE_UCARP || amount == before)
		return;
	check_touch_node(s, n);
	TRACE(s, n, "demotion is %u", amount);
	n->suppress = amount;
	/* FreeBSD says every change at once, the others the first */
	if (n->kind != NODE_FREEBSD && (before != 0 || amount == 0))
		return;
	for (uint16_t i = 0; i < s->n_groups; i++)
		if (n->state[i] == ELECTION_MASTER)
			advertise_and_arm(s, n, i);
}

void
peer_link(struct sim *s, struct node *n, uint8_t seg, bool up)
{
	uint32_t step = n->kind == NODE_FREEBSD ? 240 : 1;

	check_touch_node(s, n);
	if (n->port[seg].link_told == up)
		return;
	n->port[seg].link_told = up;
	for (uint16_t i = 0; i < s->n_groups; i++) {
		if (s->group[i].seg != seg)
			continue;
		if (up)
			run(s, n, i);
		else
			become_init(s, n, i);
	}
	peer_suppress(s, n,
		up ? n->suppress - (n->suppress < step ? n->suppress : step) : n->suppress + step);
}
