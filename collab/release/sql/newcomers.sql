-- Predictions and recommendations for anyone: a user of the edition, or someone who rated a few movies.
--
-- A person is {me, matrix, near_inverse, rated}: the row of factors and bias; what its regression
-- inverts, X'X + penalty P, and the inverse of penalty P; and what was rated, as
-- {item_id, x, surprise}: the item's (factors, 1), and by how much more it was liked than a newcomer
-- is expected to like it. A prediction is what is predicted for a newcomer plus, for each rating,
-- x' matrix^-1 (its x) times its surprise: so each rating has a part in it.
--
-- CTEs have names of their own throughout: what is given to a macro is read inside it.

CREATE MACRO matrix_times(matrix, x) AS list_transform(matrix, lambda line: list_dot_product(line, x));
COMMENT ON MACRO matrix_times IS 'A matrix, a list for each row, times a list. SELECT matrix_times([[1, 2], [3, 4]], [1, 1]) is [3, 7]';

CREATE MACRO plus_scaled(x, scale, y) AS
    list_transform(list_zip(x, y), lambda pair: pair[1] + scale * pair[2]);
COMMENT ON MACRO plus_scaled IS 'x + scale * y of two lists. SELECT plus_scaled([1, 2], 3, [1, 1]) is [4, 5]';

-- conjugate gradients, preconditioned: as many steps as there are ratings, 20 at most in practice
CREATE MACRO solve_all(matrix, near_inverse, sides) AS TABLE
WITH RECURSIVE problem AS MATERIALIZED (
    SELECT matrix::DOUBLE[][] AS a, near_inverse::DOUBLE[][] AS m),
steps AS (
    SELECT 0 AS step, n, list_transform(b, lambda v: 0::DOUBLE) AS x, b AS r, z AS p,
           list_dot_product(b, z) AS rz, 1e-20 * rz AS enough
    FROM (SELECT n, b, matrix_times(m, b) AS z
          FROM (SELECT unnest(sides)::DOUBLE[] AS b, generate_subscripts(sides, 1) AS n), problem)
    UNION ALL
    SELECT step + 1, n, x, r, plus_scaled(z, next_rz / rz, p), next_rz, enough
    FROM (SELECT * EXCLUDE (m), list_dot_product(r, z) AS next_rz
          FROM (SELECT *, matrix_times(m, r) AS z
                FROM (SELECT step, n, m, plus_scaled(x, rz / pq, p) AS x,
                             plus_scaled(r, -rz / pq, q) AS r, p, rz, enough
                      FROM (SELECT *, list_dot_product(p, q) AS pq
                            FROM (SELECT *, matrix_times(a, p) AS q FROM steps, problem
                                  WHERE rz > enough AND step < 200))))))
SELECT n, max_by(x, step) AS x FROM steps GROUP BY n;
COMMENT ON MACRO TABLE solve_all IS 'x with matrix x = side, numbered n as the sides, of a symmetric positive definite matrix of which something near the inverse is known. FROM solve_all([[2.0, 0.0], [0.0, 4.0]], [[1.0, 0.0], [0.0, 1.0]], [[2.0, 2.0]])';

CREATE MACRO person_of(ratings) AS TABLE
WITH known AS MATERIALIZED (
    SELECT row_number() OVER () AS n, item_id, stars::DOUBLE - p.mean - b.bias AS left_over,
           list_append(factors, 1)::DOUBLE[] AS x
    FROM (SELECT r.item_id AS item_id, r.stars AS stars FROM (SELECT unnest(ratings) AS r))
    JOIN movie_factors USING (item_id) JOIN movie_bias AS b USING (item_id), publish_info AS p
    WHERE stars IS NOT NULL),
-- a list for each factor, so that the products are those of whole columns
by_factor AS (
    SELECT j, list(v ORDER BY n) AS xs
    FROM (SELECT n, unnest(x) AS v, generate_subscripts(x, 1) AS j FROM known) GROUP BY j),
