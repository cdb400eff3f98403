/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "conf_addr_priv.h"
#include "conf_parts_priv.h"

void
conf_part_metrics(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_object_at metrics = {.base = &((struct conf *)o->base)->metrics};

	(void)k;
	if (conf_is_object(r, at))
		conf_read_object(r, CONF_OBJECT_METRICS, at, &metrics);
}

/* Decimal digits only: strtoul() would take blanks, signs and more. @return 0 for no port */
static uint16_t
port_number(const char *s)
{
	unsigned int port = 0;

	for (; isdigit((unsigned char)*s) && port <= UINT16_MAX; s++)
		port = port * 10 + (unsigned int)(*s - '0');
	return *s == '\0' && port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* "127.0.0.1:9568" or "[::1]:9568". @return 0 or -1 */
static int
parse_listen(const char *s, struct conf_metrics *out)
{
	const bool bracket = s[0] == '[';
	const char *colon = strrchr(s, ':');
	char host[CONF_ADDR_STR];
	size_t n;

	if (colon == NULL || (bracket && (colon == s || colon[-1] != ']')))
		return -1;
	n = (size_t)(colon - s) - (bracket ? 2 : 0);
	if (n >= sizeof(host))
		return -1;
	memcpy(host, s + bracket, n);
	host[n] = '\0';
	out->port = port_number(colon + 1);
	if (out->port == 0 || conf_addr_parse(host, &out->addr) != 0)
		return -1;
	return bracket == (out->addr.family == BASE_FAMILY_IP6) ? 0 : -1;
}

/* Why nobody can listen there, or NULL; loopback and "any" are fine. */
static const char *
listen_unfit(const struct base_addr *a)
{
	const uint8_t *b = a->bytes;

	if (conf_addr_link_local(a))
		return "a link-local address, which means another host on each link";
	if (a->family == BASE_FAMILY_IP6 ? b[0] == 0xff : b[0] >> 4 == 14)
		return "a multicast address";
	if (a->family == BASE_FAMILY_IP4 && base_addr_ip4(a) == UINT32_MAX)
		return "the broadcast address";
	return NULL;
}

void
conf_part_listen(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_metrics read = {0}, *m = o->base;
	char phrase[CONF_PHRASE], buf[CONF_ECHO];
	const char *unfit;

	if (!json_is_string(at.v)) {
		conf_expected(r, k, at.node);
		return;
	}
	if (parse_listen(json_string_value(at.v), &read) != 0) {
		conf_error(r, at.node, "expected %s, found %s",
			conf_key_allowed(k, phrase, sizeof(phrase)), conf_echo(r, at.node, buf));
		return;
	}
	unfit = listen_unfit(&read.addr);
	if (unfit != NULL)
		conf_error(r, at.node, "%s is %s", conf_echo(r, at.node, buf), unfit);
	else
		*m = read;
}

const char *
conf_listen_str(const struct conf_metrics *m, char buf[CONF_LISTEN_STR])
{
	const bool ip6 = m->addr.family == BASE_FAMILY_IP6;
	char addr[CONF_ADDR_STR];

	snprintf(buf, CONF_LISTEN_STR, "%s%s%s:%u", ip6 ? "[" : "", conf_addr_str(&m->addr, addr),
		ip6 ? "]" : "", (unsigned int)m->port);
	return buf;
}
