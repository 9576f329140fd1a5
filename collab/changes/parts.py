"""The queries that find what changed between the databases attached as `before` and `after`.

Each gives the columns of `Change`, and says what it needs: a publication of another version may
not have it.
"""

from dataclasses import dataclass

INFO = """
    SELECT 'publication', name, was, now, NULL, NULL, NULL FROM (
        SELECT unnest(['published at (UTC)', 'made by collab']) AS name,
               unnest([strftime(b.published_at, '%Y-%m-%d %H:%M'), b.collab_version]) AS was,
               unnest([strftime(a.published_at, '%Y-%m-%d %H:%M'), a.collab_version]) AS now
        FROM before.publish_info AS b, after.publish_info AS a)"""
DATA = """
    WITH counts AS (
        SELECT 'ratings' AS name, (SELECT count(*) FROM before.ratings) AS was,
               (SELECT count(*) FROM after.ratings) AS now
        UNION ALL SELECT 'movies', (SELECT count(*) FROM before.movies),
               (SELECT count(*) FROM after.movies)
        UNION ALL SELECT 'users', (SELECT count(*) FROM before.users),
               (SELECT count(*) FROM after.users))
    SELECT 'data', name, was::VARCHAR, now::VARCHAR, now - was, NULL, NULL
    FROM counts WHERE was <> now
    UNION ALL
    SELECT 'data', 'fingerprint', b.data_fingerprint[:12], a.data_fingerprint[:12], NULL, NULL, NULL
    FROM before.publish_info AS b, after.publish_info AS a
    WHERE b.data_fingerprint <> a.data_fingerprint"""
CHAMPION = """
    SELECT 'champion', name, was, now, NULL, NULL, NULL FROM (
        SELECT unnest(['recipe', 'run', 'run on all ratings']) AS name,
               unnest([b.champion_variant, b.champion_run_id, b.release_run_id]) AS was,
               unnest([a.champion_variant, a.champion_run_id, a.release_run_id]) AS now
        FROM before.publish_info AS b, after.publish_info AS a)
    WHERE name = 'recipe' OR was <> now"""
ERRORS = """
    SELECT 'error', name, format('{:.4f}', was), format('{:.4f}', now), now - was, NULL, NULL
    FROM (
        SELECT 0 AS place, 'expected MSE' AS name, b.expected_mse AS was, a.expected_mse AS now
        FROM before.publish_info AS b, after.publish_info AS a
        UNION ALL
        SELECT a.place, variant, b.judged_mse, a.judged_mse
        FROM before.standings AS b JOIN after.standings AS a USING (variant))
    WHERE place = 0 OR was <> now ORDER BY place"""
# places among the items of at least 50 ratings in both
BIAS = """
    WITH ranked AS (
        SELECT title, a.bias - b.bias AS more,
               rank() OVER (ORDER BY b.bias DESC) AS was, rank() OVER (ORDER BY a.bias DESC) AS now
        FROM before.movie_bias AS b JOIN after.movie_bias AS a USING (item_id)
        JOIN after.movies AS m ON m.movie_id = item_id
        WHERE b.n_ratings >= 50 AND a.n_ratings >= 50)
    SELECT 'bias', title, was::VARCHAR, now::VARCHAR, now - was, NULL, NULL
    FROM ranked WHERE was <> now ORDER BY abs(now - was) DESC, title LIMIT 10"""
