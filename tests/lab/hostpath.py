# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Daemons of the boxes behind the host path, and who talks to them."""

import socket
import subprocess
import sys

import dual
import lab

PORT = 2222
TAPS = {"em0": "koi-em0", "em1": "koi-em1"}

#: As sshd does: says who it is, and then answers line by line for as long as it is asked.
SERVER = """
import socket, sys, threading
def serve(conn):
    with conn, conn.makefile("rw") as f:
        f.write(sys.argv[1] + "\\n"); f.flush()
        for line in f:
            f.write(sys.argv[1] + " " + line); f.flush()
s = socket.create_server(("::", int(sys.argv[2])), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
"""


class Session:
    """A TCP connection from a host to a server; the banner says whose."""

    def __init__(self, host, address, source=None, timeout=5):
        with host.ns.entered():
            self.sock = socket.create_connection(
                (address, PORT), timeout=timeout, source_address=(source, 0) if source else None
            )
        self.file = self.sock.makefile("rw")
        self.banner = self.file.readline().strip()

    def ask(self, text):
        self.file.write(text + "\n")
        self.file.flush()
        return self.file.readline().strip()

    def close(self):
        self.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def serve(host, name):
    """A server on a host, on all its addresses, present and future."""
    child = host.ns.popen(
        [sys.executable, "-c", SERVER, name, str(PORT)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "ready\n"


def config(node, host=True, **kw):
    """dual.config() with a tap for each interface."""
    conf = dual.config(node, **kw)
    for iface in conf["interfaces"]:
        iface["host"] = host
    return conf


def start(net, conf1=None, conf2=None):
    """A pair with taps, a client, a server, and a daemon on each box."""
    confs = conf1 or config("fw1", state="master"), conf2 or config("fw2", advskew=128)
    pair = dual.DualPair(net, *confs, server=True).start()
    for fw in pair.boxes:
        serve(fw.host, fw.name)
    wait_vips(pair.fw1, True)
    return pair


def addresses(fw, iface):
    """What the kernel of a box has on a tap, as text."""
    found = fw.host.ns.ip_json("addr", "show", "dev", TAPS[iface])
    return {a["local"] for link in found for a in link.get("addr_info", ())}


def has_vips(fw, yes):
    return (lab.LAN_VIP in addresses(fw, "em0")) == yes == (
        dual.WAN_VIP6 in addresses(fw, "em1")
    )


def wait_vips(fw, yes):
    lab.poll_until(lambda: has_vips(fw, yes), 5, f"the kernel of {fw.name} has VIPs: {yes}")


def tap(fw, iface="em0"):
    """Counters of a tap."""
    taps = fw.ctl_json("show host")["taps"]
    return next(t for t in taps if t["interface"] == iface)
