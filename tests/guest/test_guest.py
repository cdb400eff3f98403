# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""koi on PCI devices: a guest with an emulated NIC of each kind against a box outside.

A box hears adverts, takes over, loses its link and its device as on a NIC that filters addresses and
tells of its link. The figures printed are those of docs/devices.md.
"""

import time

import pytest

import carp
import image
import lab
import sniff
import world as worlds
from conftest import keep_evidence
from world import BETTER, PATIENCE_S, SKEW, wait

pytestmark = pytest.mark.skipif(bool(image.missing()), reason=image.missing())

#: A group and a multicast address that nobody here asked for.
FOREIGN_VMAC = carp.vmac(99)
FOREIGN_MCAST = bytes.fromhex("01005e000063"), "224.0.0.99"
#: How late an emulated CPU on a shared machine may be.
LATE_S = 1.5


@pytest.fixture(scope="module", params=worlds.MODELS, ids=lambda model: model.name)
def pair(request):
    """One guest for all tests of a kind of device; each test says who is to be master."""
    with lab.Lab() as net:
        yield worlds.World(net, request.param)


@pytest.fixture(autouse=True)
def evidence(request, pair):
    yield
    report = getattr(request.node, "report_call", None)
    if report is not None and report.failed:
        keep_evidence(request, pair.net)


def count_foreign(pair, before):
    """Send frames to strangers, then to the group. @return what was dropped as not for us"""
    pair.send_into(FOREIGN_VMAC, lab.LAN_VIP)
    pair.send_into(*FOREIGN_MCAST)
    # The last ones arrive last: once they were seen, all that come have come.
    pair.send_into(carp.vmac(1), "192.0.2.77")
    drops = {}

    def arrived():
        drops.update(pair.drops())
        return sum(drops.values()) - sum(before.values()) >= 20

    wait(arrived, "frames to the shared MAC arrive")
    return drops["other_mac"] - before["other_mac"], drops["multicast"] - before["multicast"]


def test_guest_backup_receives_what_it_asked_for(pair):
    """The device lets pass the group's MAC and multicast, and, where it can, nothing else."""
    pair.outside_is_master()
    for name in ("em0", "em1"):
        seen = pair.interface(name)
        assert seen["vmac_mode"] == pair.model.vmac_mode, seen
        assert seen["multicast_mode"] == pair.model.multicast_mode, seen
    before = pair.drops()
    other, multicast = count_foreign(pair, before)
    assert pair.drops()["not_master"] - before["not_master"] >= 20
    assert multicast == (0 if pair.model.multicast_mode == "list" else 20)
    if pair.model.vmac_mode == "filter":
        assert "vmac filter (1 of " in pair.fw1.ctl("show interface em0")
        assert other == 0
    else:
        assert "0 filter slots" in pair.interface("em0")["vmac_reason"]
        assert other >= 20
    if pair.model.name == "virtio-net":
        # The only one that tells what it was programmed with.
        (nic,) = pair.guest.monitor.run("query-rx-filter", name="nic0")
        assert not nic["promiscuous"]
        assert carp.vmac(1).hex(":") in nic["unicast-table"]


def test_guest_takes_over_and_hands_back(pair):
    """The box outside is killed; the guest answers for the group until the better one is back."""
    pair.outside_is_master()
    mark = pair.net.sniffer.mark()
    pair.fw2.kill()
    first = pair.advert_after("fw1.em0", mark)
    took = first.ts - pair.last_advert("fw2.em0").ts
    formula = 3 + SKEW / 256
    pair.say(f"took over after the last advert, by the formula {formula:.3f} s", took)
    assert formula - 0.05 <= took <= formula + LATE_S
    pair.fw1.wait_master(PATIENCE_S)
    pair.net.sniffer.wait(sniff.garp_from("fw1.em0", lab.LAN_VIP), mark, PATIENCE_S)
    pair.traffic_passes()
    other, _ = count_foreign(pair, pair.drops())
    assert (other == 0) == (pair.model.vmac_mode == "filter")
    assert pair.interface("em0")["vmac_mode"] == pair.model.vmac_mode

    mark = pair.net.sniffer.mark()
    pair.restart_fw2(BETTER)
    pair.fw2.wait_master(PATIENCE_S)
    pair.fw1.wait_backup(PATIENCE_S)
    back = pair.advert_after("fw2.em0", mark).ts
    last = pair.last_advert("fw1.em0").ts
    pair.say("handed back; both sent adverts for", max(0.0, last - back))
    assert last - back < LATE_S
    pair.traffic_passes()


