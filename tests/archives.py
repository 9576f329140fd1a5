"""Planted archives in every layout: even users love even movies, odd users odd ones.

So neighbours must share parity, the last two movies are one title under two ids, and every title is
known letter by letter.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from collab.movielens.editions import Edition
from collab.movielens.layouts import GENRE_FLAGS, layout_of

N_USERS = 24
N_MOVIES = 17
FIRST_TS = 880_000_000
LOCAL, CENTRAL = b"PK\3\4", b"PK\1\2"  # where the headers of a zip begin


@dataclass(frozen=True)
class Planted:
    """The rows of an archive: ratings (user, movie, rating, ts), movies (id, title, genres)."""

    ratings: list[tuple[int, int, float, int]]
    movies: list[tuple[int, str, list[str]]]


def planted() -> Planted:
    """Every user rates every movie but each fifth pair: 5 where the parities agree, else 1.

    The order is by movie, then user, so that archive order differs from the order by user.
    """
    pairs = [(u, m) for m in range(1, N_MOVIES + 1) for u in range(1, N_USERS + 1)]
    ratings = [
        (u, m, 5.0 if u % 2 == m % 2 else 1.0, FIRST_TS + 60 * n)
        for n, (u, m) in enumerate(pairs)
        if (u + 3 * m) % 5
    ]
    titles = {1: "Misérables, Les (1995)", 2: 'Say "Cheese", Now (1999)', N_MOVIES: movie_title(15)}
    movies = [
        (m, titles.get(m, movie_title(m)), ["Drama", "War"] if m % 2 else ["Comedy"])
        for m in range(1, N_MOVIES + 1)
    ]
    return Planted(ratings=ratings, movies=movies)


def movie_title(movie: int) -> str:
    """The title planted for most movies."""
    return f"Planted {movie} ({1980 + movie})"


def number(value: float, *, whole: bool) -> str:
    """A rating as the layout writes it."""
    return str(int(value)) if whole else str(value)


def members(edition: Edition, rows: Planted) -> dict[str, str]:
    """The text of every member, by name."""
    layout = layout_of(edition)
    rating_lines = [
        [str(u), str(m), number(r, whole=edition.scale.step == 1), str(ts)]
        for u, m, r, ts in rows.ratings
    ]
    users = sorted({u for u, *_ in rows.ratings})
    if edition.layout == "tab":
        flags = {m: [str(int(g in genres)) for g in GENRE_FLAGS] for m, _, genres in rows.movies}
        movie_lines = [
            [str(m), t, "01-Jan-1995", "", "http://x", *flags[m]] for m, t, _ in rows.movies
        ]
        user_lines = [
            [str(u), str(20 + u), "F" if u % 2 else "M", "writer", "01234"] for u in users
        ]
    else:
        movie_lines = [[str(m), csv_text(t, edition), "|".join(g)] for m, t, g in rows.movies]
        user_lines = [[str(u), "F" if u % 2 else "M", str(20 + u), "7", "01234"] for u in users]
    texts = {}
    for member, lines in (
        (layout.ratings, rating_lines),
        (layout.movies, movie_lines),
        (layout.users, user_lines),
    ):
        if member:
            head = [member.header] if member.header else []
            body = [member.delimiter.join(line) for line in lines]
            texts[member.name] = "\n".join([*head, *body]) + "\n"
    return texts


def fold_of(position: int) -> str:
    """The fold of `u1` to `u5` that a planted rating validates in."""
    return f"u{position % 7 % 5 + 1}"


def fold_files(rows: Planted) -> dict[str, str]:
    """Files of ml-100k's folds, for `write_archive`'s `changed`, not in the archive's order.

    `u1` to `u5` by `fold_of`; `ua` and `ub` hold the first and the last rating.
    """
    folds: dict[str, list[int]] = {}
    for position in reversed(range(len(rows.ratings))):
        folds.setdefault(fold_of(position), []).append(position)
    folds |= {"ua": [0], "ub": [len(rows.ratings) - 1]}
    return {f"{name}.test": rating_text(rows, at) for name, at in folds.items()}


def rating_text(rows: Planted, positions: list[int]) -> str:
    """Some ratings as ml-100k writes them."""
    chosen = (rows.ratings[position] for position in positions)
    return "".join(f"{u}\t{m}\t{int(r)}\t{ts}\n" for u, m, r, ts in chosen)


def csv_text(text: str, edition: Edition) -> str:
    """A field quoted as CSV where the layout is CSV and it needs to be."""
    if edition.layout == "csv" and ("," in text or '"' in text):
        return '"' + text.replace('"', '""') + '"'
    return text


def write_archive(
    path: Path,
    edition: Edition,
    rows: Planted | None = None,
    changed: Mapping[str, str | None] | None = None,
) -> Path:
    """Write an edition's zip; `changed` adds or replaces members' texts, None leaves one out."""
    texts: dict[str, str | None] = {**members(edition, rows or planted()), **(changed or {})}
    encodings = {member.name: member.encoding for member in layout_of(edition).members}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            if text is not None:
                content = text.encode(encodings.get(name, "utf-8"))
                archive.writestr(f"{edition.folder}/{name}", content)
    return path


def patched(path: Path, local: int, central: int, value: int) -> Path:
    """Set one byte in each header: the flags (6, 8), the version (4, 6) or the method (8, 10)."""
    content = bytearray(path.read_bytes())
    for magic, offset in ((LOCAL, local), (CENTRAL, central)):
        at = content.find(magic)
        while at >= 0:
            content[at + offset] = value
            at = content.find(magic, at + 4)
    path.write_bytes(content)
    return path
