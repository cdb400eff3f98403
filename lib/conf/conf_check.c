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
	}
}

int
conf_entry_compare_prefix(const struct conf_entry *a, const struct conf_entry *b)
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
	const struct conf_entry *a = va, *b = vb;
	int order = conf_addr_compare(&a->p.addr, &b->p.addr);

	if (order != 0)
		return order;
	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	return a->node < b->node ? -1 : a->node > b->node;
}

int
conf_entry_compare_subnet(const void *va, const void *vb)
{
	const struct conf_entry *a = va, *b = vb;
	int order = conf_entry_compare_prefix(a, b);

	if (order != 0)
		return order;
	if (a->if_index != b->if_index)
		return a->if_index < b->if_index ? -1 : 1;
	return a->node < b->node ? -1 : a->node > b->node;
}

struct conf_entry *
conf_sorted_addresses(struct conf_reader *r)
{
	struct conf_entry *e = conf_calloc(r, r->n_places, sizeof(*e));

	for (uint32_t i = 0; e != NULL && i < r->n_places; i++) {
		const struct conf_place *p = &r->place[i];
		uint16_t if_index = conf_place_if(r, p);

		e[i] = (struct conf_entry){
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

const char *
conf_sharing_refused(
	const struct conf *c, const struct base_addr *addr, uint16_t if_a, uint16_t if_b)
{
	if (!c->arpbalance)
		return ": two groups share one only with \"arpbalance\": true";
	if (addr->family == BASE_FAMILY_IP6)
		return ": \"arpbalance\" shares IPv4 addresses only";
	if (if_a != if_b && if_a != CONF_IF_NONE && if_b != CONF_IF_NONE)
		return ": two groups share one only on the same interface";
	return NULL;
}

/** What is wrong with "arpbalance" is told already. */
static const char *
sharing_refused(
	const struct conf_reader *r, const struct conf_place *again, const struct conf_place *first)
{
	if (!r->c->arpbalance && r->arpbalance_bad)
		return NULL;
	return conf_sharing_refused(
		r->c, &again->p.addr, conf_place_if(r, again), conf_place_if(r, first));
}

/** Each group hashes with its own key: with one key exactly one of them answers an asker. */
static void
compare_keys(struct conf_reader *r, const struct conf_place *again, const struct conf_place *first)
{
	struct conf_group_at *a = &r->group[again->owner], *b = &r->group[first->owner];
	char buf[CONF_ADDR_STR];

	if (!a->key_known || !b->key_known || a->key_warned ||
		memcmp(r->c->groups[again->owner].key, r->c->groups[first->owner].key,
			AUTH_KEY_LEN) == 0)
		return;
	a->key_warned = true;
	conf_warning(r, again->node,
		"%s is shared with group \"%s\" at line %u, which has another passphrase: some "
		"hosts that ask for it get two answers and some none",
		conf_addr_str(&again->p.addr, buf), r->c->groups[first->owner].name,
		conf_line(r, first->node));
}

/** An address that is given again: by whom first decides the words. */
static void
check_again(struct conf_reader *r, struct conf_place *again, const struct conf_place *first)
{
	const char *const kind =
		first->vip ? "a shared address of group" : "an address of interface";
	const char *name =
		first->vip ? r->c->groups[first->owner].name : r->c->ifs[first->owner].name;
	const char *why = "";
	char buf[CONF_ADDR_STR];

	if (again->vip && first->vip && again->owner != first->owner) {
		why = sharing_refused(r, again, first);
		if (why == NULL) {
			compare_keys(r, again, first);
			return;
		}
	}
	again->repeated = true;
	conf_error(r, again->node, "%s is %s \"%s\" at line %u already%s",
		conf_addr_str(&again->p.addr, buf), kind, name, conf_line(r, first->node), why);
}

static bool
same_address(const struct conf_entry *a, const struct conf_entry *b)
{
	return a->scope == b->scope && conf_addr_compare(&a->p.addr, &b->p.addr) == 0;
}

static void
check_addresses(struct conf_reader *r, const struct conf_entry *e)
{
	/* first to have the address, and first of those with the same owner: they stand together */
	uint32_t first = 0, own = 0;

	for (uint32_t i = 1; i < r->n_places; i++) {
		struct conf_place *p = &r->place[e[i].index];
		const struct conf_place *before = &r->place[e[i - 1].index];

		if (!same_address(&e[i], &e[first])) {
			first = own = i;
			continue;
		}
		if (p->vip != before->vip || p->owner != before->owner) {
			own = i;
			check_again(r, p, &r->place[e[first].index]);
		} else {
			check_again(r, p, &r->place[e[own].index]);
		}
	}
}

static void
report_overlap(struct conf_reader *r, const struct conf_entry *a, const struct conf_entry *b)
{
	const struct conf_entry *early = a->node < b->node ? a : b, *late = early == a ? b : a;
	char x[CONF_ADDR_STR], y[CONF_ADDR_STR];

	conf_error(r, late->node,
		"subnet %s of interface \"%s\" overlaps %s of interface \"%s\" at line %u",
		conf_prefix_str(&late->p, x), r->c->ifs[late->if_index].name,
		conf_prefix_str(&early->p, y), r->c->ifs[early->if_index].name,
		conf_line(r, early->node));
}

/**
 * Subnets of different interfaces, those of shared addresses included, must not overlap. In the
 * order of conf_entry_compare_subnet() a subnet follows all that hold it, so a stack of those is
 * enough.
 */
static void
check_overlaps(struct conf_reader *r)
{
	struct conf_entry *e = conf_calloc(r, r->n_places, sizeof(*e));
	const struct conf_entry **stack =
		conf_calloc(r, r->n_places, sizeof(const struct conf_entry *));
	uint32_t n = 0, depth = 0;

	if (e == NULL || stack == NULL)
		goto out;
	for (uint32_t i = 0; i < r->n_places; i++) {
		const struct conf_place *p = &r->place[i];
		uint16_t if_index = conf_place_if(r, p);

		if (p->repeated || if_index == CONF_IF_NONE || conf_addr_link_local(&p->p.addr))
			continue;
		e[n++] = (struct conf_entry){
			.p = base_prefix_network(&p->p), .node = p->node, .if_index = if_index};
	}
	qsort(e, n, sizeof(*e), conf_entry_compare_subnet);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k;

		if (i > 0 && conf_entry_compare_prefix(&e[i], &e[i - 1]) == 0 &&
			e[i].if_index == e[i - 1].if_index)
			continue;
		while (depth > 0 && !base_prefix_holds(&stack[depth - 1]->p, &e[i].p.addr))
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

bool
conf_check_itself(struct conf_reader *r, uint32_t node, const struct conf_entry *addresses,
	const struct base_addr *addr, uint32_t scope)
{
	const struct conf_entry key = {.p.addr = *addr, .scope = scope};
	const struct conf_place *p;
	uint32_t lo = 0, hi = r->n_places;
	char buf[CONF_ADDR_STR];

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (compare_address(&addresses[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == r->n_places || !same_address(&addresses[lo], &key))
		return false;
	p = &r->place[addresses[lo].index];
	conf_error(r, node, "%s is %s \"%s\" itself, expected another host",
		conf_addr_str(addr, buf),
		p->vip ? "a shared address of group" : "the address of interface",
		p->vip ? r->c->groups[p->owner].name : r->c->ifs[p->owner].name);
	return true;
}

/** A link of IPv6 carries 1,280 bytes (RFC 8200 5); reported once, at the first address there. */
static void
check_mtu(struct conf_reader *r)
{
	for (uint16_t i = 0; i < r->c->n_ifs; i++) {
		const struct conf_place *first = NULL;

		for (uint32_t k = 0; k < r->n_places; k++)
			if (r->place[k].p.addr.family == BASE_FAMILY_IP6 &&
				conf_place_if(r, &r->place[k]) == i &&
				(first == NULL || r->place[k].node < first->node))
				first = &r->place[k];
		if (first != NULL && r->c->ifs[i].mtu >= CONF_MTU_MIN &&
			r->c->ifs[i].mtu < CONF_MTU_MIN_IP6)
			conf_error(r, first->node,
				"IPv6 needs an MTU of %d or more, interface \"%s\" has %u",
				CONF_MTU_MIN_IP6, r->c->ifs[i].name, r->c->ifs[i].mtu);
	}
}

void
conf_check(struct conf_reader *r)
{
	struct conf_entry *addresses;

	check_interfaces(r);
	conf_check_devices(r);
	conf_check_hosts(r);
	conf_check_groups(r);
	addresses = conf_sorted_addresses(r);
	if (addresses == NULL)
		return;
	check_addresses(r, addresses);
	check_overlaps(r);
	conf_check_peers(r, addresses);
	conf_check_routes(r, addresses);
	check_mtu(r);
	conf_check_ra(r);
	conf_check_neighbors(r, addresses);
	free(addresses);
}
