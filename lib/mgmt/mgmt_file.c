/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Reloading the configuration: a plan of all that differs first, then all of it or nothing. What
 * only a restart can apply is refused by name.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "conf_plan.h"
#include "fib_builder.h"

#include "mgmt_priv.h"
#include "mgmt_view_priv.h"

/* Reading a file of many routes takes seconds of a CPU that an lcore may need. */
#define NICE 10

/* Nobody holds the configuration for long, but a stopped terminal may. */
#define HELD_MAX_S 3

struct mgmt_file {
	struct mgmt_config *config;
	const struct conf *start;
	pthread_mutex_t loading; /* one at a time */
	pthread_rwlock_t lock;	 /* of config->conf */
	struct conf *conf;	 /* the same, to be freed; NULL: that of the start */
};

struct mgmt_file *
mgmt_file_new(struct mgmt_config *config)
{
	struct mgmt_file *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->config = config;
	f->start = config->conf;
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
	if (c->file != NULL) /* else nothing can be loaded */
		pthread_rwlock_rdlock(&c->file->lock);
	return c->conf;
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

static void
print_plan(FILE *to, const struct conf_plan *plan, const struct fib_replaced *routes)
{
	for (uint32_t i = 0; i < plan->n; i++) {
		const struct conf_plan_item *item = &plan->item[i];

		if (item->action == CONF_PLAN_KEPT)
			continue;
		fprintf(to, "%s%s%s: %s%s%s", item->object, item->name[0] != '\0' ? " " : "",
			item->name, conf_plan_action_name(item->action),
			item->keys[0] != '\0' ? ": " : "", item->keys);
		if (item->need != CONF_PLAN_NOTHING)
			fprintf(to, " (%s)", conf_plan_need_name(item->need));
		fputc('\n', to);
	}
	fprintf(to, "%u of %u objects kept\n", plan->n_kept, plan->n);
	if (routes != NULL)
		fprintf(to, "routes: %u kept, %u changed, %u added, %u removed\n", routes->kept,
			routes->changed, routes->added, routes->removed);
}

/* @return 0, or -1 with err filled */
static int
align(const struct mgmt_file *f, struct conf *next, char *err, unsigned int err_len)
{
	const struct conf *now = f->config->conf;
	int ret = conf_align(next, now);

	if (ret == -ENOSPC)
		snprintf(err, err_len,
			"there is no room for so many more groups: %u were made room for at start, "
			"those that are taken out with this reload among them",
			now->group_room);
	else if (ret != 0)
		snprintf(err, err_len, "out of memory");
	return ret != 0 ? -1 : 0;
}

/*
 * Let everybody see the next configuration once the control lcore has it. In between nobody looks:
 * events of its new groups would be told with the names of others.
 */
static int
swap(struct mgmt_file *f, struct conf *next, struct mgmt_load *l, char *err, unsigned int err_len)
{
	const struct mgmt_loader *loader = f->config->loader;
	struct timespec until;
	int ret;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += HELD_MAX_S;
	if (pthread_rwlock_timedwrlock(&f->lock, &until) != 0) {
		snprintf(err, err_len, "a session holds the configuration");
		return -1;
	}
	ret = loader->apply(loader->arg, l, err, err_len);
	if (ret == 0) {
		f->config->conf = next;
		f->conf = next;
	}
	pthread_rwlock_unlock(&f->lock);
	return ret;
}

static bool
carry_out(struct mgmt_file *f, struct conf *next, struct fib_replaced *routes, char *err,
	unsigned int err_len)
{
	const struct mgmt_loader *loader = f->config->loader;
	struct mgmt_load *l =
		loader->begin(loader->arg, f->config->conf, next, routes, err, err_len);
	bool ok;

	if (l == NULL)
		return false;
	ok = swap(f, next, l, err, err_len) == 0;
	loader->end(loader->arg, l, ok);
	return ok;
}

/* Compare, and apply. @return true: done, or nothing is in the way */
static bool
apply(struct mgmt_file *f, struct conf *next, bool only_plan, FILE *to)
{
	const struct mgmt_loader *loader = f->config->loader;
	struct fib_replaced routes;
	struct conf_plan plan;
	char err[256] = "";
	bool ok = false;

	if (conf_plan_make(&plan, f->config->conf, next) != 0)
		snprintf(err, sizeof(err), "out of memory");
	else if (plan.restart)
		print_plan(to, &plan, NULL);
	else if (align(f, next, err, sizeof(err)) == 0)
		ok = only_plan ? loader->plan(loader->arg, next, &routes, err, sizeof(err)) == 0
			       : carry_out(f, next, &routes, err, sizeof(err));
	if (ok)
		print_plan(to, &plan, &routes);
	else if (err[0] != '\0')
		fprintf(to, "refused: %s; nothing was changed\n", err);
	else if (!only_plan)
		fprintf(to, "refused: what needs a restart is not applied, and nothing else is\n");
	conf_plan_free(&plan);
	return ok;
}

static bool
load(struct mgmt_file *f, const char *path, bool only_plan, FILE *to)
{
	struct conf_issues issues;
	struct conf *next = conf_load(path, 0, &issues), *last = f->conf;
	bool ok = false;

	conf_issues_print(&issues, to);
	conf_issues_free(&issues);
	if (next == NULL) {
		fprintf(to, "refused: %s is not valid; nothing was changed\n", path);
		return false;
	}
	ok = apply(f, next, only_plan, to);
	conf_free(ok && !only_plan ? last : next);
	return ok;
}

bool
mgmt_file_load(const struct mgmt_config *c, const char *path, bool only_plan, FILE *to)
{
	int nice = getpriority(PRIO_PROCESS, (id_t)gettid());
	bool ok;

	pthread_mutex_lock(&c->file->loading);
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	ok = load(c->file, path != NULL ? path : c->file->start->path, only_plan, to);
	/* without the right to it the thread stays nice, which hurts nobody */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), nice);
	pthread_mutex_unlock(&c->file->loading);
	return ok;
}

/* koi runs on it already: what it says differs from the configuration, not from what is in use. */
static bool
adopt(struct mgmt_file *f, struct conf *next, FILE *to)
{
	struct conf *last = f->conf;
	struct fib_replaced replaced;
	char err[256] = "";
	bool ok = align(f, next, err, sizeof(err)) == 0 &&
		carry_out(f, next, &replaced, err, sizeof(err));

	if (!ok)
		fprintf(to, "saved, but it is not loaded: %s\n", err);
	conf_free(ok ? last : next);
	return ok;
}

bool
mgmt_file_save(const struct mgmt_config *c, const char *path, FILE *to)
{
	struct mgmt_file *f = c->file;
	struct conf *next;
	bool ok;

	pthread_mutex_lock(&f->loading);
	ok = mgmt_save(c, c->conf->path, path != NULL ? path : f->start->path, to, &next);
	if (next != NULL && (path == NULL || strcmp(path, c->conf->path) == 0))
		ok = adopt(f, next, to);
	else
		conf_free(next);
	pthread_mutex_unlock(&f->loading);
	return ok;
}
