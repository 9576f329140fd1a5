"""Collaborative filtering on MovieLens: parse, check, train, interpret, publish."""

from collab.client import connect
from collab.base.errors import CollabError

__all__ = ["CollabError", "connect"]
