-- Views: ready answers, with titles. They work through ATTACH.

CREATE VIEW run_ranking AS
SELECT run_id, variant, max(value) FILTER (metric = 'ndcg@10') AS ndcg_10,
       max(value) FILTER (metric = 'recall@10') AS recall_10,
       max(value) FILTER (metric = 'coverage@10') AS coverage_10,
       max(value) FILTER (metric = 'ranked_users')::INTEGER AS ranked_users
FROM metrics
WHERE metric IN ('ndcg@10', 'recall@10', 'coverage@10', 'ranked_users')
GROUP BY run_id, variant;
COMMENT ON VIEW run_ranking IS 'How good the ten items are that a run would show first, among all that a user has not rated in training; relevant is a validation rating of 4 stars and more';
COMMENT ON COLUMN run_ranking.run_id IS 'The run';
COMMENT ON COLUMN run_ranking.variant IS 'The model variant';
COMMENT ON COLUMN run_ranking.ndcg_10 IS 'Discounted cumulative gain of the ten as a part of the best there could be, mean over users; what is relevant gains 1, places count by 1 / log2(place), the first two by 1';
COMMENT ON COLUMN run_ranking.recall_10 IS 'The part of what is relevant that is among the ten (of more than ten, the part of ten), mean over users';
COMMENT ON COLUMN run_ranking.coverage_10 IS 'The part of the items that is among the ten of some user';
COMMENT ON COLUMN run_ranking.ranked_users IS 'For how many users that was measured: those with something relevant; at most 1,000, and fewer the more items there are, the same for every run of a dataset';

CREATE VIEW leaderboard AS
SELECT place, variant, valid_mse, valid_rmse, valid_mae, mean_mse, sd_mse, n_splits, behind,
       behind_low, behind_high, differs, ndcg_10, recall_10, coverage_10, train_seconds, device,
       epochs, n_parameters, seed, uses_time, supplies_tables, is_champion, run_id
FROM runs
JOIN standings USING (run_id, variant)
LEFT JOIN run_ranking USING (run_id, variant)
ORDER BY place;
COMMENT ON VIEW leaderboard IS 'The current runs, best first';
COMMENT ON COLUMN leaderboard.place IS '1 is the lowest valid MSE, rows left out that the same user rated in training under another id';
COMMENT ON COLUMN leaderboard.variant IS 'The model variant';
COMMENT ON COLUMN leaderboard.valid_mse IS 'Mean squared error on the validation rows, stars squared';
COMMENT ON COLUMN leaderboard.valid_rmse IS 'Its root, stars';
COMMENT ON COLUMN leaderboard.valid_mae IS 'Mean absolute error, stars';
COMMENT ON COLUMN leaderboard.mean_mse IS 'Mean valid MSE over the splits it ran on';
COMMENT ON COLUMN leaderboard.sd_mse IS 'Standard deviation over those splits; NULL: there was one';
COMMENT ON COLUMN leaderboard.n_splits IS 'How many splits';
COMMENT ON COLUMN leaderboard.behind IS 'How much larger its MSE is than that of the first, on equal rows';
COMMENT ON COLUMN leaderboard.behind_low IS 'The low end of its 95 % interval';
COMMENT ON COLUMN leaderboard.behind_high IS 'The high end of its 95 % interval';
COMMENT ON COLUMN leaderboard.differs IS 'Whether the interval excludes zero; where not, the first place is shared';
COMMENT ON COLUMN leaderboard.ndcg_10 IS 'How good the ten items it would show first are, 0 to 1; see run_ranking';
COMMENT ON COLUMN leaderboard.recall_10 IS 'The part of what is relevant that is among them; see run_ranking';
COMMENT ON COLUMN leaderboard.coverage_10 IS 'The part of the items that is among the ten of some user; see run_ranking';
COMMENT ON COLUMN leaderboard.train_seconds IS 'Seconds in the training loop';
COMMENT ON COLUMN leaderboard.device IS 'cpu, cuda or mps';
COMMENT ON COLUMN leaderboard.epochs IS 'Passes over the training rows: epochs, sweeps or samples';
COMMENT ON COLUMN leaderboard.n_parameters IS 'Number of weights of the model';
COMMENT ON COLUMN leaderboard.seed IS 'Seed of the first weights, of shuffling and of sampling';
COMMENT ON COLUMN leaderboard.uses_time IS 'Whether its predictions use the time stamp of the rating they predict';
COMMENT ON COLUMN leaderboard.supplies_tables IS 'Whether its factors and biases explain its predictions, so that it may be champion';
COMMENT ON COLUMN leaderboard.is_champion IS 'Whether bias, similarity and PCA come from its recipe';
COMMENT ON COLUMN leaderboard.run_id IS 'The run';

CREATE VIEW latest_run AS
SELECT run_id, variant, started_at, seed, device, valid_mse, valid_rmse, valid_mae, train_seconds,
       is_current, is_champion
