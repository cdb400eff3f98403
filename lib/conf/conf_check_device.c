/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <string.h>

#include "conf_check_priv.h"

/** Where a key of an interface stands, or the interface itself where it was not given. */
static uint32_t
key_node(const struct conf_reader *r, uint16_t i, const char *key)
{
	return conf_member_node(r, r->if_node[i], key);
}

static bool
is_given(const struct conf_reader *r, uint16_t i, const char *key)
{
	return key_node(r, i, key) != r->if_node[i];
}

/** A tag was given and refused, so that nothing is known of it. */
static bool
tag_refused(const struct conf_reader *r, uint16_t i)
{
	return r->c->ifs[i].vlan == 0 && is_given(r, i, "vlan");
}

/** An interface is told from those before it on the device by its tag. */
static void
check_tag(struct conf_reader *r, uint16_t i)
{
	const struct conf_if *ifs = r->c->ifs;

	if (tag_refused(r, i))
		return;
	for (uint16_t j = 0; j < i; j++) {
		if (ifs[j].device_index != ifs[i].device_index || ifs[j].vlan != ifs[i].vlan ||
			ifs[j].device[0] == '\0' || tag_refused(r, j))
			continue;
		if (ifs[i].vlan != 0)
			conf_error(r, key_node(r, i, "vlan"),
				"VLAN %u of device \"%s\" is taken by interface \"%s\" at line %u "
				"already",
				ifs[i].vlan, ifs[i].device, ifs[j].name,
				conf_line(r, key_node(r, j, "vlan")));
		else
			conf_error(r, key_node(r, i, "device"),
				"device \"%s\" is taken by interface \"%s\" at line %u already: a "
				"further one needs a \"vlan\"",
				ifs[i].device, ifs[j].name, conf_line(r, key_node(r, j, "device")));
		return;
	}
}

/** A device has one filter: who says nothing of it has what the others say. */
static void
agree_on_filter(struct conf_reader *r, uint16_t device)
{
	struct conf_if *ifs = r->c->ifs;
	uint16_t first = CONF_IF_NONE;

	for (uint16_t i = 0; i < r->c->n_ifs; i++) {
		if (ifs[i].device_index != device || !is_given(r, i, "vmac-filter"))
			continue;
		if (first == CONF_IF_NONE)
			first = i;
		else if (ifs[i].vmac_filter != ifs[first].vmac_filter)
			conf_error(r, key_node(r, i, "vmac-filter"),
				"interface \"%s\" at line %u has another one for the same device "
				"\"%s\", which has one filter",
				ifs[first].name, conf_line(r, key_node(r, first, "vmac-filter")),
				ifs[i].device);
	}
	for (uint16_t i = 0; first != CONF_IF_NONE && i < r->c->n_ifs; i++)
		if (ifs[i].device_index == device)
			ifs[i].vmac_filter = ifs[first].vmac_filter;
}

/** The device of an interface, a new one or that of one before it; false when there are too many.
 */
static bool
find_device(struct conf_reader *r, uint16_t i)
{
	struct conf *c = r->c;

	for (uint16_t d = 0; d < c->n_devices; d++) {
		if (strcmp(c->ifs[c->device_if[d]].device, c->ifs[i].device) == 0) {
			c->ifs[i].device_index = d;
			return true;
		}
	}
	if (c->n_devices == CONF_PORT_MAX) {
		conf_error(r, key_node(r, i, "device"),
			"\"%s\" is one device more than the %d that are possible", c->ifs[i].device,
			CONF_PORT_MAX);
		return false;
	}
	c->ifs[i].device_index = c->n_devices;
	c->device_if[c->n_devices++] = i;
	return true;
}

void
conf_check_devices(struct conf_reader *r)
{
	for (uint16_t i = 0; i < r->c->n_ifs; i++) {
		r->c->ifs[i].device_index = CONF_IF_NONE;
		if (r->c->ifs[i].device[0] == '\0')
			continue;
		if (!find_device(r, i))
			return; /* the next ones would be too many as well */
		check_tag(r, i);
	}
	/* What was refused looks like one that was not given. */
	for (uint16_t d = 0; !r->ifs_bad && d < r->c->n_devices; d++)
		agree_on_filter(r, d);
}
