"""Titles and what finds them: in SQL, on the command line and in the report's search box alike."""

from importlib.resources import files

import duckdb

# the first is the most rated
TITLES = (
    "Alien (1979)",
    "Aliens (1986)",
    "Silence of the Lambs, The (1991)",
    "Silence, The (Tystnaden) (1963)",
    "L.A. Confidential (1997)",
    "E.T. the Extra-Terrestrial (1982)",
    "Ocean's Eleven (a.k.a. Ocean's 11) (1960)",
    "Avventura, L' (Adventure, The) (1960)",
    "Hate (Haine, La) (1995)",
    "Vitelloni, I (a.k.a. The Young and the Passionate) (1953)",
    "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)",
    "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
    "M. Hulot’s Holiday (Vacances de Monsieur Hulot, Les) (1953)",
    "Green Butchers, The (Grønne slagtere, De) (2003)",
    "Großstadt & Łódź (Ærø) (1930)",
    "(500) Days of Summer (2009)",
    "2001: A Space Odyssey (1968)",
    "Blade Runner 2049 (2017)",
    "Blade Runner (1982)",
    "War of the Worlds (2005)",
    "War of the Worlds, The (1953)",
    "Heat and Dust (1983)",
    "Dead Heat (1988)",
    "Heat (1995)",
    "Wonderful World, A (2009– )",
    "[REC]² (2009)",
    "Alien from L.A.",
)

# what is typed, and what is found, in its order
FOUND = {
    "alien": [0, 1, 26],  # the title itself, then what begins with it, the more rated first
    "ALIENS": [1],
    "Alien (1979)": [0],
    "1979 alien": [0],
    "heat": [23, 21, 22],  # itself, a beginning, a part
    "silence": [3, 2],  # its article does not make it another
    "the silence": [3, 2],
    "silence lambs": [2],
    "lambs silence the": [2],
    "Silence of the Lambs, The (1991)": [2],
    "the silence of the lambs": [2],
    "silence of the lambs": [2],
    "tystnaden": [3],
    "la confidential": [4],
    "L.A. Confidential": [4],
    "l a confidential": [4],
    "e.t.": [5],
    "E T the extra terrestrial": [5],
    "ocean's eleven": [6],
    "ocean’s eleven": [6],
    "oceans eleven": [6],
    "ocean s 11": [6],
    "ocean‘s 11": [6],
    "L'Avventura": [7],
    "L’Avventura": [7],
    "l avventura": [7],
    "lavventura": [7],
    "avventura": [7],
    "Avventura, L’": [7],
    "the adventure": [7],
    "La Haine": [8],
    "haine, la": [8],
    "hate": [8],
    "Hate (Haine, La) (1995)": [8],
    "I Vitelloni": [9],
    "vitelloni": [9],
    "young and the passionate": [9],
    "amélie": [10],
    "AME\u0301LIE poulain": [10],
    "destin d’amelie": [10],
    "le fabuleux destin": [10],
    "la cite des enfants perdus": [11],
    "City of Lost Children, The (Cité des enfants perdus, La) (1995)": [11],
    "hulot's holiday": [12],
    "Les Vacances de Monsieur Hulot": [12],
    "gronne slagtere": [13],
    "De GRØNNE slagtere": [13],
    "grossstadt and lodz": [14],
    "ÆRØ": [14],
    "500 days of summer": [15],
    "days of summer": [15],
    "2001": [16, 10],  # a beginning before a year
    "blade runner": [18, 17],
    "blade runner 2049": [17],
    "war of the worlds": [19, 20],
    "war of the worlds 1953": [20],
    "a wonderful world": [24],
    "wonderful world 2009": [24],
    "rec": [25],
    "from la": [26],
    "ien": [],  # words are found from their beginning on
    "lamelie": [],
    "%": [],
    "...": [],
    "": [],
    "silence sheep": [],
}

# what is mistyped, and what is closest
MEANT = {
    "Alein": 0,
    "silense of the lamds": 2,
    "LA confidentail": 4,
    "l'aventura": 7,
    "Vitteloni": 9,
    "bladerunner": 18,
    "xyzzy": None,
    "": None,
}


def plant_titles(con: duckdb.DuckDBPyConnection) -> None:
    """The macros over the titles, movie 1 the most rated."""
    for script in ("data.sql", "titles.sql"):
        con.execute((files("collab.release") / "sql" / script).read_text(encoding="utf-8"))
    insert_titles(con)


def insert_titles(con: duckdb.DuckDBPyConnection) -> None:
    """Movies of these titles, the first the most rated."""
    con.executemany(
        "INSERT INTO movies SELECT $1, $1, $2, NULL, [], 1000 - $1, fold_title($2)",
        list(enumerate(TITLES, start=1)),
    )


def found(query: str) -> list[str]:
    """The titles that a text finds."""
    return [TITLES[at] for at in FOUND[query]]


def meant(query: str) -> str | None:
    """The title closest to a text that finds none; None: nothing is."""
    at = MEANT[query]
    return None if at is None else TITLES[at]
