/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_net_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "conf_addr_priv.h"

#define LIST_MAX 8

uint16_t
conf_place_if(const struct conf_reader *r, const struct conf_place *p)
{
	return p->vip ? r->c->groups[p->owner].if_index : p->owner;
}

static int
compare(const void *va, const void *vb)
{
	const struct conf_net *a = va, *b = vb;
	int order;

	if (a->net.plen != b->net.plen)
		return a->net.plen < b->net.plen ? -1 : 1;
	order = conf_addr_compare(&a->net.addr, &b->net.addr);
	if (order != 0)
		return order;
	return a->place < b->place ? -1 : a->place > b->place;
}

int
conf_nets_build(struct conf_nets *s, const struct conf_reader *r, bool vips)
{
	uint32_t n = 0;

	*s = (struct conf_nets){0};
	s->net = calloc(r->n_places + 1, sizeof(*s->net));
	if (s->net == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->n_places; i++) {
		const struct conf_place *p = &r->place[i];
		uint16_t if_index = conf_place_if(r, p);

		if ((p->vip && !vips) || if_index == CONF_IF_NONE ||
			conf_addr_link_local(&p->p.addr))
			continue;
		s->net[s->n++] = (struct conf_net){
			.net = base_prefix_network(&p->p), .if_index = if_index, .place = i};
	}
	qsort(s->net, s->n, sizeof(*s->net), compare);
	for (unsigned int plen = 0; plen <= 128; plen++) {
		s->first[plen] = n;
		while (n < s->n && s->net[n].net.plen == plen)
			n++;
	}
	s->first[129] = n;
	return 0;
}

const struct conf_net *
conf_nets_exact(const struct conf_nets *s, const struct base_prefix *p)
{
	uint32_t lo = s->first[p->plen], hi = s->first[p->plen + 1], end = hi;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (conf_addr_compare(&s->net[mid].net.addr, &p->addr) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < end && conf_addr_compare(&s->net[lo].net.addr, &p->addr) == 0)
		return &s->net[lo];
	return NULL;
}

const struct conf_net *
conf_nets_find(const struct conf_nets *s, const struct base_addr *a)
{
	for (int plen = (int)conf_addr_bits(a); plen >= 0; plen--) {
		struct base_prefix p = {.addr = *a, .plen = (uint8_t)plen};
		const struct conf_net *net;

		if (s->first[plen] == s->first[plen + 1])
			continue;
		p = base_prefix_network(&p);
		net = conf_nets_exact(s, &p);
		if (net != NULL)
			return net;
	}
	return NULL;
}

static bool
same_net(const struct conf_net *a, const struct conf_net *b)
{
	return a->if_index == b->if_index && a->net.plen == b->net.plen &&
		conf_addr_compare(&a->net.addr, &b->net.addr) == 0;
}

char *
conf_nets_list(
	const struct conf_nets *s, const struct conf_reader *r, uint16_t if_index, uint8_t family)
{
	char *text = NULL, buf[CONF_ADDR_STR];
	unsigned int shown = 0;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	for (uint32_t i = 0; i < s->n; i++) {
		if (i > 0 && same_net(&s->net[i], &s->net[i - 1]))
			continue;
		if ((if_index != CONF_IF_NONE && s->net[i].if_index != if_index) ||
			(family != BASE_FAMILY_NONE && s->net[i].net.addr.family != family))
			continue;
		if (shown++ == LIST_MAX) {
			fputs(", and more", f);
			break;
		}
		fprintf(f, "%s%s of \"%s\"", shown == 1 ? "" : ", ",
			conf_prefix_str(&s->net[i].net, buf), r->c->ifs[s->net[i].if_index].name);
	}
	if (shown == 0)
		fputs("none", f);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

void
conf_nets_free(struct conf_nets *s)
{
	free(s->net);
	*s = (struct conf_nets){0};
}
