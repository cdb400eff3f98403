/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Routes. The list may be long: it is shown in pages, and the builder waits for one at most. */
#include "mgmt_view_priv.h"

#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "fib_builder.h"
#include "fib_nbr.h"
#include "port.h"

#include "mgmt_json_priv.h"

#define ROUTES_SHOWN 1000 /* where no limit is given */
#define NBR_ROWS     64

const char *
mgmt_route_type(const struct fib_route *r)
{
	static const char *const names[] = {
		[FIB_NH_NONE] = "none",
		[FIB_NH_LOCAL] = "local",
		[FIB_NH_CONNECTED] = "connected",
		[FIB_NH_GATEWAY] = "gateway",
		[FIB_NH_DROP] = "drop",
		[FIB_NH_MULTI] = "multipath",
		[FIB_NH_BLACKHOLE] = "blackhole",
		[FIB_NH_UNREACHABLE] = "unreachable",
		[FIB_NH_PROHIBIT] = "prohibit",
	};

	return names[r->nh.type];
}

const char *
mgmt_route_origin(const struct fib_route *r, bool runtime)
{
	if (runtime)
		return "runtime";
	return r->nh.type == FIB_NH_LOCAL || r->nh.type == FIB_NH_CONNECTED ||
			r->nh.type == FIB_NH_DROP
		? "connected"
		: "static";
}

/* The paths of a route: itself, where it has one gateway. */
static unsigned int
paths_of(const struct fib_route *r, const struct fib_nh **paths)
{
	*paths = r->nh.type == FIB_NH_MULTI ? r->nh.paths : &r->nh;
	return r->nh.type == FIB_NH_MULTI ? r->nh.n_paths : r->nh.type == FIB_NH_GATEWAY;
}

static struct base_addr
gateway_of(const struct fib_route *r, const struct fib_nh *path)
{
	return r->prefix.addr.family == BASE_FAMILY_IP4 ? base_addr_from_ip4(path->gateway)
							: base_addr_from_ip6(path->gateway6);
}

void
mgmt_route_paths(const struct mgmt_config *c, const struct fib_route *r, char *via, size_t via_len,
	char *ifs, size_t ifs_len)
{
	const struct fib_nh *paths;
	unsigned int n = paths_of(r, &paths);
	uint16_t last = UINT16_MAX;

	via[0] = ifs[0] = '\0';
	for (unsigned int i = 0; i < n; i++) {
		struct base_addr gateway = gateway_of(r, &paths[i]);
		char text[CONF_ADDR_STR];
		size_t at = strlen(via);

		snprintf(via + at, via_len - at, "%s%s", i > 0 ? "," : "",
			conf_addr_str(&gateway, text));
		at = strlen(ifs);
		if (paths[i].if_index != last)
			snprintf(ifs + at, ifs_len - at, "%s%s", i > 0 ? "," : "",
				mgmt_if_name(c, paths[i].if_index));
		last = paths[i].if_index;
	}
	if (n == 0 &&
		(r->nh.type == FIB_NH_LOCAL || r->nh.type == FIB_NH_CONNECTED ||
			r->nh.type == FIB_NH_DROP))
		snprintf(ifs, ifs_len, "%s", mgmt_if_name(c, r->nh.if_index));
}

static json_t *
route_json(const struct mgmt_config *c, const struct fib_route *r, bool runtime)
{
	char text[CONF_ADDR_STR], via[FIB_PATHS_MAX * CONF_ADDR_STR];
	char ifs[FIB_PATHS_MAX * (CONF_NAME_MAX + 1)];
	json_t *o = json_object();

	mgmt_route_paths(c, r, via, sizeof(via), ifs, sizeof(ifs));
	put_str(o, "prefix", conf_prefix_str(&r->prefix, text));
	put_str(o, "type", mgmt_route_type(r));
	put_str(o, "origin", mgmt_route_origin(r, runtime));
	put_str(o, "via", via);
	put_str(o, "interface", ifs);
	put_str(o, "group", r->nh.type == FIB_NH_LOCAL ? mgmt_group_name(c, r->nh.group) : "");
	return o;
}

