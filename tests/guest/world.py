# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The lab's picture with fw1 in a guest: real filters and links inside, a veth outside."""

import socket
import struct

import box
import carp
import guestbox
import lab
import machine
import sniff

#: What the kinds of devices are and what koi must find: docs/devices.md has the whole table.
MODELS = [
    machine.Model("e1000", "e1000", "uio_pci_generic", "filter", "list"),
    machine.Model("e1000e", "e1000e", "uio_pci_generic", "filter", "list", slow_close=True),
    machine.Model(
        "virtio-net",
        "virtio-net-pci",
        "vfio-pci",
        "filter",
        "allmulticast",
        ",disable-legacy=on,iommu_platform=on,ats=on",
    ),
    machine.Model("vmxnet3", "vmxnet3", "uio_pci_generic", "promiscuous", "allmulticast"),
]

#: The guest's own skew. The box outside is better or worse than it.
SKEW, BETTER, WORSE = 100, 0, 200
#: For everything that the guest has to do: its CPUs are emulated, and the machine may be busy.
PATIENCE_S = 30

UDP = 17


class Place:
    """Where the guest stands, as far as its box asks."""

    def __init__(self, net, name):
        self.lab = net
        self.name = name


class World:
    """fw1 in the guest, fw2 beside it, a client and a server."""

    def __init__(self, net, model):
        self.net = net
        self.model = model
        self.client = net.client()
        self.server = net.server()
        self.fw2 = box.Box(net.firewall("fw2"), box.config("fw2", advskew=BETTER, state="master"))
        self.fw2.start(wait=False)
        self.guest = machine.Machine(net, "fw1", model)
        self.fw1 = guestbox.GuestBox(Place(net, "fw1"), self.guest, self.config())
        self.into = [net.inject(f"fw1.em{i}") for i in range(2)]
        self.fw1.start()

    def config(self):
        conf = box.config("fw1", advskew=SKEW)
        mode = "va" if self.model.iommu else "pa"
        conf["eal"] = ["--in-memory", "-m", "160", f"--iova-mode={mode}"]
        conf["lcores"] = {"control": 0, "workers": [1], "idle": "adaptive"}
        for interface, device in zip(conf["interfaces"], self.guest.BDF):
            interface["device"] = device
        return conf

    # -- who is master ------------------------------------------------------------------------

    def restart_fw2(self, advskew):
        """The box outside begins anew with this skew, as an ordinary box does."""
        self.fw2.kill()
        self.fw2.conf = box.config("fw2", advskew=advskew)
        self.fw2.start()

    def outside_is_master(self):
        if self.fw2.conf["carp"]["groups"][0]["advskew"] != BETTER or self.fw2.killed:
            self.restart_fw2(BETTER)
        self.fw2.wait_master(PATIENCE_S)
        self.fw1.wait_backup(PATIENCE_S)

    def inside_is_master(self):
        """With a worse box beside it, which hears it."""
        self.restart_fw2(WORSE)
        self.fw1.wait_master(PATIENCE_S)
        self.fw2.wait_backup(PATIENCE_S)

    def traffic_passes(self):
        self.client.wait_ping(lab.LAN_VIP, PATIENCE_S)
        self.client.wait_ping(lab.SERVER_IP, PATIENCE_S)
        assert self.client.arp(lab.LAN_VIP) == carp.vmac(1)

    # -- what a device lets pass --------------------------------------------------------------

    def interface(self, name):
        return self.fw1.ctl_json(f"show interface {name}")

    def drops(self):
        """@return {reason: count} of the guest"""
        return self.fw1.ctl_json("show drops")

    def send_into(self, dst_mac, dst_ip, count=20, i=0):
        """UDP frames of the client's out of the switch's port, whatever the switch has learnt."""
        body = struct.pack("!4H", 9, 9, 8, 0)
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, UDP, 0)
        addresses = socket.inet_aton(lab.CLIENT_IP) + socket.inet_aton(dst_ip)
        ip = ip[:10] + struct.pack("!H", carp.inet_sum(ip + addresses)) + addresses
        frame = dst_mac + self.client.macs["em0"] + b"\x08\x00" + ip + body
        for _ in range(count):
            self.into[i](frame.ljust(60, b"\0"))

    # -- measuring ----------------------------------------------------------------------------

    def advert_after(self, port, since, vhid=1):
        """@return the first advert of a group by a port, after the sniffer's mark"""
        return self.net.sniffer.wait(
            sniff.advert_from(port, vhid), since, PATIENCE_S, f"advert by {port}"
        )

    def last_advert(self, port, vhid=1):
        return self.net.sniffer.select(sniff.advert_from(port, vhid))[-1]

    def say(self, what, seconds):
        print(f"{self.model.name}: {what}: {seconds:.3f} s")


def wait(check, what, timeout=PATIENCE_S):
    """Each look goes over the guest's serial line, which takes longer than a socket."""
    return lab.poll_until(check, timeout, what, interval=0.05)
