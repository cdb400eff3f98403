# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""What the host path must not do, and what it leaves behind."""

import socket
import struct

import pytest

import box
import carp
import dual
import hostpath
import lab
from hostpath import TAPS, Session

UDP = 17
SETTINGS = ("ipv4/conf/em0/arp_ignore", "ipv4/conf/em0/rp_filter", "ipv6/conf/em0/disable_ipv6")


@pytest.fixture
def pair(net):
    return hostpath.start(net)


def rules(fw):
    """Sources that a rule of koi's leads to a tap's table, both families."""
    found = []
    for family in ("-4", "-6"):
        for rule in fw.host.ns.ip_json(family, "rule", "show"):
            if rule["priority"] == 5112:
                found.append(rule["src"])
    return sorted(found)


def settings(fw):
    return [fw.host.ns.run(["cat", f"/proc/sys/net/{name}"]).stdout.strip() for name in SETTINGS]


def own_rules(fw):
    return {a.split("/")[0] for i in fw.conf["interfaces"] for a in i["addresses"]}


def vips(fw):
    return {a.split("/")[0] for g in fw.conf["carp"]["groups"] for a in g["addresses"]}


def ip4(frame):
    """(source MAC, source, destination, protocol) of an IPv4 frame, or None."""
    if len(frame) < 34 or frame[12:14] != b"\x08\x00":
        return None
    src, dst = (socket.inet_ntoa(frame[n : n + 4]) for n in (26, 30))
    return frame[6:12], src, dst, frame[23]


def udp_from(host, source, to, n=1, size=16):
    """Datagrams with a source of one's choice, whatever the kernel thinks of it."""
    with host.ns.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND
        s.bind((source, 0))
        for _ in range(n):
            s.sendto(b"x" * size, (to, 9))


@pytest.mark.sanitized
def test_host_vip_speaks_with_the_vmac(pair):
    """Answers from a VIP carry its vMAC, those from an own address the interface's MAC."""
    raw = pair.client.raw()
    for address, mac in ((lab.LAN_VIP, carp.vmac(1)), ("192.0.2.2", pair.fw1.host.macs["em0"])):
        with Session(pair.client, address) as s:
            assert s.ask("a") == "fw1 a"
        frame = raw.recv(lambda f, a=address: (p := ip4(f)) and p[1] == a and p[3] == 6)
        assert frame is not None and frame[6:12] == mac, address


@pytest.mark.sanitized
def test_host_backup_never_speaks_as_the_vip(pair):
    """Not even when its kernel has the address: a slip of an operator, or a late change."""
    raw = pair.client.raw()
    before = pair.fw2.drops()["host_source"]
    pair.fw2.host.ns.ip(f"addr add {lab.LAN_VIP}/32 dev {TAPS['em0']}")
    udp_from(pair.fw2.host, lab.LAN_VIP, lab.CLIENT_IP, 5)
    pair.fw2.wait_counter(lambda: pair.fw2.drops()["host_source"], before + 4)
    # From its own address the same daemon may speak, and that is what comes next.
    udp_from(pair.fw2.host, "192.0.2.3", lab.CLIENT_IP)
    seen = []
    assert raw.recv(
        lambda f: (p := ip4(f)) and p[3] == UDP and (seen.append(p[1]) or p[1] == "192.0.2.3")
    )
    assert seen == ["192.0.2.3"]
    assert hostpath.tap(pair.fw2)["refused"] >= 5


@pytest.mark.sanitized
def test_host_kernel_answers_no_arp(pair):
    """One answer to who-has, koi's, though the kernel has the addresses and sees the frames."""
    raw = pair.client.raw()
    mac = pair.client.macs["em0"]
    for address, owner in (("192.0.2.2", pair.fw1.host.macs["em0"]), (lab.LAN_VIP, carp.vmac(1))):
        raw.drain()
        target = socket.inet_aton(address)
        request = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac
        request += socket.inet_aton(lab.CLIENT_IP) + b"\0" * 6 + target
        raw.send(b"\xff" * 6 + mac + b"\x08\x06" + request)
        # Whoever answers has done so before the answer to what was sent afterwards.
        answers = []

        def is_end(f):
            if f[12:14] == b"\x08\x06" and f[20:22] == b"\0\2" and f[28:32] == target:
                answers.append(f[22:28])
            p = ip4(f)
            return p and p[1] == "198.51.100.2" and p[3] == 1

        assert pair.client.ping("198.51.100.2")
        assert raw.recv(is_end)
        assert answers == [owner], address


@pytest.mark.sanitized
def test_host_daemons_speak_first(pair):
    """From the box to hosts and to the other box; the tables of the kernel lead to koi."""
    hostpath.serve(pair.server, "server")
    for source in (None, "198.51.100.2", "192.0.2.2", lab.LAN_VIP):
        with Session(pair.fw1.host, lab.SERVER_IP, source) as s:
            assert s.banner == "server" and s.ask("x") == "server x", source
    for source in (None, f"{dual.LAN6}2", dual.LAN_VIP6):
        with Session(pair.fw1.host, dual.SERVER_IP6, source) as s:
            assert s.banner == "server", source
    # The backup reaches the master, by its address and by the shared one.
    for address in ("192.0.2.2", lab.LAN_VIP, dual.LAN_VIP6, dual.WAN_VIP6):
        with Session(pair.fw2.host, address) as s:
            assert s.banner == "fw1", address


