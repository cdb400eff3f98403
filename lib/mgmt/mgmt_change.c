/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_change_priv.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compat_thread.h"
#include "conf_stage.h"
#include "ctl.h"
#include "fib_builder.h"

#include "mgmt_priv.h"
#include "mgmt_view_priv.h"

/* Decisions by time need no hurry: both digests are accepted before and after. */
#define LOOK_MS 100
/* Each attempt may cost as much as a reload, so what fails is tried again ever more rarely. */
#define LOOK_MAX_MS 5000

static bool
is_any_staged(const struct conf *c)
{
	for (uint16_t i = 0; i < c->n_groups; i++)
		if (conf_stage_is_on(&c->groups[i]))
			return true;
	return false;
}

/* Groups whose other digest runs. @return how many */
static unsigned int
find_turns(const struct mgmt_file *f, bool *turn)
{
	const struct conf *c = f->config->conf;
	struct ctl_group_view v;
	unsigned int n = 0;

	for (uint16_t i = 0; i < c->n_groups; i++) {
		turn[i] = conf_stage_is_on(&c->groups[i]) &&
			ctl_group_view(f->config->ctl, i, &v) == 0 &&
			(v.reloads == AUTH_NEW) != c->groups[i].staged->uses_new;
		n += turn[i];
	}
	return n;
}

static void
say_turned(FILE *to, const struct conf *c, const bool *turn)
{
	char text[CONF_STAGE_STR];

	for (uint16_t i = 0; i < c->n_groups; i++)
		if (turn[i])
			fprintf(to, "%s: %s is used: %s\n", c->groups[i].name,
				c->groups[i].staged->uses_new ? "the new one" : "the old one",
				conf_stage_str(&c->groups[i], text));
}

/* @return false with err filled */
static bool
turn_them(struct mgmt_file *f, const bool *turn, FILE *to, char *err, unsigned int err_len)
{
	struct conf *last = f->conf, *next = conf_stage_turn(last, turn);
	struct fib_replaced routes;
	bool ok;

	if (next == NULL) {
		snprintf(err, err_len, "out of memory");
		return false;
	}
	ok = mgmt_file_carry_out(f, next, &routes, err, err_len);
	conf_stage_leave(ok ? last : next, turn);
	if (ok && to != NULL)
		say_turned(to, next, turn);
	return ok;
}

static bool
is_over(const struct mgmt_file *f, uint16_t i)
{
	const struct conf_group *g = &f->conf->groups[i];
	struct ctl_group_view v;

	return conf_stage_is_on(g) && ctl_group_view(f->config->ctl, i, &v) == 0 && !v.by_reload &&
		(v.reloads == AUTH_NEW) == g->staged->uses_new;
}

/* What is decided for good is not looked at any more. */
static bool
end_those_that_are_over(struct mgmt_file *f)
{
	uint16_t n = f->conf->n_groups, i = 0;

	while (i < n && !is_over(f, i))
		i++;
	if (i == n)
		return true;
	if (!mgmt_file_hold(f))
		return false;
	for (; i < n; i++)
		if (is_over(f, i))
			conf_stage_over(&f->conf->groups[i]);
	pthread_rwlock_unlock(&f->lock);
	return true;
}

static void
set_failed(struct mgmt_file *f, const char *err)
{
	if (strcmp(f->failed, err) == 0 || !mgmt_file_hold(f))
		return;
	snprintf(f->failed, sizeof(f->failed), "%s", err);
	pthread_rwlock_unlock(&f->lock);
	if (err[0] != '\0')
		fprintf(stderr,
			"koi: a staged change is decided, but not applied: %s: tried again\n", err);
}

bool
mgmt_change_settle(struct mgmt_file *f, FILE *to)
{
	char err[sizeof(f->failed)] = "";
	bool *turn, ok = true;

	if (!is_any_staged(f->config->conf))
		return true;
	turn = calloc(f->config->conf->group_room + 1u, sizeof(*turn));
	if (turn == NULL)
		return false;
	if (find_turns(f, turn) > 0)
		ok = turn_them(f, turn, to, err, sizeof(err));
	free(turn);
	set_failed(f, err);
	return ok && end_those_that_are_over(f);
}

bool
mgmt_change_begin(const struct mgmt_config *c, uint16_t group)
{
	char name[sizeof(c->conf->groups[0].name)] = "";

	if (group != ELECTION_NONE)
		snprintf(name, sizeof(name), "%s", c->conf->groups[group].name);
	mgmt_file_read_end(c);
	pthread_mutex_lock(&c->file->loading);
	mgmt_file_read(c);
	return group == ELECTION_NONE || mgmt_group_find(c, name, strlen(name)) == group;
}

bool
mgmt_change_apply(const struct mgmt_config *c, FILE *to)
{
	struct mgmt_file *f = c->file;
	bool ok;

	mgmt_file_read_end(c);
	ok = mgmt_change_settle(f, to);
	if (!ok)
		fprintf(to, "decided, but not applied yet: %s; it is tried again\n",
			f->failed[0] != '\0' ? f->failed : "a session holds the configuration");
	mgmt_file_read(c);
	return ok;
}

void
mgmt_change_done(const struct mgmt_config *c)
{
	pthread_mutex_unlock(&c->file->loading);
}

void
mgmt_change_watch(struct mgmt_file *f)
{
	pthread_mutex_lock(&f->watching);
	f->staged = is_any_staged(f->config->conf);
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->watching);
}

/* @return false: what is decided could not be applied */
static bool
look(struct mgmt_file *f)
{
	bool ok;

	pthread_mutex_lock(&f->loading);
	ok = mgmt_change_settle(f, NULL);
	mgmt_change_watch(f);
	pthread_mutex_unlock(&f->loading);
	return ok;
}

static void *
run(void *arg)
{
	struct mgmt_file *f = arg;
	unsigned int pause = LOOK_MS;

	/* preparing a configuration of many routes takes seconds of a CPU that an lcore may need */
	(void)compat_thread_nice_set(COMPAT_NICE);
	pthread_mutex_lock(&f->watching);
	while (!f->stopping) {
		struct timespec until;

		if (!f->staged) {
			pthread_cond_wait(&f->wake, &f->watching);
			continue;
		}
		pthread_mutex_unlock(&f->watching);
		pause = look(f) ? LOOK_MS : pause * 2 < LOOK_MAX_MS ? pause * 2 : LOOK_MAX_MS;
		pthread_mutex_lock(&f->watching);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += pause / 1000;
		until.tv_nsec += pause % 1000 * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		while (!f->stopping && pthread_cond_timedwait(&f->wake, &f->watching, &until) == 0)
			;
	}
	pthread_mutex_unlock(&f->watching);
	return NULL;
}

void
mgmt_change_init(struct mgmt_file *f)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&f->watching, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->wake, &attr);
	pthread_condattr_destroy(&attr);
}

int
mgmt_change_start(struct mgmt_file *f)
{
	int rc = mgmt_thread_start(&f->thread, "koi-change", run, f);

	f->started = rc == 0;
	return rc;
}

void
mgmt_change_end(struct mgmt_file *f)
{
	if (f->started) {
		pthread_mutex_lock(&f->watching);
		f->stopping = true;
		pthread_cond_signal(&f->wake);
		pthread_mutex_unlock(&f->watching);
		pthread_join(f->thread, NULL);
	}
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->watching);
}
