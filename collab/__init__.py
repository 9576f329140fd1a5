"""Collaborative filtering on MovieLens: parse, check, train, interpret, publish."""

from importlib.metadata import version

from collab.client import connect
from collab.base.errors import CollabError

__version__ = version("collab")

__all__ = ["__version__", "CollabError", "connect"]
