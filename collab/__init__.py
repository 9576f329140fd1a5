"""Collaborative filtering on MovieLens: parse, check, train, interpret, publish."""

from importlib.metadata import version

from collab.base.errors import CollabError
from collab.client import connect
from collab.people import ask, predict, recommend, recommend_for

__all__ = ["CollabError", "ask", "connect", "predict", "recommend", "recommend_for"]
__version__ = version("collab")