FROM runs
WHERE valid_mse IS NOT NULL
ORDER BY started_at DESC, run_id
LIMIT 1;
COMMENT ON VIEW latest_run IS 'One row: the evaluated run that was started last';
COMMENT ON COLUMN latest_run.run_id IS 'The run';
COMMENT ON COLUMN latest_run.variant IS 'The model variant';
COMMENT ON COLUMN latest_run.started_at IS 'When training started, UTC';
COMMENT ON COLUMN latest_run.seed IS 'Seed of the first weights, of shuffling and of sampling';
COMMENT ON COLUMN latest_run.device IS 'cpu, cuda or mps';
COMMENT ON COLUMN latest_run.valid_mse IS 'Mean squared error on the validation rows, stars squared';
COMMENT ON COLUMN latest_run.valid_rmse IS 'Its root, stars';
COMMENT ON COLUMN latest_run.valid_mae IS 'Mean absolute error, stars';
COMMENT ON COLUMN latest_run.train_seconds IS 'Seconds in the training loop';
COMMENT ON COLUMN latest_run.is_current IS 'Whether it stands on the leaderboard of this publication';
COMMENT ON COLUMN latest_run.is_champion IS 'Whether bias, similarity and PCA come from its recipe';

CREATE VIEW metric_history AS
SELECT started_at, run_id, m.variant, seed, is_current, as_of, epoch, split, metric, value
FROM metrics AS m
JOIN runs USING (run_id)
ORDER BY started_at, run_id, epoch, split, metric;
COMMENT ON VIEW metric_history IS 'The metrics of all runs over time, oldest first';
COMMENT ON COLUMN metric_history.started_at IS 'When training started, UTC';
COMMENT ON COLUMN metric_history.run_id IS 'The run';
COMMENT ON COLUMN metric_history.variant IS 'The model variant';
COMMENT ON COLUMN metric_history.seed IS 'Seed of the first weights, of shuffling and of sampling';
COMMENT ON COLUMN metric_history.is_current IS 'Whether the run stands on the leaderboard of this publication';
COMMENT ON COLUMN metric_history.as_of IS 'Only ratings up to this moment, UTC, were used; NULL: all';
COMMENT ON COLUMN metric_history.epoch IS 'Counts from 1';
COMMENT ON COLUMN metric_history.split IS 'train or valid';
COMMENT ON COLUMN metric_history.metric IS 'train: loss, seconds; valid: mse, rmse, mae and, after the last epoch, ndcg@10, recall@10, coverage@10, ranked_users';
COMMENT ON COLUMN metric_history.value IS 'Its value';

CREATE VIEW movie_bias_named AS
SELECT rank, title, release_year, genres, bias, b.n_ratings, mean_rating, b.item_id, sd, low, high,
       p_top50, p_bottom50
FROM movie_bias AS b
JOIN movies AS m ON m.movie_id = b.item_id
ORDER BY rank;
COMMENT ON VIEW movie_bias_named IS 'movie_bias with titles, highest bias first';
COMMENT ON COLUMN movie_bias_named.rank IS '1 is the highest bias';
COMMENT ON COLUMN movie_bias_named.title IS 'Title as published, with the year';
COMMENT ON COLUMN movie_bias_named.release_year IS 'The year in the title; NULL where there is none';
COMMENT ON COLUMN movie_bias_named.genres IS 'Genres; empty where none are listed';
COMMENT ON COLUMN movie_bias_named.bias IS 'The bias, in the units of the score: stars, or those before the sigmoid where publish_info.y_low is given';
COMMENT ON COLUMN movie_bias_named.n_ratings IS 'Number of ratings in the edition: few make the bias less certain';
COMMENT ON COLUMN movie_bias_named.mean_rating IS 'Mean of those ratings, stars';
COMMENT ON COLUMN movie_bias_named.item_id IS 'The item; see movies.item_id';
COMMENT ON COLUMN movie_bias_named.sd IS 'Posterior standard deviation of the bias; NULL where the champion has no posterior';
COMMENT ON COLUMN movie_bias_named.low IS 'The low end of the 95 % interval of the bias; NULL likewise';
COMMENT ON COLUMN movie_bias_named.high IS 'The high end; NULL likewise';
COMMENT ON COLUMN movie_bias_named.p_top50 IS 'How probably the bias is among the 50 highest; NULL likewise';
COMMENT ON COLUMN movie_bias_named.p_bottom50 IS 'How probably it is among the 50 lowest; NULL likewise';

CREATE VIEW genre_bias AS
SELECT genre, count(*)::INTEGER AS n_items, sum(n_ratings)::BIGINT AS n_ratings,
       avg(bias) AS mean_bias, sum(bias * n_ratings) / sum(n_ratings) AS weighted_bias
