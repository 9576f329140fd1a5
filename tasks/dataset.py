"""Tasks: datasets."""

from datetime import datetime

from prefect import task
from prefect.runtime import flow_run

from collab.base.journal import below, step
from collab.base.paths import DataDir
from collab.dataset.build import make_dataset
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import Protocol
from collab.lake import Manifest


@task(task_run_name="dataset-{protocol.label}")
def prepare_dataset(
    lake: Manifest, protocol: Protocol, data: DataDir, as_of: datetime | None, force: bool
) -> Dataset:
    """Cut, encode and group the ratings, once for all runs."""
    with step(data, "dataset", edition=lake.edition, flow_run=flow_run.get_id()) as entry:
        dataset, made = make_dataset(lake, protocol, data, as_of=as_of, force=force)
        entry["rows"], entry["where"] = dataset.n_train, below(data, dataset.path)
        entry["outcome"] = "made" if made else "found"
    return dataset
