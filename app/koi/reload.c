/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "devices_change.h"
#include "dp.h"
#include "fib_builder.h"
#include "host.h"
#include "roster.h"
#include "routes.h"

struct mgmt_load {
	const struct conf *now, *next;
	struct ctl_reload *ctl; /* with the data plane's roster in it */
	struct fib_undo *routes;
};

static int
routes_replace(const struct reload *r, const struct conf *conf, bool only_count,
	struct fib_replaced *done, struct fib_undo **undo, char *err, unsigned int err_len)
{
	struct fib_nh *paths;
	uint32_t n;
	struct fib_route *routes = routes_from_conf(conf, &n, &paths);
	int ret;

	if (routes == NULL) {
		snprintf(err, err_len, "out of memory for %u routes", conf->n_routes);
		return -1;
	}
	ret = fib_builder_replace(r->routes, routes, n, only_count, done, undo, err, err_len);
	free(routes);
	free(paths);
	return ret != 0 ? -1 : 0;
}

static int
plan(void *arg, const struct conf *next, struct fib_replaced *routes, char *err,
	unsigned int err_len)
{
	return routes_replace(arg, next, true, routes, NULL, err, err_len);
}

static struct dp_roster *
roster_make(const struct reload *r, const struct conf *conf)
{
	struct roster roster;
	struct dp_roster *made;
	int error;

	if (roster_from_conf(conf, r->if_mac, &roster) != 0) {
		errno = ENOMEM;
		return NULL;
	}
	made = dp_roster_prepare(r->dp, roster.ifs, roster.groups, conf->n_groups);
	error = errno;
	roster_free(&roster);
	errno = error;
	return made;
}

static void
host_end(const struct reload *r, const struct conf *conf)
{
	char err[256];

	if (host_change_end(r->host, conf, err, sizeof(err)) != 0)
		fprintf(stderr, "koi: %s: reload again\n", err);
}

static void
end(void *arg, struct mgmt_load *l, bool applied)
{
	struct reload *r = arg;
	char err[128];

	if (fib_builder_undo(r->routes, l->routes, !applied, err, sizeof(err)) != 0)
		fprintf(stderr, "koi: the routes of before: %s\n", err);
	devices_change_end(r->ports, applied ? l->next : l->now);
	host_end(r, applied ? l->next : l->now);
	ctl_reload_free(l->ctl);
	free(l);
}

/* All of it, or -1 and nothing. */
static int
make_ready(struct reload *r, struct mgmt_load *l, struct fib_replaced *routes, char *err,
	unsigned int err_len)
{
	struct dp_roster *roster = roster_make(r, l->next);

	if (roster != NULL)
		l->ctl = ctl_reload_prepare(r->ctl, l->next, roster);
	if (l->ctl == NULL) {
		snprintf(err, err_len, "%s",
			errno == EBUSY
				? "a change of a group is staged whose adverts are to change: commit "
				  "now or abort now first"
				: errno == EKEYREJECTED
				? "a command changed the password of a group whose addresses or digest "
				  "are to change: put that password into the file as well"
				: strerror(errno));
		dp_roster_free(r->dp, roster);
		return -1;
	}
	if (devices_change_begin(r->ports, l->now, l->next, err, err_len) != 0)
		return -1;
	/* routes to new addresses are there before anybody answers for them */
	if (host_change_begin(r->host, l->next, err, err_len) == 0 &&
		routes_replace(r, l->next, false, routes, &l->routes, err, err_len) == 0)
		return 0;
	host_end(r, l->now);
	devices_change_end(r->ports, l->now);
	return -1;
}

static struct mgmt_load *
begin(void *arg, const struct conf *now, const struct conf *next, struct fib_replaced *routes,
	char *err, unsigned int err_len)
{
	struct mgmt_load *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		snprintf(err, err_len, "out of memory");
		return NULL;
	}
	l->now = now;
	l->next = next;
	if (make_ready(arg, l, routes, err, err_len) == 0)
		return l;
	ctl_reload_free(l->ctl);
	free(l);
	return NULL;
}

static int
apply(void *arg, struct mgmt_load *l, char *err, unsigned int err_len)
{
	const struct reload *r = arg;

	return ctl_reload(r->ctl, l->ctl, err, err_len);
}

const struct mgmt_loader *
reload_loader(struct reload *r)
{
	r->loader = (struct mgmt_loader){
		.arg = r, .plan = plan, .begin = begin, .apply = apply, .end = end};
	return &r->loader;
}
