# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""A new password on a running pair, staged: nobody takes over."""

import pytest

import lab

NEW = "hex:" + b"newpasswd".ljust(20, b"\0").hex()
GROUPS = ("carp0", "carp1")
#: The shortest that there is. Two of them, and the adverts that a BACKUP wants to be sure.
WINDOW = 10
OVER_S = 2 * WINDOW + 15


def shown(box, group="carp0"):
    return box.ctl_json(f"show carp {group}")


def stage(box, window=WINDOW):
    for group in GROUPS:
        box.ctl(f"set carp {group} pass-file {NEW} window {window}")


def transitions(pair):
    return [shown(box, group)["transitions"] for box in pair.boxes for group in GROUPS]


def wait_over(box):
    for group in GROUPS:
        lab.poll_until(
            lambda g=group: shown(box, g)["stage"] == "none", OVER_S, "the change is over"
        )


def wait_logged(box, text):
    """Once for each group, a moment after the view says so."""
    lab.poll_until(lambda: len(box.log_lines(text)) >= len(GROUPS), 5, f"the log says: {text}")
    assert len(box.log_lines(text)) == len(GROUPS), box.log()


def wait_sent(box, what):
    """Until a BACKUP says that its masters send this."""
    for group in GROUPS:
        lab.poll_until(
            lambda g=group: any(f" sends {what}" in p for p in shown(box, g).get("stage_peers", [])),
            8,
            f"the master of {group} sends {what}",
        )


@pytest.mark.timing
@pytest.mark.parametrize("first", [0, 1], ids=["master-first", "backup-first"])
def test_staged_password_on_both(pair, first):
    """Staged and committed on one box after the other, in either order."""
    boxes = [pair.boxes[first], pair.boxes[1 - first]]
    before = transitions(pair)
    bad = [box.carp_stats()["badauth"] for box in pair.boxes]
    for box in boxes:
        stage(box)
        assert "change staged" in box.ctl("show carp carp0")
    wait_sent(pair.fw2, "both digests")
    for box in boxes:
        box.ctl("commit")
        assert "change committed: pass; the new digest is used" in box.ctl("show carp carp0")
    wait_sent(pair.fw2, "the new digest")
    for box in boxes:
        wait_over(box)
        text = " ".join(box.ctl("explain carp carp0").split())
        assert "Password or VIPs" not in text
        wait_logged(box, "staged change over: the new one is used alone")
    assert transitions(pair) == before
    assert pair.fw1.states() == ["MASTER", "MASTER"] and pair.fw2.states() == ["BACKUP", "BACKUP"]
    # Who was staged first heard nothing bad. The other one may have counted the new digest of the
    # master until it was staged as well.
    counted = [box.carp_stats()["badauth"] - n for box, n in zip(pair.boxes, bad)]
    assert counted[0] == 0 and counted[1] <= (8 if first == 0 else 0), counted
    for box in boxes:
        assert "set carp carp0 pass-file" in box.ctl("show config diff")


def test_staged_and_forgotten(pair):
    """Nobody commits: both go on with the old password, and say so."""
    before = transitions(pair)
    for box in pair.boxes:
        stage(box)
    for box in pair.boxes:
        wait_over(box)
        wait_logged(box, "not committed within the window")
        assert "pass-file" not in box.ctl("show config diff")
    assert transitions(pair) == before


def test_staged_on_one_box(pair):
    """The peer knows nothing: it counts bad digests, suspects nothing and stays what it is."""
    before = transitions(pair)
    stage(pair.fw1)
    pair.fw2.wait_counter(
        lambda: pair.fw2.carp_stats("carp0")["badauth"], 4, 10, "badauth of the peer"
    )
    status = shown(pair.fw2)
    assert not status["split_brain_suspected"], status
    assert status["stage"] == "none"
    pair.fw1.ctl("abort now")
    assert shown(pair.fw1)["stage"] == "none"
    assert transitions(pair) == before
