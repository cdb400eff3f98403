# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""What must not cost other people's flows a packet: scans, floods, routes that change.

Each is called with the pair and for how many seconds, and returns what it did.
"""

import json
import os
import re
import signal
import subprocess
import threading
import time

import dual
import lab
import netns

SCAN = os.path.join(lab.BUILD, "tests/lab/lab_scan")
#: Routes that change all the time lie in here, on neither side of the streams.
CHURN_NET = "100.64.{}.0/24"
CHURN_CONNECTIONS = 4
RELOAD_S = 120


def text(mac):
    return mac.hex(":")


class Scanner:
    """Hosts on both sides that look for others; made once for a pair."""

    def __init__(self, it):
        self.it = it
        self.lan = dual.host(it.net, "scan-lan", "192.0.2.200", f"{dual.LAN6}c8", lab.LAN, dual.LAN_VIPS)
        self.wan = dual.host(
            it.net, "scan-wan", "198.51.100.200", f"{dual.WAN6}c8", lab.WAN, dual.WAN_VIPS
        )

    def start(self, host, kind, rate, mac, address, prefix):
        argv = [SCAN, "em0", kind, str(rate), text(mac), address, prefix]
        return host.ns.popen(argv, stdout=subprocess.PIPE, text=True)

    def run(self, children, seconds, meanwhile=None):
        """@return frames a second that they sent, together, and what was done meanwhile"""
        began = time.monotonic()
        done = meanwhile(seconds) if meanwhile else time.sleep(seconds)
        sent = 0
        for child in children:
            netns.stop(child, signal.SIGINT)
            sent += json.loads(child.stdout.read())["sent"]
            child.stdout.close()
        return {"pps": round(sent / (time.monotonic() - began)), **(done or {})}

    def through(self, prefixes, rate, hosts=None):
        """A scan through koi, of each side by a host of the other one: koi has to look for whoever
        is not there. prefixes: of the WAN, seen from the LAN, and the other way round; hosts: as
        those of flood()."""
        six = ":" in prefixes[0]

        def disturb(it, seconds):
            before = it.fw1.telemetry("/fwd/stats")["punted_resolve"]
            macs = it.fw1.host.macs
            children = [
                self.start(host, "echo", rate // 2, macs[iface], source, prefix)
                for host, iface, source, prefix in (
                    (self.lan, "em0", f"{dual.LAN6}c8" if six else "192.0.2.200", prefixes[0]),
                    (self.wan, "em1", f"{dual.WAN6}c8" if six else "198.51.100.200", prefixes[1]),
                )
            ]
            said = self.run(children, seconds, finder(it, hosts))
            said["looked_for"] = it.fw1.telemetry("/fwd/stats")["punted_resolve"] - before
            return said

        return disturb

    def flood(self, rate, six=False, hosts=None):
        """ARP requests or solicitations to fw1 on the WAN, from askers without end. hosts: an
        iterator of addresses of the server that nobody asked for yet, each found meanwhile."""

        def disturb(it, seconds):
            target, askers = (f"{dual.WAN6}2", f"{dual.WAN6}/64") if six else (
                "198.51.100.2", "172.16.0.0/12")
            child = self.start(self.wan, "ask", rate, it.fw1.host.macs["em1"], target, askers)
            return self.run([child], seconds, finder(it, hosts))

        return disturb


def new_hosts(it, n):
    """Give the server n addresses of each family that nobody has asked for. @return them"""
    four = [f"172.16.{9 + i // 250}.{1 + i % 250}" for i in range(n)]
    six = [f"{dual.WAN6}9:{i:x}" for i in range(n)]
    it.server.ns.ip(*[f"addr add {a}/32 dev em0" for a in four])
    it.server.ns.ip(*[f"addr add {a}/128 dev em0 nodad" for a in six])
    return [a for both in zip(four, six) for a in both]


def finder(it, hosts):
    return (lambda seconds: find(it, hosts, seconds)) if hosts else None


def find(it, hosts, seconds):
    """Reach one new host after the other. @return how long each took: koi had to ask for it"""
    took, lost = [], 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        address = next(hosts, None)
        if address is None:
            break
        done = it.client.ns.run(["ping", "-n", "-c", "1", "-W", "4", address], check=False)
        found = re.search(r"time=([\d.]+) ms", done.stdout)
        if found:
            took.append(float(found.group(1)))
        else:
            lost += 1
    time.sleep(max(0.0, end - time.monotonic()))
    took.sort()
    return {
        "found": len(took),
        "not_found": lost,
        # A second later koi asks again: the first answer was lost.
        "asked_twice": sum(t >= 900 for t in took),
        "median_ms": took[len(took) // 2] if took else None,
        "max_ms": took[-1] if took else None,
    }


def churn(rate):
    """Routes that come and go by command, rate changes a second over some connections."""

    def disturb(it, seconds):
        errors, counts = [], [0] * CHURN_CONNECTIONS
        began = time.monotonic()

        def work(k):
            conn = it.fw1.connect()
            n = 0
            try:
                while time.monotonic() < began + seconds:
                    due = began + n * CHURN_CONNECTIONS / rate
                    time.sleep(max(0.0, due - time.monotonic()))
                    prefix = CHURN_NET.format((n // 2 % 32) * CHURN_CONNECTIONS + k)
                    verb = f"add {prefix} via 198.51.100.77" if n % 2 == 0 else f"del {prefix}"
                    status, said = conn.request(f"route {verb}")
                    if status != 0:
                        errors.append(said)
                    n += 1
                if n % 2:
                    conn.request(f"route del {prefix}")
            finally:
                counts[k] = n
                conn.close()

        threads = [threading.Thread(target=work, args=(k,)) for k in range(CHURN_CONNECTIONS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        took = time.monotonic() - began
        return {"changes_per_s": round(sum(counts) / took), "refused": len(errors)}

    return disturb


class Reload:
    """A file with many routes, by turns with another next hop, and the one it started with."""

    def __init__(self, it, routes):
        conf = it.fw1.read_config()
        self.n = 0
        self.paths = []
        for via in ("198.51.100.77", "198.51.100.78"):
            conf["routes"] = [
                {"prefix": f"{20 + (i >> 14)}.{i >> 6 & 255}.{(i & 63) << 2}.0/22", "via": via}
                for i in range(routes)
            ]
            self.paths.append(f"{it.fw1.dir}/{via}.json")
            with open(self.paths[-1], "w", encoding="utf-8") as f:
                json.dump(conf, f)

    def __call__(self, it, seconds):
        began, took = time.monotonic(), []
        while time.monotonic() < began + seconds:
            at = time.monotonic()
            status, said = it.fw1.request(f"reload {self.paths[self.n % 2]}", timeout=RELOAD_S)
            if status != 0:
                raise netns.LabError(f"reload: {said}")
            took.append(round(time.monotonic() - at, 2))
            self.n += 1
        return {"reloads_s": took}
