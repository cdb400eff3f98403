# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Another configuration of interfaces while koi runs: addresses, neighbours, router advertisements
and rules for packets change, and no packet, state or session of what stays is lost."""

import contextlib

import pytest

import box
import carp
import dual
import hostpath
import lab
from test_ra import INTERVALS, Learner
from test_reload import load, of_groups, refuse

NEW_IP, NEW_IP6 = "192.0.2.22", dual.LAN6 + "22"
#: A subnet that the LAN has beside the one of the pair.
OTHER_NET, OTHER_IP = "203.0.113.0/24", "203.0.113.2"
STRANGER_IP, STRANGER_MAC = "192.0.2.77", "02:00:5e:10:00:4d"


def interface(conf, name="em0"):
    return next(i for i in conf["interfaces"] if i["name"] == name)


def changed(b, change, name="em0"):
    """@return the configuration of a box's start with an interface that is another one"""
    conf = b.read_config()
    change(interface(conf, name))
    return conf


def add(*addresses):
    return lambda iface: iface["addresses"].extend(addresses)


@contextlib.contextmanager
def unaffected(pair, groups=of_groups):
    """A 1 kHz stream through the boxes loses nothing meanwhile, and no group changes its state."""
    before = {b: groups(b) for b in pair.boxes}
    probe = lab.Probe(pair.client).flowing()
    yield
    result = probe.stop()
    text = f"{result['lost']} of {result['sent']} lost; {lab.timer_text(result)}"
    print(text)
    assert result["lost"] == 0 and result["send_errors"] == 0, text
    assert {b: groups(b) for b in pair.boxes} == before


@pytest.fixture
def both(net):
    return dual.DualPair(net, server=True).start()


@pytest.mark.timing
def test_addresses_of_an_interface_change_under_traffic(both):
    """Answered from the first moment, asked for in vain from the last; adverts and peer go along."""
    fw1, client = both.fw1, both.client

    def replace(iface):
        iface["addresses"] = [f"{NEW_IP}/24", f"{NEW_IP6}/64", f"{OTHER_IP}/24"]

    with unaffected(both):
        for b in both.boxes:
            load(b, changed(b, add(f"192.0.2.{40 + len(b.name)}/24")))
        said = load(fw1, changed(fw1, replace))
        assert "interface em0: changed: addresses\n" in said, said
        client.wait_ping(NEW_IP)
        client.wait_ping(NEW_IP6)
        assert not client.ping("192.0.2.2", timeout=0.3)
        assert not client.ping(dual.LAN6 + "2", timeout=0.3)
        # the peer takes the next advert from the new source, without a change of state
        lab.poll_until(
            lambda: NEW_IP in fw1_peers(both.fw2), 3, "the peer knows the master by its new address"
        )
        routes = {r["prefix"]: r["type"] for r in fw1.ctl_json("show route")["routes"]}
        assert routes[OTHER_NET] == "connected", routes
        client.ns.ip("addr add 203.0.113.100/24 dev em0")
        client.wait_ping(OTHER_IP)
        shown = fw1.ctl_json("show interface em0")["addresses"]
        assert shown == [f"{NEW_IP}/24", f"{NEW_IP6}/64", f"{OTHER_IP}/24"]
        for b in both.boxes:
            load(b, b.read_config())
        client.wait_ping("192.0.2.2")
        assert not client.ping(NEW_IP, timeout=0.3)
        assert not client.ping(OTHER_IP, timeout=0.3)
        routes = {r["prefix"] for r in fw1.ctl_json("show route")["routes"]}
        assert OTHER_NET not in routes


def fw1_peers(b):
    return {p["address"] for p in b.ctl_json("show carp peers carp0")["peers"]}


def neighbors(b):
    found = b.ctl_json("show neighbor interface em0")["neighbors"]
    return {n["address"]: (n["mac"], n["static"]) for n in found}


@pytest.mark.timing
def test_static_neighbors_follow_the_file(both):
    """Also what a command set meanwhile: it stays, where the file does not speak of it."""
    fw1, by_command = both.fw1, ("192.0.2.78", "02:00:5e:10:00:4e")
    static = [{"address": STRANGER_IP, "mac": STRANGER_MAC}]
    with unaffected(both):
        said = load(fw1, changed(fw1, lambda i: i.update(neighbors=static)))
        assert "interface em0: changed: neighbors\n" in said, said
        assert neighbors(fw1)[STRANGER_IP] == (STRANGER_MAC, True)
        fw1.ctl(f"neighbor em0 add {' '.join(by_command)}")
        static[0]["mac"] = "02:00:5e:10:00:4f"
        load(fw1, changed(fw1, lambda i: i.update(neighbors=static)))
        assert neighbors(fw1)[STRANGER_IP] == ("02:00:5e:10:00:4f", True)
        # refused for its number only once all else is known to be right
        many = [
            {"address": f"192.0.{2 + i // 250}.{1 + i % 250}", "mac": STRANGER_MAC} for i in range(1025)
        ]
        refuse(fw1, changed(fw1, lambda i: i.update(neighbors=many)))
        assert neighbors(fw1)[STRANGER_IP] == ("02:00:5e:10:00:4f", True)
        load(fw1, fw1.read_config())
        assert STRANGER_IP not in neighbors(fw1)
        assert neighbors(fw1)[by_command[0]] == (by_command[1], True)


@pytest.fixture
def listening(net):
    """The pair, and a host on the LAN that is told nothing but by router advertisements."""
    boxes = [
        box.Box(net.firewall("fw1"), dual.config("fw1", state="master")),
        box.Box(net.firewall("fw2"), dual.config("fw2", advskew=128)),
    ]
    learner = Learner(net)
    box.start_pair(*boxes)
    return learner, boxes


