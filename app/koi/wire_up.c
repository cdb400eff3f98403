/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "wire_up.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/rand.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "compat_thread.h"
#include "ctl.h"
#include "devices.h"
#include "dp.h"
#include "fib_builder.h"
#include "fib_nbr.h"
#include "host_path.h"
#include "mgmt.h"
#include "port.h"
#include "reload.h"
#include "roster.h"
#include "routes.h"

#define RX_DESC	   1024
#define TX_DESC	   1024
#define POOL_CACHE 256
#define POOL_SPARE 4096
#define NBR_MAX	   16384
/* Devices that tell of no change, or late, are looked at this often; a look costs microseconds. */
#define LINK_POLL_MS 10
#define SOCKETS_MAX  RTE_MAX_NUMA_NODES

/* The configuration's limit is the only one that an operator ever meets, and --check tells it. */
_Static_assert(CONF_PORT_MAX <= RTE_MAX_ETHPORTS, "as many devices");
_Static_assert(CONF_PORT_MAX <= PORT_MAX && CONF_PORT_MAX <= DP_PORT_MAX, "the same below");
_Static_assert(CONF_VLAN_MAX == DP_VLAN_MAX, "the same tags");
_Static_assert(CONF_IF_MAX <= DP_IF_MAX, "the same below");

struct lcore_text {
	char role[16];
	char note[160];
};

struct wire_up {
	const struct conf *conf;
	const struct lcore_plan *plan;
	struct rte_mempool *pool[SOCKETS_MAX]; /* by NUMA node; made when first asked for */
	struct port_set *ports;
	uint16_t n_ports;
	struct port_info port[PORT_MAX];
	uint16_t if_port_index[CONF_IF_MAX]; /* into ports */
	uint16_t if_port_id[CONF_IF_MAX];
	uint8_t if_mac[CONF_IF_MAX][BASE_MAC_LEN];
	struct fib *fib;
	struct fib_builder *routes;
	struct dp *dp;
	struct fib_nbr_table *nbr;
	struct ctl *ctl;
	struct host_path host;
	struct reload reload;
	struct mgmt *mgmt;
	struct mgmt_lcore *lcores;
	struct lcore_text *lcore_text;
	uint16_t n_lcores;
	bool launched;
	uint32_t control_done; /* atomic */
};

/* Say why; the value to return. */
static int __attribute__((format(printf, 3, 4)))
fail(char *err, unsigned int err_len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, err_len, fmt, ap);
	va_end(ap);
	return -1;
}

/* @return 0, or -1 with err filled */
static int
make_seed(uint64_t *seed, char *err, unsigned int err_len)
{
	if (RAND_bytes((unsigned char *)seed, sizeof(*seed)) != 1)
		return fail(err, err_len, "no random seed to be had from OpenSSL");
	return 0;
}

static uint32_t
pool_size(const struct wire_up *w)
{
	uint32_t per_port = (RX_DESC + TX_DESC) * (uint32_t)w->plan->n_workers + TX_DESC + RX_DESC;

	return w->conf->n_devices * per_port + (w->plan->n_workers + 2u) * POOL_CACHE * 2 +
		POOL_SPARE;
}

static uint16_t
data_room(const struct conf *conf)
{
	uint32_t frame = RTE_MBUF_DEFAULT_DATAROOM;

	for (uint16_t i = 0; i < conf->n_ifs; i++)
		if (conf->ifs[i].mtu + 64u > frame)
			frame = (conf->ifs[i].mtu + 127u) & ~63u;
	return (uint16_t)(frame + RTE_PKTMBUF_HEADROOM);
}

static struct rte_mempool *
pool_on(struct wire_up *w, int socket, char *err, unsigned int err_len)
{
	unsigned int node =
		socket < 0 || socket >= SOCKETS_MAX ? rte_socket_id() : (unsigned int)socket;
	char name[32];

	if (node >= SOCKETS_MAX)
		node = 0;
	if (w->pool[node] != NULL)
		return w->pool[node];
	snprintf(name, sizeof(name), "koi_pool_%u", node);
	w->pool[node] = rte_pktmbuf_pool_create(
		name, pool_size(w), POOL_CACHE, dp_meta_size(), data_room(w->conf), (int)node);
	if (w->pool[node] == NULL)
		fail(err, err_len,
			"no memory for %u packet buffers of %u bytes on NUMA node %u: %s; give EAL more "
			"hugepages, or -m with --no-huge",
			pool_size(w), data_room(w->conf), node, rte_strerror(rte_errno));
	return w->pool[node];
}

