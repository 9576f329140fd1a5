"""Search fast recipes on training rows alone.

The validation rows under which the recipes are later judged are never read: the training rows of
that split are split once more, four fifths to train and one fifth to judge. Random trials first,
then small changes of the best ones, then the finalists over three seeds; the winner is the cheapest
finalist within a tolerance of the best. What a trial may cost is bounded by an estimate from its
number of steps and rows, not by the clock, so that the search gives the same answer on any machine.

    python -m benchmarks.search_recipes                            # all, about a quarter of an hour
    python -m benchmarks.search_recipes dot_product_bias_wd --trials 200
"""

import argparse
import random
import statistics
import sys
from dataclasses import dataclass, replace
from math import exp, inf

import torch

from benchmarks.bare import bare_context
from benchmarks.ml_100k import load_ml_100k
from collab.base.errors import CollabError
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import Protocol, permuted
from collab.dataset.rows import Rows
from collab.dataset.vocabulary import Vocabulary
from collab.estimators.recipes import FAITHFUL
from collab.estimators.sgd.estimator import Sgd
from collab.runs.errors import measure

INNER = Protocol(split_seed=7)
TOLERANCE = 0.003
FINALISTS = 5
SHARES = (0.2, 0.3, 0.4, 0.6, 0.8)
# the variants searched; the other two have the model of dot_product_bias_wd under another name
FAMILIES = (
    "dot_product",
    "dot_product_sigmoid",
    "dot_product_bias",
    "dot_product_bias_wd",
    "collab_nn",
    "embedding_nn",
)
DECAYED = {"dot_product_bias_wd", "embedding_nn"}
# sum of lr * wd over the steps of a faithful recipe with wd 0.01; the mean lr is half of lr_max
LIGHT_DECAY = 0.5 * 5e-3 * 6250 * 0.01


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A point of the search, in quantities that do not depend on one another.

    share: rows of a step for each user and item; decay: the sum of lr * wd over all steps.
    """

    share: float
    epochs: int
    lr_max: float
    decay: float
    beta2: float
    eps: float
    n_factors: int


class Family:
    """A variant and the inner split on which its trials are judged."""

    def __init__(self, variant: str, dataset: Dataset) -> None:
        """Split the training rows once more."""
        self.base, _ = FAITHFUL[variant]
        self.is_net = "n_factors" not in self.base.arguments
        self.is_decayed = variant in DECAYED
        outer = dataset.train()
        held = torch.from_numpy(permuted(INNER, len(outer), 0, int(INNER.share * len(outer))))
        train, judge = outer.take(~held), outer.take(held)
        self.users = Vocabulary.of("user", train.users.numpy())
        self.items = Vocabulary.of("item", train.items.numpy())
        self.train, self.judge = (self.encode(rows) for rows in (train, judge))
        self.budget_us = 1e6 if self.is_net else 1.4e5

    def encode(self, rows: Rows) -> Rows:
        """Rows by the indices of the inner training rows."""
        users = torch.from_numpy(self.users.encode(rows.users.numpy()))
        items = torch.from_numpy(self.items.encode(rows.items.numpy()))
        return replace(rows, users=users, items=items)

    def estimator(self, trial: Trial, n_rows: int) -> Sgd:
        """The estimator of a trial on so many training rows."""
        rows = round(trial.share * (len(self.users) + len(self.items)))
        steps = trial.epochs * (n_rows // rows)
        factors = {} if self.is_net else {"n_factors": trial.n_factors}
        return self.base.but(
            arguments={**self.base.arguments, **factors},
            epochs=trial.epochs,
            batch_share=trial.share,
            lr_max=rounded(trial.lr_max),
            wd=rounded(trial.decay / (0.5 * trial.lr_max * steps)),
            beta2=trial.beta2,
            row_eps=rounded(trial.eps * rows),
        )

    def cost_us(self, trial: Trial) -> float:
        """Estimated microseconds: for each step, each parameter and each row."""
        entities = len(self.users) + len(self.items)
        rows = trial.share * entities
        parameters = entities * (90 if self.is_net else trial.n_factors)
        step = (
            (350 if self.is_net else 50) + parameters / 1500 + rows * (1.3 if self.is_net else 0.17)
        )
        return step * trial.epochs * len(self.train) / rows

    def score(self, trial: Trial, seed: int) -> float:
        """MSE on the judging rows; infinite where training diverges."""
        context = bare_context(seed, len(self.users), len(self.items))
        try:
            for fitted in self.estimator(trial, len(self.train)).fit(self.train, context):
                last = fitted
        except CollabError:
            return inf
        errors = measure(last.predict(self.judge), self.judge.ratings)
        assert errors
        return errors.mse


def rounded(value: float) -> float:
    """Three significant digits."""
    return float(f"{value:.3g}")


def draw(family: Family, rng: random.Random) -> Trial:
    """A random trial."""
    return Trial(
        share=rng.choice(SHARES),
        epochs=rng.randint(2, 12),
        lr_max=10 ** rng.uniform(-2.5, -1.0),
        decay=10 ** rng.uniform(-1.0, 0.5) if family.is_decayed else LIGHT_DECAY,
        beta2=rng.choice([0.9, 0.95, 0.99]),
        eps=10 ** rng.uniform(-5.5, -3),
        n_factors=rng.choice([24, 32, 50, 64, 80]),
    )


def change(trial: Trial, family: Family, rng: random.Random) -> Trial:
    """A neighbour: numbers moved a little, sometimes one choice drawn anew."""
    new = replace(
        trial,
        lr_max=trial.lr_max * exp(rng.gauss(0, 0.3)),
        eps=trial.eps * exp(rng.gauss(0, 0.3)),
        epochs=max(1, trial.epochs + rng.choice([-1, 0, 0, 1])),
        decay=trial.decay * exp(rng.gauss(0, 0.3)) if family.is_decayed else LIGHT_DECAY,
    )
    if rng.random() < 0.3:
        other, name = draw(family, rng), rng.choice(["share", "beta2", "n_factors"])
        new = replace(new, **{name: getattr(other, name)})
    return new


def climb(family: Family, n_trials: int, rng: random.Random) -> list[tuple[float, Trial]]:
    """A third of random trials, then changes of good ones; (MSE of one seed, trial), best first."""
    seen: list[tuple[float, Trial]] = []
    while len(seen) < n_trials:
        if len(seen) < max(1, n_trials // 3):
            trial = draw(family, rng)
        else:
            seen.sort(key=lambda pair: pair[0])
            at = min(int(rng.expovariate(0.3)), len(seen) - 1)
            trial = change(seen[at][1], family, rng)
        if family.cost_us(trial) <= family.budget_us:
            seen.append((family.score(trial, 0), trial))
    return sorted(seen, key=lambda pair: pair[0])


def finalists(family: Family, seen: list[tuple[float, Trial]]) -> list[tuple[float, Trial]]:
    """The best of all and of the cheaper ones; (mean MSE of three more seeds, trial)."""
    cheap = [pair for pair in seen if family.cost_us(pair[1]) < 0.7 * family.budget_us]
    chosen = dict.fromkeys(trial for _, trial in seen[:FINALISTS] + cheap[:FINALISTS])
    means = [
        (statistics.mean(family.score(trial, seed) for seed in (1, 2, 3)), trial)
        for trial in chosen
    ]
    return sorted(means, key=lambda pair: pair[0])


def report(variant: str, dataset: Dataset, n_trials: int, seed: int) -> None:
    """Search one family; print its finalists and the winner's estimator."""
    family = Family(variant, dataset)
    final = finalists(family, climb(family, n_trials, random.Random(seed)))  # noqa: S311
    near = [trial for mse, trial in final if mse <= final[0][0] + TOLERANCE]
    winner = min(near, key=family.cost_us)
    lines = [f"{variant}: {n_trials} trials"]
    for mse, trial in final:
        mark = " <- winner" if trial == winner else ""
        lines.append(f"  {mse:.4f}  {family.cost_us(trial) / 1e6:.2f} s est.  {trial}{mark}")
    lines.append(f"  {family.estimator(winner, dataset.n_train)}")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Search the families named, all by default."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("variants", nargs="*", default=FAMILIES, metavar="VARIANT")
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir")
    parser.add_argument("--archive", help="ml-100k, if not from its sources")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    dataset = load_ml_100k(asked.data_dir, asked.archive)
    for variant in asked.variants:
        trials = asked.trials // 4 if variant.endswith("nn") else asked.trials
        report(variant, dataset, trials, asked.seed)


if __name__ == "__main__":
    main()
