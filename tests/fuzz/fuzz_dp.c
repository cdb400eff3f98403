/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * A worker's turn on any frames, on the rig of the unit tests (dp_rig.h): classification,
 * reverse-path check, forwarding, fragments, echo and ICMP errors of both families, hand-off
 * between workers. Every frame has one fate, nothing leaks, nothing beyond a frame's end is read,
 * nothing leaves that is longer than the MTU, with a vMAC that is not owned or for a VIP of a
 * BACKUP.
 *
 * The input is a list of frames. Each has six bytes before it: port and repairs, Ethernet
 * destination and groups that are MASTER, bytes of the first segment and of the others (0: one
 * segment), length with the low byte first; of its last byte two bits are the reverse-path check,
 * and one makes the WAN's MTU small. A bit of the second byte makes LAN and WAN two VLANs of one
 * device: the port is then that of the tag, or the frame comes as it is.
 */
#include "fuzz.h"

#include <sanitizer/asan_interface.h>

#include "base_assert.h"
#include "base_bytes.h"
#include "dp_priv.h"
#include "dp_rig.h"

#define FRAMES_MAX 16
#define IP_AT	   WIRE_ETH_LEN
#define PUNTS_MAX  256
#define LEN_MASK   0x0fff
#define WAN_MTU	   1400
#define SMALL_MTU  300
#define TAGGED	   8 /* of the second byte; three bits below are the MAC, four above the groups */

enum {
	FIX_PORT = 3, /* LAN, WAN, BARE, LAN by the second worker, which sends by the first */
	FIX_IP4_SUM = 1 << 2,  /* of the IPv4 header */
	FIX_ICMP_SUM = 1 << 3, /* of ICMP and ICMPv6 */
	FIX_SOURCE = 1 << 4,   /* an IPv4 source that hosts may have */
	FIX_LENGTH = 1 << 5,   /* of the IP packet: the frame's */
	FIX_KNOWN = 1 << 6,    /* the IPv4 source is one of vhid 1's known sources */
	FIX_RESOLVE = 1 << 7,  /* next hops answer */
};

static const uint16_t tags[2] = {10, 20}; /* of LAN and WAN where they have any */

static struct rig *rig;
static unsigned int mbufs; /* free in the pool while nothing is under way */

static void
configure(bool tagged)
{
	rig_configure(rig,
		&(struct rig_options){.icmp_per_s = 1000000,
			.n_workers = 2,
			.n_txq = 1,
			.vlan = {tagged ? tags[LAN] : 0, tagged ? tags[WAN] : 0},
			.one_port = tagged});
}

static void
init(void)
{
	void *state = NULL;

	BASE_ASSERT(rig_group_setup(&state) == 0 && rig_setup(&state) == 0);
	rig = state;
	configure(false);
	mbufs = rte_mempool_avail_count(rig->pool);
}

static void
repair(struct frame *f, uint8_t fix, uint8_t mac)
{
	static const uint8_t *const macs[] = {
		vmac1, vmac7, vmac9, lan_mac, wan_mac, wire_broadcast_mac, wire_carp_mac4};
	uint8_t *ip = f->b + IP_AT;
	uint32_t header_len = (uint32_t)(ip[0] & 15) * 4;
	uint16_t type;

	if (f->len < IP_AT + WIRE_IP4_LEN)
		return;
	if (mac != 0)
		memcpy(f->b, macs[mac - 1], WIRE_MAC_LEN);
	type = base_load_be16(f->b + 12);
	if (type == WIRE_ETHERTYPE_IP4) {
		if (fix & FIX_SOURCE)
			base_store_be32(ip + 12, CLIENT);
		if (fix & FIX_LENGTH)
			base_store_be16(ip + 2, (uint16_t)(f->len - IP_AT));
		if ((fix & FIX_ICMP_SUM) && ip[9] == WIRE_PROTO_ICMP &&
			IP_AT + header_len + 4 <= f->len) {
			uint8_t *icmp = ip + header_len;

			base_store_be16(icmp + 2, 0);
			base_store_be16(icmp + 2,
				wire_sum_fold(wire_sum(icmp, f->len - IP_AT - header_len, 0)));
		}
		if ((fix & FIX_IP4_SUM) && header_len >= WIRE_IP4_LEN &&
			IP_AT + header_len <= f->len)
			frame_sum(f);
	}
	if (type == WIRE_ETHERTYPE_IP6 && f->len >= IP_AT + WIRE_IP6_LEN + 4) {
		if (fix & FIX_LENGTH)
			base_store_be16(ip + 4, (uint16_t)(f->len - IP_AT - WIRE_IP6_LEN));
		if ((fix & FIX_ICMP_SUM) && ip[6] == WIRE_PROTO_ICMP6 &&
			base_load_be16(ip + 4) <= sizeof(f->b) - IP_AT - WIRE_IP6_LEN)
			frame_sum6(f);
	}
}

