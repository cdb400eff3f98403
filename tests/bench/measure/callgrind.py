# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Instructions of a DPDK program by valgrind's callgrind: figures without noise.

A loop that hands bursts to a driver is counted, and what it spends in each driver apart: the calls
to a driver tell the bursts, and a device that receives without end fills each of them.
"""

import collections
import re

COMMAND = ["valgrind", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no"]


def argv(loop, out):
    """What goes before a command line to count the calls of the function `loop`."""
    return [*COMMAND, f"--toggle-collect={loop}", f"--callgrind-out-file={out}"]


class Profile:
    """Costs and calls of a run, by function."""

    def __init__(self, path):
        self.own = collections.Counter()  # (object, function): instructions
        self.calls = collections.Counter()  # (caller, callee), each (object, function): calls
        self.inclusive = collections.Counter()  # the same: instructions below
        with open(path, encoding="utf-8", errors="replace") as f:
            self._read(f)
        self.total = sum(self.own.values())

    def _read(self, lines):
        ob = fn = cob = cfn = None
        count = 0
        for line in lines:
            key, _, value = line.rstrip("\n").partition("=")
            if key == "ob":
                ob = value
            elif key == "fn":
                fn, cob = (ob, value), None
            elif key == "cob":
                cob = value
            elif key == "cfn":
                cfn, cob = (cob or ob, value), None
            elif key == "calls":
                count = int(value.split()[0])
            elif re.match(r"[0-9+*-]", line):
                cost = int(line.split()[1])
                if count:
                    self.calls[fn, cfn] += count
                    self.inclusive[fn, cfn] += cost
                    count = 0
                else:
                    self.own[fn] += cost

    def into(self, part):
        """(calls, instructions) of each function of an object whose name has `part` in it, as
        called from other objects, by function."""
        found = {}
        for (caller, callee), n in self.calls.items():
            if part in callee[0] and part not in caller[0]:
                calls, cost = found.get(callee[1], (0, 0))
                found[callee[1]] = calls + n, cost + self.inclusive[caller, callee]
        return found


def per_packet(path, driver, by_time, burst=32):
    """Instructions per packet of a loop over devices of a driver, from a profile.
    @param by_time  beginning of the name of functions that are called each millisecond, which has
                    few packets here, and not for each packet
    @return packets; "device": in the driver and what it calls; "by_time"; "own": the rest;
            "functions": the loop's own, the largest first"""
    p = Profile(path)
    entries = p.into(driver)
    if not entries:
        raise ValueError(f"{path}: nothing was called in {driver}")
    # Receiving and sending; of the two there are as many receptions, in whole bursts, as packets.
    device = sum(cost for _, cost in entries.values())
    receive = max(entries.values(), key=lambda e: e[1])
    packets = receive[0] * burst
    timed = sum(cost for (caller, callee), cost in p.inclusive.items()
                if callee[1].startswith(by_time) and not caller[1].startswith(by_time))
    functions = [(fn[1], cost / packets) for fn, cost in p.own.most_common()
                 if driver not in fn[0]]
    return {"packets": packets, "device": device / packets, "by_time": timed / packets,
            "own": (p.total - device - timed) / packets, "functions": functions[:12]}
