/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_mbuf.h>

#include "port_priv.h"

#define N_DESC_DEFAULT 512
/* What spreads flows, not packets of one flow. */
#define RSS_WANTED (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP)

/* One attempt at bringing a device up, and how far it came. */
struct attempt {
	struct port_queues q;
	bool rss;
	uint16_t steer;	  /* kinds that the last receive queue is for; 0: there is none for them */
	uint16_t steered; /* those that are */
	uint16_t n_rx_desc, n_tx_desc;
	uint16_t mtu; /* 0: as it is */
	uint16_t mtu_before;
	const char *step; /* what failed */
	uint16_t queue;
};

static int
set_up_queues(const struct port_ops *ops, struct port_dev *d, const struct rte_eth_dev_info *info,
	unsigned int socket, void *pool, struct attempt *a)
{
	struct rte_eth_rxconf rxconf = info->default_rxconf;
	struct rte_eth_txconf txconf = info->default_txconf;
	const uint16_t n_txq = (uint16_t)(a->q.n_txq + a->q.control_txq);
	int ret;

	rxconf.offloads = 0;
	txconf.offloads = 0;
	for (a->queue = 0; a->queue < a->q.n_rxq; a->queue++) {
		a->step = "set up receive queue";
		ret = ops->rxq_setup(d->id, a->queue, a->n_rx_desc, socket, &rxconf, pool);
		if (ret != 0)
			return ret;
	}
	for (a->queue = 0; a->queue < n_txq; a->queue++) {
		a->step = "set up transmit queue";
		ret = ops->txq_setup(d->id, a->queue, a->n_tx_desc, socket, &txconf);
		if (ret != 0)
			return ret;
	}
	return 0;
}

/*
 * The MTU that was asked for is already part of the configuration; here the driver gets to apply it
 * to what stands behind it. One that cannot is fine as long as nothing larger is wanted than it
 * has: smaller ones are kept by the forwarding stage.
 */
static int
set_mtu(const struct port_ops *ops, struct port_dev *d, const struct port_config *c,
	const struct attempt *a)
{
	int ret = ops->mtu_set(d->id, a->mtu);

	/* Nor does it look at tags. */
	return ret == -ENOTSUP && RTE_MAX(c->mtu, c->vlan_mtu) <= a->mtu_before ? 0 : ret;
}

static int
try_start(const struct port_ops *ops, struct port_dev *d, const struct rte_eth_dev_info *info,
	const struct port_config *c, unsigned int socket, void *pool, struct attempt *a)
{
	struct rte_eth_conf conf;
	int ret;

	memset(&conf, 0, sizeof(conf));
	conf.rxmode.mtu = a->mtu;
	if (d->facts.vlan_mtu != 0) {
		conf.rxmode.offloads = d->facts.vlan_strip ? RTE_ETH_RX_OFFLOAD_VLAN_STRIP : 0;
		conf.txmode.offloads = d->facts.vlan_insert ? RTE_ETH_TX_OFFLOAD_VLAN_INSERT : 0;
	}
	conf.intr_conf.lsc = d->lsc;
	conf.intr_conf.rmv = d->facts.rmv;
	if (a->rss) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = info->flow_type_rss_offloads & RSS_WANTED;
	}
	a->queue = UINT16_MAX;
	a->step = "configure";
	ret = ops->configure(d->id, a->q.n_rxq, (uint16_t)(a->q.n_txq + a->q.control_txq), &conf);
	if (ret != 0)
		return ret;
	if (a->mtu != 0) {
		a->step = "set the MTU";
		ret = set_mtu(ops, d, c, a);
		if (ret != 0)
			return ret;
	}
	a->step = "adjust descriptors";
	a->n_rx_desc = c->n_rx_desc != 0 ? c->n_rx_desc : N_DESC_DEFAULT;
	a->n_tx_desc = c->n_tx_desc != 0 ? c->n_tx_desc : N_DESC_DEFAULT;
	ret = ops->desc_adjust(d->id, &a->n_rx_desc, &a->n_tx_desc);
	if (ret != 0)
		return ret;
	ret = set_up_queues(ops, d, info, socket, pool, a);
	if (ret != 0)
		return ret;
	a->queue = UINT16_MAX;
	a->step = "start";
	ret = ops->start(d->id);
	if (ret == 0 && a->steer != 0) {
		/* What flows spread into it is read all the same. */
		if (a->rss)
			(void)ops->rss_first(d->id, (uint16_t)(a->q.n_rxq - 1));
		a->steered = port_steer_set(ops, d->id, a->steer, (uint16_t)(a->q.n_rxq - 1));
	}
	return ret;
}

