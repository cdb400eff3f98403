# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Two boxes with shared addresses of both families: what the wire shows, and what a host feels."""

import json
import time

import pytest

import box
import carp
import carp6
import dual
import lab

VMAC = carp.vmac(1)
KILLS = 3
#: How much later than IPv4 a host may have IPv6 back.
APART_MS = 20.0
#: fw2's master-down time.
DOWN_MS = 3000 + 128 / 256 * 1000
TOLERANCE_MS = 20.0


@pytest.fixture
def dual_pair(net):
    return dual.DualPair(net).start()


class Single:
    """One dual-stack box on the LAN and a hand-made peer with both families."""

    PEER, PEER6 = "192.0.2.9", "fe80::9"

    def __init__(self, net, **kw):
        self.net = net
        self.both = carp6.sniffer(net)
        conf = dual.config("fw1", two=False, **kw)
        self.box = box.Box(net.firewall("fw1", wan=False), conf)
        self.peer = net.peer()
        self.raw = self.peer.raw()

    def advert4(self, **kw):
        return carp6.advert4(1, "lanpasswd", dual.LAN_VIPS, self.PEER, **kw)

    def advert6(self, **kw):
        return carp6.advert(1, "lanpasswd", dual.LAN_VIPS, self.PEER6, **kw)

    def ask(self, target=dual.LAN_VIP6, src="fe80::9"):
        self.raw.send(carp6.solicitation(target, src, self.raw.mac))


@pytest.fixture
def make_dual(net):
    def make(**kw):
        return Single(net, **kw)

    return make


@pytest.fixture
def master(make_dual):
    single = make_dual(state="master")
    single.box.start()
    single.box.wait_state("carp0", "MASTER")
    single.both.wait(carp6.advert6_from("fw1.em0"), 0, what="advert over IPv6")
    return single


# -- the wire ---------------------------------------------------------------------------------


@pytest.mark.sanitized
def test_dualstack_adverts_of_both_families(dual_pair):
    """Every field of chapter 1.3, and one digest over the VIPs of both families."""
    mark = dual_pair.both.mark()
    for port, vhid, vips, word in (
        ("fw1.em0", 1, dual.LAN_VIPS, "lanpasswd"),
        ("fw1.em1", 2, dual.WAN_VIPS, "wanpasswd"),
    ):
        frame = dual_pair.both.wait(carp6.advert6_from(port, vhid), mark, what="advert over IPv6")
        ad = carp6.parse(frame.data)
        assert ad.frame_len == 90 and ad.payload == 36 and ad.hop_limit == 255
        assert ad.first_word & 0xF00FFFFF == 0x60000000
        assert ad.src.startswith("fe80::") and ad.dst == "ff02::12"
        assert ad.src_mac == carp.vmac(vhid) and ad.dst_mac == carp6.MCAST_MAC
        assert ad.version_type == 0x21 and ad.authlen == 7 and ad.sum_plain
        assert (ad.vhid, ad.advbase, ad.advskew, ad.demotion) == (vhid, 1, 0, 0)
        assert ad.md == carp6.digest(word, vhid, vips, ad.counter)
        four = dual_pair.both.wait(
            lambda f, p=port: f.port == p and f.advert is not None, mark, what="advert over IPv4"
        )
        assert four.advert.md == carp6.digest(word, vhid, vips, four.advert.counter)
        # IPv4 first, each with a counter of its own.
        assert four.advert.counter != ad.counter
        later = dual_pair.both.select(
            lambda f, p=port, t=four.ts: carp6.advert6_from(p)(f) and 0 <= f.ts - t < 0.5, mark
        )
        assert later, "the IPv6 advert follows that of IPv4"
    # The backup is silent in both families.
    assert not dual_pair.both.select(
        lambda f: f.port.startswith("fw2.") and (f.advert or carp6.parse(f.data)), mark
    )
    stats = dual_pair.fw2.carp_stats("carp0")
    assert stats["ipackets"] > 0 and stats["ipackets6"] > 0
    assert stats["badsum"] == 0 and stats["badauth"] == 0


