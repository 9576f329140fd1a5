-- What others published, to stand beside; each with the rows it was measured on.

CREATE TABLE published_benchmarks (
    system VARCHAR NOT NULL,
    edition VARCHAR NOT NULL,
    protocol VARCHAR NOT NULL,
    metric VARCHAR NOT NULL,
    value DOUBLE NOT NULL,
    source VARCHAR NOT NULL,
    caveat VARCHAR NOT NULL
);
COMMENT ON TABLE published_benchmarks IS 'Errors that others published; only those of the same edition and protocol compare';
COMMENT ON COLUMN published_benchmarks.system IS 'What was measured';
COMMENT ON COLUMN published_benchmarks.edition IS 'The MovieLens edition';
COMMENT ON COLUMN published_benchmarks.protocol IS 'The ratings it was measured on';
COMMENT ON COLUMN published_benchmarks.metric IS 'MSE (stars squared) or RMSE (stars)';
COMMENT ON COLUMN published_benchmarks.value IS 'Its value';
COMMENT ON COLUMN published_benchmarks.source IS 'Where it is published';
COMMENT ON COLUMN published_benchmarks.caveat IS 'What to know before comparing; empty for nothing known';

INSERT INTO published_benchmarks VALUES
('The book: dot_product', 'ml-100k', 'a random fifth', 'MSE', 0.8765, 'J. Howard and S. Gugger, Deep Learning for Coders with fastai and PyTorch, chapter 8 (fastbook, 08_collab.ipynb)', 'its own random fifth, not the same rows'),
('The book: dot_product_sigmoid', 'ml-100k', 'a random fifth', 'MSE', 0.8781, 'J. Howard and S. Gugger, Deep Learning for Coders with fastai and PyTorch, chapter 8 (fastbook, 08_collab.ipynb)', 'its own random fifth, not the same rows'),
('The book: dot_product_bias', 'ml-100k', 'a random fifth', 'MSE', 0.8926, 'J. Howard and S. Gugger, Deep Learning for Coders with fastai and PyTorch, chapter 8 (fastbook, 08_collab.ipynb)', 'its own random fifth, not the same rows'),
('The book: dot_product_bias_wd', 'ml-100k', 'a random fifth', 'MSE', 0.8231, 'J. Howard and S. Gugger, Deep Learning for Coders with fastai and PyTorch, chapter 8 (fastbook, 08_collab.ipynb)', 'its own random fifth, not the same rows'),
('The book: dot_product_bias_params', 'ml-100k', 'a random fifth', 'MSE', 0.8243, 'J. Howard and S. Gugger, Deep Learning for Coders with fastai and PyTorch, chapter 8 (fastbook, 08_collab.ipynb)', 'its own random fifth, not the same rows'),
('The book: embedding_dot_bias', 'ml-100k', 'a random fifth', 'MSE', 0.8217, 'J. Howard and S. Gugger, Deep Learning for Coders with fastai and PyTorch, chapter 8 (fastbook, 08_collab.ipynb)', 'its own random fifth, not the same rows'),
('The book: collab_nn', 'ml-100k', 'a random fifth', 'MSE', 0.8675, 'J. Howard and S. Gugger, Deep Learning for Coders with fastai and PyTorch, chapter 8 (fastbook, 08_collab.ipynb)', 'its own random fifth, not the same rows'),
('The book: embedding_nn', 'ml-100k', 'a random fifth', 'MSE', 0.8649, 'J. Howard and S. Gugger, Deep Learning for Coders with fastai and PyTorch, chapter 8 (fastbook, 08_collab.ipynb)', 'its own random fifth, not the same rows'),
('fastai, EmbeddingDotBias', 'ml-100k', 'a random fifth', 'MSE', 0.8115, 'fastai documentation, collaborative filtering tutorial', 'its own random fifth, not the same rows'),
('Surprise, SVD++', 'ml-100k', 'five random folds', 'RMSE', 0.919, 'Surprise, README', ''),
('Surprise, k-NN with baselines', 'ml-100k', 'five random folds', 'RMSE', 0.931, 'Surprise, README', ''),
('Surprise, SVD', 'ml-100k', 'five random folds', 'RMSE', 0.934, 'Surprise, README', ''),
('myFM, ordered probit with side information', 'ml-100k', 'the fixed split u1', 'RMSE', 0.8808, 'myFM, documentation', 'uses the date of the rating it predicts; 512 samples'),
('myFM, regression with side information', 'ml-100k', 'the fixed split u1', 'RMSE', 0.8833, 'myFM, documentation', 'uses the date of the rating it predicts; 512 samples'),
('GHRS', 'ml-100k', 'the fixed split u1', 'RMSE', 0.887, 'Z. Z. Darban, M. H. Valipour. GHRS. 2021', ''),
('GLocal-K', 'ml-100k', 'the fixed split u1', 'RMSE', 0.8889, 'S. C. Han et al. GLocal-K. CIKM 2021', 'the epoch that was best on the test ratings'),
('GC-MC', 'ml-100k', 'the fixed split u1', 'RMSE', 0.905, 'R. van den Berg et al. GC-MC. 2017', ''),
('myFM, ids alone', 'ml-100k', 'the fixed split u3', 'RMSE', 0.8944, 'myFM, documentation', ''),
('myFM, grouped', 'ml-100k', 'the fixed split u3', 'RMSE', 0.8925, 'myFM, documentation', ''),
('myFM, ordered probit', 'ml-100k', 'the fixed split u3', 'RMSE', 0.8906, 'myFM, documentation', ''),
('myFM, side information', 'ml-100k', 'the fixed split u3', 'RMSE', 0.8855, 'myFM, documentation', ''),
('myFM, ordered probit with side information', 'ml-1m', 'a random tenth', 'RMSE', 0.814, 'myFM, documentation', 'uses the date of the rating it predicts'),
('myFM, regression with side information', 'ml-1m', 'a random tenth', 'RMSE', 0.8161, 'myFM, documentation', 'uses the date of the rating it predicts'),
('GLocal-K', 'ml-1m', 'a random tenth', 'RMSE', 0.8227, 'S. C. Han et al. GLocal-K. CIKM 2021', ''),
('SparseFC', 'ml-1m', 'a random tenth', 'RMSE', 0.823, 'L. Muller et al. SparseFC. ICML 2018', ''),
('Surprise, SVD++', 'ml-1m', 'five random folds', 'RMSE', 0.862, 'Surprise, README', ''),
('Bayesian timeSVD++ flipped', 'ml-10m', 'a random tenth', 'RMSE', 0.7485, 'S. Rendle, L. Zhang, Y. Koren. On the Difficulty of Evaluating Baselines. 2019', 'uses the time of the rating it predicts'),
('Bayesian matrix factorisation', 'ml-10m', 'a random tenth', 'RMSE', 0.7633, 'S. Rendle, L. Zhang, Y. Koren. On the Difficulty of Evaluating Baselines. 2019', ''),
('Matrix factorisation by SGD', 'ml-10m', 'a random tenth', 'RMSE', 0.772, 'S. Rendle, L. Zhang, Y. Koren. On the Difficulty of Evaluating Baselines. 2019', ''),
('U-CFN', 'ml-10m', 'a random tenth', 'RMSE', 0.777, 'F. Strub et al. U-CFN. 2016', ''),
('AutoRec', 'ml-10m', 'a random tenth', 'RMSE', 0.782, 'S. Sedhain et al. AutoRec. WWW 2015', '');