/*
 * One more receive queue, for adverts and what neighbours ask, where the device can tell them from
 * other frames. It is asked once it runs, and started anew with the queue; if that does not work,
 * it is started as it was.
 */
static int
add_control_queue(const struct port_ops *ops, struct port_dev *d,
	const struct rte_eth_dev_info *info, const struct port_config *c, unsigned int socket,
	void *pool, struct attempt *a)
{
	char *reason = d->now.info.steer_reason;
	const uint16_t all = port_steer_all(d->facts.vlan_mtu != 0);
	struct attempt with = *a;
	int why, ret;

	with.steer = port_steer_probe(ops, d->id, all, &why);
	if (with.steer == 0) {
		snprintf(reason, PORT_OUT_MAX, "the driver has no such rules: %s",
			rte_strerror(-why));
		return 0;
	}
	/* As many of each kind, or all of them filled whatever the rules say. */
	if (d->drv->paired || d->drv->all_rx ||
		a->q.n_rxq >= port_driver_queues(d->drv, info->max_rx_queues)) {
		snprintf(reason, PORT_OUT_MAX, "no receive queue is left for them");
		return 0;
	}
	ret = ops->stop(d->id);
	if (ret != 0)
		return ret;
	with.q.n_rxq++;
	ret = try_start(ops, d, info, c, socket, pool, &with);
	if (ret == 0 && with.steered != 0) {
		*a = with;
		if (with.steered != all)
			snprintf(reason, PORT_OUT_MAX, "the driver refused the others: %s",
				rte_strerror(why != 0 ? -why : EIO));
		return 0;
	}
	snprintf(reason, PORT_OUT_MAX, "the driver took the rules back: %s",
		ret != 0 ? rte_strerror(-ret) : "none could be made");
	if (ret == 0)
		(void)ops->stop(d->id);
	return try_start(ops, d, info, c, socket, pool, a);
}

/* What an MTU is made of that is not one of an interface. */
static const char *
with_tag(const struct port_config *c, const struct attempt *a)
{
	return a->mtu == c->mtu || a->mtu == c->vlan_mtu ? "" : " (4 of it for a VLAN tag)";
}

static int
check_mtu(const struct port_ops *ops, struct port_dev *d, const struct rte_eth_dev_info *info,
	const struct port_config *c, const void *pool, struct attempt *a, char *err,
	unsigned int err_len)
{
	const uint32_t max = port_mtu_max(info);

	a->mtu = port_mtu_wanted(c, info);
	if (a->mtu == 0)
		return 0;
	if (a->mtu > max || a->mtu < info->min_mtu) {
		snprintf(err, err_len, "%s: MTU %u%s: driver %s allows %u to %" PRIu32, c->device,
			a->mtu, with_tag(c, a), info->driver_name, info->min_mtu, max);
		return -ERANGE;
	}
	if (pool != NULL) {
		/* Without scattered receive a frame, with a tag, has to fit one buffer. */
		const uint32_t frame =
			(uint32_t)RTE_MAX(c->mtu, c->vlan_mtu) + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;
		const struct rte_mempool *mp = pool;
		const uint16_t room =
			rte_pktmbuf_data_room_size((struct rte_mempool *)(uintptr_t)mp);

		if (room < RTE_PKTMBUF_HEADROOM + frame) {
			snprintf(err, err_len,
				"%s: MTU %u%s: a frame of %" PRIu32
				" bytes does not fit a buffer of %u",
				c->device, a->mtu, with_tag(c, a), frame,
				room > RTE_PKTMBUF_HEADROOM ? room - RTE_PKTMBUF_HEADROOM : 0);
			return -ERANGE;
		}
	}
	/* Before it is configured, since that overwrites what the driver said. */
	if (ops->mtu_get(d->id, &a->mtu_before) != 0)
		a->mtu_before = 0;
	return 0;
}

