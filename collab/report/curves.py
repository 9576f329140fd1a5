"""Learning curves as a small SVG: valid MSE by epoch, one line for each run."""

from html import escape

import pandas as pd

from collab.runs.run import Run

WIDTH, HEIGHT = 680, 360
LEFT, RIGHT, TOP, BOTTOM = 50, 210, 20, 40  # margins; the legend stands in the right one
# Okabe and Ito's colours, told apart also by the colour-blind
COLORS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#999999",
)  # fmt: skip


def learning_curves(runs: list[Run]) -> str:
    """The SVG text; the runs stand in the legend as they come, best first if so given."""
    curves = {run.record["variant"]: valid_mse(run) for run in runs}
    values = [value for curve in curves.values() for value in curve]
    low, high = min(values), max(values)
    longest = max(len(curve) for curve in curves.values())
    parts = [axes(low, high, longest)]
    for number, (name, curve) in enumerate(curves.items()):
        color = COLORS[number % len(COLORS)]
        dash = ' stroke-dasharray="5 3"' if number // len(COLORS) % 2 else ""
        at = [(x_of(i, longest), y_of(value, low, high)) for i, value in enumerate(curve)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        y = TOP + 12 + 18 * number
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"{dash}/>'
            f'<circle cx="{at[-1][0]:.1f}" cy="{at[-1][1]:.1f}" r="3" fill="{color}"/>'
            f'<text x="{WIDTH - RIGHT + 12}" y="{y}" fill="{color}">{escape(name)}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>'
    )


def valid_mse(run: Run) -> list[float]:
    """A run's valid MSE by epoch."""
    table = pd.read_parquet(run.folder / "metrics.parquet")
    chosen = table[(table["split"] == "valid") & (table["metric"] == "mse")]
    return [float(value) for value in chosen.sort_values("epoch")["value"]]


def x_of(index: int, longest: int) -> float:
    """Where an epoch stands, the first having index 0."""
    return LEFT + (WIDTH - LEFT - RIGHT) * index / max(1, longest - 1)


def y_of(value: float, low: float, high: float) -> float:
    """Where a value stands, the lowest at the bottom."""
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / ((high - low) or 1.0)


def axes(low: float, high: float, longest: int) -> str:
    """Both axes with the numbers at their ends."""
    floor, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    return (
        f'<path d="M{LEFT},{TOP} V{floor} H{right}" fill="none" stroke="#666"/>'
        f'<text x="4" y="{TOP + 4}">{high:.3f}</text><text x="4" y="{floor}">{low:.3f}</text>'
        f'<text x="{LEFT}" y="{floor + 16}">1</text>'
        f'<text x="{right - 12}" y="{floor + 16}">{longest}</text>'
        f'<text x="{(LEFT + right) / 2 - 20}" y="{floor + 30}">epoch</text>'
        f'<text x="{LEFT + 6}" y="{TOP - 6}">valid MSE</text>'
    )
