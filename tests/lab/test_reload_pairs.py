# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Random configurations reload into each other under traffic; groups that are in all of them and
their flows notice nothing. KOI_PAIRS: how many pairs, KOI_PAIRS_SEED: the seed of the first."""

import json
import os
import re
import subprocess
import time

import pytest

import box
import confgen
import fast
import lab
import paired

PAIRS = int(os.environ.get("KOI_PAIRS", "20"))
SEED = int(os.environ.get("KOI_PAIRS_SEED", "1"))
#: Seeds whose configurations are only checked.
VALID = 40
#: Pairs of a turn, and how long the turn without them is.
PER_TURN, TURN_S, PPS = 10, 6.0, 2000
KEPT = ("carp0", "carp1")
ITEM = re.compile(
    r"(?P<object>(?:group|interface) \S+|carp|box|lcores): (?P<action>changed|added|removed)"
    r"(?:: (?P<keys>[a-z0-9, -]+?))?(?: \((?P<need>[a-z ]+)\))?"
)


def as_dict(text):
    """@return what a printed plan says, by object: (action, keys, need)"""
    out = {}
    for line in text.splitlines():
        found = ITEM.fullmatch(line)
        if found:
            keys = frozenset(found["keys"].split(", ")) if found["keys"] else frozenset()
            out[found["object"]] = (found["action"], keys, found["need"] or "")
    return out


def again(seed):
    """@return the line that does it again"""
    return (
        f"again: KOI_PAIRS_SEED={SEED} KOI_PAIRS={seed - SEED + 1} /usr/bin/python3 -m pytest -s "
        "tests/lab/test_reload_pairs.py -k under_traffic "
        f"(alone: KOI_PAIRS_SEED={seed} KOI_PAIRS=1)"
    )


class Walk:
    """One box led from configuration to configuration, looked at after every step."""

    def __init__(self, it):
        self.it, self.fw = it, it.fw1
        # what the box runs on: interfaces, and the groups that nothing happens to
        self.conf = self.base = it.fw1.read_config()
        #: By group: interface, vhid and the state that it was to start in when it came.
        self.born = {}
        self.before = self.of_kept()
        self.seed = SEED
        self.log = []  # (CLOCK_REALTIME, seed, step)
        self.pinged = 0

    def of_kept(self):
        """The groups that nothing may happen to, on both boxes."""
        out = {}
        for b in self.it.boxes:
            for name in KEPT:
                view, stats = b.telemetry(f"/carp/info,{name}"), b.carp_stats(name)
                stats.pop("name")
                out[b.name, name] = (view["state"], view["transitions"], view["last_cause"]), stats
        return out

    def check_kept(self):
        now = self.of_kept()
        for key, (view, stats) in now.items():
            assert view == self.before[key][0], (key, view, self.before[key][0])
            back = {k for k, n in stats.items() if n < self.before[key][1][k]}
            assert not back, f"{key}: counters went back: {back}"
        self.before = now

    def load(self, conf):
        """One reload: as planned, and then all views as the file."""
        planned = self.fw.reload(conf, plan=True, now=True)
        assert planned[0] == 0, planned[1]
        done = self.fw.reload(conf, now=True)
        assert done == planned, f"planned:\n{planned[1]}\ndone:\n{done[1]}"
        plan = confgen.plan(self.conf, conf)
        assert as_dict(done[1]) == plan, done[1]
        names = {g["name"] for c in (self.conf, conf) for g in c["carp"]["groups"]}
        # beside groups and interfaces: the box, its lcores, CARP
        objects = 3 + len(conf["interfaces"]) + len(names)
        kept = re.search(rf"^{objects - len(plan)} of {objects} objects kept(?:: (.*))?$", done[1], re.M)
        assert kept, done[1]
        assert not set((kept.group(1) or "").split(", ")) & set(plan), done[1]
        self.conf = conf
        self.check_config()
        self.check_groups()
        self.check_kept()

    def check_config(self):
        want, shown = confgen.effect(self.conf), self.fw.ctl_json("show config")
        for g in shown["carp"]["groups"]:
            assert g.pop("pass") == "********"
            for key in ("peer", "peer6"):
                g.setdefault(key, None)
        have = confgen.effect(shown)
        for group in have["groups"].values():
            group.pop("pass", None)
        for part, value in want.items():
            assert have[part] == value, f"{part}: {have[part]} instead of {value}"
        assert self.fw.ctl_json("show config diff")["changes"] == []

    def check_groups(self):
        groups = confgen.by_name(map(confgen.whole_group, self.conf["carp"]["groups"]))
        born = {}
        for name, g in groups.items():
            who = g["carpdev"], g["vhid"]
            old = self.born.get(name)
            born[name] = old if old is not None and old[:2] == who else (*who, g["state"])
        self.born = born
        lab.poll_until(lambda: self.states_wrong() == {}, 3, "states as of the file")
        views = self.views()
        assert views.keys() == groups.keys()
        for name, v in views.items():
            g = groups[name]
            for key in ("carpdev", "vhid", "advbase", "advskew"):
                assert v[key] == g[key], (name, key, v[key], g[key])
            assert v["addresses"] == [confgen.plain_address(a) for a in g["addresses"]], name
        self.ping_one(groups, views)

    def views(self):
        return confgen.by_name(self.fw.ctl_json("show carp all")["groups"])

    def states_wrong(self):
        """Nobody else has the groups of random numbers: those that are up become MASTER."""
        allowed = {"init": ("INIT",), "master": ("MASTER",), "backup": ("BACKUP", "MASTER")}
        wrong = {}
        for name, v in self.views().items():
            if name not in KEPT and v["state"] not in allowed[self.born[name][2]]:
                wrong[name] = v["state"]
        return wrong

    def ping_one(self, groups, views):
        """A neighbour finds an address of a group at its box, whoever had it before."""
        shared = {a for g in groups.values() for o in groups.values() if o is not g
                  for a in set(g["addresses"]) & set(o["addresses"])}
        for name, g in sorted(groups.items()):
            for address in g["addresses"]:
                if (
                    name not in KEPT
                    and views[name]["state"] == "MASTER"
                    and address.startswith(confgen.NET["em0"] + ".")
                    and address not in shared
                ):
                    self.it.client.wait_ping(address.split("/")[0], timeout=3)
                    self.pinged += 1
                    return

    def pairs(self, it, seconds):
        """A turn's pairs: to A, to B and back to A."""
        assert it is self.it and seconds == TURN_S
        last = min(self.seed + PER_TURN, SEED + PAIRS)
        began = time.monotonic()
        steps = len(self.log)
        while self.seed < last:
            make = confgen.Generator(self.base, self.seed)
            a = make.after()
            b = make.after(a)
            for step, conf in (("to A", a), ("to B", b), ("to A again", a)):
                self.log.append((time.time(), self.seed, step))
                try:
                    self.load(conf)
                except Exception as err:
                    what = f"seed {self.seed}, {step}: {err}\n{again(self.seed)}"
                    raise AssertionError(what) from err
            self.seed += 1
        steps = len(self.log) - steps
        return {"reloads": steps, "s_each": round((time.monotonic() - began) / max(1, steps), 3)}

    def beside(self, at):
        """@return seed and step that were on their way at a time in a turn with pairs"""
        return [s for s in self.log if s[0] <= at][-1][1:]


