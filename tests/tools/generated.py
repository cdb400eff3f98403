#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Files of the repository that a program of koi writes from koi's own tables.

    generated.py ROOT CONF_DOC            write them
    generated.py ROOT CONF_DOC --check    fail where a committed one is stale
"""

import os
import subprocess
import sys


def outputs(root, conf_doc):
    """path -> what belongs there"""
    example = os.path.join(root, "config", "koi.json")
    wanted = {
        "config/koi.schema.json": [conf_doc, "schema"],
        "docs/config.md": [conf_doc, "markdown"],
        "docs/man/koi.json.5": [conf_doc, "man", example],
    }
    for path, argv in wanted.items():
        done = subprocess.run(argv, stdout=subprocess.PIPE, check=False)
        if done.returncode != 0:
            sys.exit(f"{path}: {' '.join(argv)} ended with {done.returncode}")
        yield path, done.stdout


def main():
    root, conf_doc = sys.argv[1:3]
    check = "--check" in sys.argv[3:]
    stale = []
    for path, text in outputs(root, conf_doc):
        full = os.path.join(root, path)
        try:
            with open(full, "rb") as f:
                old = f.read()
        except FileNotFoundError:
            old = None
        if old == text:
            continue
        if check:
            stale.append(path)
            continue
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as f:
            f.write(text)
        print(f"wrote {path}")
    for path in stale:
        print(f"{path} is not what koi's tables say: ninja -C build docs, then commit it")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
