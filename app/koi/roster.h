/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef ROSTER_H
#define ROSTER_H

#include "conf.h"
#include "dp.h"

/** What a configuration's groups and interfaces are to the data plane. */
struct roster {
	struct dp_if_config ifs[CONF_IF_MAX]; /**< with what dp_roster_prepare() looks at */
	struct dp_group_config *groups;	      /**< by slot, with all that there is room for */
	uint32_t *ip4;			      /**< what they point into */
	uint8_t (*ip6)[16];
};

/**
 * @param if_mac  MACs of the interfaces, whose link-local addresses they have too
 * @return 0 or -ENOMEM; free with roster_free()
 */
int roster_from_conf(
	const struct conf *conf, const uint8_t (*if_mac)[BASE_MAC_LEN], struct roster *out);
void roster_free(struct roster *r);

#endif
