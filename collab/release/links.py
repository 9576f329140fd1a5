"""The links that readers follow, and the one that is flipped."""

from pathlib import Path

from collab.release.build import DATABASE, sync

RECORD = "snapshot.json"
REPORT = "report.html"
LINKS = {DATABASE: DATABASE, "parquet": "parquet", REPORT: REPORT, "latest.json": RECORD}


def flip(serve: Path, final: Path) -> None:
    """Point `current` at a snapshot by one rename; make the links through it where they lack."""
    replace_link(serve / "current", Path("snapshots") / final.name)
    for name, target in LINKS.items():
        if not (serve / name).is_symlink():
            replace_link(serve / name, Path("current") / target)
    sync(serve)


def replace_link(link: Path, target: Path) -> None:
    """Make or replace a symbolic link atomically."""
    beside = link.with_name(f".{link.name}.new")
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)
    beside.replace(link)
