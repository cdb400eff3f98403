# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Scans, floods and routes that change cost other people's flows nothing; long: make bench."""

import pytest

import disturb
import dual
import fast
import lab
import paired

SECONDS, ROUNDS, PPS = 1.5, 1, 5000
SCAN_PPS, FLOOD_PPS, CHANGES = 5000, 100000, 500
ROUTES = 50000


@pytest.fixture
def calm(net):
    with fast.eager(), paired.pair(net) as it:
        yield it


def hold(it, name, disturbance):
    run = paired.run(it, name, disturbance, SECONDS, ROUNDS, PPS)
    print(run.text())
    if run.busy() or run.transitions_by_machine:
        raise lab.TooBusy(f"{lab.TooBusy.TEXT}: {run.text()}")
    assert not run.failed(), run.text()
    return next(t.said for t in run.turns if t.disturbed)


@pytest.mark.timing
def test_unaffected_by_scans_and_floods(calm):
    """Hosts look on both sides for others that nobody is, or ask koi without end, while the client
    reaches new ones."""
    scanner = disturb.Scanner(calm)
    hosts = iter(disturb.new_hosts(calm, 500))
    wide = (paired.WIDE_WAN, paired.WIDE_LAN)
    wide6 = (f"{dual.WAN6}/64", f"{dual.LAN6}/64")
    for name, disturbance in (
        ("arp", scanner.through(wide, SCAN_PPS, hosts)),
        ("nd", scanner.through(wide6, SCAN_PPS, hosts)),
        ("ask, IPv4", scanner.flood(FLOOD_PPS, False, hosts)),
        ("ask, IPv6", scanner.flood(FLOOD_PPS, True, hosts)),
    ):
        said = hold(calm, name, disturbance)
        assert said.get("looked_for", SCAN_PPS) > SCAN_PPS / 2, said
        assert said["found"] and not said["not_found"], said


@pytest.mark.timing
def test_unaffected_by_routes(calm):
    """Routes that none of the flows is for, by command and by reload."""
    said = hold(calm, "churn", disturb.churn(CHANGES))
    assert said["refused"] == 0 and said["changes_per_s"] > CHANGES / 4, said
    said = hold(calm, "reload", disturb.Reload(calm, ROUTES))
    assert said["reloads_s"], said
    assert int(calm.fw1.ctl("show route summary").split()[1].strip(",")) > ROUTES
