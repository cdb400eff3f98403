# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The pictures of docs/pictures: the data flow, the lab, and records of real failovers, drawn."""

import glob
import json
import os

import timeline
from svg import Svg

FOLDER = "docs/pictures"


def data_flow():
    """Where a frame goes, and who tells whom what."""
    pic = Svg(960, 520, "The data flow of koi",
              "Workers classify frames; adverts, ARP and packets without a MAC go by rings to the "
              "control lcore, the rest is forwarded. The control lcore publishes who owns what.")
    pic.text(16, 28, "The data flow", "ink bold", 15)
    pic.text(16, 46, "Violet: the way of a forwarded packet. Grey: what steers it.", "soft", 11)
    pic.labelled("box", 20, 100, 120, 90, "devices", "receive queues,", "RSS spreads flows")
    pic.rect("box edge", 190, 70, 330, 250, rx=8)
    pic.text(204, 90, "worker lcores, each to the end of its burst", "soft", 11)
    pic.labelled("page", 210, 104, 130, 82, "classify", "proves lengths,", "to our MAC or", "an owned vMAC?")
    pic.labelled("page", 370, 104, 130, 82, "forward", "route, neighbour,", "TTL, sums, MTU")
    pic.labelled("page", 370, 226, 130, 60, "send", "a buffer for", "each device")
    pic.labelled("page", 210, 226, 130, 60, "drop", "each by a name:", "show drops")
    pic.arrow("way thick", (140, 145), (210, 145))
    pic.arrow("way thick", (340, 145), (370, 145))
    pic.arrow("way thick", (435, 186), (435, 226))
    pic.arrow("way thick", (435, 286), (435, 346), (80, 346), (80, 190))
    pic.arrow("edge", (275, 186), (275, 226))
    pic.text(90, 340, "transmit queues", "soft", 11)
    for y, name, said in ((76, "advert rings", "by group, known senders apart"),
                          (130, "punt rings", "ARP and ND, by group, interface"),
                          (184, "resolve rings", "next hops without a MAC")):
        pic.rect("page edge", 560, y, 196, 44, rx=5)
        pic.text(658, y + 18, name, "ink bold", 12, "middle")
        pic.text(658, y + 35, said, "soft", 10.5, "middle")
        pic.arrow("edge", (520, y + 22), (560, y + 22))
        pic.arrow("edge", (756, y + 22), (800, y + 22))
    pic.rect("box edge", 800, 70, 144, 250, rx=8)
    for i, said in enumerate(("control lcore", "1 link events", "2 all adverts",
                              "3 some ARP and ND", "4 requests",
                              "5 election, timers", "6 send what is due",
                              "7 publish", "8 sleep to the next")):
        pic.text(812, 96 + 24 * i, said, "ink bold" if i == 0 else "ink", 13 if i == 0 else 11)
    pic.arrow("edge", (800, 262), (520, 262))
    pic.text(660, 254, "who owns a vMAC, links, MACs:", "soft", 11, "middle")
    pic.text(660, 278, "one store each", "soft", 11, "middle")
    pic.arrow("edge", (872, 320), (872, 372), (40, 372), (40, 190))
    pic.text(660, 366, "its own transmit queue, or a ring that workers empty first", "soft", 11,
             "middle")
    pic.labelled("box", 20, 424, 170, 66, "device threads", "links, filters, resets:", "what is slow")
    pic.labelled("box", 220, 424, 150, 66, "builder thread", "routes, changed in place", "under readers")
    pic.labelled("box", 400, 424, 150, 66, "host thread", "taps for the kernel's", "own daemons")
    pic.labelled("box", 580, 424, 364, 66, "main, CLI, telemetry, metrics, hooks, log",
                 "read what is published, post requests into slots;", "no lcore ever waits for them")
    pic.arrow("edge", (105, 424), (105, 190))
    pic.arrow("edge", (295, 424), (295, 320))
    pic.arrow("edge", (475, 424), (475, 320))
    pic.arrow("edge", (915, 320), (915, 424))
    pic.text(907, 400, "views, events", "soft", 11, "end")
    pic.arrow("edge", (932, 424), (932, 320))
    return str(pic)


def lab():
    """The pair of make demo and of the lab's tests."""
    pic = Svg(960, 380, "The lab: two firewalls between a LAN and a WAN",
              "Two koi processes, each in a network namespace, share 192.0.2.1 on the LAN and "
              "198.51.100.1 on the WAN; a client and a server are beside them.")
    pic.text(16, 28, "The lab", "ink bold", 15)
    pic.text(16, 46, "Each box is a network namespace, each segment a bridge with a sniffer. Violet: "
             "the client's packets, by whoever is master.", "soft", 11)
    for y, name, shared in ((96, "WAN", "198.51.100.1, vhid 2"), (316, "LAN", "192.0.2.1, vhid 1")):
        pic.rect("init", 60, y, 640, 10, rx=5)
        pic.text(60, y - 8 if name == "WAN" else y + 28, f"{name}: shared address {shared}", "ink bold", 12)
    for x, name, skew, host in ((170, "fw1", 0, 2), (430, "fw2", 128, 3)):
        pic.labelled("box", x, 168, 160, 84, name, f"advskew {skew}, preempt",
                     "one koi process,", "net_af_packet on veths")
        for y, end, port, net in ((168, 106, "em1", "198.51.100"), (252, 316, "em0", "192.0.2")):
            pic.line("edge", x + 80, y, x + 80, end)
            pic.text(x + 88, (y + end) / 2 + 4, f"{port} {net}.{host}", "soft", 11)
    pic.rect("master", 262, 158, 60, 18, rx=9)
    pic.text(292, 171, "MASTER", "page bold", 11, "middle")
    pic.rect("backup", 522, 158, 60, 18, rx=9)
    pic.text(552, 171, "BACKUP", "ink bold", 11, "middle")
    pic.labelled("box", 760, 74, 170, 54, "server", "198.51.100.100")
    pic.labelled("box", 760, 294, 170, 54, "client", "192.0.2.100, gateway .1")
    pic.line("edge", 700, 101, 760, 101)
    pic.line("edge", 700, 321, 760, 321)
    pic.arrow("way thick", (760, 311), (242, 311), (242, 253))
    pic.arrow("way thick", (242, 167), (242, 111), (759, 111))
    pic.text(700, 230, "1000 pings a second,", "soft", 11)
    pic.text(700, 246, "each lost one is known", "soft", 11)
    return str(pic)


def outputs(root):
    """@return {path: what is to be in it}"""
    made = {"data-flow.svg": data_flow(), "lab.svg": lab()}
    for path in sorted(glob.glob(os.path.join(root, FOLDER, "*.json"))):
        with open(path, encoding="utf-8") as f:
            made[os.path.basename(path)[:-5] + ".svg"] = timeline.draw(json.load(f))
    return {f"{FOLDER}/{name}": text.encode() for name, text in made.items()}
