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
('Is the second model surely worse than the first?',
 'FROM paired_difference((SELECT variant FROM standings WHERE place = 1), (SELECT variant FROM standings WHERE place = 2))',
 'The difference of their errors on equal ratings, with its 95 % interval; any two variants or runs can be asked for'),
('Which movies does each model like least for their kind?',
 'SELECT variant, title, bias FROM run_bias JOIN movies ON movie_id = run_bias.item_id
QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY rank DESC) <= 5 ORDER BY variant, bias',
 'The lowest biases of every run that has them, among them the book''s own dot_product_bias_wd'),
('And what is like a movie by the factors of one of them?',
 'FROM similar_in((SELECT min(run_id) FROM run_factors), (SELECT max_by(item_id, n_ratings) FROM movie_bias), min_ratings := 0)',
 'Plain cosine, as in the book; name a variant such as embedding_dot_bias and a title'),
('What might a user like?',
 'FROM recommend((SELECT min(user_id) FROM user_bias), k := 10)',
 'The highest predictions among the movies the user has not rated'),
('And of the nineties, well known, of a genre?',
 'FROM recommend((SELECT min(user_id) FROM user_bias), k := 10, genre := (SELECT genre FROM genre_bias ORDER BY n_ratings DESC LIMIT 1), year_from := 1990, year_to := 1999, min_ratings := 50)',
 'The same, of the genre that is rated most'),
('What would a user give to a movie?',
 'FROM predict((SELECT min(user_id) FROM user_bias), (SELECT arg_max(item_id, n_ratings) FROM movie_bias))',
 'The stars expected, the 95 % interval of the rating, and what was given; here of the most rated movie'),
('What might someone new like?',
 'FROM recommend_for([{''movie'': ''Alien'', ''stars'': 5}, {''movie'': ''Star Wars'', ''stars'': 2}], k := 10)',
 'Whoever gives these stars, without training; `because` is the rating that speaks most for it. No row where the champion cannot take in anyone new'),
('What should someone new be asked?',
 'SELECT rank, title, round(known, 2) AS known, round(variance_left, 2) AS variance_left
FROM starter_movies AS s JOIN movies AS m ON m.movie_id = s.item_id ORDER BY rank LIMIT 10',
 'The movies whose ratings tell most, and how much is still open after asking up to there'),
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
