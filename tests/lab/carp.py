# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""CARP version 2 for IPv4 in Python: a peer of our own, written apart from the product's code."""

import dataclasses
import hashlib
import hmac
import os
import socket
import struct
import threading
import time

MCAST_MAC = bytes.fromhex("01005e000012")
MCAST_IP = "224.0.0.18"
PROTO = 112


def vmac(vhid):
    return bytes.fromhex("00005e0001") + bytes([vhid])


def inet_sum(data):
    """RFC 1071 checksum."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def key_of(password):
    raw = password.encode() if isinstance(password, str) else password
    assert len(raw) <= 20
    return raw.ljust(20, b"\0")


def digest(key, vhid, vips, counter):
    """HMAC-SHA1 over version, type, vhid, the sorted addresses and the counter (8 bytes)."""
    addrs = sorted({socket.inet_aton(v) for v in vips})
    msg = bytes([2, 1, vhid]) + b"".join(addrs) + counter
    return hmac.new(key, msg, hashlib.sha1).digest()


@dataclasses.dataclass(frozen=True)
class Advert:
    """A received advert, with the header fields that surround it."""

    src_mac: bytes
    dst_mac: bytes
    src: str
    dst: str
    tos: int
    ident: int
    flags_frag: int
    ttl: int
    ip_len: int
    frame_len: int
    ip_sum_ok: bool
    version_type: int
    vhid: int
    advskew: int
    authlen: int
    demotion: int
    advbase: int
    sum_ok: bool
    counter: bytes
    md: bytes

    @property
    def bow_out(self):
        return self.advbase == 255 and self.advskew == 255

    def authentic(self, password, vips):
        return self.md == digest(key_of(password), self.vhid, vips, self.counter)


def parse(frame):
    """Decode a frame; None when it is no CARP advert."""
    if len(frame) < 70 or frame[12:14] != b"\x08\x00" or frame[23] != PROTO:
        return None
    ihl = (frame[14] & 15) * 4
    if frame[14] >> 4 != 4 or len(frame) < 14 + ihl + 36:
        return None
    ip = frame[14 : 14 + ihl]
    tos, total, ident, flags, ttl = struct.unpack_from("!xBHHHB", ip)
    hdr = frame[14 + ihl : 14 + ihl + 36]
    vt, vhid, skew, authlen, demotion, base = struct.unpack_from("!6B", hdr)
    return Advert(
        frame[6:12],
        frame[0:6],
        socket.inet_ntoa(ip[12:16]),
        socket.inet_ntoa(ip[16:20]),
        tos,
        ident,
        flags,
        ttl,
        total,
        len(frame),
        inet_sum(ip) == 0,
        vt,
        vhid,
        skew,
        authlen,
        demotion,
        base,
        inet_sum(hdr) == 0,
        hdr[8:16],
        hdr[16:36],
    )


def build(
    vhid,
    password,
    vips,
    src,
    advbase=1,
    advskew=0,
    demotion=0,
    counter=None,
    ttl=255,
    version=2,
    src_mac=None,
    dst_mac=MCAST_MAC,
    dst=MCAST_IP,
    md=None,
    trailer=b"",
    cut=None,
    bad_sum=False,
):
    """A complete frame. cut: keep only so many bytes of the CARP header."""
    counter = os.urandom(8) if counter is None else counter
    md = digest(key_of(password), vhid, vips, counter) if md is None else md
    head = bytes([version << 4 | 1, vhid, advskew, 7, demotion, advbase])
    csum = inet_sum(head + b"\0\0" + counter + md)
    if bad_sum:
        csum ^= 0x5555
    body = head + struct.pack("!H", csum) + counter + md
    body = body[:cut] + trailer
    ip = struct.pack(
        "!BBHHHBBH4s4s",
        0x45,
        0x10,
        20 + len(body),
        0,
        0x4000,
        ttl,
        PROTO,
        0,
        socket.inet_aton(src),
        socket.inet_aton(dst),
    )
    ip = ip[:10] + struct.pack("!H", inet_sum(ip)) + ip[12:]
    eth = dst_mac + (vmac(vhid) if src_mac is None else src_mac) + b"\x08\x00"
    return eth + ip + body


class Sender:
    """Sends an advert now and then every interval, from a thread, until stop()."""

    def __init__(self, send, make, interval):
        self.send = send
        self.make = make
        self.interval = interval
        self.sent = []
        self.halt = threading.Event()
        self.thread = threading.Thread(target=self._loop, daemon=True)
        self.thread.start()

    def _loop(self):
        due = time.monotonic()
        while not self.halt.wait(max(0.0, due - time.monotonic())):
            self.send(self.make())
            self.sent.append(time.time())
            due += self.interval

    def stop(self):
        """@return the time of the last advert sent"""
        self.halt.set()
        self.thread.join()
        return self.sent[-1]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.halt.set()
        self.thread.join()
