/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Routes, of a file and of commands. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf_addr_priv.h"
#include "conf_check_priv.h"
#include "conf_net_priv.h"

static const char *const types[] = {
	[CONF_ROUTE_VIA] = "via",
	[CONF_ROUTE_BLACKHOLE] = "blackhole",
	[CONF_ROUTE_UNREACHABLE] = "unreachable",
	[CONF_ROUTE_PROHIBIT] = "prohibit",
};

/** The next hop on a connected subnet; its interface, or CONF_IF_NONE, which is reported. */
static uint16_t
find_via(struct conf_reader *r, uint32_t node, const struct base_addr *via,
	const struct conf_nets *connected)
{
	const struct conf_net *net = conf_nets_find(connected, via);
	char a[CONF_ADDR_STR], b[CONF_ADDR_STR];
	const char *what;

	if (net == NULL) {
		char *list;

		if (r->ifs_bad || r->groups_bad)
			return CONF_IF_NONE;
		list = conf_nets_list(connected, r, CONF_IF_NONE, via->family);
		conf_error(r, node, "%s is on no connected subnet, there are %s",
			conf_addr_str(via, a), list == NULL ? "?" : list);
		free(list);
		return CONF_IF_NONE;
	}
	what = conf_host_unfit(via, net->net.plen);
	if (what != NULL) {
		conf_error(r, node, "%s is %s of %s, expected the address of a host",
			conf_addr_str(via, a), what, conf_prefix_str(&net->net, b));
		return CONF_IF_NONE;
	}
	return net->if_index;
}

/* What is given twice, or wrong whatever the other hops are. */
static uint16_t
check_hop(struct conf_reader *r, uint32_t i, unsigned int h, uint32_t node, uint16_t named,
	const struct conf_entry *addresses, const struct conf_nets *connected)
{
	const struct conf_route *route = &r->c->routes[i];
	const struct base_addr *via = &route->hops[h].via;
	const struct conf_route_at *at = &r->route[i];
	bool link_local = conf_addr_link_local(via);
	char buf[CONF_ADDR_STR];
	uint16_t found;

	if (at->prefix_ok && route->prefix.addr.family != via->family) {
		conf_error(r, node, "%s is no %s address, as that of a next hop to this prefix",
			conf_addr_str(via, buf), via->family == BASE_FAMILY_IP4 ? "IPv6" : "IPv4");
		return CONF_IF_NONE;
	}
	for (unsigned int k = 0; k < h; k++) {
		if (conf_addr_compare(&route->hops[k].via, via) == 0) {
			conf_error(r, node, "%s is given as a next hop already",
				conf_addr_str(via, buf));
			return CONF_IF_NONE;
		}
	}
	if (at->interface == NULL && link_local) {
		conf_error(r, node, "%s is link-local: the route needs an \"interface\"",
			conf_addr_str(via, buf));
		return CONF_IF_NONE;
	}
	if (conf_check_itself(r, node, addresses, via, link_local ? named + 1u : 0))
		return CONF_IF_NONE;
	found = link_local ? named : find_via(r, node, via, connected);
	if (found != CONF_IF_NONE && named != CONF_IF_NONE && found != named) {
		conf_error(r, at->interface_node,
			"%s is on a subnet of interface \"%s\", not of \"%s\"",
			conf_addr_str(via, buf), r->c->ifs[found].name, r->c->ifs[named].name);
		return CONF_IF_NONE;
	}
	return found;
}

static void
check_via(struct conf_reader *r, uint32_t i, const struct conf_entry *addresses,
	const struct conf_nets *connected)
{
	struct conf_route *route = &r->c->routes[i];
	const struct conf_route_at *at = &r->route[i];
	uint32_t node = r->pos->node[at->via].type == CONF_POS_ARRAY ? r->pos->node[at->via].first
								     : at->via;
	uint16_t named = CONF_IF_NONE;

	if (at->interface_bad)
		return;
	if (at->interface != NULL) {
		named = conf_check_named(r, at->interface_node, at->interface);
		if (named == CONF_IF_NONE)
			return;
	}
	for (unsigned int h = 0; h < route->n_hops; h++) {
		route->hops[h].if_index = check_hop(r, i, h, node, named, addresses, connected);
		node = r->pos->node[node].next;
	}
}

