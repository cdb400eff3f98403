/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "dp_rig.h"

#include <string.h>

#include "base_bytes.h"

#define IP_AT WIRE_ETH_LEN

struct frame
frame_good(void)
{
	return frame_udp(vmac1, CLIENT, SERVER);
}

static struct frame
short_eth(void)
{
	struct frame f = frame_good();

	f.len = WIRE_ETH_LEN - 1;
	return f;
}

static struct frame
empty(void)
{
	struct frame f = frame_good();

	f.len = 0;
	return f;
}

static struct frame
ip6(void)
{
	struct frame f = frame_good();

	base_store_be16(f.b + 12, WIRE_ETHERTYPE_IP6);
	return f; /* its version says 4 */
}

static struct frame
length_field(void)
{
	struct frame f = frame_good();

	base_store_be16(f.b + 12, 0x0040);
	return f;
}

static struct frame
other(void)
{
	return frame_udp(other_mac, CLIENT, SERVER);
}

static struct frame
unconfigured_vhid(void)
{
	return frame_udp((const uint8_t[6]){0, 0, 0x5e, 0, 1, 8}, CLIENT, SERVER);
}

static struct frame
vrrp6_vmac(void)
{
	return frame_udp((const uint8_t[6]){0, 0, 0x5e, 0, 2, 1}, CLIENT, SERVER);
}

static struct frame
vmac_not_owned(void)
{
	return frame_udp(vmac7, CLIENT, SERVER);
}

static struct frame
arp_not_owned(void)
{
	return frame_arp(vmac7, WIRE_ARP_REQUEST, CLIENT, LAN_VIP7);
}

static struct frame
echo_vip_not_owned(void)
{
	return frame_echo(lan_mac, CLIENT, LAN_VIP7, 10);
}

static struct frame
arp_short(void)
{
	struct frame f = frame_arp(wire_broadcast_mac, WIRE_ARP_REQUEST, CLIENT, LAN_OWN);

	f.len--;
	return f;
}

static struct frame
arp_token_ring(void)
{
	struct frame f = frame_arp(wire_broadcast_mac, WIRE_ARP_REQUEST, CLIENT, LAN_OWN);

	base_store_be16(f.b + WIRE_ETH_LEN, 6);
	return f;
}

static struct frame
carp_short(void)
{
	return frame_ip4(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, WIRE_PROTO_CARP, 1);
}

static struct frame
carp_fragment(void)
{
	struct frame f = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 1);

	base_store_be16(f.b + IP_AT + 6, 5);
	frame_sum(&f);
	return f;
}

static struct frame
carp_unicast_short(void)
{
	return frame_ip4(lan_mac, CLIENT, LAN_OWN, WIRE_PROTO_CARP, 1);
}

static struct frame
ip_no_header(void)
{
	struct frame f = frame_good();

	f.len = IP_AT + WIRE_IP4_LEN - 1;
	return f;
}

static struct frame
ip_cut(void)
{
	struct frame f = frame_good();

	f.len--;
	return f;
}

static struct frame
ip_options_cut(void)
{
	struct frame f = frame_good();

	frame_options(&f, 40);
	f.len = IP_AT + 30;
	return f;
}

static struct frame
ip_version(void)
{
	struct frame f = frame_good();

	f.b[IP_AT] = 0x65;
	return f;
}

static struct frame
ip_ihl(void)
{
	struct frame f = frame_good();

	f.b[IP_AT] = 0x44;
	frame_sum(&f);
	return f;
}

static struct frame
ip_total_len(void)
{
	struct frame f = frame_good();

	base_store_be16(f.b + IP_AT + 2, 19);
	frame_sum(&f);
	return f;
}

static struct frame
ip_checksum(void)
{
	struct frame f = frame_good();

	f.b[IP_AT + 11] ^= 1;
	return f;
}

static struct frame
carp_checksum(void)
{
	struct frame f = frame_carp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4, 1);

	f.b[IP_AT + 10] ^= 1;
	return f;
}

static struct frame
source_multicast(void)
{
	return frame_udp(vmac1, IP(224, 0, 0, 1), SERVER);
}

static struct frame
source_broadcast(void)
{
	return frame_udp(vmac1, UINT32_MAX, SERVER);
}

static struct frame
source_loopback(void)
{
	return frame_udp(vmac1, IP(127, 0, 0, 1), SERVER);
}

