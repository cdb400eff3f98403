/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "dp_rig_host.h"

#include <string.h>

/* The next frame for the kernel by an interface; false when there is none. */
bool
kernel_gets(struct rig *r, uint16_t if_index, struct frame *f)
{
	struct rte_mbuf *m;

	if (dp_host_poll(r->dp, if_index, 0, &m, 1) == 0)
		return false;
	*f = frame_of(m);
	dp_host_done(r->dp, 0, &m, 1);
	return true;
}

void
assert_kernel_gets(struct rig *r, uint16_t if_index, const struct frame *want, const uint8_t dst[6])
{
	struct frame f;

	assert_true(kernel_gets(r, if_index, &f));
	assert_int_equal(f.len, want->len);
	assert_memory_equal(f.b, dst, 6);
	assert_memory_equal(f.b + 6, want->b + 6, want->len - 6);
}

void
assert_kernel_gets_nothing(struct rig *r)
{
	struct frame f;

	assert_false(kernel_gets(r, LAN, &f));
	assert_false(kernel_gets(r, WAN, &f));
}

/* The kernel sends a frame by the tap of an interface. */
void
kernel_sends(struct rig *r, uint16_t if_index, const struct frame *f)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->pool);

	assert_non_null(m);
	memset(rte_mbuf_to_priv(m), 0xa5, dp_meta_size());
	memcpy(rte_pktmbuf_append(m, (uint16_t)f->len), f->b, f->len);
	assert_true(dp_host_send(r->dp, if_index, m));
	rig_turn(r);
}

/* It leaves by an interface with these MACs, else as it was. */
void
assert_sent(
	struct rig *r, int port, const struct frame *f, const uint8_t dst[6], const uint8_t src[6])
{
	struct rte_mbuf *m = rig_tx(r, port);
	struct frame sent;

	assert_non_null(m);
	sent = frame_of(m);
	assert_int_equal(sent.len, f->len);
	assert_memory_equal(sent.b, dst, 6);
	assert_memory_equal(sent.b + 6, src, 6);
	assert_memory_equal(sent.b + 12, f->b + 12, f->len - 12);
	rig_assert_silent(r);
}

void
assert_refused(struct rig *r, uint16_t if_index, const struct frame *f, enum dp_drop why)
{
	struct dp_host_stats before, after;
	uint64_t drops = rig_drops(r, why), all_drops = rig_drops_all(r);

	dp_host_stats(r->dp, if_index, &before);
	kernel_sends(r, if_index, f);
	dp_host_stats(r->dp, if_index, &after);
	assert_int_equal(rig_drops(r, why), drops + 1);
	assert_int_equal(rig_drops_all(r), all_drops + 1);
	assert_int_equal(after.refused, before.refused + 1);
	assert_int_equal(after.from_host, before.from_host);
	rig_assert_silent(r);
}

static const struct rig_options with_taps = {.host = true};

int
host_setup(void **state)
{
	int ret = rig_setup(state);

	rig_configure(*state, &with_taps);
	return ret;
}
