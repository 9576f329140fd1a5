"""Out: the champion recipe, refitted on all ratings, as tables in a snapshot that readers follow.

publish     one publication: compare, build, prove, flip
tables      fill the database: `runs_tables` what was trained, `model_tables` what was learnt
interpret   biases and components; `neighbors`, `recommend`
gates       what must hold before anyone reads it; `regression` the champion beside the last one
snapshot    a finished, read-only folder; `build`, `links`, `rollback`, `retention`
"""
