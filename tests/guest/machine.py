# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""A machine with PCI network devices, emulated by QEMU without KVM."""

import base64
import dataclasses
import glob
import json
import os
import select
import shutil
import socket
import subprocess
import time

import box
import image
import lab
import netns

#: What a command in the guest may take, on a busy machine.
COMMAND_S = 60
BOOT_S = 120


@dataclasses.dataclass(frozen=True)
class Model:
    """A kind of network device, and how koi gets hold of it."""

    name: str
    device: str  # QEMU's name
    driver: str  # kernel driver that hands the device to user space
    vmac_mode: str  # what koi must find
    multicast_mode: str
    options: str = ""
    slow_close: bool = False

    @property
    def iommu(self):
        return self.driver == "vfio-pci"


class Line:
    """A connected Unix socket, read up to a mark."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(path)
        self.buf = b""

    def read_until(self, mark, timeout):
        deadline = time.monotonic() + timeout
        while mark not in self.buf:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                raise TimeoutError(f"guest: nothing within {timeout} s; it said {self.buf!r}")
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError(f"guest: gone; it said {self.buf!r}")
            self.buf += data
        out, self.buf = self.buf.split(mark, 1)
        return out

    def close(self):
        self.sock.close()


class Monitor:
    """QEMU's machine protocol."""

    def __init__(self, line):
        self.line = line
        self.events = []
        self._read(20)
        self.run("qmp_capabilities")

    def _read(self, timeout):
        return json.loads(self.line.read_until(b"\n", timeout))

    def run(self, command, **arguments):
        message = {"execute": command, "arguments": arguments}
        self.line.sock.sendall(json.dumps(message).encode())
        while True:
            reply = self._read(20)
            if "event" in reply:
                self.events.append(reply)
            elif "error" in reply:
                raise RuntimeError(f"{command}: {reply['error']['desc']}")
            else:
                return reply["return"]

    def wait(self, match, timeout=20.0):
        """@return the first event that matches, past ones included"""
        deadline = time.monotonic() + timeout
        while True:
            for event in self.events:
                if match(event):
                    return event
            self.events.append(self._read(max(0.0, deadline - time.monotonic())))


def qemu():
    """@return how QEMU is called here, and with which environment"""
    program = os.path.join(image.ROOT, "usr/bin/qemu-system-x86_64")
    if not os.path.exists(program):
        return [shutil.which("qemu-system-x86_64")], {}
    share = os.path.join(image.ROOT, "usr/share")
    paths = glob.glob(os.path.join(image.ROOT, "usr/lib/*-linux-gnu"))
    paths += glob.glob(os.path.join(image.ROOT, "lib/*-linux-gnu"))
    argv = [program]
    for folder in ("qemu", "seabios", "../lib/ipxe/qemu"):
        argv += ["-L", os.path.join(share, folder)]
    return argv, {"LD_LIBRARY_PATH": ":".join(paths)}


