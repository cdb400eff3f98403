/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What comes up from the workers: adverts, ARP, packets without a next hop. */

#include <string.h>

#include <rte_mbuf.h>

#include "base_bytes.h"
#include "ctl_priv.h"
#include "wire.h"

/* Longest neighbour discovery message and membership query that is looked at. */
#define ND_MAX (WIRE_ETH_LEN + 1500)

/* The bytes of a frame up to len, in one piece; buf is used when they are not. */
static const uint8_t *
frame_bytes(const struct rte_mbuf *m, uint32_t len, uint8_t *buf)
{
	return rte_pktmbuf_read(m, 0, len, buf);
}

/* @return true when it is a new one */
static bool
remember_peer(struct ctl *c, struct ctl_group *g, const struct ctl_advert *a)
{
	const struct ctl_identity *id = a->other ? g->other : g->id;
	const struct base_addr *src = &a->src;

	uint32_t i = 0;
	struct ctl_peer p = {.addr = *src};

	while (i < CTL_PEERS_MAX - 1 && g->peers[i].addr.family != BASE_FAMILY_NONE &&
		memcmp(&g->peers[i].addr, src, sizeof(*src)) != 0)
		i++;
	bool known = memcmp(&g->peers[i].addr, src, sizeof(*src)) == 0;

	if (known)
		p = g->peers[i];
	p.prio = a->prio;
	p.last_heard = c->now;
	p.adverts++;
	p.counters = auth_replay_class_of(&id->replay, src);
	p.bowed_out = a->bow_out;
	if (g->other != NULL)
		p.identity[ctl_stage_identity(g, a->other)] = c->now;
	memmove(&g->peers[1], &g->peers[0], i * sizeof(p));
	g->peers[0] = p;
	return !known;
}

/* Sources heard with good adverts keep a ring of their own when others flood. */
static void
publish_sources(struct ctl *c, uint16_t group)
{
	const struct ctl_group *g = &c->groups[group];
	struct base_addr known[CTL_PEERS_MAX];
	uint16_t n = 0;

	while (n < CTL_PEERS_MAX && g->peers[n].addr.family != BASE_FAMILY_NONE) {
		known[n] = g->peers[n].addr;
		n++;
	}
	dp_group_sources(c->dp, group, known, n);
}

static bool
spend(struct ctl_bucket *b, uint32_t burst, base_ns_t cost, base_ns_t now)
{
	base_ns_t earned = base_ns_since(now, b->at) / cost;

	if (earned > 0) {
		b->tokens = earned > burst - b->tokens ? burst : b->tokens + (uint32_t)earned;
		b->at = now;
	}
	if (b->tokens == 0)
		return false;
	b->tokens--;
	return true;
}

