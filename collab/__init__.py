"""Collaborative filtering on MovieLens: parse, check, train, interpret, publish."""

from collab.client import connect
from collab.errors import CollabError

__all__ = ["CollabError", "connect"]
