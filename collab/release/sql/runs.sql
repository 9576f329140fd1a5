-- The training runs: what they were, how they went, what they predict.

CREATE TABLE runs (
    run_id VARCHAR NOT NULL,
    variant VARCHAR NOT NULL,
    is_current BOOLEAN NOT NULL,
    is_champion BOOLEAN NOT NULL,
    edition VARCHAR NOT NULL,
    data_fingerprint VARCHAR NOT NULL,
    seed BIGINT NOT NULL,
    valid_pct DOUBLE NOT NULL,
    epochs SMALLINT NOT NULL,
    batch_size INTEGER NOT NULL,
    lr_max DOUBLE NOT NULL,
    wd DOUBLE NOT NULL,
    recipe VARCHAR NOT NULL,
    n_parameters BIGINT NOT NULL,
    n_train INTEGER NOT NULL,
    n_valid INTEGER NOT NULL,
    n_users INTEGER NOT NULL,
    n_items INTEGER NOT NULL,
    unknown_user_rows INTEGER NOT NULL,
    unknown_item_rows INTEGER NOT NULL,
    valid_mse DOUBLE NOT NULL,
    valid_rmse DOUBLE NOT NULL,
    valid_mae DOUBLE NOT NULL,
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
COMMENT ON COLUMN runs.seconds IS 'Seconds of the whole run, from reading Parquet to writing its files';
COMMENT ON COLUMN runs.peak_memory_mib IS 'Peak resident memory of the training process, MiB';
COMMENT ON COLUMN runs.stages IS 'Seconds of each stage, and peak memory up to its end, as JSON: load, train (evaluation included), write';
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

CREATE TABLE predictions (
    run_id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    movie_id INTEGER NOT NULL,
    rating FLOAT NOT NULL,
    prediction FLOAT NOT NULL,
    user_known BOOLEAN NOT NULL,
    item_known BOOLEAN NOT NULL
);
COMMENT ON TABLE predictions IS 'What each current run predicts for the validation ratings; of the champion alone where all of them would be over 10 million rows';
COMMENT ON COLUMN predictions.run_id IS 'The run';
COMMENT ON COLUMN predictions.position IS 'The rating; see ratings.position';
COMMENT ON COLUMN predictions.user_id IS 'The user';
COMMENT ON COLUMN predictions.movie_id IS 'The movie';
COMMENT ON COLUMN predictions.rating IS 'Stars given';
COMMENT ON COLUMN predictions.prediction IS 'Stars predicted';
COMMENT ON COLUMN predictions.user_known IS 'Whether training saw the user';
COMMENT ON COLUMN predictions.item_known IS 'Whether training saw the item';
