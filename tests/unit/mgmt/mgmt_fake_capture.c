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

int
dp_capture_start(struct dp *dp, uint16_t if_index, uint32_t snap_len)
{
	(void)dp;
	fake.capture_if = if_index;
	__atomic_store_n(&fake.capture_snap, snap_len, __ATOMIC_RELEASE);
	return 0;
}

void
dp_capture_stop(struct dp *dp)
{
	(void)dp;
	__atomic_store_n(&fake.capture_snap, 0, __ATOMIC_RELEASE);
}

uint16_t
dp_capture_rings(const struct dp *dp)
{
	(void)dp;
	return 2;
}

bool
dp_capture_peek(struct dp *dp, uint16_t ring, struct dp_capture_frame *out)
{
	(void)dp;
	if (fake.n_taken[ring] == __atomic_load_n(&fake.n_data[ring], __ATOMIC_ACQUIRE))
		return false;
	*out = fake.data[ring][fake.n_taken[ring]];
	return true;
}

void
dp_capture_next(struct dp *dp, uint16_t ring)
{
	(void)dp;
	__atomic_store_n(&fake.n_taken[ring], fake.n_taken[ring] + 1, __ATOMIC_RELEASE);
}

uint64_t
dp_capture_lost(const struct dp *dp, uint16_t if_index)
{
	(void)dp;
	return fake.capture_lost[if_index == DP_NONE ? 2 : if_index];
}
