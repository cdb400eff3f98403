/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "dp_rig.h"

#include <string.h>

#include "base_bytes.h"

#define IP_AT	 WIRE_ETH_LEN
#define UPPER_AT (WIRE_ETH_LEN + WIRE_IP6_LEN)

static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};

static struct frame
no_header(void)
{
	struct frame f = frame_echo6(lan_mac, client6, lan_own6, 8);

	f.len = UPPER_AT - 1;
	return f;
}

static struct frame
cut(void)
{
	struct frame f = frame_echo6(lan_mac, client6, lan_own6, 8);

	f.len--;
	return f;
}

static struct frame
options_over_the_end(void)
{
	struct frame f = frame_mld_query();

	f.b[UPPER_AT + 1] = 4; /* 40 bytes of 36 */
	return f;
}

static struct frame
options_short(void)
{
	struct frame f = frame_mld_query();

	f.len = UPPER_AT + 7;
	base_store_be16(f.b + IP_AT + 4, 7);
	return f;
}

static struct frame
version_4(void)
{
	struct frame f = frame_echo6(lan_mac, client6, lan_own6, 8);

	f.b[IP_AT] = 0x45;
	return f;
}

static struct frame
from_group(void)
{
	return frame_echo6(lan_mac, wire_ip6_all_nodes, lan_own6, 8);
}

static struct frame
from_nobody(void)
{
	return frame_echo6(lan_mac, wire_ip6_unspecified, lan_own6, 8);
}

static struct frame
from_loopback(void)
{
	return frame_echo6(lan_mac, (const uint8_t[16]){[15] = 1}, lan_own6, 8);
}

