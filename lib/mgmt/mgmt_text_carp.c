/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The looks of ifconfig and netstat on the BSDs (protocol note 8), so that scripts carry over. */
#include "mgmt_text_priv.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

#include "mgmt_json_priv.h"

static void
print_flags(FILE *to, unsigned int flags)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} names[] = {
		{0x1, "UP"},
		{0x2, "BROADCAST"},
		{0x40, "RUNNING"},
		{0x800, "SIMPLEX"},
		{0x8000, "MULTICAST"},
	};
	const char *sep = "";

	fprintf(to, "flags=%x<", flags);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (flags & names[i].bit) {
			fprintf(to, "%s%s", sep, names[i].name);
			sep = ",";
		}
	}
	fputc('>', to);
}

static void
print_address(FILE *to, const char *prefix)
{
	char addr[64], *slash;
	uint32_t ip, mask;
	struct in_addr in;
	unsigned long plen;

	snprintf(addr, sizeof(addr), "%s", prefix);
	slash = strchr(addr, '/');
	if (!slash)
		return;
	*slash = '\0';
	plen = strtoul(slash + 1, NULL, 10);
	if (inet_pton(AF_INET, addr, &in) != 1) {
		fprintf(to, "\tinet6 %s prefixlen %lu\n", addr, plen);
		return;
	}
	mask = base_ip4_mask((uint8_t)plen);
	fprintf(to, "\tinet %s netmask 0x%08x", addr, mask);
	if (plen < 31) {
		ip = ntohl(in.s_addr) | ~mask;
		in.s_addr = htonl(ip);
		fprintf(to, " broadcast %s", inet_ntop(AF_INET, &in, addr, sizeof(addr)));
	}
	fputc('\n', to);
}

static void
print_suspicions(FILE *to, const json_t *v)
{
	if (get_bool(v, "split_brain_suspected"))
		fprintf(to, "\tsplit brain suspected for %.1f s: %s\n",
			(double)get_u64(v, "split_since_ms") / 1000.0, get_str(v, "split_reasons"));
	if (get_str(v, "warn")[0] != '\0')
		fprintf(to, "\twarning for %.1f s: %s\n",
			(double)get_u64(v, "warn_since_ms") / 1000.0, get_str(v, "warn"));
}

static void
print_stage(FILE *to, const json_t *v)
{
	const json_t *peers = json_object_get(v, "stage_peers"), *peer;
	size_t i;

	if (get_str(v, "stage_text")[0] != '\0')
		fprintf(to, "\t%s\n", get_str(v, "stage_text"));
	if (get_str(v, "stage_failed")[0] != '\0')
		fprintf(to, "\t\tnot applied yet: %s; it is tried again\n",
			get_str(v, "stage_failed"));
	json_array_foreach (peers, i, peer)
		fprintf(to, "\t\t%s\n", json_string_value(peer));
}

void
mgmt_text_carp_group(FILE *to, const json_t *v)
{
	const json_t *addresses = json_object_get(v, "addresses"), *item;
	const char *state = get_str(v, "state"), *master = get_str(v, "master_ip");
	const char *heard = get_str(v, "heard_from");
	size_t i;

	fprintf(to, "%s: ", get_str(v, "name"));
	print_flags(to, (unsigned int)get_u64(v, "flags"));
	fprintf(to, " mtu %" PRIu64 "\n\tlladdr %s\n", get_u64(v, "mtu"), get_str(v, "vmac"));
	fprintf(to,
		"\tcarp: %s carpdev %s vhid %" PRIu64 " advbase %" PRIu64 " advskew %" PRIu64 "\n",
		state, get_str(v, "carpdev"), get_u64(v, "vhid"), get_u64(v, "advbase"),
		get_u64(v, "advskew"));
	json_array_foreach (addresses, i, item)
		print_address(to, json_string_value(item));
	fprintf(to, "\tvips %zu fingerprint %s\n", json_array_size(addresses),
		get_str(v, "vip_fingerprint"));
	fprintf(to, "\tsince %.1f s, cause \"%s\", demotion %" PRIu64,
		(double)get_u64(v, "state_since_ms") / 1000.0, get_str(v, "last_cause"),
		get_u64(v, "demotion"));
	if (strcmp(state, "BACKUP") == 0 && master[0] != '\0')
		fprintf(to, ", master %s", master);
	else if (heard[0] != '\0')
		fprintf(to, ", last master %s", heard);
	if (get_bool(v, "handing_over"))
		fputs(", handing over", to);
	fputc('\n', to);
	print_stage(to, v);
	print_suspicions(to, v);
}

void
mgmt_text_carp_all(FILE *to, const json_t *v)
{
	const json_t *groups = json_object_get(v, "groups"), *g;
	size_t i;

	json_array_foreach (groups, i, g)
		mgmt_text_carp_group(to, g);
}

/*
 * netstat's words for the BSDs' own counters. What has no entry is koi's and has its text from
 * ctl_stats.def; netstat leaves ostates out.
 */
