/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * The preflight table: what koi needs, what device and driver give, what follows. Computed from
 * facts alone, so that it can be had for a device that is not started.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_errno.h>

#include "compat_version.h"
#include "port_priv.h"

enum fault_when { FAULT_ALWAYS, FAULT_STOCK };
enum fault_effect { FAULT_TELL, FAULT_PRUNES };

static const struct fault {
	const char *driver;
	unsigned int before;
	enum fault_when when;
	enum fault_effect effect;
	enum port_check_level level;
	const char *need, *what, *remedy;
} faults[] = {
#define PORT_FAULT(driver, before, when, effect, level, need, what, remedy) \
	{driver, before, FAULT_##when, FAULT_##effect, PORT_CHECK_##level, need, what, remedy},
#include "faults.def"
};

static const struct fix {
	const char *driver;
	unsigned int release, point;
} fixes[] = {
#define PORT_UNPRUNED(driver, release, point) {driver, release, point},
#include "faults.def"
};

const char *
port_check_level_name(enum port_check_level l)
{
	static const char *const names[] = {"ok", "note", "warning", "fails"};

	return names[l];
}

const char *
port_vmac_mode_name(enum port_vmac_mode m)
{
	static const char *const names[] = {"filter", "promiscuous", "unfiltered"};

	return names[m];
}

void
port_facts_fill(struct port_facts *f, const struct rte_eth_dev_info *info,
	const struct port_config *c, uint16_t n_vmacs, uint16_t n_mcasts)
{
	const uint32_t flags = info->dev_flags != NULL ? *info->dev_flags : 0;
	const struct port_driver *drv = port_driver_find(info->driver_name);

	*f = (struct port_facts){
		.release = compat_dpdk_release(),
		.point = compat_dpdk_point(),
		.max_rxq = port_driver_queues(drv, info->max_rx_queues),
		.max_txq = port_driver_queues(drv, info->max_tx_queues),
		.min_mtu = info->min_mtu,
		.max_mtu = port_mtu_max(info),
		.rx_desc = info->rx_desc_lim,
		.tx_desc = info->tx_desc_lim,
		.max_macs = info->max_mac_addrs,
		.lsc = !drv->poll && (flags & RTE_ETH_DEV_INTR_LSC) != 0,
		.rmv = (flags & RTE_ETH_DEV_INTR_RMV) != 0,
		.vlan_strip = (info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_STRIP) != 0,
		.vlan_insert = (info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_VLAN_INSERT) != 0,
		.n_rxq = c->n_rxq,
		.n_workers = c->n_workers,
		.n_rx_desc = c->n_rx_desc,
		.n_tx_desc = c->n_tx_desc,
		.mtu = port_mtu_wanted(c, info),
		.vlan_mtu = c->vlan_mtu,
		.n_vmacs = n_vmacs,
		.n_mcasts = n_mcasts,
		.policy = c->vmac_policy,
	};
	snprintf(f->driver, sizeof(f->driver), "%s", info->driver_name);
}

uint32_t
port_facts_slots(const struct port_facts *f)
{
	return f->max_macs == 0 ? UINT32_MAX : f->max_macs - 1;
}

/* Cured in the stable series of the release. */
static bool
fixed_in_series(const struct fault *x, const struct port_facts *f)
{
	for (unsigned int i = 0; x->effect == FAULT_PRUNES && i < RTE_DIM(fixes); i++)
		if (strcmp(fixes[i].driver, f->driver) == 0 && fixes[i].release == f->release &&
			f->point >= fixes[i].point)
			return true;
	return false;
}

static bool
fault_applies(const struct fault *x, const struct port_facts *f)
{
	return strcmp(x->driver, f->driver) == 0 &&
		(x->before == 0 || (f->release < x->before && !fixed_in_series(x, f))) &&
		(x->when == FAULT_ALWAYS || f->max_macs <= 1);
}

bool
port_facts_prunes(const struct port_facts *f)
{
	for (unsigned int i = 0; i < RTE_DIM(faults); i++)
		if (faults[i].effect == FAULT_PRUNES && fault_applies(&faults[i], f))
			return true;
	return false;
}

struct table {
	struct port_check *row;
	unsigned int n;
};

static struct port_check *
row_add(struct table *t, const char *key, enum port_check_level level)
{
	/* The number of kinds of rows and of faults of one driver is known. */
	struct port_check *r = &t->row[RTE_MIN(t->n, PORT_CHECKS_MAX - 1u)];

	t->n = RTE_MIN(t->n + 1, (unsigned int)PORT_CHECKS_MAX);
	*r = (struct port_check){.level = level};
	snprintf(r->key, sizeof(r->key), "%s", key);
	return r;
}

#define SET(field, ...) snprintf(field, sizeof(field), __VA_ARGS__)

static const char *
plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}

