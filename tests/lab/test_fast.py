# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The fast pair: 0/0 beside 0/1, adverts every 3.9 ms, master-down 11.7 ms, real-time lcores."""

import os
import statistics
import time

import pytest

import box
import failover
import lab

KILLS = 5
MEDIAN_MS, WORST_MS = 15.0, 25.0
HOLD_S = 20.0
#: Lateness that the interval itself could not bear: then a figure says nothing of koi.
LATE_MS = 3.9
RT_PRIORITY = 40
TEST_NICE = -15
#: The recorder of the switches has to keep up with 1,000 frames a second.
RECORDER_LATE_S = 1.0


def fast_config(node, advskew):
    conf = box.fast(box.config(node), advskew)
    conf["lcores"] = {"rt-priority": RT_PRIORITY}
    return conf


@pytest.fixture
def eager():
    """Real-time lcores leave little of two CPUs: what the test does comes before other programs."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, TEST_NICE)
    yield
    os.setpriority(os.PRIO_PROCESS, 0, before)


@pytest.fixture
def fast_pair(eager, make_pair):
    pair = make_pair(fast_config("fw1", 0), fast_config("fw2", 1))
    os.setpriority(os.PRIO_PROCESS, pair.net.sniffer.thread.native_id, TEST_NICE)
    for b in pair.boxes:
        b.start()
    pair.fw1.wait_master()
    pair.fw2.wait_backup()
    pair.client.wait_ping(lab.SERVER_IP)
    return pair


def crash(pair):
    """failover.kill_master(); a recorder that is far behind says nothing about koi."""
    try:
        return failover.kill_master(pair)
    except TimeoutError as err:
        late = time.time() - pair.net.sniffer.frames[-1].ts
        if late > RECORDER_LATE_S:
            raise lab.TooBusy(
                f"{lab.TooBusy.TEXT}: the recorder is {late:.1f} s behind ({err})"
            ) from err
        raise


def busy(summary):
    late = summary["timer_late_ms"]
    return late["p999"] > LATE_MS or late["max"] > lab.TIMER_MAX_MS


@pytest.mark.timing
def test_fast_pair_five_kills(fast_pair):
    """The stream's longest gap: at most 15 ms in the middle and 25 ms at worst."""
    gaps = []
    for _ in range(KILLS):
        run = crash(fast_pair)
        print(run.text(3 / 256))
        gaps.append(run.outage * 1000)
        # Late wakers only make gaps longer: a good figure is good on a busy machine as well.
        if gaps[-1] > MEDIAN_MS and busy(run.probe):
            raise lab.TooBusy(f"{lab.TooBusy.TEXT}: {run.text(3 / 256)}")
    assert statistics.median(gaps) <= MEDIAN_MS, gaps
    assert max(gaps) <= WORST_MS, gaps


@pytest.mark.timing
def test_fast_pair_holds_under_traffic(fast_pair):
    """20 s with a stream through both boxes: nobody changes state."""

    def transitions():
        return [
            b.telemetry(f"/carp/info,{g}")["transitions"]
            for b in fast_pair.boxes
            for g in ("carp0", "carp1")
        ]

    before = transitions()
    probe = lab.Probe(fast_pair.client, rate=2000).flowing()
    probe.run_for(HOLD_S)
    summary = probe.stop()
    after = transitions()
    text = (
        f"transitions {before} -> {after}, {summary['lost']} of {summary['sent']} lost, longest "
        f"gap {summary['gap_ms']:.1f} ms; {lab.timer_text(summary)}"
    )
    print(text)
    assert fast_pair.fw1.states() == ["MASTER", "MASTER"], text
    if after != before and busy(summary):
        raise lab.TooBusy(f"{lab.TooBusy.TEXT}: {text}")
    assert after == before, text
