# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""What tshark reads in a file: a program that knows nothing of koi."""

import json
import subprocess


class Packet:
    """A frame of the file, as tshark has it."""

    def __init__(self, fields):
        def one(name):
            return fields.get(name.replace(".", "_"), [""])[0]

        self.time = float(one("frame.time_epoch"))
        self.interface = one("frame.interface_name")
        self.comment = one("frame.comment")
        self.protocols = one("frame.protocols").split(":")
        self.len = int(one("frame.len"))
        self.captured = int(one("frame.cap_len"))
        self.outbound = one("frame.packet_flags_direction") in ("0x00000002", "2")
        self.inbound = one("frame.packet_flags_direction") in ("0x00000001", "1")
        self.source = one("eth.src")
        self.vlan = int(one("vlan.id")) if one("vlan.id") else None
        self.ip_source = one("ip.src")
        self.ip_destination = one("ip.dst")
        self.port = int(one("udp.dstport")) if one("udp.dstport") else None

    def __repr__(self):
        way = "out" if self.outbound else "in" if self.inbound else "?"
        return f"<{self.interface} {way} {':'.join(self.protocols)} {self.len} {self.comment!r}>"


FIELDS = """frame.time_epoch frame.interface_name frame.comment frame.protocols frame.len
frame.cap_len frame.packet_flags_direction eth.src vlan.id ip.src ip.dst udp.dstport""".split()


def read(path, display_filter=None):
    """All packets of a file; a file that tshark complains about fails."""
    argv = ["tshark", "-n", "-r", path, "-T", "ek"]
    for field in FIELDS:
        argv += ["-e", field]
    if display_filter:
        argv += ["-Y", display_filter]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=180, check=False)
    complaints = [line for line in done.stderr.splitlines() if "as user" not in line]
    assert done.returncode == 0 and not complaints, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
    return [Packet(line["layers"]) for line in lines if "layers" in line]
