# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Other people's daemons on the same switches: ucarp and keepalived, from their Debian packages.

tests/setup.sh peers unpacks them; they are not installed, so no service ever starts.
"""

import os
import re
import signal
import subprocess

import lab
import netns

PEERS = os.path.join(lab.ROOT, ".build/peers")


def find(name):
    """@return (program, environment) of an unpacked or installed daemon"""
    base = os.path.join(PEERS, name)
    program = os.path.join(base, "usr/sbin", name)
    if os.path.exists(program):
        libs = [os.path.join(base, d, "x86_64-linux-gnu") for d in ("usr/lib", "lib")]
        libs += [
            os.path.join(base, d, sub)
            for d in ("usr/lib", "lib")
            if os.path.isdir(os.path.join(base, d))
            for sub in os.listdir(os.path.join(base, d))
        ]
        return program, {**os.environ, "LD_LIBRARY_PATH": ":".join(dict.fromkeys(libs))}
    if os.path.exists(f"/usr/sbin/{name}"):
        return f"/usr/sbin/{name}", dict(os.environ)
    raise netns.LabError(f"{name} is not there: run tests/setup.sh peers")


def find_prometheus(name):
    """@return path of "prometheus" or "promtool" """
    for base in (os.path.join(PEERS, "prometheus"), "/"):
        program = os.path.join(base, "usr/bin", name)
        if os.path.exists(program):
            return program
    raise netns.LabError(f"{name} is not there: run tests/setup.sh peers")


class Daemon:
    """A process on a host with its output in a file."""

    def __init__(self, host, name):
        self.host = host
        self.program, self.env = find(name)
        self.dir = netns.new_dir(name)
        self.log_path = os.path.join(self.dir, "log")
        self.process = None
        host.lab.boxes.append(self)

    def spawn(self, argv):
        with open(self.log_path, "ab") as log:
            self.process = self.host.ns.popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.env,
                cwd=self.dir,
            )

    def signal(self, sig):
        self.process.send_signal(sig)

    def kill(self):
        if self.process is not None:
            netns.kill_group(self.process)

    def terminate(self):
        return netns.stop(self.process, signal.SIGTERM)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def log_lines(self, pattern):
        return [line for line in self.log().splitlines() if re.search(pattern, line)]

    def script(self, name, body):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="ascii") as f:
            f.write("#!/bin/sh\n" + body + "\n")
        os.chmod(path, 0o755)
        return path


class Ucarp(Daemon):
    """ucarp on one interface: one vhid, one shared address, the interface's own MAC."""

    def __init__(
        self, host, iface, source, vhid, password, vip, advskew, preempt=True, ratio=3, prefix=24
    ):
        super().__init__(host, "ucarp")
        self.vip = vip
        up = self.script("up", f"ip addr replace {vip}/{prefix} dev {iface}")
        down = self.script("down", f"ip addr del {vip}/{prefix} dev {iface} || true")
        # ucarp takes the password on its command line: visible in the lab only.
        self.argv = [
            self.program,
            f"--interface={iface}",
            f"--srcip={source}",
            f"--vhid={vhid}",
            f"--pass={password}",
            f"--addr={vip}",
            "--advbase=1",
            f"--advskew={advskew}",
            f"--deadratio={ratio}",
            f"--upscript={up}",
            f"--downscript={down}",
            "--shutdown",
        ]
        if preempt:
            self.argv.append("--preempt")

    def start(self):
        self.spawn(self.argv)
        return self

    def state(self):
        """What the log says: MASTER, BACKUP or None."""
        found = re.findall(r"Switching to state: (\w+)", self.log())
        return found[-1] if found else None

    def wait_state(self, state, timeout=8.0):
        lab.poll_until(lambda: self.state() == state, timeout, f"ucarp is {state}", 0.02)


class Keepalived(Daemon):
    """keepalived on em0 and em1 as one sync group, VRRPv3."""

    def __init__(self, host, priority, state="BACKUP", interval=0.01):
        super().__init__(host, "keepalived")
        self.config = os.path.join(self.dir, "keepalived.conf")
        instances = ""
        for iface, vrid, vip in (("em0", 1, lab.LAN_VIP), ("em1", 2, lab.WAN_VIP)):
            instances += f"""
vrrp_instance {iface} {{
    state {state}
    version 3
    interface {iface}
    virtual_router_id {vrid}
    priority {priority}
    advert_int {interval}
    virtual_ipaddress {{
        {vip}/24
    }}
}}
"""
        with open(self.config, "w", encoding="ascii") as f:
            f.write(
                "global_defs {\n    vrrp_version 3\n    vrrp_garp_master_delay 1\n}\n"
                "vrrp_sync_group pair {\n    group {\n        em0\n        em1\n    }\n}\n"
                + instances
            )

    def start(self):
        argv = [self.program, "--dont-fork", "--log-console", "--log-detail", "--vrrp"]
        argv += ["--use-file", self.config, "--pid", os.path.join(self.dir, "pid")]
        argv += ["--vrrp_pid", os.path.join(self.dir, "vrrp_pid")]
        self.spawn(argv)
        return self

    def master(self):
        """True when the shared addresses are on this host."""
        text = str(self.host.ns.ip_json("addr", "show"))
        return lab.LAN_VIP + "'" in text and lab.WAN_VIP + "'" in text
