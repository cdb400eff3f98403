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

/* Groups of an interface as they come, each as often as it is wanted. */
struct wanted {
	struct ctl_member *members;
	size_t n;
};

static void
add(struct wanted *w, const struct base_addr *group)
{
	w->members[w->n++] = (struct ctl_member){.group = *group, .report_at = BASE_NS_NEVER};
}

static void
add_solicited_node(struct wanted *w, const uint8_t ip[16])
{
	struct base_addr group = {.family = BASE_FAMILY_IP6};

	wire_ip6_solicited_node(ip, group.bytes);
	add(w, &group);
}

/* @return how many addresses of the family there are; those of IPv6 are added */
static uint16_t
add_addresses(struct wanted *w, const struct base_prefix *p, uint16_t n, uint8_t family)
{
	uint16_t found = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (p[i].addr.family != family)
			continue;
		found++;
		if (family == BASE_FAMILY_IP6)
			add_solicited_node(w, p[i].addr.bytes);
	}
	return found;
}

/* @return whether it has an IPv6 address */
static bool
add_group(struct wanted *w, const struct conf *conf, const struct conf_group *g)
{
	struct base_addr carp4 = base_addr_from_ip4(WIRE_CARP_GROUP_IP4);
	struct base_addr carp6 = {.family = BASE_FAMILY_IP6};
	struct base_addr routers = {.family = BASE_FAMILY_IP6};
	bool has4 = add_addresses(w, g->addresses, g->n_addresses, BASE_FAMILY_IP4) > 0;
	bool has6 = add_addresses(w, g->addresses, g->n_addresses, BASE_FAMILY_IP6) > 0;
	uint8_t vmac[BASE_MAC_LEN], router[16];

	memcpy(carp6.bytes, wire_carp_group_ip6, sizeof(carp6.bytes));
	memcpy(routers.bytes, wire_ip6_all_routers, sizeof(routers.bytes));
	/* a unicast peer needs no group (case 62) */
	if (has4 && g->peer4.family == BASE_FAMILY_NONE)
		add(w, &carp4);
	if (has6 && g->peer6.family == BASE_FAMILY_NONE)
		add(w, &carp6);
	if (ctl_ra_wanted(conf, g)) {
		base_vmac(g->vhid, vmac);
		wire_ip6_link_local(vmac, router);
		add_solicited_node(w, router);
		add(w, &routers);
	}
	return has6;
}

static int
member_compare(const void *pa, const void *pb)
{
	const struct ctl_member *a = pa, *b = pb;

	return memcmp(&a->group, &b->group, sizeof(a->group));
}

int
ctl_member_make(const struct conf *conf, uint16_t if_id, const uint8_t link_local[16],
	struct ctl_if_lists *l)
{
	const struct conf_if *f = &conf->ifs[if_id];
	size_t most = 1u + f->n_addresses;
	struct wanted w = {0};
	bool speaks6 = false;

	for (uint16_t i = 0; i < conf->n_groups; i++)
		if (conf->groups[i].if_index == if_id)
			most += conf->groups[i].n_addresses + 4u;
	l->members = w.members = calloc(most, sizeof(*w.members));
	if (w.members == NULL)
		return -ENOMEM;
	for (uint16_t i = 0; i < conf->n_groups; i++)
		if (conf->groups[i].if_index == if_id && !conf->groups[i].unused)
			speaks6 |= add_group(&w, conf, &conf->groups[i]);
	speaks6 |= add_addresses(&w, f->addresses, f->n_addresses, BASE_FAMILY_IP6) > 0;
	/* nobody asks for the link-local address of a box that does not speak IPv6 */
	if (speaks6)
		add_solicited_node(&w, link_local);
	qsort(w.members, w.n, sizeof(*w.members), member_compare);
	for (size_t i = 0; i < w.n; i++)
		if (i == 0 || member_compare(&w.members[i], &l->members[l->n_members - 1]) != 0)
			l->members[l->n_members++] = w.members[i];
	return 0;
}

static void
announce(const struct ctl *c, struct ctl_member *m)
{
	m->unasked = UNASKED_REPORTS;
	m->report_at = c->now;
	m->version =
		m->group.family == BASE_FAMILY_IP4 ? WIRE_GROUP_IGMP_NEWEST : WIRE_GROUP_MLD_NEWEST;
}

void
ctl_member_take_over(struct ctl *c, struct ctl_if_lists *l, const struct ctl_if_lists *was)
{
	uint16_t k = 0;

	for (uint16_t i = 0; i < l->n_members; i++) {
		struct ctl_member *m = &l->members[i];

		while (k < was->n_members && member_compare(&was->members[k], m) < 0)
			k++;
		if (k < was->n_members && member_compare(&was->members[k], m) == 0)
			*m = was->members[k];
		else
			announce(c, m);
	}
}

void
ctl_member_join(struct ctl *c, uint16_t if_id)
{
	struct ctl_if_lists *l = &c->ifs[if_id].lists;

	for (uint16_t i = 0; i < l->n_members; i++)
		announce(c, &l->members[i]);
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
	for (uint16_t i = 0; i < f->lists.n_members; i++) {
		struct ctl_member *m = &f->lists.members[i];
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
		r.src = base_addr_from_ip4(f->lists.ip4);
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

		for (uint16_t n = 0; n < f->lists.n_members && left > 0; n++)
			if (f->lists.members[n].report_at <= c->now) {
				report(c, i, &f->lists.members[n]);
				left--;
			}
	}
}
