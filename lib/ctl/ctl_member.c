/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Membership in multicast groups, told by IGMP and MLD so that a snooping switch lets adverts
 * through, in BACKUP too (note 7.6): twice when the link comes up, and whenever a querier asks.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_priv.h"

#define UNASKED_REPORTS 2
#define UNASKED_GAP_NS	BASE_NS_PER_S

static void
add(struct ctl_if *f, const struct base_addr *group)
{
	for (uint16_t i = 0; i < f->n_members; i++)
		if (memcmp(&f->members[i].group, group, sizeof(*group)) == 0)
			return;
	f->members[f->n_members++] =
		(struct ctl_member){.group = *group, .report_at = BASE_NS_NEVER};
}

static void
add_solicited_node(struct ctl_if *f, const uint8_t ip[16])
{
	struct base_addr group = {.family = BASE_FAMILY_IP6};

	wire_ip6_solicited_node(ip, group.bytes);
	add(f, &group);
}

static bool
speaks6(const struct ctl *c, uint16_t if_id)
{
	for (uint16_t i = 0; i < c->n_groups; i++)
		if (c->groups[i].conf->if_index == if_id && c->groups[i].n_vips6 > 0)
			return true;
	return c->ifs[if_id].n_own6 > 1;
}

int
ctl_member_create(struct ctl *c, uint16_t if_id)
{
	struct ctl_if *f = &c->ifs[if_id];
	struct base_addr carp4 = base_addr_from_ip4(WIRE_CARP_GROUP_IP4);
	struct base_addr carp6 = {.family = BASE_FAMILY_IP6};
	struct base_addr routers = {.family = BASE_FAMILY_IP6};
	size_t most = 3u + f->n_own6;

	memcpy(carp6.bytes, wire_carp_group_ip6, sizeof(carp6.bytes));
	memcpy(routers.bytes, wire_ip6_all_routers, sizeof(routers.bytes));
	for (uint16_t i = 0; i < c->n_groups; i++)
		if (c->groups[i].conf->if_index == if_id)
			most += c->groups[i].n_vips6 + 1u;
	f->members = calloc(most, sizeof(*f->members));
	if (f->members == NULL)
		return -ENOMEM;
	for (uint16_t i = 0; i < c->n_groups; i++) {
		const struct ctl_group *g = &c->groups[i];

		if (g->conf->if_index != if_id)
			continue;
		/* a unicast peer needs no group (case 62) */
		if ((g->families & ELECTION_IP4) && g->conf->peer4.family == BASE_FAMILY_NONE)
			add(f, &carp4);
		if ((g->families & ELECTION_IP6) && g->conf->peer6.family == BASE_FAMILY_NONE)
			add(f, &carp6);
		for (uint16_t v = 0; v < g->n_vips6; v++)
			add_solicited_node(f, g->vips6[v]);
		if (g->routes) {
			add_solicited_node(f, g->router);
			add(f, &routers);
		}
	}
	/* nobody asks for the link-local address of a box that does not speak IPv6 */
	for (uint16_t i = 0; speaks6(c, if_id) && i < f->n_own6; i++)
		add_solicited_node(f, f->own6[i]);
	return 0;
}

void
ctl_member_join(struct ctl *c, uint16_t if_id)
{
	struct ctl_if *f = &c->ifs[if_id];

	for (uint16_t i = 0; i < f->n_members; i++) {
		struct ctl_member *m = &f->members[i];

		m->unasked = UNASKED_REPORTS;
		m->report_at = c->now;
		m->version = m->group.family == BASE_FAMILY_IP4 ? WIRE_GROUP_IGMP_NEWEST
								: WIRE_GROUP_MLD_NEWEST;
	}
}

void
ctl_member_query(struct ctl *c, uint16_t if_id, const uint8_t *ip, size_t len)
{
	struct ctl_if *f = &c->ifs[if_id];
	struct wire_group_query q;

	enum wire_group_result ret = wire_group_query_decode(ip, len, &q);

	if (ret != WIRE_GROUP_OK) {
		if (ret != WIRE_GROUP_OTHER)
			ctl_frame_say(c, CTL_VERDICT_MALFORMED, CTL_STAT_COUNT);
		return;
	}
	ctl_frame_say(c, CTL_VERDICT_QUERY, CTL_STAT_COUNT);
	for (uint16_t i = 0; i < f->n_members; i++) {
		struct ctl_member *m = &f->members[i];
		base_ns_t at;

		if (m->group.family != q.group.family ||
			(!q.general && memcmp(&m->group, &q.group, sizeof(q.group)) != 0))
			continue;
		at = c->now + base_rand_below(&c->rand, q.max_resp_ms * BASE_NS_PER_MS + 1);
		if (at < m->report_at)
			m->report_at = at;
		m->version = q.version;
	}
}

static void
report(struct ctl *c, uint16_t if_id, struct ctl_member *m)
{
	const struct ctl_if *f = &c->ifs[if_id];
	uint8_t frame[WIRE_GROUP_FRAME_MAX];
	struct wire_group_report r = {
		.group = m->group,
		.version = m->version,
		.change = m->unasked > 0 ? WIRE_GROUP_JOIN : WIRE_GROUP_ANSWER,
	};

	memcpy(r.eth_src, f->mac, sizeof(r.eth_src));
	if (m->group.family == BASE_FAMILY_IP4) {
		r.src = base_addr_from_ip4(f->ip4);
	} else {
		r.src.family = BASE_FAMILY_IP6;
		memcpy(r.src.bytes, f->link_local, sizeof(r.src.bytes));
	}
	size_t n = wire_group_frame_encode(&r, frame);

	if (n > 0 && ctl_send(c, if_id, frame, n, DP_NONE) == 0)
		ctl_count(c, ELECTION_NONE, CTL_STAT_MEMBERSHIP);
	m->report_at = BASE_NS_NEVER;
	if (m->unasked > 0 && --m->unasked > 0)
		m->report_at = c->now + UNASKED_GAP_NS;
}

void
ctl_member_tick(struct ctl *c)
{
	uint32_t left = CTL_ANNOUNCE_PER_TURN;

	for (uint16_t i = 0; i < c->n_ifs; i++) {
		struct ctl_if *f = &c->ifs[i];

		for (uint16_t n = 0; n < f->n_members && left > 0; n++)
			if (f->members[n].report_at <= c->now) {
				report(c, i, &f->members[n]);
				left--;
			}
	}
}
