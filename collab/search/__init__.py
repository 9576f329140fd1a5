"""The search for better recipes, on training rows alone.

study      Optuna, asked and told; and where a trial that does badly ends early
trial      one trial: an ordinary run on an inner split, committed by its key
search     the trials of one variant, within a budget
confirm    finalists over more seeds, and the best against the present recipe on another split
edit       the change to `recipes.py`
write      what a search found, as files
"""
