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

CREATE MACRO compare_runs(a, b) AS TABLE
WITH wide AS (
    SELECT run_id, variant, is_current, valid_mse::DOUBLE AS valid_mse,
           valid_rmse::DOUBLE AS valid_rmse, valid_mae::DOUBLE AS valid_mae,
           train_seconds::DOUBLE AS train_seconds, n_parameters::DOUBLE AS n_parameters,
           epochs::DOUBLE AS epochs, lr_max::DOUBLE AS lr_max, wd::DOUBLE AS wd,
           seed::DOUBLE AS seed, ndcg_10, recall_10, coverage_10
    FROM runs LEFT JOIN run_ranking USING (run_id, variant)),
long AS (
    UNPIVOT wide ON valid_mse, valid_rmse, valid_mae, ndcg_10, recall_10, coverage_10,
                    train_seconds, n_parameters, epochs, lr_max, wd, seed
    INTO NAME measure VALUE value)
SELECT 'judged_mse' AS measure, mse_a AS a, mse_b AS b, b_minus_a, low, high, reason
FROM paired_difference(a, b)
UNION ALL BY NAME
SELECT x.measure, x.value AS a, y.value AS b, y.value - x.value AS b_minus_a
FROM long AS x JOIN long AS y USING (measure)
WHERE (x.run_id = a OR (x.is_current AND x.variant = a))
  AND (y.run_id = b OR (y.is_current AND y.variant = b));
COMMENT ON MACRO TABLE compare_runs IS 'Two runs side by side; each by its run_id or, for a current one, its variant. The difference of judged_mse, of rows that both were judged on, has its 95 % interval, low to high, or the reason why not. FROM compare_runs(''dot_product_bias'', ''dot_product_bias_wd'')';

CREATE MACRO similar_in(run, q, k := 10, min_ratings := 50) AS TABLE
WITH own AS MATERIALIZED (
    SELECT variant, item_id, factors FROM run_factors
    WHERE run_id = run OR variant = run),
asked AS (SELECT item_id, factors FROM own WHERE item_id IN (SELECT item_id FROM find_movie(q))),
near AS (
    SELECT x.item_id, y.item_id AS neighbor_id, n.n_ratings AS neighbor_ratings,
           list_cosine_similarity(x.factors, y.factors) AS cosine
    FROM asked AS x, own AS y JOIN movie_bias AS n USING (item_id)
    WHERE x.item_id <> y.item_id AND n.n_ratings >= min_ratings)
SELECT near.item_id, f.title, row_number() OVER nearest AS rank, neighbor_id, n.title AS neighbor,
       cosine, neighbor_ratings
FROM near
JOIN movies AS f ON f.movie_id = near.item_id
JOIN movies AS n ON n.movie_id = neighbor_id
WHERE isfinite(cosine)
WINDOW nearest AS (PARTITION BY near.item_id ORDER BY cosine DESC, neighbor_id)
QUALIFY rank <= k
ORDER BY f.title, near.item_id, rank;
COMMENT ON MACRO TABLE similar_in IS 'The k most similar items of at least min_ratings ratings, by the factors of one run of the leaderboard, of every movie that a title fits. FROM similar_in(''embedding_dot_bias'', ''silence of the lambs'')';
