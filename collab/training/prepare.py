"""Ratings made ready for a run: split, and encoded by what the training rows hold."""

from dataclasses import dataclass

import torch

from collab.errors import CollabError
from collab.training.interactions import Interactions, Ratings, encode
from collab.training.split import Split
from collab.training.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Ratings split and encoded for one run."""

    ratings: Ratings
    split: Split
    users: Vocabulary
    items: Vocabulary
    train: Interactions
    valid: Interactions


def prepare(ratings: Ratings, split: Split, device: torch.device) -> Prepared:
    """Encode a split; users and items that its training rows lack become the unknown.

    Raises:
        CollabError: the training rows hold a single item, which has no neighbours.
    """
    users = Vocabulary.of("user", ratings.user_id[split.train.numpy()])
    items = Vocabulary.of("item", ratings.item_id[split.train.numpy()])
    if len(items.ids) < 2:
        raise CollabError(
            f"The {len(split.train)} ratings to train on are all of one item; at least 2 items "
            "are needed to tell which are alike. Use an archive with more."
        )
    return Prepared(
        ratings=ratings,
        split=split,
        users=users,
        items=items,
        train=encode(ratings, split.train, users, items, device),
        valid=encode(ratings, split.valid, users, items, device),
    )
