/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef PORT_NETDEV_PRIV_H
#define PORT_NETDEV_PRIV_H

#include <stdbool.h>

/** @file The kernel's side of a device that stands on a netdev; see struct port_ops. */

int port_netdev_open(void);
int port_netdev_watch_open(void);
int port_netdev_link(int fd, unsigned int if_index, bool *up);
int port_netdev_promiscuous(int fd, unsigned int if_index, bool on);

#endif