static void
report(const struct port_config *c, const struct rte_eth_dev_info *info, const struct attempt *a,
	int ret, char *err, unsigned int err_len)
{
	if (a->queue != UINT16_MAX)
		snprintf(err, err_len, "%s: %s %u: %s", c->device, a->step, a->queue,
			rte_strerror(-ret));
	else if (strcmp(a->step, "set the MTU") == 0)
		snprintf(err, err_len,
			"%s: MTU %u%s: driver %s says \"%s\" (it has %u, and allows %u to %" PRIu32
			")",
			c->device, a->mtu, with_tag(c, a), info->driver_name, rte_strerror(-ret),
			a->mtu_before, info->min_mtu, port_mtu_max(info));
	else
		snprintf(err, err_len, "%s: %s with %u receive and %u transmit queues: %s",
			c->device, a->step, a->q.n_rxq, a->q.n_txq + a->q.control_txq,
			rte_strerror(-ret));
}

static void
fill_info(const struct port_ops *ops, struct port_dev *d, const struct rte_eth_dev_info *info,
	const struct port_config *c, const struct attempt *a)
{
	struct port_info *i = &d->now.info;

	i->port_id = d->id;
	snprintf(i->device, sizeof(i->device), "%s", c->device);
	snprintf(i->driver, sizeof(i->driver), "%s", info->driver_name);
	port_driver_file(info, i->driver_file, sizeof(i->driver_file));
	i->n_rxq = a->q.n_rxq;
	i->control_rxq = a->steer != 0;
	i->steered = a->steered;
	i->n_txq = a->q.n_txq;
	i->control_txq = a->q.control_txq;
	i->n_rx_desc = a->n_rx_desc;
	i->n_tx_desc = a->n_tx_desc;
	i->socket_id = ops->socket(d->id);
	i->mtu = a->mtu;
	if (a->mtu == 0 && ops->mtu_get(d->id, &i->mtu) != 0)
		i->mtu = RTE_ETHER_MTU;
	i->nudge = d->drv->nudge;
	i->vlan_strip = c->vlan_mtu != 0 && d->facts.vlan_strip;
	i->vlan_insert = c->vlan_mtu != 0 && d->facts.vlan_insert;
}

static bool
may_differ(const char *step)
{
	/* What other queue counts may cure. */
	return strcmp(step, "set the MTU") != 0;
}

/*
 * What the driver says of the device. One that is late is configured for that, with as little as
 * any has; a configuration that its members refuse would leave them as they are for good.
 */
static int
ask(const struct port_ops *ops, uint16_t id, struct rte_eth_dev_info *info)
{
	const struct rte_eth_conf conf = {0};
	int ret;

	memset(info, 0, sizeof(*info));
	ret = ops->info(id, info);
	if (ret != 0 || !port_driver_find(info->driver_name)->late)
		return ret;
	ret = ops->configure(id, 1, 1, &conf);
	return ret != 0 ? ret : ops->info(id, info);
}

