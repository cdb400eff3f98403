/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CONF_PARTS_PRIV_H
#define CONF_PARTS_PRIV_H

#include "conf_read_priv.h"

/** Reading one object: what the table of keys does by itself, and the readers of its CONF_PARTs. */

#define CONF_PHRASE 200

/** What is known of the object that is being read. */
struct conf_object_at {
	void *base;	/**< struct that the values go to */
	uint32_t index; /**< of the object in its array */
	uint32_t node;
	struct conf_at member[CONF_KEY_N];
	bool misspelt[CONF_KEY_N]; /**< an unknown key was taken for this one */
	bool refused[CONF_KEY_N];  /**< a plain value that was reported */
};

/** Read one CONF_PART; o->member holds the other keys of the object. */
typedef void conf_part_reader(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o);

/* conf_read_top.c */
conf_part_reader conf_part_node, conf_part_eal, conf_part_lcores, conf_part_control;
conf_part_reader conf_part_workers, conf_part_interfaces, conf_part_name, conf_part_device;
conf_part_reader conf_part_if_addresses, conf_part_routes, conf_part_prefix, conf_part_via,
	conf_part_route_interface;
/* conf_host.c */
conf_part_reader conf_part_host, conf_part_tap;
conf_part_reader conf_part_on_change, conf_part_on_change_user;
conf_part_reader conf_part_metrics, conf_part_listen;
/* conf_read_cli.c */
conf_part_reader conf_part_cli, conf_part_cli_mode, conf_part_cli_group;
/* conf_neighbor.c */
conf_part_reader conf_part_neighbors, conf_part_neighbor_address, conf_part_neighbor_mac;
/* conf_ra.c */
conf_part_reader conf_part_ra, conf_part_ra_number, conf_part_ra_prefixes, conf_part_ra_prefix;
conf_part_reader conf_part_ra_dns, conf_part_ra_domains;
/* conf_read_carp.c */
conf_part_reader conf_part_carp, conf_part_groups, conf_part_carpdev, conf_part_advbase;
conf_part_reader conf_part_pass, conf_part_pass_file, conf_part_vips;
conf_part_reader conf_part_peer, conf_part_peer6;

/** Find each key of an object in the table; then read them in the order of the table. */
void conf_read_object(struct conf_reader *r, enum conf_object object, struct conf_at at,
	struct conf_object_at *o);

/** Report "expected ..., found ..." at a value. */
void conf_expected(struct conf_reader *r, const struct conf_key *k, uint32_t node);
/** True for an object, else it was reported. */
bool conf_is_object(struct conf_reader *r, struct conf_at at);
/** True for an array of a fitting number of elements, else it was reported. */
bool conf_is_array(struct conf_reader *r, const struct conf_key *k, struct conf_at at);
/** A string that ok() likes, copied to a field of k->max bytes and a NUL; else it was reported. */
void conf_read_text(struct conf_reader *r, const struct conf_key *k, struct conf_at at, char *field,
	bool (*ok)(const char *));

/** Elements of an array in turn; v is NULL behind the last. */
struct conf_at conf_first_element(const struct conf_reader *r, struct conf_at array);
struct conf_at conf_next_element(
	const struct conf_reader *r, struct conf_at array, struct conf_at e);

#endif
