"""The MovieLens editions as records: where they lie, what is published about them."""

from dataclasses import dataclass, field
from typing import Literal

from collab.base.errors import unknown_name

LayoutName = Literal["tab", "dat_users", "dat", "csv"]
ItemKey = Literal["title", "movie"]

BASE_URL = "https://files.grouplens.org/datasets/movielens"
CITATION = (
    "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
    "ACM Transactions on Interactive Intelligent Systems 5, 4, Article 19. doi:10.1145/2827872"
)
RESEARCH = "Research use; no redistribution; no commercial use without permission; cite the paper."
SHAREABLE = "Research use; redistribution under the same terms; no commercial use; cite the paper."


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The ratings an edition allows: from `low` to `high` by `step`."""

    low: float
    high: float
    step: float


STARS = Scale(low=1, high=5, step=1)
HALF_STARS = Scale(low=0.5, high=5, step=0.5)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Published numbers of rows."""

    ratings: int
    users: int
    movies: int


@dataclass(frozen=True, kw_only=True)
class Edition:
    """One MovieLens release.

    `size` and `sha256` are of the archive as GroupLens serves it; `members` holds the sha256
    of files in it that are known one by one, which tell a repacked archive from a wrong one.
    """

    name: str
    folder: str
    layout: LayoutName
    scale: Scale
    size: int | None = None
    sha256: str | None = None
    counts: Counts | None = None
    licence: str = RESEARCH
    item_key: ItemKey = "movie"
    members: dict[str, str] = field(default_factory=dict)
    citation: str = CITATION

    @property
    def file_name(self) -> str:
        """The archive's file name."""
        return f"{self.name}.zip"

    @property
    def changes(self) -> bool:
        """Whether it may be another one tomorrow: nothing is published of it but a sidecar."""
        return self.sha256 is None

    @property
    def url(self) -> str:
        """The archive's address at GroupLens."""
        return f"{BASE_URL}/{self.file_name}"


ML_100K = Edition(
    name="ml-100k",
    folder="ml-100k",
    layout="tab",
    scale=STARS,
    size=4_924_029,
    sha256="50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
    counts=Counts(ratings=100_000, users=943, movies=1_682),
    item_key="title",
    members={
        "u.data": "06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490",
        "u.item": "553841ebc7de3a0fd0d6b62a204ea30c1e651aacfb2814c7a6584ac52f2c5701",
        "u.user": "f120e114da2e8cf314fd28f99417c94ae9ddf1cb6db8ce0e4b5995d40e90e62c",
    },
)
ML_LATEST_SMALL = Edition(
    name="ml-latest-small",
    folder="ml-latest-small",
    layout="csv",
    scale=HALF_STARS,
    size=978_202,
    sha256="696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436",
    counts=Counts(ratings=100_836, users=610, movies=9_742),
    licence=SHAREABLE,
)
ML_1M = Edition(
    name="ml-1m",
    folder="ml-1m",
    layout="dat_users",
    scale=STARS,
    size=5_917_549,
    sha256="a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
    counts=Counts(ratings=1_000_209, users=6_040, movies=3_883),
)
ML_10M = Edition(
    name="ml-10m",
    folder="ml-10M100K",
    layout="dat",
    scale=HALF_STARS,
    size=65_566_137,
    sha256="813c411ccb6122564edfe752e7f80c4dcc5aa25fa94c93622f6877a7ba252862",
    counts=Counts(ratings=10_000_054, users=69_878, movies=10_681),
)
ML_20M = Edition(
    name="ml-20m",
    folder="ml-20m",
    layout="csv",
    scale=HALF_STARS,
    size=198_702_078,
    sha256="96f243c338a8665f6bcc89c53edf6ee39162a846940de6b7c8c48aeada765ff3",
    counts=Counts(ratings=20_000_263, users=138_493, movies=27_278),
)
ML_25M = Edition(
    name="ml-25m",
    folder="ml-25m",
    layout="csv",
    scale=HALF_STARS,
    size=261_978_986,
    sha256="8b21cfb7eb1706b4ec0aac894368d90acf26ebdfb6aced3ebd4ad5bd1eb9c6aa",
    counts=Counts(ratings=25_000_095, users=162_541, movies=62_423),
)
ML_32M = Edition(
    name="ml-32m",
    folder="ml-32m",
    layout="csv",
    scale=HALF_STARS,
    size=238_950_008,
    sha256="e4a68655d7386b8f95f2f2424b2ff975dfdd15ffd59e0d864a14dca43e99d6ee",
    counts=Counts(ratings=32_000_204, users=200_948, movies=87_585),
    licence=SHAREABLE,
)
# Changes with every release: nothing is known before it is fetched but its .md5 sidecar.
ML_LATEST = Edition(name="ml-latest", folder="ml-latest", layout="csv", scale=HALF_STARS)

EDITIONS: dict[str, Edition] = {
    edition.name: edition
    for edition in (
        ML_100K,
        ML_LATEST_SMALL,
        ML_1M,
        ML_10M,
        ML_20M,
        ML_25M,
        ML_32M,
        ML_LATEST,
    )
}


def get_edition(name: str) -> Edition:
    """The edition of that name.

    Raises:
        CollabError: there is none; names the nearest.
    """
    if name not in EDITIONS:
        raise unknown_name("edition", name, list(EDITIONS))
    return EDITIONS[name]
