"""The pipeline's command line on planted archives."""

from pathlib import Path

from collab.base.paths import DataDir
from flows.pipeline import main

TWO = "dot_product_bias_wd,embedding_nn"
QUICK = {"--variants": TWO, "--epochs": "1", "--device": "cpu", "--splits": "42"}
CUTS = {"--splits", "--split-seed", "--protocol"}


def run(archive: Path, data: DataDir, *more: str) -> int:
    """Run on an archive of one's own: quickly and on one split, unless `more` says otherwise."""
    own = CUTS if CUTS & set(more) else set(more)
    quick = [word for name, value in QUICK.items() if name not in own | set(more)
             for word in (name, value)]  # fmt: skip
    given = ["--archive", str(archive), "--data-dir", str(data.root), "--trust-archive"]
    return main([*given, *quick, *more])
