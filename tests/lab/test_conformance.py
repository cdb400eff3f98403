# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Cases of chapter 10 of the protocol notes on the wire, a hand-made peer beside one box.

The box has skew 100, preempt off and one shared address unless a case says otherwise: master-down
is 3.390625 s, its adverts are 1.390625 s apart.
"""

import os
import socket
import struct
import time

import pytest

import carp
import lab
import sniff

DOWN_S = 3 + 100 / 256
INTERVAL_S = 1 + 100 / 256
VMAC = carp.vmac(1)
BROADCAST = b"\xff" * 6


def arp_request(single, sender_ip, target=lab.LAN_VIP):
    mac = single.raw.mac
    return (
        BROADCAST
        + mac
        + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1)
        + mac
        + socket.inet_aton(sender_ip)
        + bytes(6)
        + socket.inet_aton(target)
    )


def is_reply(frame):
    return frame.port == "fw1.em0" and frame.arp is not None and frame.arp[0] == 2


def stays_silent(single, mark, seconds):
    single.settle(seconds)
    sent = single.adverts(mark)
    assert not sent, [f.advert for f in sent]


@pytest.fixture
def backup(make_single):
    """BACKUP with a master on the wire: the peer, skew 0."""
    single = make_single()
    single.box.wait_state("carp0", "BACKUP")
    return single


@pytest.fixture
def master(make_single):
    return make_single(state="master").become_master()


# -- alone ------------------------------------------------------------------------------------


@pytest.mark.sanitized
def test_conformance_07_alone(make_single):
    """BACKUP, silence, MASTER after 3.390 s; first the advert, then the gratuitous ARP."""
    single = make_single(start=False)
    spawned = time.time()
    single.box.start()
    ready = time.time()
    assert single.box.state("carp0") == "BACKUP"
    first = single.wait_advert(since=0, timeout=8)
    assert spawned + DOWN_S <= first.ts <= ready + DOWN_S + 0.1
    garp = single.net.sniffer.wait(
        sniff.garp_from("fw1.em0", lab.LAN_VIP), since=0, what="gratuitous ARP"
    )
    assert first.ts <= garp.ts <= first.ts + 0.1
    assert garp.src == VMAC and garp.arp[1] == VMAC and garp.dst == BROADCAST
    sent = single.net.sniffer.select(lambda f: f.port == "fw1.em0")
    assert sent[0] is first or sent[0].ts >= first.ts
    single.box.wait_state("carp0", "MASTER")


@pytest.mark.timing
@pytest.mark.sanitized
def test_conformance_08_adverts_of_a_master(master):
    clock = lab.Clock(master.peer)
    mark = master.net.sniffer.mark()
    lab.poll_until(lambda: len(master.adverts(mark)) >= 4, 8, "four adverts")
    frames = master.adverts(mark)
    for f in frames:
        ad = f.advert
        assert ad.frame_len == 70 and ad.ip_len == 56
        assert ad.ttl == 255 and ad.flags_frag == 0x4000 and ad.tos == 0x10
        assert ad.src == "192.0.2.2" and ad.dst == "224.0.0.18"
        assert ad.src_mac == VMAC and ad.dst_mac == carp.MCAST_MAC
        assert ad.ip_sum_ok and ad.sum_ok
        assert ad.version_type == 0x21 and ad.authlen == 7
        assert (ad.vhid, ad.advbase, ad.advskew, ad.demotion) == (1, 1, 100, 0)
        assert ad.authentic("lanpasswd", [lab.LAN_VIP])
        assert ad.counter != bytes(8)
    assert len({f.advert.counter for f in frames}) == len(frames)
    clock.judge()
    for a, b in zip(frames, frames[1:]):
        assert abs(b.ts - a.ts - INTERVAL_S) < 0.010


# -- BACKUP -----------------------------------------------------------------------------------


@pytest.mark.timing
def test_conformance_09_10_backup_waits_while_it_hears_a_master(backup):
    """Silent while adverts of skew 0 come; MASTER 3.39 s after the last one."""
    clock = lab.Clock(backup.peer)
    mark = backup.net.sniffer.mark()
    with backup.sender(1.0, advskew=0) as sender:
        stays_silent(backup, mark, 4.2)
        assert backup.box.state("carp0") == "BACKUP"
        sender.stop()
    last = backup.net.sniffer.select(sniff.advert_from("peer-lan.em0"))[-1]
    first = backup.wait_advert(mark, timeout=5)
    clock.judge()
    assert 3.385 <= first.ts - last.ts <= 3.45


def test_conformance_11_backup_without_preempt_bears_a_worse_master(backup):
    mark = backup.net.sniffer.mark()
    with backup.sender(1.0, advskew=200):
        stays_silent(backup, mark, 4.2)
        assert backup.box.state("carp0") == "BACKUP"


@pytest.mark.timing
@pytest.mark.sanitized
def test_conformance_12_preempts_a_worse_master(make_single):
    single = make_single(preempt=True)
    clock = lab.Clock(single.peer)
    single.send(advskew=200)
    ours = single.wait_advert(since=0)
    theirs = single.net.sniffer.select(sniff.advert_from("peer-lan.em0"))[0]
    single.box.wait_state("carp0", "MASTER")
    clock.judge()
    assert ours.ts - theirs.ts < 0.010


def test_conformance_13_no_preemption_of_an_equal_master(make_single):
    single = make_single(preempt=True)
    with single.sender(1.0, advskew=100):
        stays_silent(single, 0, 4.2)
        assert single.box.state("carp0") == "BACKUP"


@pytest.mark.sanitized
@pytest.mark.parametrize("advbase", [1, 100])
def test_conformance_17_18_bow_out_is_taken_up_at_once(make_single, advbase):
    backup = make_single(start=False)
    backup.box.conf["carp"]["groups"][0]["advbase"] = advbase
    backup.box.start()
    backup.send(advskew=0, advbase=advbase)
    backup.send(advskew=255, advbase=255)
    theirs = backup.net.sniffer.wait(
        lambda f: f.port == "peer-lan.em0" and f.advert and f.advert.bow_out, since=0
    )
    ours = backup.wait_advert(since=0, timeout=2)
    assert ours.ts - theirs.ts < 0.5
    backup.box.wait_state("carp0", "MASTER")


def test_conformance_20_backup_set_down_is_silent(backup):
    mark = backup.net.sniffer.mark()
    backup.box.ctl("carp carp0 down")
    assert backup.box.state("carp0") == "INIT"
    stays_silent(backup, mark, 0.5)


@pytest.mark.parametrize("base,state", [(3, "BACKUP"), (4, "MASTER")])
def test_conformance_21_22_slow_master(backup, base, state):
    backup.send(advskew=0, advbase=base)
    backup.box.wait_counter(lambda: backup.box.carp_stats("carp0")["ipackets"], 0)
    if state == "MASTER":
        backup.box.wait_state("carp0", state, 1)
    else:
        stays_silent(backup, 0, 0.5)
        assert backup.box.state("carp0") == state


def test_conformance_39_40_repeated_and_backward_counters(backup):
    """OpenBSD repeats one counter for ever; each advert restarts the timer all the same."""
    mark = backup.net.sniffer.mark()
    same = backup.advert(advskew=0, counter=b"\xff" * 8)
    back = backup.advert(advskew=0, counter=b"\0" * 7 + b"\1")
    heard = backup.box.carp_stats("carp0")["ipackets"]
    for _ in range(100):
        backup.raw.send(same)
        time.sleep(0.040)
    backup.raw.send(back)
    backup.box.wait_counter(
        lambda: backup.box.carp_stats("carp0")["ipackets"], heard + 100, what="ipackets"
    )
    stats = backup.box.carp_stats("carp0")
    assert stats["badauth"] == 0 and stats["loop"] == 0
    assert not backup.adverts(mark) and backup.box.state("carp0") == "BACKUP"


# -- MASTER -----------------------------------------------------------------------------------


@pytest.mark.sanitized
def test_conformance_14_master_yields_to_a_better_one(master):
    mark = master.net.sniffer.mark()
    master.send(advskew=0)
    master.box.wait_state("carp0", "BACKUP", 2)
    mark = master.net.sniffer.mark()
    stays_silent(master, mark, 1.6)


def test_conformance_15_master_bears_a_worse_one(master):
    mark = master.net.sniffer.mark()
    master.send(advskew=200)
    master.wait_advert(mark, timeout=3)
    assert master.box.state("carp0") == "MASTER"


def test_conformance_16_master_yields_to_an_equal_one(master):
    master.send(advskew=100)
    master.box.wait_state("carp0", "BACKUP", 2)


@pytest.mark.sanitized
def test_conformance_19_set_down_bows_out_once(master):
    mark = master.net.sniffer.mark()
    master.box.ctl("carp carp0 down")
    assert master.box.state("carp0") == "INIT"
    bow = master.wait_advert(mark, bow_out=True, timeout=2).advert
    assert (bow.advbase, bow.advskew) == (255, 255)
    assert bow.authentic("lanpasswd", [lab.LAN_VIP])
    mark_after = master.net.sniffer.mark()
    stays_silent(master, mark_after, 1.6)
    assert len(master.adverts(mark, bow_out=True)) == 1


def test_conformance_23_25_demotion_shows_at_once(master):
    mark = master.net.sniffer.mark()
    asked = time.time()
    master.box.ctl("set carp demotion 1")
    ad = master.net.sniffer.wait(
        lambda f: f.port == "fw1.em0" and f.advert and f.advert.demotion == 1, mark, 2
    )
    assert ad.advert.advskew == 240 and ad.ts - asked < 0.5
    mark = master.net.sniffer.mark()
    master.box.ctl("set carp demotion 0")
    ad = master.wait_advert(mark, timeout=2).advert
    assert ad.demotion == 0 and ad.advskew == 100


def test_conformance_24_demotion_keeps_a_higher_skew(make_single):
    single = make_single(advskew=250, state="master").become_master()
    mark = single.net.sniffer.mark()
    single.box.ctl("set carp demotion 1")
    ad = single.net.sniffer.wait(
        lambda f: f.port == "fw1.em0" and f.advert and f.advert.demotion == 1, mark, 4
    ).advert
    assert ad.advskew == 250


@pytest.mark.sanitized
def test_conformance_29_30_link_down_and_up(make_single):
    """INIT while the link is gone, the other group demoted; then BACKUP and by election."""
    single = make_single(advskew=0, preempt=True, two=True, state="master")
    single.box.wait_master()
    mark = single.net.sniffer.mark()
    single.host.unplug("em0")
    single.box.wait_state("carp0", "INIT", 3)
    ad = single.net.sniffer.wait(
        lambda f: f.port == "fw1.em1" and f.advert and f.advert.demotion > 0, mark, 3
    ).advert
    assert ad.advskew == 240 and ad.vhid == 2
    assert single.box.state("carp1") == "MASTER"
    mark = single.net.sniffer.mark()
    single.host.plug("em0")
    lab.poll_until(lambda: single.box.state("carp0") != "INIT", 3, "carp0 leaves INIT")
    plain = single.net.sniffer.wait(
        lambda f: f.port == "fw1.em1" and f.advert and f.advert.demotion == 0, mark, 3
    ).advert
    assert plain.advskew == 0
    single.box.wait_state("carp0", "MASTER", 5)
    # Nothing old was kept for the wire while the link was gone.
    first = single.wait_advert(mark, timeout=3)
    assert first.advert.authentic("lanpasswd", [lab.LAN_VIP])
    assert len(single.adverts(mark)) <= 3


@pytest.mark.sanitized
@pytest.mark.parametrize(
    "counter,frame",
    [
        ("badttl", {"ttl": 254}),
        ("badlen", {"cut": 35}),
        ("badsum", {"bad_sum": True}),
        ("badver", {"version": 3}),
        ("badauth", {"password": "wrong"}),
        ("badvhid", {"vhid": 9}),
    ],
)
def test_conformance_34_35_36_bad_adverts_change_counters_only(make_single, counter, frame):
    single = make_single(state="master").become_master()
    before = single.box.carp_stats()[counter]
    single.send(advskew=0, **frame)
    single.box.wait_counter(lambda: single.box.carp_stats()[counter], before, what=counter)
    assert single.box.state("carp0") == "MASTER"


def test_conformance_37_trailing_bytes_are_accepted(master):
    master.send(advskew=0, trailer=b"\xaa" * 20)
    master.box.wait_state("carp0", "BACKUP", 2)


@pytest.mark.parametrize("addresses,counter", [(True, "self"), (False, "loop")])
def test_conformance_38_own_advert_reflected(make_single, addresses, counter):
    single = make_single(state="master", addresses=addresses).become_master()
    before = single.box.carp_stats()[counter]
    ours = single.wait_advert(since=0)
    single.net.inject("fw1.em0")(ours.data)
    single.box.wait_counter(lambda: single.box.carp_stats()[counter], before, what=counter)
    assert single.box.state("carp0") == "MASTER"


def test_conformance_40a_peer_that_counts_on_from_our_counter(master):
    """NetBSD adopts our counter N and sends N + 1: a peer's advert, not our own."""
    ours = master.wait_advert(since=0).advert
    n = (int.from_bytes(ours.counter, "big") + 1) % 2**64
    master.send(advskew=0, counter=n.to_bytes(8, "big"))
    master.box.wait_state("carp0", "BACKUP", 2)
    assert master.box.carp_stats("carp0")["loop"] == 0