prior AS (
    SELECT *, ridge + ridge_share * pow((SELECT count(*) FROM known), ridge_power) AS penalty,
           coalesce((SELECT list(xs ORDER BY j) FROM by_factor),
                    list_transform(prior_mean, lambda v: []::DOUBLE[])) AS xt,
           coalesce((SELECT list({item_id: item_id, x: x, left_over: left_over} ORDER BY n)
                     FROM known), []) AS seen
    FROM newcomer),
regression AS MATERIALIZED (
    SELECT prior_mean,
           list_transform(list_zip(xt, prior_precision),
               lambda a: list_transform(list_zip(xt, a[2]),
                   lambda b: coalesce(list_dot_product(a[1], b[1]), 0) + penalty * b[2])) AS matrix,
           list_transform(prior_covariance,
               lambda line: list_transform(line, lambda v: v / penalty)) AS near_inverse,
           list_transform(seen, lambda r: {
               item_id: r.item_id, x: r.x,
               surprise: r.left_over - list_dot_product(r.x, prior_mean)}) AS rated,
           matrix_times(xt, list_transform(rated, lambda r: r.surprise)) AS side
    FROM prior),
moved AS (
    FROM solve_all((SELECT matrix FROM regression), (SELECT near_inverse FROM regression),
                   (SELECT [side] FROM regression)))
SELECT plus_scaled(prior_mean, 1, moved.x) AS me, matrix, near_inverse, rated
FROM regression, moved;
COMMENT ON MACRO TABLE person_of IS 'What a user who gave such stars to such items is to the champion, as the other macros take it; no row where it cannot take in a new user. FROM person_of([{''item_id'': 50, ''stars'': 5}])';

CREATE MACRO items_of(ratings) AS TABLE
SELECT (SELECT item_id FROM find_movie(r.movie) LIMIT 1) AS item_id, r.stars AS stars
FROM (SELECT unnest(ratings) AS r);
COMMENT ON MACRO TABLE items_of IS 'Ratings of titles or ids as ratings of items; of several movies that fit a title, the first that find_movie gives. FROM items_of([{''movie'': ''Alien'', ''stars'': 5}])';

CREATE MACRO newcomer_of(ratings) AS TABLE
FROM person_of((SELECT list({item_id: item_id, stars: stars}) FROM items_of(ratings)));
COMMENT ON MACRO TABLE newcomer_of IS 'person_of for ratings of titles or ids. FROM newcomer_of([{''movie'': ''Alien'', ''stars'': 5}])';

CREATE MACRO fold_in(ratings) AS TABLE
SELECT me[:-2]::FLOAT[] AS factors, me[-1]::FLOAT AS bias, len(rated) AS n_ratings
FROM newcomer_of(ratings);
COMMENT ON MACRO TABLE fold_in IS 'Factors and bias of someone new, as user_factors and user_bias have them of users, and of how many ratings they could be made. FROM fold_in([{''movie'': ''Alien'', ''stars'': 5}])';

CREATE MACRO member_of("user") AS TABLE
SELECT list_append(factors, bias)::DOUBLE[] AS me, matrix, near_inverse, rated
FROM (FROM user_factors JOIN user_bias USING (user_id)
      WHERE user_id = try_cast("user"::VARCHAR AS INTEGER))
LEFT JOIN person_of((
    SELECT list({item_id: item_id, stars: rating})
    FROM (FROM ratings WHERE user_id = try_cast("user"::VARCHAR AS INTEGER) ORDER BY ts DESC LIMIT 300)
    JOIN movies USING (movie_id))) ON true;
COMMENT ON MACRO TABLE member_of IS 'A user of the edition likewise, with the row that training found; how sure it is and why are by the last 300 ratings. FROM member_of(196)';

-- least and greatest leave NULL out, of all their arguments
CREATE MACRO cut_to(low, high, stars) AS
    CASE WHEN stars IS NOT NULL THEN greatest(least(stars, high), low) END::FLOAT;