# of the ten most rated items: which of their ten nearest were not, or are no more, among them
NEIGHBORS = """
    WITH films AS (
        SELECT item_id, n_ratings FROM after.movie_bias
        WHERE item_id IN (SELECT item_id FROM before.movie_bias)
        ORDER BY n_ratings DESC, item_id LIMIT 10),
    was AS (FROM before.movie_similarity SEMI JOIN films USING (item_id) WHERE rank <= 10),
    now AS (FROM after.movie_similarity SEMI JOIN films USING (item_id) WHERE rank <= 10),
    other AS (
        SELECT item_id, neighbor_id, rank, 'went' AS how FROM was
        ANTI JOIN now USING (item_id, neighbor_id)
        UNION ALL
        SELECT item_id, neighbor_id, rank, 'came' FROM now
        ANTI JOIN was USING (item_id, neighbor_id)),
    named AS (
        SELECT item_id, any_value(f.title) AS title, any_value(films.n_ratings) AS n_ratings,
               string_agg(n.title, '; ' ORDER BY rank) FILTER (how = 'went') AS went,
               string_agg(n.title, '; ' ORDER BY rank) FILTER (how = 'came') AS came
        FROM other JOIN films USING (item_id)
        JOIN after.movies AS f ON f.movie_id = item_id
        JOIN after.movies AS n ON n.movie_id = neighbor_id
        GROUP BY item_id)
    SELECT 'neighbours', title, went, came, NULL, NULL, NULL
    FROM named ORDER BY n_ratings DESC, item_id"""
RUNS = """
    SELECT 'run', coalesce(b.variant, a.variant) AS variant, b.run_id, a.run_id, NULL, NULL, NULL
    FROM (FROM before.runs WHERE is_current) AS b
    FULL JOIN (FROM after.runs WHERE is_current) AS a USING (variant)
    WHERE b.run_id IS DISTINCT FROM a.run_id
    ORDER BY variant"""
PAIRED = """
    CREATE VIEW champions AS
        SELECT 'before' AS side, r.*, data_fingerprint || split_name AS dataset
        FROM (SELECT run_id, data_fingerprint, split_name, n_valid FROM before.runs
              WHERE is_champion AND is_current) AS r
        UNION ALL
        SELECT 'after', r.*, data_fingerprint || split_name
        FROM (SELECT run_id, data_fingerprint, split_name, n_valid FROM after.runs
              WHERE is_champion AND is_current) AS r;
    CREATE VIEW runs AS
        SELECT side AS run_id, run_id AS variant, false AS is_current, dataset, n_valid
        FROM champions;
    CREATE VIEW predictions AS
        SELECT side AS run_id, position, user_id, rating, prediction, repeated
        FROM before.predictions JOIN champions USING (run_id) WHERE side = 'before'
        UNION ALL
        SELECT side, position, user_id, rating, prediction, repeated
        FROM after.predictions JOIN champions USING (run_id) WHERE side = 'after'"""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of what may change.

    needs: the columns that its query reads, by table.
    """

    name: str
    sql: str
    needs: dict[str, str]


PREDICTED = "run_id position user_id rating prediction repeated"
PARTS = (
    Part(
        name="publication",
        sql=INFO,
        needs={"publish_info": "published_at collab_version"},
    ),
    Part(
        name="data",
        sql=DATA,
        needs={"publish_info": "data_fingerprint", "ratings": "", "movies": "", "users": ""},
    ),
    Part(
        name="champion",
        sql=CHAMPION,
        needs={"publish_info": "champion_variant champion_run_id release_run_id"},
    ),
    Part(
        name="error",
        sql=ERRORS,
        needs={"publish_info": "expected_mse", "standings": "variant place judged_mse"},
    ),
    Part(
        name="bias",
        sql=BIAS,
        needs={"movie_bias": "item_id bias n_ratings", "movies": "movie_id title"},
    ),
    Part(
        name="neighbours",
        sql=NEIGHBORS,
        needs={
            "movie_bias": "item_id n_ratings",
            "movie_similarity": "item_id neighbor_id rank",
            "movies": "movie_id title",
        },
    ),
    Part(name="run", sql=RUNS, needs={"runs": "run_id variant is_current"}),
)

# how much more the champion errs than the one before it, on equal rows; needs `PAIRED` run first
CHAMPIONS = Part(
    name="error",
    sql="""
        SELECT 'error', 'champion on equal rows', format('{:.4f}', mse_a), format('{:.4f}', mse_b),
               b_minus_a, low, high
        FROM paired_difference('before', 'after') WHERE reason IS NULL""",
    needs={
        "runs": "run_id data_fingerprint split_name n_valid is_champion is_current",
        "predictions": PREDICTED,
    },
)
