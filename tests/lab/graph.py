#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""make graph: a failover of the lab's pair, recorded and drawn.

    graph.py [--run crash|fast|drain] [--to PREFIX]

Writes PREFIX.json, what was seen on the wires, of both boxes and by a client, and PREFIX.svg, drawn
from it by docs/gen/timeline.py. Runs: the master killed and started again, the same with fast
groups (not started again), and a drain with its end. PREFIX is .build/graph/RUN unless told.
"""

import argparse
import datetime
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import box  # noqa: E402
import demo  # noqa: E402
import failover  # noqa: E402
import lab  # noqa: E402
import sniff  # noqa: E402

sys.path.insert(0, os.path.join(lab.ROOT, "docs", "gen"))

import timeline  # noqa: E402

GROUP, PORT = "carp0", "em0"


class Recorder:
    """Collects what belongs to one run; times are seconds since 1970 until record()."""

    def __init__(self, pair):
        self.pair = pair
        self.sniffer = pair.net.sniffer
        self.actions = []
        self.states = {"fw1": [], "fw2": []}
        self.program = pair.fw2.ctl("show version").split(", node")[0].strip()
        self.probe = lab.Probe(pair.client).flowing()
        failover.wait_heard(pair.fw2)

    def act(self, said, do):
        """Something that the operator does, and when."""
        self.actions.append((time.time(), said))
        return do()

    def take_states(self, one):
        """The changes of a box's state since its start, before that process ends."""
        events = one.ctl_json(f"show carp events {GROUP}")["events"]
        self.states[one.name] += [(box.when(e), e["to"]) for e in events if e["kind"] == "state"]

    def died(self, one):
        """That process is no more."""
        self.states[one.name].append((self.actions[-1][0], "down"))

    def wait_advert(self, port, since, bow_out=False):
        """The first advert from a port since a mark of the sniffer."""
        return self.sniffer.wait(
            sniff.advert_from(port, bow_out=bow_out), since, 10, f"advert from {port}"
        )

    def record(self, title, zero, zero_said, window, formula, close):
        """All of it as timeline.py wants it; window and close in ms from zero."""
        summary = self.probe.stop()
        try:
            lab.judge(summary)
        except lab.TooBusy as busy:
            print(f"graph: {busy}; take the times, and packets lost outside of the gap, with care")
        frames = self.sniffer.select(lambda f: f.advert is not None)

        def ms(ts):
            return round((ts - zero) * 1000, 3)

        def times(name, bow_out):
            match = sniff.advert_from(f"{name}.{PORT}", bow_out=bow_out)
            return [ms(f.ts) for f in frames if match(f) and within(window, ms(f.ts))]

        return {
            "title": title,
            "taken": datetime.datetime.utcfromtimestamp(zero).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "program": self.program,
            "machine": "two boxes on one machine; " + lab.timer_text(summary),
            "zero": zero_said,
            "window": window,
            "formula": formula,
            "boxes": [
                {
                    "name": name,
                    "group": GROUP,
                    "states": [[ms(at), state] for at, state in self.states[name]],
                    "adverts": times(name, False),
                    "bow_outs": times(name, True),
                }
                for name in ("fw1", "fw2")
            ],
            "actions": [{"ms": ms(at), "said": said} for at, said in self.actions],
            "stream": {
                "said": "The client pings the server through the pair, 1000 a second",
                "sent": summary["sent"],
                "lost": summary["lost"],
                "from": window[0],
                "to": window[1],
                "runs": [[ms(r["from"]), ms(r["to"]), r["n"]] for r in summary["runs"]],
            },
            "close": close,
        }


def within(window, ms):
    """Whether a time is in a window."""
    return window[0] <= ms <= window[1]


def moment(recorder, since, name, zero, end):
    """What a box did when it took over, frame by frame, up to end; for the close look."""
    frames = recorder.sniffer.select(lambda f: f.port.startswith(name + "."), since)
    points = []

    def tell(ts, said):
        points.append({"ms": round((ts - zero) * 1000, 3), "said": said})

    for port, what in (("em0", "LAN"), ("em1", "WAN")):
        mine = [f for f in frames if f.port == f"{name}.{port}"]
        tell(next(f.ts for f in mine if f.advert), f"advert, {what}")
        announced = [f.ts for f in mine if f.gratuitous]
        if announced:
            tell(announced[0], f"gratuitous ARP, {what}")
    if end is not None:
        tell(end, "the first packet that passes")
    first = min(p["ms"] for p in points)
    last = max(p["ms"] for p in points)
    room = max(last - first, 0.5)
    return {"window": [first - room * 0.15, last + room * 0.35], "points": points}


