-- What the release learnt: the champion recipe on all ratings.

CREATE TABLE movie_bias (
    run_id VARCHAR NOT NULL,
    item_id INTEGER NOT NULL,
    bias FLOAT NOT NULL,
    sd FLOAT,
    low FLOAT,
    high FLOAT,
    p_top50 FLOAT,
    p_bottom50 FLOAT,
    rank INTEGER NOT NULL,
    n_ratings INTEGER NOT NULL,
    mean_rating FLOAT NOT NULL
);
COMMENT ON TABLE movie_bias IS 'How much better or worse than its factors suggest an item is rated, whoever rates it; 0 is the mean over all ratings; items seen in training only';
COMMENT ON COLUMN movie_bias.run_id IS 'The run it comes from';
COMMENT ON COLUMN movie_bias.item_id IS 'The item; see movies.item_id';
COMMENT ON COLUMN movie_bias.bias IS 'The bias, in the units of the score: stars, or those before the sigmoid where publish_info.y_low is given';
COMMENT ON COLUMN movie_bias.sd IS 'Posterior standard deviation of the bias; NULL where the champion has no posterior';
COMMENT ON COLUMN movie_bias.low IS 'The low end of the 95 % interval of the bias; NULL likewise';
COMMENT ON COLUMN movie_bias.high IS 'The high end; NULL likewise';
COMMENT ON COLUMN movie_bias.p_top50 IS 'How probably the bias is among the 50 highest; NULL likewise';
COMMENT ON COLUMN movie_bias.p_bottom50 IS 'How probably it is among the 50 lowest; NULL likewise';
COMMENT ON COLUMN movie_bias.rank IS '1 is the highest bias';
COMMENT ON COLUMN movie_bias.n_ratings IS 'Number of ratings of the item in the edition: few make the bias less certain';
COMMENT ON COLUMN movie_bias.mean_rating IS 'Mean of those ratings, stars';

CREATE TABLE bias_history (
    as_of TIMESTAMP NOT NULL,
    item_id INTEGER NOT NULL,
    bias FLOAT NOT NULL,
    n_ratings INTEGER NOT NULL
);
COMMENT ON TABLE bias_history IS 'What the bias of an item was as of earlier days: the champion recipe, trained for each on what was rated until then but the last fifth, on which it is measured; empty where no backfill was run on these ratings and with this recipe';
COMMENT ON COLUMN bias_history.as_of IS 'Only ratings up to this moment, UTC, were used; runs.as_of and metric_history.as_of are the same';
COMMENT ON COLUMN bias_history.item_id IS 'The item; see movies.item_id';
COMMENT ON COLUMN bias_history.bias IS 'Its bias then, in the units of movie_bias.bias';
COMMENT ON COLUMN bias_history.n_ratings IS 'Number of its ratings that the run learnt from';

CREATE TABLE user_bias (
    run_id VARCHAR NOT NULL,
    user_id INTEGER NOT NULL,
    bias FLOAT NOT NULL,
    sd FLOAT,
    low FLOAT,
    high FLOAT,
    p_top50 FLOAT,
    p_bottom50 FLOAT,
    rank INTEGER NOT NULL,
    n_ratings INTEGER NOT NULL
);
COMMENT ON TABLE user_bias IS 'How generous a user is, whatever the movie; users seen in training only';
COMMENT ON COLUMN user_bias.run_id IS 'The run it comes from';
COMMENT ON COLUMN user_bias.user_id IS 'The user';
COMMENT ON COLUMN user_bias.bias IS 'The bias, in the units of the score: stars, or those before the sigmoid where publish_info.y_low is given';
COMMENT ON COLUMN user_bias.sd IS 'Posterior standard deviation of the bias; NULL where the champion has no posterior';
COMMENT ON COLUMN user_bias.low IS 'The low end of the 95 % interval of the bias; NULL likewise';
COMMENT ON COLUMN user_bias.high IS 'The high end; NULL likewise';
COMMENT ON COLUMN user_bias.p_top50 IS 'How probably the bias is among the 50 highest; NULL likewise';
COMMENT ON COLUMN user_bias.p_bottom50 IS 'How probably it is among the 50 lowest; NULL likewise';
COMMENT ON COLUMN user_bias.rank IS '1 is the most generous';
COMMENT ON COLUMN user_bias.n_ratings IS 'Number of ratings the user gave in the edition';

