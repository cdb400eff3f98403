# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The protocol's libraries call nobody: no clock, no I/O, no allocation, no DPDK.

usage: purity.py ARCHIVE...

An undefined symbol must be defined in another of the archives or be on the list below: what a
compiler puts in by itself, and the hooks of sanitizers.
"""

import re
import subprocess
import sys

import lintlib

ALLOWED = re.compile(
    r"(__)?(memcpy|memcmp|memset|memmove)(_chk)?|__stack_chk_fail|__assert_fail"
    r"|_GLOBAL_OFFSET_TABLE_|__(asan|ubsan|tsan|sanitizer|sancov|gcov|llvm_prof)\w*")


def nm(archive, *args):
    """(member, line of output) of nm, for each line that names a symbol."""
    out = subprocess.run(["nm", *args, archive], check=True, text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL).stdout
    member = archive
    for line in out.split("\n"):
        if line.endswith(".o:"):
            member = line[:-1]
        elif line.strip():
            yield member, line


def check(archives):
    """All findings; the place is that of the call where there is debug information."""
    own = set()
    for archive in archives:
        for _, line in nm(archive, "-g", "--defined-only"):
            own.add(line.split()[2])
    findings = []
    for archive in archives:
        for member, line in nm(archive, "-u", "-l"):
            symbol, _, place = line.strip().partition("\t")
            symbol = symbol.split()[-1].split("@")[0]
            if symbol not in own and not ALLOWED.fullmatch(symbol):
                findings.append("%s: calls %s, which no pure library may"
                                % (place or "%s:%s" % (archive, member), symbol))
    return findings


if __name__ == "__main__":
    lintlib.finish(check(sys.argv[1:]))
