#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Worker loop beside testpmd macswap: Mpps and cycles per packet of one lcore.

Both run on two net_pcap devices that receive the same 256 frames without end and drop what is
sent, with the same EAL arguments, in turns within one run. Each measurement is cut in windows of
20 ms; cycles are those of the CPU time that the process had in a window. The figure is the median
window; the tenth percentile ("quiet") is what the CPU does when others leave its caches alone.
l3fwd (LPM) is at about 0.8 x macswap on these devices.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
FRAMES = 256
# 64 bytes on the wire: 60 and the frame check sequence, which no device shows.
FRAME_BYTES = 60
WINDOW_S = 0.02


def make_pcap(path, port):
    """Frames that port receives: to the vMAC of vhid port + 1, to hosts behind the other port."""
    frames = []
    for i in range(FRAMES):
        f = (Ether(dst=f"00:00:5e:00:01:{port + 1:02x}", src="02:00:00:00:09:09")
             / IP(src=f"198.18.{port}.{i}", dst=f"10.{1 - port}.{i}.1", ttl=64)
             / UDP(sport=1024 + i, dport=9))
        frames.append(f / bytes(FRAME_BYTES - len(f)))
    wrpcap(path, frames)


def eal_args(args, prefix, pcaps):
    out = ["--lcores", args.lcores, "--no-pci", "-m", str(args.memory), "--file-prefix", prefix,
           "--log-level", "3"]
    out += ["--in-memory"] if args.hugepages else ["--no-huge"]
    for i, p in enumerate(pcaps):
        out += ["--vdev", f"net_pcap{i},rx_pcap={p},infinite_rx=1"]
    return out


def run_koi(args, pcaps):
    cmd = [args.bench, *eal_args(args, f"koibench{os.getpid()}", pcaps), "--",
           "--seconds", str(args.seconds), "--neighbours", str(args.neighbours)]
    done = subprocess.run(cmd, capture_output=True, text=True, timeout=args.seconds + 60,
                          check=False)
    if done.returncode != 0:
        sys.exit(f"datapath: {' '.join(cmd)}: {done.returncode}\n{done.stdout}{done.stderr}")
    result = json.loads(done.stdout.strip().splitlines()[-1])
    if result["drops"] or result["received"] - result["forwarded"] > 1024:
        sys.exit(f"datapath: not everything was forwarded: {result}")
    return result


class Telemetry:
    """One connection to the telemetry socket of a DPDK process."""

    def __init__(self, prefix, deadline):
        runtime = "/var/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR", "/tmp")
        path = f"{runtime}/dpdk/{prefix}/dpdk_telemetry.v2"
        while True:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                self.sock.connect(path)
                break
            except OSError:
                self.sock.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.sock.recv(4096)

    def ask(self, command):
        self.sock.send(command.encode())
        return json.loads(self.sock.recv(65536))[command.split(",")[0]]

    def received(self, ports):
        # Null until the device is there.
        stats = [self.ask(f"/ethdev/stats,{p}") or {} for p in range(ports)]
        return sum(s.get("ipackets", 0) for s in stats)


