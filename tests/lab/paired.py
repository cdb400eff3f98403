# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Streams of both families through a pair, in turns with a disturbance and without it.

Every packet of the streams has a number, so what is missing is known one by one, and when. What
went missing while the machine itself stood still or crawled (lab_watch) is set apart, with the
disturbance and without it alike.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import signal
import sys
import time

import dual
import fast
import lab
import netns

#: Where the streams go.
SERVER_IPS = (lab.SERVER_IP, dual.SERVER_IP6)
SINK = os.path.join(lab.BUILD, "tests/lab/lab_sink")
#: Subnets to look for hosts in, beside those of the picture: a /8 on the LAN, a /12 on the WAN.
WIDE_LAN, WIDE_WAN = "10.0.0.0/8", "172.16.0.0/12"
WIDE = (("10.0.0.{}/8", "em0"), ("172.16.0.{}/12", "em1"))
#: What is on its way when a turn ends still counts to it.
SETTLE_S = 0.3
MEMORY_MB = "512"
#: A run whose machine would have explained more of its time is none.
EXPLAINED_MAX = 0.7
#: Where a packet of an established flow can be lost in koi; the rest of the drops are of others.
FLOW_DROPS = ("tx_full", "link_down", "no_mbuf", "handoff_full", "no_route", "not_master", "unreachable",
              "hold_full", "resolve_ring_full", "own_source", "other_mac")


def config(node, advskew, state=None):
    """A box of dual.config() on real-time lcores, with a subnet more on each side."""
    conf = dual.config(node, advskew=advskew, state=state)
    conf["lcores"] = fast.config(node, 0)["lcores"]
    conf["eal"][conf["eal"].index("-m") + 1] = MEMORY_MB
    host = {"fw1": 2, "fw2": 3}[node]
    for iface, (address, _) in zip(conf["interfaces"], WIDE):
        iface["addresses"].append(address.format(host))
    return conf


@contextlib.contextmanager
def pair(net):
    """fw1 MASTER of both sides, client and server known to it, for as long as the body runs."""
    it = dual.DualPair(net, config("fw1", 0, "master"), config("fw2", 128), server=True).start()
    for address in SERVER_IPS:
        it.client.wait_ping(address)
    yield it


class Sink(fast.Listener):
    """lab_sink on a host: the gaps of one stream."""

    def __init__(self, host, address):
        self.gaps = []
        super().__init__([SINK, address, str(fast.STREAM_PRIORITY)], host.ns.popen)

    def note(self, event):
        self.gaps.append((event["at"], event["missing"]))


@dataclasses.dataclass
class Turn:
    """A stretch of time with the disturbance or without, and what it did to the streams."""

    disturbed: bool
    began: float  # CLOCK_REALTIME
    ended: float
    said: dict  # the disturbance about itself
    served: dict  # by box: deadlines of adverts, by lateness
    lost: int = 0  # that the machine does not explain
    machine: int = 0  # lost beside a pause of the machine
    lost_at: list = dataclasses.field(default_factory=list)  # (CLOCK_REALTIME, how many) of lost

    def judge(self, gaps, watch):
        for at, missing in gaps:
            if not self.began <= at < self.ended:
                continue
            if watch.explains(at):
                self.machine += missing
            else:
                self.lost += missing
                self.lost_at.append((at, missing))

    def text(self):
        kind = "with" if self.disturbed else "without"
        late = ", ".join(f"{name} {worst(late)}" for name, late in self.served.items())
        return (
            f"{kind:8} {self.ended - self.began:6.1f} s  lost {self.lost:5}, "
            f"{self.machine:5} more by the machine; adverts late by less than, us: {late}"
            + (f"; {json.dumps(self.said)}" if self.said else "")
        )


def worst(buckets):
    """@return the limit of the last bucket that has anything, us"""
    last = max((i for i, n in enumerate(buckets) if n), default=0)
    return fast.LATE_LIMITS_US[last] if last < len(fast.LATE_LIMITS_US) else "more"