static void
vmac_before(struct port_check *r, const struct port_facts *f)
{
	const bool fits = f->n_vmacs <= port_facts_slots(f);

	if (f->policy == PORT_VMAC_NEVER_FILTER) {
		SET(r->consequence, "promiscuous mode and the software gate, as configured");
	} else if (fits && (f->policy == PORT_VMAC_REQUIRE || !port_facts_prunes(f))) {
		SET(r->consequence, "a filter slot for each vMAC");
	} else if (f->policy == PORT_VMAC_REQUIRE && !port_driver_find(f->driver)->unfiltered) {
		r->level = PORT_CHECK_FAIL;
		SET(r->consequence, "refused: \"vmac-filter\" is \"require\"");
	} else if (f->policy == PORT_VMAC_REQUIRE) {
		r->level = PORT_CHECK_NOTE;
		SET(r->consequence, "every frame arrives, the software gate decides");
	} else {
		r->level = PORT_CHECK_NOTE;
		SET(r->consequence, "promiscuous mode and the software gate");
	}
}

static void
vmac_row(struct table *t, const struct port_facts *f, const struct port_info *got)
{
	struct port_check *r = row_add(t, "vmac", PORT_CHECK_OK);

	SET(r->need, "frames to %u vMAC%s", f->n_vmacs, plural(f->n_vmacs));
	if (f->max_macs == 0)
		SET(r->given, "number of filter slots not told");
	else
		SET(r->given, "%" PRIu32 " filter slot%s (max_mac_addrs %" PRIu32 ")",
			f->max_macs - 1, plural(f->max_macs - 1), f->max_macs);
	if (f->n_vmacs == 0) {
		SET(r->consequence, "no group here");
		return;
	}
	if (got == NULL) {
		vmac_before(r, f);
		return;
	}
	switch (got->vmac_mode) {
	case PORT_VMAC_FILTER:
		SET(r->consequence, "a filter slot for each vMAC");
		break;
	case PORT_VMAC_PROMISCUOUS:
		r->level = f->policy == PORT_VMAC_NEVER_FILTER ? PORT_CHECK_OK : PORT_CHECK_NOTE;
		SET(r->consequence, "promiscuous mode and the software gate: %s", got->vmac_reason);
		break;
	case PORT_VMAC_UNFILTERED:
		r->level = PORT_CHECK_NOTE;
		SET(r->consequence, "every frame arrives, the software gate decides: %s",
			got->vmac_reason);
		break;
	}
}

static void
multicast_row(struct table *t, const struct port_facts *f, const struct port_info *got)
{
	struct port_check *r = row_add(t, "multicast", PORT_CHECK_OK);

	SET(r->need, "frames to %u multicast address%s", f->n_mcasts, f->n_mcasts == 1 ? "" : "es");
	if (got == NULL) {
		SET(r->given, "known when it is tried");
		SET(r->consequence, "a list, else all multicast, else promiscuous mode");
		return;
	}
	SET(r->given, "%s", got->multicast_mode[0] != '\0' ? got->multicast_mode : "not wanted");
	if (f->n_mcasts > 0 && strcmp(got->multicast_mode, "list") != 0) {
		r->level = PORT_CHECK_NOTE;
		SET(r->consequence, "more frames than needed arrive");
	}
}

static void
link_row(struct table *t, const struct port_facts *f, const char *source)
{
	struct port_check *r = row_add(t, "link", PORT_CHECK_OK);

	(void)f;
	SET(r->need, "changes of the link, soon");
	SET(r->given, "%s", source);
	SET(r->consequence,
		strcmp(source, "poll") == 0 ? "the link is read again and again, without waiting"
					    : "seen at once");
}

