#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Write the seed corpora of fuzz_wire, fuzz_advert, fuzz_replay, fuzz_dp and fuzz_host from tests/data.

Run by hand when the data or an input format changes; the result is committed. Files are named
by what they are, so a rerun changes only what differs. Inputs that make fuzz found are named
found-* and stay; so do grown-*, which reached what no others did, and tagged-*, made by hand.
"""

import json
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent / "data"
CORPUS = HERE / "corpus"

# Options of fuzz_advert.c's first byte.
DISALLOW, NO_GROUPS, DEAF, OWN_ADDRESS, FIX_IP, SIGN, FIX_CARP, UNICAST = (1 << i for i in range(8))
FIX_ALL = FIX_IP | SIGN | FIX_CARP


def frames_of(path):
    data = path.read_bytes()
    off = 24
    while off < len(data):
        kept = struct.unpack_from("<I", data, off + 8)[0]
        yield data[off + 16:off + 16 + kept]
        off += 16 + kept


def kind(frame):
    ethertype = frame[12:14].hex()
    if ethertype == "0806":
        return f"arp{frame[21]}"
    if ethertype == "0800":
        return {1: "icmp", 2: "igmp", 112: "advert"}.get(frame[23], "ip")
    if ethertype == "86dd":
        if frame[20] == 58:
            return {128: "echo6", 129: "echo6-reply", 135: "ns", 136: "na"}[frame[54]]
        return {0: "mld", 112: "advert6"}.get(frame[20], "ip6")
    return None


def inet_sum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return struct.pack(">H", ~total & 0xffff)


def igmp_query(message):
    """An IPv4 packet in a frame, with a router alert."""
    message = bytes.fromhex(message)
    message = message[:2] + inet_sum(message) + message[4:]
    head = bytes.fromhex("46c0") + struct.pack(">H", 24 + len(message)) + bytes.fromhex(
        "00000000010200000a000009e000000194040000")
    head = head[:10] + inet_sum(head) + head[12:]
    return bytes.fromhex("01005e00000102000000000a0800") + head + message


def mld_query(message):
    """An IPv6 packet in a frame, with a hop-by-hop router alert."""
    message = bytes.fromhex(message)
    src = bytes.fromhex("fe800000000000000000000000000009")
    dst = bytes.fromhex("ff020000000000000000000000000001")
    pseudo = src + dst + struct.pack(">II", len(message), 58)
    message = message[:2] + inet_sum(pseudo + message) + message[4:]
    head = bytes.fromhex("60000000") + struct.pack(">HBB", 8 + len(message), 0, 1) + src + dst
    return (bytes.fromhex("33330000000102000000000a86dd") + head +
            bytes.fromhex("3a00050200000100") + message)


def discovery(kind, message, src="fe80000000000000020005fffe000101"):
    """A router solicitation (133) or advertisement (134) in a frame."""
    message = bytes([kind, 0, 0, 0]) + bytes.fromhex(message)
    src = bytes.fromhex(src)
    dst = bytes.fromhex("ff02000000000000000000000000000" + ("2" if kind == 133 else "1"))
    pseudo = src + dst + struct.pack(">II", len(message), 58)
    message = message[:2] + inet_sum(pseudo + message) + message[4:]
    head = bytes.fromhex("60000000") + struct.pack(">HBB", len(message), 58, 255) + src + dst
    return bytes.fromhex("33330000000100005e00010186dd") + head + message


#: An advertisement with every option that is read, and one that is not.
RA_WHOLE = ("40c807080000ea60000003e8" + "010100005e000101" + "05010000000005dc" +
            "030440c000278d0000093a800000000020010db8000100000000000000000000" +
            "1903000000000708" + "20010db8" + "00" * 11 + "53" +
            "1f03000000000708" + "076578616d706c65036f726700" + "000000" + "e001000000000000")


def stories():
    """Inputs of fuzz_replay.c: mode, then source, counter, priority and gap of each advert."""
    second = 28
    fresh, follow, again, older, near, before, timed, constant = range(8)
    default = {
        "counting": [(0, fresh, 0, 0)] + [(0, follow, 0, second)] * 8,
        "random": [(0, fresh, 0, second)] * 8,
        "constant": [(2, constant, 0, second)] * 5 + [(2, constant, 0x80, second)],
        "keep-alive": [(0, fresh, 0, second)] * 4 + [(0, again, 0, second)] * 6,
        "bow-out-again": [(0, fresh, 0, second)] * 4 + [(0, older | 8, 0x80, 0)],
        "other-priority": [(0, fresh, 0, second)] * 4 + [(0, again, 1, 0)],
        "other-source": [(0, fresh, 0, second)] * 4 + [(3, again, 0, 0), (3, again, 0, 255)],
        "two-backups": [(0, fresh, 0, 0), (0, follow, 0x80, second), (1, follow, 1, 0),
                        (2, again, 2, 0), (1, follow, 1, second)],
        "back-to-constant": [(2, constant, 0, second)] * 4 + [(0, near, 0, second)] +
                            [(0, follow, 0, second)] * 4 + [(2, constant, 0, second)] +
                            [(0, near | 72, 0, second), (0, near | 64, 0, second)],
        "ours": [(0x80, 0, 0, second)] * 2 + [(0, follow, 0, 0), (0, older, 0, 0),
                                               (5, before, 0, 0)],
        "second-bow-out": [(0, fresh, 0, 0), (1, follow, 0, 0), (0, follow, 0, second),
                           (1, follow, 0, 0), (2, follow, 1, second), (0, follow, 0x80, 0),
                           (2, follow, 1, 0), (1, again, 0x80, 0), (1, again, 0x80, 255)],
        "mixed": [(2, constant, 0, second)] * 4 + [(2, fresh, 0, second)] * 4,
        "crowd": [(k % 32, fresh, 0, 3) for k in range(128)] + [(0, older, 0, 0)],
        "shared": [(0x40, fresh, 0, second)] * 3 + [(0x41, again, 0, second)] * 3,
        "forget": [(0, fresh, 0, second)] * 4 + [(0x80, 0x80, 0, 0), (0, again, 0, second)],
        "long": [(0, follow, 0, 1)] * 600 + [(0, older | 16, 0, 0)],
    }
    strict = {
        "steady": [(0, timed | 14 << 3, 0, second)] * 5 + [(0, again, 0, 0), (1, again, 0, 0)],
        "clocks": [(k % 8, timed | k << 3, 0, second) for k in range(30)],
        "reordered": [(0, timed | k << 3, 0, 0) for k in (14, 16, 15, 13, 6)],
        "mixed": [(0, timed | 14 << 3, 0, second), (1, follow, 0, second), (1, follow, 0, second),
                  (2, fresh, 0, second), (3, constant, 0, second)],
        "ours": [(0x80, 0, 0, second)] * 2 + [(0, again, 0, 0), (0, timed | 14 << 3, 0, 0)],
        "long": [(0, timed | 14 << 3, 0, 1)] * 600 + [(0, older | 16, 0, 0)],
    }
    out = {}
    for mode, byte, group in (("default", 0, default), ("strict", 1, strict)):
        for name, steps in group.items():
            out[f"{mode}-{name}"] = bytes([byte]) + b"".join(map(bytes, steps))
    return out


def rig_frame(frame, fix=0x1c, mac=1, master=0xf, first=0, seg=0, how=0):
    """One frame of an input of fuzz_dp.c; by default to vhid 1, which is MASTER, sums repaired."""
    size = struct.pack("<H", len(frame) | how << 12)
    return bytes([fix, mac | master << 4, first, seg]) + size + frame


def rig_inputs(wire):
    """Inputs of fuzz_dp.c: every frame of fuzz_wire as it is, and frames for the rig's hosts."""
    out = {name: rig_frame(frame, fix=0, mac=0) for name, frame in wire.items()}
    client, server, own, vip = (bytes(a) for a in (
        (192, 0, 2, 100), (203, 0, 113, 10), (192, 0, 2, 2), (192, 0, 2, 1)))
    stranger, upstream = bytes((198, 51, 100, 77)), bytes((10, 1, 2, 3))
    ether = bytes.fromhex("00005e000101020000000164")

    def ip4(dst, proto, payload, ttl=64, flags=0, options=b"", src=client):
        head = (bytes([0x45 + len(options) // 4, 0]) +
                struct.pack(">HHHBBH", 20 + len(options) + len(payload), 1, flags, ttl, proto, 0)
                + src + dst + options)
        return ether + b"\x08\x00" + head + payload

    def ip6(dst, proto, payload, hops=255, src="20010db8000100000000000000000064"):
        head = bytes.fromhex("60000000") + struct.pack(">HBB", len(payload), proto, hops)
        return ether + b"\x86\xdd" + head + bytes.fromhex(src) + bytes.fromhex(dst) + payload

    udp = bytes.fromhex("0400000900220000") + bytes(26)
    echo = bytes.fromhex("0800000000070001") + bytes(range(24))
    echo6 = bytes.fromhex("8000000000070001") + bytes(range(24))
    vip6, wan_vip6 = "20010db8000100000000000000000001", "20010db8000200000000000000000001"
    server6, far6 = "20010db8ff000000000000000000000a", "20010db8fe000000000000000000000a"
    stranger6, link_local = "20010db800020000000000000000004d", "fe800000000000000000000000000064"
    # hop-by-hop, destination options, fragment (the first one), each before the next
    extended = bytes.fromhex("3c00050200000100 2c00010400000000 3a00000100000001")
    routed = {
        "route": ip4(server, 17, udp), "ttl": ip4(server, 17, udp, ttl=1),
        "resolve": ip4(stranger, 17, udp), "redirect": ip4(upstream, 17, udp),
        "no-route": ip4(bytes((8, 8, 8, 8)), 17, udp), "local": ip4(own, 17, udp),
        "echo-own": ip4(own, 1, echo), "echo-vip": ip4(vip, 1, echo),
        "fragment": ip4(vip, 1, echo, flags=0x2000), "too-big": ip4(server, 17, bytes(1420)),
        "too-big-df": ip4(server, 17, bytes(1420), flags=0x4000),
        "echo6-vip": ip6(vip6, 58, echo6), "no-route6": ip6("20010db9" + "11" * 12, 17, udp),
        "route6": ip6(server6, 17, udp), "hops6": ip6(server6, 17, udp, hops=1),
        "route6-link-local-hop": ip6(far6, 17, udp), "resolve6": ip6(stranger6, 17, udp),
        "too-big6": ip6(server6, 17, bytes(1400)), "scope6": ip6(server6, 17, udp, src=link_local),
        "extended6": ip6(server6, 0, extended + echo6),
        "extended6-hops": ip6(server6, 0, extended + b"\x03" + echo6[1:], hops=1),
        "echo6-other-interface": ip6(wan_vip6, 58, echo6),
        "echo6-from-afar": ip6(vip6, 58, echo6, src=server6),
        "echo6-link-local": ip6("fe800000000000000000000000000002", 58, echo6, src=link_local),
        "solicit": ip6(vip6, 58, bytes.fromhex("8700000000000000" + vip6 + "0101020000000164")),
    }
    record, lsrr = bytes.fromhex("0707040000000000"), bytes.fromhex("0183070401020304")
    routed.update({
        "options": ip4(server, 17, bytes(400), options=bytes.fromhex("94040000") + record),
        "source-route": ip4(server, 17, udp, options=lsrr),
        "options-short": ip4(server, 17, udp, options=bytes.fromhex("01010107")),
        "options-long-none": ip4(server, 17, bytes(1420), options=bytes.fromhex("82000000")),
        "options-long-over": ip4(server, 17, bytes(1420), options=bytes.fromhex("82ff0000")),
        "icmp-redirect": ip4(own, 1, bytes.fromhex("0501000001020304") + bytes(28)),
        "own-source": ip4(server, 17, udp, src=own), "vip-source": ip4(server, 17, udp, src=vip),
        "other-way": ip4(own, 17, udp, src=server),
        "middle-fragment": ip4(server, 17, bytes(1400), flags=0x20b9),
        "last-fragment": ip4(server, 17, bytes(1400), flags=0x1fff),
        "echo-long": ip4(vip, 1, echo + bytes(1400), src=server),
        "own-source6": ip6(server6, 17, udp, src=vip6),
        "routing6": ip6(vip6, 43, bytes.fromhex("3a02000100000000") + bytes(16) + echo6),
        "icmp-redirect6": ip6("fe800000000000000000000000000002", 58,
                              bytes.fromhex("8900000000000000") + bytes(32), src=link_local),
    })
    for name, frame in routed.items():
        out[f"rig-{name}-strict"] = rig_frame(frame, how=6)
        out[f"rig-{name}-second"] = rig_frame(frame, fix=0x9f, how=5)
        out[f"rig-{name}-pieces"] = rig_frame(frame, fix=0x1f, mac=4, first=40, seg=90, how=4)
        out[f"rig-{name}"] = rig_frame(frame)
        out[f"rig-{name}-backup"] = rig_frame(frame, master=0)
        out[f"rig-{name}-segments"] = rig_frame(frame, first=21, seg=7)
        out[f"rig-{name}-tail"] = rig_frame(frame, fix=0x9c, mac=4, first=64, seg=200)
    out["rig-known"] = rig_frame(wire["receive-accept"], fix=0x40, mac=0)
    out["rig-many"] = b"".join(rig_frame(f, fix=0x9c) for f in routed.values())
    return out


def host_inputs(rig):
    """Inputs of fuzz_host.c: the frames for the rig's hosts, from the kernel and from the network."""
    ways = {"own": (0x0c, 0xf1), "vip": (0x0c, 0xf2), "vip-backup": (0x0c, 0x02),
            "wan": (0x0d, 0xf3), "link-local": (0x0c, 0xf6), "as-it-is": (0, 0xf0),
            "received": (0x1e, 0xf0), "broadcast": (0x2e, 0xf0), "received-backup": (0x1f, 0)}
    out = {}
    for name, data in rig.items():
        if not name.startswith("rig-") or name.endswith(
                ("-strict", "-second", "-pieces", "-backup", "-segments", "-tail", "-many")):
            continue
        size = struct.unpack("<H", data[4:6])[0] & 0xfff
        frame = struct.pack("<H", size) + data[6:6 + size]
        for way, head in ways.items():
            out[f"{name[4:]}-{way}"] = bytes(head) + frame
    return out


def main():
    vectors = json.loads((DATA / "carp-hmac.json").read_text())
    receive = {r["id"]: bytes.fromhex(r["frame"]) for r in vectors["receive"]}
    good = receive["accept"]
    wire = {f"receive-{name}": frame for name, frame in receive.items()}
    advert = {f"receive-{name}": bytes([0]) + frame for name, frame in receive.items()}

    # The first frame of each kind in each capture.
    for path in sorted((DATA / "pcap").glob("*.pcap")):
        seen = set()
        for frame in frames_of(path):
            k = kind(frame)
            if k is None or k in seen:
                continue
            seen.add(k)
            if not k.startswith("advert") or path.stem.endswith(
                    ("steady", "become-master", "bowout")):
                wire[f"{path.stem}-{k}"] = frame
                if k == "advert":
                    advert[path.stem] = bytes([FIX_ALL]) + frame
                if k == "advert6":
                    advert[f"{path.stem}-6"] = bytes([FIX_ALL]) + frame

    # Over IPv6: either sum, and what the options do to it.
    good6 = None
    for case in vectors["cases"]:
        for key in ("frame6", "frame6_pseudo", "frame6_openbsd"):
            if key in case:
                frame = bytes.fromhex(case[key]["hex"])
                good6 = good6 or frame[:55] + bytes([1]) + frame[56:]
                wire[f"{case['id']}-{key}"] = frame
    for counter in (6, 7):
        advert[f"good6-{counter}"] = bytes([FIX_ALL]) + good6[:69] + bytes([counter]) + good6[70:]
    advert["own-source6"] = (bytes([FIX_ALL | OWN_ADDRESS]) + good6[:22] +
                             bytes.fromhex("fe80") + bytes(13) + b"\x03" + good6[38:])
    for name, frame in (("", good), ("6", good6)):
        at = 21 if name else 22
        routed = frame[:at] + b"\x40" + frame[at + 1:]
        advert[f"unicast-routed{name}"] = bytes([FIX_ALL | UNICAST]) + routed
    advert["vlan6"] = bytes([FIX_ALL]) + good6[:12] + bytes.fromhex("8100001e") + good6[12:]
    advert["to-all-nodes6"] = bytes([FIX_ALL]) + good6[:53] + b"\x01" + good6[54:]
    none4, none6 = "00000000", "00" * 16
    wire["query-igmp1"] = igmp_query("11000000" + none4)
    wire["query-igmp2"] = igmp_query("11640000" + none4)
    wire["query-igmp3"] = igmp_query("11ff0000e0000012021400010a000001")
    wire["rs"] = discovery(133, "00000000" + "0101020000000050")
    wire["ra"] = discovery(134, RA_WHOLE)
    wire["ra-empty"] = discovery(134, "00" * 12)
    wire["query-mld1"] = mld_query("8200000003e80000" + none6)
    wire["query-mld2"] = mld_query("82000000ffff0000" + none6 + "027d0000")

    for bit, name in ((DISALLOW, "disallow"), (NO_GROUPS, "no-groups"), (DEAF, "deaf"),
                      (OWN_ADDRESS, "own-address"), (FIX_ALL, "fix-all")):
        advert[f"option-{name}"] = bytes([bit]) + good
    own_counter = bytes.fromhex("1122334455667788")
    advert["loop"] = bytes([FIX_ALL]) + good[:42] + own_counter + good[50:]
    own_source = good[:26] + bytes([192, 168, 1, 3]) + good[30:]
    advert["own-source"] = bytes([FIX_ALL | OWN_ADDRESS]) + own_source
    advert["two-digests"] = bytes([FIX_ALL]) + good[:35] + bytes([6]) + good[36:]
    advert["vlan"] = bytes([FIX_ALL]) + good[:12] + bytes.fromhex("8100001e") + good[12:]
    options = good[:14] + b"\x46" + good[15:17] + b"\x3c" + good[18:34] + b"\x01" * 4 + good[34:]
    wire["ip-options"] = options
    advert["ip-options"] = bytes([FIX_ALL]) + options
    advert["not-ipv4"] = bytes([0]) + good[:12] + b"\x86\xdd" + good[14:]
    advert["cut-in-ethernet"] = bytes([0]) + good[:13]
    wire["zeros"] = bytes(36)
    advert["fragment"] = bytes([FIX_ALL]) + good[:20] + b"\x20\x01" + good[22:]

    for name, inputs in (("wire", wire), ("advert", advert), ("replay", stories()),
                         ("dp", rig_inputs(wire)), ("host", host_inputs(rig_inputs(wire)))):
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            if not old.name.startswith(("found-", "grown-", "tagged-")):
                old.unlink()
        unique = {}
        for label, data in inputs.items():
            unique.setdefault(data, label)
        for data, label in unique.items():
            (folder / label).write_bytes(data)
        print(f"{name}: {len(unique)} files")


if __name__ == "__main__":
    main()
