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

uint16_t
port_steer_all(bool tagged)
{
	const uint16_t kinds = (1U << PORT_STEER_COUNT) - 1;

	return tagged ? (uint16_t)(kinds | kinds << 8) : kinds;
}

/*
 * A tag is named by an item of its own, since to some drivers a pattern without one is of untagged
 * frames alone. Of any VLAN: one rule of a kind does for all that the device has.
 */
void
port_steer_pattern(enum port_steer what, bool tagged, struct rte_flow_item *items)
{
	static const struct rte_flow_item_eth arp = {.hdr.ether_type =
							      RTE_BE16(RTE_ETHER_TYPE_ARP)},
					      arp_mask = {.hdr.ether_type = RTE_BE16(0xffff)};
	static const struct rte_flow_item_vlan tag_arp = {.hdr.eth_proto =
								  RTE_BE16(RTE_ETHER_TYPE_ARP)},
					       tag_arp_mask = {.hdr.eth_proto = RTE_BE16(0xffff)};
	static const struct rte_flow_item_ipv4 carp4 = {.hdr.next_proto_id = PORT_PROTO_CARP},
					       carp4_mask = {.hdr.next_proto_id = 0xff};
	static const struct rte_flow_item_ipv6 carp6 = {.hdr.proto = PORT_PROTO_CARP},
					       carp6_mask = {.hdr.proto = 0xff};
	struct rte_flow_item *next = items;

	*next++ = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_ETH};
	if (tagged)
		*next++ = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_VLAN};
	switch (what) {
	case PORT_STEER_CARP4:
		*next++ = (struct rte_flow_item){
			.type = RTE_FLOW_ITEM_TYPE_IPV4, .spec = &carp4, .mask = &carp4_mask};
		break;
	case PORT_STEER_CARP6:
		*next++ = (struct rte_flow_item){
			.type = RTE_FLOW_ITEM_TYPE_IPV6, .spec = &carp6, .mask = &carp6_mask};
		break;
	case PORT_STEER_NS:
		*next++ = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_IPV6};
		*next++ = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_ICMP6_ND_NS};
		break;
	case PORT_STEER_NA:
		*next++ = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_IPV6};
		*next++ = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_ICMP6_ND_NA};
		break;
	case PORT_STEER_ARP:
	case PORT_STEER_COUNT:
	default:
		next[-1].spec = tagged ? (const void *)&tag_arp : &arp;
		next[-1].mask = tagged ? (const void *)&tag_arp_mask : &arp_mask;
		break;
	}
	*next = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_END};
}

int
port_steer_rule(uint16_t port_id, enum port_steer what, bool tagged, uint16_t queue, bool probe)
{
	static const struct rte_flow_attr attr = {.ingress = 1};
	const struct rte_flow_action_queue to = {.index = queue};
	const struct rte_flow_action actions[] = {
		{.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &to},
		{.type = RTE_FLOW_ACTION_TYPE_END},
	};
	struct rte_flow_item items[PORT_STEER_ITEMS];
	struct rte_flow_error why;

	port_steer_pattern(what, tagged, items);
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

/* Ask for each rule alone. @return those that are had; *why is of the first that is not, -errno */
static uint16_t
ask(const struct port_ops *ops, uint16_t port_id, uint16_t kinds, uint16_t queue, bool probe,
	int *why)
{
	uint16_t had = 0;

	*why = 0;
	for (unsigned int k = 0; k < 2 * PORT_STEER_COUNT; k++) {
		const enum port_steer what = (enum port_steer)(k % PORT_STEER_COUNT);
		const bool tagged = k >= PORT_STEER_COUNT;
		int ret;

		if ((kinds & PORT_STEER_BIT(what, tagged)) == 0)
			continue;
		ret = ops->steer(port_id, what, tagged, queue, probe);
		if (ret == 0)
			had |= (uint16_t)PORT_STEER_BIT(what, tagged);
		else if (*why == 0)
			*why = ret;
	}
	return had;
}

uint16_t
port_steer_probe(const struct port_ops *ops, uint16_t port_id, uint16_t kinds, int *why)
{
	return ask(ops, port_id, kinds, 0, true, why);
}

uint16_t
port_steer_set(const struct port_ops *ops, uint16_t port_id, uint16_t kinds, uint16_t queue)
{
	int why;

	/* What an earlier start left; nobody else makes rules. */
	(void)ops->steer_flush(port_id);
	return ask(ops, port_id, kinds, queue, false, &why);
}

static size_t
list(uint8_t kinds, char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned int k = 0; k < PORT_STEER_COUNT && at < len; k++)
		if (kinds >> k & 1)
			at += (size_t)snprintf(buf + at, len - at, "%s%s", at > 0 ? ", " : "",
				port_steer_name((enum port_steer)k));
	return at;
}

void
port_steer_list(uint16_t kinds, char *buf, size_t len)
{
	const uint8_t untagged = (uint8_t)kinds, tagged = (uint8_t)(kinds >> 8);
	size_t at = list(untagged, buf, len);

	if (tagged == 0 || at >= len)
		return;
	if (tagged == untagged) {
		snprintf(buf + at, len - at, ", tagged ones too");
		return;
	}
	at += (size_t)snprintf(buf + at, len - at, "%stagged: ", at > 0 ? "; " : "");
	if (at < len)
		(void)list(tagged, buf + at, len - at);
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
