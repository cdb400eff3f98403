/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Neighbours that the operator sets: "neighbors" of an interface. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "conf_addr_priv.h"
#include "conf_check_priv.h"
#include "conf_net_priv.h"
#include "conf_parts_priv.h"

bool
conf_mac_parse(const char *s, uint8_t mac[BASE_MAC_LEN])
{
	for (unsigned int i = 0; i < BASE_MAC_LEN; i++, s += 3) {
		if (!isxdigit((unsigned char)s[0]) || !isxdigit((unsigned char)s[1]) ||
			s[2] != (i + 1 < BASE_MAC_LEN ? ':' : '\0'))
			return false;
		mac[i] = (uint8_t)strtoul((const char[]){s[0], s[1], '\0'}, NULL, 16);
	}
	return true;
}

void
conf_part_neighbor_address(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_neighbor *n = o->base;

	(void)k;
	(void)conf_read_route_hop(r, at, &n->addr);
}

void
conf_part_neighbor_mac(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	static const uint8_t zero[BASE_MAC_LEN];
	struct conf_neighbor *n = o->base;
	char buf[CONF_ECHO];

	if (!json_is_string(at.v))
		conf_expected(r, k, at.node);
	else if (!conf_mac_parse(json_string_value(at.v), n->mac) || (n->mac[0] & 1) != 0 ||
		memcmp(n->mac, zero, sizeof(zero)) == 0)
		conf_error(r, at.node,
			"expected the MAC address of a host such as 02:00:5e:10:00:01, found %s",
			conf_echo(r, at.node, buf));
}

void
conf_part_neighbors(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_if *ifc = o->base;

	if (!conf_is_array(r, k, at))
		return;
	ifc->neighbors = conf_calloc(r, json_array_size(at.v) + 1, sizeof(*ifc->neighbors));
	if (ifc->neighbors == NULL)
		return;
	for (struct conf_at e = conf_first_element(r, at); e.v != NULL;
		e = conf_next_element(r, at, e)) {
		struct conf_neighbor *n = &ifc->neighbors[ifc->n_neighbors];
		struct conf_object_at obj = {.base = n};
		uint32_t errors = r->issues->n_errors;

		if (!conf_is_object(r, e))
			continue;
		n->node = e.node;
		conf_read_object(r, CONF_OBJECT_NEIGHBOR, e, &obj);
		if (r->issues->n_errors == errors)
			ifc->n_neighbors++;
	}
}

/* On a subnet of its interface, and a host that is not this box. */
static void
check_address(struct conf_reader *r, uint16_t if_index, const struct conf_neighbor *n,
	const struct conf_entry *addresses, const struct conf_nets *connected)
{
	bool link_local = conf_addr_link_local(&n->addr);
	uint32_t node = conf_member_node(r, n->node, "address");
	const struct conf_net *net;
	char a[CONF_ADDR_STR], b[CONF_ADDR_STR], *list;

	if (conf_check_itself(r, node, addresses, &n->addr, link_local ? if_index + 1u : 0) ||
		link_local)
		return;
	net = conf_nets_find(connected, &n->addr);
	if (net == NULL || net->if_index != if_index) {
		if (r->ifs_bad || r->groups_bad)
			return;
		list = conf_nets_list(connected, r, if_index, n->addr.family);
		conf_error(r, node, "%s is on no subnet of interface \"%s\", there are %s",
			conf_addr_str(&n->addr, a), r->c->ifs[if_index].name,
			list == NULL ? "?" : list);
		free(list);
	} else if (conf_host_unfit(&n->addr, net->net.plen) != NULL) {
		conf_error(r, node, "%s is %s of %s, expected the address of a host",
			conf_addr_str(&n->addr, a), conf_host_unfit(&n->addr, net->net.plen),
			conf_prefix_str(&net->net, b));
	}
}

/* What goes to a MAC of ours comes back. */
static void
check_mac(struct conf_reader *r, uint16_t if_index, const struct conf_neighbor *n)
{
	for (uint16_t g = 0; g < r->c->n_groups; g++) {
		uint8_t vmac[BASE_MAC_LEN];

		base_vmac(r->c->groups[g].vhid, vmac);
		if (r->c->groups[g].if_index == if_index && memcmp(vmac, n->mac, sizeof(vmac)) == 0)
			conf_error(r, conf_member_node(r, n->node, "mac"),
				"this is the shared MAC address of group \"%s\"",
				r->c->groups[g].name);
	}
}

static int
compare_neighbor(const void *pa, const void *pb)
{
	const struct conf_neighbor *a = pa, *b = pb;
	int order = conf_addr_compare(&a->addr, &b->addr);

	return order != 0 ? order : a->node < b->node ? -1 : a->node > b->node;
}

void
conf_check_neighbors(struct conf_reader *r, const struct conf_entry *addresses)
{
	struct conf_nets connected;
	char a[CONF_ADDR_STR];

	if (conf_nets_build(&connected, r, true) != 0) {
		r->out_of_memory = true;
		return;
	}
	for (uint16_t i = 0; i < r->c->n_ifs; i++) {
		struct conf_if *ifc = &r->c->ifs[i];

		for (uint16_t n = 0; n < ifc->n_neighbors; n++) {
			check_address(r, i, &ifc->neighbors[n], addresses, &connected);
			check_mac(r, i, &ifc->neighbors[n]);
		}
		if (ifc->n_neighbors > 0)
			qsort(ifc->neighbors, ifc->n_neighbors, sizeof(*ifc->neighbors),
				compare_neighbor);
		for (uint16_t n = 1; n < ifc->n_neighbors; n++)
			if (conf_addr_compare(
				    &ifc->neighbors[n].addr, &ifc->neighbors[n - 1].addr) == 0)
				conf_error(r,
					conf_member_node(r, ifc->neighbors[n].node, "address"),
					"%s is given at line %u already",
					conf_addr_str(&ifc->neighbors[n].addr, a),
					conf_line(r, ifc->neighbors[n - 1].node));
	}
	conf_nets_free(&connected);
}
