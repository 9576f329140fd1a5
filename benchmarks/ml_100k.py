"""The ratings that the benchmarks run on."""

from collab.lake import Manifest, ingest
from collab.movielens.editions import ML_100K
from collab.movielens.sources import find_archive
from collab.base.paths import writable_data_dir
from collab.dataset.interactions import Ratings, load_ratings


def ml_100k(data_dir: str | None = None, archive: str | None = None) -> Manifest:
    """ml-100k as Parquet, taken in where it is not yet."""
    data = writable_data_dir(data_dir)
    manifest, _ = ingest(find_archive(ML_100K, data, archive=archive), data)
    return manifest


def load_ml_100k(data_dir: str | None = None) -> Ratings:
    """All ratings in archive order, items being titles."""
    return load_ratings(ml_100k(data_dir))
