"""What a publication has time and room for: three tables grow faster than the ratings."""

import logging

from collab.evaluation.standings import Evaluation
from collab.release.recommend import RECOMMENDED
from collab.runs.record import Run

log = logging.getLogger(__name__)

TABLE_SECONDS = 90.0  # of one core: enough for the recommendations of the largest edition
SCORE_SECONDS = 3e-9  # of one user and item: 2.3e-9 measured with 50 factors, 3.5e-9 with 96
RECOMMENDATION_SECONDS = 3e-6  # of a row: how sure it is by 32 draws, and what a prediction takes
FACTOR_ROWS = 200_000  # of all runs together: 40 MB of 50 factors, twice, with the Parquet copy
PREDICTION_SECONDS = 1e-6  # of a row: written twice, proved and read again


def beyond(evaluation: Evaluation, refit: Run, seconds: float) -> dict[str, str]:
    """The tables that are not published whole, each with what is left out and why.

    Recommendations come first; the predictions of others than the champion have what is left.

    Args:
        evaluation: every variant's place, and the champion.
        refit: the champion recipe's run on all ratings.
        seconds: of one core that recommendations and predictions may take together, by estimate.
    """
    found = {}
    scores = refit.record.n_users * refit.record.n_items
    rows = refit.record.n_users * RECOMMENDED
    needed = scores * SCORE_SECONDS + rows * RECOMMENDATION_SECONDS
    if needed > seconds:
        found["recommendations"] = (
            f"the table recommendations: {scores:,} scores, {of(needed, seconds)}; "
            "recommend(user) answers for one user"
        )
    else:
        seconds -= needed
    others = [run for run in evaluation.runs if run.run_id != evaluation.champion.run.run_id]
    rows = sum(run.record.n_valid for run in others)
    if (needed := rows * PREDICTION_SECONDS) > seconds:
        found["predictions"] = (
            f"the predictions of others than the champion: {rows:,} rows, {of(needed, seconds)}; "
            "their run folders hold them"
        )
    rows = sum(run.record.n_items for run in evaluation.runs if run.record.supplies_tables)
    if rows > FACTOR_ROWS:
        found["run_factors"] = (
            f"the table run_factors: {rows:,} rows, {FACTOR_ROWS:,} are allowed; those of the "
            "release are in movie_factors"
        )
    for reason in found.values():
        log.warning("Left out: %s", reason)
    return found


def of(needed: float, allowed: float) -> str:
    """How long something takes, and how long it may."""
    return f"about {needed:.3g} s, {allowed:.3g} are allowed"
