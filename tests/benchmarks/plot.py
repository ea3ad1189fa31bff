"""Lines on logarithmic axes as an SVG, so that a document can show how cost grows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 460, 300, 70, 46, 34
_COLOURS = ("#1f6fb4", "#d9711c", "#2b8a3e", "#8a3ea0")


def lines(title: str, across: str, up: str, series: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """A chart of series of (x, y), both greater than 0."""
    points = [point for found in series.values() for point in found]
    x_scale = _Scale([x for x, _ in points], _LEFT, _WIDTH - 16)
    y_scale = _Scale([y for _, y in points], _HEIGHT - _BOTTOM, _TOP)
    drawn = [f'<text x="{_WIDTH / 2}" y="18" text-anchor="middle" font-weight="bold">{title}</text>']
    for value, at in x_scale.ticks():
        drawn.append(f'<path d="M{at:.1f} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="#ddd"/>')
        drawn.append(f'<text x="{at:.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{value:g}</text>')
    for value, at in y_scale.ticks():
        drawn.append(f'<path d="M{_LEFT} {at:.1f}H{_WIDTH - 16}" stroke="#ddd"/>')
        drawn.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{value:g}</text>')
    for place, (name, found) in enumerate(series.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        path = " ".join(f"{x_scale.at(x):.1f},{y_scale.at(y):.1f}" for x, y in found)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [
            f'<circle cx="{x_scale.at(x):.1f}" cy="{y_scale.at(y):.1f}" r="3" fill="{colour}"/>' for x, y in found
        ]
        drawn.append(f'<text x="{_LEFT + 8}" y="{_TOP + 14 + 15 * place}" fill="{colour}">{name}</text>')
    drawn.append(f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 10}" text-anchor="middle">{across}</text>')
    drawn.append(f'<text transform="translate(14 {_HEIGHT / 2}) rotate(-90)" text-anchor="middle">{up}</text>')
    size = f'width="{_WIDTH}" height="{_HEIGHT}"'
    style = 'font-family="Noto Sans CJK SC, Microsoft YaHei, sans-serif" font-size="12"'
    ground = f'<rect {size} fill="white"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>{ground}{"".join(drawn)}</svg>\n'


class _Scale:
    """Whole powers of ten around the values, laid between two places."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self.first = math.floor(math.log10(min(values)))
        self.last = max(math.ceil(math.log10(max(values))), self.first + 1)
        self.start, self.end = start, end

    def at(self, value: float) -> float:
        """Where a value lies."""
        share = (math.log10(value) - self.first) / (self.last - self.first)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[tuple[float, float]]:
        """The powers of ten and where they lie."""
        return [(10.0**power, self.at(10.0**power)) for power in range(self.first, self.last + 1)]
