-- Queries to begin with: each runs as it stands on every publication.

CREATE TABLE example_queries (
    title VARCHAR NOT NULL,
    sql VARCHAR NOT NULL,
    shows VARCHAR NOT NULL
);
COMMENT ON TABLE example_queries IS 'Queries to begin with';
COMMENT ON COLUMN example_queries.title IS 'The question';
COMMENT ON COLUMN example_queries.sql IS 'The query that answers it';
COMMENT ON COLUMN example_queries.shows IS 'What to see in the answer';

INSERT INTO example_queries VALUES
('Which model is best?',
 'FROM leaderboard',
 'Every variant with its error on the same validation ratings; the champion supplies the other tables'),
('Which movies are liked more than their kind suggests?',
 'FROM movie_bias_named WHERE n_ratings >= 50 LIMIT 20',
 'The highest biases among well rated movies'),
('And less?',
 'FROM movie_bias_named WHERE n_ratings >= 50 ORDER BY bias LIMIT 20',
 'The lowest biases; the number of ratings says how far to trust them'),
('Which genres are?',
 'FROM genre_bias WHERE n_items >= 10',
 'Mean bias by genre; the weighted one is less swayed by rarely rated movies'),
('What is like a movie?',
 'SELECT title, rank, neighbor, round(similarity, 2) AS similarity, neighbor_ratings FROM similar_movies((SELECT max_by(title, n_ratings) FROM movie_bias_named), k := 10)',
 'The nearest among popular movies; here of the most rated one. A title that fits several is answered for all that it fits best'),
('And among all movies?',
 'SELECT title, rank, neighbor, round(similarity, 2) AS similarity, neighbor_ratings FROM similar_movies((SELECT max_by(title, n_ratings) FROM movie_bias_named), k := 10, min_ratings := 0)',
 'Those that hardly anyone has rated too: their factors are mostly chance'),
('What might a user like?',
 'FROM recommend((SELECT min(user_id) FROM user_bias), k := 10)',
 'The highest predictions among the movies the user has not rated'),
('Who is generous, who is stern?',
 'FROM user_bias WHERE n_ratings >= 50 ORDER BY rank LIMIT 20',
 'Users whose ratings lie above what movie and taste explain; order by rank DESC for the stern'),
('Where was the champion most wrong?',
 'FROM worst_predictions LIMIT 20',
 'Mostly ratings that contradict everything else the user or the movie shows'),
('Is the error larger for rarely rated movies?',
 'SELECT least(floor(log2(b.n_ratings)), 8)::INTEGER AS log2_ratings, count(*) AS n,
       avg((prediction - rating) ** 2) AS mse
FROM predictions JOIN runs USING (run_id) JOIN movies USING (movie_id) JOIN movie_bias AS b USING (item_id)
WHERE is_champion GROUP BY ALL ORDER BY ALL',
 'Mean squared error by the number of ratings, in powers of two'),
('How did the runs change over time?',
 'SELECT started_at, variant, value AS valid_mse FROM metric_history
WHERE metric = ''mse'' QUALIFY epoch = max(epoch) OVER (PARTITION BY run_id)',
 'The last valid MSE of every run ever committed'),
('What was this made from?',
 'FROM publish_info',
 'Edition, fingerprint, source, champion, licence and how to cite the data'),
('What do the columns mean?',
 'SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE NOT internal',
 'The comment of every column');
