"""An environment for each peer, made once and again only when its pins change."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.peers.table import Peer

PINS = Path(__file__).with_name("requirements-peers.txt")
# What pip may say after the error itself.
ASIDES = ("note:", "hint:", "[notice]", "ERROR: ResolutionImpossible")


class PeerError(Exception):
    """A peer could not be installed or measured; the message is the last line it gave."""


def ensure_environment(peer: Peer, env_dir: Path) -> Path:
    """Return the Python of the peer's environment, made anew unless it is there as pinned."""
    home = env_dir.resolve() / peer.script
    python, stamp = home / "bin" / "python", home / "made-from.txt"
    recipe = environment_recipe(peer)
    if stamp.is_file() and stamp.read_text() == recipe:
        return python
    shutil.rmtree(home, ignore_errors=True)
    output_of([sys.executable, "-m", "venv", str(home)])
    pip = [str(python), "-m", "pip", "install", "--quiet", "--constraint", str(PINS)]
    output_of([*pip, *peer.requirements])
    stamp.write_text(recipe)
    return python


def environment_recipe(peer: Peer) -> str:
    """Return all that decides what the environment holds."""
    return "\n".join((sys.version, *peer.requirements, PINS.read_text()))


def output_of(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float = 3600,
) -> str:
    """Run a program to its end and return what it printed; PeerError where it fails."""
    try:
        done = subprocess.run(
            command, cwd=cwd, env=env, timeout=timeout_s, capture_output=True, text=True
        )
    except subprocess.TimeoutExpired as error:
        raise PeerError(f"no answer in {timeout_s:.0f} s") from error
    if done.returncode != 0:
        raise PeerError(last_line(done.stderr) or f"exit status {done.returncode}")
    return done.stdout


def last_line(text: str) -> str:
    """Return the last line that says something, or the empty string."""
    lines = [line.strip() for line in text.splitlines()]
    return next((line for line in reversed(lines) if line and not line.startswith(ASIDES)), "")
