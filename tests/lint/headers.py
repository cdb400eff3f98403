# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Each header of lib/ compiles alone, twice in a row.

usage: headers.py ROOT COMPILER [ARG...]
"""

import concurrent.futures
import functools
import os
import re
import subprocess
import sys

import lintlib

FLAGS = ["-fsyntax-only", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-Wundef",
         "-Wstrict-prototypes", "-Wshadow", "-Wconversion", "-Wcast-qual"]
PACKAGES = ["libdpdk", "jansson", "libcrypto"]


@functools.lru_cache(maxsize=None)
def package_flags():
    """Include paths of the libraries we use, as system headers: their warnings are not ours."""
    out = subprocess.run(["pkg-config", "--cflags"] + PACKAGES, check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    return [re.sub(r"^-I", "-isystem", flag) for flag in out.split()]


def compile_alone(root, compiler, name):
    """Findings of one header."""
    include = '#include "%s"\n' % os.path.basename(name)
    folders = sorted(d for d in os.listdir(os.path.join(root, "lib"))
                     if os.path.isdir(os.path.join(root, "lib", d)))
    # its own folder first, should two have a header of one name
    paths = ["-I" + os.path.join(root, os.path.dirname(name))]
    paths += ["-I" + os.path.join(root, "lib", d) for d in folders]
    run = subprocess.run(compiler + FLAGS + paths + package_flags() + ["-x", "c", "-"],
                         input=include * 2, text=True, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if run.returncode == 0:
        return []
    wrong = [line.replace(root + "/", "") for line in run.stdout.split("\n")
             if re.search(r":\d+:(\d+:)? (fatal )?error:", line)]
    return wrong or ["%s:1: does not compile alone: %s" % (name, run.stdout.strip())]


def check(root, compiler):
    """All findings below root."""
    root = os.path.abspath(root)
    headers = [n for n in lintlib.tracked(root) if re.fullmatch(r"lib/[^/]+/[^/]+\.h", n)]
    package_flags()  # once, before the threads want it
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda name: compile_alone(root, compiler, name), headers)
        return [finding for findings in found for finding in findings]


if __name__ == "__main__":
    lintlib.finish(check(sys.argv[1], sys.argv[2:]))
