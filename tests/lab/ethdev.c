/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * lab_ethdev: one ethdev, told by lines on stdin what to do. It shows what a driver does where koi
 * would work around it.
 *
 *   lab_ethdev [EAL options] -- [MTU [DATA_ROOM]]
 *
 * Each command is answered by one line that begins with the return code of the ethdev call:
 *   info                     0 driver FILE max_macs N max_frame N max_mtu N lsc 0|1
 *   start | stop | link      0 [0|1]
 *   mac_add MAC | mac_del MAC | mc_set [MAC ...] | allmulticast 0|1 | promiscuous 0|1 | mtu N
 *   send N LENGTH            ACCEPTED: frames to the broadcast address that carry a number
 *   recv                     COUNT LENGTH ...: of the frames of ETHERTYPE waiting, at most 32
 *   stats                    0 ipackets N ierrors N imissed N opackets N oerrors N
 *   quit
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#define ETHERTYPE 0x88b5 /* for local experiments */
#define N_DESC	  512
#define BURST	  32
#define LINE_MAX_ 1024

static struct {
	uint16_t port;
	struct rte_mempool *pool;
	struct rte_ether_addr mac;
	uint32_t next; /* number of the next frame */
} d;

static int
configure(uint16_t mtu)
{
	struct rte_eth_conf conf;
	int ret;

	memset(&conf, 0, sizeof(conf));
	conf.rxmode.mtu = mtu;
	ret = rte_eth_dev_configure(d.port, 1, 1, &conf);
	if (ret == 0)
		ret = rte_eth_rx_queue_setup(d.port, 0, N_DESC, 0, NULL, d.pool);
	if (ret == 0)
		ret = rte_eth_tx_queue_setup(d.port, 0, N_DESC, 0, NULL);
	return ret;
}

static void
info(void)
{
	struct rte_eth_dev_info i;
	Dl_info file = {.dli_fname = "?"};
	int ret = rte_eth_dev_info_get(d.port, &i);

	if (ret == 0)
		(void)dladdr(rte_dev_driver(i.device), &file);
	printf("%d driver %s max_macs %u max_frame %u max_mtu %u lsc %d\n", ret, file.dli_fname,
		i.max_mac_addrs, i.max_rx_pktlen, i.max_mtu,
		(*i.dev_flags & RTE_ETH_DEV_INTR_LSC) != 0);
}

static void
show_link(void)
{
	struct rte_eth_link link;
	int ret;

	memset(&link, 0, sizeof(link));
	ret = rte_eth_link_get_nowait(d.port, &link);
	printf("%d %d\n", ret, link.link_status == RTE_ETH_LINK_UP);
}

static int
multicast_set(char *list)
{
	struct rte_ether_addr macs[BURST];
	uint32_t n = 0;

	for (char *save, *word = strtok_r(list, " ", &save); word != NULL && n < BURST;
		word = strtok_r(NULL, " ", &save))
		if (rte_ether_unformat_addr(word, &macs[n++]) != 0)
			return -EINVAL;
	return rte_eth_dev_set_mc_addr_list(d.port, macs, n);
}

/* One at a time, as control frames are. @return how many the driver accepted */
static unsigned int
send_frames(unsigned int n, uint16_t length)
{
	unsigned int accepted = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(d.pool);
		uint8_t *p;

		if (m == NULL)
			break;
		p = (uint8_t *)rte_pktmbuf_append(m, length);
		if (p == NULL || length < 18) {
			rte_pktmbuf_free(m);
			break;
		}
		memset(p, 0, length);
		memset(p, 0xff, RTE_ETHER_ADDR_LEN);
		memcpy(p + RTE_ETHER_ADDR_LEN, d.mac.addr_bytes, RTE_ETHER_ADDR_LEN);
		p[12] = ETHERTYPE >> 8;
		p[13] = ETHERTYPE & 0xff;
		for (int k = 0; k < 4; k++)
			p[14 + k] = (uint8_t)(d.next >> (24 - 8 * k));
		d.next++;
		if (rte_eth_tx_burst(d.port, 0, &m, 1) == 1)
			accepted++;
		else
			rte_pktmbuf_free(m);
	}
	return accepted;
}