@pytest.mark.sanitized
@pytest.mark.parametrize("asker", ["192.0.2.9", "0.0.0.0"])
def test_conformance_41_43_master_answers_arp(master, asker):
    """Also a probe, whose sender is 0.0.0.0; one reply, the vMAC in both places."""
    mark = master.net.sniffer.mark()
    master.raw.send(arp_request(master, asker))
    reply = master.net.sniffer.wait(is_reply, mark, 2, "ARP reply")
    assert reply.src == VMAC and reply.dst == master.raw.mac
    assert reply.arp == (2, VMAC, lab.LAN_VIP, master.raw.mac, asker)
    master.settle()
    assert len(master.net.sniffer.select(is_reply, mark)) == 1


def test_conformance_42_backup_does_not_answer_arp(backup):
    with backup.sender(1.0, advskew=0):
        mark = backup.net.sniffer.mark()
        before = backup.box.carp_stats("carp0")["arp_not_master"]
        backup.raw.send(arp_request(backup, "192.0.2.9"))
        backup.box.wait_counter(
            lambda: backup.box.carp_stats("carp0")["arp_not_master"], before, what="arp_not_master"
        )
        # Its own address it does answer, with its own MAC.
        backup.raw.send(arp_request(backup, "192.0.2.9", "192.0.2.2"))
        reply = backup.net.sniffer.wait(is_reply, mark, 2, "reply for the own address")
        assert reply.arp[1:3] == (backup.host.macs["em0"], "192.0.2.2")
        assert len(backup.net.sniffer.select(is_reply, mark)) == 1