static struct frame
from_mapped(void)
{
	return frame_echo6(lan_mac,
		(const uint8_t[16]){[10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 100}, lan_own6, 8);
}

static struct frame
advert_from_loopback(void)
{
	return frame_carp6(wire_carp_mac6, (const uint8_t[16]){[15] = 1}, wire_carp_group_ip6, 1);
}

static struct frame
echo_to_all(void)
{
	return frame_echo6(all_nodes_mac, client6, wire_ip6_all_nodes, 8);
}

static struct frame
mdns(void)
{
	return frame_ip6((const uint8_t[6]){0x33, 0x33, 0, 0, 0, 0xfb}, client6,
		(const uint8_t[16]){0xff, 2, [15] = 0xfb}, 17, 20);
}

static struct frame
carp_to_all_nodes(void)
{
	return frame_carp6(all_nodes_mac, client_ll6, wire_ip6_all_nodes, 1);
}

static struct frame
no_type(void)
{
	return frame_ip6(all_nodes_mac, client6, wire_ip6_all_nodes, WIRE_PROTO_ICMP6, 0);
}

static struct frame
nd_with_options(void)
{
	struct frame f = frame_mld_query();

	f.b[UPPER_AT + 8] = WIRE_ICMP6_NS;
	f.b[IP_AT + 7] = 255;
	return f;
}

static struct frame
mld_from_beyond(void)
{
	struct frame f = frame_mld_query();

	f.b[IP_AT + 7] = 64;
	return f;
}

static struct frame
mld_short(void)
{
	struct frame f = frame_mld_query();

	f.len = UPPER_AT + 8 + 23;
	base_store_be16(f.b + IP_AT + 4, 8 + 23);
	return f;
}

static struct frame
to_loopback(void)
{
	return frame_echo6(lan_mac, client6, (const uint8_t[16]){[15] = 1}, 8);
}

static struct frame
to_nobody(void)
{
	return frame_echo6(lan_mac, client6, wire_ip6_unspecified, 8);
}

static struct frame
to_mapped(void)
{
	return frame_echo6(vmac1, client6,
		(const uint8_t[16]){[10] = 0xff, [11] = 0xff, [12] = 203, 0, 113, 10}, 8);
}

static struct frame
to_link_local(void)
{
	return frame_echo6(lan_mac, client_ll6, (const uint8_t[16]){0xfe, 0x80, [15] = 9}, 8);
}

static struct frame
to_link_local_from_afar(void)
{
	return frame_ip6(vmac1, server6, client_ll6, 17, 20);
}

static struct frame
to_nowhere(void)
{
	return frame_ip6(vmac1, client6, (const uint8_t[16]){0x20, 1, 0x0d, 0xb9}, 17, 20);
}

static struct frame
to_prohibited(void)
{
	return frame_ip6(
		vmac1, client6, (const uint8_t[16]){0x20, 1, 0x0d, 0xb8, 0xfd, 0x22}, 17, 20);
}

static struct frame
hop_limit_one(void)
{
	struct frame f = frame_ip6(vmac1, client6, server6, 17, 20);

	f.b[IP_AT + 7] = 1;
	return f;
}

static struct frame
hop_limit_zero(void)
{
	struct frame f = hop_limit_one();

	f.b[IP_AT + 7] = 0;
	return f;
}

static struct frame
echo_in_group(void)
{
	return frame_echo6(all_nodes_mac, client6, lan_own6, 8);
}

static struct frame
echo_in_broadcast(void)
{
	return frame_echo6(wire_broadcast_mac, client6, lan_own6, 8);
}

static struct frame
nd_short(void)
{
	struct frame f = frame_icmp6(lan_mac, client6, lan_own6, WIRE_ICMP6_NS, 23);

	return f;
}

static struct frame
nd_from_beyond(void)
{
	struct frame f = frame_nd(lan_mac, WIRE_ICMP6_NS, lan_own6, lan_own6);

	f.b[IP_AT + 7] = 254;
	return f;
}

static struct frame
ra_from_beyond(void)
{
	struct frame f =
		frame_icmp6(all_nodes_mac, client_ll6, wire_ip6_all_nodes, WIRE_ICMP6_RA, 16);

	f.b[IP_AT + 7] = 254;
	return f;
}

static struct frame
rs_short(void)
{
	return frame_icmp6(all_nodes_mac, client_ll6, wire_ip6_all_nodes, WIRE_ICMP6_RS, 7);
}

static struct frame
carp_short(void)
{
	return frame_ip6(wire_carp_mac6, client_ll6, wire_carp_group_ip6, WIRE_PROTO_CARP, 1);
}

static struct frame
carp_unicast_empty(void)
{
	return frame_ip6(lan_mac, client6, lan_own6, WIRE_PROTO_CARP, 0);
}

static struct frame
vmac_not_owned(void)
{
	return frame_nd(vmac7, WIRE_ICMP6_NS, lan_vip7_6, lan_vip7_6);
}

static struct frame
echo_vip_not_owned(void)
{
	return frame_echo6(lan_mac, client6, lan_vip7_6, 8);
}

static struct frame
udp_vip_not_owned(void)
{
	return frame_ip6(lan_mac, client6, lan_vip7_6, 17, 8);
}

static struct frame
local_udp(void)
{
	return frame_ip6(lan_mac, client6, lan_own6, 17, 8);
}

static struct frame
local_vip_tcp(void)
{
	return frame_ip6(vmac1, client6, lan_vip6, 6, 20);
}

static struct frame
local_echo_reply(void)
{
	return frame_icmp6(lan_mac, client6, lan_own6, WIRE_ICMP6_ECHO_REPLY, 8);
}

static struct frame
local_fragment(void)
{
	return frame_ip6(lan_mac, client6, lan_own6, 44, 16);
}

static struct frame
carp_to_vip(void)
{
	return frame_carp6(vmac1, client6, lan_vip6, 1);
}

static struct frame
from_our_vip(void)
{
	return frame_echo6(lan_mac, lan_vip7_6, lan_own6, 8);
}

static struct frame
echo_with_options(void)
{
	struct frame f = frame_ip6(lan_mac, client6, lan_own6, WIRE_PROTO_HOPOPTS, 16);
	static const uint8_t options[8] = {WIRE_PROTO_ICMP6, 0, 1, 4};

	memcpy(f.b + UPPER_AT, options, 8);
	f.b[UPPER_AT + 8] = WIRE_ICMP6_ECHO_REQUEST;
	return f;
}

static struct frame
from_own_address(void)
{
	return frame_ip6(vmac1, lan_own6, server6, 17, 30);
}

static struct frame
from_owned_vip(void)
{
	return frame_echo6(lan_mac, lan_vip6, wan_own6, 8);
}

static struct frame
to_anycast(void)
{
	uint8_t dst[16];

	memcpy(dst, lan_own6, sizeof(dst));
	dst[15] = 0;
	return frame_echo6(vmac1, client6, dst, 8);
}

static struct frame
redirect(void)
{
	return frame_icmp6(lan_mac, client_ll6, own_ll6, WIRE_ICMP6_REDIRECT, 40);
}

/* After n bytes of destination options. */
static struct frame
routing(uint16_t n, uint8_t type, uint8_t segments_left)
{
	struct frame f = frame_ip6(lan_mac, client6, lan_own6,
		n != 0 ? WIRE_PROTO_DSTOPTS : WIRE_PROTO_ROUTING, (uint16_t)(n + 24 + 8));
	uint8_t *h = f.b + UPPER_AT + n;

	memset(f.b + UPPER_AT, 0, n);
	f.b[UPPER_AT] = WIRE_PROTO_ROUTING;
	h[0] = WIRE_PROTO_ICMP6;
	h[1] = 2;
	h[2] = type;
	h[3] = segments_left;
	return f;
}

static struct frame
routing_header_0(void)
{
	return routing(0, 0, 1);
}

static struct frame
routing_header_4(void)
{
	return routing(8, 4, 255);
}

static struct frame
routing_header_done(void)
{
	return routing(0, 0, 0);
}

static struct frame
echo_short(void)
{
	return frame_ip6(lan_mac, client6, lan_own6, WIRE_PROTO_ICMP6, 7);
}

static struct frame
echo_checksum(void)
{
	struct frame f = frame_echo6(lan_mac, client6, lan_own6, 8);

	f.b[f.len - 1] ^= 1;
	return f;
}

static struct frame
echo_too_big(void)
{
	return frame_echo6(lan_mac, client6, lan_own6, 1500 - 48 + 1);
}

const struct bad_frame bad_frames6[] = {
	{DP_DROP_IP6_TRUNCATED, "39 bytes of header", no_header},
	{DP_DROP_IP6_TRUNCATED, "last byte missing", cut},
	{DP_DROP_IP6_TRUNCATED, "hop-by-hop header over the end", options_over_the_end},
	{DP_DROP_IP6_TRUNCATED, "hop-by-hop header of 7 bytes", options_short},
	{DP_DROP_IP6_VERSION, "version 4", version_4},
	{DP_DROP_IP6_SOURCE, "from multicast", from_group},
	{DP_DROP_IP6_SOURCE, "unicast from ::", from_nobody},
	{DP_DROP_IP6_SOURCE, "from loopback", from_loopback},
	{DP_DROP_IP6_SOURCE, "from an IPv4-mapped address", from_mapped},
	{DP_DROP_IP6_SOURCE, "advert from loopback", advert_from_loopback},
	{DP_DROP_IP6_UNHANDLED, "echo to ff02::1", echo_to_all},
	{DP_DROP_IP6_UNHANDLED, "mDNS", mdns},
	{DP_DROP_IP6_UNHANDLED, "advert to ff02::1", carp_to_all_nodes},
	{DP_DROP_IP6_UNHANDLED, "ICMPv6 without a byte", no_type},
	{DP_DROP_IP6_UNHANDLED, "solicitation after a hop-by-hop header", nd_with_options},
	{DP_DROP_IP6_UNHANDLED, "MLD query, hop limit 64", mld_from_beyond},
	{DP_DROP_IP6_UNHANDLED, "MLD query of 23 bytes", mld_short},
	{DP_DROP_IP6_DESTINATION, "to loopback", to_loopback},
	{DP_DROP_IP6_DESTINATION, "to ::", to_nobody},
	{DP_DROP_IP6_DESTINATION, "to an IPv4-mapped address", to_mapped},
	{DP_DROP_IP6_SCOPE, "to a link-local address of another host", to_link_local},
	{DP_DROP_IP6_SCOPE, "to a link-local address, from another link", to_link_local_from_afar},
	{DP_DROP_NO_ROUTE, "no route", to_nowhere},
	{DP_DROP_ROUTE_PROHIBIT, "by a route that forbids", to_prohibited},
	{DP_DROP_TTL, "hop limit 1", hop_limit_one},
	{DP_DROP_TTL, "hop limit 0", hop_limit_zero},
	{DP_DROP_L2_BROADCAST, "echo in multicast", echo_in_group},
	{DP_DROP_L2_BROADCAST, "echo in broadcast", echo_in_broadcast},
	{DP_DROP_ND_MALFORMED, "solicitation of 23 bytes", nd_short},
	{DP_DROP_ND_MALFORMED, "solicitation, hop limit 254", nd_from_beyond},
	{DP_DROP_ND_MALFORMED, "router solicitation of 7 bytes", rs_short},
	{DP_DROP_ND_MALFORMED, "router advertisement, hop limit 254", ra_from_beyond},
	{DP_DROP_CARP_MALFORMED, "no vhid", carp_short},
	{DP_DROP_CARP_MALFORMED, "unicast, no byte", carp_unicast_empty},
	{DP_DROP_NOT_MASTER, "solicitation to the vMAC of a backup", vmac_not_owned},
	{DP_DROP_NOT_MASTER, "echo to the VIP of a backup by our own MAC", echo_vip_not_owned},
	{DP_DROP_NOT_MASTER, "UDP to the VIP of a backup by our own MAC", udp_vip_not_owned},
	{DP_DROP_LOCAL, "UDP to us", local_udp},
	{DP_DROP_LOCAL, "TCP to a VIP", local_vip_tcp},
	{DP_DROP_LOCAL, "echo reply to us", local_echo_reply},
	{DP_DROP_LOCAL, "fragment to us", local_fragment},
	{DP_DROP_LOCAL, "unicast advert to a VIP", carp_to_vip},
	{DP_DROP_LOCAL, "echo from the VIP of a backup", from_our_vip},
	{DP_DROP_OWN_SOURCE, "from our own address", from_own_address},
	{DP_DROP_OWN_SOURCE, "echo from a VIP of ours", from_owned_vip},
	{DP_DROP_LOCAL, "echo after a hop-by-hop header", echo_with_options},
	{DP_DROP_SUBNET_ANYCAST, "echo to the anycast address of the LAN", to_anycast},
	{DP_DROP_REDIRECT, "redirect", redirect},
	{DP_DROP_IP6_ROUTING, "routing header of type 0", routing_header_0},
	{DP_DROP_IP6_ROUTING, "routing header of type 4 after options", routing_header_4},
	{DP_DROP_LOCAL, "routing header that is done", routing_header_done},
	{DP_DROP_ECHO_MALFORMED, "seven bytes of ICMPv6", echo_short},
	{DP_DROP_ECHO_MALFORMED, "ICMPv6 checksum", echo_checksum},
	{DP_DROP_TOO_BIG, "one byte over the MTU", echo_too_big},
};

const unsigned int bad_frame6_count = sizeof(bad_frames6) / sizeof(bad_frames6[0]);