def test_router_advertisements_begin_change_and_end(listening):
    """A kernel host learns its router, loses a prefix that is gone, and in the end its router."""
    learner, boxes = listening
    fw1 = boxes[0]
    assert learner.routers() == []
    before = {b: of_groups(b) for b in boxes}
    for b in boxes:
        load(b, changed(b, lambda i: i.update(ra=INTERVALS)))
    learner.wait()
    lab.poll_until(
        lambda: any(a.startswith("2001:db8:1:") for a in learner.addresses()), 5, "an address"
    )

    def second(iface):
        iface["ra"] = INTERVALS
        iface["addresses"].append("2001:db8:77::2/64")

    load(fw1, changed(fw1, second))
    lab.poll_until(
        lambda: any(a.startswith("2001:db8:77:") for a in learner.addresses()), 5, "one more"
    )
    load(fw1, changed(fw1, lambda i: i.update(ra=INTERVALS)))
    lab.poll_until(lambda: deprecated(learner, "2001:db8:77:"), 5, "the prefix is withdrawn")
    assert not deprecated(learner, "2001:db8:1:")
    for b in boxes:
        load(b, b.read_config())
    learner.wait(router=False)
    assert {b: of_groups(b) for b in boxes} == before


def deprecated(learner, prefix):
    """Whether the kernel uses no address from a prefix for what is new."""
    found = [
        a
        for link in learner.host.ns.ip_json("-6", "addr", "show", "dev", "em0")
        for a in link["addr_info"]
        if a["local"].startswith(prefix)
    ]
    return bool(found) and all(a.get("preferred_life_time") == 0 for a in found)


@pytest.fixture
def taps(net):
    return hostpath.start(net)


def test_the_kernel_has_the_addresses_of_the_file(taps):
    """Sessions to addresses that stay go on; a new one is answered, an old one is gone."""
    fw1 = taps.fw1
    old = [hostpath.Session(taps.client, a) for a in (lab.LAN_VIP, dual.LAN6 + "2")]

    def other(iface):
        iface["addresses"] = [f"{NEW_IP}/24", "192.0.2.2/25", f"{dual.LAN6}2/64", f"{NEW_IP6}/64"]

    load(fw1, changed(fw1, other))
    for address in (NEW_IP, NEW_IP6, "192.0.2.2"):
        with hostpath.Session(taps.client, address) as s:
            assert s.banner == "fw1", address
    assert {NEW_IP, NEW_IP6, "192.0.2.2", lab.LAN_VIP} <= hostpath.addresses(fw1, "em0")
    assert [s.ask("a") for s in old] == ["fw1 a", "fw1 a"]
    load(fw1, fw1.read_config())
    assert {NEW_IP, NEW_IP6} & hostpath.addresses(fw1, "em0") == set()
    assert {"192.0.2.2", dual.LAN6 + "2", lab.LAN_VIP} <= hostpath.addresses(fw1, "em0")
    assert [s.ask("b") for s in old] == ["fw1 b", "fw1 b"]
    for s in old:
        s.close()
    rules = fw1.host.ns.run(["ip", "rule"]).stdout
    assert NEW_IP not in rules and "from 192.0.2.2 " in rules, rules


def test_the_kernels_refusal_changes_nothing(taps):
    """Somebody switched IPv6 off on the tap: a file that needs it is refused by name."""
    fw1 = taps.fw1
    config = fw1.ctl("show config")
    fw1.host.ns.sysctl(**{"ipv6__conf__koi-em0__disable_ipv6": 1})
    tap = hostpath.addresses(fw1, "em0")
    said = refuse(fw1, changed(fw1, add(f"{NEW_IP}/24", f"{NEW_IP6}/64")))
    assert "interface em0: host: the kernel does not take" in said and NEW_IP6 in said, said
    assert fw1.ctl("show config") == config
    assert hostpath.addresses(fw1, "em0") == tap
    assert not taps.client.ping(NEW_IP, timeout=0.3)
    fw1.host.ns.sysctl(**{"ipv6__conf__koi-em0__disable_ipv6": 0})


@pytest.mark.timing
def test_rules_for_packets_change_under_traffic(both):
    """Where packets may come from, and whose MAC they leave with."""
    fw1, server = both.fw1, both.server.raw()

    def strict(iface):
        iface.update({"rp-filter": "strict", "source-mac": "vmac"})

    def source_seen(mac):
        server.drain()
        return server.recv(lambda d: d[12:14] == b"\x08\x00" and d[23] in (1, 17))[6:12] == mac

    with unaffected(both):
        interface_mac = bytes.fromhex(fw1.ctl_json("show interface em1")["mac"].replace(":", ""))
        assert source_seen(interface_mac)
        conf = fw1.read_config()
        for iface in conf["interfaces"]:
            strict(iface)
        load(fw1, conf)
        lab.poll_until(lambda: source_seen(carp.vmac(2)), 3, "frames with the vMAC")
        before = fw1.drops()["rp_filter"]
        both.client.ns.ip("addr add 198.18.0.1/32 dev em0")
        both.client.ns.run(
            ["ping", "-c", "1", "-W", "0.2", "-I", "198.18.0.1", lab.SERVER_IP], check=False
        )
        fw1.wait_counter(lambda: fw1.drops()["rp_filter"], before, what="rp_filter")
        load(fw1, fw1.read_config())
        lab.poll_until(lambda: source_seen(interface_mac), 3, "frames with the interface's MAC")
