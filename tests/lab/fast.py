# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The fast pair, 0/0 beside 0/1 on real-time lcores, and how long it holds under traffic."""

import bisect
import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import threading
import time

import box
import lab
import netns
import sniff

#: Of the stream's longest gap at a kill.
MEDIAN_MS, WORST_MS = 15.0, 25.0
FORMULA_S = 3 / 256
RT_PRIORITY = 40
TEST_NICE = -15
#: A transition so soon after the end of a pause of the machine is the machine's.
PAUSE_REACH_S = 0.1
#: And so is one with so many slow milliseconds in that time before it: one is an interrupt.
SLOW_TICKS = 3
STREAM = os.path.join(lab.BUILD, "tests/lab/lab_stream")
WATCH = os.path.join(lab.BUILD, "tests/lab/lab_watch")
WATCH_PRIORITY = 60
STREAM_PRIORITY = 20
LIMITS_MS = [0.1, 0.25, 0.5, 1, 2, 3.9, 7.8, 11.7]
#: Of each bucket of late_buckets but the last, us.
LATE_LIMITS_US = [4 << i for i in range(15)]


def config(node, advskew, **kw):
    """A box of the pair. On two CPUs no worker shares one with the other box's."""
    conf = box.fast(box.config(node, **kw), advskew)
    cpus = sorted(os.sched_getaffinity(0))[:2]
    control, worker = cpus[-1], cpus[0]
    if node != "fw1":
        control, worker = worker, control
    conf["lcores"] = {"rt-priority": RT_PRIORITY, "control": control, "workers": [worker]}
    # One pair of queues more than workers: the control lcore sends adverts by its own.
    conf["eal"] = [a + ",qpairs=2" if a.startswith("--vdev=") else a for a in conf["eal"]]
    return conf


@contextlib.contextmanager
def eager():
    """Real-time lcores leave little of two CPUs: what the test does comes before other programs."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, TEST_NICE)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)


def start(pair):
    """Both boxes up, fw1 MASTER, the client reaches the server."""
    # Threads keep the nice value that they began with.
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, pair.net.sniffer.thread.native_id, nice)
    for b in (pair.fw1, pair.fw2):
        b.start()
    pair.fw1.wait_master()
    pair.fw2.wait_backup()
    pair.client.wait_ping(lab.SERVER_IP)


class Listener:
    """A program that says "ready", then one event a line, and at its end a summary."""

    def __init__(self, argv, popen=subprocess.Popen):
        if not os.path.exists(argv[0]):
            raise netns.LabError(f"{argv[0]} is missing: build first (ninja -C {lab.BUILD})")
        self.summary = None
        self.child = popen(argv, stdout=subprocess.PIPE, text=True)
        ready = self.child.stdout.readline()
        if json.loads(ready or "{}").get("event") != "ready":
            raise netns.LabError(f"{argv[0]}: did not start")
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.child.stdout:
            event = json.loads(line)
            if event["event"] == "summary":
                self.summary = event
            else:
                self.note(event)

    def note(self, event):
        raise NotImplementedError

    def stop(self):
        """@return the summary"""
        netns.stop(self.child, signal.SIGINT)
        self.thread.join(5)
        self.child.stdout.close()
        return self.summary


class Watch(Listener):
    """watch.c: when no thread at all ran on a CPU of this machine, or any ran slowly."""

    def __init__(self):
        self.pauses = []
        self.slow = []
        super().__init__([WATCH, str(WATCH_PRIORITY)])

    def note(self, event):
        if event["event"] == "pause":
            self.pauses.append((event["from"], event["to"]))
        else:
            self.slow.append(event["at"])

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.child.poll() is None:
            self.stop()

    def paused(self, since, until):
        """Whether the machine stood still somewhere between two times (s, CLOCK_REALTIME)."""
        return any(start < until and end > since for start, end in self.pauses)

    def slowed(self, at):
        """Whether the machine ran at a fraction of its speed shortly before."""
        since = at - PAUSE_REACH_S
        return sum(since <= t <= at for t in self.slow) >= SLOW_TICKS

    def explains(self, at):
        """Whether what happened at a time may come from the machine."""
        return self.paused(at - PAUSE_REACH_S, at) or self.slowed(at)

    def share_explained(self, since, until):
        """@return the share of a time in which whatever happens would be explained: how much
        the verdict is worth"""
        step = 0.01
        n = max(1, int((until - since) / step))
        slow, pauses = sorted(self.slow), sorted(self.pauses)
        hits = first = last = 0
        for i in range(n):
            at = since + i * step
            while last < len(slow) and slow[last] <= at:
                last += 1
            while first < last and slow[first] < at - PAUSE_REACH_S:
                first += 1
            hits += last - first >= SLOW_TICKS or any(
                a < at and b > at - PAUSE_REACH_S for a, b in pauses
            )
        return hits / n


def events(boxes, since, *kinds, groups=None):
    """@return what happened of these kinds, to these groups or to any, after a time: (when, text),
    oldest first"""
    found = []
    for b in boxes:
        for event in b.ctl_json("show carp events")["events"]:
            at = box.when(event)
            if groups is not None and event["group"] not in groups:
                continue
            if event["kind"] in kinds and at > since:
                found.append((at, f"{b.name}: {event['text']}"))
    return sorted(found)


class Intervals:
    """Distances of a box's adverts on the wire, as histogram of how much too long they were."""

    def __init__(self, port):
        self.match = sniff.advert_from(port)
        self.last = None
        self.late = [0] * (len(LIMITS_MS) + 1)
        self.max_ms = 0.0

    def add(self, frames):
        for f in frames:
            if not self.match(f):
                continue
            if self.last is not None:
                late = (f.ts - self.last) * 1000 - 1000 / 256
                self.late[bisect.bisect_right(LIMITS_MS, late)] += 1
                self.max_ms = max(self.max_ms, late)
            self.last = f.ts


