# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Ordinary traffic through the pair: TCP by iperf3 over a failover, traceroute, path MTU."""

import json
import os
import re
import select
import shutil
import socket
import struct
import subprocess
import time

import pytest

import box
import dual
import lab
import netns

IPERF = shutil.which("iperf3")
MTU = 1400
SERVERS = {"IPv4": lab.SERVER_IP, "IPv6": dual.SERVER_IP6}
#: A line of an interval: its end, and what was carried in it.
INTERVAL = re.compile(r"^\[ *\d+\] +([\d.]+)-([\d.]+) +sec +([\d.]+) (\w?)Bytes ")
UNIT = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

IP_RECVERR, IPV6_RECVERR, IPV6_UNICAST_HOPS = 11, 25, 16


@pytest.fixture
def routed(net):
    pair = dual.DualPair(net, server=True).start()
    for address in SERVERS.values():
        pair.client.wait_ping(address)
    return pair


@pytest.fixture
def narrow(net):
    """A pair whose WAN carries less than its LAN; the hosts know nothing of that."""
    confs = [dual.config("fw1", state="master"), dual.config("fw2", advskew=128)]
    for conf in confs:
        conf["interfaces"][1]["mtu"] = MTU
    pair = dual.DualPair(net, *confs, server=True).start()
    for address in SERVERS.values():
        pair.client.wait_ping(address)
    return pair