@pytest.mark.sanitized
def test_conformance_45_master_answers_solicitations(dual_pair):
    """By the master only; of their own addresses, each box by itself."""
    peer = dual_pair.net.peer()
    raw = peer.raw()
    mark = dual_pair.both.mark()
    raw.send(carp6.solicitation(dual.LAN_VIP6, "fe80::9", raw.mac))
    frame = dual_pair.both.wait(carp6.na_from("fw1.em0", dual.LAN_VIP6), mark, 2, "NA")
    na = carp6.nd(frame)
    assert na.dst == "fe80::9" and na.hop_limit == 255 and na.sum_ok
    assert na.flags & ~carp6.ROUTER == carp6.SOLICITED | carp6.OVERRIDE
    assert na.option == (2, VMAC) and frame.src == VMAC and frame.dst == raw.mac
    # The backup has seen the question and is silent.
    dual_pair.fw2.wait_counter(
        lambda: dual_pair.fw2.carp_stats("carp0")["nd_not_master"], 0, what="nd_not_master"
    )
    for host, port in ((2, "fw1.em0"), (3, "fw2.em0")):
        own = f"{dual.LAN6}{host}"
        raw.send(carp6.solicitation(own, "fe80::9", raw.mac))
        frame = dual_pair.both.wait(carp6.na_from(port, own), mark, 2, f"NA of {own}")
        assert carp6.nd(frame).option == (2, dual_pair.net.hosts[port[:3]].macs["em0"])
    assert len(dual_pair.both.select(carp6.na_from("fw1.em0", dual.LAN_VIP6), mark)) == 1
    assert not dual_pair.both.select(carp6.na_from("fw2.em0", dual.LAN_VIP6), mark)


def test_dualstack_dad_probe_is_answered_to_all_nodes(master):
    """Somebody wants to take the shared address for himself: he must learn that it is taken."""
    mark = master.both.mark()
    master.ask(src="::")
    frame = master.both.wait(carp6.na_from("fw1.em0", dual.LAN_VIP6), mark, 2, "NA")
    na = carp6.nd(frame)
    assert na.dst == carp6.ALL_NODES and frame.dst == carp6.mcast_mac(carp6.ALL_NODES)
    assert na.flags & ~carp6.ROUTER == carp6.OVERRIDE
    assert na.option == (2, VMAC) and na.hop_limit == 255 and na.sum_ok


@pytest.mark.sanitized
def test_conformance_46_47_takeover_is_announced(make_dual):
    """After the advert, one unsolicited NA; once more after the third advert."""
    single = make_dual(state="master")
    single.box.start()
    adverts = lambda: single.both.select(carp6.advert6_from("fw1.em0"))  # noqa: E731
    is_na = carp6.na_from("fw1.em0", dual.LAN_VIP6)
    lab.poll_until(lambda: len(adverts()) >= 4, 8, "four adverts")
    nas = single.both.select(is_na)
    third = adverts()[2]
    assert len(nas) == 2
    assert adverts()[0].ts <= nas[0].ts < adverts()[1].ts
    assert third.ts <= nas[1].ts <= third.ts + 0.2
    for frame in nas:
        na = carp6.nd(frame)
        assert na.dst == carp6.ALL_NODES and na.hop_limit == 255 and na.sum_ok
        assert na.flags & ~carp6.ROUTER == carp6.OVERRIDE
        assert frame.src == VMAC and na.option == (2, VMAC) and len(frame.data) == 86
    # No duplicate address detection for it: both boxes hold it.
    assert not single.both.select(
        lambda f: (n := carp6.nd(f)) and n.kind == carp6.NS and n.target == dual.LAN_VIP6
    )


@pytest.mark.parametrize("pseudo_sum", [False, True])
def test_conformance_48_both_checksums_are_accepted(master, pseudo_sum):
    heard = master.box.carp_stats("carp0")["ipackets6"]
    master.raw.send(master.advert6(pseudo_sum=pseudo_sum))
    master.box.wait_state("carp0", "BACKUP", 2)
    stats = master.box.carp_stats("carp0")
    assert stats["ipackets6"] == heard + 1 and stats["badsum"] == 0


def test_conformance_35_hop_limit_254(master):
    before = master.box.carp_stats()["badttl"]
    master.raw.send(master.advert6(hop_limit=254))
    master.box.wait_counter(lambda: master.box.carp_stats()["badttl"], before, what="badttl")
    assert master.box.state("carp0") == "MASTER"