static int
start_ports(struct wire_up *w, char *err, unsigned int err_len)
{
	const struct conf *conf = w->conf;
	struct devices d;
	void *pools[CONF_PORT_MAX];
	int ret = -1;

	if (devices_from_conf(conf, w->plan->n_workers, &d) != 0) {
		fail(err, err_len, "out of memory");
		goto out;
	}
	for (uint16_t i = 0; i < d.n; i++) {
		struct port_config *pc = &d.config[i];
		uint16_t id;

		pc->n_rx_desc = RX_DESC;
		pc->n_tx_desc = TX_DESC;
		pc->socket_id = rte_eth_dev_get_port_by_name(pc->device, &id) == 0
			? rte_eth_dev_socket_id(id)
			: SOCKET_ID_ANY;
		pools[i] = pool_on(w, pc->socket_id, err, err_len);
		if (pools[i] == NULL)
			goto out;
	}
	w->ports = port_set_start(d.config, d.n, pools, err, err_len);
	if (w->ports == NULL)
		goto out;
	w->n_ports = port_set_count(w->ports);
	for (uint16_t i = 0; i < w->n_ports; i++) {
		port_set_info(w->ports, i, &w->port[i]);
		devices_tell(conf, i, &w->port[i]);
		devices_tell_checks(conf, i, w->ports);
	}
	for (uint16_t i = 0; i < conf->n_ifs; i++) {
		const struct port_info *p = &w->port[conf->ifs[i].device_index];

		w->if_port_index[i] = conf->ifs[i].device_index;
		w->if_port_id[i] = p->port_id;
		memcpy(w->if_mac[i], p->mac, BASE_MAC_LEN);
	}
	ret = 0;
out:
	devices_free(&d);
	return ret;
}

static int
build_fib(struct wire_up *w, char *err, unsigned int err_len)
{
	uint32_t n;
	struct fib_nh *paths;
	struct fib_route *routes = routes_from_conf(w->conf, &n, &paths);

	if (routes == NULL)
		return fail(err, err_len, "out of memory");
	w->fib = fib_build(routes, n, dp_qsbr(w->dp), SOCKET_ID_ANY, err, err_len);
	free(routes);
	free(paths);
	if (w->fib == NULL)
		return -1;
	w->routes = fib_builder_start(w->fib);
	if (w->routes == NULL)
		return fail(err, err_len, "the builder thread could not be started: %s",
			strerror(errno));
	dp_set_tables(w->dp, w->fib, w->nbr);
	return 0;
}

/* Every receive queue of every device is polled by exactly one worker, dealt out in turn. */
static int
create_dp(struct wire_up *w, char *err, unsigned int err_len)
{
	const struct conf *conf = w->conf;
	static struct dp_queue queues[CONF_WORKER_MAX][CONF_PORT_MAX * CONF_WORKER_MAX];
	struct dp_worker_config workers[CONF_WORKER_MAX] = {0};
	struct dp_port_config ports[CONF_PORT_MAX];
	struct roster roster;
	struct dp_config config = {
		.n_workers = w->plan->n_workers,
		.n_ports = w->n_ports,
		.n_ifs = conf->n_ifs,
		.n_groups = conf->group_room,
		.workers = workers,
		.ports = ports,
		.ifs = roster.ifs,
		.idle = conf->lcores.idle == CONF_IDLE_POLL ? DP_IDLE_POLL : DP_IDLE_ADAPTIVE,
	};
	uint32_t dealt = 0;

	if (make_seed(&config.flow_seed, err, err_len) != 0)
		return -1;
	if (roster_from_conf(conf, (const uint8_t(*)[BASE_MAC_LEN])w->if_mac, &roster) != 0)
		return fail(err, err_len, "out of memory");
	config.groups = roster.groups;
	for (unsigned int s = SOCKETS_MAX; s-- > 0;)
		if (w->pool[s] != NULL)
			config.pool = w->pool[s];
	for (uint16_t i = 0; i < config.n_workers; i++) {
		workers[i].rxq = queues[i];
		workers[i].socket_id = (int)rte_lcore_to_socket_id(w->plan->worker_lcore[i]);
	}
	for (uint16_t p = 0; p < w->n_ports; p++) {
		const struct port_info *info = &w->port[p];

		ports[p] = (struct dp_port_config){
			.port_id = info->port_id,
			.n_txq = info->n_txq,
			.control_txq = info->control_txq,
			.vlan_insert = info->vlan_insert,
			.nudge = info->nudge,
		};
		for (uint16_t q = 0; q < info->n_rxq; q++) {
			uint16_t to = (uint16_t)(dealt++ % config.n_workers);

			queues[to][workers[to].n_rxq++] = (struct dp_queue){
				.port_id = info->port_id,
				.queue = q,
				.n_desc = info->n_rx_desc,
			};
		}
	}
	for (uint16_t i = 0; i < conf->n_ifs; i++) {
		const struct conf_if *cf = &conf->ifs[i];

		roster.ifs[i].port_id = w->if_port_id[i];
		roster.ifs[i].vlan = cf->vlan;
		roster.ifs[i].mtu = cf->mtu;
		roster.ifs[i].host = cf->host.on;
		memcpy(roster.ifs[i].mac, w->if_mac[i], BASE_MAC_LEN);
	}
	w->dp = dp_create(&config);
	roster_free(&roster);
	if (w->dp == NULL)
		return fail(
			err, err_len, "the data plane could not be set up: %s", strerror(errno));
	w->nbr = fib_nbr_create("koi_nbr", NBR_MAX, conf->n_ifs, dp_qsbr(w->dp), SOCKET_ID_ANY);
	if (w->nbr == NULL)
		return fail(err, err_len, "the neighbour table could not be set up: %s",
			strerror(errno));
	return 0;
}

