# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""One crash of the master, measured. Used by the test, the benchmark and the demo."""

import dataclasses
import statistics
import time

import lab
import sniff


@dataclasses.dataclass
class Crash:
    """Seconds, each from the last advert of the dead box on that wire (restored: the later one)."""

    takeover_lan: float
    takeover_wan: float
    restored: float
    outage: float
    probe: dict

    def text(self, expected):
        return (
            f"formula {expected * 1000:.1f} ms; took over after {self.takeover_lan * 1000:.1f} ms "
            f"(em0), {self.takeover_wan * 1000:.1f} ms (em1), traffic after "
            f"{self.restored * 1000:.1f} ms; gap {self.outage * 1000:.1f} ms, "
            f"{self.probe['lost']} lost; {lab.timer_text(self.probe)}"
        )


def last_before(sniffer, port, ts):
    return [f for f in sniffer.select(sniff.advert_from(port)) if f.ts < ts][-1]


def wait_heard(box):
    """A box that has just started counts from there until it has heard the master in each group."""
    for group in box.conf["carp"]["groups"]:

        def heard(name=group["name"]):
            stats = box.carp_stats(name)
            return stats["ipackets"] + stats["ipackets6"] - stats["badvhid"]

        box.wait_counter(heard, 0, what=f"adverts heard in {group['name']}")


def kill_master(pair, restart=True, gap_timeout=10.0):
    """SIGKILL fw1, the master, right after an advert of it was seen; fw2 takes over.

    With restart, fw1 comes back and preempts before this returns.
    """
    sniffer = pair.net.sniffer
    probe = lab.Probe(pair.client).flowing()
    wait_heard(pair.fw2)
    sniffer.wait(sniff.advert_from("fw1.em0"), timeout=4)
    mark, events = sniffer.mark(), probe.mark()
    killed = time.time()
    pair.fw1.kill()
    lan = sniffer.wait(sniff.advert_from("fw2.em0"), mark, gap_timeout, "takeover on the LAN")
    wan = sniffer.wait(sniff.advert_from("fw2.em1"), mark, gap_timeout, "takeover on the WAN")
    if pair.fw1.conf["carp"]["groups"][0].get("fast"):
        probe.run_for(0.5)  # such a gap may be too short for an event of the probe
    else:
        probe.wait_event("gap", events, gap_timeout, lambda ev: ev["to"] > killed)
    summary = probe.stop()
    last_lan = last_before(sniffer, "fw1.em0", lan.ts)
    last_wan = last_before(sniffer, "fw1.em1", wan.ts)
    run = Crash(
        lan.ts - last_lan.ts,
        wan.ts - last_wan.ts,
        summary["gap_to"] - max(last_lan.ts, last_wan.ts),
        summary["gap_ms"] / 1000,
        summary,
    )
    if restart:
        pair.fw1.start()
        pair.fw1.wait_master()
        pair.fw2.wait_backup()
        pair.client.wait_ping(lab.SERVER_IP)
    return run


def quantiles(values):
    """@return median, p99 and max"""
    ordered = sorted(values)
    rank = min(len(ordered) - 1, int(0.99 * len(ordered)))
    return statistics.median(ordered), ordered[rank], ordered[-1]
