"""Learning curves as an image: valid MSE by pass, one line for each run."""

import math

import altair as alt
import pandas as pd
import vl_convert

from collab.runs.record import Run

WIDTH, HEIGHT = 480, 300
ROOM = 1.5  # how far above the lowest error a pass is still drawn: first ones may start far above


def learning_curves(runs: list[Run]) -> str:
    """The SVG text; the runs stand in the legend as they come, best first if so given."""
    table = pd.concat([valid_mse(run) for run in runs])
    table = table[table["value"].map(math.isfinite)]
    table = table[table["value"] <= ROOM * table["value"].min()]
    names = [run.record.variant for run in runs]
    chart = (
        alt.Chart(table)
        .mark_line(point=True)
        .encode(
            x=alt.X("epoch:O", title="pass", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("value:Q", title="valid MSE, stars²").scale(zero=False),
            color=alt.Color("variant:N", title=None, legend=alt.Legend(symbolLimit=0)).scale(
                domain=names, scheme="tableau20"
            ),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )
    return str(vl_convert.vegalite_to_svg(chart.to_dict()))


def valid_mse(run: Run) -> pd.DataFrame:
    """A run's `epoch`, `value` of the valid MSE, and `variant`."""
    table = pd.read_parquet(run.folder / "metrics.parquet")
    chosen = table[(table["split"] == "valid") & (table["metric"] == "mse")]
    return chosen[["epoch", "value"]].assign(variant=run.record.variant)
