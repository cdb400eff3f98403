/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Packets in several segments: their headers brought together, their ends cut off. */
#include "dp_priv.h"

void
dp_headers_pull_up(struct rte_mbuf *m)
{
	uint32_t want = RTE_MIN(m->pkt_len, (uint32_t)DP_HEADERS_MAX);
	uint16_t missing;

	if (m->data_len >= want)
		return;
	missing = (uint16_t)(want - m->data_len);
	if (rte_pktmbuf_tailroom(m) < missing) {
		/* A tag may have to go before it. */
		char *front = (char *)m->buf_addr + WIRE_VLAN_TAG_LEN;

		if (m->buf_len < want + WIRE_VLAN_TAG_LEN)
			return; /* the length checks will refuse it */
		memmove(front, rte_pktmbuf_mtod(m, char *), m->data_len);
		m->data_off = WIRE_VLAN_TAG_LEN;
	}
	while (missing != 0) {
		struct rte_mbuf *s = m->next;
		uint16_t n = (uint16_t)RTE_MIN(missing, s->data_len);

		memcpy(rte_pktmbuf_mtod_offset(m, char *, m->data_len), rte_pktmbuf_mtod(s, char *),
			n);
		m->data_len = (uint16_t)(m->data_len + n);
		s->data_off = (uint16_t)(s->data_off + n);
		s->data_len = (uint16_t)(s->data_len - n);
		missing = (uint16_t)(missing - n);
		if (s->data_len == 0) {
			m->next = s->next;
			m->nb_segs--;
			s->next = NULL;
			s->nb_segs = 1;
			rte_pktmbuf_free_seg(s);
		}
	}
}

void
dp_frame_trim(struct rte_mbuf *m, uint32_t len)
{
	struct rte_mbuf *s = m, *rest;
	uint32_t left = len;

	if (m->pkt_len <= len)
		return;
	m->pkt_len = len;
	for (; left > s->data_len; s = s->next)
		left -= s->data_len;
	s->data_len = (uint16_t)left;
	rest = s->next;
	s->next = NULL;
	while (rest != NULL) {
		struct rte_mbuf *next = rest->next;

		rest->next = NULL;
		rest->nb_segs = 1;
		rte_pktmbuf_free_seg(rest);
		m->nb_segs--;
		rest = next;
	}
}
