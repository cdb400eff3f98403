/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf_addr_priv.h"
#include "conf_net_priv.h"

static void
check_interfaces(struct conf_reader *r)
{
	const struct conf_if *ifs = r->c->ifs;

	for (uint16_t i = 1; i < r->c->n_ifs; i++) {
		for (uint16_t j = 0; j < i; j++) {
			if (ifs[i].name[0] == '\0' || strcmp(ifs[i].name, ifs[j].name) != 0)
				continue;
			conf_error(r, conf_member_node(r, r->if_node[i], "name"),
				"interface name \"%s\" is taken at line %u already", ifs[i].name,
				conf_line(r, conf_member_node(r, r->if_node[j], "name")));
			break;
		}
		for (uint16_t j = 0; j < i; j++) {
			if (ifs[i].device[0] == '\0' || strcmp(ifs[i].device, ifs[j].device) != 0)
				continue;
			conf_error(r, conf_member_node(r, r->if_node[i], "device"),
				"device \"%s\" is taken by interface \"%s\" at line %u already: "
				"this version has one interface per device",
				ifs[i].device, ifs[j].name,
				conf_line(r, conf_member_node(r, r->if_node[j], "device")));
			break;
		}
	}
}

static void
check_group_names(struct conf_reader *r)
{
	const struct conf_group *g = r->c->groups;

	for (uint16_t i = 1; i < r->c->n_groups; i++) {
		for (uint16_t j = 0; j < i && g[i].name[0] != '\0'; j++) {
			if (strcmp(g[i].name, g[j].name) != 0)
				continue;
			conf_error(r, conf_member_node(r, r->group[i].node, "name"),
				"group name \"%s\" is taken at line %u already", g[i].name,
				conf_line(r, conf_member_node(r, r->group[j].node, "name")));
			break;
		}
	}
}

static const char *
near_interface(const struct conf *c, const char *name)
{
	unsigned int best_distance = UINT32_MAX, d;
	const char *best = NULL;

	for (uint16_t i = 0; i < c->n_ifs; i++) {
		if (conf_words_near(name, c->ifs[i].name, &d) && d < best_distance) {
			best = c->ifs[i].name;
			best_distance = d;
		}
	}
	return best;
}

static char *
interface_list(const struct conf *c)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	for (uint16_t i = 0; i < c->n_ifs; i++)
		fprintf(f, "%s\"%s\"", i == 0 ? "" : ", ", c->ifs[i].name);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/** The interface that a group names. */
static void
find_named(struct conf_reader *r, uint16_t index)
{
	const struct conf_group_at *at = &r->group[index];
	uint32_t node = conf_member_node(r, at->node, "carpdev");
	char buf[CONF_ECHO];
	const char *near;
	char *list;

	for (uint16_t i = 0; i < r->c->n_ifs; i++) {
		if (strcmp(r->c->ifs[i].name, at->carpdev) == 0 && at->carpdev[0] != '\0') {
			r->c->groups[index].if_index = i;
			return;
		}
	}
	/* the one that is meant may have lost its name to another error */
	if (r->ifs_bad)
		return;
	near = near_interface(r->c, at->carpdev);
	if (near != NULL) {
		conf_error(r, node, "there is no interface %s, did you mean \"%s\"?",
			conf_echo(r, node, buf), near);
		return;
	}
	list = interface_list(r->c);
	conf_error(r, node, "there is no interface %s, allowed are %s", conf_echo(r, node, buf),
		list == NULL ? "?" : list);
	free(list);
}

/** The interface whose subnet holds the group's first address, as carp(4) does. */
static void
find_by_subnet(struct conf_reader *r, uint16_t index, const struct conf_nets *own)
{
	struct conf_group *g = &r->c->groups[index];
	const struct conf_net *net;
	char buf[CONF_ADDR_STR];
	uint32_t node;
	char *list;

	if (g->n_addresses == 0)
		return;
	net = conf_nets_find(own, &g->addresses[0].addr);
	if (net != NULL) {
		g->if_index = net->if_index;
		g->carpdev_found = true;
		return;
	}
	if (r->ifs_bad || r->groups_bad)
		return;
	node = conf_member_node(r, r->group[index].node, "addresses");
	list = conf_nets_list(own, r);
	conf_error(r, r->pos->node[node].first,
		"%s is on no interface's subnet (%s): give the group a \"carpdev\"",
		conf_addr_str(&g->addresses[0].addr, buf), list == NULL ? "?" : list);
	free(list);
}

static void
find_carpdevs(struct conf_reader *r)
{
	struct conf_nets own;

	if (conf_nets_build(&own, r, false) != 0) {
		r->out_of_memory = true;
		return;
	}
	for (uint16_t i = 0; i < r->c->n_groups; i++) {
		if (r->group[i].carpdev != NULL)
			find_named(r, i);
		else if (!r->group[i].carpdev_bad)
			find_by_subnet(r, i, &own);
	}
	conf_nets_free(&own);
}

