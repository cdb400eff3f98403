/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_fake.h"

#include "mgmt_marks_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fake_box fake;

static const char config_text[] =
	"{ \"node\": \"fw1\", \"eal\": [\"--no-pci\"],"
	"  \"interfaces\": ["
	"    { \"name\": \"lan\", \"device\": \"net_null0\", \"addresses\": [\"192.0.2.2/24\"] },"
	"    { \"name\": \"wan\", \"device\": \"net_null1\", "
	"\"addresses\": [\"198.51.100.2/24\"] } ],"
	"  \"carp\": { \"preempt\": true, \"groups\": ["
	"    { \"name\": \"carp0\", \"carpdev\": \"lan\", \"vhid\": 1, \"pass\": \"lanpasswd\","
	"      \"addresses\": [\"192.0.2.1/24\"] },"
	"    { \"name\": \"carp1\", \"vhid\": 2, \"pass\": \"wanpasswd\", \"advskew\": 100,"
	"      \"addresses\": [\"198.51.100.1/24\"] } ] },"
	"  \"routes\": [ { \"prefix\": \"0.0.0.0/0\", \"via\": \"198.51.100.254\" } ] }";

/* carp0 with addresses of both families, carp1 with IPv6 only */
static const char dual_text[] =
	"{ \"node\": \"fw1\", \"eal\": [\"--no-pci\"],"
	"  \"interfaces\": ["
	"    { \"name\": \"lan\", \"device\": \"net_null0\", \"neighbors\": ["
	"      {\"address\": \"192.0.2.9\", \"mac\": \"02:00:00:00:00:09\"}], \"ra\": {"
	"      \"max-interval-s\": 60, \"dns\": [\"2001:db8::53\"],"
	"      \"domains\": [\"a.example\", \"b.example\"] },"
	"      \"addresses\": [\"192.0.2.2/24\", \"2001:db8:1::2/64\"] },"
	"    { \"name\": \"wan\", \"device\": \"net_null1\", "
	"\"addresses\": [\"2001:db8:2::2/64\"] } ],"
	"  \"carp\": { \"preempt\": true, \"groups\": ["
	"    { \"name\": \"carp0\", \"carpdev\": \"lan\", \"vhid\": 1, \"pass\": \"lanpasswd\","
	"      \"addresses\": [\"192.0.2.1/24\", \"2001:db8:1::1/64\"] },"
	"    { \"name\": \"carp1\", \"vhid\": 2, \"pass\": \"wanpasswd\", \"advskew\": 100,"
	"      \"addresses\": [\"2001:db8:2::1/64\"] } ] } }";

static const uint16_t if_port[] = {0, 1};
static const struct mgmt_lcore lcores[] = {
	{.role = "main", .lcore_id = 0, .cpu = -1, .numa_node = 0, .note = ""},
	{.role = "control", .lcore_id = 1, .cpu = 1, .numa_node = 0, .note = ""},
	{.role = "worker 0",
		.lcore_id = 2,
		.cpu = 2,
		.numa_node = 0,
		.note = "polls a device of node 1"},
};

#define SUCCESSION_NS (3 * BASE_NS_PER_MS)

