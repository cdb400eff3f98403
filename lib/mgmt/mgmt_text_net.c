/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_text_priv.h"

#include <inttypes.h>
#include <string.h>

#include "mgmt_json_priv.h"

static void
print_list(FILE *to, const char *word, const json_t *list)
{
	const json_t *item;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	fprintf(to, "\t%s", word);
	json_array_foreach (list, i, item)
		fprintf(to, " %s", json_string_value(item));
	fputc('\n', to);
}

/* " vlan 10 (tags out by device, in by koi)"; nothing for an untagged interface. */
static const char *
vlan_text(const json_t *v, char *buf, size_t len)
{
	buf[0] = '\0';
	if (get_u64(v, "vlan") != 0)
		snprintf(buf, len, " vlan %" PRIu64 " (tags out by %s, in by %s)",
			get_u64(v, "vlan"), get_bool(v, "vlan_strip") ? "device" : "koi",
			get_bool(v, "vlan_insert") ? "device" : "koi");
	return buf;
}

void
mgmt_text_if_one(FILE *to, const json_t *v)
{
	const json_t *addresses = json_object_get(v, "addresses"), *item;
	const char *reason = get_str(v, "vmac_reason");
	const json_t *warnings = json_object_get(v, "warnings");
	char vlan[64];
	size_t i;

	fprintf(to, "%s: %slink %s", get_str(v, "name"),
		get_bool(v, "admin_up") ? "" : "administratively down, ",
		get_bool(v, "link_up") ? "up" : "down");
	if (get_u64(v, "link_speed_mbps") != 0)
		fprintf(to, " %" PRIu64 " Mb/s", get_u64(v, "link_speed_mbps"));
	fprintf(to, " mtu %" PRIu64 "\n\tlladdr %s\n", get_u64(v, "mtu"), get_str(v, "mac"));
	json_array_foreach (addresses, i, item)
		fprintf(to, "\taddress %s\n", json_string_value(item));
	fprintf(to,
		"\tdevice %s%s driver %s port %" PRIu64 " numa %" JSON_INTEGER_FORMAT
		" queues rx %" PRIu64 " tx %" PRIu64 "%s\n",
		get_str(v, "device"), vlan_text(v, vlan, sizeof(vlan)), get_str(v, "driver"),
		get_u64(v, "port_id"), json_integer_value(json_object_get(v, "numa_node")),
		get_u64(v, "rx_queues"), get_u64(v, "tx_queues"),
		get_bool(v, "control_tx_queue") ? " (one of control)" : "");
	if (get_str(v, "driver_file")[0] != '\0')
		fprintf(to, "\tdriver file %s\n", get_str(v, "driver_file"));
	fprintf(to, "\tlink seen by %s, changed %" PRIu64 " times%s\n", get_str(v, "link_source"),
		get_u64(v, "link_changes"), get_bool(v, "tracked") ? ", tracked" : "");
	if (get_str(v, "out_of_service")[0] != '\0')
		fprintf(to, "\tout of service: %s\n", get_str(v, "out_of_service"));
	fprintf(to, "\tvmac %s", get_str(v, "vmac_mode"));
	if (reason[0] != '\0')
		fprintf(to, " (%s)", reason);
	else if (json_object_get(v, "vmac_slots") != NULL)
		fprintf(to, " (%" PRIu64 " of %" PRIu64 " slots)", get_u64(v, "vmacs"),
			get_u64(v, "vmac_slots"));
	fprintf(to, ", multicast %s\n", get_str(v, "multicast_mode"));
	json_array_foreach (warnings, i, item)
		fprintf(to, "\twarning %s\n", json_string_value(item));
	if (get_str(v, "host")[0] != '\0')
		fprintf(to, "\thost path by tap %s\n", get_str(v, "host"));
	print_list(to, "groups", json_object_get(v, "groups"));
}

void
mgmt_text_host(FILE *to, const json_t *v)
{
	const json_t *list = json_object_get(v, "taps"), *t;
	size_t i;

	if (json_array_size(list) == 0)
		fputs("no interface has a host path\n", to);
	json_array_foreach (list, i, t) {
		fprintf(to, "%s: tap %s, VIPs there %" PRIu64 "\n", get_str(t, "interface"),
			get_str(t, "tap"), get_u64(t, "vips"));
		if (get_str(t, "beside")[0] != '\0')
			fprintf(to, "\tthe kernel's %s is kept out of it\n", get_str(t, "beside"));
		fprintf(to,
			"\tto the kernel %" PRIu64 ", paced %" PRIu64 " (at most %" PRIu64
			"/s), written %" PRIu64 ", not taken %" PRIu64 "\n",
			get_u64(t, "to_host"), get_u64(t, "paced"), get_u64(t, "rate_pps"),
			get_u64(t, "written"), get_u64(t, "write_failed"));
		fprintf(to,
			"\tfrom the kernel %" PRIu64 ", let through %" PRIu64 ", refused %" PRIu64
			"\n",
			get_u64(t, "read"), get_u64(t, "from_host"), get_u64(t, "refused"));
		if (get_u64(t, "settings_refused") != 0)
			fprintf(to,
				"\tthe kernel did not take %" PRIu64 " addresses or rules: %s\n",
				get_u64(t, "settings_refused"), get_str(t, "settings_error"));
	}
}

