/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_ether.h>

#include "port_priv.h"

/* Each entry was read in the driver's source or seen in the lab. */
static const struct port_driver drivers[] = {
	/*
	 * One fanout group over all sockets, opened at probe. Its link is always up. The kernel
	 * lets a tagged frame be 4 bytes longer than the MTU.
	 */
	{.name = "net_af_packet",
		.all_rx = true,
		.paired = true,
		.netdev = true,
		.tag_beyond = true},
	/* The XDP program redirects every queue asked for; a socket is made with its RX queue. */
	{.name = "net_af_xdp", .all_rx = true, .paired = true, .netdev = true},
	/* Each rx_pcap/iface argument is a queue. */
	{.name = "net_pcap", .all_rx = true, .netdev = true, .unfiltered = true},
	/* Refuses unequal counts. */
	{.name = "net_tap", .paired = true},
	/* Refuses a peer that connects more rings than we set up for receiving. */
	{.name = "net_memif", .paired = true, .unfiltered = true},
	/* Tells the host to use the larger of both counts as pairs, unread ones included. */
	{.name = "net_virtio", .paired = true},
	{.name = "net_virtio_user", .paired = true, .unfiltered = true},
	/* The guest decides which of the queues it sends on. */
	{.name = "net_vhost", .all_rx = true, .paired = true, .unfiltered = true},
	/*
	 * Its members come with the first configuration; before, it says what no device is. LACP
	 * wants bursts of at most 100 ms apart.
	 */
	{.name = "net_bonding", .late = true, .nudge = true},
	{.name = "net_ring", .unfiltered = true},
	{.name = "net_null", .unfiltered = true},
	/*
	 * Two are announced for all chips, but those before the 82571 have one: what is sent on
	 * the other is accepted and goes nowhere. Under vfio-pci no link interrupt was seen.
	 */
	{.name = "net_e1000_em", .poll = true, .max_queues = 1},
	/* QEMU's device raises no link interrupt that the driver hears. */
	{.name = "net_vmxnet3", .poll = true},
};

static const struct port_driver plain = {.name = ""};

const struct port_driver *
port_driver_find(const char *name)
{
	for (unsigned int i = 0; i < RTE_DIM(drivers); i++) {
		if (strcmp(drivers[i].name, name) == 0)
			return &drivers[i];
	}
	return &plain;
}

void
port_driver_file(const struct rte_eth_dev_info *info, char *buf, size_t len)
{
	/* The structure that a driver registers lies in its file. */
	const struct rte_driver *drv = info->device != NULL ? rte_dev_driver(info->device) : NULL;
	Dl_info file;

	buf[0] = '\0';
	if (drv != NULL && dladdr(drv, &file) != 0 && file.dli_fname != NULL)
		snprintf(buf, len, "%s", file.dli_fname);
}

static uint16_t
at_least_one(uint16_t n)
{
	return n > 0 ? n : 1;
}

static uint16_t
less(uint16_t a, uint16_t b)
{
	return a < b ? a : b;
}

static uint16_t
more(uint16_t a, uint16_t b)
{
	return a > b ? a : b;
}

uint16_t
port_driver_queues(const struct port_driver *drv, uint16_t announced)
{
	return drv->max_queues != 0 ? less(announced, drv->max_queues) : announced;
}

unsigned int
port_queue_plan(const struct rte_eth_dev_info *info, const struct port_driver *drv, uint16_t n_rxq,
	uint16_t n_workers, struct port_queues out[PORT_QUEUE_TRIES])
{
	const uint16_t max_rx = port_driver_queues(drv, info->max_rx_queues);
	const uint16_t max_tx = port_driver_queues(drv, info->max_tx_queues);
	const uint16_t workers = at_least_one(n_workers);
	const uint16_t tx = less(workers, max_tx);
	const uint16_t rx = drv->all_rx ? max_rx : less(at_least_one(n_rxq), max_rx);
	unsigned int n = 0;

	if (!drv->paired) {
		/*
		 * Only where each worker has a queue of its own: where not, there is a
		 * hand-off ring anyway, and it serves the control lcore as well.
		 */
		if (tx == workers && max_tx > tx)
			out[n++] = (struct port_queues){rx, tx, true};
		out[n++] = (struct port_queues){rx, tx, false};
	}
	if (drv->paired || rx != tx) {
		const uint16_t pairs = less(more(rx, tx), less(max_rx, max_tx));
		const bool control = pairs > workers;

		/* The last pair is the control lcore's to send on if the workers do not need it. */
		out[n++] = (struct port_queues){
			.n_rxq = pairs,
			.n_txq = control ? (uint16_t)(pairs - 1) : pairs,
			.control_txq = control,
		};
	}
	return n;
}

uint32_t
port_mtu_max(const struct rte_eth_dev_info *info)
{
	uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
	uint32_t by_len;

	/* As the ethdev layer computes it when it checks an MTU. */
	if (info->max_mtu != UINT16_MAX && info->max_rx_pktlen > info->max_mtu)
		overhead = info->max_rx_pktlen - info->max_mtu;
	by_len = info->max_rx_pktlen > overhead ? info->max_rx_pktlen - overhead : 0;
	return RTE_MIN(by_len, (uint32_t)info->max_mtu);
}

uint16_t
port_mtu_wanted(const struct port_config *c, const struct rte_eth_dev_info *info)
{
	uint32_t tagged = c->vlan_mtu;

	if (tagged != 0 &&
		(tagged + RTE_VLAN_HLEN <= port_mtu_max(info) ||
			!port_driver_find(info->driver_name)->tag_beyond))
		tagged += RTE_VLAN_HLEN;
	return (uint16_t)RTE_MAX(tagged, (uint32_t)c->mtu);
}
