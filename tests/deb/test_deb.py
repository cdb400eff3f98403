# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""koi's Debian packages: what is in them, and their life on a fresh Debian.

tests/run.py builds them before, and prepares the Debian.
"""

import glob
import os
import re
import shutil

import pytest

import box
import installed as installed_box
import machine
import manager
import netns

needs_debian = pytest.mark.skipif(bool(machine.missing()), reason=machine.missing())

EXAMPLE = "etc/koi/koi.json.example"
#: of a Markdown document to a file
LINK = re.compile(r"\]\(([^)#\s:]+)[^):]*\)")


def project_version():
    with open(os.path.join(machine.lab.ROOT, "meson.build"), encoding="utf-8") as f:
        return re.search(r"^ *version: '([^']+)'", f.read(), re.MULTILINE)[1]


@pytest.fixture(name="fresh")
def fresh_machine():
    """Nothing of koi is there."""
    it = machine.Machine()
    yield it
    it.close()


@pytest.fixture(scope="module", name="installed")
def installed_machine():
    """With both packages; tests leave it as they find it."""
    it = machine.Machine()
    it.install(machine.package("koi"), machine.package("koi-doc"))
    yield it
    it.close()


@pytest.fixture(scope="module", name="older")
def older_package(tmp_path_factory):
    """The same package, of a smaller version and with another example."""
    folder = tmp_path_factory.mktemp("older")
    tree = folder / "tree"
    netns.run(["dpkg-deb", "-R", machine.package("koi"), str(tree)])
    control = tree / "DEBIAN" / "control"
    text, n = re.subn(r"(?m)^Version: .*$", "Version: 0.0.1", control.read_text())
    assert n == 1
    control.write_text(text)
    (tree / EXAMPLE).write_text('{ "node": "older" }\n')
    netns.run(["dpkg-deb", "-Znone", "-b", str(tree), str(folder)])
    shutil.rmtree(tree)
    return glob.glob(f"{folder}/*.deb")[0]


def test_deb_lintian_finds_no_error():
    changes = glob.glob(f"{machine.OUT}/*.changes")
    assert len(changes) == 1, changes
    netns.run(["lintian", "--allow-root", "--fail-on", "error", *changes], timeout=120)


def test_deb_versions_grow_from_the_project_s():
    version = machine.field(machine.package("koi"), "Version")
    assert re.fullmatch(re.escape(project_version()) + r"([~+].*)?", version)
    assert machine.field(machine.package("koi-doc"), "Version") == version


@needs_debian
def test_deb_install_starts_nothing(installed):
    """A service that waits for its configuration, in a folder that others do not look into."""
    assert installed.mode("etc/koi") == 0o750
    assert sorted(os.listdir(installed.path("etc/koi"))) == ["koi.json.example"]
    unit = installed.read("lib/systemd/system/koi.service")
    assert "\nExecStart=/usr/sbin/koi\n" in unit
    assert "\nConditionPathExists=/etc/koi/koi.json\n" in unit
    enabled = glob.glob(installed.path("etc/systemd/system/**/koi*"), recursive=True)
    assert not enabled
    assert not installed.told("policy")
    assert not installed.told("systemctl")


@needs_debian
def test_deb_programs_run(installed):
    done = installed.run("koi", "--version")
    assert done.stdout.startswith(f"koi {project_version()}, DPDK "), done.stdout
    done = installed.run("koi", "--check", f"/{EXAMPLE}")
    assert done.stdout == f"/{EXAMPLE}: valid\n"
    for example in glob.glob(installed.path("usr/share/doc/koi/examples/*.json")):
        installed.run("koi", "--check", "/" + os.path.relpath(example, installed.root))
    installed.write("tmp/bad.json", '{\n  "interfaces": 1\n}\n')
    done = installed.run("koi", "--check", "/tmp/bad.json", check=False)
    assert done.returncode == 1
    assert re.search(r"^/tmp/bad\.json:2:\d+: /interfaces: ", done.stdout, re.MULTILINE), done.stdout
    assert "--socket" in installed.run("koictl", "--help").stdout
    assert installed.run("koictl", "show", "version", check=False).returncode != 0


@needs_debian
def test_deb_manual_pages_are_found(installed):
    for page, where in (("koi", "man8/koi.8"), ("koictl", "man1/koictl.1"), ("koi.json", "man5/koi.json.5")):
        found = netns.run(["man", "-M", installed.path("usr/share/man"), "-w", page]).stdout.strip()
        assert found == installed.path(f"usr/share/man/{where}.gz")


@needs_debian
def test_deb_completion_completes(installed):
    def complete(program, *words):
        script = (
            f". /usr/share/bash-completion/completions/{program} && "
            f'COMP_WORDS=({program} {" ".join(words)}) COMP_CWORD={len(words)} && '
            f'_{program} && echo "${{COMPREPLY[@]}}"'
        )
        return installed.run("bash", "-euc", script).stdout.split()

    assert complete("koi", "--che") == ["--check"]
    assert complete("koictl", "sho") == ["show"]
    assert {"carp", "config"} <= set(complete("koictl", "show", "c"))


@needs_debian
def test_deb_documents_lead_to_each_other(installed):
    top = installed.path("usr/share/doc/koi-doc")
    pages = glob.glob(f"{top}/**/*.md", recursive=True)
    assert len(pages) > 10
    links = 0
    for page in pages:
        with open(page, encoding="utf-8") as f:
            for link in LINK.findall(f.read()):
                links += 1
                assert os.path.exists(os.path.join(os.path.dirname(page), link)), (page, link)
    assert links > 10


@needs_debian
def test_deb_unit_is_valid(installed, tmp_path):
    unit = installed.read("lib/systemd/system/koi.service")
    unit, n = re.subn(r"(?m)^(Exec\w+=)/", rf"\1{installed.root}/", unit)
    assert n == 2  # start, reload
    (tmp_path / "koi.service").write_text(unit)
    (tmp_path / "koi.service.d").mkdir()
    drop_in = installed.read("usr/share/doc/koi/examples/koi-user.conf")
    (tmp_path / "koi.service.d" / "user.conf").write_text(drop_in)
    done = manager.verify(tmp_path)
    assert done.returncode == 0 and "koi" not in done.stdout, done.stdout


@needs_debian
def test_deb_koi_serves_under_a_manager(installed, net):
    """From its default paths, with the drivers that the package depends on."""
    conf = box.config("fw1", state="master")
    one = installed_box.InstalledBox(net.firewall("fw1"), conf, installed)
    one.start(wait=False)
    assert one.manager.wait("READY", 30) == "1", one.log()
    one.wait_master()
    assert "MASTER" in installed.run("koictl", "show", "carp", "all").stdout
    for _ in range(3):
        assert one.manager.wait("WATCHDOG", installed_box.WATCHDOG_MS / 1000) == "1"
    one.process.terminate()
    assert one.manager.wait("STOPPING") == "1"
    assert one.process.wait(10) == 0, one.log()
    one.leave()


@needs_debian
def test_deb_upgrade_keeps_and_purge_leaves_nothing(fresh, older):
    before = fresh.files()
    fresh.install(older)
    assert fresh.read(EXAMPLE) == '{ "node": "older" }\n'

    # what the operator has written, and what outlived a restart
    mine = {
        EXAMPLE: '{ "node": "mine" }\n',
        "etc/koi/koi.json": '{ "node": "fw1" }\n',
        "etc/koi/lan.pass": "secret\n",
        "var/lib/koi/fw1/drained": "",
    }
    os.makedirs(fresh.path("var/lib/koi/fw1"))
    for name, text in mine.items():
        fresh.write(name, text, 0o600)

    def kept():
        return all(fresh.read(n) == text and fresh.mode(n) == 0o600 for n, text in mine.items())

    # its service was enabled, too, which an upgrade must not change; nor may it stop or start koi
    wants = "etc/systemd/system/multi-user.target.wants"
    os.makedirs(fresh.path(wants), exist_ok=True)
    os.symlink("/lib/systemd/system/koi.service", fresh.path(f"{wants}/koi.service"))
    fresh.told("systemctl")
    fresh.install(machine.package("koi"), options=("-o", "Dpkg::Options::=--force-confold"))
    version = fresh.run("dpkg-query", "-W", "-f", "${Version}", "koi").stdout
    assert version == machine.field(machine.package("koi"), "Version")
    assert kept()
    # the new example lies beside
    fresh.run("koi", "--check", f"/{EXAMPLE}.dpkg-dist")
    assert fresh.exists(f"{wants}/koi.service")
    assert not fresh.told("policy")
    assert not fresh.told("systemctl")

    fresh.run(*fresh.APT, "remove", "koi")
    assert kept()
    assert not fresh.exists("usr/sbin/koi") and not fresh.exists("lib/systemd/system/koi.service")
    # a koi that runs is to stop: policy-rc.d was asked, and said no
    assert fresh.told("policy") == ["koi.service stop"]

    fresh.run(*fresh.APT, "purge", "--auto-remove", "koi")
    assert fresh.files() == before


@needs_debian
def test_deb_recommends_can_be_had(fresh):
    """Simulated, by the lists of the mirrors: tools of DPDK, drivers of NICs."""
    shutil.copy(machine.package("koi"), fresh.path("tmp/koi.deb"))
    done = fresh.run("apt-get", "-s", "install", "/tmp/koi.deb")
    for package in ("koi", "dpdk", "librte-meta-net"):
        assert re.search(rf"^Inst {package} ", done.stdout, re.MULTILINE), done.stdout
