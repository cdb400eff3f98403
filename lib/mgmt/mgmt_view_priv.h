/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_VIEW_PRIV_H
#define MGMT_VIEW_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base_addr.h"
#include "conf.h"
#include "election_types.h"
#include "mgmt.h"

/**
 * @file
 * Views: what there is to show, as JSON. One function per subject; CLI text, telemetry
 * and framed replies are made from its result. Keys are letters, digits and '_', so that
 * telemetry can carry them; names are values, never keys.
 * @thread any; no state
 */

struct ctl_event;
struct auth_stage;
struct ctl_group_view;
struct ctl_peer;

/** Longest free-text argument, the NUL included. */
#define MGMT_TEXT_MAX 512

/** Options of a command at most. */
#define MGMT_OPTIONS_MAX 6
/** One of them; which of the values it has is said by the grammar. */
struct mgmt_option {
	bool given;
	int64_t value;
	struct base_addr addr;
	uint16_t if_index;
};

/** What a command was given beyond its words. */
struct mgmt_args {
	bool has_group, has_if;
	uint16_t group, if_index;
	int64_t value;
	uint64_t offset; /**< telemetry: the first element; of events the seq before the first */
	uint32_t limit;	 /**< telemetry: how many elements at most; 0 = all */
	struct base_addr addr; /**< family NONE: none was given */
	uint8_t mac[BASE_MAC_LEN];
	bool has_prefix; /**< an address is one of full length */
	bool is_address; /**< it was given without a length */
	struct base_prefix prefix;
	char prefix_text[CONF_ADDR_STR]; /**< as it was given */
	char text[MGMT_TEXT_MAX];
	struct mgmt_option option[MGMT_OPTIONS_MAX]; /**< in the order of the grammar */
};

/** @name Each returns a new reference, NULL only without memory. @{ */
#define MGMT_VIEW(name) \
	json_t *mgmt_view_##name(const struct mgmt_config *c, const struct mgmt_args *a)
MGMT_VIEW(carp_list);
MGMT_VIEW(carp_all);
MGMT_VIEW(carp_group);
MGMT_VIEW(carp_stats);
MGMT_VIEW(carp_peers);
MGMT_VIEW(carp_events);
MGMT_VIEW(carp_demotion);
MGMT_VIEW(carp_explain);
MGMT_VIEW(if_list);
MGMT_VIEW(if_all);
MGMT_VIEW(if_one);
MGMT_VIEW(preflight);
MGMT_VIEW(port_stats);
MGMT_VIEW(routes);
MGMT_VIEW(route_one);
MGMT_VIEW(route_summary);
MGMT_VIEW(neighbors);
MGMT_VIEW(host);
MGMT_VIEW(ra);
MGMT_VIEW(fwd_stats);
MGMT_VIEW(drops);
MGMT_VIEW(lcores);
MGMT_VIEW(hooks);
MGMT_VIEW(capture);
MGMT_VIEW(info);
MGMT_VIEW(config);
MGMT_VIEW(config_diff);
/** @} */

/** Text of a MAC address, aa:bb:cc:dd:ee:ff. */
#define MGMT_MAC_STR 18
const char *mgmt_mac_str(const uint8_t mac[BASE_MAC_LEN], char buf[MGMT_MAC_STR]);

/** Name of an interface or group of the configuration; "" for an id out of bounds. */
const char *mgmt_if_name(const struct mgmt_config *c, uint16_t if_index);
const char *mgmt_group_name(const struct mgmt_config *c, uint16_t group);
/** How many groups there are, and the number of the n-th of them; UINT16_MAX: there is none. */
uint16_t mgmt_group_count(const struct mgmt_config *c);
uint16_t mgmt_group_nth(const struct mgmt_config *c, uint64_t n);
/** Find by name, len bytes; UINT16_MAX when there is none. */
uint16_t mgmt_if_find(const struct mgmt_config *c, const char *name, size_t len);
uint16_t mgmt_group_find(const struct mgmt_config *c, const char *name, size_t len);

/** @name Text of n bytes to an address of either family, a MAC address. @return false: none @{ */
bool mgmt_addr_parse(const char *p, size_t n, struct base_addr *out);
bool mgmt_mac_parse(const char *p, size_t n, uint8_t mac[BASE_MAC_LEN]);
/** @} */
struct fib_route;
/** Where a route comes from: "connected", "static" (the file), "runtime" (a command). */
const char *mgmt_route_type(const struct fib_route *r);
const char *mgmt_route_origin(const struct fib_route *r, bool runtime);
/** Its next hops and interfaces, with commas between; "" where it has none. */
void mgmt_route_paths(const struct mgmt_config *c, const struct fib_route *r, char *via,
	size_t via_len, char *ifs, size_t ifs_len);
