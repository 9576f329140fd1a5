"""The lowest errors, on many splits, beside myFM on the same rows, one thread each.

    python -m benchmarks.accuracy --archive ml-100k.zip
    python -m benchmarks.accuracy --edition ml-latest-small --splits random-42 --archive ...

Every model runs in a process of its own; all of a split are compared row by row with myFM of the
same kind (with or without the time of the rating). Prints Markdown and writes
`benchmarks/results/accuracy-<edition>.json`.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environments import PeerError
from benchmarks.export import export_dataset
from benchmarks.peers.table import Peer
from benchmarks.run_peers import Place, peer_places, run_once
from collab.base.paths import DataDir, given_path, writable_data_dir
from collab.dataset.build import make_dataset
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import FOLDS, Protocol
from collab.evaluation.judged import Judged
from collab.evaluation.paired import paired_difference
from collab.lake import Manifest, ingest
from collab.movielens.editions import get_edition
from collab.movielens.sources import find_archive

SPLITS = ("random-42", "random-1", "random-2", *FOLDS, "temporal")
VARIANTS = ("bias_only", "als", "bayesian_mf", "bayesian_pair", "bayesian_pair_time")
MARKS = {False: "ids, history, side", True: "ids, history, side, week"}  # by uses_time
RESULTS = Path(__file__).with_name("results")

Record = dict[str, Any]


def main() -> int:
    """Measure, print, write; returns the exit code."""
    asked = arguments()
    data = writable_data_dir(asked.data_dir)
    edition = get_edition(asked.edition)
    source = find_archive(edition, data, archive=asked.archive, trust=asked.trust_archive)
    lake, _ = ingest(source, data)
    ours = Peer(name="collab", script="ours", requirements=(), models=VARIANTS, max_threads=1)
    places = [
        Place(peer=ours, model=model, python=Path(sys.executable)) for model in asked.variants
    ]
    places += [p for p in peer_places(asked.env_dir, {"myFM"}) if p.model in MARKS.values()]
    records: list[Record] = []
    for name in asked.splits:
        records += list(measure_split(name, lake, data, places, asked.jobs))
        sys.stdout.write(table(r for r in records if r["split"] == name) + "\n")
        sys.stdout.flush()
    sys.stdout.write(means(records))
    path = RESULTS / f"accuracy-{asked.edition}.json"
    path.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure errors beside myFM.")
    parser.add_argument("--edition", default="ml-100k")
    parser.add_argument("--archive", help="if not from its sources")
    parser.add_argument("--trust-archive", action="store_true")
    parser.add_argument("--data-dir", help="the project's data folder")
    parser.add_argument(
        "--env-dir", type=given_path, default=Path(".bench"), help="peers' environments"
    )
    parser.add_argument("--splits", nargs="+", default=SPLITS, metavar="NAME")
    parser.add_argument("--variants", nargs="+", default=VARIANTS, metavar="NAME")
    parser.add_argument("--jobs", type=int, default=1, help="models at once (for times: 1)")
    return parser.parse_args()


def measure_split(
    name: str, lake: Manifest, data: DataDir, places: list[Place], jobs: int
) -> Iterator[Record]:
    """A record for each model on one split."""
    kind, _, seed = name.partition("-")
    dataset, _ = make_dataset(lake, Protocol(name=kind, split_seed=int(seed or 42)), data)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        rows = Path(folder)
        export_dataset(rows, lake, dataset)
        found = list(pool.map(lambda at: measure(places[at], rows, at), range(len(places))))
        judged = [judge(dataset, rows / f"{at}.npy") for at in range(len(places))]
    marks = {place.model: mine for place, mine in zip(places, judged, strict=True) if mine}
    for place, record, mine in zip(places, found, judged, strict=True):
        mark = marks.get(MARKS["time" in place.model or "week" in place.model])
        beside = vars(paired_difference(mine, mark)) if mine and mark else {}
        errors = {"mse": float(mine.squared.mean())} if mine else {}
        yield {"split": name, "model": place.model, **record, **errors, **beside}


def measure(place: Place, rows: Path, at: int) -> Record:
    """Fit and predict once; what fails stays in the record, with the reason."""
    try:
        done = run_once(place, rows, 1, seed=0, scores=rows / f"{at}.npy")
    except PeerError as error:
        return {"peer": place.peer.name, "reason": str(error)}
    return {"peer": place.peer.name, "seconds": done["total_s"], "load": done["load"]}


def judge(dataset: Dataset, scores: Path) -> Judged | None:
    """The squared errors of scores on all validation rows."""
    if not scores.exists():
        return None
    actual = dataset.array("valid_ratings").astype(np.float64)
    return Judged(
        position=dataset.array("valid_position"),
        user_id=dataset.array("valid_user_id"),
        squared=(np.load(scores) - actual) ** 2,
    )


def table(records: Iterable[Record]) -> str:
    """The models of one split as Markdown."""
    rows = ["| split | model | MSE | RMSE | beside myFM | s |", "|---|---|--:|--:|--:|--:|"]
    for r in records:
        if "mse" not in r:
            rows.append(f"| {r['split']} | {r['model']} | {r['reason']} | | | |")
            continue
        interval = (
            f"{r['value']:+.4f} ({r['low']:+.4f} to {r['high']:+.4f})" if "value" in r else ""
        )
        name = f"{'' if r['peer'] == 'collab' else 'myFM: '}{r['model']}"
        figures = f"{r['mse']:.4f} | {r['mse'] ** 0.5:.4f} | {interval} | {r['seconds']:.1f}"
        rows.append(f"| {r['split']} | {name} | {figures} |")
    return "\n".join(rows) + "\n"


def means(records: list[Record]) -> str:
    """Mean RMSE over u1 to u5, where all of them were measured."""
    lines = ["| model | mean RMSE of u1 to u5 |", "|---|--:|"]
    for model in dict.fromkeys(r["model"] for r in records):
        found = [r["mse"] ** 0.5 for r in records if r["model"] == model and r["split"] in FOLDS]
        if len(found) == len(FOLDS):
            lines.append(f"| {model} | {sum(found) / len(found):.4f} |")
    return "\n".join(lines) + "\n" if len(lines) > 2 else ""


if __name__ == "__main__":
    sys.exit(main())
