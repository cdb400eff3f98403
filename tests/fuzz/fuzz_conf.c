/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The configuration reader on any text: a configuration or at least one error, never both; every
 * finding lies inside the text, in order. The scanner of positions accepts what Jansson accepts.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base_assert.h"
#include "conf.h"
#include "conf_pos_priv.h"

static uint32_t
count_lines(const uint8_t *data, size_t size)
{
	uint32_t n = 1;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n';
	return n;
}

static void
check_issues(const struct conf_issues *issues, uint32_t lines, size_t size)
{
	uint32_t errors = 0;

	BASE_ASSERT(issues->n == issues->n_errors + issues->n_warnings);
	for (uint32_t i = 0; i < issues->n; i++) {
		const struct conf_issue *is = &issues->issue[i];

		BASE_ASSERT(is->line >= 1 && is->line <= lines);
		BASE_ASSERT(is->column >= 1 && is->column <= size + 1);
		BASE_ASSERT(is->pointer[0] == '\0' || is->pointer[0] == '/');
		BASE_ASSERT(is->text[0] != '\0' && strchr(is->text, '\n') == NULL);
		if (i > 0)
			BASE_ASSERT(is[-1].line < is->line ||
				(is[-1].line == is->line && is[-1].column <= is->column));
		errors += is->severity == CONF_ERROR;
	}
	BASE_ASSERT(errors == issues->n_errors);
}

/** None, or another host of the family, which the group has an address of. */
static void
check_peer(const struct conf_group *g, const struct base_addr *peer, enum base_family family)
{
	bool has_family = false;

	if (peer->family == BASE_FAMILY_NONE)
		return;
	BASE_ASSERT(peer->family == family);
	for (uint16_t i = 0; i < g->n_addresses; i++) {
		const struct base_addr *vip = &g->addresses[i].addr;

		has_family |= vip->family == family;
		BASE_ASSERT(memcmp(vip, peer, sizeof(*vip)) != 0);
	}
	BASE_ASSERT(has_family);
}

/** Each address stands once on an interface, but for what ARP balancing lets groups share. */
static void
check_vips(const struct conf *c, uint16_t i, uint16_t j)
{
	const struct conf_group *a = &c->groups[i], *b = &c->groups[j];

	for (uint16_t k = 0; k < a->n_addresses; k++) {
		for (uint16_t l = i == j ? (uint16_t)(k + 1) : 0; l < b->n_addresses; l++) {
			const struct base_addr *x = &a->addresses[k].addr;
			const struct base_addr *y = &b->addresses[l].addr;

			if (memcmp(x, y, sizeof(*x)) != 0)
				continue;
			if (x->family == BASE_FAMILY_IP4)
				BASE_ASSERT(i != j && c->arpbalance && a->if_index == b->if_index);
			else
				BASE_ASSERT(i != j && a->if_index != b->if_index);
		}
	}
}

static void
check_conf(const struct conf *c)
{
	BASE_ASSERT(c->n_ifs >= 1 && c->n_ifs <= CONF_IF_MAX);
	BASE_ASSERT(c->n_groups <= CONF_GROUP_MAX && c->n_routes <= CONF_ROUTE_MAX);
	for (uint16_t i = 0; i < c->n_ifs; i++)
		BASE_ASSERT(conf_name_valid(c->ifs[i].name) && c->ifs[i].device[0] != '\0');
	for (uint16_t i = 0; i < c->n_groups; i++) {
		const struct conf_group *g = &c->groups[i];

		BASE_ASSERT(conf_name_valid(g->name) && g->vhid >= 1);
		BASE_ASSERT(g->if_index < c->n_ifs && g->n_addresses >= 1);
		BASE_ASSERT(g->fast == (g->advbase == 0) && g->advskew <= 254);
		check_peer(g, &g->peer4, BASE_FAMILY_IP4);
		check_peer(g, &g->peer6, BASE_FAMILY_IP6);
		BASE_ASSERT(g->family_timers <= CONF_FAMILY_TIMERS_ANY);
		BASE_ASSERT(g->hmac <= CONF_HMAC_NOV6LL && g->cksum6 <= CONF_CKSUM6_PSEUDO);
	}
	for (uint16_t i = 0; i < c->n_groups; i++) {
		for (uint16_t j = 0; j <= i; j++)
			check_vips(c, j, i);
	}
	BASE_ASSERT(c->dscp <= 63 && c->startup_hold_ms <= CONF_HOLD_MS_MAX);
	for (uint32_t i = 0; i < c->n_routes; i++) {
		BASE_ASSERT(c->routes[i].n_hops <= CONF_HOPS_MAX);
		BASE_ASSERT((c->routes[i].type == CONF_ROUTE_VIA) == (c->routes[i].n_hops > 0));
		for (unsigned int h = 0; h < c->routes[i].n_hops; h++)
			BASE_ASSERT(c->routes[i].hops[h].if_index < c->n_ifs);
	}
}

/** Numbers that Jansson cannot store are JSON all the same, and the depths allowed differ. */
static bool
differs_by_right(const struct conf_pos *p, const struct conf_pos_error *err, int ret)
{
	if (ret != 0)
		return strstr(err->text, "deep") != NULL || strstr(err->text, "bytes") != NULL;
	for (uint32_t i = 0; i < p->n; i++) {
		if (p->node[i].type == CONF_POS_REAL || p->node[i].end - p->node[i].start >= 19)
			return true;
	}
	return false;
}

static void
compare_with_jansson(const char *text, size_t size)
{
	struct conf_pos_error err = {0};
	struct conf_pos p;
	int ret;
	json_t *v;

	/* Jansson 2.14 overlooks a NUL byte behind a number or a word */
	if (memchr(text, '\0', size) != NULL)
		return;
	ret = conf_pos_scan(&p, text, size, &err);
	v = json_loadb(text, size, JSON_DECODE_ANY, NULL);

	BASE_ASSERT((ret == 0) == (v != NULL) || differs_by_right(&p, &err, ret));
	conf_pos_free(&p);
	json_decref(v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_issues issues;
	/* a pass-file that the text names may even exist; nothing of it shows in a finding */
	struct conf *c = conf_parse((const char *)data, size, "fuzz", CONF_CHECK_ONLY, &issues);

	BASE_ASSERT((c != NULL) == (issues.n_errors == 0));
	check_issues(&issues, count_lines(data, size), size);
	if (c != NULL)
		check_conf(c);
	compare_with_jansson((const char *)data, size);
	conf_free(c);
	conf_issues_free(&issues);
	return 0;
}
