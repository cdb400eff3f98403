#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Do routes that change cost flows a packet that none of them is for?

    churn.py [--seconds N] [--rounds N] [--pps N] [--rate N] [--routes N]

Streams of both families go through fw1 of a pair, in turns with a disturbance and without it:
  churn    route add and del, so many changes a second, by four connections to the CLI
  reload   files of so many routes, by turns with another next hop
Ends with 1 when a disturbance costs more packets than the turns without it, those aside that went
missing beside a pause of the machine (lab_watch), when a box changes a state, or when a change is
refused. Result: figures, by place where packets got lost, and bench-results/churn.json.
"""

import argparse
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lab"))

import disturb  # noqa: E402
import fast  # noqa: E402
import lab  # noqa: E402
import netns  # noqa: E402
import paired  # noqa: E402


def measure(it, args):
    cases = {"churn": disturb.churn(args.rate), "reload": disturb.Reload(it, args.routes)}
    for name in args.only or cases:
        run = paired.run(it, name, cases[name], args.seconds, args.rounds, args.pps)
        print(run.text(), flush=True)
        yield run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10, help="of a turn, at least")
    parser.add_argument("--rounds", type=int, default=3, help="a turn with and one without each")
    parser.add_argument("--pps", type=int, default=10000, help="of each family")
    parser.add_argument("--rate", type=int, default=1000, help="changes a second")
    parser.add_argument("--routes", type=int, default=500000, help="of a file")
    parser.add_argument("--only", action="append", choices=["churn", "reload"])
    args = parser.parse_args()
    try:
        with fast.eager(), lab.Lab() as net, paired.pair(net) as it:
            runs = list(measure(it, args))
    except (netns.LabError, TimeoutError, RuntimeError) as err:
        print(f"churn: {err}", file=sys.stderr)
        return 1
    refused = sum(t.said.get("refused", 0) for r in runs for t in r.turns)
    if refused:
        print(f"churn: {refused} changes refused")
    return paired.report("churn", runs) or (1 if refused else 0)


if __name__ == "__main__":
    sys.exit(main())
