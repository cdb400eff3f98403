/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_parts_priv.h"

static bool
node_ok(const char *s)
{
	if (!isalnum((unsigned char)*s))
		return false;
	while (isalnum((unsigned char)*s) || *s == '_' || *s == '-')
		s++;
	return *s == '\0';
}

void
conf_part_node(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	conf_read_text(r, k, at, ((struct conf *)o->base)->node, node_ok);
}

void
conf_part_eal(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf *c = o->base;
	char buf[CONF_ECHO];

	if (!conf_is_array(r, k, at))
		return;
	c->eal = conf_calloc(r, json_array_size(at.v) + 1, sizeof(*c->eal));
	if (c->eal == NULL)
		return;
	for (struct conf_at e = conf_first_element(r, at); e.v != NULL;
		e = conf_next_element(r, at, e)) {
		const char *s = json_string_value(e.v);

		if (s == NULL) {
			conf_unexpected(r, e.node, "a string", conf_found(r, e.node, buf));
		} else if (s[0] == '\0') {
			conf_error(r, e.node, "an empty string is no argument");
		} else if (strcmp(s, "--") == 0) {
			conf_error(r, e.node,
				"\"--\" ends the EAL's arguments, only such arguments stand here");
		} else if (strcmp(s, "-h") == 0 || strcmp(s, "--help") == 0 ||
			strcmp(s, "-v") == 0 || strcmp(s, "--version") == 0) {
			conf_error(r, e.node,
				"%s makes the EAL print and exit, give it on the "
				"command line",
				s);
		} else {
			c->eal[c->n_eal] = strdup(s);
			if (c->eal[c->n_eal++] == NULL)
				r->out_of_memory = true;
		}
	}
}

static bool
read_cpu(struct conf_reader *r, struct conf_at at, uint16_t *cpu)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);
	char buf[CONF_ECHO], allowed[40];
	json_int_t v = json_integer_value(at.v);

	if (!json_is_integer(at.v) || v < 0 || v > CONF_CPU_MAX) {
		snprintf(allowed, sizeof(allowed), "a CPU number from 0 to %d", CONF_CPU_MAX);
		conf_unexpected(r, at.node, allowed, conf_found(r, at.node, buf));
		return false;
	}
	/* a file is often checked on another machine than it is for */
	if (v >= n && r->flags & CONF_CHECK_ONLY)
		conf_warning(r, at.node, "there is no CPU %d here, this machine has 0 to %ld",
			(int)v, n - 1);
	else if (v >= n)
		conf_error(
			r, at.node, "there is no CPU %d, this machine has 0 to %ld", (int)v, n - 1);
	*cpu = (uint16_t)v;
	return true;
}

void
conf_part_control(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	(void)k;
	read_cpu(r, at, &((struct conf_lcores *)o->base)->control);
}

void
conf_part_workers(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_lcores *l = o->base;

	if (!conf_is_array(r, k, at))
		return;
	for (struct conf_at e = conf_first_element(r, at); e.v != NULL;
		e = conf_next_element(r, at, e)) {
		if (read_cpu(r, e, &l->workers[l->n_workers]))
			l->n_workers++;
	}
}

/** A CPU with more than one role, or -1. */
static int
shared_cpu(const struct conf_lcores *l)
{
	for (unsigned int i = 0; i < l->n_workers; i++) {
		if (l->workers[i] == l->control)
			return l->control;
		for (unsigned int j = 0; j < i; j++) {
			if (l->workers[i] == l->workers[j])
				return l->workers[i];
		}
	}
	return -1;
}

void
conf_part_lcores(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_lcores *l = &((struct conf *)o->base)->lcores;
	struct conf_object_at lcores = {.base = l};
	char buf[CONF_ECHO];

	if (json_is_string(at.v)) {
		if (strcmp(json_string_value(at.v), "auto") != 0)
			conf_error(r, at.node, "expected \"auto\" or an object, found %s",
				conf_echo(r, at.node, buf));
		return;
	}
	if (!json_is_object(at.v)) {
		conf_expected(r, k, at.node);
		return;
	}
	conf_read_object(r, CONF_OBJECT_LCORES, at, &lcores);
	if (l->idle == CONF_IDLE_POLL && l->rt_priority > 0 && shared_cpu(l) >= 0)
		conf_error(r, conf_member_node(r, at.node, "rt-priority"),
			"rt-priority with idle \"poll\" needs a CPU for each role, but CPU %d has "
			"several: one would starve the others",
			shared_cpu(l));
}

