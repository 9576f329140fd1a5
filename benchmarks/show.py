"""The benchmark's table and plot."""

import math
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
from rich.table import Table

Record = dict[str, Any]
FAITHFUL, FAST = "dot_product_bias_wd", "fast_dot_product_bias_wd"


def measured(result: Record) -> list[Record]:
    """The records that have figures, fastest first."""
    good = [record for record in result["records"] if record["status"] == "ok"]
    return sorted(good, key=lambda record: float(record["total_s"]))


def seconds_of(result: Record, model: str) -> float:
    """Fit and predict of one of our variants."""
    return next(
        float(r["total_s"])
        for r in measured(result)
        if r["peer"] == "collab" and r["model"] == model
    )


def table(result: Record) -> Table:
    """One row a model: MSE, seconds, and how many times as long as ours it takes."""
    faithful, fast = (seconds_of(result, model) for model in (FAITHFUL, FAST))
    shown = Table(
        title="ml-100k, split of seed 42: 80,000 ratings to fit, 20,000 to predict",
        caption=f"Medians. {result['processor']}, {result['machine']}. "
        f"Times ours: beside {FAITHFUL} ({faithful:.2f} s) and {FAST} ({fast:.2f} s).",
    )
    for name in (
        "system",
        "model",
        "MSE",
        "nDCG@10",
        "recall@10",
        "fit s",
        "predict s",
        "x faithful",
        "x fast",
        "threads",
    ):
        shown.add_column(name, justify="left" if name in {"system", "model"} else "right")
    for record in measured(result):
        total = float(record["total_s"])
        shown.add_row(
            record["peer"],
            record["model"],
            f"{record['mse']:.4f}",
            *ranked(record),
            f"{record['fit_s']:.2f}",
            f"{record['predict_s']:.2f}",
            f"{total / faithful:.2f}",
            f"{total / fast:.1f}",
            str(record["threads"]),
        )
    for record in result["records"]:
        if record["status"] != "ok":
            shown.add_row(record["peer"], record["model"], record["status"], record["reason"])
    return shown


def ranked(record: Record) -> list[str]:
    """What its lists of ten are worth, where that was measured."""
    found = record.get("ranking", {})
    return [f"{found[name]:.4f}" if name in found else "" for name in ("ndcg@10", "recall@10")]


def markdown(result: Record) -> str:
    """The same for a README."""
    faithful, fast = (seconds_of(result, model) for model in (FAITHFUL, FAST))
    lines = [
        "| system | model | MSE | fit + predict, s | × faithful | × fast |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for record in measured(result):
        total = float(record["total_s"])
        name = f"**{record['model']}**" if record["peer"] == "collab" else record["model"]
        lines.append(
            f"| {record['peer']} | {name} | {record['mse']:.4f} | {total:.2f} "
            f"| {total / faithful:.2f} | {total / fast:.1f} |"
        )
    lines += [
        f"| {r['peer']} | {r['model']} | {r['status']} | | | |"
        for r in result["records"]
        if r["status"] != "ok"
    ]
    return "\n".join(lines)


def frontier(frame: pd.DataFrame) -> pd.DataFrame:
    """Our points that nothing of ours beats in both time and error, fastest first."""
    ours = frame[frame["whose"] == "collab"].sort_values("seconds")
    return ours[ours["mse"] < ours["mse"].cummin().shift(fill_value=float("inf"))]


def readable(frame: pd.DataFrame) -> list[str]:
    """Each point's label, or none where a nearby one has it: the two named, the peers, the rest."""
    names = frame["name"].str.removeprefix("collab: ")
    first = names.isin([FAITHFUL, FAST]).astype(int) * 2 + (frame["whose"] == "peers").astype(int)
    shown: list[int] = []
    for at in first.sort_values(ascending=False, kind="stable").index:
        x, y = math.log10(frame["seconds"][at]), frame["mse"][at]
        near = (
            abs(x - math.log10(frame["seconds"][other])) < 0.3
            and abs(y - frame["mse"][other]) < 0.002
            for other in shown
        )
        if not any(near):
            shown.append(at)
    return [str(name) if at in shown else "" for at, name in names.items()]


def plot(result: Record, path: Path) -> None:
    """Time on a logarithmic axis against MSE: our frontier and each peer's points."""
    frame = pd.DataFrame(
        {
            "name": [f"{r['peer']}: {r['model']}" for r in measured(result)],
            "whose": ["collab" if r["peer"] == "collab" else "peers" for r in measured(result)],
            "seconds": [float(r["total_s"]) for r in measured(result)],
            "mse": [float(r["mse"]) for r in measured(result)],
        }
    )
    frame["label"] = readable(frame)
    x = alt.X("seconds:Q").scale(type="log").title("fit + predict, seconds (log scale)")
    y = alt.Y("mse:Q").scale(zero=False).title("MSE on 20,000 held-out ratings (lower is better)")
    color = (
        alt.Color("whose:N")
        .title(None)
        .scale(domain=["collab", "peers"], range=["#c2410c", "#475569"])
    )
    points = (
        alt.Chart(frame).mark_point(filled=True, size=70, opacity=0.9).encode(x=x, y=y, color=color)
    )
    labels = points.mark_text(align="left", dx=7, fontSize=10).encode(text="label:N")
    line = (
        alt.Chart(frontier(frame))
        .mark_line(color="#c2410c", interpolate="step-after")
        .encode(x=x, y=y)
    )
    chart = (line + points + labels).properties(
        width=860, height=520, title="ml-100k, seed 42", background="white"
    )
    chart.save(str(path))
