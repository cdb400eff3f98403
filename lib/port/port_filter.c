/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_errno.h>

#include "port_priv.h"

static const char *
error_text(int ret)
{
	/* The libc's "Operation not supported" hides that it is the driver that does not. */
	return ret == -ENOTSUP ? "not supported" : rte_strerror(-ret);
}

static void
promiscuous_off(const struct port_ops *ops, struct port_set *s, struct port_dev *d)
{
	if (d->netdev_promiscuous)
		ops->netdev_promiscuous(s->netdev_fd, d->if_index, false);
	if (d->promiscuous)
		ops->promiscuous_set(d->id, false);
	d->netdev_promiscuous = false;
	d->promiscuous = false;
	d->promiscuous_on = false;
}

/*
 * A netdev is made promiscuous through a socket of our own: the drivers set IFF_PROMISC, which
 * stays on after a crash, while a membership goes with the process.
 */
static int
promiscuous_on(const struct port_ops *ops, struct port_set *s, struct port_dev *d)
{
	int ret;

	if (d->promiscuous_on)
		return 0;
	if (d->if_index != 0 && s->netdev_fd >= 0 &&
		ops->netdev_promiscuous(s->netdev_fd, d->if_index, true) == 0) {
		d->netdev_promiscuous = true;
		d->promiscuous_on = true;
		return 0;
	}
	if (ops->promiscuous_get(d->id)) {
		/* Not by us, so not ours to turn off. */
		d->promiscuous_on = true;
		return 0;
	}
	ret = ops->promiscuous_set(d->id, true);
	if (ret == 0) {
		d->promiscuous = true;
		d->promiscuous_on = true;
	}
	return ret;
}

static void
remove_filters(const struct port_ops *ops, struct port_dev *d)
{
	while (d->n_filters > 0)
		ops->mac_remove(d->id, d->vmacs[--d->n_filters]);
}

static int
add_filters(const struct port_ops *ops, struct port_dev *d, char *reason, size_t reason_len)
{
	int ret;

	while (d->n_filters < d->n_vmacs) {
		ret = ops->mac_add(d->id, d->vmacs[d->n_filters]);
		if (ret == 0) {
			d->n_filters++;
			continue;
		}
		if (d->n_filters == 0)
			snprintf(reason, reason_len, "%s: mac_addr_add: %s", d->now.info.driver,
				error_text(ret));
		else
			snprintf(reason, reason_len,
				"%s: mac_addr_add: %s after %u of %u addresses", d->now.info.driver,
				error_text(ret), d->n_filters, d->n_vmacs);
		/* A part would be of no use beside promiscuous mode. */
		remove_filters(ops, d);
		return ret;
	}
	return 0;
}

/* Filter slots are not tried, and why. */
static bool
filters_pointless(const struct port_facts *f, uint16_t n_vmacs, char *reason, size_t reason_len)
{
	const uint32_t slots = port_facts_slots(f);

	if (f->policy == PORT_VMAC_NEVER_FILTER)
		snprintf(reason, reason_len, "\"vmac-filter\" is \"promiscuous\"");
	else if (n_vmacs > slots)
		snprintf(reason, reason_len,
			"%s: %u vMAC%s, %" PRIu32 " filter slot%s (max_mac_addrs %" PRIu32 ")",
			f->driver, n_vmacs, n_vmacs == 1 ? "" : "s", slots, slots == 1 ? "" : "s",
			f->max_macs);
	else if (f->policy == PORT_VMAC_AUTO && port_facts_prunes(f))
		snprintf(reason, reason_len,
			"%s of DPDK %u.%02u drops the peer's adverts when it filters", f->driver,
			f->release / 100, f->release % 100);
	else
		return false;
	return true;
}

