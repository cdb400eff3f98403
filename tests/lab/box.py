# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""A koi process in a namespace of the lab, seen as its operator sees it."""

import copy
import datetime
import json
import os
import re
import signal
import socket
import subprocess

import drivers
import lab
import netns

KOI = os.environ.get("KOI_BIN", os.path.join(lab.BUILD, "app/koi/koi"))
KOICTL = os.environ.get("KOICTL_BIN", os.path.join(lab.BUILD, "app/koictl/koictl"))

#: KOI_LAB_DRIVER=patched runs any test on the drivers of dpdk-patches.
DRIVER = os.environ.get("KOI_LAB_DRIVER", "stock")
EAL = ["--no-huge", "-m", "128", "--no-shconf", "--no-pci"]

#: What a sanitizer prints when it has found something.
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:|ThreadSanitizer")

STATUS = re.compile(
    r"carp: (?P<state>\w+) carpdev (?P<carpdev>\S+) vhid (?P<vhid>\d+) "
    r"advbase (?P<advbase>\d+) advskew (?P<advskew>\d+)"
)


def config(node, advskew=0, preempt=True, addresses=True, two=True, state=None, **carp):
    """Configuration of the guide's firewalls, chapter 28.5; fw1 is the preferred one.

    state: what every group starts as; carp: further keys of "carp".
    """
    host = {"fw1": 2, "fw2": 3, "fw3": 4}[node]
    groups = [
        {
            "name": "carp0",
            "carpdev": "em0",
            "vhid": 1,
            "pass": "lanpasswd",
            "advskew": advskew,
            "addresses": [f"{lab.LAN_VIP}/24"],
        },
        {
            "name": "carp1",
            "carpdev": "em1",
            "vhid": 2,
            "pass": "wanpasswd",
            "advskew": advskew,
            "addresses": [f"{lab.WAN_VIP}/24"],
        },
    ]
    interfaces = [
        {"name": "em0", "device": "net_af_packet0"},
        {"name": "em1", "device": "net_af_packet1"},
    ]
    if addresses:
        interfaces[0]["addresses"] = [f"192.0.2.{host}/24"]
        interfaces[1]["addresses"] = [f"198.51.100.{host}/24"]
    if state:
        for group in groups:
            group["state"] = state
    n = 2 if two else 1
    conf = {
        "node": node,
        "eal": drivers.eal(DRIVER) + EAL + [f"--vdev=net_af_packet{i},iface=em{i}" for i in range(n)],
        "interfaces": interfaces[:n],
        "carp": {"preempt": preempt, "log": 2, "groups": groups[:n]},
    }
    conf["carp"].update(carp)
    return conf


def fast(conf, advskew):
    """The same box with fast groups: advbase 0 and the given skew."""
    conf = copy.deepcopy(conf)
    for group in conf["carp"]["groups"]:
        group.update({"fast": True, "advbase": 0, "advskew": advskew})
    return conf


def when(event):
    """@return the time of an event of koi (s, CLOCK_REALTIME)"""
    return datetime.datetime.fromisoformat(event["wall"]).timestamp()


class CtlError(RuntimeError):
    """A command was refused; the text is the reply."""


class Connection:
    """One connection to the CLI's socket, for framed requests."""

    def __init__(self, name, path, timeout=5.0):
        self.name = name
        self._buf = b""
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._sock.settimeout(timeout)
            self._sock.connect(path)
        except OSError:
            self.close()
            raise

    def close(self):
        self._sock.close()

    def request(self, command, as_json=False, timeout=5.0):
        """@return (status, output)"""
        self._sock.settimeout(timeout)
        line = json.dumps({"cmd": command, "json": as_json}) + "\n"
        self._sock.sendall(line.encode())
        while b"\n" not in self._buf:
            data = self._sock.recv(65536)
            if not data:
                raise ConnectionError(f"{self.name}: CLI closed the connection")
            self._buf += data
        reply, self._buf = self._buf.split(b"\n", 1)
        reply = json.loads(reply)
        return reply["status"], reply["output"]


