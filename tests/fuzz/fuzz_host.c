/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The host path on any frames, on the rig of the unit tests (dp_rig.h): frames of the kernel and of
 * the network on interfaces with taps. Nothing leaks; what leaves for the kernel has a source that
 * is an own address or a VIP of a MASTER, fits the MTU and is neither CARP nor neighbour discovery;
 * what the kernel gets is to an address that it has, or to a group of the link.
 *
 * The input is a list of frames. Each has four bytes before it: where and repairs, source of the
 * kernel's frames and groups that are MASTER, length with the low byte first.
 */
#include "fuzz.h"

#include "base_assert.h"
#include "base_bytes.h"
#include "dp_priv.h"
#include "dp_rig.h"

#define FRAMES_MAX 16
#define IP_AT	   WIRE_ETH_LEN
#define LEN_MASK   0x0fff
#define PUNTS_MAX  256
#define DUMMY	   IP(192, 0, 0, 8) /* whose name errors to the kernel are in */

enum {
	IN_WAN = 1 << 0,
	IN_NETWORK = 1 << 1, /* else the kernel sends it */
	FIX_SUM = 1 << 2,    /* of the IPv4 header */
	FIX_LENGTH = 1 << 3, /* of the IP packet: the frame's */
	FIX_MAC = 1 << 4,    /* of a frame from the network: the interface's */
	FIX_BROADCAST = 1 << 5,
};

static struct rig *rig;
static unsigned int mbufs; /* free in the pool while nothing is under way */

static void
init(void)
{
	void *state = NULL;

	BASE_ASSERT(rig_group_setup(&state) == 0 && rig_setup(&state) == 0);
	rig = state;
	rig_configure(rig, &(struct rig_options){.icmp_per_s = 1000000, .host = true});
	mbufs = rte_mempool_avail_count(rig->pool);
}

static bool
is_ip4(const struct frame *f)
{
	return base_load_be16(f->b + 12) == WIRE_ETHERTYPE_IP4;
}

static void
repair(struct frame *f, uint8_t where, uint8_t source)
{
	static const uint32_t sources[] = {0, LAN_OWN, LAN_VIP, WAN_OWN, WAN_VIP, LAN_VIP7, 0, 0};
	static const uint8_t *const sources6[] = {
		NULL, lan_own6, lan_vip6, wan_own6, wan_vip6, lan_vip7_6, own_ll6, vip_ll6};
	uint8_t *ip = f->b + IP_AT;

	if (f->len < IP_AT + WIRE_IP4_LEN)
		return;
	if (where & FIX_MAC)
		memcpy(f->b, where & IN_WAN ? wan_mac : lan_mac, WIRE_MAC_LEN);
	if (where & FIX_BROADCAST)
		memcpy(f->b, wire_broadcast_mac, WIRE_MAC_LEN);
	if (is_ip4(f)) {
		if ((where & IN_NETWORK) == 0 && source != 0)
			base_store_be32(ip + 12, sources[source]);
		if (where & FIX_LENGTH)
			base_store_be16(ip + 2, (uint16_t)(f->len - IP_AT));
		if ((where & FIX_SUM) && (ip[0] & 15) >= 5 &&
			IP_AT + (uint32_t)(ip[0] & 15) * 4 <= f->len)
			frame_sum(f);
	} else if (f->len >= IP_AT + WIRE_IP6_LEN) {
		if ((where & IN_NETWORK) == 0 && source != 0)
			memcpy(ip + 8, sources6[source], WIRE_IP6_ADDR_LEN);
		if (where & FIX_LENGTH)
			base_store_be16(ip + 4, (uint16_t)(f->len - IP_AT - WIRE_IP6_LEN));
	}
}

/* An address that the kernel has while these groups are MASTER. */
static bool
is_kernels(const struct frame *f, uint32_t at4, uint32_t at6, uint8_t master, int port)
{
	const uint8_t *ip6 = f->b + IP_AT + at6;
	uint32_t ip = base_load_be32(f->b + IP_AT + at4);
	const struct {
		const uint8_t *ip;
		unsigned int groups;
	} have6[] = {{lan_own6, 0}, {wan_own6, 0}, {own_ll6, 0}, {lan_vip6, 1}, {lan_vip7_6, 2},
		{wan_vip6, 4}, {vip_ll6, port == LAN ? 1 : 4}};
	const struct {
		uint32_t ip;
		unsigned int groups;
	} have4[] = {{LAN_OWN, 0}, {WAN_OWN, 0}, {LAN_VIP, 1}, {LAN_VIP7, 2}, {WAN_VIP, 4}};

	for (unsigned int i = 0; is_ip4(f) && i < RTE_DIM(have4); i++)
		if (have4[i].ip == ip)
			return have4[i].groups == 0 || (master & have4[i].groups) != 0;
	for (unsigned int i = 0; !is_ip4(f) && i < RTE_DIM(have6); i++)
		if (memcmp(have6[i].ip, ip6, WIRE_IP6_ADDR_LEN) == 0)
			return have6[i].groups == 0 || (master & have6[i].groups) != 0;
	return false;
}

