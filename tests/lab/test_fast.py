# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The fast pair: 0/0 beside 0/1, adverts every 3.9 ms, master-down 11.7 ms, real-time lcores."""

import statistics
import time

import pytest

import failover
import fast
import lab

KILLS = 5
HOLD_S = 20.0
HOLD_PPS = 2000
#: Lateness that the interval itself could not bear: then a figure says nothing of koi.
LATE_MS = 3.9
#: The recorder of the switches has to keep up with 1,000 frames a second.
RECORDER_LATE_S = 1.0


@pytest.fixture
def fast_pair(make_pair):
    with fast.eager():
        pair = make_pair(fast.config("fw1", 0), fast.config("fw2", 1))
        fast.start(pair)
        yield pair


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
        print(run.text(fast.FORMULA_S))
        gaps.append(run.outage * 1000)
        # Late wakers only make gaps longer: a good figure is good on a busy machine as well.
        if gaps[-1] > fast.MEDIAN_MS and busy(run.probe):
            raise lab.TooBusy(f"{lab.TooBusy.TEXT}: {run.text(fast.FORMULA_S)}")
    assert statistics.median(gaps) <= fast.MEDIAN_MS, gaps
    assert max(gaps) <= fast.WORST_MS, gaps


@pytest.mark.timing
def test_fast_pair_holds_under_traffic(fast_pair):
    """20 s with a stream through both boxes: nobody changes state. Ten minutes: make soak."""
    held = fast.hold(fast_pair, HOLD_S, HOLD_PPS)
    print(held.text())
    assert not held.own, held.text()
    if held.machine:
        raise lab.TooBusy(f"{lab.TooBusy.TEXT}: {held.text()}")
    assert fast_pair.fw1.states() == ["MASTER", "MASTER"], held.text()
