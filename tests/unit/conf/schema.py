#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""config/koi.schema.json against the parser, on files that are good and files that are damaged.

    schema.py ROOT CONF_DOC

What koi accepts the schema accepts. What is wrong with one value alone (its type, its range, a key
that is unknown or missing) both refuse.
"""

import copy
import json
import os
import random
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed (tests/setup.sh check)")
    sys.exit(77)

MUTANTS = 1500
GOOD = (
    "config/koi.json",
    "config/fw1.json",
    "config/fw2.json",
    "tests/fuzz/corpus/conf/every-key.json",
    "tests/fuzz/corpus/conf/shared-addresses.json",
)
SCRAPS = [
    None, True, False, 0, 1, -1, 63, 64, 255, 256, 65536, 10**20, 0.5, 1.0, "", "a", "lan", "carp0",
    "all", "auto", "no", "x" * 16, "a b", "é", "192.0.2.1", "192.0.2.9/24", "192.0.2.9/0",
    "192.0.2.9/33", "2001:db8:1::7/64", "2001:db8:1::7/129", "::ffff:192.0.2.1/128", "fe80::9/64",
    "10.0.0.0/8", "0.0.0.0/0", "::/0", "/etc/x", "hex:" + "0" * 40, "hex:0", "p" * 19, "p" * 20,
    "--", "-v", "0000:03:00.0", "a,b", [], {}, ["a"], [1], {"name": "x"},
]  # fmt: skip
# One of each type of JSON; the parser takes none of the last two anywhere.
TYPES = [True, "~", [], {}, -1, 10**9, 0.5, None]


def paths(value, at=()):
    """The path of every value below one."""
    yield at
    if isinstance(value, dict):
        for key, below in value.items():
            yield from paths(below, at + (key,))
    elif isinstance(value, list):
        for i, below in enumerate(value):
            yield from paths(below, at + (i,))


def get(value, path):
    for step in path:
        value = value[step]
    return value


def changed(document, path, new):
    """A copy with another value at a path."""
    if not path:
        return copy.deepcopy(new)
    out = copy.deepcopy(document)
    get(out, path[:-1])[path[-1]] = copy.deepcopy(new)
    return out


def without(document, path):
    out = copy.deepcopy(document)
    del get(out, path[:-1])[path[-1]]
    return out


def keys_of(schema):
    return [k for d in [schema, *schema["$defs"].values()] for k in d.get("properties", {})]


def mutant(rng, originals, keys):
    """A document with one to three values changed."""
    out = copy.deepcopy(rng.choice(originals))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        path = rng.choice(list(paths(out)))
        if not path:
            continue
        value = get(out, path)
        kind = rng.randrange(6)
        if kind == 0:
            out = without(out, path)
        elif kind == 1 and isinstance(value, dict):
            value[rng.choice(keys + ["nothing"])] = rng.choice(SCRAPS)
        elif kind == 2 and isinstance(value, list) and value:
            value.append(copy.deepcopy(rng.choice(value)))
        else:
            out = changed(out, path, rng.choice(SCRAPS))
    return out


def verdicts(conf_doc, documents):
    """What koi says of each: True for valid."""
    text = b"".join(json.dumps(d).encode() + b"\0" for d in documents)
    out = subprocess.run([conf_doc, "verdicts"], input=text, stdout=subprocess.PIPE, check=True)
    lines = out.stdout.decode().split()
    assert len(lines) == len(documents), (len(lines), len(documents))
    return [line == "1" for line in lines]


def single_mistakes(document):
    """(what, document) with one value of another type, one key more or one key less."""
    for path in paths(document):
        if not path:
            continue
        for value in TYPES:
            yield f"{path} = {value!r}", changed(document, path, value)
        if isinstance(get(document, path), dict):
            yield f"{path}/nothing", changed(document, path + ("nothing",), 1)
    yield "/nothing", changed(document, ("nothing",), 1)


# Refused for the sake of another value, which no schema can say: a group is found by this subnet.
LOOKS_ELSEWHERE = {"('interfaces', 1, 'addresses') = []"}


def main():
    root, conf_doc = sys.argv[1:3]
    with open(os.path.join(root, "config", "koi.schema.json"), encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    valid = jsonschema.Draft202012Validator(schema).is_valid
    originals = []
    for path in GOOD:
        with open(os.path.join(root, path), encoding="utf-8") as f:
            originals.append(json.load(f))
    failures = []

    for path, document, koi in zip(GOOD, originals, verdicts(conf_doc, originals)):
        if not (koi and valid(document)):
            failures.append(f"{path}: koi {koi}, schema {valid(document)}")

    rng = random.Random(6)
    keys = keys_of(schema)
    mutants = [mutant(rng, originals, keys) for _ in range(MUTANTS)]
    counts = {}
    for document, koi in zip(mutants, verdicts(conf_doc, mutants)):
        says = valid(document)
        counts[koi, says] = counts.get((koi, says), 0) + 1
        if koi and not says:
            failures.append(f"koi accepts, the schema refuses: {json.dumps(document)}")
    print("mutants by (koi, schema):", counts)
    if not counts.get((True, True)) or not counts.get((False, False)):
        failures.append("the mutants are of one kind only")

    # every key with a value of each type: the schema must see what is wrong with one value alone
    tried = list(single_mistakes(originals[GOOD.index("tests/fuzz/corpus/conf/every-key.json")]))
    for (what, document), koi in zip(tried, verdicts(conf_doc, [d for _, d in tried])):
        if koi != valid(document) and what not in LOOKS_ELSEWHERE:
            failures.append(f"{what}: koi {koi}, schema {valid(document)}")
    print(f"{len(tried)} single mistakes")

    for required in ("interfaces",):
        document = without(originals[0], (required,))
        if valid(document):
            failures.append(f"the schema does not miss {required}")
    for line in failures:
        print(line)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
