/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Reloading the configuration: a plan of all that differs first, then all of it or nothing. What
 * can be applied while koi runs are routes; any other difference is refused with its name.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "conf_plan.h"
#include "fib_builder.h"

#include "mgmt_priv.h"
#include "mgmt_view_priv.h"

/* Reading a file of many routes takes seconds of a CPU that an lcore may need. */
#define NICE 10

struct mgmt_file {
	pthread_mutex_t loading; /* one at a time */
	pthread_rwlock_t lock;	 /* of what follows */
	struct conf *conf;	 /* NULL: that of the start */
};

struct mgmt_file *
mgmt_file_new(void)
{
	struct mgmt_file *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	pthread_mutex_init(&f->loading, NULL);
	pthread_rwlock_init(&f->lock, NULL);
	return f;
}

void
mgmt_file_free(struct mgmt_file *f)
{
	if (f == NULL)
		return;
	conf_free(f->conf);
	pthread_rwlock_destroy(&f->lock);
	pthread_mutex_destroy(&f->loading);
	free(f);
}

const struct conf *
mgmt_file_read(const struct mgmt_config *c)
{
	if (c->file == NULL) /* nothing can be loaded */
		return c->conf;
	pthread_rwlock_rdlock(&c->file->lock);
	return c->file->conf != NULL ? c->file->conf : c->conf;
}

void
mgmt_file_read_end(const struct mgmt_config *c)
{
	if (c->file != NULL)
		pthread_rwlock_unlock(&c->file->lock);
}

void
mgmt_route_make(const struct conf_route *r, struct fib_nh *paths, struct fib_route *out)
{
	static const uint8_t types[] = {
		[CONF_ROUTE_BLACKHOLE] = FIB_NH_BLACKHOLE,
		[CONF_ROUTE_UNREACHABLE] = FIB_NH_UNREACHABLE,
		[CONF_ROUTE_PROHIBIT] = FIB_NH_PROHIBIT,
	};

	memset(out, 0, sizeof(*out));
	out->prefix = r->prefix;
	out->nh.group = FIB_GROUP_NONE;
	if (r->type != CONF_ROUTE_VIA) {
		out->nh.type = types[r->type];
		return;
	}
	for (unsigned int i = 0; i < r->n_hops; i++) {
		const struct conf_hop *h = &r->hops[i];
		struct fib_nh *nh = r->n_hops == 1 ? &out->nh : &paths[i];

		memset(nh, 0, sizeof(*nh));
		nh->type = FIB_NH_GATEWAY;
		nh->if_index = h->if_index;
		nh->group = FIB_GROUP_NONE;
		if (h->via.family == BASE_FAMILY_IP4)
			nh->gateway = base_addr_ip4(&h->via);
		else
			memcpy(nh->gateway6, h->via.bytes, sizeof(nh->gateway6));
	}
	if (r->n_hops > 1) {
		out->nh.type = FIB_NH_MULTI;
		out->nh.n_paths = r->n_hops;
		out->nh.paths = paths;
	}
}

/*
 * The routes of a file. Its interfaces are those that run, but they may stand in another order.
 * @return 0 and what is to be freed in *paths and *routes, or -ENOMEM
 */
static int
routes_make(const struct mgmt_config *c, const struct conf *conf, struct fib_route **routes,
	struct fib_nh **paths)
{
	uint16_t index[CONF_IF_MAX];
	size_t n_paths = 0;