CREATE TABLE movie_similarity (
    run_id VARCHAR NOT NULL,
    item_id INTEGER NOT NULL,
    neighbor_id INTEGER NOT NULL,
    rank UTINYINT,
    rank_popular UTINYINT,
    similarity FLOAT NOT NULL,
    sd FLOAT,
    share FLOAT,
    share_popular FLOAT,
    cosine FLOAT NOT NULL
);
COMMENT ON TABLE movie_similarity IS 'The 20 most similar items of each item, and the 20 most similar popular ones: those with at least publish_info.popular_from ratings; exact, itself excluded; items seen in training only';
COMMENT ON COLUMN movie_similarity.run_id IS 'The run it comes from';
COMMENT ON COLUMN movie_similarity.item_id IS 'The item; see movies.item_id';
COMMENT ON COLUMN movie_similarity.neighbor_id IS 'The similar item';
COMMENT ON COLUMN movie_similarity.rank IS '1 is the most similar of all; NULL: not among the 20';
COMMENT ON COLUMN movie_similarity.rank_popular IS '1 is the most similar of the popular ones; NULL: not popular, or not among the 20';
COMMENT ON COLUMN movie_similarity.similarity IS 'What neighbours are ordered by, -1 to 1: the posterior mean of the cosine in the users'' metric, which says how alike the predictions for two items vary over all users; the plain cosine where the champion has no posterior';
COMMENT ON COLUMN movie_similarity.sd IS 'Posterior standard deviation of that cosine; NULL where the champion has no posterior';
COMMENT ON COLUMN movie_similarity.share IS 'The share of posterior draws in which the neighbour is among the 20; NULL likewise, and of the largest editions, where that is not computed';
COMMENT ON COLUMN movie_similarity.share_popular IS 'The same of the 20 popular ones';
COMMENT ON COLUMN movie_similarity.cosine IS 'Cosine of the angle between the published factors, -1 to 1, as in the book';

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

CREATE TABLE pca_components (
    run_id VARCHAR NOT NULL,
    component UTINYINT NOT NULL,
    share FLOAT NOT NULL
);
COMMENT ON TABLE pca_components IS 'How much each component of movie_pca explains';
COMMENT ON COLUMN pca_components.run_id IS 'The run it comes from';
COMMENT ON COLUMN pca_components.component IS '1 to 3, as pc1 to pc3';
COMMENT ON COLUMN pca_components.share IS 'Its part of the variance of the factors of these items, 0 to 1';

CREATE TABLE movie_factors (
    run_id VARCHAR NOT NULL,
    item_id INTEGER NOT NULL,
    factors FLOAT[] NOT NULL
);
COMMENT ON TABLE movie_factors IS 'What the release learnt of each item; items seen in training only. Single factors have no meaning of their own: compare whole rows';
COMMENT ON COLUMN movie_factors.run_id IS 'The run it comes from';
COMMENT ON COLUMN movie_factors.item_id IS 'The item; see movies.item_id';
COMMENT ON COLUMN movie_factors.factors IS 'Its embedding';

CREATE TABLE cold_movies (
    run_id VARCHAR NOT NULL,
    item_id INTEGER NOT NULL,
    factors FLOAT[] NOT NULL,
    bias FLOAT NOT NULL,
    sd FLOAT NOT NULL
);
COMMENT ON TABLE cold_movies IS 'The items that nobody has rated, with the factors and bias that their genres and release year let expect: a ridge regression of the rows of the rated items. For predict and predict_for alone: they are in no list, and have no neighbours. Empty where every movie is rated';
COMMENT ON COLUMN cold_movies.run_id IS 'The run whose rows it was worked out from';
COMMENT ON COLUMN cold_movies.item_id IS 'The item; see movies.item_id';
COMMENT ON COLUMN cold_movies.factors IS 'The expected factors, as movie_factors has them';
COMMENT ON COLUMN cold_movies.bias IS 'The expected bias, as movie_bias has it';
COMMENT ON COLUMN cold_movies.sd IS 'Standard deviation of the score around what these say, in its units, on average over who rates: how much movies of equal genres and year differ';

CREATE TABLE user_factors (
    run_id VARCHAR NOT NULL,
    user_id INTEGER NOT NULL,
    factors FLOAT[] NOT NULL
);
COMMENT ON TABLE user_factors IS 'What the release learnt of each user; users seen in training only';
COMMENT ON COLUMN user_factors.run_id IS 'The run it comes from';
COMMENT ON COLUMN user_factors.user_id IS 'The user';
COMMENT ON COLUMN user_factors.factors IS 'The embedding; its dot product with a movie''s, plus both biases and publish_info.mean, is the score';