/* A route has next hops, or another type. */
static void
check_type(struct conf_reader *r, uint32_t i)
{
	const struct conf_route *route = &r->c->routes[i];
	const struct conf_route_at *at = &r->route[i];

	if (at->type_bad)
		return;
	if (route->type == CONF_ROUTE_VIA && at->via == CONF_POS_NONE)
		conf_error(r, at->node,
			"missing key \"via\", expected " CONF_VIA_WHAT
			"; or a \"type\" that needs none: \"blackhole\", \"unreachable\", "
			"\"prohibit\"");
	else if (route->type != CONF_ROUTE_VIA && at->via != CONF_POS_NONE)
		conf_error(
			r, at->via, "a route of type \"%s\" has no next hop", types[route->type]);
	else if (route->type != CONF_ROUTE_VIA && at->interface != NULL)
		conf_error(r, at->interface_node, "a route of type \"%s\" has no interface",
			types[route->type]);
}

static void
check_prefixes(struct conf_reader *r, const struct conf_nets *connected)
{
	struct conf_entry *e = conf_calloc(r, r->c->n_routes, sizeof(*e));
	char buf[CONF_ADDR_STR];
	uint32_t n = 0;

	for (uint32_t i = 0; e != NULL && i < r->c->n_routes; i++) {
		const struct base_prefix *p = &r->c->routes[i].prefix;
		const struct conf_net *net;
		uint32_t node;

		if (!r->route[i].prefix_ok)
			continue;
		node = conf_member_node(r, r->route[i].node, "prefix");
		e[n++] = (struct conf_entry){.p = *p, .node = node};
		net = conf_nets_exact(connected, p);
		if (net != NULL)
			conf_error(r, node,
				"%s is connected by interface \"%s\" (line %u) and needs no route",
				conf_prefix_str(p, buf), r->c->ifs[net->if_index].name,
				conf_line(r, r->place[net->place].node));
	}
	if (n > 0)
		qsort(e, n, sizeof(*e), conf_entry_compare_subnet);
	for (uint32_t i = 1, first = 0; i < n; i++) {
		if (conf_entry_compare_prefix(&e[i], &e[first]) == 0)
			conf_error(r, e[i].node, "a route to %s is given at line %u already",
				conf_prefix_str(&e[i].p, buf), conf_line(r, e[first].node));
		else
			first = i;
	}
	free(e);
}

void
conf_check_routes(struct conf_reader *r, const struct conf_entry *addresses)
{
	struct conf_nets connected;

	if (conf_nets_build(&connected, r, true) != 0) {
		r->out_of_memory = true;
		return;
	}
	check_prefixes(r, &connected);
	for (uint32_t i = 0; i < r->c->n_routes; i++) {
		check_type(r, i);
		if (r->route[i].via_ok)
			check_via(r, i, addresses, &connected);
	}
	conf_nets_free(&connected);
}

/*
 * A command is read as a file of one route, whose words are the document: each is the value at
 * hand when it is looked at, and what is said of it comes without a position.
 */
struct words {
	struct conf c;
	struct conf_route route;
	struct conf_route_at at;
	struct conf_pos pos;
	/* the document; prefix, array of hops, interface; hops */
	struct conf_pos_node node[4 + CONF_HOPS_MAX];
	char text[1024];
	json_t *value[4 + CONF_HOPS_MAX];
};

enum { NODE_ROUTE = 0, NODE_PREFIX, NODE_VIA, NODE_IF, NODE_HOP };

/* A word becomes a node of the document. */
static struct conf_at
word_add(struct words *w, uint32_t node, const char *word, size_t len)
{
	struct conf_pos_node *n = &w->node[node];
	size_t at = w->pos.len;

	if (at + len >= sizeof(w->text))
		len = 0;
	memcpy(w->text + at, word, len);
	w->pos.len += len;
	*n = (struct conf_pos_node){.type = CONF_POS_STRING,
		.parent = CONF_POS_NONE,
		.first = CONF_POS_NONE,
		.next = CONF_POS_NONE,
		.start = (uint32_t)at,
		.end = (uint32_t)(at + len),
		.line = 1,
		.column = 1};
	w->value[node] = json_stringn(word, len);
	return (struct conf_at){.v = w->value[node], .node = node};
}