/** The routes in effect as a file has them, of many the first. @return how many were left out */
uint64_t mgmt_routes_config(const struct mgmt_config *c, json_t *list);
/**
 * What commands did to routes, done to the file's array, whose order is that of the configuration.
 * @return how many differ
 */
unsigned int mgmt_routes_save(const struct mgmt_config *c, json_t *list);
/** As commands, the first ones of many: routes that commands set, then those they took out. */
void mgmt_routes_diff(const struct mgmt_config *c, json_t *list);
/** An address, or a prefix ADDRESS/LENGTH, of len bytes. @return false: it is neither */
bool mgmt_prefix_parse(const char *p, size_t len, struct mgmt_args *a);

/** "192.0.2.3", or "" for family NONE. @param buf as of conf_addr_str() */
const char *mgmt_addr_str(const struct base_addr *a, char buf[CONF_ADDR_STR]);
/** Router advertisements of an interface in the file's own keys. */
json_t *mgmt_ra_json(const struct conf_ra *ra);
/** A peer as views show it. */
json_t *mgmt_peer_json(const struct ctl_peer *peer, base_ns_t now);
/** @name A staged change (mgmt_stage.c). @{ */
/**
 * In words; "" when nothing is staged.
 * @param what  changes: "pass", or as conf_stage_str()
 * @return buf
 */
#define MGMT_STAGE_STR 640
const char *mgmt_stage_str(
	const struct auth_stage *s, const char *what, base_ns_t now, char buf[MGMT_STAGE_STR]);
/** What a peer sends since the change was staged: "old", "new", "both"; "": not heard since. */
const char *mgmt_stage_peer(const struct ctl_peer *p);
/** Its fields, of a group. */
void mgmt_stage_put(json_t *o, const struct mgmt_config *c, uint16_t group,
	const struct ctl_group_view *v, base_ns_t now);
/** @} */
/** An entry of the demotion ledger as views show it. */
json_t *mgmt_demotion_json(
	const struct mgmt_config *c, const struct election_demotion_entry *e, base_ns_t now);

/** @name Numbers in words (mgmt_words.c); all return buf. @{ */
/** A duration, four digits or so: "38 us", "3.9 ms", "3.391 s", "26 h 3 min". */
#define MGMT_SPAN_STR 48
const char *mgmt_span_str(base_ns_t ns, char buf[MGMT_SPAN_STR]);
/** "1.000 s + 128/256 demotion 0", "bow-out (255/255)". */
#define MGMT_PRIORITY_STR 48
const char *mgmt_priority_str(const struct election_priority *p, char buf[MGMT_PRIORITY_STR]);
/** The reasons of a mask of ELECTION_SPLIT_*, "" for none. */
#define MGMT_SPLIT_STR 224
const char *mgmt_split_str(uint8_t reasons, char buf[MGMT_SPLIT_STR]);
/** Whose timing does not fit, and how; "" for NONE. */
#define MGMT_WARN_STR 192
const char *mgmt_warn_str(enum election_warn w, const struct election_priority *peer,
	const struct base_addr *src, char buf[MGMT_WARN_STR]);
const char *mgmt_demotion_words(enum election_demotion_source s);
/** @param family  enum base_family */
const char *mgmt_family_name(unsigned int family);
/** @} */

/** Room for the text of every event. */
#define MGMT_EVENT_TEXT 384
/** The text of an event: the same in log, CLI and telemetry. @return buf */
const char *mgmt_event_text(
	const struct mgmt_config *c, const struct ctl_event *e, char buf[MGMT_EVENT_TEXT]);
/** An event as views and the stream show it. */
json_t *mgmt_event_json(const struct mgmt_config *c, const struct ctl_event *e);
/** Name of its kind. */
const char *mgmt_event_kind(const struct ctl_event *e);
/** Level of "carp.log" from which on it is written. */
uint8_t mgmt_event_level(const struct ctl_event *e);
/** Its syslog priority, 0..7. */
int mgmt_event_syslog(const struct ctl_event *e);
/** Its wall time, UTC, as 2026-05-01T12:00:00.123Z. */
#define MGMT_WALL_STR 32
const char *mgmt_wall_str(uint64_t wall_ns, char buf[MGMT_WALL_STR]);

#endif
