/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef DEVICES_H
#define DEVICES_H

#include "conf.h"
#include "port.h"

/**
 * @file
 * What the configuration asks of its devices. Interfaces of one device share its link, filters and
 * MTU: a vMAC or multicast address that several of them need is needed once.
 */

struct devices {
	uint16_t n;
	struct port_config config[CONF_PORT_MAX]; /**< in the order of conf's devices */
	uint8_t (*macs)[BASE_MAC_LEN];		  /**< what their lists point into */
};

/** All but the queues' descriptors and sockets. @return 0 or -ENOMEM; free with devices_free() */
int devices_from_conf(const struct conf *conf, uint16_t n_workers, struct devices *out);
void devices_free(struct devices *d);

/** "em0", "em0, em0.10": the interfaces of a device. */
const char *devices_names(const struct conf *conf, uint16_t device, char *buf, size_t len);

/** Tell on stderr how frames to the shared MACs reach us, which depends on the driver. */
void devices_tell(const struct conf *conf, uint16_t device, const struct port_info *p);
/** Tell what the preflight table warns of; the whole is shown by "show interface IF preflight". */
void devices_tell_checks(const struct conf *conf, uint16_t device, const struct port_set *ports);

#endif
