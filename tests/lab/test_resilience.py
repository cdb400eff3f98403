# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Replays, floods, splits, load sharing, unicast peers and holds, on the wire."""

import itertools
import json
import os
import struct
import time

import pytest

import box
import carp
import lab
import sniff


def counter(n):
    return (n % 2**64).to_bytes(8, "big")


# -- replays ----------------------------------------------------------------------------------


class CountingPeer:
    """A NetBSD as seen by its counters: each advert carries the next number."""

    def __init__(self, single, start=1000):
        self.single = single
        self.next = itertools.count(start)
        self.sent = []

    def send(self, **kw):
        frame = self.single.advert(counter=counter(next(self.next)), **kw)
        self.single.raw.send(frame)
        self.sent.append(frame)
        return frame


@pytest.mark.sanitized
@pytest.mark.parametrize("change", ["advskew", "bow-out"])
def test_replay_with_another_priority_is_refused(make_single, change):
    """The digest does not cover the priority: what was heard before must not come back changed."""
    single = make_single(advskew=100, preempt=True)
    stats = lambda name: single.box.carp_stats("carp0")[name]  # noqa: E731
    peer = CountingPeer(single)
    for n in range(6):
        peer.send(advskew=0)
        single.box.wait_counter(lambda: stats("ipackets"), n, what="ipackets")
    # An old advert whose skew (or everything) was changed, checksum made right again.
    old = struct.unpack_from("!Q", peer.sent[1], 14 + 20 + 8)[0]
    fields = {"advskew": 254} if change == "advskew" else {"advbase": 255, "advskew": 255}
    before = stats("replay")
    single.raw.send(single.advert(counter=counter(old), **fields))
    single.box.wait_counter(lambda: stats("replay"), before, what="replay")
    assert single.box.state("carp0") == "BACKUP"
    single.settle()
    assert not single.adverts()
    # The peer itself is heard as before, and believed when it really leaves.
    heard = stats("ipackets")
    peer.send(advskew=0)
    single.box.wait_counter(lambda: stats("ipackets"), heard, what="ipackets")
    peer.send(advbase=255, advskew=255)
    single.box.wait_state("carp0", "MASTER", 2)


@pytest.mark.sanitized
def test_replay_constant_counter_is_accepted(make_single):
    """OpenBSD repeats one counter; its demotions and its bow-out do too."""
    single = make_single(advskew=100)
    stats = lambda name: single.box.carp_stats("carp0")[name]  # noqa: E731
    same = b"\x5a" * 8
    with carp.Sender(single.raw.send, lambda: single.advert(advskew=0, counter=same), 0.5):
        single.box.wait_counter(lambda: stats("ipackets"), 7, 8, "ipackets")
        assert single.box.state("carp0") == "BACKUP"
    assert stats("replay") == 0 and stats("duplicate") == 0
    single.raw.send(single.advert(advskew=240, demotion=1, counter=same))
    single.box.wait_state("carp0", "MASTER", 2)
    assert stats("replay") == 0


# -- strict groups ----------------------------------------------------------------------------


def strict(conf):
    for group in conf["carp"]["groups"]:
        group["strict"] = True
    return conf


@pytest.mark.sanitized
def test_strict_pair_hears_itself_and_refuses_others(make_pair):
    conf1 = strict(box.config("fw1", state="master"))
    pair = make_pair(conf1, strict(box.config("fw2", advskew=128))).start()
    heard = pair.fw2.carp_stats("carp0")["ipackets"]
    pair.fw2.wait_counter(
        lambda: pair.fw2.carp_stats("carp0")["ipackets"], heard + 2, what="ipackets"
    )
    # A plain peer with the right password, and better than both: nobody listens.
    raw = pair.net.peer().raw()
    marks = [b.carp_stats("carp0")["not_strict"] for b in pair.boxes]
    for _ in range(3):
        raw.send(carp.build(1, "lanpasswd", [lab.LAN_VIP], "192.0.2.9", advskew=0))
        raw.send(
            carp.build(1, "lanpasswd", [lab.LAN_VIP], "192.0.2.9", advbase=255, advskew=255)
        )
    for b, mark in zip(pair.boxes, marks):
        b.wait_counter(lambda b=b: b.carp_stats("carp0")["not_strict"], mark, what="not_strict")
    # And what the master itself said before is not taken a second time.
    ours = pair.net.sniffer.wait(sniff.advert_from("fw1.em0", 1), timeout=3).data
    before = pair.fw2.carp_stats("carp0")
    raw.send(ours)
    pair.fw2.wait_counter(
        lambda: sum(pair.fw2.carp_stats("carp0")[k] for k in ("replay", "duplicate")),
        before["replay"] + before["duplicate"],
        what="replay or duplicate",
    )
    assert pair.fw1.states() == ["MASTER", "MASTER"]
    assert pair.fw2.states() == ["BACKUP", "BACKUP"]


