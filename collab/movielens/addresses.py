"""Where an archive may be downloaded: a mirror if there is one, then GroupLens."""

import os
import re

from collab.base.paths import given_path
from collab.movielens.editions import Edition

ENV_MIRROR = "MOVIELENS_MIRROR"


def addresses(edition: Edition) -> list[str]:
    """Where an edition's archive may be downloaded: a mirror if there is one, then GroupLens."""
    mirror = os.environ.get(ENV_MIRROR)
    return [*([f"{mirror_url(mirror)}/{edition.file_name}"] if mirror else []), edition.url]


def mirror_url(given: str) -> str:
    """The address of a mirror without a slash at its end; a folder's path is one too.

    Raises:
        CollabError: it begins with a home folder that is none.
    """
    path = re.sub("^file:(//)?(?=~)", "", given)
    if path.startswith(("~", "/")):
        given = given_path(path).as_uri()
    return given.rstrip("/")
