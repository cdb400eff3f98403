/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Who asks the rig for something: a thread of its own, while turns go on. */
#include "ctl_fake.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "conf_plan.h"

struct caller {
	void (*call)(void *arg);
	void *arg;
	uint32_t done;
};

static void *
caller_main(void *arg)
{
	struct caller *c = arg;

	c->call(c->arg);
	__atomic_store_n(&c->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

static bool
hands_over(const struct rig *r)
{
	struct ctl_group_view v;

	for (uint16_t i = 0; i < r->conf->n_groups; i++)
		if (ctl_group_view(r->ctl, i, &v) == 0 && v.info.handing_over)
			return true;
	return false;
}

void
rig_beside(struct rig *r, void (*call)(void *arg), void *arg, bool waits)
{
	struct caller c = {.call = call, .arg = arg};
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, caller_main, &c), 0);
	/* The caller looks from time to time: turns meanwhile only cost CPU. */
	while (!__atomic_load_n(&c.done, __ATOMIC_ACQUIRE)) {
		rig_turn(r);
		if (waits && hands_over(r)) {
			const struct ctl_request *other = fake.meanwhile;
			char text[160];

			fake.meanwhile = NULL;
			if (other != NULL)
				fake.meanwhile_result = rig_request(r, other, text, sizeof(text));
			/* for that alone time has to pass */
			fake.now += BASE_NS_PER_MS;
		}
		nanosleep(&(struct timespec){.tv_nsec = 100 * 1000}, NULL);
	}
	pthread_join(t, NULL);
}

struct asker {
	struct rig *r;
	const struct ctl_request *req;
	char *note;
	size_t note_len;
	int result;
};

static void
ask(void *arg)
{
	struct asker *a = arg;

	a->result = ctl_request(a->r->ctl, a->req, a->note, a->note_len);
}

int
rig_request(struct rig *r, const struct ctl_request *req, char *note, size_t note_len)
{
	struct asker a = {.r = r, .req = req, .note = note, .note_len = note_len};

	rig_beside(r, ask, &a, req->type == CTL_REQ_RELOAD);
	return a.result;
}

int
rig_take(struct rig *r, struct conf *next, char *note, size_t note_len)
{
	struct ctl_request req = {.type = CTL_REQ_RELOAD, .group = ELECTION_NONE};
	int ret;

	req.reload = ctl_reload_prepare(r->ctl, next, (struct dp_roster *)&fake);
	if (req.reload == NULL)
		return -errno;
	ret = rig_request(r, &req, note, note_len);
	ctl_reload_free(req.reload);
	return ret;
}

int
rig_replace(struct rig *r, struct conf *next, char *note, size_t note_len)
{
	int ret = rig_take(r, next, note, note_len);

	/* who looks at what is not used any more is found out by a sanitizer */
	conf_free(ret == 0 ? r->conf : next);
	r->conf = ret == 0 ? next : r->conf;
	return ret;
}

int
rig_reload(struct rig *r, const char *json, char *note, size_t note_len)
{
	struct conf *next = rig_parse(json);

	assert_int_equal(conf_align(next, r->conf), 0);
	return rig_replace(r, next, note, note_len);
}

void
rig_load(struct rig *r, const char *json)
{
	char note[160];

	if (rig_reload(r, json, note, sizeof(note)) != 0)
		fail_msg("%s", note);
}