def test_random_configurations_are_valid_and_differ(tmp_path):
    """By koi itself; and each key that a reload may change does change somewhere."""
    base, seen = paired.config("fw1", 0), set()
    for seed in range(SEED, SEED + VALID):
        make = confgen.Generator(base, seed)
        a = make.after()
        b = make.after(a)
        again = confgen.Generator(base, seed)
        assert again.after() == a and again.after(a) == b
        for conf in (a, b):
            path = tmp_path / "koi.json"
            path.write_text(json.dumps(conf, indent=1), encoding="utf-8")
            done = subprocess.run(
                [box.KOI, "--config", str(path), "--check"],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"seed {seed}: {done.stdout}"
        for action, keys, _ in confgen.plan(a, b).values():
            seen |= {action} | keys
    groups = set(confgen.GROUP_DEFAULTS) | {"advbase", "vhid", "carpdev", "addresses"}
    want = groups | set(confgen.CARP_DEFAULTS) | set(confgen.IF_DEFAULTS) | {"added", "removed"}
    assert want <= seen, want - seen


@pytest.mark.timing
def test_random_configurations_reload_under_traffic(net):
    """In turns with as long a time without a reload."""
    with fast.eager(), paired.pair(net) as it:
        walk = Walk(it)
        rounds = -(-PAIRS // PER_TURN)
        run = paired.run(it, "pairs", walk.pairs, TURN_S, rounds, PPS, groups=KEPT)
        walk.check_kept()
    print(run.text(), f"{len(walk.log)} reloads, {walk.pinged} addresses asked for", sep="\n")
    # What was before the first step of all, if anything was, is no step's.
    first = walk.log[0][0]
    lost = [gap for t in run.turns if t.disturbed for gap in t.lost_at if gap[0] > first]
    steps = [(*walk.beside(at), at, n) for at, n in lost]
    text = run.text() + "".join(
        f"\n  seed {seed}, {step}: {n} lost at {at:.3f}" for seed, step, at, n in steps
    )
    assert len(walk.log) == 3 * PAIRS and (walk.pinged > 0 or PAIRS < 20)
    if run.busy() or run.transitions_by_machine:
        raise lab.TooBusy(f"{lab.TooBusy.TEXT}: {text}")
    assert not run.failed(), f"{text}\n{again(steps[0][0] if steps else walk.seed - 1)}"
