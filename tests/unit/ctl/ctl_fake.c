/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "ctl_fake.h"
#include "wire6.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <rte_eal.h>
#include <rte_mbuf.h>

struct fake fake;
struct port_set *rig_ports;
static struct rte_mempool *pool;

#define POOL_SIZE 1023

int
fake_eal_setup(void **state)
{
	char *argv[] = {(char[]){"test"}, (char[]){"--no-huge"}, (char[]){"--no-pci"},
		(char[]){"-m"}, (char[]){"64"}, (char[]){"--no-shconf"}, (char[]){"--no-telemetry"},
		(char[]){"--lcores=0"}, (char[]){"--log-level=error"}, NULL};

	(void)state;
	if (rte_eal_init(9, argv) < 0)
		return -1;
	pool = rte_pktmbuf_pool_create("ctl_test", POOL_SIZE, 0, 64, 2048, 0);
	return pool != NULL ? 0 : -1;
}

int
fake_eal_teardown(void **state)
{
	(void)state;
	rte_mempool_free(pool);
	return rte_eal_cleanup();
}

void
fake_assert_no_leak(void)
{
	assert_int_equal(rte_mempool_avail_count(pool), POOL_SIZE);
}

const uint8_t rig_vmac[BASE_MAC_LEN] = {0, 0, 0x5e, 0, 1, 1};
const uint8_t rig_if_mac[BASE_MAC_LEN] = {2, 0, 0, 0, 0, 1};
const uint8_t rig_asker_mac[BASE_MAC_LEN] = {2, 0, 0, 0, 0, 0x64};
const char rig_pair[] =
	"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\",\"addresses\":[\"192.0.2.2/24\"]},"
	"{\"name\":\"em1\",\"device\":\"d1\",\"addresses\":[\"198.51.100.2/24\"]}],"
	"\"carp\":{\"preempt\":true,\"log\":2,\"groups\":["
	"{\"name\":\"carp0\",\"carpdev\":\"em0\",\"vhid\":1,\"pass\":\"lanpasswd\",\"addresses\":[\"192.0.2.1/24\"]},"
	"{\"name\":\"carp1\",\"carpdev\":\"em1\",\"vhid\":2,\"pass\":\"wanpasswd\",\"addresses\":[\"198.51.100.1/24\"]}]}}";

const char rig_tagged[] =
	"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0.10\",\"device\":\"d0\",\"vlan\":10,"
	"\"addresses\":[\"192.0.2.2/24\"]},{\"name\":\"em0.20\",\"device\":\"d0\",\"vlan\":20,"
	"\"addresses\":[\"198.51.100.2/24\"]}],\"carp\":{\"groups\":["
	"{\"name\":\"carp0\",\"vhid\":1,\"pass\":\"lanpasswd\",\"addresses\":[\"192.0.2.1/24\"]},"
	"{\"name\":\"carp1\",\"vhid\":1,\"pass\":\"wanpasswd\",\"addresses\":[\"198.51.100.1/24\"]}]}}";

const char rig_dual[] =
	"{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\",\"addresses\":[\"192.0.2.2/24\","
	"\"2001:db8:1::2/64\"]}],\"carp\":{\"groups\":[{\"name\":\"carp0\",\"carpdev\":\"em0\",\"vhid\":1,"
	"\"pass\":\"lanpasswd\",\"addresses\":[\"192.0.2.1/24\",\"2001:db8:1::1/64\"]}]}}";
const uint8_t rig_vip6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
const uint8_t rig_own6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
const uint8_t rig_host6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x64};
const char rig_bare[] = "{\"node\":\"fw\",\"interfaces\":[{\"name\":\"em0\",\"device\":\"d0\"}],"
			"\"carp\":{\"groups\":[{\"name\":\"carp0\",\"carpdev\":\"em0\",\"vhid\":1,"
			"\"pass\":\"lanpasswd\",\"addresses\":[\"192.0.2.1/24\"]}]}}";

/* dp */

base_ns_t
dp_clock(void)
{
	fake.now += fake.step;
	return fake.now;
}

