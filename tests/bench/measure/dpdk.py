# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""DPDK programs that forward, held and let run in turns, and measured all in one way.

Frames are those that the devices counted, asked for by telemetry; time is the CPU time that the
process had, since wall time says little on a machine that others use too.
"""

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

WINDOW_S = 0.02
#: Windows of a turn that do not count: caches are still the last program's.
COLD_WINDOWS = 2
START_TIMEOUT_S = 60


class Telemetry:
    """One connection to the telemetry socket of a DPDK process."""

    def __init__(self, prefix, alive):
        runtime = "/var/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR", "/tmp")
        path = f"{runtime}/dpdk/{prefix}/dpdk_telemetry.v2"
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                self.sock.connect(path)
                break
            except OSError:
                self.sock.close()
                if not alive() or time.monotonic() > deadline:
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


def eal_args(lcores, prefix, vdevs, memory=512):
    """Arguments for a process of its own with these devices and without hugepages."""
    args = ["--lcores", lcores, "--no-pci", "--no-huge", "-m", str(memory), "--file-prefix", prefix,
            "--log-level", "3"]
    for v in vdevs:
        args += ["--vdev", v]
    return args


class Program:
    """A DPDK process that forwards without end."""

    def __init__(self, name, argv, prefix, ports, log):
        """Start it, wait until frames flow, hold it. What it prints goes to the file `log`."""
        self.name, self.argv, self.ports, self.log = name, argv, ports, log
        with open(log, "w", encoding="utf-8") as out:
            try:
                self.proc = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=out,
                                             stderr=subprocess.STDOUT)
            except OSError as e:
                sys.exit(f"{argv[0]}: {e.strerror}")
        deadline = time.monotonic() + START_TIMEOUT_S
        try:
            self.telemetry = Telemetry(prefix, lambda: self.proc.poll() is None)
            while self.received() == 0:
                if time.monotonic() > deadline:
                    raise TimeoutError("no frames")
                time.sleep(0.02)
        except (OSError, KeyError, TypeError) as e:
            self.proc.kill()
            self.fail(e)
        self.hold()

    def fail(self, why):
        sys.exit(f"{' '.join(self.argv)}: {why}\n{self.output()}")

    def output(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def received(self):
        return self.telemetry.received(self.ports)

    def hold(self):
        self.proc.send_signal(signal.SIGSTOP)

    def turn(self, seconds):
        """Let it run for some time. @return nanoseconds of CPU time per frame, the median window"""
        self.proc.send_signal(signal.SIGCONT)
        windows = []
        end = time.monotonic() + seconds
        frames, cpu = self.received(), cpu_ns(self.proc.pid)
        while time.monotonic() < end or len(windows) <= COLD_WINDOWS:
            time.sleep(WINDOW_S)
            frames1, cpu1 = self.received(), cpu_ns(self.proc.pid)
            if frames1 != frames:
                windows.append((cpu1 - cpu) / (frames1 - frames))
            elif self.proc.poll() is not None:
                self.fail("ended")
            frames, cpu = frames1, cpu1
        self.hold()
        return statistics.median(windows[COLD_WINDOWS:])

    def stop(self, sig=None):
        """End it: by a signal, or by the end of its standard input. @return what it printed"""
        self.proc.send_signal(signal.SIGCONT)
        if sig is not None:
            self.proc.send_signal(sig)
        self.proc.communicate(b"" if sig is not None else b"\n", timeout=START_TIMEOUT_S)
        return self.output()

    def kill(self):
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()
