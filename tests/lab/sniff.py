# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Frames on the lab's switches, with kernel timestamps and the port they came in by."""

import ctypes
import dataclasses
import select
import socket
import struct
import threading
import time

import carp

ETH_P_ALL = 0x0003
SO_ATTACH_FILTER = 26
SO_TIMESTAMPNS = 35
PACKET_OUTGOING = 4
SKF_AD_PKTTYPE = 0xFFFFF000 + 4

#: What the protocol is made of: ARP, and IPv4 protocol 112. Frames that leave by a port are
#: the copies of frames that came in by another.
CONTROL_ONLY = [
    (0x28, 0, 0, SKF_AD_PKTTYPE),  # ldh  packet type
    (0x15, 6, 0, PACKET_OUTGOING),  # jeq  outgoing -> drop
    (0x28, 0, 0, 12),  # ldh  EtherType
    (0x15, 3, 0, 0x0806),  # jeq  ARP -> accept
    (0x15, 0, 3, 0x0800),  # jeq  IPv4, else drop
    (0x30, 0, 0, 23),  # ldb  protocol
    (0x15, 0, 1, 112),  # jeq  CARP -> accept, else drop
    (0x06, 0, 0, 0xFFFF),  # accept
    (0x06, 0, 0, 0),  # drop
]
INCOMING = [
    (0x28, 0, 0, SKF_AD_PKTTYPE),
    (0x15, 1, 0, PACKET_OUTGOING),
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
]


def attach_filter(sock, program):
    code = b"".join(struct.pack("HBBI", *insn) for insn in program)
    buf = ctypes.create_string_buffer(code)
    sock.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(buf))
    )


@dataclasses.dataclass(frozen=True)
class Frame:
    """A frame that entered the switch. ts: seconds, CLOCK_REALTIME, taken by the kernel."""

    ts: float
    port: str
    data: bytes

    @property
    def ethertype(self):
        return struct.unpack_from("!H", self.data, 12)[0] if len(self.data) >= 14 else 0

    @property
    def src(self):
        return self.data[6:12]

    @property
    def dst(self):
        return self.data[0:6]

    @property
    def advert(self):
        """The CARP advert in it, or None."""
        return carp.parse(self.data)

    @property
    def arp(self):
        """(op, sender MAC, sender IP, target MAC, target IP), or None."""
        if self.ethertype != 0x0806 or len(self.data) < 42:
            return None
        op = struct.unpack_from("!H", self.data, 20)[0]
        d = self.data
        return (
            op,
            d[22:28],
            socket.inet_ntoa(d[28:32]),
            d[32:38],
            socket.inet_ntoa(d[38:42]),
        )

    @property
    def gratuitous(self):
        return self.arp is not None and self.arp[2] == self.arp[4] and self.arp[2] != "0.0.0.0"


class Sniffer:
    """Records frames in a thread until close()."""

    def __init__(self, ns, program=None):
        program = CONTROL_ONLY if program is None else program
        with ns.entered():
            # All interfaces of the namespace; made while it has no traffic yet.
            self.sock = socket.socket(
                socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)
            )
            attach_filter(self.sock, program)
            self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.frames = []
        self.changed = threading.Condition()
        self.stop_r, self.stop_w = socket.socketpair()
        self.thread = threading.Thread(target=self._loop, daemon=True)
        self.thread.start()

    def _loop(self):
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        poll.register(self.stop_r, select.POLLIN)
        while True:
            ready = poll.poll()
            if any(fd == self.stop_r.fileno() for fd, _ in ready):
                return
            try:
                data, anc, _, addr = self.sock.recvmsg(65535, 256)
            except OSError:
                continue
            if "." not in addr[0]:
                continue  # the bridge's own copy
            ts = time.time()
            for level, kind, payload in anc:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    sec, nsec = struct.unpack("qq", payload)
                    ts = sec + nsec / 1e9
            with self.changed:
                self.frames.append(Frame(ts, addr[0], data))
                self.changed.notify_all()

    def close(self):
        if self.thread.is_alive():
            self.stop_w.send(b"x")
            self.thread.join()
        for s in (self.sock, self.stop_r, self.stop_w):
            s.close()

    def mark(self):
        """A position: frames from here on are "new"."""
        with self.changed:
            return len(self.frames)

    def take(self):
        """@return all frames so far, which are forgotten: every mark() from before is void"""
        with self.changed:
            frames, self.frames = self.frames, []
            return frames

    def wait(self, match, since=None, timeout=5.0, what="frame"):
        """The first frame that matches; since: a mark(), default: from now."""
        deadline = time.monotonic() + timeout
        with self.changed:
            pos = len(self.frames) if since is None else since
            while True:
                while pos < len(self.frames):
                    if match(self.frames[pos]):
                        return self.frames[pos]
                    pos += 1
                left = deadline - time.monotonic()
                if left <= 0 or not self.changed.wait(left):
                    if pos >= len(self.frames):
                        raise TimeoutError(f"no {what} within {timeout} s")

    def select(self, match, since=0):
        """All frames so far that match."""
        with self.changed:
            return [f for f in self.frames[since:] if match(f)]

    def write_pcap(self, path):
        with self.changed:
            frames = list(self.frames)
        with open(path, "wb") as f:
            f.write(struct.pack("IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
            for fr in frames:
                sec = int(fr.ts)
                f.write(
                    struct.pack(
                        "IIII", sec, int((fr.ts - sec) * 1e9), len(fr.data), len(fr.data)
                    )
                    + fr.data
                )


def advert_from(port, vhid=None, bow_out=None):
    """Predicate: a CARP advert that came in by a port."""

    def match(frame):
        if port is not None and frame.port != port:
            return False
        ad = frame.advert
        if ad is None or (vhid is not None and ad.vhid != vhid):
            return False
        return bow_out is None or bow_out == ad.bow_out

    return match


def garp_from(port, vip):
    def match(frame):
        return frame.port == port and frame.gratuitous and frame.arp[2] == vip

    return match
