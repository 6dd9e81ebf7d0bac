"""Pictures of how figures grow with the catalogue, as SVG: one small plot a class, both axes
logarithmic, a line an engine."""

import math
from html import escape

COLOURS = {
    "pxs": "#c1272d",
    "SQLite": "#0072b2",
    "Lucene": "#009e73",
    "Groonga": "#8a6d00",
    "Xapian": "#7b5ea7",
}
COLUMNS = 4
WIDTH, HEIGHT = 230, 170  # of one plot, with its margins
LEFT, TOP, RIGHT, BOTTOM = 44, 26, 10, 24
LEGEND = 26


def short(value):
    """1e6 as 1M; times in ms as they are read."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def decades(low, high):
    return range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)


class Plot:
    def __init__(self, column, line, series):
        self.x0, self.y0 = column * WIDTH + LEFT, LEGEND + line * HEIGHT + TOP
        self.width, self.height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        points = [point for values in series.values() for point in values]
        self.sizes = sorted({size for size, _ in points})
        values = [value for _, value in points]
        self.exponents = decades(min(values), max(values))
        self.bottom, self.top = self.exponents[0], max(self.exponents[-1], self.exponents[0] + 1)

    def x(self, size):
        low, high = math.log(self.sizes[0]), math.log(self.sizes[-1])
        part = (math.log(size) - low) / (high - low) if high > low else 0.5
        return self.x0 + part * self.width

    def y(self, value):
        part = (math.log10(value) - self.bottom) / (self.top - self.bottom)
        return self.y0 + (1 - part) * self.height

    def frame(self, title):
        yield f'<text x="{self.x0 - LEFT + 6}" y="{self.y0 - 10}" class="t">{escape(title)}</text>'
        for exponent in range(self.bottom, self.top + 1):
            y = self.y(10**exponent)
            yield f'<path d="M{self.x0} {y:.1f}h{self.width}" class="g"/>'
            yield f'<text x="{self.x0 - 4}" y="{y + 3:.1f}" class="e">{short(10.0**exponent)}</text>'
        for size in self.sizes:
            x, y = self.x(size), self.y0 + self.height + 14
            yield f'<text x="{x:.1f}" y="{y}" class="m">{short(size)}</text>'

    def line(self, engine, values):
        colour = COLOURS[engine]
        points = [(self.x(size), self.y(value)) for size, value in sorted(values)]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        width = 2.2 if engine == "pxs" else 1.3
        yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
        for x, y in points:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.4" fill="{colour}"/>'


STYLE = (
    "text{font:11px sans-serif;fill:#333}.t{font-weight:bold}.e{text-anchor:end;font-size:9px}"
    ".m{text-anchor:middle;font-size:9px}.g{stroke:#ddd}"
)


def picture(plots):
    """PLOTS: (title, {engine: [(documents, value)]}). The text of an SVG file."""
    plots = [(title, {e: v for e, v in series.items() if v}) for title, series in plots]
    plots = [(title, series) for title, series in plots if series]
    lines = math.ceil(len(plots) / COLUMNS)
    width, height = COLUMNS * WIDTH, LEGEND + lines * HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    engines = [e for e in COLOURS if any(e in series for _, series in plots)]
    for place, engine in enumerate(engines):
        x = 8 + place * 90
        parts.append(f'<path d="M{x} 13h18" stroke="{COLOURS[engine]}" stroke-width="3"/>')
        parts.append(f'<text x="{x + 23}" y="17">{engine}</text>')
    for place, (title, series) in enumerate(plots):
        plot = Plot(place % COLUMNS, place // COLUMNS, series)
        parts += plot.frame(title)
        for engine in engines:
            if engine in series:
                parts += plot.line(engine, series[engine])
    return "\n".join([*parts, "</svg>", ""])
