# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""DPDK's net_bonding: a group on two members, one of which goes; LACP between two boxes.

On the patched net_af_packet: the stock one always says that it has a link.
"""

import box
import drivers
import lab
import netns
import sniff

MEMBERS = ("em0", "em1")


def config(node, mode, advskew=0, state=None):
    conf = box.config(node, two=False, advskew=advskew, state=state)
    conf["interfaces"][0]["device"] = "net_bonding0"
    names = [f"net_af_packet{i}" for i in range(len(MEMBERS))]
    conf["eal"] = drivers.eal("patched") + box.EAL
    conf["eal"] += [f"--vdev={n},iface={m}" for n, m in zip(names, MEMBERS)]
    conf["eal"].append(f"--vdev=net_bonding0,mode={mode}," + ",".join(f"slave={n}" for n in names))
    return conf


def wait_advert(net, port, since):
    net.sniffer.wait(sniff.advert_from(port), since, 4.0, f"advert of {port}")


def test_bond_active_backup(net):
    """A member that goes takes neither the group's state nor its traffic with it."""
    drivers.need_series()
    host = net.host("fw1")
    for member in MEMBERS:
        host.attach(member, lab.LAN)
    fw1 = box.Box(host, config("fw1", 1, state="master")).start()
    client = net.client()
    fw1.wait_state("carp0", "MASTER")
    client.wait_ping(lab.LAN_VIP)
    mac = bytes.fromhex(fw1.ctl_json("show interface em0")["mac"].replace(":", ""))
    assert mac == host.macs["em0"]
    for gone, other in (("em0", "em1"), ("em1", "em0")):
        host.unplug(gone)
        wait_advert(net, f"fw1.{other}", net.sniffer.mark())
        client.wait_ping(lab.LAN_VIP)
        assert fw1.state("carp0") == "MASTER"
        assert fw1.ctl_json("show interface em0")["link_up"]
        host.plug(gone)
        client.wait_ping(lab.LAN_VIP)
    assert len(fw1.log_lines("MASTER -> ")) == 0
    # Without any member it is a link that is down.
    for member in MEMBERS:
        host.unplug(member)
    fw1.wait_state("carp0", "INIT")
    for member in MEMBERS:
        host.plug(member)
    fw1.wait_state("carp0", "MASTER")
    client.wait_ping(lab.LAN_VIP)


def test_bond_lacp_between_two_boxes(net):
    """The backup sends nothing of its own, and takes part in LACP all the same."""
    drivers.need_series()
    hosts = [net.host("fw1"), net.host("fw2")]
    for member in MEMBERS:
        netns.run(["ip", "link", "add", member, "netns", "fw1", "type", "veth",
                   "peer", "name", member, "netns", "fw2"])
        for host in hosts:
            host.ns.sysctl(**{f"ipv6__conf__{member}__disable_ipv6": 1})
            host.ns.plain_frames(member)
            host.ns.ip(f"link set {member} up")
            host.macs[member] = host.ns.mac(member)
    fw1 = box.Box(hosts[0], config("fw1", 4))
    fw2 = box.Box(hosts[1], config("fw2", 4, advskew=128))
    for fw in (fw1, fw2):
        fw.start(wait=False)
    for fw in (fw1, fw2):
        fw.wait_ready()

    def heard():
        return fw2.carp_stats("carp0")["ipackets"]

    fw1.wait_state("carp0", "MASTER", timeout=20)
    fw2.wait_counter(heard, 2, timeout=20, what="adverts")
    assert fw2.state("carp0") == "BACKUP"
    hosts[0].ns.ip("link set em0 down")
    fw2.wait_counter(heard, heard() + 2, timeout=20, what="adverts by the other member")
    assert (fw1.state("carp0"), fw2.state("carp0")) == ("MASTER", "BACKUP")
