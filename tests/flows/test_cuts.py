"""Which ratings train and validate: protocols, splits and seeds, and a day long past."""

from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, stdev

import pandas as pd
import pytest

from collab.base.errors import CollabError
from collab.base.files import read_json
from collab.base.paths import DataDir
from collab.cli import main as collab
from collab.movielens.editions import ML_10M
from flows.plan import moment, protocols
from tests.archives import FIRST_TS, planted, write_archive
from tests.flows.running import run
from tests.published import query

LABELS = [f"random 20%, seed {seed}" for seed in (42, 1, 2)]
MIDDLE = datetime.fromtimestamp(FIRST_TS + 200 * 60, UTC)
pipeline = pytest.mark.usefixtures("prefect", "here")


@pipeline
def test_the_best_three_run_on_two_more_splits_and_the_outcome_says_what_to_expect(
    planted_zip: Path, data: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    """Means of users and movies are the worst by far where all is a matter of parity."""
    names = "bias_only,als,dot_product,fast_dot_product_bias_wd"
    assert run(planted_zip, data, "--variants", names, "--epochs", "30", "--splits", "42,1,2") == 0
    printed = capsys.readouterr().out
    ran = query(data, "SELECT variant, n_splits FROM leaderboard ORDER BY place")
    champion = "fast_dot_product_bias_wd"
    assert ran == [(champion, 3), ("als", 3), ("dot_product", 3), ("bias_only", 1)]
    mses = query(
        data, f"SELECT valid_mse FROM runs WHERE variant = '{champion}' AND NOT is_release"
    )
    found = [mse for (mse,) in mses]
    assert len(found) == 3
    told = f"{champion}: valid MSE {mean(found):.4f} ± {stdev(found):.4f} over 3 splits"
    assert f"{told}; refitted on all ratings." in printed
    info = query(data, "SELECT chosen_on, expected_mse, expected_sd FROM publish_info")
    assert info == [(LABELS, pytest.approx(mean(found)), pytest.approx(stdev(found)))]


@pipeline
def test_two_more_splits_are_the_default(planted_zip: Path, data: DataDir) -> None:
    more = ("--variants", "bias_only,als", "--split-seed", "7")
    assert run(planted_zip, data, *more) == 0
    assert query(data, "SELECT split_seed, count(*) FROM runs WHERE NOT is_release "
                 "GROUP BY ALL ORDER BY ALL") == [(1, 2), (2, 2), (7, 2)]  # fmt: skip
    assert query(data, "SELECT DISTINCT split_seed FROM runs WHERE is_current") == [(7,)]
    assert query(data, "SELECT DISTINCT seed FROM runs") == [(42,)]


@pipeline
def test_temporal_trains_before_and_validates_after(planted_zip: Path, data: DataDir) -> None:
    assert run(planted_zip, data, "--variants", "als", "--protocol", "temporal") == 0
    assert query(data, "SELECT DISTINCT split_name FROM runs WHERE is_current") == [
        ("temporal, last 20%",)
    ]
    n = len(planted().ratings)
    last = query(data, f"SELECT position FROM ratings ORDER BY ts DESC LIMIT {n // 5}")
    assert query(data, "SELECT position FROM predictions ORDER BY position DESC") == last


@pipeline
def test_folds_of_an_edition_without_them_are_fifths(tmp_path: Path, data: DataDir) -> None:
    archive = write_archive(tmp_path / "a.zip", ML_10M)
    more = ("--edition", "ml-10m", "--variants", "als", "--protocol", "u1")
    assert run(archive, data, *more) == 0
    chosen = query(data, "SELECT chosen_on FROM publish_info")
    assert chosen == [(["u1", "u2", "u3"],)]
    places = [
        set(pd.read_parquet(path)["position"])
        for path in data.runs.glob("*/predictions.parquet")
        if len(pd.read_parquet(path))
    ]
    assert [len(fold) for fold in places] == 3 * [len(planted().ratings) // 5]
    assert len(set.union(*places)) == sum(len(fold) for fold in places)


@pipeline
def test_a_day_long_past_is_published_but_never_served(
    planted_zip: Path,
    data: DataDir,
    capsys: pytest.CaptureFixture[str],
) -> None:
    quick = ("--variants", "als")
    as_of = MIDDLE.strftime("%Y-%m-%dT%H:%M:%S")
    assert run(planted_zip, data, *quick) == 0
    served = (data.serve / "ml-100k" / "current").resolve()
    capsys.readouterr()
    assert run(planted_zip, data, *quick, "--as-of", as_of) == 0
    printed = capsys.readouterr().out
    assert f"As of {MIDDLE.isoformat()}, not served: snapshot 000002" in printed
    assert (data.serve / "ml-100k" / "current").resolve() == served
    assert read_json(data.serve / "latest.json")["seq"] == 1

    earlier = [row for row in planted().ratings if row[3] <= MIDDLE.timestamp()]
    assert 0 < len(earlier) < len(planted().ratings)
    second = data.serve / "ml-100k" / "snapshots" / "000002" / "parquet"
    assert len(pd.read_parquet(second / "ratings.parquet")) == len(earlier)
    info = pd.read_parquet(second / "publish_info.parquet")
    assert info["as_of"].tolist() == [pd.Timestamp(MIDDLE).tz_localize(None)]

    assert collab(["--data-dir", str(data.root), "snapshots"]) == 0
    assert "as of 1997-11-20" in capsys.readouterr().out
    assert run(planted_zip, data, *quick, "--seed", "7") == 0  # it stands in the history from now
    there = query(data, "SELECT count(*) FROM runs WHERE as_of IS NOT NULL AND NOT is_current")
    assert there == [(2,)]


@pipeline
def test_a_day_after_all_ratings_takes_all_of_them(
    planted_zip: Path, data: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(planted_zip, data, "--variants", "als", "--as-of", "1999-01-01") == 0
    serve = data.serve / "ml-100k"
    ratings = serve / "snapshots" / "000001" / "parquet" / "ratings.parquet"
    assert len(pd.read_parquet(ratings)) == len(planted().ratings)
    assert not (serve / "current").exists()
    assert not (data.serve / "movielens.duckdb").exists()
    capsys.readouterr()
    assert run(planted_zip, data, "--variants", "als", "--as-of", "1999-01-01") == 0
    assert "Nothing has changed" in capsys.readouterr().out
    assert [path.name for path in (serve / "snapshots").iterdir()] == ["000001"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1998-01-01", datetime(1998, 1, 1, 23, 59, 59, tzinfo=UTC)),
        ("1998-01-01T12:00:00", datetime(1998, 1, 1, 12, tzinfo=UTC)),
        ("1998-01-01T12:00:00+02:00", datetime(1998, 1, 1, 10, tzinfo=UTC)),
        (None, None),
    ],
)
def test_moments(text: str | None, expected: datetime | None) -> None:
    assert moment(text) == expected


def test_protocols_named_by_their_seeds() -> None:
    assert [p.label for p in protocols("random", 42, [42, 1, 2])] == LABELS
    assert [p.label for p in protocols("random", 42, None)] == LABELS
    assert [p.split_seed for p in protocols("random", 1, None)] == [1, 42, 2]
    assert [p.split_seed for p in protocols("random", 42, [5, 5, 3])] == [5, 3]
    assert [p.name for p in protocols("u5", 42, None)] == ["u5", "u1", "u2"]
    assert [p.name for p in protocols("ua", 42, None)] == ["ua"]
    with pytest.raises(CollabError, match="--splits are seeds of --protocol random"):
        protocols("u1", 42, [1, 2])
