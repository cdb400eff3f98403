# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""koi as a service: what the manager hears of it, and which capabilities it keeps."""

import ctypes
import glob
import json
import os
import re
import signal
import time

import pytest

import box
import conftest
import lab
import manager

PERIOD_MS = 800
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
#: IPC_LOCK, NET_ADMIN, NET_RAW, SYS_NICE: app/koi/privileges.c says what for.
KEPT = 1 << 14 | 1 << 12 | 1 << 13 | 1 << 23

libc = ctypes.CDLL(None, use_errno=True)


class ServiceBox(box.Box):
    """Started as the manager of services does it, perhaps as another user."""

    before = ()

    def argv(self, *more):
        self.manager = manager.Manager(os.path.join(self.dir, "notify"))
        env = [f"NOTIFY_SOCKET={self.manager.path}", f"WATCHDOG_USEC={PERIOD_MS * 1000}"]
        return ["/usr/bin/env", *env, *self.before, *super().argv(*more)]


@pytest.fixture
def service(make_single, monkeypatch):
    """A box whose groups start as master, not started yet."""
    monkeypatch.setattr(conftest.box, "Box", ServiceBox)
    return make_single(advskew=0, state="master", start=False).box


def threads(pid):
    return [int(os.path.basename(t)) for t in glob.glob(f"/proc/{pid}/task/*")]


def capabilities(pid, name):
    """The set of each thread."""
    sets = set()
    for tid in threads(pid):
        with open(f"/proc/{pid}/task/{tid}/status", encoding="ascii") as f:
            sets |= {int(line.split()[1], 16) for line in f if line.startswith(name)}
    return sets


def control_thread(one):
    """Its lcore's thread, by the name that EAL gives it."""
    lcore = next(c["lcore"] for c in one.ctl_json("show lcores")["lcores"] if c["role"] == "control")
    for tid in threads(one.process.pid):
        with open(f"/proc/{one.process.pid}/task/{tid}/comm", encoding="ascii") as f:
            # rte-worker-1, dpdk-worker1: as DPDK's releases have it
            if re.fullmatch(rf"[a-z]+-worker-?{lcore}", f.read().strip()):
                return tid
    raise AssertionError(f"no thread of lcore {lcore}")


def ptrace(request, tid):
    if libc.ptrace(ctypes.c_long(request), ctypes.c_int(tid), None, None) != 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request}")


@pytest.mark.sanitized
def test_service_tells_its_life(service):
    one = service.start(wait=False)
    first = one.manager.hear(30)
    assert first is not None and first.get("READY") == "1", (first, one.log())
    # ready means that everything answers, at once
    assert "koi" in one.ctl("show version")
    assert "MASTER" in first["STATUS"] and "BACKUP" in first["STATUS"]
    one.wait_master()
    if not first["STATUS"].startswith("1 MASTER"):
        assert one.manager.wait("STATUS").startswith("1 MASTER, 0 BACKUP")
    one.ctl("carp carp0 down")
    assert one.manager.wait("STATUS").startswith("0 MASTER, 0 BACKUP, 1 INIT")
    for _ in range(3):
        assert one.manager.wait("WATCHDOG", PERIOD_MS / 1000) == "1"
    one.process.terminate()
    assert one.manager.wait("STOPPING") == "1"
    assert one.process.wait(10) == 0


def test_service_tells_of_a_reload(service):
    """Many routes take a while: the manager hears of the control lcore all the same."""
    one = service.start()
    one.manager.wait("READY")
    conf = one.read_config()
    conf["routes"] = [
        {"prefix": f"10.{i >> 8 & 255}.{i & 255}.{k * 4}/30", "type": "blackhole"}
        for i in range(5000)
        for k in range(40)
    ]
    with open(one.config_path, "w", encoding="utf-8") as f:
        json.dump(conf, f)
    one.signal(signal.SIGHUP)
    started = int(one.manager.wait("MONOTONIC_USEC")) / 1e6
    assert 0 <= time.monotonic() - started < 10
    seen = []
    while "READY" not in seen:
        message = one.manager.hear(60)
        assert message is not None, (seen, one.log())
        seen += message
    took = time.monotonic() - started
    assert one.ctl_json("show route summary")["routes"] > 200000
    # fed at a quarter of the period; each message is one that the manager waits for
    assert seen.count("WATCHDOG") >= int(took / (PERIOD_MS / 1000 / 4)) // 2, (seen, took)
    # a signal during a reload is one more, and the end does not wait for either
    one.signal(signal.SIGHUP)
    one.manager.wait("RELOADING")
    one.process.terminate()
    assert one.manager.wait("STOPPING") == "1"
    assert one.process.wait(20) == 0


