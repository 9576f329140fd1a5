"""Text as other programs save it: encodings, byte order marks, line ends, quotes, blanks."""

import zipfile
from pathlib import Path

import duckdb
import pytest

from collab.base.errors import CollabError
from collab.movielens.checks import run_checks
from collab.movielens.editions import ML_1M, ML_10M, ML_32M, ML_100K, Edition
from collab.movielens.layouts import layout_of
from collab.movielens.members import Members
from collab.movielens.parse import parse
from tests.archives import members, planted

LAYOUTS = [ML_100K, ML_1M, ML_10M, ML_32M]
BOM = b"\xef\xbb\xbf"


def parsed(
    folder: Path, edition: Edition, texts: dict[str, bytes], *, zipped: bool = True
) -> duckdb.DuckDBPyConnection:
    """The tables of an archive with these texts; those not given are as planted, in UTF-8."""
    whole = {name: text.encode() for name, text in members(edition, planted()).items()} | texts
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in whole.items():
            archive.writestr(name, content)
    if not zipped:
        path = folder / "day=3 [x]*"  # nothing of it is a pattern or a column
        zipfile.ZipFile(folder / "a.zip").extractall(path)
    con = duckdb.connect()
    parse(con, Members.of(path, edition), edition, "movie", folder)
    return con


def texts(edition: Edition) -> dict[str, bytes]:
    return {name: text.encode() for name, text in members(edition, planted()).items()}


@pytest.mark.parametrize(("mark", "zipped"), [(b"", True), (BOM, False)])
@pytest.mark.parametrize("edition", LAYOUTS, ids=lambda e: e.name)
def test_utf_8_in_every_member_of_every_layout(
    tmp_path: Path, edition: Edition, mark: bytes, zipped: bool
) -> None:
    changed = {name: mark + text for name, text in texts(edition).items()}
    users = layout_of(edition).users
    if users:
        changed[users.name] = changed[users.name].replace(b"01234", "Čačak".encode(), 1)
    con = parsed(tmp_path, edition, changed, zipped=zipped)
    assert con.execute("SELECT count(*) FROM ratings").fetchall() == [(len(planted().ratings),)]
    rows = con.execute("SELECT movie_id, title, genres FROM movies ORDER BY movie_id").fetchall()
    assert rows == planted().movies
    if users:
        assert con.execute("SELECT zip_code FROM users WHERE user_id = 1").fetchall() == [
            ("Čačak",)
        ]


@pytest.mark.parametrize("edition", [ML_100K, ML_1M], ids=lambda e: e.name)
def test_latin_1_stays_latin_1(tmp_path: Path, edition: Edition) -> None:
    name = layout_of(edition).movies.name
    text = members(edition, planted())[name].encode("latin-1")
    con = parsed(tmp_path, edition, {name: text})
    assert con.execute("SELECT title FROM movies WHERE movie_id = 1").fetchall() == [
        ("Misérables, Les (1995)",)
    ]


def test_a_byte_order_mark_says_utf_8(tmp_path: Path) -> None:
    text = BOM + members(ML_1M, planted())["movies.dat"].encode("latin-1")
    with pytest.raises(CollabError, match=r"movies\.dat, line 1: Invalid unicode.*Save .* UTF-8"):
        parsed(tmp_path, ML_1M, {"movies.dat": text})


@pytest.mark.parametrize("edition", [ML_100K, ML_32M], ids=lambda e: e.name)
def test_utf_16_is_named(tmp_path: Path, edition: Edition) -> None:
    name = layout_of(edition).movies.name
    changed = {name: texts(edition)[name].decode().encode("utf-16")}
    with pytest.raises(CollabError, match="is written in UTF-16; save it as UTF-8"):
        parsed(tmp_path, edition, changed)


def test_titles_that_were_garbled_before_are_warned_of(tmp_path: Path) -> None:
    garbled = texts(ML_32M)["movies.csv"].decode().replace("Misérables", "MisÃ©rables")
    con = parsed(tmp_path, ML_32M, {"movies.csv": garbled.encode()})
    (found,) = [r for r in run_checks(con, ML_32M, trust=True) if r.name == "title_not_garbled"]
    assert (found.severity, found.failures) == ("warning", 1)


