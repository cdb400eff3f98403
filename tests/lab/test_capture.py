# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Seeing packets: files that tshark reads, with what koi made of each frame."""

import os
import socket
import stat
import struct
import time

import pytest

import lab
import netns
import tshark
import vlan


def carps(packets):
    return [p for p in packets if p.ip_destination == "224.0.0.18" and "igmp" not in p.protocols]


def test_capture_dump_has_verdicts_that_tshark_reads(make_single):
    """Adverts, good and bad, and ARP: who sent what, by which interface, and what koi made of it."""
    began = time.time()
    single = make_single(advskew=0, state="master").become_master()
    one = single.box
    # One by one: groups, known sources and others have rings of their own, without a common order.
    for said, name in (
        ({"advskew": 200}, "ipackets"),
        ({"password": "wrong"}, "badauth"),
        ({"vhid": 9}, "badvhid"),
    ):
        before = one.carp_stats()[name]
        single.send(**said)
        one.wait_counter(lambda name=name: one.carp_stats()[name], before, what=name)
    mac, zero = single.raw.mac, bytes(6)
    who_has = struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + mac
    who_has += socket.inet_aton(single.PEER) + zero + socket.inet_aton(lab.LAN_VIP)
    single.raw.send(b"\xff" * 6 + mac + who_has)
    one.wait_counter(lambda: one.carp_stats()["arp_answered"], 0)
    path = os.path.join(one.dir, "dump.pcapng")
    assert one.ctl(f"capture dump {path}").endswith(f" frames in {path}\n")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    packets = tshark.read(path)
    assert {p.interface for p in packets} == {"em0"}
    assert all(began - 1 < p.time < time.time() for p in packets)
    assert all(p.inbound != p.outbound for p in packets)
    adverts = carps(packets)
    assert {p.comment for p in adverts if p.outbound} == {"carp0: sent"}
    assert [p.comment for p in adverts if p.inbound] == [
        "carp0: accepted, stays MASTER",
        "carp0: refused: badauth, digest does not match: password or VIP list differs",
        "refused: badvhid, vhid not configured or not running here",
    ]
    arps = [p for p in packets if "arp" in p.protocols and p.source == mac.hex(":")]
    assert arps, packets
    assert "carp0: answered" in {p.comment for p in arps}
    # An existing file stays as it is.
    before = os.stat(path)
    done = one.koictl("capture", "dump", path)
    assert done.returncode == 1 and "File exists" in done.stdout
    assert os.stat(path).st_mtime_ns == before.st_mtime_ns


def capture(one, scope, path, meanwhile):
    """The packets of a capture that runs meanwhile."""
    one.ctl(f"capture start {path} {scope}")
    try:
        meanwhile()
    finally:
        said = one.ctl("capture stop")
    packets = tshark.read(path)
    assert said == (f"{len(packets)} frames, {os.stat(path).st_size} bytes in {path}, "
                    "0 not captured\n")
    return packets


def test_capture_all_sees_each_frame_once_each_way(pair):
    """Echo through the box, one that dies on the way, and adverts, at once."""
    one, path = pair.fw1, os.path.join(pair.fw1.dir, "all.pcapng")

    def meanwhile():
        assert pair.client.ping(lab.SERVER_IP, count=20)
        pair.client.ns.run(["ping", "-n", "-c", "2", "-i", "0.01", "-W", "1", "-t", "1",
                            lab.SERVER_IP], check=False)
        pair.net.sniffer.wait(lambda f: f.advert is not None and f.port == "fw1.em0")

    packets = capture(one, "all", path, meanwhile)
    assert [p.time for p in packets] == sorted(p.time for p in packets)
    assert {p.interface for p in packets} == {"em0", "em1"}
    echo = [p for p in packets if {p.ip_source, p.ip_destination} == {lab.CLIENT_IP, lab.SERVER_IP}]
    ways = {}
    for p in echo:
        way = (p.ip_source == lab.CLIENT_IP, p.interface, p.outbound, p.comment.split(",")[0])
        ways[way] = ways.get(way, 0) + 1
    assert ways == {
        (True, "em0", False, ""): 20, (True, "em1", True, ""): 20,
        (False, "em1", False, ""): 20, (False, "em0", True, ""): 20,
        (True, "em0", False, "dropped: ttl"): 2,
    }
    # What koi says of the two: an error each, seen once, as it left.
    errors = [p for p in packets if p.ip_destination == lab.CLIENT_IP and p.outbound
              and p.ip_source != lab.SERVER_IP]
    assert len(errors) == 2 and all("icmp" in p.protocols for p in errors)
    # An advert goes out once; nobody else sends any here.
    adverts = carps(packets)
    assert adverts and all(p.outbound for p in adverts)
    assert {p.source for p in adverts} <= {"00:00:5e:00:01:01", "00:00:5e:00:01:02"}
    assert len({(p.interface, p.time) for p in adverts}) == len(adverts)
    log = one.log()
    assert f"capture started: {path}" in log and f"capture ended, by command: {path}" in log