static void
check_vhids(struct conf_reader *r)
{
	uint16_t(*taken)[256] = conf_calloc(r, r->c->n_ifs, sizeof(*taken));

	if (taken == NULL)
		return;
	for (uint16_t i = 0; i < r->c->n_groups; i++) {
		const struct conf_group *g = &r->c->groups[i];

		if (g->vhid == 0 || g->if_index == CONF_IF_NONE)
			continue;
		uint16_t *by = &taken[g->if_index][g->vhid];

		if (*by == 0) {
			*by = (uint16_t)(i + 1);
			continue;
		}
		conf_error(r, conf_member_node(r, r->group[i].node, "vhid"),
			"vhid %u on interface \"%s\" is taken by group \"%s\" at line %u already",
			g->vhid, r->c->ifs[g->if_index].name, r->c->groups[*by - 1].name,
			conf_line(r, conf_member_node(r, r->group[*by - 1].node, "vhid")));
	}
	free(taken);
}

/** What an address or subnet is compared by, in one order for qsort(). */
struct entry {
	struct base_prefix p;
	uint32_t scope; /**< link-local addresses: their interface + 1 */
	uint32_t node;
	uint32_t index;
	uint16_t if_index;
};

static int
compare_prefix(const struct entry *a, const struct entry *b)
{
	int order = conf_addr_compare(&a->p.addr, &b->p.addr);

	if (order != 0)
		return order;
	return a->p.plen < b->p.plen ? -1 : a->p.plen > b->p.plen;
}

/** By address, scope, then place in the file. */
static int
compare_address(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;
	int order = conf_addr_compare(&a->p.addr, &b->p.addr);

	if (order != 0)
		return order;
	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	return a->node < b->node ? -1 : a->node > b->node;
}

/** By prefix, interface, then place in the file. */
static int
compare_subnet(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;
	int order = compare_prefix(a, b);

	if (order != 0)
		return order;
	if (a->if_index != b->if_index)
		return a->if_index < b->if_index ? -1 : 1;
	return a->node < b->node ? -1 : a->node > b->node;
}

static struct entry *
sorted_addresses(struct conf_reader *r)
{
	struct entry *e = conf_calloc(r, r->n_places, sizeof(*e));

	for (uint32_t i = 0; e != NULL && i < r->n_places; i++) {
		const struct conf_place *p = &r->place[i];
		uint16_t if_index = conf_place_if(r, p);

		e[i] = (struct entry){
			.p = p->p,
			.scope = conf_addr_link_local(&p->p.addr) ? if_index + 1u : 0,
			.node = p->node,
			.index = i,
			.if_index = if_index,
		};
	}
	if (e != NULL)
		qsort(e, r->n_places, sizeof(*e), compare_address);
	return e;
}

/** An address that is given again: by whom first decides the words. */
static void
report_again(struct conf_reader *r, struct conf_place *again, const struct conf_place *first)
{
	const char *const kind =
		first->vip ? "a shared address of group" : "an address of interface";
	const char *name =
		first->vip ? r->c->groups[first->owner].name : r->c->ifs[first->owner].name;
	char buf[CONF_ADDR_STR];

	again->repeated = true;
	conf_error(r, again->node, "%s is %s \"%s\" at line %u already%s",
		conf_addr_str(&again->p.addr, buf), kind, name, conf_line(r, first->node),
		first->vip && again->vip && first->owner != again->owner
			? ": two groups cannot share one in this version"
			: "");
}

static void
check_addresses(struct conf_reader *r, const struct entry *e)
{
	for (uint32_t i = 1, first = 0; i < r->n_places; i++) {
		if (e[i].scope == e[first].scope &&
			conf_addr_compare(&e[i].p.addr, &e[first].p.addr) == 0)
			report_again(r, &r->place[e[i].index], &r->place[e[first].index]);
		else
			first = i;
	}
}

static void
report_overlap(struct conf_reader *r, const struct entry *a, const struct entry *b)
{
	const struct entry *early = a->node < b->node ? a : b, *late = early == a ? b : a;
	char x[CONF_ADDR_STR], y[CONF_ADDR_STR];

	conf_error(r, late->node,
		"subnet %s of interface \"%s\" overlaps %s of interface \"%s\" at line %u",
		conf_prefix_str(&late->p, x), r->c->ifs[late->if_index].name,
		conf_prefix_str(&early->p, y), r->c->ifs[early->if_index].name,
		conf_line(r, early->node));
}

/**
 * Subnets of different interfaces, those of shared addresses included, must not overlap. In the
 * order of compare_subnet() a subnet follows all that hold it, so a stack of those is enough.
 */
