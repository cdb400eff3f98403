/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf_addr_priv.h"
#include "conf_check_priv.h"
#include "conf_net_priv.h"

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

uint16_t
conf_check_named(struct conf_reader *r, uint32_t node, const char *name)
{
	char buf[CONF_ECHO];
	const char *near;
	char *list;

	for (uint16_t i = 0; i < r->c->n_ifs; i++)
		if (strcmp(r->c->ifs[i].name, name) == 0 && name[0] != '\0')
			return i;
	/* the one that is meant may have lost its name to another error */
	if (r->ifs_bad)
		return CONF_IF_NONE;
	near = near_interface(r->c, name);
	if (near != NULL) {
		conf_error(r, node, "there is no interface %s, did you mean \"%s\"?",
			conf_echo(r, node, buf), near);
		conf_issues_hint(r->issues, NULL, near);
		return CONF_IF_NONE;
	}
	list = interface_list(r->c);
	conf_error(r, node, "there is no interface %s, allowed are %s", conf_echo(r, node, buf),
		list == NULL ? "?" : list);
	conf_issues_hint(r->issues, list, NULL);
	free(list);
	return CONF_IF_NONE;
}

/** A group without carpdev and with a link-local address: reported. */
static bool
has_link_local(struct conf_reader *r, uint16_t index)
{
	const struct conf_group *g = &r->c->groups[index];
	uint32_t node = conf_member_node(r, r->group[index].node, "addresses");
	char buf[CONF_ADDR_STR];

	node = r->pos->node[node].first;
	for (uint16_t i = 0; i < g->n_addresses; i++) {
		if (conf_addr_link_local(&g->addresses[i].addr)) {
			/* "carpdev" may be there under another name */
			if (!r->groups_bad)
				conf_error(r, node,
					"%s is link-local and on every interface: give the group "
					"a \"carpdev\"",
					conf_addr_str(&g->addresses[i].addr, buf));
			return true;
		}
		/* runs beside the addresses only while none was refused, see above */
		if (r->pos->node[node].next != CONF_POS_NONE)
			node = r->pos->node[node].next;
	}
	return false;
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

	if (g->n_addresses == 0 || has_link_local(r, index))
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
	list = conf_nets_list(own, r, CONF_IF_NONE, BASE_FAMILY_NONE);
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
			r->c->groups[i].if_index = conf_check_named(r,
				conf_member_node(r, r->group[i].node, "carpdev"),
				r->group[i].carpdev);
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

void
conf_check_groups(struct conf_reader *r)
{
	check_group_names(r);
	find_carpdevs(r);
	check_vhids(r);
}

static bool
has_family(const struct conf_group *g, uint8_t family)
{
	for (uint16_t i = 0; i < g->n_addresses; i++) {
		if (g->addresses[i].addr.family == family)
			return true;
	}
	return false;
}

/** Nothing routes adverts: a peer is on the group's segment. */
static void
check_on_link(struct conf_reader *r, uint32_t node, const struct conf_group *g,
	const struct base_addr *peer, const struct conf_nets *connected)
{
	const struct conf_net *net = conf_nets_find(connected, peer);
	char a[CONF_ADDR_STR], b[CONF_ADDR_STR];
	const char *what;
	char *list;

	if (net == NULL || net->if_index != g->if_index) {
		if (r->ifs_bad || r->groups_bad)
			return;
		list = conf_nets_list(connected, r, g->if_index, peer->family);
		conf_error(r, node, "%s is on no subnet of the group's interface, there are %s",
			conf_addr_str(peer, a), list == NULL ? "?" : list);
		free(list);
		return;
	}
	what = conf_host_unfit(peer, net->net.plen);
	if (what != NULL)
		conf_error(r, node, "%s is %s of %s, expected the address of a host",
			conf_addr_str(peer, a), what, conf_prefix_str(&net->net, b));
}

static void
check_peer(struct conf_reader *r, uint16_t index, const char *key, const struct base_addr *peer,
	const struct conf_entry *addresses, const struct conf_nets *connected)
{
	const struct conf_group *g = &r->c->groups[index];
	uint32_t node = conf_member_node(r, r->group[index].node, key);
	bool local = conf_addr_link_local(peer);

	if (peer->family == BASE_FAMILY_NONE || g->if_index == CONF_IF_NONE)
		return;
	if (!r->groups_bad && !has_family(g, peer->family)) {
		conf_error(r, node,
			"the group has no shared %s address, so that no advert goes to this peer",
			peer->family == BASE_FAMILY_IP4 ? "IPv4" : "IPv6");
		return;
	}
	if (!conf_check_itself(r, node, addresses, peer, local ? g->if_index + 1u : 0) && !local)
		check_on_link(r, node, g, peer, connected);
}

void
conf_check_peers(struct conf_reader *r, const struct conf_entry *addresses)
{
	struct conf_nets connected;

	if (conf_nets_build(&connected, r, true) != 0) {
		r->out_of_memory = true;
		return;
	}
	for (uint16_t i = 0; i < r->c->n_groups; i++) {
		const struct conf_group *g = &r->c->groups[i];

		check_peer(r, i, "peer", &g->peer4, addresses, &connected);
		check_peer(r, i, "peer6", &g->peer6, addresses, &connected);
	}
	conf_nets_free(&connected);
}
