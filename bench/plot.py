"""Line plots as SVG, drawn by hand: one set of axes, points joined by lines, a legend."""

import math
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 170, 40, 48
COLOURS = ("#1769aa", "#c4501b", "#3a7d34", "#8a3ba8", "#777777", "#b08900")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name, and its points from left to right. A dashed one is a reference."""

    name: str
    points: list[tuple[float, float]]
    dashed: bool = False


def ticks(largest: float) -> list[float]:
    """Return round numbers from zero up to the first that is not below the largest value."""
    if largest <= 0:
        return [0.0, 1.0]
    rough = largest / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    return [step * index for index in range(math.ceil(largest / step - 1e-9) + 1)]


def draw(title: str, x_name: str, y_name: str, lines: list[Line]) -> str:
    """Return the plot as an SVG document; both axes begin at zero."""
    xs = ticks(max(x for line in lines for x, _ in line.points))
    ys = ticks(max(y for line in lines for _, y in line.points))

    def place(x: float, y: float) -> tuple[float, float]:
        across = LEFT + x / xs[-1] * (WIDTH - LEFT - RIGHT)
        return round(across, 1), round(HEIGHT - BOTTOM - y / ys[-1] * (HEIGHT - TOP - BOTTOM), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>',
    ]
    for y in ys:
        (x0, at), (x1, _) = place(0, y), place(xs[-1], y)
        parts.append(f'<line x1="{x0}" y1="{at}" x2="{x1}" y2="{at}" stroke="#ddd"/>')
        parts.append(f'<text x="{x0 - 6}" y="{at + 4}" text-anchor="end">{y:g}</text>')
    for x in xs:
        at, bottom = place(x, 0)
        parts.append(f'<text x="{at}" y="{bottom + 16}" text-anchor="middle">{x:g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x_name)}</text>')
    parts.append(
        f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{escape(y_name)}</text>'
    )
    for index, line in enumerate(lines):
        colour = COLOURS[index % len(COLOURS)]
        dash = ' stroke-dasharray="5 4"' if line.dashed else ""
        placed = [place(x, y) for x, y in line.points]
        path = " ".join(f"{x},{y}" for x, y in placed)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        if not line.dashed:
            parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in placed]
        at = TOP + 16 * index
        parts.append(f'<line x1="{WIDTH - RIGHT + 8}" y1="{at}" x2="{WIDTH - RIGHT + 30}" y2="{at}" '
                     f'stroke="{colour}" stroke-width="2"{dash}/>')  # fmt: skip
        parts.append(f'<text x="{WIDTH - RIGHT + 36}" y="{at + 4}">{escape(line.name)}</text>')
    return "\n".join([*parts, "</svg>", ""])
