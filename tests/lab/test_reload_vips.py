# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Shared addresses that change while koi runs, as neighbours and the kernel of the box see it."""

import pytest

import dual
import hostpath
import lab
from hostpath import Session

#: Two groups of the LAN beside those of the pair, on one box alone.
NUMBERS = {"a": 60, "b": 61}
VIP, VIP6, NEW, NEW6 = "192.0.2.60", f"{dual.LAN6}60", "192.0.2.62", f"{dual.LAN6}62"
#: What each of them has always.
OTHER = {"a": "192.0.2.70", "b": "192.0.2.71"}


@pytest.fixture
def pair(net):
    return hostpath.start(net)


def vmac(name):
    return bytes([0, 0, 0x5E, 0, 1, NUMBERS[name]])


def load(fw, **vips):
    """Have the groups with these addresses beside their own, and no others."""
    conf = fw.read_config()
    for name, more in vips.items():
        conf["carp"]["groups"].append(
            {
                "name": name,
                "carpdev": "em0",
                "vhid": NUMBERS[name],
                "pass": name,
                "addresses": [f"{OTHER[name]}/24"]
                + [f"{a}/{64 if ':' in a else 24}" for a in more],
            }
        )
    status, said = fw.reload(conf, now=True)
    assert status == 0, said


def wait_mac(client, address, mac):
    lab.poll_until(lambda: client.arp(address) == mac, 3, f"{address} is at {mac.hex(':')}")


@pytest.mark.timing
def test_a_vip_moves_to_another_group_and_sessions_live_on(pair):
    """Neighbours are told at once, the kernel keeps the address, other groups notice nothing."""
    fw, client = pair.fw1, pair.client
    load(fw, a=[VIP, VIP6], b=[])
    for name in NUMBERS:
        fw.wait_state(name, "MASTER")
    for address in (VIP, VIP6):
        client.wait_ping(address)
        wait_mac(client, address, vmac("a"))
    probe = lab.Probe(client).flowing()
    with Session(client, VIP) as s4, Session(client, VIP6) as s6:
        for there, gone in (("b", "a"), ("a", "b")):
            load(fw, **{there: [VIP, VIP6], gone: []})
            for s, address in ((s4, VIP), (s6, VIP6)):
                wait_mac(client, address, vmac(there))
                assert s.ask(there) == f"fw1 {there}"
                assert client.ping(address)
    # One goes while it has sessions, one comes.
    load(fw, a=[NEW, NEW6], b=[])
    for address in (NEW, NEW6):
        client.wait_ping(address)
        with Session(client, address) as s:
            assert s.banner == "fw1"
    client.ns.ip("neigh flush dev em0 nud reachable nud stale nud delay nud probe")
    for address in (VIP, VIP6):
        assert not client.ping(address, timeout=0.3), address
    lab.poll_until(
        lambda: hostpath.addresses(fw, "em0").isdisjoint({VIP, VIP6}), 3, "the kernel lost them"
    )
    assert {NEW, NEW6, OTHER["a"], OTHER["b"]} <= hostpath.addresses(fw, "em0")
    # Both groups go, and all that they had.
    load(fw)
    lab.poll_until(
        lambda: hostpath.addresses(fw, "em0").isdisjoint({NEW, NEW6, *OTHER.values()}),
        3,
        "the kernel lost all",
    )
    assert not client.ping(NEW, timeout=0.3)
    result = probe.stop()
    assert result["lost"] == 0 and result["send_errors"] == 0, lab.timer_text(result)
    assert hostpath.has_vips(fw, True)
    assert fw.states() == ["MASTER", "MASTER"]
