# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The host path: daemons of the boxes behind own addresses and, on the master, behind the VIPs."""

import pytest

import dual
import hostpath
import lab
from hostpath import TAPS, Session


@pytest.fixture
def pair(net):
    return hostpath.start(net)


@pytest.mark.sanitized
def test_host_tap_is_the_interface(pair):
    """MAC, MTU and addresses of the interface; VIPs on the master only; no ARP."""
    for fw in pair.boxes:
        for iface, tap in TAPS.items():
            link = fw.host.ns.ip_json("link", "show", "dev", tap)[0]
            view = fw.ctl_json(f"show interface {iface}")
            assert link["address"] == view["mac"] and link["mtu"] == view["mtu"] == 1500
            assert {"UP", "NOARP"} <= set(link["flags"]) and view["host"] == tap
            own = {a.split("/")[0] for a in view["addresses"]}
            assert own <= hostpath.addresses(fw, iface)
    assert hostpath.has_vips(pair.fw2, False)


@pytest.mark.sanitized
@pytest.mark.parametrize("host", ["client", "server"])
def test_host_own_addresses(pair, host):
    """From the same segment and from beyond the box, both families."""
    who = getattr(pair, host)
    for address in ("192.0.2.2", "198.51.100.2", f"{dual.LAN6}2", f"{dual.WAN6}2"):
        with Session(who, address) as s:
            assert s.banner == "fw1", address
            assert s.ask("x" * 4000) == "fw1 " + "x" * 4000, address
    with Session(pair.client, "192.0.2.3") as s:
        assert s.banner == "fw2"


@pytest.mark.sanitized
def test_host_vip_follows_the_master(pair):
    """What sshd on a shared address is like: a new session after a failover reaches the other."""
    vips = (lab.LAN_VIP, dual.LAN_VIP6)
    old = [Session(pair.client, vip) for vip in vips]
    assert [s.banner for s in old] == ["fw1", "fw1"]
    assert [s.ask("a") for s in old] == ["fw1 a", "fw1 a"]
    pair.fw1.kill()
    pair.fw2.wait_master()
    hostpath.wait_vips(pair.fw2, True)
    for s in old:
        # The new master's kernel does not know the connection and resets it.
        with pytest.raises(ConnectionResetError):
            s.ask("b")
        s.close()
    for vip in vips:
        with Session(pair.client, vip) as s:
            assert s.banner == "fw2" and s.ask("c") == "fw2 c"
    # And back; the VIPs leave the kernel of the box that is no longer master.
    pair.fw1.start()
    pair.fw1.wait_master()
    pair.fw2.wait_backup()
    hostpath.wait_vips(pair.fw2, False)
    hostpath.wait_vips(pair.fw1, True)
    for vip in vips:
        with Session(pair.client, vip) as s:
            assert s.banner == "fw1"
