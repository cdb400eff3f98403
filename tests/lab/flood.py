#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Clients that mean no good: flood.py KIND WHERE N, until its standard input ends.

KIND is cli, telemetry or metrics (WHERE is a path, or an address of the kernel) and behaviour:
"flood" asks as fast as it is answered, several requests ahead; "stall" asks and never reads;
"kill" connects, asks and is gone in the middle of the answer. It prints "ready" once N requests
were sent, and at the end how many were and how many bytes were read.
"""

import select
import socket
import sys
import time

REQUESTS = {
    "cli": b'{"cmd": "show carp all"}\n' * 4 + b'{"cmd": "help", "json": true}\n',
    "telemetry": b"/koi/info",
    "metrics": b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
}
PORT = 9568


class Client:
    def __init__(self, kind, where):
        self.kind, self.where = kind, where
        self.sock = None

    def connect(self):
        if self.kind == "metrics":
            sock = socket.socket()
            target = (self.where, PORT)
        else:
            of = socket.SOCK_SEQPACKET if self.kind == "telemetry" else socket.SOCK_STREAM
            sock = socket.socket(socket.AF_UNIX, of)
            target = self.where
        sock.setblocking(False)
        try:
            sock.connect(target)
        except BlockingIOError:
            if self.kind != "metrics":  # a backlog that is full: later
                sock.close()
                return
        except OSError:
            sock.close()
            return
        self.sock = sock

    def close(self):
        if self.sock is not None:
            self.sock.close()
        self.sock = None


def main():
    kind, behaviour, where, n = sys.argv[1:5]
    clients = [Client(kind, where) for _ in range(int(n))]
    sent = read = 0
    ready = False
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    while True:
        idle = True
        for c in clients:
            if c.sock is None:
                c.connect()
                if c.sock is None:
                    continue
            try:
                sent += c.sock.send(REQUESTS[kind]) > 0
                idle = False
            except BlockingIOError:
                pass
            except OSError:
                c.close()
                continue
            if behaviour == "stall":
                continue
            if behaviour == "kill":
                c.close()
                continue
            try:
                data = c.sock.recv(1 << 16)
                read += len(data)
                idle = False
                if not data:
                    c.close()
            except BlockingIOError:
                pass
            except OSError:
                c.close()
        if not ready and sent >= len(clients):
            ready = True
            print("ready", flush=True)
        # A little rest when nothing moves; else only a look whether to end.
        if poll.poll(1 if idle or behaviour == "kill" else 0):
            break
        if behaviour == "stall":
            time.sleep(0.01)
    print(sent, read)


if __name__ == "__main__":
    main()
