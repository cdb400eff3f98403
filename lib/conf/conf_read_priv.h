/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CONF_READ_PRIV_H
#define CONF_READ_PRIV_H

#include <jansson.h>

#include "conf_issue_priv.h"
#include "conf_keys_priv.h"
#include "conf_pos_priv.h"

/**
 * One reading of a document, in two steps: conf_read() goes over the document and takes each value
 * by itself, conf_check() holds the values against each other. Both report and go on; what
 * could not be read is left out of the second step, so that one mistake gives one error.
 */

#define CONF_IF_NONE UINT16_MAX

/** A value and where it stands; v is NULL when there is none. */
struct conf_at {
	const json_t *v;
	uint32_t node;
};

/** An own address or a VIP that was read. */
struct conf_place {
	struct base_prefix p;
	bool vip;
	bool repeated;	/**< already reported as a duplicate */
	uint16_t owner; /**< index of its interface, or of its group when vip */
	uint32_t node;
};

struct conf_group_at {
	uint32_t node;
	const char *carpdev; /**< as given, or NULL; owned by the JSON tree */
	bool carpdev_bad;    /**< what was given is refused already */
	bool key_known;	     /**< false also for a pass-file that cannot be read here */
	bool key_warned;     /**< it differs from that of a group that shares an address */
};

struct conf_route_at {
	uint32_t node;
	const char *interface; /**< as given, or NULL; owned by the JSON tree */
	uint32_t interface_node;
	uint32_t via; /**< node of "via", CONF_POS_NONE where there is none */
	bool prefix_ok, via_ok;
	bool type_bad;	    /**< refused already */
	bool interface_bad; /**< what was given is refused already */
};

struct conf_reader {
	struct conf *c;
	const struct conf_pos *pos;
	struct conf_issues *issues;
	unsigned int flags;
	bool ifs_bad, groups_bad; /**< something in there was refused */
	bool arpbalance_bad;	  /**< it was meant to be given */
	bool out_of_memory;
	uint32_t *if_node;
	struct conf_group_at *group;
	struct conf_route_at *route;
	struct conf_hop *next_hop; /**< room for the next one read */
	uint32_t n_places, cap_places;
	struct conf_place *place;
};

#define CONF_RESERVED "all stats peers events demotion preempt allow arpbalance log"
/** True for a word that the command line needs for itself. */
bool conf_name_reserved(const char *name);

/** Read the document into r->c. */
void conf_read(struct conf_reader *r, const json_t *document);
/** Hold what was read against itself; fills in what is found by subnet. */
void conf_check(struct conf_reader *r);

/** Report at a value's first character. */
void conf_error(struct conf_reader *r, uint32_t node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void conf_warning(struct conf_reader *r, uint32_t node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** Report "expected ALLOWED, found FOUND" at a value. */
void conf_unexpected(struct conf_reader *r, uint32_t node, const char *allowed, const char *found);
/** calloc() that reports, once. */
void *conf_calloc(struct conf_reader *r, size_t n, size_t size);
/** Node of a member, or of the object itself when there is none. */
uint32_t conf_member_node(const struct conf_reader *r, uint32_t object, const char *key);
/** Line of a value. */
uint32_t conf_line(const struct conf_reader *r, uint32_t node);

#define CONF_ECHO 320
/** A value as it was written, for messages: cut after 40 characters. */
const char *conf_echo(const struct conf_reader *r, uint32_t node, char buf[CONF_ECHO]);
/** What a value is, for "found ...": a type, or the number. */
const char *conf_found(const struct conf_reader *r, uint32_t node, char buf[CONF_ECHO]);

/** Read "ADDRESS/LENGTH" with a length of at least min. @return true, else it was reported */
bool conf_read_prefix(
	struct conf_reader *r, struct conf_at at, unsigned int min, struct base_prefix *out);
/** Read an array of own addresses or VIPs. */
void conf_read_addresses(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	bool vip, uint16_t owner, struct base_prefix **out, uint16_t *n_out);
/** Read prefix and via of routes. */
void conf_read_route_prefix(struct conf_reader *r, struct conf_at at, uint32_t route);
/** @return false when it was reported */
bool conf_read_route_hop(struct conf_reader *r, struct conf_at at, struct base_addr *via);

#endif
