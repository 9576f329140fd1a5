-- Macros. Those that answer with a table need the database in use: after ATTACH, say USE first.

CREATE MACRO similar_movies(q, k := 10, min_ratings := NULL) AS TABLE
WITH asked AS MATERIALIZED (
    SELECT coalesce(min_ratings, popular_from) AS least, least >= popular_from AS popular
    FROM publish_info),
found AS (SELECT item_id FROM find_movie(q) QUALIFY fit = min(fit) OVER ()),
near AS (
    SELECT n.*, CASE WHEN popular THEN rank_popular ELSE rank END AS place,
           CASE WHEN popular THEN share_popular ELSE share END AS in_list
    FROM movie_neighbors AS n, asked
    WHERE item_id IN (FROM found) AND neighbor_ratings >= least AND place IS NOT NULL)
SELECT item_id, title, place AS rank, neighbor_id, neighbor, cosine, neighbor_ratings, similarity,
       sd, in_list AS share
FROM near
QUALIFY row_number() OVER (PARTITION BY item_id ORDER BY place) <= k
ORDER BY title, item_id, rank;
COMMENT ON MACRO TABLE similar_movies IS 'The k (at most 20) most similar items of the movies that a title fits best, or of an id, among those with at least min_ratings ratings; by default publish_info.popular_from, with 0 all. FROM similar_movies(''toy story'', k := 5)';

CREATE MACRO recommend("user", k := 10) AS TABLE
WITH asked AS MATERIALIZED (
    SELECT factors, bias FROM user_factors JOIN user_bias USING (user_id)
    WHERE user_id = try_cast("user"::VARCHAR AS INTEGER)),
-- before any join, which would carry the lists of all items along
near AS (
    SELECT item_id, list_dot_product(factors, (SELECT factors FROM asked))::DOUBLE AS dot
    FROM movie_factors WHERE EXISTS (FROM asked)),
best AS (
    SELECT item_id, b.n_ratings, dot + b.bias + (SELECT bias FROM asked) AS score
    FROM near JOIN movie_bias AS b USING (item_id)
    WHERE item_id NOT IN (
        SELECT item_id FROM ratings JOIN movies USING (movie_id)
        WHERE user_id = try_cast("user"::VARCHAR AS INTEGER))
    ORDER BY score DESC, item_id LIMIT k)
SELECT row_number() OVER (ORDER BY score DESC, s.item_id) AS rank, title, release_year, genres,
       greatest(least(coalesce(y_low + (y_high - y_low) / (1 + exp(-score - mean)), score + mean),
                      coalesce(clip_high, 'inf'::FLOAT)),
                coalesce(clip_low, '-inf'::FLOAT))::FLOAT AS prediction,
       s.n_ratings, s.item_id
FROM best AS s JOIN movies AS m ON m.movie_id = s.item_id, publish_info
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
