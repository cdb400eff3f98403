# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""A fresh Debian below /run, which is this process' own: it goes with it, mounts included.

No service is started there: there is no systemd, but a systemctl that only writes down what it was told,
and a policy-rc.d that forbids everything.
"""

import glob
import itertools
import os
import shutil
import subprocess

import lab
import netns

BASE = os.path.join(lab.ROOT, ".build", "deb", "base.tar")
MISSING = os.path.join(lab.ROOT, ".build", "deb", "missing")
OUT = os.path.join(lab.ROOT, "build-deb")

#: What apt and dpkg write for themselves, and lists of what is installed.
BOOKKEEPING = (
    "etc/ld.so.cache",
    "etc/passwd-",
    "policy.log",
    "systemctl.log",
    "proc/",
    "sys/",
    "tmp/",
    "var/cache/",
    "var/lib/apt/",
    "var/lib/dpkg/",
    "var/log/",
)


def missing():
    """Why there is nothing to install koi in; "" when there is."""
    if os.path.exists(BASE):
        return ""
    try:
        with open(MISSING, encoding="utf-8") as f:
            return f.read().strip()
    except FileNotFoundError:
        return "there is no Debian to install koi in: make test makes it"


def package(name):
    """A package that debian/build.sh has built."""
    found = glob.glob(f"{OUT}/{name}_*.deb")
    assert len(found) == 1, f"{name}: {found}: run debian/build.sh"
    return found[0]


def field(path, name):
    return netns.run(["dpkg-deb", "-f", path, name]).stdout.strip()


class Machine:
    """Names of files are from its root: "etc/koi"."""

    ENV = {
        "HOME": "/root",
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
        "DEBIAN_FRONTEND": "noninteractive",
    }
    APT = ("apt-get", "-q", "-y", "-o", "APT::Sandbox::User=root", "-o", "Dpkg::Use-Pty=0")

    def __init__(self, like=None):
        """like: another one, of which this is a copy."""
        self.root = netns.new_dir("debian")
        os.chmod(self.root, 0o755)  # EAL loads nothing below a folder of which it is not sure
        if like:
            netns.run(["cp", "-ax", like.root + "/.", self.root], timeout=120)
        else:
            netns.run(["tar", "-C", self.root, "--numeric-owner", "-xf", BASE], timeout=120)
        netns.run(["mount", "-t", "proc", "none", self.path("proc")])
        netns.run(["mount", "--rbind", "-o", "ro", "/sys", self.path("sys")])
        os.makedirs(self.path("run/systemd/system"), exist_ok=True)
        self.write("usr/bin/systemctl", '#!/bin/sh\necho "$@" >>/systemctl.log\n', 0o755)

    def close(self):
        for folder in ("sys", "proc"):
            netns.run(["umount", "--recursive", "--lazy", self.path(folder)])
        shutil.rmtree(self.root)

    def path(self, name):
        return os.path.join(self.root, name)

    def exists(self, name):
        return os.path.lexists(self.path(name))

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path(name), mode)

    def mode(self, name):
        return os.stat(self.path(name)).st_mode & 0o7777

    def run(self, *argv, check=True, timeout=120):
        """A command inside, with text output."""
        done = subprocess.run(
            ["setpriv", "--pdeathsig", "KILL", "chroot", self.root, *argv],
            env=self.ENV,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}"
        return done

    def typed(self, line, check=True):
        """A line of a shell, typed by root in his home; packages may be installed on a busy machine."""
        return self.run("sh", "-c", "cd && " + line, check=check, timeout=300)

    def install(self, *paths, options=()):
        """apt-get install of package files."""
        names = []
        for path in paths:
            shutil.copy(path, self.path("tmp"))
            names.append("/tmp/" + os.path.basename(path))
        return self.run(*self.APT, "--no-install-recommends", *options, "install", *names)

    def told(self, log):
        """What systemctl or policy-rc.d was told of koi since this was asked last."""
        name = log + ".log"
        lines = self.read(name).splitlines() if self.exists(name) else []
        self.write(name, "")
        return [line for line in lines if "koi" in line]

    def files(self):
        """All files but those in which apt and dpkg keep their books: what each is, by name."""
        found = {}
        for where, dirs, names in os.walk(self.root):
            for name in itertools.chain(dirs, names):
                path = os.path.join(where, name)
                short = os.path.relpath(path, self.root)
                if not short.startswith(BOOKKEEPING):
                    st = os.lstat(path)
                    found[short] = (oct(st.st_mode), st.st_uid, st.st_gid)
        return found
