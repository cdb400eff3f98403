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
#: What a busy machine may add to the share of late adverts, in either direction.
NOISE = 0.02
#: Beyond that a machine proves nothing.
QUIET = 0.10
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


def late_share(one):
    """The share of late adverts in a window of time from now on."""
    n0, late0 = lateness(one)
    end = time.monotonic() + WINDOW_S
    lab.poll_until(lambda: time.monotonic() > end, WINDOW_S + 1, "the window's end", 0.1)
    n1, late1 = lateness(one)
    if n1 - n0 < WINDOW_S * 200:  # 256 a second, while it is MASTER
        raise lab.TooBusy(f"{lab.TooBusy.TEXT}: {n1 - n0} adverts in {WINDOW_S} s")
    return (late1 - late0) / (n1 - n0)


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


@pytest.mark.timing
@pytest.mark.parametrize("what", sorted(CROWDS))
def test_clients_harm_nobody(single, what):
    one = single.box
    before = late_share(one)
    transitions = one.ctl_json("show carp carp0")["transitions"]
    with Crowd(single, CROWDS[what]) as crowd:
        lab.poll_until(lambda: all(p.poll() is None for p in crowd.procs), 5, "the clients")
        during = late_share(one)
        # Who asks once in a while is served all the same.
        start = time.monotonic()
        assert one.ctl("show version")
        answered = time.monotonic() - start
    after = late_share(one)
    info = one.ctl_json("show version")
    text = (
        f"{what}: adverts more than 1 ms late: {before:.2%} before, {during:.2%} during, "
        f"{after:.2%} after; requests sent and bytes read {crowd.done}; an answer took "
        f"{answered * 1000:.0f} ms; paced {info['clients_paced']}, cut {info['clients_cut']}, "
        f"refused {info['clients_refused']}"
    )
    print(text)
    for (kind, behaviour, n), (sent, read) in zip(CROWDS[what], crowd.done):
        assert sent >= n, (kind, text)
        assert behaviour != "flood" or read > 10000, (kind, text)
    # Where adverts are late without any client, a share of them says nothing about clients.
    if max(before, after) > QUIET:
        raise lab.TooBusy(f"{lab.TooBusy.TEXT}: {text}")
    assert during <= max(before, after) + NOISE, text
    assert one.ctl_json("show carp carp0")["transitions"] == transitions, text
    assert answered < 3, text
