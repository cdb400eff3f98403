/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Routes as the configuration has them, and how those in effect differ from the file. */
#include "mgmt_view_priv.h"

#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "fib_builder.h"
#include "wire6.h"

#include "mgmt_json_priv.h"
#include "mgmt_priv.h"

#define ROUTES_SHOWN 1000

struct shown {
	json_t *list;
	json_t *index; /* to save: where the file's routes stand in list, by prefix */
	uint64_t max;
	uint64_t n, more;
};

/* Called for each route that is no address or subnet of ours; false ends it. */
typedef bool route_fn(
	struct shown *s, const struct mgmt_config *c, const struct fib_route *r, bool runtime);

/* In pages, so that the builder never waits for long. */
static void
routes_walk(const struct mgmt_config *c, route_fn *fn, struct shown *s)
{
	struct fib_route r;
	bool runtime, go_on = true;
	uint32_t i = 0;

	while (go_on) {
		const struct fib *fib = fib_builder_read(c->routes);

		for (unsigned int n = 0; go_on && n < FIB_PAGE_MAX; n++, i++) {
			go_on = fib_route_get(fib, i, &r, &runtime);
			if (go_on && strcmp(mgmt_route_origin(&r, runtime), "connected") != 0)
				go_on = fn(s, c, &r, runtime);
		}
		fib_builder_read_end(c->routes);
	}
}

/* Where it is about those that commands set: most often there are none. */
static void
runtime_walk(const struct mgmt_config *c, route_fn *fn, struct shown *s)
{
	uint32_t n = fib_runtime_count(fib_builder_read(c->routes));

	fib_builder_read_end(c->routes);
	if (n != 0)
		routes_walk(c, fn, s);
}

/* Its next hops are of one interface, which has to be named. */
static bool
link_local_hop(const struct fib_route *r)
{
	const struct fib_nh *nh = r->nh.type == FIB_NH_MULTI ? &r->nh.paths[0] : &r->nh;

	return r->prefix.addr.family == BASE_FAMILY_IP6 && nh->type == FIB_NH_GATEWAY &&
		wire_ip6_is_link_local(nh->gateway6);
}

/* A route as the file has it. */
static json_t *
route_json(const struct mgmt_config *c, const struct fib_route *r)
{
	char via[FIB_PATHS_MAX * CONF_ADDR_STR], ifs[FIB_PATHS_MAX * (CONF_NAME_MAX + 1)];
	char text[CONF_ADDR_STR], *save = NULL;
	json_t *o = json_object(), *hops;

	mgmt_route_paths(c, r, via, sizeof(via), ifs, sizeof(ifs));
	put_str(o, "prefix", conf_prefix_str(&r->prefix, text));
	if (r->nh.type == FIB_NH_MULTI) {
		hops = json_array();
		for (char *hop = strtok_r(via, ",", &save); hop; hop = strtok_r(NULL, ",", &save))
			json_array_append_new(hops, json_string(hop));
		json_object_set_new(o, "via", hops);
	} else if (r->nh.type == FIB_NH_GATEWAY) {
		put_str(o, "via", via);
	} else {
		put_str(o, "type", mgmt_route_type(r));
	}
	if (link_local_hop(r))
		put_str(o, "interface", ifs);
	return o;
}

static bool
route_config(struct shown *s, const struct mgmt_config *c, const struct fib_route *r, bool runtime)
{
	(void)runtime;
	if (s->n++ >= s->max)
		s->more++;
	else
		json_array_append_new(s->list, route_json(c, r));
	return true;
}

uint64_t
mgmt_routes_config(const struct mgmt_config *c, json_t *list)
{
	struct shown s = {.list = list, .max = ROUTES_SHOWN};

	routes_walk(c, route_config, &s);
	return s.more;
}