void
dp_own(struct dp *dp, uint16_t group, bool owned)
{
	(void)dp;
	fake.owned[group] = owned;
}

void
dp_answer(struct dp *dp, uint16_t group, bool answering)
{
	(void)dp;
	fake.answering[group] = answering;
}

void
dp_link(struct dp *dp, uint16_t port_id, bool up)
{
	(void)dp;
	fake.link_up[port_id] = up;
}

void
dp_if_set(struct dp *dp, uint16_t if_index, bool up)
{
	(void)dp;
	fake.if_down[if_index] = !up;
	fake.frames_at_down = fake.n_frames;
}

void
dp_attach(struct dp *dp, uint16_t port_id, bool attached)
{
	(void)dp;
	fake.attached[port_id] = attached;
}

bool
dp_detached(struct dp *dp, uint16_t port_id)
{
	(void)dp;
	return !fake.attached[port_id] && fake.detached;
}

static uint32_t
take(struct dp_punt *from, uint32_t *n, struct dp_punt *out, uint32_t cap)
{
	uint32_t taken = *n < cap ? *n : cap;

	memcpy(out, from, taken * sizeof(*out));
	memmove(from, from + taken, (*n - taken) * sizeof(*from));
	*n -= taken;
	return taken;
}

uint32_t
dp_poll_adverts(struct dp *dp, struct dp_punt *out, uint32_t cap, uint32_t per_group)
{
	(void)dp;
	(void)per_group;
	fake.drained = true;
	/* What is not a forgery comes last of what waited at the mark. */
	if (fake.flood == 0 || (fake.n_adverts != 0 && fake.owed <= cap)) {
		fake.owed = 0;
		return take(fake.advert, &fake.n_adverts, out, cap);
	}
	for (uint32_t i = 0; i < cap; i++)
		out[i] = (struct dp_punt){.m = rig_mbuf("forged", 6), .cls = DP_PUNT_ADVERT};
	fake.owed -= fake.owed < cap ? fake.owed : cap;
	return cap;
}

void
dp_adverts_mark(struct dp *dp)
{
	(void)dp;
	fake.n_marks++;
	fake.owed = fake.flood;
}

bool
dp_adverts_passed(const struct dp *dp)
{
	(void)dp;
	return fake.owed == 0;
}

uint32_t
dp_poll_punts(struct dp *dp, struct dp_punt *out, uint32_t cap, uint32_t per_ring)
{
	(void)dp;
	(void)per_ring;
	return take(fake.punt, &fake.n_punts, out, cap);
}

void
dp_probe_expect(struct dp *dp, uint16_t n, const struct base_addr *dst, uint16_t id)
{
	(void)dp;
	fake.probe[n].dst = dst != NULL ? *dst : (struct base_addr){0};
	fake.probe[n].id = id;
}

void
dp_probe_way(struct dp *dp, const struct base_addr *dst, struct dp_way *out)
{
	void (*call)(void) = fake.on_way;

	(void)dp;
	fake.on_way = NULL;
	if (call != NULL)
		call();
	*out = fake.way;
	if (out->type == FIB_NH_CONNECTED)
		out->next_hop = *dst;
}

struct rte_mbuf *
dp_ctl_alloc(struct dp *dp)
{
	(void)dp;
	return rte_pktmbuf_alloc(pool);
}

int
dp_ctl_send(struct dp *dp, uint16_t if_index, struct rte_mbuf *m, uint16_t group)
{
	(void)dp;
	if (fake.send_error == 0) {
		struct fake_frame *f = &fake.frame[fake.n_frames++ % FAKE_FRAMES];

		f->at = fake.now;
		f->if_index = if_index;
		f->group = group;
		f->len = rte_pktmbuf_data_len(m);
		assert_true(f->len <= sizeof(f->bytes));
		memcpy(f->bytes, rte_pktmbuf_mtod(m, void *), f->len);
	}
	rte_pktmbuf_free(m);
	return fake.send_error;
}

uint32_t
dp_advert_send_failures(const struct dp *dp, uint16_t group)
{
	(void)dp;
	(void)group;
	return fake.send_failures;
}

