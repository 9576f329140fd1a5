-- The training runs: what they were, how they went, what they predict.

CREATE TABLE runs (
    run_id VARCHAR NOT NULL,
    variant VARCHAR NOT NULL,
    is_current BOOLEAN NOT NULL,
    is_champion BOOLEAN NOT NULL,
    is_release BOOLEAN NOT NULL,
    role VARCHAR NOT NULL,
    edition VARCHAR NOT NULL,
    data_fingerprint VARCHAR NOT NULL,
    dataset VARCHAR NOT NULL,
    protocol VARCHAR NOT NULL,
    split_name VARCHAR NOT NULL,
    split_seed BIGINT NOT NULL,
    as_of TIMESTAMP,
    seed BIGINT NOT NULL,
    valid_pct DOUBLE NOT NULL,
    epochs SMALLINT NOT NULL,
    batch_size INTEGER,
    lr_max DOUBLE,
    wd DOUBLE,
    recipe VARCHAR NOT NULL,
    n_parameters BIGINT NOT NULL,
    n_train INTEGER NOT NULL,
    n_valid INTEGER NOT NULL,
    n_users INTEGER NOT NULL,
    n_items INTEGER NOT NULL,
    unknown_user_rows INTEGER NOT NULL,
    unknown_item_rows INTEGER NOT NULL,
    repeated_rows INTEGER NOT NULL,
    valid_mse DOUBLE,
    valid_rmse DOUBLE,
    valid_mae DOUBLE,
    warm_mse DOUBLE,
    cold_mse DOUBLE,
    uses_time BOOLEAN NOT NULL,
    supplies_tables BOOLEAN NOT NULL,
    factors_gap DOUBLE,
    train_seconds DOUBLE NOT NULL,
    seconds DOUBLE NOT NULL,
    peak_memory_mib INTEGER NOT NULL,
    stages VARCHAR NOT NULL,
    device VARCHAR NOT NULL,
    device_name VARCHAR NOT NULL,
    threads SMALLINT NOT NULL,
    versions VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE runs IS 'Every training run of this edition that was ever committed, one row each';
COMMENT ON COLUMN runs.run_id IS 'Edition, variant and a key of dataset, recipe, seed, device, code and torch version';
COMMENT ON COLUMN runs.variant IS 'The model variant';
COMMENT ON COLUMN runs.is_current IS 'Whether it stands on the leaderboard of this publication';
COMMENT ON COLUMN runs.is_champion IS 'Whether bias, similarity and PCA come from its recipe';
COMMENT ON COLUMN runs.is_release IS 'Whether it is the champion recipe on all ratings, from which bias, similarity and PCA come';
COMMENT ON COLUMN runs.role IS 'leaderboard, confirmation (of a recipe on a further split), release, or history';
COMMENT ON COLUMN runs.edition IS 'The MovieLens edition';
COMMENT ON COLUMN runs.data_fingerprint IS 'sha256 of what went into the Parquet files it learnt from';
COMMENT ON COLUMN runs.dataset IS 'The rows it was trained and validated on; runs of one dataset can be compared row by row';
COMMENT ON COLUMN runs.protocol IS 'How they were cut: random, a fold (u1 to u5, ua, ub), temporal, or all (none validates)';
COMMENT ON COLUMN runs.split_name IS 'The same in words';
COMMENT ON COLUMN runs.split_seed IS 'Seed of the split';
COMMENT ON COLUMN runs.as_of IS 'Only ratings up to this moment, UTC, were used; NULL: all';
COMMENT ON COLUMN runs.seed IS 'Seed of the first weights, of shuffling and of sampling';
COMMENT ON COLUMN runs.valid_pct IS 'Part of the ratings held out for validation, 0 to 1';
COMMENT ON COLUMN runs.epochs IS 'Passes over the training rows: epochs, sweeps or samples';
COMMENT ON COLUMN runs.batch_size IS 'Rows of one step; NULL for a model that does not descend';
COMMENT ON COLUMN runs.lr_max IS 'Learning rate at the top of the one-cycle schedule; NULL likewise';
COMMENT ON COLUMN runs.wd IS 'Decoupled weight decay; NULL likewise';
COMMENT ON COLUMN runs.recipe IS 'All settings as JSON';
COMMENT ON COLUMN runs.n_parameters IS 'Number of weights of the model';
COMMENT ON COLUMN runs.n_train IS 'Training rows';
COMMENT ON COLUMN runs.n_valid IS 'Validation rows';
COMMENT ON COLUMN runs.n_users IS 'Users seen in training';
COMMENT ON COLUMN runs.n_items IS 'Items seen in training';
COMMENT ON COLUMN runs.unknown_user_rows IS 'Validation rows whose user was not seen in training; scored as unknown';
COMMENT ON COLUMN runs.unknown_item_rows IS 'Validation rows whose item was not seen in training; scored as unknown';
COMMENT ON COLUMN runs.repeated_rows IS 'Validation rows whose user rated the same item in training under another id; no comparison counts them';
COMMENT ON COLUMN runs.valid_mse IS 'Mean squared error on all validation rows after the last epoch, stars squared; NULL where none validates';
COMMENT ON COLUMN runs.valid_rmse IS 'Root of valid_mse, stars';
COMMENT ON COLUMN runs.valid_mae IS 'Mean absolute error on all validation rows, stars';
COMMENT ON COLUMN runs.warm_mse IS 'Mean squared error on validation rows whose user and item training saw';
COMMENT ON COLUMN runs.cold_mse IS 'Mean squared error on the other validation rows; NULL: there are none';
COMMENT ON COLUMN runs.uses_time IS 'Whether its predictions use the time stamp of the rating they predict';
COMMENT ON COLUMN runs.supplies_tables IS 'Whether its factors and biases explain its predictions, so that it may be champion';
COMMENT ON COLUMN runs.factors_gap IS 'The largest difference between a prediction and that of its factors, stars; NULL: it has none';
COMMENT ON COLUMN runs.train_seconds IS 'Seconds in the training loop, evaluation left out';
COMMENT ON COLUMN runs.seconds IS 'Seconds of the whole run, from reading Parquet to writing its files';
COMMENT ON COLUMN runs.peak_memory_mib IS 'Peak resident memory of the training process, MiB';
COMMENT ON COLUMN runs.stages IS 'Seconds of each stage, and peak memory up to its end, as JSON: load, train (evaluation included), rank, write';
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
COMMENT ON COLUMN metrics.metric IS 'train: loss, seconds; valid: mse, rmse, mae and, after the last epoch, ndcg@10, recall@10, coverage@10, ranked_users; see run_ranking';
COMMENT ON COLUMN metrics.value IS 'Its value; the training loss is the mean over the steps of the epoch';

CREATE TABLE predictions (
    run_id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    movie_id INTEGER NOT NULL,
    rating FLOAT NOT NULL,
    prediction FLOAT NOT NULL,
    user_known BOOLEAN NOT NULL,
    item_known BOOLEAN NOT NULL,
    repeated BOOLEAN NOT NULL,
    sd FLOAT
);
COMMENT ON TABLE predictions IS 'What each run of the leaderboard predicts for the validation ratings; the champion is always there';
COMMENT ON COLUMN predictions.run_id IS 'The run';
COMMENT ON COLUMN predictions.position IS 'The rating; see ratings.position';
COMMENT ON COLUMN predictions.user_id IS 'The user';
COMMENT ON COLUMN predictions.movie_id IS 'The movie';
COMMENT ON COLUMN predictions.rating IS 'Stars given';
COMMENT ON COLUMN predictions.prediction IS 'Stars predicted';
COMMENT ON COLUMN predictions.user_known IS 'Whether training saw the user';
COMMENT ON COLUMN predictions.item_known IS 'Whether training saw the item';
COMMENT ON COLUMN predictions.repeated IS 'Whether the user rated the same item in training under another id; no comparison counts such a row';
COMMENT ON COLUMN predictions.sd IS 'Standard deviation of the rating around the prediction, stars: 95 of 100 ratings lie within 1.96 of it; NULL where the model does not say';

CREATE TABLE class_reliability (
    run_id VARCHAR NOT NULL,
    variant VARCHAR NOT NULL,
    rating FLOAT NOT NULL,
    bin TINYINT NOT NULL,
    n BIGINT NOT NULL,
    probability DOUBLE NOT NULL,
    observed DOUBLE NOT NULL
);
COMMENT ON TABLE class_reliability IS 'Whether each rating is given as often as a run says it is likely: of every run of the leaderboard that says how sure it is';
COMMENT ON COLUMN class_reliability.run_id IS 'The run';
COMMENT ON COLUMN class_reliability.variant IS 'The model variant';
COMMENT ON COLUMN class_reliability.rating IS 'The stars whose probability was told';
COMMENT ON COLUMN class_reliability.bin IS 'The tenth of probability it was told to have: 0 is 0 to 10 %';
COMMENT ON COLUMN class_reliability.n IS 'For how many validation ratings that was so';
COMMENT ON COLUMN class_reliability.probability IS 'Mean of the probabilities told';
COMMENT ON COLUMN class_reliability.observed IS 'Which part of them are of so many stars';

CREATE TABLE standings (
    run_id VARCHAR NOT NULL,
    variant VARCHAR NOT NULL,
    place INTEGER NOT NULL,
    judged_mse DOUBLE NOT NULL,
    behind DOUBLE NOT NULL,
    behind_low DOUBLE NOT NULL,
    behind_high DOUBLE NOT NULL,
    differs BOOLEAN NOT NULL,
    mean_mse DOUBLE NOT NULL,
    sd_mse DOUBLE,
    n_splits SMALLINT NOT NULL
);
COMMENT ON TABLE standings IS 'Every variant''s place, and how sure it is';
COMMENT ON COLUMN standings.run_id IS 'Its run on the split where all variants ran';
COMMENT ON COLUMN standings.variant IS 'The model variant';
COMMENT ON COLUMN standings.place IS '1 is the lowest judged_mse';
COMMENT ON COLUMN standings.judged_mse IS 'Valid MSE without the repeated rows, stars squared';
COMMENT ON COLUMN standings.behind IS 'How much larger it is than that of the first, on equal rows';
COMMENT ON COLUMN standings.behind_low IS 'The low end of its 95 % interval: users drawn anew a thousand times';
COMMENT ON COLUMN standings.behind_high IS 'The high end of its 95 % interval';
COMMENT ON COLUMN standings.differs IS 'Whether the interval excludes zero; where not, the first place is shared';
COMMENT ON COLUMN standings.mean_mse IS 'Mean valid MSE over the splits it ran on';
COMMENT ON COLUMN standings.sd_mse IS 'Standard deviation over those splits; NULL: there was one';
COMMENT ON COLUMN standings.n_splits IS 'How many splits';
