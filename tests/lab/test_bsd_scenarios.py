# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The scenarios that NetBSD and FreeBSD test their own CARP with, played by koi.

NetBSD: a master and a backup, a third host that pings the shared address; the master is halted, or
its interface goes down; over IPv4 and over IPv6. FreeBSD: a lone box and a host (basic, both
families), and a demotion below zero.
"""

import time

import pytest

import box
import carp
import carp6
import dual
import lab
import sniff

#: NetBSD gives the backup this long to take over, then pings once.
NETBSD_LIMIT_S = 5.0
HELD_S = 3.0
FAMILIES = ["ipv4", "ipv6"]


def vip_of(family):
    return dual.LAN_VIP6 if family == "ipv6" else lab.LAN_VIP


def conf_of(family, node, **kw):
    """One group on em0, with an address of the one family only, as those tests have it."""
    conf = dual.config(node, two=False, **kw)
    keep = (lambda a: ":" in a) if family == "ipv6" else (lambda a: ":" not in a)
    group = conf["carp"]["groups"][0]
    group["addresses"] = [a for a in group["addresses"] if keep(a)]
    conf["interfaces"][0]["addresses"] = [
        a for a in conf["interfaces"][0]["addresses"] if keep(a)
    ]
    return conf


class Scenario:
    """Two boxes (or one) and a kernel host on one LAN."""

    def __init__(self, net, family, boxes=2, preempt=False):
        self.net = net
        self.family = family
        self.vip = vip_of(family)
        self.both = carp6.sniffer(net)
        self.client = dual.host(net, "client", lab.CLIENT_IP, dual.CLIENT_IP6)
        self.boxes = [
            box.Box(net.firewall(name, wan=False), conf_of(family, name, preempt=preempt, **more))
            for name, more in (
                ("fw1", {"advskew": 0, "state": "master"}),
                ("fw2", {"advskew": 200}),
            )[:boxes]
        ]

    def start(self):
        for b in self.boxes:
            b.start(wait=False)
        for b in self.boxes:
            b.wait_ready()
        self.boxes[0].wait_state("carp0", "MASTER")
        for b in self.boxes[1:]:
            b.wait_state("carp0", "BACKUP")
        self.client.wait_ping(self.vip)
        return self

    def is_advert(self, port, bow_out=None):
        if self.family == "ipv4":
            return sniff.advert_from(port, 1, bow_out)
        v6 = carp6.advert6_from(port, 1)
        return lambda f: v6(f) and bow_out in (None, carp6.parse(f.data).bow_out)

    def last_advert(self, port, before):
        return [f for f in self.both.select(self.is_advert(port)) if f.ts < before][-1]


def hold(clock, seconds, least, most):
    """A figure out of its bounds counts only when the machine was quiet."""
    print(f"{seconds * 1000:.1f} ms")
    if not least <= seconds <= most:
        clock.judge()
        assert least <= seconds <= most


# -- NetBSD -----------------------------------------------------------------------------------


@pytest.mark.timing
@pytest.mark.sanitized
@pytest.mark.parametrize("family", FAMILIES)
def test_netbsd_handover_by_halt(net, family):
    """A box that halts in order bows out: the backup has the address at once."""
    it = Scenario(net, family).start()
    one, two = it.boxes
    clock = lab.Clock(it.client)
    mark = it.both.mark()
    assert one.terminate() == 0
    bow = it.both.wait(it.is_advert("fw1.em0", True), mark, 3, "bow-out")
    first = it.both.wait(it.is_advert("fw2.em0", False), mark, NETBSD_LIMIT_S, "takeover")
    assert first.ts - bow.ts < NETBSD_LIMIT_S
    two.wait_state("carp0", "MASTER")
    it.client.wait_ping(it.vip, timeout=2)
    assert it.client.arp(it.vip) == carp.vmac(1)
    hold(clock, first.ts - bow.ts, 0.0, 0.050)


@pytest.mark.timing
@pytest.mark.sanitized
@pytest.mark.parametrize("family", FAMILIES)
def test_netbsd_handover_by_interface_down(net, family):
    """No bow-out can leave: the backup waits for its master-down time."""
    it = Scenario(net, family).start()
    one, two = it.boxes
    clock = lab.Clock(it.client)
    it.both.wait(it.is_advert("fw1.em0"), timeout=3)
    mark = it.both.mark()
    one.host.unplug("em0")
    one.wait_state("carp0", "INIT", 3)
    first = it.both.wait(it.is_advert("fw2.em0"), mark, NETBSD_LIMIT_S, "takeover")
    last = it.last_advert("fw1.em0", first.ts)
    two.wait_state("carp0", "MASTER")
    it.client.wait_ping(it.vip, timeout=2)
    # NetBSD's test stops here. The link comes back: without preempt nothing changes.
    one.host.plug("em0")
    one.wait_state("carp0", "BACKUP", 3)
    heard = "ipackets6" if family == "ipv6" else "ipackets"
    before = one.carp_stats("carp0")[heard]
    one.wait_counter(lambda: one.carp_stats("carp0")[heard], before + 1, 6, heard)
    assert one.state("carp0") == "BACKUP" and two.state("carp0") == "MASTER"
    down = 3 + 200 / 256
    hold(clock, first.ts - last.ts, down - 0.020, down + 0.020)


# -- FreeBSD ----------------------------------------------------------------------------------


@pytest.mark.sanitized
@pytest.mark.parametrize("family", FAMILIES)
def test_freebsd_basic(net, family):
    """One box alone becomes MASTER and answers a host for the shared address."""
    it = Scenario(net, family, boxes=1)
    it.boxes[0].conf["carp"]["groups"][0].pop("state")
    it.boxes[0].start()
    it.boxes[0].wait_state("carp0", "MASTER")
    it.client.wait_ping(it.vip)
    assert it.client.ping(it.vip, count=3)
    assert it.client.arp(it.vip) == carp.vmac(1)


@pytest.mark.sanitized
def test_freebsd_negative_demotion(net):
    """240 hands the address to the peer, 0 brings it back; below 0 there is nothing."""
    it = Scenario(net, "ipv4", preempt=True).start()
    one, two = it.boxes
    # FreeBSD's test sets -1 and expects that nobody becomes the better one for it.
    for value in ("-1", "-240", "256"):
        status, text = one.request(f"set carp demotion {value}")
        assert status != 0 and "0" in text and "255" in text, (value, status, text)
        assert one.koictl("set", "carp", "demotion", value).returncode == 2
    assert one.state("carp0") == "MASTER"
    mark = it.both.mark()
    one.ctl("set carp demotion 240")
    two.wait_state("carp0", "MASTER", 3)
    one.wait_state("carp0", "BACKUP", 3)
    shown = it.both.wait(
        lambda f: it.is_advert("fw1.em0")(f) and f.advert.demotion == 240, mark, 1, "demotion"
    )
    assert shown.advert.advskew == 240
    it.client.wait_ping(it.vip)
    assert "operator" in one.ctl("show carp demotion")
    one.ctl("set carp demotion 0")
    one.wait_state("carp0", "MASTER", 4)
    two.wait_state("carp0", "BACKUP", 3)
    it.client.wait_ping(it.vip)
    began = time.monotonic()
    lab.poll_until(lambda: time.monotonic() - began > HELD_S, HELD_S + 2, "held", 0.1)
    assert one.state("carp0") == "MASTER" and two.state("carp0") == "BACKUP"
