# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""koi and Debian's ucarp share one vhid (cases 58 and 32)."""

import pytest

import box
import carp
import lab
import sniff

BAD = r"(?i)bad digest|invalid|mismatch|warning.*digest"


class Mixed:
    """koi (skew 0) in fw1, ucarp (skew 100) in fw2, a client that watches the shared address."""

    def __init__(self, net, ucarp, password="lanpasswd"):
        self.net = net
        self.koi = box.Box(
            net.firewall("fw1", wan=False), box.config("fw1", preempt=True, two=False)
        )
        self.host = net.firewall("fw2", "192.0.2.3/24", wan=False)
        self.ucarp = ucarp(
            self.host, "em0", "192.0.2.3", 1, password, lab.LAN_VIP, advskew=100
        )
        self.client = net.client()

    def mac_seen(self):
        """Who answers for the shared address, as a third host has it."""
        self.client.ping(lab.LAN_VIP, timeout=0.5)
        return self.client.arp(lab.LAN_VIP)

    def wait_mac(self, mac):
        lab.poll_until(lambda: self.mac_seen() == mac, 5, "the ARP table follows the master", 0.05)

    def assert_koi_rules(self):
        self.koi.wait_state("carp0", "MASTER")
        self.ucarp.wait_state("BACKUP")
        self.wait_mac(carp.vmac(1))
        assert self.client.ping(lab.LAN_VIP, count=5)

    def assert_clean(self):
        stats = self.koi.carp_stats("carp0")
        assert stats["badauth"] == 0 and stats["badsum"] == 0, stats
        assert not self.ucarp.log_lines(BAD), self.ucarp.log()


@pytest.mark.sanitized
def test_conformance_58_koi_first_then_ucarp(net, ucarp):
    mixed = Mixed(net, ucarp)
    mixed.koi.start()
    mixed.koi.wait_state("carp0", "MASTER")
    mixed.ucarp.start()
    mixed.assert_koi_rules()
    # koi goes: its bow-out makes ucarp master at its next look at the clock, under its own MAC,
    # well before its master-down time of 3.39 s.
    mark = net.sniffer.mark()
    mixed.koi.ctl("carp carp0 down")
    gone = net.sniffer.wait(sniff.advert_from("fw1.em0", bow_out=True), mark)
    mixed.ucarp.wait_state("MASTER")
    theirs = net.sniffer.wait(sniff.advert_from("fw2.em0"), mark)
    assert theirs.ts - gone.ts < 1.5
    mixed.wait_mac(mixed.host.macs["em0"])
    # It comes back, hears ucarp, preempts.
    mixed.koi.ctl("carp carp0 up")
    mixed.assert_koi_rules()
    assert mixed.koi.carp_stats("carp0")["ipackets"] > 0
    mixed.assert_clean()


@pytest.mark.sanitized
def test_conformance_58_ucarp_first_then_koi(net, ucarp):
    mixed = Mixed(net, ucarp)
    mixed.ucarp.start()
    mixed.ucarp.wait_state("MASTER")
    mixed.wait_mac(mixed.host.macs["em0"])
    mixed.koi.start()
    mixed.assert_koi_rules()
    assert mixed.koi.carp_stats("carp0")["ipackets"] > 0
    mixed.assert_clean()
    # A crash of koi: ucarp hears nothing any more and takes over.
    mixed.koi.kill()
    mixed.ucarp.wait_state("MASTER")
    mixed.wait_mac(mixed.host.macs["em0"])


def test_conformance_32_ucarp_with_another_password(net, ucarp):
    """Each refuses the other: both master."""
    mixed = Mixed(net, ucarp, password="otherpasswd")
    mixed.koi.start()
    mixed.ucarp.start()
    mixed.koi.wait_state("carp0", "MASTER")
    mixed.ucarp.wait_state("MASTER")
    mixed.koi.wait_counter(
        lambda: mixed.koi.carp_stats("carp0")["badauth"], 0, what="badauth"
    )
    lab.poll_until(lambda: mixed.ucarp.log_lines(BAD), 5, "ucarp complains", 0.05)
    assert mixed.koi.state("carp0") == "MASTER"


def test_staged_password_beside_ucarp(net, ucarp):
    """ucarp hears each advert with both digests: it complains of one, and stays BACKUP."""
    mixed = Mixed(net, ucarp)
    mixed.koi.start()
    mixed.koi.wait_state("carp0", "MASTER")
    mixed.ucarp.start()
    mixed.assert_koi_rules()
    mixed.koi.ctl("set carp carp0 pass-file hex:" + "42" * 20 + " window 10")
    lab.poll_until(lambda: len(mixed.ucarp.log_lines(BAD)) >= 4, 12, "ucarp meets the new digest")
    mixed.ucarp.wait_state("BACKUP")
    # nobody committed: koi goes back by itself, and ucarp has nothing to complain of any more
    lab.poll_until(
        lambda: mixed.koi.log_lines("not committed within the window"), 15, "koi goes back"
    )
    mark = len(mixed.ucarp.log_lines(BAD))
    sniffed = net.sniffer.mark()
    for _ in range(3):
        net.sniffer.wait(sniff.advert_from("fw1.em0"), sniffed)
        sniffed = net.sniffer.mark()
    assert len(mixed.ucarp.log_lines(BAD)) == mark
    mixed.ucarp.wait_state("BACKUP")
    assert mixed.koi.ctl_json("show carp carp0")["transitions"] == 1
