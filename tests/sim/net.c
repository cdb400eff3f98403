/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Frames, and wires that lose, delay, double, reorder and turn them back. */

#include <string.h>

#include "sim.h"

void
net_init(struct sim *s)
{
	s->n_free_frames = FRAMES;
	for (uint16_t i = 0; i < FRAMES; i++)
		s->free_frame[i] = i;
	for (uint16_t i = 0; i < DELIVERIES; i++)
		s->delivery[i].next = (uint16_t)(i + 1);
	s->delivery[DELIVERIES - 1].next = NONE;
	s->free_delivery = 0;
}

uint16_t
net_frame_new(struct sim *s)
{
	if (s->n_free_frames == 0)
		return NONE;
	uint16_t i = s->free_frame[--s->n_free_frames];

	s->frame[i].refs = 1;
	return i;
}

void
net_frame_put(struct sim *s, uint16_t frame)
{
	if (--s->frame[frame].refs == 0)
		s->free_frame[s->n_free_frames++] = frame;
}

uint16_t
net_delivery_new(struct sim *s, uint16_t frame, uint8_t to)
{
	uint16_t i = s->free_delivery;

	if (i == NONE)
		return NONE;
	s->free_delivery = s->delivery[i].next;
	s->delivery[i] = (struct delivery){.frame = frame, .next = NONE, .to = to, .sent = s->now};
	s->frame[frame].refs++;
	return i;
}

void
net_delivery_free(struct sim *s, uint16_t delivery)
{
	net_frame_put(s, s->delivery[delivery].frame);
	s->delivery[delivery].next = s->free_delivery;
	s->free_delivery = delivery;
}

void
net_queue_add(struct sim *s, struct queue *q, uint16_t delivery)
{
	s->delivery[delivery].next = NONE;
	if (q->n++ == 0)
		q->head = delivery;
	else
		s->delivery[q->tail].next = delivery;
	q->tail = delivery;
}

uint16_t
net_queue_take(struct sim *s, struct queue *q)
{
	uint16_t d = q->head;

	if (q->n == 0)
		return NONE;
	q->head = s->delivery[d].next;
	q->n--;
	return d;
}

void
net_queue_clear(struct sim *s, struct queue *q)
{
	uint16_t d;

	while ((d = net_queue_take(s, q)) != NONE)
		net_delivery_free(s, d);
}

struct base_addr
net_address(uint8_t seg, uint8_t family, unsigned int node)
{
	if (family == 0)
		return base_addr_from_ip4(
			UINT32_C(0x0a000001) + ((uint32_t)seg << 8) + (uint32_t)node);
	return (struct base_addr){BASE_FAMILY_IP6, {0xfe, 0x80, [14] = seg, (uint8_t)(node + 1)}};
}

static void
encode(struct frame *f, const struct group *g, const struct base_addr *src, bool pseudo,
	const struct wire_carp *carp)
{
	struct wire_carp4_envelope four = {
		.ip_src = base_addr_ip4(src),
		.ip_dst = WIRE_CARP_GROUP_IP4,
		.tos = WIRE_CARP_TOS,
	};
	struct wire_carp6_envelope six = {
		.sum = pseudo ? WIRE_CARP_SUM_PSEUDO : WIRE_CARP_SUM_PLAIN};

	if (f->family == 0) {
		memcpy(four.eth_dst, wire_carp_mac4, sizeof(four.eth_dst));
		base_vmac(g->vhid, four.eth_src);
		wire_carp4_frame_encode(&four, carp, f->bytes);
		f->len = WIRE_CARP4_FRAME_LEN;
		return;
	}
	memcpy(six.eth_dst, wire_carp_mac6, sizeof(six.eth_dst));
	base_vmac(g->vhid, six.eth_src);
	memcpy(six.ip_src, src->bytes, sizeof(six.ip_src));
	memcpy(six.ip_dst, wire_carp_group_ip6, sizeof(six.ip_dst));
	wire_carp6_frame_encode(&six, carp, f->bytes);
	f->len = WIRE_CARP6_FRAME_LEN;
}

