/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The host path of an interface: "host": true, or an object. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf_check_priv.h"
#include "conf_parts_priv.h"

#define TUN	   "/dev/net/tun"
#define TAP_PREFIX "koi-"

/* What it cannot do without; a file is often checked on another machine than it is for. */
static void
check_tun(struct conf_reader *r, uint32_t node)
{
	if (access(TUN, R_OK | W_OK) == 0)
		return;
	if (r->flags & CONF_CHECK_ONLY)
		conf_warning(r, node, "a host path needs %s, which is not to be had here: %s", TUN,
			strerror(errno));
	else
		conf_error(r, node,
			"a host path needs %s: %s; the kernel needs its module tun, a container the "
			"device",
			TUN, strerror(errno));
}

static void
default_tap(struct conf_reader *r, uint32_t node, struct conf_if *ifc)
{
	if (strlen(TAP_PREFIX) + strlen(ifc->name) > CONF_NAME_MAX)
		conf_error(r, node,
			"a tap \"%s%s\" would have more than the %d characters of a netdev's name: "
			"give it one by \"host\": {\"name\": ...}",
			TAP_PREFIX, ifc->name, CONF_NAME_MAX);
	else
		snprintf(ifc->host.tap, sizeof(ifc->host.tap), TAP_PREFIX "%.*s",
			(int)(CONF_NAME_MAX - strlen(TAP_PREFIX)), ifc->name);
}

void
conf_part_host(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_if *ifc = o->base;
	struct conf_object_at host = {.base = &ifc->host, .index = o->index};
	uint32_t errors = r->issues->n_errors;

	if (json_is_false(at.v))
		return;
	if (!json_is_true(at.v) && !json_is_object(at.v)) {
		conf_expected(r, k, at.node);
		return;
	}
	ifc->host.on = true;
	ifc->host.rate_pps = CONF_HOST_PPS_DEFAULT;
	if (json_is_object(at.v))
		conf_read_object(r, CONF_OBJECT_HOST, at, &host);
	if (ifc->host.tap[0] == '\0' && ifc->name[0] != '\0' && r->issues->n_errors == errors)
		default_tap(r, at.node, ifc);
	if (r->issues->n_errors == errors)
		check_tun(r, at.node);
}

void
conf_part_tap(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	conf_read_text(r, k, at, ((struct conf_host *)o->base)->tap, conf_name_valid);
}

void
conf_check_hosts(struct conf_reader *r)
{
	const struct conf_if *ifs = r->c->ifs;

	for (uint16_t i = 1; i < r->c->n_ifs; i++) {
		for (uint16_t j = 0; j < i; j++) {
			if (ifs[i].host.tap[0] == '\0' ||
				strcmp(ifs[i].host.tap, ifs[j].host.tap) != 0)
				continue;
			conf_error(r, conf_member_node(r, r->if_node[i], "host"),
				"the tap \"%s\" is that of interface \"%s\" at line %u already",
				ifs[i].host.tap, ifs[j].name,
				conf_line(r, conf_member_node(r, r->if_node[j], "host")));
			break;
		}
	}
}