@dataclasses.dataclass
class Run:
    """All turns of one disturbance."""

    name: str
    pps: int  # of each family
    turns: list
    sent: int
    lost: int
    transitions: list
    transitions_by_machine: list
    where: dict  # frames that went missing or were dropped during all of it, by place
    machine: dict
    explained: float

    def lost_of(self, disturbed):
        return sum(t.lost for t in self.turns if t.disturbed == disturbed)

    def seconds(self, disturbed):
        return sum(t.ended - t.began for t in self.turns if t.disturbed == disturbed)

    def failed(self):
        """@return why this run does not pass, or None"""
        quiet, disturbed = self.lost_of(False), self.lost_of(True)
        # Turns may differ in length: a reload takes what it takes.
        if disturbed * self.seconds(False) > quiet * self.seconds(True):
            return (f"{self.name}: lost {disturbed} packets in {self.seconds(True):.1f} s with it, "
                    f"{quiet} in {self.seconds(False):.1f} s without it")
        # What a stream loses at its very end has no packet after it that would tell when.
        at_end = self.lost - sum(t.lost + t.machine for t in self.turns)
        if at_end >= self.pps * SETTLE_S:
            return f"{self.name}: a stream stopped arriving, {at_end} packets before its end"
        if self.transitions:
            return f"{self.name}: {len(self.transitions)} transitions"
        return self.busy()

    def busy(self):
        """@return why this run says nothing, or None"""
        if self.sent < 0.9 * 2 * self.pps * (self.seconds(True) + self.seconds(False)):
            return f"{self.name}: no steady stream, {self.sent} packets in all"
        if self.explained > EXPLAINED_MAX:
            return f"{self.name}: {self.explained:.0%} of the time would excuse any loss"
        return None

    def text(self):
        lines = [
            f"{self.name}: {self.sent} packets sent, {self.lost} lost: with it {self.lost_of(True)}, "
            f"without {self.lost_of(False)}, by the machine the rest "
            f"({self.machine['paused_ms']:.0f} ms of pauses, longest {self.machine['max_ms']:.1f} ms, "
            f"{self.machine['slow']} slow milliseconds; {self.explained:.1%} of the time); "
            f"{len(self.transitions)} transitions, {len(self.transitions_by_machine)} by the machine"
        ]
        lines += ["  " + t.text() for t in self.turns]
        lines += [f"  {place}: {n}" for place, n in self.where.items() if n]
        lines += [f"  {at:.3f} {text}" for at, text in self.transitions + self.transitions_by_machine]
        return "\n".join(lines)

    def record(self):
        return {**dataclasses.asdict(self), "failed": self.failed()}


def netdev(ns, iface):
    with ns.entered(), open("/proc/thread-self/net/dev", encoding="ascii") as f:
        for line in f:
            name, _, rest = line.partition(":")
            if name.strip() == iface:
                n = [int(v) for v in rest.split()]
                return {"rx": n[0 + 1], "rx_dropped": n[3], "tx": n[8 + 1], "tx_dropped": n[8 + 3]}
    raise netns.LabError(f"no interface {iface}")


def places(it):
    """Counters of every place where a frame can get lost between client and server."""
    fw = it.fw1.host.ns
    ports = it.fw1.telemetry("/ethdev/stats,0"), it.fw1.telemetry("/ethdev/stats,1")
    lan, wan = netdev(fw, "em0"), netdev(fw, "em1")
    at = {
        "client's interface": netdev(it.client.ns, "em0")["tx_dropped"],
        "fw1 em0, kernel": lan["rx_dropped"],
        "fw1 em0, between kernel and koi": lan["rx"] - ports[0]["ipackets"],
        "fw1 em1, between koi and kernel": ports[1]["opackets"] - wan["tx"],
        "fw1 em1, refused by the device": ports[1]["oerrors"],
        "fw1 em1, kernel": wan["tx_dropped"],
        "server's interface": netdev(it.server.ns, "em0")["rx_dropped"],
    }
    for name, n in it.fw1.drops().items():
        if name in FLOW_DROPS:
            at[f"fw1, {name}"] = n
        else:
            at["fw1, other reasons"] = at.get("fw1, other reasons", 0) + n
    return at


