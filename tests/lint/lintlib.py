# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""What the lints share: the files to look at, and how findings are told."""

import fnmatch
import os
import subprocess
import sys

# Of no interest where there is no git to say what belongs to the project.
SKIP_DIRS = ["build*", ".build*", ".git", "__pycache__", ".pytest_cache", "bench-results"]


def tracked(root):
    """Paths below root, relative to it: those git knows, else all."""
    if os.path.exists(os.path.join(root, ".git")):
        try:
            out = subprocess.run(
                ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z"],
                check=True, stdout=subprocess.PIPE).stdout
            names = [os.fsdecode(n) for n in out.split(b"\0") if n]
            return sorted(n for n in names if os.path.isfile(os.path.join(root, n)))
        except (OSError, subprocess.CalledProcessError):
            pass
    found = []
    for where, dirs, names in os.walk(root):
        dirs[:] = [d for d in dirs if not any(fnmatch.fnmatch(d, s) for s in SKIP_DIRS)]
        found += [os.path.relpath(os.path.join(where, n), root) for n in names]
    return sorted(found)


def lines_of(root, name):
    """The lines of a text file without their ends; None for a binary file."""
    with open(os.path.join(root, name), "rb") as f:
        data = f.read()
    if b"\0" in data:
        return None
    return data.decode("utf-8", "replace").split("\n")


def finish(findings):
    """Print the findings, each 'file:line: message'; exit 1 when there is one."""
    for finding in findings:
        print(finding)
    print("%d finding%s" % (len(findings), "" if len(findings) == 1 else "s"))
    sys.exit(1 if findings else 0)
