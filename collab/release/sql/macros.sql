-- Macros. Those that answer with a table need the database in use: after ATTACH, say USE first.

CREATE MACRO fold(words) AS
    trim(regexp_replace(replace(lower(strip_accents(words)), '''', ''), '[^\pL\pN]+', ' ', 'g'));
COMMENT ON MACRO fold IS 'Text as find_movie compares it: no accents, case or punctuation. SELECT fold(''Amélie!'') is amelie';

CREATE MACRO article_first(title) AS
    regexp_replace(title, '^(.+), (The|A|An|Le|La|Les|L''|Un|Une|El|Los|Las|Il|Der|Die|Das)( \(|$)', '\2 \1\3');
COMMENT ON MACRO article_first IS 'A title with its article moved to the front: ''Lambs, The (1991)'' is The Lambs (1991)';

CREATE MACRO find_movie(q) AS TABLE
SELECT movie_id, item_id, title, release_year, genres,
       (SELECT count(*) FROM ratings AS r WHERE r.movie_id = m.movie_id) AS n_ratings
FROM movies AS m
WHERE movie_id = try_cast(q::VARCHAR AS INTEGER)
   -- the words of q, in their order, from the beginning of a word on
   OR (typeof(q) = 'VARCHAR' AND fold(q::VARCHAR) <> ''
       AND (contains(' ' || fold(title), ' ' || fold(q::VARCHAR))
            OR contains(' ' || fold(article_first(title)), ' ' || fold(q::VARCHAR))))
ORDER BY n_ratings DESC, movie_id;
COMMENT ON MACRO TABLE find_movie IS 'All movies that a title or a part of one fits, whatever its accents and case, or the movie of an id; most rated first. FROM find_movie(''silence of the lambs'')';

CREATE MACRO similar_movies(q, k := 10) AS TABLE
SELECT item_id, title, rank, neighbor_id, neighbor, cosine, neighbor_ratings, similarity, sd, share
FROM movie_neighbors
WHERE item_id IN (SELECT item_id FROM find_movie(q)) AND rank <= k
ORDER BY title, item_id, rank;
COMMENT ON MACRO TABLE similar_movies IS 'The k (at most 20) most similar items of every movie that a title fits, or of an id. FROM similar_movies(''toy story'', k := 5)';

CREATE MACRO recommend("user", k := 10) AS TABLE
SELECT row_number() OVER (ORDER BY score DESC, s.item_id) AS rank, title, release_year, genres,
       greatest(least(coalesce(y_low + (y_high - y_low) / (1 + exp(-score - mean)), score + mean),
                      coalesce(clip_high, 'inf'::FLOAT)),
                coalesce(clip_low, '-inf'::FLOAT))::FLOAT AS prediction,
       n_ratings, s.item_id
FROM (
    SELECT b.item_id, b.n_ratings,
           (list_dot_product(f.factors, u.factors) + b.bias + ub.bias)::DOUBLE AS score
    FROM movie_factors AS f, movie_bias AS b, user_factors AS u, user_bias AS ub
    WHERE f.item_id = b.item_id AND u.user_id = ub.user_id
      AND u.user_id = try_cast("user"::VARCHAR AS INTEGER)
      AND f.item_id NOT IN (
          SELECT item_id FROM ratings AS r JOIN movies USING (movie_id)
          WHERE r.user_id = try_cast("user"::VARCHAR AS INTEGER))) AS s
JOIN movies AS m ON m.movie_id = s.item_id, publish_info
QUALIFY rank <= k
ORDER BY rank;
COMMENT ON MACRO TABLE recommend IS 'The k items with the highest prediction among those a user has not rated. FROM recommend(196)';

CREATE MACRO compare_runs(a, b) AS TABLE
WITH wide AS (
    SELECT run_id, variant, is_current, valid_mse::DOUBLE AS valid_mse,
           valid_rmse::DOUBLE AS valid_rmse, valid_mae::DOUBLE AS valid_mae,
           train_seconds::DOUBLE AS train_seconds, n_parameters::DOUBLE AS n_parameters,
           epochs::DOUBLE AS epochs, lr_max::DOUBLE AS lr_max, wd::DOUBLE AS wd,
           seed::DOUBLE AS seed
    FROM runs),
long AS (
    UNPIVOT wide ON valid_mse, valid_rmse, valid_mae, train_seconds, n_parameters, epochs, lr_max,
                    wd, seed
    INTO NAME measure VALUE value)
SELECT x.measure, x.value AS a, y.value AS b, y.value - x.value AS b_minus_a
FROM long AS x JOIN long AS y USING (measure)
WHERE (x.run_id = a OR (x.is_current AND x.variant = a))
  AND (y.run_id = b OR (y.is_current AND y.variant = b));
COMMENT ON MACRO TABLE compare_runs IS 'Two runs side by side; each by its run_id or, for a current one, its variant. FROM compare_runs(''dot_product_bias'', ''dot_product_bias_wd'')';