static void
receive(void)
{
	struct rte_mbuf *m[BURST];
	unsigned int count = 0, len[BURST];
	uint16_t n;

	while (count < BURST && (n = rte_eth_rx_burst(d.port, 0, m, BURST)) > 0) {
		for (uint16_t i = 0; i < n; i++) {
			const uint8_t *p = rte_pktmbuf_mtod(m[i], const uint8_t *);

			if (count < BURST && p[12] == ETHERTYPE >> 8 && p[13] == (ETHERTYPE & 0xff))
				len[count++] = m[i]->pkt_len;
			rte_pktmbuf_free(m[i]);
		}
	}
	printf("%u", count);
	for (unsigned int i = 0; i < count; i++)
		printf(" %u", len[i]);
	printf("\n");
}

static void
stats(void)
{
	struct rte_eth_stats s;
	int ret = rte_eth_stats_get(d.port, &s);

	printf("%d ipackets %" PRIu64 " ierrors %" PRIu64 " imissed %" PRIu64 " opackets %" PRIu64
	       " oerrors %" PRIu64 "\n",
		ret, s.ipackets, s.ierrors, s.imissed, s.opackets, s.oerrors);
}

/* @return false at the end */
static bool
command(char *line)
{
	char *arg = strchr(line, ' ');
	struct rte_ether_addr mac;
	unsigned long value = 0;

	if (arg != NULL) {
		*arg++ = '\0';
		value = strtoul(arg, NULL, 10);
	} else {
		arg = line + strlen(line);
	}
	if (strcmp(line, "quit") == 0)
		return false;
	if (strcmp(line, "info") == 0)
		info();
	else if (strcmp(line, "start") == 0)
		printf("%d\n", rte_eth_dev_start(d.port));
	else if (strcmp(line, "stop") == 0)
		printf("%d\n", rte_eth_dev_stop(d.port));
	else if (strcmp(line, "link") == 0)
		show_link();
	else if (strcmp(line, "mac_add") == 0)
		printf("%d\n",
			rte_ether_unformat_addr(arg, &mac) != 0
				? -EINVAL
				: rte_eth_dev_mac_addr_add(d.port, &mac, 0));
	else if (strcmp(line, "mac_del") == 0)
		printf("%d\n",
			rte_ether_unformat_addr(arg, &mac) != 0
				? -EINVAL
				: rte_eth_dev_mac_addr_remove(d.port, &mac));
	else if (strcmp(line, "mc_set") == 0)
		printf("%d\n", multicast_set(arg));
	else if (strcmp(line, "allmulticast") == 0)
		printf("%d\n",
			value ? rte_eth_allmulticast_enable(d.port)
			      : rte_eth_allmulticast_disable(d.port));
	else if (strcmp(line, "promiscuous") == 0)
		printf("%d\n",
			value ? rte_eth_promiscuous_enable(d.port)
			      : rte_eth_promiscuous_disable(d.port));
	else if (strcmp(line, "mtu") == 0)
		printf("%d\n", rte_eth_dev_set_mtu(d.port, (uint16_t)value));
	else if (strcmp(line, "send") == 0)
		printf("%u\n",
			send_frames((unsigned int)value,
				(uint16_t)strtoul(
					strchr(arg, ' ') ? strchr(arg, ' ') : "60", NULL, 10)));
	else if (strcmp(line, "recv") == 0)
		receive();
	else if (strcmp(line, "stats") == 0)
		stats();
	else
		printf("-22 unknown command %s\n", line);
	fflush(stdout);
	return true;
}

int
main(int argc, char **argv)
{
	char line[LINE_MAX_];
	uint16_t mtu = 0, room = RTE_MBUF_DEFAULT_BUF_SIZE;
	int n = rte_eal_init(argc, argv), ret;

	if (n < 0)
		return 1;
	if (argc - n > 1)
		mtu = (uint16_t)strtoul(argv[n + 1], NULL, 10);
	if (argc - n > 2)
		room = (uint16_t)strtoul(argv[n + 2], NULL, 10);
	d.port = (uint16_t)rte_eth_find_next(0);
	d.pool = rte_pktmbuf_pool_create("frames", 2047, 32, 0, room, SOCKET_ID_ANY);
	if (d.port >= RTE_MAX_ETHPORTS || d.pool == NULL) {
		printf("-19 no device or no memory\n");
		return 1;
	}
	(void)rte_eth_macaddr_get(d.port, &d.mac);
	ret = configure(mtu);
	printf("%d ready\n", ret);
	fflush(stdout);
	while (ret == 0 && fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (!command(line))
			break;
	}
	if (ret == 0) {
		(void)rte_eth_dev_stop(d.port);
		(void)rte_eth_dev_close(d.port);
	}
	rte_eal_cleanup();
	return ret == 0 ? 0 : 1;
}
