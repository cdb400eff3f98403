/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "host_path.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dp.h"
#include "host.h"

_Static_assert(HOST_NETDEV_MAX == IF_NAMESIZE, "the same");

/*
 * The netdev that the kernel has of a device beside koi, which sees every frame that koi sees. What
 * the tap driver names is the other end of a wire, somebody else's.
 */
static void
netdev_beside(uint16_t port_id, char name[HOST_NETDEV_MAX])
{
	struct rte_eth_dev_info info;

	name[0] = '\0';
	if (rte_eth_dev_info_get(port_id, &info) != 0 || info.if_index == 0 ||
		(strcmp(info.driver_name, "net_af_packet") != 0 &&
			strcmp(info.driver_name, "net_pcap") != 0))
		return;
	if (if_indextoname(info.if_index, name) == NULL)
		name[0] = '\0';
}

int
host_path_start(struct host_path *p, const struct conf *conf, struct dp *dp,
	const uint16_t *if_port_id, const uint8_t (*if_mac)[BASE_MAC_LEN], uint16_t data_room,
	char *err, unsigned int err_len)
{
	char netdev[CONF_IF_MAX][HOST_NETDEV_MAX];
	struct host_config config = {
		.conf = conf,
		.dp = dp,
		.if_mac = if_mac,
		.if_netdev = (const char(*)[HOST_NETDEV_MAX])netdev,
	};

	if (!host_wanted(conf))
		return 0;
	/* Without caches: who allocates is no lcore, who frees does so seldom. */
	p->pool = rte_pktmbuf_pool_create(
		"koi_host", HOST_POOL_FRAMES, 0, dp_meta_size(), data_room, (int)rte_socket_id());
	if (p->pool == NULL) {
		snprintf(err, err_len, "no memory for %u packet buffers of the host path: %s",
			HOST_POOL_FRAMES, rte_strerror(rte_errno));
		return -1;
	}
	for (uint16_t i = 0; i < conf->n_ifs; i++)
		netdev_beside(if_port_id[i], netdev[i]);
	config.pool = p->pool;
	p->host = host_start(&config, err, err_len);
	return p->host != NULL ? 0 : -1;
}

void
host_path_stop(struct host_path *p)
{
	host_stop(p->host);
	p->host = NULL;
}

void
host_path_free(struct host_path *p)
{
	rte_mempool_free(p->pool);
	p->pool = NULL;
}
