/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Interfaces, ports, neighbours. */
#include "mgmt_view_priv.h"

#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "dp.h"
#include "fib_nbr.h"
#include "host.h"
#include "port.h"

#include "mgmt_json_priv.h"
#include "mgmt_marks_priv.h"

const char *
mgmt_mac_str(const uint8_t mac[BASE_MAC_LEN], char buf[MGMT_MAC_STR])
{
	snprintf(buf, MGMT_MAC_STR, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		mac[4], mac[5]);
	return buf;
}

const char *
mgmt_if_name(const struct mgmt_config *c, uint16_t if_index)
{
	return if_index < c->conf->n_ifs ? c->conf->ifs[if_index].name : "";
}

const char *
mgmt_group_name(const struct mgmt_config *c, uint16_t group)
{
	return group < c->conf->n_groups ? c->conf->groups[group].name : "";
}

uint16_t
mgmt_group_nth(const struct mgmt_config *c, uint64_t n)
{
	for (uint16_t i = 0; i < c->conf->n_groups; i++)
		if (!c->conf->groups[i].unused && n-- == 0)
			return i;
	return UINT16_MAX;
}

uint16_t
mgmt_group_count(const struct mgmt_config *c)
{
	uint16_t n = 0;

	for (uint16_t i = 0; i < c->conf->n_groups; i++)
		n = (uint16_t)(n + !c->conf->groups[i].unused);
	return n;
}

bool
mgmt_addr_parse(const char *p, size_t n, struct base_addr *out)
{
	char text[CONF_ADDR_STR];

	if (n >= sizeof(text))
		return false;
	memcpy(text, p, n);
	text[n] = '\0';
	return conf_addr_parse(text, out) == 0;
}

bool
mgmt_mac_parse(const char *p, size_t n, uint8_t mac[BASE_MAC_LEN])
{
	char text[MGMT_MAC_STR];

	if (n != sizeof(text) - 1)
		return false;
	memcpy(text, p, n);
	text[n] = '\0';
	return conf_mac_parse(text, mac);
}

static bool
same_name(const char *have, const char *name, size_t len)
{
	return strlen(have) == len && memcmp(have, name, len) == 0;
}

uint16_t
mgmt_if_find(const struct mgmt_config *c, const char *name, size_t len)
{
	for (uint16_t i = 0; i < c->conf->n_ifs; i++)
		if (same_name(c->conf->ifs[i].name, name, len))
			return i;
	return UINT16_MAX;
}

uint16_t
mgmt_group_find(const struct mgmt_config *c, const char *name, size_t len)
{
	for (uint16_t i = 0; i < c->conf->n_groups; i++)
		if (!c->conf->groups[i].unused && same_name(c->conf->groups[i].name, name, len))
			return i;
	return UINT16_MAX;
}

/* What is lost on a device, in short; the table has more. */
static json_t *
warnings_of(const struct mgmt_config *c, uint16_t id)
{
	struct port_check check[PORT_CHECKS_MAX];
	const unsigned int n = port_set_preflight(c->ports, c->if_port[id], check);
	json_t *list = json_array();

	for (unsigned int i = 0; i < n; i++)
		if (check[i].level >= PORT_CHECK_WARN)
			json_array_append_new(
				list, json_sprintf("%s: %s", check[i].key, check[i].given));
	return list;
}

