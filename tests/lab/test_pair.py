# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Two firewalls, the guide's picture: who is master, and does traffic pass."""

import re
import time

import pytest

import box
import carp
import lab
import sniff


@pytest.mark.sanitized
def test_pair_elects_the_preferred_master(make_pair):
    pair = make_pair().start()
    one, two = pair.fw1.ctl("show carp all"), pair.fw2.ctl("show carp all")
    assert len(re.findall(r"carp: MASTER carpdev em\d vhid \d advbase 1 advskew 0\b", one)) == 2
    assert len(re.findall(r"carp: BACKUP carpdev em\d vhid \d advbase 1 advskew 128\b", two)) == 2
    assert "00:00:5e:00:01:01" in one and "00:00:5e:00:01:02" in one
    assert lab.LAN_VIP in one and lab.WAN_VIP in one
    # Both see the same set of shared addresses.
    prints = [re.findall(r"fingerprint\D*?([0-9a-f]{8,})", text, re.I) for text in (one, two)]
    assert len(prints[0]) == 2 and prints[0] == prints[1]


@pytest.mark.sanitized
def test_pair_client_reaches_server_through_shared_address(pair):
    assert pair.client.ping(lab.SERVER_IP, count=100)
    assert pair.client.arp(lab.LAN_VIP) == carp.vmac(1)
    assert pair.server.arp(lab.WAN_VIP) == carp.vmac(2)
    assert pair.client.ping(lab.LAN_VIP, count=5)
    assert pair.client.ping("192.0.2.2") and pair.client.ping("192.0.2.3")


def test_pair_ttl_and_far_side(pair):
    """The pair is one hop: TTL 1 dies on it with a time exceeded of the box."""
    done = pair.client.ns.run(
        ["ping", "-n", "-c", "1", "-W", "2", "-t", "1", lab.SERVER_IP], check=False
    )
    assert "Time to live exceeded" in done.stdout, done.stdout
    assert "192.0.2." in done.stdout


@pytest.mark.sanitized
def test_pair_survives_death_of_the_master(pair):
    """Case 57, and traffic goes on; back again, the better one takes over."""
    mark = pair.net.sniffer.mark()
    pair.fw1.kill()
    pair.fw2.wait_master()
    pair.client.wait_ping(lab.SERVER_IP)
    pair.net.sniffer.wait(sniff.garp_from("fw2.em0", lab.LAN_VIP), mark, what="gratuitous ARP")
    pair.fw1.start()
    pair.fw1.wait_master()
    pair.fw2.wait_backup()
    pair.client.wait_ping(lab.SERVER_IP)
    # Telemetry tells the cause.
    assert "preempt" in pair.fw1.telemetry("/carp/info,carp0")["last_cause"]


@pytest.mark.sanitized
def test_pair_without_own_addresses(make_pair):
    """Both send the same source address and MAC and must hear each other all the same."""
    pair = make_pair(
        box.config("fw1", addresses=False), box.config("fw2", advskew=128, addresses=False)
    )
    pair.start()
    ad = pair.net.sniffer.wait(sniff.advert_from("fw1.em0", 1), timeout=3).advert
    assert ad.src == lab.LAN_VIP and ad.authentic("lanpasswd", [lab.LAN_VIP])
    heard = pair.fw2.carp_stats("carp0")["ipackets"]
    pair.fw2.wait_counter(
        lambda: pair.fw2.carp_stats("carp0")["ipackets"], heard + 1, what="ipackets"
    )
    assert pair.fw2.states() == ["BACKUP", "BACKUP"]
    assert pair.client.ping(lab.SERVER_IP, count=20)
    pair.fw1.kill()
    pair.fw2.wait_master()
    pair.client.wait_ping(lab.SERVER_IP)


def test_conformance_56_equal_boxes_started_together(make_pair):
    """Exactly one MASTER within 10 s and no change after that."""
    pair = make_pair(box.config("fw1", preempt=False), box.config("fw2", preempt=False))
    pair.start(settle=False)
    lab.poll_until(
        lambda: sorted(b.state("carp0") for b in pair.boxes) == ["BACKUP", "MASTER"],
        10,
        "one MASTER",
    )
    lab.poll_until(
        lambda: sorted(b.state("carp1") for b in pair.boxes) == ["BACKUP", "MASTER"],
        10,
        "one MASTER",
    )
    before = [b.telemetry("/carp/info,carp0")["transitions"] for b in pair.boxes]
    time.sleep(8)
    assert [b.telemetry("/carp/info,carp0")["transitions"] for b in pair.boxes] == before
    assert sorted(b.state("carp0") for b in pair.boxes) == ["BACKUP", "MASTER"]


def test_conformance_32_wrong_password(make_pair):
    """badauth on both, both MASTER, and the log says so without a flood."""
    conf2 = box.config("fw2", advskew=128)
    conf2["carp"]["groups"][0]["pass"] = "lanpasswe"
    pair = make_pair(box.config("fw1"), conf2)
    pair.start(settle=False)
    for b in pair.boxes:
        b.wait_state("carp0", "MASTER")
    # The other group is not disturbed.
    pair.fw1.wait_state("carp1", "MASTER")
    pair.fw2.wait_state("carp1", "BACKUP")
    for b in pair.boxes:
        b.wait_counter(lambda b=b: b.carp_stats("carp0")["badauth"], 2, what="badauth")
        assert b.state("carp0") == "MASTER"
        assert b.carp_stats("carp1")["badauth"] == 0
        lines = b.log_lines(r"(?i)badauth|digest|incorrect hash")
        assert 1 <= len(lines) <= 3, lines


def test_conformance_33_extra_address_on_one_node(make_pair):
    conf2 = box.config("fw2", advskew=128)
    conf2["carp"]["groups"][0]["addresses"].append("192.0.2.7/24")
    pair = make_pair(box.config("fw1"), conf2)
    pair.start(settle=False)
    for b in pair.boxes:
        b.wait_state("carp0", "MASTER")
        b.wait_counter(lambda b=b: b.carp_stats("carp0")["badauth"], 0, what="badauth")
