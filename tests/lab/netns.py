# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Private namespaces for the lab.

The process that runs the lab gives itself a mount and a network namespace of its own and a tmpfs
over /run. Named network namespaces, sockets and logs live there, and every child is tied to the
life of its parent, so all of it goes with the process, however that dies. Nothing outside can see
or collide with it.
"""

import contextlib
import ctypes
import fcntl
import itertools
import json
import os
import signal
import socket
import struct
import subprocess

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

SIOCETHTOOL = 0x8946
SIOCGIFHWADDR = 0x8927
#: Receive and transmit checksums, scatter-gather, TSO, VLAN and LRO flags, GSO, GRO: set to 0.
ETHTOOL_OFFLOADS = (0x15, 0x17, 0x19, 0x1F, 0x26, 0x24, 0x2C)

#: Temporary files of the lab; on the private tmpfs.
LAB_DIR = "/run/koi-lab"

_libc = ctypes.CDLL(None, use_errno=True)
_entered = False
_dirs = itertools.count(1)


class LabError(RuntimeError):
    """The lab cannot be built here; the text says why and what to do."""


def _check(ret, what):
    if ret != 0:
        err = ctypes.get_errno()
        raise LabError(
            f"{what}: {os.strerror(err)}. The lab builds network namespaces: it needs root with "
            "CAP_SYS_ADMIN and CAP_NET_ADMIN, outside of a sandbox that forbids them"
        )


def _mount(source, target, fstype, flags, data):
    enc = [x.encode() if x is not None else None for x in (source, target, fstype, data)]
    _check(
        _libc.mount(enc[0], enc[1], enc[2], ctypes.c_ulong(flags), enc[3]), f"mount {target}"
    )


def enter_private():
    """Move this process to namespaces of its own; once, from the main thread."""
    global _entered
    if _entered:
        return
    if os.geteuid() != 0:
        raise LabError("the lab builds network namespaces and needs root")
    _check(_libc.unshare(CLONE_NEWNS | CLONE_NEWNET), "unshare")
    _mount("none", "/", None, MS_REC | MS_PRIVATE, None)
    _mount("tmpfs", "/run", "tmpfs", 0, "mode=0755")
    os.makedirs(LAB_DIR)
    os.makedirs("/run/netns")
    # Children of a daemon that dies become ours, to be reaped here.
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.environ["KOI_LAB"] = str(os.getpid())
    # Programs in the lab find koictl's default sockets and DPDK's runtime folder below /run.
    os.environ.pop("XDG_RUNTIME_DIR", None)
    _entered = True


def new_dir(name):
    """A folder for one daemon; it goes with the process."""
    path = os.path.join(LAB_DIR, f"{name}.{next(_dirs)}")
    os.makedirs(path, mode=0o700)
    return path


def _setns(fd):
    _check(_libc.setns(fd, CLONE_NEWNET), "setns")


class NetNs:
    """A named network namespace."""

    def __init__(self, name):
        self.name = name
        self.children = []
        run(["ip", "netns", "add", name])
        self.ip("link set lo up")

    def path(self):
        return f"/run/netns/{self.name}"

    def delete(self):
        for child in self.children:
            stop(child)
        run(["ip", "netns", "del", self.name])

    @contextlib.contextmanager
    def entered(self):
        """Run the body, in this thread, inside the namespace."""
        back = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        fd = os.open(self.path(), os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(fd)
            try:
                yield
            finally:
                _setns(back)
        finally:
            os.close(fd)
            os.close(back)

    def ip(self, *lines):
        """Commands of ip(8), one a line."""
        run(["ip", "-n", self.name, "-batch", "-"], input="\n".join(lines) + "\n")

    def ip_json(self, *args):
        argv = ["ip", "-n", self.name, "-j", *args]
        done = subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20, check=False
        )
        try:
            return json.loads(done.stdout or b"[]")
        except json.JSONDecodeError as err:
            raise LabError(f"{' '.join(argv)}: {done.stdout!r} {done.stderr!r}") from err

    def plain_frames(self, iface):
        """No offloads: what a box or a sniffer sees is what the wire would carry."""
        with self.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for command in ETHTOOL_OFFLOADS:
                value = ctypes.create_string_buffer(struct.pack("II", command, 0))
                request = struct.pack("16sP", iface.encode(), ctypes.addressof(value))
                try:
                    fcntl.ioctl(s, SIOCETHTOOL, request)
                except OSError:
                    continue  # this kind of interface does not have it

    def mac(self, iface):
        with self.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            reply = fcntl.ioctl(s, SIOCGIFHWADDR, struct.pack("32s", iface.encode()))
        return reply[18:24]

    def sysctl(self, **values):
        with self.entered():
            for key, value in values.items():
                with open("/proc/sys/net/" + key.replace("__", "/"), "w", encoding="ascii") as f:
                    f.write(str(value))

    def popen(self, argv, **kw):
        """Start a process inside; it dies with this one."""
        fd = os.open(self.path(), os.O_RDONLY | os.O_CLOEXEC)

        def inside():
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if _libc.setns(fd, CLONE_NEWNET) != 0:
                os._exit(126)

        try:
            kw.setdefault("start_new_session", True)
            child = subprocess.Popen(argv, preexec_fn=inside, **kw)
        finally:
            os.close(fd)
        self.children.append(child)
        return child

    def run(self, argv, timeout=20, check=True, **kw):
        """Run a command inside to its end."""
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.STDOUT)
        kw.setdefault("stdin", subprocess.DEVNULL)
        child = self.popen(argv, text=True, **kw)
        try:
            out, _ = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            stop(child)
            raise
        finally:
            self.children.remove(child)
        if check and child.returncode != 0:
            raise LabError(f"{' '.join(argv)}: exit {child.returncode}: {out}")
        return subprocess.CompletedProcess(argv, child.returncode, out)


def run(argv, timeout=20, **kw):
    """Run a command to its end in the lab's own namespace."""
    done = subprocess.run(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
        **kw,
    )
    if done.returncode != 0:
        raise LabError(f"{' '.join(argv)}: exit {done.returncode}: {done.stdout.strip()}")
    return done


def stop(child, sig=signal.SIGKILL, timeout=5):
    """End a process we started and reap it."""
    if child.poll() is None:
        child.send_signal(sig)
        try:
            child.wait(timeout)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    return child.returncode


def kill_group(child):
    """SIGKILL a process and everything in its session, and reap them all."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    while True:
        try:
            os.waitpid(-child.pid, 0)
        except ChildProcessError:
            return
