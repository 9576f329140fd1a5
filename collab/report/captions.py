"""What to see in each plot. Whatever is claimed is computed from the plotted rows."""

from statistics import mean
from typing import Any

from collab.report.bins import MEMBERS, bin_name
from collab.report.movie_map import GENRE_MOVIES, genre_counts
from collab.report.queries import FEW, Rows


def listing(words: list[str]) -> str:
    """Words as a sentence has them: `a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def beside(value: float, other: float, name: str) -> str:
    """How an error compares with another, in words."""
    change = 100 * (value / other - 1)
    if abs(change) < 0.05:
        return f"as low as {name}, {other:.4f}"
    return f"{abs(change):.1f} % {'below' if change < 0 else 'above'} {name}, {other:.4f}"


def curves(runs: Rows, rows: Rows, top: float) -> str:
    """Where valid MSE turned up again, where training and validation part, what is left out."""
    said = ["Solid: MSE on the validation ratings. Dashed: mean training loss of the epoch."]
    rose = [run["variant"] for run in runs if rises(rows, run["run_id"])]
    which = f"Valid MSE ended more than 1 % above its lowest for {listing(rose)}."
    said.append(which if rose else "No valid MSE ended more than 1 % above its lowest.")
    gaps = [gap for run in runs if (gap := last_gap(run, rows))]
    if gaps:
        _, name, valid, train = max(gaps)
        said.append(f"Validation exceeds training most in {name}: {valid:.3f} against {train:.3f}.")
    highest = [(peak, run["variant"]) for run in runs if (peak := peak_of(rows, run)) > top]
    if highest:
        peak, name = max(highest)
        said.append(
            f"The scale ends at {top:.2f}, so that the curves can be told apart. Epochs of "
            f"{len(highest)} run{'s' if len(highest) > 1 else ''} lie above it and are cut off; "
            f"the highest is {peak:.2f}, of {name}."
        )
    return " ".join(said)


def peak_of(rows: Rows, run: dict[str, Any]) -> float:
    """The highest training loss or valid MSE of a run."""
    return max((row["value"] for row in rows if row["run_id"] == run["run_id"]), default=0.0)


def last_gap(run: dict[str, Any], rows: Rows) -> tuple[float, str, float, float] | None:
    """Validation above training after a run's last epoch, its variant and both; None where not."""
    last = {row["split"]: row["value"] for row in rows if row["run_id"] == run["run_id"]}
    if {"train", "valid"} <= set(last) and last["valid"] > last["train"]:
        return last["valid"] - last["train"], run["variant"], last["valid"], last["train"]
    return None


def rises(rows: Rows, run_id: str) -> bool:
    """Whether a run's valid MSE ended more than 1 % above its lowest."""
    valid = [row["value"] for row in rows if row["run_id"] == run_id and row["split"] == "valid"]
    return bool(valid) and valid[-1] > 1.01 * min(valid)


def movie_map(rows: Rows) -> str:
    """Which movies and which genres lie at the ends of the map."""
    said = [
        f"The {len(rows):,} most rated movies; the larger, the more ratings. Movies that lie "
        "together have similar factors, as far as two directions can tell."
    ]
    for name, low, high in (("pc1", "left", "right"), ("pc2", "bottom", "top")):
        placed = sorted(rows, key=lambda row: row[name])
        said.append(f"Farthest {low}: {placed[0]['title']}; {high}: {placed[-1]['title']}.")
    return " ".join([*said, *genre_ends(rows)])


def genre_ends(rows: Rows) -> list[str]:
    """The genres that lie farthest left and right on average; nothing where few are on the map."""
    counts = genre_counts(rows)
    centers = {
        genre: mean(row["pc1"] for row in rows if genre in row["genres"])
        for genre, count in counts.items()
        if count >= GENRE_MOVIES
    }
    if len(centers) < 2:
        return []
    left, right = min(centers, key=centers.__getitem__), max(centers, key=centers.__getitem__)
    return [f"On average {left} lies farthest left and {right} farthest right."]


def calibration(rows: Rows) -> str:
    """How far predictions are from the ratings they stand for."""
    total = sum(row["n"] for row in rows)
    gap = sum(row["n"] * abs(row["actual"] - row["predicted"]) for row in rows) / total
    outside = [row for row in rows if not row["low"] <= row["predicted"] <= row["high"]]
    return (
        "Predictions in steps of a quarter star. On the dashed line they are right on average; "
        f"the mean distance from it is {gap:.3f} stars. The bars are 95 % intervals; "
        f"{len(outside)} of {len(rows)} miss the line."
    )


def reliability(rows: Rows, gaps: Rows, variant: str) -> str:
    """How far the champion's probabilities can be believed, and whose best."""
    total = sum(row["n"] for row in rows)
    gap = sum(row["n"] * abs(row["observed"] - row["probability"]) for row in rows) / total
    drawn = [row for row in rows if row["n"] >= FEW]
    worst = max(drawn or rows, key=lambda row: abs(row["observed"] - row["probability"]))
    said = (
        "How likely each rating was said to be, in steps of ten per cent, and how often it was "
        f"given; on the dashed line both are equal. What was told less than {FEW} times is not "
        f"drawn. On average they are {100 * gap:.1f} points "
        f"apart, and most for {worst['rating']:g} stars: told {100 * worst['probability']:.0f} %, "
        f"given {100 * worst['observed']:.0f} %."
    )
    if gaps and gaps[0]["variant"] != variant:
        best = gaps[0]
        said += f" Closest of all is {best['variant']}, {100 * best['gap']:.1f} points."
    return said


def error_by_count(rows: Rows, of: str) -> str:
    """The error at both ends of the counts."""
    few, many = rows[0], rows[-1]
    lowest = min(rows, key=lambda row: row["mse"])
    told = f"The bars are 95 % intervals; every bin holds {MEMBERS} {of}s or more."
    if any(row["low"] is None for row in rows):
        told = f"Of fewer than {MEMBERS} {of}s there is no interval."
    return (
        f"MSE is {few['mse']:.2f} for {of}s with {bin_name(few)} training ratings and "
        f"{many['mse']:.2f} for those with {bin_name(many)}; it is lowest at "
        f"{bin_name(lowest)}. {told}"
    )


def recommended(row: dict[str, Any]) -> str:
    """How much of the catalogue is recommended, and how popular that is; empty where nothing is."""
    if not row["n"]:
        return ""
    return (
        f"The {row['k']} recommendations for each user name {row['n_items']:,} of the "
        f"{row['n_known']:,} movies ({100 * row['n_items'] / row['n_known']:.0f} %), half of them "
        f"movies with {row['recommended']:,} ratings or more; half of all ratings are of movies "
        f"with {row['rated']:,} or more."
    )


def rating_distribution(rows: Rows) -> str:
    """The commonest rating and the mean."""
    commonest = max(rows, key=lambda row: row["n"])
    level = sum(row["rating"] * row["share"] for row in rows)
    return (
        f"The commonest rating is {commonest['rating']:g}, with {100 * commonest['share']:.0f} % "
        f"of all {sum(row['n'] for row in rows):,}; the mean is {level:.2f} stars."
    )
