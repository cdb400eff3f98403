#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""koi's workers beside DPDK's l3fwd and testpmd: Mpps, cycles and instructions per packet.

All run on two net_pcap devices that receive the same frames without end and drop what is sent, on
the same lcores and with the same table of 1,000 routes. The four are started once, and then take
short turns, the others stopped; a round is a turn of each, and the ratio is that of a round. Cycles
are those of the CPU time of the process; Mpps is what so many cycles make of whole CPUs. l3fwd is
built from Debian's source package by datapath/l3fwd.sh. Instructions are counted by callgrind and
do not depend on who else uses the machine.
"""

import argparse
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from measure import callgrind, dpdk

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BENCH = os.path.join(os.environ.get("KOI_BUILD", os.path.join(ROOT, "build")), "tests", "bench",
                     "datapath", "bench_datapath")
ROUTES = 1000
#: Bytes on the wire, with the frame check sequence, which no device shows. IMIX is 7:4:1.
SIZES = {"64": [64], "IMIX": 7 * [64] + 4 * [594] + [1518], "1500": [1518]}
#: Destinations: frames in each device's file. Sources differ in either.
FRAMES = {1: 256, 4096: 4096}
#: By the number of workers. There are two CPUs: with two workers, main lcores share one.
LCORES = {1: "0@0,1@1", 2: "0@0,1@0,2@1"}
L3FWD_LCORES = {1: "1@1", 2: "0@0,1@1"}
L3FWD_CONFIG = {1: "(0,0,1),(1,0,1)", 2: "(0,0,0),(0,1,1),(1,0,0),(1,1,1)"}


class Ip4:
    """Routes and frames. Each device has half of the routes, each a /24; frames received by one go
    to those of the other."""

    name = "IPv4"

    @staticmethod
    def network(port, i):
        return f"10.{128 * port + i // 256}.{i % 256}"

    @classmethod
    def rules(cls):
        return [f"R{cls.network(p, i)}.0/24 {p}" for i in range(ROUTES // 2) for p in range(2)]

    @classmethod
    def packet(cls, port, source, route, host):
        return (IP(src=f"198.18.{port}.{source % 256}",
                   dst=f"{cls.network(1 - port, route)}.{1 + host}", ttl=64)
                / UDP(sport=1024 + source % 60000, dport=9))


class Ip6:
    """The same; each route a /48. What follows the header is none of a router's business, and with
    UDP a frame of 64 bytes would have 66."""

    name = "IPv6"

    @staticmethod
    def network(port, i):
        return f"2001:db8:{port * 4096 + i:x}"

    @classmethod
    def rules(cls):
        return [f"R{cls.network(p, i)}::/48 {p}" for i in range(ROUTES // 2) for p in range(2)]

    @classmethod
    def packet(cls, port, source, route, host):
        return IPv6(src=f"2001:db8:ff00:{port}::{source:x}",
                    dst=f"{cls.network(1 - port, route)}::{1 + host:x}", hlim=64, nh=59)


FAMILIES = [Ip4, Ip6]


def make_pcap(family, path, port, sizes, destinations):
    """Frames that port receives: to the vMAC of vhid port + 1, to hosts behind the other port."""
    n = FRAMES[destinations]
    order = list(range(n))
    random.Random(1).shuffle(order)
    frames = []
    for i, d in enumerate(order):
        d %= destinations
        f = (Ether(dst=f"00:00:5e:00:01:{port + 1:02x}", src="02:00:00:00:09:09")
             / family.packet(port, i, d % (ROUTES // 2), d // (ROUTES // 2)))
        frames.append(f / bytes(sizes[i % len(sizes)] - 4 - len(f)))
    wrpcap(path, frames)


class Cell:
    """One combination, its files, and the command lines of the programs on it."""

    def __init__(self, args, folder, family, size, destinations, workers):
        self.args, self.family, self.workers = args, family, workers
        self.key = {"family": family.name, "size": size, "destinations": destinations,
                    "workers": workers}
        self.folder = folder
        self.vdevs = []
        for p in range(2):
            path = os.path.join(folder, f"{family.name}-{size}-{destinations}-{p}.pcap")
            if not os.path.exists(path):
                make_pcap(family, path, p, SIZES[size], destinations)
            self.vdevs.append(f"net_pcap{p}" + workers * f",rx_pcap={path}" + ",infinite_rx=1")

    def prefix(self, name):
        return f"koibench{os.getpid()}{name}"

    def koi(self):
        return [BENCH, *dpdk.eal_args(LCORES[self.workers], self.prefix("koi"), self.vdevs), "--",
                "--workers", str(self.workers), "--neighbours", str(self.args.neighbours),
                "--rules", os.path.join(self.folder, f"{self.family.name}.rules")]

    def l3fwd(self):
        # It makes as many buffers as there are descriptors, and the devices hold their file in them.
        return [self.args.l3fwd,
                *dpdk.eal_args(L3FWD_LCORES[self.workers], self.prefix("l3fwd"), self.vdevs), "--",
                "-p", "0x3", "-P", f"--config={L3FWD_CONFIG[self.workers]}", "--parse-ptype",
                "--rx-queue-size", "16384", "--lookup=lpm",
                "--rule_ipv4", os.path.join(self.folder, "IPv4.rules"),
                "--rule_ipv6", os.path.join(self.folder, "IPv6.rules")]

    def testpmd(self, mode):
        n = str(self.workers)
        return ["dpdk-testpmd",
                *dpdk.eal_args(LCORES[self.workers], self.prefix(mode), self.vdevs), "--",
                f"--forward-mode={mode}", f"--nb-cores={n}", f"--rxq={n}", f"--txq={n}",
                "--auto-start", "--total-num-mbufs=65535", "--no-lsc-interrupt"]

    def commands(self):
        out = {"koi": self.koi()}
        if self.args.l3fwd:
            out["l3fwd"] = self.l3fwd()
        return {**out, "io": self.testpmd("io"), "macswap": self.testpmd("macswap")}


def koi_report(text):
    """The two objects that bench_datapath prints; everything must have been forwarded."""
    start, end = (json.loads(line) for line in text.splitlines() if line.startswith("{"))
    if end["drops"] or end["received"] != end["forwarded"] or not end["received"]:
        sys.exit(f"datapath: not everything was forwarded: {end}")
    return start["tsc_hz"]


def measure(cell, args):
    """Rounds of turns. @return of each program its cycles per packet, a number for each round"""
    programs = {}
    try:
        for name, argv in cell.commands().items():
            programs[name] = dpdk.Program(name, argv, cell.prefix(name), 2,
                                          os.path.join(cell.folder, f"{name}.log"))
        ns = {name: [] for name in programs}
        for i in range(args.rounds):
            # Nobody always comes after the same.
            for name in random.Random(i).sample(sorted(programs), len(programs)):
                ns[name].append(programs[name].turn(args.turn))
        hz = koi_report(programs["koi"].stop())
        for name in programs:
            if name != "koi":
                programs[name].stop(signal.SIGINT)
    finally:
        for p in programs.values():
            p.kill()
    return hz, {name: [t * hz / 1e9 for t in times] for name, times in ns.items()}


def summary(values):
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def result(cell, hz, cycles):
    out = {**cell.key, "tsc_hz": hz}
    for name, c in cycles.items():
        out[name] = {"cycles": summary(c),
                     "mpps": cell.workers * hz / statistics.median(c) / 1e6}
        if name != "koi":
            out[f"koi/{name}"] = summary([r / k for k, r in zip(cycles["koi"], c)])
    return out


def count(cell, args):
    """Instructions per packet of koi and l3fwd."""
    out = {}
    loops = {"koi": ("dp_worker_run", None), "l3fwd": ("lpm_main_loop", signal.SIGINT)}
    for name, (loop, sig) in loops.items():
        argv = cell.commands().get(name)
        if argv is None:
            continue
        path = os.path.join(cell.folder, f"{name}.callgrind")
        p = dpdk.Program(name, [*callgrind.argv(loop, path), *argv], cell.prefix(name), 2,
                         os.path.join(cell.folder, f"{name}.log"))
        try:
            p.turn(args.callgrind)
            p.stop(sig)
        finally:
            p.kill()
        out[name] = callgrind.per_packet(path, "net_pcap", by_time=("hop_find", "hop6_find"))
    return out


def l3fwd_build():
    done = subprocess.run([os.path.join(HERE, "datapath", "l3fwd.sh")], text=True,
                          stdout=subprocess.PIPE, check=False)
    if done.returncode not in (0, 77):
        sys.exit(done.returncode)
    return done.stdout.strip() if done.returncode == 0 else None


def conditions():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                  if line.startswith("model name")), "?")
    return {"host": socket.gethostname(), "cpu": model, "cpus": os.cpu_count(),
            "load": os.getloadavg()[0], "at": time.strftime("%FT%TZ", time.gmtime())}


def print_row(row):
    names = [n for n in ("koi", "l3fwd", "io", "macswap") if n in row]
    ratios = [f"{row[r]['min']:.2f} {row[r]['median']:.2f} {row[r]['max']:.2f}"
              if r in row else "-" for r in ("koi/l3fwd", "koi/macswap")]
    print(f"{row['family']:5}{row['size']:>5}{row['destinations']:>6}{row['workers']:>3} | "
          + " | ".join(f"{row[n]['mpps']:6.2f}{row[n]['cycles']['median']:7.1f}" for n in names)
          + " | " + " | ".join(ratios), flush=True)


def print_counts(family, counts):
    for name, c in counts.items():
        print(f"{family} {name}: {c['own']:.1f} instructions per packet, and {c['device']:.1f} in "
              f"the devices (callgrind, {c['packets']} packets; not counted: {c['by_time']:.1f} done "
              "by time)")
        for fn, n in c["functions"]:
            if n >= 0.5:
                print(f"{n:>10.1f} {fn}")


def parse_args():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0],
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("--rounds", type=int, default=11, help="turns of each program")
    p.add_argument("--turn", type=float, default=0.3, help="seconds of a turn")
    p.add_argument("--callgrind", type=float, default=5, help="seconds of counting; 0: none")
    p.add_argument("--neighbours", type=int, default=16, help="koi's next hops per device, 1..128")
    p.add_argument("--families", default=",".join(f.name for f in FAMILIES))
    p.add_argument("--sizes", default=",".join(SIZES))
    p.add_argument("--destinations", default=",".join(map(str, FRAMES)))
    p.add_argument("--workers", default="1,2")
    p.add_argument("--output", default=os.path.join(ROOT, "bench-results", "datapath.json"))
    return p.parse_args()


def main():
    args = parse_args()
    args.l3fwd = l3fwd_build()
    rows, counts, machine = [], {}, conditions()
    folder = tempfile.mkdtemp(prefix="koi-datapath-")
    try:
        for family in FAMILIES:
            with open(os.path.join(folder, f"{family.name}.rules"), "w", encoding="ascii") as f:
                f.write("\n".join(family.rules()) + "\n")
        print(f"{'':16}| " + " | ".join(f"{n:>13}" for n in ("koi", "l3fwd", "io", "macswap")
                                        if n != "l3fwd" or args.l3fwd)
              + " | koi/l3fwd      | koi/macswap")
        print(f"{'':5}{'size':>5}{'dst':>6}{'w':>3}: Mpps and cycles per packet, medians; ratio of "
              "Mpps: least, median, most", flush=True)
        for family in (f for f in FAMILIES if f.name in args.families.split(",")):
            for size in args.sizes.split(","):
                for d in map(int, args.destinations.split(",")):
                    for w in map(int, args.workers.split(",")):
                        cell = Cell(args, folder, family, size, d, w)
                        rows.append(result(cell, *measure(cell, args)))
                        print_row(rows[-1])
            if args.callgrind and shutil.which("valgrind"):
                counts[family.name] = count(Cell(args, folder, family, "64", 4096, 1), args)
                print_counts(family.name, counts[family.name])
    finally:
        shutil.rmtree(folder)
    os.makedirs(os.path.dirname(os.path.abspath(args.output)), exist_ok=True)
    with open(args.output, "w", encoding="utf-8") as f:
        json.dump({"benchmark": "datapath", "machine": machine, "routes": ROUTES,
                   "neighbours": args.neighbours, "rounds": args.rounds, "turn_s": args.turn,
                   "rows": rows, "instructions": counts}, f, indent=2)
        f.write("\n")
    print(os.path.relpath(args.output, ROOT))


if __name__ == "__main__":
    main()
