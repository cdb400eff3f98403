#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Which tests cover which conformance case: docs/conformance.md, made from the tests' names.

    conformance.py ROOT            write docs/conformance.md
    conformance.py ROOT --check    compare it with what the tests say now

A test covers case N when conformance_NN is part of its name; several numbers may follow each other,
as in test_conformance_39_40_40a_... Fails when a case has no test, or a number is of no case.
"""

import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lint"))

import lintlib  # noqa: E402

CASES = "tests/tools/conformance_cases.txt"
OUTPUT = "docs/conformance.md"

CASE = re.compile(r"(\d+a?): (\S.*)")
# A function's definition: in C its name starts a line, a call or a table's row is indented.
DEFINITION = {
    ".py": re.compile(r"^def (test_(\w*?)conformance((?:_\d+a?)+)(?![0-9])\w*)\(", re.MULTILINE),
    ".c": re.compile(r"^((?:test_)?(\w*?)conformance((?:_\d+a?)+)(?![0-9])\w*)\(", re.MULTILINE),
}

HEAD = """# Conformance

The cases a CARP speaker is judged by, and the tests that hold koi to them. Made by
`tests/tools/conformance.py` from the tests' names; do not edit.

"The box" has advbase 1, advskew 100, no demotion, preempt off and one shared IPv4 address, unless
the case says otherwise. Tests in `unit` move the clock by hand, those in `lab` and `interop` are
processes on a wire.

| case | what is expected | tests |
| ---: | --- | --- |
"""


def key(case):
    """Cases in the order of their numbers: 40, 40a, 41."""
    return int(case.rstrip("a")), case


def read_cases(root):
    cases = {}
    with open(os.path.join(root, CASES), encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if not line.strip() or line.startswith("#"):
                continue
            found = CASE.fullmatch(line.rstrip())
            if not found or found[1] in cases:
                sys.exit(f"{CASES}:{number}: not 'number: text', or a second time")
            cases[found[1]] = found[2]
    return cases


def files(root):
    """Tests that belong to the project."""
    for name in lintlib.tracked(root):
        if name.startswith("tests/") and os.path.splitext(name)[1] in DEFINITION:
            yield name


def numbers(text):
    """"_07_40a" -> ["7", "40a"]"""
    return [n.lstrip("0") for n in text.strip("_").split("_")]


def find_tests(root):
    """@return {case: [(path, function)]}"""
    covered = {}
    for path in files(root):
        with open(os.path.join(root, path), encoding="utf-8") as f:
            text = f.read()
        for found in DEFINITION[os.path.splitext(path)[1]].finditer(text):
            for case in numbers(found[3]):
                covered.setdefault(case, []).append((path, found[1]))
    return covered


def tests_text(tests):
    """The functions of each file, files in their order."""
    by_file = {}
    for path, function in sorted(tests):
        by_file.setdefault(path, []).append(function)
    return "<br>".join(
        f"`{path.removeprefix('tests/')}`: " + ", ".join(f"`{name}`" for name in names)
        for path, names in by_file.items()
    )


def page(cases, covered):
    rows = [
        f"| {case} | {cases[case]} | {tests_text(covered.get(case, []))} |\n"
        for case in sorted(cases, key=key)
    ]
    return HEAD + "".join(rows)


def main():
    args = [a for a in sys.argv[1:] if a != "--check"]
    check = "--check" in sys.argv[1:]
    if len(args) != 1:
        sys.exit(__doc__)
    root = args[0]
    cases, covered = read_cases(root), find_tests(root)
    missing = sorted(cases.keys() - covered.keys(), key=key)
    unknown = sorted(covered.keys() - cases.keys(), key=key)
    text = page(cases, covered)
    path = os.path.join(root, OUTPUT)
    wrong = []
    if missing:
        wrong.append(f"cases without a test: {', '.join(missing)}")
    for case in unknown:
        where, function = covered[case][0]
        wrong.append(f"{where}: {function}: there is no case {case}")
    if check:
        try:
            with open(path, encoding="utf-8") as f:
                current = f.read()
        except FileNotFoundError:
            current = ""
        if current != text:
            wrong.append(f"{OUTPUT} is not what the tests say: run tests/tools/conformance.py .")
    elif not wrong:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    for line in wrong:
        print(line)
    print(f"{len(cases)} cases, {len(cases) - len(missing)} covered")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
