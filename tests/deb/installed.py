# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The installed koi of a fresh Debian, in a network namespace of the lab, started as its unit does it."""

import os
import re
import shutil
import subprocess

import box
import manager

WATCHDOG_MS = 800
UNIT = "lib/systemd/system/koi.service"


def unit_line(it, key):
    """What koi.service of a machine says, e.g. of ExecStart."""
    found = re.findall(rf"^{key}=(.*)$", it.read(UNIT), re.MULTILINE)
    assert len(found) == 1, (key, found)
    return found[0]


class InstalledBox(box.Box):
    """By its default paths; the manager of services is the test."""

    def __init__(self, host, conf, it):
        super().__init__(host, conf)
        self.machine = it
        self.config_path = it.path("etc/koi/koi.json")
        self.socket_path = it.path(f"run/koi/{self.name}/cli.sock")
        for folder in ("run/koi", "var/lib/koi"):
            os.makedirs(it.path(folder))
        self.manager = manager.Manager(it.path("run/notify"))

    def inside(self, *argv, **env):
        """A command's words for host.ns: in the Debian, with nothing of this machine's environment."""
        words = [f"{k}={v}" for k, v in {**self.machine.ENV, **env}.items()]
        return ["/usr/bin/env", "-i", *words, "chroot", self.machine.root, *argv]

    def telemetry_path(self):
        return self.machine.path(f"run/dpdk/koi-{self.name}/dpdk_telemetry.v2")

    def argv(self, *more):
        start = unit_line(self.machine, "ExecStart").split()
        return self.inside(*start, *more, NOTIFY_SOCKET="/run/notify",
                           WATCHDOG_USEC=WATCHDOG_MS * 1000)

    def typed(self, line, check=True, timeout=60):
        """As of its machine, but on its network."""
        done = subprocess.run(
            ["nsenter", f"--net={self.host.ns.path()}",
             *self.inside("sh", "-c", "cd && " + line)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=timeout, check=False)
        assert not check or done.returncode == 0, f"{line}: {done.returncode}\n{done.stdout}"
        return done

    def leave(self):
        """Nothing of it is left."""
        for name in ("etc/koi/koi.json", "run/notify"):
            os.unlink(self.machine.path(name))
        for folder in ("run/koi", "var/lib/koi"):
            shutil.rmtree(self.machine.path(folder))
