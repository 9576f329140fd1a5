"""MovieLens in: editions, sources, parsing, checks."""
