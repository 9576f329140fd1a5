"""LensKit: matrix factorisation with biases by alternating least squares, as it comes and tuned.

The tuned penalty was found on a part of training held out.
"""

from lenskit.als import BiasedMFScorer
from lenskit.batch import predict, recommend
from lenskit.data import Dataset, ItemListCollection, from_interactions_df
from lenskit.metrics import NDCG, Recall, RunAnalysis
from lenskit.parallel import initialize
from lenskit.pipeline import predict_pipeline, topn_pipeline
from lenskit.training import TrainingOptions

from benchmarks.peers.cell import LISTED, Cell, Ranked, Scores, clipped, main

NAMES = {"user_id": "user_id", "movie_id": "item_id", "rating": "rating"}
KEYS = ["user_id", "item_id"]
SETTINGS = {"embedding_size": 50, "user_embeddings": "prefer"}
MODELS = {"BiasedMF": {"regularization": 0.1}, "BiasedMF tuned": {"regularization": 0.15}}


def fit(cell: Cell) -> Ranked:
    """Fit the pipeline; a user or movie unknown to it falls back to the biases it has."""
    initialize(threads=cell.threads)
    train = cell.train[list(NAMES)].rename(columns=NAMES)
    rows = cell.valid[list(NAMES)].rename(columns=NAMES)[KEYS]
    scorer = BiasedMFScorer(**SETTINGS, **MODELS[cell.model])
    pipeline = predict_pipeline(scorer)
    data = from_interactions_df(train)
    pipeline.train(data, TrainingOptions(rng=cell.seed))

    def scores() -> Scores:
        asked = ItemListCollection.from_df(rows, ["user_id"])
        told = predict(pipeline, asked, n_jobs=1).to_df()
        return clipped(rows.merge(told, on=KEYS, how="left")["score"], cell)

    return Ranked(predict=scores, rank=lambda: ranking(cell, data))


def ranking(cell: Cell, data: Dataset) -> dict[str, float]:
    """What lists of ten are worth, by LensKit's own measures: unseen items, as it recommends them.

    The model is trained again, in a pipeline that makes lists.
    """
    scorer = BiasedMFScorer(**SETTINGS, **MODELS[cell.model])
    pipeline = topn_pipeline(scorer, n=LISTED)
    pipeline.train(data, TrainingOptions(rng=cell.seed))
    wanted = cell.relevant()[list(NAMES)].rename(columns=NAMES)[KEYS]
    lists = recommend(pipeline, wanted["user_id"].unique(), n=LISTED, n_jobs=1)
    measures = {"ndcg@10": NDCG(LISTED), "recall@10": Recall(LISTED)}
    analysis = RunAnalysis()
    for name, measure in measures.items():
        analysis.add_metric(measure, name)
    asked = ItemListCollection.from_df(wanted, ["user_id"])
    found = analysis.measure(lists, asked).list_metrics().mean()
    shown = lists.to_df()["item_id"].nunique() / data.item_count
    return {**{name: float(found[name]) for name in measures}, "coverage@10": shown}


if __name__ == "__main__":
    main("LensKit", ["lenskit", "torch", "numpy"], list(MODELS), fit)
