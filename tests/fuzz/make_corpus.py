#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Write the seed corpora of fuzz_wire and fuzz_advert from tests/data.

Run by hand when the data or an input format changes; the result is committed. Files are named
by what they are, so a rerun changes only what differs.
"""

import json
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent / "data"
CORPUS = HERE / "corpus"

# Options of fuzz_advert.c's first byte.
DISALLOW, NO_GROUPS, DEAF, OWN_ADDRESS, FIX_IP, SIGN, FIX_CARP = (1 << i for i in range(7))
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
    return None


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
            if k != "advert" or path.stem.endswith(("steady", "become-master", "bowout")):
                wire[f"{path.stem}-{k}"] = frame
                if k == "advert":
                    advert[path.stem] = bytes([FIX_ALL]) + frame

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

    for name, inputs in (("wire", wire), ("advert", advert)):
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        unique = {}
        for label, data in inputs.items():
            unique.setdefault(data, label)
        for data, label in unique.items():
            (folder / label).write_bytes(data)
        print(f"{name}: {len(unique)} files")


if __name__ == "__main__":
    main()
