#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Does the simulator find every planted bug, and has every check a bug that only it need find?

usage: hunt.py ROOT SEEDS SIM MUTANT.mut PROGRAM [MUTANT.mut PROGRAM]...

Each mutant runs with the one check that it names. TAP on the output.
"""

import concurrent.futures
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mutate  # noqa: E402

JOBS = 2
TIMEOUT_S = 60


def hunt(root, seeds, path, program):
    """@return (killed, line)"""
    mutant = mutate.Mutant(path)
    name = os.path.basename(path)[:-len(".mut")]
    misfit = mutant.apply(root)[1]
    if misfit:
        return False, f"{name}: does not apply to {misfit} any more"
    try:
        run = subprocess.run(
            [program, "--seeds", seeds, "--jobs", "1", "--failures", "1", "--check", mutant.check],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_S,
            check=False)
    except subprocess.TimeoutExpired:
        return False, f"{name}: neither killed nor done after {TIMEOUT_S} s"
    about = " ".join(mutant.about)
    found = re.search(r"^sim --seed (\S+) --scenario (\S+): ", run.stdout, re.MULTILINE)
    if not found:
        end = "\n".join("# " + line for line in run.stdout.splitlines()[-8:])
        return False, f"{name}: survived {seeds} seeds ({about}; exit {run.returncode})\n{end}"
    number = re.search(r"^(\d+) seeds", run.stdout, re.MULTILINE)
    return True, (f"{name}: killed by {mutant.check} after "
                  f"{number[1] if number else '?'} seeds ({found[2]}): {about}")


def main():
    root, seeds, sim = sys.argv[1:4]
    pairs = list(zip(sys.argv[4::2], sys.argv[5::2]))
    checks = {line.split()[1]
              for line in subprocess.run([sim, "--list"], stdout=subprocess.PIPE, text=True,
                                         check=True).stdout.splitlines()
              if line.startswith("check ")}
    print(f"1..{len(pairs) + 1}")
    bad, number = 0, 0
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for killed, line in pool.map(lambda p: hunt(root, seeds, *p), pairs):
            number += 1
            bad += not killed
            print(f"{'ok' if killed else 'not ok'} {number} - {line}", flush=True)
    unproven = checks - {mutate.Mutant(path).check for path, _ in pairs}
    bad += bool(unproven)
    print(f"{'not ok' if unproven else 'ok'} {number + 1} - every check has a mutant"
          + (": not " + ", ".join(sorted(unproven)) if unproven else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
