/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_TEXT_PRIV_H
#define MGMT_TEXT_PRIV_H

#include <stdio.h>

#include <jansson.h>

/**
 * @file
 * Text of each view for people, made from its JSON and nothing else but static tables.
 * @thread any; no state
 */

#define MGMT_TEXT(name) void mgmt_text_##name(FILE *to, const json_t *v)
MGMT_TEXT(carp_all);
MGMT_TEXT(carp_group);
MGMT_TEXT(carp_stats);
MGMT_TEXT(carp_peers);
MGMT_TEXT(carp_events);
MGMT_TEXT(carp_demotion);
MGMT_TEXT(carp_explain);
MGMT_TEXT(if_all);
MGMT_TEXT(if_one);
MGMT_TEXT(preflight);
MGMT_TEXT(port_stats);
MGMT_TEXT(routes);
MGMT_TEXT(route_one);
MGMT_TEXT(route_summary);
MGMT_TEXT(neighbors);
MGMT_TEXT(host);
MGMT_TEXT(ra);
MGMT_TEXT(drops);
MGMT_TEXT(fwd_stats);
MGMT_TEXT(lcores);
MGMT_TEXT(hooks);
MGMT_TEXT(capture);
MGMT_TEXT(info);
MGMT_TEXT(config);
MGMT_TEXT(config_diff);

/** Width of a column: that of its longest text, or more. */
int mgmt_text_width(const json_t *list, const char *key, size_t least);

#endif