static json_t *
if_view(const struct mgmt_config *c, uint16_t id)
{
	const struct conf_if *ifc = &c->conf->ifs[id];
	json_t *o = json_object(), *addresses = json_array(), *groups = json_array();
	struct host_if_view host;
	struct port_info p = {0};
	char mac[MGMT_MAC_STR], addr[CONF_ADDR_STR];
	base_ns_t now = dp_clock();

	port_set_info(c->ports, c->if_port[id], &p);
	for (uint16_t i = 0; i < ifc->n_addresses; i++)
		json_array_append_new(
			addresses, json_string(conf_prefix_str(&ifc->addresses[i], addr)));
	for (uint16_t i = 0; i < c->conf->n_groups; i++)
		if (c->conf->groups[i].if_index == id && !c->conf->groups[i].unused)
			json_array_append_new(groups, json_string(c->conf->groups[i].name));

	put_str(o, "name", ifc->name);
	put_str(o, "device", ifc->device);
	put_u64(o, "vlan", ifc->vlan);
	put_str(o, "driver", p.driver);
	put_str(o, "driver_file", p.driver_file);
	put_u64(o, "port_id", p.port_id);
	put_bool(o, "admin_up", dp_if_is_up(c->dp, id));
	put_bool(o, "link_up", p.link_up);
	put_u64(o, "link_speed_mbps", p.link_speed_mbps);
	put_u64(o, "link_changes", p.link_changes);
	put_str(o, "link_source", p.link_source);
	put_str(o, "out_of_service", p.out_of_service);
	put_u64(o, "outages", p.n_outages);
	put_u64(o, "mtu", ifc->mtu);
	put_u64(o, "device_mtu", p.mtu);
	put_str(o, "mac", mgmt_mac_str(p.mac, mac));
	put_str(o, "host", host_if_view(c->host, id, &host) ? host.tap : "");
	json_object_set_new(o, "addresses", addresses);
	json_object_set_new(o, "groups", groups);
	put_str(o, "vmac_mode", port_vmac_mode_name(p.vmac_mode));
	put_str(o, "vmac_reason", p.vmac_reason);
	put_u64(o, "vmacs", p.n_vmacs);
	if (p.vmac_slots != UINT32_MAX)
		put_u64(o, "vmac_slots", p.vmac_slots);
	put_str(o, "multicast_mode", p.multicast_mode);
	put_bool(o, "vlan_strip", p.vlan_strip);
	put_bool(o, "vlan_insert", p.vlan_insert);
	json_object_set_new(o, "warnings", warnings_of(c, id));
	put_u64(o, "rx_queues", p.n_rxq);
	put_u64(o, "tx_queues", p.n_txq);
	put_bool(o, "control_tx_queue", p.control_txq);
	put_bool(o, "control_rx_queue", p.control_rxq);
	json_object_set_new(o, "numa_node", json_integer(p.socket_id));
	put_bool(o, "tracked", ifc->track || json_array_size(groups) > 0);
	put_u64(o, "rx_horizon_age_us",
		base_ns_since(now, dp_rx_horizon(c->dp, id)) / BASE_NS_PER_US);
	return o;
}

/* A tap and its counters; NULL when the interface has none. */
static json_t *
host_view(const struct mgmt_config *c, uint16_t id)
{
	struct dp_host_stats s;
	struct host_if_view v;
	json_t *o;

	if (!host_if_view(c->host, id, &v))
		return NULL;
	dp_host_stats(c->dp, id, &s);
	o = json_object();
	put_str(o, "interface", c->conf->ifs[id].name);
	put_str(o, "tap", v.tap);
	put_str(o, "beside", v.netdev);
	put_u64(o, "rate_pps", v.rate_pps);
	put_u64(o, "vips", v.vips);
	put_u64(o, "to_host", s.to_host);
	put_u64(o, "paced", s.paced);
	put_u64(o, "written", v.written);
	put_u64(o, "write_failed", v.write_failed);
	put_u64(o, "read", v.read);
	put_u64(o, "from_host", s.from_host);
	put_u64(o, "refused", s.refused);
	put_u64(o, "settings_refused", v.refused);
	put_str(o, "settings_error", v.last_error != 0 ? strerror(v.last_error) : "");
	return o;
}

json_t *
mgmt_view_host(const struct mgmt_config *c, const struct mgmt_args *a)
{
	json_t *o = json_object(), *list = json_array(), *row;

	(void)a;
	for (uint16_t i = 0; i < c->conf->n_ifs; i++) {
		row = host_view(c, i);
		if (row != NULL)
			json_array_append_new(list, row);
	}
	json_object_set_new(o, "taps", list);
	return o;
}

json_t *
mgmt_view_if_one(const struct mgmt_config *c, const struct mgmt_args *a)
{
	return if_view(c, a->if_index);
}

json_t *
mgmt_view_preflight(const struct mgmt_config *c, const struct mgmt_args *a)
{
	struct port_check check[PORT_CHECKS_MAX];
	const unsigned int n = port_set_preflight(c->ports, c->if_port[a->if_index], check);
	json_t *o = json_object(), *list = json_array(), *row;

	put_str(o, "name", mgmt_if_name(c, a->if_index));
	for (unsigned int i = 0; i < n; i++) {
		row = json_object();
		put_str(row, "key", check[i].key);
		put_str(row, "level", port_check_level_name(check[i].level));
		put_str(row, "need", check[i].need);
		put_str(row, "given", check[i].given);
		put_str(row, "consequence", check[i].consequence);
		json_array_append_new(list, row);
	}
	json_object_set_new(o, "checks", list);
	return o;
}

