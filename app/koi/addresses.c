/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "addresses.h"

#include <stdlib.h>
#include <string.h>

#include "wire.h"
#include "wire6.h"
#include "wire_ra.h"

bool
addresses_router(const struct conf *conf, uint16_t group, uint8_t out[16])
{
	const struct conf_group *g = &conf->groups[group];
	uint8_t vmac[BASE_MAC_LEN];

	base_vmac(g->vhid, vmac);
	wire_ip6_link_local(vmac, out);
	for (uint16_t i = 0; conf->ifs[g->if_index].ra != NULL && i < g->n_addresses; i++)
		if (g->addresses[i].addr.family == BASE_FAMILY_IP6)
			return true;
	return false;
}

static uint16_t
add_solicited(const struct base_prefix *p, uint8_t (*list)[BASE_MAC_LEN], uint16_t n, bool *ip6)
{
	uint8_t group[16];

	if (p->addr.family != BASE_FAMILY_IP6)
		return n;
	*ip6 = true;
	wire_ip6_solicited_node(p->addr.bytes, group);
	wire_ip6_group_mac(group, list[n]);
	return (uint16_t)(n + 1);
}

uint16_t
addresses_mcast_list(const struct conf *conf, uint16_t if_index, uint8_t (**list)[BASE_MAC_LEN])
{
	static const uint8_t all_hosts[BASE_MAC_LEN] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x01};
	size_t most = 6u + conf->ifs[if_index].n_addresses;
	uint16_t n = 0;
	bool ip6 = false;

	for (uint16_t g = 0; g < conf->n_groups; g++)
		most += conf->groups[g].if_index == if_index ? conf->groups[g].n_addresses + 1u
							     : 0u;
	*list = calloc(most, sizeof(**list));
	if (*list == NULL)
		return 0;
	memcpy((*list)[n++], wire_carp_mac4, BASE_MAC_LEN);
	memcpy((*list)[n++], all_hosts, BASE_MAC_LEN);
	for (uint16_t a = 0; a < conf->ifs[if_index].n_addresses; a++)
		n = add_solicited(&conf->ifs[if_index].addresses[a], *list, n, &ip6);
	for (uint16_t g = 0; g < conf->n_groups; g++)
		for (uint16_t a = 0;
			conf->groups[g].if_index == if_index && a < conf->groups[g].n_addresses;
			a++)
			n = add_solicited(&conf->groups[g].addresses[a], *list, n, &ip6);
	for (uint16_t g = 0; conf->ifs[if_index].ra != NULL && g < conf->n_groups; g++) {
		struct base_prefix router = {.addr.family = BASE_FAMILY_IP6};

		if (conf->groups[g].if_index == if_index &&
			addresses_router(conf, g, router.addr.bytes))
			n = add_solicited(&router, *list, n, &ip6);
	}
	if (conf->ifs[if_index].ra != NULL)
		wire_ip6_group_mac(wire_ip6_all_routers, (*list)[n++]);
	if (ip6) {
		memcpy((*list)[n++], wire_carp_mac6, BASE_MAC_LEN);
		wire_ip6_group_mac(wire_ip6_all_nodes, (*list)[n++]);
	}
	return n;
}