static struct frame
source_zero(void)
{
	return frame_udp(vmac1, 0, SERVER);
}

static struct frame
destination_loopback(void)
{
	return frame_udp(vmac1, CLIENT, IP(127, 1, 2, 3));
}

static struct frame
destination_zero(void)
{
	return frame_udp(vmac1, CLIENT, 0);
}

static struct frame
destination_class_e(void)
{
	return frame_udp(vmac1, CLIENT, IP(240, 0, 0, 1));
}

static struct frame
unicast_in_broadcast(void)
{
	return frame_udp(wire_broadcast_mac, CLIENT, SERVER);
}

static struct frame
echo_in_multicast(void)
{
	return frame_echo((const uint8_t[6]){1, 0, 0x5e, 0, 1, 1}, CLIENT, LAN_VIP, 4);
}

static struct frame
multicast(void)
{
	return frame_udp((const uint8_t[6]){1, 0, 0x5e, 0, 0, 5}, CLIENT, IP(224, 0, 0, 5));
}

static struct frame
limited_broadcast(void)
{
	return frame_udp(wire_broadcast_mac, CLIENT, UINT32_MAX);
}

static struct frame
not_carp(void)
{
	return frame_udp(wire_carp_mac4, CLIENT, WIRE_CARP_GROUP_IP4);
}

static struct frame
ttl_one(void)
{
	struct frame f = frame_good();

	f.b[IP_AT + 8] = 1;
	frame_sum(&f);
	return f;
}

static struct frame
ttl_zero(void)
{
	struct frame f = frame_good();

	f.b[IP_AT + 8] = 0;
	frame_sum(&f);
	return f;
}

static struct frame
to_blackhole(void)
{
	return frame_udp(vmac1, CLIENT, IP(203, 0, 120, 9));
}

static struct frame
to_unreachable(void)
{
	return frame_udp(vmac1, CLIENT, IP(203, 0, 121, 9));
}

static struct frame
unrouted(void)
{
	return frame_udp(vmac1, CLIENT, IP(8, 8, 8, 8));
}

static struct frame
subnet_broadcast(void)
{
	return frame_udp(vmac1, CLIENT, IP(192, 0, 2, 255));
}

static struct frame
big(void)
{
	struct frame f = frame_ip4(vmac1, CLIENT, SERVER, 17, 1381);

	base_store_be16(f.b + IP_AT + 6, WIRE_IP4_DF);
	frame_sum(&f);
	return f;
}

static struct frame
local_udp(void)
{
	return frame_udp(lan_mac, CLIENT, LAN_OWN);
}

static struct frame
local_vip_tcp(void)
{
	return frame_ip4(vmac1, CLIENT, LAN_VIP, 6, 20);
}

static struct frame
local_echo_reply(void)
{
	struct frame f = frame_echo(lan_mac, CLIENT, LAN_OWN, 0);
	uint8_t *icmp = f.b + IP_AT + WIRE_IP4_LEN;
	const struct wire_icmp h = {.type = WIRE_ICMP_ECHO_REPLY};

	wire_icmp_encode(&h, NULL, 0, icmp);
	return f;
}

/* With a redirect's type, code and sum. */
static struct frame
redirect(void)
{
	struct frame f = frame_echo(lan_mac, CLIENT, LAN_OWN, 28);
	const struct wire_icmp h = {.type = WIRE_ICMP_REDIRECT, .code = 1, .rest = LAN_ROUTER};
	uint8_t *icmp = f.b + IP_AT + WIRE_IP4_LEN;

	wire_icmp_encode(&h, icmp + WIRE_ICMP_LEN, 28, icmp);
	return f;
}

/* The option that begins with these bytes, after a byte of nothing. */
static struct frame
with_option(uint32_t dst, uint8_t type, uint8_t len)
{
	struct frame f = frame_udp(vmac1, CLIENT, dst);

	frame_options(&f, 12);
	f.b[IP_AT + 21] = type;
	f.b[IP_AT + 22] = len;
	f.b[IP_AT + 23] = 4;
	frame_sum(&f);
	return f;
}

static struct frame
from_link_local(void)
{
	return frame_udp(vmac1, IP(169, 254, 1, 1), SERVER);
}

static struct frame
to_link_local(void)
{
	return frame_udp(vmac1, CLIENT, IP(169, 254, 255, 255));
}