def test_conformance_47_announcement_repeated_after_third_advert(make_single):
    single = make_single(advskew=0, state="master")
    garp = sniff.garp_from("fw1.em0", lab.LAN_VIP)
    lab.poll_until(lambda: len(single.adverts()) >= 4, 8, "four adverts")
    garps = single.net.sniffer.select(garp)
    third = single.adverts()[2]
    assert len(garps) == 2
    assert garps[0].ts < single.adverts()[1].ts
    assert third.ts <= garps[1].ts <= third.ts + 0.2


@pytest.mark.sanitized
def test_conformance_51_forced_backup_bows_out(master):
    mark = master.net.sniffer.mark()
    master.box.ctl("carp carp0 state backup")
    assert master.box.state("carp0") == "BACKUP"
    master.wait_advert(mark, bow_out=True, timeout=2)


def test_conformance_52_forced_master_until_a_better_advert(backup):
    with backup.sender(0.7, advskew=0) as better:
        backup.box.wait_counter(lambda: backup.box.carp_stats("carp0")["ipackets"], 0)
        mark = backup.net.sniffer.mark()
        backup.box.ctl("carp carp0 state master")
        backup.wait_advert(mark, timeout=2)
        lab.poll_until(lambda: len(better.sent) >= 3, 4, "the next better advert")
        backup.box.wait_state("carp0", "BACKUP", 2)