static bool
hops_add(struct conf_reader *r, struct words *w, const char *via)
{
	uint32_t node = NODE_HOP;
	bool ok = true;

	word_add(w, NODE_VIA, via, strlen(via));
	w->node[NODE_VIA].type = CONF_POS_ARRAY;
	w->node[NODE_VIA].first = node;
	w->at.via = NODE_VIA;
	for (;; node++, via++) {
		size_t len = strcspn(via, ",");

		if (node == NODE_HOP + CONF_HOPS_MAX) {
			conf_error(r, NODE_VIA, "a route has at most %d next hops", CONF_HOPS_MAX);
			return false;
		}
		if (node > NODE_HOP)
			w->node[node - 1].next = node;
		ok &= conf_read_route_hop(
			r, word_add(w, node, via, len), &w->route.hops[w->route.n_hops].via);
		w->route.hops[w->route.n_hops++].if_index = CONF_IF_NONE;
		via += len;
		if (*via == '\0')
			return ok;
	}
}

/* Own addresses and VIPs, as they were read. */
static bool
places_add(struct conf_reader *r, const struct conf *c)
{
	uint32_t n = 0;

	for (uint16_t i = 0; i < c->n_ifs; i++)
		n += c->ifs[i].n_addresses;
	for (uint16_t g = 0; g < c->n_groups; g++)
		n += c->groups[g].n_addresses;
	r->place = conf_calloc(r, n, sizeof(*r->place));
	if (r->place == NULL)
		return false;
	for (uint16_t i = 0; i < c->n_ifs; i++)
		for (uint16_t a = 0; a < c->ifs[i].n_addresses; a++)
			r->place[r->n_places++] =
				(struct conf_place){.p = c->ifs[i].addresses[a], .owner = i};
	for (uint16_t g = 0; g < c->n_groups; g++)
		for (uint16_t a = 0; a < c->groups[g].n_addresses; a++)
			r->place[r->n_places++] = (struct conf_place){
				.p = c->groups[g].addresses[a], .vip = true, .owner = g};
	return true;
}

static void
words_check(struct conf_reader *r, struct words *w, const char *prefix, const char *via,
	const char *interface)
{
	struct conf_entry *addresses;

	word_add(w, NODE_ROUTE, "", 0);
	conf_read_route_prefix(r, word_add(w, NODE_PREFIX, prefix, strlen(prefix)), 0);
	w->at.node = NODE_PREFIX;
	if (via != NULL)
		w->at.via_ok = hops_add(r, w, via);
	if (interface != NULL) {
		w->at.interface_node = NODE_IF;
		w->at.interface =
			json_string_value(word_add(w, NODE_IF, interface, strlen(interface)).v);
	}
	if (r->issues->n_errors != 0)
		return;
	addresses = conf_sorted_addresses(r);
	if (addresses != NULL)
		conf_check_routes(r, addresses);
	free(addresses);
}

int
conf_route_parse(const struct conf *c, const char *prefix, const char *via,
	enum conf_route_type type, const char *interface, struct conf_route *out,
	struct conf_hop hops[CONF_HOPS_MAX], char *err, size_t err_len)
{
	struct words w = {.c = *c, .route = {.type = type, .hops = hops}, .at.via = CONF_POS_NONE};
	struct conf_issues issues;
	struct conf_reader r = {.c = &w.c, .pos = &w.pos, .issues = &issues, .route = &w.at};
	int ret = -1;

	memset(hops, 0, CONF_HOPS_MAX * sizeof(*hops));
	conf_issues_init(&issues, "");
	w.pos.text = w.text;
	w.pos.node = w.node;
	w.pos.n = sizeof(w.node) / sizeof(w.node[0]);
	w.c.routes = &w.route;
	w.c.n_routes = 1;
	if (places_add(&r, c))
		words_check(&r, &w, prefix, via, interface);
	if (r.out_of_memory)
		snprintf(err, err_len, "out of memory");
	else if (issues.n_errors != 0)
		snprintf(err, err_len, "%s", issues.issue[0].text);
	else
		ret = 0;
	*out = w.route;
	for (unsigned int i = 0; i < sizeof(w.value) / sizeof(w.value[0]); i++)
		json_decref(w.value[i]);
	free(r.place);
	conf_issues_free(&issues);
	return ret;
}
