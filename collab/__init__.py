"""Collaborative filtering on MovieLens: parse, check, train, interpret, publish."""

from importlib.metadata import version

from collab.base.errors import CollabError
from collab.client import connect

__all__ = ["CollabError", "connect"]
__version__ = version("collab")
