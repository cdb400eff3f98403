# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The configurations in the documents are ones that koi takes.

usage: test_doc_configs.py ROOT KOI

A block of JSON that is an object with "interfaces" and "carp" passes koi --check as it is. A piece of
one, which begins with a key, is JSON once there are braces around it, and its keys are known.
"""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
KEY = re.compile(r'^CONF_(?:VALUE|PART)\(\w+, \w+, "([^"]+)"', re.MULTILINE)


def blocks(root):
    """(file:line, text) of every block of JSON in the documents."""
    names = ["README.md", "config/README.md"]
    names += sorted(os.path.relpath(p, root) for p in glob.glob(os.path.join(root, "docs/*.md")))
    for name in names:
        with open(os.path.join(root, name), encoding="utf-8") as f:
            text = f.read()
        for found in BLOCK.finditer(text):
            yield f"{name}:{text.count(chr(10), 0, found.start(1)) + 1}", found[1]


def keys_of(value):
    """Every key in it, at any depth."""
    if isinstance(value, dict):
        return set(value) | {k for v in value.values() for k in keys_of(v)}
    return {k for v in value for k in keys_of(v)} if isinstance(value, list) else set()


def check_block(koi, place, text, known):
    """What is wrong with one block, or None."""
    piece = not text.lstrip().startswith("{")
    try:
        conf = json.loads("{" + text.strip().rstrip(",") + "}" if piece else text)
    except json.JSONDecodeError as err:
        return f"{place}: no JSON: {err}"
    unknown = keys_of(conf) - known
    if unknown:
        return f"{place}: koi knows no {', '.join(sorted(unknown))}"
    if piece or not {"interfaces", "carp"} <= set(conf):
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        f.write(text)
        f.flush()
        done = subprocess.run([koi, "--check", f.name], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
    return None if done.returncode == 0 else f"{place}: refused by koi --check:\n{done.stdout}"


def main():
    root, koi = sys.argv[1:3]
    with open(os.path.join(root, "lib/conf/conf_keys.def"), encoding="utf-8") as f:
        known = set(KEY.findall(f.read()))
    found = list(blocks(root))
    wrong = [w for w in (check_block(koi, *b, known) for b in found) if w]
    print("\n".join(wrong + [f"{len(found)} blocks, {len(wrong)} wrong"]))
    return 1 if wrong or len(found) < 5 else 0


if __name__ == "__main__":
    sys.exit(main())
