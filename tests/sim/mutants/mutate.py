#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Make a source file with one planted bug.

usage: mutate.py ROOT MUTANT.mut OUT.c

A mutant is a text file: lines of '#' say what the bug is, 'check:' names the check of the simulator
that must find it, 'file:' a source, and then come its hunks of lines, '-' for what is taken out,
'+' for what comes instead, ' ' for what stays. Hunks are parted by '@@'. They have no line numbers:
the text must occur exactly once. Where it does not nothing is planted, and the test that runs the
mutants says that this one no longer applies. Several sources become one unit.
"""

import sys


class Mutant:
    """One planted bug."""

    def __init__(self, path):
        self.about, self.check = [], ""
        self.files = []  # (name, [(old lines, new lines)])
        with open(path, encoding="ascii") as f:
            for line in f.read().splitlines():
                self._read(path, line)
        if not self.check or not self.files or not all(hunks for _, hunks in self.files):
            sys.exit(f"{path}: needs check:, file: and a hunk")

    def _read(self, path, line):
        if line.startswith("#"):
            self.about.append(line[1:].strip())
        elif line.startswith("check:"):
            self.check = line[6:].strip()
        elif line.startswith("file:"):
            self.files.append((line[5:].strip(), []))
        elif line.startswith("@@"):
            self.files[-1][1].append(([], []))
        elif line[:1] in ("-", "+", " ", ""):
            old, new = self.files[-1][1][-1]
            if line[:1] != "+":
                old.append(line[1:])
            if line[:1] != "-":
                new.append(line[1:])
        else:
            sys.exit(f"{path}: cannot read: {line}")

    def apply(self, root):
        """@return (the sources with the bug in them, name of the one it does not fit or None)"""
        texts, misfit = [], None
        for name, hunks in self.files:
            with open(f"{root}/{name}", encoding="ascii") as f:
                text = f.read()
            for old, new in hunks:
                before, after = "\n".join(old) + "\n", "\n".join(new) + "\n"
                if text.count("\n" + before) != 1:
                    misfit = name
                text = text.replace("\n" + before, "\n" + after if new else "\n")
            texts.append(text)
        return "".join(texts), misfit


def main():
    root, path, out = sys.argv[1:]
    text, misfit = Mutant(path).apply(root)
    with open(out, "w", encoding="ascii") as f:
        # nothing then replaces what the libraries have
        f.write("typedef int does_not_apply;\n" if misfit else text)


if __name__ == "__main__":
    main()