def test_conformance_19_set_down_bows_out_once_per_family(master):
    mark = master.both.mark()
    master.box.ctl("carp carp0 down")
    bow6 = lambda f: (ad := carp6.parse(f.data)) is not None and ad.bow_out  # noqa: E731
    bow4 = lambda f: f.advert is not None and f.advert.bow_out  # noqa: E731
    master.both.wait(bow4, mark, 2, "bow-out over IPv4")
    master.both.wait(bow6, mark, 2, "bow-out over IPv6")
    time.sleep(1.2)  # more than an interval: nothing may come
    assert len(master.both.select(bow4, mark)) == len(master.both.select(bow6, mark)) == 1


def test_dualstack_reports_its_groups(make_dual):
    """At the start, and whenever a querier asks; as BACKUP too."""
    single = make_dual(advskew=100)
    solicited = {carp6.solicited_node(a) for a in (dual.LAN_VIP6, f"{dual.LAN6}2")}
    wanted = {"224.0.0.18", "ff02::12"} | solicited

    def groups(since):
        frames = single.both.select(lambda f: f.port == "fw1.em0", since)
        return {g for f in frames for g in carp6.reported(f)}

    single.box.start()
    lab.poll_until(lambda: wanted <= groups(0), 5, "reports at the start")
    for frame in single.both.select(carp6.reported):
        assert frame.src == single.net.hosts["fw1"].macs["em0"]
    # The unasked ones are sent twice; then there is quiet.
    lab.poll_until(
        lambda: len(single.both.select(lambda f: "ff02::12" in carp6.reported(f))) >= 2, 5, "twice"
    )
    time.sleep(0.3)
    mark = single.both.mark()
    single.raw.send(carp6.igmp_query(single.PEER, single.raw.mac))
    single.raw.send(carp6.mld_query(single.PEER6, single.raw.mac))
    lab.poll_until(lambda: wanted <= groups(mark), 5, f"reports after a query: {wanted}")
    assert single.box.state("carp0") != "INIT"


@pytest.mark.sanitized
def test_dualstack_snooping_switch_keeps_the_backup(net):
    """A bridge that forwards ff02::12 only where it was asked for, and forgets after 3 s."""
    net.switch.sysctl(ipv6__conf__lan__disable_ipv6=0, ipv6__conf__lan__accept_dad=0)
    net.switch.ip(
        "link set lan type bridge mcast_snooping 1 mcast_querier 1 mcast_query_interval 100 "
        "mcast_query_response_interval 20 mcast_startup_query_interval 20 "
        "mcast_membership_interval 300"
    )
    pair = dual.DualPair(net).start()

    def members():
        out = net.switch.run(["bridge", "-j", "mdb", "show", "dev", "lan"]).stdout
        entries = [e for table in json.loads(out) for e in table["mdb"]]
        return {(e["grp"], e["port"]) for e in entries}

    both = {("ff02::12", "fw1.em0"), ("ff02::12", "fw2.em0")}
    solicited = {(carp6.solicited_node(dual.LAN_VIP6), f"fw{n}.em0") for n in (1, 2)}
    lab.poll_until(lambda: both | solicited <= members(), 5, "the switch knows of both")
    before = pair.fw2.carp_stats("carp0")["ipackets6"]
    began = time.monotonic()
    pair.fw2.wait_counter(
        lambda: pair.fw2.carp_stats("carp0")["ipackets6"], before + 6, 12, "adverts over IPv6"
    )
    assert time.monotonic() - began > 4.0, "longer than the switch remembers"
    assert both | solicited <= members()
    assert pair.fw2.states() == ["BACKUP", "BACKUP"]


