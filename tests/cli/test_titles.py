"""Finding a title on the command line."""

from collections.abc import Iterator

import duckdb
import pytest

from collab.base.errors import CollabError
from collab.base.paths import DataDir
from collab.cli.place import Place
from collab.cli.queries import fitting
from tests.cli.served import serve_by_hand
from tests.titles import FOUND, MEANT, found, insert_titles, meant
from tests.typed import Capture, error, out


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A publication of movies with these titles."""
    data = DataDir(tmp_path_factory.mktemp("titles") / "data")
    folder = serve_by_hand(data.serve)
    with duckdb.connect(folder / "movielens.duckdb") as con:
        con.execute("DELETE FROM movies")
        insert_titles(con)
        # one item under two ids
        con.execute("INSERT INTO movies SELECT * REPLACE (99 AS movie_id) FROM movies LIMIT 1")
        con.execute("UPDATE movies SET n_ratings = 12 WHERE movie_id = 99")
    opened = Place(data.root, None)
    yield opened
    opened.con.close()


def titles(place: Place, query: str) -> list[str]:
    try:
        return [row[1] for row in fitting(place, query).values]
    except CollabError:
        return []


def test_what_is_found_and_in_which_order(place: Place) -> None:
    for query in FOUND:
        assert titles(place, query) == found(query), query


def test_what_is_meant(place: Place) -> None:
    for query in MEANT:
        with pytest.raises(CollabError) as refused:
            fitting(place, query)
        assert refused.value.args[0].startswith(f"No movie fits {query!r}.")
        ends = f"Did you mean {meant(query)}?" if meant(query) else "Give words of its title"
        assert ends in refused.value.args[0]


def test_the_title_itself_is_answered_for_and_the_others_are_named(
    place: Place, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert place.data_dir
    monkeypatch.setenv("COLLAB_DATA_DIR", str(place.data_dir))
    printed = out(capsys, "similar", "alien")
    assert printed.count("Like ") == 1
    assert printed.startswith("Like Alien (1979) (id 1, 1011 ratings)")
    assert "'alien' fits 2 more, such as Aliens (1986) (id 2); choose one by its id." in printed
    said = "No movie fits 'Alein'. Did you mean Alien (1979)?"
    assert said in error(capsys, "similar", "Alein")


def test_an_item_of_two_movies_has_the_ratings_of_both(place: Place) -> None:
    for query in ("1", "99", "alien"):
        assert next(iter(fitting(place, query).values)) == (1, "Alien (1979)", 999 + 12, 1)
