/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Router advertisements (RFC 4861 6.2). Each group with IPv6 addresses on an interface with "ra" is
 * a router of its own, with the link-local address of its vMAC: both boxes have that, and whoever
 * is MASTER speaks as it, so that hosts keep their default router over a take-over. Of groups that
 * share the load each is a router that hosts may choose.
 *
 * Who gives up says so with a lifetime of zero. When the other one had spoken before, as after a
 * preemption, hosts would be without a router until it speaks again; so it does when it hears that.
 */
#include "ctl_priv.h"

#include <string.h>

#define INITIAL_COUNT	3
#define INITIAL_MAX_NS	(16 * BASE_NS_PER_S)   /* MAX_INITIAL_RTR_ADVERT_INTERVAL */
#define MIN_DELAY_NS	(3 * BASE_NS_PER_S)    /* MIN_DELAY_BETWEEN_RAS */
#define ANSWER_DELAY_NS (500 * BASE_NS_PER_MS) /* MAX_RA_DELAY_TIME */
#define REPEAT_DELAY_NS (100 * BASE_NS_PER_MS) /* whoever says what how often */

bool
ctl_ra_wanted(const struct conf *conf, const struct conf_group *g)
{
	for (uint16_t i = 0; conf->ifs[g->if_index].ra != NULL && i < g->n_addresses; i++)
		if (g->addresses[i].addr.family == BASE_FAMILY_IP6)
			return true;
	return false;
}

void
ctl_ra_make(const struct conf *conf, struct ctl_group *g)
{
	g->ra_at = BASE_NS_NEVER;
	g->routes = ctl_ra_wanted(conf, g->conf);
	wire_ip6_link_local(g->vmac, g->router);
}

static int
send_msg(struct ctl *c, uint16_t group, struct wire_ra *ra)
{
	const struct ctl_group *g = &c->groups[group];
	uint8_t frame[WIRE_RA_FRAME_MAX];
	size_t len;

	ra->has_lladdr = true;
	memcpy(ra->lladdr, g->vmac, sizeof(ra->lladdr));
	len = wire_ra_frame_encode(g->vmac, g->router, ra, frame);
	return ctl_send(c, g->conf->if_index, frame, len, DP_NONE);
}

static int
send_ra(struct ctl *c, uint16_t group, bool final)
{
	struct wire_ra ra = c->conf->ifs[c->groups[group].conf->if_index].ra->msg;

	if (final)
		ra.lifetime_s = 0;
	return send_msg(c, group, &ra);
}

/* Sooner than planned. */
static void
hasten(struct ctl *c, uint16_t group, base_ns_t at)
{
	struct ctl_group *g = &c->groups[group];

	if (at < g->ra_at)
		g->ra_at = at;
	if (g->ra_at < c->ra_at)
		c->ra_at = g->ra_at;
	ctl_dirty(c, group);
}

static void
begin(struct ctl *c, uint16_t group)
{
	c->groups[group].ra_initial = INITIAL_COUNT;
	hasten(c, group, c->now);
}

void
ctl_ra_state(struct ctl *c, uint16_t group, enum election_state from)
{
	struct ctl_group *g = &c->groups[group];

	if (!g->routes)
		return;
	if (g->state == ELECTION_MASTER) {
		begin(c, group);
		return;
	}
	g->ra_at = BASE_NS_NEVER;
	if (from == ELECTION_MASTER && send_ra(c, group, true) == 0)
		ctl_count(c, group, CTL_STAT_RA_FINAL);
}

void
ctl_ra_set(struct ctl *c, uint16_t group, bool wanted)
{
	struct ctl_group *g = &c->groups[group];

	if (wanted == g->routes)
		return;
	if (!wanted && g->state == ELECTION_MASTER && send_ra(c, group, true) == 0)
		ctl_count(c, group, CTL_STAT_RA_FINAL);
	g->routes = wanted;
	g->ra_at = BASE_NS_NEVER;
	if (wanted && g->state == ELECTION_MASTER)
		begin(c, group);
}

void
ctl_ra_leave(struct ctl *c, const struct conf *next)
{
	for (uint16_t i = 0; i < c->n_groups; i++)
		if (!ctl_ra_wanted(next, &next->groups[i]))
			ctl_ra_set(c, i, false);
}

static bool
has_prefix(const struct wire_ra *ra, const struct wire_ra_prefix *p)
{
	for (uint16_t i = 0; i < ra->n_prefixes; i++)
		if (ra->prefix[i].plen == p->plen &&
			memcmp(ra->prefix[i].prefix, p->prefix, sizeof(p->prefix)) == 0)
			return true;
	return false;
}

