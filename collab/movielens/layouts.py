"""How each layout names its members, and how DuckDB reads them."""

from dataclasses import dataclass

from collab.movielens.editions import Edition, LayoutName

RATING_COLUMNS = {
    "user_id": "INTEGER",
    "movie_id": "INTEGER",
    "rating": "FLOAT",
    "ts": "BIGINT",
}
# u.genre, in its order: the 19 flags at the end of a line of u.item.
GENRE_FLAGS = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary",
    "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi",
    "Thriller", "War", "Western",
)  # fmt: skip
DELIMITED_MOVIES = {"movie_id": "INTEGER", "title": "VARCHAR", "genre_list": "VARCHAR"}


@dataclass(frozen=True, kw_only=True)
class Member:
    """One text file of an archive: its name and how it is read.

    A `header` is the first line as it must be; without one the file starts with data.
    """

    name: str
    columns: dict[str, str]
    delimiter: str
    encoding: str = "utf-8"
    header: str | None = None
    quote: str = ""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The members of an edition that are read; `users` only where demographics are published.

    folds: the rating files that each hold the validation rows of a fold, read where they are there.
    """

    ratings: Member
    movies: Member
    users: Member | None = None
    folds: tuple[Member, ...] = ()

    @property
    def members(self) -> tuple[Member, ...]:
        """Those that must be there."""
        return tuple(member for member in (self.ratings, self.movies, self.users) if member)


LAYOUTS: dict[LayoutName, Layout] = {
    "tab": Layout(
        ratings=Member(name="u.data", columns=RATING_COLUMNS, delimiter="\t"),
        movies=Member(
            name="u.item",
            columns={
                "movie_id": "INTEGER",
                "title": "VARCHAR",
                "release_date": "VARCHAR",
                "video_release_date": "VARCHAR",
                "imdb_url": "VARCHAR",
                **{f"is_{genre}": "TINYINT" for genre in GENRE_FLAGS},
            },
            delimiter="|",
            encoding="latin-1",
        ),
        users=Member(
            name="u.user",
            columns={
                "user_id": "INTEGER",
                "age": "SMALLINT",
                "gender": "VARCHAR",
                "occupation": "VARCHAR",
                "zip_code": "VARCHAR",
            },
            delimiter="|",
            encoding="latin-1",
        ),
        folds=tuple(
            Member(name=f"{fold}.test", columns=RATING_COLUMNS, delimiter="\t")
            for fold in ("u1", "u2", "u3", "u4", "u5", "ua", "ub")
        ),
    ),
    "dat_users": Layout(
        ratings=Member(name="ratings.dat", columns=RATING_COLUMNS, delimiter="::"),
        movies=Member(
            name="movies.dat", columns=DELIMITED_MOVIES, delimiter="::", encoding="latin-1"
        ),
        users=Member(
            name="users.dat",
            columns={
                "user_id": "INTEGER",
                "gender": "VARCHAR",
                "age": "SMALLINT",
                "occupation": "VARCHAR",
                "zip_code": "VARCHAR",
            },
            delimiter="::",
            encoding="latin-1",
        ),
    ),
    "dat": Layout(
        ratings=Member(name="ratings.dat", columns=RATING_COLUMNS, delimiter="::"),
        movies=Member(name="movies.dat", columns=DELIMITED_MOVIES, delimiter="::"),
    ),
    "csv": Layout(
        ratings=Member(
            name="ratings.csv",
            columns=RATING_COLUMNS,
            delimiter=",",
            header="userId,movieId,rating,timestamp",
            quote='"',
        ),
        movies=Member(
            name="movies.csv",
            columns=DELIMITED_MOVIES,
            delimiter=",",
            header="movieId,title,genres",
            quote='"',
        ),
    ),
}


def layout_of(edition: Edition) -> Layout:
    """The layout an edition is written in."""
    return LAYOUTS[edition.layout]
