"""Where server, worker and data stand, and what they are told of it."""

import os
from dataclasses import dataclass
from pathlib import Path

from collab.base.paths import ENV_DATA_DIR, DataDir
from flows import log_settings

HOST = "127.0.0.1"
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where all of it stands.

    home: Prefect's own files, such as its SQLite database, and the logs of server and worker.
    port: of server and UI; the tables and the report are on the next one.
    pool: the work pool's name.
    stdout: whether server and worker log there, and not to files of their own.
    """

    data: DataDir
    home: Path
    port: int
    pool: str
    stdout: bool = False

    def log(self, part: str) -> Path | None:
        """The file that a part logs to; None: standard output."""
        return None if self.stdout else self.home / f"{part}.log"

    @property
    def logs(self) -> str:
        """Where the logs are, in words."""
        return "above" if self.stdout else f"{self.home}/{{server,worker}}.log"

    @property
    def ui(self) -> str:
        """The UI's address."""
        return f"http://{HOST}:{self.port}"

    @property
    def served(self) -> str:
        """The address of what is published."""
        return f"http://{HOST}:{self.port + 1}"

    def environment(self) -> dict[str, str]:
        """What server, worker and flow runs need to be told.

        Where links shall lead is the operator's to say: behind a proxy the addresses are others.
        """
        return {
            **log_settings(),
            "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",  # of 90 days ago
            **os.environ,
            "PREFECT_HOME": str(self.home),
            "PREFECT_API_URL": f"{self.ui}/api",
            "PREFECT_UI_URL": os.environ.get("PREFECT_UI_URL") or self.ui,
            "COLLAB_HOME": str(ROOT),
            "COLLAB_POOL": self.pool,
            "COLLAB_SERVE_URL": os.environ.get("COLLAB_SERVE_URL") or self.served,
            ENV_DATA_DIR: str(self.data.root),
        }