/* A line for what is as it should be; what follows from the rest on a second one. */
void
mgmt_text_preflight(FILE *to, const json_t *v)
{
	const json_t *list = json_object_get(v, "checks"), *c;
	size_t i;

	fprintf(to, "%s\n", get_str(v, "name"));
	json_array_foreach (list, i, c) {
		fprintf(to, "\t%-7s %-11s %s: %s\n", get_str(c, "level"), get_str(c, "key"),
			get_str(c, "need"), get_str(c, "given"));
		if (get_str(c, "consequence")[0] != '\0')
			fprintf(to, "\t%-19s -> %s\n", "", get_str(c, "consequence"));
	}
}

void
mgmt_text_if_all(FILE *to, const json_t *v)
{
	const json_t *list = json_object_get(v, "interfaces"), *item;
	size_t i;

	json_array_foreach (list, i, item)
		mgmt_text_if_one(to, item);
}

void
mgmt_text_port_stats(FILE *to, const json_t *v)
{
	const json_t *list = json_object_get(v, "ports"), *p;
	size_t i;

	json_array_foreach (list, i, p) {
		fprintf(to, "%s (port %" PRIu64 ")\n", get_str(p, "device"), get_u64(p, "port_id"));
		if (!get_bool(p, "valid")) {
			fputs("\tthe driver gives no counters\n", to);
			continue;
		}
		fprintf(to,
			"\trx frames %" PRIu64 " bytes %" PRIu64 " missed %" PRIu64
			" errors %" PRIu64 " nombuf %" PRIu64 "\n",
			get_u64(p, "rx_frames"), get_u64(p, "rx_bytes"), get_u64(p, "rx_missed"),
			get_u64(p, "rx_errors"), get_u64(p, "rx_nombuf"));
		fprintf(to, "\ttx frames %" PRIu64 " bytes %" PRIu64 " errors %" PRIu64 "\n",
			get_u64(p, "tx_frames"), get_u64(p, "tx_bytes"), get_u64(p, "tx_errors"));
	}
}

void
mgmt_text_neighbors(FILE *to, const json_t *v)
{
	const json_t *list = json_object_get(v, "neighbors"), *n;
	int address = mgmt_text_width(list, "address", 15);
	size_t i;

	fprintf(to, "%-*s %-17s %-15s %-10s %4s %s\n", address, "address", "lladdr", "interface",
		"state", "held", "age");
	json_array_foreach (list, i, n) {
		const char *mac = get_str(n, "mac");

		fprintf(to, "%-*s %-17s %-15s %-10s %4" PRIu64 " %.1f s\n", address,
			get_str(n, "address"), mac[0] != '\0' ? mac : "-", get_str(n, "interface"),
			get_str(n, "state"), get_u64(n, "held"),
			(double)get_u64(n, "updated_ms_ago") / 1000.0);
	}
}

void
mgmt_text_ra(FILE *to, const json_t *v)
{
	const json_t *list = json_object_get(v, "routers"), *r;
	size_t i;

	if (json_array_size(list) == 0)
		fputs("no interface sends router advertisements\n", to);
	json_array_foreach (list, i, r) {
		fprintf(to, "%s: %s on %s, from %s (%s)", get_str(r, "group"), get_str(r, "state"),
			get_str(r, "interface"), get_str(r, "address"), get_str(r, "mac"));
		if (get_bool(r, "sending"))
			fprintf(to, ", next in %.1f s", (double)get_u64(r, "next_ms") / 1000.0);
		fprintf(to,
			"\n\tevery %" PRIu64 " to %" PRIu64 " s, lifetime %" PRIu64
			" s, preference %s\n",
			get_u64(r, "min_interval_s"), get_u64(r, "max_interval_s"),
			get_u64(r, "lifetime_s"), get_str(r, "preference"));
		if (get_str(r, "prefixes")[0] != '\0')
			fprintf(to, "\tprefixes %s\n", get_str(r, "prefixes"));
		fprintf(to,
			"\tsent %" PRIu64 ", with lifetime 0 %" PRIu64 ", repeated %" PRIu64
			", solicitations %" PRIu64 "\n",
			get_u64(r, "sent"), get_u64(r, "final"), get_u64(r, "repeated"),
			get_u64(r, "solicitations"));
	}
}