static bool
route_added(struct shown *s, const struct mgmt_config *c, const struct fib_route *r, bool runtime)
{
	char via[FIB_PATHS_MAX * CONF_ADDR_STR], ifs[FIB_PATHS_MAX * (CONF_NAME_MAX + 1)];
	char text[CONF_ADDR_STR];
	bool named = link_local_hop(r);

	if (!runtime)
		return true;
	conf_prefix_str(&r->prefix, text);
	mgmt_route_paths(c, r, via, sizeof(via), ifs, sizeof(ifs));
	if (via[0] == '\0')
		json_array_append_new(
			s->list, json_sprintf("route add %s %s", text, mgmt_route_type(r)));
	else
		json_array_append_new(s->list,
			json_sprintf("route add %s via %s%s%s", text, via,
				named ? " interface " : "", named ? ifs : ""));
	return ++s->n < s->max;
}

/* Called for each route of the file that is not there, the i-th. */
typedef void removed_fn(struct shown *s, const struct base_prefix *p, uint32_t i);

static void
removed_walk(const struct mgmt_config *c, removed_fn *fn, struct shown *s)
{
	const struct conf *file = c->conf;

	for (uint32_t i = 0; i < file->n_routes && s->n < s->max;) {
		const struct fib *fib = fib_builder_read(c->routes);

		for (unsigned int n = 0; n < FIB_PAGE_MAX && i < file->n_routes; n++, i++) {
			const struct base_prefix *p = &file->routes[i].prefix;
			struct fib_route r;

			if (fib_route_get(fib, fib_route_find(fib, p), &r, NULL) &&
				memcmp(&r.prefix, p, sizeof(*p)) == 0)
				continue;
			fn(s, p, i);
			s->n++;
		}
		fib_builder_read_end(c->routes);
	}
}

static void
removed_show(struct shown *s, const struct base_prefix *p, uint32_t i)
{
	char text[CONF_ADDR_STR];

	(void)i;
	json_array_append_new(s->list, json_sprintf("route del %s", conf_prefix_str(p, text)));
}

void
mgmt_routes_diff(const struct mgmt_config *c, json_t *list)
{
	struct shown s = {.list = list, .max = ROUTES_SHOWN};

	runtime_walk(c, route_added, &s);
	s.n = 0;
	removed_walk(c, removed_show, &s);
}

static json_t *
index_make(const struct conf *file)
{
	json_t *index = json_object();
	char text[CONF_ADDR_STR];

	for (uint32_t i = 0; i < file->n_routes; i++)
		json_object_set_new(
			index, conf_prefix_str(&file->routes[i].prefix, text), json_integer(i));
	return index;
}

static bool
route_save(struct shown *s, const struct mgmt_config *c, const struct fib_route *r, bool runtime)
{
	char text[CONF_ADDR_STR];
	const json_t *at;

	if (!runtime)
		return true;
	if (s->index == NULL)
		s->index = index_make(c->conf);
	at = json_object_get(s->index, conf_prefix_str(&r->prefix, text));
	if (at != NULL)
		json_array_set_new(s->list, (size_t)json_integer_value(at), route_json(c, r));
	else
		json_array_append_new(s->list, route_json(c, r));
	s->n++;
	return true;
}

/* The others keep their places until all that are gone are known. */
static void
removed_save(struct shown *s, const struct base_prefix *p, uint32_t i)
{
	(void)p;
	json_array_set_new(s->list, i, json_null());
}

static void
nulls_drop(json_t *list)
{
	json_t *kept = json_array(), *o;
	size_t i;

	json_array_foreach (list, i, o)
		if (!json_is_null(o))
			json_array_append(kept, o);
	json_array_clear(list);
	json_array_extend(list, kept);
	json_decref(kept);
}

unsigned int
mgmt_routes_save(const struct mgmt_config *c, json_t *list)
{
	struct shown s = {.list = list, .max = UINT64_MAX};
	uint64_t set;

	runtime_walk(c, route_save, &s);
	json_decref(s.index);
	set = s.n;
	removed_walk(c, removed_save, &s);
	if (s.n != set)
		nulls_drop(list);
	return (unsigned int)s.n;
}
