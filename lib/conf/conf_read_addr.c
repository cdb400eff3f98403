/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_read_priv.h"

#include <stdlib.h>
#include <string.h>

#include "conf_addr_priv.h"

#define LINK_LOCAL_BITS 10 /* fe80::/10 */

#define PREFIX_WHAT "an address and its prefix length such as 192.0.2.2/24 or 2001:db8::2/64"

/** Digits of a prefix length, without sign or leading zeros. @return -1 when it is none */
static int
parse_length(const char *s)
{
	size_t n = strspn(s, "0123456789");
	int length = 0;

	if (n == 0 || n > 3 || s[n] != '\0' || (s[0] == '0' && n > 1))
		return -1;
	for (; *s != '\0'; s++)
		length = length * 10 + (*s - '0');
	return length;
}

bool
conf_read_prefix(
	struct conf_reader *r, struct conf_at at, unsigned int min, struct base_prefix *out)
{
	const char *s = json_string_value(at.v);
	char addr[CONF_ADDR_STR], whole[CONF_ADDR_STR + 8], buf[CONF_ECHO];
	const char *slash;
	int plen;

	if (s == NULL) {
		conf_unexpected(r, at.node, PREFIX_WHAT, conf_found(r, at.node, buf));
		return false;
	}
	slash = strchr(s, '/');
	if (slash == NULL && conf_addr_parse(s, &out->addr) == 0) {
		snprintf(whole, sizeof(whole), "%s/%d", s,
			out->addr.family == BASE_FAMILY_IP4 ? 24 : 64);
		conf_error(r, at.node,
			"%s has no prefix length, expected ADDRESS/LENGTH such as %s", s, whole);
		conf_issues_hint(r->issues, "ADDRESS/LENGTH", whole);
		return false;
	}
	if (slash == NULL || slash - s >= (ptrdiff_t)sizeof(addr))
		goto bad;
	memcpy(addr, s, (size_t)(slash - s));
	addr[slash - s] = '\0';
	if (conf_addr_parse(addr, &out->addr) != 0)
		goto bad;
	plen = parse_length(slash + 1);
	if (plen < (int)min || plen > (int)conf_addr_bits(&out->addr)) {
		conf_error(r, at.node,
			"expected a prefix length from %u to %u for an %s address, "
			"found %s",
			min, conf_addr_bits(&out->addr),
			out->addr.family == BASE_FAMILY_IP4 ? "IPv4" : "IPv6",
			conf_echo(r, at.node, buf));
		return false;
	}
	out->plen = (uint8_t)plen;
	return true;
bad:
	conf_unexpected(r, at.node, PREFIX_WHAT, conf_echo(r, at.node, buf));
	return false;
}

static bool
read_host(struct conf_reader *r, struct conf_at at, struct base_prefix *out)
{
	char a[CONF_ADDR_STR], b[CONF_ADDR_STR], buf[CONF_ECHO];
	const char *what;

	if (!conf_read_prefix(r, at, 1, out))
		return false;
	what = conf_addr_unfit(&out->addr);
	if (what != NULL) {
		conf_error(r, at.node, "%s is %s, expected the address of a host",
			conf_addr_str(&out->addr, a), what);
		return false;
	}
	/* a shorter prefix would hold addresses that are not link-local */
	if (conf_addr_link_local(&out->addr) && out->plen < LINK_LOCAL_BITS) {
		conf_error(r, at.node,
			"expected a prefix length from %d to 128 for a link-local address, "
			"found %s",
			LINK_LOCAL_BITS, conf_echo(r, at.node, buf));
		return false;
	}
	what = conf_host_unfit(&out->addr, out->plen);
	if (what != NULL) {
		struct base_prefix net = base_prefix_network(out);

		conf_error(r, at.node, "%s is %s of %s, expected the address of a host",
			conf_addr_str(&out->addr, a), what, conf_prefix_str(&net, b));
		return false;
	}
	return true;
}

static bool
add_place(struct conf_reader *r, const struct conf_place *place)
{
	if (r->n_places == r->cap_places) {
		uint32_t cap = r->cap_places == 0 ? 64 : r->cap_places * 2;
		struct conf_place *more = realloc(r->place, cap * sizeof(*more));

		if (more == NULL) {
			r->out_of_memory = true;
			return false;
		}
		r->place = more;
		r->cap_places = cap;
	}
	r->place[r->n_places++] = *place;
	return true;
}

void
conf_read_addresses(struct conf_reader *r, const struct conf_key *k, struct conf_at at, bool vip,
	uint16_t owner, struct base_prefix **out, uint16_t *n_out)
{
	const struct conf_pos_node *node = r->pos->node;
	struct conf_place place = {.vip = vip, .owner = owner};

	(void)k;
	*out = conf_calloc(r, json_array_size(at.v), sizeof(**out));
	if (*out == NULL)
		return;
	for (uint32_t i = node[at.node].first; i != CONF_POS_NONE; i = node[i].next) {
		struct conf_at e = {.v = json_array_get(at.v, node[i].index), .node = i};

		memset(&place.p, 0, sizeof(place.p));
		if (!read_host(r, e, &place.p))
			continue;
		place.node = i;
		(*out)[(*n_out)++] = place.p;
		if (!add_place(r, &place))
			return;
	}
}

void
conf_read_route_prefix(struct conf_reader *r, struct conf_at at, uint32_t route)
{
	struct base_prefix p = {0}, net;
	char a[CONF_ADDR_STR], b[CONF_ADDR_STR];

	if (!conf_read_prefix(r, at, 0, &p))
		return;
	net = base_prefix_network(&p);
	if (conf_addr_compare(&net.addr, &p.addr) != 0) {
		conf_error(r, at.node, "%s has bits set after its prefix length, expected %s",
			conf_prefix_str(&p, a), conf_prefix_str(&net, b));
		conf_issues_hint(r->issues, NULL, b);
		return;
	}
	if (p.plen > 0 && conf_addr_unfit(&p.addr) != NULL) {
		conf_error(r, at.node, "%s: %s is %s, expected a prefix of hosts",
			conf_prefix_str(&p, a), conf_addr_str(&p.addr, b),
			conf_addr_unfit(&p.addr));
		return;
	}
	if (p.plen > 0 && conf_addr_link_local(&p.addr)) {
		conf_error(r, at.node, "%s is link-local, and that is never routed",
			conf_prefix_str(&p, a));
		return;
	}
	r->c->routes[route].prefix = p;
	r->route[route].prefix_ok = true;
}

bool
conf_read_route_hop(struct conf_reader *r, struct conf_at at, struct base_addr *via)
{
	const char *text = json_string_value(at.v);
	char a[CONF_ADDR_STR], buf[CONF_ECHO];

	if (text == NULL || conf_addr_parse(text, via) != 0)
		conf_unexpected(r, at.node, "an address without prefix length",
			text == NULL ? conf_found(r, at.node, buf) : conf_echo(r, at.node, buf));
	else if (conf_addr_unfit(via) != NULL)
		conf_error(r, at.node, "%s is %s, expected the address of a host",
			conf_addr_str(via, a), conf_addr_unfit(via));
	else
		return true;
	return false;
}
