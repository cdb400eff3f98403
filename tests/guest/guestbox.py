# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""koi in the guest, seen like any other box: through koictl, run over the serial line."""

import base64
import json
import shlex

import box
import machine


class GuestBox(box.Box):
    """koi in a Machine; what Box does by its socket goes through the guest's shell."""

    CONFIG, SOCKET, LOG = "/run/koi.json", "/run/cli.sock", "/run/koi.log"

    def __init__(self, host, guest, conf):
        super().__init__(host, conf)
        self.guest = guest
        self.pid = None
        self.last_log = ""

    def start(self, wait=True):
        text = base64.b64encode(json.dumps(self.conf).encode()).decode()
        self.shell(f"echo {text} | base64 -d >{self.CONFIG}")
        self.shell(f"rm -f {self.SOCKET}")
        self.pid = int(
            self.shell(
                f"koi --config {self.CONFIG} --cli-socket {self.SOCKET} "
                f"</dev/null >{self.LOG} 2>&1 & echo $!"
            )
        )
        self.killed = False
        if wait:
            self.wait_ready(machine.COMMAND_S)
        return self

    def shell(self, command):
        """@return the output of a command that must succeed"""
        code, out = self.guest.run(command)
        assert code == 0, f"{command}: exit {code}: {out}"
        return out

    def alive(self):
        return self.pid is not None and self.guest.run(f"kill -0 {self.pid}")[0] == 0

    def wait_ready(self, timeout=30):
        def ready():
            if not self.alive():
                raise RuntimeError(f"{self.name}: koi ended in the guest:\n{self.log()}")
            return self.request("show version")[0] == 0

        machine.lab.poll_until(ready, timeout, f"{self.name}: CLI answers", interval=0.1)

    def request(self, command, as_json=False, timeout=machine.COMMAND_S):
        option = "--json " if as_json else ""
        code, out = self.guest.run(
            f"koictl --socket {self.SOCKET} {option}{shlex.quote(command)}", timeout
        )
        return code, json.loads(out) if as_json and code == 0 else out

    def koictl(self, *command, args=(), timeout=10):
        raise NotImplementedError("use ctl()")

    def telemetry(self, command, timeout=5.0):
        raise NotImplementedError("the guest has no client for DPDK's socket: use ctl_json()")

    def kill(self):
        if self.pid is not None and self.guest.process.poll() is None:
            self.guest.run(f"kill -9 {self.pid}; wait {self.pid}")
            self.killed = True
        self.pid = None

    def terminate(self, timeout=machine.COMMAND_S):
        code, _ = self.guest.run(f"kill {self.pid}; wait {self.pid}", timeout)
        self.pid = None
        return code

    def log(self):
        if self.guest.process.poll() is None:
            try:
                self.last_log = self.guest.run(f"cat {self.LOG}")[1]
            except (OSError, TimeoutError):
                pass
        return self.last_log + "\n--- console\n" + self.guest.console()