COMMENT ON MACRO cut_to IS 'Stars cut to a scale; where an end of it is NULL, there is none. SELECT cut_to(1, 5, 5.3) is 5';

CREATE MACRO expected_of(person, items) AS TABLE
WITH whoever AS MATERIALIZED (SELECT unnest(p) FROM (SELECT person AS p) WHERE p IS NOT NULL),
wanted AS MATERIALIZED (
    SELECT row_number() OVER () AS n, item_id, bias, sd, is_cold, list_append(factors, 1)::DOUBLE[] AS x
    FROM (SELECT unnest(items) AS item_id)
    JOIN (SELECT item_id, factors, b.bias, b.sd, false AS is_cold
          FROM movie_factors JOIN movie_bias AS b USING (item_id)
          UNION ALL SELECT item_id, factors, bias, sd, true FROM cold_movies) USING (item_id)),
reached AS (
    SELECT wanted.*, s.x AS reach
    FROM wanted JOIN solve_all((SELECT matrix FROM whoever), (SELECT near_inverse FROM whoever),
                               (SELECT list(x ORDER BY n) FROM wanted)) AS s USING (n)),
why AS (
    SELECT item_id, info.mean + bias + list_dot_product(x, me) AS score, info,
           sqrt(noise * (1 + list_dot_product(reach, x)) + coalesce(sd, 0) ** 2
                + CASE WHEN is_cold THEN 0 ELSE unsure END) AS sd,
           list_max(list_transform(rated, lambda r: {
               pull: list_dot_product(reach, r.x) * r.surprise, item_id: r.item_id})) AS most
    FROM reached, whoever, publish_info AS info LEFT JOIN newcomer ON true)
SELECT why.item_id, score,
       cut_to(info.clip_low, info.clip_high, coalesce(
           info.y_low + (info.y_high - info.y_low) / (1 + exp(-score)), score)) AS prediction,
       sd::FLOAT AS sd,
       cut_to(info.clip_low, info.clip_high, score - 1.96 * sd) AS low,
       cut_to(info.clip_low, info.clip_high, score + 1.96 * sd) AS high,
       cut_to(info.clip_low, info.clip_high, score - 1.2816 * sd) AS cautious,
       m.title AS because, CASE WHEN most.pull > 0 THEN most.pull END::FLOAT AS pull
FROM why LEFT JOIN movies AS m ON m.movie_id = most.item_id AND most.pull > 0;
COMMENT ON MACRO TABLE expected_of IS 'What a person is expected to give to items; to those of cold_movies from genres and year alone. FROM expected_of((SELECT p FROM member_of(196) AS p), [50, 100])';

CREATE MACRO best_of(person, seen, k, genre, year_from, year_to, min_ratings) AS TABLE
WITH one AS MATERIALIZED (SELECT unnest(p) FROM (SELECT person AS p) WHERE p IS NOT NULL),
-- before any join, which would carry the lists of all items along
near AS (
    SELECT item_id, list_dot_product(factors, (SELECT me[:-2]::FLOAT[] FROM one))::DOUBLE AS dot
    FROM movie_factors WHERE EXISTS (FROM one)),
best AS MATERIALIZED (
    SELECT b.item_id, title, release_year, genres, b.n_ratings, dot + b.bias AS height
    FROM near JOIN movie_bias AS b USING (item_id) JOIN movies AS m ON m.movie_id = b.item_id
    WHERE b.item_id NOT IN (SELECT unnest(seen)) AND b.n_ratings >= min_ratings
      AND (genre IS NULL OR list_contains(genres, genre))
      AND (year_from IS NULL OR release_year >= year_from)
      AND (year_to IS NULL OR release_year <= year_to)
    ORDER BY height DESC, b.item_id LIMIT k)
SELECT row_number() OVER (ORDER BY height DESC, item_id) AS rank, title, release_year, genres,
       prediction, n_ratings, item_id, sd, cautious, because, pull
