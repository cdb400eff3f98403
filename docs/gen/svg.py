# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Pictures as SVG text: the few shapes that docs/pictures is made of, on light and dark pages.

Colours are names of classes, each told once for either page; a reader's browser chooses.
"""

from xml.sax.saxutils import escape

#: class: (property, on light, on dark)
COLOURS = {
    "page": ("fill", "#ffffff", "#0d1117"),
    "ink": ("fill", "#1f2328", "#e6edf3"),
    "soft": ("fill", "#59636e", "#9198a1"),
    "box": ("fill", "#f6f8fa", "#161b22"),
    "master": ("fill", "#2da44e", "#2ea043"),
    "backup": ("fill", "#b6d4f2", "#1f4b7a"),
    "init": ("fill", "#d0d7de", "#484f58"),
    "dead": ("fill", "#ffffff", "#0d1117"),
    "lost": ("fill", "#cf222e", "#f85149"),
    "flow": ("fill", "#8250df", "#a371f7"),
    "edge": ("stroke", "#8c959f", "#6e7681"),
    "grid": ("stroke", "#d8dee4", "#30363d"),
    "line": ("stroke", "#1f2328", "#e6edf3"),
    "way": ("stroke", "#8250df", "#a371f7"),
    "good": ("stroke", "#1a7f37", "#3fb950"),
    "bad": ("stroke", "#cf222e", "#f85149"),
}

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"


def number(value):
    """As short as it can be told; never -0."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def width_of(text, size=12):
    """About how wide a text becomes, in the fonts that browsers take."""
    return len(text) * size * 0.56


class Svg:
    """A picture; coordinates in pixels from the top left."""

    def __init__(self, width, height, title, said):
        self.width, self.height = width, height
        self.title, self.said = title, said
        self.body = [self._tag("rect", "page", x=0, y=0, width=width, height=height, rx=6)]

    @staticmethod
    def _tag(name, classes, inner=None, **attributes):
        attributes = {
            k.replace("_", "-"): number(v) if isinstance(v, (int, float)) else v
            for k, v in attributes.items() if v is not None
        }
        told = "".join(f' {k}="{escape(v, {chr(34): "&quot;"})}"' for k, v in attributes.items())
        end = "/>" if inner is None else f">{inner}</{name}>"
        return f'<{name} class="{classes}"{told}{end}'

    def rect(self, classes, x, y, width, height, rx=None):
        """A rectangle."""
        self.body.append(
            self._tag("rect", classes, x=x, y=y, width=max(width, 0.5), height=height, rx=rx)
        )

    def line(self, classes, x1, y1, x2, y2):
        """A straight line."""
        self.body.append(self._tag("line", classes, x1=x1, y1=y1, x2=x2, y2=y2))

    def arrow(self, classes, *points):
        """A line over several points with a head at its end."""
        way = " ".join(f"{number(x)},{number(y)}" for x, y in points)
        self.body.append(
            self._tag("polyline", classes + " arrow", points=way, marker_end="url(#head)")
        )

    def text(self, x, y, said, classes="ink", size=12, anchor="start"):
        """Text on the base line y."""
        self.body.append(
            self._tag("text", classes, escape(said), x=x, y=y, font_size=size,
                      text_anchor=anchor if anchor != "start" else None)
        )

    def labelled(self, classes, x, y, width, height, *lines):
        """A box with lines of text in its middle, the first one bold."""
        self.rect(classes + " edge", x, y, width, height, rx=5)
        top = y + height / 2 - 8 * (len(lines) - 1) + 4
        for i, said in enumerate(lines):
            self.text(x + width / 2, top + 16 * i, said, "ink bold" if i == 0 else "soft",
                      13 if i == 0 else 11, "middle")

    def __str__(self):
        light = "".join(f".{c}{{{p}:{a}}}" for c, (p, a, _) in COLOURS.items())
        dark = "".join(f".{c}{{{p}:{b}}}" for c, (p, _, b) in COLOURS.items())
        style = (
            f"text{{font-family:{FONT}}}.bold{{font-weight:600}}.dash{{stroke-dasharray:4 3}}"
            f".arrow{{fill:none;stroke-width:1.6}}.thick{{stroke-width:2.5}}{light}"
            f"@media (prefers-color-scheme:dark){{{dark}}}"
        )
        head = (
            '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" '
            'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto-start-reverse">'
            '<path class="soft" d="M0 0L8 4L0 8z"/></marker>'
        )
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" role="img">',
            "<!-- SPDX-License-Identifier: BSD-3-Clause",
            "     Copyright (c) 2026 the koi contributors -->",
            f"<title>{escape(self.title)}</title>",
            f"<desc>{escape(self.said)}</desc>",
            f"<style>{style}</style>",
            f"<defs>{head}</defs>",
            *self.body,
            "</svg>",
        ]) + "\n"
