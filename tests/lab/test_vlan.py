# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""VLANs on one device: tags on the wire, groups that fail over separately, tags that are wrong."""

import time

import pytest

import box
import lab
import vlan


class Trunk:
    """fw1 and fw2 on a trunk with VLANs 10 and 20, a client in each."""

    def __init__(self, net, handled, untagged=False):
        self.net = net
        extra = {"fw1": ["203.0.113.2/24"], "fw2": ["203.0.113.3/24"]}
        self.clients = {v: vlan.client(net, v) for v in vlan.NETS}
        self.boxes = [
            box.Box(
                net.firewall(node, wan=False),
                vlan.config(node, handled, skew, state, extra[node] if untagged else None),
            )
            for node, skew, state in (("fw1", 0, "master"), ("fw2", 128, None))
        ]
        self.fw1, self.fw2 = self.boxes

    def start(self):
        box.start_pair(*self.boxes)
        for group in self.fw1.conf["carp"]["groups"]:
            del group["state"]  # only this once
        for host, far in ((10, 20), (20, 10)):
            net4, net6, _, _ = vlan.NETS[far]
            self.clients[host].wait_ping(f"{net4}100")
            self.clients[host].wait_ping(f"{net6}64")
        return self


@pytest.fixture(params=sorted(vlan.DEVICES))
def handled(request):
    return request.param


@pytest.fixture
def trunk(net, handled):
    return Trunk(net, handled).start()


def answered(host, text, *args):
    """One echo request at a time, until its answer says so: a busy machine loses some."""
    argv = ["ping", "-n", "-c", "1", "-W", "1", *args]
    lab.poll_until(lambda: text in host.ns.run(argv, check=False).stdout, 10, " ".join(argv))


@pytest.mark.sanitized
def test_vlan_every_frame_has_its_tag(trunk, handled):
    """Adverts, ARP, neighbour discovery, echo and what is routed, each in its VLAN."""
    wire = vlan.Wire(trunk.clients[10])
    for host, far in ((10, 20), (20, 10)):
        mine, theirs = vlan.NETS[host], vlan.NETS[far]
        c = trunk.clients[host]
        assert c.arp(f"{mine[0]}1") == vlan.vmac(host)
        # The whole MTU goes through, and nothing is cut for the tag.
        for dst in (f"{theirs[0]}100", f"{mine[0]}1", f"{mine[0]}2", f"{mine[0]}3"):
            answered(c, " 0% packet loss", "-M", "do", "-s", "1472", dst)
        for dst in (f"{theirs[1]}64", f"{mine[1]}1", f"{mine[1]}2", f"{mine[1]}3"):
            answered(c, " 0% packet loss", "-M", "do", "-s", "1452", dst)
        answered(c, f"From {mine[0]}2", "-t", "1", f"{theirs[0]}100")
    macs = {vlan.mac_of(b) for b in trunk.boxes} | {vlan.vmac(v) for v in vlan.NETS}
    sent = [(tag, f) for tag, f in wire.collect(1.5) if f[6:12] in macs]
    assert {tag for tag, _ in sent} == {10, 20}
    # A vMAC speaks in its own VLAN only; each group's adverts come in both families.
    for v in vlan.NETS:
        assert {tag for tag, f in sent if f[6:12] == vlan.vmac(v)} == {v}
        kinds = {f[12:14] for tag, f in sent if tag == v and f[6:12] == vlan.vmac(v)}
        assert {b"\x08\x00", b"\x86\xdd"} <= kinds
    for b in trunk.boxes:
        text = b.ctl("show interface em0.20")
        who = "by device, in by device" if handled == "device" else "by koi, in by koi"
        assert f"vlan 20 (tags out {who})" in text, text
        assert b.drops()["vlan_unknown"] == 0 and b.drops()["vlan_double"] == 0


