# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""make graph: a run is recorded and drawn, and the record is what happened."""

import json
import os
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

import lab


@pytest.fixture(name="graph")
def fixture_graph(tmp_path):
    """Runs it. @return (record, root of the picture)"""

    def run(kind):
        prefix = str(tmp_path / kind)
        argv = ["/usr/bin/python3", "-B", os.path.join(lab.ROOT, "tests/lab/graph.py")]
        done = subprocess.run([*argv, "--run", kind, "--to", prefix], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=90, check=False)
        assert done.returncode == 0, done.stdout
        assert f"drawn: {prefix}.svg" in done.stdout
        with open(prefix + ".json", encoding="utf-8") as f:
            return json.load(f), ElementTree.parse(prefix + ".svg").getroot()

    return run


def states(record, name):
    """The states that a box went through, in their order."""
    return [s for b in record["boxes"] if b["name"] == name for _, s in b["states"]]


def test_a_crash_is_recorded_and_drawn(graph):
    record, root = graph("crash")
    assert root.tag.endswith("svg")
    fw1, fw2 = states(record, "fw1"), states(record, "fw2")
    assert fw1.index("MASTER") < fw1.index("down") and fw1[-1] == "MASTER"
    assert "MASTER" in fw2 and fw2[-1] == "BACKUP"
    # That the formula is kept is test_failover's; here: the figure is that of these adverts.
    took = record["formula"]["to"]
    assert record["formula"]["ms"] == 3500 and took > 3400
    adverts = {b["name"]: b["adverts"] for b in record["boxes"]}
    assert 0.0 in adverts["fw1"] and took in adverts["fw2"]
    assert not [ms for ms in adverts["fw1"] if 0 < ms < took]
    run = max(record["stream"]["runs"], key=lambda r: r[2])
    assert record["stream"]["lost"] >= run[2] > 1000
    assert run[1] - run[0] > 3000
    assert [a["said"] for a in record["actions"]] == ["kill -9: fw1 is dead", "fw1 is started again"]


def test_a_drain_is_recorded_and_drawn(graph):
    record, root = graph("drain")
    assert root.tag.endswith("svg")
    fw1 = next(b for b in record["boxes"] if b["name"] == "fw1")
    assert fw1["bow_outs"] == [0.0]
    assert states(record, "fw1")[-2:] == ["BACKUP", "MASTER"]
    assert states(record, "fw2")[-2:] == ["MASTER", "BACKUP"]
    said = [p["said"] for p in sorted(record["close"]["points"], key=lambda p: p["ms"])]
    assert said[0] == "bow-out of fw1, LAN" and said.count("advert, LAN") == 1
