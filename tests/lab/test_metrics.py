# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Metrics as a monitoring system sees them: promtool, Prometheus, the alerts and the dashboard."""

import http.client
import json
import os
import re
import socket
import subprocess

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

import box
import lab
import netns
import peers

CONFIG = os.path.join(lab.ROOT, "config")
PORT = 9568
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def with_metrics(conf, address="127.0.0.1"):
    where = f"[{address}]" if ":" in address else address
    conf["metrics"] = {"listen": f"{where}:{PORT}"}
    return conf


def http_get(host, address, path, port=PORT, accept="*/*"):
    """GET from the namespace of a host. @return (status, headers, body)"""
    with host.ns.entered():
        conn = http.client.HTTPConnection(address, port, timeout=10)
        conn.connect()
    try:
        conn.request("GET", path, headers={"Accept": accept})
        reply = conn.getresponse()
        return reply.status, reply.headers, reply.read().decode()
    finally:
        conn.close()


def promtool(*args, text=None):
    return subprocess.run(
        [peers.find_prometheus("promtool"), *args],
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )


def samples(families):
    """@return {(name, labels as frozenset): value}"""
    return {
        (s.name, frozenset(s.labels.items())): s.value for f in families for s in f.samples
    }


def test_metrics_alert_rules_hold_and_fire_when_they_should():
    done = promtool("check", "rules", os.path.join(CONFIG, "alerts.yml"))
    assert done.returncode == 0, done.stdout
    done = promtool("test", "rules", os.path.join(lab.ROOT, "tests/data/alerts_test.yml"))
    assert done.returncode == 0, done.stdout
    with open(os.path.join(CONFIG, "alerts.yml"), encoding="utf-8") as f:
        alerts = set(re.findall(r"- alert: (\w+)", f.read()))
    with open(os.path.join(lab.ROOT, "tests/data/alerts_test.yml"), encoding="utf-8") as f:
        text = f.read()
    fires = set(re.findall(r"alertname: (\w+)\n\s+exp_alerts:\n", text))
    quiet = set(re.findall(r"alertname: (\w+)(?:, |\n\s+)exp_alerts: \[\]", text))
    assert fires == alerts, "an alert that is never seen to fire"
    assert alerts - quiet == {"KoiAdvertsLate"}, "an alert that is never seen to keep quiet"