/* Of a source address, by a key. Frames too short for one share a bucket. */
static uint32_t
source_bucket(const struct ctl *c, const uint8_t *frame, size_t len)
{
	size_t off = WIRE_ETH_LEN;
	uint64_t v = c->source_key;

	if (len >= WIRE_ETH_LEN && base_load_be16(frame + 12) == WIRE_ETHERTYPE_VLAN)
		off += WIRE_VLAN_TAG_LEN;
	if (len >= off + WIRE_IP6_LEN && frame[off] >> 4 == 6) {
		v ^= base_load_be64(frame + off + 8);
		v = (v ^ v >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
		v ^= base_load_be64(frame + off + 16);
	} else if (len >= off + WIRE_IP4_LEN) {
		v ^= base_load_be32(frame + off + 12);
	}
	v = (v ^ v >> 30) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((v ^ v >> 31) % CTL_SOURCE_BUCKETS);
}

/*
 * Before the digest: a flood of forged adverts costs a bounded share of the time, and a flood from
 * one address leaves most of that to the others.
 */
static bool
policed(struct ctl *c, const struct dp_punt *p, const uint8_t *frame, size_t len)
{
	if (p->known_source || p->group == DP_NONE)
		return false;
	struct ctl_group *g = &c->groups[p->group];
	struct ctl_bucket *source = &g->source[source_bucket(c, frame, len)];

	return !spend(source, CTL_SOURCE_BURST, CTL_SOURCE_COST_NS, c->now) ||
		!spend(&g->unknown, CTL_UNKNOWN_BURST, CTL_UNKNOWN_COST_NS, c->now);
}

static void
refused(struct ctl *c, const struct dp_punt *p, const struct ctl_advert *a, enum ctl_stat why)
{
	ctl_count(c, a->group, why);
	ctl_frame_say(c, CTL_VERDICT_REFUSED, why);
	if (why == CTL_STAT_DUPLICATE)
		return;
	ctl_event_bad(c, p->if_index, a->group, why, &a->src);
	if (why == CTL_STAT_BADAUTH && a->group != ELECTION_NONE) {
		struct election_event ev = {.type = ELECTION_EV_AUTH_FAILED, .group = a->group};

		ev.advert.src = a->src;
		ctl_feed(c, &ev);
	}
}

static void
judge(struct ctl *c, const struct dp_punt *p, const uint8_t *bytes, size_t len)
{
	const struct ctl_if *f = &c->ifs[p->if_index];
	struct ctl_advert_scope scope = {
		.allow = election_allow(c->election),
		.vhid_group = f->lists.has_groups ? f->lists.group_of_vhid : NULL,
		.listening = c->listening,
		.auth = c->auth,
		.counters = c->counters,
		.other_auth = c->n_staged > 0 ? c->other_auth : NULL,
		.other_counters = c->other_counters,
		.unicast = c->unicast,
		.own_ip4 = f->lists.own,
		.n_own_ip4 = f->lists.n_own,
		.own_ip6 = (const uint8_t(*)[16])f->lists.own6,
		.n_own_ip6 = f->lists.n_own6,
	};
	struct ctl_advert advert;
	enum ctl_stat verdict = ctl_advert_check(bytes, len, &scope, &advert);

	ctl_frame_group(c, advert.group);
	/* Step 1: every advert counts as received, to its group where that is known. */
	ctl_count(c, advert.group,
		advert.src.family == BASE_FAMILY_IP6 ? CTL_STAT_IPACKETS6 : CTL_STAT_IPACKETS);
	if (verdict == CTL_STAT_IPACKETS)
		verdict = ctl_guard_check(c, &advert);
	if (verdict != CTL_STAT_IPACKETS) {
		refused(c, p, &advert, verdict);
		return;
	}
	struct election_event ev = {.type = ELECTION_EV_ADVERT, .group = advert.group};

	ctl_frame_say(c, CTL_VERDICT_ACCEPTED, CTL_STAT_COUNT);
	ev.advert.prio = advert.prio;
	ev.advert.src = advert.src;
	if (remember_peer(c, &c->groups[advert.group], &advert))
		publish_sources(c, advert.group);
	ctl_dirty(c, advert.group);
	if (!ctl_stage_heard(c, &advert))
		return;
	ctl_hear_advert(c, advert.group, &advert.prio);
	ctl_feed(c, &ev);
}

static void
one_advert(struct ctl *c, const struct dp_punt *p)
{
	/* Nothing after the CARP header of a packet with all IPv4 options matters. */
	uint8_t buf[WIRE_ETH_LEN + 4 + 60 + WIRE_CARP_LEN];
	uint32_t len = rte_pktmbuf_pkt_len(p->m);
	uint32_t head = len < sizeof(buf) ? len : (uint32_t)sizeof(buf);
	/* In one segment, as always but for tests: the whole frame, so that its length is true. */
	bool whole = rte_pktmbuf_data_len(p->m) == len;
	const uint8_t *bytes =
		whole ? rte_pktmbuf_mtod(p->m, const uint8_t *) : frame_bytes(p->m, head, buf);
	bool over;

	len = whole ? len : head;
	over = policed(c, p, bytes, len);
	if (over) {
		ctl_count(c, p->group, CTL_STAT_POLICED);
		/* A flood is to be seen in the ring of the last frames, not to fill it. */
		if (base_ns_since(c->now, c->policed_shown) < CTL_POLICED_NS)
			return;
		c->policed_shown = c->now;
	}
	ctl_frame_begin(c, p);
	if (over)
		ctl_frame_say(c, CTL_VERDICT_REFUSED, CTL_STAT_POLICED);
	else
		judge(c, p, bytes, len);
	ctl_frame_end(c);
}

bool
ctl_adverts(struct ctl *c)
{
	struct dp_punt punts[CTL_POLL_BATCH];
	uint32_t left = CTL_ADVERTS_PER_TURN;

	while (left >= CTL_POLL_BATCH) {
		uint32_t n = dp_poll_adverts(c->dp, punts, CTL_POLL_BATCH, CTL_ADVERTS_PER_RING);

		for (uint32_t i = 0; i < n; i++) {
			one_advert(c, &punts[i]);
			rte_pktmbuf_free(punts[i].m);
		}
		if (n == 0)
			return true;
		c->idle_turns = 0;
		left -= n;
	}
	return false;
}

bool
ctl_is_vip4(const struct ctl_group *g, uint32_t ip)
{
	for (uint16_t i = 0; i < g->n_vips; i++)
		if (g->vips[i] == ip)
			return true;
	return false;
}

bool
ctl_is_own4(const struct ctl_if *f, uint32_t ip)
{
	for (uint16_t i = 0; i < f->lists.n_own; i++)
		if (f->lists.own[i] == ip)
			return true;
	return false;
}

/* Addresses of ours are never learnt, whoever claims them. */
static bool
is_ours(const struct ctl *c, uint16_t if_id, uint32_t ip)
{
	if (ctl_is_own4(&c->ifs[if_id], ip))
		return true;
	for (uint16_t i = 0; i < c->n_groups; i++)
		if (c->groups[i].conf->if_index == if_id && ctl_is_vip4(&c->groups[i], ip))
			return true;
	return false;
}

bool
ctl_is_our_mac(const struct ctl_if *f, const uint8_t mac[BASE_MAC_LEN])
{
	uint8_t vmac[BASE_MAC_LEN];

	if (memcmp(mac, f->mac, BASE_MAC_LEN) == 0)
		return true;
	base_vmac(mac[5], vmac);
	return memcmp(mac, vmac, sizeof(vmac)) == 0 &&
		f->lists.group_of_vhid[mac[5]] != ELECTION_NONE;
}

static void
send_arp(struct ctl *c, uint16_t if_id, const uint8_t *dst, const struct wire_arp *arp)
{
	uint8_t frame[WIRE_ARP_FRAME_LEN];

	wire_arp_frame_encode(dst, arp->sender_mac, arp, frame);
	/* A lost ARP is asked or answered again by protocol. */
	(void)ctl_send(c, if_id, frame, sizeof(frame), DP_NONE);
}

static void
answer_arp(struct ctl *c, uint16_t if_id, const uint8_t *mac, const struct wire_arp *asked)
{
	struct wire_arp reply = {
		.op = WIRE_ARP_REPLY,
		.sender_ip = asked->target_ip,
		.target_ip = asked->sender_ip,
	};

	memcpy(reply.sender_mac, mac, BASE_MAC_LEN);
	memcpy(reply.target_mac, asked->sender_mac, BASE_MAC_LEN);
	send_arp(c, if_id, asked->sender_mac, &reply);
}

/*
 * Groups that share the VIP divide the askers among them (note 7.3): only the one that the asker's
 * hash picks answers, by the box that is its MASTER.
 * @return the group that is to answer
 */
static uint16_t
balanced(const struct ctl *c, uint16_t group, const struct wire_arp *arp)
{
	const struct ctl_group *first = &c->groups[group];
	uint16_t sharers[256], n = 0;

	if (!c->arpbalance)
		return group;
	/* in ascending order of vhid */
	for (unsigned int vhid = 1; vhid < 256; vhid++) {
		uint16_t g = c->ifs[first->conf->if_index].lists.group_of_vhid[vhid];

		if (g != ELECTION_NONE && ctl_is_vip4(&c->groups[g], arp->target_ip))
			sharers[n++] = g;
	}
	if (n < 2)
		return group;
	uint32_t index = auth_balance_hash(&c->groups[sharers[0]].id->balance, arp->sender_mac) % n;

	return sharers[c->conf->arpbalance_netbsd_order ? n - 1 - index : index];
}

/*
 * An ARP packet about a VIP: the MASTER answers with the vMAC in both places (note 7.2).
 * @return true when the sender should be known: he asked this box, or its master while this box may
 *         have to take over
 */
static bool
vip_arp(struct ctl *c, const struct dp_punt *p, const struct wire_arp *arp)
{
	uint16_t group = balanced(c, p->group, arp);
	const struct ctl_group *g = &c->groups[group];
	bool master = g->state == ELECTION_MASTER;

	if (arp->op != WIRE_ARP_REQUEST || !ctl_is_vip4(g, arp->target_ip))
		return false;
	ctl_count(c, group, master ? CTL_STAT_ARP_ANSWERED : CTL_STAT_ARP_NOT_MASTER);
	ctl_frame_group(c, group);
	ctl_frame_say(c, master ? CTL_VERDICT_ANSWERED : CTL_VERDICT_NOT_ANSWERED,
		master ? CTL_STAT_COUNT : CTL_STAT_ARP_NOT_MASTER);
	if (group != p->group)
		ctl_count(c, p->group, CTL_STAT_BALANCED_AWAY);
	if (master)
		answer_arp(c, p->if_index, g->vmac, arp);
	return g->state != ELECTION_INIT;
}

/* Not ARP: neighbour discovery, or a query about multicast groups. */
static void
other_punt(struct ctl *c, const struct dp_punt *p)
{
	uint8_t buf[ND_MAX];
	uint32_t len = rte_pktmbuf_pkt_len(p->m);
	const uint8_t *frame;

	if (len < WIRE_ETH_LEN)
		return;
	if (len > sizeof(buf))
		len = sizeof(buf);
	frame = frame_bytes(p->m, len, buf);
	if (base_load_be16(frame + 12) == WIRE_ETHERTYPE_IP6)
		ctl_nd_input(c, p, frame, len);
	else
		ctl_member_query(c, p->if_index, frame + WIRE_ETH_LEN, len - WIRE_ETH_LEN);
}

/* What a sender says of himself. He is made known only when he asked us, from a subnet of ours. */
static void
learn_sender(struct ctl *c, uint16_t if_id, const struct wire_arp *arp, bool asked)
{
	const struct base_addr sender = base_addr_from_ip4(arp->sender_ip);
	bool reply = arp->op == WIRE_ARP_REPLY && ctl_is_our_mac(&c->ifs[if_id], arp->target_mac);

	if (is_ours(c, if_id, arp->sender_ip)) {
		ctl_frame_say(c, CTL_VERDICT_OWN_ADDRESS, CTL_STAT_COUNT);
		return;
	}
	ctl_frame_say(c, CTL_VERDICT_NEIGHBOR, CTL_STAT_COUNT);
	if (asked && ctl_is_on_link(&c->ifs[if_id], &sender))
		fib_nbr_asker(c->nbr, if_id, &sender, arp->sender_mac, c->now, ctl_nbr_act, c);
	else
		fib_nbr_advertised(c->nbr, if_id, &sender, arp->sender_mac, reply, true, c->now,
			ctl_nbr_act, c);
}

static void
one_arp(struct ctl *c, const struct dp_punt *p)
{
	const struct ctl_if *f = &c->ifs[p->if_index];
	uint8_t buf[WIRE_ARP_FRAME_LEN];
	struct wire_arp arp;
	bool asked = false;

	if (rte_pktmbuf_pkt_len(p->m) < sizeof(buf) ||
		!wire_arp_decode(
			frame_bytes(p->m, sizeof(buf), buf) + WIRE_ETH_LEN, WIRE_ARP_LEN, &arp)) {
		ctl_frame_say(c, CTL_VERDICT_MALFORMED, CTL_STAT_COUNT);
		return;
	}
	if (arp.op == WIRE_ARP_REQUEST) {
		const struct base_addr sender = base_addr_from_ip4(arp.sender_ip);
		const struct base_addr target = base_addr_from_ip4(arp.target_ip);

		if (!is_ours(c, p->if_index, arp.target_ip))
			ctl_warm_asked(c, p->if_index, &sender, arp.sender_mac, &target);
	}
	/* Our own, reflected, or the other master's announcement; or somebody would have us send to
	 * ourselves, round and round. */
	if (ctl_is_our_mac(f, arp.sender_mac)) {
		ctl_frame_say(c, CTL_VERDICT_OWN_MAC, CTL_STAT_COUNT);
		return;
	}
	if (p->cls == DP_PUNT_GROUP_ARP) {
		asked = vip_arp(c, p, &arp);
	} else if (ctl_is_own4(f, arp.target_ip) && arp.op == WIRE_ARP_REQUEST) {
		asked = true;
		ctl_frame_say(c, CTL_VERDICT_ANSWERED, CTL_STAT_COUNT);
		answer_arp(c, p->if_index, f->mac, &arp);
	}
	learn_sender(c, p->if_index, &arp, asked);
}

static bool
is_arp(const struct rte_mbuf *m)
{
	uint8_t buf[WIRE_ETH_LEN];
	const uint8_t *p = rte_pktmbuf_read(m, 0, sizeof(buf), buf);

	return p != NULL && base_load_be16(p + 12) == WIRE_ETHERTYPE_ARP;
}

void
ctl_punts(struct ctl *c)
{
	struct dp_punt punts[CTL_POLL_BATCH];
	uint32_t left = CTL_PUNTS_PER_TURN;

	while (left >= CTL_POLL_BATCH) {
		uint32_t n = dp_poll_punts(c->dp, punts, CTL_POLL_BATCH, CTL_PUNTS_PER_RING);

		if (n == 0)
			return;
		c->idle_turns = 0;
		left -= n;
		for (uint32_t i = 0; i < n; i++) {
			if (punts[i].cls == DP_PUNT_RESOLVE) {
				fib_nbr_resolve(c->nbr, punts[i].if_index, &punts[i].next_hop,
					punts[i].m, c->now, ctl_nbr_act, c);
				continue;
			}
			if (punts[i].cls == DP_PUNT_PROBE) {
				ctl_ping_input(c, punts[i].m);
				rte_pktmbuf_free(punts[i].m);
				continue;
			}
			ctl_frame_begin(c, &punts[i]);
			if (is_arp(punts[i].m))
				one_arp(c, &punts[i]);
			else
				other_punt(c, &punts[i]);
			ctl_frame_end(c);
			rte_pktmbuf_free(punts[i].m);
		}
	}
}

uint32_t
ctl_own_ip4(const struct ctl_if *f, uint32_t target)
{
	for (uint16_t i = 0; i < f->lists.n_own; i++)
		if (((f->lists.own[i] ^ target) & f->lists.own_mask[i]) == 0)
			return f->lists.own[i];
	return f->lists.ip4;
}

/*
 * Whose name an ARP request bears: an own address; without any, as MASTER a VIP with its vMAC; as
 * BACKUP 0.0.0.0, never a VIP (design, "Invariants").
 */
static void
nbr_request(struct ctl *c, const struct fib_nbr_action *a)
{
	const struct ctl_if *f = &c->ifs[a->if_index];
	struct wire_arp arp = {.op = WIRE_ARP_REQUEST, .target_ip = base_addr_ip4(&a->addr)};

	memcpy(arp.sender_mac, f->mac, BASE_MAC_LEN);
	arp.sender_ip = ctl_own_ip4(f, arp.target_ip);
	for (uint16_t i = 0; arp.sender_ip == 0 && i < c->n_groups; i++) {
		const struct ctl_group *g = &c->groups[i];

		if (g->conf->if_index == a->if_index && g->state == ELECTION_MASTER &&
			g->n_vips > 0) {
			arp.sender_ip = g->vips[0];
			memcpy(arp.sender_mac, g->vmac, BASE_MAC_LEN);
		}
	}
	send_arp(c, a->if_index, a->has_mac ? a->mac : wire_broadcast_mac, &arp);
}

void
ctl_nbr_act(void *arg, const struct fib_nbr_action *a)
{
	struct ctl *c = arg;

	switch (a->type) {
	case FIB_NBR_ACT_REQUEST:
		if (a->addr.family == BASE_FAMILY_IP4)
			nbr_request(c, a);
		else
			ctl_nd_request(c, a);
		break;
	case FIB_NBR_ACT_SEND:
		dp_ctl_send_resolved(c->dp, a->if_index, a->m, a->mac);
		break;
	case FIB_NBR_ACT_FAIL:
		dp_ctl_unreachable(c->dp, a->m);
		break;
	case FIB_NBR_ACT_DROP:
		dp_ctl_hold_dropped(c->dp, a->m);
		break;
	}
}

void
ctl_frames_seen(struct ctl *c)
{
	for (uint16_t i = 0; i < c->n_ifs; i++) {
		struct ctl_if *f = &c->ifs[i];
		base_ns_t last = dp_last_frame(c->dp, i);
		struct election_event ev = {.type = ELECTION_EV_FRAME_SEEN, .if_id = i};

		if (last == 0 || last <= f->frame_told ||
			base_ns_since(c->now, f->frame_told) < CTL_FRAME_TELL_NS)
			continue;
		f->frame_told = c->now;
		ctl_feed(c, &ev);
	}
}

bool
ctl_nbr_mac(
	struct ctl *c, uint16_t if_index, const struct base_addr *addr, uint8_t mac[BASE_MAC_LEN])
{
	if (addr->family == BASE_FAMILY_IP4
			? fib_nbr_lookup(c->nbr, if_index, base_addr_ip4(addr), mac)
			: fib_nbr_lookup6(c->nbr, if_index, addr->bytes, mac))
		return true;
	fib_nbr_resolve(c->nbr, if_index, addr, NULL, c->now, ctl_nbr_act, c);
	return false;
}
