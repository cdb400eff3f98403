# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""A newcomer's way: docs/quick-start.md from two fresh machines to a graph of a failover.

What is typed is what the document has between its fences and in its table, section by section, on two fresh
Debians with the packages as "make deb" leaves them. What a namespace cannot have is named in NOT_HERE; a
command that is neither followed nor there fails the test, and so does one that the document has no more.
"""

import os
import re
import shutil
import xml.etree.ElementTree as ElementTree

import pytest

import box
import failover
import graph
import installed
import lab
import machine
import test_docs

pytestmark = pytest.mark.skipif(bool(machine.missing()), reason=machine.missing())

QUICK_START = "docs/quick-start.md"
#: What a line that is typed begins with, after "sudo".
PROGRAMS = ("apt", "dpdk-devbind.py", "dpdk-hugepages.py", "driverctl", "echo", "head", "install",
            "journalctl", "koi", "koictl", "make", "modprobe", "ssh", "systemctl")
NOT_HERE = {
    r"sudo apt install make git$": "the packages are built already",
    r"sudo make deb$": "the same",
    r"sudo dpdk-hugepages\.py --setup": "hugepages are the whole machine's",
    r"sudo modprobe ": "drivers are the whole machine's",
    r"dpdk-devbind\.py --status-dev net$": "a namespace has no PCI devices",
    r"sudo driverctl ": "the same",
    r"systemctl status koi$": "there is no systemd: the test is its manager of services",
    r"journalctl ": "the same",
}


def section(number):
    """The text of a section of the quick start."""
    parts = re.split(r"^## (?=(\d+)\. )", test_docs.text_of(QUICK_START), flags=re.MULTILINE)
    return parts[parts.index(str(number)) + 1]


def lines(text):
    """What is typed in a text's blocks, without remarks, by block."""
    found = []
    for lang, block in test_docs.BLOCK.findall(text):
        typed = [re.sub(r"\s+# .*", "", line) for line in block.splitlines()]
        if lang == "" and re.sub(r"^sudo ", "", typed[0]).split()[0] in PROGRAMS:
            found.append(typed)
    return found


def here(block):
    """Those of a block that can be followed here."""
    return [line for line in block if not any(re.match(what, line) for what in NOT_HERE)]


def follow(one, number):
    """Type what a section has, on a machine or its box. @return what was said, by line"""
    return {line: one.typed(line).stdout for block in lines(section(number)) for line in here(block)}


def fresh():
    """A machine that build-deb was copied to."""
    it = machine.Machine()
    it.write("usr/bin/sudo", '#!/bin/sh\nexec "$@"\n', 0o755)
    it.write("etc/apt/apt.conf.d/99here", 'APT::Install-Recommends "false";\n'
             'APT::Get::Assume-Yes "true";\nAPT::Sandbox::User "root";\nDpkg::Use-Pty "0";\n')
    # of systemd, and of what a Debian has that is not the smallest
    for folder in ("sysctl.d", "modules-load.d"):
        os.makedirs(it.path("etc/" + folder), exist_ok=True)
    os.makedirs(it.path("root/build-deb"))
    for name in ("koi", "koi-doc"):
        shutil.copy(machine.package(name), it.path("root/build-deb"))
    return it


class Newcomer(installed.InstalledBox):
    """A firewall whose operator follows the document."""

    def systemctl(self, what):
        """What the manager would do for "systemctl reload koi"."""
        return self.typed(installed.unit_line(self.machine, f"Exec{what}"), check=False)

    def change(self, edit):
        """Its operator edits the file."""
        edit(self.conf)
        self.write_config()


class Pair:
    """The two boxes, as graph.py and failover.py want them."""

    def __init__(self, net, machines):
        self.net = net
        self.client = net.client()
        self.server = net.server()
        conf = configuration()
        self.fw1, self.fw2 = self.boxes = [
            Newcomer(net.firewall(c["node"]), c, it)
            for c, it in zip((conf, test_docs.second(conf)), machines)]

    def wait_usual(self):
        """fw1 is master of both."""
        self.fw1.wait_master()
        self.fw2.wait_backup()
        self.client.wait_ping(lab.SERVER_IP)


def configuration():
    """That of section 4, on devices as README has them for a machine without NICs for DPDK."""
    conf = test_docs.json_of(QUICK_START, "{")
    conf["eal"] = test_docs.json_of("README.md", '  "eal"')["eal"]
    vdevs = [a for a in conf["eal"] if a.startswith("--vdev=")]
    assert len(vdevs) == len(conf["interfaces"])
    for interface, vdev in zip(conf["interfaces"], vdevs):
        interface["device"] = re.match(r"--vdev=(\w+),iface=", vdev)[1]
        at = conf["eal"].index(vdev)
        conf["eal"][at] = re.sub(r"iface=\w+", f"iface={interface['name']}", vdev)
    return conf


@pytest.fixture(name="machines")
def fixture_machines():
    """Two, as sections 1 to 3 leave them; packages are installed once, for it takes a while."""
    first = fresh()
    said = follow(first, 1)
    assert said["koi --version"].startswith("koi "), said
    follow(first, 2)
    follow(first, 3)
    assert not first.told("systemctl")
    both = [first, machine.Machine(like=first)]
    yield both
    for it in both:
        it.close()