/* Hosts would use addresses from a prefix that is gone for weeks: it is over (RFC 4861 6.2.4). */
static void
withdraw(struct ctl *c, uint16_t group, const struct wire_ra *was)
{
	const struct wire_ra *now = &c->conf->ifs[c->groups[group].conf->if_index].ra->msg;
	struct wire_ra ra = *now;

	ra.n_prefixes = 0;
	for (uint16_t i = 0; i < was->n_prefixes; i++) {
		if (has_prefix(now, &was->prefix[i]))
			continue;
		ra.prefix[ra.n_prefixes] = was->prefix[i];
		ra.prefix[ra.n_prefixes].valid_s = 0;
		ra.prefix[ra.n_prefixes++].preferred_s = 0;
	}
	if (ra.n_prefixes > 0)
		(void)send_msg(c, group, &ra);
}

void
ctl_ra_take(struct ctl *c, const struct conf *was)
{
	for (uint16_t i = 0; i < c->n_groups; i++) {
		const struct ctl_group *g = &c->groups[i];
		const struct conf_ra *a = was->ifs[g->conf->if_index].ra;
		const struct conf_ra *b = c->conf->ifs[g->conf->if_index].ra;

		if (g->conf->unused)
			continue;
		if (g->routes && g->state == ELECTION_MASTER && a != NULL &&
			memcmp(a, b, sizeof(*a)) != 0) {
			withdraw(c, i, &a->msg);
			begin(c, i);
		}
		ctl_ra_set(c, i, ctl_ra_wanted(c->conf, g->conf));
	}
}

static void
advertise(struct ctl *c, uint16_t group)
{
	struct ctl_group *g = &c->groups[group];
	const struct conf_ra *conf = c->conf->ifs[g->conf->if_index].ra;
	base_ns_t min = conf->min_interval_s * BASE_NS_PER_S;
	base_ns_t wait =
		min + base_rand_below(&c->rand, conf->max_interval_s * BASE_NS_PER_S - min + 1);

	if (send_ra(c, group, false) == 0)
		ctl_count(c, group, CTL_STAT_RA_SENT);
	g->ra_last = c->now;
	if (g->ra_initial > 0 && --g->ra_initial > 0 && wait > INITIAL_MAX_NS)
		wait = INITIAL_MAX_NS;
	g->ra_at = c->now + wait;
	ctl_dirty(c, group);
}

void
ctl_ra_tick(struct ctl *c)
{
	if (c->now < c->ra_at)
		return;
	c->ra_at = BASE_NS_NEVER;
	for (uint16_t i = 0; i < c->n_groups; i++) {
		if (c->groups[i].routes && c->groups[i].ra_at <= c->now)
			advertise(c, i);
		if (c->groups[i].routes && c->groups[i].ra_at < c->ra_at)
			c->ra_at = c->groups[i].ra_at;
	}
}

void
ctl_ra_solicited(struct ctl *c, uint16_t if_id)
{
	for (uint16_t i = 0; i < c->n_groups; i++) {
		const struct ctl_group *g = &c->groups[i];
		base_ns_t at = c->now + base_rand_below(&c->rand, ANSWER_DELAY_NS + 1);

		if (!g->routes || g->conf->if_index != if_id || g->state != ELECTION_MASTER)
			continue;
		ctl_count(c, i, CTL_STAT_RS_HEARD);
		if (g->ra_last != 0 && base_ns_since(at, g->ra_last) < MIN_DELAY_NS)
			at = g->ra_last + MIN_DELAY_NS;
		hasten(c, i, at);
	}
}

void
ctl_ra_heard(struct ctl *c, uint16_t if_id, const struct wire_ip6 *ip, const struct wire_ra *ra)
{
	for (uint16_t i = 0; ra->lifetime_s == 0 && i < c->n_groups; i++) {
		const struct ctl_group *g = &c->groups[i];
		base_ns_t at = c->now;

		if (!g->routes || g->conf->if_index != if_id || g->state != ELECTION_MASTER ||
			memcmp(ip->src, g->router, sizeof(g->router)) != 0)
			continue;
		ctl_count(c, i, CTL_STAT_RA_REPEATED);
		if (g->ra_last != 0 && base_ns_since(at, g->ra_last) < REPEAT_DELAY_NS)
			at = g->ra_last + REPEAT_DELAY_NS;
		hasten(c, i, at);
	}
}
