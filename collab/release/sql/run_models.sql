-- What each run of the leaderboard learnt that has factors: the book's own lists are asked of these.

CREATE TABLE run_bias (
    run_id VARCHAR NOT NULL,
    variant VARCHAR NOT NULL,
    item_id INTEGER NOT NULL,
    bias FLOAT NOT NULL,
    rank INTEGER NOT NULL
);
COMMENT ON TABLE run_bias IS 'The bias of each item in each run of the leaderboard whose factors and biases explain its predictions; trained without the validation ratings. movie_bias holds the release''s';
COMMENT ON COLUMN run_bias.run_id IS 'The run';
COMMENT ON COLUMN run_bias.variant IS 'The model variant';
COMMENT ON COLUMN run_bias.item_id IS 'The item; see movies.item_id';
COMMENT ON COLUMN run_bias.bias IS 'The bias, in the units of the run''s own score: those before the sigmoid where it has one, else stars';
COMMENT ON COLUMN run_bias.rank IS '1 is the highest bias of the run';

CREATE TABLE run_factors (
    run_id VARCHAR NOT NULL,
    variant VARCHAR NOT NULL,
    item_id INTEGER NOT NULL,
    factors FLOAT[] NOT NULL
);
COMMENT ON TABLE run_factors IS 'The factors of each item in the same runs; similar_in computes cosines of them';
COMMENT ON COLUMN run_factors.run_id IS 'The run';
COMMENT ON COLUMN run_factors.variant IS 'The model variant';
COMMENT ON COLUMN run_factors.item_id IS 'The item; see movies.item_id';
COMMENT ON COLUMN run_factors.factors IS 'Its embedding in this run; comparable within the run alone';

CREATE TABLE run_pca (
    run_id VARCHAR NOT NULL,
    variant VARCHAR NOT NULL,
    item_id INTEGER NOT NULL,
    pc1 FLOAT NOT NULL,
    pc2 FLOAT NOT NULL,
    pc3 FLOAT NOT NULL
);
COMMENT ON TABLE run_pca IS 'Principal components of the factors of the 1,000 most rated items in the same runs, as in the book, whose picture is of pc1 and pc3';
COMMENT ON COLUMN run_pca.run_id IS 'The run';
COMMENT ON COLUMN run_pca.variant IS 'The model variant';
COMMENT ON COLUMN run_pca.item_id IS 'The item; see movies.item_id';
COMMENT ON COLUMN run_pca.pc1 IS 'The direction in which the factors differ most';
COMMENT ON COLUMN run_pca.pc2 IS 'The next';
COMMENT ON COLUMN run_pca.pc3 IS 'The third';

CREATE TABLE run_components (
    run_id VARCHAR NOT NULL,
    variant VARCHAR NOT NULL,
    component UTINYINT NOT NULL,
    share FLOAT NOT NULL
);
COMMENT ON TABLE run_components IS 'How much each component of run_pca explains';
COMMENT ON COLUMN run_components.run_id IS 'The run';
COMMENT ON COLUMN run_components.variant IS 'The model variant';
COMMENT ON COLUMN run_components.component IS '1 to 3, as pc1 to pc3';
COMMENT ON COLUMN run_components.share IS 'Its part of the variance of the factors of these items, 0 to 1';
