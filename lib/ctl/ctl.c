/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The control lcore's life: create, turn, destroy. */

#include "ctl.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compat_thread.h"
#include "ctl_priv.h"

/* While something happens, and for this many turns after, sleeps stay short. */
#define IDLE_TURNS_BUSY 400
#define SLEEP_SHORT_NS	(50 * BASE_NS_PER_US)
#define SLEEP_LONG_NS	(500 * BASE_NS_PER_US)
/* A gap worth an event of its own: a fast group's master-down time. */
#define STALL_EVENT_NS (3 * BASE_NS_PER_SKEW)

const char *
ctl_stat_name(enum ctl_stat s)
{
	static const char *const names[] = {
#define CTL_STAT(sym, name, text) name,
#include "ctl_stats.def"
#undef CTL_STAT
	};

	return names[s];
}

const char *
ctl_stat_text(enum ctl_stat s)
{
	static const char *const texts[] = {
#define CTL_STAT(sym, name, text) text,
#include "ctl_stats.def"
#undef CTL_STAT
	};

	return texts[s];
}

static int
create_if(struct ctl *c, uint16_t i, const struct ctl_config *config)
{
	struct ctl_if *f = &c->ifs[i];

	f->port_id = config->if_port[i];
	memcpy(f->mac, config->if_mac[i], sizeof(f->mac));
	wire_ip6_link_local(f->mac, f->link_local);
	return ctl_lists_make(config->conf, i, f->link_local, &f->lists);
}

static bool
link_of(const struct ctl *c, uint16_t port_id)
{
	struct port_info info;

	for (uint16_t i = 0; i < port_set_count(c->ports); i++)
		if (port_set_info(c->ports, i, &info) == 0 && info.port_id == port_id)
			return info.link_up;
	return false;
}

static int
create_election(struct ctl *c, uint64_t seed, bool drained)
{
	struct election_if_config *ifs = calloc(c->n_ifs + 1u, sizeof(*ifs));
	struct election_group_config *groups = calloc(c->n_groups + 1u, sizeof(*groups));
	int ret = -ENOMEM;

	if (ifs == NULL || groups == NULL)
		goto out;
	for (uint16_t i = 0; i < c->n_ifs; i++) {
		ifs[i].link_up = link_of(c, c->ifs[i].port_id);
		ifs[i].track = c->conf->ifs[i].track;
		ifs[i].frames_told = true;
		ifs[i].linkup_hold_ns = c->conf->ifs[i].linkup_hold_ms * BASE_NS_PER_MS;
		c->ifs[i].link_up = ifs[i].link_up;
		dp_link(c->dp, c->ifs[i].port_id, ifs[i].link_up);
	}
	for (uint16_t i = 0; i < c->n_groups; i++)
		groups[i] = ctl_group_config(c, i);
	struct election_config config = {
		.if_count = c->n_ifs,
		.group_count = c->n_groups,
		.group_room = c->group_room,
		.ifs = ifs,
		.groups = groups,
		.preempt = c->conf->preempt,
		.allow = c->conf->allow,
		.drained = drained,
		.seed = seed,
		.startup_hold_ns = c->conf->startup_hold_ms * BASE_NS_PER_MS,
		.announce_refresh_ns = c->conf->announce_refresh_s * BASE_NS_PER_S,
	};
	size_t size = (election_size(c->n_ifs, c->group_room) + 63) & ~(size_t)63;

	c->election_mem = aligned_alloc(64, size);
	if (c->election_mem == NULL)
		goto out;
	c->election = election_init(c->election_mem, &config, c->now);
	if (c->election == NULL) {
		ret = -EINVAL;
		goto out;
	}
	/* twice what any event needs: outcomes of adverts are appended while carrying out */
	c->out.cap = 2 * election_input_room(c->election, ELECTION_EV_SHUTDOWN);
	c->out.act = calloc(c->out.cap, sizeof(*c->out.act));
	ret = c->out.act != NULL ? 0 : -ENOMEM;
out:
	free(ifs);
	free(groups);
	return ret;
}