static void
check_overlaps(struct conf_reader *r)
{
	struct entry *e = conf_calloc(r, r->n_places, sizeof(*e));
	const struct entry **stack = conf_calloc(r, r->n_places, sizeof(const struct entry *));
	uint32_t n = 0, depth = 0;

	if (e == NULL || stack == NULL)
		goto out;
	for (uint32_t i = 0; i < r->n_places; i++) {
		const struct conf_place *p = &r->place[i];
		uint16_t if_index = conf_place_if(r, p);

		if (p->repeated || if_index == CONF_IF_NONE || conf_addr_link_local(&p->p.addr))
			continue;
		e[n++] = (struct entry){
			.p = conf_prefix_network(&p->p), .node = p->node, .if_index = if_index};
	}
	qsort(e, n, sizeof(*e), compare_subnet);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k;

		if (i > 0 && compare_prefix(&e[i], &e[i - 1]) == 0 &&
			e[i].if_index == e[i - 1].if_index)
			continue;
		while (depth > 0 && !conf_prefix_holds(&stack[depth - 1]->p, &e[i].p.addr))
			depth--;
		for (k = depth; k > 0 && stack[k - 1]->if_index == e[i].if_index; k--)
			;
		if (k > 0)
			report_overlap(r, &e[i], stack[k - 1]);
		stack[depth++] = &e[i];
	}
out:
	free(stack);
	free(e);
}

static void
check_via(struct conf_reader *r, uint32_t i, const struct entry *addresses,
	const struct conf_nets *connected)
{
	struct conf_route *route = &r->c->routes[i];
	uint32_t node = conf_member_node(r, r->route[i].node, "via");
	uint32_t lo = 0, hi = r->n_places;
	char a[CONF_ADDR_STR], b[CONF_ADDR_STR];
	const struct conf_net *net;
	const char *what;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (conf_addr_compare(&addresses[mid].p.addr, &route->via) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < r->n_places && conf_addr_compare(&addresses[lo].p.addr, &route->via) == 0) {
		const struct conf_place *p = &r->place[addresses[lo].index];

		conf_error(r, node, "%s is %s \"%s\" itself, expected another host",
			conf_addr_str(&route->via, a),
			p->vip ? "a shared address of group" : "the address of interface",
			p->vip ? r->c->groups[p->owner].name : r->c->ifs[p->owner].name);
		return;
	}
	net = conf_nets_find(connected, &route->via);
	if (net == NULL) {
		char *list;

		if (r->ifs_bad || r->groups_bad)
			return;
		list = conf_nets_list(connected, r);
		conf_error(r, node, "%s is on no connected subnet, there are %s",
			conf_addr_str(&route->via, a), list == NULL ? "?" : list);
		free(list);
		return;
	}
	what = conf_host_unfit(&route->via, net->net.plen);
	if (what != NULL) {
		conf_error(r, node, "%s is %s of %s, expected the address of a host",
			conf_addr_str(&route->via, a), what, conf_prefix_str(&net->net, b));
		return;
	}
	route->if_index = net->if_index;
}

static void
check_prefixes(struct conf_reader *r, const struct conf_nets *connected)
{
	struct entry *e = conf_calloc(r, r->c->n_routes, sizeof(*e));
	char buf[CONF_ADDR_STR];
	uint32_t n = 0;

	for (uint32_t i = 0; e != NULL && i < r->c->n_routes; i++) {
		const struct base_prefix *p = &r->c->routes[i].prefix;
		uint32_t node = conf_member_node(r, r->route[i].node, "prefix");
		const struct conf_net *net;

		if (!r->route[i].prefix_ok)
			continue;
		e[n++] = (struct entry){.p = *p, .node = node};
		net = conf_nets_exact(connected, p);
		if (net != NULL)
			conf_error(r, node,
				"%s is connected by interface \"%s\" (line %u) and needs no route",
				conf_prefix_str(p, buf), r->c->ifs[net->if_index].name,
				conf_line(r, r->place[net->place].node));
	}
	if (n > 0)
		qsort(e, n, sizeof(*e), compare_subnet);
	for (uint32_t i = 1, first = 0; i < n; i++) {
		if (compare_prefix(&e[i], &e[first]) == 0)
			conf_error(r, e[i].node, "a route to %s is given at line %u already",
				conf_prefix_str(&e[i].p, buf), conf_line(r, e[first].node));
		else
			first = i;
	}
	free(e);
}

static void
check_routes(struct conf_reader *r, const struct entry *addresses)
{
	struct conf_nets connected;

	if (conf_nets_build(&connected, r, true) != 0) {
		r->out_of_memory = true;
		return;
	}
	check_prefixes(r, &connected);
	for (uint32_t i = 0; i < r->c->n_routes; i++) {
		if (r->route[i].via_ok)
			check_via(r, i, addresses, &connected);
	}
	conf_nets_free(&connected);
}

void
conf_check(struct conf_reader *r)
{
	struct entry *addresses;

	check_interfaces(r);
	check_group_names(r);
	find_carpdevs(r);
	check_vhids(r);
	addresses = sorted_addresses(r);
	if (addresses == NULL)
		return;
	check_addresses(r, addresses);
	check_overlaps(r);
	check_routes(r, addresses);
	free(addresses);
}