static void
setup_groups(void)
{
	fake.groups[0] = (struct ctl_group_view){
		.info =
			{
				.if_id = 0,
				.state = ELECTION_MASTER,
				.cause = ELECTION_CAUSE_TIMEOUT,
				.admin_up = true,
				.owned = true,
				.advbase = 1,
				.advskew = 0,
				.sent = {.advbase = 1, .advskew = 0},
				.state_since = FAKE_NOW - 12300 * BASE_NS_PER_MS,
				.transitions = 1,
				.interval = BASE_NS_PER_S,
				.master_down = 3 * BASE_NS_PER_S,
				.advert_deadline = FAKE_NOW,
				.master_down_deadline = BASE_NS_NEVER,
				.heard_at = FAKE_NOW - 15 * BASE_NS_PER_S,
				.heard = {.advbase = 1, .advskew = 128},
				.heard_from = base_addr_from_ip4(0xc0000203),
				.late_max = 42 * BASE_NS_PER_US,
				.families = ELECTION_IP4,
				.family = {{.heard_at = FAKE_NOW - 15 * BASE_NS_PER_S,
						   .deadline = BASE_NS_NEVER,
						   .heard_from = base_addr_from_ip4(0xc0000203)},
					{.heard_at = BASE_NS_NEVER, .deadline = BASE_NS_NEVER}},
				.duel_at = BASE_NS_NEVER,
				.announce_deadline = BASE_NS_NEVER,
				.auth_failed_at = BASE_NS_NEVER,
				.frame_at = BASE_NS_NEVER,
			},
		.published_at = FAKE_NOW,
		.vip_fingerprint = 0x0123456789abcdef,
		.unheard_if = ELECTION_NONE,
		.takeover_ns = 38 * BASE_NS_PER_US,
	};
	fake.groups[0].stats[CTL_STAT_IPACKETS] = 1;
	fake.groups[0].stats[CTL_STAT_OPACKETS] = 20;
	fake.groups[0].stats[CTL_STAT_BADAUTH] = 2;
	fake.groups[1] = (struct ctl_group_view){
		.unheard_if = ELECTION_NONE,
		.info =
			{
				.if_id = 1,
				.state = ELECTION_BACKUP,
				.cause = ELECTION_CAUSE_RUNNABLE,
				.admin_up = true,
				.advbase = 1,
				.advskew = 100,
				.sent = {.advbase = 1, .advskew = 240, .demotion = 1},
				.state_since = FAKE_NOW - BASE_NS_PER_S,
				.interval = BASE_NS_PER_S + 240 * BASE_NS_PER_SKEW,
				.master_down = 3 * BASE_NS_PER_S + 100 * BASE_NS_PER_SKEW,
				.advert_deadline = BASE_NS_NEVER,
				.master_down_deadline =
					FAKE_NOW + 2500 * BASE_NS_PER_MS + 100 * BASE_NS_PER_SKEW,
				.heard_at = FAKE_NOW - 500 * BASE_NS_PER_MS,
				.heard = {.advbase = 1},
				.heard_from = base_addr_from_ip4(0xc6336403),
				.master = base_addr_from_ip4(0xc6336403),
				.families = ELECTION_IP4,
				.family = {{.heard_at = FAKE_NOW - 500 * BASE_NS_PER_MS,
						   .deadline = FAKE_NOW + 2500 * BASE_NS_PER_MS +
							   100 * BASE_NS_PER_SKEW,
						   .heard_from = base_addr_from_ip4(0xc6336403)},
					{.heard_at = BASE_NS_NEVER, .deadline = BASE_NS_NEVER}},
				.duel_at = BASE_NS_NEVER,
				.announce_deadline = BASE_NS_NEVER,
				.auth_failed_at = BASE_NS_NEVER,
				.frame_at = BASE_NS_NEVER,
			},
		.published_at = FAKE_NOW,
		.vip_fingerprint = 0xfeed,
	};
}

/* The one route of the file. */
static struct fib_route file_route;

static void
setup_with(const char *text)
{
	struct conf_issues issues;

	memset(&fake, 0, sizeof(fake));
	fake.now = FAKE_NOW;
	fake.successor[0] = base_addr_from_ip4(0xc0000203);
	fake.successor[1] = base_addr_from_ip4(0xc6336403);
	snprintf(fake.drained_dir, sizeof(fake.drained_dir), "/tmp/koi-fake-%d", (int)getpid());
	snprintf(fake.drained_path, sizeof(fake.drained_path), "%s/drained", fake.drained_dir);
	fake.conf = conf_parse(text, strlen(text), "koi.json", 0, &issues);
	if (!fake.conf) {
		conf_issues_print(&issues, stderr);
		abort();
	}
	conf_issues_free(&issues);
	setup_groups();
	fake.box = (struct ctl_box_view){
		.allow = true,
		.preempt = true,
		.log = 1,
		.masters = 1,
		.backups = 1,
		.demotion = 1,
		.started_at = FAKE_NOW - 60 * BASE_NS_PER_S,
		.published_at = FAKE_NOW,
	};
	for (uint16_t i = 0; i < 2; i++) {
		fake.ports[i] = (struct port_info){
			.port_id = i,
			.mac = {2, 0, 0, 0, 0, (uint8_t)(i + 1)},
			.mtu = 1500,
			.n_rxq = 1,
			.n_txq = 2,
			.control_txq = true,
			.socket_id = i ? -1 : 0,
			.link_up = i == 0,
			.link_speed_mbps = i ? 0 : 10000,
			.link_changes = i,
			.n_vmacs = 1,
			.vmac_slots = i ? UINT32_MAX : 63,
			.vmac_mode = i ? PORT_VMAC_PROMISCUOUS : PORT_VMAC_FILTER,
		};
		snprintf(fake.ports[i].device, PORT_NAME_MAX, "net_null%u", i);
		snprintf(fake.ports[i].driver, 32, "net_null");
		snprintf(fake.ports[i].multicast_mode, 24, "list");
		snprintf(fake.ports[i].link_source, 24, "poll");
	}
	snprintf(fake.ports[1].driver_file, PORT_FILE_MAX, "/usr/lib/librte_net_null.so");
	snprintf(fake.ports[1].vmac_reason, 96, "no address filter");
	fake.routes = &file_route;
	fake.n_routes = fake.conf->n_routes;
	if (fake.n_routes != 0)
		mgmt_route_make(&fake.conf->routes[0], NULL, &file_route);
	fake.config = (struct mgmt_config){
		.conf = fake.conf,
		.if_port = if_port,
		.lcores = lcores,
		.n_lcores = 3,
		.tsc_hz = 2000000000,
		.marks = mgmt_marks_new(),
		.loader = &fake_loader,
		.drained_path = fake.drained_path,
		.hook_fd = -1,
	};
}

