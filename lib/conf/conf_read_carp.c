/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf_addr_priv.h"
#include "conf_parts_priv.h"
#include "conf_pass_priv.h"

void
conf_part_carp(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_object_at carp = {.base = o->base};

	(void)k;
	if (!conf_is_object(r, at))
		return;
	conf_read_object(r, CONF_OBJECT_CARP, at, &carp);
	r->arpbalance_bad =
		carp.misspelt[CONF_KEY_CARP_ARPBALANCE] || carp.refused[CONF_KEY_CARP_ARPBALANCE];
}

static void
read_group(struct conf_reader *r, struct conf_at at, uint16_t index)
{
	struct conf_group *g = &r->c->groups[index];
	struct conf_object_at o = {.base = g, .index = index};
	uint32_t pass, pass_file;

	conf_read_object(r, CONF_OBJECT_GROUP, at, &o);
	if (o.member[CONF_KEY_GROUP_ADVBASE].v == NULL)
		g->advbase = g->fast ? 0 : 1;
	pass = o.member[CONF_KEY_GROUP_PASS].node;
	pass_file = o.member[CONF_KEY_GROUP_PASS_FILE].node;
	if (o.member[CONF_KEY_GROUP_PASS].v != NULL && o.member[CONF_KEY_GROUP_PASS_FILE].v != NULL)
		conf_error(r, pass > pass_file ? pass : pass_file,
			"\"pass\" and \"pass-file\" are both given, allowed is one of them");
	else if (o.member[CONF_KEY_GROUP_PASS].v == NULL &&
		o.member[CONF_KEY_GROUP_PASS_FILE].v == NULL) {
		r->group[index].key_known = true;
		conf_warning(r, at.node,
			"neither \"pass\" nor \"pass-file\": the key is empty and anyone on the "
			"segment can forge adverts");
	}
}

void
conf_part_groups(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf *c = o->base;
	uint32_t errors = r->issues->n_errors;
	uint16_t i = 0;

	r->groups_bad = true;
	if (!conf_is_array(r, k, at))
		return;
	c->groups = conf_calloc(r, json_array_size(at.v), sizeof(*c->groups));
	r->group = conf_calloc(r, json_array_size(at.v), sizeof(*r->group));
	if (c->groups == NULL || r->group == NULL)
		return;
	c->n_groups = (uint16_t)json_array_size(at.v);
	for (struct conf_at e = conf_first_element(r, at); e.v != NULL;
		e = conf_next_element(r, at, e), i++) {
		c->groups[i].if_index = CONF_IF_NONE;
		r->group[i].node = e.node;
		if (conf_is_object(r, e))
			read_group(r, e, i);
		else
			r->group[i].carpdev_bad = true;
	}
	r->groups_bad = r->issues->n_errors != errors;
}

void
conf_part_carpdev(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_group_at *g = &r->group[o->index];

	g->carpdev = json_string_value(at.v);
	if (g->carpdev == NULL) {
		g->carpdev_bad = true;
		conf_expected(r, k, at.node);
	}
}

void
conf_part_advbase(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_group *g = o->base;
	json_int_t v = json_integer_value(at.v);

	if (!json_is_integer(at.v) || v < k->min || v > k->max) {
		conf_expected(r, k, at.node);
		return;
	}
	if (v == 0 && !g->fast)
		conf_error(r, at.node,
			"advbase 0 goes only with \"fast\": true, expected an "
			"integer from 1 to 255");
	else if (v != 0 && g->fast)
		conf_error(r, at.node, "\"fast\": true goes only with advbase 0, found %d", (int)v);
	else if (v > 85)
		conf_warning(r, at.node,
			"advbase %d is above 85: three times that does not fit the protocol's one "
			"byte, and peers take this box for down",
			(int)v);
	g->advbase = (uint8_t)v;
}

void
conf_part_pass(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	const char *s = json_string_value(at.v);
	char err[160], phrase[CONF_PHRASE];

	if (s == NULL) {
		/* never show what may be a secret */
		conf_unexpected(
			r, at.node, conf_key_allowed(k, phrase, sizeof(phrase)), "no string");
		return;
	}
	if (s[0] == '\0')
		conf_warning(r, at.node,
			"the passphrase is empty: anyone on the segment can forge adverts");
	if (conf_pass_key(s, ((struct conf_group *)o->base)->key, err, sizeof(err)) != 0)
		conf_error(r, at.node, "%s", err);
	else
		r->group[o->index].key_known = true;
}

void
conf_part_pass_file(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_group *g = o->base;
	const char *s = json_string_value(at.v);
	char err[200], buf[CONF_ECHO];
	int ret;

	if (s == NULL) {
		conf_expected(r, k, at.node);
		return;
	}
	if (s[0] != '/' || strlen(s) > (size_t)k->max) {
		conf_unexpected(r, at.node, "an absolute path", conf_echo(r, at.node, buf));
		return;
	}
	g->pass_file = strdup(s);
	if (g->pass_file == NULL)
		r->out_of_memory = true;
	if (o->member[CONF_KEY_GROUP_PASS].v != NULL)
		return; /* refused together, whatever is in it */
	ret = conf_pass_file_read(s, g->key, err, sizeof(err));
	r->group[o->index].key_known = ret == 0;
	if (ret == 0)
		return;
	if (r->flags & CONF_CHECK_ONLY && ret != -EPERM && ret != -EINVAL)
		conf_warning(r, at.node, "%s %s", conf_echo(r, at.node, buf), err);
	else
		conf_error(r, at.node, "%s %s", conf_echo(r, at.node, buf), err);
}

void
conf_part_vips(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_group *g = o->base;

	if (conf_is_array(r, k, at))
		conf_read_addresses(
			r, k, at, true, (uint16_t)o->index, &g->addresses, &g->n_addresses);
}

static void
read_peer(struct conf_reader *r, const struct conf_key *k, struct conf_at at, uint8_t family,
	struct base_addr *peer)
{
	const char *s = json_string_value(at.v), *what;
	char phrase[CONF_PHRASE], buf[CONF_ECHO], text[CONF_ADDR_STR];
	struct base_addr a;

	if (s == NULL) {
		conf_expected(r, k, at.node);
		return;
	}
	if (conf_addr_parse(s, &a) != 0 || a.family != family) {
		conf_unexpected(r, at.node, conf_key_allowed(k, phrase, sizeof(phrase)),
			conf_echo(r, at.node, buf));
		return;
	}
	what = conf_addr_unfit(&a);
	if (what != NULL)
		conf_error(r, at.node, "%s is %s, expected the address of a host",
			conf_addr_str(&a, text), what);
	else
		*peer = a;
}

void
conf_part_peer(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	read_peer(r, k, at, BASE_FAMILY_IP4, &((struct conf_group *)o->base)->peer4);
}

void
conf_part_peer6(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	read_peer(r, k, at, BASE_FAMILY_IP6, &((struct conf_group *)o->base)->peer6);
}
