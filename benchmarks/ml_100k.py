"""The ratings that the benchmarks run on."""

from collab.base.paths import DataDir, writable_data_dir
from collab.dataset.build import make_dataset
from collab.dataset.dataset import Dataset
from collab.dataset.protocols import Protocol
from collab.lake import Manifest, ingest
from collab.movielens.editions import ML_100K
from collab.movielens.sources import find_archive

SEED = 42


def ml_100k(data: DataDir, archive: str | None = None) -> Manifest:
    """ml-100k as Parquet, taken in where it is not yet."""
    lake, _ = ingest(find_archive(ML_100K, data, archive=archive), data)
    return lake


def load_ml_100k(data_dir: str | None = None, archive: str | None = None) -> Dataset:
    """The dataset of seed 42, made where it is not yet; items are titles."""
    data = writable_data_dir(data_dir)
    dataset, _ = make_dataset(ml_100k(data, archive), Protocol(split_seed=SEED), data)
    return dataset
