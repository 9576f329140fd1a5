"""The lake cut into training and validation rows: one folder for each protocol, made once.

protocols    which rows validate
build        the arrays of a folder, from the lake
dataset      a committed folder, memory-mapped
rows         rows as tensors, and how they are grouped by user and by item
features     what is known of users and items besides their ratings
vocabulary   ids to dense indices and back
"""
