/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CONF_NET_PRIV_H
#define CONF_NET_PRIV_H

#include "conf_read_priv.h"

/** Connected subnets, for looking up which interface an address is on. */

struct conf_net {
	struct base_prefix net; /**< host bits zero */
	uint16_t if_index;
	uint32_t place; /**< index of the address that makes it */
};

struct conf_nets {
	uint32_t n;
	struct conf_net *net;	     /**< by prefix length, then address */
	uint32_t first[128 + 1 + 1]; /**< where each prefix length begins */
};

/**
 * Collect the subnets of own addresses, with vips those of shared addresses too. Link-local ones
 * are left out: they do not tell interfaces apart.
 * @return 0 or -ENOMEM
 */
int conf_nets_build(struct conf_nets *s, const struct conf_reader *r, bool vips);
/** The longest subnet that holds an address, or NULL. */
const struct conf_net *conf_nets_find(const struct conf_nets *s, const struct base_addr *a);
/** The subnet that is exactly this prefix (host bits zero), or NULL. */
const struct conf_net *conf_nets_exact(const struct conf_nets *s, const struct base_prefix *p);
/**
 * Text of the subnets with their interfaces, each once, at most eight.
 * @param if_index, family  only those; CONF_IF_NONE and BASE_FAMILY_NONE are all
 * @return malloced or NULL
 */
char *conf_nets_list(
	const struct conf_nets *s, const struct conf_reader *r, uint16_t if_index, uint8_t family);
void conf_nets_free(struct conf_nets *s);

/** Interface of a place, CONF_IF_NONE while its group has none. */
uint16_t conf_place_if(const struct conf_reader *r, const struct conf_place *p);

#endif