void
fake_setup(void)
{
	setup_with(config_text);
}

void
fake_setup_dual(void)
{
	setup_with(dual_text);
	fake.groups[0].info.families = ELECTION_IP4 | ELECTION_IP6;
	fake.groups[1].info.families = ELECTION_IP6;
}

struct base_addr
fake_ip6(const char *text)
{
	struct base_addr a = {.family = BASE_FAMILY_IP6};

	if (inet_pton(AF_INET6, text, a.bytes) != 1)
		abort();
	return a;
}

void
fake_teardown(void)
{
	(void)unlink(fake.drained_path);
	(void)rmdir(fake.drained_dir);
	conf_free(fake.conf);
	mgmt_marks_free(fake.config.marks);
	if (fake.routes != &file_route)
		free(fake.routes);
	fake.routes = NULL;
	fake.conf = NULL;
}

int
fake_before(void **state)
{
	(void)state;
	fake_setup();
	return 0;
}

int
fake_before_dual(void **state)
{
	(void)state;
	fake_setup_dual();
	return 0;
}

int
fake_after(void **state)
{
	(void)state;
	fake_teardown();
	return 0;
}

const char *
ctl_stat_name(enum ctl_stat s)
{
	static const char *const names[] = {
#define CTL_STAT(sym, name, text) name,
#include "ctl_stats.def"
#undef CTL_STAT
	};

	return names[s];
}

const char *
ctl_stat_text(enum ctl_stat s)
{
	static const char *const texts[] = {
#define CTL_STAT(sym, name, text) text,
#include "ctl_stats.def"
#undef CTL_STAT
	};

	return texts[s];
}

int
ctl_group_view(const struct ctl *c, uint16_t group, struct ctl_group_view *out)
{
	(void)c;
	if (group >= 2)
		return -EINVAL;
	*out = fake.groups[group];
	return 0;
}

void
ctl_box_view(const struct ctl *c, struct ctl_box_view *out)
{
	(void)c;
	*out = fake.box;
}

uint32_t
ctl_demotion_view(const struct ctl *c, struct election_demotion_entry *out, uint32_t cap)
{
	(void)c;
	for (uint32_t i = 0; i < fake.n_demotions && i < cap; i++)
		out[i] = fake.demotions[i];
	return fake.n_demotions;
}

uint32_t
ctl_peers(const struct ctl *c, uint16_t group, struct ctl_peer out[CTL_PEERS_MAX])
{
	(void)c;
	if (fake.drained_at != 0 && fake.successor[group].family != BASE_FAMILY_NONE) {
		if (fake.now < fake.drained_at + SUCCESSION_NS)
			return 0;
		out[0] = (struct ctl_peer){.addr = fake.successor[group],
			.prio = {.advbase = 1},
			.last_heard = fake.drained_at + SUCCESSION_NS};
		return 1;
	}
	if (group != 0)
		return 0;
	memcpy(out, fake.peers, fake.n_peers * sizeof(out[0]));
	return fake.n_peers;
}

/* Bowed out, or taken again by who finds no successor. */
static void
drained(void)
{
	fake.drained_at = fake.now;
	for (uint16_t g = 0; g < 2; g++) {
		struct election_group_info *info = &fake.groups[g].info;

		if (info->state == ELECTION_INIT)
			continue;
		info->state = fake.successor[g].family != BASE_FAMILY_NONE ? ELECTION_BACKUP
									   : ELECTION_MASTER;
		info->state_since = fake.now + 1;
	}
}

