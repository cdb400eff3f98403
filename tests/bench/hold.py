#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Does the fast pair 0/0 and 0/1 hold its states under traffic?

    hold.py [--seconds N] [--pps N]

Ends with 1 when a box changed a state while the machine ran on. Changes during or just after a
pause of the whole machine, or while it ran at a sixteenth of its speed or less (lab_watch), are
counted apart: no program could have prevented them.
Result: figures and histograms of lateness, and a JSON file in bench-results/.
"""

import argparse
import json
import os
import sys
import time
import types

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lab"))

import box  # noqa: E402
import fast  # noqa: E402
import lab  # noqa: E402
import netns  # noqa: E402


def run(seconds, pps):
    with fast.eager(), lab.Lab() as net:
        pair = types.SimpleNamespace(net=net, client=net.client(), server=net.server())
        pair.fw1 = box.Box(net.firewall("fw1"), fast.config("fw1", 0))
        pair.fw2 = box.Box(net.firewall("fw2"), fast.config("fw2", 1))
        fast.start(pair)
        return fast.hold(pair, seconds, pps)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--pps", type=int, default=50000)
    args = parser.parse_args()
    try:
        held = run(args.seconds, args.pps)
    except (netns.LabError, TimeoutError, RuntimeError) as err:
        print(f"hold: {err}", file=sys.stderr)
        return 1
    print(held.text())
    os.makedirs(os.path.join(ROOT, "bench-results"), exist_ok=True)
    path = os.path.join(ROOT, "bench-results", "hold.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"bench": "hold", "at": time.strftime("%FT%TZ", time.gmtime()),
                   **held.record()}, f, indent=2)
    print(os.path.relpath(path, ROOT))
    # Half the traffic is no traffic of that rate.
    if held.pps < 0.9 * args.pps:
        print(f"hold: only {held.pps:.0f} of {args.pps} pps came through", file=sys.stderr)
        return 1
    return 1 if held.own else 0


if __name__ == "__main__":
    sys.exit(main())
