#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Figures that need no devices: stages of a worker, 1,024 groups on one core, forged adverts,
and adverts while workers have twice what they can.

Runs bench_forward and bench_control some times and shows the median of each figure, and counts the
instructions of the stages once by callgrind. Result: a table, and a JSON file in bench-results/.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from measure import callgrind

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BENCH = os.path.join(os.environ.get("KOI_BUILD", os.path.join(ROOT, "build")), "tests", "bench")
EAL = ["--no-huge", "--no-pci", "-m", "256", "--no-shconf", "--no-telemetry", "--log-level=3",
       "-l", "0"]
RATES = (0, 500000, 1000000)
RINGS = ["--vdev=net_ring0", "--vdev=net_ring1", "--"]
#: Routes and destinations of a replay.
TABLES = ((1000, 256), (10000, 1000000), (500000, 1000000))
FAMILIES = {"IPv4": (), "IPv6": ("--ip6",)}
#: Percent of what a worker forwards, offered to it.
LOADS = (50, 200)
#: An advert of a fast group is never to be later than its interval.
INTERVAL_US = 1e6 / 256
#: To reach: what classification may cost a frame.
CLASSIFY_NS = 4


def run(program, *args, before=()):
    argv = [*before, os.path.join(BENCH, program, f"bench_{program}"), *EAL, *args]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        sys.exit(f"inprocess: {' '.join(argv)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def median(records):
    """The record whose numbers are the medians of several records of one shape."""
    first = records[0]
    if isinstance(first, dict):
        return {key: median([r[key] for r in records]) for key in first}
    return first if isinstance(first, str) else statistics.median(records)


def measure(runs, program, *args):
    return median([run(program, *args) for _ in range(runs)])


def instructions(family):
    """Of each way of bench_forward, per frame; exact, so that one run is enough."""
    counts = {}
    with tempfile.TemporaryDirectory() as tmp:
        for way in ("bare", "classify", "forward"):
            path = os.path.join(tmp, way)
            record = run("forward", *RINGS, *family, "--rounds", "50",
                         before=callgrind.argv(f"way_{way}", path))
            counts[way] = callgrind.Profile(path).total / record["frames_each_way"]
    return counts


def replay(runs):
    """The stages of a worker without a device, for both families."""
    tables, counts = [], {}
    print(f"{'routes':>9}{'destinations':>14} | ns per frame: bare, classification and all of it "
          f"over bare (classification to reach: {CLASSIFY_NS})")
    for name, family in FAMILIES.items():
        for routes, destinations in TABLES:
            t = measure(runs, "forward", *RINGS, *family, "--routes", str(routes),
                        "--destinations", str(destinations))
            tables.append(t)
            print(f"{t['routes']:>9}{t['destinations']:>14} | {t['bare_ns']:.1f} "
                  f"{t['classify_over_bare_ns']:>6.1f} {t['forward_over_bare_ns']:>6.1f}  {name}")
        counts[name] = instructions(family) if shutil.which("valgrind") else {}
        if counts[name]:
            print("instructions per frame: "
                  + ", ".join(f"{k} {v:.1f}" for k, v in counts[name].items()))
    return {"tables": tables, "instructions": counts, "classify_limit_ns": CLASSIFY_NS}


def overload(runs):
    """Adverts sent and heard beside packets, in a queue with them or in one of their own."""
    rows = []
    print(f"{'load':>6}{'queue':>6}{'worker':>8}{'control':>8} | sent adverts late by: p99 and most "
          f"us (to reach: {INTERVAL_US:.0f}) | heard of sent, p99 us | packets lost in the queue")
    for queue in ("one", "own"):
        for percent in LOADS:
            r = measure(runs, "control", "--", "overload", str(percent), queue)
            rows.append(r)
            lost = r["rx_missed"] / (r["rx_missed"] + r["forwarded"])
            print(f"{percent:>5}%{queue:>6}{r['worker_share']:>8.2f}{r['control_share']:>8.2f} | "
                  f"{r['late_us']['p99']:>8.1f}{r['late_us']['max']:>8.1f} | "
                  f"{r['heard']:.0f}/{r['peers_sent']:.0f}{r['heard_us']['p99']:>8.1f} | "
                  f"{lost:.2f}")
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="of each measurement")
    runs = parser.parse_args().runs
    forward = replay(runs)
    capacity = measure(runs, "control", "--", "capacity")
    heard = capacity["attacked"]["heard"] + capacity["others"]["heard"]
    print(f"{capacity['groups']} groups, {heard / capacity['seconds']:.0f} adverts/s heard: "
          f"control lcore {capacity['control_share']:.2f}, worker {capacity['worker_share']:.2f} "
          "of a CPU (to reach: 1)")
    print(f"{'forged/s':>9} {'source':8}{'control':>8}{'worker':>8} | attacked: heard/sent, median "
          f"and p99 us | others                    | ring full")
    floods = []
    for source in ("unknown", "spoofed"):
        for rate in RATES:
            r = measure(runs, "control", "--", "flood", str(rate), source)
            floods.append(r)
            cells = [f"{r[k]['heard']:>5.0f}/{r[k]['sent']:<5.0f}{r[k + '_us']['median']:>8.1f}"
                     f"{r[k + '_us']['p99']:>8.1f}" for k in ("attacked", "others")]
            print(f"{rate:>9} {source:8}{r['control_share']:>8.2f}{r['worker_share']:>8.2f} | "
                  f"{cells[0]:>38} | {cells[1]:25} | "
                  f"{r['ring_full'] + r['unknown_ring_full']:.0f}")
    loads = overload(runs)
    os.makedirs(os.path.join(ROOT, "bench-results"), exist_ok=True)
    path = os.path.join(ROOT, "bench-results", "inprocess.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"bench": "inprocess", "at": time.strftime("%FT%TZ", time.gmtime()),
                   "forward": forward, "capacity": capacity, "floods": floods,
                   "overload": loads}, f, indent=2)
    print(os.path.relpath(path, ROOT))


if __name__ == "__main__":
    main()
