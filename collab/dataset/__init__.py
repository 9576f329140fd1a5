"""The lake cut into training and validation rows: one folder for each protocol, made once.

protocols    which rows validate
build        a folder made, from the lake
arrays       its arrays, one by one
dataset      a committed folder, memory-mapped
rows         rows as tensors, and how they are grouped by user and by item
features     what is known of users and items besides their ratings
vocabulary   ids to dense indices and back
"""