@pytest.mark.sanitized
def test_conformance_62_unicast_pair6(net):
    """The peer's MAC is a neighbour's: solicited, then adverts go there and to no group."""
    confs = []
    for node, skew, other in (("fw1", 0, 3), ("fw2", 128, 2)):
        conf = dual.config(node, advskew=skew, state="master" if skew == 0 else None)
        for group, net4, net6 in zip(
            conf["carp"]["groups"], ("192.0.2.", "198.51.100."), (dual.LAN6, dual.WAN6)
        ):
            group["peer"], group["peer6"] = f"{net4}{other}", f"{net6}{other}"
        confs.append(conf)
    pair = dual.DualPair(net, *confs).start()
    pair.both.wait(carp6.advert6_from("fw1.em0"), 0, 5, what="advert over IPv6")
    asked = pair.both.select(
        lambda f: f.port == "fw1.em0"
        and (n := carp6.nd(f))
        and n.kind == carp6.NS
        and n.target == f"{dual.LAN6}3"
    )
    assert asked and carp6.nd(asked[0]).src.startswith("fe80::")
    for frame in pair.both.select(carp6.advert6_from("fw1.em0")):
        ad = carp6.parse(frame.data)
        assert ad.dst == f"{dual.LAN6}3" and ad.dst_mac == pair.fw2.host.macs["em0"]
        assert ad.src_mac == pair.fw1.host.macs["em0"]
    heard = pair.fw2.carp_stats("carp0")["ipackets6"]
    pair.fw2.wait_counter(
        lambda: pair.fw2.carp_stats("carp0")["ipackets6"], heard, what="ipackets6"
    )
    pair.fw1.kill()
    pair.fw2.wait_master()
    pair.client.wait_ping(dual.LAN_VIP6)


# -- a kernel host ----------------------------------------------------------------------------


@pytest.mark.sanitized
def test_dualstack_host_follows_the_master(dual_pair):
    """Shared and own addresses answer; a wrong neighbour entry is put right by the take-over."""
    client = dual_pair.client
    for address in (dual.LAN_VIP6, f"{dual.LAN6}2", f"{dual.LAN6}3", lab.LAN_VIP):
        assert client.ping(address, count=5), address
    assert client.arp(dual.LAN_VIP6) == VMAC
    assert client.arp(f"{dual.LAN6}3") == dual_pair.fw2.host.macs["em0"]
    mark = dual_pair.both.mark()
    wrong = "02:00:00:00:00:99"
    client.ns.ip(f"neigh replace {dual.LAN_VIP6} lladdr {wrong} dev em0 nud stale")
    dual_pair.fw1.kill()
    dual_pair.fw2.wait_master()
    dual_pair.both.wait(
        carp6.na_from("fw2.em0", dual.LAN_VIP6, carp6.ALL_NODES), mark, what="unsolicited NA"
    )
    lab.poll_until(lambda: client.arp(dual.LAN_VIP6) == VMAC, 3, "the entry is put right")
    client.wait_ping(dual.LAN_VIP6)
    assert client.ping(f"{dual.LAN6}3", count=3)
    # The better one comes back, without losing the host.
    dual_pair.fw1.start()
    dual_pair.fw1.wait_master()
    dual_pair.fw2.wait_backup()
    client.wait_ping(dual.LAN_VIP6)


@pytest.mark.sanitized
def test_conformance_49_link_local_vip(make_dual):
    """A shared fe80::1: announced and answered with the vMAC, and a host's default route."""
    vip = "fe80::1"
    single = make_dual(state="master")
    single.box.conf["carp"]["groups"][0]["addresses"].append(f"{vip}/64")
    client = dual.host(single.net, "client", lab.CLIENT_IP, dual.CLIENT_IP6)
    single.box.start()
    single.box.wait_state("carp0", "MASTER")
    frame = single.both.wait(carp6.na_from("fw1.em0", vip, carp6.ALL_NODES), 0, what="NA")
    assert frame.src == VMAC and carp6.nd(frame).option == (2, VMAC)
    client.wait_ping(f"{vip}%em0")
    assert client.arp(vip) == VMAC
    # Without it in the digest, unless told otherwise: as OpenBSD sends.
    frame = single.both.wait(carp6.advert6_from("fw1.em0"), 0, what="advert over IPv6")
    ad = carp6.parse(frame.data)
    assert ad.md == carp6.digest("lanpasswd", 1, dual.LAN_VIPS, ad.counter)
    # Both kinds are heard.
    for vips in (dual.LAN_VIPS, [*dual.LAN_VIPS, vip]):
        heard = single.box.carp_stats("carp0")["ipackets6"]
        single.raw.send(carp6.advert(1, "lanpasswd", vips, Single.PEER6, advskew=200))
        single.box.wait_counter(
            lambda: single.box.carp_stats("carp0")["ipackets6"], heard, what="ipackets6"
        )
    assert single.box.carp_stats("carp0")["badauth"] == 0
    assert single.box.state("carp0") == "MASTER"