	for (uint16_t i = 0; i < conf->n_ifs; i++)
		index[i] = mgmt_if_find(c, conf->ifs[i].name, strlen(conf->ifs[i].name));
	for (uint32_t i = 0; i < conf->n_routes; i++)
		n_paths += conf->routes[i].n_hops;
	*routes = calloc(conf->n_routes + UINT64_C(1), sizeof(**routes));
	*paths = calloc(n_paths + 1, sizeof(**paths));
	if (*routes == NULL || *paths == NULL)
		return -ENOMEM;
	n_paths = 0;
	for (uint32_t i = 0; i < conf->n_routes; i++) {
		struct fib_nh *hop = &(*paths)[n_paths];
		struct fib_route *r = &(*routes)[i];

		mgmt_route_make(&conf->routes[i], hop, r);
		if (r->nh.type == FIB_NH_GATEWAY)
			r->nh.if_index = index[r->nh.if_index];
		for (unsigned int k = 0; r->nh.type == FIB_NH_MULTI && k < r->nh.n_paths; k++)
			hop[k].if_index = index[hop[k].if_index];
		n_paths += conf->routes[i].n_hops;
	}
	return 0;
}

static void
print_plan(FILE *to, const struct conf_plan *plan, const struct fib_replaced *routes)
{
	for (uint32_t i = 0; i < plan->n; i++) {
		const struct conf_plan_item *item = &plan->item[i];

		if (item->action == CONF_PLAN_KEPT)
			continue;
		fprintf(to, "%s%s%s: %s%s%s%s\n", item->object, item->name[0] != '\0' ? " " : "",
			item->name, conf_plan_action_name(item->action),
			item->keys[0] != '\0' ? ": " : "", item->keys,
			item->restart ? " (needs a restart)" : "");
	}
	fprintf(to, "%u of %u objects kept\n", plan->n_kept, plan->n);
	if (routes != NULL)
		fprintf(to, "routes: %u kept, %u changed, %u added, %u removed\n", routes->kept,
			routes->changed, routes->added, routes->removed);
}

/* Compare, and apply. @return true: done, or nothing is in the way */
static bool
apply(const struct mgmt_config *c, struct conf *next, bool only_plan, FILE *to)
{
	struct fib_replaced replaced;
	struct fib_route *routes = NULL;
	struct fib_nh *paths = NULL;
	struct conf_plan plan;
	char err[256] = "";
	bool ok = false;

	if (conf_plan_make(&plan, c->conf, next) != 0)
		snprintf(err, sizeof(err), "out of memory");
	else if (plan.restart)
		print_plan(to, &plan, NULL);
	else if (routes_make(c, next, &routes, &paths) != 0)
		snprintf(err, sizeof(err), "out of memory for %u routes", next->n_routes);
	else
		ok = fib_builder_replace(c->routes, routes, next->n_routes, only_plan, &replaced,
			     err, sizeof(err)) == 0;
	if (ok)
		print_plan(to, &plan, &replaced);
	else if (err[0] != '\0')
		fprintf(to, "refused: %s; nothing was changed\n", err);
	else if (!only_plan)
		fprintf(to, "refused: what needs a restart is not applied, and nothing else is\n");
	conf_plan_free(&plan);
	free(paths);
	free(routes);
	return ok;
}

static bool
load(const struct mgmt_config *c, const char *path, bool only_plan, FILE *to)
{
	struct conf_issues issues;
	struct conf *next = conf_load(path, 0, &issues), *last = next;
	bool ok = false;

	conf_issues_print(&issues, to);
	conf_issues_free(&issues);
	if (next == NULL) {
		fprintf(to, "refused: %s is not valid; nothing was changed\n", path);
		return false;
	}
	ok = apply(c, next, only_plan, to);
	if (ok && !only_plan) {
		pthread_rwlock_wrlock(&c->file->lock);
		last = c->file->conf;
		c->file->conf = next;
		pthread_rwlock_unlock(&c->file->lock);
	}
	conf_free(last);
	return ok;
}

bool
mgmt_file_load(const struct mgmt_config *c, const char *path, bool only_plan, FILE *to)
{
	int nice = getpriority(PRIO_PROCESS, (id_t)gettid());
	bool ok;

	pthread_mutex_lock(&c->file->loading);
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	ok = load(c, path != NULL ? path : c->conf->path, only_plan, to);
	/* without the right to it the thread stays nice, which hurts nobody */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), nice);
	pthread_mutex_unlock(&c->file->loading);
	return ok;
}
