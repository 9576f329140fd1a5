"""Render the report."""

import json
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import vl_convert
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from collab.base.database import open_database
from collab.report.sections import gather

ASSETS = files("collab.report") / "assets"


def render(database: Path, mark: str = "") -> str:
    """The report of a published database as one HTML page.

    Args:
        database: opened read-only.
        mark: an element of the head that says what made the page.
    """
    with open_database(database, read_only=True) as con:
        shown = gather(con)
    panel = ["newcomer.js", "try.js"] if shown["newcomer"] else []
    scripts = ["titles.js", "script.js", *panel]
    environment = Environment(
        loader=FunctionLoader(asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(json=as_json, day=as_day, signed=signed, wrap=wrap)
    return environment.get_template("report.html").render(
        **shown,
        mark=Markup(mark),  # noqa: S704 - our own
        style=Markup(asset("style.css")),  # noqa: S704 - our own file
        script=Markup("".join(map(asset, scripts))),  # noqa: S704
        vega=Markup(vega_scripts()),  # noqa: S704
    )


def asset(name: str) -> str:
    """The text of a file of `assets`."""
    return (ASSETS / name).read_text(encoding="utf-8")


@cache
def vega_scripts() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    script = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return script.replace("</script", "<\\/script")


def as_json(value: Any) -> Markup:
    """Compact JSON for a `<script>` of its own: no `<` can end it early."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - escaped for where it stands


def signed(value: float) -> str:
    """A number with its sign, to hundredths."""
    return f"{value:+.2f}".replace("-", "−")


def wrap(name: str) -> Markup:
    """A name that may be broken after its underscores, for narrow columns."""
    return Markup.escape(name).replace("_", Markup("_<wbr>"))


def as_day(moment: datetime) -> str:
    """A time as people write it: `24 November 2026, 03:55 UTC`."""
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
