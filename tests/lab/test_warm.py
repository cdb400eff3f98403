# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""A backup knows the neighbours that a take-over needs: nothing waits for an answer then."""

import copy
import time

import pytest

import box
import dual
import lab
from test_reload import load

GATEWAY, GATEWAY6 = lab.SERVER_IP, dual.SERVER_IP6
BEYOND, BEYOND6 = "203.0.113.10", "2001:db8:ff::10"


@pytest.fixture
def beyond(net):
    """The pair with a router on the WAN, which has the addresses that lie behind it."""
    confs = [dual.config("fw1", state="master"), dual.config("fw2", advskew=128)]
    for conf in confs:
        conf["routes"] = [
            {"prefix": "203.0.113.0/24", "via": GATEWAY},
            {"prefix": "2001:db8:ff::/48", "via": GATEWAY6},
        ]
    pair = dual.DualPair(net, *confs, server=True)
    pair.server.ns.ip("link set lo up", f"addr add {BEYOND}/32 dev lo")
    pair.server.ns.ip(f"addr add {BEYOND6}/128 dev lo nodad")
    pair.start()
    for address in (BEYOND, BEYOND6):
        pair.client.wait_ping(address)
    return pair


def known(b):
    """(interface, address) of whom a box can send to."""
    return {
        (n["interface"], n["address"])
        for n in b.ctl_json("show neighbor")["neighbors"]
        if n["state"] in ("reachable", "stale", "probe")
    }


@pytest.mark.sanitized
def test_warm_backup_holds_no_packet_after_a_take_over(beyond):
    """The routers of its routes, and the host on the LAN that asked its master for the VIP."""
    pair = beyond
    want = {("em1", GATEWAY), ("em1", GATEWAY6)}
    want |= {("em0", lab.CLIENT_IP), ("em0", dual.CLIENT_IP6)}
    lab.poll_until(lambda: want <= known(pair.fw2), 15, f"fw2 knows {want}")
    before = pair.fw2.telemetry("/fwd/stats")
    assert before["forwarded"] == 0

    probes = [lab.Probe(pair.client, address).flowing() for address in (BEYOND, BEYOND6)]
    marks = [p.mark() for p in probes]
    killed = time.time()
    pair.fw1.kill()
    for probe, mark in zip(probes, marks):
        probe.wait_event("gap", mark, 10, lambda ev: ev["to"] > killed)
        probe.stop()
    after = pair.fw2.telemetry("/fwd/stats")
    assert after["forwarded"] > 0
    assert after["neighbor_held_ever"] == before["neighbor_held_ever"], after


@pytest.mark.sanitized
def test_warm_backup_asks_for_whom_its_master_asks(beyond):
    """A host that never spoke to the VIPs: known to the backup because its master asked for it."""
    pair = beyond
    quiet = dual.host(pair.net, "quiet", "192.0.2.77", "2001:db8:1::77")
    assert pair.fw1.state("carp0") == "MASTER"
    assert ("em0", "192.0.2.77") not in known(pair.fw2)
    # An echo from behind the WAN makes the master ask for it by broadcast.
    quiet.ns.ip("route add default via 192.0.2.1")
    assert pair.server.ping("192.0.2.77", timeout=5)
    lab.poll_until(lambda: ("em0", "192.0.2.77") in known(pair.fw2), 5, "fw2 knows it, too")
    held = pair.fw2.telemetry("/fwd/stats")["neighbor_held_ever"]
    pair.fw1.kill()
    pair.fw2.wait_master()
    pair.server.wait_ping("192.0.2.77")
    assert pair.fw2.telemetry("/fwd/stats")["neighbor_held_ever"] == held


@pytest.mark.sanitized
def test_warm_backup_knows_the_routers_of_commands_and_reloads(beyond):
    """Nothing was ever sent by them: that a route leads there is enough, wherever it comes from."""
    pair = beyond
    fw2 = pair.fw2
    routers = [f"198.51.100.{n}" for n in (91, 92, 93)]
    pair.server.ns.ip(*[f"addr add {r}/24 dev em0" for r in routers])

    def knows(router):
        lab.poll_until(lambda: ("em1", router) in known(fw2), 15, f"fw2 knows {router}")

    assert not set(routers) & {address for _, address in known(fw2)}
    fw2.ctl(f"route add 203.0.113.64/26 via {routers[0]}")
    knows(routers[0])
    conf = copy.deepcopy(fw2.conf)
    conf["routes"][0]["via"] = [GATEWAY, routers[1]]
    load(fw2, conf)
    knows(routers[1])
    # No more than that: nobody asks for an address that no route leads through.
    assert routers[2] not in {address for _, address in known(fw2)}
    assert fw2.telemetry("/fwd/stats")["forwarded"] == 0


@pytest.mark.sanitized
def test_neighbors_that_are_set(beyond):
    """A static entry is used though another MAC speaks for it, and stays when others are cleared."""
    pair = beyond
    fw1 = pair.fw1

    def rows(words=""):
        return {n["address"]: n for n in fw1.ctl_json(f"show neighbor {words}".strip())["neighbors"]}

    assert rows(lab.CLIENT_IP)[lab.CLIENT_IP]["static"] is False
    fw1.ctl(f"neighbor em0 add {lab.CLIENT_IP} 02:00:00:00:00:77")
    assert rows("interface em0")[lab.CLIENT_IP]["static"] is True
    assert not pair.client.ping(BEYOND, timeout=1)  # the answers go astray
    fw1.ctl("clear neighbor")
    lab.poll_until(lambda: lab.CLIENT_IP in rows() and GATEWAY not in rows(), 5, "others are gone")
    assert rows()[lab.CLIENT_IP]["mac"] == "02:00:00:00:00:77"
    with pytest.raises(box.CtlError, match="it is static"):
        fw1.ctl(f"clear neighbor {lab.CLIENT_IP}")
    fw1.ctl(f"neighbor em0 del {lab.CLIENT_IP}")
    pair.client.wait_ping(BEYOND)
    with pytest.raises(box.CtlError, match="no host on a subnet of em0"):
        fw1.ctl("neighbor em0 add 198.51.100.9 02:00:00:00:00:77")
