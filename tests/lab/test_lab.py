# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The lab itself."""

import os
import subprocess

import lab
import netns
import sniff


def test_lab_leaves_nothing_behind():
    """A lab whose process is killed in the middle: no process of it survives."""
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); import lab, os\n"
        "net = lab.Lab(); fw = net.firewall('fw1', '192.0.2.2/24')\n"
        "fw.ns.popen(['sleep', '600']); net.client()\n"
        "print(os.environ['KOI_LAB'], flush=True); time.sleep(600)\n"
    )
    child = subprocess.Popen(
        ["/usr/bin/python3", "-c", code, os.path.join(lab.ROOT, "tests/lab")],
        stdout=subprocess.PIPE,
        text=True,
    )
    ident = child.stdout.readline().strip()
    assert ident == str(child.pid)
    assert members(ident), "the lab has processes"
    netns.stop(child)
    child.stdout.close()
    lab.poll_until(lambda: not members(ident), 5, "everything of the lab is gone")


def members(ident):
    """Processes that carry a lab's mark in their environment."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                if f"KOI_LAB={ident}".encode() in f.read().split(b"\0"):
                    found.append(pid)
        except OSError:
            continue
    return found


def test_lab_passes_frames_and_tells_ports(net):
    """A kernel router in the place of a box: what the measuring rests on."""
    fw = net.firewall("fw1", f"{lab.LAN_VIP}/24", f"{lab.WAN_VIP}/24")
    fw.ns.sysctl(ipv4__ip_forward=1)
    client = net.client()
    net.server()
    client.wait_ping(lab.SERVER_IP)
    probe = lab.Probe(client).flowing()
    mark = net.sniffer.mark()
    fw.unplug("em1")
    fw.plug("em1")
    probe.wait_event("gap")
    summary = probe.stop()
    assert summary["lost"] > 0 and summary["gap_ms"] > 10
    asked = net.sniffer.wait(lambda f: f.arp is not None and f.arp[4] == lab.SERVER_IP, 0)
    assert asked.port == "fw1.em1"
    assert not net.sniffer.select(sniff.advert_from(None), mark)


def test_lab_hosts_are_heard_as_soon_as_they_are_attached(net):
    """The first frame of a host, sent at once."""
    ear = net.peer().raw()
    for n in range(8):
        host = net.host(f"new{n}")
        host.attach("em0", lab.LAN)
        frame = b"\xff" * 6 + host.macs["em0"] + b"\x88\xb5" + bytes([n]) * 46
        host.raw().send(frame)
        assert ear.recv(lambda d, f=frame: d == f), n
