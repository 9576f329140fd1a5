"""The peers: what each one's environment takes, and which of its models are measured."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A library to compare with.

    name: as the table of results shows it.
    script: the module in this folder that measures it; its environment is called so too.
    requirements: what its environment takes, within the pins of `requirements-peers.txt`.
    models: the settings that the script knows, each measured in processes of its own.
    max_threads: where the library is slower on more threads, as many as serve it best.
    """

    name: str
    script: str
    requirements: tuple[str, ...]
    models: tuple[str, ...]
    max_threads: int | None = None


PEERS = (
    Peer(
        name="Surprise",
        script="surprise_peer",
        requirements=("scikit-surprise", "numpy", "pandas"),
        models=("BaselineOnly", "SVD", "SVD tuned", "SVDpp"),
    ),
    Peer(
        name="Cornac",
        script="cornac_peer",
        requirements=("cornac", "numpy", "pandas"),
        models=("MF",),
    ),
    Peer(
        name="cmfrec",
        script="cmfrec_peer",
        requirements=("cmfrec", "numpy", "pandas", "threadpoolctl"),
        models=("ALS", "ALS tuned"),
    ),
    Peer(
        name="LensKit",
        script="lenskit_peer",
        requirements=("lenskit", "numpy", "pandas", "torch"),
        models=("BiasedMF", "BiasedMF tuned"),
    ),
    Peer(
        name="myFM",
        script="myfm_peer",
        requirements=("myfm", "numpy", "pandas", "scipy"),
        models=("ids", "ids, history, side", "ids, history, side, week"),
    ),
    Peer(
        name="fastai",
        script="fastai_book",
        requirements=("fastai", "numpy", "pandas", "torch", "torchvision"),
        models=("book cell", "book cell, each row once"),
        max_threads=1,  # a second gains a batch of 64 nothing, and loses much where cores are busy
    ),
)
