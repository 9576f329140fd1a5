"""Every variant's place, how sure it is, and which recipe is the champion."""

import math
from dataclasses import dataclass
from statistics import mean, stdev

from collab.base.errors import CollabError
from collab.evaluation.judged import Judged, judge
from collab.evaluation.paired import Difference, paired_difference
from collab.runs.record import Run

FINALISTS = 3


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A variant on the leaderboard.

    run: on the first split, where all variants ran.
    place: 1 is the lowest error on the judged rows of the first split: rows whose item the user
        rated in training too are left out.
    split_mses: valid MSE on the first split and on every further one it ran on; `split_judged` the
        same on the judged rows.
    behind: how much larger its error is than that of the first, on equal rows.
    """

    run: Run
    place: int
    split_mses: tuple[float, ...]
    split_judged: tuple[float, ...]
    behind: Difference

    @property
    def judged_mse(self) -> float:
        """The error on the judged rows of the first split."""
        return self.split_judged[0]

    @property
    def mean_mse(self) -> float:
        """Mean over the splits."""
        return mean(self.split_mses)

    @property
    def sd_mse(self) -> float | None:
        """Standard deviation over the splits; None of one."""
        return stdev(self.split_mses) if len(self.split_mses) > 1 else None


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """All variants, best first; the champion; and the runs on further splits."""

    standings: list[Standing]
    champion: Standing
    confirmations: list[Run]

    @property
    def runs(self) -> list[Run]:
        """The runs of the leaderboard, best first."""
        return [standing.run for standing in self.standings]

    @property
    def shared(self) -> list[str]:
        """The variants whose error does not differ from the first one's, that one included."""
        return [s.run.record.variant for s in self.standings if not s.behind.differs]


def finalists(runs: list[Run]) -> list[Run]:
    """The runs whose recipes deserve further splits: the best three, and one that supplies tables.

    Raises:
        CollabError: none has an error that is a number.
    """
    ranked = [run for run, _ in ranked_runs(runs)]
    chosen = ranked[:FINALISTS]
    supplier = next((run for run in ranked if run.record.supplies_tables), None)
    return chosen if supplier is None or supplier in chosen else [*chosen, supplier]


def ranked_runs(runs: list[Run]) -> list[tuple[Run, Judged]]:
    """The runs by their error on the judged rows, lowest first; what is no number is left out.

    Raises:
        CollabError: nothing is left.
    """
    judged = [(run, judge(run)) for run in runs]
    finite = [pair for pair in judged if math.isfinite(pair[1].mse) and mses_of(pair[0], [])]
    if not finite:
        raise CollabError("No run has a valid MSE that is a number; nothing can be chosen.")
    return sorted(finite, key=lambda pair: (pair[1].mse, pair[0].run_id))


def evaluate(runs: list[Run], *, seed: int = 0) -> Evaluation:
    """Judge the runs of one lake.

    Args:
        runs: of every variant one on the first split, which is that of the first run given, and of
            some also on others.
        seed: of the bootstrap.

    Raises:
        CollabError: there is no run, or none whose model can supply the tables.
    """
    if not runs:
        raise CollabError("There is no run to evaluate. Run `train` first.")
    first = runs[0].record.dataset
    ranked = ranked_runs([run for run in runs if run.record.dataset == first])
    others = [run for run in runs if run.record.dataset != first]
    best = ranked[0][1]
    standings = [
        Standing(
            run=run,
            place=place,
            split_mses=tuple(mses_of(run, others)),
            split_judged=(judged.mse, *(judge(other).mse for other in same(run, others))),
            behind=paired_difference(judged, best, seed=seed),
        )
        for place, (run, judged) in enumerate(ranked, start=1)
    ]
    return Evaluation(
        standings=standings, champion=choose_champion(standings), confirmations=others
    )


def mses_of(run: Run, others: list[Run]) -> list[float]:
    """The valid MSE of a run, then of the same variant's runs on other splits; numbers alone."""
    found = (r.record.mse for r in (run, *same(run, others)))
    return [mse for mse in found if mse is not None and math.isfinite(mse)]


def same(run: Run, others: list[Run]) -> list[Run]:
    """The runs of the same variant on other splits whose error is a number."""
    alike = (other for other in others if other.record.variant == run.record.variant)
    return [other for other in alike if measured(other)]


def measured(run: Run) -> bool:
    """Whether its error is a number."""
    return run.record.mse is not None and math.isfinite(run.record.mse)


def choose_champion(standings: list[Standing]) -> Standing:
    """The lowest mean error on judged rows among those that supply tables and ran on most splits.

    Raises:
        CollabError: none supplies tables.
    """
    able = [standing for standing in standings if standing.run.record.supplies_tables]
    if not able:
        names = ", ".join(standing.run.record.variant for standing in standings)
        raise CollabError(
            f"None of the variants {names} has factors and biases that explain its predictions; "
            "add one that has, such as dot_product_bias_wd."
        )
    most = max(len(standing.split_mses) for standing in able)
    proven = [standing for standing in able if len(standing.split_mses) == most]
    return min(proven, key=lambda standing: (mean(standing.split_judged), standing.place))