json_t *
mgmt_view_routes(const struct mgmt_config *c, const struct mgmt_args *a)
{
	uint64_t limit = a->limit != 0 ? a->limit
		: a->value != 0	       ? (uint64_t)a->value
				       : ROUTES_SHOWN;
	json_t *o = json_object(), *list = json_array();
	const struct fib *fib = fib_builder_read(c->routes);
	uint64_t first = a->has_prefix ? fib_route_find(fib, &a->prefix) : a->offset;
	uint64_t n = fib_route_count(fib), i = first;
	char text[CONF_ADDR_STR] = "";
	struct fib_route r;
	bool runtime;

	for (; i < n && i - first < limit; i++) {
		if (i > first && (i - first) % FIB_PAGE_MAX == 0) {
			fib_builder_read_end(c->routes);
			fib = fib_builder_read(c->routes);
		}
		if (!fib_route_get(fib, (uint32_t)i, &r, &runtime))
			break;
		json_array_append_new(list, route_json(c, &r, runtime));
	}
	n = fib_route_count(fib);
	if (i < n && fib_route_get(fib, (uint32_t)i, &r, NULL))
		conf_prefix_str(&r.prefix, text);
	fib_builder_read_end(c->routes);
	json_object_set_new(o, "routes", list);
	put_u64(o, "count", n);
	put_u64(o, "next", i < n ? i : 0);
	put_str(o, "next_prefix", text);
	return o;
}

static const char *
neighbor_state(const struct mgmt_config *c, uint16_t if_index, const struct base_addr *addr)
{
	struct fib_nbr_row rows[NBR_ROWS];
	uint32_t cursor = 0, n;

	while ((n = fib_nbr_rows(c->nbr, &cursor, rows, NBR_ROWS)) > 0)
		for (uint32_t i = 0; i < n; i++)
			if (rows[i].if_index == if_index &&
				memcmp(&rows[i].addr, addr, sizeof(*addr)) == 0)
				return fib_nbr_state_name(rows[i].state);
	return fib_nbr_state_name(FIB_NBR_ABSENT);
}

json_t *
mgmt_view_route_one(const struct mgmt_config *c, const struct mgmt_args *a)
{
	const struct fib *fib = fib_builder_read(c->routes);
	uint32_t at = a->is_address ? fib_route_match(fib, &a->prefix.addr)
				    : fib_route_find(fib, &a->prefix);
	struct fib_nh paths[FIB_PATHS_MAX];
	char text[CONF_ADDR_STR];
	json_t *o, *list;
	struct fib_route r;
	unsigned int n = 0;
	bool runtime;

	if (fib_route_get(fib, at, &r, &runtime) &&
		(a->is_address ||
			(r.prefix.plen == a->prefix.plen &&
				memcmp(&r.prefix.addr, &a->prefix.addr, sizeof(r.prefix.addr)) ==
					0))) {
		const struct fib_nh *of;

		o = route_json(c, &r, runtime);
		n = paths_of(&r, &of);
		memcpy(paths, of, n * sizeof(paths[0]));
	} else {
		o = json_object();
		put_str(o, "prefix", "");
	}
	fib_builder_read_end(c->routes);
	put_str(o, "asked",
		a->is_address ? conf_addr_str(&a->prefix.addr, text)
			      : conf_prefix_str(&a->prefix, text));
	list = json_array();
	for (unsigned int i = 0; i < n; i++) {
		struct base_addr gateway = gateway_of(&r, &paths[i]);
		struct port_info port = {0};
		json_t *p = json_object();

		port_set_info(c->ports, c->if_port[paths[i].if_index], &port);
		put_str(p, "via", conf_addr_str(&gateway, text));
		put_str(p, "interface", mgmt_if_name(c, paths[i].if_index));
		put_str(p, "neighbor", neighbor_state(c, paths[i].if_index, &gateway));
		put_bool(p, "link_up", port.link_up);
		json_array_append_new(list, p);
	}
	json_object_set_new(o, "paths", list);
	return o;
}

json_t *
mgmt_view_route_summary(const struct mgmt_config *c, const struct mgmt_args *a)
{
	const struct fib *fib = fib_builder_read(c->routes);
	struct fib_builder_stats s;
	struct fib_memory m;
	json_t *o = json_object();

	(void)a;
	fib_memory(fib, &m);
	put_u64(o, "routes", fib_route_count(fib));
	put_u64(o, "runtime", fib_runtime_count(fib));
	fib_builder_read_end(c->routes);
	fib_builder_stats(c->routes, &s);
	put_u64(o, "next_hops", m.next_hops);
	put_u64(o, "nodes4", m.nodes4);
	put_u64(o, "nodes6", m.nodes6);
	put_u64(o, "table_bytes", m.tables);
	put_u64(o, "rebuilt", m.rebuilt);
	put_u64(o, "changes", s.changes);
	put_u64(o, "batches", s.batches);
	put_u64(o, "refused", s.refused);
	put_u64(o, "longest_batch_us", s.longest_ns / 1000);
	return o;
}
