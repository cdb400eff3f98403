/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Frames as a test sets them. */
#include "mgmt_fake.h"

const char *
ctl_verdict_text(enum ctl_verdict v)
{
	static const char *const texts[] = {
#define CTL_VERDICT(sym, text) text,
#include "ctl_verdicts.def"
#undef CTL_VERDICT
	};

	return texts[v];
}

uint64_t
ctl_frame_newest(const struct ctl *c)
{
	(void)c;
	return __atomic_load_n(&fake.n_frames, __ATOMIC_ACQUIRE);
}

uint32_t
ctl_frames(const struct ctl *c, uint64_t after, struct ctl_frame *out, uint32_t cap, uint64_t *last)
{
	uint64_t newest = ctl_frame_newest(c);
	uint32_t n = 0;

	*last = after;
	while (*last < newest && n < cap)
		out[n++] = fake.frames[(*last)++];
	return n;
}
