"""Run the analyst's notebook and keep what it prints: `python scripts/notebook.py`."""

import os
import sys
from pathlib import Path
from unittest.mock import patch

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from collab.base.paths import data_dir as folder_of
from collab.cli.app import make_app, run

NOTEBOOK = Path(__file__).parent.parent / "docs" / "questions.ipynb"
SECONDS = 120  # of one cell

app = make_app(
    "python scripts/notebook.py",
    "Run docs/questions.ipynb on what is published of ml-100k, and keep what it prints.",
    "python scripts/notebook.py --data-dir /srv/collab",
)


@app.default
def notebook(*, data_dir: Path | None = None) -> None:
    """Write the notebook anew.

    Args:
        data_dir: where ml-100k is published; by default COLLAB_DATA_DIR, else `data`.
    """
    nbformat.write(executed(folder_of(data_dir).root), NOTEBOOK)


def executed(data: Path) -> NotebookNode:
    """The notebook with what its cells print, by a kernel of its own.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    found = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(found, timeout=SECONDS, kernel_name="python3", record_timing=False)
    with patch.dict(os.environ, COLLAB_DATA_DIR=str(data), COLLAB_EDITION="ml-100k"):
        client.execute()
    found.metadata = {"kernelspec": found.metadata.kernelspec, "language_info": {"name": "python"}}
    return found


if __name__ == "__main__":
    sys.exit(run(app))
