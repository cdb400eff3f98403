# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""A master that did not run for long must not come back as if nothing had happened."""

import signal
import time

import pytest

import lab
import sniff


@pytest.mark.sanitized
def test_stalled_master_steps_down_without_claiming(pair):
    sniffer = pair.net.sniffer
    pair.fw1.signal(signal.SIGSTOP)
    try:
        stopped = time.time()
        pair.fw2.wait_master()
        pair.client.wait_ping(lab.SERVER_IP)
        lab.poll_until(lambda: time.time() - stopped > 5, 6, "five seconds stopped", 0.1)
    finally:
        mark = sniffer.mark()
        pair.fw1.signal(signal.SIGCONT)
    # fw1 is preferred and preempts, but only on hearing fw2: its state changes tell.
    lab.poll_until(
        lambda: pair.fw1.log_lines(r"em0 vhid 1: BACKUP -> MASTER \(preempting"), 8, "preemption"
    )
    pair.fw1.wait_master()
    pair.fw2.wait_backup()
    steps = [line for line in pair.fw1.log_lines(r"em0 vhid 1: ") if "->" in line][-2:]
    assert "MASTER -> BACKUP (stalled" in steps[0], steps
    assert "BACKUP -> MASTER (preempting" in steps[1], steps
    first = sniffer.wait(sniff.advert_from("fw1.em0"), mark)
    assert not first.advert.bow_out
    pair.client.wait_ping(lab.SERVER_IP)