@pytest.mark.sanitized
def test_vlan_groups_fail_over_separately(trunk):
    """One group moves, the other stays; both families go on."""
    net4, net6, _, _ = vlan.NETS[20]
    probes = [lab.Probe(trunk.clients[10], dst, rate=100).flowing()
              for dst in (f"{net4}100", f"{net6}64")]
    trunk.fw1.ctl("carp carp0 down")
    trunk.fw2.wait_state("carp0", "MASTER")
    assert trunk.fw1.state("carp0") == "INIT"
    assert (trunk.fw1.state("carp1"), trunk.fw2.state("carp1")) == ("MASTER", "BACKUP")
    for c, far in ((10, 20), (20, 10)):
        for dst in (f"{vlan.NETS[far][0]}100", f"{vlan.NETS[far][1]}64"):
            trunk.clients[c].wait_ping(dst)
    # The other way round, so that each box has been master of each.
    trunk.fw1.ctl("carp carp0 up")
    trunk.fw1.wait_state("carp0", "MASTER")
    trunk.fw2.wait_state("carp0", "BACKUP")
    trunk.fw1.ctl("carp carp1 down")
    trunk.fw2.wait_state("carp1", "MASTER")
    assert (trunk.fw1.state("carp0"), trunk.fw2.state("carp0")) == ("MASTER", "BACKUP")
    for c, far in ((10, 20), (20, 10)):
        trunk.clients[c].wait_ping(f"{vlan.NETS[far][0]}100")
    time.sleep(0.2)  # for answers under way
    for p in probes:
        summary = p.stop()
        # A planned move loses what was under way, and a busy machine more.
        if summary["lost"] > summary["sent"] // 20:
            lab.judge(summary)
        assert summary["lost"] <= summary["sent"] // 20, summary


@pytest.mark.sanitized
def test_vlan_link_down_is_down_for_all(net):
    """Both groups leave a box whose one link is gone, and come back with it."""
    trunk = Trunk(net, "device").start()
    trunk.fw1.host.unplug()
    trunk.fw2.wait_master()
    for group in ("carp0", "carp1"):
        trunk.fw1.wait_state(group, "INIT")
    trunk.clients[10].wait_ping(f"{vlan.NETS[20][0]}100")
    trunk.fw1.host.plug()
    trunk.fw1.wait_master()


@pytest.mark.sanitized
def test_vlan_beside_an_untagged_interface(net, handled):
    """Routed between a VLAN and the untagged interface of one device; priority tags are none."""
    trunk = Trunk(net, handled, untagged=True).start()
    plain = net.host("plain")
    plain.attach("em0", lab.LAN, "203.0.113.100/24")
    plain.ns.ip("route add default via 203.0.113.2")
    plain.steady_arp()
    plain.wait_ping("203.0.113.2")
    plain.wait_ping(f"{vlan.NETS[10][0]}100")
    trunk.clients[20].wait_ping("203.0.113.100")
    fw1 = trunk.fw1
    raw = plain.raw()
    before = fw1.drops()["ethertype"]
    mac = vlan.mac_of(fw1)
    raw.send(vlan.frame([(0x8100, 0xE000)], mac, raw.mac))
    fw1.wait_counter(lambda: fw1.drops()["ethertype"], before, what="ethertype")


@pytest.mark.sanitized
def test_vlan_wrong_tags_are_counted(trunk):
    peer = trunk.net.peer()
    raw = peer.raw()
    mac = vlan.mac_of(trunk.fw1)
    for tags, reason in (
        ([(0x8100, 30)], "vlan_unknown"),
        ([(0x8100, 10), (0x8100, 20)], "vlan_double"),
        ([(0x88A8, 10), (0x8100, 20)], "vlan_double"),
        ([], "no_interface"),
    ):
        before = trunk.fw1.drops()[reason]
        raw.send(vlan.frame(tags, mac, raw.mac))
        trunk.fw1.wait_counter(lambda r=reason: trunk.fw1.drops()[r], before, what=reason)
