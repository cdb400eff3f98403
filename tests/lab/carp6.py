# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""CARP over IPv6, neighbour discovery and group membership in Python: the other half of carp.py."""

import dataclasses
import hashlib
import hmac
import os
import socket
import struct

import carp
import sniff

MCAST_MAC = bytes.fromhex("333300000012")
MCAST_IP = "ff02::12"
ALL_NODES = "ff02::1"
NS, NA = 135, 136
ROUTER, SOLICITED, OVERRIDE = 0x80, 0x40, 0x20

#: Filter of a sniffer: ARP, CARP over both families, IGMP, and of ICMPv6 all but echoes and
#: errors, as they enter the switch.
CONTROL = [
    (0x28, 0, 0, sniff.SKF_AD_PKTTYPE),
    (0x15, 14, 0, sniff.PACKET_OUTGOING),
    (0x28, 0, 0, 12),  # ldh  EtherType
    (0x15, 11, 0, 0x0806),  # jeq  ARP -> accept
    (0x15, 0, 6, 0x86DD),  # jeq  IPv6, else to IPv4
    (0x30, 0, 0, 20),  # ldb  next header
    (0x15, 8, 0, 112),  # jeq  CARP -> accept
    (0x15, 7, 0, 0),  # jeq  hop-by-hop options (MLD) -> accept
    (0x15, 0, 7, 58),  # jeq  ICMPv6, else drop
    (0x30, 0, 0, 54),  # ldb  its type
    (0x35, 4, 5, 130),  # jge  MLD and ND -> accept, else drop
    (0x15, 0, 4, 0x0800),  # jeq  IPv4, else drop
    (0x30, 0, 0, 23),  # ldb  protocol
    (0x15, 1, 0, 112),  # jeq  CARP -> accept
    (0x15, 0, 1, 2),  # jeq  IGMP -> accept, else drop
    (0x06, 0, 0, 0xFFFF),  # accept
    (0x06, 0, 0, 0),  # drop
]


def sniffer(net):
    """A second recorder on the switches, for both families; closed with the lab."""
    both = sniff.Sniffer(net.switch, CONTROL)
    net.closing.append(both.close)
    return both


def packed(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address)


def text(raw):
    return socket.inet_ntop(socket.AF_INET6, raw)


def mcast_mac(address):
    return b"\x33\x33" + packed(address)[12:]


def solicited_node(address):
    return text(packed("ff02::1:ff00:0")[:13] + packed(address)[13:])


def digest(password, vhid, vips, counter):
    """Over the VIPs of both families: IPv4 first, each family sorted, none twice."""
    raw = {packed(v) for v in vips}
    addrs = sorted(a for a in raw if len(a) == 4) + sorted(a for a in raw if len(a) == 16)
    message = bytes([2, 1, vhid]) + b"".join(addrs) + counter
    return hmac.new(carp.key_of(password), message, hashlib.sha1).digest()


def pseudo(src, dst, length, proto):
    return packed(src) + packed(dst) + struct.pack("!II", length, proto)


@dataclasses.dataclass(frozen=True)
class Advert:
    """A received advert over IPv6."""

    src_mac: bytes
    dst_mac: bytes
    first_word: int
    payload: int
    hop_limit: int
    src: str
    dst: str
    frame_len: int
    version_type: int
    vhid: int
    advskew: int
    authlen: int
    demotion: int
    advbase: int
    sum_plain: bool
    counter: bytes
    md: bytes

    @property
    def bow_out(self):
        return self.advbase == 255 and self.advskew == 255


def parse(frame):
    """Decode a frame; None when it is no advert over IPv6."""
    if len(frame) < 90 or frame[12:14] != b"\x86\xdd" or frame[20] != carp.PROTO:
        return None
    word, payload, _, hops = struct.unpack_from("!IHBB", frame, 14)
    hdr = frame[54:90]
    vt, vhid, skew, authlen, demotion, base = hdr[:6]
    return Advert(
        frame[6:12], frame[0:6], word, payload, hops, text(frame[22:38]), text(frame[38:54]),
        len(frame), vt, vhid, skew, authlen, demotion, base, carp.inet_sum(hdr) == 0,
        hdr[8:16], hdr[16:36],
    )  # fmt: skip


def ip6(src, dst, proto, payload, hop_limit=255, src_mac=b"", dst_mac=None):
    """A complete frame; dst_mac: default that of the multicast group dst."""
    eth = (dst_mac or mcast_mac(dst)) + src_mac + b"\x86\xdd"
    head = struct.pack("!IHBB", 0x60000000, len(payload), proto, hop_limit)
    return eth + head + packed(src) + packed(dst) + payload


def advert(vhid, password, vips, src, advbase=1, advskew=0, demotion=0, counter=None,
           pseudo_sum=False, src_mac=None, hop_limit=255, dst=MCAST_IP, dst_mac=None):
    """An advert over IPv6; both kinds of checksum."""
    counter = os.urandom(8) if counter is None else counter
    head = bytes([0x21, vhid, advskew, 7, demotion, advbase])
    rest = counter + digest(password, vhid, vips, counter)
    over = pseudo(src, dst, 36, carp.PROTO) if pseudo_sum else b""
    csum = struct.pack("!H", carp.inet_sum(over + head + b"\0\0" + rest))
    return ip6(
        src, dst, carp.PROTO, head + csum + rest, hop_limit, src_mac or carp.vmac(vhid), dst_mac
    )


