"""Bad input: a clear error, exit code 1, nothing published, the last publication intact."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from collab.base.files import sha256_file
from collab.base.paths import DataDir
from collab.movielens import sources
from collab.movielens.download import SourceError
from collab.movielens.editions import ML_32M, ML_100K
from flows.pipeline import main
from tests.archives import Planted, members, patched, planted, write_archive

pytestmark = pytest.mark.usefixtures("prefect", "here")

QUICK = {
    "--variants": "dot_product_bias_wd",
    "--epochs": "1",
    "--device": "cpu",
    "--minutes": "0.1",
}


@dataclass(frozen=True)
class Published:
    """A data folder with a publication."""

    data: DataDir

    def state(self) -> dict[str, str]:
        """Every file served, by content."""
        files = (path for path in self.data.serve.rglob("*") if path.is_file())
        return {str(path): sha256_file(path) for path in files}


@pytest.fixture(scope="module")
def published(
    prefect: None, planted_zip: Path, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    """A good publication made before the bad input comes."""
    data = DataDir(tmp_path_factory.mktemp("published"))
    options = ["--archive", str(planted_zip), "--data-dir", str(data.root), "--trust-archive"]
    assert main([*options, *quick()]) == 0
    return Published(data)


def quick(*more: str) -> list[str]:
    """Options that make a run short, without those that are given anyway."""
    return [word for name, value in QUICK.items() if name not in more for word in (name, value)]


def ratings_with(line: str) -> str:
    """The planted u.data with one more line at its end."""
    return members(ML_100K, planted())["u.data"] + line + "\n"


def truncated(folder: Path) -> Path:
    path = write_archive(folder / "a.zip", ML_100K)
    path.write_bytes(path.read_bytes()[:-200])
    return path


def leaving(folder: Path) -> Path:
    path = write_archive(folder / "a.zip", ML_100K)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../evil.txt", "x")
    return path


def without_a_member(folder: Path) -> Path:
    return write_archive(folder / "a.zip", ML_100K, changed={"u.item": None})


def html(folder: Path) -> Path:
    path = folder / "a.zip"
    path.write_text("<html><body>Please log in</body></html>")
    return path


def rating_of_7(folder: Path) -> Path:
    return write_archive(
        folder / "a.zip", ML_100K, changed={"u.data": ratings_with("1\t5\t7\t9" + "0" * 8)}
    )


def text_for_a_number(folder: Path) -> Path:
    changed = {"u.data": ratings_with("1\tfive\t4\t900000000")}
    return write_archive(folder / "a.zip", ML_100K, changed=changed)


def duplicate(folder: Path) -> Path:
    good = planted()
    return write_archive(
        folder / "a.zip", ML_100K, Planted([*good.ratings, good.ratings[3]], good.movies)
    )


def empty(folder: Path) -> Path:
    return write_archive(folder / "a.zip", ML_100K, changed={"u.data": ""})


def unknown_movie(folder: Path) -> Path:
    changed = {"u.data": ratings_with("1\t999\t4\t900000000")}
    return write_archive(folder / "a.zip", ML_100K, changed=changed)


def fraction_for_an_id(folder: Path) -> Path:
    changed = {"u.data": ratings_with("1.7\t5\t4\t900000000")}
    return write_archive(folder / "a.zip", ML_100K, changed=changed)


def rated_by_each(folder: Path, movies: int, users: int) -> Path:
    """An archive in which the first users rate the first movies."""
    good = planted()
    ratings = [
        (user, movie, 4.0, 900_000_000 + user)
        for movie in range(1, movies + 1)
        for user in range(1, users + 1)
    ]
    return write_archive(folder / "a.zip", ML_100K, Planted(ratings, good.movies))


def four_ratings(folder: Path) -> Path:
    return rated_by_each(folder, movies=2, users=2)


def one_item(folder: Path) -> Path:
    return rated_by_each(folder, movies=1, users=12)


def encrypted(folder: Path) -> Path:
    path = write_archive(folder / "a.zip", ML_100K)
    return patched(path, 6, 8, 1)


def mixed_line_ends(folder: Path) -> Path:
    text = members(ML_100K, planted())["u.item"].replace("\n", "\r\n", 1)
    return write_archive(folder / "a.zip", ML_100K, changed={"u.item": text})


LINES = len(planted().ratings)
ARCHIVES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "truncated": (truncated, "is not a whole zip"),
    "leaving the folder": (leaving, "'../../evil.txt', whose path leaves the folder"),
    "encrypted": (encrypted, "a.zip: ml-100k/u.data is encrypted. Unzip it with its password"),
    "mixed line ends": (mixed_line_ends, "u.item, line 2: it ends in LF, those before it in CRLF"),
    "member missing": (without_a_member, "has no ml-100k/u.item"),
    "html page": (html, "is an HTML page, not a zip"),
    "rating of 7": (rating_of_7, "rating_on_scale: 1 failing, first: position="),
    "text for a number": (text_for_a_number, f"u.data, line {LINES + 1}: "),
    "duplicate": (duplicate, "user_movie_unique: 1 failing, first: user_id="),
    "empty ratings": (empty, "ratings_not_empty"),
    "fraction for an id": (fraction_for_an_id, f'u.data, line {LINES + 1}: the column "user_id"'),
    "four ratings": (four_ratings, "There are 4 ratings; at least 5 are needed"),
    "one item": (one_item, "are all of one item; at least 2 items"),
    "movie unknown": (unknown_movie, "movie_known: 1 failing, first: position="),
}


def refused(published: Published, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Run with bad input; the last publication must stand. Returns the error as printed."""
    before = published.state()
    given = ["--data-dir", str(published.data.root), *quick(*options), *options]
    assert main(given) == 1
    assert published.state() == before
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    assert "Traceback" not in printed.out
    return printed.err[printed.err.rindex("error: ") :]