def test_service_watchdog_starves_while_the_control_lcore_stands_still(service):
    one = service.start()
    one.manager.wait("READY")
    one.manager.wait("WATCHDOG", PERIOD_MS / 1000)
    tid = control_thread(one)
    ptrace(PTRACE_SEIZE, tid)
    try:
        ptrace(PTRACE_INTERRUPT, tid)
        os.waitpid(tid, 0x40000000)  # __WALL: it has stopped
        while one.manager.hear(PERIOD_MS / 1000 / 2) is not None:
            pass
        # the manager would end koi now; the process itself lives and answers nobody
        assert one.manager.hear(PERIOD_MS / 1000) is None
        assert one.process.poll() is None
    finally:
        ptrace(PTRACE_DETACH, tid)
    assert one.manager.wait("WATCHDOG", 5) == "1"


@pytest.mark.sanitized
def test_service_keeps_few_capabilities(service):
    one = service.start(wait=False)
    one.manager.wait("READY", 30)
    lab.poll_until(lambda: capabilities(one.process.pid, "CapEff:") == {KEPT}, 2, "capabilities")
    assert capabilities(one.process.pid, "CapPrm:") == {KEPT}
    assert capabilities(one.process.pid, "CapBnd:") == {KEPT}
    # and still does all that it does: filters, links, announcements
    one.wait_master()
    one.ctl("carp carp0 down")
    one.ctl("carp carp0 up")
    one.wait_master()


@pytest.mark.sanitized
def test_service_runs_as_another_user(service):
    """User= with AmbientCapabilities= in the unit, by setpriv."""
    caps = "+net_admin,+net_raw,+ipc_lock,+sys_nice"
    service.before = (
        "/usr/bin/setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        f"--inh-caps=-all,{caps}",
        f"--ambient-caps=-all,{caps}",
        "/usr/bin/env",
        f"XDG_RUNTIME_DIR={service.dir}",
    )
    os.chmod(service.dir, 0o777)
    one = service.start(wait=False)
    assert one.manager.hear(30)["READY"] == "1", one.log()
    with open(f"/proc/{one.process.pid}/status", encoding="ascii") as f:
        uid = next(line for line in f if line.startswith("Uid:"))
    assert uid.split()[1:] == ["65534"] * 4
    one.wait_master()
    assert capabilities(one.process.pid, "CapEff:") == {KEPT}
    assert one.terminate() == 0


def test_service_unit_is_valid(tmp_path):
    """systemd's own check of the unit, with the program that was built."""
    unit = os.path.join(lab.BUILD, "config", "koi.service")
    with open(unit, encoding="utf-8") as f:
        text = f.read()
    assert "\nExecStart=/usr/local/sbin/koi\n" in text
    assert "\nExecReload=/usr/local/bin/koictl reload\n" in text
    text = text.replace("/usr/local/sbin/koi", box.KOI).replace("/usr/local/bin/koictl", box.KOICTL)
    (tmp_path / "koi.service").write_text(text)
    user = os.path.join(lab.ROOT, "config", "koi-user.conf")
    with open(user, encoding="utf-8") as f:
        (tmp_path / "koi.service.d").mkdir()
        (tmp_path / "koi.service.d" / "user.conf").write_text(f.read())
    done = manager.verify(tmp_path)
    # units of the machine may have mistakes of their own
    assert done.returncode == 0 and "koi" not in done.stdout, done.stdout
    (tmp_path / "koi.service").write_text(text.replace("Type=notify", "Type=notfy"))
    assert "notfy" in manager.verify(tmp_path).stdout, "a mistake is not seen"


@pytest.mark.sanitized
def test_service_doctor_asks_the_devices(make_single):
    """A machine on which koi runs, and one whose device is down; a koi in service goes on."""
    single = make_single(advskew=0, state="master")
    one = single.box
    one.wait_master()

    def doctor(*more):
        argv = [box.KOI, "--doctor", "--config", one.config_path, *more]
        return single.host.ns.run(argv, timeout=30, check=False)

    done = doctor()
    assert done.returncode == 0, done.stdout
    for line in (
        r"^ok +netdev +em0: net_af_packet0 is made of em0, which is up$",
        r"^note +vmac +em0: frames to 1 vMAC: 0 filter slots",
        r"^note +queues +em0: .*: at most 1 and 1$",
        r"^warning +frames +em0: known of net_af_packet: ",
        r"^note +hugepages +not used",
    ):
        assert re.search(line, done.stdout, re.MULTILINE), (line, done.stdout)
    found = json.loads(doctor("--json").stdout)
    assert found["worst"] == "warning"
    assert {"level", "topic", "subject", "found", "advice"} == set(found["findings"][0])
    assert all(f["advice"] for f in found["findings"] if f["level"] != "ok"), found
    assert one.state("carp0") == "MASTER"

    single.host.ns.run(["/usr/sbin/ip", "link", "set", "em0", "down"])
    done = doctor()
    assert done.returncode == 2, done.stdout
    assert "ip link set em0 up" in done.stdout
