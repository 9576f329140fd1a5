"""New ratings are told once, and never not at all."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from collab.base.paths import DataDir
from tasks import events
from tasks.events import announce_ratings


@pytest.fixture
def lake(tmp_path: Path) -> Any:
    """Ratings that are committed."""
    (tmp_path / "lake").mkdir()
    return SimpleNamespace(
        path=tmp_path / "lake" / "f", edition="ml-1m", fingerprint="f", counts={"ratings": 3}
    )


def test_ratings_are_told_again_where_that_was_lost_to_a_crash(
    lake: Any, data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash after the commit and before the event, or while it is sent, keeps no mark."""
    told: list[str] = []

    def crash(**event: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(events, "emit_event", crash)
    with pytest.raises(KeyboardInterrupt):
        announce_ratings(lake, data)
    monkeypatch.setattr(events, "emit_event", lambda event, **more: told.append(event))
    assert announce_ratings(lake, data)
    assert not announce_ratings(lake, data)
    assert told == [events.RATINGS_COMMITTED]
