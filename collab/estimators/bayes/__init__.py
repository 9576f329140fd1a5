"""Bayesian matrix factorisation by Gibbs sampling.

gaussian, ordinal, pair   the estimators, and their hyperparameters in `settings`
models       what a fitted model does; moments, factors: the posterior as tables
sampling     a chain that runs and is resumed; accumulate: what is kept of it
chain        one sweep: entity (rows and their prior), effects, likelihood, usercuts; draws of them
start        a chain before its first sweep; basis: features of rows; lowrank: few columns
stage2       boosted trees on what a pair of chains leaves; neighbors, block: their features
"""

from collab.estimators.bayes.gaussian import BayesianMF
from collab.estimators.bayes.ordinal import BayesianOrdinal, BayesianTime
from collab.estimators.bayes.pair import BayesianPair, BayesianPairTime

__all__ = ["BayesianMF", "BayesianOrdinal", "BayesianPair", "BayesianPairTime", "BayesianTime"]
