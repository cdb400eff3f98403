# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""A planned switch loses no packet of a 1 kHz stream through the pair."""

import pytest

import lab

FW2_LAN, FW2_WAN = "192.0.2.3", "198.51.100.3"


def switch_under_stream(pair, action, done, after_s=0.5):
    """Run action() in the middle of a stream, wait for done(). @return the probe's summary"""
    probe = lab.Probe(pair.client).flowing()
    probe.run_for(0.2)
    action()
    done()
    probe.run_for(after_s)
    return probe.stop()


def assert_nothing_lost(summary, what):
    text = (
        f"{what}: {summary['lost']} of {summary['sent']} lost, runs {summary['runs']}, longest gap "
        f"{summary['gap_ms']:.1f} ms, {summary['duplicates']} twice; {lab.timer_text(summary)}"
    )
    print(text)
    assert summary["lost"] == 0 and summary["send_errors"] == 0, text


@pytest.mark.timing
def test_planned_down_and_preempt_back(pair):
    def down():
        pair.fw1.ctl("carp carp0 down")
        pair.fw1.ctl("carp carp1 down")

    def up():
        pair.fw1.ctl("carp carp0 up")
        pair.fw1.ctl("carp carp1 up")

    assert_nothing_lost(switch_under_stream(pair, down, pair.fw2.wait_master), "down")
    assert pair.fw1.states() == ["INIT", "INIT"]
    assert_nothing_lost(switch_under_stream(pair, up, pair.fw1.wait_master), "preempt back")
    pair.fw2.wait_backup()


@pytest.mark.timing
def test_planned_one_group_down(pair):
    """In by one box, back by the other: asymmetric, and it works."""
    summary = switch_under_stream(
        pair,
        lambda: pair.fw1.ctl("carp carp0 down"),
        lambda: pair.fw2.wait_state("carp0", "MASTER"),
    )
    assert_nothing_lost(summary, "carp0 down")
    assert pair.fw1.states() == ["INIT", "MASTER"]
    assert pair.fw2.states() == ["MASTER", "BACKUP"]


@pytest.mark.timing
@pytest.mark.sanitized
def test_planned_sigterm_and_return(pair):
    codes = []
    summary = switch_under_stream(
        pair, lambda: codes.append(pair.fw1.terminate()), pair.fw2.wait_master
    )
    assert codes == [0]
    assert_nothing_lost(summary, "SIGTERM")
    assert_nothing_lost(
        switch_under_stream(pair, pair.fw1.start, pair.fw1.wait_master), "return"
    )
    pair.fw2.wait_backup()


@pytest.mark.timing
def test_planned_forced_states(pair):
    """carp NAME state backup, with preemption off so that it stays."""
    for b in pair.boxes:
        b.ctl("set carp preempt 0")

    def backup():
        pair.fw1.ctl("carp carp0 state backup")
        pair.fw1.ctl("carp carp1 state backup")

    assert_nothing_lost(switch_under_stream(pair, backup, pair.fw2.wait_master), "state backup")
    assert pair.fw1.states() == ["BACKUP", "BACKUP"]


@pytest.mark.timing
@pytest.mark.sanitized
def test_drain_and_undrain(pair):
    """Out without a loss, naming who has it now; out still after a restart; back as it was."""
    said = []
    lost = switch_under_stream(pair, lambda: said.append(pair.fw1.ctl("drain --persist")), int)
    assert_nothing_lost(lost, "drain")
    print(said[0])
    lines = said[0].splitlines()
    assert [line.split(",")[0] for line in lines[:2]] == [
        f"carp0: master is {FW2_LAN}",
        f"carp1: master is {FW2_WAN}",
    ]
    assert lines[2].startswith("drained in ")
    assert pair.fw1.states() == ["BACKUP", "BACKUP"] and pair.fw2.states() == ["MASTER", "MASTER"]
    assert pair.fw1.demotions() == [("drain", 240)]

    pair.fw1.terminate()
    pair.fw1.start()
    pair.fw1.wait_backup()
    assert "starts drained" in pair.fw1.log()
    assert pair.fw1.demotions() == [("drain", 240)]
    again = pair.fw1.ctl("drain")
    assert "as before" in again and "nothing to hand over" in again

    back = switch_under_stream(pair, lambda: pair.fw1.ctl("undrain"), pair.fw1.wait_master)
    assert_nothing_lost(back, "undrain")
    assert pair.fw1.demotions() == []
    pair.fw1.terminate()
    pair.fw1.start()
    pair.fw1.wait_master()


def test_drain_without_a_peer_says_so(pair):
    pair.fw2.terminate()
    status, said = pair.fw1.request("drain 1")
    assert status == 1
    assert "carp0: no peer was heard as master" in said and "2 of 2 groups" in said
    # The last resort: better demoted than nobody.
    pair.fw1.wait_master()
    pair.client.wait_ping(lab.SERVER_IP)
