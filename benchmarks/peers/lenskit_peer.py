"""LensKit: matrix factorisation with biases by alternating least squares, as it comes and tuned.

The tuned penalty was found on a part of training held out.
"""

from lenskit.als import BiasedMFScorer
from lenskit.batch import predict
from lenskit.data import ItemListCollection, from_interactions_df
from lenskit.parallel import initialize
from lenskit.pipeline import predict_pipeline
from lenskit.training import TrainingOptions

from benchmarks.peers.cell import Cell, Predict, Scores, clipped, main

NAMES = {"user_id": "user_id", "movie_id": "item_id", "rating": "rating"}
KEYS = ["user_id", "item_id"]
SETTINGS = {"embedding_size": 50, "user_embeddings": "prefer"}
MODELS = {"BiasedMF": {"regularization": 0.1}, "BiasedMF tuned": {"regularization": 0.15}}


def fit(cell: Cell) -> Predict:
    """Fit the pipeline; a user or movie unknown to it falls back to the biases it has."""
    initialize(threads=cell.threads)
    train = cell.train[list(NAMES)].rename(columns=NAMES)
    rows = cell.valid[list(NAMES)].rename(columns=NAMES)[KEYS]
    scorer = BiasedMFScorer(**SETTINGS, **MODELS[cell.model])
    pipeline = predict_pipeline(scorer)
    pipeline.train(from_interactions_df(train), TrainingOptions(rng=cell.seed))

    def scores() -> Scores:
        asked = ItemListCollection.from_df(rows, ["user_id"])
        told = predict(pipeline, asked, n_jobs=1).to_df()
        return clipped(rows.merge(told, on=KEYS, how="left")["score"], cell)

    return scores


if __name__ == "__main__":
    main("LensKit", ["lenskit", "torch", "numpy"], list(MODELS), fit)
