# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Fixtures of the tests that run on the lab.

    /usr/bin/python3 -m pytest tests/lab            the build in ./build
    KOI_BUILD=build-asan ... -m sanitized           another one
"""

import json
import os
import shutil
import time

import pytest
from _pytest.runner import runtestprotocol

import box
import carp
import lab
import netns
import peers
import sniff

#: After this time no test is tried again: a machine that is always busy must not take for ever.
RETRY_BUDGET_S = 150
STARTED = time.monotonic()

LOGS = os.path.join(lab.BUILD, "lab-logs")


@pytest.fixture(scope="session", autouse=True)
def private_namespaces():
    """Everything the tests make lives and dies with this process."""
    try:
        netns.enter_private()
    except netns.LabError as err:
        pytest.exit(str(err), returncode=1)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    setattr(item, "report_" + report.when, report)


@pytest.hookimpl(hookwrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """A wall-clock figure on a machine that was too busy is skipped with its reason."""
    outcome = yield
    if outcome.excinfo is not None and issubclass(outcome.excinfo[0], lab.TooBusy):
        try:
            pytest.skip(str(outcome.excinfo[1]))
        except pytest.skip.Exception as skip:
            outcome._excinfo = (type(skip), skip, skip.__traceback__)


def pytest_runtest_protocol(item, nextitem):
    """A test that found the machine too busy is tried again before it counts as skipped."""
    if item.get_closest_marker("timing") is None:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for attempt in (1, 2, 3):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        busy = any(r.skipped and lab.TooBusy.TEXT in str(r.longrepr) for r in reports)
        if not busy or attempt == 3 or time.monotonic() - STARTED > RETRY_BUDGET_S:
            break
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def counters(one):
    """What a running box counted, or why that cannot be had."""
    try:
        links = one.host.ns.ip_json("-s", "link")
        return json.dumps({"drops": one.drops(), "carp": one.carp_stats(), "links": links}, indent=1)
    except (OSError, ValueError, AssertionError, netns.LabError) as err:
        return f"{type(err).__name__}: {err}"


def keep_evidence(request, net, counted):
    """Logs, frames and counters of a failed test, for its report."""
    name = request.node.name.replace("/", "_").replace(" ", "_")
    folder = os.path.join(LOGS, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder, exist_ok=True)
    net.sniffer.write_pcap(os.path.join(folder, "switch.pcap"))
    print(f"\nframes and logs are in {folder}")
    for n, daemon in enumerate(net.boxes):
        text = daemon.log()
        label = f"{daemon.host.name}.{n}.{type(daemon).__name__.lower()}"
        with open(os.path.join(folder, label + ".log"), "w", encoding="utf-8") as f:
            f.write(text)
        if daemon in counted:
            with open(os.path.join(folder, label + ".counters"), "w", encoding="utf-8") as f:
                f.write(counted[daemon])
        print(f"--- log of {label}, last 60 lines")
        print("\n".join(text.splitlines()[-60:]))


@pytest.fixture
def net(request):
    """Switches only; the test adds what it needs. Ends with a look at what the boxes left."""
    with lab.Lab() as it:
        yield it
        failed = any(
            getattr(request.node, "report_" + when, None) is not None
            and getattr(request.node, "report_" + when).failed
            for when in ("setup", "call")
        )
        reports, counted = [], {}
        for daemon in list(it.boxes):
            if isinstance(daemon, box.Box) and daemon.process is not None:
                if daemon.process.poll() is None:
                    if failed:
                        counted[daemon] = counters(daemon)
                    # An orderly end, so that leaks show in a sanitized build.
                    code = daemon.terminate()
                    if code != 0:
                        reports.append(f"{daemon.name}: exit {code} on SIGTERM")
                elif not daemon.killed and daemon.process.returncode not in (0, 1):
                    reports.append(f"{daemon.name}: ended with {daemon.process.returncode}")
                found = daemon.sanitizer_report()
                if found:
                    reports.append(f"{daemon.name}: {found}")
        if failed or reports:
            keep_evidence(request, it, counted)
        assert not reports, "\n".join(reports)


class Pair:
    """The whole picture: fw1 and fw2, a client and a server."""

    def __init__(self, net, conf1, conf2):
        self.net = net
        self.client = net.client()
        self.server = net.server()
        self.fw1 = box.Box(net.firewall("fw1"), conf1)
        self.fw2 = box.Box(net.firewall("fw2"), conf2)
        self.boxes = (self.fw1, self.fw2)

    def start(self, settle=True):
        self.fw1.start(wait=False)
        self.fw2.start(wait=False)
        for b in self.boxes:
            b.wait_ready()
        if settle:
            self.fw1.wait_master()
            self.fw2.wait_backup()
            self.client.wait_ping(lab.SERVER_IP)
        return self


@pytest.fixture
def make_pair(net):
    def make(conf1=None, conf2=None):
        return Pair(
            net, conf1 or box.config("fw1"), conf2 or box.config("fw2", advskew=128)
        )

    return make


@pytest.fixture
def pair(make_pair):
    """fw1 is MASTER (it claims at its start), fw2 is BACKUP, the client reaches the server."""
    it = make_pair(box.config("fw1", state="master")).start()
    # Only this once: a later start is an ordinary one.
    for group in it.fw1.conf["carp"]["groups"]:
        del group["state"]
    return it


class Single:
    """One box on the LAN and a hand-made peer beside it."""

    VIP = lab.LAN_VIP
    PEER = "192.0.2.9"
    PASS = "lanpasswd"

    def __init__(self, net, conf):
        self.net = net
        self.host = net.firewall("fw1", wan=len(conf["interfaces"]) > 1)
        self.box = box.Box(self.host, conf)
        self.peer = net.peer()
        self.raw = self.peer.raw()
        self.port = "fw1.em0"

    def advert(self, **kw):
        """A frame of the peer; like the box's own group unless told otherwise."""
        args = {"vhid": 1, "password": self.PASS, "vips": [self.VIP], "src": self.PEER}
        args.update(kw)
        return carp.build(**args)

    def send(self, **kw):
        self.raw.send(self.advert(**kw))

    def sender(self, interval=1.0, **kw):
        """A peer that is master: adverts from now on, each with a new counter."""
        return carp.Sender(self.raw.send, lambda: self.advert(**kw), interval)

    def adverts(self, since=0, **kw):
        return self.net.sniffer.select(sniff.advert_from(self.port, **kw), since)

    def wait_advert(self, since=None, timeout=5.0, **kw):
        return self.net.sniffer.wait(
            sniff.advert_from(self.port, **kw), since, timeout, f"advert of {self.port}"
        )

    def become_master(self):
        """A box that started with state master: wait for it."""
        self.box.wait_state("carp0", "MASTER")
        self.wait_advert(since=0)
        return self

    def settle(self, seconds=0.3):
        """Let frames that must not come have their chance to come: a figure of the test."""
        time.sleep(seconds)


@pytest.fixture
def make_single(net):
    """A box with skew 100, preempt off, one group, as chapter 10 of the protocol notes has it."""

    def make(advskew=100, preempt=False, two=False, start=True, **kw):
        conf = box.config("fw1", advskew=advskew, preempt=preempt, two=two, **kw)
        single = Single(net, conf)
        if start:
            single.box.start()
        return single

    return make


@pytest.fixture
def ucarp():
    """The class; absent, the test fails with what to do."""
    peers.find("ucarp")
    return peers.Ucarp
