#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Files of the repository that are written from the table of the configuration's keys, and pictures.

    generated.py ROOT CONF_DOC            write them
    generated.py ROOT CONF_DOC --check    fail where a committed one is stale
"""

import os
import subprocess
import sys

import pictures

OUTPUTS = {"config/koi.schema.json": "schema", "docs/config.md": "markdown"}


def main():
    root, conf_doc = sys.argv[1:3]
    made = {
        path: subprocess.run([conf_doc, mode], stdout=subprocess.PIPE, check=True).stdout
        for path, mode in OUTPUTS.items()
    }
    made.update(pictures.outputs(root))
    stale = []
    for path, text in made.items():
        full = os.path.join(root, path)
        try:
            with open(full, "rb") as f:
                old = f.read()
        except FileNotFoundError:
            old = None
        if old == text:
            continue
        if "--check" in sys.argv[3:]:
            stale.append(path)
            continue
        with open(full, "wb") as f:
            f.write(text)
        print(f"wrote {path}")
    for path in stale:
        print(f"{path} is not what it is made from: ninja -C build docs, then commit it")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
