"""The files of a run folder."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file
from torch import nn

from collab.dataset.prepare import Prepared
from collab.dataset.vocabulary import UNKNOWN


def write_weights(folder: Path, model: nn.Module) -> None:
    """`model.safetensors`: a copy of each tensor, since training made them views of one buffer."""
    weights = {
        name: torch.clone(tensor, memory_format=torch.contiguous_format).cpu()
        for name, tensor in model.state_dict().items()
    }
    save_file(weights, folder / "model.safetensors")


def write_predictions(folder: Path, rows: Prepared, predicted: Any) -> None:
    """`predictions.parquet`: the validation rows with their ids, rating and prediction."""
    at = rows.split.valid.numpy()
    table = pd.DataFrame(
        {
            "position": at,
            "user_id": rows.ratings.user_id[at].astype(np.int32),
            "movie_id": rows.ratings.movie_id[at].astype(np.int32),
            "rating": rows.ratings.rating[at],
            "prediction": predicted,
            "user_known": (rows.valid.users != UNKNOWN).cpu().numpy(),
            "item_known": (rows.valid.items != UNKNOWN).cpu().numpy(),
        }
    )
    table.sort_values("position").to_parquet(folder / "predictions.parquet", index=False)


def write_vocabulary(folder: Path, rows: Prepared) -> None:
    """`vocabulary.parquet`: which row of an embedding belongs to which id; index 0 is unknown."""
    parts = [
        pd.DataFrame(
            {
                "entity": words.entity,
                "idx": np.arange(1, len(words), dtype=np.int32),
                "id": words.ids.astype(np.int32),
            }
        )
        for words in (rows.users, rows.items)
    ]
    pd.concat(parts).to_parquet(folder / "vocabulary.parquet", index=False)
