"""Thin task shells around collab: how a step is run, not what it does."""
