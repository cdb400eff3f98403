# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The ways to look at a box and to command it: koictl, the CLI socket, telemetry, --check."""

import grp
import json
import os
import re
import socket
import stat
import subprocess

import pytest

import box
import lab
import netns

INFO_KEYS = set(
    "name carpdev vhid state advbase advskew demotion vmac addresses master_ip last_cause "
    "transitions state_since_ms".split()
)


@pytest.fixture
def two_groups(make_single):
    return make_single(advskew=0, preempt=True, two=True, state="master")


@pytest.mark.sanitized
def test_manage_telemetry_commands_answer_json(two_groups):
    one = two_groups.box
    one.wait_master()
    ours = {c for c in one.telemetry("/") if c.startswith(("/koi", "/carp", "/fwd", "/interface"))}
    ours |= {c for c in one.telemetry("/") if c.startswith(("/neighbor", "/route"))}
    wanted = "/koi/info /koi/drops /carp/list /carp/info /carp/stats /carp/events /fwd/stats"
    wanted += " /interface/list /interface/info /neighbor/list /route/list"
    assert set(wanted.split()) <= ours
    parameter = {"/carp/info": "carp0", "/carp/peers": "carp0", "/carp/explain": "carp0"}
    parameter.update({"/interface/info": "em0", "/neighbor/list": "em0"})
    for command in sorted(ours):
        request = command + ("," + parameter[command] if command in parameter else "")
        assert one.telemetry(request) is not None, request
    info = one.telemetry("/carp/info,carp0")
    assert INFO_KEYS <= set(info)
    assert info["state"] == "MASTER" and info["vmac"] == "00:00:5e:00:01:01"
    assert one.telemetry("/carp/stats,carp0")["opackets"] > 0
    # What does not exist is refused, and the box lives.
    for request in ("/carp/info,nope", "/carp/info", "/interface/info,nope", "/carp/stats,nope"):
        reply = one.telemetry(request)
        assert reply is None or list(reply) == ["error"], (request, reply)
    assert one.state("carp0") == "MASTER"


