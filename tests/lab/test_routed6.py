# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""IPv6 through the pair: as a kernel host sees it, and what a crash of the master costs it."""

import time

import pytest

import carp6
import dual
import lab

KILLS = 2
#: How much later than IPv4 a host may have IPv6 back.
APART_MS = 20.0
MTU = 1400
SERVERS = (lab.SERVER_IP, dual.SERVER_IP6)


@pytest.fixture
def routed(net):
    """A pair whose WAN carries less than its LAN, client and server at its sides."""
    confs = [dual.config("fw1", state="master"), dual.config("fw2", advskew=128)]
    for conf in confs:
        conf["interfaces"][1]["mtu"] = MTU
    pair = dual.DualPair(net, *confs, server=True).start()
    pair.client.wait_ping(dual.SERVER_IP6)
    pair.client.wait_ping(lab.SERVER_IP)
    return pair


def said(host, *argv):
    """What a ping that is to fail says."""
    return host.ns.run(["ping", "-n", "-c", "1", "-W", "3", *argv], check=False).stdout


def neighbor(box, address):
    rows = box.ctl_json("show neighbor")["neighbors"]
    return next((n for n in rows if n["address"] == address), None)


@pytest.mark.sanitized
def test_routed6_client_reaches_server(routed):
    assert routed.client.ping(dual.SERVER_IP6, count=50)
    assert routed.server.ping(dual.CLIENT_IP6, count=50)
    # Own addresses and VIPs of the other side answer, too.
    for address in (dual.WAN_VIP6, f"{dual.WAN6}2"):
        assert routed.client.ping(address, count=3), address
    server = neighbor(routed.fw1, dual.SERVER_IP6)
    assert server["state"] in ("reachable", "stale", "probe") and server["interface"] == "em1"
    assert bytes.fromhex(server["mac"].replace(":", "")) == routed.server.macs["em0"]
    assert any(
        r["prefix"] == "2001:db8:2::/64" and r["type"] == "connected"
        for r in routed.fw1.ctl_json("show route")["routes"]
    )


@pytest.mark.sanitized
def test_routed6_anycast_is_named(routed):
    """The subnet-router anycast address of the far side: nobody is asked for it."""
    before = routed.fw1.drops()["subnet_anycast"]
    assert not routed.client.ping(dual.WAN6, timeout=0.5)
    assert routed.fw1.drops()["subnet_anycast"] > before
    assert neighbor(routed.fw1, dual.WAN6) is None


@pytest.mark.sanitized
def test_routed6_time_exceeded(routed):
    """The first hop of a traceroute: the box's own address, not the shared one."""
    out = said(routed.client, "-t", "1", dual.SERVER_IP6)
    assert f"From {dual.LAN6}2" in out and "Hop limit" in out, out


@pytest.mark.sanitized
def test_routed6_packet_too_big(routed):
    """Path MTU discovery: told once, the client's kernel knows."""
    out = said(routed.client, "-M", "do", "-s", "1440", dual.SERVER_IP6)
    assert f"mtu={MTU}" in out.replace(" ", "").lower() or "too long" in out.lower(), out
    route = routed.client.ns.run(["ip", "-6", "route", "get", dual.SERVER_IP6]).stdout
    assert f"mtu {MTU}" in route, route
    assert routed.client.ping(dual.SERVER_IP6, count=3)


@pytest.mark.sanitized
def test_routed6_unreachable(routed):
    """A host that is not there, after three solicitations; a net that nobody knows, at once."""
    mark = routed.both.mark()
    out = said(routed.client, "-W", "6", f"{dual.WAN6}99")
    assert f"From {dual.LAN6}2" in out and "Address unreachable" in out, out
    asked = routed.both.select(
        lambda f: f.port == "fw1.em1"
        and (n := carp6.nd(f))
        and n.kind == carp6.NS
        and n.target == f"{dual.WAN6}99",
        mark,
    )
    assert len(asked) == 3
    assert all(carp6.nd(f).src.startswith("fe80::") for f in asked)
    out = said(routed.client, "2001:db9::1")
    assert f"From {dual.LAN6}2" in out and "No route" in out, out


class Crash:
    """SIGKILL of fw1 under a stream of each family through the pair; fw1 comes back."""

    def __init__(self, pair):
        probes = [lab.Probe(pair.client, address).flowing() for address in SERVERS]
        pair.both.wait(carp6.advert6_from("fw1.em0"), timeout=4, what="advert over IPv6")
        marks = [p.mark() for p in probes]
        killed = time.time()
        pair.fw1.kill()
        for probe, mark in zip(probes, marks):
            probe.wait_event("gap", mark, 10, lambda ev: ev["to"] > killed)
        self.four, self.six = (p.stop() for p in probes)
        self.apart = max(
            abs(self.six["gap_ms"] - self.four["gap_ms"]),
            abs(self.six["gap_to"] - self.four["gap_to"]) * 1000,
        )
        pair.fw1.start()
        pair.fw1.wait_master()
        pair.fw2.wait_backup()
        for address in SERVERS:
            pair.client.wait_ping(address)

    def __str__(self):
        return (
            f"gap {self.four['gap_ms']:.1f} ms over IPv4, {self.six['gap_ms']:.1f} ms over IPv6, "
            f"apart by {self.apart:.1f} ms; lost {self.four['lost']} and {self.six['lost']}; "
            f"{lab.timer_text(self.six)}"
        )


@pytest.mark.timing
def test_routed6_outage_is_that_of_ip4(routed):
    good, busy = 0, []
    for _ in range(KILLS):
        run = Crash(routed)
        print(run)
        if run.apart <= APART_MS:
            good += 1
            continue
        try:
            lab.judge(run.four)
            lab.judge(run.six)
        except lab.TooBusy as err:
            busy.append(f"{err} ({run})")
            continue
        assert run.apart <= APART_MS, run
    if good == 0:
        raise lab.TooBusy("; ".join(busy))
