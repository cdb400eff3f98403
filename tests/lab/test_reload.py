# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Another configuration while koi runs: groups change, come and go, and others do not notice."""

import copy
import json
import signal

import pytest

import lab

#: A group of the LAN beside those of the pair, which the stream goes through.
EXTRA_VIP, OTHER_VIP = "192.0.2.51", "192.0.2.52"


def extra(skew=0, vhid=51, vip=EXTRA_VIP, name="extra", password="extrapasswd"):
    return {
        "name": name,
        "carpdev": "em0",
        "vhid": vhid,
        "pass": password,
        "advskew": skew,
        "addresses": [f"{vip}/24"],
    }


def load(b, conf, now=False):
    status, said = b.reload(conf, now=now)
    assert status == 0, said
    return said


def of_groups(b):
    """What must not change of the pair's own groups."""
    info = b.telemetry("/carp/list")["groups"]
    assert "carp0" in info and "carp1" in info
    out = {}
    for group in ("carp0", "carp1"):
        view = b.telemetry(f"/carp/info,{group}")
        out[group] = (view["state"], view["transitions"], view["last_cause"])
    return out


def group_in(conf, name):
    return next(g for g in conf["carp"]["groups"] if g["name"] == name)


@pytest.mark.timing
def test_groups_come_change_and_go_while_others_forward(pair):
    """Each reload under a 1 kHz stream through the groups that stay as they are."""
    before = {b: of_groups(b) for b in pair.boxes}
    sent = pair.fw1.carp_stats("carp0")["opackets"]
    probe = lab.Probe(pair.client).flowing()
    steps = []

    def step(what, change, now=False):
        for b in pair.boxes:
            conf = b.read_config()
            change(conf, 0 if b is pair.fw1 else 128)
            steps.append((what, b.name, load(b, conf, now).splitlines()[0]))

    step("added", lambda c, skew: c["carp"]["groups"].append(extra(skew)))
    pair.fw1.wait_state("extra", "MASTER")
    pair.fw2.wait_state("extra", "BACKUP")
    pair.client.wait_ping(EXTRA_VIP)
    step("advskew", lambda c, skew: c["carp"]["groups"].append(extra(200 - skew)))
    pair.fw2.wait_state("extra", "MASTER")
    pair.client.wait_ping(EXTRA_VIP)
    step("vhid", lambda c, skew: c["carp"]["groups"].append(extra(skew, vhid=52)))
    pair.fw1.wait_state("extra", "MASTER")
    pair.client.wait_ping(EXTRA_VIP)
    step(
        "address",
        lambda c, skew: c["carp"]["groups"].append(extra(skew, vhid=52, vip=OTHER_VIP)),
        now=True,
    )
    pair.fw1.wait_state("extra", "MASTER")
    pair.client.wait_ping(OTHER_VIP)
    assert not pair.client.ping(EXTRA_VIP, timeout=0.3)
    step("removed", lambda c, skew: None)
    assert not pair.client.ping(OTHER_VIP, timeout=0.3)
    assert "extra" not in pair.fw1.ctl("show carp all")
    result = probe.stop()
    text = f"{result['lost']} of {result['sent']} lost in {len(steps)} reloads; "
    print(*steps, text + lab.timer_text(result), sep="\n")
    assert result["lost"] == 0 and result["send_errors"] == 0, text
    assert {b: of_groups(b) for b in pair.boxes} == before
    assert pair.fw1.carp_stats("carp0")["opackets"] > sent


def test_a_master_that_is_taken_out_hands_over(pair):
    """Nobody waits for a time-out: the peer has the group as soon as the last word is heard."""
    for b in pair.boxes:
        conf = b.read_config()
        conf["carp"]["groups"].append(extra(0 if b is pair.fw1 else 128))
        load(b, conf)
    pair.fw1.wait_state("extra", "MASTER")
    pair.fw2.wait_state("extra", "BACKUP")
    load(pair.fw1, pair.fw1.read_config())
    pair.fw2.wait_state("extra", "MASTER", timeout=1.0)
    assert "master down" in pair.fw2.ctl("show carp extra")
    pair.client.wait_ping(EXTRA_VIP)
    # the slot is there for it when it comes back
    conf = pair.fw1.read_config()
    conf["carp"]["groups"].insert(0, extra(0))
    load(pair.fw1, conf)
    pair.fw1.wait_state("extra", "MASTER")
    assert pair.fw1.states() == ["MASTER", "MASTER"]


def test_sighup_loads_the_file_of_the_start(pair):
    conf = pair.fw1.read_config()
    group_in(conf, "carp0")["advskew"] = 7
    with open(pair.fw1.config_path, "w", encoding="utf-8") as f:
        json.dump(conf, f)
    pair.fw1.signal(signal.SIGHUP)
    lab.poll_until(
        lambda: pair.fw1.telemetry("/carp/info,carp0")["advskew"] == 7, 5, "advskew of the file"
    )
    assert pair.fw1.ctl("show config diff").strip() == "as in the file"
    assert pair.fw1.states() == ["MASTER", "MASTER"]


def refuse(b, conf):
    status, said = b.reload(conf)
    assert status == 1, said
    return said


def test_what_is_wrong_changes_nothing(pair):
    before = of_groups(pair.fw1)
    config = pair.fw1.ctl("show config")
    conf = pair.fw1.read_config()
    group_in(conf, "carp0")["advskew"] = 9
    bad = copy.deepcopy(conf)
    group_in(bad, "carp1")["vhid"] = 300
    said = refuse(pair.fw1, bad)
    assert "/carp/groups/1/vhid" in said and "nothing was changed" in said, said
    bad = copy.deepcopy(conf)
    bad["interfaces"][0]["mtu"] = 1400
    said = refuse(pair.fw1, bad)
    assert "interface em0: changed: mtu (needs a restart)" in said, said
    bad = copy.deepcopy(conf)
    bad["carp"]["groups"] += [extra(name=f"g{i}", vhid=i, vip=f"192.0.2.{i}") for i in range(100, 165)]
    said = refuse(pair.fw1, bad)
    assert "no room for so many more groups" in said, said
    assert pair.fw1.ctl("show config") == config
    assert of_groups(pair.fw1) == before
    # a command's value stays until the file says something else
    pair.fw1.ctl("set carp carp1 advskew 33")
    load(pair.fw1, conf)
    assert pair.fw1.telemetry("/carp/info,carp0")["advskew"] == 9
    assert pair.fw1.telemetry("/carp/info,carp1")["advskew"] == 33
    assert pair.fw1.ctl("show config diff").strip() == "set carp carp1 advskew 33"