def cpu_ns(pid):
    """CPU time of a process by its own clock: /proc is only as new as the last timer tick."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def run_testpmd(args, pcaps, hz):
    prefix = f"tpbench{os.getpid()}"
    cmd = [args.testpmd, *eal_args(args, prefix, pcaps), "--", f"--forward-mode={args.mode}",
           "--nb-cores=1", "--auto-start", "--total-num-mbufs=16384", "--no-lsc-interrupt"]
    try:
        proc = subprocess.Popen(cmd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)
    except OSError as e:
        sys.exit(f"datapath: {args.testpmd}: {e.strerror} (Debian package dpdk-dev; --testpmd PATH)")
    try:
        tel = Telemetry(prefix, time.monotonic() + 30)
        # Forwarding starts some time after the socket is there.
        while tel.received(len(pcaps)) == 0:
            time.sleep(0.05)
        time.sleep(0.5)
        windows = []
        before, t0, c0 = tel.received(len(pcaps)), time.monotonic(), cpu_ns(proc.pid)
        first, c_first = before, c0
        while time.monotonic() < t0 + args.seconds:
            time.sleep(WINDOW_S)
            now, c1 = tel.received(len(pcaps)), cpu_ns(proc.pid)
            if now != before:
                windows.append((c1 - c0) * hz / 1e9 / (now - before))
            before, c0 = now, c1
        t1 = time.monotonic()
    except (OSError, KeyError, TypeError) as e:
        proc.kill()
        sys.exit(f"datapath: testpmd: {e}\n{proc.communicate()[0]}")
    proc.communicate("\n", timeout=60)
    windows.sort()
    return {"seconds": t1 - t0, "cpu_seconds": (c0 - c_first) / 1e9, "frames": before - first,
            "cycles": windows[len(windows) // 2], "cycles_quiet": windows[len(windows) // 10]}


def parse_args():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0],
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("--seconds", type=int, default=5, help="of each measurement")
    p.add_argument("--rounds", type=int, default=3, help="of koi and testpmd in turn")
    p.add_argument("--neighbours", type=int, default=16, help="next hops per device, 1..128")
    p.add_argument("--lcores", default="0@0,1@1", help="EAL: main lcore and the one that forwards")
    p.add_argument("--memory", type=int, default=512, help="MB for each process")
    p.add_argument("--hugepages", action="store_true", help="use them (default: --no-huge)")
    p.add_argument("--mode", default="macswap", help="testpmd's --forward-mode")
    p.add_argument("--bench", default=os.path.join(
        ROOT, "build", "tests", "bench", "datapath", "bench_datapath"))
    p.add_argument("--testpmd", default="dpdk-testpmd")
    p.add_argument("--output", default=os.path.join(ROOT, "bench-results", "datapath.json"))
    return p.parse_args()


def main():
    args = parse_args()
    koi, ref = [], []
    with tempfile.TemporaryDirectory(prefix="koi-datapath-") as tmp:
        pcaps = [os.path.join(tmp, f"port{p}.pcap") for p in range(2)]
        for p, path in enumerate(pcaps):
            make_pcap(path, p)
        for _ in range(args.rounds):
            koi.append(run_koi(args, pcaps))
            ref.append(run_testpmd(args, pcaps, koi[-1]["tsc_hz"]))

    hz = koi[0]["tsc_hz"]

    for r in koi + ref:
        r["mpps"] = hz / r["cycles"] / 1e6
        r["mpps_quiet"] = hz / r["cycles_quiet"] / 1e6
        r["mpps_wall"] = r["frames"] / r["seconds"] / 1e6

    def ratio(key):
        return [k[key] / r[key] for k, r in zip(koi, ref)]

    print(f"{'':>7} {'koi':>8} {'':>7} {'quiet':>15} {args.mode:>9} {'':>7} {'quiet':>15}"
          f" {'ratio':>6}")
    print(f"{'round':>7}" + 2 * f" {'Mpps':>8} {'cycles':>7} {'Mpps':>8} {'cycles':>6}"
          + f" {'':>7} {'quiet':>6}")
    rows = [*zip(koi, ref, ratio("mpps"), ratio("mpps_quiet"))]
    medians = [{key: statistics.median(r[key] for r in s) for key in s[0]} for s in (koi, ref)]
    rows.append((*medians, statistics.median(ratio("mpps")), statistics.median(ratio("mpps_quiet"))))
    for i, (k, r, q, q_quiet) in enumerate(rows, 1):
        print(f"{i if i <= args.rounds else 'median':>7}"
              + "".join(f" {x['mpps']:>8.2f} {x['cycles']:>7.1f} {x['mpps_quiet']:>8.2f}"
                        f" {x['cycles_quiet']:>6.1f}" for x in (k, r))
              + f" {q:>7.2f} {q_quiet:>6.2f}")
    k, r, q, q_quiet = rows[-1]

    os.makedirs(os.path.dirname(os.path.abspath(args.output)), exist_ok=True)
    with open(args.output, "w", encoding="utf-8") as f:
        json.dump({
            "benchmark": "datapath",
            "frame_bytes": FRAME_BYTES + 4,
            "frames_in_pcap": FRAMES,
            "lcores": args.lcores,
            "hugepages": args.hugepages,
            "neighbours": args.neighbours,
            "tsc_hz": hz,
            "reference": f"testpmd {args.mode}",
            "koi": koi,
            "testpmd": ref,
            "ratio_median": q,
            "ratio_quiet_median": q_quiet,
            "koi_mpps_median": k["mpps"],
            "koi_cycles_per_packet_median": k["cycles"],
            "testpmd_mpps_median": r["mpps"],
            "testpmd_cycles_per_packet_median": r["cycles"],
        }, f, indent=2)
        f.write("\n")
    print(f"written to {args.output}")


if __name__ == "__main__":
    main()
