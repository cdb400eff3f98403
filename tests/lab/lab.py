# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The picture of the NetBSD guide, chapter 28.5, in network namespaces.

        client ---+------- LAN (bridge) -------+--- peer
               em0|                            |em0
               +-----+                      +-----+
               | fw1 |                      | fw2 |
               +-----+                      +-----+
               em1|                            |em1
        server ---+------- WAN (bridge) -------+

Both bridges live in the namespace "sw"; a port is named <host>.<interface>.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import threading
import time

import netns
import sniff

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("KOI_BUILD", os.path.join(ROOT, "build"))
PROBE = os.path.join(BUILD, "tests/lab/lab_probe")

LAN, WAN = "lan", "wan"
SERVER_IP = "198.51.100.100"
CLIENT_IP = "192.0.2.100"
LAN_VIP, WAN_VIP = "192.0.2.1", "198.51.100.1"

#: Measuring is trusted when the reference timer kept to this (dpdk-lab: "machine too busy").
TIMER_P999_MS = 4.0
TIMER_MAX_MS = 8.0


class TooBusy(Exception):
    """The machine was too busy for a wall-clock figure: neither passed nor failed."""

    TEXT = "machine too busy"


def poll_until(check, timeout, what, interval=0.015):
    """Wait until check() is true. @return its value"""
    deadline = time.monotonic() + timeout
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout} s")
        time.sleep(interval)


class Host:
    """A kernel host, or the place where a box runs: one namespace with ports on the switches."""

    def __init__(self, lab, name):
        self.lab = lab
        self.name = name
        self.ns = netns.NetNs(name)
        self.macs = {}

    def attach(self, iface, segment, address=None, ipv6=False):
        """Plug an interface into a switch; address: "a.b.c.d/len" for the kernel, or None."""
        port = f"{self.name}.{iface}"
        sw = self.lab.switch
        netns.run(
            ["ip", "link", "add", iface, "netns", self.name, "type", "veth"]
            + ["peer", "name", port, "netns", sw.name]
        )
        if not ipv6:
            self.ns.sysctl(**{f"ipv6__conf__{iface}__disable_ipv6": 1})
        sw.sysctl(**{f"ipv6__conf__{port}__disable_ipv6": 1})
        self.ns.plain_frames(iface)
        sw.plain_frames(port)
        sw.ip(f"link set {port} master {segment} up")
        up = [f"link set {iface} up"]
        self.ns.ip(*([f"addr add {address} dev {iface}"] if address else []), *up)
        self.macs[iface] = self.ns.mac(iface)
        poll_until(lambda: self.passes(iface, port), 5, f"{port} passes frames")
        return port

    def passes(self, iface, port):
        """Whether both ends know of the carrier: the kernel tells them later, in a thread of its
        own, and until then a bridge or an interface drops what comes."""
        end = self.ns.ip_json("link", "show", iface)[0]
        switch = self.lab.switch.ip_json("-d", "link", "show", port)[0]
        return end["operstate"] == "UP" and (
            switch["linkinfo"]["info_slave_data"]["state"] == "forwarding"
        )

    def steady_arp(self):
        """Neighbours stay valid during a test; a gratuitous ARP is believed at any time."""
        for iface in self.macs:
            base = f"ipv4__neigh__{iface}__"
            self.ns.sysctl(
                **{base + "base_reachable_time_ms": 600000, base + "locktime": 0}
            )

    def unplug(self, iface="em0"):
        self.lab.switch.ip(f"link set {self.name}.{iface} down")

    def plug(self, iface="em0"):
        self.lab.switch.ip(f"link set {self.name}.{iface} up")

    def power_off(self):
        """All its ports go dark at once."""
        self.lab.switch.ip(*[f"link set {self.name}.{i} down" for i in self.macs])

    def ping(self, dst, count=1, timeout=2, interval=0.01):
        """@return True when every echo was answered"""
        argv = ["ping", "-n", "-q", "-c", str(count), "-i", str(interval)]
        argv += ["-W", str(timeout), dst]
        done = self.ns.run(argv, check=False, timeout=timeout + 10 + count * interval)
        return done.returncode == 0 and " 0% packet loss" in done.stdout

    def wait_ping(self, dst, timeout=10):
        poll_until(lambda: self.ping(dst, timeout=0.3), timeout, f"{self.name} reaches {dst}")

    def arp(self, address):
        """The MAC the kernel has for a neighbour, or None."""
        for entry in self.ns.ip_json("neigh", "show", address):
            if "lladdr" in entry:
                return bytes.fromhex(entry["lladdr"].replace(":", ""))
        return None

    def raw(self, iface="em0", program=None):
        return RawSocket(self, iface, program)