struct ctl *
ctl_create(const struct ctl_config *config)
{
	struct ctl *c = calloc(1, sizeof(*c));
	int ret = -ENOMEM;

	if (c == NULL)
		return NULL;
	c->conf = config->conf;
	c->dp = config->dp;
	c->nbr = config->nbr;
	c->ports = config->ports;
	c->poll = config->poll;
	c->log = config->conf->log;
	c->arpbalance = config->conf->arpbalance;
	c->n_ifs = config->conf->n_ifs;
	c->n_groups = config->conf->n_groups;
	c->group_room =
		config->conf->group_room > c->n_groups ? config->conf->group_room : c->n_groups;
	c->now = c->started_at = dp_clock();
	base_rand_init(&c->rand, config->seed);
	c->ifs = calloc(c->n_ifs + 1u, sizeof(*c->ifs));
	c->groups = calloc(c->group_room + 1u, sizeof(*c->groups));
	c->auth = calloc(c->group_room + 1u, sizeof(*c->auth));
	c->counters = calloc(c->group_room + 1u, sizeof(*c->counters));
	c->other_auth = calloc(c->group_room + 1u, sizeof(*c->other_auth));
	c->other_counters = calloc(c->group_room + 1u, sizeof(*c->other_counters));
	c->listening = calloc(c->group_room + 1u, sizeof(*c->listening));
	c->unicast = calloc(c->group_room + 1u, sizeof(*c->unicast));
	c->decisions = calloc(c->group_room + 1u, sizeof(*c->decisions));
	c->group_pub = calloc(c->group_room + 1u, sizeof(*c->group_pub));
	c->box_pub = calloc(1, sizeof(*c->box_pub));
	c->events = calloc(CTL_EVENT_SLOTS, sizeof(*c->events));
	c->frames = calloc(CTL_FRAME_SLOTS, sizeof(*c->frames));
	c->requests = calloc(CTL_REQUEST_SLOTS, sizeof(*c->requests));
	if (c->ifs == NULL || c->groups == NULL || c->auth == NULL || c->counters == NULL ||
		c->other_auth == NULL || c->other_counters == NULL || c->listening == NULL ||
		c->unicast == NULL || c->decisions == NULL || c->group_pub == NULL ||
		c->box_pub == NULL || c->events == NULL || c->frames == NULL || c->requests == NULL)
		goto fail;
	for (uint16_t i = 0; i < c->n_ifs; i++)
		if ((ret = create_if(c, i, config)) != 0)
			goto fail;
	for (uint16_t i = 0; i < c->n_groups; i++)
		if ((ret = ctl_group_make(c->conf, i, true, &c->groups[i])) != 0)
			goto fail;
	for (uint16_t i = 0; i < c->n_groups; i++)
		ctl_group_begin(c, i);
	ctl_find_fast(c);
	for (uint16_t i = 0; i < c->n_ifs; i++)
		ctl_member_join(c, i);
	if ((ret = ctl_nbr_create(c)) != 0 || (ret = ctl_ping_create(c)) != 0)
		goto fail;
	ret = create_election(c, base_rand_next(&c->rand), config->drained);
	if (ret != 0)
		goto fail;
	c->source_key = base_rand_next(&c->rand);
	c->box_dirty = true;
	ctl_publish(c);
	return c;
fail:
	ctl_destroy(c);
	errno = -ret;
	return NULL;
}

void
ctl_destroy(struct ctl *c)
{
	if (c == NULL)
		return;
	ctl_reap(c);
	for (uint16_t i = 0; c->groups != NULL && i < c->n_groups; i++)
		ctl_group_free(&c->groups[i]);
	for (uint16_t i = 0; c->ifs != NULL && i < c->n_ifs; i++)
		ctl_lists_free(&c->ifs[i].lists);
	free(c->out.act);
	free(c->election_mem);
	free(c->pings);
	free(c->requests);
	free(c->frames);
	free(c->events);
	free(c->box_pub);
	free(c->group_pub);
	free(c->decisions);
	free(c->unicast);
	free(c->listening);
	free(c->other_counters);
	free(c->other_auth);
	free(c->counters);
	free(c->auth);
	free(c->groups);
	free(c->ifs);
	free(c);
}

void
ctl_shutdown(struct ctl *c)
{
	__atomic_store_n(&c->shutdown, 1, __ATOMIC_RELEASE);
}

/* On a shared CPU this is frequent; it must not push everything else out of the event ring. */
static void
report_stall(struct ctl *c, base_ns_t gap)
{
	struct ctl_event e = ctl_event_new(CTL_EVENT_STALL);

	c->stalls++;
	if (c->stall_told != 0 && c->now - c->stall_told < CTL_BAD_QUIET_NS) {
		c->stalls_untold++;
		return;
	}
	e.gap = gap;
	e.suppressed = c->stalls_untold;
	c->stall_told = c->now;
	c->stalls_untold = 0;
	ctl_event_write(c, &e);
}