/* After filters were refused for the reason in info. */
static int
fall_back(struct port_set *s, struct port_dev *d, char *err, unsigned int err_len)
{
	struct port_info *i = &d->now.info;
	int ret;

	if (i->vmac_policy == PORT_VMAC_REQUIRE && d->drv->unfiltered) {
		i->vmac_mode = PORT_VMAC_UNFILTERED;
		return 0;
	}
	if (i->vmac_policy == PORT_VMAC_REQUIRE) {
		snprintf(err, err_len,
			"%s: no filter for the groups' MACs, and \"vmac-filter\" is \"require\": %s",
			i->device, i->vmac_reason);
		return -ENOTSUP;
	}
	i->vmac_mode = PORT_VMAC_PROMISCUOUS;
	ret = promiscuous_on(s->ops, s, d);
	if (ret == -ENOTSUP && d->drv->unfiltered) {
		i->vmac_mode = PORT_VMAC_UNFILTERED;
		return 0;
	}
	if (ret != 0)
		snprintf(err, err_len,
			"%s: no way to receive the groups' MACs: %s; promiscuous mode: %s",
			i->device, i->vmac_reason, error_text(ret));
	return ret;
}

static int
set_vmacs(struct port_set *s, struct port_dev *d, char *err, unsigned int err_len)
{
	struct port_info *i = &d->now.info;

	i->vmac_reason[0] = '\0';
	if (filters_pointless(&d->facts, d->n_vmacs, i->vmac_reason, sizeof(i->vmac_reason)))
		return fall_back(s, d, err, err_len);
	if (add_filters(s->ops, d, i->vmac_reason, sizeof(i->vmac_reason)) != 0)
		return fall_back(s, d, err, err_len);
	i->vmac_mode = PORT_VMAC_FILTER;
	return 0;
}

/*
 * Who hears the all-nodes group of IPv6 has a link-local address, and is to hear who asks for it
 * (RFC 4291 2.7.1). It is made of the MAC, which is known once the device runs.
 */
static int
multicast_list_set(const struct port_ops *ops, const struct port_dev *d)
{
	static const uint8_t all_nodes[BASE_MAC_LEN] = {0x33, 0x33, 0, 0, 0, 1};
	const uint8_t *mac = d->now.info.mac;
	const uint8_t asks[BASE_MAC_LEN] = {0x33, 0x33, 0xff, mac[3], mac[4], mac[5]};
	uint8_t(*list)[BASE_MAC_LEN] = calloc(d->n_mcasts + 1u, sizeof(*list));
	uint16_t n = d->n_mcasts;
	int ret;

	if (list == NULL)
		return -ENOMEM;
	memcpy(list, d->mcasts, n * sizeof(*list));
	if (port_has_mac(list, n, all_nodes) && !port_has_mac(list, n, asks))
		memcpy(list[n++], asks, sizeof(asks));
	ret = ops->multicast_set(d->id, (const uint8_t(*)[BASE_MAC_LEN])list, n);
	free(list);
	return ret;
}

static int
set_multicast(struct port_set *s, struct port_dev *d, char *err, unsigned int err_len)
{
	const struct port_ops *ops = s->ops;
	struct port_info *i = &d->now.info;
	const char *mode;
	int ret = 0, promiscuous;

	ret = multicast_list_set(ops, d);
	if (ret == 0) {
		d->multicast = true;
		mode = "list";
	} else if (ops->allmulticast_get(d->id)) {
		ret = 0;
		mode = "allmulticast";
	} else if ((ret = ops->allmulticast_set(d->id, true)) == 0) {
		d->allmulticast = true;
		mode = "allmulticast";
	} else if ((promiscuous = promiscuous_on(ops, s, d)) == 0) {
		ret = 0;
		mode = "promiscuous";
	} else if (d->drv->unfiltered) {
		ret = 0;
		mode = "unfiltered";
	} else {
		snprintf(err, err_len,
			"%s: no way to receive multicast: all multicast: %s; promiscuous mode: %s",
			i->device, error_text(ret), error_text(promiscuous));
		mode = "none";
	}
	snprintf(i->multicast_mode, sizeof(i->multicast_mode), "%s", mode);
	return ret;
}

