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
#include <time.h>

#include "compat_thread.h"
#include "conf_plan.h"
#include "conf_stage.h"
#include "ctl.h"
#include "fib_builder.h"

#include "mgmt_change_priv.h"
#include "mgmt_priv.h"
#include "mgmt_view_priv.h"

/* Nobody holds the configuration for long, but a stopped terminal may. */
#define HELD_MAX_S 3

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
	mgmt_change_init(f);
	return f;
}

void
mgmt_file_free(struct mgmt_file *f)
{
	if (f == NULL)
		return;
	mgmt_change_end(f);
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

/* How its addresses or password change, where they do so in stages. @return whether that is new */
static bool
print_staged(FILE *to, const struct conf *next, const char *group)
{
	const struct conf_group *g = conf_group_find(next, group);
	char text[CONF_STAGE_STR];

	if (g == NULL || g->staged == NULL)
		return false;
	if (g->staged->begin)
		fprintf(to, "group %s: staged for %u s: %s\n", group, next->window_s,
			conf_stage_keys(g));
	else
		fprintf(to, "group %s: what is staged goes on: %s\n", group,
			conf_stage_str(g, text));
	return g->staged->begin;
}

static void
print_plan(FILE *to, const struct conf *next, const struct conf_plan *plan,
	const struct fib_replaced *routes)
{
	uint32_t n_kept = 0;
	char *names = NULL;
	size_t len;
	FILE *kept = open_memstream(&names, &len);

	for (uint32_t i = 0; i < plan->n; i++) {
		const struct conf_plan_item *item = &plan->item[i];
		const char *space = item->name[0] != '\0' ? " " : "";
		const bool staged =
			strcmp(item->object, "group") == 0 && print_staged(to, next, item->name);

		if (item->action != CONF_PLAN_KEPT) {
			fprintf(to, "%s%s%s: %s%s%s", item->object, space, item->name,
				conf_plan_action_name(item->action),
				item->keys[0] != '\0' ? ": " : "", item->keys);
			if (item->need != CONF_PLAN_NOTHING)
				fprintf(to, " (%s)", conf_plan_need_name(item->need));
			fputc('\n', to);
		} else if (!staged) {
			if (kept != NULL)
				fprintf(kept, "%s%s%s%s", n_kept > 0 ? ", " : ": ", item->object,
					space, item->name);
			n_kept++;
		}
	}
	if (kept != NULL)
		fclose(kept);
	fprintf(to, "%u of %u objects kept%s\n", n_kept, plan->n, names != NULL ? names : "");
	free(names);
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

/* @return false: refused, err says why */
static bool
stage_group(const struct conf_group *now, struct conf_group *g, const struct ctl_group_view *v,
	char *err, unsigned int err_len)
{
	switch (conf_stage_group(g, now, conf_stage_is_on(now) && v->by_reload)) {
	case CONF_STAGE_NOTHING:
	case CONF_STAGE_BEGUN:
	case CONF_STAGE_KEPT:
		return true;
	case CONF_STAGE_OTHER:
		snprintf(err, err_len,
			"a change of %s is staged, and the file has neither the old nor the new "
			"addresses and password: commit now or abort now first",
			g->name);
		break;
	case CONF_STAGE_FAMILY:
		snprintf(err, err_len,
			"%s would have addresses of other families, so that boxes with the old and "
			"the new ones do not hear each other: change them in two steps, or reload "
			"now",
			g->name);
		break;
	case CONF_STAGE_MEMORY:
		snprintf(err, err_len, "out of memory");
		break;
	}
	return false;
}

/*
 * Whatever makes other digests of a group that takes part is staged: next becomes what is to run
 * for now. With now it is not, but for what is staged already.
 * @return 0, or -1 with err filled
 */
static int
stage(const struct mgmt_file *f, struct conf *next, bool at_once, char *err, unsigned int err_len)
{
	const struct conf *now = f->config->conf;
	char what[128];
	int ret;

	for (uint16_t i = 0; i < now->n_groups; i++) {
		const struct conf_group *g = &now->groups[i];
		struct ctl_group_view v;

		if (g->unused || next->groups[i].unused ||
			ctl_group_view(f->config->ctl, i, &v) != 0)
			continue;
		if ((at_once || !v.info.admin_up) && !conf_stage_is_on(g))
			continue;
		if (!stage_group(g, &next->groups[i], &v, err, err_len))
			return -1;
	}
	conf_ra_subnets(next);
	ret = conf_stage_check(next, what, sizeof(what));
	if (ret == -EADDRINUSE)
		snprintf(err, err_len,
			"%s while a change is staged: take it out with one reload and put it in "
			"with another, or reload now",
			what);
	else if (ret != 0)
		snprintf(err, err_len, "out of memory");
	return ret != 0 ? -1 : 0;
}

bool
mgmt_file_hold(struct mgmt_file *f)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += HELD_MAX_S;
	return pthread_rwlock_timedwrlock(&f->lock, &until) == 0;
}

/*
 * Let everybody see the next configuration once the control lcore has it. In between nobody looks:
 * events of its new groups would be told with the names of others.
 */
static int
swap(struct mgmt_file *f, struct conf *next, struct mgmt_load *l, char *err, unsigned int err_len)
{
	const struct mgmt_loader *loader = f->config->loader;
	int ret;

	if (!mgmt_file_hold(f)) {
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

bool
mgmt_file_carry_out(struct mgmt_file *f, struct conf *next, struct fib_replaced *routes, char *err,
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
apply(struct mgmt_file *f, struct conf *next, unsigned int flags, FILE *to)
{
	const struct mgmt_loader *loader = f->config->loader;
	const bool only_plan = (flags & MGMT_FILE_PLAN) != 0;
	struct fib_replaced routes;
	struct conf_plan plan;
	char err[384] = "";
	bool ok = false;
	int ret = conf_plan_make(&plan, f->config->conf, next);

	if (ret == 0 && plan.restart) {
		print_plan(to, next, &plan, NULL);
	} else if (ret == 0 && align(f, next, err, sizeof(err)) == 0 &&
		stage(f, next, (flags & MGMT_FILE_NOW) != 0, err, sizeof(err)) == 0) {
		/* of what is applied now; what is staged is told beside it */
		conf_plan_free(&plan);
		ret = conf_plan_make(&plan, f->config->conf, next);
		if (ret == 0)
			ok = only_plan
				? loader->plan(loader->arg, next, &routes, err, sizeof(err)) == 0
				: mgmt_file_carry_out(f, next, &routes, err, sizeof(err));
	}
	if (ret != 0)
		snprintf(err, sizeof(err), "out of memory");
	if (ok)
		print_plan(to, next, &plan, &routes);
	else if (err[0] != '\0')
		fprintf(to, "refused: %s; nothing was changed\n", err);
	else if (!only_plan)
		fprintf(to, "refused: what needs a restart is not applied, and nothing else is\n");
	conf_plan_free(&plan);
	return ok;
}

static bool
load(struct mgmt_file *f, const char *path, unsigned int flags, FILE *to)
{
	struct conf_issues issues;
	struct conf *next = conf_load(path, 0, &issues), *last;
	bool ok = false;

	conf_issues_print(&issues, to);
	conf_issues_free(&issues);
	if (next == NULL) {
		fprintf(to, "refused: %s is not valid; nothing was changed\n", path);
		return false;
	}
	/* what was decided before is applied before; where that fails it is tried again later */
	(void)mgmt_change_settle(f, NULL);
	last = f->conf;
	ok = apply(f, next, flags, to);
	conf_free(ok && (flags & MGMT_FILE_PLAN) == 0 ? last : next);
	mgmt_change_watch(f);
	return ok;
}

bool
mgmt_file_load(const struct mgmt_config *c, const char *path, unsigned int flags, FILE *to)
{
	int nice;
	bool ok;

	pthread_mutex_lock(&c->file->loading);
	/* reading a file of many routes takes seconds of a CPU that an lcore may need */
	nice = compat_thread_nice_set(COMPAT_NICE);
	ok = load(c->file, path != NULL ? path : c->file->start->path, flags, to);
	/* without the right to it the thread stays nice, which hurts nobody */
	(void)compat_thread_nice_set(nice);
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
		mgmt_file_carry_out(f, next, &replaced, err, sizeof(err));

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
	(void)mgmt_change_settle(f, NULL);
	ok = mgmt_save(c, c->conf->path, path != NULL ? path : f->start->path, to, &next);
	if (next != NULL && (path == NULL || strcmp(path, c->conf->path) == 0))
		ok = adopt(f, next, to);
	else
		conf_free(next);
	pthread_mutex_unlock(&f->loading);
	return ok;
}
