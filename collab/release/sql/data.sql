-- The data: as ingested, checked, and where it came from.

CREATE TABLE publish_info (
    published_at TIMESTAMP NOT NULL,
    edition VARCHAR NOT NULL,
    data_fingerprint VARCHAR NOT NULL,
    data_source VARCHAR NOT NULL,
    data_warnings VARCHAR[] NOT NULL,
    as_of TIMESTAMP,
    champion_variant VARCHAR NOT NULL,
    champion_run_id VARCHAR NOT NULL,
    release_run_id VARCHAR NOT NULL,
    chosen_on VARCHAR[] NOT NULL,
    expected_mse DOUBLE NOT NULL,
    expected_sd DOUBLE,
    shares_first_place VARCHAR[] NOT NULL,
    left_out VARCHAR[] NOT NULL,
    undeclared VARCHAR[] NOT NULL,
    mean FLOAT NOT NULL,
    y_low FLOAT,
    y_high FLOAT,
    clip_low FLOAT NOT NULL,
    clip_high FLOAT NOT NULL,
    popular_from INTEGER NOT NULL,
    max_regression DOUBLE,
    compared_with INTEGER,
    regression DOUBLE,
    regression_low DOUBLE,
    regression_high DOUBLE,
    baseline DOUBLE,
    baseline_low DOUBLE,
    baseline_high DOUBLE,
    licence VARCHAR NOT NULL,
    citation VARCHAR NOT NULL,
    collab_version VARCHAR NOT NULL
);
COMMENT ON TABLE publish_info IS 'One row: what this publication was made from';
COMMENT ON COLUMN publish_info.published_at IS 'When it was built, UTC';
COMMENT ON COLUMN publish_info.edition IS 'The MovieLens edition';
COMMENT ON COLUMN publish_info.data_fingerprint IS 'sha256 of what went into the Parquet files';
COMMENT ON COLUMN publish_info.data_source IS 'Where the archive was taken from';
COMMENT ON COLUMN publish_info.data_warnings IS 'What was not as published: a repacked archive, a skipped check';
COMMENT ON COLUMN publish_info.as_of IS 'Only ratings up to this moment, UTC, were used; NULL: all';
COMMENT ON COLUMN publish_info.champion_variant IS 'The recipe that supplies bias, similarity and PCA: the lowest mean MSE among models whose factors and biases explain their predictions';
COMMENT ON COLUMN publish_info.champion_run_id IS 'Its run on the leaderboard: trained without the validation ratings, and measured on them';
COMMENT ON COLUMN publish_info.release_run_id IS 'The same recipe trained on all ratings: bias, similarity, PCA, factors and recommendations come from it';
COMMENT ON COLUMN publish_info.chosen_on IS 'The splits on which it was measured and chosen';
COMMENT ON COLUMN publish_info.expected_mse IS 'What it is expected to err: its mean valid MSE over those splits, stars squared';
COMMENT ON COLUMN publish_info.expected_sd IS 'Standard deviation of the valid MSE over those splits; NULL: there was one';
COMMENT ON COLUMN publish_info.shares_first_place IS 'The variants whose error does not differ from the lowest: the paired 95 % interval holds zero';
COMMENT ON COLUMN publish_info.left_out IS 'Variants, sweeps and splits that failed or did not fit into the minutes and the memory there were, and parts of tables that are not published, each with the reason';
COMMENT ON COLUMN publish_info.undeclared IS 'How variants, splits, seed or minutes differ from what is declared of the edition: it was published by an override; empty: it is the declared set';
COMMENT ON COLUMN publish_info.mean IS 'What every score starts from, in its units: the mean over all ratings, but for what users'' biases and factors add';
COMMENT ON COLUMN publish_info.y_low IS 'The low end of the sigmoid that the champion predicts through, stars; NULL where it has none';
COMMENT ON COLUMN publish_info.y_high IS 'The high end, stars; NULL where it has none';
COMMENT ON COLUMN publish_info.clip_low IS 'Published predictions are cut off below this: the lowest rating there is, stars';
COMMENT ON COLUMN publish_info.clip_high IS 'Published predictions are cut off above this: the highest rating there is, stars';
COMMENT ON COLUMN publish_info.popular_from IS 'From so many ratings on an item counts as popular: similar_movies leaves others out unless told otherwise. 50, or fewer where those of 50 would hold less than two thirds of the ratings';
COMMENT ON COLUMN publish_info.max_regression IS 'By how much the champion was allowed to be surely worse than before, as a part of the earlier MSE; NULL: published with --no-gate';
COMMENT ON COLUMN publish_info.compared_with IS 'The snapshot whose champion it was compared with; NULL: none of the same archive and split';
COMMENT ON COLUMN publish_info.regression IS 'How much worse its MSE is on equal rows, as a part of the earlier; below 0 it is better';
COMMENT ON COLUMN publish_info.regression_low IS 'The low end of its 95 % interval';
COMMENT ON COLUMN publish_info.regression_high IS 'The high end of its 95 % interval';
COMMENT ON COLUMN publish_info.baseline IS 'The champion''s MSE less that of user and item means (bias_only) on equal rows, stars squared: one that is not surely below 0 is refused';
COMMENT ON COLUMN publish_info.baseline_low IS 'The low end of its 95 % interval';
COMMENT ON COLUMN publish_info.baseline_high IS 'The high end of its 95 % interval';
COMMENT ON COLUMN publish_info.licence IS 'The licence of the data, in short';
COMMENT ON COLUMN publish_info.citation IS 'How to cite the data';
COMMENT ON COLUMN publish_info.collab_version IS 'The version of this program';