static struct frame
loose_source_route(void)
{
	return with_option(SERVER, 131, 11);
}

static struct frame
strict_source_route(void)
{
	return with_option(LAN_OWN, 137, 11);
}

static struct frame
option_of_no_length(void)
{
	return with_option(SERVER, 7, 1);
}

static struct frame
option_over_the_end(void)
{
	return with_option(SERVER, 7, 12);
}

static struct frame
option_without_length(void)
{
	struct frame f = frame_udp(vmac1, CLIENT, SERVER);

	frame_options(&f, 4);
	f.b[IP_AT + 23] = 7;
	frame_sum(&f);
	return f;
}

static struct frame
echo_to_subnet_broadcast(void)
{
	return frame_echo(vmac1, CLIENT, IP(192, 0, 2, 255), 8);
}

static struct frame
from_own_address(void)
{
	return frame_udp(vmac1, LAN_OWN, SERVER);
}

static struct frame
from_own_address_elsewhere(void)
{
	return frame_echo(lan_mac, WAN_OWN, LAN_OWN, 8);
}

static struct frame
from_owned_vip(void)
{
	struct frame f = frame_udp(lan_mac, LAN_VIP, SERVER);

	frame_options(&f, 4);
	return f;
}

static struct frame
carp_to_vip(void)
{
	return frame_carp(vmac1, CLIENT, LAN_VIP, 1);
}

static struct frame
echo_short(void)
{
	return frame_ip4(lan_mac, CLIENT, LAN_OWN, WIRE_PROTO_ICMP, 7);
}

static struct frame
echo_fragment(void)
{
	struct frame f = frame_echo(lan_mac, CLIENT, LAN_OWN, 32);

	base_store_be16(f.b + IP_AT + 6, WIRE_IP4_MF);
	frame_sum(&f);
	return f;
}

static struct frame
echo_checksum(void)
{
	struct frame f = frame_echo(lan_mac, CLIENT, LAN_OWN, 32);

	f.b[f.len - 1] ^= 1;
	return f;
}

static struct frame
tagged(uint16_t tci)
{
	struct frame f = frame_good();

	frame_tag(&f, WIRE_ETHERTYPE_VLAN, tci);
	return f;
}

static struct frame
vlan(void)
{
	return tagged(30);
}

static struct frame
vlan_twice(void)
{
	struct frame f = tagged(30);

	frame_tag(&f, WIRE_ETHERTYPE_VLAN, 0);
	return f;
}

static struct frame
vlan_provider(void)
{
	struct frame f = frame_good();

	frame_tag(&f, WIRE_ETHERTYPE_QINQ, 30);
	return f;
}

static struct frame
priority_no_route(void)
{
	struct frame f = unrouted();

	frame_tag(&f, WIRE_ETHERTYPE_VLAN, 7 << 13);
	return f;
}