static int
create_ctl(struct wire_up *w, bool drained, char *err, unsigned int err_len)
{
	struct ctl_config config = {
		.conf = w->conf,
		.dp = w->dp,
		.nbr = w->nbr,
		.ports = w->ports,
		.if_port = w->if_port_id,
		.if_mac = (const uint8_t(*)[BASE_MAC_LEN])w->if_mac,
		.poll = w->conf->lcores.idle == CONF_IDLE_POLL,
		.drained = drained,
	};

	if (make_seed(&config.seed, err, err_len) != 0)
		return -1;
	w->ctl = ctl_create(&config);
	if (w->ctl == NULL)
		return fail(
			err, err_len, "the control plane could not be set up: %s", strerror(errno));
	return 0;
}

/* The control lcore stands one above the workers: an advert must not wait for a burst. */
static void
go_realtime(const struct wire_up *w, bool control)
{
	uint8_t prio = w->conf->lcores.rt_priority;

	if (prio == 0)
		return;
	if (!control && prio > 1)
		prio--;
	int ret = compat_thread_realtime_set(prio);

	if (ret != 0)
		fprintf(stderr, "koi: rt-priority %u refused (%s); ordinary scheduling\n", prio,
			strerror(-ret));
}

static int
control_main(void *arg)
{
	struct wire_up *w = arg;

	go_realtime(w, true);
	ctl_run(w->ctl);
	compat_thread_realtime_clear();
	__atomic_store_n(&w->control_done, 1, __ATOMIC_RELEASE);
	return 0;
}

static int
worker_main(void *arg)
{
	struct wire_up *w = arg;
	unsigned int self = rte_lcore_id();
	int ret = 0;

	go_realtime(w, false);
	for (uint16_t i = 0; i < w->plan->n_workers; i++)
		if (w->plan->worker_lcore[i] == self)
			ret = dp_worker_run(w->dp, i);
	compat_thread_realtime_clear();
	return ret;
}

/* What show lcores says: the plan, and what was found out about the devices since. */
static int
describe_lcores(struct wire_up *w, char *err, unsigned int err_len)
{
	w->n_lcores = w->plan->n;
	w->lcores = calloc(w->n_lcores, sizeof(*w->lcores));
	w->lcore_text = calloc(w->n_lcores, sizeof(*w->lcore_text));
	if (w->lcores == NULL || w->lcore_text == NULL)
		return fail(err, err_len, "out of memory");
	for (uint16_t i = 0; i < w->n_lcores; i++) {
		const struct lcore_seat *seat = &w->plan->seat[i];
		struct lcore_text *t = &w->lcore_text[i];

		if (seat->role == LCORE_WORKER)
			snprintf(t->role, sizeof(t->role), "worker %u", seat->worker);
		else
			snprintf(t->role, sizeof(t->role), "%s", lcore_role_name(seat->role));
		snprintf(t->note, sizeof(t->note), "%s", seat->why);
		for (uint16_t p = 0; seat->role == LCORE_WORKER && p < w->n_ports; p++)
			if (w->port[p].socket_id >= 0 && seat->node >= 0 &&
				w->port[p].socket_id != seat->node)
				snprintf(t->note, sizeof(t->note),
					"%s, polls a device of NUMA node %d", seat->why,
					w->port[p].socket_id);
		w->lcores[i] = (struct mgmt_lcore){
			.role = t->role,
			.lcore_id = seat->lcore,
			.cpu = seat->cpu,
			.numa_node = seat->node,
			.note = t->note,
		};
	}
	return 0;
}