class Crash:
    """SIGKILL of fw1 right after its adverts, under a stream of each family; fw1 comes back."""

    def __init__(self, pair):
        probes = [lab.Probe(pair.client, vip).flowing() for vip in dual.LAN_VIPS]
        pair.both.wait(carp6.advert6_from("fw1.em0"), timeout=4, what="advert over IPv6")
        marks = [p.mark() for p in probes]
        killed = time.time()
        pair.fw1.kill()
        for probe, mark in zip(probes, marks):
            probe.wait_event("gap", mark, 10, lambda ev: ev["to"] > killed)
        self.four, self.six = (p.stop() for p in probes)
        last4 = [f for f in pair.both.select(lambda f: f.advert is not None) if f.port == "fw1.em0"]
        last6 = pair.both.select(carp6.advert6_from("fw1.em0"))
        #: Milliseconds from the last advert of the family to the next answer.
        self.back = [
            (s["gap_to"] - f[-1].ts) * 1000
            for s, f in zip((self.four, self.six), (last4, last6))
        ]
        #: How far the outages and their ends lie from each other.
        self.apart = max(
            abs(self.six["gap_ms"] - self.four["gap_ms"]),
            abs(self.six["gap_to"] - self.four["gap_to"]) * 1000,
        )
        pair.fw1.start()
        pair.fw1.wait_master()
        pair.fw2.wait_backup()
        for vip in dual.LAN_VIPS:
            pair.client.wait_ping(vip)

    def judge(self):
        lab.judge(self.four)
        lab.judge(self.six)

    def __str__(self):
        return (
            f"gap {self.four['gap_ms']:.1f} ms over IPv4, {self.six['gap_ms']:.1f} ms over IPv6, "
            f"apart by {self.apart:.1f} ms; {self.back[0]:.1f} and {self.back[1]:.1f} ms after "
            f"the last advert; {lab.timer_text(self.four)}"
        )


@pytest.mark.timing
def test_dualstack_outage_of_both_families(dual_pair):
    """IPv6 is back within 20 ms of IPv4, and both keep the formula."""
    good, busy = 0, []
    for _ in range(KILLS):
        run = Crash(dual_pair)
        print(run)
        try:
            run.judge()
        except lab.TooBusy as err:
            # A busy machine can only pull the two apart: if they are close, they are close.
            if run.apart <= APART_MS:
                good += 1
            else:
                busy.append(f"{err} ({run})")
            continue
        good += 1
        assert run.apart <= APART_MS, run
        assert all(abs(ms - DOWN_MS) <= TOLERANCE_MS for ms in run.back), run
    if good == 0:
        raise lab.TooBusy("; ".join(busy))


# -- one family lost --------------------------------------------------------------------------


@pytest.mark.timing
@pytest.mark.parametrize("mode", ["all", "any"])
def test_conformance_50_one_family_falls_silent(make_dual, mode):
    """Both were heard, then IPv4 alone: "all" stays BACKUP, "any" goes by the IPv6 timer."""
    single = make_dual(advskew=100, preempt=False)
    single.box.conf["carp"]["groups"][0]["family-timers"] = mode
    clock = lab.Clock(single.peer)
    single.box.start()
    with carp.Sender(single.raw.send, single.advert4, 0.5):
        for _ in range(3):
            single.raw.send(single.advert6())
            time.sleep(0.2)
        single.raw.send(single.advert6())
        lab.poll_until(lambda: single.box.carp_stats("carp0")["ipackets6"] >= 4, 3, "IPv6 heard")
        last = single.both.select(carp6.advert6_from("peer-lan.em0"))[-1]
        if mode == "all":
            time.sleep(max(0.0, last.ts + 4.4 - time.time()))
            assert single.box.state("carp0") == "BACKUP"
            assert not single.both.select(
                lambda f: f.port == "fw1.em0" and (f.advert or carp6.parse(f.data))
            )
            return
        first = single.both.wait(carp6.advert6_from("fw1.em0"), 0, 6, "takeover")
    if not 3.385 <= first.ts - last.ts <= 3.45:
        clock.judge()
        assert 3.385 <= first.ts - last.ts <= 3.45