const struct bad_frame bad_frames[] = {
	{DP_DROP_TRUNCATED_ETH, "13 bytes", short_eth},
	{DP_DROP_TRUNCATED_ETH, "no byte", empty},
	{DP_DROP_ETHERTYPE, "802.3 length", length_field},
	{DP_DROP_OTHER_MAC, "foreign MAC", other},
	{DP_DROP_OTHER_MAC, "vMAC of no group", unconfigured_vhid},
	{DP_DROP_OTHER_MAC, "VRRP's IPv6 MAC", vrrp6_vmac},
	{DP_DROP_NOT_MASTER, "vMAC of a backup", vmac_not_owned},
	{DP_DROP_NOT_MASTER, "ARP to the vMAC of a backup", arp_not_owned},
	{DP_DROP_NOT_MASTER, "echo to the VIP of a backup by our own MAC", echo_vip_not_owned},
	{DP_DROP_ARP_MALFORMED, "ARP cut", arp_short},
	{DP_DROP_ARP_MALFORMED, "ARP for another hardware", arp_token_ring},
	{DP_DROP_CARP_MALFORMED, "no vhid", carp_short},
	{DP_DROP_CARP_MALFORMED, "fragment", carp_fragment},
	{DP_DROP_CARP_MALFORMED, "unicast, no vhid", carp_unicast_short},
	{DP_DROP_IP4_TRUNCATED, "19 bytes of header", ip_no_header},
	{DP_DROP_IP4_TRUNCATED, "last byte missing", ip_cut},
	{DP_DROP_IP4_TRUNCATED, "options cut", ip_options_cut},
	{DP_DROP_IP4_VERSION, "version 6", ip_version},
	{DP_DROP_IP4_HEADER, "header of 16 bytes", ip_ihl},
	{DP_DROP_IP4_HEADER, "total length 19", ip_total_len},
	{DP_DROP_IP4_CHECKSUM, "checksum", ip_checksum},
	{DP_DROP_IP4_CHECKSUM, "checksum of an advert", carp_checksum},
	{DP_DROP_IP4_SOURCE, "from multicast", source_multicast},
	{DP_DROP_IP4_SOURCE, "from broadcast", source_broadcast},
	{DP_DROP_IP4_SOURCE, "from loopback", source_loopback},
	{DP_DROP_IP4_SOURCE, "from zero", source_zero},
	{DP_DROP_IP4_DESTINATION, "to loopback", destination_loopback},
	{DP_DROP_IP4_DESTINATION, "to zero", destination_zero},
	{DP_DROP_IP4_DESTINATION, "to class E", destination_class_e},
	{DP_DROP_IP4_SCOPE, "from 169.254/16", from_link_local},
	{DP_DROP_IP4_SCOPE, "to 169.254/16", to_link_local},
	{DP_DROP_IP4_SOURCE_ROUTE, "loose source route", loose_source_route},
	{DP_DROP_IP4_SOURCE_ROUTE, "strict source route, to us", strict_source_route},
	{DP_DROP_IP4_OPTIONS, "option of one byte", option_of_no_length},
	{DP_DROP_IP4_OPTIONS, "option over the end", option_over_the_end},
	{DP_DROP_IP4_OPTIONS, "option without a length", option_without_length},
	{DP_DROP_IP6_VERSION, "version 4", ip6},
	{DP_DROP_L2_BROADCAST, "unicast in broadcast", unicast_in_broadcast},
	{DP_DROP_L2_BROADCAST, "echo to a VIP in multicast", echo_in_multicast},
	{DP_DROP_MULTICAST, "OSPF's group", multicast},
	{DP_DROP_MULTICAST, "limited broadcast", limited_broadcast},
	{DP_DROP_MULTICAST, "UDP to CARP's group", not_carp},
	{DP_DROP_TTL, "TTL 1", ttl_one},
	{DP_DROP_TTL, "TTL 0", ttl_zero},
	{DP_DROP_OWN_SOURCE, "from our own address", from_own_address},
	{DP_DROP_OWN_SOURCE, "from our own address of another interface",
		from_own_address_elsewhere},
	{DP_DROP_OWN_SOURCE, "from a VIP of ours", from_owned_vip},
	{DP_DROP_NO_ROUTE, "no route", unrouted},
	{DP_DROP_BLACKHOLE, "to a blackhole", to_blackhole},
	{DP_DROP_ROUTE_UNREACHABLE, "by a route to nowhere", to_unreachable},
	{DP_DROP_SUBNET_BROADCAST, "subnet broadcast", subnet_broadcast},
	{DP_DROP_SUBNET_BROADCAST, "echo to the subnet broadcast", echo_to_subnet_broadcast},
	{DP_DROP_TOO_BIG, "one byte over the MTU with DF", big},
	{DP_DROP_LOCAL, "UDP to us", local_udp},
	{DP_DROP_LOCAL, "TCP to a VIP", local_vip_tcp},
	{DP_DROP_LOCAL, "echo reply to us", local_echo_reply},
	{DP_DROP_LOCAL, "unicast advert to a VIP", carp_to_vip},
	{DP_DROP_ECHO_MALFORMED, "seven bytes of ICMP", echo_short},
	{DP_DROP_ECHO_MALFORMED, "fragment", echo_fragment},
	{DP_DROP_ECHO_MALFORMED, "ICMP checksum", echo_checksum},
	{DP_DROP_REDIRECT, "redirect", redirect},
	{DP_DROP_VLAN_UNKNOWN, "VLAN tag", vlan},
	{DP_DROP_VLAN_DOUBLE, "two VLAN tags", vlan_twice},
	{DP_DROP_VLAN_DOUBLE, "802.1ad", vlan_provider},
	{DP_DROP_NO_ROUTE, "priority alone", priority_no_route},
};

const unsigned int bad_frame_count = sizeof(bad_frames) / sizeof(bad_frames[0]);
