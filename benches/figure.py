"""The figure: the time of each reader as a multiple of this project's, one row per scenario, on a logarithmic scale."""

import math
from collections.abc import Sequence
from html import escape

from measure import Result
from readers import FLOOR, PROJECT, ROOT, Reader
from report import ratios
from scenarios import Scenario

TARGET = ROOT / "docs" / "assets" / "benchmark.svg"
WIDTH, LEFT, RIGHT, TOP, ROW, FOOT = 860, 215, 120, 74, 24, 62
TICKS = tuple(2.0**power for power in range(-10, 13))
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.small { font-size: 11px; fill: #57606a; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.one { stroke: #57606a; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .small { fill: #9198a1; }
  .grid { stroke: #3d444d; }
  .one { stroke: #9198a1; }
}
"""


def draw(results: Sequence[Result], scenarios: Sequence[Scenario], readers: Sequence[Reader], record: dict) -> None:
    """Draw the results with the most threads. Without times of this project nothing is drawn."""
    threads = max(r.threads for r in results)
    ratio = {(s, r): value for (s, t, r), value in ratios(results).items() if t == threads}
    if not ratio:
        return
    rows = [s for s in scenarios if (s.name, PROJECT) in ratio]
    failed = [(r.scenario, r.reader) for r in results if r.threads == threads and r.status != "ok"]
    scale = Scale(list(ratio.values()))
    bottom = TOP + ROW * len(rows)
    label = "Time taken by each reader as a multiple of this project's"
    root = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + FOOT}" role="img"'
    parts = [f'{root} aria-label="{label}"><style>{STYLE}</style>', *legend(readers), *grid(scale, bottom)]
    for i, scenario in enumerate(rows):
        y = TOP + ROW * i + ROW / 2
        parts.append(f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(scenario.title)}</text>')
        # This project is drawn last, above readers with the same time.
        timed = [reader for reader in reversed(readers) if (scenario.name, reader.name) in ratio]
        parts += [mark(reader, scale.at(ratio[scenario.name, reader.name]), y) for reader in timed]
        cannot = [reader for reader in readers if (scenario.name, reader.name) in failed]
        parts += [mark(reader, WIDTH - RIGHT + 22 + 15 * k, y) for k, reader in enumerate(cannot)]
    parts += [*foot(record, threads, bottom), "</svg>\n"]
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text("\n".join(parts))


class Scale:
    """The logarithmic axis, from the tick below the smallest ratio to the tick above the largest."""

    def __init__(self, values: Sequence[float]) -> None:
        self.low = max(tick for tick in TICKS if tick <= max(min(values), TICKS[0]) and tick <= 1)
        self.high = min(tick for tick in TICKS if tick >= min(max(values), TICKS[-1]) and tick >= 2)
        self.ticks = [tick for tick in TICKS if self.low <= tick <= self.high]

    def at(self, value: float) -> float:
        """Return the position of a ratio, clamped to the axis."""
        clamped = min(max(value, self.low), self.high)
        part = math.log(clamped / self.low) / math.log(self.high / self.low)
        return LEFT + part * (WIDTH - LEFT - RIGHT)


def grid(scale: Scale, bottom: float) -> list[str]:
    """Return the axis with its ticks, and the heading of the column for readers without a result."""
    parts = []
    for tick in scale.ticks:
        x, kind = scale.at(tick), "one" if tick == 1 else "grid"
        parts.append(f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>')
        label = f"{tick:g}x" if tick >= 1 else f"1/{1 / tick:g}"
        parts.append(f'<text class="small" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{label}</text>')
    heading = f'<text class="small" x="{WIDTH - 8}" y="{TOP - 10}" text-anchor="end">no or wrong answer</text>'
    parts.append(heading)
    return parts


def legend(readers: Sequence[Reader]) -> list[str]:
    """Return the marks and the names of the readers."""
    parts, x = [], 20.0
    for reader in readers:
        parts += [mark(reader, x, 24), f'<text x="{x + 10}" y="28">{escape(reader.name)}</text>']
        x += 40 + 6.6 * len(reader.name)
    return parts


def foot(record: dict, threads: int, bottom: float) -> list[str]:
    """Return the lines below the axis."""
    machine = record["machine"]
    lines = (
        "time as a multiple of this project's, median; shorter is to the left",
        f"{machine['processor']}, {threads} thread{'s' if threads > 1 else ''}, {record['date']}",
    )
    return [
        f'<text class="small" x="{LEFT}" y="{bottom + 36 + 16 * i}">{escape(line)}</text>'
        for i, line in enumerate(lines)
    ]


def mark(reader: Reader, x: float, y: float) -> str:
    """Return the reader's mark, centred at a point."""
    paths = {
        "square": "M-4-4h8v8h-8z",
        "triangle": "M0-5L5 4H-5z",
        "diamond": "M0-5.5L5.5 0L0 5.5L-5.5 0z",
        "cross": "M-4-4L4 4M4-4L-4 4",
        "plus": "M0-5V5M-5 0H5",
        "line": "M0-8V8",
        "ring": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
        "disc": "M-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0-11 0z",
    }
    open_shape = reader.mark in ("cross", "plus", "line", "ring")
    paint = f'fill="none" stroke="{reader.colour}" stroke-width="2.2"' if open_shape else f'fill="{reader.colour}"'
    title = escape(reader.name if reader.name != FLOOR else "decompression alone")
    place = f'transform="translate({x:.1f} {y:.1f})"'
    return f'<path d="{paths[reader.mark]}" {place} {paint}><title>{title}</title></path>'