def turn(it, disturbance, seconds):
    """One turn. @return Turn, not yet judged"""
    before = fast.lateness(it.boxes)
    began = time.time()
    said = {}
    if disturbance is None:
        time.sleep(seconds)
    else:
        said = disturbance(it, seconds)
    time.sleep(SETTLE_S)
    served = fast.later(before, fast.lateness(it.boxes))
    return Turn(disturbance is not None, began, time.time(), said, served)


def run(it, name, disturbance, seconds, rounds, pps, groups=None):
    """Turns with disturbance(pair, seconds) and without, in an order that changes.

    groups: whose transitions count, all unless given. @return Run
    """
    turns = []
    with fast.Watch() as watch:
        before = places(it)
        sinks = [Sink(it.server, a) for a in SERVER_IPS]
        sources = [fast.stream(it.client, a, pps) for a in SERVER_IPS]
        time.sleep(SETTLE_S)
        began = time.time()
        for i in range(rounds):
            for with_it in (i % 2 == 1, i % 2 == 0):
                turns.append(turn(it, disturbance if with_it else None, seconds))
        ended = time.time()
        changes = fast.events(it.boxes, began, "state", groups=groups)
        sent = []
        for child in sources:
            netns.stop(child, signal.SIGINT)
            sent.append(json.loads(child.stdout.read())["sent"])
            child.stdout.close()
        time.sleep(SETTLE_S)
        heard = [s.stop() for s in sinks]
        after = places(it)
        machine = watch.stop()
    gaps = [g for s in sinks for g in s.gaps]
    for t in turns:
        t.judge(gaps, watch)
    where = {k: n - before.get(k, 0) for k, n in after.items()}
    where["server's sockets"] = sum(h["overflow"] for h in heard)
    return Run(
        name, pps, turns, sum(sent), sum(sent) - sum(h["received"] for h in heard),
        [c for c in changes if not watch.explains(c[0])],
        [c for c in changes if watch.explains(c[0])],
        where, machine, watch.share_explained(began, ended),
    )


def options(said, cases):
    """@return a parser of what all benches of this kind take"""
    parser = argparse.ArgumentParser(description=said)
    parser.add_argument("--seconds", type=float, default=10, help="of a turn, at least")
    parser.add_argument("--rounds", type=int, default=3, help="a turn with and one without each")
    parser.add_argument("--pps", type=int, default=10000, help="of each family")
    parser.add_argument("--only", action="append", choices=cases)
    return parser


def bench(name, args, cases_of, fault, said):
    """Run the cases of a pair, cases_of(pair, args), or those that args.only names.

    fault: what disturbances count that must not happen; said: what it is. @return the exit code
    """
    runs = []
    try:
        with fast.eager(), lab.Lab() as net, pair(net) as it:
            cases = cases_of(it, args)
            for case in args.only or cases:
                runs.append(run(it, case, cases[case], args.seconds, args.rounds, args.pps))
                print(runs[-1].text(), flush=True)
    except (netns.LabError, TimeoutError, RuntimeError) as err:
        print(f"{name}: {err}", file=sys.stderr)
        return 1
    faults = sum(t.said.get(fault, 0) for r in runs for t in r.turns)
    if faults:
        print(f"{name}: {faults} {said}")
    return report(name, runs) or (1 if faults else 0)


def report(name, runs):
    """Print the runs and write the JSON file. @return the exit code"""
    folder = os.path.join(lab.ROOT, "bench-results")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{name}.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"bench": name, "at": time.strftime("%FT%TZ", time.gmtime()),
                   "runs": [r.record() for r in runs]}, f, indent=2)
    failed = [why for why in (r.failed() for r in runs) if why]
    for why in failed:
        print(f"{name}: {why}")
    print(os.path.relpath(path, lab.ROOT))
    return 1 if failed else 0