class Machine:
    """QEMU in the namespace of the switches: em0 on the LAN, em1 on the WAN."""

    BDF = ("0000:01:00.0", "0000:02:00.0")

    def __init__(self, net, name, model):
        self.model = model
        self.dir = netns.new_dir(name)
        self.console_path = os.path.join(self.dir, "console")
        self.macs = [bytes.fromhex(f"5254004b01{i:02x}") for i in range(2)]
        sw = net.switch
        argv, env = qemu()
        argv += ["-M", "q35", "-accel", "tcg,thread=multi"]
        argv += ["-cpu", "max", "-smp", "2", "-m", "640", "-nodefaults", "-display", "none"]
        argv += ["-no-reboot", "-kernel", image.kernel(), "-initrd"]
        argv += [image.initramfs([box.KOI, box.KOICTL])]
        argv += ["-serial", f"file:{self.console_path}"]
        argv += ["-serial", f"unix:{self._path('agent')},server=on,wait=off"]
        argv += ["-qmp", f"unix:{self._path('qmp')},server=on,wait=off"]
        cmdline = "console=ttyS0 quiet panic=1 hugepages=90 tsc=reliable"
        if model.iommu:
            # Before the devices that it is to serve.
            argv += ["-device", "intel-iommu,intremap=on,caching-mode=on,aw-bits=48"]
            cmdline += " intel_iommu=on iommu=nopt"
        cmdline += f" koi.driver={model.driver} koi.devices={','.join(self.BDF)}"
        argv += ["-append", cmdline]
        for i, segment in enumerate((lab.LAN, lab.WAN)):
            port = f"{name}.em{i}"
            sw.ip(
                f"tuntap add dev {port} mode tap",
                f"link set {port} master {segment}",
            )
            sw.sysctl(**{f"ipv6__conf__{port}__disable_ipv6": 1})
            sw.ip(f"link set {port} up")
            argv += ["-netdev", f"tap,id=net{i},ifname={port},script=no,downscript=no"]
            argv += ["-device", f"pcie-root-port,id=slot{i},chassis={i + 1}"]
            argv += ["-device", self.device(i)]
        self.process = sw.popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=open(self._path("qemu"), "wb"),
            env={**os.environ, **env},
        )
        self.monitor = self.agent = None
        net.closing.append(self.close)
        self.monitor = Monitor(self._connect("qmp"))
        self.agent = self._connect("agent")
        self.agent.read_until(b"\x04ready\n", BOOT_S)

    def _path(self, name):
        return os.path.join(self.dir, name)

    def _connect(self, name):
        def connected():
            if self.process.poll() is not None:
                with open(self._path("qemu"), encoding="utf-8") as f:
                    raise RuntimeError(f"QEMU ended with {self.process.returncode}: {f.read()}")
            try:
                return Line(self._path(name))
            except (FileNotFoundError, ConnectionRefusedError):
                return None

        return lab.poll_until(connected, 20, f"QEMU's socket {name}")

    def device(self, i):
        """QEMU's words for the i-th network device."""
        mac = ":".join(f"{b:02x}" for b in self.macs[i])
        return (
            f"{self.model.device},id=nic{i},netdev=net{i},bus=slot{i},mac={mac}"
            f"{self.model.options}"
        )

    def run(self, command, timeout=COMMAND_S):
        """A line for the guest's shell. @return (exit code, output)"""
        self.agent.sock.sendall(command.encode() + b"\n")
        out = self.agent.read_until(b"\x04", timeout)
        return int(self.agent.read_until(b"\n", timeout)), out.decode(errors="replace")

    def write(self, path, text):
        data = base64.b64encode(text.encode()).decode()
        code, out = self.run(f"echo {data} | base64 -d >{path}")
        assert code == 0, out

    def link(self, i, up):
        """Plug or pull the cable of the i-th device."""
        self.monitor.run("set_link", name=f"nic{i}", up=up)

    def unplug(self, i):
        """Ask the guest to let go of the i-th device."""
        self.monitor.run("device_del", id=f"nic{i}")

    def plug(self, i):
        """Put the i-th device in again, and bind it as at the start."""
        words = ("driver=" + self.device(i)).split(",")
        self.monitor.run("device_add", **dict(word.split("=") for word in words))
        path = f"/sys/bus/pci/devices/{self.BDF[i]}"
        lab.poll_until(lambda: self.run(f"ls {path}")[0] == 0, COMMAND_S, f"{path} is there")
        code, out = self.run(f"bind {self.BDF[i]}")
        assert code == 0, out

    def wait_unplugged(self, i, timeout=COMMAND_S):
        self.monitor.wait(
            lambda e: e["event"] == "DEVICE_DELETED" and e["data"].get("device") == f"nic{i}",
            timeout,
        )

    def console(self):
        try:
            with open(self.console_path, encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def close(self):
        for line in (self.agent, self.monitor and self.monitor.line):
            if line is not None:
                line.close()
        netns.stop(self.process)
