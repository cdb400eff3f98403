# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Packets at the edges, as kernel hosts send and see them: too long, with options, from elsewhere."""

import pytest

import box
import carp
import lab

MTU = 1400
LAN_OWN = "192.0.2.2"


@pytest.fixture
def narrow(make_pair):
    """A pair whose WAN carries less than its LAN, and whose LAN is asked where packets come from."""
    confs = [box.config("fw1", state="master"), box.config("fw2", advskew=128)]
    for conf in confs:
        conf["interfaces"][0]["rp-filter"] = "strict"
        conf["interfaces"][1]["mtu"] = MTU
    pair = make_pair(*confs).start()
    pair.server.ns.ip(f"link set em0 mtu {MTU}")
    pair.client.wait_ping(lab.SERVER_IP)
    return pair


def said(host, *argv):
    """What a ping of one packet says."""
    return host.ns.run(["ping", "-n", "-c", "1", "-W", "3", *argv], check=False).stdout


@pytest.mark.sanitized
def test_edges_long_packets_are_fragmented(narrow):
    """RFC 1812 5.2.7: without DF what is too long arrives, put together by the server's kernel."""
    before = narrow.fw1.telemetry("/fwd/stats")
    for size in (1373, 1400, 1472):
        out = said(narrow.client, "-M", "dont", "-s", str(size), lab.SERVER_IP)
        assert f"{size + 8} bytes from {lab.SERVER_IP}" in out, out
    after = narrow.fw1.telemetry("/fwd/stats")
    assert after["fragmented"] - before["fragmented"] == 3
    assert after["fragments"] - before["fragments"] == 6


@pytest.mark.sanitized
def test_edges_path_mtu_is_told(narrow):
    """With DF the client's kernel learns the MTU, and keeps to it."""
    out = said(narrow.client, "-M", "do", "-s", "1450", lab.SERVER_IP)
    assert f"From {LAN_OWN}" in out and f"mtu = {MTU}" in out, out
    route = narrow.client.ns.run(["ip", "route", "get", lab.SERVER_IP]).stdout
    assert f"mtu {MTU}" in route, route
    assert narrow.fw1.drops()["too_big"] >= 1
    assert narrow.client.ping(lab.SERVER_IP, count=3)


@pytest.mark.sanitized
def test_edges_traceroute_names_the_box(narrow):
    """The first hop by its own address on the side of the asker, the second is the server."""
    out = said(narrow.client, "-t", "1", lab.SERVER_IP)
    assert f"From {LAN_OWN}" in out and "Time to live exceeded" in out, out
    assert f"bytes from {lab.SERVER_IP}" in said(narrow.client, "-t", "2", lab.SERVER_IP)


@pytest.mark.sanitized
def test_edges_options_pass_but_source_routes(narrow):
    """Record route and timestamps go through and back; koi does not write into them."""
    for option in (["-R"], ["-T", "tsonly"]):
        out = said(narrow.client, *option, lab.SERVER_IP)
        assert f"bytes from {lab.SERVER_IP}" in out, out
    raw = narrow.client.raw()
    source_route = bytes.fromhex("0183070401020304")
    raw.send(udp(narrow, "192.0.2.100", source_route))
    narrow.fw1.wait_counter(lambda: narrow.fw1.drops()["ip4_source_route"], 0)


@pytest.mark.sanitized
def test_edges_sources_that_cannot_be(narrow):
    """From the server's network by the LAN; from the box's own address, and from its VIP."""
    raw = narrow.client.raw()
    before = narrow.fw1.drops()
    raw.send(udp(narrow, lab.SERVER_IP))
    narrow.fw1.wait_counter(lambda: narrow.fw1.drops()["rp_filter"], before["rp_filter"])
    for n, source in enumerate((LAN_OWN, lab.LAN_VIP)):
        raw.send(udp(narrow, source))
        narrow.fw1.wait_counter(
            lambda: narrow.fw1.drops()["own_source"], before["own_source"] + n
        )
    assert narrow.fw1.drops()["rp_filter"] - before["rp_filter"] == 1


def udp(pair, source, options=b""):
    """A frame of UDP to the server's network by the shared MAC."""
    payload = bytes.fromhex("0400000900100000") + bytes(8)
    head = bytes([0x45 + len(options) // 4, 0]) + (20 + len(options) + 16).to_bytes(2, "big")
    head += bytes.fromhex("0001000040110000") + address(source) + address(lab.SERVER_IP) + options
    head = head[:10] + carp.inet_sum(head).to_bytes(2, "big") + head[12:]
    return carp.vmac(1) + pair.client.macs["em0"] + b"\x08\x00" + head + payload


def address(text):
    return bytes(int(n) for n in text.split("."))
