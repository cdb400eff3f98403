# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Two VLANs on one device: both boxes and all hosts are on the LAN's bridge, which passes tags.

        client 10 ---+                          +--- client 20
                     +=== LAN, VLANs 10 and 20 ===+
             em0.10, em0.20 |            | em0.10, em0.20
                        +-----+        +-----+
                        | fw1 |        | fw2 |
                        +-----+        +-----+

The bridge has one address table for all VLANs, so that what fails over by itself needs a MAC, that
is a vhid, of its own.
"""

import os
import select
import socket
import struct
import subprocess
import time

import box
import carp
import drivers
import dual
import lab

TAG = os.path.join(lab.BUILD, "tests/lab/lab_tag")
ETH_P_ALL = 3
SOL_PACKET, PACKET_AUXDATA = 263, 8
TP_STATUS_VLAN_VALID = 1 << 4

#: By VLAN: prefix of both families, and the number of the group and of its vhid.
NETS = {10: ("192.0.2.", dual.LAN6, 0, 1), 20: ("198.51.100.", dual.WAN6, 1, 2)}
#: Devices of em0: with tags handled by the driver, and by koi.
DEVICES = {"device": "net_af_packet0", "koi": "net_pcap0"}


def vdevs(node, handled):
    """EAL arguments for the device. net_pcap makes up a MAC by the number of its devices: the
    second box has a first one that is not used, so that its em0 has another than the first box's.
    """
    if handled == "device":
        return ["--vdev=net_af_packet0,iface=em0"]
    spare = ["--vdev=net_pcap1,rx_iface_in=lo,tx_iface=lo"] if node == "fw2" else []
    return [*spare, "--vdev=net_pcap0,rx_iface_in=em0,tx_iface=em0"]


def config(node, handled="device", advskew=0, state=None, untagged=None):
    """Two interfaces with tags on one device; untagged: addresses of a third one without."""
    host = {"fw1": 2, "fw2": 3}[node]
    device = DEVICES[handled]
    interfaces, groups = [], []
    for vlan, (net4, net6, n, vhid) in NETS.items():
        interfaces.append({
            "name": f"em0.{vlan}", "device": device, "vlan": vlan,
            "addresses": [f"{net4}{host}/24", f"{net6}{host}/64"],
        })
        groups.append({
            "name": f"carp{n}", "carpdev": f"em0.{vlan}", "vhid": vhid, "pass": "lanpasswd",
            "advskew": advskew, "addresses": [f"{net4}1/24", f"{net6}1/64"],
        })
        if state:
            groups[-1]["state"] = state
    if untagged:
        interfaces.append({"name": "em0", "device": device, "addresses": untagged})
    return {
        "node": node,
        "eal": drivers.eal(box.DRIVER) + box.EAL + vdevs(node, handled),
        "interfaces": interfaces,
        "carp": {"preempt": True, "log": 2, "groups": groups},
    }


def client(net, vlan):
    """A kernel host in a VLAN, by a helper that does what 8021q would do."""
    net4, net6, _, _ = NETS[vlan]
    host = net.host(f"client{vlan}")
    host.attach("em0", lab.LAN)
    tap = f"v{vlan}"
    helper = host.ns.popen([TAG, "em0", str(vlan), tap], stdout=subprocess.PIPE, text=True)
    assert helper.stdout.readline() == "ready\n"
    net.closing.append(helper.stdout.close)
    host.ns.plain_frames(tap)
    host.ns.sysctl(**{f"ipv6__conf__{tap}__accept_dad": 0,
                      f"ipv6__conf__{tap}__router_solicitations": 0})
    host.ns.ip(f"addr add {net4}100/24 dev {tap}", f"addr add {net6}64/64 dev {tap} nodad",
               f"link set {tap} up", f"route add default via {net4}1",
               f"route add default via {net6}1")
    host.macs[tap] = host.ns.mac(tap)
    host.steady_arp()
    host.ns.sysctl(**{f"ipv6__neigh__{tap}__base_reachable_time_ms": 600000})
    return host


class Wire:
    """Frames of the trunk as they pass an interface of a host, each with its tag."""

    def __init__(self, host, iface="em0"):
        with host.ns.entered():
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            self.sock.bind((iface, ETH_P_ALL))
        host.lab.closing.append(self.sock.close)

    def recv(self, timeout):
        """@return (vlan or None, frame without it), or None"""
        if not select.select([self.sock], [], [], max(0.0, timeout))[0]:
            return None
        data, aux, _, _ = self.sock.recvmsg(65535, socket.CMSG_SPACE(20))
        vlan = None
        for level, kind, value in aux:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, tci = struct.unpack_from("I12xH", value)
                vlan = tci & 0xFFF if status & TP_STATUS_VLAN_VALID else None
        return vlan, data

    def collect(self, seconds):
        """All that passes in a measuring time."""
        end, seen = time.monotonic() + seconds, []
        while (left := end - time.monotonic()) > 0:
            frame = self.recv(left)
            if frame is not None:
                seen.append(frame)
        return seen


def frame(tags, dst, src, kind=0x88B5, payload=bytes(46)):
    """A frame with tags as (type, id), outermost first."""
    head = dst + src + b"".join(struct.pack(">HH", t, v) for t, v in tags)
    return head + struct.pack(">H", kind) + payload


def vmac(vlan):
    return carp.vmac(NETS[vlan][3])


def mac_of(fw, iface="em0.10"):
    """The MAC of a box's device."""
    shown = fw.ctl_json(f"show interface {iface}")["mac"]
    return bytes.fromhex(shown.replace(":", ""))
