# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""What each patch of dpdk-patches is for: the stock driver fails, the patched one does not.

Where both have one body, "stock" asserts the fault, so that a patch that is no longer needed is
found out.
"""

import errno
import struct
import time

import pytest

import drivers
import lab
import sniff


@pytest.fixture(autouse=True)
def series():
    drivers.need_series()


BOTH = pytest.mark.parametrize("kind", ["stock", "patched"])
ETHERTYPE = 0x88B5
VMACS = ["00:00:5e:00:01:2a", "00:00:5e:00:01:2b"]
GROUPS = ["01:00:5e:00:00:12", "33:33:00:00:00:12", "01:00:5e:7f:00:01"]


@pytest.fixture
def node(net):
    """A host whose em0 nobody uses but the device under test."""
    host = net.firewall("fw1", wan=False)
    host.ns.ip("link set em0 arp off")
    return host


def maddr(host, iface="em0"):
    """Multicast addresses of the link layer, with how often each was joined."""
    listed = host.ns.ip_json("maddr", "show", "dev", iface)
    return {m["link"]: m.get("users", 1) for m in listed[0]["maddr"] if "link" in m}


def unicast(host, iface="em0"):
    """Further unicast addresses of an interface."""
    out = host.ns.run(["bridge", "fdb", "show", "dev", iface]).stdout
    return {line.split()[0] for line in out.splitlines() if line.split()[0] in VMACS}


def flags(host, iface="em0"):
    """@return (promiscuity, allmulti, IFF_PROMISC as a setting)"""
    link = host.ns.ip_json("-d", "link", "show", iface)[0]
    return link["promiscuity"], link.get("allmulti", 0), "PROMISC" in link["flags"]


def until(check, what, timeout=3):
    lab.poll_until(check, timeout, what)


# -- the driver -------------------------------------------------------------------------------


def test_driver_of_the_folder_is_used(node):
    """-d comes before the folder that EAL loads by itself, and the first driver of a name wins."""
    stock = drivers.Ethdev(node, "stock")
    assert "/usr/lib/" in stock.values("info")["driver"]
    stock.quit()
    dev = drivers.Ethdev(node, "patched")
    assert dev.values("info")["driver"].startswith(drivers.patched()[1])
    dev.quit()


@BOTH
def test_link_state(node, kind):
    dev = drivers.Ethdev(node, kind)
    assert dev.values("info")["lsc"] == 0, "no interrupt is promised"
    assert dev.link_up()
    for change in (node.unplug, lambda: node.ns.ip("link set em0 down")):
        change()
        if kind == "stock":
            time.sleep(0.2)
            assert dev.link_up(), "the stock driver does not see it"
        else:
            until(lambda: not dev.link_up(), "link down", 0.1)
        node.plug()
        node.ns.ip("link set em0 up")
        until(dev.link_up, "link up", 1)
    node.unplug()
    # It starts with what is true, too.
    assert dev.ask("stop") == 0 and dev.ask("start") == 0
    assert dev.link_up() == (kind == "stock")
    dev.quit()


@BOTH
@pytest.mark.parametrize("end", ["quit", "kill"])
def test_unicast_membership(node, kind, end):
    dev = drivers.Ethdev(node, kind)
    if kind == "stock":
        assert dev.values("info")["max_macs"] == 1
        assert dev.ask(f"mac_add {VMACS[0]}") == -errno.EOPNOTSUPP
        assert unicast(node) == set()
        return
    for mac in VMACS:
        assert dev.ask(f"mac_add {mac}") == 0
    assert unicast(node) == set(VMACS)
    # A start puts all back that ethdev knows of: the kernel must not count them twice.
    assert dev.ask("stop") == 0 and dev.ask("start") == 0
    assert unicast(node) == set(VMACS)
    assert dev.ask(f"mac_del {VMACS[0]}") == 0
    assert unicast(node) == {VMACS[1]}
    assert dev.ask(f"mac_add {VMACS[0]}") == 0
    assert unicast(node) == set(VMACS)
    # So many that there is no room: the one too many is refused, the others stay.
    left = dev.values("info")["max_macs"] - 3
    for n in range(left):
        assert dev.ask(f"mac_add 02:00:00:00:01:{n:02x}") == 0
    assert dev.ask("mac_add 02:00:00:00:02:00") == -errno.ENOSPC
    getattr(dev, end)()
    until(lambda: unicast(node) == set(), "addresses gone")


@BOTH
@pytest.mark.parametrize("end", ["quit", "kill"])
def test_multicast_membership(node, kind, end):
    dev = drivers.Ethdev(node, kind)
    before = maddr(node)
    if kind == "stock":
        assert dev.ask("mc_set " + GROUPS[0]) == -errno.EOPNOTSUPP
        assert dev.ask("allmulticast 1") == -errno.EOPNOTSUPP
        assert maddr(node) == before
        return
    assert dev.ask("mc_set " + " ".join(GROUPS[:2])) == 0
    assert set(maddr(node)) - set(before) == set(GROUPS[:2])
    # The next list is in force as a whole, what is in both stays, and nothing is counted twice.
    assert dev.ask("mc_set " + " ".join(GROUPS[1:])) == 0
    assert set(maddr(node)) - set(before) == set(GROUPS[1:])
    assert dev.ask("mc_set") == 0
    assert maddr(node) == before
    assert dev.ask("mc_set " + " ".join(GROUPS)) == 0
    assert dev.ask("allmulticast 1") == 0
    assert dev.ask("stop") == 0 and dev.ask("start") == 0
    assert set(GROUPS) <= set(maddr(node)) and flags(node)[1] == 1
    assert dev.ask("allmulticast 0") == 0
    assert flags(node)[1] == 0
    assert dev.ask("allmulticast 1") == 0
    getattr(dev, end)()
    until(lambda: maddr(node) == before and flags(node)[1] == 0, "memberships gone")


@BOTH
def test_promiscuous_ends_with_the_process(node, kind):
    assert flags(node) == (0, 0, False)
    dev = drivers.Ethdev(node, kind)
    assert dev.ask("promiscuous 1") == 0
    assert dev.ask("stop") == 0 and dev.ask("start") == 0
    assert flags(node) == (1, 0, kind == "stock")
    dev.kill()
    if kind == "stock":
        time.sleep(0.2)
        assert flags(node) == (1, 0, True), "the setting stays behind"
        return
    until(lambda: flags(node) == (0, 0, False), "promiscuous mode gone")
    # What the administrator set is left alone.
    node.ns.ip("link set em0 promisc on")
    dev = drivers.Ethdev(node, kind)
    assert flags(node) == (1, 0, True)
    assert dev.ask("promiscuous 1") == 0 and flags(node)[0] == 2
    assert dev.ask("promiscuous 0") == 0
    dev.quit()
    assert flags(node) == (1, 0, True)


def numbered(frame):
    """The number that a frame of lab_ethdev carries, or None."""
    if frame.data[12:14] != struct.pack("!H", ETHERTYPE):
        return None
    return struct.unpack_from("!I", frame.data, 14)[0]


@BOTH
def test_no_stale_frames_after_the_link_returns(net, node, kind):
    """600 frames into an unplugged cable; then one more when it is plugged again."""
    all_frames = sniff.Sniffer(net.switch, sniff.INCOMING)
    net.closing.append(all_frames.close)
    heard = lambda: [n for n in map(numbered, all_frames.select(lambda f: True)) if n is not None]  # noqa: E731
    dev = drivers.Ethdev(node, kind)
    assert dev.ask("send 3 60") == 3
    until(lambda: heard() == [0, 1, 2], "the first frames")
    node.unplug()
    accepted = dev.ask("send 600 60")
    node.plug()
    until(lambda: "LOWER_UP" in node.ns.ip_json("link", "show", "em0")[0]["flags"], "carrier")
    again = dev.ask("send 1 60")
    until(lambda: len(heard()) > 3, "the frames after")
    time.sleep(0.2)
    stats = dev.values("stats")
    if kind == "stock":
        # The new one finds no room; its call sends what is in the ring.
        assert accepted == 512 and again == 0
        assert heard() == list(range(515)), "the first that were sent without a link"
    else:
        assert again == 1
        assert accepted == 0, "the caller has them back"
        assert heard() == [0, 1, 2, 603]
        assert stats["opackets"] == 4 and stats["oerrors"] == 0
    dev.quit()


def test_refused_frames_do_not_disturb_the_order(net, node):
    """Around the whole ring, with cable and without: what is accepted arrives, once, in order."""
    all_frames = sniff.Sniffer(net.switch, sniff.INCOMING)
    net.closing.append(all_frames.close)
    heard = lambda: [n for n in map(numbered, all_frames.select(lambda f: True)) if n is not None]  # noqa: E731
    dev = drivers.Ethdev(node, "patched", args=",framecnt=64")
    expected, n = [], 0
    for _ in range(5):
        assert dev.ask("send 37 60") == 37
        expected += range(n, n + 37)
        n += 37
        node.unplug()
        assert dev.ask("send 50 60") == 0
        n += 50
        node.plug()
        until(lambda: "LOWER_UP" in node.ns.ip_json("link", "show", "em0")[0]["flags"], "carrier")
    # One that no frame of the ring can hold is dropped and counted, not handed back.
    assert dev.ask("send 1 2030") == 1
    assert dev.ask("send 1 60") == 1
    expected.append(n + 1)
    until(lambda: len(heard()) >= len(expected), "all that was accepted")
    assert heard() == expected
    stats = dev.values("stats")
    assert stats["opackets"] == len(expected) and stats["oerrors"] == 1
    dev.quit()


def jumbo_path(net, node, mtu):
    """The wire carries frames of this MTU. @return a raw socket on the other end"""
    net.switch.ip(f"link set fw1.em0 mtu {mtu}", f"link set {lab.LAN} mtu {mtu}")
    peer = net.peer()
    net.switch.ip(f"link set peer-{lab.LAN}.em0 mtu {mtu}", f"link set {lab.LAN} mtu {mtu}")
    peer.ns.ip(f"link set em0 mtu {mtu}")
    node.ns.ip(f"link set em0 mtu {mtu}")
    return peer.raw()


def frame_of(length):
    return b"\xff" * 6 + b"\x02" + bytes(5) + struct.pack("!H", ETHERTYPE) + bytes(length - 14)


def received(dev, timeout=0.5):
    """Lengths of the frames that the device receives until none comes any more."""
    lengths, ends = [], time.monotonic() + timeout
    while time.monotonic() < ends:
        lengths += [int(x) for x in dev.words("recv")[1:]]
    return lengths


@BOTH
def test_frames_that_do_not_fit_are_not_cut(net, node, kind):
    raw = jumbo_path(net, node, 9000)
    dev = drivers.Ethdev(node, kind)
    for length in (60, 1982, 1983, 9014, 64):
        raw.send(frame_of(length))
    got = received(dev)
    if kind == "stock":
        assert got == [60, 1982, 1982, 1982, 64], "two of them are parts of what was sent"
    else:
        assert got == [60, 1982, 64]
        assert dev.values("stats")["ierrors"] == 2
    dev.quit()


@BOTH
def test_mtu_as_the_ring_allows(net, node, kind):
    raw = jumbo_path(net, node, 9000)
    big = ",framesz=16384,blocksz=16384,framecnt=64"
    dev = drivers.Ethdev(node, kind, mtu=9000, room=9344, args=big, wait=False)
    if kind == "stock":
        assert dev.ready == -errno.EINVAL
        return
    assert dev.ready == 0 and dev.ask("start") == 0
    assert dev.values("info")["max_mtu"] == 16384 - 80
    for length in (9014, 60):
        raw.send(frame_of(length))
    assert received(dev) == [9014, 60]
    all_frames = sniff.Sniffer(net.switch, sniff.INCOMING)
    net.closing.append(all_frames.close)
    assert dev.ask("send 1 9014") == 1
    until(lambda: any(len(f.data) == 9014 for f in all_frames.select(lambda f: True)), "9014")
    assert dev.ask("mtu 1400") == 0
    assert node.ns.ip_json("link", "show", "em0")[0]["mtu"] == 1400
    dev.quit()


def test_mtu_of_the_default_ring(node):
    dev = drivers.Ethdev(node, "patched")
    assert dev.values("info")["max_mtu"] == 1968
    assert dev.ask("mtu 1968") == 0 and dev.ask("mtu 1969") == -errno.EINVAL
    dev.quit()
    # Buffers that are smaller than the MTU are refused.
    small = drivers.Ethdev(node, "patched", mtu=1900, room=1900 + 128, wait=False)
    assert small.ready == -errno.ENOMEM


def test_frames_above_the_mtu_do_not_overrun_a_buffer(net, node):
    """An interface may receive what it may not send; the ring has room for it, the buffer not."""
    raw = jumbo_path(net, node, 9000)
    dev = drivers.Ethdev(node, "patched", mtu=1500, room=128 + 1514)
    for length in (1514, 1515, 1900, 60):
        raw.send(frame_of(length))
    assert received(dev) == [1514, 60]
    assert dev.values("stats")["ierrors"] == 2
    dev.quit()
