/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The ring of the last frames. What a received frame causes to be sent is in the ring behind it:
 * its place is taken when it is read, and everybody sees it, and what it caused, once its verdict
 * is known.
 */
#include "ctl_frame.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <rte_mbuf.h>

#include "base_wall.h"
#include "ctl_priv.h"

_Static_assert(sizeof(struct ctl_frame) % sizeof(ctl_word) == 0, "copied by words");
_Static_assert(offsetof(struct ctl_frame, bytes) % sizeof(ctl_word) == 0, "copied by words");
_Static_assert(CTL_STAT_COUNT <= UINT8_MAX && CTL_VERDICT_COUNT <= UINT8_MAX, "a byte each");

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

static void
frame_new(struct ctl *c, struct ctl_frame *f, uint16_t if_id, uint16_t group, uint32_t len)
{
	f->seq = ++c->frame_seq;
	f->wall_ns = base_wall_ns();
	f->if_id = if_id;
	f->group = group;
	f->len = (uint16_t)(len < UINT16_MAX ? len : UINT16_MAX);
	f->captured = (uint16_t)(len < CTL_FRAME_BYTES ? len : CTL_FRAME_BYTES);
	f->stat = CTL_STAT_COUNT;
	f->from = f->to = ELECTION_INIT;
	f->cause = 0;
	if (group < c->n_groups)
		f->from = f->to = (uint8_t)c->groups[group].state;
}

/* Only what there is of the frame: most are short. */
static void
frame_write(struct ctl *c, const struct ctl_frame *f)
{
	struct ctl_frame_slot *slot = &c->frames[f->seq % CTL_FRAME_SLOTS];
	size_t len = offsetof(struct ctl_frame, bytes) + f->captured + sizeof(ctl_word) - 1;

	ctl_seq_write(&slot->seq, &slot->frame, f, len - len % sizeof(ctl_word));
}

void
ctl_frame_begin(struct ctl *c, const struct dp_punt *p)
{
	struct ctl_frame *f = &c->frame;
	const uint8_t *bytes;

	frame_new(c, f, p->if_index, p->group, rte_pktmbuf_pkt_len(p->m));
	f->sent = false;
	f->verdict = CTL_VERDICT_NOTHING;
	bytes = rte_pktmbuf_read(p->m, 0, f->captured, f->bytes);
	if (bytes != f->bytes)
		memcpy(f->bytes, bytes, f->captured);
	c->frame_open = true;
}

void
ctl_frame_say(struct ctl *c, enum ctl_verdict v, enum ctl_stat stat)
{
	if (!c->frame_open || c->frame.verdict != CTL_VERDICT_NOTHING)
		return;
	c->frame.verdict = (uint8_t)v;
	c->frame.stat = (uint8_t)stat;
}

void
ctl_frame_group(struct ctl *c, uint16_t group)
{
	if (!c->frame_open || group >= c->n_groups)
		return;
	c->frame.group = group;
	c->frame.from = c->frame.to = (uint8_t)c->groups[group].state;
}

void
ctl_frame_state(struct ctl *c, uint16_t group, enum election_state to, enum election_cause cause)
{
	if (!c->frame_open || c->frame.group != group)
		return;
	c->frame.to = (uint8_t)to;
	c->frame.cause = (uint8_t)cause;
}

void
ctl_frame_end(struct ctl *c)
{
	frame_write(c, &c->frame);
	c->frame_open = false;
	__atomic_store_n(&c->frame_newest, c->frame_seq, __ATOMIC_RELEASE);
}

/* A group sends as its vMAC, but for unicast adverts, of which the group is known. */
static uint16_t
sender(const struct ctl *c, uint16_t if_id, const uint8_t *frame, size_t len, uint16_t group)
{
	const struct ctl_if *f = &c->ifs[if_id];
	const uint8_t *src = frame + BASE_MAC_LEN;

	if (group != DP_NONE || len < WIRE_ETH_LEN || memcmp(src, f->mac, BASE_MAC_LEN) == 0)
		return group;
	return f->lists.group_of_vhid[src[BASE_MAC_LEN - 1]];
}

void
ctl_frame_sent(
	struct ctl *c, uint16_t if_id, const uint8_t *frame, size_t len, uint16_t group, int result)
{
	struct ctl_frame f;

	frame_new(c, &f, if_id, sender(c, if_id, frame, len, group), (uint32_t)len);
	f.sent = true;
	f.verdict = result == 0	      ? CTL_VERDICT_SENT
		: result == -ENETDOWN ? CTL_VERDICT_NO_LINK
		: result == -ENOMEM   ? CTL_VERDICT_NO_BUFFER
				      : CTL_VERDICT_NO_ROOM;
	memcpy(f.bytes, frame, f.captured);
	/* what rounding up to words copies */
	memset(f.bytes + f.captured, 0,
		f.captured < CTL_FRAME_BYTES ? sizeof(ctl_word) - f.captured % sizeof(ctl_word)
					     : 0);
	frame_write(c, &f);
	if (!c->frame_open)
		__atomic_store_n(&c->frame_newest, f.seq, __ATOMIC_RELEASE);
}

uint32_t
ctl_frames(const struct ctl *c, uint64_t after, struct ctl_frame *out, uint32_t cap, uint64_t *last)
{
	uint64_t newest = ctl_frame_newest(c);
	uint32_t n = 0;

	if (newest > CTL_FRAMES_KEPT && after < newest - CTL_FRAMES_KEPT)
		after = newest - CTL_FRAMES_KEPT;
	*last = after;
	for (uint64_t seq = after + 1; seq <= newest && n < cap; seq++) {
		const struct ctl_frame_slot *slot = &c->frames[seq % CTL_FRAME_SLOTS];

		ctl_seq_read(&slot->seq, &out[n], &slot->frame, sizeof(out[n]));
		*last = seq;
		/* overwritten meanwhile by a newer one */
		if (out[n].seq == seq)
			n++;
	}
	return n;
}

uint64_t
ctl_frame_newest(const struct ctl *c)
{
	return __atomic_load_n(&c->frame_newest, __ATOMIC_ACQUIRE);
}
