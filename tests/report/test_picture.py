"""The README's picture: drawn from a report, or said why not."""

from pathlib import Path

import pytest

from collab.base.errors import CollabError
from scripts import picture


def test_without_a_report_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CollabError, match=r"There is no .*report\.html: publish ml-100k first\."):
        picture.picture(data_dir=tmp_path)


def test_without_a_browser_it_says_which_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CollabError, match=r"No browser is installed: none of chromium, "):
        picture.browser()


def test_the_picture_in_the_repository_is_small_and_as_wide_as_it_should_be() -> None:
    drawn = picture.PICTURE.read_bytes()
    assert len(drawn) <= picture.BYTES
    assert drawn.startswith(b"\x89PNG")
    assert int.from_bytes(drawn[16:20], "big") == picture.WIDTH