CREATE TABLE recommendations (
    run_id VARCHAR NOT NULL,
    user_id INTEGER NOT NULL,
    rank UTINYINT NOT NULL,
    item_id INTEGER NOT NULL,
    prediction FLOAT NOT NULL,
    sd FLOAT,
    cautious FLOAT
);
COMMENT ON TABLE recommendations IS 'The 20 items with the highest prediction among those a user has not rated, for every user that training saw; all or nothing, and recommend(user) answers in either case';
COMMENT ON COLUMN recommendations.run_id IS 'The run it comes from';
COMMENT ON COLUMN recommendations.user_id IS 'The user';
COMMENT ON COLUMN recommendations.rank IS '1 is the highest prediction';
COMMENT ON COLUMN recommendations.item_id IS 'The item; see movies.item_id';
COMMENT ON COLUMN recommendations.prediction IS 'Stars predicted, cut to the scale of the ratings; the rank is by what they were before';
COMMENT ON COLUMN recommendations.sd IS 'Standard deviation of the rating around it, stars; NULL where the champion has no posterior';
COMMENT ON COLUMN recommendations.cautious IS 'What the rating exceeds nine times of ten, cut likewise: order by it to be cautious; NULL likewise';

CREATE TABLE newcomer (
    run_id VARCHAR NOT NULL,
    prior_mean DOUBLE[] NOT NULL,
    prior_precision DOUBLE[][] NOT NULL,
    prior_covariance DOUBLE[][] NOT NULL,
    noise DOUBLE NOT NULL,
    unsure DOUBLE NOT NULL,
    ridge DOUBLE NOT NULL,
    ridge_share DOUBLE NOT NULL,
    ridge_power DOUBLE NOT NULL
);
COMMENT ON TABLE newcomer IS 'One row: what is taken to be so of a user of whom nothing is known. Whoever rated n items has the row (factors, bias) that minimises sum (rating - mean - item bias - row . (item factors, 1))^2 + penalty * (row - prior_mean)'' prior_precision (row - prior_mean), with penalty = ridge + ridge_share * n^ridge_power; empty where the champion cannot take in a new user';
COMMENT ON COLUMN newcomer.run_id IS 'The run it comes from';
COMMENT ON COLUMN newcomer.prior_mean IS 'The row before any rating: factors, then the bias';
COMMENT ON COLUMN newcomer.prior_precision IS 'How surely, a list for each row of the matrix; in units of the noise, as the products of the items'' rows are';
COMMENT ON COLUMN newcomer.prior_covariance IS 'Its inverse';
COMMENT ON COLUMN newcomer.noise IS 'Variance of a rating around its score, stars squared';
COMMENT ON COLUMN newcomer.unsure IS 'Variance of a rating that comes besides from not knowing the items'' factors, stars squared: the mean over users and items, by the model''s own account';
COMMENT ON COLUMN newcomer.ridge IS 'The penalty of who has rated nothing';
COMMENT ON COLUMN newcomer.ridge_share IS 'How it grows with the number of ratings';
COMMENT ON COLUMN newcomer.ridge_power IS 'By which power of that number';

CREATE TABLE starter_movies (
    run_id VARCHAR NOT NULL,
    rank UTINYINT NOT NULL,
    item_id INTEGER NOT NULL,
    known FLOAT NOT NULL,
    variance_left FLOAT NOT NULL
);
COMMENT ON TABLE starter_movies IS 'The movies to ask a newcomer about, in this order: each is the one whose rating is expected to tell most beyond those before it, told by how much surer the predictions for what people rate become, times the chance that it is known; empty where the champion cannot take in a new user';
COMMENT ON COLUMN starter_movies.run_id IS 'The run it comes from';
COMMENT ON COLUMN starter_movies.rank IS '1 is asked first';
COMMENT ON COLUMN starter_movies.item_id IS 'The item; see movies.item_id';
COMMENT ON COLUMN starter_movies.known IS 'The share of users who rated it: the chance that a newcomer can';
COMMENT ON COLUMN starter_movies.variance_left IS 'The share that is expected to be left, after asking for the movies up to this one, of the variance of the score of a newcomer, over all that people rate';