FROM best JOIN expected_of((SELECT one FROM one), (SELECT list(item_id) FROM best)) USING (item_id)
ORDER BY rank;
COMMENT ON MACRO TABLE best_of IS 'The k items with the highest prediction for a person but for those seen. FROM best_of((SELECT p FROM member_of(196) AS p), [50], 10, NULL, NULL, NULL, 0)';

CREATE MACRO recommend("user", k := 10, genre := NULL, year_from := NULL, year_to := NULL, min_ratings := 0) AS TABLE
FROM best_of((SELECT p FROM member_of("user") AS p),
             (SELECT list(item_id) FROM ratings JOIN movies USING (movie_id)
              WHERE user_id = try_cast("user"::VARCHAR AS INTEGER)),
             k, genre, year_from, year_to, min_ratings);
COMMENT ON MACRO TABLE recommend IS 'The k items with the highest prediction among those a user has not rated, of a genre and of some years if asked. FROM recommend(196, genre := ''Drama'', year_from := 1990, min_ratings := 50)';

CREATE MACRO recommend_for(ratings, k := 10, genre := NULL, year_from := NULL, year_to := NULL, min_ratings := 0) AS TABLE
WITH gave AS MATERIALIZED (FROM items_of(ratings))
FROM best_of((SELECT p FROM person_of((SELECT list({item_id: item_id, stars: stars}) FROM gave)) AS p),
             (SELECT list(item_id) FROM gave), k, genre, year_from, year_to, min_ratings);
COMMENT ON MACRO TABLE recommend_for IS 'The same for someone new who gave such stars, by title or id. FROM recommend_for([{''movie'': ''Alien'', ''stars'': 5}, {''movie'': ''Titanic'', ''stars'': 2}])';

CREATE MACRO predict("user", movie) AS TABLE
WITH fits AS MATERIALIZED (
    SELECT f.item_id, any_value(title) AS title, coalesce(any_value(b.n_ratings), 0) AS n_ratings
    FROM find_movie(movie) AS f LEFT JOIN movie_bias AS b ON b.item_id = f.item_id
    GROUP BY f.item_id)
SELECT title, prediction, low, high, sd, r.rating, because, pull, n_ratings, item_id
FROM fits JOIN (SELECT user_id FROM user_bias WHERE user_id = try_cast("user"::VARCHAR AS INTEGER)) ON true
LEFT JOIN expected_of((SELECT p FROM member_of("user") AS p), (SELECT list(item_id) FROM fits)) USING (item_id)
LEFT JOIN (SELECT item_id, avg(rating)::FLOAT AS rating FROM ratings JOIN movies USING (movie_id)
           WHERE user_id = try_cast("user"::VARCHAR AS INTEGER) GROUP BY item_id) AS r USING (item_id)
ORDER BY n_ratings DESC, item_id;
COMMENT ON MACRO TABLE predict IS 'What a user is expected to give to every movie that a title fits, with the 95 % interval of the rating, and what was given if it was; where n_ratings is 0, nobody has rated it and the prediction is from its genres and year alone. FROM predict(42, ''Alien'')';

CREATE MACRO predict_for(ratings, movie) AS TABLE
WITH fits AS MATERIALIZED (
    SELECT f.item_id, any_value(title) AS title, coalesce(any_value(b.n_ratings), 0) AS n_ratings
    FROM find_movie(movie) AS f LEFT JOIN movie_bias AS b ON b.item_id = f.item_id
    GROUP BY f.item_id)
SELECT title, prediction, low, high, sd, because, pull, n_ratings, item_id
FROM fits LEFT JOIN expected_of((SELECT p FROM newcomer_of(ratings) AS p), (SELECT list(item_id) FROM fits)) USING (item_id)
ORDER BY n_ratings DESC, item_id;
COMMENT ON MACRO TABLE predict_for IS 'The same for someone new. FROM predict_for([{''movie'': ''Alien'', ''stars'': 5}], ''Titanic'')';