def configure(pair):
    """Sections 4 and 5: passwords are made on fw1, and copied."""
    follow(pair.fw1, 4)
    for name in ("lan.pass", "wan.pass"):
        secret = pair.fw1.machine.read(f"etc/koi/{name}")
        assert re.fullmatch(r"\S{19}\n", secret)
        pair.fw2.machine.write(f"etc/koi/{name}", secret, pair.fw1.machine.mode(f"etc/koi/{name}"))
    for one in pair.boxes:
        one.write_config()
        said = follow(one, 5)
        assert said["sudo koi --check"] == "/etc/koi/koi.json: valid\n"
        assert "FAILS" not in said["sudo koi --doctor"], said


def start(pair):
    """Sections 6 and 7."""
    assert lines(section(6))[0][0] == "sudo systemctl enable --now koi"
    for one in pair.boxes:
        one.start(wait=False)
        assert one.manager.wait("READY", 30) == "1", one.log()
    pair.wait_usual()
    failover.wait_heard(pair.fw2)
    said = [follow(one, 7) for one in pair.boxes]
    assert "carp: MASTER" in said[0]["koictl show carp all"]
    assert "carp: BACKUP" in said[1]["koictl show carp all"]
    assert "master 192.0.2.2" in said[1]["koictl show carp all"]


def switch(pair):
    """Section 8's table: what one does on fw1, and that the other has the addresses meanwhile."""
    rows = re.findall(r"^\| `(koictl [^`]+)` on fw1(?:, then `(\w+)`)? \|", section(8), re.MULTILINE)
    assert [r[0] for r in rows] == ["koictl drain", "koictl undrain", "koictl interface em0 down"]
    probe = lab.Probe(pair.client).flowing()
    pair.fw1.typed(rows[0][0])
    pair.fw2.wait_master()
    assert "MASTER" not in pair.fw1.states()
    pair.fw1.typed(rows[1][0])
    pair.wait_usual()
    pair.fw1.typed(rows[2][0])
    pair.fw2.wait_master()
    pair.fw1.typed(rows[2][0].replace("down", rows[2][1]))
    pair.wait_usual()
    # That not a packet is lost is what test_planned judges; a failover by silence costs seconds.
    assert probe.stop()["gap_ms"] < 1000


def address_commands():
    """(box, command): how another address of a group that runs is loaded, typed on fw1."""
    text = section(9).split("**Another address of a group that runs**")[1]
    return [("fw2" if line.startswith("ssh fw2 ") else "fw1", line.removeprefix("ssh fw2 "))
            for both in lines(text)[0] for line in both.split("; ")]


def change(pair):
    """Section 9: a further address of a group that runs, by the file, until nothing is staged; a mistake in it."""
    assert lines(section(9))[0] == ["sudo koi --check", "koictl reload plan", "koictl reload"]
    before = [one.ctl_json("show carp events")["next"] for one in pair.boxes]
    for one in pair.boxes:
        one.change(lambda conf: conf["carp"]["groups"][0]["addresses"].append("192.0.2.8/24"))
        for line in ("sudo koi --check", "koictl reload plan"):
            one.typed(line)
    for name, line in address_commands():
        getattr(pair, name).typed(line)
    pair.client.wait_ping("192.0.2.8")
    for one in pair.boxes:
        assert one.typed("koictl show config diff").stdout == "as in the file\n"
    for one, seq in zip(pair.boxes, before):
        later = [e for e in one.ctl_json("show carp events")["events"] if e["seq"] > seq]
        assert not [e for e in later if e["kind"] == "state"], later
    assert "systemctl reload koi" in section(9)
    assert pair.fw1.systemctl("Reload").returncode == 0
    pair.fw1.change(lambda conf: conf["carp"]["groups"][0].update(vhid=256))
    done = pair.fw1.systemctl("Reload")
    assert done.returncode != 0 and "/carp/groups/0/vhid: expected" in done.stdout, done.stdout
    pair.fw1.change(lambda conf: conf["carp"]["groups"][0].update(vhid=1))
    assert (pair.fw1.states(), pair.fw2.states()) == (["MASTER"] * 2, ["BACKUP"] * 2)


def draw(pair, prefix):
    """The last row of section 8 and its picture: fw1's power is cut, and comes back."""
    assert re.search(r"^\| cut fw1's power \|", section(8), re.MULTILINE)
    record = graph.crash(pair, False)
    graph.write(record, prefix)
    root = ElementTree.parse(prefix + ".svg").getroot()
    assert root.tag.endswith("svg") and "".join(root.itertext()).count("MASTER") > 1
    assert record["formula"]["ms"] == 3500 and record["formula"]["to"] > 3400
    ways = {b["name"]: [s for _, s in b["states"]] for b in record["boxes"]}
    assert ways["fw1"][-1] == "MASTER" and "down" in ways["fw1"]
    assert "MASTER" in ways["fw2"] and ways["fw2"][-1] == "BACKUP"


def test_newcomer_gets_from_packages_to_a_graph(machines, net, tmp_path):
    pair = Pair(net, machines)
    configure(pair)
    start(pair)
    switch(pair)
    change(pair)
    draw(pair, str(tmp_path / "failover"))


def test_newcomer_is_told_nothing_that_is_not_followed():
    """Each command of the quick start is one of a section that is followed, or is known as not for here."""
    typed = [line for block in lines(test_docs.text_of(QUICK_START)) for line in block]
    followed = [line for n in range(1, 10) for block in lines(section(n)) for line in block]
    assert typed == followed
    for what in NOT_HERE:
        assert any(re.match(what, line) for line in typed), f"nobody is told: {what}"
