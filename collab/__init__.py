"""Collaborative filtering on MovieLens: parse, check, train, interpret, publish."""