static int
launch(struct wire_up *w, char *err, unsigned int err_len)
{
	w->launched = true;
	for (uint16_t i = 0; i < w->plan->n_workers; i++)
		if (rte_eal_remote_launch(worker_main, w, w->plan->worker_lcore[i]) != 0)
			return fail(err, err_len, "lcore %u could not be started",
				w->plan->worker_lcore[i]);
	if (rte_eal_remote_launch(control_main, w, w->plan->control_lcore) != 0)
		return fail(err, err_len, "lcore %u could not be started", w->plan->control_lcore);
	return 0;
}

struct wire_up *
wire_up_start(const struct wire_up_config *config, char *err, unsigned int err_len)
{
	struct wire_up *w = calloc(1, sizeof(*w));
	bool drained = access(config->drained_path, F_OK) == 0;

	if (w == NULL) {
		snprintf(err, err_len, "out of memory");
		return NULL;
	}
	w->conf = config->conf;
	w->plan = config->plan;
	if (drained)
		fprintf(stderr, "koi: starts drained, as %s says: \"undrain\" ends it\n",
			config->drained_path);
	if (start_ports(w, err, err_len) != 0 || create_dp(w, err, err_len) != 0 ||
		build_fib(w, err, err_len) != 0 || create_ctl(w, drained, err, err_len) != 0 ||
		host_path_start(&w->host, w->conf, w->dp, w->if_port_id,
			(const uint8_t(*)[BASE_MAC_LEN])w->if_mac, data_room(w->conf), err,
			err_len) != 0 ||
		describe_lcores(w, err, err_len) != 0 || launch(w, err, err_len) != 0)
		goto fail;
	int ret = port_set_watch(w->ports, LINK_POLL_MS);

	if (ret != 0) {
		snprintf(err, err_len, "the port thread could not be started: %s", strerror(-ret));
		goto fail;
	}
	w->reload = (struct reload){
		.ctl = w->ctl,
		.dp = w->dp,
		.routes = w->routes,
		.ports = w->ports,
		.host = w->host.host,
		.if_mac = (const uint8_t(*)[BASE_MAC_LEN])w->if_mac,
	};
	struct mgmt_config mc = {
		.conf = w->conf,
		.ctl = w->ctl,
		.dp = w->dp,
		.routes = w->routes,
		.loader = reload_loader(&w->reload),
		.nbr = w->nbr,
		.ports = w->ports,
		.host = w->host.host,
		.if_port = w->if_port_index,
		.lcores = w->lcores,
		.n_lcores = w->n_lcores,
		.tsc_hz = rte_get_tsc_hz(),
		.cli_socket = config->cli_socket,
		.drained_path = config->drained_path,
		.hook_fd = config->hook_fd,
		.syslog_prefix = config->syslog_prefix,
		.on_quit = config->on_quit,
		.arg = config->arg,
	};

	w->mgmt = mgmt_start(&mc, err, err_len);
	if (w->mgmt == NULL)
		goto fail;
	return w;
fail:
	wire_up_stop(w);
	return NULL;
}

void
wire_up_prompt(struct wire_up *w)
{
	mgmt_interactive(w->mgmt);
}

void
wire_up_prompt_end(struct wire_up *w)
{
	mgmt_interrupt(w->mgmt);
}

void
wire_up_reload(struct wire_up *w)
{
	mgmt_reload(w->mgmt, NULL, stderr);
}

void
wire_up_shutdown(struct wire_up *w)
{
	ctl_shutdown(w->ctl);
}

bool
wire_up_finished(const struct wire_up *w)
{
	return __atomic_load_n(&w->control_done, __ATOMIC_ACQUIRE) != 0;
}

void
wire_up_view(const struct wire_up *w, struct ctl_box_view *out)
{
	ctl_box_view(w->ctl, out);
}

void
wire_up_stop(struct wire_up *w)
{
	if (w->launched) {
		/* also when start failed half way: the control lcore may be running */
		ctl_shutdown(w->ctl);
		rte_eal_wait_lcore(w->plan->control_lcore);
		dp_stop(w->dp);
		for (uint16_t i = 0; i < w->plan->n_workers; i++)
			rte_eal_wait_lcore(w->plan->worker_lcore[i]);
	}
	if (w->mgmt != NULL)
		mgmt_stop(w->mgmt);
	host_path_stop(&w->host);
	fib_builder_stop(w->routes);
	port_set_stop(w->ports);
	ctl_destroy(w->ctl);
	if (w->nbr != NULL)
		fib_nbr_destroy(w->nbr);
	fib_free(w->fib);
	if (w->dp != NULL)
		dp_destroy(w->dp);
	host_path_free(&w->host);
	for (unsigned int s = 0; s < SOCKETS_MAX; s++)
		rte_mempool_free(w->pool[s]);
	free(w->lcore_text);
	free(w->lcores);
	free(w);
}
