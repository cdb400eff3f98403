# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The picture of chapter 28.5 with addresses of both families, as in config/fw1.json."""

import box
import carp6
import lab

LAN6, WAN6 = "2001:db8:1::", "2001:db8:2::"
LAN_VIP6, WAN_VIP6 = LAN6 + "1", WAN6 + "1"
CLIENT_IP6, SERVER_IP6 = LAN6 + "64", WAN6 + "64"
LAN_VIPS = [lab.LAN_VIP, LAN_VIP6]
WAN_VIPS = [lab.WAN_VIP, WAN_VIP6]


def config(node, **kw):
    """box.config() and the IPv6 addresses beside those of IPv4."""
    conf = box.config(node, **kw)
    host = {"fw1": 2, "fw2": 3, "fw3": 4}[node]
    for iface, net in zip(conf["interfaces"], (LAN6, WAN6)):
        if kw.get("addresses", True):
            iface["addresses"].append(f"{net}{host}/64")
    for group, vip in zip(conf["carp"]["groups"], (LAN_VIP6, WAN_VIP6)):
        group["addresses"].append(f"{vip}/64")
    return conf


def host(net, name, address, address6, segment=lab.LAN, vips=()):
    """A kernel host that speaks both families at once; vips are its default gateways."""
    it = net.host(name)
    # No address of its own is tentative: the first packet can leave at once.
    it.ns.sysctl(ipv6__conf__default__accept_dad=0, ipv6__conf__default__router_solicitations=0)
    it.attach("em0", segment, f"{address}/24", ipv6=True)
    it.ns.ip(f"addr add {address6}/64 dev em0 nodad")
    it.steady_arp()
    it.ns.sysctl(ipv6__neigh__em0__base_reachable_time_ms=600000)
    for vip in vips:
        it.ns.ip(f"route add default via {vip}")
    return it


class DualPair:
    """fw1 and fw2 with both families, and a client on the LAN; on the WAN a server if wanted."""

    def __init__(self, net, conf1=None, conf2=None, server=False):
        self.net = net
        self.both = carp6.sniffer(net)
        self.client = host(net, "client", lab.CLIENT_IP, CLIENT_IP6, vips=LAN_VIPS)
        if server:
            self.server = host(net, "server", lab.SERVER_IP, SERVER_IP6, lab.WAN, WAN_VIPS)
        self.fw1 = box.Box(net.firewall("fw1"), conf1 or config("fw1", state="master"))
        self.fw2 = box.Box(net.firewall("fw2"), conf2 or config("fw2", advskew=128))
        self.boxes = (self.fw1, self.fw2)

    def start(self):
        box.start_pair(*self.boxes)
        for group in self.fw1.conf["carp"]["groups"]:
            group.pop("state", None)  # only this once
        self.client.wait_ping(lab.LAN_VIP)
        self.client.wait_ping(LAN_VIP6)
        return self