FROM (SELECT unnest(genres) AS genre, bias, n_ratings FROM movie_bias_named)
GROUP BY genre
ORDER BY weighted_bias DESC, genre;
COMMENT ON VIEW genre_bias IS 'The bias of items by genre, highest first; an item of several genres counts in each';
COMMENT ON COLUMN genre_bias.genre IS 'The genre';
COMMENT ON COLUMN genre_bias.n_items IS 'Items of the genre that were seen in training';
COMMENT ON COLUMN genre_bias.n_ratings IS 'Their ratings in the edition';
COMMENT ON COLUMN genre_bias.mean_bias IS 'Mean bias, every item counted alike';
COMMENT ON COLUMN genre_bias.weighted_bias IS 'Mean bias, every rating counted alike: less swayed by items with few ratings';

CREATE VIEW movie_neighbors AS
SELECT s.item_id, a.title, s.rank, s.neighbor_id, b.title AS neighbor, s.cosine,
       n.n_ratings AS neighbor_ratings, s.similarity, s.sd, s.share, s.rank_popular,
       s.share_popular
FROM movie_similarity AS s
JOIN movies AS a ON a.movie_id = s.item_id
JOIN movies AS b ON b.movie_id = s.neighbor_id
JOIN movie_bias AS n ON n.item_id = s.neighbor_id;
COMMENT ON VIEW movie_neighbors IS 'movie_similarity with titles on both sides';
COMMENT ON COLUMN movie_neighbors.item_id IS 'The item; see movies.item_id';
COMMENT ON COLUMN movie_neighbors.title IS 'Its title';
COMMENT ON COLUMN movie_neighbors.rank IS '1 is the most similar of all, 20 the last; NULL: not among these';
COMMENT ON COLUMN movie_neighbors.rank_popular IS '1 is the most similar of those with at least publish_info.popular_from ratings, 20 the last; NULL: not among these';
COMMENT ON COLUMN movie_neighbors.neighbor_id IS 'The similar item';
COMMENT ON COLUMN movie_neighbors.neighbor IS 'Its title';
COMMENT ON COLUMN movie_neighbors.cosine IS 'Cosine of the angle between the factors, -1 to 1';
COMMENT ON COLUMN movie_neighbors.similarity IS 'What neighbours are ordered by; see movie_similarity.similarity';
COMMENT ON COLUMN movie_neighbors.sd IS 'Its posterior standard deviation; NULL where the champion has no posterior';
COMMENT ON COLUMN movie_neighbors.share IS 'The share of posterior draws in which the neighbour is among the 20; NULL likewise';
COMMENT ON COLUMN movie_neighbors.share_popular IS 'The same of the 20 popular ones';
COMMENT ON COLUMN movie_neighbors.neighbor_ratings IS 'Number of ratings of the similar item: few make the likeness less certain';

CREATE VIEW worst_predictions AS
SELECT p.prediction - p.rating AS error, p.rating, p.prediction, p.user_id, p.movie_id, title,
       coalesce(b.n_ratings, 0) AS n_ratings, user_known, item_known, position, run_id
FROM predictions AS p
JOIN runs AS r USING (run_id)
JOIN movies AS m USING (movie_id)
LEFT JOIN movie_bias AS b USING (item_id)
WHERE is_champion
ORDER BY abs(error) DESC, position
LIMIT 1000;
COMMENT ON VIEW worst_predictions IS 'The 1,000 validation ratings that the champion missed by most';
COMMENT ON COLUMN worst_predictions.error IS 'Prediction minus rating, stars';
COMMENT ON COLUMN worst_predictions.rating IS 'Stars given';
COMMENT ON COLUMN worst_predictions.prediction IS 'Stars predicted';
COMMENT ON COLUMN worst_predictions.user_id IS 'The user';
COMMENT ON COLUMN worst_predictions.movie_id IS 'The movie';
COMMENT ON COLUMN worst_predictions.title IS 'Its title';
COMMENT ON COLUMN worst_predictions.n_ratings IS 'Number of ratings of its item; 0 where training never saw it';
COMMENT ON COLUMN worst_predictions.user_known IS 'Whether training saw the user';
COMMENT ON COLUMN worst_predictions.item_known IS 'Whether training saw the item';
COMMENT ON COLUMN worst_predictions.position IS 'The rating; see ratings.position';
COMMENT ON COLUMN worst_predictions.run_id IS 'The champion';

CREATE VIEW interval_coverage AS
SELECT level::DOUBLE AS level, avg((abs(rating - prediction) <= z * sd)::INTEGER) AS covered, count(*) AS n
FROM predictions
JOIN runs USING (run_id),
     (VALUES (0.5, 0.6745), (0.8, 1.2816), (0.9, 1.6449), (0.95, 1.96)) AS levels(level, z)
WHERE is_champion AND sd IS NOT NULL
GROUP BY level
ORDER BY level;
COMMENT ON VIEW interval_coverage IS 'How many validation ratings lie within the champion''s intervals; no row where it does not say how sure it is';
COMMENT ON COLUMN interval_coverage.level IS 'How many should: 0.5, 0.8, 0.9 and 0.95';
COMMENT ON COLUMN interval_coverage.covered IS 'How many do, as a part of all';
COMMENT ON COLUMN interval_coverage.n IS 'Number of validation ratings';
