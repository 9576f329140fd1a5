"""Learning curves as an image: valid MSE by pass, a panel for each run, all on one scale."""

import math

import altair as alt
import pandas as pd
import vl_convert

from collab.runs.record import Run

WIDTH, HEIGHT, COLUMNS = 150, 100, 5
ROOM = 1.5  # how far above the lowest error the scale goes: first passes may start far above
SHORTENED = 24  # letters of a name that a panel has room for


def learning_curves(runs: list[Run]) -> str:
    """The SVG text; the panels stand as the runs come, best first if so given.

    Each is named by its variant and its last error; the rule is the lowest of all.
    """
    named = {panel_name(run): valid_mse(run) for run in runs}
    table = pd.concat([passes.assign(panel=name) for name, passes in named.items()])
    table = table[table["value"].map(math.isfinite)]
    lowest = float(table["value"].min())
    top = ROOM * lowest
    table = table.assign(lowest=lowest, value=table["value"].clip(upper=top))
    x = alt.X("epoch:Q", title=None, axis=alt.Axis(format="d", tickMinStep=1, tickCount=5))
    y = alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=4)).scale(zero=False)
    lines = alt.Chart().mark_line(point=alt.OverlayMarkDef(size=18)).encode(x=x, y=y)
    rule = alt.Chart().mark_rule(strokeDash=[3, 3], color="gray").encode(y="lowest:Q")
    chart = (
        alt.layer(rule, lines, data=table)
        .properties(width=WIDTH, height=HEIGHT)
        .facet(alt.Facet("panel:N", title=None, sort=list(named)), columns=COLUMNS)
        .resolve_scale(x="independent")
        .properties(title=f"Valid MSE, stars², by pass; what exceeds {top:.2f} is drawn there")
    )
    return str(vl_convert.vegalite_to_svg(chart.to_dict()))


def panel_name(run: Run) -> str:
    """The variant, shortened where it is long, and the error after the last pass."""
    name, mse = run.record.variant, run.record.mse
    short = name if len(name) <= SHORTENED else f"{name[: SHORTENED - 1]}…"
    return short if mse is None else f"{short} {mse:.4f}"


def valid_mse(run: Run) -> pd.DataFrame:
    """A run's `epoch` and `value` of the valid MSE."""
    table = pd.read_parquet(run.folder / "metrics.parquet")
    chosen = table[(table["split"] == "valid") & (table["metric"] == "mse")]
    return chosen[["epoch", "value"]]
