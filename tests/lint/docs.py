# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""What the documents name exists: files behind links, commands of the CLI, targets of make.

And the other way round: every key of the configuration is told of in config/README.md, every reason
to drop a frame in docs/drops.md, and no other.
"""

import os
import re
import sys

import lintlib

KEYS = "lib/conf/conf_keys.def"
KEYS_DOC = "config/README.md"
DROPS = "lib/dp/drops.def"
DROPS_DOC = "docs/drops.md"
COMMANDS = "lib/mgmt/cli_cmds.def"
MAKEFILE = "GNUmakefile"

LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
KEY = re.compile(r'^CONF_(?:VALUE|PART)\(\w+, \w+, "([^"]+)"', re.MULTILINE)
DROP = re.compile(r'^DP_DROP\(\w+, "([^"]+)"', re.MULTILINE)
# The first cell of a row.
DROP_ROW = re.compile(r"^\| (`.*?) \|", re.MULTILINE)
GRAMMAR = re.compile(r'^MGMT_(?:SHOW|DO)\("([^"]+)"', re.MULTILINE)
# On a line of its own up to a comment; or in backticks, where the last words may be left out.
TYPED = re.compile(r"^koictl ((?!-)[^#]+?)\s*(?:#|$)")
QUOTED = re.compile(r"`(?:koictl )?((?:show|explain|set|clear) [^`]+)`")
TARGET = re.compile(r"(?:^(?:sudo )?|`)make ([a-z-]+)")


def read(root, name):
    """Text of a file, "" where there is none."""
    if not os.path.exists(os.path.join(root, name)):
        return ""
    return "\n".join(lintlib.lines_of(root, name) or [])


def fits(word, grammar):
    """One word of a document for one of the grammar; NAME and IF stand for any name."""
    if grammar in ("GROUP", "IF"):
        return True
    if grammar == "KEY":
        return word.startswith(("/", "hex:", "PATH"))
    if grammar == "FILE":
        return word.startswith(("/", "FILE"))
    span = re.fullmatch(r"(\d+)-(\d+)", grammar)
    if span:
        return word.isdigit() and int(span[1]) <= int(word) <= int(span[2])
    return word == grammar


def is_command(words, grammars, whole):
    """Whether the words are a command, or its beginning."""
    return any(
        len(words) <= len(g) and (len(words) == len(g) or not whole)
        and all(fits(w, x) for w, x in zip(words, g))
        for g in grammars)


def check_line(root, name, line, grammars, targets):
    """What is wrong with one line of a document."""
    found = []
    for target in LINK.findall(line):
        path = os.path.join(root, os.path.dirname(name), target)
        if "://" not in target and not os.path.exists(path):
            found.append("there is no %s" % target)
    typed = TYPED.match(line)
    for whole, command in [(True, typed[1])] if typed else [
            (False, c) for c in QUOTED.findall(line)]:
        if not is_command(command.split(), grammars, whole):
            found.append("koictl knows no '%s'" % command)
    for target in TARGET.findall(line):
        if target not in targets:
            found.append("make knows no '%s'" % target)
    return found


def check(root):
    """All findings below root."""
    grammars = [g.split() for g in GRAMMAR.findall(read(root, COMMANDS))]
    targets = set(re.findall(r"^([a-z-]+):", read(root, MAKEFILE), re.MULTILINE))
    findings = []
    for name in lintlib.tracked(root):
        if not name.endswith(".md"):
            continue
        for number, line in enumerate(lintlib.lines_of(root, name) or [], 1):
            findings += ["%s:%d: %s" % (name, number, f)
                         for f in check_line(root, name, line, grammars, targets)]
    told = set(re.findall(r"`([^`]+)`", read(root, KEYS_DOC)))
    for key in sorted(set(KEY.findall(read(root, KEYS)))):
        if key not in told and key not in ("interfaces", "carp", "groups", "routes"):
            findings.append("%s:1: nothing about the key `%s`" % (KEYS_DOC, key))
    drops = set(DROP.findall(read(root, DROPS)))
    rows = {n for row in DROP_ROW.findall(read(root, DROPS_DOC)) for n in re.findall("`([^`]+)`", row)}
    findings += ["%s:1: no row for the drop `%s`" % (DROPS_DOC, d) for d in sorted(drops - rows)]
    findings += ["%s:1: nothing is dropped as `%s`" % (DROPS_DOC, d) for d in sorted(rows - drops)]
    return findings


if __name__ == "__main__":
    lintlib.finish(check(sys.argv[1]))
