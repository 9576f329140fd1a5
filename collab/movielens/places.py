"""Where the members of an edition lie in a zip or a folder, whatever the folder above is called."""

import zipfile
from pathlib import Path

from collab.base.errors import CollabError
from collab.movielens.editions import EDITIONS, Edition
from collab.movielens.layouts import layout_of

Folders = dict[str, dict[str, str]]  # a folder -> a member's name, lower case -> where it lies


def members_in(path: Path, edition: Edition) -> dict[str, str]:
    """Where each member needed lies: its name -> its path inside the zip or the folder.

    Members stand together: below the edition's folder, at the top, or below one other folder that
    holds them all and is no other edition's. Files of folds are there or not.

    Raises:
        CollabError: one is missing, or several folders hold them all.
    """
    names = names_in(path)
    folders, layout = by_folder(names), layout_of(edition)
    needed = {member.name.lower(): member.name for member in layout.members}
    top = top_folder(path, edition, folders, set(needed))
    missing = [name for low, name in needed.items() if low not in folders.get(top, {})]
    if missing:
        raise CollabError(
            f"{path} has no {edition.folder}/{missing[0]}, which {edition.name} consists of. "
            f"Is it another edition's archive? It holds {_some(sorted(names))}."
        )
    wanted = needed | {member.name.lower(): member.name for member in layout.folds}
    return {name: folders[top][low] for low, name in wanted.items() if low in folders[top]}


def names_in(path: Path) -> set[str]:
    """The paths of all files in a zip or a folder, as they are written there."""
    if path.is_dir():
        return {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    with zipfile.ZipFile(path) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def by_folder(names: set[str]) -> Folders:
    """The files of each folder; `./` and backslashes, as some programs write them, are heeded."""
    found: Folders = {}
    for name in sorted(names):
        *above, last = (part for part in name.replace("\\", "/").split("/") if part != ".")
        found.setdefault("/".join(above), {}).setdefault(last.lower(), name)
    return found


def top_folder(path: Path, edition: Edition, folders: Folders, needed: set[str]) -> str:
    """The folder that the members lie in: the edition's own before the top before any other.

    Where none holds them all, the one that holds most.

    Raises:
        CollabError: several do, and neither is the edition's nor the top.
    """
    others = {other.folder.lower() for other in EDITIONS.values()} - {edition.folder.lower()}
    own = [folder for folder in folders if folder.split("/")[-1].lower() not in others]
    whole = [folder for folder in own if needed <= set(folders[folder])]
    for folder in (edition.folder, ""):
        if folder in whole:
            return folder
    named = [f for f in whole if f.split("/")[-1].lower() == edition.folder.lower()]
    whole = named or whole
    if len(whole) > 1:
        raise CollabError(
            f"{path} holds the files of {edition.name} in several folders: {_some(whole)}. "
            "Unpack it and give the one that is meant: --archive FOLDER."
        )
    return max(whole or own, key=lambda f: len(needed & set(folders[f])), default="")


def _some(names: list[str]) -> str:
    """A few names of a list, for an error."""
    return (", ".join(names[:5]) + (", …" if len(names) > 5 else "")) or "nothing"
