# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The drivers of dpdk-patches, and an ethdev of its own to look at what a driver does."""

import functools
import os
import re
import shutil
import subprocess

import pytest

import lab
import netns

BUILT = os.path.join(lab.ROOT, ".build/dpdk-patches")
ETHDEV = os.path.join(lab.BUILD, "tests/lab/lab_ethdev")
EAL = ["--no-huge", "-m", "64", "--no-shconf", "--no-pci", "--no-telemetry", "--lcores", "0"]


@functools.cache
def release():
    """Of the DPDK that koi runs on: "22.11"."""
    koi = os.path.join(lab.BUILD, "app/koi/koi")
    out = subprocess.run([koi, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return re.search(r"DPDK (\d+\.\d+)", out).group(1)


def need_series():
    """Skips the test on a DPDK for which there are no patches: its driver is another one."""
    if not os.path.exists(os.path.join(lab.ROOT, "dpdk-patches", release(), "series")):
        pytest.skip(f"no patches for DPDK {release()}")


@functools.cache
def patched():
    """EAL arguments that load the patched drivers; skips the test where they are not there."""
    try:
        with open(os.path.join(BUILT, "why-not"), encoding="utf-8") as f:
            pytest.skip("no patched driver: " + f.read().strip())
    except FileNotFoundError:
        pass
    built = os.path.join(BUILT, "drivers", release())
    if not os.path.exists(built):
        pytest.skip(f"no patched driver for DPDK {release()}: make dpdk-patches builds it")
    # EAL refuses what lies below a folder that anybody may write to.
    folder = os.path.join(netns.LAB_DIR, "drivers")
    shutil.copytree(built, folder)
    return ["-d", folder]


def eal(kind):
    """EAL arguments for the "stock" or the "patched" driver."""
    return patched() if kind == "patched" else []


class Ethdev:
    """One net_af_packet port on an interface of a host, driven command by command."""

    def __init__(self, host, kind, iface="em0", mtu=1500, room=2176, args="", wait=True):
        self.child = host.ns.popen(
            [ETHDEV, *eal(kind), *EAL, "--file-prefix", f"ethdev-{host.name}"]
            + [f"--vdev=net_af_packet0,iface={iface}{args}", "--", str(mtu), str(room)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        host.lab.closing.append(self.kill)
        self.ready = int(self.answer().split()[0])
        if wait:
            assert self.ready == 0, f"the device is not ready: {self.ready}"
            assert self.ask("start") == 0

    def answer(self):
        line = self.child.stdout.readline()
        if not line:
            raise AssertionError(f"lab_ethdev ended with {self.child.wait(5)}")
        return line

    def words(self, command):
        self.child.stdin.write(command + "\n")
        self.child.stdin.flush()
        return self.answer().split()

    def ask(self, command):
        """@return the first number of the answer: a return code or a count"""
        return int(self.words(command)[0])

    def values(self, command):
        """@return the named values of an answer"""
        words = self.words(command)
        assert words[0] == "0", f"{command}: {words}"
        return {k: int(v) if v.isdigit() else v for k, v in zip(words[1::2], words[2::2])}

    def link_up(self):
        words = self.words("link")
        assert words[0] == "0"
        return words[1] == "1"

    def quit(self):
        self.child.stdin.write("quit\n")
        self.child.stdin.flush()
        assert self.child.wait(10) == 0

    def kill(self):
        netns.stop(self.child)
        self.child.stdin.close()
        self.child.stdout.close()