void
ctl_reap(struct ctl *c)
{
	(void)c;
}

int
ctl_request(struct ctl *c, const struct ctl_request *req, char *note, size_t note_len)
{
	(void)c;
	fake.request = *req;
	if (fake.request_rc == 0 && req->type == CTL_REQ_DRAIN)
		drained();
	else if (req->type == CTL_REQ_UNDRAIN)
		fake.drained_at = 0;
	if (fake.on_request != NULL)
		fake.on_request();
	/* last: a test waits for it before it goes on with the clock */
	__atomic_fetch_add(&fake.n_requests, 1, __ATOMIC_RELEASE);
	snprintf(note, note_len, "%s", fake.note ? fake.note : "");
	return fake.request_rc;
}

base_ns_t
dp_clock(void)
{
	/* a test may put the clock forward while a session reads it */
	return __atomic_add_fetch(&fake.now, fake.step, __ATOMIC_RELAXED);
}

const char *
dp_drop_name(enum dp_drop d)
{
	static const char *const names[] = {
#define DP_DROP(sym, name, text) name,
#include "drops.def"
#undef DP_DROP
	};

	return names[d];
}

const char *
dp_drop_text(enum dp_drop d)
{
	static const char *const texts[] = {
#define DP_DROP(sym, name, text) text,
#include "drops.def"
#undef DP_DROP
	};

	return texts[d];
}

void
dp_stats_sum(const struct dp *dp, struct dp_stats *out)
{
	(void)dp;
	*out = fake.dp;
}

void
dp_worker_info(const struct dp *dp, uint16_t worker, struct dp_worker_info *out)
{
	(void)dp;
	(void)worker;
	*out = fake.worker;
}

void
dp_stats_worker(const struct dp *dp, uint16_t worker, struct dp_stats *out)
{
	(void)dp;
	(void)worker;
	*out = fake.dp;
}

void
dp_longest_turn_forget(struct dp *dp)
{
	(void)dp;
	fake.n_forgets++;
}

uint16_t
dp_worker_count(const struct dp *dp)
{
	(void)dp;
	return 1;
}

bool
dp_if_is_up(const struct dp *dp, uint16_t if_index)
{
	(void)dp;
	return !fake.if_down[if_index];
}

base_ns_t
dp_rx_horizon(const struct dp *dp, uint16_t if_index)
{
	(void)dp;
	(void)if_index;
	return fake.now - 7 * BASE_NS_PER_US;
}

uint16_t
port_set_count(const struct port_set *s)
{
	(void)s;
	return 2;
}

int
port_set_info(const struct port_set *s, uint16_t i, struct port_info *out)
{
	(void)s;
	if (i >= 2)
		return -EINVAL;
	*out = fake.ports[i];
	return 0;
}

unsigned int
port_set_preflight(const struct port_set *s, uint16_t i, struct port_check out[PORT_CHECKS_MAX])
{
	(void)s;
	out[0] = (struct port_check){.key = "mtu", .need = "1500 bytes", .given = "68 to 9000"};
	out[1] = (struct port_check){.key = "vmac",
		.need = "known of net_x before DPDK 23.07",
		.given = "it prunes",
		.consequence = "use another",
		.level = PORT_CHECK_WARN};
	return i < 2 ? 2 : 0;
}

const char *
port_check_level_name(enum port_check_level l)
{
	static const char *const names[] = {"ok", "note", "warning", "fails"};

	return names[l];
}

const char *
port_vmac_mode_name(enum port_vmac_mode m)
{
	static const char *const names[] = {"filter", "promiscuous", "unfiltered"};

	return names[m];
}

int
port_set_stats(struct port_set *s, uint16_t i, struct port_stats *out)
{
	(void)s;
	*out = fake.port_stats[i];
	return fake.port_stats_rc;
}

bool
host_if_view(const struct host *h, uint16_t if_index, struct host_if_view *out)
{
	(void)h;
	*out = fake.host;
	return if_index == 0 && fake.host.rate_pps != 0;
}

void
dp_host_stats(const struct dp *dp, uint16_t if_index, struct dp_host_stats *out)
{
	(void)dp;
	*out = if_index == 0 ? fake.host_stats : (struct dp_host_stats){0};
}
