# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Clients that flood, stall or die change nothing in the timing of adverts.

What is judged is what koi has in hand, so that a busy machine changes no verdict: how late its
real-time lcores send adverts, where lab_watch saw no pause of the machine itself, and the CPU that
its clients cost it, by the kernel's account of its threads.
"""

import dataclasses
import os
import select
import subprocess
import time

import pytest

import fast
import lab
import sniff

FLOOD = os.path.join(os.path.dirname(__file__), "flood.py")
#: So much time that no pause of the machine explains makes a window, which may take so long.
WINDOW_S, WINDOW_MAX_S = 3.0, 30.0
INTERVAL_S = 1 / 256
#: More than that is late: a quarter of the interval.
LATE_S = 0.001
#: Of the adverts of a window, beyond what is late without clients.
NOISE = 0.02
#: A bad moment that lab_watch does not see looks like harm; harm is there each time.
ROUNDS = 3
#: What clients may use of a CPU and at once (mgmt_pace.c), and how their threads end, unpaid.
CPU_SHARE, CPU_BURST_S, CPU_REST_S = 0.2, 0.1, 0.15
#: Threads that serve none of them.
LCORES = ("rte-worker-1", "rte-worker-2")
#: An answer waits for a second at most, the rest is up to the machine.
ANSWER_S = 10.0
#: Limit of waits that say nothing of koi.
PATIENCE_S = 60.0
#: kind, behaviour, how many; DPDK's telemetry takes ten clients, the command line 16, and one of
#: those is the test itself.
CROWDS = {
    "flood": [("cli", "flood", 8), ("telemetry", "flood", 8), ("metrics", "flood", 8)],
    "stall": [("cli", "stall", 8), ("telemetry", "stall", 8), ("metrics", "stall", 8)],
    "kill": [("cli", "kill", 8), ("telemetry", "kill", 8), ("metrics", "kill", 8)],
}


def wait_line(child):
    """@return the next line that a program says"""
    assert select.select([child.stdout], [], [], PATIENCE_S)[0], "the clients do not start"
    return child.stdout.readline()


class Crowd:
    """Clients at work: the body begins when all of them have asked for something."""

    def __init__(self, single, members):
        where = {
            "cli": single.box.socket_path,
            "telemetry": single.box.telemetry_path(),
            "metrics": "127.0.0.1",
        }
        self.members = members
        self.done = []
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
        for p in self.procs:
            assert wait_line(p) == "ready\n"
        return self

    def __exit__(self, *exc):
        for p in self.procs:
            out, _ = p.communicate(timeout=PATIENCE_S)
            self.done.append(tuple(int(n) for n in out.split()))


def read(path):
    with open(path, encoding="ascii") as f:
        return f.read()


def cpu_of_clients(one):
    """@return s of CPU that all threads but the lcores have used, those that are gone too"""
    folder = f"/proc/{one.process.pid}"
    lcores = 0.0
    for tid in os.listdir(folder + "/task"):
        try:
            name, ns = (read(f"{folder}/task/{tid}/{f}") for f in ("comm", "schedstat"))
        except (FileNotFoundError, ProcessLookupError):
            continue
        if name.strip() in LCORES:
            lcores += int(ns.split()[0]) / 1e9
    fields = read(folder + "/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") - lcores


@dataclasses.dataclass
class Window:
    """A while, without what the machine explains."""

    began: float
    ended: float
    adverts: int
    late: float  # share of them

    def text(self):
        return f"{self.late:.2%} of {self.adverts} in {self.ended - self.began:.0f} s"


def window(single, watch):
    """From now on, until it says something. @return Window"""
    began = time.time()
    clean = 0.0
    while clean < WINDOW_S:
        time.sleep(0.5)
        ended = time.time()
        clean = (ended - began) * (1 - watch.share_explained(began, ended))
        if ended - began > WINDOW_MAX_S:
            raise lab.TooBusy(f"{lab.TooBusy.TEXT}: {clean:.1f} s without a pause of the machine "
                              f"in {ended - began:.1f} s")
    ours = sniff.advert_from(single.port)
    single.net.sniffer.wait(lambda f: ours(f) and f.ts > ended, 0, PATIENCE_S, "the last advert")
    at = [f.ts for f in single.net.sniffer.take() if ours(f) and began <= f.ts <= ended]
    late = [b for a, b in zip(at, at[1:]) if b - a > INTERVAL_S + LATE_S and not watch.explains(b)]
    return Window(began, ended, len(at), len(late) / max(1, len(at)))


@pytest.fixture
def single(make_single):
    with fast.eager():
        it = make_single(start=False)
        it.box.conf = fast.config("fw1", 0, two=False, state="master")
        it.box.conf["metrics"] = {"listen": "127.0.0.1:9568"}
        it.host.ns.ip("link set lo up")
        it.box.start()
        it.box.wait_master()
        yield it


def one_round(single, watch, crowd_of):
    """A window with the crowd between two without. @return (harm, text)"""
    one = single.box
    before = window(single, watch)
    with Crowd(single, crowd_of) as crowd:
        during = window(single, watch)
        asked = time.monotonic()
        status, _ = one.request("show version", timeout=PATIENCE_S)
        answer = time.monotonic() - asked
    after = window(single, watch)
    info = one.ctl_json("show version")
    changes = [c for c in fast.events([one], before.began, "state") if not watch.explains(c[0])]
    text = (
        f"adverts more than 1 ms late: {before.text()} before, {during.text()} during, "
        f"{after.text()} after; changes of state {changes}; requests sent and bytes read "
        f"{crowd.done}; an answer took {answer * 1000:.0f} ms; paced {info['clients_paced']}, "
        f"cut {info['clients_cut']}, refused {info['clients_refused']}"
    )
    print(text)
    for (_, behaviour, n), (sent, got) in zip(crowd_of, crowd.done):
        assert sent >= n and (behaviour != "flood" or got > 10000), text
    assert status == 0 and answer < ANSWER_S, text
    return bool(changes) or during.late > max(before.late, after.late) + NOISE, text


@pytest.mark.timing
@pytest.mark.parametrize("what", sorted(CROWDS))
def test_clients_harm_nobody(single, what):
    seen = []
    with fast.Watch() as watch:
        for _ in range(ROUNDS):
            harm, text = one_round(single, watch, CROWDS[what])
            if not harm:
                return
            seen.append(text)
    pytest.fail("\n".join(seen))


@pytest.mark.timing
@pytest.mark.parametrize("behaviour", ["flood", "kill"])
def test_clients_get_a_fifth_of_a_cpu(single, behaviour):
    """Of the command line, whether they stay or come and go; by the kernel's account of koi."""
    one = single.box
    with Crowd(single, [("cli", behaviour, 8)]) as crowd:
        cpu, began = cpu_of_clients(one), time.monotonic()
        time.sleep(WINDOW_S)
        cpu, took = cpu_of_clients(one) - cpu, time.monotonic() - began
    print(f"{crowd.done}: {cpu:.2f} s of a CPU in {took:.1f} s")
    assert cpu <= CPU_SHARE * took + CPU_BURST_S + CPU_REST_S
