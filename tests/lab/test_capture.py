# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Seeing packets: files that tshark reads, with what koi made of each frame."""

import os
import socket
import stat
import struct
import time

import lab
import tshark


def carps(packets):
    return [p for p in packets if p.ip_destination == "224.0.0.18" and "igmp" not in p.protocols]


def test_capture_dump_has_verdicts_that_tshark_reads(make_single):
    """Adverts, good and bad, and ARP: who sent what, by which interface, and what koi made of it."""
    began = time.time()
    single = make_single(advskew=0, state="master").become_master()
    single.send(advskew=200)
    single.send(password="wrong")
    single.send(vhid=9)
    mac, zero = single.raw.mac, bytes(6)
    who_has = struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + mac
    who_has += socket.inet_aton(single.PEER) + zero + socket.inet_aton(lab.LAN_VIP)
    single.raw.send(b"\xff" * 6 + mac + who_has)
    one = single.box
    one.wait_counter(lambda: one.carp_stats()["badvhid"], 0)
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