void
dp_ctl_send_resolved(
	struct dp *dp, uint16_t if_index, struct rte_mbuf *m, const uint8_t mac[BASE_MAC_LEN])
{
	(void)dp;
	(void)if_index;
	(void)mac;
	rte_pktmbuf_free(m);
}

void
dp_ctl_unreachable(struct dp *dp, struct rte_mbuf *m)
{
	(void)dp;
	rte_pktmbuf_free(m);
}

uint32_t
dp_ctl_gateways(struct dp *dp, uint32_t *cursor, struct fib_gateway *out, uint32_t cap)
{
	uint32_t n = 0;

	(void)dp;
	while (n < cap && *cursor < fake.n_gateways)
		out[n++] = fake.gateway[(*cursor)++];
	if (*cursor >= fake.n_gateways)
		*cursor = 0;
	return n;
}

void
dp_ctl_hold_dropped(struct dp *dp, struct rte_mbuf *m)
{
	(void)dp;
	rte_pktmbuf_free(m);
}

base_ns_t
dp_rx_horizon(const struct dp *dp, uint16_t if_index)
{
	(void)dp;
	(void)if_index;
	if (fake.drained)
		fake.horizon_reads_after_drain++;
	return fake.horizon == BASE_NS_NEVER ? fake.now : fake.horizon;
}

uint32_t
dp_longest_turn_asked(const struct dp *dp)
{
	(void)dp;
	return fake.forgets;
}

base_ns_t
dp_rx_alive(const struct dp *dp, uint16_t if_index)
{
	(void)dp;
	(void)if_index;
	return fake.horizon == BASE_NS_NEVER ? fake.now : fake.horizon;
}

base_ns_t
dp_last_frame(const struct dp *dp, uint16_t if_index)
{
	(void)dp;
	(void)if_index;
	return fake.last_frame;
}

void
dp_group_sources(struct dp *dp, uint16_t group, const struct base_addr *known, uint16_t n)
{
	(void)dp;
	(void)group;
	(void)known;
	fake.n_known = n;
}

struct dp_roster *
dp_roster_publish(struct dp *dp, struct dp_roster *r)
{
	(void)dp;
	fake.n_rosters++;
	return r;
}

void
dp_roster_free(struct dp *dp, struct dp_roster *r)
{
	(void)dp;
	(void)r;
}

/* rig */

struct conf *
rig_parse(const char *json)
{
	struct conf_issues issues;
	struct conf *c = conf_parse(json, strlen(json), "test", 0, &issues);

	if (c == NULL)
		conf_issues_print(&issues, stderr);
	conf_issues_free(&issues);
	assert_non_null(c);
	return c;
}

struct rig
rig_make(const char *json)
{
	uint16_t ports[2];
	static const uint8_t macs[2][BASE_MAC_LEN] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
	struct rig r = {.conf = rig_parse(json)};

	for (uint16_t i = 0; i < r.conf->n_ifs; i++)
		ports[i] = r.conf->ifs[i].device_index;
	fake = (struct fake){
		.now = 1000 * BASE_NS_PER_S, .horizon = BASE_NS_NEVER, .attached = {true, true}};
	struct ctl_config config = {
		.conf = r.conf,
		.ports = rig_ports,
		.if_port = ports,
		.if_mac = macs,
		.seed = 1,
	};

	r.ctl = ctl_create(&config);
	assert_non_null(r.ctl);
	rig_turn(&r);
	fake.n_frames = 0;
	return r;
}

void
rig_free(struct rig *r)
{
	for (uint32_t i = 0; i < fake.n_adverts; i++)
		rte_pktmbuf_free(fake.advert[i].m);
	for (uint32_t i = 0; i < fake.n_punts; i++)
		rte_pktmbuf_free(fake.punt[i].m);
	ctl_destroy(r->ctl);
	conf_free(r->conf);
	fake_assert_no_leak();
}

void
rig_turn(struct rig *r)
{
	fake.drained = false;
	ctl_turn(r->ctl, fake.now);
}

