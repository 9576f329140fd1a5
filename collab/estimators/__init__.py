"""What can learn to predict ratings.

api          what an estimator is, and what a fitted model may be able to do
recipes      the variants: a name and an estimator each
sgd/         models trained by gradient descent: the chapter's
als          alternating least squares
bias_only    user and item means: what every other must beat
"""