def test_guest_link_fails_over_and_preempts_back(pair):
    """The WAN's cable is pulled: the LAN's group moves too, by demotion; plugged in, both return."""
    pair.inside_is_master()
    pair.traffic_passes()
    mark = pair.net.sniffer.mark()
    changes = pair.interface("em1")["link_changes"]
    pulled = time.time()
    pair.guest.link(1, False)
    lan = pair.advert_after("fw2.em0", mark).ts
    wan = pair.advert_after("fw2.em1", mark, vhid=2).ts
    pair.fw2.wait_master(PATIENCE_S)
    assert not pair.interface("em1")["link_up"]
    assert "link interface em1" in pair.fw1.ctl("show carp demotion")
    assert pair.fw1.state("carp1") == "INIT"
    pair.fw1.wait_state("carp0", "BACKUP", PATIENCE_S)
    # The first advert that tells of the demotion.
    told = [
        f.ts for f in pair.net.sniffer.select(sniff.advert_from("fw1.em0", 1), mark)
        if f.advert.demotion > 0
    ]
    pair.say("cable pulled, first advert with the demotion after", told[0] - pulled)
    pair.say("group of the other interface moved after the first demoted advert", lan - told[0])
    pair.say("group of the interface without link moved after that", wan - told[0])
    pair.traffic_passes()

    pair.guest.link(1, True)
    pair.fw1.wait_master(PATIENCE_S)
    pair.fw2.wait_backup(PATIENCE_S)
    assert pair.interface("em1")["link_changes"] == changes + 2
    assert pair.fw1.ctl_json("show carp demotion")["total"] == 0
    pair.traffic_passes()
    # The filters are still there.
    other, _ = count_foreign(pair, pair.drops())
    assert (other == 0) == (pair.model.vmac_mode == "filter")


def test_guest_device_removed_and_back(pair):
    """The WAN's device is taken away: the box lets go of it, is demoted, and takes it back."""
    pair.inside_is_master()
    pair.traffic_passes()
    mark = pair.net.sniffer.mark()
    removed = time.time()
    pair.guest.unplug(1)
    told = pair.net.sniffer.wait(
        lambda f: sniff.advert_from("fw1.em0", 1)(f) and f.advert.demotion > 0, mark, PATIENCE_S
    )
    pair.say("device asked for, first advert with the demotion after", told.ts - removed)
    # Under vfio-pci the kernel waits until koi has let go.
    pair.guest.wait_unplugged(1)
    pair.fw2.wait_master(PATIENCE_S)
    seen = pair.interface("em1")
    assert not seen["link_up"], seen
    assert "link interface em1" in pair.fw1.ctl("show carp demotion")
    pair.fw1.wait_state("carp0", "BACKUP", PATIENCE_S)
    pair.traffic_passes()

    if pair.model.slow_close:
        # Its driver asks hardware that is gone, for about a minute: too long to wait for here.
        pair.fw1.kill()
        return
    back = time.time()
    pair.guest.plug(1)
    pair.fw1.wait_state("carp0", "MASTER", 2 * PATIENCE_S)
    pair.fw1.wait_master(PATIENCE_S)
    pair.say("device back, both groups after", time.time() - back)
    pair.traffic_passes()
    seen = pair.interface("em1")
    assert seen["vmac_mode"] == pair.model.vmac_mode, seen
    assert seen["multicast_mode"] == pair.model.multicast_mode, seen
    assert pair.fw1.terminate() == 0, pair.fw1.log()
    pair.fw2.wait_master(PATIENCE_S)
    pair.traffic_passes()
