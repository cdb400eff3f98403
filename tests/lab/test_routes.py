# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Routes that change while koi runs: by command and by reload, and what flows through meanwhile."""

import pytest

import box
import dual
import lab

#: Networks behind the server, known to koi only by a route.
FAR4, FAR6 = "203.0.113.9", "2001:db8:77::9"
ROUTES = 20000


@pytest.fixture
def far(net):
    """A dual-stack pair, and two addresses behind the server that no route leads to."""
    pair = dual.DualPair(
        net, dual.config("fw1", state="master"), dual.config("fw2", advskew=128), server=True
    ).start()
    pair.server.ns.run(["ip", "address", "add", f"{FAR4}/32", "dev", "lo"])
    pair.server.ns.run(["ip", "-6", "address", "add", f"{FAR6}/128", "dev", "lo"])
    pair.client.wait_ping(lab.SERVER_IP)
    pair.client.wait_ping(dual.SERVER_IP6)
    return pair


@pytest.mark.sanitized
def test_routes_added_and_taken_out_by_command(far):
    routes = {FAR4: ("203.0.113.0/24", lab.SERVER_IP), FAR6: ("2001:db8:77::/48", dual.SERVER_IP6)}
    for address, (prefix, via) in routes.items():
        assert not far.client.ping(address, timeout=0.3)
        far.fw1.ctl(f"route add {prefix} via {via}")
        far.client.wait_ping(address)
        assert prefix in far.fw1.ctl("show config diff")
        with pytest.raises(box.CtlError):
            far.fw1.ctl(f"route add {prefix} via 192.0.2.77,bad")
        assert far.client.ping(address)
        far.fw1.ctl(f"route add {prefix} blackhole")
        assert not far.client.ping(address, timeout=0.3)
        far.fw1.ctl(f"route del {prefix}")
        assert prefix not in far.fw1.ctl("show config diff")
    # Nothing of it cost anybody the role.
    assert far.fw1.states() == ["MASTER"] * len(far.fw1.states())


@pytest.mark.timing
def test_routes_reload_loses_nothing(pair):
    """20,000 routes come, change and go by reload, under a stream that none of them is for."""
    late = pair.fw1.telemetry("/koi/info")["late_max_us"]
    probe = lab.Probe(pair.client).flowing()
    for via in ("198.51.100.77", "198.51.100.78", None):
        conf = pair.fw1.read_config()
        conf["routes"] = [
            {"prefix": f"10.{i >> 8 & 255}.{i & 255}.0/24", "via": via} for i in range(ROUTES)
        ] if via else []
        status, said = pair.fw1.reload(conf)
        assert status == 0, said
        summary = pair.fw1.ctl("show route summary")
        print(said.splitlines()[-1:], summary.splitlines()[:2])
    result = probe.stop()
    text = f"{result['lost']} of {result['sent']} lost; {lab.timer_text(result)}; lateness at most "
    print(text + f"{pair.fw1.telemetry('/koi/info')['late_max_us']} us, before {late} us")
    assert result["lost"] == 0 and result["send_errors"] == 0, text
    assert pair.fw1.states() == ["MASTER", "MASTER"]


def test_routes_reload_refuses_what_needs_a_restart(pair):
    conf = pair.fw1.read_config()
    conf["routes"] = [{"prefix": "10.0.0.0/8", "via": "198.51.100.77"}]
    conf["interfaces"][0]["mtu"] = 1400
    status, plan = pair.fw1.reload(conf, plan=True, timeout=5)
    assert status == 1 and "interface em0: changed: mtu (needs a restart)" in plan, plan
    status, said = pair.fw1.reload(conf, timeout=5)
    assert status == 1 and "em0" in said
    assert "10.0.0.0/8" not in pair.fw1.ctl("show route")
    assert pair.client.ping(lab.SERVER_IP)
