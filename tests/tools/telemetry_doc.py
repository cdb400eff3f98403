#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""docs/telemetry.md, made from the tables of telemetry commands and of metrics.

    telemetry_doc.py ROOT            write docs/telemetry.md
    telemetry_doc.py ROOT --check    compare it with what the tables say now
"""

import os
import re
import sys

OUTPUT = "docs/telemetry.md"

HEAD = """# Telemetry and metrics: reference

Made by `tests/tools/telemetry_doc.py` from `lib/mgmt/tel_cmds.def`, `lib/mgmt/metrics.def`,
`lib/ctl/ctl_stats.def` and `lib/dp/drops.def`; do not edit. How to use them: [monitoring.md](monitoring.md).

## Telemetry

Commands of DPDK's telemetry socket, `/var/run/dpdk/koi-NODE/dpdk_telemetry.v2`; `dpdk-telemetry.py -f koi-NODE` speaks
it. Parameters follow the command behind commas: `/carp/events,carp0,17`. `/help,COMMAND` says the same as this table.

| command | parameters | what it answers |
| --- | --- | --- |
"""

RULES = """
What holds for all replies, because telemetry of DPDK 22.11 carries no more:

- true and false are 1 and 0; a text longer than 127 bytes goes on under `KEY_2`, `KEY_3`, ...
- A list of objects is an object with the keys `e<n>`: `n` is the position, of events the number of the event.
- A list that does not fit one reply (16 KiB) is cut, and `next` is what to give as OFFSET for the rest; 0 or, of events, a
  number that does not change any more: there is no more.
- What cannot be answered is `{"error": "..."}`; koi's own log has nothing of it.
- Counters are unsigned 64-bit numbers. `clear carp stats` and `clear port stats all` set theirs to 0.

## Metrics

`koictl metrics` prints them as OpenMetrics 1.0.0, `koictl metrics text` in Prometheus' text format 0.0.4; `/metrics`
of the listener answers in what is asked for. Units are seconds and bytes.

| metric | type | labels | meaning |
| --- | --- | --- | --- |
"""

LABELS = {
    "BOX": "",
    "HOOKS": "",
    "CAPTURE": "",
    "FWD": "",
    "GROUP": "group, vhid, interface",
    "IF": "interface",
    "PORT": "device",
    "LCORE": "lcore, role",
}


def rows(root, path, macro):
    """Rows of a table as lists of their arguments; strings without quotes, joined where split."""
    with open(os.path.join(root, path), encoding="utf-8") as f:
        text = f.read()
    text = text[text.index("*/\n", text.index("/*\n" if "/*\n" in text else "/*")) :]
    string = r'"(?:[^"\\]|\\.)*"'
    for found in re.finditer(rf'^{macro}\(((?:{string}|[^"()])*)\)$', text, re.MULTILINE):
        parts = re.findall(rf"((?:{string}|[^,\"])+)", found[1])
        yield [
            "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', p)) if '"' in p else p.strip()
            for p in parts
        ]


def escape(text):
    return text.replace("|", "\\|")


def render(root):
    out = [HEAD]
    for name, _, _, _, text in rows(root, "lib/mgmt/tel_cmds.def", "MGMT_TEL"):
        what, _, parameters = text.partition(" Parameters: ")
        if not parameters:
            what = text.replace(" No parameters", "")
        parameters = f"`{parameters}`" if parameters else ""
        out.append(f"| `{name}` | {escape(parameters)} | {escape(what.strip())} |\n")
    out.append(RULES)
    group = LABELS["GROUP"]
    table = [
        ("koi_build_info", "info", "version, dpdk, node", "What runs here."),
        ("koi_carp_state", "gauge", group + ", state", "1 for the state that the group is in, 0 for the others."),
        ("koi_carp_advert_lateness_seconds", "histogram", "le", "How long after their deadline adverts were served."),
        ("koi_carp_demotion_entry", "gauge", "source, interface, group", "Amount of an entry of the demotion ledger."),
        ("koi_carp_demotion_entry_age_seconds", "gauge", "source, interface, group", "Time since an entry of the demotion ledger was made."),
        ("koi_dropped_frames_total", "counter", "reason", "Frames freed by the data plane, by reason."),
    ]
    for subject, _, name, kind, unit, _, text in rows(root, "lib/mgmt/metrics.def", "MGMT_METRIC"):
        full = f"koi_{name}" + (f"_{unit}" if unit else "") + ("_total" if kind == "COUNTER" else "")
        table.append((full, kind.lower(), LABELS[subject], text))
    for _, name, text in rows(root, "lib/ctl/ctl_stats.def", "CTL_STAT"):
        table.append((f"koi_carp_{name}_total", "counter", group, text))
    for name, kind, labels, text in table:
        out.append(f"| `{name}` | {kind} | {labels} | {escape(text)} |\n")
    out.append("\nCounters with empty labels `group`, `vhid`, `interface` hold what belongs to no group, such as adverts of an unknown\nvhid.\n")
    out.append("\nReasons of `koi_dropped_frames_total`, which are the keys of `/koi/drops`:\n\n| reason | what was dropped |\n| --- | --- |\n")
    for row in rows(root, "lib/dp/drops.def", "DP_DROP"):
        out.append(f"| `{row[1]}` | {escape(row[2])} |\n")
    return "".join(out)


def main():
    root = sys.argv[1]
    text, path = render(root), os.path.join(root, OUTPUT)
    if sys.argv[2:] == ["--check"]:
        with open(path, encoding="utf-8") as f:
            if f.read() != text:
                sys.exit(f"{OUTPUT} is out of date: run tests/tools/telemetry_doc.py .")
        return
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


if __name__ == "__main__":
    main()