def advert4(vhid, password, vips, src, counter=None, **kw):
    """An advert over IPv4 of a group with VIPs of both families."""
    counter = os.urandom(8) if counter is None else counter
    md = digest(password, vhid, vips, counter)
    return carp.build(vhid, password, [], src, counter=counter, md=md, **kw)


def icmp6(src, dst, body, src_mac, dst_mac=None, hop_limit=255):
    """body: type, code, two zero bytes, and the rest."""
    csum = carp.inet_sum(pseudo(src, dst, len(body), 58) + body)
    body = body[:2] + struct.pack("!H", csum) + body[4:]
    return ip6(src, dst, 58, body, hop_limit, src_mac, dst_mac)


def solicitation(target, src, src_mac):
    """A neighbour solicitation to the target's group; src "::" makes it a DAD probe."""
    body = bytes([NS, 0, 0, 0]) + bytes(4) + packed(target)
    if src != "::":
        body += b"\x01\x01" + src_mac
    return icmp6(src, solicited_node(target), body, src_mac)


@dataclasses.dataclass(frozen=True)
class Nd:
    """A neighbour solicitation or advertisement."""

    kind: int
    src: str
    dst: str
    hop_limit: int
    flags: int
    target: str
    option: tuple
    sum_ok: bool


def nd(frame):
    """Decode a frame (sniff.Frame or bytes); None when it is neither NS nor NA."""
    data = getattr(frame, "data", frame)
    if len(data) < 78 or data[12:14] != b"\x86\xdd" or data[20] != 58:
        return None
    if data[54] not in (NS, NA):
        return None
    length = struct.unpack_from("!H", data, 18)[0]
    body = data[54 : 54 + length]
    src, dst = text(data[22:38]), text(data[38:54])
    option = (body[24], body[26:32]) if len(body) >= 32 else (0, b"")
    ok = carp.inet_sum(pseudo(src, dst, length, 58) + body) == 0
    return Nd(body[0], src, dst, data[21], body[4], text(body[8:24]), option, ok)


def advert6_from(port, vhid=None):
    def match(frame):
        ad = parse(frame.data) if frame.port == port else None
        return ad is not None and (vhid is None or ad.vhid == vhid)

    return match


def na_from(port, target, dst=None):
    """Predicate: a neighbour advertisement that came in by a port."""

    def match(frame):
        n = nd(frame) if frame.port == port else None
        if n is None or n.kind != NA or n.target != target:
            return False
        return dst is None or n.dst == dst

    return match


# -- membership -------------------------------------------------------------------------------


def reported(frame):
    """Groups that a frame reports as joined or present: IGMPv3 or MLDv2; an empty list if none."""
    data = frame.data
    if data[12:14] == b"\x08\x00" and len(data) > 23 and data[23] == 2:
        at = 14 + (data[14] & 15) * 4
        if data[at] == 0x22:
            return _records(data[at:], 4, socket.AF_INET)
        return [socket.inet_ntoa(data[at + 4 : at + 8])] if data[at] in (0x12, 0x16) else []
    # Hop-by-hop options with the router alert, then ICMPv6.
    if data[12:14] == b"\x86\xdd" and len(data) > 62 and data[20] == 0 and data[54] == 58:
        body = data[62:]
        if body[0] == 143:
            return _records(body, 16, socket.AF_INET6)
        return [text(body[8:24])] if body[0] == 131 else []
    return []


def _records(body, size, family):
    found, at = [], 8
    for _ in range(struct.unpack_from("!H", body, 6)[0]):
        kind, aux, n = struct.unpack_from("!BBH", body, at)
        # Mode is or changes to "exclude nothing": a member of all sources.
        if kind in (2, 4) and n == 0:
            found.append(socket.inet_ntop(family, body[at + 4 : at + 4 + size]))
        at += 4 + size + n * size + aux * 4
    return found


def igmp_query(src, src_mac):
    """A general IGMPv3 query, to be answered within 0.5 s."""
    body = bytes([0x11, 5, 0, 0]) + bytes(4) + bytes([2, 125, 0, 0])
    body = body[:2] + struct.pack("!H", carp.inet_sum(body)) + body[4:]
    ip = struct.pack("!BBHHHBBH", 0x46, 0xC0, 24 + len(body), 0, 0, 1, 2, 0)
    ip += socket.inet_aton(src) + socket.inet_aton("224.0.0.1") + b"\x94\x04\0\0"
    ip = ip[:10] + struct.pack("!H", carp.inet_sum(ip)) + ip[12:]
    return bytes.fromhex("01005e000001") + src_mac + b"\x08\x00" + ip + body


def mld_query(src, src_mac):
    """A general MLDv2 query, to be answered within 0.5 s."""
    body = struct.pack("!BBHHH", 130, 0, 0, 500, 0) + bytes(16) + bytes([2, 125, 0, 0])
    csum = carp.inet_sum(pseudo(src, ALL_NODES, len(body), 58) + body)
    body = body[:2] + struct.pack("!H", csum) + body[4:]
    alert = bytes([58, 0, 5, 2, 0, 0, 1, 0])
    return ip6(src, ALL_NODES, 0, alert + body, 1, src_mac)