uint16_t
net_advert(struct sim *s, uint16_t group, uint8_t family, enum sim_key key,
	const struct base_addr *src, const struct election_priority *prio, uint64_t counter)
{
	const struct group *g = &s->group[group];
	uint16_t i = net_frame_new(s);

	if (i == NONE)
		return NONE;
	struct frame *f = &s->frame[i];
	struct wire_carp carp = {
		.version = WIRE_CARP_VERSION,
		.type = WIRE_CARP_TYPE,
		.vhid = g->vhid,
		.advskew = prio->advskew,
		.authlen = WIRE_CARP_AUTHLEN,
		.demotion = prio->demotion,
		.advbase = prio->advbase,
		.counter = counter,
	};

	(void)auth_group_sign(g->auth[key], counter, carp.digest);
	f->family = family;
	encode(f, g, src->family != BASE_FAMILY_NONE ? src : &g->vip[family][0],
		s->mixed && counter % 2, &carp);
	f->group = group;
	f->kind = FRAME_GENUINE;
	f->from = SIM_NODES;
	f->life = 0;
	f->key = (uint8_t)key;
	f->keys = (uint8_t)(1u << key);
	f->id = s->next_id++ % ADVERT_IDS;
	f->pair = f->id;
	f->seq = 0;
	f->sent = s->now;
	s->taken[f->id] = 0;
	s->told[f->id] = 0;
	f->prio = *prio;
	f->counter = counter;
	return i;
}

void
net_advert_patch(struct frame *f, const struct election_priority *prio)
{
	uint8_t *p = f->bytes + WIRE_ETH_LEN + net_ip_len(f);
	struct wire_carp carp;

	(void)wire_carp_decode(p, WIRE_CARP_LEN, &carp);
	carp.advbase = prio->advbase;
	carp.advskew = prio->advskew;
	carp.demotion = prio->demotion;
	wire_carp_encode(&carp, p);
	f->prio = *prio;
}

/* Lost frames of an attacker are nobody's loss. */
static void
lost(struct sim *s, const struct frame *f, uint8_t to)
{
	if (f->kind != FRAME_GENUINE || f->from == to)
		return;
	s->stats->lost++;
	check_lost(s, f->group, f->from, to);
}

static void
launch(struct sim *s, uint16_t frame, uint8_t to)
{
	struct segment *seg = &s->seg[s->group[s->frame[frame].group].seg];
	base_ns_t delay = seg->delay_min + sim_draw(s, seg->delay_max - seg->delay_min + 1);
	uint16_t d = net_delivery_new(s, frame, to);

	if (d == NONE) {
		lost(s, &s->frame[frame], to);
		return;
	}
	if (s->now < seg->slow_until && sim_chance(s, 40))
		delay = seg->delay_min + sim_draw(s, seg->slow_max);
	if (delay > seg->delay_max) {
		s->delivery[d].late = true;
		lost(s, &s->frame[frame], to);
	}
	sim_at(s, HEAP_DELIVERY + d, s->now + delay);
}

static bool
passes(struct sim *s, const struct frame *f, uint8_t seg_id, uint8_t from, uint8_t to)
{
	const struct segment *seg = &s->seg[seg_id];

	return s->now >= seg->deaf_until[f->family] && s->now >= seg->cut_until[from][to] &&
		s->node[to].port[seg_id].link && s->now >= s->node[to].port[seg_id].blocked_until &&
		(s->now >= seg->loss_until || !sim_chance(s, seg->loss_percent));
}

void
net_send(struct sim *s, struct node *n, uint16_t frame)
{
	const struct frame *f = &s->frame[frame];
	uint8_t seg_id = s->group[f->group].seg;
	struct segment *seg = &s->seg[seg_id];
	const struct port *port = &n->port[seg_id];
	bool out = port->link && s->now >= port->blocked_until;

	s->stats->adverts++;
	for (uint8_t to = 0; to < s->n_nodes; to++) {
		if (!s->node[to].alive)
			continue;
		if (to == n->id) {
			if (out && s->now < seg->reflect_until)
				launch(s, frame, to);
			continue;
		}
		if (!out || !passes(s, f, seg_id, n->id, to)) {
			TRACE(s, n, "advert of group %u lost to box %u", f->group, to);
			lost(s, f, to);
			continue;
		}
		launch(s, frame, to);
		if (s->now < seg->dup_until && sim_chance(s, seg->dup_percent))
			launch(s, frame, to);
	}
	attack_capture(s, frame);
	net_frame_put(s, frame);
}

void
net_send_one(struct sim *s, struct node *to, uint16_t frame)
{
	if (to->alive)
		launch(s, frame, to->id);
}

void
net_arrive(struct sim *s, uint16_t delivery)
{
	struct delivery *d = &s->delivery[delivery];
	struct frame *f = &s->frame[d->frame];
	struct node *n = &s->node[d->to];
	uint8_t seg = s->group[f->group].seg;

	if (n->alive && (d->late || !n->port[seg].link))
		lost(s, f, d->to);
	if (!n->alive || !n->port[seg].link) {
		net_delivery_free(s, delivery);
		return;
	}
	if (n->kind == NODE_KOI) {
		box_arrive(s, n, delivery);
		return;
	}
	peer_arrive(s, n, d->frame);
	net_delivery_free(s, delivery);
}