def test_capture_groups_and_interface(pair):
    """Control frames only, with verdicts, on the backup; one interface, data too, on the master."""
    two, path = pair.fw2, os.path.join(pair.fw2.dir, "groups.pcapng")

    def heard():
        since = pair.net.sniffer.mark()
        pair.net.sniffer.wait(lambda f: f.advert is not None and f.port == "fw1.em0", since)
        pair.net.sniffer.wait(lambda f: f.advert is not None and f.port == "fw1.em1", since)

    packets = capture(two, "groups", path, lambda: (pair.client.ping(lab.SERVER_IP), heard()))
    comments = {p.comment for p in carps(packets)}
    assert comments == {"carp0: accepted, stays BACKUP", "carp1: accepted, stays BACKUP"}
    assert not [p for p in packets if "icmp" in p.protocols]
    path = os.path.join(pair.fw1.dir, "em1.pcapng")
    packets = capture(pair.fw1, "interface em1", path, lambda: pair.client.ping(lab.SERVER_IP, 5))
    assert {p.interface for p in packets} == {"em1"}
    assert len([p for p in packets if "icmp" in p.protocols]) == 10


def test_capture_ends_at_its_limit(pair):
    one, path = pair.fw1, os.path.join(pair.fw1.dir, "limit.pcapng")
    one.ctl("set capture packets 7")
    one.ctl(f"capture start {path} all")
    assert pair.client.ping(lab.SERVER_IP, count=10)
    lab.poll_until(lambda: not one.telemetry("/koi/capture")["running"], 5, "the end")
    assert "ended: limit of 7 frames reached" in one.ctl("show capture")
    assert len(tshark.read(path)) == 7
    done = one.koictl("capture stop")
    assert done.returncode == 1 and "no capture is running" in done.stdout
    path = os.path.join(one.dir, "bytes.pcapng")
    one.ctl("set capture packets 0")
    one.ctl("set capture bytes 65536")
    one.ctl(f"capture start {path} all")
    assert pair.client.ping(lab.SERVER_IP, count=1, timeout=1)
    big = ["ping", "-n", "-q", "-c", "60", "-i", "0.002", "-s", "1400", lab.SERVER_IP]
    pair.client.ns.run(big, check=False)
    lab.poll_until(lambda: not one.telemetry("/koi/capture")["running"], 5, "the end")
    assert "ended: limit of 65536 bytes reached" in one.ctl("show capture")
    assert 60000 < os.stat(path).st_size <= 65536
    assert tshark.read(path)


def test_capture_on_a_full_disk_ends_and_forwarding_goes_on(pair):
    """A file system of 128 KiB: an event, a file that can be read, and no packet lost."""
    one, disk = pair.fw1, os.path.join(pair.fw1.dir, "disk")
    os.mkdir(disk)
    netns.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", disk])
    try:
        path = os.path.join(disk, "file.pcapng")
        one.ctl(f"capture start {path} all")
        big = ["ping", "-n", "-q", "-c", "300", "-i", "0.002", "-s", "1400", lab.SERVER_IP]
        done = pair.client.ns.run(big, check=False)
        assert " 0% packet loss" in done.stdout, done.stdout
        lab.poll_until(lambda: not one.telemetry("/koi/capture")["running"], 5, "the end")
        assert "it cannot be written: No space left on device" in one.ctl("show capture")
        lab.poll_until(lambda: "capture ended, it cannot be written" in one.log(), 5, "the event")
        assert len(tshark.read(path)) > 50
    finally:
        netns.run(["umount", disk])
    assert one.states() == ["MASTER", "MASTER"]


@pytest.mark.timing
def test_capture_loses_no_packet(pair):
    """10,000 packets a second through the box, without a capture and with one."""
    one, path = pair.fw1, os.path.join(pair.fw1.dir, "all.pcapng")
    results = []
    for on in (False, True):
        if on:
            one.ctl(f"capture start {path} all")
        probe = lab.Probe(pair.client, rate=10000).flowing()
        probe.run_for(2)
        results.append(probe.stop())
    said = one.ctl("capture stop")
    text = f"off {results[0]}; on {results[1]}; {said}"
    print(text)
    for result in results:
        lab.judge(result)
        assert result["lost"] == 0 and result["send_errors"] == 0, text
    packets = tshark.read(path)
    seen = [p for p in packets if p.ip_destination == lab.SERVER_IP]
    # each probe comes in and goes out
    assert len(seen) >= 2 * results[1]["sent"], text


@pytest.mark.parametrize("handled", sorted(vlan.DEVICES))
def test_capture_has_tags_as_on_the_wire(net, handled):
    clients = {v: vlan.client(net, v) for v in vlan.NETS}
    one = vlan.box.Box(net.firewall("fw1", wan=False), vlan.config("fw1", handled, 0, "master"))
    one.start()
    one.wait_master()
    clients[10].wait_ping("198.51.100.100")
    path = os.path.join(one.dir, "tags.pcapng")
    packets = capture(one, "all", path, lambda: clients[10].ping("198.51.100.100", count=3))
    ways = {(p.interface, p.vlan, p.outbound) for p in packets if "icmp" in p.protocols}
    assert ways == {(f"em0.{v}", v, out) for v in (10, 20) for out in (False, True)}
    assert len([p for p in packets if "icmp" in p.protocols]) == 12
    # Control frames, which koi handles without a tag, have theirs again.
    dump = os.path.join(one.dir, "dump.pcapng")
    one.ctl(f"capture dump {dump}")
    assert {(p.interface, p.vlan) for p in tshark.read(dump)} == {("em0.10", 10), ("em0.20", 20)}
