"""What a file is, and why a zip cannot be read: each told in one line with what to do."""

import lzma
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from collab.base.errors import CollabError

# all that zipfile and what it inflates with raise for what they cannot read
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,  # of bzip2, without a number; those with one are the file system's
    RuntimeError,  # a password; as NotImplementedError a method or a version
    ValueError,
    OverflowError,
)
STARTS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
}
TAR = slice(257, 262)
PAGES = (b"<!doctype", b"<html", b"<?xml")
METHODS = {9: "Deflate64", 93: "zstd", 95: "xz", 98: "PPMd", 99: "AES"}
UNPACK = "Unpack it with the program that made it and give the folder: --archive FOLDER."


def check_zip(path: Path) -> None:
    """Refuse what is no whole, safe zip.

    Raises:
        CollabError: an HTML page, another kind of archive, a truncated file, a member whose path
            leaves the folder.
    """
    refuse_other_kind(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except UNREADABLE as error:
        refuse_system_error(error)
        raise CollabError(
            f"{path} is not a whole zip ({reason_of(error)}); it is truncated or damaged. "
            "Delete it and fetch it again."
        ) from error
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in name:
            raise CollabError(
                f"{path} holds the member {name!r}, whose path leaves the folder. "
                "Nothing was unpacked; such an archive is not to be trusted."
            )


def refuse_other_kind(path: Path) -> None:
    """Stop at a file that is something else than a zip, and say what.

    Raises:
        CollabError: it is a page, another archive, or empty.
    """
    with path.open("rb") as file:
        start = file.read(512)
    if start.lstrip().lower().startswith(PAGES):
        raise CollabError(
            f"{path} is an HTML page, not a zip: a proxy or a log-in page answered in place of the "
            "archive. Fetch it again from another network or give the file with --archive."
        )
    kinds = [kind for magic, kind in STARTS.items() if start.startswith(magic)]
    kind = "tar" if start[TAR] == b"ustar" else next(iter(kinds), None)
    if kind:
        raise CollabError(f"{path} is a {kind} archive, not a zip. {UNPACK}")
    if not start:
        raise CollabError(f"{path} is empty. Delete it and fetch it again.")


def unreadable(path: Path, info: zipfile.ZipInfo | None, error: Exception) -> CollabError:
    """Why a member of a zip cannot be read, and what to do."""
    refuse_system_error(error)
    where = f"{path}: {info.filename}" if info else str(path)
    if info and info.flag_bits & 0x1:
        return CollabError(
            f"{where} is encrypted. Unzip it with its password and give the folder: "
            "--archive FOLDER."
        )
    if isinstance(error, NotImplementedError):
        method = info.compress_type if info else 0
        named = f"method {method}, {METHODS[method]}" if method in METHODS else f"method {method}"
        return CollabError(
            f"{where} is compressed in a way that is not known here ({named}: "
            f"{reason_of(error)}). {UNPACK}"
        )
    return CollabError(f"{where} is damaged ({reason_of(error)}). Fetch it again.")


def refuse_system_error(error: Exception) -> None:
    """Pass on what the file system said: that is no fault of the archive."""
    if isinstance(error, OSError) and error.errno is not None:
        raise error


def reason_of(error: Exception) -> str:
    """What a library said, on one line, never empty."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
