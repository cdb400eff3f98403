# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""koi on the stock net_af_packet and on that of dpdk-patches: what it gets, and what it says."""

import subprocess
import time

import pytest

import box
import carp
import drivers
import lab
import sniff


@pytest.fixture(autouse=True)
def series():
    drivers.need_series()


BOTH = pytest.mark.parametrize("kind", ["stock", "patched"])
VMAC = {"em0": "00:00:5e:00:01:01", "em1": "00:00:5e:00:01:02"}
CARP_GROUP = "01:00:5e:00:00:12"


def on(kind, conf, args=""):
    """The configuration with that driver, each of its devices with these arguments."""
    eal = conf["eal"][len(drivers.eal(box.DRIVER)) :]
    conf["eal"] = drivers.eal(kind) + [
        a + args if a.startswith("--vdev=net_af_packet") else a for a in eal
    ]
    return conf


class Path:
    """client -- fw1 -- server: one box that is MASTER on both sides."""

    def __init__(self, net, kind, args="", mtu=1500):
        self.net = net
        self.client = net.client()
        self.server = net.server()
        self.host = net.firewall("fw1")
        conf = on(kind, box.config("fw1", state="master"), args)
        if mtu != 1500:
            ports = [f"{h}.{i}" for h, i in (("client", "em0"), ("server", "em0"))]
            ports += ["fw1.em0", "fw1.em1"]
            net.switch.ip(*[f"link set {p} mtu {mtu}" for p in ports + [lab.LAN, lab.WAN]])
            for host in (self.client, self.server):
                host.ns.ip(f"link set em0 mtu {mtu}")
            for iface in conf["interfaces"]:
                iface["mtu"] = mtu
        self.fw1 = box.Box(self.host, conf)

    def start(self):
        self.fw1.start()
        self.fw1.wait_master()
        self.client.wait_ping(lab.SERVER_IP)
        return self

    def answered(self, size, count=5, more=()):
        """How many of count echoes with so many bytes are answered."""
        argv = ["ping", "-n", "-q", "-i", "0.05", "-c", str(count), "-W", "0.5", "-s", str(size)]
        out = self.client.ns.run([*argv, *more, lab.SERVER_IP], check=False).stdout
        return int(out.split(" received")[0].split()[-1])


def show(b, iface="em0"):
    return b.ctl(f"show interface {iface}")


@pytest.mark.sanitized
@BOTH
def test_fragments_pass(net, kind):
    """IPv4 fragments through the box, to the largest ping that the issue asks for."""
    path = Path(net, kind).start()
    assert path.answered(1400) == 5
    for size in (1600, 2900, 4000, 9000):
        got = path.answered(size)
        if kind == "patched":
            assert got == 5, f"{size} bytes: {got} of 5"
        elif size > 1950:
            assert got == 0, f"{size} bytes: {got} of 5 although the kernel reassembles"
    warned = bool(path.fw1.log_lines(r"em0: warning: .*IPv4 fragments"))
    assert warned == (kind == "stock") == ("IPv4 fragments" in show(path.fw1))


@BOTH
def test_fragments_pass_with_more_queues(net, kind):
    """The fragments of a packet go to one queue or to several: they arrive."""
    path = Path(net, kind, ",qpairs=2").start()
    assert path.answered(9000, 10) == (10 if kind == "patched" else 0)


@BOTH
def test_jumbo_frames(net, kind):
    path = Path(net, kind, ",framesz=16384,blocksz=16384,framecnt=128", 9000)
    path.fw1.conf["eal"][path.fw1.conf["eal"].index("-m") + 1] = "256"
    if kind == "stock":
        path.fw1.start(wait=False)
        assert path.fw1.process.wait(20) == 2
        path.fw1.process = None  # it ended as it should
        assert path.fw1.log_lines(r"MTU 9000: driver net_af_packet allows \d+ to 1500$")
        return
    path.start()
    assert path.answered(8972, more=("-M", "do")) == 5


def kernel_filters(host, iface):
    """@return (a vMAC is in the unicast list, CARP's group is joined, promiscuity)"""
    fdb = host.ns.run(["bridge", "fdb", "show", "dev", iface]).stdout
    groups = host.ns.ip_json("maddr", "show", "dev", iface)[0]["maddr"]
    link = host.ns.ip_json("-d", "link", "show", iface)[0]
    return (
        VMAC[iface] in fdb,
        any(m.get("link") == CARP_GROUP for m in groups),
        link["promiscuity"],
    )


