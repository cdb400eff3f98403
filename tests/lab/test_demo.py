# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""make demo INTERACTIVE=1, as somebody at its prompt drives it."""

import os
import re
import signal
import subprocess

import lab


def read_until(child, pattern):
    """Lines up to the one that matches. @return the match"""
    seen = []
    for line in child.stdout:
        seen.append(line)
        found = re.search(pattern, line)
        if found:
            return found
    raise AssertionError(f"no {pattern} in:\n{''.join(seen)}")


def test_demo_goes_on_when_its_master_is_killed():
    """The kill that the demo itself offers leaves the prompt of the other box."""
    child = subprocess.Popen(
        ["/usr/bin/python3", os.path.join(lab.ROOT, "tests/lab/demo.py"), "--interactive"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        pid = int(read_until(child, r"kill -9 (\d+)")[1])
        read_until(child, "^The CLI of fw1")
        os.kill(pid, signal.SIGKILL)
        read_until(child, "^fw1 is gone; the CLI of fw2")
        child.stdin.write("show version\nquit\n")
        child.stdin.flush()
        read_until(child, "node fw2")
        read_until(child, "nothing is left behind")
        assert child.wait(20) == 0
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait(20)
        child.stdin.close()
        child.stdout.close()
