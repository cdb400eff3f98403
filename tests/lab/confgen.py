# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Random valid configurations that a running box can load: groups, routes and switches.

What needs a restart, and the groups that are there already, stay as they are in the first
configuration. Names, numbers and addresses come from small sets, so that what one configuration
gives to one group the next gives to another. The same seed makes the same configurations.
"""

import copy
import ipaddress
import random

NAMES = [f"g{i}" for i in range(10)]
VHIDS = range(101, 113)
PASSES = ["", "sharedsecret", "nineteen characters", "x", "naïve"]
#: By interface: a host for adverts, next hops, and subnets that only groups have.
PEER = {"em0": "192.0.2.3", "em1": "198.51.100.3"}
PEER6 = {"em0": "2001:db8:1::3", "em1": "2001:db8:2::3"}
NET = {"em0": "192.0.2", "em1": "198.51.100"}
NET6 = {"em0": "2001:db8:1::", "em1": "2001:db8:2::"}
OWN = {"em0": 0, "em1": 128}
OWN6 = {"em0": "2001:db8:a1::", "em1": "2001:db8:a2::"}
#: Keys of a group that may be left out, and what they are then.
GROUP_DEFAULTS = {
    "fast": False,
    "advskew": 0,
    "pass": "",
    "state": "backup",
    "peer": None,
    "peer6": None,
    "strict": False,
    "family-timers": "all",
    "hmac": "auto",
    "cksum6": "plain",
    "advert-source": "vmac",
}
CARP_DEFAULTS = {
    "preempt": False,
    "log": 1,
    "arpbalance": False,
    "arpbalance-order": "vhid",
    "startup-hold-ms": 0,
    "preempt-delay-ms": 0,
    "announce-refresh-s": 0,
    "window-s": 300,
    "dscp": 4,
}
IF_DEFAULTS = {
    "track": False,
    "linkup-hold-ms": 0,
    "rp-filter": "off",
    "source-mac": "interface",
    "neighbors": [],
    "ra": None,
}
#: Router advertisements that make no host of the lab use another router or address.
ADVERTISED = ({"lifetime-s": 0, "prefixes": []}, {"lifetime-s": 0, "prefixes": [], "managed": True})


def is_ip4(address):
    return ":" not in address


def carpdev(group):
    """@return the interface of a group, given or found by the subnet of its first address"""
    if "carpdev" in group:
        return group["carpdev"]
    first = group["addresses"][0]
    return next(dev for dev in NET if first.startswith((NET[dev] + ".", NET6[dev])))


def whole_group(group):
    """@return the group with what it leaves out"""
    whole = {**GROUP_DEFAULTS, **group, "carpdev": carpdev(group)}
    whole.setdefault("advbase", 0 if whole["fast"] else 1)
    return whole


def fits(group, others, arpbalance):
    """Whether a group can be beside others."""
    dev, mine = carpdev(group), set(group["addresses"])
    for other in others:
        same_dev = carpdev(other) == dev
        if other["name"] == group["name"] or (same_dev and other["vhid"] == group["vhid"]):
            return False
        for address in mine & set(other["addresses"]):
            # link-local ones are told apart by interface
            if address.startswith("fe80:") and not same_dev:
                continue
            if not (arpbalance and same_dev and is_ip4(address)):
                return False
    return True


class Generator:
    """Configurations around a first one, whose groups and interfaces are in all of them."""

    def __init__(self, base, seed):
        self.base = base
        self.kept = [g["name"] for g in base["carp"]["groups"]]
        self.random = random.Random(seed)

    def chance(self, p):
        return self.random.random() < p

    # -- groups -------------------------------------------------------------------------------

    def address(self, dev):
        pick = self.random.randrange
        kind = pick(8)
        if kind < 3:
            n = pick(16, 32)
            return f"{NET[dev]}.{n}/{32 if n % 5 == 0 else 24}"
        if kind == 3:
            return f"203.0.113.{OWN[dev] + pick(1, 15)}/28"
        if kind < 6:
            n = pick(16, 32)
            return f"{NET6[dev]}1{n}/{128 if n % 5 == 0 else 64}"
        if kind == 6:
            return f"{OWN6[dev]}{pick(1, 10)}/64"
        return f"fe80::a{pick(10)}/64"

    def set_addresses(self, g, dev):
        g["carpdev"] = dev
        g["addresses"] = sorted({self.address(dev) for _ in range(self.random.randint(1, 4))})
        found = g["addresses"][0].startswith((NET[dev] + ".", NET6[dev]))
        if found and not any(a.startswith("fe80:") for a in g["addresses"]) and self.chance(0.5):
            del g["carpdev"]

    def set_timers(self, g):
        for key in ("fast", "advbase", "advskew"):
            g.pop(key, None)
        if self.chance(0.25):
            g.update({"fast": True, "advskew": self.random.randint(8, 254)})
        else:
            if self.chance(0.5):
                g["advbase"] = self.random.randint(1, 3)
            if self.chance(0.7):
                g["advskew"] = self.random.randint(0, 254)

    def set_word(self, g):
        """One of the keys that a group may have beside."""
        key, values = self.random.choice(
            [
                ("pass", PASSES),
                ("strict", (True, False)),
                ("family-timers", ("all", "any")),
                ("hmac", ("auto", "orig", "nov6ll")),
                ("cksum6", ("plain", "pseudo")),
                ("advert-source", ("vmac", "interface")),
                ("state", ("backup", "init", "master", "master", "master")),
            ]
        )
        g[key] = self.random.choice(values)

    def set_peers(self, g):
        for key, peers, ip4 in (("peer", PEER, True), ("peer6", PEER6, False)):
            g.pop(key, None)
            if any(is_ip4(a) == ip4 for a in g["addresses"]) and self.chance(0.25):
                g[key] = peers[carpdev(g)]

    def group(self):
        g = {
            "name": self.random.choice(NAMES),
            "vhid": self.random.choice(VHIDS),
            "pass": self.random.choice(PASSES),
        }
        if self.chance(0.6):
            g["state"] = "master"
        self.set_addresses(g, self.random.choice(list(NET)))
        self.set_timers(g)
        for _ in range(self.random.randrange(4)):
            self.set_word(g)
        self.set_peers(g)
        return g

    def changed_group(self, group):
        g = copy.deepcopy(group)
        for _ in range(self.random.randint(1, 3)):
            kind = self.random.randrange(8)
            if kind == 0:
                g["name"] = self.random.choice(NAMES)
            elif kind == 1:
                g["vhid"] = self.random.choice(VHIDS)
            elif kind == 2:
                self.set_addresses(g, self.random.choice(list(NET)))
            elif kind == 3:
                self.set_addresses(g, carpdev(g))
            elif kind == 4:
                self.set_timers(g)
            else:
                self.set_word(g)
        self.set_peers(g)
        return g

    # -- routes -------------------------------------------------------------------------------

    def hop(self, ip4):
        dev = self.random.choice(list(NET))
        n = self.random.randint(200, 205)
        return f"{NET[dev]}.{n}" if ip4 else f"{NET6[dev]}{n}"

    def route(self):
        n, ip4 = self.random.randrange(24), self.chance(0.5)
        if n == 0:
            prefix = "0.0.0.0/0" if ip4 else "::/0"
        elif n < 4:
            prefix = f"100.{64 + n}.0.0/16" if ip4 else f"2001:db8:f{n}00::/40"
        else:
            prefix = f"100.65.{n}.0/24" if ip4 else f"2001:db8:f1{n:02}::/48"
        if self.chance(0.3):
            return {
                "prefix": prefix,
                "type": self.random.choice(["blackhole", "unreachable", "prohibit"]),
            }
        if not ip4 and self.chance(0.3):
            dev = self.random.choice(list(NET))
            return {"prefix": prefix, "via": f"fe80::{n + 1}", "interface": dev}
        hops = sorted({self.hop(ip4) for _ in range(self.random.randint(1, 3))})
        return {"prefix": prefix, "via": hops if len(hops) > 1 or self.chance(0.2) else hops[0]}

    def routes(self, old):
        out = {r["prefix"]: r for r in old if self.chance(0.7)}
        for _ in range(self.random.randrange(16)):
            r = self.route()
            out[r["prefix"]] = r
        return self.random.sample(list(out.values()), len(out))

    # -- all of it ----------------------------------------------------------------------------

    def set_switches(self, conf):
        carp = conf["carp"]
        for key, values in (
            ("preempt", (True, False)),
            ("log", (0, 1, 2)),
            ("arpbalance", (True, False)),
            ("arpbalance-order", ("vhid", "netbsd")),
            ("startup-hold-ms", (0, 500, 5000)),
            ("preempt-delay-ms", (0, 250)),
            ("announce-refresh-s", (0, 1, 60)),
            ("window-s", (10, 300, 86400)),
            ("dscp", (0, 4, 48)),
        ):
            if self.chance(0.3):
                carp[key] = self.random.choice(values)
        for iface in conf["interfaces"]:
            for key, values in (
                ("track", (True, False)),
                ("linkup-hold-ms", (0, 100, 3000)),
                ("rp-filter", ("off", "loose", "strict")),
                ("source-mac", ("interface", "vmac")),
                ("ra", (None, *ADVERTISED)),
            ):
                if self.chance(0.3):
                    iface[key] = self.random.choice(values)
                    if iface[key] is None:
                        del iface[key]
        for iface, base in zip(conf["interfaces"], self.base["interfaces"]):
            if self.chance(0.3):
                iface["addresses"] = base["addresses"] + self.own_addresses(iface["name"])
            if self.chance(0.3):
                iface["neighbors"] = self.neighbors(iface["name"])

    def own_addresses(self, dev):
        """Beside those that are in all configurations, which others know the box by."""
        pick = self.random.randrange
        own = {f"{NET[dev]}.{pick(40, 50)}/24", f"{NET6[dev]}4{pick(10)}/64", f"198.18.{OWN[dev]}.1/24"}
        return self.random.sample(sorted(own), pick(len(own) + 1))

    def neighbors(self, dev):
        pick = self.random.randrange
        hosts = sorted({f"{NET[dev]}.{pick(220, 226)}" for _ in range(pick(4))})
        return [{"address": h, "mac": f"02:00:5e:10:00:0{pick(3)}"} for h in hosts]

    def after(self, conf=None):
        """@return a configuration that shares much with another one; a new one without it"""
        old = conf or self.base
        conf = copy.deepcopy(old)
        self.set_switches(conf)
        groups = [g for g in conf["carp"]["groups"] if g["name"] in self.kept]
        want = []
        for g in old["carp"]["groups"]:
            if g["name"] in self.kept or self.chance(0.2):
                continue
            want.append(copy.deepcopy(g) if self.chance(0.5) else self.changed_group(g))
        want += [self.group() for _ in range(self.random.randrange(5 if want else 10))]
        for g in want:
            if fits(g, groups, conf["carp"].get("arpbalance", False)):
                groups.append(g)
        conf["carp"]["groups"] = self.random.sample(groups, len(groups))
        conf["routes"] = self.routes(conf.get("routes", []))
        return conf


# -- what koi must say ------------------------------------------------------------------------

NEED = {
    "the same on all boxes": {"pass", "addresses", "strict", "hmac", "arpbalance-order"},
    "leaves and comes back": {"vhid", "carpdev"},
}


def need(keys):
    for text in ("leaves and comes back", "the same on all boxes"):
        if keys & NEED[text]:
            return text
    return ""


def by_name(things):
    return {t["name"]: t for t in things}


def differing(a, b):
    return {k for k in a.keys() | b.keys() if a.get(k) != b.get(k)}


def plan(old, new):
    """@return what the plan from one configuration to another says, by object:
    (action, keys, need)"""
    out = {}

    def note(name, keys):
        if keys:
            # addresses of an interface are its own affair
            asked = "" if name.startswith("interface ") else need(keys)
            out[name] = ("changed", frozenset(keys), asked)

    def carp_of(conf):
        return {**CARP_DEFAULTS, **{k: v for k, v in conf["carp"].items() if k != "groups"}}

    note("carp", differing(carp_of(old), carp_of(new)))
    for a, b in zip(old["interfaces"], new["interfaces"]):
        note(f"interface {a['name']}", differing({**IF_DEFAULTS, **a}, {**IF_DEFAULTS, **b}))
    was, will = by_name(old["carp"]["groups"]), by_name(new["carp"]["groups"])
    for name in was.keys() | will.keys():
        if name not in will:
            out[f"group {name}"] = ("removed", frozenset(), "")
        elif name not in was:
            out[f"group {name}"] = ("added", frozenset(), "")
        else:
            note(f"group {name}", differing(whole_group(was[name]), whole_group(will[name])))
    return out


def plain_address(text):
    return str(ipaddress.ip_interface(text))


def plain_route(r):
    via = r.get("via", [])
    hops = frozenset(str(ipaddress.ip_address(v)) for v in ([via] if isinstance(via, str) else via))
    return str(ipaddress.ip_network(r["prefix"])), r.get("type", "via"), hops, r.get("interface")


def interface_effect(iface):
    """Of router advertisements only what a configuration says: the rest are defaults."""
    out = {k: iface[k] for k in (*IF_DEFAULTS, "addresses")}
    if out["ra"] is not None:
        out["ra"] = {k: out["ra"].get(k, False) for k in ("lifetime-s", "prefixes", "managed")}
    out["addresses"] = [plain_address(a) for a in out["addresses"]]
    return out


def effect(conf):
    """@return what "show config" must have, in a form that compares; secrets left out"""
    groups = {}
    for name, g in by_name(map(whole_group, conf["carp"]["groups"])).items():
        g.pop("pass")
        g["addresses"] = [plain_address(a) for a in g["addresses"]]
        groups[name] = g
    return {
        "carp": {k: {**CARP_DEFAULTS, **conf["carp"]}[k] for k in CARP_DEFAULTS},
        "interfaces": {i["name"]: interface_effect({**IF_DEFAULTS, **i}) for i in conf["interfaces"]},
        "groups": groups,
        "routes": sorted(map(plain_route, conf.get("routes", [])), key=lambda r: r[0]),
    }
