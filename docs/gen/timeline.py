#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""A failover on a time axis, from what was recorded of it.

    timeline.py RECORD.json > PICTURE.svg

A record is what tests/lab/graph.py writes. Times are milliseconds from the record's zero:

    title, taken, program, zero     what, when (UTC), by which koi, and what the zero is
    window                          [first, last] of the picture
    formula                         {"said", "ms", "from", "to"}: the time that the protocol says,
                                    and the measured one; or null
    boxes                           [{"name", "group", "states": [[ms, "MASTER"], ...],
                                    "adverts": [ms], "bow_outs": [ms]}]; state "down" is no process
    actions                         [{"ms", "said"}] what the operator did
    stream                          {"said", "sent", "lost", "from", "to", "runs": [[from, to, n]]}
    close                           {"window", "points": [{"ms", "said"}]}: the moment itself; or null
    machine                         how far its clock is to be trusted
"""

import json
import sys

from svg import Svg, width_of

LEFT, RIGHT, WIDTH = 78, 24, 960
CLASS = {"MASTER": "master", "BACKUP": "backup", "INIT": "init", "down": "dead"}


class Axis:
    """Milliseconds to pixels."""

    def __init__(self, window):
        self.first, self.last = window
        if not self.last > self.first:
            raise ValueError(f"window {window} has no length")
        self.scale = (WIDTH - LEFT - RIGHT) / (self.last - self.first)

    def x(self, ms):
        """The place of a time, at the rim when it is beyond."""
        return LEFT + (min(max(ms, self.first), self.last) - self.first) * self.scale

    def has(self, ms):
        """Whether it is in the picture."""
        return self.first <= ms <= self.last

    def step(self):
        """Distance of the lines: about ten of them."""
        wanted = (self.last - self.first) / 10
        for step in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000):
            if step >= wanted:
                return step
        return 10000

    def draw(self, pic, top, bottom):
        """Lines with their times below."""
        step = self.step()
        seconds = step >= 500
        n = int(self.first // step)
        while n * step <= self.last:
            ms = n * step
            if self.has(ms):
                pic.line("grid", self.x(ms), top, self.x(ms), bottom)
                said = f"{ms / 1000:g} s" if seconds else f"{ms:g}"
                pic.text(self.x(ms), bottom + 16, said, "soft", 11, "middle")
            n += 1
        if not seconds:
            pic.text(16, bottom + 16, "ms", "soft", 11)


def place(labels, axis):
    """(ms, text) -> (ms, text, x, row), rows from 0 on so that no two texts overlap."""
    ends, placed = [], []
    for ms, said in sorted(labels):
        x = min(axis.x(ms) + 4, WIDTH - 8 - width_of(said))
        row = next((r for r, end in enumerate(ends) if end < x), len(ends))
        if row == len(ends):
            ends.append(0)
        ends[row] = x + width_of(said) + 8
        placed.append((ms, said, x, row))
    return placed, len(ends)


def draw_box(pic, axis, box, y):
    """The lane of a box: its adverts as ticks, its states as a band."""
    pic.text(LEFT - 10, y + 32, box["name"], "ink bold", 13, "end")
    states = box["states"] + [[axis.last, None]]
    for (since, state), (until, _) in zip(states, states[1:]):
        if until <= axis.first or since >= axis.last:
            continue
        x, end = axis.x(since), axis.x(until)
        pic.rect(CLASS[state] + (" edge dash" if state == "down" else ""), x, y + 18, end - x, 20)
        if end - x > width_of(state, 11) + 8:
            pic.text((x + end) / 2, y + 32, state, "ink", 11, "middle")
    for kind, times in (("good", box["adverts"]), ("bad thick", box["bow_outs"])):
        for ms in times:
            if axis.has(ms):
                pic.line(kind, axis.x(ms), y + 4, axis.x(ms), y + 18)


def draw_stream(pic, axis, stream, y):
    """The lane of the client: answered packets, and each run of lost ones."""
    pic.text(LEFT - 10, y + 14, "client", "ink bold", 13, "end")
    x, end = axis.x(stream["from"]), axis.x(stream["to"])
    pic.rect("master", x, y + 6, end - x, 6)
    for since, until, n in stream["runs"]:
        if until < axis.first or since > axis.last:
            continue
        x, end = axis.x(since), axis.x(until)
        pic.rect("lost", x, y, end - x, 18)
        said = f"{n} lost"
        if end - x > width_of(said, 11) + 6:
            pic.text((x + end) / 2, y + 13, said, "page bold", 11, "middle")


def draw_formula(pic, axis, formula, y):
    """The time that is promised, over the time that it took."""
    x, end = axis.x(formula["from"]), axis.x(formula["to"])
    pic.line("line", x, y, end, y)
    for at in (x, end):
        pic.line("line", at, y - 4, at, y + 4)
    took = formula["to"] - formula["from"]
    said = f"{formula['said']} = {formula['ms']:.1f} ms; measured {took:.1f} ms"
    middle, half = (x + end) / 2, width_of(said) / 2 + 6
    pic.rect("page", middle - half, y - 20, 2 * half, 17)
    pic.text(middle, y - 7, said, "ink", 12, "middle")


def draw_labels(pic, axis, placed, top, bottom):
    """Texts in rows above, each with a line down to its time."""
    for ms, said, x, row in placed:
        y = top + 15 * row
        pic.line("edge dash", axis.x(ms), y - 3, axis.x(ms), bottom)
        pic.text(x, y + 1, said, "ink", 12)


def place_close(close):
    """@return the axis of the moment itself, and what place() makes of its points"""
    axis = Axis(close["window"])
    return axis, *place([(p["ms"], p["said"]) for p in close["points"] if axis.has(p["ms"])], axis)


def draw_close(pic, axis, placed, rows, top):
    """The moment itself on an axis of its own; 60 and 15 for each row is its height."""
    pic.text(LEFT - 62, top, "The moment itself", "ink bold", 13)
    bottom = top + 24 + 15 * rows
    axis.draw(pic, top + 8, bottom)
    draw_labels(pic, axis, placed, top + 20, bottom)


def draw(record):
    """@return the picture of a record, as text"""
    axis = Axis(record["window"])
    placed, rows = place([(a["ms"], a["said"]) for a in record["actions"]], axis)
    formula, stream = record["formula"], record["stream"]
    close = place_close(record["close"]) if record["close"] else None
    lanes = 60 + 15 * rows + (30 if formula else 8)
    bottom = lanes + 50 * len(record["boxes"]) + 30
    height = bottom + 64 + (60 + 15 * close[2] if close else 0)
    pic = Svg(WIDTH, height, record["title"],
              f"States and adverts of the boxes, and the packets of a client: {stream['lost']} of "
              f"{stream['sent']} lost.")
    pic.text(16, 26, record["title"], "ink bold", 15)
    pic.text(16, 44, f"{record['program']}, {record['taken']}; {record['machine']}", "soft", 11)
    axis.draw(pic, lanes, bottom)
    draw_labels(pic, axis, placed, 64, bottom)
    for i, box in enumerate(record["boxes"]):
        draw_box(pic, axis, box, lanes + 50 * i)
    if formula:
        draw_formula(pic, axis, formula, lanes - 6)
    draw_stream(pic, axis, stream, bottom - 26)
    legend = (
        f"0 = {record['zero']}. Green ticks: adverts{', red ones: bow-outs' if bows(record) else ''}. "
        f"{stream['said']}: {stream['lost']} of {stream['sent']} lost."
    )
    pic.text(16, bottom + 38, legend, "soft", 11)
    if close:
        draw_close(pic, *close, bottom + 68)
    return str(pic)


def bows(record):
    """Whether anybody bowed out."""
    return any(box["bow_outs"] for box in record["boxes"])


def main():
    if len(sys.argv) != 2:
        print(__doc__.split("\n\n", 2)[1].strip(), file=sys.stderr)
        return 2
    with open(sys.argv[1], encoding="utf-8") as f:
        record = json.load(f)
    sys.stdout.write(draw(record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