/* Before anything else of the turn: what the election believes may have been overtaken. */
static void
note_stall(struct ctl *c, base_ns_t gap)
{
	struct election_event ev = {.type = ELECTION_EV_STALL, .gap = gap};

	if (gap <= ELECTION_STALL_MIN_NS)
		return;
	if (gap > STALL_EVENT_NS)
		report_stall(c, gap);
	ctl_feed(c, &ev);
}

/*
 * The horizons must be read before the rings are drained: what they vouch for is in the rings.
 * Under a flood the rings are never empty; then these horizons count once all that was in the rings
 * is out.
 */
static void
hear(struct ctl *c)
{
	base_ns_t horizon[DP_IF_MAX];
	bool emptied;

	for (uint16_t i = 0; i < c->n_ifs; i++) {
		horizon[i] = dp_rx_horizon(c->dp, i);
		election_set_rx_alive(c->election, i, dp_rx_alive(c->dp, i));
	}
	emptied = ctl_adverts(c);
	if (!emptied && c->marked && !dp_adverts_passed(c->dp))
		return;
	for (uint16_t i = 0; (emptied || c->marked) && i < c->n_ifs; i++) {
		base_ns_t h = emptied ? horizon[i] : c->marked_horizon[i];

		election_set_rx_horizon(c->election, i, h > c->started_at ? h : c->started_at);
	}
	c->marked = !emptied;
	if (c->marked) {
		memcpy(c->marked_horizon, horizon, sizeof(horizon));
		dp_adverts_mark(c->dp);
	}
}

void
ctl_turn(struct ctl *c, base_ns_t now)
{
	base_ns_t gap = base_ns_since(now, c->now);

	c->now = now;
	c->turns++;
	c->idle_turns++;
	note_stall(c, gap);
	ctl_ports(c);
	hear(c);
	ctl_punts(c);
	ctl_frames_seen(c);
	ctl_requests(c);
	ctl_reload_tick(c);
	ctl_tick(c);
	ctl_stage_tick(c);
	ctl_hear_tick(c);
	ctl_nbr_clear_tick(c);
	ctl_warm_tick(c);
	fib_nbr_tick(c->nbr, c->now, ctl_nbr_act, c);
	ctl_announce(c);
	ctl_ra_tick(c);
	ctl_ping_tick(c);
	ctl_member_tick(c);
	ctl_publish(c);
	base_ns_t took = base_ns_since(dp_clock(), now);

	if (took > c->longest_turn_ns || c->forgot != dp_longest_turn_asked(c->dp)) {
		c->longest_turn_ns = took;
		c->forgot = dp_longest_turn_asked(c->dp);
	}
}

/* Until the next deadline, but never so long that an arriving advert waits noticeably. */
static void
rest(struct ctl *c)
{
	const bool pinging = __atomic_load_n(&c->n_pings, __ATOMIC_ACQUIRE) != 0;
	bool busy = pinging || c->fast || c->idle_turns < IDLE_TURNS_BUSY ||
		election_handing_over(c->election);
	base_ns_t now = dp_clock();
	base_ns_t wake = now + (busy ? SLEEP_SHORT_NS : SLEEP_LONG_NS);
	base_ns_t due = election_deadline(c->election);
	base_ns_t nbr = fib_nbr_deadline(c->nbr);

	/* A master-down deadline that only waits for a horizon lies in the past: poll for it. */
	if (due > now && due < wake)
		wake = due;
	if (nbr < wake)
		wake = nbr;
	if (pinging && c->ping_at < wake)
		wake = c->ping_at;
	if (c->poll || c->announcing > 0 || c->clearing || wake <= now)
		return;
	struct timespec ts = {
		.tv_sec = (time_t)(wake / BASE_NS_PER_S),
		.tv_nsec = (long)(wake % BASE_NS_PER_S),
	};

	c->sleeps++;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

int
ctl_run(struct ctl *c)
{
	bool stopping = false;

	compat_thread_timer_slack_set(BASE_NS_PER_US);
	c->now = c->started_at = dp_clock();
	for (;;) {
		ctl_turn(c, dp_clock());
		if (!stopping && __atomic_load_n(&c->shutdown, __ATOMIC_ACQUIRE)) {
			struct election_event ev = {.type = ELECTION_EV_SHUTDOWN};

			stopping = true;
			ctl_feed(c, &ev);
			ctl_publish(c);
		}
		if (stopping && !election_handing_over(c->election)) {
			ctl_reload_tick(c);
			ctl_publish(c);
			return 0;
		}
		rest(c);
	}
}