@pytest.mark.parametrize(
    ("edition", "end"), [(ML_100K, b"\r\n"), (ML_32M, b"\r"), (ML_32M, b"\r\n")]
)
def test_line_ends_of_other_systems(tmp_path: Path, edition: Edition, end: bytes) -> None:
    changed = {name: text.replace(b"\n", end) for name, text in texts(edition).items()}
    con = parsed(tmp_path, edition, changed)
    rows = con.execute("SELECT movie_id, title, genres FROM movies ORDER BY 1").fetchall()
    assert rows == planted().movies


@pytest.mark.parametrize(
    ("edition", "member", "line", "end", "others"),
    [
        (ML_32M, "ratings", 1, b"\r\n", b"\n"),
        (ML_32M, "movies", 6, b"\r\n", b"\n"),
        (ML_100K, "ratings", 6, b"\n", b"\r\n"),
        (ML_1M, "movies", 6, b"\r", b"\n"),
    ],
)
def test_mixed_line_ends(
    tmp_path: Path, edition: Edition, member: str, line: int, end: bytes, others: bytes
) -> None:
    name = getattr(layout_of(edition), member).name
    lines = texts(edition)[name].splitlines()
    text = b"".join(t + (end if n == line else others) for n, t in enumerate(lines, 1))
    names = {b"\n": "LF", b"\r": "CR", b"\r\n": "CRLF"}
    # the second line is the first that differs from the first
    first = (2, others, end) if line == 1 else (line, end, others)
    said = (
        rf"{name}, line {first[0]}: it ends in {names[first[1]]}, those before it in "
        rf"{names[first[2]]}: mixed line ends\. Write all alike\."
    )
    with pytest.raises(CollabError, match=said):
        parsed(tmp_path, edition, {name: text})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (r'3,"He said \"no\" (1962)",Drama', r"line 2: Value with .*escaped by a backslash"),
        ('3,"No end (1962),Drama', "line 2: Value with .*opened and never closed"),
        ("3,Ocean, The (1962),Drama", "line 2: Expected .*the delimiter ','. Put it in double"),
        ("3,Short (1962)", r"line 2: Expected Number of Columns: 3 Found: 2"),
    ],
)
def test_what_csv_cannot_hold(tmp_path: Path, line: str, said: str) -> None:
    text = f"movieId,title,genres\n{line}\n4,Good (1999),War\n".encode()
    with pytest.raises(CollabError, match=rf"movies\.csv, {said}"):
        parsed(tmp_path, ML_32M, {"movies.csv": text})


@pytest.mark.parametrize(("edition", "name"), [(ML_100K, "u.item"), (ML_1M, "movies.dat")])
def test_a_delimiter_in_a_title(tmp_path: Path, edition: Edition, name: str) -> None:
    delimiter = layout_of(edition).movies.delimiter
    text = texts(edition)[name].replace(b"Planted 3", b"Planted" + delimiter.encode() + b"3")
    said = rf"{name}, line 3: E.* Does a field hold the delimiter '.+'\? This layout cannot quote"
    with pytest.raises(CollabError, match=said):
        parsed(tmp_path, edition, {name: text})


@pytest.mark.parametrize("edition", [ML_1M, ML_32M], ids=lambda e: e.name)
def test_what_is_no_genre(tmp_path: Path, edition: Edition) -> None:
    written = ["", "NaN", "nan", "None", "(no genres listed)", "||", "War|", "Drama|NaN"]
    movies = layout_of(edition).movies
    rows = [movies.delimiter.join([str(n), "A (1999)", g]) for n, g in enumerate(written, 1)]
    text = "\n".join([*([movies.header] if movies.header else []), *rows]) + "\n"
    con = parsed(tmp_path, edition, {movies.name: text.encode()})
    found = con.execute("SELECT genres FROM movies ORDER BY movie_id").fetchall()
    assert [genres for (genres,) in found] == [[], [], [], [], [], [], ["War"], ["Drama"]]