@pytest.mark.sanitized
def test_metrics_by_command_and_by_http(net):
    host = net.firewall("fw1")
    host.ns.ip("link set lo up")
    one = box.Box(host, with_metrics(box.config("fw1", state="master"))).start()
    one.wait_master()
    # The text format, as promtool likes it; OpenMetrics, as its own parser does.
    text = one.koictl("metrics", "text").stdout
    done = promtool("check", "metrics", text=text)
    assert done.returncode == 0 and not done.stdout.strip(), done.stdout
    plain = samples(text_string_to_metric_families(text))
    opened = samples(openmetrics.text_string_to_metric_families(one.koictl("metrics").stdout))
    assert set(plain) == set(opened)
    state = {"group": "carp0", "vhid": "1", "interface": "em0", "state": "MASTER"}
    assert opened[("koi_carp_state", frozenset(state.items()))] == 1
    # HTTP says the same, in the format that is asked for.
    status, headers, body = http_get(host, "127.0.0.1", "/metrics", accept=OPENMETRICS)
    assert status == 200 and headers["Content-Type"] == OPENMETRICS
    assert set(samples(openmetrics.text_string_to_metric_families(body))) == set(opened)
    status, headers, body = http_get(host, "127.0.0.1", "/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert http_get(host, "127.0.0.1", "/")[0] == 404
    # Counters only grow, and are those of telemetry.
    key = ("koi_carp_opackets_total", frozenset({"group": "carp0", "vhid": "1", "interface": "em0"}.items()))
    low = one.carp_stats("carp0")["opackets"]
    value = samples(text_string_to_metric_families(one.koictl("metrics", "text").stdout))[key]
    assert low <= value <= one.carp_stats("carp0")["opackets"] and value >= plain[key]


def test_metrics_port_in_use_is_a_clear_error(net):
    host = net.firewall("fw1", wan=False)
    host.ns.ip("link set lo up")
    with host.ns.entered():
        taken = socket.create_server(("127.0.0.1", PORT))
    with taken:
        one = box.Box(host, with_metrics(box.config("fw1", two=False)))
        one.start(wait=False)
        assert one.process.wait(20) == 2, one.log()
        one.process = None
        said = f"koi: metrics: 127.0.0.1:{PORT}: the port is in use by another process"
        assert said in one.log()


@pytest.mark.parametrize("name", ["grafana/dashboard.json"])
def test_metrics_dashboard_asks_for_what_there_is(net, name):
    one = box.Box(net.firewall("fw1"), box.config("fw1", state="master")).start()
    one.wait_master()
    one.ctl("set carp demotion 1")
    lab.poll_until(lambda: "koi_carp_demotion_entry{" in one.ctl("metrics"), 5, "the entry")
    there = set(re.findall(r"^(koi_\w+)", one.ctl("metrics"), re.MULTILINE))
    with open(os.path.join(CONFIG, name), encoding="utf-8") as f:
        board = json.load(f)
    asked = re.findall(r"\bkoi_\w+", json.dumps(board["panels"]) + json.dumps(board["templating"]))
    assert len(asked) > 15 and set(asked) <= there, set(asked) - there
    with open(os.path.join(CONFIG, "alerts.yml"), encoding="utf-8") as f:
        rules = re.findall(r"^ +expr: (.*)$", f.read(), re.MULTILINE)
    asked = re.findall(r"\bkoi_\w+", " ".join(rules))
    assert len(asked) > 8 and set(asked) <= there, set(asked) - there


def test_metrics_and_telemetry_are_what_the_reference_says(net):
    one = box.Box(net.firewall("fw1"), box.config("fw1", state="master")).start()
    one.wait_master()
    with open(os.path.join(lab.ROOT, "docs/telemetry.md"), encoding="utf-8") as f:
        doc = f.read()
    ours = {c for c in one.telemetry("/") if not c.startswith(("/eal", "/ethdev", "/mempool"))}
    said = set(re.findall(r"^\| `(/\S+)` \|", doc, re.MULTILINE))
    assert {c for c in ours if c.split("/")[1] in {s.split("/")[1] for s in said}} == said
    text = one.ctl("metrics text")
    there = {
        (name, {"koi_build_info": "info"}.get(name, kind))
        for name, kind in re.findall(r"^# TYPE (\S+) (\S+)", text, re.MULTILINE)
    }
    said = set(re.findall(r"^\| `(koi_\w+)` \| (\w+) \|", doc, re.MULTILINE))
    assert there == said
    helps = dict(re.findall(r"^# HELP (\S+) (.*)", text, re.MULTILINE))
    rows = re.findall(r"^\| `(koi_\w+)` \|[^|]*\|[^|]*\| (.*) \|$", doc, re.MULTILINE)
    assert helps == {name: text.replace("\\|", "|") for name, text in rows}
    labels = {n: set(re.findall(r"(\w+)=", l)) for n, l in re.findall(r"^(koi_\w+)\{(.*)\}", text, re.MULTILINE)}
    told = dict(re.findall(r"^\| `(koi_\w+)` \| \w+ \| ([^|]*?) \|", doc, re.MULTILINE))
    for name, have in labels.items():
        name = re.sub("_bucket$", "", name)
        assert have == set(told[name].split(", ")), name
    reasons = set(re.findall(r"^\| `([a-z]\w+)` \| [^|]+ \|$", doc, re.MULTILINE))
    reasons -= {name for name, _ in said}
    assert reasons == set(one.drops())


def adverts(one):
    return one.carp_stats("carp0")["opackets"]


def test_metrics_bad_scrapers_do_not_disturb_adverts(net):
    """Scrapers that stall, flood or die: adverts go out at their interval, counted by themselves."""
    host = net.firewall("fw1", wan=False)
    host.ns.ip("link set lo up")
    conf = with_metrics(box.config("fw1", two=False, state="master"))
    one = box.Box(host, conf).start()
    one.wait_master()
    with host.ns.entered():
        stalled = [socket.create_connection(("127.0.0.1", PORT), timeout=5) for _ in range(16)]
    for s in stalled[::2]:
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")  # and never reads
    start, begun = adverts(one), one.telemetry("/koi/info")
    flood = host.ns.popen(
        ["/usr/bin/python3", "-c", FLOOD, str(PORT)], stdin=subprocess.DEVNULL
    )
    try:
        lab.poll_until(lambda: adverts(one) >= start + 4, 20, "adverts during the flood")
        now = one.telemetry("/koi/info")
    finally:
        netns.kill_group(flood)
    passed = (now["uptime_ms"] - begun["uptime_ms"]) / 1000
    assert adverts(one) - start >= int(passed) - 1
    assert one.status("carp0")["state"] == "MASTER"
    for s in stalled:
        s.close()
    assert http_get(host, "127.0.0.1", "/metrics")[0] == 200


#: As many connections as there can be, closed at once or after a request that nobody waits for.
FLOOD = """
import socket, sys
while True:
    try:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=1) as s:
            s.sendall(b"GET /metrics HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
    except OSError:
        pass
"""


class Prometheus:
    """Debian's Prometheus on a host of the lab, scraping and judging five times a second."""

    def __init__(self, host, targets):
        self.host = host
        self.dir = netns.new_dir("prometheus")
        with open(os.path.join(CONFIG, "alerts.yml"), encoding="utf-8") as f:
            rules = re.sub(r"\bfor: \w+", "for: 1s", f.read())
        self._write("alerts.yml", rules)
        config = {
            "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"},
            "rule_files": ["alerts.yml"],
            "scrape_configs": [{"job_name": "koi", "static_configs": [{"targets": targets}]}],
        }
        self._write("prometheus.yml", json.dumps(config))  # JSON is YAML
        self.log_path = os.path.join(self.dir, "log")
        with open(self.log_path, "wb") as log:
            self.process = host.ns.popen(
                [peers.find_prometheus("prometheus"), "--config.file=prometheus.yml"]
                + ["--web.listen-address=127.0.0.1:9090", "--storage.tsdb.path=data"],
                cwd=self.dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "GOMAXPROCS": "1"},
            )
        host.lab.boxes.append(self)

    def _write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as f:
            f.write(text)

    def kill(self):
        netns.kill_group(self.process)

    def get(self, path):
        try:
            status, _, body = http_get(self.host, "127.0.0.1", "/api/v1/" + path, port=9090)
        except OSError:
            return None
        return json.loads(body)["data"] if status == 200 else None

    def up(self):
        """Addresses of the targets whose last scrape succeeded."""
        data = self.get("targets") or {"activeTargets": []}
        return sorted(
            t["labels"]["instance"] for t in data["activeTargets"] if t["health"] == "up"
        )

    def firing(self, name):
        data = self.get("alerts") or {"alerts": []}
        return [
            a["labels"]
            for a in data["alerts"]
            if a["labels"]["alertname"] == name and a["state"] == "firing"
        ]