int
port_filter_apply(struct port_set *s, struct port_dev *d, char *err, unsigned int err_len)
{
	struct port_info *i = &d->now.info;
	int ret = 0;

	i->vmac_mode = PORT_VMAC_FILTER;
	i->vmac_reason[0] = '\0';
	i->multicast_mode[0] = '\0';
	if (d->n_vmacs > 0)
		ret = set_vmacs(s, d, err, err_len);
	if (ret == 0 && d->n_mcasts > 0)
		ret = set_multicast(s, d, err, err_len);
	d->now.filter_ok = ret == 0;
	return ret;
}

void
port_filter_undo(struct port_set *s, struct port_dev *d)
{
	const struct port_ops *ops = s->ops;

	if (d->multicast)
		ops->multicast_set(d->id, NULL, 0);
	if (d->allmulticast)
		ops->allmulticast_set(d->id, false);
	d->multicast = false;
	d->allmulticast = false;
	promiscuous_off(ops, s, d);
	remove_filters(ops, d);
}

/*
 * The ethdev layer remembers what it programmed and does not ask the driver again, so each setting
 * has to be taken back first. Promiscuous mode covers the time between where it can be had.
 */
static int
refresh_vmacs(struct port_set *s, struct port_dev *d, char *err, unsigned int err_len)
{
	const struct port_info *i = &d->now.info;
	int ret, off = 0;

	if (d->promiscuous) {
		/* A membership at a netdev is the kernel's to keep. */
		off = s->ops->promiscuous_set(d->id, false);
		d->promiscuous = off != 0;
		d->promiscuous_on = d->promiscuous;
	}
	ret = promiscuous_on(s->ops, s, d);
	(void)ret; /* without it there is a gap, but no other way */
	remove_filters(s->ops, d);
	ret = set_vmacs(s, d, err, err_len);
	if (ret == 0 && i->vmac_mode == PORT_VMAC_PROMISCUOUS) {
		if (off != 0)
			snprintf(err, err_len, "%s: promiscuous mode: %s", i->device,
				error_text(off));
		return off;
	}
	if (strcmp(i->multicast_mode, "promiscuous") != 0)
		promiscuous_off(s->ops, s, d);
	return ret;
}

int
port_filter_refresh(struct port_set *s, struct port_dev *d, char *err, unsigned int err_len)
{
	int ret = 0;

	if (d->n_vmacs > 0)
		ret = refresh_vmacs(s, d, err, err_len);
	if (d->n_mcasts > 0) {
		int multicast;

		if (d->allmulticast)
			s->ops->allmulticast_set(d->id, false);
		d->allmulticast = false;
		multicast = set_multicast(s, d, ret == 0 ? err : NULL, ret == 0 ? err_len : 0);
		ret = ret != 0 ? ret : multicast;
	}
	d->now.filter_ok = ret == 0;
	return ret;
}

/* Put the addresses of c in the place of d's, which c has then. Nothing about the device. */
static void
swap_lists(struct port_dev *d, struct port_change *c)
{
	RTE_SWAP(d->n_vmacs, c->n_vmacs);
	RTE_SWAP(d->vmacs, c->vmacs);
	RTE_SWAP(d->n_mcasts, c->n_mcasts);
	RTE_SWAP(d->mcasts, c->mcasts);
}

static bool
same_macs(uint8_t (*a)[BASE_MAC_LEN], uint16_t n_a, uint8_t (*b)[BASE_MAC_LEN], uint16_t n_b)
{
	for (uint16_t i = 0; i < n_a; i++)
		if (!port_has_mac(b, n_b, a[i]))
			return false;
	return n_a == n_b;
}