@pytest.mark.sanitized
def test_host_path_mtu(net):
    """From an address of the LAN, whose tap carries 1,500 bytes, out of a WAN that carries less."""
    confs = [hostpath.config("fw1", state="master"), hostpath.config("fw2", advskew=128)]
    for conf in confs:
        conf["interfaces"][1]["mtu"] = 1400
    pair = hostpath.start(net, *confs)
    hostpath.serve(pair.server, "server")
    text = "y" * 60000
    for source, to in (("192.0.2.2", lab.SERVER_IP), (f"{dual.LAN6}2", dual.SERVER_IP6)):
        with Session(pair.fw1.host, to, source, timeout=20) as s:
            s.file.write(text + "\n")
            s.file.flush()
            lab.poll_until(lambda: pair.fw1.drops()["too_big"] > 0, 5, "too big once")
            route = pair.fw1.host.ns.ip_json("route", "get", to, "from", source)
            assert any(m.get("mtu") == 1400 for r in route for m in r.get("metrics", ())), route


@pytest.mark.sanitized
def test_host_flood_is_paced(net):
    """A flood to an own address: the kernel gets its rate, koi goes on as if nothing were."""
    rate = 200
    confs = [
        hostpath.config("fw1", {"rate-pps": rate}, state="master"),
        hostpath.config("fw2", advskew=128),
    ]
    pair = hostpath.start(net, *confs)
    before = hostpath.tap(pair.fw1)
    for _ in range(40):
        udp_from(pair.client, lab.CLIENT_IP, "192.0.2.2", 100)
    pair.fw1.wait_counter(lambda: hostpath.tap(pair.fw1)["paced"], before["paced"] + 500)
    assert pair.client.ping("192.0.2.2", count=5)
    assert pair.fw1.drops()["host_paced"] >= 500
    with Session(pair.client, "198.51.100.2") as s:
        assert s.ask("z") == "fw1 z"  # the other tap's rate is its own
    after = hostpath.tap(pair.fw1)
    assert after["written"] - before["written"] < after["to_host"] + after["paced"]
    assert [pair.fw1.state(g) for g in ("carp0", "carp1")] == ["MASTER", "MASTER"]
    assert [pair.fw2.state(g) for g in ("carp0", "carp1")] == ["BACKUP", "BACKUP"]


@pytest.mark.sanitized
def test_host_tap_has_the_link_of_the_interface(pair):
    def carrier(iface):
        return pair.fw2.host.ns.ip_json("link", "show", "dev", TAPS[iface])[0]["flags"]

    assert "LOWER_UP" in carrier("em0")
    pair.fw2.host.unplug("em0")
    lab.poll_until(lambda: "NO-CARRIER" in carrier("em0"), 5, "the tap lost its carrier")
    assert "LOWER_UP" in carrier("em1")
    pair.fw2.host.plug("em0")
    lab.poll_until(lambda: "LOWER_UP" in carrier("em0"), 5, "the tap has a carrier again")
    with Session(pair.client, "192.0.2.3") as s:
        assert s.banner == "fw2"


@pytest.mark.sanitized
def test_host_leaves_nothing(net):
    """Rules follow the addresses; an orderly end takes all back, a kill what the next one finds."""
    fw = net.firewall("fw1")
    it = box.Box(fw, hostpath.config("fw1", state="master"))
    was = settings(it)
    it.start()
    it.wait_master()
    hostpath.wait_vips(it, True)
    assert set(rules(it)) == own_rules(it) | vips(it)
    assert settings(it) == ["1", "1", "1"]
    it.kill()
    assert set(rules(it)) == own_rules(it) | vips(it)
    it.start()
    it.wait_master()
    hostpath.wait_vips(it, True)
    assert sorted(rules(it)) == sorted(own_rules(it) | vips(it)), "each once"
    it.ctl("carp carp0 down")
    lab.poll_until(lambda: lab.LAN_VIP not in hostpath.addresses(it, "em0"), 5, "VIP gone")
    lab.poll_until(lambda: lab.LAN_VIP not in rules(it), 5, "rule gone")
    assert it.terminate() == 0
    assert rules(it) == []
    assert not fw.ns.ip_json("link", "show", "type", "tun")
    # What the killed one changed was already as koi wants it.
    assert settings(it) == ["1", "1", "1"] and was[0] == "0"
    for name, value in zip(SETTINGS, was):
        fw.ns.sysctl(**{name.replace("/", "__"): value})
    it.start()
    it.wait_master()
    assert it.terminate() == 0
    assert settings(it) == was


def test_host_refuses_what_is_there(net):
    """A netdev of the tap's name: koi says so and ends, and leaves no other tap behind."""
    fw = net.firewall("fw1")
    fw.ns.ip(f"link add {TAPS['em1']} type veth peer name other")
    it = box.Box(fw, hostpath.config("fw1"))
    it.start(wait=False)
    assert it.process.wait(20) == 2
    it.killed = True  # it ended as it was to
    assert "interface em1: host: no tap koi-em1 to be had" in it.log()
    assert rules(it) == []
    assert not fw.ns.ip_json("link", "show", "type", "tun")
