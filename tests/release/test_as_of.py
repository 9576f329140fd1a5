"""A publication as of an earlier day stands in the history and is never served."""

from datetime import UTC, datetime

import duckdb
import pytest

import collab
from collab.base.errors import CollabError
from collab.release.rollback import roll_back
from collab.release.snapshot import Snapshot, current_snapshot, list_snapshots
from collab.report import publish_report
from collab.runs.record import Run
from tests.release.planted import FIRST_TS, N_MOVIES, Published, ask, rated
from tests.release.planted import rows as planted_rows

LAST_USER = 30  # each user rates after the one before
DAY = datetime.fromtimestamp(FIRST_TS + LAST_USER * 100 + 99, UTC)


@pytest.fixture
def earlier(mine: Published) -> Run:
    """A run on the ratings of the first thirty users alone."""
    return mine.train("dot_product_bias_wd", as_of=DAY)


def seqs(mine: Published) -> list[int]:
    """The snapshots there are, newest first."""
    return [snapshot.seq for snapshot in list_snapshots(mine.serve)]


def served(mine: Published) -> Snapshot | None:
    """What readers are led to by every link."""
    current = current_snapshot(mine.serve)
    assert current
    for top in (mine.serve, mine.data.serve):
        assert (top / "movielens.duckdb").resolve() == current.database.resolve()
    return current


def test_it_is_in_the_list_and_never_served(mine: Published, earlier: Run) -> None:
    before = served(mine)
    snapshot, made = mine.publish([earlier])
    assert made
    assert (seqs(mine), served(mine)) == ([2, 1], before)
    publish_report(snapshot)
    assert (snapshot.folder / "report.html").exists()
    assert (mine.serve / "report.html").resolve().parent.name == "000001"
    assert snapshot.record.as_of == DAY.isoformat()
    assert snapshot.record.compared_with is None

    assert mine.publish([earlier]) == (snapshot, False), "it is made once"
    assert mine.publish([earlier], force=True)[0].seq == 3
    assert served(mine) == before


def test_it_holds_nothing_that_came_later(mine: Published, earlier: Run) -> None:
    snapshot, _ = mine.publish([earlier])
    ratings = [row for row in planted_rows().ratings if row[0] <= LAST_USER]
    with duckdb.connect(snapshot.database, read_only=True) as con:
        naive = DAY.replace(tzinfo=None)
        assert ask(con, "SELECT as_of FROM publish_info") == [(naive,)]
        assert ask(con, "SELECT count(*), max(user_id) FROM ratings") == [(len(ratings), LAST_USER)]
        assert ask(con, "SELECT max(user_id) FROM user_bias") == [(LAST_USER,)]
        n = sum(rated(user, 2) for user in range(1, LAST_USER + 1))
        assert ask(con, "SELECT n_ratings FROM movie_bias WHERE item_id = 2") == [(n,)]
        assert ask(con, "SELECT n_train FROM runs WHERE is_release") == [(len(ratings),)]
        assert ask(con, "SELECT count(*) FROM movie_bias") == [(N_MOVIES,)]


def test_its_runs_stand_in_later_publications(mine: Published, earlier: Run) -> None:
    mine.publish([earlier])
    new = mine.train("dot_product_bias_wd", seed=7)
    snapshot, made = mine.publish([new], max_regression=None)
    assert (snapshot.seq, made) == (3, True)
    assert served(mine) == snapshot
    with collab.connect(mine.data.root) as con:
        found = ask(
            con, "SELECT run_id, role, is_current, protocol FROM runs WHERE as_of IS NOT NULL"
        )
        assert (earlier.run_id, "history", False, "random") in found
        assert [row[1:] for row in found if row[0] != earlier.run_id] == [("history", False, "all")]
        assert ask(con, "SELECT as_of FROM publish_info") == [(None,)]
        epochs = f"SELECT max(epoch) FROM metrics WHERE run_id = '{earlier.run_id}'"
        assert ask(con, epochs) == [(8,)]


def test_nobody_goes_back_to_it(mine: Published, earlier: Run) -> None:
    before = served(mine)
    mine.publish([earlier])
    with pytest.raises(CollabError, match=r"Snapshot 2 is as of 1998-.* and never served; open .*"):
        roll_back(mine.serve, 2)
    assert served(mine) == before
    assert not any(snapshot.withdrawn for snapshot in list_snapshots(mine.serve))


def test_a_later_champion_is_not_held_to_it(mine: Published, earlier: Run) -> None:
    mine.publish([earlier])
    snapshot, _ = mine.publish(force=True)
    assert (snapshot.seq, snapshot.record.compared_with) == (3, 1)
