/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CONF_CHECK_PRIV_H
#define CONF_CHECK_PRIV_H

#include "conf_read_priv.h"

/** The parts of conf_check(), by topic. */

/** What an address or subnet is compared by, in one order for qsort(). */
struct conf_entry {
	struct base_prefix p;
	uint32_t scope; /**< link-local addresses: their interface + 1 */
	uint32_t node;
	uint32_t index;
	uint16_t if_index;
};

/** By prefix. */
int conf_entry_compare_prefix(const struct conf_entry *a, const struct conf_entry *b);
/** By prefix, interface, then place in the file; for qsort(). */
int conf_entry_compare_subnet(const void *va, const void *vb);

/**
 * Why two groups, of these interfaces as far as they have one, cannot share an address, as the end
 * of a sentence; NULL when they can (protocol note 7.3).
 */
const char *conf_sharing_refused(
	const struct conf *c, const struct base_addr *addr, uint16_t if_a, uint16_t if_b);
/** What interfaces share a device, and that they can. */
void conf_check_devices(struct conf_reader *r);
/** Taps of host paths. */
void conf_check_hosts(struct conf_reader *r);
/** Names, interfaces and vhids of the groups; finds each group's interface. */
void conf_check_groups(struct conf_reader *r);
/** The interface of a name; CONF_IF_NONE when there is none, which is reported. */
uint16_t conf_check_named(struct conf_reader *r, uint32_t node, const char *name);
/** All addresses of this box, in order. @return to free(), NULL without memory, which is noted */
struct conf_entry *conf_sorted_addresses(struct conf_reader *r);
/** Routes: that they fit the addresses, and each other. */
void conf_check_routes(struct conf_reader *r, const struct conf_entry *addresses);
/** Unicast peers. @param addresses  all of this box, in order */
void conf_check_peers(struct conf_reader *r, const struct conf_entry *addresses);
/** Neighbours that are set (conf_neighbor.c). @param addresses  all of this box, in order */
void conf_check_neighbors(struct conf_reader *r, const struct conf_entry *addresses);
/** Router advertisements: somebody sends them; fills in prefixes not given (conf_ra.c). */
void conf_check_ra(struct conf_reader *r);
/**
 * True when an address is one of this box, which is reported.
 * @param scope  interface + 1 of a link-local address, else 0
 */
bool conf_check_itself(struct conf_reader *r, uint32_t node, const struct conf_entry *addresses,
	const struct base_addr *addr, uint32_t scope);

#endif
