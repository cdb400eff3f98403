/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "roster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "addresses.h"
#include "wire6.h"

/* Where the next addresses go. */
struct room {
	uint32_t *ip4;
	uint8_t (*ip6)[16];
};

static uint16_t
add_ip4(struct room *room, const struct base_prefix *addresses, uint16_t n)
{
	const uint32_t *first = room->ip4;

	for (uint16_t i = 0; i < n; i++)
		if (addresses[i].addr.family == BASE_FAMILY_IP4)
			*room->ip4++ = base_addr_ip4(&addresses[i].addr);
	return (uint16_t)(room->ip4 - first);
}

/* @param link_local  comes first; NULL for none */
static uint16_t
add_ip6(struct room *room, const uint8_t *link_local, const struct base_prefix *addresses,
	uint16_t n)
{
	uint8_t(*const first)[16] = room->ip6;

	if (link_local != NULL)
		memcpy(*room->ip6++, link_local, sizeof(*first));
	for (uint16_t i = 0; i < n; i++)
		if (addresses[i].addr.family == BASE_FAMILY_IP6)
			memcpy(*room->ip6++, addresses[i].addr.bytes, sizeof(*first));
	return (uint16_t)(room->ip6 - first);
}

static enum dp_rp_filter
rp_filter(enum conf_rp_filter f)
{
	switch (f) {
	case CONF_RP_FILTER_LOOSE:
		return DP_RP_LOOSE;
	case CONF_RP_FILTER_STRICT:
		return DP_RP_STRICT;
	case CONF_RP_FILTER_OFF:
	default:
		return DP_RP_OFF;
	}
}

int
roster_from_conf(const struct conf *conf, const uint8_t (*if_mac)[BASE_MAC_LEN], struct roster *out)
{
	size_t most = 1;
	struct room room;
	uint8_t own[16];

	memset(out, 0, sizeof(*out));
	for (uint16_t i = 0; i < conf->n_ifs; i++)
		most += conf->ifs[i].n_addresses + 1u;
	for (uint16_t g = 0; g < conf->n_groups; g++)
		most += conf->groups[g].n_addresses + 1u;
	out->groups = calloc(conf->group_room + 1u, sizeof(*out->groups));
	out->ip4 = calloc(most, sizeof(*out->ip4));
	out->ip6 = calloc(most, sizeof(*out->ip6));
	if (out->groups == NULL || out->ip4 == NULL || out->ip6 == NULL) {
		roster_free(out);
		return -ENOMEM;
	}
	room = (struct room){out->ip4, out->ip6};
	for (uint16_t i = 0; i < conf->n_ifs; i++) {
		const struct conf_if *f = &conf->ifs[i];

		wire_ip6_link_local(if_mac[i], own);
		out->ifs[i].rp_filter = rp_filter(f->rp_filter);
		out->ifs[i].source_vmac = f->source_mac_vmac;
		out->ifs[i].ip4 = room.ip4;
		out->ifs[i].n_ip4 = add_ip4(&room, f->addresses, f->n_addresses);
		out->ifs[i].ip6 = (const uint8_t(*)[16])room.ip6;
		out->ifs[i].n_ip6 = add_ip6(&room, own, f->addresses, f->n_addresses);
	}
	for (uint16_t i = 0; i < conf->n_groups; i++) {
		const struct conf_group *g = &conf->groups[i];
		struct dp_group_config *c = &out->groups[i];
		bool routes = addresses_router(conf, i, own);

		c->if_index = g->if_index;
		c->vhid = g->unused ? 0 : g->vhid;
		c->ip4 = room.ip4;
		c->n_ip4 = add_ip4(&room, g->addresses, g->n_addresses);
		c->ip6 = (const uint8_t(*)[16])room.ip6;
		c->n_ip6 = add_ip6(&room, routes ? own : NULL, g->addresses, g->n_addresses);
	}
	return 0;
}

void
roster_free(struct roster *r)
{
	free(r->ip6);
	free(r->ip4);
	free(r->groups);
	memset(r, 0, sizeof(*r));
}