json_t *
mgmt_view_if_all(const struct mgmt_config *c, const struct mgmt_args *a)
{
	json_t *o = json_object(), *list = json_array();

	(void)a;
	for (uint16_t i = 0; i < c->conf->n_ifs; i++)
		json_array_append_new(list, if_view(c, i));
	json_object_set_new(o, "interfaces", list);
	return o;
}

json_t *
mgmt_view_if_list(const struct mgmt_config *c, const struct mgmt_args *a)
{
	json_t *o = json_object(), *list = json_array();
	uint64_t i = a->offset, n = c->conf->n_ifs;

	for (; i < n && (a->limit == 0 || i - a->offset < a->limit); i++)
		json_array_append_new(list, json_string(c->conf->ifs[i].name));
	json_object_set_new(o, "interfaces", list);
	put_u64(o, "count", n);
	put_u64(o, "next", i < n ? i : 0);
	return o;
}

json_t *
mgmt_view_port_stats(const struct mgmt_config *c, const struct mgmt_args *a)
{
	json_t *o = json_object(), *list = json_array(), *p;

	(void)a;
	for (uint16_t i = 0; i < port_set_count(c->ports); i++) {
		struct port_info info = {0};
		struct port_stats s = {0};

		port_set_info(c->ports, i, &info);
		p = json_object();
		put_str(p, "device", info.device);
		put_u64(p, "port_id", info.port_id);
		put_bool(p, "valid", mgmt_since_port(c, i, &s) == 0);
		put_u64(p, "rx_frames", s.rx_frames);
		put_u64(p, "rx_bytes", s.rx_bytes);
		put_u64(p, "rx_missed", s.rx_missed);
		put_u64(p, "rx_errors", s.rx_errors);
		put_u64(p, "rx_nombuf", s.rx_nombuf);
		put_u64(p, "tx_frames", s.tx_frames);
		put_u64(p, "tx_bytes", s.tx_bytes);
		put_u64(p, "tx_errors", s.tx_errors);
		json_array_append_new(list, p);
	}
	json_object_set_new(o, "ports", list);
	return o;
}

json_t *
mgmt_view_neighbors(const struct mgmt_config *c, const struct mgmt_args *a)
{
	json_t *o = json_object(), *list = json_array();
	base_ns_t now = dp_clock();
	uint64_t seen = 0, shown = 0, next = 0;
	struct fib_nbr_row rows[64];
	uint32_t cursor = 0, n;

	while ((n = fib_nbr_rows(c->nbr, &cursor, rows, 64)) > 0) {
		for (uint32_t i = 0; i < n; i++) {
			char text[CONF_ADDR_STR], mac[MGMT_MAC_STR];
			json_t *item;

			if ((a->has_if && rows[i].if_index != a->if_index) ||
				(a->addr.family != BASE_FAMILY_NONE &&
					memcmp(&a->addr, &rows[i].addr, sizeof(a->addr)) != 0))
				continue;
			if (seen++ < a->offset)
				continue;
			if (a->limit != 0 && shown == a->limit) {
				next = a->offset + shown;
				goto out;
			}
			shown++;
			item = json_object();
			put_str(item, "address", conf_addr_str(&rows[i].addr, text));
			put_str(item, "interface", mgmt_if_name(c, rows[i].if_index));
			put_str(item, "state", fib_nbr_state_name(rows[i].state));
			put_str(item, "mac",
				rows[i].state == FIB_NBR_INCOMPLETE ||
						rows[i].state == FIB_NBR_FAILED
					? ""
					: mgmt_mac_str(rows[i].mac, mac));
			put_bool(item, "static", rows[i].state == FIB_NBR_STATIC);
			put_u64(item, "held", rows[i].held);
			put_u64(item, "updated_ms_ago",
				base_ns_since(now, rows[i].updated) / BASE_NS_PER_MS);
			json_array_append_new(list, item);
		}
	}
out:
	json_object_set_new(o, "neighbors", list);
	put_u64(o, "next", next);
	return o;
}
