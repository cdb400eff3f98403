# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Clients that flood, stall or die change nothing in the timing of adverts."""

import os
import subprocess
import time

import pytest

import box
import lab

FLOOD = os.path.join(os.path.dirname(__file__), "flood.py")
WINDOW_S = 4.0
#: Bucket 8 of "late_buckets" ends at 1,024 us: a quarter of the interval of a fast group.
LATE_BUCKET = 9
#: A machine that has a bad moment just then looks like harm; harm is there each time.
ROUNDS = 3
#: What a busy machine may add to the share of late adverts, in either direction.
NOISE = 0.02
#: kind, behaviour, how many; DPDK's telemetry takes ten clients, the command line 16, and one of
#: those is the test itself.
CROWDS = {
    "flood": [("cli", "flood", 8), ("telemetry", "flood", 8), ("metrics", "flood", 8)],
    "stall": [("cli", "stall", 8), ("telemetry", "stall", 8), ("metrics", "stall", 8)],
    "kill": [("cli", "kill", 8), ("telemetry", "kill", 8), ("metrics", "kill", 8)],
}


class Crowd:
    def __init__(self, single, members):
        where = {
            "cli": single.box.socket_path,
            "telemetry": single.box.telemetry_path(),
            "metrics": "127.0.0.1",
        }
        self.members = members
        self.procs = [
            single.host.ns.popen(
                ["/usr/bin/python3", FLOOD, kind, behaviour, where[kind], str(n)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for kind, behaviour, n in members
        ]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.done = []
        for p in self.procs:
            out, _ = p.communicate(timeout=20)
            self.done.append(tuple(int(n) for n in out.split()))


def lateness(one):
    """@return adverts so far, and those that were more than a millisecond late"""
    buckets = one.ctl_json("show version")["late_buckets"]
    return sum(buckets), sum(buckets[LATE_BUCKET:])


def window(single):
    """A while from now on. @return share of late adverts, changes of state, reference timer"""
    one = single.box
    clock = lab.Clock(single.host)
    n0, late0 = lateness(one)
    changes = one.ctl_json("show carp carp0")["transitions"]
    end = time.monotonic() + WINDOW_S
    lab.poll_until(lambda: time.monotonic() > end, WINDOW_S + 1, "the window's end", 0.1)
    n1, late1 = lateness(one)
    changes = one.ctl_json("show carp carp0")["transitions"] - changes
    return (late1 - late0) / max(1, n1 - n0), changes, clock.stop()


@pytest.fixture
def single(make_single):
    it = make_single(start=False)
    it.box.conf = box.fast(it.box.conf, 0)
    it.box.conf["carp"]["groups"][0]["state"] = "master"
    it.box.conf["metrics"] = {"listen": "127.0.0.1:9568"}
    it.host.ns.ip("link set lo up")
    it.box.start()
    it.box.wait_master()
    return it


def answered_within(one):
    """How long somebody waits who asks once in a while, in s."""
    start = time.monotonic()
    assert one.ctl("show version")
    return time.monotonic() - start


def one_round(single, crowd_of):
    """A window with the crowd between two without. @return (harm, text)"""
    one = single.box
    before, changes_before, clock = window(single)
    lab.judge(clock)
    with Crowd(single, crowd_of) as crowd:
        lab.poll_until(lambda: all(p.poll() is None for p in crowd.procs), 5, "the clients")
        during, changes, _ = window(single)
        answer = answered_within(one)
    after, changes_after, clock = window(single)
    lab.judge(clock)
    info = one.ctl_json("show version")
    text = (
        f"adverts more than 1 ms late: {before:.2%} before, {during:.2%} during, {after:.2%} "
        f"after; changes of state {changes_before}, {changes}, {changes_after}; requests sent "
        f"and bytes read {crowd.done}; an answer took {answer * 1000:.0f} ms; "
        f"paced {info['clients_paced']}, cut {info['clients_cut']}, "
        f"refused {info['clients_refused']}"
    )
    print(text)
    for (kind, behaviour, n), (sent, read) in zip(crowd_of, crowd.done):
        assert sent >= n, (kind, text)
        assert behaviour != "flood" or read > 10000, (kind, text)
    harm = (
        during > max(before, after) + NOISE
        or changes > max(changes_before, changes_after)
        or answer > 3
    )
    return harm, text


@pytest.mark.timing
@pytest.mark.parametrize("what", sorted(CROWDS))
def test_clients_harm_nobody(single, what):
    """Judged where the reference timer of the windows without clients was good."""
    seen, busy = [], None
    for _ in range(ROUNDS):
        try:
            harm, text = one_round(single, CROWDS[what])
        except lab.TooBusy as err:
            busy = err
            continue
        if not harm:
            return
        seen.append(text)
    if len(seen) < ROUNDS and busy is not None:
        raise busy
    pytest.fail("\n".join(seen))
