-- The published tables. Every table, view and column carries a comment.

CREATE TABLE publish_info (
    published_at TIMESTAMP NOT NULL,
    edition VARCHAR NOT NULL,
    data_fingerprint VARCHAR NOT NULL,
    data_source VARCHAR NOT NULL,
    data_warnings VARCHAR[] NOT NULL,
    champion_run_id VARCHAR NOT NULL,
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
COMMENT ON COLUMN publish_info.champion_run_id IS 'The run that supplies bias, similarity and PCA: the lowest valid MSE among models with factors and biases';
COMMENT ON COLUMN publish_info.licence IS 'The licence of the data, in short';
COMMENT ON COLUMN publish_info.citation IS 'How to cite the data';
COMMENT ON COLUMN publish_info.collab_version IS 'The version of this program';

CREATE TABLE runs (
    run_id VARCHAR NOT NULL,
    variant VARCHAR NOT NULL,
    is_current BOOLEAN NOT NULL,
    is_champion BOOLEAN NOT NULL,
    edition VARCHAR NOT NULL,
    data_fingerprint VARCHAR NOT NULL,
    seed BIGINT NOT NULL,
    valid_pct DOUBLE NOT NULL,
    epochs INTEGER NOT NULL,
    batch_size INTEGER NOT NULL,
    lr_max DOUBLE NOT NULL,
    wd DOUBLE NOT NULL,
    recipe VARCHAR NOT NULL,
    n_parameters BIGINT NOT NULL,
    n_train BIGINT NOT NULL,
    n_valid BIGINT NOT NULL,
    n_users INTEGER NOT NULL,
    n_items INTEGER NOT NULL,
    unknown_user_rows BIGINT NOT NULL,
    unknown_item_rows BIGINT NOT NULL,
    valid_mse DOUBLE NOT NULL,
    valid_rmse DOUBLE NOT NULL,
    valid_mae DOUBLE NOT NULL,
    train_seconds DOUBLE NOT NULL,
    seconds DOUBLE NOT NULL,
    peak_memory_mib BIGINT NOT NULL,
    device VARCHAR NOT NULL,
    device_name VARCHAR NOT NULL,
    threads INTEGER NOT NULL,
    versions VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE runs IS 'Every training run of this edition that was ever committed, one row each';
COMMENT ON COLUMN runs.run_id IS 'Edition, variant and a key of data, recipe, seed, device, code and torch version';
COMMENT ON COLUMN runs.variant IS 'The model variant';
COMMENT ON COLUMN runs.is_current IS 'Whether this publication was made for it; older runs are history';
COMMENT ON COLUMN runs.is_champion IS 'Whether bias, similarity and PCA come from it';
COMMENT ON COLUMN runs.edition IS 'The MovieLens edition';
COMMENT ON COLUMN runs.data_fingerprint IS 'sha256 of what went into the Parquet files it learnt from';
COMMENT ON COLUMN runs.seed IS 'Seed of the split, of the first weights and of the shuffling';
COMMENT ON COLUMN runs.valid_pct IS 'Part of the ratings held out for validation';
COMMENT ON COLUMN runs.epochs IS 'Passes over the training rows';
COMMENT ON COLUMN runs.batch_size IS 'Rows of one step';
COMMENT ON COLUMN runs.lr_max IS 'Learning rate at the top of the one-cycle schedule';
COMMENT ON COLUMN runs.wd IS 'Decoupled weight decay';
COMMENT ON COLUMN runs.recipe IS 'All settings as JSON';
COMMENT ON COLUMN runs.n_parameters IS 'Number of weights of the model';
COMMENT ON COLUMN runs.n_train IS 'Training rows';
COMMENT ON COLUMN runs.n_valid IS 'Validation rows';
COMMENT ON COLUMN runs.n_users IS 'Users seen in training';
COMMENT ON COLUMN runs.n_items IS 'Items seen in training';
COMMENT ON COLUMN runs.unknown_user_rows IS 'Validation rows whose user was not seen in training; scored as unknown';
COMMENT ON COLUMN runs.unknown_item_rows IS 'Validation rows whose item was not seen in training; scored as unknown';
COMMENT ON COLUMN runs.valid_mse IS 'Mean squared error on all validation rows after the last epoch, stars squared';
COMMENT ON COLUMN runs.valid_rmse IS 'Root of valid_mse, stars';
COMMENT ON COLUMN runs.valid_mae IS 'Mean absolute error on all validation rows, stars';
COMMENT ON COLUMN runs.train_seconds IS 'Seconds in the training loop, evaluation left out';
COMMENT ON COLUMN runs.seconds IS 'Seconds from reading Parquet to the trained and evaluated model';
COMMENT ON COLUMN runs.peak_memory_mib IS 'Peak resident memory of the training process, MiB';
COMMENT ON COLUMN runs.device IS 'cpu, cuda or mps';
COMMENT ON COLUMN runs.device_name IS 'The name of the GPU, or the architecture of the CPU';
COMMENT ON COLUMN runs.threads IS 'CPU threads used';
COMMENT ON COLUMN runs.versions IS 'Versions of Python and of the libraries as JSON';
COMMENT ON COLUMN runs.started_at IS 'When training started, UTC';

CREATE TABLE metrics (
    run_id VARCHAR NOT NULL,
    variant VARCHAR NOT NULL,
    epoch SMALLINT NOT NULL,
    split VARCHAR NOT NULL,
    metric VARCHAR NOT NULL,
    value DOUBLE NOT NULL
);
COMMENT ON TABLE metrics IS 'The history of every run: one row for each epoch, split and metric';
COMMENT ON COLUMN metrics.run_id IS 'The run';
COMMENT ON COLUMN metrics.variant IS 'The model variant';
COMMENT ON COLUMN metrics.epoch IS 'Counts from 1';
COMMENT ON COLUMN metrics.split IS 'train or valid';
COMMENT ON COLUMN metrics.metric IS 'train: loss, seconds; valid: mse, rmse, mae';
COMMENT ON COLUMN metrics.value IS 'Its value; the training loss is the mean over the steps of the epoch';

CREATE TABLE movies (
    movie_id INTEGER NOT NULL,
    item_id INTEGER NOT NULL,
    title VARCHAR NOT NULL,
    release_year SMALLINT,
    genres VARCHAR[] NOT NULL
);
COMMENT ON TABLE movies IS 'The movies of the edition';
COMMENT ON COLUMN movies.movie_id IS 'MovieLens id';
COMMENT ON COLUMN movies.item_id IS 'What the models know it as: the smallest movie id with its title where items are titles, else the movie id';
COMMENT ON COLUMN movies.title IS 'Title as published, with the year';
COMMENT ON COLUMN movies.release_year IS 'The year in the title; NULL where there is none';
COMMENT ON COLUMN movies.genres IS 'Genres; empty where none are listed';

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
    position BIGINT NOT NULL,
    user_id INTEGER NOT NULL,
    movie_id INTEGER NOT NULL,
    rating FLOAT NOT NULL,
    ts BIGINT NOT NULL
);
COMMENT ON TABLE ratings IS 'All ratings of the edition';
COMMENT ON COLUMN ratings.position IS 'Place in the archive, from 0; the split goes by it';
COMMENT ON COLUMN ratings.user_id IS 'MovieLens id of the user';
COMMENT ON COLUMN ratings.movie_id IS 'MovieLens id of the movie';
COMMENT ON COLUMN ratings.rating IS 'Stars';
COMMENT ON COLUMN ratings.ts IS 'When it was given, seconds since 1970-01-01 UTC';

CREATE TABLE movie_bias (
    run_id VARCHAR NOT NULL,
    item_id INTEGER NOT NULL,
    bias FLOAT NOT NULL,
    rank INTEGER NOT NULL,
    n_ratings INTEGER NOT NULL
);
COMMENT ON TABLE movie_bias IS 'How much better or worse than its factors suggest an item is rated, whoever rates it; items seen in training only';
COMMENT ON COLUMN movie_bias.run_id IS 'The run it comes from';
COMMENT ON COLUMN movie_bias.item_id IS 'The item; see movies.item_id';
COMMENT ON COLUMN movie_bias.bias IS 'The bias, in the units before the sigmoid; 0 is neutral';
COMMENT ON COLUMN movie_bias.rank IS '1 is the highest bias';
COMMENT ON COLUMN movie_bias.n_ratings IS 'Number of ratings of the item in the edition: few make the bias less certain';

CREATE TABLE user_bias (
    run_id VARCHAR NOT NULL,
    user_id INTEGER NOT NULL,
    bias FLOAT NOT NULL,
    rank INTEGER NOT NULL,
    n_ratings INTEGER NOT NULL
);
COMMENT ON TABLE user_bias IS 'How generous a user is, whatever the movie; users seen in training only';
COMMENT ON COLUMN user_bias.run_id IS 'The run it comes from';
COMMENT ON COLUMN user_bias.user_id IS 'The user';
COMMENT ON COLUMN user_bias.bias IS 'The bias, in the units before the sigmoid; 0 is neutral';
COMMENT ON COLUMN user_bias.rank IS '1 is the most generous';
COMMENT ON COLUMN user_bias.n_ratings IS 'Number of ratings the user gave in the edition';

CREATE TABLE movie_similarity (
    run_id VARCHAR NOT NULL,
    item_id INTEGER NOT NULL,
    neighbor_id INTEGER NOT NULL,
    rank UTINYINT NOT NULL,
    cosine FLOAT NOT NULL
);
COMMENT ON TABLE movie_similarity IS 'The most similar items of each item, by the cosine of their factors; exact, itself excluded; items seen in training only';
COMMENT ON COLUMN movie_similarity.run_id IS 'The run it comes from';
COMMENT ON COLUMN movie_similarity.item_id IS 'The item; see movies.item_id';
COMMENT ON COLUMN movie_similarity.neighbor_id IS 'The similar item';
COMMENT ON COLUMN movie_similarity.rank IS '1 is the most similar';
COMMENT ON COLUMN movie_similarity.cosine IS 'Cosine of the angle between the factors, -1 to 1';

CREATE TABLE movie_pca (
    run_id VARCHAR NOT NULL,
    item_id INTEGER NOT NULL,
    pc1 FLOAT NOT NULL,
    pc2 FLOAT NOT NULL,
    pc3 FLOAT NOT NULL,
    n_ratings INTEGER NOT NULL
);
COMMENT ON TABLE movie_pca IS 'Principal components of the factors of the 1,000 most rated items';
COMMENT ON COLUMN movie_pca.run_id IS 'The run it comes from';
COMMENT ON COLUMN movie_pca.item_id IS 'The item; see movies.item_id';
COMMENT ON COLUMN movie_pca.pc1 IS 'The direction in which the factors differ most';
COMMENT ON COLUMN movie_pca.pc2 IS 'The next';
COMMENT ON COLUMN movie_pca.pc3 IS 'The third';
COMMENT ON COLUMN movie_pca.n_ratings IS 'Number of ratings of the item in the edition';

CREATE TABLE predictions (
    run_id VARCHAR NOT NULL,
    position BIGINT NOT NULL,
    user_id INTEGER NOT NULL,
    movie_id INTEGER NOT NULL,
    rating FLOAT NOT NULL,
    prediction FLOAT NOT NULL,
    user_known BOOLEAN NOT NULL,
    item_known BOOLEAN NOT NULL
);
COMMENT ON TABLE predictions IS 'What each current run predicts for the validation ratings';
COMMENT ON COLUMN predictions.run_id IS 'The run';
COMMENT ON COLUMN predictions.position IS 'The rating; see ratings.position';
COMMENT ON COLUMN predictions.user_id IS 'The user';
COMMENT ON COLUMN predictions.movie_id IS 'The movie';
COMMENT ON COLUMN predictions.rating IS 'Stars given';
COMMENT ON COLUMN predictions.prediction IS 'Stars predicted';
COMMENT ON COLUMN predictions.user_known IS 'Whether training saw the user';
COMMENT ON COLUMN predictions.item_known IS 'Whether training saw the item';

CREATE TABLE check_results (
    name VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    passed BOOLEAN NOT NULL,
    failures BIGINT NOT NULL,
    first_rows VARCHAR NOT NULL
);
COMMENT ON TABLE check_results IS 'The checks of the data and what they found';
COMMENT ON COLUMN check_results.name IS 'The check';
COMMENT ON COLUMN check_results.severity IS 'error (stops the run) or warning';
COMMENT ON COLUMN check_results.passed IS 'Whether no row failed';
COMMENT ON COLUMN check_results.failures IS 'How many rows failed';
COMMENT ON COLUMN check_results.first_rows IS 'The first of them as JSON';

CREATE VIEW leaderboard AS
SELECT row_number() OVER (ORDER BY valid_mse, run_id) AS place, variant, valid_mse, valid_rmse,
       valid_mae, train_seconds, device, epochs, n_parameters, seed, is_champion, run_id
FROM runs
WHERE is_current
ORDER BY place;
COMMENT ON VIEW leaderboard IS 'The current runs, best first';
COMMENT ON COLUMN leaderboard.place IS '1 is the lowest valid MSE';
COMMENT ON COLUMN leaderboard.variant IS 'The model variant';
COMMENT ON COLUMN leaderboard.valid_mse IS 'Mean squared error on the validation rows, stars squared';
COMMENT ON COLUMN leaderboard.valid_rmse IS 'Its root, stars';
COMMENT ON COLUMN leaderboard.valid_mae IS 'Mean absolute error, stars';
COMMENT ON COLUMN leaderboard.train_seconds IS 'Seconds in the training loop';
COMMENT ON COLUMN leaderboard.device IS 'cpu, cuda or mps';
COMMENT ON COLUMN leaderboard.epochs IS 'Passes over the training rows';
COMMENT ON COLUMN leaderboard.n_parameters IS 'Number of weights of the model';
COMMENT ON COLUMN leaderboard.seed IS 'Seed of the split, of the first weights and of the shuffling';
COMMENT ON COLUMN leaderboard.is_champion IS 'Whether bias, similarity and PCA come from it';
COMMENT ON COLUMN leaderboard.run_id IS 'The run';
