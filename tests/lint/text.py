# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Licence lines, blanks, line and file lengths, and words that have no place in the tree."""

import os
import re
import sys

import lintlib

SPDX = "SPDX-License-Identifier: BSD-3-Clause"
COPYRIGHT = re.compile(r"Copyright \(c\) \d{4}(-\d{4})? the koi contributors$")
LICENSED = (".c", ".h", ".def", ".py", ".sh")
C_FILES = (".c", ".h", ".def")
MEASURED = (".c", ".h", ".py")

COLUMNS = 100
# A message is not broken up: it could not be searched for. Measured is what stands around it.
LITERAL = re.compile(r'"(?:\\.|[^"\\])*"')
LINES = 600
LONG_FILES = "tests/lint/long-files.txt"

# Put together here, or this file would not pass itself.
UNFINISHED = re.compile(r"\b(%s)\b" % "|".join(["TO" "DO", "FIX" "ME", "X" "XX"]), re.IGNORECASE)
MACHINE = re.compile(r"(?<![\w.}\])*$/-])/(work|root)/")

# Others' texts: data kept byte for byte, and patches, where a blank at the end is context.
FOREIGN = re.compile(r"^tests/data/|\.(patch|diff)$|^tests/fuzz/.*corpus")


def check_licence(name, lines):
    """The two lines at the top, after a #! line if there is one."""
    at = 1 if lines[0].startswith("#!") else 0
    if not (name.endswith(LICENSED) or os.path.basename(name) == "meson.build" or at == 1):
        return []
    top = lines[at:at + 2] + ["", ""]
    findings = []
    if SPDX not in top[0]:
        findings.append("%s:%d: no line '%s'" % (name, at + 1, SPDX))
    if not COPYRIGHT.search(top[1]):
        findings.append("%s:%d: no line 'Copyright (c) YEAR the koi contributors'"
                        % (name, at + 2))
    return findings


def check_lines(name, lines):
    """Blanks, columns, words."""
    findings = []
    if lines[-1] != "":
        findings.append("%s:%d: no newline at the end of the file" % (name, len(lines)))
    elif len(lines) > 2 and lines[-2] == "":
        findings.append("%s:%d: blank line at the end of the file" % (name, len(lines) - 1))
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            findings.append("%s:%d: blanks at the end of the line" % (name, number))
        width = len(LITERAL.sub('""', line).expandtabs(8))
        if width > COLUMNS and name.endswith(C_FILES):
            findings.append("%s:%d: %d columns, at most %d" % (name, number, width, COLUMNS))
        for pattern in (UNFINISHED, MACHINE):
            word = pattern.search(line)
            if word:
                findings.append("%s:%d: '%s' has no place here" % (name, number, word[0]))
    return findings


def long_files(root):
    """The list of files that may be long, {path: line}, and what is wrong with it."""
    allowed, findings = {}, []
    if not os.path.exists(os.path.join(root, LONG_FILES)):
        return allowed, findings
    for number, line in enumerate(lintlib.lines_of(root, LONG_FILES), 1):
        if not line or line.startswith("#"):
            continue
        path, _, reason = line.partition(": ")
        if not reason.strip():
            findings.append("%s:%d: needs 'path: reason'" % (LONG_FILES, number))
        allowed[path] = number
    return allowed, findings


def check(root):
    """All findings below root."""
    allowed, findings = long_files(root)
    for name in lintlib.tracked(root):
        lines = lintlib.lines_of(root, name)
        if lines is None or lines == [""] or FOREIGN.search(name):
            continue
        findings += check_licence(name, lines)
        findings += check_lines(name, lines)
        length = len(lines) - 1
        if length > LINES and name.endswith(MEASURED) and not allowed.pop(name, None):
            findings.append("%s:%d: %d lines, at most %d: split it by topic, or give the reason "
                            "in %s" % (name, LINES + 1, length, LINES, LONG_FILES))
    for path, number in allowed.items():
        findings.append("%s:%d: %s is not long" % (LONG_FILES, number, path))
    return findings


if __name__ == "__main__":
    lintlib.finish(check(sys.argv[1]))
