# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Interfaces taken down and up by the operator, as `ifconfig em0 down` does it."""

import time

import pytest

import lab

OWN_LAN = "192.0.2.2"


def out_of_service(pair):
    """em0 of fw1 is down: its group is out, the other one demoted, fw2 has both."""
    return pair.fw1.states() == ["INIT", "BACKUP"] and pair.fw2.states() == ["MASTER", "MASTER"]


@pytest.mark.sanitized
def test_interface_down_hands_the_box_over_and_up_brings_it_back(pair):
    fw1 = pair.fw1
    assert fw1.koictl("interface em0 down").returncode == 0
    lab.poll_until(lambda: out_of_service(pair), 8, "fw2 to have both groups")
    # fw2 was told, it did not wait for the silence of three seconds
    events = pair.fw2.ctl_json("show carp events carp0")["events"]
    causes = [e["cause"] for e in events if e["kind"] == "state"]
    assert causes[-1] == "master down", causes
    assert fw1.ctl("show interface em0").startswith("em0: administratively down, link up")
    assert fw1.ctl("show config diff") == "interface em0 down\n"
    assert fw1.telemetry("/interface/info,em0")["admin_up"] == 0
    assert 'koi_interface_admin_up{interface="em0"} 0' in fw1.ctl("metrics")
    assert [source for source, _ in fw1.demotions()] == ["link"]
    assert "To do: interface em0 up." in fw1.ctl("explain carp carp0")
    lab.poll_until(lambda: fw1.log_lines("em0: operator: interface down"), 5, "the log line")

    # Nothing in: its own address is silent. Nothing out: not one frame.
    before = fw1.drops().get("if_down", 0)
    # By the kernel's time: the recorder may be behind.
    since = time.time()
    assert not pair.client.ping(OWN_LAN, timeout=1)
    assert pair.net.sniffer.select(lambda f: f.port == "fw1.em0" and f.ts > since) == []
    assert fw1.drops()["if_down"] > before
    # The WAN goes on.
    pair.server.wait_ping("198.51.100.2")

    # Links that come and go change nothing.
    fw1.host.unplug()
    lab.poll_until(lambda: "link down" in fw1.ctl("show interface em0"), 8, "link down")
    fw1.host.plug()
    lab.poll_until(lambda: "link up" in fw1.ctl("show interface em0"), 8, "link up")
    assert out_of_service(pair)

    assert fw1.koictl("interface em0 up").returncode == 0
    fw1.wait_master()
    pair.fw2.wait_backup()
    pair.client.wait_ping(OWN_LAN)
    assert fw1.ctl("show config diff").strip() == "as in the file"
    assert fw1.demotions() == []


def test_interface_commands_are_checked(pair):
    for command, status, text in (
        ("interface em0 up", 0, "em0 is up already\n"),
        ("interface em9 down", 2, 'unknown interface "em9": interfaces are em0, em1\n'),
        ("interface em0 dwon", 2, '(did you mean "down"?)'),
        ("help interface", 0, "\texample: interface lan down\n"),
        ("help interfaec", 2, '(did you mean "interface"?)'),
    ):
        done = pair.fw1.koictl(command)
        assert done.returncode == status, (command, done)
        assert text in done.stdout, (command, done)
    assert pair.fw1.states() == ["MASTER", "MASTER"]