@pytest.mark.sanitized
@BOTH
@pytest.mark.parametrize("end", ["terminate", "kill"])
def test_memberships_follow_the_process(net, kind, end):
    path = Path(net, kind).start()
    for iface in VMAC:
        # A veth has no filter: an address in its list makes it promiscuous, once.
        assert kernel_filters(path.host, iface) == (kind == "patched", kind == "patched", 1)
        text = show(path.fw1, iface)
        if kind == "patched":
            assert "vmac filter (1 of 63 slots), multicast list" in text
            assert f"driver file {drivers.patched()[1]}/librte_net_af_packet.so" in text
            assert "warning" not in text
        else:
            assert "vmac promiscuous (" in text and "warning frames:" in text
            assert "warning transmit:" in text and "driver file /usr/lib/" in text
    assert path.fw1.log_lines("em0: device net_af_packet0 \\(net_af_packet of /.*\\.so")
    getattr(path.fw1, end)()
    for iface in VMAC:
        lab.poll_until(
            lambda i=iface: kernel_filters(path.host, i) == (False, False, 0),
            3,
            f"{iface}: the kernel's tables are as before",
        )


@pytest.mark.timing
@BOTH
def test_lost_link_is_seen_in_time(net, kind):
    """From the command that unplugs to the group in INIT: 100 ms at most, five times."""
    path = Path(net, kind)
    path.fw1.conf = box.fast(path.fw1.conf, 0)
    path.start()
    clock = lab.Clock(path.client)
    took = []
    for _ in range(5):
        began = time.monotonic()
        path.host.unplug("em0")
        path.fw1.ctl("show version")
        lab.poll_until(lambda: path.fw1.state("carp0") == "INIT", 2, "INIT", 0.001)
        took.append((time.monotonic() - began) * 1000)
        path.host.plug("em0")
        path.fw1.wait_master()
    text = f"{kind}: {', '.join(f'{ms:.1f}' for ms in took)} ms"
    print(text)
    if max(took) > 100:
        clock.judge()
    assert max(took) <= 100, text


def echoes(net, port, since):
    """Sequence numbers of ICMP echo requests that left by a port of the switch."""
    is_echo = lambda f: f.port == port and f.data[12:14] == b"\x08\x00" and f.data[23] == 1  # noqa: E731
    return [
        int.from_bytes(f.data[40:42], "big")
        for f in net.select(lambda f: is_echo(f) and f.data[34] == 8, since)
    ]


@pytest.mark.sanitized
def test_no_stale_packet_after_the_link_returns(net):
    """A stream into a cable that is pulled: after it is back, nothing of before comes out."""
    path = Path(net, "patched").start()
    wire = sniff.Sniffer(net.switch, sniff.INCOMING)
    net.closing.append(wire.close)
    stream = path.client.ns.popen(
        ["ping", "-n", "-q", "-i", "0.002", lab.SERVER_IP],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    lab.poll_until(lambda: len(echoes(wire, "fw1.em1", 0)) > 50, 5, "the stream flows")
    path.host.unplug("em1")
    path.fw1.wait_state("carp1", "INIT")
    last = lambda port: echoes(wire, port, 0)[-1]  # noqa: E731
    entered = last("client.em0")
    lab.poll_until(lambda: last("client.em0") > entered + 50, 5, "more of the stream")
    mark, before_plug = wire.mark(), last("client.em0")
    path.host.plug("em1")
    path.fw1.wait_master()
    lab.poll_until(lambda: len(echoes(wire, "fw1.em1", mark)) > 20, 5, "the stream flows again")
    after = echoes(wire, "fw1.em1", mark)
    assert min(after) >= before_plug, f"{min(after)} was sent before {before_plug}"
    stream.kill()
    stream.wait()


@pytest.mark.sanitized
def test_pair_on_the_patched_driver(make_pair):
    """Filters instead of promiscuous mode change nothing about who answers."""
    conf1 = on("patched", box.config("fw1", state="master"))
    pair = make_pair(conf1, on("patched", box.config("fw2", advskew=128))).start()
    # The peer's adverts come from a MAC that is in our own filter.
    pair.fw2.wait_counter(
        lambda: pair.fw2.carp_stats("carp0")["ipackets"], 2, what="adverts of the peer"
    )
    raw = pair.net.peer().raw()
    raw.send(carp.build(1, "lanpasswd", [lab.LAN_VIP], "192.0.2.9", advskew=200))
    pair.fw1.kill()
    pair.fw2.wait_master()
    pair.client.wait_ping(lab.SERVER_IP)
    assert pair.client.arp(lab.LAN_VIP) == carp.vmac(1)
