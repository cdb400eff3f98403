/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "fake_dev.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <rte_eal.h>

struct fake_dev fake_devs[FAKE_DEVS];

static const uint8_t vmac_one[1][BASE_MAC_LEN] = {{0x00, 0x00, 0x5e, 0x00, 0x01, 0x01}};
static const uint8_t fake_mcast[][BASE_MAC_LEN] = {{0x01, 0, 0x5e, 0, 0, 0x12}};
static uint32_t flags[FAKE_DEVS];

int (*fake_hook)(uint16_t id, enum fake_op op);

/* The hook may refuse, fail, or take its time. */
#define OP(id, op)                                                                 \
	do {                                                                       \
		int hooked_ = fake_hook != NULL ? fake_hook(id, FAKE_OP_##op) : 0; \
		if (hooked_ != 0)                                                  \
			return hooked_;                                            \
	} while (0)

void
fake_reset(void)
{
	memset(fake_devs, 0, sizeof(fake_devs));
	for (unsigned int i = 0; i < 2; i++) {
		fake_devs[i] = (struct fake_dev){
			.name = i == 0 ? "net_fake0" : "net_fake1",
			.driver = "net_fake",
			.max_rxq = 16,
			.max_txq = 16,
			.min_mtu = 68,
			.max_mtu = 9000,
			.max_rx_pktlen = 9018,
			.max_desc = 4096,
			.max_macs = FAKE_MACS + 1,
			.mac_room = FAKE_MACS,
			.mac_ret = -ENOSPC,
			.mtu = 1500,
			.link_up = true,
			.speed = 10000,
		};
	}
}

struct port_config
fake_config(uint16_t i)
{
	struct port_config c = {
		.mtu = 1500,
		.n_rxq = 1,
		.n_workers = 1,
		.n_rx_desc = 1024,
		.n_tx_desc = 1024,
		.socket_id = SOCKET_ID_ANY,
		.n_vmacs = 1,
		.vmacs = vmac_one,
		.n_mcasts = 1,
		.mcasts = fake_mcast,
	};

	snprintf(c.device, sizeof(c.device), "net_fake%u", i);
	return c;
}

static int
find(const char *name, uint16_t *port_id)
{
	for (uint16_t i = 0; i < FAKE_DEVS; i++) {
		if (fake_devs[i].name != NULL && strcmp(fake_devs[i].name, name) == 0) {
			*port_id = i;
			return 0;
		}
	}
	return -ENODEV;
}

static void
list(char *buf, size_t len)
{
	snprintf(buf, len, "%s, %s", fake_devs[0].name, fake_devs[1].name);
}

static int
info(uint16_t id, struct rte_eth_dev_info *out)
{
	OP(id, INFO);
	struct fake_dev *d = &fake_devs[id];

	memset(out, 0, sizeof(*out));
	flags[id] = d->dev_flags;
	out->driver_name = d->driver;
	out->if_index = d->if_index;
	out->min_mtu = d->min_mtu;
	out->max_mtu = d->max_mtu;
	out->max_rx_pktlen = d->max_rx_pktlen;
	out->max_rx_queues = d->late && !d->asked ? UINT16_MAX : d->max_rxq;
	out->max_tx_queues = d->late && !d->asked ? UINT16_MAX : d->max_txq;
	out->max_mac_addrs = d->max_macs;
	out->rx_desc_lim = (struct rte_eth_desc_lim){.nb_max = d->max_desc, .nb_align = 1};
	out->tx_desc_lim = out->rx_desc_lim;
	out->flow_type_rss_offloads = d->rss;
	out->rx_offload_capa = d->rx_offloads;
	out->tx_offload_capa = d->tx_offloads;
	out->dev_flags = &flags[id];
	return d->info_ret;
}

static int
socket_of(uint16_t id)
{
	(void)id;
	return 0;
}

static int
mac(uint16_t id, struct rte_ether_addr *out)
{
	*out = (struct rte_ether_addr){{0x02, 0, 0, 0, 0, (uint8_t)id}};
	return 0;
}

static int
configure(uint16_t id, uint16_t n_rxq, uint16_t n_txq, const struct rte_eth_conf *conf)
{
	OP(id, CONFIGURE);
	struct fake_dev *d = &fake_devs[id];

	d->spoilt = d->spoilt || (!d->asked && (n_rxq > d->max_rxq || n_txq > d->max_txq));
	d->asked = true;
	if (n_rxq > d->max_rxq || n_txq > d->max_txq || (d->want_pairs && n_rxq != n_txq))
		return -EINVAL;
	if (d->refuse_last_queue && n_rxq == d->max_rxq)
		return -ENOSPC;
	d->rss_on = conf->rxmode.mq_mode == RTE_ETH_MQ_RX_RSS;
	if (d->rss_on && d->refuse_rss)
		return -ENOTSUP;
	d->lsc_on = conf->intr_conf.lsc;
	d->rx_offloads_on = conf->rxmode.offloads;
	d->tx_offloads_on = conf->txmode.offloads;
	d->n_rxq = n_rxq;
	d->n_txq = n_txq;
	d->configured = true;
	return 0;
}

static int
desc_adjust(uint16_t id, uint16_t *rx, uint16_t *tx)
{
	OP(id, DESC_ADJUST);
	if (*rx > fake_devs[id].max_desc)
		*rx = fake_devs[id].max_desc;
	if (*tx > fake_devs[id].max_desc)
		*tx = fake_devs[id].max_desc;
	return 0;
}

static int
rxq_setup(uint16_t id, uint16_t q, uint16_t n_desc, unsigned int socket,
	const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	OP(id, RXQ_SETUP);
	(void)socket;
	(void)conf;
	(void)pool;
	fake_devs[id].n_rx_desc = n_desc;
	return q < fake_devs[id].n_rxq ? 0 : -EINVAL;
}

static int
txq_setup(uint16_t id, uint16_t q, uint16_t n_desc, unsigned int socket,
	const struct rte_eth_txconf *conf)
{
	OP(id, TXQ_SETUP);
	(void)n_desc;
	(void)socket;
	(void)conf;
	if (fake_devs[id].max_txq_setup != 0 && q >= fake_devs[id].max_txq_setup)
		return -EIO;
	return q < fake_devs[id].n_txq ? 0 : -EINVAL;
}

static int
mtu_get(uint16_t id, uint16_t *mtu)
{
	*mtu = fake_devs[id].mtu;
	return 0;
}

static int
mtu_set(uint16_t id, uint16_t mtu)
{
	OP(id, MTU_SET);
	if (fake_devs[id].late && fake_devs[id].spoilt)
		return -EINVAL;
	if (fake_devs[id].mtu_ret == 0)
		fake_devs[id].mtu = mtu;
	return fake_devs[id].mtu_ret;
}

static int
start(uint16_t id)
{
	OP(id, START);
	fake_devs[id].started = fake_devs[id].start_ret == 0;
	return fake_devs[id].start_ret;
}

static int
stop(uint16_t id)
{
	OP(id, STOP);
	fake_devs[id].started = false;
	fake_devs[id].filtered = false;
	return 0;
}

static int
do_close(uint16_t id)
{
	fake_devs[id].closed = true;
	return 0;
}

/* After each change: can a frame to the vMAC come in? */
static void
look_for_gap(struct fake_dev *d)
{
	const bool hears = d->n_macs > 0 || d->promiscuous || d->netdev_promiscuous;

	if (d->filtered && d->started && !hears)
		d->n_gaps++;
	d->filtered = d->filtered || hears;
}

static int
mac_add(uint16_t id, const uint8_t m[BASE_MAC_LEN])
{
	OP(id, MAC_ADD);
	struct fake_dev *d = &fake_devs[id];

	d->n_mac_adds++;
	if (d->n_macs >= d->mac_room)
		return d->mac_ret;
	memcpy(d->macs[d->n_macs++], m, BASE_MAC_LEN);
	look_for_gap(d);
	return 0;
}

static int
mac_remove(uint16_t id, const uint8_t m[BASE_MAC_LEN])
{
	OP(id, MAC_REMOVE);
	struct fake_dev *d = &fake_devs[id];

	for (unsigned int i = 0; i < d->n_macs; i++) {
		if (memcmp(d->macs[i], m, BASE_MAC_LEN) == 0) {
			memcpy(d->macs[i], d->macs[--d->n_macs], BASE_MAC_LEN);
			look_for_gap(d);
			return 0;
		}
	}
	return -ENOENT;
}

static int
multicast_set(uint16_t id, const uint8_t (*macs)[BASE_MAC_LEN], uint16_t n)
{
	OP(id, MULTICAST_SET);
	if (fake_devs[id].multicast_ret == 0) {
		fake_devs[id].multicast = (fake_devs[id].n_mcasts = n) != 0;
		for (uint16_t i = 0; i < n; i++)
			memcpy(fake_devs[id].mcasts[i], macs[i], BASE_MAC_LEN);
	}
	return fake_devs[id].multicast_ret;
}

static int
promiscuous_set(uint16_t id, bool on)
{
	OP(id, PROMISCUOUS_SET);
	if (fake_devs[id].promiscuous_ret == 0)
		fake_devs[id].promiscuous = on;
	look_for_gap(&fake_devs[id]);
	return fake_devs[id].promiscuous_ret;
}

static bool
promiscuous_get(uint16_t id)
{
	return fake_devs[id].promiscuous;
}

static int
allmulticast_set(uint16_t id, bool on)
{
	OP(id, ALLMULTICAST_SET);
	if (fake_devs[id].allmulticast_ret == 0)
		fake_devs[id].allmulticast = on;
	return fake_devs[id].allmulticast_ret;
}

static bool
allmulticast_get(uint16_t id)
{
	return fake_devs[id].allmulticast;
}

static int
link_get(uint16_t id, struct rte_eth_link *link)
{
	OP(id, LINK);
	memset(link, 0, sizeof(*link));
	link->link_status = fake_devs[id].link_up;
	link->link_speed = fake_devs[id].speed;
	return 0;
}

static int
event_register(uint16_t id, enum rte_eth_event_type type, rte_eth_dev_cb_fn cb, void *arg)
{
	struct fake_dev *d = &fake_devs[id];

	if (type == RTE_ETH_EVENT_INTR_LSC && d->lsc_ret != 0)
		return d->lsc_ret;
	if (type == RTE_ETH_EVENT_INTR_LSC)
		d->lsc_cb = cb;
	d->event_cb = cb;
	d->event_arg = arg;
	d->n_events++;
	return 0;
}

static int
event_unregister(uint16_t id, enum rte_eth_event_type type, rte_eth_dev_cb_fn cb, void *arg)
{
	struct fake_dev *d = &fake_devs[id];

	if (d->event_cb != cb || d->event_arg != arg || d->n_events == 0)
		return -EINVAL;
	if (d->callback_runs > 0) {
		d->callback_runs--;
		return -EAGAIN;
	}
	if (type == RTE_ETH_EVENT_INTR_LSC)
		d->lsc_cb = NULL;
	if (--d->n_events == 0)
		d->event_cb = NULL;
	return 0;
}

void
fake_event(uint16_t id, enum rte_eth_event_type type)
{
	fake_devs[id].event_cb(id, type, fake_devs[id].event_arg, NULL);
}

static int
identity(uint16_t id, char *buf, size_t len)
{
	snprintf(buf, len, "%s,arg=%u", fake_devs[id].name, id);
	return 0;
}

/* All that was programmed is lost. */
static void
wipe(struct fake_dev *d)
{
	d->configured = false;
	d->started = false;
	d->filtered = false;
	d->n_macs = 0;
	d->promiscuous = false;
	d->allmulticast = false;
	d->multicast = false;
}

static int
reset(uint16_t id)
{
	OP(id, RESET);
	struct fake_dev *d = &fake_devs[id];

	d->n_resets++;
	if (d->reset_ret != 0)
		return d->reset_ret;
	wipe(d);
	return 0;
}

static int
remove_device(uint16_t id)
{
	OP(id, REMOVE);
	struct fake_dev *d = &fake_devs[id];

	wipe(d);
	d->name = NULL;
	d->n_removes++;
	return 0;
}

static int
probe(const char *text)
{
	OP(text[strlen(text) - 1] == '1', PROBE);
	const unsigned int want = text[strlen(text) - 1] == '1';

	for (uint16_t i = 0; i < FAKE_DEVS; i++) {
		struct fake_dev *d = &fake_devs[i];

		if (d->probe_ret != 0 || d->name != NULL || d->n_removes == 0)
			continue;
		d->name = want ? "net_fake1" : "net_fake0";
		d->n_probes++;
		return 0;
	}
	return -ENODEV;
}

static int
stats(uint16_t id, struct rte_eth_stats *st)
{
	memset(st, 0, sizeof(*st));
	st->ipackets = 1;
	st->opackets = 2;
	st->ibytes = 3;
	st->obytes = 4;
	st->imissed = 5;
	st->ierrors = 6;
	st->oerrors = 7;
	st->rx_nombuf = 8;
	return id == 0 ? 0 : -EIO;
}

static int
open_nothing(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static struct fake_dev *
by_index(unsigned int if_index)
{
	unsigned int i = 0;

	while (i < FAKE_DEVS - 1 && fake_devs[i].if_index != if_index)
		i++;
	return &fake_devs[i];
}

static int
netdev_link(int fd, unsigned int if_index, bool *up)
{
	const struct fake_dev *d = by_index(if_index);

	(void)fd;
	*up = d->netdev_up;
	return d->netdev_ret;
}

static int
netdev_promiscuous(int fd, unsigned int if_index, bool on)
{
	struct fake_dev *d = by_index(if_index);

	(void)fd;
	if (d->netdev_promiscuous_ret == 0)
		d->netdev_promiscuous = on;
	look_for_gap(d);
	return d->netdev_promiscuous_ret;
}

static int
steer(uint16_t id, enum port_steer what, bool tagged, uint16_t queue, bool probe)
{
	struct fake_dev *d = &fake_devs[id];
	const unsigned int bit = PORT_STEER_BIT(what, tagged);

	if (!d->started || queue >= d->n_rxq)
		return -EINVAL;
	if ((d->steer_kinds & bit) == 0)
		return -ENOSYS;
	if (probe)
		return 0;
	if ((d->steer_refused & bit) != 0)
		return -EIO;
	d->steered |= (uint16_t)bit;
	d->steer_queue = queue;
	return 0;
}

static int
steer_flush(uint16_t id)
{
	fake_devs[id].steered = 0;
	return 0;
}

static int
rss_first(uint16_t id, uint16_t n)
{
	fake_devs[id].rss_first = n;
	return 0;
}

const struct port_ops fake_ops = {
	.find = find,
	.list = list,
	.info = info,
	.socket = socket_of,
	.mac = mac,
	.configure = configure,
	.desc_adjust = desc_adjust,
	.rxq_setup = rxq_setup,
	.txq_setup = txq_setup,
	.mtu_get = mtu_get,
	.mtu_set = mtu_set,
	.start = start,
	.stop = stop,
	.close = do_close,
	.mac_add = mac_add,
	.mac_remove = mac_remove,
	.multicast_set = multicast_set,
	.promiscuous_set = promiscuous_set,
	.promiscuous_get = promiscuous_get,
	.allmulticast_set = allmulticast_set,
	.allmulticast_get = allmulticast_get,
	.link = link_get,
	.event_register = event_register,
	.event_unregister = event_unregister,
	.identity = identity,
	.reset = reset,
	.remove = remove_device,
	.probe = probe,
	.steer = steer,
	.steer_flush = steer_flush,
	.rss_first = rss_first,
	.stats = stats,
	.netdev_open = open_nothing,
	.netdev_watch_open = open_nothing,
	.netdev_link = netdev_link,
	.netdev_promiscuous = netdev_promiscuous,
};

bool
fake_next_event(struct port_set *s, struct port_event *ev)
{
	for (unsigned int ms = 0; ms < FAKE_LONG_S * 1000; ms++) {
		if (port_set_event(s, ev))
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

int
fake_eal_start(void **state)
{
	char *argv[] = {(char[]){"test"}, (char[]){"--no-huge"}, (char[]){"-m"}, (char[]){"32"},
		(char[]){"--no-pci"}, (char[]){"--no-shconf"}, (char[]){"--no-telemetry"},
		(char[]){"--lcores"}, (char[]){"0"}};

	(void)state;
	return rte_eal_init(sizeof(argv) / sizeof(argv[0]), argv) < 0 ? -1 : 0;
}

int
fake_eal_stop(void **state)
{
	(void)state;
	return rte_eal_cleanup();
}
