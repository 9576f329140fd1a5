"""The whole way at sizes where what learns must learn: made-up ratings with planted factors."""

from pathlib import Path

import pytest

from benchmarks.archive import write_archive
from collab.base.paths import DataDir
from collab.cli.app import run as run_app
from flows.pipeline import app
from tests.published import query

pytestmark = pytest.mark.usefixtures("prefect", "here")

VARIANTS = ("als", "bias_only", "fast_dot_product_bias_wd")


@pytest.mark.parametrize(
    "ratings",
    [
        pytest.param(200_000, id="200k"),
        pytest.param(2_000_000, id="2M", marks=pytest.mark.slow),
    ],
)
def test_the_champion_has_learnt_more_than_means(
    tmp_path: Path, data: DataDir, ratings: int
) -> None:
    archive = write_archive(tmp_path / "made-up.zip", ratings)
    command = ["--edition", "ml-32m", "--archive", str(archive), "--trust-archive"]
    command += ["--data-dir", str(data.root), "--variants", ",".join(VARIANTS)]
    assert run_app(app, [*command, "--splits", "42", "--device", "cpu"]) == 0
    found = query(data, "SELECT variant, mean_mse FROM standings")
    errors: dict[str, float] = {variant: mse for variant, mse in found}  # noqa: C416
    assert sorted(errors) == list(VARIANTS)
    ((champion,),) = query(data, "SELECT champion_variant FROM publish_info")
    assert errors[champion] < errors["bias_only"]
    counts = "SELECT count(*), count(DISTINCT (user_id, movie_id)) FROM ratings"
    assert query(data, counts) == [(ratings, ratings)]
    for table in ("movies", "users", "user_bias", "movie_bias", "movie_similarity", "movie_pca"):
        ((rows,),) = query(data, f"SELECT count(*) FROM {table}")
        assert rows > 0, table
