"""The colours: contrast with the page, and apart from each other for the colour-blind."""

import re
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from collab.report.page import ASSETS
from collab.report.theme import GENRE_SHAPES, OTHER_SHAPE

# G. M. Machado et al., A physiologically-based model for simulation of color vision deficiency,
# 2009: severity 1, on linear RGB.
SEEN = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
}
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = TO_XYZ.sum(axis=1)
APART = 20.0  # CIE 1976 distance; about 2.3 can just be seen side by side
Vector = NDArray[np.float64]


def linear(color: str) -> Vector:
    """`#rrggbb` as linear RGB, 0 to 1."""
    parts = np.array([int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(rgb: Vector) -> Vector:
    """Linear RGB as CIE L*a*b*."""
    ratio = TO_XYZ @ np.clip(rgb, 0, 1) / WHITE
    x, y, z = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def luminance(color: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2)."""
    return float(np.array([0.2126, 0.7152, 0.0722]) @ linear(color))


def colors_of(theme: int) -> dict[str, str]:
    """The colours of the light (0) or the dark (1) theme, by name."""
    style = (ASSETS / "style.css").read_text(encoding="utf-8")
    block = re.findall(r":root \{(.*?)\}", style, re.S)[theme]
    return dict(re.findall(r"--([\w-]+): (#\w{6})", block))


def test_the_space_of_colours_is_right() -> None:
    assert lab(linear("#ffffff")) == pytest.approx([100, 0, 0], abs=0.01)
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    red, green = (lab(SEEN["deuteranopia"] @ linear(color)) for color in ("#c6372c", "#8a7a00"))
    assert np.linalg.norm(red - green) < APART, "what this test is to find"


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_genres_are_told_apart_by_whoever_looks(theme: int, seen: str) -> None:
    genres = {name: c for name, c in colors_of(theme).items() if name.startswith("genre-")}
    assert len(genres) == len(GENRE_SHAPES) + 1
    assert len({*GENRE_SHAPES, OTHER_SHAPE}) == len(genres), "each has a shape of its own, too"
    for one, other in combinations(genres, 2):
        a, b = (lab(SEEN[seen] @ linear(genres[name])) for name in (one, other))
        assert np.linalg.norm(a - b) >= APART, f"{one} and {other}"


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colors_have_contrast(theme: int) -> None:
    colors = colors_of(theme)
    for background in ("page", "raised"):
        for name in set(colors) - {"page", "raised", "line"}:
            low, high = sorted((luminance(colors[name]), luminance(colors[background])))
            needed = 3.0 if name.startswith("genre") else 4.5
            assert (high + 0.05) / (low + 0.05) >= needed, f"{name} on {background}"
