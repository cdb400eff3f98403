/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Adverts, and what neighbours ask, into a receive queue of their own: however full the others
 * are, none is lost in front of them. Done by rte_flow, which each driver knows another part of, so
 * that each rule is asked for alone.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>
#include <rte_flow.h>

#include "port_priv.h"

const char *
port_steer_name(enum port_steer what)
{
	static const char *const names[PORT_STEER_COUNT] = {
		[PORT_STEER_CARP4] = "IPv4 adverts",
		[PORT_STEER_CARP6] = "IPv6 adverts",
		[PORT_STEER_ARP] = "ARP",
		[PORT_STEER_NS] = "solicitations",
		[PORT_STEER_NA] = "advertisements",
	};

	return names[what];
}

int
port_steer_rule(uint16_t port_id, enum port_steer what, uint16_t queue, bool probe)
{
	static const struct rte_flow_item_eth arp = {.hdr.ether_type =
							      RTE_BE16(RTE_ETHER_TYPE_ARP)},
					      type_mask = {.hdr.ether_type = RTE_BE16(0xffff)};
	static const struct rte_flow_item_ipv4 carp4 = {.hdr.next_proto_id = PORT_PROTO_CARP},
					       carp4_mask = {.hdr.next_proto_id = 0xff};
	static const struct rte_flow_item_ipv6 carp6 = {.hdr.proto = PORT_PROTO_CARP},
					       carp6_mask = {.hdr.proto = 0xff};
	static const struct rte_flow_attr attr = {.ingress = 1};
	const struct rte_flow_action_queue to = {.index = queue};
	const struct rte_flow_action actions[] = {
		{.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &to},
		{.type = RTE_FLOW_ACTION_TYPE_END},
	};
	struct rte_flow_item items[] = {
		{.type = RTE_FLOW_ITEM_TYPE_ETH},
		{.type = RTE_FLOW_ITEM_TYPE_IPV6},
		{.type = RTE_FLOW_ITEM_TYPE_END},
		{.type = RTE_FLOW_ITEM_TYPE_END},
	};
	struct rte_flow_error why;

	switch (what) {
	case PORT_STEER_CARP4:
		items[1] = (struct rte_flow_item){
			.type = RTE_FLOW_ITEM_TYPE_IPV4, .spec = &carp4, .mask = &carp4_mask};
		break;
	case PORT_STEER_CARP6:
		items[1].spec = &carp6;
		items[1].mask = &carp6_mask;
		break;
	case PORT_STEER_ARP:
		items[0].spec = &arp;
		items[0].mask = &type_mask;
		items[1].type = RTE_FLOW_ITEM_TYPE_END;
		break;
	case PORT_STEER_NS:
		items[2].type = RTE_FLOW_ITEM_TYPE_ICMP6_ND_NS;
		break;
	case PORT_STEER_NA:
		items[2].type = RTE_FLOW_ITEM_TYPE_ICMP6_ND_NA;
		break;
	case PORT_STEER_COUNT:
	default:
		return -EINVAL;
	}
	memset(&why, 0, sizeof(why));
	if (probe)
		return rte_flow_validate(port_id, &attr, items, actions, &why);
	return rte_flow_create(port_id, &attr, items, actions, &why) != NULL ? 0 : -EIO;
}

int
port_steer_flush(uint16_t port_id)
{
	struct rte_flow_error why;

	return rte_flow_flush(port_id, &why);
}

uint8_t
port_steer_probe(const struct port_ops *ops, uint16_t port_id, int *why)
{
	uint8_t can = 0;

	*why = 0;
	for (unsigned int k = 0; k < PORT_STEER_COUNT; k++) {
		int ret = ops->steer(port_id, (enum port_steer)k, 0, true);

		if (ret == 0)
			can |= (uint8_t)(1u << k);
		else if (*why == 0)
			*why = ret;
	}
	return can;
}

uint8_t
port_steer_set(const struct port_ops *ops, uint16_t port_id, uint8_t kinds, uint16_t queue)
{
	uint8_t done = 0;

	/* What an earlier start left; nobody else makes rules. */
	(void)ops->steer_flush(port_id);
	for (unsigned int k = 0; k < PORT_STEER_COUNT; k++)
		if ((kinds >> k & 1) != 0 &&
			ops->steer(port_id, (enum port_steer)k, queue, false) == 0)
			done |= (uint8_t)(1u << k);
	return done;
}

void
port_steer_list(uint8_t kinds, char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned int k = 0; k < PORT_STEER_COUNT && at < len; k++)
		if (kinds >> k & 1)
			at += (size_t)snprintf(buf + at, len - at, "%s%s", at > 0 ? ", " : "",
				port_steer_name((enum port_steer)k));
}

int
port_rss_first(uint16_t port_id, uint16_t n)
{
	struct rte_eth_rss_reta_entry64 reta[RTE_ETH_RSS_RETA_SIZE_512 / RTE_ETH_RETA_GROUP_SIZE];
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_info_get(port_id, &info);

	if (ret != 0)
		return ret;
	if (info.reta_size == 0 || info.reta_size > RTE_ETH_RSS_RETA_SIZE_512)
		return -ENOTSUP;
	memset(reta, 0, sizeof(reta));
	for (uint16_t i = 0; i < info.reta_size; i++) {
		reta[i / RTE_ETH_RETA_GROUP_SIZE].mask |= UINT64_C(1)
			<< (i % RTE_ETH_RETA_GROUP_SIZE);
		reta[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] =
			(uint16_t)(i % n);
	}
	return rte_eth_dev_rss_reta_update(port_id, reta, info.reta_size);
}
