"""Runs judged: paired differences, means and spreads over splits, the choice of the champion.

judged      the squared errors of a run's predictions, and the rows they are of
paired      the difference of two runs on equal rows, with its interval
standings   every variant's place, and which recipe is the champion
"""
