/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>

#include "compat_removal.h"
#include "port_netdev_priv.h"
#include "port_priv.h"

static void
list_devices(char *buf, size_t len)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	size_t at = 0;

	snprintf(buf, len, "none");
	for (uint16_t id = 0; id < RTE_MAX_ETHPORTS && at < len; id++) {
		int n;

		if (!rte_eth_dev_is_valid_port(id) || rte_eth_dev_get_name_by_port(id, name) != 0)
			continue;
		n = snprintf(buf + at, len - at, "%s%s", at ? ", " : "", name);
		at += n > 0 ? (size_t)n : 0;
	}
}

static struct rte_ether_addr
to_ether(const uint8_t mac[BASE_MAC_LEN])
{
	struct rte_ether_addr a;

	memcpy(a.addr_bytes, mac, sizeof(a.addr_bytes));
	return a;
}

static int
add_mac(uint16_t port_id, const uint8_t mac[BASE_MAC_LEN])
{
	struct rte_ether_addr a = to_ether(mac);

	return rte_eth_dev_mac_addr_add(port_id, &a, 0);
}

static int
remove_mac(uint16_t port_id, const uint8_t mac[BASE_MAC_LEN])
{
	struct rte_ether_addr a = to_ether(mac);

	return rte_eth_dev_mac_addr_remove(port_id, &a);
}

static int
set_multicast(uint16_t port_id, const uint8_t (*macs)[BASE_MAC_LEN], uint16_t n)
{
	struct rte_ether_addr *list;
	int ret;

	if (n == 0)
		return rte_eth_dev_set_mc_addr_list(port_id, NULL, 0);
	list = calloc(n, sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	for (uint16_t i = 0; i < n; i++)
		list[i] = to_ether(macs[i]);
	ret = rte_eth_dev_set_mc_addr_list(port_id, list, n);
	free(list);
	return ret;
}

static int
set_promiscuous(uint16_t port_id, bool on)
{
	return on ? rte_eth_promiscuous_enable(port_id) : rte_eth_promiscuous_disable(port_id);
}

static bool
get_promiscuous(uint16_t port_id)
{
	return rte_eth_promiscuous_get(port_id) == 1;
}

static int
set_allmulticast(uint16_t port_id, bool on)
{
	return on ? rte_eth_allmulticast_enable(port_id) : rte_eth_allmulticast_disable(port_id);
}

static bool
get_allmulticast(uint16_t port_id)
{
	return rte_eth_allmulticast_get(port_id) == 1;
}

static int
identity(uint16_t port_id, char *buf, size_t len)
{
	struct rte_eth_dev_info info;
	const struct rte_devargs *args;
	int ret = rte_eth_dev_info_get(port_id, &info);
	int n;

	if (ret != 0)
		return ret;
	args = rte_dev_devargs(info.device);
	n = snprintf(buf, len, "%s%s%s", rte_dev_name(info.device),
		args != NULL && args->args != NULL && args->args[0] != '\0' ? "," : "",
		args != NULL && args->args != NULL ? args->args : "");
	return n < 0 || (size_t)n >= len ? -ENAMETOOLONG : 0;
}

static int
remove_device(uint16_t port_id)
{
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_info_get(port_id, &info);

	if (ret != 0)
		return ret;
	/* Of a device that is not there any more these may fail; it goes all the same. */
	(void)rte_eth_dev_stop(port_id);
	(void)rte_eth_dev_close(port_id);
	return rte_dev_remove(info.device);
}

/*
 * Few drivers raise INTR_RMV, while the bus of most devices tells: both are the same to us. One
 * writer at a time: main, then the port thread.
 */
static struct removal {
	struct compat_removal *watch;
	rte_eth_dev_cb_fn cb;
	void *arg;
	uint16_t port_id;
} removals[RTE_MAX_ETHPORTS];

static void
removal(void *arg)
{
	const struct removal *r = arg;

	r->cb(r->port_id, RTE_ETH_EVENT_INTR_RMV, r->arg, NULL);
}

static int
event_register(uint16_t port_id, enum rte_eth_event_type type, rte_eth_dev_cb_fn cb, void *arg)
{
	int ret = rte_eth_dev_callback_register(port_id, type, cb, arg);
	struct rte_eth_dev_info info;
	struct removal *r;

	if (ret != 0 || type != RTE_ETH_EVENT_INTR_RMV)
		return ret;
	r = &removals[port_id];
	if (r->watch == NULL && rte_eth_dev_info_get(port_id, &info) == 0) {
		r->cb = cb;
		r->arg = arg;
		r->port_id = port_id;
		(void)compat_removal_watch(info.device, removal, r, &r->watch);
	}
	return 0;
}

static int
event_unregister(uint16_t port_id, enum rte_eth_event_type type, rte_eth_dev_cb_fn cb, void *arg)
{
	if (type == RTE_ETH_EVENT_INTR_RMV && port_id < RTE_MAX_ETHPORTS) {
		compat_removal_unwatch(removals[port_id].watch);
		removals[port_id].watch = NULL;
	}
	return rte_eth_dev_callback_unregister(port_id, type, cb, arg);
}

const struct port_ops port_ops_real = {
	.find = rte_eth_dev_get_port_by_name,
	.list = list_devices,
	.info = rte_eth_dev_info_get,
	.socket = rte_eth_dev_socket_id,
	.mac = rte_eth_macaddr_get,
	.configure = rte_eth_dev_configure,
	.desc_adjust = rte_eth_dev_adjust_nb_rx_tx_desc,
	.rxq_setup = rte_eth_rx_queue_setup,
	.txq_setup = rte_eth_tx_queue_setup,
	.mtu_get = rte_eth_dev_get_mtu,
	.mtu_set = rte_eth_dev_set_mtu,
	.start = rte_eth_dev_start,
	.stop = rte_eth_dev_stop,
	.close = rte_eth_dev_close,
	.mac_add = add_mac,
	.mac_remove = remove_mac,
	.multicast_set = set_multicast,
	.promiscuous_set = set_promiscuous,
	.promiscuous_get = get_promiscuous,
	.allmulticast_set = set_allmulticast,
	.allmulticast_get = get_allmulticast,
	.link = rte_eth_link_get_nowait,
	.event_register = event_register,
	.event_unregister = event_unregister,
	.identity = identity,
	.reset = rte_eth_dev_reset,
	.remove = remove_device,
	.probe = rte_dev_probe,
	.steer = port_steer_rule,
	.steer_flush = port_steer_flush,
	.rss_first = port_rss_first,
	.stats = rte_eth_stats_get,
	.netdev_open = port_netdev_open,
	.netdev_watch_open = port_netdev_watch_open,
	.netdev_link = port_netdev_link,
	.netdev_promiscuous = port_netdev_promiscuous,
};
