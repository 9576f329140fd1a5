"""Split, vocabulary, recipes, fit, evaluate: from Parquet to a run folder."""
