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

/* Routes of the file that are not there. */
static void
routes_removed(struct shown *s, const struct mgmt_config *c, const struct conf *file)
{
	for (uint32_t i = 0; i < file->n_routes && s->n < s->max;) {
		const struct fib *fib = fib_builder_read(c->routes);

		for (unsigned int n = 0; n < FIB_PAGE_MAX && i < file->n_routes; n++, i++) {
			const struct base_prefix *p = &file->routes[i].prefix;
			char text[CONF_ADDR_STR];
			struct fib_route r;

			if (fib_route_get(fib, fib_route_find(fib, p), &r, NULL) &&
				memcmp(&r.prefix, p, sizeof(*p)) == 0)
				continue;
			json_array_append_new(
				s->list, json_sprintf("route del %s", conf_prefix_str(p, text)));
			s->n++;
		}
		fib_builder_read_end(c->routes);
	}
}

void
mgmt_routes_diff(const struct mgmt_config *c, json_t *list)
{
	struct shown s = {.list = list, .max = ROUTES_SHOWN};
	uint32_t n = fib_runtime_count(fib_builder_read(c->routes));

	fib_builder_read_end(c->routes);
	if (n != 0)
		routes_walk(c, route_added, &s);
	s.n = 0;
	routes_removed(&s, c, c->conf);
}

/* The route of a file's array to this prefix; SIZE_MAX: none. */
static size_t
prefix_index(const json_t *list, const struct base_prefix *p)
{
	const json_t *o;
	size_t i;

	json_array_foreach (list, i, o) {
		const char *text = get_str(o, "prefix");
		struct mgmt_args a = {0};

		if (mgmt_prefix_parse(text, strlen(text), &a) &&
			memcmp(&a.prefix, p, sizeof(*p)) == 0)
			return i;
	}
	return SIZE_MAX;
}

static bool
route_save(struct shown *s, const struct mgmt_config *c, const struct fib_route *r, bool runtime)
{
	size_t i;

	if (!runtime)
		return true;
	i = prefix_index(s->list, &r->prefix);
	if (i != SIZE_MAX)
		json_array_set_new(s->list, i, route_json(c, r));
	else
		json_array_append_new(s->list, route_json(c, r));
	s->n++;
	return true;
}

unsigned int
mgmt_routes_save(const struct mgmt_config *c, json_t *list)
{
	struct shown s = {.list = list}, gone = {.list = json_array(), .max = UINT64_MAX};
	const json_t *line;
	size_t i, at;

	routes_walk(c, route_save, &s);
	routes_removed(&gone, c, c->conf);
	json_array_foreach (gone.list, i, line) {
		const char *text = json_string_value(line) + strlen("route del ");
		struct mgmt_args a = {0};

		if (!mgmt_prefix_parse(text, strlen(text), &a))
			continue;
		at = prefix_index(list, &a.prefix);
		if (at != SIZE_MAX)
			json_array_remove(list, at);
	}
	json_decref(gone.list);
	return (unsigned int)(s.n + gone.n);
}