static void
check_sent(const struct frame *f, int port, uint8_t master, bool kernels)
{
	static const uint8_t first[] = {0, 0, 0x5e, 0, 1};
	const uint8_t *ip = f->b + IP_AT;
	unsigned int vhid = f->b[11];

	BASE_ASSERT(f->len <= (uint32_t)IP_AT + rig->dp->ifs[port].mtu);
	if (memcmp(f->b + 6, first, sizeof(first)) == 0)
		BASE_ASSERT(port == LAN ? (vhid == 1 && master & 1) || (vhid == 7 && master & 2)
					: (vhid == 1 && master & 4) || (vhid == 9 && master & 8));
	if (!kernels)
		return;
	if (is_ip4(f)) {
		BASE_ASSERT(ip[9] != WIRE_PROTO_CARP);
		BASE_ASSERT(is_kernels(f, 12, 8, master, port) ||
			(base_load_be32(ip + 12) == 0 && base_load_be32(ip + 16) == UINT32_MAX));
	} else {
		BASE_ASSERT(ip[6] != WIRE_PROTO_CARP);
		BASE_ASSERT(is_kernels(f, 12, 8, master, port));
		BASE_ASSERT(ip[6] != WIRE_PROTO_ICMP6 || f->len <= IP_AT + WIRE_IP6_LEN ||
			ip[WIRE_IP6_LEN] < 133 || ip[WIRE_IP6_LEN] > 137);
	}
}

static void
check_given(const struct frame *f, int port, uint8_t master, bool kernels)
{
	const uint8_t *ip = f->b + IP_AT;

	BASE_ASSERT(f->len >= IP_AT + WIRE_IP4_LEN);
	if (kernels) /* an error about what it sent */
		BASE_ASSERT(!is_ip4(f) || base_load_be32(ip + 12) == DUMMY);
	if (!is_ip4(f) && ip[24] == 0xff) { /* such a group may have any MAC (RFC 6085) */
		BASE_ASSERT(!kernels && (ip[25] & 15) == 2);
		return;
	}
	if (f->b[0] & 1) {
		BASE_ASSERT(!kernels && is_ip4(f));
		return;
	}
	BASE_ASSERT(memcmp(f->b, port == LAN ? lan_mac : wan_mac, WIRE_MAC_LEN) == 0);
	BASE_ASSERT(is_kernels(f, 16, 24, master, port));
}

static void
drain(uint8_t master, bool kernels)
{
	struct dp_punt p[PUNTS_MAX];
	struct rte_mbuf *m;
	struct frame f;
	uint32_t n;

	for (n = dp_poll_adverts(rig->dp, p, PUNTS_MAX, 64); n-- > 0;)
		rte_pktmbuf_free(p[n].m);
	for (n = dp_poll_punts(rig->dp, p, PUNTS_MAX, 256); n-- > 0;) {
		if (p[n].cls == DP_PUNT_RESOLVE)
			dp_ctl_send_resolved(rig->dp, p[n].if_index, p[n].m, other_mac);
		else
			rte_pktmbuf_free(p[n].m);
	}
	rig_turn(rig);
	for (int port = LAN; port <= WAN; port++) {
		while ((m = rig_tx(rig, port)) != NULL) {
			f = frame_of(m);
			check_sent(&f, port, master, kernels);
		}
		while (dp_host_poll(rig->dp, (uint16_t)port, 0, &m, 1) == 1) {
			f = frame_of(m);
			check_given(&f, port, master, kernels);
			dp_host_done(rig->dp, 0, &m, 1);
		}
	}
	rig_turn(rig);
}

static void
one_frame(const struct frame *f, uint8_t where, uint8_t master)
{
	uint16_t port = where & IN_WAN ? WAN : LAN;
	bool kernels = (where & IN_NETWORK) == 0;

	for (uint16_t g = 0; g < RIG_GROUPS; g++)
		(master >> g & 1 ? rig_master : rig_backup)(rig, g);
	if (kernels) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(rig->pool);

		memcpy(rte_pktmbuf_append(m, (uint16_t)f->len), f->b, f->len);
		BASE_ASSERT(dp_host_send(rig->dp, port, m));
	} else {
		rig_rx(rig, port, f);
	}
	rig_turn(rig);
	drain(master, kernels);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct frame f;

	if (rig == NULL)
		init();
	for (unsigned int n = 0; n < FRAMES_MAX && size >= 4; n++) {
		size_t len = RTE_MIN(((size_t)data[2] | (size_t)data[3] << 8) & LEN_MASK, size - 4);

		if (len == 0 || len > 2000)
			break;
		memset(&f, 0, sizeof(f));
		memcpy(f.b, data + 4, len);
		f.len = (uint32_t)len;
		repair(&f, data[0], data[1] & 7);
		one_frame(&f, data[0], data[1] >> 4);
		data += 4 + len;
		size -= 4 + len;
	}
	rte_pktmbuf_free(rig->kept);
	rig->kept = NULL;
	BASE_ASSERT(rte_mempool_avail_count(rig->pool) == mbufs);
	return 0;
}
