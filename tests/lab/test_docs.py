# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The documents, followed: docs/quick-start.md from its configuration on, and every command shown."""

import json
import os
import re

import pytest

import box
import drivers
import failover
import lab
import netns

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TYPED = re.compile(r"^koictl ((?!-)[^#|>;]+?)\s*(?:[#|>;]|$)", re.MULTILINE)
DOCUMENTS = ("README.md", "docs/quick-start.md", "docs/troubleshooting.md", "docs/tuning.md",
             "docs/capture.md")


def text_of(name):
    """A document."""
    with open(os.path.join(lab.ROOT, name), encoding="utf-8") as f:
        return f.read()


def blocks(name):
    """(language, text) of what a document shows between fences."""
    return BLOCK.findall(text_of(name))


def json_of(name, begins):
    """The value of a document's block that begins so; members alone are taken as an object."""
    text = next(text for lang, text in blocks(name) if lang == "json" and text.startswith(begins))
    text = text.strip().rstrip(",")
    return json.loads(text if text.startswith("{") else "{" + text + "}")


def plain(text):
    """Without numbers and units, and only the lines that hold something."""
    text = re.sub(r"\b\d+(\.\d+)? (us|ms|s)\b", "TIME", text)
    return [line.strip() for line in text.splitlines() if line.strip()]


def secret_file(path, secret):
    """A file with a password, as koi takes it. @return path"""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
        f.write(secret + "\n")
    return path


def quick_start():
    """The configuration of fw1 as the document has it, on the devices of the lab."""
    conf = json_of("docs/quick-start.md", "{")
    folder = os.path.join(netns.LAB_DIR, "quick-start")
    os.makedirs(folder, exist_ok=True)
    for group in conf["carp"]["groups"]:
        path = os.path.join(folder, os.path.basename(group["pass-file"]))
        group["pass-file"] = secret_file(path, f"secret of {group['name']}")
    for n, interface in enumerate(conf["interfaces"]):
        interface["device"] = f"net_af_packet{n}"
    conf["eal"] = drivers.eal(box.DRIVER) + box.EAL
    conf["eal"] += [f"--vdev=net_af_packet{n},iface=em{n}" for n in range(2)]
    return conf


def second(conf):
    """The second box, by the sentence below it: node, own addresses, advskew."""
    assert "own addresses that end in `.3`, and `\"advskew\": 128` in both" in text_of(
        "docs/quick-start.md")
    conf = json.loads(json.dumps(conf))
    conf["node"] = "fw2"
    for interface in conf["interfaces"]:
        interface["addresses"] = [re.sub(r"\.2/", ".3/", a) for a in interface["addresses"]]
    for group in conf["carp"]["groups"]:
        group["advskew"] = 128
    return conf


@pytest.fixture(name="cluster")
def fixture_cluster(make_pair):
    """The two boxes of the quick start."""
    conf = quick_start()
    return make_pair(conf, second(conf)).start()


def test_quick_start_gives_a_cluster_that_says_what_the_document_shows(cluster):
    shown = [text for lang, text in blocks("docs/quick-start.md") if lang == ""]
    status = next(t for t in shown if "carp: MASTER" in t)
    assert plain(cluster.fw1.ctl("show carp carp0")) == plain(status)
    failover.wait_heard(cluster.fw2)
    assert ", master 192.0.2.2" in cluster.fw2.ctl("show carp carp0")
    stats = lab.Probe(cluster.client).flowing()
    drained = next(t for t in shown if "drained in" in t)
    assert plain(cluster.fw1.ctl("drain")) == plain(drained)
    assert cluster.fw2.states() == ["MASTER", "MASTER"]
    cluster.fw1.ctl("undrain")
    cluster.fw1.wait_master()
    cluster.fw2.wait_backup()
    assert stats.stop()["answered"] > 0