void
rig_run(struct rig *r, base_ns_t until)
{
	while (fake.now < until) {
		fake.now = fake.now + BASE_NS_PER_MS / 2 < until ? fake.now + BASE_NS_PER_MS / 2
								 : until;
		rig_turn(r);
	}
}

struct rte_mbuf *
rig_mbuf(const void *frame, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	assert_non_null(m);
	char *p = rte_pktmbuf_append(m, len);

	if (p == NULL)
		fail_msg("no room for a frame");
	else
		memcpy(p, frame, len);
	return m;
}

void
rig_advert(struct rig *r, const char *pass, uint8_t vhid, uint32_t vip, uint32_t src,
	uint8_t advbase, uint8_t advskew, uint8_t demotion)
{
	static uint64_t counter = 1;
	uint8_t key[AUTH_KEY_LEN], frame[WIRE_CARP4_FRAME_LEN];
	struct base_addr a = base_addr_from_ip4(vip);
	struct wire_carp carp = {
		.version = 2,
		.type = 1,
		.vhid = vhid,
		.advskew = advskew,
		.authlen = 7,
		.demotion = demotion,
		.advbase = advbase,
		.counter = counter++,
	};
	struct wire_carp4_envelope env = {.ip_src = src, .ip_dst = WIRE_CARP_GROUP_IP4};

	(void)r;
	assert_int_equal(auth_key_from_pass(pass, key), 0);
	struct auth_group *g = auth_group_create(key, vhid, &a, 1);

	assert_int_equal(auth_group_sign(g, carp.counter, carp.digest), 0);
	auth_group_destroy(g);
	wire_carp4_frame_encode(&env, &carp, frame);
	fake.advert[fake.n_adverts++] = (struct dp_punt){
		.m = rig_mbuf(frame, sizeof(frame)), .cls = DP_PUNT_ADVERT, .group = DP_NONE};
}

void
rig_punt(enum dp_punt_class cls, uint16_t group, const void *frame, uint16_t len)
{
	fake.punt[fake.n_punts++] =
		(struct dp_punt){.m = rig_mbuf(frame, len), .cls = cls, .group = group};
}

void
rig_arp(struct rig *r, enum dp_punt_class cls, uint16_t group, const uint8_t *eth_dst,
	const struct wire_arp *arp)
{
	uint8_t frame[WIRE_ARP_FRAME_LEN];

	(void)r;
	wire_arp_frame_encode(eth_dst, arp->sender_mac, arp, frame);
	fake.punt[fake.n_punts++] =
		(struct dp_punt){.m = rig_mbuf(frame, sizeof(frame)), .cls = cls, .group = group};
}

struct ctl_group_view
rig_group(struct rig *r, uint16_t group)
{
	struct ctl_group_view v;

	assert_int_equal(ctl_group_view(r->ctl, group, &v), 0);
	return v;
}

enum election_state
rig_state(struct rig *r, uint16_t group)
{
	return rig_group(r, group).info.state;
}

void
rig_to_master(struct rig *r)
{
	rig_run(r, RIG_START + RIG_DOWN);
	assert_int_equal(rig_state(r, 0), ELECTION_MASTER);
}

void
rig_ask(struct rig *r, uint32_t sender, const uint8_t *mac)
{
	struct wire_arp arp = {.op = WIRE_ARP_REQUEST, .sender_ip = sender, .target_ip = RIG_VIP};

	memcpy(arp.sender_mac, mac, 6);
	fake.n_frames = 0;
	fake.n_told = 0;
	rig_arp(r, DP_PUNT_GROUP_ARP, 0, wire_broadcast_mac, &arp);
	rig_turn(r);
}

void
rig_solicit(enum dp_punt_class cls, const uint8_t target[16])
{
	uint8_t frame[WIRE_ND_FRAME_LEN];

	wire_ns_frame_encode(rig_asker_mac, rig_host6, target, NULL, frame);
	fake.n_frames = 0;
	rig_punt(cls, cls == DP_PUNT_GROUP_ARP ? 0 : DP_NONE, frame, sizeof(frame));
}
