#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Bash completion of koi and koictl in a bash, and the manual pages by man's own warnings.

    completion.py DIR   the folder with koi, koictl (completion), koi.8, koictl.1, koi.json.5
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

#: stands for koictl: names of what runs, by node
FAKE = """#!/bin/sh
case "$*" in
"--json show carp all") echo '[{"name":"carp0","vhid":1},{"name": "carp1"}]' ;;
"--node fw2 --json show carp all") echo '[{"name": "other"}]' ;;
"--json show interface all") echo '{"interfaces": [{"name": "lan"}]}' ;;
*) exit 3 ;;
esac
"""

CASES = [
    # words before the cursor, the word under it, what must be offered, what must not
    ("koictl", [], "", ["show", "set", "explain", "help", "quit"], ["all", "carp0"]),
    ("koictl", [], "sh", ["show"], ["set"]),
    ("koictl", ["show"], "", ["carp", "interface", "route", "config"], ["up"]),
    ("koictl", ["show", "carp"], "", ["all", "stats", "carp0", "carp1"], ["lan"]),
    ("koictl", ["show", "carp"], "carp1", ["carp1"], ["carp0"]),
    ("koictl", ["--node", "fw2", "show", "carp"], "o", ["other"], ["carp0"]),
    ("koictl", ["show", "interface"], "l", ["lan"], ["carp0"]),
    ("koictl", ["carp"], "", ["carp0"], ["up"]),
    ("koictl", ["carp", "carp0"], "", ["up", "down", "state"], ["all"]),
    ("koictl", ["carp", "carp0", "state"], "", ["init", "backup", "master"], []),
    ("koictl", ["set", "carp", "carp0"], "adv", ["advbase", "advskew"], ["preempt"]),
    ("koictl", ["set", "carp", "carp0", "advbase"], "", [], ["0-255"]),
    ("koictl", ["set", "carp", "carp0", "pass-file"], "/et", ["/etc"], []),
    ("koictl", ["ping", "192.0.2.9"], "", ["count", "size", "source", "interface"], ["[count"]),
    ("koictl", ["ping", "fe80::9", "interface"], "", ["lan"], ["carp0"]),
    ("koictl", ["show", "nonsense"], "", [], ["all"]),
    ("koictl", [], "--", ["--json", "--node", "--socket"], ["show"]),
    ("koictl", ["--socket"], "/et", ["/etc"], []),
    ("koi", [], "--", ["--config", "--check", "--doctor", "--json"], []),
    ("koi", ["--config"], "/et", ["/etc"], ["--check"]),
    ("koi", ["--check"], "--j", ["--json"], ["--check"]),
    ("koi", ["--root"], "/et", ["/etc"], []),
]


def complete(folder, fakes, program, before, word):
    """What bash would offer."""
    words = [program, *before, word]
    script = f"""
        set -u
        source "{folder}/{program}"
        COMP_WORDS=({' '.join(f"'{w}'" for w in words)})
        COMP_CWORD={len(words) - 1}
        COMPREPLY=()
        _{program}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    env = {**os.environ, "PATH": fakes + ":" + os.environ["PATH"]}
    done = subprocess.run(
        ["/bin/bash", "--norc", "-c", script], capture_output=True, text=True, env=env, check=False
    )
    return [w for w in done.stdout.split("\n") if w], done.stderr


def check_page(path, failures):
    """A page without warnings, with the parts that a reader looks for."""
    if shutil.which("man") is None:
        print("man is not installed (tests/setup.sh check): pages not checked")
        return
    env = {**os.environ, "MANROFFSEQ": "", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
        check=False,
    )
    if done.returncode != 0 or done.stderr:
        failures.append(f"{path}: {done.stderr}")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if re.search(r"\bNone\b", text) or text.count("\n.SH ") < 4:
        failures.append(f"{path}: not what a page looks like")


def main():
    folder = os.path.abspath(sys.argv[1])
    failures = []
    with tempfile.TemporaryDirectory() as fakes:
        fake = os.path.join(fakes, "koictl")
        with open(fake, "w", encoding="ascii") as f:
            f.write(FAKE)
        os.chmod(fake, 0o755)
        for program, before, word, wanted, unwanted in CASES:
            found, err = complete(folder, fakes, program, before, word)
            what = f"{program} {' '.join(before)} {word}|: {found} {err}"
            if err or set(wanted) - set(found) or set(unwanted) & set(found):
                failures.append(what)
            if any(not w.startswith(word) for w in found):
                failures.append("not of the word: " + what)
    for page in ("koi.8", "koictl.1", "koi.json.5"):
        check_page(os.path.join(folder, page), failures)
    for line in failures:
        print(line)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