def state_changes(one, seq):
    """Changes of the states of carp0 and carp1 since an event."""
    events = one.ctl_json("show carp events")["events"]
    return [e for e in events if e["seq"] > seq and e["kind"] == "state" and e["group"] != "carp2"]


def test_addresses_come_and_change_by_reload(cluster):
    """Section 9: a group more; then another address in a group that runs, staged and committed."""
    shown = json_of("docs/quick-start.md", '"groups"')
    assert "koictl commit; ssh fw2 koictl commit" in text_of("docs/quick-start.md")
    group = dict(shown["groups"][1], **{"pass-file": cluster.fw1.conf["carp"]["groups"][0]["pass-file"]})
    both = (cluster.fw2, cluster.fw1)
    before = {one: one.ctl_json("show carp events")["next"] for one in both}
    probe = lab.Probe(cluster.client).flowing()
    for one, skew in zip(both, (128, 0)):
        one.conf["carp"]["groups"].append(dict(group, advskew=skew))
        one.write_config()
        one.ctl("reload")
    cluster.fw1.wait_state("carp2", "MASTER")
    cluster.client.wait_ping("192.0.2.9")
    for one in both:
        one.conf["carp"]["groups"][0]["addresses"].append("192.0.2.8/24")
        one.write_config()
    for one in both:
        assert "staged for 300 s: addresses" in one.ctl("reload")
    assert not cluster.client.ping("192.0.2.8", timeout=0.3)
    for one in both:
        assert "+192.0.2.8" in one.ctl("commit")
    cluster.client.wait_ping("192.0.2.8")
    heard = cluster.fw2.carp_stats("carp0")["ipackets"]
    cluster.fw2.wait_counter(lambda: cluster.fw2.carp_stats("carp0")["ipackets"], heard + 3, 10)
    assert [state_changes(one, seq) for one, seq in before.items()] == [[], []]
    assert probe.stop()["gap_ms"] < 1000


def test_boxes_are_restarted_in_turn(cluster):
    """Section 9: backup first, then drain and restart the master."""
    probe = lab.Probe(cluster.client).flowing()
    assert cluster.fw2.terminate() == 0
    cluster.fw2.start()
    cluster.fw2.wait_backup()
    failover.wait_heard(cluster.fw2)
    cluster.fw1.ctl("drain")
    assert cluster.fw1.terminate() == 0
    cluster.fw1.start()
    cluster.fw1.wait_master()
    cluster.fw2.wait_backup()
    # That not a packet is lost is what test_planned judges; a restart without all this costs seconds.
    assert probe.stop()["gap_ms"] < 1000


def new_pass(secret):
    """That of another password, for a command."""
    return secret_file(os.path.join(netns.LAB_DIR, "new.pass"), secret)


def test_addresses_change_as_the_document_says(cluster):
    """docs/change.md, step by step: both reload, the backup tells what it hears, both commit."""
    typed = [c for _, text in blocks("docs/change.md") for c in TYPED.findall(text)]
    plan, load, look, commit = typed[:4]
    assert (load, look, commit) == ("reload", "show carp carp0", "carp carp0 commit")
    promised = re.search(r"koictl reload plan +# (.*)", text_of("docs/change.md")).group(1)
    before = [one.ctl_json("show carp events")["next"] for one in cluster.boxes]
    for one in cluster.boxes:
        one.conf["carp"]["groups"][0]["addresses"].append("192.0.2.8/24")
        one.write_config()
        assert promised in one.ctl(plan)
        one.ctl(load)
    shown = next(text for lang, text in blocks("docs/change.md") if lang == "" and "sends both" in text)
    for line in plain(shown):
        lab.poll_until(lambda w=line: w in plain(cluster.fw2.ctl(look)), 10, f"fw2 shows {line}")
    for one in cluster.boxes:
        one.ctl(commit)
        assert one.ctl("show config diff").strip() == "as in the file"
    cluster.client.wait_ping("192.0.2.8")
    cluster.client.wait_ping(lab.SERVER_IP)
    assert (cluster.fw1.states(), cluster.fw2.states()) == (["MASTER"] * 2, ["BACKUP"] * 2)
    for one, seq in zip(cluster.boxes, before):
        later = [e for e in one.ctl_json("show carp events")["events"] if e["seq"] > seq]
        assert later and not [e for e in later if e["kind"] == "state"], later