def test_metrics_prometheus_sees_two_boxes_and_alerts_on_a_duel(make_pair, net):
    conf1 = with_metrics(box.config("fw1", state="master"), "10.9.0.1")
    conf2 = with_metrics(box.config("fw2", advskew=128), "10.9.0.2")
    pair = make_pair(conf1, conf2)
    for number, name in ((1, "fw1"), (2, "fw2")):
        net.hosts[name].attach("mg0", lab.LAN, f"10.9.0.{number}/24")
    pair.start()
    watcher = net.host("prometheus")
    watcher.attach("em0", lab.LAN, "10.9.0.9/24")
    watcher.ns.ip("link set lo up")
    targets = [f"10.9.0.1:{PORT}", f"10.9.0.2:{PORT}"]
    prom = Prometheus(watcher, targets)
    lab.poll_until(lambda: prom.up() == targets, 60, "both boxes are scraped", interval=0.1)
    assert prom.firing("KoiMasters") == []
    # The boxes no longer believe each other: both serve the LAN's address.
    pair.fw2.ctl("set carp carp0 pass-file hex:" + "42" * 20)
    pair.fw2.wait_state("carp0", "MASTER")
    want = {"interface": "em0", "vhid": "1"}
    alerts = lab.poll_until(lambda: prom.firing("KoiMasters"), 60, "the alert", interval=0.1)
    assert len(alerts) == 1 and want.items() <= alerts[0].items()
    lab.poll_until(
        lambda: {"carp0"} == {a["group"] for a in prom.firing("KoiAuthenticationFailures")},
        60,
        "the alert that names the reason",
        interval=0.1,
    )
    # One of them gives in, and it is over.
    pair.fw2.ctl("carp carp0 down")
    lab.poll_until(lambda: not prom.firing("KoiMasters"), 60, "the end of the alert", interval=0.1)