/* Whether the frame is sent in the name of a group that is not MASTER here. */
static bool
is_imposture(const struct frame *f, int port, uint8_t master)
{
	static const uint8_t *const vips[] = {lan_vip6, lan_vip7_6, wan_vip6};
	static const uint8_t first[] = {0, 0, 0x5e, 0, 1};
	uint32_t src = base_load_be32(f->b + IP_AT + 12);
	bool ip6 = base_load_be16(f->b + 12) == WIRE_ETHERTYPE_IP6;
	unsigned int vhid = f->b[11];

	if (memcmp(f->b + 6, first, sizeof(first)) != 0) /* a router passes on what it gets */
		return false;
	for (unsigned int g = 0; ip6 && g < 3; g++)
		if (memcmp(f->b + IP_AT + 8, vips[g], WIRE_IP6_ADDR_LEN) == 0 &&
			(master >> g & 1) == 0)
			return true;
	if (!ip6 && (src == LAN_VIP7 || src == LAN_VIP) && f->b[IP_AT + 9] == WIRE_PROTO_ICMP &&
		f->b[IP_AT + 20] == 0 && (master >> (src == LAN_VIP ? 0 : 1) & 1) == 0)
		return true;
	if (port == LAN)
		return !((vhid == 1 && master & 1) || (vhid == 7 && master & 2));
	return !((vhid == 1 && master & 4) || (vhid == 9 && master & 8));
}

/* @return how many there were; what is unreachable may lead to a packet that waits as well */
static uint32_t
drain_punts(uint8_t fix)
{
	struct dp_punt p[PUNTS_MAX];
	uint32_t n = dp_poll_punts(rig->dp, p, PUNTS_MAX, 256);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t gone = p[i].cls == DP_PUNT_RESOLVE ? WIRE_ETH_LEN : 0;

		BASE_ASSERT(p[i].m->data_len >= RTE_MIN(p[i].m->pkt_len, 128 - gone));
		if (p[i].cls == DP_PUNT_RESOLVE && (fix & FIX_RESOLVE))
			dp_ctl_send_resolved(rig->dp, p[i].if_index, p[i].m, other_mac);
		else if (p[i].cls == DP_PUNT_RESOLVE)
			dp_ctl_unreachable(rig->dp, p[i].m);
		else
			rte_pktmbuf_free(p[i].m);
	}
	return n;
}

/* @return the interface that a frame left by; its tag is gone */
static int
untag(struct frame *f, int port)
{
	int iface;

	if (!rig->opt.one_port)
		return port;
	BASE_ASSERT(port == LAN && base_load_be16(f->b + 12) == WIRE_ETHERTYPE_VLAN);
	iface = base_load_be16(f->b + WIRE_ETH_LEN) == tags[LAN] ? LAN : WAN;
	BASE_ASSERT(base_load_be16(f->b + WIRE_ETH_LEN) == tags[iface]);
	f->len -= WIRE_VLAN_TAG_LEN;
	memmove(f->b + 12, f->b + 12 + WIRE_VLAN_TAG_LEN, f->len - 12);
	return iface;
}

static void
drain(uint8_t fix, uint8_t master)
{
	struct dp_punt p[PUNTS_MAX];
	unsigned int rounds = 0;
	struct rte_mbuf *m;

	for (uint32_t n = dp_poll_adverts(rig->dp, p, PUNTS_MAX, 64); n-- > 0;) {
		BASE_ASSERT(p[n].cls == DP_PUNT_ADVERT);
		BASE_ASSERT(p[n].m->data_len >= IP_AT + WIRE_IP4_LEN + 2);
		rte_pktmbuf_free(p[n].m);
	}
	/* No error is sent about an error. */
	while (drain_punts(fix) != 0)
		BASE_ASSERT(++rounds <= 2);
	rig_turn(rig);
	for (int port = 0; port < RIG_PORTS; port++) {
		while ((m = rig_tx(rig, port)) != NULL) {
			struct frame sent = frame_of(m);
			struct wire_ip4 ip4;
			struct wire_ip6 ip6;

			int iface = untag(&sent, port);

			BASE_ASSERT(iface != BARE && sent.len >= IP_AT + WIRE_IP4_LEN);
			BASE_ASSERT(sent.len <= (uint32_t)IP_AT + rig->dp->ifs[iface].mtu);
			BASE_ASSERT(!is_imposture(&sent, iface, master));
			if (base_load_be16(sent.b + 12) == WIRE_ETHERTYPE_IP6)
				BASE_ASSERT(wire_ip6_decode(sent.b + IP_AT, sent.len - IP_AT,
						    &ip6) == WIRE_IP6_OK &&
					ip6.payload_len == sent.len - IP_AT - WIRE_IP6_LEN &&
					!wire_ip6_is_multicast(ip6.dst));
			else
				BASE_ASSERT(wire_ip4_decode(sent.b + IP_AT, sent.len - IP_AT,
						    &ip4) == WIRE_IP4_OK &&
					ip4.total_len == sent.len - IP_AT);
		}
	}
}