def passes_again(summary, ts):
    """When the packet was sent that followed the lost ones of a moment; None where none were lost."""
    run = next((r for r in summary["runs"] if r["from"] - 0.005 < ts < r["to"] + 0.05), None)
    return run["to"] + 0.001 if run else None


def crash(pair, fast):
    """The master is killed right after an advert; unless the groups are fast, it comes back."""
    recorder = Recorder(pair)
    recorder.probe.run_for(0.2 if fast else 1.5)
    recorder.take_states(pair.fw1)
    recorder.sniffer.wait(sniff.advert_from("fw1.em0"), timeout=4)
    since, events = recorder.sniffer.mark(), recorder.probe.mark()
    killed = time.time()
    recorder.act("kill -9: fw1 is dead", pair.fw1.kill)
    recorder.died(pair.fw1)
    taken = recorder.wait_advert("fw2.em0", since)
    zero = failover.last_before(recorder.sniffer, "fw1.em0", taken.ts).ts
    if fast:
        recorder.probe.run_for(0.5)
    else:
        recorder.probe.wait_event("gap", events, 10, lambda ev: ev["to"] > killed)
        recorder.probe.run_for(1)
        recorder.act("fw1 is started again", pair.fw1.start)
        pair.fw1.wait_master()
        pair.fw2.wait_backup()
        recorder.probe.run_for(1.2)
        recorder.take_states(pair.fw1)
    recorder.take_states(pair.fw2)
    summary = recorder.probe.stop()
    took = (taken.ts - zero) * 1000
    skew = pair.fw2.conf["carp"]["groups"][0]["advskew"]
    formula = {"said": f"3 · {skew}/256 s" if fast else f"3 · 1 s + {skew}/256 s",
               "ms": 3000 * skew / 256 if fast else 3000 + 1000 * skew / 256,
               "from": 0, "to": round(took, 3)}
    now = (time.time() - zero) * 1000
    window = [-25, took * 2 + 35] if fast else [-1500, now]
    title = "The master dies" + (", of a pair with fast groups" if fast else " and comes back")
    return recorder.record(title, zero, "the last advert of fw1", window, formula,
                           moment(recorder, since, "fw2", zero, passes_again(summary, taken.ts)))


def drain(pair):
    """fw1 is drained and comes back."""
    recorder = Recorder(pair)
    recorder.probe.run_for(1.2)
    since = recorder.sniffer.mark()
    recorder.act("koictl drain, on fw1", lambda: pair.fw1.ctl("drain"))
    bow = recorder.wait_advert("fw1.em0", since, bow_out=True)
    pair.fw2.wait_master()
    recorder.probe.run_for(1.2)
    recorder.act("koictl undrain", lambda: pair.fw1.ctl("undrain"))
    pair.fw1.wait_master()
    pair.fw2.wait_backup()
    recorder.probe.run_for(1.2)
    for one in (pair.fw1, pair.fw2):
        recorder.take_states(one)
    recorder.wait_advert("fw2.em0", since)
    window = [-1200, (time.time() - bow.ts) * 1000]
    close = moment(recorder, since, "fw2", bow.ts, None)
    close["points"].append({"ms": 0, "said": "bow-out of fw1, LAN"})
    last = close["points"][-2]["ms"]
    close["window"] = [-0.2 * last, 1.5 * last]
    return recorder.record("fw1 is drained, and comes back", bow.ts, "the bow-out of fw1", window,
                           None, close)


def pair_of(net, run):
    """The demo's pair; of fast groups for that run."""
    pair = demo.Demo(net)
    if run == "fast":
        pair.fw1.conf, pair.fw2.conf = box.fast(pair.fw1.conf, 0), box.fast(pair.fw2.conf, 1)
    pair.start()
    return pair


def write(record, prefix):
    """PREFIX.json, and PREFIX.svg from it."""
    os.makedirs(os.path.dirname(os.path.abspath(prefix)), exist_ok=True)
    with open(prefix + ".json", "w", encoding="utf-8") as f:
        json.dump(record, f, indent=1)
        f.write("\n")
    with open(prefix + ".svg", "w", encoding="utf-8") as f:
        f.write(timeline.draw(record))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--run", choices=("crash", "fast", "drain"), default="crash")
    parser.add_argument("--to", metavar="PREFIX")
    args = parser.parse_args()
    prefix = args.to or os.path.join(lab.ROOT, ".build", "graph", args.run)
    record = {}

    def body(net):
        pair = pair_of(net, args.run)
        record.update(drain(pair) if args.run == "drain" else crash(pair, args.run == "fast"))

    code = demo.run("graph", body)
    if code != 0:
        return code
    write(record, prefix)
    stream = record["stream"]
    print(f"{record['title']}: {stream['lost']} of {stream['sent']} packets lost, {record['machine']}")
    print(f"drawn: {prefix}.svg; from: {prefix}.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