@pytest.mark.parametrize(("make", "message"), ARCHIVES.values(), ids=ARCHIVES)
def test_an_archive(
    published: Published,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], Path],
    message: str,
) -> None:
    error = refused(published, capsys, "--archive", str(make(tmp_path)), "--trust-archive")
    assert message in error


def test_a_wrong_checksum(
    published: Published, planted_zip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refused(published, capsys, "--archive", str(planted_zip))
    assert "u.data, u.item, u.user differs from the published ml-100k" in error
    assert "--trust-archive" in error


def test_a_swapped_header(
    published: Published, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = members(ML_32M, planted())["ratings.csv"].replace("userId,movieId", "movieId,userId", 1)
    archive = write_archive(tmp_path / "a.zip", ML_32M, changed={"ratings.csv": text})
    options = ("--edition", "ml-32m", "--archive", str(archive), "--trust-archive")
    error = refused(published, capsys, *options)
    assert "the header is 'movieId,userId,rating,timestamp', expected 'userId,movieId" in error


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--edition", "ml-100", "Did you mean ml-100k?"),
        ("--variants", "dot_produkt", "Did you mean dot_product?"),
        ("--variants", "collab_nn", "add one that has"),
        ("--variants", ",", "list of variants is empty"),
        ("--seed", "-1", "The seed is -1, expected a number from 0 to"),
        ("--seed", str(2**63), "The seed is 9223372036854775808, expected"),
        ("--device", "cpu:7", "Unknown device 'cpu:7'"),
        ("--device", "cuda:99", "Use --device auto or cpu"),
        ("--epochs", "0", "at least 1"),
        ("--protocol", "temporl", "Did you mean temporal?"),
        ("--protocol", "all", "leaves no rows to measure errors on"),
        ("--protocol", "ua", "holds no fold ua"),
        ("--split-seed", "-1", "The split seed is -1, expected a number from 0 to"),
        ("--as-of", "yesterday", "'yesterday' is no day; expected one such as 1998-01-01"),
        ("--as-of", "1990-01-01", "Only 0 ratings of ml-100k are as old as 1990-01-01 23:59"),
        ("--archive", "/nowhere/ml-100k.zip", "no such file or folder"),
    ],
)
def test_an_option(
    published: Published,
    capsys: pytest.CaptureFixture[str],
    option: str,
    value: str,
    message: str,
) -> None:
    assert message in refused(published, capsys, option, value)


def test_a_folder_that_duckdb_cannot_open(
    planted_zip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "what?"
    assert main(["--data-dir", str(place), "--archive", str(planted_zip), *quick()]) == 1
    assert capsys.readouterr().err.startswith(f"error: The data folder {str(place)!r} has '?' in")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written(
    planted_zip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()  # root may write any folder, but none below a file
    place = tmp_path / "file" / "data"
    assert main(["--data-dir", str(place), "--archive", str(planted_zip), *quick()]) == 1
    assert f"error: The data folder {place} cannot be written" in capsys.readouterr().err


def test_grouplens_unreachable_and_no_mirror(
    published: Published, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(url: str, partial: Path) -> None:
        raise SourceError("no route to host")

    monkeypatch.setattr(sources, "download", unreachable)
    error = refused(published, capsys, "--edition", "ml-1m")
    assert "https://files.grouplens.org/datasets/movielens/ml-1m.zip: no route to host" in error
    assert "MOVIELENS_MIRROR" in error
