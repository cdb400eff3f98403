#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""make demo: two firewalls, one shared address, a failover; on the fixtures of the tests.

demo.py [--interactive]: stay up, tell how to get in, and open the CLI of fw1.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import box  # noqa: E402
import failover  # noqa: E402
import lab  # noqa: E402
import netns  # noqa: E402

PICTURE = """
         +----| WAN/Internet |----+----- server 198.51.100.100
         |      198.51.100.1      |
      em1|.2                      |em1 .3
      +-----+                  +-----+
      | fw1 |                  | fw2 |        each box is a koi process
      +-----+                  +-----+        in a network namespace
      em0|.2                      |em0 .3
         |       192.0.2.1        |
      ---+-------Shared LAN-------+----- client 192.0.2.100
"""

BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")


def say(text):
    print(f"\n{BOLD}{text}{PLAIN}", flush=True)


def show(text):
    for line in text.rstrip().splitlines():
        print(f"    {DIM}{line}{PLAIN}", flush=True)


def status(*boxes):
    for b in boxes:
        print(f"  {b.name}# show carp all")
        show(b.ctl("show carp all"))


def who(*boxes):
    for b in boxes:
        print("  " + b.name + ": " + ", ".join(
            f"{g['name']} {b.state(g['name'])}" for g in b.conf["carp"]["groups"]
        ))


class Demo:
    """The pair, its client and server."""

    def __init__(self, net):
        self.net = net
        self.client = net.client()
        self.server = net.server()
        self.fw1 = box.Box(net.firewall("fw1"), box.config("fw1"))
        self.fw2 = box.Box(net.firewall("fw2"), box.config("fw2", advskew=128))

    def start(self):
        box.start_pair(self.fw1, self.fw2)
        self.client.wait_ping(lab.SERVER_IP)

    def switch(self, action, done):
        """A planned switch under the 1 kHz stream."""
        probe = lab.Probe(self.client).flowing()
        probe.run_for(0.3)
        action()
        done()
        probe.run_for(0.5)
        result = probe.stop()
        print(
            f"  packets lost: {result['lost']} of {result['sent']}, longest silence "
            f"{result['gap_ms']:.1f} ms"
        )

    def tour(self):
        say("fw1 is the preferred one (advskew 0), fw2 the other (advskew 128); both preempt.")
        status(self.fw1, self.fw2)

        say("The client reaches the server through 192.0.2.1, the shared address:")
        probe = lab.Probe(self.client).flowing()
        probe.run_for(1)
        result = probe.stop()
        rtt = result["rtt_ms"]
        print(
            f"  {result['answered']} of {result['sent']} echoes at 1 kHz answered, round trip "
            f"{rtt['p50']:.2f} ms, 99 % under {rtt['p99']:.2f} ms"
        )

        say("The master dies: SIGKILL, right after one of its advertisements.")
        crash = failover.kill_master(self, restart=False)
        print(f"  formula     3 * advbase + advskew/256 = 3 + 128/256 = {3500.0:8.1f} ms")
        print(f"  took over   after the last advert on em0        {crash.takeover_lan * 1e3:8.1f} ms")
        print(f"  traffic     again after                         {crash.restored * 1e3:8.1f} ms")
        print(
            f"  the client  was without answer for              {crash.outage * 1e3:8.1f} ms, "
            f"{crash.probe['lost']} packets lost"
        )
        who(self.fw2)
        show("\n".join(self.fw2.log_lines("BACKUP -> MASTER")[-2:]))

        say("fw1 comes back and takes over, for it is the better one (preempt):")
        self.switch(self.fw1.start, lambda: (self.fw1.wait_master(), self.fw2.wait_backup()))
        who(self.fw1, self.fw2)

        say("Forced failover, as for maintenance: carp carp0 down, carp carp1 down on fw1.")
        self.switch(
            lambda: (self.fw1.ctl("carp carp0 down"), self.fw1.ctl("carp carp1 down")),
            self.fw2.wait_master,
        )
        who(self.fw1, self.fw2)

        say("And up again:")
        self.switch(
            lambda: (self.fw1.ctl("carp carp0 up"), self.fw1.ctl("carp carp1 up")),
            lambda: (self.fw1.wait_master(), self.fw2.wait_backup()),
        )
        who(self.fw1, self.fw2)

    @staticmethod
    def is_dead(one):
        """A process that is killed closes its CLI before it can be waited for."""
        try:
            one.process.wait(1)
        except subprocess.TimeoutExpired:
            return False
        return True

    def interactive(self):
        places = {"sw": self.net.switch, **{n: h.ns for n, h in self.net.hosts.items()}}
        doors = {n: ns.popen(["sleep", "infinity"]).pid for n, ns in places.items()}
        say("The pair stays up until you leave this prompt (quit). From other terminals, as root:")
        print(f"  nsenter -m -n -t {doors['client']} ping {lab.SERVER_IP}")
        for b in (self.fw1, self.fw2):
            print(
                f"  nsenter -m -n -t {doors[b.name]} {box.KOICTL} --socket {b.socket_path} "
                "show carp all"
            )
        tcpdump = f"nsenter -m -n -t {doors['sw']} tcpdump -n -e -T carp -i lan proto 112"
        print(f"  {tcpdump}" + ("" if shutil.which("tcpdump") else "    # apt-get install tcpdump"))
        print(f"  kill -9 {self.fw1.process.pid}        # the master dies")
        say("The CLI of fw1 (help lists its commands, carp carp0 down moves the address):")
        # Ctrl-C is for the CLI; the demo itself waits for its end.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            subprocess.call([box.KOICTL, "--socket", self.fw1.socket_path])
            if self.is_dead(self.fw1):
                say("fw1 is gone; the CLI of fw2:")
                subprocess.call([box.KOICTL, "--socket", self.fw2.socket_path])
        finally:
            signal.signal(signal.SIGINT, before)


def on_term(signum, frame):
    raise SystemExit(128 + signum)


def run(program, body):
    """body(net) in a lab of its own, whose boxes end with it. @return the exit code"""
    for sig in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, on_term)
    try:
        with lab.Lab() as net:
            body(net)
            for b in net.boxes:
                if b.process.poll() is None:
                    b.terminate()
    except KeyboardInterrupt:
        print("\ninterrupted: everything is removed")
        return 130
    except (netns.LabError, TimeoutError, RuntimeError) as err:
        print(f"{program}: {err}", file=sys.stderr)
        return 1
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interactive", action="store_true")
    args = parser.parse_args()
    started = time.monotonic()

    def body(net):
        print(PICTURE, end="")
        demo = Demo(net)
        say("Starting both boxes …")
        demo.start()
        if args.interactive:
            status(demo.fw1, demo.fw2)
            demo.interactive()
        else:
            demo.tour()

    code = run("demo", body)
    if code == 0:
        say(f"Done in {time.monotonic() - started:.0f} s; nothing is left behind.")
    return code


if __name__ == "__main__":
    sys.exit(main())
