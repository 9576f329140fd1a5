"""A mirror on 127.0.0.1 whose releases a test changes, and which counts what it is asked for."""

import hashlib
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Mirror:
    """A folder that is served; `asked` are the paths of all requests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.url = ""

    def release(self, archive: Path, name: str) -> str:
        """Put an archive there under a name, with its sidecar; returns the md5."""
        shutil.copyfile(archive, self.folder / name)
        md5 = hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
        (self.folder / f"{name}.md5").write_text(f"{md5}  {name}\n")
        return md5


@contextmanager
def serving(folder: Path) -> Iterator[Mirror]:
    """Serve a folder until the context ends."""
    mirror = Mirror(folder)

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            mirror.asked.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        mirror.url = f"http://127.0.0.1:{server.server_port}"
        yield mirror
        server.shutdown()
