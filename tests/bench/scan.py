#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Do scans and floods of ARP and neighbour discovery cost other people's flows a packet?

    scan.py [--seconds N] [--rounds N] [--pps N] [--scan-pps N] [--flood-pps N]

Streams of both families go through fw1 of a pair, in turns with a disturbance and without it:
  ask    ARP requests to fw1 as fast as the machine can
  ask6   neighbour solicitations
  arp    a host on either side sends to addresses of the other side that nobody has: a /12, a /8
  nd     the same in a /64
Meanwhile the client reaches hosts, one after the other, that koi has not asked for yet.
Ends with 1 when a disturbance costs more packets than the turns without it, those aside that went
missing beside a pause of the machine (lab_watch), when a box changes a state, or when a new host is
not reached. Result: figures, by place where packets got lost, and bench-results/scan.json.
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lab"))

import disturb  # noqa: E402
import dual  # noqa: E402
import paired  # noqa: E402

NEW_HOSTS = 4000


def cases(it, args):
    scanner = disturb.Scanner(it)
    hosts = iter(disturb.new_hosts(it, NEW_HOSTS))
    return {
        "ask": scanner.flood(args.flood_pps, hosts=hosts),
        "ask6": scanner.flood(args.flood_pps, six=True, hosts=hosts),
        "arp": scanner.through((paired.WIDE_WAN, paired.WIDE_LAN), args.scan_pps, hosts),
        "nd": scanner.through((f"{dual.WAN6}/64", f"{dual.LAN6}/64"), args.scan_pps,
                              hosts),
    }


def main():
    parser = paired.options(__doc__.splitlines()[0], ["arp", "nd", "ask", "ask6"])
    parser.add_argument("--scan-pps", type=int, default=10000)
    parser.add_argument("--flood-pps", type=int, default=200000)
    return paired.bench("scan", parser.parse_args(), cases, "not_found", "new hosts not reached")


if __name__ == "__main__":
    sys.exit(main())
