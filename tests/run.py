#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""make test: every test there is, and one line with the sum at the end.

    run.py [--only STEP[,STEP]]

Steps, in order: unit, unit-asan, lab, timing, guest, deb, lab-asan.
"""

import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PLAIN = os.path.join(ROOT, "build")
ASAN = os.path.join(ROOT, "build-asan")
REPORTS = os.path.join(ROOT, ".build", "reports")
MESON = shutil.which("meson", path="/usr/bin:/bin:/usr/local/bin") or "meson"
NINJA = shutil.which("ninja", path="/usr/bin:/bin:/usr/local/bin") or "ninja"
PYTHON = "/usr/bin/python3"
LAB = ("tests/lab", "tests/interop")

SANITIZER_ENV = {
    # DPDK keeps its own allocations for the life of the process.
    "ASAN_OPTIONS": "detect_leaks=1:halt_on_error=1:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99",
}


class Sum:
    """Counts over everything."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.names = []

    def add_junit(self, path, step):
        """@return how many failed"""
        failed = 0
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            kinds = {child.tag for child in case}
            if kinds & {"failure", "error"}:
                failed += 1
                name = "::".join(filter(None, (case.get("classname"), case.get("name"))))
                self.names.append(f"{step}: {name}")
            elif "skipped" in kinds:
                self.skipped += 1
            else:
                self.passed += 1
        self.failed += failed
        return failed

    def fail(self, what):
        self.failed += 1
        self.names.append(what)

    def line(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def call(argv, env=None, timeout=None):
    print("+ " + " ".join(os.path.relpath(a, ROOT) if a.startswith(ROOT) else a for a in argv))
    sys.stdout.flush()
    try:
        return subprocess.run(
            argv, cwd=ROOT, env={**os.environ, **(env or {})}, timeout=timeout, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        print(f"ended after {timeout} s without a result")
        return 124


def build(folder, *options):
    """@return True when everything was built"""
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        code = call([MESON, "setup", folder, *options])
        if code != 0:
            return False
    return call([NINJA, "-C", folder]) == 0


def run_meson(folder, step, total, env=None, args=()):
    logs = os.path.join(folder, "meson-logs")
    junit, by_test = os.path.join(logs, "testlog.junit.xml"), os.path.join(logs, "testlog.json")
    for path in (junit, by_test):
        if os.path.exists(path):
            os.unlink(path)
    # Limits of time are for what hangs, not for a busy machine.
    argv = [MESON, "test", "-C", folder, "--no-rebuild", "--print-errorlogs", "-t", "4", *args]
    code = call(argv, env, 1200)
    failed = total.add_junit(junit, step) if os.path.exists(junit) else 0
    if os.path.exists(by_test):
        # What timed out or crashed has no failed case of its own in the other file.
        with open(by_test, encoding="utf-8") as f:
            for line in f:
                test = json.loads(line)
                name = test["name"].split(" / ")[-1]
                bad = test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL")
                if bad and not any(name in known for known in total.names):
                    total.fail(f"{step}: {name}: {test['result']}")
                    failed += 1
    if code != 0 and failed == 0:
        total.fail(f"{step}: meson test ended with {code}")


def run_pytest(folder, step, total, args, env=None, timeout=1500, where=LAB):
    junit = os.path.join(REPORTS, step + ".xml")
    if os.path.exists(junit):
        os.unlink(junit)
    # A list, so that nobody's pytest settings and plugins get in.
    argv = [PYTHON, "-m", "pytest", "-q", "--junit-xml", junit, *where]
    code = call(argv + args, {"KOI_BUILD": folder, **(env or {})}, timeout)
    failed = total.add_junit(junit, step) if os.path.exists(junit) else 0
    if code != 0 and failed == 0:
        total.fail(f"{step}: pytest ended with {code}")


def run_deb(total):
    if call([os.path.join(ROOT, "debian/build.sh")]) != 0:
        total.fail("deb: build.sh")
        return
    # 77: there is no Debian to be had to install them in; tests are skipped with the reason.
    packages = glob.glob(os.path.join(ROOT, "build-deb", "koi_*.deb"))
    if call([os.path.join(ROOT, "tests/deb/base.sh"), *packages]) not in (0, 77):
        total.fail("deb: base.sh")
    run_pytest(PLAIN, "deb", total, [], timeout=900, where=("tests/deb",))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="unit,unit-asan,lab,timing,guest,deb,lab-asan")
    steps = parser.parse_args().only.split(",")
    os.makedirs(REPORTS, exist_ok=True)
    total = Sum()
    started = time.monotonic()

    def header(text):
        print(f"\n== {text} (at {time.monotonic() - started:.0f} s)", flush=True)

    header("build")
    built = build(PLAIN)
    if not built:
        total.fail("build")
    asan = False
    if {"unit-asan", "lab-asan"} & set(steps):
        header("build with ASan and UBSan")
        asan = build(ASAN, "-Db_sanitize=address,undefined", "-Dbuildtype=debugoptimized")
        if not asan:
            total.fail("build-asan")
    if built and "unit" in steps:
        header("unit, fuzz replay and lint")
        run_meson(PLAIN, "unit", total)
    if asan and "unit-asan" in steps:
        header("unit and fuzz replay with ASan and UBSan")
        run_meson(ASAN, "unit-asan", total, SANITIZER_ENV, ["--no-suite", "lint"])
    if {"lab", "timing", "lab-asan"} & set(steps):
        header("patched drivers")
        # 77: they cannot be built here; the tests that need them are skipped with the reason.
        if call([os.path.join(ROOT, "dpdk-patches/build.sh")]) not in (0, 77):
            total.fail("dpdk-patches")
    if built and "lab" in steps:
        header("lab: behaviour")
        run_pytest(PLAIN, "lab", total, ["-m", "not timing", "-n", "4"])
    if built and "timing" in steps:
        header("lab: wall-clock figures, one at a time")
        run_pytest(PLAIN, "timing", total, ["-m", "timing"])
    if built and "guest" in steps:
        header("guest: koi on emulated PCI devices")
        run_pytest(PLAIN, "guest", total, ["-s"], where=("tests/guest",))
    if "deb" in steps:
        header("deb: Debian packages, installed, upgraded and purged")
        run_deb(total)
    if asan and "lab-asan" in steps:
        header("lab with ASan and UBSan")
        run_pytest(
            ASAN, "lab-asan", total, ["-m", "sanitized and not timing", "-n", "3"], SANITIZER_ENV
        )

    header("done")
    for name in total.names:
        print("FAILED " + name)
    with open(os.path.join(REPORTS, "summary"), "w", encoding="ascii") as f:
        f.write(total.line() + "\n")
    print(total.line(), flush=True)
    return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