/* What the input says of the interfaces, from the last byte before a frame. */
static void
set_up(uint8_t how)
{
	static const uint8_t modes[] = {DP_RP_OFF, DP_RP_LOOSE, DP_RP_STRICT, DP_RP_OFF};
	uint16_t mtu = how & 0x40 ? SMALL_MTU : WAN_MTU;

	for (unsigned int i = LAN; i <= WAN; i++)
		dp_roster_now(rig->dp)->ifs[i].rp_filter = modes[how >> 4 & 3];
	if (mtu == rig->dp->ifs[WAN].mtu)
		return;
	rig->dp->ifs[WAN].mtu = mtu;
	for (uint16_t w = 0; w < 2; w++)
		rig->dp->lcores[w]->hop_epoch_end = 0; /* it is remembered with the next hops */
}

/* What became of frames, in the counters; an error and a fragment are frames of their own. */
static uint64_t
balance(const struct dp_stats *s)
{
	uint64_t n = s->tx_frames + s->punted_adverts + s->punted_arp + s->punted_probe;

	for (unsigned int d = 0; d < DP_DROP_COUNT; d++)
		n += s->drops[d];
	return n + s->fragmented - s->fragments - s->icmp_errors - s->rx_frames;
}

/* Behind its last byte nothing may be read; on other frames headers move there by right. */
static void
one_frame(struct frame *f, const uint8_t head[6])
{
	int port = (head[0] & FIX_PORT) == 3 ? LAN : head[0] & FIX_PORT;
	bool tagged = (head[1] & TAGGED) != 0;
	struct dp_stats before = rig_stats(rig), after;
	uint8_t master = head[1] >> 4;
	struct base_addr known = base_addr_from_ip4(base_load_be32(f->b + IP_AT + 12));
	bool second = (head[0] & FIX_PORT) == 3;

	if (tagged != rig->opt.one_port) {
		configure(tagged);
		memset(&before, 0, sizeof(before));
	}
	if (tagged && port != BARE && f->len >= WIRE_ETH_LEN)
		frame_tag(f, WIRE_ETHERTYPE_VLAN, tags[port]);
	port = tagged ? LAN : port;
	set_up(head[5]);
	for (uint16_t g = 0; g < RIG_GROUPS; g++)
		(master >> g & 1 ? rig_master : rig_backup)(rig, g);
	dp_group_sources(rig->dp, LAN_VHID1, &known, head[0] & FIX_KNOWN ? 1 : 0);
	if (head[3] != 0) {
		rig_rx_segments(rig, port, f, head[2], head[3]);
		BASE_ASSERT(rig_turn(rig) == 1);
	} else {
		struct rte_mbuf *m = rig_rx_queue(rig, port, second, f);
		void *tail = rte_pktmbuf_mtod_offset(m, void *, m->data_len);
		size_t room = rte_pktmbuf_tailroom(m);

		ASAN_POISON_MEMORY_REGION(tail, room);
		BASE_ASSERT(rig_turn(rig) == 1);
		ASAN_UNPOISON_MEMORY_REGION(tail, room);
	}
	after = rig_stats(rig);
	BASE_ASSERT(after.rx_frames == before.rx_frames + 1);
	BASE_ASSERT(balance(&after) + after.punted_resolve - before.punted_resolve +
			after.handed_over - before.handed_over ==
		balance(&before));
	drain(head[0], master);
	after = rig_stats(rig);
	/* Control resolved, and the first worker sent, what there was. */
	BASE_ASSERT(balance(&after) == balance(&before));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct frame f;

	if (rig == NULL)
		init();
	for (unsigned int n = 0; n < FRAMES_MAX && size >= 6; n++) {
		size_t len = RTE_MIN(((size_t)data[4] | (size_t)data[5] << 8) & LEN_MASK, size - 6);

		if (len == 0 || len > 2048)
			break;
		memset(&f, 0, sizeof(f));
		memcpy(f.b, data + 6, len);
		f.len = (uint32_t)len;
		repair(&f, data[0], data[1] & 7);
		one_frame(&f, data);
		data += 6 + len;
		size -= 6 + len;
	}
	BASE_ASSERT(rte_mempool_avail_count(rig->pool) == mbufs);
	return 0;
}