def test_conformance_53_skew_changed_while_master(master):
    mark = master.net.sniffer.mark()
    master.box.ctl("set carp carp0 advskew 7")
    ad = master.net.sniffer.wait(
        lambda f: f.port == "fw1.em0" and f.advert and f.advert.advskew == 7, mark, 3
    )
    assert ad.advert.authentic("lanpasswd", [lab.LAN_VIP])
    assert master.box.state("carp0") == "MASTER"


def test_conformance_54_key_changed_while_master(master):
    path = os.path.join(master.box.dir, "new.pass")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
        f.write("otherpasswd\n")
    mark = master.net.sniffer.mark()
    master.box.ctl(f"set carp carp0 pass-file {path}")
    ad = master.net.sniffer.wait(
        lambda f: f.port == "fw1.em0"
        and f.advert
        and f.advert.authentic("otherpasswd", [lab.LAN_VIP]),
        mark,
        3,
    )
    assert ad.advert.sum_ok
    before = master.box.carp_stats("carp0")["badauth"]
    master.send(advskew=0)
    master.box.wait_counter(lambda: master.box.carp_stats("carp0")["badauth"], before)
    assert master.box.state("carp0") == "MASTER"
    assert "otherpasswd" not in master.box.log() + master.box.ctl("show config")


@pytest.mark.sanitized
def test_conformance_55_allow_0(master):
    master.box.ctl("set carp allow 0")
    master.box.wait_state("carp0", "INIT", 2)
    master.settle(0.1)
    mark = master.net.sniffer.mark()
    master.raw.send(arp_request(master, "192.0.2.9"))
    stays_silent(master, mark, 1.6)
    assert not master.net.sniffer.select(is_reply, mark)
    master.box.ctl("set carp allow 1")
    lab.poll_until(lambda: master.box.state("carp0") != "INIT", 2, "leaves INIT")


def test_conformance_60_two_groups_on_one_interface(make_single):
    """Independent states; one vhid's adverts never touch the other."""
    single = make_single(start=False)
    groups = single.box.conf["carp"]["groups"]
    groups.append({**groups[0], "name": "carp9", "vhid": 9, "addresses": ["192.0.2.8/24"]})
    single.box.start()
    with single.sender(1.0, advskew=0):
        single.box.wait_state("carp9", "MASTER")
        assert single.box.state("carp0") == "BACKUP"
        ad = single.wait_advert(since=0, vhid=9).advert
        assert ad.authentic("lanpasswd", ["192.0.2.8"])
        assert not single.adverts(vhid=1)
        stats = single.box.carp_stats("carp9")
        assert stats["ipackets"] == 0 and stats["badauth"] == 0
