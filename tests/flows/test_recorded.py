"""What the journal says of a flow under which the code changed."""

from pathlib import Path

import pytest
from prefect.exceptions import TerminationSignal

from collab.base import fingerprint
from collab.base.fingerprint import CodeChangedError, stamp
from collab.base.journal import read_journal
from collab.base.paths import DataDir
from flows.recorded import recorded


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of code that this process runs."""
    path = tmp_path / "module.sql"
    path.write_text("SELECT 1")
    monkeypatch.setitem(fingerprint.LOADED, path, (stamp(path), "SELECT 1"))
    return path


def fails_of(missing: Path, data_dir: str) -> None:
    """A flow that reads a file of the program late."""
    missing.read_text()


def test_what_is_missed_of_changed_code_is_told_as_that(module: Path, data: DataDir) -> None:
    module.unlink()
    with pytest.raises(CodeChangedError, match="start it again"):
        recorded(fails_of)(module, data_dir=str(data.root))
    (entry,) = read_journal(data)
    assert entry["error"].startswith(f"The code changed under this run ({module}).")


def test_what_is_missed_otherwise_is_told_as_it_is(module: Path, data: DataDir) -> None:
    with pytest.raises(FileNotFoundError):
        recorded(fails_of)(module.with_name("other"), data_dir=str(data.root))
    assert "No such file" in read_journal(data)[0]["error"]


def test_what_ended_it_is_told(data: DataDir) -> None:
    def flow(data_dir: str) -> None:
        raise TerminationSignal(signal=15)

    data.root.mkdir()
    with pytest.raises(TerminationSignal):
        recorded(flow)(str(data.root))
    assert read_journal(data)[0]["error"] == "It was ended by SIGTERM."
