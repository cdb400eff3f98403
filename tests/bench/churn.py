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

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lab"))

import disturb  # noqa: E402
import paired  # noqa: E402


def cases(it, args):
    return {"churn": disturb.churn(args.rate), "reload": disturb.Reload(it, args.routes)}


def main():
    parser = paired.options(__doc__.splitlines()[0], ["churn", "reload"])
    parser.add_argument("--rate", type=int, default=1000, help="changes a second")
    parser.add_argument("--routes", type=int, default=500000, help="of a file")
    return paired.bench("churn", parser.parse_args(), cases, "refused", "changes refused")


if __name__ == "__main__":
    sys.exit(main())
