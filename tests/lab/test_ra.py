# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Router advertisements: a kernel host that learns its router and keeps it over a failover."""

import dataclasses
import signal
import struct

import pytest

import box
import carp
import carp6
import dual
import lab

RA = 134
ROUTER = "fe80::200:5eff:fe00:101"
INTERVALS = {"max-interval-s": 60, "min-interval-s": 30}


@dataclasses.dataclass(frozen=True)
class Advertisement:
    src: str
    lifetime: int
    options: dict


def advertisement(frame):
    """The router advertisement in a frame, or None."""
    d = frame.data
    if frame.ethertype != 0x86DD or len(d) < 70 or d[20] != 58 or d[54] != RA:
        return None
    assert d[21] == 255 and carp6.text(d[38:54]) == carp6.ALL_NODES
    options, at = {}, 70
    while at < len(d):
        options[d[at]] = d[at : at + 8 * d[at + 1]]
        at += 8 * d[at + 1]
    return Advertisement(carp6.text(d[22:38]), struct.unpack_from("!H", d, 60)[0], options)


def ra_from(port, lifetime):
    """Match one of a box with (True) or without a lifetime."""
    return lambda f: (
        f.port == port and (ra := advertisement(f)) is not None and (ra.lifetime > 0) == lifetime
    )


class Learner:
    """A host that is told nothing but by router advertisements."""

    def __init__(self, net):
        self.host = net.host("client")
        self.host.ns.sysctl(
            ipv6__conf__default__accept_dad=0,
            ipv6__conf__default__accept_ra=2,
            ipv6__conf__default__autoconf=1,
        )
        self.host.attach("em0", lab.LAN, None, ipv6=True)

    def routers(self):
        return [
            r["gateway"] for r in self.host.ns.ip_json("-6", "route", "show", "default")
            if "gateway" in r
        ] + [
            hop["gateway"]
            for r in self.host.ns.ip_json("-6", "route", "show", "default")
            for hop in r.get("nexthops", [])
        ]

    def addresses(self):
        return [
            a["local"]
            for link in self.host.ns.ip_json("-6", "addr", "show", "dev", "em0")
            for a in link["addr_info"]
            if a["scope"] == "global"
        ]

    def wait(self, router=True):
        lab.poll_until(
            lambda: (self.routers() == [ROUTER]) == router,
            10,
            f"default router {'learnt' if router else 'gone'}",
        )


@pytest.fixture
def learnt(net):
    """The pair, a host on the LAN that learns its router, and a server behind it."""
    confs = [dual.config("fw1", state="master"), dual.config("fw2", advskew=128)]
    for conf in confs:
        conf["interfaces"][0]["ra"] = INTERVALS
    both = carp6.sniffer(net)
    learner = Learner(net)
    dual.host(net, "server", lab.SERVER_IP, dual.SERVER_IP6, lab.WAN, dual.WAN_VIPS)
    boxes = [box.Box(net.firewall(name), conf) for name, conf in zip(("fw1", "fw2"), confs)]
    box.start_pair(*boxes)
    for group in boxes[0].conf["carp"]["groups"]:
        group.pop("state", None)  # only this once
    learner.wait()
    learner.host.wait_ping(dual.SERVER_IP6)
    return net, both, learner, *boxes


@pytest.mark.sanitized
def test_ra_host_learns_router_and_keeps_it_when_the_master_dies(learnt):
    _, both, learner, fw1, fw2 = learnt
    assert any(a.startswith("2001:db8:1:") for a in learner.addresses())
    frame = both.wait(ra_from("fw1.em0", True), since=0)
    assert frame.src == carp.vmac(1)
    ra = advertisement(frame)
    assert ra.src == ROUTER and ra.lifetime == 180
    assert ra.options[1][2:8] == carp.vmac(1)
    assert carp6.text(ra.options[3][16:32]) == "2001:db8:1::"
    # The backup is silent.
    assert not both.select(lambda f: f.port == "fw2.em0" and advertisement(f))
    assert not fw2.ctl_json("show ra")["routers"][0]["sending"]
    assert fw1.ctl_json("show ra")["routers"][0]["sending"]

    mark = both.mark()
    fw1.kill()
    fw2.wait_master()
    both.wait(ra_from("fw2.em0", True), mark)
    learner.host.wait_ping(dual.SERVER_IP6)
    assert learner.routers() == [ROUTER]
    assert not both.select(ra_from("fw1.em0", False), mark)


@pytest.mark.sanitized
@pytest.mark.parametrize("how", ["down", "SIGTERM"])
def test_ra_last_word_of_who_gives_up(learnt, how):
    """Lifetime zero right after the bow-out; then the other one speaks, and the way is the same."""
    _, both, learner, fw1, fw2 = learnt
    mark = both.mark()
    if how == "down":
        fw1.ctl("carp carp0 down")
        fw1.ctl("carp carp1 down")
    else:
        fw1.signal(signal.SIGTERM)
    last = both.wait(ra_from("fw1.em0", False), mark, what="router advertisement of lifetime 0")
    assert last.src == carp.vmac(1) and advertisement(last).src == ROUTER
    fw2.wait_master()
    # Where it spoke before it heard the last word, it speaks once more.
    both.wait(lambda f: f.ts > last.ts and ra_from("fw2.em0", True)(f), mark)
    learner.wait()
    learner.host.wait_ping(dual.SERVER_IP6)
    assert len(both.select(ra_from("fw1.em0", False), mark)) == 1


@pytest.mark.sanitized
def test_ra_preempted_master_leaves_hosts_a_router(learnt):
    """Who preempts speaks first; the other's last word, which takes the router away, is answered."""
    _, both, learner, fw1, fw2 = learnt
    fw1.kill()
    fw2.wait_master()
    mark = both.mark()
    fw1.start()
    fw1.wait_master()
    fw2.wait_backup()
    last = both.wait(ra_from("fw2.em0", False), mark)
    both.wait(lambda f: f.ts > last.ts and ra_from("fw1.em0", True)(f), mark)
    learner.wait()
    learner.host.wait_ping(dual.SERVER_IP6)


@pytest.mark.sanitized
def test_ra_solicitation_is_answered(learnt):
    """A host that comes later does not wait for the next one of 30 to 60 s."""
    net, _, _, fw1, _ = learnt
    heard = fw1.carp_stats("carp0")["rs_heard"]
    late = net.host("late")
    late.ns.sysctl(ipv6__conf__default__accept_dad=0, ipv6__conf__default__accept_ra=2)
    late.attach("em0", lab.LAN, None, ipv6=True)
    lab.poll_until(
        lambda: any(r.get("gateway") == ROUTER for r in late.ns.ip_json("-6", "route", "show")),
        8,
        "default router learnt by asking",
    )
    assert fw1.carp_stats("carp0")["rs_heard"] > heard
