# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Other addresses and another password of a group that runs, by a reload on both boxes: staged,
committed, and nobody takes over."""

import pytest

import box as koi
import lab
from test_reload import load
from test_stage import WINDOW, shown, transitions, wait_over

STAYS, GONE, COMES = lab.LAN_VIP, "192.0.2.61", "192.0.2.62"


def conf_of(box, vips, password=None, window=300, **more):
    """The configuration of a box with these addresses in carp0 beside the one that stays."""
    conf = box.read_config()
    conf["carp"]["window-s"] = window
    group = next(g for g in conf["carp"]["groups"] if g["name"] == "carp0")
    group["addresses"] = [f"{a}/24" for a in (STAYS, *vips)]
    if password is not None:
        group["pass"] = password
    group.update(more)
    return conf


def addresses(box):
    return [a.split("/")[0] for a in shown(box)["addresses"]]


def diff(box):
    return box.ctl("show config diff").strip()


def answers(pair, address):
    """Whether anybody does, asked anew."""
    pair.client.ns.ip("neigh flush dev em0 nud reachable nud stale nud delay nud probe")
    return pair.client.ping(address, timeout=0.4)


@pytest.fixture
def both(pair):
    """The pair with an address in carp0 that is to go."""
    for box in pair.boxes:
        load(box, conf_of(box, [GONE]), now=True)
    pair.client.wait_ping(GONE)
    pair.fw1.wait_state("carp0", "MASTER")
    pair.fw2.wait_state("carp0", "BACKUP")
    return pair


@pytest.mark.timing
@pytest.mark.parametrize("first", [0, 1], ids=["master-first", "backup-first"])
def test_addresses_and_password_change_on_both(both, first):
    """Files, reload on each, commit on each, in either order, under traffic of the other group and
    of the address that stays."""
    boxes = [both.boxes[first], both.boxes[1 - first]]
    before = transitions(both)
    probes = [lab.Probe(both.client).flowing(), lab.Probe(both.client, STAYS).flowing()]
    for box in boxes:
        said = load(box, conf_of(box, [COMES], "otherpasswd", WINDOW))
        assert f"group carp0: staged for {WINDOW} s: addresses, pass\n" in said, said
        text = box.ctl("show carp carp0")
        assert f"change staged: addresses +{COMES} -{GONE}, pass; the old digest" in text, text
        assert "staged" in diff(box)
    assert not answers(both, COMES) and answers(both, GONE)
    lab.poll_until(
        lambda: any(" sends both" in p for p in shown(both.fw2).get("stage_peers", [])),
        5,
        "the master sends both",
    )
    for box in boxes:
        said = box.ctl("carp carp0 commit")
        assert f"carp0: the new one is used: addresses +{COMES} -{GONE}, pass" in said, said
        assert f"{COMES}/24" in box.ctl("show config") and f"{GONE}/24" not in box.ctl("show config")
        assert diff(box) == "as in the file"
        if box is both.fw1:
            both.client.wait_ping(COMES, timeout=2)
            assert not answers(both, GONE)
    for box in boxes:
        wait_over(box)
    assert both.client.ping(COMES) and not answers(both, GONE)
    assert transitions(both) == before
    assert shown(both.fw1)["state"] == "MASTER" and shown(both.fw2)["state"] == "BACKUP"
    for box in boxes:
        assert diff(box) == "as in the file"
        assert addresses(box) == [STAYS, COMES]
    for probe in probes:
        result = probe.stop()
        if result["lost"] > 0:
            lab.judge(result)
        assert result["lost"] == 0 and result["send_errors"] == 0, lab.timer_text(result)


def test_abort_leaves_what_ran(both):
    """The file says otherwise then, and the next reload of it stages again."""
    before = transitions(both)
    for box in both.boxes:
        load(box, conf_of(box, [COMES], window=WINDOW))
    for box in both.boxes:
        box.ctl("abort")
    for box in both.boxes:
        wait_over(box)
        lab.poll_until(lambda b=box: "not committed" in diff(b), 3, "it differs from the file")
        assert diff(box) == f"# carp0: not committed: addresses +{COMES} -{GONE}"
    assert answers(both, GONE) and not answers(both, COMES)
    said = load(both.fw1, conf_of(both.fw1, [COMES], window=WINDOW))
    assert "group carp0: staged for" in said, said
    both.fw1.ctl("abort now")
    load(both.fw1, conf_of(both.fw1, [GONE], window=WINDOW))
    assert diff(both.fw1) == "as in the file"
    assert transitions(both) == before


def test_the_end_of_the_window_undoes_it(both):
    """Committed by the BACKUP alone: it has the new addresses, and gives them up again."""
    before = transitions(both)
    for box in both.boxes:
        load(box, conf_of(box, [COMES], "otherpasswd", WINDOW))
    both.fw2.ctl("commit")
    assert addresses(both.fw2) == [STAYS, COMES]
    for box in both.boxes:
        wait_over(box)
    lab.poll_until(lambda: addresses(both.fw2) == [STAYS, GONE], 3, "the old ones again")
    assert addresses(both.fw1) == [STAYS, GONE]
    assert answers(both, GONE) and not answers(both, COMES)
    for box in both.boxes:
        lab.poll_until(lambda b=box: "not committed" in diff(b), 3, "it differs from the file")
    assert transitions(both) == before


def test_a_reload_of_something_else_while_staged(both):
    """What is staged goes on, whatever of the two the file says; a third one is refused."""
    fw = both.fw1
    load(fw, conf_of(fw, [COMES]))
    said = load(fw, conf_of(fw, [COMES], advskew=3))
    assert "group carp0: changed: advskew\n" in said and "what is staged goes on" in said, said
    assert shown(fw)["advskew"] == 3 and shown(fw)["stage"] == "staged"
    said = load(fw, conf_of(fw, [GONE], advskew=0))
    assert "what is staged goes on" in said and shown(fw)["stage"] == "staged", said
    for now in (False, True):
        status, said = fw.reload(conf_of(fw, ["192.0.2.63"]), now=now)
        assert status == 1 and "a change of carp0 is staged" in said, said
    load(fw, conf_of(fw, [COMES]))
    load(both.fw2, conf_of(both.fw2, [COMES]))
    for box in both.boxes:
        box.ctl("commit")
    said = load(fw, conf_of(fw, [COMES], advskew=4))
    assert "what is staged goes on" in said and shown(fw)["stage"] == "decided", said
    for box in both.boxes:
        box.ctl("commit now")
        assert addresses(box) == [STAYS, COMES]
    both.client.wait_ping(COMES)


def test_what_cannot_be_staged_is_refused(both):
    """An address would be in two groups at once; no family would stay."""
    fw = both.fw1
    conf = conf_of(fw, [])
    conf["carp"]["groups"].append(
        {"name": "more", "carpdev": "em0", "vhid": 9, "pass": "x", "addresses": [f"{GONE}/24"]}
    )
    status, said = fw.reload(conf)
    assert status == 1 and f"{GONE} moves between" in said and "nothing was changed" in said, said
    conf = conf_of(fw, [], state="backup")
    conf["carp"]["groups"][0]["addresses"] = ["2001:db8:1::77/64"]
    status, said = fw.reload(conf)
    assert status == 1 and "other families" in said, said
    assert shown(fw)["stage"] == "none" and addresses(fw) == [STAYS, GONE]


def test_a_password_in_use_is_not_staged(both):
    """It was set by a command and is now in the file: nothing begins anew."""
    fw = both.fw1
    key = "hex:" + b"otherpasswd".ljust(20, b"\0").hex()
    for box in both.boxes:
        box.ctl(f"set carp carp0 pass-file {key}")
    assert "set carp carp0 pass-file" in diff(fw)
    load(fw, conf_of(fw, [GONE], "otherpasswd"))
    lab.poll_until(lambda: diff(fw) == "as in the file", 3, "the file is what runs")
    assert shown(fw)["stage"] == "none"


def test_ucarp_as_the_backup(net, ucarp):
    """It has one password at a time: that changes while koi sends both."""
    fw = koi.Box(net.firewall("fw1", wan=False), koi.config("fw1", preempt=True, two=False))
    host = net.firewall("fw2", "192.0.2.3/24", wan=False)
    old = ucarp(host, "em0", "192.0.2.3", 1, "lanpasswd", STAYS, advskew=100)
    fw.start()
    fw.wait_state("carp0", "MASTER")
    old.start()
    old.wait_state("BACKUP")
    load(fw, conf_of(fw, [], "otherpasswd", 60))
    old.terminate()
    new = ucarp(host, "em0", "192.0.2.3", 1, "otherpasswd", STAYS, advskew=100)
    new.start()
    new.wait_state("BACKUP")
    fw.ctl("commit")
    sent = fw.carp_stats("carp0")["opackets"]
    fw.wait_counter(lambda: fw.carp_stats("carp0")["opackets"], sent + 5, 10)
    assert new.state() == "BACKUP" and shown(fw)["transitions"] == 1
    assert diff(fw) == "as in the file"