int
port_dev_start(struct port_set *s, struct port_dev *d, const struct port_config *c, void *pool,
	char *err, unsigned int err_len)
{
	const struct port_ops *ops = s->ops;
	struct port_queues plan[PORT_QUEUE_TRIES];
	struct rte_eth_dev_info info;
	struct rte_ether_addr mac;
	struct attempt a = {.step = ""};
	unsigned int socket, n_plan;
	int ret;

	ret = ask(ops, d->id, &info);
	if (ret != 0) {
		snprintf(err, err_len, "%s: ask the driver: %s", c->device, rte_strerror(-ret));
		return ret;
	}
	if (info.max_rx_queues == 0 || info.max_tx_queues == 0) {
		snprintf(err, err_len, "%s: it cannot %s", c->device,
			info.max_rx_queues == 0 ? "receive" : "transmit");
		return -ENODEV;
	}
	ret = check_mtu(ops, d, &info, c, pool, &a, err, err_len);
	if (ret != 0)
		return ret;
	port_facts_fill(&d->facts, &info, c, d->n_vmacs, d->n_mcasts);
	d->drv = port_driver_find(info.driver_name);
	d->if_index = d->drv->netdev ? info.if_index : 0;
	/* With the interrupt on, the ethdev layer answers from what the last one left. */
	d->lsc = d->if_index == 0 && !d->drv->poll && d->facts.lsc;
	port_events_register(s, d);
	if (ops->identity(d->id, d->identity, sizeof(d->identity)) != 0)
		snprintf(d->identity, sizeof(d->identity), "%s", c->device);
	/* SOCKET_ID_ANY is -1 in both types. */
	socket = (unsigned int)c->socket_id;

	n_plan = port_queue_plan(&info, d->drv, c->n_rxq, c->n_workers, plan);
	ret = -EINVAL;
	for (unsigned int i = 0; i < n_plan; i++) {
		a.q = plan[i];
		a.rss = a.q.n_rxq > 1 && (info.flow_type_rss_offloads & RSS_WANTED) != 0;
		ret = try_start(ops, d, &info, c, socket, pool, &a);
		/* Some drivers announce RSS and then cannot. */
		if (ret != 0 && a.rss && may_differ(a.step)) {
			a.rss = false;
			ret = try_start(ops, d, &info, c, socket, pool, &a);
		}
		if (ret == 0 || !may_differ(a.step))
			break;
	}
	if (ret == 0)
		ret = add_control_queue(ops, d, &info, c, socket, pool, &a);
	if (ret != 0) {
		report(c, &info, &a, ret, err, err_len);
		return ret;
	}
	d->started = true;
	/* Now: that of a bond is its first member's until it starts, and then its primary's. */
	ret = ops->mac(d->id, &mac);
	if (ret != 0) {
		snprintf(err, err_len, "%s: ask for the MAC: %s", c->device, rte_strerror(-ret));
		return ret;
	}
	memcpy(d->now.info.mac, mac.addr_bytes, sizeof(d->now.info.mac));
	d->config = *c;
	d->config.vmacs = NULL;
	d->config.mcasts = NULL;
	d->pool = pool;
	d->queues = a.q;
	d->rss = a.rss;
	d->steer = a.steered;
	fill_info(ops, d, &info, c, &a);
	return 0;
}

int
port_dev_restart(struct port_set *s, struct port_dev *d, char *err, unsigned int err_len)
{
	struct attempt a = {.q = d->queues, .rss = d->rss, .steer = d->steer, .step = ""};
	struct rte_eth_dev_info info;
	int ret;

	memset(&info, 0, sizeof(info));
	ret = s->ops->info(d->id, &info);
	if (ret != 0) {
		snprintf(err, err_len, "%s: ask the driver: %s", d->config.device,
			rte_strerror(-ret));
		return ret;
	}
	/* A netdev that was made anew has another one. */
	d->if_index = d->drv->netdev ? info.if_index : 0;
	a.mtu = port_mtu_wanted(&d->config, &info);
	a.mtu_before = d->now.info.mtu;
	ret = try_start(
		s->ops, d, &info, &d->config, (unsigned int)d->config.socket_id, d->pool, &a);
	if (ret != 0) {
		report(&d->config, &info, &a, ret, err, err_len);
		return ret;
	}
	if (a.steered != a.steer) {
		snprintf(d->now.info.steer_reason, sizeof(d->now.info.steer_reason),
			"the driver refused the others after a restart");
		d->now.info.steered = a.steered;
	}
	d->started = true;
	return 0;
}