/* Put in those of c that the device has not. @return 0, or an error, and it has what it had */
static int
add_missing(const struct port_ops *ops, const struct port_dev *d, const struct port_change *c)
{
	int ret = 0;
	uint16_t k;

	for (k = 0; ret == 0 && k < c->n_vmacs; k++)
		if (!port_has_mac(d->vmacs, d->n_vmacs, c->vmacs[k]))
			ret = ops->mac_add(d->id, c->vmacs[k]);
	while (ret != 0 && --k > 0)
		if (!port_has_mac(d->vmacs, d->n_vmacs, c->vmacs[k - 1]))
			ops->mac_remove(d->id, c->vmacs[k - 1]);
	return ret;
}

/* The others of the device go. */
static void
remove_missing(const struct port_ops *ops, const struct port_dev *d, const struct port_change *c)
{
	for (uint16_t k = 0; k < d->n_vmacs; k++)
		if (!port_has_mac(c->vmacs, c->n_vmacs, d->vmacs[k]))
			ops->mac_remove(d->id, d->vmacs[k]);
}

/* What is wanted now is set as at start. @param mcasts  multicast, too: its list is another one */
static int
set_anew(struct port_set *s, struct port_dev *d, bool mcasts, char *err, unsigned int err_len)
{
	struct port_info *i = &d->now.info;
	int ret = 0;

	i->vmac_mode = PORT_VMAC_FILTER;
	i->vmac_reason[0] = '\0';
	if (d->n_vmacs > 0)
		ret = set_vmacs(s, d, err, err_len);
	if (d->n_mcasts > 0) {
		int multicast = set_multicast(s, d, ret == 0 ? err : NULL, ret == 0 ? err_len : 0);

		ret = ret != 0 ? ret : multicast;
	} else if (mcasts) {
		if (d->multicast)
			s->ops->multicast_set(d->id, NULL, 0);
		d->multicast = false;
		i->multicast_mode[0] = '\0';
	}
	if (d->allmulticast && strcmp(i->multicast_mode, "allmulticast") != 0) {
		s->ops->allmulticast_set(d->id, false);
		d->allmulticast = false;
	}
	if (ret == 0 && i->vmac_mode == PORT_VMAC_FILTER &&
		strcmp(i->multicast_mode, "promiscuous") != 0)
		promiscuous_off(s->ops, s, d);
	return ret;
}

/*
 * The lists of d and c change places, and the device has filters of the new one's already, or none
 * but is promiscuous.
 */
static void
exchange(struct port_set *s, struct port_dev *d, struct port_change *c)
{
	char why[PORT_REASON_MAX];

	if (d->n_filters > 0 && d->n_filters == d->n_vmacs && c->n_vmacs > 0 &&
		!filters_pointless(&d->facts, c->n_vmacs, why, sizeof(why)) &&
		add_missing(s->ops, d, c) == 0) {
		remove_missing(s->ops, d, c);
		d->n_filters = c->n_vmacs;
	} else {
		/* without it there is a gap, but no other way */
		(void)promiscuous_on(s->ops, s, d);
		remove_filters(s->ops, d);
	}
	swap_lists(d, c);
}

int
port_filter_change(struct port_set *s, struct port_dev *d, struct port_change *c, char *err,
	unsigned int err_len)
{
	const bool mcasts = !same_macs(d->mcasts, d->n_mcasts, c->mcasts, c->n_mcasts);
	char why[PORT_REASON_MAX];
	int ret;

	c->same = !mcasts && same_macs(d->vmacs, d->n_vmacs, c->vmacs, c->n_vmacs);
	if (c->same)
		return 0;
	if (d->phase != PORT_PHASE_SERVES || !d->now.filter_ok) {
		remove_filters(s->ops, d);
		swap_lists(d, c);
		/* One that is out of service is given them when it is back. */
		if (d->phase == PORT_PHASE_SERVES)
			(void)port_filter_refresh(s, d, err, err_len);
		return 0;
	}
	exchange(s, d, c);
	ret = set_anew(s, d, mcasts, err, err_len);
	if (ret != 0) {
		exchange(s, d, c);
		d->now.filter_ok = set_anew(s, d, mcasts, why, sizeof(why)) == 0;
	}
	return ret;
}
