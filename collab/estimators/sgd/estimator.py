"""Gradient descent as an estimator: a model, its arguments and the settings of the descent."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from collab.dataset.rows import Rows
from collab.estimators.api import Context, Factors, HasFactors
from collab.estimators.cost import MIB, Cost, Size, memory
from collab.estimators.sgd.closed_form import ClosedForm, refuse_other_gradient
from collab.estimators.sgd.fit import descend
from collab.estimators.sgd.gradient import Autograd, Gradient
from collab.estimators.sgd.settings import Settings
from collab.estimators.sgd.unseen import count_rows, fill_unseen

ROWS_AT_ONCE = 1 << 16
# seconds of a step, of a number in it, and of a column of a row
CLOSED_FORM = (6e-5, 7e-10, 7e-9)
AUTOGRAD = (4e-4, 3.1e-9, 1.7e-8)
LAZY = (2.5e-4, 0.0, 2e-8)
LAZY_BYTES = 80  # of what is known of a step before the first
BATCH_COPIES = 1  # of what a batch goes through, in parts of what is held of each number
WEIGHTS = "model.safetensors"
SIZES = ("n_users", "n_items")


@dataclass(frozen=True, kw_only=True)
class Sgd(Settings):
    """A model trained by AdamW on the one-cycle schedule (Loshchilov and Hutter 2019; Smith 2018).

    model: the class, made by `model(n_users, n_items, generator=..., **arguments)`.
    arguments: the model's own hyperparameters.
    gradient: `closed_form` for a model whose score is a dot product with biases, several times as
        fast; it is held to autograd's on the first batch of every fit.
    """

    uses_time: ClassVar[bool] = False
    model: type[nn.Module]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    gradient: Literal["autograd", "closed_form"] = "autograd"

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        super().__post_init__()
        if self.lazy and self.gradient != "closed_form":
            raise ValueError("lazy steps are of rows, which only the closed form knows")

    @property
    def passes(self) -> int:
        """The epochs."""
        return self.epochs

    def build(
        self, n_users: int, n_items: int, generator: torch.Generator, **made_from: Any
    ) -> nn.Module:
        """A freshly drawn model for so many users and items, the unknown counted.

        made_from: what a model that has a method of that name is made from besides.
        """
        return self.model(n_users, n_items, generator=generator, **self.arguments, **made_from)

    def fit(self, train: Rows, context: Context) -> Iterator["Trained"]:
        """Train; yields the model after every epoch.

        Raises:
            CollabError: the loss became NaN or infinite, or the closed form is not the gradient.
        """
        settings = self.sized(context.n_users, context.n_items)
        weights_from = torch.Generator().manual_seed(context.seed)
        told = self.model.made_from(train, context) if hasattr(self.model, "made_from") else {}
        sizes = (context.n_users, context.n_items)
        model = self.build(*sizes, weights_from, **told).to(context.device)
        rows = train.to(context.device)
        gradient = self.make_gradient(model, rows, min(settings.batch_size, len(rows)))
        fitted, counts = wrap(model, sizes), count_rows(rows, sizes)
        for loss in descend(model, gradient, rows, settings, generator=context.generator()):
            fill_unseen(model.tables(), counts)  # type: ignore[operator]
            fitted.train_loss = loss
            yield fitted

    def make_gradient(self, model: nn.Module, rows: Rows, size: int) -> Gradient:
        """What fills the gradients of batches of `size` rows."""
        if self.gradient == "autograd":
            return Autograd(model)
        closed = ClosedForm(model, size)  # type: ignore[arg-type]
        refuse_other_gradient(closed, model, rows.take(slice(size)), size)
        return closed

    @property
    def explains(self) -> bool:
        """Whether the model has factors and biases."""
        return hasattr(self.model, "factors")

    def cost(self, size: Size) -> Cost:
        """The steps: each changes every number, and goes through the columns of its rows."""
        settings, tables = self.sized(size.n_users, size.n_items), (size.n_users, size.n_items)
        columns_of = cast("Callable[..., int]", self.model.columns)  # type: ignore[attr-defined]
        columns = [columns_of(n, **self.arguments) for n in tables]
        numbers = sum(n * wide for n, wide in zip(tables, columns, strict=True))
        steps = self.epochs * max(1, size.n_ratings // settings.batch_size)
        kind = LAZY if self.lazy else CLOSED_FORM if self.gradient == "closed_form" else AUTOGRAD
        step, number, cell = kind
        seconds = steps * (step + number * numbers)
        seconds += self.epochs * size.n_ratings * sum(columns) * cell
        batch = min(settings.batch_size, size.n_ratings) * sum(columns) * BATCH_COPIES
        schedule = steps * LAZY_BYTES if self.lazy else 0
        mib = memory(size, numbers=numbers + batch, copies=5) + schedule / MIB
        return Cost(seconds=seconds, mib=mib, steps=steps, numbers=numbers)

    def load(self, folder: Path) -> "Trained":
        """The model in a folder."""
        weights = load_file(folder / WEIGHTS)
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            n_users, n_items = (int(file.metadata()[name]) for name in SIZES)
        told = self.model.kept_in(weights) if hasattr(self.model, "kept_in") else {}
        model = self.build(n_users, n_items, torch.Generator(), **told)
        model.load_state_dict(weights)
        return wrap(model, (n_users, n_items))


class Trained:
    """A trained network; sizes: how many users and items it has rows for."""

    def __init__(self, model: nn.Module, sizes: tuple[int, int]) -> None:
        """Hold the model, which training goes on changing."""
        self.model, self.sizes, self.train_loss = model, sizes, float("nan")
        self.n_parameters = sum(parameter.numel() for parameter in model.parameters())

    @torch.inference_mode()
    def predict(self, rows: Rows) -> Tensor:
        """Stars (n,); an unknown user or item, index 0, is scored by the mean of those known."""
        self.model.eval()
        device = next(self.model.parameters()).device
        starts = range(0, len(rows), ROWS_AT_ONCE)
        parts = (rows.take(slice(start, start + ROWS_AT_ONCE)) for start in starts)
        scores = [self.model(p.users.to(device), p.items.to(device)).cpu() for p in parts]
        return torch.cat(scores) if scores else torch.empty(0)

    def save(self, folder: Path) -> None:
        """A copy of each tensor, since training made them views of one buffer."""
        weights = {
            name: torch.clone(tensor, memory_format=torch.contiguous_format).cpu()
            for name, tensor in self.model.state_dict().items()
        }
        sizes = {name: str(size) for name, size in zip(SIZES, self.sizes, strict=True)}
        save_file(weights, folder / WEIGHTS, metadata=sizes)


class TrainedFactors(Trained):
    """A trained model that says what its factors and biases are."""

    def factors(self) -> Factors:
        """The model's tables."""
        assert isinstance(self.model, HasFactors)
        return self.model.factors()


def wrap(model: nn.Module, sizes: tuple[int, int]) -> Trained:
    """The model with the abilities it declares."""
    kind = TrainedFactors if isinstance(model, HasFactors) else Trained
    return kind(model, sizes)