def says(one, group, phrase):
    """Wait until "explain" has a phrase of docs/troubleshooting.md, which has it in backticks."""
    assert f"`{phrase}" in text_of("docs/troubleshooting.md"), f"the document does not say {phrase}"
    lab.poll_until(lambda: phrase in one.ctl(f"explain carp {group}"), 20,
                   f"{one.name}: explain carp {group} says {phrase}")


def test_symptoms_are_told_in_the_words_of_the_document(cluster):
    """Both are master for their passwords; and what keeps one from being master."""
    fw1, fw2 = cluster.fw1, cluster.fw2
    says(fw2, "carp0", "It stays BACKUP")
    fw1.ctl("drain")
    says(fw1, "carp0", "240 by drained")
    fw1.ctl("undrain")
    fw1.wait_master()
    fw1.ctl("interface em0 down")
    says(fw1, "carp0", "In the way: em0 is administratively down")
    says(fw1, "carp1", "1 by interface down")
    fw1.ctl("interface em0 up")
    fw1.host.unplug("em0")
    says(fw1, "carp0", "In the way: em0 has no link")
    fw1.host.plug("em0")
    fw1.wait_master()
    fw1.ctl("carp carp0 down")
    says(fw1, "carp0", "In the way: it is administratively down")
    fw1.ctl("carp carp0 up")
    fw1.ctl("set carp allow 0")
    says(fw1, "carp0", "In the way: allow is 0")
    fw1.ctl("set carp preempt 0")
    fw1.ctl("set carp allow 1")
    says(fw1, "carp0", "the master is worse, but preempt is 0 and it is alive")
    fw1.ctl("set carp demotion 5")
    says(fw1, "carp0", 'until "set carp demotion 0"')
    fw1.ctl("set carp demotion 0")
    fw1.ctl("set carp preempt 1")
    fw1.wait_master()
    fw2.ctl("set carp carp0 pass-file hex:" + "00" * 20)
    says(fw2, "carp0", "Authentication fails: 192.0.2.2")
    fw2.wait_state("carp0", "MASTER")
    says(fw2, "carp0", "Split brain suspected")


def commands():
    """(document, command) that the documents show on lines of their own, but those that never end."""
    found = []
    for name in DOCUMENTS:
        for _, text in blocks(name):
            found += [(name, c) for c in TYPED.findall(text) if not c.startswith("watch")]
    return found


def test_every_command_shown_is_carried_out(cluster, tmp_path):
    shown = commands()
    assert len(shown) > 15
    for n, (name, command) in enumerate(shown):
        # Files that koi is to make are made elsewhere; what is read is the box's own.
        command = re.sub(r"(/var)?/tmp/\S+", str(tmp_path / f"file{n}"), command)
        command = command.replace("/etc/koi/koi.json", cluster.fw1.config_path)
        command = command.replace("/etc/koi/new.pass", new_pass("a new one"))
        if command.startswith("capture start"):
            cluster.fw1.request("capture stop")  # that of another document
        done = cluster.fw1.koictl(*command.split(), timeout=30)
        if command == "interface em0 down":
            cluster.fw1.ctl("interface em0 up")  # of what follows some needs it
        # A route or a router that is not there is an answer, too.
        answered = done.returncode == 0 or re.search(r"no route to|host was not reached", done.stdout)
        assert answered, f"{name}: {command}: {done.stdout}"
    # What they took down is taken up again, and all is as before.
    for undo in ("carp carp0 up", "set carp demotion 0", "undrain",
                 "carp carp0 abort now"):
        cluster.fw1.ctl(undo)
    cluster.fw1.wait_master()
