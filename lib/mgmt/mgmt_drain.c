/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Leaving service and coming back: what is asked of the control lcore, what is waited for, and the
 * file that outlives a restart.
 */
#include "mgmt_cli_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "conf.h"
#include "ctl.h"
#include "dp.h"
#include "election.h"

#include "mgmt_drain_priv.h"
#include "mgmt_priv.h"
#include "mgmt_view_priv.h"

#define LOOK_NS (BASE_NS_PER_MS / 2)
/* Beyond the longest master-down time: a peer that does not heed bow-outs needs that. */
#define WAIT_MORE_NS (2 * BASE_NS_PER_S)

/* The directories above a file, as far as they are missing. */
static int
directories_make(const char *path)
{
	char dir[256];

	if (strlen(path) >= sizeof(dir))
		return -ENAMETOOLONG;
	for (const char *p = strchr(path + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		memcpy(dir, path, (size_t)(p - path));
		dir[p - path] = '\0';
		if (mkdir(dir, 0755) != 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/*
 * Its presence is all: nothing can be half written.
 * @param made  whether it was not there before
 */
static int
mark_make(const char *path, bool *made)
{
	int rc = directories_make(path), fd;

	*made = false;
	if (rc != 0)
		return rc;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno == EEXIST && access(path, F_OK) == 0 ? 0 : -errno;
	rc = fsync(fd) == 0 ? 0 : -errno;
	close(fd);
	if (rc != 0)
		(void)unlink(path);
	*made = rc == 0;
	return rc;
}

/* What a group waits for. */
struct leaving {
	bool was_master, done, alone;
	base_ns_t took; /* BASE_NS_NEVER: its master is the one that was */
	struct base_addr master;
};

/* Has a peer spoken as master since the drain, or not longer ago than this group would wait? */
static void
group_look(const struct ctl *ctl, uint16_t g, base_ns_t from, struct leaving *l)
{
	struct ctl_peer peers[CTL_PEERS_MAX];
	struct ctl_group_view v;
	uint32_t n;
	base_ns_t since;

	if (ctl_group_view(ctl, g, &v) != 0)
		return;
	if (v.info.state == ELECTION_INIT) {
		l->done = true;
		return;
	}
	if (v.info.state == ELECTION_MASTER) {
		/* Again: nobody took what it gave up. */
		l->done = l->alone = l->was_master && v.info.state_since > from;
		return;
	}
	since = l->was_master
		? from
		: base_ns_since(from, election_master_down(v.info.advbase, v.info.advskew));
	n = ctl_peers(ctl, g, peers);
	for (uint32_t i = 0; i < n && !l->done; i++) {
		if (peers[i].bowed_out || peers[i].last_heard <= since)
			continue;
		l->done = true;
		l->master = peers[i].addr;
		l->took = l->was_master ? peers[i].last_heard - from : BASE_NS_NEVER;
	}
}

static base_ns_t
patience(const struct mgmt_config *c)
{
	base_ns_t longest = 0;

	for (uint16_t g = 0; g < c->conf->n_groups; g++) {
		struct ctl_group_view v;

		if (!c->conf->groups[g].unused && ctl_group_view(c->ctl, g, &v) == 0) {
			base_ns_t down = election_master_down(v.info.advbase, v.info.advskew);

			longest = down > longest ? down : longest;
		}
	}
	return longest + WAIT_MORE_NS;
}

static bool
all_done(const struct ctl *ctl, uint16_t n, base_ns_t from, struct leaving *l)
{
	bool all = true;

	for (uint16_t g = 0; g < n; g++) {
		if (!l[g].done)
			group_look(ctl, g, from, &l[g]);
		all &= l[g].done;
	}
	return all;
}

static void
report(struct mgmt_session *s, const struct leaving *l, uint16_t n, base_ns_t waited)
{
	char addr[CONF_ADDR_STR], span[MGMT_SPAN_STR];
	base_ns_t longest = 0;
	unsigned int left = 0;

	for (uint16_t g = 0; g < n; g++) {
		const char *name = mgmt_group_name(s->config, g);

		if (s->config->conf->groups[g].unused)
			continue;
		if (!l[g].done || l[g].alone) {
			fprintf(s->out, "%s: no peer was heard as master%s\n", name,
				l[g].alone ? ", this box has it again" : "");
			left++;
		} else if (l[g].master.family == BASE_FAMILY_NONE) {
			fprintf(s->out, "%s: INIT\n", name);
		} else if (l[g].took == BASE_NS_NEVER) {
			fprintf(s->out, "%s: master is %s, as before\n", name,
				conf_addr_str(&l[g].master, addr));
		} else {
			longest = l[g].took > longest ? l[g].took : longest;
			fprintf(s->out, "%s: master is %s, heard after %s\n", name,
				conf_addr_str(&l[g].master, addr), mgmt_span_str(l[g].took, span));
		}
	}
	if (left == 0 && longest == 0) {
		fputs("drained, there was nothing to hand over\n", s->out);
		return;
	}
	if (left == 0) {
		fprintf(s->out, "drained in %s\n", mgmt_span_str(longest, span));
		return;
	}
	s->status = MGMT_CLI_REFUSED;
	fprintf(s->out,
		"not drained: %u of %u groups have no other master after %s; the box stays demoted, "
		"as their last resort, until \"undrain\"\n",
		left, mgmt_group_count(s->config), mgmt_span_str(waited, span));
}

void
mgmt_drain(struct mgmt_session *s, uint32_t seconds, bool persist)
{
	const struct ctl *ctl = s->config->ctl;
	const char *mark = s->config->drained_path;
	const struct ctl_request drain = {.type = CTL_REQ_DRAIN, .group = ELECTION_NONE};
	uint16_t n = s->config->conf->n_groups;
	struct leaving *l = calloc(n + 1u, sizeof(*l));
	int rc = l != NULL ? 0 : -ENOMEM;
	bool made = false;
	base_ns_t from, wait;

	if (rc == 0 && persist)
		rc = mark_make(mark, &made);
	if (rc != 0) {
		s->status = MGMT_CLI_REFUSED;
		fprintf(s->out, "refused, nothing was done: %s: %s\n", persist ? mark : "drain",
			strerror(-rc));
		free(l);
		return;
	}
	for (uint16_t g = 0; g < n; g++) {
		struct ctl_group_view v;

		l[g].was_master =
			ctl_group_view(ctl, g, &v) == 0 && v.info.state == ELECTION_MASTER;
	}
	from = dp_clock();
	wait = seconds != 0 ? seconds * BASE_NS_PER_S : patience(s->config);
	if (mgmt_cli_post(s, &drain) == 0) {
		const struct timespec look = {.tv_nsec = (long)LOOK_NS};

		/* a reload does not wait for it */
		mgmt_file_read_end(s->config);
		while (!all_done(ctl, n, from, l) && dp_clock() - from < wait)
			nanosleep(&look, NULL);
		mgmt_file_read(s->config);
		report(s, l, n, dp_clock() - from);
	} else if (made) {
		(void)unlink(mark);
	}
	free(l);
}

void
mgmt_undrain(struct mgmt_session *s)
{
	const struct ctl_request undrain = {.type = CTL_REQ_UNDRAIN, .group = ELECTION_NONE};
	const char *mark = s->config->drained_path;
	const bool marked = unlink(mark) == 0;
	struct ctl_box_view box;
	bool made;

	if (!marked && errno != ENOENT && errno != ENOTDIR) {
		s->status = MGMT_CLI_REFUSED;
		fprintf(s->out, "refused, nothing was done: %s: %s\n", mark, strerror(errno));
		return;
	}
	if (mgmt_cli_post(s, &undrain) != 0) {
		if (marked && mark_make(mark, &made) != 0)
			fprintf(s->out, "koi will not start drained any more: %s is gone\n", mark);
		return;
	}
	ctl_box_view(s->config->ctl, &box);
	if (box.demotion != 0)
		fprintf(s->out, "still demoted by %u: show carp demotion\n", box.demotion);
	if (!box.preempt)
		fputs("preempt is off: the present masters stay\n", s->out);
}
