"""Train the variants on the ratings that are committed; the runs are announced."""

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from collab.lake import find_manifest
from collab.base.paths import writable_data_dir
from collab.runs.run import Run
from flows.names import run_name
from flows.plan import plan
from tasks.artifacts import show_training
from tasks.events import announce_runs
from tasks.train import train_all


@flow(
    name="train",
    flow_run_name=run_name,
    # the device lease says how many train at once
    task_runner=ThreadPoolTaskRunner(max_workers=64),  # type: ignore[arg-type]
)
def train(
    edition: str = "ml-100k",
    fingerprint: str | None = None,
    data_dir: str | None = None,
    seed: int = 42,
    variants: list[str] | None = None,
    epochs: int | None = None,
    device: str = "auto",
    force: bool = False,
) -> list[Run]:
    """Parquet to run folders.

    Args:
        edition: a MovieLens edition that was ingested.
        fingerprint: of the ratings to train on; by default the edition's newest.
        data_dir: where everything is kept; by default COLLAB_DATA_DIR, else `data`.
        seed: of the split, the first weights and the shuffling.
        variants: which to train; `faithful` or `fast` for all of a kind; by default both.
        epochs: passes over the training rows; by default each recipe's own.
        device: auto, cpu, mps, cuda or cuda:N.
        force: train also what is committed.
    """
    data = writable_data_dir(data_dir)
    recipes = plan(edition, variants, epochs, device, seed)
    lake = find_manifest(data, edition, fingerprint)
    runs, _ = train_all(recipes, lake, data, seed=seed, device=device, force=force)
    show_training(lake, runs)
    announce_runs(lake, runs, data)
    return runs
