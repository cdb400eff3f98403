# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Includes point downwards only, and what is special stays in its place.

The order is that of docs/design.md. A library includes headers of lower layers and its own;
dp, beside fib, reads fib's tables. Nobody includes another library's private header. The
protocol's own libraries and the configuration do not know DPDK, and only compat knows its
versions and its experimental calls.
"""

import os
import re
import sys

import lintlib

LAYER = {
    "base": 0,
    "wire": 1, "auth": 1,
    "election": 2,
    "conf": 3, "compat": 3,
    "port": 4, "fib": 4, "dp": 4,
    "ctl": 5, "host": 5,
    "mgmt": 6,
    "app": 7,
}
SIDEWAYS = {("dp", "fib")}
NO_DPDK = {"base", "wire", "auth", "election", "conf"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
VERSIONS = re.compile(r"(?:\b|(?<=-D))(ALLOW_EXPERIMENTAL_API|RTE_VERSION(_NUM)?)\b")


def library_of(name):
    """base for lib/base/x.c, app for anything in app/, else None."""
    parts = name.split("/")
    if parts[0] == "app":
        return "app"
    if parts[0] == "lib" and len(parts) > 2:
        return parts[1]
    return None


def check_include(name, mine, quote, target, files, owners):
    """What is wrong with one include line, or None."""
    base = os.path.basename(target)
    if quote == '"':
        beside = os.path.normpath(os.path.join(os.path.dirname(name), target))
        if beside in files:
            return None
        if target not in owners:
            return '"%s" is no header of ours; <> is for those of others' % target
    elif base in owners and target == base:
        return '<%s> is a header of ours: "" is for those' % target
    elif mine in NO_DPDK and base.startswith("rte_"):
        return "%s must not know DPDK, it includes <%s>" % (mine, target)
    if target not in owners or owners[target] == mine:
        return None
    theirs = owners[target]
    if target.endswith("_priv.h"):
        return '"%s" is private to %s' % (target, theirs)
    if LAYER[theirs] < LAYER[mine] or (mine, theirs) in SIDEWAYS:
        return None
    return '%s (layer %d) must not include "%s" of %s (layer %d)' % (
        mine, LAYER[mine], target, theirs, LAYER[theirs])


def check(root):
    """All findings below root."""
    files = set(lintlib.tracked(root))
    owners = {}
    findings = []
    for name in files:
        library = library_of(name)
        if library and library != "app" and name.endswith((".h", ".def")):
            owners[os.path.basename(name)] = library
    for name in sorted(files):
        library = library_of(name)
        is_c = name.endswith((".c", ".h", ".def"))
        if library is None or not (is_c or os.path.basename(name) == "meson.build"):
            continue
        if library not in LAYER:
            findings.append("%s:1: library %s has no layer" % (name, library))
            continue
        for number, line in enumerate(lintlib.lines_of(root, name) or [], 1):
            found = INCLUDE.match(line) if is_c else None
            if found:
                message = check_include(name, library, found[1], found[2], files, owners)
                if message:
                    findings.append("%s:%d: %s" % (name, number, message))
            special = VERSIONS.search(line)
            if special and library != "compat":
                findings.append("%s:%d: %s belongs into lib/compat" % (name, number, special[1]))
    return findings


if __name__ == "__main__":
    lintlib.finish(check(sys.argv[1]))
