/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addresses.h"

static enum port_vmac_policy
vmac_policy(enum conf_vmac_filter f)
{
	switch (f) {
	case CONF_VMAC_FILTER_REQUIRE:
		return PORT_VMAC_REQUIRE;
	case CONF_VMAC_FILTER_PROMISCUOUS:
		return PORT_VMAC_NEVER_FILTER;
	case CONF_VMAC_FILTER_AUTO:
		break;
	}
	return PORT_VMAC_AUTO;
}

static uint16_t
larger(uint16_t a, uint16_t b)
{
	return a > b ? a : b;
}

/* Append an address unless it is among the n from `from` on. @return how many there are then */
static uint16_t
add(uint8_t (*from)[BASE_MAC_LEN], uint16_t n, const uint8_t mac[BASE_MAC_LEN])
{
	for (uint16_t i = 0; i < n; i++)
		if (memcmp(from[i], mac, BASE_MAC_LEN) == 0)
			return n;
	memcpy(from[n], mac, BASE_MAC_LEN);
	return (uint16_t)(n + 1);
}

static uint16_t
vmacs(const struct conf *conf, uint16_t device, uint8_t (*to)[BASE_MAC_LEN])
{
	uint8_t vmac[BASE_MAC_LEN];
	uint16_t n = 0;

	for (uint16_t g = 0; g < conf->n_groups; g++) {
		if (conf->groups[g].unused ||
			conf->ifs[conf->groups[g].if_index].device_index != device)
			continue;
		base_vmac(conf->groups[g].vhid, vmac);
		n = add(to, n, vmac);
	}
	return n;
}

/* The lists of all interfaces, and how long they are together. @return 0 or -ENOMEM */
static int
mcast_lists(const struct conf *conf, uint8_t (**list)[BASE_MAC_LEN], uint16_t *n, size_t *all)
{
	for (uint16_t i = 0; i < conf->n_ifs; i++) {
		n[i] = addresses_mcast_list(conf, i, &list[i]);
		if (list[i] == NULL)
			return -ENOMEM;
		*all += n[i];
	}
	return 0;
}

int
devices_from_conf(const struct conf *conf, uint16_t n_workers, struct devices *out)
{
	uint8_t(*mcast[CONF_IF_MAX])[BASE_MAC_LEN] = {NULL}, (*free_at)[BASE_MAC_LEN];
	uint16_t n_mcast[CONF_IF_MAX];
	size_t all = (size_t)conf->n_groups + 1;
	int ret;

	memset(out, 0, sizeof(*out));
	ret = mcast_lists(conf, mcast, n_mcast, &all);
	if (ret != 0)
		goto done;
	out->macs = calloc(all, sizeof(*out->macs));
	if (out->macs == NULL) {
		ret = -ENOMEM;
		goto done;
	}
	free_at = out->macs;
	out->n = conf->n_devices;
	for (uint16_t d = 0; d < conf->n_devices; d++) {
		const struct conf_if *first = &conf->ifs[conf->device_if[d]];
		struct port_config *c = &out->config[d];

		snprintf(c->device, sizeof(c->device), "%s", first->device);
		c->n_rxq = n_workers;
		c->n_workers = n_workers;
		c->vmac_policy = vmac_policy(first->vmac_filter);
		c->n_vmacs = vmacs(conf, d, free_at);
		c->vmacs = (const uint8_t(*)[BASE_MAC_LEN])free_at;
		free_at += c->n_vmacs;
		c->mcasts = (const uint8_t(*)[BASE_MAC_LEN])free_at;
		for (uint16_t i = 0; i < conf->n_ifs; i++) {
			const struct conf_if *f = &conf->ifs[i];
			uint16_t *mtu = f->vlan != 0 ? &c->vlan_mtu : &c->mtu;

			if (f->device_index != d)
				continue;
			*mtu = larger(*mtu, f->mtu);
			for (uint16_t k = 0; k < n_mcast[i]; k++)
				c->n_mcasts = add(free_at, c->n_mcasts, mcast[i][k]);
		}
		free_at += c->n_mcasts;
	}
done:
	for (uint16_t i = 0; i < conf->n_ifs; i++)
		free(mcast[i]);
	return ret;
}

void
devices_free(struct devices *d)
{
	free(d->macs);
	d->macs = NULL;
}

const char *
devices_names(const struct conf *conf, uint16_t device, char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = '\0';
	for (uint16_t i = 0; i < conf->n_ifs && at < len; i++) {
		if (conf->ifs[i].device_index == device)
			at += (size_t)snprintf(
				buf + at, len - at, "%s%s", at == 0 ? "" : ", ", conf->ifs[i].name);
	}
	return buf;
}

void
devices_tell(const struct conf *conf, uint16_t device, const struct port_info *p)
{
	static const char *const how[] = {
		[PORT_VMAC_FILTER] = "by address filter",
		[PORT_VMAC_PROMISCUOUS] = "by promiscuous mode and software gate",
		[PORT_VMAC_UNFILTERED] = "unfiltered, by software gate",
	};
	char names[512];

	fprintf(stderr, "koi: %s: device %s (%s%s%s), %u RX and %u TX queues, %u vMAC%s %s",
		devices_names(conf, device, names, sizeof(names)), p->device, p->driver,
		p->driver_file[0] != '\0' ? " of " : "", p->driver_file, p->n_rxq, p->n_txq,
		p->n_vmacs, p->n_vmacs == 1 ? "" : "s", how[p->vmac_mode]);
	if (p->vmac_reason[0] != '\0')
		fprintf(stderr, " (%s)", p->vmac_reason);
	else if (p->vmac_slots != UINT32_MAX)
		fprintf(stderr, " (%u slots)", p->vmac_slots);
	fprintf(stderr, ", multicast %s, link by %s: %s\n",
		p->multicast_mode[0] != '\0' ? p->multicast_mode : "not needed", p->link_source,
		p->link_up ? "up" : "down");
}

void
devices_tell_checks(const struct conf *conf, uint16_t device, const struct port_set *ports)
{
	static struct port_check check[PORT_CHECKS_MAX];
	const unsigned int n = port_set_preflight(ports, device, check);
	char names[512];

	for (unsigned int k = 0; k < n; k++)
		if (check[k].level >= PORT_CHECK_WARN)
			fprintf(stderr, "koi: %s: warning: %s: %s: %s\n",
				devices_names(conf, device, names, sizeof(names)), check[k].need,
				check[k].given, check[k].consequence);
}
