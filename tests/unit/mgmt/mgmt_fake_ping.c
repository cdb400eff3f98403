/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* A run of ping as a test wrote it: lines, and what came of all. */
#include "mgmt_fake.h"

#include <stdio.h>
#include <string.h>

int
ctl_ping_open(struct ctl *c, const struct ctl_ping_ask *ask, struct base_addr *src, char *note,
	size_t note_len)
{
	(void)c;
	fake.ping.ask = *ask;
	fake.ping.n_opened++;
	if (fake.ping.rc != 0) {
		snprintf(note, note_len, "%s", fake.note != NULL ? fake.note : "");
		return fake.ping.rc;
	}
	fake.ping.stopped = false;
	fake.ping.n_read = 0;
	*src = fake.ping.src;
	return 0;
}

uint32_t
ctl_ping_read(struct ctl *c, int run, struct ctl_ping_line *out, uint32_t cap)
{
	uint32_t n = 0;

	(void)c;
	(void)run;
	while (n < cap && fake.ping.n_read < fake.ping.n_lines)
		out[n++] = fake.ping.lines[fake.ping.n_read++];
	return n;
}

bool
ctl_ping_ended(const struct ctl *c, int run, struct ctl_probe_sum *sum, uint32_t *missed)
{
	(void)c;
	(void)run;
	*sum = fake.ping.sum;
	*missed = 0;
	return !fake.ping.endless || __atomic_load_n(&fake.ping.stopped, __ATOMIC_ACQUIRE);
}

void
ctl_ping_stop(struct ctl *c, int run)
{
	(void)c;
	(void)run;
	__atomic_store_n(&fake.ping.stopped, true, __ATOMIC_RELEASE);
}

void
ctl_ping_close(struct ctl *c, int run)
{
	(void)c;
	(void)run;
	__atomic_fetch_add(&fake.ping.n_closed, 1, __ATOMIC_RELEASE);
}
