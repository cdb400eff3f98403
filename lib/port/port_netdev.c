/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "port_netdev_priv.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int
port_netdev_open(void)
{
	/* Protocol 0: it holds memberships and receives nothing. */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

int
port_netdev_watch_open(void)
{
	struct sockaddr_nl nl = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int ret;

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)(const void *)&nl, sizeof(nl)) != 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

int
port_netdev_link(int fd, unsigned int if_index, bool *up)
{
	struct ethtool_value carrier = {.cmd = ETHTOOL_GLINK};
	struct ifreq r;

	*up = false;
	memset(&r, 0, sizeof(r));
	/* The name each time anew: a netdev can be renamed. */
	r.ifr_ifindex = (int)if_index;
	if (ioctl(fd, SIOCGIFNAME, &r) != 0)
		return -errno;
	if (ioctl(fd, SIOCGIFFLAGS, &r) != 0)
		return -errno;
	if ((r.ifr_flags & IFF_UP) == 0)
		return 0;
	*up = (r.ifr_flags & IFF_RUNNING) != 0;
	/*
	 * IFF_RUNNING follows the kernel's link watch, which may hold back what it thinks is not
	 * urgent, a NIC's lost carrier too, until a second after its last report. The carrier
	 * itself is to be had at once.
	 */
	r.ifr_data = (char *)&carrier;
	if (ioctl(fd, SIOCETHTOOL, &r) == 0)
		*up = carrier.data != 0;
	return 0;
}

int
port_netdev_promiscuous(int fd, unsigned int if_index, bool on)
{
	struct packet_mreq m = {
		.mr_ifindex = (int)if_index,
		.mr_type = PACKET_MR_PROMISC,
	};

	if (setsockopt(fd, SOL_PACKET, on ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP, &m,
		    sizeof(m)) != 0)
		return -errno;
	return 0;
}