class Box:
    """koi in the namespace of a host. start() returns once its CLI answers."""

    def __init__(self, host, conf):
        self.host = host
        self.conf = conf
        self.name = conf["node"]
        self.dir = netns.new_dir(host.name)
        self.config_path = os.path.join(self.dir, "koi.json")
        self.socket_path = os.path.join(self.dir, "cli.sock")
        self.log_path = os.path.join(self.dir, "log")
        self.process = None
        self.killed = False
        self.sanitizer_seen = 0
        self._conn = None
        host.lab.boxes.append(self)

    # -- life ---------------------------------------------------------------------------------

    def argv(self, *more):
        paths = ["--config", self.config_path, "--cli-socket", self.socket_path]
        return [KOI, *paths, "--state-dir", self.dir, *more]

    def write_config(self):
        with open(self.config_path, "w", encoding="utf-8") as f:
            json.dump(self.conf, f, indent=2)

    def read_config(self):
        """@return what its file has; conf is what start() writes there"""
        with open(self.config_path, encoding="utf-8") as f:
            return json.load(f)

    def start(self, wait=True):
        if not os.path.exists(KOI):
            raise netns.LabError(f"{KOI} is missing: build first")
        self.write_config()
        with open(self.log_path, "ab") as log:
            self.process = self.host.ns.popen(
                self.argv(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir
            )
        self.killed = False
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout=30):
        def ready():
            if self.process.poll() is not None:
                raise RuntimeError(
                    f"{self.name}: koi ended with {self.process.returncode}:\n{self.log()}"
                )
            try:
                return self.ctl("show version")
            except OSError:
                return None

        lab.poll_until(ready, timeout, f"{self.name}: CLI answers")

    def kill(self):
        """SIGKILL: the box is gone at once."""
        self._close()
        if self.process is not None and self.process.poll() is None:
            self.killed = True
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def terminate(self, timeout=10):
        """SIGTERM and wait. @return the exit code"""
        self._close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        return self.process.returncode

    def signal(self, sig):
        self.process.send_signal(sig)

    # -- log ----------------------------------------------------------------------------------

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def log_lines(self, pattern):
        return [line for line in self.log().splitlines() if re.search(pattern, line)]

    def sanitizer_report(self):
        text = self.log()
        found = SANITIZER.search(text)
        return text[found.start() :] if found else ""

    # -- CLI ----------------------------------------------------------------------------------

    def _close(self):
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def connect(self, timeout=5.0):
        """A connection beside the one that request() keeps."""
        return Connection(self.name, self.socket_path, timeout)

    def request(self, command, as_json=False, timeout=5.0):
        """One framed request. @return (status, output)"""
        if self._conn is None:
            self._conn = self.connect(timeout)
        try:
            return self._conn.request(command, as_json, timeout)
        except OSError:
            self._close()
            raise

    def ctl(self, command):
        """@return the text of a command that must succeed"""
        status, output = self.request(command)
        if status != 0:
            raise CtlError(f"{self.name}: {command}: {output}")
        return output

    def ctl_json(self, command):
        status, output = self.request(command, as_json=True)
        if status != 0:
            raise CtlError(f"{self.name}: {command}: {output}")
        return output

    def reload(self, conf, plan=False, now=False, timeout=30):
        """Have it load a configuration, or say what that would do. @return (status, output)"""
        how = f"{'plan ' if plan else ''}{'now ' if now else ''}"
        path = os.path.join(self.dir, "next.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(conf, f)
        return self.request(f"reload {how}{path}", timeout=timeout)

    def koictl(self, *command, args=(), timeout=10):
        """Run the client program. @return CompletedProcess with text output"""
        return subprocess.run(
            [KOICTL, "--socket", self.socket_path, *args, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )

    def status(self, group):
        """The BSD status line of a group, as a dict."""
        found = STATUS.search(self.ctl(f"show carp {group}"))
        if not found:
            raise AssertionError(f"no status line in: {self.ctl(f'show carp {group}')}")
        return found.groupdict()

    def state(self, group):
        return self.status(group)["state"]

    def states(self):
        return [self.state(g["name"]) for g in self.conf["carp"]["groups"]]

    def wait_state(self, group, state, timeout=8.0):
        lab.poll_until(
            lambda: self.state(group) == state, timeout, f"{self.name} {group} is {state}"
        )

    def wait_master(self, timeout=8.0):
        for group in self.conf["carp"]["groups"]:
            self.wait_state(group["name"], "MASTER", timeout)

    def wait_backup(self, timeout=8.0):
        for group in self.conf["carp"]["groups"]:
            self.wait_state(group["name"], "BACKUP", timeout)

    # -- telemetry ----------------------------------------------------------------------------

    def telemetry_path(self):
        base = f"/var/run/dpdk/koi-{self.name}"
        return os.path.join(base, "dpdk_telemetry.v2")

    def telemetry(self, command, timeout=5.0):
        """One request over DPDK's socket. @return the value of the reply"""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(timeout)
            s.connect(self.telemetry_path())
            s.recv(16384)  # the greeting: version, pid, max_output_len
            s.send(command.encode())
            reply = json.loads(s.recv(65536))
        key = command.split(",")[0]
        assert list(reply) == [key], f"{command}: {reply}"
        return reply[key]

    def demotions(self):
        """@return what demotes the box: (source, amount)"""
        entries = self.ctl_json("show carp demotion")["entries"]
        return [(e["source"], e["amount"]) for e in entries]

    def drops(self):
        return self.telemetry("/koi/drops")

    def carp_stats(self, group=None):
        return self.telemetry("/carp/stats" + (f",{group}" if group else ""))

    def wait_counter(self, read, more_than, timeout=5.0, what="counter"):
        """Wait until read() exceeds a value. @return what it was then"""
        value = [None]

        def reached():
            value[0] = read()
            return value[0] > more_than

        lab.poll_until(reached, timeout, f"{self.name}: {what} above {more_than}")
        return value[0]


def start_pair(master, backup):
    """Both at once, until they are what they are to be."""
    for b in (master, backup):
        b.start(wait=False)
    for b in (master, backup):
        b.wait_ready()
    master.wait_master()
    backup.wait_backup()
