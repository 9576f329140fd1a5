"""What the report reads from the published tables; whatever grows with the ratings is summed up."""

from typing import Any

import duckdb

Rows = list[dict[str, Any]]

FEW = 30  # a mean over fewer predictions is not shown
WELL_RATED = 50  # a bias that rests on fewer ratings says little
OF_CHAMPION = "mine AS (FROM predictions WHERE run_id = $run_id)"
# training saw every rating but those predicted, so sums over it are differences: no join
ITEMS = """
    items AS (
        SELECT item_id, title, title_folded, genres FROM movies WHERE movie_id = item_id)"""
TRAINED_MEAN = """
    level AS (
        SELECT (a.stars - m.stars) / (a.n - m.n) AS mean
        FROM (SELECT sum(rating::DOUBLE) AS stars, count(*) AS n FROM ratings) AS a,
             (SELECT sum(rating::DOUBLE) AS stars, count(*) AS n FROM mine) AS m)"""

LEADERBOARD = """
    SELECT place, run_id, variant, is_champion, valid_mse, valid_rmse, valid_mae, train_seconds,
           device, epochs, n_parameters, seed, behind, behind_low, behind_high, differs,
           mean_mse, sd_mse, n_splits
    FROM leaderboard ORDER BY place"""

COUNTS = """
    SELECT (SELECT count(*) FROM ratings) AS n_ratings,
           (SELECT count(*) FROM users) AS n_users,
           (SELECT count(*) FROM movies) AS n_movies,
           (SELECT count(*) FROM movie_bias) AS n_items"""

# The interval is that of a mean: the errors of single ratings are taken as independent.
CHAMPION_ERROR = f"""
    WITH {OF_CHAMPION}, {TRAINED_MEAN}
    SELECT 1.96 * stddev_samp((prediction - rating) ** 2) / sqrt(count(*)) AS margin,
           avg((mean - rating) ** 2) AS mean_mse, any_value(mean) AS mean_rating
    FROM mine, level"""

CURVES = """
    SELECT run_id, epoch, split, value FROM metrics
    WHERE (split, metric) IN (('train', 'loss'), ('valid', 'mse'))
      AND run_id IN (SELECT run_id FROM leaderboard)
    ORDER BY run_id, epoch, split"""

MAP = f"""
    WITH {ITEMS}
    SELECT title, genres, p.n_ratings, round(bias::DOUBLE, 3) AS bias,
           round(pc1::DOUBLE, 4) AS pc1, round(pc2::DOUBLE, 4) AS pc2
    FROM movie_pca p JOIN items USING (item_id) JOIN movie_bias USING (item_id)
    ORDER BY p.n_ratings DESC, item_id LIMIT $movies"""

# The k highest and the k lowest: of well rated items, where there are enough of them.
BIAS = f"""
    WITH {ITEMS}, trusted AS (
        SELECT item_id, bias, low, high, n_ratings, mean_rating FROM movie_bias
        QUALIFY n_ratings >= {WELL_RATED}
             OR count(*) FILTER (n_ratings >= {WELL_RATED}) OVER () < 2 * $k),
    chosen AS (
        FROM trusted
        QUALIFY row_number() OVER (ORDER BY bias DESC, item_id) <= $k
             OR row_number() OVER (ORDER BY bias, item_id) <= $k)
    SELECT title, bias, low, high, n_ratings, mean_rating
    FROM chosen JOIN items USING (item_id) ORDER BY bias DESC, item_id"""

# half of the recommendations are of movies with fewer ratings than `recommended`, half of the
# ratings of such with fewer than `rated`
RECOMMENDED = """
    WITH counted AS (
        SELECT n_ratings, sum(n_ratings) OVER (ORDER BY n_ratings) AS below,
               sum(n_ratings) OVER () AS total
        FROM movie_bias)
    SELECT count(*) AS n, count(DISTINCT item_id) AS n_items,
           (SELECT count(*) FROM movie_bias) AS n_known,
           median(n_ratings)::BIGINT AS recommended, max(r.rank) AS k,
           (SELECT min(n_ratings) FROM counted WHERE 2 * below >= total) AS rated
    FROM recommendations AS r JOIN movie_bias USING (item_id)"""

RELIABILITY = """
    SELECT rating, bin, n, probability, observed FROM class_reliability
    WHERE run_id = $run_id ORDER BY rating, bin"""

