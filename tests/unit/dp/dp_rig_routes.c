/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "dp_rig.h"

#define P4(ip, len)                                                                              \
	{                                                                                        \
		{BASE_FAMILY_IP4, {(ip) >> 24, (ip) >> 16 & 0xff, (ip) >> 8 & 0xff, (ip)&0xff}}, \
			(len)                                                                    \
	}

#define LAN_NET6	0x20, 0x01, 0x0d, 0xb8, 0, 1
#define WAN_NET6	0x20, 0x01, 0x0d, 0xb8, 0, 2
#define SERVER_NET6	0x20, 0x01, 0x0d, 0xb8, 0xff, 0
#define NOWHERE_NET6(n) 0x20, 0x01, 0x0d, 0xb8, 0xfd, (n)
#define FAR_NET6	0x20, 0x01, 0x0d, 0xb8, 0xfe, 0
/* The first six bytes are a macro of the above. */
#define P6(net, host, len)                                     \
	{                                                      \
		{BASE_FAMILY_IP6, {net, [15] = (host)}}, (len) \
	}

#define VIA4(ip)                                                   \
	{                                                          \
		FIB_NH_GATEWAY, WAN, FIB_GROUP_NONE, 0, 0, {ip}, 0 \
	}
static const struct fib_nh paths4[] = {VIA4(ROUTER), VIA4(ROUTER2), VIA4(ROUTER3)};
#define VIA6(host)                                                                \
	{                                                                         \
		.type = FIB_NH_GATEWAY, .if_index = WAN, .group = FIB_GROUP_NONE, \
		.gateway6 = {WAN_NET6, [15] = (host)},                            \
	}
static const struct fib_nh paths6[] = {VIA6(254), VIA6(253), VIA6(252)};
#define MULTI(list)                                                                          \
	{                                                                                    \
		.type = FIB_NH_MULTI, .group = FIB_GROUP_NONE, .n_paths = 3, .paths = (list) \
	}
#define NOWHERE(t)                                    \
	{                                             \
		.type = (t), .group = FIB_GROUP_NONE, \
	}

const struct fib_route rig_routes[] = {
	{P4(IP(203, 0, 120, 0), 24), NOWHERE(FIB_NH_BLACKHOLE)},
	{P4(IP(203, 0, 121, 0), 24), NOWHERE(FIB_NH_UNREACHABLE)},
	{P4(IP(203, 0, 122, 0), 24), NOWHERE(FIB_NH_PROHIBIT)},
	{P4(IP(203, 0, 123, 0), 24), MULTI(paths4)},
	{P6(NOWHERE_NET6(0x20), 0, 48), NOWHERE(FIB_NH_BLACKHOLE)},
	{P6(NOWHERE_NET6(0x21), 0, 48), NOWHERE(FIB_NH_UNREACHABLE)},
	{P6(NOWHERE_NET6(0x22), 0, 48), NOWHERE(FIB_NH_PROHIBIT)},
	{P6(NOWHERE_NET6(0x23), 0, 48), MULTI(paths6)},
	{P4(IP(192, 0, 2, 0), 24), {FIB_NH_CONNECTED, LAN, FIB_GROUP_NONE, 0, 0, {0}, 0}},
	{P4(IP(192, 0, 2, 0), 32), {FIB_NH_DROP, LAN, FIB_GROUP_NONE, 0, 0, {0}, 0}},
	{P4(IP(192, 0, 2, 255), 32), {FIB_NH_DROP, LAN, FIB_GROUP_NONE, 0, 0, {0}, 0}},
	{P4(LAN_OWN, 32), {FIB_NH_LOCAL, LAN, FIB_GROUP_NONE, 0, 0, {0}, 0}},
	{P4(LAN_VIP, 32), {FIB_NH_LOCAL, LAN, LAN_VHID1, 0, 0, {0}, 0}},
	{P4(LAN_VIP7, 32), {FIB_NH_LOCAL, LAN, LAN_VHID7, 0, 0, {0}, 0}},
	{P4(IP(198, 51, 100, 0), 24), {FIB_NH_CONNECTED, WAN, FIB_GROUP_NONE, 0, 0, {0}, 0}},
	{P4(WAN_OWN, 32), {FIB_NH_LOCAL, WAN, FIB_GROUP_NONE, 0, 0, {0}, 0}},
	{P4(WAN_VIP, 32), {FIB_NH_LOCAL, WAN, WAN_VHID1, 0, 0, {0}, 0}},
	{P4(IP(203, 0, 113, 0), 24), {FIB_NH_GATEWAY, WAN, FIB_GROUP_NONE, 0, 0, {ROUTER}, 0}},
	{P4(IP(10, 0, 0, 0), 8), {FIB_NH_GATEWAY, LAN, FIB_GROUP_NONE, 0, 0, {LAN_ROUTER}, 0}},
	{P6(LAN_NET6, 0, 64), {.type = FIB_NH_CONNECTED, .if_index = LAN, .group = FIB_GROUP_NONE}},
	{P6(LAN_NET6, 0, 128), {.type = FIB_NH_DROP, .if_index = LAN, .group = FIB_GROUP_NONE}},
	{P6(LAN_NET6, 2, 128), {.type = FIB_NH_LOCAL, .if_index = LAN, .group = FIB_GROUP_NONE}},
	{P6(LAN_NET6, 1, 128), {.type = FIB_NH_LOCAL, .if_index = LAN, .group = LAN_VHID1}},
	{P6(LAN_NET6, 7, 128), {.type = FIB_NH_LOCAL, .if_index = LAN, .group = LAN_VHID7}},
	{P6(WAN_NET6, 0, 64), {.type = FIB_NH_CONNECTED, .if_index = WAN, .group = FIB_GROUP_NONE}},
	{P6(WAN_NET6, 2, 128), {.type = FIB_NH_LOCAL, .if_index = WAN, .group = FIB_GROUP_NONE}},
	{P6(WAN_NET6, 1, 128), {.type = FIB_NH_LOCAL, .if_index = WAN, .group = WAN_VHID1}},
	{P6(SERVER_NET6, 0, 40),
		{.type = FIB_NH_GATEWAY,
			.if_index = WAN,
			.group = FIB_GROUP_NONE,
			.gateway6 = {WAN_NET6, [15] = 254}}},
	{P6(FAR_NET6, 0, 40),
		{.type = FIB_NH_GATEWAY,
			.if_index = LAN,
			.group = FIB_GROUP_NONE,
			.gateway6 = {0xfe, 0x80, [15] = 100}}},
};
const unsigned int rig_route_count = sizeof(rig_routes) / sizeof(rig_routes[0]);
