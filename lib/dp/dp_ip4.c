/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * What only some packets of IPv4 have: options.
 */
#include "dp_priv.h"

#define OPTION_END  0
#define OPTION_NOP  1
#define OPTION_LSRR 131
#define OPTION_SSRR 137

/*
 * A packet whose sender chose the route is refused (RFC 7126 4.3, 4.4). What else there is passes
 * as it is, a router alert, a route to be recorded and times to be stamped included, once it is
 * known where each option ends.
 * @param at  where the header is wrong, when it is
 */
static enum dp_drop
options_check(const uint8_t *ip, uint32_t *at)
{
	uint32_t len = (uint32_t)(ip[0] & 0x0f) * 4, o = WIRE_IP4_LEN;

	while (o < len && ip[o] != OPTION_END) {
		if (ip[o] == OPTION_LSRR || ip[o] == OPTION_SSRR)
			return DP_DROP_IP4_SOURCE_ROUTE;
		if (ip[o] == OPTION_NOP) {
			o++;
			continue;
		}
		*at = o;
		if (o + 1 == len)
			return DP_DROP_IP4_OPTIONS;
		(*at)++;
		if (ip[o + 1] < 2 || ip[o + 1] > len - o)
			return DP_DROP_IP4_OPTIONS;
		o += ip[o + 1];
	}
	return DP_DROP_COUNT;
}

bool
dp_ip4_options(struct dp_lcore *lc, struct rte_mbuf *m)
{
	uint32_t at = 0;
	enum dp_drop why =
		options_check(rte_pktmbuf_mtod_offset(m, const uint8_t *, WIRE_ETH_LEN), &at);

	if (why == DP_DROP_COUNT)
		return true;
	if (why == DP_DROP_IP4_OPTIONS)
		dp_icmp_error(lc, m, WIRE_ETH_LEN, WIRE_ICMP_PARAMETER, 0, at << 24);
	dp_drop(lc, m, why);
	return false;
}
