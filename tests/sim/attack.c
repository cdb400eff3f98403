/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Somebody on the segment who hears all adverts and has no key. */

#include <string.h>

#include "base_bytes.h"
#include "sim.h"

void
attack_capture(struct sim *s, uint16_t frame)
{
	struct segment *seg = &s->seg[s->group[s->frame[frame].group].seg];
	uint16_t *slot;

	if (s->frame[frame].kind != FRAME_GENUINE)
		return;
	if (seg->captured < CAPTURES) {
		slot = &seg->capture[seg->captured++];
	} else {
		/* old ones stay for long: what was said an hour ago is as good as new */
		slot = &seg->capture[sim_draw(s, CAPTURES)];
		net_frame_put(s, *slot);
	}
	*slot = frame;
	s->frame[frame].refs++;
}

/* A copy of a captured frame, or NONE. */
static uint16_t
copy(struct sim *s, struct segment *seg)
{
	uint16_t i;

	if (seg->captured == 0 || (i = net_frame_new(s)) == NONE)
		return NONE;
	s->frame[i] = s->frame[seg->capture[sim_draw(s, seg->captured)]];
	s->frame[i].refs = 1;
	s->frame[i].kind = FRAME_REPLAY;
	return i;
}

static struct election_priority
some_priority(struct sim *s)
{
	struct election_priority p = {
		.advbase = (uint8_t)sim_draw(s, 4),
		.advskew = (uint8_t)sim_draw(s, 256),
		.demotion = (uint8_t)sim_draw(s, 3),
	};

	if (sim_chance(s, 25))
		p.advbase = p.advskew = 255;
	return p;
}

/* The length of what follows the header, or with it: as the family counts. */
static void
set_length(struct frame *f, uint16_t payload)
{
	uint8_t *ip = f->bytes + WIRE_ETH_LEN;

	if (f->family)
		base_store_be16(ip + 4, payload);
	else
		base_store_be16(ip + 2, (uint16_t)(payload + WIRE_IP4_LEN));
}

static void
sum_ip(struct frame *f)
{
	uint8_t *ip = f->bytes + WIRE_ETH_LEN;

	if (f->family)
		return;
	ip[10] = ip[11] = 0;
	base_store_be16(ip + 10, wire_sum_fold(wire_sum(ip, WIRE_IP4_LEN, 0)));
}

static uint16_t
forge(struct sim *s, struct segment *seg, uint8_t seg_id)
{
	struct election_priority p = some_priority(s);
	uint16_t g = (uint16_t)(seg_id * s->n_vhids + sim_draw(s, s->n_vhids)), i;
	uint8_t family = (uint8_t)sim_draw(s, SIM_FAMILIES);
	struct base_addr src =
		net_address(seg_id, family, (unsigned int)sim_draw(s, SIM_NODES + 2));

	if (sim_chance(s, 60)) {
		i = net_advert(s, g, family, KEY_FORGED, &src, &p, base_rand_next(&s->rand));
		if (i != NONE)
			s->frame[i].kind = FRAME_FORGED;
		return i;
	}
	/* a good one with one authenticated bit changed, the sums put right */
	i = copy(s, seg);
	if (i == NONE)
		return NONE;
	uint8_t *p_carp = s->frame[i].bytes + WIRE_ETH_LEN + net_ip_len(&s->frame[i]);
	unsigned int bit = (unsigned int)sim_draw(s, (8 + 20) * 8);

	p_carp[8 + bit / 8] ^= (uint8_t)(1u << bit % 8);
	struct election_priority same = s->frame[i].prio;

	net_advert_patch(&s->frame[i], &same);
	s->frame[i].kind = FRAME_FORGED;
	s->frame[i].from = SIM_NODES;
	return i;
}

static void
cut_short(struct sim *s, struct frame *f)
{
	f->kind = FRAME_TRUNCATED;
	if (sim_chance(s, 50)) {
		f->len = (uint16_t)sim_draw(s, f->len);
		return;
	}
	/* whole, but its IP length says less, or more than there is */
	set_length(f, sim_chance(s, 70) ? (uint16_t)sim_draw(s, WIRE_CARP_LEN) : 200);
	sum_ip(f);
}

static void
make_foreign(struct sim *s, struct frame *f)
{
	uint8_t *ip = f->bytes + WIRE_ETH_LEN, *carp = ip + net_ip_len(f);

	f->kind = FRAME_FOREIGN;
	switch (sim_draw(s, 6)) {
	case 0: /* a vhid of somebody else */
		carp[1] = (uint8_t)(100 + sim_draw(s, 100));
		net_advert_patch(f, &f->prio);
		break;
	case 1: /* VRRP version 3 */
		carp[0] = 0x31;
		carp[6] = carp[7] = 0;
		base_store_be16(carp + 6, wire_sum_fold(wire_sum(carp, WIRE_CARP_LEN, 0)));
		break;
	case 2: /* from beyond a router */
		ip[f->family ? 7 : 8] = (uint8_t)sim_draw(s, 255);
		sum_ip(f);
		break;
	case 3:
		ip[f->family ? 6 : 9] = (uint8_t)sim_draw(s, WIRE_PROTO_CARP);
		sum_ip(f);
		break;
	case 4: /* damaged on the way; both sums of IPv6 differ from each other by more */
		carp[6] ^= 0x01;
		break;
	default:
		if (f->family) { /* to another group */
			ip[39] = (uint8_t)(0x13 + sim_draw(s, 100));
			break;
		}
		ip[6] = 0x20; /* a fragment */
		sum_ip(f);
	}
}

void
attack_meddle(struct sim *s)
{
	uint8_t seg_id = (uint8_t)sim_draw(s, s->n_segs);
	struct segment *seg = &s->seg[seg_id];
	unsigned int n = sim_chance(s, 10) ? 2 * RING_SLOTS : 1 + (unsigned int)sim_draw(s, 4);
	uint64_t kind = sim_draw(s, 5);
	bool all = sim_chance(s, 60);
	struct node *victim = &s->node[sim_draw(s, s->n_nodes)];

	TRACE(s, NULL, "segment %u: %u frames of an attacker, kind %u", seg_id, n,
		(unsigned int)kind);
	for (; n > 0; n--) {
		uint16_t i = kind == 0 ? forge(s, seg, seg_id) : copy(s, seg);

		if (i == NONE)
			return;
		if (kind == 1) {
			cut_short(s, &s->frame[i]);
		} else if (kind == 2) {
			make_foreign(s, &s->frame[i]);
		} else if (kind == 3) {
			struct election_priority p = some_priority(s);

			net_advert_patch(&s->frame[i], &p);
		}
		for (uint8_t to = 0; to < s->n_nodes; to++)
			if (all || to == victim->id)
				net_send_one(s, &s->node[to], i);
		net_frame_put(s, i);
	}
}