# -- floods -----------------------------------------------------------------------------------


@pytest.mark.sanitized
def test_flood_of_forged_adverts_does_not_disturb_a_backup(pair):
    """Wrong digests of many sources at full speed, for two seconds."""
    raw = pair.net.inject("fw2.em0")
    frames = [
        carp.build(1, "wrong", [lab.LAN_VIP], f"192.0.2.{4 + n % 200}", advskew=n % 255)
        for n in range(256)
    ]
    frames += [carp.build(1, "wrong", [lab.LAN_VIP], "192.0.2.2", advbase=255, advskew=255)]
    info = lambda: pair.fw2.telemetry("/carp/info,carp0")["transitions"]  # noqa: E731
    before, sent = info(), 0
    ends = time.monotonic() + 2.0
    due = time.monotonic()
    while time.monotonic() < ends:
        for _ in range(20):
            try:
                raw(frames[sent % len(frames)])
                sent += 1
            except OSError:
                pass
        due += 0.001
        time.sleep(max(0.0, due - time.monotonic()))
    refused = lambda: sum(  # noqa: E731
        pair.fw2.carp_stats("carp0")[k] for k in ("badauth", "policed", "self")
    ) + sum(pair.fw2.drops()[k] for k in ("advert_ring_full", "advert_unknown_ring_full"))
    pair.fw2.wait_counter(refused, sent // 2, 8, "refused adverts")
    print(f"{sent} forged adverts, {refused()} refused")
    heard = pair.fw2.carp_stats("carp0")["ipackets"]
    pair.fw2.wait_counter(
        lambda: pair.fw2.carp_stats("carp0")["ipackets"], heard, 4, "the master is heard"
    )
    assert info() == before and pair.fw2.states() == ["BACKUP", "BACKUP"]
    assert pair.fw1.states() == ["MASTER", "MASTER"]
    assert pair.client.ping(lab.SERVER_IP, count=10)


# -- splits -----------------------------------------------------------------------------------


def test_split_brain_is_suspected_on_both(make_pair):
    """Different passwords: both are MASTER, and both say what they suspect."""
    conf2 = box.config("fw2", advskew=128)
    conf2["carp"]["groups"][0]["pass"] = "otherpasswd"
    pair = make_pair(box.config("fw1"), conf2)
    pair.start(settle=False)
    for b in pair.boxes:
        b.wait_state("carp0", "MASTER")
    for b in pair.boxes:
        lab.poll_until(
            lambda b=b: "split" in b.ctl("show carp events carp0"), 12, f"{b.name}: split event"
        )
        # The log is written by a thread of its own.
        lab.poll_until(lambda b=b: b.log_lines("split brain suspected"), 3, f"{b.name}: log")
        explained = b.telemetry("/carp/explain,carp0")
        assert explained["split_brain_suspected"] and explained["split_reasons"]
        assert any("Split brain suspected for" in line for line in explained["lines"])


# -- timing that does not fit -----------------------------------------------------------------


def test_mixed_timing_is_named(make_single):
    """A master whose interval is our master-down time: warning, event, explain, and its end."""
    single = make_single(advskew=100)
    said = "192.0.2.9"
    single.send(advbase=3, advskew=100)
    lab.poll_until(
        lambda: said in "".join(single.box.log_lines("advertises every 3.391 s")), 3, "warning"
    )
    events = single.box.telemetry("/carp/events,carp0")["events"].values()
    warned = [e for e in events if e["kind"] == "warn"]
    assert len(warned) == 1 and warned[0]["source"] == said
    assert warned[0]["peer"] == "3/100/0"  # telemetry is flat
    text = single.box.ctl("explain carp carp0")
    assert "Timing does not fit" in text and said in text
    single.send(advbase=1, advskew=0)
    lab.poll_until(lambda: single.box.log_lines("timing fits again"), 3, "the end of it")
    assert "Timing does not fit" not in single.box.ctl("explain carp carp0")


# -- balancing --------------------------------------------------------------------------------


def balanced(node, skews):
    """Two groups with one shared address on em0; skews: of vhid 1 and of vhid 3."""
    conf = box.config(node, two=False, arpbalance=True)
    first = conf["carp"]["groups"][0]
    conf["carp"]["groups"] = [
        {**first, "advskew": skews[0]},
        {**first, "name": "carp3", "vhid": 3, "advskew": skews[1]},
    ]
    return conf


def index_of_2(mac, password="lanpasswd"):
    """Index of an asker among two groups, by the golden vectors."""
    path = os.path.join(lab.ROOT, "tests/data/carp-hmac.json")
    with open(path, encoding="utf-8") as f:
        rows = json.load(f)["arpbalance"]
    for row in rows:
        if row["pass"] == password and row["sender_mac"] == mac:
            return row["index_of_2"]
    return None


@pytest.mark.sanitized
@pytest.mark.parametrize("where", ["two boxes", "one box"])
def test_conformance_63_each_asker_gets_one_answer(net, where):
    """One vhid is MASTER on each box, or both on one: one reply, from the vhid of the vectors."""
    fw1 = box.Box(net.firewall("fw1", wan=False), balanced("fw1", (0, 100)))
    fw2 = box.Box(net.firewall("fw2", wan=False), balanced("fw2", (100, 0)))
    boxes = [fw1, fw2] if where == "two boxes" else [fw1]
    for b in boxes:
        b.start()
    fw1.wait_state("carp0", "MASTER")
    (fw2 if where == "two boxes" else fw1).wait_state("carp3", "MASTER")
    raw = net.peer().raw()
    mark = net.sniffer.mark()
    askers = ["02:11:22:33:44:55"] + [f"02:00:00:00:{n:02x}:{n * 7 % 256:02x}" for n in range(31)]
    is_reply = lambda f: f.arp is not None and f.arp[0] == 2  # noqa: E731
    for n, text in enumerate(askers):
        mac = bytes.fromhex(text.replace(":", ""))
        ask = struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + mac
        ask += bytes([192, 0, 2, 100 + n]) + bytes(6) + bytes([192, 0, 2, 1])
        raw.send(b"\xff" * 6 + mac + ask)
        net.sniffer.wait(lambda f, m=mac: is_reply(f) and f.dst == m, mark, 3, f"reply to {text}")
    time.sleep(0.3)
    replies = net.sniffer.select(is_reply, mark)
    assert len(replies) == len(askers), f"{len(replies)} replies to {len(askers)} askers"
    groups = {frame.arp[1] for frame in replies}
    assert groups == {carp.vmac(1), carp.vmac(3)}, "the load is shared"
    for frame in replies:
        assert frame.src == frame.arp[1]
        port = "fw2.em0" if where == "two boxes" and frame.src == carp.vmac(3) else "fw1.em0"
        assert frame.port == port
    golden = next(f for f in replies if f.dst == bytes.fromhex("021122334455"))
    assert golden.src == (carp.vmac(1), carp.vmac(3))[index_of_2(askers[0])]
    # No announcement moves all askers to one group: in none is the shared address the sender's.
    requests = net.sniffer.select(lambda f: f.arp is not None and f.arp[0] == 1, 0)
    ours = [f for f in requests if f.src in groups]
    assert {f.src for f in ours} == groups and all(f.arp[2] == "0.0.0.0" for f in ours)


# -- unicast ----------------------------------------------------------------------------------


@pytest.mark.sanitized
def test_conformance_62_unicast_pair(make_pair):
    """One master, and not one advert to the group; no membership is told either."""
    confs = []
    for node, skew, other in (("fw1", 0, 3), ("fw2", 128, 2)):
        conf = box.config(node, advskew=skew)
        conf["carp"]["groups"][0]["peer"] = f"192.0.2.{other}"
        conf["carp"]["groups"][1]["peer"] = f"198.51.100.{other}"
        confs.append(conf)
    pair = make_pair(*confs)
    everything = sniff.Sniffer(pair.net.switch, sniff.INCOMING)
    pair.net.closing.append(everything.close)
    pair.start()
    pair.net.sniffer.wait(sniff.advert_from("fw1.em0"), timeout=3)
    for b in pair.boxes:
        # The first advert is lost while its peer's MAC is asked for: fw2 may claim until the next.
        b.wait_state("carp0", "MASTER" if b is pair.fw1 else "BACKUP", 3)
    adverts = everything.select(lambda f: f.advert is not None)
    assert adverts
    for frame in adverts:
        ad = frame.advert
        assert ad.dst in ("192.0.2.2", "192.0.2.3", "198.51.100.2", "198.51.100.3"), ad
        host, iface = frame.port.split(".")
        other = {"fw1": pair.fw2, "fw2": pair.fw1}[host].host
        assert ad.dst_mac == other.macs[iface]
        assert ad.src_mac == {"fw1": pair.fw1, "fw2": pair.fw2}[host].host.macs[iface]
        assert ad.ttl == 255
    assert not everything.select(lambda f: f.dst == bytes.fromhex("01005e000012"))
    # The TTL of what comes in is not enforced: a peer may be behind a tunnel.
    raw = pair.net.peer().raw()
    before = pair.fw2.carp_stats()
    raw.send(
        carp.build(1, "lanpasswd", [lab.LAN_VIP], "192.0.2.2", advskew=0, ttl=64,
                   dst="192.0.2.3", dst_mac=pair.fw2.host.macs["em0"])
    )  # fmt: skip
    heard = before["ipackets"]
    pair.fw2.wait_counter(lambda: pair.fw2.carp_stats()["ipackets"], heard, what="ipackets")
    assert pair.fw2.carp_stats()["badttl"] == before["badttl"]
    pair.fw1.kill()
    pair.fw2.wait_master()
    pair.client.wait_ping(lab.SERVER_IP)


# -- holds ------------------------------------------------------------------------------------


@pytest.mark.sanitized
def test_hold_after_link_up(make_single):
    """No claim before linkup-hold-ms have passed, though the master-down time is over."""
    single = make_single(advskew=0, preempt=True, start=False)
    single.box.conf["interfaces"][0]["linkup-hold-ms"] = 5000
    single.box.conf["carp"]["groups"][0]["state"] = "master"
    began = time.time()
    single.box.start()
    first = single.wait_advert(since=0, timeout=12)
    assert first.ts - began >= 5.0
    single.box.wait_state("carp0", "MASTER")
    single.host.unplug("em0")
    single.box.wait_state("carp0", "INIT", 3)
    mark = single.net.sniffer.mark()
    plugged = time.time()
    single.host.plug("em0")
    lab.poll_until(lambda: "link" in single.box.ctl("show carp demotion"), 3, "still demoted")
    again = single.wait_advert(mark, timeout=14)
    assert again.ts - plugged >= 5.0


@pytest.mark.sanitized
def test_hold_after_start(make_single):
    """A worse master is left alone by a box that has just started; its bow-out ends the wait."""
    single = make_single(advskew=0, preempt=True, start=False)
    single.box.conf["carp"]["startup-hold-ms"] = 6000
    began = time.time()
    with single.sender(0.5, advskew=200):
        single.box.start()
        ready = time.time()
        first = single.wait_advert(since=0, timeout=12)
    assert began + 6.0 <= first.ts <= ready + 6.0 + 2.0, first.ts - began
    single.box.wait_state("carp0", "MASTER")


def test_hold_after_start_does_not_outlive_a_bow_out(make_single):
    single = make_single(advskew=0, start=False)
    single.box.conf["carp"]["startup-hold-ms"] = 60000
    single.box.start()
    single.send(advskew=0)
    single.box.wait_counter(lambda: single.box.carp_stats("carp0")["ipackets"], 0)
    assert not single.adverts()
    single.send(advskew=255, advbase=255)
    single.box.wait_state("carp0", "MASTER", 2)


@pytest.mark.sanitized
def test_hold_before_preempting(make_single):
    """preempt-delay-ms after its start as BACKUP the box takes over, not before."""
    single = make_single(advskew=0, preempt=True, start=False)
    single.box.conf["carp"]["preempt-delay-ms"] = 3000
    began = time.time()
    with single.sender(0.25, advskew=200):
        single.box.start()
        ready = time.time()
        first = single.wait_advert(since=0, timeout=8)
    assert began + 3.0 <= first.ts <= ready + 3.0 + 1.0, first.ts - began
    assert "preempt" in single.box.telemetry("/carp/info,carp0")["last_cause"]
