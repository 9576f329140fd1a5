"""The tables of a run folder."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from torch import Tensor

from collab.dataset.dataset import Dataset
from collab.dataset.rows import Rows
from collab.dataset.vocabulary import UNKNOWN
from collab.runs.ranking import Ranking

if TYPE_CHECKING:
    from collab.runs.train import Progress


RELIABILITY = "reliability.parquet"


def write_predictions(
    folder: Path, dataset: Dataset, valid: Rows, predicted: Tensor, sd: Tensor | None
) -> None:
    """`predictions.parquet`: the validation rows with ids, rating, prediction and, if known, sd."""
    table = pd.DataFrame(
        {
            "position": dataset.array("valid_position"),
            "user_id": dataset.array("valid_user_id"),
            "movie_id": dataset.array("valid_movie_id"),
            "rating": valid.ratings.numpy(),
            "prediction": predicted.numpy(),
            "user_known": (valid.users != UNKNOWN).numpy(),
            "item_known": (valid.items != UNKNOWN).numpy(),
            "repeated": dataset.array("valid_repeated"),
            **({} if sd is None else {"sd": sd.numpy()}),
        }
    )
    table.to_parquet(folder / "predictions.parquet", index=False)


def write_reliability(folder: Path, found: pd.DataFrame | None) -> None:
    """`reliability.parquet`, of a model that says how sure it is."""
    if found is not None:
        found.to_parquet(folder / RELIABILITY, index=False)


def write_metrics(
    folder: Path, history: Sequence["Progress"], ranking: Ranking | None = None
) -> None:
    """`metrics.parquet`: the history in long form, and how the model ranks after the last pass."""
    rows = [*metric_rows(history)]
    if ranking:
        last = {"epoch": len(history), "split": "valid"}
        rows += [{**last, "metric": m, "value": v} for m, v in ranking.metrics().items()]
    pd.DataFrame(rows).to_parquet(folder / "metrics.parquet", index=False)


def metric_rows(history: Iterable["Progress"]) -> Iterator[dict[str, Any]]:
    """The history in long form: epoch, split, metric, value."""
    for at in history:
        found = {("train", "loss"): at.train_loss, ("train", "seconds"): at.seconds}
        if at.valid:
            found |= {("valid", name): value for name, value in asdict(at.valid).items()}
        for (split, metric), value in found.items():
            yield {"epoch": at.number, "split": split, "metric": metric, "value": value}
