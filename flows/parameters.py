"""The command line of the pipeline: the flow's parameters as options."""

import argparse
from typing import Any

from collab.movielens.editions import EDITIONS
from collab.release.regression import MAX_REGRESSION
from collab.estimators.recipes import FAITHFUL
from flows.runners import RUNNERS

EPILOG = """examples:
  python -m flows.pipeline                              ml-100k, all variants
  python -m flows.pipeline --variants fast --seed 7
  python -m flows.pipeline --edition ml-32m --archive ~/ml-32m.zip --data-dir /srv/movielens
"""


VARIANTS_HELP = (
    f"any of {', '.join(FAITHFUL)}; each also as fast_...; `faithful` or `fast` for all of a kind "
    "(default: both)"
)


def names(text: str) -> list[str]:
    """A comma-separated list."""
    return [name.strip() for name in text.split(",") if name.strip()]


def make_parser() -> argparse.ArgumentParser:
    """The options of `python -m flows.pipeline`."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.pipeline",
        description="MovieLens to published tables: fetch, check, train, evaluate, publish.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--edition", default="ml-100k", metavar="NAME", help=f"one of {', '.join(EDITIONS)}")
    add("--archive", metavar="PATH", help="a zip or an unpacked folder, in place of any source")
    add("--data-dir", metavar="DIR", help="where all is kept (default: COLLAB_DATA_DIR or data)")
    add(
        "--seed", type=int, default=42, help="of split, weights and shuffling, from 0 (default: 42)"
    )
    add("--variants", type=names, metavar="A,B,C", help=VARIANTS_HELP)
    add("--epochs", type=int, metavar="N", help="default: each recipe's own")
    add("--device", default="auto", help="auto, cpu, mps, cuda or cuda:N (default: auto)")
    add("--item-key", choices=["title", "movie"], help="what an item is (default: the edition's)")
    add("--trust-archive", action="store_true", help="accept a cut-down archive of your own")
    add("--force", action="store_true", help="do everything again, also what is committed")
    add(
        "--max-regression",
        type=float,
        default=MAX_REGRESSION,
        metavar="PART",
        help="how much worse than the last the champion's valid MSE may be (default: %(default)s)",
    )
    add("--no-gate", action="store_true", help="publish however much worse it is; recorded")
    add("--runner", choices=RUNNERS, default="local", help="ray: over a Ray cluster")
    return parser


def parse_arguments(arguments: list[str] | None = None) -> dict[str, Any]:
    """The flow's parameters from a command line."""
    return vars(make_parser().parse_args(arguments))
