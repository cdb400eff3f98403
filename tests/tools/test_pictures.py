# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""The pictures of docs/pictures: well-formed, within their frame, and saying what their record says.

usage: test_pictures.py ROOT
"""

import copy
import json
import os
import re
import sys
import unittest
import xml.etree.ElementTree as ElementTree

ROOT = sys.argv[1]
sys.path.insert(0, os.path.join(ROOT, "docs", "gen"))

import pictures  # noqa: E402
import svg  # noqa: E402
import timeline  # noqa: E402

NS = "{http://www.w3.org/2000/svg}"


def record(name="failover"):
    """What was recorded of a real run."""
    with open(os.path.join(ROOT, pictures.FOLDER, name + ".json"), encoding="utf-8") as f:
        return json.load(f)


def texts(root):
    """All that is written in a picture."""
    return [t.text for t in root.iter(NS + "text")]


def classes(root, name):
    """The elements that have a class."""
    return [e for e in root.iter() if name in e.get("class", "").split()]


class Pictures(unittest.TestCase):
    """Each picture there is."""

    def test_each_is_well_formed_and_within_its_frame(self):
        made = pictures.outputs(ROOT)
        self.assertGreaterEqual(len(made), 4)
        for path, data in made.items():
            root = ElementTree.fromstring(data)
            self.assertEqual(root.tag, NS + "svg", path)
            width, height = float(root.get("width")), float(root.get("height"))
            for e in root.iter():
                x, y = float(e.get("x", 0)), float(e.get("y", 0))
                self.assertGreaterEqual(min(x, y), 0, (path, e.attrib))
                self.assertLessEqual(x + float(e.get("width", 0)), width, (path, e.attrib))
                self.assertLessEqual(y + float(e.get("height", 0)), height, (path, e.attrib))
            for e in root.iter(NS + "text"):
                self.check_text(path, e, width)

    def check_text(self, path, e, width):
        """No text runs out of the picture."""
        wide = svg.width_of(e.text, float(e.get("font-size")))
        x = float(e.get("x")) - {"middle": wide / 2, "end": wide}.get(e.get("text-anchor"), 0)
        self.assertGreaterEqual(x, 0, (path, e.text))
        self.assertLessEqual(x + wide, width, (path, e.text))

    def test_each_class_has_a_colour_for_light_and_dark(self):
        for path, data in pictures.outputs(ROOT).items():
            root = ElementTree.fromstring(data)
            style = root.find(NS + "style").text
            light, _, dark = style.partition("@media (prefers-color-scheme:dark)")
            for name in {c for e in root.iter() for c in e.get("class", "").split()}:
                self.assertIn(f".{name}{{", light, path)
                if name not in ("bold", "dash", "arrow", "thick"):
                    self.assertIn(f".{name}{{", dark, path)


class Timeline(unittest.TestCase):
    """A drawing says what its record says."""

    def draw(self, rec):
        return ElementTree.fromstring(timeline.draw(rec))

    def test_what_was_recorded_is_drawn(self):
        rec = record()
        root = self.draw(rec)
        adverts = [ms for b in rec["boxes"] for ms in b["adverts"]]
        self.assertEqual(len(classes(root, "good")), len(adverts))
        self.assertGreater(len(adverts), 5)
        said = texts(root)
        self.assertIn(f"{rec['stream']['lost']} lost", said)
        self.assertIn("fw1 is started again", said)
        took = rec["formula"]["to"]
        self.assertIn(f"3 · 1 s + 128/256 s = 3500.0 ms; measured {took:.1f} ms", said)
        self.assertEqual(len([e for e in classes(root, "dead") if "dash" in e.get("class")]), 1)

    def test_a_lost_run_is_as_long_as_it_was(self):
        rec = record()
        axis = timeline.Axis(rec["window"])
        since, until, _ = rec["stream"]["runs"][0]
        bar = [e for e in classes(self.draw(rec), "lost") if e.tag == NS + "rect"]
        self.assertEqual(len(bar), 1)
        self.assertAlmostEqual(float(bar[0].get("width")), axis.x(until) - axis.x(since), delta=0.02)

    def test_a_drain_loses_nothing_and_shows_its_bow_out(self):
        rec = record("drain")
        root = self.draw(rec)
        self.assertEqual(rec["stream"]["lost"], 0)
        self.assertEqual(classes(root, "lost"), [])
        self.assertEqual(len(classes(root, "bad")), 1)

    def test_what_is_outside_of_the_window_is_left_out(self):
        rec = record()
        rec["window"] = [-100, 100]
        inside = [ms for b in rec["boxes"] for ms in b["adverts"] if abs(ms) <= 100]
        root = self.draw(rec)
        self.assertEqual(len(classes(root, "good")), len(inside))
        self.assertNotIn("s", "".join(t[-1] for t in texts(root) if re.fullmatch(r"-?\d+ ?s?", t)))

    def test_labels_never_overlap(self):
        axis = timeline.Axis([0, 1000])
        placed, rows = timeline.place([(500 + i, "some longer text") for i in range(5)], axis)
        self.assertEqual(rows, 5)
        self.assertEqual(sorted(row for _, _, _, row in placed), [0, 1, 2, 3, 4])
        _, rows = timeline.place([(10, "a"), (900, "b")], axis)
        self.assertEqual(rows, 1)

    def test_text_is_quoted(self):
        rec = copy.deepcopy(record())
        rec["title"] = 'a < b & "c"'
        self.assertIn('a < b & "c"', texts(self.draw(rec)))

    def test_a_window_without_length_is_refused(self):
        rec = record()
        rec["window"] = [5, 5]
        with self.assertRaises(ValueError):
            timeline.draw(rec)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
