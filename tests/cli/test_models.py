"""`bias` and `similar`, asked of one run of the leaderboard."""

import pytest

from tests.typed import Capture, cells, error, out

pytestmark = pytest.mark.usefixtures("data_dir")


def test_bias_of_a_run(capsys: Capture) -> None:
    printed = out(capsys, "bias", "--model", "dot_product_bias_wd", "--top=1", "--bottom=1")
    assert printed.startswith("Bias of movies, by dot_product_bias_wd, highest first")
    first, last = cells(printed)
    assert first[:3] == ["1", "Planted 30 (2000)", "3.00"]
    assert last[:3] == ["30", "War of the Worlds (1953)", "0.10"]


def test_a_run_by_its_id_and_a_genre(capsys: Capture) -> None:
    run = "ml-latest-small-dot_product_bias_wd-0123456789ab"
    printed = out(capsys, "bias", "--model", run, "--genre=drama", "--top=1", "--bottom=0")
    assert [row[1] for row in cells(printed)] == ["Planted 29 (1999)"]


def test_similar_in_a_run(capsys: Capture) -> None:
    asked = ["similar", "silence of the lambs", "--model", "dot_product_bias_wd", "-k", "3"]
    printed = out(capsys, *asked)
    assert "Like Silence of the Lambs, The (1991) (id 4, 60 ratings), by dot" in printed
    ids = [row[-1] for row in cells(printed)]
    assert (sorted(ids[:2]), ids[2]) == (["3", "5"], ids[2])
    assert ids[2] in {"2", "6"}


def test_a_model_without_factors(capsys: Capture) -> None:
    for command in (["bias"], ["similar", "alien"]):
        said = error(capsys, *command, "--model", "embedding_nn")
        assert "Unknown model with factors 'embedding_nn'" in said
        assert "Known: dot_product_bias_wd." in said
