#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Run the libFuzzer targets one after another, each for some time.

    fuzz.py BUILD_FOLDER [--seconds N] [--only NAME[,NAME]]

A target is an executable fuzz_NAME beside a corpus folder tests/fuzz/corpus/NAME. Inputs that reach
new code are kept below .build/fuzz/NAME/corpus and are the start of the next run; what broke a
target is .build/fuzz/NAME/crash-*, with its log beside it. Ends with 1 if anything broke.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
KEPT = ROOT / ".build" / "fuzz"
# An input that takes this long is a finding as well.
TIMEOUT_S = 10
RSS_LIMIT_MB = 2048
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:halt_on_error=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}


def relative(path):
    return os.path.relpath(path, ROOT)


def findings(folder):
    return {p for p in folder.iterdir() if p.name.startswith(("crash-", "leak-", "timeout-",
                                                              "oom-"))}


def last(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def run(program, name, seconds):
    """@return True when nothing broke"""
    folder = KEPT / name
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    before, grown = findings(folder), len(list(corpus.iterdir()))
    log = folder / "log"
    argv = [str(program), f"-max_total_time={seconds}", f"-timeout={TIMEOUT_S}",
            f"-rss_limit_mb={RSS_LIMIT_MB}", f"-artifact_prefix={folder}/",
            "-print_final_stats=1", str(corpus), str(CORPUS / name)]
    with open(log, "w", encoding="utf-8") as f:
        code = subprocess.run(argv, cwd=ROOT, env={**os.environ, **SANITIZER_ENV}, stdout=f,
                              stderr=subprocess.STDOUT, check=False).returncode
    text = log.read_text(encoding="utf-8", errors="replace")
    new = len(list(corpus.iterdir())) - grown
    print(f"{name:10} {last(r'stat::number_of_executed_units: +([0-9]+)', text):>11} runs, "
          f"{last(r'cov: ([0-9]+)', text):>6} edges, {new:>5} inputs kept", flush=True)
    if code == 0:
        return True
    print("\n".join(text.splitlines()[-40:]))
    print(f"{name}: BROKEN (code {code}, log {relative(log)})")
    for path in sorted(findings(folder) - before):
        print(f"  replay: {relative(program)} {relative(path)}\n"
              f"  keep:   cp {relative(path)} {relative(CORPUS / name)}/ (with a name that says "
              "what it is)")
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--only", default="", help="names of targets")
    args = parser.parse_args()
    if args.seconds < 1:
        parser.error("--seconds must be at least 1: libFuzzer takes 0 for no end")
    names = sorted(p.name for p in CORPUS.iterdir())
    wanted = args.only.split(",") if args.only else names
    for name in wanted:
        if name not in names:
            parser.error(f"no target {name}; there are {', '.join(names)}")
    programs = args.build.resolve() / "tests" / "fuzz"
    broken = [n for n in wanted if not run(programs / f"fuzz_{n}", n, args.seconds)]
    if broken:
        print(f"fuzz: {len(broken)} of {len(wanted)} targets broke: {', '.join(broken)}")
        return 1
    print(f"fuzz: {len(wanted)} targets, {args.seconds} s each, nothing broke")
    return 0


if __name__ == "__main__":
    sys.exit(main())