static const struct {
	const char *indent, *noun, *words;
} netstat[CTL_STAT_COUNT] = {
	[CTL_STAT_IPACKETS] = {"\t", "packet", "received (IPv4)"},
	[CTL_STAT_IPACKETS6] = {"\t", "packet", "received (IPv6)"},
	[CTL_STAT_BADIF] = {"\t\t", "packet", "discarded for bad interface"},
	[CTL_STAT_BADTTL] = {"\t\t", "packet", "discarded for wrong TTL"},
	[CTL_STAT_HDROPS] = {"\t\t", "packet", "shorter than header"},
	[CTL_STAT_BADSUM] = {"\t\t", "packet", "discarded for bad checksum"},
	[CTL_STAT_BADVER] = {"\t\t", "packet", "discarded with a bad version"},
	[CTL_STAT_BADLEN] = {"\t\t", "packet", "discarded because packet too short"},
	[CTL_STAT_BADAUTH] = {"\t\t", "packet", "discarded for bad authentication"},
	[CTL_STAT_BADVHID] = {"\t\t", "packet", "discarded for bad vhid"},
	[CTL_STAT_BADADDRS] = {"\t\t", "packet", "discarded because of a bad address list"},
	[CTL_STAT_OPACKETS] = {"\t", "packet", "sent (IPv4)"},
	[CTL_STAT_OPACKETS6] = {"\t", "packet", "sent (IPv6)"},
	[CTL_STAT_ONOMEM] = {"\t\t", "send", "failed due to mbuf memory error"},
};

void
mgmt_text_carp_stats(FILE *to, const json_t *v)
{
	const char *name = get_str(v, "name");

	fprintf(to, "carp%s%s:\n", name[0] != '\0' ? " " : "", name);
	for (unsigned int i = 0; i < CTL_STAT_COUNT; i++) {
		uint64_t n = get_u64(v, ctl_stat_name((enum ctl_stat)i));

		if (i == CTL_STAT_OSTATES)
			continue;
		if (netstat[i].noun)
			fprintf(to, "%s%" PRIu64 " %s%s %s\n", netstat[i].indent, n,
				netstat[i].noun, n == 1 ? "" : "s", netstat[i].words);
		else
			fprintf(to, "\t%" PRIu64 " %s\n", n, ctl_stat_text((enum ctl_stat)i));
	}
}

void
mgmt_text_carp_peers(FILE *to, const json_t *v)
{
	const json_t *peers = json_object_get(v, "peers"), *p;
	/* where each counter is taken only once, how a peer counts says nothing */
	const bool strict = get_bool(v, "strict");
	size_t i;

	if (json_array_size(peers) == 0)
		fprintf(to, "%s: no peer heard\n", get_str(v, "name"));
	json_array_foreach (peers, i, p) {
		fprintf(to,
			"%s: advbase %" PRIu64 " advskew %" PRIu64 " demotion %" PRIu64 ", %" PRIu64
			" adverts, heard %.1f s ago%s%s%s\n",
			get_str(p, "address"), get_u64(p, "advbase"), get_u64(p, "advskew"),
			get_u64(p, "demotion"), get_u64(p, "adverts"),
			(double)get_u64(p, "heard_ms_ago") / 1000.0,
			get_bool(p, "bowed_out") ? ", bowed out" : "", strict ? "" : ", counters ",
			strict ? "" : get_str(p, "counters"));
	}
}

void
mgmt_text_carp_events(FILE *to, const json_t *v)
{
	const json_t *events = json_object_get(v, "events"), *e;
	size_t i;

	json_array_foreach (events, i, e)
		fprintf(to, "%s %s\n", get_str(e, "wall"), get_str(e, "text"));
}

void
mgmt_text_carp_explain(FILE *to, const json_t *v)
{
	const json_t *lines = json_object_get(v, "lines"), *line;
	size_t i;

	json_array_foreach (lines, i, line)
		fprintf(to, "%s\n", json_string_value(line));
}

void
mgmt_text_carp_demotion(FILE *to, const json_t *v)
{
	const json_t *entries = json_object_get(v, "entries"), *e;
	size_t i;

	fprintf(to, "demotion %" PRIu64 "\n", get_u64(v, "total"));
	json_array_foreach (entries, i, e) {
		const char *ifname = get_str(e, "interface"), *group = get_str(e, "group");

		fprintf(to, "\t%" PRIu64 " %s", get_u64(e, "amount"), get_str(e, "source"));
		if (ifname[0] != '\0')
			fprintf(to, " interface %s", ifname);
		if (group[0] != '\0')
			fprintf(to, " group %s", group);
		fprintf(to, " since %.1f s", (double)get_u64(e, "since_ms") / 1000.0);
		if (json_object_get(e, "ends_in_ms"))
			fprintf(to, " ends in %.1f s", (double)get_u64(e, "ends_in_ms") / 1000.0);
		fputc('\n', to);
	}
}
