# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""A box that does not own the shared address neither answers nor forwards, whatever it is sent."""

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

import carp
import lab
import sniff

MARK = b"koi-must-not-pass"
FLOOD = 2000
ASKER_MAC, ASKER_IP = "02:00:00:00:00:77", "192.0.2.77"


def frames():
    vmac = carp.vmac(1).hex(":")
    ether = Ether(src=ASKER_MAC, dst=vmac)
    ip = IP(src=ASKER_IP, dst=lab.SERVER_IP)
    ask = ARP(op=1, hwsrc=ASKER_MAC, psrc=ASKER_IP, pdst=lab.LAN_VIP)
    return {
        "arp": bytes(Ether(src=ASKER_MAC, dst="ff:ff:ff:ff:ff:ff") / ask),
        "arp to the vMAC": bytes(ether / ask),
        "routed": bytes(ether / ip / UDP(sport=7, dport=9) / Raw(MARK)),
        "echo": bytes(ether / IP(src=ASKER_IP, dst=lab.LAN_VIP) / ICMP() / Raw(MARK)),
        "routed echo": bytes(ether / ip / ICMP() / Raw(MARK)),
    }


def flood(send, n):
    ready = list(frames().values())
    for _ in range(n):
        for frame in ready:
            while True:
                try:
                    send(frame)
                    break
                except OSError:
                    continue


def answers(frame):
    """What a box would send for the flood: to the asker, about the address, or passed on."""
    arp = frame.arp
    if arp is not None:
        return arp[2] == lab.LAN_VIP or arp[4] == ASKER_IP
    return MARK in frame.data or frame.dst == bytes.fromhex(ASKER_MAC.replace(":", ""))


@pytest.mark.sanitized
def test_backup_is_silent_under_flood(pair):
    """Cases 42 and 44: past the switch's address table, straight into the backup's ports."""
    everything = sniff.Sniffer(pair.net.switch, sniff.INCOMING)
    pair.net.closing.append(everything.close)
    before = pair.fw2.drops()["not_master"]
    asked = pair.fw2.carp_stats("carp0")["arp_not_master"]
    flood(pair.net.inject("fw2.em0"), FLOOD)
    # All three kinds to the vMAC are dropped as not_master; frames lost on the way are few.
    pair.fw2.wait_counter(
        lambda: pair.fw2.drops()["not_master"], before + FLOOD, what="not_master"
    )
    pair.fw2.wait_counter(
        lambda: pair.fw2.carp_stats("carp0")["arp_not_master"], asked, what="arp_not_master"
    )
    assert pair.fw2.states() == ["BACKUP", "BACKUP"]
    bad = everything.select(lambda f: f.port.startswith("fw2.") and answers(f))
    assert not bad, [(f.port, f.data.hex()) for f in bad[:3]]
    assert not everything.select(lambda f: f.port == "fw2.em1" and MARK in f.data)
    # The master was not disturbed, and traffic passes.
    assert pair.fw1.states() == ["MASTER", "MASTER"]
    assert pair.client.ping(lab.SERVER_IP, count=10)


def test_master_does_answer_the_same_frames(pair):
    """The counter-proof: the flood's frames are good ones."""
    everything = sniff.Sniffer(pair.net.switch, sniff.INCOMING)
    pair.net.closing.append(everything.close)
    flood(pair.net.inject("fw1.em0"), 1)
    everything.wait(
        lambda f: f.port == "fw1.em0" and f.arp is not None and f.arp[0] == 2, 0, what="ARP reply"
    )
    everything.wait(lambda f: f.port == "fw1.em1" and MARK in f.data, 0, what="routed frame")
    everything.wait(lambda f: f.port == "fw1.em0" and MARK in f.data, 0, what="echo reply")
