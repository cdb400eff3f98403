# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The manager of services: what koi tells it, sd_notify(3), and what it says of koi's unit."""

import os
import socket
import subprocess
import time


class Manager:
    """The service manager's end of NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o777)  # as systemd's own: services run as any user

    def hear(self, timeout):
        """The next message as a dict, or None."""
        self.socket.settimeout(timeout)
        try:
            text = self.socket.recv(4096).decode()
        except TimeoutError:
            return None
        return dict(line.split("=", 1) for line in text.split("\n"))

    def wait(self, key, timeout=10):
        """The value of the next message with a key; others, however many, are passed over."""
        deadline = time.monotonic() + timeout
        while True:
            message = self.hear(max(deadline - time.monotonic(), 0.001))
            assert message is not None, f"no {key} within {timeout} s"
            if key in message:
                return message[key]
            assert time.monotonic() < deadline, f"no {key} within {timeout} s, others came"


def verify(folder):
    """systemd's own check of koi.service in a folder, with its drop-ins."""
    return subprocess.run(
        ["/usr/bin/systemd-analyze", "verify", "--man=no", str(folder / "koi.service")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