CREATE TABLE movies (
    movie_id INTEGER NOT NULL,
    item_id INTEGER NOT NULL,
    title VARCHAR NOT NULL,
    release_year SMALLINT,
    genres VARCHAR[] NOT NULL,
    n_ratings INTEGER NOT NULL,
    title_folded VARCHAR NOT NULL
);
COMMENT ON TABLE movies IS 'The movies of the edition';
COMMENT ON COLUMN movies.movie_id IS 'MovieLens id';
COMMENT ON COLUMN movies.item_id IS 'What the models know it as: the smallest movie id with its title where items are titles, else the movie id';
COMMENT ON COLUMN movies.title IS 'Title as published, with the year';
COMMENT ON COLUMN movies.release_year IS 'The year in the title; NULL where there is none';
COMMENT ON COLUMN movies.genres IS 'Genres; empty where none are listed';
COMMENT ON COLUMN movies.n_ratings IS 'Number of its ratings in this publication; 0 where nobody rated it';
COMMENT ON COLUMN movies.title_folded IS 'The title as find_movie compares it: each of its names between bars, folded and with the year; names are what stands outside brackets, what stands in each pair, and both, with and without their article; see fold_title';

CREATE TABLE users (
    user_id INTEGER NOT NULL,
    age SMALLINT,
    gender VARCHAR,
    occupation VARCHAR,
    zip_code VARCHAR
);
COMMENT ON TABLE users IS 'The users of the edition; demographics are NULL where it publishes none';
COMMENT ON COLUMN users.user_id IS 'MovieLens id';
COMMENT ON COLUMN users.age IS 'Age in years (ml-1m: the lower end of an age group)';
COMMENT ON COLUMN users.gender IS 'M or F';
COMMENT ON COLUMN users.occupation IS 'Occupation (ml-1m: its code)';
COMMENT ON COLUMN users.zip_code IS 'Postal code';

CREATE TABLE ratings (
    position INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    movie_id INTEGER NOT NULL,
    rating FLOAT NOT NULL,
    ts BIGINT NOT NULL,
    -- worked out as it is read: the file holds nothing of it
    rated_at TIMESTAMP GENERATED ALWAYS AS (make_timestamp(ts * 1000000)) VIRTUAL
);
COMMENT ON TABLE ratings IS 'All ratings of the edition';
COMMENT ON COLUMN ratings.position IS 'Place in the archive, from 0; the split goes by it';
COMMENT ON COLUMN ratings.user_id IS 'MovieLens id of the user';
COMMENT ON COLUMN ratings.movie_id IS 'MovieLens id of the movie';
COMMENT ON COLUMN ratings.rating IS 'Stars';
COMMENT ON COLUMN ratings.ts IS 'When it was given, seconds since 1970-01-01 UTC';
COMMENT ON COLUMN ratings.rated_at IS 'The same as a moment, UTC; worked out from ts, and not in the Parquet file';

CREATE TABLE check_results (
    name VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    passed BOOLEAN NOT NULL,
    failures INTEGER NOT NULL,
    first_rows VARCHAR NOT NULL
);
COMMENT ON TABLE check_results IS 'The checks of the data and what they found';
COMMENT ON COLUMN check_results.name IS 'The check';
COMMENT ON COLUMN check_results.severity IS 'error (stops the run) or warning';
COMMENT ON COLUMN check_results.passed IS 'Whether no row failed';
COMMENT ON COLUMN check_results.failures IS 'How many rows failed';
COMMENT ON COLUMN check_results.first_rows IS 'The first of them as JSON';