void
conf_part_interfaces(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf *c = o->base;
	uint32_t errors = r->issues->n_errors;
	uint16_t i = 0;

	r->ifs_bad = true;
	if (!conf_is_array(r, k, at))
		return;
	c->ifs = conf_calloc(r, json_array_size(at.v), sizeof(*c->ifs));
	r->if_node = conf_calloc(r, json_array_size(at.v), sizeof(*r->if_node));
	if (c->ifs == NULL || r->if_node == NULL)
		return;
	c->n_ifs = (uint16_t)json_array_size(at.v);
	for (struct conf_at e = conf_first_element(r, at); e.v != NULL;
		e = conf_next_element(r, at, e)) {
		struct conf_object_at obj = {.base = &c->ifs[i], .index = i};

		r->if_node[i++] = e.node;
		if (conf_is_object(r, e))
			conf_read_object(r, CONF_OBJECT_IF, e, &obj);
	}
	r->ifs_bad = r->issues->n_errors != errors;
}

void
conf_part_name(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	const char *s = json_string_value(at.v);
	char *field = k->object == CONF_OBJECT_IF ? ((struct conf_if *)o->base)->name
						  : ((struct conf_group *)o->base)->name;

	if (s != NULL && conf_name_reserved(s))
		conf_error(r, at.node,
			"\"%s\" is a word of the command line and no name; such "
			"words are %s",
			s, CONF_RESERVED);
	else
		conf_read_text(r, k, at, field, conf_name_valid);
}

static bool
device_ok(const char *s)
{
	if (*s == '\0')
		return false;
	while (isgraph((unsigned char)*s) && *s != ',')
		s++;
	return *s == '\0';
}

void
conf_part_device(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	conf_read_text(r, k, at, ((struct conf_if *)o->base)->device, device_ok);
}

void
conf_part_if_addresses(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_if *i = o->base;

	if (conf_is_array(r, k, at))
		conf_read_addresses(
			r, k, at, false, (uint16_t)o->index, &i->addresses, &i->n_addresses);
}

/* Next hops of all routes, at most. */
static size_t
count_hops(const struct conf_reader *r, struct conf_at routes)
{
	size_t n = 0;

	for (struct conf_at e = conf_first_element(r, routes); e.v != NULL;
		e = conf_next_element(r, routes, e)) {
		const json_t *via = json_object_get(e.v, "via");

		n += json_is_array(via) ? json_array_size(via) : 1;
	}
	return n;
}

void
conf_part_routes(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf *c = o->base;
	uint32_t i = 0;

	if (!conf_is_array(r, k, at) || json_array_size(at.v) == 0)
		return;
	c->routes = conf_calloc(r, json_array_size(at.v), sizeof(*c->routes));
	c->hops = conf_calloc(r, count_hops(r, at), sizeof(*c->hops));
	r->route = conf_calloc(r, json_array_size(at.v), sizeof(*r->route));
	if (c->routes == NULL || c->hops == NULL || r->route == NULL)
		return;
	r->next_hop = c->hops;
	c->n_routes = (uint32_t)json_array_size(at.v);
	for (struct conf_at e = conf_first_element(r, at); e.v != NULL;
		e = conf_next_element(r, at, e)) {
		struct conf_object_at obj = {.base = &c->routes[i], .index = i};

		r->route[i].node = e.node;
		r->route[i].via = CONF_POS_NONE;
		if (conf_is_object(r, e))
			conf_read_object(r, CONF_OBJECT_ROUTE, e, &obj);
		else
			r->route[i].type_bad = true;
		r->route[i++].type_bad |= obj.refused[CONF_KEY_ROUTE_TYPE] ||
			obj.misspelt[CONF_KEY_ROUTE_TYPE] || obj.misspelt[CONF_KEY_ROUTE_VIA];
	}
}

void
conf_part_prefix(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	if (json_is_string(at.v))
		conf_read_route_prefix(r, at, o->index);
	else
		conf_expected(r, k, at.node);
}

void
conf_part_via(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_route *route = o->base;
	struct conf_route_at *ra = &r->route[o->index];
	struct conf_at e = at;

	ra->via = at.node;
	if (!json_is_string(at.v) && !json_is_array(at.v)) {
		conf_expected(r, k, at.node);
		return;
	}
	if (json_is_array(at.v)) {
		if (!conf_is_array(r, k, at))
			return;
		e = conf_first_element(r, at);
	}
	route->hops = r->next_hop;
	ra->via_ok = true;
	while (e.v != NULL) {
		route->hops[route->n_hops].if_index = CONF_IF_NONE;
		ra->via_ok &= conf_read_route_hop(r, e, &route->hops[route->n_hops++].via);
		r->next_hop++;
		e = e.node == at.node ? (struct conf_at){0} : conf_next_element(r, at, e);
	}
}

void
conf_part_route_interface(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_route_at *route = &r->route[o->index];

	route->interface_node = at.node;
	route->interface = json_string_value(at.v);
	if (route->interface == NULL) {
		route->interface_bad = true;
		conf_expected(r, k, at.node);
	}
}

/** What holds when the key "carp" is not there. */
