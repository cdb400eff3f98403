# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""ping and traceroute of the CLI: the box itself asks, by its own data plane."""

import json
import re
import signal
import subprocess
import time

import pytest

import box
import dual
import hostpath
import lab

MTU = 1400
#: Behind the server; fw2 has the way there through fw1, so that a path is two hops long.
FAR, FAR6 = "10.77.0.1", "2001:db8:77::1"
FW1_LAN, FW2_LAN, FW1_LAN6 = "192.0.2.2", "192.0.2.3", f"{dual.LAN6}2"
NOBODY, NOBODY6 = "192.0.2.77", f"{dual.LAN6}77"
ANSWER = re.compile(r"^(\d+) bytes from (\S+): seq=(\d+) ttl=(\d+) time=(\d+\.\d{3}) ms$", re.MULTILINE)


@pytest.fixture
def pair(net):
    """Both families, taps, a WAN that carries less than the LAN."""
    confs = [hostpath.config("fw1", state="master"), hostpath.config("fw2", advskew=128)]
    for conf in confs:
        conf["interfaces"][1]["mtu"] = MTU
    it = hostpath.start(net, *confs)
    it.server.ns.ip(f"addr add {FAR}/32 dev lo", f"addr add {FAR6}/128 dev lo nodad")
    for far, near, server in (
        ("10.77.0.0/24", FW1_LAN, lab.SERVER_IP),
        ("2001:db8:77::/48", FW1_LAN6, dual.SERVER_IP6),
    ):
        it.fw1.ctl(f"route add {far} via {server}")
        it.fw2.ctl(f"route add {far} via {near}")
    it.changes = [changes(b) for b in it.boxes]
    yield it
    assert [changes(b) for b in it.boxes] == it.changes, "a state changed"


def changes(fw):
    return [e["seq"] for e in fw.ctl_json("show carp events")["events"] if e["kind"] == "state"]


def koictl(fw, command, *args):
    return fw.koictl(command, args=args, timeout=60)


def answers(text):
    return [(int(b), src, int(seq)) for b, src, seq, _, _ in ANSWER.findall(text)]


def test_ping_both_families(pair):
    """A client, a server, what lies behind a next hop, the other box's VIP, a link-local host."""
    client_ll = link_local(pair.client)
    for fw, target, more in (
        (pair.fw1, lab.CLIENT_IP, ""),
        (pair.fw1, lab.SERVER_IP, ""),
        (pair.fw1, FAR, ""),
        (pair.fw2, FAR, ""),
        (pair.fw2, lab.LAN_VIP, ""),
        (pair.fw1, lab.SERVER_IP, f" source {lab.LAN_VIP}"),
        (pair.fw1, dual.CLIENT_IP6, ""),
        (pair.fw1, FAR6, ""),
        (pair.fw2, FAR6, ""),
        (pair.fw2, dual.LAN_VIP6, ""),
        (pair.fw2, client_ll, " interface em0"),
    ):
        done = koictl(fw, f"ping {target} count 3 interval-ms 20 size 100{more}")
        assert done.returncode == 0, done
        assert answers(done.stdout) == [(108, target, i) for i in range(3)], done.stdout
        last = done.stdout.splitlines()[-1]
        assert last.startswith("3 packets transmitted, 3 received, 0% loss; min/avg/max "), last
    # Its own addresses, and a VIP that it is MASTER of: nothing is sent.
    for target in (FW1_LAN, lab.LAN_VIP, dual.WAN_VIP6):
        done = koictl(pair.fw1, f"ping {target} count 2 interval-ms 10")
        assert done.returncode == 0 and done.stdout.count("(this box)") == 2, done
    # The kernel's own pings through the tap go on, meanwhile too.
    ours = pair.fw1.host.ns.popen(
        [*argv(pair.fw1), "ping", lab.CLIENT_IP, "count", "60", "interval-ms", "20"],
        stdout=subprocess.PIPE, text=True,
    )
    kernel = pair.fw1.host.ns.run(["ping", "-n", "-c", "20", "-i", "0.02", lab.CLIENT_IP])
    assert " 20 received" in kernel.stdout, kernel.stdout
    assert "60 packets transmitted, 60 received" in ours.communicate(timeout=20)[0]


def argv(fw):
    return [box.KOICTL, "--socket", fw.socket_path]


def link_local(host):
    found = host.ns.ip_json("-6", "addr", "show", "dev", "em0", "scope", "link")
    return next(a["local"] for link in found for a in link.get("addr_info", ()) if "local" in a)