@pytest.mark.sanitized
def test_manage_koictl_exit_codes(two_groups):
    one = two_groups.box
    one.wait_master()
    assert one.koictl("show", "carp", "all").returncode == 0
    assert "carp: MASTER carpdev em0 vhid 1" in one.koictl("show carp all").stdout
    assert one.koictl("show carp nope").returncode == 2
    assert one.koictl("frobnicate").returncode == 2
    assert one.koictl("carp carp0 down").returncode == 0
    assert one.koictl("carp carp0 state master").returncode == 1
    assert one.koictl("carp carp0 up").returncode == 0
    gone = subprocess.run(
        [box.KOICTL, "--socket", one.dir + "/nobody.sock", "show", "version"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=10,
        check=False,
    )
    assert gone.returncode == 3
    done = one.koictl("show carp carp0", args=["--json"])
    assert done.returncode == 0
    assert json.loads(done.stdout)


def test_manage_every_show_command_has_text_and_json(two_groups):
    one = two_groups.box
    one.wait_master()
    commands = [
        "show carp all",
        "show carp carp0",
        "show carp stats",
        "show carp stats carp1",
        "show carp peers carp0",
        "show carp events",
        "show carp events carp0",
        "show carp demotion",
        "explain carp carp0",
        "explain carp carp1",
        "show interface all",
        "show interface em0",
        "show port stats all",
        "show route",
        "show neighbor",
        "show forwarding",
        "show lcores",
        "show config",
        "show config diff",
        "show version",
        "help",
    ]
    for command in commands:
        status, text = one.request(command)
        assert status == 0 and isinstance(text, str) and text.strip(), command
        if command != "help":
            status, value = one.request(command, as_json=True)
            assert status == 0 and isinstance(value, (dict, list)), command
    assert "lanpasswd" not in one.ctl("show config")


def test_manage_explain_and_events_tell_what_was_commanded(two_groups):
    """One command, and where an operator finds it again: explain, events, telemetry, log."""
    one = two_groups.box
    one.wait_master()
    assert one.koictl("carp carp0 state backup").returncode == 0
    one.wait_state("carp0", "BACKUP")
    text = one.ctl("explain carp carp0")
    assert "carp0 (em0 vhid 1) has been BACKUP for" in text
    assert "Cause: forced by operator" in text
    assert "The command was: state backup." in text
    assert "carp carp0 state master" in text, "no way out is named"
    # the same by telemetry: as lines, and as fields
    explained = one.telemetry("/carp/explain,carp0")
    assert explained["state"] == "BACKUP"
    assert any("The command was: state backup." in line for line in explained["lines"])
    status, value = one.request("explain carp carp0", as_json=True)
    assert status == 0 and value["decision"]["command"] == "state backup"
    assert value["decision"]["from"] == "MASTER" and value["refusals"] == []
    # events, of the group only and of the box
    word = "em0 vhid 1: MASTER -> BACKUP (forced by operator) by command: state backup"
    for command in ("show carp events carp0", "show carp events"):
        assert word in one.ctl(command), command
    events = one.telemetry("/carp/events,carp0")["events"].values()
    assert any(word in e["text"] for e in events), events
    assert "vhid 2" not in one.ctl("show carp events carp0")
    logged = "MASTER -> BACKUP .forced by operator. by command: state backup"
    lab.poll_until(lambda: one.log_lines(logged), 5, "the line in the log")
    # taken down: INIT, what is in the way, and what to do about it
    assert one.koictl("carp carp0 down").returncode == 0
    text = one.ctl("explain carp carp0")
    assert "has been INIT" in text and "To do: carp carp0 up." in text
    # the other group goes on, and says until when
    text = one.ctl("explain carp carp1")
    assert "has been MASTER" in text and "It stays MASTER until one of these:" in text
    assert "In the way: it is administratively down." in "\n".join(
        one.telemetry("/carp/explain,carp0")["lines"]
    )


def test_manage_set_at_run_time_is_shown_as_commands(two_groups):
    one = two_groups.box
    one.wait_master()
    assert one.ctl("show config diff").strip() == "as in the file"
    key = "hex:" + "00ff" * 10
    for command in (
        "set carp carp0 advskew 7",
        "set carp preempt 0",
        "set carp carp1 pass-file " + key,
        "clear carp sources carp0",
    ):
        assert one.koictl(command).returncode == 0, command
    assert one.ctl("show config diff").splitlines() == [
        "set carp preempt 0",
        "set carp carp0 advskew 7",
        "set carp carp1 pass-file ********",
    ]
    shown = one.ctl_json("show config")
    assert shown["carp"]["preempt"] is False
    assert shown["carp"]["groups"][0]["advskew"] == 7
    lab.poll_until(lambda: one.log_lines("operator: clear sources"), 5, "the line in the log")
    assert "00ff" not in one.log() + one.ctl("show config")


def test_manage_save_outlives_a_restart(two_groups):
    """What commands set is in the file after "save", and in use after a restart."""
    one = two_groups.box
    one.wait_master()
    for command in (
        "set carp carp0 advskew 7",
        "set carp preempt 0",
        "set carp log 1",
        "route add 203.0.113.0/24 via 198.51.100.9",
        "neighbor em0 add 192.0.2.77 02:00:5e:10:00:4d",
    ):
        assert one.koictl(command).returncode == 0, command
    before = one.ctl_json("show carp carp0")["transitions"]
    assert "5 changes" in one.ctl("save")
    assert one.ctl("show config diff").strip() == "as in the file"
    assert "0 changes" in one.ctl("save")
    assert one.ctl_json("show carp carp0")["transitions"] == before
    saved = one.read_config()
    for was, now in zip(one.conf["carp"]["groups"], saved["carp"]["groups"]):
        assert was["pass"] == now["pass"] and list(was)[0] == list(now)[0]
    # start() writes what it was made with
    one.conf = saved
    assert one.terminate() == 0
    one.start()
    shown = one.ctl_json("show config")
    assert shown["carp"]["preempt"] is False and shown["carp"]["log"] == 1
    assert shown["carp"]["groups"][0]["advskew"] == 7
    assert any(r["prefix"] == "203.0.113.0/24" for r in shown["routes"])
    neighbors = one.ctl_json("show neighbor interface em0")["neighbors"]
    assert any(n["address"] == "192.0.2.77" and n["static"] for n in neighbors)


def test_manage_cli_session_without_framing(two_groups):
    """Anything but { as the first byte is a session with a prompt."""
    one = two_groups.box
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(5)
        s.connect(one.socket_path)
        s.sendall(b"show version\nquit\n")
        text = b""
        while True:
            data = s.recv(4096)
            if not data:
                break
            text += data
    assert b"koi" in text


def test_manage_stale_socket_is_replaced_and_a_live_one_refused(make_single):
    single = make_single()
    one = single.box
    twin = subprocess.run(
        one.argv(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=30,
        check=False,
        text=True,
    )
    assert twin.returncode != 0, twin.stdout
    assert one.ctl("show version")
    one.kill()
    assert os.path.exists(one.socket_path)
    one.start()
    assert one.ctl("show version")


def run_koi(*argv, **kw):
    return subprocess.run(
        [box.KOI, *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=20,
        check=False,
        **kw,
    )


def test_manage_check_of_a_file(tmp_path):
    """Needs no root, device or hugepage; names file, line, column and pointer."""
    good = tmp_path / "good.json"
    good.write_text(json.dumps(box.config("fw1"), indent=2))
    assert run_koi("--config", str(good), "--check").returncode == 0
    conf = box.config("fw1")
    conf["carp"]["groups"][0]["vhid"] = 256
    conf["carp"]["groups"][1]["advskw"] = 3
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(conf, indent=2))
    done = run_koi("--config", str(bad), "--check")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    where = next(n for n, t in enumerate(bad.read_text().splitlines(), 1) if "256" in t)
    assert any(f"bad.json:{where}:" in t and "/carp/groups/0/vhid" in t for t in lines), lines
    assert any("/carp/groups/1/advskw" in t and "advskew" in t for t in lines), lines
    done = run_koi("--config", str(bad), "--check", "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["valid"] is False
    # Started with it, koi ends the same way before it touches a device.
    assert run_koi("--config", str(bad)).returncode == 1


def test_manage_missing_device_is_exit_2(net):
    conf = box.config("fw1", two=False)
    conf["eal"] = [a.replace("em0", "nosuch0") for a in conf["eal"]]
    one = box.Box(net.host("fw1"), conf)
    one.start(wait=False)
    assert one.process.wait(20) == 2, one.log()
    one.process = None


def test_manage_why_eal_does_not_start(net):
    """EAL names the step that failed, and koi what to do about it."""
    conf = box.config("fw1", two=False)
    conf["eal"].remove("--no-shconf")
    one = box.Box(net.firewall("fw1"), conf).start()
    twin = one.host.ns.popen(
        one.argv(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said = twin.communicate(timeout=20)[0].decode()
    assert twin.returncode == 2, said
    assert 'could not be initialised: another process runs as node "fw1"' in said
    assert one.ctl("show version")

    with open("/proc/meminfo", encoding="ascii") as f:
        if "HugePages_Total:       0\n" not in f.read():
            pytest.skip("this machine has hugepages")
    conf = box.config("fw2", two=False)
    conf["eal"] = ["--no-pci"]
    two = box.Box(net.host("fw2"), conf)
    two.start(wait=False)
    assert two.process.wait(20) == 2, two.log()
    assert "there are no hugepages: reserve some" in two.log()
    assert '"--no-huge", "-m", "128"' in two.log()
    two.process = None


def test_manage_exit_codes_of_the_command_line():
    assert re.match(r"koi \S+, DPDK \d", run_koi("--version").stdout)
    assert run_koi("--version").returncode == 0
    assert run_koi("--help").returncode == 0
    assert run_koi("--no-such-option").returncode == 1
    assert run_koi("--config", "/nonexistent.json").returncode == 1


class Watcher:
    """koictl watch, with its lines as they come."""

    def __init__(self, one, *words):
        self.process = one.host.ns.popen(
            [box.KOICTL, "--socket", one.socket_path, "watch", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.hello = self.next()

    def next(self):
        """The next line, None at the end; a test that hangs is ended by its time limit."""
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def until(self, **want):
        """Read until an event has these members. @return it"""
        while True:
            event = self.next()
            assert event is not None, want
            if want.items() <= event.items():
                return event

    def close(self):
        netns.kill_group(self.process)
        self.process.stdout.close()


def test_manage_watch_tells_events_and_goes_on_after_a_number(two_groups):
    one = two_groups.box
    one.wait_master()
    watch = Watcher(one)
    assert watch.hello["kind"] == "hello" and watch.hello["node"] == "fw1"
    of_group = Watcher(one, "group", "carp1")
    one.ctl("carp carp0 state backup")
    event = watch.until(kind="state", group="carp0", to="BACKUP")
    assert event["from"] == "MASTER" and event["cause"] == "forced by operator"
    one.ctl("set carp demotion 3")
    assert watch.until(kind="demotion")["total"] == 3
    one.ctl("carp carp1 down")
    assert of_group.until(kind="state")["group"] == "carp1", "an event of another group"
    # Who was away gets what it missed, once and in order.
    watch.close()
    of_group.close()
    again = Watcher(one, "after", str(event["seq"] - 1))
    assert again.hello["restarted"] is False and again.next() == event
    seq = event["seq"]
    while seq < again.hello["newest"]:
        seq += 1
        assert again.next()["seq"] == seq
    # The end of koi is the end of the stream; its next life says that it is another one.
    one.terminate()
    while again.next():
        pass
    again.close()
    one.start()
    new = Watcher(one, "after", "1000000")
    assert new.hello["restarted"] is True and new.hello["started"] > again.hello["started"]
    assert new.next()["seq"] == 1
    new.close()


def test_manage_watchers_that_stall_or_flood_do_not_disturb_adverts(make_single):
    one = make_single(advskew=0, state="master").box
    one.wait_master()
    start, begun = one.carp_stats("carp0")["opackets"], one.telemetry("/koi/info")
    stalled = []
    for _ in range(8):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.settimeout(5)
        s.connect(one.socket_path)
        s.sendall(b'{"cmd": "watch after 0"}\n')
        assert s.recv(1) == b"{"  # it has its place, and reads no more
        stalled.append(s)
    lab.poll_until(
        lambda: one.koictl("watch").returncode == 1, 10, "the ninth watcher is refused"
    )
    for n in range(400):
        one.ctl(f"set carp demotion {n % 2}")
    lab.poll_until(
        lambda: one.carp_stats("carp0")["opackets"] >= start + 4, 20, "adverts meanwhile"
    )
    passed = (one.telemetry("/koi/info")["uptime_ms"] - begun["uptime_ms"]) / 1000
    # demoted or not, an interval is at most 1.94 s
    assert one.carp_stats("carp0")["opackets"] - start >= int(passed / 1.94) - 1
    assert one.state("carp0") == "MASTER"
    for s in stalled:
        s.close()


HOOK = """#!/bin/sh
echo "$KOI_SEQ $KOI_GROUP $KOI_OLD_STATE $KOI_STATE $(id -un) $*" >>{out}
[ "$KOI_GROUP" = carp1 ] && exec sleep 1000
exit 0
"""


def memory_of(pid):
    """@return what a process holds in memory that it may write"""
    held = b""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            span, rights = line.split()[:2]
            start, end = (int(x, 16) for x in span.split("-"))
            if rights.startswith("rw"):
                mem.seek(start)
                held += mem.read(end - start)
    return held


def test_manage_hook_process_keeps_no_secret(net):
    """It runs other people's programs: of the configuration that it came from no key is left."""
    key = os.urandom(20)
    conf = box.config("fw1", state="master", **{"on-change": ["/bin/true"]})
    conf["carp"]["groups"][0]["pass"] = f"hex:{key.hex()}"
    one = box.Box(net.firewall("fw1"), conf).start()
    one.wait_master()
    pid = one.process.pid
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as f:
        (child,) = f.read().split()
    held = memory_of(child)
    # The name shows that it is this memory; of the key's text any 8 digits in a row are too many.
    assert b"carp0" in held
    parts = [key.hex()[i : i + 8].encode() for i in range(0, 33)]
    assert [p for p in parts if p in held] == [] and key not in held


def test_manage_hooks_run_unprivileged_and_disturb_nobody(net):
    """A hook on each change, one of which hangs: it is killed, and adverts keep their interval."""
    conf = box.config("fw1", state="master")
    one = box.Box(net.firewall("fw1"), conf)
    os.chmod(one.dir, 0o777)
    out, hook = os.path.join(one.dir, "out"), os.path.join(one.dir, "hook")
    with open(hook, "w", encoding="utf-8") as f:
        f.write(HOOK.format(out=out))
    os.chmod(hook, 0o755)
    conf["carp"].update({"on-change": [hook, "an argument"], "on-change-timeout-s": 1})
    one.start()
    one.wait_master()

    def lines():
        if not os.path.exists(out):
            return []
        with open(out, encoding="utf-8") as f:
            return [line.split(" ", 1)[1].strip() for line in f]

    want = {f"carp{n} {s} nobody an argument" for n in (0, 1) for s in ("INIT BACKUP", "BACKUP MASTER")}
    start, begun = one.carp_stats("carp0")["opackets"], one.telemetry("/koi/info")
    lab.poll_until(lambda: set(lines()) == want, 30, "a hook for each change")
    lab.poll_until(lambda: one.telemetry("/koi/hooks")["timed_out"] == 2, 30, "hooks that hang")
    passed = (one.telemetry("/koi/info")["uptime_ms"] - begun["uptime_ms"]) / 1000
    assert one.carp_stats("carp0")["opackets"] - start >= int(passed) - 1
    assert one.log_lines("hook .*/hook: killed after 1 s")
    counts = one.telemetry("/koi/hooks")
    assert counts["run"] == 4 and counts["failed"] == 0 and counts["dropped"] == 0
    assert "4 run" in one.ctl("show hooks") and "koi_hooks_run_total 4" in one.ctl("metrics text")
    # The shutdown's own changes are told, too.
    one.terminate()
    lab.poll_until(lambda: "carp0 MASTER INIT nobody an argument" in lines(), 10, "the last word")


def test_manage_hook_that_is_not_there(net, tmp_path):
    conf = box.config("fw1", two=False, state="master", **{"on-change": ["/nonexistent/hook"]})
    path = tmp_path / "koi.json"
    path.write_text(json.dumps(conf))
    done = run_koi("--config", str(path), "--check")
    assert done.returncode == 0 and "there is no hook to run" in done.stdout
    one = box.Box(net.firewall("fw1", wan=False), conf).start()
    one.wait_master()
    lab.poll_until(
        lambda: one.log_lines("hook /nonexistent/hook: cannot be run: No such file"), 10, "the log"
    )
    conf["carp"]["on-change-user"] = "no-such-user"
    path.write_text(json.dumps(conf))
    done = run_koi("--config", str(path))
    assert done.returncode == 1
    assert '/carp/on-change-user: there is no user "no-such-user"' in done.stdout


def test_manage_socket_is_its_groups(make_single):
    """Who is in the group needs no root for koictl; who is not is kept out."""
    single = make_single(start=False)
    one = single.box
    one.conf["cli"] = {"mode": "0660", "group": "daemon"}
    one.socket_path = os.path.join(one.dir, "run", "cli.sock")
    before = os.umask(0o027)  # as the unit has it
    try:
        one.start()
    finally:
        os.umask(before)
    st = os.stat(one.socket_path)
    assert (stat.S_IMODE(st.st_mode), st.st_gid) == (0o660, grp.getgrnam("daemon").gr_gid)
    connect = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_UNIX)\n"
        "s.connect(sys.argv[1])\n"
        's.sendall(b\'{"cmd": "show version"}\\n\')\n'
        "print(s.recv(65536).decode())\n"
    )
    own = os.path.dirname(one.socket_path)
    assert stat.S_IMODE(os.stat(own).st_mode) == 0o755, "koi's folder, whatever its umask"
    parent = os.path.dirname(own)
    while os.path.dirname(parent) != parent:  # the lab's own folders are root's
        os.chmod(parent, os.stat(parent).st_mode | 0o011)
        parent = os.path.dirname(parent)
    for group, served in (("daemon", True), ("nogroup", False)):
        done = subprocess.run(
            ["/usr/bin/python3", "-c", connect, one.socket_path],
            user="nobody",
            group=group,
            extra_groups=[],
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=20,
            check=False,
        )
        assert (done.returncode == 0) == served, (group, done.stdout)
        assert ("koi" if served else "PermissionError") in done.stdout, (group, done.stdout)
    one.terminate()
    one.conf["cli"]["group"] = "no-such-group"
    one.write_config()
    argv = ["sh", "-c", 'exec "$@" 2>&1', "sh", *one.argv()]
    done = single.host.ns.run(argv, check=False, timeout=30)
    assert done.returncode != 0
    assert '/cli/group "no-such-group": there is no such group' in done.stdout, done.stdout
    assert not os.path.exists(one.socket_path)