static void
queues_row(struct table *t, const struct port_facts *f)
{
	struct port_check *r = row_add(t, "queues", PORT_CHECK_OK);

	SET(r->need, "%u to receive, %u to send, one of them for adverts alone", f->n_rxq,
		f->n_workers + 1);
	SET(r->given, "at most %u and %u", f->max_rxq, f->max_txq);
	if (f->max_rxq < f->n_rxq || f->max_txq < f->n_workers) {
		r->level = PORT_CHECK_NOTE;
		SET(r->consequence, "workers share queues; frames are handed over between them");
	} else if (f->max_txq < f->n_workers + 1u || port_driver_find(f->driver)->paired) {
		r->level = PORT_CHECK_NOTE;
		SET(r->consequence, "adverts go by a worker's queue, ahead of its own frames");
	}
}

static uint16_t
desc_fit(uint16_t want, const struct rte_eth_desc_lim *lim)
{
	uint32_t n = want;

	/* As the ethdev layer does it. */
	if (lim->nb_align > 1)
		n = (n + lim->nb_align - 1) / lim->nb_align * lim->nb_align;
	if (lim->nb_max != 0 && n > lim->nb_max)
		n = lim->nb_max;
	return (uint16_t)RTE_MAX(n, (uint32_t)lim->nb_min);
}

static void
descriptors_row(struct table *t, const struct port_facts *f, const struct port_info *got)
{
	struct port_check *r = row_add(t, "descriptors", PORT_CHECK_OK);
	const uint16_t rx = got != NULL ? got->n_rx_desc : desc_fit(f->n_rx_desc, &f->rx_desc);
	const uint16_t tx = got != NULL ? got->n_tx_desc : desc_fit(f->n_tx_desc, &f->tx_desc);

	SET(r->need, "%u to receive, %u to send", f->n_rx_desc, f->n_tx_desc);
	SET(r->given, "%u to %u by %u, %u to %u by %u", f->rx_desc.nb_min, f->rx_desc.nb_max,
		RTE_MAX(f->rx_desc.nb_align, (uint16_t)1), f->tx_desc.nb_min, f->tx_desc.nb_max,
		RTE_MAX(f->tx_desc.nb_align, (uint16_t)1));
	if (rx != f->n_rx_desc || tx != f->n_tx_desc) {
		r->level = PORT_CHECK_NOTE;
		SET(r->consequence, "%u and %u are used", rx, tx);
	}
}

static void
mtu_row(struct table *t, const struct port_facts *f)
{
	struct port_check *r = row_add(t, "mtu", PORT_CHECK_OK);

	SET(r->need, "%u bytes", f->mtu);
	SET(r->given, "%u to %" PRIu32, f->min_mtu, f->max_mtu);
	if (f->mtu != 0 && (f->mtu > f->max_mtu || f->mtu < f->min_mtu)) {
		r->level = PORT_CHECK_FAIL;
		SET(r->consequence, "refused");
	}
}

static void
steer_row(struct table *t, const struct port_facts *f, const struct port_info *got)
{
	struct port_check *r = row_add(t, "steering", PORT_CHECK_OK);
	char kinds[128]; /* of all of them, however they are told */

	SET(r->need, "adverts, ARP and ND in a receive queue of their own (rte_flow)");
	if (got == NULL) {
		SET(r->given, "known when it is tried");
		SET(r->consequence, "a queue more where the driver takes the rules");
		return;
	}
	port_steer_list(got->steered, kinds, sizeof(kinds));
	SET(r->given, "%s%s%s", kinds[0] != '\0' ? kinds : "none",
		got->steer_reason[0] != '\0' ? ": " : "", got->steer_reason);
	if (got->steered == port_steer_all(f->vlan_mtu != 0))
		return;
	r->level = PORT_CHECK_NOTE;
	SET(r->consequence,
		"%s lost beside other frames when workers cannot keep up; rx_missed of show port "
		"stats counts them",
		got->steered != 0 ? "the others are" : "they are");
}

