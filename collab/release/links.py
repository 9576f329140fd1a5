"""The links that readers follow.

Below `serve/<edition>`: `current -> snapshots/000042` is the one that is flipped. `parquet`,
`movielens.duckdb` and `latest.json` lead through it, so that they always belong together;
`report.html` is flipped by itself, when the report of a snapshot is finished. Below `serve` stand
the same names for the only edition, or the one that COLLAB_EDITION names.
"""

from pathlib import Path

from collab.base.serving import DATABASE, default_edition
from collab.release.build import sync

RECORD = "snapshot.json"
REPORT = "report.html"
LINKS = {DATABASE: DATABASE, "parquet": "parquet", "latest.json": RECORD}


def flip(serve: Path, final: Path) -> None:
    """Point `current` at a snapshot by one rename; make the links through it where they lack."""
    replace_link(serve / "current", Path("snapshots") / final.name)
    for name, target in LINKS.items():
        if not (serve / name).is_symlink():
            replace_link(serve / name, Path("current") / target)
    if (final / REPORT).exists():
        replace_link(serve / REPORT, Path("snapshots") / final.name / REPORT)
    sync(serve)
    lead_to_default(serve.parent)


def show_report(serve: Path, final: Path) -> None:
    """Point `report.html` at the finished report of a snapshot."""
    replace_link(serve / REPORT, Path("snapshots") / final.name / REPORT)
    lead_to_default(serve.parent)


def lead_to_default(serve: Path) -> None:
    """Make the links of `serve` itself lead to the default edition, if there is one."""
    edition = default_edition(serve)
    if edition is None:
        return
    for name in (*LINKS, REPORT):
        target = Path(edition) / name
        link = serve / name
        if (serve / target).is_symlink() and not (link.is_symlink() and link.readlink() == target):
            replace_link(link, target)
    sync(serve)


def replace_link(link: Path, target: Path) -> None:
    """Make or replace a symbolic link atomically."""
    beside = link.with_name(f".{link.name}.new")
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)
    beside.replace(link)
