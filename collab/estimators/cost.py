"""What fitting costs, told before it is done.

The constants are CPU seconds on one core, as `python -m benchmarks.costs` measures them. They are
meant to tell a minute from an hour: a busy or an older machine takes longer, a GPU less.
"""

from dataclasses import dataclass

MIB = 1 << 20
PROCESS_MIB = 350.0  # of a child that has imported torch and done nothing
ROW_BYTES = 40  # of a training row: its arrays, their order, what a pass gathers


@dataclass(frozen=True, kw_only=True)
class Size:
    """What is learnt from: training rows, and users and items with the unknown counted."""

    n_ratings: int
    n_users: int
    n_items: int


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Estimated: CPU seconds of one core, and peak memory of the process, MiB.

    steps: how often numbers are changed: batches, sweeps. numbers: how many are learnt.
    """

    seconds: float
    mib: float
    steps: int
    numbers: int


def memory(size: Size, *, numbers: int, copies: int, row_bytes: int = ROW_BYTES) -> float:
    """MiB of a process that holds the rows, and float32 numbers so many times."""
    return PROCESS_MIB + (size.n_ratings * row_bytes + numbers * 4 * copies) / MIB
