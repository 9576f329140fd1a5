"""The book's numbers, variant by variant; what others published stands in a table of its own."""

from dataclasses import dataclass

BOOK_EDITION = "ml-100k"
# valid MSE after the last of five epochs, on a random fifth of the ratings
BOOK_MSE = {
    "dot_product": 0.8765,
    "dot_product_sigmoid": 0.8781,
    "dot_product_bias": 0.8926,
    "dot_product_bias_wd": 0.8231,
    "dot_product_bias_params": 0.8243,
    "embedding_dot_bias": 0.8217,
    "collab_nn": 0.8675,
    "embedding_nn": 0.8649,
}


@dataclass(frozen=True, kw_only=True)
class Published:
    """A published result.

    system: what was measured.
    mse: mean squared error, stars squared.
    protocol: the ratings it was measured on, as `published_benchmarks` names them.
    caveat: what to know before comparing.
    source: where the number is published.
    """

    system: str
    mse: float
    protocol: str
    caveat: str
    source: str


BOOK_BEST = Published(
    system="The book's best: collab_learner",
    mse=min(BOOK_MSE.values()),
    protocol="a random fifth",
    caveat="its own random fifth, not the same rows",
    source="J. Howard and S. Gugger, Deep Learning for Coders with fastai and PyTorch, chapter 8 "
    "(fastbook, 08_collab.ipynb)",
)


def book_mse(edition: str, variant: str) -> float | None:
    """The book's valid MSE of a variant; None for other editions and other models."""
    return BOOK_MSE.get(variant) if edition == BOOK_EDITION else None
