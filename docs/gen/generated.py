#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Files of the repository that are written from the table of the configuration's keys.

    generated.py ROOT CONF_DOC            write them
    generated.py ROOT CONF_DOC --check    fail where a committed one is stale
"""

import os
import subprocess
import sys

OUTPUTS = {"config/koi.schema.json": "schema", "docs/config.md": "markdown"}


def main():
    root, conf_doc = sys.argv[1:3]
    stale = []
    for path, mode in OUTPUTS.items():
        done = subprocess.run([conf_doc, mode], stdout=subprocess.PIPE, check=False)
        if done.returncode != 0:
            return done.returncode
        full = os.path.join(root, path)
        try:
            with open(full, "rb") as f:
                old = f.read()
        except FileNotFoundError:
            old = None
        if old == done.stdout:
            continue
        if "--check" in sys.argv[3:]:
            stale.append(path)
            continue
        with open(full, "wb") as f:
            f.write(done.stdout)
        print(f"wrote {path}")
    for path in stale:
        print(f"{path} is not what koi's tables say: ninja -C build docs, then commit it")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