@dataclasses.dataclass
class Hold:
    """Seconds under traffic, what changed meanwhile, and how late who was."""

    seconds: float
    pps: float  # that fw1 forwarded, the probe's two ways included
    own: list  # transitions that nothing but koi explains
    machine: list  # transitions while or just after the machine stood still
    reasons: list  # demotions and stalls, which explain transitions
    probe: dict
    watch: dict
    pauses: int
    explained: float  # the share of the time that the machine would have explained
    wire: Intervals
    served: dict  # by box: its late_buckets of this time, and the latest ever

    def text(self):
        lines = [
            f"{self.seconds:.0f} s, {self.pps:.0f} pps forwarded, {len(self.own)} transitions, "
            f"{len(self.machine)} more by {self.pauses} pauses of the machine "
            f"({self.watch['paused_ms']:.0f} ms together, longest {self.watch['max_ms']:.1f} ms) "
            f"and its {self.watch['slow']} slow milliseconds ({self.explained:.1%} of the time)",
            f"probe: {self.probe['lost']} of {self.probe['sent']} lost, longest gap "
            f"{self.probe['gap_ms']:.1f} ms; {lab.timer_text(self.probe)}",
            histogram("machine, ms late", self.watch["limit_ms"], self.watch["late"]),
            histogram("adverts on the wire, ms late", LIMITS_MS, self.wire.late),
        ]
        for name, (buckets, late_max) in self.served.items():
            lines.append(
                histogram(f"{name}'s deadlines, us late", LATE_LIMITS_US, buckets)
                + f" (max {late_max})"
            )
        lines += [
            f"  {when:.3f} {text}" for when, text in sorted(self.own + self.machine + self.reasons)
        ]
        return "\n".join(lines)


    def record(self):
        """@return what of it goes into a JSON file"""
        return {
            "seconds": self.seconds,
            "pps": self.pps,
            "transitions": self.own,
            "transitions_by_machine": self.machine,
            "reasons": self.reasons,
            "machine": {
                "pauses": self.pauses,
                "share_explained": self.explained,
                **self.watch,
            },
            "lost": self.probe["lost"],
            "sent": self.probe["sent"],
            "gap_ms": self.probe["gap_ms"],
            "timer_late_ms": self.probe["timer_late_ms"],
            "wire_late": {"limit_ms": LIMITS_MS, "late": self.wire.late},
            "deadlines_late": {
                "limit_us": LATE_LIMITS_US,
                **{name: {"late": n, "max_us": m} for name, (n, m) in self.served.items()},
            },
        }


def histogram(what, limits, counts):
    cells = [f"<{limit:g}: {n}" for limit, n in zip(limits, counts) if n]
    if counts[-1]:
        cells.append(f"more: {counts[-1]}")
    return f"{what:30} " + ", ".join(cells)


def stream(host, address, pps):
    """lab_stream from a host. @return the process"""
    argv = [STREAM, address, str(pps), str(STREAM_PRIORITY)]
    return host.ns.popen(argv, stdout=subprocess.PIPE, text=True)


def lateness(boxes):
    """@return by box: how many deadlines it has met so far, by lateness"""
    return {b.name: b.telemetry("/koi/info")["late_buckets"] for b in boxes}


def later(before, after):
    """@return lateness() of the time between two"""
    return {name: [n - m for n, m in zip(late, before[name])] for name, late in after.items()}


def hold(pair, seconds, pps):
    """Traffic through both boxes for some time. @return Hold"""
    boxes = (pair.fw1, pair.fw2)

    def forwarded():
        return pair.fw1.telemetry("/fwd/stats")["forwarded"]

    source = None
    wire = Intervals("fw1.em0")
    with Watch() as watch:
        probe = lab.Probe(pair.client).flowing()
        if pps:
            source = stream(pair.client, lab.SERVER_IP, pps)
        began, before, late = time.time(), forwarded(), lateness(boxes)
        end = time.monotonic() + seconds
        pair.net.sniffer.take()
        while time.monotonic() < end:
            probe.run_for(min(1.0, max(0.0, end - time.monotonic())))
            # What ten minutes of adverts need is more than a recorder should keep.
            wire.add(pair.net.sniffer.take())
        took, after = time.time() - began, forwarded()
        changes = events(boxes, began, "state")
        reasons = events(boxes, began, "demotion", "stall")
        late = later(late, lateness(boxes))
        served = {b.name: (late[b.name], b.telemetry("/koi/info")["late_max_us"]) for b in boxes}
        if source is not None:
            netns.stop(source, signal.SIGINT)
            source.stdout.close()
        summary = probe.stop()
        machine = watch.stop()
        return Hold(
            took,
            (after - before) / took,
            [c for c in changes if not watch.explains(c[0])],
            [c for c in changes if watch.explains(c[0])],
            reasons,
            summary,
            machine,
            len(watch.pauses),
            watch.share_explained(began, began + took),
            wire,
            served,
        )