static void
vlan_row(struct table *t, const struct port_facts *f)
{
	struct port_check *r;

	if (f->vlan_mtu == 0)
		return;
	r = row_add(t, "vlan", PORT_CHECK_OK);
	SET(r->need, "802.1Q tags out of frames and into frames");
	SET(r->given, "%s",
		f->vlan_strip		 ? f->vlan_insert ? "both" : "out of them"
			: f->vlan_insert ? "into them"
					 : "neither");
	if (!f->vlan_strip || !f->vlan_insert) {
		r->level = PORT_CHECK_NOTE;
		SET(r->consequence, "koi does %s itself",
			f->vlan_strip || f->vlan_insert ? "the other" : "both");
	}
}

static void
removal_row(struct table *t, const struct port_facts *f)
{
	struct port_check *r = row_add(t, "removal", PORT_CHECK_OK);

	SET(r->need, "to be told when the device goes");
	SET(r->given, f->rmv ? "interrupt" : "the driver does not tell");
	if (!f->rmv) {
		r->level = PORT_CHECK_NOTE;
		SET(r->consequence,
			"PCI tells of it; elsewhere a device that goes is a link that goes, if the "
			"driver sees that");
	}
}

static void
fault_rows(struct table *t, const struct port_facts *f)
{
	for (unsigned int i = 0; i < RTE_DIM(faults); i++) {
		const struct fault *x = &faults[i];
		struct port_check *r;

		if (!fault_applies(x, f))
			continue;
		r = row_add(t, x->need, x->level);
		if (x->before != 0)
			SET(r->need, "known of %s before DPDK %u.%02u", x->driver, x->before / 100,
				x->before % 100);
		else
			SET(r->need, "known of %s", x->driver);
		SET(r->given, "%s", x->what);
		SET(r->consequence, "%s", x->remedy);
	}
}

unsigned int
port_preflight_rows(const struct port_facts *f, const struct port_info *got,
	const char *link_source, struct port_check out[PORT_CHECKS_MAX])
{
	struct table t = {.row = out};

	vmac_row(&t, f, got);
	multicast_row(&t, f, got);
	link_row(&t, f, link_source);
	queues_row(&t, f);
	descriptors_row(&t, f, got);
	mtu_row(&t, f);
	steer_row(&t, f, got);
	vlan_row(&t, f);
	removal_row(&t, f);
	fault_rows(&t, f);
	return t.n;
}

unsigned int
port_set_preflight(const struct port_set *s, uint16_t i, struct port_check out[PORT_CHECKS_MAX])
{
	struct port_facts facts;
	struct port_state st;

	if (i >= s->n)
		return 0;
	port_box_read(&s->dev[i].box, &st);
	facts = s->dev[i].facts;
	facts.n_vmacs = st.info.n_vmacs;
	facts.n_mcasts = st.info.n_mcasts;
	return port_preflight_rows(&facts, &st.info, st.info.link_source, out);
}

int
port_preflight_ops(const struct port_ops *ops, const struct port_config *c,
	struct port_check out[PORT_CHECKS_MAX], char *err, unsigned int err_len)
{
	struct rte_eth_dev_info info;
	struct port_facts f;
	uint16_t id;
	int ret = ops->find(c->device, &id);

	if (ret != 0) {
		snprintf(err, err_len, "%s: no such device", c->device);
		return -ENODEV;
	}
	memset(&info, 0, sizeof(info));
	ret = ops->info(id, &info);
	if (ret != 0) {
		snprintf(err, err_len, "%s: ask the driver: %s", c->device, rte_strerror(-ret));
		return ret;
	}
	port_facts_fill(&f, &info, c, c->n_vmacs, c->n_mcasts);
	return (int)port_preflight_rows(&f, NULL,
		port_driver_find(f.driver)->netdev && info.if_index != 0 ? "netdev"
			: f.lsc						 ? "interrupt"
									 : "poll",
		out);
}

int
port_preflight(const struct port_config *c, struct port_check out[PORT_CHECKS_MAX], char *err,
	unsigned int err_len)
{
	return port_preflight_ops(&port_ops_real, c, out, err, err_len);
}