def test_ping_says_why_not(pair):
    fw = pair.fw1
    for command, status, text in (
        ("ping 203.0.113.9", 1, "refused: there is no route to 203.0.113.9\n"),
        ("ping 2001:db8:9::1", 1, "refused: there is no route to 2001:db8:9::1\n"),
        ("ping 192.0.2.255", 1, "is the network, broadcast or anycast address of a subnet"),
        ("ping 224.0.0.5", 1, "refused: 224.0.0.5 is not the address of a host\n"),
        ("ping fe80::1", 1, 'say on which link, by "interface"'),
        (f"ping {lab.CLIENT_IP} interface em0", 1, '"interface" is for link-local addresses'),
        (f"ping {lab.CLIENT_IP} source 192.0.2.99", 1, "source 192.0.2.99 is no address of this"),
        (f"ping {lab.CLIENT_IP} size 1473", 1, "the MTU of em0 is 1500: at most size 1472\n"),
        (f"ping {dual.CLIENT_IP6} size 1453", 1, "the MTU of em0 is 1500: at most size 1452\n"),
        ("ping 300.1.1.1", 2, '"300.1.1.1": expected an IPv4 or IPv6 address\n'),
        ("ping 192.0.2.1 cuont 3", 2, 'unknown word "cuont" after "ping 192.0.2.1" (did you mean'),
        ("ping 192.0.2.1 count 0", 2, '"0" is not a number from 1 to 10000\n'),
        ("ping 192.0.2.1 count", 2, "expected a number from 1 to 10000\n"),
        ("ping 192.0.2.1 size 9 interface em7", 2, 'unknown interface "em7"'),
    ):
        done = koictl(fw, command)
        assert done.returncode == status, (command, done)
        assert text in done.stdout, (command, done)
    # A VIP is nobody's source but the MASTER's.
    done = koictl(pair.fw2, f"ping {lab.CLIENT_IP} source {lab.LAN_VIP}")
    assert done.returncode == 1 and "not MASTER here" in done.stdout, done
    for target, how in ((NOBODY, "ARP"), (NOBODY6, "neighbour solicitations")):
        done = koictl(fw, f"ping {target} count 2 interval-ms 10")
        assert done.returncode == 1, done
        assert f"seq=0: next hop {target} on em0 does not answer {how}\n" in done.stdout
        assert "2 packets transmitted, 0 received, 100% loss\n" in done.stdout
    # Too large for a link on the way: who says so, and what it takes.
    for target, router, size in ((FAR, FW1_LAN, 1400), (FAR6, FW1_LAN6, 1400)):
        done = koictl(pair.fw2, f"ping {target} count 1 size {size}")
        assert done.returncode == 1, done
        assert f"from {router}: seq=0 " in done.stdout and ", MTU 1400\n" in done.stdout, done
        assert "1 packets transmitted, 0 received, 1 errors, 100% loss\n" in done.stdout
    # A host that is silent.
    pair.client.ns.sysctl(ipv4__icmp_echo_ignore_all=1)
    done = koictl(fw, f"ping {lab.CLIENT_IP} count 1")
    assert done.returncode == 1 and "seq=0: no answer within 2 s\n" in done.stdout, done


def test_ping_streams_and_ends_with_its_client(pair):
    fw = pair.fw1
    done = koictl(fw, f"ping {lab.CLIENT_IP} count 3 interval-ms 10", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [x["kind"] for x in lines] == ["begin", "reply", "reply", "reply", "summary"], lines
    assert lines[0]["source"] == FW1_LAN and lines[-1]["received"] == 3
    # Interrupted: what there is so far.
    endless = [*argv(fw), "ping", lab.CLIENT_IP, "count", "10000", "interval-ms", "10"]
    child = fw.host.ns.popen(endless, stdout=subprocess.PIPE, text=True)
    for _ in range(4):
        child.stdout.readline()
    child.send_signal(signal.SIGINT)
    rest = child.communicate(timeout=10)[0]
    assert child.returncode == 0 and re.search(r"transmitted, \d+ received, ", rest), rest
    # Four run at once, a fifth is refused; who goes away gives its place back.
    running = [fw.host.ns.popen(endless, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for child in running:
        child.stdout.readline()
    done = koictl(fw, f"ping {lab.CLIENT_IP}")
    assert done.returncode == 1 and "4 of them run already" in done.stdout, done
    assert fw.states() == ["MASTER", "MASTER"]
    for child in running:
        child.kill()
        child.communicate()
    lab.poll_until(
        lambda: koictl(fw, f"ping {lab.CLIENT_IP} count 1").returncode == 0, 10, "a free place"
    )
    lab.poll_until(lambda: silent(pair), 10, "no more requests are sent")


def silent(pair):
    """No echo request of the box within a tenth of a second."""
    since = time.time()
    time.sleep(0.1)
    return not pair.net.sniffer.select(
        lambda f: f.port == "fw1.em0" and f.ts > since and f.data[23:24] == b"\x01"
        and f.data[34:35] == b"\x08"
    )


def test_traceroute_both_families(pair):
    for fw, target, hops in (
        (pair.fw2, FAR, [FW1_LAN, FAR]),
        (pair.fw2, FAR6, [FW1_LAN6, FAR6]),
        (pair.fw1, FAR, [FAR]),
        (pair.fw1, lab.CLIENT_IP, [lab.CLIENT_IP]),
    ):
        done = koictl(fw, f"traceroute {target} max-hops 5")
        assert done.returncode == 0, done
        lines = done.stdout.splitlines()
        assert lines[0].startswith(f"traceroute to {target} from "), lines
        assert len(lines) == 1 + len(hops), lines
        for n, (line, hop) in enumerate(zip(lines[1:], hops), 1):
            assert re.fullmatch(rf" {n}  {hop}(  \d+\.\d{{3}} ms){{3}}", line), lines
    # Silence is a star, and the way ends where somebody says so.
    pair.server.ns.sysctl(ipv4__icmp_echo_ignore_all=1)
    done = koictl(pair.fw2, f"traceroute {FAR} max-hops 3 probes 2")
    assert done.returncode == 1, done
    assert done.stdout.splitlines()[2:4] == [" 2  *  *", " 3  *  *"], done.stdout
    assert done.stdout.endswith("the host was not reached\n"), done.stdout
    pair.fw1.ctl("route del 10.77.0.0/24")
    done = koictl(pair.fw2, f"traceroute {FAR} probes 1")
    assert done.returncode == 1, done
    assert re.fullmatch(rf" 1  {FW1_LAN}  \d+\.\d{{3}} ms !N", done.stdout.splitlines()[1]), done