class RawSocket:
    """Frames sent and received on one interface of a host, without its kernel."""

    def __init__(self, host, iface, program=None):
        self.mac = host.macs[iface]
        with host.ns.entered():
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            sniff.attach_filter(self.sock, program or sniff.INCOMING)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            self.sock.bind((iface, sniff.ETH_P_ALL))
        host.lab.closing.append(self.sock.close)

    def send(self, frame):
        self.sock.send(bytes(frame))

    def recv(self, match=lambda data: True, timeout=2.0):
        """The next frame that matches, or None."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            if left < 0 or not select.select([self.sock], [], [], max(0.0, left))[0]:
                return None
            data = self.sock.recv(65535)
            if match(data):
                return data

    def drain(self):
        while select.select([self.sock], [], [], 0)[0]:
            self.sock.recv(65535)


class Probe:
    """The 1 kHz echo stream of probe.c, from a host to an address."""

    def __init__(self, host, dst=SERVER_IP, rate=1000, fifo=30):
        if not os.path.exists(PROBE):
            raise netns.LabError(f"{PROBE} is missing: build first (ninja -C {BUILD})")
        self.result = None
        self.events = []
        self.changed = threading.Condition()
        self.child = host.ns.popen(
            [PROBE, dst, str(rate), str(fifo)], stdout=subprocess.PIPE, text=True
        )
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.child.stdout:
            with self.changed:
                self.events.append(json.loads(line))
                self.changed.notify_all()

    def wait_event(self, kind, after=0, timeout=10.0, match=lambda ev: True):
        """@return the first event of a kind from position after on"""
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                for ev in self.events[after:]:
                    if ev["event"] == kind and match(ev):
                        return ev
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"probe: no {kind} within {timeout} s")
                self.changed.wait(left)

    def mark(self):
        with self.changed:
            return len(self.events)

    def flowing(self, timeout=10.0):
        self.wait_event("flowing", timeout=timeout)
        return self

    def run_for(self, seconds):
        """Let the stream run on: a measuring time, not a wait for something to happen."""
        time.sleep(seconds)

    def stop(self):
        """End the stream. @return the summary"""
        if self.result is None:
            self.child.send_signal(signal.SIGINT)
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.child.kill()
                raise
            self.thread.join()
            self.child.stdout.close()
            self.result = next(ev for ev in self.events if ev["event"] == "summary")
        return self.result


class Clock(Probe):
    """Only the reference timer: how late wakers are on this machine while a test runs."""

    def __init__(self, host):
        super().__init__(host, "127.0.0.1", rate=10, fifo=0)

    def judge(self):
        judge(self.stop())


def timer_text(summary):
    late = summary["timer_late_ms"]
    return (
        f"3.9 ms timer late by p99 {late['p99']:.2f}, p99.9 {late['p999']:.2f}, "
        f"max {late['max']:.2f} ms"
    )


def judge(summary):
    """Raise TooBusy when the run's reference timer was too late to judge wall-clock figures."""
    late = summary["timer_late_ms"]
    if late["p999"] > TIMER_P999_MS or late["max"] > TIMER_MAX_MS:
        raise TooBusy(f"{TooBusy.TEXT}: {timer_text(summary)}")


class Lab:
    """The switches, the hosts and everything that runs on them. A context manager."""

    def __init__(self, sniff_all=False):
        netns.enter_private()
        self.closing = []
        self.hosts = {}
        self.boxes = []
        self.switch = None
        self.sniffer = None
        atexit.register(self.close)
        try:
            self.switch = netns.NetNs("sw")
            # Bridges that forward anything at once: no spanning tree, no snooping.
            for bridge in (LAN, WAN):
                self.switch.ip(
                    f"link add {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
                )
                self.switch.sysctl(**{f"ipv6__conf__{bridge}__disable_ipv6": 1})
                self.switch.ip(f"link set {bridge} up")
            self.sniffer = sniff.Sniffer(self.switch, sniff.INCOMING if sniff_all else None)
        except BaseException:
            self.close()
            raise

    def host(self, name):
        self.hosts[name] = Host(self, name)
        return self.hosts[name]

    def firewall(self, name, address_lan=None, address_wan=None, wan=True):
        """A place for a box: em0 on the LAN, em1 on the WAN, no kernel address unless given."""
        fw = self.host(name)
        fw.attach("em0", LAN, address_lan)
        if wan:
            fw.attach("em1", WAN, address_wan)
        return fw

    def client(self):
        host = self.host("client")
        host.attach("em0", LAN, f"{CLIENT_IP}/24")
        host.ns.ip(f"route add default via {LAN_VIP}")
        host.steady_arp()
        return host

    def server(self):
        host = self.host("server")
        host.attach("em0", WAN, f"{SERVER_IP}/24")
        host.ns.ip(f"route add default via {WAN_VIP}")
        host.steady_arp()
        return host

    def inject(self, port):
        """A sender of frames out of a port of the switch, past its address table."""
        with self.switch.entered():
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            sock.bind((port, 0))
        self.closing.append(sock.close)
        return sock.send

    def peer(self, segment=LAN):
        """A host without an address, for hand-made frames."""
        host = self.host(f"peer-{segment}")
        host.attach("em0", segment)
        # Its kernel stays quiet: no ARP, no IGMP.
        host.ns.ip("link set em0 arp off")
        return host

    def close(self):
        """Stop and remove everything; safe to call twice."""
        atexit.unregister(self.close)
        for box in self.boxes:
            box.kill()
        self.boxes = []
        for undo in reversed(self.closing):
            undo()
        self.closing = []
        if self.sniffer is not None:
            self.sniffer.close()
            self.sniffer = None
        for host in self.hosts.values():
            host.ns.delete()
        self.hosts = {}
        if self.switch is not None:
            self.switch.delete()
            self.switch = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