# of all runs that say how likely each rating is: how far that is from how often it is given
CLASS_GAPS = """
    SELECT variant, sum(n * abs(probability - observed)) / sum(n) AS gap
    FROM class_reliability GROUP BY variant ORDER BY gap, variant"""

CALIBRATION = f"""
    WITH {OF_CHAMPION}
    SELECT avg(prediction) AS predicted, avg(rating) AS actual, count(*) AS n,
           actual - 1.96 * stddev_samp(rating) / sqrt(n) AS low,
           actual + 1.96 * stddev_samp(rating) / sqrt(n) AS high
    FROM mine GROUP BY round(prediction * 4) HAVING n >= {FEW} ORDER BY predicted"""

# Sums over the members of a bin, which can be merged; `bins` makes errors and intervals of them.
BINS = """
    members AS (
        SELECT member, any_value(n_seen) AS n_seen, count(*) AS n, sum(error) AS error
        FROM scored GROUP BY member)
    SELECT CASE WHEN n_seen = 0 THEN 0 ELSE 2 ** floor(log2(n_seen)) END::BIGINT AS least,
           greatest(1, 2 * least) AS below, count(*) AS members, sum(n)::BIGINT AS n,
           sum(error) AS errors, sum(error * error) AS squares, sum(error * n) AS products,
           sum(n * n)::DOUBLE AS counts
    FROM members GROUP BY least ORDER BY least"""

MOVIE_ERRORS = f"""
    WITH {OF_CHAMPION},
    held AS (SELECT item_id, count(*) AS n FROM mine JOIN movies USING (movie_id) GROUP BY 1),
    seen AS (
        SELECT item_id, sum(n_ratings) - any_value(held.n) AS n
        FROM movies JOIN held USING (item_id) GROUP BY 1),
    scored AS (
        SELECT item_id AS member, (prediction - rating) ** 2 AS error, seen.n AS n_seen
        FROM mine JOIN movies USING (movie_id) JOIN seen USING (item_id)),
    {BINS}"""

USER_ERRORS = f"""
    WITH {OF_CHAMPION},
    held AS (SELECT user_id, count(*) AS n FROM mine GROUP BY 1),
    given AS (SELECT user_id, count(*) AS n FROM ratings GROUP BY 1),
    seen AS (SELECT user_id, given.n - held.n AS n FROM given JOIN held USING (user_id)),
    scored AS (
        SELECT user_id AS member, (prediction - rating) ** 2 AS error, seen.n AS n_seen
        FROM mine JOIN seen USING (user_id)),
    {BINS}"""

RATINGS = """
    SELECT rating, count(*) AS n, n / sum(n) OVER () AS share FROM ratings
    GROUP BY rating ORDER BY rating"""

# results published as RMSE are squared, since the report speaks of MSE
PUBLISHED = """
    SELECT system, if(metric = 'RMSE', value ** 2, value) AS mse, source, protocol, caveat
    FROM published_benchmarks WHERE edition = $edition AND NOT starts_with(system, 'The book')"""

CHECKS = "SELECT name, severity, passed, failures, first_rows FROM check_results"

NEIGHBORS = """
    WITH chosen AS (
        FROM movie_bias
        WHERE item_id IN (SELECT item_id FROM movie_similarity WHERE rank_popular IS NOT NULL)
        ORDER BY n_ratings DESC, item_id LIMIT $movies)
    SELECT item_id, neighbor_id, similarity
    FROM movie_similarity s JOIN chosen USING (item_id) WHERE rank_popular <= $k
    ORDER BY chosen.n_ratings DESC, item_id, rank_popular"""

TITLES = f"""
    WITH {ITEMS}
    SELECT item_id, title, title_folded, n_ratings FROM movie_bias JOIN items USING (item_id)
    WHERE item_id IN (SELECT unnest($ids))"""


def fetch(con: duckdb.DuckDBPyConnection, sql: str, **parameters: Any) -> Rows:
    """The rows of a query, each a dict by column name."""
    cursor = con.execute(sql, parameters or None)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def fetch_one(con: duckdb.DuckDBPyConnection, sql: str, **parameters: Any) -> dict[str, Any]:
    """The only row of a query."""
    (row,) = fetch(con, sql, **parameters)
    return row
