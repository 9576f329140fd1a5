"""What a run is judged by: its squared errors on rows that no training row gives away."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from collab.runs.record import Run

COLUMNS = ["position", "user_id", "rating", "prediction", "repeated"]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The judged rows of a run: `position`, `user_id` and `squared` error, (n,) each.

    Rows whose user rated the same item in training, under another id, are left out: a model that
    remembers would win by them.
    """

    position: NDArray[np.int32]
    user_id: NDArray[np.int32]
    squared: NDArray[np.float64]

    @property
    def mse(self) -> float:
        """Mean squared error, stars squared; NaN of no rows."""
        return float(self.squared.mean()) if len(self.squared) else float("nan")

    def within(self, other: "Judged") -> "Judged":
        """The rows that the other was judged on too."""
        kept = np.isin(self.position, other.position)
        return Judged(
            position=self.position[kept], user_id=self.user_id[kept], squared=self.squared[kept]
        )


def judge(run: Run) -> Judged:
    """The judged rows of a committed run, by position."""
    return judge_rows(pd.read_parquet(run.folder / "predictions.parquet", columns=COLUMNS))


def judge_rows(table: pd.DataFrame) -> Judged:
    """The judged rows of a table of predictions."""
    kept = table[~table["repeated"].to_numpy(dtype=bool)]
    difference = kept["prediction"].to_numpy(np.float64) - kept["rating"].to_numpy(np.float64)
    return Judged(
        position=kept["position"].to_numpy(),
        user_id=kept["user_id"].to_numpy(),
        squared=difference**2,
    )


def judge_published(predictions: Path, run_id: str) -> Judged:
    """The judged rows of a run in a published `predictions.parquet`."""
    columns = [*COLUMNS, "run_id"]
    table = pd.read_parquet(predictions, columns=columns, filters=[("run_id", "==", run_id)])
    return judge_rows(table.sort_values("position"))