def iperf_server(host, port):
    """A server for one test. Listens when this returns."""
    child = host.ns.popen(
        [IPERF, "-s", "-1", "-p", str(port), "--forceflush"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    for line in child.stdout:
        if "Server listening" in line:
            return child
    raise netns.LabError("iperf3 -s ended")


class Transfer:
    """A TCP transfer from the client to the server, seen interval by interval."""

    SECONDS = 60  # it is ended before

    def __init__(self, pair, address, port):
        self.server = iperf_server(pair.server, port)
        argv = [IPERF, "-c", address, "-p", str(port), "-t", str(self.SECONDS), "-i", "0.25"]
        self.child = pair.client.ns.popen(
            argv + ["-b", "10M", "--forceflush"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.text = []

    def wait(self, carried, timeout=25.0):
        """The next interval in which something was carried, or nothing."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.child.stdout], [], [], left)[0]:
                raise TimeoutError(f"no such interval within {timeout} s: {self.text[-8:]}")
            line = self.child.stdout.readline()
            assert line, f"iperf3 ended: {self.text[-8:]}"
            self.text.append(line)
            found = INTERVAL.match(line)
            if found and (float(found[3]) > 0) == carried:
                return float(found[2])

    def connection(self, host):
        """The sockets of the transfer: control and data; the same while it lives."""
        out = host.ns.run(["ss", "-Htn", "state", "established", "dport", f"= :{self.port()}"])
        return sorted(line.split()[2] for line in out.stdout.splitlines())

    def port(self):
        return self.child.args[self.child.args.index("-p") + 1]

    def end(self):
        for child in (self.child, self.server):
            netns.stop(child)
            child.stdout.close()


@pytest.mark.skipif(IPERF is None, reason="iperf3 is not installed: tests/setup.sh check")
def test_traffic_tcp_survives_a_failover(routed):
    """A crash of the master in the middle of transfers of both families: they go on."""
    moving = [Transfer(routed, a, 5201 + i) for i, a in enumerate(SERVERS.values())]
    for t in moving:
        t.wait(True)
        t.wait(True)
    before = [t.connection(routed.client) for t in moving]
    assert all(len(c) == 2 for c in before), before
    forwarded = routed.fw2.telemetry("/fwd/stats")["forwarded"]
    routed.fw1.kill()
    for t in moving:
        t.wait(False)
    routed.fw2.wait_master()
    for t in moving:
        # Not one that was sent before the gap and shows late: several in a row.
        for _ in range(4):
            t.wait(True)
    assert [t.connection(routed.client) for t in moving] == before
    assert routed.fw2.telemetry("/fwd/stats")["forwarded"] > forwarded + 100
    for t in moving:
        t.end()


@pytest.mark.skipif(IPERF is None, reason="iperf3 is not installed: tests/setup.sh check")
@pytest.mark.sanitized
@pytest.mark.parametrize("family", SERVERS)
def test_traffic_tcp_both_ways(routed, family):
    """A second of all that goes, upwards and downwards."""
    for way in ([], ["-R"]):
        iperf_server(routed.server, 5201)
        done = routed.client.ns.run(
            [IPERF, "-c", SERVERS[family], "-t", "1", "-J", *way], timeout=60
        )
        got = json.loads(done.stdout)["end"]["sum_received"]["bytes"]
        print(f"{family} {' '.join(way)}: {got * 8 / 1e6:.0f} Mbit")
        assert got > 1 << 20, (way, got)


class Tracer:
    """What traceroute does: UDP with a small TTL, and who says what about it."""

    def __init__(self, host, address):
        self.six = ":" in address
        self.address = address
        with host.ns.entered():
            family = socket.AF_INET6 if self.six else socket.AF_INET
            self.sock = socket.socket(family, socket.SOCK_DGRAM)
        if self.six:
            self.sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        else:
            self.sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)

    def hop(self, ttl):
        """@return (address, type, code) of the error about a packet with this TTL"""
        if self.six:
            self.sock.setsockopt(socket.IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl)
        else:
            self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        self.sock.sendto(b"trace", (self.address, 33434 + ttl))
        poll = select.poll()
        poll.register(self.sock, 0)
        assert poll.poll(5000), f"nothing about TTL {ttl}"
        _, ancillary, _, _ = self.sock.recvmsg(512, 512, socket.MSG_ERRQUEUE)
        for _, _, data in ancillary:
            _, _, kind, code = struct.unpack_from("=IBBB", data)
            if self.six:
                return socket.inet_ntop(socket.AF_INET6, data[16 + 8 : 16 + 24]), kind, code
            return socket.inet_ntoa(data[16 + 4 : 16 + 8]), kind, code
        raise AssertionError("an error without its origin")


@pytest.mark.sanitized
def test_traffic_traceroute(routed):
    """Own address of the box, then the server; back the same."""
    own = {"IPv4": ("192.0.2.2", "198.51.100.2"), "IPv6": (f"{dual.LAN6}2", f"{dual.WAN6}2")}
    client = {"IPv4": lab.CLIENT_IP, "IPv6": dual.CLIENT_IP6}
    exceeded, unreachable = {"IPv4": (11, 0), "IPv6": (3, 0)}, {"IPv4": (3, 3), "IPv6": (1, 4)}
    for family, server in SERVERS.items():
        for host, to, near in (
            (routed.client, server, own[family][0]),
            (routed.server, client[family], own[family][1]),
        ):
            trace = Tracer(host, to)
            assert trace.hop(1) == (near, *exceeded[family])
            assert trace.hop(2) == (to, *unreachable[family])


@pytest.mark.sanitized
def test_traffic_traceroute_shows_vips_without_own_addresses(net):
    """A box without addresses of its own speaks in the name of the shared one, as master."""
    confs = [
        box.config("fw1", addresses=False, state="master"),
        box.config("fw2", addresses=False, advskew=128),
    ]
    client, server = net.client(), net.server()
    boxes = [box.Box(net.firewall(c["node"]), c).start() for c in confs]
    boxes[0].wait_master()
    client.wait_ping(lab.SERVER_IP)
    assert server.ping(lab.CLIENT_IP)
    assert Tracer(client, lab.SERVER_IP).hop(1) == (lab.LAN_VIP, 11, 0)
    assert Tracer(server, lab.CLIENT_IP).hop(1) == (lab.WAN_VIP, 11, 0)


def path_mtu(host, address):
    """What a kernel has learnt of a path; None: nothing."""
    for route in host.ns.ip_json("route", "get", address):
        for metric in route.get("metrics", ()):
            if "mtu" in metric:
                return metric["mtu"]
    return None


@pytest.mark.sanitized
@pytest.mark.parametrize("family", SERVERS)
def test_traffic_path_mtu_discovery(narrow, family):
    """TCP runs into the narrow WAN with full segments, is told, and goes on."""
    address = SERVERS[family]
    assert path_mtu(narrow.client, address) is None
    size = 1 << 20
    with narrow.server.ns.entered():
        listener = socket.create_server(
            ("::", 7777), family=socket.AF_INET6, dualstack_ipv6=True
        )
    too_big = narrow.fw1.drops()["too_big"]
    with narrow.client.ns.entered():
        sender = socket.create_connection((address, 7777), timeout=20)
    sender.settimeout(20)
    taker, _ = listener.accept()
    taker.settimeout(20)
    data = os.urandom(size)
    got = bytearray()
    sent = 0
    sender.setblocking(False)
    deadline = time.monotonic() + 30
    while len(got) < size:
        assert time.monotonic() < deadline, f"{len(got)} of {size} bytes"
        ready, room, _ = select.select([taker], [sender] if sent < size else [], [], 5)
        if room:
            sent += sender.send(data[sent : sent + 65536])
        if ready:
            got += taker.recv(1 << 20)
    for s in (sender, taker, listener):
        s.close()
    assert got == data
    assert path_mtu(narrow.client, address) == MTU
    assert narrow.fw1.drops()["too_big"] > too_big
